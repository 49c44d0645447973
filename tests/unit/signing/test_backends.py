"""What holds for every place that keeps a private key, whichever libraries are installed?"""

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Signature

from glasswing_attest import KeySigner
from glasswing_attest.errors import (
    GlasswingError,
    KeyUnreadable,
    KeyUnsupported,
    PassphraseRefused,
    SelfCheckFailed,
    ServiceRefused,
    ServiceUnavailable,
    SignatureUnsupported,
    SigningError,
    UnavailableError,
    UsageError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Device, Told
from glasswing_attest.signing.backends.file import InMemory
from glasswing_attest.signing.backends.registry import KINDS
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri
from tests.devices import answers, is_not_shown, prove_it_signs, tells_no_secret, threads_may_share

P256, OTHER = KeySigner.generate(), KeySigner.generate()
ED25519 = KeySigner.generate("ed25519")
PIN = "pin-of-the-test-4711"


def held(signer: KeySigner) -> Any:
    """The private key of a signer in memory."""
    backend: Any = signer._device.backend
    return backend.private_key


# --- the URI ---------------------------------------------------------------------------------------------------------


def test_a_uri_is_taken_apart() -> None:
    uri = KeyUri.parse("hsm:2?label=My+Token%231&x=")
    assert (uri.scheme, uri.path, uri.options) == ("hsm", "2", (("label", "My Token#1"), ("x", "")))
    assert (uri.option("label"), uri.option("pin")) == ("My Token#1", None)
    assert [KeyUri.parse(f"a:{path}").bare for path in ("b", "//b", "///b", "/b", "")] == ["b", "b", "b", "/b", ""]
    assert KeyUri.parse("file:/home/me@work/k.pem").path == "/home/me@work/k.pem"


@pytest.mark.parametrize(
    "uri",
    ["", "key.pem", "hsm:2?label", "hsm:2?a=1&a=2", "hsm:\n", "https://user:word@host/k", "file:a?b=%ff", 7, b"file:a"],
)
def test_what_is_no_uri_is_refused_and_never_shown(uri: Any) -> None:
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where) == ("usage", "uri")
    assert "word" not in str(refused.value)


@pytest.mark.parametrize(("option", "do"), [("pin", "hand secrets over otherwise"), ("slot", "")])
def test_an_option_that_could_hold_a_secret_is_refused(option: str, do: str) -> None:
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri(f"file:team.pem?{option}=847362")
    assert (refused.value.where, refused.value.found, refused.value.do) == ("uri", f"the option {option}", do)
    assert "847362" not in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    try:
        KeySigner.from_uri(text)
    except (UsageError, SigningError, UnavailableError, KeyUnsupported):
        pass
    else:
        raise AssertionError(text)


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri("pkcs12:keys.p12")
    assert (refused.value.where, refused.value.found) == ("uri", "pkcs12:")
    assert refused.value.wanted == "file:, awskms:, gcpkms:, azurekms:, hashivault:, hsm:, tpm:, gnupg:"
    assert ", ".join(f"{kind}:" for kind in KINDS) == refused.value.wanted


def test_what_goes_beside_the_uri_is_checked() -> None:
    calls: list[tuple[dict[str, Any], str]] = [
        ({"public_key": P256.public_key.pem}, "public_key"),
        ({"secrets": "1234"}, "secrets"),
    ]
    for given_, where in calls:
        with pytest.raises(UsageError) as refused:
            KeySigner.from_uri("file:k.pem", **given_)
        assert (refused.value.code, refused.value.where) == ("usage", where)
        assert "1234" not in str(refused.value)


@pytest.mark.parametrize(
    ("uri", "module", "extra"),
    [
        ("awskms:alias/x", "boto3", "kms"),
        ("gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", "google.cloud.kms", "kms"),
        ("azurekms://v.vault.azure.net/keys/k", "azure.keyvault.keys", "kms"),
        ("hashivault:k", "hvac", "vault"),
        ("hsm:2", "pkcs11", "hsm"),
        ("tpm:0x81000001", "tpm2_pytss", "tpm"),
    ],
)
def test_a_missing_extra_is_said_with_what_to_install(
    uri: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UnavailableError) as missing:
        KeySigner.from_uri(uri)
    assert (missing.value.code, missing.value.where) == ("unavailable", module)
    assert missing.value.do == f"install the extra: pip install 'glasswing-attest[{extra}]'"


