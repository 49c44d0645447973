"""Did this authority sign this time stamp, read directly?

RFC 3161 (2.4.2), CMS (RFC 5652, section 5) and ESS (RFC 5035), in the one form that clocks of the field write::

    TimeStampResp  { status { 0 }, { id-signedData, [0] SignedData } }
    SignedData     { 3, digests, { id-ct-TSTInfo, [0] OCTET STRING }, [0] certificates?, { SignerInfo } }
    SignerInfo     { 1, issuer and serial, digest, [0] { contentType, messageDigest, signingCertificateV2, … }, ecdsa,
                     signature }

It is a shortcut. The authority's chain is proved once, by its bytes alone; for each stamp one signature is left, and
the windows are compared. What is read here is what was signed. Whatever has another form or does not hold is "cannot
tell", never a refusal: `clock` then asks `rfc3161-client`, which validates all of it anew. It is asked first for each
authority, too, because OpenSSL wants more of a chain than RFC 5280 does.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from cryptography import __version__, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from glasswing_attest.trust.certificates import UNREADABLE
from glasswing_attest.verification.certificate import AUTHORITY_POLICY, is_leaf, proved_span

__all__ = ["Stamp"]

_VERSION = int(__version__.split(".")[0])
# `cryptography` calls its decoder unstable. With these versions of it, what is read here was compared with what
# `rfc3161-client` reads; with any other no stamp has a form that is known.
_TRIED = range(49, 51)
_SIGNED_DATA = x509.ObjectIdentifier("1.2.840.113549.1.7.2")
_TST_INFO = x509.ObjectIdentifier("1.2.840.113549.1.9.16.1.4")
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_ECDSA = {"1.2.840.10045.4.3.2": "sha256", "1.2.840.10045.4.3.3": "sha384", "1.2.840.10045.4.3.4": "sha512"}
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"


# --- the wire format -------------------------------------------------------------------------------------------------


@asn1.sequence
class _Algorithm:
    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _Ecdsa:
    algorithm: x509.ObjectIdentifier  # and no parameters (RFC 5758, section 3.2)


@asn1.sequence
class _Status:
    status: int


@asn1.sequence
class _Content:
    content_type: x509.ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class _Signer:
    version: int
    sid: asn1.TLV
    digest: _Algorithm
    signed: Annotated[asn1.SetOf[asn1.TLV], asn1.Implicit(0)]
    algorithm: _Ecdsa
    signature: bytes


@asn1.sequence
class _SignedData:
    version: int
    digests: asn1.SetOf[_Algorithm]
    encapsulated: _Content
    certificates: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    signers: asn1.SetOf[_Signer]


@asn1.sequence
class _Token:
    content_type: x509.ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


@asn1.sequence
class _Response:
    status: _Status
    token: _Token


@asn1.sequence
class _Attribute:
    kind: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _IssuerSerial:
    issuer: asn1.TLV
    serial: int


@asn1.sequence
class _CertificateId:
    algorithm: _Algorithm | None  # SHA-256 where it is absent
    digest: bytes
    issuer_serial: _IssuerSerial | None  # says nothing more than the digest of the whole certificate


@asn1.sequence
class _SigningCertificate:
    certificates: list[_CertificateId]


@asn1.sequence
class _Imprint:
    algorithm: _Algorithm
    digest: bytes


@asn1.sequence
class _Accuracy:
    seconds: int | None


@asn1.sequence
class _Any:
    value: asn1.TLV


@asn1.sequence
class _TstInfo:
    version: int
    policy: x509.ObjectIdentifier
    imprint: _Imprint
    serial: int
    time: asn1.GeneralizedTime
    accuracy: _Accuracy | None
    ordering: Annotated[bool, asn1.Default(False)]
    nonce: int | None
    authority: Annotated[_Any | None, asn1.Implicit(0)]


# --- the stamp -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A stamp of that form whose parts agree with each other. Who signed it is not verified.

    Attributes:
        time: the time that it tells.
        imprint: the hash that it is over: algorithm and digest.
        sid: issuer and serial number of whoever signed it, tag and content.
        serial: that serial number.
        authority: who it says that made it, tag and content; "" where it does not say.
        named: the SHA-256 of the certificate that the signed attributes name.
        brought: the certificates that it brings along, tag and content of each.
        signed: the signed attributes, as the signature is over them.
        digest: the hash that the signature uses.
        signature: the signature.
    """

    time: datetime
    imprint: tuple[str, bytes]
    sid: bytes
    serial: int
    authority: bytes
    named: bytes
    brought: frozenset[bytes]
    signed: bytes
    digest: hashes.HashAlgorithm
    signature: bytes

    @classmethod
    def read(cls, stamp: bytes) -> Stamp | None:
        """Read a stamp; None for one of another form."""
        if _VERSION not in _TRIED:
            return None
        try:
            response = asn1.decode_der(_Response, stamp)
            token = response.token
            data = token.content
            (signer,) = data.signers.as_list()
            info = asn1.decode_der(_TstInfo, data.encapsulated.content)
            attributes = [each.parse(_Attribute) for each in signer.signed.as_list()]
            said = {each.kind.dotted_string: each.values.as_list() for each in attributes}
            (kind,), (digest,), (names,) = (
                said[each] for each in (_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_CERTIFICATE)
            )
            (named,) = names.parse(_SigningCertificate).certificates
            chosen = _HASHES[signer.digest.algorithm.dotted_string]
            time = info.time.as_datetime()
            imprint = _HASHES[info.imprint.algorithm.algorithm.dotted_string]
            agrees = (
                (response.status.status, data.version, signer.version, info.version) == (0, 3, 1, 1)
                and (token.content_type, data.encapsulated.content_type) == (_SIGNED_DATA, _TST_INFO)
                and signer.digest.algorithm in [each.algorithm for each in data.digests.as_list()]
                and _ECDSA[signer.algorithm.algorithm.dotted_string] == chosen.name
                and len(said) == len(attributes)
                and kind.parse(x509.ObjectIdentifier) == _TST_INFO
                and digest.parse(bytes) == hashlib.new(chosen.name, data.encapsulated.content).digest()
                and named.algorithm is None
                and (info.accuracy is None or (info.accuracy.seconds or 0) >= 0)
                and (info.nonce or 0) >= 0
                and not time.microsecond  # `rfc3161-client` reads no fraction, and two times would be told
            )
            certificates = () if data.certificates is None else data.certificates.as_list()
            if not agrees:
                return None
            return cls(
                time=time,
                imprint=(imprint.name, info.imprint.digest),
                sid=_tagged(signer.sid),
                serial=signer.sid.parse(_IssuerSerial).serial,
                authority=b"" if info.authority is None else _tagged(info.authority.value),
                named=named.digest,
                brought=frozenset(_tagged(each) for each in certificates),
                signed=_element(
                    b"\x31", b"".join(_element(e.tag_bytes, bytes(e.data)) for e in signer.signed.as_list())
                ),
                digest=chosen,
                signature=signer.signature,
            )
        except (*UNREADABLE, IndexError, OverflowError):
            return None

    def stands(self, signature: bytes, chain: tuple[x509.Certificate, ...]) -> bool:
        """Tell whether the first of this chain signed it, over `signature`, while all of the chain was valid."""
        signer = _signer(chain)
        if (
            signer is None
            or not signer.start <= self.time < signer.end  # in OpenSSL a certificate ends before its last second
            or self.sid != signer.sid
            or self.authority not in (b"", signer.authority)
            or self.named != signer.named
            # With others beside it, it takes a choice which of them counts.
            or (self.brought and not signer.chain[0] in self.brought <= set(signer.chain))
            or hashlib.new(self.imprint[0], signature).digest() != self.imprint[1]
        ):
            return False
        try:
            signer.key.verify(self.signature, self.signed, ec.ECDSA(self.digest))
        except (InvalidSignature, *UNREADABLE):
            return False
        return True


