"""Is C2SP's example of a signed note read as C2SP reads it, and nothing near it?"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from glasswing_attest.errors import FieldRefused, GlasswingError, NotLogged, SignatureInvalid
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
