"""Does the check of an environment find what was done to it, and affirm nothing that it did not prove?"""

import base64
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from glasswing_attest.appraisal.dependencies import check
from glasswing_attest.artifact.environment import Environment, Installed
from glasswing_attest.artifact.lock import Lock
from glasswing_attest.artifact.manifest import Facts
from glasswing_attest.artifact.wheel import Wheel, wheels_in
from glasswing_attest.errors import GlasswingError
from glasswing_attest.findings import Finding, Tier, worst
from glasswing_attest.records import DependencyRecord
from tests.environments import SITE, build_wheel, install, lock_of, make_prefix, record_line

DEMO = f"{SITE}/demo/__init__.py"
INFO = f"{SITE}/demo-1.0.dist-info"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Two packages installed from wheels, and everything that may vouch for them."""

    prefix: Path
    wheels: tuple[Wheel, ...]
    lock: Lock
    record: DependencyRecord

    def read(self) -> Installed:
        return Environment(self.prefix).read()

    def against_record(self) -> tuple[Finding, ...]:
        return check(self.read(), self.record)

    def against_wheels(self) -> tuple[Finding, ...]:
        return check(self.read(), self.lock, wheels=self.wheels)

    def against_lock(self) -> tuple[Finding, ...]:
        return check(self.read(), self.lock)


@pytest.fixture
def world(tmp_path: Path) -> World:
    prefix = make_prefix(tmp_path / "env")
    wheels = [build_wheel(tmp_path / "w"), build_wheel(tmp_path / "w", "other", "2.0", {"other.py": b"X = 1\n"})]
    for wheel in wheels:
        install(prefix, wheel)
    lock = Lock.parse(lock_of(*wheels))
    record = DependencyRecord.from_environment(Environment(prefix))
    return World(prefix=prefix, wheels=wheels_in(tmp_path / "w"), lock=lock, record=record)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


def bad(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(f.code, f.subject) for f in findings if f.tier is Tier.CONTRAINDICATED]


# --- what is right ---------------------------------------------------------------------------------------------------


def test_an_environment_is_proved_by_its_record_and_by_its_wheels(world: World) -> None:
    for findings in (world.against_record(), world.against_wheels()):
        assert [(f.code, f.subject, f.tier) for f in findings] == [
            ("deps.intact", "demo==1.0", Tier.AFFIRMING),
            ("deps.intact", "other==2.0", Tier.AFFIRMING),
        ]


def test_a_lock_alone_proves_no_bytes(world: World) -> None:
    assert codes(world.against_lock()) == ["deps.digest-unproved", "deps.digest-unproved"]
    assert worst(world.against_lock()) is Tier.WARNING


def test_a_record_of_a_lock_says_what_the_lock_says(world: World) -> None:
    record = DependencyRecord.from_lock(world.lock)
    assert check(world.read(), record) == world.against_lock()
    assert check(world.read(), record, wheels=world.wheels) == world.against_wheels()


def test_wheels_that_the_lock_does_not_name_prove_nothing(world: World, tmp_path: Path) -> None:
    other = build_wheel(tmp_path / "x", files={"demo.py": b"other"})
    findings = check(world.read(), world.lock, wheels=[Wheel.read(other)])
    assert codes(findings) == ["deps.digest-unproved", "deps.digest-unproved"]


def test_nothing_evaluated_is_nothing_affirmed(world: World) -> None:
    empty = dataclasses.replace(world.read(), packages=(), files=())
    nothing = check(empty, DependencyRecord())
    assert nothing == ()
    assert worst(nothing) is Tier.NONE
    everything_extra = check(world.read(), DependencyRecord())
    assert bad(everything_extra) == [("deps.extra-package", "demo==1.0"), ("deps.extra-package", "other==2.0")]


def test_the_environment_that_runs_this_is_as_it_records_itself() -> None:
    installed = Environment().read()
    findings = check(installed, DependencyRecord.from_environment(installed))
    assert bad(findings) == []
    assert codes(findings).count("deps.intact") >= len(installed.packages) - 1
    assert "deps.bytecode" in codes(findings) or not installed.bytecode


def test_an_environment_elsewhere_is_as_it_was_recorded(world: World, tmp_path: Path) -> None:
    there = make_prefix(tmp_path / "there")
    for wheel in sorted((tmp_path / "w").iterdir()):
        install(there, wheel, installer="uv")
    assert codes(check(Environment(there).read(), world.record)) == ["deps.intact", "deps.intact"]


# --- what was done to it ---------------------------------------------------------------------------------------------


def rewrite_record(prefix: Path, name: str, data: bytes) -> None:
    """Have RECORD say of a file what is true of it now."""
    record = prefix / INFO / "RECORD"
    lines = [line for line in record.read_text().splitlines(keepends=True) if not line.startswith(f"{name},")]
    record.write_text("".join([record_line(name, data), *lines]))


def write(name: str, data: bytes) -> Callable[[Path], object]:
    def do(prefix: Path) -> object:
        (prefix / name).parent.mkdir(exist_ok=True)
        return (prefix / name).write_bytes(data)

    return do


def remove(name: str) -> Callable[[Path], object]:
    return lambda prefix: (prefix / name).unlink()


def flip(prefix: Path) -> None:
    data = bytearray((prefix / DEMO).read_bytes())
    data[3] ^= 1
    (prefix / DEMO).write_bytes(data)


def flip_with_record(prefix: Path) -> None:
    flip(prefix)
    rewrite_record(prefix, "demo/__init__.py", (prefix / DEMO).read_bytes())


def add_with_record(prefix: Path) -> None:
    (prefix / SITE / "evil.py").write_bytes(b"evil")
    rewrite_record(prefix, "evil.py", b"evil")


def own_without_hash(prefix: Path) -> None:
    (prefix / SITE / "evil.py").write_bytes(b"evil")
    record = prefix / INFO / "RECORD"
    record.write_text(record.read_text() + "evil.py,,\n")


def drop_from_record(prefix: Path) -> None:
    record = prefix / INFO / "RECORD"
    record.write_text("".join(line for line in record.read_text().splitlines(True) if "demo/data.bin" not in line))


def another_package(prefix: Path) -> None:
    install(prefix, build_wheel(prefix.parent / "x", "evil", "6", {"evil.py": b""}))


def another_version(prefix: Path) -> None:
    (prefix / INFO).rename(prefix / SITE / "demo-1.1.dist-info")
    metadata = prefix / SITE / "demo-1.1.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "1.1"))


def a_second_copy(prefix: Path) -> None:
    install(prefix, build_wheel(prefix.parent / "x", "demo", "0.9", {"demo/old.py": b""}))


def from_elsewhere(prefix: Path) -> None:
    install(
        prefix,
        build_wheel(prefix.parent / "x"),
        direct_url={"url": "file:///home/me/demo", "dir_info": {"editable": True}},
    )


def from_another_wheel(prefix: Path) -> None:
    note = {"url": "https://evil.example/demo.whl", "archive_info": {"hashes": {"sha256": "e" * 64}}}
    install(prefix, build_wheel(prefix.parent / "x"), direct_url=note)


# What is done, and what is found: against the record of the environment, the locked wheels, and the lock alone.
ATTACKS: list[tuple[str, Callable[[Path], object], dict[str, str], tuple[bool, bool, bool]]] = [
    ("a flipped byte", flip, {"deps.modified": "demo==1.0"}, (True, True, True)),
    ("a removed file", remove(f"{SITE}/demo/data.bin"), {"deps.file-missing": "demo==1.0"}, (True, True, True)),
    ("a flipped byte, and RECORD", flip_with_record, {"deps.record-changed": "demo==1.0"}, (True, True, False)),
    ("a file that RECORD gained", add_with_record, {"deps.record-changed": "demo==1.0"}, (True, True, False)),
    ("a line without a hash", own_without_hash, {"deps.unhashed": "demo==1.0"}, (True, True, True)),
    ("a .pth with code", write(f"{SITE}/x.pth", b"import os\n"), {"deps.pth": f"{SITE}/x.pth"}, (True, True, True)),
    ("a .pth with a path", write(f"{SITE}/x.pth", b"/evil\n"), {"deps.pth": f"{SITE}/x.pth"}, (True, True, True)),
    (
        "sitecustomize",
        write(f"{SITE}/sitecustomize.py", b"evil()\n"),
        {"deps.sitecustomize": f"{SITE}/sitecustomize.py"},
        (True, True, True),
    ),
    (
        "usercustomize as a package",
        write(f"{SITE}/usercustomize/__init__.py", b"evil()\n"),
        {"deps.sitecustomize": f"{SITE}/usercustomize/__init__.py"},
        (True, True, True),
    ),
    ("a module of nobody", write(f"{SITE}/evil.py", b""), {"deps.unowned": f"{SITE}/evil.py"}, (True, True, True)),
    (
        "a module without a source",
        write(f"{SITE}/demo/evil.pyc", b""),
        {"deps.unowned": f"{SITE}/demo"},
        (True, True, True),
    ),
    ("another package", another_package, {"deps.extra-package": "evil==6"}, (True, True, True)),
    ("another version", another_version, {"deps.version": "demo"}, (True, True, True)),
    ("a second copy", a_second_copy, {"deps.duplicate": "demo"}, (True, True, True)),
    ("an editable in its place", from_elsewhere, {"deps.source": "demo==1.0"}, (True, True, True)),
    ("no RECORD", remove(f"{INFO}/RECORD"), {"deps.no-record": "demo==1.0"}, (True, True, True)),
    ("a file outside", write("x", b""), {}, (False, False, False)),
]


@pytest.mark.parametrize(("story", "attack", "found", "seen"), ATTACKS, ids=[attack[0] for attack in ATTACKS])
def test_what_was_done_is_found(
    world: World,
    story: str,
    attack: Callable[[Path], object],
    found: dict[str, str],
    seen: tuple[bool, bool, bool],
) -> None:
    attack(world.prefix)
    for findings, is_seen in zip(
        (world.against_record(), world.against_wheels(), world.against_lock()), seen, strict=True
    ):
        if is_seen:
            assert set(found.items()) <= set(bad(findings)), story
            affirmed = {f.subject for f in findings if f.tier is Tier.AFFIRMING}
            assert not affirmed & set(found.values())
        else:
            assert bad(findings) == []


def test_a_line_that_record_lost_is_found(world: World) -> None:
    drop_from_record(world.prefix)
    # The file is the one that was recorded, and so no stranger; it is RECORD that is another.
    assert bad(world.against_record()) == [("deps.record-changed", "demo==1.0")]
    unowned = ("deps.unowned", f"{SITE}/demo")
    assert bad(world.against_wheels()) == [("deps.record-changed", "demo==1.0"), unowned]
    assert bad(world.against_lock()) == [unowned]


def test_an_installation_from_another_wheel_is_found(world: World) -> None:
    from_another_wheel(world.prefix)
    assert ("deps.digest", "demo==1.0") in bad(world.against_lock())
    assert ("deps.digest", "demo==1.0") in bad(world.against_wheels())
    # The record says that it was had by name.
    assert ("deps.source", "demo==1.0") in bad(world.against_record())


def test_a_locked_wheel_from_anywhere_is_the_locked_wheel(world: World, tmp_path: Path) -> None:
    sha256 = next(w for w in world.wheels if w.name == "demo").digests.get("sha256")
    note = {"url": "file:///mnt/demo-1.0-py3-none-any.whl", "archive_info": {"hashes": {"sha256": sha256}}}
    install(world.prefix, tmp_path / "w" / "demo-1.0-py3-none-any.whl", direct_url=note)
    assert codes(world.against_wheels()) == ["deps.intact", "deps.intact"]


def test_any_flipped_byte_of_any_file_is_found(world: World) -> None:
    """Whatever is changed in one place: no affirmation of that package, or no change that matters."""
    for file in world.read().manifest.files:
        path = world.prefix / file.name
        data = path.read_bytes()
        for at in {0, len(data) // 2, len(data) - 1}:
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            try:
                assert bad(world.against_record()), file.name
                assert bad(world.against_wheels()), file.name
                assert bad(world.against_lock()), file.name
            except GlasswingError:
                pass  # metadata that cannot be read any more
        path.write_bytes(data)
    assert bad(world.against_record()) == []


def test_files_outside_that_a_record_names(world: World) -> None:
    record = world.prefix / INFO / "RECORD"
    record.write_text(record.read_text() + "/etc/passwd,,\n")
    assert ("deps.outside", "demo==1.0") in bad(world.against_lock())


def test_a_missing_package_is_found_and_a_marker_may_excuse_it(world: World, tmp_path: Path) -> None:
    more = build_wheel(tmp_path / "w", "more", "3", {"more.py": b""})
    text = lock_of(*sorted((tmp_path / "w").iterdir()))
    assert more.exists()
    assert ("deps.package-missing", "more") in bad(check(world.read(), Lock.parse(text)))

    def with_marker(marker: str) -> Lock:
        return Lock.parse(text.replace(b'name = "more"\n', f'name = "more"\nmarker = "{marker}"\n'.encode()))

    assert bad(check(world.read(), with_marker("sys_platform == 'win32'"))) == []
    undecided = check(world.read(), with_marker("platform_release == '1'"))
    assert ("deps.undecided", "more", Tier.WARNING) in [(f.code, f.subject, f.tier) for f in undecided]
    dev = with_marker("'dev' in dependency_groups")
    assert bad(check(world.read(), dev)) == []
    assert bad(check(world.read(), dev.choosing(groups=["dev"]))) == [("deps.package-missing", "more")]


def test_one_name_twice_in_a_lock_is_undecided(world: World) -> None:
    (demo, other) = world.lock.packages
    lock = dataclasses.replace(world.lock, packages=(demo, dataclasses.replace(demo, marker=""), other))
    findings = check(world.read(), lock, wheels=world.wheels)
    assert ("deps.undecided", "demo==1.0") in [(f.code, f.subject) for f in findings]
    assert [f.subject for f in findings if f.tier is Tier.AFFIRMING] == ["other==2.0"]


def test_what_may_be_there_besides_is_allowed_and_not_affirmed(world: World) -> None:
    another_package(world.prefix)
    findings = check(world.read(), world.lock, wheels=world.wheels, also=["Evil"])
    assert bad(findings) == []
    assert ("deps.digest-unproved", "evil==6") in [(f.code, f.subject) for f in findings]
    (world.prefix / SITE / "evil.py").write_bytes(b"changed")
    assert bad(check(world.read(), world.lock, also=["evil"])) == [("deps.modified", "evil==6")]


# --- what is told besides --------------------------------------------------------------------------------------------


def test_what_a_package_runs_at_startup_is_told(world: World, tmp_path: Path) -> None:
    files = {"start.pth": b"import os\n/opt/code\n", "sitecustomize.py": b""}
    wheel = build_wheel(tmp_path / "w", "starter", "1", files)
    install(world.prefix, wheel)
    lock = Lock.parse(lock_of(*sorted((tmp_path / "w").iterdir())))
    findings = check(world.read(), lock, wheels=wheels_in(tmp_path / "w"))
    assert bad(findings) == []
    assert [(f.code, f.subject, f.found) for f in findings if f.tier is Tier.WARNING] == [
        ("deps.startup-code", f"{SITE}/start.pth", "code"),
        ("deps.path", f"{SITE}/start.pth", "/opt/code"),
        ("deps.startup-code", f"{SITE}/sitecustomize.py", "code"),
    ]


def test_what_was_there_when_it_was_recorded_is_told_and_no_more(world: World) -> None:
    write(f"{SITE}/_virtualenv.py", b"x")(world.prefix)
    write(f"{SITE}/_virtualenv.pth", b"import _virtualenv\n")(world.prefix)
    write(f"{SITE}/sitecustomize.py", b"")(world.prefix)
    recorded = dataclasses.replace(world, record=DependencyRecord.from_environment(world.read()))
    findings = recorded.against_record()
    assert bad(findings) == []
    assert [(f.code, f.subject) for f in findings if f.tier is Tier.WARNING] == [
        ("deps.unowned-recorded", f"{SITE}/_virtualenv.py"),
        ("deps.startup-code", f"{SITE}/_virtualenv.pth"),
        ("deps.startup-code", f"{SITE}/sitecustomize.py"),
    ]
    write(f"{SITE}/_virtualenv.py", b"y")(world.prefix)
    assert ("deps.unowned", f"{SITE}/_virtualenv.py") in bad(recorded.against_record())


def test_scripts_that_hold_the_place_are_not_proved(world: World, tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "w", "runner", "1", {"runner.py": b""}, script="run-it")
    install(world.prefix, wheel)
    lock = Lock.parse(lock_of(*sorted((tmp_path / "w").iterdir())))
    findings = check(world.read(), lock, wheels=wheels_in(tmp_path / "w"))
    assert [(f.code, f.found) for f in findings if f.tier is Tier.WARNING] == [("deps.scripts", "bin/run-it")]
    # The record knows RECORD's own bytes, and so the script; elsewhere they are others.
    record = DependencyRecord.from_environment(world.read())
    assert set(codes(check(world.read(), record))) == {"deps.intact"}
    script = (world.prefix / "bin" / "run-it").read_bytes() + b"evil()\n"
    (world.prefix / "bin" / "run-it").write_bytes(script)
    assert ("deps.modified", "runner==1") in bad(check(world.read(), record))
    path = world.prefix / SITE / "runner-1.dist-info" / "RECORD"
    digest = base64.urlsafe_b64encode(hashlib.sha256(script).digest()).rstrip(b"=").decode()
    lines = [line for line in path.read_text().splitlines(keepends=True) if "run-it" not in line]
    path.write_text("".join([f"../../../bin/run-it,sha256={digest},1\n", *lines]))
    assert "deps.scripts" in codes(check(world.read(), record))


# As pip 23.2 and 26.3 and uv 0.9 wrote them.
WRITTEN = {
    "pip": """\
