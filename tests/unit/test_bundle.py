"""Is a Sigstore bundle of every version read whole, and everything that is none refused with its place?"""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.bundle import (
    BUNDLE_V03,
    Bundle,
    Certificates,
    InclusionProof,
    KeyHint,
    LogEntry,
    MessageSignature,
)
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import (
    Base64Refused,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    MediaTypeUnsupported,
)

ENVELOPE = {"payload": "aGk=", "payloadType": "text/plain", "signatures": [{"sig": "c2ln"}]}
MESSAGE = {"messageDigest": {"algorithm": "SHA2_256", "digest": "aGk="}, "signature": "c2ln"}
ENTRY = {
    "logIndex": "7",
    "logId": {"keyId": "a2V5"},
    "kindVersion": {"kind": "dsse", "version": "0.0.1"},
    "integratedTime": "1700000000",
    "inclusionPromise": {"signedEntryTimestamp": "c2V0"},
    "inclusionProof": {
        "logIndex": "3",
        "treeSize": "9",
        "rootHash": "cm9vdA==",
        "hashes": ["aGE=", "aGI="],
        "checkpoint": {"envelope": "origin\n9\n"},
    },
    "canonicalizedBody": "Ym9keQ==",
}
KEY_BUNDLE: dict[str, Any] = {
    "mediaType": BUNDLE_V03,
    "verificationMaterial": {
        "publicKey": {"hint": "h"},
        "tlogEntries": [ENTRY],
        "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": "dHM="}]},
    },
    "dsseEnvelope": ENVELOPE,
}


def changed(change: Callable[[Any], object]) -> dict[str, Any]:
    """A deep copy, changed by `change`."""
    body = copy.deepcopy(KEY_BUNDLE)
    change(body)
    return body


def at(*path: str | int, value: object = ...) -> dict[str, Any]:
    """The key bundle with one member replaced, or without it."""

    def change(body: Any) -> None:
        for step in path[:-1]:
            body = body[step]
        if value is ...:
            del body[path[-1]]
        else:
            body[path[-1]] = value

    return changed(change)


def read(body: object) -> Bundle:
    return Bundle.from_json(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("media_type", "version"),
    [
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", "0.1"),
        ("application/vnd.dev.sigstore.bundle+json;version=0.2", "0.2"),
        ("application/vnd.dev.sigstore.bundle+json;version=0.3", "0.3"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", "0.3"),
    ],
)
def test_every_version_is_read(media_type: str, version: str) -> None:
    found = read(at("mediaType", value=media_type))
    assert found.version == version
    assert found.material == KeyHint(hint="h")
    assert found.content == Envelope(
        payload=b"hi", payload_type="text/plain", signatures=(EnvelopeSignature(sig=b"sig"),)
    )
    assert found.timestamps == (b"ts",)
    assert found.log_entries == (
        LogEntry(
            log_index=7,
            log_id=b"key",
            kind="dsse",
            version="0.0.1",
            integrated_time=1_700_000_000,
            inclusion_promise=b"set",
            inclusion_proof=InclusionProof(
                log_index=3, tree_size=9, root_hash=b"root", hashes=(b"ha", b"hb"), checkpoint="origin\n9\n"
            ),
            canonicalized_body=b"body",
        ),
    )


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "application/json",
        "application/vnd.dev.sigstore.bundle+json",
        "application/vnd.dev.sigstore.bundle+json;version=0.4",
        "application/vnd.dev.sigstore.bundle.v0.4+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json ",
        "APPLICATION/vnd.dev.sigstore.bundle.v0.3+json",
    ],
)
def test_another_media_type_is_refused(media_type: str) -> None:
    with pytest.raises(MediaTypeUnsupported) as refused:
        read(at("mediaType", value=media_type))
    assert (refused.value.where, refused.value.found) == ("$.mediaType", media_type)


VM = "verificationMaterial"


def test_certificates_are_kept_leaf_first() -> None:
    one = at(VM, "publicKey")
    one[VM]["certificate"] = {"rawBytes": "bGVhZg=="}
    assert read(one).material == Certificates(chain=(b"leaf",))
    chain = at(VM, "publicKey")
    chain[VM]["x509CertificateChain"] = {"certificates": [{"rawBytes": "bGVhZg=="}, {"rawBytes": "Y2E="}]}
    assert read(chain).material == Certificates(chain=(b"leaf", b"ca"))


def test_a_message_signature_is_read() -> None:
    body = at("dsseEnvelope")
    body["messageSignature"] = MESSAGE
    assert read(body).content == MessageSignature(algorithm="SHA2_256", digest=b"hi", signature=b"sig")
    body["messageSignature"] = {"signature": "c2ln"}
    assert read(body).content == MessageSignature(algorithm="", digest=b"", signature=b"sig")


