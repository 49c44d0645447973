"""Is this log entry about this very signature?

What a log stored is compared, part by part, with what the bundle carries: the signature's bytes, the key or
certificate that verifies it, and the digest of what was signed. Kinds (sigstore/rekor pkg/types, rekor-tiles
api/proto)::

    hashedrekord 0.0.1   Rekor v1   spec.data.hash, spec.signature.{content, publicKey.content}
    dsse 0.0.1           Rekor v1   spec.payloadHash, spec.signatures[].{signature, verifier}
    intoto 0.0.2         Rekor v1   spec.content.{payloadHash, envelope.signatures[].{sig, publicKey}}   base64 in
    base64 hashedrekord 0.0.2   Rekor v2   spec.hashedRekordV002.{data, signature.{content, verifier}}          DSSE:
    over its PAE
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from cryptography import x509

from glasswing_attest._wire import Node, decode_base64, decode_utf8, encode_base64, read_json
from glasswing_attest.bundle import LogEntry
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import KeyUnsupported, NotLogged, NotPem, UnsupportedError
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.metablock import Metablock
from glasswing_attest.trust.certificates import UNREADABLE
from glasswing_attest.verification.signature import SignedPayload

__all__ = ["check_body", "is_v1"]

_V1 = {("hashedrekord", "0.0.1"), ("dsse", "0.0.1"), ("intoto", "0.0.2")}
_HASHES: dict[str, str] = {
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "SHA2_256": "sha256",
    "SHA2_384": "sha384",
    "SHA2_512": "sha512",
}


def is_v1(entry: LogEntry) -> bool:
    """Tell whether the entry is of Rekor v1, whose log signs a time of integration."""
    return (entry.kind, entry.version) in _V1


def check_body(entry: LogEntry, signed: SignedPayload, *, limits: Limits = DEFAULT) -> None:
    """Hold the entry's body against the signature.

    Raises:
        UnsupportedError: an entry of another kind or version.
        MalformedError: a body that is not what its kind says.
        NotLogged: it is about another signature, key or content.
    """
    node = read_json(entry.canonicalized_body, where="canonicalizedBody", limits=limits)
    kind = (node.need("kind").text(), node.need("apiVersion").text())
    if kind != (entry.kind, entry.version):
        raise _differs(node.path, "kind", " ".join(kind), f"{entry.kind} {entry.version}")
    readers: dict[tuple[str, str], Callable[[Node, SignedPayload], None]] = {
        ("hashedrekord", "0.0.1"): _hashedrekord_v1,
        ("dsse", "0.0.1"): _dsse_v1,
        ("intoto", "0.0.2"): _intoto_v1,
        ("hashedrekord", "0.0.2"): _hashedrekord_v2,
    }
    if kind not in readers:
        raise UnsupportedError(where=node.path, found=" ".join(kind), wanted="hashedrekord, dsse or intoto")
    readers[kind](node.need("spec"), signed)


def _hashedrekord_v1(spec: Node, signed: SignedPayload) -> None:
    if signed.envelope is not None:
        raise _differs(spec.path, "kind", "hashedrekord 0.0.1", "an entry for an envelope")
    hashed = spec.need("data").need("hash")
    _same_digest(hashed.need("algorithm"), hashed.need("value"), bytes.fromhex(_hex(hashed.need("value"))), signed)
    signature = spec.need("signature")
    _same(signature.need("content"), signature.need("content").bytes(), signed.signature, "signature")
    _same_verifier(signature.need("publicKey").need("content"), signed)


def _dsse_v1(spec: Node, signed: SignedPayload) -> None:
    _payload_hash(spec.need("payloadHash"), _envelope_of(spec, signed))
    signatures = spec.need("signatures").array()
    if len(signatures) != 1:
        raise _differs(spec.path, "signatures", str(len(signatures)), "1")
    _same(signatures[0], signatures[0].need("signature").bytes(), signed.signature, "signature")
    _same_verifier(signatures[0].need("verifier"), signed)


def _intoto_v1(spec: Node, signed: SignedPayload) -> None:
    own = _envelope_of(spec, signed)
    content = spec.need("content")
    _payload_hash(content.need("payloadHash"), own)
    envelope = content.need("envelope")
    if envelope.get_text("payloadType") != own.payload_type:
        raise _differs(envelope.path, "payloadType", envelope.get_text("payloadType"), own.payload_type)
    signatures = envelope.need("signatures").array()
    if len(signatures) != 1:
        raise _differs(envelope.path, "signatures", str(len(signatures)), "1")
    # Rekor stored the envelope's base64 text and encoded it once more.
    outer = signatures[0].need("sig")
    inner = decode_base64(decode_utf8(outer.bytes(), where=outer.path), where=outer.path)
    _same(outer, inner, signed.signature, "signature")
    _same_verifier(signatures[0].need("publicKey"), signed)


def _hashedrekord_v2(spec: Node, signed: SignedPayload) -> None:
    record = spec.need("hashedRekordV002")
    data = record.need("data")
    _same_digest(data.need("algorithm"), data.need("digest"), data.need("digest").bytes(), signed)
    signature = record.need("signature")
    _same(signature.need("content"), signature.need("content").bytes(), signed.signature, "signature")
    verifier = signature.need("verifier")
    certificate, key = verifier.get("x509Certificate"), verifier.get("publicKey")
    if (certificate is None) == (key is None):
        verifier.refuse("exactly one of x509Certificate and publicKey")
    if certificate is not None:
        der = None if signed.leaf is None else signed.leaf.der
        _same(certificate, certificate.need("rawBytes").bytes(), der, "certificate")
    elif key is not None:
        der = signed.key.der if signed.leaf is None else None
        _same(key, key.need("rawBytes").bytes(), der, "public key")


def _envelope_of(spec: Node, signed: SignedPayload) -> Envelope | Metablock:
    if signed.envelope is None:
        raise _differs(spec.path, "kind", "an entry for an envelope", "hashedrekord")
    return signed.envelope


def _payload_hash(node: Node, envelope: Envelope | Metablock) -> None:
    algorithm = node.need("algorithm").one_of({"sha256": "sha256"})
    found = node.need("value").text()
    wanted = hashlib.new(algorithm, envelope.payload).hexdigest()
    if found != wanted:
        raise _differs(node.path, "payloadHash", found, wanted)


def _hex(node: Node) -> str:
    text = node.text()
    if len(text) % 2 or any(c not in "0123456789abcdef" for c in text):
        node.refuse("lowercase hex", found=text)
    return text


def _same_digest(algorithm: Node, node: Node, found: bytes, signed: SignedPayload) -> None:
    """What was logged is a digest of what was signed: of the artifact, or of the envelope's PAE."""
    name = algorithm.one_of(_HASHES)
    wanted = signed.digest(name)
    if found != wanted:
        shown = "a digest by another algorithm" if wanted is None else wanted.hex()
        raise _differs(node.path, f"{name} digest", found.hex(), shown)