# -*- coding: utf-8 -*-
import re
import sys
from demo import main
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(main())
""",
    "pip, later": """\
import sys
from demo import main
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(main())
""",
    "uv": """\
# -*- coding: utf-8 -*-
import sys
from demo import main
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit(main())
""",
}


def replace_program(prefix: Path, text: str) -> None:
    """Write the program, and RECORD's line about it."""
    data = text.encode()
    (prefix / "bin" / "run-it").write_bytes(data)
    path = prefix / SITE / "runner-1.dist-info" / "RECORD"
    lines = [line for line in path.read_text().splitlines(keepends=True) if "run-it" not in line]
    path.write_text("".join([record_line("../../../bin/run-it", data), *lines]))


@pytest.mark.parametrize("by", WRITTEN)
def test_a_program_that_is_what_installers_write_is_proved(by: str, world: World, tmp_path: Path) -> None:
    install(world.prefix, build_wheel(tmp_path / "w", "runner", "1", {"runner.py": b""}, script="run-it"))
    record = DependencyRecord.from_environment(world.read())
    lock = Lock.parse(lock_of(*sorted((tmp_path / "w").iterdir())))

    def told() -> list[set[str]]:
        installed = world.read()
        by_wheels = check(installed, lock, wheels=wheels_in(tmp_path / "w"), also=["demo"])
        return [{f.code for f in found if f.subject == "runner==1"} for found in (by_wheels, check(installed, record))]

    replace_program(world.prefix, f"#!{world.prefix}/bin/python3.11\n{WRITTEN[by]}")
    assert told() == [{"deps.intact"}, {"deps.intact"}]
    for changed in (
        f"#!/usr/bin/python3\n{WRITTEN[by]}",
        f"#!{world.prefix}/bin/../../evil/bin/python\n{WRITTEN[by]}",
        f"#!{world.prefix}/bin/python\n{WRITTEN[by]}evil()\n",
        f"#!{world.prefix}/bin/python\n{WRITTEN[by].replace('from demo', 'from evil')}",
        f"#!{world.prefix}/bin/python\n{WRITTEN[by].replace('main()', 'other()')}",
    ):
        replace_program(world.prefix, changed)
        by_wheels, by_record = told()
        assert by_wheels == {"deps.intact", "deps.scripts"}
        # One that does not name the environment is a file like any other, and the record has its digest.
        assert by_record in ({"deps.intact", "deps.scripts"}, {"deps.record-changed"})


