"""Which claims meet all requirements of an alternative together, and by when?

Selection is existential: every candidate is looked at, and one selection that satisfies everything is enough. The
earliest one is taken: no other could support more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeAlias

from glasswing_attest.chain.same import Table, joined
from glasswing_attest.chain.thing import Candidate, Wanted
from glasswing_attest.limits import Budget
from glasswing_attest.policy.policy import Policy, Requirement
from glasswing_attest.policy.rules.signed_by import enough

__all__ = ["picked", "selection"]

_Picked: TypeAlias = tuple[Candidate, ...]


def selection(alternative: Sequence[Wanted], policy: Policy, budget: Budget) -> _Picked | None:
    """Give supported candidates for everything that is wanted, in its order, or None where they do not suffice.

    Raises:
        LimitError: it takes more steps than the budget has.
    """
    found: dict[int, _Picked] = {}
    for wanted in alternative:
        supported = wanted.supported
        budget.spend(1 + len(wanted.candidates), where=wanted.requirement.predicate)
        chosen = picked(supported, wanted.requirement, policy, budget)
        if not chosen:
            return None
        found[id(wanted)] = chosen
    for connected in _connected(alternative):
        agreeing = _agreeing(connected, policy, budget)
        if agreeing is None:
            return None
        found.update(zip(map(id, connected), agreeing, strict=True))
    return tuple(candidate for wanted in alternative for candidate in found[id(wanted)])


def picked(supported: Sequence[Candidate], requirement: Requirement, policy: Policy, budget: Budget) -> _Picked:
    """Give the earliest candidates that satisfy the threshold together, or nothing.

    Raises:
        LimitError: it takes more steps than the budget has.
    """
    rule = requirement.signed_by
    if rule.count == 1:
        return tuple(supported[:1])  # whoever signed a sound candidate is one of those that count
    by_claim = {id(c.claim): c for c in supported}  # in order of time
    return tuple(by_claim[id(claim)] for claim in enough([c.claim for c in supported], rule, policy, budget))


def _connected(alternative: Sequence[Wanted]) -> list[list[Wanted]]:
    """Give what is wanted and compared, in parts that have no group in common."""
    parts: list[tuple[set[int], list[Wanted]]] = []
    for wanted in alternative:
        groups = {number for number, _ in wanted.same}
        if groups:
            touched = [part for part in parts if part[0] & groups]
            parts = [part for part in parts if not part[0] & groups]
            parts.append((groups.union(*(p[0] for p in touched)), [*(w for p in touched for w in p[1]), wanted]))
    return [part for _, part in parts]


def _agreeing(connected: Sequence[Wanted], policy: Policy, budget: Budget) -> list[_Picked] | None:
    """Give the earliest selection of which all values agree."""
    times = sorted({c.order[0] for wanted in connected for c in wanted.supported})
    # What agrees among the earlier ones agrees among more: search the earliest time by which something does.
    tried: dict[int, list[_Picked] | None] = {}

    def by(number: int) -> bool:
        tables = [_table([c for c in w.supported if c.order[0] <= times[number]], w, policy, budget) for w in connected]
        tried[number] = joined(tables, budget)
        return tried[number] is not None

    earliest = bisect_left(range(len(times)), True, key=by)
    return None if earliest == len(times) else tried[earliest]


def _table(candidates: Sequence[Candidate], wanted: Wanted, policy: Policy, budget: Budget) -> Table[_Picked]:
    """Give what would be picked of the candidates that say the same, for everything that they say."""
    budget.spend(1 + len(candidates), where=wanted.requirement.predicate)
    alike: dict[tuple[object, ...], list[Candidate]] = {}
    for candidate in candidates:
        alike.setdefault(candidate.values, []).append(candidate)
    rows = {values: picked(several, wanted.requirement, policy, budget) for values, several in alike.items()}
    return Table(
        columns=tuple(number for number, _ in wanted.same), rows={values: row for values, row in rows.items() if row}
    )
