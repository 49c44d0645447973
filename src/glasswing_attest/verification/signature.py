"""Did a trusted key sign these very bytes?

DSSE v1, protocol.md, "Verification": the signature is over the pre-authentication encoding of the payload as it came.
Every trusted key is tried, hinted ones first; the hint itself decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Certificates, KeyHint
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import CertificateUnsupported, KeyUntrusted, SignatureInvalid
from glasswing_attest.keys import PublicKey
from glasswing_attest.verification.proof import Proof, require_seal

__all__ = ["SignedPayload", "check", "check_by"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPayload(Proof):
    """`key` signed this payload under this type. Whether anybody believes the key is another question.

    `named_as` is what the container calls the key: a hint.
    """

    envelope: Envelope
    key: PublicKey
    scheme: str
    named_as: str
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


def check(attestation: Attestation, keys: Iterable[PublicKey]) -> tuple[SignedPayload, ...]:
    """Give one proof for each distinct key that signed (and name it is given); signatures by others are ignored.

    Raises:
        CertificateUnsupported: the signer is named by a certificate.
        SignatureInvalid: the container names one of the keys, and that key did not sign this.
        KeyUntrusted: none of the keys signed it.
    """
    if isinstance(attestation.material, Certificates):
        raise CertificateUnsupported(where="$.verificationMaterial")
    distinct = {(key.der, key.schemes): key for key in keys}
    proofs: dict[tuple[bytes, str], SignedPayload] = {}
    named = False
    for signature in attestation.envelope.signatures:
        hint = _name_of(attestation.material, signature)
        ordered = sorted(distinct.values(), key=lambda key, hint=hint: hint not in key.hints)  # type: ignore[misc]
        named = named or any(hint in key.hints for key in ordered)
        for key in ordered:
            if found := _try(attestation.envelope, signature, key, hint):
                proofs.setdefault((key.der, hint), found)
                break
    if not proofs:
        raise SignatureInvalid(where="$.signatures") if named else KeyUntrusted(where="$.signatures")
    return tuple(proofs.values())


def check_by(attestation: Attestation, key: PublicKey) -> SignedPayload:
    """Give the proof that this one key signed. Raises as `check` does."""
    return check(attestation, (key,))[0]


def _name_of(material: KeyHint | Certificates, signature: EnvelopeSignature) -> str:
    return signature.keyid or (material.hint if isinstance(material, KeyHint) else "")


def _try(envelope: Envelope, signature: EnvelopeSignature, key: PublicKey, hint: str) -> SignedPayload | None:
    try:
        scheme = key.check(signature.sig, envelope.signed_bytes)
    except SignatureInvalid:
        return None
    return SignedPayload(envelope=envelope, key=key, scheme=scheme, named_as=hint, seal=_SEAL)
