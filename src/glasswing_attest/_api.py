"""The recipes: attest, verify, and what stands around them. The only place that picks a default or reads the clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from glasswing_attest._version import __version__
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.manifest import Artifact, Manifest
from glasswing_attest.attestation import Attestation
from glasswing_attest.chain.edges import Reference
from glasswing_attest.chain.graph import Graph, State
from glasswing_attest.chain.walk import Chain, Refused, walk
from glasswing_attest.claims import Claim, PredicateType, read, registry_of
from glasswing_attest.errors import (
    GlasswingError,
    LimitError,
    PayloadTypeUnsupported,
    PolicyRefused,
    SelfCheckFailed,
    SourceRefused,
    UnavailableError,
    UsageError,
)
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.policy import Policy
from glasswing_attest.report.case import unpack
from glasswing_attest.report.report import Report, Verdict
from glasswing_attest.signing.signer import Signer
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.store import Evidence, Item, frozen, gather
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification import signature
from glasswing_attest.verification.procedure import prove

__all__ = ["Predicate", "Verifier", "assess", "attest", "attest_many", "endorse", "replay", "sign_statement", "verify"]


# --- attest ----------------------------------------------------------------------------------------------------------


class Predicate(Protocol):
    """What a statement says: a record, provenance, or anything of your own with these two."""

    @property
    def predicate_type(self) -> str:
        """The predicate type's URI."""
        ...

    def to_predicate(self) -> dict[str, object]:
        """The predicate as a JSON object."""
        ...


@runtime_checkable
class _Describes(Protocol):
    """A predicate that takes what it says of an artifact's bytes from the manifest."""

    def described_by(self, manifest: Manifest) -> Predicate: ...


Request = tuple[Artifact | Sequence[Artifact], Predicate]
"""One attestation to make: what it is about, and what it says."""


