"""Is a lock file read strictly, and is the installed wheel told from the others, or said not to be known?"""

import dataclasses
import zipfile
from pathlib import Path

import pytest

from glasswing_attest.artifact.environment import Environment
from glasswing_attest.artifact.installed import Package
from glasswing_attest.artifact.lock import Choice, Lock, choose, enriched, fits_python, holds
from glasswing_attest.artifact.wheel import Wheel, wheels_in
from glasswing_attest.errors import (
    ArtifactUnreadable,
    DigestRefused,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    MalformedError,
    NotUtf8,
    NotYaml,
)
from glasswing_attest.limits import Limits
from tests.environments import SITE, build_wheel, install, lock_of, make_prefix, record_line

HEAD = b'lock-version = "1.0"\ncreated-by = "test"\n'
SHA = b"a" * 64
MARKERS = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux"}


def one(text: str) -> bytes:
    return HEAD + f'[[packages]]\nname = "demo"\nversion = "1.0"\n{text}\n'.encode()


WHEEL = f'wheels = [{{name = "demo-1.0-py3-none-any.whl", url = "https://x/d", hashes = {{sha256 = "{"a" * 64}"}}}}]'


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_lock_is_read_with_everything_that_it_says() -> None:
    lock = Lock.parse(
        HEAD
        + b"""
requires-python = ">=3.11"
environments = ["sys_platform == 'linux'"]
default-groups = ["train"]
dependency-groups = ["train", "dev"]
[[packages]]
name = "demo"
version = "1.0"
marker = "python_version >= '3.11'"
requires-python = ">=3.10"
[[packages.wheels]]
url = "https://me:token@files.example/demo-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl?k=1#f"
size = 9007199254740993
upload-time = 2026-01-02T03:04:05Z
hashes = {sha256 = "%s", md5 = "00"}
[packages.sdist]
path = "dist/demo-1.0.tar.gz"
hashes = {sha512 = "%s"}
[[packages]]
name = "from-git"
vcs = {type = "git", url = "https://token@git.example/x.git", commit-id = "%s", subdirectory = "py"}
[[packages]]
name = "here"
directory = {path = "../here", editable = true}
[[packages]]
name = "there"
version = "2"
directory = {path = "there"}
[[packages]]
name = "zipped"
archive = {url = "https://host.example/a/zipped.zip?token=1", hashes = {sha256 = "%s"}, subdirectory = "s"}
"""
        % (SHA, b"b" * 128, b"0" * 40, SHA),
        name="pylock.train.toml",
    )
    demo, git, here, there, zipped = lock.packages
    assert (lock.requires_python, lock.environments, lock.default_groups) == (
        ">=3.11",
        ('sys_platform == "linux"',),
        ("train",),
    )
    assert lock.groups == {"train"}
    wheel, sdist = demo.files
    assert wheel.name == "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    assert wheel.url == f"https://files.example/{wheel.name}"
    assert wheel.size == 2**53 + 1
    assert wheel.tags == {"cp311-cp311-manylinux2014_x86_64", "cp311-cp311-manylinux_2_17_x86_64"}
    assert (sdist.name, sdist.url, sdist.tags) == ("demo-1.0.tar.gz", "", frozenset())
    assert (demo.marker, demo.requires_python) == ('python_version >= "3.11"', ">=3.10")
    assert (git.installed_as, git.url, git.commit, git.subdirectory, git.version) == (
        "vcs",
        "https://git.example/x.git",
        "0" * 40,
        "py",
        "",
    )
    assert (here.installed_as, there.installed_as) == ("editable", "directory")
    assert (zipped.installed_as, zipped.url, zipped.files[0].name) == (
        "direct-url",
        "https://host.example/a/zipped.zip",
        "zipped.zip",
    )
    assert "token" not in repr(lock)


