"""What did somebody else's verification conclude?

SLSA verification summary (VSA) v1 (SLSA v1.2, verification_summary.md), predicate type
``https://slsa.dev/verification_summary/v1``. Read here as far as an expectation needs it: who verified, which
resource, with what result and levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from glasswing_attest._wire import Node
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.predicate_type import PredicateType

__all__ = ["SUMMARY_V1", "TYPES", "VerificationSummary"]

SUMMARY_V1 = "https://slsa.dev/verification_summary/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSummary:
    """The conclusion of a verification: `result` is ``PASSED`` or ``FAILED``."""

    verifier_id: str
    resource_uri: str
    result: str
    levels: tuple[str, ...]
    time_verified: datetime | None = None

    @property
    def predicate_type(self) -> str:
        """``https://slsa.dev/verification_summary/v1``."""
        return SUMMARY_V1

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> VerificationSummary:
        """Read a predicate. Raises `MalformedError` with the path."""
        levels = node.get_array("verifiedLevels")
        limits.check("dependencies", len(levels), where=f"{node.path}.verifiedLevels")
        time = node.get("timeVerified")
        return cls(
            verifier_id=node.need("verifier").need("id").text(),
            resource_uri=node.need("resourceUri").text(),
            result=node.need("verificationResult").one_of({"PASSED": "PASSED", "FAILED": "FAILED"}),
            levels=tuple(level.text() for level in levels),
            time_verified=None if time is None else time.time(),
        )


def _scope(predicate: object) -> str:
    return predicate.resource_uri if isinstance(predicate, VerificationSummary) else ""


TYPES = (
    PredicateType(
        uri=SUMMARY_V1,
        parse=lambda node, limits: VerificationSummary.from_predicate(node, limits=limits),
        scope=_scope,
    ),
)
