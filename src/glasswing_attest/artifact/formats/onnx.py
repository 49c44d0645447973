"""Which tensors, inputs and outputs does an ONNX model have?

A ``ModelProto`` (onnx.proto) in protobuf's wire format: fields of ``<number << 3 | type, varint><value>``. A model
holds gigabytes of tensors, so it is walked, not decoded: what is not told below is passed over without being read. The
walk is stricter than protobuf where two readers could differ: a field that may occur once must, and groups are refused.

    ModelProto      1 ir_version  2 producer_name  3 producer_version  4 domain  5 model_version  7 graph
                    8 opset_import  14 metadata_props  20 training_info  25 functions
    GraphProto      1 node  5 initializer  11 input  12 output  15 sparse_initializer
    NodeProto       5 attribute
    AttributeProto  5 t  6 g  10 tensors  11 graphs  22 sparse_tensor  23 sparse_tensors
    TensorProto     1 dims  2 data_type  8 name  9 raw_data  13 external_data  14 data_location

Data may lie in other files (external data). Their paths must lead to files beside the model, or below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from glasswing_attest.artifact.formats.reading import Reader
from glasswing_attest.artifact.formats.tensor import Contents, Tensor, elements_of
from glasswing_attest.artifact.manifest import Facts, name_problem
from glasswing_attest.errors import (
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    ModelFormatUnsupported,
    NotProtobuf,
    NotUtf8,
)
from glasswing_attest.limits import DEFAULT, Budget, Limits

__all__ = ["TYPES", "read"]

# Name and bits of a number; a string has no size of its own.
TYPES = {
    1: ("FLOAT", 32),
    2: ("UINT8", 8),
    3: ("INT8", 8),
    4: ("UINT16", 16),
    5: ("INT16", 16),
    6: ("INT32", 32),
    7: ("INT64", 64),
    8: ("STRING", 0),
    9: ("BOOL", 8),
    10: ("FLOAT16", 16),
    11: ("DOUBLE", 64),
    12: ("UINT32", 32),
    13: ("UINT64", 64),
    14: ("COMPLEX64", 64),
    15: ("COMPLEX128", 128),
    16: ("BFLOAT16", 16),
    17: ("FLOAT8E4M3FN", 8),
    18: ("FLOAT8E4M3FNUZ", 8),
    19: ("FLOAT8E5M2", 8),
    20: ("FLOAT8E5M2FNUZ", 8),
    21: ("UINT4", 4),
    22: ("INT4", 4),
    23: ("FLOAT4E2M1", 4),
    24: ("FLOAT8E8M0", 8),
    25: ("UINT2", 2),
    26: ("INT2", 2),
    27: ("FLOAT6E2M3", 6),
    28: ("FLOAT6E3M2", 6),
}
"""The types of tensors, by number."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL = 1


