"""Does the policy's own condition hold of what was signed?

`where` is a condition in CEL over what was verified. ::

    predicate   the predicate, as it was signed
    subject     the list of subjects, as they were signed
    signer      {"names": [...], "fingerprint": "..."} for a key of the trust;
                {"issuer": "...", "san": "...", "root": "...", "claims": {...}, "fingerprint": "..."} for a certificate

Only exactly ``true`` satisfies: no other value, and not the absence of one (`policy.cel.evaluate`). A condition that
takes too long does not hold either; and where all of them together take too long, nothing is decided.
"""

from __future__ import annotations

from glasswing_attest.claims import Claim
from glasswing_attest.errors import LimitError, shown
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import Budget
from glasswing_attest.policy.cel.condition import holds, read
from glasswing_attest.policy.cel.values import NoValue, Value
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.policy import Requirement

__all__ = ["complaints"]


def complaints(claim: Claim, requirement: Requirement, circumstances: Circumstances) -> list[Finding]:
    """Complain where the condition is not true."""
    if requirement.where is None:
        return []
    budget = Budget(circumstances.limits, "where_steps")
    try:
        value = holds(read(requirement.where), _variables(claim), budget=budget)
        if value is True:
            return []
        found = "false" if value is False else f"{shown(value)}, which is neither true nor false"
    except NoValue as e:
        found = f"no value: {shown(str(e))}"
    except LimitError as e:
        found = f"no value: it takes more than {circumstances.limits.where_steps} steps ({e.wanted})"
    finally:
        circumstances.conditions.spend(budget.spent, where=f"where of {requirement.predicate}")
    return [
        Finding(
            code="policy.where",
            tier=Tier.CONTRAINDICATED,
            subject=requirement.predicate,
            rule="where",
            found=found,
            wanted=requirement.where,
            do="ask for an artifact of which it is true, or change the condition",
        )
    ]


def _variables(claim: Claim) -> dict[str, Value]:
    """Give what a condition may look at: verified bytes, and who signed them."""
    signer = claim.signer
    told: dict[str, Value] = {
        "names": sorted(signer.names),
        "issuer": signer.issuer,
        "san": signer.san,
        "root": signer.root,
        "fingerprint": signer.fingerprint,
        "claims": dict(signer.claims),
    }
    return {
        "predicate": claim.statement.predicate,
        "subject": [subject.to_dict() for subject in claim.statement.subjects],
        "signer": {name: value for name, value in told.items() if value},
    }
