"""Are foreign bytes read as what they are, or refused with the place at which they are not?"""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest

from glasswing_attest._proto.manifest_pb2 import Manifest as ManifestMessage
from glasswing_attest._wire import (
    Node,
    canonical_json,
    decode_base64,
    decode_utf8,
    encode_base64,
    format_time,
    parse_json,
    parse_proto,
    parse_time,
    read_json,
)
from glasswing_attest.errors import (
    Base64Refused,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotJson,
    NotProtobuf,
    NotUtf8,
    NumberRefused,
)
from glasswing_attest.limits import Limits

# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("true", True),
        ("0", 0),
        ("-0", 0),
        ("9007199254740993", 9007199254740993),
        ("1" + "0" * 399, 10**399),
        ("0.1", Decimal("0.1")),
        ("1e400", Decimal("1e400")),
        ("-2.50E-3", Decimal("-0.00250")),
        ('"\\u00e9\\ud83d\\ude00"', "é😀"),
        ('  {"a" : [1, {"b": ""}]}\n', {"a": [1, {"b": ""}]}),
        ("[]", []),
    ],
)
def test_what_json_says_is_what_is_read(text: str, value: Any) -> None:
    found = parse_json(text.encode())
    assert found == value
    assert type(found) is type(value)


def test_numbers_are_exact() -> None:
    found = parse_json(b"[0.30000000000000004, 2.50, 123456789012345678901234567890.5]")
    assert [str(n) for n in found] == [  # type: ignore[union-attr]
        "0.30000000000000004",
        "2.50",
        "123456789012345678901234567890.5",
    ]


