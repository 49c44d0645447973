"""How does a time-stamping authority stamp?

RFC 3161, sections 2.3 and 2.4.2 (CMS: RFC 5652; signing certificates: RFC 5816). A response is a status and a CMS
SignedData whose content is a TSTInfo. `cryptography` signs CMS, but only over plain data, so the few boxes are written
here; `rfc3161-client` and OpenSSL judge them.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest.errors import UsageError
from glasswing_attest.testing import der
from glasswing_attest.testing.certificates import authority_dict, chain_of, usage
from glasswing_attest.testing.clock import Clock
from glasswing_attest.testing.keys import certificate_hash, generate, hash_name, sign
from glasswing_attest.testing.window import since

__all__ = ["TimestampAuthority"]

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_POLICY = "1.3.6.1.4.1.57264.2"
_HASHES = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_SIGNATURES = {"p256": "1.2.840.10045.4.3.2", "p384": "1.2.840.10045.4.3.3", "p521": "1.2.840.10045.4.3.4"}


class TimestampAuthority:
    """A time-stamping authority: a root, an intermediate, and the certificate that stamps.

    Attributes:
        operator: whose clock it is: clocks of one operator are one witness.
        window: when it is to be believed; a test may change it.
        chain: the stamping certificate first, the root last.

    Args:
        clock: when it is.
        operator: whose clock it is.
        key: the kind of its keys: p256, p384 or p521.
        usages: the extended usages of the stamping certificate; without time-stamping nobody may believe it.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        operator: str = "sigstore.example",
        key: str = "p256",
        usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    ) -> None:
        if key not in _SIGNATURES:
            raise UsageError(where="key", found=key, wanted=f"one of {', '.join(_SIGNATURES)}")
        self.operator = operator
        self.window = since(clock.now)
        self._clock = clock
        self._algorithm = _SIGNATURES[key]
        self._key = generate(key)
        self._serial = 0
        above = chain_of(clock.now, f"clock.{operator}", key=key, intermediates=1, path_length=1)
        issuer, by = above[0]
        public = self._key.public_key()
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"clock.{operator} stamps")]))
            .issuer_name(issuer.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(clock.now - timedelta(days=1))
            .not_valid_after(clock.now + timedelta(days=3000))
            .add_extension(usage(digital_signature=True), critical=True)
            # RFC 3161, section 2.3: this usage alone, and critical.
            .add_extension(x509.ExtendedKeyUsage(usages), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
            .sign(by, certificate_hash(by))
        )
        self.chain = (leaf, *(certificate for certificate, _ in above))

    def stamp(
        self,
        message: bytes,
        *,
        at: datetime | None = None,
        digest: str = "sha256",
        certificates: bool = True,
        nonce: int | None = None,
        imprint: bytes | None = None,
    ) -> bytes:
        """Give a time-stamp response over a message; for Sigstore the message is a signature.

        Args:
            message: what is stamped.
            at: the time; now, by default.
            digest: the hash of the message in the stamp: sha256, sha384 or sha512.
            certificates: whether the stamp brings its certificates along.
            nonce: what a query asked to have repeated.
            imprint: the message's digest, for a clock that was not shown the message.
        """
        if digest not in _HASHES:
            raise UsageError(where="digest", found=digest, wanted=f"one of {', '.join(_HASHES)}")
        self._serial += 1
        hashed = hashlib.new(digest, message).digest() if imprint is None else imprint
        info = der.sequence(
            der.integer(1),
            der.oid(_POLICY),
            der.sequence(_algorithm(digest), der.octets(hashed)),
            der.integer(self._serial),
            der.time(at or self._clock.now),
            *([] if nonce is None else [der.integer(nonce)]),
        )
        token = der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, self._signed_data(info, certificates)))
        return der.sequence(der.sequence(der.integer(0)), token)

    def _signed_data(self, info: bytes, certificates: bool) -> bytes:
        leaf = self.chain[0]
        name = hash_name(self._key)
        ess = der.sequence(der.sequence(der.sequence(der.octets(hashlib.sha256(_der(leaf)).digest()))))
        attributes = [
            _attribute(_CONTENT_TYPE, der.oid(_TST_INFO)),
            _attribute(_MESSAGE_DIGEST, der.octets(hashlib.new(name, info).digest())),
            _attribute(_SIGNING_CERTIFICATE_V2, ess),
        ]
        signer = der.sequence(
            der.integer(1),
            der.sequence(leaf.issuer.public_bytes(), der.integer(leaf.serial_number)),
            _algorithm(name),
            der.implicit_set(0, attributes),
            der.sequence(der.oid(self._algorithm)),
            # RFC 5652, section 5.4: signed are the attributes under the tag of a SET OF, not under the one they travel
            # with.
            der.octets(sign(self._key, der.set_of(attributes))),
        )
        return der.sequence(
            der.integer(3),
            der.set_of([_algorithm(name)]),
            der.sequence(der.oid(_TST_INFO), der.explicit(0, der.octets(info))),
            *([der.implicit_set(0, [_der(c) for c in self.chain[:-1]])] if certificates else []),
            der.set_of([signer]),
        )

    def to_dict(self) -> dict[str, object]:
        """The clock as a trusted root names it."""
        return authority_dict(self.chain, self.window, self.operator, f"https://timestamp.{self.operator}")


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _algorithm(digest: str) -> bytes:
    return der.sequence(der.oid(_HASHES[digest]))


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of([value]))
