"""Does a check that failed, or that says nothing, satisfy whoever asks for one?  Never."""

from typing import Any

import pytest

from glasswing_attest import Policy, attest, verify
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import NotAccepted, PolicyRefused
from glasswing_attest.statement.predicates.svr import SVR_V01, SVR_V02
from glasswing_attest.statement.predicates.test_result import TEST_RESULT_V01
from glasswing_attest.statement.predicates.vulns import COSIGN_VULN_V1, VULNS_V01, VULNS_V02
from tests.chains import Said, signer, trust_of

BLOB = Blob(b"weights", name="m.bin")
AT = "2026-01-02T03:04:05Z"
VERIFIER, OTHER = "https://v.example", "https://other.example"
SCAN: dict[str, Any] = {"metadata": {"scanStartedOn": AT, "scanFinishedOn": AT}}


def svr(*properties: str) -> dict[str, Any]:
    return {"verifier": {"id": VERIFIER}, "timeCreated": AT, "properties": list(properties)}


def policy(predicate: str) -> Policy:
    expect = {"expect": {"verifier": VERIFIER, "properties": ["P"]}} if predicate in (SVR_V01, SVR_V02) else {}
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "identities": {"signer": {"key": "signer"}},
        "nodes": {"file": {"require": [{"predicate": predicate, "signed_by": {"any_of": ["signer"]}, **expect}]}},
    }
    return Policy(**plain)


def suite(result: str, **more: object) -> dict[str, Any]:
    return {"result": result, "configuration": [], **more}


def scan(**result: object) -> dict[str, Any]:
    return {**SCAN, "scanner": {"uri": "https://s.example", **result}}


ONE = {"result": [{"id": "CVE-1", "severity": []}]}


@pytest.mark.parametrize(
    ("uri", "good", "bad", "rule", "found"),
    [
        (TEST_RESULT_V01, suite("PASSED"), suite("FAILED", passedTests=["a"]), "result", "FAILED"),
        (TEST_RESULT_V01, suite("WARNED"), suite("FAILED"), "result", "FAILED"),
        *((uri, svr("P", "Q"), svr(), "properties", "no property") for uri in (SVR_V01, SVR_V02)),
        (SVR_V02, svr("P"), svr("p", "PP", "Q"), "properties", "p, PP, Q"),
        (SVR_V02, svr("P"), {**svr("P"), "verifier": {"id": OTHER}}, "verifier", OTHER),
        *((uri, scan(result=[]), scan(), "result", "no result") for uri in (VULNS_V02, VULNS_V01, COSIGN_VULN_V1)),
        *((uri, scan(**ONE), scan(result=None), "result", "no result") for uri in (VULNS_V02, VULNS_V01)),
    ],
)
def test_only_a_check_that_says_so_satisfies(
    uri: str, good: dict[str, Any], bad: dict[str, Any], rule: str, found: str
) -> None:
    passed = attest(BLOB, Said(predicate_type=uri, body=good), signer=signer("signer"))
    failed = attest(BLOB, Said(predicate_type=uri, body=bad), signer=signer("signer"))
    verify(BLOB, passed, policy=policy(uri), trust=trust_of("signer"))
    with pytest.raises(NotAccepted) as refused:
        verify(BLOB, failed, policy=policy(uri), trust=trust_of("signer"))
    cause = refused.value.report.cause
    assert (cause.code, cause.rule, cause.found) == ("policy.expect", f"nodes.file.expect.{rule}", found)
    # One that satisfies is enough, whatever lies beside it and in whichever order.
    for evidence in ([passed, failed], [failed, passed]):
        verify(BLOB, evidence, policy=policy(uri), trust=trust_of("signer"))


@pytest.mark.parametrize("expect", [None, {"verifier": VERIFIER}, {"properties": ["P"]}])
def test_a_verification_result_of_anything_by_anybody_cannot_be_asked_for(expect: dict[str, Any] | None) -> None:
    plain: dict[str, Any] = policy(SVR_V02).model_dump(by_alias=True, exclude_none=True)
    (rule,) = plain["nodes"]["file"]["require"]
    plain["nodes"] = {"file": {"require": [{**rule, "expect": expect}]}}
    with pytest.raises(PolicyRefused) as refused:
        Policy(**plain)
    assert refused.value.code == "malformed.policy"
    assert "expect.verifier and expect.properties" in str(refused.value)
