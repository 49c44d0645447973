"""Which properties did somebody else's verification find?

in-toto simple verification result (in-toto attestation, spec/predicates/svr.md), predicate type
``https://in-toto.io/attestation/svr/v0.2``; version 0.1, ``https://in-toto.io/attestation/svr/v0.1``, is read. ::

    {verifier: {id, policies: [<ResourceDescriptor>, …]}, timeCreated, properties: [<passed property>, …]}

Version 0.1 has no ``policies``; its text shows one ``policy`` as an extension, which is read as the only one of them.
A property that is not listed was not verified, which is not the same as failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from glasswing_attest._wire import Node, format_time
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import get_descriptors, need_text, require_said, require_zone, texts
from glasswing_attest.statement.predicates.predicate_type import PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["SVR_V01", "SVR_V02", "TYPES", "SimpleVerificationResult"]

SVR_V02 = "https://in-toto.io/attestation/svr/v0.2"
SVR_V01 = "https://in-toto.io/attestation/svr/v0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleVerificationResult:
    """The properties that a verifier found to hold at one time, under its policies.

    >>> from datetime import UTC
    >>> result = SimpleVerificationResult(
    ...     verifier_id="https://example.com/verifier/v1",
    ...     time_created=datetime(2026, 1, 31, 12, tzinfo=UTC),
    ...     properties=("SLSA_BUILD_LEVEL_3",),
    ... )
    >>> result.to_predicate()["timeCreated"]
    '2026-01-31T12:00:00Z'
    """

    verifier_id: str
    time_created: datetime
    properties: tuple[str, ...]
    policies: tuple[ResourceDescriptor, ...] = ()

    def __post_init__(self) -> None:
        require_said(self.verifier_id, "verifier.id")
        require_zone(self.time_created, "timeCreated")

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/attestation/svr/v0.2``: what is written."""
        return SVR_V02

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> SimpleVerificationResult:
        """Read a predicate of version 0.2. Raises `MalformedError` with the path, or `LimitError`."""
        return _read(node, get_descriptors(node.need("verifier"), "policies", limits))

    @classmethod
    def from_predicate_v01(cls, node: Node, *, limits: Limits = DEFAULT) -> SimpleVerificationResult:
        """Read a predicate of version 0.1. Raises `MalformedError` with the path, or `LimitError`."""
        policy = node.need("verifier").get("policy")
        if policy is None or not isinstance(policy.value, dict):  # an extension may have any shape
            return _read(node, ())
        found = ResourceDescriptor.parse(policy, limits=limits, must_identify=False)
        return _read(node, (found,) if found.uri or found.digest or found.content is not None else ())

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as in-toto's JSON object of version 0.2, every field of which is required."""
        return {
            "verifier": {"id": self.verifier_id, "policies": [policy.to_dict() for policy in self.policies]},
            "timeCreated": format_time(self.time_created),
            "properties": list(self.properties),
        }


def _read(node: Node, policies: tuple[ResourceDescriptor, ...]) -> SimpleVerificationResult:
    return SimpleVerificationResult(
        verifier_id=need_text(node.need("verifier"), "id"),
        time_created=node.need("timeCreated").time(),
        properties=texts(node.need("properties")),
        policies=policies,
    )


TYPES = (
    PredicateType(
        uri=SVR_V02,
        parse=lambda node, limits: SimpleVerificationResult.from_predicate(node, limits=limits),
        told_at=attrgetter("time_created"),
    ),
    PredicateType(
        uri=SVR_V01,
        parse=lambda node, limits: SimpleVerificationResult.from_predicate_v01(node, limits=limits),
        told_at=attrgetter("time_created"),
    ),
)
