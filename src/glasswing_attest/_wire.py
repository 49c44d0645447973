"""How are foreign bytes read, so that what parses is what was meant?

JSON (RFC 8259) is read strictly: UTF-8, no duplicate keys, no lone surrogates, exact numbers, bounded depth and size.
Base64 (RFC 4648, either alphabet, padding optional) must re-encode to itself. A `Node` carries its path, so that every
refusal says where in the input it stands. Nothing here re-serialises what it read.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeAlias, TypeVar

import rfc8785
from google.protobuf.message import DecodeError, Message

from glasswing_attest.errors import (
    Base64Refused,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    Kind,
    LimitError,
    NotJson,
    NotProtobuf,
    NotUtf8,
    NumberRefused,
    UsageError,
)
from glasswing_attest.limits import DEFAULT, Limits

__all__ = [
    "SAFE_INTEGER",
    "JsonObject",
    "JsonValue",
    "Node",
    "canonical_json",
    "decode_base64",
    "decode_utf8",
    "encode_base64",
    "format_time",
    "parse_json",
    "parse_proto",
    "parse_time",
    "read_json",
]

JsonValue: TypeAlias = "bool | int | Decimal | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"

_M = TypeVar("_M", bound=Message)
SAFE_INTEGER = 2**53 - 1
"""The largest integer that canonical JSON holds, because a double does (RFC 8785; RFC 7493, section 2.2)."""
_MAX_EXPONENT = 400
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # UTF-8 has none, so only an escape can bring one in


# --- JSON ------------------------------------------------------------------------------------------------------------


class _Refused:
    """Stands in the parsed value where a hook met something to refuse; found again to tell its path."""

    __slots__ = ("error", "found")

    def __init__(self, error: type[DuplicateKey] | type[NumberRefused], found: str) -> None:
        self.error = error
        self.found = found


class _Hooks:
    """The hooks of one parse. They leave a `_Refused` in place, because they cannot know the path."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.refused = False
        self.objects = 0

    def _refuse(self, error: type[DuplicateKey] | type[NumberRefused], found: str) -> Any:
        self.refused = True
        return _Refused(error, found)

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.objects += 1
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    found[key] = self._refuse(DuplicateKey, key)
                seen.add(key)
        return found

    def integer(self, text: str) -> Any:
        return int(text) if len(text) <= self._limits.number_digits else self._refuse(NumberRefused, text)

    def decimal(self, text: str) -> Any:
        if len(text) > self._limits.number_digits:
            return self._refuse(NumberRefused, text)
        try:
            value = Decimal(text)
        except InvalidOperation:  # an exponent that not even Decimal holds
            return self._refuse(NumberRefused, text)
        # A caller's decimal context may give NaN where ours raises.
        is_exact = value.is_finite() and abs(value.adjusted()) <= _MAX_EXPONENT
        return value if is_exact else self._refuse(NumberRefused, text)

    def constant(self, text: str) -> Any:
        return self._refuse(NumberRefused, text)


def _walk(value: Any) -> Iterator[tuple[Any, list[object]]]:
    """Yield every value with the keys and indices that lead to it, without recursion.

    The list is the walk's own and changes with the next value. A path is written out only for what is refused: writing
    one for every value would let a long key cost its length once for each value below it.
    """
    steps: list[object] = []
    yield value, steps
    pending = [_inside(value)]
    while pending:
        entry = next(pending[-1], None)
        if entry is None:
            pending.pop()
            if steps:
                steps.pop()
            continue
        steps.append(entry[0])
        yield entry[1], steps
        pending.append(_inside(entry[1]))


def _inside(value: Any) -> Iterator[tuple[object, Any]]:
    if isinstance(value, dict):
        return iter(value.items())
    return enumerate(value) if isinstance(value, list | tuple) else iter(())


