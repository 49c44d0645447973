"""What is in an archive, and what is below a compression?

A loader looks through both: ``torch.load`` and ``numpy.load`` through zip archives, ``joblib.load`` through gzip, zlib,
bzip2 and xz. So an archive's names are read, and of each member, or of what comes out of compressed bytes, as much as
tells its format. Nothing is unpacked beyond that.

Only zip archives whose members are stored or deflated are looked into. Others (tar, 7z, encrypted members) have marks,
so that it can be said that nobody knows what is in them.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from glasswing_attest.artifact.formats.reading import Reader
from glasswing_attest.errors import LimitError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["ZIP", "Head", "Member", "is_closed", "is_compressed", "members", "unpacked"]

ZIP = b"PK\x03\x04"
_WINDOW = 1 << 16
_XZ_MEMORY = 1 << 26
_GZIP, _BZIP2, _XZ, _LZMA = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x5d\x00\x00"
# 7z, rar, zstd, lz4.
_CLOSED = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
_CHECKSUM = re.compile(rb"[ \x00]*([0-7]{1,6})[ \x00]")
# What `zipfile` raises for bytes that are no archive, or an encrypted one.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError),
    *(EOFError, LookupError),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of something that is `size` bytes long, as a `Reader`."""

    data: bytes
    size: int
    where: str

    def read_at(self, offset: int, count: int) -> bytes:
        """Give some of them."""
        return self.data[offset : offset + count]


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; `head` is None where it cannot be looked into."""

    name: str
    head: Head | None


def members(reader: Reader, *, limits: Limits = DEFAULT) -> tuple[list[str], Iterator[Member]] | None:
    """Give the names in a zip archive, and its files, each read when it is asked for. None where that is no archive.

    Raises:
        LimitError: the list of members is too large.
    """
    try:
        archive = zipfile.ZipFile(_Bounded(reader, limits))
    except _BROKEN:
        return None
    # Not `is_dir`, which fails for a name that is empty.
    files = (info for info in archive.infolist() if not info.filename.endswith("/") or info.file_size)
    return archive.namelist(), (_member(archive, info, reader.where) for info in files)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Member:
    # How much bzip2 and lzma make of a few bytes is not bounded by what was asked for.
    if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        try:
            with archive.open(info) as file:
                return Member(info.filename, Head(file.read(_WINDOW), info.file_size, where))
        except (*_BROKEN, LimitError):
            pass
    return Member(info.filename, None)


def is_compressed(head: bytes) -> bool:
    """Tell whether bytes have the mark of a compression that `unpacked` undoes."""
    return head.startswith((_GZIP, _BZIP2, _XZ))


def unpacked(reader: Reader) -> Head | None:
    """Give the first bytes below a compression; None where there is none, or nothing comes out.

    zlib and the older lzma have no mark of their own: their first bytes may be those of a text.
    """
    data = reader.read_at(0, _WINDOW)
    try:
        if data.startswith(_BZIP2):
            found = bz2.BZ2Decompressor().decompress(data, _WINDOW)
        elif data.startswith((_XZ, _LZMA)):
            found = lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(data, _WINDOW)
        elif data.startswith(_GZIP) or (data[:1] == b"x" and int.from_bytes(data[:2], "big") % 31 == 0):
            found = zlib.decompressobj(wbits=47).decompress(data, _WINDOW)
        else:
            return None
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
        return None
    # How much there is in all nobody knows: as much as the window holds may be the beginning of more.
    return Head(found, len(found) if len(found) < _WINDOW else 1 << 62, reader.where) if found else None


def is_closed(head: bytes) -> bool:
    r"""Tell whether it is an archive, or compressed, in a form that is not looked into.

    >>> is_closed(b"7z\xbc\xaf\x27\x1c"), is_closed(b"# A model")
    (True, False)
    """
    return head.startswith(_CLOSED) or _is_tar(head[:512])


def _is_tar(block: bytes) -> bool:
    """Tell whether a block is the header of a tar archive: what all of its forms have is the checksum."""
    told = _CHECKSUM.match(block[148:156])
    if len(block) < 512 or told is None:
        return False
    return int(told[1], 8) == sum(block) - sum(block[148:156]) + 8 * ord(" ")


class _Bounded(io.RawIOBase):
    """A `Reader` as a file: it gives `header_bytes` in all, and then refuses."""

    def __init__(self, reader: Reader, limits: Limits) -> None:
        self._reader = reader
        self._limits = limits
        self._spent = 0
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._reader.size}[whence]
        if base + offset < 0:
            raise OSError("before the start")  # as a file does; zipfile takes it for an archive that is none
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._reader.size - self._at)
        count = left if size is None or size < 0 else min(size, left)
        self._spent += count
        self._limits.check("header_bytes", self._spent, where=self._reader.where)
        found = self._reader.read_at(self._at, count)
        self._at += len(found)
        return found
