"""Do trusted signers contradict each other about one thing?

Each of them says what is asked for, and so each would do; but they tell two accounts of one thing. A run: who built it,
how, and with which parameters. A verdict (a verification summary, a test result): that it passed, and that it did not.

It is a warning. Where the policy says ``contradictions: deny`` such a thing does not stand. That is the one rule by
which more evidence may turn a yes into a no, so it is asked for in so many words.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from glasswing_attest.chain.thing import Candidate, Thing, Wanted, name_within
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.paths import key_of
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.statement.predicates.run import Run
from glasswing_attest.statement.predicates.summary import VerificationSummary
from glasswing_attest.statement.predicates.test_result import SuiteResult

__all__ = ["Accounts"]

_RESULT = "expect.result"

_TOLD = 8
"""So many accounts are told."""


class Accounts:
    """What claims say that others of their kind must not contradict. Each run's is found once, whatever it made."""

    def __init__(self) -> None:
        self._of_runs: dict[int, int] = {}
        self._numbers: dict[Hashable, int] = {}

    def contradiction(self, thing: Thing, *, denied: bool) -> Finding | None:
        """Say that accepted signers say different things about a thing, for the first requirement where they do."""
        return next((found for wanted in thing.wanted if (found := self._among(thing, wanted, denied))), None)

    def _among(self, thing: Thing, wanted: Wanted, denied: bool) -> Finding | None:
        if len(wanted.candidates) < 2:
            return None
        accounts: dict[Hashable, tuple[str, Claim]] = {}
        for candidate in wanted.candidates:
            if (account := self._account(candidate)) is not None:
                accounts.setdefault(account[0], (account[1], candidate.claim))
        return _finding(thing, wanted.requirement, list(accounts.values()), denied) if len(accounts) > 1 else None

    def _account(self, candidate: Candidate) -> tuple[Hashable, str] | None:
        """Give what a claim says, and the words for it."""
        said = candidate.claim.predicate
        # Whoever says that it failed does not satisfy the requirement, for that reason alone.
        if any(complaint.rule != _RESULT for complaint in candidate.complaints):
            return None
        if isinstance(said, Run):
            return None if candidate.complaints else (self._number(said), f"{said.builder_id} {said.build_type}")
        if isinstance(said, VerificationSummary | SuiteResult):
            return (passed := not candidate.complaints), "it passed" if passed else "it did not pass"
        return None

    def _number(self, run: Run) -> int:
        """Give the number of an account of a run: to compare two is work, since parameters may be many."""
        if id(run) not in self._of_runs:
            account = (run.builder_id, run.build_type, key_of(run.external))  # type: ignore[arg-type]
            self._of_runs[id(run)] = self._numbers.setdefault(account, len(self._numbers))
        return self._of_runs[id(run)]


def _finding(thing: Thing, requirement: Requirement, accounts: Sequence[tuple[str, Claim]], denied: bool) -> Finding:
    """Tell the accounts, each with who gives it and where it stands; the same signer may give several."""
    told = sorted(f"{words}, says {claim.signer.described} in sha256:{claim.key[0][:12]}" for words, claim in accounts)
    several = "; ".join((*told[:_TOLD], *(["…"] if len(told) > _TOLD else [])))
    alike = len({words for words, _ in accounts}) == 1
    signers = {claim.signer.principal: claim.signer.described for _, claim in accounts}
    do = "find out which of them is right, and have the other signer revoked"
    if len(signers) == 1:
        do = f"ask {next(iter(signers.values()))}, who says all of it, which is right, and leave out what is not"
    return Finding(
        code="policy.contradiction" if denied else "chain.contradiction",
        tier=Tier.CONTRAINDICATED if denied else Tier.WARNING,
        subject=f"{thing.reference.kind} {thing.name}",
        rule="contradictions",
        found=f"{several}; with other parameters each time" if alike else several,
        wanted="one account of it",
        do=do,
        requirement=name_within(thing, requirement),
    )
