"""Where are they found within one process? In memory, by the digests of their subjects."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from glasswing_attest.artifact.digest import Digest
from glasswing_attest.attestation import Attestation
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.store.store import Item, require_attestation
from glasswing_attest.store.subjects import subjects_of

__all__ = ["MemoryStore"]


class MemoryStore:
    """Attestations in memory, for as long as the process lives. Threads share it.

    >>> store = MemoryStore()
    >>> list(store.list())
    []
    """

    def __init__(self, attestations: Iterable[Attestation] = (), *, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._items: dict[bytes, Item] = {}
        self._about: dict[Digest, dict[bytes, Item]] = {}
        for attestation in attestations:
            self.add(attestation)

    def add(self, attestation: Attestation) -> Item:
        """Keep an attestation. Raises `UsageError` for anything else."""
        data = require_attestation(attestation).bytes
        digests = subjects_of(data, limits=self._limits)
        with self._lock:
            item = self._items.setdefault(data, Item(data=data, origin=f"memory[{len(self._items)}]"))
            for digest in digests:
                self._about.setdefault(digest, {})[data] = item
        return item

    def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
        """Give what is about a thing with one of the digests, as it stands when this is called."""
        with self._lock:
            found = {data: item for digest in digests for data, item in self._about.get(digest, {}).items()}
        return iter(found.values())

    def list(self) -> Iterator[Item]:
        """Give everything, as it stands when this is called."""
        with self._lock:
            return iter(tuple(self._items.values()))
