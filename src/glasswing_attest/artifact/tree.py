r"""What files are in a directory, and what are their digests?

The root is held open, and every name is opened below it part by part without following links, so that nobody can lead
the walk elsewhere by exchanging a directory for a link. Refused are links and everything else that is not a regular
file or directory, names that a listing cannot carry, an empty tree, and a tree that changes: after hashing, all names
and stamps are taken a second time and compared. The digest is in-toto's ``dirHash``, and a person can redo it::

    find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0r sha256sum -- | sha256sum

Nothing is excluded by default. Who excludes says so by exact path, and what was left out stands in the manifest.
"""

from __future__ import annotations

import copy
import os
import stat
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeVar

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.hashing import (
    Meter,
    Progress,
    Stamp,
    artifact_error,
    kind_of_file,
    open_file,
    sha256_of,
)
from glasswing_attest.artifact.manifest import FileEntry, Manifest, name_problem
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    NameRefused,
    UsageError,
)
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["OnDisk", "display", "file_name", "open_directory"]

_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Threads pay for themselves only where there is much to read.
_POOL_FROM_BYTES = 8 << 20
_POOL_WORKERS = 8
# One task reads up to so many files or bytes, and so many tasks wait at most: ten million files are not ten million
# tasks at once.
_BATCH_FILES = 64
_BATCH_BYTES = 16 << 20
_WAITING = 128

_Root = int | bytes
_Parts = tuple[bytes, ...]
_S = TypeVar("_S", bound="OnDisk")


def display(root: bytes, parts: Iterable[bytes] = ()) -> str:
    """Give a path for people and errors."""
    return os.fsdecode(b"/".join((root, *parts)))


