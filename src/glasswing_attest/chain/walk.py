"""Is every required ancestor attested by someone trusted for that?

The walk has three parts. *Explore*: from the root, hold every claim about a thing against the policy's rule for its
kind, and follow the dependencies of those that satisfy it by themselves. *Settle*: the least fixed point of "a thing
is accepted when each requirement has claims all of whose parents are accepted, in time"; a cycle supports nothing, and
the order of the evidence cannot matter. The value of an accepted thing is the earliest time by which its own evidence
is proved to have existed, so that a run can be asked to have started later. *Draw*: the graph of one consistent
selection, or of what is missing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from glasswing_attest._wire import format_time
from glasswing_attest.artifact.digest import Digest, DigestSet, Form
from glasswing_attest.chain.edges import Reference, in_scope, references, repository
from glasswing_attest.chain.graph import Edge, Evidence, Graph, Node, State
from glasswing_attest.claims import Claim
from glasswing_attest.errors import GlasswingError, SubjectMismatch
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import Limits
from glasswing_attest.policy.policy import NodeRule, Policy, Requirement
from glasswing_attest.policy.rules import complaints, contradicts, expect
from glasswing_attest.policy.rules.signed_by import enough, wanted_of
from glasswing_attest.statement.predicates.run import Run
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification import subject
from glasswing_attest.verification.subject import MatchedSubject

__all__ = ["Chain", "Refused", "met", "walk"]

_ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Stands for "no witness was asked for": under ``times: claimed`` it constrains nothing."""


_TOLD_SUBJECTS = 64
"""So many subjects of a refused statement are remembered: enough for a message."""


_TOLD_NAMES = 16
"""So many names of a cycle are told."""


_TOLD_VERSIONS = 3
"""So many other versions of a predicate type are told."""


@dataclass(slots=True, eq=False)
class _Candidate:
    """A claim about a thing, held against one requirement."""

    claim: Claim
    complaints: tuple[Finding, ...]
    order: tuple[datetime, str, str, str]
    label: str = ""
    """What the policy calls the requirement."""
    parents: tuple[_Thing, ...] = ()
    holding: int = 0
    """So many of the parents are known to hold, from the first on. What holds once holds for good."""

    @property
    def starts(self) -> datetime | None:
        # What is no run has no start of its own: whatever it rests on is at least no younger than itself.
        run = self.claim.predicate
        return run.started_on if isinstance(run, Run) else self.claim.signed_by

    @property
    def broken(self) -> _Thing | None:
        """The first parent that is not known to hold, or None where all do."""
        return self.parents[self.holding] if self.holding < len(self.parents) else None


