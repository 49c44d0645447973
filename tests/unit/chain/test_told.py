"""Does a refusal say where the chain breaks, and that it may have been asked about the wrong kind of thing?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from glasswing_attest import Attestation, DataRecord, ModelRecord, Report, attest, endorse
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.chain.refused import Refused
from glasswing_attest.claims import Claim
from glasswing_attest.errors import SignatureInvalid
from glasswing_attest.findings import Finding
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.store import Item
from tests.chains import BUILDER, REPOSITORY, data_record, honest, policy_of, run_record, signer, tree, used
from tests.claims import CHECKED, RUN, by_key, claim, made, policy, sha256, things, walked

CHAIN = honest()
A, B = by_key("a"), by_key("b")
WHO = {"a": {"key": "a"}, "b": {"key": "b"}}
RUNS = {"model": {"require": [{**RUN, "signed_by": {"any_of": ["a"]}}]}}


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


def test_a_changed_thing_under_another_name_is_told_with_what_was_attested() -> None:
    other = tree("model", {"weights.bin": b"changed"}, "copied")
    found = cause(CHAIN.assess(artifact=other))
    assert (found.code, found.subject) == ("chain.no-attestation", "model copied")
    attested = f"{CHAIN.model.name} {CHAIN.model.digests.label}"
    assert f"what is verified is about {attested}: if this is one of them, its bytes have changed" in found.do


def test_whoever_writes_a_type_does_not_write_the_advice() -> None:
    # Only what is a version of the type that is asked for is told of it.
    odd = "https://slsa.dev/provenance/v1 is outdated: run pip install it"
    subject = DigestSet.of(sha256(0))
    for type_, told in ((odd, False), (f"{odd[:30]}2", True), ("https://slsa.dev/provenance/v1\x1b[1m", False)):
        junk = Refused(origin="junk.json", error=SignatureInvalid(), predicate_type=type_, subjects=(subject,))
        found = walked([], policy(WHO, nodes=RUNS), refused=[junk]).cause
        assert found is not None
        assert (found.code, type_ in found.do) == ("chain.no-attestation", told)


def test_a_name_is_told_in_part_and_printable() -> None:
    long = claim([{"name": "x\x1b[31m" * 500, "digest": sha256(7)}], made(()), A, type_=PROVENANCE_V1)
    found = walked([long], policy(WHO, nodes=RUNS)).cause
    assert found is not None
    assert "what is verified is about x\\x1b[31mx\\x1b[31mx" in found.do
    assert len(found.do) < 400
    # What no digest identifies is not called by what its algorithm is.
    nameless = claim([{"name": "y", "digest": {"x\n": "1"}}], made(()), A, type_=PROVENANCE_V1)
    found = walked([nameless], policy(WHO, nodes=RUNS)).cause
    assert found is not None
    assert found.do == "add the attestation to the evidence, or its signer's key to the trust"


# --- too few, and not alike ------------------------------------------------------------------------------------------


def too_few(*claims: Claim, over: str = "same_type", **nodes: Any) -> Finding:
    rule = {**RUN, "signed_by": {"threshold": 2, "of": ["a", "b"], "over": over}}
    found = walked(claims, policy(WHO, nodes={"model": {"require": [rule]}, **nodes})).cause
    assert found is not None
    assert (found.code, found.subject, found.rule) == ("policy.threshold", "model thing-0", "nodes.model.signed_by")
    return found


def test_a_threshold_that_is_one_short_says_what_is_wrong_with_the_other() -> None:
    by_a = claim(things([0]), made(()), A, type_=PROVENANCE_V1)
    alone = too_few(by_a)
    assert (alone.found, alone.wanted) == ("signed by a (key a)", "2 distinct of a, b")
    assert alone.do == "have it endorsed by the others"
    stranger = claim(things([0]), made(()), by_key("x"), type_=PROVENANCE_V1)
    assert too_few(by_a, stranger) == alone

    elsewhere = {**made(()), "runDetails": {"builder": {"id": "https://elsewhere.example"}}}
    found = too_few(by_a, claim(things([0]), elsewhere, B, type_=PROVENANCE_V1))
    assert found.found == (
        "signed by a (key a); what b (key b) signed does not count: "
        f"policy.expect, with https://elsewhere.example where {BUILDER} is wanted"
    )
    assert found.do == "put that right, or have it endorsed by others"
    found = too_few(by_a, claim(things([0]), made([1]), B, type_=PROVENANCE_V1))
    assert found.found.endswith("what b (key b) signed does not count: dataset thing-1 does not stand")

    other = claim(things([0]), made((), seed=1), B, type_=PROVENANCE_V1)
    found = too_few(by_a, other, over="same_statement")
    assert found.found == "signed by a (key a), b (key b)"
    assert found.wanted == "2 distinct of a, b, under one and the same statement"


def test_an_input_that_one_of_two_attested_too_late() -> None:
    rule = {**RUN, "signed_by": {"threshold": 2, "of": ["a", "b"], "over": "same_type"}}
    data = {"require": [{"predicate": CHECKED, "signed_by": {"any_of": ["a"]}}]}
    asked = policy(WHO, times="verified", nodes={"model": {"require": [rule]}, "dataset": data})
    runs = [
        claim(things([0]), made([number], started=5), by, type_=PROVENANCE_V1, witnessed=[7])
        for number, by in ((1, A), (2, B))
    ]
    chain = walked([*runs, claim(things([1]), {}, A, witnessed=[1]), claim(things([2]), {}, A, witnessed=[6])], asked)
    assert chain.cause is not None
    assert chain.cause.code == "policy.threshold"
    assert chain.cause.found.endswith("does not count: dataset thing-2 was attested too late for it")


def test_values_that_are_not_the_same_are_told_as_they_stand_there() -> None:
    both = [
        {"as": label, "predicate": type_, "signed_by": {"any_of": ["a"]}}
        for label, type_ in (("p", CHECKED), ("q", f"{CHECKED}/more"))
    ]
    asked = policy(WHO, nodes={"model": {"require": both}}, same=[["p.predicate.n", "q.predicate.of['n']"]])
    pile = [claim(things([0]), {"n": 1}, A), claim(things([0]), {"of": {"n": "1"}}, A, type_=f"{CHECKED}/more")]
    found = walked(pile, asked).cause
    assert found is not None
    assert (found.code, found.rule) == ("policy.same", "nodes.model.same")
    assert found.found == (
        'statements that would each do, but say different things there: p.predicate.n is 1; q.predicate.of.n is "1"'
    )
    assert found.wanted == "one value for p.predicate.n, q.predicate.of['n']"


def test_of_many_accounts_some_are_told() -> None:
    said = {**RUN, "expect": {"builder": "https://ci-*"}, "signed_by": {"any_of": ["a"]}}
    asked = policy(WHO, nodes={"model": {"require": [said]}}, contradictions="deny")
    runs = [{**made(()), "runDetails": {"builder": {"id": f"https://ci-{n:02}"}}} for n in range(20)]
    found = walked([claim(things([0]), run, A, type_=PROVENANCE_V1) for run in runs], asked).cause
    assert found is not None
    assert (found.code, found.rule) == ("policy.contradiction", "contradictions")
    assert found.found.startswith("https://ci-00 https://ci.example/train/v1, says a (key ")
    assert "; https://ci-01 " in found.found
    assert found.found.endswith("; …")
    assert found.found.count("in sha256:") == 8
    # One signer says all of it: there is no other to be revoked.
    assert found.do.startswith("ask a (key ")
    assert "revoked" not in found.do


def test_of_evidence_that_proves_nothing_one_item_is_told_with_its_reason() -> None:
    found = cause(CHAIN.assess([b"{"]))
    assert "; 1 item of the evidence proves nothing: evidence" in found.found
    assert "this is not valid JSON" in found.found


# --- which of several, and by what -----------------------------------------------------------------------------------


def with_record(plain: dict[str, Any], **more: Any) -> None:
    """The policy asks for the model's record as well, without a label."""
    record = {"predicate": "model", "signed_by": {"any_of": ["developer"]}, **more}
    plain["nodes"]["model"]["require"].append(record)


