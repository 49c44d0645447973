"""Does what is said of a revision keep the rules of SLSA's source track?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from glasswing_attest import KeySigner, Manifest, attest
from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.claims import registry_of
from glasswing_attest.errors import FieldMissing, FieldRefused, GlasswingError, LimitError, UsageError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.source import (
    SOURCE_PROVENANCE_DRAFT,
    SOURCE_PROVENANCE_V1,
    Control,
    SourceProvenance,
    SourceSummary,
    source_refs,
)
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.chains import COMMIT, REPOSITORY, Said, checkout

POLICY = ResourceDescriptor(uri="https://scs.example/policy")
TREE = "ab" * 20


def summary(repository: str = REPOSITORY, **changes: Any) -> SourceSummary:
    said: dict[str, Any] = {
        "level": 3,
        "refs": ("refs/heads/main",),
        "verifier_id": "https://scs.example/verifier",
        "policy": POLICY,
    }
    return SourceSummary.of(repository, **(said | changes))


def node(value: object) -> Node:
    return read_json(json.dumps(value).encode(), where="$.predicate")


# --- Source VSA ------------------------------------------------------------------------------------------------------


def test_a_source_vsa_has_the_references_in_its_subject() -> None:
    code = Manifest.declared("code", {"gitCommit": COMMIT, "gitTree": TREE}, name="train")
    said = summary(refs=("refs/heads/main", "refs/tags/v1"), properties=("ORG_SOURCE_REVIEWED",))
    made = attest(code, said, signer=KeySigner.generate()).statement_unverified
    assert made.predicate_type == SUMMARY_V1
    (subject,) = made.subjects
    assert subject.to_dict() == {
        "name": "train",
        "digest": {"gitCommit": COMMIT, "gitTree": TREE},
        "annotations": {"sourceRefs": ["refs/heads/main", "refs/tags/v1"]},
    }
    assert source_refs(subject) == ("refs/heads/main", "refs/tags/v1")
    assert made.predicate == {
        "verifier": {"id": "https://scs.example/verifier"},
        "resourceUri": REPOSITORY,
        "policy": {"uri": "https://scs.example/policy"},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_SOURCE_LEVEL_3", "ORG_SOURCE_REVIEWED"],
    }
    read = VerificationSummary.from_predicate(made.predicate_node)
    assert (read.resource_uri, read.levels) == (REPOSITORY, said.levels)


def test_each_subject_of_several_has_them() -> None:
    made = attest([checkout(), checkout("ab" * 20)], summary(), signer=KeySigner.generate()).statement_unverified
    assert [source_refs(s) for s in made.subjects] == [("refs/heads/main",)] * 2


def test_a_commit_that_no_reference_points_at_is_not_annotated() -> None:
    made = attest(checkout(), summary(refs=()), signer=KeySigner.generate()).statement_unverified
    assert made.subjects[0].annotations == {}


class Annotated(Said):
    """A predicate of somebody else's that says anything at all beside the digest."""

    def subject_annotations(self, manifest: Manifest) -> Any:
        return self.body["beside"]


def test_any_predicate_may_annotate_its_subjects() -> None:
    said = Annotated(predicate_type="https://example.com/t/v1", body={"beside": {"a": [1]}})
    made = attest(Blob(b"x", name="x"), said, signer=KeySigner.generate()).statement_unverified
    assert made.subjects[0].annotations == {"a": [1]}
    for wrong, error, where in (
        (["a"], UsageError, "predicate.subject_annotations()"),
        (None, UsageError, "predicate.subject_annotations()"),
        ({"a": object()}, FieldRefused, "$.subject[0].annotations.a"),
    ):
        said = Annotated(predicate_type="https://example.com/t/v1", body={"beside": wrong})
        with pytest.raises(error) as refused:
            attest(Blob(b"x", name="x"), said, signer=KeySigner.generate())
        assert refused.value.where == where


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_the_levels_are_one_to_four(level: int) -> None:
    assert summary(level=level).levels == (f"SLSA_SOURCE_LEVEL_{level}",)


def test_a_file_has_no_references() -> None:
    with pytest.raises(FieldRefused) as refused:
        attest(Blob(b"code", name="train.py"), summary(), signer=KeySigner.generate())
    assert refused.value.code == "malformed.field"
    assert refused.value.where == "subject"
    assert refused.value.wanted == "a git commit"


