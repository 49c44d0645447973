"""How is it signed with a key for which a certificate authority stands?

X.509 (RFC 5280). A private authority's certificate lives for years, and its key is held by whoever signs. The bundle
brings the leaf and its intermediates; the root is for the verifier to have. There is no witness of the time among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._files import read_bounded
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import SigningError
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT
from glasswing_attest.signing.signer import Signer

__all__ = ["UNREADABLE", "CertificateSigner", "is_self_signed"]

UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, UserWarning)
"""What `cryptography` raises for certificates and keys that it cannot read; warnings, where warnings are errors."""


class CertificateSigner:
    """Signs with another signer's key, and names it by a certificate chain.

    Args:
        signer: who signs: a `KeySigner`, or any other whose public key the leaf certifies.
        chain: certificates in PEM, the leaf first and each issued by the next. A root may be left out.

    Raises:
        SigningError: these are no certificates in PEM, the leaf certifies another key, or the chain is none.
    """

    __slots__ = ("_chain", "_signer")

    def __init__(self, signer: Signer, chain: bytes) -> None:
        try:
            certificates = x509.load_pem_x509_certificates(chain)
            leaf = PublicKey.of(certificates[0].public_key())
        except UNREADABLE as e:
            raise SigningError(where="certificates", because=str(e), wanted="certificates in PEM") from e
        DEFAULT.check("certificates", len(certificates), where="certificates")
        if leaf.der != signer.public_key.der:
            found, wanted = f"key {leaf.fingerprint[:16]}", f"key {signer.public_key.fingerprint[:16]}"
            raise SigningError(where="certificates[0]", found=found, wanted=wanted)
        _require_chain(certificates)
        self._signer = signer
        # A root says nothing in a bundle: only that of the verifier counts.
        brought = [each for each in certificates[1:] if not is_self_signed(each)]
        self._chain = tuple(each.public_bytes(Encoding.DER) for each in (certificates[0], *brought))

    def __repr__(self) -> str:
        return f"CertificateSigner({self._signer!r}, {len(self._chain)} certificates)"

    @classmethod
    def from_files(cls, signer: Signer, *paths: str | Path) -> CertificateSigner:
        """Read the chain from one or several PEM files, in this order. Raises as the class does."""
        read = [read_bounded(Path(path), "policy_bytes", DEFAULT, error=SigningError) for path in paths]
        return cls(signer, b"\n".join(read))

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates that a bundle will bring, in DER: the leaf first."""
        return self._chain

    @property
    def public_key(self) -> PublicKey:
        """The key under which everything that this signer signs verifies."""
        return self._signer.public_key

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        """Sign the payload verbatim and give a Sigstore bundle v0.3 with the certificate chain."""
        envelope = Attestation.parse(self._signer.seal(payload, payload_type)).envelope
        if not isinstance(envelope, Envelope):
            raise SigningError(found="a Metablock", wanted="a DSSE envelope")
        return Bundle.of_certificates(envelope, self._chain)


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is signed with its own key, so that nobody else stands for it."""
    try:
        certificate.verify_directly_issued_by(certificate)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _require_chain(certificates: Sequence[x509.Certificate]) -> None:
    for number, (below, issuer) in enumerate(pairwise(certificates)):
        try:
            below.verify_directly_issued_by(issuer)
        except (*UNREADABLE, InvalidSignature) as e:
            because = str(e) or "the signature is another's"
            where = f"certificates[{number + 1}]"
            raise SigningError(where=where, because=because, wanted="whoever issued the one before it") from e
