"""What must a signer do?"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

from glasswing_attest.errors import UsageError
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import MIB, Limits
from glasswing_attest.trust.root import Trust

__all__ = ["Signer", "key_of", "room_for"]


@runtime_checkable
class Signer(Protocol):
    """Signs payloads. What it returns is proved under `verified_by` before anybody gets it."""

    @property
    def verified_by(self) -> PublicKey | Trust:
        """What everything that this signer signs verifies under: its key, or the trust that it was made for."""
        ...

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        """Sign the payload verbatim and give a Sigstore bundle. Raises `SigningError` or `UnavailableError`."""
        ...


def key_of(signer: Signer) -> PublicKey:
    """Give the one key with which a signer signs. Raises `UsageError` where it has none of its own."""
    believed = signer.verified_by
    if isinstance(believed, PublicKey):
        return believed
    # With witnesses, it is the only key of the trust that the signer was made for.
    if len(believed.keys) == 1:
        return believed.keys[0].key
    raise UsageError(where="signer", found="certificates of a root", wanted="a signer with a key of its own")


def room_for(payload: bytes, limits: Limits) -> Limits:
    """Give limits under which a signer reads back what it made itself, however long the payload is."""
    return replace(
        limits,
        statement_bytes=max(limits.statement_bytes, len(payload)),
        bundle_bytes=max(limits.bundle_bytes, 2 * len(payload) + MIB),
    )
