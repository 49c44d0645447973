"""Which files does a manifest name, when there may be millions of them?

A `FileEntry` is one file. `Files` is a sequence of them that is kept in columns (all names in one run of bytes, sizes
in one array, digests in another run), because a million small objects would need ten times the memory. It gives entries
when it is asked for them, and cannot be wrong about itself: names are safe, unique and sorted by their UTF-8 bytes,
none is also the directory of another, and an empty file, and no other, has the digest of nothing.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, pairwise
from operator import lt
from types import MappingProxyType
from typing import overload

from glasswing_attest.artifact.digest import DigestSet, digits_of
from glasswing_attest.errors import DigestRefused, FieldRefused

__all__ = ["MODE_BITS", "FileEntry", "Files", "FilesBuilder", "dir_hash", "name_problem"]

# Of a file's mode only what matters to who loads it: setuid, setgid, executable, writable by everybody.
MODE_BITS = 0o6113

_SHA256 = re.compile(r"[0-9a-f]{64}")
_EMPTY = hashlib.sha256(b"")
_EMPTY_SHA256 = _EMPTY.hexdigest()
# Unicode's category Cc is exactly these; sha256sum escapes names with a backslash or a line end, so neither may occur.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# The same in names with a line end between each two.
_UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\\]|(?:^|[/\n])\.{0,2}(?:[/\n]|$)")
# So many files are looked at together: what is unpacked for them is small, and what each costs is Python's least.
_CHUNK = 4096


def name_problem(name: str) -> str | None:
    """Say why `name` cannot stand in a listing, or None where it can.

    >>> name_problem("sub/vocab.txt")
    >>> name_problem("../escape")
    "a part of the name is empty, '.' or '..'"
    """
    if _CONTROL.search(name):
        return "a control character in the name"
    if "\\" in name:
        return "a backslash in the name"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "a part of the name is empty, '.' or '..'"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    return None


_NO_DIGESTS = DigestSet(())


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file of a manifest.

    Attributes:
        name: relative to the artifact's root; a single file's own name.
        size: its bytes. None only where a bare listing did not tell it.
        sha256: what identifies it.
        more: further digests of the same bytes, where they were asked for. Never what identifies it alone.
        mode: the bits of its mode that a reader should know of (see `is_executable` and the rest), as found on disk.
            No part of any digest, nor of equality: they do not survive a download.
    """

    name: str
    size: int | None
    sha256: str
    more: DigestSet = _NO_DIGESTS
    mode: int = field(default=0, compare=False, repr=False)

    @property
    def line(self) -> str:
        """The file's line in the listing, with its line end."""
        return f"{self.sha256}  {self.name}\n"

    @property
    def is_executable(self) -> bool:
        """Whether somebody may run it."""
        return bool(self.mode & 0o111)

    @property
    def is_setuid(self) -> bool:
        """Whether it runs with its owner's or group's rights."""
        return bool(self.mode & 0o6000)

    @property
    def is_world_writable(self) -> bool:
        """Whether everybody on the machine may change it."""
        return bool(self.mode & 0o002)


