"""Do all built-in predicate types keep the same laws?  Numbers, nulls, unknown fields, Unicode, times; and garbage.

A law is tried on a sample of each type, at every place of it: what a type reads, it must read by the same rules as all
others. A new type needs a sample here.
"""

import copy
import dataclasses
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from glasswing_attest._wire import canonical_json, read_json
from glasswing_attest.errors import FieldRefused, GlasswingError
from glasswing_attest.limits import DEFAULT
from glasswing_attest.statement.predicates import oms, witness
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType
from glasswing_attest.statement.predicates.registry import BUILT_IN

SHA = "ab" * 32
COMMIT = "cd" * 20
AT = "2026-01-02T03:04:05Z"
OURS = "https://glasswing-attest.readthedocs.io/predicates"

RESOURCE = {
    "name": "r",
    "uri": "https://example.com/r",
    "digest": {"sha256": SHA},
    "content": "aGk=",
    "downloadLocation": "https://example.com/d",
    "mediaType": "text/plain",
    "annotations": {"role": "code"},
}
PROVENANCE_V02 = {
    "builder": {"id": "https://ci.example"},
    "buildType": "https://example.com/b/v1",
    "invocation": {
        "configSource": {"uri": "git+https://example.com/r", "digest": {"sha1": COMMIT}, "entryPoint": "build.yml"},
        "parameters": {"a": "b"},
        "environment": {"c": "d"},
    },
    "buildConfig": {"e": "f"},
    "metadata": {
        "buildInvocationId": "1",
        "buildStartedOn": AT,
        "buildFinishedOn": AT,
        "completeness": {"parameters": True},
        "reproducible": False,
    },
    "materials": [{"uri": "https://example.com/m", "digest": {"sha256": SHA}}],
}
PROVENANCE_V01 = {
    "builder": {"id": "https://ci.example"},
    "recipe": {"type": "https://example.com/b/v1", "definedInMaterial": 0, "entryPoint": "x", "arguments": {"a": "b"}},
    "metadata": PROVENANCE_V02["metadata"],
    "materials": PROVENANCE_V02["materials"],
}
SOURCE = {
    "repoUri": "https://example.com/r",
    "prevCommit": COMMIT,
    "activityType": "pr_merge",
    "actor": "me",
    "branch": "refs/heads/main",
    "createdOn": AT,
    "controls": [{"name": "REVIEW", "since": AT}],
}
SCAI = {
    "attributes": [{"attribute": "A", "target": RESOURCE, "conditions": {"flag": "x"}, "evidence": RESOURCE}],
    "producer": RESOURCE,
}
SVR = {"verifier": {"id": "https://v.example", "policies": [RESOURCE]}, "timeCreated": AT, "properties": ["P"]}
VULNS = {
    "scanner": {
        "uri": "pkg:pypi/scanner",
        "version": "1",
        "db": {"uri": "https://db.example", "version": "2", "lastUpdate": AT},
        "result": [
            {"id": "CVE-1", "severity": [{"method": "cvss", "score": "7.5"}], "annotations": [{"note": "x"}]},
        ],
    },
    "metadata": {"scanStartedOn": AT, "scanFinishedOn": AT},
}
CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "version": 1,
    "metadata": {"timestamp": AT},
    "components": [
        {
            "name": "a",
            "version": "1",
            "purl": "pkg:pypi/a@1",
            "hashes": [{"alg": "SHA-256", "content": SHA}],
            "components": [{"name": "b"}],
        }
    ],
}
SPDX2 = {
    "spdxVersion": "SPDX-2.3",
    "SPDXID": "SPDXRef-DOCUMENT",
    "documentNamespace": "https://example.com/s",
    "creationInfo": {"created": AT},
    "packages": [
        {
            "name": "a",
            "versionInfo": "1",
            "checksums": [{"algorithm": "SHA256", "checksumValue": SHA}],
            "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/a@1"}],
        }
    ],
}
SPDX3 = {
    "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph": [
        {"type": "CreationInfo", "@id": "_:c", "created": AT},
        {"type": "SpdxDocument", "spdxId": "https://example.com/s", "creationInfo": "_:c"},
        {
            "type": "ai_AIPackage",
            "name": "a",
            "software_packageVersion": "1",
            "externalIdentifier": [{"externalIdentifierType": "packageUrl", "identifier": "pkg:pypi/a@1"}],
            "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": SHA}],
        },
    ],
}
OPENVEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "author": "me",
    "timestamp": AT,
    "version": 1,
    "statements": [{"vulnerability": {"name": "CVE-1"}, "status": "fixed"}],
}

