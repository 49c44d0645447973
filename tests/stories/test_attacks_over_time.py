"""What does an attacker try that is no single question? Versions, replays, and summaries of summaries.

The single questions are the corpus, tests/attacks. Here Mallory acts between two calls, or between two people.
"""

from dataclasses import replace

import pytest

from glasswing_attest import Attestation, KeySigner, Manifest, Policy, Trust, attest
from glasswing_attest.artifact.extension import extends
from glasswing_attest.artifact.leaves import head_of
from glasswing_attest.artifact.manifest import FileEntry
from glasswing_attest.errors import FieldRefused, Mismatch, NotAccepted, NotExtended, UsageError
from glasswing_attest.report.report import Report
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from tests.chains import Chain, honest, policy_of, run_record, sha256, tree, used

VERIFIER = "https://platform.example/verifier"
RESOURCE = "https://models.example/penguins/1.0"
PLATFORM = KeySigner.generate("ed25519")


def test_replaced_leaf_of_a_dataset_that_grows() -> None:
    # Version 2 is to hold all of version 1. Mallory puts her file in the place of one, or beside it under its name.
    one = tree("dataset", {"a.csv": b"good", "b.csv": b"good"})
    two = tree("dataset", {"a.csv": b"good", "b.csv": b"good", "c.csv": b"more"})
    assert extends(one, two) == head_of(two)
    for served in (
        tree("dataset", {"a.csv": b"evil", "b.csv": b"good", "c.csv": b"more"}),
        tree("dataset", {"A.csv": b"good", "b.csv": b"good", "c.csv": b"more"}),
        tree("dataset", {"b.csv": b"good", "c.csv": b"more"}),
    ):
        for known in (one, head_of(one)):
            with pytest.raises(NotExtended) as caught:
                extends(known, served)
            assert caught.value.code == "verification.extension"
    twice = FileEntry(name="a.csv", size=4, sha256=sha256(b"evil"))
    with pytest.raises(FieldRefused) as refused:
        Manifest.of_tree("dataset", [*two.files, twice])
    assert (refused.value.code, refused.value.because) == ("malformed.field", "it occurs twice")


# --- summaries -------------------------------------------------------------------------------------------------------


def relying(*, resource: str = RESOURCE, level: str = "SLSA_BUILD_LEVEL_2") -> Policy:
    """A policy that believes the platform's summaries."""
    rule = {
        "predicate": SUMMARY_V1,
        "signed_by": {"any_of": ["platform"]},
        "expect": {"verifier": VERIFIER, "resource": resource, "level": level},
    }
    return policy_of(
        lambda p: p.update(identities={"platform": {"key": "platform"}}, nodes={"model": {"require": [rule]}})
    )


def believed(chain: Chain) -> Report:
    """The honest chain, verified now by the platform, for whom the trainer's builder has level 2."""
    pair = {"id": "https://ci.example/trainer", "signed_by": ["trainer"], "level": 2}
    return chain.assess(policy=policy_of(lambda p: p.update(builders=[pair])), at=None)


def summary_of(report: Report) -> Attestation:
    return attest(report.artifact, report.summary(verifier=VERIFIER, resource=RESOURCE), signer=PLATFORM)


def relied_on(made: Attestation, policy: Policy, chain: Chain) -> Report:
    return chain.assess([made], policy=policy, trust=Trust.of(platform=PLATFORM.public_key), at=None)


def test_summary_of_a_summary_says_no_more() -> None:
    # Whoever verifies by a summary, and sums that up, and so on, never reaches a higher level nor other evidence.
    chain = honest()
    made = summary_of(believed(chain))
    reached = made.statement_unverified.predicate["verifiedLevels"]
    for _ in range(3):
        report = relied_on(made, relying(), chain)
        assert report.accepted
        again = summary_of(report)
        said = again.statement_unverified.predicate
        assert said["verifiedLevels"] == reached
        assert [item["digest"] for item in said["inputAttestations"]] == [{"sha256": sha256(made.bytes)}]  # type: ignore[union-attr,index,call-overload]
        made = again
    report = relied_on(made, relying(level="SLSA_BUILD_LEVEL_3"), chain)
    assert report.cause is not None
    assert (report.cause.code, report.cause.rule) == ("policy.expect", "nodes.model.expect.level")


def test_summary_is_of_what_was_verified_and_of_nothing_else() -> None:
    chain = honest()
    summary = believed(chain).summary(verifier=VERIFIER, resource=RESOURCE)
    evil = tree("model", {"config.json": b"{}", "model.safetensors": b"evil"}, chain.model.name)
    with pytest.raises(Mismatch) as caught:
        attest(evil, summary, signer=PLATFORM)
    assert caught.value.code == "verification.mismatch"
    report = relied_on(summary_of(believed(chain)), relying(resource="https://models.example/other/1.0"), chain)
    assert report.cause is not None
    assert (report.cause.code, report.cause.rule) == ("policy.expect", "nodes.model.expect.resource")


def test_summary_of_a_no_or_of_another_time_is_not_given() -> None:
    chain = honest()
    refused = chain.assess([run_record(chain.model, used(chain.data, "dataset"))])
    with pytest.raises(NotAccepted) as no:
        refused.summary(verifier=VERIFIER, resource=RESOURCE)
    assert no.value.because == "policy.inputs"
    yesterday = chain.assess()
    assert yesterday.accepted
    for report in (yesterday, replace(believed(chain), replayed=True)):
        with pytest.raises(UsageError) as caught:
            report.summary(verifier=VERIFIER, resource=RESOURCE)
        assert caught.value.where == "summary"
