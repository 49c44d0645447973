"""Is every provenance statement that others published read: builder, buildType and edges?

Whatever container a statement lies in (DSSE, bundle, npm's and Google's answers), it is found by its shape. What must
be read is taken from the JSON by itself, by the paths that each version's text gives.
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest._wire import parse_time, read_json
from glasswing_attest.claims import Dependency, registry_of
from glasswing_attest.errors import FieldMissing, FieldRefused, GlasswingError
from glasswing_attest.limits import DEFAULT
from glasswing_attest.statement.predicates.link import LINK_V03, Link
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.predicates.provenance_v02 import ProvenanceV02
from glasswing_attest.statement.predicates.run import PROVENANCE_V01, PROVENANCE_V02, PROVENANCE_V1, Run
from glasswing_attest.statement.predicates.source import SOURCE_PROVENANCE_DRAFT
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.statement import Statement

pytestmark = pytest.mark.shared

CORPORA = (
    "slsa-verifier",
    "gh-cli",
    "sigstore-conformance",
    "sigstore-go",
    "sigstore-java",
    "sigstore-js",
    "sigstore-python",
    "guac",
    "carabiner-ampel",
    "carabiner-collector",
    "carabiner-examples",
    "carabiner-policies",
    "in-toto-attestation-verifier",
)

TYPES = registry_of()

# Predicates that are refused: by whom it says it was built, the class, where, and why that is right.
REFUSED: Mapping[str, tuple[type[GlasswingError], str]] = {
    # v0.2 requires a buildType; this builder says none (and gives 40 digits of SHA-1 as a sha256 further down).
    "Project Collection Build Service (AzureContainerUpstream)": (FieldMissing, "$.predicate.buildType"),
}


def _found(value: Any) -> Iterator[bytes]:
    """The statements within a document, as bytes: payloads as they were signed, bare statements written again."""
    if isinstance(value, dict):
        if {"predicateType", "predicate"} <= value.keys():
            yield json.dumps(value).encode()
        if {"payload", "payloadType"} <= value.keys() and isinstance(value["payload"], str):
            try:
                payload = base64.urlsafe_b64decode(value["payload"].replace("+", "-").replace("/", "_") + "==")
            except binascii.Error:
                return
            if b'"predicateType"' in payload:
                yield payload
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _found(item)


def _documents(path: Path) -> Iterator[Any]:
    data = path.read_bytes()
    if b"predicateType" not in data and b"payloadType" not in data:
        return
    for piece in (data,) if _is_json(data) else data.split(b"\n"):
        try:
            yield json.loads(piece)
        except ValueError:
            continue


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


@cache
def statements(folder: Path) -> tuple[tuple[str, bytes], ...]:
    """Every distinct statement in the corpora, with where it was found first."""
    found: dict[bytes, str] = {}
    for corpus in CORPORA:
        for path in sorted((folder / corpus).rglob("*")):
            if path.is_file() and path.stat().st_size < DEFAULT.bundle_bytes:
                for document in _documents(path):
                    for payload in _found(document):
                        found.setdefault(payload, f"{path.relative_to(folder)}")
    return tuple((origin, payload) for payload, origin in found.items())


def predicates(folder: Path, uri: str) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """The predicates of one type: where, as plain JSON, and as bytes of their own."""
    for origin, payload in statements(folder):
        told = json.loads(payload)
        if told.get("predicateType") == uri and isinstance(told["predicate"], dict):
            yield origin, told["predicate"], json.dumps(told["predicate"]).encode()


def read(uri: str, data: bytes) -> tuple[Any, tuple[Dependency, ...]]:
    kind = TYPES[uri]
    predicate = kind.parse(read_json(data, where="$.predicate"), DEFAULT)
    return predicate, tuple(kind.dependencies(predicate)) if kind.dependencies else ()


def told_by(uri: str, said: dict[str, Any]) -> tuple[str, str, str, str | None, list[dict[str, Any]]]:
    """Builder, buildType, invocation, start and dependencies, by the paths of each version's text."""
    if uri == PROVENANCE_V1:
        definition, details = said["buildDefinition"], said["runDetails"]
        metadata = details.get("metadata") or {}
        inputs = definition.get("resolvedDependencies") or []
        start = metadata.get("startedOn")
        return details["builder"]["id"], definition["buildType"], metadata.get("invocationId", ""), start, inputs
    metadata = said.get("metadata") or {}
    kind = said["buildType"] if uri == PROVENANCE_V02 else said["recipe"]["type"]
    invocation = metadata.get("buildInvocationId") or metadata.get("buildInvocationID") or ""
    return said["builder"]["id"], kind, invocation, metadata.get("buildStartedOn"), said.get("materials") or []


