"""How is DER written where `cryptography` has no writer for it?

RFC 3161 tokens need sets and tagged parts around parts that are DER already (X.690, sections 8.1 and 11.6). Primitive
values are written by `cryptography`; here are only the boxes around them. For tests: the library itself never parses or
writes ASN.1 by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.asn1 import GeneralizedTime, encode_der

__all__ = ["explicit", "implicit_set", "integer", "octets", "oid", "sequence", "set_of", "time", "tlv", "utf8"]


def tlv(tag: int, content: bytes) -> bytes:
    """One element: tag, shortest length, content."""
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return tlv(0x30, b"".join(parts))


def set_of(parts: Iterable[bytes], *, tag: int = 0x31) -> bytes:
    """A SET OF, sorted as DER wants it."""
    return tlv(tag, b"".join(sorted(parts)))


def implicit_set(number: int, parts: Iterable[bytes]) -> bytes:
    """A SET OF under a context tag that replaces its own."""
    return set_of(parts, tag=0xA0 | number)


def explicit(number: int, part: bytes) -> bytes:
    """A part within a context tag."""
    return tlv(0xA0 | number, part)


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    return encode_der(x509.ObjectIdentifier(dotted))


def integer(value: int) -> bytes:
    """An INTEGER. Serial numbers have up to 160 bits, and not every `cryptography` writes so many."""
    return tlv(0x02, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, signed=True))


def octets(value: bytes) -> bytes:
    """An OCTET STRING."""
    return encode_der(value)


def utf8(value: str) -> bytes:
    """A UTF8String."""
    return encode_der(value)


def time(value: datetime) -> bytes:
    """A GeneralizedTime."""
    return encode_der(GeneralizedTime(value))
