"""How does a TPM 2.0 sign?

    tpm:0xHANDLE        a persistent handle, 0x81000000 to 0x81FFFFFF (TPM 2.0 library, part 2, section 7.5)

The TPM is found as tpm2-tools find it: TPM2TOOLS_TCTI, or the machine's own. The key's authorisation value is asked for
as "auth"; none is an empty one. It proves itself in an HMAC session, so it does not cross the bus. ECDSA with P-256 or
P-384, and RSA PKCS#1 v1.5 (TPM2_Sign, part 3, section 20.2). A restricted key signs only what the TPM made, never ours.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from glasswing_attest.artifact.extras import needed
from glasswing_attest.errors import KeyUnsupported, ServiceRefused, ServiceUnavailable
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.backends.device import Told, key_of_device
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["Tpm", "opened"]

_FORM = "tpm:0x81000001, a persistent handle"
_HANDLE = re.compile(r"0x81[0-9a-fA-F]{6}")
# TPM's name of the signature's algorithm, and of its hash.
_ALGORITHMS = {
    "ecdsa-sha2-nistp256": ("ECDSA", "sha256"),
    "ecdsa-sha2-nistp384": ("ECDSA", "sha384"),
    "rsa-pkcs1v15-sha256": ("RSASSA", "sha256"),
}

# A TPM without a resource manager has one user at a time, and one connection.
_CONNECTED = threading.Lock()


class Tpm:
    """A persistent key of a TPM. One thread at a time, whichever signers they have; connected for each signature."""

    name = "the TPM"
    sensitive = ()
    lock = _CONNECTED

    def __init__(self, handle: int, secrets: Secrets, *, where: str) -> None:
        self._tss: Any = needed("tpm2_pytss", "tpm")
        self._handle = handle
        self._secrets = secrets
        self._where = where
        self._scheme = ""

    def fetch(self) -> PublicKey:
        """Read the public area: the key, and what it may be used for."""
        tss = self._tss
        with self._connected() as (esapi, handle):
            area = esapi.read_public(handle)[0].publicArea
        attributes = area.objectAttributes
        if not attributes & tss.TPMA_OBJECT.SIGN_ENCRYPT or attributes & tss.TPMA_OBJECT.RESTRICTED:
            found = "a restricted key" if attributes & tss.TPMA_OBJECT.RESTRICTED else "a key that does not sign"
            raise KeyUnsupported(where=self._where, found=found, wanted="an unrestricted key that signs")
        if area.type not in (tss.TPM2_ALG.ECC, tss.TPM2_ALG.RSA):
            raise KeyUnsupported(where=self._where, found=str(area.type), wanted="an ECC or RSA key")
        key = key_of_device(area.to_pem(), where=self._where)
        algorithm, hash_name = self._algorithm(key)
        self._require_scheme(area, algorithm, hash_name)
        return key

    def use(self, key: PublicKey) -> None:
        """Make ready to sign."""
        self._algorithm(key)
        self._scheme = key.schemes[0]

    def sign(self, message: bytes) -> bytes:
        """Have the digest signed."""
        tss = self._tss
        algorithm, hash_name = _ALGORITHMS[self._scheme]
        scheme = tss.TPMT_SIG_SCHEME(scheme=getattr(tss.TPM2_ALG, algorithm))
        scheme.details.any.hashAlg = getattr(tss.TPM2_ALG, hash_name.upper())
        auth = self._secrets.ask("auth")
        with self._connected() as (esapi, handle):
            esapi.tr_set_auth(handle, auth.encode("utf-8"))
            session = esapi.start_auth_session(
                tpm_key=tss.ESYS_TR.NONE,
                bind=tss.ESYS_TR.NONE,
                session_type=tss.TPM2_SE.HMAC,
                symmetric=tss.TPMT_SYM_DEF(algorithm=tss.TPM2_ALG.NULL),
                auth_hash=tss.TPM2_ALG.SHA256,
            )
            try:
                made = esapi.sign(handle, hashlib.new(hash_name, message).digest(), scheme, session1=session)
            finally:
                esapi.flush_context(session)  # a TPM has room for very few
        if algorithm == "RSASSA":
            return bytes(made.signature.rsassa.sig)
        found = made.signature.ecdsa
        return encode_dss_signature(int.from_bytes(bytes(found.signatureR)), int.from_bytes(bytes(found.signatureS)))

    def told(self, error: Any) -> Told | None:
        """Say what an exception of the TSS means."""
        if not isinstance(error, self._tss.TSS2_Exception):
            return None
        # Layer 0 is the TPM itself (TCG TSS 2.0 overview, section 2.6); all others are on the way to it.
        if error.rc & 0xFF0000:
            return ServiceUnavailable, "look whether TPM2TOOLS_TCTI is right, and whether this user may use the TPM"
        if error.rc == self._tss.TPM2_RC.LOCKOUT:
            return ServiceRefused, "after too many wrong values the TPM refuses each for a while, or until it is reset"
        # Warnings (TPM 2.0 library, part 2, section 6.6.3) say that it is busy, or has no room now.
        is_busy = error.rc & 0xF80 == self._tss.TPM2_RC.WARN
        return (ServiceUnavailable, "") if is_busy else (ServiceRefused, "")

    @contextmanager
    def _connected(self) -> Generator[tuple[Any, Any]]:
        tss = self._tss
        with tss.ESAPI(os.environ.get("TPM2TOOLS_TCTI") or None) as esapi:
            yield esapi, esapi.tr_from_tpmpublic(self._handle)

    def _algorithm(self, key: PublicKey) -> tuple[str, str]:
        known = _ALGORITHMS.get(key.schemes[0])
        if known is None:
            raise KeyUnsupported(where=self._where, found=key.schemes[0], wanted=" or ".join(_ALGORITHMS))
        return known

    def _require_scheme(self, area: Any, algorithm: str, hash_name: str) -> None:
        """Refuse a key that is bound to another scheme than ours for its kind."""
        algorithms = self._tss.TPM2_ALG
        bound = area.parameters.asymDetail.scheme
        if bound.scheme == algorithms.NULL:
            return
        wanted = (getattr(algorithms, algorithm), getattr(algorithms, hash_name.upper()))
        found = (bound.scheme, bound.details.anySig.hashAlg)
        if found != wanted:
            names = [" with ".join(str(each) for each in pair) for pair in (found, wanted)]
            raise KeyUnsupported(where=self._where, found=names[0], wanted=names[1])


def opened(uri: KeyUri, secrets: Secrets) -> Tpm:
    """Take the key that the URI names."""
    uri.allows(form=_FORM, fits=_HANDLE.fullmatch(uri.path) is not None)
    return Tpm(int(uri.path, 16), secrets, where=uri.text)
