"""How does a signature come to stand in a transparency log?

Rekor v1 (sigstore/rekor, openapi.yaml): an envelope is logged as ``dsse`` 0.0.1, an artifact's signature as
``hashedrekord`` 0.0.1. ::

    POST /api/v1/log/entries  {"kind": …, "apiVersion": …, "spec": …}
    -> 201 {uuid: {"body": base64, "integratedTime": …, "logID": hex, "logIndex": …,
                   "verification": {"signedEntryTimestamp": base64, "inclusionProof": {…, hashes and root in hex}}}}
    -> 409 Location: /api/v1/log/entries/<uuid>

Rekor v2 (sigstore/rekor-tiles, rekor_service.proto): both are ``hashedrekord`` 0.0.2, an envelope over the digest of
its pre-authentication encoding. ::

    POST /api/v2/log/entries  {"hashedRekordRequestV002": {"digest": …, "signature": {"content": …, "verifier": …}}}
    -> 201 a TransparencyLogEntry, as it stands in a bundle
    -> 409 x-log-index: <index>

409 says that the entry is there already, as after an answer that was lost: it is read from the log. Whatever a log
gives, it must be about this very signature.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from glasswing_attest._wire import Node, canonical_json, decode_utf8, encode_base64, read_json
from glasswing_attest.bundle import InclusionProof, LogEntry
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import (
    FieldRefused,
    GlasswingError,
    KeyUnsupported,
    ServiceRefused,
    ServiceUnavailable,
    WitnessMissing,
)
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.services.http import Answer, Http
from glasswing_attest.signing.services.tiles import proof_from_tiles
from glasswing_attest.trust.sigstore import Log
from glasswing_attest.verification.entry import check_body
from glasswing_attest.verification.note import Checkpoint, Note
from glasswing_attest.verification.signature import SignedPayload

__all__ = ["log_v1", "log_v2"]

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_UUID = re.compile(r"(?:[0-9a-f]{16})?[0-9a-f]{64}")
_INDEX = re.compile(r"[0-9]{1,19}")

_SCHEMES = {
    "ecdsa-sha2-nistp256": ("PKIX_ECDSA_P256_SHA_256", "sha256"),
    "ecdsa-sha2-nistp384": ("PKIX_ECDSA_P384_SHA_384", "sha384"),
    "ecdsa-sha2-nistp521": ("PKIX_ECDSA_P521_SHA_512", "sha512"),
    "rsa-pkcs1v15-sha256": ("PKIX_RSA_PKCS1V15_{bits}_SHA256", "sha256"),
    "rsassa-pss-sha256": ("PKIX_RSA_PSS_{bits}_SHA256", "sha256"),
}
"""How a log of version 2 calls a scheme (sigstore_common.proto, PublicKeyDetails), and the hash that goes with it."""

_NO_SHA256 = ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_SHA256_ALONE = (
    "logs of version 1 mostly check envelopes with SHA-256 alone; "
    "use a log of version 2 for such a key, or a key on P-256"
)

_DIGESTS = {"sha256": "SHA2_256", "sha384": "SHA2_384", "sha512": "SHA2_512"}


# --- version 1 -------------------------------------------------------------------------------------------------------


def log_v1(http: Http, url: str, signed: SignedPayload, *, limits: Limits = DEFAULT) -> LogEntry:
    """Log a signature in a log of version 1, and give the entry.

    Raises:
        WitnessMissing: what the log gave is about something else.
        ServiceRefused, ServiceUnavailable: as `Http.ask` does.
    """
    entries = f"{url.rstrip('/')}/api/v1/log/entries"
    proposed = json.dumps(_proposed(signed)).encode("ascii")

    def read(answer: Answer) -> LogEntry | str:
        if answer.status == 409:
            return _uuid_of(answer)
        return _entry_v1(read_json(answer.body, where="entry", limits=limits, bound="answer_bytes"), limits)

    try:
        made = http.ask("POST", entries, body=lambda: proposed, headers=_JSON, also=(409,), read=read)
    except ServiceRefused as e:
        if signed.scheme not in _NO_SHA256 or signed.envelope is None:
            raise
        raise ServiceRefused(where=e.where, because=e.because, found=e.found, do=_SHA256_ALONE) from e
    if isinstance(made, str):
        made = http.ask("GET", f"{entries}/{made}", headers=_JSON, read=lambda answer: _there(read(answer)))
    return _ours(made, signed, url, limits)


def _there(found: LogEntry | str) -> LogEntry:
    if isinstance(found, str):
        raise FieldRefused(where="entry", found="a uuid", wanted="an entry")
    return found


def _proposed(signed: SignedPayload) -> dict[str, object]:
    verifier = encode_base64(_pem(signed))
    if isinstance(signed.envelope, Envelope):
        envelope = {
            "payload": encode_base64(signed.envelope.payload),
            "payloadType": signed.envelope.payload_type,
            "signatures": [{"sig": encode_base64(signed.signature)}],
        }
        content = {"envelope": json.dumps(envelope, separators=(",", ":")), "verifiers": [verifier]}
        return {"kind": "dsse", "apiVersion": "0.0.1", "spec": {"proposedContent": content}}
    algorithm, digest = _artifact(signed)
    spec = {
        "data": {"hash": {"algorithm": algorithm, "value": digest.hex()}},
        "signature": {"content": encode_base64(signed.signature), "publicKey": {"content": verifier}},
    }
    return {"kind": "hashedrekord", "apiVersion": "0.0.1", "spec": spec}


def _uuid_of(answer: Answer) -> str:
    """Give the name of the entry that is there already. Nothing else of the address is followed."""
    place = answer.headers.get("location", "")
    uuid = place.rpartition("/")[2]
    if not _UUID.fullmatch(uuid):
        raise FieldRefused(where="Location", found=place, wanted="the entry that is there already")
    return uuid


def _entry_v1(node: Node, limits: Limits) -> LogEntry:
    """Read a log's answer, and give the entry as a bundle has it."""
    members = list(node.members())
    if len(members) != 1:
        node.refuse("one entry", found=f"{len(members)} members")
    entry = members[0][1]
    body = entry.need("body").bytes()
    said = read_json(body, where=f"{entry.path}.body", limits=limits)
    proved = entry.need("verification")
    proof = proved.need("inclusionProof")
    hashes = proof.get_array("hashes")
    limits.check("proof_hashes", len(hashes), where=f"{proof.path}.hashes")
    return LogEntry(
        log_index=entry.need("logIndex").uint64(),
        log_id=_hex(entry.need("logID")),
        kind=said.need("kind").text(),
        version=said.need("apiVersion").text(),
        integrated_time=entry.need("integratedTime").uint64(),
        inclusion_promise=proved.need("signedEntryTimestamp").bytes(),
        inclusion_proof=InclusionProof(
            log_index=proof.need("logIndex").uint64(),
            tree_size=proof.need("treeSize").uint64(),
            root_hash=_hex(proof.need("rootHash")),
            hashes=tuple(_hex(each) for each in hashes),
            checkpoint=proof.need("checkpoint").text(),
        ),
        canonicalized_body=body,
    )


