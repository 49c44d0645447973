"""How did the older versions say how it was made, by whom, from what?

SLSA provenance v0.2 (``https://slsa.dev/provenance/v0.2``) and v0.1 (``https://slsa.dev/provenance/v0.1``, and under
its first name ``https://in-toto.io/Provenance/v0.1``). They are read and not written. ::

    v0.2  builder: {id}, buildType,
          invocation?: {configSource?: {uri?, digest?, entryPoint?}, parameters?, environment?}, buildConfig?,
          metadata?: {buildInvocationId?, buildStartedOn?, buildFinishedOn?,
                      completeness?: {parameters?, environment?, materials?}, reproducible?},
          materials?: [{uri?, digest?}, …]

    v0.1  builder: {id}, recipe?: {type, definedInMaterial?, entryPoint?, arguments?, environment?},
          metadata?: as above, but completeness: {arguments?, environment?, materials?}, materials?: as above

Unset and null are equal, and equal to an empty object or array; unknown fields are ignored. A material equal to the
``configSource`` in URI and digest, or the one that ``definedInMaterial`` points at, is ``code``; the others have no
role. The digest of a commit is ``sha1`` in most of these, and stays that: it identifies nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from glasswing_attest._wire import JsonValue, Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.build_types import from_config_source
from glasswing_attest.statement.predicates.fields import (
    NOTHING,
    empty_object,
    get_flag,
    get_object,
    get_time,
    need_text,
)
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType
from glasswing_attest.statement.predicates.run import (
    IN_TOTO_PROVENANCE_V01,
    NO_SOURCE,
    PROVENANCE_V01,
    PROVENANCE_V02,
    BuildSource,
    Run,
    told_at,
)
from glasswing_attest.statement.repository import revision
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["TYPES", "Completeness", "ConfigSource", "ProvenanceV01", "ProvenanceV02"]

_NO_DIGEST = DigestSet(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Which lists the builder claims to be complete. In v0.1 the parameters are called arguments."""

    parameters: bool = False
    environment: bool = False
    materials: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigSource:
    """Where the configuration that started the build came from."""

    uri: str = ""
    digest: DigestSet = _NO_DIGEST
    entry_point: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Older(Run):
    """What v0.2 and v0.1 have in common."""

    environment: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)
    completeness: Completeness = Completeness()
    reproducible: bool = False
    materials: tuple[ResourceDescriptor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceV02(_Older):
    """SLSA provenance v0.2, as it was read."""

    config_source: ConfigSource = ConfigSource()
    parameters: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)
    build_config: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)

    @property
    def external(self) -> Mapping[str, JsonValue]:
        """``parameters``, ``environment`` and ``configSource``, but for its digest."""
        source = {"uri": self.config_source.uri, "entryPoint": self.config_source.entry_point}
        return {"parameters": dict(self.parameters), "environment": dict(self.environment), "configSource": {**source}}

    @property
    def source(self) -> BuildSource:
        """What the configuration was taken from, for build types where that is what was built."""
        return from_config_source(self.build_type, self.config_source.uri) or NO_SOURCE

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> ProvenanceV02:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`.

        >>> said = {"builder": {"id": "https://ci.example"}, "buildType": "https://example.com/make"}
        >>> ProvenanceV02.from_predicate(Node(said)).builder_id
        'https://ci.example'
        """
        invocation, metadata = empty_object(node, "invocation"), empty_object(node, "metadata")
        source = empty_object(invocation, "configSource")
        return cls(
            build_type=need_text(node, "buildType"),
            builder_id=need_text(node.need("builder"), "id"),
            invocation_id=_invocation_id(metadata),
            started_on=get_time(metadata, "buildStartedOn"),
            finished_on=get_time(metadata, "buildFinishedOn"),
            config_source=ConfigSource(
                uri=source.get_text("uri"),
                digest=_digest(source, limits),
                entry_point=source.get_text("entryPoint"),
            ),
            parameters=get_object(invocation, "parameters"),
            environment=get_object(invocation, "environment"),
            build_config=get_object(node, "buildConfig"),
            completeness=_completeness(metadata, "parameters"),
            reproducible=get_flag(metadata, "reproducible"),
            materials=_materials(node, limits),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceV01(_Older):
    """SLSA provenance v0.1, as it was read. A recipe may be left out, and with it the `build_type`.

    Attributes:
        defined_in_material: the index of the material that holds the recipe, or None.
        entry_point: where the build enters it.
        arguments: what the caller of the build decided.
    """

    defined_in_material: int | None = None
    entry_point: str = ""
    arguments: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)

    @property
    def external(self) -> Mapping[str, JsonValue]:
        """``arguments``, ``environment``, ``entryPoint``, and as ``definedInMaterial`` the URI of that material."""
        return {
            "arguments": dict(self.arguments),
            "environment": dict(self.environment),
            "entryPoint": self.entry_point,
            "definedInMaterial": self.source.uri,
        }

    @property
    def source(self) -> BuildSource:
        """The material that holds the recipe."""
        uri = "" if self.defined_in_material is None else self.materials[self.defined_in_material].uri
        return BuildSource(uri=uri, ref=revision(uri))

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> ProvenanceV01:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        recipe, metadata = empty_object(node, "recipe"), empty_object(node, "metadata")
        materials = _materials(node, limits)
        return cls(
            build_type=need_text(recipe, "type") if recipe.object() else "",
            builder_id=need_text(node.need("builder"), "id"),
            invocation_id=_invocation_id(metadata),
            started_on=get_time(metadata, "buildStartedOn"),
            finished_on=get_time(metadata, "buildFinishedOn"),
            defined_in_material=_index(recipe, len(materials)),
            entry_point=recipe.get_text("entryPoint"),
            arguments=get_object(recipe, "arguments"),
            environment=get_object(recipe, "environment"),
            completeness=_completeness(metadata, "arguments"),
            reproducible=get_flag(metadata, "reproducible"),
            materials=materials,
        )


def _invocation_id(metadata: Node) -> str:
    # The text spells it Id, in-toto's Go types and all that was written with them ID.
    texts = {name: metadata.get_text(name) for name in ("buildInvocationId", "buildInvocationID")}
    first, second = texts.values()
    if first and second and first != second:
        metadata.refuse("one invocation", found=f"{first} and {second}")
    return first or second


def _completeness(metadata: Node, parameters: str) -> Completeness:
    told = empty_object(metadata, "completeness")
    return Completeness(
        parameters=get_flag(told, parameters),
        environment=get_flag(told, "environment"),
        materials=get_flag(told, "materials"),
    )


def _digest(node: Node, limits: Limits) -> DigestSet:
    found = node.get("digest")
    return _NO_DIGEST if found is None else DigestSet.parse(found, limits=limits)


def _materials(node: Node, limits: Limits) -> tuple[ResourceDescriptor, ...]:
    items = node.get_array("materials")
    limits.check("dependencies", len(items), where=f"{node.path}.materials")
    return tuple(_material(item, limits) for item in items)


def _material(node: Node, limits: Limits) -> ResourceDescriptor:
    # A material has a URI and digests and nothing else: a name or an annotation here is an unknown field.
    found = ResourceDescriptor(uri=node.get_text("uri"), digest=_digest(node, limits))
    if not found.uri and not found.digest:
        raise FieldMissing(kind=node.kind, where=node.path, wanted="uri or digest")
    return found


def _index(recipe: Node, materials: int) -> int | None:
    """Read ``definedInMaterial``. Google Cloud Build writes the string ``"-1"`` for a recipe that is in no material."""
    node = recipe.get("definedInMaterial")
    if node is None or (isinstance(node.value, int | str) and str(node.value) == "-1"):
        return None
    index = node.uint64()
    if index >= materials:
        node.refuse(f"the index of one of {materials} materials", found=index)
    return index


def _materials_of_v02(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, ProvenanceV02)  # noqa: S101  # only its own parse feeds it
    source = predicate.config_source
    for material in predicate.materials:
        is_source = bool(source.uri and source.digest) and (material.uri, material.digest) == (
            source.uri,
            source.digest,
        )
        yield Dependency(role="code" if is_source else "", resource=material)


def _materials_of_v01(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, ProvenanceV01)  # noqa: S101  # only its own parse feeds it
    for index, material in enumerate(predicate.materials):
        yield Dependency(role="code" if index == predicate.defined_in_material else "", resource=material)


TYPES = (
    PredicateType(
        uri=PROVENANCE_V02,
        parse=lambda node, limits: ProvenanceV02.from_predicate(node, limits=limits),
        dependencies=_materials_of_v02,
        told_at=told_at,
    ),
    *(
        PredicateType(
            uri=uri,
            parse=lambda node, limits: ProvenanceV01.from_predicate(node, limits=limits),
            dependencies=_materials_of_v01,
            told_at=told_at,
        )
        for uri in (PROVENANCE_V01, IN_TOTO_PROVENANCE_V01)
    ),
)
