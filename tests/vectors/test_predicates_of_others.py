"""Are the predicates and documents that others publish read, and each refused where it must be, for its own reason?"""

import bz2
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest._wire import Node, canonical_json, decode_base64, parse_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.attestation import Attestation
from glasswing_attest.claims import registry_of
from glasswing_attest.errors import DigestRefused, FieldMissing, FieldRefused, GlasswingError, NotJson
from glasswing_attest.limits import DEFAULT
from glasswing_attest.statement.predicates.cyclonedx import CycloneDX
from glasswing_attest.statement.predicates.oms import OMS_DIGESTS_V01, OMS_V1, ModelSignature
from glasswing_attest.statement.predicates.openvex import OpenVex
from glasswing_attest.statement.predicates.predicate_type import Dependency
from glasswing_attest.statement.predicates.publish import NPM_PUBLISH_V01, PYPI_PUBLISH_V1, NpmPublish, PypiPublish
from glasswing_attest.statement.predicates.spdx import Spdx2, Spdx3
from glasswing_attest.statement.predicates.vulns import VulnScan
from glasswing_attest.statement.predicates.witness import TYPES as WITNESS_TYPES
from glasswing_attest.statement.predicates.witness import Collection
from tests.shared import Case, cases

GUAC = "guac/internal/testing/testdata/exampledata"
Refusal = tuple[type[GlasswingError], str]


# --- bills of materials ----------------------------------------------------------------------------------------------

# What a reader of name, version, purl and digests must notice, by the case's name without its version.
_NOTICED: dict[str, Refusal] = {
    "invalid-bomformat": (FieldRefused, "$.bomFormat"),
    "invalid-serialnumber": (FieldRefused, "$.serialNumber"),
    "invalid-hash-sha1": (DigestRefused, "$.components[0].hashes[1].content"),
    "invalid-hash-sha256": (DigestRefused, "$.components[0].hashes[2].content"),
    "invalid-hash-sha512": (DigestRefused, "$.components[0].hashes[3].content"),
}
# These break CycloneDX's schema in what is not typed here (types of components, licences, patches, references, scopes).
# Validating a document against its schema is not a wrapper's job, and so they are read.
_SCHEMA_ONLY = frozenset(
    {
        "invalid-component-external-version-and-range",
        "invalid-component-ref",
        "invalid-component-swid",
        "invalid-component-type",
        "invalid-component-versionRange-non-external-implicit",
        "invalid-issue-type",
        "invalid-license-choice",
        "invalid-license-declared-concluded-mix",
        "invalid-license-encoding",
        "invalid-license-missing-id-and-name",
        "invalid-metadata-distribution",
        "invalid-metadata-license",
        "invalid-missing-component-type",
        "invalid-patch-type",
        "invalid-scope",
    }
)


@pytest.mark.parametrize("case", cases("cyclonedx", corpus="cyclonedx-spec"))
def test_the_suite_of_cyclonedx(case: Case, shared_data: Path) -> None:
    data = (shared_data / case.files["bom"]).read_bytes()
    name = case.case.split("/")[-1].removesuffix(f"-{case.params['version']}")
    if case.expect == "reject" and name not in _SCHEMA_ONLY:
        error, where = _NOTICED[name]
        with pytest.raises(error) as refused:
            CycloneDX.parse(data)
        assert refused.value.where == where
        return
    found = CycloneDX.parse(data)
    assert found.spec_version == case.params["version"]
    assert found.document == parse_json(data)
    # Numbers with a fraction among them: what is written for the signature says the same.
    assert CycloneDX.parse(canonical_json(found.to_predicate())) == found


