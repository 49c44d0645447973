"""Does CEL give the same value wherever a condition has one here, and what may change when something is left out?

The oracle is `cel-python`'s own evaluator. It rounds decimals and does not compare an integer with a decimal, so those
are left to examples; nor may it be asked for what it has no answer to.
"""

import contextlib
import json
import sys
from typing import Any

import celpy
import pytest
from celpy import celtypes
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest._wire import parse_json
from glasswing_attest.errors import GlasswingError
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.policy.cel.condition import holds, read
from glasswing_attest.policy.cel.tree import NotRead
from glasswing_attest.policy.cel.values import NoValue

NAMES = ("a", "b", "c", "gone")
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["", "a", "ab", "b", "1", "NaN"]))
JSON: Any = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES[:3]), inner)),
    max_leaves=8,
)
PREDICATES: Any = st.dictionaries(st.sampled_from(NAMES[:3]), JSON)

LITERALS = st.sampled_from(
    ["true", "false", "null", "0", "1", "-2", '""', '"a"', '"ab"', "[]", "[1, 2]", '["a"]', '{"a": 1}']
)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(lambda names: ".".join(["predicate", *names]))
TERMS = st.one_of(LITERALS, PATHS, PATHS, PATHS)
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "&&", "||", "+", "-", "*"])


def composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    macro = st.sampled_from(["all", "exists", "exists_one", "filter", "map"])
    bodies = st.one_of(inner, st.sampled_from(["x", "x > 0", 'x == "a"', "!x", "x.a", "has(x.a)"]))
    return st.one_of(
        st.tuples(inner, OPERATORS, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})"),
        inner.map(lambda t: f"!{t}"),
        PATHS.map(lambda t: f"has({t})"),
        inner.map(lambda t: f"size({t})"),
        inner.map(lambda t: f"int({t})"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]}).startsWith({t[1]})"),
        inner.map(lambda t: f'({t}).matches("^a")'),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})[{t[1]}]"),
        st.tuples(inner, macro, bodies).map(lambda t: f"({t[0]}).{t[1]}(x, {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"[{t[0]}, {t[1]}]"),
    )


EXPRESSIONS = st.recursive(TERMS, composed, max_leaves=6)

# Beside those, which seldom have a value, some that mostly have: of one type each, over a predicate of known types.
TYPED: Any = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(-3, 3),
        "t": st.sampled_from(["", "a", "ab", "1"]),
        "f": st.booleans(),
        "l": st.lists(st.integers(-2, 2), max_size=3),
        "o": st.dictionaries(st.sampled_from(NAMES[:3]), st.one_of(st.none(), st.integers(0, 2))),
    },
)
NUMBERS = st.recursive(
    st.sampled_from(
        ["predicate.n", "predicate.l[0]", "predicate.o.a", "size(predicate.l)", "size(predicate.t)", "0", "2"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/%"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"-({t})"),
    ),
    max_leaves=3,
)
TEXTS = st.sampled_from(["predicate.t", '"a"', '"ab"', "string(predicate.n)"])
LISTS = st.sampled_from(
    ["predicate.l", "[1, 2]", "predicate.l.map(x, x + 1)", "predicate.l.filter(x, x > 0)", "predicate.l + [0]"]
)
COMPARED = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
ASKED = st.one_of(
    st.tuples(NUMBERS, COMPARED, NUMBERS).map(" ".join),
    st.tuples(TEXTS, COMPARED, TEXTS).map(" ".join),
    st.tuples(TEXTS, st.sampled_from(["startsWith", "endsWith", "contains"]), TEXTS).map(
        lambda t: f"{t[0]}.{t[1]}({t[2]})"
    ),
    TEXTS.map(lambda t: f'{t}.matches("a?b?")'),
    st.tuples(LISTS, st.sampled_from(["==", "!="]), LISTS).map(" ".join),
    st.tuples(NUMBERS, LISTS).map(lambda t: f"{t[0]} in {t[1]}"),
    st.tuples(LISTS, st.sampled_from(["all", "exists", "exists_one"]), NUMBERS).map(
        lambda t: f"({t[0]}).{t[1]}(x, x > {t[2]})"
    ),
    st.sampled_from(["has(predicate.n)", "has(predicate.o.b)", '"a" in predicate.o', "predicate.f", "predicate.gone"]),
)
SENTENCES = st.recursive(
    ASKED.map(lambda t: f"({t})"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "!="]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})"),
        inner.map(lambda t: f"!{t}"),
    ),
    max_leaves=4,
)


def ours(text: str, predicate: Any) -> Any:
    verified = parse_json(json.dumps(predicate).encode())
    return holds(
        read(text), {"predicate": verified, "subject": [], "signer": {}}, budget=Budget(Limits(), "where_steps")
    )


_LIMIT = sys.getrecursionlimit()
ORACLE = celpy.Environment()
sys.setrecursionlimit(_LIMIT)  # the oracle raises it for the whole process


def theirs(text: str, predicate: Any) -> Any:
    program = ORACLE.program(ORACLE.compile(text))
    return plain(program.evaluate({"predicate": json_to_cel(predicate)}))


def plain(value: Any) -> Any:
    if isinstance(value, celtypes.BoolType):
        return bool(value)
    if isinstance(value, celtypes.IntType):
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(name): plain(item) for name, item in value.items()}
    return value


def same(a: Any, b: Any) -> bool:
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def test_what_has_a_value_here_has_that_value_in_cel() -> None:
    compared = 0

    @settings(max_examples=800, deadline=None)
    @given(st.one_of(st.tuples(SENTENCES, TYPED), st.tuples(EXPRESSIONS, PREDICATES)))
    def compare(question: tuple[str, Any]) -> None:
        nonlocal compared
        text, predicate = question
        try:
            mine = ours(text, predicate)
        except (NoValue, NotRead):
            return
        try:
            other = theirs(text, predicate)
        except CELEvalError as e:
            if any(macro in text for macro in (".exists_one(", ".map(", ".filter(")):
                return  # an error within these ends the oracle's whole evaluation, also where || or && would absorb it
            pytest.fail(f"{text} over {predicate}: {mine} here, and there {e}")
        assert same(mine, other), f"{text} over {predicate}: {mine} here, {other} there"
        compared += 1

    compare()
    assert compared >= 40


NOT_COUNTING = st.recursive(
    TERMS.filter(lambda t: t != "null"),
    lambda inner: st.one_of(
        st.tuples(inner, OPERATORS, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})"),
        inner.map(lambda t: f"!{t}"),
        PATHS.map(lambda t: f"has({t})"),
        st.sampled_from(NAMES).map(lambda n: f'("{n}" in predicate)'),
    ),
    max_leaves=5,
)


@settings(max_examples=1000, deadline=None)
@given(NOT_COUNTING, PREDICATES, st.sampled_from(NAMES[:3]))
def test_nothing_begins_to_hold_because_a_field_is_left_out(text: str, predicate: Any, name: str) -> None:
    # Of the predicate itself: within an object that is compared as a whole, less is another object.
    without = {key: value for key, value in predicate.items() if key != name}
    try:
        after = ours(text, without)
    except (NoValue, NotRead):
        return
    assert same(after, ours(text, predicate))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="predicat.[]()\"'!&|=<>+-*/%?:,{}0123456789 \\nx\n", max_size=40))
def test_no_text_is_read_with_a_foreign_exception(text: str) -> None:
    with contextlib.suppress(NoValue, NotRead, GlasswingError):
        ours(text, {"a": 1})
