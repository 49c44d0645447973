"""What are the digests of all files that a walk meets, and did none of them change meanwhile?

The stamp of each file, and of each directory, is taken as it is opened, and after the last byte was hashed all names
and stamps are taken a second time and compared. So at the moment between, the tree was what the digests say: nothing
had been written, and nothing moved there and back again.

Small files are read as they are met, in one call each; larger ones are left to the pool. What is kept of a file is its
name and a hundred bytes: a million files are no million objects.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, NoReturn

from glasswing_attest.artifact.files import MODE_BITS, FilesBuilder
from glasswing_attest.artifact.hashing import (
    FILE_FLAGS,
    STAMP_BYTES,
    Meter,
    Progress,
    Stopped,
    artifact_error,
    hasher,
    kind_of_file,
    packed,
)
from glasswing_attest.artifact.pool import Pool, Task
from glasswing_attest.artifact.walk import Looker, Parts, Run
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    NameRefused,
)

if TYPE_CHECKING:
    from glasswing_attest.artifact.cache import CacheSession

__all__ = ["Found", "find", "hash_spans"]

# Threads pay for themselves only where there is much to read: below, Python's own lock makes them wait for each other.
_POOL_FROM_BYTES = 48 << 10
_NO_DIGEST = bytes(32)


@dataclass(slots=True, kw_only=True)
class Found:
    """What the walk found, in the columns that a manifest will keep; every link; a packed stamp of all that it met."""

    files: FilesBuilder
    stamps: bytearray = field(default_factory=bytearray)
    folders: bytearray = field(default_factory=bytearray)
    links: dict[bytes, bytes] = field(default_factory=dict)
    excluded: list[str] = field(default_factory=list)

    def add(self, prefix: bytes, names: list[bytes], statuses: list[os.stat_result], digests: list[bytes]) -> int:
        """Note files of one directory with their SHA-256. Gives the number of the first."""
        files = self.files
        number = len(files)
        files.names += prefix + (b"\n" + prefix).join(names) + b"\n"
        files.sizes.extend([s.st_size for s in statuses])
        files.modes.extend([s.st_mode & MODE_BITS for s in statuses])
        files.digests += b"".join(digests)
        self.stamps += b"".join(map(packed, statuses))
        return number

    def note(self, looker: Looker, run: Run) -> list[Task]:
        """Note files that will be read later, and say how."""
        prefix, above = run.folder.prefix, run.folder.parts
        statuses = []
        for name in run.names:
            status = looker.status(run, name)
            if not stat.S_ISREG(status.st_mode):
                found = kind_of_file(status.st_mode)
                raise ArtifactUnstable(where=looker.where((prefix + name,)), found=found, wanted="a regular file")
            statuses.append(status)
        number = self.add(prefix, run.names, statuses, [_NO_DIGEST] * len(run.names))
        if run.link is not None:
            self.links[prefix + run.names[0]] = run.link.target
        return [
            Task(
                at,
                prefix + name,
                run.link.parts if run.link is not None else (*above, name),
                run.link is not None,
                packed(status),
                status.st_size,
            )
            for at, (name, status) in enumerate(zip(run.names, statuses, strict=True), number)
        ]

    def fill(self, number: int, values: Sequence[bytes]) -> None:
        """Note the digests of a file."""
        self.files.digests[32 * number : 32 * number + 32] = values[0]
        for column, value in zip(self.files.more.values(), values[1:], strict=True):
            column[len(value) * number : len(value) * (number + 1)] = value

    def values(self, number: int) -> tuple[bytes, ...]:
        """Give the digests of a file."""
        files, count = self.files, len(self.files)
        widths = ((c, len(c) // count) for c in (files.digests, *files.more.values()))
        return tuple(bytes(column[width * number : width * (number + 1)]) for column, width in widths)


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads what the walk meets: small files at once, the others through the pool."""

    looker: Looker
    found: Found
    pool: Pool
    meter: Meter
    also: tuple[str, ...]
    cache: CacheSession | None
    inline_below: int

    def read(self, run: Run) -> None:
        """Read, or hand over, the files of one run."""
        folder = run.folder
        prefix = folder.prefix
        if run.link is not None or self.cache is not None or self.inline_below == 0:
            self._look(run)
            return
        # Twenty lines that every small file of a large tree goes through: no call that is not needed, no look-up twice.
        directory, below, also, told = folder.fd, self.inline_below, self.also, self.meter.is_told
        open_, fstat, read, close, is_regular = os.open, os.fstat, os.read, os.close, stat.S_ISREG
        statuses: list[os.stat_result] = []
        digests: list[bytes] = []
        large: list[int] = []
        name = b""
        try:
            for name in run.names:
                fd = open_(name, FILE_FLAGS, dir_fd=directory)
                try:
                    status = fstat(fd)
                    size = status.st_size
                    if not is_regular(status.st_mode):
                        self._tell(prefix + name, kind_of_file(status.st_mode), "a regular file")
                    if size < below:
                        # One byte more than its size, so that a file that grew is noticed. That it was not written
                        # meanwhile, the second look will tell.
                        content = read(fd, size + 1)
                        if len(content) != size:
                            content = self._rest(fd, content, size, prefix + name)
                        digests.append(sha256(content).digest())
                        if also:
                            self._further(content)
                        if told and content:
                            self.meter.advance((prefix + name).decode("utf-8"), size)
                    else:
                        large.append(len(statuses))
                        digests.append(_NO_DIGEST)
                        if also:
                            self._further(None)
                    statuses.append(status)
                finally:
                    close(fd)
        except OSError as e:
            if e is self.meter.error:
                raise
            raise artifact_error(e, self.looker.where((*folder.parts, name)), seen=True) from e
        number = self.found.add(prefix, run.names, statuses, digests)
        for i in large:
            parts, stamp, size = (*folder.parts, run.names[i]), packed(statuses[i]), statuses[i].st_size
            self.pool.add(Task(number + i, prefix + run.names[i], parts, False, stamp, size))

    def _tell(self, name: bytes, found: str, wanted: str) -> NoReturn:
        raise ArtifactUnstable(where=self.looker.where((name,)), found=found, wanted=wanted)

    def _rest(self, fd: int, content: bytes, size: int, name: bytes) -> bytes:
        """Go on where one call did not give all of a small file."""
        while len(content) < size and (more := os.read(fd, size + 1 - len(content))):
            content += more
        if len(content) != size:
            self._tell(name, f"{len(content)} bytes", f"{size} bytes unchanged")
        return content

    def _further(self, content: bytes | None) -> None:
        for algorithm, column in self.found.files.more.items():
            digest = hasher(algorithm)
            if content is not None:
                digest.update(content)
            column.extend(bytes(digest.digest_size) if content is None else digest.digest())

    def _look(self, run: Run) -> None:
        """Take the stamps of files, and their digests from the cache, or hand them over."""
        tasks = self.found.note(self.looker, run)
        for _ in tasks:
            self._further(None)
        known = [None] * len(tasks) if self.cache is None else self._ask(self.cache, tasks)
        for task, values in zip(tasks, known, strict=True):
            if values is None:
                self.pool.add(task)
            else:
                self.found.fill(task.number, values)
                self.meter.advance(task.name.decode("utf-8"), task.size)

    def _ask(self, cache: CacheSession, tasks: list[Task]) -> list[tuple[bytes, ...] | None]:
        return cache.get([task.stamp for task in tasks], tasks[0].number)


