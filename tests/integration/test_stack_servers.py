"""Do the real servers stand, and do sigstore-python and we agree about what is signed there?"""

import base64
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore.dsse import DigestSet, StatementBuilder, Subject
from sigstore.models import ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityToken, detect_credential
from sigstore.sign import SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from glasswing_attest import Attestation
from glasswing_attest.bundle import Bundle
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile
from glasswing_attest.verification.procedure import prove, prove_message
from tests.stack import IDENTITIES, Stack, background

ARTIFACT = b"what is signed\n"
SHA256 = ("sha256", hashlib.sha256(ARTIFACT).digest())


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, no socket connects."""

    def refuse(*_: object) -> None:
        raise AssertionError("a verifier went out")

    return lambda: monkeypatch.setattr(socket.socket, "connect", refuse)


def their_context(stack: Stack, config: str = "client_trust_config") -> SigningContext:
    """sigstore-python, as it signs here."""
    document = (stack.folder / f"{config}.json").read_text()
    return SigningContext.from_trust_config(ClientTrustConfig.from_json(document))


def fetched(url: str) -> str:
    """What a server answers to GET."""
    with urllib.request.urlopen(url, timeout=30) as response:
        return str(response.read().decode("utf-8"))


def test_each_server_is_the_one_that_the_trusted_root_names(stack: Stack) -> None:
    (root,) = stack.trust.roots
    fulcio = [c.public_bytes(Encoding.DER) for c in root.authorities[0].chain]
    (chain,) = json.loads(fetched(f"{stack.fulcio}/api/v2/trustBundle"))["chains"]
    assert [ssl.PEM_cert_to_DER_cert(pem.strip()) for pem in chain["certificates"]] == fulcio
    ct = json.loads(fetched(f"{stack.ct_log}/ct/v1/get-roots"))["certificates"]
    assert {base64.b64decode(der) for der in ct} == set(fulcio)
    clock = "".join(c.public_bytes(Encoding.PEM).decode() for c in root.clocks[0].chain)
    assert fetched(f"{stack.tsa}/certchain").strip() == clock.strip()
    assert fetched(f"{stack.rekor_v2}/api/v2/checkpoint").startswith("rekor.local.test\n")
    assert "rekor1.local.test - " in json.loads(fetched(f"{stack.rekor_v1}/api/v1/log"))["signedTreeHead"]
    document = json.loads(fetched(f"{stack.issuer_of('gitlab')}/.well-known/openid-configuration"))
    assert document["issuer"] == stack.issuer_of("gitlab")


@pytest.mark.parametrize(
    ("config", "version", "profile"),
    [
        ("client_trust_config", "0.0.2", PUBLIC_GOOD),
        ("client_trust_config_v1", "0.0.1", PUBLIC_GOOD),
        # sigstore-python logs once; two clocks stamp.
        ("client_trust_config_all", "0.0.2", Profile(scts=1, logs=1, times=2, stamps=2)),
    ],
)
def test_what_sigstore_python_signs_here_verifies_with_us_and_with_it(
    stack: Stack, config: str, version: str, profile: Profile, offline: Callable[[], None]
) -> None:
    statement = (
        StatementBuilder()
        .subjects([Subject(name="x", digest=DigestSet({"sha256": SHA256[1].hex()}))])
        .predicate_type("https://example.com/said/v1")
        .predicate({"said": True})
        .build()
    )
    with their_context(stack, config).signer(IdentityToken(stack.token())) as signer:
        about, message = signer.sign_dsse(statement), signer.sign_artifact(ARTIFACT)
    offline()

    trust = stack.trust_of(profile)
    (verified,) = prove(Attestation.parse(about.to_json().encode()), trust)
    assert (verified.signer.san, verified.signer.issuer) == (stack.san_of("email"), stack.issuer_of("email"))
    assert [str(d) for s in verified.statement.subjects for d in s.digest.digests] == [f"sha256:{SHA256[1].hex()}"]
    ours = prove_message(Bundle.from_json(message.to_json().encode()), trust, digest=SHA256, content=ARTIFACT)
    assert ours.signer.san == stack.san_of("email")
    (entry,) = json.loads(message.to_json())["verificationMaterial"]["tlogEntries"]
    assert entry["kindVersion"] == {"kind": "hashedrekord", "version": version}

    theirs = Verifier(trusted_root=TrustedRoot.from_file(str(stack.trusted_root)))
    alice = Identity(identity=stack.san_of("email"), issuer=stack.issuer_of("email"))
    theirs.verify_artifact(ARTIFACT, message, alice)
    _, payload = theirs.verify_dsse(about, alice)
    assert json.loads(payload)["predicate"] == {"said": True}


CLAIMS: Mapping[str, Mapping[str, str]] = {
    "github": {
        "build_signer_uri": "https://github.com/acme/train/.github/workflows/release.yml@refs/heads/main",
        "source_repository_uri": "https://github.com/acme/train",
        "source_repository_identifier": "1001",
        "source_repository_owner_identifier": "2002",
        "runner_environment": "github-hosted",
        "run_invocation_uri": "https://github.com/acme/train/actions/runs/3003/attempts/1",
    },
    "gitlab": {
        "build_config_uri": "https://gitlab.com/acme/train//.gitlab-ci.yml@refs/heads/main",
        "source_repository_ref": "refs/heads/main",
        "run_invocation_uri": "https://gitlab.com/acme/train/-/jobs/5005",
    },
    "buildkite": {"runner_environment": "self-hosted", "build_trigger": "webhook"},
    "circleci": {"build_config_uri": "https://circleci.com/api/v2/pipeline/9bb4/config"},
}
"""Some of what upstream's configuration makes of the tokens."""


