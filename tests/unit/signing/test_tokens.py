"""Whose identity token is it, where does it come from, and is it never shown?"""

import base64
import contextlib
import json
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sigstore.oidc
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest.errors import (
    GlasswingError,
    IdentityTokenExpired,
    IdentityTokenRefused,
    ServiceRefused,
    ServiceUnavailable,
    UnavailableError,
    UsageError,
)
from glasswing_attest.signing.tokens import IdentityTokens, Token
from tests.devices import tells_no_secret
from tests.served import QUICK, Reply, Served, jwt
from tests.stack.identities import IDENTITIES

CLAIMS: dict[str, Any] = {"iss": "https://issuer.example", "sub": "alice", "aud": "sigstore", "exp": 1_900_000_000}


def test_a_token_says_whose_it_is() -> None:
    token = Token.parse(jwt({**CLAIMS, "email": "alice@example.com", "aud": ["a", "sigstore"]}))
    assert (token.issuer, token.subject, token.audiences) == ("https://issuer.example", "alice", ("a", "sigstore"))
    assert token.expires == datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)
    assert token.names == {"alice", "alice@example.com"}
    token.require_fresh(datetime(2030, 3, 17, 17, 46, 39, tzinfo=UTC))
    with pytest.raises(IdentityTokenExpired) as refused:
        token.require_fresh(token.expires)
    assert (refused.value.code, refused.value.found) == ("signing.token.expired", "2030-03-17T17:46:40Z")


@pytest.mark.parametrize("identity", sorted(IDENTITIES))
def test_each_kind_of_issuer_names_its_people(identity: str) -> None:
    token = Token.parse(jwt({**CLAIMS, **IDENTITIES[identity].claims}))
    assert token.may_be_called(IDENTITIES[identity].san)
    assert not token.may_be_called("mallory@example.com")
    assert not token.may_be_called("")


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("alice!example.com", True),
        ("alice!", False),
        ("alice!bob!example.com", False),
        ("ali!example.com", False),
        ("!example.com", False),
        ("alicE!example.com", False),
    ],
)
def test_a_user_of_a_domain(name: str, may: bool) -> None:
    assert Token.parse(jwt(CLAIMS)).may_be_called(name) is may


def test_nobody_is_a_user_without_a_subject() -> None:
    assert not Token.parse(jwt({"iss": "https://i", "exp": 1})).may_be_called("!example.com")


def test_a_number_of_seconds_may_have_decimals() -> None:
    assert Token.parse(jwt({**CLAIMS, "exp": 1_900_000_000.75})).expires.second == 40


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b",
        "a.b.c.d",
        "a..c",
        "a.!!!.c",
        "a.é.c",
        "Bearer " + jwt(CLAIMS),
        jwt(CLAIMS) + " x",
        jwt({"iss": "https://i"}),
        jwt({"exp": 1}),
        jwt({**CLAIMS, "exp": "soon"}),
        jwt({**CLAIMS, "exp": True}),
        jwt({**CLAIMS, "exp": 10**30}),
        jwt({**CLAIMS, "iss": 3}),
        jwt({**CLAIMS, "aud": {}}),
        "e30." + base64.urlsafe_b64encode(b'{"iss":"a","iss":"b","exp":1}').decode().rstrip("=") + ".x",
        "e30." + base64.urlsafe_b64encode(b"[]").decode() + ".x",
        jwt({**CLAIMS, "sub": "x" * 70_000}),
    ],
)
def test_what_is_no_token_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(IdentityTokenRefused) as refused:
        IdentityTokens.of(text)
    assert refused.value.code == "signing.token"
    assert refused.value.where
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    shown = "".join(traceback.format_exception(refused.value)) + repr(vars(refused.value))
    assert not [part for part in text.split(".") if len(part) > 8 and part in shown]


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: f"e30.{base64.urlsafe_b64encode(b).decode()}.x"))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(IdentityTokenRefused):
        Token.parse(text)