@pytest.mark.parametrize(
    ("text", "error", "where"),
    [
        ("", NotJson, "$"),
        ("{", NotJson, "$"),
        ("{}{}", NotJson, "$"),
        ("{} x", NotJson, "$"),
        ("{'a': 1}", NotJson, "$"),
        ("[1,]", NotJson, "$"),
        ("// a\n{}", NotJson, "$"),
        ("01", NotJson, "$"),
        ("+1", NotJson, "$"),
        (".5", NotJson, "$"),
        ('"a\nb"', NotJson, "$"),
        ('"\\x41"', NotJson, "$"),
        ("\ufeff{}", NotJson, "$"),
        ("NaN", NumberRefused, "$"),
        ('{"a": [0, Infinity]}', NumberRefused, "$.a[1]"),
        ('{"a": -Infinity}', NumberRefused, "$.a"),
        ('{"a-b": NaN}', NumberRefused, "$['a-b']"),
        ("[1e401]", NumberRefused, "$[0]"),
        ("[1e-401]", NumberRefused, "$[0]"),
        ("[0e401]", NumberRefused, "$[0]"),
        # Decimal itself refuses these with an error of its own.
        ("[1e99999999999999999999]", NumberRefused, "$[0]"),
        ('{"n": -1.5E-99999999999999999999}', NumberRefused, "$.n"),
        ('{"n": ' + "1" * 401 + "}", NumberRefused, "$.n"),
        ('{"n": 0.' + "1" * 400 + "}", NumberRefused, "$.n"),
        ('{"a": 1, "a": 1}', DuplicateKey, "$.a"),
        ('{"x": [{"y": {"k": 1, "l": 2, "k": 3}}]}', DuplicateKey, "$.x[0].y.k"),
        ('{"\\u0061": 1, "a": 2}', DuplicateKey, "$.a"),
        ('{"": 1, "": 2}', DuplicateKey, "$['']"),
        ('{"a": {"b": 1, "b": 2}, "a": 3}', DuplicateKey, "$.a"),
        ('"\\ud800"', NotUtf8, "$"),
        ('["\\ude00\\ud83d"]', NotUtf8, "$[0]"),
        ('{"a": {"\\udfff": 1}}', NotUtf8, "$.a"),
    ],
)
def test_what_readers_would_read_differently_is_refused(text: str, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        parse_json(text.encode())
    assert refused.value.where == where


@pytest.mark.parametrize("data", [b'"\xff"', b"\xff\xfe{\x00}\x00", b'"\xc0\x80"', b'"\xed\xa0\x80"'])
def test_what_is_not_utf8_is_refused_with_its_offset(data: bytes) -> None:
    with pytest.raises(NotUtf8) as refused:
        parse_json(data, where="bundle", kind="trust")
    assert (refused.value.where, refused.value.kind) == ("bundle", "trust")
    assert "offset" in str(refused.value.found)


def test_the_decimal_context_of_the_caller_changes_nothing() -> None:
    # A context without traps turns what it cannot read into NaN instead of raising.
    with localcontext(Context(prec=3, traps=[])):
        assert parse_json(b"1.23456") == Decimal("1.23456")
        with pytest.raises(NumberRefused):
            parse_json(b"1e99999999999999999999")


def _nested(depth: int, inner: bytes = b"") -> bytes:
    return b"[" * depth + inner + b"]" * depth


@pytest.mark.parametrize("inner", [b"", b"1", b'"[{"'])
def test_the_depth_is_bounded(inner: bytes) -> None:
    parse_json(_nested(64, inner))
    for depth in (65, 66, 500, 100_000):
        with pytest.raises(LimitError) as refused:
            parse_json(_nested(depth, inner))
        assert "json_depth" in str(refused.value.wanted)
    limits = Limits(json_depth=2)
    assert parse_json(b'{"a": {"b": 1}}', limits=limits)
    with pytest.raises(LimitError) as refused:
        parse_json(b'{"a": {"b": {}}}', limits=limits)
    assert refused.value.where == "$.a.b"


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(parse_json(b"[" + b"[]," * 999 + b"[]]")) == 1000  # type: ignore[arg-type]


def test_the_size_and_the_number_of_values_are_bounded() -> None:
    with pytest.raises(LimitError) as refused:
        parse_json(b'"' + b"a" * 100 + b'"', limits=Limits(statement_bytes=100))
    assert (refused.value.found, refused.value.wanted) == (102, "at most 100 (statement_bytes)")
    with pytest.raises(LimitError) as refused:
        parse_json(b"[1,2,3,4]", limits=Limits(json_values=4))
    assert "json_values" in str(refused.value.wanted)
    assert parse_json(b"[1,2,3]", limits=Limits(json_values=5)) == [1, 2, 3]
    with pytest.raises(LimitError):
        parse_json(b"{}" + b" " * 10, limits=Limits(bundle_bytes=11), bound="bundle_bytes")


def test_cve_2024_29902_a_long_key_costs_its_length_once() -> None:
    # Writing a path for every value would copy the key for each: 1 MB in would be gigabytes in memory.
    items = b"0," * 200_000 + b"0"
    deep = _nested(40) + b"," + _nested(40)
    data = b'{"%b": [%b], "b": [%b], "c": "\\u00e9"}' % (b"k" * 1_000_000, items, deep)
    start = time.perf_counter()
    assert len(parse_json(data)) == 3  # type: ignore[arg-type]
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("data", [b"[" * 4_000_000, b'{"a":' * 700_000, b"-" * 4_000_000, b'"' + b"\\u0000" * 600_000])
def test_cve_2025_66506_hostile_text_ends_soon(data: bytes) -> None:
    start = time.perf_counter()
    with pytest.raises((LimitError, NotJson)):
        parse_json(data)
    assert time.perf_counter() - start < 2


def test_not_json_says_where() -> None:
    with pytest.raises(NotJson) as refused:
        parse_json(b'{\n "a": tru\n}', where="x.json")
    assert "line 2, column 7" in str(refused.value)
    assert refused.value.found is None


@pytest.mark.parametrize("where", ["-----BEGIN PRIVATE KEY-----\nMC4CAQ", "  -----BEGIN X", "hunter2", "1 hunter2", ""])
def test_not_json_shows_nothing_of_what_may_be_a_secret(where: str) -> None:
    with pytest.raises(NotJson) as refused:
        parse_json(where.encode())
    hints = {"-": "text that begins with -----BEGIN", "": "nothing"}
    assert refused.value.found == hints.get(where.strip()[:1])
    for shown in (str(refused.value), str(refused.value.to_dict())):
        assert not any(secret in shown for secret in ("PRIVATE", "MC4CAQ", "hunter2"))


# --- nodes -----------------------------------------------------------------------------------------------------------

NODE = read_json(b"""{
    "text": "t", "yes": true, "n": 7, "big": "18446744073709551615", "null": null, "list": [1, {"k": "v"}],
    "sub": {"k": "v"}, "data": "aGk", "time": "2026-01-02T03:04:05Z", "a b": {"c": 1}, "half": 0.5
}""")


def test_a_node_gives_what_is_there() -> None:
    assert NODE.need("text").text() == "t"
    assert NODE.need("yes").boolean() is True
    assert NODE.need("n").uint64() == 7
    assert NODE.need("big").uint64() == 2**64 - 1
    assert NODE.need("data").bytes() == b"hi"
    assert NODE.need("time").time() == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [n.path for n in NODE.need("list").array()] == ["$.list[0]", "$.list[1]"]
    assert NODE.need("list").array()[1].need("k").path == "$.list[1].k"
    assert {name: node.path for name, node in NODE.need("sub").members()} == {"k": "$.sub.k"}
    assert NODE.need("a b").need("c").path == "$['a b'].c"
    assert NODE.need("text").one_of({"t": 1, "u": 2}) == 1
    assert NODE.get_text("text") == "t"


@pytest.mark.parametrize("name", ["null", "absent"])
def test_null_and_absent_are_the_same(name: str) -> None:
    assert NODE.get(name) is None
    assert NODE.get_array(name) == []
    assert NODE.get_text(name, "default") == "default"
    with pytest.raises(FieldMissing) as missing:
        NODE.need(name)
    assert missing.value.where == f"$.{name}"


@pytest.mark.parametrize(
    ("name", "accessor", "found"),
    [
        ("n", "text", "an integer"),
        ("text", "object", "a string"),
        ("text", "array", "a string"),
        ("n", "boolean", "an integer"),
        ("yes", "text", "a boolean"),
        ("half", "text", "a number"),
        ("list", "object", "an array"),
        ("sub", "array", "an object"),
        ("yes", "uint64", True),
        ("half", "uint64", Decimal("0.5")),
        ("text", "uint64", "t"),
        ("n", "bytes", "an integer"),
        ("n", "time", "an integer"),
        ("text", "time", "t"),
    ],
)
def test_a_node_of_another_kind_is_refused(name: str, accessor: str, found: object) -> None:
    with pytest.raises(FieldRefused) as refused:
        getattr(NODE.need(name), accessor)()
    assert refused.value.where == f"$.{name}"
    assert refused.value.found == found


def test_a_refusal_within_a_node_says_where() -> None:
    node = read_json(b'{"a": [{"b": "aGl=", "t": "noon", "m": {"k": "v", "a b": 1}, "n": "x"}]}').need("a").array()[0]
    calls: list[tuple[Callable[[], object], type[GlasswingError], str]] = [
        (lambda: node.need("b").bytes(), Base64Refused, "$.a[0].b"),
        (lambda: node.need("t").time(), FieldRefused, "$.a[0].t"),
        (lambda: node.get_text("m"), FieldRefused, "$.a[0].m"),
        (lambda: node.need("n").get_text("x"), FieldRefused, "$.a[0].n"),
        (lambda: node.need("n").get("x"), FieldRefused, "$.a[0].n"),
        (lambda: list(node.need("m").texts()), FieldRefused, "$.a[0].m['a b']"),
        (lambda: list(node.need("n").texts()), FieldRefused, "$.a[0].n"),
        (lambda: node.within(Limits(digests=1), "digests", 2), LimitError, "$.a[0]"),
        (lambda: node.within(Limits(digests=1), "digests", 2, step="m"), LimitError, "$.a[0].m"),
    ]
    for call, error, where in calls:
        with pytest.raises(error) as refused:
            call()
        assert (refused.value.code, refused.value.where) == (error.code, where)
    assert node.within(Limits(digests=2), "digests", 2) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        '"-1"',
        '"01"',
        '"1e3"',
        "1.0",
        '" 1"',
        '"+1"',
        "18446744073709551616",
        '"18446744073709551616"',
        '"١"',
        '""',
    ],
)
def test_a_64_bit_number_has_one_spelling(text: str) -> None:
    with pytest.raises(FieldRefused):
        read_json(text.encode()).uint64()


