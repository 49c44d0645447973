"""Does a verification summary that we make keep SLSA's rules, and is one of others read as far as it goes?"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from glasswing_attest import KeySigner, attest
from glasswing_attest._wire import Node, canonical_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import FieldMissing, FieldRefused, GlasswingError, LimitError, MalformedError
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor

HEX = "ab" * 32
LEAST: dict[str, Any] = {
    "verifier_id": "https://verifier.example",
    "resource_uri": "pkg:pypi/train@1.0",
    "result": "PASSED",
    "levels": ("SLSA_BUILD_LEVEL_3",),
    "policy": ResourceDescriptor(uri="https://verifier.example/policy"),
}
WHOLE: dict[str, Any] = {
    **LEAST,
    "levels": ("SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_UNEVALUATED", "SLSA_BUILD_REPRODUCED", "ACME_SCANNED"),
    "time_verified": datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC),
    "verifier_version": {"checker": "v2.3.0"},
    "policy": ResourceDescriptor(uri="https://verifier.example/policy", digest=DigestSet.of(sha256=HEX)),
    "input_attestations": (ResourceDescriptor(uri="https://x/a.json", digest=DigestSet.of(sha256=HEX)),),
    "dependency_levels": {"SLSA_BUILD_LEVEL_3": 5, "SLSA_BUILD_LEVEL_0": 0},
    "slsa_version": "1.2",
}


def node(value: object) -> Node:
    return read_json(json.dumps(value).encode(), where="$.predicate")


def test_a_whole_summary_is_written_as_slsa_has_it() -> None:
    made = VerificationSummary(**WHOLE)
    assert made.to_predicate() == {
        "verifier": {"id": "https://verifier.example", "version": {"checker": "v2.3.0"}},
        "timeVerified": "2026-01-02T03:04:05.500000Z",
        "resourceUri": "pkg:pypi/train@1.0",
        "policy": {"uri": "https://verifier.example/policy", "digest": {"sha256": HEX}},
        "inputAttestations": [{"uri": "https://x/a.json", "digest": {"sha256": HEX}}],
        "verificationResult": "PASSED",
        "verifiedLevels": [
            "SLSA_BUILD_LEVEL_3",
            "SLSA_SOURCE_LEVEL_UNEVALUATED",
            "SLSA_BUILD_REPRODUCED",
            "ACME_SCANNED",
        ],
        "dependencyLevels": {"SLSA_BUILD_LEVEL_3": 5, "SLSA_BUILD_LEVEL_0": 0},
        "slsaVersion": "1.2",
    }
    assert VerificationSummary.from_predicate(read_json(canonical_json(made.to_predicate()))) == made


def test_it_can_be_signed() -> None:
    made = attest(Blob(b"weights", name="m.bin"), VerificationSummary(**LEAST), signer=KeySigner.generate())
    assert made.statement_unverified.predicate_type == SUMMARY_V1
    assert made.statement_unverified.predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_3"]
    assert made.statement_unverified.subjects[0].annotations == {}


def test_no_claim_about_dependencies_is_not_the_claim_that_there_are_none() -> None:
    silent, none = VerificationSummary(**LEAST), VerificationSummary(**LEAST, dependency_levels={})
    assert silent != none
    assert "dependencyLevels" not in silent.to_predicate()
    assert none.to_predicate()["dependencyLevels"] == {}
    for summary in (silent, none):
        assert VerificationSummary.from_predicate(node(summary.to_predicate())) == summary
    said = {**none.to_predicate(), "dependencyLevels": None}
    assert VerificationSummary.from_predicate(node(said)) == silent


def test_counts_are_exact() -> None:
    said = VerificationSummary(**LEAST).to_predicate()
    large = 2**64 - 1
    for written in (large, str(large)):
        found = VerificationSummary.from_predicate(node({**said, "dependencyLevels": {"SLSA_BUILD_LEVEL_1": written}}))
        assert found.dependency_levels == {"SLSA_BUILD_LEVEL_1": large}
    # SLSA has a bare integer here, which other readers would round.
    made = VerificationSummary(**LEAST, dependency_levels={"SLSA_BUILD_LEVEL_1": 2**53})
    with pytest.raises(FieldRefused) as refused:
        canonical_json(made.to_predicate(), where="$.predicate")
    assert refused.value.where == "$.predicate.dependencyLevels.SLSA_BUILD_LEVEL_1"


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"verifier_id": ""}, FieldMissing, "verifier.id"),
        ({"verifier_version": {"checker": 2}}, FieldRefused, "verifier.version.checker"),
        ({"resource_uri": ""}, FieldMissing, "resourceUri"),
        ({"policy": None}, FieldMissing, "policy.uri"),
        ({"policy": ResourceDescriptor(digest=DigestSet.of(sha256=HEX))}, FieldMissing, "policy.uri"),
        ({"result": "passed"}, FieldRefused, "verificationResult"),
        ({"result": ""}, FieldRefused, "verificationResult"),
        ({"levels": ()}, FieldMissing, "verifiedLevels"),
        ({"levels": ("",)}, FieldMissing, "verifiedLevels[0]"),
        ({"levels": ("FAILED",)}, FieldRefused, "verifiedLevels"),
        ({"levels": ("SLSA_BUILD_LEVEL_3", "FAILED")}, FieldRefused, "verifiedLevels"),
        ({"result": "FAILED"}, FieldRefused, "verifiedLevels"),
        ({"result": "FAILED", "levels": ("FAILED", "SLSA_BUILD_LEVEL_1")}, FieldRefused, "verifiedLevels"),
        ({"levels": ("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_2")}, FieldRefused, "verifiedLevels[1]"),
        ({"levels": ("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_UNEVALUATED")}, FieldRefused, "verifiedLevels[1]"),
        ({"levels": ("ACME", "ACME")}, FieldRefused, "verifiedLevels[1]"),
        ({"levels": ("SLSA_OURS",)}, FieldRefused, "verifiedLevels[0]"),
        ({"levels": ("SLSA_BUILD_LEVEL_3+",)}, FieldRefused, "verifiedLevels[0]"),
        ({"levels": ("SLSA_build_LEVEL_3",)}, FieldRefused, "verifiedLevels[0]"),
        ({"levels": ("SLSA_LEVEL_3",)}, FieldRefused, "verifiedLevels[0]"),
        (
            {"input_attestations": (*WHOLE["input_attestations"], ResourceDescriptor(uri="https://x/b"))},
            FieldMissing,
            "inputAttestations[1].digest",
        ),
        ({"dependency_levels": {"SLSA_OURS": 1}}, FieldRefused, "dependencyLevels"),
        ({"dependency_levels": {"ACME": -1}}, FieldRefused, "dependencyLevels.ACME"),
        ({"dependency_levels": {"ACME": 2**64}}, FieldRefused, "dependencyLevels.ACME"),
        ({"dependency_levels": {"ACME": True}}, FieldRefused, "dependencyLevels.ACME"),
        ({"dependency_levels": {"ACME": 1.5}}, FieldRefused, "dependencyLevels.ACME"),
        ({"slsa_version": "1"}, FieldRefused, "slsaVersion"),
        ({"slsa_version": "v1.2"}, FieldRefused, "slsaVersion"),
        ({"slsa_version": "1.2.0"}, FieldRefused, "slsaVersion"),
        ({"time_verified": datetime(2026, 1, 2)}, FieldRefused, "timeVerified"),  # noqa: DTZ001
    ],
)
def test_what_slsa_forbids_is_not_made(changes: dict[str, Any], error: type[GlasswingError], where: str) -> None:
    with pytest.raises(MalformedError) as refused:
        VerificationSummary(**{**LEAST, **changes})
    assert type(refused.value) is error
    assert refused.value.code == error.code
    assert refused.value.where == where
    with pytest.raises(error):
        replace(VerificationSummary(**LEAST), **changes)


def test_a_failed_verification_says_so_alone() -> None:
    said: dict[str, Any] = {**LEAST, "result": "FAILED", "levels": ("FAILED",)}
    failed = VerificationSummary(**said)
    assert failed.to_predicate()["verifiedLevels"] == ["FAILED"]


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"policy": None}, "policy.uri"),
        ({"policy": {"name": "p"}}, "policy.uri"),
        ({"verifiedLevels": []}, "verifiedLevels"),
        ({"verifiedLevels": ["SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_2"]}, "verifiedLevels[1]"),
        ({"verifiedLevels": ["SLSA_NEW_PROPERTY"]}, "verifiedLevels[0]"),
        ({"verifiedLevels": ["FAILED"]}, "verifiedLevels"),
        ({"inputAttestations": [{"uri": "https://x"}]}, "inputAttestations[0].digest"),
        ({"slsaVersion": "1.2-draft"}, "slsaVersion"),
    ],
)
def test_what_others_made_is_read_and_not_made_again(said: dict[str, Any], where: str) -> None:
    # A verifier needs none of these rules to say no; signing it anew would be our word for it.
    read = VerificationSummary.from_predicate(node({**VerificationSummary(**LEAST).to_predicate(), **said}))
    assert read.verifier_id == "https://verifier.example"
    with pytest.raises(MalformedError) as refused:
        read.to_predicate()
    assert refused.value.where == where


@pytest.mark.parametrize("name", ["verifiedLevels", "inputAttestations", "dependencyLevels"])
def test_what_is_read_is_bounded(name: str) -> None:
    many = {
        "verifiedLevels": ["A", "B", "C"],
        "inputAttestations": [{"uri": "x:y"}] * 3,
        "dependencyLevels": {"A": 1, "B": 1, "C": 1},
    }
    said = {**VerificationSummary(**LEAST).to_predicate(), name: many[name]}
    VerificationSummary.from_predicate(node(said), limits=Limits(dependencies=3))
    with pytest.raises(LimitError) as refused:
        VerificationSummary.from_predicate(node(said), limits=Limits(dependencies=2))
    assert refused.value.where == f"$.predicate.{name}"
