"""How does a token sign that speaks PKCS#11: an HSM, a smart card, a YubiKey?

    hsm:[ID][?label=TOKEN]        ID is the key's CKA_ID as a number, by default 2 (PIV slot 9c)

The token's library is PYKCS11LIB. The PIN is asked for as "pin". Only ECDSA with P-256 and P-384; the private key never
leaves the token, and only a digest goes there.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from securesystemslib.signer import HSMSigner

from glasswing_attest.artifact.extras import needed
from glasswing_attest.errors import KeyUnsupported, ServiceRefused, ServiceUnavailable, UsageError
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Told, key_of_device, named
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["Hsm", "opened"]

_SCHEMES = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384")
_GONE = (
    "PKCS11Error",
    "TokenNotPresent",
    "TokenNotRecognised",
    "DeviceRemoved",
    "DeviceError",
    "DeviceMemory",
    "HostMemory",
)
_NUMBER = "name an ECDSA key by its CKA_ID as a decimal number: other tools show it in hexadecimal"
_LOCKS = "look at the token before you try again: it locks itself after a few wrong PINs"

# A process logs in to a token as one: whoever logs out does it for every thread.
_LOGGED_IN = threading.Lock()


class Hsm:
    """A key on a PKCS#11 token. One thread at a time, whichever signers they have."""

    name = "the PKCS#11 token"
    sensitive = ()
    lock = _LOGGED_IN

    def __init__(self, key_id: int, label: str | None, secrets: Secrets, *, where: str) -> None:
        self._pkcs11: Any = needed("pkcs11", "hsm")
        if not os.environ.get("PYKCS11LIB"):
            do = "set PYKCS11LIB to the path of the token's PKCS#11 library"
            raise UsageError(where=where, because="no PKCS#11 library is named", do=do)
        self._id, self._label = key_id, label
        self._secrets = secrets
        self._where = where

    def fetch(self) -> PublicKey:
        """Read the public key, with the PIN only where the token hides it."""
        try:
            _, told = HSMSigner.import_(self._id, self._label, self._secrets.need)
        except ValueError as e:
            curve, is_curve, _ = str(e).partition(" is not a supported EC curve")
            if is_curve:
                raise KeyUnsupported(where=self._where, found=curve, wanted=" or ".join(_SCHEMES)) from e
            raise
        return key_of_device(told.keyval["public"], where=self._where)

    def use(self, key: PublicKey) -> None:
        """Make ready to sign."""
        if key.schemes[0] not in _SCHEMES:
            raise KeyUnsupported(where=self._where, found=key.schemes[0], wanted=" or ".join(_SCHEMES))
        self._signer = HSMSigner(self._id, named(key), self._secrets.need, self._label)

    def sign(self, message: bytes) -> bytes:
        """Log in, have the digest signed, log out."""
        return bytes.fromhex(self._signer.sign(message).signature)

    def told(self, error: Exception) -> Told | None:
        """Say what an exception of python-pkcs11, or of securesystemslib in its place, means."""
        name = type(error).__name__
        # The root itself is raised for a library that cannot be loaded; a ValueError for no such token, no such key,
        # or several.
        if name in _GONE or str(error).startswith("No PKCS#11 token"):
            return ServiceUnavailable, "look whether PYKCS11LIB is right, and the token plugged in"
        if str(error).startswith("could not find"):
            return ServiceRefused, _NUMBER
        if isinstance(error, ValueError | self._pkcs11.PKCS11Error):
            return ServiceRefused, _LOCKS if name.startswith("Pin") else ""
        return None


def opened(uri: KeyUri, secrets: Secrets) -> Hsm:
    """Take the key that the URI names."""
    digits = uri.path or str(HSMSigner.SCHEME_KEYID)
    is_id = digits.isascii() and digits.isdecimal() and len(digits) < 20
    uri.allows("label", form="hsm:ID?label=TOKEN, where ID is a number", fits=is_id)
    return Hsm(int(digits), uri.option("label"), secrets, where=uri.text)
