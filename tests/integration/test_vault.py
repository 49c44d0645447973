"""Does the transit engine of a vault sign attestations, and is every refusal of its told?

The server is OpenBao, started in memory on loopback; it speaks HashiCorp Vault's API.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import KeySigner
from glasswing_attest.errors import (
    KeyUnsupported,
    PassphraseRefused,
    SelfCheckFailed,
    ServiceRefused,
    ServiceUnavailable,
    UsageError,
)
from tests.devices import (
    answers,
    free_ports,
    is_not_shown,
    prove_it_signs,
    running,
    tells_no_secret,
    threads_may_share,
)

ROOT_TOKEN = "root-token-of-the-test"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client with every right, and two transit engines. This process is led to the server, with the same token."""
    hvac: Any = pytest.importorskip("hvac", reason="hvac is not installed: the extra vault brings it")
    beside = Path(sys.executable).parent / "bao"
    bao = str(beside) if beside.exists() else shutil.which("bao")
    if bao is None:
        pytest.skip("OpenBao's server (bao) is not installed here")
    folder = tmp_path_factory.mktemp("bao")
    port, _ = free_ports(2)  # a cluster listens on the next one
    command = [bao, "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", f"-dev-listen-address=127.0.0.1:{port}"]
    with (
        running([*command, "-dev-no-store-token"], port=port, log=folder / "log"),
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv("VAULT_ADDR", f"http://127.0.0.1:{port}")
        patched.setenv("VAULT_TOKEN", ROOT_TOKEN)
        patched.setenv("HOME", str(folder))  # where a token of the person's own would be
        patched.setenv("NO_PROXY", "127.0.0.1")
        client = hvac.Client(token=ROOT_TOKEN)
        for mount in ("transit", "team/keys"):
            client.sys.enable_secrets_engine("transit", path=mount)
        yield client


def make(vault: Any, name: str, kind: str, **more: Any) -> str:
    vault.secrets.transit.create_key(name, key_type=kind, **more)
    return f"hashivault:{name}"


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        ("ecdsa-p256", "ecdsa-sha2-nistp256"),
        ("ecdsa-p384", "ecdsa-sha2-nistp384"),
        ("ecdsa-p521", "ecdsa-sha2-nistp521"),
        ("ed25519", "ed25519"),
        ("rsa-2048", "rsa-pkcs1v15-sha256"),
        ("rsa-3072", "rsa-pkcs1v15-sha256"),
    ],
)
def test_a_vault_signs(vault: Any, kind: str, scheme: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    uri = make(vault, f"signs-{kind}", kind)
    caplog.set_level("DEBUG")
    signer = KeySigner.from_uri(uri)
    assert signer.public_key.schemes == (scheme,)
    prove_it_signs(signer, tmp_path)
    is_not_shown(signer, caplog, ROOT_TOKEN)


def test_a_version_once_taken_stays(vault: Any) -> None:
    uri = make(vault, "rotated", "ecdsa-p256")
    first = KeySigner.from_uri(uri)
    vault.secrets.transit.rotate_key("rotated")
    second = KeySigner.from_uri(uri)
    assert first.public_key != second.public_key
    assert KeySigner.from_uri(f"{uri}?version=1").public_key == first.public_key
    for signer in (first, second):
        assert signer.seal(b"payload", "text/plain")
    # Without a version, one that is pinned signs with the newest: that one is another.
    with pytest.raises(SelfCheckFailed) as refused:
        KeySigner.from_uri(uri, public_key=first.public_key).seal(b"payload", "text/plain")
    assert (refused.value.code, refused.value.where) == ("signing.self-check", uri)
    assert KeySigner.from_uri(f"{uri}?version=1", public_key=first.public_key).seal(b"payload", "text/plain")
    with pytest.raises(ServiceRefused) as absent:
        KeySigner.from_uri(f"{uri}?version=9")
    assert absent.value.because == "Vault: there is no version 9 of this key"


def test_other_mounts_and_the_spelling_of_other_tools(vault: Any) -> None:
    vault.secrets.transit.create_key("release", key_type="ed25519", mount_point="team/keys")
    signers = [KeySigner.from_uri(f"hashivault:{slashes}release?mount=team/keys") for slashes in ("", "//")]
    assert signers[0].public_key == signers[1].public_key
    assert signers[0].seal(b"payload", "text/plain")


def test_threads_share_a_client(vault: Any) -> None:
    threads_may_share(KeySigner.from_uri(make(vault, "shared", "ecdsa-p256")))


@pytest.mark.parametrize("kind", ["aes256-gcm96", "chacha20-poly1305"])
def test_a_key_that_does_not_sign_is_refused_at_once(vault: Any, kind: str) -> None:
    uri = make(vault, f"no-{kind}", kind)
    with pytest.raises(KeyUnsupported) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where, refused.value.found) == ("unsupported.key", uri, kind)


