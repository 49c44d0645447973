"""Does the summary of a report say what was proved, all that it rests on, and nothing more?"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from glasswing_attest import Attestation, Manifest, Policy, Report, Trust, Verifier, attest, endorse, replay
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import FieldMissing, FieldRefused, LimitError, Mismatch, NoMatchingAttestation, UsageError
from glasswing_attest.limits import Limits
from glasswing_attest.records import CodeRecord, DataRecord
from glasswing_attest.report.vsa import ReportSummary
from glasswing_attest.statement.predicates.oms import OMS_V1, ModelSignature, OmsResource
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.store import Item
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.trust.revocation import RevocationList
from tests.chains import (
    BUILDER,
    COMMIT,
    REPOSITORY,
    Chain,
    bare,
    checkout,
    data_record,
    honest,
    policy_of,
    provenance,
    run_record,
    seal,
    signer,
    statement,
    tree,
    trust_of,
    used,
)

VERIFIER, RESOURCE, POLICY_URI = "https://verifier.example", "https://models.example/m", "https://verifier.example/p"
SAID: Mapping[str, Any] = {"verifier": VERIFIER, "resource": RESOURCE, "policy_uri": POLICY_URI}
NAMES = ("trainer", "data-team", "developer", "verifier")
Change = Callable[[dict[str, Any]], object]


def report_of(chain: Chain, *more: Any, change: Change | None = None, artifact: Any = None, **said: Any) -> Report:
    """The report of now: a summary is of no other time."""
    verifier = Verifier(policy=policy_of(change), trust=trust_of(*NAMES), **said)
    return verifier.assess(artifact or chain.model, more or chain.evidence)


def built(level: int, by: str = "trainer") -> Change:
    return lambda plain: plain.update(builders=[{"id": BUILDER, "signed_by": [by], "level": level}])


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def inputs(summary: VerificationSummary) -> list[str]:
    return [dict(each.digest.to_dict())["sha256"] for each in summary.input_attestations]


# --- what it says ----------------------------------------------------------------------------------------------------


def test_a_summary_says_what_slsa_asks_for() -> None:
    report = report_of(honest(), change=built(3))
    made = report.summary(**SAID)
    assert made.predicate_type == SUMMARY_V1
    assert made.to_predicate() == {
        "verifier": {"id": VERIFIER, "version": {"glasswing-attest": report.version}},
        "timeVerified": report.to_dict()["now"],
        "resourceUri": RESOURCE,
        "policy": {"uri": POLICY_URI, "digest": {"sha256": sha256(report.policy.to_json())}},
        "inputAttestations": [
            {"digest": {"sha256": sha256(evidence.bytes)}}
            for evidence in sorted(honest().evidence, key=lambda e: sha256(e.bytes))
        ],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
        "dependencyLevels": {"SLSA_BUILD_LEVEL_UNEVALUATED": 1, "SLSA_SOURCE_LEVEL_UNEVALUATED": 1},
        "slsaVersion": "1.2",
    }
    signed = attest(report.artifact, made, signer=signer("verifier")).statement_unverified
    assert signed.subjects[0].digest == honest().model.digests
    assert VerificationSummary.from_predicate(signed.predicate_node).to_predicate() == made.to_predicate()


def test_a_policy_without_a_place_is_named_by_its_digest() -> None:
    report = report_of(honest())
    policy = report.summary(verifier=VERIFIER, resource=RESOURCE).policy
    assert policy is not None
    assert policy.uri.startswith("ni:///sha-256;")
    assert policy.digest.get("sha256") == report.policy.digest


def test_equal_reports_say_the_same_in_any_order_of_the_evidence() -> None:
    def said(*evidence: Any) -> dict[str, object]:
        told = report_of(honest(), *evidence).summary(**SAID).to_predicate()
        return {name: value for name, value in told.items() if name != "timeVerified"}

    assert len({json.dumps(said(*order)) for order in permutations(honest().evidence)}) == 1


# --- what it rests on ------------------------------------------------------------------------------------------------


def test_what_the_chain_does_not_rest_on_is_no_input() -> None:
    chain = honest()
    stranger = data_record(chain.data, by="stranger")
    elsewhere = data_record(Blob(b"other", name="other", kind="dataset").measure())
    # Anybody can copy a payload and put a signature of nobody beside it.
    forged = json.loads(chain.run.bytes)
    forged["dsseEnvelope"]["signatures"][0]["sig"] = json.loads(chain.record.bytes)["dsseEnvelope"]["signatures"][0][
        "sig"
    ]
    report = report_of(chain, *chain.evidence, stranger, elsewhere, json.dumps(forged).encode(), b"junk")
    assert inputs(report.summary(**SAID)) == sorted(sha256(e.bytes) for e in chain.evidence)


def test_every_container_of_what_was_used_is_an_input() -> None:
    """Which of two copies is the one that was used, nobody can say: all of them are named, or not all would be."""
    chain = honest()
    copy = bare(chain.run)
    report = report_of(chain, copy, *chain.evidence)
    assert inputs(report.summary(**SAID)) == sorted(map(sha256, [copy, *(e.bytes for e in chain.evidence)]))


def test_everybody_of_a_threshold_is_an_input() -> None:
    chain = honest()
    second = endorse(chain.record, signer=signer("developer"))

    def both(plain: dict[str, Any]) -> None:
        rule = {"threshold": 2, "of": ["data-team", "developer"], "over": "same_statement"}
        plain["nodes"]["dataset"]["require"][0]["signed_by"] = rule

    report = report_of(chain, *chain.evidence, second, change=both)
    assert inputs(report.summary(**SAID)) == sorted(sha256(e.bytes) for e in (*chain.evidence, second))


def test_the_revocation_list_is_an_input() -> None:
    chain = honest()
    trust = Trust.parse(
        trust_of(*NAMES).to_json().replace(b'"version":1', b'"revocations":{"signed_by":["developer"]},"version":1')
    )
    plain = {"version": 4, "issued": "2026-01-01T00:00:00Z", "expires": "2999-01-01T00:00:00Z", "entries": []}
    listed = signer("developer").seal(
        json.dumps(plain).encode(), "application/vnd.glasswing-attest.revocations.v1+json"
    )
    assert RevocationList.parse(json.dumps(plain).encode()).version == 4
    report = Verifier(policy=policy_of(), trust=trust, revocations=listed).assess(chain.model, chain.evidence)
    assert report.accepted
    assert inputs(report.summary(**SAID)) == sorted(map(sha256, [listed, *(e.bytes for e in chain.evidence)]))
    # Where nobody signs one, one that lies there decided nothing.
    unused = report_of(chain, revocations=listed)
    assert inputs(unused.summary(**SAID)) == sorted(sha256(e.bytes) for e in chain.evidence)


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("https://models.example/m.json", "https://models.example/m.json"),
        ("oci://registry.example/m@sha256:00", ""),
        ("https://user:secret@models.example/m.json", ""),
        ("https://models.example/m.json?token=secret", ""),
        ("https://models.example/m.json#x", ""),
        ("file:///home/alice/m.json", ""),
        ("/home/alice/m.json", ""),
        ("evidence[0]", ""),
        ("https://models.example/a b", ""),
    ],
)
def test_an_input_is_named_by_a_place_that_others_reach(origin: str, told: str) -> None:
    chain = honest()
    report = report_of(chain, Item(data=chain.run.bytes, origin=origin), chain.record, chain.source)
    assert sorted(each.uri for each in report.summary(**SAID).input_attestations) == ["", "", told]


# --- which level it says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_build_level_is_that_of_the_pair_of_signer_and_builder(level: int) -> None:
    assert report_of(honest(), change=built(level)).summary(**SAID).levels == (f"SLSA_BUILD_LEVEL_{level}",)


def test_a_pair_that_stands_nowhere_has_level_1() -> None:
    assert report_of(honest()).summary(**SAID).levels == ("SLSA_BUILD_LEVEL_1",)
    assert report_of(honest(), change=built(3, by="developer")).summary(**SAID).levels == ("SLSA_BUILD_LEVEL_1",)


def test_what_no_run_made_is_not_evaluated() -> None:
    chain = honest()
    assert report_of(chain, artifact=chain.data).summary(**SAID).levels == ("SLSA_BUILD_LEVEL_UNEVALUATED",)
    assert report_of(chain, artifact=chain.code).summary(**SAID).levels == ("SLSA_SOURCE_LEVEL_UNEVALUATED",)


def test_a_run_of_a_dependency_gives_the_artifact_no_level() -> None:
    """The data was built at level 3, and the model at level 1: one run is not the other's."""
    chain = honest()

    def change(plain: dict[str, Any]) -> None:
        plain["builders"] = [{"id": "https://ci.example/data", "signed_by": ["data-team"], "level": 3}]
        plain["nodes"]["dataset"]["require"] = [
            {
                "predicate": PROVENANCE_V1,
                "signed_by": {"any_of": ["data-team"]},
                "expect": {"builder": "https://ci.example/data"},
            }
        ]

    made = run_record(chain.data, by="data-team", builder_id="https://ci.example/data")
    summary = report_of(chain, chain.run, chain.source, made, change=change).summary(**SAID)
    assert summary.levels == ("SLSA_BUILD_LEVEL_1",)
    assert summary.dependency_levels == {"SLSA_BUILD_LEVEL_3": 1, "SLSA_SOURCE_LEVEL_UNEVALUATED": 1}


