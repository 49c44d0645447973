"""How is it signed with a key that somebody holds?

The signature itself is securesystemslib's. Keys are read here, because its loader ignores passphrases, and the scheme
is always
named: ECDSA with its curve's hash, Ed25519, or RSA PKCS#1 v1.5 with SHA-256, as Sigstore's algorithm registry has them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, SSlibKey
from securesystemslib.signer import Signer as Backend

from glasswing_attest._files import read_bounded, write_atomic
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope, EnvelopeSignature, pae
from glasswing_attest.errors import KeyUnreadable, KeyUnsupported, PassphraseRefused, SigningError, UsageError
from glasswing_attest.keys import PublicKey, schemes_of
from glasswing_attest.limits import DEFAULT

__all__ = ["ALGORITHMS", "KeySigner"]

_MAKE: dict[str, Any] = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa-3072": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
    "rsa-4096": lambda: rsa.generate_private_key(public_exponent=65537, key_size=4096),
}

ALGORITHMS = tuple(_MAKE)
"""What `KeySigner.generate` can make."""


_HAND_OVER = (
    "KeySigner.from_file(path, passphrase=…) takes it, and so does the command: "
    "--passphrase-env, --passphrase-file or --ask-passphrase"
)
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_OTHERS = ("ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY")
"""Cosign's own encryption, which is not read here with any passphrase."""


def _label(pem: bytes) -> str:
    """Give what the bytes call themselves, of which nothing is secret."""
    found = _LABEL.search(pem)
    return found[1].decode("ascii") if found else "no PEM"


class KeySigner:
    """Signs with a private key held in memory. Shows only its public key.

    >>> signer = KeySigner.generate()
    >>> signer.public_key.schemes
    ('ecdsa-sha2-nistp256',)
    """

    __slots__ = ("_backend", "_private", "_public")

    def __init__(self, private_key: Any) -> None:
        scheme = schemes_of(private_key.public_key())[0]
        if scheme.startswith("ml-dsa"):
            # The backend puts a prefix of its own before the message, so that nobody else would verify it.
            raise KeyUnsupported(
                found=scheme,
                wanted="a key that signs here",
                do="sign with ECDSA P-256, P-384 or P-521, Ed25519 or RSA; ML-DSA is only verified",
            )
        self._private = private_key
        self._public = PublicKey.of(private_key.public_key(), scheme=scheme)
        declared = SSlibKey.from_crypto(private_key.public_key(), scheme=scheme)
        self._backend: Backend = CryptoSigner(private_key, declared)

    def __repr__(self) -> str:
        return f"KeySigner({self._public.schemes[0]}, fingerprint={self._public.fingerprint[:16]}…)"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a signer holds a private key and is not pickled")

    @classmethod
    def generate(cls, algorithm: str = "ecdsa-p256") -> KeySigner:
        """Make a new key. Raises `UsageError` for an algorithm that is not in `ALGORITHMS`."""
        if algorithm not in _MAKE:
            raise UsageError(where="algorithm", found=algorithm, wanted=f"one of {', '.join(ALGORITHMS)}")
        return cls(_MAKE[algorithm]())

    @classmethod
    def from_pem(cls, pem: bytes, *, passphrase: bytes | str | None = None, where: str = "key") -> KeySigner:
        """Read a private key in PEM, PKCS#8 or traditional.

        Raises:
            PassphraseRefused: missing, wrong, or given for a key that has none.
            KeyUnreadable: not a private key.
            KeyUnsupported: a kind, curve or size that is not used here.
            UsageError: what is neither PEM nor a passphrase.
        """
        secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
        for name, value in (("pem", pem), ("passphrase", secret)):
            if not isinstance(value, bytes) and (name, value) != ("passphrase", None):
                raise UsageError(where=name, found=type(value).__name__, wanted="bytes")
        try:
            key = load_pem_private_key(pem, password=secret)
        except TypeError as e:  # cryptography says so when a passphrase is missing, or given in vain
            if not secret:  # an empty one counts as none there
                because = "the key is encrypted"
                raise PassphraseRefused(where=where, because=because, wanted="a passphrase", do=_HAND_OVER) from e
            raise PassphraseRefused(where=where, because="the key is not encrypted", wanted="no passphrase") from e
        except (ValueError, UnsupportedAlgorithm) as e:
            label = _label(pem)
            if secret is not None and label not in _OTHERS and b"ENCRYPTED" in pem:
                raise PassphraseRefused(where=where, because="the key does not decrypt with it") from e
            raise KeyUnreadable(where=where, found=label, wanted="a private key in PEM, PKCS#8 or traditional") from e
        return cls(key)

    @classmethod
    def from_file(cls, path: str | Path, *, passphrase: bytes | str | None = None) -> KeySigner:
        """Read a private key from a PEM file. Raises as `from_pem` does."""
        pem = read_bounded(Path(path), "policy_bytes", DEFAULT, error=KeyUnreadable)
        return cls.from_pem(pem, passphrase=passphrase, where=str(path))

    @property
    def public_key(self) -> PublicKey:
        """The key under which everything that this signer signs verifies."""
        return self._public

    def write(self, path: str | Path, *, passphrase: bytes | str | None = None) -> Path:
        """Write the private key as PKCS#8 PEM, readable by its owner only; never over an existing file.

        Raises:
            UsageError: something is there already.
            PassphraseRefused: an empty passphrase.
        """
        secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
        if secret == b"":
            raise PassphraseRefused(where=str(path), found="an empty passphrase", wanted="a passphrase, or None")
        protection: KeySerializationEncryption = NoEncryption() if secret is None else BestAvailableEncryption(secret)
        pem: bytes = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
        try:
            write_atomic(Path(path), pem, mode=0o600, overwrite=False)
        except UsageError as e:
            if not isinstance(e.__cause__, FileExistsError):
                raise
            raise UsageError(
                where=str(path),
                because="something is there already, and keys are never overwritten",
                do="choose another name, or move what is there out of the way",
            ) from e
        return Path(path)

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        """Sign the payload verbatim and give a Sigstore bundle v0.3."""
        try:
            made = self._backend.sign(pae(payload_type, payload))
        except Exception as e:  # the backend may be a device or a service: whatever it raises is one thing here
            raise SigningError(because=f"{type(e).__name__}: {e}") from e
        signature = EnvelopeSignature(sig=bytes.fromhex(made.signature))
        envelope = Envelope(payload=payload, payload_type=payload_type, signatures=(signature,))
        return Bundle.of_key(envelope, self._public.hint)
