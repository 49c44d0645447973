"""What was found out, in words a machine can read?

A `Finding` is one stable code with its tier, subject, what was found, what was wanted and what to do. Chain edges,
policy rules and appraisals all speak in findings, so one report carries everything. Tiers use the words of AR4SI
(draft-ietf-rats-ar4si, section 2.3): none, affirming, warning, contraindicated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from glasswing_attest.errors import shown

__all__ = ["FINDING_CODES", "Finding", "Tier", "told_apart", "worst"]

_FACT = 1000
"""So many characters of a fact are told in a line."""


FINDING_CODES = (
    "accepted",
    "artifact.excluded",
    "artifact.part",
    "chain.causality",
    "chain.contradiction",
    "chain.cycle",
    "chain.no-attestation",
    "chain.no-rule",
    "chain.scope",
    "chain.trim",
    "chain.untold",
    "deps.bytecode",
    "deps.digest",
    "deps.digest-unproved",
    "deps.duplicate",
    "deps.editable",
    "deps.extra-package",
    "deps.file-missing",
    "deps.intact",
    "deps.interpreter",
    "deps.modified",
    "deps.no-record",
    "deps.outside",
    "deps.package-missing",
    "deps.path",
    "deps.pth",
    "deps.record-changed",
    "deps.scripts",
    "deps.sitecustomize",
    "deps.source",
    "deps.startup-code",
    "deps.system-packages",
    "deps.undecided",
    "deps.unhashed",
    "deps.unowned",
    "deps.unowned-recorded",
    "deps.version",
    "policy.contradiction",
    "policy.contradicts-subject",
    "policy.declared",
    "policy.dirty",
    "policy.doubtful",
    "policy.expect",
    "policy.inputs",
    "policy.max-age",
    "policy.rollback",
    "policy.same",
    "policy.signed-by",
    "policy.threshold",
    "policy.times",
    "policy.times-claimed",
    "policy.where",
    "report.differs",
    "report.replayed",
    "tests.no-refusal",
    "tests.no-yes",
    "tests.unused-policy",
    "verification.time-unproven",
)
"""Every code of a finding, beside those of errors. Each has a section in ``docs/errors.md``."""


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
    """One thing that was found out. Its `code` is stable and has a section in ``docs/errors.md``.

    `rule` is where the policy asks for it, and `requirement` which of several there: its label, or what predicate it
    asks for. `evidence` is what was found there to be wrong: where it came from, and the digest of what was signed.
    """

    code: str
    tier: Tier
    subject: str
    rule: str = ""
    found: str = ""
    wanted: str = ""
    do: str = ""
    requirement: str = ""
    evidence: str = ""

    def __str__(self) -> str:
        # The fields are as they were found, also what evidence says; a line of text goes to logs and terminals.
        told = (("found", told_apart(self.found, self.wanted)), ("wanted", self.wanted))
        facts = [f"{name} {shown(value, _FACT)}" for name, value in told if value]
        text = f"{shown(self.subject)}: {self.code}"
        if facts:
            text += f" ({', '.join(facts)})"
        do = shown(self.do, _FACT) if self.do else ""
        return f"{text}. {do[0].upper()}{do[1:]}" if do else text


def told_apart(found: str, wanted: str) -> str:
    r"""Give what was found so that nobody takes it for what was wanted, where it only looks like that.

    >>> print(told_apart("https://ci.ex\N{CYRILLIC SMALL LETTER A}mple", "https://ci.example"))
    'https://ci.ex\u0430mple'
    >>> told_apart("main ", "main"), told_apart("Müller", "Jonas")
    ("'main '", 'Müller')
    """
    plain = found.strip()
    differs = found == wanted or len(plain) != len(wanted)
    if differs or any(one != other and one.isascii() for one, other in zip(plain, wanted, strict=True)):
        return found
    return ascii(found)


def worst(findings: Iterable[Finding]) -> Tier:
    """Give the worst tier; of nothing, `Tier.NONE`."""
    return max((f.tier for f in findings), key=lambda tier: tier.severity, default=Tier.NONE)
