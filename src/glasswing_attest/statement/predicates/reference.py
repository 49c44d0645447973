"""Which documents about it are kept elsewhere?

in-toto reference attestation v0.1 (in-toto attestation, spec/predicates/reference.md), predicate type
``https://in-toto.io/attestation/reference/v0.1``. ::

    {"attester": {"id": "<URI>"},
     "references": [<ResourceDescriptor with downloadLocation and mediaType>, …]}

A document that speaks of a thing is nothing that the thing was made from: a reference draws no edge.
"""

from __future__ import annotations

from dataclasses import dataclass

from glasswing_attest._wire import Node
from glasswing_attest.errors import FieldMissing, Kind
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import get_descriptors, need_text, require_said
from glasswing_attest.statement.predicates.predicate_type import PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["REFERENCE_V01", "TYPES", "Reference"]

REFERENCE_V01 = "https://in-toto.io/attestation/reference/v0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Documents about the subjects, all of them together, such as an SBOM.

    Attributes:
        attester_id: the system that provides the documents.
        references: the documents, each with where it is downloaded from and its media type.

    Raises:
        FieldMissing: no attester, no document, or a document without one of the two.

    >>> Reference(
    ...     attester_id="https://builder.example/v1",
    ...     references=(
    ...         ResourceDescriptor(
    ...             uri="https://sboms.example/model",
    ...             download_location="https://sboms.example/model.spdx.json",
    ...             media_type="application/spdx+json",
    ...         ),
    ...     ),
    ... ).to_predicate()["attester"]
    {'id': 'https://builder.example/v1'}
    """

    attester_id: str
    references: tuple[ResourceDescriptor, ...]

    def __post_init__(self) -> None:
        require_said(self.attester_id, "attester.id")
        _require_references(self.references, "references", "evidence")

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/attestation/reference/v0.1``."""
        return REFERENCE_V01

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> Reference:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        references = get_descriptors(node, "references", limits)
        _require_references(references, f"{node.path}.references", node.kind)
        return cls(attester_id=need_text(node.need("attester"), "id"), references=references)

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as in-toto's JSON object."""
        return {"attester": {"id": self.attester_id}, "references": [r.to_dict() for r in self.references]}


def _require_references(references: tuple[ResourceDescriptor, ...], where: str, kind: Kind) -> None:
    if not references:
        raise FieldMissing(kind=kind, where=where, wanted="at least one document")
    for number, reference in enumerate(references):
        for name, text in (("downloadLocation", reference.download_location), ("mediaType", reference.media_type)):
            if not text:
                raise FieldMissing(kind=kind, where=f"{where}[{number}].{name}")


TYPES = (PredicateType(uri=REFERENCE_V01, parse=lambda node, limits: Reference.from_predicate(node, limits=limits)),)
