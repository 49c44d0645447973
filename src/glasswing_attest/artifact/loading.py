"""How does a loader get what was verified, when it jumps about in a file or maps it into memory?

Such a loader needs all of a file to be right before its first byte. `VerifiedTree` gives that in two ways: `read` gives
the bytes themselves, and `sealed` a copy in memory that nobody can write any more, under a path. Either way what was
verified is what is loaded, whatever happens to the file on disk meanwhile. It costs the file's size in memory, which a
path into the tree would not; but what that leads to when the loader follows it, nobody knows.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.opened import VerifiedFile, entry_of, open_verified
from glasswing_attest.errors import ArtifactUnreadable, UsageError

if TYPE_CHECKING:
    from typing import Self

__all__ = ["SealedFile", "VerifiedTree"]

_CHUNK = 1 << 20
# fcntl(2): seal against further seals, shrinking, growing and writing. The language names them on Linux only.
_ADD_SEALS = 1033
_ALL_SEALS = 0x0001 | 0x0002 | 0x0004 | 0x0008


class SealedFile:
    """A copy of a verified file in memory, which nobody can write, cut or lengthen any more. Closed by ``with``.

    Attributes:
        name: its name in the tree.
    """

    __slots__ = ("_fd", "name")

    def __init__(self, name: str, fd: int) -> None:
        self.name = name
        self._fd = fd

    def fileno(self) -> int:
        """Give its descriptor: ``mmap.mmap(sealed.fileno(), 0, access=mmap.ACCESS_READ)`` maps it.

        Raises:
            UsageError: it is closed.
        """
        if self._fd < 0:
            raise UsageError(where=self.name, because="it is closed")
        return self._fd

    @property
    def path(self) -> str:
        """A path that leads to it in this process, for loaders that want one, as long as it is open."""
        return f"/proc/self/fd/{self.fileno()}"

    def close(self) -> None:
        """Let go of it. The memory is given back when nobody maps it any more."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class VerifiedTree(Mapping[str, str]):
    """The files of a measured artifact, each verified as it is loaded.

    As a mapping it gives the SHA-256 of each name, for loaders that check by themselves. Nothing is opened before it is
    asked for.
    """

    __slots__ = ("_manifest",)

    def __init__(self, manifest: Manifest) -> None:
        if manifest.files:
            # Whether there is anything on disk is known now, and not only when the first file is loaded.
            entry_of(manifest, manifest.files[0].name)
        else:
            entry_of(manifest)
        self._manifest = manifest

    def __getitem__(self, name: str) -> str:
        try:
            return self._manifest.file(name).sha256
        except UsageError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (entry.name for entry in self._manifest.files)

    def __len__(self) -> int:
        return len(self._manifest.files)

    def open(self, name: str) -> VerifiedFile:
        """Open one file, checking it as it is read. See `open_verified`."""
        return open_verified(self._manifest, name)

    def read(self, name: str) -> bytes:
        """Give a whole file, only if it is the right one.

        Raises:
            Mismatch: these are not the bytes that were verified.
            UsageError, ArtifactError: as `open_verified`.
        """
        with self.open(name) as file:
            return file.read()

    def sealed(self, name: str) -> SealedFile:
        """Give a whole file as a sealed copy in memory, only if it is the right one.

        Raises:
            Mismatch: these are not the bytes that were verified.
            UsageError: as `open_verified`; or this system has no sealed memory (Linux has).
            ArtifactError: as `open_verified`.
        """
        if not hasattr(os, "memfd_create"):
            raise UsageError(where=name, because="this system has no sealed memory", do="use read()")
        fd = os.memfd_create("glasswing-attest", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with self.open(name) as file:
                while chunk := file.read(_CHUNK):
                    view = memoryview(chunk)
                    while view:
                        view = view[os.write(fd, view) :]
            fcntl.fcntl(fd, _ADD_SEALS, _ALL_SEALS)
            os.lseek(fd, 0, os.SEEK_SET)
        except OSError as e:
            os.close(fd)
            raise ArtifactUnreadable(where=name, because=e.strerror or str(e)) from e
        except BaseException:
            os.close(fd)
            raise
        return SealedFile(name, fd)