def file_name(raw: bytes, where: str) -> str:
    """Give a name from disk as text, or raise `NameRefused`."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError as e:
        raise NameRefused(where=where, because="the name is not UTF-8") from e
    problem = name_problem(name)
    if problem:
        raise NameRefused(where=where, because=problem)
    return name


@contextmanager
def open_directory(root: _Root, parts: _Parts, where: str, *, seen: bool = True) -> Generator[int]:
    """Open a directory below `root`, part by part, and follow no link on the way."""
    fd = -1
    try:
        try:
            # Not dup(): a duplicate would share its reading position with the root and with other threads.
            below, start = (root, b".") if isinstance(root, int) else (None, root)
            fd = os.open(start, _DIRECTORY_FLAGS, dir_fd=below)
            for part in parts:
                child = os.open(part, _DIRECTORY_FLAGS, dir_fd=fd)
                os.close(fd)
                fd = child
        except OSError as e:
            raise artifact_error(e, where, seen=seen) from e
        yield fd
    finally:
        if fd >= 0:
            os.close(fd)


# --- looking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A file that was seen: its name, where its bytes lie (below the tree, or below `links_within`), and its stamp."""

    name: str
    parts: _Parts
    target: bytes = b""  # the text of the link, where it is one
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One look at a tree or at a single file. Two of them, before and after hashing, must be equal."""

    files: tuple[_Seen, ...]
    excluded: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Looker:
    """Looks at names and stamps. `base` is the directory that names are relative to."""

    base: bytes
    base_fd: int
    excluded: frozenset[_Parts]
    left_out: frozenset[bytes]
    links: bytes | None
    links_fd: int
    limits: Limits
    real_base: _Parts = field(default=())

    def where(self, parts: _Parts) -> str:
        return display(self.base, parts)

    def tree(self) -> _Look:
        files: list[_Seen] = []
        left_out: list[str] = []
        entries = 0
        waiting: list[_Parts] = [()]
        while waiting:
            above = waiting.pop()
            with open_directory(self.base_fd, above, self.where(above)) as fd:
                for raw in self._names(fd, above):
                    parts = (*above, raw)
                    entries += 1
                    self.limits.check("tree_files", entries, where=self.where(()))
                    if parts in self.excluded or raw in self.left_out:
                        left_out.append(b"/".join(parts).decode("utf-8"))
                        continue
                    self.limits.check("tree_depth", len(parts), where=self.where(parts))
                    found = self.one(fd, parts)
                    if found is None:
                        waiting.append(parts)
                    else:
                        files.append(found)
        files.sort(key=lambda f: f.name.encode("utf-8"))
        return _Look(files=tuple(files), excluded=tuple(sorted(left_out, key=lambda p: p.encode("utf-8"))))

    def _names(self, fd: int, above: _Parts) -> list[bytes]:
        try:
            with os.scandir(fd) as entries:
                return [os.fsencode(entry.name) for entry in entries]
        except OSError as e:
            raise artifact_error(e, self.where(above), seen=True) from e

    def one(self, fd: int, parts: _Parts, *, seen: bool = True) -> _Seen | None:
        """Look at one name of the directory `fd`: a file, or None for a directory. All else is refused."""
        where = self.where(parts)
        joined = b"/".join(parts)
        self.limits.check("name_bytes", len(joined), where=where)
        name = file_name(joined, where)
        try:
            status = os.stat(parts[-1], dir_fd=fd, follow_symlinks=False)
        except OSError as e:
            raise artifact_error(e, where, seen=seen) from e
        if stat.S_ISREG(status.st_mode):
            return _Seen(name=name, parts=parts, stamp=Stamp.of(status))
        if stat.S_ISDIR(status.st_mode):
            return None
        if stat.S_ISLNK(status.st_mode) and self.links is not None:
            return self._linked(fd, parts, name)
        raise ArtifactIrregular(where=where, found=kind_of_file(status.st_mode), wanted="a regular file or directory")

    def _linked(self, fd: int, parts: _Parts, name: str) -> _Seen:
        """Resolve one link to a regular file below `links`."""
        where = self.where(parts)
        try:
            target = os.readlink(parts[-1], dir_fd=fd)
        except OSError as e:
            raise artifact_error(e, where, seen=True) from e
        inner = self._inside(target, parts[:-1])
        if inner is None:
            raise ArtifactIrregular(
                where=where,
                found=f"a link to {os.fsdecode(target)}",
                wanted=f"a link to a file within {os.fsdecode(self.links or b'')}",
            )
        with open_directory(self.links_fd, inner[:-1], where, seen=False) as directory:
            try:
                status = os.stat(inner[-1], dir_fd=directory, follow_symlinks=False)
            except OSError as e:
                raise artifact_error(e, where) from e
        if not stat.S_ISREG(status.st_mode):
            found = f"a link to {kind_of_file(status.st_mode)}"
            raise ArtifactIrregular(where=where, found=found, wanted="a link to a regular file")
        return _Seen(name=name, parts=inner, target=target, stamp=Stamp.of(status))

    def _inside(self, target: bytes, above: _Parts) -> _Parts | None:
        """Give the target's parts below `links`, or None where it does not plainly lie there.

        The target is resolved by its text alone. That is what the system does too, as long as ``..`` comes first (the
        directories above are real ones), and as no part below `links` is a link, which opening it refuses.
        """
        pieces = [p for p in target.split(b"/") if p not in (b"", b".")]
        ups = next((i for i, p in enumerate(pieces) if p != b".."), len(pieces))
        if b".." in pieces[ups:] or target.endswith(b"/"):
            return None
        if target.startswith(b"/"):
            full = tuple(pieces) if not ups else ()
        else:
            start = (*self.real_base, *above)
            full = (*start[: max(0, len(start) - ups)], *pieces[ups:])
        root = _real_parts(self.links or b"")
        inner = full[len(root) :]
        return inner if inner and full[: len(root)] == root else None


def _real_parts(path: bytes) -> _Parts:
    return tuple(p for p in os.path.realpath(path).split(b"/") if p)


# --- hashing what was seen -------------------------------------------------------------------------------------------


def _hash_batch(
    base: _Root, links: _Root | None, where: bytes, batch: tuple[_Seen, ...], meter: Meter | None
) -> list[str]:
    """Hash some files. Stands at the top of the module, with plain arguments, so that any executor can run it."""
    found = []
    for seen in batch:
        shown = display(where, (seen.name.encode("utf-8"),))
        root = base if not seen.target or links is None else links
        with open_directory(root, seen.parts[:-1], shown) as directory:
            fd = open_file(seen.parts[-1], dir_fd=directory, where=shown)
        try:
            value, stamp = sha256_of(fd, where=shown, name=seen.name, meter=meter)
        finally:
            os.close(fd)
        if not stamp.same_file_as(seen.stamp):
            raise ArtifactUnstable(where=shown, because="it is not the file that was listed")
        found.append(value)
    return found


def _batches(files: Iterable[_Seen]) -> Iterator[tuple[_Seen, ...]]:
    batch: list[_Seen] = []
    size = 0
    for seen in files:
        batch.append(seen)
        size += seen.stamp.size
        if len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)


def _hash_all(looker: _Looker, files: tuple[_Seen, ...], meter: Meter, executor: Executor | None) -> list[FileEntry]:
    digests: list[str] = []
    if executor is None and (len(files) == 1 or sum(f.stamp.size for f in files) < _POOL_FROM_BYTES):
        links = looker.links_fd if looker.links is not None else None
        for batch in _batches(files):
            digests += _hash_batch(looker.base_fd, links, looker.base, batch, meter)
    else:
        with ThreadPoolExecutor(_POOL_WORKERS) if executor is None else nullcontext(executor) as pool:
            digests = _hash_in(pool, looker, files, meter)
    return [
        FileEntry(name=seen.name, size=seen.stamp.size, sha256=digest)
        for seen, digest in zip(files, digests, strict=True)
    ]


def _hash_in(pool: Executor, looker: _Looker, files: tuple[_Seen, ...], meter: Meter) -> list[str]:
    # Threads share our open directories and our meter. Another process, or another machine, opens the path itself.
    threads = isinstance(pool, ThreadPoolExecutor)
    base: _Root = looker.base_fd if threads else b"/" + b"/".join(looker.real_base)
    links: _Root | None = None
    if looker.links is not None:
        links = looker.links_fd if threads else os.path.realpath(looker.links)
    waiting: deque[tuple[tuple[_Seen, ...], Future[list[str]]]] = deque()
    digests: list[str] = []

    def collect() -> None:
        batch, future = waiting.popleft()
        digests.extend(future.result())
        if not threads:
            for seen in batch:
                meter.advance(seen.name, seen.stamp.size)

    try:
        # Results are taken in the order of names: the outcome, and which error is told, do not depend on timing.
        for batch in _batches(files):
            if len(waiting) >= _WAITING:
                collect()
            arguments = (base, links, looker.base, batch, meter if threads else None)
            waiting.append((batch, pool.submit(_hash_batch, *arguments)))
        while waiting:
            collect()
    finally:
        for _, future in waiting:
            future.cancel()
        # Running tasks use our descriptors, which are closed next: wait for them.
        for _, future in waiting:
            if not future.cancelled():
                future.exception()
    return digests


# --- artifacts on disk -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, init=False)
class OnDisk:
    """A directory or a single file, at a path. What `Model`, `Dataset` and `File` have in common.

    Attributes:
        path: where it is. Must not itself be a symlink.
        name: what to call it; by default the last part of the path.
        exclude: exact paths relative to the directory (``.git``, ``.cache/huggingface``) that are left out with all
            that is below them. No patterns. What was left out stands in the manifest.
        links_within: follow one link from a name in the tree to a regular file below this directory.
    """

    _kind: ClassVar[str] = "file"
    _trees: ClassVar[bool] = True
    # Names that are left out wherever they stand: only for kinds of trees whose definition says so.
    _left_out: ClassVar[frozenset[bytes]] = frozenset()

    path: Path
    name: str
    exclude: tuple[str, ...]
    links_within: Path | None

    def __init__(
        self,
        path: StrPath,
        name: str | None = None,
        *,
        exclude: Iterable[str] = (),
        links_within: StrPath | None = None,
    ) -> None:
        if isinstance(exclude, str):
            raise UsageError(where="exclude", found=exclude, wanted='a tuple of paths, such as (".git",)')
        exclude = tuple(exclude)
        for excluded in exclude:
            problem = name_problem(excluded)
            if problem:
                wanted = "an exact path relative to the directory, without a trailing slash"
                raise UsageError(where="exclude", found=excluded, wanted=wanted, because=problem)
        object.__setattr__(self, "path", Path(path))
        object.__setattr__(self, "name", name or "")
        object.__setattr__(self, "exclude", exclude)
        object.__setattr__(self, "links_within", None if links_within is None else Path(links_within))

    @property
    def kind(self) -> str:
        """What it is used as: ``model``, ``dataset`` or ``file``."""
        return self._kind

    def measure(
        self, *, progress: Progress | None = None, limits: Limits = DEFAULT, executor: Executor | None = None
    ) -> Manifest:
        """Hash every file, and give what was found.

        Args:
            progress: is called with a `ProgressEvent` as bytes are read, by one thread at a time.
            limits: bounds on the number of files, the depth and the length of names.
            executor: where to hash: threads by default, else any `concurrent.futures.Executor` whose workers see the
                same path.

        Raises:
            ArtifactError: it cannot be read, is empty or irregular, has a name that is refused, or changes meanwhile.
            LimitError: it is too large or too deep.
        """
        path = os.fsencode(self.path)
        where = os.fspath(self.path)
        try:
            status = os.lstat(path)
        except (OSError, ValueError) as e:
            raise ArtifactUnreadable(where=where, because=getattr(e, "strerror", None) or str(e)) from e
        is_tree = stat.S_ISDIR(status.st_mode)
        if is_tree and not self._trees:
            raise ArtifactIrregular(
                where=where, found="a directory", wanted="a regular file", do="use Model or Dataset for a directory"
            )
        if stat.S_ISLNK(status.st_mode) and self.links_within is None:
            raise ArtifactIrregular(where=where, found="a symlink", do="give the path that the link points to")
        # A single file is a name in its directory, and is looked at and hashed like any other.
        base = path if is_tree else os.fsencode(self.path.parent)
        own_name = os.fsencode(self.path.resolve().name if is_tree else self.path.name)
        name = self.name or (file_name(own_name, where) if own_name else "")
        # A tree's root may not be exchanged for a link; what is above a single file may be reached through links.
        flags = _DIRECTORY_FLAGS if is_tree else _DIRECTORY_FLAGS & ~os.O_NOFOLLOW
        with _opened(base, flags) as base_fd, _opened(self._links(), _DIRECTORY_FLAGS) as links_fd:
            looker = _Looker(
                base=base,
                base_fd=base_fd,
                excluded=frozenset(tuple(e.encode("utf-8").split(b"/")) for e in self.exclude),
                left_out=self._left_out,
                links=self._links(),
                links_fd=links_fd,
                limits=limits,
                real_base=_real_parts(base),
            )
            return self._measure(looker, is_tree, own_name, name, progress, executor)

    def _links(self) -> bytes | None:
        return None if self.links_within is None else os.path.realpath(os.fsencode(self.links_within))

    def _measure(
        self,
        looker: _Looker,
        is_tree: bool,
        own_name: bytes,
        name: str,
        progress: Progress | None,
        executor: Executor | None,
    ) -> Manifest:
        def look() -> _Look:
            if is_tree:
                return looker.tree()
            found = looker.one(looker.base_fd, (own_name,))
            if found is None:
                raise ArtifactUnstable(where=looker.where((own_name,)), found="a directory", wanted="a regular file")
            return _Look(files=(found,), excluded=())

        before = look()
        if not before.files:
            because = "everything in it is excluded" if before.excluded else ""
            raise ArtifactEmpty(where=looker.where(()), because=because)
        meter = Meter(progress, sum(f.stamp.size for f in before.files))
        entries = _hash_all(looker, before.files, meter, executor)
        try:
            after = look()
        except (ArtifactIrregular, ArtifactUnreadable, NameRefused) as e:
            # It was not there at the first look.
            raise ArtifactUnstable(where=e.where, because=e.says) from e
        _compare(looker, before, after)
        again = self._settled()
        if is_tree:
            return Manifest.of_tree(
                self.kind, entries, name=name, excluded=before.excluded, location=again.path, measured_by=again
            )
        return Manifest.of_file(self.kind, entries[0], name=name, location=again.path, measured_by=again)

    def _settled(self: _S) -> _S:
        """Give the same artifact with absolute paths: it stays the same wherever the process goes."""
        settled = copy.copy(self)
        object.__setattr__(settled, "path", self.path.absolute())
        if self.links_within is not None:
            object.__setattr__(settled, "links_within", self.links_within.absolute())
        return settled

    @classmethod
    def from_hf_snapshot(cls: type[_S], path: StrPath, name: str | None = None, *, exclude: Iterable[str] = ()) -> _S:
        """Name a snapshot in a Hugging Face cache: ``…/models--org--name/snapshots/<revision>``.

        Its files are links into ``blobs/`` beside ``snapshots/``; these links, and no others, are followed. The name is
        ``org/name`` unless another is given.
        """
        snapshot = Path(path).absolute()
        repository = snapshot.parent.parent
        prefix, *parts = repository.name.split("--")
        if snapshot.parent.name != "snapshots" or prefix not in ("models", "datasets", "spaces") or not parts:
            wanted = "a directory such as …/models--org--name/snapshots/<revision>"
            raise UsageError(where=os.fspath(path), wanted=wanted)
        return cls(snapshot, name or "/".join(parts), exclude=exclude, links_within=repository / "blobs")


@contextmanager
def _opened(path: bytes | None, flags: int) -> Generator[int]:
    """Hold a directory open; of None, give -1."""
    if path is None:
        yield -1
        return
    try:
        fd = os.open(path, flags)
    except OSError as e:
        raise artifact_error(e, os.fsdecode(path)) from e
    try:
        yield fd
    finally:
        os.close(fd)


def _compare(looker: _Looker, before: _Look, after: _Look) -> None:
    """Refuse a tree whose second look differs, and name the first path that does."""
    if before == after:
        return
    old = {f.name: f for f in before.files} | dict.fromkeys(before.excluded)
    new = {f.name: f for f in after.files} | dict.fromkeys(after.excluded)
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            because = "it disappeared"
        elif name not in old:
            because = "it appeared"
        elif old[name] != new[name]:
            because = "it was written or exchanged"
        else:
            continue
        raise ArtifactUnstable(where=looker.where((name.encode("utf-8"),)), because=because)
