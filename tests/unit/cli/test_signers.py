"""Who signs, on the word of a command line, and is nobody guessed?"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Attestation, KeySigner
from glasswing_attest._cli import main, signers
from glasswing_attest.errors import PassphraseRefused
from glasswing_attest.signing import IdentityTokens
from glasswing_attest.testing import LeafOptions
from tests.private_pki import Pki, pem
from tests.served import QUICK, Reply, Served
from tests.unit.cli.stories import Run, Story

SAID = ("--record", "model", "--name", "m")
PASSPHRASE = "correct horse"
PKI = Pki()


@pytest.fixture(autouse=True)
def here(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(story.folder)


@pytest.fixture
def served(story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with Served() as running:
        running.write(story.folder)
        Path("token").write_text(running.token())
        monkeypatch.setenv("ITS_TOKEN", running.token("bob@example.com"))
        Path("svid.jwt").write_text(running.token("spiffe://acme.example/trainer"))
        yield running


WHERE = ("--trusted-root", "trusted_root.json", "--signing-config", "signing_config.json")


def attested(run: Run, *words: str) -> Any:
    ran = run("attest", "--json", *words, *SAID, "--out", "made.json", "model")
    assert ran.code == 0, ran.out
    return ran.json


# --- without a key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "identity"),
    [
        (("--identity-token-file", "token"), "alice@example.com"),
        (("--identity-token-env", "ITS_TOKEN"), "bob@example.com"),
        (("--spiffe-jwt", "svid.jwt"), "spiffe://acme.example/trainer"),
        (("--identity-token-file", "token", "--identity", "alice@example.com"), "alice@example.com"),
    ],
)
def test_whom_the_token_names(words: tuple[str, ...], identity: str, run: Run, served: Served) -> None:
    told = attested(run, "--sigstore", *words, *WHERE)
    made = Attestation.load("made.json")
    assert made.bundle is not None
    (entry,) = made.bundle.log_entries
    assert told["signer"]["kind"] == "sigstore"
    assert (told["signer"]["identity"], told["signer"]["issuer"]) == (identity, "https://issuer.example")
    assert told["logs"] == [{"id": entry.log_id.hex(), "index": entry.log_index}]
    assert {each["witness"] for each in told["times"]} == {"sigstore.example"}
    assert served.asked["fulcio"] == 1


def test_the_words_for_people(run: Run, served: Served) -> None:
    ran = run("attest", "--sigstore", "--identity-token-file", "token", *WHERE, *SAID, "--out", "made.json", "model")
    assert "signed by: alice@example.com (issuer https://issuer.example)\n" in ran.out
    assert "logged:    entry " in ran.out
    assert ", says sigstore.example\n" in ran.out


def test_the_platform_is_asked_where_nothing_else_is_said(run: Run, served: Served, monkeypatch: Any) -> None:
    asked: list[str] = []

    def ambient(cls: type[IdentityTokens], *, audience: str) -> IdentityTokens:
        asked.append(audience)
        return cls.of(served.github_token())

    monkeypatch.setattr(IdentityTokens, "ambient", classmethod(ambient))
    told = attested(run, "--sigstore", *WHERE)
    assert told["signer"]["identity"].startswith("https://github.com/acme/train/")
    Path("made.json").unlink()
    attested(run, "--sigstore", "--audience", "fulcio.acme.example", *WHERE)
    assert asked == ["sigstore", "fulcio.acme.example"]


def test_somebody_logs_in_where_the_signing_config_says(run: Run, served: Served, monkeypatch: Any) -> None:
    asked: list[str] = []

    def interactive(cls: type[IdentityTokens], issuer: str) -> IdentityTokens:
        asked.append(issuer)
        return cls.of(served.token("carol@example.com"))

    monkeypatch.setattr(IdentityTokens, "interactive", classmethod(interactive))
    words = ("attest", "--json", "--sigstore", "--interactive", *WHERE, *SAID, "--out", "made.json", "model")
    ran = run(*words)
    assert (ran.code, ran.json["error"]["where"]) == (2, "--interactive")
    config = json.loads(Path("signing_config.json").read_text())
    config["oidcUrls"] = [{**config["caUrls"][0], "url": "https://login.example"}]
    Path("signing_config.json").write_text(json.dumps(config))
    assert run(*words).json["signer"]["identity"] == "carol@example.com"
    assert asked == ["https://login.example"]


def without_certificate_logs(served: Served) -> None:
    """An authority as a company has one: it promises its certificates to no log, and its root names none."""
    served.leaf = LeafOptions(ct_logs=())
    root = json.loads(Path("trusted_root.json").read_text())
    del root["ctlogs"]
    Path("trusted_root.json").write_text(json.dumps(root))


def test_an_authority_without_a_certificate_log(run: Run, served: Served) -> None:
    without_certificate_logs(served)
    words = ("--sigstore", "--identity-token-file", "token", *WHERE)
    ran = run("attest", "--json", *words, *SAID, "--out", "made.json", "model")
    assert (ran.code, ran.json["error"]["where"]) == (2, "roots.sigstore.profile.scts")
    told = attested(run, *words, "--profile", "scts=0,logs=1,times=1")
    assert (told["signer"]["identity"], len(told["logs"])) == ("alice@example.com", 1)
    Path("made.json").unlink()
    assert attested(run, "--key", "trainer.key", "--witness", *WHERE, "--profile", "github")["times"]


def test_a_profile_counts(run: Run, served: Served) -> None:
    served.leaf = LeafOptions(ct_logs=())  # its root names a certificate log, though
    words = ("attest", "--json", "--sigstore", "--identity-token-file", "token", *WHERE, *SAID, "--out", "made.json")
    for profile in ("public-good", "times=1,scts=1,logs=1"):
        ran = run(*words, "--profile", profile, "model")
        assert (ran.code, ran.json["error"]["code"]) == (1, "signing.certificate")
    ran = run(*words, "--profile", "scts=0,logs=2,times=1", "model")
    assert (ran.code, ran.json["error"]["where"]) == (2, "roots.sigstore.profile.logs")
    ran = run(*words, "--profile", "scts=0,logs=1,times=0", "model")
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "malformed.trust", "profile.times")
    assert run(*words, "--profile", "github", "model").code == 0


@pytest.mark.parametrize(
    "profile",
    ["", "private", "scts=0", "scts=0,logs=1", "scts=0,logs=1,times=1,", "scts=0,logs=1,times=1,times=2",
     "scts=0,logs=1,times=-1", "scts=0,logs=1,times=x", "scts=0,logs=1,times=\u0661",
     "scts=0,logs=1,times=1,private=1"],
)  # fmt: skip
def test_a_profile_that_is_none(profile: str, run: Run, served: Served) -> None:
    words = ("--sigstore", "--identity-token-file", "token", *WHERE, "--profile", profile)
    ran = run("attest", "--json", *words, *SAID, "model")
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", "--profile")


def test_oms_tells_who_signed(run: Run, served: Served) -> None:
    ran = run("oms", "sign", "--sigstore", "--identity-token-file", "token", *WHERE, "model")
    assert [line.partition(":")[0] for line in ran.out.splitlines()][:4] == ["signed", "root", "signed by", "logged"]
    assert "signed by: alice@example.com (issuer https://issuer.example)\n" in ran.out
    assert "time:      " in ran.out


def test_oms_is_signed_so_and_verified(run: Run, served: Served) -> None:
    ran = run("oms", "sign", "--json", "--sigstore", "--identity-token-file", "token", *WHERE, "model")
    assert (ran.code, ran.json["signer"]["identity"]) == (0, "alice@example.com")
    Path("rooted.yaml").write_text("version: 1\nroots: {r: {file: trusted_root.json, profile: public-good}}\n")
    verify = ("oms", "verify", "--trust", "rooted.yaml", "--issuer", "https://issuer.example", "--san")
    assert run(*verify, "alice@example.com", "model").code == 0
    assert run(*verify, "bob@example.com", "model").code == 1


def test_a_run_is_signed_so_and_its_command_sees_no_token(
    run: Run, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSWING_ATTEST_PIN", "1234")
    program = "import json, os; json.dump(sorted(os.environ), open('seen.json', 'w'))"
    words = ("run", "--json", "--sigstore", "--identity-token-env", "ITS_TOKEN", *WHERE, "--builder", "https://b")
    ran = run(*words, "--output", "file=seen.json", "--", sys.executable, "-c", program)
    assert (ran.code, ran.json["signer"]["identity"]) == (0, "bob@example.com")
    seen = json.loads(Path("seen.json").read_text())
    assert "PATH" in seen
    assert not {"ITS_TOKEN", "GLASSWING_ATTEST_PIN"} & set(seen)
    assert {"ITS_TOKEN", "GLASSWING_ATTEST_PIN"} <= set(os.environ)


def test_a_token_that_is_missing_is_told_before_the_work(run: Run, served: Served) -> None:
    words = ("run", "--json", "--sigstore", "--identity-token-env", "NOT_THERE", *WHERE, "--builder", "https://b")
    ran = run(*words, "--output", "file=made", "--", sys.executable, "-c", "open('made', 'w')")
    where = "--identity-token-env NOT_THERE"
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", where)
    assert not Path("made").exists()


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--identity-token-env", "NOT_THERE", {"found": "nothing"}),
        ("--identity-token-env", "EMPTY", {"found": "nothing"}),
        ("--identity-token-file", "none", {"because": "No such file or directory"}),
        ("--identity-token-file", ".", {"because": "it is not a regular file"}),
        ("--spiffe-jwt", "none", {"because": "No such file or directory"}),
    ],
)
def test_whoever_names_no_token_must_mend_it(
    option: str, value: str, told: dict[str, str], run: Run, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", " ")
    ran = run("attest", "--json", "--sigstore", option, value, *WHERE, *SAID, "model")
    error = ran.json["error"]
    assert (ran.code, error["code"], error["where"]) == (2, "usage", f"{option} {value}")
    assert told.items() <= error.items()


@pytest.mark.parametrize("option", ["--identity-token-env", "--identity-token-file", "--spiffe-jwt", "--key"])
def test_a_token_in_the_place_of_its_name_is_not_repeated(
    option: str, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    token = served.token()
    sigstore = () if option == "--key" else ("--sigstore", *WHERE)
    for text in (token, f" {token}\n"):
        assert main(["attest", "--debug", "--json", *sigstore, option, text, *SAID, "model"]) == 2
        out, err = capsys.readouterr()
        assert (json.loads(out)["error"]["code"], json.loads(out)["error"]["found"]) == ("usage", "a token")
        assert not [part for part in token.split(".") if part in out + err]


def test_a_key_file_that_is_called_like_a_token(run: Run) -> None:
    name = "eyJohn-of-the-production.2026.pem"
    KeySigner.generate().write(name)
    assert attested(run, "--key", name)["signer"]["kind"] == "key"


def test_a_token_that_is_over_is_told_before_the_work(run: Run, served: Served) -> None:
    Path("token").write_text(served.token(exp=1))
    words = ("run", "--json", "--sigstore", "--identity-token-file", "token", *WHERE, "--builder", "https://b")
    ran = run(*words, "--output", "file=made", "--", sys.executable, "-c", "open('made', 'w')")
    assert (ran.code, ran.json["error"]["code"]) == (1, "signing.token.expired")
    assert not Path("made").exists()


# --- with a key ------------------------------------------------------------------------------------------------------


def test_a_key_alone_has_neither_log_nor_time(run: Run) -> None:
    told = attested(run, "--key", "trainer.key")
    fingerprint = KeySigner.from_file("trainer.key").public_key.fingerprint
    assert told["signer"] == {"kind": "key", "fingerprint": fingerprint}
    assert (told["logs"], told["times"]) == ([], [])


@pytest.mark.parametrize("version", [1, 2])
def test_a_key_with_witnesses(version: Any, run: Run, served: Served, story: Story) -> None:
    served.write(story.folder, version)
    told = attested(run, "--key", "trainer.key", "--witness", *WHERE)
    assert (told["signer"]["kind"], len(told["logs"])) == ("key", 1)
    assert told["times"]
    Path("trust.yaml").write_text(
        "version: 1\nroots: {r: {file: trusted_root.json, profile: public-good}}\n"
        "keys: {trainer: {file: trainer.pub, witness: {root: r, logs: 1, times: 1}}}\n"
    )
    Path("policy.yaml").write_text(Path("policy.yaml").read_text().replace("times: claimed", "times: verified"))
    assert run("verify", *story.deciding, "--evidence", "made.json", "model").code == 0


def test_witnesses_are_those_that_the_signing_config_names(run: Run, served: Served) -> None:
    config = json.loads(Path("signing_config.json").read_text())
    del config["rekorTlogUrls"], config["rekorTlogConfig"]
    Path("signing_config.json").write_text(json.dumps(config))
    told = attested(run, "--key", "trainer.key", "--witness", *WHERE)
    assert (told["logs"], len(told["times"])) == ([], 1)


def test_a_certificate_with_witnesses(run: Run, served: Served) -> None:
    Path("leaf.key").write_bytes(PKI.leaf_key_pem)
    Path("leaf.key").chmod(0o600)
    Path("leaf.pem").write_bytes(pem(PKI.leaf(san="spiffe://acme.example/trainer")) + pem(PKI.intermediate))
    Path("root.pem").write_bytes(PKI.root_pem)
    words = ("--key", "leaf.key", "--certificate", "leaf.pem")
    told = attested(run, *words)
    assert (told["signer"]["kind"], told["signer"]["identity"]) == ("certificate", "spiffe://acme.example/trainer")
    assert "issuer" not in told["signer"]
    Path("made.json").unlink()
    ran = run("attest", "--json", *words, "--witness", *WHERE, *SAID, "--out", "made.json", "model")
    assert (ran.code, ran.json["error"]["where"]) == (2, "certificates")
    told = attested(run, *words, "--certificate", "root.pem", "--witness", *WHERE)
    assert (told["signer"]["kind"], len(told["logs"])) == ("certificate", 1)


def test_a_key_where_a_uri_says_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = KeySigner.generate()
    signer.write("locked.key", passphrase=PASSPHRASE)
    Path("secret").write_text(f"{PASSPHRASE}\n")
    monkeypatch.setenv("SECRET", PASSPHRASE)
    for words in (("--passphrase-env", "SECRET"), ("--passphrase-file", "secret")):
        told = attested(run, "--key", "file:locked.key", *words)
        assert told["signer"]["fingerprint"] == signer.public_key.fingerprint
        Path("made.json").unlink()
    monkeypatch.setenv("GLASSWING_ATTEST_PASSPHRASE", PASSPHRASE)
    assert attested(run, "--key", "file:locked.key")["signer"]["kind"] == "key"
    Path("secret").write_bytes(b"\xff\n")
    ran = run("attest", "--json", "--key", "file:locked.key", "--passphrase-file", "secret", *SAID, "model")
    assert (ran.code, ran.json["error"]["code"]) == (2, PassphraseRefused.code)


def test_a_file_that_is_called_like_a_uri(run: Run) -> None:
    KeySigner.generate().write("hsm:x")
    ran = run("attest", "--json", "--key", "hsm:x", *SAID, "model")
    assert ran.code != 0
    assert attested(run, "--key", "./hsm:x")["signer"]["kind"] == "key"
    KeySigner.generate().write("odd:x")  # no scheme of a key's URI
    Path("made.json").unlink()
    assert attested(run, "--key", "odd:x")["signer"]["kind"] == "key"
    Path("odd:x").unlink()
    ran = run("attest", "--json", "--key", "odd:x", *SAID, "model")
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "signing.key", "odd:x")
    assert "begin the URI with one of file:, awskms:" in ran.json["error"]["do"]


# --- what makes no sense ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ((), "--key"),
        (("--key", "trainer.key", "--sigstore"), "--key"),
        (("--key", "trainer.key", "--identity-token-file", "token"), "--identity-token-file"),
        (("--key", "trainer.key", "--identity", "x"), "--identity"),
        (("--key", "trainer.key", "--trusted-root", "trusted_root.json"), "--trusted-root"),
        (("--key", "trainer.key", "--signing-config", "signing_config.json"), "--signing-config"),
        (("--key", "trainer.key", "--witness", "--trusted-root", "trusted_root.json"), "--trusted-root"),
        (("--sigstore", "--witness"), "--witness"),
        (("--sigstore", "--certificate", "x.pem"), "--certificate"),
        (("--sigstore", "--ask-passphrase"), "--sigstore"),
        (("--sigstore", "--signing-config", "signing_config.json"), "--trusted-root"),
        (("--sigstore", "--profile", "github"), "--profile"),
        (("--key", "trainer.key", "--witness", "--profile", "github"), "--profile"),
        (("--key", "trainer.key", "--audience", "x"), "--audience"),
        (("--sigstore", "--audience", "x", "--identity-token-file", "token"), "--audience"),
        (("--sigstore", "--audience", "x", "--identity-token-env", "T"), "--audience"),
        (("--sigstore", "--audience", "x", "--spiffe-jwt", "svid.jwt"), "--audience"),
        (("--sigstore", "--audience", "x", "--interactive"), "--audience"),
    ],
)
@pytest.mark.parametrize("command", ["attest", "oms", "run"])
def test_misuse(command: str, words: tuple[str, ...], where: str, run: Run) -> None:
    commands = {
        "attest": ("attest", *words, *SAID, "model"),
        "oms": ("oms", "sign", *words, "model"),
        "run": ("run", *words, "--builder", "https://b", "--output", "file=x", "--", "true"),
    }
    name, *rest = commands[command]
    ran = run(name, "--json", *rest)
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", where)


def test_two_tokens_are_one_too_many(run: Run) -> None:
    words = ("--sigstore", "--identity-token-file", "token", "--spiffe-jwt", "svid.jwt")
    ran = run("attest", "--json", *words, *SAID, "model")
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")


def test_options_for_signing_verify_nothing(run: Run) -> None:
    ran = run("oms", "verify", "--json", "--sigstore", "--trust", "trust.yaml", "--signer", "trainer", "model")
    assert (ran.code, ran.json["error"]["where"]) == (2, "--sigstore")
    assert {"key", "sigstore", "witness", "trusted_root"} <= signers.OPTIONS


@pytest.mark.parametrize(
    ("reply", "code", "error"),
    [
        (Reply(status=503), 3, "unavailable.service"),
        (Reply(status=403, body=b'{"message": "no"}'), 1, "signing.refused"),
    ],
)
def test_who_must_act_is_told_by_the_exit_code(
    reply: Reply, code: int, error: str, run: Run, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glasswing_attest.signing.services.http.Patience", lambda: QUICK)
    served.trouble = lambda name, _count: reply if name == "rekor1" else None
    words = ("--sigstore", "--identity-token-file", "token", *WHERE)
    ran = run("attest", "--json", *words, *SAID, "--out", "made.json", "model")
    assert (ran.code, ran.json["error"]["code"]) == (code, error)
    assert not Path("made.json").exists()


def test_a_token_that_is_none_is_not_shown(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    Path("token").write_text("my-secret-that-is-no-token")
    words = ["attest", "--debug", "--json", "--sigstore", "--identity-token-file", "token", *WHERE, *SAID, "model"]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == "signing.token"
    assert "Traceback" in err
    assert "my-secret" not in out + err
