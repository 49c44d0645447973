"""How are millions of changes made and judged, so that each can be found again?

A change is named by its kind, its seed and its number, and made from nothing else: the number picks the target, and all
three are the source of chance. Ranges of numbers go to processes of their own; which process makes which, and when,
does not matter: what was counted of each range is kept (`kept`), and a run that was cut off goes on where it ended.
"""

import warnings
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from random import Random
from time import process_time

from glasswing_attest.errors import GlasswingError
from tests.torture.law import Outcome
from tests.torture.mutators import octets
from tests.torture.targets import Target, targets

__all__ = ["BAD", "Change", "Finding", "Tally", "change", "judge", "run", "tortured"]

BAD = (Outcome.WRONG, Outcome.FOREIGN)
CHUNK = 1000
_TRIES = 8


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change: of what, and what became of it."""

    target: Target
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A change that broke the law, and what was said."""

    kind: str
    seed: int
    number: int
    target: str
    outcome: Outcome
    says: str

    def __str__(self) -> str:
        again = f"python -m tests.torture --again {self.kind} {self.seed} {self.number}"
        return f"{self.outcome}: {self.target}: {self.says}\n  {again}"


@dataclass(kw_only=True)
class Tally:
    """What came of a range of changes of one kind."""

    kind: str
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0  # of a processor
    done: set[int] = field(default_factory=set)  # the numbers at which the ranges begin

    @property
    def total(self) -> int:
        """How many changes were judged."""
        return self.outcomes.total()

    def add(self, other: "Tally") -> None:
        """Add what another process counted."""
        self.outcomes += other.outcomes
        self.refusals += other.refusals
        self.findings += other.findings
        self.seconds += other.seconds
        self.done |= other.done


def change(kind: str, seed: int, number: int) -> Change:
    """Make a change. It differs from what was there, unless chance wants it otherwise so many times in a row."""
    among = targets(kind)
    target = among[number % len(among)]
    chance = Random(f"{kind} {seed} {number}")
    data = target.part
    for _ in range(_TRIES):
        data = target.part
        for _ in range(chance.choice((1, 1, 1, 1, 1, 2, 2, 3))):
            mutator = octets if chance.random() < 0.2 else target.mutator
            data = mutator(chance, data, target.other)
        if data != target.part:
            break
    return Change(target=target, data=data)


def judge(made: Change) -> tuple[Outcome, str]:
    """Say what the engine makes of it: refused by which code, accepted with which facts, or failed."""
    try:
        return made.target.judge(made.data), ""
    except GlasswingError as e:
        return Outcome.REFUSED, e.code
    except Exception as e:  # noqa: BLE001  # that there is none is what is asked
        return Outcome.FOREIGN, f"{type(e).__name__}: {e}"


def tortured(kind: str, seed: int, numbers: range) -> Tally:
    """Make and judge a range of changes in this process."""
    targets(kind)  # made before the time is taken
    start, tally = process_time(), Tally(kind=kind, done={numbers.start})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `cryptography` warns of what certificates should not say
        for number in numbers:
            made = change(kind, seed, number)
            outcome, says = judge(made)
            tally.outcomes[outcome] += 1
            if outcome is Outcome.REFUSED:
                tally.refusals[says] += 1
            elif outcome in BAD:
                name = made.target.name
                found = Finding(kind=kind, seed=seed, number=number, target=name, outcome=outcome, says=says)
                tally.findings.append(found)
    tally.seconds = process_time() - start
    return tally


def run(tallies: Sequence[Tally], seed: int, count: int, *, processes: int) -> Generator[Tally, None, None]:
    """Yield what came of each range that no tally has yet, in the order in which they end.

    At most a few wait for each process.
    """
    pieces = (
        (tally.kind, range(at, min(at + CHUNK, count)))
        for at in range(0, count, CHUNK)
        for tally in tallies
        if at not in tally.done
    )
    executor = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        waiting: set[Future[Tally]] = set()
        for kind, numbers in pieces:
            waiting.add(executor.submit(tortured, kind, seed, numbers))
            while len(waiting) >= 3 * processes:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        yield from (each.result() for each in as_completed(waiting))
    finally:
        executor.shutdown(cancel_futures=True)
