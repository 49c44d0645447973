"""When is a virtual service to be believed?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from glasswing_attest._wire import format_time

__all__ = ["Window"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A closed span of time, as a trusted root names it. A service's window is replaced, never changed."""

    start: datetime | None
    end: datetime | None = None

    @classmethod
    def around(cls, now: datetime) -> Window:
        """From the day before until for ever."""
        return cls(start=now - timedelta(days=1))

    def to_dict(self) -> dict[str, str]:
        """The window as a trusted root names it."""
        named = {"start": self.start, "end": self.end}
        return {name: format_time(time) for name, time in named.items() if time is not None}
