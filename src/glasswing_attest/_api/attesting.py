"""How is a statement made and signed? Measure, say, sign, and check what was made before anybody gets it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeAlias, cast, runtime_checkable

from glasswing_attest._api.callers import require_a
from glasswing_attest._wire import JsonValue
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.manifest import Artifact, Manifest, measure
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import (
    AttestationsMissing,
    GlasswingError,
    PayloadTypeUnsupported,
    SelfCheckFailed,
    SigningError,
    SourceDirty,
    UnavailableError,
    UsageError,
    counted,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.signer import Signer
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification import signature
from glasswing_attest.verification.procedure import prove

__all__ = ["Predicate", "Request", "attest", "attest_many", "endorse", "sign_statement"]


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


@runtime_checkable
class _Annotates(Protocol):
    """A predicate that says something beside the digests of each subject, such as the references of a commit."""

    def subject_annotations(self, manifest: Manifest) -> Mapping[str, JsonValue]: ...


Request = tuple[Artifact | Sequence[Artifact], Predicate]
"""One attestation to make: what it is about, and what it says."""

_Attestations: TypeAlias = tuple[Attestation, ...]
_Sealed: TypeAlias = "Attestation | GlasswingError | None"


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
    measured, and refused where it contradicts it. What was made is proved under the signer's own key, or under the
    trust that the signer was made for, before it is returned.

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
        SigningError: it could not be signed, or does not verify under what the signer declares.
        UnavailableError: a service that the signer needs did not answer.

    >>> from glasswing_attest import KeySigner, ModelRecord
    >>> from glasswing_attest.artifact.file import Blob
    >>> made = attest(Blob(b"weights", name="m.bin"), ModelRecord(name="m"), signer=KeySigner.generate())
    >>> made.statement_unverified.subjects[0].name
    'm.bin'
    """
    _require_signer(signer)
    return _seal(_statement(subject, predicate, _Measured(progress, executor)), PAYLOAD_TYPE, signer)


def attest_many(
    requests: Iterable[Request],
    *,
    signer: Signer,
    progress: Progress | None = None,
    executor: Executor | None = None,
    sealing: Executor | None = None,
) -> tuple[Attestation, ...]:
    """Make several attestations with one signer, in the order of the requests.

    Every subject is measured and every statement written before the first is signed: a request that is refused leaves
    nothing signed. An artifact that several requests are about is measured once.

    Args:
        requests: pairs of subject and predicate.
        signer: who says it all.
        progress: called with a `ProgressEvent` while files are hashed.
        executor: hashes files with these workers; threads of our own by default.
        sealing: signs with these workers, several at a time; one after the other by default. They must be threads of
            this process, and the signer made for them, as a `SigstoreSigner` is.

    Raises:
        AttestationsMissing: some could not be made, and others were: they are in its `made`.
        GlasswingError: as `attest` does, where none was made.
    """
    _require_signer(signer)
    measured = _Measured(progress, executor)
    payloads = []
    for number, request in enumerate(requests):
        _require_pair(request, f"requests[{number}]")
        payloads.append(_statement(*request, measured))
    if sealing is None:
        return _sealed_all(payloads, signer, map)
    return _sealed_all(payloads, signer, sealing.map)


_OUTAGE = 3
"""So many requests in a row that a service does not answer, each tried several times, are an outage."""


def _sealed_all(payloads: Sequence[bytes], signer: Signer, mapped: Callable[..., Iterator[_Sealed]]) -> _Attestations:
    """Sign them all; those for which a service did not answer get a second turn when all others have had theirs."""
    sealing = _Sealing(signer)
    try:
        done = list(mapped(sealing, payloads))
        silent = [number for number, each in enumerate(done) if isinstance(each, UnavailableError)]
        if silent and not sealing.is_over:
            for number, each in zip(silent, mapped(sealing, [payloads[n] for n in silent]), strict=True):
                done[number] = each or done[number]
    except Exception as e:  # what one payload raises is kept: this is of the executor's own
        because, wanted = f"{type(e).__name__}: {e}", "threads of this process, that take work"
        raise UsageError(where="sealing", because=because, wanted=wanted) from e
    failed = tuple((number, each) for number, each in enumerate(done) if isinstance(each, GlasswingError))
    if not failed:
        return cast("_Attestations", tuple(done))
    made = tuple(each if isinstance(each, Attestation) else None for each in done)
    first = failed[0][1]
    if not any(made):
        raise first
    told = first.moved(first.where)
    told.do = ""  # its advice is for when nothing was made
    missing = [f"requests[{number}]" for number, each in enumerate(made) if each is None]
    raise AttestationsMissing(
        where=", ".join(missing),
        because=f"{type(first).__name__}: {told}",
        found=f"{len(made) - len(missing)} of {counted(len(made), 'attestation')}",
        made=made,
        failed=failed,
    ) from first


