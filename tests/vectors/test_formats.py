"""Are the containers of others read as they are, and do their attestations get the answers that are stated for them?"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest import Manifest, Policy, Trust, assess, formats
from glasswing_attest._wire import Node
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import (
    Base64Refused,
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    NotAccepted,
    NotJson,
    NotLogged,
    StoreUnavailable,
    SubjectMismatch,
)
from glasswing_attest.formats.cosign import from_layer
from glasswing_attest.policy.identities import is_signer
from glasswing_attest.policy.policy import GitHub, Identity
from glasswing_attest.store import gather
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile, Root
from glasswing_attest.verification.certificate import Leaf
from glasswing_attest.verification.identity import VerifiedSigner
from tests.bundles import PRODUCTION, STAGING, Question
from tests.shared import Case, cases
from tests.unit.formats.others import Layout, blob_bundle, chain_of, github, legacy, npm, tekton

# --- PEP 740 ---------------------------------------------------------------------------------------------------------


def of_publisher(publisher: Mapping[str, str]) -> Identity:
    """The policy's identity for what an index says of a publisher: docs/evidence.md has the same table."""
    if publisher["kind"] == "GitHub":
        return Identity(
            issuer="https://token.actions.githubusercontent.com",
            github=GitHub(repository=publisher["repository"], workflow=publisher["workflow"]),
        )
    if publisher["kind"] == "GitLab":
        project = f"https://gitlab.com/{publisher['repository']}"
        return Identity(
            issuer="https://gitlab.com",
            san=f"{project}//{publisher['workflow_filepath']}@refs/*/*",
            claims={"source_repository_uri": project},
        )
    if publisher["kind"] == "Google":
        return Identity(issuer="https://accounts.google.com", san=publisher["email"])
    assert publisher["kind"] == "CircleCI"
    project = f"https://circleci.com/api/v2/projects/{publisher['project_id']}"
    claims = {"source_repository_uri": "vcs_origin", "source_repository_ref": "vcs_ref"}
    return Identity(
        issuer="https://oidc.circleci.com",
        san=f"{project}/pipeline-definitions/{publisher['pipeline_definition_id']}",
        claims={claim: publisher[name] for claim, name in claims.items() if name in publisher},
    )


def _expected(params: Mapping[str, Any]) -> Callable[[VerifiedSigner], Identity]:
    def identity(signer: VerifiedSigner) -> Identity:
        if "publisher" in params:
            return of_publisher(params["publisher"])
        if "extensions" in params:
            claims = dict(params["extensions"])
            return Identity(issuer=claims.pop("issuer_v2"), claims=claims)
        # A case without an issuer accepts any; our policies do not, so the signer's own stands in for it.
        return Identity(issuer=params.get("issuer", signer.issuer), san=params.get("identity", signer.san))

    return identity


def _container(case: Case) -> str:
    (name,) = {"attestation", "provenance", "bundle"} & case.files.keys()
    return str(case.files[name])


def _question(part: bytes, case: Case, folder: Path) -> Question:
    return Question(
        bundle=part,
        profile=Profile(scts=1, logs=1, times=1),
        root=(folder / (STAGING if case.params.get("staging") else PRODUCTION)).read_bytes(),
        content=(folder / case.files["dist"]).read_bytes(),
        expected=_expected(case.params),
    )


# Why each is refused here. On staging, its log is a stranger, which is found out before its authority is.
REFUSED: dict[str, tuple[type[GlasswingError], str]] = {
    "rfc8785.digest-mismatch": (SubjectMismatch, "$.subject"),
    "rfc8785.policy-mismatch": (NotAccepted, "identity"),
    "gitlab.publisher-wrong": (NotAccepted, "identity"),
    "pa0019.publish.on-staging": (NotLogged, "tlogEntries"),
    "rfc8785.empty-tlog-entry": (FieldMissing, "$.verification_material.transparency_entries[0].logId"),
    "rfc8785.bundle-no-signatures": (FieldMissing, "$.dsseEnvelope.signatures"),
    "provenance.version2": (FormatUnsupported, "$.version"),
}

