"""Does what `cryptography` reads late, or only warns of, leave as one of our errors, however warnings are filtered?"""

import base64
import json
import struct
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest.errors import (
    CertificateUntrusted,
    FieldRefused,
    GlasswingError,
    NotPem,
    OutsideValidity,
    SignatureInvalid,
)
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.sigstore import Profile, Root
from glasswing_attest.verification.certificate import Leaf, validate_path
from glasswing_attest.verification.sct import promising_logs

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT, INTERMEDIATE, LEAF = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def warned_of() -> x509.Name:
    """A name whose country has three letters: it is read, and warned of."""
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "USA", _validate=False)])


def certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    more: Sequence[x509.ExtensionType] = (),
) -> bytes:
    ca = key is not LEAF
    usage = x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(by, hashes.SHA256()).public_bytes(Encoding.DER)


def root_of(*chain: bytes) -> bytes:
    authority = {
        "certChain": {"certificates": [{"rawBytes": base64.b64encode(der).decode()} for der in chain]},
        "validFor": {"start": "2020-01-01T00:00:00Z"},
    }
    media_type = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
    document = {"mediaType": media_type, "certificateAuthorities": [authority], "timestampAuthorities": [authority]}
    return json.dumps(document).encode()


def path(leaf: bytes, intermediate: bytes, root: bytes, *, embedded: bool) -> int:
    """The length of the path; raises where there is none."""
    document = root_of(root) if embedded else root_of(intermediate, root)
    trusted = Root.parse(document, name="root", profile=Profile(scts=0, logs=0, times=1))
    return len(validate_path(Leaf.parse(leaf), [intermediate] if embedded else [], trusted.authorities, NOW))


def made(place: str) -> tuple[bytes, bytes, bytes]:
    """Leaf, intermediate and root, one of which is warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hostile = [x509.DirectoryName(warned_of())]
        more: dict[str, list[x509.ExtensionType]] = {
            "alternative name": [x509.SubjectAlternativeName(hostile)],
            "name constraints": [x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=hostile)],
        }
        root = warned_of() if place == "root" else name("root")
        intermediate = warned_of() if place == "intermediate" else name("intermediate")
        leaf = warned_of() if place == "leaf" else name("leaf")
        san = x509.SubjectAlternativeName([x509.RFC822Name("alice@example.com")])
        return (
            certificate(leaf, intermediate, LEAF, INTERMEDIATE, [san]),
            certificate(intermediate, root, INTERMEDIATE, ROOT, more.get(place, ())),
            certificate(root, root, ROOT, ROOT),
        )


@pytest.mark.parametrize("embedded", [True, False], ids=["embedded", "rooted"])
@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("leaf", NotPem),
        ("intermediate", NotPem),
        ("alternative name", CertificateUntrusted),
        ("name constraints", CertificateUntrusted),
        ("root", NotPem),
    ],
)
def test_a_certificate_that_is_warned_of_is_refused_where_warnings_are_errors(
    place: str, error: type[GlasswingError], embedded: bool
) -> None:
    certificates = made(place)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(GlasswingError) as refused:
            path(*certificates, embedded=embedded)
    assert type(refused.value) is error
    assert "Attribute's length" in refused.value.because
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert path(*certificates, embedded=embedded) == 3


def test_nothing_is_refused_that_is_not_warned_of() -> None:
    for embedded in (True, False):
        assert path(*made("nowhere"), embedded=embedded) == 3


def promise(log_id: bytes, milliseconds: int) -> x509.Certificate:
    """A certificate with one promise, which is not the log's."""
    each = b"\0" + log_id + milliseconds.to_bytes(8) + b"\0\0" + b"\4\3" + b"\0\4junk"
    listed = struct.pack("!HH", len(each) + 2, len(each)) + each
    extension = x509.UnrecognizedExtension(SCTS, bytes([4, len(listed)]) + listed)
    return x509.load_der_x509_certificate(certificate(name("leaf"), name("leaf"), LEAF, LEAF, [extension]))


@pytest.mark.parametrize(
    ("milliseconds", "error"),
    [
        (0, OutsideValidity),
        (253402300799999, SignatureInvalid),  # the log's window has no end, so its key is asked
        (253402300800000, FieldRefused),  # the year 10000
        (2**64 - 1, FieldRefused),
    ],
)
def test_a_promise_of_any_time_is_ours_to_refuse(milliseconds: int, error: type[GlasswingError]) -> None:
    root = VirtualSigstore().root()
    leaf = promise(root.ct_logs[0].log_id, milliseconds)
    operators, (refused,) = promising_logs(leaf, leaf, root.ct_logs)
    assert operators == frozenset()
    assert type(refused) is error
