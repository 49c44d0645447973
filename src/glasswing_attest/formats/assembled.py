"""How is a bundle put together from what another container kept apart, without writing any of it anew?

Signed bytes, log entries and envelopes are taken over as they stand. The frame around them was never signed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._wire import encode_base64
from glasswing_attest.bundle import BUNDLE_V03
from glasswing_attest.errors import NotPem
from glasswing_attest.limits import Limits

__all__ = ["assembled", "certificates_of"]


def assembled(
    envelope: bytes,
    *,
    certificates: Sequence[bytes] = (),
    entries: Sequence[bytes] = (),
    timestamps: Sequence[bytes] = (),
    media_type: str = BUNDLE_V03,
) -> bytes:
    """Give a Sigstore bundle as JSON.

    Args:
        envelope: the DSSE envelope's JSON.
        certificates: DER, leaf first; none for what a key signed.
        entries: the log entries' JSON.
        timestamps: signed time stamps, DER.
        media_type: of the bundle's version.
    """
    if not certificates:
        signer = b'"publicKey":{}'
    elif len(certificates) == 1 and media_type == BUNDLE_V03:
        signer = b'"certificate":' + _raw_bytes(certificates[0])
    else:
        signer = b'"x509CertificateChain":{"certificates":[' + b",".join(map(_raw_bytes, certificates)) + b"]}"
    stamps = json.dumps([{"signedTimestamp": encode_base64(stamp)} for stamp in timestamps], separators=(",", ":"))
    return b"".join(
        [
            b'{"mediaType":"%b","verificationMaterial":{%b' % (media_type.encode("ascii"), signer),
            b',"tlogEntries":[%b]' % b",".join(entries),
            b',"timestampVerificationData":{"rfc3161Timestamps":%b}}' % stamps.encode("ascii"),
            b',"dsseEnvelope":%b}' % envelope,
        ]
    )


def _raw_bytes(der: bytes) -> bytes:
    return b'{"rawBytes":"%b"}' % encode_base64(der).encode("ascii")


def certificates_of(pem: bytes, *, where: str, limits: Limits) -> tuple[bytes, ...]:
    """Give the DER of every certificate in a PEM text that a bundle may hold: all but roots, which nobody is to bring.

    Raises:
        NotPem: not readable.
        LimitError: too many.
    """
    limits.check("certificates", pem.count(b"-----BEGIN"), where=where)
    try:
        found = x509.load_pem_x509_certificates(pem)
        return tuple(each.public_bytes(Encoding.DER) for each in found if each.issuer != each.subject)
    # A warning is an error to some, and about a certificate that nobody should have issued.
    except (ValueError, TypeError, UserWarning, UnsupportedAlgorithm, x509.InvalidVersion) as e:
        raise NotPem(where=where, because=str(e)) from e
