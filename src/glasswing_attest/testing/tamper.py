"""What can be changed in a bundle? Everything, one thing at a time.

`mutations` takes a bundle apart as a verifier does: JSON, the base64 in it, and inside of that the statement, log
entries' bodies, checkpoints, certificates and stamps, down to each DER element and each byte. Each mutation is one
change, with everything around it written again so that only this change is there to be noticed. A verifier must refuse
it, or come to the very same facts.

    for mutation in tamper.mutations(bundle, other=another_bundle):
        assert not assess(artifact, [mutation.data], …).accepted, mutation
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from glasswing_attest.errors import UsageError
from glasswing_attest.testing import der

__all__ = ["KINDS", "Kind", "Mutation", "mutations"]

Kind: TypeAlias = Literal["flip", "drop", "duplicate", "swap", "junk"]

KINDS: tuple[Kind, ...] = ("flip", "drop", "duplicate", "swap", "junk")
"""What a mutation may do: flip one bit, leave out, write twice, take from another bundle, add what does not belong."""

_MARK = "junk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One change of a bundle.

    Attributes:
        kind: what was done.
        path: where: a JSON path, with ``~`` where base64 was decoded, ``#`` and a number for a byte, and ``/`` with
            numbers for an element of DER.
        data: the changed bundle.
    """

    kind: Kind
    path: str
    data: bytes

    def __str__(self) -> str:
        return f"{self.kind} {self.path}"


class _Object(tuple[tuple[str, Any], ...]):
    """A JSON object as its pairs, so that a name can stand there twice."""

    __slots__ = ()


_Change: TypeAlias = tuple[Kind, str, Any]
_Put: TypeAlias = Callable[[Any], Any]


def mutations(bundle: bytes, *, other: bytes | None = None, every: int = 1, first: int = 0) -> Iterator[Mutation]:
    """Yield every mutation of a bundle, lazily and in a fixed order. None of them equals the bundle.

    Args:
        bundle: a Sigstore bundle, or any JSON.
        other: another bundle: each part of it that differs is put in place of the bundle's own.
        every: of the bit flips, only each so-manieth is yielded, since there is one for each byte. All else is yielded.
        first: which flip comes first.

    Raises:
        UsageError: not JSON.

    >>> [str(m) for m in mutations(b'{"a":1}', every=1000)][:3]
    ['flip $#0', 'junk $', 'drop $.a']
    """
    if every < 1:
        raise UsageError(where="every", found=every, wanted="at least 1")
    counted = -1
    for kind, path, data in _all(bundle, other):
        if kind == "flip":
            counted += 1
            if counted % every != first % every:
                continue
        if data != bundle:
            yield Mutation(kind=kind, path=path, data=data)


def _all(bundle: bytes, other: bytes | None) -> Iterator[_Change]:
    for at, flipped in _flips(bundle):
        yield "flip", f"$#{at}", flipped
    yield "junk", "$", bundle + _MARK.encode("ascii")
    value = _parse(bundle)
    for kind, path, new in _changes(value, "$"):
        yield kind, path, _write(new)
    if other is not None:
        for path, new in _swaps(value, _parse(other), "$"):
            yield "swap", path, _write(new)


def _flips(data: bytes) -> Iterator[tuple[int, bytes]]:
    """One bit of each byte, another bit each time."""
    for at, byte in enumerate(data):
        yield at, data[:at] + bytes((byte ^ 1 << at % 8,)) + data[at + 1 :]


# --- JSON ------------------------------------------------------------------------------------------------------------


def _parse(data: bytes) -> Any:
    try:
        return json.loads(data, object_pairs_hook=_Object)
    except ValueError as e:
        raise UsageError(where="bundle", because=str(e), wanted="JSON") from e


def _write(value: Any) -> bytes:
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if isinstance(value, _Object):
        return "{" + ",".join(f"{json.dumps(name)}:{_text(member)}" for name, member in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value)


def _changes(value: Any, path: str) -> Iterator[_Change]:
    """Every change at or below a value: what was done, where, and the value that it gives."""
    if isinstance(value, _Object):
        pairs = list(value)
        for at, (name, member) in enumerate(pairs):
            below = f"{path}.{name}"
            yield "drop", below, _Object(pairs[:at] + pairs[at + 1 :])
            yield "duplicate", below, _Object([*pairs[: at + 1], *pairs[at:]])
            yield "junk", below, _Object([*pairs[:at], (name, _MARK), *pairs[at + 1 :]])
            for kind, where, new in _changes(member, below):
                yield kind, where, _Object([*pairs[:at], (name, new), *pairs[at + 1 :]])
        yield "junk", path, _Object([*pairs, (_MARK, _MARK)])
    elif isinstance(value, list):
        for at, item in enumerate(value):
            below = f"{path}[{at}]"
            yield "drop", below, value[:at] + value[at + 1 :]
            yield "duplicate", below, value[: at + 1] + value[at:]
            for kind, where, new in _changes(item, below):
                yield kind, where, [*value[:at], new, *value[at + 1 :]]
        yield "junk", path, [*value, _MARK]
    elif isinstance(value, str):
        yield from _changes_of_text(value, path)
    elif isinstance(value, bool):
        yield "flip", path, not value
    elif isinstance(value, int | float):
        yield "flip", path, int(value) ^ 1


