"""What is kept of the last torture? The page docs/torture.md: its table is written, the words around it stay."""

from collections.abc import Iterable
from datetime import UTC, datetime

from tests.shared import ROOT
from tests.torture.kept import Source
from tests.torture.law import Outcome
from tests.torture.materials import ours
from tests.torture.run import Tally
from tests.torture.targets import targets

__all__ = ["BEGIN", "END", "PAGE", "told", "write_page"]

PAGE = ROOT / "docs" / "torture.md"
BEGIN, END = "<!-- last run -->", "<!-- end of the last run -->"


def write_page(tallies: Iterable[Tally], source: Source, *, count: int) -> None:
    """Write the result of a run in its place on the page; `count` is how many changes of each kind were wanted."""
    text = PAGE.read_text(encoding="utf-8")
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    assert begun, "the page has no place for it"
    assert ended, "the page has no end of it"
    PAGE.write_text(f"{before}{BEGIN}\n\n{told(list(tallies), source, count)}\n{END}{after}", encoding="utf-8")


def told(tallies: list[Tally], source: Source, count: int) -> str:
    """Give the text of a result."""
    date = datetime.now(tz=UTC).date().isoformat()
    bundles = f"{len(ours())} bundles of ours and {source.others} of others"
    lines = [
        f"{date}, revision {source.revision}, seed {source.seed}; {bundles}.",
        "",
        "| material | pieces | changes | refused | same facts | fewer facts | wrong accepts | foreign exceptions |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for tally in tallies:
        cells = [f"{tally.outcomes[each]:,}" for each in Outcome]
        pieces = len({target.name for target in targets(tally.kind)})
        lines.append(f"| {tally.kind} | {pieces} | {tally.total:,} | {' | '.join(cells)} |")
    lines += ["", *_refusals(tallies)]
    if (short := min((tally.total for tally in tallies), default=0)) < count:
        lines += ["", f"Cut short: {count:,} changes of each were wanted, and of one there are {short:,}."]
    return "\n".join(lines) + "\n"


def _refusals(tallies: list[Tally]) -> list[str]:
    rows = ["| material | changes in a second of one processor | refused most often by |", "|---|---:|---|"]
    for tally in tallies:
        most = ", ".join(f"`{code}`" for code, _ in tally.refusals.most_common(5))
        rows.append(f"| {tally.kind} | {tally.total / max(tally.seconds, 1e-9):,.0f} | {most} |")
    return rows
