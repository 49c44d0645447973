"""Does the signature stand in a log that we believe?

No profile of this release asks for a log, so nothing is proved here and nothing is refused: `LoggedSignature` says
with which logs the signature was proved to stand, and today that is none. A log entry inside a bundle is neither read
nor believed.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass

from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.signature import SignedPayload

__all__ = ["LoggedSignature", "check"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedSignature(Proof):
    """The signature, and the names of the logs that are proved to hold it."""

    signed: SignedPayload
    logs: tuple[str, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


def check(signed: SignedPayload) -> LoggedSignature:
    """Prove the signature's log entries. There is no trusted log yet, so there are none."""
    return LoggedSignature(signed=signed, logs=(), seal=_SEAL)
