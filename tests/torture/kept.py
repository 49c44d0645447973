"""What is kept of a run that is not at its end? Its counts, and of which engine and torture they are.

One JSON document beside the sources, in build/, written anew every few seconds, so that a run which was cut off goes on
where it ended, or is recorded as it is. Counts of other sources, another seed or other bundles are never added to.
"""

import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.shared import ROOT
from tests.torture.law import Outcome
from tests.torture.materials import others
from tests.torture.run import Finding, Tally

__all__ = ["KEPT", "Source", "keep", "take_up"]

KEPT = ROOT / "build" / "torture.json"
_SOURCES = ("src/glasswing_attest", "tests/torture", "tests/bundles.py", "tests/shared.py")


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is tortured, by what: a revision, a digest of every file, and how many bundles of others there are."""

    revision: str
    digest: str
    others: int
    seed: int

    @classmethod
    def now(cls, seed: int) -> "Source":
        """Give what stands there now. Processes that are begun now will read the same."""

        def git(*words: str) -> str:
            return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

        changed = git("status", "--porcelain", "--", *_SOURCES)
        revision = git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
        return cls(revision=revision, digest=_digest(), others=len(others()), seed=seed)


@cache
def _digest() -> str:
    digest = hashlib.sha256()
    for place in _SOURCES:
        path = ROOT / place
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.suffix in {".py", ".json"} and each.is_file():
                digest.update(each.relative_to(ROOT).as_posix().encode() + b"\0" + each.read_bytes() + b"\0")
    return digest.hexdigest()


def keep(tallies: Iterable[Tally], source: Source, path: Path = KEPT) -> None:
    """Write what was counted, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    document = {
        "source": asdict(source),
        "tallies": [
            {**vars(tally), "findings": list(map(asdict, tally.findings)), "done": sorted(tally.done)}
            for tally in tallies
        ],
    }
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(document), encoding="utf-8")
    beside.replace(path)


def take_up(kinds: Iterable[str], source: Source, path: Path = KEPT) -> dict[str, Tally]:
    """Give what was counted of the same source before, for each kind; nothing where it was another."""
    tallies = {kind: Tally(kind=kind) for kind in kinds}
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return tallies
    if document["source"] == asdict(source):
        tallies |= {each["kind"]: _tally(each) for each in document["tallies"]}
    return tallies


def _tally(kept: dict[str, Any]) -> Tally:
    return Tally(
        kind=kept["kind"],
        outcomes=Counter({Outcome(name): count for name, count in kept["outcomes"].items()}),
        refusals=Counter(kept["refusals"]),
        findings=[replace(Finding(**each), outcome=Outcome(each["outcome"])) for each in kept["findings"]],
        seconds=kept["seconds"],
        done=set(kept["done"]),
    )
