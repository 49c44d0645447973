"""Does keyless signing work on upstream's own servers, and is what they refuse told as they tell it?

Everything is signed on the stack (tests/stack) and verified with every socket refused.
"""

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytest

import glasswing_attest
from glasswing_attest import Attestation, GlasswingError, KeySigner, ModelRecord, Policy, attest, attest_many, verify
from glasswing_attest.artifact.file import Blob
from glasswing_attest.bundle import Bundle
from glasswing_attest.errors import (
    CertificateRefused,
    IdentityTokenExpired,
    IdentityTokenRefused,
    NotAccepted,
    ServiceUnavailable,
    WitnessMissing,
)
from glasswing_attest.signing import IdentityTokens, Instance, Patience, SigstoreSigner
from glasswing_attest.signing.services.http import Http
from glasswing_attest.signing.services.rekor import log_v1, log_v2
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile
from glasswing_attest.verification import signature
from glasswing_attest.verification.procedure import prove, prove_message
from tests.stack import IDENTITIES, Stack

THING = Blob(b"weights", name="m.bin")
SAID = ModelRecord(name="m")
Log = Literal["v1", "v2"]
PATIENCE = Patience(attempts=3, whole=45)


def instance_of(stack: Stack, log: Log = "v2", profile: Profile = PUBLIC_GOOD) -> Instance:
    config = stack.signing_config if log == "v2" else stack.signing_config_v1
    return Instance.load(trusted_root=stack.trusted_root, signing_config=config, profile=profile, name="stack")


def signer_of(stack: Stack, token: str, log: Log = "v2", **options: Any) -> SigstoreSigner:
    return SigstoreSigner.from_token(token, **{"instance": instance_of(stack, log), "patience": PATIENCE, **options})


@contextmanager
def no_sockets(patched: pytest.MonkeyPatch) -> Generator[None]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("something opened a connection")

    with patched.context() as within:
        within.setattr(socket, "socket", refuse)
        within.setattr(socket, "getaddrinfo", refuse)
        yield


def policy_for(issuer: str, san: str) -> Policy:
    return Policy.parse(
        json.dumps(
            {
                "version": 1,
                "identities": {"who": {"issuer": issuer, "san": san}},
                "nodes": {"file": {"require": [{"predicate": SAID.predicate_type, "signed_by": {"any_of": ["who"]}}]}},
            }
        ).encode(),
        suffix=".json",
    )


