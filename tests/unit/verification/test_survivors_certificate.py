"""Which lines about certificates did no test ask for? Each test here kills what survived: see docs/mutation.md."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest.errors import (
    CertificateUntrusted,
    FieldRefused,
    GlasswingError,
    KeyUnsupported,
    NotPem,
    OutsideValidity,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.trust.sigstore import Authority, Window
from glasswing_attest.verification.certificate import Leaf, load, path_stands, require_usages, validate_path
from tests.private_pki import END, HOLDER, START, Pki

PKI = Pki()
NAME = x509.RFC822Name(HOLDER)


def named(*names: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(names)


def said(arc: int, value: bytes) -> x509.UnrecognizedExtension:
    """What Fulcio says by an arc of its OID."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{arc}"), value)


def made(*extensions: x509.ExtensionType, subject: str = "", key: ec.EllipticCurvePrivateKey = PKI.leaf_key) -> bytes:
    """A certificate of which only this is of interest: nothing here looks at who signed it."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else []
    builder = x509.CertificateBuilder(
        issuer_name=PKI.intermediate.subject,
        subject_name=x509.Name(attributes),
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=START,
        not_valid_after=END,
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(PKI.intermediate_key, hashes.SHA256()).public_bytes(Encoding.DER)


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


def test_claims_stand_under_their_names() -> None:
    leaf = Leaf.parse(made(named(NAME), said(20, encode_der("push")), said(9, encode_der("u")), said(99, b"unread")))
    assert leaf.claims == (("build_signer_uri", "u"), ("build_trigger", "push"))


def test_a_leaf_s_key_may_hash_as_older_clients_did() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    leaf = Leaf.parse(made(named(NAME), key=key))
    assert leaf.key.schemes == PublicKey.of(key.public_key(), legacy=True).schemes
    assert leaf.key.schemes != PublicKey.of(key.public_key()).schemes


def test_what_cannot_be_read_is_refused_where_it_stands() -> None:
    der = made(named(NAME))
    assert load(der, where="here").serial_number == 7
    assert load(der.replace(b"\x02\x01\x07", b"\x02\x01\x01"), where="here").serial_number == 1
    at = ("malformed.pem", "here")
    for broken in (b"", b"0", der[:-1], der + b"\0", der.replace(b"\x02\x01\x07", b"\x02\x01\0")):
        assert refusal(NotPem, broken) == at
    assert refusal(NotPem, der.replace(b"\x02\x01\x07", b"\x02\x01\xff")) == at
    for first, second in ((b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x03\x01\x06"),):
        assert refusal(KeyUnsupported, der.replace(first, second)) == ("unsupported.key", "here")
    usage = bytes.fromhex("0603551d11")  # of the alternative name: what it holds is read when it is asked for
    assert refusal(NotPem, der.replace(usage, bytes.fromhex("0603551d25"))) == at


# --- the path --------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(seconds=1)
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "upper", "lower", "leaf")}
Extensions = dict[type[x509.ExtensionType], tuple[x509.ExtensionType, bool] | None]


def usage(**flags: bool) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: flags.get(name, False) for name in every.split()})


CA: Extensions = {
    x509.BasicConstraints: (x509.BasicConstraints(ca=True, path_length=None), True),
    x509.KeyUsage: (usage(key_cert_sign=True), True),
}
HONEST_LEAF: Extensions = {
    x509.BasicConstraints: (x509.BasicConstraints(ca=False, path_length=None), True),
    x509.KeyUsage: (usage(digital_signature=True), True),
    x509.ExtendedKeyUsage: (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
    x509.SubjectAlternativeName: (named(NAME), False),
}


def issued(
    who: str, by: str, extensions: Extensions, *, start: datetime = START, end: datetime = END
) -> x509.Certificate:
    """A certificate for a key, by a key."""
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (who, by))
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=KEYS[who].public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=start,
        not_valid_after=end,
    )
    for each in extensions.values():
        if each is not None:
            builder = builder.add_extension(each[0], critical=each[1])
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(KEYS[by].public_key()), critical=False
    )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(KEYS[who].public_key()), critical=False)
    return builder.sign(KEYS[by], hashes.SHA256())


ROOT = issued("root", "root", CA)
UPPER = issued("upper", "root", CA)
LOWER = issued("lower", "upper", CA)
SIGNING = issued("leaf", "lower", HONEST_LEAF)
ALWAYS = Window(start=START, end=END)


def path_of(
    leaf: x509.Certificate, *chain: x509.Certificate, at: datetime = NOW, window: Window = ALWAYS, private: bool = False
) -> tuple[x509.Certificate, ...]:
    """The path, which the authority brings along, and another time the bundle: each way gives the same answer."""
    read = Leaf.parse(leaf.public_bytes(Encoding.DER))
    whole = Authority(operator="o", name="whole", chain=chain, window=window)
    anchor = Authority(operator="o", name="anchor", chain=chain[-1:], window=window)
    brought = [each.public_bytes(Encoding.DER) for each in chain[:-1]]
    told = []
    for embedded, authority in (([], whole), (brought, anchor)):
        try:
            told.append(validate_path(read, embedded, [authority], at, private=private))
        except GlasswingError as e:
            told.append((type(e), e.code, e.where))  # type: ignore[arg-type]
    assert told[0] == told[1]
    if isinstance(told[0][0], type):
        raise _Refused(*told[0])
    return told[0]


class _Refused(Exception):
    pass


def with_(extensions: Extensions, kind: type[x509.ExtensionType], value: Any, critical: bool = True) -> Extensions:
    return {**extensions, kind: None if value is None else (value, critical)}


def test_an_honest_path_leads_to_the_authority() -> None:
    assert path_of(SIGNING, LOWER, UPPER, ROOT) == (SIGNING, LOWER, UPPER, ROOT)
    assert path_of(issued("leaf", "root", HONEST_LEAF), ROOT)[1:] == (ROOT,)


CONSTRAINED = x509.NameConstraints(permitted_subtrees=[x509.DNSName("a.example")], excluded_subtrees=None)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")
SERVER, ANY = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
BAD_CAS = {
    "no constraints": with_(CA, x509.BasicConstraints, None),
    "constraints that are not critical": with_(CA, x509.BasicConstraints, CA[x509.BasicConstraints][0], False),  # type: ignore[index]
    "no CA": with_(CA, x509.BasicConstraints, x509.BasicConstraints(ca=False, path_length=None)),
    "no usage": with_(CA, x509.KeyUsage, None),
    "another usage": with_(CA, x509.KeyUsage, usage(digital_signature=True)),
    "another extended usage": with_(CA, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([SERVER])),
    "what nobody understands": with_(CA, x509.UnrecognizedExtension, UNKNOWN),
}
GOOD_CAS = {
    "code signing": with_(CA, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])),
    "any usage, critical": with_(CA, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([ANY])),
    "one among others": with_(CA, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([SERVER, ANY]), False),
    "what nobody needs to understand": with_(CA, x509.UnrecognizedExtension, UNKNOWN, False),
}
UNTRUSTED = (CertificateUntrusted, "verification.certificate", "certificate")


@pytest.mark.parametrize("said", BAD_CAS.values(), ids=BAD_CAS)
def test_every_authority_between_must_say_that_it_is_one(said: Extensions) -> None:
    with pytest.raises(_Refused) as caught:
        path_of(SIGNING, issued("lower", "upper", said), UPPER, ROOT)
    assert caught.value.args == UNTRUSTED
    with pytest.raises(_Refused) as caught:
        path_of(SIGNING, LOWER, issued("upper", "root", said), ROOT)
    assert caught.value.args == UNTRUSTED


@pytest.mark.parametrize("said", GOOD_CAS.values(), ids=GOOD_CAS)
def test_what_else_an_authority_may_say(said: Extensions) -> None:
    lower = issued("lower", "upper", said)
    assert path_of(SIGNING, lower, UPPER, ROOT)[1] == lower


@pytest.mark.parametrize(
    ("who", "length", "good"),
    [("root", 1, False), ("root", 2, True), ("upper", 0, False), ("upper", 1, True), ("lower", 0, True)],
)
def test_no_authority_stands_deeper_than_is_allowed(who: str, length: int, good: bool) -> None:
    said = with_(CA, x509.BasicConstraints, x509.BasicConstraints(ca=True, path_length=length))
    chain = [
        issued(each, by, said if each == who else CA)
        for each, by in (("lower", "upper"), ("upper", "root"), ("root", "root"))
    ]
    if good:
        assert path_of(SIGNING, *chain) == (SIGNING, *chain)
        return
    with pytest.raises(_Refused) as caught:
        path_of(SIGNING, *chain)
    assert caught.value.args == UNTRUSTED


BAD_LEAVES = {
    "no usage": with_(HONEST_LEAF, x509.KeyUsage, None),
    "no signatures": with_(HONEST_LEAF, x509.KeyUsage, usage(crl_sign=True)),
    "certificates too": with_(HONEST_LEAF, x509.KeyUsage, usage(digital_signature=True, key_cert_sign=True)),
    "no extended usage": with_(HONEST_LEAF, x509.ExtendedKeyUsage, None),
    "another extended usage": with_(HONEST_LEAF, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([SERVER])),
    "any extended usage": with_(HONEST_LEAF, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([ANY])),
    "names of others": with_(HONEST_LEAF, x509.NameConstraints, CONSTRAINED),
    "what nobody understands": with_(HONEST_LEAF, x509.UnrecognizedExtension, UNKNOWN),
}
SAYS_CA = with_(HONEST_LEAF, x509.BasicConstraints, x509.BasicConstraints(ca=True, path_length=None))


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("said", BAD_LEAVES.values(), ids=BAD_LEAVES)
def test_a_leaf_must_say_what_it_is_for(said: Extensions, private: bool) -> None:
    with pytest.raises(_Refused) as caught:
        path_of(issued("leaf", "lower", said), LOWER, UPPER, ROOT, private=private)
    assert caught.value.args == UNTRUSTED


def test_a_leaf_that_calls_itself_an_authority_is_one_of_a_private_authority_s() -> None:
    leaf = issued("leaf", "lower", SAYS_CA)
    assert path_of(leaf, LOWER, UPPER, ROOT, private=True)[0] == leaf
    with pytest.raises(_Refused) as caught:
        path_of(leaf, LOWER, UPPER, ROOT)
    assert caught.value.args == UNTRUSTED
    bare = issued("leaf", "lower", with_(HONEST_LEAF, x509.BasicConstraints, None))
    assert path_of(bare, LOWER, UPPER, ROOT)[0] == bare


def test_a_path_is_good_from_its_first_second_to_its_last() -> None:
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9)]

    def at(time: datetime, which: str, window: Window = ALWAYS) -> object:
        span = {"start": days[2], "end": days[4]}
        chain = [
            issued(each, by, CA, **(span if each == which else {}))
            for each, by in (("lower", "upper"), ("upper", "root"), ("root", "root"))
        ]
        leaf = issued("leaf", "lower", HONEST_LEAF, **(span if which == "leaf" else {}))
        return path_of(leaf, *chain, at=time, window=window)

    for which in ("leaf", "lower", "upper", "root"):
        assert at(days[2], which)
        assert at(days[4], which)
        for time in (days[2] - TICK, days[4] + TICK):
            with pytest.raises(_Refused) as caught:
                at(time, which)
            expected = (OutsideValidity, "verification.outside-validity", "certificate")
            assert caught.value.args == (expected if which == "leaf" else UNTRUSTED)
    window = Window(start=days[2], end=days[4])
    assert at(days[2], "", window)
    assert at(days[4], "", window)
    for time in (days[2] - TICK, days[4] + TICK):
        with pytest.raises(_Refused) as caught:
            at(time, "", window)
        assert caught.value.args == (OutsideValidity, "verification.outside-validity", "certificateAuthorities")


def test_a_trusted_certificate_is_no_path_to_itself() -> None:
    leaf = Leaf.parse(SIGNING.public_bytes(Encoding.DER))
    itself = Authority(operator="o", name="n", chain=(SIGNING,), window=ALWAYS)
    with pytest.raises(CertificateUntrusted) as caught:
        validate_path(leaf, [], [itself], NOW)
    assert (caught.value.code, caught.value.where) == ("verification.certificate", "certificate")


def test_without_an_authority_there_is_no_time_at_which_anything_is_good() -> None:
    leaf = Leaf.parse(SIGNING.public_bytes(Encoding.DER))
    with pytest.raises(OutsideValidity) as caught:
        validate_path(leaf, [], [], NOW)
    assert (caught.value.code, caught.value.where) == ("verification.outside-validity", "certificateAuthorities")


def test_who_signs_with_a_leaf_learns_at_once_that_it_is_none() -> None:
    def read(said: Extensions) -> Leaf:
        return Leaf.parse(issued("leaf", "lower", said).public_bytes(Encoding.DER))

    require_usages(read(HONEST_LEAF))
    for which, said in BAD_LEAVES.items():
        if which not in ("names of others", "what nobody understands"):
            with pytest.raises(CertificateUntrusted) as caught:
                require_usages(read(said))
            assert (caught.value.code, caught.value.where) == ("verification.certificate", "certificate")


def test_a_path_stands_at_another_time_within_its_windows_alone() -> None:
    path = (SIGNING, LOWER, UPPER, ROOT)
    short = Authority(operator="o", name="n", chain=path[1:], window=Window(start=NOW, end=NOW + TICK))
    other = Authority(operator="o", name="n", chain=(UPPER, ROOT), window=ALWAYS)
    assert path_stands(path, [short], NOW)
    assert path_stands(path, [other, short], NOW + TICK)
    assert not path_stands((), [short], NOW)
    assert not path_stands(path, [], NOW)
    assert not path_stands(path, [short], NOW - TICK)
    assert not path_stands(path, [short], NOW + 2 * TICK)
    assert not path_stands(path, [Authority(operator="o", name="n", chain=(UPPER, LOWER), window=ALWAYS)], NOW)
    assert not path_stands(path, [Authority(operator="o", name="n", chain=path[1:], window=ALWAYS)], END + TICK)
    assert not path_stands(path, [Authority(operator="o", name="n", chain=path[1:], window=ALWAYS)], START - TICK)