def test_a_run_that_was_not_accepted_gives_no_level() -> None:
    """A better builder has another account, which the policy does not take: it lists no dataset."""
    chain = honest()
    better = run_record(chain.model, used(chain.code, "code", REPOSITORY), by="developer")

    def change(plain: dict[str, Any]) -> None:
        plain["builders"] = [{"id": BUILDER, "signed_by": ["developer"], "level": 3}]
        plain["nodes"]["model"]["require"][0]["signed_by"]["any_of"] = ["trainer", "developer"]

    summary = report_of(chain, *chain.evidence, better, change=change).summary(**SAID)
    assert summary.levels == ("SLSA_BUILD_LEVEL_1",)
    assert sha256(better.bytes) not in inputs(summary)


@pytest.mark.parametrize("name", ["ACME_REVIEWED", "acme.example/scanned", "ORG_SOURCE_X"])
def test_a_caller_may_say_more_in_his_own_words(name: str) -> None:
    made = report_of(honest()).summary(**SAID, properties=[name, name])
    assert made.levels == ("SLSA_BUILD_LEVEL_1", name)


@pytest.mark.parametrize(
    "name",
    [
        *("SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_4", "SLSA_X", "slsa_build_level_3", "\u200bSLSA_BUILD_LEVEL_3"),
        *("FAILED", "failed", "", " ", "a b", "é", "A\nB", 3, None),
    ],
)
def test_no_caller_says_what_only_a_proof_may(name: Any) -> None:
    with pytest.raises(FieldRefused) as refused:
        report_of(honest()).summary(**SAID, properties=["ACME", name])
    assert (refused.value.code, refused.value.where) == ("malformed.field", "properties[1]")


