"""What did cosign write before it took to Sigstore bundles?

cosign's specifications ATTESTATION_SPEC.md and SIGNATURE_SPEC.md. An attestation is a layer whose blob is a DSSE
envelope; what proves it stands in the layer's annotations::

    mediaType    application/vnd.dsse.envelope.v1+json
    annotations  dev.sigstore.cosign/certificate        PEM; absent for what a key signed
                 dev.sigstore.cosign/chain              PEM, from the issuer up to the root
                 dev.sigstore.cosign/bundle             {"SignedEntryTimestamp": …, "Payload": {"body": …,
                                                         "integratedTime": …, "logIndex": …, "logID": <hex>}}
                 dev.sigstore.cosign/rfc3161timestamp   {"SignedRFC3161Timestamp": …}

``cosign attest-blob --bundle`` kept the same in one file::

    {"base64Signature": <base64 of the envelope>, "cert": <base64 PEM>, "rekorBundle": <as above>}

Both become a bundle v0.1, whose log entry has a promise and no proof. What ``cosign download attestation`` prints are
envelopes, one a line, without what proves them: only a key's holder can be told from them. And what ``cosign sign``
signs ("simple signing") is an image's digest with no statement about it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from glasswing_attest._wire import Node, encode_base64, read_json
from glasswing_attest.errors import MessageSignatureUnsupported
from glasswing_attest.formats.assembled import assembled, certificates_of
from glasswing_attest.formats.exact import Exact
from glasswing_attest.formats.part import Format, Part
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["COSIGN_BLOB", "COSIGN_SIGNATURE", "from_layer"]

_BUNDLE_V01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"
_ANNOTATION = "dev.sigstore.cosign/"


# --- layers ----------------------------------------------------------------------------------------------------------


def from_layer(envelope: bytes, annotations: Node | None, *, limits: Limits = DEFAULT) -> bytes:
    """Give the bundle that a layer and its annotations make; the envelope as it is where it has none.

    Raises:
        MalformedError: an annotation that is not what cosign writes, with the path.
        LimitError: too many certificates.
    """
    found = {
        name: None if annotations is None else annotations.get(f"{_ANNOTATION}{name}")
        for name in ("certificate", "chain", "bundle", "rfc3161timestamp")
    }
    # An annotation is a string, and an empty one says nothing.
    certificate, chain, entry, stamp = (n if n is not None and n.text() else None for n in found.values())
    if certificate is None and entry is None and stamp is None:
        return envelope
    whole = Exact.read(envelope, limits=limits, bound="bundle_bytes")
    whole.node.object()
    pems = [node for node in (certificate, chain) if node is not None and certificate is not None]
    stamps = [] if stamp is None else [_within(stamp, limits).need("SignedRFC3161Timestamp").bytes()]
    return assembled(
        whole.data,
        certificates=[
            der for n in pems for der in certificates_of(n.text().encode("utf-8"), where=n.path, limits=limits)
        ],
        entries=[] if entry is None else [_log_entry(_within(entry, limits), limits)],
        timestamps=stamps,
        media_type=_BUNDLE_V01,
    )


def _within(annotation: Node, limits: Limits) -> Node:
    """Read the JSON that an annotation holds as a string."""
    return read_json(annotation.text().encode("utf-8"), where=annotation.path, limits=limits, bound="bundle_bytes")


def _log_entry(node: Node, limits: Limits) -> bytes:
    """Give Rekor's entry as a bundle has it. Its kind stands in the body, which the promise covers."""
    promise, payload = node.need("SignedEntryTimestamp").bytes(), node.need("Payload")
    body = payload.need("body").bytes()
    said = read_json(body, where=payload.need("body").path, limits=limits, bound="bundle_bytes")
    log_id = payload.need("logID")
    try:
        key_id = bytes.fromhex(log_id.text())
    except ValueError:
        log_id.refuse("hex", found=log_id.value)
    entry = {
        "logIndex": str(payload.need("logIndex").uint64()),
        "logId": {"keyId": encode_base64(key_id)},
        "kindVersion": {"kind": said.need("kind").text(), "version": said.need("apiVersion").text()},
        "integratedTime": str(payload.need("integratedTime").uint64()),
        "inclusionPromise": {"signedEntryTimestamp": encode_base64(promise)},
        "canonicalizedBody": encode_base64(body),
    }
    return json.dumps(entry, separators=(",", ":")).encode("ascii")


# --- files -----------------------------------------------------------------------------------------------------------


def _no_blob(node: Node) -> str:
    return "" if isinstance(node.value, dict) and "base64Signature" in node.value else "no base64Signature"


def _blob(whole: Exact, limits: Limits) -> Iterator[Part]:
    signed = whole.node.need("base64Signature")
    data = signed.bytes()
    if not (data.startswith(b"{") and data.rstrip().endswith(b"}")):
        raise MessageSignatureUnsupported(where=signed.path, found="a bare signature", wanted="a DSSE envelope")
    envelope = Exact.read(data, where=signed.path, limits=limits, bound="bundle_bytes")
    envelope.node.object()
    cert, log = whole.node.get("cert"), whole.node.get("rekorBundle")
    pem = b"" if cert is None else cert.bytes()
    # Where a key signed, its public half stands in the certificate's place: whoever verifies has it already.
    certificates = certificates_of(pem, where=f"{whole.path}.cert", limits=limits) if b"CERTIFICATE" in pem else ()
    entries = [] if log is None else [_log_entry(log, limits)]
    if certificates or entries:
        data = assembled(envelope.data, certificates=certificates, entries=entries, media_type=_BUNDLE_V01)
    yield Part(data=data)


def _no_signature(node: Node) -> str:
    members = node.value if isinstance(node.value, dict) else {}
    critical = members.get("critical")
    is_one = "Base64Signature" in members or (isinstance(critical, dict) and "image" in critical)
    return "" if is_one else "no critical.image"


def _signature(whole: Exact, _limits: Limits) -> Iterator[Part]:
    raise MessageSignatureUnsupported(
        where=whole.path, found="a simple-signing signature of an image", wanted="what `cosign attest` makes"
    )


COSIGN_BLOB = Format(name="cosign attest-blob bundle", lacks=_no_blob, unpack=_blob)
COSIGN_SIGNATURE = Format(name="cosign signature", lacks=_no_signature, unpack=_signature)
