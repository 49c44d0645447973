"""Do the verification summaries of others, and what others expect of them, come to the same end under our rules?

slsa-verifier's cases: a summary that Google signed, which levels satisfy which expectation, and what is a level at all.
What its key proves stands in test_key_signed.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Policy, Trust, Verifier, sign_statement
from glasswing_attest.artifact.file import Blob
from glasswing_attest.attestation import Attestation
from glasswing_attest.claims import read, registry_of
from glasswing_attest.errors import FieldMissing, FieldRefused
from glasswing_attest.keys import PublicKey
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.rules import complaints
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary, number_of
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.verification.procedure import prove
from tests.chains import signer, statement, trust_of
from tests.shared import Case, cases

NOW = datetime(2026, 1, 1, tzinfo=UTC)
THING = Blob(b"weights", name="m.bin", kind="model").measure()
VERIFIER, RESOURCE = "https://verifier.example", "https://models.example/m.bin"


def policy(**expect: Any) -> Policy:
    rule = {"predicate": SUMMARY_V1, "signed_by": {"any_of": ["verifier"]}, "expect": expect}
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "identities": {"verifier": {"key": "verifier"}},
        "nodes": {"model": {"require": [rule]}},
    }
    return Policy(**plain)


# --- a summary that somebody else signed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", [p for p in cases("slsa-vsa") if "reject" not in str(getattr(p.values[0], "expect", ""))]
)
def test_a_real_summary_meets_what_is_expected_of_it(case: Case, shared_data: Path) -> None:
    """The cases that are refused differ in the key's id alone, and are held against it in test_key_signed.

    About the artifact we say no, on purpose: its subject has an ordinal of a cloud's, and no digest of any bytes.
    """
    data = (shared_data / case.files["attestation"]).read_bytes()
    key = PublicKey.from_pem((shared_data / case.files["public_key"]).read_bytes())
    trust = Trust(keys=(TrustedKey(name="verifier", key=key, keyids=(case.params["public_key_id"],)),))
    (verified,) = prove(Attestation.parse(data), trust, claimed_at=NOW)
    claim = read(verified, registry_of())

    said = {"verifier": case.params["verifier_id"], "resource": case.params["resource_uri"]}
    levels = case.params["verified_levels"]

    def complained(**expect: Any) -> list[tuple[str, str]]:
        asked = policy(**{**said, "level": levels, **expect})
        requirement = asked.nodes["model"].require[0]
        found = complaints(claim, requirement, Circumstances(policy=asked, at=NOW, latest=NOW))
        return [(finding.code, finding.rule) for finding in found]

    assert complained() == []
    assert complained(level="SLSA_BUILD_LEVEL_1") == []
    assert complained(level="SLSA_BUILD_LEVEL_3") == [("policy.expect", "expect.level")]
    assert complained(level="BCID_L2") == [("policy.expect", "expect.level")]
    assert complained(verifier="https://bcid.corp.google.com/verifier") == [("policy.expect", "expect.verifier")]
    assert complained(resource="gce_image://gke-node-images:other") == [("policy.expect", "expect.resource")]

    report = Verifier(policy=policy(**said), trust=trust).assess(THING, data, at=NOW)
    assert report.cause is not None
    assert report.cause.code == "chain.no-attestation"


# --- levels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("slsa-vsa-levels"))
def test_the_expected_levels_are_reached_or_not(case: Case) -> None:
    body = {
        "verifier": {"id": VERIFIER},
        "resourceUri": RESOURCE,
        "verificationResult": "PASSED",
        "verifiedLevels": case.params["verified_levels"],
    }
    made = sign_statement(statement([{"digest": THING.digests.to_dict()}], SUMMARY_V1, body), signer=signer("verifier"))
    wanted = case.params["expected_levels"]
    asked = policy(verifier=VERIFIER, resource=RESOURCE, **({"level": wanted} if wanted else {}))
    report = Verifier(policy=asked, trust=trust_of("verifier")).assess(THING, made, at=NOW)
    assert report.accepted == (case.expect == "accept")
    if case.expect == "reject":
        assert case.raw["stage"] == "ErrorMismatchVerifiedLevels"
        assert report.cause is not None
        assert (report.cause.code, report.cause.rule) == ("policy.expect", "nodes.model.expect.level")


@pytest.mark.parametrize("case", cases("slsa-vsa-level-parse"))
def test_what_is_no_level_is_never_made_and_never_reached(case: Case) -> None:
    said: dict[str, Any] = {
        "verifier_id": VERIFIER,
        "resource_uri": RESOURCE,
        "result": "PASSED",
        "policy": ResourceDescriptor(uri="https://verifier.example/policy"),
        "levels": tuple(case.params["levels"]),
    }
    # Contested: a summary without any level is read there, and made; SLSA wants at least one of whoever makes it.
    error, where = (FieldMissing, "verifiedLevels") if case.expect == "accept" else (FieldRefused, "verifiedLevels[0]")
    with pytest.raises(error) as refused:
        VerificationSummary(**said)
    assert refused.value.where == where
    assert case.raw["stage"] == (None if case.expect == "accept" else "ErrorInvalidSLSALevel")
    # Somebody else's is read, and reaches nothing by it.
    assert VerificationSummary(**said, made_by_others=True).levels == said["levels"]
    assert {number_of(level) for level in case.params["levels"]} <= {-1}