def _is_deeper(value: Any, most: int) -> bool:
    """Tell whether an array or object lies within more than so many others, a whole level at a time."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        inside = (item for box in level for item in (box.values() if isinstance(box, dict) else box))
        level = [item for item in inside if isinstance(item, dict | list)]
    return bool(level)


def _path(where: str, steps: list[object]) -> str:
    return "".join([where, *map(_step, steps)])


def _member(path: str, key: object) -> str:
    return path + _step(key)


def _step(key: object) -> str:
    # A key that is a plain name is written as one; any other is quoted, so that a path reads one way only.
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


def decode_utf8(data: bytes, *, where: str = "", kind: Kind = "evidence") -> str:
    """Decode strictly. Raises `NotUtf8` with the byte offset."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        # The byte itself is not shown: it may be one of a key.
        raise NotUtf8(kind=kind, where=where, found=f"the byte at offset {e.start}") from e


_PEM = "-----BEGIN"


def begins(text: str) -> str | None:
    """Say how a text that is no JSON begins, as far as that gives nothing of its content away.

    >>> begins("-----BEGIN PRIVATE KEY-----"), begins(" "), begins("correct horse")
    ('text that begins with -----BEGIN', 'nothing', None)
    """
    start = text.lstrip()[: len(_PEM)]
    if not start:
        return "nothing"
    return f"text that begins with {_PEM}" if start == _PEM else None


def parse_json(
    data: bytes, *, where: str = "$", kind: Kind = "evidence", limits: Limits = DEFAULT, bound: str = "statement_bytes"
) -> JsonValue:
    """Parse one JSON value strictly (RFC 8259; I-JSON's rules of RFC 7493 on names and strings).

    Integers are exact `int`, other numbers exact `Decimal`. `bound` names the limit that the size must keep.

    Raises:
        UsageError: not bytes.
        MalformedError: `NotUtf8`, `NotJson`, `DuplicateKey` or `NumberRefused`, with the path.
        LimitError: too long, too deep, or too many values.

    >>> parse_json(b'{"a": [1, 2.50]}')
    {'a': [1, Decimal('2.50')]}
    >>> parse_json(b'{"a": {"b": 1, "b": 2}}')
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.DuplicateKey: $.a.b: the object names a key twice: found b [malformed.duplicate-key]
    """
    if not isinstance(data, bytes | bytearray):
        raise UsageError(where=where, found=type(data).__name__, wanted="bytes, as they came")
    limits.check(bound, len(data), where=where)
    arrays = data.count(b"[")
    if len(data) >= limits.json_values:  # a value takes a byte at least
        limits.check("json_values", data.count(b",") + data.count(b"{") + arrays + 1, where=where)
    text = decode_utf8(data, where=where, kind=kind)
    hooks = _Hooks(limits)
    try:
        value: Any = json.loads(
            text,
            object_pairs_hook=hooks.pairs,
            parse_int=hooks.integer,
            parse_float=hooks.decimal,
            parse_constant=hooks.constant,
        )
    except RecursionError as e:
        raise LimitError(where=where, found="more", wanted=f"at most {limits.json_depth} (json_depth)") from e
    except json.JSONDecodeError as e:
        # What stands there is not shown: it may be a private key that somebody took for something else.
        raise NotJson(
            kind=kind, where=where, because=f"{e.msg} at line {e.lineno}, column {e.colno}", found=begins(text)
        ) from e
    if hooks.refused:
        for item, steps in _walk(value):
            if isinstance(item, _Refused):
                raise item.error(kind=kind, where=_path(where, steps), found=item.found)
    if hooks.objects + arrays > limits.json_depth and _is_deeper(value, limits.json_depth):
        for item, steps in _walk(value):
            if len(steps) >= limits.json_depth and isinstance(item, dict | list):
                limits.check("json_depth", len(steps) + 1, where=_path(where, steps))
    if b"\\" in data and _SURROGATE.search(data):
        for item, steps in _walk(value):
            for string in (item,) if isinstance(item, str) else item if isinstance(item, dict) else ():
                if not string.isascii() and any("\ud800" <= c <= "\udfff" for c in string):
                    raise NotUtf8(kind=kind, where=_path(where, steps), found="a lone surrogate")
    return value  # type: ignore[no-any-return]  # the hooks left only JsonValue


