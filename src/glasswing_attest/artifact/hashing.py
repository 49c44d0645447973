"""What is the SHA-256 of a file, and was it one file all the while?

A file is opened without following a link and without waiting (a pipe in its place must not block), is read through one
descriptor, and is refused if its identity, size or times are others afterwards. This catches accidents and races; what
a loader reads later is protected by hashing it again as it is read.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from glasswing_attest.artifact.extras import needed
from glasswing_attest.errors import (
    ArtifactError,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    UnavailableError,
    UsageError,
)

__all__ = [
    "ALGORITHMS",
    "FILE_FLAGS",
    "STAMP_BYTES",
    "Meter",
    "Progress",
    "ProgressEvent",
    "Stamp",
    "Stopped",
    "artifact_error",
    "digest_of",
    "digests_of",
    "further",
    "hasher",
    "is_available",
    "kind_of_file",
    "open_file",
    "packed",
    "packed_identity",
    "sha256_of",
    "span_of",
]

# What a second digest may be made with, beside SHA-256. blake3 comes with the extra of its name.
ALGORITHMS = ("sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake3")

_BUFFER = 1 << 20
# From this size on it is said to the system that a file will be read from start to end, so that it reads ahead.
_ADVISED_BYTES = 4 << 20
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEvent:
    """How far hashing has come: bytes done, bytes in all, and the file that was read last."""

    done_bytes: int
    total_bytes: int
    name: str


Progress: TypeAlias = Callable[[ProgressEvent], None]


class Stopped(Exception):
    """Reading was stopped, by another thread or by the progress that raised there. Never leaves the library."""


class Meter:
    """Counts bytes from many threads and tells one `Progress`, one call at a time and never backwards.

    Whoever reads asks it again and again, so it is also what stops them: once it was told to, or once the progress
    raised, every further call raises `Stopped`. What the progress raised is kept as `error`.
    """

    __slots__ = ("_done", "_lock", "_progress", "_stopped", "_total", "error")

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self._stopped = False
        self.error: BaseException | None = None

    @property
    def is_told(self) -> bool:
        """Whether somebody listens."""
        return self._progress is not None

    def stop(self) -> None:
        """Make every reader stop at its next buffer."""
        self._stopped = True

    def advance(self, name: str, count: int) -> None:
        """Count `count` more bytes of the file `name`."""
        if self._progress is not None:
            with self._lock:
                self._check()
                self._done += count
                try:
                    self._progress(ProgressEvent(done_bytes=self._done, total_bytes=self._total, name=name))
                except BaseException as e:
                    self.error = e
                    self._stopped = True
                    raise
        self._check()

    def _check(self) -> None:
        if self._stopped:
            raise Stopped

    def require_total(self, where: str) -> None:
        """Raise `ArtifactUnstable` where other bytes were read than had been promised at the start."""
        if self._progress is not None and self._done != self._total:
            raise ArtifactUnstable(where=where, found=f"{self._done} bytes", wanted=f"{self._total} bytes unchanged")


_STAMP = struct.Struct("=QQQqq")
_pack = _STAMP.pack
STAMP_BYTES = _STAMP.size
_MOST_NS = (1 << 63) - 1


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
        # Some filesystems keep a time of modification far beyond the years 1677 to 2262, and anybody can set it.
        mtime, ctime = (max(~_MOST_NS, min(ns, _MOST_NS)) for ns in (status.st_mtime_ns, status.st_ctime_ns))
        return cls(status.st_dev, status.st_ino, status.st_size, mtime, ctime)

    @classmethod
    def unpack(cls, packed: bytes) -> Stamp:
        """Read one that was `packed`."""
        return cls(*_STAMP.unpack(packed))

    def same_file_as(self, other: Stamp) -> bool:
        """Compare all but the device: its number differs where a cluster's workers mount one filesystem."""
        return self[1:] == other[1:]


