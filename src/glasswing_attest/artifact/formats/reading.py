"""How are a few bytes of a very large file read, within bounds?

A `Reader` gives bytes at an offset, and never more than there are. A `Cursor` walks forward through one, refuses the
end of the file where more is wanted, and stops at a bound: a header that claims to be larger is never read.
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass
from typing import Protocol

from glasswing_attest.artifact.hashing import artifact_error
from glasswing_attest.errors import FieldRefused
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Bytes", "Cursor", "OpenFile", "Reader"]

_PAGE = 1 << 16


class Reader(Protocol):
    """Bytes at offsets: those of a file, or bytes that are at hand."""

    @property
    def where(self) -> str:
        """What it is called in errors."""
        ...

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def read_at(self, offset: int, count: int) -> bytes:
        """Give `count` bytes from `offset` on: fewer only where they end."""
        ...


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes that are at hand, as a `Reader`."""

    data: bytes
    where: str = "bytes"

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.data)

    def read_at(self, offset: int, count: int) -> bytes:
        """Give some of them."""
        return self.data[offset : offset + count]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open regular file, as a `Reader`. Whoever opened it closes it, and sees to it that it does not change."""

    fd: int
    size: int
    where: str

    def read_at(self, offset: int, count: int) -> bytes:
        """Read some of it. Raises `ArtifactError` where the system fails."""
        pieces: list[bytes] = []
        left = min(count, max(0, self.size - offset))
        try:
            while left and (piece := os.pread(self.fd, left, offset)):
                pieces.append(piece)
                offset += len(piece)
                left -= len(piece)
        except OSError as e:
            raise artifact_error(e, self.where, seen=True) from e
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Cursor:
    """Walks forward through a `Reader`, from `at` to at most `end`, and `limits.header_bytes` in all."""

    __slots__ = ("_end", "_limits", "_page", "_page_at", "_reader", "_start", "at", "digest")

    def __init__(self, reader: Reader, *, at: int = 0, end: int | None = None, limits: Limits = DEFAULT) -> None:
        self._reader = reader
        self._start = at
        self._end = reader.size if end is None else end
        self._limits = limits
        self._page = b""
        self._page_at = at
        self.at = at
        self.digest: hashlib._Hash | None = None
        """Takes all that is read, while it is set."""

    @property
    def left(self) -> int:
        """How many bytes there are until the end."""
        return self._end - self.at

    def _check(self, count: int, where: str) -> None:
        if count > self.left:
            wanted = f"{count} bytes more"
            raise FieldRefused(where=where, found=f"{self.left} until the end", wanted=wanted, because="it ends early")
        self._limits.check("header_bytes", self.at + count - self._start, where=where)

    def take(self, count: int, where: str) -> bytes:
        """Give the next `count` bytes, or refuse: there are not so many, or the bound is reached."""
        self._check(count, where)
        begin = self.at - self._page_at
        if begin < 0 or begin + count > len(self._page):
            self._page = self._reader.read_at(self.at, max(count, min(_PAGE, self.left)))
            self._page_at, begin = self.at, 0
            if len(self._page) < count:  # shorter than it was said to be
                raise FieldRefused(where=where, found=f"{len(self._page)} bytes", wanted=f"{count} bytes more")
        self.at += count
        found = self._page[begin : begin + count]
        if self.digest is not None:
            self.digest.update(found)
        return found

    def skip(self, count: int, where: str) -> None:
        """Read `count` bytes a page at a time: only the digest sees them. Refuses before the first, as `take` does."""
        self._check(count, where)
        while count:
            count -= len(self.take(min(count, _PAGE), where))

    def unpack(self, form: str, where: str) -> int:
        """Give the next integer, in the spelling of `struct`."""
        value: int = struct.unpack(form, self.take(struct.calcsize(form), where))[0]
        return value
