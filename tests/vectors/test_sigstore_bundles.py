"""Are the bundles of every client read, and is a certificate refused by name, never by accident?

Certificates are not verified in this release. Until they are, a bundle that is well formed must be read whole and be
refused as what it is; one that upstream calls unreadable must be refused as unreadable.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, Certificates, KeyHint, MessageSignature
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import (
    Base64Refused,
    CertificateUnsupported,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    MalformedError,
    MediaTypeUnsupported,
    MessageSignatureUnsupported,
    NotJson,
    UnsupportedError,
)
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification.procedure import prove
from tests.shared import Case, cases

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRUST = Trust.of(nobody=KeySigner.generate().public_key)

# What is refused while it is read: the class, the place, and (in the comment) how upstream names the stage.
REFUSED: dict[str, tuple[type[GlasswingError], str]] = {
    # parse
    "gh-cli:missing-verification-material": (FieldMissing, "$.verificationMaterial"),
    "sigstore-conformance:bundle-invalid-base64-signature_fail": (Base64Refused, "$.messageSignature.signature"),
    "sigstore-conformance:bundle-malformed-json_fail": (NotJson, "$"),
    "sigstore-conformance:bundle-negative-log-index_fail": (
        FieldRefused,
        "$.verificationMaterial.tlogEntries[0].logIndex",
    ),
    "sigstore-conformance:bundle-unknown-version_fail": (MediaTypeUnsupported, "$.mediaType"),
    "sigstore-python:bundle_invalid_version": (MediaTypeUnsupported, "$.mediaType"),
    # dsse-signature-count: a bundle has exactly one signature, so one with two is no bundle.
    "sigstore-go:dsse-2sigs": (FieldRefused, "$.dsseEnvelope.signatures"),
    # timestamp-dos: the bound is kept before anything is decoded.
    "sigstore-python:tsa.many_timestamp": (LimitError, "$.verificationMaterial.timestampVerificationData"),
    # "ErrorInvalidRekorEntry or invalid DSSE signature": the edit left bits behind the last base64 character, and what
    # does not re-encode to itself is not read.
    "slsa-verifier:bundle/invalid-dsse-sig": (Base64Refused, "$.dsseEnvelope.signatures[0].sig"),
}

# Upstream's reader refuses these at parse; each is a well-formed bundle that lacks its proof.
READ_ALL_THE_SAME = {
    f"sigstore-java:bundle.{version}.no-inclusion": "an absent inclusion proof is for the log's check to refuse"
    for version in ("v1", "v2", "v3_1")
}


def _bundle(case: Case, folder: Path) -> bytes:
    data: bytes = (folder / case.files["bundle"]).read_bytes()
    line = case.params.get("jsonl_line")
    return data if line is None else data.split(b"\n")[line]


@pytest.mark.parametrize("case", cases("sigstore-bundle"))
def test_a_bundle_is_read_and_its_certificate_refused_by_name(case: Case, shared_data: Path) -> None:
    data = _bundle(case, shared_data)
    if case.id in REFUSED:
        assert case.expect == "reject"
        error, where = REFUSED[case.id]
        for read in (Bundle.from_json, Attestation.parse):
            with pytest.raises(GlasswingError) as refused:
                read(data)
            assert type(refused.value) is error
            assert refused.value.where == where
        return
    stage = case.raw.get("stage") or ""
    assert "parse" not in stage or case.id in READ_ALL_THE_SAME
    bundle = Bundle.from_json(data)
    raw = json.loads(data)
    assert len(bundle.log_entries) == len(raw["verificationMaterial"].get("tlogEntries", []))
    if isinstance(bundle.content, MessageSignature):
        assert bundle.content.signature
        with pytest.raises(MessageSignatureUnsupported) as unsupported:
            Attestation.parse(data)
        assert unsupported.value.where == "$.messageSignature"
        return
    attestation = Attestation.parse(data)
    assert attestation.bundle == bundle
    if isinstance(bundle.material, KeyHint):
        assert case.case == "client.valid.v1.dsse.withPublicKey", "for its signature see test_key_signed.py"
        return
    assert all(bundle.material.chain)
    with pytest.raises(CertificateUnsupported) as certificate:
        prove(attestation, TRUST, claimed_at=NOW)
    assert certificate.value.where == "$.verificationMaterial"


def test_what_is_refused_at_parse_is_malformed_or_unsupported(shared_data: Path) -> None:
    stages = {p.values[0].id: p.values[0].raw.get("stage") for p in cases("sigstore-bundle")}
    at_parse = {name for name, stage in stages.items() if stage == "parse"}
    assert at_parse
    assert at_parse <= set(REFUSED)
    assert all(issubclass(REFUSED[name][0], MalformedError | UnsupportedError) for name in at_parse)
    assert stages.keys() >= {*REFUSED, *READ_ALL_THE_SAME}


def test_the_bundles_of_a_recorded_stack(recorded_stack: Path) -> None:
    run = 0
    for path in sorted(recorded_stack.glob("*.sigstore.json")):
        bundle = Bundle.from_json(path.read_bytes())
        assert isinstance(bundle.material, Certificates), path.name
        assert isinstance(bundle.content, Envelope) is ("-dsse" in path.name), path.name
        assert len(bundle.log_entries) == 1, path.name
        if isinstance(bundle.content, Envelope):
            attestation = Attestation.load(path)
            assert attestation.statement_unverified.subjects
            with pytest.raises(CertificateUnsupported):
                prove(attestation, TRUST, claimed_at=NOW)
        else:
            with pytest.raises(MessageSignatureUnsupported):
                Attestation.load(path)
        run += 1
    assert run == 13


def test_zero_values_that_a_writer_left_out_are_zero(recorded_stack: Path) -> None:
    # Proto3 JSON may leave out what is zero, and sigstore-js does: both spellings are one bundle.
    data = json.loads((recorded_stack / "js5v1-dsse.sigstore.json").read_bytes())
    (entry,) = data["verificationMaterial"]["tlogEntries"]
    entry.pop("logIndex", None)
    bare = Bundle.from_json(json.dumps(data).encode())
    entry["logIndex"] = "0"
    assert Bundle.from_json(json.dumps(data).encode()) == bare
    assert bare.log_entries[0].log_index == 0
