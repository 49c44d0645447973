"""Who is the signer, and was the key good at that time?

For keys: every name that the trust gives the key whose closed window contains all the times that count. These are the
witnessed times; where there is none, only a caller who accepts claimed times goes on, and the windows apply at
`claimed_at`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from datetime import datetime

from glasswing_attest._wire import format_time
from glasswing_attest.errors import KeyUntrusted, OutsideValidity, TimeUnproven
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.signature import SignedPayload
from glasswing_attest.verification.timestamps import VerifiedTimes

__all__ = ["VerifiedSigner", "check"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSigner(Proof):
    """The signer: one principal, and the names that the trust gives it.

    `principal` is what makes two signers distinct: ``key:`` and the fingerprint.
    """

    principal: str
    names: frozenset[str]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


def check(
    signed: SignedPayload, times: VerifiedTimes, keys: Iterable[TrustedKey], *, claimed_at: datetime | None
) -> VerifiedSigner:
    """Give the signer.

    Raises:
        TimeUnproven: no witness, and `claimed_at` is None because the caller does not accept claimed times.
        OutsideValidity: the key is known, but not at the times that count.
        KeyUntrusted: the key has no name here.
    """
    witnessed = tuple(t.time for t in times.times)
    if not witnessed and claimed_at is None:
        raise TimeUnproven(where="$.verificationMaterial")
    counting = witnessed or ((claimed_at,) if claimed_at else ())
    known = [k for k in keys if k.key.der == signed.key.der and signed.scheme in k.key.schemes]
    known = [k for k in known if k.keyids is None or signed.named_as in k.keyids]
    if not known:
        raise KeyUntrusted(where="$.signatures", found=f"key {signed.key.fingerprint[:16]} named {signed.named_as!r}")
    valid = [k for k in known if counting and all(k.covers(time) for time in counting)]
    if not valid:
        found = ", ".join(format_time(time) for time in counting)
        raise OutsideValidity(where=f"keys.{known[0].name}", found=found, wanted=known[0].window)
    names = frozenset(k.name for k in valid)
    return VerifiedSigner(principal=f"key:{signed.key.fingerprint}", names=names, seal=_SEAL)