def test_a_program_that_another_package_asks_for_is_not_proved(world: World, tmp_path: Path) -> None:
    brought = {"runner.py": b"", "runner-1.data/scripts/run-it": b"#!python\nprint(1)\n"}
    install(world.prefix, build_wheel(tmp_path / "w", "runner", "1", brought))
    install(world.prefix, build_wheel(tmp_path / "w", "stranger", "1", {"stranger.py": b""}, script="run-it"))
    replace_program(world.prefix, f"#!{world.prefix}/bin/python\n{WRITTEN['pip']}")
    assert [p.generated for p in world.read().packages if p.name == "runner"] == [()]
    lock = Lock.parse(lock_of(*sorted((tmp_path / "w").iterdir())))
    found = check(world.read(), lock, wheels=wheels_in(tmp_path / "w"))
    assert ("deps.scripts", "runner==1") in [(f.code, f.subject) for f in found]


def test_a_program_that_the_wheel_does_not_ask_for_is_found(world: World) -> None:
    write("bin/evil", b"\x7fELF")(world.prefix)
    rewrite_record(world.prefix, "../../../bin/evil", b"\x7fELF")
    assert bad(world.against_wheels()) == [("deps.record-changed", "demo==1.0")]
    assert bad(world.against_record()) == [("deps.record-changed", "demo==1.0")]


