"""Does a condition hold for exactly true, and for nothing that is absent, of another type, not finite or too long?"""

import decimal
import json
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest

from glasswing_attest import Policy, Verifier
from glasswing_attest._wire import parse_json
from glasswing_attest.claims import opaque
from glasswing_attest.errors import LimitError, PolicyRefused, PolicyUnavailable
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.policy.cel import condition
from glasswing_attest.policy.cel.condition import holds, read
from glasswing_attest.policy.cel.tree import NotRead
from glasswing_attest.policy.cel.values import NoValue
from tests.chains import trust_of
from tests.unit.policy.judging import MODEL, judged, policy, refused, said

TYPE = "https://example.com/evaluated/v1"
SAID: dict[str, Any] = {
    "value": 0.95,
    "exact": 1,
    "large": 9223372036854775807,
    "larger": 10**40,
    "text": "NaN",
    "infinite": "Infinity",
    "number": "12",
    "flag": True,
    "off": False,
    "nothing": None,
    "empty": {},
    "none": [],
    "items": [1, 2, 3],
    "mixed": [1, "a", None, True],
    "map": {"a": 1, "b.c": 2, "gone": None},
    "findings": [{"id": "X-1", "severity": "LOW"}, {"id": "X-2", "severity": "HIGH"}],
    "when": "2026-01-01T00:00:00Z",
    "uri": "https://github.com/acme/train",
}


def asking(where: str, **more: Any) -> Policy:
    return policy({"predicate": TYPE, "where": where, **more})


def value(text: str, /, **changes: Any) -> Any:
    verified = parse_json(json.dumps({**SAID, **changes}).encode())
    return holds(
        read(text), {"predicate": verified, "subject": [], "signer": {}}, budget=Budget(Limits(), "where_steps")
    )


TRUE = [
    "true",
    "predicate.value >= 0.95 && predicate.value < 0.950000000000001",
    "predicate.exact == 1.0 && predicate.exact < 1.5",
    "predicate.large == 9223372036854775807",
    'predicate.map["b.c"] == 2 && predicate.map.a == 1',
    "predicate.items[2] == 3 && size(predicate.items) == 3",
    "predicate.items.all(x, x > 0) && predicate.items.exists(x, x == 2) && predicate.items.exists_one(x, x > 2)",
    "predicate.items.map(x, x * x) == [1, 4, 9] && predicate.items.filter(x, x != 2) == [1, 3]",
    "predicate.items.map(x, x > 1, x + 1) == [3, 4]",
    "predicate.none.all(x, x == 1)",
    'predicate.map.exists(k, k == "b.c")',
    '"a" in predicate.map && 2 in predicate.items && "a" in predicate.mixed',
    'predicate.findings.exists(f, f.id == "X-2" && f.severity == "HIGH")',
    'predicate.uri.startsWith("https://") && predicate.uri.contains("acme") && predicate.uri.endsWith("train")',
    r'predicate.uri.matches("^https://github\\.com/acme/[a-z]+$")',
    'predicate.uri.matches("https://.*")',
    '!predicate.uri.matches("evil")',
    "int(predicate.number) == 12 && double(predicate.number) == 12.0 && string(12) == predicate.number",
    'timestamp(predicate.when) < timestamp("2026-01-01T01:00:00+00:30")',
    'timestamp("2026-01-02T00:00:00Z") - timestamp(predicate.when) == duration("24h")',
    'timestamp(predicate.when) + duration("1h30m") > timestamp("2026-01-01T01:00:00Z")',
    "predicate.flag ? true : predicate.absent",
    "predicate.absent || true",
    "true || predicate.absent",
    "!(predicate.absent && false)",
    "0.1 + 0.2 == 0.3",
    "7 / 2 == 3 && -7 / 2 == -3 && -7 % 2 == -1 && 7 % -2 == 1",
    "1u + 2u == 3u && 0x1F == 31",
    r"""'it\'s' == "it's" && r'\n' == "\\n" && '\u00e9' == 'é' && "\x41\101" == 'AA'""",
    "'''a\nb''' == 'a\\nb'",
    "size('😀') == 1",
    "dyn(predicate.exact) == 1",
    "[1, [2, {'a': 3}]] == [1, [2, {'a': 3}]]",
    "has(predicate.map.a)",
    ".predicate.flag",
    "predicate.items.all(x, .predicate.flag && x > 0)",
    'duration("1.5h") == duration("90m") && duration("-1h30m") < duration("0.001ms")',
    'timestamp("2026-01-01T00:00:00.123456000Z") < timestamp("2026-01-01T00:00:00.123457Z")',
    r"r'a\b' == 'a\\b'",
    'predicate.map.exists(k, k == "a" && predicate.map[k] == 1)',
    "predicate.flag // a comment",
]