@pytest.mark.parametrize("wrong", [None, b"e30.e30.x", 3])
def test_a_token_is_a_text(wrong: Any) -> None:
    with pytest.raises(UsageError) as refused:
        Token.parse(wrong)
    assert refused.value.code == "usage"


# --- where they come from --------------------------------------------------------------------------------------------


def test_a_file_is_read_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    tokens = IdentityTokens.from_file(path)
    with pytest.raises(IdentityTokenRefused) as refused:
        tokens.get()
    assert (refused.value.code, refused.value.where) == ("signing.token", str(path))
    for subject in ("alice", "bob"):
        path.write_text(f"  {jwt({**CLAIMS, 'sub': subject})}\n")
        assert tokens.get().subject == subject
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(IdentityTokenRefused) as refused:
        tokens.get()
    assert (refused.value.where, refused.value.found) == (str(path), "other bytes")
    path.write_bytes(b"x" * 70_000)
    with pytest.raises(GlasswingError) as too_large:
        tokens.get()
    assert (too_large.value.code, too_large.value.where) == ("limit", str(path))


@pytest.mark.parametrize("make", [IdentityTokens.from_file, IdentityTokens.from_environment, IdentityTokens.spiffe])
def test_a_token_in_the_place_of_its_name_is_not_repeated(make: Callable[[str], IdentityTokens]) -> None:
    token = jwt(CLAIMS)
    tokens = make(token)
    with pytest.raises(UsageError) as refused:
        tokens.get()
    assert repr(tokens).endswith("(a token))")
    assert (refused.value.code, refused.value.where, refused.value.found) == ("usage", "identity token", "a token")
    tells_no_secret(refused.value, *token.split(".")[1:])


def test_the_environment_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = IdentityTokens.from_environment("SOME_TOKEN")
    for value in (None, "", "  "):
        if value is not None:
            monkeypatch.setenv("SOME_TOKEN", value)
        with pytest.raises(IdentityTokenRefused) as refused:
            tokens.get()
        assert (refused.value.code, refused.value.where, refused.value.found) == (
            "signing.token", "SOME_TOKEN", "nothing",
        )  # fmt: skip
    monkeypatch.setenv("SOME_TOKEN", jwt(CLAIMS))
    assert tokens.get().subject == "alice"


def test_a_svid_names_a_workload(tmp_path: Path) -> None:
    path = tmp_path / "svid"
    path.write_text(jwt({**CLAIMS, "sub": "spiffe://acme.example/trainer"}))
    assert IdentityTokens.spiffe(path).get().may_be_called("spiffe://acme.example/trainer")
    path.write_text(jwt(CLAIMS))
    with pytest.raises(IdentityTokenRefused) as refused:
        IdentityTokens.spiffe(path).get()
    assert (refused.value.where, refused.value.found) == (str(path), "alice")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No platform: whatever this runs on."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "GOOGLE_SERVICE_ACCOUNT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("id._internal.oidc.ambient._GCP_PRODUCT_NAME_FILE", "/nonexistent")
    return monkeypatch