def _hex(node: Node) -> bytes:
    try:
        return bytes.fromhex(node.text())
    except ValueError:
        node.refuse("hex", found=node.text())


# --- version 2 -------------------------------------------------------------------------------------------------------


def log_v2(
    http: Http, url: str, signed: SignedPayload, *, logs: Iterable[Log] = (), limits: Limits = DEFAULT
) -> LogEntry:
    """Log a signature in a log of version 2, and give the entry.

    `logs` are those that are believed, by which an entry that is there already gets its log's id.

    Raises:
        KeyUnsupported: a signature of a scheme for which such logs have no name.
        WitnessMissing, ServiceRefused, ServiceUnavailable: as `log_v1` does.
    """
    base = f"{url.rstrip('/')}/api/v2"
    details, digest, verifier = _details(signed)
    signature = {"content": encode_base64(signed.signature), "verifier": {**verifier, "keyDetails": details}}
    request = {"hashedRekordRequestV002": {"digest": encode_base64(digest[1]), "signature": signature}}
    proposed = json.dumps(request).encode("ascii")

    def read(answer: Answer) -> LogEntry | int:
        if answer.status == 409:
            return _index_of(answer)
        return LogEntry.parse(read_json(answer.body, where="entry", limits=limits, bound="answer_bytes"), limits=limits)

    made = http.ask("POST", f"{base}/log/entries", body=lambda: proposed, headers=_JSON, also=(409,), read=read)
    if isinstance(made, int):
        data = {"algorithm": _DIGESTS[digest[0]], "digest": encode_base64(digest[1])}
        spec = {"hashedRekordV002": {"data": data, "signature": signature}}
        body = canonical_json({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec})
        made = _logged_before(http, base, made, body, tuple(logs), limits)
    return _ours(made, signed, url, limits)


