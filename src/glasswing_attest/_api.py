"""The recipes: attest, verify, and what stands around them. The only place that picks a default or reads the clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Protocol, runtime_checkable

from glasswing_attest._version import __version__
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.manifest import Artifact, Manifest, measure
from glasswing_attest.attestation import Attestation
from glasswing_attest.chain.edges import measured
from glasswing_attest.chain.graph import Graph, State
from glasswing_attest.chain.walk import Chain, Refused, walk
from glasswing_attest.claims import Claim, PredicateType, read, registry_of
from glasswing_attest.errors import (
    GlasswingError,
    LimitError,
    PayloadTypeUnsupported,
    PolicyRefused,
    SelfCheckFailed,
    SigningError,
    SourceRefused,
    TrustRefused,
    UnavailableError,
    UsageError,
)
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.policy.policy import Identity, Policy
from glasswing_attest.report.case import unpack
from glasswing_attest.report.report import Report, Verdict
from glasswing_attest.signing.signer import Signer
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.store import Evidence, Item, frozen, gather
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification import revocation, signature
from glasswing_attest.verification.opinion import SecondOpinion
from glasswing_attest.verification.procedure import prove
from glasswing_attest.verification.revocation import VerifiedRevocations

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
        UsageError: the subject is no artifact (a path is none: say `Model(path)`), or the signer is no signer.
        ArtifactError: the subject cannot be digested, or is a checkout with uncommitted changes.
        MalformedError: the predicate says what JSON cannot, or contradicts the subject.
        SigningError: it could not be signed, or does not verify under the signer's own key.

    >>> from glasswing_attest import KeySigner, ModelRecord
    >>> from glasswing_attest.artifact.file import Blob
    >>> made = attest(Blob(b"weights", name="m.bin"), ModelRecord(name="m"), signer=KeySigner.generate())
    >>> made.statement_unverified.subjects[0].name
    'm.bin'
    """
    _require_signer(signer)
    return _seal(_statement(subject, predicate, progress, executor), PAYLOAD_TYPE, signer)


def attest_many(
    requests: Iterable[Request], *, signer: Signer, progress: Progress | None = None, executor: Executor | None = None
) -> tuple[Attestation, ...]:
    """Make several attestations with one signer, in order: all of them, or the first error is raised.

    Every subject is measured and every statement written before the first is signed: a request that is refused leaves
    nothing signed.

    Raises:
        GlasswingError: as `attest` does.
    """
    _require_signer(signer)
    payloads = []
    for number, request in enumerate(requests):
        _require_pair(request, f"requests[{number}]")
        payloads.append(_statement(*request, progress, executor))
    return tuple(_seal(payload, PAYLOAD_TYPE, signer) for payload in payloads)


def _statement(
    subject: Artifact | Sequence[Artifact], predicate: Predicate, progress: Progress | None, executor: Executor | None
) -> bytes:
    """Measure the subject, and write what is said of it."""
    if not callable(getattr(predicate, "to_predicate", None)) or isinstance(predicate, type):
        found = type(predicate).__name__
        raise UsageError(where="predicate", found=found, wanted="a record, provenance, or another predicate")
    # A str is a sequence, too; whatever is no list of artifacts is named as it is.
    several = isinstance(subject, Sequence) and not isinstance(subject, str | bytes)
    artifacts: list[Artifact] = list(subject) if several else [subject]  # type: ignore[list-item, arg-type]
    manifests = [measure(a, where="subject", progress=progress, executor=executor) for a in artifacts]
    if not manifests:
        raise UsageError(where="subject", found="nothing", wanted="at least one artifact")
    for manifest in manifests:
        if manifest.facts.get("dirty") == "true" and getattr(predicate, "dirty", None) is not True:
            raise SourceRefused(
                where=manifest.name,
                found=f"uncommitted changes: {manifest.facts.get('dirtyPaths', '')}",
                wanted="a clean checkout, since the commit is what is attested",
                do="commit the changes; a record that says dirty=True is signed, but verified for no commit",
            )
    if len(manifests) == 1 and isinstance(predicate, _Describes):
        predicate = predicate.described_by(manifests[0])
    subjects = [ResourceDescriptor(name=m.name, digest=m.digests) for m in manifests]
    body = predicate.to_predicate()
    if not isinstance(body, Mapping):
        raise UsageError(where="predicate.to_predicate()", found=type(body).__name__, wanted="a JSON object")
    return Statement.make(subjects, predicate.predicate_type, body).payload


