"""Which lines about notes and stamps did no test ask for? Each test here kills what survived: see docs/mutation.md."""

import base64
import dataclasses
import hashlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest.errors import Base64Refused, FieldRefused, GlasswingError, LimitError, NotLogged, SignatureInvalid
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.verification import stamp
from glasswing_attest.verification.note import Checkpoint, Note, ed25519_key_hash
from tests.private_pki import END, START

KEY, OTHER = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
PUBLIC = PublicKey.of(KEY.public_key())
RAW = KEY.public_key().public_bytes_raw()
TEXT = "log.example\n7\n" + base64.b64encode(bytes(32)).decode() + "\n"


def line(
    name: str = "log.example",
    *,
    by: ed25519.Ed25519PrivateKey = KEY,
    text: str = TEXT,
    key_hash: bytes | None = None,
) -> str:
    """A signature line, named as C2SP names it unless said otherwise."""
    named = ed25519_key_hash(name, RAW)[:4] if key_hash is None else key_hash
    return f"\u2014 {name} {base64.b64encode(named + by.sign(text.encode())).decode()}\n"


HASHES = frozenset({ed25519_key_hash("log.example", RAW)[:4], hashlib.sha256(PUBLIC.der).digest()[:4]})


def test_a_note_is_text_an_empty_line_and_signatures() -> None:
    note = Note.parse(f"{TEXT}\n{line()}{line('b')}")
    assert note.text == TEXT
    assert [each.name for each in note.signatures] == ["log.example", "b"]
    assert note.signed_by(PUBLIC, HASHES).name == "log.example"
    first, second = "one\n\ntwo\n", "one\n"  # the last empty line parts them
    assert Note.parse(f"{first}\n{line()}").text == first
    assert Note.parse(f"{second}\n{line()}").text == second
    shortest = Note.parse(f"{TEXT}\n\u2014 a {base64.b64encode(b'12345').decode()}\n").signatures[0]
    assert (shortest.key_hash, shortest.signature) == (b"1234", b"5")


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        f"{TEXT}{line()}",
        f"\n\n{line()}",
        f"\n{line()}",
        f"{TEXT}\n",
        f"{TEXT}\n{line().rstrip()}",
        f"{TEXT}\n{line()}x",
        f"a\tb\n\n{line()}",
        f"a\rb\n\n{line()}",
        f"a\x00b\n\n{line()}",
        f"a\x1fb\n\n{line()}",
        f"{TEXT}\n{line()[1:]}",
        f"{TEXT}\n-{line()[1:]}",
        f"{TEXT}\n\u2014{line()[2:]}",
        f"{TEXT}\n{line('a b')}",
        f"{TEXT}\n{line('a+b')}",
        f"{TEXT}\n{line('')}",
        f"{TEXT}\n\u2014 name\n",
        f"{TEXT}\n\u2014 name \n",
        f"{TEXT}\n\u2014 name {base64.b64encode(b'1234').decode()}\n",
        f"{TEXT}\n\u2014 name {base64.b64encode(b'').decode()}\n",
        f"{TEXT}\n{line()}\n{line()}"[:-3],
    ],
)
def test_what_is_no_note_is_refused_where_it_stands(note: str) -> None:
    with pytest.raises((FieldRefused, Base64Refused)) as caught:
        Note.parse(note, where="here")
    assert caught.value.where == "here"


def test_a_name_ends_at_the_first_space() -> None:
    with pytest.raises(Base64Refused) as caught:  # "b", a space and more are no base64
        Note.parse(f"{TEXT}\n{line('a b')}", where="here")
    assert caught.value.where == "here"


def test_a_control_character_is_refused_for_itself() -> None:
    for code in (*range(9), *range(11, 32)):
        with pytest.raises(FieldRefused) as caught:
            Note.parse(f"a{chr(code)}b\n\n{line()}")
        assert (caught.value.where, caught.value.found) == ("checkpoint", "a control character")
    assert Note.parse(f"a\x7f \u2028b\n\n{line()}").text == "a\x7f \u2028b\n"


@pytest.mark.parametrize("loose", ["_-8=", "+/8", "+/8=="])
def test_base64_has_its_alphabet_and_its_padding(loose: str) -> None:
    encoded = base64.b64encode(b"12345").decode()
    for text in (encoded.rstrip("="), base64.urlsafe_b64encode(b"\xfb\xff1234").decode(), encoded + loose):
        with pytest.raises(Base64Refused) as caught:
            Note.parse(f"{TEXT}\n\u2014 a {text}\n", where="here")
        assert (caught.value.code, caught.value.where) == ("malformed.base64", "here")