READERS: dict[str, Any] = {"CycloneDX": CycloneDX, "SPDX 2": Spdx2, "SPDX 3": Spdx3}
# Who refuses a document of another kind, and for which reason.
_STRANGERS: dict[tuple[str, str], Refusal] = {
    ("CycloneDX", "SPDX 2"): (FieldMissing, "$.spdxVersion"),
    ("CycloneDX", "SPDX 3"): (FieldMissing, "$['@context']"),
    ("SPDX 2", "CycloneDX"): (FieldMissing, "$.bomFormat"),
    ("SPDX 2", "SPDX 3"): (FieldMissing, "$['@context']"),
    ("SPDX 3", "CycloneDX"): (FieldMissing, "$.bomFormat"),
    ("SPDX 3", "SPDX 2"): (FieldMissing, "$.spdxVersion"),
}
_DOCUMENTS: dict[str, tuple[str, int]] = {
    f"{GUAC}/alpine-cyclonedx.json": ("CycloneDX", 15),
    f"{GUAC}/busybox-cyclonedx.json.bz2": ("CycloneDX", 1),
    f"{GUAC}/cyclonedx-components-flat.json": ("CycloneDX", 3),
    f"{GUAC}/cyclonedx-components-nested.json": ("CycloneDX", 3),
    f"{GUAC}/cyclonedx-no-top-level.json": ("CycloneDX", 1),
    f"{GUAC}/cyclonedx-unaffected-vex.json": ("CycloneDX", 0),
    f"{GUAC}/cyclonedx-vex-false-positive.json": ("CycloneDX", 0),
    f"{GUAC}/cyclonedx-vex-resolved-with-pedigree.json": ("CycloneDX", 0),
    f"{GUAC}/distroless-cyclonedx.json": ("CycloneDX", 3),
    f"{GUAC}/no-dependent-components-cyclonedx.json": ("CycloneDX", 0),
    f"{GUAC}/alpine-small-spdx.json": ("SPDX 2", 3),
    f"{GUAC}/alpine-spdx.json": ("SPDX 2", 14),
    f"{GUAC}/go-spdx-multi-arch_1.json": ("SPDX 2", 3),
    f"{GUAC}/go-spdx-multi-arch_2.json": ("SPDX 2", 3),
    f"{GUAC}/go-spdx-multi-arch_3.json": ("SPDX 2", 4),
    f"{GUAC}/oci-kubectl-linux-amd64-spdx.json": ("SPDX 2", 88),
    f"{GUAC}/oci-kubectl-linux-arm64-spdx.json": ("SPDX 2", 88),
    f"{GUAC}/small-spdx.json": ("SPDX 2", 3),
    "carabiner-collector/envelope/bare/testdata/ampel.spdx.json": ("SPDX 2", 4),
    "carabiner-collector/predicate/spdx3/testdata/spdx2.json": ("SPDX 2", 4),
    "carabiner-collector/predicate/spdx3/testdata/cyclonedx.json": ("CycloneDX", 1),
    "go-witness/attestation/sbom/boms/cyclonedx-json/alpine.cyclonedx.json": ("CycloneDX", 15),
    "go-witness/attestation/sbom/boms/spdx-2.2/alpine.spdx-2-2.json": ("SPDX 2", 15),
    "go-witness/attestation/sbom/boms/spdx-2.3/alpine.spdx-2-3.json": ("SPDX 2", 15),
    "spdx-examples/ai/example02/spdx3.0/sbom.spdx3.json": ("SPDX 3", 2),
    "spdx-examples/dataset/example01/spdx3.0/example01.spdx3.json": ("SPDX 3", 1),
    "spdx-examples/software/example1/spdx3.0/example1.json": ("SPDX 3", 1),
    "spdx-examples/software/example7/spdx3.0/example7-golang.spdx3.json": ("SPDX 3", 1),
    "spdx-examples/software/example7/spdx3.0/example7-third-party-modules.spdx3.json": ("SPDX 3", 2),
}


@pytest.mark.shared
@pytest.mark.parametrize("path", _DOCUMENTS)
def test_a_document_is_read_as_what_it_is_and_as_nothing_else(path: str, shared_data: Path) -> None:
    kind, components = _DOCUMENTS[path]
    data = (shared_data / path).read_bytes()
    if path.endswith(".bz2"):
        data = bz2.decompress(data)
    found = READERS[kind].parse(data)
    assert len(found.components) == components
    assert found.document == parse_json(data)
    assert READERS[kind].parse(canonical_json(found.to_predicate())) == found
    for other, reader in READERS.items():
        if other != kind:
            error, where = _STRANGERS[kind, other]
            with pytest.raises(error) as refused:
                reader.parse(data)
            assert refused.value.where == where


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "kind", "error", "where"),
    [
        (f"{GUAC}/invalid-cyclonedx.json", "CycloneDX", FieldRefused, "$.bomFormat"),
        (f"{GUAC}/invalid-cyclonedx.xml", "CycloneDX", NotJson, "$"),
        (f"{GUAC}/invalid-spdx-identifier-spdx.json", "SPDX 2", FieldRefused, "$.SPDXID"),
        # Other JSON-LD: an OpenVEX document.
        ("carabiner-collector/predicate/spdx3/testdata/other.json", "SPDX 3", FieldRefused, "$['@context']"),
        ("carabiner-collector/predicate/protobom/testdata/invalid-json.json", "CycloneDX", NotJson, "$"),
        ("go-witness/attestation/sbom/boms/bad-json/bad.json", "SPDX 2", NotJson, "$"),
        # Its upstream reads these, which look at no digest: one of them is no hex ("87gna…"), as CycloneDX demands.
        (f"{GUAC}/small-legal-cyclonedx.json", "CycloneDX", DigestRefused, "$.components[3].hashes[0].content"),
        (
            f"{GUAC}/small-legal-cyclonedx-no-inline.json",
            "CycloneDX",
            DigestRefused,
            "$.components[3].hashes[0].content",
        ),
    ],
)
def test_a_document_that_is_not_what_it_says(
    path: str, kind: str, error: type[GlasswingError], where: str, shared_data: Path
) -> None:
    with pytest.raises(error) as refused:
        READERS[kind].parse((shared_data / path).read_bytes())
    assert refused.value.where == where


