"""Do root certificates become authorities of one's own, and nothing else?"""

import base64
import json
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._wire import encode_base64
from glasswing_attest.errors import FieldRefused, NotPem, TrustRefused
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.private import PRIVATE, is_self_signed, private_root
from glasswing_attest.trust.sigstore import Profile, Root, Window
from tests.private_pki import END, START, Pki, pem

PKI, OTHER = Pki(), Pki()
SIGSTORE = VirtualSigstore("example")


def self_signed(
    extensions: Sequence[x509.ExtensionType],
    key: ec.EllipticCurvePrivateKey = PKI.root_key,
    of: X25519PublicKey | None = None,
) -> bytes:
    """A certificate that its own key signed, with these extensions."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(PKI.root.subject)
        .issuer_name(PKI.root.subject)
        .public_key(of or PKI.root_key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(END)
    )
    for each in extensions:
        builder = builder.add_extension(each, critical=True)
    return pem(builder.sign(key, hashes.SHA256()))


CA = x509.BasicConstraints(ca=True, path_length=None)
NO_CA = x509.BasicConstraints(ca=False, path_length=None)
# cryptography writes no extension twice: so one of another kind is turned into it.
TWICE = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.99"), b"\x30\x03\x01\x01\xff")
BROKEN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.19"), b"junk")
NAMES = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x05\xa3\x03\x02\x01\x01")
# A TLS feature (RFC 7633) that has no name.
FEATURE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), b"\x30\x03\x02\x01\x63")


def resigned(certificate: bytes, old: bytes, new: bytes) -> bytes:
    """The same certificate with other bytes of the same length, and a new signature by its own key."""
    der = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
    assert der.count(old) == 1
    assert len(old) == len(new)
    said = x509.load_der_x509_certificate(der.replace(old, new)).tbs_certificate_bytes
    signature = PKI.root_key.sign(said, ec.ECDSA(hashes.SHA256()))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    body = said + algorithm + b"\x03" + bytes([len(signature) + 1]) + b"\x00" + signature
    return pem(x509.load_der_x509_certificate(b"\x30\x82" + len(body).to_bytes(2, "big") + body))


def written_anew(old: bytes, new: bytes) -> bytes:
    """The root certificate with other bytes of the same length, and its old signature."""
    return pem(x509.load_der_x509_certificate(PKI.root.public_bytes(Encoding.DER).replace(old, new)))


def twice() -> bytes:
    return resigned(self_signed([CA, TWICE]), b"\x06\x03\x55\x1d\x63", b"\x06\x03\x55\x1d\x13")


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(self_signed([]), id="silent"),
        pytest.param(self_signed([NO_CA]), id="says that it is none"),
        pytest.param(self_signed([BROKEN]), id="says it badly"),
        pytest.param(self_signed([CA, NAMES]), id="with a name of an unknown kind"),
        pytest.param(self_signed([CA, FEATURE]), id="with a feature of an unknown kind"),
        pytest.param(twice(), id="says it twice"),
    ],
)
def test_what_does_not_say_that_it_is_an_authority_is_none(certificate: bytes) -> None:
    with pytest.raises(TrustRefused) as refused:
        private_root("acme", certificate, where="acme.pem")
    assert (refused.value.code, refused.value.kind, refused.value.where) == ("malformed.trust", "trust", "acme.pem")
    assert refused.value.found == "CN=acme root"
    assert refused.value.wanted == "a certificate that says it is a CA"


@pytest.mark.parametrize(
    "certificate",
    [
        pem(PKI.intermediate),
        self_signed([CA], OTHER.root_key),
        PKI.root_pem + pem(PKI.intermediate),
        self_signed([CA], of=X25519PrivateKey.generate().public_key()),
        written_anew(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030102")),
    ],
    ids=["of another name", "of another key", "the second", "of a key that signs nothing", "on an unknown curve"],
)
def test_what_another_signed_is_no_root(certificate: bytes) -> None:
    with pytest.raises(TrustRefused) as refused:
        private_root("acme", certificate, where="acme.pem")
    assert (refused.value.code, refused.value.kind, refused.value.where) == ("malformed.trust", "trust", "acme.pem")
    assert refused.value.wanted == "a root certificate, which its own key signed"


def test_is_self_signed() -> None:
    assert is_self_signed(PKI.root) is True
    for other in (pem(PKI.intermediate), self_signed([CA], OTHER.root_key)):
        assert is_self_signed(x509.load_pem_x509_certificate(other)) is False


def written(der: bytes) -> bytes:
    """Bytes that call themselves a certificate."""
    return b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % base64.encodebytes(der)


ROOT = PKI.root.public_bytes(Encoding.DER)
VERSION = b"\xa0\x03\x02\x01\x02"
FIRST = ROOT.partition(VERSION)[2][:3]  # of its serial number


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"none",
        written(b"junk"),
        written(ROOT.replace(VERSION, b"\xa0\x03\x02\x01\x07")),
        written(ROOT.replace(VERSION + FIRST, VERSION + FIRST[:-1] + b"\x80")),
    ],
    ids=["nothing", "none", "junk", "of an unknown version", "of a serial number below zero"],
)
def test_what_is_no_certificate_is_refused_as_trust(data: bytes) -> None:
    for how, place in (({}, "acme"), ({"where": ""}, "acme"), ({"where": "acme.pem"}, "acme.pem")):
        with pytest.raises(NotPem) as refused:
            private_root("acme", data, **how)  # type: ignore[arg-type]
        assert (refused.value.code, refused.value.kind, refused.value.where) == ("malformed.pem", "trust", place)


def test_its_document_says_what_the_certificates_say() -> None:
    made = private_root("acme", PKI.root_pem + OTHER.root_pem + PKI.root_pem)
    assert json.loads(made.raw) == {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": [
            {
                "uri": "CN=acme root",
                "certChain": {"certificates": [{"rawBytes": encode_base64(each.public_bytes(Encoding.DER))}]},
                "validFor": {"start": "2025-01-01T00:00:00Z", "end": "2034-12-31T23:59:59Z"},
            }
            for each in (PKI.root, OTHER.root)
        ],
    }
    assert (made.name, made.profile) == ("acme", PRIVATE)
    assert [authority.chain for authority in made.authorities] == [(PKI.root,), (OTHER.root,)]
    assert {authority.window for authority in made.authorities} == {
        Window(start=PKI.root.not_valid_before_utc, end=PKI.root.not_valid_after_utc)
    }
    assert Profile(scts=0, logs=0, times=0, stamps=0, embedded_roots="ignore", private=True) == PRIVATE


@pytest.mark.parametrize("part", ["tlogs", "timestampAuthorities"])
def test_witnesses_of_one_kind_alone(part: str) -> None:
    document = json.loads(SIGSTORE.trusted_root())
    del document[part]
    profile = Profile(scts=0, logs=0, times=1)
    witnesses = Root.parse(json.dumps(document).encode(), name="example", profile=profile)
    made = private_root("acme", PKI.root_pem, witnesses=witnesses)
    assert (made.logs, made.clocks) == (witnesses.logs, witnesses.clocks)
    assert part not in json.loads(made.raw)


def test_what_is_wrong_with_its_document_stands_where_the_certificates_do() -> None:
    with pytest.raises(TrustRefused) as refused:
        private_root("acme", PKI.root_pem, profile=Profile(scts=0, logs=1, times=0, private=True), where="acme.pem")
    assert (refused.value.code, refused.value.where) == ("malformed.trust", "roots.acme.profile.logs")
    turned = resigned(self_signed([CA]), b"350101000000Z", b"240101000000Z")
    with pytest.raises(FieldRefused) as window:
        private_root("acme", turned, where="acme.pem")
    assert (window.value.kind, window.value.where) == ("trust", "acme.pem.certificateAuthorities[0].validFor")


def test_an_authority_that_ends_in_the_year_0_is_refused() -> None:
    builder = x509.CertificateBuilder().subject_name(PKI.root.subject).issuer_name(PKI.root.subject).serial_number(1)
    builder = builder.public_key(PKI.root_key.public_key()).add_extension(CA, critical=True)
    late = builder.not_valid_before(START).not_valid_after(END.replace(year=2060)).sign(PKI.root_key, hashes.SHA256())
    with pytest.raises(NotPem) as refused:
        private_root("acme", resigned(pem(late), b"2060", b"0000"), profile=PRIVATE)
    assert (refused.value.code, refused.value.where) == ("malformed.pem", "acme")