WITNESS = {
    "name": "build",
    "attestations": [
        {
            "type": "https://witness.dev/attestations/material/v0.1",
            "attestation": {"a": {"sha256": SHA}},
            "starttime": AT,
            "endtime": AT,
        },
        {"type": "https://witness.dev/attestations/git/v0.1", "attestation": {"commithash": COMMIT}},
        {
            "type": "https://witness.dev/attestations/command-run/v0.1",
            "attestation": {"cmd": ["make"], "exitcode": 0},
        },
        {
            "type": "https://witness.dev/attestations/environment/v0.1",
            "attestation": {"os": "linux", "hostname": "h", "username": "u", "variables": {"A": "b"}},
        },
    ],
}

SAMPLES: dict[str, dict[str, Any]] = {
    "https://slsa.dev/provenance/v1": {
        "buildDefinition": {
            "buildType": "https://example.com/b/v1",
            "externalParameters": {"a": "b"},
            "internalParameters": {"c": "d"},
            "resolvedDependencies": [RESOURCE],
        },
        "runDetails": {
            "builder": {"id": "https://ci.example", "version": {"v": "1"}, "builderDependencies": [RESOURCE]},
            "metadata": {"invocationId": "1", "startedOn": AT, "finishedOn": AT},
            "byproducts": [RESOURCE],
        },
    },
    "https://slsa.dev/provenance/v0.2": PROVENANCE_V02,
    "https://slsa.dev/provenance/v0.1": PROVENANCE_V01,
    "https://in-toto.io/Provenance/v0.1": PROVENANCE_V01,
    "https://in-toto.io/Link/v1": {
        "name": "step",
        "command": ["make"],
        "materials": {"a": {"sha256": SHA}},
        "byproducts": {"stdout": "x"},
        "environment": {"e": "f"},
    },
    "https://slsa.dev/verification_summary/v1": {
        "verifier": {"id": "https://v.example", "version": {"v": "1"}},
        "timeVerified": AT,
        "resourceUri": "git+https://example.com/r",
        "policy": {"uri": "https://example.com/p", "digest": {"sha256": SHA}},
        "inputAttestations": [{"uri": "https://example.com/i", "digest": {"sha256": SHA}}],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"],
        "dependencyLevels": {"SLSA_BUILD_LEVEL_3": "5"},
        "slsaVersion": "1.2",
    },
    "https://github.com/slsa-framework/source-tool/source-provenance/v1": SOURCE,
    "https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft": SOURCE,
    "https://in-toto.io/attestation/link/v0.3": {
        "name": "step",
        "command": ["make"],
        "materials": [RESOURCE],
        "byproducts": {"stdout": "x"},
        "environment": {"e": "f"},
    },
    "https://in-toto.io/attestation/reference/v0.1": {
        "attester": {"id": "https://a.example"},
        "references": [RESOURCE],
    },
    "https://in-toto.io/attestation/release/v0.2": {"purl": "pkg:pypi/a@1", "packageId": "7"},
    "https://in-toto.io/attestation/release/v0.1": {"purl": "pkg:pypi/a@1", "releaseId": "7"},
    "https://in-toto.io/attestation/scai/v0.3": SCAI,
    "https://in-toto.io/attestation/scai/attribute-report/v0.2": SCAI,
    "https://in-toto.io/attestation/test-result/v0.1": {
        "result": "PASSED",
        "configuration": [RESOURCE],
        "url": "https://ci.example/1",
        "passedTests": ["a"],
        "warnedTests": ["b"],
        "failedTests": ["c"],
    },
    "https://in-toto.io/attestation/runtime-trace/v0.1": {
        "monitor": {"type": "https://m.example", "configSource": RESOURCE, "tracePolicy": {"p": "q"}},
        "monitoredProcess": {"hostID": "https://h.example", "type": "https://t.example", "event": "1"},
        "monitorLog": {"process": [{"pid": "1"}], "network": [{"ip": "::1"}], "fileAccess": [RESOURCE]},
        "metadata": {"buildStartedOn": AT, "buildFinishedOn": AT},
    },
    "https://in-toto.io/attestation/svr/v0.2": SVR,
    "https://in-toto.io/attestation/svr/v0.1": {**SVR, "verifier": {"id": "https://v.example", "policy": RESOURCE}},
    "https://in-toto.io/attestation/vulns/v0.2": VULNS,
    "https://in-toto.io/attestation/vulns/v0.1": VULNS,
    "https://cosign.sigstore.dev/attestation/vuln/v1": {
        "scanner": {"uri": "s", "version": "1", "db": {"uri": "d", "version": "2"}, "result": {"Results": "x"}},
        "metadata": {"scanStartedOn": AT, "scanFinishedOn": AT},
    },
    "https://cyclonedx.org/bom": CYCLONEDX,
    **{f"https://cyclonedx.org/bom/v{v}": {**CYCLONEDX, "specVersion": v} for v in ("1.4", "1.5", "1.6", "1.7")},
    "https://spdx.dev/Document": SPDX2,
    **{f"https://spdx.dev/Document/v{v}": {**SPDX2, "spdxVersion": f"SPDX-{v}"} for v in ("2.2", "2.3")},
    "https://spdx.dev/Document/v3": SPDX3,
    "https://openvex.dev/ns": OPENVEX,
    "https://openvex.dev/ns/v0.2.0": OPENVEX,
    "https://docs.pypi.org/attestations/publish/v1": {},
    "https://github.com/npm/attestation/tree/main/specs/publish/v0.1": {
        "name": "a",
        "version": "1",
        "registry": "https://r.example",
    },
    f"{OURS}/code/v1": {
        "name": "c",
        "version": "1",
        "license": "MIT",
        "repository": "git+https://example.com/r",
        "commit": COMMIT,
        "ref": "refs/heads/main",
        "dirty": False,
    },
    f"{OURS}/data/v1": {"name": "d", "version": "1", "license": "CC0-1.0", "consentBasis": "asked"},
    f"{OURS}/model/v1": {"name": "m", "version": "1", "architecture": "A", "parameterCount": "7", "dtype": "f16"},
    f"{OURS}/dependencies/v1": {"name": "e"},
    f"{OURS}/evaluation/v1": {
        "name": "e",
        "metrics": [{"name": "accuracy", "value": "0.93", "unit": "1"}],
        "dataset": {"name": "d", "digest": {"dirHash": SHA}},
        "split": "test",
        "seed": "7",
        "finished": AT,
    },
    # Read only when asked for; the laws hold for them as well.
    oms.OMS_V1: {
        "resources": [{"name": "a", "digest": SHA, "algorithm": "sha256"}],
        "serialization": {
            "method": "files",
            "hash_type": "sha256",
            "allow_symlinks": False,
            "ignore_paths": [".git"],
        },
    },
    oms.OMS_DIGESTS_V01: {"unused": "x"},
    witness.WITNESS_TESTIFYSEC_V01: WITNESS,
    witness.WITNESS_DEV_V01: WITNESS,
}
TYPES = {kind.uri: kind for kind in (*BUILT_IN, *oms.OLDER_TYPES, *witness.TYPES)}