class _Field(NamedTuple):
    """A field of a message: a number, or where its bytes lie."""

    number: int
    kind: int
    value: int
    begin: int
    end: int


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Walks through messages without reading what nobody asks for."""

    reader: Reader
    limits: Limits
    budget: Budget
    tensors: dict[str, Tensor]
    text_bytes: int = 0

    def fields(self, begin: int, end: int, where: str) -> Iterator[_Field]:
        at = begin
        while at < end:
            self.budget.spend(where=where)
            tag, at = self.varint(at, end, where)
            number, kind = tag >> 3, tag & 7
            if not 1 <= number < 1 << 29:
                raise NotProtobuf(where=where, found=f"field number {number}")
            if kind == _VARINT:
                value, at = self.varint(at, end, where)
                yield _Field(number, kind, value, at, at)
                continue
            if kind == _BYTES:
                size, at = self.varint(at, end, where)
            elif kind in (_FIXED64, _FIXED32):
                size = 8 if kind == _FIXED64 else 4
            else:
                raise NotProtobuf(where=where, found=f"wire type {kind} of field {number}", wanted="0, 1, 2 or 5")
            if size > end - at:
                raise NotProtobuf(where=where, found=f"{end - at} bytes", wanted=f"{size} bytes of field {number}")
            yield _Field(number, kind, 0, at, at + size)
            at += size

    def varint(self, at: int, end: int, where: str) -> tuple[int, int]:
        value = 0
        for i, byte in enumerate(self.reader.read_at(at, min(10, end - at))):
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                if value >= 2**64:
                    break
                return value, at + i + 1
        raise NotProtobuf(where=where, found="a number that does not end, or has more than 64 bits")

    def text(self, field: _Field, where: str) -> str:
        if field.kind != _BYTES:
            raise NotProtobuf(where=where, found=f"wire type {field.kind}", wanted="a string")
        self.text_bytes += field.end - field.begin
        self.limits.check("header_bytes", self.text_bytes, where=where)
        data = self.reader.read_at(field.begin, field.end - field.begin)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as e:
            raise NotUtf8(where=where, found=f"byte 0x{data[e.start]:02x} at offset {e.start}") from e

    def once(self, found: dict[int, _Field], field: _Field, where: str) -> None:
        # Protobuf would take the last one, or merge them: others would see something else.
        if field.number in found:
            raise DuplicateKey(where=where, found=f"field {field.number}")
        found[field.number] = field

    def pairs(self, entries: list[_Field], where: str) -> dict[str, str]:
        """Read StringStringEntryProto messages (1 key, 2 value)."""
        words: dict[str, str] = {}
        for i, entry in enumerate(entries):
            found: dict[int, _Field] = {}
            for field in self.inside(entry, f"{where}[{i}]"):
                self.once(found, field, f"{where}[{i}]")
            key, value = (self.text(found[n], f"{where}[{i}]") if n in found else "" for n in (1, 2))
            if key in words:
                raise DuplicateKey(where=f"{where}[{i}]", found=key)
            words[key] = value
        return words

    def inside(self, field: _Field, where: str) -> Iterator[_Field]:
        if field.kind != _BYTES:
            raise NotProtobuf(where=where, found=f"wire type {field.kind}", wanted="a message")
        return self.fields(field.begin, field.end, where)

    # --- the messages ------------------------------------------------------------------------------------------------

    def graph(self, graph: _Field, where: str, prefix: str, depth: int, *, are_weights: bool) -> dict[str, list[str]]:
        """Collect the tensors of a graph and of the graphs within; give the names of its inputs and outputs."""
        self.limits.check("json_depth", depth, where=where)
        names: dict[str, list[str]] = {"input": [], "output": []}
        nodes = 0
        for field in self.inside(graph, where):
            if field.number == 5:
                self.tensor(field, f"{where}.initializer", prefix, is_weight=are_weights)
            elif field.number == 15:
                self.sparse(field, f"{where}.sparse_initializer", prefix, are_weights)
            elif field.number == 1:
                self.node(field, f"{where}.node[{nodes}]", f"{prefix}node[{nodes}].", depth)
                nodes += 1
            elif field.number in (11, 12):
                kind = "input" if field.number == 11 else "output"
                at = f"{where}.{kind}[{len(names[kind])}]"
                named = [self.text(inner, at) for inner in self.inside(field, at) if inner.number == 1]
                if len(named) != 1:
                    raise FieldMissing(where=f"{at}.name")
                names[kind].append(named[0])
        return names

    def node(self, node: _Field, where: str, prefix: str, depth: int) -> None:
        for field in self.inside(node, where):
            if field.number == 5:
                self.attribute(field, f"{where}.attribute", prefix, depth)

    def attribute(self, attribute: _Field, where: str, prefix: str, depth: int) -> None:
        for i, field in enumerate(self.inside(attribute, where)):
            below = f"{prefix}{i}."
            if field.number in (5, 10):
                self.tensor(field, f"{where}.tensors", below, is_weight=False)
            elif field.number in (6, 11):
                self.graph(field, f"{where}.graphs", below, depth + 1, are_weights=True)
            elif field.number in (22, 23):
                self.sparse(field, f"{where}.sparse_tensors", below, False)

    def sparse(self, sparse: _Field, where: str, prefix: str, is_weight: bool) -> None:
        """Collect the two tensors of a SparseTensorProto (1 values, 2 indices, 3 dims)."""
        values = ""
        for field in self.inside(sparse, where):
            if field.number == 1:
                values = self.tensor(field, f"{where}.values", prefix, is_weight=is_weight)
            elif field.number == 2:
                self.tensor(field, f"{where}.indices", f"{prefix}{values}.indices.", is_weight=False)

    def tensor(self, tensor: _Field, where: str, prefix: str, *, is_weight: bool) -> str:
        found: dict[int, _Field] = {}
        shape: list[int] = []
        external: list[_Field] = []
        for field in self.inside(tensor, where):
            if field.number == 1:
                shape += self.numbers(field, where)
            elif field.number == 13:
                external.append(field)
            elif field.number in (2, 8, 9, 14):
                self.once(found, field, where)
        label = self.text(found[8], f"{where}.name") if 8 in found else ""
        name = f"{prefix}{label}"
        at = f"{where}[{name!r}]"
        if name in self.tensors:
            raise DuplicateKey(where=at, found=name)
        self.limits.check("tensors", len(self.tensors) + 1, where=at)
        for expected, numbers in ((_VARINT, (2, 14)), (_BYTES, (9,))):
            for field in (found[n] for n in numbers if n in found):
                # A field of another kind, or a number of more bits than an enumeration has, means something else to
                # others: protobuf passes over the one, and cuts the other off.
                if field.kind != expected or field.value >= 2**31:
                    told = f"field {field.number} as wire type {field.kind}, {field.value}"
                    raise NotProtobuf(where=at, found=told, wanted=f"wire type {expected}, of at most 31 bits")
        number = found[2].value if 2 in found else 0
        if number not in TYPES:
            raise ModelFormatUnsupported(
                where=f"{at}.data_type", found=number, wanted="a type of tensors that is known"
            )
        dtype, bits = TYPES[number]
        elements = elements_of(shape)
        if elements is None:
            raise FieldRefused(where=f"{at}.dims", found=str(shape)[:80], wanted="fewer than 2^64 numbers")
        file, begin, end = "", tensor.begin, tensor.end
        if 14 in found and found[14].value == _EXTERNAL:
            file, begin, end = self.external(external, at)
            size = end - begin if end >= 0 else None
        elif 9 in found:
            begin, end = found[9].begin, found[9].end
            size = end - begin
        else:  # told number by number: the digest is then one of the whole message
            size = None
        if bits and size is not None and size != (elements * bits + 7) // 8:
            raise FieldRefused(
                where=at, found=f"{size} bytes", wanted=f"{(elements * bits + 7) // 8}, from type and dims"
            )
        if end < 0:
            end = begin + (elements * bits + 7) // 8
        self.tensors[name] = Tensor(
            name=name, dtype=dtype, shape=tuple(shape), begin=begin, end=end, file=file, is_weight=is_weight
        )
        return label

    def numbers(self, field: _Field, where: str) -> list[int]:
        """Read dims: one, or many packed."""
        if field.kind == _VARINT:
            found = [field.value]
        else:
            found, at = [], field.begin
            if field.kind != _BYTES:
                raise NotProtobuf(where=where, found=f"wire type {field.kind}", wanted="dims")
            while at < field.end:
                self.budget.spend(where=where)
                value, at = self.varint(at, field.end, where)
                found.append(value)
        if any(value >= 2**63 for value in found):
            raise FieldRefused(where=f"{where}.dims", found="a negative dimension", wanted="dimensions from 0 on")
        return found

    def external(self, entries: list[_Field], where: str) -> tuple[str, int, int]:
        """Read where external data lies; an end of -1 where no length is told."""
        words = self.pairs(entries, f"{where}.external_data")
        location = words.get("location", "")
        problem = name_problem(location)
        if problem:
            wanted = "a file beside the model, or below"
            raise FieldRefused(where=f"{where}.external_data", found=location, wanted=wanted, because=problem)
        spans = []
        for key, default in (("offset", 0), ("length", -1)):
            text = words.get(key)
            if text is not None and not (text.isascii() and text.isdigit() and len(text) <= 19):
                raise FieldRefused(where=f"{where}.external_data.{key}", found=text, wanted="a decimal number")
            spans.append(default if text is None else int(text))
        offset, length = spans
        return location, offset, offset + length if length >= 0 else -1


class _Pages:
    """A `Reader` that keeps its last page: a walk asks for ten bytes here and there."""

    __slots__ = ("_at", "_page", "_reader")

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._at = 0
        self._page = b""

    @property
    def where(self) -> str:
        return self._reader.where

    @property
    def size(self) -> int:
        return self._reader.size

    def read_at(self, offset: int, count: int) -> bytes:
        if count > 1 << 12:
            return self._reader.read_at(offset, count)
        begin = offset - self._at
        if begin < 0 or begin + count > len(self._page):
            self._page = self._reader.read_at(offset, 1 << 14)
            self._at, begin = offset, 0
        return self._page[begin : begin + count]


def read(reader: Reader, *, limits: Limits = DEFAULT) -> Contents:
    """Walk through the model and give its tensors, and in words what it says of itself.

    The metadata holds ``ir_version``, the producer, ``opset[domain]``, ``inputs`` and ``outputs`` of the graph, and its
    own properties as ``metadata_props[key]``.

    Raises:
        MalformedError: it is not what it must be; with the place.
        ModelFormatUnsupported: a type of numbers that is not known here.
        LimitError: too many fields or tensors.
    """
    where = reader.where
    walk = _Walk(reader=_Pages(reader), limits=limits, budget=Budget(limits, "header_values"), tensors={})
    found: dict[int, _Field] = {}
    opsets: list[_Field] = []
    properties: list[_Field] = []
    training: list[_Field] = []
    functions: list[_Field] = []
    for field in walk.fields(0, reader.size, where):
        if field.number == 8:
            opsets.append(field)
        elif field.number == 14:
            properties.append(field)
        elif field.number == 20:
            training.append(field)
        elif field.number == 25:
            functions.append(field)
        elif field.number in (1, 2, 3, 4, 5, 7):
            walk.once(found, field, where)
    for number, name in ((1, "ir_version"), (7, "graph")):
        if number not in found:
            raise FieldMissing(where=f"{where}.{name}")
    words = {"ir_version": str(found[1].value)}
    for number, name in ((2, "producer_name"), (3, "producer_version"), (4, "domain")):
        if number in found:
            words[name] = walk.text(found[number], f"{where}.{name}")
    if 5 in found:
        words["model_version"] = str(found[5].value)
    for i, opset in enumerate(opsets):
        told: dict[int, _Field] = {}
        for field in walk.inside(opset, f"{where}.opset_import[{i}]"):
            walk.once(told, field, f"{where}.opset_import[{i}]")
        domain = walk.text(told[1], f"{where}.opset_import[{i}]") if 1 in told else ""
        words[f"opset[{domain}]"] = str(told[2].value) if 2 in told else "0"
    for key, value in walk.pairs(properties, f"{where}.metadata_props").items():
        words[f"metadata_props[{key}]"] = value
    names = walk.graph(found[7], f"{where}.graph", "", 1, are_weights=True)
    words |= {f"{kind}s": ", ".join(listed) for kind, listed in names.items()}
    # TrainingInfoProto holds graphs (1, 2), FunctionProto nodes (7): these may hold tensors as well.
    for i, part in enumerate(training):
        prefix = f"training[{i}]."
        for j, field in enumerate(walk.inside(part, f"{where}.{prefix}")):
            if field.number in (1, 2):
                walk.graph(field, f"{where}.{prefix}", f"{prefix}{j}.", 1, are_weights=False)
    for i, part in enumerate(functions):
        prefix = f"function[{i}]."
        for j, field in enumerate(walk.inside(part, f"{where}.{prefix}")):
            if field.number == 7:
                walk.node(field, f"{where}.{prefix}", f"{prefix}{j}.", 1)
    tensors = tuple(walk.tensors[name] for name in sorted(walk.tensors))
    return Contents(format="onnx", metadata=Facts(words), tensors=tensors)