def find(
    looker: Looker,
    also: tuple[str, ...],
    progress: Progress | None,
    executor: Executor | None,
    cache: CacheSession | None,
) -> Found:
    """Walk, hash whole files, and look again."""
    found = Found(files=FilesBuilder(also))
    meter = Meter(progress, looker.total() if progress is not None else 0)
    with closing(Pool(looker, found.fill, meter, executor, also)) as pool:
        below = _POOL_FROM_BYTES if executor is None else 0
        reader = _Reader(looker=looker, found=found, pool=pool, meter=meter, also=also, cache=cache, inline_below=below)
        _walk(looker, found, pool, meter, reader.read)
    return found


def hash_spans(
    looker: Looker,
    spans: Callable[[int], Iterable[tuple[int, int]]],
    progress: Progress | None,
    executor: Executor | None,
    algorithm: str = "sha256",
) -> tuple[list[tuple[str, int, tuple[str, ...]]], list[str]]:
    """Walk, hash the parts that `spans` makes of a size, and look again.

    Gives names, sizes and digests, and what was left out.
    """
    found = Found(files=FilesBuilder())
    meter = Meter(progress, looker.total() if progress is not None else 0)
    names: list[str] = []
    parts: list[list[str]] = []
    places: list[tuple[int, int]] = []

    def fill(place: int, values: tuple[bytes, ...]) -> None:
        number, at = places[place]
        parts[number][at] = values[0].hex()

    with closing(Pool(looker, fill, meter, executor)) as pool:

        def read(run: Run) -> None:
            for task in found.note(looker, run):
                names.append(task.name.decode("utf-8"))
                parts.append([])
                for at, (start, end) in enumerate(spans(task.size)):
                    parts[-1].append("")
                    places.append((task.number, at))
                    pool.add(task._replace(number=len(places) - 1, size=end - start, span=(start, end, algorithm)))

        _walk(looker, found, pool, meter, read)
    return list(zip(names, found.files.sizes, map(tuple, parts), strict=True)), found.excluded


