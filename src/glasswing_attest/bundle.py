"""WHAT TRAVELS? A Sigstore bundle: the signed content and all that is needed to verify it.

Sigstore bundle v0.1-v0.3 (sigstore/protobuf-specs, sigstore_bundle.proto) in proto3 JSON, where zero values may be
absent. ::

    {"mediaType": …,
     "verificationMaterial": {"publicKey": {"hint": …} | "certificate": … | "x509CertificateChain": …,
                              "tlogEntries": […], "timestampVerificationData": {"rfc3161Timestamps": […]}},
     "dsseEnvelope": … | "messageSignature": …}

Written are bundles of v0.3. Everything but the envelope's payload and type is unauthenticated until a check proves it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from glasswing_attest._wire import Node, encode_base64, read_json
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import FieldMissing, FieldRefused, MediaTypeUnsupported, counted, shown
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["BUNDLE_V03", "Bundle", "Certificates", "InclusionProof", "KeyHint", "LogEntry", "MessageSignature"]

BUNDLE_V03 = "application/vnd.dev.sigstore.bundle.v0.3+json"
_MEDIA_TYPES = {
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
    BUNDLE_V03: "0.3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHint:
    """The bundle was signed with a key that the verifier must already have; `hint` may say which."""

    hint: str = ""

    def __str__(self) -> str:
        return f"key {shown(self.hint)}" if self.hint else "a key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """The signer's certificate (DER), leaf first. Whatever follows it is untrusted.

    `member` is where they stood in the bundle: Sigstore's clients write one ``certificate``, private authorities'
    signers an ``x509CertificateChain``.
    """

    chain: tuple[bytes, ...]
    member: str = field(default="certificate", compare=False)

    def __repr__(self) -> str:
        return f"Certificates({self})"

    def __str__(self) -> str:
        return f"certificate sha256:{hashlib.sha256(self.chain[0]).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """A Merkle inclusion proof and the checkpoint that signs its root (RFC 6962, 2.1.1; C2SP tlog-checkpoint)."""

    log_index: int
    tree_size: int
    root_hash: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A transparency log's entry, with the promise or the proof that it was logged."""

    log_index: int
    log_id: bytes
    kind: str
    version: str
    integrated_time: int
    inclusion_promise: bytes | None
    inclusion_proof: InclusionProof | None
    canonicalized_body: bytes

    @classmethod
    def parse(cls, node: Node, *, limits: Limits = DEFAULT) -> LogEntry:
        """Read a TransparencyLogEntry message (sigstore_rekor.proto). Raises `MalformedError` or `LimitError`."""
        return _log_entry(node, limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSignature:
    """A signature over an artifact itself. There is no statement in it."""

    algorithm: str
    digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A parsed bundle. Nothing in it is verified."""

    version: str
    material: KeyHint | Certificates
    content: Envelope | MessageSignature
    log_entries: tuple[LogEntry, ...] = ()
    timestamps: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        entries, stamps = counted(len(self.log_entries), "log entry"), counted(len(self.timestamps), "stamp")
        return f"Bundle(unverified: v{self.version}, {self.material}, {entries}, {stamps})"

    @classmethod
    def parse(cls, node: Node, *, limits: Limits = DEFAULT) -> Bundle:
        """Read a bundle strictly.

        Raises:
            MediaTypeUnsupported: not v0.1, v0.2 or v0.3.
            MalformedError: with the path. Exactly one kind of verification material and one content must be there.
            LimitError: too many signatures, entries, timestamps or certificates.
        """
        media_type = node.need("mediaType")
        version = _MEDIA_TYPES.get(media_type.text())
        if version is None:
            raise MediaTypeUnsupported(where=media_type.path, found=media_type.text(), wanted=BUNDLE_V03)
        material = node.need("verificationMaterial")
        entries = material.get_array("tlogEntries")
        material.within(limits, "log_entries", len(entries), step="tlogEntries")
        stamps = material.get("timestampVerificationData")
        timestamps = [] if stamps is None else stamps.get_array("rfc3161Timestamps")
        material.within(limits, "timestamps", len(timestamps), step="timestampVerificationData")
        return cls(
            version=version,
            material=_material(material, limits),
            content=_content(node, limits),
            log_entries=tuple(_log_entry(entry, limits) for entry in entries),
            timestamps=tuple(stamp.need("signedTimestamp").bytes() for stamp in timestamps),
        )

    @classmethod
    def from_json(cls, data: bytes, *, limits: Limits = DEFAULT) -> Bundle:
        """Read a bundle from its JSON bytes."""
        return cls.parse(read_json(data, limits=limits, bound="bundle_bytes"), limits=limits)

    @staticmethod
    def of_key(envelope: Envelope, hint: str) -> bytes:
        """Write a v0.3 bundle for an envelope that was signed with a key, as one line of JSON."""
        return Bundle(version="0.3", material=KeyHint(hint=hint), content=envelope).to_json()

    @staticmethod
    def of_certificates(envelope: Envelope, chain: Sequence[bytes]) -> bytes:
        """Write a v0.3 bundle for an envelope that a private authority's certificate signed; `chain` is leaf first."""
        material = Certificates(chain=tuple(chain), member="x509CertificateChain")
        return Bundle(version="0.3", material=material, content=envelope).to_json()

    def to_json(self) -> bytes:
        """Write it as a bundle of v0.3, as one line of JSON. Raises `FieldRefused` for what no v0.3 may hold."""
        material: dict[str, object] = {
            **_written_material(self.material),
            "tlogEntries": [_written_entry(entry) for entry in self.log_entries],
        }
        if self.timestamps:
            stamps = [{"signedTimestamp": encode_base64(stamp)} for stamp in self.timestamps]
            material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        body = {"mediaType": BUNDLE_V03, "verificationMaterial": material, **_written_content(self.content)}
        return json.dumps(body, separators=(",", ":")).encode("ascii")


def _written_material(material: KeyHint | Certificates) -> dict[str, object]:
    if isinstance(material, KeyHint):
        return {"publicKey": {"hint": material.hint}}
    certificates = [{"rawBytes": encode_base64(der)} for der in material.chain]
    if material.member != "certificate":
        return {"x509CertificateChain": {"certificates": certificates}}
    if len(certificates) != 1:
        raise FieldRefused(where="$.verificationMaterial.certificate", found=len(certificates), wanted="one alone")
    return {"certificate": certificates[0]}


def _written_content(content: Envelope | MessageSignature) -> dict[str, object]:
    if isinstance(content, Envelope):
        if len(content.signatures) != 1:
            found = len(content.signatures)
            raise FieldRefused(where="$.dsseEnvelope.signatures", found=found, wanted="one signature")
        return {"dsseEnvelope": content.to_dict()}
    digest = {"algorithm": content.algorithm, "digest": encode_base64(content.digest)}
    return {"messageSignature": {"messageDigest": digest, "signature": encode_base64(content.signature)}}


def _written_entry(entry: LogEntry) -> dict[str, object]:
    """Write an entry; proto3 JSON writes 64-bit integers as text, and leaves out what was not said."""
    written: dict[str, object] = {
        "logIndex": str(entry.log_index),
        "logId": {"keyId": encode_base64(entry.log_id)},
        "kindVersion": {"kind": entry.kind, "version": entry.version},
    }
    if entry.integrated_time:
        written["integratedTime"] = str(entry.integrated_time)
    if entry.inclusion_promise is not None:
        written["inclusionPromise"] = {"signedEntryTimestamp": encode_base64(entry.inclusion_promise)}
    if entry.inclusion_proof is not None:
        proof = entry.inclusion_proof
        written["inclusionProof"] = {
            "logIndex": str(proof.log_index),
            "rootHash": encode_base64(proof.root_hash),
            "treeSize": str(proof.tree_size),
            "hashes": [encode_base64(each) for each in proof.hashes],
            "checkpoint": {"envelope": proof.checkpoint},
        }
    written["canonicalizedBody"] = encode_base64(entry.canonicalized_body)
    return written


def _one_of(node: Node, names: tuple[str, ...]) -> tuple[str, Node]:
    present = [(name, found) for name in names if (found := node.get(name)) is not None]
    if not present:
        raise FieldMissing(kind=node.kind, where=node.path, wanted=f"one of {', '.join(names)}")
    if len(present) > 1:
        node.refuse(f"only one of {', '.join(names)}", found=" and ".join(name for name, _ in present))
    return present[0]


def _material(node: Node, limits: Limits) -> KeyHint | Certificates:
    name, found = _one_of(node, ("publicKey", "certificate", "x509CertificateChain"))
    if name == "publicKey":
        # Bundles of model-signing before 1.1 carry the key itself (rawBytes); it proves nothing and is not read.
        return KeyHint(hint=found.get_text("hint"))
    items = [found] if name == "certificate" else found.need("certificates").array()
    found.within(limits, "certificates", len(items))
    if not items:
        raise FieldMissing(kind=node.kind, where=found.path, wanted="at least one certificate")
    return Certificates(chain=tuple(item.need("rawBytes").bytes() for item in items), member=name)


def _content(node: Node, limits: Limits) -> Envelope | MessageSignature:
    name, found = _one_of(node, ("dsseEnvelope", "messageSignature"))
    if name == "dsseEnvelope":
        envelope = Envelope.parse(found, limits=limits)
        if len(envelope.signatures) != 1:
            found.need("signatures").refuse("exactly one signature in a bundle", found=len(envelope.signatures))
        return envelope
    digest = found.get("messageDigest") or Node({}, f"{found.path}.messageDigest", found.kind)
    return MessageSignature(
        algorithm=digest.get_text("algorithm"),
        digest=digest.get_bytes("digest"),
        signature=found.need("signature").bytes(),
    )


def _log_entry(node: Node, limits: Limits) -> LogEntry:
    log_id, version = node.get("logId"), node.get("kindVersion")
    promise, proof = node.get("inclusionPromise"), node.get("inclusionProof")
    return LogEntry(
        log_index=_uint(node, "logIndex"),
        log_id=b"" if log_id is None else log_id.need("keyId").bytes(),
        kind="" if version is None else version.get_text("kind"),
        version="" if version is None else version.get_text("version"),
        integrated_time=_uint(node, "integratedTime"),
        inclusion_promise=None if promise is None else promise.need("signedEntryTimestamp").bytes(),
        inclusion_proof=None if proof is None else _inclusion_proof(proof, limits),
        canonicalized_body=node.get_bytes("canonicalizedBody"),
    )


def _inclusion_proof(node: Node, limits: Limits) -> InclusionProof:
    hashes = node.get_array("hashes")
    node.within(limits, "proof_hashes", len(hashes), step="hashes")
    checkpoint = node.get("checkpoint")
    return InclusionProof(
        log_index=_uint(node, "logIndex"),
        tree_size=_uint(node, "treeSize"),
        root_hash=node.get_bytes("rootHash"),
        hashes=tuple(item.bytes() for item in hashes),
        checkpoint="" if checkpoint is None else checkpoint.get_text("envelope"),
    )


def _uint(node: Node, name: str) -> int:
    found = node.get(name)
    return 0 if found is None else found.uint64()
