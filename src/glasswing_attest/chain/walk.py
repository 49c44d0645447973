"""Is every required ancestor attested by someone trusted for that?

The walk has three parts. *Explore*: from the root, hold every claim about a thing against the policy's rule for its
kind, and follow the dependencies of those that satisfy it by themselves. *Settle*: the least fixed point of "a thing
is accepted when each requirement has claims all of whose parents are accepted, in time"; a cycle supports nothing, and
the order of the evidence cannot matter. The value of an accepted thing is the earliest time by which its own evidence
is proved to have existed, so that a run can be asked to have started later. *Draw*: the graph of one consistent
selection, or of what is missing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from glasswing_attest._wire import format_time
from glasswing_attest.artifact.digest import Digest, DigestSet, Form
from glasswing_attest.chain.edges import Reference, in_scope, references
from glasswing_attest.chain.graph import Edge, Evidence, Graph, Node, State
from glasswing_attest.claims import Claim
from glasswing_attest.errors import GlasswingError, SubjectMismatch
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import Limits
from glasswing_attest.policy.policy import NodeRule, Policy, Requirement
from glasswing_attest.policy.rules import complaints
from glasswing_attest.policy.rules.signed_by import enough
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification import subject

__all__ = ["Chain", "Refused", "walk"]

_ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Stands for "no witness was asked for": under ``times: claimed`` it constrains nothing."""


@dataclass(slots=True, eq=False)
class _Candidate:
    """A claim about a thing, held against one requirement."""

    claim: Claim
    complaints: tuple[Finding, ...]
    parents: tuple[tuple[Reference, str], ...]

    @property
    def starts(self) -> datetime | None:
        # What is no run has no start of its own: whatever it rests on is at least no younger than itself.
        run = self.claim.predicate
        return run.started_on if isinstance(run, Provenance) else self.claim.signed_by

    @property
    def order(self) -> tuple[datetime, str, str, str]:
        return (self.claim.signed_by or _ALWAYS, *self.claim.key)


