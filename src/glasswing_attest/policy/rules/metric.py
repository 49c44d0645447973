"""Was it measured to be good enough?

An evaluation record gives each figure as an exact decimal in text; a policy gives its bounds in the same way, and they
are compared as they stand there, never as binary fractions. A record whose figure is not finite is malformed, so NaN
and Infinity come no further than that. The figure for all samples counts, not one for a part of them.
"""

from __future__ import annotations

from decimal import Decimal

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.findings import unexpected
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.records import EvaluationRecord

__all__ = ["complaints"]


def complaints(claim: Claim, requirement: Requirement, _circumstances: Circumstances) -> list[Finding]:
    """Complain about a figure that was not measured, or lies outside of the bounds."""
    record, expect = claim.predicate, requirement.expect
    if expect is None or expect.metric is None:
        return []
    value = record.value(expect.metric) if isinstance(record, EvaluationRecord) else None
    if value is None:
        return [unexpected(requirement, "metric", wanted=expect.metric, found="no such figure for all samples")]
    told = f"{expect.metric} {value}"
    found = []
    # Only what is true is good enough: nothing that compares as false either way passes.
    if expect.at_least is not None and not value >= Decimal(expect.at_least):
        found.append(unexpected(requirement, "at_least", wanted=f"at least {expect.at_least}", found=told))
    if expect.at_most is not None and not value <= Decimal(expect.at_most):
        found.append(unexpected(requirement, "at_most", wanted=f"at most {expect.at_most}", found=told))
    return found