@pytest.mark.parametrize("argument", ["verifier", "resource", "policy_uri"])
@pytest.mark.parametrize(
    "value", ["", "acme", "acme/model", "https:// x", "https://x\n", "1:x", "https:", None, b"a:b"]
)
def test_what_is_no_uri_is_refused(argument: str, value: Any) -> None:
    if argument == "policy_uri" and not value:
        return  # it is named by its digest then
    where = {"verifier": "verifier.id", "resource": "resourceUri", "policy_uri": "policy.uri"}[argument]
    with pytest.raises(FieldRefused) as refused:
        report_of(honest()).summary(**{**SAID, argument: value})
    assert (refused.value.code, refused.value.where, refused.value.found) == ("malformed.field", where, value)


@pytest.mark.parametrize("properties", ["ACME", None, 3])
def test_one_property_is_not_several(properties: Any) -> None:
    with pytest.raises(UsageError) as refused:
        report_of(honest()).summary(**SAID, properties=properties)
    assert refused.value.where == "properties"


# --- dependencies ----------------------------------------------------------------------------------------------------


def trimming(*kinds: str) -> Change:
    def change(plain: dict[str, Any]) -> None:
        for kind in kinds:
            plain["nodes"][kind] = {"trim": {"reason": "not of interest"}}

    return change


def test_what_is_trimmed_is_counted_as_not_evaluated() -> None:
    chain = honest()
    summary = report_of(chain, chain.run, change=trimming("dataset", "code")).summary(**SAID)
    assert summary.dependency_levels == {"SLSA_BUILD_LEVEL_UNEVALUATED": 1, "SLSA_SOURCE_LEVEL_UNEVALUATED": 1}
    assert inputs(summary) == [sha256(chain.run.bytes)]


def test_no_dependency_in_sight_is_no_claim_that_there_is_none() -> None:
    chain = honest()

    def alone(plain: dict[str, Any]) -> None:
        plain["nodes"]["model"]["require"][0]["inputs"] = {}

    run = run_record(chain.model)
    for made in (
        report_of(chain, run, change=alone).summary(**SAID),
        report_of(chain, chain.record, artifact=chain.data).summary(**SAID),
    ):
        assert made.dependency_levels is None
        assert "dependencyLevels" not in made.to_predicate()


