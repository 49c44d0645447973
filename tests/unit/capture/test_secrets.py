"""Is what looks like a secret refused, wherever it stands, and never told?"""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest.capture.secrets import refuse_secrets, refuse_secrets_in_command
from glasswing_attest.errors import SecretRefused, UsageError

RANDOM = "q7Zt4Lw9Xb2Nc8Vr5Ks1"
# Written in two parts, so that no scanner takes this file for a leak.
TOKENS = {
    "a GitHub token": ["ghp" + "_" + RANDOM * 2, "github" + "_pat_" + RANDOM],
    "a GitLab token": ["glpat" + "-" + RANDOM],
    "a CircleCI token": ["CCIPAT" + "_" + RANDOM],
    "a Buildkite token": ["bkua" + "_" + RANDOM * 2],
    "a Hugging Face token": ["hf" + "_" + RANDOM * 2],
    "an AWS access key": ["AKIA" + "IOSFODNN7EXAMPLE"],
    "a Google key": ["AIza" + RANDOM * 2, "ya29" + "." + RANDOM],
    "a Slack token": ["xoxb" + "-123456789012-" + RANDOM],
    "an npm token": ["npm" + "_" + RANDOM * 2],
    "a PyPI token": ["pypi" + "-AgEIcHlwaS5vcmc" + RANDOM * 3],
    "a Docker Hub token": ["dckr" + "_pat_" + RANDOM],
    "an API key": ["sk" + "-proj-" + RANDOM * 2, "sk" + "-" + RANDOM, "sk" + "_live_" + RANDOM],
    "a Weights & Biases key": ["wandb" + "_v1_" + RANDOM],
    "a Vault token": ["hvs" + "." + RANDOM],
    "an age key": ["AGE-SECRET" + "-KEY-1" + "Q" * 58],
    "a JSON Web Token": [
        "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxIn0." + RANDOM,
        "ey" + "JhbGciOiJub25lIn0.ey" + "JzdWIifQ.",
    ],
    "a private key": ["-----BEGIN " + "PRIVATE KEY-----\nMC4C", "-----BEGIN OPENSSH " + "PRIVATE KEY-----"],
    "credentials of an HTTP request": ["Authorization: Bearer " + RANDOM],
    "a URL with a password": ["postgresql://u:p@db/x", "see redis://:pw@cache:6379 there"],
    "a URL with a user": ["https://token@git.example/x.git"],
    "a signed URL": ["https://s3.example/x?X-Amz-Signature=" + RANDOM],
}
HARMLESS: list[Any] = [
    {"tokenizer": "bert-base-uncased", "eos_token": "<|endoftext|>", "pad_token_id": 50256, "max_tokens": 4096},
    {"key": "value", "sort_key": "length", "keypoints": "a1b2c3d4e5f6a7b8c9d0"},
    {
        "hub_token": "<HUB_TOKEN>",
        "password": "",
        "secret": "***",
        "api_key": None,
        "token": "${TOKEN}",
        "x": "[MASKED]",
    },
    {"password_file": "/run/secrets/db", "api_key_env": "OPENAI", "secret_name": "db", "keyLength": "a1b2c3d4e5f6a7b8"},
    {"use_auth_token": True, "token_dropout": 0.1},
    {"sha256": "ab" * 32, "commit": "0123456789abcdef0123456789abcdef01234567"},
    {"model": "meta-llama/Llama-3.1-8B-Instruct", "uri": "git+ssh://git@github.com/acme/train.git"},
    {"uri": "https://data.example/a?version=3", "image": "ghcr.io/acme/x@sha256:" + "ab" * 32},
    "-----BEGIN PUBLIC KEY-----\nMCow",
    "skip-resnet50-lr0.1",
    ["a", 1, None, 2.5, {"b": []}],
]


