"""How is a document spoiled, so that it still looks like one?

Each mutator takes a source of chance, the material and another of its kind, and gives changed material. They know
bytes, DER (X.690), JSON with what stands in its base64, PEM (RFC 7468), signed notes (C2SP), promises (RFC 6962) and
times. None of them reads a clock: the same chance gives the same change.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any, TypeAlias

__all__ = [
    "Mutator",
    "der",
    "held",
    "json_text",
    "keys",
    "lax_base64",
    "list_of_promises",
    "note",
    "octets",
    "parse_der",
    "pem",
    "promises",
    "text",
    "write_der",
]

Mutator: TypeAlias = Callable[[Random, bytes, bytes], bytes]
Path: TypeAlias = tuple[Any, ...]


# --- bytes -----------------------------------------------------------------------------------------------------------


def octets(chance: Random, data: bytes, other: bytes) -> bytes:
    """Change bytes without knowing what they say."""
    size = len(data)
    at = chance.randrange(size + 1)
    run = min(size - at, chance.choice((1, 1, 2, 4, 8, 32)))
    how = chance.randrange(13)
    if how <= 3 and at < size:
        return data[:at] + bytes((data[at] ^ (1 << chance.randrange(8)),)) + data[at + 1 :]
    if how == 4 and at < size:
        return data[:at] + bytes((chance.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, data[at] + 1 & 255)),)) + data[at + 1 :]
    if how == 5:
        return data[:at] + chance.randbytes(chance.choice((1, 1, 2, 4))) + data[at:]
    if how == 6:
        return data[:at] + data[at + run :]
    if how == 7:
        return data[:at] + data[at : at + run] * 2 + data[at + run :]
    if how == 8:
        return data[:at]
    if how == 9:
        return data[:at] + other[at : at + run] + data[at + run :]  # what another has at the same place
    if how == 10:
        return data[:at] + other[at:]
    if how == 11:
        there = chance.randrange(size + 1)
        first, last = sorted((at, there))
        return data[:first] + data[last:] + data[first:last]
    return data + chance.choice((b"\0", b"\n", b" ", data, other, b"}", data[:1]))


# --- text ------------------------------------------------------------------------------------------------------------

_ODD = (
    "",
    "\0",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u200b",
    "\u202e",
    "\ud800",
    "é",
    "e\u0301",
    "\uff0f",
    "/../",
    "%2f",
    "*",
    "\\",
    '"',
)


def text(chance: Random, value: str, other: str) -> str:
    """Change a text as somebody would who wants it to be read as another."""
    at = chance.randrange(len(value) + 1)
    how = chance.randrange(12)
    if how == 0:
        return ""
    if how <= 2:
        return value[:at] + chance.choice(_ODD) + value[at:]
    if how == 3:
        return chance.choice((value.upper(), value.lower(), value.swapcase(), value.title()))
    if how == 4:
        return chance.choice((value + " ", " " + value, value.strip(), value + "\0", value + "/", value + "."))
    if how == 5:
        return value[:at] + value[at + 1 :]
    if how == 6 and at < len(value):
        return value[:at] + chr(max(0x20, ord(value[at]) ^ (1 << chance.randrange(7)))) + value[at + 1 :]
    if how == 7:
        return value[:at] + other[at:]
    if how == 8:
        return other
    if how == 9:
        return value.translate({ord("a"): "\u0430", ord("o"): "\u043e", ord("e"): "\u0435", ord("-"): "\u2010"})
    if how == 10:
        return value + value
    return _in_digits(chance, value)


def _in_digits(chance: Random, value: str) -> str:
    """Change one digit: of a number, a time, a version, a hex digest."""
    places = [at for at, each in enumerate(value) if each.isdigit()]
    if not places:
        return value + "0"
    at = chance.choice(places)
    return value[:at] + chance.choice("0123456789\u0661") + value[at + 1 :]


def of_base64(chance: Random, value: str) -> str:
    """Write base64 so that a lax reader gets the same bytes, or others."""
    how = chance.randrange(9)
    at = chance.randrange(len(value) + 1)
    if how == 0:
        return value.rstrip("=")
    if how == 1:
        return value.replace("+", "-").replace("/", "_")
    if how == 2:
        return value + "="
    if how == 3:
        return value[:at] + chance.choice(("\n", " ", "\r\n", "\t", "!", "=", "\0", "\u200b")) + value[at:]
    if how == 4 and value.endswith("=") and len(value) > 4:
        body = value.rstrip("=")  # bits that nobody reads
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = alphabet.find(body[-1])
        return body[:-1] + alphabet[(last + 1) % 64] + "=" * (len(value) - len(body))
    if how == 5:
        return base64.b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii")
    if how == 6:
        return value + value
    if how == 7:
        return value[: len(value) // 8 * 4]
    return "\n".join(value[i : i + 64] for i in range(0, len(value), 64)) + "\n"


# --- DER -------------------------------------------------------------------------------------------------------------

Der: TypeAlias = "list[tuple[int, bytes | Der]]"
"""Elements: each a tag with its content, or with the elements in it."""

Span: TypeAlias = tuple[int, int, int]
"""Where an element stands: its start, the start of its content, its end."""

_TAGS = (
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x0A,
    0x0C,
    0x13,
    0x16,
    0x17,
    0x18,
    0x30,
    0x31,
    0x80,
    0x81,
    0x82,
    0xA0,
    0xA1,
    0xA3,
)
_TEXTS = {0x0C, 0x13, 0x16, 0x1E, 0x81, 0x82, 0x86}


def parse_der(data: bytes) -> Der | None:
    """Read DER of one-byte tags that fills the data exactly; None for anything else."""
    return _parsed(data, 0, len(data), (), {})


def _parsed(data: bytes, at: int, end: int, above: Path, spans: dict[Path, Span]) -> Der | None:
    """Read what stands between two places, and keep where each element of it does, whoever holds it first."""
    found: Der = []
    while at < end:
        if at + 2 > end:
            return None
        start, tag, size, head = at, data[at], data[at + 1], at + 2
        if tag & 0x1F == 0x1F:
            return None
        if size >= 0x80:
            head += size & 0x7F
            size = int.from_bytes(data[at + 2 : head])
            if not 1 <= head - at - 2 <= 3 or size < 0x80 or not data[at + 2]:
                return None
        at = head + size
        if at > end:
            return None
        path = (*above, len(found))
        spans[path] = (start, head, at)
        # What is constructed holds elements; octet and bit strings may, as in extensions and tokens.
        inner: Der | None = None
        if size and (tag & 0x20 or tag == 0x04):
            below: dict[Path, Span] = {}
            inner = _parsed(data, head, at, path, below)
            if inner is not None:
                spans.update(below)
        found.append((tag, data[head:at] if inner is None else inner))
    return found


def write_der(elements: Der) -> bytes:
    """Write elements with shortest lengths."""
    return b"".join(_tlv(tag, inner if isinstance(inner, bytes) else write_der(inner)) for tag, inner in elements)


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


@lru_cache(maxsize=256)
def _taken_apart(data: bytes) -> tuple[dict[Path, Span], tuple[Path, ...]] | None:
    spans: dict[Path, Span] = {}
    return None if _parsed(data, 0, len(data), (), spans) is None else (spans, tuple(spans))


def _rewritten(data: bytes, spans: dict[Path, Span], path: Path, put: Sequence[bytes]) -> bytes:
    """Write the document with the element at `path` replaced by so many; lengths around it are made right."""
    (start, _, end), new = spans[path], b"".join(put)
    while path := path[:-1]:
        above, content, after = spans[path]
        new = _tlv(data[above], data[content:start] + new + data[end:after])
        start, end = above, after
    return data[:start] + new + data[end:]


def der(chance: Random, data: bytes, other: bytes) -> bytes:
    """Change one element of DER: its tag, its length, its content, its place; or take another document's."""
    parts = _taken_apart(data)
    if parts is None or not parts[1]:
        return octets(chance, data, other)
    spans, places = parts
    path = chance.choice(places)
    start, head, end = spans[path]
    tag, content, whole = data[start], data[head:end], data[start:end]
    how = chance.randrange(14)
    if how == 0:
        put = [_tlv(chance.choice(_TAGS) if chance.random() < 0.5 else tag ^ (1 << chance.randrange(8)), content)]
    elif how == 1:
        put = [_with_length(chance, tag, content)]
    elif how == 2:
        put = []
    elif how == 3:
        put = [whole, whole]
    elif how == 4:
        return _siblings_swapped(chance, data, spans, path)
    elif how in (5, 6):
        put = [_from_other(chance, tag, path, other, whole)]
    elif how == 7:
        put = [_tlv(tag, b"")]
    elif how == 8:
        there, _, until = spans[chance.choice(places)]
        put = [whole, data[there:until]]
    elif how == 9:
        put = [_tlv(0x30, whole)]
    elif how == 10:
        put = [_tlv(tag, content + chance.choice((b"\0", b"\x05\x00", content[-1:])))]
    else:
        put = [_tlv(tag, _content(chance, tag, content, other))]
    return _rewritten(data, spans, path, put)