def test_one_thing_counts_once_under_all_of_its_kinds_and_names() -> None:
    chain = honest()
    blob = Blob(b"image", name="i", kind="image")
    image, more = blob.measure(), blob.measure(also=("sha512",))
    inputs_ = [
        used(chain.data, "dataset"),
        used(chain.code, "code", f"{REPOSITORY}@{COMMIT}"),
        used(image, "image"),
        used(replace(image, name="the same"), "tool"),
        # Known by another digest as well; and by that one alone.
        used(more, "tool"),
        used(Manifest.declared("dependency", {"sha512": more.digests.to_dict()["sha512"]}), "dependency"),
        # No digest: two names are two things.
        ResourceDescriptor(uri="pkg:pypi/a@1", annotations={"role": "dependency"}),
        ResourceDescriptor(uri="pkg:pypi/b@1", annotations={"role": "dependency"}),
    ]
    run = run_record(chain.model, *inputs_)
    change = trimming("image", "tool", "dependency")
    summary = report_of(chain, run, chain.record, chain.source, change=change).summary(**SAID)
    assert summary.dependency_levels == {"SLSA_BUILD_LEVEL_UNEVALUATED": 4, "SLSA_SOURCE_LEVEL_UNEVALUATED": 1}


def test_a_digest_of_a_kind_that_is_not_known_is_no_trouble() -> None:
    chain = honest()
    strange = {"gce_image_id": "8970095005306000053", "sha256:x": "y", "sha256": chain.data.digests.get("sha256") or ""}
    plain = provenance().to_predicate()
    definition: Any = plain["buildDefinition"]
    definition["resolvedDependencies"] = [
        {"digest": strange, "annotations": {"role": "dataset"}},
        {"digest": {"gitCommit": COMMIT}, "annotations": {"role": "code"}},
    ]
    payload = statement([{"digest": chain.model.digests.to_dict()}], PROVENANCE_V1, plain)
    run = seal(payload, signer("trainer"))
    report = report_of(chain, run, change=trimming("dataset", "code"))
    assert report.accepted
    assert report.summary(**SAID).dependency_levels == {
        "SLSA_BUILD_LEVEL_UNEVALUATED": 1,
        "SLSA_SOURCE_LEVEL_UNEVALUATED": 1,
    }


# --- for whom, and when ----------------------------------------------------------------------------------------------


def test_a_no_has_no_summary() -> None:
    report = report_of(honest(), honest().run)
    with pytest.raises(NoMatchingAttestation) as refused:
        report.summary(**SAID)
    assert refused.value.report is report


def test_what_was_not_decided_has_no_summary() -> None:
    with pytest.raises(LimitError):
        report_of(honest(), limits=Limits(evidence=1)).summary(**SAID)


def test_a_replay_has_no_summary(tmp_path: Any) -> None:
    """Whoever made the case file chose its policy and its trust."""
    report = report_of(honest())
    again = replay(report.case(tmp_path / "case.zip"))
    assert again.accepted
    with pytest.raises(UsageError) as refused:
        again.summary(**SAID)
    assert (refused.value.code, refused.value.where) == ("usage", "summary")


def test_a_verdict_for_another_time_has_no_summary() -> None:
    report = honest().assess()
    assert report.accepted
    with pytest.raises(UsageError) as refused:
        report.summary(**SAID)
    assert (refused.value.code, refused.value.where, refused.value.found) == (
        "usage",
        "summary",
        "2026-02-01T00:00:00Z",
    )


def test_a_summary_is_signed_for_nothing_else() -> None:
    chain = honest()
    made = report_of(chain).summary(**SAID)
    file, more = (Blob(b"weights", name="w").measure(also=also) for also in ((), ("sha512",)))
    # A digest more would be one that nobody has verified.
    of_file = replace(made, kind=file.kind, digests=file.digests)
    others: list[tuple[ReportSummary, Any]] = [
        (made, chain.data),
        (made, [chain.model, chain.data]),
        (made, replace(chain.model, kind="dataset")),
    ]
    for summary, other in (*others, (of_file, more)):
        with pytest.raises(Mismatch) as refused:
            attest(other, summary, signer=signer("verifier"))
        assert (refused.value.code, refused.value.because) == (
            "verification.mismatch",
            "the summary is of another artifact",
        )
    attest(file, of_file, signer=signer("verifier"))
    attest(replace(chain.model, name="renamed"), made, signer=signer("verifier"))  # the name is for people


# --- there and back --------------------------------------------------------------------------------------------------


