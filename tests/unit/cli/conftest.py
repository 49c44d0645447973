"""What do the tests of the command line share? A model with one attestation, a policy, a trust, and a way to run."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import KeySigner, Model, ModelRecord, attest
from glasswing_attest._cli import main

POLICY = f"""\
version: 1
times: claimed
identities: {{trainer: {{key: trainer}}}}
nodes:
  model:
    require:
      - predicate: {ModelRecord.predicate_type}
        signed_by: {{any_of: [trainer]}}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What one run gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout, which must be one JSON value."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `main` with these words."""

    def call(*words: str | Path) -> Ran:
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ran(code=code, out=out, err=err)

    return call


def in_a_process(*words: str | Path, options: tuple[str, ...] = (), **more: Any) -> Ran:
    """Runs `python -m glasswing_attest` with these words."""
    done = subprocess.run(
        [sys.executable, *options, "-m", "glasswing_attest", *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        **more,
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """A folder with a model, its attestation beside it, and what decides."""

    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def evidence(self) -> Path:
        return self.folder / "model.attestations.jsonl"

    @property
    def deciding(self) -> tuple[str, ...]:
        return ("--policy", str(self.folder / "policy.yaml"), "--trust", str(self.folder / "trust.yaml"))


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """The story, afresh."""
    made = Story(folder=tmp_path)
    made.model.mkdir()
    (made.model / "weights.bin").write_bytes(b"weights")
    signer = KeySigner.generate()
    signer.write(tmp_path / "trainer.key")
    (tmp_path / "trainer.pub").write_text(signer.public_key.pem)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "trust.yaml").write_text("version: 1\nkeys: {trainer: {file: trainer.pub}}\n")
    attest(Model(made.model), ModelRecord(name="m"), signer=signer).write(made.evidence)
    return made
