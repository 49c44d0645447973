r"""WHAT TRAVELS? Many attestations and manifests in one file, each kept byte for byte.

The file is a stream; nobody needs to hold it whole. ``proto/glasswing/attest/v1/attestation_set.proto``::

    glasswing-attest set 1\n
    <varint length> AttestationSetItem{header: {format_version: 1, …}}
    <varint length> AttestationSetItem{attestation: <the bytes of a Sigstore bundle or DSSE envelope>}
    <varint length> AttestationSetItem{manifest: {…}}
    …
    <varint length> AttestationSetItem{end: {items: <how many stood between>}}

The end is what tells a whole file from one that was cut between two items. The container is not signed and proves
nothing: each attestation in it is verified as if it had come alone, and a manifest that is read from it is a declared
one, whatever it says of itself.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, TypeAlias

from google.protobuf.unknown_fields import UnknownFieldSet

from glasswing_attest._files import StrPath, read_bounded, write_atomic
from glasswing_attest._proto.attestation_set_pb2 import AttestationSetEnd, AttestationSetHeader, AttestationSetItem
from glasswing_attest._proto.manifest_pb2 import Manifest as ManifestMessage
from glasswing_attest._wire import parse_proto
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.errors import (
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    NotProtobuf,
    StoreUnavailable,
    UsageError,
)
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["MAGIC", "AttestationSet", "Item"]

MAGIC = b"glasswing-attest set 1\n"
"""How the file begins."""

FORMAT_VERSION = 1

Item: TypeAlias = bytes | Manifest
"""One thing that travels: an attestation's bytes, or a manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationSet:
    """Attestations and manifests that travel together. Nothing in it is verified.

    >>> AttestationSet(items=[b"{}"]).attestations
    (b'{}',)

    Attributes:
        items: attestations (bytes) and manifests, in their order.
        created: when the set was written, as whoever wrote it says.
        producer: what wrote it, as it says.
    """

    items: tuple[Item, ...] = ()
    created: datetime | None = None
    producer: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(self.items))
        for i, item in enumerate(self.items):
            _check_item(item, f"items[{i}]")
        object.__setattr__(self, "created", _utc(self.created))
        _header(self.created, self.producer)

    @property
    def attestations(self) -> tuple[bytes, ...]:
        """The attestations, each byte for byte as it was put in."""
        return tuple(item for item in self.items if isinstance(item, bytes))

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """The manifests."""
        return tuple(item for item in self.items if isinstance(item, Manifest))

    def to_bytes(self) -> bytes:
        """Give the file's bytes."""
        return b"".join(encode_items(self.items, created=self.created, producer=self.producer))

    def write(self, target: StrPath | BinaryIO) -> None:
        """Write the set to a file, whole or not at all, or to an open binary stream.

        Raises:
            StoreUnavailable: it cannot be written.
        """
        write_items(target, self.items, created=self.created, producer=self.producer)

    @classmethod
    def read(cls, source: StrPath | BinaryIO, *, limits: Limits = DEFAULT) -> AttestationSet:
        """Read a set from a file, or from an open binary stream.

        Raises:
            FormatUnsupported: it is not a set, or one of another version.
            MalformedError: it is cut short, or an item is not what it must be.
            LimitError: too many items, or too large.
            StoreUnavailable: it cannot be read.
        """
        items: list[Item] = []
        header = AttestationSetHeader()
        for item in _stream(source, limits):
            if isinstance(item, AttestationSetHeader):
                header = item
            else:
                items.append(item)
        try:
            created = header.created.ToDatetime(UTC) if header.HasField("created") else None
        except (ValueError, OverflowError) as e:
            raise FieldRefused(where="header.created", found=f"{header.created.seconds} seconds") from e
        return cls(
            items=tuple(items), created=created, producer=header.producer if header.HasField("producer") else None
        )

    @classmethod
    def from_bytes(cls, data: bytes, *, limits: Limits = DEFAULT) -> AttestationSet:
        """Read a set from its bytes. Raises what `read` raises."""
        return cls.read(io.BytesIO(data), limits=limits)

    @staticmethod
    def stream(source: StrPath | BinaryIO, *, limits: Limits = DEFAULT) -> Iterator[Item]:
        """Yield the items of a file or an open binary stream one by one.

        What was yielded before an error came from a file that is broken further on: an iteration that ends in an error
        was never the whole set. Raises what `read` raises, as far as it has come.
        """
        return (item for item in _stream(source, limits) if not isinstance(item, AttestationSetHeader))


