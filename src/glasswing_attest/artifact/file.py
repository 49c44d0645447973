"""What is a single file, or a run of bytes, as an artifact?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import ClassVar

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.hashing import Progress, further, hasher
from glasswing_attest.artifact.manifest import FileEntry, Manifest
from glasswing_attest.artifact.tree import OnDisk
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Blob", "File"]


class File(OnDisk):
    """A single regular file: ``File("dist/app-1.0-py3-none-any.whl").measure()``.

    A directory is refused: use `Model` or `Dataset`, whose digest covers every name.
    """

    __slots__ = ()
    _kind: ClassVar[str] = "file"
    _trees: ClassVar[bool] = False

    def __init__(self, path: StrPath, name: str | None = None, *, links_within: StrPath | None = None) -> None:
        super().__init__(path, name, links_within=links_within)


@dataclass(frozen=True, slots=True)
class Blob:
    r"""Bytes that are at hand, as if they were a file.

    >>> Blob(b"tok\n", name="vocab.txt").measure().digests.label
    'sha256:75c76cabaf6d'
    """

    data: bytes
    name: str = "blob"
    kind: str = "file"
    is_single: ClassVar[bool] = True

    def measure(
        self,
        *,
        progress: Progress | None = None,
        limits: Limits = DEFAULT,
        executor: Executor | None = None,
        also: Iterable[str] = (),
    ) -> Manifest:
        """Hash the bytes. Further digests are as for `OnDisk.measure`."""
        more = {}
        for algorithm in further(also):
            digest = hasher(algorithm)
            digest.update(self.data)
            more[algorithm] = digest.hexdigest()
        sha256 = hashlib.sha256(self.data).hexdigest()
        entry = FileEntry(name=self.name, size=len(self.data), sha256=sha256, more=DigestSet.of(more))
        return Manifest.of_file(self.kind, entry)
