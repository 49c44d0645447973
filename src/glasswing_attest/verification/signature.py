"""Did this key sign these very bytes?

DSSE v1, protocol.md, "Verification": the signature is over the pre-authentication encoding of the payload as it came. A
Metablock is signed over its canonical JSON. Both say so themselves, in `signed_bytes`.
A bundle names its signer by a certificate, whose key must have signed, or leaves it to the verifier's own keys, of
which every one is tried, hinted ones first. Whether anybody believes the certificate or the key is another question.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import InitVar, dataclass

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, Certificates, KeyHint, MessageSignature
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import KeyUntrusted, SignatureInvalid, SubjectMismatch, UnsupportedError
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.metablock import Metablock
from glasswing_attest.verification.certificate import Leaf, load
from glasswing_attest.verification.proof import Proof, require_seal

__all__ = ["SignedPayload", "check", "check_by", "check_message"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPayload(Proof):
    """`key` made `signature`: over an envelope, or over an artifact with `artifact_digest`.

    Attributes:
        envelope: the envelope or Metablock, or None for a bundle that signs an artifact directly.
        artifact_digest: the artifact's digest (algorithm and bytes), or None for an envelope.
        signature: the signature's bytes as they came.
        key, scheme: what verified it.
        leaf: the certificate that named the key, or None.
        embedded: the bundle's further certificates, without self-issued ones. Untrusted.
        brings_root: whether there was a self-issued one among them.
        named_as: what the container calls the key: a hint.
        bundle: the bundle around it, or None for what came without one.
    """

    envelope: Envelope | Metablock | None
    artifact_digest: tuple[str, bytes] | None
    signature: bytes
    key: PublicKey
    scheme: str
    leaf: Leaf | None
    embedded: tuple[bytes, ...]
    brings_root: bool
    named_as: str
    bundle: Bundle | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)

    def digest(self, algorithm: str) -> bytes | None:
        """Give the digest of what was signed; None where only another algorithm's is known."""
        if self.envelope is not None:
            return hashlib.new(algorithm, self.envelope.signed_bytes).digest()
        if self.artifact_digest is not None and self.artifact_digest[0] == algorithm:
            return self.artifact_digest[1]
        return None


def check(
    attestation: Attestation,
    keys: Iterable[PublicKey],
    *,
    by_subject: bool = False,
    limits: Limits = DEFAULT,
    budget: Budget | None = None,
) -> tuple[SignedPayload, ...]:
    """Give one proof for each distinct key that signed (and name it is given); signatures by others are ignored.

    Signatures times keys is work that whoever made the envelope can ask for: `limits` bounds it for this attestation,
    `budget` for all of them together. `by_subject` reads certificates that only their subject names.

    Raises:
        LimitError: more checks than that.
        SignatureInvalid: the certificate's key, or the key that the container names, did not sign this.
        KeyUntrusted: none of the keys signed it.
        MalformedError, KeyUnsupported: the certificate cannot be read.
    """
    material = attestation.material
    if isinstance(material, Certificates):
        leaf = Leaf.parse(material.chain[0], where="$.verificationMaterial.certificate", by_subject=by_subject)
        (signature,) = attestation.envelope.signatures
        try:
            scheme = leaf.key.check(signature.sig, attestation.envelope.signed_bytes)
        except SignatureInvalid as e:
            raise SignatureInvalid(where="$.signatures", wanted=e.wanted) from e
        return (_proof(attestation, signature, leaf.key, scheme, "", leaf, *_embedded(material)),)
    distinct = {(key.der, key.schemes): key for key in keys}
    message = attestation.envelope.signed_bytes
    hashed: dict[str, bytes] = {}
    own = Budget(limits, "signature_checks")
    proofs: dict[tuple[bytes, str], SignedPayload] = {}
    named = False
    for signature in attestation.envelope.signatures:
        hint = _name_of(material, signature)
        ordered = sorted(distinct.values(), key=lambda key, hint=hint: hint not in key.hints)  # type: ignore[misc]
        named = named or any(hint in key.hints for key in ordered)
        for key in ordered:
            _spend(own, budget)
            try:
                scheme = key.check(signature.sig, message, hashed=hashed)
            except SignatureInvalid:
                continue
            proofs.setdefault((key.der, hint), _proof(attestation, signature, key, scheme, hint, None, (), False))
            break
    if not proofs:
        raise SignatureInvalid(where="$.signatures") if named else KeyUntrusted(where="$.signatures")
    return tuple(proofs.values())


