"""Tiny files of weights, written byte by byte, so that a test can write them wrongly too."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any


def safetensors(
    tensors: Mapping[str, tuple[str, Sequence[int], bytes]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """A safetensors file of tensors by name: type, shape, bytes."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    data = b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return with_header(header, data)


def with_header(header: object, data: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def string(text: str | bytes) -> bytes:
    """A string of GGUF."""
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


UINT32, BOOL, STRING, ARRAY = 4, 7, 8, 9


def value(kind: int, data: bytes) -> bytes:
    """A value of GGUF's metadata with its type."""
    return struct.pack("<I", kind) + data


def gguf(
    metadata: Sequence[tuple[str, bytes]] = (),
    tensors: Sequence[tuple[str, Sequence[int], int, bytes]] = (),
    *,
    version: int = 3,
    alignment: int = 32,
    offsets: Sequence[int] | None = None,
    counts: tuple[int, int] | None = None,
    tail: bytes | None = None,
) -> bytes:
    """A GGUF file of metadata (key, value with its type) and tensors (name, shape, number of the type, bytes)."""
    tensor_count, value_count = counts or (len(tensors), len(metadata))
    out = b"GGUF" + struct.pack("<IQQ", version, tensor_count, value_count)
    for key, encoded in metadata:
        out += string(key) + encoded
    data = b""
    for i, (name, shape, kind, content) in enumerate(tensors):
        offset = len(data) if offsets is None else offsets[i]
        out += string(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in shape)
        out += struct.pack("<IQ", kind, offset)
        data += content + bytes(-len(content) % alignment)
    if tensors or tail is not None:
        out += bytes(-len(out) % alignment) + data
    return out + (tail or b"")


def varint(number: int) -> bytes:
    """A number in protobuf's wire format."""
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, content: int | bytes | str) -> bytes:
    """A field of a protobuf message."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def onnx_tensor(name: str, dims: Sequence[int], kind: int = 1, raw: bytes | None = None, more: bytes = b"") -> bytes:
    """A TensorProto."""
    out = b"".join(field(1, n) for n in dims) + field(2, kind) + field(8, name)
    return out + (b"" if raw is None else field(9, raw)) + more


def external(location: str, offset: int | str = 0, length: int | str | None = None) -> bytes:
    """The fields of a TensorProto whose data lies in another file."""
    pairs = [("location", location), ("offset", str(offset))] + ([] if length is None else [("length", str(length))])
    return b"".join(field(13, field(1, key) + field(2, told)) for key, told in pairs) + field(14, 1)


def onnx(*initializers: bytes, graph: bytes = b"", more: bytes = b"") -> bytes:
    """A ModelProto."""
    inner = b"".join(field(5, tensor) for tensor in initializers) + field(11, field(1, "x")) + field(12, field(1, "y"))
    return field(1, 10) + field(2, "tests") + field(7, inner + graph) + field(8, field(2, 21)) + more
