"""Is C2SP's example of a signed note read as C2SP reads it, and nothing near it?"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from glasswing_attest.errors import Base64Refused, FieldRefused, GlasswingError, NotLogged, SignatureInvalid
from glasswing_attest.keys import PublicKey
from glasswing_attest.verification.note import Note, NoteSignature, ed25519_key_hash
from tests.shared import Case, cases

# An error of each stage; a note that is not by this name and key, is not by this verifier.
REFUSED: dict[str, type[GlasswingError]] = {
    "signed-note.no-blank-line": FieldRefused,
    "signed-note.hyphen-for-em-dash": FieldRefused,
    "signed-note.text-changed": SignatureInvalid,
    "signed-note.trailing-space": SignatureInvalid,
    "signed-note.name-changed": NotLogged,
}


@dataclass(frozen=True)
class Vkey:
    """A verifier key (C2SP signed-note, "Verifier keys"): ``name+hash+base64(type ‖ key)``."""

    name: str
    key_hash: bytes
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> "Vkey":
        name, key_hash, encoded = text.strip().split("+", 2)
        data = base64.b64decode(encoded)
        assert data[0] == 1  # Ed25519
        return cls(name, bytes.fromhex(key_hash), data[1:])

    def open(self, note: str) -> NoteSignature:
        key = PublicKey.of(Ed25519PublicKey.from_public_bytes(self.raw))
        return Note.parse(note).signed_by(key, frozenset({self.key_hash}))


@pytest.mark.parametrize("case", cases("signed-note"))
def test_a_note_gets_its_answer(case: Case, shared_data: Path) -> None:
    note = (shared_data / case.files["note"]).read_text(encoding="utf-8")
    vkey = Vkey.parse((shared_data / case.files["vkey"]).read_text())
    assert ed25519_key_hash(vkey.name, vkey.raw)[:4] == vkey.key_hash
    if case.expect == "accept":
        assert vkey.open(note).name == vkey.name
        return
    with pytest.raises(GlasswingError) as refused:
        vkey.open(note)
    assert type(refused.value) is REFUSED[case.case]
    assert (case.raw["stage"] == "parse") == isinstance(refused.value, FieldRefused)
    assert refused.value.where == "checkpoint"


def test_no_note_is_left_out(shared_data: Path) -> None:
    found = [p.values[0] for p in cases("signed-note")]
    assert {case.case for case in found if case.expect == "reject"} == set(REFUSED)
    assert len(found) == 6


def test_a_name_is_bound_by_its_key_hash_and_a_rekor_v1_hash_binds_none(shared_data: Path) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes(31) + b"\x01")
    public = PublicKey.of(key)
    of_spki = hashlib.sha256(public.der).digest()[:4]
    line = base64.b64encode(of_spki + bytes(64)).decode()
    note = Note.parse(f"text\n\n— any.example {line}\n")
    with pytest.raises(SignatureInvalid):  # it names the key, and the key did not sign it
        note.signed_by(public, frozenset({of_spki}))
    with pytest.raises(NotLogged):
        note.signed_by(public, frozenset({ed25519_key_hash("any.example", key.public_bytes_raw())[:4]}))


SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = PublicKey.of(SIGNER.public_key())
OF_SPKI = hashlib.sha256(PUBLIC.der).digest()[:4]


def signature_line(name: str, *, good: bool = True) -> str:
    encoded = base64.b64encode(OF_SPKI + SIGNER.sign(b"text\n" if good else b"other\n")).decode()
    return f"\u2014 {name} {encoded}\n"


@pytest.mark.parametrize("first", [True, False])
def test_a_known_keys_bad_line_spoils_its_good_one_and_no_others(first: bool) -> None:
    # C2SP signed-note, "Signatures": name and hash together are the key.
    good = signature_line("log.example")
    for name, spoils in (("log.example", True), ("other.example", False)):
        bad = signature_line(name, good=False)
        note = Note.parse(f"text\n\n{bad}{good}" if first else f"text\n\n{good}{bad}")
        if not spoils:
            assert note.signed_by(PUBLIC, frozenset({OF_SPKI})).name == "log.example"
            continue
        with pytest.raises(SignatureInvalid) as refused:
            note.signed_by(PUBLIC, frozenset({OF_SPKI}))
        assert (refused.value.code, refused.value.where) == ("verification.signature", "checkpoint")
    assert Note.parse(f"text\n\n{good}{good}").signed_by(PUBLIC, frozenset({OF_SPKI})).key_hash == OF_SPKI


def test_a_note_has_standard_base64_with_its_padding() -> None:
    encoded = base64.b64encode(OF_SPKI + b"\xfb\xff" * 32).decode()
    assert "+" in encoded or "/" in encoded
    assert encoded.endswith("=")
    for other in (encoded.translate(str.maketrans("+/", "-_")), encoded.rstrip("=")):
        with pytest.raises(Base64Refused) as refused:
            Note.parse(f"text\n\n\u2014 log.example {other}\n")
        assert (refused.value.code, refused.value.where) == ("malformed.base64", "checkpoint")
    assert Note.parse(f"text\n\n\u2014 log.example {encoded}\n").signatures[0].key_hash == OF_SPKI