PEP740 = cases("pep740-attestation", "pep740-provenance", "bundle-to-pep740")


@pytest.mark.parametrize("case", PEP740)
def test_pypis_objects_get_their_answers(case: Case, shared_data: Path) -> None:
    data = (shared_data / _container(case)).read_bytes()

    def answer() -> None:
        for part in formats.unpack(data):
            bundle = part.data
            if case.kind == "bundle-to-pep740":
                (bundle,) = (each.data for each in formats.unpack(formats.to_pep740(Attestation.parse(bundle))))
            _question(bundle, case, shared_data).ask()

    if case.expect == "accept":
        answer()
        return
    error, where = REFUSED[case.case]
    with pytest.raises(GlasswingError) as refused:
        answer()
    assert type(refused.value) is error
    assert refused.value.where == where


@pytest.mark.parametrize("case", [p for p in PEP740 if p.values[0] is None or p.values[0].expect == "accept"])
def test_pypis_objects_come_back_as_they_were(case: Case, shared_data: Path) -> None:
    data = (shared_data / _container(case)).read_bytes()
    name = Path(case.files["dist"]).name
    for before in formats.read(data):
        written = formats.to_pep740(before)
        (after,) = formats.read(written)
        assert after.envelope == before.envelope
        assert after.bundle is not None
        assert before.bundle is not None
        assert after.bundle.log_entries == before.bundle.log_entries
        _question(after.bytes, case, shared_data).ask()
        if case.kind == "pep740-attestation":
            found, made = json.loads(data), json.loads(written)
            del found["verification_material"]["certificate"], made["verification_material"]["certificate"]
            assert made == found  # the certificate's own base64 may have been wrapped
        (subject,) = before.statement_unverified.subjects
        assert formats.same_distribution(subject.name, name)


@pytest.mark.parametrize("case", cases("publisher-vs-cert"))
def test_a_publisher_is_an_identity(case: Case, shared_data: Path) -> None:
    pem = (shared_data / case.files["cert"]).read_bytes()
    leaf = Leaf.parse(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER))
    # No signature: only what the certificate says is compared, as `is_signer` compares it.
    assert is_signer(of_publisher(case.params["publisher"]), _claimed(leaf)) is (case.expect == "accept")


class _Claimed:
    names: frozenset[str] = frozenset()
    root = "root"

    def __init__(self, leaf: Leaf) -> None:
        self.issuer, self.san, self.claims = leaf.issuer, leaf.san, leaf.claims


def _claimed(leaf: Leaf) -> VerifiedSigner:
    return cast(VerifiedSigner, _Claimed(leaf))


@pytest.mark.parametrize("case", cases("dist-filename"))
def test_a_distributions_name_is_normalised(case: Case) -> None:
    name = case.params["filename"]
    if case.expect == "accept":
        assert formats.normalised_filename(name) == case.params["normalized"]
        assert formats.same_distribution(name, case.params["normalized"])
        return
    assert case.raw["stage"] == "name-grammar"
    with pytest.raises(FieldRefused) as refused:
        formats.normalised_filename(name)
    assert (refused.value.where, refused.value.found) == ("name", name)


# --- npm, Google Cloud Build -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("slsa-npm"))
def test_npms_lists_are_taken_apart_as_they_stand(case: Case, shared_data: Path) -> None:
    data = (shared_data / case.files["attestations"]).read_bytes()
    publish, provenance = formats.unpack(data)
    assert publish.data in data
    assert provenance.data in data
    assert publish.label.endswith("[0].bundle")
    said = [each.statement_unverified.predicate_type for each in formats.read(data)]
    assert said[0] == "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
    assert said[1].startswith("https://slsa.dev/provenance/")
    assert [item.data for item in gather(shared_data / case.files["attestations"])] == [publish.data, provenance.data]


# The same as `_GCB_BROKEN` of test_key_signed.py, with the place within the container.
_ENVELOPE = "$.provenance_summary.provenance[0].envelope"
GCB_BROKEN: dict[str, tuple[type[GlasswingError], str]] = {
    "invalid-signature-encoding": (Base64Refused, f"{_ENVELOPE}: $.signatures[0].sig"),
    "invalid-signature-empty": (FieldMissing, f"{_ENVELOPE}: $.signatures[0].sig"),
    "invalid-signature-none": (NotJson, "$"),
}


