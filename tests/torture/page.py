"""What is kept of the last torture? The page docs/torture.md: its table is written, the words around it stay."""

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime

from tests.shared import ROOT
from tests.torture.law import Outcome
from tests.torture.materials import others, ours
from tests.torture.run import Tally
from tests.torture.targets import targets

__all__ = ["PAGE", "write_page"]

PAGE = ROOT / "docs" / "torture.md"
BEGIN, END = "<!-- last run -->", "<!-- end of the last run -->"


def write_page(tallies: Iterable[Tally], *, seed: int) -> None:
    """Write the result of a run in its place on the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{_told(list(tallies), seed)}\n{END}{after}", encoding="utf-8")


def _told(tallies: list[Tally], seed: int) -> str:
    date = datetime.now(tz=UTC).date().isoformat()
    lines = [
        f"{date}, revision {_revision()}, seed {seed}; {len(ours())} bundles of ours and {len(others())} of others.",
        "",
        "| material | pieces | changes | refused | same facts | fewer facts | wrong accepts | foreign exceptions |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for tally in tallies:
        cells = [f"{tally.outcomes[each]:,}" for each in Outcome]
        pieces = len({target.name for target in targets(tally.kind)})
        lines.append(f"| {tally.kind} | {pieces} | {tally.total:,} | {' | '.join(cells)} |")
    lines += ["", *_refusals(tallies)]
    return "\n".join(lines) + "\n"


def _refusals(tallies: list[Tally]) -> list[str]:
    rows = ["| material | changes a second, one process | refused most often by |", "|---|---:|---|"]
    for tally in tallies:
        most = ", ".join(f"`{code}`" for code, _ in tally.refusals.most_common(5))
        rows.append(f"| {tally.kind} | {tally.total / max(tally.seconds, 1e-9):,.0f} | {most} |")
    return rows


def _revision() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "src")
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
