"""Asks other engines what we are asked, about every bundle and about mutations: ``python -m tests.differential``.

    --count N        mutations for sigstore-python (20000)
    --peers N        mutations of the recorded stack for sigstore-go and for cosign, each, where they are built (1000)
    --seed S         another seed gives other mutations ("today" unless told)
    --first N        the number of the first one: with --count 1 a single mutation comes back
    --processes N    how many work at it (1); the answers are the same
    --write          record the result in docs/differences.md

The exit code is 0 only where every difference has its reason.
"""

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import cache, partial, reduce
from operator import add

from tests.differential.asked import Answer, Asked
from tests.differential.bundles import every, recorded
from tests.differential.page import write
from tests.differential.peers import judge, peers
from tests.differential.run import Material, Result, compare, mutations
from tests.shared import shared_folder, unpacked

_PART = 250
"""So many mutations are one piece of work."""


def main(arguments: Sequence[str]) -> int:
    """Ask, and say what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--peers", type=int, default=1_000)
    parser.add_argument("--seed", default="today")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    told = parser.parse_args(arguments)
    results: dict[str, Result] = {}

    def timed(name: str, made: Callable[..., Result], *of: object) -> None:
        start = time.monotonic()
        result = results[name] = made(*of)
        yes, no = result.verdicts[True, True], result.verdicts[False, False] + result.refused
        print(
            f"{name}: {result.count} questions, {yes} times yes by both, {no} times no, "
            f"{result.reasons.total()} differences with a reason, {len(result.wrong)} WITHOUT; "
            f"{time.monotonic() - start:.0f} s",
            flush=True,
        )
        for wrong in result.wrong:
            print(f"  {wrong}")

    with ProcessPoolExecutor(told.processes, initializer=_quiet) as pool:
        asking = partial(_asked, pool, told.seed, told.first)
        _quiet()
        timed("every bundle, sigstore-python", partial(compare, judge=judge()), enumerate(_bundles()))
        timed("mutations, sigstore-python", asking, "", told.count)
        for name, ask in _peers().items():
            timed(f"the recorded stack, {name}", compare, enumerate(_recorded()), ask)
            timed(f"its mutations, {name}", asking, name, told.peers)
    total: Counter[tuple[str, ...]] = Counter()
    for result in results.values():
        total += result.reasons
    for names, count in total.most_common():
        print(f"{count:7} {' + '.join(names)}")
    if told.write:
        write(results, told.seed)
    return 1 if any(result.wrong for result in results.values()) else 0


def _asked(pool: Executor, seed: str, first: int, engine: str, count: int) -> Result:
    """Ask about so many mutations, in parts."""
    last = first + count
    parts = [range(start, min(start + _PART, last)) for start in range(first, last, _PART)]
    return reduce(add, pool.map(partial(_part, engine, seed), parts), Result())


def _part(engine: str, seed: str, numbers: range) -> Result:
    """Ask an engine about the mutations of these numbers; sigstore-python where none is named."""
    if not engine:
        return compare(mutations(_material(), seed, numbers), judge=judge())
    material = Material(both=_recorded(), one=(), none=())
    return compare(mutations(material, seed, numbers), _peers()[engine], only_ours=True)


def _quiet() -> None:
    """What libraries warn of in bundles made by the thousand is of no interest."""
    warnings.simplefilter("ignore")


@cache
def _bundles() -> tuple[Asked, ...]:
    return every(unpacked(), shared_folder() / "recorded-stack")


@cache
def _recorded() -> tuple[Asked, ...]:
    return recorded(shared_folder() / "recorded-stack")


@cache
def _material() -> Material:
    return Material.of(_bundles())


@cache
def _peers() -> dict[str, Callable[[Asked], Answer]]:
    return peers(_recorded(), shared_folder() / "recorded-stack")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
