"""HOW WAS IT BOUND BEFORE DSSE? A Metablock: a link or a layout, with signatures over its canonical JSON.

in-toto specification v1.0, section 4.2. ::

    {"signed": {"_type": "link" | "layout", …}, "signatures": [{"keyid": <hex>, "sig": <hex>}, …]}

What is signed is ``signed`` in the canonical JSON of OLPC: names sorted, no white space, no fractions, and nothing
escaped in a string but quote and backslash. It is made from the object as it was read, with every field that is there,
known or not: whoever signed it signed them all. Two objects that differ in any value differ in these bytes.

``keyid`` is an unauthenticated hint and never decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from securesystemslib.exceptions import FormatError
from securesystemslib.formats import encode_canonical

from glasswing_attest._wire import Node
from glasswing_attest.envelope import EnvelopeSignature
from glasswing_attest.errors import (
    FieldMissing,
    LimitError,
    NumberRefused,
    SignatureUnsupported,
    StatementTypeUnsupported,
)
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.statement import LINK, PAYLOAD_TYPE

__all__ = ["LAYOUT", "Metablock"]

LAYOUT = "layout"

_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_CONTROL = re.compile(rb"[\x00-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metablock:
    """A link or layout as in-toto signed it before it took to DSSE.

    It is read like an `Envelope`: the payload only after a signature was checked.
    """

    signed_bytes: bytes
    signatures: tuple[EnvelopeSignature, ...]

    @classmethod
    def parse(cls, node: Node, *, limits: Limits = DEFAULT) -> Metablock:
        """Read a Metablock strictly.

        Raises:
            StatementTypeUnsupported: neither a link nor a layout.
            SignatureUnsupported: every signature is one of OpenPGP.
            MalformedError: with the path; `NumberRefused` for a number that is no integer.
            LimitError: too long, or too many signatures.
        """
        signed = node.need("signed")
        kind = signed.need("_type").text()
        if kind not in (LINK, LAYOUT):
            raise StatementTypeUnsupported(where=f"{signed.path}._type", found=kind, wanted=f"{LINK} or {LAYOUT}")
        signed_bytes = _canonical(signed)
        limits.check("statement_bytes", len(signed_bytes), where=signed.path)
        items = node.need("signatures").array()
        limits.check("signatures", len(items), where=f"{node.path}.signatures")
        if not items:
            raise FieldMissing(kind=node.kind, where=f"{node.path}.signatures", wanted="at least one signature")
        signatures = tuple(_signature(item) for item in items if not _is_openpgp(item))
        if not signatures:
            raise SignatureUnsupported(where=f"{node.path}.signatures", found="OpenPGP", wanted="one with a sig")
        return cls(signed_bytes=signed_bytes, signatures=signatures)

    @property
    def payload_type(self) -> str:
        """in-toto's own: a Metablock carries nothing else."""
        return PAYLOAD_TYPE

    @property
    def payload(self) -> bytes:
        """What was signed, as JSON: OLPC leaves control characters in strings as they are, and RFC 8259 does not."""
        return _CONTROL.sub(lambda found: b"\\u%04x" % found[0][0], self.signed_bytes)


def _canonical(node: Node) -> bytes:
    try:
        text = encode_canonical(cast(Any, node.value)) or ""
    except FormatError as e:
        number = next(_fractions(node))
        raise NumberRefused(kind=node.kind, where=number.path, found=str(number.value), wanted="an integer") from e
    except RecursionError as e:
        raise LimitError(where=node.path, because="it is nested too deeply") from e
    return text.encode("utf-8")


def _fractions(node: Node) -> Iterator[Node]:
    if isinstance(node.value, Decimal):
        yield node
    elif isinstance(node.value, dict):
        for _, member in node.members():
            yield from _fractions(member)
    elif isinstance(node.value, list):
        for item in node.array():
            yield from _fractions(item)


def _is_openpgp(node: Node) -> bool:
    """Tell in-toto's shape of an OpenPGP signature, which is not over these bytes alone."""
    return node.get("sig") is None and node.get("other_headers") is not None


def _signature(node: Node) -> EnvelopeSignature:
    sig = node.need("sig")
    if not _HEX.fullmatch(sig.text()):
        sig.refuse("a signature in lower-case hex", found=sig.text())
    return EnvelopeSignature(sig=bytes.fromhex(sig.text()), keyid=node.get_text("keyid"))
