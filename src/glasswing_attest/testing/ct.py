"""How does a certificate log promise to publish a certificate?

RFC 6962, section 3.2: the promise is over the certificate without any promise in it, which is what a precertificate
without its poison is::

    version(1)=0 ‖ type(1)=0 ‖ timestamp(8, ms) ‖ entry_type(2)=1 ‖ SHA-256(issuer's SPKI)(32) ‖ len(3) ‖ TBS ‖ len(2)=0
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from datetime import datetime

from glasswing_attest.testing import der
from glasswing_attest.testing.clock import Clock
from glasswing_attest.testing.keys import PublicKeyOf, details_of, encoded, generate, sign, spki
from glasswing_attest.testing.window import since, valid_for

__all__ = ["CertificateLog", "promises"]

_SIGNATURE_ALGORITHMS = {"p256": 3, "rsa": 1}  # RFC 5246, section 7.4.1.4.1


class CertificateLog:
    """A certificate transparency log: it promises and does not keep.

    Attributes:
        operator: whose log it is: logs of one operator are one witness.
        window: when it is to be believed; a test may change it.
        log_id: the SHA-256 of its key.
    """

    def __init__(self, clock: Clock, *, operator: str = "sigstore.example", key: str = "p256") -> None:
        self.operator = operator
        self.window = since(clock.now)
        self._kind = key
        self._key = generate(key)
        self.log_id = hashlib.sha256(spki(self.public_key)).digest()

    @property
    def public_key(self) -> PublicKeyOf:
        """The key that signs promises."""
        return self._key.public_key()

    def promise(self, tbs: bytes, issuer: PublicKeyOf, at: datetime) -> bytes:
        """Sign a certificate timestamp: for the bytes of a certificate without promises, and its issuer's key."""
        milliseconds = int(at.timestamp()) * 1000
        signed = (
            struct.pack("!BBQH", 0, 0, milliseconds, 1)
            + hashlib.sha256(spki(issuer)).digest()
            + len(tbs).to_bytes(3)
            + tbs
            + bytes(2)
        )
        signature = sign(self._key, signed)
        head = b"\x00" + self.log_id + struct.pack("!QH", milliseconds, 0)
        return head + bytes((4, _SIGNATURE_ALGORITHMS[self._kind])) + struct.pack("!H", len(signature)) + signature

    def to_dict(self) -> dict[str, object]:
        """The log as a trusted root names it."""
        return {
            "baseUrl": f"https://ct.{self.operator}/{self.log_id.hex()[:8]}",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": encoded(spki(self.public_key)),
                "keyDetails": details_of(self.public_key),
                "validFor": valid_for(self.window),
            },
            "logId": {"keyId": encoded(self.log_id)},
            "operator": self.operator,
        }


def promises(each: Iterable[bytes]) -> bytes:
    """Give the value of the extension that holds promises: a list as TLS writes it, in an OCTET STRING."""
    body = b"".join(struct.pack("!H", len(one)) + one for one in each)
    return der.octets(struct.pack("!H", len(body)) + body)
