"""Does AWS KMS sign attestations, as its SDK speaks to it over HTTP, and is every refusal of its told?

The service is moto's server, on loopback. As it comes it hashes a digest again, so that its signatures verify for
nobody: the fixture makes it do what AWS documents for MessageType=DIGEST. Outages are played by a server of our own.
"""

import json
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from glasswing_attest import KeySigner
from glasswing_attest.errors import (
    KeyUnsupported,
    SelfCheckFailed,
    ServiceRefused,
    ServiceUnavailable,
    SigningError,
    UsageError,
)
from glasswing_attest.signing.backends import awskms
from tests.devices import free_ports, is_not_shown, prove_it_signs, tells_no_secret, threads_may_share

SECRET, SESSION = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY", "AQoDYXdzEJr-session-token-EXAMPLE"
_AS_DIGEST = threading.local()


def _message_type_is_heard(patched: pytest.MonkeyPatch) -> None:
    """Teach moto's server that a digest is not hashed again."""
    responses: Any = pytest.importorskip("moto.kms.responses")
    utils: Any = pytest.importorskip("moto.kms.utils")
    answer, by_ecdsa, by_rsa = responses.KmsResponse.sign, utils.ECDSAPrivateKey.sign, utils.RSAPrivateKey.sign

    def sign(self: Any) -> Any:
        _AS_DIGEST.now = self._get_param("MessageType") == "DIGEST"
        return answer(self)

    def digest_of(algorithm: str) -> hashes.HashAlgorithm:
        found: hashes.HashAlgorithm = getattr(hashes, f"SHA{algorithm[-3:]}")()
        return found

    def ecdsa(self: Any, message: bytes, algorithm: str) -> bytes:
        if not _AS_DIGEST.now:
            return bytes(by_ecdsa(self, message, algorithm))
        assert algorithm in self.valid_signing_algorithms
        return bytes(self.private_key.sign(message, ec.ECDSA(Prehashed(digest_of(algorithm)))))

    def rsa(self: Any, message: bytes, algorithm: str) -> bytes:
        if not _AS_DIGEST.now:
            return bytes(by_rsa(self, message, algorithm))
        assert algorithm.startswith("RSASSA_PKCS1_V1_5_SHA_")
        return bytes(self.private_key.sign(message, padding.PKCS1v15(), Prehashed(digest_of(algorithm))))

    patched.setattr(responses.KmsResponse, "sign", sign)
    patched.setattr(utils.ECDSAPrivateKey, "sign", ecdsa)
    patched.setattr(utils.RSAPrivateKey, "sign", rsa)


