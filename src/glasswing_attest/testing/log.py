"""How does a transparency log keep an entry, and what does it give for it?

Rekor v1 answers with a promise (the signed entry timestamp, over RFC 8785 JSON) and, with an ECDSA key, with a signed
checkpoint; Rekor v2 answers with an Ed25519 checkpoint alone, which witnesses may cosign. Trees are RFC 6962's (section
2.1), checkpoints are C2SP's tlog-checkpoint and signed-note, cosignatures C2SP's tlog-cosignature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from glasswing_attest._wire import canonical_json
from glasswing_attest.errors import UsageError
from glasswing_attest.testing.clock import Clock
from glasswing_attest.testing.keys import PublicKeyOf, details_of, encoded, generate, sign, spki
from glasswing_attest.testing.window import since, valid_for

__all__ = ["TransparencyLog", "inclusion_proof", "tree_root"]


class TransparencyLog:
    """A transparency log.

    Attributes:
        version: 1 or 2, as of Rekor.
        operator: whose log it is: logs of one operator are one witness.
        origin: the first line of its checkpoints.
        log_id: by what entries and notes name it.
        window: when it is to be believed; a test may change it.
        leaves: its entries' bodies, in order. It starts with a few of strangers, so that proofs have something in them.

    Args:
        clock: when it is.
        version: 1 or 2, as of Rekor.
        operator: whose log it is.
        key: the kind of its key; p256 for version 1, ed25519 for version 2.
        shard: makes its names differ from those of other logs of the same operator.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        version: Literal[1, 2] = 1,
        operator: str = "sigstore.example",
        key: str | None = None,
        shard: int = 0,
    ) -> None:
        self.version = version
        self.operator = operator
        self.window = since(clock.now)
        self._clock = clock
        self._key = generate(key or ("p256" if version == 1 else "ed25519"))
        name = f"rekor.{operator}" if version == 1 else f"log{shard}.rekor.{operator}"
        self._name = name
        self.base_url = f"https://{name}"
        self.origin = f"{name} - {4711 + shard}" if version == 1 else name
        self.log_id = hashlib.sha256(spki(self.public_key)).digest()
        if isinstance(self.public_key, ed25519.Ed25519PublicKey):
            self.log_id = _key_hash(name, 1, self.public_key)
        self.leaves = [b"a stranger's entry %d" % i for i in range(5)]
        # A log of version 1 numbers its entries on from the shards before it, and its tree's leaves from zero.
        self._offset = 1000 * (shard + 1) if version == 1 else 0
        self._witnesses: list[tuple[str, ed25519.Ed25519PrivateKey]] = []

    @property
    def public_key(self) -> PublicKeyOf:
        """The key that signs checkpoints and promises."""
        return self._key.public_key()

    def add_witness(self, name: str) -> ed25519.Ed25519PublicKey:
        """Have every further checkpoint cosigned by a witness of this name; give its key."""
        private = ed25519.Ed25519PrivateKey.generate()
        self._witnesses.append((name, private))
        return private.public_key()

    def add(self, body: bytes, *, kind: str, kind_version: str) -> dict[str, object]:
        """Keep an entry, and give what a bundle says of it: its place, the proof, and for version 1 the promise."""
        index = len(self.leaves)
        self.leaves.append(body)
        entry: dict[str, object] = {
            "logIndex": str(self._offset + index),
            "logId": {"keyId": encoded(self.log_id)},
            "kindVersion": {"kind": kind, "version": kind_version},
        }
        if self.version == 1:
            time = int(self._clock.now.timestamp())
            entry["integratedTime"] = str(time)
            entry["inclusionPromise"] = {"signedEntryTimestamp": encoded(self._promise(body, time, index))}
        hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in self.leaves]
        root = tree_root(hashes)
        entry["inclusionProof"] = {
            "logIndex": str(index),
            "rootHash": encoded(root),
            "treeSize": str(len(hashes)),
            "hashes": [encoded(h) for h in inclusion_proof(hashes, index)],
            "checkpoint": {"envelope": self.checkpoint(len(hashes), root)},
        }
        entry["canonicalizedBody"] = encoded(body)
        return entry

    def _promise(self, body: bytes, time: int, index: int) -> bytes:
        promised = {
            "body": encoded(body),
            "integratedTime": time,
            "logID": self.log_id.hex(),
            "logIndex": self._offset + index,
        }
        return sign(self._key, canonical_json(promised))

    def checkpoint(self, size: int, root: bytes) -> str:
        """Sign what the tree is: a note by the log, with a line of each witness."""
        text = f"{self.origin}\n{size}\n{encoded(root)}\n"
        lines = [_line(self._name, self.log_id[:4] + sign(self._key, text.encode("utf-8")))]
        lines += [_cosignature(name, key, text, self._clock.now) for name, key in self._witnesses]
        return f"{text}\n" + "".join(lines)

    def to_dict(self) -> dict[str, object]:
        """The log as a trusted root names it."""
        return {
            "baseUrl": self.base_url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": encoded(spki(self.public_key)),
                "keyDetails": details_of(self.public_key),
                "validFor": valid_for(self.window),
            },
            "logId": {"keyId": encoded(self.log_id)},
            "operator": self.operator,
        }


def _key_hash(name: str, kind: int, key: ed25519.Ed25519PublicKey) -> bytes:
    """What names an Ed25519 key in notes, uncut. Kind 1 signs notes, kind 4 cosigns them (C2SP)."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(name.encode("utf-8") + b"\n" + bytes((kind,)) + raw).digest()


def _line(name: str, data: bytes) -> str:
    return f"\u2014 {name} {encoded(data)}\n"


def _cosignature(name: str, key: ed25519.Ed25519PrivateKey, text: str, now: datetime) -> str:
    time = int(now.timestamp())
    named = _key_hash(name, 4, key.public_key())[:4]
    signature = key.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    return _line(name, named + time.to_bytes(8) + signature)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Give the root over the leaves' hashes (RFC 6962, section 2.1)."""
    if not leaves:
        raise UsageError(where="leaves", found="none", wanted="at least one")
    if len(leaves) == 1:
        return leaves[0]
    at = _split(len(leaves))
    return _node(tree_root(leaves[:at]), tree_root(leaves[at:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Give the audit path of one leaf (RFC 6962, section 2.1.1)."""
    if len(leaves) == 1:
        return []
    at = _split(len(leaves))
    if index < at:
        return [*inclusion_proof(leaves[:at], index), tree_root(leaves[at:])]
    return [*inclusion_proof(leaves[at:], index - at), tree_root(leaves[:at])]
