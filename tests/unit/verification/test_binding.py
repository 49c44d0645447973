"""Which payloads become statements?"""

import hashlib
import json
from typing import Any

import pytest

from glasswing_attest import Attestation
from glasswing_attest._wire import read_json
from glasswing_attest.bundle import Bundle
from glasswing_attest.errors import (
    DigestRefused,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    MessageSignatureUnsupported,
    NotJson,
    NotUtf8,
    PayloadTypeUnsupported,
    StatementTypeUnsupported,
    UnsupportedError,
)
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.verification import binding, signature
from glasswing_attest.verification.procedure import prove
from tests.chains import NOW, honest, seal, sha256, signer
from tests.unit.verification.asking import ALICE, PAYLOAD, refused

DIGEST = {"sha256": sha256(b"x")}


def proved(payload: bytes, payload_type: str = "application/vnd.in-toto+json", limits: Limits = DEFAULT) -> Any:
    """What a trusted key's signature over these very bytes proves."""
    attestation = Attestation.parse(seal(payload, signer("trainer"), payload_type), limits=limits)
    (verified,) = prove(attestation, honest().trust, claimed_at=NOW, limits=limits)
    return verified


def statement(**changes: Any) -> bytes:
    plain = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": DIGEST}],
        "predicateType": "https://example.com/t/v1",
        "predicate": {},
    }
    return json.dumps({k: v for k, v in {**plain, **changes}.items() if v is not ...}).encode()


@pytest.mark.parametrize(
    "payload_type",
    [
        "application/vnd.in-toto+json",
        "application/vnd.in-toto.provenance+json",
        "application/vnd.in-toto.A-Z_0.9+json",
    ],
    ids=["exact", "sub", "every-letter"],
)
def test_payload_types_of_in_toto(payload_type: str) -> None:
    assert proved(statement(), payload_type).statement.payload == statement()


@pytest.mark.parametrize(
    "payload_type",
    [
        "application/vnd.in-toto+JSON",
        "application/vnd.in-toto+json ",
        " application/vnd.in-toto+json",
        "application/vnd.in-toto+json\n",
        "application/vnd.in-toto+json; charset=utf-8",
        "application/vnd.in-toto.+json",
        "application/vnd.in-toto.x",
        "application/vnd.in-totoXx+json",
        "application/vnd.in-toto.é+json",
        "application/vnd.in-toto.a/b+json",
        "application/vnd.in-toto+xml",
        "application/vnd.in-toto",
        "application/json",
        "text/plain",
        "https://in-toto.io/Statement/v1",
    ],
)
def test_near_misses_are_no_payload_types_of_in_toto(payload_type: str) -> None:
    with pytest.raises(PayloadTypeUnsupported) as caught:
        proved(statement(), payload_type)
    assert isinstance(caught.value, UnsupportedError)
    assert (caught.value.code, caught.value.where) == ("unsupported.payload-type", "$.payloadType")


@pytest.mark.parametrize(
    ("payload", "error", "where"),
    [
        (b"", NotJson, "$"),
        (b"{", NotJson, "$"),
        (b"\xff", NotUtf8, "$"),
        (statement() + b"{}", NotJson, "$"),
        (b"[]", FieldRefused, "$"),
        (b'"text"', FieldRefused, "$"),
        (statement(_type=...), FieldMissing, "$._type"),
        (statement(_type="https://in-toto.io/Statement/v2"), StatementTypeUnsupported, "$._type"),
        (statement(_type="https://in-toto.io/Statement/v1 "), StatementTypeUnsupported, "$._type"),
        (statement(subject=...), FieldMissing, "$.subject"),
        (statement(subject=[]), FieldMissing, "$.subject"),
        (statement(subject={}), FieldRefused, "$.subject"),
        (statement(subject=[{"name": "x"}]), FieldMissing, "$.subject[0].digest"),
        (statement(subject=[{"name": "x", "digest": {}}]), FieldMissing, "$.subject[0].digest"),
        (statement(subject=[{"digest": DIGEST}, {"uri": "x:y"}]), FieldMissing, "$.subject[1].digest"),
        (statement(subject=[{"digest": {"sha256": "AB" * 32}}]), DigestRefused, "$.subject[0].digest.sha256"),
        (statement(subject=[{"digest": {"sha256": "ab" * 31}}]), DigestRefused, "$.subject[0].digest.sha256"),
        (statement(subject=[{"digest": {"sha256": 1}}]), FieldRefused, "$.subject[0].digest.sha256"),
        (statement(predicateType=...), FieldMissing, "$.predicateType"),
        (statement(predicateType=""), FieldMissing, "$.predicateType"),
        (statement(predicateType=["a"]), FieldRefused, "$.predicateType"),
        (statement(predicate=[]), FieldRefused, "$.predicate"),
        (statement().replace(b'"_type"', b'"_type": "x", "_type"', 1), DuplicateKey, "$._type"),
        (statement().replace(b'"predicate":', b'"predicate": {"a": 1, "a": 2}, "x":'), DuplicateKey, "$.predicate.a"),
    ],
)
def test_a_trusted_signature_over_what_is_no_statement(payload: bytes, error: type[Exception], where: str) -> None:
    with pytest.raises(error) as caught:
        proved(payload)
    assert isinstance(caught.value, GlasswingError)
    assert caught.value.where == where


