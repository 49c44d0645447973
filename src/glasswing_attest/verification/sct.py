"""Which certificate logs promised to publish this certificate?

RFC 6962, section 3.2: a signed certificate timestamp inside a certificate is over the certificate without the
timestamps::

    version(1)=0 ‖ type(1)=0 ‖ timestamp(8, ms) ‖ entry_type(2)=1 ‖ SHA-256(issuer's SPKI)(32) ‖ len(3) ‖ TBS ‖ len(2)
    ‖ extensions
"""

from __future__ import annotations

import functools
import hashlib
import struct
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.certificate_transparency import LogEntryType, SignedCertificateTimestamp

from glasswing_attest.errors import CertificateUntrusted, FieldRefused, GlasswingError, OutsideValidity
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.sigstore import Log

__all__ = ["promising_logs"]

_PROMISES = x509.PrecertificateSignedCertificateTimestamps.oid


def promising_logs(
    leaf: x509.Certificate, issuer: x509.Certificate, logs: Iterable[Log], *, limits: Limits = DEFAULT
) -> tuple[frozenset[str], tuple[GlasswingError, ...]]:
    """Give the distinct operators whose logs promised, and why other promises did not count.

    A log counts when its key signed the promise and its window contains the promise's own time.
    """
    try:
        extension: x509.Extension[Any] = leaf.extensions.get_extension_for_oid(_PROMISES)
        promises: list[SignedCertificateTimestamp] = list(extension.value)
    except x509.ExtensionNotFound:
        return frozenset(), ()
    except ValueError as e:
        raise FieldRefused(where="certificate.scts", because=str(e)) from e
    limits.check("log_entries", len(promises), where="certificate.scts")
    known = list(logs)
    operators: set[str] = set()
    refused: list[GlasswingError] = []
    for promise in promises:
        for log in (log for log in known if log.log_id == promise.log_id):
            try:
                _check(promise, leaf, issuer, log)
            except GlasswingError as e:
                refused.append(e)
            else:
                operators.add(log.operator)
    return frozenset(operators), tuple(refused)


def _check(promise: SignedCertificateTimestamp, leaf: x509.Certificate, issuer: x509.Certificate, log: Log) -> None:
    if promise.entry_type is not LogEntryType.PRE_CERTIFICATE:
        raise CertificateUntrusted(where="certificate.scts", wanted="a promise for a precertificate")
    try:
        stamped = promise.timestamp
    except (ValueError, OverflowError) as e:  # 64 bits of milliseconds reach beyond the year 9999
        raise FieldRefused(where="certificate.scts", because=str(e)) from e
    time = stamped if stamped.tzinfo else stamped.replace(tzinfo=UTC)
    if not log.window.contains(time):
        raise OutsideValidity(where=f"ctlogs {log.name}", found=time.isoformat(), wanted=str(log.window))
    tbs = leaf.tbs_precertificate_bytes
    milliseconds = round(time.timestamp() * 1000)
    signed = (
        struct.pack("!BBQH", 0, 0, milliseconds, 1)
        + _key_hash(issuer)
        + len(tbs).to_bytes(3)
        + tbs
        + len(promise.extension_bytes).to_bytes(2)
        + promise.extension_bytes
    )
    log.key.check(promise.signature, signed)


@functools.lru_cache(maxsize=256)
def _key_hash(issuer: x509.Certificate) -> bytes:
    """Give the hash of the issuer's key, which few issuers share among many leaves."""
    spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()
