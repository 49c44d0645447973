"""Which certificate logs promised a certificate, and why do other promises not count?"""

import struct
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes

from glasswing_attest.errors import (
    FieldRefused,
    LimitError,
    OutsideValidity,
    SignatureInvalid,
)
from glasswing_attest.limits import Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.verification.sct import promising_logs
from tests.private_pki import Pki
from tests.unit.verification.asking import refused

SIGSTORE = VirtualSigstore()
PKI = Pki()


def leaf_with(scts: bytes) -> x509.Certificate:
    """A leaf whose list of promises is this, whatever it is."""
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
    builder = x509.CertificateBuilder(
        issuer_name=PKI.intermediate.subject,
        subject_name=PKI.intermediate.subject,
        public_key=PKI.leaf_key.public_key(),
        serial_number=7,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2027, 1, 1, tzinfo=UTC),
    )
    return builder.add_extension(x509.UnrecognizedExtension(oid, encode_der(scts)), critical=False).sign(
        PKI.intermediate_key, hashes.SHA256()
    )


def promise(log_id: bytes, milliseconds: int) -> bytes:
    body = struct.pack("!B32sQH", 0, log_id, milliseconds, 0) + b"\x04\x03" + struct.pack("!H", 8) + bytes(8)
    return struct.pack("!H", len(body)) + body


def listed(*promises: bytes) -> bytes:
    return struct.pack("!H", sum(map(len, promises))) + b"".join(promises)


def test_each_promise_is_refused_for_its_own_reason() -> None:
    (log,) = SIGSTORE.root().ct_logs
    now = int(log.window.start.timestamp() * 1000)
    for milliseconds, error, where in (
        (2**64 - 1, FieldRefused, "certificate.scts"),
        (2**62, FieldRefused, "certificate.scts"),
        (now - 1, OutsideValidity, f"ctlogs {log.name}"),
    ):
        leaf = leaf_with(listed(promise(log.log_id, milliseconds)))
        operators, (why,) = promising_logs(leaf, PKI.intermediate, [log])
        assert (operators, type(why), why.where) == (frozenset(), error, where)
    operators, (why,) = promising_logs(leaf_with(listed(promise(log.log_id, now))), PKI.intermediate, [log])
    assert (operators, type(why)) == (frozenset(), SignatureInvalid)
    assert promising_logs(leaf_with(listed(promise(bytes(32), now))), PKI.intermediate, [log]) == (frozenset(), ())
    assert promising_logs(PKI.leaf(), PKI.intermediate, [log]) == (frozenset(), ())


def test_a_list_of_promises_that_is_none_is_refused() -> None:
    for broken in (b"", b"\x00", b"\x00\x05\x00", listed(promise(bytes(32), 1))[:-1]):
        at = ("malformed.field", "certificate.scts")
        assert refused(FieldRefused, promising_logs, leaf_with(broken), PKI.intermediate, ()) == at
    one = leaf_with(listed(promise(bytes(32), 1)))
    assert promising_logs(one, PKI.intermediate, (), limits=Limits(log_entries=1)) == (frozenset(), ())
    at = ("limit", "certificate.scts")
    assert refused(LimitError, promising_logs, one, PKI.intermediate, (), limits=Limits(log_entries=0)) == at
