"""One rule a file: each holds a claim against one part of a requirement and answers in findings.

A rule is a pure function. An empty answer means that the claim satisfies it; every complaint says what was found, what
was wanted and what to do. `COMPLAINTS` lists the rules that judge a single claim; `signed_by` also judges several
together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.policy import Policy, Requirement
from glasswing_attest.policy.rules import expect, inputs, signed_by, times

__all__ = ["COMPLAINTS", "Rule", "complaints"]

Rule = Callable[[Claim, Requirement, Policy, datetime], list[Finding]]

COMPLAINTS: tuple[Rule, ...] = (signed_by.complaints, expect.complaints, inputs.complaints, times.complaints)


def complaints(claim: Claim, requirement: Requirement, policy: Policy, at: datetime) -> tuple[Finding, ...]:
    """Give every complaint of every rule about one claim; none means that it satisfies the requirement by itself."""
    return tuple(finding for rule in COMPLAINTS for finding in rule(claim, requirement, policy, at))
