"""How does a rule complain that a predicate does not say what is expected, and how are values told?"""

from __future__ import annotations

import json
from decimal import Decimal

from glasswing_attest._wire import JsonValue
from glasswing_attest.errors import shown
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.policy import Requirement

__all__ = ["told", "unexpected"]


def unexpected(
    requirement: Requirement,
    name: str,
    *,
    wanted: str,
    found: str,
    do: str = "ask for an artifact that meets it, or change what the policy expects",
) -> Finding:
    """Give the complaint that `expect.NAME` is not met."""
    return Finding(
        code="policy.expect",
        tier=Tier.CONTRAINDICATED,
        subject=requirement.predicate,
        rule=f"expect.{name}",
        found=found,
        wanted=wanted,
        do=do,
    )


def told(value: JsonValue) -> str:
    """Show a value as JSON writes it, so that a text is told from a number.

    >>> told(1), told("1"), told(None)
    ('1', '"1"', 'nothing')
    """
    if value is None:
        return "nothing"
    return shown(str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False, default=str))
