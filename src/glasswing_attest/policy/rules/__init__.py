"""One rule a file: each holds a claim against one part of a requirement and answers in findings.

A rule is a pure function. An empty answer means that the claim satisfies it; every complaint says what was found, what
was wanted and what to do. `COMPLAINTS` lists the rules that judge a single claim; `signed_by` also judges several
together.
"""

from __future__ import annotations

from collections.abc import Callable

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.policy.rules import (
    expect,
    inputs,
    level,
    max_age,
    metric,
    parameters,
    signed_by,
    source,
    times,
    version,
    where,
)

__all__ = ["COMPLAINTS", "Rule", "complaints"]

Rule = Callable[[Claim, Requirement, Circumstances], list[Finding]]

COMPLAINTS: tuple[Rule, ...] = (
    signed_by.complaints,
    expect.complaints,
    level.complaints,
    source.complaints,
    parameters.complaints,
    metric.complaints,
    version.complaints,
    inputs.complaints,
    times.complaints,
    max_age.complaints,
)


def complaints(claim: Claim, requirement: Requirement, circumstances: Circumstances) -> tuple[Finding, ...]:
    """Give every complaint of every rule about one claim; none means that it satisfies the requirement by itself."""
    found = tuple(finding for rule in COMPLAINTS for finding in rule(claim, requirement, circumstances))
    # A condition is work, which nobody makes us do whom the policy does not believe anyway.
    return found or tuple(where.complaints(claim, requirement, circumstances))
