"""By when was it signed, and who says so?

A witness's time is an upper bound: it was signed at that time or before. There is no trusted clock in the trust of this
release, so the tuple of times is empty, and only a policy that says ``times: claimed`` can go on without one.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from datetime import datetime

from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.transparency import LoggedSignature

__all__ = ["VerifiedTimes", "WitnessedTime", "check"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedTime:
    """A time and the trusted witness that stands for it: one value, since neither means anything alone."""

    time: datetime
    witness: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedTimes(Proof):
    """The times that trusted witnesses stand for; empty where there is none."""

    times: tuple[WitnessedTime, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)

    @property
    def signed_by(self) -> datetime | None:
        """The earliest witnessed time: it was signed then or before. None where nobody witnessed."""
        return min((t.time for t in self.times), default=None)


def check(_logged: LoggedSignature) -> VerifiedTimes:
    """Prove the times of the signature. There is no trusted witness yet, so there are none."""
    return VerifiedTimes(times=(), seal=_SEAL)
