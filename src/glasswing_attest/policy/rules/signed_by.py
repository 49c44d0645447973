"""Did the right identities sign, and enough distinct ones?

A threshold counts distinct signers, assigned to distinct names by matching: one key under two names counts once, and
so do two signatures by one key. Each signer's statement must satisfy the whole requirement.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import Budget
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.identities import asked, is_signer, mismatches
from glasswing_attest.policy.policy import Policy, Requirement, SignedBy

__all__ = ["complaints", "enough", "names_of", "wanted_of"]


def names_of(claim: Claim, rule: SignedBy, policy: Policy) -> frozenset[str]:
    """Give the identities of the rule that the claim's signer is."""
    return frozenset(name for name in rule.names if is_signer(policy.identities[name], claim.signer))


def complaints(claim: Claim, requirement: Requirement, circumstances: Circumstances) -> list[Finding]:
    """Complain when the signer is none of the identities."""
    policy = circumstances.policy
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Voice:
    """A claim, and the identities of the rule that its signer is."""

    claim: Claim
    names: frozenset[str]

    @property
    def key(self) -> str:
        return self.claim.signer.fingerprint

    @property
    def principal(self) -> str:
        signer = self.claim.signer
        # One private authority may be believed under several names, by which its people do not become more.
        return signer.principal if signer.names or signer.issuer else signer.san


def enough(claims: Sequence[Claim], rule: SignedBy, policy: Policy, budget: Budget) -> tuple[Claim, ...]:
    """Give claims by `rule.count` distinct signers, each standing for a distinct name; nothing when there are too few.

    `claims` come in order of preference: of the first that suffice. For ``same_statement`` all must have the same
    payload.

    Raises:
        LimitError: it takes more steps than the budget has.
    """
    voices = [_Voice(claim=claim, names=names_of(claim, rule, policy)) for claim in claims]
    groups: dict[str, list[int]] = {}
    for number, claim in enumerate(claims):
        groups.setdefault(claim.key[0] if rule.over == "same_statement" else "", []).append(number)
    found: dict[int, list[_Voice]] = {}
    for numbers in groups.values():
        several = [voices[number] for number in numbers]
        fewest = _fewest(several, rule.count, budget)
        if fewest is not None:
            found[numbers[fewest - 1]] = _distinct(several[:fewest], rule.count, budget)
    if not found:
        return ()
    order = {id(claim): number for number, claim in enumerate(claims)}
    chosen = (voice.claim for voice in found[min(found)])
    return tuple(sorted(chosen, key=lambda claim: order[id(claim)])[: rule.count])


def _fewest(voices: Sequence[_Voice], count: int, budget: Budget) -> int | None:
    """Give how many of them suffice, from the first on. More claims are never fewer signers, so it is searched for."""
    several = range(count, len(voices) + 1)
    place = bisect_left(several, True, key=lambda number: bool(_distinct(voices[:number], count, budget)))
    return several[place] if place < len(several) else None


def _distinct(voices: Sequence[_Voice], count: int, budget: Budget) -> list[_Voice]:
    """Choose so many claims by distinct signers for distinct names. One key is one signer, and so is one principal."""
    left = [voices]
    while left:
        among = left.pop()
        budget.spend(len(among), where="signed_by")
        chosen = _matched(among)
        if len(chosen) < count:
            continue
        keys = [voice.key for voice in chosen]
        twice = min((key for key in keys if keys.count(key) > 1), default=None)
        if twice is None:
            return chosen
        # A key that signs by itself and through a certificate has two principals, of which one may count: either is
        # tried, since to have one of them at hand must not be worse than to have none.
        ways = sorted({voice.principal for voice in among if voice.key == twice}, reverse=True)
        left += [[v for v in among if v.key != twice or v.principal == way] for way in ways]
    return []


def _matched(voices: Iterable[_Voice]) -> list[_Voice]:
    signers: dict[str, list[_Voice]] = {}
    for voice in voices:
        signers.setdefault(voice.principal, []).append(voice)
    names = {principal: frozenset().union(*(v.names for v in several)) for principal, several in signers.items()}
    return [next(v for v in signers[p] if name in v.names) for name, p in _assign(names).items()]


def _assign(names: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Match signers to distinct names, as many as possible (augmenting paths). Gives name -> signer."""
    taken: dict[str, str] = {}
    # From where a search ended in vain no later one leads on, so each name is gone through once for all of those.
    vain: set[str] = set()
    for signer in names:
        came: dict[str, str] = {}  # who asks for a name: a signer without one, or one who would give up his own
        asking, free = deque([signer]), None
        while asking and free is None:
            each = asking.popleft()
            for name in sorted(names[each] - vain - came.keys()):
                came[name] = each
                if name not in taken:
                    free = name
                    break
                asking.append(taken[name])
        if free is None:
            vain |= came.keys()
            continue
        has = {holder: name for name, holder in taken.items()}
        while free is not None:
            taken[free] = came[free]
            free = has.get(came[free])
    return taken
