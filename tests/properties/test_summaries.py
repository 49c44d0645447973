"""Laws of verification summaries: a level is never raised on its way, and nothing but what was asked for goes on."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest import Policy, Verifier, attest
from glasswing_attest.artifact.file import Blob
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, number_of, track_of
from tests.chains import seal, signer, statement, trust_of

VERIFIER, RESOURCE = "https://verifier.example", "https://models.example/m.bin"
THING = Blob(b"weights", name="m.bin", kind="model").measure()

numbered = st.builds("SLSA_{}_LEVEL_{}".format, st.sampled_from(["BUILD", "SOURCE", "BUILD_ENV"]), st.integers(0, 4))
strange = st.sampled_from(
    ["SLSA_BUILD_LEVEL_UNEVALUATED", "SLSA_BUILD_LEVEL_03", "SLSA_BUILD_LEVEL_33", "slsa_build_level_3", "ACME", ""]
)
levels = st.lists(numbered | strange, max_size=6, unique=True)


def policy(asked: list[str]) -> Policy:
    expect = {"verifier": VERIFIER, "resource": RESOURCE, **({"level": asked} if asked else {})}
    rule = {"predicate": SUMMARY_V1, "signed_by": {"any_of": ["verifier"]}, "expect": expect}
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "identities": {"verifier": {"key": "verifier"}},
        "nodes": {"model": {"require": [rule]}},
    }
    return Policy.parse(json.dumps(plain).encode(), suffix=".json")


@settings(deadline=None, max_examples=60)
@given(said=levels, asked=st.lists(numbered | st.just("ACME"), max_size=3, unique=True))
def test_a_level_goes_on_as_it_came_or_not_at_all(said: list[str], asked: list[str]) -> None:
    body = {
        "verifier": {"id": VERIFIER},
        "resourceUri": RESOURCE,
        "verificationResult": "PASSED",
        "verifiedLevels": said,
    }
    told = seal(statement([{"digest": THING.digests.to_dict()}], SUMMARY_V1, body), signer("verifier"))
    verifier = Verifier(policy=policy(asked), trust=trust_of("verifier"))
    report = verifier.assess(THING, told)

    def highest(track: str, among: list[str]) -> int:
        return max((number_of(level) for level in among if track_of(level) == track), default=-1)

    reached = [
        level in said or (number_of(level) >= 0 and highest(track_of(level), said) >= number_of(level))
        for level in asked
    ]
    assert report.accepted == all(reached)
    if not report.accepted:
        return
    summary = report.summary(verifier=VERIFIER, resource=RESOURCE)
    tracks = {track_of(level) for level in asked} - {""}
    for level in summary.levels:
        assert level in said or level == "SLSA_BUILD_LEVEL_UNEVALUATED"
        assert level in asked or track_of(level) in tracks or level == "SLSA_BUILD_LEVEL_UNEVALUATED"
    for track in tracks:
        assert highest(track, list(summary.levels)) == highest(track, said)
    # Whoever relies on us may ask for the same, and passes the same on.
    again = verifier.assess(THING, attest(THING, summary, signer=signer("verifier")))
    assert again.accepted
    assert again.summary(verifier=VERIFIER, resource=RESOURCE).levels == summary.levels
