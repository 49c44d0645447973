"""Does each Rekor take an entry, and what does it answer for the very first one of a log?

proto3 JSON may leave zero values out, and then the first entry has no `logIndex`, and no `hashes` in its proof. Some
clients stumble over that, so it is not left to the first test that signs: it is made at the start, by a key, and kept
in `first-entry.json` as both logs answered it.
"""

import base64
import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.stack.processes import StackFailed
from tests.stack.stack import Stack

__all__ = ["CONTENT", "FIRST_ENTRY", "first_bundle", "log_first_entry"]

CONTENT = b"the first entry of a log\n"
"""What is signed."""

FIRST_ENTRY = "first-entry.json"
"""Where it is kept, in a stack's folder."""


def log_first_entry(stack: Stack) -> None:
    """Log a signature over `CONTENT` in both logs."""
    key = ec.generate_private_key(ec.SECP256R1())
    signature = _text(key.sign(CONTENT, ec.ECDSA(hashes.SHA256())))
    digest = hashlib.sha256(CONTENT)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    v1 = {
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": digest.hexdigest()}},
            "signature": {"content": signature, "publicKey": {"content": _text(pem)}},
        },
    }
    verifier = {"publicKey": {"rawBytes": _text(der)}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    v2 = {
        "hashedRekordRequestV002": {
            "digest": _text(digest.digest()),
            "signature": {"content": signature, "verifier": verifier},
        }
    }
    kept = {
        "publicKey": pem.decode("ascii"),
        "signature": signature,
        "v1": _post(f"{stack.rekor_v1}/api/v1/log/entries", v1),
        "v2": _post(f"{stack.rekor_v2}/api/v2/log/entries", v2),
    }
    (stack.folder / FIRST_ENTRY).write_text(json.dumps(kept, indent=1), encoding="utf-8")


def first_bundle(kept: Mapping[str, Any], version: Literal["v1", "v2"], *, zeros: bool) -> dict[str, Any]:
    """The bundle of that entry, from what was kept of it; without the fields that are zero, unless they are wanted."""
    entry = kept["v2"] if version == "v2" else _entry_of_v1(kept["v1"])
    if not zeros:
        del entry["logIndex"], entry["inclusionProof"]["logIndex"], entry["inclusionProof"]["hashes"]
    digest = {"algorithm": "SHA2_256", "digest": _text(hashlib.sha256(CONTENT).digest())}
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "first"}, "tlogEntries": [entry]},
        "messageSignature": {"messageDigest": digest, "signature": kept["signature"]},
    }


def _entry_of_v1(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What Rekor v1 answered, as a bundle has it."""
    (entry,) = answer.values()
    proof = entry["verification"]["inclusionProof"]
    return {
        "logIndex": str(entry["logIndex"]),
        "logId": {"keyId": _text(bytes.fromhex(entry["logID"]))},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
        "integratedTime": str(entry["integratedTime"]),
        "inclusionPromise": {"signedEntryTimestamp": entry["verification"]["signedEntryTimestamp"]},
        "inclusionProof": {
            "logIndex": str(proof["logIndex"]),
            "rootHash": _text(bytes.fromhex(proof["rootHash"])),
            "treeSize": str(proof["treeSize"]),
            "hashes": [_text(bytes.fromhex(node)) for node in proof["hashes"]],
            "checkpoint": {"envelope": proof["checkpoint"]},
        },
        "canonicalizedBody": entry["body"],
    }


def _post(url: str, value: object) -> Any:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(url, json.dumps(value).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as e:
        with e:
            raise StackFailed(f"no first entry: {url} answers {e.code}, {e.read()[:1000]!r}") from None
    except OSError as e:
        raise StackFailed(f"no first entry: {url}: {e}") from None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