@dataclass(slots=True, eq=False)
class _Thing:
    """A reference while the walk works on it."""

    reference: Reference
    name: str
    depth: int
    rule: NodeRule | None
    candidates: dict[int, list[_Candidate]] = field(default_factory=dict)
    watchers: list[tuple[_Candidate, _Thing]] = field(default_factory=list)
    """The candidates, with what they are about, that this thing keeps from being supported."""
    accepted: datetime | None = None
    selected: dict[int, tuple[_Candidate, ...]] = field(default_factory=dict)
    trimmed: bool = False

    @property
    def requirements(self) -> Sequence[Requirement]:
        return () if self.rule is None else self.rule.require


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An item of the pile that proved nothing. What its unverified statement says serves messages only.

    A pile may consist of nothing else, so no more is kept than a message needs: neither the statement, nor the frames
    in which it was refused.
    """

    origin: str
    error: GlasswingError
    predicate_type: str = ""
    subjects: tuple[DigestSet, ...] = ()

    @classmethod
    def of(cls, origin: str, error: GlasswingError, said: Statement | None, *, limits: Limits) -> Refused:
        """Keep what a message needs of a refused item; `said` is its statement, where it has one."""
        _let_go(error)
        if said is None or len(said.predicate_type) > limits.name_bytes:
            return cls(origin=origin, error=error)
        subjects = tuple(s.digest for s in said.subjects[:_TOLD_SUBJECTS])
        return cls(origin=origin, error=error, predicate_type=said.predicate_type, subjects=subjects)


def _let_go(error: BaseException) -> None:
    """Drop the frames that an error and its causes hold, and with them everything that was parsed in them."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = None
            left += (each.__cause__, each.__context__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The outcome of a walk.

    Attributes:
        accepted: the root is verified; a trimmed root is not.
        graph: what was found.
        cause: why not, or None where it is accepted: the finding at the deepest broken link.
        warnings: what a reader should know although it does not decide.
        claims: the claims that the accepted chain rests on.
    """

    accepted: bool
    graph: Graph
    cause: Finding | None
    warnings: tuple[Finding, ...]
    claims: tuple[Claim, ...]


class _Index:
    """Claims by the digests of their subjects."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self.claims = sorted({c.key: c for c in claims}.values(), key=lambda c: c.key)
        # By type, form and digest: which claim, by its place in the list, and which of its subjects.
        self._places: dict[tuple[str, Form, Digest], dict[int, list[int]]] = {}
        for number, claim in enumerate(self.claims):
            for position, described in enumerate(claim.subjects):
                for digest in described.digest.identity:
                    key = (claim.statement.predicate_type, described.digest.form, digest)
                    self._places.setdefault(key, {}).setdefault(number, []).append(position)

    def about(self, digests: DigestSet, predicate_type: str) -> list[tuple[Claim, MatchedSubject]]:
        """Give the claims of this type about the thing, in the order of their keys."""
        found: dict[int, list[int]] = {}
        for digest in digests.identity:
            for number, positions in self._places.get((predicate_type, digests.form, digest), {}).items():
                found.setdefault(number, []).extend(positions)
        return [
            (self.claims[number], matched)
            for number, positions in sorted(found.items())
            if (matched := _match(self.claims[number], digests, sorted(positions))) is not None
        ]


def _match(claim: Claim, digests: DigestSet, positions: Iterable[int]) -> MatchedSubject | None:
    try:
        return subject.match(claim.verified, digests, among=claim.subjects, positions=positions)
    except SubjectMismatch:
        return None


class _Clues:
    """What may explain that nothing is there: built for a no alone, once, since junk times gaps is much work."""

    def __init__(self, claims: Iterable[Claim], refused: Sequence[Refused]) -> None:
        self._refused: dict[tuple[str, Form, Digest], list[tuple[Refused, DigestSet]]] = {}
        for item in refused:
            for digests in item.subjects:
                for digest in digests.identity:
                    key = (item.predicate_type, digests.form, digest)
                    self._refused.setdefault(key, []).append((item, digests))
        self._named: dict[tuple[str, Form, str], DigestSet] = {}
        self._types: dict[Digest, list[tuple[str, DigestSet]]] = {}
        self._roles: dict[Digest, list[tuple[str, DigestSet]]] = {}
        for claim in claims:
            for described in claim.subjects:
                key_ = (claim.statement.predicate_type, described.digest.form, described.name)
                self._named.setdefault(key_, described.digest)
                _file(self._types, claim.statement.predicate_type, described.digest)
            for dependency in claim.dependencies:
                _file(self._roles, dependency.kind, dependency.resource.digest)
        for item in refused:
            for digests in item.subjects:
                _file(self._types, item.predicate_type, digests)

    def refused(self, digests: DigestSet, predicate_type: str) -> Refused | None:
        """Give a refused item of this type that speaks of the thing: of several, one that no order chooses."""
        found = [
            item
            for digest in digests.identity
            for item, said in self._refused.get((predicate_type, digests.form, digest), ())
            if said.matches(digests)
        ]
        return min(found, key=lambda item: (item.error.code, item.origin), default=None)

    def types(self, digests: DigestSet) -> set[str]:
        """Give the predicate types of everything that speaks of the thing, proved or not."""
        return _filed(self._types, digests)

    def versions(self, digests: DigestSet, predicate_type: str) -> set[str]:
        """Give the other versions of a predicate type in which something speaks of the thing, proved or not."""
        name = _unversioned(predicate_type)
        return {found for found in self.types(digests) - {predicate_type} if _unversioned(found) == name}

    def roles(self, digests: DigestSet) -> set[str]:
        """Give the kinds as which verified statements name the thing as what something was made from."""
        return _filed(self._roles, digests)

    def namesake(self, name: str, form: Form, predicate_type: str) -> DigestSet | None:
        """Give what a verified statement of this type says of other bytes under the same name."""
        return self._named.get((predicate_type, form, name)) if name else None


_VERSION = re.compile(r"/v?\d[^/]*$")


def _unversioned(predicate_type: str) -> str:
    return _VERSION.sub("", predicate_type)


def _file(index: dict[Digest, list[tuple[str, DigestSet]]], what: str, digests: DigestSet) -> None:
    for digest in digests.identity:
        index.setdefault(digest, []).append((what, digests))


def _filed(index: dict[Digest, list[tuple[str, DigestSet]]], digests: DigestSet) -> set[str]:
    found = (entry for digest in digests.identity for entry in index.get(digest, ()))
    return {what for what, said in found if said.matches(digests)}


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
) -> Chain:
    """Walk the chain of `root`. `at` is the time against which claimed times are held.

    `now` is the time of the verification itself: an earlier `at` revives no trim that has ended since.

    `refused` is what proved nothing; it makes a "no" clearer and can never make a "yes".

    Raises:
        LimitError: more things, claims or steps than `limits` allow; nothing is decided then.
    """
    walker = _Walk(_Index(claims), policy, at, max(at, now), limits, refused)
    walker.explore(root, name)
    walker.settle()
    return walker.draw()


