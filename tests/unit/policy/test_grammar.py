"""Does each part of the grammar say one thing, and refuse everything else, with its place?"""

from copy import deepcopy
from typing import Any

import pytest

from glasswing_attest import EvaluationRecord, ModelRecord, Policy
from glasswing_attest.errors import PolicyRefused
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.policy import Builder, NodeRule, Parameters, PolicyLimits
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.release import RELEASE_V02
from glasswing_attest.statement.predicates.summary import SUMMARY_V1

RUN = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["a"]}, "expect": {"builder": "https://ci.example"}}
QUALITY = {"predicate": EvaluationRecord.predicate_type, "signed_by": {"any_of": ["b"]}}


def plain(*require: Any, **more: Any) -> dict[str, Any]:
    nodes = {"model": {"require": list(require or (RUN,))}}
    return {"version": 1, "identities": {"a": {"key": "a"}, "b": {"key": "b"}}, "nodes": nodes, **more}


def refused(policy: dict[str, Any]) -> PolicyRefused:
    with pytest.raises(PolicyRefused) as caught:
        Policy(**policy)
    assert caught.value.code == "malformed.policy"
    assert caught.value.where.startswith("Policy: ")
    return caught.value


def expecting(**expect: Any) -> dict[str, Any]:
    return {**RUN, "expect": {**RUN["expect"], **expect}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("requirement", "place", "problem"),
    [
        (expecting(builder="*"), "expect.builder", "a pattern of stars names nobody"),
        (expecting(builder="*://*/*"), "expect.builder", "a pattern of stars names nobody"),
        (expecting(builder="https://*/*"), "expect.builder", "a pattern of stars names nobody"),
        (expecting(level=0), "expect.level", "wanted 1, 2 or 3"),
        (expecting(level=4), "expect.level", "wanted 1, 2 or 3"),
        (expecting(level=True), "expect.level", "wanted an integer"),
        (expecting(level="SLSA_BUILD_LEVEL_4"), "expect.level", "wanted 1, 2 or 3"),
        (expecting(level="3"), "expect.level", "wanted 1, 2 or 3"),
        (expecting(level=["SLSA_BUILD_LEVEL_3"]), "expect.level", "wanted 1, 2 or 3"),
        (expecting(source="acme/train"), "expect.source", "the URI of a repository"),
        (expecting(source="/srv/train"), "expect.source", "the URI of a repository"),
        (expecting(ref="main"), "expect.ref", "a text of the form"),
        (expecting(resource="x"), "expect.resource", "does not apply"),
        (expecting(metric="a", at_least="1"), "expect.at_least", "does not apply"),
        (expecting(policy="https://x"), "expect.policy", "does not apply"),
        (expecting(parameters={"equal": {"a b": 1}}), "expect.parameters.equal['a b']", "names with dots"),
        (expecting(parameters={"equal": {"a": None}}), "expect.parameters.equal.a", "found nothing"),
        (expecting(parameters={"equal": {"a": ""}}), "expect.parameters.equal.a", "found nothing"),
        (expecting(parameters={"equal": {"a": []}}), "expect.parameters.equal.a", "found nothing"),
        (expecting(parameters={"equal": {"a": {"b": {}}}}), "expect.parameters.equal.a.b", "found nothing"),
        (expecting(parameters={"equal": {"a": [None]}}), "expect.parameters.equal.a[0]", "found nothing"),
        (expecting(parameters={"equal": {"a": 1.5}}), "expect.parameters.equal.a", "found float"),
        (expecting(parameters={"equal": {"a": {1: "x"}}}), "expect.parameters.equal.a", "found dict"),
        (expecting(parameters={"equal": ["a"]}), "expect.parameters.equal", "wanted a mapping"),
        (expecting(parameters={"equal": {"a": [2**53]}}), "expect.parameters.equal.a[0]", "reads alike"),
        (expecting(parameters={"equal": {"a": -(2**53)}}), "expect.parameters.equal.a", "Allow the parameter"),
        (expecting(parameters={"equal": {"a": "\ud800"}}), "expect.parameters.equal.a", "reads alike"),
        (expecting(parameters={"equal": {"a": {"\ud800": 1}}}), "expect.parameters.equal.a", "found dict"),
        ({**RUN, "inputs": {"dataset": {"min": 2**53}}}, "inputs.dataset.min", "at most 9007199254740991"),
        (expecting(source="git+https://x.example/r@refs/tags/v1"), "expect.source", "more than a repository"),
        (expecting(source="https://x.example/r#sub"), "expect.source", "wanted https://x.example/r."),
        (expecting(parameters={"allow": ["a."]}), "expect.parameters.allow[0]", "names with dots"),
        (expecting(parameters={"allow": "a"}), "expect.parameters.allow", "wanted a list"),
        (expecting(parameters={"allow": ["a", "a"]}), "expect.parameters", "wanted each parameter once"),
        (expecting(parameters={"equal": {"a": 1}, "allow": ["['a']"]}), "expect.parameters", "each parameter once"),
        (expecting(parameters={"equal": {"a": {"b": 1}}, "allow": ["a.b"]}), "expect.parameters", "a must be equal"),
        (expecting(parameters={"equal": {"a": {"b": 1}, "a.b": 2}}), "expect.parameters", "found a.b"),
        (expecting(parameters={"equal": {"a": [1]}, "allow": ["a[0].c"]}), "expect.parameters", "found a[0].c"),
        (expecting(source="https://github.com/acme/*"), "expect.source", "there are no patterns here"),
        ({**RUN, "max_age": "30 days"}, "max_age", "a positive integer and one of s, m, h, d, w"),
        ({**RUN, "max_age": "0d"}, "max_age", "a positive integer"),
        (
            {**RUN, "max_age": 30},
            "max_age",
            "(it has no unit): found 30, wanted a positive integer and one of s, m, h, d, w, such as 30d",
        ),
        ({**RUN, "max_age": "9999w"}, "max_age", "at most a hundred years"),
        ({**RUN, "where": ""}, "where", "a text that is not empty"),
        ({**RUN, "where": "true &&"}, "where", "it is no CEL, at line 1, column"),
        ({**RUN, "where": True}, "where", "wanted a text"),
        ({**RUN, "where": "x" * 8193}, "where", "8192"),
        ({**QUALITY, "expect": {"metric": "accuracy"}}, "expect", "metric goes with at_least or at_most"),
        ({**QUALITY, "expect": {"at_least": "1"}}, "expect", "metric goes with at_least or at_most"),
        ({**QUALITY, "expect": {"metric": "m", "at_least": "NaN"}}, "expect.at_least", "a decimal number as text"),
        ({**QUALITY, "expect": {"metric": "m", "at_least": "Infinity"}}, "expect.at_least", "a decimal number as text"),
        ({**QUALITY, "expect": {"metric": "m", "at_least": "1e3"}}, "expect.at_least", "a decimal number as text"),
        ({**QUALITY, "expect": {"metric": "m", "at_least": "0,9"}}, "expect.at_least", "a decimal number as text"),
        ({**QUALITY, "expect": {"metric": "m", "at_least": 0.9}}, "expect.at_least", "wanted a text"),
        ({**QUALITY, "expect": {"metric": "m", "at_least": True}}, "expect.at_least", "wanted a text"),
        ({**QUALITY, "expect": {"metric": "m", "at_least": "2", "at_most": "1"}}, "expect", "greater than at_most"),
        ({**QUALITY, "expect": {"version_at_least": "1"}}, "expect.version_at_least", "does not apply"),
        (
            {"predicate": "model", "signed_by": {"any_of": ["a"]}, "expect": {"version_at_least": "new"}},
            "expect.version_at_least",
            "as PEP 440 orders them",
        ),
        (
            {
                "predicate": RELEASE_V02,
                "signed_by": {"any_of": ["a"]},
                "expect": {"resource": "pkg:pypi/x@1", "version_at_least": "1"},
            },
            "expect.resource",
            "named without its version",
        ),
        (
            {
                "predicate": SUMMARY_V1,
                "signed_by": {"any_of": ["a"]},
                "expect": {"verifier": "v", "resource": "r", "level": 3},
            },
            "expect.level",
            "as the summary writes it",
        ),
        (
            {
                "predicate": SUMMARY_V1,
                "signed_by": {"any_of": ["a"]},
                "expect": {"verifier": "v", "resource": "r", "level": []},
            },
            "expect.level",
            "at least one",
        ),
        (
            {
                "predicate": SUMMARY_V1,
                "signed_by": {"any_of": ["a"]},
                "expect": {"verifier": "v", "resource": "r", "ref": "refs/heads/*"},
            },
            "expect.ref",
            "there are no patterns here",
        ),
        (
            {
                "predicate": SUMMARY_V1,
                "signed_by": {"any_of": ["a"]},
                "expect": {"verifier": "v", "resource": "r", "policy_digest": "0" * 64},
            },
            "expect.policy_digest",
            "a text of the form",
        ),
    ],
)
def test_a_requirement_that_says_nothing_or_two_things(requirement: Any, place: str, problem: str) -> None:
    error = refused(plain(requirement))
    assert error.where == f"Policy: nodes.model.require[0].{place}"
    assert problem in str(error)


