"""Does every change of a file of weights end in a value or a refusal of ours, soon and in little memory?"""

import struct
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest.artifact.croissant import read_croissant
from glasswing_attest.artifact.formats import gguf, onnx, safetensors
from glasswing_attest.artifact.formats.detect import READERS, detect
from glasswing_attest.artifact.formats.reading import Bytes
from glasswing_attest.artifact.formats.tensor import Contents
from glasswing_attest.artifact.hub import read_hub
from glasswing_attest.artifact.oci import read_oci
from glasswing_attest.errors import GlasswingError
from tests import weights
from tests.weights import ARRAY, STRING, external, field, onnx_tensor, string, value

_ARRAY = value(ARRAY, struct.pack("<IQ", STRING, 2) + string("a") + string("bc"))
GOOD: dict[str, tuple[Callable[..., Contents], bytes]] = {
    "safetensors": (
        safetensors.read,
        weights.safetensors({"a": ("F32", (2,), b"12345678"), "b": ("U8", (0,), b"")}, {"format": "pt"}),
    ),
    "gguf": (
        gguf.read,
        weights.gguf([("general.name", value(STRING, string("x"))), ("t", _ARRAY)], [("w", (2, 2), 0, bytes(16))]),
    ),
    "onnx": (
        onnx.read,
        weights.onnx(
            onnx_tensor("a", [2], raw=bytes(8)),
            onnx_tensor("b", [2], more=external("w.bin", 0, 8)),
            graph=field(1, field(5, field(6, field(5, onnx_tensor("c", [1], raw=bytes(4)))))),
        ),
    ),
}


def check(read: Callable[..., Contents], data: bytes) -> Contents | None:
    """Read; only our errors may leave."""
    try:
        return read(Bytes(data, "m"))
    except GlasswingError:
        return None


@pytest.mark.parametrize("kind", GOOD)
def test_every_flipped_bit_and_every_cut_is_read_or_refused(kind: str) -> None:
    read, data = GOOD[kind]
    whole = check(read, data)
    assert whole is not None
    refused = 0
    for at in range(len(data)):
        refused += check(read, data[:at]) is None
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            refused += check(read, bytes(changed)) is None
    assert refused > len(data)


@pytest.mark.parametrize("kind", ["safetensors", "gguf"])
@given(extra=st.binary(min_size=1, max_size=64))
def test_nothing_may_follow(kind: str, extra: bytes) -> None:
    read, data = GOOD[kind]
    assert check(read, data + extra) is None


@pytest.mark.parametrize("kind", GOOD)
@settings(max_examples=200)
@given(at=st.integers(0, 400), number=st.sampled_from([2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1]))
def test_a_large_number_anywhere_costs_neither_time_nor_memory(kind: str, at: int, number: int) -> None:
    read, data = GOOD[kind]
    at %= len(data)
    changed = (data[:at] + struct.pack("<Q", number) + data[at + 8 :])[: len(data)]
    tracemalloc.start()
    try:
        check(read, changed)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@settings(max_examples=300)
@given(data=st.binary(max_size=300), name=st.sampled_from(["m.safetensors", "m.gguf", "m.onnx", "m.bin", "README.md"]))
def test_garbage_is_no_crash(data: bytes, name: str) -> None:
    for read in READERS.values():
        check(read, data)
    assert detect(Bytes(data), name) in {"", *READERS, "pickle", "keras", "tflite", "numpy", "pytorch", "other"}
    for document in (read_croissant, read_hub, read_oci):
        try:
            read_as = document(data)
        except GlasswingError:
            continue
        # An empty list is a repository without files, which no manifest can be made of.
        assert (data.split(), getattr(read_as, "files", None)) == ([b"[]"], ()), document.__name__


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["@context", "@type", "@id", "name", "distribution", "sha256", "layers", "siblings", "lfs", "w"]
            )
            | st.sampled_from(
                ["oid", "digest", "path", "type", "field", "recordSet", "shape", "dtype", "data_offsets"]
            ),
            inner | st.sampled_from(["sc:Dataset", "cr:FileObject", "file", "F32", "ab" * 32]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(JSON)
def test_any_json_is_read_or_refused(document: object) -> None:
    import json

    data = json.dumps(document).encode()
    check(safetensors.read, weights.with_header(data))
    for read in (read_croissant, read_hub, read_oci):
        try:
            read(data)
        except GlasswingError:
            continue


def test_a_million_small_claims_are_over_soon() -> None:
    strings = value(ARRAY, struct.pack("<IQ", STRING, 100_000) + string("token") * 100_000)
    begun = time.perf_counter()
    assert check(gguf.read, weights.gguf([("tokens", strings)])) is not None
    assert check(onnx.read, weights.onnx(graph=field(2, 1) * 100_000)) is not None
    assert time.perf_counter() - begun < 5
