"""Is a certificate read as what it says, its holder and its claims, and is one that says nothing clear refused?"""

import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from glasswing_attest.errors import FieldRefused, GlasswingError, KeyUnsupported, NotPem
from glasswing_attest.keys import PublicKey
from glasswing_attest.verification.certificate import FULCIO_CLAIMS, Leaf, load
from tests.private_pki import END, HOLDER, START, Pki

PKI = Pki()
NAME = x509.RFC822Name(HOLDER)


def named(*names: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(names)


def said(arc: int, value: bytes) -> x509.UnrecognizedExtension:
    """What Fulcio says by an arc of its OID."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{arc}"), value)


def unread(oid: str, value: str) -> x509.UnrecognizedExtension:
    """What an extension holds, in hex: nothing here looks at it when it is made."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), bytes.fromhex(value))


def made(
    *extensions: x509.ExtensionType,
    subject: str = "",
    key: ec.EllipticCurvePrivateKey = PKI.leaf_key,
    start: datetime = START,
    end: datetime = END,
) -> bytes:
    """A certificate of which only this is of interest: nothing here looks at who signed it."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else []
    builder = x509.CertificateBuilder(
        issuer_name=PKI.intermediate.subject,
        subject_name=x509.Name(attributes),
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=start,
        not_valid_after=end,
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(PKI.intermediate_key, hashes.SHA256()).public_bytes(Encoding.DER)


def replaced(der: bytes, what: bytes, by: bytes) -> bytes:
    """The same certificate but for one thing; its signature is nobody's any more."""
    assert what in der
    return der.replace(what, by)


def refusal(error: type[GlasswingError], der: bytes, **how: Any) -> tuple[str, str]:
    with pytest.raises(error) as caught:
        Leaf.parse(der, where="here", **how)
    assert type(caught.value) is error
    assert getattr(caught.value, "kind", "evidence") == "evidence"
    return caught.value.code, caught.value.where


SUBJECT = "subject:CN=release"


def test_a_subject_names_the_holder_where_that_is_allowed_and_no_other_name_is_there() -> None:
    nameless = made(subject="release")
    leaf = Leaf.parse(nameless, by_subject=True)
    assert (leaf.san, leaf.by_subject, leaf.issuer, leaf.claims, leaf.der) == (SUBJECT, True, "", (), nameless)
    at = ("malformed.field", "here.subjectAltName")
    assert refusal(FieldRefused, nameless) == at
    assert refusal(FieldRefused, made(), by_subject=True) == at  # an empty subject names nobody
    assert refusal(FieldRefused, made(subject="a\nb"), by_subject=True) == ("malformed.field", "here.subject")
    both = Leaf.parse(made(named(NAME), subject="release"), by_subject=True)
    assert (both.san, both.by_subject) == (HOLDER, False)
    posing = made(named(x509.UniformResourceIdentifier(SUBJECT)), subject="release")
    assert refusal(FieldRefused, posing, by_subject=True) == at
    assert (Leaf.parse(posing).san, Leaf.parse(posing).by_subject) == (SUBJECT, False)


FULCIO_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (NAME, HOLDER),
        (x509.UniformResourceIdentifier("https://a.example"), "https://a.example"),
        (x509.DNSName("a.example"), "a.example"),
        (x509.OtherName(FULCIO_NAME, encode_der("älice")), "älice"),
    ],
)
def test_each_kind_of_name_is_read(name: x509.GeneralName, told: str) -> None:
    assert Leaf.parse(made(named(name))).san == told


