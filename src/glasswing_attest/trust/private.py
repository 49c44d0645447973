"""How is a certificate authority of one's own believed?

A private authority has no transparency log, and often no clock: only its certificates are at hand, in PEM. They become
a TrustedRoot document, so that a trust file and a case can carry it. Each is believed as long as it says itself.
"""

from __future__ import annotations

import json

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._wire import encode_base64, format_time
from glasswing_attest.errors import NotPem, TrustRefused
from glasswing_attest.signing.certificate import UNREADABLE, is_self_signed
from glasswing_attest.trust.sigstore import Profile, Root

__all__ = ["PRIVATE", "private_root"]

PRIVATE = Profile(scts=0, logs=0, times=0, embedded_roots="ignore", private=True)
"""No witness of anything. What it signed is believed only where the caller says himself when it was signed."""

_MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"


def private_root(name: str, pem: bytes, *, profile: Profile = PRIVATE, where: str = "") -> Root:
    """Believe each certificate in `pem` as an authority of its own, under `name`.

    Raises:
        NotPem: no certificates in PEM.
        TrustRefused: one that is not self-signed, so that another stands for it, or that is no authority.
    """
    where = where or name
    try:
        certificates = {each: each.subject.rfc4514_string() for each in x509.load_pem_x509_certificates(pem)}
    except UNREADABLE as e:
        raise NotPem(kind="trust", where=where, because=str(e)) from e
    for certificate, subject in certificates.items():
        if not is_self_signed(certificate):
            raise TrustRefused(where=where, found=subject, wanted="a root certificate, which its own key signed")
        if not _is_authority(certificate):
            do = "believe its key by a name of its own"
            raise TrustRefused(where=where, found=subject, wanted="a certificate that says it is a CA", do=do)
    document = {"mediaType": _MEDIA_TYPE, "certificateAuthorities": [_authority(each) for each in certificates]}
    return Root.parse(json.dumps(document).encode("ascii"), name=name, profile=profile, where=where)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (*UNREADABLE, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False


def _authority(certificate: x509.Certificate) -> dict[str, object]:
    der = certificate.public_bytes(Encoding.DER)
    return {
        "uri": certificate.subject.rfc4514_string(),
        "certChain": {"certificates": [{"rawBytes": encode_base64(der)}]},
        "validFor": {
            "start": format_time(certificate.not_valid_before_utc),
            "end": format_time(certificate.not_valid_after_utc),
        },
    }
