"""WHICH EVIDENCE DOES ONE VERIFICATION NEED, AND WHAT FOLLOWS FROM IT?

What is handed over is read and proved whole. A store is asked: first about the artifact, then about whatever the walk
meets when it follows proved claims that the policy wants, until it meets nothing new. What nobody trusted said leads to
no question, so strangers cannot make the search longer, and it ends where the walk does.

An answer of a store says where to look, and proves nothing. What it leaves out can turn a yes into a no, as withheld
evidence always can. So before a no stands, stores that hold little are read whole, which also tells better why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from glasswing_attest import formats
from glasswing_attest._api.proving import Prover
from glasswing_attest.artifact.digest import Digest, Form
from glasswing_attest.artifact.hashing import ALGORITHMS, is_available
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.attestation import Attestation
from glasswing_attest.chain.edges import measured
from glasswing_attest.chain.refused import Refused
from glasswing_attest.chain.seen import Seen
from glasswing_attest.chain.walk import Chain, met, walk
from glasswing_attest.claims import Claim, PredicateType, read
from glasswing_attest.errors import GlasswingError
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.policy.policy import Policy
from glasswing_attest.statement.statement import Statement
from glasswing_attest.store import Evidence, EvidenceSource, Item, Pile, Store, little_of
from glasswing_attest.verification import revocation
from glasswing_attest.verification.opinion import SecondOpinion
from glasswing_attest.verification.revocation import VerifiedRevocations

__all__ = ["Inquiry"]

_LITTLE = 256
"""A store that holds no more items than this is read whole before a no stands."""


@dataclass(slots=True, eq=False, kw_only=True)
class Inquiry:
    """One question, and its evidence while it grows.

    What is handed over is proved before the artifact is measured: the proved claims say which digests of it they name.

    Attributes:
        policy, types, prover, second_opinion: what decides.
        at, now, seen: as for `walk`.
        evidence: what was gathered; nothing, once a part of it could not be had.
        refused: what of it proves nothing, for messages only.
    """

    policy: Policy
    types: Mapping[str, PredicateType]
    prover: Prover
    second_opinion: SecondOpinion | None
    at: datetime
    now: datetime
    seen: Seen
    limits: Limits
    evidence: tuple[Item, ...] = field(default=(), init=False)
    refused: list[Refused] = field(default_factory=list, init=False)
    _artifact: Manifest = field(init=False)
    _claims: list[Claim] = field(default_factory=list, init=False)
    _gave: dict[tuple[str, str], list[Item]] = field(default_factory=dict, init=False)
    """Which items prove a payload by a signer."""
    _pile: Pile = field(init=False)
    _budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        self._pile = Pile(self.limits)
        self._budget = Budget(self.limits, "signature_checks_in_all")

    @property
    def sources(self) -> tuple[EvidenceSource, ...]:
        """Where was looked."""
        return self._pile.sources

    def read(self, evidence: Evidence) -> None:
        """Read what is handed over, and note the stores among it.

        Raises:
            StoreUnavailable, LimitError: nothing is decided.
        """
        self._pile.read(evidence)
        self.evidence = self._pile.items

    def prove(self, revocations: VerifiedRevocations | None) -> None:
        """Prove what was read.

        Raises:
            LimitError: nothing is decided.
        """
        self._prove(self.evidence, revocations)

    def algorithms(self) -> tuple[str, ...]:
        """Give the further digests without which what was proved could not be about a file: npm's have no sha256."""
        subjects = (subject.digest for claim in self._claims for subject in claim.subjects)
        named = {d.algorithm for s in subjects if s.form is Form.FILE and s.get("sha256") is None for d in s}
        return tuple(algorithm for algorithm in ALGORITHMS if algorithm in named and is_available(algorithm))

    def chain(self, artifact: Manifest, revocations: VerifiedRevocations | None) -> Chain:
        """Ask the stores about what was measured, prove what they give, and walk.

        Raises:
            StoreUnavailable, LimitError: nothing is decided.
        """
        self._artifact = artifact
        asked: set[Digest] = set()
        self._ask(asked, revocations)
        chain = self._walk()
        if not chain.accepted and self._read_little(revocations):
            self._ask(asked, revocations)
            chain = self._walk()
        return chain

    def consumed(self, claims: Iterable[Claim]) -> tuple[Item, ...]:
        """Give every item that proves one of these claims: the same may have come in several containers."""
        proofs = {claim.key[:2] for claim in claims}
        return tuple({item.data: item for proof in sorted(proofs) for item in self._gave.get(proof, ())}.values())

    def _walk(self) -> Chain:
        self.refused.sort(key=lambda r: (r.origin, r.error.code))
        return walk(
            measured(self._artifact),
            self._artifact.name,
            self._claims,
            self.policy,
            at=self.at,
            now=self.now,
            limits=self.limits,
            refused=self.refused,
            origin=self._origin,
            seen=self.seen,
        )

    def _origin(self, claim: Claim) -> str:
        """Say where a claim was found: of several places, one that no order of the evidence chooses."""
        return min(item.origin for item in self._gave[claim.key[:2]])

    # --- stores ------------------------------------------------------------------------------------------------------

    def _ask(self, asked: set[Digest], revocations: VerifiedRevocations | None) -> None:
        """Ask every store about everything that the walk meets and that was not asked about yet."""
        while self._pile.stores:
            about = met(
                measured(self._artifact),
                self._artifact.name,
                self._claims,
                self.policy,
                at=self.at,
                now=self.now,
                limits=self.limits,
                seen=self.seen,
            )
            digests = tuple(digest for digest in about if digest not in asked)
            if not digests:
                return
            asked.update(digests)
            for store in self._pile.stores:
                self._prove(self._take(store, partial(store.find, digests), asked=True), revocations)

    def _read_little(self, revocations: VerifiedRevocations | None) -> bool:
        """Read the stores that hold little. Tell whether there was anything new."""
        found = False
        for store in self._pile.stores:
            self.evidence = ()
            little = little_of(store, _LITTLE)
            if little is not None:
                new = self._take(store, partial(iter, little))
                self._prove(new, revocations)
                found |= bool(new)
        self.evidence = self._pile.items
        return found

    def _take(self, store: Store, ask: Callable[[], Iterable[Item]], *, asked: bool = False) -> tuple[Item, ...]:
        self.evidence = ()  # until it has answered: a part of the evidence is not what was decided on
        new = self._pile.take(store, ask, asked=asked)
        self.evidence = self._pile.items
        return new

    # --- proofs ------------------------------------------------------------------------------------------------------

    def _prove(self, items: Iterable[Item], revocations: VerifiedRevocations | None) -> None:
        """Prove every item by itself. What proves nothing is kept for messages."""
        claimed_at = self.at if self.policy.times == "claimed" else None
        for item in items:
            attestation = None
            try:
                attestation = formats.parse(item.data, limits=self.limits)
                proved = self.prover.prove(attestation, claimed_at=claimed_at, budget=self._budget)
                standing = revocation.standing(proved, revocations)
                for statement in standing:
                    if self.second_opinion is not None:
                        self.second_opinion.confirm(attestation, statement, self.prover.trust)
                claims = [read(statement, self.types, limits=self.limits) for statement in standing]
                self._claims.extend(claims)
                for proof in {claim.key[:2] for claim in claims}:
                    self._gave.setdefault(proof, []).append(item)
            except GlasswingError as e:
                if self._budget.is_exceeded:
                    raise
                said = None if attestation is None else _said(attestation, self.limits)
                self.refused.append(Refused.of(item.origin, e, said, limits=self.limits))


def _said(attestation: Attestation, limits: Limits) -> Statement | None:
    """Give what a refused attestation says, for messages only."""
    try:
        return Statement.parse_unverified(attestation.envelope.payload, limits=limits)
    except GlasswingError:
        return None
