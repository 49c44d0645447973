"""Is a safetensors file read as its standard says, and refused where it could be read in two ways?"""

import json
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact.formats.reading import Bytes
from glasswing_attest.artifact.formats.safetensors import DTYPES, read
from glasswing_attest.artifact.formats.tensor import Contents
from glasswing_attest.errors import (
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    ModelFormatUnsupported,
    NotJson,
    NotUtf8,
)
from glasswing_attest.limits import Limits
from tests.weights import safetensors, with_header

W = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def parse(data: bytes, **limits: int) -> Contents:
    return read(Bytes(data, "m.safetensors"), limits=Limits(**limits))


def test_tensors_and_words() -> None:
    data = safetensors({"b": ("F32", (2, 1), b"12345678"), "a": ("U8", (), b"9")}, {"format": "pt"})
    found = parse(data)
    assert (found.format, dict(found.metadata)) == ("safetensors", {"format": "pt"})
    assert [(t.name, t.dtype, t.shape, data[t.begin : t.end]) for t in found.tensors] == [
        ("a", "U8", (), b"9"),
        ("b", "F32", (2, 1), b"12345678"),
    ]
    assert [t.elements for t in found.tensors] == [1, 2]


def test_a_file_without_tensors_is_one() -> None:
    assert parse(with_header(b"{}      ")).tensors == ()


def test_empty_tensors_lie_between_others() -> None:
    data = safetensors({"a": ("I8", (0, 3), b""), "b": ("I8", (2,), b"ab"), "c": ("F4", (4,), b"ab")})
    assert [t.end - t.begin for t in parse(data).tensors] == [0, 2, 2]


def test_the_header_may_be_padded_with_spaces_only() -> None:
    assert parse(with_header(json.dumps({"w": W}).encode() + b"   ", bytes(8))).tensors
    for header in (b' {"w": 1}', b'{"w": 1}\n', b"[]", b"", b"   "):
        with pytest.raises(FieldRefused) as refused:
            parse(with_header(header))
        assert (refused.value.code, refused.value.where) == ("malformed.field", "m.safetensors")