class _Sealing:
    """Signs one payload after the other, until a failure tells that the next ones will fail as well."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._lock = threading.Lock()
        self._in_a_row = 0

    @property
    def is_over(self) -> bool:
        return self._in_a_row >= _OUTAGE

    def __call__(self, payload: bytes) -> _Sealed:
        if self.is_over:
            return None
        try:
            made = _seal(payload, PAYLOAD_TYPE, self._signer)
        except GlasswingError as e:
            with self._lock:
                # Whatever is no outage fails for each of them alike: the token, the key, the trust.
                self._in_a_row += 1 if isinstance(e, UnavailableError) else _OUTAGE
            return e
        with self._lock:
            if self._in_a_row < _OUTAGE:
                self._in_a_row = 0
        return made


class _Measured:
    """Measures artifacts, each once."""

    def __init__(self, progress: Progress | None, executor: Executor | None) -> None:
        self._progress = progress
        self._executor = executor
        self._known: dict[Artifact, Manifest] = {}

    def __call__(self, artifact: Artifact) -> Manifest:
        if isinstance(artifact, Manifest):  # measured already
            return artifact
        try:
            known = self._known.get(artifact)
        except TypeError:  # an artifact of the caller's need not be hashable
            return measure(artifact, where="subject", progress=self._progress, executor=self._executor)
        if known is None:
            known = measure(artifact, where="subject", progress=self._progress, executor=self._executor)
            self._known[artifact] = known
        return known


def _statement(subject: Artifact | Sequence[Artifact], predicate: Predicate, measured: _Measured) -> bytes:
    """Measure the subject, and write what is said of it."""
    if not callable(getattr(predicate, "to_predicate", None)) or isinstance(predicate, type):
        found = type(predicate).__name__
        raise UsageError(where="predicate", found=found, wanted="a record, provenance, or another predicate")
    # A str is a sequence, too; whatever is no list of artifacts is named as it is.
    several = isinstance(subject, Sequence) and not isinstance(subject, str | bytes)
    artifacts: list[Artifact] = list(subject) if several else [subject]  # type: ignore[list-item, arg-type]
    manifests = [measured(artifact) for artifact in artifacts]
    if not manifests:
        raise UsageError(where="subject", found="nothing", wanted="at least one artifact")
    for manifest in manifests:
        if manifest.facts.get("dirty") == "true" and getattr(predicate, "dirty", None) is not True:
            raise SourceDirty(
                where=manifest.name,
                because=", ".join(manifest.facts.get("dirtyPaths", "").split("\n")),
                do="commit the changes; a record that says dirty=True is signed, but verified for no commit",
            )
    if len(manifests) == 1 and isinstance(predicate, _Describes):
        predicate = predicate.described_by(manifests[0])
    subjects = [_described(manifest, predicate) for manifest in manifests]
    body = predicate.to_predicate()
    if not isinstance(body, Mapping):
        raise UsageError(where="predicate.to_predicate()", found=type(body).__name__, wanted="a JSON object")
    return Statement.make(subjects, predicate.predicate_type, body).payload


def _described(manifest: Manifest, predicate: Predicate) -> ResourceDescriptor:
    beside = predicate.subject_annotations(manifest) if isinstance(predicate, _Annotates) else {}
    require_a(beside, Mapping, "predicate.subject_annotations()", "a JSON object")
    return ResourceDescriptor(name=manifest.name, digest=manifest.digests, annotations=beside)


def _require_pair(request: object, where: str) -> None:
    if not isinstance(request, tuple) or len(request) != 2:
        raise UsageError(where=where, found=type(request).__name__, wanted="a pair of subject and predicate")


def _require_signer(signer: Signer) -> None:
    if isinstance(signer, type) or not callable(getattr(signer, "seal", None)):
        found = signer.__name__ if isinstance(signer, type) else type(signer).__name__
        raise UsageError(where="signer", found=found, wanted="a signer, such as a KeySigner")
    # What would not be proved afterwards is not signed, logged and stamped first.
    try:
        believed = getattr(signer, "verified_by", None)
    except GlasswingError:
        raise
    except Exception as e:
        raise SigningError(because=f"{type(e).__name__}: {e}") from e
    if not isinstance(believed, PublicKey | Trust):
        wanted = "a PublicKey, or the Trust under which it verifies"
        raise UsageError(where="signer.verified_by", found=type(believed).__name__, wanted=wanted)


def sign_statement(raw: bytes, *, signer: Signer, limits: Limits = DEFAULT) -> Attestation:
    """Sign the bytes of an in-toto statement verbatim. They are read first: what is no statement is not signed.

    Raises:
        MalformedError, UnsupportedError: not an in-toto statement.
        LimitError: a larger one than `limits` allow.
        SigningError: it could not be signed.
    """
    require_a(raw, bytes, "raw", "the statement's bytes")
    _require_signer(signer)
    Statement.parse_unverified(raw, limits=limits)
    return _seal(raw, PAYLOAD_TYPE, signer, limits)


def endorse(attestation: Attestation, *, signer: Signer) -> Attestation:
    """Sign the very payload of another attestation: one more signer for the same statement.

    Nothing is said about the first signature; whoever endorses must have verified it.

    Raises:
        PayloadTypeUnsupported: the payload is no in-toto statement.
        SigningError: it could not be signed.
    """
    require_a(attestation, Attestation, "attestation", "an Attestation")
    envelope = attestation.envelope
    if envelope.payload_type != PAYLOAD_TYPE:
        raise PayloadTypeUnsupported(where="$.payloadType", found=envelope.payload_type, wanted=PAYLOAD_TYPE)
    return sign_statement(envelope.payload, signer=signer)


def _seal(payload: bytes, payload_type: str, signer: Signer, limits: Limits = DEFAULT) -> Attestation:
    """Sign, and prove what was made under what the signer declares: nobody gets what this engine does not prove."""
    try:
        believed = signer.verified_by
        sealed = signer.seal(payload, payload_type)
    except GlasswingError:
        raise
    except Exception as e:  # a signer of the caller's may be a device or a service, and raises what it likes
        raise SigningError(because=f"{type(e).__name__}: {e}") from e
    try:
        made = Attestation.parse(sealed, limits=limits)
        if isinstance(believed, PublicKey):
            signature.check_by(made, believed)
        else:
            prove(made, believed, limits=limits)
    except GlasswingError as e:
        raise SelfCheckFailed(because=str(e)) from e
    if made.envelope.payload != payload or made.envelope.payload_type != payload_type:
        raise SelfCheckFailed(found="another payload", wanted="the payload that was to be signed")
    return made
