"""Which names are in a directory, in which order?

The root is held open, every directory is opened from the one above it, and no link is followed on the way, so that
nobody can lead the walk elsewhere by exchanging a directory for a link. Refused are links and everything else that is
not a regular file or directory, and names that a listing cannot carry.

The walk comes in the order of the listing, which is that of the bytes of whole names: in each directory by name, where
a directory counts as its name with a "/". So nothing is sorted but the names of one directory at a time.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn, TypeAlias

from glasswing_attest.artifact.files import name_problem
from glasswing_attest.artifact.hashing import artifact_error, kind_of_file, packed, packed_identity
from glasswing_attest.errors import ArtifactIrregular, ArtifactUnstable, NameRefused
from glasswing_attest.limits import Limits

__all__ = [
    "DIRECTORY_FLAGS",
    "Link",
    "Looker",
    "Parts",
    "Root",
    "Run",
    "display",
    "enter",
    "file_name",
    "open_directory",
    "real_parts",
]

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# So many names of one directory are worked on together.
_RUN = 4096
# How names of files become text, here.
_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
_SLASH = ord("/")

Root: TypeAlias = int | bytes
Parts: TypeAlias = tuple[bytes, ...]


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
def open_directory(root: Root, parts: Parts, where: str, *, seen: bool = True) -> Generator[int]:
    """Open a directory below `root`, part by part, and follow no link on the way."""
    fd = enter(root, parts, where, seen=seen)
    try:
        yield fd
    finally:
        os.close(fd)


def enter(root: Root, parts: Parts, where: str, *, seen: bool = True) -> int:
    """Open a directory as `open_directory` does, and leave it open."""
    fd = -1
    try:
        # Not dup(): a duplicate would share its reading position with the root and with other threads.
        below, start = (root, b".") if isinstance(root, int) else (None, root)
        fd = os.open(start, DIRECTORY_FLAGS, dir_fd=below)
        for part in parts:
            above, fd = fd, -1
            try:
                fd = os.open(part, DIRECTORY_FLAGS, dir_fd=above)
            finally:
                os.close(above)
    except OSError as e:
        raise artifact_error(e, where, seen=seen) from e
    return fd


class Link(NamedTuple):
    """A link that was followed: its text, and where the file lies below `links_within`."""

    target: bytes
    parts: Parts


@dataclass(slots=True, kw_only=True)
class _Folder:
    """A directory that is being walked. It is open as long as the walk is in it or below it."""

    fd: int
    parts: Parts
    stamp: bytes = b""  # as it was before its names were read
    keys: list[bytes] = field(default_factory=list)  # sorted; that of a directory ends with a slash
    links: frozenset[bytes] = frozenset()
    at: int = 0

    @property
    def prefix(self) -> bytes:
        return b"".join(part + b"/" for part in self.parts)


class Run(NamedTuple):
    """Some files of one directory, which is open, in their order. A link comes alone.

    Every directory begins with a run without names, so that those without files are met as well.
    """

    folder: _Folder
    names: list[bytes]
    link: Link | None = None


@dataclass(slots=True, kw_only=True)
class Looker:
    """Finds names. `base` is the directory that names are relative to, `single` the only file if it is not a tree.

    For this folder of the library: what it opens is open only while `OnDisk.looking` lasts.
    """

    base: bytes
    base_fd: int
    single: bytes | None
    own_name: str
    excluded: frozenset[bytes]
    left_out: frozenset[bytes]
    links: bytes | None
    links_fd: int
    limits: Limits
    real_base: Parts = field(default=())

    def where(self, parts: Iterable[bytes]) -> str:
        """Give a path below `base` for people and errors."""
        return display(self.base, parts)

    def runs(self, left_out: list[str]) -> Generator[Run]:
        """Walk, in the order of the listing. What is left out is noted. To be closed, for it holds directories open."""
        if self.single is not None:
            yield self._only(self.single)
            return
        entries = 0
        folders: list[_Folder] = []
        try:
            fd = enter(self.base_fd, (), self.where(()))
            folders.append(_Folder(fd=fd, parts=()))
            entries = self._read(folders[-1], entries, left_out)
            yield Run(folders[-1], [])
            while folders:
                folder = folders[-1]
                keys, at = folder.keys, folder.at
                if at == len(keys):
                    os.close(folders.pop().fd)
                elif keys[at][-1] == _SLASH:
                    folder.at += 1
                    parts = (*folder.parts, keys[at][:-1])
                    try:
                        fd = os.open(parts[-1], DIRECTORY_FLAGS, dir_fd=folder.fd)
                    except OSError as e:
                        raise artifact_error(e, self.where(parts), seen=True) from e
                    folders.append(_Folder(fd=fd, parts=parts))
                    entries = self._read(folders[-1], entries, left_out)
                    yield Run(folders[-1], [])
                elif keys[at] in folder.links:
                    folder.at += 1
                    yield Run(folder, [keys[at]], self._follow(folder, keys[at]))
                else:
                    end = min(at + _RUN, len(keys))
                    while at < end and keys[at][-1] != _SLASH and keys[at] not in folder.links:
                        at += 1
                    names, folder.at = keys[folder.at : at], at
                    yield Run(folder, names)
        finally:
            for folder in folders:
                os.close(folder.fd)

    def _read(self, folder: _Folder, entries: int, left_out: list[str]) -> int:
        """List a directory: all that is to know of the folder. Gives how many entries were seen by now."""
        prefix, keys, links, irregular = folder.prefix, folder.keys, [], []
        bound, left_before = self.limits.tree_files, len(left_out)
        excludes = bool(self.excluded or self.left_out)
        try:
            status = os.fstat(folder.fd)
            with os.scandir(folder.fd) as found:
                for entry in found:
                    entries += 1
                    if entries > bound:
                        self.limits.check("tree_files", entries, where=self.where(()))
                    raw = entry.name.encode(_ENCODING, _ERRORS)
                    if excludes and (raw in self.left_out or prefix + raw in self.excluded):
                        left_out.append((prefix + raw).decode("utf-8"))
                    elif entry.is_file(follow_symlinks=False):
                        keys.append(raw)
                    elif entry.is_dir(follow_symlinks=False):
                        keys.append(raw + b"/")
                    elif self.links is not None and entry.is_symlink():
                        keys.append(raw)
                        links.append(raw)
                    else:
                        irregular.append(raw)
        except OSError as e:
            raise artifact_error(e, self.where(folder.parts), seen=True) from e
        keys.sort()
        folder.links = frozenset(links)
        # What is left out may come and go, and with it the directory's times. Then only its identity counts.
        folder.stamp = packed(status) if len(left_out) == left_before else packed_identity(status)
        self._check_names(folder.parts, [*keys, *irregular])
        if irregular:
            self._tell_irregular(folder, min(irregular))
        return entries

    def _check_names(self, above: Parts, keys: list[bytes]) -> None:
        """Check all names of a directory at once, and look for the one only where something is wrong."""
        if not keys:
            return
        self.limits.check("tree_depth", len(above) + 1, where=self.where((*above, keys[0].rstrip(b"/"))))
        room = self.limits.name_bytes - sum(len(part) + 1 for part in above)
        try:
            is_safe = name_problem(b"/".join(keys).decode("utf-8").replace("//", "/").rstrip("/")) is None
        except UnicodeDecodeError:
            is_safe = False
        if is_safe and max(map(len, keys)) <= room:
            return
        for key in keys:
            parts = (*above, key.rstrip(b"/"))
            name = b"/".join(parts)
            self.limits.check("name_bytes", len(name), where=self.where(parts))
            file_name(name, self.where(parts))

    def _tell_irregular(self, folder: _Folder, raw: bytes) -> NoReturn:
        where = self.where((*folder.parts, raw))
        try:
            mode = os.stat(raw, dir_fd=folder.fd, follow_symlinks=False).st_mode
        except OSError as e:
            raise artifact_error(e, where, seen=True) from e
        raise ArtifactIrregular(where=where, found=kind_of_file(mode), wanted="a regular file or directory")

    def _only(self, name: bytes) -> Run:
        """Look at the single file."""
        where = self.where((name,))
        folder = _Folder(fd=self.base_fd, parts=())
        self._check_names((), [name])
        try:
            mode = os.stat(name, dir_fd=self.base_fd, follow_symlinks=False).st_mode
        except OSError as e:
            raise artifact_error(e, where, seen=True) from e
        if stat.S_ISDIR(mode):
            raise ArtifactUnstable(where=where, found="a directory", wanted="a regular file")
        if stat.S_ISLNK(mode) and self.links is not None:
            return Run(folder, [name], self._follow(folder, name))
        if not stat.S_ISREG(mode):
            self._tell_irregular(folder, name)
        return Run(folder, [name])

    def _follow(self, folder: _Folder, raw: bytes) -> Link:
        """Resolve one link to a regular file below `links`."""
        where = self.where((*folder.parts, raw))
        try:
            target = os.readlink(raw, dir_fd=folder.fd)
        except OSError as e:
            raise artifact_error(e, where, seen=True) from e
        inner = self._inside(target, folder.parts)
        if inner is None:
            raise ArtifactIrregular(
                where=where,
                found=f"a link to {os.fsdecode(target)}",
                wanted=f"a link to a file within {os.fsdecode(self.links or b'')}",
            )
        link = Link(target, inner)
        mode = self.status(Run(folder, [raw], link), raw, seen=False).st_mode
        if not stat.S_ISREG(mode):
            found = f"a link to {kind_of_file(mode)}"
            raise ArtifactIrregular(where=where, found=found, wanted="a link to a regular file")
        return link

    def status(self, run: Run, name: bytes, *, seen: bool = True) -> os.stat_result:
        """Look at one file of a run; through its link, if it has one."""
        try:
            if run.link is None:
                return os.stat(name, dir_fd=run.folder.fd, follow_symlinks=False)
        except OSError as e:
            raise artifact_error(e, self.where((*run.folder.parts, name)), seen=seen) from e
        where = self.where((*run.folder.parts, name))
        with open_directory(self.links_fd, run.link.parts[:-1], where, seen=False) as directory:
            try:
                return os.stat(run.link.parts[-1], dir_fd=directory, follow_symlinks=False)
            except OSError as e:
                raise artifact_error(e, where, seen=seen) from e

    def _inside(self, target: bytes, above: Parts) -> Parts | None:
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
        root = real_parts(self.links or b"")
        inner = full[len(root) :]
        return inner if inner and full[: len(root)] == root else None

    def total(self) -> int:
        """Sum up the sizes as they are now: what a progress is told at the start."""
        with closing(self.runs([])) as runs:
            return sum(self.status(run, name).st_size for run in runs for name in run.names)


def real_parts(path: bytes) -> Parts:
    """Give the parts of a path without links."""
    return tuple(p for p in os.path.realpath(path).split(b"/") if p)
