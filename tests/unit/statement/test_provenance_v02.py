"""Are the older versions of provenance read as their texts have them?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.claims import Dependency, registry_of
from glasswing_attest.errors import DigestRefused, FieldMissing, FieldRefused, GlasswingError, LimitError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.provenance_v02 import (
    Completeness,
    ConfigSource,
    ProvenanceV01,
    ProvenanceV02,
)
from glasswing_attest.statement.predicates.run import (
    IN_TOTO_PROVENANCE_V01,
    PROVENANCE_V01,
    PROVENANCE_V02,
    PROVENANCE_V1,
    PROVENANCES,
    Run,
)
from glasswing_attest.statement.resource import ResourceDescriptor

HEX = "ab" * 32
COMMIT = "cd" * 20
SOURCE = {"uri": "git+https://x/y@refs/heads/main", "digest": {"sha1": COMMIT}}
IMAGE = {"uri": "pkg:oci/image", "digest": {"sha256": HEX}}

V02: dict[str, Any] = {
    "builder": {"id": "https://ci.example/trainer"},
    "buildType": "https://example.com/make",
    "invocation": {
        "configSource": {**SOURCE, "entryPoint": "build.yaml:build"},
        "parameters": {"seed": 9007199254740993},
        "environment": {"arch": "amd64"},
    },
    "buildConfig": {"steps": [1]},
    "metadata": {
        "buildInvocationId": "run-1",
        "buildStartedOn": "2026-01-02T03:04:05.25Z",
        "buildFinishedOn": "2026-01-02T04:04:05Z",
        "completeness": {"parameters": True, "environment": False, "materials": True},
        "reproducible": True,
    },
    "materials": [SOURCE, IMAGE],
}
V01: dict[str, Any] = {
    "builder": {"id": "https://ci.example/trainer"},
    "recipe": {
        "type": "https://example.com/make",
        "definedInMaterial": 1,
        "entryPoint": "src:foo",
        "arguments": {"CFLAGS": "-O3"},
        "environment": {"arch": "amd64"},
    },
    "metadata": {"buildInvocationId": "run-1", "completeness": {"arguments": True}},
    "materials": [IMAGE, SOURCE],
}


def node(value: object) -> Node:
    return read_json(json.dumps(value).encode(), where="$.predicate")


def changed(base: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with one member set, or deleted for `...`."""
    copy: dict[str, Any] = json.loads(json.dumps(base))
    *steps, last = path.split(".")
    inner = copy
    for step in steps:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return copy


def edges(uri: str, said: dict[str, Any]) -> list[Dependency]:
    kind = registry_of()[uri]
    assert kind.dependencies is not None
    return list(kind.dependencies(kind.parse(node(said), DEFAULT)))


def test_v02_is_read_whole() -> None:
    assert ProvenanceV02.from_predicate(node(V02)) == ProvenanceV02(
        build_type="https://example.com/make",
        builder_id="https://ci.example/trainer",
        invocation_id="run-1",
        started_on=datetime(2026, 1, 2, 3, 4, 5, 250_000, UTC),
        finished_on=datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC),
        config_source=ConfigSource(
            uri="git+https://x/y@refs/heads/main", digest=DigestSet.of(sha1=COMMIT), entry_point="build.yaml:build"
        ),
        parameters={"seed": 9007199254740993},
        environment={"arch": "amd64"},
        build_config={"steps": [1]},
        completeness=Completeness(parameters=True, materials=True),
        reproducible=True,
        materials=(
            ResourceDescriptor(uri="git+https://x/y@refs/heads/main", digest=DigestSet.of(sha1=COMMIT)),
            ResourceDescriptor(uri="pkg:oci/image", digest=DigestSet.of(sha256=HEX)),
        ),
    )


def test_v01_is_read_whole() -> None:
    found = ProvenanceV01.from_predicate(node(V01))
    assert (found.build_type, found.builder_id) == ("https://example.com/make", "https://ci.example/trainer")
    assert (found.defined_in_material, found.entry_point, found.arguments) == (1, "src:foo", {"CFLAGS": "-O3"})
    assert (found.invocation_id, found.environment) == ("run-1", {"arch": "amd64"})
    assert found.completeness == Completeness(parameters=True)
    assert (found.reproducible, len(found.materials)) == (False, 2)


