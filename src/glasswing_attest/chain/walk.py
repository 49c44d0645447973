"""Is every required ancestor attested by someone trusted for that?

The walk has three parts. *Explore*: from the root, hold every claim about a thing against the policy's rule for its
kind, and follow the dependencies of those that satisfy it by themselves. *Settle*: the least fixed point of "a thing
is accepted when each requirement has claims all of whose parents are accepted, in time". *Draw*: the graph of one
consistent selection, or of what is missing, with what *explains* it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from glasswing_attest.artifact.digest import Digest
from glasswing_attest.chain.contradictions import Accounts
from glasswing_attest.chain.draw import Drawing
from glasswing_attest.chain.edges import Reference
from glasswing_attest.chain.explain import Explanation
from glasswing_attest.chain.explore import Explored, explore
from glasswing_attest.chain.graph import Graph
from glasswing_attest.chain.index import Index
from glasswing_attest.chain.refused import Refused
from glasswing_attest.chain.seen import Seen
from glasswing_attest.chain.settle import settle
from glasswing_attest.chain.thing import Basis, is_nameless
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.policy import Policy

__all__ = ["Chain", "met", "walk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The outcome of a walk.

    Attributes:
        accepted: the root is verified; a trimmed root is not.
        graph: what was found.
        cause: why not, or None where it is accepted: the finding at the deepest broken link.
        warnings: what a reader should know although it does not decide.
        claims: the claims that the accepted chain rests on.
        root_claims: those of them that are about the root.
    """

    accepted: bool
    graph: Graph
    cause: Finding | None
    warnings: tuple[Finding, ...]
    claims: tuple[Claim, ...]
    root_claims: tuple[Claim, ...]


def walk(
    root: Reference,
    name: str,
    claims: Iterable[Claim],
    policy: Policy,
    *,
    at: datetime,
    now: datetime,
    limits: Limits,
    refused: Sequence[Refused] = (),
    origin: Callable[[Claim], str] = lambda _: "",
    seen: Seen | None = None,
) -> Chain:
    """Walk the chain of `root`. `at` is the time against which claimed times are held.

    `now` is the time of the verification itself: an earlier `at` revives no trim that has ended since.

    `refused` is what proved nothing, and `origin` says where a claim was found; they make a "no" clearer and can never
    make a "yes". `seen` is what was accepted
    before: nothing older about the root is accepted now.

    Raises:
        LimitError: more things, claims or steps than `limits` and the policy allow; nothing is decided then.
    """
    index = Index(claims)
    circumstances = _circumstances(policy, at, now, limits)
    explored = explore(root, name, index, circumstances, seen or Seen())
    budget = Budget(circumstances.limits, "steps")
    settle(explored.things, policy, budget)
    return _drawn(explored, Explanation(explored, index, policy, refused, origin, budget), budget)


def met(
    root: Reference,
    name: str,
    claims: Iterable[Claim],
    policy: Policy,
    *,
    at: datetime,
    now: datetime,
    limits: Limits,
    seen: Seen | None = None,
) -> tuple[Digest, ...]:
    """Give the digests of everything about which a walk over these claims looks for claims: no others matter to it.

    Raises:
        LimitError: as `walk` does.
    """
    # With what was seen: where contradictions are denied, what is too old to count contradicts nobody.
    explored = explore(root, name, Index(claims), _circumstances(policy, at, now, limits), seen or Seen())
    found: set[Digest] = set()
    for thing in explored.things:
        if thing.alternatives and not is_nameless(thing.reference):
            found.update(thing.reference.digests.identity)
            # Whoever names all files of a model names the first.
            found.update(Digest("sha256", sha256) for sha256 in list(thing.files.values())[:1])
    return tuple(sorted(found))


def _circumstances(policy: Policy, at: datetime, now: datetime, limits: Limits) -> Circumstances:
    lowered = limits if policy.limits is None else policy.limits.lowered(limits)
    return Circumstances(policy=policy, at=at, latest=max(at, now), limits=lowered)


def _drawn(explored: Explored, explanation: Explanation, budget: Budget) -> Chain:
    """Follow what is accepted, or what came closest, from the root on."""
    root = explored.root
    drawing, accounts = Drawing(budget), Accounts()
    queue, seen = deque([root]), {root}
    followed: set[Basis] = set()
    claims: dict[tuple[str, ...], Claim] = {}
    warnings = []
    while queue:
        thing = queue.popleft()
        shown = explanation.shown(thing)
        findings = () if thing.accepted is not None or thing.trimmed else (explanation.cause(thing),)
        drawing.thing(thing, findings, shown)
        if (warning := accounts.contradiction(thing, denied=False)) is not None:
            warnings.append(warning)
        for candidate in shown:
            if thing.accepted is not None:
                claims.setdefault(candidate.claim.key[:2], candidate.claim)
            if candidate.basis not in followed:
                followed.add(candidate.basis)
                new = [parent for parent in candidate.basis.parents if parent not in seen]
                seen.update(new)
                queue.extend(new)
    accepted = root.accepted is not None
    return Chain(
        accepted=accepted,
        graph=drawing.graph(root),
        cause=None if accepted else explanation.cause(root),
        warnings=tuple(warnings),
        # Of a refused chain nothing is handed on, not even the parts that would stand by themselves.
        claims=tuple(claims[key] for key in sorted(claims)) if accepted else (),
        root_claims=tuple(candidate.claim for candidate in root.selected),
    )
