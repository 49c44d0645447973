"""Does every model signature that others made get the answer that they state, for the reason that they state?

Signed models of model-transparency, of OMS's conformance suite and of its specification. Where another fault comes
before the one that a case is about, the reason stands in a table of decisions.
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Trust
from glasswing_attest.errors import (
    CertificateUntrusted,
    FieldMissing,
    FieldRefused,
    FileSetDiffers,
    GlasswingError,
    KeyUntrusted,
    MediaTypeUnsupported,
    ModelNotAccepted,
    NotJson,
    NotLogged,
    OutsideValidity,
    PayloadTypeUnsupported,
    SignatureInvalid,
    SubjectMismatch,
    TimeUnproven,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.oms import Identity, VerifiedModel, private_root, verify_model
from glasswing_attest.statement.predicates.oms import OMS_V1
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from tests.shared import Case, cases

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MT = "model-transparency/scripts/tests"
KEY = f"{MT}/keys/certificate/signing-key-pub.pem"
AUTHORITY = f"{MT}/keys/certificate/ca-cert.pem"


# By the stage at which a case must be refused: the error, and where it is found; "" stands for the file in question.
STAGES: dict[str, tuple[type[GlasswingError], str]] = {
    "file-set": (FileSetDiffers, ""),
    "digest": (SubjectMismatch, ""),
    "signature": (SignatureInvalid, "$.signatures"),
    "key": (KeyUntrusted, "$.signatures"),
    "root-digest": (FieldRefused, "$.subject[0].digest.sha256"),
    "payload-type": (PayloadTypeUnsupported, "$.payloadType"),
    "cert-chain": (CertificateUntrusted, "certificate"),
    "method": (ModelNotAccepted, "$.verificationMaterial"),
    "identity": (ModelNotAccepted, "signer"),
    "issuer": (ModelNotAccepted, "signer"),
}
# A case that states no stage, or one too coarse: what is wrong with it, as its description says.
REFUSED: dict[str, tuple[type[GlasswingError], str]] = {
    "model-transparency:resigned.wrong-predicate-type": (FieldRefused, "$.predicateType"),
    "model-transparency:resigned.no-subject": (FieldMissing, "$.subject"),
    "model-transparency:resigned.empty-subject": (FieldMissing, "$.subject"),
    "model-transparency:resigned.unknown-hash-type": (FieldRefused, "$.predicate.serialization.hash_type"),
    "oms-conformance:verify/negative/certificate-expired_fail": (OutsideValidity, "certificate"),
    "oms-conformance:verify/negative/key-simple-corrupted-bundle_fail": (NotJson, "$"),
    "oms-conformance:verify/negative/key-simple-extra-file_fail": (FileSetDiffers, "injected.bin"),
    "oms-conformance:verify/negative/key-simple-missing-file_fail": (FileSetDiffers, "signme-2"),
    "oms-conformance:verify/negative/key-simple-no-signature_fail": (FieldMissing, "$.dsseEnvelope.signatures"),
    "oms-conformance:verify/negative/key-simple-tampered-content_fail": (SubjectMismatch, "signme-1"),
    "oms-conformance:verify/negative/key-simple-wrong-mediatype_fail": (MediaTypeUnsupported, "$.mediaType"),
    "oms-conformance:verify/negative/key-verify-as-certificate_fail": (ModelNotAccepted, "$.verificationMaterial"),
    "oms-conformance:verify/negative/malformed-empty-bundle_fail": (NotJson, "$"),
    "oms-conformance:verify/negative/sigstore-tampered-content_fail": (SubjectMismatch, "signme-1"),
    "oms-conformance:verify/negative/sigstore-verify-as-key_fail": (ModelNotAccepted, "$.verificationMaterial"),
    "oms-conformance:verify/negative/sigstore-wrong-identity_fail": (ModelNotAccepted, "signer"),
    "oms-conformance:verify/negative/sigstore-wrong-issuer_fail": (ModelNotAccepted, "signer"),
}
_OLD_PAE = "signed before 1.0 over another encoding, which is not accepted here: so nothing behind the signature counts"
_NOT_RESIGNED = "edited and not signed again, so the signature fails first; resigned.* has the same fault well signed"
_NO_HINT = "the bundle does not name the key, so nobody can say whether it or the payload is another one"
# Refused as stated, and for a fault that comes first.
DECISIONS: dict[str, tuple[type[GlasswingError], str, str]] = {
    **{
        f"model-transparency:v0.2.0-certificate.{name}": (SignatureInvalid, "$.signatures", _OLD_PAE)
        for name in ("extra-file", "missing-file", "missing-file.ignore-unsigned", "swapped")
    },
    **{
        f"model-transparency:v1.0.0-elliptic-key.{name}": (KeyUntrusted, "$.signatures", _NO_HINT)
        for name in ("payload-edited", "payloadtype-edited")
    },
    **{
        f"oms-conformance:verify/negative/malformed-{name}_fail": (SignatureInvalid, "$.signatures", _NOT_RESIGNED)
        for name in ("empty-resources", "no-predicate", "wrong-predicate", "wrong-statement-type")
    },
}


def run(case: Case, folder: Path, tmp_path: Path, **more: Any) -> VerifiedModel:
    """Verify as the case says."""
    said = case.params.get("verify", case.params)
    signature = folder / (case.files.get("signature") or case.files["bundle"])
    model = changed(folder / case.files["model"], case.params.get("model_modifications"), tmp_path)
    trust, signer = believed(case, said, folder)
    # model-transparency says it from the top of the corpora, the conformance suite from that of the model.
    ignore = [str(path).removeprefix(f"{case.files['model']}/") for path in said.get("ignore_paths", ())]
    options: dict[str, Any] = {
        "signed_at": NOW,
        "unsigned_files_unsafe": "--ignore_unsigned_files" in case.params.get("options", ()),
    }
    return verify_model(model, signature, trust=trust, signer=signer, ignore=ignore, **(options | more))


def believed(case: Case, said: Mapping[str, Any], folder: Path) -> tuple[Trust, Identity | str]:
    """Whom the case believes. The conformance suite ships no keys here: its bundles are by model-transparency's."""
    method = case.params["method"]
    if method == "key":
        return Trust.of(key=PublicKey.from_pem((folder / case.files.get("public_key", KEY)).read_bytes())), "key"
    if method == "certificate":
        pem = (folder / case.files.get("certificate_chain", AUTHORITY)).read_bytes()
        return Trust(roots=(private_root("ca", pem),)), Identity(authority="ca", san="subject:CN=intermediate-ca")
    root = (folder / case.files.get("trusted_root", "_trust/prod.trusted_root.json")).read_bytes()
    trust = Trust(roots=(Root.parse(root, name="sigstore", profile=PUBLIC_GOOD),))
    return trust, Identity(issuer=said.get("issuer") or said["identity_provider"], san=said["identity"])


