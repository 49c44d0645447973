"""Is it recent enough?

Age counts from the time before which the statement was not made, to now. A witness gives no such time: anybody can log
or stamp an old envelope again. The start of the signing certificate's life is one; and so is when the signer himself
says that he found it out (a run's end, a scan's, a verification's), which is all that there is where a key signed. Now
is the later one of `at` and the time of the verification: an earlier `at` makes nothing younger.
"""

from __future__ import annotations

from glasswing_attest._wire import format_time
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.durations import in_words
from glasswing_attest.policy.policy import Requirement

__all__ = ["complaints"]


def complaints(claim: Claim, requirement: Requirement, circumstances: Circumstances) -> list[Finding]:
    """Complain about what is too old, does not tell how old it is, or tells a time that has not come yet."""
    oldest, since = requirement.oldest, claim.not_before
    if oldest is None:
        return []
    if since is None:
        return [
            Finding(
                code="verification.time-unproven",
                tier=Tier.CONTRAINDICATED,
                subject=requirement.predicate,
                rule="max_age",
                found="neither a certificate nor a time in the predicate",
                wanted=f"at most {requirement.max_age} old",
                do="sign it with a certificate, or let the predicate say when it was found out",
            )
        ]
    age = circumstances.latest - since
    if since <= (claim.signed_by or circumstances.latest) and age <= oldest:
        return []
    told = in_words(age) + (" old" if since <= circumstances.latest else " from now")
    return [
        Finding(
            code="policy.max-age",
            tier=Tier.CONTRAINDICATED,
            subject=requirement.predicate,
            rule="max_age",
            found=f"{format_time(since)}, {told}",
            wanted=f"at most {requirement.max_age} old",
            do="have it done again; if it is recent, check the clocks of whoever signed it and of this machine",
        )
    ]
