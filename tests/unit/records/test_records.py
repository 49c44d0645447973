"""What does a record refuse, and what does it keep?"""

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import json_format

from glasswing_attest._proto import data_pb2, model_pb2
from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import (
    DigestRefused,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotJson,
    NotProtobuf,
)
from glasswing_attest.limits import Limits
from glasswing_attest.records import (
    BaseModel,
    CodeRecord,
    DataRecord,
    Evaluation,
    ModelRecord,
    Period,
    Record,
    ResourceReference,
    Review,
    Split,
    TreeSummary,
)
from tests.unit.records.samples import CODE, DATA, MODEL, RECORDS, A

each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)


# --- both forms carry everything -------------------------------------------------------------------------------------


@each_record
def test_both_forms_carry_every_field(record: Record) -> None:
    assert type(record).from_json(record.to_json()) == record
    assert type(record).from_proto(record.to_proto()) == record
    assert type(record).from_predicate(json.loads(record.to_json())) == record


@each_record
def test_the_predicate_is_what_protobuf_itself_would_write(record: Record) -> None:
    message = record.message.FromString(record.to_proto())
    assert json_format.MessageToDict(message) == record.to_predicate()
    assert json_format.ParseDict(record.to_predicate(), record.message()) == message


@each_record
def test_a_record_is_a_value(record: Record) -> None:
    assert hash(record) == hash(copy.deepcopy(record))
    assert pickle.loads(pickle.dumps(record)) == record
    with pytest.raises(Exception, match="frozen"):
        record.name = "other"  # type: ignore[attr-defined]
    assert record.to_json() == type(record).from_json(record.to_json()).to_json()


def test_lists_become_tuples_and_dicts_stay_closed() -> None:
    names = ["a"]
    split = Split(name="train", paths=names)
    names.append("b")
    assert split.paths == ("a",)
    digest = {"sha256": A}
    reference = ResourceReference(digest=digest)
    digest["sha256"] = "0" * 64
    assert reference.digest == {"sha256": A}
    with pytest.raises(TypeError):
        reference.digest["sha256"] = "0" * 64  # type: ignore[index]


def test_a_digest_set_may_be_given_for_a_digest() -> None:
    assert BaseModel(name="b", relation="merge", digest=DigestSet.of(sha256=A)).digest == {"sha256": A}  # type: ignore[arg-type]


# --- absent, empty and zero are three things -------------------------------------------------------------------------


def test_what_is_not_said_is_not_written() -> None:
    record = ModelRecord(name="m")
    assert record.to_predicate() == {"name": "m"}
    assert record.to_proto() == model_pb2.ModelRecord(name="m").SerializeToString()


@pytest.mark.parametrize("dirty", [None, False, True])
def test_a_flag_that_is_false_was_said(dirty: bool | None) -> None:
    record = CodeRecord(name="c", dirty=dirty)
    assert CodeRecord.from_json(record.to_json()).dirty is dirty
    assert CodeRecord.from_proto(record.to_proto()).dirty is dirty


@pytest.mark.parametrize("count", [None, 0, 1, 2**53 + 1, 2**63, 2**64 - 1])
def test_integers_are_exact(count: int | None) -> None:
    record = ModelRecord(name="m", parameter_count=count)
    assert ModelRecord.from_json(record.to_json()).parameter_count == count
    assert ModelRecord.from_proto(record.to_proto()).parameter_count == count
    assert record.to_predicate().get("parameterCount") == (None if count is None else str(count))


@pytest.mark.parametrize("version", [None, "", "1"])
def test_empty_text_was_said(version: str | None) -> None:
    record = DataRecord(name="d", version=version)
    assert DataRecord.from_json(record.to_json()).version == version
    assert DataRecord.from_proto(record.to_proto()).version == version


def test_an_empty_part_was_said() -> None:
    record = DataRecord(name="d", collection_period=Period())
    assert record.to_predicate() == {"name": "d", "collectionPeriod": {}}
    assert DataRecord.from_json(record.to_json()).collection_period == Period()
    assert DataRecord.from_proto(record.to_proto()).collection_period == Period()


def test_null_is_absent() -> None:
    nulls = b'{"name": "m", "tree": null, "formats": null, "parameterCount": null, "baseModels": null}'
    assert ModelRecord.from_json(nulls) == ModelRecord(name="m")


