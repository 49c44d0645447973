"""How is a certificate authority of one's own believed?

A private authority has no transparency log, and often no clock: only its certificates are at hand, in PEM. They become
a TrustedRoot document, so that a trust file and a case can carry it. Each is believed as long as it says itself. Logs
and clocks of somebody else's may stand beside them there, as witnesses.
"""

from __future__ import annotations

import json

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._wire import encode_base64, format_time
from glasswing_attest.errors import NotPem, TrustRefused
from glasswing_attest.trust.certificates import UNREADABLE
from glasswing_attest.trust.sigstore import Profile, Root

__all__ = ["PRIVATE", "is_self_signed", "private_root"]

PRIVATE = Profile(scts=0, logs=0, times=0, embedded_roots="ignore", private=True)
"""No witness of anything. What it signed is believed only where the caller says himself when it was signed."""

_MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"


def private_root(
    name: str, pem: bytes, *, profile: Profile = PRIVATE, witnesses: Root | None = None, where: str = ""
) -> Root:
    """Believe each certificate in `pem` as an authority of its own, under `name`.

    Args:
        name: what the root is called.
        pem: root certificates.
        profile: how many witnesses a signature needs.
        witnesses: a root whose logs and clocks are believed for these authorities, too. Its own authorities are not.
        where: where the certificates stand.

    Raises:
        NotPem: no certificates in PEM.
        TrustRefused: one that is not self-signed, so that another stands for it, or that is no authority; or the
            profile asks for more witnesses than there are.
    """
    where = where or name
    try:
        certificates = {each: each.subject.rfc4514_string() for each in x509.load_pem_x509_certificates(pem)}
        authorities = [_authority(each) for each in certificates]  # a certificate can begin or end in the year 0
    except UNREADABLE as e:
        raise NotPem(kind="trust", where=where, because=str(e)) from e
    for certificate, subject in certificates.items():
        if not is_self_signed(certificate):
            raise TrustRefused(where=where, found=subject, wanted="a root certificate, which its own key signed")
        if not _is_authority(certificate):
            do = "believe its key by a name of its own"
            raise TrustRefused(where=where, found=subject, wanted="a certificate that says it is a CA", do=do)
    document = {
        "mediaType": _MEDIA_TYPE,
        "certificateAuthorities": authorities,
        **({} if witnesses is None else _witnesses(witnesses)),
    }
    return Root.parse(json.dumps(document).encode("ascii"), name=name, profile=profile, where=where)


def _witnesses(root: Root) -> dict[str, object]:
    """Give the logs and clocks of a root, as its document has them."""
    said = json.loads(root.raw)
    return {member: said[member] for member in ("tlogs", "timestampAuthorities") if member in said}


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is signed with its own key, so that nobody else stands for it."""
    try:
        certificate.verify_directly_issued_by(certificate)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (*UNREADABLE, x509.ExtensionNotFound):
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