@pytest.mark.parametrize("text", TRUE)
def test_what_holds(text: str) -> None:
    assert value(text) is True


NONE = {
    "!has(predicate.absent)": "there is no field absent",
    "has(predicate.absent) == false": "there is no field absent",
    "has(predicate.absent) ? false : true": "there is no field absent",
    "!has(predicate.nothing)": "there is no field nothing",
    "predicate.nothing == null": "there is no field nothing",
    "predicate.nothing != 1": "there is no field nothing",
    "!(predicate.absent == 1)": "there is no field absent",
    "predicate.absent != 1": "there is no field absent",
    '!("absent" in predicate.map)': "there is no field absent",
    '!("gone" in predicate.map)': "there is no field gone",
    '!(predicate["absent"] in [1])': "there is no field absent",
    "predicate.absent.all(x, true)": "there is no field absent",
    "!predicate.absent.exists(x, true)": "there is no field absent",
    "!predicate.text.exists(x, true)": "exists over a string",
    "predicate.items[3] != 7": "there is no such item",
    "predicate.items[-1] != 7": "there is no such item",
    "predicate.items[true] != 7": "there is no such item",
    "predicate.mixed[2] != 7": "the item is null",
    "predicate.flag == 1": "a bool is not compared with a number",
    "predicate.exact != true": "a number is not compared with a bool",
    '1 != "1"': "a number is not compared with a string",
    "!(predicate.text == 5)": "a string is not compared with a number",
    "predicate.text < 5": "a string has no order with a number",
    "!(predicate.flag < true)": "a bool has no order with a bool",
    "predicate.flag + 1 == 2": "a bool is no number",
    "predicate.exact": None,
    "!predicate.exact": "a number is neither true nor false",
    "predicate.exact && true": "a number is neither true nor false",
    "predicate.text ? true : true": "a string is neither true nor false",
    'predicate.items.filter(x, "yes") == []': "a string is neither true nor false",
    "predicate.items.exists_one(x, x)": "a number is neither true nor false",
    "!(double(predicate.text) < 0.9)": "double of this string",
    "double(predicate.infinite) >= 0.9": "double of this string",
    'double("1e400") > 0.0': "double of this string",
    'double("inf") > 0.0 || double("-inf") < 0.0': "double of this string",
    'double("٣") == 3.0': "double of this string",
    'int("1_000") == 1000': "int of this string",
    'int(" 1") == 1': "int of this string",
    'int("0x10") == 16': "int of this string",
    "int(1.5) == 1": "int of this number",
    "int(predicate.flag) == 1": "int of this bool",
    "string(predicate.value) == '0.95'": "string of this number",
    "1 / 0 != 5": "a division by zero",
    "1 % 0 != 5": "a division by zero",
    "!(1.0 / 0.0 < 0.9)": "the result is not exact",
    "!(0.0 / 0.0 < 0.9)": "the result is not exact",
    "1.0 / 3.0 < 1.0": "the result is not exact",
    "1.0 % 2.0 == 1.0": "decimals have no remainder",
    "1 + 1.0 == 2.0": "a number + a number",
    "predicate.large + 1 > 0": "the integer has more than 64 bits",
    "-(-predicate.large - 1) > 0": "the integer has more than 64 bits",
    "predicate.larger + 0 > 0": "the integer has more than 64 bits",
    "predicate.larger * predicate.larger > 0": "the integer has more than 64 bits",
    '"x" - "y" == ""': "a string - a string",
    'timestamp("2026") < timestamp("2027")': "timestamp of this string",
    'timestamp("2026-01-01 00:00:00Z") != timestamp(predicate.when)': "timestamp of this string",
    "timestamp(1) != timestamp(predicate.when)": "timestamp of this number",
    'timestamp("9999-12-31T23:59:59Z") + duration("24h") != timestamp(predicate.when)': "the years 1 to 9999",
    'duration("1") != duration("1s")': "duration of this string",
    'duration("0.0001ms") == duration("0s")': "duration of this string",
    'timestamp("2026-01-01T00:00:00.0000001Z") == timestamp(predicate.when)': "timestamp of this string",
    "size(predicate.map) == 3": "a member of the map is null",
    "predicate.map.size() > 2": "a member of the map is null",
    "predicate.map != {'a': 1, 'b.c': 2}": "a member of the map is null",
    "{'a': 1, 'b.c': 2} != predicate.map": "a member of the map is null",
    'predicate.map.exists(k, k == "gone")': "there is no field gone",
    'predicate.map.all(k, k != "x")': "there is no field gone",
    "predicate.map.map(k, k) != []": "there is no field gone",
    'predicate.uri.matches("acme")': "only a part of the text matches",
    '!predicate.uri.matches("acme")': "only a part of the text matches",
    'predicate.uri.matches("^https://evil|acme/train$")': "only a part of the text matches",
    "predicate.exact.matches('1')": "matches of a number",
    "predicate.items.startsWith('1')": "startsWith of a list",
    "{'a': 1, 'a': 2}.a == 1": "distinct texts",
    "{1: 2}[1] == 2": "distinct texts",
    "predicate.map[1] != 5": "a number names no field",
    "predicate.text.x != 5": "a string has no field x",
    "predicate.mixed == [1, 'a', 2, true]": "a null is not compared with a number",
    "[1, true] != [true, 2]": "is not compared with a",
    "5 in predicate.mixed": "is not compared with a",
    "!(5 in predicate.mixed)": "is not compared with a",
    "!(5 in predicate.text)": "nothing is in a string",
    "signer.issuer != 'evil'": "there is no field issuer",
    "size(predicate.exact) == 1": "size of this number",
}


