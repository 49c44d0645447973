r"""Where are they found by everybody who can see one directory? In a file each, called by its content.

    DIR/glasswing-attest-store.json      {"format": 1}: what makes a directory a store
    DIR/attestations/ab/ab12….json       an attestation, byte for byte, called by the SHA-256 of its bytes
    DIR/subjects/cd/cd34…-ab12…          empty: the attestation ab12… has a subject whose digest is called cd34…
    DIR/subjects/complete                empty: every attestation that is there was entered

A digest is called by the SHA-256 of ``algorithm:value``: nothing that evidence says ever becomes a path. An attestation
is entered among the subjects before it gets its name, and each name appears whole or not at all. So whatever a crash
leaves behind, what is there is found; an entry without its attestation is passed over. Nothing is ever locked, since
nobody changes a file that is there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from glasswing_attest._files import StrPath, read_bounded, write_atomic
from glasswing_attest.artifact.digest import Digest
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import StoreUnavailable, UsageError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.store.store import Item, require_attestation
from glasswing_attest.store.subjects import about, subjects_of

__all__ = ["DirectoryStore"]

_MARKER = "glasswing-attest-store.json"
_FORMAT = b'{"format": 1}\n'
_ATTESTATIONS = "attestations"
_SUBJECTS = "subjects"
_COMPLETE = "complete"
_SHARD = re.compile(r"[0-9a-f]{2}")
_NAME = re.compile(r"([0-9a-f]{64})\.json")
_ENTRY = re.compile(r"[0-9a-f]{64}-([0-9a-f]{64})")


class DirectoryStore:
    """Attestations in a directory. Threads and processes share it, also over a network filesystem.

    The first `add` makes the directory. What was put there by other means is listed, and found once `reindex` has
    entered it.

    >>> DirectoryStore("evidence").path
    PosixPath('evidence')
    """

    def __init__(self, path: StrPath, *, limits: Limits = DEFAULT) -> None:
        self.path = Path(path)
        self._limits = limits

    @staticmethod
    def is_one(path: StrPath) -> bool:
        """Tell whether a path leads to such a directory."""
        return Path(path, _MARKER).is_file()

    def add(self, attestation: Attestation) -> Item:
        """Keep an attestation, and give it as it is kept. When this returns, it is on disk and found.

        Raises:
            StoreUnavailable: it cannot be written.
            UsageError: a directory that holds something else, or no attestation.
        """
        data = require_attestation(attestation).bytes
        name = hashlib.sha256(data).hexdigest()
        place = self._place(name)
        with self._reached():
            self._prepare()
            self._enter(data, name)
            if self._read(place) != data:
                _folder(place.parent)
                write_atomic(place, data, error=StoreUnavailable)
        return Item(data=data, origin=str(place))

    def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
        """Give what is about a thing with one of the digests.

        The entries say where to look. Without them all, everything is read.

        Raises:
            StoreUnavailable: the store, or a file of it, cannot be read.
        """
        wanted = frozenset(digests)
        with self._reached():
            self._require()
            if not (self.path / _SUBJECTS / _COMPLETE).is_file():
                return about(self.list(), wanted, limits=self._limits)
            names = self._entered(frozenset(map(_called, wanted)))
        return self._items(sorted(names))

    def list(self) -> Iterator[Item]:
        """Give everything, in the order of names.

        Raises:
            StoreUnavailable: the store, or a file of it, cannot be read.
        """
        with self._reached():
            self._require()
        return self._items(self._names())

    def reindex(self) -> int:
        """Enter every attestation that is there anew, and tell how many there are. Whoever adds meanwhile may go on.

        Raises:
            StoreUnavailable: it cannot be read or written.
        """
        count = 0
        with self._reached():
            self._require()
            for name in self._names():
                data = self._read(self._place(name))
                if data is not None:
                    self._enter(data, name)
                    count += 1
            self._mark_complete()
        return count

    # --- what is there -----------------------------------------------------------------------------------------------

    def _require(self) -> None:
        found = read_bounded(self.path / _MARKER, "policy_bytes", self._limits, error=StoreUnavailable)
        if found != _FORMAT:
            raise StoreUnavailable(where=str(self.path / _MARKER), found=found[:64], wanted="format 1")

    def _names(self) -> Iterator[str]:
        folder = self.path / _ATTESTATIONS
        with self._reached():
            folder.stat()  # a shard may be gone, but a store without attestations is no store
            shards = sorted(filter(_SHARD.fullmatch, _listed(folder)))
        for shard in shards:
            with self._reached():
                files = sorted(_listed(folder / shard))
            yield from (found[1] for file in files if (found := _NAME.fullmatch(file)) and file[:2] == shard)

    def _entered(self, keys: frozenset[str]) -> set[str]:
        """Give the names that are entered under one of the keys."""
        found = set()
        for shard in {key[:2] for key in keys}:
            for file in _listed(self.path / _SUBJECTS / shard):
                if file[:64] in keys and (entry := _ENTRY.fullmatch(file)):
                    found.add(entry[1])
        return found

    def _items(self, names: Iterable[str]) -> Iterator[Item]:
        for name in names:
            place = self._place(name)
            with self._reached():
                data = self._read(place)
            if data is not None:
                yield Item(data=data, origin=str(place))

    def _read(self, place: Path) -> bytes | None:
        """Read an attestation; None where there is none. That the bytes are those of the name is nobody's concern."""
        try:
            return read_bounded(place, "evidence_bytes", self._limits, follow=False, error=StoreUnavailable)
        except StoreUnavailable as e:
            if isinstance(e.__cause__, FileNotFoundError):
                return None
            raise

    def _place(self, name: str) -> Path:
        return self.path / _ATTESTATIONS / name[:2] / f"{name}.json"

    # --- what is put there -------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Make the directory a store, if it is none yet. Several may do so at the same time."""
        if self.is_one(self.path):
            self._require()
            _folder(self.path / _SUBJECTS)
            return
        if not self.path.exists():
            _folder(self.path)
        names = sorted(path.name for path in self.path.iterdir())
        others = [n for n in names if n not in (_ATTESTATIONS, _SUBJECTS) and not n.startswith(".")]
        if others and not self.is_one(self.path):
            because = f"it is no store, and holds something else: {others[0]}"
            raise UsageError(where=str(self.path), because=because, do="name a directory that is new, or empty")
        for folder in (_SUBJECTS, _ATTESTATIONS):
            _folder(self.path / folder)
        if not _listed(self.path / _ATTESTATIONS):
            self._mark_complete()  # nothing is there, and whatever comes is entered first
        write_atomic(self.path / _MARKER, _FORMAT, error=StoreUnavailable)

    def _enter(self, data: bytes, name: str) -> None:
        folders = set()
        for key in map(_called, subjects_of(data, limits=self._limits)):
            folder = self.path / _SUBJECTS / key[:2]
            _folder(folder)
            _touch(folder / f"{key}-{name}")
            folders.add(folder)
        for folder in folders:
            _sync(folder)

    def _mark_complete(self) -> None:
        _folder(self.path / _SUBJECTS)
        _touch(self.path / _SUBJECTS / _COMPLETE)
        _sync(self.path / _SUBJECTS)

    @contextlib.contextmanager
    def _reached(self) -> Generator[None]:
        try:
            yield
        except OSError as e:
            raise StoreUnavailable(where=str(e.filename or self.path), because=e.strerror or str(e)) from e
        except ValueError as e:  # a path with a null byte
            raise StoreUnavailable(where=str(self.path), because=str(e)) from e


def _called(digest: Digest) -> str:
    return hashlib.sha256(str(digest).encode("utf-8", "surrogatepass")).hexdigest()


def _listed(folder: Path) -> list[str]:
    """Give the names in a directory; none where there is no directory. A link in its place is not followed."""
    try:
        _refuse_link(folder)
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except FileNotFoundError:
        return []


def _folder(folder: Path) -> None:
    """Make a directory that outlives a crash, if there is none. A link in its place is refused."""
    try:
        folder.mkdir()
    except FileExistsError:
        _refuse_link(folder)
    else:
        _sync(folder.parent)


def _refuse_link(folder: Path) -> None:
    if stat.S_ISLNK(os.lstat(folder).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "a link stands in the place of a directory", str(folder))


def _touch(path: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(path, flags, 0o644))


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as e:
        if e.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):  # some network filesystems cannot
            raise
    finally:
        os.close(fd)
