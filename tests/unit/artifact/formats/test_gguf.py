"""Is a GGUF file read as ggml reads it, and refused where bytes could hide?"""

import struct
from pathlib import Path

import pytest

from glasswing_attest.artifact.formats.gguf import FILE_TYPES, TYPES, read
from glasswing_attest.artifact.formats.reading import Bytes
from glasswing_attest.artifact.formats.tensor import Contents
from glasswing_attest.errors import (
    DuplicateKey,
    FieldRefused,
    GlasswingError,
    LimitError,
    ModelFormatUnsupported,
    NotUtf8,
)
from glasswing_attest.limits import Limits
from tests.weights import ARRAY, BOOL, STRING, UINT32, gguf, string, value

NAME = ("general.name", value(STRING, string("tiny")))
T = ("t", (2, 3), 0, b"x" * 24)
ALIGNED = ("general.alignment", value(UINT32, struct.pack("<I", 4096)))
T2 = ("u", (2, 3), 0, b"y" * 24)


def parse(data: bytes, **limits: int) -> Contents:
    return read(Bytes(data, "m.gguf"), limits=Limits(**limits))


@pytest.mark.parametrize("version", [2, 3])
def test_tensors_and_words(version: int) -> None:
    tokens = value(ARRAY, struct.pack("<IQ", STRING, 2) + string("a") + string("b"))
    metadata = [
        NAME,
        ("general.alignment", value(UINT32, struct.pack("<I", 64))),
        ("tokenizer.ggml.tokens", tokens),
        ("tokenizer.ggml.scores", value(ARRAY, struct.pack("<IQ", 6, 2) + bytes(8))),
        ("a.yes", value(BOOL, b"\x01")),
        ("a.float", value(6, struct.pack("<f", 0.5))),
        ("a.low", value(11, struct.pack("<q", -1))),
    ]
    quantised = ("q", (32,), 8, bytes(34))
    data = gguf(metadata, [T, quantised], version=version, alignment=64)
    found = parse(data)
    words = dict(found.metadata)
    assert words["tokenizer.ggml.tokens"].startswith("2 of string, sha256:")
    assert words["tokenizer.ggml.scores"].startswith("2 of float32, sha256:")
    assert [words[k] for k in ("general.name", "a.yes", "a.float", "a.low")] == ["tiny", "true", "0.5", "-1"]
    assert [(t.name, t.dtype, t.shape) for t in found.tensors] == [("q", "Q8_0", (32,)), ("t", "F32", (2, 3))]
    assert data[found.tensors[1].begin : found.tensors[1].end] == b"x" * 24


def test_a_vocabulary_alone_needs_no_padding() -> None:
    assert parse(gguf([NAME])).tensors == ()
    assert parse(gguf([NAME], tail=b"")).tensors == ()


def test_the_last_padding_may_be_missing() -> None:
    data = gguf([], [T])
    assert parse(data[:-8]) == parse(data)


def test_a_vocabulary_of_other_words_is_another(tmp_path: Path) -> None:
    def tokens(*words: str) -> str:
        array = struct.pack("<IQ", STRING, len(words)) + b"".join(map(string, words))
        return parse(gguf([("tokens", value(ARRAY, array))])).metadata["tokens"]

    assert len({tokens("a", "b"), tokens("b", "a"), tokens("ab", ""), tokens("a", "b", "")}) == 4


def many(kind: int, count: int) -> bytes:
    return gguf([("x", value(ARRAY, struct.pack("<IQ", kind, count)))])