def test_a_refusal_carries_the_kind_of_its_input() -> None:
    node = read_json(b'{"a": [{"b": 1}]}', where="trust.yaml", kind="trust")
    with pytest.raises(FieldRefused) as refused:
        node.need("a").array()[0].need("b").text()
    assert (refused.value.kind, refused.value.where) == ("trust", "trust.yaml.a[0].b")
    with pytest.raises(FieldRefused) as refused:
        Node("x").one_of({"PASSED": 1})
    assert refused.value.wanted == "one of PASSED"


# --- canonical JSON --------------------------------------------------------------------------------------------------


def test_the_canonical_form_sorts_by_utf16() -> None:
    # RFC 8785, 3.2.3: the euro sign sorts before the emoji in UTF-16, and after it nowhere.
    assert canonical_json({"\U0001f600": 1, "\ufb33": 2, "é": 3}) == '{"é":3,"\U0001f600":1,"\ufb33":2}'.encode()
    assert canonical_json([2**53 - 1, -(2**53) + 1, 1.0, '\u0000"\\/']) == (
        b'[9007199254740991,-9007199254740991,1,"\\u0000\\"\\\\/"]'
    )


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": [1, 2**53]}, "$.a[1]"),
        ({"a": -(2**53)}, "$.a"),
        ({"a": 10**5000}, "$.a"),
        ({"a": {"b c": math.nan}}, "$.a['b c']"),
        ([math.inf], "$[0]"),
        ({"a": b"bytes"}, "$.a"),
        ({"a": [Decimal("0.12345678901234567890")]}, "$.a[0]"),
        ({"a": Decimal("1e400")}, "$.a"),
        ({"a": Decimal(2**53)}, "$.a"),
        ({"a": Decimal("NaN")}, "$.a"),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, "$.a"),
        ({"a": {1: 2}}, "$.a"),
        ({"a": {1, 2}}, "$.a"),
    ],
)
def test_what_json_cannot_say_is_refused_with_its_path(value: Any, where: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        canonical_json(value)
    assert refused.value.where == where
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"\udfff": 1}])
def test_half_a_character_is_refused(value: Any) -> None:
    with pytest.raises((NotUtf8, FieldRefused)) as refused:
        canonical_json(value)
    assert refused.value.code.startswith("malformed.")


