"""Mutates the engine: ``python -m tests.mutation [--record] [--explained] [MODULE …]``, e.g. ``verification/entry.py``.

It fails where a mutant survives that tests/mutation/survivors.toml does not explain, and where that explains what is no
mutant any more. What is explained is asked about only with ``--explained``: it takes all tests that reach it.
``--record`` writes docs/mutation.md.
"""

import argparse
import sys
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.mutation.mutants import Name, mutants
from tests.mutation.page import Row, write_page
from tests.mutation.run import PACKAGE, Outcome, run
from tests.mutation.survivors import SURVIVORS, explained, to_explain

MODULES = tuple(
    path.relative_to(PACKAGE).as_posix()
    for folder in ("verification", "trust")
    for path in sorted((PACKAGE / folder).glob("*.py"))
    if path.name != "__init__.py"
)


def main(arguments: list[str]) -> int:
    """Do what was asked for; 1 where a survivor lacks its reason, or a reason its mutant."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="these alone")
    parser.add_argument("--record", action="store_true", help="write docs/mutation.md")
    parser.add_argument("--explained", action="store_true", help="is what is explained killed by now?")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.modules) - set(MODULES)):
        parser.error(f"no such module: {', '.join(unknown)}")
    if asked.record and asked.modules:
        parser.error("what is recorded is about all modules")
    modules = asked.modules or MODULES
    every = [mutant for module in modules for mutant in mutants(PACKAGE / module, module)]
    known = {name: why for name, why in explained().items() if name[0] in modules}
    stale = sorted(known.keys() - {mutant.name for mutant in every})
    rows = {module: Row(module=module) for module in modules}
    if not asked.explained:
        for mutant in every:
            rows[mutant.module].explained += mutant.name in known
        every = [mutant for mutant in every if mutant.name not in known]
    lacking: list[Name] = []
    killed: list[Name] = []
    console = Console()
    start = monotonic()
    columns = (TextColumn("{task.fields[told]}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=len(every), told="the tests, as they are")
        for mutant, outcome, _ in run(every):
            row = rows[mutant.module]
            match outcome:
                case Outcome.KILLED:
                    row.killed += 1
                case Outcome.TIMEOUT:
                    row.timeouts += 1
                case Outcome.SURVIVED | Outcome.UNREACHED if mutant.name in known:
                    row.explained += 1
                case Outcome.SURVIVED | Outcome.UNREACHED:
                    row.unexplained += 1
                    lacking.append(mutant.name)
            if outcome in (Outcome.KILLED, Outcome.TIMEOUT) and mutant.name in known:
                killed.append(mutant.name)
            progress.update(bar, advance=1, told=f"{mutant.module}, {len(lacking)} not explained")
    for told, names in (
        ("survive, and nothing explains it: write a test, or the reason into", lacking),
        ("are no mutants any more; strike them out of", stale),
        ("are killed by now; strike them out of", killed),
    ):
        if names:
            print(f"# These {told} {SURVIVORS.name}:\n\n{to_explain(names)}")
    if asked.record:
        write_page(rows.values(), seconds=monotonic() - start)
    return 1 if lacking or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