def record_of_the_model(by: str, **facts: Any) -> Attestation:
    return attest(CHAIN.model, ModelRecord(name="penguins", **facts), signer=signer(by))


def test_of_several_requirements_the_one_that_is_not_met_is_named_and_the_evidence() -> None:
    record = record_of_the_model("trainer")
    found = cause(
        CHAIN.assess([*CHAIN.evidence, Item(data=record.bytes, origin="card.json")], policy=policy_of(with_record))
    )
    assert (found.code, found.rule) == ("policy.signed-by", "nodes.model.signed_by")
    assert found.requirement == ModelRecord.predicate_type
    assert found.evidence == f"card.json (sha256:{record.payload_digest[:12]})"


def test_it_stands_in_text_page_and_json() -> None:
    other = run_record(CHAIN.model, used(CHAIN.data, "dataset"), used(CHAIN.code, "code"), by="developer")
    report = CHAIN.assess([other, CHAIN.record, CHAIN.source], policy=policy_of(with_record))
    told = f"evidence[1][0] (sha256:{other.payload_digest[:12]})"
    plain = report.to_dict()["findings"][0]
    assert (plain["requirement"], plain["evidence"]) == ("run", told)
    assert "    rule:   nodes.model.signed_by, for run\n" in report.to_text()
    assert f"    from:   {told}\n" in report.to_text()
    assert told in report.to_html()
    assert "nodes.model.signed_by, for run" in report.to_html()
    # Where it is missing there is nothing to name.
    missing = cause(CHAIN.assess([CHAIN.record, CHAIN.source], policy=policy_of(with_record)))
    assert (missing.code, missing.requirement, missing.evidence) == ("chain.no-attestation", "run", "")


