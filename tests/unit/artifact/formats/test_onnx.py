"""Is an ONNX model walked as onnx reads it, and never led out of its directory?"""

from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact.formats.onnx import TYPES, read
from glasswing_attest.artifact.formats.reading import Bytes
from glasswing_attest.artifact.formats.tensor import Contents
from glasswing_attest.errors import (
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    ModelFormatUnsupported,
    NotProtobuf,
    NotUtf8,
)
from glasswing_attest.limits import Limits
from tests.weights import external, field, onnx, onnx_tensor, varint

RAW = bytes(range(8))


# Protobuf cuts an enumeration off after 32 bits: to it, this tensor lies elsewhere.
CUT_OFF = onnx_tensor("w", [2], more=field(13, field(1, "location") + field(2, "w.bin")) + field(14, (1 << 32) + 1))


def parse(data: bytes, **limits: int) -> Contents:
    return read(Bytes(data, "m.onnx"), limits=Limits(**limits))


def test_tensors_and_words() -> None:
    data = onnx(
        onnx_tensor("raw", [2], raw=RAW),
        onnx_tensor("elsewhere", [2, 2], more=external("data/w.bin", 4096, 16)),
        onnx_tensor("told", [2], more=field(4, RAW)),
        more=field(14, field(1, "author") + field(2, "me")),
    )
    found = parse(data)
    assert dict(found.metadata) == {
        "ir_version": "10",
        "producer_name": "tests",
        "opset[]": "21",
        "inputs": "x",
        "outputs": "y",
        "metadata_props[author]": "me",
    }
    tensors = {t.name: t for t in found.tensors}
    assert [(t.dtype, t.shape, t.file) for t in found.tensors] == [
        ("FLOAT", (2, 2), "data/w.bin"),
        ("FLOAT", (2,), ""),
        ("FLOAT", (2,), ""),
    ]
    assert data[tensors["raw"].begin : tensors["raw"].end] == RAW
    assert (tensors["elsewhere"].begin, tensors["elsewhere"].end) == (4096, 4112)
    assert RAW in data[tensors["told"].begin : tensors["told"].end]


def test_packed_dims_and_a_length_that_follows_from_them() -> None:
    told = field(1, varint(2) + varint(300)) + field(2, 10) + field(8, "w") + external("w.bin", 8)
    assert [(t.shape, t.begin, t.end) for t in parse(onnx(told)).tensors] == [((2, 300), 8, 1208)]


def test_tensors_within_nodes_subgraphs_functions_and_training_are_found() -> None:
    inner = field(5, onnx_tensor("inner", [2], raw=RAW))
    node = field(1, field(5, field(5, onnx_tensor("constant", [2], raw=RAW))))
    branch = field(1, field(5, field(6, inner + node)))
    sparse = field(15, field(1, onnx_tensor("values", [2], raw=RAW)) + field(2, onnx_tensor("", [1], 7, raw=RAW)))
    more = field(25, field(7, field(5, field(5, onnx_tensor("f", [2], raw=RAW)))))
    more += field(20, field(1, field(5, onnx_tensor("start", [2], raw=RAW))))
    found = parse(onnx(graph=node + branch + sparse, more=more))
    assert {t.name: t.is_weight for t in found.tensors} == {
        "node[0].0.constant": False,
        "node[1].0.inner": True,
        "node[1].0.node[0].0.constant": False,
        "values": True,
        "values.indices.": False,
        "function[0].0.0.f": False,
        "training[0].0.start": False,
    }


