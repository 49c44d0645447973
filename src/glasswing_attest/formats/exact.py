"""Which bytes is this value, exactly? A `Node` that knows where it stands in the text from which it was read.

A container nests what others signed as JSON of its own. The inner value is cut out of the outer text as it stands, and
never written anew: what a number or a string looked like stays as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from glasswing_attest._wire import JsonValue, Node, read_json
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Exact"]

# Numbers are not looked at a second time: the strict reader has refused what is not one.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*")


class Exact:
    """A value of a JSON text that was read strictly, with its own bytes.

    >>> read = Exact.read(b'{"n": [1,  {"m": 1.50}]}')
    >>> read.need("n").array()[1].data
    b'{"m": 1.50}'
    """

    __slots__ = ("_end", "_start", "_text", "node")

    def __init__(self, node: Node, text: str, start: int, end: int) -> None:
        self.node = node
        self._text = text
        self._start = start
        self._end = end

    @classmethod
    def read(cls, data: bytes, *, where: str = "$", limits: Limits = DEFAULT, bound: str = "evidence_bytes") -> Exact:
        """Read one JSON value strictly. Raises `MalformedError` with the path, or `LimitError`."""
        node = read_json(data, where=where, limits=limits, bound=bound)
        text = data.decode("utf-8")  # it is: it was read
        return cls(node, text, _skip(text, 0), len(text.rstrip(" \t\n\r")))

    @property
    def data(self) -> bytes:
        """The value's own bytes, without the white space around it."""
        return self._text[self._start : self._end].encode("utf-8")

    @property
    def path(self) -> str:
        """Where it stands, as a path."""
        return self.node.path

    def get(self, name: str) -> Exact | None:
        """Give a member, or None where it is absent or null."""
        node = self.node.get(name)
        return None if node is None else self._member(name, node)

    def need(self, name: str) -> Exact:
        """Give a member, or raise `FieldMissing`."""
        return self._member(name, self.node.need(name))

    def members(self) -> Iterator[tuple[str, Exact]]:
        """Yield the members of an object that are not null."""
        nodes = dict(self.node.members())
        for key, start, end in self._members():
            if nodes[key].value is not None:
                yield key, Exact(nodes[key], self._text, start, end)

    def array(self) -> list[Exact]:
        """Give the items of an array, or refuse."""
        nodes = self.node.array()
        return [Exact(n, self._text, start, end) for n, (start, end) in zip(nodes, self._items(), strict=True)]

    def need_array(self, name: str) -> list[Exact]:
        """Give the items of a member that has at least one."""
        found = self.need(name)
        items = found.array()
        if not items:
            raise FieldMissing(kind=self.node.kind, where=found.path, wanted="at least one")
        return items

    def _member(self, name: str, node: Node) -> Exact:
        # No object names a key twice: the strict reader has refused that.
        start, end = next((start, end) for key, start, end in self._members() if key == name)
        return Exact(node, self._text, start, end)

    def _members(self) -> Iterator[tuple[str, int, int]]:
        at = _skip(self._text, self._start + 1)
        while self._text[at] != "}":
            key, at = _value(self._text, at)
            start = _skip(self._text, _skip(self._text, at) + 1)
            _, at = _value(self._text, start)
            yield str(key), start, at
            at = _next(self._text, at)

    def _items(self) -> Iterator[tuple[int, int]]:
        at = _skip(self._text, self._start + 1)
        while self._text[at] != "]":
            start = at
            _, at = _value(self._text, start)
            yield start, at
            at = _next(self._text, at)


def _value(text: str, at: int) -> tuple[JsonValue, int]:
    value: JsonValue
    value, end = _DECODER.raw_decode(text, at)
    return value, end


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _next(text: str, at: int) -> int:
    """Go on to the next key or item, or to the bracket that closes."""
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at
