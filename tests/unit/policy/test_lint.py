"""Is an author told what he may not mean, and nothing else?"""

from datetime import UTC, datetime
from typing import Any

import pytest

from glasswing_attest import Policy
from glasswing_attest.findings import Tier
from glasswing_attest.policy.lint import lint
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from tests.unit.policy.test_grammar import QUALITY, RUN, expecting, plain

GITHUB = {"issuer": "https://token.actions.githubusercontent.com", "github": {"repository": "acme/train"}}
SOUND = {**expecting(parameters={"allow": ["seed"]}), "inputs": {"dataset": {"min": 1}}}
BOTH: dict[str, Any] = {"signed_by": {"any_of": ["a", "b"]}}


def told(*require: Any, **more: Any) -> list[tuple[str, str]]:
    policy = Policy(**plain(*require, **more))
    findings = lint(policy)
    assert all((f.code, f.tier) == ("policy.doubtful", Tier.WARNING) and f.found and f.do for f in findings)
    return [(finding.rule, finding.found) for finding in findings]


def test_a_sound_policy_is_not_doubted() -> None:
    believed = [{"id": "https://ci.example", "signed_by": ["a"], "level": 3}]
    sound = {**SOUND, **BOTH, "where": "has(predicate.runDetails) && predicate.runDetails.builder.id == 'x'"}
    assert told(sound) == []
    levelled = {**expecting(level=3), **BOTH, "inputs": {"dataset": {"min": 1}}}
    assert told(levelled, builders=believed) == []


@pytest.mark.parametrize(
    ("require", "more", "rule", "found"),
    [
        ([{**SOUND, **BOTH}], {"times": "claimed"}, "times", "nobody but the signer"),
        ([{**SOUND, **BOTH}], {"declared": "allow"}, "declared", "nobody here read"),
        ([SOUND], {}, "identities.b", "no rule names it"),
        (
            [{**SOUND, "signed_by": {"threshold": 1, "of": ["a", "b"], "over": "same_type"}}],
            {},
            "nodes.model.require[0].signed_by.threshold",
            "one of them is enough",
        ),
        (
            [{"predicate": "model", **BOTH, "max_age": "30d"}],
            {"identities": {"a": {"key": "a"}, "b": {"key": "b"}}},
            "nodes.model.require[0].max_age",
            "tells no time",
        ),
        (
            [{**SOUND, **expecting(builder="my-ci", parameters={"allow": ["seed"]}), **BOTH}],
            {},
            "nodes.model.require[0].expect.builder",
            "my-ci is no URI",
        ),
        (
            [
                {
                    "predicate": "vsa",
                    **BOTH,
                    "expect": {"verifier": "me", "resource": "r", "level": "SLSA_BUILD_LEVEL_3"},
                }
            ],
            {},
            "nodes.model.require[0].expect.verifier",
            "me is no URI",
        ),
        ([{**SOUND, **BOTH}], {"identities": {"a": GITHUB, "b": {"key": "b"}}}, "identities.a.github", "taken over"),
        (
            [{**SOUND, **BOTH}],
            {"builders": [{"id": "https://other.example", "signed_by": ["a"], "level": 3}]},
            "builders[0]",
            "no rule expects this builder",
        ),
        (
            [{**RUN, **BOTH, "inputs": {"dataset": {"min": 1}}}],
            {},
            "nodes.model.require[0].expect",
            "decides what is built",
        ),
        ([{**SOUND, **BOTH, "inputs": {}}], {}, "nodes.model.require[0]", "leave out what it was made from"),
        (
            [{**SOUND, **expecting(level=3), **BOTH}],
            {"builders": [{"id": "https://ci.example", "signed_by": ["a"], "level": 2}]},
            "nodes.model.require[0].expect.level",
            "nothing satisfies it",
        ),
        (
            [{**SOUND, **BOTH}],
            {"identities": {"a": {"issuer": "https://i", "san": "https://github.com/*/*@refs/*/*"}, "b": {"key": "b"}}},
            "identities.a.san",
            "the owner is a star",
        ),
        (
            [{"predicate": SUMMARY_V1, **BOTH, "expect": {"verifier": "urn:v", "resource": "r"}}],
            {},
            "nodes.model.require[0].expect",
            "says PASSED of whatever",
        ),
    ],
)
def test_what_is_doubtful(require: list[Any], more: dict[str, Any], rule: str, found: str) -> None:
    ((place, because),) = told(*require, **more)
    assert place == rule
    assert found in because