def read_json(
    data: bytes, *, where: str = "$", kind: Kind = "evidence", limits: Limits = DEFAULT, bound: str = "statement_bytes"
) -> Node:
    """Parse strictly and give the value as a `Node`."""
    return Node(parse_json(data, where=where, kind=kind, limits=limits, bound=bound), where, kind)


def canonical_json(value: object, *, where: str = "$") -> bytes:
    """Write `value` in the canonical form of RFC 8785.

    A `Decimal`, as `parse_json` gives it, is written where the canonical form, which is a double's, has its very value.

    Raises:
        FieldRefused: for what JSON cannot say exactly (an integer beyond ±(2^53−1), NaN, bytes), with its path.

    >>> canonical_json({"b": 1, "a": "é", "c": Decimal("7.50")}).decode()
    '{"a":"é","b":1,"c":7.5}'
    """
    try:
        return _canonical(value)
    except RecursionError as e:  # a value that holds itself would be walked for ever
        raise FieldRefused(where=where, because="it is nested too deeply") from e
    except (rfc8785.CanonicalizationError, ValueError) as e:
        for item, steps in _walk(value):
            _refuse_unwritable(item, where, steps)
        raise FieldRefused(where=where, because=str(e)) from e


def _canonical(value: Any) -> bytes:
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:  # it knows no Decimal; few values hold one
        return rfc8785.dumps(_with_doubles(value))


def _with_doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_doubles(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_doubles(item) for item in value]
    return float(value) if isinstance(value, Decimal) and _is_double(value) else value


def _is_double(value: Decimal) -> bool:
    """Whether the shortest form of a double says this very value, and not as an integer that doubles lose."""
    if not value.is_finite() or Decimal(repr(float(value))) != value:
        return False
    return value.copy_abs() <= SAFE_INTEGER or value != value.to_integral_value()


def _refuse_unwritable(item: object, where: str, steps: list[object]) -> None:
    wanted = "null, a boolean, a string, an array, an object, a finite double, or an integer within ±(2^53−1)"
    if isinstance(item, bool | dict | list | tuple) or item is None:
        if isinstance(item, dict) and not all(isinstance(k, str) for k in item):
            raise FieldRefused(
                where=_path(where, steps), found=next(k for k in item if not isinstance(k, str)), wanted="a string key"
            )
    elif isinstance(item, int) and abs(item) > SAFE_INTEGER:
        raise FieldRefused(where=_path(where, steps), found=item, wanted=wanted, do="write large integers as strings")
    elif isinstance(item, Decimal):
        if not _is_double(item):
            do = "write it as a string"
            raise FieldRefused(where=_path(where, steps), found=item, wanted="a number that a double holds", do=do)
    elif isinstance(item, float) and item - item != 0:
        raise FieldRefused(where=_path(where, steps), found=item, wanted=wanted)
    elif isinstance(item, str) and any("\ud800" <= c <= "\udfff" for c in item):
        raise NotUtf8(where=_path(where, steps), found="a lone surrogate")
    elif not isinstance(item, int | float | str):
        raise FieldRefused(where=_path(where, steps), found=type(item).__name__, wanted=wanted)


