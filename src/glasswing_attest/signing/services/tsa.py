"""When was this signed, says a clock?

RFC 3161 over HTTP (section 3.4): a query with the SHA-256 of the signature and a nonce, answered with a stamp over
both. Whether anybody believes the clock is for the verifier to say; here the stamp must be the one that was asked for.
"""

from __future__ import annotations

import hashlib

import rfc3161_client

from glasswing_attest.errors import FieldRefused, ServiceRefused
from glasswing_attest.signing.services.http import Answer, Http
from glasswing_attest.trust.certificates import UNREADABLE

__all__ = ["stamp"]

_SHA256 = "2.16.840.1.101.3.4.2.1"
_GRANTED = (rfc3161_client.tsp.PKIStatus.GRANTED, rfc3161_client.tsp.PKIStatus.GRANTED_WITH_MODS)


def stamp(http: Http, url: str, signature: bytes) -> bytes:
    """Give a time-stamp response over a signature.

    Raises:
        ServiceRefused, ServiceUnavailable: as `Http.ask` does; also where the clock says no in its own form.
    """
    request = rfc3161_client.TimestampRequestBuilder(
        data=signature, hash_algorithm=rfc3161_client.HashAlgorithm.SHA256, nonce=True, cert_req=True
    ).build()

    def read(answer: Answer) -> bytes:
        try:
            found = rfc3161_client.decode_timestamp_response(answer.body)
            status, told = found.status, "; ".join(found.status_string)
        except UNREADABLE as e:
            raise FieldRefused(where="timestamp", because=str(e), wanted="an RFC 3161 response") from e
        if status not in _GRANTED:
            raise ServiceRefused(where=url, found=f"PKIStatus {status}", because=told)
        try:
            info = found.tst_info
            imprint = (info.message_imprint.hash_algorithm.dotted_string, bytes(info.message_imprint.message))
            nonce = info.nonce
        except UNREADABLE as e:
            raise FieldRefused(where="timestamp", because=str(e), wanted="an RFC 3161 response") from e
        if imprint != (_SHA256, hashlib.sha256(signature).digest()):
            raise FieldRefused(where="timestamp.messageImprint", found="another one", wanted="that of the query")
        if nonce != request.nonce:
            raise FieldRefused(where="timestamp.nonce", found="another one", wanted="that of the query")
        return answer.body

    return http.ask(
        "POST",
        url,
        body=request.as_bytes,
        headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
        read=read,
    )