# --- writing ---------------------------------------------------------------------------------------------------------


def write_items(
    target: StrPath | BinaryIO,
    items: Iterable[Item],
    *,
    created: datetime | None = None,
    producer: str | None = None,
) -> None:
    """Write items as they come, to a file (whole or not at all) or to an open binary stream.

    Raises:
        StoreUnavailable: it cannot be written.
    """
    pieces = encode_items(items, created=created, producer=producer)
    if isinstance(target, str | os.PathLike):
        write_atomic(target, pieces, error=StoreUnavailable)
        return
    for piece in pieces:
        try:
            _write_all(target, piece)
        except (OSError, ValueError) as e:  # a closed stream is a ValueError
            raise StoreUnavailable(where=_name(target), because=str(e)) from e
        except TypeError as e:
            raise UsageError(where=_name(target), because="a set is written to a binary stream") from e


def encode_items(
    items: Iterable[Item], *, created: datetime | None = None, producer: str | None = None
) -> Iterator[bytes]:
    """Yield the file's bytes in pieces, taking each item only when its turn comes."""
    yield MAGIC
    yield _framed(AttestationSetItem(header=_header(created, producer)))
    count = 0
    for count, item in enumerate(items, start=1):
        _check_item(item, f"items[{count - 1}]")
        if isinstance(item, bytes):
            yield _framed(AttestationSetItem(attestation=item))
        else:
            yield _framed(AttestationSetItem(manifest=ManifestMessage.FromString(item.to_proto())))
    yield _framed(AttestationSetItem(end=AttestationSetEnd(items=count)))


def _header(created: datetime | None, producer: str | None) -> AttestationSetHeader:
    header = AttestationSetHeader(format_version=FORMAT_VERSION)
    created = _utc(created)
    if created is not None:
        header.created.FromDatetime(created)
    if producer is not None:
        try:
            header.producer = producer
        except (TypeError, UnicodeEncodeError) as e:
            raise FieldRefused(where="producer", found=producer, wanted="text", because=str(e)) from e
    return header


def _utc(created: datetime | None) -> datetime | None:
    if created is None:
        return None
    if created.utcoffset() is None:
        raise FieldRefused(where="created", found=created, wanted="a time with a time zone")
    try:
        return created.astimezone(UTC)
    except OverflowError as e:
        raise FieldRefused(where="created", found=created, wanted="a time of the years 1 to 9999") from e


