"""Which text did a log sign, and what does it say of the tree?"""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from glasswing_attest.errors import Base64Refused, FieldRefused, GlasswingError, LimitError, NotLogged, SignatureInvalid
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import Limits
from glasswing_attest.verification.note import Checkpoint, Note, ed25519_key_hash

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
    with pytest.raises(NotLogged) as caught:  # it is signed, but under a hash that names another key
        note.signed_by(public, frozenset({b"dcba"}))
    assert (caught.value.code, caught.value.where) == ("verification.not-logged", "checkpoint")


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
    with pytest.raises(error) as caught:
        Checkpoint.parse(text)
    assert caught.value.where == "checkpoint"
