"""Is every container taken apart, each part as it stands, and everything else refused by all the formats' names?"""

import json
from typing import Any

import pytest

from glasswing_attest import formats
from glasswing_attest.artifact.file import Blob
from glasswing_attest.attestation import Attestation
from glasswing_attest.attestation_set import AttestationSet
from glasswing_attest.errors import (
    Base64Refused,
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    MessageSignatureUnsupported,
    NotJson,
    NotProtobuf,
    UsageError,
)
from glasswing_attest.formats import Part
from glasswing_attest.formats.reading import FORMATS
from glasswing_attest.limits import Limits
from tests.unit.formats.others import (
    ENVELOPE,
    SECOND,
    SIGNED,
    SIMPLE_SIGNING,
    blob_bundle,
    cloud_build,
    github,
    npm,
    tekton,
)

ONE, TWO = SIGNED.bytes, SECOND.bytes


def labels(data: bytes) -> list[str]:
    return [part.label for part in formats.unpack(data)]


def data_of(data: bytes) -> list[bytes]:
    return [part.data for part in formats.unpack(data)]


@pytest.mark.parametrize("data", [ONE, ENVELOPE, b'{"a": 1}', b"[1]", b"garbage", b"", b"\xff", b'{"a": 1, "a": 2}'])
def test_one_attestation_and_what_nobody_knows_are_their_own_only_part(data: bytes) -> None:
    assert formats.unpack(data) == (Part(data=data),)


def test_what_has_the_shape_of_an_attestation_is_one_whatever_else_it_has() -> None:
    both = ONE[:-1] + b',"attestations":[]}'
    assert formats.unpack(both) == (Part(data=both),)
    assert formats.parse(both).envelope == SIGNED.envelope


@pytest.mark.parametrize("write", [github, npm])
def test_lists_of_bundles(write: Any) -> None:
    data = write(ONE, TWO)
    assert data_of(data) == [ONE, TWO]
    assert labels(data) == ["$.attestations[0].bundle", "$.attestations[1].bundle"]
    assert formats.read(data) == (SIGNED, SECOND)


def test_npms_list_may_be_bare() -> None:
    data = json.dumps(json.loads(npm(ONE, TWO))["attestations"]).encode()
    assert labels(data) == ["$[0].bundle", "$[1].bundle"]


def test_cloud_builds_envelopes() -> None:
    data = cloud_build(ENVELOPE, ENVELOPE)
    assert data_of(data) == [ENVELOPE, ENVELOPE]
    assert labels(data)[1] == "$.provenance_summary.provenance[1].envelope"


def test_lines_and_containers_on_lines() -> None:
    data = ONE + b"\n\n" + npm(TWO, ONE) + b"\r\n" + ENVELOPE
    assert data_of(data) == [ONE, TWO, ONE, ENVELOPE]
    assert labels(data) == [
        "line 1",
        "line 3: $.attestations[0].bundle",
        "line 3: $.attestations[1].bundle",
        "line 4",
    ]
    assert len(formats.read(data)) == 4


def test_a_set() -> None:
    data = AttestationSet(items=(ONE, Blob(b"x").measure(), TWO)).to_bytes()
    assert data_of(data) == [ONE, TWO]
    assert labels(data) == ["attestation 1 of a set", "attestation 2 of a set"]
    with pytest.raises(NotProtobuf):
        formats.unpack(data[:-1])