@pytest.fixture(scope="module")
def kms() -> Iterator[Any]:
    """A client that makes keys on the server, to which every client of this process is led."""
    boto3: Any = pytest.importorskip("boto3", reason="boto3 is not installed: the extra kms brings it")
    server: Any = pytest.importorskip("moto.server", reason="moto's server is not installed: moto[server] brings it")
    with pytest.MonkeyPatch.context() as patched:
        _message_type_is_heard(patched)
        (port,) = free_ports(1)
        running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
        running.start()
        patched.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{port}")
        for name, value in (("REGION", "eu-central-1"), ("DEFAULT_REGION", "eu-central-1"), ("MAX_ATTEMPTS", "2")):
            patched.setenv(f"AWS_{name}", value)
        for name, value in (
            ("ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("SECRET_ACCESS_KEY", SECRET),
            ("SESSION_TOKEN", SESSION),
        ):
            patched.setenv(f"AWS_{name}", value)
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patched.setenv("NO_PROXY", "127.0.0.1")
        try:
            yield boto3.client("kms")
        finally:
            running.stop()


def made(kms: Any, spec: str, usage: str = "SIGN_VERIFY") -> dict[str, str]:
    answer: dict[str, str] = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    return answer


@pytest.mark.parametrize(
    ("spec", "scheme"),
    [
        ("ECC_NIST_P256", "ecdsa-sha2-nistp256"),
        ("ECC_NIST_P384", "ecdsa-sha2-nistp384"),
        ("RSA_2048", "rsa-pkcs1v15-sha256"),
        ("RSA_3072", "rsa-pkcs1v15-sha256"),
    ],
)
def test_kms_signs(kms: Any, spec: str, scheme: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = made(kms, spec)
    caplog.set_level("DEBUG")
    caplog.clear()
    signer = KeySigner.from_uri(f"awskms:{key['KeyId']}")
    assert signer.public_key.schemes == (scheme,)
    prove_it_signs(signer, tmp_path)
    # What the SDK itself logs at this level is its own; of ours and securesystemslib's there is no secret.
    assert SECRET not in caplog.text
    caplog.clear()
    is_not_shown(signer, caplog, SECRET, SESSION)


def test_a_key_is_named_in_each_way_of_aws(kms: Any) -> None:
    key = made(kms, "ECC_NIST_P256")
    kms.create_alias(AliasName="alias/release", TargetKeyId=key["KeyId"])
    names = (key["Arn"], f"///{key['Arn']}", "alias/release", "///alias/release")
    signers = [KeySigner.from_uri(f"awskms:{name}") for name in names]
    assert len({signer.public_key.fingerprint for signer in signers}) == 1
    for signer in signers:
        assert signer.seal(b"payload", "text/plain")


def test_threads_share_a_client(kms: Any) -> None:
    threads_may_share(KeySigner.from_uri(f"awskms:{made(kms, 'ECC_NIST_P256')['KeyId']}"))


@pytest.mark.parametrize(
    ("spec", "usage", "found"),
    [
        ("ECC_SECG_P256K1", "SIGN_VERIFY", "elliptic curve secp256k1"),
        ("ECC_NIST_P521", "SIGN_VERIFY", "ecdsa-sha2-nistp521"),
        ("RSA_2048", "ENCRYPT_DECRYPT", "a key that does not sign"),
    ],
)
def test_a_key_that_does_not_sign_here_is_refused_at_once(kms: Any, spec: str, usage: str, found: str) -> None:
    uri = f"awskms:{made(kms, spec, usage)['KeyId']}"
    with pytest.raises(KeyUnsupported) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where, refused.value.found) == ("unsupported.key", uri, found)


def test_a_key_that_is_not_there_is_refused(kms: Any) -> None:
    with pytest.raises(ServiceRefused) as refused:
        KeySigner.from_uri("awskms:alias/absent")
    assert (refused.value.code, refused.value.where) == ("signing.refused", "awskms:alias/absent")
    assert "NotFoundException" in refused.value.because
    tells_no_secret(refused.value, SECRET, SESSION)


def test_another_key_than_the_one_pinned_gives_nothing(kms: Any) -> None:
    right, wrong = (made(kms, "ECC_NIST_P256")["KeyId"] for _ in range(2))
    pinned = KeySigner.from_uri(f"awskms:{right}").public_key
    assert KeySigner.from_uri(f"awskms:{right}", public_key=pinned).seal(b"payload", "text/plain")
    with pytest.raises(SelfCheckFailed) as refused:
        KeySigner.from_uri(f"awskms:{wrong}", public_key=pinned).seal(b"payload", "text/plain")
    assert (refused.value.code, refused.value.where) == ("signing.self-check", f"awskms:{wrong}")
    assert "pinned" in refused.value.because
    assert pinned.fingerprint[:16] in str(refused.value.wanted)


def test_a_key_of_another_kind_is_refused_by_the_service(kms: Any) -> None:
    uri = f"awskms:{made(kms, 'ECC_NIST_P384')['KeyId']}"
    signer = KeySigner.from_uri(uri, public_key=KeySigner.generate().public_key)
    with pytest.raises(ServiceRefused) as refused:
        signer.seal(b"payload", "text/plain")
    assert (refused.value.code, refused.value.where) == ("signing.refused", uri)


def test_pinned_needs_no_right_to_read_the_key(kms: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = made(kms, "ECC_NIST_P256")["KeyId"]
    pinned = KeySigner.from_uri(f"awskms:{key}").public_key

    def refuse(*_: object) -> None:
        raise AssertionError("the public key was asked for")

    monkeypatch.setattr(awskms.AwsKms, "fetch", refuse)
    assert KeySigner.from_uri(f"awskms:{key}", public_key=pinned).seal(b"payload", "text/plain")


# --- outages, played -------------------------------------------------------------------------------------------------


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Generator[tuple[str, list[str]]]:
    """A server that answers so, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers.get("X-Amz-Target", ""))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()


def says(status: int, kind: str, message: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(to: BaseHTTPRequestHandler) -> None:
        body = json.dumps({"__type": kind, "message": message}).encode()
        to.send_response(status)
        to.send_header("Content-Type", "application/x-amz-json-1.1")
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    return answer


def hangs_up(to: BaseHTTPRequestHandler) -> None:
    to.connection.close()


def stays_silent(_: BaseHTTPRequestHandler) -> None:
    threading.Event().wait(3)


REFUSALS = {
    "denied": (says(400, "AccessDeniedException", "User is not authorized to perform: kms:Sign"), ServiceRefused),
    "disabled": (says(400, "DisabledException", "arn:aws:kms:… is disabled."), ServiceRefused),
    "being deleted": (says(400, "KMSInvalidStateException", "… is pending deletion."), ServiceRefused),
    "wrong secret": (says(400, "InvalidSignatureException", f"the string to sign with {SECRET} was"), ServiceRefused),
    "throttled": (says(400, "ThrottlingException", "Rate exceeded"), ServiceUnavailable),
    "broken": (says(500, "KMSInternalException", "try again"), ServiceUnavailable),
    "in front of it": (says(503, "x", "no healthy upstream"), ServiceUnavailable),
    "hangs up": (hangs_up, ServiceUnavailable),
    "silent": (stays_silent, ServiceUnavailable),
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("when", ["opening", "signing"])
def test_each_failure_is_told(kms: Any, name: str, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, kind = REFUSALS[name]
    uri = f"awskms:{made(kms, 'ECC_NIST_P256')['KeyId']}"
    pinned = KeySigner.from_uri(uri).public_key if when == "signing" else None
    monkeypatch.setattr(awskms, "_ANSWER_SECONDS", 1 if name == "silent" else 30)
    with answering(answer) as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", url)
        with pytest.raises(kind) as failed:
            KeySigner.from_uri(uri, public_key=pinned).seal(b"payload", "text/plain")
    error = failed.value
    assert (type(error), error.where) == (kind, uri)
    assert error.because.startswith("AWS KMS: ")
    tells_no_secret(error, SECRET, SESSION)
    # As often as AWS_MAX_ATTEMPTS says, and no more; a no is no reason to ask again.
    assert len(asked) == (1 if kind is ServiceRefused else 2)
    assert {target.rpartition(".")[2] for target in asked} == {"GetPublicKey" if pinned is None else "Sign"}


def test_a_server_that_is_stopped_is_told(kms: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"awskms:{made(kms, 'ECC_NIST_P256')['KeyId']}"
    signer = KeySigner.from_uri(uri)
    (port,) = free_ports(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{port}")
    with pytest.raises(ServiceUnavailable) as down:
        KeySigner.from_uri(uri)
    assert (down.value.code, down.value.where) == ("unavailable.service", uri)
    assert "EndpointConnectionError" in down.value.because
    tells_no_secret(down.value, SECRET, SESSION)
    assert signer.seal(b"payload", "text/plain"), "a signer keeps to the server that it was made for"


@pytest.mark.parametrize(
    ("unset", "do"),
    [
        (("AWS_DEFAULT_REGION",), "AWS_DEFAULT_REGION"),
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "AWS_ACCESS_KEY_ID"),
    ],
)
def test_what_the_sdk_misses_is_said(
    kms: Any, unset: tuple[str, ...], do: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    boto3: Any = pytest.importorskip("boto3")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in unset:
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers what it found before
    with pytest.raises(SigningError) as refused:
        KeySigner.from_uri("awskms:alias/release")
    assert (type(refused.value), refused.value.code, refused.value.where) == (
        SigningError,
        "signing",
        "awskms:alias/release",
    )
    assert do in refused.value.do


@pytest.mark.parametrize(
    "uri", ["awskms:", "awskms://", "awskms:///", "awskms://kms.example/alias/x", "awskms:a?region=x"]
)
def test_other_forms_of_the_uri_are_refused(kms: Any, uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where) == ("usage", "uri")
    assert "AWS_ENDPOINT_URL_KMS" in str(refused.value.wanted)