class Node:
    """A parsed value and where it stands. Every accessor checks, and refuses with the path.

    >>> node = read_json(b'{"size": "18446744073709551615"}')
    >>> node.need("size").uint64()
    18446744073709551615
    """

    __slots__ = ("_step", "_where", "kind", "value")

    def __init__(self, value: JsonValue, path: str = "$", kind: Kind = "evidence") -> None:
        self.value = value
        self.kind: Kind = kind
        self._where: str | Node = path
        self._step: str | int | None = None

    def _inner(self, value: JsonValue, step: str | int) -> Node:
        # Most of what is read is never refused: its path is written only when somebody asks.
        node = _new(Node)
        node.value, node.kind, node._where, node._step = value, self.kind, self, step
        return node

    @property
    def path(self) -> str:
        """Where it stands in the input."""
        steps: list[object] = []
        node = self
        while isinstance(node._where, Node):
            steps.append(node._step)
            node = node._where
        return _path(node._where, steps[::-1])

    def refuse(self, wanted: str, *, found: object = None, because: str = "") -> NoReturn:
        """Raise `FieldRefused` for this value."""
        raise FieldRefused(
            kind=self.kind,
            where=self.path,
            found=_kind_of(self.value) if found is None else found,
            wanted=wanted,
            because=because,
        )

    def within(self, limits: Limits, bound: str, count: int, *, step: str = "") -> None:
        """Hold a count of what stands here, or in a member, against the limit called `bound`. Raises `LimitError`."""
        if count > getattr(limits, bound):
            limits.check(bound, count, where=f"{self.path}.{step}" if step else self.path)

    def object(self) -> dict[str, JsonValue]:
        """Give the object, or refuse."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return self.value

    def get(self, name: str) -> Node | None:
        """Give a member, or None where it is absent or null (equal in proto3 JSON and in in-toto)."""
        members = self.value
        if not isinstance(members, dict):
            self.refuse("an object")
        value = members.get(name)
        if value is None:
            return None
        node = _new(Node)  # as `_inner` does: nothing is asked for as often
        node.value, node.kind, node._where, node._step = value, self.kind, self, name
        return node

    def need(self, name: str) -> Node:
        """Give a member, or raise `FieldMissing`."""
        node = self.get(name)
        if node is None:
            raise FieldMissing(kind=self.kind, where=_member(self.path, name))
        return node

    def members(self) -> Iterator[tuple[str, Node]]:
        """Yield the members of an object."""
        for key, value in self.object().items():
            yield key, self._inner(value, key)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield the members of an object of strings, or refuse."""
        for key, value in self.object().items():
            yield key, value if isinstance(value, str) else self._inner(value, key).text()

    def array(self) -> list[Node]:
        """Give the items of an array, or refuse."""
        if not isinstance(self.value, list):
            self.refuse("an array")
        return [self._inner(v, i) for i, v in enumerate(self.value)]

    def get_array(self, name: str) -> list[Node]:
        """Give a member's items; none where the member is absent."""
        node = self.get(name)
        return [] if node is None else node.array()

    def text(self) -> str:
        """Give the string, or refuse."""
        if not isinstance(self.value, str):
            self.refuse("a string")
        return self.value

    def get_text(self, name: str, default: str = "") -> str:
        """Give a member's string, or the default where it is absent."""
        members = self.value
        if not isinstance(members, dict):
            self.refuse("an object")
        value = members.get(name)
        if value is None:
            return default
        return value if isinstance(value, str) else self._inner(value, name).text()

    def boolean(self) -> bool:
        """Give the boolean, or refuse."""
        if not isinstance(self.value, bool):
            self.refuse("true or false")
        return self.value

    def uint64(self) -> int:
        """Give a proto3 JSON 64-bit integer: a canonical decimal string, or a bare integer. Never a float."""
        value = self.value
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
            self.refuse("an unsigned 64-bit integer", found=self.value)
        return value

    def bytes(self) -> builtins.bytes:
        """Give the bytes of a base64 string, or refuse."""
        text = self.text()
        try:
            return decode_base64(text, kind=self.kind)
        except Base64Refused as e:
            e.where = self.path
            raise

    def get_bytes(self, name: str) -> builtins.bytes:
        """Give the bytes of a member's base64 string; none where the member is absent."""
        try:
            return decode_base64(self.get_text(name), kind=self.kind)
        except Base64Refused as e:
            e.where = _member(self.path, name)
            raise

    def time(self) -> datetime:
        """Give an RFC 3339 time in UTC, or refuse."""
        text = self.text()
        try:
            return parse_time(text, kind=self.kind)
        except FieldRefused as e:
            e.where = self.path
            raise

    def one_of(self, choices: dict[str, _T]) -> _T:
        """Give what the string stands for in a closed set, or refuse."""
        text = self.text()
        if text not in choices:
            self.refuse(f"one of {', '.join(choices)}", found=text)
        return choices[text]


