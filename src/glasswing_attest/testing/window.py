"""When is a virtual service to be believed? From the day before it was made until for ever, unless a test says else."""

from __future__ import annotations

from datetime import datetime, timedelta

from glasswing_attest._wire import format_time
from glasswing_attest.trust.sigstore import Window

__all__ = ["since", "valid_for"]


def since(now: datetime) -> Window:
    """The window of a service that is made now."""
    return Window(start=now - timedelta(days=1))


def valid_for(window: Window) -> dict[str, str]:
    """The window as a trusted root names it."""
    named = {"start": window.start, "end": window.end}
    return {name: format_time(time) for name, time in named.items() if time is not None}