def changed(model: Path, changes: Mapping[str, Any] | None, tmp_path: Path) -> Path:
    """A copy of the model, changed as the case says."""
    if not changes:
        return model
    copy = tmp_path / model.name
    shutil.copytree(model, copy)
    for name in changes.get("delete", ()):
        (copy / name).unlink()
    for name, text in {**changes.get("inject", {}), **changes.get("tamper", {})}.items():
        (copy / name).write_text(text)
    for name, target in changes.get("symlinks", {}).items():
        (copy / name).symlink_to(target)
    return copy


def reason(case: Case) -> tuple[type[GlasswingError], str]:
    """What a case must be refused for."""
    if case.id in DECISIONS:
        return DECISIONS[case.id][:2]
    return REFUSED.get(case.id) or STAGES[case.raw["stage"]]


@pytest.mark.parametrize("case", cases("oms"))
def test_a_model_gets_the_answer_that_its_case_states(case: Case, shared_data: Path, tmp_path: Path) -> None:
    if case.expect == "accept":
        found = run(case, shared_data, tmp_path)
        assert found.statement.predicate_type == OMS_V1
        signed = case.params.get("expected_signed_files")
        if signed is not None:
            assert sorted(resource.name for resource in found.signature.resources) == sorted(signed)
        assert len(found.files) == len(found.signature.resources)
        assert found.order == "spec"
        return
    error, where = reason(case)
    with pytest.raises(GlasswingError) as refused:
        run(case, shared_data, tmp_path)
    assert type(refused.value) is error, refused.value
    if where:
        assert refused.value.where == where
    else:
        assert refused.value.where in ("newfile", "signme-1", "signme-2")


