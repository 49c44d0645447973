"""Does the predicate say what is expected?

Provenance: builder.id, exactly or by a glob, and buildType, exactly (SLSA v1.2, verifying-artifacts.md, steps 1 and 2).
Verification summary: verifier.id, resourceUri, PASSED, the policy and its digest, and each level or a higher one of its
track (verification_summary.md, "How to verify"); for a commit also a reference, which stands beside its digest in the
subject (verifying-source.md, step 2). Source provenance: repository and branch. Release: its package URL. Simple
verification result: verifier.id, and each of the properties. A test result that failed and a scan without a result
satisfy nothing, without being asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.findings import unexpected
from glasswing_attest.policy.identities import glob_matches
from glasswing_attest.policy.policy import Expect, Requirement
from glasswing_attest.statement.predicates.release import Release
from glasswing_attest.statement.predicates.run import Run
from glasswing_attest.statement.predicates.source import SourceProvenance, source_refs
from glasswing_attest.statement.predicates.summary import VerificationSummary
from glasswing_attest.statement.predicates.svr import SimpleVerificationResult
from glasswing_attest.statement.predicates.test_result import SuiteResult
from glasswing_attest.statement.predicates.vulns import CosignScan, VulnScan
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.verification.subject import MatchedSubject

__all__ = ["complaints", "complaints_about"]

_LEVEL = re.compile(r"(SLSA_[A-Z_]+_LEVEL)_([0-9])")
_FAILED = "FAILED"


def complaints(claim: Claim, requirement: Requirement, _circumstances: Circumstances) -> list[Finding]:
    """Complain about every expectation that the predicate does not meet."""
    said, expect = claim.predicate, requirement.expect
    found = [_complaint(requirement, *facts) for facts in _against(said)]
    if expect is None:
        return found
    if isinstance(said, Run) and expect.builder is not None and not glob_matches(expect.builder, said.builder_id):
        found.append(_complaint(requirement, "builder", expect.builder, said.builder_id))
    for name, wanted, told in _equal(said, expect):
        if wanted is not None and wanted != told:
            found.append(_complaint(requirement, name, wanted, told))
    if isinstance(said, VerificationSummary):
        # A verifier lists FAILED among the levels where an evaluation failed: such a summary passed nothing.
        if said.result == "PASSED" and _FAILED in said.levels:
            found.append(_complaint(requirement, "result", "PASSED alone", ", ".join(said.levels)))
        # What failed has no level: that it failed is all that there is to say.
        for level in () if said.result == "FAILED" or _FAILED in said.levels else expect.levels:
            if not _reaches(level, said.levels):
                # The text is for people alone: a level may be called what another summary's list reads like.
                found.append(_complaint(requirement, "level", level, ", ".join(said.levels) or "no level"))
    if isinstance(said, SimpleVerificationResult):
        for name in expect.properties or ():
            if name not in said.properties:
                found.append(_complaint(requirement, "properties", name, ", ".join(said.properties) or "no property"))
    return found


def _against(said: object) -> Iterator[tuple[str, str, str]]:
    """Give what speaks against a claim whatever is expected: who asks for a check does not mean one that failed."""
    if isinstance(said, SuiteResult) and said.result == "FAILED":
        yield "result", "PASSED or WARNED", said.result
    # A scan with findings is a scan; one that does not say what it found is none.
    if isinstance(said, VulnScan | CosignScan) and said.result is None:
        yield "result", "what was found, if only that it is nothing", "no result"


def complaints_about(claim: Claim, matched: MatchedSubject, requirement: Requirement) -> list[Finding]:
    """Complain about what a summary's subject does not say, although it is expected beside the digest that matched."""
    expect = requirement.expect
    if expect is None or expect.ref is None or not isinstance(claim.predicate, VerificationSummary):
        return []
    refs = source_refs(matched.subject)
    return [] if expect.ref in refs else [_complaint(requirement, "ref", expect.ref, ", ".join(refs) or "no reference")]


def _equal(said: object, expect: Expect) -> list[tuple[str, str | None, str]]:
    """Give what must be equal: the expectation's name, what is wanted, and what the predicate says."""
    if isinstance(said, Run):
        return [("build_type", expect.build_type, said.build_type)]
    if isinstance(said, VerificationSummary):
        return [
            ("verifier", expect.verifier, said.verifier_id),
            ("resource", expect.resource, said.resource_uri),
            ("result", "PASSED", said.result),
            ("policy", expect.policy, "" if said.policy is None else said.policy.uri),
            ("policy_digest", expect.policy_digest, _sha256(said.policy)),
        ]
    if isinstance(said, SourceProvenance):
        return [("resource", expect.resource, said.repo_uri), ("ref", expect.ref, said.branch)]
    if isinstance(said, Release):
        # A package whose version only has to be great enough is named without it.
        purl = said.purl if expect.version_at_least is None else said.package
        return [("resource", expect.resource, purl)]
    if isinstance(said, SimpleVerificationResult):
        return [("verifier", expect.verifier, said.verifier_id)]
    return []


def _sha256(policy: ResourceDescriptor | None) -> str:
    value = None if policy is None else policy.digest.to_dict().get("sha256")
    return "no sha256" if value is None else f"sha256:{value}"


def _reaches(wanted: str, levels: tuple[str, ...]) -> bool:
    """Tell whether one of the levels is the wanted one, or a higher one of its track."""
    if wanted in levels:
        return True
    track = _LEVEL.fullmatch(wanted)
    found = [_LEVEL.fullmatch(level) for level in levels]
    return track is not None and any(f is not None and f[1] == track[1] and f[2] >= track[2] for f in found)


def _complaint(requirement: Requirement, name: str, wanted: str, found: str) -> Finding:
    return unexpected(requirement, name, wanted=wanted, found=found)