def _require_pair(request: object, where: str) -> None:
    if not isinstance(request, tuple) or len(request) != 2:
        raise UsageError(where=where, found=type(request).__name__, wanted="a pair of subject and predicate")


def _require_a(value: object, kind: type | UnionType, where: str, wanted: str) -> None:
    """Raise `UsageError` for a value of another type: what comes from a caller is not always what the types say."""
    if not isinstance(value, kind):
        raise UsageError(where=where, found=type(value).__name__, wanted=wanted)


def _require_signer(signer: Signer) -> None:
    if isinstance(signer, type) or not callable(getattr(signer, "seal", None)):
        found = signer.__name__ if isinstance(signer, type) else type(signer).__name__
        raise UsageError(where="signer", found=found, wanted="a signer, such as a KeySigner")


def sign_statement(raw: bytes, *, signer: Signer) -> Attestation:
    """Sign the bytes of an in-toto statement verbatim. They are read first: what is no statement is not signed.

    Raises:
        MalformedError, UnsupportedError: not an in-toto statement.
        SigningError: it could not be signed.
    """
    _require_a(raw, bytes, "raw", "the statement's bytes")
    _require_signer(signer)
    Statement.parse_unverified(raw)
    return _seal(raw, PAYLOAD_TYPE, signer)


def endorse(attestation: Attestation, *, signer: Signer) -> Attestation:
    """Sign the very payload of another attestation: one more signer for the same statement.

    Nothing is said about the first signature; whoever endorses must have verified it.

    Raises:
        PayloadTypeUnsupported: the payload is no in-toto statement.
        SigningError: it could not be signed.
    """
    _require_a(attestation, Attestation, "attestation", "an Attestation")
    envelope = attestation.envelope
    if envelope.payload_type != PAYLOAD_TYPE:
        raise PayloadTypeUnsupported(where="$.payloadType", found=envelope.payload_type, wanted=PAYLOAD_TYPE)
    return sign_statement(envelope.payload, signer=signer)


