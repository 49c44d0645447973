"""What else is known when a claim is judged: under which policy, at which time, within which bounds?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.policy.policy import Policy

__all__ = ["Circumstances"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the rules know beside claim and requirement.

    Attributes:
        policy: the whole policy.
        at: the time against which claimed times are held.
        latest: the later one of `at` and the time of the verification itself: an earlier `at` makes nothing younger.
        limits: the bounds on untrusted input.
        conditions: what all conditions together may still cost.
    """

    policy: Policy
    at: datetime
    latest: datetime
    limits: Limits = DEFAULT
    conditions: Budget = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "conditions", Budget(self.limits, "where_steps_in_all"))
