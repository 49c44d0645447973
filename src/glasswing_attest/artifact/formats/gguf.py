"""Which tensors, and which words, are in a GGUF file?

The format of ggml (docs/gguf.md), versions 2 and 3, little-endian::

    "GGUF" <version, 4 bytes><number of tensors, 8><number of metadata, 8>
    metadata:  <key: string><type, 4><value>                     a string is <length, 8><UTF-8>
    tensors:   <name: string><number of dimensions, 4><dimensions, 8 each><type, 4><offset, 8>
    <zeros up to a multiple of general.alignment><the tensors' bytes, each padded with zeros likewise>

Offsets count from the end of that first padding. As ggml does, a tensor must begin where the one before it ends with
its padding. Beyond that, the file must end there too (its last padding may be missing), and paddings must be zeros, so
that nothing hides behind or between.
"""

from __future__ import annotations

import hashlib
import struct

from glasswing_attest.artifact.formats.reading import Cursor, Reader
from glasswing_attest.artifact.formats.tensor import Contents, Tensor, elements_of
from glasswing_attest.artifact.manifest import Facts
from glasswing_attest.errors import DuplicateKey, FieldRefused, ModelFormatUnsupported, NotUtf8
from glasswing_attest.limits import DEFAULT, Budget, Limits

__all__ = ["FILE_TYPES", "MAGIC", "TYPES", "read"]

MAGIC = b"GGUF"
_DIMENSIONS = 4
_KEY_BYTES = 65535
_PAGE = 1 << 16
_ALIGNMENT = "general.alignment"

# Name, numbers in a block, bytes of a block.
TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}
"""The types of tensors, by number."""

FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
    39: "NVFP4",
    40: "Q1_0",
}
"""How the file as a whole is quantised, by the number in ``general.file_type``."""

_SCALARS = {
    0: ("uint8", "<B"),
    1: ("int8", "<b"),
    2: ("uint16", "<H"),
    3: ("int16", "<h"),
    4: ("uint32", "<I"),
    5: ("int32", "<i"),
    6: ("float32", "<f"),
    7: ("bool", "<B"),
    10: ("uint64", "<Q"),
    11: ("int64", "<q"),
    12: ("float64", "<d"),
}
_UINT32, _BOOL, _STRING, _ARRAY = 4, 7, 8, 9


def read(reader: Reader, *, limits: Limits = DEFAULT) -> Contents:
    """Read metadata and tensors, and check that they account for every byte of the file.

    Numbers of the metadata are given in words. An array (a vocabulary is one) is told by its type, its length and the
    SHA-256 of its bytes, so that a difference is seen and a million words are not kept.

    Raises:
        MalformedError: it is not what it must be; with the place.
        ModelFormatUnsupported: another version, another byte order, a type that is not known here.
        LimitError: too large a header, too many values or tensors.
    """
    where = reader.where
    cursor = Cursor(reader, limits=limits)
    magic = cursor.take(4, where)
    if magic != MAGIC:
        raise FieldRefused(where=where, found=magic, wanted="GGUF")
    version = cursor.unpack("<I", f"{where}.version")
    if version not in (2, 3):
        raise ModelFormatUnsupported(where=f"{where}.version", found=version, wanted="2 or 3, little-endian")
    tensor_count = cursor.unpack("<Q", where)
    limits.check("tensors", tensor_count, where=f"{where}.tensors")
    value_count = cursor.unpack("<Q", where)
    budget = Budget(limits, "header_values")
    budget.spend(value_count, where=f"{where}.metadata")
    words: dict[str, str] = {}
    alignment = 32
    for i in range(value_count):
        at = f"{where}.metadata[{i}]"
        key = _string(cursor, f"{at}.key", _KEY_BYTES)
        if not key or not key.isascii():
            raise FieldRefused(where=f"{at}.key", found=key, wanted="a key in ASCII")
        if key in words:
            raise DuplicateKey(where=f"{at}.key", found=key)
        kind = cursor.unpack("<I", f"{where}[{key!r}]")
        words[key] = _value(cursor, kind, f"{where}[{key!r}]", budget)
        if key == _ALIGNMENT:
            alignment = _alignment(kind, words[key], f"{where}[{key!r}]")
    infos = _infos(cursor, tensor_count, where, limits)
    base = _padded(cursor.at, alignment)
    end = cursor.at
    tensors = []
    for i, (name, (label, shape, size, offset)) in enumerate(infos.items()):
        begin = _padded(end, alignment)
        if base + offset != begin:
            because = "a tensor begins where the one before it ends with its padding"
            raise FieldRefused(where=f"{where}.tensors[{i}].offset", found=offset, wanted=begin - base, because=because)
        _need_zeros(reader, end, begin)
        end = begin + size
        tensors.append(Tensor(name=name, dtype=label, shape=shape, begin=begin, end=end))
    most = _padded(end, alignment)
    if not end <= reader.size <= most:
        because = "bytes follow that belong to no tensor" if reader.size > most else "it ends early"
        raise FieldRefused(where=where, found=f"{reader.size} bytes", wanted=f"{end} to {most}", because=because)
    _need_zeros(reader, end, reader.size)
    return Contents(format="gguf", metadata=Facts(words), tensors=tuple(sorted(tensors, key=lambda t: t.name)))


