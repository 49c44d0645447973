"""Asks other engines what we are asked, about every bundle and about mutations: ``python -m tests.differential``.

    --count N        mutations for sigstore-python (20000)
    --peers N        mutations of the recorded stack for sigstore-go and for cosign, each, where they are built (1000)
    --seed S         another seed gives other mutations ("today" unless told)
    --first N        the number of the first one: with --count 1 a single mutation comes back
    --write          record the result in docs/differences.md

The exit code is 0 only where every difference has its reason.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.differential.bundles import every, recorded
from tests.differential.page import write
from tests.differential.peers import judge, peers
from tests.differential.run import Material, Result, compare, mutations
from tests.shared import shared_folder, unpacked


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
    parser.add_argument("--write", action="store_true")
    told = parser.parse_args(arguments)
    stack = shared_folder() / "recorded-stack"
    bundles = every(unpacked(), stack)
    results: dict[str, Result] = {}

    def timed(name: str, result: Result, start: float) -> None:
        results[name] = result
        yes, no = result.verdicts[True, True], result.verdicts[False, False] + result.refused
        print(
            f"{name}: {result.count} questions, {yes} times yes by both, {no} times no, "
            f"{result.reasons.total()} differences with a reason, {len(result.wrong)} WITHOUT; "
            f"{time.monotonic() - start:.0f} s",
            flush=True,
        )
        for wrong in result.wrong:
            print(f"  {wrong}")

    start = time.monotonic()
    timed("every bundle, sigstore-python", compare(enumerate(bundles), judge=judge()), start)
    start = time.monotonic()
    numbers = range(told.first, told.first + told.count)
    questions = mutations(Material.of(bundles), told.seed, numbers)
    timed("mutations, sigstore-python", compare(questions, judge=judge()), start)
    of_stack = recorded(stack)
    for name, ask in peers(of_stack, stack).items():
        start = time.monotonic()
        timed(f"the recorded stack, {name}", compare(enumerate(of_stack), ask), start)
        start = time.monotonic()
        numbers = range(told.first, told.first + told.peers)
        questions = mutations(Material(both=of_stack, one=(), none=()), told.seed, numbers)
        timed(f"its mutations, {name}", compare(questions, ask, only_ours=True), start)
    total: Counter[tuple[str, ...]] = Counter()
    for result in results.values():
        total += result.reasons
    for names, count in total.most_common():
        print(f"{count:7} {' + '.join(names)}")
    if told.write:
        write(results, told.seed)
    return 1 if any(result.wrong for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