def test_gnupg_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(SignatureUnsupported) as refused:
        KeySigner.from_uri("gnupg:ABCDEF")
    assert (refused.value.code, refused.value.where) == ("unsupported.signature", "gnupg:ABCDEF")
    assert "hsm:" in refused.value.do


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slashes", ["", "//"])
def test_a_file_is_a_place_too(slashes: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = P256.write(tmp_path / "k.pem", passphrase=PIN)
    asked: list[str] = []

    def handler(name: str) -> str:
        asked.append(name)
        return PIN

    signer = KeySigner.from_uri(f"file:{slashes}{path}", public_key=P256.public_key, secrets=handler)
    prove_it_signs(signer, tmp_path)
    threads_may_share(signer)
    is_not_shown(signer, caplog, PIN)
    assert asked == ["passphrase"]
    signer.write(tmp_path / "copy.pem")
    assert KeySigner.from_uri(f"file:{tmp_path / 'copy.pem'}", secrets=handler).public_key == P256.public_key
    assert asked == ["passphrase"], "nobody is asked for the passphrase of a key that has none"


def test_a_file_s_passphrase_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"file:{P256.write(tmp_path / 'k.pem', passphrase=PIN)}"
    for value, because in (("", "the key is encrypted"), ("wrong-word", "the key does not decrypt with it")):
        monkeypatch.setenv("GLASSWING_ATTEST_PASSPHRASE", value)
        with pytest.raises(PassphraseRefused) as refused:
            KeySigner.from_uri(uri)
        assert (refused.value.code, refused.value.where, refused.value.because) == ("signing.passphrase", uri, because)
        tells_no_secret(refused.value, "wrong-word")
    monkeypatch.setenv("GLASSWING_ATTEST_PASSPHRASE", PIN)
    assert KeySigner.from_uri(uri).public_key == P256.public_key


def test_another_file_than_the_one_pinned_is_refused(tmp_path: Path) -> None:
    uri = f"file:{OTHER.write(tmp_path / 'k.pem')}"
    with pytest.raises(SigningError) as refused:
        KeySigner.from_uri(uri, public_key=P256.public_key)
    assert (refused.value.code, refused.value.where) == ("signing", uri)
    found, wanted = (f"key {signer.public_key.fingerprint[:16]}" for signer in (OTHER, P256))
    assert (refused.value.found, refused.value.wanted) == (found, wanted)


@pytest.mark.parametrize("path", ["", "//", "//host/k.pem", "k.pem?passphrase=x"])
def test_other_forms_of_a_file_s_uri_are_refused(path: str) -> None:
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri(f"file:{path}")
    assert (refused.value.where, refused.value.wanted) == ("uri", "file:PATH")


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyUnreadable) as refused:
        KeySigner.from_uri(f"file:{tmp_path / 'absent.pem'}")
    assert (refused.value.code, refused.value.where) == ("signing.key", str(tmp_path / "absent.pem"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_may_read_is_logged(mode: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = P256.write(tmp_path / "k\x1b[2J.pem")
    path.chmod(mode)
    assert KeySigner.from_file(path).public_key == P256.public_key
    plain = path.rename(tmp_path / "k.pem")
    assert KeySigner.from_uri(f"file:{plain}").public_key == P256.public_key
    for (name, level, text), shown in zip(caplog.record_tuples, (r"k\x1b[2J.pem", "k.pem"), strict=True):
        assert (name.partition(".")[0], level) == ("glasswing_attest", logging.WARNING)
        assert text.startswith(f"{tmp_path / shown}: this private key is not encrypted")
    encrypted = P256.write(tmp_path / "e.pem", passphrase=PIN)
    encrypted.chmod(mode)
    plain.chmod(0o600)
    caplog.clear()
    KeySigner.from_file(plain)
    KeySigner.from_file(encrypted, passphrase=PIN)
    assert not caplog.records


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_a_handler_that_fails_tells_nothing_of_what_it_knows(tmp_path: Path) -> None:
    uri = f"file:{P256.write(tmp_path / 'k.pem', passphrase=PIN)}"

    def fails(name: str) -> str:
        raise RuntimeError(f"the vault says {PIN} for {name}")

    bad: list[Any] = [fails, lambda _: PIN.encode(), lambda _: None]
    for handler in bad:
        with pytest.raises(PassphraseRefused) as refused:
            KeySigner.from_uri(uri, secrets=handler)
        assert (refused.value.code, refused.value.where) == ("signing.passphrase", uri)
        tells_no_secret(refused.value, PIN)


def test_secrets_are_asked_for_once_cut_out_and_forgotten() -> None:
    given_ = iter((PIN, "second-secret"))
    secrets = Secrets(lambda _: next(given_), where="hsm:1")
    assert (secrets.ask("pin"), secrets.ask("pin")) == (PIN, PIN)
    assert secrets.cut_from(f"a {PIN} b other c", "other", "") == "a [secret] b [secret] c"
    assert PIN not in repr(secrets)
    secrets.found("found\n by itself ")
    for shown in ("found\n by itself ", "found\n by itself", repr("found\n by itself ")[1:-1]):
        assert secrets.cut_from(f"header {shown}!") == "header [secret]!"
    with pytest.raises(TypeError, match="not pickled"):
        secrets.__reduce__()
    secrets.forget()
    assert secrets.ask("pin") == "second-secret"


# --- the device ------------------------------------------------------------------------------------------------------


class Place(InMemory):
    """A key in memory that behaves as devices do."""

    name = "the place"
    sensitive = ("PLACE_TOKEN",)

    def __init__(self, signer: KeySigner = P256) -> None:
        super().__init__(held(signer))
        self.answer: Callable[[bytes], bytes] = super().sign
        self.means: Told | None = None

    def use(self, key: PublicKey) -> None:
        self._signer = CryptoSigner(self.private_key)

    def sign(self, message: bytes) -> bytes:
        return self.answer(message)

    def told(self, error: Exception) -> Told | None:
        return self.means


def device(place: Place, *, pinned: PublicKey | None = None, **secrets: str) -> Device:
    return Device(place, where="place:1", secrets=Secrets(answers(**secrets), where="place:1"), pinned=pinned)


def test_r_and_s_side_by_side_become_der() -> None:
    place = Place()
    made: list[bytes] = []

    def raw(message: bytes) -> bytes:
        der = InMemory.sign(place, message)
        made.append(der)
        return b"".join(each.to_bytes(32) for each in decode_dss_signature(der))

    place.answer = raw
    assert device(place).sign(b"message") == made[0]


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: b"",
        lambda _: b"\0" * 64,
        lambda _: b"junk",
        lambda m: InMemory.sign(ready(OTHER), m),
        lambda m: InMemory.sign(ready(P256), m + b" "),
        lambda m: InMemory.sign(ready(P256), m)[:-1],
    ],
)
def test_what_is_no_signature_by_the_key_is_never_returned(answer: Callable[[bytes], bytes]) -> None:
    place = Place()
    place.answer = answer
    for pinned in (None, P256.public_key):
        with pytest.raises(SelfCheckFailed) as refused:
            device(place, pinned=pinned).sign(b"message")
        assert (refused.value.code, refused.value.where) == ("signing.self-check", "place:1")
        assert ("pinned" in refused.value.because) is (pinned is not None)


def ready(signer: KeySigner) -> Place:
    place = Place(signer)
    place.use(signer.public_key)
    return place


def test_a_pinned_key_that_signs_otherwise_is_refused_before_anything_is_signed() -> None:
    rsa = KeySigner.generate("rsa-3072").public_key
    pss = PublicKey.from_pem(rsa.pem, scheme="rsassa-pss-sha256")
    with pytest.raises(KeyUnsupported) as refused:
        device(Place(), pinned=pss)
    assert (refused.value.code, refused.value.where, refused.value.found) == (
        "unsupported.key",
        "public_key",
        "rsassa-pss-sha256",
    )
    both = PublicKey.from_pem(rsa.pem)
    assert len(both.schemes) == 2
    assert device(Place(), pinned=both).public_key.schemes == ("rsa-pkcs1v15-sha256",)


@pytest.mark.parametrize(
    "means", [None, (ServiceRefused, "do this"), (ServiceUnavailable, ""), (SigningError, "do that")]
)
@pytest.mark.parametrize("leak", ["", "in the message", "in a cause", "in a context"])
def test_a_failure_is_told_without_frames_and_secrets(
    means: Told | None, leak: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "token-from-the-environment"
    monkeypatch.setenv("PLACE_TOKEN", token)
    place = Place()

    def fails(_: bytes) -> bytes:
        in_a_frame = PIN + token
        first = KeyError(in_a_frame if leak.startswith("in a ") else "first")
        if leak == "in a cause":
            raise OSError("broken\n  pipe") from first
        try:
            raise first
        except KeyError:
            raise OSError(in_a_frame if leak == "in the message" else "broken\n  pipe")  # noqa: B904

    place.answer, place.means = fails, means
    subject = device(place, pin=PIN)
    subject._secrets.ask("pin")
    with pytest.raises(GlasswingError) as failed:
        subject.sign(b"message")
    error = failed.value
    assert type(error) is (means[0] if means else SigningError)
    assert error.where == "place:1"
    wanted = "[secret][secret]" if leak == "in the message" else "broken pipe"
    assert error.because == f"the place: OSError: {wanted}"
    if means and means[1]:
        assert error.do == means[1]
    assert (error.__cause__ is None) is bool(leak)
    assert error.__context__ is None
    tells_no_secret(error, PIN, token)


def test_the_place_is_used_by_one_thread_at_a_time_where_it_says_so() -> None:
    class Narrow(Place):
        lock = threading.Lock()

    place = Narrow()
    inside = 0

    def alone(message: bytes) -> bytes:
        nonlocal inside
        inside += 1
        assert inside == 1
        made = InMemory.sign(place, message)
        inside -= 1
        return made

    place.answer = alone
    subject = device(place)
    threads = [threading.Thread(target=subject.sign, args=(b"m",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == 0


# --- what others registered ------------------------------------------------------------------------------------------


class Theirs(CryptoSigner):
    """A signer of an application's own, as securesystemslib asks for it."""

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Any, secrets_handler: Any = None) -> "Theirs":
        if secrets_handler("pin") != PIN:
            raise ValueError("wrong pin")
        return cls(held(OTHER if priv_key_uri.endswith("other") else ED25519))

    def sign(self, payload: bytes) -> Signature:
        return super().sign(payload)


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "theirs", Theirs)


@pytest.mark.usefixtures("theirs")
def test_a_signer_that_somebody_registered_signs_under_a_pinned_key(tmp_path: Path) -> None:
    signer = KeySigner.from_uri("theirs:1", public_key=ED25519.public_key, secrets=answers(pin=PIN))
    prove_it_signs(signer, tmp_path)
    threads_may_share(signer)
    with pytest.raises(UsageError) as unpinned:
        KeySigner.from_uri("theirs:1", secrets=answers(pin=PIN))
    assert (unpinned.value.code, unpinned.value.where) == ("usage", "public_key")
    with pytest.raises(SelfCheckFailed) as refused:
        KeySigner.from_uri("theirs:other", public_key=ED25519.public_key, secrets=answers(pin=PIN)).seal(b"p", "t")
    assert (refused.value.code, refused.value.where) == ("signing.self-check", "theirs:other")
    with pytest.raises(SigningError) as wrong:
        KeySigner.from_uri("theirs:1", public_key=ED25519.public_key, secrets=answers(pin="another-pin"))
    assert (wrong.value.code, wrong.value.because) == ("signing", "the signer of theirs:: ValueError: wrong pin")
    tells_no_secret(wrong.value, "another-pin")
