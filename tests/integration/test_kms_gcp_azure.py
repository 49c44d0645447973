"""Do Google's and Azure's services sign attestations, as far as that can be known without them?

No emulator of them is to be had here. Their real SDKs run, over real gRPC and HTTPS on loopback; what answers is a fake
of this file's, written after the services' documentation. So this says how we and the SDKs behave, and of the services
themselves nothing: docs/kms.md says so too.
"""

import base64
import datetime
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from glasswing_attest import KeySigner
from glasswing_attest.errors import (
    GlasswingError,
    KeyUnsupported,
    SelfCheckFailed,
    ServiceRefused,
    ServiceUnavailable,
    SigningError,
    UsageError,
)
from glasswing_attest.signing.backends import azurekms
from tests.devices import is_not_shown, prove_it_signs, tells_no_secret, threads_may_share

P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
P521, K256 = ec.generate_private_key(ec.SECP521R1()), ec.generate_private_key(ec.SECP256K1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SECRET = "bearer-token-of-the-test"

# --- Google Cloud KMS: gRPC -------------------------------------------------------------------------------------------

RING = "projects/p/locations/global/keyRings/r/cryptoKeys"
VERSIONS: dict[str, tuple[Any, str]] = {
    f"{RING}/p256/cryptoKeyVersions/1": (P256, "EC_SIGN_P256_SHA256"),
    f"{RING}/p384/cryptoKeyVersions/1": (P384, "EC_SIGN_P384_SHA384"),
    f"{RING}/rsa/cryptoKeyVersions/1": (RSA, "RSA_SIGN_PKCS1_2048_SHA256"),
    f"{RING}/pss/cryptoKeyVersions/1": (RSA, "RSA_SIGN_PSS_2048_SHA256"),
    f"{RING}/sha512/cryptoKeyVersions/1": (RSA, "RSA_SIGN_PKCS1_4096_SHA512"),
    f"{RING}/k256/cryptoKeyVersions/1": (K256, "EC_SIGN_SECP256K1_SHA256"),
    f"{RING}/mldsa/cryptoKeyVersions/1": (P256, "PQ_SIGN_ML_DSA_65"),
    f"{RING}/hmac/cryptoKeyVersions/1": (P256, "HMAC_SHA256"),
}


@dataclass
class Google:
    """What the fake was asked, and what it says instead of an answer."""

    grpc: Any
    failing: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, request: Any, context: Any, types: Any) -> Any:
        self.asked.append(method)
        if self.failing:
            status, message = self.failing.pop(0)
            context.abort(getattr(self.grpc.StatusCode, status), message)
        if request.name not in VERSIONS:
            context.abort(self.grpc.StatusCode.NOT_FOUND, f"CryptoKeyVersion {request.name} not found.")
        key, algorithm = VERSIONS[request.name]
        if method == "GetPublicKey":
            pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            kinds = types.CryptoKeyVersion.CryptoKeyVersionAlgorithm
            return types.PublicKey(public_key={"data": pem}, pem=pem.decode(), algorithm=kinds[algorithm])
        name = "sha384" if algorithm.endswith("384") else "sha256"
        digest, prehashed = getattr(request.digest, name), Prehashed(getattr(hashes, name.upper())())
        if not digest:
            context.abort(self.grpc.StatusCode.INVALID_ARGUMENT, f"Digest is not {name}.")
        if key is RSA:
            scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if "PSS" in algorithm else padding.PKCS1v15()
            return types.AsymmetricSignResponse(signature=key.sign(digest, scheme, prehashed))
        return types.AsymmetricSignResponse(signature=key.sign(digest, ec.ECDSA(prehashed)))


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """The fake, to which Google's client is led."""
    kms: Any = pytest.importorskip(
        "google.cloud.kms", reason="google-cloud-kms is not installed: the extra kms brings it"
    )
    grpc: Any = pytest.importorskip("grpc")
    fake = Google(grpc)
    requests = {"GetPublicKey": (kms.GetPublicKeyRequest, kms.PublicKey)}
    requests["AsymmetricSign"] = (kms.AsymmetricSignRequest, kms.AsymmetricSignResponse)

    class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            method = details.method.rpartition("/")[2]
            request, response = requests[method]
            return grpc.unary_unary_rpc_method_handler(
                lambda asked, context: fake.answer(method, asked, context, kms),
                request_deserializer=request.deserialize,
                response_serializer=response.serialize,
            )

    server = grpc.server(ThreadPoolExecutor(4), handlers=[Service()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    real = kms.KeyManagementServiceClient
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    transport = real.get_transport_class("grpc")(channel=channel)
    monkeypatch.setattr(kms, "KeyManagementServiceClient", lambda: real(transport=transport))
    try:
        yield fake
    finally:
        channel.close()
        server.stop(0).wait()


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("p256", "ecdsa-sha2-nistp256"), ("p384", "ecdsa-sha2-nistp384"), ("rsa", "rsa-pkcs1v15-sha256")],
)
def test_google_s_client_signs(google: Google, name: str, scheme: str, tmp_path: Path) -> None:
    signer = KeySigner.from_uri(f"gcpkms:{RING}/{name}/cryptoKeyVersions/1")
    assert signer.public_key.schemes == (scheme,)
    prove_it_signs(signer, tmp_path)
    threads_may_share(signer)


