"""How is a statement made and signed? Measure, say, sign, and check what was made before anybody gets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Protocol, runtime_checkable

from glasswing_attest._api.callers import require_a
from glasswing_attest._wire import JsonValue
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.manifest import Artifact, Manifest, measure
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import (
    GlasswingError,
    PayloadTypeUnsupported,
    SelfCheckFailed,
    SigningError,
    SourceDirty,
    UsageError,
)
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.signer import Signer
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.verification import signature

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
    """Sign, and check what was made under the signer's declared key. A self-check, not a proof."""
    try:
        sealed = signer.seal(payload, payload_type)
    except GlasswingError:
        raise
    except Exception as e:  # a signer of the caller's may be a device or a service, and raises what it likes
        raise SigningError(because=f"{type(e).__name__}: {e}") from e
    try:
        made = Attestation.parse(sealed, limits=limits)
        signature.check_by(made, signer.public_key)
    except GlasswingError as e:
        raise SelfCheckFailed(because=str(e)) from e
    if made.envelope.payload != payload or made.envelope.payload_type != payload_type:
        raise SelfCheckFailed(found="another payload", wanted="the payload that was to be signed")
    return made
