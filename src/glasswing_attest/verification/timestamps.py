"""By when was it signed, and who says so?

A witness's time is an upper bound: it was signed at that time or before. Witnesses are trusted clocks (RFC 3161) and,
for Rekor v1, the log's promised time of integration. Each counts once, by its operator. All times count for what
follows: a certificate or key must have been good at every one of them, and so must the logs that hold the signature.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Literal

from glasswing_attest._wire import format_time
from glasswing_attest.errors import GlasswingError, OutsideValidity, TimeUnproven, VerificationError
from glasswing_attest.trust.sigstore import Authority
from glasswing_attest.verification.clock import check_stamp
from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.transparency import LoggedSignature

__all__ = ["CALLER", "VerifiedTimes", "WitnessedTime", "check"]

CALLER = "the caller"
"""Who stands for a time that no witness tells."""

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedTime:
    """A time and the trusted witness that stands for it: one value, since neither means anything alone.

    `told` says how: by a log's promise, a clock's stamp, or the caller's own word.
    """

    time: datetime
    witness: str
    told: Literal["promise", "stamp", "word"] = "promise"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedTimes(Proof):
    """The times that trusted witnesses stand for; empty where there is none.

    `needed` is how many distinct witnesses were asked for, and `stamps` how many clocks among them.
    """

    times: tuple[WitnessedTime, ...]
    needed: int
    stamps: int = 0
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)

    @property
    def signed_by(self) -> datetime | None:
        """The earliest witnessed time: it was signed then or before. None where nobody witnessed."""
        return min((t.time for t in self.times), default=None)

    @property
    def proved_by(self) -> datetime | None:
        """The time by which as many distinct witnesses as were asked for say it was signed, so that one alone may lie.

        And by which as many clocks say so as were asked for. Each counts with its earliest time. None where nobody
        witnessed: the caller's own word proves nothing.
        """
        witnessed = [each for each in self.times if each.told != "word"]
        if not witnessed:
            return None
        by_all = _agreed(witnessed, max(self.needed, 1))
        if not self.stamps:
            return by_all
        return max(by_all, _agreed([each for each in witnessed if each.told == "stamp"], self.stamps))


def _agreed(times: Iterable[WitnessedTime], count: int) -> datetime:
    """Give the time by which so many distinct witnesses say that it was signed."""
    earliest: dict[str, datetime] = {}
    for told in times:
        earliest[told.witness] = min(told.time, earliest.get(told.witness, told.time))
    return sorted(earliest.values())[count - 1]


def check(
    logged: LoggedSignature,
    clocks: Iterable[Authority] | None,
    *,
    at_least: int,
    stamps: int = 0,
    signed_at: datetime | None = None,
    claimed_at: datetime | None = None,
) -> VerifiedTimes:
    """Prove the times of the signature. With `clocks` None nobody asked for one: stamps are not read.

    `signed_at` is the caller's own word, which stands where there is no witness. It never counts as one of `at_least`.
    Where nobody tells a time, `claimed_at` is when the logs that hold the signature must have been good.

    Raises:
        TimeUnproven: fewer than `at_least` distinct witnesses, or than `stamps` distinct clocks among them; or a stamp
            where the trust names no clock at all.
        FieldRefused: a stamp that is no RFC 3161 response.
        OutsideValidity: a log that holds the signature was not to be believed at one of the times.
    """
    times = [
        WitnessedTime(time=e.integrated, witness=e.log.operator) for e in logged.entries if e.integrated is not None
    ]
    refused: list[GlasswingError] = []
    bundle = logged.signed.bundle
    believed = None if clocks is None else tuple(clocks)
    for stamp in () if bundle is None or believed is None else dict.fromkeys(bundle.timestamps):
        try:
            time, clock = check_stamp(stamp, logged.signed.signature, believed or ())
        except VerificationError as e:
            if not believed:
                raise
            refused.append(e)  # a stamp by a stranger does not count, and does not harm
        else:
            times.append(WitnessedTime(time=time, witness=clock.operator, told="stamp"))
    witnesses = {t.witness for t in times}
    clocked = {t.witness for t in times if t.told == "stamp"}
    if len(witnesses) < at_least or len(clocked) < stamps:
        if refused:
            raise refused[0]
        found, wanted = f"{len(witnesses)} witnesses", f"at least {at_least}"
        if stamps:
            found, wanted = f"{found}, {len(clocked)} of them clocks", f"{wanted}, {stamps} of them clocks"
        raise TimeUnproven(where="verificationMaterial", found=found, wanted=wanted)
    if not times and signed_at is not None:
        times.append(WitnessedTime(time=signed_at, witness=CALLER, told="word"))
    counting = [told.time for told in times] or ([] if claimed_at is None else [claimed_at])
    for entry in logged.entries:
        for time in counting:
            if not entry.log.window.contains(time):
                found, wanted = format_time(time), str(entry.log.window)
                raise OutsideValidity(where=f"tlogs {entry.log.name}", found=found, wanted=wanted)
    return VerifiedTimes(times=tuple(times), needed=at_least, stamps=stamps, seal=_SEAL)
