"""What time is it, in a test?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from glasswing_attest._wire import format_time
from glasswing_attest.errors import UsageError

__all__ = ["START", "Clock"]

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
"""When a clock starts, unless told otherwise: a fixed time, so that a test does the same on every day."""


class Clock:
    """Stands still until it is moved. Calling it gives the time, as `Build(clock=…)` wants it.

    >>> clock = Clock()
    >>> clock.advance(minutes=5).isoformat()
    '2026-01-01T12:05:00+00:00'
    """

    __slots__ = ("_now",)

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self.set(start)

    def __repr__(self) -> str:
        return f"Clock({format_time(self._now)})"

    def __call__(self) -> datetime:
        """Give the time."""
        return self._now

    @property
    def now(self) -> datetime:
        """The time."""
        return self._now

    def set(self, time: datetime) -> datetime:
        """Go to a time, back or forth. Logs and stamps know whole seconds, so the clock does too."""
        if time.tzinfo is None:
            raise UsageError(where="clock", found=str(time), wanted="a time with a zone")
        self._now = time.astimezone(UTC).replace(microsecond=0)
        return self._now

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Move on by so much; negative numbers move back."""
        return self.set(self._now + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))