@pytest.mark.parametrize("case", cases("slsa-gcb"))
def test_cloud_builds_descriptions_are_taken_apart_as_they_stand(case: Case, shared_data: Path) -> None:
    data = (shared_data / case.files["provenance"]).read_bytes()
    name = case.case.rpartition("/")[2]
    if name in GCB_BROKEN:
        error, where = GCB_BROKEN[name]
        with pytest.raises(GlasswingError) as refused:
            formats.read(data)
        assert type(refused.value) is error
        assert refused.value.where == where
        return
    told = json.loads(data)["provenance_summary"]["provenance"]
    parts = formats.unpack(data)
    assert [json.loads(part.data) for part in parts] == [each["envelope"] for each in told]
    assert all(part.data in data for part in parts)
    assert [part.label for part in parts] == [
        f"$.provenance_summary.provenance[{n}].envelope" for n in range(len(told))
    ]
    for read in formats.read(data):
        assert read.statement_unverified.predicate_type == "https://slsa.dev/provenance/v0.1"


# --- bundles of others, as other tools keep them ---------------------------------------------------------------------

JS = "gh-cli/pkg/cmd/attestation/test/data/sigstore-js-2.1.0"


def _asked(bundle: bytes, folder: Path) -> VerifiedSigner:
    root = (folder / PRODUCTION).read_bytes()
    return Question(bundle=bundle, profile=Profile(scts=1, logs=1, times=1), root=root).ask()


def test_lines_of_github(shared_data: Path) -> None:
    data = (shared_data / f"{JS}_with_2_bundles.jsonl").read_bytes()
    parts = formats.unpack(data)
    assert b"\n".join(part.data for part in parts) == data.strip()
    assert [part.label for part in parts] == ["line 1", "line 2"]
    for part in formats.unpack(github(*(part.data for part in parts))):
        assert _asked(part.data, shared_data).issuer == "https://token.actions.githubusercontent.com"


@pytest.mark.parametrize("name", ["-bundle-v0.1.json", "-bundle.json"])
def test_a_real_bundle_survives_every_container(name: str, shared_data: Path, tmp_path: Path) -> None:
    # It was logged by Rekor with a promise, so that cosign could have kept it in the way it did before bundles.
    bundle = (shared_data / f"{JS}{name}").read_bytes()
    signer = _asked(bundle, shared_data)
    assert signer.san is not None
    for container in (github(bundle), npm(bundle), b" ".join(bundle.split(b"\n"))):
        (part,) = formats.unpack(container)
        assert _asked(part.data, shared_data) == signer
    made = formats.read(json.dumps(blob_bundle(bundle)).encode())
    assert [_asked(each.bytes, shared_data).san for each in made] == [signer.san]
    assert made[0].envelope == Attestation.parse(bundle).envelope
    layout = Layout(tmp_path).attest(bundle).attest_as_before(bundle, chain=_public_good_chain(shared_data))
    assert [_asked(item.data, shared_data).san for item in gather(layout.folder)] == [signer.san] * 2


def test_npms_provenance_tells_no_start_and_needs_none_where_the_policy_cuts_its_source_away(shared_data: Path) -> None:
    bundle = (shared_data / f"{JS}-bundle.json").read_bytes()
    said = Attestation.parse(bundle).statement_unverified
    assert "startedOn" not in str(said.predicate)
    root = Root.parse((shared_data / PRODUCTION).read_bytes(), name="public-good", profile=PUBLIC_GOOD)
    package = Manifest.declared("file", said.subjects[0].digest, name="sigstore-2.1.0.tgz")
    rules = """
version: 1
declared: allow
identities:
  npm:
    issuer: https://token.actions.githubusercontent.com
    github: {repository: sigstore/sigstore-js, workflow: release.yml, ref: refs/heads/main}
nodes:
  file:
    require:
      - predicate: provenance
        signed_by: {any_of: [npm]}
        expect: {builder: https://github.com/actions/runner/github-hosted}
  code: CODE
"""
    asked = "{require: [{predicate: code, signed_by: {any_of: [npm]}}]}"
    for code, found in ((asked, "chain.causality"), ("{trim: {reason: the workflow checks it out}}", None)):
        policy = Policy.parse(rules.replace("CODE", code).encode())
        report = assess(package, bundle, policy=policy, trust=Trust(roots=(root,)))
        assert (report.accepted, report.cause and report.cause.code) == (found is None, found)
        assert found is None or "trim nodes.code in the policy" in str(report.cause)


