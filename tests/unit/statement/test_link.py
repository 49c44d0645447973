"""Is a link attestation written and read as in-toto has it, and are its materials edges without a role?"""

import json
from typing import Any

import pytest

from glasswing_attest._wire import Node, canonical_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.claims import registry_of
from glasswing_attest.errors import FieldMissing, FieldRefused, GlasswingError, LimitError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.link import LINK_V03, Link
from glasswing_attest.statement.predicates.run import Run
from glasswing_attest.statement.resource import ResourceDescriptor

HEX = "ab" * 32
SAID: dict[str, Any] = {
    "name": "build",
    "command": ["make", "-C", "src"],
    "materials": [
        {"name": "foo.c", "digest": {"sha256": HEX}},
        {"name": "bar.c", "digest": {"sha256": "cd" * 32}, "annotations": {"role": "code"}},
    ],
    "byproducts": {"return-value": 0, "stdout": ""},
    "environment": {"workdir": "/src"},
}


def node(value: object) -> Node:
    return read_json(json.dumps(value).encode(), where="$.predicate")


def test_a_link_is_read_and_written() -> None:
    link = Link.from_predicate(node({**SAID, "new": 1}))
    assert link.predicate_type == LINK_V03 == "https://in-toto.io/attestation/link/v0.3"
    assert link == Link(
        name="build",
        command=("make", "-C", "src"),
        materials=(
            ResourceDescriptor(name="foo.c", digest=DigestSet.of(sha256=HEX)),
            ResourceDescriptor(name="bar.c", digest=DigestSet.of(sha256="cd" * 32), annotations={"role": "code"}),
        ),
        byproducts={"return-value": 0, "stdout": ""},
        environment={"workdir": "/src"},
    )
    assert link.to_predicate() == SAID
    assert Link.from_predicate(read_json(canonical_json(link.to_predicate()))) == link


def test_what_is_unset_null_or_empty_is_the_same() -> None:
    least = Link(name="build")
    nothing: dict[str, Any] = {"command": [], "materials": [], "byproducts": {}, "environment": {}}
    for said in ({}, dict.fromkeys(nothing), nothing):
        assert Link.from_predicate(node({"name": "build", **said})) == least
    # in-toto's own conversion to a classic link reads every member.
    assert least.to_predicate() == {"name": "build", **nothing}


def test_every_material_is_an_edge_without_a_role() -> None:
    kind = registry_of()[LINK_V03]
    assert kind.dependencies is not None
    link = kind.parse(node(SAID), DEFAULT)
    # A link does not say what a material was used as: not even where an annotation reads like it.
    assert [(d.role, d.kind, d.resource.name) for d in kind.dependencies(link)] == [
        ("", "dependency", "foo.c"),
        ("", "dependency", "bar.c"),
    ]
    assert not isinstance(link, Run)


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"name": None}, FieldMissing, "name"),
        ({"name": ""}, FieldMissing, "name"),
        ({"name": 1}, FieldRefused, "name"),
        ({"command": "make"}, FieldRefused, "command"),
        ({"command": ["make", 1]}, FieldRefused, "command[1]"),
        ({"materials": {}}, FieldRefused, "materials"),
        ({"materials": [{"name": "a", "uri": "x:y"}]}, FieldMissing, "materials[0].digest"),
        ({"materials": [{"digest": {"sha256": HEX}}]}, FieldMissing, "materials[0].name"),
        ({"materials": [SAID["materials"][0]] * 2}, FieldRefused, "materials[1].name"),
        ({"byproducts": []}, FieldRefused, "byproducts"),
        ({"environment": "x"}, FieldRefused, "environment"),
    ],
)
def test_a_link_of_the_wrong_shape_is_refused(changes: dict[str, Any], error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        Link.from_predicate(node({**SAID, **changes}))
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate.{where}"


@pytest.mark.parametrize(
    ("name", "materials", "error", "where"),
    [
        ("", (), FieldMissing, "name"),
        ("x", (ResourceDescriptor(name="a"),), FieldMissing, "materials[0].digest"),
        ("x", (ResourceDescriptor(digest=DigestSet.of(sha256=HEX)),), FieldMissing, "materials[0].name"),
        ("x", (ResourceDescriptor(name="a", digest=DigestSet.of(sha256=HEX)),) * 2, FieldRefused, "materials[1].name"),
    ],
)
def test_what_could_not_be_read_is_not_made(
    name: str, materials: tuple[ResourceDescriptor, ...], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(GlasswingError) as refused:
        Link(name=name, materials=materials)
    assert type(refused.value) is error
    assert refused.value.where == where


@pytest.mark.parametrize("name", ["command", "materials"])
def test_lists_are_bounded(name: str) -> None:
    with pytest.raises(LimitError) as refused:
        Link.from_predicate(node({**SAID, "command": ["a", "b"], name: SAID[name]}), limits=Limits(dependencies=1))
    assert refused.value.where in (f"$.predicate.{name}", "$.predicate.command")