def test_a_value_that_holds_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(FieldRefused) as refused:
        canonical_json(value)
    assert "nested" in str(refused.value)


# --- base64 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("aGk=", b"hi"),
        ("aGk", b"hi"),
        ("aA==", b"h"),
        ("aA", b"h"),
        ("aGlp", b"hii"),
        ("+/+/", b"\xfb\xff\xbf"),
        ("-_-_", b"\xfb\xff\xbf"),  # DSSE and proto3 JSON allow the URL-safe alphabet
        ("_w", b"\xff"),
        ("_w==", b"\xff"),
    ],
)
def test_either_alphabet_with_or_without_padding(text: str, data: bytes) -> None:
    assert decode_base64(text) == data


@pytest.mark.parametrize(
    "text",
    [
        "aGk=\n",
        "aG k=",
        " aGk=",
        "aGk*",
        "a!Gk=",  # Python's lax decoder drops what it does not know
        "aGl=",  # non-canonical: the last character has bits that stand for nothing
        "aH==",
        "_x==",
        "aGk==",
        "aA=",
        "aA===",
        "=",
        "====",
        "aGk=aGk=",
        "a",
        "aaaaa",
        "+_+_",
        "é",
        "aGk\x00",
        "ａGk=",
    ],
)
def test_base64_that_does_not_re_encode_is_refused(text: str) -> None:
    with pytest.raises(Base64Refused) as refused:
        decode_base64(text, where="$.sig", kind="trust")
    assert (refused.value.where, refused.value.kind) == ("$.sig", "trust")


def test_one_byte_string_has_one_text() -> None:
    # Of the 64 * 64 endings of one byte with full padding, 256 decode: one for each byte.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    decoded = []
    for first in alphabet:
        for second in alphabet:
            try:
                decoded.append(decode_base64(f"{first}{second}=="))
            except Base64Refused:
                continue
    assert sorted(decoded) == [bytes([n]) for n in range(256)]
    assert all(decode_base64(encode_base64(d)) == d for d in decoded)


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1Z", datetime(2026, 1, 2, 3, 4, 5, 100_000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123_456, tzinfo=UTC)),
        ("2026-01-02T03:04:05-05:30", datetime(2026, 1, 2, 8, 34, 5, tzinfo=UTC)),
        ("2024-02-29T00:00:00+00:00", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_to_utc(text: str, time: datetime) -> None:
    assert parse_time(text) == time
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04Z",
        "2026-02-30T00:00:00Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T23:59:60Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05.1234567890Z",
        "2026-01-02T03:04:05+25:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00Z",
        "2026-01-02T03:04:05Z\n",
        "٢٠٢٦-01-02T03:04:05Z",
        "20260102T030405Z",
        "",
    ],
)
def test_what_is_not_rfc_3339_is_refused(text: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        parse_time(text, where="$.t", kind="policy")
    assert (refused.value.where, refused.value.kind) == ("$.t", "policy")


def test_a_time_is_written_in_utc() -> None:
    assert format_time(datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T22:00:00Z"
    assert format_time(datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)) == "2026-01-02T03:04:05.000600Z"


# --- the rest --------------------------------------------------------------------------------------------------------


def test_protobuf_that_does_not_decode_is_refused() -> None:
    for data in (b"\xff", b"\x0a\xff", b"\x0a\x02\xc0\x80"):
        with pytest.raises(NotProtobuf) as refused:
            parse_proto(ManifestMessage, data, where="m")
        assert (refused.value.where, refused.value.wanted) == ("m", "glasswing.attest.v1.Manifest")
    with pytest.raises(LimitError):
        parse_proto(ManifestMessage, b"\x0a\x01a", limits=Limits(record_bytes=2))
    assert parse_proto(ManifestMessage, b"\x0a\x01a").kind == "a"


def test_text_says_where_it_is_not_utf8() -> None:
    assert decode_utf8("é".encode()) == "é"
    with pytest.raises(NotUtf8) as refused:
        decode_utf8(b"ab\xff")
    assert refused.value.found == "the byte at offset 2"
