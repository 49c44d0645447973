"""What may a policy expect of each predicate type, and is nothing less accepted?"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from glasswing_attest import Attestation, Manifest, Policy, Report, Verifier, attest, sign_statement
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import PolicyRefused
from glasswing_attest.statement.predicates.release import RELEASE_V01, RELEASE_V02, Release
from glasswing_attest.statement.predicates.run import (
    IN_TOTO_PROVENANCE_V01,
    PROVENANCE_V01,
    PROVENANCE_V02,
    PROVENANCES,
)
from glasswing_attest.statement.predicates.source import (
    SOURCE_PROVENANCE_DRAFT,
    SOURCE_PROVENANCE_V1,
    SourceProvenance,
    SourceSummary,
)
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.chains import COMMIT, NOW, REPOSITORY, Said, checkout, readers_of, signer, statement, trust_of

VERIFIER = "https://scs.example/verifier"
MODEL = Blob(b"weights", name="m.bin", kind="model")


def policy(kind: str, requirement: Mapping[str, Any], **nodes: Any) -> Policy:
    """A policy with one requirement for one kind, signed by anybody of the test."""
    rule = {"signed_by": {"any_of": ["signer"]}, **requirement}
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "identities": {"signer": {"key": "signer"}},
        "nodes": {kind: {"require": [rule]}, **nodes},
    }
    return Policy(**plain)


def judged(about: Any, evidence: Any, rule: Policy, at: datetime = NOW) -> Report:
    verifier = Verifier(policy=rule, trust=trust_of("signer"), predicates=readers_of(rule))
    return verifier.assess(about, evidence, at=at)


def refused_for(report: Report, rule: str, found: str, wanted: str) -> None:
    assert not report.accepted
    assert report.cause is not None
    assert (report.cause.code, report.cause.rule) == ("policy.expect", rule)
    assert (report.cause.found, report.cause.wanted) == (found, wanted)


# --- a reference of a commit -----------------------------------------------------------------------------------------


def source_vsa(*refs: str, about: Any = None, level: int = 3) -> Attestation:
    said = SourceSummary.of(
        REPOSITORY,
        level=level,
        refs=refs,
        verifier_id=VERIFIER,
        policy=ResourceDescriptor(uri="https://scs.example/policy"),
    )
    return attest(about or checkout(), said, signer=signer("signer"))


def on(ref: str | None) -> Policy:
    expect = {"verifier": VERIFIER, "resource": REPOSITORY, "level": "SLSA_SOURCE_LEVEL_2"}
    return policy("code", {"predicate": SUMMARY_V1, "expect": {**expect, **({} if ref is None else {"ref": ref})}})


def test_a_commit_that_stands_on_the_branch_is_accepted() -> None:
    assert judged(checkout(), source_vsa("refs/heads/main"), on("refs/heads/main")).accepted
    assert judged(checkout(), source_vsa("refs/tags/v1", "refs/heads/main"), on("refs/heads/main")).accepted
    assert judged(checkout(), source_vsa("refs/heads/topic"), on(None)).accepted


@pytest.mark.parametrize(
    ("refs", "found"),
    [
        ((), "no reference"),
        (("refs/heads/topic",), "refs/heads/topic"),
        (("refs/heads/main2", "refs/heads/mai"), "refs/heads/main2, refs/heads/mai"),
        (("refs/tags/main",), "refs/tags/main"),
    ],
)
def test_a_commit_on_no_or_another_branch_is_not(refs: tuple[str, ...], found: str) -> None:
    report = judged(checkout(), source_vsa(*refs), on("refs/heads/main"))
    refused_for(report, "nodes.code.expect.ref", found, "refs/heads/main")


@pytest.mark.parametrize(
    "annotations",
    [
        {"sourceRefs": "refs/heads/main"},
        {"sourceRefs": {"refs/heads/main": True}},
        {"sourceRefs": ["refs/heads/main", 1]},
        {"source_refs": ["refs/heads/main"]},
        {},
    ],
)
def test_what_reads_like_a_reference_is_none(annotations: dict[str, Any]) -> None:
    vsa = source_vsa("refs/heads/main").statement_unverified
    subject = {"digest": {"gitCommit": COMMIT}, "annotations": annotations}
    made = sign_statement(statement([subject], SUMMARY_V1, dict(vsa.predicate)), signer=signer("signer"))
    assert judged(checkout(), made, on(None)).accepted
    report = judged(checkout(), made, on("refs/heads/main"))
    refused_for(report, "nodes.code.expect.ref", "no reference", "refs/heads/main")


def test_the_references_of_another_subject_do_not_count() -> None:
    vsa = source_vsa("refs/heads/main").statement_unverified
    other = {"digest": {"gitCommit": "ab" * 20}, "annotations": {"sourceRefs": ["refs/heads/main"]}}
    mine = {"digest": {"gitCommit": COMMIT}, "annotations": {"sourceRefs": ["refs/heads/topic"]}}
    made = sign_statement(statement([other, mine], SUMMARY_V1, dict(vsa.predicate)), signer=signer("signer"))
    refused_for(
        judged(checkout(), made, on("refs/heads/main")), "nodes.code.expect.ref", "refs/heads/topic", "refs/heads/main"
    )
    assert judged(checkout("ab" * 20), made, on("refs/heads/main")).accepted


def test_of_several_summaries_one_that_fits_is_enough() -> None:
    evidence = [source_vsa("refs/heads/topic"), source_vsa("refs/heads/main"), source_vsa("refs/heads/main", level=1)]
    assert judged(checkout(), evidence, on("refs/heads/main")).accepted
    # One that has the branch and one that has the level are not one that has both.
    assert not judged(checkout(), [evidence[0], evidence[2]], on("refs/heads/main")).accepted


# --- source provenance and release -----------------------------------------------------------------------------------

GITHUB = "https://github.com/acme/train"


def test_source_provenance_is_held_against_repository_and_branch() -> None:
    made = SourceProvenance(repo_uri=GITHUB, branch="refs/heads/main", actor="alice")
    evidence = attest(checkout(), made, signer=signer("signer"))

    def rule(**expect: str) -> Policy:
        return policy("code", {"predicate": SOURCE_PROVENANCE_V1, "expect": expect})

    assert judged(checkout(), evidence, rule(resource=GITHUB)).accepted
    assert judged(checkout(), evidence, rule(resource=GITHUB, ref="refs/heads/main")).accepted
    refused_for(
        judged(checkout(), evidence, rule(resource=GITHUB, ref="refs/heads/release")),
        "nodes.code.expect.ref",
        "refs/heads/main",
        "refs/heads/release",
    )
    evil = "https://github.com/evil/train"
    refused_for(judged(checkout(), evidence, rule(resource=evil)), "nodes.code.expect.resource", GITHUB, evil)


def test_source_provenance_of_another_repository_is_out_of_scope() -> None:
    evil = "https://github.com/evil/train"
    evidence = attest(checkout(), SourceProvenance(repo_uri=evil), signer=signer("signer"))
    report = judged(
        checkout(), evidence, policy("code", {"predicate": SOURCE_PROVENANCE_V1, "expect": {"resource": evil}})
    )
    assert report.cause is not None
    assert report.cause.code == "chain.scope"


def test_a_release_is_held_against_its_package() -> None:
    evidence = attest(MODEL, Release(purl="pkg:pypi/train@1.0"), signer=signer("signer"))

    def rule(purl: str) -> Policy:
        return policy("model", {"predicate": RELEASE_V02, "expect": {"resource": purl}})

    assert judged(MODEL, evidence, rule("pkg:pypi/train@1.0")).accepted
    refused_for(
        judged(MODEL, evidence, rule("pkg:pypi/train@1.1")),
        "nodes.model.expect.resource",
        "pkg:pypi/train@1.0",
        "pkg:pypi/train@1.1",
    )


# --- the older versions of provenance --------------------------------------------------------------------------------

TARBALL: dict[str, Any] = {"uri": "https://x/train.tgz", "digest": {"sha256": "ab" * 32}}
V02: dict[str, Any] = {
    "builder": {"id": "https://ci.example/trainer"},
    "buildType": "https://example.com/make",
    "invocation": {"configSource": {**TARBALL, "entryPoint": "train"}},
    "metadata": {"buildStartedOn": "2026-01-02T03:00:00Z", "buildFinishedOn": "2026-01-02T04:00:00Z"},
    "materials": [TARBALL, {"uri": "pkg:oci/image", "digest": {"sha256": "cd" * 32}}],
}
V01: dict[str, Any] = {
    "builder": V02["builder"],
    "recipe": {"type": "https://example.com/make", "definedInMaterial": 0},
    "metadata": V02["metadata"],
    "materials": V02["materials"],
}
CHECKED = "https://example.com/checked/v1"
OLDER = [(PROVENANCE_V02, V02), (PROVENANCE_V01, V01), (IN_TOTO_PROVENANCE_V01, V01)]


def run_of(uri: str, said: Mapping[str, Any]) -> Attestation:
    return attest(MODEL, Said(predicate_type=uri, body=said), signer=signer("signer"))


def for_runs(uri: str, **changes: Any) -> Policy:
    """Code must be checked; other dependencies are cut away."""
    rule = {
        "predicate": uri,
        "expect": {"builder": "https://ci.example/trainer", "build_type": "https://example.com/make"},
        "inputs": {"code": {"exactly": 1}, "dependency": {"max": 1}},
        **changes,
    }
    checked = {"require": [{"predicate": CHECKED, "signed_by": {"any_of": ["signer"]}}]}
    return policy("model", rule, code=checked, dependency={"trim": {"reason": "covered"}})


def source_checked() -> Attestation:
    tarball = Manifest.declared("code", TARBALL["digest"], name="train.tgz")
    return attest(tarball, Said(predicate_type=CHECKED, body={}), signer=signer("signer"))


@pytest.mark.parametrize(("uri", "said"), OLDER)
def test_an_older_run_chains_to_its_source(uri: str, said: dict[str, Any]) -> None:
    report = judged(MODEL, [run_of(uri, said), source_checked()], for_runs(uri))
    assert report.accepted
    assert report.graph is not None
    assert {(e.role, report.graph.node(e.parent).kind) for e in report.graph.edges} == {
        ("run", "run"),
        ("builder", "builder"),
        ("code", "code"),
        ("dependency", "dependency"),
    }
    alone = judged(MODEL, [run_of(uri, said)], for_runs(uri))
    assert alone.cause is not None
    assert alone.cause.code == "chain.no-attestation"


@pytest.mark.parametrize(("uri", "said"), OLDER)
def test_an_older_run_is_held_against_builder_and_build_type(uri: str, said: dict[str, Any]) -> None:
    for name, wanted in (("builder", "https://ci.example/other"), ("build_type", "https://example.com/other")):
        expect = {"builder": "https://ci.example/trainer", "build_type": "https://example.com/make", name: wanted}
        report = judged(MODEL, [run_of(uri, said), source_checked()], for_runs(uri, expect=expect))
        assert report.cause is not None
        assert (report.cause.rule, report.cause.wanted) == (f"nodes.model.expect.{name}", wanted)


@pytest.mark.parametrize(("uri", "said"), OLDER)
def test_an_older_run_has_its_times(uri: str, said: dict[str, Any]) -> None:
    early = judged(
        MODEL, [run_of(uri, said), source_checked()], for_runs(uri), at=datetime(2026, 1, 2, 3, 30, tzinfo=UTC)
    )
    assert early.cause is not None
    assert early.cause.code == "policy.times"
    assert early.cause.found == "finishedOn 2026-01-02T04:00:00Z"


def test_a_run_is_not_one_of_another_version() -> None:
    # The same words under another type are another statement: each version is asked for by its own name.
    report = judged(MODEL, [run_of(PROVENANCE_V02, V02), source_checked()], for_runs(PROVENANCE_V01))
    assert report.cause is not None
    assert report.cause.code == "chain.no-attestation"


def test_a_recipe_that_is_left_out_is_no_build_type() -> None:
    said = {k: v for k, v in V01.items() if k != "recipe"}
    expect = {"builder": "https://ci.example/trainer"}
    loose = for_runs(PROVENANCE_V01, expect=expect, inputs={"dependency": {"min": 2}})
    report = judged(MODEL, [run_of(PROVENANCE_V01, said)], loose)
    assert report.accepted
    assert report.graph is not None
    # It has no invocation and no type to be called by.
    assert [n.name for n in report.graph.nodes if n.kind == "run"] == ["https://ci.example/trainer"]
    strict = for_runs(PROVENANCE_V01, inputs={})
    refused_for(
        judged(MODEL, [run_of(PROVENANCE_V01, said)], strict),
        "nodes.model.expect.build_type",
        "",
        "https://example.com/make",
    )


def test_the_sha1_of_a_commit_is_not_its_git_commit() -> None:
    # Cross-namespace: a commit that was checked does not vouch for a sha1 of the same digits.
    source = {"uri": f"{REPOSITORY}@refs/heads/main", "digest": {"sha1": COMMIT}}
    said = {**V02, "invocation": {"configSource": source}, "materials": [source]}
    checked = attest(checkout(), Said(predicate_type=CHECKED, body={}), signer=signer("signer"))
    report = judged(MODEL, [run_of(PROVENANCE_V02, said), checked], for_runs(PROVENANCE_V02))
    assert report.cause is not None
    assert report.cause.code == "chain.no-attestation"
    assert report.cause.rule == "nodes.code"
    assert report.cause.wanted == "a digest that identifies it"


# --- what does not construct -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        *(({"predicate": uri}, "a provenance rule needs expect.builder") for uri in PROVENANCES),
        *(
            ({"predicate": uri, "expect": {"builder": "b", "resource": "x"}}, "expect.resource does not apply")
            for uri in PROVENANCES
        ),
        ({"predicate": SOURCE_PROVENANCE_V1}, "needs expect.resource"),
        ({"predicate": SOURCE_PROVENANCE_DRAFT, "expect": {"ref": "refs/heads/main"}}, "needs expect.resource"),
        ({"predicate": SOURCE_PROVENANCE_V1, "expect": {"resource": "x", "level": "y"}}, "expect.level does not apply"),
        ({"predicate": RELEASE_V01}, "needs expect.resource"),
        ({"predicate": RELEASE_V02, "expect": {"resource": "x", "ref": "refs/heads/x"}}, "expect.ref does not apply"),
        ({"predicate": RELEASE_V02, "expect": {"resource": "x"}, "inputs": {"code": {"min": 1}}}, "inputs go with"),
        ({"predicate": SUMMARY_V1, "expect": {"verifier": "v", "resource": "r", "ref": "main"}}, "ref"),
        ({"predicate": SUMMARY_V1, "expect": {"verifier": "v", "resource": "r", "ref": "refs/"}}, "ref"),
        ({"predicate": SUMMARY_V1, "expect": {"verifier": "v", "resource": "r", "ref": "refs/a b"}}, "ref"),
    ],
)
def test_an_incomplete_rule_is_refused(requirement: dict[str, Any], problem: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        policy("model", requirement)
    assert refused.value.code == "malformed.policy"
    assert problem in str(refused.value)
