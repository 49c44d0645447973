"""What holds for every place that keeps a private key?

A backend says where the key is and how the place's own failures are told. `Device` stands around it: it lets nothing
out that does not verify under the public key, no exception but ours, and no secret. The scheme is that of the Sigstore
algorithm registry for the kind of key, and the place is asked for that one and no other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from traceback import format_exception
from typing import Any, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from securesystemslib.signer import SSlibKey

from glasswing_attest.errors import (
    GlasswingError,
    KeyUnsupported,
    MalformedError,
    SelfCheckFailed,
    ServiceRefused,
    ServiceUnavailable,
    SignatureInvalid,
    SigningError,
)
from glasswing_attest.keys import PublicKey, schemes_of
from glasswing_attest.signing.backends.secrets import Secrets, frameless

__all__ = ["Backend", "Device", "Told", "key_of_device", "named", "signing_scheme"]

_Got = TypeVar("_Got")

Told = tuple[type[SigningError | ServiceUnavailable], str]
"""What an exception of a backend means: the class of ours, and what to do ("" for that class's own advice)."""


class Backend(Protocol):
    """A place that keeps a private key. What its methods raise is told by `told`; errors of ours pass as they are."""

    @property
    def name(self) -> str:
        """What it is called in messages, such as "AWS KMS"."""
        ...

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The environment variables that hold its credentials: their values never stand in a message."""
        ...

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while any of the methods below runs."""
        ...

    def fetch(self) -> PublicKey:
        """Ask for the public key. Raises `KeyUnsupported` for one that does not sign here."""
        ...

    def use(self, key: PublicKey) -> None:
        """Make ready to sign with this key, in its one scheme: once, before anything is signed."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign the message."""
        ...

    def told(self, error: Exception) -> Told | None:
        """Say what a failure means, or None where it is not known."""
        ...


class Device:
    """A private key at some place, which is used and never seen.

    Threads may share it: a backend's lock keeps them apart where its library does not.
    """

    __slots__ = ("_backend", "_pinned", "_public", "_secrets", "_where")

    def __init__(self, backend: Backend, *, where: str, secrets: Secrets, pinned: PublicKey | None = None) -> None:
        self._backend = backend
        self._where = where
        self._secrets = secrets
        self._pinned = pinned is not None
        self._public = public = self._guarded(backend.fetch) if pinned is None else _narrowed(pinned)
        self._guarded(lambda: backend.use(public))

    def __repr__(self) -> str:
        return f"Device({self._backend.name})"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a device is not pickled")

    @property
    def where(self) -> str:
        """The URI of the key; "" for one in memory."""
        return self._where

    @property
    def backend(self) -> Backend:
        """The place. What it signs by itself is not checked."""
        return self._backend

    @property
    def public_key(self) -> PublicKey:
        """The key under which everything that it signs verifies."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Sign, and check the signature.

        Raises:
            ServiceUnavailable: the place does not answer.
            ServiceRefused: it does not want to: permission, a disabled key, a wrong PIN.
            SelfCheckFailed: what it made is no signature by this key.
            SigningError: anything else.
        """
        signature = self._guarded(lambda: self._backend.sign(message))
        if self._public.schemes[0].startswith("ecdsa"):
            signature = _as_der(signature)
        try:
            self._public.check(signature, message)
        except SignatureInvalid as e:
            other = "another key signed than the one that was pinned, or " if self._pinned else ""
            because = f"{other}{self._backend.name} gave what is no signature by this key"
            raise SelfCheckFailed(
                where=self._where, because=because, wanted=f"key {self._public.fingerprint[:16]}"
            ) from e
        return signature

    def _guarded(self, call: Callable[[], _Got]) -> _Got:
        """Let only errors of ours out, none with a secret in it or in its frames."""
        try:
            with self._backend.lock:
                return call()
        except Exception as e:  # noqa: BLE001  # the backend's libraries have errors of their own
            failed: Exception = e
        # Not within the handler: there the backend's exception would stay attached as the context of ours.
        if isinstance(failed, GlasswingError):
            raise frameless(failed)
        error, cause = self._told(failed)
        del failed
        raise error from cause

    def _told(self, failed: Exception) -> tuple[GlasswingError, BaseException | None]:
        """Give our error for a backend's, and what may be shown as its cause."""
        kind, do = self._backend.told(failed) or (SigningError, "")
        sensitive = [os.environ.get(name, "") for name in self._backend.sensitive]
        whole = "".join(format_exception(frameless(failed)))
        said = self._secrets.cut_from(str(failed), *sensitive)
        # Where its own words, or those of what led to it, hold a secret, nothing of the cause is kept.
        cause = failed if self._secrets.cut_from(whole, *sensitive) == whole else None
        if kind is ServiceRefused:
            self._secrets.forget()
        return kind(where=self._where, because=f"{self._backend.name}: {_sentence(failed, said)}", do=do), cause


def signing_scheme(key: object, *, where: str) -> str:
    """Give the one scheme in which a key of this kind signs here. Raises `KeyUnsupported`."""
    try:
        scheme = schemes_of(key)[0]
    except KeyUnsupported as e:
        raise e.moved(where) from e
    if scheme.startswith("ml-dsa"):
        # The backends put a prefix of their own before the message, so that nobody else would verify it.
        raise KeyUnsupported(
            where=where,
            found=scheme,
            wanted="a key that signs here",
            do="sign with ECDSA P-256, P-384 or P-521, Ed25519 or RSA; ML-DSA is only verified",
        )
    return scheme


def key_of_device(key: bytes | str | object, *, where: str) -> PublicKey:
    """Give a device's public key, in PEM, DER or as `cryptography` has it, with its one scheme."""
    if isinstance(key, bytes | str):
        try:
            read = PublicKey.from_pem(key, where=where)
        except MalformedError as e:
            raise SigningError(where=where, because="what it gave is no public key") from e
        except KeyUnsupported as e:
            raise e.moved(where) from e
        key = _cryptography(read)
    return PublicKey.of(key, scheme=signing_scheme(key, where=where))


def named(key: PublicKey) -> SSlibKey:
    """Give the key as securesystemslib has it, under the scheme that was chosen here."""
    return SSlibKey.from_crypto(_cryptography(key), keyid=key.fingerprint, scheme=key.schemes[0])


def _narrowed(pinned: PublicKey) -> PublicKey:
    key = _cryptography(pinned)
    scheme = signing_scheme(key, where="public_key")
    if scheme not in pinned.schemes:
        raise KeyUnsupported(where="public_key", found=pinned.schemes[0], wanted=scheme, do=f"pin it with {scheme}")
    return PublicKey.of(key, scheme=scheme)


def _cryptography(key: PublicKey) -> Any:
    return load_der_public_key(key.der)


def _as_der(signature: bytes) -> bytes:
    """Give an ECDSA signature as other verifiers want it, in DER (RFC 3279); some devices give r and s side by side."""
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
    return encode_dss_signature(r, s)


def _sentence(error: Exception, text: str) -> str:
    """Give the name of an exception and what it says on one line; many of devices say nothing."""
    return f"{type(error).__name__}: {' '.join(text.split())}".removesuffix(": ")