def test_statement_v01_is_read_too() -> None:
    assert proved(statement(_type="https://in-toto.io/Statement/v0.1")).statement.predicate == {}


def test_unknown_fields_are_kept_and_ignored() -> None:
    payload = statement(more={"a": [1, None]}, subject=[{"name": "x", "digest": {**DIGEST, "future": "Zz"}, "z": 1}])
    verified = proved(payload)
    assert verified.statement.payload == payload
    assert verified.statement.subjects[0].digest.get("future") == "Zz"


def test_the_bytes_are_those_that_were_signed() -> None:
    payload = (
        b'\n {"predicateType"\t: "https://example.com/t/v1", "subject": [{"digest": '
        + json.dumps(DIGEST).encode()
        + b'}], "_type": "https://in-toto.io/Statement/v1", "predicate": {"n": 1.50, "m": 9007199254740993}} \n'
    )
    verified = proved(payload)
    assert verified.statement.payload == payload
    assert verified.statement.digest == sha256(payload)
    assert str(verified.statement.predicate["n"]) == "1.50"
    assert verified.statement.predicate["m"] == 9007199254740993


@pytest.mark.parametrize(
    ("limits", "payload"),
    [
        (Limits(subjects=1), statement(subject=[{"digest": DIGEST}] * 2)),
        (Limits(digests=1), statement(subject=[{"digest": {**DIGEST, "sha512": "00" * 64}}])),
        (Limits(statement_bytes=64), statement()),
        (Limits(json_depth=8), statement(predicate={"a": [[[[[[[[1]]]]]]]]})),
    ],
    ids=["subjects", "digests", "bytes", "depth"],
)
def test_one_over_a_limit_is_undecided(limits: Limits, payload: bytes) -> None:
    assert proved(payload)
    with pytest.raises(LimitError) as caught:
        proved(payload, limits=limits)
    assert caught.value.code == "limit"


def test_a_statement_is_read_again_within_the_caller_s_limits() -> None:
    verified = proved(statement(subject=[{"name": name, "digest": DIGEST} for name in "ab"]))
    again = binding.read_again(verified, limits=Limits(subjects=2))
    assert (again.statement, again.signer, again.times) == (verified.statement, verified.signer, verified.times)
    assert refused(LimitError, binding.read_again, verified, limits=Limits(subjects=1)) == ("limit", "$.subject")


def test_where_it_is_logged_is_told_once_for_each_place() -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(PAYLOAD, identity=ALICE, log=sigstore.logs)
    (verified,) = prove(made, sigstore.trust())
    assert len(verified.logs) == 2
    assert list(verified.logs) == sorted(verified.logs)


def test_what_signs_an_artifact_is_refused_where_it_stands() -> None:
    bundle = Bundle.parse(read_json(VirtualSigstore().sign_artifact(b"weights", identity=ALICE)))
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    signed = signature.check_message(bundle, (), digest=digest, content=b"weights")
    at = ("unsupported.message-signature", "$.messageSignature")
    assert refused(MessageSignatureUnsupported, binding.require_in_toto, signed) == at