@pytest.mark.parametrize("identity", IDENTITIES)
def test_fulcio_certifies_each_kind_of_identity(stack: Stack, identity: str) -> None:
    with their_context(stack, "client_trust_config_v1").signer(IdentityToken(stack.token(identity))) as signer:
        bundle = signer.sign_artifact(ARTIFACT)
    ours = prove_message(Bundle.from_json(bundle.to_json().encode()), stack.trust, digest=SHA256, content=ARTIFACT)
    assert (ours.signer.san, ours.signer.issuer) == (stack.san_of(identity), stack.issuer_of(identity))
    found = dict(ours.signer.claims)
    if identity in CLAIMS:
        assert CLAIMS[identity].items() <= found.items()
    else:
        assert found == {}


def refusal(stack: Stack, token: str) -> tuple[int, str]:
    """What Fulcio answers to somebody who holds a key and this token, which is not good enough."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    proof = key.sign(stack.san_of("email").encode(), ec.ECDSA(hashes.SHA256()))
    wanted = {
        "credentials": {"oidcIdentityToken": token},
        "publicKeyRequest": {
            "publicKey": {"algorithm": "ECDSA", "content": pem},
            "proofOfPossession": base64.b64encode(proof).decode(),
        },
    }
    request = urllib.request.Request(
        f"{stack.fulcio}/api/v2/signingCert", json.dumps(wanted).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, ""
    except urllib.error.HTTPError as e:
        with e:
            return e.code, json.load(e)["message"]


def test_fulcio_refuses_tokens_that_are_not_good_enough(stack: Stack) -> None:
    assert refusal(stack, stack.token()) == (200, "")  # so it is the tokens, below
    unverified = "There was an error processing the identity token"
    for token in (
        stack.token(wrong="key"),
        stack.token(wrong="issuer"),
        stack.token(audience="another"),
        stack.token(expires=timedelta(minutes=-1)),
        stack.token(email_verified=False),
    ):
        assert refusal(stack, token) == (400, unverified)


def test_a_job_finds_its_token(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.ambient("github").items():
        monkeypatch.setenv(name, value)
    token = detect_credential()
    assert token is not None
    with their_context(stack).signer(IdentityToken(token)) as signer:
        bundle = signer.sign_artifact(ARTIFACT)
    ours = prove_message(Bundle.from_json(bundle.to_json().encode()), stack.trust, digest=SHA256, content=ARTIFACT)
    assert ours.signer.san == stack.san_of("github")


def alive(pids: Mapping[str, int]) -> set[str]:
    """Which of these still run."""
    found = set()
    for name, pid in pids.items():
        try:
            os.kill(pid, 0)
            # One that nobody has asked for its exit code yet is over, too.
            state = Path(f"/proc/{pid}/stat").read_text() if sys.platform == "linux" else ") R"
        except (ProcessLookupError, FileNotFoundError):
            continue
        if state.rpartition(")")[2].split()[0] != "Z":
            found.add(name)
    return found


@pytest.mark.parametrize("whose", ["the test run's", "its own"])
def test_a_stack_ends_with_a_sudden_death(stack: Stack, tmp_path: Path, whose: str) -> None:
    if whose == "its own" and sys.platform != "linux":
        pytest.skip("only Linux ends the children of a process that is killed")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        other = background.start(tmp_path / "sigstore", owner=owner.pid)
        assert alive(other.pids) == set(other.pids)
        assert {other.fulcio, other.rekor_v2}.isdisjoint({stack.fulcio, stack.rekor_v2})
        pid = int((tmp_path / "sigstore" / "pid").read_text())
        os.kill(owner.pid if whose == "the test run's" else pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while alive(other.pids) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert alive(other.pids) == set()
        owner.kill()
    assert alive(stack.pids) == set(stack.pids)
