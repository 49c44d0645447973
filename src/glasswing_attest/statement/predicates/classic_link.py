"""Which command made these things, and from which others?

The classic link (in-toto specification v1.0, section 4.4), from before there were statements::

    {"_type": "link", "name": "package", "command": ["tar", "zcvf", "foo.tar.gz", "foo.py"],
     "materials": {"<path>": {"sha256": …}, …}, "products": {"<path>": {"sha256": …}, …},
     "byproducts": {…}, "environment": {…}}

in-toto attestation v0.1 gave it the predicate type ``https://in-toto.io/Link/v1``: the products are the subject, and
the rest is the predicate. A link that was signed as it stands is read as if it had been written so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["LINK_V1", "TYPES", "ClassicLink", "artifacts"]

LINK_V1 = "https://in-toto.io/Link/v1"

_NOTHING: Mapping[str, JsonValue] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicLink:
    """A step as whoever did it tells of it. What it made is the statement's subject.

    >>> ClassicLink(name="package", command=("tar", "zcvf", "foo.tar.gz", "foo.py")).to_predicate()["command"]
    ['tar', 'zcvf', 'foo.tar.gz', 'foo.py']
    """

    name: str = ""
    command: tuple[str, ...] = ()
    materials: tuple[ResourceDescriptor, ...] = ()
    byproducts: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)
    environment: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/Link/v1``."""
        return LINK_V1

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> ClassicLink:
        """Read a predicate, or a link itself. Raises `MalformedError` with the path, or `LimitError`."""
        return cls(
            name=node.get_text("name"),
            command=tuple(word.text() for word in node.get_array("command")),
            materials=artifacts(node, "materials", limits),
            byproducts=_object(node, "byproducts"),
            environment=_object(node, "environment"),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as in-toto's JSON object."""
        return {
            "name": self.name,
            "command": list(self.command),
            "materials": {m.name: m.digest.to_dict() for m in self.materials},
            "byproducts": dict(self.byproducts),
            "environment": dict(self.environment),
        }


def artifacts(
    node: Node, name: str, limits: Limits = DEFAULT, *, bound: str = "dependencies"
) -> tuple[ResourceDescriptor, ...]:
    """Give a link's materials or products: each has its path for a name, and at least one digest. In order of names."""
    found = node.get(name)
    members = [] if found is None else sorted(found.members(), key=lambda member: member[0])
    limits.check(bound, len(members), where=f"{node.path}.{name}")
    for _, digest in members:
        if not digest.object():
            raise FieldMissing(kind=node.kind, where=digest.path, wanted="at least one digest")
    return tuple(ResourceDescriptor(name=path, digest=DigestSet.parse(d, limits=limits)) for path, d in members)


def _object(node: Node, name: str) -> Mapping[str, JsonValue]:
    found = node.get(name)
    return _NOTHING if found is None else MappingProxyType(found.object())


def _dependencies(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, ClassicLink)  # noqa: S101  # only its own parse feeds it
    return (Dependency(role="", resource=material) for material in predicate.materials)


TYPES = (
    PredicateType(
        uri=LINK_V1,
        parse=lambda node, limits: ClassicLink.from_predicate(node, limits=limits),
        dependencies=_dependencies,
    ),
)
