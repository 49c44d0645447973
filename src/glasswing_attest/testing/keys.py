"""With which keys do the virtual services sign, and under which names does Sigstore know such keys?

Names and hashes are those of Sigstore's algorithm registry (sigstore/architecture-docs, algorithm-registry.md).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from glasswing_attest.errors import UsageError

__all__ = [
    "KEYS",
    "PrivateKey",
    "PublicKeyOf",
    "certificate_hash",
    "details_of",
    "encoded",
    "generate",
    "hash_name",
    "sign",
    "spki",
]

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKeyOf: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

KEYS: Mapping[str, Callable[[], PrivateKey]] = MappingProxyType(
    {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }
)
"""What `generate` can make, by name."""

_CURVES: Mapping[str, tuple[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = MappingProxyType(
    {
        "secp256r1": ("PKIX_ECDSA_P256_SHA_256", hashes.SHA256()),
        "secp384r1": ("PKIX_ECDSA_P384_SHA_384", hashes.SHA384()),
        "secp521r1": ("PKIX_ECDSA_P521_SHA_512", hashes.SHA512()),
    }
)


def generate(kind: str) -> PrivateKey:
    """Make a key. Raises `UsageError` for a kind that is not in `KEYS`."""
    if kind not in KEYS:
        raise UsageError(where="key", found=kind, wanted=f"one of {', '.join(KEYS)}")
    return KEYS[kind]()


def certificate_hash(key: PrivateKey | PublicKeyOf) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """The hash that goes with a key; None for Ed25519, which takes the message itself."""
    if isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return _CURVES[key.curve.name][1]
    return hashes.SHA256()


def hash_name(key: PrivateKey | PublicKeyOf) -> str:
    """The name of the hash of what a log records for such a key."""
    digest = certificate_hash(key)
    return "sha512" if digest is None else digest.name


def sign(key: PrivateKey, message: bytes) -> bytes:
    """Sign: ECDSA with its curve's hash in DER, RSA PKCS#1 v1.5 with SHA-256, or Ed25519."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(_CURVES[key.curve.name][1]))
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def spki(key: PublicKeyOf) -> bytes:
    """The SubjectPublicKeyInfo in DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def details_of(key: PublicKeyOf) -> str:
    """The name of the key's kind in trusted roots and log entries (sigstore_common.proto, PublicKeyDetails)."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "PKIX_ED25519"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES[key.curve.name][0]
    return f"PKIX_RSA_PKCS1V15_{key.key_size}_SHA256"


def encoded(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")
