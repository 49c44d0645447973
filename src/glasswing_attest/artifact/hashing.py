"""What is the SHA-256 of a file, and was it one file all the while?

A file is opened without following a link and without waiting (a pipe in its place must not block), is read through one
descriptor, and is refused if its identity, size or times are others afterwards. This catches accidents and races; what
a loader reads later is protected by hashing it again as it is read.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from glasswing_attest.errors import ArtifactError, ArtifactIrregular, ArtifactUnreadable, ArtifactUnstable

__all__ = ["Meter", "Progress", "ProgressEvent", "Stamp", "artifact_error", "kind_of_file", "open_file", "sha256_of"]

_BUFFER = 1 << 20
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEvent:
    """How far hashing has come: bytes done, bytes in all, and the file that was read last."""

    done_bytes: int
    total_bytes: int
    name: str


Progress: TypeAlias = Callable[[ProgressEvent], None]


class Meter:
    """Counts bytes from many threads and tells one `Progress`, one call at a time and never backwards."""

    __slots__ = ("_done", "_lock", "_progress", "_total")

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def advance(self, name: str, count: int) -> None:
        """Count `count` more bytes of the file `name`."""
        if self._progress is not None:
            with self._lock:
                self._done += count
                self._progress(ProgressEvent(done_bytes=self._done, total_bytes=self._total, name=name))


class Stamp(NamedTuple):
    """What must stay the same about a file while it is read. Neither link count nor access time."""

    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """Take the stamp from a stat result."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def same_file_as(self, other: Stamp) -> bool:
        """Compare all but the device: its number differs where a cluster's workers mount one filesystem."""
        return self[1:] == other[1:]


def kind_of_file(mode: int) -> str:
    """Name the kind of a file for people."""
    kinds = (
        (stat.S_ISREG, "a regular file"),
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISLNK, "a symlink"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a block device"),
        (stat.S_ISCHR, "a character device"),
    )
    return next((words for test, words in kinds if test(mode)), "something unknown")


def artifact_error(e: OSError, where: str, *, seen: bool = False) -> ArtifactError:
    """Turn the system's refusal into ours. `seen` says that it was there, and regular, a moment ago."""
    reason = e.strerror or str(e)
    if seen and e.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ESTALE):
        return ArtifactUnstable(where=where, because=reason)
    # O_NOFOLLOW on a link is ELOOP (EMLINK on FreeBSD), with O_DIRECTORY it is ENOTDIR; opening a socket is ENXIO.
    if e.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR, errno.ENXIO):
        return ArtifactIrregular(where=where, because=reason)
    return ArtifactUnreadable(where=where, because=reason)


def open_file(name: bytes, *, dir_fd: int, where: str, seen: bool = True) -> int:
    """Open a regular file of the directory `dir_fd` for reading; nothing else, and no link."""
    try:
        fd = os.open(name, _FILE_FLAGS, dir_fd=dir_fd)
    except OSError as e:
        raise artifact_error(e, where, seen=seen) from e
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        error = ArtifactUnstable if seen else ArtifactIrregular
        raise error(where=where, found=kind_of_file(mode), wanted="a regular file")
    return fd


def sha256_of(fd: int, *, where: str, name: str = "", meter: Meter | None = None) -> tuple[str, Stamp]:
    """Give the SHA-256 of an open regular file from its start, and its stamp.

    Raises:
        ArtifactUnstable: it has not the size it says, or changed meanwhile.
    """
    return digest_of(fd, hashlib.sha256(), where=where, name=name, meter=meter)


def digest_of(
    fd: int, digest: hashlib._Hash, *, where: str, name: str = "", meter: Meter | None = None
) -> tuple[str, Stamp]:
    """Feed an open regular file to `digest`; give its hex value and the file's stamp."""
    before = Stamp.of(os.fstat(fd))
    # One byte more than the size, so that reading notices a file that grows.
    buffer = memoryview(bytearray(min(_BUFFER, before.size + 1)))
    done = 0
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        raw = io.FileIO(fd, closefd=False)
        while count := raw.readinto(buffer):
            done += count
            if done > before.size:
                break
            digest.update(buffer[:count])
            if meter is not None:
                meter.advance(name, count)
    except OSError as e:
        raise artifact_error(e, where, seen=True) from e
    after = Stamp.of(os.fstat(fd))
    if after != before or done != before.size:
        raise ArtifactUnstable(
            where=where, found=f"{max(done, after.size)} bytes", wanted=f"{before.size} bytes unchanged"
        )
    return digest.hexdigest(), after
