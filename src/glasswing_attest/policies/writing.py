"""How is a policy written down, so that people read it and it still means the same?

In the plain YAML that policies are read in: what is short stands on one line, and comments stand above what they are
about. Nothing of what the policy says is left out, so reading it gives an equal policy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import yaml

from glasswing_attest._wire import format_time
from glasswing_attest.errors import shown
from glasswing_attest.policy.policy import Policy

__all__ = ["scalar", "to_yaml"]

_WIDTH = 110
_DEEP = 2
"""What is nested deeper than that is read more easily on several lines."""
# What every reader of YAML takes for the same text without quotes, also between brackets.
_BARE = re.compile(r"[A-Za-z/](?:[A-Za-z0-9_./@+*-]|:(?=[^ ])| (?=[A-Za-z0-9/]))*|[0-9]{1,9}[smhdw]")
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_RESOLVE = yaml.SafeLoader("")

_Notes = Mapping[str, str]


def to_yaml(policy: Policy, *, head: str = "", notes: _Notes | None = None) -> str:
    r"""Give a policy as a YAML file, with comments.

    Args:
        policy: the policy.
        head: a comment for the top of the file.
        notes: comments by the path of what they stand above: ``nodes.file``, ``nodes.*.trim``, ``identities.release``.

    >>> print(to_yaml(Policy.parse(b"version: 1\nidentities: {a: {key: k}}\nnodes: {model: {trim: {reason: none}}}")))
    version: 1
    identities:
      a: {key: k}
    nodes:
      model: {trim: {reason: none}}
    <BLANKLINE>
    """
    plain = _plain(policy.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True))
    found = _Noted(notes or {})
    lines = [*_comment(head, ""), *_mapping(plain, "", "", found, top=True)]
    return "".join(f"{line}\n" for line in lines)


class _Noted:
    """Which comment stands above a path? Each one is written once, above the first that it fits."""

    def __init__(self, notes: _Notes) -> None:
        self._left = dict(notes)

    def take(self, path: str) -> str:
        """Give the comment for a path, if one is left."""
        for pattern in (path, *(pattern for pattern in self._left if _fits(pattern, path))):
            if pattern in self._left:
                return self._left.pop(pattern)
        return ""

    def below(self, path: str) -> bool:
        """Tell whether something within a path may have a comment."""
        depth = path.count(".") + 1
        return any(
            pattern.count(".") >= depth and _fits(".".join(pattern.split(".")[:depth]), path) for pattern in self._left
        )


def _fits(pattern: str, path: str) -> bool:
    wanted, found = pattern.split("."), path.split(".")
    return len(wanted) == len(found) and all(one in ("*", other) for one, other in zip(wanted, found, strict=True))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items() if member not in ({}, (), "")}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return format_time(value) if isinstance(value, datetime) else value


def _comment(text: str, indent: str) -> Iterator[str]:
    return (f"{indent}# {shown(line, len(line) + 1)}".rstrip() for line in text.splitlines())


def _mapping(value: Mapping[str, Any], path: str, indent: str, notes: _Noted, *, top: bool = False) -> Iterator[str]:
    for name, member in value.items():
        here = f"{path}.{name}" if path else name
        yield from _comment(notes.take(here), indent)
        # What stands at the top is a section of its own, and each of its parts has a line.
        yield from _entry(f"{indent}{scalar(name)}:", member, here, indent, notes, flow=not top)


def _entry(head: str, value: Any, path: str, indent: str, notes: _Noted, *, flow: bool) -> Iterator[str]:
    """Write what stands behind a key or a dash: on the same line where it is short, and below it otherwise."""
    line = f"{head} {_flow(value)}"
    nested = isinstance(value, dict | list) and bool(value)
    if not nested or (flow and len(line) <= _WIDTH and _depth(value) <= _DEEP and not notes.below(path)):
        yield line
    elif isinstance(value, dict):
        yield head
        yield from _mapping(value, path, f"{indent}  ", notes)
    else:
        yield head
        yield from _items(value, path, f"{indent}  ", notes)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _items(items: list[Any], path: str, indent: str, notes: _Noted) -> Iterator[str]:
    for item in items:
        line = f"{indent}- {_flow(item)}"
        if not isinstance(item, dict) or len(line) <= _WIDTH:
            yield line
            continue
        first, *rest = _mapping(item, path, f"{indent}  ", notes)
        yield f"{indent}- {first.removeprefix(f'{indent}  ')}"
        yield from rest


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(name)}: {_flow(member)}' for name, member in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return scalar(value)


def scalar(value: Any) -> str:
    """Write a text, a number or a truth value, so that every reader of YAML takes it for what it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    resolve: Callable[..., str] = _RESOLVE.resolve
    if _BARE.fullmatch(text) and resolve(yaml.ScalarNode, text, (True, False)).endswith(":str"):
        return text
    if '"' in text and "'" not in text and text.isascii() and text.isprintable():
        return f"'{text}'"
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(c: str) -> str:
    if c in _ESCAPED:
        return _ESCAPED[c]
    if c.isprintable():
        return c
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