def test_every_decision_is_about_a_case_that_is_there(shared_data: Path) -> None:
    every = [p.values[0] for p in cases("oms")]
    assert len(every) == 89
    assert {*REFUSED, *DECISIONS} <= {case.id for case in every}
    assert not {*REFUSED} & {*DECISIONS}
    # Nothing that others accept is refused here.
    assert not [case.id for case in every if case.expect == "accept" and case.id in {*REFUSED, *DECISIONS}]


@pytest.mark.parametrize("case", [p for p in cases("oms") if p.values[0] is None or p.values[0].expect == "accept"])
def test_without_a_word_on_the_time_only_what_a_log_saw_is_accepted(
    case: Case, shared_data: Path, tmp_path: Path
) -> None:
    if case.params["method"] == "sigstore":
        assert run(case, shared_data, tmp_path, signed_at=None).signed_by is not None
        return
    with pytest.raises(TimeUnproven) as refused:
        run(case, shared_data, tmp_path, signed_at=None)
    assert refused.value.where == "$.verificationMaterial"


# --- the specification's own -----------------------------------------------------------------------------------------

SCHEMA: dict[str, tuple[type[GlasswingError], str]] = {
    "invalid/empty.bundle.json": (NotJson, "$"),
    "invalid/missing-envelope.bundle.json": (FieldMissing, "$"),
    "invalid/missing-verification-material.bundle.json": (FieldMissing, "$.verificationMaterial"),
    # An absent array is an empty one in proto3 JSON, so what is missing is the entry that Sigstore's method needs.
    "invalid/missing-tlog-entries.bundle.json": (NotLogged, "$.verificationMaterial.tlogEntries"),
    # Edited and not signed again.
    "invalid-payload/wrong-predicate.bundle.json": (SignatureInvalid, "$.signatures"),
}
# By which method they are signed, and which of model-transparency's models they are about: neither is said there.
MODELS: dict[str, tuple[str, str]] = {
    "valid/certificate.bundle.json": ("certificate", "v1.1.0-elliptic-key"),
    "valid/sigstore.bundle.json": ("sigstore", "v1.1.0-sigstore"),
    "invalid/missing-tlog-entries.bundle.json": ("sigstore", "v1.1.0-sigstore"),
}


@pytest.mark.parametrize("case", cases("oms-schema"))
def test_the_bundles_of_the_specification(case: Case, shared_data: Path) -> None:
    method, model = MODELS.get(case.case, ("key", "v1.1.0-elliptic-key"))
    said = {"identity": "stefanb@us.ibm.com", "issuer": "https://sigstore.verify.ibm.com/oauth2"}
    trust, signer = believed(replace(case, params={"method": method}), said, shared_data)

    def verified() -> VerifiedModel:
        path = shared_data / case.files["bundle"]
        ignore = ("ignore-me", "model.sig")
        return verify_model(shared_data / MT / model, path, trust=trust, signer=signer, signed_at=NOW, ignore=ignore)

    if case.expect == "accept":
        assert [entry.name for entry in verified().files] == ["signme-1", "signme-2"]
        return
    error, where = SCHEMA[case.case]
    with pytest.raises(GlasswingError) as refused:
        verified()
    assert type(refused.value) is error, refused.value
    assert refused.value.where == where