# Objects whose members have names of the producer's own: what stands in there is no field.
_FREE = frozenset(
    {
        "annotations",
        "digest",
        "externalParameters",
        "internalParameters",
        "version",
        "parameters",
        "environment",
        "buildConfig",
        "arguments",
        "byproducts",
        "materials",
        "conditions",
        "tracePolicy",
        "process",
        "network",
        "result",
        "dependencyLevels",
        "variables",
        "attestation",
    }
)
# These keep the document, or what they do not know, whole; so unknown fields and nulls stand in it.
_WHOLE = frozenset({"document", "statements"})
EVERY = pytest.mark.parametrize("uri", sorted(SAMPLES))

Path = tuple[str | int, ...]


def read(uri: str, value: object) -> Any:
    return TYPES[uri].parse(read_json(json.dumps(value).encode(), where="$.predicate"), DEFAULT)


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place within a value, with what stands there."""
    if path:
        yield path, value
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def put(value: Any, path: Path, new: Any) -> Any:
    """The same value with something else at one place."""
    changed = copy.deepcopy(value)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = new
    return changed


def without(value: Any, path: Path) -> Any:
    changed = copy.deepcopy(value)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    return changed


def typed(value: Any) -> Any:
    """What was read, without what keeps a document, or what is unknown, whole."""
    if isinstance(value, pydantic.BaseModel):
        return {name: typed(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple):
        return tuple(map(typed, value))
    if isinstance(value, Mapping):
        return dict(value)
    if not dataclasses.is_dataclass(value):
        return value
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.name not in _WHOLE}


def refusal(call: Callable[[], object]) -> GlasswingError | None:
    """The error, if it is ours; any other goes on and fails the test."""
    try:
        call()
    except GlasswingError as e:
        return e
    return None


def outcome(uri: str, value: object) -> Any:
    """What reading gives: the typed fields, or the error and where it stands."""
    try:
        return typed(read(uri, value))
    except GlasswingError as e:
        return type(e), e.code, e.where


def leaves(value: Any) -> Iterator[object]:
    """Every scalar of what was read, however it is wrapped."""
    if isinstance(value, pydantic.BaseModel):
        yield from leaves(typed(value))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def test_every_built_in_type_has_a_sample_that_is_read() -> None:
    assert set(SAMPLES) == set(TYPES)
    for uri, sample in SAMPLES.items():
        read(uri, sample)


@EVERY
def test_what_is_read_can_be_written_and_read_again(uri: str) -> None:
    found = read(uri, SAMPLES[uri])
    if not hasattr(found, "to_predicate"):
        assert uri in READ_ONLY
        return
    again = TYPES[found.predicate_type].parse(read_json(canonical_json(found.to_predicate())), DEFAULT)
    assert again == found


READ_ONLY = frozenset(
    {
        "https://slsa.dev/provenance/v0.2",
        "https://slsa.dev/provenance/v0.1",
        "https://in-toto.io/Provenance/v0.1",
        "https://cosign.sigstore.dev/attestation/vuln/v1",
        oms.OMS_DIGESTS_V01,
        witness.WITNESS_TESTIFYSEC_V01,
        witness.WITNESS_DEV_V01,
    }
)


@EVERY
def test_unknown_fields_are_ignored_at_every_level(uri: str) -> None:
    sample = SAMPLES[uri]
    if uri == oms.OMS_DIGESTS_V01:
        return  # read as it is
    known = typed(read(uri, sample))
    levels = [((), sample), *((path, value) for path, value in places(sample) if isinstance(value, dict))]
    for path, value in levels:
        if _FREE.isdisjoint(map(str, path)):
            grown = put(sample, (*path, "x-unknown"), {"deep": [1]})
            assert typed(read(uri, grown)) == known, (path, value)


@EVERY
def test_null_and_absent_are_the_same_everywhere(uri: str) -> None:
    sample = SAMPLES[uri]
    if uri == oms.OMS_DIGESTS_V01:
        return  # read as it is
    for path, _ in places(sample):
        if isinstance(path[-1], str) and _FREE.isdisjoint(map(str, path[:-1])):
            assert outcome(uri, put(sample, path, None)) == outcome(uri, without(sample, path)), path


TEXTS = (
    "e\u0301 \u00e9",  # decomposed and composed: two texts
    "\u202eabc \u0627\u0644\u0639",  # right to left, with its mark
    "\U0001f9ea\U00020bb7",  # beyond the basic plane
    "\u2028\ufeff\u200d",
)


@EVERY
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_text_is_kept_as_it_is(uri: str, text: str) -> None:
    kept = 0
    texts = [path for path, value in places(SAMPLES[uri]) if isinstance(value, str)]
    for path in texts:
        try:
            found = read(uri, put(SAMPLES[uri], path, text))
        except GlasswingError:
            continue
        assert text in set(map(str, leaves(found))), path
        kept += 1
    assert kept or not texts


@EVERY
def test_times_are_kept_to_the_microsecond(uri: str) -> None:
    for path, value in places(SAMPLES[uri]):
        if value == AT:
            found = read(uri, put(SAMPLES[uri], path, "2026-01-02T04:04:05.123456789+01:00"))
            assert datetime(2026, 1, 2, 3, 4, 5, 123456, UTC) in set(leaves_of_times(found)), path


def leaves_of_times(value: Any) -> Iterator[datetime]:
    return (item for item in leaves(value) if isinstance(item, datetime))


BIG = 2**63 + 1


def test_large_integers_are_exact_when_read_and_refused_bare_when_written() -> None:
    kept, refused = set(), set()
    for uri, sample in SAMPLES.items():
        for path, _ in places(sample):
            try:
                found = read(uri, put(sample, path, BIG))
            except GlasswingError:
                continue
            numbers = [item for item in leaves(found) if isinstance(item, int) and abs(item) > 2**53]
            assert set(numbers) <= {BIG}, (uri, path)
            kept.update([uri] if numbers else [])
            if not numbers or not hasattr(found, "to_predicate"):
                continue
            error = refusal(functools.partial(canonical_json, found.to_predicate()))
            if error is not None:
                assert isinstance(error, FieldRefused)
                assert str(path[-1]) in re.split(r"[\[\].']+", error.where), (uri, path, error.where)
                refused.add(uri)
            else:  # a field that is typed as a large integer
                assert f'"{BIG}"'.encode() in canonical_json(found.to_predicate()), (uri, path)
    # What has a place of the producer's own has been there.
    assert {"https://slsa.dev/provenance/v1", "https://in-toto.io/attestation/scai/v0.3"} <= refused
    assert {"https://in-toto.io/attestation/vulns/v0.2", "https://cyclonedx.org/bom"} <= refused
    assert {"https://slsa.dev/provenance/v0.2", "https://cosign.sigstore.dev/attestation/vuln/v1"} <= kept


# --- garbage ---------------------------------------------------------------------------------------------------------

JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["", ".", "..", "a/../b", AT, "9999-12-31T23:59:59Z", SHA, "SPDX-2.3", "PASSED", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
AT_A_PLACE = st.sampled_from([(uri, path) for uri, sample in SAMPLES.items() for path, _ in places(sample)])


def drawn(kind: PredicateType, value: object) -> None:
    """Read a predicate and draw its edges: it works, or it is refused in our own words."""
    data = json.dumps(value).encode()
    error = refusal(lambda: kind.parse(read_json(data, where="$.predicate"), DEFAULT))
    if error is not None:
        assert error.where.startswith("$.predicate"), error
        assert str(error).isprintable()
        return
    found: Any = kind.parse(read_json(data), DEFAULT)
    repr(found)
    edges: Callable[[object], Any] = kind.dependencies or (lambda _: ())
    assert all(isinstance(edge, Dependency) for edge in edges(found))
    assert isinstance(kind.scope(found) if kind.scope else "", str)
    if hasattr(found, "to_predicate"):
        error = refusal(lambda: canonical_json(found.to_predicate()))
        assert error is None or error.code.startswith("malformed")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(AT_A_PLACE, JUNK)
def test_garbage_at_any_place_raises_only_our_own_errors(place: tuple[str, Path], junk: Any) -> None:
    uri, path = place
    drawn(TYPES[uri], put(SAMPLES[uri], path, junk))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), JUNK)
@example(f"{OURS}/dependencies/v1", {"unknown": 1e28})
def test_garbage_alone_raises_only_our_own_errors(uri: str, junk: Any) -> None:
    drawn(TYPES[uri], junk)