@pytest.mark.parametrize(
    ("uri", "read_ones", "refused_ones"), [(PROVENANCE_V1, 36, 0), (PROVENANCE_V02, 27, 1), (PROVENANCE_V01, 7, 0)]
)
def test_every_run_is_read(uri: str, read_ones: int, refused_ones: int, shared_data: Path) -> None:
    seen = refused = 0
    for origin, said, data in predicates(shared_data, uri):
        builder = str((said.get("builder") or {}).get("id"))
        if builder in REFUSED:
            error, where = REFUSED[builder]
            with pytest.raises(error) as caught:
                read(uri, data)
            assert caught.value.where == where, origin
            refused += 1
            continue
        run, edges = read(uri, data)
        assert isinstance(run, Run)
        builder_id, build_type, invocation, start, inputs = told_by(uri, said)
        assert (run.builder_id, run.build_type, run.invocation_id) == (builder_id, build_type, invocation), origin
        assert run.started_on == (parse_time(start) if start else None), origin
        assert [e.resource.digest.to_dict() for e in edges] == [d.get("digest") or {} for d in inputs], origin
        assert [e.resource.uri for e in edges] == [d.get("uri", "") for d in inputs], origin
        seen += 1
    assert (seen, refused) == (read_ones, refused_ones)


def test_roles_are_those_that_the_build_types_document(shared_data: Path) -> None:
    """By buildType: in how many documents, and which edges, by role and algorithms."""
    found: dict[str, Counter[str]] = {}
    for uri in (PROVENANCE_V1, PROVENANCE_V02, PROVENANCE_V01):
        for _, said, data in predicates(shared_data, uri):
            if (said.get("builder") or {}).get("id") in REFUSED:
                continue
            run, edges = read(uri, data)
            counter = found.setdefault(run.build_type, Counter())
            counter["documents"] += 1
            counter.update(f"{e.role}:{'+'.join(d.algorithm for d in e.resource.digest)}" for e in edges)
    assert found == EDGES


# By buildType: the documents, and their edges as role:algorithms.
EDGES: Mapping[str, Mapping[str, int]] = {
    "https://actions.github.io/buildtypes/workflow/v1": {"documents": 4, "code:gitCommit": 4, ":sha256": 1},
    # Two of the nine are a verifier's own examples: no workflow, and one material by name alone.
    "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1": {
        "documents": 9,
        "code:gitCommit": 7,
        ":sha256": 2,
    },
    "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0": {
        "documents": 16,
        "code:gitCommit": 16,
    },
    "https://slsa.dev/container-based-build/v0.1?draft": {"documents": 3, "code:sha1": 3, ":sha256": 3},
    "https://github.com/sigstore-conformance/rekor2-dsse-hashedrekord-regen": {"documents": 1},
    "https://github.com/sigstore-conformance/rekor2-dsse-hashedrekord-regen-B": {"documents": 1},
    "https://docs.oss-rebuild.dev/builds/ArtifactEquivalence@v0.1": {"documents": 1, ":sha256+sha512": 2},
    "https://docs.oss-rebuild.dev/builds/Rebuild@v0.1": {"documents": 1, ":sha1": 1, ":sha256": 2},
    "https://github.com/slsa-framework/slsa-github-generator/generic@v1": {"documents": 8, "code:sha1": 8},
    # One names its source over ssh, and the configuration over https: another URI, so no role.
    "https://github.com/slsa-framework/slsa-github-generator/go@v1": {
        "documents": 7,
        "code:sha1": 6,
        ":sha1": 1,
        ":": 7,
    },
    # Two of the six were changed by hand: the material's commit is no longer the configuration's.
    "https://github.com/npm/cli/gha/v2": {"documents": 6, "code:sha1": 4, ":sha1": 2},
    # The material's URI lacks the ref that the configuration's has.
    "https://github.com/npm/slsa-provenance/gha@v0": {"documents": 1, ":sha1": 1},
    "tekton.dev/v1beta1/TaskRun": {"documents": 1},
    "https://github.com/Attestations/GitHubActionsWorkflow@v1": {"documents": 3},
    "tekton.dev/v1/PipelineRun": {"documents": 1, "code:sha1": 1, ":sha256": 38, ":sha1": 1},
    # Google Cloud Build says no definedInMaterial, or "-1".
    "https://cloudbuild.googleapis.com/GoogleHostedWorker@v0.2": {"documents": 3, ":": 3},
    "https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1": {"documents": 3, ":sha1": 3},
    "https://cloudbuild.googleapis.com/CloudBuildSteps@v0.1": {"documents": 1, ":md5+sha256": 1},
}


