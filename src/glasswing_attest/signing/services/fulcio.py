"""Who certifies that this key is that person's, for some minutes?

Fulcio's API v2 (sigstore/fulcio, fulcio.proto): a certificate request, whose own signature shows that the key is at
hand, and an identity token. ::

    POST /api/v2/signingCert
    {"credentials": {"oidcIdentityToken": …}, "certificateSigningRequest": base64 of PEM}
    -> {"signedCertificateEmbeddedSct": {"chain": {"certificates": [PEM, …]}}}
     | {"signedCertificateDetachedSct": {"chain": …, "signedCertificateTimestamp": base64}}

A detached promise of a certificate log has no place in a bundle: such a certificate does only where the profile asks
for no promise.
"""

from __future__ import annotations

import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._wire import Node, encode_base64, read_json
from glasswing_attest.errors import IdentityTokenRefused, SigningError, shown
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.services.http import Answer, Http
from glasswing_attest.signing.tokens import Token
from glasswing_attest.trust.certificates import UNREADABLE

__all__ = ["certify"]

_ANSWERS = ("signedCertificateEmbeddedSct", "signedCertificateDetachedSct")
# What Fulcio answers for a token that it does not take: invalid, of a stranger, of nobody who may.
_REFUSALS: dict[int, type[SigningError]] = dict.fromkeys((400, 401, 403), IdentityTokenRefused)


def certify(
    http: Http, url: str, key: ec.EllipticCurvePrivateKey, token: Token, *, limits: Limits = DEFAULT
) -> tuple[bytes, ...]:
    """Give the certificate for a key, in DER, and the certificates above it. Nothing of it is verified.

    Raises:
        IdentityTokenRefused: in the authority's words.
        ServiceRefused, ServiceUnavailable: as `Http.ask` does.
    """
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))  # the token names the subject
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )

    def body() -> bytes:
        credentials = {"oidcIdentityToken": token.reveal()}
        return json.dumps({"credentials": credentials, "certificateSigningRequest": encode_base64(request)}).encode(
            "ascii"
        )

    def read(answer: Answer) -> tuple[bytes, ...]:
        node = read_json(answer.body, where="certificate", limits=limits, bound="answer_bytes")
        found = next((inner for name in _ANSWERS if (inner := node.get(name)) is not None), None)
        if found is None:
            node.refuse(" or ".join(_ANSWERS))
        items = found.need("chain").need("certificates").array()
        limits.check("certificates", len(items), where=found.path)
        if not items:
            found.refuse("at least one certificate", found="none")
        return tuple(_der(item) for item in items)

    try:
        return http.ask(
            "POST",
            f"{url.rstrip('/')}/api/v2/signingCert",
            body=body,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            refusals=_REFUSALS,
            hide=token.hide,
            read=read,
        )
    except IdentityTokenRefused as e:
        # Most authorities say no more than that it does not do.
        audience = f"audience {', '.join(token.audiences)}" if token.audiences else "no audience"
        e.do = shown(f"look whether the authority takes tokens by {token.issuer} for {audience}", 400)
        raise


def _der(node: Node) -> bytes:
    try:
        return x509.load_pem_x509_certificate(node.text().encode("utf-8")).public_bytes(Encoding.DER)
    except UNREADABLE as e:
        node.refuse("a certificate in PEM", because=str(e))
