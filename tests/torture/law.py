"""What may a changed bundle do? Be refused by an error of ours, or prove what was proved before, and nothing else.

The one thing that may be missing is where the signature stands in a log, and only in a bundle of version 0.1: it may
come without a proof.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.procedure import VerifiedMessage, prove, prove_message
from glasswing_attest.verification.timestamps import VerifiedTimes
from glasswing_attest.verification.transparency import LogPosition
from tests.bundles import HASHES

__all__ = ["Facts", "Outcome", "Question", "Told", "heads_of", "judged"]

Signer = tuple[object, ...]
Times = tuple[frozenset[tuple[datetime, str]], datetime | None, datetime | None]
Told = tuple[object, Signer, Times]

_CLAIMED = datetime(2026, 1, 1, tzinfo=UTC)


class Outcome(StrEnum):
    """What came of one mutation."""

    REFUSED = "refused"
    SAME = "same facts"
    LESS = "fewer facts"
    WRONG = "wrong accept"
    FOREIGN = "foreign exception"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was proved: by whom, when and what, for each way in which it was; and where it is logged."""

    heads: frozenset[Told]
    logs: frozenset[LogPosition] = frozenset()

    @property
    def head(self) -> Told:
        """What was proved, where it was in one way."""
        (head,) = self.heads
        return head


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whom to believe, and about which artifact, where one was signed directly. Times are claimed for keys alone."""

    trust: Trust
    content: bytes | None = None
    digest: tuple[str, bytes] | None = None

    def ask(self, data: bytes) -> Facts:
        """Prove a bundle as it came. Raises `GlasswingError` for everything that is not a yes."""
        if self.content is None and self.digest is None:
            proved = prove(Attestation.parse(data), self.trust, claimed_at=_CLAIMED)
            return Facts(heads=heads_of(proved), logs=frozenset(at for each in proved for at in each.logs))
        bundle = Bundle.from_json(data)
        digest = self.digest
        if digest is None:
            # As a caller does: in the algorithm that the bundle names, where he has it.
            name = HASHES.get(getattr(bundle.content, "algorithm", ""), "sha256")
            digest = (name, hashlib.new(name, self.content or b"").digest())
        message = prove_message(bundle, self.trust, digest=digest, content=self.content, claimed_at=_CLAIMED)
        return Facts(heads=frozenset({_of_message(message)}))


def heads_of(proved: tuple[VerifiedStatement, ...]) -> frozenset[Told]:
    """Give what statements were proved, by whom and when."""
    return frozenset((each.statement.payload, _signer(each.signer), _times(each.times)) for each in proved)


def _of_message(message: VerifiedMessage) -> Told:
    return ((message.algorithm, message.digest), _signer(message.signer), _times(message.times))


def _signer(signer: VerifiedSigner) -> Signer:
    return (
        signer.principal,
        signer.names,
        signer.root,
        signer.issuer,
        signer.san,
        signer.claims,
        signer.not_before,
        signer.fingerprint,
    )


def _times(times: VerifiedTimes) -> Times:
    # A stamp that stands there in two ways tells one time; what follows from the times must then be the same as well.
    return frozenset((told.time, told.witness) for told in times.times), times.signed_by, times.proved_by


def judged(found: Facts, before: Facts, *, may_lose: bool = False) -> Outcome:
    """Hold what a changed bundle proves against what the unchanged one proves. `may_lose` the place in the log?"""
    if found == before:
        return Outcome.SAME
    return Outcome.LESS if may_lose and found.heads == before.heads and not found.logs else Outcome.WRONG