@pytest.mark.parametrize("text", NONE)
def test_what_has_no_value_and_so_satisfies_nothing(text: str) -> None:
    because = NONE[text]
    if because is None:
        assert value(text) is not True
    else:
        with pytest.raises(NoValue) as caught:
            value(text)
        assert because in str(caught.value)
    found = refused(said(TYPE, SAID), asking(text))
    assert (found.code, found.rule, found.wanted) == ("policy.where", "nodes.model.where", text)


def test_other_values_do_not_satisfy() -> None:
    for text, told in (
        ("predicate.exact", "1, which is neither true nor false"),
        ('"true"', "true, which is neither true nor false"),
        ("[true]", "[True], which is neither true nor false"),
        ("null", "None, which is neither true nor false"),
        ("predicate.off", "false"),
    ):
        assert refused(said(TYPE, SAID), asking(text)).found == told


REFUSED = {
    "predicat.value == 1": "there is no predicat: one of predicate, subject, signer, at line 1, column 1",
    "true &&\n  predicat.x": "there is no predicat: one of predicate, subject, signer, at line 2, column 3",
    "predicate.items.all(x, y > 0)": "there is no y",
    "x > 0": "there is no x",
    "predicate.items.all(x, .x > 0)": "there is no x",
    "predicate.items.all([x], x > 0)": "a name of its own",
    r"""predicate.uri != r'\'' || predicate.uri == 'x'""": "in a raw text",
    "predicate.items.all(predicate, true)": "a name of its own",
    "predicate.items.all(x.y, true)": "a name of its own",
    "predicate.items.all(x)": "all takes a variable and an expression",
    "predicate.items.reduce(r, i, 0, r + i)": "there is no method reduce",
    "predicate.items.min()": "there is no method min",
    "predicate.when.getFullYear()": "there is no method getFullYear",
    "now() > timestamp(predicate.when)": "there is no function now",
    "type(predicate.x) == int": "there is no function type",
    "bool('true')": "there is no function bool",
    "size()": "size takes one argument",
    "size(predicate.x, 1)": "size takes one argument",
    "predicate.uri.startsWith()": "startsWith takes 1 arguments",
    "has(predicate)": "has takes a field",
    "has(predicate['x'])": "has takes a field",
    "predicate.uri.matches(predicate.text)": "what to match is written out",
    'predicate.uri.matches("(")': "( is no pattern",
    r'predicate.uri.matches("(?=x)")': "is no pattern",
    r'predicate.uri.matches("(a)\\1")': "is no pattern",
    "b'bytes' == b''": "is not read here",
    "predicate.x{y: 1}": "messages are not read here",
    '"unterminated': "it is no CEL",
    "1 = 1": "it is no CEL",
    "": "a text that is not empty",
    r'"\q" == ""': "there is no escape",
    r'"\ud800" == ""': "half a character",
    "9223372036854775808 > 0": "an integer has 64 bits",
    "1e999 > 0.0": "is not read here",
    "(" * 100 + "true" + ")" * 100: "nested too deeply",
    "-" * 200 + "1 == 1": "nested too deeply",
    "predicate" + ".a" * 200 + " == 1": "nested too deeply",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_when_the_policy_is_read(text: str) -> None:
    with pytest.raises(PolicyRefused) as caught:
        asking(text)
    assert caught.value.code == "malformed.policy"
    assert caught.value.where == "Policy: nodes.model.require[0].where"
    assert REFUSED[text] in str(caught.value)


def test_a_long_condition_is_not_deep() -> None:
    assert value(" || ".join(["predicate.absent"] * 400 + ["true"])) is True
    assert value(" && ".join(["predicate.flag"] * 400)) is True


def test_it_is_read_once() -> None:
    text = "predicate.value > 0.5"
    assert read(text) is read(text)


# --- what it sees ----------------------------------------------------------------------------------------------------


def test_it_sees_the_signer_and_the_subjects() -> None:
    seen = "signer.names == ['signer'] && size(signer.fingerprint) == 64"
    seen += " && subject[0].name == 'm.bin' && size(subject[0].digest.sha256) == 64"
    assert judged(said(TYPE, SAID), asking(seen)).accepted
    assert not judged(said(TYPE, SAID), asking("has(signer.issuer)")).accepted


def test_what_nobody_signed_for_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_args: object, **_more: object) -> object:
        raise AssertionError("a condition was asked of what another rule refuses")

    monkeypatch.setattr("glasswing_attest.policy.rules.where.holds", never)
    found = refused(said(TYPE, SAID, by="other"), asking("true"))
    assert found.code == "policy.signed-by"