class Files(Sequence[FileEntry]):
    """The files of a manifest, sorted: a sequence of `FileEntry`, which are made when they are asked for.

    >>> files = Files.of([FileEntry(name="a", size=0, sha256=hashlib.sha256(b"").hexdigest())])
    >>> files[0].name, len(files)
    ('a', 1)
    """

    __slots__ = ("_digests", "_modes", "_more", "_names", "_sizes", "_starts", "_unknown")

    _names: bytes  # each with a line end
    _starts: array[int]  # of each name, and of what would come next
    _sizes: array[int]  # of an unknown size: 0
    _digests: bytes  # 32 bytes each
    _modes: array[int] | None  # None: no file has a bit that matters
    _more: Mapping[str, bytes]
    _unknown: bool  # whether there is an unknown size

    def __init__(self) -> None:
        raise TypeError("use Files.of(...)")

    @classmethod
    def of(cls, entries: Iterable[FileEntry]) -> Files:
        """Keep entries, which must be in order.

        Raises:
            FieldRefused: a name is not safe, not unique or not in order, or a size cannot be.
            DigestRefused: a SHA-256 is none, or not every file has the same further digests.
        """
        builder = FilesBuilder()
        for entry in entries:
            builder.add(entry)
        return builder.build()

    # --- as a sequence ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, at: int) -> FileEntry: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[FileEntry, ...]: ...
    def __getitem__(self, at: int | slice) -> FileEntry | tuple[FileEntry, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        i = range(len(self))[at]
        return self._entry(i, self.name_bytes(i).decode("utf-8"), self._digests[32 * i : 32 * i + 32].hex())

    def __iter__(self) -> Iterator[FileEntry]:
        for start, names, digests in self._chunks():
            for i, (name, sha256) in enumerate(zip(names, digests, strict=True), start):
                yield self._entry(i, name, sha256)

    def _entry(self, i: int, name: str, sha256: str) -> FileEntry:
        size = self._sizes[i]
        is_known = size != 0 or not self._unknown or sha256 == _EMPTY_SHA256
        mode = 0 if self._modes is None else self._modes[i]
        if not self._more:
            return FileEntry(name=name, size=size if is_known else None, sha256=sha256, mode=mode)
        more = {}
        for algorithm, values in self._more.items():
            width = len(values) // len(self)
            more[algorithm] = values[width * i : width * i + width].hex()
        return FileEntry(name=name, size=size if is_known else None, sha256=sha256, more=DigestSet.of(more), mode=mode)

    def _chunks(self) -> Iterator[tuple[int, list[str], list[str]]]:
        """Give some files at a time: the number of the first, their names and their digests."""
        for start in range(0, len(self), _CHUNK):
            end = min(start + _CHUNK, len(self))
            names = self._names[self._starts[start] : self._starts[end] - 1].decode("utf-8").split("\n")
            yield start, names, self._digests[32 * start : 32 * end].hex("\n", 32).split("\n")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Files):
            return NotImplemented
        return self is other or self._value() == other._value()

    def __hash__(self) -> int:
        return hash((self._names, self._digests))

    def _value(self) -> tuple[object, ...]:
        return self._names, self._digests, self._sizes, dict(self._more), self._unknown

    def __reduce__(self) -> tuple[Callable[..., Files], tuple[object, ...]]:
        modes = self._modes or array("H", bytes(2 * len(self)))
        return _build, (self._names, self._sizes, self._digests, modes, dict(self._more), self._unknown)

    def __repr__(self) -> str:
        return f"<Files: {len(self)}>"

    # --- in columns ---------------------------------------------------------------------------------------------------

    @property
    def total_bytes(self) -> int:
        """The sizes of all files, as far as they are known."""
        return sum(self._sizes)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Which further digests every file has."""
        return tuple(self._more)

    @property
    def first_unknown(self) -> int | None:
        """The number of the first file whose size is not known."""
        return next((i for i, f in enumerate(self) if f.size is None), None) if self._unknown else None

    def name_bytes(self, i: int) -> bytes:
        """The name of a file, in UTF-8."""
        return self._names[self._starts[i] : self._starts[i + 1] - 1]

    def find(self, name: str) -> FileEntry | None:
        """Give the file called `name`, or None."""
        key = name.encode("utf-8", "surrogatepass")
        at = bisect_left(range(len(self)), key, key=self.name_bytes)
        return self[at] if at < len(self) and self.name_bytes(at) == key else None

    def noteworthy(self) -> Iterator[FileEntry]:
        """Give the files that are executable, setuid or world-writable."""
        for i, mode in enumerate(self._modes or ()):
            if mode:
                yield self[i]

    def lines(self) -> Iterator[bytes]:
        """Give the listing, in pieces."""
        for _, names, digests in self._chunks():
            pieces = [f"{sha256}  {name}\n" for sha256, name in zip(digests, names, strict=True)]
            yield "".join(pieces).encode("utf-8")


class FilesBuilder:
    """Gathers files in order, and checks all of them at once when they are built."""

    __slots__ = ("digests", "modes", "more", "names", "sizes", "unknown")

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self.names = bytearray()
        self.sizes = array("Q")
        self.digests = bytearray()
        self.modes = array("H")
        self.more: dict[str, bytearray] = {name: bytearray() for name in algorithms}
        self.unknown = False

    def __len__(self) -> int:
        return len(self.sizes)

    def add(self, entry: FileEntry) -> None:
        """Add one file. See `Files.of` for what is raised."""
        at = len(self.sizes)
        where = f"manifest.files[{at}]"
        problem = name_problem(entry.name)
        if problem:
            raise FieldRefused(where=f"{where}.name", found=entry.name, because=problem)
        if not _SHA256.fullmatch(entry.sha256):
            raise DigestRefused(where=f"{where}.sha256", found=entry.sha256, wanted="64 lowercase hex digits")
        size = entry.size
        if size is None:
            self.unknown = self.unknown or entry.sha256 != _EMPTY_SHA256
        elif not 0 <= size < 2**64 or (size == 0) is not (entry.sha256 == _EMPTY_SHA256):
            raise FieldRefused(where=f"{where}.size", found=size, wanted="the size of what has this sha256")
        more = {d.algorithm: bytes.fromhex(d.value) for d in entry.more}
        if at == 0:
            self.more = {name: bytearray() for name in sorted(more)}
        if more.keys() != self.more.keys():
            wanted = " ".join(self.more) or "none, as the files before"
            raise DigestRefused(where=f"{where}.digest", found=" ".join(more) or "none", wanted=wanted)
        for name, value in more.items():
            self.more[name] += value
        self.names += entry.name.encode("utf-8") + b"\n"
        self.sizes.append(size or 0)
        self.digests += bytes.fromhex(entry.sha256)
        self.modes.append(entry.mode & MODE_BITS)

    def build(self) -> Files:
        """Check and keep what was gathered. See `Files.of` for what is raised."""
        return _build(bytes(self.names), self.sizes, bytes(self.digests), self.modes, self.more, self.unknown)


def _build(
    names: bytes,
    sizes: array[int],
    digests: bytes,
    modes: array[int],
    more: Mapping[str, bytes | bytearray],
    unknown: bool,
) -> Files:
    count = len(sizes)
    if len(modes) != count or len(digests) != 32 * count or names.count(b"\n") != count:
        raise FieldRefused(where="manifest.files", because="a control character in a name")
    for algorithm, values in more.items():
        digits = digits_of(algorithm)
        if algorithm == "sha256" or digits is None or len(values) * 2 != digits * count:
            raise DigestRefused(where="manifest.files", found=algorithm, wanted="a further digest of every file")
    files = object.__new__(Files)
    files._names = names
    files._sizes = sizes
    files._digests = digests
    files._modes = modes if any(modes) else None
    files._more = MappingProxyType({name: bytes(more[name]) for name in sorted(more)})
    files._unknown = unknown
    files._starts = _starts(names)
    _check_names(files)
    _check_sizes(files)
    return files


def _starts(names: bytes) -> array[int]:
    starts = array("Q", [0])
    at = 0
    while (at := names.find(b"\n", at) + 1) > 0:
        starts.append(at)
    return starts


def _check_names(files: Files) -> None:
    names, starts = files._names, files._starts
    begun: list[int] = []
    last = b""
    for start in range(0, len(files), _CHUNK):
        end = min(start + _CHUNK, len(files))
        chunk = names[starts[start] : starts[end] - 1]
        try:
            is_safe = _UNSAFE.search(chunk.decode("utf-8")) is None
        except UnicodeDecodeError:
            is_safe = False
        some = chunk.split(b"\n")
        if not is_safe:
            _tell_unsafe(some, start)
        if start:
            some.insert(0, last)
        if not all(map(lt, some, some[1:])):
            _tell_order(some)
        # What begins like another name stands right behind it, or behind others that begin like it too.
        begun += compress(range(max(0, start - 1), end), map(bytes.startswith, some[1:], some))
        last = some[-1]
    for at in begun:
        inside = files.name_bytes(at) + b"/"
        after = bisect_left(range(len(files)), inside, lo=at + 1, key=files.name_bytes)
        if after < len(files) and files.name_bytes(after).startswith(inside):
            found = files.name_bytes(at).decode("utf-8")
            raise FieldRefused(where=f"manifest.files[{at}].name", found=found, because="it is a directory too")


def _tell_unsafe(names: Iterable[bytes], start: int) -> None:
    for i, name in enumerate(names, start):
        text = name.decode("utf-8", "surrogateescape")
        problem = name_problem(text)
        if problem:
            raise FieldRefused(where=f"manifest.files[{i}].name", found=text, because=problem)


def _tell_order(names: Sequence[bytes]) -> None:
    for before, name in pairwise(names):
        if before >= name:
            because = "it occurs twice" if before == name else "the names are not sorted by their UTF-8 bytes"
            raise FieldRefused(where="manifest.files", found=name.decode("utf-8"), because=because)


def _check_sizes(files: Files) -> None:
    """Only what is empty has the digest of nothing."""
    empty, sizes, digests = _EMPTY.digest(), files._sizes, files._digests
    at = digests.find(empty)
    while at >= 0:
        if at % 32 == 0 and sizes[at // 32] != 0:
            _tell_size(at // 32, sizes[at // 32])
        at = digests.find(empty, at + 1)
    if files._unknown or 0 not in sizes:
        return
    for i, size in enumerate(sizes):
        if size == 0 and digests[32 * i : 32 * i + 32] != empty:
            _tell_size(i, size)


def _tell_size(at: int, size: int) -> None:
    raise FieldRefused(where=f"manifest.files[{at}].size", found=size, wanted="the size of what has this sha256")


def dir_hash(files: Iterable[FileEntry]) -> str:
    """Give in-toto's ``dirHash`` of files in the order given, which must be that of their names' bytes.

    >>> entry = FileEntry(name="a", size=0, sha256=hashlib.sha256(b"").hexdigest())
    >>> dir_hash([entry]) == hashlib.sha256(entry.line.encode()).hexdigest()
    True
    """
    digest = hashlib.sha256()
    for piece in files.lines() if isinstance(files, Files) else (entry.line.encode("utf-8") for entry in files):
        digest.update(piece)
    return digest.hexdigest()