def test_an_enumeration_that_says_unspecified_says_nothing() -> None:
    assert DataRecord.from_json(b'{"name": "d", "consent": "CONSENT_UNSPECIFIED"}').consent is None
    with pytest.raises(FieldMissing) as missing:
        ModelRecord.from_json(b'{"name": "m", "baseModels": [{"name": "b", "relation": "RELATION_UNSPECIFIED"}]}')
    assert missing.value.where == "$.baseModels[0].relation"
    with pytest.raises(FieldRefused):
        ModelRecord.from_json(b'{"name": "m", "formats": ["MODEL_FORMAT_UNSPECIFIED"]}')
    with pytest.raises(FieldRefused):
        ModelRecord.from_proto(
            model_pb2.ModelRecord(name="m", formats=[model_pb2.MODEL_FORMAT_UNSPECIFIED]).SerializeToString()
        )


# --- the strict reader -----------------------------------------------------------------------------------------------

REFUSED_JSON: list[tuple[type[Record], str, type[GlasswingError], str]] = [
    (ModelRecord, "", NotJson, "$"),
    (ModelRecord, "[]", FieldRefused, "$"),
    (ModelRecord, "null", FieldRefused, "$"),
    (ModelRecord, "{}", FieldMissing, "$.name"),
    (ModelRecord, '{"name": ""}', FieldMissing, "$.name"),
    (ModelRecord, '{"name": null}', FieldMissing, "$.name"),
    (ModelRecord, '{"name": 1}', FieldRefused, "$.name"),
    (ModelRecord, '{"name": "m", "name": "n"}', DuplicateKey, "$.name"),
    (ModelRecord, '{"name": "m", "parameterCount": "1e3"}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": "01"}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": " 1"}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": "-0"}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": "+1"}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": -1}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": 1.0}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": 1e3}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": true}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": 18446744073709551616}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": "18446744073709551616"}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "parameterCount": "१"}', FieldRefused, "$.parameterCount"),
    (ModelRecord, '{"name": "m", "formats": "MODEL_FORMAT_GGUF"}', FieldRefused, "$.formats"),
    (ModelRecord, '{"name": "m", "formats": ["gguf"]}', FieldRefused, "$.formats[0]"),
    (ModelRecord, '{"name": "m", "formats": ["model_format_gguf"]}', FieldRefused, "$.formats[0]"),
    (ModelRecord, '{"name": "m", "formats": [2]}', FieldRefused, "$.formats[0]"),
    (ModelRecord, '{"name": "m", "formats": [null]}', FieldRefused, "$.formats[0]"),
    (ModelRecord, '{"name": "m", "baseModels": {}}', FieldRefused, "$.baseModels"),
    (ModelRecord, '{"name": "m", "baseModels": [null]}', FieldRefused, "$.baseModels[0]"),
    (ModelRecord, '{"name": "m", "baseModels": [{"name": "b"}]}', FieldMissing, "$.baseModels[0].relation"),
    (
        ModelRecord,
        '{"name": "m", "baseModels": [{"name": "b", "relation": "RELATION_MERGE", "digest": {"sha256": "AA"}}]}',
        DigestRefused,
        "$.baseModels[0].digest.sha256",
    ),
    (ModelRecord, '{"name": "m", "modelCard": {}}', FieldRefused, "$.modelCard"),
    (
        ModelRecord,
        '{"name": "m", "modelCard": {"digest": {"sha256": null}}}',
        FieldRefused,
        "$.modelCard.digest.sha256",
    ),
    (ModelRecord, '{"name": "m", "tree": {}}', FieldMissing, "$.tree.dirHash"),
    (ModelRecord, '{"name": "m", "tree": {"dirHash": "AA"}}', FieldRefused, "$.tree.dirHash"),
    (ModelRecord, f'{{"name": "m", "tree": {{"dirHash": "{A}\\n"}}}}', FieldRefused, "$.tree.dirHash"),
    (ModelRecord, f'{{"name": "m", "tree": {{"dirHash": "{A}", "merkleRoot": "{A}"}}}}', FieldRefused, "$.tree"),
    (CodeRecord, '{"name": "c", "dirty": "false"}', FieldRefused, "$.dirty"),
    (CodeRecord, '{"name": "c", "dirty": 0}', FieldRefused, "$.dirty"),
    (CodeRecord, '{"name": "c", "commit": "main"}', FieldRefused, "$.commit"),
    (CodeRecord, '{"name": "c", "lockFiles": [{"name": "l", "digest": []}]}', FieldRefused, "$.lockFiles[0].digest"),
    (
        CodeRecord,
        '{"name": "c", "reviews": [{"reviewer": "r", "outcome": "REVIEW_OUTCOME_APPROVED", "time": "yesterday"}]}',
        FieldRefused,
        "$.reviews[0].time",
    ),
    (DataRecord, '{"name": "d", "collectionPeriod": {"start": 0}}', FieldRefused, "$.collectionPeriod.start"),
    (
        DataRecord,
        '{"name": "d", "collectionPeriod": {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}}',
        FieldRefused,
        "$.collectionPeriod",
    ),
    (
        DataRecord,
        '{"name": "d", "transformations": [{"name": "t", "parameters": {"seed": 1}}]}',
        FieldRefused,
        "$.transformations[0].parameters.seed",
    ),
]


