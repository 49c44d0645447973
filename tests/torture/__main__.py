"""Tortures the engine: ``python -m tests.torture [--count N] [--seconds N] [--kinds KIND …] [--record]``.

What was counted is kept in build/torture.json: the same command goes on where it ended, as long as no source changed;
``--anew`` begins at the beginning. ``--record`` writes docs/torture.md, also of a run that was cut off, or of what is
kept (``--seconds 0 --record``). ``--again KIND SEED NUMBER`` makes one change again, writes it to the standard output,
and says what came of it. ``--make`` makes our own bundles anew.
"""

import argparse
import os
import signal
import sys
import warnings
from collections.abc import Callable
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.torture.kept import KEPT, Source, keep, take_up
from tests.torture.materials import others, record
from tests.torture.page import write_page
from tests.torture.run import Tally, change, judge, run
from tests.torture.targets import KINDS

MILLION = 1_000_000
_KEEP, _SAY = 10.0, 60.0
"""Seconds between two writings of what was counted, and between two lines where there is no terminal."""


def main(arguments: list[str]) -> int:
    """Do what was asked for; 1 where the law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--count", type=int, default=MILLION, help="so many changes of each kind (1,000,000)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no more after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--record", action="store_true", help="write docs/torture.md")
    parser.add_argument("--anew", action="store_true", help="count nothing that is kept")
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
    source = Source.now(asked.seed)
    if asked.anew:
        KEPT.unlink(missing_ok=True)
    tallies = take_up(asked.kinds, source)
    wanted = [tallies[kind] for kind in asked.kinds]
    _all(wanted, asked, console, lambda: keep(tallies.values(), source))
    for tally in wanted:
        for finding in tally.findings[:20]:
            console.print(str(finding), markup=False)
    if asked.record:
        write_page(wanted, source, count=asked.count)
    return 1 if any(tally.findings for tally in wanted) else 0


def _all(tallies: list[Tally], asked: argparse.Namespace, console: Console, keep_now: Callable[[], None]) -> None:
    """Torture on until there is enough, or the time is over, or somebody ends it."""
    begun = kept = said = monotonic()
    by_kind = {tally.kind: tally for tally in tallies}
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars = {
            each.kind: progress.add_task(each.kind, total=asked.count, completed=each.total, told="")
            for each in tallies
        }
        pieces = run(tallies, asked.seed, asked.count, processes=asked.processes)
        try:
            for piece in pieces if asked.seconds > 0 else ():
                tally = by_kind[piece.kind]
                tally.add(piece)
                told = f"{tally.total / tally.seconds:,.0f}/s, {len(tally.findings)} findings"
                progress.update(bars[piece.kind], completed=tally.total, told=told)
                now = monotonic()
                if now - kept > _KEEP:
                    keep_now()
                    kept = now
                if not console.is_terminal and now - said > _SAY:
                    console.print(_line(tallies), markup=False)
                    said = now
                if now - begun > asked.seconds:
                    break
        except KeyboardInterrupt:
            console.print("cut off: what was counted is kept")
        finally:
            keep_now()
            pieces.close()
    console.print(_line(tallies), markup=False)


def _line(tallies: list[Tally]) -> str:
    return ", ".join(f"{each.kind} {each.total:,} ({len(each.findings)} findings)" for each in tallies)


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