def test_the_registry_reads_each_version_as_a_run() -> None:
    assert PROVENANCES == (PROVENANCE_V1, PROVENANCE_V02, PROVENANCE_V01, IN_TOTO_PROVENANCE_V01)
    for uri, said in ((PROVENANCE_V02, V02), (PROVENANCE_V01, V01), (IN_TOTO_PROVENANCE_V01, V01)):
        run = registry_of()[uri].parse(node(said), DEFAULT)
        assert isinstance(run, Run)
        assert (run.builder_id, run.build_type) == ("https://ci.example/trainer", "https://example.com/make")


@pytest.mark.parametrize("path", ["invocation", "invocation.configSource", "metadata", "metadata.completeness"])
@pytest.mark.parametrize("empty", [..., None, {}])
def test_what_is_unset_null_or_empty_is_the_same_in_v02(path: str, empty: object) -> None:
    assert ProvenanceV02.from_predicate(node(changed(V02, path, empty))) == ProvenanceV02.from_predicate(
        node(changed(V02, path, {"unknown": 1}))
    )


def test_the_least_is_read() -> None:
    least = {"builder": {"id": "b"}}
    assert ProvenanceV02.from_predicate(node({**least, "buildType": "x:y"})) == ProvenanceV02(
        builder_id="b", build_type="x:y"
    )
    recipes: tuple[dict[str, Any], ...] = ({}, {"recipe": None}, {"recipe": {}})
    for recipe in recipes:
        assert ProvenanceV01.from_predicate(node({**least, **recipe})) == ProvenanceV01(builder_id="b", build_type="")


def test_the_invocation_is_read_in_both_spellings() -> None:
    go = changed(changed(V02, "metadata.buildInvocationId", ...), "metadata.buildInvocationID", "run-2")
    assert ProvenanceV02.from_predicate(node(go)).invocation_id == "run-2"
    both = changed(V02, "metadata.buildInvocationID", "run-1")
    assert ProvenanceV02.from_predicate(node(both)).invocation_id == "run-1"
    with pytest.raises(FieldRefused) as refused:
        ProvenanceV02.from_predicate(node(changed(V02, "metadata.buildInvocationID", "run-2")))
    assert refused.value.where == "$.predicate.metadata"
    assert refused.value.found == "run-1 and run-2"


# --- edges -----------------------------------------------------------------------------------------------------------


def test_the_material_of_the_configuration_is_code() -> None:
    assert [(e.role, e.kind) for e in edges(PROVENANCE_V02, V02)] == [("code", "code"), ("", "dependency")]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("invocation", ...),
        ("invocation.configSource", {}),
        # The same place in another state, and another place in the same state.
        ("invocation.configSource.digest", {"sha1": "00" * 20}),
        ("invocation.configSource.digest", {"gitCommit": COMMIT}),
        ("invocation.configSource.digest", {"sha1": COMMIT, "sha256": HEX}),
        ("invocation.configSource.uri", "git+https://x/y"),
        # What has no digest, or no place, is not the same thing because both say nothing.
        ("invocation.configSource", {"uri": SOURCE["uri"]}),
        ("invocation.configSource", {"digest": SOURCE["digest"]}),
    ],
)
def test_no_other_material_is(path: str, value: object) -> None:
    assert [e.role for e in edges(PROVENANCE_V02, changed(V02, path, value))] == ["", ""]


def test_materials_that_lack_the_same_are_not_the_configuration() -> None:
    for partial in ({"uri": "git+https://x/y"}, {"digest": {"sha1": COMMIT}}):
        said = {**V02, "materials": [partial], "invocation": {"configSource": partial}}
        assert [e.role for e in edges(PROVENANCE_V02, said)] == [""]


def test_the_material_that_holds_the_recipe_is_code() -> None:
    for uri in (PROVENANCE_V01, IN_TOTO_PROVENANCE_V01):
        assert [e.role for e in edges(uri, V01)] == ["", "code"]
        # As proto3 JSON writes integers of 64 bits.
        assert [e.role for e in edges(uri, changed(V01, "recipe.definedInMaterial", "0"))] == ["code", ""]
        for none in (..., None, -1, "-1"):
            assert [e.role for e in edges(uri, changed(V01, "recipe.definedInMaterial", none))] == ["", ""]