@pytest.mark.parametrize(("cls", "text", "error", "where"), REFUSED_JSON, ids=[t[1][:70] for t in REFUSED_JSON])
def test_what_is_refused_says_where(cls: type[Record], text: str, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        cls.from_json(text.encode())
    assert type(refused.value) is error
    assert refused.value.where == where


def test_a_bare_integer_of_others_is_read_exactly() -> None:
    assert ModelRecord.from_json(b'{"name": "m", "parameterCount": 9007199254740993}').parameter_count == 2**53 + 1


CLOSED: list[tuple[type[Record], Callable[[str], dict[str, Any]], str]] = [
    (ModelRecord, lambda word: {"name": "m", "formats": [word]}, "$.formats[0]"),
    (ModelRecord, lambda w: {"name": "m", "baseModels": [{"name": "b", "relation": w}]}, "$.baseModels[0].relation"),
    (CodeRecord, lambda w: {"name": "c", "reviews": [{"reviewer": "r", "outcome": w}]}, "$.reviews[0].outcome"),
    (DataRecord, lambda word: {"name": "d", "consent": word}, "$.consent"),
    (DataRecord, lambda word: {"name": "d", "sensitivity": word}, "$.sensitivity"),
]


@pytest.mark.parametrize(("cls", "document", "where"), CLOSED, ids=[c[2] for c in CLOSED])
@pytest.mark.parametrize("word", ["MALICIOUS_2", "RELATION_MERGE_2", "UNSPECIFIED", "", "0", 0, 1, 99])
def test_an_enumeration_is_closed(
    cls: type[Record], document: Callable[[Any], dict[str, Any]], where: str, word: object
) -> None:
    with pytest.raises(FieldRefused) as refused:
        cls.from_json(json.dumps(document(word)).encode())
    assert refused.value.where == where
    # What is guarded against: protobuf's own reader makes it the default, and says nothing.
    if word == "MALICIOUS_2":
        json_format.ParseDict(document(word), cls.message(), ignore_unknown_fields=True)


def test_an_enumeration_is_closed_in_the_binary_form() -> None:
    message = model_pb2.ModelRecord(name="m", formats=[99])  # type: ignore[list-item]
    with pytest.raises(FieldRefused) as refused:
        ModelRecord.from_proto(message.SerializeToString())
    assert refused.value.where == "ModelRecord.formats[0]"


def test_protobufs_own_reader_would_take_what_is_refused() -> None:
    # If it stops, the docstring of records.base is to be changed.
    for document in ({"parameterCount": "1e3"}, {"parameterCount": 1e3}, {"parameter_count": "3"}):
        json_format.ParseDict(document, model_pb2.ModelRecord())


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x05a", b"\x0a\x01\xff", b"\x0b"])
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(NotProtobuf):
        ModelRecord.from_proto(data)


def test_the_binary_form_has_the_same_rules() -> None:
    with pytest.raises(FieldMissing) as missing:
        ModelRecord.from_proto(b"")
    assert missing.value.where == "ModelRecord.name"
    base = model_pb2.BaseModel(name="b", digest={"sha256": "zz"}, relation=model_pb2.RELATION_MERGE)
    data = model_pb2.ModelRecord(name="m", base_models=[base]).SerializeToString()
    with pytest.raises(DigestRefused) as refused:
        ModelRecord.from_proto(data)
    assert refused.value.where == "ModelRecord.base_models[0].digest.sha256"


def test_a_time_out_of_range_is_refused_in_the_binary_form() -> None:
    message = data_pb2.DataRecord(name="d")
    message.collection_period.start.seconds = 2**62
    with pytest.raises(FieldRefused) as refused:
        DataRecord.from_proto(message.SerializeToString())
    assert refused.value.where == "DataRecord.collection_period.start"


def test_too_large_is_undecided() -> None:
    limits = Limits(record_bytes=10)
    with pytest.raises(LimitError):
        ModelRecord.from_json(MODEL.to_json(), limits=limits)
    with pytest.raises(LimitError):
        ModelRecord.from_proto(MODEL.to_proto(), limits=limits)


def test_the_path_is_that_of_the_statement() -> None:
    node = read_json(b'{"predicate": {"name": "m", "tree": {}}}').need("predicate")
    with pytest.raises(FieldMissing) as missing:
        ModelRecord.from_predicate(node)
    assert missing.value.where == "$.predicate.tree.dirHash"
    with pytest.raises(FieldMissing) as missing:
        ModelRecord.from_predicate(Node({}, "$", "policy"))
    assert missing.value.kind == "policy"


# --- what is not known -----------------------------------------------------------------------------------------------


def test_unknown_json_fields_are_kept_and_ignored() -> None:
    text = (
        b'{"base_models": 1, "extra": {"pi": 3.14, "big": [1, null]}, "name": "m", "modelCard": {"uri": "u", "x": {}}}'
    )
    record = ModelRecord.from_json(text)
    assert record.base_models == (), "snake_case is not a spelling of ours"
    assert record.unknown_fields == {"base_models": 1, "extra": {"pi": Decimal("3.14"), "big": [1, None]}}
    assert record.model_card is not None
    assert record.model_card.unknown_fields == {"x": {}}
    assert json.loads(record.to_json()) == json.loads(text)
    assert ModelRecord.from_json(record.to_json()) == record
    assert record != ModelRecord(name="m", model_card=ResourceReference(uri="u"))
    record.unknown_fields.clear()
    assert record.unknown_fields
    assert ModelRecord.from_proto(record.to_proto()) == ModelRecord(name="m", model_card=ResourceReference(uri="u"))


@pytest.mark.parametrize("number", ["9007199254740993", "1e16", "0.1000000000000000000001", "1e350"])
def test_an_unknown_number_that_json_cannot_carry_is_not_written(number: str) -> None:
    record = ModelRecord.from_json(f'{{"name": "m", "extra": {number}}}'.encode())
    with pytest.raises(FieldRefused) as refused:
        record.to_json()
    assert refused.value.where == "$.extra"


def test_unknown_binary_fields_are_kept_and_ignored() -> None:
    plain = ModelRecord(name="m", model_card=ResourceReference(uri="u"))
    message = model_pb2.ModelRecord.FromString(plain.to_proto())
    message.model_card.MergeFromString(b"\xf8\x07\x01")  # field 127, varint
    message.MergeFromString(b"\xf8\x07\x02")
    record = ModelRecord.from_proto(message.SerializeToString())
    assert (record.name, record.model_card is not None) == ("m", True)
    assert model_pb2.ModelRecord.FromString(record.to_proto()) == message
    assert record.to_predicate() == plain.to_predicate()


# --- construction ----------------------------------------------------------------------------------------------------

REFUSED_FIELDS: list[tuple[Callable[[], object], type[GlasswingError], str]] = [
    (lambda: ModelRecord(version="1"), FieldMissing, "ModelRecord.name"),  # type: ignore[call-arg]
    (lambda: ModelRecord(name=""), FieldMissing, "ModelRecord.name"),
    (lambda: ModelRecord(name=1), FieldRefused, "ModelRecord.name"),  # type: ignore[arg-type]
    (lambda: ModelRecord(name=b"m"), FieldRefused, "ModelRecord.name"),  # type: ignore[arg-type]
    (lambda: ModelRecord(name="\ud800"), FieldRefused, "ModelRecord.name"),
    (lambda: ModelRecord(name="m", version="\udfff"), FieldRefused, "ModelRecord.version"),
    (lambda: ModelRecord(name="m", licence="MIT"), FieldRefused, "ModelRecord.licence"),  # type: ignore[call-arg]
    (lambda: ModelRecord(name="m", parameterCount=1), FieldRefused, "ModelRecord.parameterCount"),  # type: ignore[call-arg]
    (lambda: ModelRecord(name="m", parameter_count="1"), FieldRefused, "ModelRecord.parameter_count"),  # type: ignore[arg-type]
    (lambda: ModelRecord(name="m", parameter_count=True), FieldRefused, "ModelRecord.parameter_count"),
    (lambda: ModelRecord(name="m", parameter_count=1.0), FieldRefused, "ModelRecord.parameter_count"),  # type: ignore[arg-type]
    (lambda: ModelRecord(name="m", parameter_count=-1), FieldRefused, "ModelRecord.parameter_count"),
    (lambda: ModelRecord(name="m", parameter_count=2**64), FieldRefused, "ModelRecord.parameter_count"),
    (lambda: ModelRecord(name="m", formats="gguf"), FieldRefused, "ModelRecord.formats"),  # type: ignore[arg-type]
    (lambda: ModelRecord(name="m", formats=["zip"]), FieldRefused, "ModelRecord.formats[0]"),  # type: ignore[list-item]
    (lambda: BaseModel(name="b", relation="finetune"), FieldRefused, "BaseModel.relation"),  # type: ignore[arg-type]
    (lambda: BaseModel(name="b", relation="merge", digest={"sha256": "a"}), DigestRefused, "BaseModel.digest.sha256"),
    (
        lambda: ModelRecord(name="m", datasets=[{"digest": {"sha256": "a"}}]),  # type: ignore[list-item]
        DigestRefused,
        "ModelRecord.ResourceReference.digest.sha256",
    ),
    (lambda: CodeRecord(name="c", dirty=1), FieldRefused, "CodeRecord.dirty"),  # type: ignore[arg-type]
    (lambda: CodeRecord(name="c", commit="A" * 40), FieldRefused, "CodeRecord.commit"),
    (lambda: CodeRecord(name="c", commit="a" * 40 + "\n"), FieldRefused, "CodeRecord.commit"),
    (ResourceReference, FieldRefused, "ResourceReference"),
    (lambda: TreeSummary(dir_hash="a"), FieldRefused, "TreeSummary.dir_hash"),
    (lambda: TreeSummary(dir_hash=A, merkle_root=A), FieldRefused, "TreeSummary"),
    (lambda: Period(start=datetime(2026, 1, 1)), FieldRefused, "Period.start"),  # noqa: DTZ001
    (lambda: Period(start="2026-01-01T00:00:00Z"), FieldRefused, "Period.start"),  # type: ignore[arg-type]
    (
        lambda: Period(start=datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))),
        FieldRefused,
        "Period.start",
    ),
]