@pytest.mark.parametrize(
    ("document", "error", "where"),
    [
        ({"attestations": []}, FieldMissing, "$.attestations"),
        ({"attestations": {}}, FieldRefused, "$.attestations"),
        ({"attestations": [{"bundle": None, "bundle_url": "https://x"}]}, FieldMissing, "$.attestations[0].bundle"),
        ({"attestations": [{"bundle": "x"}]}, FieldRefused, "$.attestations[0].bundle"),
        ({"attestations": [7]}, FieldRefused, "$.attestations[0]"),
        ({"attestations": [{"predicateType": "x", "bundle": []}]}, FieldRefused, "$.attestations[0].bundle"),
        ({"provenance_summary": {}}, FieldMissing, "$.provenance_summary.provenance"),
        ({"provenance_summary": {"provenance": [{}]}}, FieldMissing, "$.provenance_summary.provenance[0].envelope"),
        ({"attestation_bundles": []}, FieldMissing, "$.version"),
        ({"version": 1, "attestation_bundles": []}, FieldMissing, "$.attestation_bundles"),
        ({"version": 2, "attestation_bundles": []}, FormatUnsupported, "$.version"),
        ({"version": "1", "attestation_bundles": []}, FormatUnsupported, "$.version"),
        ({"version": 1, "attestation_bundles": [{}]}, FieldMissing, "$.attestation_bundles[0].attestations"),
        ({"base64Signature": "MEUC"}, MessageSignatureUnsupported, "$.base64Signature"),
        ({"base64Signature": "M"}, Base64Refused, "$.base64Signature"),
        (SIMPLE_SIGNING, MessageSignatureUnsupported, "$"),
        ({"Base64Signature": "MEUC", "Payload": "e30="}, MessageSignatureUnsupported, "$"),
    ],
)
def test_a_broken_container_is_refused_with_the_path(document: Any, error: type[GlasswingError], where: str) -> None:
    data = json.dumps(document).encode()
    for call in (formats.unpack, formats.read, formats.parse):
        with pytest.raises(GlasswingError) as refused:
            call(data)
        assert type(refused.value) is error
        assert refused.value.where == where


def test_a_broken_part_is_refused_with_both_paths() -> None:
    broken = json.loads(github(ONE, TWO))
    broken["attestations"][1]["bundle"]["dsseEnvelope"]["signatures"] = []
    data = json.dumps(broken).encode()
    assert len(formats.unpack(data)) == 2
    with pytest.raises(FieldMissing) as refused:
        formats.read(data)
    assert refused.value.where == "$.attestations[1].bundle: $.dsseEnvelope.signatures"
    with pytest.raises(NotJson) as line:
        formats.read(ONE + b"\nx\n")
    assert line.value.where == "line 2: $"


# --- what is none ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b'{"bomFormat": "CycloneDX"}', b"{}", b"[]", b"[1]", b'"text"', b"null"])
def test_a_refusal_names_every_format_that_was_tried(data: bytes) -> None:
    for call in (formats.read, formats.parse):
        with pytest.raises(FormatUnsupported) as refused:
            call(data)
        said = str(refused.value)
        assert refused.value.where == "$"
        assert refused.value.code == "unsupported.format"
        for name in ("Sigstore bundle", "DSSE envelope", "in-toto Metablock", *(each.name for each in FORMATS)):
            clause = said.partition(f"{name}: ")[2].partition(";")[0]
            assert clause.startswith(("no ", "not every ")), (name, said)
        assert refused.value.to_dict()["because"] in said
    assert len(FORMATS) == 8


def test_an_unsigned_statement_is_called_one() -> None:
    with pytest.raises(FormatUnsupported) as refused:
        formats.read(SIGNED.envelope.payload)
    assert "Nobody signed this statement" in str(refused.value)


def test_a_container_is_not_one_attestation() -> None:
    with pytest.raises(FormatUnsupported) as refused:
        formats.parse(github(ONE, TWO))
    assert refused.value.found == "GitHub attestations: a container of 2"
    assert "formats.read" in str(refused.value)
    with pytest.raises(FormatUnsupported) as bare:
        formats.parse(json.dumps(json.loads(npm(ONE))["attestations"]).encode())
    assert bare.value.found == "npm attestations: a container of 1"


def test_loading_a_container_as_one_points_to_what_reads_it(tmp_path: Any) -> None:
    path = tmp_path / "file"
    for data, error in ((github(ONE, TWO), FormatUnsupported), (ONE + b"\n" + TWO, NotJson)):
        path.write_bytes(data)
        with pytest.raises(GlasswingError) as refused:
            Attestation.load(path)
        assert type(refused.value) is error
        assert "formats.read(data)" in str(refused.value)


