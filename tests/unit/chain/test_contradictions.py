"""What if trusted signers contradict each other?  docs: policy, `contradictions`.

Verdicts that contradict each other stand in ``tests/unit/policy/test_summaries.py``.
"""

import re
from typing import Any

import pytest

from glasswing_attest import Attestation, Policy, Report, attest
from glasswing_attest.chain.graph import State
from glasswing_attest.statement.predicates.test_result import TEST_RESULT_V01, SuiteResult
from tests.chains import Said, honest, policy_of, run_record, signer, tree, used

CHAIN = honest()
INPUTS = (used(CHAIN.data, "dataset"), used(CHAIN.code, "code"))
ANY_TYPE = {"build_type": None}


def policy(deny: bool = True, **changes: Any) -> Policy:
    """The honest policy, whatever the build type; `changes` are its requirement's."""

    def change(plain: dict[str, Any]) -> None:
        plain["contradictions"] = "deny" if deny else "warn"
        plain["nodes"]["model"]["require"][0]["expect"].pop("build_type")
        plain["nodes"]["model"]["require"][0].update(changes)

    return policy_of(change)


def assess(*more: Attestation, deny: bool = True, **changes: Any) -> Report:
    return CHAIN.assess([*CHAIN.evidence, *more], policy=policy(deny, **changes))


OTHER_TYPE = run_record(CHAIN.model, *INPUTS, build_type="https://ci.example/other/v1")
OTHER_PARAMETERS = run_record(CHAIN.model, *INPUTS, external_parameters={"epochs": 3})
AGAIN = run_record(CHAIN.model, *INPUTS, invocation_id="urn:uuid:second", external_parameters={"unset": None})
STRANGER = run_record(CHAIN.model, *INPUTS, build_type="https://ci.example/other/v1", by="mallory")
ANOTHER_MODEL = run_record(tree("model", {"m": b"x"}), *INPUTS, build_type="https://ci.example/other/v1")


@pytest.mark.parametrize("other", [OTHER_TYPE, OTHER_PARAMETERS], ids=["type", "parameters"])
def test_two_accounts_of_one_thing(other: Attestation) -> None:
    warned = assess(other, deny=False)
    assert warned.accepted
    (warning,) = (f for f in warned.findings if f.code == "chain.contradiction")
    assert (warning.tier, warning.subject, warning.rule) == ("warning", "model penguin-classifier", "contradictions")
    assert f"sha256:{other.payload_digest[:12]}" in warning.found
    assert "ask trainer (key " in warning.do  # one signer says both
    report = assess(other)
    assert report.verdict == "refused"
    cause = report.cause
    assert cause is not None
    assert (cause.code, cause.rule, cause.subject) == (
        "policy.contradiction",
        "contradictions",
        "model penguin-classifier",
    )
    assert "https://ci.example/trainer https://ci.example/train/v1" in cause.found
    assert report.graph is not None
    assert report.graph.node(report.graph.root).state is State.FAILED
    assert report.claims == ()


@pytest.mark.parametrize("other", [AGAIN, STRANGER, ANOTHER_MODEL], ids=["the same again", "a stranger's", "another's"])
def test_what_contradicts_nothing(other: Attestation) -> None:
    report = assess(other)
    assert report.accepted
    assert not any("contradiction" in f.code for f in report.findings)


def test_it_is_about_things_that_are_selected() -> None:
    # Two accounts of a dataset that nothing accepted was made from are nobody's business.
    loose = tree("dataset", {"loose.csv": b"0"}, "loose")
    first = run_record(loose)
    second = run_record(loose, external_parameters={"seed": 1})
    assert assess(first, second).accepted


def test_a_thing_that_is_contradicted_gives_way_to_another_way() -> None:
    # The model came from either of two datasets, by two runs that agree on all else; one dataset is contradicted.
    made = {"predicate": "https://slsa.dev/provenance/v1", "signed_by": {"any_of": ["trainer"]}}
    rule = {"require": [{**made, "expect": {"builder": "https://ci.example/*"}}]}

    def change(plain: dict[str, Any]) -> None:
        plain["contradictions"] = "deny"
        plain["nodes"] = {"model": rule, "dataset": rule}

    strict = policy_of(change)
    one, two = (tree("dataset", {"d.csv": content}, f"d-{content.decode()}") for content in (b"1", b"2"))
    pile = [
        run_record(CHAIN.model, used(one, "dataset")),
        run_record(one),
        run_record(one, builder_id="https://ci.example/second"),
    ]
    report = CHAIN.assess(pile, policy=strict)
    assert report.cause is not None
    assert (report.cause.code, report.cause.subject) == ("policy.contradiction", "dataset d-1")
    other = [run_record(CHAIN.model, used(two, "dataset")), run_record(two)]
    assert CHAIN.assess([*pile, *other], policy=strict).accepted


def test_tests_that_passed_and_failed() -> None:
    requirement = {"predicate": TEST_RESULT_V01, "signed_by": {"any_of": ["developer"]}}

    def assess_results(*results: Said | SuiteResult, deny: bool) -> Report:
        def change(plain: dict[str, Any]) -> None:
            plain["contradictions"] = "deny" if deny else "warn"
            plain["nodes"] = {"model": {"require": [requirement]}}

        made = [attest(CHAIN.model, result, signer=signer("developer")) for result in results]
        return CHAIN.assess(made, policy=policy_of(change))

    passed, warned, failed = (SuiteResult(result=result) for result in ("PASSED", "WARNED", "FAILED"))
    assert assess_results(passed, failed, deny=False).accepted
    assert assess_results(passed, warned, deny=True).accepted  # both are a pass
    report = assess_results(passed, failed, deny=True)
    assert report.cause is not None
    assert report.cause.code == "policy.contradiction"
    assert re.fullmatch(
        r"it did not pass, says developer \(.*\) in sha256:[0-9a-f]{12}; it passed, says developer \(.*\) in .*",
        report.cause.found,
    )
    # Who only says that it failed contradicts nobody: it is refused for what it says.
    alone = assess_results(failed, deny=True)
    assert alone.cause is not None
    assert (alone.cause.code, alone.cause.rule) == ("policy.expect", "nodes.model.expect.result")


def test_by_default_more_evidence_takes_nothing_away() -> None:
    assert assess(OTHER_TYPE, OTHER_PARAMETERS, AGAIN, deny=False).accepted
    # That it may, where it is asked for, is the price that the policy's documentation states.
    assert assess().accepted
    assert not assess(OTHER_TYPE).accepted
