"""Which certificates can be read at all?

X.509 (RFC 5280) in DER, as `cryptography` reads it: much of a certificate only when somebody asks for it, and then with
whatever exception comes of it. Whoever asks catches `UNREADABLE`.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from glasswing_attest.errors import Kind, NotPem

__all__ = ["UNREADABLE", "read_certificate"]

UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AssertionError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UserWarning,
)
"""What `cryptography` raises for certificates, keys and names that it cannot read; warnings, where those are errors."""


def read_certificate(der: bytes, *, where: str, kind: Kind) -> x509.Certificate:
    """Read a certificate whose names and dates can be read, too. Raises `NotPem`."""
    try:
        found = x509.load_der_x509_certificate(der)
        # These are read when they are asked for, so ask here, where a refusal has its place.
        _ = found.subject, found.issuer, found.not_valid_before_utc, found.not_valid_after_utc
    except UNREADABLE as e:
        raise NotPem(kind=kind, where=where, because=str(e)) from e
    return found
