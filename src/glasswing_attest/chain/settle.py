"""What is accepted?

The least fixed point of "a thing is accepted when all that is wanted in one alternative has claims all of whose parents
are accepted, in time". It begins with nothing accepted, so a cycle supports nothing, and the order of the evidence
cannot matter. The value of an accepted thing is the earliest time by which its own evidence is proved to have existed,
so that a run can be asked to have started later; values only sink, so it ends. See ``docs/adr/0005``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from glasswing_attest.chain.select import selection
from glasswing_attest.chain.thing import ALWAYS, Basis, Candidate, Thing
from glasswing_attest.limits import Budget
from glasswing_attest.policy.policy import Policy

__all__ = ["settle"]


def settle(things: Iterable[Thing], policy: Policy, budget: Budget) -> None:
    """Accept what can be accepted.

    Raises:
        LimitError: it takes more steps than the budget has.
    """
    # Deepest first, so that an honest chain settles in one pass; later changes go through the queue.
    queue = deque(sorted(things, key=lambda thing: -thing.depth))
    waiting = set(queue)
    untouched = set(queue)
    while queue:
        thing = queue.popleft()
        waiting.discard(thing)
        budget.spend(where=thing.identity)
        if thing in untouched:
            untouched.discard(thing)
            for basis in (candidate.basis for wanted in thing.wanted for candidate in wanted.sound):
                if not basis.watches:
                    basis.watches = True
                    _advance(basis)
        if not _improve(thing, policy, budget):
            continue
        # Only what waits for this very thing can change by it, so each claim's parents are gone through once.
        watchers, thing.watchers = thing.watchers, []
        budget.spend(len(watchers), where=thing.identity)
        for basis in watchers:
            if _advance(basis):
                again = [child for child in basis.things if child not in waiting]
                waiting.update(again)
                queue.extend(again)


def _advance(basis: Basis) -> bool:
    """Go on to the first parent that does not hold, and watch it. Tell whether there is none."""
    while (parent := basis.broken) is not None:
        if not basis.rests_on(parent):
            parent.watchers.append(basis)
            return False
        basis.holding += 1
    return True


def _improve(thing: Thing, policy: Policy, budget: Budget) -> bool:
    """Accept the thing, or accept it for an earlier time than before. Tell whether anything changed."""
    if thing.trimmed or thing.contradiction is not None or thing.accepted == ALWAYS:
        return False
    before = thing.accepted
    for alternative in thing.alternatives:
        selected = selection(alternative, policy, budget)
        if selected is None:
            continue
        value = _value(selected, policy)
        if thing.accepted is None or value < thing.accepted:
            thing.accepted, thing.selected = value, selected
    return thing.accepted != before


def _value(selected: Iterable[Candidate], policy: Policy) -> datetime:
    """Give the time by which all of it is proved to have existed."""
    if policy.times == "claimed":
        # Where claimed times are good enough a witness can be left out, so that one constrains nothing.
        return ALWAYS
    # It also keeps a selection from resting on itself: no parent is accepted for later than its child was signed.
    return max((candidate.order[0] for candidate in selected), default=ALWAYS)