def _with_length(chance: Random, tag: int, content: bytes) -> bytes:
    """Write a length that is too long, too short, not the shortest, indefinite, or huge."""
    size = len(content)
    how = chance.randrange(6)
    if how == 0:
        return bytes((tag, 0x82)) + min(size, 0xFFFF).to_bytes(2) + content
    if how == 1:
        return bytes((tag, 0x84)) + size.to_bytes(4) + content
    if how == 2:
        return bytes((tag, 0x80)) + content + b"\0\0"
    if how == 3:
        return bytes((tag, 0x84)) + b"\xff\xff\xff\xff" + content
    if how == 4:
        return _tlv(tag, content + b"\0")[: -1 if size else None]
    return _tlv(tag, content[:-1]) + content[-1:]


def _siblings_swapped(chance: Random, data: bytes, spans: dict[Path, Span], path: Path) -> bytes:
    above, here, count = path[:-1], path[-1], 0
    while (*above, count) in spans:
        count += 1
    there = chance.randrange(count)
    first, last = (spans[*above, at] for at in sorted((here, there)))
    if first == last:
        return data
    swapped = data[last[0] : last[2]] + data[first[2] : last[0]] + data[first[0] : first[2]]
    # Their lengths together stay, and with them every length around.
    return data[: first[0]] + swapped + data[last[2] :]


