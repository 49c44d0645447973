"""Are witness's collections read as far as edges need it, and is nothing of them shown?"""

import hashlib
from typing import Any

import pytest

from glasswing_attest import Policy, Report, Verifier, attest
from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import DigestRefused, FieldMissing, FieldRefused, GlasswingError, LimitError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.predicate_type import Dependency
from glasswing_attest.statement.predicates.registry import registry_of
from glasswing_attest.statement.predicates.witness import TYPES, WITNESS_DEV_V01, WITNESS_TESTIFYSEC_V01, Collection
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.chains import Said, signer, trust_of

HEX = "ab" * 32
COMMIT = "cd" * 20


def step(kind: str, body: Any, **more: str) -> dict[str, Any]:
    return {"type": f"https://witness.dev/attestations/{kind}/v0.1", "attestation": body, **more}


def read(*steps: Any, limits: Limits = DEFAULT) -> Collection:
    return Collection.from_predicate(Node({"name": "build", "attestations": list(steps)}, "$.predicate"), limits=limits)


def test_what_is_typed() -> None:
    found = read(
        step("environment", {"os": "linux", "hostname": "h", "username": "u", "variables": {"TOKEN": "hunter2"}}),
        step("git", {"commithash": COMMIT, "treehash": "ef" * 20, "status": {"a.py": {"worktree": "modified"}}}),
        step("material", {"a.py": {"sha256": HEX, "gitoid:sha1": "gitoid:blob:sha1:00"}}),
        step("command-run", {"cmd": ["make", "--password=hunter2"], "exitcode": 0, "stdout": "hunter2"}),
        step("product", {"a.bin": {"mime_type": "application/x", "digest": {"sha256": HEX}}}),
        {"type": "https://spdx.dev/Document", "attestation": {"spdxVersion": "SPDX-2.3"}},
        step("new-kind", {"secret": "hunter2"}),
        step("git", None),
    )
    assert (found.commits[0].tree, found.commits[0].dirty) == ("ef" * 20, True)
    assert found.environments[0].variables == {"TOKEN": "hunter2"}
    assert (found.commands[0].arguments[0], found.commands[0].exit_code) == ("make", 0)
    assert found.products[0].media_type == "application/x"
    assert len(found.steps) == 8
    # Nobody's log shall show what a step saw.
    assert "hunter2" not in repr(found)
    assert "hunter2" not in repr((found.environments, found.commands))


def test_materials_are_edges_without_a_role_and_the_commit_is_code() -> None:
    found = read(step("material", {"a": {"sha256": HEX}}), step("git", {"commithash": COMMIT}))
    for kind in TYPES:
        assert kind.dependencies is not None
        assert list(kind.dependencies(found)) == [
            Dependency(role="", resource=ResourceDescriptor(name="a", digest=DigestSet.of(sha256=HEX))),
            Dependency(role="code", resource=ResourceDescriptor(digest=DigestSet.of(gitCommit=COMMIT))),
        ]
    assert {kind.uri for kind in TYPES} == {WITNESS_TESTIFYSEC_V01, WITNESS_DEV_V01}
    # Of lower assurance: whoever wants it says so.
    assert {kind.uri for kind in TYPES}.isdisjoint(registry_of())


def test_a_repository_without_a_commit_draws_no_edge() -> None:
    assert read(step("git", {"commithash": ""})).commits == ()


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.uri)
def test_the_type_is_the_one_it_came_under(kind: Any) -> None:
    found = kind.parse(Node({"name": "a", "attestations": []}), DEFAULT)
    assert found.predicate_type == kind.uri
    assert not hasattr(found, "to_predicate")


@pytest.mark.parametrize(
    ("value", "error", "where"),
    [
        ({}, FieldMissing, "attestations"),
        ({"attestations": []}, FieldMissing, "name"),
        ({"name": "a", "attestations": {}}, FieldRefused, "attestations"),
        ({"name": "a", "attestations": [{"attestation": {}}]}, FieldMissing, "attestations[0].type"),
        (
            {"name": "a", "attestations": [step("x", {}, starttime="now")]},
            FieldRefused,
            "attestations[0].starttime",
        ),
        *(
            ({"name": "a", "attestations": [step(*body)]}, error, f"attestations[0].attestation{where}")
            for body, error, where in (
                (("material", []), FieldRefused, ""),
                (("material", {"a": {"sha256": "x"}}), DigestRefused, ".a.sha256"),
                (("product", {"a": {}}), FieldMissing, ".a.digest"),
                (("git", {"commithash": "main"}), FieldRefused, ".commithash"),
                (("git", {"commithash": COMMIT, "status": []}), FieldRefused, ".status"),
                (("command-run", {"exitcode": 0}), FieldMissing, ".cmd"),
                (("command-run", {"cmd": ["a"], "exitcode": "0"}), FieldRefused, ".exitcode"),
                (("environment", {"variables": {"A": 1}}), FieldRefused, ".variables.A"),
            )
        ),
    ],
)
def test_what_is_refused(value: Any, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        Collection.from_predicate(Node(value, "$.predicate"))
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate.{where}"


def test_a_refusal_shows_no_variable() -> None:
    with pytest.raises(FieldRefused) as refused:
        read(step("environment", {"variables": {"A": ["hunter2"]}}))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("kind", ["material", "product"])
def test_files_are_bounded(kind: str) -> None:
    files = {name: {"sha256": HEX, "digest": {"sha256": HEX}} for name in "abc"}
    with pytest.raises(LimitError) as refused:
        read(step(kind, files), limits=Limits(dependencies=2))
    assert refused.value.where == "$.predicate.attestations[0].attestation"


def judged(thing: Blob = Blob(b"w", name="w"), **nodes: Any) -> Report:  # noqa: B008  # frozen
    built = {"predicate": WITNESS_TESTIFYSEC_V01, "signed_by": {"any_of": ["signer"]}}
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "identities": {"signer": {"key": "signer"}},
        "nodes": {"file": {"require": [built]}, **nodes},
    }
    product = step("product", {"w": {"digest": {"sha256": hashlib.sha256(b"w").hexdigest()}}})
    said = {"name": "build", "attestations": [step("material", {"a": {"sha256": HEX}}), product]}
    subjects = [Blob(b"w", name="w"), Blob(b"me@example.com", name="authoremail:me@example.com")]
    evidence = attest(subjects, Said(predicate_type=WITNESS_TESTIFYSEC_V01, body=said), signer=signer("signer"))
    verifier = Verifier(policy=Policy(**plain), trust=trust_of("signer"), predicates=TYPES)
    return verifier.assess(thing, evidence)


def test_a_material_is_judged_as_any_other_dependency() -> None:
    refused = judged()
    assert not refused.accepted
    assert refused.cause is not None
    assert refused.cause.subject.startswith("dependency")
    assert judged(dependency={"trim": {"reason": "covered elsewhere"}}).accepted


def test_it_is_about_no_file_that_holds_a_name() -> None:
    refused = judged(Blob(b"me@example.com", name="mail"), dependency={"trim": {"reason": "covered elsewhere"}})
    assert not refused.accepted
    assert refused.cause is not None
    assert refused.cause.code == "chain.no-attestation"
