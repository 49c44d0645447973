"""How is a private key written that a passphrase protects?

PKCS#8 (RFC 5958, section 3) with PBES2 (RFC 8018, section 6.2) of PBKDF2-HMAC-SHA-256 and AES-256-CBC, which OpenSSL
and every other reader knows. Written here for the number of iterations: what our library writes by itself has 2048, and
a passphrase is only as strong as what it costs to try one::

    EncryptedPrivateKeyInfo ::= SEQUENCE {
        SEQUENCE { id-PBES2, SEQUENCE {
            SEQUENCE { id-PBKDF2, SEQUENCE {
                salt OCTET STRING, iterations INTEGER, SEQUENCE { hmacWithSHA256, NULL } } },
            SEQUENCE { aes256-CBC-PAD, iv OCTET STRING } } },
        encryptedData OCTET STRING }
"""

from __future__ import annotations

import base64
import hashlib
import os
import textwrap
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

__all__ = ["ITERATIONS", "encrypted_pem"]

ITERATIONS = 600_000
"""What OWASP's Password Storage Cheat Sheet asks of PBKDF2-HMAC-SHA-256: about a quarter of a second."""

_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("06082a864886f70d02090500")  # and its parameters, NULL
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
_SEQUENCE, _OCTETS, _INTEGER = 0x30, 0x04, 0x02


def encrypted_pem(key: Any, passphrase: bytes) -> bytes:
    """Give a private key of `cryptography`, encrypted, as PEM."""
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    salt, iv = os.urandom(16), os.urandom(16)
    secret = hashlib.pbkdf2_hmac("sha256", passphrase, salt, ITERATIONS, 32)
    padder, encryptor = PKCS7(128).padder(), Cipher(AES(secret), CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    rounds = _der(_INTEGER, ITERATIONS.to_bytes(4).lstrip(b"\0"))
    derived = _der(_SEQUENCE, _PBKDF2 + _der(_SEQUENCE, _der(_OCTETS, salt) + rounds + _der(_SEQUENCE, _HMAC_SHA256)))
    cipher = _der(_SEQUENCE, _AES_256_CBC + _der(_OCTETS, iv))
    scheme = _der(_SEQUENCE, _PBES2 + _der(_SEQUENCE, derived + cipher))
    body = base64.b64encode(_der(_SEQUENCE, scheme + _der(_OCTETS, sealed))).decode("ascii")
    lines = "\n".join(textwrap.wrap(body, 64))
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{lines}\n-----END ENCRYPTED PRIVATE KEY-----\n".encode("ascii")


def _der(tag: int, content: bytes) -> bytes:
    """Give one value of DER (X.690, section 8.1)."""
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
