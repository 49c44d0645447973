"""Does a .gitignore file ignore this path?

The pattern format of gitignore(5): the last matching pattern decides, ``!`` negates, a trailing ``/`` means
directories, a ``/`` elsewhere anchors, ``**`` spans directories. Matching takes time proportional to pattern times
path, never more: the patterns of a hostile checkout are hostile too, so none becomes a regular expression, and a
`Budget` bounds the work of all of them together.

What is not understood must not hide a file: such a pattern ignores nothing, and negated it un-ignores everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from glasswing_attest.errors import LimitError

__all__ = ["Budget", "IgnoreFile"]

_SPAN = object()  # a "**" component
_LINE_BYTES = 4096
_STEPS = 200_000_000  # less than a minute's work
_STARS = re.compile(rb"\*{2,}")
_CLASSES: dict[bytes, Callable[[int], bool]] = {
    b"alnum": lambda c: chr(c).isalnum(),
    b"alpha": lambda c: chr(c).isalpha(),
    b"blank": lambda c: c in b" \t",
    b"cntrl": lambda c: c < 32 or c == 127,
    b"digit": lambda c: chr(c).isdigit(),
    b"graph": lambda c: 32 < c < 127,
    b"lower": lambda c: chr(c).islower(),
    b"print": lambda c: 32 <= c < 127,
    b"punct": lambda c: 32 < c < 127 and not chr(c).isalnum(),
    b"space": lambda c: c in b" \t\n\v\f\r",
    b"upper": lambda c: chr(c).isupper(),
    b"xdigit": lambda c: c in b"0123456789abcdefABCDEF",
}


class _NotUnderstood(Exception):
    pass


@dataclass(slots=True)
class Budget:
    """How many steps of matching are left. A checkout that asks for more is undecided."""

    left: int = _STEPS

    def spend(self, steps: int) -> None:
        """Take some, or raise `LimitError`."""
        self.left -= steps
        if self.left < 0:
            raise LimitError(where=".gitignore", found="more", wanted=f"at most {_STEPS} steps of matching patterns")


# A component is a sequence of tokens: None for "*", else the set of bytes that one byte may be.
_Token = frozenset[int] | None
_Component = tuple[_Token, ...] | object
_ANY = frozenset(range(256))


@dataclass(frozen=True, slots=True)
class _Pattern:
    negated: bool
    directory: bool
    components: tuple[_Component, ...] | None  # None where it was not understood

    def matches(self, parts: Sequence[bytes], is_directory: bool, budget: Budget) -> bool:
        budget.spend(1)
        if self.components is None:
            return self.negated
        if self.directory and not is_directory:
            return False
        return _match(self.components, parts, budget)


class IgnoreFile:
    r"""The patterns of one .gitignore file.

    >>> rules = IgnoreFile(b"*.pyc\n/build/\n!keep.pyc\n")
    >>> rules.decide((b"a", b"b.pyc"), is_directory=False)
    True
    >>> rules.decide((b"keep.pyc",), is_directory=False)
    False
    >>> rules.decide((b"build",), is_directory=False) is None
    True
    """

    __slots__ = ("_patterns",)

    def __init__(self, data: bytes) -> None:
        # A UTF-8 byte order mark is skipped, as git skips it.
        lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        self._patterns = tuple(p for p in map(_parse, lines) if p is not None)

    def decide(self, parts: Sequence[bytes], *, is_directory: bool, budget: Budget | None = None) -> bool | None:
        """Tell whether the path, relative to the file's directory, is ignored: True, False (un-ignored) or None."""
        budget = budget or Budget()
        for pattern in reversed(self._patterns):
            if pattern.matches(parts, is_directory, budget):
                return not pattern.negated
        return None


def _parse(line: bytes) -> _Pattern | None:
    line = _strip(line.removesuffix(b"\r"))
    if not line or line.startswith(b"#"):
        return None
    negated = line.startswith(b"!")
    if negated:
        line = line[1:]
    directory = line.endswith(b"/")
    if directory:
        line = line[:-1]
    # gitignore(5): a separator at the beginning or middle anchors the pattern to its directory.
    anchored = b"/" in line
    line = line.removeprefix(b"/")
    if not line:
        return None
    components: tuple[_Component, ...] | None
    try:
        if len(line) > _LINE_BYTES:
            raise _NotUnderstood
        components = tuple(
            _SPAN if anchored and _STARS.fullmatch(part) else _component(part) for part in line.split(b"/")
        )
    except _NotUnderstood:
        components = None
    if components is not None and not anchored:
        components = (_SPAN, *components)
    if components is not None:  # "**/**" spans what "**" spans
        components = tuple(
            c for c, before in zip(components, (None, *components), strict=False) if c is not _SPAN or c is not before
        )
    if components is not None and components[-1] is _SPAN:
        components = (*components, (None,))  # a trailing "/**" matches what is inside, not the directory itself
    return _Pattern(negated, directory, components)


