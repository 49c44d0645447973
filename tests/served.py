"""A Sigstore over HTTP on loopback, without any server but ours: for tests of the clients.

The services are those of `VirtualSigstore`, which the library's own engine verifies; here they get the interfaces of
Fulcio v2, Rekor v1 and v2 (with its tiles), and of a clock (RFC 3161), in the words that the real ones answer with.
`trouble` says per request what goes wrong instead. The real servers are in tests/stack.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._wire import canonical_json, format_time
from glasswing_attest.signing.instance import Instance
from glasswing_attest.signing.services.http import Patience
from glasswing_attest.testing import Clock, Holder, LeafOptions, VirtualSigstore
from glasswing_attest.testing.log import TransparencyLog, tree_root
from glasswing_attest.trust.signing_config import SigningConfig
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile

__all__ = ["QUICK", "Reply", "Served", "jwt"]

QUICK = Patience(attempts=4, connect=2, silence=2, whole=10, pause=0.001, longest_pause=0.01)
"""For tests, where nobody is busy."""

GITHUB = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a service answers. `cut` closes the connection after so many bytes of it; `dripping` takes its time."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    dripping: float = 0.0


def refusal(status: int, message: str, code: int = 3) -> Reply:
    """How Fulcio and Rekor say no."""
    return Reply(status=status, body=json.dumps({"code": code, "message": message, "details": []}).encode())


def jwt(claims: Mapping[str, Any], key: bytes = b"") -> str:
    """A JSON web token."""
    head = _b64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = _b64url(json.dumps(claims).encode())
    return f"{head}.{body}.{_b64url(hmac.digest(key, f'{head}.{body}'.encode(), 'sha256'))}"


class Served:
    """The services of one `VirtualSigstore`, each below its own path.

    Attributes:
        sigstore: what stands behind.
        asked: how often each service was asked.
        trouble: what goes wrong: called with the service's name, and how often it was asked; gives a `Reply`, "drop" or
            None.
        leaf: what certificates are to be like.
        issuers: whose tokens are taken.
        bodies: what was sent, by service.
        paths, headers: where to, and with which headers, in order.
    """

    def __init__(self, sigstore: VirtualSigstore | None = None) -> None:
        # A minute back: the certificate must be good at once, by whatever clock.
        self.sigstore = sigstore or VirtualSigstore("served", clock=Clock(datetime.now(UTC) - timedelta(seconds=30)))
        self.asked: Counter[str] = Counter()
        self.bodies: dict[str, list[bytes]] = {}
        self.paths: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.trouble: Callable[[str, int], Reply | Literal["drop"] | None] = lambda _service, _count: None
        self.leaf = LeafOptions()
        self.holder: Holder | None = None
        self.issuers = {"https://issuer.example", GITHUB, "https://oauth2.example/auth"}
        self.detached = False
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._known: dict[tuple[int, bytes], dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- what a client is given

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def token(self, subject: str = "alice@example.com", **claims: Any) -> str:
        """An identity token that its issuer signed."""
        now = int(time.time())
        said = {
            "iss": "https://issuer.example",
            "sub": subject,
            "aud": "sigstore",
            "iat": now,
            "exp": now + 600,
            **({"email": subject, "email_verified": True} if "@" in subject else {}),
            **claims,
        }
        return jwt({name: value for name, value in said.items() if value is not None}, self._secret)

    def github_token(self, repository: str = "acme/train", **claims: Any) -> str:
        """A token as a workflow gets one."""
        workflow = f"{repository}/.github/workflows/release.yml@refs/heads/main"
        subject = f"repo:{repository}:ref:refs/heads/main"
        return self.token(subject, iss=GITHUB, job_workflow_ref=workflow, **claims)

    def signing_config(self, version: Literal[1, 2] = 1, *, clocks: int = 1, selector: str = "ANY") -> dict[str, Any]:
        """A SigningConfig: an authority, a log of the version, and so many clocks of distinct operators."""

        def service(path: str, version: int, operator: str = self.sigstore.operator) -> dict[str, Any]:
            start = format_time(datetime.now(UTC) - timedelta(minutes=5))
            url = f"{self.url}{path}"
            return {"url": url, "majorApiVersion": version, "validFor": {"start": start}, "operator": operator}

        stamping = self.sigstore.clocks[:clocks]
        return {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service("/fulcio", 1)],
            "oidcUrls": [],
            "rekorTlogUrls": [service(f"/rekor{version}", version)],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [service(f"/tsa{n}/api/v1/timestamp", 1, clock.operator) for n, clock in enumerate(stamping)],
            "tsaConfig": {"selector": selector},
        }

    def instance(
        self, version: Literal[1, 2] = 1, *, profile: Profile = PUBLIC_GOOD, config: Mapping[str, Any] | None = None
    ) -> Instance:
        """The instance as a signer wants it."""
        said = self.signing_config(version) if config is None else config
        return Instance(root=self.sigstore.root(profile), config=SigningConfig.parse(json.dumps(said).encode()))

    def write(self, folder: Path, version: Literal[1, 2] = 1) -> tuple[Path, Path]:
        """Write trusted root and signing config as two files."""
        root, config = folder / "trusted_root.json", folder / "signing_config.json"
        root.write_bytes(self.sigstore.trusted_root())
        config.write_text(json.dumps(self.signing_config(version)))
        return root, config

    # --- what the services answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # a test's output is the test's
                pass

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def do_GET(self) -> None:
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                service = urlsplit(self.path).path.split("/")[1]
                with served._lock:
                    served.asked[service] += 1
                    served.bodies.setdefault(service, []).append(body)
                    served.paths.append(self.path)
                    served.headers.append(dict(self.headers))
                    reply = served.trouble(service, served.asked[service])
                    if reply is None:
                        reply = served._served(self.command, self.path, body)
                if reply == "drop":
                    self.close_connection = True
                    self.connection.close()
                    return
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                try:
                    if reply.dripping:
                        for at in range(len(reply.body)):
                            self.wfile.write(reply.body[at : at + 1])
                            self.wfile.flush()
                            time.sleep(reply.dripping)
                    else:
                        self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
                except OSError:  # who asked has gone
                    self.close_connection = True
                if reply.cut is not None:
                    self.close_connection = True

        return Handler

    def _served(self, method: str, path: str, body: bytes) -> Reply:
        _, service, *rest = urlsplit(path).path.split("/")
        if service == "fulcio":
            return self._certified(json.loads(body))
        if service.startswith("tsa"):
            return self._stamped(int(service[3:]), body)
        if service == "rekor1":
            return self._entry_v1(rest[-1]) if method == "GET" else self._logged_v1(json.loads(body))
        if method == "GET":
            return self._tile("/".join(rest[2:]))
        return self._logged_v2(json.loads(body))

    def _certified(self, asked: dict[str, Any]) -> Reply:
        token = asked["credentials"]["oidcIdentityToken"]
        try:
            head, claims, signature = token.split(".")
            said = json.loads(base64.urlsafe_b64decode(claims + "=="))
        except ValueError:
            return refusal(400, "There was an error processing the identity token")
        if said["iss"] not in self.issuers:
            return refusal(400, f"There was an error processing the credentials: unsupported issuer {said['iss']}")
        audiences = said["aud"] if isinstance(said["aud"], list) else [said["aud"]]
        if "sigstore" not in audiences:
            return refusal(401, f"oidc: expected audience sigstore got {audiences}, in {token}", 16)
        if said["exp"] <= time.time():
            return refusal(401, "oidc: token is expired", 16)
        if signature != _b64url(hmac.digest(self._secret, f"{head}.{claims}".encode(), "sha256")):
            return refusal(401, f"failed to verify signature of {claims}", 16)
        request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
        if not request.is_signature_valid:
            return refusal(400, "The signature supplied in the request could not be verified")
        public: Any = request.public_key()
        leaf = self.sigstore.certify(public, self.holder or _holder(said), self.leaf)
        chain = [leaf, *self.sigstore.authorities[-1].chain]
        pems = [each.public_bytes(Encoding.PEM).decode() for each in chain]
        kind = "signedCertificateDetachedSct" if self.detached else "signedCertificateEmbeddedSct"
        return Reply(body=json.dumps({kind: {"chain": {"certificates": pems}}}).encode())

    def _stamped(self, number: int, query: bytes) -> Reply:
        imprint, nonce = _read_query(query)
        stamp = self.sigstore.clocks[number].stamp(b"", imprint=imprint, nonce=nonce)
        return Reply(status=201, body=stamp, headers={"Content-Type": "application/timestamp-reply"})

    def _logged_v1(self, asked: dict[str, Any]) -> Reply:
        if asked["kind"] == "dsse":
            content = asked["spec"]["proposedContent"]
            envelope = json.loads(content["envelope"])
            spec: dict[str, Any] = {
                "envelopeHash": _sha256(content["envelope"].encode()),
                "payloadHash": _sha256(base64.b64decode(envelope["payload"])),
                "signatures": [{"signature": envelope["signatures"][0]["sig"], "verifier": content["verifiers"][0]}],
            }
        else:
            spec = asked["spec"]
        body = canonical_json({"apiVersion": asked["apiVersion"], "kind": asked["kind"], "spec": spec})
        known = self._known.get((1, body))
        if known is not None:
            uuid = hashlib.sha256(b"\x00" + body).hexdigest()
            reply = refusal(409, f"an equivalent entry already exists in the transparency log with UUID {uuid}", 409)
            return Reply(status=409, body=reply.body, headers={"Location": f"/api/v1/log/entries/{uuid}"})
        self._known[1, body] = self.sigstore.log("v1").add(body, kind=asked["kind"], kind_version=asked["apiVersion"])
        return Reply(status=201, body=_as_v1(body, self._known[1, body]))

    def _entry_v1(self, uuid: str) -> Reply:
        for (version, body), entry in self._known.items():
            if version == 1 and hashlib.sha256(b"\x00" + body).hexdigest() == uuid[-64:]:
                return Reply(body=_as_v1(body, entry))
        return refusal(404, "entry not found", 404)

    def _logged_v2(self, asked: dict[str, Any]) -> Reply:
        record = asked["hashedRekordRequestV002"]
        details = record["signature"]["verifier"]["keyDetails"]
        algorithm = {"256": "SHA2_256", "384": "SHA2_384", "512": "SHA2_512"}[details[-3:]]
        spec = {
            "hashedRekordV002": {"data": {"algorithm": algorithm, "digest": record["digest"]}, **_signature(record)}
        }
        body = canonical_json({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec})
        known = self._known.get((2, body))
        if known is not None:
            index = known["inclusionProof"]["logIndex"]
            message = f"an equivalent entry already exists in the transparency log with index {index}"
            return Reply(status=409, body=refusal(409, message, 6).body, headers={"x-log-index": index})
        entry = self.sigstore.log("v2").add(body, kind="hashedrekord", kind_version="0.0.2")
        self._known[2, body] = entry
        # As protobuf writes it: what is zero, or none, is left out.
        return Reply(status=201, body=json.dumps(entry).encode())

    def _tile(self, path: str) -> Reply:
        log = self.sigstore.log("v2")
        hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in log.leaves]
        if path == "checkpoint":
            return Reply(body=log.checkpoint(len(hashes), tree_root(hashes)).encode())
        _, level, *groups = path.split("/")
        width = int(groups.pop()) if groups[-2:-1] and groups[-2].endswith(".p") else 256
        number = int("".join(group.lstrip("x").removesuffix(".p") for group in groups))
        span = 256 ** int(level)
        starts = range(number * 256 * span, (number * 256 + width) * span, span)
        if starts[-1] + span > len(hashes):
            return refusal(404, "no such tile", 5)
        return Reply(body=b"".join(tree_root(hashes[at : at + span]) for at in starts))


def _signature(record: Mapping[str, Any]) -> dict[str, Any]:
    return {"signature": record["signature"]}


def _holder(said: Mapping[str, Any]) -> Holder:
    """Whom Fulcio would name."""
    federated = said.get("federated_claims", {}).get("connector_id", said["iss"])
    if "job_workflow_ref" in said:
        return Holder(san=f"https://github.com/{said['job_workflow_ref']}", issuer=said["iss"])
    if "email" in said:
        return Holder(san=said["email"], issuer=federated, kind="email")
    return Holder(san=said["sub"], issuer=said["iss"], kind="uri")


def _as_v1(body: bytes, entry: Mapping[str, Any]) -> bytes:
    """An entry in the words of Rekor v1's interface."""
    proof = entry["inclusionProof"]
    told = {
        "body": base64.b64encode(body).decode(),
        "integratedTime": int(entry["integratedTime"]),
        "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        "logIndex": int(entry["logIndex"]),
        "verification": {
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": [base64.b64decode(each).hex() for each in proof["hashes"]],
                "logIndex": int(proof["logIndex"]),
                "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                "treeSize": int(proof["treeSize"]),
            },
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        },
    }
    return json.dumps({f"{'0' * 16}{hashlib.sha256(body).hexdigest()}": told}).encode()


def _read_query(query: bytes) -> tuple[bytes, int]:
    """The imprint and the nonce of a TimeStampReq (RFC 3161, section 2.4.1): every length of ours is a single byte."""
    fields, at = [], 2
    while at < len(query):
        fields.append(query[at : at + 2 + query[at + 1]])
        at += len(fields[-1])
    _version, imprint, nonce, *_ = fields
    return imprint[-32:], int.from_bytes(nonce[2:])


def _sha256(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def log_of(served: Served, version: Literal["v1", "v2"]) -> TransparencyLog:
    """The log behind."""
    return served.sigstore.log(version)
