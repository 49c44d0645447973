"""How long is ``30d``?

A positive integer and one unit: ``s``, ``m``, ``h``, ``d`` (24 hours) or ``w`` (7 days). At most a hundred years.
"""

from __future__ import annotations

import re
from datetime import timedelta

__all__ = ["LONGEST", "PATTERN", "duration", "in_words"]

PATTERN = r"[1-9][0-9]{0,9}[smhdw]"
LONGEST = timedelta(days=36_525)
"""A hundred years: whoever asks for more asks for nothing."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def duration(text: str) -> timedelta:
    """Read a duration. Raises `ValueError` for what is none, and beyond a hundred years.

    >>> duration("90m"), duration("2w")
    (datetime.timedelta(seconds=5400), datetime.timedelta(days=14))
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError("a positive integer and one of s, m, h, d, w, such as 30d")
    found = int(text[:-1]) * _SECONDS[text[-1]]
    if found > LONGEST.total_seconds():
        raise ValueError("at most a hundred years")
    return timedelta(seconds=found)


def in_words(length: timedelta) -> str:
    """Write how long something is, in its two greatest units; what is less is left out.

    >>> in_words(timedelta(days=31, hours=4, seconds=3)), in_words(timedelta(milliseconds=20))
    ('31d 4h', '0s')
    """
    told: list[str] = []
    left = int(abs(length).total_seconds())
    for unit in "dhms":
        count, left = divmod(left, _SECONDS[unit])
        if count or (unit == "s" and not told):
            told.append(f"{count}{unit}")
    return " ".join(told[:2])
