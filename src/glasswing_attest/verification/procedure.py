"""In which order is it proved?

Each step takes what the step before proved, so no step can be left out or swapped. The order is that of DESIGN ("The
river") and of Sigstore's client specification, sections 4 and 5. A statement becomes readable only at the end.
"""

from __future__ import annotations

from datetime import datetime

from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import GlasswingError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification import binding, identity, signature, timestamps, transparency
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.signature import SignedPayload

__all__ = ["prove"]


def prove(
    attestation: Attestation, trust: Trust, *, claimed_at: datetime | None = None, limits: Limits = DEFAULT
) -> tuple[VerifiedStatement, ...]:
    """Prove an attestation: one verified statement for each trusted key that signed it, never an empty tuple.

    `claimed_at` says that claimed times are good enough, and at which time windows apply then; None means they are not.

    Raises:
        VerificationError, UnsupportedError, MalformedError, LimitError: why no signature of it proves anything.
    """
    proved: list[VerifiedStatement] = []
    refused: list[GlasswingError] = []
    for signed in signature.check(attestation, (k.key for k in trust.keys)):
        try:
            proved.append(_prove_one(signed, trust, claimed_at, limits))
        except GlasswingError as e:
            refused.append(e)
    if not proved:
        raise refused[0]
    return tuple(proved)


def _prove_one(signed: SignedPayload, trust: Trust, claimed_at: datetime | None, limits: Limits) -> VerifiedStatement:
    logged = transparency.check(signed)
    times = timestamps.check(logged)
    signer = identity.check(signed, times, trust.keys, claimed_at=claimed_at)
    verified = binding.check(logged, times, signer)
    return binding.read(verified, limits=limits)
