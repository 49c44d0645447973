"""How are the fields that many predicates share read and written?

in-toto's parsing rules (in-toto attestation, spec/v1/README.md): null, unset and empty mean the same for what is
optional, and unknown fields are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from glasswing_attest._wire import JsonValue, Node, format_time
from glasswing_attest.errors import FieldMissing, FieldRefused
from glasswing_attest.limits import Limits
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = [
    "NOTHING",
    "empty_object",
    "get_descriptor",
    "get_descriptors",
    "get_flag",
    "get_object",
    "get_text_map",
    "get_time",
    "need_text",
    "require_said",
    "require_texts",
    "require_zone",
    "texts",
    "unless_empty",
    "when",
]

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The empty object, for defaults."""


def empty_object(node: Node, name: str) -> Node:
    """Give an optional member that is an object, or an empty one, so that the members of an absent one are absent."""
    found = node.get(name)
    return Node({}, f"{node.path}.{name}", node.kind) if found is None else found


def need_text(node: Node, name: str) -> str:
    """Give a required member's string. Raises `FieldMissing` where it is absent or empty."""
    text = node.need(name).text()
    if not text:
        raise FieldMissing(kind=node.kind, where=f"{node.path}.{name}")
    return text


def texts(node: Node) -> tuple[str, ...]:
    """Give an array of strings."""
    return tuple(item.text() for item in node.array())


def get_time(node: Node, name: str) -> datetime | None:
    """Give an optional member's time."""
    found = node.get(name)
    return None if found is None else found.time()


def get_flag(node: Node, name: str) -> bool:
    """Give an optional boolean; absent is false."""
    found = node.get(name)
    return found is not None and found.boolean()


def get_text_map(node: Node, name: str) -> Mapping[str, str]:
    """Give an optional member that is an object of strings."""
    found = node.get(name)
    return NOTHING if found is None else MappingProxyType(dict(found.texts()))


def get_object(node: Node, name: str) -> Mapping[str, JsonValue]:
    """Give an optional member that is an object of any shape, as it is."""
    found = node.get(name)
    return NOTHING if found is None else MappingProxyType(found.object())


def get_descriptor(node: Node, name: str, limits: Limits) -> ResourceDescriptor | None:
    """Give an optional ResourceDescriptor."""
    found = node.get(name)
    return None if found is None or not found.object() else ResourceDescriptor.parse(found, limits=limits)


def get_descriptors(node: Node, name: str, limits: Limits) -> tuple[ResourceDescriptor, ...]:
    """Give an optional list of ResourceDescriptors, bounded as dependencies are."""
    items = node.get_array(name)
    node.within(limits, "dependencies", len(items), step=name)
    return tuple(ResourceDescriptor.parse(item, limits=limits) for item in items)


def unless_empty(members: Mapping[str, object]) -> dict[str, object]:
    """Give the members of an object that is to be written, without those that are unset or empty.

    >>> unless_empty({"url": "", "tests": ["a"], "metadata": {}, "count": 0})
    {'tests': ['a'], 'count': 0}
    """
    return {name: value for name, value in members.items() if value is not None and value not in ("", [], {}, ())}


def when(time: datetime | None) -> str | None:
    """Give a time as it is written, for `unless_empty`."""
    return None if time is None else format_time(time)


def require_said(text: str, where: str) -> None:
    """Raise `FieldMissing` for an empty string, where a predicate is made."""
    if not text:
        raise FieldMissing(where=where)


def require_texts(texts: Mapping[str, str], where: str) -> None:
    """Raise `FieldRefused` for a value that is no string, where a predicate is made."""
    for name, text in texts.items():
        if not isinstance(text, str):
            raise FieldRefused(where=f"{where}.{name}", found=type(text).__name__, wanted="a string")


def require_zone(time: datetime | None, where: str) -> None:
    """Raise `FieldRefused` for a time without a zone, where a predicate is made: whoever wrote it would guess one."""
    if time is not None and time.utcoffset() is None:
        raise FieldRefused(where=where, found=time.isoformat(), wanted="a time with its zone, such as UTC")
