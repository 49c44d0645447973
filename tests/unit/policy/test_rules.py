"""Does each rule complain about exactly what it should?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glasswing_attest import Attestation, CodeRecord, Report, Trust, Verifier, attest, endorse
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import NotAccepted
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.chains import (
    COMMIT,
    NOW,
    REPOSITORY,
    Said,
    bare,
    honest,
    policy_of,
    readers_of,
    run_record,
    signer,
    used,
)

# Two people have one key each under one name; carol has one key under two names; dave and erin share a name's key.
KEYS = {"alice": "q-alice", "bob": "q-bob", "carol": "q-carol", "carol-again": "q-carol"}
CHECKED = "https://example.com/checked/v1"
THING = Blob(b"thing", name="thing", kind="model")


def verdict(rule: dict[str, Any], evidence: Sequence[Attestation | bytes], *, predicate: str = CHECKED) -> Report:
    """Judge the thing by one rule about who signed."""
    trust = Trust.of({name: signer(key).public_key for name, key in KEYS.items()})
    policy = policy_of(
        lambda p: p.update(
            identities={**{name: {"key": name} for name in KEYS}, "bob-as-well": {"key": "bob"}},
            nodes={"model": {"require": [{"predicate": predicate, "signed_by": rule}]}},
        )
    )
    return Verifier(policy=policy, trust=trust, predicates=readers_of(policy)).assess(THING, evidence, at=NOW)


def said(by: str, note: str = "fine", predicate: str = CHECKED) -> Attestation:
    return attest(THING, Said(predicate_type=predicate, body={"note": note}), signer=signer(f"q-{by}"))


def two_of(*names: str, over: str = "same_type", threshold: int = 2) -> dict[str, Any]:
    return {"threshold": threshold, "of": list(names), "over": over}


def refused_for(report: Report, code: str) -> None:
    assert report.verdict == "refused"
    assert report.cause is not None
    assert report.cause.code == code
    with pytest.raises(NotAccepted) as caught:
        report.require()
    assert caught.value.because == code


# --- signed_by -------------------------------------------------------------------------------------------------------


def test_two_people_are_two() -> None:
    assert verdict(two_of("alice", "bob"), [said("alice"), said("bob")]).accepted
    assert verdict(two_of("alice", "bob"), [said("alice", "one"), said("bob", "two")]).accepted


def test_one_person_is_one_however_often_they_sign() -> None:
    often = [said("alice", note) for note in ("a", "b", "c")]
    refused_for(verdict(two_of("alice", "bob"), often), "policy.threshold")
    wrapped = bare(said("alice"), said("alice"), keyids=("x", "y"))
    refused_for(verdict(two_of("alice", "bob"), [wrapped, *often]), "policy.threshold")


def test_one_key_under_two_names_is_one() -> None:
    refused_for(verdict(two_of("carol", "carol-again"), [said("carol"), said("carol", "b")]), "policy.threshold")
    assert verdict(two_of("carol", "carol-again", threshold=1), [said("carol")]).accepted


def test_two_identities_of_one_key_are_one() -> None:
    refused_for(verdict(two_of("bob", "bob-as-well"), [said("bob"), said("bob", "b")]), "policy.threshold")


def test_two_keys_need_two_names() -> None:
    # alice and bob both signed, but only one of the names that count is theirs.
    refused_for(verdict(two_of("alice", "carol"), [said("alice"), said("bob")]), "policy.threshold")


def test_names_are_assigned_by_matching_and_not_by_greed() -> None:
    # carol has both names, bob one of bob's: whoever gives carol "carol" first must be able to take it back.
    rule = two_of("carol", "carol-again", "bob")
    assert verdict(rule, [said("carol"), said("bob")]).accepted
    assert verdict(
        two_of("carol", "carol-again", "bob", "alice", threshold=3), [said(n) for n in ("carol", "bob", "alice")]
    ).accepted
    refused_for(
        verdict(two_of("carol", "carol-again", "bob", threshold=3), [said("carol"), said("bob")]), "policy.threshold"
    )


def test_same_statement_means_the_same_bytes() -> None:
    rule = two_of("alice", "bob", over="same_statement")
    refused_for(verdict(rule, [said("alice", "one"), said("bob", "two")]), "policy.threshold")
    assert verdict(rule, [said("alice"), said("bob")]).accepted
    first = said("alice")
    assert verdict(rule, [first, endorse(first, signer=signer("q-bob"))]).accepted
    assert verdict(rule, [bare(first, endorse(first, signer=signer("q-bob")))]).accepted


def test_same_type_is_not_any_type() -> None:
    other = said("bob", predicate="https://example.com/other/v1")
    refused_for(verdict(two_of("alice", "bob"), [said("alice"), other]), "policy.threshold")


def test_each_of_the_threshold_must_satisfy_the_whole_requirement() -> None:
    chain = honest()
    inputs = (used(chain.data, "dataset"), used(chain.code, "code", f"{REPOSITORY}@{COMMIT}"))

    def two_runs(plain: dict[str, Any]) -> None:
        plain["nodes"]["model"]["require"][0]["signed_by"] = two_of("trainer", "developer")

    policy = policy_of(two_runs)
    base = [chain.record, chain.source, chain.run]
    refused_for(chain.assess(base, policy=policy), "policy.threshold")
    for changes in ({"builder_id": "https://evil.example"}, {"build_type": "https://ci.example/other/v1"}):
        other = run_record(chain.model, *inputs, by="developer", **changes)
        refused_for(chain.assess([*base, other], policy=policy), "policy.threshold")
    refused_for(chain.assess([*base, run_record(chain.model, by="developer")], policy=policy), "policy.threshold")
    assert chain.assess([*base, run_record(chain.model, *inputs, by="developer")], policy=policy).accepted


def test_any_of_is_one_of_them_and_nobody_else() -> None:
    assert verdict({"any_of": ["alice", "bob"]}, [said("bob")]).accepted
    report = verdict({"any_of": ["alice", "bob"]}, [said("carol")])
    refused_for(report, "policy.signed-by")
    assert report.cause is not None
    assert report.cause.rule == "nodes.model.signed_by"
    assert report.cause.found == f"signed by carol, carol-again (key {signer('q-carol').public_key.fingerprint[:16]})"
    assert report.cause.wanted == "alice or bob"


def test_a_name_is_a_key_s_and_not_an_identity_s() -> None:
    # "bob-as-well" is an identity of this policy; that a key of that name is trusted nowhere must not matter.
    assert verdict({"any_of": ["bob-as-well"]}, [said("bob")]).accepted
    refused_for(verdict({"any_of": ["bob-as-well"]}, [said("alice")]), "policy.signed-by")


# --- expect ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"builder_id": "https://ci.example/trainer/"}, "expect.builder"),
        ({"builder_id": "https://ci.example/Trainer"}, "expect.builder"),
        ({"builder_id": "https://ci.example/trainer?x"}, "expect.builder"),
        ({"build_type": "https://ci.example/train/v10"}, "expect.build_type"),
    ],
)
def test_provenance_says_exactly_what_is_expected(changes: dict[str, str], rule: str) -> None:
    chain = honest()
    inputs = (used(chain.data, "dataset"), used(chain.code, "code"))
    report = chain.assess([run_record(chain.model, *inputs, **changes), chain.record, chain.source])
    refused_for(report, "policy.expect")
    assert report.cause is not None
    assert (report.cause.rule, report.cause.found) == (f"nodes.model.{rule}", next(iter(changes.values())))


VERIFIER = "https://scs.example/verifier"


def summary(**changes: Any) -> Attestation:
    plain = {
        "verifier": {"id": VERIFIER},
        "resourceUri": REPOSITORY,
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_SOURCE_LEVEL_2"],
        **changes,
    }
    body = {k: v for k, v in plain.items() if v is not ...}
    return attest(honest().code, Said(predicate_type=SUMMARY_V1, body=body), signer=signer("developer"))


def judged(vsa: Attestation, level: str | None = "SLSA_SOURCE_LEVEL_2") -> Report:
    chain = honest()
    expect = {"verifier": VERIFIER, "resource": REPOSITORY, **({} if level is None else {"level": level})}
    rule = {"predicate": SUMMARY_V1, "signed_by": {"any_of": ["developer"]}, "expect": expect}
    policy = policy_of(lambda p: p["nodes"]["code"].__setitem__("require", [rule]))
    return chain.assess([chain.run, chain.record, vsa], policy=policy)


@pytest.mark.parametrize(
    ("levels", "wanted"),
    [
        (["SLSA_SOURCE_LEVEL_2"], "SLSA_SOURCE_LEVEL_2"),
        (["SLSA_SOURCE_LEVEL_4"], "SLSA_SOURCE_LEVEL_2"),
        (["FOO", "SLSA_SOURCE_LEVEL_2"], "FOO"),
        ([], None),
    ],
)
def test_a_summary_reaches_a_level(levels: list[str], wanted: str | None) -> None:
    assert judged(summary(verifiedLevels=levels), wanted).accepted


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"verifier": {"id": "https://scs.example/verifier2"}}, "expect.verifier"),
        ({"resourceUri": "git+https://github.com/evil/train"}, "expect.resource"),
        ({"resourceUri": f"{REPOSITORY}.git"}, "expect.resource"),
        ({"verificationResult": "FAILED"}, "expect.result"),
        ({"verifiedLevels": ["SLSA_SOURCE_LEVEL_1"]}, "expect.level"),
        ({"verifiedLevels": ["SLSA_BUILD_LEVEL_3"]}, "expect.level"),
        ({"verifiedLevels": ["SLSA_SOURCE_LEVEL_22"]}, "expect.level"),
        ({"verifiedLevels": ["SLSA_SOURCE_LEVEL_UNEVALUATED"]}, "expect.level"),
        ({"verifiedLevels": ["xSLSA_SOURCE_LEVEL_3"]}, "expect.level"),
        ({"verifiedLevels": ...}, "expect.level"),
    ],
)
def test_a_summary_that_does_not_do(changes: dict[str, Any], rule: str) -> None:
    report = judged(summary(**changes))
    refused_for(report, "policy.expect")
    assert report.cause is not None
    assert report.cause.rule == f"nodes.code.{rule}"


@pytest.mark.parametrize("result", ["passed", "PASSED ", "PASSED_2", "", "SKIPPED", 1, True, None])
def test_an_unknown_result_is_malformed(result: object) -> None:
    report = judged(summary(verificationResult=result))
    assert report.verdict == "refused"
    assert {r.error.code for r in report.refused} <= {"malformed.field", "malformed.field-missing"}
    assert len(report.refused) == 1
    assert report.refused[0].error.where == "$.predicate.verificationResult"


# --- inputs ----------------------------------------------------------------------------------------------------------


def counted(inputs: dict[str, Any], *named: ResourceDescriptor) -> Report:
    """Judge a run with these inputs, of which every one is cut off: only the counting decides."""

    def change(plain: dict[str, Any]) -> None:
        plain["nodes"]["model"]["require"][0]["inputs"] = inputs
        for kind in ("dataset", "code", "dependency", "baseModel"):
            plain["nodes"][kind] = {"trim": {"reason": "not of interest here"}}

    return honest().assess([run_record(honest().model, *named)], policy=policy_of(change))


def resource(role: str | None, uri: str = "", **digest: str) -> ResourceDescriptor:
    plain = used(honest().data, role)
    return replace(plain, uri=uri, digest=DigestSet.of(digest))


H = {n: n * 64 for n in "abcdef"}
L = {n: n * 128 for n in "abcdef"}
ONE = {"dataset": {"exactly": 1}}
TWO = {"dataset": {"min": 2}}


@pytest.mark.parametrize(
    ("inputs", "named", "good"),
    [
        (ONE, [], False),
        (ONE, [resource("dataset", sha256=H["a"])], True),
        (ONE, [resource("dataset", sha256=H["a"]), resource("dataset", sha256=H["b"])], False),
        (ONE, [resource("Dataset", sha256=H["a"])], False),
        (ONE, [resource("dataset ", sha256=H["a"])], False),
        ({"code": {"max": 0}}, [resource("dataset", sha256=H["a"])], True),
        ({"code": {"max": 0}}, [resource("code", gitCommit="a" * 40)], False),
        # For a minimum, what may be one thing counts once.
        (TWO, [resource("dataset", sha256=H["a"]), resource("dataset", sha256=H["b"])], True),
        (TWO, [resource("dataset", sha256=H["a"]), resource("dataset", sha256=H["a"])], False),
        (TWO, [resource("dataset", sha256=H["a"]), resource("dataset", sha256=H["a"], md5="0" * 32)], False),
        (TWO, [resource("dataset", sha256=H["a"]), resource("dataset", sha256=H["a"], sha512=L["b"])], False),
        (TWO, [resource("dataset", sha256=H["a"]), resource("dataset", sha512=L["a"])], False),
        (TWO, [resource("dataset", gitCommit="a" * 40), resource("dataset", gitTree="b" * 40)], False),
        (TWO, [resource("dataset", md5="0" * 32), resource("dataset", md5="1" * 32)], False),
        (TWO, [resource("dataset", uri="a:1"), resource("dataset", uri="a:2")], False),
        (TWO, [resource("dataset", sha256=H["a"]), resource("dataset", dirHash=H["a"])], True),
        # For a maximum, what may be two things counts twice.
        (ONE, [resource("dataset", sha256=H["a"]), resource("dataset", sha256=H["a"])], True),
        (ONE, [resource("dataset", sha256=H["a"]), resource("dataset", sha512=L["a"])], False),
        (ONE, [resource("dataset", sha256=H["a"]), resource("dataset", sha256=H["a"], sha512=L["a"])], False),
        ({"dataset": {"max": 1}}, [resource("dataset", uri="a:1"), resource("dataset", uri="a:2")], False),
        ({"dataset": {"max": 1}}, [resource("dataset", uri="a:1")], True),
        # An absent or unknown role makes a dependency, and counts as one.
        ({"dependency": {"max": 0}}, [resource(None, sha256=H["a"])], False),
        ({"dependency": {"max": 0}}, [resource("helper", sha256=H["a"])], False),
        ({"dependency": {"max": 1}}, [resource(None, sha256=H["a"]), resource("dependency", sha256=H["b"])], False),
        ({"dependency": {"min": 1}}, [resource(None, sha256=H["a"])], True),
    ],
)
def test_inputs_are_counted(inputs: dict[str, Any], named: list[ResourceDescriptor], good: bool) -> None:
    report = counted(inputs, *named)
    if good:
        assert report.accepted
        return
    refused_for(report, "policy.inputs")
    assert report.cause is not None
    assert report.cause.rule == f"nodes.model.inputs.{next(iter(inputs))}"


# --- times -----------------------------------------------------------------------------------------------------------

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
TICK = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("started", "finished", "good"),
    [
        (EARLY, LATE, True),
        (EARLY, EARLY, True),
        (LATE, EARLY, False),
        (None, None, True),
        (NOW, NOW, True),
        (NOW + TICK, None, False),
        (None, NOW + TICK, False),
        (EARLY, NOW + TICK, False),
    ],
)
def test_a_run_starts_ends_and_is_signed_in_this_order(
    started: datetime | None, finished: datetime | None, good: bool
) -> None:
    chain = honest()
    inputs = (used(chain.data, "dataset"), used(chain.code, "code"))
    run = run_record(chain.model, *inputs, started_on=started, finished_on=finished)
    report = chain.assess([run, chain.record, chain.source])
    if good:
        assert report.accepted
        return
    refused_for(report, "policy.times")


def test_the_finding_says_what_to_do() -> None:
    chain = honest()
    run = run_record(
        chain.model, used(chain.data, "dataset"), used(chain.code, "code"), builder_id="https://other.example"
    )
    report = chain.assess([run, chain.record, chain.source])
    with pytest.raises(NotAccepted) as caught:
        report.require()
    assert caught.value.guidance == "ask for an artifact that meets it, or change what the policy expects"
    assert caught.value.rule == "nodes.model.expect.builder"
    assert caught.value.report is report


def test_requirements_are_all_required() -> None:
    chain = honest()

    def more(plain: dict[str, Any]) -> None:
        plain["nodes"]["code"]["require"].append({"predicate": CHECKED, "signed_by": {"any_of": ["developer"]}})

    report = chain.assess(policy=policy_of(more))
    assert report.verdict == "refused"
    assert report.cause is not None
    assert report.cause.code == "chain.no-attestation"
    checked = attest(chain.code, Said(predicate_type=CHECKED, body={}), signer=signer("developer"))
    assert chain.assess([*chain.evidence, checked], policy=policy_of(more)).accepted


def test_one_attestation_never_stands_for_another_type() -> None:
    # Predicate confusion: a trusted signer's record of one type is none of the other.
    chain = honest()
    for kind in (CodeRecord.predicate_type, SUMMARY_V1):
        body = {"name": "x"}
        other = attest(chain.data, Said(predicate_type=kind, body=body), signer=signer("data-team"))
        report = chain.assess([chain.run, chain.source, other])
        assert report.verdict == "refused"
        assert report.cause is not None
        assert report.cause.code == "chain.no-attestation"