def test_the_spelling_of_other_tools_is_read(google: Google) -> None:
    signer = KeySigner.from_uri(f"gcpkms://{RING}/p256/versions/1")
    assert signer.seal(b"payload", "text/plain")
    assert google.asked == ["GetPublicKey", "AsymmetricSign"]
    pinned = KeySigner.from_uri(f"gcpkms:{RING}/p256/cryptoKeyVersions/1", public_key=signer.public_key)
    assert pinned.seal(b"payload", "text/plain")
    assert google.asked[2:] == ["AsymmetricSign"], "what is pinned is not asked for"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pss", "rsassa-pss-sha256"),
        ("sha512", "rsa-pkcs1v15-sha512"),
        ("k256", "31 is not a supported signing algorithm"),
        ("hmac", "32 is not a supported signing algorithm"),
        ("mldsa", "ml-dsa-65/1"),
    ],
)
def test_a_version_of_another_algorithm_is_refused_before_it_signs(google: Google, name: str, found: str) -> None:
    uri = f"gcpkms:{RING}/{name}/cryptoKeyVersions/1"
    with pytest.raises(KeyUnsupported) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where, refused.value.found) == ("unsupported.key", uri, found)
    assert google.asked == ["GetPublicKey"]


def test_pss_under_a_pinned_key_gives_nothing(google: Google) -> None:
    pinned = KeySigner(RSA).public_key
    with pytest.raises(SelfCheckFailed) as refused:
        KeySigner.from_uri(f"gcpkms:{RING}/pss/cryptoKeyVersions/1", public_key=pinned).seal(b"payload", "text/plain")
    assert refused.value.code == "signing.self-check"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("PERMISSION_DENIED", ServiceRefused),
        ("NOT_FOUND", ServiceRefused),
        ("FAILED_PRECONDITION", ServiceRefused),  # a version that is disabled
        ("UNAUTHENTICATED", ServiceRefused),
        ("RESOURCE_EXHAUSTED", ServiceUnavailable),
        ("INTERNAL", ServiceUnavailable),
    ],
)
@pytest.mark.parametrize("when", ["opening", "signing"])
def test_each_failure_of_google_s_is_told(google: Google, status: str, kind: type[GlasswingError], when: str) -> None:
    uri = f"gcpkms:{RING}/p256/cryptoKeyVersions/1"
    pinned = KeySigner(P256).public_key if when == "signing" else None
    google.failing = [(status, f"the service's own words for {when}")]
    with pytest.raises(kind) as failed:
        KeySigner.from_uri(uri, public_key=pinned).seal(b"payload", "text/plain")
    error = failed.value
    assert (type(error), error.where) == (kind, uri)
    assert f"the service's own words for {when}" in error.because
    assert len(google.asked) == 1