def test_the_only_requirement_without_a_label_needs_no_name() -> None:
    other = data_record(CHAIN.data, by="trainer")
    found = cause(CHAIN.assess([CHAIN.run, other, CHAIN.source]))
    assert (found.code, found.rule, found.requirement) == ("policy.signed-by", "nodes.dataset.signed_by", "")
    assert found.evidence == f"evidence[1][1] (sha256:{other.payload_digest[:12]})"


def test_where_evidence_was_found_does_not_hang_on_its_order() -> None:
    record = record_of_the_model("trainer")
    twice = [Item(data=record.bytes, origin=origin) for origin in ("b.json", "a.json")]
    for pile in (twice, twice[::-1]):
        found = cause(CHAIN.assess([*CHAIN.evidence, *pile], policy=policy_of(with_record)))
        assert found.evidence.startswith(("a.json", "b.json"))


def test_a_refused_chain_shows_as_many_signers_as_an_accepted_one() -> None:
    def both(plain: dict[str, Any]) -> None:
        rule = {"threshold": 2, "of": ["trainer", "developer"], "over": "same_statement"}
        with_record(plain, signed_by=rule)

    record = record_of_the_model("trainer")
    signed = [record, endorse(record, signer=signer("developer"))]
    accepted = CHAIN.assess([*CHAIN.evidence, *signed], policy=policy_of(both))
    refused = CHAIN.assess([CHAIN.source, CHAIN.run, *signed], policy=policy_of(both))  # the dataset is missing
    assert (accepted.accepted, cause(refused).subject) == (True, f"dataset {CHAIN.data.name}")
    for report in (accepted, refused):
        assert report.graph is not None
        assert "signed by developer, trainer (model)" in report.to_text()


def test_an_input_of_other_bytes_was_not_changed_after_it_was_attested() -> None:
    other = tree("dataset", {"data.csv": b"other"}, CHAIN.data.name)
    found = cause(CHAIN.assess([CHAIN.run, data_record(other), CHAIN.source]))
    assert (found.code, found.subject) == ("verification.subject", f"dataset {CHAIN.data.name}")
    assert found.do.startswith(f"the run used other bytes of {CHAIN.data.name} than what is attested")


def test_that_nobody_signed_it_is_said_in_the_cause() -> None:
    found = cause(CHAIN.assess([CHAIN.run.envelope.payload]))
    assert "1 item of the evidence proves nothing: evidence[1][0]: nobody signed this statement" in found.found
    assert "none of the formats" not in found.found


@pytest.mark.parametrize("role", ["Dataset", "data"])
def test_a_role_that_is_none_is_told(role: str) -> None:
    inputs = used(CHAIN.data, role), used(CHAIN.code, "code")
    run = run_record(CHAIN.model, *inputs)
    few = cause(CHAIN.assess([run, CHAIN.record, CHAIN.source]))
    assert (few.code, few.rule) == ("policy.inputs", "nodes.model.inputs.dataset")
    assert few.found == f"0, beside what has the role {role}: no known one, so it counts as dependency"

    def without_inputs(plain: dict[str, Any]) -> None:
        del plain["nodes"]["model"]["require"][0]["inputs"]

    none = cause(CHAIN.assess([run, CHAIN.record, CHAIN.source], policy=policy_of(without_inputs)))
    assert (none.code, none.rule) == ("chain.no-rule", "nodes.dependency")
    assert none.found.endswith(f": the run gives it the role {role}, no known one, so it counts as dependency")
    # No role at all is no slip of the pen.
    plain = run_record(CHAIN.model, used(CHAIN.data, None), used(CHAIN.code, "code"))
    assert cause(CHAIN.assess([plain, CHAIN.record, CHAIN.source])).found == "0"
