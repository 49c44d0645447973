"""Does a thing stand when all of one alternative is met, and only then?  docs: policy, `any_of`."""

from typing import Any

import pytest

from glasswing_attest import Attestation, DataRecord, Policy, attest
from glasswing_attest.chain.graph import State
from glasswing_attest.errors import LimitError
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.run import PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.chains import BUILDER, checkout, data_record, honest, policy_of, run_record, signer, tree, used

RECORD: dict[str, Any] = {
    "as": "record",
    "predicate": DataRecord.predicate_type,
    "signed_by": {"any_of": ["data-team"]},
}
MADE: dict[str, Any] = {
    "as": "made",
    "predicate": PROVENANCE_V1,
    "signed_by": {"any_of": ["trainer"]},
    "expect": {"builder": BUILDER},
}
SUMMED: dict[str, Any] = {
    "as": "summed",
    "predicate": SUMMARY_V1,
    "signed_by": {"any_of": ["developer"]},
    "expect": {"verifier": "https://verifier.example", "resource": "pkg:generic/penguins"},
}
DATA = honest().data
BASE = tree("dataset", {"base.csv": b"0"}, "base")


def policy(*alternatives: list[dict[str, Any]]) -> Policy:
    """The honest policy, but a dataset stands on any of these."""
    rule = {"any_of": [{"require": each} for each in alternatives]}
    return policy_of(lambda p: p["nodes"].__setitem__("dataset", rule))


def summary(resource: str) -> Attestation:
    """What the verifier says of the data, as a resource."""
    return attest(
        DATA,
        VerificationSummary(
            verifier_id="https://verifier.example",
            resource_uri=resource,
            result="PASSED",
            levels=("SLSA_BUILD_LEVEL_2",),
            policy=ResourceDescriptor(uri="https://verifier.example/policy"),
        ),
        signer=signer("developer"),
    )


EITHER = policy([RECORD, MADE], [SUMMED])

record = data_record(DATA)
made = run_record(DATA, by="trainer")
summed = summary("pkg:generic/penguins")


@pytest.mark.parametrize(
    ("evidence", "good"),
    [
        ([record, made], True),
        ([summed], True),
        ([record, made, summed], True),
        ([record, summed], True),
        ([record], False),
        ([made], False),
        ([], False),
    ],
)
def test_all_of_one_alternative(evidence: list[Any], good: bool) -> None:
    chain = honest()
    report = chain.assess([chain.run, chain.source, *evidence], policy=EITHER)
    assert report.accepted is good
    if not good:
        assert report.cause is not None
        assert report.cause.code == "chain.no-attestation"
        assert report.cause.subject == "dataset penguins"


def test_the_report_says_which_requirements_were_met() -> None:
    chain = honest()
    for evidence, labels in (([record, made], {"record", "made"}), ([summed], {"summed"})):
        report = chain.assess([chain.run, chain.source, *evidence], policy=EITHER)
        assert report.graph is not None
        identities = [n.identity for n in report.graph.nodes if n.kind == "dataset"]
        met = {
            e.requirement
            for identity in identities
            for node in (report.graph.node(identity), *(n for r, n in report.graph.parents(identity) if r == "run"))
            for e in node.evidence
        }
        assert met == labels
        # A summary ends the chain on its verifier's word, and draws no edges.
        if labels == {"summed"}:
            assert report.graph.inputs(identities[0]) == ()


def test_of_alternatives_that_nothing_meets_the_one_with_the_fewest_complaints_is_told() -> None:
    chain = honest()
    wrong = {**MADE, "expect": {"builder": f"{BUILDER}/other", "ref": "refs/tags/v1"}}
    nearly = {**MADE, "as": "nearly", "expect": {"builder": BUILDER, "ref": "refs/tags/v1"}}
    for alternatives in ([[wrong], [nearly]], [[nearly], [wrong]]):
        cause = chain.assess([chain.run, chain.source, made], policy=policy(*alternatives)).cause
        assert cause is not None
        assert (cause.code, cause.rule) == ("policy.expect", "nodes.dataset.expect.ref")


