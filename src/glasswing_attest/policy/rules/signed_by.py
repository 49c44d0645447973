"""Did the right identities sign, and enough distinct ones?

A threshold counts distinct signers, assigned to distinct names by matching: one key under two names counts once, and
so do two signatures by one key. Each signer's statement must satisfy the whole requirement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.identities import asked, is_signer, mismatches
from glasswing_attest.policy.policy import Policy, Requirement, SignedBy

__all__ = ["complaints", "enough", "names_of", "wanted_of"]


def names_of(claim: Claim, rule: SignedBy, policy: Policy) -> frozenset[str]:
    """Give the identities of the rule that the claim's signer is."""
    return frozenset(name for name in rule.names if is_signer(policy.identities[name], claim.signer))


def complaints(claim: Claim, requirement: Requirement, policy: Policy, _at: datetime) -> list[Finding]:
    """Complain when the signer is none of the identities."""
    if names_of(claim, requirement.signed_by, policy):
        return []
    return [
        Finding(
            code="policy.signed-by",
            tier=Tier.CONTRAINDICATED,
            subject=requirement.predicate,
            rule="signed_by",
            found=f"signed by {claim.signer.described}{_hidden(claim, requirement.signed_by, policy)}",
            wanted=" or ".join(wanted_of(requirement.signed_by, policy)),
            do="have it signed by one of them, or name this signer in the policy",
        )
    ]


def wanted_of(rule: SignedBy, policy: Policy) -> tuple[str, ...]:
    """Say whom the rule asks for, each by the policy's name and what that stands for."""
    return tuple(asked(name, policy.identities[name]) for name in rule.names)


_SHOWN = frozenset({"key", "issuer", "authority", "root", "san"})


def _hidden(claim: Claim, rule: SignedBy, policy: Policy) -> str:
    """Say what else of the signer's certificate is not as the closest identity wants it."""
    several = [dict(mismatches(policy.identities[name], claim.signer)) for name in rule.names]
    closest = min(several, key=len)
    if _SHOWN & closest.keys():
        return ""
    return f", with {', '.join(f'{part} {value}' if value else f'no {part}' for part, value in closest.items())}"


def enough(claims: Sequence[Claim], rule: SignedBy, policy: Policy) -> tuple[Claim, ...]:
    """Give claims by `rule.count` distinct signers, each standing for a distinct name; nothing when there are too few.

    `claims` come in order of preference. For ``same_statement`` all must have the same payload.
    """
    if rule.over == "same_statement":
        by_payload: dict[str, list[Claim]] = {}
        for claim in claims:
            by_payload.setdefault(claim.key[0], []).append(claim)
        groups: Iterable[Sequence[Claim]] = by_payload.values()
    else:
        groups = [claims]
    for group in groups:
        chosen = _distinct(group, rule, policy)
        if len(chosen) >= rule.count:
            order = {id(c): i for i, c in enumerate(group)}
            return tuple(sorted(chosen, key=lambda c: order[id(c)])[: rule.count])
    return ()


def _distinct(claims: Sequence[Claim], rule: SignedBy, policy: Policy) -> list[Claim]:
    """Choose claims by distinct signers for distinct names, as many as possible. One key is one signer."""
    chosen = _matched(claims, rule, policy)
    prints = [c.signer.fingerprint for c in chosen]
    # A key that signs by itself and through a certificate has two principals. Each of its ways is tried alone, and no
    # further: that can only be too strict.
    for twice in sorted({p for p in prints if prints.count(p) > 1}):
        ways = {c.signer.principal for c in claims if c.signer.fingerprint == twice}
        fewer = [
            _matched([c for c in claims if c.signer.fingerprint != twice or c.signer.principal == way], rule, policy)
            for way in sorted(ways)
        ]
        chosen = max(fewer, key=len)
    prints = [c.signer.fingerprint for c in chosen]
    return [c for i, c in enumerate(chosen) if c.signer.fingerprint not in prints[:i]]


def _matched(claims: Sequence[Claim], rule: SignedBy, policy: Policy) -> list[Claim]:
    signers: dict[str, list[Claim]] = {}
    for claim in claims:
        signers.setdefault(claim.signer.principal, []).append(claim)
    names = {p: set().union(*(names_of(c, rule, policy) for c in cs)) for p, cs in signers.items()}
    return [next(c for c in signers[p] if n in names_of(c, rule, policy)) for n, p in _assign(names).items()]


def _assign(names: dict[str, set[str]]) -> dict[str, str]:
    """Match signers to distinct names, as many as possible (augmenting paths). Gives name -> signer."""
    taken: dict[str, str] = {}

    def place(signer: str, seen: set[str]) -> bool:
        for name in sorted(names[signer] - seen):
            seen.add(name)
            if name not in taken or place(taken[name], seen):
                taken[name] = signer
                return True
        return False

    for signer in names:
        place(signer, set())
    return taken