def test_the_sha1_of_a_commit_never_becomes_its_git_commit(shared_data: Path) -> None:
    sources = 0
    for uri in (PROVENANCE_V1, PROVENANCE_V02, PROVENANCE_V01):
        for _, _, data in predicates(shared_data, uri):
            for dependency in () if b"AzureContainerUpstream" in data else read(uri, data)[1]:
                if dependency.resource.digest.get("sha1"):
                    assert dependency.resource.digest.identity == ()
                    sources += dependency.kind == "code"
    assert sources == 22


def test_a_predicate_of_v02_with_a_list_for_an_object_is_refused(shared_data: Path) -> None:
    bad = shared_data / "carabiner-collector" / "predicate" / "slsa" / "testdata" / "bad-v0.2.json"
    with pytest.raises(FieldRefused) as refused:
        read(PROVENANCE_V02, bad.read_bytes())
    assert refused.value.code == "malformed.field"
    assert refused.value.where == "$.predicate.invocation.parameters"
    assert (refused.value.found, refused.value.wanted) == ("an array", "an object")
    # That is its only fault.
    said = json.loads(bad.read_bytes())
    said["invocation"]["parameters"] = {}
    run, edges = read(PROVENANCE_V02, json.dumps(said).encode())
    assert isinstance(run, ProvenanceV02)
    assert run.invocation_id == "9945095702-1"
    assert [e.role for e in edges] == ["", ""]


def test_the_draft_of_v1_is_not_v1(shared_data: Path) -> None:
    # A draft's name promises nothing: it is not read as the version that was published later.
    draft = "https://slsa.dev/provenance/v1.0?draft"
    assert len(list(predicates(shared_data, draft))) == 2
    assert draft not in TYPES


def test_a_v1_predicate_of_others_is_read_whole(shared_data: Path) -> None:
    (data,) = {
        data
        for origin, _, data in predicates(shared_data, PROVENANCE_V1)
        if origin.endswith("gha_container-based/v2.1.0/binary-linux-amd64-workflow_dispatch.intoto.build.slsa")
    }
    run, _ = read(PROVENANCE_V1, data)
    assert isinstance(run, Provenance)
    # A bare integer and a string, as they stand.
    assert run.internal_parameters["GITHUB_RUN_ID"] == 13531731005
    assert run.internal_parameters["GITHUB_RUN_ATTEMPT"] == "1"
    assert Provenance.from_predicate(read_json(json.dumps(run.to_predicate()).encode())) == run


def test_the_summary_of_a_package_enforcer_is_read(shared_data: Path) -> None:
    ((_, _, data),) = predicates(shared_data, SUMMARY_V1)
    summary, edges = read(SUMMARY_V1, data)
    assert isinstance(summary, VerificationSummary)
    assert edges == ()
    assert summary.verifier_id == "https://bcid.corp.google.com/verifier/bcid_package_enforcer/v0.1"
    assert (summary.result, summary.levels) == ("PASSED", ("BCID_L1", "SLSA_BUILD_LEVEL_2"))
    assert summary.policy is not None
    assert summary.policy.uri.startswith("googlefile:/google_src/")
    assert summary.dependency_levels is None
    # It keeps the rules of whoever makes one, too.
    assert VerificationSummary.from_predicate(read_json(json.dumps(summary.to_predicate()).encode())) == summary


def test_the_links_of_others_are_read(shared_data: Path) -> None:
    found = [read(LINK_V03, data) for _, _, data in predicates(shared_data, LINK_V03)]
    assert {link.name for link, _ in found} == {"clone"}
    for link, edges in found:
        assert isinstance(link, Link)
        assert (link.command, edges) == (("git", "clone", "https://example.com/foo.git"), ())


def test_a_source_provenance_that_names_no_repository_is_refused(shared_data: Path) -> None:
    # It was written for a test of expressions, and holds one member that the type does not have.
    ((_, said, data),) = predicates(shared_data, SOURCE_PROVENANCE_DRAFT)
    assert said.keys() == {"data"}
    with pytest.raises(FieldMissing) as refused:
        read(SOURCE_PROVENANCE_DRAFT, data)
    assert refused.value.where == "$.predicate.repoUri"


def test_the_statements_around_them_are_read_too(shared_data: Path) -> None:
    read_ones, refused = 0, Counter[str]()
    for _, payload in statements(shared_data):
        if json.loads(payload).get("predicateType") in (PROVENANCE_V1, PROVENANCE_V02, PROVENANCE_V01):
            try:
                Statement.parse_unverified(payload)
                read_ones += 1
            except FieldMissing as e:
                refused[e.where] += 1
    # An example of one verifier spells `_type` as `type`; in-toto requires the field.
    assert (read_ones, refused) == (70, {"$._type": 1})
