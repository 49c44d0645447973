"""Tortures the engine: ``python -m tests.torture [--count N] [--seconds N] [--kinds KIND …] [--record]``.

``--again KIND SEED NUMBER`` makes one change again, writes it to the standard output, and says what came of it.
``--make`` makes our own bundles anew. ``--record`` writes docs/torture.md.
"""

import argparse
import os
import sys
import warnings
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.torture.materials import others, record
from tests.torture.page import write_page
from tests.torture.run import Tally, change, judge, run
from tests.torture.targets import KINDS

MILLION = 1_000_000


def main(arguments: list[str]) -> int:
    """Do what was asked for; 1 where the law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--count", type=int, default=MILLION, help="so many changes of each kind (1,000,000)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no more after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--record", action="store_true", help="write docs/torture.md")
    parser.add_argument("--again", nargs=3, metavar=("KIND", "SEED", "NUMBER"))
    parser.add_argument("--make", action="store_true", help="make our own bundles anew")
    asked = parser.parse_args(arguments)
    if asked.make:
        record()
        return 0
    if asked.again:
        return _again(*asked.again)
    console = Console()
    if not others():
        console.print("without ../shared/data only our own bundles are tortured: numbers are others then")
    tallies = _all(asked, console)
    for tally in tallies.values():
        for finding in tally.findings[:20]:
            console.print(str(finding), markup=False)
    if asked.record:
        write_page(list(tallies.values()), seed=asked.seed)
    return 1 if any(tally.findings for tally in tallies.values()) else 0


def _all(asked: argparse.Namespace, console: Console) -> dict[str, Tally]:
    tallies = {kind: Tally(kind=kind) for kind in asked.kinds}
    end = monotonic() + asked.seconds
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bars = {kind: progress.add_task(kind, total=asked.count, told="") for kind in asked.kinds}
        pieces = run(asked.kinds, asked.seed, asked.count, processes=asked.processes)
        for piece in pieces:
            tally = tallies[piece.kind]
            tally.add(piece)
            told = f"{tally.total / tally.seconds:,.0f}/s, {len(tally.findings)} findings"
            progress.update(bars[piece.kind], completed=tally.total, told=told)
            if monotonic() > end:
                pieces.close()
                break
    return tallies


def _again(kind: str, seed: str, number: str) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = change(kind, int(seed), int(number))
        outcome, says = judge(made)
    print(f"{made.target.name}: {outcome} {says}", file=sys.stderr)
    sys.stdout.buffer.write(made.data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
