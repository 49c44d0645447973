"""How does AWS KMS sign?

    awskms:KEY        an id, an ARN, alias/NAME or the ARN of an alias

boto3 finds region and credentials as always: environment, profile, role of the machine. Signing needs the permission
kms:Sign, and kms:GetPublicKey where the public key is not pinned. Only a digest is sent.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any

from securesystemslib.signer import AWSSigner

from glasswing_attest.artifact.extras import needed
from glasswing_attest.errors import KeyUnsupported, ServiceRefused, ServiceUnavailable, SigningError
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Told, key_of_device, named
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["AwsKms", "opened"]

_FORM = "awskms:KEY-ID, awskms:alias/NAME or awskms:ARN; another endpoint is named by AWS_ENDPOINT_URL_KMS"
_CONNECT_SECONDS, _ANSWER_SECONDS = 10, 30
_BUSY = frozenset({"ThrottlingException", "DependencyTimeoutException", "KMSInternalException", "RequestLimitExceeded"})

# boto3's default session is made on first use, and not for several threads at once.
_MAKING = threading.Lock()


class AwsKms:
    """A key of AWS KMS. A client of boto3 is shared by threads."""

    name = "AWS KMS"
    sensitive = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    lock = nullcontext()

    def __init__(self, key_id: str, *, where: str) -> None:
        self._boto3: Any = needed("boto3", "kms")
        self._errors: Any = needed("botocore.exceptions", "kms")
        self._key_id = key_id
        self._where = where

    def fetch(self) -> PublicKey:
        """Ask for the public key, and whether it may be used in the scheme that is ours for such a key."""
        told = self._client().get_public_key(KeyId=self._key_id)
        key = key_of_device(told["PublicKey"], where=self._where)
        usable = told.get("SigningAlgorithms") or []
        if _algorithm(key, where=self._where) not in usable:
            found = ", ".join(usable) or "a key that does not sign"
            raise KeyUnsupported(where=self._where, found=found, wanted=_algorithm(key, where=self._where))
        return key

    def use(self, key: PublicKey) -> None:
        """Make ready to sign."""
        _algorithm(key, where=self._where)
        with _MAKING:
            self._signer = AWSSigner(self._key_id, named(key))
        self._signer.client = self._client()

    def sign(self, message: bytes) -> bytes:
        """Send the digest, and give the signature."""
        return bytes.fromhex(self._signer.sign(message).signature)

    def told(self, error: Any) -> Told | None:
        """Say what an exception of botocore means."""
        errors = self._errors
        if isinstance(error, errors.ClientError):
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            is_down = status >= 500 or status == 429 or error.response.get("Error", {}).get("Code") in _BUSY
            return (ServiceUnavailable, "") if is_down else (ServiceRefused, "")
        if isinstance(error, errors.NoRegionError):
            return SigningError, "set AWS_DEFAULT_REGION, or the region of the profile"
        if isinstance(error, errors.NoCredentialsError | errors.PartialCredentialsError | errors.ProfileNotFound):
            return (
                SigningError,
                "give credentials as boto3 reads them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile",
            )
        if isinstance(error, errors.HTTPClientError | errors.ConnectionError):
            return ServiceUnavailable, ""
        return None

    def _client(self) -> Any:
        # How often it tries again is the environment's to say (AWS_RETRY_MODE, AWS_MAX_ATTEMPTS); how long, it cannot.
        config = needed("botocore.config", "kms").Config(connect_timeout=_CONNECT_SECONDS, read_timeout=_ANSWER_SECONDS)
        with _MAKING:
            return self._boto3.client("kms", config=config)


def opened(uri: KeyUri, secrets: Secrets) -> AwsKms:
    """Take the key that the URI names."""
    del secrets  # credentials are boto3's own business
    # Elsewhere awskms://HOST/KEY names an endpoint; that is the environment's business here.
    is_host = uri.path.startswith("//") and not uri.path.startswith("///")
    uri.allows(form=_FORM, fits=bool(uri.bare) and not is_host)
    return AwsKms(uri.bare, where=uri.text)


def _algorithm(key: PublicKey, *, where: str) -> str:
    """Give AWS's name of the key's scheme."""
    algorithm = AWSSigner.aws_algos.get(key.schemes[0])
    if algorithm is None:
        wanted = "ECC_NIST_P256, ECC_NIST_P384 or an RSA key for signing"
        raise KeyUnsupported(where=where, found=key.schemes[0], wanted=wanted, do="make such a key in AWS KMS")
    return str(algorithm)