def _same(node: Node, found: bytes, wanted: bytes | None, what: str) -> None:
    if found != wanted:
        raise _differs(node.path, what, "another one", "the bundle's own")


def _same_verifier(node: Node, signed: SignedPayload) -> None:
    """Compare a PEM certificate or key with the one that verified the signature, as DER."""
    if signed.leaf is not None and node.text() == encode_base64(_usual_pem(signed.leaf.der)):
        return
    pem = node.bytes()
    if signed.leaf is None:
        try:
            der = PublicKey.from_pem(pem).der
        except (NotPem, KeyUnsupported):  # a certificate, for one: the log holds another signer's entry
            der = b""
        _same(node, der, signed.key.der, "public key")
        return
    try:
        is_own = x509.load_pem_x509_certificate(pem) == signed.leaf.certificate
    except UNREADABLE:
        is_own = False
    _same(node, signed.leaf.der if is_own else b"", signed.leaf.der, "certificate")


def _usual_pem(der: bytes) -> bytes:
    """Write a certificate in PEM (RFC 7468, section 5), as nearly every log stores it: other ways have to be read."""
    text = encode_base64(der).encode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return b"\n".join((b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""))


def _differs(where: str, what: str, found: str, wanted: str) -> NotLogged:
    return NotLogged(where=where, because=f"the log entry has another {what}", found=found, wanted=wanted)