def relying(kind: str, level: Any, **expect: Any) -> Policy:
    """The policy of somebody who relies on the verifier."""
    rule = {
        "predicate": SUMMARY_V1,
        "signed_by": {"any_of": ["verifier"]},
        "expect": {"verifier": VERIFIER, "resource": RESOURCE, "level": level, **expect},
        "max_age": "1d",
    }
    plain = {
        "version": 1,
        "times": "claimed",
        "identities": {"verifier": {"key": "verifier"}},
        "nodes": {kind: {"require": [rule]}},
    }
    return Policy.parse(json.dumps(plain).encode(), suffix=".json")


def round_trip(artifact: Manifest, summary: ReportSummary, policy: Policy) -> tuple[Attestation, Report]:
    signed = attest(artifact, summary, signer=signer("verifier"))
    return signed, Verifier(policy=policy, trust=trust_of("verifier")).assess(artifact, signed)


def test_our_summary_is_accepted_and_can_be_passed_on() -> None:
    chain = honest()
    first = report_of(chain, change=built(3)).summary(**SAID, properties=["ACME_REVIEWED"])
    pinned = {"policy": POLICY_URI, "policy_digest": f"sha256:{policy_of(built(3)).digest}"}
    policy = relying("model", ["SLSA_BUILD_LEVEL_2", "ACME_REVIEWED"], **pinned)
    signed, report = round_trip(chain.model, first, policy)
    assert report.accepted
    second = report.summary(**SAID)
    assert second.levels == first.levels == ("SLSA_BUILD_LEVEL_3", "ACME_REVIEWED")
    # What the first verifier looked at, and what it says of dependencies, is its own business.
    assert inputs(second) == [sha256(signed.bytes)]
    assert second.dependency_levels is None
    # From here on nothing changes but what it rests on, the policy, and the time.
    again, report = round_trip(chain.model, second, relying("model", ["SLSA_BUILD_LEVEL_2", "ACME_REVIEWED"]))
    third = report.summary(**SAID)
    assert inputs(third) == [sha256(again.bytes)]

    def said(summary: ReportSummary) -> ReportSummary:
        return replace(summary, time_verified=None, input_attestations=(), policy=second.policy)

    assert said(third) == said(second)


def test_what_the_policy_does_not_ask_a_verifier_for_is_not_passed_on() -> None:
    chain = honest()
    body = {
        **report_of(chain).summary(**SAID).to_predicate(),
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_4", "ACME_REVIEWED", "SLSA_BUILD_LEVEL_9x"],
        "dependencyLevels": {},
    }
    payload = statement([{"digest": chain.model.digests.to_dict()}], SUMMARY_V1, body)
    told = seal(payload, signer("verifier"))

    def judged(**expect: Any) -> VerificationSummary:
        plain = json.loads(relying("model", "x").to_json())
        plain["nodes"]["model"]["require"][0]["expect"] = {"verifier": VERIFIER, "resource": RESOURCE, **expect}
        policy = Policy.parse(json.dumps(plain).encode(), suffix=".json")
        return Verifier(policy=policy, trust=trust_of("verifier")).assess(chain.model, told).summary(**SAID)

    assert judged().levels == ("SLSA_BUILD_LEVEL_UNEVALUATED",)
    assert judged(level="SLSA_BUILD_LEVEL_1").levels == ("SLSA_BUILD_LEVEL_3",)
    assert judged(level="ACME_REVIEWED").levels == ("SLSA_BUILD_LEVEL_UNEVALUATED", "ACME_REVIEWED")
    both = judged(level=["SLSA_SOURCE_LEVEL_1", "SLSA_BUILD_LEVEL_2"])
    assert both.levels == ("SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_4")
    # That somebody says there are no dependencies is not our claim.
    assert both.dependency_levels is None


