"""Is a value cut out of a text exactly as it stands there?"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest.errors import DuplicateKey, FieldMissing, FieldRefused, GlasswingError, LimitError, NotJson
from glasswing_attest.formats.exact import Exact
from glasswing_attest.limits import Limits

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
SPACES = st.sampled_from(["", " ", "\n", "\t \r\n"])


def test_what_a_number_or_a_string_looked_like_stays() -> None:
    text = b'\n{ "a" : [ 1.50e0 , "\\u00e9/\\/" ,{"n":18446744073709551617, "n2": null}] , "b":"\xc3\xa9" }\n'
    read = Exact.read(text)
    assert read.data == text.strip()
    items = read.need("a").array()
    assert [item.data for item in items] == [b"1.50e0", b'"\\u00e9/\\/"', b'{"n":18446744073709551617, "n2": null}']
    assert items[2].need("n").data == b"18446744073709551617"
    assert items[2].need("n").path == "$.a[2].n"
    assert read.need("b").data == b'"\xc3\xa9"'
    assert items[2].get("n2") is None
    assert read.get("c") is None
    assert Exact.read(b"[]").array() == []


@given(value=JSON, between=SPACES, after=SPACES, indent=st.sampled_from([None, 0, 2]), escaped=st.booleans())
def test_every_value_is_found_where_it_stands(
    value: Any, between: str, after: str, indent: int | None, escaped: bool
) -> None:
    inner = json.dumps(value, indent=indent, ensure_ascii=escaped).encode()
    space = between.encode()
    text = b'{%b"x"%b:%b[%b%b,%b%b]%b,"y":{}}%b' % (
        space,
        space,
        space,
        inner,
        space,
        space,
        inner,
        space,
        after.encode(),
    )
    first, second = Exact.read(text).need("x").array()
    assert first.data == second.data == inner
    assert first.node.value == json.loads(inner)


@pytest.mark.parametrize(
    ("text", "error", "where"),
    [
        (b'{"a": 1, "a": 2}', DuplicateKey, "$.a"),
        (b'{"a": 1} x', NotJson, "$"),
        (b"\xef\xbb\xbf{}", NotJson, "$"),
        (b"{}", FieldMissing, "$.x"),
        (b'{"x": null}', FieldMissing, "$.x"),
        (b'{"x": 1}', FieldRefused, "$.x"),
        (b'{"x": []}', FieldMissing, "$.x"),
        (b"[]", FieldRefused, "$"),
    ],
)
def test_what_cannot_be_read_is_refused(text: bytes, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        Exact.read(text).need_array("x")
    assert type(refused.value) is error
    assert refused.value.where == where


def test_it_is_bounded() -> None:
    with pytest.raises(LimitError) as refused:
        Exact.read(b"[" * 65 + b"]" * 65)
    assert "json_depth" in str(refused.value.wanted)
    with pytest.raises(LimitError):
        Exact.read(b"[1, 2]", limits=Limits(evidence_bytes=5))
