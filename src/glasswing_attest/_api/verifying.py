"""Does it hold? The verifier, which holds what decides; the only place that reads the clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from concurrent.futures import Executor
from datetime import UTC, datetime

from glasswing_attest._api.callers import require_a, utc
from glasswing_attest._api.deciding import decided, undecided
from glasswing_attest._api.inquiry import Inquiry
from glasswing_attest._api.proving import Prover
from glasswing_attest._complaints import path_of, suggestion
from glasswing_attest._version import __version__
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.manifest import Artifact, measure
from glasswing_attest.attestation import Attestation
from glasswing_attest.chain.seen import Seen
from glasswing_attest.claims import PredicateType, registry_of
from glasswing_attest.errors import LimitError, PolicyRefused, UnavailableError, UsageError, counted
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.policy import Identity, Policy
from glasswing_attest.report.report import Report
from glasswing_attest.store import Evidence, EvidenceSource, frozen
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification import revocation
from glasswing_attest.verification.opinion import SecondOpinion
from glasswing_attest.verification.revocation import VerifiedRevocations

__all__ = ["Verifier", "assess", "types_of", "verify"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Holds policy, trust and what else decides; verifies any number of artifacts, from any number of threads.

    Args:
        policy: who may say what about which kind of thing.
        trust: which keys are believed, under which names.
        evidence: what is always among the evidence. Files and stores are looked at anew for each question.
        predicates: further predicate types to read, beside the built-in ones. A type whose content nobody looks at is
            named all the same: `claims.opaque`.
        revocations: the current revocation list, signed; must be there once the trust names who signs it.
        revocations_seen: the highest version of the list that the caller has seen before.
        second_opinion: whoever must agree to every yes on a certificate bundle, where it can say.
        limits: the bounds on untrusted input.

    Raises:
        PolicyRefused: on construction, when the policy names a key that the trust lacks, or asks for a predicate type
            that nobody here reads: the edges that it may draw would be missed.
        PolicyUnavailable: on construction, when the policy has a `where`, and the extra ``cel`` is not installed.
        UsageError: on construction, for what is no policy, trust, evidence or predicate type.
    """

    policy: Policy
    trust: Trust
    evidence: Evidence = ()
    predicates: tuple[PredicateType, ...] = ()
    revocations: Attestation | bytes | None = None
    revocations_seen: int = 0
    second_opinion: SecondOpinion | None = None
    limits: Limits = DEFAULT
    _prover: Prover = dataclasses.field(init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        evidence = counted(len(self.evidence), "piece") if isinstance(self.evidence, tuple) else "one piece"
        return f"Verifier({self.policy!r}, {self.trust!r}, {evidence} of evidence)"

    def __post_init__(self) -> None:
        for name, kind in (("policy", Policy), ("trust", Trust)):
            if not isinstance(getattr(self, name), kind):
                found = type(getattr(self, name)).__name__
                raise UsageError(where=name, found=found, wanted=f"a {kind.__name__}: there is no default")
        for name, identity in self.policy.identities.items():
            _require_known(name, identity, self.trust)
        require_a(
            self.revocations, Attestation | bytes | None, "revocations", "a signed list: an Attestation, or its bytes"
        )
        object.__setattr__(self, "evidence", frozen(self.evidence))
        object.__setattr__(self, "predicates", types_of(self.predicates))
        object.__setattr__(self, "_prover", Prover(self.trust, self.limits))
        known = registry_of(self.predicates)
        for place, requirement in self.policy.requirements:
            if requirement.predicate not in known:
                raise PolicyRefused(
                    where=path_of((*place, "predicate")),
                    found=requirement.predicate,
                    wanted="a predicate type that is read here",
                    do="hand over its PredicateType among the predicates; claims.opaque(uri), "
                    "or --opaque URI on the command line, for one that draws no edges",
                )
        self.policy.require_readable()

    def verify(
        self,
        artifact: Artifact,
        evidence: Evidence = (),
        *,
        at: datetime | None = None,
        seen: Seen | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> Report:
        """Give the report of an accepted artifact; raise for anything else, with the report on the error.

        Args:
            artifact: what is asked about: an artifact on disk, or its manifest. Of a single file, the digests that
                trusted statements name it by are taken.
            evidence: attestations, their bytes, files or directories of them, or stores, beside the verifier's own.
            at: the time that claimed times, key windows and trims are held against; now, by default. An earlier one
                never relaxes the expiry of policy or trust.
            seen: what was accepted before, as the `seen` of the last report says: nothing older is accepted now.
            progress, executor: as for `attest`.

        Raises:
            VerificationError: the evidence does not prove it (`NoMatchingAttestation`, `SubjectMismatch`, …).
            NotAccepted: it is proved, but the policy does not accept it.
            UnavailableError, LimitError: undecided.
            ArtifactError: the artifact cannot be digested.
        """
        return self.assess(artifact, evidence, at=at, seen=seen, progress=progress, executor=executor).require()

    def assess(
        self,
        artifact: Artifact,
        evidence: Evidence = (),
        *,
        at: datetime | None = None,
        seen: Seen | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> Report:
        """Give the report, whatever it says. Raises only for the artifact, the policy or the trust themselves.

        Raises:
            ArtifactError: the artifact cannot be digested.
            UnavailableError: the policy or the trust has expired.
            UsageError: what is no artifact (a path is none: say `Model(path)`), evidence that is no evidence, an `at`
                without a zone, a `seen` that is none, or one for an artifact without a name.
        """
        require_a(seen, Seen | None, "seen", "what a report says in its `seen`")
        now = datetime.now(UTC)
        at = now if at is None else utc(at)
        return self._assess(artifact, evidence, at=at, now=now, seen=seen, progress=progress, executor=executor)

    def _assess(
        self,
        artifact: Artifact,
        evidence: Evidence,
        *,
        at: datetime,
        now: datetime,
        seen: Seen | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
        sources: tuple[EvidenceSource, ...] = (),
    ) -> Report:
        for expiring in (self.trust, self.policy):
            expiring.require_fresh(max(at, now))
        inquiry = Inquiry(
            policy=self.policy,
            types=registry_of(self.predicates),
            prover=self._prover,
            second_opinion=self.second_opinion,
            at=at,
            now=now,
            seen=seen or Seen(),
            limits=self.limits,
        )
        unproved: UnavailableError | LimitError | None = None
        revocations = None
        try:
            inquiry.read((self.evidence, evidence))
            revocations = self._revocations(max(at, now))
            inquiry.prove(revocations)
        except (UnavailableError, LimitError) as e:
            unproved = e
        also = inquiry.algorithms()
        manifest = measure(artifact, progress=progress, limits=self.limits, executor=executor, also=also)
        if seen is not None and not manifest.name:
            because = "what was seen is kept by name, and all that has none would be taken for one artifact"
            raise UsageError(
                where="seen", because=because, do="name it: --name NAME, or the artifact's `name` in Python"
            )
        try:
            if unproved is not None:
                raise unproved
            chain = inquiry.chain(manifest, revocations)
        except (UnavailableError, LimitError) as e:
            told = undecided(manifest, e, seen)
        else:
            where = sources or inquiry.sources
            told = decided(chain, manifest, self.policy, inquiry.refused, where, seen, max(at, now))
        return Report(
            artifact=manifest,
            at=at,
            now=now,
            evidence=inquiry.evidence,
            sources=sources or inquiry.sources,
            policy=self.policy,
            trust=self.trust,
            predicates=tuple(sorted(kind.label for kind in self.predicates)),
            limits=self.limits,
            revocations=self._revocation_bytes,
            revocations_seen=self.revocations_seen,
            second_opinion=self.second_opinion is not None,
            seen_before=seen,
            consumed=inquiry.consumed(told["claims"]),
            version=__version__,
            **told,
        )

    def _revocations(self, now: datetime) -> VerifiedRevocations | None:
        return revocation.check(
            self._revocation_bytes, self.trust, now=now, seen=self.revocations_seen, limits=self.limits
        )

    @property
    def _revocation_bytes(self) -> bytes | None:
        return self.revocations.bytes if isinstance(self.revocations, Attestation) else self.revocations


def types_of(predicates: Iterable[PredicateType]) -> tuple[PredicateType, ...]:
    """Give the predicate types that a caller hands over. Raises `UsageError` for anything else."""
    require_a(predicates, Iterable, "predicates", "a tuple of PredicateType")
    types = tuple(predicates)
    for number, kind in enumerate(types):
        require_a(kind, PredicateType, f"predicates[{number}]", "a PredicateType")
    return types


def _require_known(name: str, identity: Identity, trust: Trust) -> None:
    """Refuse a policy that names what the trust lacks: it could never be satisfied, or not as its author thought."""
    roots = tuple(r.name for r in trust.roots)
    for field, found, known in (
        ("key", identity.key, trust.names),
        ("authority", identity.authority, roots),
        ("root", identity.root, roots),
    ):
        if found is not None and found not in known:
            wanted = f"one of {', '.join(known)}" if known else f"nothing: the trust has no {field}"
            place, advice = path_of(("identities", name, field)), suggestion(found, known)
            because = f"the trust has no such {'key' if field == 'key' else 'root'}"
            raise PolicyRefused(where=place, because=because, found=found, wanted=wanted, do=advice)
    if identity.issuer is not None and not roots:
        place = path_of(("identities", name, "issuer"))
        because = "the trust has no root that could stand for its certificates"
        raise PolicyRefused(where=place, because=because, found=identity.issuer, wanted="a trust with a root")


def verify(
    artifact: Artifact,
    evidence: Evidence = (),
    *,
    policy: Policy,
    trust: Trust,
    at: datetime | None = None,
    seen: Seen | None = None,
    revocations: Attestation | bytes | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
) -> Report:
    """Verify one artifact; see `Verifier.verify`. Policy and trust have no default.

    Raises:
        GlasswingError: for every answer that is not a yes.
    """
    verifier = Verifier(policy=policy, trust=trust, revocations=revocations, limits=limits)
    return verifier.verify(artifact, evidence, at=at, seen=seen, progress=progress)


def assess(
    artifact: Artifact,
    evidence: Evidence = (),
    *,
    policy: Policy,
    trust: Trust,
    at: datetime | None = None,
    seen: Seen | None = None,
    revocations: Attestation | bytes | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
) -> Report:
    """Assess one artifact without raising for a no; see `Verifier.assess`."""
    verifier = Verifier(policy=policy, trust=trust, revocations=revocations, limits=limits)
    return verifier.assess(artifact, evidence, at=at, seen=seen, progress=progress)
