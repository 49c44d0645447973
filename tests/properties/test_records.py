"""Laws of records: both forms carry everything, what is unknown is kept, and garbage raises only our errors."""

import copy
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import assume, given
from hypothesis import strategies as st

from glasswing_attest._wire import canonical_json
from glasswing_attest.errors import GlasswingError, MalformedError
from glasswing_attest.records import Part, Record, registry
from glasswing_attest.records.base import _PARTS, _fields, _is_map, _is_time, _words
from tests.unit.records.samples import RECORDS

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
hex64 = st.text("0123456789abcdef", min_size=64, max_size=64)
hex40 = st.text("0123456789abcdef", min_size=40, max_size=40)
digests = st.dictionaries(st.sampled_from(["sha256", "blake3", "x-new"]), hex64, max_size=2) | st.fixed_dictionaries(
    {"gitCommit": hex40}
)
decimals = st.from_regex(r"(0|-?[1-9][0-9]{0,20})(\.[0-9]{1,20}[1-9])?", fullmatch=True)

SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "dir_hash": hex64,
    "ordered": hex64,
    "unordered": hex64,
    "merkle_root": hex64,
    "manifest_tree_root": hex64,
    "commit": hex40 | hex64,
    "CodeRecord.tree": hex40 | hex64,
    "digest": digests,
    "Evaluation.value": decimals,
    "Metric.value": decimals,
    "standard_error": decimals.filter(lambda value: not value.startswith("-")),
    "parameters": st.dictionaries(text, text, max_size=3),
    "markers": st.dictionaries(text, text, max_size=3),
    "record_sha256": hex64,
    "PinnedPackage.name": st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True),
}

# What a message cannot say to be required, and its rules ask for.
NEEDED = {"EvaluationRecord.metrics", "EvaluationRecord.dataset", "RowDigest.count"}


def single(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if _is_time(field):
        return st.datetimes(timezones=st.just(UTC))
    if field.message_type is not None:
        return parts(_PARTS[field.message_type.full_name])
    if field.enum_type is not None:
        return st.sampled_from(sorted(_words(field.enum_type).values()))
    if field.type == FieldDescriptor.TYPE_UINT64:
        return st.integers(0, 2**64 - 1)
    return st.booleans() if field.type == FieldDescriptor.TYPE_BOOL else text


def strategy(part: type[Part], field: FieldDescriptor) -> st.SearchStrategy[Any]:
    for name in (f"{part.__name__}.{field.name}", field.name):
        if name in SPECIAL:
            return SPECIAL[name]
    assert not _is_map(field)
    return st.lists(single(field), max_size=2) if field.is_repeated else single(field)


@st.composite
def parts(draw: st.DrawFn, part: type[Part]) -> Part:
    values: dict[str, Any] = {}
    for field in _fields(part.message):
        required = part.model_fields[field.name].is_required() or f"{part.__name__}.{field.name}" in NEEDED
        if not required and draw(st.booleans()):
            continue
        values[field.name] = draw(strategy(part, field))
    try:
        return part(**values)
    except GlasswingError:
        # A rule that spans fields: a period that runs backwards, an empty name.
        assume(False)
        raise


records = st.one_of([parts(r) for r in registry])


@given(records)
def test_both_forms_carry_everything(record: Record) -> None:
    assert type(record).from_json(record.to_json()) == record
    assert type(record).from_proto(record.to_proto()) == record
    assert type(record).from_proto(record.to_proto()).to_json() == record.to_json()


@given(records)
def test_the_predicate_is_what_protobuf_itself_would_write(record: Record) -> None:
    message = record.message.FromString(record.to_proto())
    assert json_format.MessageToDict(message) == record.to_predicate()
    assert json_format.ParseDict(record.to_predicate(), record.message()) == message


# Numbers that a JSON reader with doubles reads exactly.
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


def objects(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object that is a message: maps (digest, parameters, markers) have keys of their own, none unknown."""
    if isinstance(value, dict):
        yield path, value
        for key, member in value.items():
            if key not in ("digest", "parameters", "markers"):
                yield from objects(member, f"{path}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from objects(item, f"{path}[{i}]")


@given(records, st.data())
def test_what_is_unknown_is_kept_and_ignored(record: Record, data: st.DataObject) -> None:
    document = copy.deepcopy(record.to_predicate())
    _, place = data.draw(st.sampled_from(list(objects(document))))
    # Null is absent, for what is unknown as well; but it was there, and is kept.
    place["x-" + data.draw(text)] = data.draw(json_values)
    read = type(record).from_json(canonical_json(document))
    assert canonical_json(document) == read.to_json()
    assert type(record).from_json(read.to_json()) == read
    assert type(record).from_proto(read.to_proto()) == record


@st.composite
def damaged(draw: st.DrawFn) -> tuple[type[Record], dict[str, Any]]:
    """A record's JSON in which something else stands in one place."""
    record = draw(st.sampled_from(RECORDS))
    document = copy.deepcopy(record.to_predicate())
    place: Any = document
    while True:
        key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 2)):
            place = place[key]
            continue
        if isinstance(place, dict) and draw(st.integers(0, 3)) == 0:
            del place[key]
        else:
            place[key] = draw(json_values)
        return type(record), document


@given(damaged())
def test_damaged_json_is_refused_or_read_as_it_stands(case: tuple[type[Record], dict[str, Any]]) -> None:
    cls, document = case
    try:
        record = cls.from_json(canonical_json(document))
    except MalformedError as e:
        refused = e
    else:
        again = cls.from_json(record.to_json())
        assert again == record
        assert again.to_json() == record.to_json()
        return
    assert refused.where.startswith("$")


@given(st.sampled_from(registry), st.binary(max_size=200))
def test_garbage_raises_only_our_errors(cls: type[Record], data: bytes) -> None:
    for read in (cls.from_json, cls.from_proto):
        try:
            record = read(data)
        except GlasswingError:
            continue
        assert cls.from_proto(record.to_proto()) == record


@given(st.sampled_from(RECORDS), st.data())
def test_flipped_bytes_raise_only_our_errors(record: Record, data: st.DataObject) -> None:
    for read, whole in ((type(record).from_json, record.to_json()), (type(record).from_proto, record.to_proto())):
        at = data.draw(st.integers(0, len(whole) - 1))
        changed = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
        try:
            found = read(changed)
        except GlasswingError:
            continue
        # A field may have become one that nobody knows, and the other form has no place for it.
        once = type(record).from_proto(found.to_proto())
        assert type(record).from_json(once.to_json()).to_predicate() == once.to_predicate()


@given(st.sampled_from(registry), st.dictionaries(st.sampled_from(["name", "tree", "formats", "x"]), json_values))
def test_construction_raises_only_our_errors(cls: type[Record], fields: dict[str, Any]) -> None:
    try:
        record = cls(**fields)
    except GlasswingError:
        return
    assert cls.from_json(record.to_json()) == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_every_cut_of_the_binary_form_raises_only_our_errors(record: Record) -> None:
    whole = record.to_proto()
    for end in range(len(whole)):
        try:
            assert type(record).from_proto(whole[:end]) != record
        except GlasswingError:
            continue
