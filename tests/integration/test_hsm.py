"""Does a real PKCS#11 token sign attestations, and is every refusal of its told?

The token is SoftHSM, a separate library that this process loads, as it would that of an HSM or of a YubiKey.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasswing_attest import KeySigner
from glasswing_attest.errors import (
    KeyUnsupported,
    PassphraseRefused,
    SelfCheckFailed,
    ServiceRefused,
    ServiceUnavailable,
    UnavailableError,
    UsageError,
)
from tests.devices import answers, is_not_shown, need_programs, prove_it_signs, tells_no_secret, threads_may_share

PIN, OFFICER = "fortytwo-4242", "officer-987654"
LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
KEYS = {1: "EC:prime256v1", 2: "EC:secp384r1", 3: "EC:secp521r1", 4: "EC:secp256k1", 5: "rsa:2048"}
PIN_HANDLER = answers(pin=PIN)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A token called "attest" with the keys above. The library reads its settings once, so it stays for the process."""
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed: the extra hsm brings it")
    need_programs("softhsm2-util", "pkcs11-tool")
    library = next((path for path in LIBRARIES if Path(path).exists()), None)
    if library is None:
        pytest.skip("SoftHSM's library is in none of the usual places")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOFTHSM2_CONF", str(settings))
        patched.setenv("PYKCS11LIB", library)

        def run(*command: str) -> None:
            done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
            assert done.returncode == 0, done.stdout + done.stderr

        for label in ("attest", "other"):
            run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", OFFICER)
        login = ["pkcs11-tool", "--module", library, "--token-label", "attest", "--login", "--pin", PIN]
        for number, kind in KEYS.items():
            run(*login, "--keypairgen", "--key-type", kind, "--id", f"{number:02}", "--label", f"key{number}")
        yield "attest"


