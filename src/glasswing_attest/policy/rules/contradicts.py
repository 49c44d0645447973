"""Does a record contradict the very thing that it is about?

The digests of the subject decide what a statement is about; what the record inside says of the same bytes must agree
with them. It is held against them by its own `described_by`, as it was when it was made: a commit or tree of another
name, another directory's listing, a tree where there is a single file, or changes that a commit cannot hold.
"""

from __future__ import annotations

from glasswing_attest.artifact.digest import Form
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.claims import Claim
from glasswing_attest.errors import MalformedError
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.records.base import Record
from glasswing_attest.verification.subject import MatchedSubject

__all__ = ["complaints"]


def complaints(claim: Claim, matched: MatchedSubject) -> list[Finding]:
    """Complain about a record that says something else than the digests of the subject that matched."""
    record, digests = claim.predicate, matched.subject.digest
    if not isinstance(record, Record):
        return []
    # A commit is what was committed: whoever says that there was more did not say it of the commit.
    facts = {"dirty": "false"} if digests.form is Form.GIT else {}
    try:
        record.described_by(Manifest(kind="file", form=digests.form, digests=digests, facts=facts, is_declared=True))
    except MalformedError as e:
        return [
            Finding(
                code="policy.contradicts-subject",
                tier=Tier.CONTRAINDICATED,
                subject=claim.statement.predicate_type,
                found=f"{e.where} {e.found}",
                wanted=str(e.wanted),
                do="have it attested anew: what it says of the bytes is not what it is about",
            )
        ]
    return []