REFUSED: dict[str, tuple[bytes, type[GlasswingError], str]] = {
    "nothing": (b"", FieldMissing, "m.onnx.ir_version"),
    "no graph": (field(1, 10), FieldMissing, "m.onnx.graph"),
    "two graphs": (onnx() + field(7, b""), DuplicateKey, "m.onnx"),
    "a number without an end": (b"\xff" * 11, NotProtobuf, "m.onnx"),
    "a number of 65 bits": (varint(8) + b"\xff" * 9 + b"\x02", NotProtobuf, "m.onnx"),
    "a group": (b"\x0b", NotProtobuf, "m.onnx"),
    "field number 0": (b"\x00\x00", NotProtobuf, "m.onnx"),
    "a graph that is a number": (field(1, 10) + field(7, 1), NotProtobuf, "m.onnx.graph"),
    "a field beyond the end": (varint(7 << 3 | 2) + varint(2**40), NotProtobuf, "m.onnx"),
    "a producer that is not UTF-8": (onnx()[:2] + field(2, b"\xff") + field(7, b""), NotUtf8, "m.onnx.producer_name"),
    "an input without a name": (onnx(graph=field(11, b"")), FieldMissing, "m.onnx.graph.input[1].name"),
    "a tensor twice": (onnx(onnx_tensor("w", [2], raw=RAW), onnx_tensor("w", [2], raw=RAW)), DuplicateKey, "w"),
    "two raw_data": (
        onnx(onnx_tensor("w", [2], raw=RAW, more=field(9, RAW))),
        DuplicateKey,
        "m.onnx.graph.initializer",
    ),
    "no type": (onnx(onnx_tensor("w", [2], 0, raw=RAW)), ModelFormatUnsupported, "w.data_type"),
    "a type of tomorrow": (onnx(onnx_tensor("w", [2], 99, raw=RAW)), ModelFormatUnsupported, "w.data_type"),
    "a place of 33 bits": (onnx(CUT_OFF), NotProtobuf, "w"),
    "a place of another kind": (onnx(onnx_tensor("w", [2], raw=RAW, more=field(14, b""))), NotProtobuf, "w"),
    "a type of another kind": (
        onnx(field(1, 2) + field(2, b"") + field(8, "w") + field(9, RAW)),
        NotProtobuf,
        "w",
    ),
    "bytes of another kind": (onnx(onnx_tensor("w", [0], more=field(9, 0))), NotProtobuf, "w"),
    "another size": (onnx(onnx_tensor("w", [3], raw=RAW)), FieldRefused, "w"),
    "another size elsewhere": (onnx(onnx_tensor("w", [3], more=external("w", 0, 8))), FieldRefused, "w"),
    "a size that overflows": (onnx(onnx_tensor("w", [2**62, 8], raw=RAW)), FieldRefused, "w.dims"),
    "a negative dimension": (
        onnx(onnx_tensor("w", [2**64 - 1], raw=RAW)),
        FieldRefused,
        "m.onnx.graph.initializer.dims",
    ),
    "no location": (onnx(onnx_tensor("w", [2], more=external(""))), FieldRefused, "w.external_data"),
    "a location above": (onnx(onnx_tensor("w", [2], more=external("../w"))), FieldRefused, "w.external_data"),
    "a location from the root": (
        onnx(onnx_tensor("w", [2], more=external("/etc/passwd"))),
        FieldRefused,
        "w.external_data",
    ),
    "a location within": (onnx(onnx_tensor("w", [2], more=external("a/../../w"))), FieldRefused, "w.external_data"),
    "a location with a backslash": (
        onnx(onnx_tensor("w", [2], more=external("..\\w"))),
        FieldRefused,
        "w.external_data",
    ),
    "a negative offset": (
        onnx(onnx_tensor("w", [2], more=external("w", "-8"))),
        FieldRefused,
        "w.external_data.offset",
    ),
    "an offset in words": (
        onnx(onnx_tensor("w", [2], more=external("w", "0x8"))),
        FieldRefused,
        "w.external_data.offset",
    ),
    "a length without end": (
        onnx(onnx_tensor("w", [2], more=external("w", 0, "9" * 5000))),
        FieldRefused,
        "w.external_data.length",
    ),
    "a location twice": (
        onnx(onnx_tensor("w", [2], more=field(13, field(1, "location") + field(2, "v")) + external("w"))),
        DuplicateKey,
        "w.external_data[1]",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_model_is_refused(case: str) -> None:
    data, error, where = REFUSED[case]
    if where.partition(".")[0] == "w":
        where = f"m.onnx.graph.initializer['w']{where[1:]}"
    with pytest.raises(error) as refused:
        parse(data)
    assert (type(refused.value), refused.value.where) == (error, where)


def test_work_is_bounded() -> None:
    with pytest.raises(LimitError) as many:
        parse(onnx(onnx_tensor("w", [2], raw=RAW)), header_values=10)
    assert many.value.code == "limit"
    with pytest.raises(LimitError) as tensors:
        parse(onnx(onnx_tensor("w", [2], raw=RAW), onnx_tensor("v", [2], raw=RAW)), tensors=1)
    assert tensors.value.where == "m.onnx.graph.initializer['v']"
    graph = b""
    for _ in range(70):
        graph = field(1, field(5, field(6, graph)))
    with pytest.raises(LimitError) as deep:
        parse(onnx(graph=graph))
    assert deep.value.wanted == "at most 64 (json_depth)"
    with pytest.raises(LimitError) as long_text:
        parse(onnx(more=field(3, "x" * 100)), header_bytes=50)
    assert long_text.value.where == "m.onnx.producer_version"


def package() -> Any:
    return pytest.importorskip("onnx", reason="the package onnx is not installed")


def test_what_onnx_writes_is_read_as_onnx_reads_it(tmp_path: Path) -> None:
    module = package()
    numpy = pytest.importorskip("numpy", reason="the package numpy is not installed")
    helper, numbers, kinds = module.helper, module.numpy_helper, module.TensorProto
    weights = [
        numbers.from_array(numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "W"),
        numbers.from_array(numpy.arange(3, dtype=numpy.int64), "V"),
        helper.make_tensor("told", kinds.FLOAT, [3], [1.0, 2.0, 3.0]),
        helper.make_tensor("words", kinds.STRING, [2], [b"a", b"b"]),
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "W"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", kinds.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("y", kinds.FLOAT, ["batch", 3])],
        weights,
    )
    model = helper.make_model(graph, producer_name="me", opset_imports=[helper.make_opsetid("ai.onnx.ml", 3)])
    helper.set_model_props(model, {"k": "v"})
    data = model.SerializeToString()
    found = parse(data)
    assert {t.name: (t.dtype, list(t.shape)) for t in found.tensors} == {
        t.name: (kinds.DataType.Name(t.data_type), list(t.dims)) for t in model.graph.initializer
    }
    by_name = {t.name: t for t in found.tensors}
    for told in weights[:2]:
        assert data[by_name[told.name].begin : by_name[told.name].end] == told.raw_data
    assert found.metadata["opset[ai.onnx.ml]"] == "3"
    assert (found.metadata["inputs"], found.metadata["outputs"]) == ("x", "y")
    module.save_model(model, tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0, location="w.bin")
    beside = {t.name: t for t in parse((tmp_path / "m.onnx").read_bytes()).tensors}
    stored = (tmp_path / "w.bin").read_bytes()
    assert beside["W"].file == beside["V"].file == "w.bin"
    assert stored[beside["W"].begin : beside["W"].end] == numpy.arange(6, dtype=numpy.float32).tobytes()


def test_onnx_cuts_off_what_is_refused_here() -> None:
    model = package().ModelProto.FromString(onnx(CUT_OFF))
    assert model.graph.initializer[0].data_location == package().TensorProto.EXTERNAL


def test_the_types_are_those_of_onnx() -> None:
    kinds = package().TensorProto.DataType
    assert {number: name for name, number in kinds.items() if number}.items() <= {
        number: name for number, (name, _) in TYPES.items()
    }.items()