@pytest.mark.parametrize(("number", "scheme"), [(1, "ecdsa-sha2-nistp256"), (2, "ecdsa-sha2-nistp384")])
def test_a_token_signs(token: str, number: int, scheme: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    signer = KeySigner.from_uri(f"hsm:{number}?label={token}", secrets=PIN_HANDLER)
    assert signer.public_key.schemes == (scheme,)
    prove_it_signs(signer, tmp_path)
    is_not_shown(signer, caplog, PIN)
    with pytest.raises(UsageError) as refused:
        signer.write(tmp_path / "k.pem")
    assert (refused.value.where, (tmp_path / "k.pem").exists()) == (f"hsm:{number}?label={token}", False)


def test_the_pin_may_stand_in_the_environment(token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSWING_ATTEST_PIN", PIN)
    prove_it_signs(KeySigner.from_uri(f"hsm:1?label={token}"), tmp_path)


def test_threads_share_a_token(token: str) -> None:
    # A process is logged in as one, so two signers of one token are in each other's way as well.
    one, other = (KeySigner.from_uri(f"hsm:{number}?label={token}", secrets=PIN_HANDLER) for number in (1, 2))
    threads_may_share(one)
    threads_may_share(other)


def test_the_pin_is_asked_for_once(token: str) -> None:
    asked: list[str] = []

    def handler(name: str) -> str:
        asked.append(name)
        return PIN

    signer = KeySigner.from_uri(f"hsm:1?label={token}", secrets=handler)
    for _ in range(3):
        signer.seal(b"payload", "text/plain")
    assert asked == ["pin"]


@pytest.mark.parametrize("number", [1])
def test_a_wrong_pin_is_refused_and_not_tried_again(token: str, number: int) -> None:
    asked: list[str] = []

    def handler(name: str) -> str:
        asked.append(name)
        return "wrong-wrong"

    uri = f"hsm:{number}?label={token}"
    signer = KeySigner.from_uri(uri, secrets=handler)
    with pytest.raises(ServiceRefused) as refused:
        signer.seal(b"payload", "text/plain")
    error = refused.value
    assert (error.code, error.where) == ("signing.refused", uri)
    assert "PinIncorrect" in error.because
    assert "locks itself" in error.do
    assert asked == ["pin"]
    tells_no_secret(error, "wrong-wrong")
    with pytest.raises(ServiceRefused):
        signer.seal(b"payload", "text/plain")
    assert asked == ["pin", "pin"], "a person may have typed it wrongly: who asks again is asked again"


def test_without_a_pin_nothing_is_signed(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLASSWING_ATTEST_PIN", raising=False)
    signer = KeySigner.from_uri(f"hsm:1?label={token}")
    with pytest.raises(PassphraseRefused) as refused:
        signer.seal(b"payload", "text/plain")
    assert (refused.value.code, refused.value.wanted) == ("signing.passphrase", "the pin")
    assert "GLASSWING_ATTEST_PIN" in refused.value.do


@pytest.mark.parametrize(
    ("path", "because"),
    [
        ("99?label=attest", "ValueError: could not find ECDSA key on the PKCS#11 token"),
        ("5?label=attest", "ValueError: could not find ECDSA key on the PKCS#11 token"),  # it is RSA
        ("1", "ValueError: Multiple PKCS#11 tokens found"),
    ],
)
def test_what_is_not_on_the_token_is_refused(token: str, path: str, because: str) -> None:
    with pytest.raises(ServiceRefused) as refused:
        KeySigner.from_uri(f"hsm:{path}", secrets=PIN_HANDLER)
    assert (refused.value.code, refused.value.where) == ("signing.refused", f"hsm:{path}")
    assert refused.value.because == f"the PKCS#11 token: {because}"
    assert ("decimal" in refused.value.do) is ("could not find" in because)
    tells_no_secret(refused.value, PIN)


@pytest.mark.parametrize("number", [3, 4])
def test_a_curve_that_does_not_sign_here_is_refused_before_anything_is_signed(token: str, number: int) -> None:
    with pytest.raises(KeyUnsupported) as refused:
        KeySigner.from_uri(f"hsm:{number}?label={token}", secrets=PIN_HANDLER)
    assert (refused.value.code, refused.value.where) == ("unsupported.key", f"hsm:{number}?label={token}")


def test_another_key_than_the_one_pinned_gives_nothing(token: str) -> None:
    right, wrong = (KeySigner.from_uri(f"hsm:{n}?label={token}", secrets=PIN_HANDLER).public_key for n in (1, 2))
    uri = f"hsm:1?label={token}"
    assert KeySigner.from_uri(uri, public_key=right, secrets=PIN_HANDLER).seal(b"payload", "text/plain")
    with pytest.raises(SelfCheckFailed) as refused:
        KeySigner.from_uri(uri, public_key=wrong, secrets=PIN_HANDLER).seal(b"payload", "text/plain")
    assert (refused.value.code, refused.value.where) == ("signing.self-check", uri)
    with pytest.raises(KeyUnsupported) as unsupported:
        KeySigner.from_uri(uri, public_key=KeySigner.generate("ed25519").public_key, secrets=PIN_HANDLER)
    assert unsupported.value.where == uri


def test_a_token_that_is_not_there_is_said_so(token: str) -> None:
    with pytest.raises(ServiceUnavailable) as down:
        KeySigner.from_uri("hsm:1?label=absent", secrets=PIN_HANDLER)
    assert (down.value.code, down.value.where) == ("unavailable.service", "hsm:1?label=absent")
    assert down.value.because == "the PKCS#11 token: ValueError: No PKCS#11 token found for label absent"
    assert "plugged in" in down.value.do


def test_a_library_that_is_not_there_is_said_so(token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYKCS11LIB", str(tmp_path / "absent.so"))
    with pytest.raises(ServiceUnavailable) as down:
        KeySigner.from_uri(f"hsm:1?label={token}", secrets=PIN_HANDLER)
    assert (down.value.code, down.value.where) == ("unavailable.service", f"hsm:1?label={token}")
    assert "PYKCS11LIB" in down.value.do
    monkeypatch.delenv("PYKCS11LIB")
    with pytest.raises(UsageError) as misused:
        KeySigner.from_uri(f"hsm:1?label={token}", secrets=PIN_HANDLER)
    assert "PYKCS11LIB" in misused.value.do
    assert not isinstance(misused.value, UnavailableError)
