"""Does a path mean one value only, and are two values the same only where they are the same JSON?"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest.policy.durations import duration, in_words
from glasswing_attest.policy.paths import begins, is_empty, leaves, parse_path, same_value, value_at, write_path

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.decimals(allow_nan=False))
VALUES: Any = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
)
PATHS = st.lists(st.one_of(st.text(), st.integers(0, 10**9 - 1)), min_size=1, max_size=5).map(tuple)


@given(PATHS)
def test_what_is_written_is_read_as_the_same_path(path: tuple[str | int, ...]) -> None:
    assert parse_path(write_path(path)) == path


@given(st.text(alphabet="ab.[]'\"0\\ ", max_size=12))
def test_a_text_is_a_path_or_refused(text: str) -> None:
    try:
        path = parse_path(text)
    except ValueError as e:
        assert "names with dots between them" in str(e)  # noqa: PT017  # either is right
    else:
        assert parse_path(write_path(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b-c.d_1", ("a", "b-c", "d_1")),
        ("a['b.c']", ("a", "b.c")),
        ('["it\'s"].x', ("it's", "x")),
        (r"a['it\'s']", ("a", "it's")),
        ("a[0][12]", ("a", 0, 12)),
        ("a['0']", ("a", "0")),
    ],
)
def test_paths(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".a",
        "a.",
        "a..b",
        "a b",
        "a[",
        "a[]",
        "a[-1]",
        "a[01]",
        "a.[0]",
        "a['b]",
        "a['b'",
        "a.0",
        "0",
        "a[1.0]",
        "a[b]",
        r"a['\q']",
        r"a['\400']",
        r"a['\N{DIGIT ONE}']",
        "a['x\ny']",
    ],
)
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="names with dots between them"):
        parse_path(text)


def test_a_name_with_a_dot_is_no_step() -> None:
    value: Any = {"a.b": 1, "a": {"b": 2}}
    assert value_at(value, parse_path("['a.b']")) == 1
    assert value_at(value, parse_path("a.b")) == 2


@pytest.mark.parametrize("path", ["a.x", "a[0]", "b.c", "b[2]", "b['0']", "n.x", "t[0]"])
def test_what_is_not_there_is_nothing(path: str) -> None:
    assert value_at({"a": {"k": 1}, "b": [1, 2], "n": None, "t": "text"}, parse_path(path)) is None


DIFFERENT: list[tuple[Any, Any]] = [
    (True, 1),
    (False, 0),
    (1, "1"),
    (1, Decimal("1.0")),
    ("true", True),
    ([1], 1),
    ([1, 2], [2, 1]),
    ([None], [None, None]),
    ({"a": [True]}, {"a": [1]}),
    ({"a": {"b": 1}}, {"a": {"b": Decimal(1)}}),
    ({"a": 1}, {"a": 1, "b": 2}),
    ("a", "A"),
    ("é", "e\u0301"),
    (2**64, 2**64 + 1),
    (None, None),
    ("", ""),
    ([], []),
    ({}, {}),
    ({"a": None}, {"a": None}),
    (None, ""),
]


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_values_that_are_not_the_same(a: Any, b: Any) -> None:
    assert not same_value(a, b)
    assert not same_value(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Decimal("1.0"), Decimal("1.00")),
        ({"a": 1, "b": None, "c": {"d": ""}}, {"a": 1}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([""], [""]),
        (10**30, 10**30),
    ],
)
def test_values_that_are_the_same(a: Any, b: Any) -> None:
    assert same_value(a, b)


@given(VALUES)
def test_every_value_that_is_set_is_the_same_as_itself(value: Any) -> None:
    members = value.values() if isinstance(value, dict) else []
    unset = is_empty(value) or (isinstance(value, dict) and not any(same_value(m, m) for m in members))
    assert same_value(value, value) is not unset


@given(VALUES)
def test_every_leaf_stands_where_its_path_says(value: Any) -> None:
    for path, leaf in leaves(value):
        found = value_at(value, path)
        assert found is leaf or found == leaf
        assert begins(path, path[:1])


def test_what_is_empty_in_a_list_is_a_leaf_and_nowhere_else() -> None:
    assert list(leaves({"a": ["", None, {}, []], "b": "", "c": {}, "d": None})) == [
        (("a", 0), ""),
        (("a", 1), None),
        (("a", 2), {}),
        (("a", 3), []),
    ]


@pytest.mark.parametrize(
    "text", ["", "30", "d", "0d", "-1d", "1.5h", "30 d", "30D", "1y", "+1d", "٣d", "99999999999s", "36526d"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"a positive integer|a hundred years"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("90m", 5400), ("12h", 43200), ("30d", 2592000), ("1w", 604800)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


def test_a_duration_in_words() -> None:
    assert [in_words(duration(text)) for text in ("1s", "90m", "25h", "1w")] == ["1s", "1h 30m", "1d 1h", "7d"]