REFUSED: dict[str, tuple[bytes, type[GlasswingError], str]] = {
    "no magic": (b"GGML" + bytes(20), FieldRefused, "m.gguf"),
    "nothing": (b"", FieldRefused, "m.gguf"),
    "version 1": (gguf(version=1), ModelFormatUnsupported, "m.gguf.version"),
    "big-endian": (b"GGUF" + struct.pack(">I", 3) + bytes(16), ModelFormatUnsupported, "m.gguf.version"),
    "cut off in the header": (gguf()[:20], FieldRefused, "m.gguf"),
    "more values than there are": (gguf([NAME], counts=(0, 2)), FieldRefused, "m.gguf.metadata[1].key"),
    "a key twice": (gguf([NAME, NAME]), DuplicateKey, "m.gguf.metadata[1].key"),
    "an empty key": (gguf([("", NAME[1])]), FieldRefused, "m.gguf.metadata[0].key"),
    "a key beyond ASCII": (gguf([("ü", NAME[1])]), FieldRefused, "m.gguf.metadata[0].key"),
    "a long key": (gguf([("k" * 65536, NAME[1])]), FieldRefused, "m.gguf.metadata[0].key"),
    "a value that is not UTF-8": (gguf([("k", value(STRING, string(b"\xff")))]), NotUtf8, "m.gguf['k']"),
    "a string beyond the end": (
        gguf([("k", value(STRING, struct.pack("<Q", 2**64 - 1)))]),
        FieldRefused,
        "m.gguf['k']",
    ),
    "a value of no type": (gguf([("k", value(13, b""))]), FieldRefused, "m.gguf['k']"),
    "neither true nor false": (gguf([("k", value(BOOL, b"\x02"))]), FieldRefused, "m.gguf['k']"),
    "an array of arrays": (many(ARRAY, 1), FieldRefused, "m.gguf['x']"),
    "an endless array of numbers": (many(10, 2**61), FieldRefused, "m.gguf['x']"),
    "an endless array of strings": (many(STRING, 2**61), FieldRefused, "m.gguf['x']"),
    "a tensor twice": (gguf([], [T, T]), DuplicateKey, "m.gguf.tensors[1].name"),
    "five dimensions": (gguf([], [("t", (1,) * 5, 0, b"1234")]), FieldRefused, "m.gguf.tensors[0].shape"),
    "half a block": (gguf([], [("t", (16,), 8, bytes(17))]), FieldRefused, "m.gguf.tensors[0].shape"),
    "a size that overflows": (gguf([], [("t", (2**40, 2**40), 0, b"")]), FieldRefused, "m.gguf.tensors[0].shape"),
    "a type that was removed": (gguf([], [("t", (32,), 4, b"")]), ModelFormatUnsupported, "m.gguf.tensors[0].type"),
    "an offset beside": (gguf([], [T], offsets=[32]), FieldRefused, "m.gguf.tensors[0].offset"),
    "an overlap": (gguf([], [T, ("u", (6,), 0, bytes(24))], offsets=[0, 0]), FieldRefused, "m.gguf.tensors[1].offset"),
    "a hole": (gguf([], [T, ("u", (6,), 0, bytes(24))], offsets=[0, 64]), FieldRefused, "m.gguf.tensors[1].offset"),
    "bytes at the end": (gguf([], [T], tail=b"x"), FieldRefused, "m.gguf"),
    "cut off": (gguf([], [T])[:-9], FieldRefused, "m.gguf"),
    "an alignment of three": (
        gguf([("general.alignment", value(UINT32, struct.pack("<I", 3)))], [T]),
        FieldRefused,
        "m.gguf['general.alignment']",
    ),
    "an alignment of zero": (
        gguf([("general.alignment", value(UINT32, bytes(4)))], [T]),
        FieldRefused,
        "m.gguf['general.alignment']",
    ),
    "an alignment of another type": (
        gguf([("general.alignment", value(10, struct.pack("<Q", 32)))], [T]),
        FieldRefused,
        "m.gguf['general.alignment']",
    ),
    "something in the last padding": (gguf([], [T])[:-1] + b"x", FieldRefused, "m.gguf"),
    "something in the padding of a tensor": (
        gguf([], [T, T2]).replace(b"x" * 24 + bytes(8), b"x" * 24 + bytes(7) + b"x"),
        FieldRefused,
        "m.gguf",
    ),
    "something in the padding of the header": (
        gguf([NAME, ALIGNED], [T], alignment=4096).replace(bytes(100), bytes(99) + b"x", 1),
        FieldRefused,
        "m.gguf",
    ),
    "something behind a vocabulary": (gguf([NAME], tail=b"")[:-1] + b"x", FieldRefused, "m.gguf"),
    "an alignment in words": (
        gguf([("general.alignment", value(STRING, string("32")))], [T]),
        FieldRefused,
        "m.gguf['general.alignment']",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_file_is_refused(case: str) -> None:
    data, error, where = REFUSED[case]
    with pytest.raises(error) as refused:
        parse(data)
    assert (type(refused.value), refused.value.where) == (error, where)


def test_counts_are_bounded_before_anything_is_read() -> None:
    for counts, where in (((2**63, 0), "m.gguf.tensors"), ((0, 2**63), "m.gguf.metadata")):
        with pytest.raises(LimitError) as refused:
            parse(gguf(counts=counts))
        assert (refused.value.code, refused.value.where) == ("limit", where)
    strings = value(ARRAY, struct.pack("<IQ", STRING, 3) + string("a") * 3)
    with pytest.raises(LimitError) as many_values:
        parse(gguf([("k", strings)]), header_values=3)
    assert many_values.value.where == "m.gguf['k']"
    with pytest.raises(LimitError) as long_header:
        parse(gguf([("k", value(STRING, string("a" * 200)))]), header_bytes=100)
    assert long_header.value.where == "m.gguf['k']"


def test_what_gguf_writes_is_read_as_gguf_reads_it(tmp_path: Path) -> None:
    package = pytest.importorskip("gguf", reason="the package gguf is not installed")
    numpy = pytest.importorskip("numpy", reason="the package numpy is not installed")
    path = tmp_path / "m.gguf"
    writer = package.GGUFWriter(path, "llama")
    writer.add_file_type(15)
    writer.add_token_list(["a", "ü"])
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("t", numpy.arange(64, dtype=numpy.float32).reshape(2, 32))
    kind = package.GGMLQuantizationType.Q8_0
    writer.add_tensor("q", package.quants.quantize(numpy.ones((4, 32), numpy.float32), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = parse(path.read_bytes())
    reader = package.GGUFReader(path)
    wanted = {
        t.name: (t.tensor_type.name, [int(n) for n in t.shape], t.data_offset, t.data_offset + t.n_bytes)
        for t in reader.tensors
    }
    assert {t.name: (t.dtype, list(t.shape), t.begin, t.end) for t in found.tensors} == wanted
    assert set(found.metadata) == {key for key in reader.fields if not key.startswith("GGUF.")}
    assert found.metadata["tokenizer.chat_template"] == "{{ messages }}"


def test_the_types_are_those_of_gguf() -> None:
    package = pytest.importorskip("gguf", reason="the package gguf is not installed")
    assert {int(k): (k.name, *sizes) for k, sizes in package.GGML_QUANT_SIZES.items()}.items() <= TYPES.items()
    names = {int(k): k.name.partition("_")[2] for k in package.LlamaFileType if k.name != "GUESSED"}
    assert names.items() <= FILE_TYPES.items()
