"""Which time do the words of a command line mean?"""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["time_or_now"]


def time_or_now(text: str | None, where: str) -> datetime | None:
    """Give the time, or ``now``; None where none was said. Raises `MalformedError`."""
    from glasswing_attest._wire import parse_time

    if text is None:
        return None
    return datetime.now(UTC) if text == "now" else parse_time(text, where=where)
