"""Do upstream's own log and clock witness keys and private certificates, and does a shell sign there as a program does?

Everything is signed on the stack (tests/stack) and verified from files, as somebody else would.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import (
    Attestation,
    KeySigner,
    Model,
    ModelRecord,
    Policy,
    Trust,
    assess,
    attest,
    attest_many,
    endorse,
    sign_statement,
    verify,
)
from glasswing_attest._cli import main
from glasswing_attest.errors import KeyUnsupported, ServiceRefused
from glasswing_attest.signing import (
    CertificateSigner,
    IdentityTokens,
    Instance,
    Patience,
    SigstoreSigner,
    WitnessedSigner,
)
from glasswing_attest.signing.key import ALGORITHMS
from glasswing_attest.verification.procedure import prove
from tests.private_pki import Pki, pem
from tests.stack import Stack

Log = Literal["v1", "v2"]
PATIENCE = Patience(attempts=3, whole=45)
SAID = ModelRecord(name="m")
SPIFFE = "spiffe://acme.example/trainer"
Cli = Callable[..., tuple[int, Any]]


@pytest.fixture
def here(tmp_path: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, where the command is run, and the stack's trusted root."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"weights")
    (tmp_path / "trusted_root.json").write_bytes(stack.trusted_root.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command with --json."""

    def call(*words: str | Path) -> tuple[int, Any]:
        code = main(["--json", *map(str, words)])
        return code, json.loads(capsys.readouterr().out)

    return call


def instance_of(stack: Stack, log: Log) -> Instance:
    config = stack.signing_config if log == "v2" else stack.signing_config_v1
    return Instance.load(trusted_root=stack.trusted_root, signing_config=config, name="stack")


def policy(identity: dict[str, str]) -> Policy:
    rule = {"predicate": SAID.predicate_type, "signed_by": {"any_of": ["signer"]}}
    said = {"version": 1, "identities": {"signer": identity}, "nodes": {"model": {"require": [rule]}}}
    Path("policy.json").write_text(json.dumps(said))
    return Policy.load("policy.json")


def trust(text: str) -> Trust:
    Path("trust.yaml").write_text(
        f"version: 1\nroots:\n  stack: {{file: trusted_root.json, profile: public-good}}\n{text}"
    )
    return Trust.load("trust.yaml")


LATER = timedelta(days=3650)


