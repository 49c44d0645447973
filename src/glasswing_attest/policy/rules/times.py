"""Do the times within one claim make sense?

For provenance: startedOn ≤ finishedOn ≤ the time that a witness gives, else ≤ `at`. For a verification summary:
timeVerified likewise, since nobody signs what was concluded only later. A time that is not told says nothing; where a
run's inputs are held against its start, and it does not tell one, the walk refuses it.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from glasswing_attest._wire import format_time
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.statement.predicates.run import Run
from glasswing_attest.statement.predicates.summary import VerificationSummary

__all__ = ["complaints"]


def complaints(claim: Claim, requirement: Requirement, circumstances: Circumstances) -> list[Finding]:
    """Complain about a run that ends before it starts, or about what ends after it was signed."""
    said = claim.predicate
    told: list[tuple[str, datetime | None]]
    if isinstance(said, Run):
        told = [("startedOn", said.started_on), ("finishedOn", said.finished_on)]
    elif isinstance(said, VerificationSummary):
        told = [("timeVerified", said.time_verified)]
    else:
        return []
    told.append(("signed", claim.signed_by or circumstances.at))
    known = [(name, time) for name, time in told if time is not None]
    return [
        _complaint(requirement, f"{a[0]} {format_time(a[1])}", f"no later than {b[0]} {format_time(b[1])}")
        for a, b in pairwise(known)
        if a[1] > b[1]
    ]


def _complaint(requirement: Requirement, found: str, wanted: str) -> Finding:
    return Finding(
        code="policy.times",
        tier=Tier.CONTRAINDICATED,
        subject=requirement.predicate,
        rule="times",
        found=found,
        wanted=wanted,
        do="check the clock of whoever signed it",
    )
