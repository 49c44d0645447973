"""Is this signer who the policy means, and nobody who only looks like it?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest.errors import FieldRefused, PolicyRefused
from glasswing_attest.policy.identities import glob_matches, is_signer
from glasswing_attest.policy.policy import GitHub, Identity
from glasswing_attest.verification import identity
from glasswing_attest.verification.certificate import Leaf
from glasswing_attest.verification.identity import VerifiedSigner

ACTIONS = "https://token.actions.githubusercontent.com"
WORKFLOW = "https://github.com/acme/train/.github/workflows/release.yml@refs/tags/v1.2"


# --- globs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a@example.com", "a@example.com", True),
        ("a@example.com", "a@example.com.evil", False),
        ("a@example.com", "evila@example.com", False),
        ("a@example.com", "A@example.com", False),
        ("*@example.com", "anyone@example.com", True),
        ("*@example.com", "@example.com", True),
        ("*@example.com", "a@b@example.com", True),
        ("*@example.com", "a@example.com\n", False),
        ("*@example.com", "evil\na@example.com.evil", False),
        # A star never crosses a slash, however many there are.
        ("https://github.com/acme/*", "https://github.com/acme/train", True),
        ("https://github.com/acme/*", "https://github.com/acme/train/evil", False),
        ("https://github.com/acme/**", "https://github.com/acme/train/evil", False),
        ("https://github.com/acme/*", "https://evil.com/?https://github.com/acme/train", False),
        ("*https://github.com/acme/train", "evil.com/?https://github.com/acme/train", False),
        ("https://github.com/acme/*/x", "https://github.com/acme//x", True),
        (
            "https://github.com/acme/train@refs/tags/*",
            "https://github.com/acme/train@refs/tags/v1/../../heads/x",
            False,
        ),
        ("refs/heads/*", "refs/heads/release/1", False),
        # Nothing but the star means anything.
        ("a.b@example.com", "aXb@example.com", False),
        ("a+b@example.com", "aab@example.com", False),
        ("(a|b)@example.com", "a@example.com", False),
        ("[ab]@example.com", "a@example.com", False),
        ("a?@example.com", "ab@example.com", False),
        ("a?@example.com", "a?@example.com", True),
        (".*@example.com", "a@example.com", False),
        (".*@example.com", ".a@example.com", True),
        ("^a@example.com$", "a@example.com", False),
        (r"a\*@example.com", "a*@example.com", False),
        (r"a\*@example.com", r"a\b@example.com", True),
        ("!a@example.com", "b@example.com", False),
        ("[!a]*", "b", False),
        ("{a,b}", "a", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_a_glob_matches_the_whole_text_and_a_star_no_slash(pattern: str, text: str, matches: bool) -> None:
    assert glob_matches(pattern, text) is matches


def test_a_glob_of_many_stars_takes_no_time() -> None:
    assert not glob_matches("*a" * 12 + "b", "a" * 400)
    assert not glob_matches("*" * 200 + "b", "a" * 4000)


# --- what an identity may say ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "because"),
    [
        ({}, "exactly one of key, issuer and authority"),
        ({"san": "a@example.com"}, "exactly one of key, issuer and authority"),
        ({"key": "k", "issuer": ACTIONS, "san": "a"}, "exactly one of key, issuer and authority"),
        ({"issuer": ACTIONS, "authority": "corp", "san": "a"}, "exactly one of key, issuer and authority"),
        ({"issuer": ACTIONS}, "vouches for everybody"),
        ({"authority": "corp"}, "vouches for everybody"),
        ({"issuer": "", "san": "a@example.com"}, "issuer: wanted a text that is not empty"),
        ({"issuer": None, "san": "a@example.com"}, "exactly one of key, issuer and authority"),
        ({"key": "k", "san": "a"}, "a key stands alone"),
        ({"key": "k", "root": "r"}, "a key stands alone"),
        ({"issuer": ACTIONS, "san": "*"}, "names nobody"),
        ({"issuer": ACTIONS, "san": "***"}, "names nobody"),
        ({"issuer": ACTIONS, "san": "*/*"}, "names nobody"),
        ({"issuer": ACTIONS, "san": "*@*"}, "names nobody"),
        ({"issuer": ACTIONS, "san": "*@*.*"}, "names nobody"),
        ({"issuer": ACTIONS, "san": "https://*/*/*"}, "names nobody"),
        ({"authority": "corp", "san": "spiffe://*/*"}, "names nobody"),
        ({"authority": "corp", "san": "subject:CN=*,OU=release,O=Acme"}, "san: a subject is compared exactly"),
        ({"issuer": ACTIONS, "san": ""}, "san: wanted a text that is not empty"),
        ({"issuer": ACTIONS, "claims": {"owner": "acme"}}, "no such claim"),
        ({"issuer": ACTIONS, "claims": {"issuer": "x"}}, "no such claim"),
        ({"issuer": ACTIONS, "claims": {"build_trigger": ""}}, "claims.build_trigger: wanted a text that is not empty"),
        ({"issuer": ACTIONS, "claims": {"runner_environment": "github-*"}}, "claims.runner_environment: there are no"),
        ({"issuer": ACTIONS, "github": {"repository": "a/b", "ref": "main"}}, "github.ref: wanted a text of the form"),
        ({"authority": "corp", "github": {"repository": "a/b"}}, "github needs an issuer"),
        ({"issuer": ACTIONS, "github": {"repository": "acme"}}, "github.repository: wanted a text of the form"),
        ({"issuer": ACTIONS, "github": {"repository": "acme/train/x"}}, "github.repository: wanted a text of the form"),
        ({"issuer": ACTIONS, "github": {"repository": "acme/*"}}, "github.repository: wanted a text of the form"),
        ({"issuer": ACTIONS, "github": {"repository": "acme/train\n"}}, "github.repository: wanted a text of the form"),
        ({"issuer": ACTIONS, "github": {"repository_id": 1}}, "github.repository: it is missing"),
        ({"issuer": ACTIONS, "san": "a", "subject": "a"}, "subject: there is no such key"),
    ],
)
def test_an_identity_that_is_nobody_or_anybody_cannot_be_built(values: dict[str, Any], because: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        Identity(**values)
    assert refused.value.code == "malformed.policy"
    error = refused.value
    assert because in f"{error.where}: {error.because or f'wanted {error.wanted}'}"


# --- who is who ------------------------------------------------------------------------------------------------------


def signer(**values: Any) -> VerifiedSigner:
    """A signer as the check would give it: only here does a test hold the seal."""
    principal = values.pop("principal", "certificate:root issuer san")
    names = frozenset(values.pop("names", ()))
    claims = tuple(values.pop("claims", {}).items())
    values = {"fingerprint": "", **values}
    return VerifiedSigner(principal=principal, names=names, claims=claims, **values, seal=identity._SEAL)


def test_a_key_is_who_the_trust_calls_it() -> None:
    by_key = signer(names={"trainer", "backup"})
    assert is_signer(Identity(key="trainer"), by_key)
    assert not is_signer(Identity(key="other"), by_key)
    assert not is_signer(Identity(issuer=ACTIONS, san="trainer"), by_key)
    assert not is_signer(Identity(key="trainer"), signer(root="root", issuer=ACTIONS, san="trainer"))


def test_an_issuer_is_always_asked_for() -> None:
    # An identity without an issuer, or with an empty one, would be anybody's of that name.
    alice = signer(root="root", issuer="https://accounts.example", san="alice@example.com")
    assert is_signer(Identity(issuer="https://accounts.example", san="alice@example.com"), alice)
    for issuer in (
        "https://accounts.example/",
        "https://accounts.example.evil",
        "HTTPS://accounts.example",
        "https://*",
    ):
        assert not is_signer(Identity(issuer=issuer, san="alice@example.com"), alice)
    nobody = signer(root="root", issuer="", san="alice@example.com")
    assert not is_signer(Identity(issuer="https://accounts.example", san="alice@example.com"), nobody)


def test_a_name_is_exact_or_a_glob_of_the_whole() -> None:
    alice = signer(root="root", issuer="https://accounts.example", san="alice@example.com")
    assert is_signer(Identity(issuer="https://accounts.example", san="*@example.com"), alice)
    assert not is_signer(Identity(issuer="https://accounts.example", san="*@example.co"), alice)
    assert not is_signer(Identity(issuer="https://accounts.example", san="alice"), alice)


def test_a_private_authority_vouches_by_itself() -> None:
    spiffe = signer(root="corp", san="spiffe://corp.example/trainer")
    assert is_signer(Identity(authority="corp", san="spiffe://corp.example/*"), spiffe)
    assert not is_signer(Identity(authority="other", san="spiffe://corp.example/*"), spiffe)
    # A certificate of the same root that names an OIDC issuer is that issuer's to vouch for.
    federated = signer(root="corp", issuer="https://accounts.example", san="spiffe://corp.example/trainer")
    assert not is_signer(Identity(authority="corp", san="spiffe://corp.example/*"), federated)


def test_a_subject_is_compared_exactly() -> None:
    robot = signer(root="corp", san="subject:CN=robot.acme.example")
    assert is_signer(Identity(authority="corp", san="subject:CN=robot.acme.example"), robot)
    # A star before it would take in the mark, and one within it what its holder chose to be called.
    for pattern in ("*.acme.example", "*robot.acme.example", "*CN=robot.acme.example", "subject?CN=robot.acme.example"):
        assert not is_signer(Identity(authority="corp", san=pattern), robot)
    assert not is_signer(Identity(authority="corp", san="*ubject:CN=robot.acme.example"), robot)
    named = signer(root="corp", san="robot.acme.example")
    assert is_signer(Identity(authority="corp", san="*.acme.example"), named)


def test_a_star_makes_no_uri_of_another_name() -> None:
    posing = signer(root="corp", san="x:release@acme.example")
    for pattern in ("*@acme.example", "*:release@acme.example", "x*release@acme.example", "*:*@acme.example"):
        assert not is_signer(Identity(authority="corp", san=pattern), posing)
    assert is_signer(Identity(authority="corp", san="x:*@acme.example"), posing)


def test_an_identity_may_be_held_to_one_root() -> None:
    alice = signer(root="public", issuer="https://accounts.example", san="alice@example.com")
    for root, same in (("public", True), ("private", False)):
        wanted = Identity(issuer="https://accounts.example", san="alice@example.com", root=root)
        assert is_signer(wanted, alice) is same


def test_every_claim_must_be_there_and_equal() -> None:
    claims = {"source_repository_owner_identifier": "17", "runner_environment": "github-hosted"}
    found = signer(root="root", issuer=ACTIONS, san=WORKFLOW, claims=claims)
    assert is_signer(Identity(issuer=ACTIONS, claims=claims), found)
    assert is_signer(Identity(issuer=ACTIONS, claims={"runner_environment": "github-hosted"}), found)
    assert not is_signer(Identity(issuer=ACTIONS, claims={**claims, "build_trigger": "push"}), found)
    assert not is_signer(Identity(issuer=ACTIONS, claims={"runner_environment": "github-"}), found)


CLAIMS = {
    "source_repository_uri": "https://github.com/acme/train",
    "source_repository_identifier": "4711",
    "source_repository_owner_identifier": "17",
    "source_repository_ref": "refs/tags/v1.2",
    "build_trigger": "push",
    "runner_environment": "github-hosted",
}


@pytest.mark.parametrize(
    ("wanted", "same"),
    [
        ({}, True),
        ({"repository_id": 4711, "owner_id": "17"}, True),
        ({"repository_id": 4712}, False),
        ({"owner_id": 18}, False),
        ({"workflow": "release.yml"}, True),
        ({"workflow": "release.yml", "ref": "refs/tags/v*"}, True),
        ({"workflow": "release.yml", "ref": "refs/heads/main"}, False),
        ({"workflow": "other.yml"}, False),
        ({"workflow": "elease.yml"}, False),
        ({"workflow": "*"}, False),
        ({"workflow": "../workflows/release.yml"}, False),
        ({"ref": "refs/tags/v*"}, True),
        ({"ref": "refs/heads/*"}, False),
        ({"trigger": "push", "runner": "github-hosted"}, True),
        ({"trigger": "pull_request"}, False),
        ({"runner": "self-hosted"}, False),
    ],
)
def test_a_github_workflow_is_its_repository_ids_file_and_ref(wanted: dict[str, Any], same: bool) -> None:
    found = signer(root="root", issuer=ACTIONS, san=WORKFLOW, claims=CLAIMS)
    github = GitHub(repository="acme/train", **wanted)
    assert is_signer(Identity(issuer=ACTIONS, github=github), found) is same


def without(name: str) -> dict[str, str]:
    return {claim: value for claim, value in CLAIMS.items() if claim != name}


@pytest.mark.parametrize(
    ("san", "claims", "why"),
    [
        (WORKFLOW, without("source_repository_uri"), "says not which repository"),
        (WORKFLOW, {**CLAIMS, "source_repository_uri": "https://github.com/acme/train2"}, "a longer name"),
        (WORKFLOW, {**CLAIMS, "source_repository_uri": "https://github.com/Acme/train"}, "another case"),
        (WORKFLOW, {**CLAIMS, "source_repository_uri": "https://github.com.evil/acme/train"}, "another host"),
        (WORKFLOW, {**CLAIMS, "source_repository_identifier": "04711"}, "a number written otherwise"),
        (WORKFLOW, without("source_repository_identifier"), "no id, so a renamed repository could be it"),
        (WORKFLOW.replace("acme/train", "other/workflows"), CLAIMS, "a reusable workflow of somebody else"),
        (WORKFLOW.replace("refs/tags", "refs/heads"), CLAIMS, "the workflow was taken from another ref"),
        (WORKFLOW.partition("@")[0], CLAIMS, "the workflow's own ref is not said"),
        (WORKFLOW, {**CLAIMS, "source_repository_ref": "refs/heads/main"}, "built from another ref"),
        (f"https://evil.example/?{WORKFLOW}", CLAIMS, "a name that only contains it"),
        (f"{WORKFLOW}/x", CLAIMS, "a name that only begins with it"),
    ],
)
def test_a_github_workflow_is_nobody_who_looks_like_it(san: str, claims: dict[str, str], why: str) -> None:
    wanted = GitHub(repository="acme/train", repository_id="4711", workflow="release.yml", ref="refs/tags/v*")
    assert is_signer(
        Identity(issuer=ACTIONS, github=wanted), signer(root="r", issuer=ACTIONS, san=WORKFLOW, claims=CLAIMS)
    )
    assert not is_signer(
        Identity(issuer=ACTIONS, github=wanted), signer(root="r", issuer=ACTIONS, san=san, claims=claims)
    ), why


# --- what a certificate says -----------------------------------------------------------------------------------------

V1, V2 = "1.3.6.1.4.1.57264.1.1", "1.3.6.1.4.1.57264.1.8"


KEY = ec.generate_private_key(ec.SECP256R1())


def leaf(*extensions: tuple[str, bytes], san: x509.GeneralName | None = None) -> Leaf:
    """A certificate with these extensions, and with one name; reading it says nothing of who issued it."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName([san or x509.RFC822Name("a@example.com")]), critical=True)
    )
    for oid, value in extensions:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical=False)
    return Leaf.parse(builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER))