@pytest.mark.parametrize(
    ("more", "place", "problem"),
    [
        ({"contradictions": "ignore"}, "contradictions", "warn or deny"),
        ({"builders": [{"id": "x", "signed_by": ["c"], "level": 1}]}, "builders[0].signed_by[0]", "no such identity"),
        ({"builders": [{"id": "x", "signed_by": [], "level": 1}]}, "builders[0].signed_by", "at least one"),
        (
            {"builders": [{"id": "x", "signed_by": ["a", "a"], "level": 1}]},
            "builders[0].signed_by",
            "each identity once",
        ),
        ({"builders": [{"id": "**", "signed_by": ["a"], "level": 1}]}, "builders[0].id", "a pattern of stars"),
        ({"builders": [{"id": "x", "signed_by": ["a"], "level": 0}]}, "builders[0].level", "at least 1"),
        ({"builders": [{"id": "x", "signed_by": ["a"], "level": 4}]}, "builders[0].level", "at most 3"),
        ({"builders": [{"id": "x", "signed_by": ["a"], "level": True}]}, "builders[0].level", "an integer"),
        ({"builders": [{"id": "x", "signed_by": ["a"]}]}, "builders[0].level", "missing"),
        ({"limits": {}}, "limits", "at least one of nodes, depth, candidates, steps"),
        ({"limits": {"nodes": 0}}, "limits.nodes", "at least 1"),
        ({"limits": {"nodes": "10"}}, "limits.nodes", "an integer"),
        ({"limits": {"bundle_bytes": 10}}, "limits.bundle_bytes", "there is no such key"),
        ({"same": [[]]}, "same[0]", "no one kind"),
        ({"same": [["run"]]}, "same[0][0]", "a requirement's `as`"),
        ({"same": [["run.predicate"]]}, "same[0][0]", "a requirement's `as`"),
        ({"same": [["run.signer.san", "quality.predicate.x"]]}, "same[0][0]", "a requirement's `as`"),
        ({"same": [["run.predicate.a", "quality.predicate..b"]]}, "same[0][1]", "names with dots"),
        ({"same": [["run.predicate.a", "other.predicate.a"]]}, "same[0]", "no one kind"),
        ({"same": [["run.predicate.a"]]}, "same[0]", "compares a value with itself"),
        ({"same": [["run.predicate.a", "run.predicate['a']"]]}, "same[0]", "compares a value with itself"),
    ],
)
def test_a_policy_that_says_nothing_or_two_things(more: dict[str, Any], place: str, problem: str) -> None:
    error = refused(plain({**RUN, "as": "run"}, {**QUALITY, "as": "quality"}, **more))
    assert error.where == f"Policy: {place}"
    assert problem in str(error)