def _infos(cursor: Cursor, count: int, where: str, limits: Limits) -> dict[str, tuple[str, tuple[int, ...], int, int]]:
    """Read name, type, shape, size in bytes and offset of each tensor."""
    infos: dict[str, tuple[str, tuple[int, ...], int, int]] = {}
    for i in range(count):
        at = f"{where}.tensors[{i}]"
        name = _string(cursor, f"{at}.name", limits.name_bytes)
        if name in infos:
            raise DuplicateKey(where=f"{at}.name", found=name)
        dimensions = cursor.unpack("<I", at)
        if dimensions > _DIMENSIONS:
            raise FieldRefused(where=f"{at}.shape", found=dimensions, wanted=f"at most {_DIMENSIONS} dimensions")
        shape = tuple(cursor.unpack("<Q", f"{at}.shape") for _ in range(dimensions))
        number = cursor.unpack("<I", f"{at}.type")
        if number not in TYPES:
            raise ModelFormatUnsupported(where=f"{at}.type", found=number, wanted="a type of tensors that is known")
        label, block, block_bytes = TYPES[number]
        elements = elements_of(shape)
        if elements is None or (shape[0] if shape else 1) % block:
            wanted = f"rows of a multiple of {block} numbers, fewer than 2^64 in all"
            raise FieldRefused(where=f"{at}.shape", found=str(shape), wanted=wanted)
        infos[name] = (label, shape, elements // block * block_bytes, cursor.unpack("<Q", f"{at}.offset"))
    return infos


def _padded(at: int, alignment: int) -> int:
    return -(-at // alignment) * alignment


def _need_zeros(reader: Reader, begin: int, end: int) -> None:
    while begin < min(end, reader.size):
        chunk = reader.read_at(begin, min(_PAGE, end - begin))
        if chunk.strip(b"\0"):
            because = "bytes lie in a padding, where no reader looks"
            raise FieldRefused(where=reader.where, found=f"bytes from {begin} on", wanted="zeros", because=because)
        begin += len(chunk) or _PAGE


def _alignment(kind: int, word: str, where: str) -> int:
    value = int(word) if kind == _UINT32 else 0
    if value <= 0 or value & (value - 1):
        raise FieldRefused(where=where, found=word[:40], wanted="a power of two, as uint32")
    return value


def _string(cursor: Cursor, where: str, most: int | None = None) -> str:
    size = cursor.unpack("<Q", where)
    if most is not None and size > most:
        raise FieldRefused(where=where, found=f"{size} bytes", wanted=f"at most {most}")
    data = cursor.take(size, where)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        raise NotUtf8(where=where, found=f"byte 0x{data[e.start]:02x} at offset {e.start}") from e


def _value(cursor: Cursor, kind: int, where: str, budget: Budget) -> str:
    if kind == _STRING:
        return _string(cursor, where)
    if kind == _ARRAY:
        return _array(cursor, where, budget)
    if kind not in _SCALARS:
        raise FieldRefused(where=where, found=kind, wanted="a type of values from 0 to 12")
    form = _SCALARS[kind][1]
    value = struct.unpack(form, cursor.take(struct.calcsize(form), where))[0]
    if kind == _BOOL:
        if value > 1:
            raise FieldRefused(where=where, found=value, wanted="0 or 1")
        return "true" if value else "false"
    return repr(value)


def _array(cursor: Cursor, where: str, budget: Budget) -> str:
    kind = cursor.unpack("<I", where)
    count = cursor.unpack("<Q", where)
    cursor.digest = hashlib.sha256()
    if kind == _STRING:
        if count * 8 > cursor.left:
            raise FieldRefused(where=where, found=f"{count} strings", wanted="as many as fit", because="it ends early")
        budget.spend(count, where=where)
        for _ in range(count):
            cursor.skip(cursor.unpack("<Q", where), where)
        label = "string"
    elif kind in _SCALARS:
        label, form = _SCALARS[kind]
        cursor.skip(count * struct.calcsize(form), where)
    else:  # arrays of arrays too: ggml reads none
        raise FieldRefused(where=where, found=kind, wanted="an array of strings, numbers or booleans")
    told = f"{count} of {label}, sha256:{cursor.digest.hexdigest()}"
    cursor.digest = None
    return told
