r"""Which text did a log sign, and what does it say of the tree?

C2SP signed-note and tlog-checkpoint. A note is a text that ends with a newline, an empty line, and signature lines::

    <origin>\n<tree size>\n<base64 root hash>\n[extension lines]\n
    \n
    — <name> <base64(4 bytes of key hash ‖ signature)>\n

Signatures by unknown keys are ignored. What a name may be and what a key hash is comes from the standard, never from
the note.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from glasswing_attest._wire import decode_base64, encode_base64
from glasswing_attest.errors import Base64Refused, FieldRefused, NotLogged, SignatureInvalid
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Checkpoint", "Note", "NoteSignature", "ed25519_key_hash"]

_DASH = "\u2014 "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: who it says it is by, the key's short hash, and the signature."""

    name: str
    key_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A signed note. Nothing in it is verified."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, note: str, *, where: str = "checkpoint", limits: Limits = DEFAULT) -> Note:
        """Read a note strictly (C2SP signed-note, "Format"). Raises `FieldRefused` or `LimitError`."""
        limits.check("statement_bytes", len(note), where=where)
        text, _, lines = note.rpartition("\n\n")
        if not text or not lines.endswith("\n"):
            raise FieldRefused(where=where, wanted="a text, an empty line, and signature lines")
        if _CONTROL.search(note):
            raise FieldRefused(where=where, found="a control character", wanted="a note of printable lines")
        signatures = lines.split("\n")[:-1]
        limits.check("signatures", len(signatures), where=where)
        return cls(text=f"{text}\n", signatures=tuple(_signature(line, where) for line in signatures))

    def signed_by(self, key: PublicKey, key_hashes: frozenset[bytes]) -> NoteSignature:
        """Give the signature line that this key made. `key_hashes` are the short hashes that may name the key.

        Raises:
            NotLogged: no line names the key.
            SignatureInvalid: a line names it, and the key did not sign the text; even where another line by that name
                is good (C2SP signed-note, "Signatures").
        """
        named = [s for s in self.signatures if s.key_hash in key_hashes and _may_name(s, key)]
        if not named:
            raise NotLogged(where="checkpoint", because="no signature names the log's key")
        good: list[NoteSignature] = []
        bad: set[str] = set()
        for signature in named:
            try:
                key.check(signature.signature, self.text.encode("utf-8"))
            except SignatureInvalid:
                bad.add(signature.name)
            else:
                good.append(signature)
        if not good or good[0].name in bad:
            raise SignatureInvalid(where="checkpoint", because="the log's key did not sign this checkpoint")
        return good[0]


def _may_name(signature: NoteSignature, key: PublicKey) -> bool:
    """Tell whether a line's name goes with its key hash, which in C2SP covers both name and key.

    Rekor v1 hashes the key's SubjectPublicKeyInfo instead, whatever its kind: there the name is a label.
    """
    if key.schemes != ("ed25519",) or signature.key_hash == hashlib.sha256(key.der).digest()[:4]:
        return True
    return signature.key_hash == ed25519_key_hash(signature.name, key.der[-32:])[:4]


def _signature(line: str, where: str) -> NoteSignature:
    body = line.removeprefix(_DASH)
    name, space, encoded = body.partition(" ")
    if body == line or not space or not _NAME.fullmatch(name):
        raise FieldRefused(where=where, found=line, wanted="— <name> <base64>")
    data = _bytes(encoded, where)
    if len(data) < 5:
        raise FieldRefused(where=where, found=line, wanted="a key hash of four bytes and a signature")
    return NoteSignature(name=name, key_hash=data[:4], signature=data[4:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a note says of a tree (C2SP tlog-checkpoint): origin, and size with root, which mean nothing apart."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str, *, where: str = "checkpoint") -> Checkpoint:
        """Read the text of a note. Raises `FieldRefused` or `Base64Refused`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:
            raise FieldRefused(where=where, wanted="origin, tree size and root hash, each on its line")
        origin, size, root, *extensions = lines[:-1]
        if not origin or "" in extensions:
            raise FieldRefused(where=where, found="an empty line", wanted="lines that say something")
        if not _SIZE.fullmatch(size):
            raise FieldRefused(where=where, found=size, wanted="a tree size in decimal")
        found = _bytes(root, where)
        if len(found) != hashlib.sha256().digest_size:
            raise FieldRefused(where=where, found=root, wanted="a root hash of 32 bytes in base64")
        return cls(origin=origin, size=int(size), root=found)


def _bytes(text: str, where: str) -> bytes:
    """Decode base64 as notes have it: in the standard alphabet, with its padding (C2SP signed-note, "Conventions")."""
    data = decode_base64(text, where=where)
    if encode_base64(data) != text:
        raise Base64Refused(where=where, found=text, because="not the standard alphabet with its padding")
    return data


def ed25519_key_hash(name: str, raw_key: bytes) -> bytes:
    """Give the hash that names an Ed25519 key in notes: SHA-256(name ‖ LF ‖ 0x01 ‖ key), uncut (C2SP signed-note)."""
    return hashlib.sha256(name.encode("utf-8") + b"\n\x01" + raw_key).digest()
