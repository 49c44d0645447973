"""Does what was seen keep its laws, whatever is accepted in whatever order?  docs: verifying, "Refuse what is older".

Versions of one artifact, each with statements of several types, of which some tell a time: all those of a version
later than all those of the version before. The policy asks for them in alternatives, and changes now and then.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest import Policy
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.chain.edges import Reference
from glasswing_attest.chain.seen import Seen
from glasswing_attest.chain.walk import Chain, walk
from glasswing_attest.claims import Claim
from glasswing_attest.limits import DEFAULT
from glasswing_attest.statement.predicates.run import PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from tests.chains import BUILDER
from tests.claims import CHECKED, by_key, claim, day, made, policy, sha256, things

MORE = f"{CHECKED}/more"
TIMED = (PROVENANCE_V1, SUMMARY_V1)
TYPES = (*TIMED, CHECKED, MORE)
VERIFIER, RESOURCE = "https://verifier.example", "pkg:generic/penguins"
EXPECT = {PROVENANCE_V1: {"builder": BUILDER}, SUMMARY_V1: {"verifier": VERIFIER, "resource": RESOURCE}}
VERSIONS = range(1, 4)
NOW = day(99)


def said(version: int, type_: str, by: str, after: int) -> Claim:
    told = 10 * version + after
    predicate: dict[str, Any] = {"n": after}
    if type_ == PROVENANCE_V1:
        predicate = made((), started=told)
    elif type_ == SUMMARY_V1:
        predicate = {
            "verifier": {"id": VERIFIER},
            "timeVerified": day(told).isoformat(),
            "resourceUri": RESOURCE,
            "policy": {"uri": "https://policy.example"},
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_1"],
        }
    return claim(things([version]), predicate, by_key(by), type_=type_)


def asking(alternatives: Iterable[Sequence[str]], two: bool) -> Policy:
    who: dict[str, Any] = {"any_of": ["a", "b"]}
    if two:
        who = {"threshold": 2, "of": ["a", "b"], "over": "same_type"}
    several = [
        {"require": [{"predicate": each, "signed_by": who, "expect": EXPECT.get(each)} for each in types]}
        for types in alternatives
    ]
    rule = several[0] if len(several) == 1 else {"any_of": several}
    return policy({"a": {"key": "a"}, "b": {"key": "b"}}, nodes={"model": rule})


def asked(version: int, claims: Iterable[Claim], about: Policy, seen: Seen) -> tuple[Chain, Seen]:
    root = Reference(kind="model", digests=DigestSet.of(sha256(version)))
    chain = walk(root, "penguins", claims, about, at=NOW, now=NOW, limits=DEFAULT, seen=seen)
    after = seen.after("model", "penguins", root.digests, chain.root_claims, NOW) if chain.accepted else seen
    return chain, after


types = st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)
policies = st.builds(asking, st.lists(types, min_size=1, max_size=2), st.booleans())
piles = st.lists(
    st.tuples(st.sampled_from(TYPES), st.sampled_from("ab"), st.integers(0, 9)), min_size=3, max_size=8, unique=True
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    evidence=st.tuples(*(piles for _ in VERSIONS)),
    questions=st.lists(st.tuples(st.sampled_from(VERSIONS), policies, st.integers(0, 7)), max_size=6),
)
def test_nothing_older_is_accepted_and_what_is_newer_is(
    evidence: Sequence[Sequence[tuple[str, str, int]]], questions: Sequence[tuple[int, Policy, int]]
) -> None:
    seen, newest = Seen(), 0
    for version, about, left_out in questions:
        pile = [said(version, *each) for each in evidence[version - 1]]
        fewer = pile[:left_out] + pile[left_out + 1 :]
        without, _ = asked(version, fewer, about, Seen())
        chain, after = asked(version, fewer, about, seen)
        assert without.accepted or not chain.accepted, "a state made a yes"
        if chain.accepted:
            assert version >= newest, "an older version"
            assert asked(version, pile, about, seen)[0].accepted, "more evidence made a no"
            assert asked(version, fewer, about, after)[0].accepted, "it is not accepted again"
            assert Seen.parse(after.to_json()) == after
            if any(each.not_before is not None for each in chain.root_claims):
                newest = version
        elif without.accepted and version > newest:
            assert any(each.not_before is None for each in without.root_claims), "a newer version that tells its time"
        seen = after
