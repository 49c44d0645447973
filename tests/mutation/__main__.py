"""Mutates the engine: ``python -m tests.mutation [--processes N] [MODULE …]``, e.g. ``verification/entry.py``.

It fails where a mutant survives that tests/mutation/survivors/ does not explain, and where that explains what is no
mutant any more. What is explained is asked about only with ``--explained``. What a run before this one killed is killed
(see kept.py), unless it is begun ``--anew``. ``--record`` writes docs/mutation.md.
"""

import argparse
import sys
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.mutation.kept import keep, look, take_up
from tests.mutation.mutants import Mutant, Name, mutants
from tests.mutation.page import Row, write_page
from tests.mutation.run import PACKAGE, Outcome, Verdict, engine, run
from tests.mutation.survivors import SURVIVORS, explained, to_explain

MODULES = tuple(file.relative_to(PACKAGE).as_posix() for file in engine() if file.name != "__init__.py")

_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    """Do what was asked for; 1 where a survivor lacks its reason, or a reason its mutant."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="these alone")
    parser.add_argument("--record", action="store_true", help="write docs/mutation.md")
    parser.add_argument("--explained", action="store_true", help="is what is explained killed by now?")
    parser.add_argument("--anew", action="store_true", help="ask again about what was killed before")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="as many at once (1)")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.modules) - set(MODULES)):
        parser.error(f"no such module: {', '.join(unknown)}")
    if asked.record and asked.modules:
        parser.error("what is recorded is about all modules")
    modules = asked.modules or MODULES
    look()
    every = [mutant for module in modules for mutant in mutants(PACKAGE / module, module)]
    known = {name for name in explained() if name[0] in modules}
    stale = sorted(known - {mutant.name for mutant in every})
    kept = {} if asked.anew else take_up()
    verdicts = {mutant.name: kept[mutant.name] for mutant in every if mutant.name in kept}
    before = len(verdicts)
    open_ = [m for m in every if m.name not in verdicts and (asked.explained or m.name not in known)]
    start = monotonic()
    verdicts |= _judged(open_, kept, asked.processes)
    minutes = (monotonic() - start) / 60
    rows = {module: Row(module=module) for module in modules}
    lacking: list[Name] = []
    for mutant in every:
        row = rows[mutant.module]
        match verdicts[mutant.name].outcome if mutant.name in verdicts else Outcome.SURVIVED:
            case Outcome.KILLED:
                row.killed += 1
            case Outcome.TIMEOUT:
                row.timeouts += 1
            case _ if mutant.name in known:
                row.explained += 1
            case _:
                row.unexplained += 1
                lacking.append(mutant.name)
    killed = [n for n, v in verdicts.items() if n in known and v.outcome in (Outcome.KILLED, Outcome.TIMEOUT)]
    for told, names in (
        ("survive, and nothing explains it: write a test, or the reason into", lacking),
        ("are no mutants any more; strike them out of", stale),
        ("are killed by now; strike them out of", killed),
    ):
        if names:
            print(f"# These {told} {SURVIVORS.name}/:\n\n{to_explain(names)}")
    if asked.record:
        write_page(rows.values(), minutes=minutes, processes=asked.processes, before=before)
    return 1 if lacking or stale else 0


def _judged(mutants: list[Mutant], before: dict[Name, Verdict], processes: int) -> dict[Name, Verdict]:
    """Judge them, show how far it is, and keep what is found out every few seconds."""
    found: dict[Name, Verdict] = {}
    survived = 0
    written = monotonic()
    judged = run(mutants, processes=processes)
    columns = (TextColumn("{task.fields[told]}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console()) as progress:
        bar = progress.add_task("", total=len(mutants), told="the tests, as they are")
        for mutant, verdict in judged:
            found[mutant.name] = verdict
            survived += verdict.outcome in (Outcome.SURVIVED, Outcome.UNREACHED)
            progress.update(bar, advance=1, told=f"{mutant.module}, {survived} survived")
            if monotonic() - written > _SECONDS:
                keep({**before, **found})
                written = monotonic()
    keep({**before, **found})
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
