"""Which files need not be read again, because nothing about them changed?

A `DigestCache` remembers digests by what the system says of a file: device, inode, size, and the times of the last
change of its bytes and of its inode, to the nanosecond. Nobody can set the last of these at will, so a file that was
written has another. But clocks have a grain: of two writes within one grain the second leaves no trace. So a digest is
remembered only of a file that had been left alone for longer than any clock's grain when its reading began (git calls
the others "racily clean"); all others are read again, until they have aged.

Its answers only save time, if nobody else writes it, and if the system keeps its times: a disk that is written past the
system (a remote one with a clock of its own, a block device, a virtual machine's image) needs no trust in either. Who
doubts lets a random part of the answers be checked by reading (`sample`): where one is wrong, all are forgotten, and
everything is read.

It is one SQLite database. Several processes may use it at a time; where it is damaged or busy it is as if it were not
there, and each row carries a checksum of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import sqlite3
import stat
import time
from array import array
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.digest import digits_of
from glasswing_attest.artifact.hashing import STAMP_BYTES, Stamp
from glasswing_attest.errors import UnavailableError, UsageError

__all__ = ["CacheSession", "DigestCache"]

# FAT counts in two seconds, older filesystems in one, the others in the ticks of the system's clock.
_GRAIN_NS = 2_000_000_000
_FILE_BYTES = 16  # device and inode
_BUSY_SECONDS = 5.0
# So many files are asked for at once: old versions of SQLite take at most 999 values.
_ASKED = 500
_TABLE = """
CREATE TABLE IF NOT EXISTS digests (
    file BLOB NOT NULL, algorithm TEXT NOT NULL, stamp BLOB NOT NULL, value BLOB NOT NULL, proof BLOB NOT NULL,
    PRIMARY KEY (file, algorithm)
) WITHOUT ROWID
"""
_FIND = "SELECT stamp, value, proof FROM digests WHERE algorithm = ? AND file IN ({})"
_KEEP = "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?)"


class DigestCache:
    """Digests of files that did not change since they were read: ``Model(path).measure(cache=DigestCache(file))``.

    Whoever can write the database decides what is found. It is made for its owner alone. One that others may write is
    refused, and so is one in a directory that others may write: SQLite takes what it finds beside the database, under
    the name of a journal, into it.

    Attributes:
        path: the database. It is made when it is not there.
        sample: which part of the answers is checked by reading the file all the same: 0 none, 1 all.
    """

    __slots__ = ("path", "sample")

    def __init__(self, path: StrPath, *, sample: float = 0.0) -> None:
        if not 0.0 <= sample <= 1.0:
            raise UsageError(where="sample", found=str(sample), wanted="a part, from 0 to 1")
        self.path = Path(path)
        self.sample = sample

    @contextmanager
    def session(self, also: Sequence[str] = ()) -> Generator[CacheSession]:
        """Open it for one reading of a tree.

        Raises:
            UsageError: others than its owner may write it or its directory, or it is no file.
            UnavailableError: it cannot be made.
        """
        # Before any file is looked at: what is younger than this, less the grain, is not remembered.
        began = time.time_ns()
        self._require_own()
        session = CacheSession(self, ("sha256", *also), began)
        try:
            yield session
        finally:
            session.close()

    def clear(self) -> None:
        """Forget everything: the database is removed, also where it is damaged."""
        self._require_own()
        for suffix in ("", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").unlink()

    def _require_own(self) -> None:
        where = str(self.path)
        try:
            # First, so that nothing is left behind in a directory that is refused.
            self._require_ours(self.path.parent.stat(), {os.geteuid(), 0}, "others may write in its directory")
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        except (OSError, ValueError) as e:
            raise UnavailableError(where=where, because=getattr(e, "strerror", None) or str(e)) from e
        try:
            status = os.fstat(fd)
        finally:
            os.close(fd)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(where=where, found="no regular file", wanted="a file for the cache")
        self._require_ours(status, {os.geteuid()}, "others may write it")

    def _require_ours(self, status: os.stat_result, owners: set[int], because: str) -> None:
        if status.st_uid not in owners or status.st_mode & 0o022:
            raise UsageError(
                where=str(self.path),
                because=f"{because}, and so decide which digests are found",
                do="chmod go-w, or name a file in a directory of your own",
            )


class CacheSession:
    """One reading of a tree with a cache beside it. Used by one thread."""

    __slots__ = ("_algorithms", "_began", "_cache", "_connection", "_expected", "_missed")

    def __init__(self, cache: DigestCache, algorithms: tuple[str, ...], began: int) -> None:
        self._cache = cache
        self._algorithms = algorithms
        self._began = began
        self._missed = array("Q")
        self._expected: dict[int, tuple[bytes, ...]] = {}
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = sqlite3.connect(cache.path, timeout=_BUSY_SECONDS, isolation_level=None)
            # Losing the last rows with the power costs time only. That is all a row can cost.
            self._connection.execute("PRAGMA synchronous = OFF")
            self._connection.execute(_TABLE)
        except sqlite3.Error:
            self.close()

    def get(self, stamps: Sequence[bytes], number: int) -> list[tuple[bytes, ...] | None]:
        """Give the digests of files with these packed stamps, the first of which has this number.

        None stands where a file must be read: that is noted, so that what is read will be kept.
        """
        answers = self._find(stamps)
        for at, values in enumerate(answers):
            if values is not None and self._cache.sample > random.random():  # noqa: S311
                # Chosen to be read all the same. Nobody gains by guessing which: the cache is its owner's.
                self._expected[number + at] = values
                answers[at] = None
            if answers[at] is None:
                self._missed.append(number + at)
        return answers

    def _find(self, stamps: Sequence[bytes]) -> list[tuple[bytes, ...] | None]:
        found: list[dict[bytes, bytes]] = []
        for algorithm in self._algorithms:
            rows: dict[bytes, bytes] = {}
            for at in range(0, len(stamps), _ASKED):
                files = [stamp[:_FILE_BYTES] for stamp in stamps[at : at + _ASKED]]
                rows.update(
                    (stamp, value)
                    for stamp, value, proof in self._ask(algorithm, files)
                    if _is_sound(algorithm, stamp, value, proof)
                )
            found.append(rows)
        first, *more = found
        return [
            (first[stamp], *(rows[stamp] for rows in more)) if all(stamp in rows for rows in found) else None
            for stamp in stamps
        ]

    def _ask(self, algorithm: str, files: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        if self._connection is None:
            return []
        question = _FIND.format(", ".join("?" * len(files)))
        try:
            return self._connection.execute(question, (algorithm, *files)).fetchall()
        except sqlite3.Error:
            self.close()
            return []

    def keep(self, stamps: bytes | bytearray, values: Callable[[int], Sequence[bytes]]) -> bool:
        """Remember what was read. False, and all is forgotten, where it is not what had been remembered."""
        if any(tuple(values(number)) != expected for number, expected in self._expected.items()):
            self.close()
            self._cache.clear()
            return False
        if self._connection is not None and self._missed:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(_KEEP, self._rows(stamps, values))
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self.close()
        return True

    def _rows(
        self, stamps: bytes | bytearray, values: Callable[[int], Sequence[bytes]]
    ) -> Iterator[tuple[bytes, str, bytes, bytes, bytes]]:
        for number in self._missed:
            packed = bytes(stamps[STAMP_BYTES * number : STAMP_BYTES * (number + 1)])
            stamp = Stamp.unpack(packed)
            if max(stamp.mtime_ns, stamp.ctime_ns) >= self._began - _GRAIN_NS:
                continue
            for algorithm, value in zip(self._algorithms, values(number), strict=True):
                yield packed[:_FILE_BYTES], algorithm, packed, value, _proof(algorithm, packed, value)

    def close(self) -> None:
        """Close the database. What was not kept is lost, and nothing else."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _is_sound(algorithm: str, stamp: object, value: object, proof: object) -> bool:
    """Tell whether a row is one that was written here: anything may stand in a database that is damaged."""
    if not isinstance(stamp, bytes) or not isinstance(value, bytes) or len(value) * 2 != digits_of(algorithm):
        return False
    return proof == _proof(algorithm, stamp, value)


def _proof(algorithm: str, stamp: bytes, value: bytes) -> bytes:
    """A checksum over a row."""
    return hashlib.blake2b(stamp + value + algorithm.encode(), digest_size=16).digest()