def attest(
    subject: Artifact | Sequence[Artifact],
    predicate: Predicate,
    *,
    signer: Signer,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Attestation:
    """Digest the subject, say what the predicate says of it, and sign that: one in-toto statement in a Sigstore bundle.

    A record that describes its artifact (`DataRecord`, `ModelRecord`, `CodeRecord`) is completed from what was
    measured, and refused where it contradicts it. What was made is checked under the signer's own key before it is
    returned.

    Args:
        subject: an artifact, its manifest, or several of them for a statement about all.
        predicate: what is said.
        signer: who says it.
        progress: called with a `ProgressEvent` while files are hashed.
        executor: hashes files with these workers; threads of our own by default.

    Raises:
        ArtifactError: the subject cannot be digested, or is a checkout with uncommitted changes.
        MalformedError: the predicate says what JSON cannot, or contradicts the subject.
        SigningError: it could not be signed, or does not verify under the signer's own key.

    >>> from glasswing_attest import KeySigner, ModelRecord
    >>> from glasswing_attest.artifact.file import Blob
    >>> made = attest(Blob(b"weights", name="m.bin"), ModelRecord(name="m"), signer=KeySigner.generate())
    >>> made.statement_unverified.subjects[0].name
    'm.bin'
    """
    artifacts: list[Artifact] = list(subject) if isinstance(subject, Sequence) else [subject]
    manifests = [a.measure(progress=progress, executor=executor) for a in artifacts]
    if not manifests:
        raise UsageError(where="subject", found="nothing", wanted="at least one artifact")
    for manifest in manifests:
        if manifest.facts.get("dirty") == "true" and getattr(predicate, "dirty", None) is not True:
            raise SourceRefused(
                where=manifest.name,
                found=f"uncommitted changes: {manifest.facts.get('dirtyPaths', '')}",
                wanted="a clean checkout, since the commit is what is attested",
                do="commit the changes, or say dirty=True in the record",
            )
    if len(manifests) == 1 and isinstance(predicate, _Describes):
        predicate = predicate.described_by(manifests[0])
    subjects = [ResourceDescriptor(name=m.name, digest=m.digests) for m in manifests]
    statement = Statement.make(subjects, predicate.predicate_type, predicate.to_predicate())
    return _seal(statement.payload, PAYLOAD_TYPE, signer)


def attest_many(
    requests: Iterable[Request], *, signer: Signer, progress: Progress | None = None, executor: Executor | None = None
) -> tuple[Attestation, ...]:
    """Make several attestations with one signer, in order: all of them, or the first error is raised.

    Raises:
        GlasswingError: as `attest` does.
    """
    return tuple(attest(s, p, signer=signer, progress=progress, executor=executor) for s, p in requests)


def sign_statement(raw: bytes, *, signer: Signer) -> Attestation:
    """Sign the bytes of an in-toto statement verbatim. They are read first: what is no statement is not signed.

    Raises:
        MalformedError, UnsupportedError: not an in-toto statement.
        SigningError: it could not be signed.
    """
    Statement.parse_unverified(raw)
    return _seal(raw, PAYLOAD_TYPE, signer)


def endorse(attestation: Attestation, *, signer: Signer) -> Attestation:
    """Sign the very payload of another attestation: one more signer for the same statement.

    Nothing is said about the first signature; whoever endorses must have verified it.

    Raises:
        PayloadTypeUnsupported: the payload is no in-toto statement.
        SigningError: it could not be signed.
    """
    envelope = attestation.envelope
    if envelope.payload_type != PAYLOAD_TYPE:
        raise PayloadTypeUnsupported(where="$.payloadType", found=envelope.payload_type, wanted=PAYLOAD_TYPE)
    return sign_statement(envelope.payload, signer=signer)


def _seal(payload: bytes, payload_type: str, signer: Signer) -> Attestation:
    """Sign, and check what was made under the signer's declared key. A self-check, not a proof."""
    sealed = signer.seal(payload, payload_type)
    try:
        made = Attestation.parse(sealed)
        signature.check_by(made, signer.public_key)
    except GlasswingError as e:
        raise SelfCheckFailed(because=str(e)) from e
    if made.envelope.payload != payload or made.envelope.payload_type != payload_type:
        raise SelfCheckFailed(found="another payload", wanted="the payload that was to be signed")
    return made


# --- verify ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Holds policy, trust and what else decides; verifies any number of artifacts, from any number of threads.

    Args:
        policy: who may say what about which kind of thing.
        trust: which keys are believed, under which names.
        evidence: what is always among the evidence.
        predicates: further predicate types to read, beside the built-in ones.
        limits: the bounds on untrusted input.

    Raises:
        PolicyRefused: on construction, when the policy names a key that the trust lacks.
    """

    policy: Policy
    trust: Trust
    evidence: Evidence = ()
    predicates: tuple[PredicateType, ...] = ()
    limits: Limits = DEFAULT

    def __post_init__(self) -> None:
        for name, kind in (("policy", Policy), ("trust", Trust)):
            if not isinstance(getattr(self, name), kind):
                found = type(getattr(self, name)).__name__
                raise UsageError(where=name, found=found, wanted=f"a {kind.__name__}: there is no default")
        for name, identity in self.policy.identities.items():
            if identity.key not in self.trust.names:
                wanted = f"one of {', '.join(self.trust.names)}"
                raise PolicyRefused(where=f"identities.{name}.key", found=identity.key, wanted=wanted)
        object.__setattr__(self, "predicates", tuple(self.predicates))
        object.__setattr__(self, "evidence", frozen(self.evidence))
        registry_of(self.predicates)

    def verify(
        self,
        artifact: Artifact,
        evidence: Evidence = (),
        *,
        at: datetime | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> Report:
        """Give the report of an accepted artifact; raise for anything else, with the report on the error.

        Args:
            artifact: what is asked about: an artifact on disk, or its manifest.
            evidence: attestations, their bytes, files or directories of them, beside the verifier's own.
            at: the time that claimed times, key windows and trims are held against; now, by default. An earlier one
            never
                relaxes the expiry of policy or trust.
            progress, executor: as for `attest`.

        Raises:
            VerificationError: the evidence does not prove it (`NoMatchingAttestation`, `SubjectMismatch`, …).
            NotAccepted: it is proved, but the policy does not accept it.
            UnavailableError, LimitError: undecided.
            ArtifactError: the artifact cannot be digested.
        """
        return self.assess(artifact, evidence, at=at, progress=progress, executor=executor).require()

    def assess(
        self,
        artifact: Artifact,
        evidence: Evidence = (),
        *,
        at: datetime | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> Report:
        """Give the report, whatever it says. Raises only for the artifact, the policy or the trust themselves.

        Raises:
            ArtifactError: the artifact cannot be digested.
            UnavailableError: the policy or the trust has expired.
            UsageError: evidence that is no evidence, or an `at` without a zone.
        """
        now = datetime.now(UTC)
        return self._assess(artifact, evidence, at=at or now, now=now, progress=progress, executor=executor)

    def _assess(
        self,
        artifact: Artifact,
        evidence: Evidence,
        *,
        at: datetime,
        now: datetime,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> Report:
        if at.tzinfo is None:
            raise UsageError(where="at", found=str(at), wanted="a time with a zone")
        for expiring in (self.trust, self.policy):
            expiring.require_fresh(max(at, now))
        manifest = artifact.measure(progress=progress, limits=self.limits, executor=executor)
        items: tuple[Item, ...] = ()
        try:
            items = gather((self.evidence, evidence), limits=self.limits)
            claims, refused = self._prove(items, at)
            chain = self._walk(manifest, claims, refused, at)
        except (UnavailableError, LimitError) as e:
            return self._undecided(manifest, items, at, now, e)
        return self._report(manifest, items, at, now, chain, refused)

    def _prove(self, items: Iterable[Item], at: datetime) -> tuple[list[Claim], tuple[Refused, ...]]:
        """Prove every item by itself. What proves nothing is kept for messages."""
        types = registry_of(self.predicates)
        claimed_at = at if self.policy.times == "claimed" else None
        claims: list[Claim] = []
        refused: list[Refused] = []
        for item in items:
            attestation = None
            try:
                attestation = Attestation.parse(item.data, limits=self.limits)
                proved = prove(attestation, self.trust, claimed_at=claimed_at, limits=self.limits)
                claims.extend(read(statement, types) for statement in proved)
            except GlasswingError as e:
                said = None if attestation is None else _said(attestation, self.limits)
                refused.append(Refused(origin=item.origin, error=e, statement=said))
        return claims, tuple(sorted(refused, key=lambda r: (r.origin, r.error.code)))

    def _walk(self, manifest: Manifest, claims: list[Claim], refused: Sequence[Refused], at: datetime) -> Chain:
        root = Reference(kind=manifest.kind, digests=manifest.digests)
        return walk(root, manifest.name, claims, self.policy, at=at, limits=self.limits, refused=refused)

    def _report(
        self,
        manifest: Manifest,
        items: tuple[Item, ...],
        at: datetime,
        now: datetime,
        chain: Chain,
        refused: tuple[Refused, ...],
    ) -> Report:
        cause = chain.cause
        if chain.accepted and manifest.is_declared and self.policy.declared == "deny":
            cause = _declared(manifest)
        if chain.accepted and manifest.facts.get("dirty") == "true":
            cause = _dirty(manifest)
        accepted = chain.accepted and cause is None
        findings = list(chain.warnings)
        if accepted:
            affirmed = f"{manifest.kind} {manifest.name}".strip()
            findings.insert(0, Finding(code="accepted", tier=Tier.AFFIRMING, subject=affirmed))
            if self.policy.times == "claimed" and any(c.signed_by is None for c in chain.claims):
                findings.append(_CLAIMED)
        elif cause is not None:
            findings.insert(0, cause)
        return Report(
            verdict=Verdict.ACCEPTED if accepted else Verdict.REFUSED,
            artifact=manifest,
            at=at,
            now=now,
            graph=chain.graph,
            findings=tuple(findings),
            depth=_depth(chain.graph) if accepted else "",
            refused=refused,
            claims=chain.claims if accepted else (),
            policy=self.policy,
            trust=self.trust,
            evidence=items,
            version=__version__,
        )

    def _undecided(
        self, manifest: Manifest, items: tuple[Item, ...], at: datetime, now: datetime, error: GlasswingError
    ) -> Report:
        finding = Finding(
            code=error.code,
            tier=Tier.CONTRAINDICATED,
            subject=f"{manifest.kind} {manifest.name}".strip(),
            found=str(error),
            wanted="a decision",
            do=error.do,
        )
        return Report(
            verdict=Verdict.UNDECIDED,
            artifact=manifest,
            at=at,
            now=now,
            graph=None,
            findings=(finding,),
            depth="",
            refused=(),
            claims=(),
            policy=self.policy,
            trust=self.trust,
            evidence=items,
            version=__version__,
            error=error,
        )


_CLAIMED = Finding(
    code="policy.times-claimed",
    tier=Tier.WARNING,
    subject="times",
    rule="times",
    found="signatures whose time nobody but the signer vouches for",
    wanted="a time-stamp or a log entry",
    do="fine for a start; say `times: verified` once your signers have witnesses",
)


def _declared(manifest: Manifest) -> Finding:
    return Finding(
        code="policy.declared",
        tier=Tier.CONTRAINDICATED,
        subject=f"{manifest.kind} {manifest.name}".strip(),
        rule="declared",
        found="a digest that was told, of bytes that nobody here read",
        wanted="the artifact itself",
        do="hand over the artifact, or let the policy say `declared: allow`",
    )


def _dirty(manifest: Manifest) -> Finding:
    return Finding(
        code="policy.dirty",
        tier=Tier.CONTRAINDICATED,
        subject=f"{manifest.kind} {manifest.name}".strip(),
        found=f"uncommitted changes: {manifest.facts.get('dirtyPaths', '')}",
        wanted="the commit that was attested, and nothing else",
        do="check out the commit anew",
    )


def _said(attestation: Attestation, limits: Limits) -> Statement | None:
    """Give what a refused attestation says, for messages only."""
    try:
        return Statement.parse_unverified(attestation.envelope.payload, limits=limits)
    except GlasswingError:
        return None


def _depth(graph: Graph) -> str:
    """How far an accepted proof reaches: the statement itself, its builder, or every ancestor without a cut."""
    if not any(node.kind == "builder" for node in graph.nodes):
        return "surface"
    return "builder" if any(node.state is State.TRIMMED for node in graph.nodes) else "transitive"


def verify(
    artifact: Artifact,
    evidence: Evidence = (),
    *,
    policy: Policy,
    trust: Trust,
    at: datetime | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
) -> Report:
    """Verify one artifact; see `Verifier.verify`. Policy and trust have no default.

    Raises:
        GlasswingError: for every answer that is not a yes.
    """
    verifier = Verifier(policy=policy, trust=trust, limits=limits)
    return verifier.verify(artifact, evidence, at=at, progress=progress)


def assess(
    artifact: Artifact,
    evidence: Evidence = (),
    *,
    policy: Policy,
    trust: Trust,
    at: datetime | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
) -> Report:
    """Assess one artifact without raising for a no; see `Verifier.assess`."""
    verifier = Verifier(policy=policy, trust=trust, limits=limits)
    return verifier.assess(artifact, evidence, at=at, progress=progress)


def replay(path: str | Path, *, predicates: Iterable[PredicateType] = (), limits: Limits = DEFAULT) -> Report:
    """Verify a case file again, at its own time, from what it holds. The verdict is computed anew, never read.

    Raises:
        StoreUnavailable, FormatUnsupported, MalformedError, LimitError: the file is not a readable case.
    """
    case = unpack(Path(path), limits=limits)
    verifier = Verifier(policy=case.policy, trust=case.trust, predicates=tuple(predicates), limits=limits)
    items = tuple(Item(data=data, origin=origin) for data, origin in case.evidence)
    return verifier._assess(case.manifest, items, at=case.at, now=case.now)