def test_an_outage_that_passes_is_not_seen(google: Google) -> None:
    google.failing = [("UNAVAILABLE", "not now"), ("UNAVAILABLE", "not now")]
    assert KeySigner.from_uri(f"gcpkms:{RING}/p256/cryptoKeyVersions/1").seal(b"payload", "text/plain")
    assert google.asked == ["GetPublicKey"] * 3 + ["AsymmetricSign"]


def test_without_credentials_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("google.cloud.kms", reason="google-cloud-kms is not installed: the extra kms brings it")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    uri = f"gcpkms:{RING}/p256/cryptoKeyVersions/1"
    with pytest.raises(SigningError) as refused:
        KeySigner.from_uri(uri)
    assert (type(refused.value), refused.value.code, refused.value.where) == (SigningError, "signing", uri)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in refused.value.do


@pytest.mark.parametrize(
    "uri", ["gcpkms:", "gcpkms:projects/p", f"gcpkms:{RING}/k", f"gcpkms:{RING}/k/cryptoKeyVersions/primary"]
)
def test_other_forms_of_google_s_uri_are_refused(uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where) == ("usage", "uri")
    assert refused.value.wanted == "gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V"


# --- Azure Key Vault: HTTPS -------------------------------------------------------------------------------------------

HOST = "attest.vault.azure.test"
NAMES: dict[str, tuple[Any, str]] = {
    "p256": (P256, "P-256"),
    "p384": (P384, "P-384"),
    "p521": (P521, "P-521"),
    "k256": (K256, "P-256K"),
    "rsa": (RSA, ""),
}
HASHES = {"ES256": hashes.SHA256(), "ES384": hashes.SHA384(), "ES512": hashes.SHA512()}