def test_a_better_summary_of_nobody_in_particular_is_not_passed_on() -> None:
    """Two summaries, each good for one of two requirements: each gives what it was asked for."""
    chain = honest()
    plain = json.loads(relying("model", "SLSA_BUILD_LEVEL_1").to_json())
    plain["identities"]["developer"] = {"key": "developer"}
    (mine,) = plain["nodes"]["model"]["require"]
    theirs = {
        **mine,
        "signed_by": {"any_of": ["developer"]},
        "expect": {**mine["expect"], "verifier": "https://other.example", "level": "ACME_SCANNED"},
    }
    plain["nodes"]["model"]["require"].append(theirs)
    policy = Policy.parse(json.dumps(plain).encode(), suffix=".json")
    base = report_of(chain).summary(**SAID).to_predicate()

    def sealed(by: str, verifier: str, *levels: str) -> bytes:
        body = {**base, "verifier": {"id": verifier}, "verifiedLevels": levels}
        return seal(statement([{"digest": chain.model.digests.to_dict()}], SUMMARY_V1, body), signer(by))

    evidence = [
        sealed("verifier", VERIFIER, "SLSA_BUILD_LEVEL_2", "ACME_SCANNED"),
        sealed("developer", "https://other.example", "SLSA_BUILD_LEVEL_3", "ACME_SCANNED"),
    ]
    report = Verifier(policy=policy, trust=trust_of("verifier", "developer")).assess(chain.model, evidence)
    assert report.summary(**SAID).levels == ("SLSA_BUILD_LEVEL_2", "ACME_SCANNED")


def test_what_another_alternative_would_ask_for_is_not_passed_on() -> None:
    """With a review beside it the verifier would be believed for the source, too; there is no review."""
    chain = honest()
    plain = json.loads(relying("code", "SLSA_BUILD_LEVEL_1", resource=REPOSITORY).to_json())
    plain["identities"]["developer"] = {"key": "developer"}
    (alone,) = plain["nodes"]["code"].pop("require")
    with_review = {**alone, "expect": {**alone["expect"], "level": "SLSA_SOURCE_LEVEL_1"}}
    review = {"predicate": CodeRecord.predicate_type, "signed_by": {"any_of": ["developer"]}}
    plain["nodes"]["code"]["any_of"] = [{"require": [alone]}, {"require": [with_review, review]}]
    policy = Policy.parse(json.dumps(plain).encode(), suffix=".json")
    body = {
        "verifier": {"id": VERIFIER},
        "timeVerified": report_of(chain).to_dict()["now"],
        "resourceUri": REPOSITORY,
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_SOURCE_LEVEL_3", "SLSA_BUILD_LEVEL_1"],
    }
    told = seal(statement([{"digest": {"gitCommit": COMMIT}}], SUMMARY_V1, body), signer("verifier"))
    report = Verifier(policy=policy, trust=trust_of("verifier", "developer")).assess(chain.code, told)
    assert report.summary(**SAID).levels == ("SLSA_SOURCE_LEVEL_UNEVALUATED", "SLSA_BUILD_LEVEL_1")


def test_a_commit_keeps_its_level_and_the_branch_that_was_asked_for() -> None:
    code = checkout()
    said = {"verifier": VERIFIER, "resource": REPOSITORY, "policy_uri": POLICY_URI}
    body = {
        "verifier": {"id": VERIFIER},
        "timeVerified": report_of(honest()).to_dict()["now"],
        "resourceUri": REPOSITORY,
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_SOURCE_LEVEL_3", "ORG_SOURCE_X"],
    }
    subject = {"digest": {"gitCommit": COMMIT}, "annotations": {"sourceRefs": ["refs/heads/x", "refs/heads/main"]}}
    told = seal(statement([subject], SUMMARY_V1, body), signer("verifier"))
    policy = relying("code", "SLSA_SOURCE_LEVEL_2", resource=REPOSITORY, ref="refs/heads/main")
    verifier = Verifier(policy=policy, trust=trust_of("verifier"))
    first = verifier.assess(code, told).summary(**said)
    assert (first.levels, first.refs) == (("SLSA_SOURCE_LEVEL_3",), ("refs/heads/main",))
    signed = attest(code, first, signer=signer("verifier"))
    assert signed.statement_unverified.subjects[0].annotations == {
        "sourceRefs": ["refs/heads/main"],
        "times": "claimed",
    }
    assert verifier.assess(code, signed).summary(**said).levels == first.levels


def test_a_dependency_that_stands_on_a_summary_is_counted_at_its_level() -> None:
    chain = honest()

    def change(plain: dict[str, Any]) -> None:
        plain["identities"]["verifier"] = {"key": "verifier"}
        expect = {"verifier": VERIFIER, "resource": REPOSITORY, "level": "SLSA_SOURCE_LEVEL_1"}
        plain["nodes"]["code"]["require"].append(
            {"predicate": SUMMARY_V1, "signed_by": {"any_of": ["verifier"]}, "expect": expect}
        )

    body = {
        "verifier": {"id": VERIFIER},
        "resourceUri": REPOSITORY,
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"],
    }
    told = seal(statement([{"digest": {"gitCommit": COMMIT}}], SUMMARY_V1, body), signer("verifier"))
    summary = report_of(chain, *chain.evidence, told, change=change).summary(**SAID)
    assert summary.dependency_levels == {"SLSA_BUILD_LEVEL_UNEVALUATED": 1, "SLSA_SOURCE_LEVEL_3": 1}
    assert summary.levels == ("SLSA_BUILD_LEVEL_1",)