def _seal(payload: bytes, payload_type: str, signer: Signer) -> Attestation:
    """Sign, and check what was made under the signer's declared key. A self-check, not a proof."""
    try:
        sealed = signer.seal(payload, payload_type)
    except GlasswingError:
        raise
    except Exception as e:  # a signer of the caller's may be a device or a service, and raises what it likes
        raise SigningError(because=f"{type(e).__name__}: {e}") from e
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
        predicates: further predicate types to read, beside the built-in ones. A type whose content nobody looks at is
            named all the same: `claims.opaque`.
        revocations: the current revocation list, signed; must be there once the trust names who signs it.
        revocations_seen: the highest version of the list that the caller has seen before.
        second_opinion: whoever must agree to every yes on a certificate bundle, where it can say.
        limits: the bounds on untrusted input.

    Raises:
        PolicyRefused: on construction, when the policy names a key that the trust lacks, or asks for a predicate type
            that nobody here reads: the edges that it may draw would be missed.
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

    def __post_init__(self) -> None:
        for name, kind in (("policy", Policy), ("trust", Trust)):
            if not isinstance(getattr(self, name), kind):
                found = type(getattr(self, name)).__name__
                raise UsageError(where=name, found=found, wanted=f"a {kind.__name__}: there is no default")
        for name, identity in self.policy.identities.items():
            _require_known(name, identity, self.trust)
        _require_a(
            self.revocations, Attestation | bytes | None, "revocations", "a signed list: an Attestation, or its bytes"
        )
        object.__setattr__(self, "evidence", frozen(self.evidence))
        object.__setattr__(self, "predicates", _types(self.predicates))
        known = registry_of(self.predicates)
        for node, rule in self.policy.nodes.items():
            for number, requirement in enumerate(rule.require):
                if requirement.predicate not in known:
                    raise PolicyRefused(
                        where=f"nodes.{node}.require[{number}].predicate",
                        found=requirement.predicate,
                        wanted="a predicate type that is read here",
                        do="hand over its PredicateType among the predicates; claims.opaque(uri) for one without edges",
                    )

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
                never relaxes the expiry of policy or trust.
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
            UsageError: what is no artifact (a path is none: say `Model(path)`), evidence that is no evidence, or an
                `at` without a zone.
        """
        now = datetime.now(UTC)
        at = now if at is None else _utc(at)
        return self._assess(artifact, evidence, at=at, now=now, progress=progress, executor=executor)

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
        for expiring in (self.trust, self.policy):
            expiring.require_fresh(max(at, now))
        manifest = measure(artifact, progress=progress, limits=self.limits, executor=executor)
        items: tuple[Item, ...] = ()
        try:
            items = gather((self.evidence, evidence), limits=self.limits)
            claims, refused = self._prove(items, at, self._revocations(max(at, now)))
            chain = self._walk(manifest, claims, refused, at, now)
        except (UnavailableError, LimitError) as e:
            return self._undecided(manifest, items, at, now, e)
        return self._report(manifest, items, at, now, chain, refused)

    def _revocations(self, now: datetime) -> VerifiedRevocations | None:
        return revocation.check(
            self._revocation_bytes, self.trust, now=now, seen=self.revocations_seen, limits=self.limits
        )

    @property
    def _revocation_bytes(self) -> bytes | None:
        return self.revocations.bytes if isinstance(self.revocations, Attestation) else self.revocations

    def _prove(
        self, items: Iterable[Item], at: datetime, revocations: VerifiedRevocations | None
    ) -> tuple[list[Claim], tuple[Refused, ...]]:
        """Prove every item by itself. What proves nothing is kept for messages."""
        types = registry_of(self.predicates)
        claimed_at = at if self.policy.times == "claimed" else None
        budget = Budget(self.limits, "signature_checks_in_all")
        claims: list[Claim] = []
        refused: list[Refused] = []
        for item in items:
            attestation = None
            try:
                attestation = Attestation.parse(item.data, limits=self.limits)
                proved = prove(attestation, self.trust, claimed_at=claimed_at, limits=self.limits, budget=budget)
                standing = revocation.standing(proved, revocations)
                for statement in standing:
                    if self.second_opinion is not None:
                        self.second_opinion.confirm(attestation, statement, self.trust)
                claims.extend([read(statement, types, limits=self.limits) for statement in standing])
            except GlasswingError as e:
                if budget.is_exceeded:
                    raise
                said = None if attestation is None else _said(attestation, self.limits)
                refused.append(Refused.of(item.origin, e, said, limits=self.limits))
        return claims, tuple(sorted(refused, key=lambda r: (r.origin, r.error.code)))

    def _walk(
        self, manifest: Manifest, claims: list[Claim], refused: Sequence[Refused], at: datetime, now: datetime
    ) -> Chain:
        root = measured(manifest)
        return walk(root, manifest.name, claims, self.policy, at=at, now=now, limits=self.limits, refused=refused)

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
            evidence=items,
            **self._deciding,
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
            evidence=items,
            error=error,
            **self._deciding,
        )

    @property
    def _deciding(self) -> dict[str, Any]:
        """What decides beside the evidence, as the report keeps it."""
        return {
            "policy": self.policy,
            "trust": self.trust,
            "predicates": tuple(sorted(kind.uri for kind in self.predicates)),
            "limits": self.limits,
            "revocations": self._revocation_bytes,
            "revocations_seen": self.revocations_seen,
            "second_opinion": self.second_opinion is not None,
            "version": __version__,
        }


def _types(predicates: Iterable[PredicateType]) -> tuple[PredicateType, ...]:
    _require_a(predicates, Iterable, "predicates", "a tuple of PredicateType")
    types = tuple(predicates)
    for number, kind in enumerate(types):
        _require_a(kind, PredicateType, f"predicates[{number}]", "a PredicateType")
    return types


def _utc(at: object) -> datetime:
    """Give the same time in UTC: it is compared, and written, in many places."""
    if not isinstance(at, datetime) or at.utcoffset() is None:
        found = str(at) if isinstance(at, datetime) else type(at).__name__
        raise UsageError(where="at", found=found, wanted="a datetime with a zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as e:
        raise UsageError(where="at", found=str(at), wanted="a time of the years 1 to 9999 in UTC") from e


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
            raise PolicyRefused(where=f"identities.{name}.{field}", found=found, wanted=wanted)
    if identity.issuer is not None and not roots:
        raise PolicyRefused(where=f"identities.{name}.issuer", found=identity.issuer, wanted="a trust with a root")


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
    has_inputs = any(edge.role not in ("run", "builder") for edge in graph.edges)
    cut = any(node.state is State.TRIMMED for node in graph.nodes)
    return "transitive" if has_inputs and not cut else "builder"


def verify(
    artifact: Artifact,
    evidence: Evidence = (),
    *,
    policy: Policy,
    trust: Trust,
    at: datetime | None = None,
    revocations: Attestation | bytes | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
) -> Report:
    """Verify one artifact; see `Verifier.verify`. Policy and trust have no default.

    Raises:
        GlasswingError: for every answer that is not a yes.
    """
    verifier = Verifier(policy=policy, trust=trust, revocations=revocations, limits=limits)
    return verifier.verify(artifact, evidence, at=at, progress=progress)


def assess(
    artifact: Artifact,
    evidence: Evidence = (),
    *,
    policy: Policy,
    trust: Trust,
    at: datetime | None = None,
    revocations: Attestation | bytes | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
) -> Report:
    """Assess one artifact without raising for a no; see `Verifier.assess`."""
    verifier = Verifier(policy=policy, trust=trust, revocations=revocations, limits=limits)
    return verifier.assess(artifact, evidence, at=at, progress=progress)


def replay(
    path: str | Path,
    *,
    predicates: Iterable[PredicateType] = (),
    second_opinion: SecondOpinion | None = None,
    policy_sha256: str | None = None,
    trust_sha256: str | None = None,
    limits: Limits = DEFAULT,
) -> Report:
    """Verify a case file again, at its own time, from what it holds. The verdict is computed anew, never read.

    Whoever wrote the file chose its policy, its trust and its times: the report says so with the finding
    ``report.replayed``, and with ``report.differs`` where the answer or the library's version is not the file's. Give
    the digests of your own policy and trust to have no others believed.

    Args:
        path: what `Report.case` wrote.
        predicates: the further predicate types that were read then, and no others.
        second_opinion: whoever must agree, where somebody was asked then.
        policy_sha256: the `Policy.digest` that the case's policy must have.
        trust_sha256: the `Trust.digest` that the case's trust must have.
        limits: the bounds on the file and on the verification; where the case's own were tighter, those.

    Raises:
        StoreUnavailable, FormatUnsupported, MalformedError, LimitError: the file is not a readable case.
        PolicyRefused, TrustRefused: the policy or the trust is not the one that was asked for.
        UsageError: other predicate types than then, or no second opinion where there was one.
    """
    case = unpack(Path(path), limits=limits)
    for kind, wanted, found in (
        (PolicyRefused, policy_sha256, case.policy.digest),
        (TrustRefused, trust_sha256, case.trust.digest),
    ):
        if wanted is not None and found != wanted:
            raise kind(where=str(path), found=found, wanted=wanted)
    types = _types(predicates)
    if sorted(kind.uri for kind in types) != sorted(case.predicates):
        raise UsageError(
            where="predicates",
            found=", ".join(sorted(kind.uri for kind in types)) or "none",
            wanted=", ".join(sorted(case.predicates)) or "none",
            because="the case was decided with other predicate types",
        )
    if case.second_opinion is not (second_opinion is not None):
        told = {True: "a second opinion", False: "none"}
        raise UsageError(
            where="second_opinion",
            found=told[second_opinion is not None],
            wanted=f"{told[case.second_opinion]}, as then",
        )
    verifier = Verifier(
        policy=case.policy,
        trust=case.trust,
        predicates=types,
        revocations=case.revocations,
        revocations_seen=case.revocations_seen,
        second_opinion=second_opinion,
        limits=dataclasses.replace(limits, **{n: min(b, getattr(limits, n)) for n, b in case.limits.items()}),
    )
    items = tuple(Item(data=data, origin=origin) for data, origin in case.evidence)
    report = verifier._assess(case.manifest, items, at=case.at, now=case.now)
    findings = [*report.findings, _replayed(policy_sha256 is not None, trust_sha256 is not None)]
    if (case.verdict, case.version) != (report.verdict, report.version):
        findings.append(
            Finding(
                code="report.differs",
                tier=Tier.WARNING,
                subject="case",
                found=f"{report.verdict} by version {report.version}",
                wanted=f"{case.verdict} by version {case.version}, as the case says",
                do="find out what changed since, or who changed the case",
            )
        )
    return dataclasses.replace(report, findings=tuple(findings), replayed=True)


def _replayed(knows_policy: bool, knows_trust: bool) -> Finding:
    told = [*(() if knows_policy else ("policy",)), *(() if knows_trust else ("trust",)), "times"]
    return Finding(
        code="report.replayed",
        tier=Tier.WARNING,
        subject="case",
        found=f"from the case itself: {', '.join(told)}",
        wanted="a case that you made, or digests that you know",
        do="hand over policy_sha256 and trust_sha256; the times are only as good as whoever made the case",
    )