_T = TypeVar("_T")
_new = object.__new__


def _kind_of(value: JsonValue) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (int, "an integer"),
        (Decimal, "a number"),
        (str, "a string"),
        (list, "an array"),
        (dict, "an object"),
    )
    return next((name for cls, name in kinds if isinstance(value, cls)), "null")


# --- base64, time, protobuf ------------------------------------------------------------------------------------------


def decode_base64(text: str, *, where: str = "", kind: Kind = "evidence") -> bytes:
    """Decode RFC 4648 base64 strictly: standard or URL-safe alphabet, padding optional, no junk, no stray bits.

    DSSE v1 and proto3 JSON both allow either alphabet. Python's own decoder accepts `aGl=` beside `aGk=`; this one
    does not.

    >>> decode_base64("aGk="), decode_base64("aGk")
    (b'hi', b'hi')
    >>> decode_base64("aGl=")
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.Base64Refused: the base64 does not re-encode to itself: found aGl= [malformed.base64]
    """
    try:
        # Almost everybody writes the standard alphabet with its padding.
        data = binascii.a2b_base64(text, strict_mode=True)
        if binascii.b2a_base64(data, newline=False).decode("ascii") == text:
            return data
    except (binascii.Error, ValueError):
        pass
    body = text.rstrip("=") if len(text) % 4 == 0 and not text.endswith("===") else text
    plain = body.replace("-", "+").replace("_", "/")
    mixed = plain != body and ("+" in body or "/" in body)
    try:
        data = base64.b64decode(plain.encode("ascii") + b"=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as e:
        raise Base64Refused(kind=kind, where=where, found=text, because=str(e)) from e
    if mixed or base64.b64encode(data).decode("ascii").rstrip("=") != plain:
        raise Base64Refused(kind=kind, where=where, found=text)
    return data


def encode_base64(data: bytes) -> str:
    """Encode with the standard alphabet and padding."""
    return base64.b64encode(data).decode("ascii")


_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


def parse_time(text: str, *, where: str = "", kind: Kind = "evidence") -> datetime:
    """Parse an RFC 3339 time (section 5.6) to UTC; digits below a microsecond are dropped.

    >>> parse_time("2026-01-02T03:04:05.5+01:00").isoformat()
    '2026-01-02T02:04:05.500000+00:00'
    """
    found = _RFC3339.fullmatch(text)
    try:
        if found is None:
            raise ValueError("not RFC 3339")
        *date, fraction, sign, hours, minutes = found.groups()
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
        year, month, day, hour, minute, second = (int(d) for d in date)
        micro = int((fraction or "").ljust(9, "0")[:6])
        return datetime(year, month, day, hour, minute, second, micro, zone).astimezone(UTC)
    except (ValueError, OverflowError) as e:
        wanted = "an RFC 3339 time such as 2026-01-31T12:00:00Z"
        raise FieldRefused(kind=kind, where=where, found=text, wanted=wanted, because=str(e)) from e


def format_time(time: datetime) -> str:
    """Write a time as RFC 3339 in UTC with a ``Z``, with a fraction only where there is one.

    >>> format_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_proto(message: type[_M], data: bytes, *, where: str = "", limits: Limits = DEFAULT) -> _M:
    """Decode a protobuf message. Raises `NotProtobuf`, or `LimitError` for its size."""
    limits.check("record_bytes", len(data), where=where)
    decode: Callable[[bytes], _M] = message.FromString
    try:
        return decode(data)
    except (DecodeError, UnicodeDecodeError) as e:
        raise NotProtobuf(where=where, wanted=message.DESCRIPTOR.full_name, because=str(e)) from e