# --- and what nobody proved ------------------------------------------------------------------------------------------


def annotations(report: Report) -> Any:
    signed = attest(report.artifact, report.summary(**SAID), signer=signer("verifier"))
    return dict(signed.statement_unverified.subjects[0].annotations)


def witnessed(plain: dict[str, Any]) -> None:
    plain["times"] = "verified"
    for name in ("trainer", "data-team", "developer"):
        plain["identities"][name] = {"issuer": "https://issuer.example", "san": f"{name}@example.com"}


def test_a_summary_tells_what_nobody_here_read_and_whose_time_nobody_vouches_for() -> None:
    chain = honest()
    assert annotations(report_of(chain)) == {"times": "claimed"}
    told = Manifest.declared("model", chain.model.digests, name="m")
    allowed = report_of(chain, artifact=told, change=lambda plain: plain.update(declared="allow"))
    assert annotations(allowed) == {"declared": True, "times": "claimed"}

    sigstore = VirtualSigstore()
    record = DataRecord(name="penguins")
    signed = attest(chain.data, record, signer=sigstore.signer(Holder(san="data-team@example.com")))
    verifier = Verifier(policy=policy_of(witnessed), trust=sigstore.trust())
    assert annotations(verifier.assess(chain.data, signed)) == {}


def test_a_digest_that_was_told_beside_an_attested_one_gets_no_summary() -> None:
    """One digest is enough to be accepted; whoever has other bytes would find the other one in the summary."""
    chain = honest()

    def report(more: Mapping[str, str], kind: str = "dataset") -> Report:
        digests = DigestSet.of({**chain.data.digests.to_dict(), **more})
        told = Manifest.declared(kind, digests, name="penguins")
        return report_of(chain, artifact=told, change=lambda plain: plain.update(declared="allow"))

    for more in ({"sha512": "0" * 128}, {"sha1": "0" * 40}):
        evil = report(more)
        assert evil.accepted
        with pytest.raises(UsageError) as refused:
            evil.summary(**SAID)
        (digest,) = (f"{name}:{value}" for name, value in more.items())
        assert (refused.value.code, refused.value.where, refused.value.found) == ("usage", "summary", digest)
    assert report({}).summary(**SAID).digests == chain.data.digests


def test_a_trees_listing_is_said_by_its_dir_hash() -> None:
    chain = honest()
    listing = chain.data.digests.get("dirHash")
    body = DataRecord(name="penguins").to_predicate()
    bare_hash = seal(
        statement([{"digest": {"dirHash": listing}}], DataRecord.predicate_type, body), signer("data-team")
    )
    told = Manifest.declared("dataset", chain.data.digests, name="penguins")
    report = report_of(chain, bare_hash, artifact=told, change=lambda plain: plain.update(declared="allow"))
    assert report.summary(**SAID).digests == chain.data.digests


def test_a_run_that_names_the_files_of_a_model_is_no_trouble() -> None:
    """It is about the model by the signed list of its files, and no subject of it has the model's digest."""
    files = {"config.json": b"{}", "model.safetensors": b"weights"}
    model = tree("model", files)
    listed = ModelSignature(resources=tuple(OmsResource(name=n, digest=sha256(data)) for n, data in files.items()))
    summary = VerificationSummary(
        verifier_id=VERIFIER,
        resource_uri=RESOURCE,
        result="PASSED",
        levels=("SLSA_BUILD_LEVEL_3",),
        policy=ResourceDescriptor(uri=POLICY_URI),
    )
    evidence = [
        seal(
            statement([{"name": "m", "digest": {"sha256": listed.root()}}], OMS_V1, listed.to_predicate()),
            signer("trainer"),
        ),
        seal(
            statement(
                [{"name": name, "digest": {"sha256": sha256(data)}} for name, data in files.items()],
                PROVENANCE_V1,
                provenance().to_predicate(),
            ),
            signer("trainer"),
        ),
        attest(model, summary, signer=signer("verifier")),
    ]

    def change(plain: dict[str, Any]) -> None:
        plain["identities"]["verifier"] = {"key": "verifier"}
        plain["builders"] = [{"id": BUILDER, "signed_by": ["trainer"], "level": 2}]
        expect = {"verifier": VERIFIER, "resource": RESOURCE, "level": "SLSA_BUILD_LEVEL_2"}
        plain["nodes"] = {
            "model": {
                "require": [
                    {"predicate": OMS_V1, "signed_by": {"any_of": ["trainer"]}},
                    {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["trainer"]}, "expect": {"builder": BUILDER}},
                    {"predicate": SUMMARY_V1, "signed_by": {"any_of": ["verifier"]}, "expect": expect},
                ]
            }
        }

    report = report_of(honest(), *evidence, artifact=model, change=change)
    assert report.accepted
    assert report.summary(**SAID).levels == ("SLSA_BUILD_LEVEL_3",)


