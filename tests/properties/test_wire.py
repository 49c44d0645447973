"""What is written is read back as it was, and what is read is what any other strict reader finds."""

import base64
import binascii
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glasswing_attest._wire import (
    canonical_json,
    decode_base64,
    encode_base64,
    format_time,
    parse_json,
    parse_time,
    read_json,
)
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import Base64Refused, DuplicateKey, GlasswingError, MalformedError
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement

SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
# RFC 8785 writes a double of 2^53 to 10^21 in its shortest digits and without an exponent: 2.0**60 becomes
# 1152921504606847000, which an exact reader takes for that very integer. The standard wants it so.
FINITE = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) < 2**53 or abs(x) >= 10**21)
LEAVES = st.none() | st.booleans() | SAFE | FINITE | st.text(max_size=20)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
EXACT = st.recursive(
    st.none() | st.booleans() | SAFE | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
ANNOTATIONS = st.dictionaries(st.text(max_size=8), EXACT.filter(lambda v: v is not None), max_size=3)


def plain(value: Any) -> Any:
    """What the standard reader would have found: doubles for decimals."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain(v) for v in value]
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


@given(JSON)
def test_canonical_json_is_read_back_and_has_one_form(value: Any) -> None:
    made = canonical_json(value)
    assert plain(parse_json(made)) == value
    assert canonical_json(json.loads(made)) == made


@given(JSON, st.sampled_from([None, 0, 1, "\t"]), st.booleans())
def test_the_strict_reader_agrees_with_the_standard_one(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert plain(parse_json(text.encode())) == json.loads(text)


@given(st.text(max_size=40))
def test_any_text_is_json_or_ours_to_refuse(text: str) -> None:
    try:
        mine: object = plain(parse_json(text.encode()))
    except GlasswingError:
        return
    theirs = json.loads(text)
    assert mine == theirs
    assert not isinstance(theirs, float) or math.isfinite(theirs)


@given(st.dictionaries(st.text(max_size=8), JSON, min_size=1, max_size=4), st.data())
def test_a_key_that_stands_twice_is_always_refused(value: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    members = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in [*value.items(), (key, data.draw(JSON))]]
    text = "{" + ", ".join(data.draw(st.permutations(members))) + "}"
    for wrapped in (text, f'[0, {{"a": {text}}}]'):
        with pytest.raises(DuplicateKey):
            parse_json(wrapped.encode())


@given(st.binary(max_size=60))
def test_bytes_have_one_text_in_each_alphabet(data: bytes) -> None:
    text = encode_base64(data)
    assert decode_base64(text) == data
    for other in (
        text.rstrip("="),
        base64.urlsafe_b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
    ):
        assert decode_base64(other) == data


@given(st.text(st.sampled_from("AQgwx/+_-=\n é"), max_size=12))
@example("aGl=")
@example("====")
def test_what_decodes_is_what_re_encodes(text: str) -> None:
    try:
        data = decode_base64(text)
    except Base64Refused:
        # Whatever is refused, the lenient decoder of the standard library refuses or would write otherwise.
        standard = text.replace("-", "+").replace("_", "/")
        try:
            theirs = base64.b64encode(base64.b64decode(standard, validate=True)).decode()
        except (binascii.Error, ValueError):
            return
        assert theirs != standard or standard != text
        return
    padding = "=" * (-len(text.rstrip("=")) % 4)
    wanted = {encode_base64(data), base64.urlsafe_b64encode(data).decode()}
    assert text.rstrip("=") + padding in wanted
    assert text.endswith(padding) or "=" not in text


@given(st.binary(max_size=12), st.sampled_from(["", "=", "==", "A", "\n", " ", "é"]), st.integers(0, 16))
def test_the_usual_base64_is_read_as_any_other(data: bytes, junk: str, place: int) -> None:
    """What is written as most write it takes a shorter way: with anything amiss it is refused all the same."""
    text = encode_base64(data)
    spoiled = text[:place] + junk + text[place:]
    try:
        read = decode_base64(spoiled)
    except Base64Refused:
        assert spoiled != text
        return
    # Whatever is read is the canonical text, with or without its padding.
    assert encode_base64(read).rstrip("=") == spoiled.rstrip("=")


ALGORITHMS = {
    "sha256": ("file", 64),
    "sha512": ("file", 128),
    "dirHash": ("tree", 64),
    "gitCommit": ("git", 40),
    "gitTree": ("git", 40),
    "gitBlob": (None, 40),
    "sha1": (None, 40),
    "other": (None, 3),
}
"""Of which form each algorithm identifies something, if any, and how long its value is here."""

NAMED = st.dictionaries(st.sampled_from(sorted(ALGORITHMS)), st.sampled_from("ab"))


@given(NAMED, NAMED)
def test_digests_match_as_the_documentation_says(one: dict[str, str], other: dict[str, str]) -> None:
    sets = []
    for named in (one, other):
        forms = {ALGORITHMS[name][0] for name in named}
        form = next((each for each in ("git", "tree") if each in forms), "file")
        strong = {name: value for name, value in named.items() if ALGORITHMS[name][0] == form}
        found = DigestSet.of({name: value * ALGORITHMS[name][1] for name, value in named.items()})
        assert (found.form.value, {d.algorithm for d in found.identity}) == (form, set(strong))
        if not {"sha256", "dirHash"} <= named.keys():  # a tree's sha256 says the same as its dirHash, or is refused
            assert DigestSet.parse(read_json(json.dumps(found.to_dict()).encode())) == found
        sets.append((form, strong, found))
    (form, mine, first), (its_form, theirs, second) = sets
    shared = mine.keys() & theirs.keys()
    wanted = form == its_form and bool(shared) and all(mine[name] == theirs[name] for name in shared)
    assert first.matches(second) is second.matches(first) is wanted


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001  # zones are added below
    st.integers(-23 * 60, 23 * 60),
)
def test_a_time_is_read_back_in_utc(naive: datetime, offset: int) -> None:
    time = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert parse_time(format_time(time)) == time
    assert parse_time(time.isoformat()) == time
    assert format_time(parse_time(time.isoformat())) == format_time(time.astimezone(UTC))


ENVELOPES = st.builds(
    Envelope,
    payload=st.binary(max_size=60),
    payload_type=st.text(min_size=1, max_size=20),
    signatures=st.lists(
        st.builds(EnvelopeSignature, sig=st.binary(min_size=1, max_size=40), keyid=st.text(max_size=12)),
        min_size=1,
        max_size=3,
    ).map(tuple),
)


@given(ENVELOPES, st.text(max_size=12))
def test_envelopes_and_bundles_are_read_back(envelope: Envelope, hint: str) -> None:
    assert Envelope.from_json(json.dumps(envelope.to_dict()).encode()) == envelope
    if len(envelope.signatures) == 1:
        made = Bundle.of_key(envelope, hint)
        bundle = Bundle.from_json(made)
        assert (bundle.content, bundle.material.hint) == (envelope, hint)  # type: ignore[union-attr]


RESOURCES = st.builds(
    ResourceDescriptor,
    name=st.text(max_size=10),
    uri=st.text(max_size=10),
    digest=st.builds(lambda value: DigestSet.of(sha256=value), HEX),
    content=st.none() | st.binary(max_size=10),
    media_type=st.text(max_size=10),
    annotations=ANNOTATIONS,
)
TIMES = st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda time: time.replace(tzinfo=UTC)
)


@given(
    st.builds(
        Provenance,
        build_type=st.text(min_size=1, max_size=10),
        builder_id=st.text(min_size=1, max_size=10),
        external_parameters=ANNOTATIONS,
        internal_parameters=ANNOTATIONS,
        resolved_dependencies=st.lists(RESOURCES, max_size=3).map(tuple),
        builder_dependencies=st.lists(RESOURCES, max_size=2).map(tuple),
        builder_version=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
        invocation_id=st.text(max_size=10),
        started_on=TIMES,
        finished_on=TIMES,
        byproducts=st.lists(RESOURCES, max_size=2).map(tuple),
    ),
    st.lists(RESOURCES, min_size=1, max_size=3),
)
def test_provenance_is_read_back_from_its_statement(provenance: Provenance, subjects: list[ResourceDescriptor]) -> None:
    statement = Statement.make(subjects, provenance.predicate_type, provenance.to_predicate())
    again = Statement.parse_unverified(statement.payload)
    assert again.subjects == tuple(subjects)
    assert Provenance.from_predicate(again.predicate_node) == provenance


@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_are_refused_as_malformed(data: bytes) -> None:
    refused: GlasswingError | None = None
    try:
        read_json(data)
    except GlasswingError as e:
        refused = e
    assert refused is None or isinstance(refused, MalformedError)
    assert str(refused).isprintable()
