"""Is an envelope read as DSSE v1 has it, and kept as it came?"""

import json
from typing import Any

import pytest

from glasswing_attest._wire import encode_base64
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import Base64Refused, FieldMissing, FieldRefused, GlasswingError, LimitError
from glasswing_attest.limits import Limits


def envelope(**changes: Any) -> dict[str, Any]:
    body = {"payload": "aGk=", "payloadType": "text/plain", "signatures": [{"sig": "c2ln", "keyid": "k"}]}
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}


def read(body: object, limits: Limits | None = None) -> Envelope:
    return Envelope.from_json(json.dumps(body).encode(), limits=limits or Limits())


def test_an_envelope_is_read_and_written() -> None:
    found = read(envelope(unknown={"kept": "ignored"}))
    assert found == Envelope(
        payload=b"hi", payload_type="text/plain", signatures=(EnvelopeSignature(sig=b"sig", keyid="k"),)
    )
    assert found.to_dict() == envelope()
    assert found.signed_bytes == b"DSSEv1 10 text/plain 2 hi"
    assert read(found.to_dict()) == found


def test_the_url_safe_alphabet_is_read() -> None:
    # DSSE v1, envelope.md: either alphabet; sigstore's own readers take one only.
    payload = b"\xfb\xff\xbf"
    assert read(envelope(payload="-_-_")).payload == payload
    assert read(envelope(payload=encode_base64(payload))).payload == payload


def test_a_keyid_is_optional_and_an_empty_payload_is_one() -> None:
    assert read(envelope(signatures=[{"sig": "c2ln"}])).signatures[0].keyid == ""
    assert read(envelope(signatures=[{"sig": "c2ln", "keyid": None}])).signatures[0].keyid == ""
    assert read(envelope(payload="")).payload == b""


@pytest.mark.parametrize(
    ("body", "error", "where"),
    [
        (envelope(payload=...), FieldMissing, "$.payload"),
        (envelope(payload=None), FieldMissing, "$.payload"),
        (envelope(payload="a*Gk="), Base64Refused, "$.payload"),
        (envelope(payload={"a": 1}), FieldRefused, "$.payload"),
        (envelope(payloadType=...), FieldMissing, "$.payloadType"),
        (envelope(payloadType=""), FieldMissing, "$.payloadType"),
        (envelope(payloadType=1), FieldRefused, "$.payloadType"),
        (envelope(signatures=...), FieldMissing, "$.signatures"),
        (envelope(signatures=[]), FieldMissing, "$.signatures"),
        (envelope(signatures={}), FieldRefused, "$.signatures"),
        (envelope(signatures=["c2ln"]), FieldRefused, "$.signatures[0]"),
        (envelope(signatures=[{"keyid": "k"}]), FieldMissing, "$.signatures[0].sig"),
        (envelope(signatures=[{"sig": ""}]), FieldMissing, "$.signatures[0].sig"),
        (envelope(signatures=[{"sig": "c2ln"}, {"sig": "c2lo="}]), Base64Refused, "$.signatures[1].sig"),
        (envelope(signatures=[{"sig": "c2ln", "keyid": 1}]), FieldRefused, "$.signatures[0].keyid"),
        ([], FieldRefused, "$"),
    ],
)
def test_what_is_no_envelope_is_refused_with_its_place(body: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        read(body)
    assert type(refused.value) is error
    assert refused.value.where == where


def test_cve_2023_46737_endless_signatures_are_bounded() -> None:
    assert len(read(envelope(signatures=[{"sig": "c2ln"}] * 32)).signatures) == 32
    with pytest.raises(LimitError) as refused:
        read(envelope(signatures=[{"sig": "c2ln"}] * 33))
    assert (refused.value.where, refused.value.found) == ("$.signatures", 33)


def test_cve_2024_29903_a_payload_is_bounded() -> None:
    with pytest.raises(LimitError) as refused:
        read(envelope(), Limits(statement_bytes=1))
    assert (refused.value.where, refused.value.wanted) == ("$.payload", "at most 1 (statement_bytes)")
