"""What does docs/differences.md say?

The list of reasons, and what came of the last run; `python -m tests.differential --write` writes both.
"""

import subprocess
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.differential.reasons import REASONS
from tests.differential.run import Result
from tests.interop.peers import VERSIONS

__all__ = ["PAGE", "page", "reasons_of", "write"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "differences.md"
_ASKED = ("src", "tests/differential")
"""What the result depends on: were it changed, the revision would not say what was asked."""

_TITLES = {
    "they": (
        "## What is read here too",
        "Here we say yes, and another engine says no: it reads fewer forms, or asks for more. The same\n"
        "signature, log and time are proved.",
    ),
    "we": (
        "## What is asked here too",
        "Here we say no, and another engine says yes: formats leave room, and this is the narrower\n"
        "reading. The refusal says what is wanted.",
    ),
}

_HEAD = """\
# Where our verdict differs

<!-- Written by `python -m tests.differential --write`; do not edit. -->

Nobody should trust a verification engine because its authors do. So the same question is put to ours and to those of
others: every Sigstore bundle in the third-party cases and in a recorded Sigstore, and mutations of them, drawn by a
seed. Verdicts are equal, or the difference is one of those below. Most mutations are bundles that no signer writes.

A reason is not a pattern of messages but a repair: the same question without what the two read differently. Whoever
said yes must still say yes to it, to the same payload by the same signer, and then the other one joins in; so no wrong
yes hides behind two refusals. What has no repair, because it lies outside of what sigstore-python reads, is judged by
sigstore-go. A difference that no reason explains fails.

`python -m tests.differential` asks, `--count` says how often; the tests ask a small fixed part
(`tests/differential/`), and show that each reason is still so, and that no reason for a yes of ours excuses a forgery.

"""


def page(results: Mapping[str, Result], seed: str, when: str, revision: str) -> str:
    """The page that says this."""
    counted = Counter(
        {
            reason.name: sum(
                count for result in results.values() for names, count in result.reasons.items() if reason.name in names
            )
            for reason in REASONS
        }
    )
    parts = [_HEAD]
    for stricter, (title, sentence) in _TITLES.items():
        parts.append(f"{title}\n\n{sentence}\n\n| reason | why | last run |\n|---|---|---:|\n")
        parts += [f"| {r.name} | {r.why} | {counted[r.name]:,} |\n" for r in REASONS if r.stricter == stricter]
        parts.append("\n")
    parts.append("## The last run\n\n")
    versions = ", ".join(f"{name} {VERSIONS[name]}" for name in ("sigstore-python", "sigstore-go", "cosign"))
    parts.append(
        f"{when}, revision {revision}, seed `{seed}`;\n{versions}.\n"
        "Of mutations of the recorded stack, those to which we say yes are put to sigstore-go and cosign.\n\n"
    )
    parts.append(
        "| asked about | questions | both yes | no | with a reason | without |\n|---|---:|---:|---:|---:|---:|\n"
    )
    for name, result in results.items():
        yes, no = result.verdicts[True, True], result.verdicts[False, False] + result.refused
        parts.append(
            f"| {name} | {result.count:,} | {yes:,} | {no:,} | {result.reasons.total():,} | {len(result.wrong)} |\n"
        )
    return "".join(parts)


def reasons_of(text: str) -> dict[str, tuple[str, str]]:
    """The reasons that a page lists: who is stricter, and why."""
    found: dict[str, tuple[str, str]] = {}
    for stricter, (title, _) in _TITLES.items():
        _, _, below = text.partition(f"{title}\n")
        for line in below.partition("\n## ")[0].splitlines():
            if line.startswith("| ") and not line.startswith("| reason |"):
                name, why, _ = line.strip("| ").split(" | ")
                found[name] = (stricter, why)
    return found


def write(results: Mapping[str, Result], seed: str) -> None:
    """Write it, with today's date and the revision of the checkout."""
    done = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    revision = done.stdout.strip() or "unknown"
    changed = subprocess.run(["git", "status", "--porcelain", *_ASKED], cwd=ROOT, capture_output=True, text=True).stdout
    told = f"{revision} and what was not committed yet" if changed.strip() else revision
    PAGE.write_text(page(results, seed, f"{datetime.now(UTC):%Y-%m-%d}", told), encoding="utf-8")
