"""Which attributes does it have, and what shows it?

SCAI attribute report (in-toto attestation, spec/predicates/scai.md), predicate type
``https://in-toto.io/attestation/scai/v0.3``; version 0.2, ``https://in-toto.io/attestation/scai/attribute-report/v0.2``,
has the same shape and is read. ::

    attributes: [{attribute, target?, conditions?, evidence?}, …]     at least one
    producer?:  <ResourceDescriptor>

``target`` and ``evidence`` are ResourceDescriptors. What an attribute means is between producer and consumer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glasswing_attest._wire import JsonValue, Node
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import (
    NOTHING,
    get_descriptor,
    get_object,
    need_text,
    require_said,
    unless_empty,
)
from glasswing_attest.statement.predicates.predicate_type import PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["SCAI_V02", "SCAI_V03", "TYPES", "AttributeAssertion", "AttributeReport"]

SCAI_V03 = "https://in-toto.io/attestation/scai/v0.3"
SCAI_V02 = "https://in-toto.io/attestation/scai/attribute-report/v0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeAssertion:
    """One attribute of the subject, or of `target`, under `conditions`, shown by `evidence`."""

    attribute: str
    target: ResourceDescriptor | None = None
    conditions: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)
    evidence: ResourceDescriptor | None = None

    def __post_init__(self) -> None:
        require_said(self.attribute, "attribute")

    @classmethod
    def parse(cls, node: Node, *, limits: Limits = DEFAULT) -> AttributeAssertion:
        """Read one assertion. Raises `MalformedError` with the path."""
        return cls(
            attribute=need_text(node, "attribute"),
            target=get_descriptor(node, "target", limits),
            conditions=get_object(node, "conditions"),
            evidence=get_descriptor(node, "evidence", limits),
        )

    def to_dict(self) -> dict[str, object]:
        """Give the assertion as SCAI's JSON object, without what is unset."""
        return unless_empty(
            {
                "attribute": self.attribute,
                "target": self.target and self.target.to_dict(),
                "conditions": dict(self.conditions),
                "evidence": self.evidence and self.evidence.to_dict(),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeReport:
    """A SCAI attribute report: what is asserted of the subject, and who produced the subject.

    >>> report = AttributeReport(attributes=(AttributeAssertion(attribute="REPRODUCIBLE"),))
    >>> report.to_predicate()
    {'attributes': [{'attribute': 'REPRODUCIBLE'}]}
    """

    attributes: tuple[AttributeAssertion, ...]
    producer: ResourceDescriptor | None = None

    def __post_init__(self) -> None:
        if not self.attributes:
            raise FieldMissing(where="attributes", wanted="at least one attribute")

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/attestation/scai/v0.3``: what is written."""
        return SCAI_V03

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> AttributeReport:
        """Read a predicate of version 0.3 or 0.2. Raises `MalformedError` with the path, or `LimitError`."""
        listed = node.need("attributes")
        items = listed.array()
        limits.check("dependencies", len(items), where=listed.path)
        if not items:
            raise FieldMissing(kind=node.kind, where=listed.path, wanted="at least one attribute")
        return cls(
            attributes=tuple(AttributeAssertion.parse(item, limits=limits) for item in items),
            producer=get_descriptor(node, "producer", limits),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as SCAI's JSON object."""
        return unless_empty(
            {
                "attributes": [attribute.to_dict() for attribute in self.attributes],
                "producer": self.producer and self.producer.to_dict(),
            }
        )


TYPES = tuple(
    PredicateType(uri=uri, parse=lambda node, limits: AttributeReport.from_predicate(node, limits=limits))
    for uri in (SCAI_V03, SCAI_V02)
)
