"""What must a signer do?"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from glasswing_attest.keys import PublicKey

__all__ = ["Signer"]


@runtime_checkable
class Signer(Protocol):
    """Signs payloads. What it returns is checked under `public_key` before anybody gets it."""

    @property
    def public_key(self) -> PublicKey:
        """The key under which everything that this signer signs verifies."""
        ...

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        """Sign the payload verbatim and give a Sigstore bundle. Raises `SigningError`."""
        ...