def url64(data: bytes | int) -> str:
    value = data if isinstance(data, bytes) else data.to_bytes((data.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


@dataclass
class Azure:
    """What the fake was asked, and what it says instead of an answer."""

    port: int = 0
    failing: list[tuple[int, str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def vault(self) -> str:
        return f"azurekms://{HOST}/keys"

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        words = path.partition("?")[0].strip("/").split("/")
        self.asked.append(words[3] if len(words) > 3 else "get")
        if self.failing:
            status, code, message = self.failing.pop(0)
            return status, {"error": {"code": code, "message": message}}
        name, version = words[1], words[2] if len(words) > 2 and words[2] else "0a1b"
        if name not in NAMES:
            return 404, {"error": {"code": "KeyNotFound", "message": f"A key with (name/id) {name} was not found"}}
        key, curve = NAMES[name]
        kid = f"https://{HOST}/keys/{name}/{version}"
        if not asked:
            numbers = key.public_key().public_numbers()
            kind, names = ("EC", ("x", "y")) if curve else ("RSA", ("n", "e"))
            told = {"kty": kind, **{name: url64(getattr(numbers, name)) for name in names}}
            if curve:
                told["crv"] = curve
            return 200, {"key": {"kid": kid, "key_ops": ["sign", "verify"], **told}, "attributes": {"enabled": True}}
        digest = base64.urlsafe_b64decode(asked["value"] + "==")
        made = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(HASHES[asked["alg"]]))))
        size = (key.curve.key_size + 7) // 8
        return 200, {"kid": kid, "value": url64(b"".join(each.to_bytes(size) for each in made))}


class Credential:
    """In the place of a login."""

    def get_token(self, *_: str, **__: Any) -> Any:
        tokens: Any = pytest.importorskip("azure.core.credentials")
        return tokens.AccessToken(SECRET, 4_000_000_000)


def certificate(folder: Path) -> Path:
    """A certificate for the vault's name, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Azure]:
    """The fake, to which the name of a vault leads."""
    pytest.importorskip("azure.keyvault.keys", reason="azure-keyvault-keys is not installed: the extra kms brings it")
    identity: Any = pytest.importorskip("azure.identity")
    fake = Azure()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") is None:
                self.say(
                    401, {}, 'Bearer authorization="https://login.azure.test/t", resource="https://vault.azure.test"'
                )
                return
            assert self.headers["Authorization"] == f"Bearer {SECRET}"
            self.say(*fake.answer(self.path, json.loads(body) if body else {}))

        def say(self, status: int, told: dict[str, Any], challenge: str = "") -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            if challenge:
                self.send_header("WWW-Authenticate", challenge)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    pem = certificate(tmp_path)
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        # The SDK wants the vault at the usual port.
        return real(*(("127.0.0.1", fake.port) if host == HOST else (host, port)), *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    monkeypatch.setenv("NO_PROXY", "azure.test")
    monkeypatch.setattr(identity, "DefaultAzureCredential", Credential)
    monkeypatch.setattr(azurekms, "_BOUNDS", {**azurekms._BOUNDS, "retry_total": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        fake.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield fake
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("p256", "ecdsa-sha2-nistp256"), ("p384", "ecdsa-sha2-nistp384"), ("p521", "ecdsa-sha2-nistp521")],
)
def test_azure_s_client_signs(
    azure: Azure, name: str, scheme: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    signer = KeySigner.from_uri(f"{azure.vault}/{name}/0a1b")
    assert signer.public_key.schemes == (scheme,)
    prove_it_signs(signer, tmp_path)
    threads_may_share(signer)
    is_not_shown(signer, caplog, SECRET)


def test_the_newest_version_is_taken_once_and_pinned_asks_for_none(azure: Azure) -> None:
    signer = KeySigner.from_uri(f"{azure.vault}/p256")
    assert signer.seal(b"payload", "text/plain")
    assert signer._device.backend._version == "0a1b"  # type: ignore[attr-defined]
    assert KeySigner.from_uri(f"{azure.vault}/p256", public_key=signer.public_key).seal(b"payload", "text/plain")
    with pytest.raises(SelfCheckFailed) as refused:
        KeySigner.from_uri(f"{azure.vault}/p256", public_key=KeySigner.generate().public_key).seal(b"p", "text/plain")
    assert (refused.value.code, refused.value.where) == ("signing.self-check", f"{azure.vault}/p256")


@pytest.mark.parametrize(("name", "found"), [("k256", "EC P-256K"), ("rsa", "RSA")])
def test_a_key_of_another_kind_is_refused_before_it_signs(azure: Azure, name: str, found: str) -> None:
    with pytest.raises(KeyUnsupported) as refused:
        KeySigner.from_uri(f"{azure.vault}/{name}")
    error = refused.value
    assert (error.code, error.where, error.found) == ("unsupported.key", f"{azure.vault}/{name}", found)
    assert "sign" not in azure.asked


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "Forbidden", ServiceRefused),  # a role that is missing; a key that is disabled
        (404, "KeyNotFound", ServiceRefused),
        (409, "Conflict", ServiceRefused),
        (429, "Throttled", ServiceUnavailable),
        (500, "InternalServerError", ServiceUnavailable),
        (503, "ServiceUnavailable", ServiceUnavailable),
    ],
)
@pytest.mark.parametrize("when", ["opening", "signing"])
def test_each_failure_of_azure_s_is_told(
    azure: Azure, status: int, code: str, kind: type[GlasswingError], when: str
) -> None:
    uri = f"{azure.vault}/p256/0a1b"
    signer = KeySigner.from_uri(uri) if when == "signing" else None
    azure.failing = [(status, code, "the service's own words")] * 2
    with pytest.raises(kind) as failed:
        (signer or KeySigner.from_uri(uri)).seal(b"payload", "text/plain")
    error = failed.value
    assert (type(error), error.where) == (kind, uri)
    assert "the service's own words" in error.because


def test_a_vault_that_is_not_there_is_told(azure: Azure) -> None:
    uri = f"{azure.vault}/p256"
    azure.port = 1
    with pytest.raises(ServiceUnavailable) as down:
        KeySigner.from_uri(uri)
    assert (down.value.code, down.value.where) == ("unavailable.service", uri)
    tells_no_secret(down.value, SECRET)


@pytest.mark.parametrize(
    "uri", ["azurekms:", "azurekms://v.vault.azure.net/p256", "azurekms://v/keys/a/b/c", "azurekms:v/keys/a"]
)
def test_other_forms_of_azure_s_uri_are_refused(uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where) == ("usage", "uri")
    assert refused.value.wanted == "azurekms://VAULT.vault.azure.net/keys/NAME, or with /VERSION"