@pytest.mark.parametrize(
    ("data", "error", "where"),
    [
        (b"\xff", NotUtf8, "l"),
        (b"a = ", NotYaml, "l"),
        (b"a = " + b"9" * 5000, NotYaml, "l"),
        (b"a = " + b"[" * 5000, NotYaml, "l"),
        (b'created-by = "x"\npackages = []\n', FieldRefused, "l:lock-version"),
        (b'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n', FormatUnsupported, "l"),
        (b'lock-version = "1.0"\npackages = []\n', FieldRefused, "l:created-by"),
        (HEAD, FieldRefused, "l:packages"),
        (HEAD + b'[[packages]]\nname = "Demo"\n', FieldRefused, "l:packages[0].name"),
        (one(""), FieldRefused, "l:packages[0]"),
        (one(WHEEL + "\nmarker = 'nonsense'"), FieldRefused, "l:packages[0].marker"),
        (one(WHEEL.replace("demo-1.0", "other-1.0")), FieldRefused, "l:packages[0].wheels[0]"),
        (one(WHEEL.replace("demo-1.0", "demo-1.1")), FieldRefused, "l:packages[0].wheels[0]"),
        (one(WHEEL.replace("{sha256 =", "{md5 =")), FieldRefused, "l:packages[0].wheels[0].hashes"),
        (one(WHEEL.replace("a" * 64, "A" * 64)), DigestRefused, "l:packages[0].wheels[0].hashes.sha256"),
        (one(WHEEL.replace("a" * 64, "a" * 63)), DigestRefused, "l:packages[0].wheels[0].hashes.sha256"),
        (one(WHEEL.replace("hashes", "size = -1, hashes")), FieldRefused, "l:packages[0].wheels[0].size"),
        (one(WHEEL.replace("]", "") + ", " + WHEEL.partition("[")[2]), FieldRefused, "l:packages[0]"),
    ],
)
def test_what_is_no_lock_is_refused(data: bytes, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        Lock.parse(data, where="l")
    assert refused.value.code == error.code
    assert refused.value.where.startswith(where), refused.value.where
    assert refused.value.where in (where, f"{where}.wheels", f"{where}.hashes")


@pytest.mark.parametrize("limits", [Limits(lock_bytes=10), Limits(dependencies=0), Limits(locked_files=0)])
def test_a_lock_is_bounded(limits: Limits) -> None:
    Lock.parse(one(WHEEL))
    with pytest.raises(LimitError):
        Lock.parse(one(WHEEL), limits=limits)


def test_a_lock_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactUnreadable) as refused:
        Lock.load(tmp_path / "pylock.toml")
    assert refused.value.where == str(tmp_path / "pylock.toml")


# --- markers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marker", "answer"),
    [
        ("", True),
        ('python_version >= "3.11"', True),
        ('python_version >= "3.12"', False),
        ('sys_platform == "win32" or python_version == "3.11"', True),
        ('platform_machine == "x86_64"', None),  # which is not known of it
        ('python_version == "3.11" or platform_machine == "x86_64"', None),
        ('"dev" in dependency_groups', False),
        ('"train" in dependency_groups and "gpu" in extras', True),
        ("sys_platform == 'platform_machine'", False),  # a word in quotes asks for nothing
    ],
)
def test_markers_hold_or_do_not_or_are_not_known(marker: str, answer: bool | None) -> None:
    assert holds(marker, MARKERS, {"gpu"}, {"train"}) is answer


def test_versions_of_python() -> None:
    assert fits_python("", {}) is True
    assert fits_python(">=3.11", MARKERS) is True
    assert fits_python(">=3.12", MARKERS) is False
    assert fits_python(">=3.11", {}) is None
    assert fits_python("nonsense", MARKERS) is None


# --- which wheel -----------------------------------------------------------------------------------------------------


def installed(tmp_path: Path, wheel: Path, direct_url: object = None) -> Package:
    prefix = make_prefix(tmp_path / "env")
    install(prefix, wheel, direct_url=direct_url)
    (package,) = Environment(prefix).packages()
    return package


LINUX, MAC = "cp311-cp311-linux_x86_64", "cp311-cp311-macosx_11_0_arm64"


def test_the_tags_tell_the_wheel_where_one_alone_fits(tmp_path: Path) -> None:
    linux, mac = (build_wheel(tmp_path / "w", tag=tag) for tag in (LINUX, MAC))
    lock = Lock.parse(lock_of(linux, mac))
    package = installed(tmp_path, linux)
    choice = choose(package, lock.packages[0].files)
    assert choice == Choice(file=lock.packages[0].files[0])
    (told,) = enriched([package], lock, MARKERS)
    assert (told.filename, told.digest_from, told.url) == (linux.name, "lock", f"https://files.example/{linux.name}")
    assert told.digests == lock.packages[0].files[0].digests


