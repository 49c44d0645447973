"""Does a refusal say who signed, on whose word, and who should have?"""

from typing import Any

import pytest

from glasswing_attest import KeySigner, ModelRecord, Policy, Trust, assess, attest
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import NotAccepted
from glasswing_attest.policy.identities import asked, is_signer, mismatches
from glasswing_attest.policy.policy import GitHub, Identity
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.testing.certificates import GITHUB_ISSUER
from glasswing_attest.trust.sigstore import Profile
from glasswing_attest.verification import identity as identity_check
from glasswing_attest.verification.identity import VerifiedSigner

THING = Blob(b"weights", name="m", kind="model")
SIGSTORE = VirtualSigstore()
TRUST = SIGSTORE.trust()
WORKFLOW = "https://github.com/acme/train/.github/workflows/release.yml"
RELEASE = Identity(
    issuer=GITHUB_ISSUER,
    github=GitHub(repository="acme/train", repository_id="4711", workflow="release.yml", ref="refs/tags/v*"),
)
RELEASE_TOLD = (
    f"release (issuer {GITHUB_ISSUER}, repository acme/train, repository_id 4711, workflow release.yml, "
    "ref refs/tags/v*)"
)


def policy(signed_by: Any = None, times: str = "verified", **identities: Identity) -> Policy:
    rule = signed_by or {"any_of": list(identities)}
    require = {"predicate": ModelRecord.predicate_type, "signed_by": rule}
    return Policy.model_validate(
        {"version": 1, "times": times, "identities": identities, "nodes": {"model": {"require": [require]}}}
    )


def told(holder: Holder | str, asked_for: Policy, trust: Trust = TRUST, sigstore: VirtualSigstore = SIGSTORE) -> Any:
    """The cause of the refusal of what this holder signed."""
    signed = attest(THING, ModelRecord(name="m"), signer=sigstore.signer(holder))
    report = assess(THING, signed, policy=asked_for, trust=trust)
    assert not report.accepted
    assert report.cause is not None
    return report.cause


def test_a_certificate_s_holder_is_told_with_the_issuer_and_the_root() -> None:
    stranger = told("alice@example.com", policy(release=RELEASE))
    assert stranger.code == "policy.signed-by"
    assert stranger.found == "signed by alice@example.com (issuer https://issuer.example, root virtual)"
    assert stranger.wanted == RELEASE_TOLD


def test_the_same_name_by_another_issuer_looks_like_it() -> None:
    alice = Identity(issuer="https://accounts.example", san="alice@example.com")
    cause = told("alice@example.com", policy(alice=alice))
    assert "(issuer https://issuer.example, root virtual)" in cause.found
    assert cause.wanted == "alice (issuer https://accounts.example, san alice@example.com)"


@pytest.mark.parametrize(
    ("changes", "with_what"),
    [
        ({"repository_id": "9"}, ", with source_repository_identifier 9"),
        ({"ref": "refs/heads/main"}, ""),  # which stands in the name already
        ({"repository": "acme/other"}, ""),
    ],
)
def test_what_the_name_hides_is_told_too(changes: dict[str, str], with_what: str) -> None:
    holder = Holder.github(**{"repository": "acme/train", "repository_id": "4711", "ref": "refs/tags/v1", **changes})
    cause = told(holder, policy(release=RELEASE))
    assert cause.found == f"signed by {holder.san} (issuer {GITHUB_ISSUER}, root virtual){with_what}"
    assert cause.wanted == RELEASE_TOLD


def test_a_claim_that_is_not_there_is_told() -> None:
    wanted = Identity(issuer="https://issuer.example", claims={"build_trigger": "push"})
    assert told("alice@example.com", policy(ci=wanted)).found.endswith(", with no build_trigger")