def test_the_sha1_of_a_commit_identifies_nothing() -> None:
    (code, _) = edges(PROVENANCE_V02, V02)
    assert code.resource.digest.identity == ()
    assert not code.resource.digest.matches(DigestSet.of(gitCommit=COMMIT))


def test_a_material_says_no_role_of_its_own() -> None:
    # v0.2 has no annotations: they are unknown fields of a material, and ignored.
    said = {**V02, "materials": [{**IMAGE, "name": "n", "annotations": {"role": "code"}}]}
    (edge,) = edges(PROVENANCE_V02, said)
    assert (edge.role, edge.resource.name, edge.resource.annotations) == ("", "", {})


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "error", "where"),
    [
        ("builder", ..., FieldMissing, "builder"),
        ("builder.id", "", FieldMissing, "builder.id"),
        ("builder.id", 1, FieldRefused, "builder.id"),
        ("buildType", ..., FieldMissing, "buildType"),
        ("buildType", "", FieldMissing, "buildType"),
        ("invocation", [], FieldRefused, "invocation"),
        ("invocation.configSource", "x", FieldRefused, "invocation.configSource"),
        ("invocation.configSource.uri", 1, FieldRefused, "invocation.configSource.uri"),
        ("invocation.configSource.digest", {"sha256": "00"}, DigestRefused, "invocation.configSource.digest.sha256"),
        ("invocation.parameters", [], FieldRefused, "invocation.parameters"),
        ("invocation.environment", "", FieldRefused, "invocation.environment"),
        ("buildConfig", [], FieldRefused, "buildConfig"),
        ("metadata", [], FieldRefused, "metadata"),
        ("metadata.buildInvocationId", 7, FieldRefused, "metadata.buildInvocationId"),
        ("metadata.buildStartedOn", "yesterday", FieldRefused, "metadata.buildStartedOn"),
        ("metadata.buildFinishedOn", 1, FieldRefused, "metadata.buildFinishedOn"),
        ("metadata.completeness.materials", "true", FieldRefused, "metadata.completeness.materials"),
        ("metadata.reproducible", 1, FieldRefused, "metadata.reproducible"),
        ("materials", {}, FieldRefused, "materials"),
        ("materials", [{}], FieldMissing, "materials[0]"),
        ("materials", [{"name": "x"}], FieldMissing, "materials[0]"),
        ("materials", [{"uri": "", "digest": None}], FieldMissing, "materials[0]"),
    ],
)
def test_v02_of_the_wrong_shape_is_refused(path: str, value: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        ProvenanceV02.from_predicate(node(changed(V02, path, value)))
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate.{where}"


@pytest.mark.parametrize(
    ("path", "value", "error", "where"),
    [
        ("builder", None, FieldMissing, "builder"),
        ("recipe", [], FieldRefused, "recipe"),
        ("recipe.type", ..., FieldMissing, "recipe.type"),
        ("recipe.definedInMaterial", 2, FieldRefused, "recipe.definedInMaterial"),
        ("recipe.definedInMaterial", -2, FieldRefused, "recipe.definedInMaterial"),
        ("recipe.definedInMaterial", 1.0, FieldRefused, "recipe.definedInMaterial"),
        ("recipe.definedInMaterial", -1.0, FieldRefused, "recipe.definedInMaterial"),
        ("recipe.definedInMaterial", True, FieldRefused, "recipe.definedInMaterial"),
        ("recipe.definedInMaterial", "01", FieldRefused, "recipe.definedInMaterial"),
        ("recipe.arguments", "x", FieldRefused, "recipe.arguments"),
        ("metadata.completeness.arguments", 1, FieldRefused, "metadata.completeness.arguments"),
    ],
)
def test_v01_of_the_wrong_shape_is_refused(path: str, value: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        ProvenanceV01.from_predicate(node(changed(V01, path, value)))
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate.{where}"


@pytest.mark.parametrize(("kind", "said"), [(ProvenanceV02, V02), (ProvenanceV01, V01)])
def test_materials_are_bounded(kind: type[ProvenanceV01 | ProvenanceV02], said: dict[str, Any]) -> None:
    kind.from_predicate(node(said), limits=Limits(dependencies=2))
    with pytest.raises(LimitError) as refused:
        kind.from_predicate(node(said), limits=Limits(dependencies=1))
    assert refused.value.where == "$.predicate.materials"
