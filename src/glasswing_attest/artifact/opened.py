"""Are the bytes that are loaded now the bytes that were measured?

A server verifies a large model in milliseconds from its manifest, and its bytes as they load. `open_verified` hashes
while it reads and raises on a difference, before it gives the last bytes; what was read before the end is known to be
right only once the file was read to its end or closed without an error.

Loaders that jump about in a file, or map it, find what they need in `artifact.loading`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

from glasswing_attest.artifact.digest import Form
from glasswing_attest.artifact.hashing import hasher
from glasswing_attest.artifact.manifest import FileEntry, Manifest
from glasswing_attest.errors import ArtifactIrregular, ArtifactUnreadable, Mismatch, UsageError

__all__ = ["Part", "VerifiedFile", "entry_of", "open_regular", "open_verified", "path_of"]

_CHUNK = 1 << 20


class Part(NamedTuple):
    """Where a part of a file ends (None: where the file does, which nobody told), and the digest of its bytes."""

    end: int | None
    digest: str
    algorithm: str = "sha256"


class VerifiedFile(io.BufferedIOBase):
    """A file opened for reading once, from start to end, that checks size and SHA-256 against a manifest.

    The last byte is given only after the whole was checked: other bytes of the same size are never given completely.
    Raises `Mismatch` where the end is reached, or at `close`, which reads what is left. Within ``with``, an exception
    of the caller's passes unchanged.

    Where the digests of several parts are known, and not that of the whole, each is checked as the whole is.
    """

    def __init__(self, fd: int, entry: FileEntry | Iterable[Part], where: str) -> None:
        parts = [Part(entry.size, entry.sha256)] if isinstance(entry, FileEntry) else list(entry)
        self._fd = fd
        self._ahead = parts[:0:-1]
        self._part = parts[0]
        self._where = where
        self._hash = _hash_of(self._part)
        self._size = 0
        self._checked = False
        self._is_refused = False

    def readable(self) -> bool:
        """Say yes."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes, or all that is left: fewer only where the file ends.

        Raises:
            Mismatch: the end is reached, and these are not the bytes that were verified.
            ArtifactUnreadable: the system fails to read.
        """
        left = None if size is None or size < 0 else size
        chunks: list[bytes] = []
        while left is None or left > 0:
            chunk = self._take(_CHUNK if left is None else min(left, _CHUNK))
            if not chunk:
                break
            chunks.append(chunk)
            left = None if left is None else left - len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def read1(self, size: int = -1, /) -> bytes:
        """Read what one call of the system gives."""
        return self._take(_CHUNK if size < 0 else min(size, _CHUNK)) if size else b""

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer, as far as the file reaches."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view):
            chunk = self._take(min(_CHUNK, len(view) - filled))
            if not chunk:
                break
            view[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        return filled

    def _take(self, size: int) -> bytes:
        """Give the next bytes: the last ones, and the end, only of a file that is the right one."""
        if self.closed:
            raise ValueError("read of a closed file")
        if self._is_refused:
            self._refuse()
        left = 0 if self._part.end is None else self._part.end - self._size
        chunk = self._read(min(size, left) if left else size)
        if not chunk or self._size == self._part.end:
            self._check(is_over=not chunk)
        return chunk

    def _read(self, size: int) -> bytes:
        try:
            chunk = os.read(self._fd, size)
        except OSError as e:
            raise ArtifactUnreadable(where=self._where, because=e.strerror or str(e)) from e
        self._hash.update(chunk)
        self._size += len(chunk)
        if self._part.end is not None and self._size > self._part.end:
            self._refuse()
        return chunk

    def _check(self, *, is_over: bool) -> None:
        """Check the part that was read, and go on to the next; after the last one, nothing may come."""
        if not is_over and not self._ahead:
            self._read(1)  # whatever comes now is too much
        if self._hash.hexdigest() != self._part.digest or (is_over and self._ahead):
            self._refuse()
        if self._ahead:
            self._part = self._ahead.pop()
            self._hash = _hash_of(self._part)
        else:
            self._checked = True

    def _refuse(self) -> NoReturn:
        self._checked = self._is_refused = True  # told by every reading; closing afterwards is quiet
        algorithm = self._part.algorithm
        found = f"{algorithm}:{self._hash.hexdigest()[:12]} after {self._size} bytes"
        wanted = f"{algorithm}:{self._part.digest[:12]} of {self._part.end} bytes"
        raise Mismatch(where=self._where, found=found, wanted=wanted)

    def close(self) -> None:
        """Read what is left, check, and close. Raises `Mismatch`, or `ArtifactUnreadable` where the system fails."""
        if self.closed:
            return
        try:
            while not self._checked:
                self._take(_CHUNK)
        finally:
            super().close()
            try:
                os.close(self._fd)
            except OSError as e:
                raise ArtifactUnreadable(where=self._where, because=e.strerror or str(e)) from e

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; without the check where the caller's own exception is on its way."""
        self._checked = self._checked or kind is not None
        self.close()

    def __del__(self) -> None:
        """Close quietly: a forgotten file proves nothing."""
        self._checked = True
        with contextlib.suppress(ArtifactUnreadable):
            self.close()


def _hash_of(part: Part) -> hashlib._Hash:
    return hashlib.sha256() if part.algorithm == "sha256" else hasher(part.algorithm)


def open_verified(manifest: Manifest, name: str | None = None) -> VerifiedFile:
    """Open a file of a measured artifact, checking it as it is read. A single file needs no `name`.

    Raises:
        UsageError: the manifest has no location, or no such file.
        ArtifactError: it cannot be opened, or is no regular file.
        Mismatch: on reading, when the bytes are not those of the manifest.
    """
    entry = entry_of(manifest, name)
    path = path_of(manifest, entry)
    return VerifiedFile(open_regular(path), entry, str(path))


def entry_of(manifest: Manifest, name: str | None = None) -> FileEntry:
    """Give a file of a measured artifact. A single file needs no `name`. Raises `UsageError` where there is none."""
    if manifest.location is None or manifest.form is Form.GIT or not manifest.files:
        raise UsageError(where=name or manifest.name, because="nothing on disk was measured for it")
    if name is None and len(manifest.files) > 1:
        raise UsageError(where=manifest.name, found="no name", wanted="one of its files")
    return next(iter(manifest.files)) if name is None else manifest.file(name)


def path_of(manifest: Manifest, entry: FileEntry) -> Path:
    """Give the place where a file was measured."""
    location = Path(manifest.location or "")
    return location / entry.name if manifest.form is Form.TREE else location


def open_regular(path: Path) -> int:
    """Open what was measured there, without waiting. Raises `ArtifactError` where there is no regular file any more."""
    # The measured tree may hold links where `links_within` allowed them: the digest decides, not the way to the bytes.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as e:  # a zero byte in the path is a ValueError
        raise ArtifactUnreadable(where=str(path), because=getattr(e, "strerror", None) or str(e)) from e
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ArtifactIrregular(where=str(path))
    return fd