def test_the_text_of_the_report_holds_all_of_it() -> None:
    signed = attest(THING, ModelRecord(name="m"), signer=SIGSTORE.signer(Holder.github("acme/train", ref="refs/x/y")))
    report = assess(THING, signed, policy=policy(release=RELEASE), trust=TRUST)
    text = report.to_text()
    assert f"signed by {WORKFLOW}@refs/x/y (issuer {GITHUB_ISSUER}, root virtual)" in text
    assert RELEASE_TOLD in text
    with pytest.raises(NotAccepted) as refused:
        report.require()
    assert (refused.value.because, refused.value.where) == ("policy.signed-by", "model m")
    assert RELEASE_TOLD in str(refused.value)


def test_a_private_authority_is_told_instead_of_an_issuer() -> None:
    corp = VirtualSigstore("corp", operator="corp.example")
    trust = Trust(roots=(corp.root(Profile(scts=0, logs=1, times=1)),))
    holder = Holder(san="spiffe://corp.example/a", issuer="")
    cause = told(holder, policy(b=Identity(authority="corp", san="spiffe://corp.example/b")), trust, corp)
    assert cause.found == "signed by spiffe://corp.example/a (authority corp)"
    assert cause.wanted == "b (authority corp, san spiffe://corp.example/b)"


def test_a_key_is_told_by_its_names_and_its_fingerprint() -> None:
    one, two = KeySigner.generate("ed25519"), KeySigner.generate("ed25519")
    trust = Trust.of({"one": one.public_key, "uno": one.public_key, "two": two.public_key})
    signed = attest(THING, ModelRecord(name="m"), signer=one)
    identities = {"release": Identity(key="two"), "two": Identity(key="two"), "one": Identity(key="one")}
    short = one.public_key.fingerprint[:16]
    report = assess(THING, signed, policy=policy({"any_of": ["release", "two"]}, "claimed", **identities), trust=trust)
    assert report.cause is not None
    assert report.cause.found == f"signed by one, uno (key {short})"
    assert report.cause.wanted == "release (key two) or two"
    rule = {"threshold": 2, "of": ["one", "release"], "over": "same_type"}
    report = assess(THING, signed, policy=policy(rule, "claimed", **identities), trust=trust)
    assert report.cause is not None
    assert (report.cause.code, report.cause.found) == ("policy.threshold", f"signed by one, uno (key {short})")
    assert report.cause.wanted == "2 distinct of one, release (key two)"
    nothing = assess(THING, (), policy=policy({"any_of": ["release"]}, "claimed", **identities), trust=trust)
    assert nothing.cause is not None
    assert nothing.cause.wanted == "one signed by release (key two)"


def test_everything_that_an_identity_asks_for_is_told() -> None:
    whole = Identity(issuer="i", root="r", san="s", claims={"build_trigger": "push"})
    assert asked("x", whole) == "x (issuer i, root r, san s, build_trigger push)"
    github = {name: name.upper() for name in GitHub.model_fields} | {"repository": "a/b", "ref": "refs/heads/main"}
    said = asked("x", Identity(issuer="i", github=GitHub(**github)))
    assert all(f"{name} {value}" in said for name, value in github.items())


def test_a_signer_is_who_has_no_mismatch() -> None:
    # One question, asked in two ways: what is told of a refusal is what decided it.
    holder = VerifiedSigner(
        principal="p",
        names=frozenset(),
        root="r",
        issuer="i",
        san="s",
        fingerprint="f",
        seal=vars(identity_check)["_SEAL"],
    )
    for identity, parts in (
        (Identity(issuer="i", san="s"), []),
        (Identity(issuer="j", san="s"), ["issuer"]),
        (
            Identity(issuer="j", san="t", root="q", claims={"build_trigger": "x"}),
            ["root", "issuer", "san", "build_trigger"],
        ),
        (Identity(authority="r", san="s"), ["authority"]),
        (Identity(key="k"), ["key"]),
    ):
        assert [part for part, _ in mismatches(identity, holder)] == parts
        assert is_signer(identity, holder) is (not parts)