def test_a_program_in_place_of_a_generated_one_is_not_proved(world: World, tmp_path: Path) -> None:
    install(world.prefix, build_wheel(tmp_path / "w", "runner", "1", {"runner.py": b""}, script="run-it"))
    record = DependencyRecord.from_environment(world.read())
    lock = Lock.parse(lock_of(*sorted((tmp_path / "w").iterdir())))
    write("bin/run-it", b"\x7fELF")(world.prefix)
    path = world.prefix / SITE / "runner-1.dist-info" / "RECORD"
    lines = [line for line in path.read_text().splitlines(keepends=True) if "run-it" not in line]
    path.write_text("".join([record_line("../../../bin/run-it", b"\x7fELF"), *lines]))
    by_wheels = check(world.read(), lock, wheels=wheels_in(tmp_path / "w"))
    assert ("deps.scripts", "bin/run-it") in [(f.code, f.found) for f in by_wheels]
    assert bad(check(world.read(), record)) == [("deps.record-changed", "runner==1")]


def test_editable_packages_are_named_as_such(world: World, tmp_path: Path) -> None:
    from_elsewhere(world.prefix)
    record = DependencyRecord.from_environment(world.read())
    findings = check(world.read(), record)
    assert [(f.code, f.subject) for f in findings] == [("deps.editable", "demo==1.0"), ("deps.intact", "other==2.0")]
    text = lock_of(tmp_path / "w" / "other-2.0-py3-none-any.whl").decode()
    text += '[[packages]]\nname = "demo"\ndirectory = {path = "demo", editable = true}\n'
    assert codes(check(world.read(), Lock.parse(text.encode()), wheels=world.wheels)) == [
        "deps.editable",
        "deps.intact",
    ]


