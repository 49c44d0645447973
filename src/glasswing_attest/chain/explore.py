"""What could matter?

From the root, every claim about a thing is held against what the policy wants of its kind; those that satisfy it by
themselves lead on to what they say that the thing was made from. What nobody trusted said leads nowhere, so strangers
cannot make the search longer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from glasswing_attest.artifact.digest import Form
from glasswing_attest.chain import same
from glasswing_attest.chain.contradictions import Accounts
from glasswing_attest.chain.edges import Reference, in_scope, references
from glasswing_attest.chain.index import Index
from glasswing_attest.chain.seen import Seen
from glasswing_attest.chain.thing import ALWAYS, Basis, Candidate, Order, Thing, Wanted, is_nameless
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.policy import NodeRule, Requirement
from glasswing_attest.policy.rules import complaints, contradicts, expect
from glasswing_attest.statement.predicates.oms import OMS_V1, ModelSignature
from glasswing_attest.statement.predicates.run import PROVENANCES
from glasswing_attest.statement.repository import repository
from glasswing_attest.verification.subject import MatchedSubject

__all__ = ["Explored", "explore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """Everything that could matter: the root first, then in the order in which it was met, nearest first."""

    root: Thing
    things: tuple[Thing, ...]


def explore(root: Reference, name: str, index: Index, circumstances: Circumstances, seen: Seen) -> Explored:
    """Gather the things that the root may rest on, each with what speaks for it.

    Raises:
        LimitError: more things or claims than the limits allow.
    """
    exploration = _Exploration(index, circumstances, seen)
    found = exploration.meet(root, name, 0)
    exploration.run()
    return Explored(root=found, things=tuple(exploration.things.values()))


class _Exploration:
    def __init__(self, index: Index, circumstances: Circumstances, seen: Seen) -> None:
        self._index = index
        self._circumstances = circumstances
        self._policy = circumstances.policy
        self._limits = circumstances.limits
        self._seen = seen
        groups = same.groups_of(self._policy)
        self._asked = {
            kind: [
                [(requirement, groups.get((kind, number, place), ())) for place, requirement in enumerate(alternative)]
                for number, alternative in enumerate(rule.alternatives)
            ]
            for kind, rule in self._policy.nodes.items()
        }
        self._queue: deque[Thing] = deque()
        self._count = 0
        # What depends on a claim alone is found out once, however many things the claim is about.
        self._judged: dict[tuple[int, int], tuple[Finding, ...]] = {}
        self._bases: dict[int, Basis] = {}
        self._sayings = same.Sayings()
        self._accounts = Accounts()
        self.things: dict[Reference, Thing] = {}

    def run(self) -> None:
        while self._queue:
            thing = self._queue.popleft()
            for wanted in thing.wanted:
                wanted.candidates = self._candidates(thing, wanted)
            for alternative in thing.alternatives:
                self._join(thing, alternative)
            if self._policy.contradictions == "deny":
                thing.contradiction = self._accounts.contradiction(thing, denied=True)
                if thing.contradiction is not None:
                    continue  # it stands on nothing
            for wanted in thing.wanted:
                for candidate in wanted.sound:
                    self._spread(candidate.basis, thing)

    def meet(self, reference: Reference, name: str, depth: int) -> Thing:
        """Take note of a thing, to be looked at in its turn."""
        rule = self._policy.nodes.get(reference.kind)
        thing = Thing(
            reference=reference,
            identity=reference.identity,
            name=name,
            depth=depth,
            rule=rule,
            # The root is what was asked about: it is never cut away.
            trimmed=depth > 0 and rule is not None and self._cuts(rule),
            alternatives=tuple(
                tuple(Wanted(requirement=requirement, same=groups) for requirement, groups in alternative)
                for alternative in self._asked.get(reference.kind, ())
            ),
        )
        self.things[reference] = thing
        self._queue.append(thing)
        self._limits.check("nodes", len(self.things), where=thing.identity)
        self._limits.check("depth", depth, where=thing.identity)
        return thing

    def _cuts(self, rule: NodeRule) -> bool:
        return rule.trim is not None and (rule.trim.until is None or self._circumstances.latest <= rule.trim.until)

    def _candidates(self, thing: Thing, wanted: Wanted) -> tuple[Candidate, ...]:
        if is_nameless(thing.reference):
            return ()
        return self._held(thing, wanted, self._index.about(thing.reference.digests, wanted.requirement.predicate))

    def _join(self, thing: Thing, alternative: Sequence[Wanted]) -> None:
        """Let runs speak for a model whose files they name one by one, where the list of them must be signed as well.

        The digest of a tree follows from its files, so every signed list of this one is the same.
        """
        lists = (wanted.sound for wanted in alternative if wanted.requirement.predicate == OMS_V1)
        files = next((files for sound in lists for c in sound if (files := _listed(c, thing))), None)
        if files is None:
            return
        thing.files = files
        for wanted in alternative:
            if wanted.requirement.predicate in PROVENANCES:
                known = {id(candidate.claim) for candidate in wanted.candidates}
                named = self._index.naming(files, wanted.requirement.predicate)
                more = self._held(thing, wanted, [each for each in named if id(each[0]) not in known])
                wanted.candidates = tuple(sorted((*wanted.candidates, *more), key=_order))

    def _held(
        self, thing: Thing, wanted: Wanted, claims: Iterable[tuple[Claim, MatchedSubject]]
    ) -> tuple[Candidate, ...]:
        """Hold claims against what is wanted."""
        found = []
        # What goes with it is asked for of the root alone.
        beside = frozenset() if thing.depth else _beside(thing, wanted)
        for claim, matched in claims:
            self._count += 1
            self._limits.check("candidates", self._count, where=thing.identity)
            found.append(self._candidate(thing, wanted, claim, matched, beside))
        return tuple(sorted(found, key=_order))

    def _candidate(
        self, thing: Thing, wanted: Wanted, claim: Claim, matched: MatchedSubject, beside: frozenset[str]
    ) -> Candidate:
        requirement = wanted.requirement
        wrong = [*self._judge(claim, requirement), *_scope(claim, thing.reference)]
        # What is said of this very thing is asked only of a claim that would do otherwise.
        if not wrong:
            wrong += [*contradicts.complaints(claim, matched), *expect.complaints_about(claim, matched, requirement)]
        if thing.depth == 0:
            root = thing.reference
            wrong += self._seen.complaints(root.kind, thing.name, root.digests, claim, beside)
        values, differing = ((), []) if wrong else self._sayings.of(claim, matched, requirement, wanted.same)
        return Candidate(
            claim=claim,
            complaints=(*wrong, *differing),
            order=(claim.proved_by or claim.signed_by or ALWAYS, *claim.key),
            basis=self._bases.setdefault(id(claim), Basis(claim=claim)),
            label=requirement.label or "",
            values=values,
        )

    def _judge(self, claim: Claim, requirement: Requirement) -> tuple[Finding, ...]:
        key = (id(claim), id(requirement))
        if key not in self._judged:
            self._judged[key] = complaints(claim, requirement, self._circumstances)
        return self._judged[key]

    def _spread(self, basis: Basis, child: Thing) -> None:
        """Find what the claim's subjects were made from. What is new is looked at in its turn."""
        if not basis.things:
            parents: dict[Thing, None] = {}
            for reference, name in references(basis.claim):
                parent = self.things.get(reference) or self.meet(reference, name, child.depth + 1)
                parents[parent] = None
            basis.parents = tuple(parents)
        if child not in basis.things[-1:]:
            basis.things.append(child)


def _order(candidate: Candidate) -> Order:
    return candidate.order


def _listed(candidate: Candidate, thing: Thing) -> dict[str, str]:
    """Give the files of a tree as a model signature lists them."""
    said = candidate.claim.predicate
    if not isinstance(said, ModelSignature) or thing.reference.digests.form is not Form.TREE:
        return {}
    return {resource.name: resource.digest for resource in said.resources}


def _beside(thing: Thing, wanted: Wanted) -> frozenset[str]:
    """Give the types of what is asked for together with this."""
    alternative = next(each for each in thing.alternatives if wanted in each)
    return frozenset(each.requirement.predicate for each in alternative if each is not wanted)


def _scope(claim: Claim, reference: Reference) -> tuple[Finding, ...]:
    if in_scope(claim, reference):
        return ()
    return (
        Finding(
            code="chain.scope",
            tier=Tier.CONTRAINDICATED,
            subject=reference.kind,
            found=repository(claim.scope),
            wanted=reference.scope,
            do="the attestation speaks for another repository",
        ),
    )
