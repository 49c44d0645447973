"""Is it one value, or does each line hold one? JSON lines, as ``.jsonl`` and ``.intoto.jsonl`` files have them.

in-toto attestation specification v1, "Bundle": the file is not signed as a whole, the order means nothing, and no line
says anything of another.
"""

from __future__ import annotations

from collections.abc import Iterator

from glasswing_attest._wire import parse_json
from glasswing_attest.errors import GlasswingError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["split"]


def split(data: bytes, *, always: bool = False, limits: Limits = DEFAULT) -> Iterator[tuple[int | None, bytes]]:
    r"""Yield the whole, numbered None, where it is one JSON value, and otherwise every line that is not blank.

    No line hides another. One that is no JSON is yielded as well, to be refused by name; and what looks like an object
    is yielded also where the lines around it make one value of all. What has no line that is a JSON object or array by
    itself holds no lines: it is yielded as a whole, to be refused once. `always` says that it holds lines in any case.

    >>> list(split(b'{"a": 1}\n\n{"a": 2}\n'))
    [(1, b'{"a": 1}'), (3, b'{"a": 2}')]
    >>> list(split(b"[[packages]]\nname = 'x'\n"))
    [(None, b"[[packages]]\nname = 'x'\n")]
    """
    told = [(number, line.strip()) for number, line in enumerate(data.split(b"\n"), start=1) if line.strip()]
    if not always and len(told) < 2:
        yield None, told[0][1] if told else data
        return
    if not always and _is_json(data, limits):
        yield None, data
        told = [(number, line) for number, line in told if line[:1] == b"{" and line[-1:] == b"}"]
    elif not always and not any(_is_line(line, limits) for _, line in told):
        yield None, data
        return
    yield from told


def _is_line(line: bytes, limits: Limits) -> bool:
    """Tell whether a line holds something by itself: text that is no JSON lines has brackets on lines, too."""
    return len(line) > 2 and line[:1] + line[-1:] in (b"{}", b"[]") and _is_json(line, limits)


def _is_json(data: bytes, limits: Limits) -> bool:
    try:
        parse_json(data, limits=limits, bound="evidence_bytes")
    except GlasswingError:
        return False
    return True
