"""How is a manifest of millions of files written and read, when the message as a whole would not fit into memory?

On the wire it is one message ``glasswing.attest.v1.Manifest``, and what is written here is byte for byte what
protobuf's deterministic encoder writes::

    0a kind  12 name  1a digest …     before the files: fields 1 to 3
    22 <length> FileEntry             each file: field 4
    2a excluded …                     after them: the rest

Reading takes the message apart at its top level only. A `FileEntry` and everything that is no file is left to protobuf,
so that the two ways of reading cannot differ in what a field means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NoReturn, TypeVar

from google.protobuf.message import DecodeError

from glasswing_attest._proto.manifest_pb2 import FileEntry as FileMessage
from glasswing_attest._proto.manifest_pb2 import Manifest as Message
from glasswing_attest._wire import JsonObject, Node
from glasswing_attest.artifact.digest import DigestSet, digits_of
from glasswing_attest.artifact.files import FileEntry, FilesBuilder
from glasswing_attest.errors import DigestRefused, NotProtobuf
from glasswing_attest.limits import Limits

__all__ = ["encode_files", "read_message"]

_FILE_TAG = 0x22  # field 4, length-delimited
_EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_TAG_BYTES = 5
_MANY = 4096

_M = TypeVar("_M", Message, FileMessage)


# --- writing ---------------------------------------------------------------------------------------------------------


def encode_files(files: Iterable[FileEntry]) -> Iterator[bytes]:
    """Give field 4 of the message, some files at a time."""
    piece = bytearray()
    for number, entry in enumerate(files, 1):
        body = _delimited(0x0A, entry.name.encode("utf-8"))
        # An unknown size is written as 0: only the empty file has that size, and its SHA-256 tells it.
        if entry.size:
            body += b"\x10" + _varint(entry.size)
        body += _delimited(0x1A, entry.sha256.encode("ascii"))
        for digest in entry.more:
            pair = _delimited(0x0A, digest.algorithm.encode("ascii")) + _delimited(0x12, digest.value.encode("ascii"))
            body += _delimited(0x22, pair)
        if entry.mode:
            body += b"\x28" + _varint(entry.mode)
        piece += _delimited(_FILE_TAG, body)
        if number % _MANY == 0:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _delimited(tag: int, data: bytes) -> bytes:
    return bytes((tag,)) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


# --- reading ---------------------------------------------------------------------------------------------------------


def read_message(stream: BinaryIO, *, where: str, limits: Limits) -> tuple[Message, FilesBuilder]:
    """Read a message to its end: everything but the files, and the files.

    Sizes that are 0 without the file being empty are taken as unknown; whether that may be is for the caller.

    Raises:
        NotProtobuf: it does not decode.
        FieldRefused, DigestRefused: a file is not as a manifest's must be. Their `where` begins with ``manifest``.
        LimitError: too many files, too long a name, too much of anything else.
    """
    files = FilesBuilder()
    others = bytearray()
    for tag, raw, content in _fields(stream, where, limits):
        if tag != _FILE_TAG:
            others += raw
            limits.check("record_bytes", len(others), where=where)
            continue
        message = _decode(FileMessage, content, where)
        at = len(files)
        limits.check("tree_files", at + 1, where=f"{where}.files")
        limits.check("name_bytes", len(message.name.encode("utf-8")), where=f"{where}.files[{at}].name")
        size = None if message.size == 0 and message.sha256 != _EMPTY_SHA256 else message.size
        more = _further(message, f"{where}.files[{at}].digest", limits) if message.digest else DigestSet(())
        files.add(FileEntry(name=message.name, size=size, sha256=message.sha256, more=more, mode=message.mode))
    return _decode(Message, bytes(others), where), files


def _further(message: FileMessage, where: str, limits: Limits) -> DigestSet:
    # An algorithm that is not known here is left aside, as an unknown field is.
    known: JsonObject = {name: value for name, value in message.digest.items() if digits_of(name) is not None}
    if "sha256" in known:
        raise DigestRefused(where=where, found="sha256", wanted="it in its own field only")
    return DigestSet.parse(Node(known, where), limits=limits)


def _decode(message: type[_M], data: bytes, where: str) -> _M:
    decode: Callable[[bytes], _M] = message.FromString
    try:
        return decode(data)
    except (DecodeError, UnicodeDecodeError) as e:
        raise NotProtobuf(where=where, wanted=Message.DESCRIPTOR.full_name, because=str(e)) from e


def _fields(stream: BinaryIO, where: str, limits: Limits) -> Iterator[tuple[int, bytes, bytes]]:
    """Give each field: its tag, all its bytes, and what is in it where it has a length."""
    while True:
        head = _read_varint(stream, where)
        if not head:
            return
        tag = _value(head)
        if len(head) > _TAG_BYTES:
            _refuse(where)
        kind = tag & 7
        if kind == _VARINT:
            content = _read_varint(stream, where)
            if not content:
                _refuse(where)
            yield tag, head + content, b""
        elif kind in (_FIXED64, _FIXED32):
            yield tag, head + _take(stream, 8 if kind == _FIXED64 else 4, where), b""
        elif kind == _DELIMITED:
            length = _read_varint(stream, where)
            if not length:
                _refuse(where)
            size = _value(length)
            limits.check("record_bytes", size, where=where)
            content = _take(stream, size, where)
            yield tag, head + length + content if tag != _FILE_TAG else b"", content
        else:
            _refuse(where)


def _read_varint(stream: BinaryIO, where: str) -> bytes:
    """Read up to ten bytes; none at the end."""
    found = stream.read(1)
    while found and found[-1] & 0x80:
        if len(found) == 10:
            _refuse(where)
        found += _take(stream, 1, where)
    return found


def _value(varint: bytes) -> int:
    return sum((byte & 0x7F) << 7 * i for i, byte in enumerate(varint))


def _take(stream: BinaryIO, size: int, where: str) -> bytes:
    found = stream.read(size)
    if len(found) != size:
        _refuse(where)
    return found


def _refuse(where: str) -> NoReturn:
    raise NotProtobuf(where=where, wanted=Message.DESCRIPTOR.full_name, because="it is cut off, or no message at all")
