"""Which step was carried out, with what, and what came of it?

in-toto link attestation v0.3 (in-toto attestation, spec/predicates/link.md), predicate type
``https://in-toto.io/attestation/link/v0.3``: what a classic in-toto link says, about its products as the subject. ::

    {"name": "<step>", "command"?: ["<argument>", …],
     "materials"?: [<ResourceDescriptor with name and digest>, …],
     "byproducts"?: {…}, "environment"?: {…}}

Every material becomes an edge, in no role: a link does not say what a material was used as. The classic link of in-toto
0.9 is another format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from glasswing_attest._wire import JsonValue, Node
from glasswing_attest.errors import FieldMissing, FieldRefused, Kind
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import NOTHING, get_descriptors, get_object, need_text, require_said
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["LINK_V03", "TYPES", "Link"]

LINK_V03 = "https://in-toto.io/attestation/link/v0.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One step of a supply chain, as whoever carried it out says.

    Attributes:
        name: the step, as a layout calls it.
        command: what was run, with its arguments.
        materials: what went in, each with a name of its own and a digest.
        byproducts: anything else that is known of the step, such as its output.
        environment: anything that is known of where it ran.

    Raises:
        FieldMissing: the step has no name, or a material has no name or no digest.
        FieldRefused: two materials have one name.

    >>> Link(name="clone", command=("git", "clone", "https://example.com/foo.git")).to_predicate()["materials"]
    []
    """

    name: str
    command: tuple[str, ...] = ()
    materials: tuple[ResourceDescriptor, ...] = ()
    byproducts: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)
    environment: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)

    def __post_init__(self) -> None:
        require_said(self.name, "name")
        _require_materials(self.materials, "materials", "evidence")

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/attestation/link/v0.3``."""
        return LINK_V03

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> Link:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        command = node.get_array("command")
        limits.check("dependencies", len(command), where=f"{node.path}.command")
        materials = get_descriptors(node, "materials", limits)
        _require_materials(materials, f"{node.path}.materials", node.kind)
        return cls(
            name=need_text(node, "name"),
            command=tuple(argument.text() for argument in command),
            materials=materials,
            byproducts=get_object(node, "byproducts"),
            environment=get_object(node, "environment"),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as in-toto's JSON object, with every member: converters to classic links read them all."""
        return {
            "name": self.name,
            "command": list(self.command),
            "materials": [m.to_dict() for m in self.materials],
            "byproducts": dict(self.byproducts),
            "environment": dict(self.environment),
        }


def _require_materials(materials: tuple[ResourceDescriptor, ...], where: str, kind: Kind) -> None:
    names: set[str] = set()
    for number, material in enumerate(materials):
        path = f"{where}[{number}]"
        if not material.name:
            raise FieldMissing(kind=kind, where=f"{path}.name")
        if not material.digest:
            raise FieldMissing(kind=kind, where=f"{path}.digest")
        if material.name in names:
            raise FieldRefused(kind=kind, where=f"{path}.name", found=material.name, wanted="each name once")
        names.add(material.name)


def _dependencies(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, Link)  # noqa: S101  # only its own parse feeds it
    return (Dependency(role="", resource=material) for material in predicate.materials)


TYPES = (
    PredicateType(
        uri=LINK_V03,
        parse=lambda node, limits: Link.from_predicate(node, limits=limits),
        dependencies=_dependencies,
    ),
)