def test_what_is_zero_may_be_left_out() -> None:
    # Proto3 JSON: an absent member has its type's zero value, and so has null.
    bare = at(VM, "tlogEntries", 0, value={})
    empty = LogEntry(
        log_index=0,
        log_id=b"",
        kind="",
        version="",
        integrated_time=0,
        inclusion_promise=None,
        inclusion_proof=None,
        canonicalized_body=b"",
    )
    assert read(bare).log_entries == (empty,)
    nulls = at(VM, "tlogEntries", 0, value=dict.fromkeys(ENTRY))
    assert read(nulls).log_entries == (empty,)
    proof = read(at(VM, "tlogEntries", 0, "inclusionProof", value={})).log_entries[0].inclusion_proof
    assert proof == InclusionProof(log_index=0, tree_size=0, root_hash=b"", hashes=(), checkpoint="")
    assert read(at(VM, value={"publicKey": {}})) == Bundle(
        version="0.3", material=KeyHint(), content=read(KEY_BUNDLE).content
    )


@pytest.mark.parametrize("value", [7, "7"])
def test_a_64_bit_number_is_a_string_or_an_integer(value: object) -> None:
    assert read(at(VM, "tlogEntries", 0, "logIndex", value=value)).log_entries[0].log_index == 7


@pytest.mark.parametrize("value", [7.0, 7.5, "7.0", "1e1", "-1", -1, "", "0x7", True, 2**64, [7]])
@pytest.mark.parametrize("name", ["logIndex", "integratedTime"])
def test_any_other_number_is_refused(name: str, value: object) -> None:
    with pytest.raises(FieldRefused) as refused:
        read(at(VM, "tlogEntries", 0, name, value=value))
    assert refused.value.where == f"$.{VM}.tlogEntries[0].{name}"


def test_unknown_fields_are_ignored() -> None:
    body = at("mediaType", value=BUNDLE_V03)
    body["new"] = body[VM]["new"] = body[VM]["publicKey"]["rawBytes"] = "junk*"
    body[VM]["tlogEntries"][0]["new"] = {"a": [1]}
    assert read(body) == read(KEY_BUNDLE)


TWO = {**ENVELOPE, "signatures": [{"sig": "c2ln"}, {"sig": "c2ln"}]}