@dataclass(slots=True, eq=False)
class _Thing:
    """A reference while the walk works on it."""

    reference: Reference
    name: str
    depth: int
    rule: NodeRule | None
    candidates: dict[int, list[_Candidate]] = field(default_factory=dict)
    wanted_by: list[_Thing] = field(default_factory=list)
    accepted: datetime | None = None
    selected: dict[int, tuple[_Candidate, ...]] = field(default_factory=dict)
    trimmed: bool = False

    @property
    def requirements(self) -> Sequence[Requirement]:
        return () if self.rule is None else self.rule.require


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An item of the pile that proved nothing: its unverified statement, where it has one, serves messages only."""

    origin: str
    error: GlasswingError
    statement: Statement | None


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
        # For each digest, which claim speaks of it in which of its subjects: a statement may have a thousand.
        self._by_digest: dict[tuple[Form, Digest], list[tuple[int, int]]] = {}
        for number, claim in enumerate(self.claims):
            for place, said in enumerate(claim.statement.subjects):
                for digest in said.digest.identity:
                    self._by_digest.setdefault((said.digest.form, digest), []).append((number, place))

    def about(self, digests: DigestSet) -> list[Claim]:
        places: dict[int, list[int]] = {}
        for digest in digests.identity:
            for number, place in self._by_digest.get((digests.form, digest), ()):
                places.setdefault(number, []).append(place)
        return [c for n in sorted(places) if _matches(c := self.claims[n], digests, places[n])]


def _matches(claim: Claim, digests: DigestSet, among: Iterable[int]) -> bool:
    try:
        subject.match(claim.verified, digests, among=among)
    except SubjectMismatch:
        return False
    return True


class _Hints:
    """What is no evidence but explains its absence: refused items by what they speak of, and subjects by their names.

    Built once, since a pile of junk may be as large as what it is held against.
    """

    def __init__(self, claims: Iterable[Claim], refused: Iterable[Refused]) -> None:
        self._refused: dict[tuple[str, Form, Digest], list[tuple[Refused, DigestSet]]] = {}
        self._named: dict[tuple[str, Form, str], DigestSet] = {}
        for item in refused:
            if item.statement is None:
                continue
            for told in item.statement.subjects:
                for digest in told.digest.identity:
                    key = (item.statement.predicate_type, told.digest.form, digest)
                    self._refused.setdefault(key, []).append((item, told.digest))
        for claim in claims:
            for told in claim.statement.subjects:
                if told.name:
                    self._named.setdefault((claim.statement.predicate_type, told.digest.form, told.name), told.digest)

    def refused(self, predicate_type: str, digests: DigestSet) -> Refused | None:
        """Give a refused item that speaks of this; of several, one that does not depend on their order."""
        keys = [(predicate_type, digests.form, digest) for digest in digests.identity]
        found = [item for key in keys for item, told in self._refused.get(key, ()) if told.matches(digests)]
        return min(found, key=lambda item: (item.error.code, item.origin), default=None)

    def named(self, predicate_type: str, digests: DigestSet, name: str) -> DigestSet | None:
        """Give the digests of what is called the same, in a claim of this type."""
        return self._named.get((predicate_type, digests.form, name))


def walk(
    root: Reference,
    name: str,
    claims: Iterable[Claim],
    policy: Policy,
    *,
    at: datetime,
    limits: Limits,
    refused: Sequence[Refused] = (),
) -> Chain:
    """Walk the chain of `root`. `at` is the time against which trims and claimed times are held.

    `refused` is what proved nothing; it makes a "no" clearer and can never make a "yes".

    Raises:
        LimitError: more things, claims or steps than `limits` allow; nothing is decided then.
    """
    walker = _Walk(_Index(claims), policy, at, limits, refused)
    walker.explore(root, name)
    walker.settle()
    return walker.draw()


class _Walk:
    def __init__(self, index: _Index, policy: Policy, at: datetime, limits: Limits, refused: Sequence[Refused]) -> None:
        self._refused = refused
        self._index = index
        self._policy = policy
        self._at = at
        self._limits = limits
        self._things: dict[Reference, _Thing] = {}
        self._candidates = 0

    @cached_property
    def _hints(self) -> _Hints:
        return _Hints(self._index.claims, self._refused)

    # --- explore -----------------------------------------------------------------------------------------------------

    def explore(self, root: Reference, name: str) -> None:
        self._root = self._meet(root, name, 0)
        queue = deque([self._root])
        while queue:
            thing = queue.popleft()
            for number, requirement in enumerate(thing.requirements):
                thing.candidates[number] = self._candidates_for(thing, requirement)
                for candidate in thing.candidates[number]:
                    queue.extend(self._parents_of(candidate, thing))

    def _meet(self, reference: Reference, name: str, depth: int) -> _Thing:
        rule = self._policy.nodes.get(reference.kind)
        thing = _Thing(reference=reference, name=name, depth=depth, rule=rule)
        trim = None if rule is None else rule.trim
        # The root is what was asked about: it is never cut away.
        thing.trimmed = depth > 0 and trim is not None and (trim.until is None or self._at <= trim.until)
        self._things[reference] = thing
        self._limits.check("nodes", len(self._things), where=reference.identity)
        self._limits.check("depth", depth, where=reference.identity)
        return thing

    def _candidates_for(self, thing: _Thing, requirement: Requirement) -> list[_Candidate]:
        found = []
        if _is_nameless(thing.reference):
            return []
        for claim in self._index.about(thing.reference.digests):
            if claim.statement.predicate_type != requirement.predicate:
                continue
            self._candidates += 1
            self._limits.check("candidates", self._candidates, where=thing.reference.identity)
            found.append(
                _Candidate(
                    claim=claim,
                    complaints=(
                        *complaints(claim, requirement, self._policy, self._at),
                        *_scope(claim, thing.reference),
                    ),
                    parents=references(claim),
                )
            )
        return sorted(found, key=lambda c: c.order)

    def _parents_of(self, candidate: _Candidate, child: _Thing) -> list[_Thing]:
        if candidate.complaints:
            return []
        new = []
        for reference, name in candidate.parents:
            parent = self._things.get(reference)
            if parent is None:
                parent = self._meet(reference, name, child.depth + 1)
                new.append(parent)
            parent.wanted_by.append(child)
        return new

    # --- settle ------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        # Deepest first, so that an honest chain settles in one pass; later changes go through the queue.
        order = sorted(self._things.values(), key=lambda t: -t.depth)
        queue = deque(order)
        waiting = set(map(id, order))
        steps = 0
        while queue:
            thing = queue.popleft()
            waiting.discard(id(thing))
            steps += 1
            self._limits.check("steps", steps, where=thing.reference.identity)
            if not self._improve(thing):
                continue
            for child in thing.wanted_by:
                if id(child) not in waiting:
                    waiting.add(id(child))
                    queue.append(child)

    def _improve(self, thing: _Thing) -> bool:
        """Accept the thing, or accept it for an earlier time than before. Tell whether anything changed."""
        if thing.trimmed or not thing.requirements:
            return False
        selected: dict[int, tuple[_Candidate, ...]] = {}
        value = _ALWAYS
        for number, requirement in enumerate(thing.requirements):
            supported = [c for c in thing.candidates[number] if not c.complaints and not self._broken(c)]
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

    def _broken(self, candidate: _Candidate) -> tuple[Reference, str] | None:
        """Give the first parent that does not hold, or None where all do."""
        return next((p for p in candidate.parents if not self._holds(p[0], candidate)), None)

    def _holds(self, reference: Reference, child: _Candidate) -> bool:
        parent = self._things[reference]
        if parent.trimmed:
            return True
        if parent.accepted is None:
            return False
        return self._in_time(parent, child)

    def _in_time(self, parent: _Thing, child: _Candidate) -> bool:
        """What went into a run was attested before the run started, as far as witnesses tell."""
        return child.starts is None or parent.accepted is None or parent.accepted <= child.starts

    # --- draw --------------------------------------------------------------------------------------------------------

    def draw(self) -> Chain:
        drawing = _Drawing(self._policy)
        path: list[_Thing] = []
        cause = None if self._root.accepted is not None else self._cause(self._root, path)
        queue = deque([self._root])
        seen = {self._root.reference}
        claims: dict[tuple[str, ...], Claim] = {}
        while queue:
            thing = queue.popleft()
            shown = self._shown(thing)
            findings = () if thing.accepted is not None or thing.trimmed else (self._cause(thing, []),)
            drawing.thing(thing, self._state(thing), findings, shown)
            for candidate in shown:
                if thing.accepted is not None:
                    claims.setdefault(candidate.claim.key[:2], candidate.claim)
                for reference, _ in candidate.parents:
                    if reference not in seen:
                        seen.add(reference)
                        queue.append(self._things[reference])
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
            closest.extend(sorted(sound, key=lambda c: self._broken(c) is not None)[:1])
        return closest

    def _state(self, thing: _Thing) -> State:
        if thing.trimmed:
            return State.TRIMMED
        if thing.accepted is not None:
            return State.VERIFIED
        return State.FAILED if any(thing.candidates.values()) else State.MISSING

    def _cause(self, thing: _Thing, path: list[_Thing]) -> Finding:
        """Say why a thing is not accepted: follow its best candidate down to the link that breaks."""
        if thing in path:
            names = [t.name for t in path[path.index(thing) :]] + [thing.name]
            return _finding("chain.cycle", thing, found=" ← ".join(names), wanted="a chain that ends", do="")
        path.append(thing)
        if thing.rule is None:
            kind = thing.reference.kind
            return _finding(
                "chain.no-rule",
                thing,
                found=f"no rule for kind {kind}",
                wanted="a rule or a trim",
                do=f"add nodes.{kind} to the policy",
            )
        if thing.rule.trim is not None:
            until = thing.rule.trim.until
            found = (
                "the thing asked about" if until is None or thing.depth == 0 else f"a trim until {format_time(until)}"
            )
            return _finding("chain.trim", thing, found=found, wanted="evidence", do="give this kind requirements")
        for number, requirement in enumerate(thing.requirements):
            sound = [c for c in thing.candidates[number] if not c.complaints]
            supported = [c for c in sound if not self._broken(c)]
            if self._pick(supported, requirement):
                continue
            return self._cause_of(thing, requirement, number, sound, supported, path)
        raise AssertionError("an accepted thing has no cause")  # pragma: no cover  # _improve accepts it

    def _cause_of(
        self,
        thing: _Thing,
        requirement: Requirement,
        number: int,
        sound: Sequence[_Candidate],
        supported: Sequence[_Candidate],
        path: list[_Thing],
    ) -> Finding:
        if supported:
            names = sorted({n for c in supported for n in c.claim.signer.names})
            return _finding(
                "policy.threshold",
                thing,
                rule="signed_by",
                found=f"signed by {', '.join(names)}",
                wanted=f"{requirement.signed_by.count} distinct of {', '.join(requirement.signed_by.names)}",
                do="have it endorsed by the others",
            )
        for candidate in sound:
            broken = self._broken(candidate)
            if broken is None:  # pragma: no cover  # it would be supported
                continue
            parent = self._things[broken[0]]
            if parent.accepted is None:
                return self._cause(parent, path)
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
        hints = self._hints
        if item := hints.refused(requirement.predicate, thing.reference.digests):
            found = f"the {requirement.predicate} in {item.origin} proves nothing: {item.error.says}"
            return _finding(item.error.code, thing, found=found, wanted="one that does", do=item.error.do)
        if other := hints.named(requirement.predicate, thing.reference.digests, thing.name):
            return _finding(
                SubjectMismatch.code,
                thing,
                found=thing.reference.digests.label,
                wanted=f"{other.label}, as attested",
                do=SubjectMismatch.advice,
            )
        label = f" ({requirement.label})" if requirement.label else ""
        others = f"; {len(self._refused)} items of the evidence prove nothing" if self._refused else ""
        return _finding(
            "chain.no-attestation",
            thing,
            found=f"no verified {requirement.predicate}{label} about {thing.reference.digests.label}{others}",
            wanted=f"one signed by {' or '.join(requirement.signed_by.names)}",
            do="add the attestation to the evidence, or its signer's key to the trust",
        )

    def _contradictions(self) -> Iterable[Finding]:
        """Warn where accepted signers say different things about how one thing was made."""
        for thing in self._things.values():
            for candidates in thing.candidates.values():
                runs = {
                    (c.claim.predicate.builder_id, c.claim.predicate.build_type)
                    for c in candidates
                    if not c.complaints and isinstance(c.claim.predicate, Provenance)
                }
                if len(runs) > 1:
                    yield Finding(
                        code="chain.contradiction",
                        tier=Tier.WARNING,
                        subject=thing.name,
                        found="; ".join(sorted(" ".join(run) for run in runs)),
                        wanted="one account of how it was made",
                    )


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
            found=claim.scope,
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

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._nodes: dict[str, Node] = {}
        self._edges: dict[Edge, None] = {}

    def thing(self, thing: _Thing, state: State, findings: tuple[Finding, ...], shown: Sequence[_Candidate]) -> None:
        identity = thing.reference.identity
        own = [c for c in shown if not isinstance(c.claim.predicate, Provenance)]
        self._nodes[identity] = Node(
            identity=identity,
            kind=thing.reference.kind,
            name=thing.name,
            digests=tuple(map(str, thing.reference.digests)),
            state=state,
            evidence=tuple(_evidence(c.claim) for c in own),
            findings=findings,
        )
        for candidate in shown:
            if isinstance(candidate.claim.predicate, Provenance):
                stands = state is State.VERIFIED
                self._run(identity, candidate, candidate.claim.predicate, State.VERIFIED if stands else State.FAILED)

    def _run(self, child: str, candidate: _Candidate, run: Provenance, state: State) -> None:
        """A run node is one verified payload; its builder stands behind it as its signer's word."""
        claim = candidate.claim
        identity, builder = f"run {claim.statement.digest}", f"builder {run.builder_id} {claim.signer.principal}"
        evidence = (_evidence(claim),)
        name = run.invocation_id or run.build_type
        self._nodes[identity] = Node(
            identity=identity, kind="run", name=name, digests=(), state=state, evidence=evidence
        )
        names = ", ".join(sorted(claim.signer.names))
        self._nodes[builder] = Node(
            identity=builder,
            kind="builder",
            name=f"{run.builder_id} (signed by {names})",
            digests=(),
            state=State.VERIFIED,
        )
        self._edges[Edge(child=child, parent=identity, role="run")] = None
        for reference, _ in candidate.parents:
            self._edges[Edge(child=identity, parent=reference.identity, role=reference.kind)] = None
        self._edges[Edge(child=identity, parent=builder, role="builder")] = None

    def graph(self, root: _Thing) -> Graph:
        return Graph(root=root.reference.identity, nodes=tuple(self._nodes.values()), edges=tuple(self._edges))


def _evidence(claim: Claim) -> Evidence:
    return Evidence(
        payload_sha256=claim.statement.digest,
        predicate_type=claim.statement.predicate_type,
        label=claim.statement.subjects[0].label,
        principal=claim.signer.principal,
        names=tuple(sorted(claim.signer.names)),
        signed_by="" if claim.signed_by is None else format_time(claim.signed_by),
    )
