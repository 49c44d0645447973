"""HOW IS IT BOUND? A DSSE envelope: payload, its type, and signatures over both.

DSSE v1 (secure-systems-lab/dsse, envelope.md and protocol.md). What is signed is the pre-authentication encoding::

    PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body        LEN counts bytes, in ASCII decimal

``keyid`` is an unauthenticated hint and never decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from glasswing_attest._wire import Node, encode_base64, read_json
from glasswing_attest.errors import FieldMissing, counted, shown
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Envelope", "EnvelopeSignature", "pae"]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Give the bytes that are signed (DSSE protocol.md, "Signature definition").

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSignature:
    """One signature of an envelope. `keyid` is a hint."""

    sig: bytes
    keyid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A DSSE envelope. Its payload is kept as it came, and may be read only after its signature was checked."""

    payload: bytes
    payload_type: str
    signatures: tuple[EnvelopeSignature, ...]

    def __repr__(self) -> str:
        size, signatures = counted(len(self.payload), "byte"), counted(len(self.signatures), "signature")
        return f"Envelope(unverified: {shown(self.payload_type)}, {size}, {signatures})"

    @classmethod
    def parse(cls, node: Node, *, limits: Limits = DEFAULT) -> Envelope:
        """Read an envelope strictly. Raises `MalformedError` with the path, or `LimitError`."""
        payload = node.need("payload").bytes()
        node.within(limits, "statement_bytes", len(payload), step="payload")
        payload_type = node.need("payloadType").text()
        if not payload_type:
            raise FieldMissing(kind=node.kind, where=f"{node.path}.payloadType")
        items = node.need("signatures").array()
        node.within(limits, "signatures", len(items), step="signatures")
        if not items:
            raise FieldMissing(kind=node.kind, where=f"{node.path}.signatures", wanted="at least one signature")
        return cls(payload=payload, payload_type=payload_type, signatures=tuple(_signature(item) for item in items))

    @classmethod
    def from_json(cls, data: bytes, *, limits: Limits = DEFAULT) -> Envelope:
        """Read an envelope from its JSON bytes."""
        return cls.parse(read_json(data, limits=limits, bound="bundle_bytes"), limits=limits)

    def to_dict(self) -> dict[str, object]:
        """Give the envelope as DSSE's JSON object."""
        return {
            "payload": encode_base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"sig": encode_base64(s.sig), "keyid": s.keyid} for s in self.signatures],
        }

    @property
    def signed_bytes(self) -> bytes:
        """The pre-authentication encoding of this envelope."""
        return pae(self.payload_type, self.payload)


def _signature(node: Node) -> EnvelopeSignature:
    sig = node.need("sig").bytes()
    if not sig:
        raise FieldMissing(kind=node.kind, where=f"{node.path}.sig", wanted="a signature")
    return EnvelopeSignature(sig=sig, keyid=node.get_text("keyid"))
