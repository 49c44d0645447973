r"""Which bytes is a row?

The row encoding ``rows/v1`` (docs/spec/row-digest.md). A row is a map from the names of its columns to values; a value
begins with a letter for its type, and says how long it is before it goes on, so that no two rows have the same bytes::

    null  n        false  f        true  t
    integer   i <text>                       shortest decimal: 0, -17
    decimal   d <text>                       shortest <digits>e<exponent>: 15e-1; zero is 0e0
    double    r <8 bytes>                    IEEE 754, big-endian; every NaN is 7ff8000000000000
    text      s <text>       bytes  b <size><bytes>
    quantity  q <text><text>                 what is counted, and how many: timestamp[us], 0
    list      l <number of items><items>     map  m <number of members>(<text><value>)…, by the bytes of their names

    <text> is <size><UTF-8>; sizes and numbers are 8 bytes, big-endian.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from glasswing_attest.errors import FieldRefused, NotUtf8, RowsUnsupported

__all__ = ["ENCODING", "Quantity", "encode", "encode_text", "join_list", "join_map"]

ENCODING = "rows/v1"
"""What this encoding is called, wherever a digest of rows is told."""

_SIZE = struct.Struct(">Q").pack
_DOUBLE = struct.Struct(">d").pack
_NAN = bytes.fromhex("7ff8000000000000")
_DEPTH = 64


@dataclass(slots=True)
class Quantity:
    """So many of a unit: a timestamp, a date, a duration."""

    unit: str
    count: int


def encode_text(text: str, where: str = "row") -> bytes:
    """Encode text with its size: as a name, or after its letter as a value."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as e:
        raise NotUtf8(where=where, found="a lone surrogate") from e
    return _SIZE(len(data)) + data


def join_list(items: Iterable[bytes]) -> bytes:
    """Make a list of encoded values."""
    found = list(items)
    return b"l" + _SIZE(len(found)) + b"".join(found)


def join_map(members: Mapping[bytes, bytes]) -> bytes:
    """Make a map of encoded values, by their names as UTF-8."""
    parts = [b"m", _SIZE(len(members))]
    for name in sorted(members):
        parts += (_SIZE(len(name)), name, members[name])
    return b"".join(parts)


def encode(value: object, where: str = "row", depth: int = 0) -> bytes:
    """Encode a value: None, bool, int, `Decimal`, float, str, bytes, `Quantity`, list or mapping of these.

    >>> encode({"b": 1, "a": None}).hex(" ", -8)
    '6d00000000000000 0200000000000000 01616e0000000000 0000016269000000 000000000131'
    """
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, str):
        return b"s" + encode_text(value, where)
    if isinstance(value, int):
        return b"i" + encode_text(_digits(value))
    if isinstance(value, float):
        return b"r" + (_NAN if math.isnan(value) else _DOUBLE(value))
    if isinstance(value, Decimal):
        return b"d" + encode_text(_decimal(value, where))
    if isinstance(value, bytes):
        return b"b" + _SIZE(len(value)) + value
    if isinstance(value, Quantity):
        return b"q" + encode_text(value.unit) + encode_text(_digits(value.count))
    if depth >= _DEPTH:
        raise FieldRefused(where=where, because="it is nested too deeply")
    if isinstance(value, list | tuple):
        return join_list(encode(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value))
    if isinstance(value, Mapping):
        members: dict[bytes, bytes] = {}
        for name, item in value.items():
            if not isinstance(name, str):
                raise RowsUnsupported(where=where, found=type(name).__name__, wanted="names that are text")
            members[encode_text(name, where)[8:]] = encode(item, f"{where}.{name}", depth + 1)
        return join_map(members)
    raise RowsUnsupported(where=where, found=type(value).__name__)


def _digits(value: int) -> str:
    # Python refuses to write out more than 4300 digits; hexadecimal it writes, and so does nobody who means a number.
    if value.bit_length() > 1 << 13:
        raise RowsUnsupported(where="row", found=f"an integer of {value.bit_length()} bits")
    return str(value)


def _decimal(value: Decimal, where: str) -> str:
    if not value.is_finite():
        raise RowsUnsupported(where=where, found=str(value), wanted="a finite decimal")
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    cut = text.rstrip("0")
    if not cut:
        return "0e0"
    return f"{'-' if sign else ''}{cut}e{int(exponent) + len(text) - len(cut)}"