@pytest.mark.parametrize("log", ["v1", "v2"])
@pytest.mark.parametrize("identity", sorted(IDENTITIES))
def test_each_identity_signs_and_is_verified_offline(
    stack: Stack, identity: str, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = attest(THING, SAID, signer=signer_of(stack, stack.token(identity), log))
    with no_sockets(monkeypatch):
        again = Attestation.parse(made.bytes)
        (proved,) = prove(again, stack.trust)
        assert (proved.signer.issuer, proved.signer.san) == (stack.issuer_of(identity), stack.san_of(identity))
        policy = policy_for(stack.issuer_of(identity), stack.san_of(identity))
        assert verify(THING, [again], policy=policy, trust=stack.trust).verdict.name == "ACCEPTED"
        for issuer, san in (
            (stack.issuer_of(identity), "mallory@acme.example"),
            ("https://other.example", stack.san_of(identity)),
        ):
            with pytest.raises(GlasswingError) as refused:
                verify(THING, [again], policy=policy_for(issuer, san), trust=stack.trust)
            assert isinstance(refused.value, NotAccepted) or refused.value.code == "verification.no-match"
    assert made.bundle is not None
    (entry,) = made.bundle.log_entries
    assert (entry.kind, entry.version) == (("dsse", "0.0.1") if log == "v1" else ("hashedrekord", "0.0.2"))
    assert made.bundle.timestamps


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_an_artifact_is_signed_by_its_digest(stack: Stack, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(b"weights").digest()
    bundle = signer_of(stack, stack.token(), log).sign_artifact(digest)
    with no_sockets(monkeypatch):
        proved = prove_message(Bundle.from_json(bundle), stack.trust, digest=("sha256", digest))
    assert proved.signer.san == stack.san_of("email")


def test_the_platform_is_asked_for_a_token(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name, value in stack.ambient("github").items():
        monkeypatch.setenv(name, value)
    signer = SigstoreSigner.ambient(instance=instance_of(stack), patience=PATIENCE)
    assert prove(attest(THING, SAID, signer=signer), stack.trust)[0].signer.san == stack.san_of("github")


def test_tokens_from_a_file_and_the_environment(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(f"{stack.token('kubernetes')}\n")
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", stack.token("gitlab"))
    for tokens, identity in (
        (IdentityTokens.from_file(tmp_path / "token"), "kubernetes"),
        (IdentityTokens.from_environment("SIGSTORE_ID_TOKEN"), "gitlab"),
    ):
        made = attest(THING, SAID, signer=SigstoreSigner(tokens, instance=instance_of(stack), patience=PATIENCE))
        assert prove(made, stack.trust)[0].signer.san == stack.san_of(identity)


def test_both_logs_and_both_clocks(stack: Stack) -> None:
    profile = Profile(scts=1, logs=2, times=2, stamps=2)
    instance = Instance.load(
        trusted_root=stack.trusted_root, signing_config=stack.signing_config_all, profile=profile, name="stack"
    )
    made = attest(THING, SAID, signer=signer_of(stack, stack.token(), instance=instance))
    (proved,) = prove(made, stack.trust_of(profile))
    assert len({told.witness for told in proved.times.times}) >= 2
    assert made.bundle is not None
    assert {entry.version for entry in made.bundle.log_entries} == {"0.0.1", "0.0.2"}
    assert len(made.bundle.timestamps) == 2


def test_many_at_once_with_one_certificate(stack: Stack) -> None:
    requests = [(Blob(b"%d" % n, name=f"{n}.bin"), SAID) for n in range(24)]
    with ThreadPoolExecutor(12) as threads:
        made = attest_many(requests, signer=signer_of(stack, stack.token()), sealing=threads)
    checkpoints = {entry.inclusion_proof for each in made if each.bundle for entry in each.bundle.log_entries}
    trees = {proof.checkpoint for proof in checkpoints if proof is not None}
    assert 0 < len(trees) < 24, "some waited together for one checkpoint"
    assert [each.statement_unverified.subjects[0].name for each in made] == [f"{n}.bin" for n in range(24)]
    assert len({each.material for each in made}) == 1


# --- what the servers refuse -----------------------------------------------------------------------------------------


def refused_by(signer: SigstoreSigner) -> GlasswingError:
    with pytest.raises(GlasswingError) as refused:
        attest(THING, SAID, signer=signer)
    return refused.value


def test_another_audience(stack: Stack) -> None:
    error = refused_by(signer_of(stack, stack.token(audience="somebody-else")))
    assert (type(error), error.code, error.where) == (
        IdentityTokenRefused, "signing.token", f"{stack.fulcio}/api/v2/signingCert",
    )  # fmt: skip
    assert error.found in ("HTTP 400", "HTTP 401")
    assert error.because


def test_an_issuer_that_fulcio_does_not_know(stack: Stack) -> None:
    error = refused_by(signer_of(stack, stack.token(wrong="issuer")))
    assert (type(error), error.code) == (IdentityTokenRefused, "signing.token")
    assert error.because


def test_a_token_that_the_issuer_did_not_sign(stack: Stack) -> None:
    error = refused_by(signer_of(stack, stack.token(wrong="key")))
    assert (type(error), error.code) == (IdentityTokenRefused, "signing.token")
    assert error.because


def test_an_expired_token_is_refused_here_and_there(stack: Stack) -> None:
    token = stack.token(expires=timedelta(minutes=-5))
    error = refused_by(signer_of(stack, token))
    assert (type(error), error.code) == (IdentityTokenExpired, "signing.token.expired")
    past = IdentityTokens.of(token).get().expires - timedelta(minutes=1)
    error = refused_by(signer_of(stack, token, now=lambda: past))  # a clock that is late sends it all the same
    assert (type(error), error.code) in (
        (IdentityTokenRefused, "signing.token"),
        (WitnessMissing, "signing.witness"),  # by that clock the services are not to be used yet
    )


def test_another_name_than_was_asked_for(stack: Stack) -> None:
    error = refused_by(signer_of(stack, stack.token(), identity="bob@acme.example"))
    assert (type(error), error.code, error.where) == (
        CertificateRefused, "signing.certificate", "certificate.subjectAltName",
    )  # fmt: skip
    assert (error.found, error.wanted) == (stack.san_of("email"), "bob@acme.example")


def test_no_clock_for_a_log_that_tells_no_time(stack: Stack) -> None:
    instance = instance_of(stack)
    bare = replace(instance, config=replace(instance.config, clocks=()))
    error = refused_by(signer_of(stack, stack.token(), instance=bare))
    assert (type(error), error.code, error.where) == (WitnessMissing, "signing.witness", "signing config: tsaUrls")


# --- an entry that is there already ----------------------------------------------------------------------------------


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_the_same_entry_twice_is_the_same_entry(stack: Stack, log: Log) -> None:
    made = attest(THING, SAID, signer=signer_of(stack, stack.token(), log))
    (signed,) = signature.check(made, ())
    assert made.bundle is not None
    (first,) = made.bundle.log_entries
    if log == "v1":
        again = log_v1(Http(PATIENCE), stack.rekor_v1, signed)
    else:
        again = log_v2(Http(PATIENCE), stack.rekor_v2, signed, logs=stack.trust.roots[0].logs)
    assert again.canonicalized_body == first.canonicalized_body
    assert again.log_id == first.log_id
    assert again.log_index == first.log_index
    renewed = replace(made.bundle, log_entries=(again,)).to_json()
    assert prove(Attestation.parse(renewed), stack.trust)[0].signer.san == stack.san_of("email")


def test_a_log_that_shows_nobody_its_tiles(stack: Stack) -> None:
    made = attest(THING, SAID, signer=signer_of(stack, stack.token()))
    (signed,) = signature.check(made, ())
    with pytest.raises(ServiceUnavailable) as refused:
        log_v2(Http(PATIENCE), stack.rekor_v2_alone, signed, logs=stack.trust.roots[0].logs)
    assert refused.value.code == "unavailable.service"
    assert "no proof of it" in str(refused.value.found)
    assert "sign again" in refused.value.do


# --- what sigstore-conformance asks of a client ----------------------------------------------------------------------

CLIENT = Path(__file__).parent.parent / "conformance" / "client"


@pytest.mark.parametrize("log", ["v1", "v2"])
@pytest.mark.parametrize("in_toto", [False, True])
def test_the_conformance_client_signs(stack: Stack, log: Log, in_toto: bool, tmp_path: Path) -> None:
    def client(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(Path(glasswing_attest.__file__).parent.parent)}
        command = [sys.executable, str(CLIENT), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    artifact, bundle = tmp_path / "artifact", tmp_path / "bundle.sigstore.json"
    statement = attest(THING, SAID, signer=KeySigner.generate()).envelope.payload.replace(b",", b", ")
    artifact.write_bytes(statement if in_toto else b"weights")
    config = stack.signing_config if log == "v2" else stack.signing_config_v1
    told = ["--bundle", str(bundle), "--trusted-root", str(stack.trusted_root), "--signing-config", str(config)]
    signing = ["sign-bundle", *(["--in-toto"] if in_toto else []), "--identity-token"]
    done = client(*signing, stack.token(), *told, str(artifact))
    assert (done.returncode, done.stderr) == (0, "")
    body = json.loads(bundle.read_bytes())
    assert set(body["verificationMaterial"]) == {"certificate", "tlogEntries", "timestampVerificationData"}
    if in_toto:
        assert base64.b64decode(body["dsseEnvelope"]["payload"]) == statement
    refused = client(*signing, stack.token(wrong="key"), *told[2:], "--bundle", f"{bundle}.no", str(artifact))
    assert refused.returncode == 1
    assert "[signing.token]" in refused.stderr
    assert not Path(f"{bundle}.no").exists()
    artifact.write_bytes(THING.data)
    who = ["--certificate-identity", stack.san_of("email"), "--certificate-oidc-issuer", stack.issuer_of("email")]
    verifying = ["--bundle", str(bundle), *who, "--trusted-root", str(stack.trusted_root), str(artifact)]
    assert client("verify-bundle", *verifying).returncode == 0