def test_whoever_signed_the_same_run_for_another_kind_does_not_speak_for_this_one() -> None:
    """The trainer is believed to level 3, and for datasets alone; the model stands on the developer's word."""
    model, data = honest().model, tree("dataset", {"a.csv": b"1"}, "made")
    payload = statement(
        [{"name": each.name, "digest": each.digests.to_dict()} for each in (model, data)],
        PROVENANCE_V1,
        provenance().to_predicate(),
    )
    second = run_record(model, used(data, "dataset"), by="data-team")

    def change(plain: dict[str, Any]) -> None:
        def by(name: str) -> dict[str, Any]:
            return {"predicate": PROVENANCE_V1, "signed_by": {"any_of": [name]}, "expect": {"builder": BUILDER}}

        plain["builders"] = [{"id": BUILDER, "signed_by": ["trainer"], "level": 3}]
        plain["nodes"] = {
            "model": {"require": [by("developer"), by("data-team")]},
            "dataset": {"require": [by("trainer")]},
        }

    evidence = (seal(payload, signer("trainer")), seal(payload, signer("developer")), second)
    summary = report_of(honest(), *evidence, change=change).summary(**SAID)
    assert summary.levels == ("SLSA_BUILD_LEVEL_1",)
    assert summary.dependency_levels == {"SLSA_BUILD_LEVEL_3": 1}


def test_an_alternative_whose_values_differ_is_not_passed_on() -> None:
    """Both alternatives ask for what is there; of one `same` does not hold, so that it is not what was selected."""
    chain = honest()

    def asked(resource: str, level: str, label: str) -> dict[str, Any]:
        expect = {"verifier": VERIFIER, "resource": resource, "level": level}
        return {"as": label, "predicate": SUMMARY_V1, "signed_by": {"any_of": ["developer"]}, "expect": expect}

    one, other = "https://models.example/a", "https://models.example/b"

    def change(plain: dict[str, Any]) -> None:
        build, source = "SLSA_BUILD_LEVEL_1", "SLSA_SOURCE_LEVEL_1"
        plain["nodes"] = {
            "model": {
                "any_of": [
                    {"require": [asked(one, source, "a"), asked(other, build, "b")]},
                    {"require": [asked(one, build, "c"), asked(other, build, "d")]},
                ]
            }
        }
        plain["same"] = [["a.predicate.resourceUri", "b.predicate.resourceUri"]]

    def both(resource: str) -> bytes:
        body = {
            "verifier": {"id": VERIFIER},
            "resourceUri": resource,
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_3"],
        }
        return seal(statement([{"digest": chain.model.digests.to_dict()}], SUMMARY_V1, body), signer("developer"))

    report = report_of(chain, both(one), both(other), change=change)
    assert report.accepted
    assert report.summary(**SAID).levels == ("SLSA_BUILD_LEVEL_2",)


def test_what_our_own_reader_would_not_read_is_not_written() -> None:
    report = replace(report_of(honest()), limits=Limits(dependencies=2))
    with pytest.raises(LimitError) as refused:
        report.summary(**SAID)
    assert (refused.value.code, refused.value.where) == ("limit", "inputAttestations")
    made = report_of(honest()).summary(**SAID)
    payload = attest(honest().model, made, signer=signer("verifier")).statement_unverified
    VerificationSummary.from_predicate(payload.predicate_node, limits=Limits(dependencies=3))
    with pytest.raises(LimitError):
        VerificationSummary.from_predicate(payload.predicate_node, limits=Limits(dependencies=2))


def test_a_made_summary_keeps_slsas_rules_when_it_is_changed() -> None:
    made = report_of(honest()).summary(**SAID)
    with pytest.raises(FieldMissing) as refused:
        replace(made, levels=())
    assert refused.value.where == "verifiedLevels"
    assert DataRecord.predicate_type != made.predicate_type
