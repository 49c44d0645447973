"""Which keys do we believe, under which names, and when?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from glasswing_attest._complaints import path_of
from glasswing_attest._wire import format_time
from glasswing_attest.errors import TrustRefused, UsageError
from glasswing_attest.keys import PublicKey

__all__ = ["TrustedKey", "Witness", "in_utc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What a signature by a key needs beside it: entries in so many logs, and so many times, of one trusted root."""

    root: str
    logs: int
    times: int

    def __post_init__(self) -> None:
        if min(self.logs, self.times) < 0 or self.logs + self.times == 0:
            raise TrustRefused(where="witness", found=f"logs {self.logs}, times {self.times}", wanted="at least one")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key that is believed under a name, within a closed window of time.

    `keyids`, where given, is one more demand: the envelope must name the key by one of them. It never lets anything in.
    """

    name: str
    key: PublicKey
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    keyids: tuple[str, ...] | None = None
    witness: Witness | None = None

    def __post_init__(self) -> None:
        place = path_of(("keys", self.name))
        if not isinstance(self.key, PublicKey):
            raise UsageError(where=f"{place}.key", found=type(self.key).__name__, wanted="a PublicKey")
        for label, time in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            object.__setattr__(self, label, in_utc(time, f"{place}.{label}"))
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise TrustRefused(where=place, found="valid_from after valid_until")
        if not self.name or self.keyids == ():
            raise TrustRefused(where=place, found="an empty name or list of keyids")

    def covers(self, time: datetime) -> bool:
        """Tell whether the closed window contains `time`."""
        return (self.valid_from is None or self.valid_from <= time) and (
            self.valid_until is None or time <= self.valid_until
        )

    @property
    def window(self) -> str:
        """The window in words."""
        start = "any time" if self.valid_from is None else format_time(self.valid_from)
        end = "any time" if self.valid_until is None else format_time(self.valid_until)
        return f"from {start} until {end}"


def in_utc(time: object, where: str) -> datetime | None:
    """Give the same time in UTC, in which it can be compared and written."""
    if time is None:
        return None
    if not isinstance(time, datetime) or time.utcoffset() is None:
        raise TrustRefused(where=where, found=str(time), wanted="a time with a zone")
    try:
        return time.astimezone(UTC)
    except OverflowError as e:
        raise TrustRefused(where=where, found=str(time), wanted="a time of the years 1 to 9999") from e