@pytest.mark.parametrize("log", ["v1", "v2"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_witnessed(stack: Stack, here: Path, algorithm: str, log: Log) -> None:
    key = KeySigner.generate(algorithm)
    signer = WitnessedSigner(key, instance_of(stack, log), patience=PATIENCE)
    if (algorithm, log) == ("ed25519", "v2"):
        with pytest.raises(KeyUnsupported) as refused:
            attest(Model("model"), SAID, signer=signer)
        assert refused.value.where == "signer"
        return
    if (algorithm, log) == ("ecdsa-p384", "v1"):  # the server checks envelopes with SHA-256 alone
        with pytest.raises(ServiceRefused) as said_no:
            attest(Model("model"), SAID, signer=signer)
        assert (said_no.value.code, said_no.value.found) == ("signing.refused", "HTTP 400")
        assert "a log of version 2" in said_no.value.do
        return
    made = attest(Model("model"), SAID, signer=signer)
    assert made.bundle is not None
    (entry,) = made.bundle.log_entries
    assert (entry.kind, entry.version) == (("dsse", "0.0.1") if log == "v1" else ("hashedrekord", "0.0.2"))
    Path("release.pub").write_text(key.public_key.pem)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    entry_of = f"file: release.pub, valid_until: '{until}', witness: {{root: stack, logs: 1, times: 1}}"
    witnessed = trust(f"keys:\n  release: {{{entry_of}}}\n")
    again = Attestation.parse(made.bytes)
    who = policy({"key": "release"})
    assert verify(Model("model"), again, policy=who, trust=witnessed, at=datetime.now(UTC) + LATER).accepted


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_a_workloads_certificate_is_witnessed(stack: Stack, here: Path, log: Log) -> None:
    pki, now = Pki(), datetime.now(UTC)
    leaf = pki.leaf(san=SPIFFE, start=now - timedelta(minutes=5), end=now + timedelta(hours=1))
    Path("svid.key").write_bytes(pki.leaf_key_pem)
    Path("svid.key").chmod(0o600)
    Path("svid.pem").write_bytes(pem(leaf) + pem(pki.intermediate))
    Path("bundle.pem").write_bytes(pki.root_pem)
    svid = CertificateSigner.from_files("svid.key", "svid.pem", "bundle.pem", reload=True)
    made = attest(Model("model"), SAID, signer=WitnessedSigner(svid, instance_of(stack, log), patience=PATIENCE))
    believed = trust(
        "  acme: {file: bundle.pem, witnesses: stack, profile: {scts: 0, logs: 1, times: 1, private: true}}\n"
    )
    who = policy({"authority": "acme", "san": "spiffe://acme.example/*"})
    assert verify(Model("model"), made, policy=who, trust=believed, at=now + LATER).accepted


def test_both_logs_and_both_clocks_witness_a_key(stack: Stack, here: Path) -> None:
    instance = Instance.load(trusted_root=stack.trusted_root, signing_config=stack.signing_config_all, name="stack")
    signer = WitnessedSigner(KeySigner.generate(), instance, logs=2, times=2, patience=PATIENCE)
    (proved,) = prove(attest(Model("model"), SAID, signer=signer), signer.verified_by)
    assert len({told.witness for told in proved.times.times}) == 2


def test_several_signers_of_one_statement(stack: Stack, here: Path) -> None:
    key = KeySigner.generate()
    where: tuple[tuple[str, Log], ...] = (("email", "v1"), ("github", "v2"))
    people = [
        SigstoreSigner.from_token(stack.token(identity), instance=instance_of(stack, log), patience=PATIENCE)
        for identity, log in where
    ]
    first = attest(Model("model"), SAID, signer=WitnessedSigner(key, instance_of(stack, "v2"), patience=PATIENCE))
    all_of_them = [first, *(endorse(first, signer=each) for each in people)]
    assert len({each.payload_digest for each in all_of_them}) == 1
    Path("release.pub").write_text(key.public_key.pem)
    believed = trust("keys:\n  release: {file: release.pub, witness: {root: stack, logs: 1, times: 1}}\n")
    identities: dict[str, Any] = {
        "release": {"key": "release"},
        **{name: {"issuer": stack.issuer_of(name), "san": stack.san_of(name)} for name in ("email", "github")},
    }
    signed_by = {"threshold": 3, "of": [*identities], "over": "same_statement"}
    rule = {"predicate": SAID.predicate_type, "signed_by": signed_by}
    said = {"version": 1, "identities": identities, "nodes": {"model": {"require": [rule]}}}
    who = Policy.parse(json.dumps(said).encode(), suffix=".json")
    assert verify(Model("model"), all_of_them, policy=who, trust=believed).accepted
    assert not _accepted(all_of_them[:2], who, believed)
    # Twice the same one is one, and another statement is another.
    assert not _accepted([*all_of_them[:2], endorse(first, signer=people[0])], who, believed)
    other = attest(Model("model"), ModelRecord(name="n"), signer=people[1])
    assert not _accepted([*all_of_them[:2], other], who, believed)


def _accepted(evidence: list[Attestation], who: Policy, believed: Trust) -> bool:
    return assess(Model("model"), evidence, policy=who, trust=believed).accepted


def test_a_raw_statement_is_signed_verbatim(stack: Stack, here: Path) -> None:
    raw = attest(Model("model"), SAID, signer=KeySigner.generate()).envelope.payload.replace(b'":', b'" :')
    signer = SigstoreSigner.from_token(stack.token(), instance=instance_of(stack, "v2"), patience=PATIENCE)
    made = sign_statement(raw, signer=signer)
    assert made.envelope.payload == raw
    key = sign_statement(raw, signer=WitnessedSigner(KeySigner.generate(), instance_of(stack, "v1"), patience=PATIENCE))
    assert key.payload_digest == made.payload_digest


def test_several_predicates_and_one_certificate(stack: Stack, here: Path) -> None:
    signer = SigstoreSigner(
        IdentityTokens.of(stack.token("github")), instance=instance_of(stack, "v1"), patience=PATIENCE
    )
    seen: list[str] = []
    requests = [(Model("model"), ModelRecord(name=name)) for name in ("a", "b", "c")]
    made = attest_many(requests, signer=signer, progress=lambda event: seen.append(event.name))
    assert len({each.material for each in made}) == 1
    assert len(made) == 3


# --- from a shell ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_a_shell_signs_with_a_token_in_a_file(stack: Stack, here: Path, cli: Cli, log: Log) -> None:
    Path("token").write_text(stack.token("github"))
    config = stack.signing_config if log == "v2" else stack.signing_config_v1
    where = ("--trusted-root", stack.trusted_root, "--signing-config", config)
    code, told = cli(
        "attest", "--sigstore", "--identity-token-file", "token", *where, "--record", "model", "--name", "m", "model"
    )
    assert code == 0, told
    who = {"kind": "sigstore", "identity": stack.san_of("github"), "issuer": stack.issuer_of("github")}
    assert {**told["signer"], "fingerprint": None} == {**who, "fingerprint": None}
    assert told["logs"][0]["index"] >= 0
    assert told["times"]
    trust("")
    policy({"issuer": stack.issuer_of("github"), "san": stack.san_of("github")})
    assert cli("verify", "--policy", "policy.json", "--trust", "trust.yaml", "model")[0] == 0
    policy({"issuer": stack.issuer_of("github"), "san": "https://github.com/else/where"})
    assert cli("verify", "--policy", "policy.json", "--trust", "trust.yaml", "model")[0] == 1


def test_a_shell_signs_with_a_key_and_witnesses(stack: Stack, here: Path, cli: Cli) -> None:
    assert cli("keygen", "release.key")[0] == 0
    where = ("--trusted-root", stack.trusted_root, "--signing-config", stack.signing_config)
    code, told = cli("attest", "--key", "release.key", "--witness", *where, "--record", "model", "--name", "m", "model")
    assert (code, told["signer"]["kind"], len(told["logs"])) == (0, "key", 1)
    trust("keys:\n  release: {file: release.key.pub, witness: {root: stack, logs: 1, times: 1}}\n")
    policy({"key": "release"})
    assert cli("verify", "--policy", "policy.json", "--trust", "trust.yaml", "model")[0] == 0


def test_a_shell_endorses_what_is_proved(stack: Stack, here: Path, cli: Cli) -> None:
    where = ("--trusted-root", stack.trusted_root, "--signing-config", stack.signing_config)
    for identity in ("github", "email"):
        Path(f"{identity}.jwt").write_text(stack.token(identity))
    by = ("--sigstore", *where, "--identity-token-file")
    assert cli("attest", *by, "github.jwt", "--record", "model", "--name", "m", "model")[0] == 0
    trust("")
    code, told = cli("endorse", *by, "email.jwt", "--trust", "trust.yaml", "model.attestations.jsonl")
    assert code == 0, told
    (endorsed,) = told["endorsed"]
    assert endorsed["provedBy"] == [f"{stack.san_of('github')} (issuer {stack.issuer_of('github')}, root stack)"]
    assert (endorsed["signer"]["identity"], len(endorsed["logs"])) == (stack.san_of("email"), 1)
    identities = {name: {"issuer": stack.issuer_of(name), "san": stack.san_of(name)} for name in ("github", "email")}
    signed_by = {"threshold": 2, "of": [*identities], "over": "same_statement"}
    rule = {"predicate": SAID.predicate_type, "signed_by": signed_by}
    said = {"version": 1, "identities": identities, "nodes": {"model": {"require": [rule]}}}
    Path("policy.json").write_text(json.dumps(said))
    verify = ("verify", "--policy", "policy.json", "--trust", "trust.yaml", "model")
    assert cli(*verify)[0] == 0
    first, _ = Path("model.attestations.jsonl").read_text().splitlines(keepends=True)
    Path("model.attestations.jsonl").write_text(first)
    code, report = cli(*verify)
    assert (code, report["findings"][0]["code"]) == (1, "policy.threshold")


def test_a_shell_signs_a_model_as_oms_has_it(
    stack: Stack, here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITS_TOKEN", stack.token("spiffe"))
    where = ("--trusted-root", stack.trusted_root, "--signing-config", stack.signing_config_v1)
    code, told = cli("oms", "sign", "--sigstore", "--identity-token-env", "ITS_TOKEN", *where, "model")
    assert (code, told["signer"]["identity"]) == (0, stack.san_of("spiffe"))
    trust("")
    who = ("--issuer", stack.issuer_of("spiffe"), "--san", stack.san_of("spiffe"))
    assert cli("oms", "verify", "--trust", "trust.yaml", *who, "model")[0] == 0


@pytest.mark.parametrize(
    ("token", "code", "error"),
    [
        ({"wrong": "key"}, 1, "signing.token"),
        ({"audience": "else"}, 1, "signing.token"),
        ({"expires": timedelta(minutes=-5)}, 1, "signing.token.expired"),
    ],
)
def test_a_shell_is_told_why_not(
    stack: Stack, here: Path, cli: Cli, token: dict[str, Any], code: int, error: str
) -> None:
    Path("token").write_text(stack.token(**token))
    where = ("--trusted-root", stack.trusted_root, "--signing-config", stack.signing_config)
    words = ("attest", "--sigstore", "--identity-token-file", "token", *where, "--record", "model", "--name", "m")
    found, told = cli(*words, "model")
    assert (found, told["error"]["code"]) == (code, error)
    assert Path("token").read_text() not in json.dumps(told)
    assert not Path("model.attestations.jsonl").exists()