def met(
    root: Reference, name: str, claims: Iterable[Claim], policy: Policy, *, at: datetime, now: datetime, limits: Limits
) -> tuple[Reference, ...]:
    """Give every thing about which a walk over these claims looks for claims: no others can matter to it.

    Raises:
        LimitError: as `walk` does.
    """
    walker = _Walk(_Index(claims), policy, at, max(at, now), limits, ())
    walker.explore(root, name)
    return walker.met


class _Walk:
    def __init__(
        self,
        index: _Index,
        policy: Policy,
        at: datetime,
        latest: datetime,
        limits: Limits,
        refused: Sequence[Refused],
    ) -> None:
        self._refused = refused
        self._index = index
        self._policy = policy
        self._at = at
        self._latest = latest
        self._limits = limits
        self._things: dict[Reference, _Thing] = {}
        self._candidates = 0
        # What depends on a claim alone is found out once, however many things the claim is about.
        self._judged: dict[tuple[int, int], tuple[Finding, ...]] = {}
        self._made_from: dict[int, tuple[_Thing, ...]] = {}
        self._causes: dict[_Thing, Finding] = {}

    # --- explore -----------------------------------------------------------------------------------------------------

    def explore(self, root: Reference, name: str) -> None:
        self._root = self._meet(root, name, 0)
        self._queue = deque([self._root])
        while self._queue:
            thing = self._queue.popleft()
            for number, requirement in enumerate(thing.requirements):
                thing.candidates[number] = self._candidates_for(thing, requirement)
                for candidate in thing.candidates[number]:
                    if not candidate.complaints:
                        candidate.parents = self._parents_of(candidate.claim, thing)

    @property
    def met(self) -> tuple[Reference, ...]:
        return tuple(r for r, thing in self._things.items() if thing.requirements and not _is_nameless(r))

    def _meet(self, reference: Reference, name: str, depth: int) -> _Thing:
        rule = self._policy.nodes.get(reference.kind)
        thing = _Thing(reference=reference, name=name, depth=depth, rule=rule)
        trim = None if rule is None else rule.trim
        # The root is what was asked about: it is never cut away.
        thing.trimmed = depth > 0 and trim is not None and (trim.until is None or self._latest <= trim.until)
        self._things[reference] = thing
        self._limits.check("nodes", len(self._things), where=reference.identity)
        self._limits.check("depth", depth, where=reference.identity)
        return thing

    def _candidates_for(self, thing: _Thing, requirement: Requirement) -> list[_Candidate]:
        if _is_nameless(thing.reference):
            return []
        found = []
        for claim, matched in self._index.about(thing.reference.digests, requirement.predicate):
            self._candidates += 1
            self._limits.check("candidates", self._candidates, where=thing.reference.identity)
            wrong = (*self._judge(claim, requirement), *_scope(claim, thing.reference))
            found.append(
                _Candidate(
                    claim=claim,
                    complaints=wrong
                    or (
                        *contradicts.complaints(claim, matched),
                        *expect.complaints_about(claim, matched, requirement),
                    ),
                    order=(claim.signed_by or _ALWAYS, *claim.key),
                    label=requirement.label or "",
                )
            )
        return sorted(found, key=lambda c: c.order)

    def _judge(self, claim: Claim, requirement: Requirement) -> tuple[Finding, ...]:
        key = (id(claim), id(requirement))
        if key not in self._judged:
            self._judged[key] = complaints(claim, requirement, self._policy, self._at)
        return self._judged[key]

    def _parents_of(self, claim: Claim, child: _Thing) -> tuple[_Thing, ...]:
        """Give what the claim's subjects were made from. What is new is looked at in its turn."""
        known = self._made_from.get(id(claim))
        if known is not None:
            return known
        parents: dict[_Thing, None] = {}
        for reference, name in references(claim):
            parent = self._things.get(reference)
            if parent is None:
                parent = self._meet(reference, name, child.depth + 1)
                self._queue.append(parent)
            parents[parent] = None
        return self._made_from.setdefault(id(claim), tuple(parents))

    # --- settle ------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        # Deepest first, so that an honest chain settles in one pass; later changes go through the queue.
        queue = deque(sorted(self._things.values(), key=lambda t: -t.depth))
        waiting = set(queue)
        untouched = set(queue)
        steps = 0
        while queue:
            thing = queue.popleft()
            waiting.discard(thing)
            steps += 1
            self._limits.check("steps", steps, where=thing.reference.identity)
            if thing in untouched:
                untouched.discard(thing)
                for candidates in thing.candidates.values():
                    for candidate in candidates:
                        self._advance(candidate, thing)
            if not self._improve(thing):
                continue
            # Only what waits for this very thing can change by it, so each claim's parents are gone through once.
            watchers, thing.watchers = thing.watchers, []
            for candidate, child in watchers:
                if self._advance(candidate, child) and child not in waiting:
                    waiting.add(child)
                    queue.append(child)

    def _advance(self, candidate: _Candidate, child: _Thing) -> bool:
        """Go on to the first parent that does not hold, and watch it. Tell whether there is none."""
        if candidate.complaints:
            return False
        while (parent := candidate.broken) is not None:
            if not _holds(parent, candidate):
                parent.watchers.append((candidate, child))
                return False
            candidate.holding += 1
        return True

    def _improve(self, thing: _Thing) -> bool:
        """Accept the thing, or accept it for an earlier time than before. Tell whether anything changed."""
        if thing.trimmed or not thing.requirements or thing.accepted == _ALWAYS:
            return False
        selected: dict[int, tuple[_Candidate, ...]] = {}
        value = _ALWAYS
        for number, requirement in enumerate(thing.requirements):
            supported = [c for c in thing.candidates[number] if not c.complaints and c.broken is None]
            picked = self._pick(supported, requirement)
            if not picked:
                return False
            selected[number] = picked
            if self._policy.times == "verified":
                # Where claimed times are good enough a witness can be left out, so that one constrains nothing. It also
                # keeps a selection from resting on itself: no parent is accepted for later than its child was signed.
                value = max(value, *(c.claim.signed_by or _ALWAYS for c in picked))
        if thing.accepted is not None and value >= thing.accepted:
            return False
        thing.accepted, thing.selected = value, selected
        return True

    def _pick(self, supported: Sequence[_Candidate], requirement: Requirement) -> tuple[_Candidate, ...]:
        """Give the earliest candidates that satisfy the threshold together, or nothing."""
        claims = [c.claim for c in supported]
        rule = requirement.signed_by
        # `supported` is in order of time, and more claims are never fewer signers: search the shortest sufficient
        # prefix.
        sufficient = range(rule.count, len(claims) + 1)
        shortest = bisect_left(sufficient, True, key=lambda n: bool(enough(claims[:n], rule, self._policy)))
        if shortest == len(sufficient):
            return ()
        by_claim = {id(c.claim): c for c in supported}
        return tuple(by_claim[id(claim)] for claim in enough(claims[: sufficient[shortest]], rule, self._policy))

    # --- draw --------------------------------------------------------------------------------------------------------

    def draw(self) -> Chain:
        drawing = _Drawing()
        cause = None if self._root.accepted is not None else self._cause(self._root)
        queue = deque([self._root])
        seen = {self._root}
        claims: dict[tuple[str, ...], Claim] = {}
        while queue:
            thing = queue.popleft()
            shown = self._shown(thing)
            findings = () if thing.accepted is not None or thing.trimmed else (self._cause(thing),)
            drawing.thing(thing, self._state(thing), findings, shown)
            for candidate in shown:
                if thing.accepted is not None:
                    claims.setdefault(candidate.claim.key[:2], candidate.claim)
                for parent in candidate.parents:
                    if parent not in seen:
                        seen.add(parent)
                        queue.append(parent)
        return Chain(
            accepted=self._root.accepted is not None,
            graph=drawing.graph(self._root),
            cause=cause,
            warnings=tuple(self._contradictions()),
            # Of a refused chain nothing is handed on, not even the parts that would stand by themselves.
            claims=tuple(claims[key] for key in sorted(claims)) if cause is None else (),
        )

    def _shown(self, thing: _Thing) -> list[_Candidate]:
        """Give what the drawing follows: the selection, or for each requirement the candidate that came closest."""
        if thing.accepted is not None:
            return [c for number in sorted(thing.selected) for c in thing.selected[number]]
        closest = []
        for candidates in thing.candidates.values():
            sound = [c for c in candidates if not c.complaints]
            closest.extend(sorted(sound, key=lambda c: c.broken is not None)[:1])
        return closest

    def _state(self, thing: _Thing) -> State:
        if thing.trimmed:
            return State.TRIMMED
        if thing.accepted is not None:
            return State.VERIFIED
        return State.FAILED if any(thing.candidates.values()) else State.MISSING

    def _cause(self, thing: _Thing) -> Finding:
        """Say why a thing is not accepted: follow the best candidate of each down to the link that breaks."""
        path: dict[_Thing, None] = {}
        step: _Thing | Finding = thing
        while isinstance(step, _Thing):
            if step in self._causes:
                step = self._causes[step]
            elif step in path:
                step = _cycle(step, list(path))
            else:
                path[step] = None
                step = self._next(step)
        # What stands above a broken link breaks for the same reason.
        self._causes.update(dict.fromkeys(path, step))
        return step

    def _next(self, thing: _Thing) -> _Thing | Finding:
        """Give why a thing is not accepted, or the parent that must be asked instead."""
        if thing.rule is None:
            kinds = sorted({thing.reference.kind, *self._without_rule})
            return _finding(
                "chain.no-rule",
                thing,
                found=f"no rule for kind {', '.join(kinds)}",
                wanted="a rule or a trim",
                do=self._advice(thing, f"add {', '.join(f'nodes.{kind}' for kind in kinds)} to the policy"),
            )
        if thing.rule.trim is not None:
            until = thing.rule.trim.until
            place = f"nodes.{thing.reference.kind}"
            found, advice = "the thing asked about", f"ask about what was made from it, or give {place} requirements"
            if until is not None and thing.depth > 0:
                found = f"a trim until {format_time(until)}"
                advice = f"set a later `until` if the cut is still right, or give {place} requirements"
            return _finding("chain.trim", thing, found=found, wanted="evidence", do=advice)
        for number, requirement in enumerate(thing.requirements):
            sound = [c for c in thing.candidates[number] if not c.complaints]
            supported = [c for c in sound if c.broken is None]
            if not self._pick(supported, requirement):
                return self._next_of(thing, requirement, number, sound, supported)
        raise AssertionError("an accepted thing has no cause")  # pragma: no cover  # _improve accepts it

    @cached_property
    def _without_rule(self) -> frozenset[str]:
        """The kinds without a rule among what the drawing shows: they are told together, not one after the other."""
        seen, left = {self._root}, [self._root]
        while left:
            new = {p for c in self._shown(left.pop()) for p in c.parents} - seen
            seen |= new
            left += new
        return frozenset(thing.reference.kind for thing in seen if thing.rule is None)

    def _next_of(
        self,
        thing: _Thing,
        requirement: Requirement,
        number: int,
        sound: Sequence[_Candidate],
        supported: Sequence[_Candidate],
    ) -> _Thing | Finding:
        if supported:
            names = sorted({c.claim.signer.described for c in supported})
            return _finding(
                "policy.threshold",
                thing,
                rule="signed_by",
                found=f"signed by {', '.join(names)}",
                wanted=f"{requirement.signed_by.count} distinct of {', '.join(self._wanted(requirement))}",
                do="have it endorsed by the others",
            )
        for candidate in sound:
            parent = candidate.broken
            if parent is None:  # pragma: no cover  # it would be supported
                continue
            if candidate.starts is None and self._policy.times == "verified" and parent.rule is not None:
                return self._timeless(thing, candidate)  # whatever else it lacks: no evidence would help
            if parent.accepted is None:
                return parent
            return _finding(
                "chain.causality",
                parent,
                found=f"attested by {format_time(parent.accepted)}",
                wanted=f"before the run started at {format_time(candidate.starts or _ALWAYS)}",
                do="attest inputs before they are used",
            )
        if thing.candidates[number]:
            # Every candidate has a complaint: the one with the fewest came closest.
            closest = min(thing.candidates[number], key=lambda c: (len(c.complaints), c.order))
            first = closest.complaints[0]
            return _finding(first.code, thing, rule=first.rule, found=first.found, wanted=first.wanted, do=first.do)
        return self._nothing(thing, requirement)

    def _timeless(self, thing: _Thing, candidate: _Candidate) -> Finding:
        """Say that a run does not tell when it started, although it was made from what must be attested before."""
        kinds = ", ".join(sorted({p.reference.kind for p in candidate.parents if not p.trimmed}))
        cuts = ", ".join(f"nodes.{kind}" for kind in kinds.split(", "))
        return _finding(
            "chain.causality",
            thing,
            found=f"no startedOn, in a run from what must be attested before it: {kinds}",
            wanted="the time when the run started, as its builder says",
            do=f"have the builder say startedOn; where it never does (GitHub, npm), trim {cuts} in the policy, or "
            "accept by `times: claimed` that the order is not proved",
        )

    def _nothing(self, thing: _Thing, requirement: Requirement) -> Finding:
        """No claim of this type about it: say that one was refused, or is about other bytes, or that there is none."""
        if _is_nameless(thing.reference):
            return _finding(
                "chain.no-attestation",
                thing,
                found=f"only {thing.reference.digests.label} to find one by",
                wanted="a digest that identifies it",
                do="have the run name the input by a digest of its bytes: git ids identify code alone",
            )
        digests = thing.reference.digests
        item = self._clues.refused(digests, requirement.predicate)
        if item is not None:
            found = f"the {requirement.predicate} in {item.origin} proves nothing: {item.error.says}"
            return _finding(item.error.code, thing, found=found, wanted="one that does", do=item.error.do)
        other = self._clues.namesake(thing.name, digests.form, requirement.predicate)
        if other is not None:
            wanted, advice = f"{other.label}, as attested", self._advice(thing, SubjectMismatch.advice)
            return _finding(SubjectMismatch.code, thing, found=digests.label, wanted=wanted, do=advice)
        label = f" ({requirement.label})" if requirement.label else ""
        advice = "add the attestation to the evidence, or its signer's key to the trust"
        if versions := sorted(self._clues.versions(digests, requirement.predicate))[:_TOLD_VERSIONS]:
            advice = f"the evidence holds {', '.join(versions)} about it: ask for that, if it will do, or else {advice}"
        others = f"; {len(self._refused)} items of the evidence prove nothing" if self._refused else ""
        return _finding(
            "chain.no-attestation",
            thing,
            found=f"no verified {requirement.predicate}{label} about {thing.reference.digests.label}{others}",
            wanted=f"one signed by {' or '.join(self._wanted(requirement))}",
            do=self._advice(thing, advice),
        )

    @cached_property
    def _clues(self) -> _Clues:
        return _Clues(self._index.claims, self._refused)

    def _advice(self, thing: _Thing, otherwise: str) -> str:
        """Add that the thing may have been asked about as another kind than it is. Advice alone: it decides nothing."""
        if thing is not self._root:
            return otherwise  # the kind of anything else is its producer's word, and was signed
        mine = {r.predicate for r in thing.requirements}
        said = self._clues.types(thing.reference.digests) - mine
        kinds = {k for k, rule in self._policy.nodes.items() if said & {r.predicate for r in rule.require}}
        kinds |= self._clues.roles(thing.reference.digests)
        others = sorted(kinds - {thing.reference.kind})
        if not others:
            return otherwise
        several = " or ".join(f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in others)
        options = " or ".join(f"--kind {kind}" for kind in others)
        return f"the evidence speaks of {several}: if it is one, ask about it as one ({options}); or else {otherwise}"

    def _wanted(self, requirement: Requirement) -> tuple[str, ...]:
        return wanted_of(requirement.signed_by, self._policy)

    def _contradictions(self) -> Iterable[Finding]:
        """Warn where accepted signers say different things about how one thing was made."""
        for thing in self._things.values():
            for candidates in thing.candidates.values():
                runs = {
                    (c.claim.predicate.builder_id, c.claim.predicate.build_type)
                    for c in candidates
                    if not c.complaints and isinstance(c.claim.predicate, Run)
                }
                if len(runs) > 1:
                    yield Finding(
                        code="chain.contradiction",
                        tier=Tier.WARNING,
                        subject=thing.name,
                        found="; ".join(sorted(" ".join(run) for run in runs)),
                        wanted="one account of how it was made",
                    )


