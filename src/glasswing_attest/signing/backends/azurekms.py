"""How does Azure Key Vault, or its Managed HSM, sign?

    azurekms://VAULT.vault.azure.net/keys/NAME[/VERSION]

Credentials are those of `DefaultAzureCredential`: AZURE_CLIENT_ID with its secret or certificate, a managed identity,
the Azure CLI's. Needed is the role Key Vault Crypto User. Without a version the newest is taken, once. Only a digest is
sent.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import AzureSigner

from glasswing_attest.artifact.extras import needed
from glasswing_attest.errors import KeyUnsupported, ServiceRefused, ServiceUnavailable
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Told, key_of_device, named
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["AzureKms", "opened"]

_FORM = "azurekms://VAULT.vault.azure.net/keys/NAME, or with /VERSION"
_KEY = re.compile(r"//(?P<host>[a-z0-9.:-]+)/keys/(?P<name>[0-9A-Za-z-]+)(/(?P<version>[0-9A-Za-z]+))?")
_CURVES: dict[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
# The SDK's own bounds are five minutes for each of eleven attempts.
_BOUNDS = {"connection_timeout": 10, "read_timeout": 30, "retry_total": 3}


class AzureKms:
    """A key of Azure Key Vault. The SDK's clients are shared by threads."""

    name = "Azure Key Vault"
    sensitive = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD")
    lock = nullcontext()

    def __init__(self, host: str, name: str, version: str | None, *, where: str) -> None:
        self._keys: Any = needed("azure.keyvault.keys", "kms")
        self._crypto: Any = needed("azure.keyvault.keys.crypto", "kms")
        self._identity: Any = needed("azure.identity", "kms")
        self._errors: Any = needed("azure.core.exceptions", "kms")
        self._vault, self._name, self._version = f"https://{host}", name, version
        self._where = where

    def fetch(self) -> PublicKey:
        """Ask for the public key, and for the version where none was named."""
        client = self._keys.KeyClient(self._vault, self._identity.DefaultAzureCredential(), **_BOUNDS)
        told = client.get_key(self._name, self._version)
        jwk = told.key
        curve = _CURVES.get(str(getattr(jwk.crv, "value", jwk.crv)))
        if curve is None:
            found = f"{getattr(jwk.kty, 'value', jwk.kty)} {getattr(jwk.crv, 'value', jwk.crv) or ''}".strip()
            raise KeyUnsupported(where=self._where, found=found, wanted="EC or EC-HSM with P-256, P-384 or P-521")
        self._version = told.properties.version
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(jwk.x), int.from_bytes(jwk.y), curve())
        return key_of_device(numbers.public_key(), where=self._where)

    def use(self, key: PublicKey) -> None:
        """Make ready to sign."""
        if not key.schemes[0].startswith("ecdsa"):
            raise KeyUnsupported(where=self._where, found=key.schemes[0], wanted="EC or EC-HSM")
        path = f"{self._vault}/keys/{self._name}/{self._version or ''}".rstrip("/")
        self._signer = AzureSigner(path, named(key))
        credential = self._identity.DefaultAzureCredential()
        self._signer.crypto_client = self._crypto.CryptographyClient(path, credential, **_BOUNDS)

    def sign(self, message: bytes) -> bytes:
        """Send the digest, and give the signature, of which the service gives r and s."""
        return bytes.fromhex(self._signer.sign(message).signature)

    def told(self, error: Any) -> Told | None:
        """Say what an exception of Azure's libraries means."""
        errors = self._errors
        if isinstance(error, errors.HttpResponseError):
            # One who cannot log in has no status.
            is_down = (error.status_code or 0) >= 500 or error.status_code == 429
            return (ServiceUnavailable, "") if is_down else (ServiceRefused, "")
        if isinstance(error, errors.ServiceRequestError | errors.ServiceResponseError):
            return ServiceUnavailable, ""
        return None


def opened(uri: KeyUri, secrets: Secrets) -> AzureKms:
    """Take the key that the URI names."""
    del secrets  # credentials are the SDK's own business
    key = _KEY.fullmatch(uri.path)
    uri.allows(form=_FORM, fits=key is not None)
    found = key.groupdict() if key else {}
    return AzureKms(found["host"], found["name"], found["version"], where=uri.text)