def test_no_platform(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(IdentityTokenRefused) as refused:
        IdentityTokens.ambient().get()
    assert (refused.value.code, refused.value.where) == ("signing.token", "the platform")
    assert "id-token: write" in refused.value.do


def test_gitlab(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("GITLAB_CI", "true")
    with pytest.raises(IdentityTokenRefused, match="SIGSTORE_ID_TOKEN not found"):
        IdentityTokens.ambient().get()
    bare.setenv("SIGSTORE_ID_TOKEN", jwt(CLAIMS))
    assert IdentityTokens.ambient().get().subject == "alice"
    bare.setenv("HTTPS___CI_EXAMPLE_ID_TOKEN", jwt({**CLAIMS, "sub": "bob", "aud": "https://ci.example"}))
    assert IdentityTokens.ambient(audience="https://ci.example").get().subject == "bob"


@pytest.mark.parametrize(
    ("platform", "program", "asked"),
    [
        ("BUILDKITE", "buildkite-agent", "oidc request-token --audience sigstore"),
        ("CIRCLECI", "circleci", "run oidc get --claims"),
    ],
)
def test_a_platform_with_a_program_of_its_own(
    bare: pytest.MonkeyPatch, tmp_path: Path, platform: str, program: str, asked: str
) -> None:
    script = tmp_path / program
    script.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/asked\necho {jwt(CLAIMS)}\n')
    script.chmod(0o755)
    bare.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    bare.setenv(platform, "true")
    assert IdentityTokens.ambient().get().subject == "alice"
    assert (tmp_path / "asked").read_text().startswith(asked)
    script.write_text("#!/bin/sh\necho no >&2; echo no; exit 1\n")
    with pytest.raises(IdentityTokenRefused) as refused:
        IdentityTokens.ambient().get()
    assert refused.value.code == "signing.token"


def test_github_without_leave(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("GITHUB_ACTIONS", "true")
    for name in ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"):
        bare.delenv(name, raising=False)
    for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        with pytest.raises(IdentityTokenRefused) as refused:
            IdentityTokens.ambient().get()
        assert (refused.value.code, refused.value.where, refused.value.found) == ("signing.token", name, "nothing")
        assert "id-token: write" in refused.value.do
        bare.setenv(name, "https://example.invalid/")
    bare.setenv(name, "se\ncret")
    with pytest.raises(IdentityTokenRefused) as refused:
        IdentityTokens.ambient().get()
    assert (refused.value.where, refused.value.found) == (name, "characters that no header may have")


def test_github_is_asked_with_what_it_gave(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("GITHUB_ACTIONS", "true")
    bare.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-jobs-own-secret")
    with Served() as served:
        bare.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{served.url}/token?version=2")
        served.trouble = lambda *_: Reply(body=json.dumps({"count": 9, "value": jwt(CLAIMS)}).encode())
        tokens = IdentityTokens.ambient(audience="https://ci.example/?a&b", patience=QUICK)
        assert tokens.get().subject == "alice"
        assert served.paths == ["/token?version=2&audience=https%3A%2F%2Fci.example%2F%3Fa%26b"]
        assert served.headers[0]["Authorization"] == "Bearer the-jobs-own-secret"
        for reply, kind, code in (
            (Reply(status=401, body=b"who is the-jobs-own-secret?"), IdentityTokenRefused, "signing.token"),
            (Reply(status=418, body=b"the-jobs-own-secret"), ServiceRefused, "signing.refused"),
            (Reply(status=500, body=b"the-jobs-own-secret"), ServiceUnavailable, "unavailable.service"),
            (Reply(body=b'{"value": 3, "x": "the-jobs-own-secret"}'), ServiceUnavailable, "unavailable.service"),
            (Reply(body=b"the-jobs-own-secret"), ServiceUnavailable, "unavailable.service"),
        ):
            served.trouble = lambda *_, reply=reply: reply
            with pytest.raises(GlasswingError) as refused:
                tokens.get()
            assert (type(refused.value), refused.value.code) == (kind, code)
            assert refused.value.where.startswith(f"{served.url}/token?version=2")
            tells_no_secret(refused.value, "the-jobs-own-secret")


def test_a_jobs_secret_goes_nowhere_unencrypted(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("GITHUB_ACTIONS", "true")
    bare.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-jobs-own-secret")
    bare.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://runner.invalid/token")
    with pytest.raises(UsageError) as refused:
        IdentityTokens.ambient(audience="x").get()
    assert (refused.value.code, refused.value.wanted) == ("usage", "https")
    assert refused.value.where == "http://runner.invalid/token?audience=x"


def _refused_by(tokens: IdentityTokens) -> IdentityTokenRefused:
    with pytest.raises(IdentityTokenRefused) as refused:
        tokens.get()
    return refused.value


def test_a_function_that_fails_tells_no_token() -> None:
    token = jwt(CLAIMS)

    def fails() -> str:
        raise RuntimeError(f"the broker said {token}")

    error = _refused_by(IdentityTokens.of_callable(fails, source="the broker"))
    tells_no_secret(error, *token.split("."))
    assert (error.code, error.where) == ("signing.token", "the broker")
    assert error.because == "RuntimeError: the broker said (a token)"
    with pytest.raises(UsageError) as refused:
        IdentityTokens.of_callable(lambda: 3).get()  # type: ignore[arg-type, return-value]
    assert (refused.value.where, refused.value.found) == ("a function", "int")


def test_frames_hold_neither_token_nor_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = jwt(CLAIMS)
    (tmp_path / "svid").write_text(token)
    tells_no_secret(_refused_by(IdentityTokens.spiffe(tmp_path / "svid")), *token.split("."))
    monkeypatch.setenv("T", f"x.{token.split('.')[1]}")
    tells_no_secret(_refused_by(IdentityTokens.from_environment("T")), token.split(".")[1])

    def broken(_: str) -> None:
        raise sigstore.oidc.IssuerError("no")

    monkeypatch.setattr(sigstore.oidc, "Issuer", broken)
    tells_no_secret(_refused_by(IdentityTokens.interactive("https://i.example", client_secret="hunter2")), "hunter2")


def test_a_platform_that_does_not_answer(bare: pytest.MonkeyPatch) -> None:
    from urllib3.exceptions import ProtocolError

    def gone(_: str) -> str:
        raise ProtocolError(f"gone, and {jwt(CLAIMS)}")

    bare.setattr(sigstore.oidc, "detect_credential", gone)
    with pytest.raises(UnavailableError) as refused:
        IdentityTokens.ambient().get()
    assert (refused.value.code, refused.value.where) == ("unavailable", "the platform")
    assert refused.value.because == "ProtocolError: gone, and (a token)"
    assert refused.value.__cause__ is None


def test_somebody_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stand:
        def __init__(self, url: str) -> None:
            assert url == "https://issuer.example"

        def identity_token(self, client_id: str, client_secret: str) -> str:
            assert (client_id, client_secret) == ("sigstore", "")
            return jwt(CLAIMS)

    monkeypatch.setattr(sigstore.oidc, "Issuer", Stand)
    assert IdentityTokens.interactive("https://issuer.example").get().subject == "alice"

    def broken(_: str) -> None:
        raise sigstore.oidc.IssuerError("no such issuer")

    monkeypatch.setattr(sigstore.oidc, "Issuer", broken)
    with pytest.raises(IdentityTokenRefused, match="IssuerError: no such issuer") as refused:
        IdentityTokens.interactive("https://issuer.example").get()
    assert (refused.value.code, refused.value.where) == ("signing.token", "https://issuer.example")


@pytest.mark.parametrize(
    "make",
    [
        lambda text, path: IdentityTokens.of(text),
        lambda text, path: IdentityTokens.from_file(path),
        lambda text, path: IdentityTokens.spiffe(path),
        lambda text, path: IdentityTokens.of_callable(lambda: text),
    ],
)
def test_neither_source_nor_token_shows_it(make: Callable[[str, Path], IdentityTokens], tmp_path: Path) -> None:
    text = jwt({**CLAIMS, "sub": "spiffe://acme.example/trainer"})
    (tmp_path / "t").write_text(text)
    tokens = make(text, tmp_path / "t")
    token = tokens.get()
    assert token.reveal() == text
    for shown in (repr(tokens), str(tokens), f"{tokens}", repr(token), str(token), json.dumps(str(token))):
        assert not [part for part in (text, *text.split(".")) if part in shown]
    assert "spiffe://acme.example/trainer" in repr(token)
    assert token.hide(f"got {text}, {text.split('.')[2]}") == "got (the token), (the token)"
    for each in (tokens, token):
        with pytest.raises(TypeError, match="is not pickled"):
            pickle.dumps(each)
