"""What a fresh review found of issue 4: is a program or module affirmed that the wheel does not hold?"""

from pathlib import Path

import pytest

from glasswing_attest.appraisal.dependencies import check
from glasswing_attest.artifact.environment import Environment
from glasswing_attest.artifact.lock import Lock
from glasswing_attest.artifact.wheel import wheels_in
from glasswing_attest.findings import Finding, Tier
from tests.environments import SITE, build_wheel, install, lock_of, make_prefix, record_line

FILES = {
    "demo/__init__.py": b"VALUE = 1\n",
    "demo/x.data/scripts/module.py": b"#!python\nVALUE = 2\n",
    "demo-1.0.data/scripts/sub/tool": b"#!python\nprint('good')\n",
}
RECORD = f"{SITE}/demo-1.0.dist-info/RECORD"


@pytest.fixture
def world(tmp_path: Path) -> tuple[Path, Lock]:
    prefix, wheel = make_prefix(tmp_path / "env"), build_wheel(tmp_path / "w", files=FILES)
    install(prefix, wheel)
    return prefix, Lock.parse(lock_of(wheel))


def checked(world: tuple[Path, Lock]) -> tuple[Finding, ...]:
    prefix, lock = world
    return check(Environment(prefix).read(), lock, wheels=wheels_in(prefix.parent / "w"))


def rewrite(prefix: Path, name: str, data: bytes) -> None:
    """Change a file and its line in RECORD, as whoever may write to the environment can."""
    path = (prefix / SITE / name).resolve()
    path.write_bytes(data)
    record = prefix / RECORD
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join(record_line(name, data) if line.startswith(f"{name},") else line for line in lines))


def test_a_program_in_a_directory_of_programs_is_told_as_unproved(world: tuple[Path, Lock]) -> None:
    rewrite(world[0], "../../../bin/sub/tool", b"#!/bin/python\nprint('evil')\n")
    told = [(f.code, f.tier, f.found) for f in checked(world) if f.code == "deps.scripts"]
    assert told == [("deps.scripts", Tier.WARNING, "bin/sub/tool")]


def test_a_module_in_a_directory_that_is_called_like_one_of_scripts_is_no_program(world: tuple[Path, Lock]) -> None:
    assert "deps.intact" in [f.code for f in checked(world)]
    rewrite(world[0], "demo/x.data/scripts/module.py", b"#!python\nVALUE = 666\n")
    (bad,) = (f for f in checked(world) if f.tier is Tier.CONTRAINDICATED)
    assert (bad.code, bad.subject) == ("deps.record-changed", "demo==1.0")
    assert "deps.intact" not in [f.code for f in checked(world)]


def test_only_record_itself_may_stand_in_record_without_a_digest(world: tuple[Path, Lock]) -> None:
    prefix, lock = world
    (prefix / f"{RECORD}.py").write_text("print('evil')\n")
    with (prefix / RECORD).open("a") as record:
        record.write("demo-1.0.dist-info/RECORD.py,,\n")
    bad = [(f.code, f.found) for f in check(Environment(prefix).read(), lock) if f.tier is Tier.CONTRAINDICATED]
    assert bad == [("deps.unhashed", f"{RECORD}.py")]
