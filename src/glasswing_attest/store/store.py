"""WHO HOLDS ATTESTATIONS? The protocol that every store keeps, and what it gives.

Everything in a store is untrusted: whoever can write to it chose what it gives, and what it leaves out. What it gives
is proved like any other evidence, so a store can withhold a yes and never make one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Protocol, TypeGuard, runtime_checkable

from glasswing_attest.artifact.digest import Digest
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import UsageError

__all__ = ["Item", "Store", "is_store", "label_of", "require_attestation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the pile: its bytes, and where they came from, for messages.

    The origin is text that UTF-8 can carry: what a path holds beside that is written as an escape.

    Raises:
        UsageError: data that is not bytes, or an origin that is no text.
    """

    data: bytes
    origin: str

    def __post_init__(self) -> None:
        for name, kind in (("data", bytes), ("origin", str)):
            if not isinstance(getattr(self, name), kind):
                found = type(getattr(self, name)).__name__
                raise UsageError(where=f"Item.{name}", found=found, wanted=kind.__name__)
        object.__setattr__(self, "origin", self.origin.encode("utf-8", "backslashreplace").decode("utf-8"))


@runtime_checkable
class Store(Protocol):
    """What holds attestations. Nothing that it gives is verified; a digest is a way to find something, and no proof.

    What cannot be reached or read is a `StoreUnavailable`, never an empty answer: nothing is decided then.
    """

    def add(self, attestation: Attestation) -> Item:
        """Keep an attestation byte for byte, and give it as it is kept. Equal bytes are kept once."""
        ...

    def find(self, digests: Iterable[Digest]) -> Iterable[Item]:
        """Give what is about a thing with one of these digests, each item once. More may be given, but not less."""
        ...

    def list(self) -> Iterable[Item]:
        """Give everything, each item once, and one after the other: whoever asks may stop early."""
        ...


def is_store(value: object) -> TypeGuard[Store]:
    """Tell a store from other evidence. A store's class is none."""
    return isinstance(value, Store) and not isinstance(value, type)


def label_of(store: Store) -> str:
    """Call a store by its class and its path, where it has one: what else it may show of itself is not for reports."""
    name = type(store).__name__
    try:
        path = getattr(store, "path", None)
        return f"{name} {fspath(path)}" if isinstance(path, str | PathLike) else name
    except Exception:  # noqa: BLE001  # a store of the caller's may raise anything: its name is not worth a verdict
        return name


def require_attestation(attestation: object) -> Attestation:
    """Give the attestation. Raises `UsageError` for anything else: what is kept was read once, strictly."""
    if not isinstance(attestation, Attestation):
        found, wanted = type(attestation).__name__, "an Attestation: Attestation.parse(data) reads one"
        raise UsageError(where="add", found=found, wanted=wanted)
    return attestation