def test_a_note_is_bounded() -> None:
    note = f"{TEXT}\n{line()}{line()}"
    Note.parse(note, limits=Limits(statement_bytes=len(note), signatures=2))
    for limits in (Limits(statement_bytes=len(note) - 1), Limits(signatures=1)):
        with pytest.raises(LimitError) as caught:
            Note.parse(note, where="here", limits=limits)
        assert caught.value.where == "here"


def signed_by(*lines: str) -> str:
    return Note.parse(f"{TEXT}\n{''.join(lines)}").signed_by(PUBLIC, HASHES).name


def test_a_line_is_the_log_s_where_name_and_key_hash_say_so() -> None:
    spki = hashlib.sha256(PUBLIC.der).digest()[:4]
    c2sp = ed25519_key_hash("log.example", RAW)[:4]
    assert signed_by(line("witness", by=OTHER, key_hash=b"abcd"), line()) == "log.example"
    assert signed_by(line("any-name", key_hash=spki)) == "any-name"  # Rekor v1: the name is a label
    for foreign in (
        [line("witness", by=OTHER, key_hash=b"abcd")],
        [line("another.name", key_hash=c2sp)],  # C2SP: the hash covers the name
    ):
        with pytest.raises(NotLogged) as caught:
            signed_by(*foreign)
        assert (caught.value.code, caught.value.where) == ("verification.not-logged", "checkpoint")


def test_a_bad_line_by_the_log_s_name_spoils_a_good_one() -> None:
    spki = hashlib.sha256(PUBLIC.der).digest()[:4]
    for lines in ([line(by=OTHER)], [line(by=OTHER), line()], [line(), line(by=OTHER)], [line(text="x")]):
        with pytest.raises(SignatureInvalid) as caught:
            signed_by(*lines)
        assert (caught.value.code, caught.value.where) == ("verification.signature", "checkpoint")
    assert signed_by(line("other-label", by=OTHER, key_hash=spki), line()) == "log.example"


def test_of_another_kind_of_key_the_name_is_a_label() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = PublicKey.of(key.public_key())
    key_hash = b"abcd"
    data = key_hash + key.sign(TEXT.encode(), ec.ECDSA(hashes.SHA256()))
    note = Note.parse(f"{TEXT}\n\u2014 whatever {base64.b64encode(data).decode()}\n")
    assert note.signed_by(public, frozenset({key_hash})).name == "whatever"


ROOT = base64.b64encode(bytes(range(32))).decode()


def test_a_checkpoint_is_origin_size_and_root() -> None:
    found = Checkpoint.parse(f"a\n0\n{ROOT}\n")
    assert (found.origin, found.size, found.root) == ("a", 0, bytes(range(32)))
    assert Checkpoint.parse(f"a b\n9999999999999999999\n{ROOT}\nmore\nXXXX\n").size == 9999999999999999999


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", FieldRefused),
        ("a\n1\n", FieldRefused),
        (f"a\n1\n{ROOT}", FieldRefused),
        (f"a\n1\n{ROOT}\nx", FieldRefused),
        (f"\n1\n{ROOT}\n", FieldRefused),
        (f"a\n1\n{ROOT}\n\n", FieldRefused),
        (f"a\n1\n{ROOT}\n\nx\n", FieldRefused),
        (f"a\n\n{ROOT}\n", FieldRefused),
        (f"a\n01\n{ROOT}\n", FieldRefused),
        (f"a\n-1\n{ROOT}\n", FieldRefused),
        (f"a\n1.\n{ROOT}\n", FieldRefused),
        (f"a\n\u0661\n{ROOT}\n", FieldRefused),
        (f"a\n10000000000000000000\n{ROOT}\n".replace("1", "12"), FieldRefused),
        ("a\n1\n\n", FieldRefused),
        (f"a\n1\n{base64.b64encode(bytes(31)).decode()}\n", FieldRefused),
        (f"a\n1\n{base64.b64encode(bytes(33)).decode()}\n", FieldRefused),
        (f"a\n1\n{ROOT[:-1]}\n", Base64Refused),
    ],
)
def test_what_is_no_checkpoint_is_refused_where_it_stands(text: str, error: type[GlasswingError]) -> None:
    with pytest.raises(error) as caught:
        Checkpoint.parse(text, where="here")
    assert (type(caught.value), caught.value.where) == (error, "here")


# --- who signs stamps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 0x7F, 0x80, 0x81, 0xFF, 0x100, 0x101, 0xFFFF, 0x10000])
def test_a_length_is_written_as_der_has_it(size: int) -> None:
    assert stamp._element(b"\x04", bytes(size)) == encode_der(bytes(size))


KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
STAMPING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
BOTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING])


def usage(**said: bool) -> x509.KeyUsage:
    names = [
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "encipher_only",
        "decipher_only",
    ]
    every = {**dict.fromkeys((*names, "digital_signature", "key_cert_sign", "crl_sign"), False), **said}
    return x509.KeyUsage(**every)


