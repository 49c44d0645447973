"""What a fresh review found of issue 4: may what somebody did with a proof, or who else signed, change a verdict?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from glasswing_attest import Attestation, Policy, Verifier, attest
from glasswing_attest._wire import Node
from glasswing_attest.artifact.file import Blob
from glasswing_attest.claims import PredicateType, opaque
from glasswing_attest.limits import Limits
from glasswing_attest.testing import Holder, VirtualSigstore
from tests.chains import NOW, Said, honest, sha256, signer, statement, trust_of

TYPE = "https://example.com/checked/v1"
MODEL = Blob(b"weights", name="m.bin", kind="model")


def policy(by: dict[str, Any], *, times: str = "claimed") -> Policy:
    plain: dict[str, Any] = {
        "version": 1,
        "times": times,
        "identities": {"signer": by},
        "nodes": {"model": {"require": [{"predicate": TYPE, "signed_by": {"any_of": ["signer"]}}]}},
    }
    return Policy(**plain)


# --- what is remembered of a proof -----------------------------------------------------------------------------------


def taking_apart(node: Node, _limits: Limits) -> object:
    """A reader that takes members out as it reads them, as many do."""
    body: Any = node.object()["result"]
    if body.pop("forbidden", None):
        node.refuse("nothing forbidden")
    return body


def test_a_reader_that_takes_the_predicate_apart_meets_it_whole_each_time() -> None:
    said = attest(MODEL, Said(predicate_type=TYPE, body={"result": {"forbidden": True}}), signer=signer("signer"))
    kind = PredicateType(uri=TYPE, parse=taking_apart)
    asked = Verifier(policy=policy({"key": "signer"}), trust=trust_of("signer"), predicates=(kind,), evidence=said)
    for _ in range(3):
        report = asked.assess(MODEL, at=NOW)
        assert report.verdict == "refused"
        assert [(r.error.code, r.error.where) for r in report.refused] == [("malformed.field", "$.predicate")]


def emptied(statement: Any) -> None:
    statement.predicate["buildDefinition"]["resolvedDependencies"].clear()


def renamed(statement: Any) -> None:
    statement.predicate["runDetails"]["builder"]["id"] = "https://evil.example"


@pytest.mark.parametrize("change", [emptied, renamed])
def test_whoever_changes_what_a_report_holds_changes_no_other_verification(change: Callable[[Any], None]) -> None:
    chain = honest()
    asked = Verifier(policy=chain.policy, trust=chain.trust, evidence=chain.evidence)
    for _ in range(3):
        report = asked.assess(chain.model, at=NOW)
        assert report.accepted
        for claim in report.claims:
            if claim.statement.digest == chain.run.payload_digest:
                change(claim.statement)


# --- who else signed the same ----------------------------------------------------------------------------------------


def test_a_certificate_with_other_claims_hides_none_with_the_right_ones() -> None:
    # The same workflow, in the same second, over the same payload; anybody may open a pull request.
    sigstore = VirtualSigstore()
    payload = statement([{"name": "m.bin", "digest": {"sha256": sha256(b"weights")}}], TYPE, {})
    pushed = Holder.github("acme/train", repository_id="4711", trigger="push")
    asked_for = replace(pushed, claims={**pushed.claims, "build_trigger": "pull_request_target"})
    good, bad = (sigstore.sign(payload, identity=who) for who in (pushed, asked_for))
    workflow = {"repository": "acme/train", "repository_id": "4711", "trigger": "push"}
    rule = policy({"issuer": pushed.issuer, "github": workflow}, times="verified")
    asked = Verifier(policy=rule, trust=sigstore.trust(), predicates=(opaque(TYPE),))

    def verdict(*evidence: Attestation) -> str:
        return asked.assess(MODEL, evidence).verdict.value

    assert [verdict(good), verdict(good, bad), verdict(bad, good)] == ["accepted"] * 3
    refused = asked.assess(MODEL, bad)
    assert refused.cause is not None
    assert refused.cause.code == "policy.signed-by"
