"""Why does it not stand?

For a no alone: nothing here decides. From a thing that is not accepted, the candidate that came closest is followed
down to the link that breaks; what stands above it breaks for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from glasswing_attest._wire import format_time
from glasswing_attest.chain.clues import Clues
from glasswing_attest.chain.explore import Explored
from glasswing_attest.chain.index import Index
from glasswing_attest.chain.refused import Refused
from glasswing_attest.chain.select import picked
from glasswing_attest.chain.thing import ALWAYS, Basis, Candidate, Thing, Wanted, is_nameless, name_within
from glasswing_attest.claims import Claim
from glasswing_attest.errors import FormatUnsupported, LimitError, MalformedError, SubjectMismatch, counted, shown
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import Budget
from glasswing_attest.policy.findings import told
from glasswing_attest.policy.paths import value_at, write_path
from glasswing_attest.policy.policy import Policy, Requirement
from glasswing_attest.policy.rules.signed_by import wanted_of

__all__ = ["Explanation", "too_late"]

_TOLD_NAMES = 16
"""So many names of a cycle are told."""

_TOLD_DIGEST, _TOLD_ORIGIN = 12, 200
"""So much of what names a piece of evidence is told."""

_TOLD_OTHERS = 3
"""So many other things of which evidence speaks are told."""

_TOLD_STATEMENTS = 2
"""So many statements of each requirement are told where none agree."""

_TOLD_NAME = 80
"""So much of a name is told within a sentence: whoever chose it may have chosen any."""

_SHARDS = "verify a model that was signed by shards with `glasswing-attest oms verify` (`glasswing_attest.oms`)"

_TOLD_VERSIONS = 3
"""So many other versions of a predicate type are told."""

_TOLD_SIGNERS = 8
"""So many signers of too few are told."""


class Explanation:
    """What is told of things that are not accepted, each cause found once."""

    def __init__(
        self,
        explored: Explored,
        index: Index,
        policy: Policy,
        refused: Sequence[Refused],
        origin: Callable[[Claim], str],
        budget: Budget,
    ) -> None:
        self._root = explored.root
        self._index = index
        self._policy = policy
        self._refused = refused
        self._origin = origin
        self._budget = budget
        self._causes: dict[Thing, Finding] = {}
        self._nearest: dict[Thing, tuple[Wanted, ...]] = {}

    def cause(self, thing: Thing) -> Finding:
        """Say why a thing is not accepted: follow the best candidate of each down to the link that breaks.

        Raises:
            LimitError: to find it takes more steps than the budget has.
        """
        path: dict[Thing, None] = {}
        step: Thing | Finding = thing
        while isinstance(step, Thing):
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

    def shown(self, thing: Thing) -> list[Candidate]:
        """Give what a drawing follows: the selection, or what came closest of all that is wanted in one alternative."""
        if thing.accepted is not None:
            return list(thing.selected)
        return [candidate for wanted in self._closest(thing) for candidate in _nearest(wanted)]

    def _closest(self, thing: Thing) -> tuple[Wanted, ...]:
        """Give the alternative of which most is met; then the one with the fewest complaints; of several, the first."""
        if len(thing.alternatives) < 2:
            return next(iter(thing.alternatives), ())
        if thing in self._nearest:
            return self._nearest[thing]

        def met(alternative: Sequence[Wanted]) -> tuple[float, ...]:
            stages = (self._picked, lambda w: bool(w.sound), lambda w: bool(w.candidates))
            complaints = sum(min((len(c.complaints) for c in w.candidates), default=0) for w in alternative)
            return (*(sum(map(stage, alternative)) / len(alternative) for stage in stages), -complaints)

        return self._nearest.setdefault(thing, max(thing.alternatives, key=met))

    def _picked(self, wanted: Wanted) -> bool:
        return bool(picked(wanted.supported, wanted.requirement, self._policy, self._budget))

    def _next(self, thing: Thing) -> Thing | Finding:
        """Give why a thing is not accepted, or the parent that must be asked instead."""
        if thing.contradiction is not None:
            return thing.contradiction
        if thing.rule is None:
            kinds = sorted({thing.reference.kind, *self._without_rule})
            return _finding(
                "chain.no-rule",
                thing,
                found=f"no rule for kind {', '.join(kinds)}{self._counted_as(thing)}",
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
        alternative = self._closest(thing)
        for wanted in alternative:
            if not self._picked(wanted):
                return self._next_of(thing, wanted)
        return self._different(thing, alternative)

    def _counted_as(self, thing: Thing) -> str:
        """Say that the run gives the thing a role that is none, which may be a slip of the pen."""
        roles = sorted(self._clues.unknown_roles(thing.reference.digests))[:_TOLD_OTHERS]
        told = ", ".join(shown(role, _TOLD_NAME) for role in roles)
        return f": the run gives it the role {told}, no known one, so it counts as dependency" if roles else ""

    @cached_property
    def _without_rule(self) -> frozenset[str]:
        """The kinds without a rule among what the drawing shows: they are told together, not one after the other."""
        seen, left = {self._root}, [self._root]
        followed: set[Basis] = set()
        while left:
            bases = {candidate.basis for candidate in self.shown(left.pop())} - followed
            followed |= bases
            new = {parent for basis in bases for parent in basis.parents} - seen
            seen |= new
            left += new
        return frozenset(thing.reference.kind for thing in seen if thing.rule is None)

    def _next_of(self, thing: Thing, wanted: Wanted) -> Thing | Finding:
        requirement = wanted.requirement
        if supported := wanted.supported:
            return self._too_few(thing, wanted, supported)
        for candidate in wanted.sound:
            basis = candidate.basis
            parent = basis.broken
            if parent is None:  # pragma: no cover  # it would be supported
                continue
            if basis.starts is None and self._policy.times == "verified" and parent.rule is not None:
                # Whatever else it lacks: no evidence would help.
                return self._of(_timeless(thing, basis), wanted, thing, candidate)
            return parent if parent.accepted is None else too_late(parent, basis)
        if wanted.candidates:
            # Every candidate has a complaint: the one with the fewest came closest.
            closest = min(wanted.candidates, key=lambda c: (len(c.complaints), c.order))
            first = closest.complaints[0]
            told = _finding(first.code, thing, rule=first.rule, found=first.found, wanted=first.wanted, do=first.do)
            return self._of(told, wanted, thing, closest)
        return self._of(self._nothing(thing, requirement), wanted, thing)

    def _of(self, finding: Finding, wanted: Wanted, thing: Thing, candidate: Candidate | None = None) -> Finding:
        """Say which requirement of several is not met, and by which evidence."""
        evidence = "" if candidate is None else self._source(candidate.claim)
        return replace(finding, requirement=name_within(thing, wanted.requirement), evidence=evidence)

    def _source(self, claim: Claim) -> str:
        payload = f"sha256:{claim.key[0][:_TOLD_DIGEST]}"
        origin = self._origin(claim)
        return f"{shown(origin, _TOLD_ORIGIN)} ({payload})" if origin else payload

    def _too_few(self, thing: Thing, wanted: Wanted, supported: Sequence[Candidate]) -> Finding:
        """Say who signed, and what is wrong with what another of those signed who are asked for."""
        rule = wanted.requirement.signed_by
        names = sorted({c.claim.signer.described for c in supported})
        found = f"signed by {', '.join((*names[:_TOLD_SIGNERS], *(['…'] if len(names) > _TOLD_SIGNERS else [])))}"
        advice = "have it endorsed by the others"
        closest = supported[0]
        known = {c.claim.signer.principal for c in supported}
        others = [
            c
            for c in wanted.candidates
            if c.claim.signer.principal not in known
            and all(complaint.rule != "signed_by" for complaint in c.complaints)
        ]
        if others:
            closest = min(others, key=lambda c: (len(c.complaints), c.order))
            found += f"; what {closest.claim.signer.described} signed does not count: {_lacks(closest)}"
            advice = "put that right, or have it endorsed by others"
        is_split = rule.over == "same_statement" and len({c.claim.key[0] for c in supported}) > 1
        one = ", under one and the same statement" if is_split else ""
        told = _finding(
            "policy.threshold",
            thing,
            rule="signed_by",
            found=found,
            wanted=f"{rule.count} distinct of {', '.join(self._whom(wanted.requirement))}{one}",
            do=advice,
        )
        return self._of(told, wanted, thing, closest)

    def _different(self, thing: Thing, alternative: Sequence[Wanted]) -> Finding:
        """Say that all that is wanted is there, but not with the same values where the policy asks for that."""
        numbers = sorted({number for wanted in alternative for number, _ in wanted.same})
        said = dict.fromkeys(each for wanted in alternative for each in _compared(wanted))
        return _finding(
            "policy.same",
            thing,
            rule="same",
            found=f"statements that would each do, but say different things there: {'; '.join(said)}",
            wanted="; ".join(f"one value for {', '.join(self._policy.same[number])}" for number in numbers),
            do="use attestations of the same thing, made of the same run or commit",
        )

    def _nothing(self, thing: Thing, requirement: Requirement) -> Finding:
        """No claim of this type about it: say that one was refused, or is about other bytes, or that there is none."""
        if is_nameless(thing.reference):
            return _finding(
                "chain.no-attestation",
                thing,
                found=f"only {shown(thing.reference.digests.label, _TOLD_NAME)} to find one by",
                wanted="a digest that identifies it",
                do="have the run name the input by a digest of its bytes: git ids identify code alone",
            )
        digests = thing.reference.digests
        item = self._clues.refused(digests, requirement.predicate)
        if item is not None:
            found = f"the {requirement.predicate} in {item.origin} proves nothing: {_reason(item)}"
            return _finding(item.error.code, thing, found=found, wanted="one that does", do=item.error.do)
        other = self._clues.namesake(thing.name, digests.form, requirement.predicate)
        if other is not None:
            wanted = f"{shown(other.label, _TOLD_NAME)}, as attested"
            used = f"the run used other bytes of {shown(thing.name, _TOLD_NAME)} than what is attested: attest what it "
            used += "used, if that is right, or have it run anew with what is attested"
            advice = self._advice(thing, SubjectMismatch.advice if thing is self._root else used)
            return _finding(SubjectMismatch.code, thing, found=digests.label, wanted=wanted, do=advice)
        label = f" ({requirement.label})" if requirement.label else ""
        advice = "add the attestation to the evidence, or its signer's key to the trust"
        if versions := sorted(self._clues.versions(digests, requirement.predicate))[:_TOLD_VERSIONS]:
            advice = f"the evidence holds {', '.join(versions)} about it: ask for that, if it will do, or else {advice}"
        if thing is self._root and (about := self._clues.others(digests.form, requirement.predicate)):
            named = ", ".join(f"{shown(name, _TOLD_NAME)} {said.label}".strip() for name, said in about[:_TOLD_OTHERS])
            named += ", …" if len(about) > _TOLD_OTHERS else ""
            advice = (
                f"what is verified is about {named}: if this is one of them, its bytes have changed; or else {advice}"
            )
        elif thing is self._root and self._clues.is_aimless(requirement.predicate):
            advice = (
                f"what is verified names parts of files alone, from which no digest of the whole follows: {_SHARDS}"
            )
        return _finding(
            "chain.no-attestation",
            thing,
            found=f"no verified {requirement.predicate}{label} about {thing.reference.digests.label}{self._useless}",
            wanted=f"one signed by {' or '.join(self._whom(requirement))}",
            do=self._advice(thing, advice),
        )

    @cached_property
    def _useless(self) -> str:
        """Say what else there was, and of one item why it proves nothing: of several, one that no order chooses."""
        if not self._refused:
            return ""
        first = min(self._refused, key=lambda item: (item.error.code, item.origin))
        example = "" if len(self._refused) == 1 else "for example "
        prove = "proves" if len(self._refused) == 1 else "prove"
        count = counted(len(self._refused), "item")
        return f"; {count} of the evidence {prove} nothing: {example}{first.origin}: {_reason(first)}"

    @cached_property
    def _clues(self) -> Clues:
        return Clues(self._index.claims, self._refused)

    def _advice(self, thing: Thing, otherwise: str) -> str:
        """Add that the thing may have been asked about as another kind than it is. Advice alone: it decides nothing."""
        if thing is not self._root:
            return otherwise  # the kind of anything else is its producer's word, and was signed
        mine = {wanted.requirement.predicate for wanted in thing.wanted}
        said = self._clues.types(thing.reference.digests) - mine
        asked = {k: {r.predicate for _, r in rule.requirements} for k, rule in self._policy.nodes.items()}
        kinds = {kind for kind, types in asked.items() if said & types}
        kinds |= self._clues.roles(thing.reference.digests)
        others = sorted(kinds - {thing.reference.kind})
        if not others:
            return otherwise
        several = " or ".join(f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in others)
        options = " or ".join(f"--kind {kind}" for kind in others)
        return f"the evidence speaks of {several}: if it is one, ask about it as one ({options}); or else {otherwise}"

    def _whom(self, requirement: Requirement) -> tuple[str, ...]:
        return wanted_of(requirement.signed_by, self._policy)


def _nearest(wanted: Wanted) -> list[Candidate]:
    """Give the best of what satisfies a requirement by itself, by as many signers as it asks for."""
    by_signer: dict[str, Candidate] = {}
    for candidate in sorted(wanted.sound, key=lambda c: c.basis.broken is not None):
        by_signer.setdefault(candidate.claim.signer.principal, candidate)
    return list(by_signer.values())[: wanted.requirement.signed_by.count]


def _compared(wanted: Wanted) -> Iterator[str]:
    """Give what the first statements say where they are compared; of the subject nothing, as each may be another."""
    for candidate in wanted.supported[:_TOLD_STATEMENTS]:
        for path in (path for _, paths in wanted.same for path in paths):
            if path[0] == "predicate":
                value = value_at(candidate.claim.statement.predicate, path[1:])  # type: ignore[arg-type]
                yield f"{write_path((wanted.requirement.label or '', *path))} is {told(value)}"


def _lacks(candidate: Candidate) -> str:
    """Say in a clause why a candidate does not count."""
    broken = candidate.basis.broken
    if not candidate.complaints:
        if broken is None:  # pragma: no cover  # it would count
            return ""
        how = "does not stand" if broken.accepted is None else "was attested too late for it"
        return f"{broken.reference.kind} {shown(broken.name, _TOLD_NAME)} {how}"
    first = candidate.complaints[0]
    return f"{first.code}, with {shown(first.found, _TOLD_NAME)} where {shown(first.wanted, _TOLD_NAME)} is wanted"


def too_late(parent: Thing, basis: Basis) -> Finding:
    """Say that an input stands, but is not proved to have been attested before the run that used it."""
    starts = basis.starts
    return _finding(
        "chain.causality",
        parent,
        found=f"attested by {format_time(parent.accepted or ALWAYS)}",
        wanted="before the run started" if starts is None else f"before the run started at {format_time(starts)}",
        do="attest inputs before they are used",
    )


def _timeless(thing: Thing, basis: Basis) -> Finding:
    """Say that a run does not tell when it started, although it was made from what must be attested before."""
    kinds = ", ".join(sorted({p.reference.kind for p in basis.parents if not p.trimmed}))
    cuts = ", ".join(f"nodes.{kind}" for kind in kinds.split(", "))
    return _finding(
        "chain.causality",
        thing,
        found=f"no startedOn, in a run from what must be attested before it: {kinds}",
        wanted="the time when the run started, as its builder says",
        do=f"have the builder say startedOn; where it never does (GitHub, npm), trim {cuts} in the policy, or "
        "accept by `times: claimed` that the order is not proved",
    )


def _cycle(thing: Thing, path: list[Thing]) -> Finding:
    names = [t.name for t in path[path.index(thing) :]] + [thing.name]
    if len(names) > _TOLD_NAMES:
        names[_TOLD_NAMES // 2 : -_TOLD_NAMES // 2] = ["…"]
    return _finding("chain.cycle", thing, found=" ← ".join(names), wanted="a chain that ends", do="")


def _finding(code: str, thing: Thing, *, found: str, wanted: str, do: str, rule: str = "") -> Finding:
    place = f"nodes.{thing.reference.kind}" + (f".{rule}" if rule else "")
    subject_name = f"{thing.reference.kind} {thing.name}"
    tier = Tier.CONTRAINDICATED
    return Finding(code=code, tier=tier, subject=subject_name, rule=place, found=found, wanted=wanted, do=do)


def _reason(item: Refused) -> str:
    if isinstance(item.error, LimitError):
        return str(item.error)  # which bound it was is the only thing that helps
    error = item.error
    if isinstance(error, FormatUnsupported) and error.do:
        return error.do  # that it is nothing which is read here says less than what it is
    reason = f"{error.where}: {error.says}" if error.where else error.says
    # What a field should hold is the cause, and who made it has to know; of a signature nothing more helps.
    if not isinstance(error, MalformedError) or (error.wanted is None and not error.because):
        return reason
    if error.wanted is None:
        return f"{reason} ({shown(error.because, _TOLD_NAME)})"
    found = "nothing" if error.found in (None, "") else shown(error.found, _TOLD_NAME)
    return f"{reason} (found {found}, wanted {shown(error.wanted, _TOLD_NAME)})"
