"""How does a signer of somebody else's sign, which is registered with securesystemslib?

Applications add their own to `SIGNER_FOR_URI_SCHEME`. Nothing is known of such a device, so its public key must be
pinned: that decides the scheme, and what comes back is checked under it. One thread at a time.
"""

from __future__ import annotations

import threading

from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, Signer

from glasswing_attest.errors import ServiceUnavailable, UsageError
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Told, named
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["Registered", "is_registered", "opened"]


class Registered:
    """A key behind a signer that securesystemslib knows by the URI's scheme."""

    sensitive = ()

    def __init__(self, uri: KeyUri, secrets: Secrets) -> None:
        self.name = f"the signer of {uri.scheme}:"
        self.lock = threading.Lock()
        self._uri = uri.text
        self._secrets = secrets

    def fetch(self) -> PublicKey:
        """Refuse: there is no common way to ask."""
        raise UsageError(where="public_key", found="none", wanted=f"the public key of {self._uri}")

    def use(self, key: PublicKey) -> None:
        """Make ready to sign."""
        self._signer = Signer.from_priv_key_uri(self._uri, named(key), self._secrets.need)

    def sign(self, message: bytes) -> bytes:
        """Sign the message."""
        return bytes.fromhex(self._signer.sign(message).signature)

    def told(self, error: Exception) -> Told | None:
        """Say what is known of any of them."""
        if isinstance(error, UnsupportedLibraryError):
            return ServiceUnavailable, "install what the message names"
        return None


def is_registered(scheme: str) -> bool:
    """Tell whether securesystemslib has a signer for it."""
    return scheme in SIGNER_FOR_URI_SCHEME


def opened(uri: KeyUri, secrets: Secrets) -> Registered:
    """Take the key that the URI names."""
    return Registered(uri, secrets)