def _spend(*budgets: Budget | None) -> None:
    for budget in budgets:
        if budget is not None:
            budget.spend(where="$.signatures")


def check_by(attestation: Attestation, key: PublicKey) -> SignedPayload:
    """Give the proof that this one key signed, whatever a certificate calls it. Raises as `check` does."""
    proof = check(attestation, (key,), by_subject=True)[0]
    if proof.key.der != key.der:  # a certificate brings a key of its own
        raise KeyUntrusted(where="$.verificationMaterial", found=f"key {proof.key.fingerprint[:16]}")
    return proof


def check_message(
    bundle: Bundle, keys: Iterable[PublicKey], *, digest: tuple[str, bytes], content: bytes | None = None
) -> SignedPayload:
    """Prove a bundle that signs an artifact directly. `digest` is the artifact's, `content` its bytes.

    Raises:
        SubjectMismatch: the bundle names another digest, or the same by another algorithm.
        SignatureInvalid, KeyUntrusted: as `check` does.
        UnsupportedError: the scheme signs the bytes themselves and `content` is None.
    """
    message = bundle.content
    if not isinstance(message, MessageSignature):
        raise UnsupportedError(where="$", found="dsseEnvelope", wanted="messageSignature")
    _require_same_digest(message, digest)
    if content is not None and (
        digest[0] not in _ALGORITHMS.values() or hashlib.new(digest[0], content).digest() != digest[1]
    ):
        raise SubjectMismatch(where="content", found="other bytes", wanted=f"{digest[0]}:{digest[1].hex()[:16]}")
    if isinstance(bundle.material, Certificates):
        leaf = Leaf.parse(bundle.material.chain[0], where="$.verificationMaterial.certificate")
        embedded, brings_root = _embedded(bundle.material)
        candidates: list[tuple[PublicKey, Leaf | None]] = [(leaf.key, leaf)]
    else:
        embedded, brings_root = (), False
        candidates = [(key, None) for key in keys]
    for key, leaf_or_none in candidates:
        try:
            scheme = key.check_digest(message.signature, digest, content)
        except SignatureInvalid:
            continue
        return SignedPayload(
            envelope=None,
            artifact_digest=digest,
            signature=message.signature,
            key=key,
            scheme=scheme,
            leaf=leaf_or_none,
            embedded=embedded,
            brings_root=brings_root,
            named_as=bundle.material.hint if isinstance(bundle.material, KeyHint) else "",
            bundle=bundle,
            seal=_SEAL,
        )
    if not isinstance(bundle.material, Certificates):
        raise KeyUntrusted(where="$.messageSignature")
    raise SignatureInvalid(where="$.messageSignature")


_ALGORITHMS = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


def _require_same_digest(message: MessageSignature, digest: tuple[str, bytes]) -> None:
    if not message.digest and not message.algorithm:
        return  # the digest is optional in a bundle: the signature itself is over the artifact's
    found = (_ALGORITHMS.get(message.algorithm, message.algorithm), message.digest)
    if found != digest:
        raise SubjectMismatch(
            where="$.messageSignature.messageDigest",
            found=f"{found[0]}:{found[1].hex()[:16]}",
            wanted=f"{digest[0]}:{digest[1].hex()[:16]}",
        )


def _embedded(material: Certificates) -> tuple[tuple[bytes, ...], bool]:
    """Give the certificates that may help to build a path, and whether there is a root among the others."""
    loaded = [(der, load(der, where="$.verificationMaterial.x509CertificateChain")) for der in material.chain[1:]]
    # A root inside a bundle would be trust that brings itself along: nobody downstream gets to see it.
    helpful = tuple(der for der, certificate in loaded if certificate.issuer != certificate.subject)
    return helpful, len(helpful) < len(loaded)


def _name_of(material: KeyHint, signature: EnvelopeSignature) -> str:
    return signature.keyid or material.hint


def _proof(
    attestation: Attestation,
    signature: EnvelopeSignature,
    key: PublicKey,
    scheme: str,
    hint: str,
    leaf: Leaf | None,
    embedded: tuple[bytes, ...],
    brings_root: bool,
) -> SignedPayload:
    return SignedPayload(
        envelope=attestation.envelope,
        artifact_digest=None,
        signature=signature.sig,
        key=key,
        scheme=scheme,
        leaf=leaf,
        embedded=embedded,
        brings_root=brings_root,
        named_as=hint,
        bundle=attestation.bundle,
        seal=_SEAL,
    )
