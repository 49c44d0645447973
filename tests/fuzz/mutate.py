"""How is a document spoilt, at random, so that it stays close to one?

Byte-wise for anything; and where it is JSON, a value somewhere in its tree, or the bytes within a base64 string of it.
Whoever hands over the `Random` decides what is drawn: Hypothesis, which shrinks it, or a loop with a seed.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from random import Random
from typing import Any

_LONGEST = 1 << 16
_WORDS: tuple[bytes, ...] = (
    b"\x00",
    b"\xff",
    b"\xff" * 8,
    b"\x7f" + b"\xff" * 7,
    b"\x80",
    b'"',
    b"\\",
    b"\\ud800",
    b"{",
    b"[" * 100,
    b"]",
    b",",
    b":",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\t",
    b"-",
    b"\xe2\x80\x94 ",
    b"\xef\xbb\xbf",
    b"\x1b[2J",
    b"../",
    b"/",
    b"=",
    b"&a *a",
    b"!!python/name:os.system ",
    b"null",
    b"NaN",
    b"1e999999999999",
    b"1" * 401,
    b"9223372036854775808",
    b"-1",
    b"\x30\x80",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x04\x82\xff\xff",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**53,
    2**63,
    2**64,
    10**30,
    1.5,
    1e300,
    "",
    " ",
    "\u0000",
    "\ud800",
    "é" * 20,
    "a" * 5000,
    "aGk=",
    "aGk",
    "a*",
    "0",
    "00",
    "sha256",
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "../../etc/passwd",
    "https://[::1",
    [],
    {},
    [[]],
    {"": None},
    {"$ref": "#"},
)


def mutate(random: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Spoil a document once or a few times; `others` of its kind lend parts."""
    for _ in range(random.randint(1, 4)):
        how = random.randint(0, 3)
        changed = _of_json(random, data) if how >= 2 else None
        data = _of_bytes(random, data, others) if changed is None else changed
    return bytes(data[:_LONGEST]) if len(data) > 4 * _LONGEST else data


def _of_bytes(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = random.randint(0, len(data))
    end = min(len(data), start + random.choice((0, 1, 1, 2, 4, 16, 200)))
    how = random.randint(0, 8)
    if how == 0 and data:
        start = min(start, len(data) - 1)
        return data[:start] + bytes([data[start] ^ 1 << random.randint(0, 7)]) + data[start + 1 :]
    if how == 1:
        return data[:start] + random.choice(_WORDS) + data[start:]
    if how == 2:
        return data[:start] + random.choice(_WORDS) + data[end:]
    if how == 3:
        return data[:start] + data[end:]
    if how == 4:
        return data[:end] + data[start:end] * random.choice((1, 2, 40)) + data[end:]
    if how == 5:
        return data[:start]
    if how == 6 and others:
        other = random.choice(others)
        cut = random.randint(0, len(other))
        return data[:start] + other[cut:]
    if how == 7:  # a number within: a length, a count, an offset
        width = random.choice((1, 2, 4, 8))
        number = random.choice((0, 1, 2**7, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1))
        written = int(number % 256**width).to_bytes(width, "little" if random.randint(0, 1) else "big")
        return data[:start] + written + data[start + width :]
    return data[:start] + bytes(random.randint(0, 255) for _ in range(4)) + data[end:]


def _of_json(random: Random, data: bytes) -> bytes | None:
    """Spoil one value in the tree; None where it is no JSON, or too large to be written often."""
    if len(data) > _LONGEST or data.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        root = {"": json.loads(data)}
    except (ValueError, RecursionError):
        return None
    holder: Any = root
    key: Any = ""
    for _ in range(random.randint(0, 9)):
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner:
            break
        holder, key = inner, random.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
    how = random.randint(0, 5)
    if how == 0 and isinstance(holder[key], str):
        holder[key] = _of_text(random, holder[key])
    elif how == 1 and holder is not root:
        del holder[key]
    elif how == 2 and isinstance(holder, list):
        holder.extend([holder[key]] * random.choice((1, 2, 40)))
    elif how == 2:
        holder[random.choice((key + "x", key.upper(), "", "_type", "digest"))] = holder[key]
    elif how == 3:
        holder[key] = [holder[key]]
    else:
        holder[key] = random.choice(_VALUES)
    try:
        return json.dumps(root[""]).encode()
    except (ValueError, RecursionError):
        return None


def _of_text(random: Random, text: str) -> str:
    """Spoil a string, or the bytes that it tells in base64."""
    try:
        inner = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        inner = b""
    if inner and random.randint(0, 3):
        return base64.b64encode(_of_json(random, inner) or _of_bytes(random, inner, ())).decode()
    return _of_bytes(random, text.encode("utf-8", "surrogatepass"), ()).decode("utf-8", "replace")