def _public_good_chain(folder: Path) -> str:
    class Production:
        def trusted_root(self) -> bytes:
            document = json.loads((folder / PRODUCTION).read_bytes())
            document["certificateAuthorities"] = document["certificateAuthorities"][-1:]
            return json.dumps(document).encode()

    return chain_of(cast(Any, Production()))


def test_a_promise_of_another_time_is_refused(shared_data: Path) -> None:
    bundle = (shared_data / f"{JS}-bundle-v0.1.json").read_bytes()
    document = blob_bundle(bundle)
    document["rekorBundle"]["Payload"]["integratedTime"] += 1
    (made,) = formats.read(json.dumps(document).encode())
    with pytest.raises(GlasswingError) as refused:
        _asked(made.bytes, shared_data)
    assert (refused.value.code, refused.value.where) == ("verification.signature", "tlogEntries.inclusionPromise")


@pytest.mark.parametrize("case", cases("slsa-gha-image"))
def test_cosigns_layouts_are_followed_as_far_as_they_are_there(case: Case, shared_data: Path, tmp_path: Path) -> None:
    # The corpus left the blobs out: what can be told is that the index is one, and that nothing is taken for granted.
    index = (shared_data / case.files["oci_layout_index"]).read_bytes()
    layout = Layout(tmp_path)
    (layout.folder / "index.json").write_bytes(index)
    with pytest.raises(StoreUnavailable) as absent:
        gather(layout.folder)
    first = json.loads(index)["manifests"][0]["digest"].partition(":")[2]
    assert absent.value.where == str(layout.folder / "blobs" / "sha256" / first)


def test_what_proves_one_envelope_proves_no_other(shared_data: Path) -> None:
    one = (shared_data / f"{JS}-bundle-v0.1.json").read_bytes()
    data = (
        shared_data / "gh-cli/pkg/cmd/attestation/test/data/reusable-workflow-attestation.sigstore.json"
    ).read_bytes()
    envelope, _ = legacy(one)
    _, annotations = legacy(data)
    mixed = from_layer(envelope, Node(cast(Any, annotations), "$"))
    with pytest.raises(GlasswingError) as refused:
        _asked(mixed, shared_data)
    assert refused.value.code == "verification.signature"
    assert Attestation.parse(mixed).envelope == Attestation.parse(one).envelope


# --- Tekton Chains ---------------------------------------------------------------------------------------------------


def test_an_envelope_of_tekton_chains_in_its_run(shared_data: Path) -> None:
    envelope = (shared_data / "guac/internal/testing/testdata/exampledata/oci-dsse-att.json").read_bytes()
    (read,) = formats.read(json.dumps(tekton("taskrun-57e7ef8e", envelope)).encode())
    assert read.bytes == envelope
    said = read.statement_unverified
    assert said.predicate_type == "https://slsa.dev/provenance/v0.2"
    assert said.predicate["builder"] == {"id": "https://tekton.dev/chains/v2"}


# --- what is no evidence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("cyclonedx", "spdx3", "openvex", "osv-advisory"))
def test_other_documents_are_refused_by_every_formats_name(case: Case, shared_data: Path) -> None:
    data = (shared_data / next(iter(case.files.values()))).read_bytes()
    with pytest.raises(GlasswingError) as refused:
        formats.read(data)
    if isinstance(refused.value, FormatUnsupported):
        assert refused.value.because.count(": no") == 11
        assert refused.value.where == "$"
    else:  # not JSON, or not JSON that is read one way only
        assert refused.value.code in ("malformed.json", "malformed.utf8", "malformed.duplicate-key", "limit")
