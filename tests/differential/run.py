"""Do two engines agree, over every bundle and over as many mutations as anybody likes?

Nothing is random here but what a seed says: the same seed, number and material give the same mutation again.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.differential.asked import Answer, Asked, ours, theirs
from tests.differential.mutate import mutated
from tests.differential.reasons import explained

__all__ = ["Material", "Result", "compare", "mutations"]

# sigstore-python warns in its log of bundles such as those that are made here by the thousand.
logging.getLogger("sigstore").setLevel(logging.CRITICAL)

Ask = Callable[[Asked], Answer]


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """Bundles to ask about: those that both engines take, those that one takes, and the others."""

    both: tuple[Asked, ...]
    one: tuple[Asked, ...]
    none: tuple[Asked, ...]

    @classmethod
    def of(cls, bundles: Iterable[Asked]) -> "Material":
        """Ask both engines about each."""
        sorted_: dict[int, list[Asked]] = {0: [], 1: [], 2: []}
        for asked in bundles:
            sorted_[ours(asked).yes + theirs(asked).yes].append(asked)
        return cls(both=tuple(sorted_[2]), one=tuple(sorted_[1]), none=tuple(sorted_[0]))

    def draw(self, rng: random.Random) -> Asked:
        """One of them: mostly one that has something to lose."""
        groups = [group for group in (self.both, self.one, self.none) if group]
        return rng.choice(rng.choices(groups, (80, 12, 8)[: len(groups)])[0])


@dataclass(kw_only=True)
class Result:
    """What came of it: verdicts (ours, theirs), reasons of the differences, what must not be; and, where
    only our yes is looked at, how often we said no."""

    verdicts: Counter[tuple[bool, bool]] = field(default_factory=Counter[tuple[bool, bool]])
    reasons: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])
    wrong: list[str] = field(default_factory=list[str])
    refused: int = 0

    def __add__(self, other: "Result") -> "Result":
        """What came of both."""
        return Result(
            verdicts=self.verdicts + other.verdicts,
            reasons=self.reasons + other.reasons,
            wrong=[*self.wrong, *other.wrong],
            refused=self.refused + other.refused,
        )

    @property
    def count(self) -> int:
        """How many questions were asked."""
        return self.verdicts.total() + self.refused


def mutations(material: Material, seed: str, numbers: Iterable[int]) -> Iterable[tuple[int, Asked]]:
    """The mutations of these numbers."""
    for number in numbers:
        rng = random.Random(f"{seed}:{number}")
        yield number, mutated(rng, material.draw(rng), rng.choice(material.both))


def compare(
    questions: Iterable[tuple[int, Asked]], ask: Ask = theirs, *, judge: Ask | None = None, only_ours: bool = False
) -> Result:
    """Ask us and another engine. Wrong are a difference without a reason, two payloads, and a foreign exception.

    With `only_ours` the other engine is asked whether it joins in each yes of ours, and never what it takes beyond.
    """
    found = Result()
    for number, asked in questions:
        try:
            we = ours(asked)
        except Exception as e:  # noqa: BLE001  # only our own errors may leave our interface
            found.wrong.append(f"{number}: {asked.name}: we raise {type(e).__name__}: {e}")
            continue
        if only_ours and not we.yes:
            found.refused += 1
            continue
        they = ask(asked)
        found.verdicts[we.yes, they.yes] += 1
        if we.yes and they.yes:
            if ask is theirs and we.payload != they.payload:
                found.wrong.append(f"{number}: {asked.name}: both say yes, to two payloads")
        elif we.yes or they.yes:
            reasons = explained(asked, we, ask, judge)
            if reasons is None:
                found.wrong.append(
                    f"{number}: {asked.name}: we say {_told(we)} ({we.said}), they say {_told(they)} ({they.said})"
                )
            else:
                found.reasons[reasons] += 1
    return found


def _told(answer: Answer) -> str:
    return "YES" if answer.yes else "no"
