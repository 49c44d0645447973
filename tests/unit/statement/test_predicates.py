"""Are provenance and verification summaries read as SLSA has them, and written back as they were?"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from glasswing_attest._wire import Node, canonical_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import FieldMissing, FieldRefused, GlasswingError, LimitError
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, Provenance
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor

HEX = "ab" * 32


def node(value: object) -> Node:
    return read_json(json.dumps(value).encode(), where="$.predicate")


WHOLE: dict[str, Any] = {
    "buildDefinition": {
        "buildType": "https://example.com/train/v1",
        "externalParameters": {"lr": "0.1", "nested": {"list": [1, True, None]}},
        "internalParameters": {"host": "a"},
        "resolvedDependencies": [
            {"uri": "git+https://x/y", "digest": {"gitCommit": "ab" * 20}, "annotations": {"role": "code"}},
            {"name": "data", "digest": {"dirHash": HEX, "sha256": HEX}, "annotations": {"role": "dataset"}},
        ],
    },
    "runDetails": {
        "builder": {
            "id": "https://ci.example/trainer",
            "version": {"runner": "2.1"},
            "builderDependencies": [{"uri": "pkg:oci/image", "digest": {"sha256": HEX}}],
        },
        "metadata": {
            "invocationId": "run-1",
            "startedOn": "2026-01-02T03:04:05.25Z",
            "finishedOn": "2026-01-02T04:04:05Z",
        },
        "byproducts": [{"name": "log", "content": "aGk="}],
    },
}
LEAST: dict[str, Any] = {"buildDefinition": {"buildType": "x:y"}, "runDetails": {"builder": {"id": "b"}}}


def test_provenance_is_read_whole() -> None:
    found = Provenance.from_predicate(node(WHOLE))
    assert found == Provenance(
        build_type="https://example.com/train/v1",
        builder_id="https://ci.example/trainer",
        external_parameters={"lr": "0.1", "nested": {"list": [1, True, None]}},
        internal_parameters={"host": "a"},
        resolved_dependencies=(
            ResourceDescriptor(
                uri="git+https://x/y", digest=DigestSet.of(gitCommit="ab" * 20), annotations={"role": "code"}
            ),
            ResourceDescriptor(
                name="data", digest=DigestSet.of(dirHash=HEX, sha256=HEX), annotations={"role": "dataset"}
            ),
        ),
        builder_version={"runner": "2.1"},
        builder_dependencies=(ResourceDescriptor(uri="pkg:oci/image", digest=DigestSet.of(sha256=HEX)),),
        invocation_id="run-1",
        started_on=datetime(2026, 1, 2, 3, 4, 5, 250_000, UTC),
        finished_on=datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC),
        byproducts=(ResourceDescriptor(name="log", content=b"hi"),),
    )
    assert found.predicate_type == PROVENANCE_V1 == "https://slsa.dev/provenance/v1"
    written = found.to_predicate()
    assert Provenance.from_predicate(read_json(canonical_json(written))) == found
    assert written["runDetails"]["metadata"]["startedOn"] == "2026-01-02T03:04:05.250000Z"  # type: ignore[index]


def test_what_is_unset_null_or_empty_is_the_same() -> None:
    least = Provenance.from_predicate(node(LEAST))
    assert least == Provenance(build_type="x:y", builder_id="b")
    assert least.to_predicate() == {
        "buildDefinition": {"buildType": "x:y", "externalParameters": {}},
        "runDetails": {"builder": {"id": "b"}},
    }
    nulls: dict[str, Any] = {
        "buildDefinition": {
            "buildType": "x:y",
            "externalParameters": None,
            "internalParameters": {},
            "resolvedDependencies": None,
        },
        "runDetails": {
            "builder": {"id": "b", "version": None, "builderDependencies": []},
            "metadata": {"invocationId": None, "startedOn": None},
            "byproducts": None,
        },
    }
    assert Provenance.from_predicate(node(nulls)) == least
    nulls["runDetails"]["metadata"] = None
    assert Provenance.from_predicate(node(nulls)) == least


def test_unknown_fields_are_ignored() -> None:
    more = json.loads(json.dumps(WHOLE))
    more["new"] = more["buildDefinition"]["new"] = more["runDetails"]["builder"]["new"] = {"a": 1}
    more["buildDefinition"]["resolvedDependencies"][0]["new"] = 1
    assert Provenance.from_predicate(node(more)) == Provenance.from_predicate(node(WHOLE))


def test_parameters_are_exact() -> None:
    raw = b'{"buildDefinition": {"buildType": "x:y", "externalParameters": {"seed": 9007199254740993, "lr": 0.10}},'
    raw += b'"runDetails": {"builder": {"id": "b"}}}'
    found = Provenance.from_predicate(read_json(raw)).external_parameters
    assert found == {"seed": 9007199254740993, "lr": Decimal("0.10")}
    assert str(found["lr"]) == "0.10"
    # They are not written again: another reader would find another number.
    with pytest.raises(FieldRefused) as refused:
        canonical_json(Provenance.from_predicate(read_json(raw)).to_predicate())
    assert refused.value.where.startswith("$.buildDefinition.externalParameters.")


def test_large_integers_are_written_as_strings_or_not_at_all() -> None:
    def made(seed: object) -> bytes:
        parameters: Any = {"data": {"seeds": [1, seed]}}
        p = Provenance(build_type="x:y", builder_id="b", external_parameters=parameters)
        return canonical_json(p.to_predicate(), where="$.predicate")

    for large in (2**53, -(2**53), 2**64):
        with pytest.raises(FieldRefused) as refused:
            made(large)
        assert refused.value.where == "$.predicate.buildDefinition.externalParameters.data.seeds[1]"
        assert refused.value.do == "write large integers as strings"
        read = Provenance.from_predicate(read_json(made(str(large)))).external_parameters
        assert read == {"data": {"seeds": [1, str(large)]}}
    assert Provenance.from_predicate(read_json(made(2**53 - 1))).external_parameters["data"] == {
        "seeds": [1, 2**53 - 1]
    }


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"build_type": ""}, FieldMissing, "buildDefinition.buildType"),
        ({"builder_id": ""}, FieldMissing, "runDetails.builder.id"),
        ({"builder_version": {"runner": 2}}, FieldRefused, "runDetails.builder.version.runner"),
        ({"started_on": datetime(2026, 1, 2)}, FieldRefused, "runDetails.metadata.startedOn"),  # noqa: DTZ001
        ({"finished_on": datetime(2026, 1, 2)}, FieldRefused, "runDetails.metadata.finishedOn"),  # noqa: DTZ001
    ],
)
def test_provenance_that_could_not_be_read_is_not_made(
    changes: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(GlasswingError) as refused:
        replace(Provenance(build_type="x:y", builder_id="b"), **changes)
    assert type(refused.value) is error
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("path", "value", "error", "where"),
    [
        (("buildDefinition",), ..., FieldMissing, ".buildDefinition"),
        (("runDetails",), None, FieldMissing, ".runDetails"),
        (("buildDefinition", "buildType"), ..., FieldMissing, ".buildDefinition.buildType"),
        (("buildDefinition", "buildType"), "", FieldMissing, ".buildDefinition.buildType"),
        (("buildDefinition", "buildType"), 1, FieldRefused, ".buildDefinition.buildType"),
        (("buildDefinition", "externalParameters"), [], FieldRefused, ".buildDefinition.externalParameters"),
        (("buildDefinition", "resolvedDependencies"), {}, FieldRefused, ".buildDefinition.resolvedDependencies"),
        (
            ("buildDefinition", "resolvedDependencies"),
            [{"name": "nothing identifies it"}],
            FieldMissing,
            ".buildDefinition.resolvedDependencies[0]",
        ),
        (("runDetails", "builder"), ..., FieldMissing, ".runDetails.builder"),
        (("runDetails", "builder", "id"), ..., FieldMissing, ".runDetails.builder.id"),
        (("runDetails", "builder", "id"), "", FieldMissing, ".runDetails.builder.id"),
        (("runDetails", "builder", "version"), "1", FieldRefused, ".runDetails.builder.version"),
        (("runDetails", "builder", "version"), {"runner": 2}, FieldRefused, ".runDetails.builder.version.runner"),
        (("runDetails", "metadata"), [], FieldRefused, ".runDetails.metadata"),
        (("runDetails", "metadata", "startedOn"), "yesterday", FieldRefused, ".runDetails.metadata.startedOn"),
        (("runDetails", "metadata", "finishedOn"), 1, FieldRefused, ".runDetails.metadata.finishedOn"),
        (("runDetails", "metadata", "invocationId"), 1, FieldRefused, ".runDetails.metadata.invocationId"),
    ],
)
def test_provenance_of_the_wrong_shape_is_refused(
    path: tuple[str, ...], value: object, error: type[GlasswingError], where: str
) -> None:
    changed = json.loads(json.dumps(WHOLE))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    with pytest.raises(GlasswingError) as refused:
        Provenance.from_predicate(node(changed))
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate{where}"


@pytest.mark.parametrize(
    ("started", "micro"), [("2026-01-02T03:04:05.1Z", 100_000), ("2026-01-02T03:04:05.123456789Z", 123_456)]
)
def test_fractions_of_a_second_are_read(started: str, micro: int) -> None:
    changed = {**LEAST, "runDetails": {**LEAST["runDetails"], "metadata": {"startedOn": started}}}
    found = Provenance.from_predicate(node(changed)).started_on
    assert found is not None
    assert found.microsecond == micro


@pytest.mark.parametrize("name", ["resolvedDependencies", "builderDependencies", "byproducts"])
def test_dependencies_are_bounded(name: str) -> None:
    changed = json.loads(json.dumps(LEAST))
    where = {
        "resolvedDependencies": changed["buildDefinition"],
        "builderDependencies": changed["runDetails"]["builder"],
        "byproducts": changed["runDetails"],
    }[name]
    where[name] = [{"uri": "x:y"}] * 3
    assert Provenance.from_predicate(node(changed), limits=Limits(dependencies=3)).builder_id == "b"
    with pytest.raises(LimitError) as refused:
        Provenance.from_predicate(node(changed), limits=Limits(dependencies=2))
    assert refused.value.where.endswith(name)


def test_the_roles_are_these() -> None:
    assert ROLES == ("code", "dataset", "baseModel", "checkpoint", "dependency", "image", "tool")


# --- verification summaries ------------------------------------------------------------------------------------------

SUMMARY: dict[str, Any] = {
    "verifier": {"id": "https://scs.example/verifier", "version": {"x": "1"}},
    "timeVerified": "2026-01-02T03:04:05Z",
    "resourceUri": "git+https://github.com/acme/train",
    "policy": {"uri": "https://policy.example/never-fetched"},
    "verificationResult": "PASSED",
    "verifiedLevels": ["SLSA_SOURCE_LEVEL_3", "ACME_REVIEWED"],
}


def test_a_summary_is_read() -> None:
    found = VerificationSummary.from_predicate(node({**SUMMARY, "new": 1}))
    assert found == VerificationSummary(
        verifier_id="https://scs.example/verifier",
        resource_uri="git+https://github.com/acme/train",
        result="PASSED",
        levels=("SLSA_SOURCE_LEVEL_3", "ACME_REVIEWED"),
        time_verified=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        verifier_version={"x": "1"},
        policy=ResourceDescriptor(uri="https://policy.example/never-fetched"),
    )
    assert found.predicate_type == SUMMARY_V1 == "https://slsa.dev/verification_summary/v1"
    bare = {k: v for k, v in SUMMARY.items() if k in ("verifier", "resourceUri", "verificationResult")}
    assert VerificationSummary.from_predicate(node({**bare, "verificationResult": "FAILED"})).levels == ()


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"verificationResult": "passed"}, FieldRefused, "$.predicate.verificationResult"),
        ({"verificationResult": "PASSED "}, FieldRefused, "$.predicate.verificationResult"),
        ({"verificationResult": True}, FieldRefused, "$.predicate.verificationResult"),
        ({"verificationResult": None}, FieldMissing, "$.predicate.verificationResult"),
        ({"verifier": {}}, FieldMissing, "$.predicate.verifier.id"),
        ({"verifier": {"id": ""}}, FieldMissing, "$.predicate.verifier.id"),
        ({"verifier": {"id": "x", "version": {"x": 1}}}, FieldRefused, "$.predicate.verifier.version.x"),
        ({"verifier": None}, FieldMissing, "$.predicate.verifier"),
        ({"resourceUri": None}, FieldMissing, "$.predicate.resourceUri"),
        ({"resourceUri": ""}, FieldMissing, "$.predicate.resourceUri"),
        ({"verifiedLevels": "L3"}, FieldRefused, "$.predicate.verifiedLevels"),
        ({"verifiedLevels": [3]}, FieldRefused, "$.predicate.verifiedLevels[0]"),
        ({"timeVerified": "now"}, FieldRefused, "$.predicate.timeVerified"),
        ({"policy": "https://policy.example"}, FieldRefused, "$.predicate.policy"),
        ({"inputAttestations": {}}, FieldRefused, "$.predicate.inputAttestations"),
        ({"inputAttestations": [{"name": "x"}]}, FieldMissing, "$.predicate.inputAttestations[0]"),
        ({"dependencyLevels": []}, FieldRefused, "$.predicate.dependencyLevels"),
        ({"dependencyLevels": {"X": -1}}, FieldRefused, "$.predicate.dependencyLevels.X"),
        ({"dependencyLevels": {"X": 2**64}}, FieldRefused, "$.predicate.dependencyLevels.X"),
        ({"dependencyLevels": {"X": 1.0}}, FieldRefused, "$.predicate.dependencyLevels.X"),
        ({"dependencyLevels": {"X": True}}, FieldRefused, "$.predicate.dependencyLevels.X"),
        ({"slsaVersion": 1}, FieldRefused, "$.predicate.slsaVersion"),
    ],
)
def test_a_summary_of_the_wrong_shape_is_refused(
    changes: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(GlasswingError) as refused:
        VerificationSummary.from_predicate(node({**SUMMARY, **changes}))
    assert type(refused.value) is error
    assert refused.value.where == where
