"""Does the run name as many inputs of each role as it should?

Counted are distinct things. Where two descriptors may be the same thing, the count that makes the rule stricter is
taken: for a minimum they count once, for a maximum twice.
"""

from __future__ import annotations

from glasswing_attest.artifact.digest import DigestSet, Form
from glasswing_attest.claims import Claim
from glasswing_attest.errors import shown
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["complaints"]

_TOLD = 3


def complaints(claim: Claim, requirement: Requirement, _circumstances: Circumstances) -> list[Finding]:
    """Complain about every role with too few or too many inputs."""
    found = []
    for role, wanted in requirement.inputs.items():
        named = [d.resource for d in claim.dependencies if d.kind == role]
        least, most = _least([r.digest for r in named]), _most(named)
        if least < wanted.least or (wanted.most is not None and most > wanted.most):
            found.append(
                Finding(
                    code="policy.inputs",
                    tier=Tier.CONTRAINDICATED,
                    subject=requirement.predicate,
                    rule=f"inputs.{role}",
                    found=f"{least}{_unknown(claim)}" if least < wanted.least else str(most),
                    wanted=f"at least {wanted.least}" + ("" if wanted.most is None else f", at most {wanted.most}"),
                    do=f"record every {role} that the run used, and nothing else",
                )
            )
    return found


def _unknown(claim: Claim) -> str:
    """Say which roles are none that is known: what has one may have been meant for another."""
    roles = sorted({d.role for d in claim.dependencies if d.role not in ("", *ROLES)})
    more = ", …" if len(roles) > _TOLD else ""
    told = ", ".join(shown(role) for role in roles[:_TOLD])
    return f", beside what has the role {told}{more}: no known one, so it counts as dependency" if roles else ""


def _most(named: list[ResourceDescriptor]) -> int:
    """Count what may be distinct: other digests are another thing, and what no digest identifies is always one."""
    identified = {r.digest for r in named if r.digest.identity}
    return len(identified) + sum(not r.digest.identity for r in named)


def _least(sets: list[DigestSet]) -> int:
    """Count what is certainly distinct: things that share no digest, and of which some algorithm tells them apart."""
    values: dict[Form, dict[str, set[str]]] = {}
    for digests in sets:
        for digest in digests.identity:
            values.setdefault(digests.form, {}).setdefault(digest.algorithm, set()).add(digest.value)
    apart = sum(max(map(len, algorithms.values())) for algorithms in values.values())
    return min(_merged(sets), apart or len(sets[:1]))


def _merged(sets: list[DigestSet]) -> int:
    """Count groups of digest sets that hang together by shared digests (union-find, so linear in the digests)."""
    parent: dict[object, object] = {}

    def top(item: object) -> object:
        while parent.setdefault(item, item) != item:
            parent[item] = item = parent[parent[item]]
        return item

    for digests in sets:
        first, *others = digests.identity or (digests,)
        for other in others:
            parent[top(other)] = top(first)
        top(first)
    return len({top(item) for item in list(parent)})
