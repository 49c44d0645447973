"""How is it signed with a key that somebody holds?

The scheme is always named: ECDSA with its curve's hash, Ed25519, or RSA PKCS#1 v1.5 with SHA-256, as Sigstore's
algorithm registry has them. Where the key is, and who computes the signature, is for `backends` to know.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from glasswing_attest._files import write_atomic
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope, EnvelopeSignature, pae
from glasswing_attest.errors import GlasswingError, PassphraseRefused, UsageError, shown
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Device
from glasswing_attest.signing.backends.file import InMemory, read_file, read_pem
from glasswing_attest.signing.backends.secrets import Secrets, SecretsHandler, frameless
from glasswing_attest.signing.pkcs8 import encrypted_pem

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


class KeySigner:
    """Signs with a private key, in memory or at the place that keeps it. Shows only its public key.

    >>> signer = KeySigner.generate()
    >>> signer.public_key.schemes
    ('ecdsa-sha2-nistp256',)
    """

    __slots__ = ("_device",)

    def __init__(self, private_key: Any) -> None:
        self._device = Device(InMemory(private_key), where="", secrets=Secrets(None, where=""))

    def __repr__(self) -> str:
        where = f", {shown(self._device.where)}" if self._device.where else ""
        return f"KeySigner({self.public_key.schemes[0]}, fingerprint={self.public_key.fingerprint[:16]}…{where})"

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
        try:
            return cls(read_pem(pem, passphrase=passphrase, where=where))
        except GlasswingError as e:
            failed = frameless(e)
        del pem, passphrase  # crash reporters print the variables of this frame, too
        raise failed

    @classmethod
    def from_file(cls, path: str | Path, *, passphrase: bytes | str | None = None) -> KeySigner:
        """Read a private key from a PEM file. Raises as `from_pem` does.

        Logs a warning where the key is not encrypted, and others than the file's owner may read it.
        """
        try:
            return cls(read_file(path, passphrase=passphrase))
        except GlasswingError as e:
            failed = frameless(e)
        del passphrase
        raise failed

    @classmethod
    def from_uri(
        cls, uri: str, *, public_key: PublicKey | None = None, secrets: SecretsHandler | None = None
    ) -> KeySigner:
        """Use a private key where it is: in a file, a KMS, an HSM, a TPM. What each URI says stands in ``docs/kms.md``.

        Every signature is checked under the public key before it is returned. Threads may share the signer.

        Args:
            uri: ``file:``, ``awskms:``, ``gcpkms:``, ``azurekms:``, ``hashivault:``, ``hsm:`` or ``tpm:``, or a scheme
                that somebody registered with securesystemslib.
            public_key: the key that it must be. Without one, it is asked for, once.
            secrets: called with "passphrase", "pin", "auth" or "token" when such a secret is needed. Without one, it is
                read from the environment: ``GLASSWING_ATTEST_PIN`` and so on.

        Raises:
            UsageError: the URI names no key that could be used.
            UnavailableError: the extra for this kind is not installed, or the service does not answer.
            KeyUnsupported: the key signs in no scheme that verifiers of attestations know.
            SigningError: the service or device refuses, a secret is missing, or it is another key than the one pinned.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = KeySigner.generate().write(f"{folder}/team.pem")
        ...     signer = KeySigner.from_uri(f"file:{path}")
        >>> signer.public_key.schemes
        ('ecdsa-sha2-nistp256',)
        """
        from glasswing_attest.signing.backends.registry import device_of

        device = device_of(uri, pinned=public_key, secrets=secrets)
        signer = cls.__new__(cls)
        signer._device = device
        return signer

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._device.public_key

    @property
    def verified_by(self) -> PublicKey:
        """The key under which everything that this signer signs verifies."""
        return self._device.public_key

    def write(self, path: str | Path, *, passphrase: bytes | str | None = None) -> Path:
        """Write the private key as PKCS#8 PEM, readable by its owner only; never over an existing file.

        Raises:
            UsageError: something is there already, or the key is on a device, which keeps it.
            PassphraseRefused: an empty passphrase.
        """
        held = self._device.backend
        if not isinstance(held, InMemory):
            raise UsageError(where=self._device.where, because=f"{held.name} keeps the private key")
        secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
        if secret == b"":
            raise PassphraseRefused(where=str(path), found="an empty passphrase", wanted="a passphrase, or None")
        pem: bytes = (
            held.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            if secret is None
            else encrypted_pem(held.private_key, secret)
        )
        try:
            write_atomic(Path(path), pem, mode=0o600, overwrite=False)
        except GlasswingError as e:
            failed = frameless(e)
        else:
            return Path(path)
        del pem, secret, passphrase  # crash reporters print the variables of this frame, too
        if not isinstance(failed.__cause__, FileExistsError):
            raise failed
        raise UsageError(
            where=str(path),
            because="something is there already, and keys are never overwritten",
            do="choose another name, or move what is there out of the way",
        ) from failed

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        """Sign the payload verbatim and give a Sigstore bundle v0.3."""
        signature = EnvelopeSignature(sig=self._device.sign(pae(payload_type, payload)))
        envelope = Envelope(payload=payload, payload_type=payload_type, signatures=(signature,))
        return Bundle.of_key(envelope, self.public_key.hint)