def _walk(looker: Looker, found: Found, pool: Pool, meter: Meter, read: Callable[[Run], None]) -> None:
    try:
        with closing(looker.runs(found.excluded)) as runs:
            for run in runs:
                if run.names:
                    read(run)
                else:
                    found.folders += run.folder.stamp
        if not len(found.files):
            because = "everything in it is excluded" if found.excluded else ""
            raise ArtifactEmpty(where=looker.where(()), because=because)
        pool.finish()
    except Stopped:
        # Another thread was told first.
        if meter.error is None:
            raise
        raise meter.error from None
    found.excluded.sort(key=lambda path: path.encode("utf-8"))
    try:
        _look_again(looker, found)
    except (ArtifactIrregular, ArtifactUnreadable, NameRefused) as e:
        # It was not there at the first look.
        raise ArtifactUnstable(where=e.where, because=e.says) from e
    meter.require_total(looker.where(()))


# --- looking again ---------------------------------------------------------------------------------------------------


def _look_again(looker: Looker, found: Found) -> None:
    """Refuse a tree in which a name or a stamp is another than when it was read, and name the first that is."""
    old, at, number, folder = found.files.names, 0, 0, 0
    excluded: list[str] = []
    links: dict[bytes, bytes] = {}
    moved: Parts | None = None
    with closing(looker.runs(excluded)) as runs:
        for run in runs:
            if not run.names:
                if found.folders[folder : folder + STAMP_BYTES] != run.folder.stamp and moved is None:
                    moved = run.folder.parts
                folder += STAMP_BYTES
                continue
            prefix = run.folder.prefix
            names = b"".join([prefix + name + b"\n" for name in run.names])
            if old[at : at + len(names)] != names:
                _tell_names(looker, bytes(old[at:]), names)
            stamps = _stamps(looker, run)
            if found.stamps[number : number + len(stamps)] != stamps:
                _tell_stamps(looker, run, stamps, found.stamps[number : number + len(stamps)])
            if run.link is not None:
                links[prefix + run.names[0]] = run.link.target
            at, number = at + len(names), number + len(stamps)
    if at != len(old):
        _tell_names(looker, bytes(old[at:]), b"")
    different = sorted(found.links.items() ^ links.items()) or sorted(
        (path.encode("utf-8"), b"") for path in set(excluded) ^ set(found.excluded)
    )
    if different:
        raise ArtifactUnstable(where=looker.where((different[0][0],)), because="it was exchanged")
    # Told last: a file that came or went is what people look for, and its directory's times only follow from that.
    if moved is not None or folder != len(found.folders):
        raise ArtifactUnstable(where=looker.where(moved or ()), because="something in it was moved, or came and went")


def _stamps(looker: Looker, run: Run) -> bytes:
    if run.link is not None:
        return packed(looker.status(run, run.names[0]))
    fd, look, name = run.folder.fd, os.stat, b""
    found = []
    try:
        for name in run.names:
            found.append(packed(look(name, dir_fd=fd, follow_symlinks=False)))
    except OSError as e:
        raise artifact_error(e, looker.where((*run.folder.parts, name)), seen=True) from e
    return b"".join(found)


def _tell_names(looker: Looker, old: bytes, new: bytes) -> NoReturn:
    before, after = old.split(b"\n")[:-1], new.split(b"\n")[:-1]
    at = next((i for i, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        at = min(len(before), len(after))
    gone = before[at] if at < len(before) else None
    come = after[at] if at < len(after) else None
    if come is None or (gone is not None and gone < come):
        raise ArtifactUnstable(where=looker.where((gone or b"",)), because="it disappeared")
    raise ArtifactUnstable(where=looker.where((come,)), because="it appeared")


def _tell_stamps(looker: Looker, run: Run, new: bytes, old: bytes | bytearray) -> NoReturn:
    width = STAMP_BYTES
    at = next(i for i in range(len(run.names)) if new[width * i :][:width] != old[width * i :][:width])
    where = looker.where((*run.folder.parts, run.names[at]))
    raise ArtifactUnstable(where=where, because="it was written or exchanged")