def test_the_issuer_is_the_typed_extension_and_the_old_one_only_without_it() -> None:
    old, new = b"https://old.example", encode_der("https://new.example")
    assert leaf((V1, old), (V2, new)).issuer == "https://new.example"
    assert leaf((V2, new)).issuer == "https://new.example"
    assert leaf((V1, old)).issuer == "https://old.example"
    assert leaf().issuer == ""


@pytest.mark.parametrize(
    ("extension", "why"),
    [
        ((V2, b"https://bare.example"), "not DER"),
        ((V2, encode_der(7)), "another type"),
        ((V2, encode_der("https://new.example") + b"\0"), "bytes follow it"),
        ((V2, encode_der("https://new.example\nhttps://x")), "a line end"),
        ((V1, b"\xff"), "not UTF-8"),
        ((V1, b"https://old.example\0"), "a zero byte"),
    ],
)
def test_an_issuer_that_is_written_otherwise_is_refused(extension: tuple[str, bytes], why: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        leaf(extension)
    assert refused.value.where == "certificate.issuer", why


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (lambda: x509.RFC822Name("alice@example.com"), "alice@example.com"),
        (lambda: x509.UniformResourceIdentifier("spiffe://corp.example/trainer"), "spiffe://corp.example/trainer"),
        (lambda: x509.DNSName("trainer.corp.example"), "trainer.corp.example"),
        (
            lambda: x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), encode_der("foo!oidc.local")),
            "foo!oidc.local",
        ),
    ],
)
def test_a_signers_one_name_is_read(name: Callable[[], x509.GeneralName], read: str) -> None:
    assert leaf(san=name()).san == read


def test_a_name_of_another_kind_is_refused() -> None:
    for name in (
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        x509.OtherName(x509.ObjectIdentifier("1.2.3"), encode_der("foo")),
    ):
        with pytest.raises(FieldRefused) as refused:
            leaf(san=name)
        assert refused.value.where == "certificate.subjectAltName"