@pytest.mark.parametrize(
    ("repository", "changes", "error", "where"),
    [
        (REPOSITORY, {"level": 0}, FieldRefused, "verifiedLevels"),
        (REPOSITORY, {"level": 5}, FieldRefused, "verifiedLevels"),
        (REPOSITORY, {"level": "UNEVALUATED"}, FieldRefused, "verifiedLevels"),
        (REPOSITORY, {"properties": ("SLSA_SOURCE_LEVEL_2",)}, FieldRefused, "verifiedLevels[1]"),
        (REPOSITORY, {"properties": ("SLSA_OURS",)}, FieldRefused, "verifiedLevels[1]"),
        (REPOSITORY, {"policy": None}, FieldMissing, "policy.uri"),
        (REPOSITORY, {"refs": ("main",)}, FieldRefused, "subject.annotations.sourceRefs[0]"),
        (REPOSITORY, {"refs": ("refs/heads/main", "")}, FieldRefused, "subject.annotations.sourceRefs[1]"),
        (REPOSITORY, {"refs": ("refs/heads/a b",)}, FieldRefused, "subject.annotations.sourceRefs[0]"),
        ("https://github.com/acme/train", {}, FieldRefused, "resourceUri"),
        ("git+https://user:token@github.com/acme/train", {}, FieldRefused, "resourceUri"),
        (f"{REPOSITORY}@{COMMIT}", {}, FieldRefused, "resourceUri"),
        ("git+https://github.com/", {}, FieldRefused, "resourceUri"),
        ("pkg:github/acme/train", {}, FieldRefused, "resourceUri"),
        ("", {}, FieldMissing, "resourceUri"),
    ],
)
def test_what_is_no_source_vsa_is_not_made(
    repository: str, changes: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(GlasswingError) as refused:
        summary(repository, **changes)
    assert type(refused.value) is error
    assert refused.value.where == where


def test_a_revision_may_fail() -> None:
    failed = SourceSummary(
        verifier_id="v:v", resource_uri=REPOSITORY, result="FAILED", levels=("FAILED",), policy=POLICY, refs=()
    )
    assert failed.to_predicate()["verificationResult"] == "FAILED"
    with pytest.raises(FieldRefused) as refused:
        SourceSummary(verifier_id="v:v", resource_uri=REPOSITORY, result="PASSED", levels=("ACME",), policy=POLICY)
    assert refused.value.where == "verifiedLevels"


@pytest.mark.parametrize("said", [None, "refs/heads/main", {"refs/heads/main": 1}, ["refs/heads/main", 1], [["x"]]])
def test_what_is_no_list_of_references_names_none(said: Any) -> None:
    digest = DigestSet.of(gitCommit=COMMIT)
    assert source_refs(ResourceDescriptor(digest=digest, annotations={"sourceRefs": said})) == ()
    assert source_refs(ResourceDescriptor(digest=digest, annotations={"source_refs": ["refs/heads/main"]})) == ()


# --- source provenance -----------------------------------------------------------------------------------------------

PREVIOUS = "a2" * 20
MADE = SourceProvenance(
    repo_uri="https://github.com/acme/train",
    branch="refs/heads/main",
    prev_commit=PREVIOUS,
    activity_type="pr_merge",
    actor="alice",
    created_on=datetime(2026, 1, 2, 3, 4, 5, 665_624, UTC),
    controls=(Control(name="CONTINUITY_ENFORCED", since=datetime(2025, 1, 2, tzinfo=UTC)), Control(name="TAG_HYGIENE")),
)
CAMEL: dict[str, Any] = {
    "repoUri": "https://github.com/acme/train",
    "branch": "refs/heads/main",
    "prevCommit": PREVIOUS,
    "activityType": "pr_merge",
    "actor": "alice",
    "createdOn": "2026-01-02T03:04:05.665624Z",
    "controls": [{"name": "CONTINUITY_ENFORCED", "since": "2025-01-02T00:00:00Z"}, {"name": "TAG_HYGIENE"}],
}
SNAKE = {
    "repo_uri": CAMEL["repoUri"],
    "branch": CAMEL["branch"],
    "prev_commit": PREVIOUS,
    "activity_type": "pr_merge",
    "actor": "alice",
    # As Go writes it; what is below a microsecond is dropped.
    "created_on": "2026-01-02T03:04:05.665624162Z",
    "controls": CAMEL["controls"],
}


def test_source_provenance_is_written_and_read() -> None:
    assert MADE.predicate_type == SOURCE_PROVENANCE_V1
    assert MADE.to_predicate() == CAMEL
    for uri in (SOURCE_PROVENANCE_V1, SOURCE_PROVENANCE_DRAFT):
        kind = registry_of()[uri]
        for said in (CAMEL, SNAKE, {**CAMEL, "new": 1}):
            assert kind.parse(node(said), DEFAULT) == MADE
        assert kind.dependencies is None
        assert kind.scope is not None
        assert kind.scope(MADE) == "https://github.com/acme/train"


def test_it_can_be_signed() -> None:
    made = attest(checkout(), MADE, signer=KeySigner.generate()).statement_unverified
    assert made.predicate_type == SOURCE_PROVENANCE_V1
    assert SourceProvenance.from_predicate(made.predicate_node) == MADE


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"repoUri": None}, FieldMissing, "repoUri"),
        ({"repoUri": ""}, FieldMissing, "repoUri"),
        ({"repoUri": 1}, FieldRefused, "repoUri"),
        ({"repo_uri": "https://github.com/evil/train"}, FieldRefused, "repo_uri"),
        ({"prev_commit": PREVIOUS}, FieldRefused, "prev_commit"),
        ({"branch": []}, FieldRefused, "branch"),
        ({"actor": {"login": "alice"}}, FieldRefused, "actor"),
        ({"createdOn": "yesterday"}, FieldRefused, "createdOn"),
        ({"controls": {}}, FieldRefused, "controls"),
        ({"controls": [{}]}, FieldMissing, "controls[0].name"),
        ({"controls": [{"name": "x", "since": 1}]}, FieldRefused, "controls[0].since"),
    ],
)
def test_source_provenance_of_the_wrong_shape_is_refused(
    changes: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(GlasswingError) as refused:
        SourceProvenance.from_predicate(node({**CAMEL, **changes}))
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate.{where}"


def test_source_provenance_that_could_not_be_read_is_not_made() -> None:
    for error, where, make in (
        (FieldMissing, "repoUri", lambda: SourceProvenance(repo_uri="")),
        (FieldRefused, "createdOn", lambda: SourceProvenance(repo_uri="x:y", created_on=datetime(2026, 1, 1))),  # noqa: DTZ001
        (FieldMissing, "controls.name", lambda: Control(name="")),
        (FieldRefused, "controls.since", lambda: Control(name="x", since=datetime(2026, 1, 1))),  # noqa: DTZ001
    ):
        with pytest.raises(error) as refused:
            make()
        assert refused.value.where == where


def test_controls_are_bounded() -> None:
    with pytest.raises(LimitError) as refused:
        SourceProvenance.from_predicate(node(CAMEL), limits=Limits(dependencies=1))
    assert refused.value.where == "$.predicate.controls"