@pytest.mark.parametrize(("make", "error", "where"), REFUSED_FIELDS, ids=[str(i) for i in range(len(REFUSED_FIELDS))])
def test_construction_raises_only_our_errors(
    make: Callable[[], object], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(GlasswingError) as refused:
        make()
    assert type(refused.value) is error
    assert refused.value.where == where


def test_times_are_kept_in_utc() -> None:
    there = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    review = Review(reviewer="r", outcome="commented", time=there)
    assert review.time == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert CodeRecord(name="c", reviews=[review]).to_predicate()["reviews"] == [
        {"reviewer": "r", "outcome": "REVIEW_OUTCOME_COMMENTED", "time": "2026-01-01T10:00:00Z"}
    ]


# --- decimals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "-1", "0.930", "12345678901234567890.123", "-0.5", "0." + "0" * 61 + "1"])
def test_a_decimal_is_exact(value: str) -> None:
    evaluation = Evaluation(metric="m", value=value)
    assert evaluation.decimal == Decimal(value)
    record = ModelRecord(name="m", evaluations=[evaluation])
    for again in (ModelRecord.from_json(record.to_json()), ModelRecord.from_proto(record.to_proto())):
        assert again.evaluations[0].value == value


BAD_DECIMALS = [
    "",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "1e400",
    "1E3",
    "+1",
    ".5",
    "1.",
    "01",
    "-0",
    "-0.0",
    " 1",
    "1\n",
    "1_0",
]


@pytest.mark.parametrize("value", [*BAD_DECIMALS, "0x1", "1,5", "١", "9" * 65])
def test_what_is_no_finite_decimal_is_refused(value: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        ModelRecord.from_json(json.dumps({"name": "m", "evaluations": [{"metric": "x", "value": value}]}).encode())
    assert refused.value.where == "$.evaluations[0].value"
    with pytest.raises(FieldRefused):
        Evaluation(metric="m", value=value)


def test_the_samples_are_what_they_are_named() -> None:
    assert [type(r) for r in (CODE, DATA, MODEL)] == [CodeRecord, DataRecord, ModelRecord]