def _strip(line: bytes) -> bytes:
    """Drop trailing spaces, unless a backslash quotes them."""
    end = len(line)
    while end and line[end - 1 : end] == b" ":
        quotes = 0
        while quotes < end - 1 and line[end - 2 - quotes] == 0x5C:
            quotes += 1
        if quotes % 2:
            break
        end -= 1
    return line[:end]


def _component(part: bytes) -> tuple[_Token, ...]:
    if not part:
        raise _NotUnderstood
    tokens: list[_Token] = []
    i = 0
    while i < len(part):
        c = part[i]
        i += 1
        if c == 0x2A:  # *
            if not tokens or tokens[-1] is not None:
                tokens.append(None)
        elif c == 0x3F:  # ?
            tokens.append(_ANY)
        elif c == 0x5B:  # [
            token, i = _bracket(part, i)
            tokens.append(token)
        else:
            if c == 0x5C:  # a backslash takes the next byte literally
                if i == len(part):
                    raise _NotUnderstood
                c = part[i]
                i += 1
            tokens.append(frozenset((c,)))
    return tuple(tokens)


def _bracket(part: bytes, i: int) -> tuple[frozenset[int], int]:
    """Read a bracket expression from after its ``[``; give its bytes and where it ends."""
    negated = part[i : i + 1] in (b"!", b"^")
    i += negated
    found: set[int] = set()
    first, previous = True, -1
    while True:
        if i >= len(part):
            raise _NotUnderstood
        c = part[i]
        if c == 0x5D and not first:  # ]
            break
        first = False
        if part[i : i + 2] == b"[:":
            end = part.find(b":]", i + 2)
            test = _CLASSES.get(part[i + 2 : end]) if end > 0 else None
            if test is None:
                raise _NotUnderstood
            found |= {b for b in range(128) if test(b)}
            i, previous = end + 2, -1
            continue
        if c == 0x2D and previous >= 0 and i + 1 < len(part) and part[i + 1] != 0x5D:  # a range
            c, i = _literal(part, i + 1)
            found |= set(range(previous, c + 1))
            previous = -1
        else:
            c, i = _literal(part, i)
            found.add(c)
            previous = c
    return (_ANY - found if negated else frozenset(found)), i + 1


def _literal(part: bytes, i: int) -> tuple[int, int]:
    if part[i] == 0x5C:
        i += 1
        if i >= len(part):
            raise _NotUnderstood
    return part[i], i + 1


def _match(components: tuple[_Component, ...], parts: Sequence[bytes], budget: Budget) -> bool:
    """Match whole paths: a set of positions in the pattern is carried from part to part."""
    places = _skip({0}, components)
    for part in parts:
        budget.spend(len(places))
        after: set[int] = set()
        for place in places:
            if place == len(components):
                continue
            component = components[place]
            if component is _SPAN:
                after.add(place)
            elif isinstance(component, tuple) and _match_one(component, part, budget):
                after.add(place + 1)
        places = _skip(after, components)
    return len(components) in places


def _skip(places: set[int], components: tuple[_Component, ...]) -> set[int]:
    found = set(places)
    for start in places:
        place = start
        while place < len(components) and components[place] is _SPAN:
            place += 1
            found.add(place)
    return found


def _match_one(tokens: tuple[_Token, ...], part: bytes, budget: Budget) -> bool:
    """Match one name with the classic two pointers: on failure, the last ``*`` takes one more byte."""
    t = p = 0
    star, resume = -1, 0
    while p < len(part):
        token = tokens[t] if t < len(tokens) else frozenset[int]()
        if t < len(tokens) and token is None:
            star, resume = t, p
            t += 1
        elif token is not None and part[p] in token:
            t += 1
            p += 1
        elif star >= 0:
            budget.spend(p - resume + 1)
            resume += 1
            t, p = star + 1, resume
        else:
            return False
    return all(token is None for token in tokens[t:])