def test_a_cut_without_an_end() -> None:
    policy = plain({**SOUND, **BOTH})
    policy["nodes"]["tool"] = {"trim": {"reason": "x"}}
    policy["nodes"]["image"] = {"trim": {"reason": "x", "until": "2027-01-01T00:00:00Z"}}
    assert [f.rule for f in lint(Policy(**policy))] == ["nodes.tool.trim"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("predicate.items.all(x, x > 0)", "all(…) holds for an empty list"),
        ("predicate.a == 1 && predicate.items.all(x, x > 0)", "all(…) holds for an empty list"),
        ("!predicate.items.exists(x, x > 0)", "holds for an empty list"),
        ("predicate.items.exists(x, x > 0) == false", "exists(…) to be false holds for an empty list"),
        ("!(predicate.a || predicate.items.exists_one(x, x > 0))", "exists_one(…) to be false holds for an empty list"),
        ("predicate.items.exists(x, x > 0) ? false : true", "exists(…) to be false holds for an empty list"),
        ("size(predicate.items.filter(x, x > 0)) == 0", "filter(…) leaves nothing"),
        ("3 > predicate.items.filter(x, x > 0).size()", "filter(…) leaves nothing"),
        ("[] == predicate.items.filter(x, x > 0)", "filter(…) leaves nothing"),
        ("predicate.a == 1 // first && predicate.b == 2\n", "behind // is a comment"),
        ("!has(predicate.x)", "never holds"),
        ("predicate.a || !has(predicate.x.y)", "never holds"),
        ("predicate.x == null", "null is absent"),
        ("null != predicate.x", "null is absent"),
        ("double(predicate.x) >= 0.9", "NaN and Infinity included"),
        ("predicate.xs.exists(x, int(x) > 3)", "NaN and Infinity included"),
        ('predicate.x.matches("a+")', "whole text alone"),
        ('predicate.x.matches("^a|b$")', "whole text alone"),
        ("1 == 1", "says nothing of the statement"),
    ],
)
def test_a_condition_that_is_doubtful(where: str, found: str) -> None:
    ((place, because),) = told({**QUALITY, **BOTH, "where": where})
    assert place == "nodes.model.require[0].where"
    assert found in because


@pytest.mark.parametrize(
    "where",
    [
        'predicate.x.matches("^a+$")',
        'double("1.5") > predicate.x',
        "predicate.items.exists(x, x > 0)",
        "predicate.a ? predicate.items.exists(x, x.exists(y, y > 0)) : predicate.b",
        "!predicate.x",
        "size(predicate.items.filter(x, x > 0)) >= 2 && 1 < size(predicate.items.filter(x, x > 0))",
        "predicate.uri.startsWith('https://') && predicate.uri != \"//\" && predicate.uri != '''//'''",
        "predicate.a == 1 // first\n&& predicate.b == 2",
    ],
)
def test_a_condition_that_is_not(where: str) -> None:
    assert told({**QUALITY, **BOTH, "where": where}) == []


def test_alternatives_are_looked_at_too() -> None:
    rule: Any = {"any_of": [{"require": [{**SOUND, **BOTH}]}, {"require": [{**QUALITY, **BOTH, "where": "true"}]}]}
    document: dict[str, Any] = {**plain(), "nodes": {"model": rule}}
    policy = Policy(**document)
    assert [f.rule for f in lint(policy)] == ["nodes.model.any_of[1].require[0].where"]


def test_what_has_ended() -> None:
    policy = plain({**SOUND, **BOTH})
    policy["expires"] = "2026-02-01T00:00:00Z"
    policy["nodes"]["tool"] = {"trim": {"reason": "x", "until": "2026-01-01T00:00:00Z"}}
    read = Policy(**policy)
    for at, ended in (
        (datetime(2026, 1, 1, tzinfo=UTC), []),
        (datetime(2026, 1, 2, tzinfo=UTC), ["nodes.tool.trim.until"]),
        (datetime(2026, 3, 1, tzinfo=UTC), ["expires", "nodes.tool.trim.until"]),
    ):
        assert [f.rule for f in lint(read, at=at)] == ended
    assert lint(read) == ()


def test_a_type_that_nobody_reads_here() -> None:
    mistyped = {"predicate": "https://slsa.dev/provenance/v11", **BOTH}
    ((place, because),) = told(mistyped)
    assert place == "nodes.model.require[0].predicate"
    assert "is not read here" in because
