"""Which tensors are in a safetensors file?

The format of Hugging Face's safetensors (its README, "Format")::

    <size of the header, 8 bytes, little-endian><header: JSON, perhaps padded with spaces><the tensors' bytes>

    {"__metadata__": {"format": "pt"}, "weight": {"dtype": "BF16", "shape": [4, 2], "data_offsets": [0, 16]}}

Offsets count from the end of the header. Refused is whatever would let two readers see two things, or hide bytes: a key
that occurs twice, offsets that overlap, leave a hole, or do not reach the end of the file exactly, a size that does not
follow from type and shape, metadata that is not words by words.
"""

from __future__ import annotations

from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.formats.reading import Cursor, Reader
from glasswing_attest.artifact.formats.tensor import Contents, Tensor, elements_of
from glasswing_attest.artifact.manifest import Facts
from glasswing_attest.errors import FieldRefused, ModelFormatUnsupported
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["DTYPES", "read"]

DTYPES = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
"""The bits of one number of each type."""

_METADATA = "__metadata__"


def read(reader: Reader, *, limits: Limits = DEFAULT) -> Contents:
    r"""Read the header, and check that it accounts for every byte of the file.

    Raises:
        MalformedError: the header is not what it must be; with the path within it.
        ModelFormatUnsupported: a type of numbers that is not known here.
        LimitError: the header is too large, or names too many tensors.

    >>> from glasswing_attest.artifact.formats.reading import Bytes
    >>> header = b'{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}'
    >>> read(Bytes(len(header).to_bytes(8, "little") + header + b"\x01\x02")).tensors[0].shape
    (2,)
    """
    where = reader.where
    cursor = Cursor(reader, limits=limits)
    size = cursor.unpack("<Q", where)
    limits.check("header_bytes", size, where=where)
    header = cursor.take(size, where)
    # The standard's words: it must begin with "{", and may be padded with spaces at its end. JSON would allow more.
    if not header.startswith(b"{") or not header.rstrip(b" ").endswith(b"}"):
        raise FieldRefused(
            where=where, found=header[:20], wanted="a header that is one JSON object, padded with spaces"
        )
    node = read_json(header, where=where, limits=limits, bound="header_bytes")
    limits.check("tensors", len(node.object()), where=where)
    metadata = node.get(_METADATA)
    words = {} if metadata is None else {name: value.text() for name, value in metadata.members()}
    tensors = [_tensor(name, member, cursor.at) for name, member in node.members() if name != _METADATA]
    tensors.sort(key=lambda t: (t.begin, t.end))
    at = cursor.at
    for tensor in tensors:
        if tensor.begin != at:
            because = "its bytes overlap another's" if tensor.begin < at else "there is a hole before its bytes"
            offsets = node.need(tensor.name).need("data_offsets")
            offsets.refuse(f"a begin of {at - cursor.at}", found=tensor.begin - cursor.at, because=because)
        at = tensor.end
    if at != reader.size:
        because = "bytes follow that belong to no tensor" if at < reader.size else "it ends early"
        raise FieldRefused(where=where, found=f"{reader.size} bytes", wanted=f"{at} bytes", because=because)
    return Contents(format="safetensors", metadata=Facts(words), tensors=tuple(sorted(tensors, key=lambda t: t.name)))


def _tensor(name: str, node: Node, base: int) -> Tensor:
    dtype = node.need("dtype").text()
    if dtype not in DTYPES:
        raise ModelFormatUnsupported(where=node.need("dtype").path, found=dtype, wanted=f"one of {', '.join(DTYPES)}")
    shape = tuple(_integer(n) for n in node.need("shape").array())
    offsets = [_integer(n) for n in node.need("data_offsets").array()]
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        node.need("data_offsets").refuse("two offsets, the first not above the second", found=str(offsets[:3]))
    elements = elements_of(shape)
    bits = None if elements is None else elements * DTYPES[dtype]
    if bits is None or bits != (offsets[1] - offsets[0]) * 8:
        wanted = "a size of more than 64 bits" if bits is None else f"{bits / 8:g} bytes, from dtype and shape"
        node.need("data_offsets").refuse(wanted, found=f"{offsets[1] - offsets[0]} bytes")
    return Tensor(name=name, dtype=dtype, shape=shape, begin=base + offsets[0], end=base + offsets[1])


def _integer(node: Node) -> int:
    # A bare integer, and not the string that protobuf's JSON would allow.
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        node.refuse("an unsigned 64-bit integer", found=str(value))
    return value
