"""Do signatures that others made with keys prove what they prove elsewhere, and nothing more?

Every third-party case that was signed with a key runs here; what belongs to another layer is named with its reason.
"""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from glasswing_attest._wire import read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import (
    Base64Refused,
    CertificateUntrusted,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    KeyUntrusted,
    MediaTypeUnsupported,
    MessageSignatureUnsupported,
    NotJson,
    NotLogged,
    PayloadTypeUnsupported,
    SignatureInvalid,
    SubjectMismatch,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.statement import Statement
from glasswing_attest.trust.root import Trust, TrustedKey, Witness
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from glasswing_attest.verification import subject, timestamps, transparency
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.procedure import prove
from glasswing_attest.verification.signature import check_by
from tests.bundles import PRODUCTION, since_1970
from tests.shared import Case, cases

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OMS = "https://model_signing/signature/v1.0"


def proved(attestation: Attestation, key: PublicKey, keyids: tuple[str, ...] | None = None) -> VerifiedStatement:
    trusted = TrustedKey(name="signer", key=key, keyids=keyids)
    (verified,) = prove(attestation, Trust(keys=(trusted,)), claimed_at=NOW)
    assert verified.signer.names == {"signer"}
    assert verified.statement.payload == attestation.envelope.payload
    return verified


def key_of(path: Path) -> PublicKey:
    return PublicKey.from_pem(path.read_bytes())


# --- DSSE envelopes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("dsse-key"))
def test_a_dsse_envelope_proves_what_its_answer_says(case: Case, shared_data: Path) -> None:
    attestation = Attestation.parse((shared_data / case.files["envelope"]).read_bytes())
    key = key_of(shared_data / case.files["key"])
    if case.expect == "reject":
        assert case.raw["stage"] in ("signature", "key")
        with pytest.raises(KeyUntrusted) as refused:
            proved(attestation, key)
        assert refused.value.code == "verification.key-untrusted"
        return
    assert check_by(attestation, key).envelope == attestation.envelope
    if "pae" in case.params:
        # DSSE's own example: its signature is raw r || s, and its type is none of in-toto's.
        assert attestation.envelope.signed_bytes == case.params["pae"].encode()
        assert len(attestation.envelope.signatures[0].sig) == 64
        with pytest.raises(PayloadTypeUnsupported):
            proved(attestation, key)
    else:
        assert proved(attestation, key).statement.subjects


@pytest.mark.parametrize("case", cases("witness-policy"))
def test_a_witness_collection_is_signed_and_about_what_it_says(case: Case, shared_data: Path) -> None:
    # The policy itself is witness's own format; the signature and the subject are ours.
    attestation = Attestation.parse((shared_data / case.files["attestation"]).read_bytes())
    verified = proved(attestation, key_of(shared_data / case.files["key"]))
    wanted = DigestSet.of(sha256=case.params["subject_sha256"])
    if case.expect == "reject":
        assert case.raw["stage"] == "subject"
        with pytest.raises(SubjectMismatch):
            subject.match(verified, wanted)
    else:
        assert subject.match(verified, wanted).subject.digest.matches(wanted)


@pytest.mark.parametrize("case", cases("ite10-layout"))
def test_the_attestations_of_a_layout_are_signed_by_its_functionary(case: Case, shared_data: Path) -> None:
    # Which claims a layout asks for is its own format's business; a changed attestation must fail here already.
    layout = yaml.safe_load((shared_data / case.files["layout"]).read_text())
    keys = [
        PublicKey.of(Ed25519PublicKey.from_public_bytes(bytes.fromhex(f["keyVal"]["public"])))
        for f in layout["functionaries"].values()
    ]
    changed = [name for name in case.files["attestations"] if "/derived/" in name]
    assert bool(changed) == (case.raw.get("stage") == "signature")
    for name in case.files["attestations"]:
        attestation = Attestation.parse((shared_data / name).read_bytes())
        trust = Trust.of({f"functionary-{i}": key for i, key in enumerate(keys)})
        if name in changed:
            with pytest.raises(KeyUntrusted):
                prove(attestation, trust, claimed_at=NOW)
        elif "clone" in Path(name).name:
            # Contested: this file says `type` where in-toto says `_type`, so it is no statement, whoever signed it.
            with pytest.raises(FieldMissing) as refused:
                prove(attestation, trust, claimed_at=NOW)
            assert refused.value.where == "$._type"
        else:
            assert prove(attestation, trust, claimed_at=NOW)


# --- verification summaries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("slsa-vsa"))
def test_a_verification_summary_is_signed_by_the_key_of_that_id(case: Case, shared_data: Path) -> None:
    attestation = Attestation.parse((shared_data / case.files["attestation"]).read_bytes())
    key = key_of(shared_data / case.files["public_key"])
    keyid = case.params["public_key_id"]
    if case.expect == "reject":
        assert case.raw["stage"] == "signature"
        with pytest.raises(KeyUntrusted):
            proved(attestation, key, keyids=(keyid,))
        return
    verified = proved(attestation, key, keyids=(keyid,))
    assert verified.statement.predicate_type == SUMMARY_V1
    summary = VerificationSummary.from_predicate(verified.statement.predicate_node)
    assert summary.verifier_id == case.params["verifier_id"]
    assert summary.resource_uri == case.params["resource_uri"]
    assert summary.result == "PASSED"
    assert list(summary.levels) == case.params["verified_levels"]
    # Contested: the subject is named by a gce_image_id, an ordinal that a cloud hands out and no digest of any bytes.
    # It is kept and shown, and never matches: nobody can recompute it, so it proves nothing about bytes.
    algorithm, _, value = case.params["subject_digests"][0].partition(":")
    assert verified.statement.subjects[0].digest.get(algorithm) == value
    with pytest.raises(SubjectMismatch):
        subject.match(verified, DigestSet.of({algorithm: value}))


# --- the npm registry ------------------------------------------------------------------------------------------------


def _npm_trust(folder: Path) -> Trust:
    """The registry's keys, under the ids that it gives them."""
    listed = {
        key["keyId"]: PublicKey.from_pem(base64.b64decode(key["publicKey"]["rawBytes"]))
        for key in json.loads((folder / "_trust" / "npm.keys.json").read_bytes())["keys"]
    }
    return Trust(keys=tuple(TrustedKey(name=name, key=key, keyids=(name,)) for name, key in listed.items()))


def _npm_pair(case: Case, folder: Path) -> tuple[bytes, bytes]:
    """The bundle that the registry signed with its key, and the provenance that was signed with a certificate."""
    found = json.loads((folder / case.files["attestations"]).read_bytes())
    publish, provenance = found["attestations"] if isinstance(found, dict) else found
    assert publish["predicateType"] == "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
    return json.dumps(publish["bundle"]).encode(), json.dumps(provenance["bundle"]).encode()


@pytest.mark.parametrize("case", cases("slsa-npm"))
def test_a_publish_attestation_is_signed_by_the_registry(case: Case, shared_data: Path) -> None:
    # Builder, source, package name and version stand in the provenance, which a certificate signed: a trust without a
    # root believes nobody's. For the cases that are refused there, what is ours here is that the registry's own
    # attestation proves and names the package. What it proves with a root stands below.
    trust = _npm_trust(shared_data)
    publish, provenance = _npm_pair(case, shared_data)
    error: type[GlasswingError] = CertificateUntrusted
    if "invalidsigprov" in case.files["attestations"]:
        error = SignatureInvalid
    with pytest.raises(error) as unproven:
        prove(Attestation.parse(provenance), trust, claimed_at=NOW)
    assert type(unproven.value) is error
    if "invalidsigpub" in case.files["attestations"]:
        assert (case.expect, case.raw["stage"]) == ("reject", "signature")
        with pytest.raises(KeyUntrusted) as refused:
            prove(Attestation.parse(publish), trust, claimed_at=NOW)
        assert refused.value.where == "$.signatures"
        return
    (verified,) = prove(Attestation.parse(publish), trust, claimed_at=NOW)
    artifact = (shared_data / case.files["artifact"]).read_bytes()
    digests = DigestSet.of(sha512=hashlib.sha512(artifact).hexdigest())
    assert subject.match(verified, digests).subject.name.startswith("pkg:npm/")
    with pytest.raises(SubjectMismatch):
        subject.match(verified, DigestSet.of(sha512=hashlib.sha512(artifact + b"\0").hexdigest()))


@pytest.mark.parametrize("case", cases("slsa-npm"))
def test_what_npm_logged_is_witnessed_by_the_log(case: Case, shared_data: Path) -> None:
    # Both bundles of a package were logged: the registry's under its key, the provenance under its certificate.
    root = Root.parse((shared_data / PRODUCTION).read_bytes(), name="root", profile=PUBLIC_GOOD)
    witness = Witness(root="root", logs=1, times=1)
    trust = Trust(keys=tuple(replace(k, witness=witness) for k in _npm_trust(shared_data).keys), roots=(root,))
    publish, provenance = _npm_pair(case, shared_data)
    document = json.loads(provenance)
    embedded = len(document["verificationMaterial"]["x509CertificateChain"]["certificates"]) - 1
    assert (embedded > 0) is document["mediaType"].endswith("0.1")
    if embedded:
        # The first provenance of npm brings its root along (docs/adr/0011-contested-bundles.md).
        if "invalidsigprov" not in case.files["attestations"]:
            with pytest.raises(FieldRefused) as rooted:
                prove(Attestation.parse(provenance), trust)
            assert rooted.value.where == "$.verificationMaterial.x509CertificateChain"
            assert rooted.value.found == "a self-issued certificate"
        lenient = replace(root, profile=replace(PUBLIC_GOOD, embedded_roots="ignore"))
        trust = replace(trust, roots=(lenient,))
    if "invalidsigprov" in case.files["attestations"]:
        assert (case.expect, case.raw["stage"]) == ("reject", "signature")
        with pytest.raises(SignatureInvalid) as refused:
            prove(Attestation.parse(json.dumps(document).encode()), trust)
        assert refused.value.where == "$.signatures"
    else:
        (verified,) = prove(Attestation.parse(json.dumps(document).encode()), trust)
        assert verified.signer.issuer == "https://token.actions.githubusercontent.com"
        assert (verified.signer.san or "").startswith("https://github.com/")
        assert len(verified.times.times) == 1
    if "invalidsigpub" in case.files["attestations"]:
        with pytest.raises(KeyUntrusted):
            prove(Attestation.parse(publish), trust)
        return
    (verified,) = prove(Attestation.parse(publish), trust)
    (entry,) = json.loads(publish)["verificationMaterial"]["tlogEntries"]
    (time,) = verified.times.times
    assert time.time == datetime.fromtimestamp(int(entry["integratedTime"]), UTC)
    # Without its entry, or with the time of another moment, the same signature proves nothing.
    logless = json.loads(publish)
    logless["verificationMaterial"]["tlogEntries"] = []
    with pytest.raises(NotLogged) as absent:
        prove(Attestation.parse(json.dumps(logless).encode()), trust)
    assert absent.value.where == "tlogEntries"
    later = json.loads(publish)
    later["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = str(int(entry["integratedTime"]) + 1)
    with pytest.raises(SignatureInvalid) as moved:
        prove(Attestation.parse(json.dumps(later).encode()), trust)
    assert moved.value.where == "tlogEntries.inclusionPromise"


def test_ghsa_r2xv_vpr2_42m9_no_bit_of_a_publish_attestation_may_change(shared_data: Path) -> None:
    trust = _npm_trust(shared_data)
    case = next(p.values[0] for p in cases("slsa-npm") if p.values[0].expect == "accept")
    publish = json.loads(_npm_pair(case, shared_data)[0])
    envelope = publish["dsseEnvelope"]
    run = 0
    for holder, name in ((envelope, "payload"), (envelope["signatures"][0], "sig")):
        whole = base64.b64decode(holder[name])
        for position in range(len(whole)):
            changed = bytearray(whole)
            changed[position] ^= 1 << position % 8
            holder[name] = base64.b64encode(changed).decode()
            with pytest.raises(KeyUntrusted):
                prove(Attestation.parse(json.dumps(publish).encode()), trust, claimed_at=NOW)
            run += 1
        holder[name] = base64.b64encode(whole).decode()
    assert prove(Attestation.parse(json.dumps(publish).encode()), trust, claimed_at=NOW)
    assert run > 300


# --- Google Cloud Build ----------------------------------------------------------------------------------------------

# The keys that signed these envelopes are published elsewhere and lie in no corpus, so their signatures cannot be
# checked here: for all 50 cases, that is the one reason. Everything that needs no key is.
_GCB_BROKEN: dict[str, tuple[type[GlasswingError], str]] = {
    "gcb/v0.2/invalid-signature-encoding": (Base64Refused, "$.signatures[0].sig"),
    "gcb/v0.3/invalid-signature-encoding": (Base64Refused, "$.signatures[0].sig"),
    "gcb/v0.2/invalid-signature-empty": (FieldMissing, "$.signatures[0].sig"),
    "gcb/v0.3/invalid-signature-empty": (FieldMissing, "$.signatures[0].sig"),
    "gcb/v0.3/invalid-signature-none": (NotJson, "$"),
}


def _cloud_build(data: bytes) -> list[Attestation]:
    entries = read_json(data).need("provenance_summary").need("provenance").array()
    assert entries
    return [Attestation.parse(json.dumps(entry.need("envelope").object()).encode()) for entry in entries]


@pytest.mark.parametrize("case", cases("slsa-gcb"))
def test_cloud_build_envelopes_are_read_and_prove_nothing_without_their_key(case: Case, shared_data: Path) -> None:
    data = (shared_data / case.files["provenance"]).read_bytes()
    if case.case in _GCB_BROKEN:
        assert case.expect == "reject"
        error, where = _GCB_BROKEN[case.case]
        with pytest.raises(GlasswingError) as refused:
            _cloud_build(data)
        assert type(refused.value) is error
        assert refused.value.where == where
        return
    other = key_of(shared_data / "c2sp-dsse/dsse.pub")
    for attestation in _cloud_build(data):
        assert attestation.statement_unverified.predicate_type == "https://slsa.dev/provenance/v0.1"
        with pytest.raises(KeyUntrusted):
            prove(attestation, Trust.of(other=other), claimed_at=NOW)


# --- OMS, signed with a key ------------------------------------------------------------------------------------------

_MT_KEY = "model-transparency/scripts/tests/keys/certificate/signing-key-pub.pem"

# Proved here, and refused by a layer that a later issue brings. The reason says which one.
_FILE_SET = "the files on disk differ from the signed list: OMS verification compares them"
_OMS_RULE = "a rule of the OMS predicate, which is not read yet"
NOT_THIS_LAYER = {
    "model-transparency:v1.1.0-elliptic-key.modified-file": _FILE_SET,
    "model-transparency:v1.1.0-elliptic-key.extra-file": _FILE_SET,
    "model-transparency:v1.1.0-elliptic-key.missing-file.ignore-unsigned": _FILE_SET,
    "model-transparency:resigned.resource-dropped": "the root digest does not follow from the signed list: OMS",
    "model-transparency:resigned.unknown-hash-type": _OMS_RULE,
    "model-transparency:resigned.wrong-predicate-type": "any predicate type is proved; a policy asks for one",
    "oms-conformance:verify/negative/key-simple-extra-file_fail": _FILE_SET,
    "oms-conformance:verify/negative/key-simple-missing-file_fail": _FILE_SET,
    "oms-conformance:verify/negative/key-simple-tampered-content_fail": _FILE_SET,
}

# Refused here. Upstream says why each must be: where another fault comes first, the comment says so.
REFUSED: dict[str, tuple[type[GlasswingError], str]] = {
    "model-transparency:v1.0.0-elliptic-key.payload-edited": (KeyUntrusted, "$.signatures"),
    "model-transparency:v1.0.0-elliptic-key.payloadtype-edited": (KeyUntrusted, "$.signatures"),
    # From v1.1.0 on the bundle's hint names the key, so the refusal can say that this key did not sign this.
    "model-transparency:v1.1.0-elliptic-key.payloadtype-edited": (SignatureInvalid, "$.signatures"),
    "model-transparency:v1.1.0-elliptic-key.wrong-key-curve": (KeyUntrusted, "$.signatures"),
    "model-transparency:resigned.no-subject": (FieldMissing, "$.subject"),
    "model-transparency:resigned.empty-subject": (FieldMissing, "$.subject"),
    "model-transparency:resigned.wrong-payload-type": (PayloadTypeUnsupported, "$.payloadType"),
    # Its certificate has no alternative name at all, so it names nobody, whoever issued it.
    "model-transparency:v1.1.0-certificate.key-method": (
        FieldRefused,
        "$.verificationMaterial.certificate.subjectAltName",
    ),
    "oms-conformance:verify/negative/key-simple-corrupted-bundle_fail": (NotJson, "$"),
    "oms-conformance:verify/negative/key-simple-no-signature_fail": (FieldMissing, "$.dsseEnvelope.signatures"),
    "oms-conformance:verify/negative/key-simple-wrong-mediatype_fail": (MediaTypeUnsupported, "$.mediaType"),
    "oms-conformance:verify/negative/malformed-empty-bundle_fail": (NotJson, "$"),
    # Masked: upstream edited the payload and kept the signature, so the signature fails before the named fault is read.
    # For statements that are well signed and wrong, see model-transparency's resigned.* above.
    "oms-conformance:verify/negative/malformed-empty-resources_fail": (SignatureInvalid, "$.signatures"),
    "oms-conformance:verify/negative/malformed-no-predicate_fail": (SignatureInvalid, "$.signatures"),
    "oms-conformance:verify/negative/malformed-wrong-predicate_fail": (SignatureInvalid, "$.signatures"),
    "oms-conformance:verify/negative/malformed-wrong-statement-type_fail": (SignatureInvalid, "$.signatures"),
    "oms-conformance:verify/negative/sigstore-verify-as-key_fail": (CertificateUntrusted, "trust"),
}


def _oms(case: Case, folder: Path) -> tuple[bytes, PublicKey]:
    """The bundle and the key. oms-conformance ships no keys: its bundles were made with model-transparency's."""
    bundle = folder / (case.files["signature"] if "signature" in case.files else case.files["bundle"])
    return bundle.read_bytes(), key_of(folder / case.files.get("public_key", _MT_KEY))


def _by_key(corpus: str) -> list[Any]:
    """The cases that somebody is to verify with a key; one that skips, where there are no cases here."""
    return [p for p in cases("oms", corpus=corpus) if p.values[0] is None or p.values[0].params["method"] == "key"]


@pytest.mark.parametrize("case", [*_by_key("model-transparency"), *_by_key("oms-conformance")])
def test_a_model_signature_proves_its_statement(case: Case, shared_data: Path) -> None:
    data, key = _oms(case, shared_data)
    if case.id in REFUSED:
        assert case.expect == "reject"
        error, where = REFUSED[case.id]
        with pytest.raises(GlasswingError) as refused:
            proved(Attestation.parse(data), key)
        assert type(refused.value) is error
        assert refused.value.where == where
        return
    assert (case.expect == "accept") is (case.id not in NOT_THIS_LAYER)
    statement = proved(Attestation.parse(data), key).statement
    assert (statement.predicate_type == OMS) is (case.case != "resigned.wrong-predicate-type")
    assert statement.predicate["resources"]
    signed = case.params.get("expected_signed_files")
    if signed is not None:
        assert sorted(r.need("name").text() for r in statement.predicate_node.get_array("resources")) == sorted(signed)


def test_every_named_model_case_is_there(shared_data: Path) -> None:
    there = {
        p.values[0].id
        for corpus in ("model-transparency", "oms-conformance")
        for p in _by_key(corpus)
        if p.values[0] is not None
    }
    assert there >= {*NOT_THIS_LAYER, *REFUSED}


@pytest.mark.parametrize("case", cases("oms-schema"))
def test_the_bundles_of_the_model_signing_specification(case: Case, shared_data: Path) -> None:
    data = (shared_data / case.files["bundle"]).read_bytes()
    refusals: dict[str, tuple[type[GlasswingError], str]] = {
        "invalid/empty.bundle.json": (NotJson, "$"),
        "invalid/missing-envelope.bundle.json": (FieldMissing, "$"),
        "invalid/missing-verification-material.bundle.json": (FieldMissing, "$.verificationMaterial"),
    }
    if case.case in refusals:
        error, where = refusals[case.case]
        with pytest.raises(error) as refused:
            Attestation.parse(data)
        assert refused.value.where == where
        return
    statement = Attestation.parse(data).statement_unverified
    if case.case == "invalid/missing-tlog-entries.bundle.json":
        # Contested: OMS's JSON schema wants the member; in proto3 JSON an absent array is an empty one, and a key
        # bundle has no entry to show.
        assert Attestation.parse(data).bundle is not None
    assert (statement.predicate_type == OMS) is (case.case != "invalid-payload/wrong-predicate.bundle.json")


# --- Sigstore bundles with a managed key -----------------------------------------------------------------------------


def _managed(shared_data: Path) -> list[Case]:
    every = [p.values[0] for p in cases("sigstore-bundle")]
    return [case for case in every if case is not None and "key" in case.files]


def test_message_signatures_by_a_managed_key_carry_no_statement(shared_data: Path) -> None:
    run = 0
    for case in _managed(shared_data):
        data = (shared_data / case.files["bundle"]).read_bytes()
        if "messageSignature" in json.loads(data):
            with pytest.raises(MessageSignatureUnsupported) as refused:
                Attestation.parse(data)
            assert refused.value.code == "unsupported.message-signature", case.id
            run += 1
    assert run == 6


def test_a_dsse_bundle_by_a_managed_key_is_signed_and_no_statement(shared_data: Path) -> None:
    (case,) = (c for c in _managed(shared_data) if c.case == "client.valid.v1.dsse.withPublicKey")
    attestation = Attestation.parse((shared_data / case.files["bundle"]).read_bytes())
    key = key_of(shared_data / case.files["key"])
    assert check_by(attestation, key).scheme == "ecdsa-sha2-nistp256"
    with pytest.raises(PayloadTypeUnsupported) as refused:
        proved(attestation, key)
    assert refused.value.found == "text/plain"


def test_without_a_witness_a_log_entry_in_a_key_bundle_is_neither_read_nor_believed(shared_data: Path) -> None:
    folder = shared_data / "sigstore-js" / "json"
    attestation = Attestation.parse((folder / "client.valid.v1.dsse.withPublicKey.json").read_bytes())
    assert attestation.bundle is not None
    assert attestation.bundle.log_entries
    assert attestation.bundle.log_entries[0].integrated_time > 0
    key = key_of(folder / "client.valid.publicKey.key-1.pem")
    logged = transparency.check(check_by(attestation, key), None, at_least=0)
    assert logged.entries == ()
    assert timestamps.check(logged, None, at_least=0).times == ()


def test_with_a_witness_a_log_entry_in_a_key_bundle_must_hold_that_key(shared_data: Path) -> None:
    folder = shared_data / "sigstore-js" / "json"
    attestation = Attestation.parse((folder / "client.valid.v1.dsse.withPublicKey.json").read_bytes())
    (case,) = (c for c in _managed(shared_data) if c.case == "client.valid.v1.dsse.withPublicKey")
    document = json.loads((shared_data / case.files["trusted_root"]).read_bytes())
    since_1970(document)
    root = Root.parse(json.dumps(document).encode(), name="root", profile=PUBLIC_GOOD)
    signed = check_by(attestation, key_of(folder / "client.valid.publicKey.key-1.pem"))
    # The log holds a certificate's entry: docs/adr/0011-contested-bundles.md. All of them run in test_sigstore_bundles.
    for at_least in (0, 1):
        with pytest.raises(NotLogged) as refused:
            transparency.check(signed, root.logs, at_least=at_least)
        assert refused.value.where.endswith("signatures[0].publicKey")


def test_statements_that_are_well_signed_are_read_as_they_were_signed(shared_data: Path) -> None:
    # GHSA-7rmh-48mx-2vwc, CVE-2026-44309: what is read is the signed bytes, never a re-encoding of them.
    data = (shared_data / "model-transparency/scripts/tests/v1.1.0-elliptic-key/model.sig").read_bytes()
    attestation = Attestation.parse(data)
    verified = proved(attestation, key_of(shared_data / _MT_KEY))
    assert b"\n" in verified.statement.payload, "this signer writes indented JSON"
    assert verified.statement == Statement.parse_unverified(attestation.envelope.payload)
