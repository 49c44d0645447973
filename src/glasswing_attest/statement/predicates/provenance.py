"""How was it made, by whom, from what?

SLSA build provenance v1 (SLSA v1.2, build-provenance.md), predicate type ``https://slsa.dev/provenance/v1``. ::

    buildDefinition: {buildType, externalParameters, internalParameters?, resolvedDependencies?}
    runDetails:      {builder: {id, version?, builderDependencies?},
                      metadata?: {invocationId?, startedOn?, finishedOn?}, byproducts?}

Null, unset and empty are equal; unknown fields are ignored. Roles of dependencies stand in ``annotations.role``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node, format_time
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["PROVENANCE_V1", "TYPES", "Provenance"]

PROVENANCE_V1 = "https://slsa.dev/provenance/v1"

_NOTHING: Mapping[str, JsonValue] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """SLSA provenance v1. The run itself is the signed (`builder_id`, `build_type`, `invocation_id`).

    >>> p = Provenance(build_type="https://example.com/train/v1", builder_id="https://ci.example/trainer")
    >>> p.to_predicate()["runDetails"]["builder"]
    {'id': 'https://ci.example/trainer'}
    """

    build_type: str
    builder_id: str
    external_parameters: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)
    internal_parameters: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)
    resolved_dependencies: tuple[ResourceDescriptor, ...] = ()
    builder_version: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)
    builder_dependencies: tuple[ResourceDescriptor, ...] = ()
    invocation_id: str = ""
    started_on: datetime | None = None
    finished_on: datetime | None = None
    byproducts: tuple[ResourceDescriptor, ...] = ()

    @property
    def predicate_type(self) -> str:
        """``https://slsa.dev/provenance/v1``."""
        return PROVENANCE_V1

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> Provenance:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        definition, details = node.need("buildDefinition"), node.need("runDetails")
        builder = details.need("builder")
        metadata = details.get("metadata") or Node({}, f"{details.path}.metadata", node.kind)
        return cls(
            build_type=_required(definition, "buildType"),
            builder_id=_required(builder, "id"),
            external_parameters=_mapping(definition, "externalParameters"),
            internal_parameters=_mapping(definition, "internalParameters"),
            resolved_dependencies=_resources(definition, "resolvedDependencies", limits),
            builder_version=_mapping(builder, "version"),
            builder_dependencies=_resources(builder, "builderDependencies", limits),
            invocation_id=metadata.get_text("invocationId"),
            started_on=_time(metadata, "startedOn"),
            finished_on=_time(metadata, "finishedOn"),
            byproducts=_resources(details, "byproducts", limits),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as SLSA's JSON object. ``externalParameters`` is always written, since it is required."""
        definition: dict[str, object] = {
            "buildType": self.build_type,
            "externalParameters": dict(self.external_parameters),
            **_unless_empty("internalParameters", dict(self.internal_parameters)),
            **_unless_empty("resolvedDependencies", [d.to_dict() for d in self.resolved_dependencies]),
        }
        builder: dict[str, object] = {
            "id": self.builder_id,
            **_unless_empty("version", dict(self.builder_version)),
            **_unless_empty("builderDependencies", [d.to_dict() for d in self.builder_dependencies]),
        }
        metadata: dict[str, object] = {
            **_unless_empty("invocationId", self.invocation_id),
            **_unless_empty("startedOn", self.started_on and format_time(self.started_on)),
            **_unless_empty("finishedOn", self.finished_on and format_time(self.finished_on)),
        }
        details: dict[str, object] = {
            "builder": builder,
            **_unless_empty("metadata", metadata),
            **_unless_empty("byproducts", [d.to_dict() for d in self.byproducts]),
        }
        return {"buildDefinition": definition, "runDetails": details}


def _unless_empty(name: str, value: object) -> dict[str, object]:
    return {name: value} if value else {}


def _required(node: Node, name: str) -> str:
    text = node.need(name).text()
    if not text:
        raise FieldMissing(kind=node.kind, where=f"{node.path}.{name}")
    return text


def _mapping(node: Node, name: str) -> Mapping[str, JsonValue]:
    found = node.get(name)
    return _NOTHING if found is None else MappingProxyType(found.object())


def _resources(node: Node, name: str, limits: Limits) -> tuple[ResourceDescriptor, ...]:
    items = node.get_array(name)
    limits.check("dependencies", len(items), where=f"{node.path}.{name}")
    return tuple(ResourceDescriptor.parse(item, limits=limits) for item in items)


def _time(node: Node, name: str) -> datetime | None:
    found = node.get(name)
    return None if found is None else found.time()


def _dependencies(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, Provenance)  # noqa: S101  # only its own parse feeds it
    for resource in predicate.resolved_dependencies:
        role = resource.annotations.get("role")
        yield Dependency(role=role if isinstance(role, str) else "", resource=resource)


TYPES = (
    PredicateType(
        uri=PROVENANCE_V1,
        parse=lambda node, limits: Provenance.from_predicate(node, limits=limits),
        dependencies=_dependencies,
    ),
)
