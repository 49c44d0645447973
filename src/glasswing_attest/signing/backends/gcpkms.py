"""How does Google Cloud KMS sign?

    gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V

Credentials are Google's Application Default Credentials: GOOGLE_APPLICATION_CREDENTIALS, or the machine's. Needed are
the roles cloudkms.signer, and cloudkms.publicKeyViewer where the public key is not pinned. A version has one algorithm,
fixed when it is made. Only a digest is sent.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

from securesystemslib.exceptions import UnsupportedAlgorithmError
from securesystemslib.signer import GCPSigner

from glasswing_attest.artifact.extras import needed
from glasswing_attest.errors import KeyUnsupported, ServiceRefused, ServiceUnavailable, SigningError
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Told, key_of_device, named
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["GcpKms", "opened"]

_FORM = "gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V"
_NAME = re.compile(
    r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/(?P<versions>cryptoKeyVersions|versions)/[0-9]+"
)
_WANTED = "EC_SIGN_P256_SHA256, EC_SIGN_P384_SHA384 or RSA_SIGN_PKCS1_*_SHA256"


class GcpKms:
    """A key version of Google Cloud KMS. A client over gRPC is shared by threads."""

    name = "Google Cloud KMS"
    sensitive = ()
    lock = nullcontext()

    def __init__(self, version: str, *, where: str) -> None:
        needed("google.cloud.kms", "kms")
        self._google: Any = needed("google.api_core.exceptions", "kms")
        self._auth: Any = needed("google.auth.exceptions", "kms")
        self._version = version
        self._where = where

    def fetch(self) -> PublicKey:
        """Ask for the public key, and for the one algorithm of this version."""
        try:
            _, told = GCPSigner.import_(self._version)
        except UnsupportedAlgorithmError as e:
            raise self._unsupported(str(e)) from e
        if told.scheme.startswith("ml-dsa"):
            raise self._unsupported(told.scheme)
        key = key_of_device(told.keyval["public"], where=self._where)
        if key.schemes[0] != told.scheme:
            raise self._unsupported(told.scheme)
        return key

    def use(self, key: PublicKey) -> None:
        """Make ready to sign."""
        try:
            self._signer = GCPSigner(self._version, named(key))
        except UnsupportedAlgorithmError as e:
            raise self._unsupported(key.schemes[0]) from e

    def sign(self, message: bytes) -> bytes:
        """Send the digest, and give the signature."""
        return bytes.fromhex(self._signer.sign(message).signature)

    def told(self, error: Exception) -> Told | None:
        """Say what an exception of Google's libraries means."""
        google, auth = self._google, self._auth
        if isinstance(error, auth.DefaultCredentialsError):
            return SigningError, "set GOOGLE_APPLICATION_CREDENTIALS, or run where the machine has a service account"
        if isinstance(error, google.ServerError | google.RetryError | google.TooManyRequests | auth.TransportError):
            return ServiceUnavailable, ""
        if isinstance(error, google.ClientError | auth.RefreshError):
            return ServiceRefused, ""
        return None

    def _unsupported(self, found: str) -> KeyUnsupported:
        do = "make a version with one of these algorithms"
        return KeyUnsupported(where=self._where, found=found, wanted=_WANTED, do=do)


def opened(uri: KeyUri, secrets: Secrets) -> GcpKms:
    """Take the key version that the URI names."""
    del secrets  # credentials are the SDK's own business
    name = _NAME.fullmatch(uri.bare)
    uri.allows(form=_FORM, fits=name is not None)
    return GcpKms(uri.bare.replace("/versions/", "/cryptoKeyVersions/"), where=uri.text)