@pytest.mark.shared
def test_the_examples_of_cyclonedx_are_read_whole(shared_data: Path) -> None:
    paths = sorted((shared_data / "cyclonedx-bom-examples").rglob("*.json"))
    assert len(paths) > 40
    for path in paths:
        found = CycloneDX.parse(path.read_bytes())
        assert CycloneDX.parse(canonical_json(found.to_predicate())) == found, path


@pytest.mark.shared
def test_what_a_package_is_called_and_digested_as(shared_data: Path) -> None:
    two = Spdx2.parse((shared_data / "go-witness/attestation/sbom/boms/spdx-2.3/alpine.spdx-2-3.json").read_bytes())
    assert two.namespace == "https://anchore.com/syft/image/alpine-1a9e5a71-09eb-48ea-9072-abb724d4e8e9"
    image = next(component for component in two.components if component.digests)
    assert (image.name, [digest.algorithm for digest in image.digests]) == ("alpine", ["sha256"])
    assert two.components[0].purl.startswith("pkg:apk/alpine/")
    three = Spdx3.parse((shared_data / "spdx-examples/ai/example02/spdx3.0/sbom.spdx3.json").read_bytes())
    assert three.spec_version == "3.0.1"
    assert three.namespace
    assert three.created is not None


# --- scans, VEX ------------------------------------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"{GUAC}/certify-novuln.json", None),
        (f"{GUAC}/certify-novuln-v02.json", None),
        (f"{GUAC}/certify-vuln-v02.json", 8),
        ("carabiner-collector/predicate/vulns/testdata/vulns-v02.json", 1),
    ],
)
def test_scans(path: str, found: int | None, shared_data: Path) -> None:
    node = read_json((shared_data / path).read_bytes())
    uri = node.get_text("predicateType", "https://in-toto.io/attestation/vulns/v0.2")
    scan = registry_of()[uri].parse(node.get("predicate") or node, DEFAULT)
    assert isinstance(scan, VulnScan)
    assert (None if scan.result is None else len(scan.result)) == found
    assert scan.scan_started_on.microsecond == 520_000


@pytest.mark.parametrize("case", cases("openvex"))
def test_openvex(case: Case, shared_data: Path) -> None:
    data = (shared_data / case.files["document"]).read_bytes()
    if case.expect == "reject":
        assert case.raw["stage"] == "format"
        with pytest.raises(FieldMissing) as refused:
            OpenVex.parse(data)
        assert refused.value.where == "$['@context']"
        return
    found = OpenVex.parse(data)
    assert len(found.statements) == case.params["statements"]
    assert found.to_predicate() == parse_json(data)


# --- publishing ------------------------------------------------------------------------------------------------------


@pytest.mark.shared
def test_publish_attestations_of_pypi_and_npm(shared_data: Path) -> None:
    seen: Counter[str] = Counter()
    for path in sorted((shared_data / "pypi-attestations").rglob("*.publish.attestation")):
        envelope = read_json(path.read_bytes()).need("envelope")
        told = read_json(decode_base64(envelope.need("statement").text()))
        assert told.need("predicateType").text() == PYPI_PUBLISH_V1, path
        assert told.get("predicate") is None, path
        seen[PYPI_PUBLISH_V1] += 1
    for path in sorted((shared_data / "slsa-verifier/cli/slsa-verifier/testdata/npm").rglob("*.tgz.json")):
        for item in read_json(path.read_bytes()).need("attestations").array():
            if item.need("predicateType").text() == NPM_PUBLISH_V01:
                statement = Attestation.parse(
                    json.dumps(plain(item.need("bundle").value)).encode()
                ).statement_unverified
                found = registry_of()[NPM_PUBLISH_V01].parse(statement.predicate_node, DEFAULT)
                assert isinstance(found, NpmPublish)
                assert f"{found.name.split('/')[-1]}@" in statement.subjects[0].name
                assert found.to_predicate() == statement.predicate
                seen[NPM_PUBLISH_V01] += 1
    assert seen[PYPI_PUBLISH_V1] >= 3
    assert seen[NPM_PUBLISH_V01] >= 5
    # Null is the empty object.
    assert registry_of()[PYPI_PUBLISH_V1].parse(Node({}, "$.predicate"), DEFAULT) == PypiPublish()


