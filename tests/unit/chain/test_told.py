"""Does a refusal say where the chain breaks, and that it may have been asked about the wrong kind of thing?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from glasswing_attest import Attestation, DataRecord, Report
from glasswing_attest.findings import Finding
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from tests.chains import REPOSITORY, data_record, honest, policy_of, run_record, tree, used

CHAIN = honest()


def cause(report: Report) -> Finding:
    assert not report.accepted
    assert report.cause is not None
    return report.cause


def states(report: Report) -> dict[str, str]:
    assert report.graph is not None
    return {node.kind: node.state.value for node in report.graph.nodes}


# --- where it breaks -------------------------------------------------------------------------------------------------


def test_a_builder_whose_signer_and_id_matched_stands_where_an_input_is_missing() -> None:
    assert states(CHAIN.assess([CHAIN.run, CHAIN.source])) == {
        "model": "failed",
        "run": "failed",
        "builder": "verified",
        "dataset": "missing",
        "code": "verified",
    }


def test_a_run_whose_inputs_stand_is_not_where_it_breaks() -> None:
    def and_a_test(plain: dict[str, Any]) -> None:
        plain["nodes"]["model"]["require"].append(
            {"predicate": "https://example.com/tested/v1", "signed_by": {"any_of": ["developer"]}}
        )

    report = CHAIN.assess(policy=policy_of(and_a_test))
    assert cause(report).code == "chain.no-attestation"
    assert states(report) == {
        "model": "failed",
        "run": "verified",
        "builder": "verified",
        "dataset": "verified",
        "code": "verified",
    }


def test_a_run_that_a_threshold_wants_signed_again_stands_by_itself() -> None:
    def both(plain: dict[str, Any]) -> None:
        plain["nodes"]["model"]["require"][0]["signed_by"] = {
            "threshold": 2,
            "of": ["trainer", "developer"],
            "over": "same_type",
        }

    report = CHAIN.assess(policy=policy_of(both))
    assert cause(report).code == "policy.threshold"
    assert states(report)["run"] == states(report)["builder"] == "verified"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"by": "data-team"}, "policy.signed-by"),
        ({"builder_id": "https://evil.example"}, "policy.expect"),
    ],
)
def test_a_builder_that_did_not_match_is_not_in_the_picture(changes: dict[str, str], code: str) -> None:
    inputs = (used(CHAIN.data, "dataset"), used(CHAIN.code, "code", REPOSITORY))
    report = CHAIN.assess([run_record(CHAIN.model, *inputs, **changes), CHAIN.record, CHAIN.source])
    assert cause(report).code == code
    assert states(report) == {"model": "failed"}


def test_a_refused_report_hands_on_no_record_however_much_of_it_stands() -> None:
    report = CHAIN.assess([CHAIN.run, CHAIN.record])
    assert "verified" in states(report).values()
    assert (report.verdict, report.records(DataRecord), report.claims) == ("refused", (), ())


# --- another kind ----------------------------------------------------------------------------------------------------

DATASET = "the evidence speaks of a dataset: if it is one, ask about it as one (--kind dataset); or else "


def as_a_model(evidence: Sequence[Attestation], **more: Any) -> Finding:
    """Ask about the dataset as if it were a model."""
    return cause(CHAIN.assess(evidence, artifact=replace(CHAIN.data, kind="model"), **more))


def test_what_is_attested_as_another_kind_is_suspected() -> None:
    told = as_a_model([CHAIN.record])
    assert (told.code, told.rule) == ("chain.no-attestation", "nodes.model")
    assert told.do == f"{DATASET}add the attestation to the evidence, or its signer's key to the trust"
    assert CHAIN.assess([CHAIN.record], artifact=CHAIN.data).accepted, "or else the advice would be wrong"


def test_so_is_what_nobody_proved() -> None:
    stranger = data_record(CHAIN.data, by="stranger")
    assert as_a_model([stranger]).do.startswith(DATASET)


def test_so_is_what_a_run_names_in_a_role() -> None:
    assert as_a_model([CHAIN.run]).do.startswith(DATASET)


def test_so_is_a_kind_for_which_there_is_no_rule() -> None:
    policy = policy_of(lambda plain: plain["nodes"].pop("model"))
    told = as_a_model([CHAIN.record], policy=policy)
    assert (told.code, told.do) == ("chain.no-rule", f"{DATASET}add nodes.model to the policy")


def test_so_is_a_namesake() -> None:
    other = run_record(tree("model", {"w": b"x"}, name=CHAIN.data.name))
    told = as_a_model([CHAIN.record, other])
    assert (told.code, told.do.startswith(DATASET)) == ("verification.subject", True)


@pytest.mark.parametrize("kind", ["image", "dependency"])
def test_a_kind_has_its_article(kind: str) -> None:
    run = run_record(CHAIN.model, used(CHAIN.data, kind))
    article = {"image": "an", "dependency": "a"}[kind]
    assert f"the evidence speaks of {article} {kind}: " in as_a_model([run]).do


def test_nothing_is_suspected_without_evidence_of_these_very_bytes() -> None:
    plain = "add the attestation to the evidence, or its signer's key to the trust"
    assert as_a_model([]).do == plain
    assert as_a_model([data_record(tree("dataset", {"other.csv": b"1"}))]).do == plain
    assert as_a_model([CHAIN.source]).do == plain


def test_an_input_has_the_kind_that_was_signed_and_is_not_suspected() -> None:
    # The run says dataset; that somebody attests the same bytes as code changes nothing about it.
    def swapped(plain: dict[str, Any]) -> None:
        plain["nodes"]["baseModel"] = plain["nodes"]["dataset"]
        plain["nodes"]["dataset"] = {
            "require": [
                {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["trainer"]}, "expect": {"builder": "https://x"}}
            ]
        }

    told = cause(CHAIN.assess(policy=policy_of(swapped)))
    assert (told.code, told.subject) == ("chain.no-attestation", "dataset penguins")
    assert "speaks of" not in told.do


def test_the_advice_never_decides() -> None:
    for evidence in ([CHAIN.record], [CHAIN.run], list(CHAIN.evidence)):
        report = CHAIN.assess(evidence, artifact=replace(CHAIN.data, kind="model"))
        assert (report.verdict, report.claims) == ("refused", ())


# --- another version of the type -------------------------------------------------------------------------------------


def test_another_version_of_the_type_is_named() -> None:
    def older(plain: dict[str, Any]) -> None:
        plain["nodes"]["model"]["require"][0]["predicate"] = "https://slsa.dev/provenance/v0.2"

    advice = cause(CHAIN.assess(policy=policy_of(older))).do
    assert advice.startswith(f"the evidence holds {PROVENANCE_V1} about it: ask for that, if it will do, or else add ")
    # Of other bytes it says nothing, and another type is no version of it.
    assert "the evidence holds" not in cause(CHAIN.assess([CHAIN.record], policy=policy_of(older))).do
    assert "the evidence holds" not in cause(CHAIN.assess([CHAIN.run, CHAIN.source])).do
