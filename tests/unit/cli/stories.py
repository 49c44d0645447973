"""Who is in the stories of the command line? A model with one attestation, a policy and a trust."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glasswing_attest import ModelRecord

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
