"""How does a test ask what one requirement says of one statement?"""

from datetime import datetime
from typing import Any

from glasswing_attest import Attestation, Policy, Report, Trust, Verifier, sign_statement
from glasswing_attest.artifact.file import Blob
from glasswing_attest.findings import Finding
from tests.chains import NOW, readers_of, sha256, signer, statement, trust_of

MODEL = Blob(b"weights", name="m.bin", kind="model")
SUBJECT = {"name": "m.bin", "digest": {"sha256": sha256(b"weights")}}
TRIMMED = {
    kind: {"trim": {"reason": "another test's business"}} for kind in ("code", "dataset", "dependency", "image", "tool")
}


def policy(requirement: dict[str, Any], **more: Any) -> Policy:
    """A policy with one requirement for a model, signed by anybody of the test."""
    rule = {"signed_by": {"any_of": ["signer"]}, **requirement}
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "identities": {"signer": {"key": "signer"}, "other": {"key": "other"}},
        "nodes": {"model": {"require": [rule]}, **TRIMMED},
    }
    return Policy(**{**plain, **more})


def said(predicate_type: str, predicate: Any, *, by: str = "signer") -> Attestation:
    """A statement about the model, as whoever holds the key may write it: our own writer is not asked."""
    return sign_statement(statement([SUBJECT], predicate_type, predicate), signer=signer(by))


def judged(evidence: Any, rule: Policy, *, at: datetime = NOW, trust: Trust | None = None) -> Report:
    """What the policy says of the model."""
    verifier = Verifier(policy=rule, trust=trust or trust_of("signer", "other"), predicates=readers_of(rule))
    return verifier.assess(MODEL, evidence, at=at)


def refused(evidence: Any, rule: Policy, *, at: datetime = NOW) -> Finding:
    """Why the policy refuses the model."""
    report = judged(evidence, rule, at=at)
    assert not report.accepted
    assert report.cause is not None
    assert report.cause.rule.startswith("nodes.model")
    return report.cause