@pytest.mark.parametrize(
    ("body", "error", "where"),
    [
        ({}, FieldMissing, "$.mediaType"),
        (at("mediaType", value=3), FieldRefused, "$.mediaType"),
        (at(VM), FieldMissing, f"$.{VM}"),
        (at(VM, value=[]), FieldRefused, f"$.{VM}"),
        (at(VM, value={}), FieldMissing, f"$.{VM}"),
        (at(VM, "publicKey", value=None), FieldMissing, f"$.{VM}"),
        (at(VM, "certificate", value={"rawBytes": "aGk="}), FieldRefused, f"$.{VM}"),
        (at(VM, "publicKey", value="h"), FieldRefused, f"$.{VM}.publicKey"),
        (at(VM, "publicKey", "hint", value=1), FieldRefused, f"$.{VM}.publicKey.hint"),
        (at(VM, value={"certificate": {}}), FieldMissing, f"$.{VM}.certificate.rawBytes"),
        (
            at(VM, value={"x509CertificateChain": {"certificates": []}}),
            FieldMissing,
            f"$.{VM}.x509CertificateChain",
        ),
        (at("dsseEnvelope"), FieldMissing, "$"),
        (at("messageSignature", value=MESSAGE), FieldRefused, "$"),
        (at("dsseEnvelope", value=TWO), FieldRefused, "$.dsseEnvelope.signatures"),
        (at("dsseEnvelope", "signatures", value=[]), FieldMissing, "$.dsseEnvelope.signatures"),
        (at("dsseEnvelope", "payload", value="a*"), Base64Refused, "$.dsseEnvelope.payload"),
        (at(VM, "tlogEntries", value={}), FieldRefused, f"$.{VM}.tlogEntries"),
        (at(VM, "tlogEntries", 0, value="e"), FieldRefused, f"$.{VM}.tlogEntries[0]"),
        (at(VM, "tlogEntries", 0, "logId", value={}), FieldMissing, f"$.{VM}.tlogEntries[0].logId.keyId"),
        (
            at(VM, "tlogEntries", 0, "canonicalizedBody", value="a*"),
            Base64Refused,
            f"$.{VM}.tlogEntries[0].canonicalizedBody",
        ),
        (
            at(VM, "tlogEntries", 0, "inclusionProof", "hashes", 1, value="a*"),
            Base64Refused,
            f"$.{VM}.tlogEntries[0].inclusionProof.hashes[1]",
        ),
        (
            at(VM, "timestampVerificationData", "rfc3161Timestamps", 0, value={}),
            FieldMissing,
            f"$.{VM}.timestampVerificationData.rfc3161Timestamps[0].signedTimestamp",
        ),
        ([], FieldRefused, "$"),
        ("{}", FieldRefused, "$"),
    ],
)
def test_what_is_no_bundle_is_refused_with_its_place(body: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        read(body)
    assert type(refused.value) is error
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("body", "bound"),
    [
        (at("dsseEnvelope", "signatures", value=[{"sig": "c2ln"}] * 33), "signatures"),
        (at(VM, "tlogEntries", value=[ENTRY] * 33), "log_entries"),
        (
            at(VM, "timestampVerificationData", "rfc3161Timestamps", value=[{"signedTimestamp": "dHM="}] * 33),
            "timestamps",
        ),
        (at(VM, value={"x509CertificateChain": {"certificates": [{"rawBytes": "aGk="}] * 17}}), "certificates"),
        (at(VM, "tlogEntries", 0, "inclusionProof", "hashes", value=["aGE="] * 65), "proof_hashes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cve_2023_46737_cve_2024_45395_one_over_a_bound_is_undecided(body: object, bound: str) -> None:
    with pytest.raises(LimitError) as refused:
        read(body)
    assert f"({bound})" in str(refused.value.wanted)


def test_a_key_bundle_is_written_as_it_is_read() -> None:
    envelope = Envelope(payload=b"hi", payload_type="t", signatures=(EnvelopeSignature(sig=b"sig", keyid="k"),))
    made = Bundle.of_key(envelope, "hint")
    assert b"\n" not in made
    found = Bundle.from_json(made)
    assert (found.version, found.material, found.content) == ("0.3", KeyHint(hint="hint"), envelope)
    assert (found.log_entries, found.timestamps) == ((), ())
    with pytest.raises(FieldRefused) as refused:
        Bundle.of_key(Envelope(payload=b"", payload_type="t", signatures=()), "hint")
    assert refused.value.where == "$.dsseEnvelope.signatures"


# --- written ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda b: None,
        lambda b: b["verificationMaterial"].update(tlogEntries=[]),
        lambda b: b["verificationMaterial"].pop("timestampVerificationData"),
        lambda b: b["verificationMaterial"]["tlogEntries"][0].pop("inclusionPromise"),
        lambda b: b["verificationMaterial"]["tlogEntries"][0].pop("inclusionProof"),
        lambda b: b["verificationMaterial"]["tlogEntries"][0].pop("logIndex"),
        lambda b: b["verificationMaterial"]["tlogEntries"][0].pop("integratedTime"),
        lambda b: b["verificationMaterial"]["tlogEntries"][0]["inclusionProof"].pop("hashes"),
        lambda b: b.update(messageSignature=b.pop("dsseEnvelope") and MESSAGE),
        lambda b: _named(b, certificate={"rawBytes": "Y2VydA=="}),
        lambda b: _named(b, x509CertificateChain={"certificates": [{"rawBytes": "YQ=="}, {"rawBytes": "Yg=="}]}),
    ],
)
def test_what_is_written_reads_as_what_it_was(change: Callable[[Any], object]) -> None:
    read = Bundle.from_json(json.dumps(changed(change)).encode())
    written = read.to_json()
    assert Bundle.from_json(written) == read
    assert b"\n" not in written
    assert Bundle.from_json(written).to_json() == written


def _named(body: dict[str, Any], **material: Any) -> None:
    del body["verificationMaterial"]["publicKey"]
    body["verificationMaterial"].update(material)


def test_what_no_bundle_may_hold_is_not_written() -> None:
    with pytest.raises(FieldRefused) as refused:
        Bundle(
            version="0.3", material=Certificates(chain=(b"a", b"b")), content=Envelope.from_json(_json(ENVELOPE))
        ).to_json()
    assert (refused.value.code, refused.value.where) == ("malformed.field", "$.verificationMaterial.certificate")
    twice = {**ENVELOPE, "signatures": [{"sig": "c2ln"}] * 2}
    with pytest.raises(FieldRefused) as refused:
        Bundle(version="0.3", material=KeyHint(), content=Envelope.from_json(_json(twice))).to_json()
    assert (refused.value.code, refused.value.where) == ("malformed.field", "$.dsseEnvelope.signatures")


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def test_what_other_clients_wrote_is_written_with_the_same_meaning(recorded_stack: Path) -> None:
    bundles = sorted(recorded_stack.glob("*.sigstore.json"))
    assert len(bundles) > 8
    for path in bundles:
        read = Bundle.from_json(path.read_bytes())
        again = Bundle.from_json(read.to_json())
        assert again == replace(read, version="0.3"), path.name
        theirs, ours = json.loads(path.read_bytes()), json.loads(read.to_json())
        if read.version == "0.3":
            assert _meant(ours) == _meant(theirs), path.name


def _meant(value: Any) -> Any:
    """JSON as protobuf means it: what is zero or empty was not said."""
    if isinstance(value, dict):
        inner = {name: _meant(each) for name, each in value.items()}
        return {name: each for name, each in inner.items() if each not in ("", "0", [], {}, None)}
    return [_meant(each) for each in value] if isinstance(value, list) else value
