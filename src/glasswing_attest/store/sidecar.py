"""Where are they found by whoever has the artifact? In the file beside it: ``model/`` has ``model.attestations.jsonl``.

One attestation a line. It lies beside the artifact and never inside it, since inside it would change what is digested.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.digest import Digest
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import UsageError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.store.pile import gather
from glasswing_attest.store.store import Item, require_attestation
from glasswing_attest.store.subjects import about

__all__ = ["SUFFIX", "SidecarStore", "beside"]

SUFFIX = ".attestations.jsonl"


def beside(artifact: StrPath) -> Path:
    """Give the file beside an artifact that holds its attestations. Raises `UsageError` where nothing can lie beside.

    >>> beside("models/iris/").name
    'iris.attestations.jsonl'
    """
    path = Path(artifact)
    if path.name in ("", ".."):
        path = path.resolve()
    if not path.name:
        do = "name the file of attestations"
        raise UsageError(where=os.fspath(artifact), because="nothing can lie beside it", do=do)
    return path.with_name(path.name + SUFFIX)


class SidecarStore:
    """The attestations beside one artifact. Where there is no such file, there are none.

    >>> SidecarStore("model").path
    PosixPath('model.attestations.jsonl')
    """

    def __init__(self, artifact: StrPath, *, limits: Limits = DEFAULT) -> None:
        self.path = beside(artifact)
        self._limits = limits

    def add(self, attestation: Attestation) -> Item:
        """Add one line. Line ends within the attestation become blanks, as `Attestation.write` has it.

        Threads and processes may do so at the same time: no line is lost.

        Raises:
            StoreUnavailable: the file cannot be written.
            LimitError: the file would become larger than ``evidence_bytes``.
        """
        data = require_attestation(attestation).as_line.strip()
        if data not in (item.data for item in self.list()):
            attestation.write(self.path)
        item = Item(data=data, origin=str(self.path))
        return next((kept for kept in self.list() if kept.data == data), item)

    def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
        """Give what is about a thing with one of the digests: the file is small, and all of it is read."""
        return about(self.list(), digests, limits=self._limits)

    def list(self) -> Iterator[Item]:
        """Give everything.

        Raises:
            StoreUnavailable: the file is there, and cannot be read.
        """
        return iter(gather(self.path, limits=self._limits) if os.path.lexists(self.path) else ())