def test_a_key_that_is_derived_anew_for_each_context_has_no_public_key(vault: Any) -> None:
    uri = make(vault, "derived", "ed25519", derived=True)
    with pytest.raises(KeyUnsupported) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.where, refused.value.found) == (uri, "ed25519, derived anew for each context")


def test_what_is_not_there_is_refused(vault: Any) -> None:
    for uri in ("hashivault:absent", "hashivault:absent?mount=nowhere"):
        with pytest.raises(ServiceRefused) as refused:
            KeySigner.from_uri(uri)
        assert (refused.value.code, refused.value.where) == ("signing.refused", uri)
        tells_no_secret(refused.value, ROOT_TOKEN)


def test_a_token_without_the_right_is_refused(vault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = make(vault, "guarded", "ecdsa-p256")
    pinned = KeySigner.from_uri(uri).public_key
    vault.sys.create_or_update_policy("signs", 'path "transit/sign/guarded" { capabilities = ["update"] }')
    token = vault.auth.token.create(policies=["signs"])["auth"]["client_token"]
    monkeypatch.setenv("VAULT_TOKEN", token)
    with pytest.raises(ServiceRefused) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where) == ("signing.refused", uri)
    assert "permission denied" in refused.value.because
    assert "VAULT_TOKEN" in refused.value.do
    tells_no_secret(refused.value, token)
    signer = KeySigner.from_uri(uri, public_key=pinned)
    assert signer.seal(b"payload", "text/plain"), "with the key pinned, the right to sign is enough"
    vault.auth.token.revoke(token)
    with pytest.raises(ServiceRefused) as revoked:
        signer.seal(b"payload", "text/plain")
    tells_no_secret(revoked.value, token)


def test_the_token_may_come_from_the_caller(vault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = make(vault, "by-token", "ecdsa-p256")
    monkeypatch.delenv("VAULT_TOKEN")
    assert KeySigner.from_uri(uri, secrets=answers(token=ROOT_TOKEN)).seal(b"payload", "text/plain")
    with pytest.raises(PassphraseRefused) as missing:
        KeySigner.from_uri(uri)
    assert (missing.value.code, missing.value.where, missing.value.wanted) == ("signing.passphrase", uri, "the token")
    with pytest.raises(ServiceRefused) as refused:
        KeySigner.from_uri(uri, secrets=answers(token="not-the-token-of-it"))
    tells_no_secret(refused.value, "not-the-token-of-it")


def test_a_server_that_is_sealed_or_stopped_is_told(vault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = make(vault, "later", "ecdsa-p256")
    (port,) = free_ports(1)
    monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{port}")
    with pytest.raises(ServiceUnavailable) as down:
        KeySigner.from_uri(uri)
    assert (down.value.code, down.value.where) == ("unavailable.service", uri)
    assert "VAULT_ADDR" in down.value.do
    tells_no_secret(down.value, ROOT_TOKEN)
    monkeypatch.undo()
    signer = KeySigner.from_uri(uri)
    vault.sys.seal()  # the last thing that is done to this server
    with pytest.raises(ServiceUnavailable) as sealed:
        signer.seal(b"payload", "text/plain")
    assert (sealed.value.code, sealed.value.where) == ("unavailable.service", uri)


@pytest.mark.parametrize(
    "uri", ["hashivault:", "hashivault:a/b", "hashivault:..", "hashivault:a?version=0", "hashivault:a?mount=../sys"]
)
def test_other_forms_of_the_uri_are_refused(uri: str) -> None:
    pytest.importorskip("hvac", reason="hvac is not installed: the extra vault brings it")
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where) == ("usage", "uri")
