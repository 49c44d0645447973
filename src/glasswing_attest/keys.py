"""WITH WHICH KEY? Public keys, and the signature schemes that each kind may use.

The schemes are those of the Sigstore algorithm registry (sigstore/architecture-docs, algorithm-registry.md): the curve
or key kind fixes the hash, nothing is guessed from the signature. Names are securesystemslib's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from glasswing_attest.errors import KeyUnsupported, Kind, NotPem, SignatureInvalid, TrustRefused, UsageError

__all__ = ["SCHEMES", "PublicKey", "schemes_of"]

_CURVES: dict[str, tuple[str, hashes.HashAlgorithm, int]] = {
    "secp256r1": ("ecdsa-sha2-nistp256", hashes.SHA256(), 32),
    "secp384r1": ("ecdsa-sha2-nistp384", hashes.SHA384(), 48),
    "secp521r1": ("ecdsa-sha2-nistp521", hashes.SHA512(), 66),
}
_RSA = {
    "rsa-pkcs1v15-sha256": (padding.PKCS1v15(), hashes.SHA256()),
    "rsassa-pss-sha256": (padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), hashes.SHA256()),
}
_ED25519 = "ed25519"
_LEGACY = "ecdsa-sha2-256"
# Over the message, and over its digest.
_ECDSA = {
    name: (ec.ECDSA(digest), ec.ECDSA(Prehashed(digest)))
    for name, digest in (*((name, digest) for name, digest, _ in _CURVES.values()), (_LEGACY, hashes.SHA256()))
}
# Pure ML-DSA over the message (FIPS 204, section 5.2, with an empty context), as Sigstore's registry has it.
_MLDSA: tuple[tuple[type, str], ...] = (
    (mldsa.MLDSA44PublicKey, "ml-dsa-44"),
    (mldsa.MLDSA65PublicKey, "ml-dsa-65"),
    (mldsa.MLDSA87PublicKey, "ml-dsa-87"),
)
_HASH_OF = {
    **{name: digest.name for name, digest, _ in _CURVES.values()},
    **{name: digest.name for name, (_, digest) in _RSA.items()},
    _LEGACY: "sha256",
}
_RSA_BITS = range(2048, 8193)

SCHEMES = (*(name for name, _, _ in _CURVES.values()), _ED25519, *_RSA, *(name for _, name in _MLDSA))
"""Every signature scheme that is verified, by its securesystemslib name."""


def schemes_of(key: object) -> tuple[str, ...]:
    """Give the schemes that a key may use, the preferred one first. Raises `KeyUnsupported`."""
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return (_CURVES[key.curve.name][0],)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return (_ED25519,)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_BITS:
        return tuple(_RSA)
    for kind, name in _MLDSA:
        if isinstance(key, kind):
            return (name,)
    found = type(key).__name__.removeprefix("_").removesuffix("PublicKey")
    if isinstance(key, ec.EllipticCurvePublicKey):
        found = f"elliptic curve {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        found = f"RSA of {key.key_size} bits"
    raise KeyUnsupported(found=found)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: its SubjectPublicKeyInfo in DER, and the schemes that it may be used with.

    Equal keys are equal values, whatever they are called. `fingerprint` is the SHA-256 of the DER, in hex.
    """

    der: bytes
    schemes: tuple[str, ...]
    _key: Any = field(compare=False, repr=False)

    def __repr__(self) -> str:
        return f"PublicKey({' or '.join(self.schemes)}, fingerprint={self.fingerprint[:16]}…)"

    @classmethod
    def of(cls, key: Any, *, scheme: str | None = None, legacy: bool = False) -> PublicKey:
        """Wrap a `cryptography` public key. `scheme` narrows what the key may be used for.

        `legacy` adds SHA-256 for P-384 and P-521: what clients signed with certificates before the registry fixed the
        hash.

        Raises:
            KeyUnsupported: for a kind, curve or size that is not used here.
            TrustRefused: for a scheme that the key cannot have.
        """
        schemes = schemes_of(key)
        if scheme is not None and scheme not in schemes:
            raise TrustRefused(where="scheme", found=scheme, wanted=" or ".join(schemes))
        if legacy and scheme is None and isinstance(key, ec.EllipticCurvePublicKey):
            schemes = (*schemes, _LEGACY)
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(der, schemes if scheme is None else (scheme,), key)

    @classmethod
    def from_pem(
        cls, pem: bytes | str, *, scheme: str | None = None, where: str = "", kind: Kind = "trust"
    ) -> PublicKey:
        """Read one key in PEM (RFC 7468), or a DER SubjectPublicKeyInfo. Raises `NotPem` or `KeyUnsupported`."""
        if not isinstance(pem, bytes | str):
            raise UsageError(
                where=where or "key", found=type(pem).__name__, wanted="PEM text, or the bytes of PEM or DER"
            )
        data = pem.encode("utf-8", "backslashreplace") if isinstance(pem, str) else pem
        # A reader would take the first of several and say nothing of the others.
        if (blocks := data.count(b"-----BEGIN ")) > 1:
            raise NotPem(kind=kind, where=where, found=f"{blocks} PEM blocks", wanted="one key under each name")
        try:
            load: Callable[[bytes], Any] = load_pem_public_key if b"-----BEGIN" in data else load_der_public_key
            key = load(data)
        except (ValueError, UnsupportedAlgorithm) as e:
            raise NotPem(kind=kind, where=where, because=str(e).splitlines()[0] if str(e) else "") from e
        return cls.of(key, scheme=scheme)

    @property
    def pem(self) -> str:
        """The key as PEM text."""
        text: bytes = self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return text.decode("ascii")

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the DER, in hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def hint(self) -> str:
        """What a Sigstore bundle's ``publicKey.hint`` says: the same SHA-256, in base64, as cosign writes it."""
        return base64.b64encode(hashlib.sha256(self.der).digest()).decode("ascii")

    @property
    def oms_hint(self) -> str:
        """What the hint of an OMS bundle says: the SHA-256 of the PEM text with its last line end, in hex."""
        return hashlib.sha256(self.pem.encode("ascii")).hexdigest()

    @property
    def hints(self) -> frozenset[str]:
        """Every way in which bundles and envelopes in the field name this key. Hints only: they never decide."""
        return _hints_of(self)

    def check(self, signature: bytes, message: bytes, *, hashed: dict[str, bytes] | None = None) -> str:
        """Give the scheme under which `signature` is this key's over `message`; raise `SignatureInvalid` otherwise.

        ECDSA signatures may be DER (RFC 3279) or, as in DSSE's own example, raw ``r || s`` of the curve's exact length.
        `hashed` remembers the message's hashes, for whoever tries many keys on one message.
        """
        for scheme in self.schemes:
            try:
                name = _HASH_OF.get(scheme)
                if hashed is None or name is None:
                    self._check(scheme, signature, message)
                else:
                    if name not in hashed:
                        hashed[name] = hashlib.new(name, message).digest()
                    self._check(scheme, signature, hashed[name], prehashed=True)
            except (InvalidSignature, ValueError):
                continue
            return scheme
        raise SignatureInvalid(wanted=f"a signature by key {self.fingerprint[:16]}")

    def check_digest(self, signature: bytes, digest: tuple[str, bytes], message: bytes | None = None) -> str:
        """Give the scheme under which `signature` is this key's over what has this `digest` (algorithm and bytes).

        A scheme that signs the message itself (Ed25519), or hashes it otherwise, needs the `message`.

        Raises:
            SignatureInvalid: it is not.
            KeyUnsupported: the scheme needs the message, and there is none.
        """
        usable = [s for s in self.schemes if _HASH_OF.get(s) == digest[0] or message is not None]
        if not usable:
            found = f"{' or '.join(self.schemes)} over a {digest[0]} digest"
            raise KeyUnsupported(where="key", found=found, wanted="the artifact itself", do="hand over the artifact")
        for scheme in usable:
            hash_name = _HASH_OF.get(scheme)
            try:
                if hash_name != digest[0] and message is not None:
                    self._check(scheme, signature, message)
                else:
                    self._check(scheme, signature, digest[1], prehashed=True)
            except (InvalidSignature, ValueError):
                continue
            return scheme
        raise SignatureInvalid(wanted=f"a signature by key {self.fingerprint[:16]}")

    def _check(self, scheme: str, signature: bytes, message: bytes, *, prehashed: bool = False) -> None:
        if scheme == _ED25519 or scheme.startswith("ml-dsa"):
            self._key.verify(signature, message)
        elif scheme in _RSA:
            pad, sha256 = _RSA[scheme]
            self._key.verify(signature, message, pad, Prehashed(sha256) if prehashed else sha256)
        else:
            _, _, size = _CURVES[self._key.curve.name]
            self._key.verify(_as_der(signature, size), message, _ECDSA[scheme][prehashed])


@lru_cache(maxsize=4096)
def _hints_of(key: PublicKey) -> frozenset[str]:
    return frozenset({key.hint, key.fingerprint, key.oms_hint})


def _as_der(signature: bytes, size: int) -> bytes:
    try:
        decode_dss_signature(signature)
    except ValueError:
        if len(signature) != 2 * size:
            raise
        return encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
    return signature
