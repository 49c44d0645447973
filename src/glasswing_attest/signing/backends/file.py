"""How is a private key in this process's own memory used, and how is it read from a file?

    file:PATH        file:trainer.pem, file:/run/secrets/trainer.pem, file:///run/secrets/trainer.pem

PEM (RFC 7468) of PKCS#8 or of the traditional forms. Keys are read here, because securesystemslib's loader ignores
passphrases; the signature itself is securesystemslib's.
"""

from __future__ import annotations

import logging
import re
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

from glasswing_attest._files import read_bounded
from glasswing_attest.errors import KeyUnreadable, PassphraseRefused, SigningError, UsageError, shown
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT
from glasswing_attest.signing.backends.device import Told, key_of_device, named
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["InMemory", "opened", "read_file", "read_pem"]

_LOGGER = logging.getLogger(__name__)

_HAND_OVER = (
    "KeySigner.from_file(path, passphrase=…) takes it, and so does the command: "
    "--passphrase-env, --passphrase-file or --ask-passphrase"
)
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_OTHERS = ("ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY")
"""Cosign's own encryption, which is not read here with any passphrase."""


class InMemory:
    """A private key in this process's memory."""

    name = "the key in memory"
    sensitive: tuple[str, ...] = ()
    lock: AbstractContextManager[Any] = nullcontext()  # a key object of `cryptography` is shared by threads

    def __init__(self, private_key: Any, *, where: str = "") -> None:
        self.private_key = private_key
        self._where = where
        self._key = key_of_device(private_key.public_key(), where=where)

    def __repr__(self) -> str:
        return f"InMemory({self._key!r})"

    def fetch(self) -> PublicKey:
        """Give the public half."""
        return self._key

    def use(self, key: PublicKey) -> None:
        """Refuse to be another key than it is."""
        if key != self._key:
            found, wanted = (f"key {each.fingerprint[:16]}" for each in (self._key, key))
            raise SigningError(
                where=self._where, because="it is not the key that was pinned", found=found, wanted=wanted
            )
        self._signer = CryptoSigner(self.private_key, named(key))

    def sign(self, message: bytes) -> bytes:
        """Sign with it."""
        return bytes.fromhex(self._signer.sign(message).signature)

    def told(self, error: Exception) -> Told | None:
        """Say nothing: there is no service that fails."""
        del error
        return None


def opened(uri: KeyUri, secrets: Secrets) -> InMemory:
    """Read the file that the URI names, and ask for its passphrase where it is encrypted."""
    path = "/" + uri.bare if uri.path.startswith("//") else uri.path
    host = uri.path.startswith("//") and not uri.path.startswith("///")
    uri.allows(form="file:PATH", fits=bool(uri.bare) and not host)
    return InMemory(_read(path, lambda: secrets.ask("passphrase") or None, where=uri.text), where=uri.text)


def read_file(path: str | Path, *, passphrase: bytes | str | None) -> Any:
    """Read a private key from a PEM file. Raises as `read_pem` does, and warns of one that others may read."""
    return _read(path, lambda: passphrase, where=str(path), always=True)


def read_pem(pem: bytes, *, passphrase: bytes | str | None, where: str) -> Any:
    """Read a private key in PEM.

    Raises:
        PassphraseRefused: missing, wrong, or given for a key that has none.
        KeyUnreadable: not a private key.
        UsageError: what is neither PEM nor a passphrase.
    """
    secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
    for name, value in (("pem", pem), ("passphrase", secret)):
        if not isinstance(value, bytes) and (name, value) != ("passphrase", None):
            raise UsageError(where=name, found=type(value).__name__, wanted="bytes")
    try:
        return load_pem_private_key(pem, password=secret)
    except TypeError as e:  # cryptography says so when a passphrase is missing, or given in vain
        if not secret:  # an empty one counts as none there
            because = "the key is encrypted"
            raise PassphraseRefused(where=where, because=because, wanted="a passphrase", do=_HAND_OVER) from e
        raise PassphraseRefused(where=where, because="the key is not encrypted", wanted="no passphrase") from e
    except (ValueError, UnsupportedAlgorithm, InternalError) as e:  # the last for an X448 key of another length
        label = _label(pem)
        if secret is not None and label not in _OTHERS and b"ENCRYPTED" in pem:
            raise PassphraseRefused(where=where, because="the key does not decrypt with it") from e
        raise KeyUnreadable(where=where, found=label, wanted="a private key in PEM, PKCS#8 or traditional") from e


def _read(path: str | Path, passphrase: Callable[[], bytes | str | None], *, where: str, always: bool = False) -> Any:
    """Read a key's file. Its passphrase is asked for where it is encrypted, or `always`."""
    pem = read_bounded(Path(path), "policy_bytes", DEFAULT, error=KeyUnreadable)
    is_encrypted = b"ENCRYPTED" in pem
    key = read_pem(pem, passphrase=passphrase() if is_encrypted or always else None, where=where)
    if not is_encrypted and Path(path).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        _LOGGER.warning("%s: this private key is not encrypted, and others may read it: chmod 600", shown(str(path)))
    return key


def _label(pem: bytes) -> str:
    """Give what the bytes call themselves, of which nothing is secret."""
    found = _LABEL.search(pem)
    return found[1].decode("ascii") if found else "no PEM"
