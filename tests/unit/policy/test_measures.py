"""Is it good enough, new enough, and recent enough; and what of what cannot be compared?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glasswing_attest import DataRecord, EvaluationRecord, ModelRecord, Policy, Trust, Verifier, attest
from glasswing_attest.records import CodeRecord
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.release import RELEASE_V01, RELEASE_V02
from glasswing_attest.statement.predicates.source import SOURCE_PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.statement.predicates.svr import SVR_V02
from glasswing_attest.statement.predicates.vulns import COSIGN_VULN_V1, VULNS_V02
from glasswing_attest.testing import Clock, Holder, VirtualSigstore
from tests.unit.policy.judging import MODEL, judged, policy, refused, said

EVALUATION = EvaluationRecord.predicate_type
IRIS = {"name": "iris", "digest": {"dirHash": "00" * 32}}


def evaluation(*metrics: Any, **more: Any) -> Any:
    return said(EVALUATION, {"metrics": list(metrics), "dataset": IRIS, **more})


def figure(value: Any, name: str = "accuracy", **more: Any) -> dict[str, Any]:
    return {"name": name, "value": value, **more}


def bounded(**bounds: Any) -> Policy:
    return policy({"predicate": EVALUATION, "expect": {"metric": "accuracy", **bounds}})


# --- metric ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        ("0.9", {"at_least": "0.9"}),
        ("0.900", {"at_least": "0.9", "at_most": "0.9"}),
        ("0.90000000000000000000000000000000001", {"at_least": "0.9"}),
        ("1", {"at_least": 1}),
        ("-0.5", {"at_most": "-0.4"}),
        ("123456789012345678901234567890.5", {"at_least": "123456789012345678901234567890.4"}),
    ],
)
def test_a_figure_within_its_bounds(value: str, bounds: dict[str, Any]) -> None:
    assert judged(evaluation(figure(value)), bounded(**bounds)).accepted


@pytest.mark.parametrize(
    ("value", "bounds", "rule"),
    [
        ("0.89999999999999999999", {"at_least": "0.9"}, "at_least"),
        ("0.90000000000000000001", {"at_most": "0.9"}, "at_most"),
        ("-1", {"at_least": "0"}, "at_least"),
        ("123456789012345678901234567890.3", {"at_least": "123456789012345678901234567890.4"}, "at_least"),
    ],
)
def test_a_figure_outside_of_its_bounds(value: str, bounds: dict[str, Any], rule: str) -> None:
    cause = refused(evaluation(figure(value)), bounded(**bounds))
    assert (cause.code, cause.rule) == ("policy.expect", f"nodes.model.expect.{rule}")
    assert (cause.found, cause.wanted) == (f"accuracy {value}", f"{rule.replace('_', ' ')} {bounds[rule]}")


@pytest.mark.parametrize(
    "value", ["NaN", "nan", "Infinity", "-Infinity", "inf", "1e999", "0x1", " 1", "", 0.95, 1, None, True]
)
def test_a_figure_that_is_no_finite_decimal_is_malformed(value: Any) -> None:
    report = judged(evaluation(figure(value)), bounded(at_least="0"))
    assert not report.accepted
    assert [item.error.code.split(".")[0] for item in report.refused] == ["malformed"]


@pytest.mark.parametrize(
    "metrics",
    [
        [figure("0.95", "recall")],
        [figure("0.95", part="easy")],
        [figure("0.95", "Accuracy")],
        [figure("0.95", "accuracy ")],
    ],
)
def test_another_figure_does_not_count(metrics: list[Any]) -> None:
    cause = refused(evaluation(*metrics), bounded(at_least="0.9"))
    assert (cause.rule, cause.wanted) == ("nodes.model.expect.metric", "accuracy")


def test_the_figure_for_all_samples_counts() -> None:
    both = evaluation(figure("0.99", part="easy"), figure("0.5"))
    assert refused(both, bounded(at_least="0.9")).found == "accuracy 0.5"


# --- version ---------------------------------------------------------------------------------------------------------


def record(kind: str, version: Any) -> Any:
    return said(kind, {"name": "iris", **({} if version is None else {"version": version})})


@pytest.mark.parametrize("kind", [ModelRecord.predicate_type, DataRecord.predicate_type, CodeRecord.predicate_type])
@pytest.mark.parametrize(
    ("version", "accepted"),
    [
        ("2.1.0", True),
        ("2.1", True),
        ("10.0", True),
        ("1!1.0", True),
        ("2.1.0.post1", True),
        ("2.0.9", False),
        ("2.1.0rc1", False),
        ("2.1.0.dev3", False),
        ("2.1.0.POST1", True),
        ("2.1.0-1", False),
        ("2.1.0-20270101", False),
        ("2.1.0-r1", False),
        ("2.1.0-post1", False),
        ("2.2.0-1", False),
        ("2.2.0-1+x.post1", False),
        ("2.2.0.post1+x", True),
        (" 2.1.0", False),
        ("2.1.0\n", False),
        ("v2.2", True),
        ("latest", False),
        ("2.2-beta-gamma", False),
        ("9" * 300, False),
        (None, False),
        ("", False),
    ],
)
def test_versions_are_ordered_by_pep_440(kind: str, version: Any, accepted: bool) -> None:
    rule = policy({"predicate": kind, "expect": {"version_at_least": "2.1.0"}})
    report = judged(record(kind, version), rule)
    assert report.accepted is accepted
    if not accepted:
        assert report.cause is not None
        assert (report.cause.code, report.cause.rule) == ("policy.expect", "nodes.model.expect.version_at_least")
        assert report.cause.wanted == "at least 2.1.0"


@pytest.mark.parametrize("kind", [RELEASE_V01, RELEASE_V02])
@pytest.mark.parametrize(
    ("purl", "rule"),
    [
        ("pkg:pypi/train@2.1", None),
        ("pkg:pypi/train@2%2E1", None),
        ("pkg:pypi/train@2.0", "version_at_least"),
        ("pkg:pypi/train@main", "version_at_least"),
        ("pkg:pypi/train@2.1-1", "version_at_least"),
        ("pkg:pypi/train@2.1%0A", "version_at_least"),
        ("pkg:pypi/other@2.1", "resource"),
        ("pkg:pypi/train@2.1?extension=whl", "resource"),
        ("pkg:pypi/train@2.1#sub", "resource"),
        ("pkg:pypi/train%402.1@9", "resource"),
    ],
)
def test_the_version_of_a_release(kind: str, purl: str, rule: str | None) -> None:
    expected = policy({"predicate": kind, "expect": {"resource": "pkg:pypi/train", "version_at_least": "2.1"}})
    if rule is None:
        assert judged(said(kind, {"purl": purl}), expected).accepted
    else:
        assert refused(said(kind, {"purl": purl}), expected).rule == f"nodes.model.expect.{rule}"


# --- verification summaries ------------------------------------------------------------------------------------------


def summary(**changes: Any) -> Any:
    said_ = {
        "verifier": {"id": "https://v.example"},
        "resourceUri": "pkg:pypi/train",
        "policy": {"uri": "https://v.example/policy", "digest": {"sha256": "ab" * 32}},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_2"],
        "timeVerified": "2026-01-01T00:00:00Z",
    }
    return said(SUMMARY_V1, {name: value for name, value in {**said_, **changes}.items() if value is not None})


def of_summary(**expect: Any) -> Policy:
    return policy(
        {"predicate": SUMMARY_V1, "expect": {"verifier": "https://v.example", "resource": "pkg:pypi/train", **expect}}
    )


PINNED = {"policy": "https://v.example/policy", "policy_digest": f"sha256:{'ab' * 32}"}


def test_a_summary_of_the_pinned_policy_with_every_level() -> None:
    levels = {"level": ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_1"]}
    assert judged(summary(), of_summary(**PINNED, **levels)).accepted


@pytest.mark.parametrize(
    ("changes", "expect", "rule", "found"),
    [
        (
            {"policy": {"uri": "https://v.example/other"}},
            {"policy": PINNED["policy"]},
            "policy",
            "https://v.example/other",
        ),
        ({"policy": None}, {"policy": PINNED["policy"]}, "policy", ""),
        ({"policy": {"uri": "x"}}, {"policy_digest": PINNED["policy_digest"]}, "policy_digest", "no sha256"),
        (
            {"policy": {"uri": "x", "digest": {"sha256": "cd" * 32}}},
            {"policy_digest": PINNED["policy_digest"]},
            "policy_digest",
            f"sha256:{'cd' * 32}",
        ),
        (
            {"policy": {"uri": "x", "digest": {"sha512": "ab" * 64}}},
            {"policy_digest": PINNED["policy_digest"]},
            "policy_digest",
            "no sha256",
        ),
        (
            {"verifiedLevels": ["SLSA_BUILD_LEVEL_3"]},
            {"level": ["SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_1"]},
            "level",
            "SLSA_BUILD_LEVEL_3",
        ),
    ],
)
def test_a_summary_that_says_something_else(changes: Any, expect: Any, rule: str, found: str) -> None:
    cause = refused(summary(**changes), of_summary(**expect))
    assert (cause.code, cause.rule, cause.found) == ("policy.expect", f"nodes.model.expect.{rule}", found)


# --- age -------------------------------------------------------------------------------------------------------------

LATER = datetime(2100, 6, 30, tzinfo=UTC)
"""So late that no clock of a test is later."""


def ago(**how: float) -> str:
    return (LATER - timedelta(**how)).isoformat().replace("+00:00", "Z")


AGED: dict[str, tuple[str, Any]] = {
    "evaluation": (EVALUATION, lambda t: {"metrics": [figure("1")], "dataset": IRIS, "finished": t}),
    "the end of a run": (
        PROVENANCE_V1,
        lambda t: {
            "buildDefinition": {"buildType": "https://x/v1", "externalParameters": {}},
            "runDetails": {"builder": {"id": "b"}, "metadata": {"startedOn": ago(days=900), "finishedOn": t}},
        },
    ),
    "the start of a run": (
        PROVENANCE_V1,
        lambda t: {
            "buildDefinition": {"buildType": "https://x/v1", "externalParameters": {}},
            "runDetails": {"builder": {"id": "b"}, "metadata": {"startedOn": t}},
        },
    ),
    "summary": (
        SUMMARY_V1,
        lambda t: {
            "verifier": {"id": "b"},
            "resourceUri": "r",
            "policy": {"uri": "p"},
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_1"],
            "timeVerified": t,
        },
    ),
    "simple result": (
        SVR_V02,
        lambda t: {"verifier": {"id": "b"}, "timeCreated": t, "properties": ["p"]},
    ),
    "source": (
        SOURCE_PROVENANCE_V1,
        lambda t: {"repo_uri": "r", "branch": "refs/heads/main", "activity_type": "push", "created_on": t},
    ),
    "scan": (
        VULNS_V02,
        lambda t: {
            "scanner": {"uri": "s", "result": []},
            "metadata": {"scanStartedOn": ago(days=900), "scanFinishedOn": t},
        },
    ),
    "scan of cosign": (
        COSIGN_VULN_V1,
        lambda t: {"scanner": {"uri": "s", "result": {}}, "metadata": {"scanFinishedOn": t}},
    ),
}
EXPECT: dict[str, dict[str, Any]] = {
    PROVENANCE_V1: {"builder": "b"},
    SUMMARY_V1: {"verifier": "b", "resource": "r"},
    SVR_V02: {"verifier": "b", "properties": ["p"]},
    SOURCE_PROVENANCE_V1: {"resource": "r"},
}


def aged(kind: str, max_age: str = "30d") -> Policy:
    expect = {"expect": EXPECT[kind]} if kind in EXPECT else {}
    return policy({"predicate": kind, "max_age": max_age, **expect})


@pytest.mark.parametrize("name", AGED)
def test_a_keys_statement_is_as_old_as_it_says(name: str) -> None:
    kind, body = AGED[name]
    assert judged(said(kind, body(ago(days=30))), aged(kind), at=LATER).accepted
    cause = refused(said(kind, body(ago(days=30, seconds=1))), aged(kind), at=LATER)
    assert (cause.code, cause.rule, cause.wanted) == ("policy.max-age", "nodes.model.max_age", "at most 30d old")
    assert cause.found == f"{ago(days=30, seconds=1)}, 30d 1s old"


@pytest.mark.parametrize("kind", [EVALUATION, PROVENANCE_V1, COSIGN_VULN_V1, "https://example.com/x/v1"])
def test_a_keys_statement_that_tells_no_time_has_no_age(kind: str) -> None:
    bodies: dict[str, Any] = {
        EVALUATION: {"metrics": [figure("1")], "dataset": IRIS},
        PROVENANCE_V1: {
            "buildDefinition": {"buildType": "https://x/v1", "externalParameters": {}},
            "runDetails": {"builder": {"id": "b"}},
        },
        COSIGN_VULN_V1: {"scanner": {"uri": "s", "result": {}}, "metadata": {}},
        "https://example.com/x/v1": {"finished": ago(days=1), "timestamp": ago(days=1)},
    }
    cause = refused(said(kind, bodies[kind]), aged(kind), at=LATER)
    assert (cause.code, cause.rule) == ("verification.time-unproven", "nodes.model.max_age")


def test_an_earlier_at_makes_nothing_younger() -> None:
    told = datetime(2020, 1, 1, tzinfo=UTC)
    old = evaluation(figure("1"), finished="2020-01-01T00:00:00Z")
    cause = refused(old, aged(EVALUATION), at=told + timedelta(days=1))
    assert cause.code == "policy.max-age"
    assert judged(old, aged(EVALUATION, "2000w"), at=told + timedelta(days=1)).accepted


def test_a_time_to_come_is_no_age() -> None:
    cause = refused(evaluation(figure("1"), finished=ago(days=-1)), aged(EVALUATION), at=LATER)
    assert (cause.code, cause.found) == ("policy.max-age", f"{ago(days=-1)}, 1d from now")


def sealed(days_ago: float, finished: str | None, *, at: datetime) -> tuple[Any, Trust]:
    """An evaluation that somebody signed with a certificate so many days before `at`."""
    sigstore = VirtualSigstore(clock=Clock(at - timedelta(days=days_ago)))
    said_ = EvaluationRecord(
        metrics=[{"name": "accuracy", "value": "1"}],  # type: ignore[list-item]
        dataset=IRIS,  # type: ignore[arg-type]
        finished=None if finished is None else datetime.fromisoformat(finished),
    )
    signed = attest(MODEL, said_, signer=sigstore.signer(Holder(san="a@example.com", issuer="https://i.example")))
    return signed, sigstore.trust()


@pytest.mark.parametrize(
    ("signed", "finished", "accepted"),
    [
        (1, None, True),
        (31, None, False),
        (1, 2, True),
        (1, 31, False),  # signed anew, and old by its own word
        (31, 1, False),  # told to be young, and signed long ago
    ],
)
def test_a_certificate_tells_how_old_a_statement_is(signed: float, finished: float | None, accepted: bool) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    told = None if finished is None else (at - timedelta(days=finished)).isoformat()
    evidence, trust = sealed(signed, told, at=at)
    plain: dict[str, Any] = {
        "version": 1,
        "identities": {"a": {"issuer": "https://i.example", "san": "a@example.com"}},
        "nodes": {"model": {"require": [{"predicate": EVALUATION, "signed_by": {"any_of": ["a"]}, "max_age": "30d"}]}},
    }
    rule = Policy(**plain)
    report = Verifier(policy=rule, trust=trust).assess(MODEL, evidence, at=at)
    assert report.accepted is accepted
    if not accepted:
        assert report.cause is not None
        assert (report.cause.code, report.cause.rule) == ("policy.max-age", "nodes.model.max_age")