def test_the_bytes_prove_the_wheel(tmp_path: Path) -> None:
    linux, mac = (build_wheel(tmp_path / "w", tag=tag, script="run-it") for tag in (LINUX, MAC))
    lock = Lock.parse(lock_of(linux, mac))
    package = installed(tmp_path, linux)
    wheels = wheels_in(tmp_path / "w")
    chosen = Choice(file=lock.packages[0].files[0], is_proved=True, unproved=("bin/run-it",))
    assert choose(package, lock.packages[0].files, wheels) == chosen
    (told,) = enriched([package], lock, MARKERS, wheels)
    assert told.digest_from == "artifact"


def test_several_that_fit_are_not_guessed_among(tmp_path: Path) -> None:
    plain, built = build_wheel(tmp_path / "w"), build_wheel(tmp_path / "w", files={"demo.py": b"other"}, build="2")
    lock = Lock.parse(lock_of(plain, built))
    package = installed(tmp_path, plain)
    files = lock.packages[0].files
    assert choose(package, files) == Choice(because=f"several of the locked wheels fit: {plain.name}, {built.name}")
    assert enriched([package], lock, MARKERS) == (package,)
    # The bytes tell them apart; one of them suffices, if it is the right one.
    assert choose(package, files, wheels_in(tmp_path / "w")).file == files[0]
    assert choose(package, files, [Wheel.read(plain)]).file == files[0]
    assert choose(package, files, [Wheel.read(built)]).differs


def test_what_none_fits_may_have_been_built_here(tmp_path: Path) -> None:
    lock = Lock.parse(lock_of(build_wheel(tmp_path / "w", tag=MAC)))
    choice = choose(installed(tmp_path, build_wheel(tmp_path / "w", tag=LINUX)), lock.packages[0].files)
    assert choice.file is None
    assert "built from its source" in choice.because


def test_tags_that_were_changed_do_not_hide_a_difference(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "w")
    lock = Lock.parse(lock_of(wheel))
    other = build_wheel(tmp_path / "x", files={"demo.py": b"evil"}, tag=LINUX)
    package = dataclasses.replace(installed(tmp_path, other), tags=())
    assert choose(package, lock.packages[0].files, [Wheel.read(wheel)]).differs


def test_a_noted_digest_decides(tmp_path: Path) -> None:
    plain, built = build_wheel(tmp_path / "w"), build_wheel(tmp_path / "w", files={"demo.py": b"other"}, build="2")
    files = Lock.parse(lock_of(plain, built)).packages[0].files
    note = {"url": "https://x/demo.whl", "archive_info": {"hashes": {"sha256": files[1].digests.get("sha256")}}}
    package = installed(tmp_path, built, note)
    assert choose(package, files).file == files[1]
    foreign = dataclasses.replace(package, digests=Wheel.read(build_wheel(tmp_path / "x", script="z")).digests)
    assert choose(foreign, files) == Choice(is_foreign=True)


def test_a_lock_tells_nothing_of_what_it_does_not_name(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "w")
    package = installed(tmp_path, wheel)
    for text in (
        lock_of(build_wheel(tmp_path / "w", "other")),
        lock_of(build_wheel(tmp_path / "w", version="2.0")),
        lock_of(wheel).replace(b"wheels =", b"marker = \"sys_platform == 'win32'\"\nwheels ="),
    ):
        assert enriched([package], Lock.parse(text), MARKERS) == (package,)
    editable = dataclasses.replace(package, installed_as="editable")
    assert enriched([editable], Lock.parse(lock_of(wheel)), MARKERS) == (editable,)


# --- wheels ----------------------------------------------------------------------------------------------------------

EVERYWHERE = {
    "demo.py": b"1",
    "demo-1.0.data/purelib/pure.py": b"2",
    "demo-1.0.data/platlib/plat.so": b"3",
    "demo-1.0.data/scripts/run.sh": b"#!python\nprint()\n",
    "demo-1.0.data/scripts/tool": b"\x7fELF",
    "demo-1.0.data/data/share/x.txt": b"4",
    "demo-1.0.data/headers/x.h": b"5",
}