def test_a_commit_is_compared(world: World, tmp_path: Path) -> None:
    vcs = {"url": "https://git.example/demo", "vcs_info": {"vcs": "git", "commit_id": "a" * 40}}
    install(world.prefix, tmp_path / "w" / "demo-1.0-py3-none-any.whl", direct_url=vcs)
    text = lock_of(tmp_path / "w" / "other-2.0-py3-none-any.whl").decode()
    text += '[[packages]]\nname = "demo"\nvcs = {type = "git", url = "https://git.example/demo", commit-id = "%s"}\n'
    right = check(world.read(), Lock.parse((text % ("a" * 40)).encode()), wheels=world.wheels)
    assert codes(right) == ["deps.digest-unproved", "deps.intact"]
    wrong = check(world.read(), Lock.parse((text % ("b" * 40)).encode()), wheels=world.wheels)
    assert bad(wrong) == [("deps.source", "demo==1.0")]


def test_compiled_code_and_system_packages_are_told(world: World) -> None:
    write(f"{SITE}/demo/__pycache__/x.cpython-311.pyc", b"evil")(world.prefix)
    (world.prefix / "pyvenv.cfg").write_text("version = 3.11.7\ninclude-system-site-packages = true\n")
    found = [(f.code, f.tier) for f in world.against_record() if f.tier is not Tier.AFFIRMING]
    assert found == [("deps.bytecode", Tier.WARNING), ("deps.system-packages", Tier.WARNING)]


def test_another_interpreter_is_told(world: World) -> None:
    installed = dataclasses.replace(
        world.read(), markers=Facts({**world.read().markers, "python_full_version": "3.11.8"})
    )
    findings = check(installed, world.record)
    assert [(f.subject, f.found, f.wanted) for f in findings if f.code == "deps.interpreter"] == [
        ("python_full_version", "3.11.8", "3.11.7")
    ]
    for extra in ('requires-python = ">=3.12"\n', "environments = [\"sys_platform == 'win32'\"]\n"):
        lock = Lock.parse(lock_of(*sorted((world.prefix.parent / "w").iterdir()), extra=extra))
        assert "deps.interpreter" in codes(check(world.read(), lock))


def test_the_answer_does_not_depend_on_the_order_of_wheels(world: World) -> None:
    assert check(world.read(), world.lock, wheels=world.wheels[::-1]) == world.against_wheels()