def plain(value: Any) -> Any:
    """What json.dumps writes."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


# --- witness ---------------------------------------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.parametrize(("name", "product"), [("cdx-att.json", "sbom.cdx.json"), ("spdx-att.json", "sbom.spdx.json")])
def test_a_collection_of_witness(name: str, product: str, shared_data: Path) -> None:
    statement = Attestation.parse((shared_data / "witness/test" / name).read_bytes()).statement_unverified
    kind = {known.uri: known for known in WITNESS_TYPES}[statement.predicate_type]
    found = kind.parse(statement.predicate_node, DEFAULT)
    assert isinstance(found, Collection)
    assert (found.name, len(found.steps), len(found.materials)) == ("sbom", 4, 28)
    assert [item.name for item in found.products] == [product]
    assert found.commands[0].arguments[:2] == ("syft", "alpine")
    # The product is a subject of the statement, by the same digest.
    assert any(subject.digest.matches(found.products[0].digest) for subject in statement.subjects)
    assert kind.subjects is not None
    about = tuple(kind.subjects(statement.subjects, found))
    assert {subject.digest for subject in about} == {found.products[0].digest}
    # The others are not digests of files: one of both is the SHA-256 of a name.
    assert len(about) < len(statement.subjects)
    if name == "cdx-att.json":
        named = DigestSet.of(sha256=hashlib.sha256(b"alpine").hexdigest())
        assert named in {s.digest for s in statement.subjects} - {s.digest for s in about}
    assert kind.dependencies is not None
    edges = list(kind.dependencies(found))
    assert edges == [Dependency(role="", resource=material) for material in found.materials]
    assert {edge.kind for edge in edges} == {"dependency"}


# --- OpenSSF Model Signing -------------------------------------------------------------------------------------------

# A reject that the predicate alone shows. The other rejects are of signatures, certificates, files and envelopes.
_OMS_REFUSED: dict[str, Refusal] = {
    "model-transparency:resigned.unknown-hash-type": (FieldRefused, "$.predicate.serialization.hash_type"),
    "oms-conformance:verify/negative/malformed-empty-resources_fail": (FieldMissing, "$.predicate.resources"),
    "oms-conformance:verify/negative/malformed-no-predicate_fail": (FieldMissing, "$.predicate.serialization"),
}
# The root in the subject is not that of the resources; where no subject is, there is none to compare.
_OMS_OTHER_ROOT = frozenset(
    {
        "model-transparency:resigned.resource-dropped",
        "model-transparency:resigned.no-subject",
        "model-transparency:resigned.empty-subject",
    }
)


@pytest.mark.shared
def test_model_signatures(shared_data: Path) -> None:
    outcomes: Counter[str] = Counter()
    for parameter in cases("oms", "oms-schema"):
        case: Case = parameter.values[0]
        path = shared_data / (case.files.get("signature") or case.files["bundle"])
        try:
            envelope = read_json(path.read_bytes(), bound="bundle_bytes").need("dsseEnvelope")
        except GlasswingError:
            assert case.expect == "reject", case.id
            outcomes["no envelope"] += 1
            continue
        statement = read_json(decode_base64(envelope.need("payload").text()))
        uri = statement.need("predicateType").text()
        if uri != OMS_V1:
            assert case.expect == "reject", case.id
            outcomes[uri] += 1
            continue
        predicate = statement.get("predicate") or Node({}, "$.predicate")
        if case.id in _OMS_REFUSED:
            error, where = _OMS_REFUSED[case.id]
            with pytest.raises(error) as refused:
                ModelSignature.from_predicate(predicate)
            assert refused.value.where == where, case.id
            outcomes["refused"] += 1
            continue
        found = ModelSignature.from_predicate(predicate)
        again = ModelSignature.from_predicate(read_json(canonical_json(found.to_predicate())))
        assert set(again.resources) == set(found.resources), case.id
        roots = [subject.need("digest").get_text("sha256") for subject in statement.get_array("subject")]
        assert (roots == [found.root()]) == (case.id not in _OMS_OTHER_ROOT), case.id
        outcomes[case.expect] += 1
    assert outcomes == {
        "accept": 32,
        "reject": 49,
        "refused": 3,
        "no envelope": 4,
        OMS_DIGESTS_V01: 6,
        "https://example.com/wrong-predicate/v1.0": 3,
    }