def _holds(parent: _Thing, child: _Candidate) -> bool:
    """Tell whether a parent was cut away, or is accepted and was attested before the run started.

    What needs no witness constrains nothing. A run that does not tell when it started is after nothing that has a time:
    it stands only where there is nothing to compare.
    """
    if parent.trimmed or parent.accepted is None:
        return parent.trimmed
    return parent.accepted == _ALWAYS or (child.starts is not None and parent.accepted <= child.starts)


def _cycle(thing: _Thing, path: list[_Thing]) -> Finding:
    names = [t.name for t in path[path.index(thing) :]] + [thing.name]
    if len(names) > _TOLD_NAMES:
        names[_TOLD_NAMES // 2 : -_TOLD_NAMES // 2] = ["…"]
    return _finding("chain.cycle", thing, found=" ← ".join(names), wanted="a chain that ends", do="")


def _is_nameless(reference: Reference) -> bool:
    """Tell whether nothing identifies the thing. A git id, mostly SHA-1, is enough for code and for nothing else."""
    digests = reference.digests
    return not digests.identity or (digests.form is Form.GIT and reference.kind != "code")


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


def _finding(code: str, thing: _Thing, *, found: str, wanted: str, do: str, rule: str = "") -> Finding:
    place = f"nodes.{thing.reference.kind}" + (f".{rule}" if rule else "")
    subject_name = f"{thing.reference.kind} {thing.name}"
    tier = Tier.CONTRAINDICATED
    return Finding(code=code, tier=tier, subject=subject_name, rule=place, found=found, wanted=wanted, do=do)


class _Drawing:
    """Collects nodes and edges, each once."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._edges: dict[Edge, None] = {}

    def thing(self, thing: _Thing, state: State, findings: tuple[Finding, ...], shown: Sequence[_Candidate]) -> None:
        identity = thing.reference.identity
        own = [c for c in shown if not isinstance(c.claim.predicate, Run)]
        self._add(
            Node(
                identity=identity,
                kind=thing.reference.kind,
                name=thing.name,
                digests=tuple(map(str, thing.reference.digests)),
                state=state,
                evidence=tuple(_evidence(c) for c in own),
                findings=findings,
            )
        )
        for candidate in shown:
            # What is shown satisfies its requirement by itself: a run stands as soon as its inputs do, and its builder
            # by its signer's word, also where what the run made lacks something else.
            stands = State.VERIFIED if candidate.broken is None else State.FAILED
            run = candidate.claim.predicate
            made_by = identity
            if isinstance(run, Run):
                made_by = self._run(identity, candidate, run, stands)
            for parent in candidate.parents:
                self._edges[Edge(child=made_by, parent=parent.reference.identity, role=parent.reference.kind)] = None
            if isinstance(run, Run):
                self._builder(made_by, candidate.claim, run)

    def _run(self, child: str, candidate: _Candidate, run: Run, state: State) -> str:
        """A run node is one verified payload, with everybody who signed it."""
        identity = f"run {candidate.claim.key[0]}"
        name = run.invocation_id or run.build_type or run.builder_id
        evidence = (_evidence(candidate),)
        self._add(Node(identity=identity, kind="run", name=name, digests=(), state=state, evidence=evidence))
        self._edges[Edge(child=child, parent=identity, role="run")] = None
        return identity

    def _builder(self, run_identity: str, claim: Claim, run: Run) -> None:
        """A builder stands behind its run as the run's signer's word."""
        identity = f"builder {run.builder_id} {claim.signer.principal}"
        name = f"{run.builder_id} (signed by {claim.signer.label})"
        self._add(Node(identity=identity, kind="builder", name=name, digests=(), state=State.VERIFIED))
        self._edges[Edge(child=run_identity, parent=identity, role="builder")] = None

    def _add(self, node: Node) -> None:
        """Add a node. One that is there already stands if it does anywhere, and rests on all of its evidence."""
        known = self._nodes.get(node.identity)
        if known is not None:
            state = State.VERIFIED if State.VERIFIED in (known.state, node.state) else node.state
            evidence = tuple(dict.fromkeys((*known.evidence, *node.evidence)))
            node = replace(node, state=state, evidence=evidence)
        self._nodes[node.identity] = node

    def graph(self, root: _Thing) -> Graph:
        return Graph(root=root.reference.identity, nodes=tuple(self._nodes.values()), edges=tuple(self._edges))


def _evidence(candidate: _Candidate) -> Evidence:
    claim = candidate.claim
    return Evidence(
        payload_sha256=claim.key[0],
        predicate_type=claim.statement.predicate_type,
        label=claim.statement.subjects[0].label,
        principal=claim.signer.principal,
        names=tuple(sorted(claim.signer.names)) or (claim.signer.label,),
        signed_by="" if claim.signed_by is None else format_time(claim.signed_by),
        requirement=candidate.label,
    )
