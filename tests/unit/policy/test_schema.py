"""Does the schema of policies say what the model that reads them does, and ship as it is made?"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest import Policy
from glasswing_attest.errors import PolicyRefused
from glasswing_attest.policy.schema import generated, shipped
from tests.chains import POLICY
from tests.unit.policy.test_grammar import QUALITY, RUN, expecting, plain
from tests.unit.policy.test_policy import JSON

SCHEMA = json.loads(shipped())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def test_what_ships_is_what_the_model_says_today() -> None:
    assert shipped() == generated(), (
        "src/glasswing_attest/policy/policy.schema.json is stale: write there what policy.schema.generated() gives"
    )


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"].endswith("/policy/v1.json")


ACCEPTED: dict[str, Any] = {
    "the honest chain's": deepcopy(dict(POLICY)),
    "the file of the tests": json.loads(JSON),
    "everything": plain(
        {
            **expecting(
                level="SLSA_BUILD_LEVEL_2",
                source="https://github.com/a/b",
                ref="refs/heads/*",
                parameters={"equal": {"a": [1, {"b": True}]}, "allow": ["c['d.e']"]},
            ),
            "as": "run",
            "where": "predicate.x == 1",
            "max_age": "30d",
            "inputs": {"dataset": {"min": 1}},
        },
        {**QUALITY, "as": "quality", "expect": {"metric": "m", "at_least": 1, "at_most": "2.5"}},
        contradictions="deny",
        builders=[{"id": "x", "signed_by": ["a"], "level": 3}],
        same=[["run.predicate.a", "quality.predicate.a"]],
        limits={"nodes": 1},
    ),
    "alternatives": {**plain(), "nodes": {"model": {"any_of": [{"require": [RUN]}, {"require": [QUALITY]}]}}},
    "unset parts": {**plain(), "expires": None, "limits": None, "name": ""},
    "numbers as ids": {
        **plain(),
        "identities": {
            "a": {"issuer": "https://i", "github": {"repository": "a/b", "repository_id": 4711, "owner_id": "7"}},
            "b": {"issuer": "https://i", "claims": {"build_trigger": "push"}},
        },
    },
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_model_accepts_the_schema_accepts(name: str) -> None:
    Policy.parse(json.dumps(ACCEPTED[name]).encode(), suffix=".json")
    VALIDATOR.validate(ACCEPTED[name])
    written = json.loads(Policy.parse(json.dumps(ACCEPTED[name]).encode(), suffix=".json").to_json())
    VALIDATOR.validate(written)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document but the whole."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*path, step)
        yield from places(inner, (*path, step))


ODD: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 5),
    st.sampled_from(["", "x", "*", "30d", "refs/tags/v1", "warn", "2027-01-01T00:00:00Z", "1.5", "a.b"]),
    st.sampled_from([[], ["x"], {}, {"x": 1}, ["a"], [["run.predicate.a"]], {"min": 1}, {"key": "a"}, 1.5]),
)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_the_schema_refuses_nothing_that_the_model_accepts(data: st.DataObject) -> None:
    document = deepcopy(ACCEPTED[data.draw(st.sampled_from(sorted(ACCEPTED)))])
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(list(places(document))))
        target = document
        for step in way:
            target = target[step]
        if data.draw(st.booleans()) and isinstance(target, dict):
            del target[last]
        else:
            target[last] = deepcopy(data.draw(ODD))
    try:
        policy = Policy.parse(json.dumps(document).encode(), suffix=".json")
    except PolicyRefused:
        return
    VALIDATOR.validate(document)
    VALIDATOR.validate(json.loads(policy.to_json()))


def refused_by_both(document: dict[str, Any]) -> bool:
    """Does the schema refuse it too? The model does, or this fails."""
    with pytest.raises(PolicyRefused):
        Policy.parse(json.dumps(document).encode(), suffix=".json")
    return not VALIDATOR.is_valid(document)


SLIPS: dict[str, dict[str, Any]] = {
    "unknown key": {**plain(), "node": {}},
    "unknown key within": plain({**RUN, "signedby": {}}),
    "unknown expectation": plain(expecting(builders="x")),
    "unknown kind": {**plain(), "nodes": {"models": {"require": [RUN]}}},
    "unknown role": plain({**RUN, "inputs": {"data": {"min": 1}}}),
    "unknown claim": {**plain(), "identities": {"a": {"issuer": "i", "claims": {"colour": "red"}}, "b": {"key": "b"}}},
    "no version": {name: value for name, value in plain().items() if name != "version"},
    "version 2": {**plain(), "version": 2},
    "version true": {**plain(), "version": True},
    "no nodes": {**plain(), "nodes": {}},
    "no identities": {**plain(), "identities": {}},
    "no requirement's type": plain({"signed_by": {"any_of": ["a"]}}),
    "unknown short name": plain({"predicate": "provnance", "signed_by": {"any_of": ["a"]}}),
    "nobody": plain({**RUN, "signed_by": {"any_of": [""]}}),
    "a word for a list": plain({**RUN, "signed_by": {"any_of": "a"}}),
    "a word of another field": plain(times="any"),
    "a time without a zone": plain(expires="2027-01-01"),
    "a negative count": plain({**RUN, "inputs": {"dataset": {"min": -1}}}),
    "a level beyond": plain(builders=[{"id": "x", "signed_by": ["a"], "level": 4}]),
    "a builder of nobody": plain(builders=[{"id": "x", "signed_by": [], "level": 1}]),
    "no duration": plain({**RUN, "max_age": "30 days"}),
    "a number as a bound": plain({**QUALITY, "expect": {"metric": "m", "at_least": 0.9}}),
    "a bound that is none": plain({**QUALITY, "expect": {"metric": "m", "at_least": "NaN"}}),
    "no digest": plain({"predicate": "vsa", "signed_by": {"any_of": ["a"]}, "expect": {"policy_digest": "sha256:00"}}),
    "an empty alternative": {**plain(), "nodes": {"model": {"any_of": [{"require": []}, {"require": [RUN]}]}}},
    "an empty condition": plain({**RUN, "where": ""}),
    "a limit of nothing": plain(limits={"nodes": 0}),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_of_the_pen_is_seen_in_the_editor(name: str) -> None:
    assert refused_by_both(SLIPS[name])