def packed(status: os.stat_result) -> bytes:
    """Give a file's stamp in 40 bytes: a million of them must fit into memory."""
    try:
        return _pack(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    except struct.error:
        return _pack(*Stamp.of(status))


def packed_identity(status: os.stat_result) -> bytes:
    """Give the stamp of what may be written meanwhile, and must only be the same."""
    return _pack(status.st_dev, status.st_ino, 0, 0, 0)


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
        fd = os.open(name, FILE_FLAGS, dir_fd=dir_fd)
    except OSError as e:
        raise artifact_error(e, where, seen=seen) from e
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        error = ArtifactUnstable if seen else ArtifactIrregular
        raise error(where=where, found=kind_of_file(mode), wanted="a regular file")
    return fd


def hasher(algorithm: str) -> hashlib._Hash:
    """Give a new hash object.

    Raises:
        UsageError: the algorithm is none of `ALGORITHMS`.
        UnavailableError: it needs a package that is not installed.
    """
    if algorithm == "blake3":
        made: hashlib._Hash = needed("blake3", "blake3").blake3()
        return made
    if algorithm not in ALGORITHMS:
        raise UsageError(where="also", found=algorithm, wanted=f"one of {', '.join(ALGORITHMS)}")
    return hashlib.new(algorithm)


def is_available(algorithm: str) -> bool:
    """Tell whether one of `ALGORITHMS` can be had here."""
    try:
        hasher(algorithm)
    except UnavailableError:
        return False
    return True


def further(algorithms: Iterable[str]) -> tuple[str, ...]:
    """Check which further digests are asked for. See `hasher` for what is raised."""
    if isinstance(algorithms, str):
        raise UsageError(where="also", found=algorithms, wanted='several names, such as ("sha512",)')
    asked = tuple(sorted(set(algorithms)))
    for algorithm in asked:
        hasher(algorithm)
    return asked


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
    stamp = _feed(fd, (digest,), where, name, meter)
    return digest.hexdigest(), stamp


def digests_of(
    fd: int, algorithms: Sequence[str], *, where: str, name: str = "", meter: Meter | None = None
) -> tuple[tuple[bytes, ...], Stamp]:
    """Read an open regular file once; give its SHA-256, its digests by `algorithms`, and its stamp."""
    digests = (hashlib.sha256(), *map(hasher, algorithms))
    stamp = _feed(fd, digests, where, name, meter)
    return tuple(d.digest() for d in digests), stamp


def span_of(
    fd: int, start: int, end: int, algorithm: str, *, where: str, name: str = "", meter: Meter | None = None
) -> tuple[bytes, Stamp]:
    """Give the digest of the bytes from `start` up to `end` of an open regular file, and its stamp."""
    digest = hashlib.sha256() if algorithm == "sha256" else hasher(algorithm)
    stamp = _feed(fd, (digest,), where, name, meter, (start, end))
    return digest.digest(), stamp


def _feed(
    fd: int,
    digests: Sequence[hashlib._Hash],
    where: str,
    name: str,
    meter: Meter | None,
    span: tuple[int, int] | None = None,
) -> Stamp:
    before = Stamp.of(os.fstat(fd))
    # One byte more than the size, so that reading notices a file that grows.
    start, end = span or (0, before.size + 1)
    wanted = min(end, before.size) - start
    buffer = memoryview(bytearray(max(1, min(_BUFFER, end - start))))
    done = 0
    _advise(fd, start, end - start, where)
    while count := _read(fd, buffer[: end - start - done], where):
        done += count
        if done > wanted:
            break
        for digest in digests:
            digest.update(buffer[:count])
        # Outside of any `try`: what the caller's progress raises is none of the system's refusals.
        if meter is not None:
            meter.advance(name, count)
    after = Stamp.of(os.fstat(fd))
    if after != before or done != wanted:
        raise ArtifactUnstable(
            where=where, found=f"{max(done, after.size)} bytes", wanted=f"{before.size} bytes unchanged"
        )
    return after


def _advise(fd: int, start: int, length: int, where: str) -> None:
    """Go to the first byte, and let the system read ahead of us where there is much."""
    try:
        os.lseek(fd, start, os.SEEK_SET)
    except OSError as e:
        raise artifact_error(e, where, seen=True) from e
    if length >= _ADVISED_BYTES and hasattr(os, "posix_fadvise"):
        # Advice only: a filesystem that takes none is read all the same.
        with contextlib.suppress(OSError):
            os.posix_fadvise(fd, start, length, os.POSIX_FADV_SEQUENTIAL)


def _read(fd: int, buffer: memoryview, where: str) -> int:
    try:
        return os.readv(fd, (buffer,))
    except OSError as e:
        raise artifact_error(e, where, seen=True) from e