def _index_of(answer: Answer) -> int:
    """Give where the entry stands that is there already."""
    text = answer.headers.get("x-log-index", "")
    if not _INDEX.fullmatch(text):
        raise FieldRefused(where="x-log-index", found=text, wanted="where the entry stands")
    return int(text)


def _logged_before(http: Http, base: str, index: int, body: bytes, logs: tuple[Log, ...], limits: Limits) -> LogEntry:
    """Read the proof of an entry that is there already from the log's tiles. Its body is ours: a proof shows it."""

    def checkpoint(answer: Answer) -> tuple[str, Note, Checkpoint]:
        text = decode_utf8(answer.body, where="checkpoint")
        note = Note.parse(text, limits=limits)
        found = Checkpoint.parse(note.text)
        if found.size <= index:  # the next checkpoint will hold it
            raise FieldRefused(where="checkpoint", found=found.size, wanted=f"a tree with an entry {index}")
        return text, note, found

    try:
        text, note, tree = http.ask("GET", f"{base}/checkpoint", read=checkpoint)
        hashes = proof_from_tiles(
            index, tree.size, lambda path: http.ask("GET", f"{base}/{path}", read=lambda answer: answer.body)
        )
    except (ServiceRefused, ServiceUnavailable, FieldRefused) as e:
        do = "sign again: the new signature gets an entry of its own"
        raise ServiceUnavailable(where=base, found=f"entry {index}, and no proof of it", because=str(e), do=do) from e
    names = {signature.key_hash for signature in note.signatures}
    log_id = next((log.log_id for log in logs if log.key_hashes & names), b"")
    return LogEntry(
        log_index=index,
        log_id=log_id,
        kind="hashedrekord",
        version="0.0.2",
        integrated_time=0,
        inclusion_promise=None,
        inclusion_proof=InclusionProof(
            log_index=index, tree_size=tree.size, root_hash=tree.root, hashes=hashes, checkpoint=text
        ),
        canonicalized_body=body,
    )


def _details(signed: SignedPayload) -> tuple[str, tuple[str, bytes], Mapping[str, object]]:
    """Give the name of the key's kind, what is logged of the content, and the verifier."""
    if signed.scheme not in _SCHEMES:
        wanted = f"one of {', '.join(_SCHEMES)}"
        raise KeyUnsupported(where="signer", found=signed.scheme, wanted=wanted, do="use such a key, or another log")
    details, algorithm = _SCHEMES[signed.scheme]
    key: Any = load_der_public_key(signed.key.der)
    if isinstance(key, rsa.RSAPublicKey):
        details = details.format(bits=key.key_size)
    digest = signed.digest(algorithm)
    if digest is None:
        raise KeyUnsupported(where="artifact", found="a digest by another algorithm", wanted=algorithm)
    if signed.leaf is not None:
        return details, (algorithm, digest), {"x509Certificate": {"rawBytes": encode_base64(signed.leaf.der)}}
    return details, (algorithm, digest), {"publicKey": {"rawBytes": encode_base64(signed.key.der)}}


# --- both ------------------------------------------------------------------------------------------------------------


def _ours(entry: LogEntry, signed: SignedPayload, url: str, limits: Limits) -> LogEntry:
    """Give the entry if it is about this very signature: nobody else's entry gets into a bundle."""
    try:
        check_body(entry, signed, limits=limits)
    except GlasswingError as e:  # its body is another's, or cannot be read
        raise WitnessMissing(where=url, because=str(e), wanted="an entry for this very signature") from e
    return entry


def _pem(signed: SignedPayload) -> bytes:
    if signed.leaf is not None:
        return signed.leaf.certificate.public_bytes(Encoding.PEM)
    return signed.key.pem.encode("ascii")


def _artifact(signed: SignedPayload) -> tuple[str, bytes]:
    if signed.artifact_digest is None or signed.artifact_digest[0] not in hashlib.algorithms_guaranteed:
        raise KeyUnsupported(where="artifact", found="a Metablock", wanted="an envelope or an artifact's digest")
    return signed.artifact_digest
