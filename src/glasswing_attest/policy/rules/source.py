"""Was it built from this repository, at this branch or tag?

SLSA v1.2, verifying-artifacts.md, step 2: the canonical source repository. Which field of provenance says it, the
documentation of its build type tells (`statement.predicates.build_types`); where that names none, it is the repository
of the dependencies with the role ``code``, as far as that is one. It is as good as the builder's word.
"""

from __future__ import annotations

import re

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.findings import unexpected
from glasswing_attest.policy.identities import glob_matches
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.statement.predicates.run import Run
from glasswing_attest.statement.repository import repository

__all__ = ["complaints"]

# What programs read differently: one takes a backslash for a slash, and another leaves blanks out.
_ODD = re.compile(r"[\\\s\x00-\x20\x7f]")


def complaints(claim: Claim, requirement: Requirement, _circumstances: Circumstances) -> list[Finding]:
    """Complain about another repository, or another branch or tag of it."""
    run, expect = claim.predicate, requirement.expect
    if not isinstance(run, Run) or expect is None or (expect.source is None and expect.ref is None):
        return []
    said, found = run.source, []
    if expect.source is not None:
        theirs = "" if _ODD.search(said.uri) else repository(said.uri)
        if not theirs or theirs != repository(expect.source):
            told = said.uri or f"no source that {run.build_type or 'no build type'} documents"
            found.append(unexpected(requirement, "source", wanted=repository(expect.source), found=told))
    if expect.ref is not None and not (said.ref and glob_matches(expect.ref, said.ref)):
        found.append(unexpected(requirement, "ref", wanted=expect.ref, found=said.ref or "no branch or tag"))
    return found