CERTIFIES, SIGNS = usage(key_cert_sign=True), usage(digital_signature=True)


def chain_of(
    *leaf: tuple[x509.ExtensionType, bool],
    between: x509.ExtendedKeyUsage | None = None,
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = KEYS[0],
) -> tuple[x509.Certificate, ...]:
    """A clock's certificate, which says this, an authority between, which allows that, and an anchor."""

    def issued(number: int, by: int, *extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
        own, above = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"c{n}")]) for n in (number, by))
        holder = key if not number else KEYS[number]
        builder = x509.CertificateBuilder(
            issuer_name=above,
            subject_name=own,
            public_key=holder.public_key(),
            serial_number=2 ** (80 * number) + 127,
            not_valid_before=START + timedelta(days=number),
            not_valid_after=END - timedelta(days=number),
        )
        identifiers: list[x509.ExtensionType] = [
            x509.SubjectKeyIdentifier.from_public_key(holder.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(KEYS[by].public_key()),
        ]
        for extension, critical in (*extensions, *((each, False) for each in identifiers)):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(KEYS[by], hashes.SHA256())

    ca = ((x509.BasicConstraints(ca=True, path_length=None), True), (CERTIFIES, True))
    more = () if between is None else ((between, False),)
    return issued(0, 1, *leaf), issued(1, 2, *ca, *more), issued(2, 2, *ca)


HONEST = ((STAMPING, True), (SIGNS, True), (x509.BasicConstraints(ca=False, path_length=None), True))


def test_a_clock_is_proved_with_the_span_in_which_all_of_its_chain_is_valid() -> None:
    chain = chain_of(*HONEST)
    found = stamp._signer(chain)
    assert found is not None
    assert (found.start, found.end) == (START + timedelta(days=2), END - timedelta(days=2))
    assert found.named == chain[0].fingerprint(hashes.SHA256())
    assert found.sid.endswith(b"\x02\x02\0\x80")
    assert len(found.chain) == 3
    assert stamp._signer(chain_of(*HONEST, between=BOTH)) is not None
    assert stamp._signer(chain_of((STAMPING, True))) is not None


@pytest.mark.parametrize(
    "leaf",
    [
        (),
        ((STAMPING, False),),
        ((SIGNING, True),),
        ((BOTH, True),),
        ((STAMPING, True), (usage(key_cert_sign=True, digital_signature=True), True)),
        ((STAMPING, True), (usage(crl_sign=True, digital_signature=True), True)),
        ((STAMPING, True), (usage(content_commitment=True), True)),
        ((STAMPING, True), (x509.BasicConstraints(ca=True, path_length=None), True)),
        ((STAMPING, True), (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b""), True)),
    ],
)
def test_what_is_not_for_stamps_alone_is_no_clock(leaf: tuple[tuple[x509.ExtensionType, bool], ...]) -> None:
    assert stamp._signer(chain_of(*leaf)) is None


def test_no_clock_is_proved_through_others_or_with_another_kind_of_key() -> None:
    assert stamp._signer(chain_of(*HONEST, between=SIGNING)) is None
    assert stamp._signer(chain_of(*HONEST, key=ed25519.Ed25519PrivateKey.generate())) is None
    whole = chain_of(*HONEST)
    assert stamp._signer(whole[:1]) is None
    assert stamp._signer((whole[0], whole[2])) is None
    assert stamp._signer((whole[0], whole[2], whole[1])) is None


def test_a_stamp_stands_from_the_first_second_of_its_chain_until_before_the_last() -> None:
    (clock,) = VirtualSigstore().clocks
    read = stamp.Stamp.read(clock.stamp(b"signature"))
    assert read is not None
    chain = tuple(clock.chain)
    found, tick = stamp._signer(chain), timedelta(seconds=1)
    assert found is not None
    for time, good in (
        (found.start - tick, False),
        (found.start, True),
        (found.end - tick, True),
        (found.end, False),
    ):
        assert dataclasses.replace(read, time=time).stands(b"signature", chain) is good
    for brought, good in ((found.chain, True), (found.chain[:1], True), (found.chain[1:], False), ((), True)):
        assert dataclasses.replace(read, brought=frozenset(brought)).stands(b"signature", chain) is good
    assert not dataclasses.replace(read, brought=frozenset((*found.chain, b"other"))).stands(b"signature", chain)
    for change in ({"sid": b"x"}, {"named": b"x"}, {"authority": b"x"}, {"signature": b"x"}, {"signed": b"x"}):
        assert dataclasses.replace(read, **change).stands(b"signature", chain) is False  # type: ignore[arg-type]
    assert dataclasses.replace(read, authority=b"").stands(b"signature", chain)
    assert read.stands(b"another", chain) is False
