"""How was it made, by whom, from what?

SLSA build provenance v1 (SLSA v1.2, build-provenance.md), predicate type ``https://slsa.dev/provenance/v1``. ::

    buildDefinition: {buildType, externalParameters, internalParameters?, resolvedDependencies?}
    runDetails:      {builder: {id, version?, builderDependencies?},
                      metadata?: {invocationId?, startedOn?, finishedOn?}, byproducts?}

Null, unset and empty are equal; unknown fields are ignored. Roles of dependencies stand in ``annotations.role``; where
they do not, the buildType's documentation may tell them. Numbers in parameters are read exactly. An integer beyond
±(2^53−1) is written as a string: bare, other readers would round it, so it is refused when the statement is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from glasswing_attest._wire import JsonValue, Node
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.build_types import role_of, source_of
from glasswing_attest.statement.predicates.fields import (
    NOTHING,
    empty_object,
    get_descriptors,
    get_object,
    get_text_map,
    get_time,
    need_text,
    require_said,
    require_texts,
    require_zone,
    unless_empty,
    when,
)
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType
from glasswing_attest.statement.predicates.run import NO_SOURCE, PROVENANCE_V1, BuildSource, Run, told_at
from glasswing_attest.statement.repository import repository, revision
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["PROVENANCE_V1", "TYPES", "Provenance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance(Run):
    """SLSA provenance v1. The run itself is the signed (`builder_id`, `build_type`, `invocation_id`).

    Raises:
        FieldMissing: the builder or the buildType is empty.
        FieldRefused: a time has no zone, or a version is no string.

    >>> p = Provenance(build_type="https://example.com/train/v1", builder_id="https://ci.example/trainer")
    >>> p.to_predicate()["runDetails"]["builder"]
    {'id': 'https://ci.example/trainer'}
    """

    external_parameters: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)
    internal_parameters: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)
    resolved_dependencies: tuple[ResourceDescriptor, ...] = ()
    builder_version: Mapping[str, str] = field(default_factory=lambda: NOTHING, hash=False)
    builder_dependencies: tuple[ResourceDescriptor, ...] = ()
    byproducts: tuple[ResourceDescriptor, ...] = ()

    def __post_init__(self) -> None:
        require_said(self.build_type, "buildDefinition.buildType")
        require_said(self.builder_id, "runDetails.builder.id")
        require_texts(self.builder_version, "runDetails.builder.version")
        require_zone(self.started_on, "runDetails.metadata.startedOn")
        require_zone(self.finished_on, "runDetails.metadata.finishedOn")

    @property
    def predicate_type(self) -> str:
        """``https://slsa.dev/provenance/v1``."""
        return PROVENANCE_V1

    @property
    def external(self) -> Mapping[str, JsonValue]:
        """``externalParameters``."""
        return self.external_parameters

    @property
    def source(self) -> BuildSource:
        """What the build type's documentation calls the source; else the one repository that all of the code is of.

        Code of several revisions is of none: which of them was built, nothing says.
        """
        documented = source_of(self.build_type, self.external_parameters, self.internal_parameters)
        if documented is not None:
            return documented
        uris = [d.resource.uri for d in _dependencies(self) if d.kind == "code"]
        if len({repository(uri) for uri in uris}) != 1:
            return NO_SOURCE
        refs = {revision(uri) for uri in uris}
        return BuildSource(uri=uris[0], ref=refs.pop() if len(refs) == 1 else "")

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> Provenance:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        definition, details = node.need("buildDefinition"), node.need("runDetails")
        builder, metadata = details.need("builder"), empty_object(details, "metadata")
        return cls(
            build_type=need_text(definition, "buildType"),
            builder_id=need_text(builder, "id"),
            external_parameters=get_object(definition, "externalParameters"),
            internal_parameters=get_object(definition, "internalParameters"),
            resolved_dependencies=get_descriptors(definition, "resolvedDependencies", limits),
            builder_version=get_text_map(builder, "version"),
            builder_dependencies=get_descriptors(builder, "builderDependencies", limits),
            invocation_id=metadata.get_text("invocationId"),
            started_on=get_time(metadata, "startedOn"),
            finished_on=get_time(metadata, "finishedOn"),
            byproducts=get_descriptors(details, "byproducts", limits),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as SLSA's JSON object. ``externalParameters`` is always written, since it is required."""
        definition = {
            "buildType": self.build_type,
            "externalParameters": dict(self.external_parameters),
            **unless_empty(
                {
                    "internalParameters": dict(self.internal_parameters),
                    "resolvedDependencies": [d.to_dict() for d in self.resolved_dependencies],
                }
            ),
        }
        builder = {
            "id": self.builder_id,
            "version": dict(self.builder_version),
            "builderDependencies": [d.to_dict() for d in self.builder_dependencies],
        }
        metadata = {
            "invocationId": self.invocation_id,
            "startedOn": when(self.started_on),
            "finishedOn": when(self.finished_on),
        }
        details = {
            "builder": unless_empty(builder),
            "metadata": unless_empty(metadata),
            "byproducts": [d.to_dict() for d in self.byproducts],
        }
        return {"buildDefinition": definition, "runDetails": unless_empty(details)}


def _dependencies(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, Provenance)  # noqa: S101  # only its own parse feeds it
    for resource in predicate.resolved_dependencies:
        role = resource.annotations.get("role")
        if role in (None, ""):
            role = role_of(predicate.build_type, predicate.external_parameters, predicate.internal_parameters, resource)
        yield Dependency(role=role if isinstance(role, str) else "", resource=resource)


TYPES = (
    PredicateType(
        uri=PROVENANCE_V1,
        parse=lambda node, limits: Provenance.from_predicate(node, limits=limits),
        dependencies=_dependencies,
        told_at=told_at,
    ),
)