def test_every_scheme_of_a_wheel_is_found_where_it_was_installed(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "w", files=EVERYWHERE, script="run-it")
    read = Wheel.read(wheel)
    package = installed(tmp_path, wheel)
    assert read.difference(package) == ""
    assert read.scripts == {"demo-1.0.data/scripts/run.sh"}
    kept = [f for f in package.files if f.sha256 and not f.name.endswith(("run.sh", "INSTALLER", "bin/run-it"))]
    assert len(kept) == len(EVERYWHERE) - 1 + 3
    for file in kept:
        without = tuple(f for f in package.files if f != file)
        changed = (*without, dataclasses.replace(file, sha256="0" * 64))
        assert read.difference(dataclasses.replace(package, files=without)), file.name
        assert read.difference(dataclasses.replace(package, files=changed)), file.name
    for name in (f"{SITE}/more.py", "bin/more", "bin/tool3", "share/more"):
        more = dataclasses.replace(kept[0], name=name)
        assert read.difference(dataclasses.replace(package, files=(*package.files, more))) == name
    assert read.programs == {"run-it": "demo:main"}
    assert read.unproved(package) == ("bin/run-it", "bin/run.sh")
    numbered = dataclasses.replace(kept[0], name="bin/run-it3.11")  # as pip's own
    assert read.difference(dataclasses.replace(package, files=(*package.files, numbered))) == ""


@pytest.mark.parametrize("text", [b"nonsense\n", b"[a]\nx = 1\nx = 2\n", b"\xff"])
def test_entry_points_that_are_none_are_refused(tmp_path: Path, text: bytes) -> None:
    info = "demo-1.0.dist-info"
    wheel = zipped(
        tmp_path / "demo-1.0-py3-none-any.whl", [(f"{info}/RECORD", b""), (f"{info}/entry_points.txt", text)]
    )
    with pytest.raises(MalformedError) as refused:
        Wheel.read(wheel)
    assert refused.value.where == f"{wheel}:{info}/entry_points.txt"


def zipped(path: Path, members: list[tuple[str, bytes]]) -> Path:
    import warnings

    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in members:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("name", "members", "because"),
    [
        ("demo.whl", [], "Invalid wheel filename"),
        ("demo-1.0-py3-none-any.whl", [], "one"),
        ("demo-1.0-py3-none-any.whl", [("a.dist-info/RECORD", b""), ("b.dist-info/RECORD", b"")], "one"),
        ("demo-1.0-py3-none-any.whl", [("a.dist-info/RECORD", b""), ("a.dist-info/RECORD", b"x,,\n")], "twice"),
        ("demo-1.0-py3-none-any.whl", [("a.dist-info/RECORD", b"../../x,,\n")], "within the wheel"),
        (
            "demo-1.0-py3-none-any.whl",
            [("a.dist-info/RECORD", record_line("/etc/x", b"").encode())],
            "within the wheel",
        ),
    ],
)
def test_what_is_no_wheel_is_refused(tmp_path: Path, name: str, members: list[tuple[str, bytes]], because: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        Wheel.read(zipped(tmp_path / name, members))
    assert refused.value.code == "malformed.field"
    assert refused.value.where.startswith(str(tmp_path / name))
    assert because in str(refused.value)


def test_bytes_that_are_no_zip_are_refused(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "w")
    data = wheel.read_bytes()
    for bad in (b"", b"nonsense", data[: len(data) // 2]):
        wheel.write_bytes(bad)
        with pytest.raises(FieldRefused):
            Wheel.read(wheel)
    with pytest.raises(ArtifactUnreadable):
        Wheel.read(tmp_path / "gone-1.0-py3-none-any.whl")
    with pytest.raises(ArtifactUnreadable):
        wheels_in(tmp_path / "nowhere")


def test_any_flipped_byte_of_a_wheel_is_another_wheel_or_none(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "w")
    data = wheel.read_bytes()
    lock = Lock.parse(lock_of(wheel))
    package = installed(tmp_path, wheel)
    for at in range(0, len(data), 7):
        wheel.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        try:
            read = Wheel.read(wheel)
        except GlasswingError:
            continue
        assert not choose(package, lock.packages[0].files, [read]).is_proved