def _changes_of_text(value: str, path: str) -> Iterator[_Change]:
    yield "drop", f"{path}#", ""
    yield "junk", path, value + "!"
    blob = _decoded(value)
    if blob is not None:
        for kind, where, new in _changes_of_bytes(blob, f"{path}~"):
            yield kind, where, base64.b64encode(new).decode("ascii")
        return
    for at, char in enumerate(value):
        yield "flip", f"{path}#{at}", value[:at] + chr(ord(char) ^ 1) + value[at + 1 :]
    lines = value.splitlines(keepends=True)
    if len(lines) > 1:
        for at, line in enumerate(lines):
            yield "drop", f"{path}#line{at}", "".join(lines[:at] + lines[at + 1 :])
            yield "duplicate", f"{path}#line{at}", "".join(lines[: at + 1] + lines[at:])
            yield "junk", f"{path}#line{at}", "".join([*lines[:at], f"{_MARK}\n", line, *lines[at + 1 :]])


def _decoded(text: str) -> bytes | None:
    """The bytes behind base64; None for other text. A short name may pass for base64, which does no harm."""
    if len(text) < 8 or len(text) % 4:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode("ascii") == text else None


# --- bytes -----------------------------------------------------------------------------------------------------------


def _changes_of_bytes(data: bytes, path: str) -> Iterator[tuple[Kind, str, bytes]]:
    yield "junk", path, data + b"\x00"
    yield "drop", f"{path}#{len(data) - 1}", data[:-1]
    for at, flipped in _flips(data):
        yield "flip", f"{path}#{at}", flipped
    if data[:1] == b"{":
        try:
            value = _parse(data)
        except UsageError:
            return
        for kind, where, new in _changes(value, path):
            yield kind, where, _write(new)
    elif (tree := _read_der(data)) is not None:
        for kind, where, der_new in _changes_of_der(tree, path):
            yield kind, where, _write_der(der_new)


_Der: TypeAlias = "list[tuple[int, Any]]"
"""Elements of DER: each a tag with its content, or with the elements in it."""


def _read_der(data: bytes) -> _Der | None:
    """Read DER that fills the data exactly; None for anything else."""
    found: _Der = []
    at = 0
    while at < len(data):
        tag, size, head = data[at], data[at + 1] if at + 1 < len(data) else 0x80, at + 2
        if size >= 0x80:
            head += size & 0x7F
            size = int.from_bytes(data[at + 2 : head]) if size > 0x80 else len(data)
        content = data[head : head + size]
        at = head + size
        # Sequences, sets and tagged parts hold elements; octet strings may, as they do in extensions and tokens.
        inner = _read_der(content) if content and (tag & 0x20 or tag == 0x04) else None
        found.append((tag, content if inner is None else inner))
    return found if at == len(data) and _write_der(found) == data else None


def _write_der(elements: _Der) -> bytes:
    return b"".join(der.tlv(tag, inner if isinstance(inner, bytes) else _write_der(inner)) for tag, inner in elements)


def _changes_of_der(elements: _Der, path: str) -> Iterator[tuple[Kind, str, _Der]]:
    for at, (tag, inner) in enumerate(elements):
        below = f"{path}/{at}"
        yield "drop", below, elements[:at] + elements[at + 1 :]
        yield "duplicate", below, elements[: at + 1] + elements[at:]
        if not isinstance(inner, bytes):
            for kind, where, new in _changes_of_der(inner, below):
                yield kind, where, [*elements[:at], (tag, new), *elements[at + 1 :]]


# --- two bundles -----------------------------------------------------------------------------------------------------


def _swaps(mine: Any, theirs: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every part that both have and that differs, with the other's in place of mine."""
    if mine == theirs:
        return
    if path != "$":
        yield path, theirs
    if isinstance(mine, _Object) and isinstance(theirs, _Object):
        others, pairs = dict(theirs), list(mine)
        for at, (name, member) in enumerate(pairs):
            if name in others:
                for where, new in _swaps(member, others[name], f"{path}.{name}"):
                    yield where, _Object([*pairs[:at], (name, new), *pairs[at + 1 :]])
    elif isinstance(mine, list) and isinstance(theirs, list):
        for at, (item, other) in enumerate(zip(mine, theirs, strict=False)):
            for where, new in _swaps(item, other, f"{path}[{at}]"):
                yield where, [*mine[:at], new, *mine[at + 1 :]]
    elif isinstance(mine, str) and isinstance(theirs, str):
        here, there = _decoded(mine), _decoded(theirs)
        if here is not None and there is not None and here[:1] == there[:1] == b"{":
            for where, new in _swaps(_parse(here), _parse(there), f"{path}~"):
                if where != f"{path}~":
                    yield where, base64.b64encode(_write(new)).decode("ascii")