# --- alternatives ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "place", "problem"),
    [
        ({}, "", "exactly one of require (not empty), any_of and trim"),
        ({"any_of": []}, "", "exactly one of"),
        ({"require": [], "trim": {"reason": "x"}}, "", "exactly one of"),
        ({"any_of": [], "trim": {"reason": "x"}}, "", "exactly one of"),
        ({"any_of": [], "require": [RUN]}, "", "exactly one of"),
        ({"any_of": [{"require": [RUN]}]}, ".any_of", "one alternative is none"),
        ({"any_of": [{"require": [RUN]}, {"require": []}]}, ".any_of[1].require", "at least one"),
        ({"any_of": [{"require": [RUN]}, {}]}, ".any_of[1].require", "it is missing"),
        ({"any_of": [{"require": [RUN]}, {"trim": {"reason": "x"}}]}, ".any_of[1].trim", "there is no such key"),
        ({"require": [RUN], "any_of": [{"require": [RUN]}, {"require": [RUN]}]}, "", "exactly one of"),
        (
            {"any_of": [{"require": [{**RUN, "as": "x"}]}, {"require": [{**QUALITY, "as": "x"}]}]},
            "",
            "each `as` stands once",
        ),
        (
            {"any_of": [{"require": [RUN]}, {"require": [{**QUALITY, "signed_by": {"any_of": ["zoe"]}}]}]},
            ".any_of[1].require[0].signed_by.any_of[0]",
            "no such identity",
        ),
    ],
)
def test_alternatives_that_are_none(rule: dict[str, Any], place: str, problem: str) -> None:
    error = refused({**plain(), "nodes": {"model": rule}})
    assert error.where == f"Policy: nodes.model{place}"
    assert problem in str(error)