# --- how much work ---------------------------------------------------------------------------------------------------


def test_a_condition_that_takes_too_long_does_not_hold() -> None:
    long = said(TYPE, {"n": list(range(30_000))})
    nested = asking("predicate.n.all(x, predicate.n.exists(y, x == y))")
    began = time.monotonic()
    found = refused(long, nested)
    assert time.monotonic() - began < 20
    assert found.code == "policy.where"
    assert found.found.startswith("no value: it takes more than 1000000 steps")
    assert judged(long, asking("predicate.n.all(x, x >= 0)")).accepted


@pytest.mark.parametrize(
    "text",
    [
        "predicate.n.map(x, predicate.n + predicate.n).size() > 0",
        "predicate.n.map(x, predicate.n == predicate.n).size() > 0",
        "predicate.n.map(x, predicate.text + predicate.text).size() > 0",
        "predicate.n.map(x, predicate.n.map(y, predicate.n.map(z, 1))).size() > 0",
        "predicate.n.all(x, predicate.n.exists(y, true)) && predicate.n.all(x, !predicate.text.contains('b'))",
    ],
)
def test_no_way_of_working_is_free(text: str) -> None:
    about: dict[str, Any] = {"predicate": {"n": list(range(20_000)), "text": "a" * 100_000}}
    began = time.monotonic()
    with pytest.raises(LimitError):
        holds(read(text), about, budget=Budget(Limits(where_steps=100_000), "where_steps"))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("text", ["9h" * 1_000_000, "1ms" * 500_000 + "x", "999999999h" * 30, "-" + "999999999h" * 24])
