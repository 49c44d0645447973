"""Which value within a JSON value is meant, and when are two of them equal?

A path is written as every refusal of this library writes one: names with dots between them, an index in brackets, and
in brackets with quotes whatever is no plain name. ::

    config.epochs      inputs['learning.rate']      steps[0].image      ["it's"]

So a dot within a name is never taken for a step. What stands between quotes is written as Python writes it.

Equality is JSON's, by type: ``true`` is not ``1``, ``1`` is not ``"1"``, and an integer is no decimal. In an object, a
member that is null or empty is as if it were not there (in-toto and SLSA: null, unset and empty are equal).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from glasswing_attest._complaints import path_of
from glasswing_attest._wire import JsonValue

__all__ = [
    "Path",
    "begins",
    "is_empty",
    "key_of",
    "leaves",
    "parse_path",
    "plain",
    "same_value",
    "value_at",
    "write_path",
]

Path: TypeAlias = tuple[str | int, ...]

# The escapes that Python writes. It also reads others, some with a warning.
_ESCAPE = r"""\\(?:[\\'"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"""
_STEP = re.compile(
    rf"""(?P<name>[A-Za-z_][A-Za-z0-9_-]*)
    | \[(?:(?P<index>0|[1-9][0-9]{{0,8}})|(?P<quoted>'(?:[^'\\]|{_ESCAPE})*'|"(?:[^"\\]|{_ESCAPE})*"))\]
    """,
    re.VERBOSE,
)
_WANTED = "names with dots between them, such as config.epochs or inputs['learning.rate'][0]"
_LONGEST = 4096


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """Read a path. Raises `ValueError` for what is none.

    >>> parse_path("inputs['learning.rate'][0].unit")
    ('inputs', 'learning.rate', 0, 'unit')
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text) <= _LONGEST:
        dot = text[at] == "."
        found = _STEP.match(text, at + dot)
        # A dot stands before each plain name but the first, and before nothing else.
        if found is None or dot is not (found["name"] is not None and at > 0):
            break
        steps.append(_step(found))
        at = found.end()
    if not steps or at < len(text):
        raise ValueError(_WANTED)
    return tuple(steps)


def _step(found: re.Match[str]) -> str | int:
    if found["index"] is not None:
        return int(found["index"])
    if found["name"] is not None:
        return found["name"]
    try:
        return str(ast.literal_eval(found["quoted"]))
    except (SyntaxError, ValueError) as e:
        raise ValueError(_WANTED) from e


def write_path(path: Path) -> str:
    """Write a path, as it is read."""
    return path_of(path)


def begins(path: Path, start: Path) -> bool:
    """Tell whether a path leads to the place of `start`, or below it."""
    return path[: len(start)] == start


def value_at(value: JsonValue, path: Path) -> JsonValue:
    """Give what stands there; None where there is nothing, which is what null means too."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return None
            value = value[step]
        elif not isinstance(value, Mapping) or step not in value:
            return None
        else:
            value = value[step]
    return value


def is_empty(value: JsonValue) -> bool:
    """Tell whether a value is null or empty, which means unset."""
    return value is None or (isinstance(value, str | list | Mapping) and not value)


def plain(value: JsonValue) -> JsonValue:
    """Give a value without what is unset within its objects. The items of a list keep their places."""
    if isinstance(value, Mapping):
        members = {name: plain(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if not is_empty(member)}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def same_value(a: JsonValue, b: JsonValue) -> bool:
    """Tell whether two values are the same, by type and by value. What is unset is the same as nothing.

    >>> same_value({"n": [1, "x"], "unset": None}, {"n": [1, "x"]})
    True
    >>> same_value(True, 1), same_value(1, Decimal("1.0")), same_value(1, "1"), same_value(None, None)
    (False, False, False, False)
    """
    key = key_of(a)
    return key is not None and key == key_of(b)


def key_of(value: JsonValue) -> Hashable | None:
    """Give what is equal for values that are the same, and for no others; None for what is unset."""
    value = plain(value)
    return None if is_empty(value) else _key(value)


def _key(value: JsonValue) -> Hashable:
    # With the type: Python finds true equal to one, and one to a decimal.
    if isinstance(value, Mapping):
        return "object", frozenset((name, _key(member)) for name, member in value.items())
    if isinstance(value, list):
        return "array", tuple(_key(item) for item in value)
    return ("decimal" if isinstance(value, Decimal) else type(value).__name__), value


def leaves(value: JsonValue) -> Iterator[tuple[Path, JsonValue]]:
    """Give every scalar that is set, with its path; and what is empty within a list, where its place says something."""
    left: list[tuple[Path, JsonValue]] = [((), value)]
    while left:
        at, item = left.pop()
        if isinstance(item, Mapping) and item:
            left += reversed([((*at, name), member) for name, member in item.items()])
        elif isinstance(item, list) and item:
            left += reversed([((*at, index), member) for index, member in enumerate(item)])
        elif not is_empty(item) or (at and isinstance(at[-1], int)):
            yield at, item
