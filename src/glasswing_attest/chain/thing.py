"""What does the walk know of one thing?

A `Thing` is a reference, met as what was asked about or as what something was made from. What may speak for it are
`Candidate`s, each held against one requirement of the policy: a `Wanted` of one alternative. What a claim rests on, its
`Basis`, is the same for everything that it speaks for. Stages of the walk add to them: *explore* the candidates and
their parents, *settle* what is accepted.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from glasswing_attest.artifact.digest import Form
from glasswing_attest.chain.edges import Reference
from glasswing_attest.chain.graph import State
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.paths import Path
from glasswing_attest.policy.policy import NodeRule, Requirement
from glasswing_attest.statement.predicates.run import Run

__all__ = ["ALWAYS", "Basis", "Candidate", "Order", "Thing", "Wanted", "is_nameless", "name_within"]

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Stands for "no witness was asked for": under ``times: claimed`` it constrains nothing."""

Order: TypeAlias = tuple[datetime, str, str, str]
"""Which candidate is preferred: the one that is proved to have existed the earliest; of several, one that no order of
the evidence chooses."""


@dataclass(slots=True, eq=False)
class Basis:
    """What one claim rests on. A run may have made a thousand things from a thousand others: it is gone through once.

    Attributes:
        claim: the claim.
        things: what it speaks for without a complaint. Nothing, as long as nobody asked what it was made from.
        parents: what those were made from.
        holding: so many of the parents are known to hold, from the first on. What holds once holds for good.
        watches: it waits for the first parent that does not hold, or needs to wait for none.
    """

    claim: Claim
    things: list[Thing] = field(default_factory=list)
    parents: tuple[Thing, ...] = ()
    holding: int = 0
    watches: bool = False

    @property
    def starts(self) -> datetime | None:
        """When it must have been there what it was made from."""
        # What is no run has no start of its own: whatever it rests on is at least no younger than itself.
        run = self.claim.predicate
        return run.started_on if isinstance(run, Run) else self.claim.signed_by

    @property
    def broken(self) -> Thing | None:
        """The first parent that is not known to hold, or None where all do."""
        return self.parents[self.holding] if self.holding < len(self.parents) else None

    def rests_on(self, parent: Thing) -> bool:
        """Tell whether a parent was cut away, or is accepted and was attested before the run started.

        What needs no witness constrains nothing. A run that does not tell when it started is after nothing that has a
        time: it stands only where there is nothing to compare.
        """
        if parent.trimmed or parent.accepted is None:
            return parent.trimmed
        starts = self.starts
        return parent.accepted == ALWAYS or (starts is not None and parent.accepted <= starts)


@dataclass(slots=True, eq=False)
class Candidate:
    """A claim about a thing, held against one requirement."""

    claim: Claim
    complaints: tuple[Finding, ...]
    order: Order
    basis: Basis
    label: str = ""
    """What the policy calls the requirement."""
    values: tuple[Hashable, ...] = ()
    """What it says where the policy asks for the same value, for each group that its requirement is in."""


@dataclass(slots=True, eq=False)
class Wanted:
    """One requirement of one alternative, with the claims that were held against it, in order of preference.

    `same` says in which groups of the policy's ``same`` it is, and which values of its statements are compared there.
    """

    requirement: Requirement
    same: tuple[tuple[int, tuple[Path, ...]], ...] = ()
    candidates: tuple[Candidate, ...] = ()

    @property
    def sound(self) -> list[Candidate]:
        """The candidates that satisfy the requirement by themselves."""
        return [c for c in self.candidates if not c.complaints]

    @property
    def supported(self) -> list[Candidate]:
        """Those of which all parents hold, too."""
        return [c for c in self.candidates if not c.complaints and c.basis.broken is None]


@dataclass(slots=True, eq=False)
class Thing:
    """A reference while the walk works on it.

    Attributes:
        identity: the text that names the reference.
        alternatives: what it may stand on: everything that is wanted in one of them.
        files: the names and SHA-256 of its files, where somebody has signed the list of them.
        contradiction: trusted signers contradict each other about it, and the policy does not have it.
        watchers: the claims that this thing keeps from being supported.
        accepted: the earliest time by which the evidence for it is proved to have existed; None while it does not
            stand.
        selected: what it stands on then.
        trimmed: the policy cuts the chain here.
    """

    reference: Reference
    identity: str
    name: str
    depth: int
    rule: NodeRule | None
    trimmed: bool = False
    alternatives: tuple[tuple[Wanted, ...], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    contradiction: Finding | None = None
    watchers: list[Basis] = field(default_factory=list)
    accepted: datetime | None = None
    selected: tuple[Candidate, ...] = ()

    @property
    def wanted(self) -> Iterator[Wanted]:
        """Everything that is wanted in any alternative."""
        return (wanted for alternative in self.alternatives for wanted in alternative)

    @property
    def state(self) -> State:
        """What can be said of it.

        *Trimmed*: the policy cuts the chain here. *Verified*: it stands on its selection. *Failed*: there are verified
        statements of a wanted type about it, and none that suffice. *Missing*: there is none, or no rule for its kind.
        """
        if self.trimmed:
            return State.TRIMMED
        if self.accepted is not None:
            return State.VERIFIED
        return State.FAILED if any(wanted.candidates for wanted in self.wanted) else State.MISSING


def is_nameless(reference: Reference) -> bool:
    """Tell whether nothing identifies the thing. A git id, mostly SHA-1, is enough for code and for nothing else."""
    digests = reference.digests
    return not digests.identity or (digests.form is Form.GIT and reference.kind != "code")


def name_within(thing: Thing, requirement: Requirement) -> str:
    """Give what tells a requirement from the others of the thing's rule: its label, or else its predicate type."""
    others = () if thing.rule is None else thing.rule.requirements
    return requirement.label or (requirement.predicate if len(others) > 1 else "")