def test_a_duration_is_neither_long_nor_without_end(text: str) -> None:
    found = refused(said(TYPE, {"d": text}), asking('duration(predicate.d) > duration("1s")'))
    assert (found.code, found.found) == ("policy.where", "no value: duration of this string")


def test_a_time_is_exact_whatever_the_callers_decimals_are() -> None:
    with decimal.localcontext(prec=3):
        assert value('duration("12345678s") < duration("12345679s")') is True


@pytest.mark.parametrize(
    "text",
    [
        "predicate.n.all(x, predicate.long[predicate.name] == 1 || true)",
        "predicate.n.all(x, predicate.long < predicate.longer)",
        'predicate.n.all(x, predicate.long.matches("^b$") || true)',
        "predicate.n.all(x, duration(predicate.long) == duration(predicate.long) || true)",
        "predicate.n.all(x, size(predicate.map) > 1)",
    ],
)
def test_what_is_long_is_not_gone_through_for_nothing(text: str) -> None:
    long = "1h" * 500_000
    many = {str(n): n for n in range(100_000)}
    about: dict[str, Any] = {"n": list(range(5000)), "long": long, "longer": f"{long}x", "name": long, "map": many}
    began = time.monotonic()
    with pytest.raises(LimitError):
        holds(read(text), {"predicate": about}, budget=Budget(Limits(where_steps=20_000), "where_steps"))
    assert time.monotonic() - began < 3


def test_all_conditions_together_are_bounded() -> None:
    """Whoever may make a builder sign much for one thing decides how much there is to do."""
    limits = Limits(where_steps=1000, where_steps_in_all=3000)
    many = [said(TYPE, {"n": list(range(400)), "number": number}) for number in range(4)]
    verifier = Verifier(
        policy=asking("predicate.n.all(x, x >= 0) && predicate.number < 0"),
        trust=trust_of("signer", "other"),
        predicates=(opaque(TYPE),),
        limits=limits,
    )
    assert verifier.assess(MODEL, many[:1]).verdict == "refused"
    for pile in (many, many[::-1]):
        report = verifier.assess(MODEL, pile)
        assert (report.verdict, report.cause and report.cause.code) == ("undecided", "limit")


def test_no_pattern_takes_for_ever() -> None:
    began = time.monotonic()
    assert value('predicate.text.matches("(a+)+$")', text="a" * 50_000 + "b") is False
    assert time.monotonic() - began < 5


# --- without the extra -----------------------------------------------------------------------------------------------


def test_without_the_extra_a_policy_is_read_and_verifies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "find_spec", lambda _name: None)
    rule = policy({"predicate": "model", "where": "this is no condition at all"})
    with pytest.raises(PolicyUnavailable) as caught:
        Verifier(policy=rule, trust=trust_of("signer", "other"))
    assert caught.value.code == "unavailable.policy"
    assert caught.value.where == "nodes.model.require[0].where"
    assert "glasswing-attest[cel]" in caught.value.do


def test_without_conditions_nothing_is_loaded_for_them() -> None:
    program = """
        import sys
        from glasswing_attest import Policy
        policy = {"version": 1, "identities": {"a": {"key": "a"}},
                  "nodes": {"model": {"require": [{"predicate": "model", "signed_by": {"any_of": ["a"]}}]}}}
        Policy(**policy)
        print([name for name in ("celpy", "lark", "re2", "pendulum") if name in sys.modules])
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_reading_conditions_changes_nothing_of_the_process() -> None:
    limit = sys.getrecursionlimit()
    read("predicate.q == 1")
    assert sys.getrecursionlimit() == limit


def test_an_expression_that_was_not_read_is_no_expression() -> None:
    with pytest.raises(NotRead):
        read("predicate.x ==")