def _framed(item: AttestationSetItem) -> bytes:
    data = item.SerializeToString(deterministic=True)
    return _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _write_all(stream: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = stream.write(view)
        # A raw stream may take a part only, or (not ready) nothing.
        if not written:
            raise OSError("the stream takes no more bytes")
        view = view[written:]


def _check_item(item: object, where: str) -> None:
    if isinstance(item, bytes) and not item:
        raise FieldMissing(where=where)
    if not isinstance(item, bytes | Manifest):
        raise FieldRefused(where=where, found=type(item).__name__, wanted="an attestation's bytes, or a Manifest")


# --- reading ---------------------------------------------------------------------------------------------------------


def _stream(source: StrPath | BinaryIO, limits: Limits) -> Iterator[Item | AttestationSetHeader]:
    """Yield the header and then the items."""
    if isinstance(source, str | os.PathLike):
        data = read_bounded(source, "evidence_bytes", limits, error=StoreUnavailable)
        reader = _Reader(io.BytesIO(data), os.fspath(source), limits)
    else:
        reader = _Reader(source, _name(source), limits)
    magic = reader.read(len(MAGIC))
    if magic != MAGIC:
        raise FormatUnsupported(where=reader.name, found=magic, wanted=MAGIC)
    header = _item(reader, "header")
    if header.WhichOneof("item") != "header":
        raise FieldMissing(where=f"{reader.name}: header")
    if header.header.format_version != FORMAT_VERSION:
        where = f"{reader.name}: header.format_version"
        raise FormatUnsupported(where=where, found=header.header.format_version, wanted=FORMAT_VERSION)
    yield header.header
    count = 0
    while True:
        item = _item(reader, f"items[{count}]")
        where = f"{reader.name}: items[{count}]"
        held = item.WhichOneof("item")
        if held == "end":
            if item.end.items != count:
                raise FieldRefused(where=f"{reader.name}: end.items", found=item.end.items, wanted=count)
            if reader.read(1):
                raise FieldRefused(where=reader.name, found="more bytes", wanted="nothing after the end")
            return
        count += 1
        limits.check("evidence", count, where=reader.name)
        if held == "attestation":
            limits.check("bundle_bytes", len(item.attestation), where=where)
            _check_item(item.attestation, where)
            yield item.attestation
        elif held == "manifest":
            yield Manifest.from_proto(item.manifest.SerializeToString(), where=where, limits=limits)
        elif held == "header":
            raise FieldRefused(where=where, found="a header", wanted="the header in front only")
        elif not len(UnknownFieldSet(item)):
            raise FieldMissing(where=where)
        # What is left is a kind of item that this version does not know, and so one that is safe to ignore.


def _item(reader: _Reader, what: str) -> AttestationSetItem:
    return parse_proto(AttestationSetItem, reader.frame(what), where=f"{reader.name}: {what}", limits=reader.limits)


class _Reader:
    """Takes exact numbers of bytes from a stream, counts them, and calls every shortage by its name."""

    def __init__(self, stream: BinaryIO, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self._stream = stream
        self._taken = 0

    def read(self, size: int) -> bytes:
        """Give up to `size` bytes: fewer only where the stream ends."""
        self._taken += size
        self.limits.check("evidence_bytes", self._taken, where=self.name)
        pieces: list[bytes] = []
        while size:
            try:
                piece = self._stream.read(size)
            except (OSError, ValueError) as e:  # a closed stream is a ValueError
                raise StoreUnavailable(where=self.name, because=str(e)) from e
            if piece is None:
                raise StoreUnavailable(where=self.name, because="the stream is not ready")
            if not isinstance(piece, bytes):
                raise UsageError(where=self.name, because="a set is read from a binary stream")
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        self._taken -= size
        return b"".join(pieces)

    def frame(self, what: str) -> bytes:
        """Give the bytes of the next item."""
        where = f"{self.name}: {what}"
        length = shift = 0
        while True:
            byte = self.read(1)
            if not byte:
                raise NotProtobuf(where=where, because="the file is cut short: it has no end item")
            length |= (byte[0] & 0x7F) << shift
            if byte[0] < 0x80:
                break
            shift += 7
            if shift > 28:
                raise NotProtobuf(where=where, because="the length is no 32-bit number")
        # One length has one spelling, so that a set has one reading.
        if shift and not byte[0]:
            raise NotProtobuf(where=where, because="the length is not written in the fewest bytes")
        # Before the bytes are asked for: a length alone must not cost memory.
        self.limits.check("record_bytes", length, where=where)
        data = self.read(length)
        if len(data) < length:
            raise NotProtobuf(where=where, because="the file is cut short", found=f"{len(data)} bytes", wanted=length)
        return data


def _name(stream: object) -> str:
    name = getattr(stream, "name", None)
    return name if isinstance(name, str) else "the set"