@pytest.mark.parametrize(("what", "text"), [(what, text) for what, texts in TOKENS.items() for text in texts])
def test_a_secret_is_known_by_its_form(what: str, text: str) -> None:
    for value, where in [
        (text, "p"),
        ({"a": [0, {"b": text}]}, "p.a[1].b"),
        ({"a": f"see {text}"}, "p.a"),
    ]:
        with pytest.raises(SecretRefused) as caught:
            refuse_secrets(value, "p")
        assert (caught.value.code, caught.value.where, caught.value.found) == ("usage.secret", where, what)
        assert text not in json.dumps(caught.value.to_dict())
    with pytest.raises(SecretRefused) as caught:
        refuse_secrets({"x": {text: 1}}, "p")
    assert caught.value.where == "p.x (a name)"
    assert text not in str(caught.value)


@pytest.mark.parametrize("value", HARMLESS, ids=str)
def test_what_only_sounds_like_it_is_none(value: Any) -> None:
    refuse_secrets(value, "parameters")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("password", "hunter2"),
        ("dbPassword", "x y"),
        ("PGPASSWORD", "a"),
        ("client_secret", "abc"),
        ("apiKey", "abc"),
        ("AWS_SECRET_ACCESS_KEY", "abc"),
        ("credentials", "u/p"),
        ("token", RANDOM),
        ("HF_TOKEN", RANDOM),
        ("signing-key", RANDOM),
        ("authorization", RANDOM),
        ("session_cookie", RANDOM),
    ],
)
def test_a_secret_is_known_by_its_name(name: str, text: str) -> None:
    with pytest.raises(SecretRefused) as caught:
        refuse_secrets({"a": {name: [text]}}, "p")
    assert (caught.value.code, caught.value.where) == ("usage.secret", f"p.a.{name}[0]")
    assert isinstance(caught.value, UsageError)
    refuse_secrets({"a": {"note": [text]}}, "p")  # it was the name


def test_what_the_caller_answers_for_passes_and_nothing_beside_it() -> None:
    value = {"a": {"cache_key": RANDOM, "token": RANDOM}}
    with pytest.raises(SecretRefused) as caught:
        refuse_secrets(value, "p", ["p.a.cache_key"])
    assert caught.value.where == "p.a.token"
    refuse_secrets(value, "p", ["p.a.cache_key", "p.a.token"])
    with pytest.raises(SecretRefused):
        refuse_secrets(value, "p", ["a.cache_key", "cache_key", "p.a.cache_ke"])


@pytest.mark.parametrize(
    ("command", "at"),
    [
        (["train", "--api-key", "abc"], 2),
        (["train", "--api-key=abc"], 1),
        (["env", "DB_PASSWORD=abc", "train"], 1),
        (["train", "--hub-token", RANDOM], 2),
        (["curl", "https://u:p@x.example"], 1),
        (["train", "glpat" + "-" + RANDOM], 1),
        (["sh", "-c", "export X=hf" + "_" + RANDOM], 2),
    ],
)
def test_a_secret_in_a_command_is_refused(command: list[str], at: int) -> None:
    with pytest.raises(SecretRefused) as caught:
        refuse_secrets_in_command(command)
    assert (caught.value.code, caught.value.where) == ("usage.secret", f"command[{at}]")
    refuse_secrets_in_command(command, allowed=[f"command[{at}]"])


@pytest.mark.parametrize(
    "command",
    [
        ["python", "train.py", "--tokenizer", "bert", "--key", "name", "--lr=0.1"],
        ["train", "--password-file", "/run/p", "--token", "--epochs", "3", "a=b"],
        ["train", "--secret-free", "--", "x"],
    ],
)
def test_a_harmless_command_is_none(command: list[str]) -> None:
    refuse_secrets_in_command(command)


@given(st.text(string.ascii_letters + string.digits, min_size=20, max_size=60), st.sampled_from(["hf_", "ghp_", "sk-"]))
def test_no_error_tells_the_secret(text: str, prefix: str) -> None:
    for value in (f"{prefix}{text}", {f"{prefix}{text}": 1}, {"secret": text}):
        with pytest.raises(SecretRefused) as caught:
            refuse_secrets(value, "p")
        assert text not in str(caught.value)
        assert text not in json.dumps(caught.value.to_dict())


@pytest.mark.parametrize(
    "text", ["a" * 500_000, "eyJ" * 100_000, "-eyJ" * 50_000, "sk-" * 100_000, "https://" * 50_000]
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    refuse_secrets({"note": text}, "p")
