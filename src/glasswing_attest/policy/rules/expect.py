"""Does the predicate say what is expected?

Provenance: builder.id and buildType, exactly (SLSA v1.2, verifying-artifacts.md, steps 1 and 2). Verification summary:
verifier.id, resourceUri, PASSED, and the level or a higher one of its track (verification_summary.md, "How to verify").
"""

from __future__ import annotations

import re
from datetime import datetime

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.policy import Policy, Requirement
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.predicates.summary import VerificationSummary

__all__ = ["complaints"]

_LEVEL = re.compile(r"(SLSA_[A-Z_]+_LEVEL)_([0-9])")


def complaints(claim: Claim, requirement: Requirement, _policy: Policy, _at: datetime) -> list[Finding]:
    """Complain about every expectation that the predicate does not meet."""
    said, expect = claim.predicate, requirement.expect
    if expect is None:
        return []
    pairs: list[tuple[str, str | None, str]] = []
    if isinstance(said, Provenance):
        pairs = [("builder", expect.builder, said.builder_id), ("build_type", expect.build_type, said.build_type)]
    elif isinstance(said, VerificationSummary):
        pairs = [
            ("verifier", expect.verifier, said.verifier_id),
            ("resource", expect.resource, said.resource_uri),
            ("result", "PASSED", said.result),
            ("level", _best(expect.level, said.levels), expect.level or ""),
        ]
    return [_differs(requirement, name, wanted, found) for name, wanted, found in pairs if wanted not in (None, found)]


def _best(wanted: str | None, levels: tuple[str, ...]) -> str | None:
    """Give what the summary's levels amount to for the wanted one: itself when they reach it, else what they say."""
    if wanted is None or wanted in levels:
        return wanted
    track = _LEVEL.fullmatch(wanted)
    for level in levels:
        found = _LEVEL.fullmatch(level)
        if track and found and found[1] == track[1] and int(found[2]) >= int(track[2]):
            return wanted
    return ", ".join(levels) or "no level"


def _differs(requirement: Requirement, name: str, wanted: str | None, found: str) -> Finding:
    if name == "level":
        wanted, found = found, str(wanted)
    return Finding(
        code="policy.expect",
        tier=Tier.CONTRAINDICATED,
        subject=requirement.predicate,
        rule=f"expect.{name}",
        found=found,
        wanted=str(wanted),
        do="use an attestation that says so, or change what the policy expects",
    )
