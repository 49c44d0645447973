"""How does the transit engine of HashiCorp Vault, or of OpenBao, sign?

    hashivault:NAME[?mount=transit&version=N]        also hashivault://NAME

The server is VAULT_ADDR (VAULT_NAMESPACE, VAULT_CACERT); the token is VAULT_TOKEN or the command's own file, otherwise
it is asked for as "token". Needed are `update` on MOUNT/sign/NAME, and `read` on MOUNT/keys/NAME where the public key
is not pinned. A signature is `vault:vN:` and base64. securesystemslib reads only Ed25519 keys there, so this one is
ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import threading
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from glasswing_attest.artifact.extras import needed
from glasswing_attest.errors import KeyUnsupported, ServiceRefused, ServiceUnavailable, SigningError
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Told, key_of_device
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["HashiVault", "opened"]

_FORM = "hashivault:NAME, with ?mount= and ?version= where they are needed"
_PLAIN = re.compile(r"[0-9A-Za-z_.-]+(/[0-9A-Za-z_.-]+)*")
_ANSWER_SECONDS = 30
_SIGNATURE = re.compile(r"vault:v([1-9][0-9]*):([0-9A-Za-z+/=]+)")
_HASHES = {
    "ecdsa-sha2-nistp256": "sha256",
    "ecdsa-sha2-nistp384": "sha384",
    "ecdsa-sha2-nistp521": "sha512",
    "rsa-pkcs1v15-sha256": "sha256",
}


class HashiVault:
    """A key of a transit engine. An HTTP session is used by one thread at a time."""

    name = "Vault"
    sensitive = ("VAULT_TOKEN",)

    def __init__(self, key: str, mount: str, version: int | None, secrets: Secrets, *, where: str) -> None:
        self._hvac: Any = needed("hvac", "vault")
        self._requests: Any = needed("requests.exceptions", "vault")
        self._key, self._mount, self._version = key, mount, version
        self._secrets = secrets
        self._where = where
        self._scheme = ""
        self._connected: Any = None
        self.lock = threading.Lock()

    def fetch(self) -> PublicKey:
        """Ask for the public key of this version, or of the newest."""
        told = self._transit().read_key(self._key, mount_point=self._mount)["data"]
        version = self._version or int(told["latest_version"])
        of_version = told["keys"].get(str(version))
        if of_version is None:
            raise ServiceRefused(where=self._where, because=f"Vault: there is no version {version} of this key")
        text = of_version.get("public_key") if isinstance(of_version, dict) else None
        if not text or not told.get("supports_signing"):
            found = f"{told.get('type')}{', derived anew for each context' if told.get('derived') else ''}"
            raise KeyUnsupported(where=self._where, found=found, wanted="a key of transit that signs")
        self._version = version
        if told.get("type") == "ed25519":
            return key_of_device(
                Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True)), where=self._where
            )
        return key_of_device(text, where=self._where)

    def use(self, key: PublicKey) -> None:
        """Make ready to sign."""
        self._scheme = key.schemes[0]
        self._transit()

    def sign(self, message: bytes) -> bytes:
        """Send the digest, or for Ed25519 the message, and give the signature."""
        hash_name = _HASHES.get(self._scheme)
        sent = hashlib.new(hash_name, message).digest() if hash_name else message
        # Unknown to Ed25519, for which Vault does not look at them.
        how = {"prehashed": True, "hash_algorithm": f"sha2-{hash_name.removeprefix('sha')}"} if hash_name else {}
        told = self._transit().sign_data(
            self._key,
            hash_input=base64.b64encode(sent).decode("ascii"),
            key_version=self._version,
            mount_point=self._mount,
            marshaling_algorithm="asn1",
            signature_algorithm="pkcs1v15",
            **how,
        )
        signature = _SIGNATURE.fullmatch(str(told["data"]["signature"]))
        if signature is None or (self._version is not None and int(signature[1]) != self._version):
            raise SigningError(where=self._where, because="Vault answered with no signature of this version")
        try:
            return base64.b64decode(signature[2], validate=True)
        except binascii.Error as e:
            raise SigningError(where=self._where, because="Vault answered with no signature in base64") from e

    def told(self, error: Exception) -> Told | None:
        """Say what an exception of hvac means."""
        down = ("InternalServerError", "BadGateway", "VaultDown", "VaultNotInitialized", "RateLimitExceeded")
        if type(error).__name__ in down or isinstance(error, self._requests.RequestException):
            return ServiceUnavailable, "look whether VAULT_ADDR is right, and the server up and unsealed"
        if isinstance(error, self._hvac.exceptions.Forbidden | self._hvac.exceptions.Unauthorized):
            return ServiceRefused, "set VAULT_TOKEN to a token that may sign with this key"
        return (ServiceRefused, "") if isinstance(error, self._hvac.exceptions.VaultError) else None

    def _transit(self) -> Any:
        if self._connected is None:
            # A redirect would carry the token to another host.
            client = self._hvac.Client(
                timeout=_ANSWER_SECONDS, namespace=os.environ.get("VAULT_NAMESPACE"), allow_redirects=False
            )
            if not client.token:
                client.token = self._secrets.need("token")
            self._secrets.found(client.token)
            self._connected = client.secrets.transit
        return self._connected


def opened(uri: KeyUri, secrets: Secrets) -> HashiVault:
    """Take the key that the URI names."""
    mount, version = uri.option("mount") or "transit", uri.option("version")
    is_number = version is None or (version.isascii() and version.isdecimal() and int(version) > 0)
    is_plain = all(_PLAIN.fullmatch(each) and ".." not in each for each in (uri.bare, mount)) and "/" not in uri.bare
    uri.allows("mount", "version", form=_FORM, fits=is_number and is_plain)
    return HashiVault(uri.bare, mount, int(version) if version else None, secrets, where=uri.text)