def test_a_no_is_told_by_the_alternative_that_came_closest() -> None:
    chain = honest()
    only_record = chain.assess([chain.run, chain.source, record], policy=EITHER).cause
    assert only_record is not None
    assert "(made)" in only_record.found
    nothing = chain.assess([chain.run, chain.source], policy=EITHER).cause
    assert nothing is not None
    assert "(record)" in nothing.found  # of several that are as far away, the first
    # A statement of a trusted signer that says something else is closer than none.
    failed = summary("pkg:generic/others")
    other = chain.assess([chain.run, chain.source, failed], policy=EITHER).cause
    assert other is not None
    assert (other.code, other.rule) == ("policy.expect", "nodes.dataset.expect.resource")


def test_an_alternative_with_a_broken_input_gives_way_to_another() -> None:
    chain = honest()
    from_base = run_record(DATA, used(BASE, "dataset"))
    either = policy([MADE], [SUMMED])
    pile = [chain.run, chain.source, from_base]
    broken = chain.assess(pile, policy=either)
    assert broken.verdict == "refused"
    assert broken.cause is not None
    assert broken.cause.subject == "dataset base"
    assert chain.assess([*pile, summed], policy=either).accepted
    # The base stands on the other alternative of the same rule.
    assert chain.assess([*pile, attest_summary(BASE)], policy=either).accepted


def attest_summary(about: Any) -> Any:
    return attest(
        about,
        VerificationSummary(
            verifier_id="https://verifier.example",
            resource_uri="pkg:generic/penguins",
            result="PASSED",
            levels=("SLSA_BUILD_LEVEL_2",),
            policy=ResourceDescriptor(uri="https://verifier.example/policy"),
        ),
        signer=signer("developer"),
    )


def test_a_cycle_over_alternatives_supports_nothing() -> None:
    # Each could stand on its run if the other did; neither stands by itself.
    chain = honest()
    there, back = run_record(DATA, used(BASE, "dataset")), run_record(BASE, used(DATA, "dataset"))
    either = policy([MADE], [SUMMED])
    report = chain.assess([chain.run, chain.source, there, back], policy=either)
    assert report.verdict == "refused"
    assert report.cause is not None
    assert report.cause.code == "chain.cycle"
    assert chain.assess([chain.run, chain.source, there, back, attest_summary(BASE)], policy=either).accepted


def test_what_no_alternative_wants_is_not_followed() -> None:
    chain = honest()
    lying = run_record(DATA, used(tree("dataset", {"x": b"x"}, "unknown"), "dataset"))
    report = chain.assess([chain.run, chain.source, summed, lying], policy=policy([RECORD], [SUMMED]))
    assert report.accepted
    assert report.graph is not None
    assert {n.name for n in report.graph.nodes if n.kind == "dataset"} == {"penguins"}
    assert {n.state for n in report.graph.nodes} == {State.VERIFIED}


@pytest.mark.parametrize("name", ["nodes", "depth", "candidates", "steps"])
def test_the_policy_may_lower_the_limits_and_not_raise_them(name: str) -> None:
    chain = honest()
    evidence = list(chain.evidence)
    if name == "depth":  # a model is made from a dataset, and that from another
        evidence = [run_record(chain.model, used(DATA, "dataset"), used(checkout(), "code"))]
        evidence.append(run_record(DATA, used(BASE, "dataset")))

    def lower(plain: dict[str, Any]) -> None:
        plain["limits"] = {name: 1}
        if name == "depth":
            plain["nodes"]["dataset"] = {"require": [MADE]}

    report = chain.assess(evidence, policy=policy_of(lower))
    assert report.verdict == "undecided"
    with pytest.raises(LimitError) as caught:
        report.require()
    assert (caught.value.code, caught.value.wanted) == ("limit", f"at most 1 ({name})")
    raised = policy_of(lambda p: p.__setitem__("limits", {name: 1_000_000}))
    report = chain.assess(policy=raised, limits=Limits(**{name: 1}) if name != "depth" else Limits(nodes=1))
    assert report.verdict == "undecided"