def _tagged(element: asn1.TLV) -> bytes:
    """Give what an element is and holds. Its length, which DER writes in one way only, says nothing more."""
    return element.tag_bytes + bytes(element.data)


def _element(tag: bytes, content: bytes) -> bytes:
    """Write an element as it was read: DER has one way to write its length."""
    size = len(content)
    if size < 0x80:
        return tag + bytes((size,)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return tag + bytes((0x80 | len(length),)) + length + content


# --- who signs stamps ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _StampSigner:
    """A proved authority: from when until when all of its certificates are valid, and what its stamps must name."""

    start: datetime
    end: datetime
    key: ec.EllipticCurvePublicKey
    sid: bytes
    authority: bytes
    named: bytes
    chain: tuple[bytes, ...]


def _stamps_only(_policy: object, _certificate: x509.Certificate, extension: x509.ExtendedKeyUsage) -> None:
    if list(extension) != [ExtendedKeyUsageOID.TIME_STAMPING]:  # RFC 3161, section 2.3
        raise ValueError("the certificate is not for time stamps alone")


def _signs_only(_policy: object, _certificate: x509.Certificate, extension: x509.KeyUsage | None) -> None:
    if extension is not None and (extension.key_cert_sign or extension.crl_sign or not extension.digital_signature):
        raise ValueError("the certificate is not for signatures alone")


def _allows_stamps(_policy: object, _certificate: x509.Certificate, extension: x509.ExtendedKeyUsage | None) -> None:
    if extension is not None and ExtendedKeyUsageOID.TIME_STAMPING not in extension:
        raise ValueError("a CA of the chain does not allow time stamps")


_ANY = verification.Criticality.AGNOSTIC
_CA_POLICY = AUTHORITY_POLICY.may_be_present(x509.ExtendedKeyUsage, _ANY, _allows_stamps)
_LEAF_POLICY = (
    verification.ExtensionPolicy.permit_all()
    .require_present(x509.ExtendedKeyUsage, verification.Criticality.CRITICAL, _stamps_only)
    .may_be_present(x509.KeyUsage, _ANY, _signs_only)
    .may_be_present(x509.BasicConstraints, _ANY, is_leaf)
)


@functools.lru_cache(maxsize=256)
def _signer(chain: tuple[x509.Certificate, ...]) -> _StampSigner | None:
    """Prove an authority's chain, the stamps' certificate first and the anchor last; None where that cannot be."""
    span = proved_span(chain, ca_policy=_CA_POLICY, leaf_policy=_LEAF_POLICY)
    key = None if span is None else chain[0].public_key()
    if span is None or span.end is None or not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    number = chain[0].serial_number.to_bytes(chain[0].serial_number.bit_length() // 8 + 1, signed=True)
    return _StampSigner(
        start=span.start,
        end=span.end,
        key=key,
        sid=b"\x30" + chain[0].issuer.public_bytes() + _element(b"\x02", number),
        authority=b"\xa4" + chain[0].subject.public_bytes(),
        named=chain[0].fingerprint(hashes.SHA256()),
        chain=tuple(_tagged(asn1.decode_der(asn1.TLV, each.public_bytes(Encoding.DER))) for each in chain),
    )
