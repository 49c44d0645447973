"""How does Fulcio find out under which key an identity provider signs its tokens?

OpenID Connect Discovery 1.0: an issuer for each identity, and one that Fulcio does not know, on one server. All of them
sign under one key, which the tests hold, too: `Stack.token` makes a token without asking anybody.

    GET /email/.well-known/openid-configuration   -> issuer, jwks_uri, …
    GET /email/jwks                               -> the public key
    GET /github/token?audience=sigstore           -> {"value": token}, for the bearer "ambient": as in a workflow's job
"""

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

from tests.stack.identities import IDENTITIES
from tests.stack.listening import listening

__all__ = ["STRANGER", "ambient", "serve", "signed_token"]

STRANGER = "stranger"
"""An issuer that publishes its key, and that Fulcio does not know."""

_KEY_ID = "stack"
_BEARER = "ambient"


def signed_token(
    key: RSAPrivateKey, issuer: str, claims: Mapping[str, Any], *, audience: str, expires: timedelta
) -> str:
    """A token of this issuer, as of now, or a while ago if it is over by now."""
    now = int(time.time())
    end = now + int(expires.total_seconds())
    start = min(now, end - 1)
    standard = {"iss": issuer, "aud": audience, "iat": start, "nbf": start, "exp": end}
    return jwt.encode({**standard, **claims}, key, algorithm="RS256", headers={"kid": _KEY_ID})


def ambient(issuer: str) -> dict[str, str]:
    """The environment in which a workflow's job finds its token."""
    return {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer}/token?version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": _BEARER,
    }


def load_key(path: Path) -> RSAPrivateKey:
    """The issuers' private key."""
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def serve(port: int, key: RSAPrivateKey) -> ThreadingHTTPServer:
    """Make the server; it has to be run."""
    base = f"http://127.0.0.1:{port}"
    keys = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    published = {"keys": [{**keys, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            name, _, rest = url.path.strip("/").partition("/")
            if name not in (*IDENTITIES, STRANGER):
                self._answer(404, {"error": "no such issuer"})
            elif rest == ".well-known/openid-configuration":
                self._answer(200, _configuration(f"{base}/{name}"))
            elif rest == "jwks":
                self._answer(200, published)
            elif rest == "token" and name != STRANGER:
                if self.headers.get("Authorization", "").lower() != f"bearer {_BEARER}":
                    self._answer(401, {"error": "not the job's token"})
                    return
                audience = parse_qs(url.query).get("audience", [base])[0]
                claims = IDENTITIES[name].claims
                token = signed_token(key, f"{base}/{name}", claims, audience=audience, expires=timedelta(minutes=5))
                self._answer(200, {"value": token})
            else:
                self._answer(404, {"error": "no such page"})

        def _answer(self, status: int, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return listening(port, Handler)


def _configuration(issuer: str) -> dict[str, object]:
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks",
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
