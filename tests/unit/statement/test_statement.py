"""Is a statement read as in-toto has it, from exactly the bytes that were signed?"""

import hashlib
import json
import time
from decimal import Decimal
from typing import Any

import pytest

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import (
    Base64Refused,
    DigestRefused,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotJson,
    StatementTypeUnsupported,
    UsageError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import STATEMENT_V01, STATEMENT_V1, Statement

HEX = "ab" * 32
SUBJECT = {"name": "a", "digest": {"sha256": HEX}}
TYPE = "https://example.com/t/v1"


def body(**changes: Any) -> dict[str, Any]:
    whole = {"_type": STATEMENT_V1, "subject": [SUBJECT], "predicateType": TYPE, "predicate": {"x": 1}}
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def read(value: object, limits: Limits | None = None) -> Statement:
    return Statement.parse_unverified(json.dumps(value).encode(), limits=limits or Limits())


@pytest.mark.parametrize("kind", [STATEMENT_V1, STATEMENT_V01])
def test_both_versions_are_read(kind: str) -> None:
    payload = json.dumps(body(_type=kind, unknown=[1]), indent=1).encode()
    found = Statement.parse_unverified(payload)
    assert found.payload == payload
    assert found.type == kind
    assert found.subjects == (ResourceDescriptor(name="a", digest=DigestSet.of(sha256=HEX)),)
    assert (found.predicate_type, dict(found.predicate)) == (TYPE, {"x": 1})
    assert found.digest == hashlib.sha256(payload).hexdigest()
    assert found.predicate_node.need("x").path == "$.predicate.x"


@pytest.mark.parametrize("predicate", [..., None, {}])
def test_an_unset_predicate_is_an_empty_one(predicate: object) -> None:
    assert dict(read(body(predicate=predicate)).predicate) == {}


@pytest.mark.parametrize(
    ("value", "error", "where"),
    [
        (body(_type=...), FieldMissing, "$._type"),
        (body(_type="https://in-toto.io/Statement/v2"), StatementTypeUnsupported, "$._type"),
        (body(_type="https://in-toto.io/Statement/v1/"), StatementTypeUnsupported, "$._type"),
        (body(_type="layout"), StatementTypeUnsupported, "$._type"),
        (body(_type="link"), FieldMissing, "$.products"),
        (body(_type=1), FieldRefused, "$._type"),
        (body(subject=...), FieldMissing, "$.subject"),
        (body(subject=None), FieldMissing, "$.subject"),
        (body(subject=[]), FieldMissing, "$.subject"),
        (body(subject=SUBJECT), FieldRefused, "$.subject"),
        (body(subject=[SUBJECT, 1]), FieldRefused, "$.subject[1]"),
        (body(subject=[SUBJECT, {"name": "b"}]), FieldMissing, "$.subject[1].digest"),
        (body(subject=[{"uri": "https://x", "digest": {}}]), FieldMissing, "$.subject[0].digest"),
        (body(subject=[{"digest": {"sha256": HEX[:-1]}}]), DigestRefused, "$.subject[0].digest.sha256"),
        (body(subject=[{"digest": {"sha256": HEX.upper()}}]), DigestRefused, "$.subject[0].digest.sha256"),
        (body(subject=[{"digest": {"sha256": "zz" * 32}}]), DigestRefused, "$.subject[0].digest.sha256"),
        (body(subject=[{"digest": {"sha256": None}}]), FieldRefused, "$.subject[0].digest.sha256"),
        (body(subject=[{"digest": [HEX]}]), FieldRefused, "$.subject[0].digest"),
        (body(subject=[{**SUBJECT, "name": 1}]), FieldRefused, "$.subject[0].name"),
        (body(predicateType=...), FieldMissing, "$.predicateType"),
        (body(predicateType=""), FieldMissing, "$.predicateType"),
        (body(predicateType={}), FieldRefused, "$.predicateType"),
        (body(predicate=[]), FieldRefused, "$.predicate"),
        (body(predicate="x"), FieldRefused, "$.predicate"),
        ([], FieldRefused, "$"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_place(value: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        read(value)
    assert type(refused.value) is error
    assert refused.value.where == where


def test_cve_2026_44309_a_key_that_stands_twice_is_refused_wherever_it_is() -> None:
    whole = json.dumps(body())
    for twice, where in (
        (whole.replace('"predicateType"', '"_type": "x", "predicateType"'), "$._type"),
        (
            whole.replace(f'"sha256": "{HEX}"', f'"sha256": "{HEX}", "sha256": "{"00" * 32}"'),
            "$.subject[0].digest.sha256",
        ),
        (whole.replace('"x": 1', '"x": {"y": [{"z": 1, "z": 1}]}'), "$.predicate.x.y[0].z"),
    ):
        with pytest.raises(DuplicateKey) as refused:
            Statement.parse_unverified(twice.encode())
        assert refused.value.where == where


def test_numbers_are_what_was_signed() -> None:
    found = Statement.parse_unverified(json.dumps(body()).replace('"x": 1', '"x": [9007199254740993, 0.10]').encode())
    assert found.predicate["x"] == [9007199254740993, Decimal("0.10")]
    assert str(found.predicate["x"][1]) == "0.10"  # type: ignore[index]


def test_trailing_junk_is_refused() -> None:
    for payload in (json.dumps(body()) + "{}", json.dumps(body()) + "\0", "\ufeff" + json.dumps(body()), ""):
        with pytest.raises(NotJson):
            Statement.parse_unverified(payload.encode())


@pytest.mark.parametrize(
    ("changes", "where", "name"),
    [
        ({"subject": [SUBJECT] * 1025}, "$.subject", "subjects"),
        ({"subject": [{"digest": {f"x{n}": "y" for n in range(33)}}]}, "$.subject[0].digest", "digests"),
    ],
)
def test_cve_2023_46737_cve_2024_45395_one_over_a_bound_is_undecided_at_once(
    changes: dict[str, Any], where: str, name: str
) -> None:
    payload = json.dumps(body(**changes)).encode()
    start = time.process_time()
    with pytest.raises(LimitError) as refused:
        Statement.parse_unverified(payload)
    assert time.process_time() - start < 0.5
    assert refused.value.where == where
    assert f"({name})" in str(refused.value.wanted)


def test_the_bounds_themselves_pass() -> None:
    assert len(read(body(subject=[SUBJECT] * 1024)).subjects) == 1024
    many = {"sha256": HEX, **{f"x{n}": "y" for n in range(31)}}
    assert len(read(body(subject=[{"digest": many}])).subjects[0].digest) == 32
    payload = json.dumps(body()).encode()
    with pytest.raises(LimitError):
        Statement.parse_unverified(payload, limits=Limits(statement_bytes=len(payload) - 1))


def test_cve_2026_24137_names_are_kept_and_never_a_path() -> None:
    # A name such as these is a label within the statement. Nothing here opens a file.
    for name in ("../../etc/passwd", "/etc/passwd", "a\0b", "C:\\x", ".."):
        assert read(body(subject=[{**SUBJECT, "name": name}])).subjects[0].name == name


# --- writing ---------------------------------------------------------------------------------------------------------


def test_a_statement_is_written_in_canonical_json() -> None:
    subject = ResourceDescriptor(name="é", digest=DigestSet.of(sha256=HEX))
    made = Statement.make([subject], TYPE, {"b": 1, "a": [True, None, 1.5]})
    assert made.payload.decode() == (
        f'{{"_type":"{STATEMENT_V1}","predicate":{{"a":[true,null,1.5],"b":1}},"predicateType":"{TYPE}",'
        f'"subject":[{{"digest":{{"sha256":"{HEX}"}},"name":"é"}}]}}'
    )
    assert Statement.parse_unverified(made.payload) == made
    assert made.subjects == (subject,)
    assert hash(made) == hash(Statement.parse_unverified(made.payload))


@pytest.mark.parametrize("predicate_type", ["", "provenance", "no scheme", "https://a b", "1x:y", "https:"])
def test_a_predicate_type_that_is_no_uri_is_not_written(predicate_type: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        Statement.make([ResourceDescriptor(digest=DigestSet.of(sha256=HEX))], predicate_type, {})
    assert refused.value.where == "$.predicateType"


def test_what_cannot_be_said_is_not_written() -> None:
    subject = ResourceDescriptor(name="a", digest=DigestSet.of(sha256=HEX))
    with pytest.raises(UsageError):
        Statement.make([], TYPE, {})
    with pytest.raises(FieldMissing) as missing:
        Statement.make([subject, ResourceDescriptor(uri="https://x")], TYPE, {})
    assert missing.value.where == "$.subject[1].digest"
    for predicate, where in (
        ({"n": 2**53}, "$.predicate.n"),
        ({"n": Decimal("1e400")}, "$.predicate.n"),
        ({1: 1}, "$.predicate"),
    ):
        with pytest.raises(FieldRefused) as refused:
            Statement.make([subject], TYPE, predicate)  # type: ignore[arg-type]
        assert refused.value.where == where
    with pytest.raises(LimitError):
        Statement.make([subject] * 1025, TYPE, {})


# --- resources -------------------------------------------------------------------------------------------------------

WHOLE = {
    "name": "n",
    "uri": "git+https://x/y",
    "digest": {"gitCommit": "ab" * 20, "md5": "kept", "new": "value"},
    "content": "aGk=",
    "downloadLocation": "https://evil.example/never-fetched",
    "mediaType": "text/plain",
    "annotations": {"role": "code", "n": [1]},
}


def resource(value: object, **options: Any) -> ResourceDescriptor:
    node = Statement.parse_unverified(json.dumps(body(predicate={"r": value})).encode()).predicate_node.need("r")
    return ResourceDescriptor.parse(node, **options)


def test_a_resource_is_read_and_written_whole() -> None:
    found = resource({**WHOLE, "unknown": 1})
    assert found.to_dict() == WHOLE
    assert (found.name, found.content, found.digest.get("md5")) == ("n", b"hi", "kept")
    assert resource(found.to_dict()) == found
    assert found.label == "n"


@pytest.mark.parametrize("value", [{"uri": "x:y"}, {"content": ""}, {"content": "aGk="}, {"digest": {"new": "v"}}])
def test_one_of_three_identifies(value: dict[str, Any]) -> None:
    assert resource(value).to_dict() == value


@pytest.mark.parametrize("value", [{}, {"name": "n"}, {"uri": "", "digest": {}}, {"content": None}])
def test_a_resource_that_nothing_identifies_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(FieldMissing) as refused:
        resource(value)
    assert refused.value.where == "$.predicate.r"
    assert resource(value, must_identify=False).content is None


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"digest": {"gitCommit": "ab" * 32 + "0"}}, DigestRefused, "$.predicate.r.digest.gitCommit"),
        ({"digest": {"dirHash": HEX, "dirHash1": HEX}}, DigestRefused, "$.predicate.r.digest"),
        ({"digest": {"dirHash": HEX, "sha256": "cd" * 32}}, DigestRefused, "$.predicate.r.digest"),
        ({"content": "a*"}, Base64Refused, "$.predicate.r.content"),
        ({"annotations": []}, FieldRefused, "$.predicate.r.annotations"),
        ({"uri": 1}, FieldRefused, "$.predicate.r.uri"),
        ({"mediaType": []}, FieldRefused, "$.predicate.r.mediaType"),
    ],
)
def test_a_resource_of_the_wrong_shape_is_refused(
    changes: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(GlasswingError) as refused:
        resource({**WHOLE, **changes})
    assert type(refused.value) is error
    assert refused.value.where == where
