"""What was found out, in words a machine can read?

A `Finding` is one stable code with its tier, subject, what was found, what was wanted and what to do. Chain edges,
policy rules and appraisals all speak in findings, so one report carries everything. Tiers use the words of AR4SI
(draft-ietf-rats-ar4si, section 2.3): none, affirming, warning, contraindicated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Tier", "worst"]


class Tier(StrEnum):
    """How bad it is. ``NONE`` means that nothing was evaluated, and is never an affirmation."""

    NONE = "none"
    AFFIRMING = "affirming"
    WARNING = "warning"
    CONTRAINDICATED = "contraindicated"

    @property
    def severity(self) -> int:
        """The AR4SI number: 0, 2, 32 or 96."""
        return {"none": 0, "affirming": 2, "warning": 32, "contraindicated": 96}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that was found out. Its `code` is stable and has a section in ``docs/errors.md``."""

    code: str
    tier: Tier
    subject: str
    rule: str = ""
    found: str = ""
    wanted: str = ""
    do: str = ""

    def __str__(self) -> str:
        facts = [f"{name} {value}" for name, value in (("found", self.found), ("wanted", self.wanted)) if value]
        text = f"{self.subject}: {self.code}"
        if facts:
            text += f" ({', '.join(facts)})"
        return f"{text}. {self.do}" if self.do else text


def worst(findings: Iterable[Finding]) -> Tier:
    """Give the worst tier; of nothing, `Tier.NONE`."""
    return max((f.tier for f in findings), key=lambda tier: tier.severity, default=Tier.NONE)
