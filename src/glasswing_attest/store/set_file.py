"""Where are they found by whoever is sent one file? In an attestation set.

Adding writes the whole file anew, so that it always has its end: a set is for what travels, a directory for what grows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from glasswing_attest._files import StrPath, locked
from glasswing_attest.artifact.digest import Digest
from glasswing_attest.attestation import Attestation
from glasswing_attest.attestation_set import AttestationSet
from glasswing_attest.errors import GlasswingError, LimitError, StoreUnavailable
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.store.store import Item, require_attestation
from glasswing_attest.store.subjects import about

__all__ = ["SetFileStore"]


class SetFileStore:
    """The attestations of one set file. The manifests that travel with them stay where they are.

    >>> SetFileStore("release.attestations").path
    PosixPath('release.attestations')
    """

    def __init__(self, path: StrPath, *, limits: Limits = DEFAULT) -> None:
        self.path = Path(path)
        self._limits = limits

    def add(self, attestation: Attestation) -> Item:
        """Write the set with one more attestation. Threads and processes wait for each other.

        Raises:
            StoreUnavailable: the file cannot be read or written.
        """
        data = require_attestation(attestation).bytes
        with locked(self.path.parent, error=StoreUnavailable):
            held = self._read() if os.path.lexists(self.path) else AttestationSet()
            if data not in held.attestations:
                grown = AttestationSet(items=(*held.items, data), created=held.created, producer=held.producer)
                grown.write(self.path)
                held = grown
        return self._item(data, held.attestations.index(data))

    def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
        """Give what is about a thing with one of the digests: all of the file is read."""
        return about(self.list(), digests, limits=self._limits)

    def list(self) -> Iterator[Item]:
        """Give everything.

        Raises:
            StoreUnavailable: the file is not there, is cut short, or is no set.
            LimitError: it holds too much.
        """
        distinct = dict.fromkeys(self._read().attestations)
        return (self._item(data, number) for number, data in enumerate(distinct))

    def _item(self, data: bytes, number: int) -> Item:
        return Item(data=data, origin=f"{self.path}, attestation {number + 1} of a set")

    def _read(self) -> AttestationSet:
        try:
            return AttestationSet.read(self.path, limits=self._limits)
        except (StoreUnavailable, LimitError):
            raise
        except GlasswingError as e:
            # Of a file that is cut short nobody knows what is missing.
            raise StoreUnavailable(where=str(self.path), because=str(e)) from e