def test_alternatives() -> None:
    rule = {"any_of": [{"require": [RUN]}, {"require": [RUN, QUALITY]}]}
    document: dict[str, Any] = {**plain(), "nodes": {"model": rule, "tool": {"trim": {"reason": "x"}}}}
    policy = Policy(**document)
    assert [len(each) for each in policy.nodes["model"].alternatives] == [1, 2]
    assert policy.nodes["tool"].alternatives == ()
    assert [place for place, _ in policy.requirements] == [
        ("nodes", "model", "any_of", 0, "require", 0),
        ("nodes", "model", "any_of", 1, "require", 0),
        ("nodes", "model", "any_of", 1, "require", 1),
    ]
    plainly = Policy(**plain(RUN, QUALITY)).nodes["model"]
    assert isinstance(plainly, NodeRule)
    assert plainly.alternatives == (plainly.require,)


# --- same ------------------------------------------------------------------------------------------------------------


def test_a_group_names_the_places_of_its_requirements() -> None:
    labelled = [{**RUN, "as": "my run"}, {**QUALITY, "as": "quality"}]
    group = ["['my run'].subject.digest.sha256", "quality.predicate.parameters['a.b'][0]"]
    policy = Policy(**plain(*labelled, same=[group]))
    (found,) = policy.groups
    assert (found.kind, found.alternative, found.text) == ("model", 0, tuple(group))
    assert found.items == (
        (0, ("subject", "digest", "sha256")),
        (1, ("predicate", "parameters", "a.b", 0)),
    )


def test_labels_of_several_kinds_are_ambiguous() -> None:
    labelled = [{**RUN, "as": "run"}, {**QUALITY, "as": "quality"}]
    policy = plain(*labelled, same=[["run.predicate.a", "quality.predicate.a"]])
    policy["nodes"]["file"] = deepcopy(policy["nodes"]["model"])
    assert "the labels stand in several kinds" in str(refused(policy))