REFUSED: dict[str, tuple[bytes, type[GlasswingError], str]] = {
    "no header": (b"\x00\x00", FieldRefused, "m.safetensors"),
    "header beyond the end": (struct.pack("<Q", 100) + b"{}", FieldRefused, "m.safetensors"),
    "not json": (with_header(b"{w}"), NotJson, "m.safetensors"),
    "not utf-8": (with_header(b'{"\xff": 1}'), NotUtf8, "m.safetensors"),
    "twice": (
        with_header(b'{"w": %s, "w": %s}' % ((json.dumps(W).encode(),) * 2), bytes(8)),
        DuplicateKey,
        "m.safetensors.w",
    ),
    "tensor is no object": (with_header({"w": 1}), FieldRefused, "m.safetensors.w"),
    "metadata is no object": (with_header({"__metadata__": []}), FieldRefused, "m.safetensors.__metadata__"),
    "metadata is no word": (
        with_header({"__metadata__": {"a": 1}}),
        FieldRefused,
        "m.safetensors.__metadata__.a",
    ),
    "no dtype": (with_header({"w": {**W, "dtype": None}}), FieldMissing, "m.safetensors.w.dtype"),
    "unknown dtype": (with_header({"w": {**W, "dtype": "F7"}}), ModelFormatUnsupported, "m.safetensors.w.dtype"),
    "shape is a text": (with_header({"w": {**W, "shape": ["2"]}}), FieldRefused, "m.safetensors.w.shape[0]"),
    "shape is a fraction": (with_header({"w": {**W, "shape": [2.0]}}), FieldRefused, "m.safetensors.w.shape[0]"),
    "shape is below zero": (with_header({"w": {**W, "shape": [-2]}}), FieldRefused, "m.safetensors.w.shape[0]"),
    "shape is true": (with_header({"w": {**W, "shape": [True]}}), FieldRefused, "m.safetensors.w.shape[0]"),
    "size differs": (with_header({"w": {**W, "shape": [3]}}, bytes(8)), FieldRefused, "m.safetensors.w.data_offsets"),
    "size of half a byte": (
        with_header({"w": {"dtype": "F4", "shape": [3], "data_offsets": [0, 1]}}, bytes(1)),
        FieldRefused,
        "m.safetensors.w.data_offsets",
    ),
    "size overflows": (
        with_header({"w": {**W, "shape": [2**33, 2**33, 0]}}, bytes(8)),
        FieldRefused,
        "m.safetensors.w.data_offsets",
    ),
    "three offsets": (
        with_header({"w": {**W, "data_offsets": [0, 8, 8]}}),
        FieldRefused,
        "m.safetensors.w.data_offsets",
    ),
    "backwards": (with_header({"w": {**W, "data_offsets": [8, 0]}}), FieldRefused, "m.safetensors.w.data_offsets"),
    "offset beyond 64 bits": (
        with_header({"w": {**W, "data_offsets": [0, 2**64]}}),
        FieldRefused,
        "m.safetensors.w.data_offsets[1]",
    ),
    "a hole before": (
        with_header({"w": {**W, "data_offsets": [1, 9]}}, bytes(9)),
        FieldRefused,
        "m.safetensors.w.data_offsets",
    ),
    "a hole between": (
        with_header({"w": W, "x": {**W, "data_offsets": [9, 17]}}, bytes(17)),
        FieldRefused,
        "m.safetensors.x.data_offsets",
    ),
    "an overlap": (
        with_header({"w": W, "x": {**W, "data_offsets": [4, 12]}}, bytes(12)),
        FieldRefused,
        "m.safetensors.x.data_offsets",
    ),
    "the same bytes twice": (with_header({"w": W, "x": W}, bytes(8)), FieldRefused, "m.safetensors.x.data_offsets"),
    "bytes at the end": (with_header({"w": W}, bytes(9)), FieldRefused, "m.safetensors"),
    "cut off": (with_header({"w": W}, bytes(7)), FieldRefused, "m.safetensors"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(case: str) -> None:
    data, error, where = REFUSED[case]
    with pytest.raises(error) as refused:
        parse(data)
    assert (type(refused.value), refused.value.where) == (error, where)


def test_a_header_of_any_size_is_neither_read_nor_kept() -> None:
    for size in (100_000_001, 2**63, 2**64 - 1):
        with pytest.raises((LimitError, FieldRefused)) as refused:
            parse(struct.pack("<Q", size) + b"{}")
        assert refused.value.where == "m.safetensors"
    with pytest.raises(LimitError) as bounded:
        parse(safetensors({"w": ("U8", (1,), b"1")}), header_bytes=20)
    assert bounded.value.code == "limit"
    with pytest.raises(LimitError) as many:
        parse(safetensors({"w": ("U8", (1,), b"1"), "x": ("U8", (1,), b"1")}), tensors=1)
    assert many.value.wanted == "at most 1 (tensors)"


def test_a_hostile_shape_costs_nothing() -> None:
    header = {"w": {"dtype": "U8", "shape": [2**63] * 50_000, "data_offsets": [0, 8]}}
    data = with_header(header, bytes(8))
    tracemalloc.start()
    try:
        with pytest.raises(FieldRefused) as refused:
            parse(data)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert refused.value.where == "m.safetensors.w.data_offsets"


def oracle() -> Any:
    return pytest.importorskip("safetensors", reason="the package safetensors is not installed")


@pytest.mark.parametrize("case", REFUSED)
def test_safetensors_refuses_the_same_but_for_a_key_that_stands_twice(case: str) -> None:
    module = oracle()
    data = REFUSED[case][0]
    if case == "twice":
        assert len(module.deserialize(data)) == 1
        return
    with pytest.raises(module.SafetensorError):
        module.deserialize(data)


def test_what_safetensors_writes_is_read_as_safetensors_reads_it(tmp_path: Path) -> None:
    module = oracle()
    numpy = pytest.importorskip("numpy", reason="the package numpy is not installed")
    from safetensors.numpy import save  # type: ignore[import-not-found,unused-ignore]

    dtypes = (
        "bool",
        "uint8",
        "int8",
        "int16",
        "uint16",
        "float16",
        "int32",
        "uint32",
        "float32",
        "float64",
        "int64",
        "uint64",
    )
    arrays = {f"layers.{i}.{dtype}": numpy.ones((i, 2), dtype) for i, dtype in enumerate(dtypes)}
    data = save(arrays, metadata={"format": "np", "ü": "ß"})
    found = parse(data)
    assert dict(found.metadata) == {"format": "np", "ü": "ß"}
    wanted = {name: (info["dtype"], info["shape"], bytes(info["data"])) for name, info in module.deserialize(data)}
    assert {t.name: (t.dtype, list(t.shape), data[t.begin : t.end]) for t in found.tensors} == wanted


def test_the_types_are_those_of_safetensors() -> None:
    module = oracle()
    with pytest.raises(module.SafetensorError) as refused:
        module.deserialize(with_header({"w": {**W, "dtype": "F7"}}))
    known = str(refused.value).partition("expected one of ")[2].partition(" at ")[0]
    assert set(known.replace("`", "").split(", ")) <= set(DTYPES)
