"""Does a verification summary of others count for what it proves, and for nothing more?

SLSA v1.2, verification_summary.md, "How to verify": seven checks, of which each is broken alone here and refused by its
own code and rule. Then what stands around them: age, policy, a summary in the place of a part of the chain, and what an
attacker would try.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glasswing_attest import Attestation, KeySigner, Manifest, Policy, Report, Verifier, sign_statement
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import PolicyRefused
from glasswing_attest.records import DataRecord
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import OLD_SUMMARIES, SUMMARY_V1
from glasswing_attest.statement.predicates.svr import SVR_V02
from glasswing_attest.testing import Holder, VirtualSigstore
from tests.chains import COMMIT, NOW, REPOSITORY, checkout, data_record, run_record, signer, statement, trust_of, used

VERIFIER = "https://verifier.example/prod"
RESOURCE = "https://models.example/m.bin"
POLICY_URI = "https://verifier.example/policies/7"
MODEL = Blob(b"weights", name="m.bin", kind="model").measure()
BASE = Blob(b"base weights", name="base.bin", kind="baseModel").measure()

SAID: Mapping[str, Any] = {
    "verifier": {"id": VERIFIER},
    "timeVerified": "2026-01-20T00:00:00Z",
    "resourceUri": RESOURCE,
    "policy": {"uri": POLICY_URI, "digest": {"sha256": "ab" * 32}},
    "verificationResult": "PASSED",
    "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
}
EXPECT: Mapping[str, Any] = {"verifier": VERIFIER, "resource": RESOURCE, "level": "SLSA_BUILD_LEVEL_2"}


def vsa(*about: Manifest, by: KeySigner | None = None, type_: str = SUMMARY_V1, **changes: Any) -> Attestation:
    """A summary as somebody else would write it; `...` leaves a member out."""
    body = {name: value for name, value in {**SAID, **changes}.items() if value is not ...}
    subjects = [{"name": a.name, "digest": a.digests.to_dict()} for a in about or (MODEL,)]
    return sign_statement(statement(subjects, type_, body), signer=by or signer("verifier"))


def rule(signed_by: str = "verifier", /, **changes: Any) -> dict[str, Any]:
    expect = {name: value for name, value in {**EXPECT, **changes.pop("expect", {})}.items() if value is not ...}
    return {"predicate": SUMMARY_V1, "signed_by": {"any_of": [signed_by]}, "expect": expect, **changes}


def policy_of(*requirements: Any, kind: str = "model", **more: Any) -> Policy:
    nodes = {kind: {"require": requirements or [rule()]}, **more.pop("nodes", {})}
    names = ("verifier", "other", "trainer", "data-team")
    plain = {"version": 1, "times": "claimed", "identities": {n: {"key": n} for n in names}, "nodes": nodes, **more}
    return Policy.parse(json.dumps(plain).encode(), suffix=".json")


def judged(*evidence: Any, about: Any = MODEL, policy: Policy | None = None, at: datetime = NOW) -> Report:
    trust = trust_of("verifier", "other", "trainer", "data-team")
    return Verifier(policy=policy or policy_of(), trust=trust).assess(about, evidence, at=at)


def refused(report: Report, code: str, rule_: str = "", found: str | None = None) -> None:
    assert report.verdict == "refused"
    cause = report.cause
    assert cause is not None
    assert (cause.code, cause.rule) == (code, f"nodes.{rule_}" if rule_ else cause.rule)
    assert found is None or found == cause.found


# --- the seven -------------------------------------------------------------------------------------------------------


def test_a_summary_that_says_everything_is_accepted() -> None:
    assert judged(vsa()).accepted


def test_1_the_signature_is_one_of_a_trusted_key() -> None:
    report = judged(vsa(by=KeySigner.generate()))
    refused(report, "verification.key-untrusted")
    (item,) = report.refused
    assert item.error.code == "verification.key-untrusted"


def test_1_the_signature_is_over_these_bytes() -> None:
    failed = json.loads(vsa(verificationResult="FAILED", verifiedLevels=["FAILED"]).bytes)
    failed["dsseEnvelope"]["payload"] = json.loads(vsa().bytes)["dsseEnvelope"]["payload"]
    report = judged(json.dumps(failed).encode())
    refused(report, "verification.signature")


def test_1_the_key_is_one_for_this_rule() -> None:
    refused(judged(vsa(by=signer("trainer"))), "policy.signed-by", "model.signed_by")


def test_2_the_subject_is_the_artifact() -> None:
    refused(judged(vsa(BASE)), "chain.no-attestation", "model")
    renamed = sign_statement(
        statement([{"name": "m.bin", "digest": BASE.digests.to_dict()}], SUMMARY_V1, SAID), signer=signer("verifier")
    )
    refused(judged(renamed), "verification.subject", "model")


def test_2_one_of_several_subjects_is_enough() -> None:
    assert judged(vsa(BASE, MODEL)).accepted


@pytest.mark.parametrize(
    "type_", [PROVENANCE_V1, SVR_V02, "https://slsa.dev/verification_summary/v2", DataRecord.predicate_type]
)
def test_3_the_predicate_type_is_that_of_a_summary(type_: str) -> None:
    report = judged(vsa(type_=type_))
    refused(report, "chain.no-attestation", "model")


def test_4_the_verifier_is_the_one_of_this_key() -> None:
    refused(judged(vsa(verifier={"id": "https://verifier.example/prod2"})), "policy.expect", "model.expect.verifier")
    # Each of two verifiers has a key: neither speaks with the other's.
    theirs = "https://other.example"
    either = policy_of(
        kind="dataset",
        nodes={
            "model": {
                "any_of": [
                    {"require": [rule()]},
                    {"require": [rule("other", expect={"verifier": theirs})]},
                ]
            }
        },
    )
    assert judged(vsa(), policy=either).accepted
    assert judged(vsa(by=signer("other"), verifier={"id": theirs}), policy=either).accepted
    for crossed in (vsa(by=signer("other")), vsa(verifier={"id": theirs})):
        report = judged(crossed, policy=either)
        assert report.verdict == "refused"
        assert report.cause is not None
        assert report.cause.code in ("policy.expect", "policy.signed-by")


@pytest.mark.parametrize(
    "resource",
    [f"{RESOURCE}/", f"{RESOURCE}?", RESOURCE.upper(), "https://models.example/", "https://evil.example/m.bin"],
)
def test_5_the_resource_is_the_expected_one(resource: str) -> None:
    refused(judged(vsa(resourceUri=resource)), "policy.expect", "model.expect.resource", resource)


def test_6_it_passed() -> None:
    failed = vsa(verificationResult="FAILED")
    refused(judged(failed), "policy.expect", "model.expect.result", "FAILED")
    # One that lists a failure among its levels did not pass, whatever it says beside it.
    torn = vsa(verifiedLevels=["SLSA_BUILD_LEVEL_3", "FAILED"])
    refused(judged(torn), "policy.expect", "model.expect.result", "SLSA_BUILD_LEVEL_3, FAILED")


@pytest.mark.parametrize(
    "levels",
    [
        [],
        ...,
        None,
        ["SLSA_BUILD_LEVEL_1"],
        ["SLSA_BUILD_LEVEL_0"],
        ["SLSA_BUILD_LEVEL_UNEVALUATED"],
        ["SLSA_SOURCE_LEVEL_3"],
        ["slsa_build_level_3"],
        ["SLSA_BUILD_LEVEL_3 "],
        [" SLSA_BUILD_LEVEL_3"],
        ["SLSA_BUILD_LEVEL_3\n"],
        ["SLSA_BUILD_LEVEL_03"],
        ["SLSA_BUILD_LEVEL_10"],
        ["SLSA_BUILD_LEVEL_+3"],
        ["SLSA_BUILD_LEVEL_3.0"],
        ["SLSA_BUILD_LEVEL_٣"],
        ["SLSA_BUILD_LEVEL_3, SLSA_BUILD_LEVEL_2"],
        ["SLSA_BUILD_LEVEL_3+"],
        ["XSLSA_BUILD_LEVEL_3"],
        ["SLSA_LEVEL_3"],
        ["SLSA_BUILD_LEVEL"],
    ],
    ids=repr,
)
def test_7_a_level_that_does_not_reach(levels: Any) -> None:
    told = ", ".join(levels or ()) if levels is not ... else ""
    refused(judged(vsa(verifiedLevels=levels)), "policy.expect", "model.expect.level", told or "no level")


@pytest.mark.parametrize("levels", [["SLSA_BUILD_LEVEL_2"], ["SLSA_BUILD_LEVEL_3"], ["ACME", "SLSA_BUILD_LEVEL_4"]])
def test_7_a_level_implies_the_lower_ones(levels: list[str]) -> None:
    assert judged(vsa(verifiedLevels=levels)).accepted


def test_7_several_levels_are_all_asked_for() -> None:
    both = policy_of(rule(expect={"level": ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_2", "ACME_SCANNED"]}))
    levels = ["SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_3", "ACME_SCANNED"]
    assert judged(vsa(verifiedLevels=levels), policy=both).accepted
    for missing in levels:
        rest = [level for level in levels if level != missing]
        refused(judged(vsa(verifiedLevels=rest), policy=both), "policy.expect", "model.expect.level")


@pytest.mark.parametrize("level", [7, 0.5, True, {"SLSA_BUILD_LEVEL_3": 1}, ["SLSA_BUILD_LEVEL_3"]])
def test_a_level_that_is_no_text_is_malformed(level: Any) -> None:
    report = judged(vsa(verifiedLevels=[level]))
    (item,) = report.refused
    assert (item.error.code, item.error.where) == ("malformed.field", "$.predicate.verifiedLevels[0]")
    refused(report, "malformed.field")


@pytest.mark.parametrize("name", ["verifier", "resourceUri", "verificationResult"])
@pytest.mark.parametrize("value", [..., None])
def test_what_must_be_said_is_said(name: str, value: Any) -> None:
    report = judged(vsa(**{name: value}))
    (item,) = report.refused
    assert item.error.code == "malformed.field-missing"
    assert item.error.where.startswith(f"$.predicate.{name}")
    refused(report, "malformed.field-missing")


# --- and more: policy, age -------------------------------------------------------------------------------------------


def test_the_policy_that_was_verified_against_may_be_pinned() -> None:
    pinned = policy_of(rule(expect={"policy": POLICY_URI, "policy_digest": f"sha256:{'ab' * 32}"}))
    assert judged(vsa(), policy=pinned).accepted
    other = vsa(policy={"uri": POLICY_URI, "digest": {"sha256": "cd" * 32}})
    refused(judged(other, policy=pinned), "policy.expect", "model.expect.policy_digest", f"sha256:{'cd' * 32}")
    elsewhere = vsa(policy={"uri": "https://evil.example", "digest": {"sha256": "ab" * 32}})
    refused(judged(elsewhere, policy=pinned), "policy.expect", "model.expect.policy", "https://evil.example")
    for silent in (..., {"uri": POLICY_URI}, {"uri": POLICY_URI, "digest": {"sha512": "ab" * 64}}):
        report = judged(vsa(policy=silent), policy=pinned)
        refused(report, "policy.expect")


def test_a_summary_that_is_too_old_is_refused() -> None:
    recent = policy_of(rule(max_age="30d"))
    assert judged(vsa(), policy=recent, at=datetime.now(UTC)).verdict == "refused"
    fresh = (datetime.now(UTC) - timedelta(days=29)).strftime("%Y-%m-%dT%H:%M:%SZ")
    now = datetime.now(UTC)
    assert judged(vsa(timeVerified=fresh), policy=recent, at=now).accepted
    refused(judged(vsa(), policy=recent, at=now), "policy.max-age", "model.max_age")
    # An earlier `at` makes nothing younger.
    refused(judged(vsa(), policy=recent, at=NOW), "policy.max-age", "model.max_age")
    refused(judged(vsa(timeVerified=...), policy=recent, at=now), "verification.time-unproven", "model.max_age")


def test_a_summary_from_the_future_is_refused() -> None:
    refused(judged(vsa(timeVerified="2027-01-01T00:00:00Z")), "policy.times", "model.times")


class Witnessed:
    """A verifier who signs with certificates, and whose signatures are logged and stamped."""

    def __init__(self) -> None:
        self.sigstore = VirtualSigstore()
        self.signer = self.sigstore.signer(Holder.of("verifier@acme.example"))
        who = {"issuer": "https://issuer.example", "san": "verifier@acme.example"}
        plain = {"version": 1, "identities": {"verifier": who}, "nodes": {"model": {"require": [rule(max_age="30d")]}}}
        self.policy = Policy.parse(json.dumps(plain).encode(), suffix=".json")

    def said(self, time: datetime) -> Attestation:
        body = {**SAID, "timeVerified": time.strftime("%Y-%m-%dT%H:%M:%SZ")}
        payload = statement([{"digest": MODEL.digests.to_dict()}], SUMMARY_V1, body)
        return sign_statement(payload, signer=self.signer)

    def judge(self, evidence: Attestation) -> Report:
        return Verifier(policy=self.policy, trust=self.sigstore.trust()).assess(MODEL, evidence)


def test_the_time_of_a_summary_is_bounded_by_its_witness() -> None:
    world = Witnessed()
    logged = world.sigstore.clock.now
    # What was concluded after it was signed was not concluded then.
    refused(world.judge(world.said(logged + timedelta(hours=2))), "policy.times", "model.times")
    # It was logged long ago: whatever its own clock says, it is not recent.
    refused(world.judge(world.said(logged - timedelta(days=1))), "policy.max-age", "model.max_age")


def test_an_old_summary_that_is_logged_anew_stays_old() -> None:
    world = Witnessed()
    world.sigstore.clock.advance(seconds=int((datetime.now(UTC) - world.sigstore.clock.now).total_seconds()) - 3600)
    today = world.sigstore.clock.now
    assert world.judge(world.said(today - timedelta(minutes=5))).accepted
    # Certificate, log entry and stamp are of today.
    refused(world.judge(world.said(today - timedelta(days=31))), "policy.max-age", "model.max_age")


# --- older versions --------------------------------------------------------------------------------------------------

V02 = {
    "verifier": {"id": VERIFIER},
    "timeVerified": "2026-01-20T00:00:00Z",
    "resourceUri": RESOURCE,
    "policy": {"uri": POLICY_URI},
    "inputAttestations": [],
    "verificationResult": "PASSED",
    "policyLevel": "SLSA_LEVEL_3",
}


@pytest.mark.parametrize("version", OLD_SUMMARIES)
def test_an_older_summary_is_not_read(version: str) -> None:
    old = sign_statement(statement([{"digest": MODEL.digests.to_dict()}], version, V02), signer=signer("verifier"))
    refused(judged(old), "chain.no-attestation", "model")
    # Under the new name it does not say which levels were verified.
    renamed = sign_statement(
        statement([{"digest": MODEL.digests.to_dict()}], SUMMARY_V1, V02), signer=signer("verifier")
    )
    refused(judged(renamed), "policy.expect", "model.expect.level", "no level")
    with pytest.raises(PolicyRefused) as error:
        policy_of({"predicate": version, "signed_by": {"any_of": ["verifier"]}})
    assert error.value.code == "malformed.policy"
    assert "nodes.model.require[0].predicate" in error.value.where
    assert (error.value.found, error.value.wanted) == (version, SUMMARY_V1)


# --- in the place of a part of the chain -----------------------------------------------------------------------------


def chained(kind: str, thing: Manifest, required: Mapping[str, Any]) -> tuple[Policy, Attestation]:
    """A policy for a model that was made from one thing, and the run that made it."""
    run = {
        "as": "run",
        "predicate": PROVENANCE_V1,
        "signed_by": {"any_of": ["trainer"]},
        "expect": {"builder": "https://ci.example/trainer"},
        "inputs": {kind: {"exactly": 1}},
    }
    return policy_of(run, nodes={kind: {"require": [required]}}), run_record(MODEL, used(thing, kind))


@pytest.mark.parametrize("kind", ["dataset", "baseModel", "dependency", "image", "tool", "checkpoint"])
def test_a_summary_stands_for_what_something_was_made_from(kind: str) -> None:
    policy, run = chained(kind, BASE, rule())
    report = judged(run, vsa(BASE), policy=policy)
    assert report.accepted
    assert report.graph is not None
    (node,) = (n for n in report.graph.nodes if n.kind == kind)
    assert node.state == "verified"
    assert [e.predicate_type for e in node.evidence] == [SUMMARY_V1]
    # Nothing is cut silently: what is below the summary, nobody here looked at.
    assert report.graph.is_summarised(node.identity)
    assert report.depth == "builder"
    (told,) = (n for n in report.to_dict()["graph"]["nodes"] if n["kind"] == kind)
    assert told["reason"] == "a verification summary stands for it, and for whatever it was made from"
    refused(judged(run, vsa(MODEL), policy=policy), "chain.no-attestation", kind)


def test_a_record_beside_the_summary_is_no_cut() -> None:
    record = {"predicate": DataRecord.predicate_type, "signed_by": {"any_of": ["data-team"]}}
    data = Blob(b"rows", name="d.csv", kind="dataset").measure()
    policy, run = chained("dataset", data, rule())
    both = deepcopy(json.loads(policy.to_json()))
    both["nodes"]["dataset"]["require"].append(record)
    wide = Policy.parse(json.dumps(both).encode(), suffix=".json")
    report = judged(run, vsa(data), data_record(data), policy=wide)
    assert report.accepted
    assert report.depth == "transitive"


def test_a_summary_of_the_artifact_itself_is_the_surface() -> None:
    report = judged(vsa())
    assert report.depth == "surface"
    assert report.graph is not None
    assert report.graph.is_summarised(report.graph.root)


SOURCE_EXPECT = {"verifier": VERIFIER, "resource": REPOSITORY, "level": "SLSA_SOURCE_LEVEL_3", "ref": "refs/heads/main"}


def source_vsa(
    *, by: str = "verifier", commit: str = COMMIT, refs: Sequence[str] = ("refs/heads/main",), **more: Any
) -> Attestation:
    body = {**SAID, "resourceUri": REPOSITORY, "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"], **more}
    subject = {"digest": {"gitCommit": commit}, "annotations": {"sourceRefs": list(refs)}}
    return sign_statement(statement([subject], SUMMARY_V1, body), signer=signer(by))


def test_a_summary_stands_for_code() -> None:
    policy, run = chained("code", checkout(), rule(expect=SOURCE_EXPECT))
    report = judged(run, source_vsa(), policy=policy)
    assert report.accepted
    # A commit is made from nothing, so nothing is cut.
    assert report.depth == "transitive"
    refused(judged(run, source_vsa(refs=["refs/heads/topic"]), policy=policy), "policy.expect", "code.expect.ref")
    refused(judged(run, source_vsa(commit="ab" * 20), policy=policy), "chain.no-attestation", "code")


# --- what an attacker tries ------------------------------------------------------------------------------------------


def test_nobody_certifies_his_own_source() -> None:
    policy, run = chained("code", checkout(), rule(expect=SOURCE_EXPECT))
    refused(judged(run, source_vsa(by="trainer"), policy=policy), "policy.signed-by", "code.signed_by")


@pytest.mark.parametrize("left_out", ["verifier", "resource"])
def test_a_rule_says_whose_summary_of_what(left_out: str) -> None:
    with pytest.raises(PolicyRefused) as error:
        policy_of(rule(expect={left_out: ...}))
    assert error.value.code == "malformed.policy"
    assert "nodes.model.require[0].expect" in error.value.where


def test_a_verifier_does_not_build() -> None:
    """Whom the policy believes for summaries it does not believe for provenance, and the other way round."""
    policy, run = chained("baseModel", BASE, rule())
    by_verifier = run_record(MODEL, used(BASE, "baseModel"), by="verifier")
    refused(judged(by_verifier, vsa(BASE), policy=policy), "policy.signed-by", "model.signed_by")
    refused(judged(run, vsa(BASE, by=signer("trainer")), policy=policy), "policy.signed-by", "baseModel.signed_by")


def test_a_summary_for_another_tenant_is_not_replayed() -> None:
    """The same bytes lie at two tenants, and the verifier judged one of them."""
    theirs = vsa(resourceUri="https://models.example/evil/m.bin")
    refused(judged(theirs), "policy.expect", "model.expect.resource")
    fork = "git+https://github.com/evil/train"
    policy, _ = chained("code", checkout(), rule(expect={**SOURCE_EXPECT, "resource": fork}))
    run = run_record(MODEL, used(checkout(), "code", f"{REPOSITORY}@{COMMIT}"))
    refused(judged(run, source_vsa(resourceUri=fork), policy=policy), "chain.scope", "code")


def test_a_failure_beside_a_pass_is_told_and_takes_nothing() -> None:
    failed = vsa(verificationResult="FAILED", verifiedLevels=["FAILED"])
    report = judged(failed, vsa())
    assert report.accepted
    assert [f.code for f in report.findings if f.tier == "warning"] == ["chain.contradiction", "policy.times-claimed"]
    assert judged(vsa(), failed).to_dict()["findings"] == report.to_dict()["findings"]
    # Who wants a failure to gate says so, and then it is the caller's to know that none was withheld.
    strict = policy_of(rule(), contradictions="deny")
    refused(judged(failed, vsa(), policy=strict), "policy.contradiction", "")
    # A stranger's failure is nobody's word.
    stranger = vsa(by=signer("trainer"), verificationResult="FAILED")
    assert judged(stranger, vsa(), policy=strict).accepted


@pytest.mark.parametrize(
    "inputs",
    [
        [{"uri": "https://verifier.example/evidence/1.jsonl", "digest": {"sha256": "11" * 32}}],
        [{"digest": {"sha256": "11" * 32}}, {"digest": {"sha256": "11" * 32}}],
        [{"uri": "no digest, against the standard"}],
        [],
        None,
    ],
)
def test_what_the_verifier_looked_at_is_the_verifiers_business(inputs: Any) -> None:
    assert judged(vsa(inputAttestations=inputs)).accepted


def test_a_summary_that_lists_itself_supports_nothing_more() -> None:
    """It cannot name its own digest, but its subject, and what names it in turn: nobody looks there."""
    mine = {"digest": MODEL.digests.to_dict(), "uri": RESOURCE}
    assert judged(vsa(inputAttestations=[mine])).accepted
    other = vsa(by=signer("other"), inputAttestations=[{"digest": {"sha256": "22" * 32}}])
    refused(judged(other), "policy.signed-by", "model.signed_by")


@pytest.mark.parametrize("counts", [None, {}, {"SLSA_BUILD_LEVEL_0": 7}, {"SLSA_BUILD_LEVEL_3": "5"}, {"FAILED": 1}])
def test_what_it_says_of_dependencies_decides_nothing(counts: Any) -> None:
    assert judged(vsa(dependencyLevels=counts)).accepted


@pytest.mark.parametrize(
    "counts", [{"SLSA_BUILD_LEVEL_0": -1}, {"SLSA_BUILD_LEVEL_0": 1.5}, {"SLSA_BUILD_LEVEL_0": None}]
)
def test_counts_that_are_none_are_malformed(counts: Any) -> None:
    report = judged(vsa(dependencyLevels=counts))
    (item,) = report.refused
    assert item.error.where == "$.predicate.dependencyLevels.SLSA_BUILD_LEVEL_0"
    assert item.error.code in ("malformed.number", "malformed.field")
    refused(report, item.error.code)


def test_a_commit_is_matched_as_a_commit() -> None:
    """The same forty digits as a sha1 are another thing: they say nothing of the commit."""
    body = {**SAID, "resourceUri": REPOSITORY, "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"]}
    made = sign_statement(statement([{"digest": {"sha1": COMMIT}}], SUMMARY_V1, body), signer=signer("verifier"))
    policy, run = chained("code", checkout(), rule(expect=SOURCE_EXPECT))
    refused(judged(run, made, policy=policy), "chain.no-attestation", "code")


def test_a_source_level_is_not_a_build_level() -> None:
    refused(judged(vsa(verifiedLevels=["SLSA_SOURCE_LEVEL_4"])), "policy.expect", "model.expect.level")