def test_labels_of_two_alternatives_never_meet() -> None:
    rule = {"any_of": [{"require": [{**RUN, "as": "run"}]}, {"require": [{**QUALITY, "as": "quality"}]}]}
    policy = {**plain(same=[["run.predicate.a", "quality.predicate.a"]]), "nodes": {"model": rule}}
    assert "in one alternative of it" in str(refused(policy))


def test_one_item_is_enough_where_several_sign() -> None:
    quorum = {"threshold": 2, "of": ["a", "b"], "over": "same_type"}
    policy = Policy(**plain({**RUN, "as": "run", "signed_by": quorum}, same=[["run.predicate.a"]]))
    assert policy.groups[0].items == ((0, ("predicate", "a")),)


# --- limits, levels, and what is written -----------------------------------------------------------------------------


def test_limits_are_lowered_and_never_raised() -> None:
    lowered = PolicyLimits(nodes=5, depth=10**9).lowered(Limits(nodes=7, depth=3))
    assert (lowered.nodes, lowered.depth, lowered.steps) == (5, 3, DEFAULT.steps)


@pytest.mark.parametrize(("level", "number"), [(2, 2), ("SLSA_BUILD_LEVEL_3", 3)])
def test_a_level_in_both_spellings(level: Any, number: int) -> None:
    (requirement,) = Policy(**plain(expecting(level=level))).nodes["model"].require
    assert requirement.expect is not None
    assert requirement.expect.build_level == number


def test_everything_is_written_and_read_again() -> None:
    quality = {**QUALITY, "as": "quality", "expect": {"metric": "accuracy", "at_least": "0.9", "at_most": 1}}
    run = expecting(
        level=3,
        source="https://github.com/acme/train",
        ref="refs/tags/v*",
        parameters={"equal": {"a": [1, True, "x", ""], "b": {"c": "d"}, "e": False, "f": 0}, "allow": ["g['h.i'][0]"]},
    )
    model = {
        "predicate": ModelRecord.predicate_type,
        "signed_by": {"any_of": ["a"]},
        "expect": {"version_at_least": "1.0"},
    }
    policy = Policy(
        **plain(
            {**run, "as": "run", "where": "predicate.a == 1", "max_age": "30d"},
            quality,
            model,
            contradictions="deny",
            builders=[{"id": "https://ci.example/*", "signed_by": ["a", "b"], "level": 3}],
            same=[["run.predicate.a", "quality.predicate.b"]],
            limits={"nodes": 10, "steps": 5},
        )
    )
    again = Policy.parse(policy.to_json(), suffix=".json")
    assert again == policy
    assert again.digest == policy.digest
    assert hash(policy) == hash(again)
    expect = again.nodes["model"].require[0].expect
    assert expect is not None
    assert expect.parameters is not None
    assert expect.parameters.wanted[("a",)] == [1, True, "x", ""]
    assert [type(item) for item in expect.parameters.wanted[("a",)]] == [int, bool, str, str]  # type: ignore[union-attr]
    assert expect.parameters.allowed == (("g", "h.i", 0),)


def test_what_the_caller_handed_over_can_change_no_policy() -> None:
    value: Any = {"b": [1]}
    parameters = Parameters(equal={"a": value})
    value["b"].append(2)
    assert parameters.wanted[("a",)] == {"b": [1]}


def test_a_part_made_in_python_is_refused_as_itself() -> None:
    with pytest.raises(PolicyRefused) as caught:
        Builder(id="x", signed_by=("a",), level=9)
    assert caught.value.where == "Builder: level"


def test_inputs_of_a_misspelled_provenance_are_told_what_was_meant() -> None:
    error = refused(plain({**RUN, "predicate": "https://slsa.dev/provenance/v11", "inputs": {"dataset": {"min": 1}}}))
    assert (error.because, error.found) == ("inputs go with provenance only", "https://slsa.dev/provenance/v11")
    assert error.do == "did you mean https://slsa.dev/provenance/v1?"
