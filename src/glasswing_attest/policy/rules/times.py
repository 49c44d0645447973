"""Do the times within one claim make sense?

For provenance: startedOn ≤ finishedOn ≤ the time that a witness gives, else ≤ `at`. Where times must be verified, a
run without startedOn has no place in time and is refused.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from glasswing_attest._wire import format_time
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.policy import Policy, Requirement
from glasswing_attest.statement.predicates.provenance import Provenance

__all__ = ["complaints"]


def complaints(claim: Claim, requirement: Requirement, policy: Policy, at: datetime) -> list[Finding]:
    """Complain about a run that ends before it starts, or after it was signed."""
    run = claim.predicate
    if not isinstance(run, Provenance):
        return []
    latest = claim.signed_by or at
    told = [("startedOn", run.started_on), ("finishedOn", run.finished_on), ("signed", latest)]
    known = [(name, time) for name, time in told if time is not None]
    wrong = [(a, b) for a, b in pairwise(known) if a[1] > b[1]]
    found = [
        _complaint(requirement, f"{a[0]} {format_time(a[1])}", f"no later than {b[0]} {format_time(b[1])}")
        for a, b in wrong
    ]
    if policy.times == "verified" and run.started_on is None:
        found.append(_complaint(requirement, "no startedOn", "a run with its place in time"))
    return found


def _complaint(requirement: Requirement, found: str, wanted: str) -> Finding:
    return Finding(
        code="policy.times",
        tier=Tier.CONTRAINDICATED,
        subject=requirement.predicate,
        rule="times",
        found=found,
        wanted=wanted,
        do="check the clock of the builder",
    )
