"""Which backend stands for which kind of URI?"""

from __future__ import annotations

from collections.abc import Callable

from glasswing_attest.errors import UsageError
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends import (
    awskms,
    azurekms,
    file,
    gcpkms,
    gnupg,
    hashivault,
    hsm,
    registered,
    tpm,
)
from glasswing_attest.signing.backends.device import Backend, Device
from glasswing_attest.signing.backends.secrets import Secrets, SecretsHandler, quietly
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["KINDS", "device_of"]

KINDS: dict[str, Callable[[KeyUri, Secrets], Backend]] = {
    "file": file.opened,
    "awskms": awskms.opened,
    "gcpkms": gcpkms.opened,
    "azurekms": azurekms.opened,
    "hashivault": hashivault.opened,
    "hsm": hsm.opened,
    "tpm": tpm.opened,
    "gnupg": gnupg.opened,
}
"""What opens each kind. A library that only one kind needs is imported when such a key is opened."""


def device_of(uri: str, *, pinned: PublicKey | None, secrets: SecretsHandler | None) -> Device:
    """Find the private key that a URI names, and its public key. Raises as `KeySigner.from_uri` does."""
    if pinned is not None and not isinstance(pinned, PublicKey):
        raise UsageError(where="public_key", found=type(pinned).__name__, wanted="a PublicKey, or none to ask for it")
    if secrets is not None and not callable(secrets):
        raise UsageError(where="secrets", found=type(secrets).__name__, wanted="a function from a secret's name to it")
    asked = KeyUri.parse(uri)
    opened = KINDS.get(asked.scheme, registered.opened)
    if opened is registered.opened and not registered.is_registered(asked.scheme):
        raise UsageError(where="uri", found=f"{asked.scheme}:", wanted=", ".join(f"{kind}:" for kind in KINDS))
    known = Secrets(secrets, where=asked.text)
    return quietly(lambda: Device(opened(asked, known), where=asked.text, secrets=known, pinned=pinned))
