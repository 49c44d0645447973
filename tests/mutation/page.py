"""What is kept of the last run? The page docs/mutation.md: its table is written, the words around it stay."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.shared import ROOT

__all__ = ["PAGE", "Row", "write_page"]

PAGE = ROOT / "docs" / "mutation.md"
_BEGIN, _END = "<!-- last run -->", "<!-- end of the last run -->"


@dataclass(slots=True, kw_only=True)
class Row:
    """What came of the mutants of a module."""

    module: str
    killed: int = 0
    timeouts: int = 0
    explained: int = 0
    unexplained: int = 0

    @property
    def cells(self) -> list[int]:
        """The numbers, all mutants first."""
        told = [self.killed, self.timeouts, self.explained, self.unexplained]
        return [sum(told), *told]


def write_page(rows: Iterable[Row], *, minutes: float, processes: int, before: int) -> None:
    """Write the result of a run in its place on the page; `before`: so many were killed by earlier runs."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    date = datetime.now(tz=UTC).date().isoformat()
    several = list(rows)
    lines = [
        f"{date}, revision {_revision()}; {minutes:,.0f} minutes, {processes} process{'es' * (processes > 1)}; "
        f"{before:,} of the mutants were killed by earlier runs, of the same modules and tests.",
        "",
        "| module | mutants | killed | never ended | survived, explained | survived, not explained |",
        "|---|---:|---:|---:|---:|---:|",
        *(f"| `{row.module}` | {_told(row.cells)} |" for row in several),
        f"| all | {_told([sum(column) for column in zip(*(row.cells for row in several), strict=True)])} |",
    ]
    PAGE.write_text("\n".join([f"{head}{_BEGIN}", "", *lines, "", f"{_END}{after}"]), encoding="utf-8")


def _told(cells: list[int]) -> str:
    return " | ".join(f"{cell:,}" for cell in cells)


def _revision() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "src", "tests")
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