def test_nothing_is_not_read_as_nothing() -> None:
    with pytest.raises(FieldMissing) as refused:
        formats.read(AttestationSet(items=()).to_bytes())
    assert refused.value.where == "data"
    with pytest.raises(NotJson):
        formats.read(b"")


def test_limits_hold() -> None:
    with pytest.raises(LimitError) as refused:
        formats.unpack(github(ONE, TWO, ONE), limits=Limits(evidence=2))
    assert refused.value.where == "$.attestations[2].bundle"
    with pytest.raises(LimitError):
        formats.unpack(ONE + b"\n" + TWO, limits=Limits(evidence=1))
    with pytest.raises(LimitError):
        formats.unpack(npm(ONE), limits=Limits(evidence_bytes=100))


@pytest.mark.parametrize("data", ["text", bytearray(b"{}"), None, {}])
def test_only_bytes_are_read(data: Any) -> None:
    with pytest.raises(UsageError):
        formats.unpack(data)


# --- Tekton Chains ---------------------------------------------------------------------------------------------------


def test_a_run_of_tektons() -> None:
    signed = json.dumps(json.loads(ONE)["dsseEnvelope"], indent=1).encode()
    run = tekton("taskrun-57e7", signed)
    (part,) = formats.unpack(json.dumps(run).encode())
    assert part.data == signed
    assert part.label == "$.metadata.annotations['chains.tekton.dev/signature-taskrun-57e7']"
    # An image's signature stands there in the same way, and is no statement.
    run["metadata"]["annotations"]["chains.tekton.dev/signature-05f95b26ed10"] = "MEUC"
    assert data_of(json.dumps(run).encode()) == [signed]
    pipeline = run | {"kind": "PipelineRun"}
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}
    several = {"apiVersion": "v1", "kind": "List", "items": [run, other, pipeline]}
    assert data_of(json.dumps(several).encode()) == [signed, signed]


@pytest.mark.parametrize(
    ("annotations", "error", "where"),
    [
        (None, FieldMissing, "$.metadata.annotations"),
        ({"chains.tekton.dev/signed": "true"}, FieldMissing, "$.metadata.annotations"),
        (
            {"chains.tekton.dev/signature-a": "MEUC"},
            MessageSignatureUnsupported,
            "$.metadata.annotations['chains.tekton.dev/signature-a']",
        ),
        (
            {"chains.tekton.dev/signature-a": "%"},
            Base64Refused,
            "$.metadata.annotations['chains.tekton.dev/signature-a']",
        ),
        (
            {"chains.tekton.dev/signature-a": 1},
            FieldRefused,
            "$.metadata.annotations['chains.tekton.dev/signature-a']",
        ),
    ],
)
def test_a_run_without_a_statement_is_refused(annotations: Any, error: type[GlasswingError], where: str) -> None:
    run = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": {"annotations": annotations}}
    with pytest.raises(GlasswingError) as refused:
        formats.unpack(json.dumps(run).encode())
    assert type(refused.value) is error
    assert refused.value.where == where


# --- cosign's file ---------------------------------------------------------------------------------------------------


def test_cosigns_file_of_a_blob() -> None:
    document = blob_bundle(ONE)
    (read,) = formats.read(json.dumps(document).encode())
    assert read.envelope == SIGNED.envelope
    assert read.bundle is not None
    assert SIGNED.bundle is not None
    assert read.bundle.version == "0.1"
    assert read.material == SIGNED.material
    assert read.bundle.log_entries[0].canonicalized_body == SIGNED.bundle.log_entries[0].canonicalized_body
    del document["rekorBundle"], document["cert"]
    (bare,) = formats.read(json.dumps(document).encode())
    assert bare.bundle is None
    # Where a key signed, cosign keeps its public half in the certificate's place.
    document["cert"] = "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0="
    assert formats.read(json.dumps(document).encode()) == (bare,)