def _from_other(chance: Random, tag: int, path: Path, other: bytes, whole: bytes) -> bytes:
    """Give another document's element: the one at the same place, or any of the same tag."""
    parts = _taken_apart(other)
    if parts is None or not parts[1]:
        return whole
    spans, places = parts
    if path not in spans or chance.random() >= 0.6:
        path = chance.choice([p for p in places if other[spans[p][0]] == tag] or places)
    return other[spans[path][0] : spans[path][2]]


_TIMES = (
    b"700101000000Z",
    b"491231235959Z",
    b"500101000000Z",
    b"19700101000000Z",
    b"99991231235959Z",
    b"20500101000000Z",
)


def _content(chance: Random, tag: int, content: bytes, other: bytes) -> bytes:
    """Change what an element says, as its type allows."""
    if tag == 0x02 and content:
        value = int.from_bytes(content, signed=True)
        value = chance.choice((0, 1, -1, -value, value + 1, value - 1, value << 8, value >> 1, value ^ 1))
        short = value.to_bytes(value.bit_length() // 8 + 1, signed=True)
        return short if chance.random() < 0.7 else b"\0" + short
    if tag in (0x17, 0x18):
        return _time(chance, content)
    if tag == 0x01:
        return chance.choice((b"\x00", b"\x01", b"\xff", b"", b"\xff\xff"))
    if tag == 0x03 and content:
        return (
            bytes((chance.choice((1, 7, 8, 0xFF)),)) + content[1:]
            if chance.random() < 0.4
            else content[:1] + octets(chance, content[1:], other)
        )
    if tag in _TEXTS:
        try:
            return text(chance, content.decode("utf-8"), "https://issuer.example").encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            pass
    return octets(chance, content, other)


def _time(chance: Random, content: bytes) -> bytes:
    """Move a time: a digit, a form, the ends of what years there are."""
    how = chance.randrange(7)
    at = chance.randrange(max(1, len(content) - 1))
    if how <= 2:
        return content[:at] + bytes((chance.choice(b"0123456789"),)) + content[at + 1 :]
    if how == 3:
        return chance.choice(_TIMES)
    if how == 4:
        return content.rstrip(b"Z") + chance.choice((b"", b"+0100", b".5Z", b".000Z", b"z", b"-0000"))
    if how == 5:
        return content[:-3] + chance.choice((b"60Z", b"61Z", b"99Z", b"Z"))
    return b"20" + content if len(content) == 13 else content[2:]


# --- public keys -----------------------------------------------------------------------------------------------------


def keys(chance: Random, data: bytes, other: bytes) -> bytes:
    """Write a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in another way, or that of a key close by."""
    mine, theirs = _key(data), _key(other)
    if mine is None or theirs is None or chance.random() < 0.6:
        return der(chance, data, other)
    algorithm, key = mine
    how = chance.randrange(8)
    if how == 0:
        return key  # PKCS#1, a bare point, a bare key
    if how == 1:
        algorithm = theirs[0]  # its own bits, under another's name
    elif how == 2:
        names = parse_der(algorithm) or []
        algorithm = write_der(names[:1]) + (b"" if len(names) > 1 else b"\x05\x00")  # parameters: none, or a null
    elif key[:1] == b"\x04" and len(key) % 2 == 1:
        key = _point(chance, key)
    elif len(key) == 32:
        low = chance.choice((0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**255 - 1))  # of small order, or too large
        sign = key[:31] + bytes((key[31] ^ 0x80,))
        key = chance.choice((low.to_bytes(32, "little"), sign, b"\x04\x20" + key, key[::-1]))
    elif (numbers := _taken_apart(key)) is not None and (0, 1) in numbers[0]:
        exponent = chance.choice((0, 1, 2, 3, 17, -3, 65539, 2**33 + 1))
        put = _tlv(0x02, exponent.to_bytes(exponent.bit_length() // 8 + 1, signed=True))
        key = _rewritten(key, numbers[0], (0, 1), [put])
    unused = chance.choice((b"\0",) * 6 + (b"\1", b""))
    return _tlv(0x30, _tlv(0x30, algorithm) + _tlv(0x03, unused + key))


def _key(data: bytes) -> tuple[bytes, bytes] | None:
    """Give what names the algorithm, and the key's own bits."""
    parts = _taken_apart(data)
    if parts is None or not {(0, 0), (0, 1)} <= set(parts[0]):
        return None
    (_, start, end), (_, bits, until) = parts[0][0, 0], parts[0][0, 1]
    return data[start:end], data[bits + 1 : until]


def _point(chance: Random, key: bytes) -> bytes:
    """Write a point of a curve as compressed, as hybrid, as another one, or as none."""
    half = len(key) // 2
    x, y = key[1 : half + 1], key[half + 1 :]
    odd = y[-1] & 1
    return chance.choice(
        (
            bytes((2 + odd,)) + x,
            bytes((3 - odd,)) + x,
            bytes((6 + odd,)) + x + y,
            bytes((7 - odd,)) + x + y,
            b"\x00",
            b"\x04" + y + x,
            b"\x04" + bytes(half * 2),
            b"\x04\0" + x + b"\0" + y,
        )
    )


# --- PEM -------------------------------------------------------------------------------------------------------------


def pem(chance: Random, data: bytes, other: bytes) -> bytes:
    """Change PEM: its lines, its label, how many there are; or the DER in it."""
    how = chance.randrange(10)
    lines = data.splitlines(keepends=True)
    if how <= 3 and len(lines) > 2:
        try:
            inside = base64.b64decode(b"".join(lines[1:-1]))
            there = base64.b64decode(b"".join(other.splitlines()[1:-1]))
        except binascii.Error:
            return octets(chance, data, other)
        body = base64.encodebytes(keys(chance, inside, there)).replace(b"\n", b"")
        wrapped = b"".join(body[i : i + 64] + b"\n" for i in range(0, len(body), 64))
        return lines[0] + wrapped + lines[-1]
    if how == 4:
        return chance.choice((data + other, other + data, data + data))
    if how == 5:
        return data.replace(
            b"PUBLIC KEY", chance.choice((b"CERTIFICATE", b"RSA PUBLIC KEY", b"PRIVATE KEY", b"public key"))
        )
    if how == 6:
        return data.replace(b"\n", chance.choice((b"\r\n", b"\r", b"", b"\n\n", b" \n")))
    if how == 7:
        return chance.choice((b"junk\n", b"Proc-Type: 4,ENCRYPTED\n", b"\xef\xbb\xbf", b"# ")) + data
    if how == 8:
        return _lines(chance, lines, other.splitlines(keepends=True))
    return octets(chance, data, other)


def _lines(chance: Random, lines: list[bytes], others: list[bytes]) -> bytes:
    changed = list(lines)
    at = chance.randrange(len(changed))
    how = chance.randrange(5)
    if how == 0:
        del changed[at]
    elif how == 1:
        changed.insert(at, changed[at])
    elif how == 2:
        there = chance.randrange(len(changed))
        changed[at], changed[there] = changed[there], changed[at]
    elif how == 3 and others:
        changed[at] = others[min(at, len(others) - 1)]
    else:
        changed[at] = octets(chance, changed[at], changed[at - 1])
    return b"".join(changed)


# --- notes -----------------------------------------------------------------------------------------------------------


def note(chance: Random, data: bytes, other: bytes) -> bytes:
    """Change a signed note: its lines, the number and the hash in it, the names and hashes of who signs."""
    lines, others = data.splitlines(keepends=True), other.splitlines(keepends=True)
    if len(lines) < 2 or not others:
        return octets(chance, data, other)
    how = chance.randrange(12)
    if how <= 3:
        return _lines(chance, lines, others)
    if how == 4:
        number = int(lines[1]) if lines[1].strip().isdigit() else 0
        said = chance.choice(
            (
                number + 1,
                number - 1,
                -number,
                number << 64,
                f"0{number}",
                f"+{number}",
                f"{number} ",
                f"{number}.0",
                f"{number}e0",
                "\u0661",
                "",
            )
        )
        lines[1] = f"{said}\n".encode()
    elif how == 5:
        at = min(2, len(lines) - 1)
        lines[at] = (
            of_base64(chance, lines[at].decode("utf-8", "replace").strip()).encode("utf-8", "surrogatepass") + b"\n"
        )
    elif how == 6:
        return data.replace(
            "\u2014".encode(), chance.choice((b"-", b"--", "\u2013".encode(), "\u2014\u2014".encode(), b""))
        )
    elif how == 7:
        return data.replace(
            b"\n", chance.choice((b"\r\n", b"\r", "\u2028".encode(), b"\n\n")), chance.choice((1, 2, -1))
        )
    elif how == 8:
        lines.insert(
            chance.randrange(len(lines) + 1),
            chance.choice((b"\n", b"extension\n", b"0\n", b"\0\n", others[-1], lines[-1])),
        )
    elif how == 9:
        return b"".join(others[: chance.randrange(len(others))] + lines[chance.randrange(len(lines)) :])
    elif how == 10:
        head, _, tail = lines[-1].rpartition(b" ")
        try:
            signature = octets(chance, base64.b64decode(tail), b"\0" * 8)
        except binascii.Error:
            return octets(chance, data, other)
        lines[-1] = head + b" " + base64.b64encode(signature) + b"\n"
    else:
        at = chance.randrange(len(lines))
        lines[at] = text(chance, lines[at].decode("utf-8", "replace"), "other").encode("utf-8", "surrogatepass")
    return b"".join(lines)


# --- JSON ------------------------------------------------------------------------------------------------------------


class _Object(list[tuple[str, Any]]):
    """An object as its pairs, so that a name can stand there twice."""


_quoted: Callable[[str], str] = json.encoder.encode_basestring_ascii


class _Raw(str):
    """Text that is written as it is: a number that no reader should like, white space, a comment."""

    __slots__ = ()


_SCALARS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**63, 2**64, "", "0", "1", "-1", "null", [], _Object(), [None], "A",
    _Raw("1e0"), _Raw("1.0"), _Raw("-0"), _Raw("01"), _Raw("1e999"), _Raw("NaN"), _Raw("Infinity"), _Raw("0x1"),
    _Raw("9" * 400), _Raw("'a'"), _Raw('"\\ud800"'), _Raw('"\\u0000"'), _Raw('"a\nb"'), _Raw("[1,]"), _Raw("1//"),
)  # fmt: skip


@lru_cache(maxsize=256)
def _read(data: bytes) -> tuple[Any, tuple[Path, ...]] | None:
    try:
        tree = json.loads(data, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return None
    return tree, tuple(_nodes(tree, ()))


def _nodes(value: Any, above: Path) -> Iterator[Path]:
    yield above
    if isinstance(value, list):
        for at, item in enumerate(value):
            below = item[1] if isinstance(value, _Object) else item
            yield from _nodes(below, (*above, at))


def _at(value: Any, path: Path) -> Any:
    for at in path:
        value = value[at][1] if isinstance(value, _Object) else value[at]
    return value


def _put(value: Any, path: Path, new: Callable[[Any, int], list[Any]]) -> Any:
    """Copy the tree along a path; `new` gives what stands in the place of one item of a list or an object."""
    at, *below = path
    kind = type(value)
    if not below:
        return kind([*value[:at], *new(value, at), *value[at + 1 :]])
    if isinstance(value, _Object):
        name, member = value[at]
        return kind([*value[:at], (name, _put(member, tuple(below), new)), *value[at + 1 :]])
    return kind([*value[:at], _put(value[at], tuple(below), new), *value[at + 1 :]])


def write_json(value: Any) -> str:
    """Write a tree, with what is raw in it as it is."""
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if kind is _Object:
        return "{" + ",".join([f"{_quoted(name)}:{write_json(member)}" for name, member in value]) + "}"
    if kind is list:
        return "[" + ",".join([write_json(each) for each in value]) + "]"
    return str(value) if kind is _Raw else json.dumps(value)


def json_text(chance: Random, data: bytes, other: bytes) -> bytes:
    """Change JSON: its members, their types, what stands in its texts and base64; or take another document's."""
    parts = _read(data)
    if parts is None:
        return octets(chance, data, other)
    tree, places = parts
    if chance.random() < 0.06:
        return _around(chance, data)
    path = chance.choice(places)
    value = _at(tree, path)
    # What stands in a text is where the meaning is.
    if isinstance(value, str) and chance.random() < 0.75:
        there = _read(other)
        theirs = _at(there[0], path) if there is not None and path in there[1] else ""
        changed: Any = _of_text(chance, value, theirs if isinstance(theirs, str) else "")
        new = _renewed(changed)
    else:
        new = _restructured(chance, path, value, tree, places, other)
    if not path:
        root = new([tree], 0)
        return write_json(root[0] if root else None).encode("utf-8", "surrogatepass")
    return write_json(_put(tree, path, new)).encode("utf-8", "surrogatepass")


def _renewed(changed: Any) -> Callable[[Any, int], list[Any]]:
    return lambda holder, at: [(holder[at][0], changed) if isinstance(holder, _Object) else changed]


def _restructured(
    chance: Random, path: Path, value: Any, tree: Any, places: tuple[Path, ...], other: bytes
) -> Callable[[Any, int], list[Any]]:
    how = chance.randrange(11)
    there = _read(other)
    if how == 0:
        return lambda _holder, _at: []
    if how == 1:
        return lambda holder, at: [holder[at], holder[at]]
    if how == 2:
        again = chance.choice(_SCALARS)  # the same name again, with another value
        return lambda holder, at: [holder[at], *_renewed(again)(holder, at)]
    if how in (3, 4) and there is not None:
        same = path if path in there[1] and chance.random() < 0.8 else chance.choice(there[1])
        return _renewed(_at(there[0], same))
    if how == 5:
        return _renewed(_at(tree, chance.choice(places)))
    if how == 6:
        return _renewed(_retyped(chance, value))
    if how == 7:
        name = chance.choice(("x", "", "_type", "hashedRekordV002", "publicKey", "certificate", "keyid", "spec"))
        return lambda holder, at: [holder[at], (name, value) if isinstance(holder, _Object) else value]
    if how == 8:
        return lambda holder, at: [
            (text(chance, holder[at][0], "payload"), holder[at][1]) if isinstance(holder, _Object) else [holder[at]]
        ]
    return _renewed(chance.choice(_SCALARS))


def _retyped(chance: Random, value: Any) -> Any:
    """Say the same in another type: a number as text, a text as a number, one thing as a list of it."""
    if isinstance(value, str) and value.isdigit():
        n = int(value)
        return chance.choice(
            (
                n,
                _Raw(f"{value}.0"),
                _Raw(f"{value}e0"),
                f"0{value}",
                f"+{value}",
                f" {value}",
                str(n + 1),
                str(-n),
                f"{value}\n",
                "\u0661",
                hex(n),
            )
        )
    if isinstance(value, int) and not isinstance(value, bool):
        return chance.choice((str(value), value + 1, -value, _Raw(f"{value}.0"), value + 2**64, bool(value)))
    return chance.choice(
        ([value], _Object([("value", value)]), None, json.dumps(value) if isinstance(value, str) else "")
    )


def _of_text(chance: Random, value: str, theirs: str) -> str:
    """Change a text; where it is base64, mostly what stands in it."""
    inner = _decoded(value)
    if inner is None:
        if "\n" in value and "\u2014" in value:
            return note(chance, value.encode(), theirs.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
        return text(chance, value, theirs)
    if chance.random() < 0.12:
        return of_base64(chance, value)
    there = _decoded(theirs) or inner
    return base64.b64encode(_mutator_of(inner)(chance, inner, there)).decode("ascii")


def _mutator_of(data: bytes) -> Mutator:
    if data[:1] in (b"{", b"["):
        return json_text
    if data.startswith(b"-----BEGIN"):
        return pem
    if data[:1] in (b"0", b"\xa0") and _taken_apart(data) is not None:
        return der
    return octets


def _around(chance: Random, data: bytes) -> bytes:
    """Change how it is written: white space, escapes, what stands around it."""
    how = chance.randrange(9)
    if how == 0:
        return b"\xef\xbb\xbf" + data
    if how == 1:
        return data + chance.choice((b"\n", b" ", b"{}", b"\0", b",", data))
    if how == 2:
        return data.replace(b":", b" : \n")
    if how == 3:
        return data.replace(b'"', b"'", 2)
    if how == 4:
        at = data.find(b'"') + 1
        return data[:at] + b"\\u%04x" % data[at] + data[at + 1 :] if at else data
    if how == 5:
        return b"/* */" + data
    if how == 6:
        return data.decode("utf-8", "replace").encode("utf-16")
    if how == 7:
        return data.replace(b"/", b"\\/")
    return b"[" * 2000 + data


def _decoded(value: str) -> bytes | None:
    if len(value) < 8 or len(value) % 4:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", re.DOTALL)


def lax_base64(value: str) -> bytes | None:
    """Read base64 as proto3 JSON lets it be written: in one of the two alphabets, padded or not. None for other text.

    There are four ways to write the same bytes, and no fifth.
    """
    plain = value.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    ways = [written(data).decode("ascii") for written in (base64.b64encode, base64.urlsafe_b64encode)]
    return data if value in {form for way in ways for form in (way, way.rstrip("="))} else None


def held(data: bytes) -> dict[Path, frozenset[bytes]]:
    """Give what each text of a JSON document says, by its place, and how long each list is.

    A text says itself, what stands in its base64 and in the first PEM block in that, and what stands in base64 there.
    """
    found: dict[Path, frozenset[bytes]] = {}
    pile: list[tuple[Path, Any]] = [((), json.loads(data))]
    while pile:
        path, value = pile.pop()
        if isinstance(value, dict):
            pile += [((*path, name), member) for name, member in value.items()]
        elif isinstance(value, list):
            found[path] = frozenset((b"%d" % len(value),))
            pile += [((*path, at), member) for at, member in enumerate(value)]
        elif isinstance(value, str):
            found[path] = frozenset(_readings(value))
    return found


def _readings(value: str) -> Iterator[bytes]:
    yield value.encode("utf-8", "surrogatepass")
    inner = lax_base64(value)
    if inner is None:
        return
    yield inner
    if block := _PEM.search(inner):
        # Lines may be long or short, and text may stand around the block: the log's own servers take both.
        body = lax_base64(re.sub(rb"\s", b"", block[2]).decode("ascii", "replace"))
        if body is not None:
            yield body
    elif inner and inner.isascii():
        again = lax_base64(inner.decode("ascii"))
        if again is not None:
            yield again


# --- promises of certificate logs ------------------------------------------------------------------------------------


def promises(chance: Random, data: bytes, other: bytes) -> bytes:
    """Change a list of promises (RFC 6962, section 3.3): its lengths, its items, and the fields of one of them.

    ::

        len(2) ‖ { len(2) ‖ version(1) ‖ log id(32) ‖ time(8) ‖ len(2) ‖ extensions
                   ‖ hash(1) ‖ kind(1) ‖ len(2) ‖ signature }…
    """
    items, theirs = list_of_promises(data), list_of_promises(other)
    if not items or not theirs:
        return octets(chance, data, other)
    at = chance.randrange(len(items))
    item, another = items[at], chance.choice(theirs)
    how = chance.randrange(10)
    if how == 0:
        del items[at]
    elif how == 1:
        items.insert(at, item)
    elif how == 2:
        items.insert(chance.randrange(len(items) + 1), another)
    elif how == 3:
        items[at] = another
    elif how == 4:
        items.insert(chance.randrange(len(items) + 1), octets(chance, item, another))
    elif how == 5:
        stranger = item[:1] + chance.randbytes(32) + item[33:]
        items = [stranger, *items] if chance.random() < 0.5 else [*items, stranger]
    else:
        start, end = chance.choice(((0, 1), (1, 33), (33, 41), (41, 43), (43, 45), (45, 47), (47, len(item))))
        items[at] = item[:start] + octets(chance, item[start:end], another[start:end]) + item[end:]
    body = b"".join(len(each).to_bytes(2) + each for each in items if len(each) < 1 << 16)
    return min(len(body) + chance.choice((0,) * 8 + (1, 2)), 0xFFFF).to_bytes(2) + body


def list_of_promises(data: bytes) -> list[bytes]:
    """Give the items of such a list; none where they are no promises."""
    found, at = [], 2
    while at + 2 < len(data):
        size = int.from_bytes(data[at : at + 2])
        found.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return found if all(len(each) > 50 for each in found) else []