@pytest.mark.parametrize(
    "names",
    [
        [],
        [NAME, NAME],
        [NAME, x509.DNSName("a.example")],
        [x509.RegisteredID(FULCIO_NAME)],
        [x509.DirectoryName(x509.Name([]))],
        [x509.OtherName(FULCIO_NAME, encode_der(""))],
        [x509.OtherName(FULCIO_NAME, encode_der("a\nb"))],
        [x509.OtherName(FULCIO_NAME, encode_der(b"a"))],
        [x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8"), encode_der("a"))],
        [x509.UniformResourceIdentifier("")],
        [x509.UniformResourceIdentifier("a\nb")],
    ],
)
def test_what_is_no_one_name_is_refused_in_its_place(names: list[x509.GeneralName]) -> None:
    assert refusal(FieldRefused, made(named(*names))) == ("malformed.field", "here.subjectAltName")


URI, MAIL, HOST = x509.UniformResourceIdentifier, x509.RFC822Name, x509.DNSName
LOOKS: dict[str, type[x509.GeneralName] | None] = {
    "https://acme.example/release": URI,
    "spiffe://acme.example/release": URI,
    "HTTPS://acme.example": URI,
    "HtTp-2://acme.example": URI,
    "mailto:release@acme.example": URI,
    "release@acme.example": MAIL,
    "acme/release@acme.example": MAIL,
    "build.acme.example": HOST,
    "*.acme.example": HOST,
    "a@b@acme.example": None,
    "@acme.example": None,
    "release@": None,
    "1:release": None,
    "x:": None,
}


OTHER = x509.OtherName
NO_MAIL = ("a@b@acme.example", "@acme.example", "release@", "1:release", "x:")  # which `cryptography` does not write


@pytest.mark.parametrize(
    ("kind", "text"), [(k, t) for k in (URI, MAIL, HOST, OTHER) for t in LOOKS if k is not MAIL or t not in NO_MAIL]
)
def test_a_name_looks_like_its_kind_alone(kind: Any, text: str) -> None:
    """A CA may be allowed names of one kind only, and a policy compares the text."""
    name = OTHER(FULCIO_NAME, encode_der(text)) if kind is OTHER else kind(text)
    if kind is LOOKS[text] or (kind is OTHER and "@" not in text):
        assert Leaf.parse(made(named(name))).san == text
    else:
        assert refusal(FieldRefused, made(named(name))) == ("malformed.field", "here.subjectAltName")


@pytest.mark.parametrize("text", ["release!acme.example", "system:release!acme.example", "älice"])
def test_a_name_of_fulcios_own_kind_is_no_email(text: str) -> None:
    assert Leaf.parse(made(named(OTHER(FULCIO_NAME, encode_der(text))))).san == text
    posing = made(named(OTHER(FULCIO_NAME, encode_der(f"{text}@acme.example"))))
    assert refusal(FieldRefused, posing) == ("malformed.field", "here.subjectAltName")


@pytest.mark.parametrize("kind", [x509.RFC822Name, x509.UniformResourceIdentifier, x509.DNSName])
def test_a_name_in_letters_that_its_kind_does_not_have_is_refused(kind: Any) -> None:
    posing = replaced(made(named(kind("alice@a.example"))), b"alice", "älic".encode())
    assert refusal(FieldRefused, posing) == ("malformed.field", "here.subjectAltName")


def test_the_issuer_stands_in_one_of_two_extensions() -> None:
    def issuer(*extensions: x509.ExtensionType) -> str:
        return Leaf.parse(made(named(NAME), *extensions)).issuer

    assert issuer() == ""
    assert issuer(said(1, b"https://old.example")) == "https://old.example"
    assert issuer(said(8, encode_der("https://new.example"))) == "https://new.example"
    assert issuer(said(1, b"https://old.example"), said(8, encode_der("https://new.example"))) == "https://new.example"
    at = ("malformed.field", "here.issuer")
    for value in (b"", b"\xff", b"a\nb"):
        assert refusal(FieldRefused, made(named(NAME), said(1, value))) == at
    for value in (b"", b"\x0c", b"\x0c\x02a", b"\x0c\x01ab", b"\x0c\x01\xff", b"\x13\x01a", b"plain", encode_der("")):
        assert refusal(FieldRefused, made(named(NAME), said(8, value))) == at


@pytest.mark.parametrize("length", [0, 1, 0x7F, 0x80, 0x81, 0xFF, 0x100, 0x1000])
def test_a_claim_of_any_length_is_read(length: int) -> None:
    value = encode_der("a" * length)
    assert Leaf.parse(made(named(NAME), said(20, value))).claims == (("build_trigger", "a" * length),)
    for broken in (value + b"a", value[:-1], b"\x13" + value[1:]):
        at = ("malformed.field", "here.build_trigger")
        assert refusal(FieldRefused, made(named(NAME), said(20, broken))) == at


@pytest.mark.parametrize("length", [0, 1, 12, 0x7E, 0x7F, 0x80, 0x81])
def test_a_claim_is_as_long_as_it_says(length: int) -> None:
    at = ("malformed.field", "here.build_trigger")
    near = {length + more for more in (-2, -1, 0, 1, 2, 4)} | {0x0B, 0x0C, 0x0D, 0x80, 0x81}
    for told in near & set(range(0x100)):
        certificate = made(named(NAME), said(20, bytes((0x0C, told)) + b"a" * length))
        if told == length < 0x80:
            assert Leaf.parse(certificate).claims == (("build_trigger", "a" * length),)
        else:
            assert refusal(FieldRefused, certificate) == at


@pytest.mark.parametrize("length", [11, 12, 13, 0x80])
def test_a_claim_is_a_text_of_one_kind(length: int) -> None:
    value = encode_der("a" * length)
    for tag in range(0x10, 0x20):
        other = bytes((tag ^ 0x10,)) + value[1:]
        if other != value:
            at = ("malformed.field", "here.build_trigger")
            assert refusal(FieldRefused, made(named(NAME), said(20, other))) == at


def test_claims_stand_under_their_names() -> None:
    leaf = Leaf.parse(made(named(NAME), said(20, encode_der("push")), said(9, encode_der("u")), said(99, b"unread")))
    assert leaf.claims == (("build_signer_uri", "u"), ("build_trigger", "push"))
    every = [said(arc, encode_der(f"says {arc}")) for arc in range(2, 30)]
    assert Leaf.parse(made(named(NAME), *every)).claims == (
        ("build_signer_uri", "says 9"),
        ("build_signer_digest", "says 10"),
        ("runner_environment", "says 11"),
        ("source_repository_uri", "says 12"),
        ("source_repository_digest", "says 13"),
        ("source_repository_ref", "says 14"),
        ("source_repository_identifier", "says 15"),
        ("source_repository_owner_uri", "says 16"),
        ("source_repository_owner_identifier", "says 17"),
        ("build_config_uri", "says 18"),
        ("build_config_digest", "says 19"),
        ("build_trigger", "says 20"),
        ("run_invocation_uri", "says 21"),
        ("source_repository_visibility", "says 22"),
    )
    assert list(FULCIO_CLAIMS) == list(range(9, 23))


def test_a_leaf_s_key_may_hash_as_older_clients_did() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    leaf = Leaf.parse(made(named(NAME), key=key))
    assert leaf.key.schemes == PublicKey.of(key.public_key(), legacy=True).schemes
    assert leaf.key.schemes != PublicKey.of(key.public_key()).schemes


def test_what_cannot_be_read_is_refused_where_it_stands() -> None:
    der = made(named(NAME))
    assert load(der, where="here").serial_number == 7
    assert load(replaced(der, b"\x02\x01\x07", b"\x02\x01\x01"), where="here").serial_number == 1
    at = ("malformed.pem", "here")
    for broken in (b"", b"0", der[:-1], der + b"\0"):
        assert refusal(NotPem, broken) == at
    curve = bytes.fromhex("2a8648ce3d030107")
    assert refusal(KeyUnsupported, replaced(der, curve, curve[:-1] + b"\x06")) == ("unsupported.key", "here")
    usage = bytes.fromhex("0603551d11")  # of the alternative name: what it holds is read when it is asked for
    assert refusal(NotPem, replaced(der, usage, bytes.fromhex("0603551d25"))) == at
    with pytest.raises(NotPem) as caught:
        Leaf.parse(b"")
    assert (caught.value.code, caught.value.where, caught.value.kind) == ("malformed.pem", "certificate", "evidence")


@pytest.mark.parametrize("filtered", ["error", "ignore"])
@pytest.mark.parametrize("number", [b"\x00", b"\xff", b"\x80"])
def test_a_serial_number_is_positive_however_warnings_are_filtered(number: bytes, filtered: Any) -> None:
    der = replaced(made(named(NAME)), b"\x02\x01\x07", b"\x02\x01" + number)
    with warnings.catch_warnings():
        warnings.simplefilter(filtered)
        assert refusal(NotPem, der) == ("malformed.pem", "here")


LATE = datetime(2060, 1, 1, tzinfo=UTC), datetime(2070, 1, 1, tzinfo=UTC)  # from 2050 on, four digits tell the year


@pytest.mark.parametrize(
    ("what", "by"),
    [(b"release", b"rel\xffase"), (b"acme", b"ac\xffe"), (b"20600101", b"00000101"), (b"20700101", b"00000101")],
    ids=["subject", "issuer", "start", "end"],
)
def test_what_is_read_when_it_is_asked_for_is_refused_at_once(what: bytes, by: bytes) -> None:
    der = made(named(NAME), subject="release", start=LATE[0], end=LATE[1])
    assert load(der, where="here").not_valid_after_utc == LATE[1]
    with pytest.raises(NotPem) as caught:
        load(replaced(der, what, by), where="here")
    assert (caught.value.code, caught.value.where, caught.value.kind) == ("malformed.pem", "here", "evidence")


@pytest.mark.parametrize(
    "extension",
    [
        unread("1.3.6.1.5.5.7.1.24", "3003020163"),  # a TLS feature that nobody knows: a KeyError
        unread("1.3.6.1.5.5.7.1.24", "3000"),  # none: a TypeError
        unread("2.5.29.18", "3004a3020500"),  # an X.400 address: an UnsupportedGeneralNameType
        unread("2.5.29.31", "0500"),  # no list: a ValueError
    ],
    ids=["key", "type", "name", "value"],
)
def test_an_extension_that_nobody_reads_is_refused(extension: x509.ExtensionType) -> None:
    assert refusal(NotPem, made(named(NAME), extension)) == ("malformed.pem", "here")


def test_an_extension_stands_once() -> None:
    twice = made(named(NAME), unread("2.5.29.14", "04020001"), unread("2.5.29.35", "3000"))
    twice = replaced(twice, bytes.fromhex("0603551d23"), bytes.fromhex("0603551d0e"))
    assert refusal(NotPem, twice) == ("malformed.pem", "here")


@pytest.mark.parametrize("version", [3, 4])
def test_a_certificate_is_of_a_version_that_there_is(version: int) -> None:
    der = replaced(made(named(NAME)), bytes.fromhex("a003020102"), bytes.fromhex("a0030201") + bytes((version,)))
    assert refusal(NotPem, der) == ("malformed.pem", "here")
