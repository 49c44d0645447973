"""Is it new enough?

Against rollback: whoever serves an older release, validly signed, serves what was wrong with it too. Versions are
ordered as PEP 440 orders them. What is no such version is not greater than any; nor is what comes before a release by
semantic versioning, and after it here: ``2.1.0-1``, which PEP 440 would rather have spelled ``2.1.0.post1``.
"""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.findings import unexpected
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.records import CodeRecord, DataRecord, ModelRecord
from glasswing_attest.statement.predicates.release import Release

__all__ = ["complaints"]

_LONGEST = 256


def complaints(claim: Claim, requirement: Requirement, _circumstances: Circumstances) -> list[Finding]:
    """Complain about an older version, or one that has no order."""
    expect, said = requirement.expect, claim.predicate
    if expect is None or expect.version_at_least is None:
        return []
    told = said.version if isinstance(said, Release | CodeRecord | DataRecord | ModelRecord) else None
    if told and len(told) <= _LONGEST:
        version = _ordered(told)
        if version is None:
            told = f"{told}, which has no order"
        elif version >= Version(expect.version_at_least):
            return []
    return [
        unexpected(
            requirement, "version_at_least", wanted=f"at least {expect.version_at_least}", found=told or "no version"
        )
    ]


def _ordered(text: str) -> Version | None:
    try:
        version = Version(text)
    except InvalidVersion:
        return None
    # Blanks around it are overlooked there, and nowhere else.
    public = text.partition("+")[0].lower()
    is_plain = not re.search(r"\s", text) and (version.post is None or f".post{version.post}" in public)
    return version if is_plain else None
