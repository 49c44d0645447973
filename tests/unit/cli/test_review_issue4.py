"""What a fresh review found of issue 4: may a command have its provenance written elsewhere, or leave its code out?"""

import sys
from pathlib import Path

import pytest

from glasswing_attest import KeySigner
from tests.unit.cli.stories import Run

MAKE = "import pathlib; pathlib.Path('made').write_text('x')"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key."""
    KeySigner.generate().write(tmp_path / "k.key")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(*more: str, code: str = MAKE) -> tuple[str, ...]:
    start = ("run", "--json", "--key", "k.key", "--builder", "https://ci.example/b", "--output", "file=made")
    return (*start, *more, "--", sys.executable, "-c", code)


def test_a_command_cannot_have_its_provenance_written_elsewhere(run: Run, folder: Path) -> None:
    link = "; pathlib.Path('made.attestations.jsonl').symlink_to('elsewhere')"
    ran = run(*words(code=MAKE + link))
    assert (ran.code, ran.json["error"]["where"]) == (2, "--output made.attestations.jsonl")
    assert not (folder / "elsewhere").exists()


def test_a_checkout_that_leads_nowhere_is_not_passed_over(run: Run, folder: Path) -> None:
    (folder / ".git").symlink_to("nowhere")
    ran = run(*words())
    assert (ran.code, ran.json["error"]["code"]) == (2, "artifact.source")
    assert not (folder / "made").exists()
    assert run(*words("--no-code")).code == 0


def test_an_output_is_said_once(run: Run, folder: Path) -> None:
    ran = run(*words("--output", "file=made"))
    assert (ran.code, ran.json["error"]["where"]) == (2, "--output made")
    assert not (folder / "made").exists()


def test_a_number_may_be_a_password(run: Run, folder: Path) -> None:
    ran = run(*words("--param", "password=123456"))
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage.secret")
    assert "123456" not in ran.out + ran.err
