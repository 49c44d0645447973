"""Which SLSA build level does a run have?

SLSA v1.2, verifying-artifacts.md, step 1: a level follows from the pair of signer and `builder.id`, as the policy's
`builders` say; never from what the provenance says of itself. A pair that stands nowhere has level 1.
"""

from __future__ import annotations

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.findings import unexpected
from glasswing_attest.policy.identities import glob_matches, is_signer
from glasswing_attest.policy.policy import Policy, Requirement
from glasswing_attest.statement.predicates.run import Run

__all__ = ["complaints", "granted"]


def granted(claim: Claim, policy: Policy) -> int:
    """Give the SLSA build level of a run: 1 to 3; 0 for what is no run."""
    run = claim.predicate
    if not isinstance(run, Run):
        return 0
    levels = (
        builder.level
        for builder in policy.builders
        if glob_matches(builder.id, run.builder_id)
        and any(is_signer(policy.identities[name], claim.signer) for name in builder.signed_by)
    )
    return max(levels, default=1)


def complaints(claim: Claim, requirement: Requirement, circumstances: Circumstances) -> list[Finding]:
    """Complain about a run whose builder is not believed as far as is asked."""
    wanted = 0 if requirement.expect is None else requirement.expect.build_level
    found = granted(claim, circumstances.policy)
    # A verification summary has levels of its own, as text; `expect` compares them.
    if not isinstance(claim.predicate, Run) or found >= wanted:
        return []
    return [
        unexpected(
            requirement,
            "level",
            wanted=f"at least level {wanted}",
            found=f"level {found}, for {claim.predicate.builder_id} signed by {claim.signer.described}",
            do="use a builder of that level; or add the pair of signer and builder to `builders`, if it is one",
        )
    ]
