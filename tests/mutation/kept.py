"""Which mutants were killed before, so that a run need not ask about them again?

One JSON document beside the sources, in build/, written anew every few seconds: a run that was cut off goes on where it
ended. What a test killed stays so while neither its module changed nor the file of that test. What survived, never
ended or could not be imported is always asked about again.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Name
from tests.mutation.run import PACKAGE, Outcome, Verdict
from tests.shared import ROOT

__all__ = ["KEPT", "keep", "look", "take_up"]

KEPT = ROOT / "build" / "mutation.json"


def look() -> None:
    """Note what stands there now: a run is about the sources that it began with, whatever is edited meanwhile."""
    for folder in (PACKAGE, ROOT / "tests"):
        for path in folder.rglob("*.py"):
            _digest(path)


def keep(verdicts: Mapping[Name, Verdict], path: Path = KEPT) -> None:
    """Write what was found out, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    document = [
        {"mutant": name, "outcome": verdict.outcome.value, "seconds": verdict.seconds, "killer": verdict.killer}
        | {"of": _digests(name, verdict)}
        for name, verdict in verdicts.items()
    ]
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(document, indent=0), encoding="utf-8")
    beside.replace(path)


def take_up(path: Path = KEPT) -> dict[Name, Verdict]:
    """Give what is known and still so."""
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {name: verdict for each in document for name, verdict in [_read(each)] if _still(each, name, verdict)}


def _read(each: dict[str, Any]) -> tuple[Name, Verdict]:
    module, within, line, becomes, nth = each["mutant"]
    verdict = Verdict(outcome=Outcome(each["outcome"]), seconds=each["seconds"], killer=each["killer"])
    return (module, within, line, becomes, nth), verdict


def _still(each: dict[str, Any], name: Name, verdict: Verdict) -> bool:
    return bool(verdict.killer) and each["of"] == _digests(name, verdict)


def _digests(name: Name, verdict: Verdict) -> list[str]:
    """Of the module, and of the file of the test that killed it."""
    return [_digest(PACKAGE / name[0]), _digest(ROOT / verdict.killer.partition("::")[0])]


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
