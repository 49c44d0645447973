"""Is a format recognised by what a file holds, and a pickle under any name?"""

import bz2
import gzip
import io
import lzma
import pickle
import pickletools
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from glasswing_attest.artifact.formats.arrays import MAGIC
from glasswing_attest.artifact.formats.detect import detect
from glasswing_attest.artifact.formats.pickles import TORCH_MAGIC, is_pickle
from glasswing_attest.artifact.formats.reading import Bytes
from glasswing_attest.artifact.roles import Role, role_of
from glasswing_attest.errors import LimitError
from glasswing_attest.limits import Limits
from tests.weights import gguf, safetensors, with_header


class Armed:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("the pickle was loaded",))


THINGS: list[object] = [None, 0, "text", [1, 2], {"a": (1, 2.5)}, list(range(5000)), Armed(), b"x" * 100_000, {1, 2}]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("thing", THINGS, ids=[type(t).__name__ for t in THINGS])
def test_a_pickle_is_seen_and_never_loaded(thing: object, protocol: int) -> None:
    data = pickle.dumps(thing, protocol=protocol)
    for name in ("model.bin", "README.md", "config.json"):
        assert detect(Bytes(data), name) == "pickle"
    assert is_pickle(Bytes(data + b"trailing"))


TEXTS = [
    b"",
    b".",
    b"# A model\n\nIt is good.\n",
    b"I am.\n",
    b"Negative.\n",
    b"0.5\n",
    b"1.\n",
    b"(a) b.\n",
    b'{"a": 1}\n',
    b"<html>",
    b"[1, 2]",
    b"a,b\n1,2\n",
    b"%PDF-1.7\n",
    b"\x7fELF\x02\x01\x01",
    b"]" * 10,
    b"\x80",
    b"\x80\x06.",
    b"config\nmodel\n",
    b"(in short, it is\ngood\n",
    b"x^2 + y^2 = z^2\n",
    gzip.compress(b"# A list of words\n"),
    b"\x80\x01.",
    b"N" * 70_000,
]


@pytest.mark.parametrize("data", TEXTS, ids=range(len(TEXTS)))
def test_other_files_are_none(data: bytes) -> None:
    wanted = "pickle" if data == b"N" * 70_000 else ""  # more opcodes than chance has, up to the window's end
    assert detect(Bytes(data), "README.md") == wanted


def archive(names: Sequence[str] | Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name in names:
            file.writestr(name, names[name] if isinstance(names, Mapping) else b"x")
    return stream.getvalue()


def array(descr: object, *, version: int = 1, tail: str = "") -> bytes:
    """A NumPy array's header, and one byte."""
    header = (repr({"descr": descr, "fortran_order": False, "shape": (1,)}) + tail).encode()
    size = len(header).to_bytes(2 if version == 1 else 4, "little")
    return MAGIC + bytes([version, 0]) + size + header + b"x"


def tar(names: Sequence[str], form: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as file:
        for name in names:
            file.addfile(tarfile.TarInfo(name), io.BytesIO())
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "wanted"),
    [
        (safetensors({}), "model.safetensors", "safetensors"),
        (gguf(), "model.bin", "gguf"),
        (b"\x08\x0a", "model.onnx", "onnx"),
        (TORCH_MAGIC + b"\x80\x02M\xe9\x03.", "pytorch_model.bin", "pytorch"),
        (archive(["archive/data.pkl", "archive/data/0"]), "pytorch_model.bin", "pytorch"),
        (archive(["m/data.pkl", "m/constants.pkl", "m/code/__torch__.py"]), "model.pt", "torchscript"),
        (archive({"a.npy": array("<f8")}), "a.npz", "numpy"),
        (archive(["config.json", "model.weights.h5"]), "model.keras", "keras"),
        (archive(["readme.txt"]), "docs.zip", ""),
        (b"\x89HDF\r\n\x1a\n", "model.h5", "keras"),
        (array("<f8"), "a.npy", "numpy"),
        (b"\x20\x00\x00\x00TFL3", "model.tflite", "tflite"),
        (b"\x08\x01", "saved/saved_model.pb", "saved-model"),
    ],
)
def test_a_format_is_told_by_its_mark_or_its_name(data: bytes, name: str, wanted: str) -> None:
    assert detect(Bytes(data), name) == wanted


PICKLE = pickle.dumps({"a": 1})
CALL = b"cos\nsystem\n(S'id'\ntR"
TORCH = archive(["archive/data.pkl", "archive/data/0"])
# As tar wrote before it had a mark.
OLD_TAR = bytes(148) + b"%06o\0 " % (8 * ord(" ")) + bytes(356)
MANY = archive({f"{i}.txt": b"x" for i in range(1001)})


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"\x80\x00" + CALL + b".", "pickle"),
        (b"\x80\x01" + CALL + b".", "pickle"),
        (CALL, "pickle"),  # it never ends, and has called by then
        (CALL + b"\xff\xff no opcodes", "pickle"),
        (b"\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R", "pickle"),
        (b"(S'id'\nios\nsystem\n", "pickle"),
        (zlib.compress(PICKLE), "pickle"),
        (gzip.compress(PICKLE), "pickle"),
        (bz2.compress(PICKLE), "pickle"),
        (lzma.compress(PICKLE), "pickle"),
        (lzma.compress(PICKLE, lzma.FORMAT_ALONE), "pickle"),
        (gzip.compress(TORCH_MAGIC), "pickle"),
        (gzip.compress(array("|O")), "pickle"),
        (gzip.compress(array("<f8")), "other"),
        (gzip.compress(tar(["weights.ckpt"], tarfile.USTAR_FORMAT)), "other"),
        (gzip.compress(gzip.compress(PICKLE)), "other"),
        (gzip.compress(PICKLE)[:10], "other"),
        (b"\x28\xb5\x2f\xfd zstd", "other"),
        (b"7z\xbc\xaf\x27\x1c", "other"),
        (tar(["pickle", "storages"], tarfile.USTAR_FORMAT), "other"),
        (tar(["pickle", "storages"], tarfile.GNU_FORMAT), "other"),
        (OLD_TAR, "other"),
        (archive(["archive/DATA.PKL"]), "pytorch"),
        (archive({"weights": PICKLE}), "pickle"),
        (archive({"weights": b"\0" * 70_000 + PICKLE, "b": PICKLE}, zipfile.ZIP_DEFLATED), "pickle"),
        (archive({"policy.pth": TORCH}), "pickle"),
        (archive({"weights.bin": TORCH}), "other"),
        (archive({"weights.bin": PICKLE}, zipfile.ZIP_BZIP2), "other"),
        (archive({"a.npy": array("<f8"), "b.npy": array("|O")}), "pickle"),
        (archive({"model.safetensors": b"x"}), "other"),
        (archive({"readme.txt": b"x", "folder/": b""}), ""),
        (TORCH[:-10], "other"),
        (TORCH.replace(b"archive/data.pkl", b"archive/data.txt"), ""),
        (MANY, "other"),
        (array("object"), "pickle"),
        (array("\x7cO").replace(b"|O", b"\\x7cO"), "pickle"),
        (array([("a", "<i4"), ("b", [("c", "|O", (2,))])]), "pickle"),
        (array(("|O", (2,)), version=3), "pickle"),
        (array([("a", "<i4", (2,)), (("title", "b"), "|S7")], version=2), "numpy"),
        (array("<M8[ns]"), "numpy"),
        (array("<f8").replace(b"(1,)", b"(1L,)").replace(b"\x01\x00\x37", b"\x01\x00\x38"), "numpy"),
        (array("<f8", tail="," * 20), "pickle"),
        (array("<f8", tail=" " * 20_000), "pickle"),
        (array("<f8")[:20], "pickle"),
    ],
    ids=range(44),
)
def test_a_pickle_does_not_hide(data: bytes, wanted: str) -> None:
    assert detect(Bytes(data), "blob") == wanted


FAR = [b"S'" + b"a" * 66_000 + b"'\n0", b"V" + b"a" * 66_000 + b"\n0", b"L" + b"1" * 66_000 + b"L\n0"]


@pytest.mark.parametrize("begin", FAR, ids=["S", "V", "L"])
def test_what_is_behind_a_long_text_nobody_looked_at(begin: bytes) -> None:
    data = begin + CALL + b"."
    assert is_pickle(Bytes(data)) is None
    assert [detect(Bytes(data), name) for name in ("pytorch_model.bin", "a/adapter_model.bin", "m.ckpt")] == [
        "pickle"
    ] * 3
    assert [detect(Bytes(data), name) for name in ("blob", "m.pt")] == ["other", "pickle"]
    assert detect(Bytes(gzip.compress(data)), "blob") == "other"
    assert detect(Bytes(archive({"weights.bin": data})), "m.zip") == "pickle"


@pytest.mark.parametrize("begin", [b"I0x10\n0", b"L0x10L\n0", b"S'\xe9'\n0", b"F1e3\n0", b"V\\u12\n0"], ids=repr)
def test_arguments_are_read_as_leniently_as_loaders_do(begin: bytes) -> None:
    assert is_pickle(Bytes(begin + CALL + b".")) is True


def test_a_long_text_that_no_loader_takes_is_no_pickle() -> None:
    for text in (b"So " + b"a" * 70_000, b"I " + b"(" * 70_000, b"c" * 70_000, b"Sa\n" * 30_000, b"{" + b" " * 70_000):
        assert is_pickle(Bytes(text)) is False


@pytest.mark.parametrize("name", ["m.pkl", "M.PICKLE", "a/m.joblib", "m.dill"])
def test_what_is_called_as_pickles_are_is_one_unless_it_is_something_else(name: str) -> None:
    assert detect(Bytes(b"\x04\x22\x4d\x18 lz4"), name) == "pickle"
    assert detect(Bytes(b"who knows"), name) == "pickle"
    assert detect(Bytes(gguf()), name) == "gguf"


@pytest.mark.parametrize("name", ["m.pt", "m.pth"])
def test_torch_unpickles_what_it_does_not_know(name: str) -> None:
    assert detect(Bytes(tar(["pickle"], tarfile.USTAR_FORMAT)), name) == "pytorch"
    assert detect(Bytes(b"7z\xbc\xaf\x27\x1c"), name) == "pytorch"


def test_the_size_of_a_header_is_no_mark() -> None:
    for begin in (b"\x80\x04", b"PK"):
        header = b"{}".ljust(int.from_bytes(begin, "little"))
        assert detect(Bytes(with_header(header)), "m.safetensors") == "safetensors"


def test_an_archive_at_the_end_of_weights_hides_nothing() -> None:
    size = int.from_bytes(b"PK\x03\x04", "little")
    for inner, wanted in ((archive(["readme.txt"]), "safetensors"), (TORCH, "pytorch")):
        # A header of 67 MB of spaces would begin as an archive does; of it, only the ends are made.
        assert detect(_Sparse(size.to_bytes(8, "little") + b"{}", 8 + size, inner), "m.safetensors") == wanted


@dataclass(frozen=True)
class _Sparse:
    """A file that is all spaces between its beginning and its end."""

    head: bytes
    gap_end: int
    tail: bytes
    where: str = "m.safetensors"

    @property
    def size(self) -> int:
        return self.gap_end + len(self.tail)

    def read_at(self, offset: int, count: int) -> bytes:
        def at(i: int) -> int:
            return self.head[i] if i < len(self.head) else 32 if i < self.gap_end else self.tail[i - self.gap_end]

        return bytes(map(at, range(offset, min(offset + count, self.size))))


@pytest.mark.parametrize("dtype", ["float64", "int8", "bool", "complex64", "<U3", "S2", "datetime64[ns]", "object"])
def test_what_numpy_writes_is_told_as_numpy_loads_it(dtype: str) -> None:
    numpy: Any = pytest.importorskip("numpy", reason="the package numpy is not installed")
    plain = numpy.zeros((2, 3), dtype)
    within = numpy.zeros(2, [("a", "<i4"), ("b", dtype, (2,))])
    for thing in (plain, within, numpy.asfortranarray(plain)):
        one, several, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
        numpy.save(one, thing)
        numpy.savez(several, first=numpy.zeros(1), second=thing)
        numpy.savez_compressed(packed, thing)
        for stream in (one, several, packed):
            assert detect(Bytes(stream.getvalue()), "blob") == ("pickle" if dtype == "object" else "numpy")


@pytest.mark.parametrize("compress", [0, "zlib", "gzip", "bz2", "lzma", "xz"])
def test_what_joblib_writes_is_a_pickle(compress: Any) -> None:
    joblib: Any = pytest.importorskip("joblib", reason="the package joblib is not installed")
    stream = io.BytesIO()
    joblib.dump({"a": list(range(100))}, stream, compress=(compress, 3) if compress else 0)
    assert detect(Bytes(stream.getvalue()), "blob") == "pickle"


def test_a_member_without_a_name_hides_nothing() -> None:
    # In the directory its name is a comment. Found by fuzzing: `zipfile` asks for the last character of the name.
    data = bytearray(archive({"x": PICKLE}))
    start = data.index(b"PK\x01\x02")
    data[start + 28 : start + 30], data[start + 32 : start + 34] = b"\0\0", b"\1\0"
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        assert made.namelist() == [""]
    assert detect(Bytes(bytes(data), "w"), "w.bin") == "other"


def test_a_list_of_members_is_bounded() -> None:
    with pytest.raises(LimitError) as refused:
        detect(Bytes(archive([f"{i:0100}" for i in range(100)]), "m.zip"), "m.zip", limits=Limits(header_bytes=2000))
    assert (refused.value.code, refused.value.where) == ("limit", "m.zip")
    found = archive({f"{i}.txt": b"x" * 50_000 for i in range(3)})
    assert detect(Bytes(found), "m.zip", limits=Limits(header_bytes=100_000)) == "other"


def test_the_magic_is_what_torch_save_began_with() -> None:
    (opcode,) = [
        argument for _, argument, _ in pickletools.genops(TORCH_MAGIC) if isinstance(argument, int) and argument > 2
    ]
    assert opcode == 0x1950A86A20F9469CFC6C


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("model-00001-of-00002.safetensors", Role.WEIGHTS),
        ("unet/diffusion_pytorch_model.fp16.bin", Role.WEIGHTS),
        ("model.onnx_data", Role.WEIGHTS),
        ("adapter_model.safetensors", Role.ADAPTER),
        ("adapter_config.json", Role.ADAPTER),
        ("tokenizer.json", Role.TOKENIZER),
        ("tokenizer.model", Role.TOKENIZER),
        ("tokenizer_config.json", Role.TOKENIZER),
        ("vocab.txt", Role.TOKENIZER),
        ("merges.txt", Role.TOKENIZER),
        ("chat_template.jinja", Role.TEMPLATE),
        ("additional_chat_templates/tool_use.jinja", Role.TEMPLATE),
        ("config.json", Role.CONFIG),
        ("scheduler/scheduler_config.json", Role.CONFIG),
        ("model.safetensors.index.json", Role.CONFIG),
        ("model_index.json", Role.CONFIG),
        ("modeling_acme.py", Role.CODE),
        ("ops/kernel.so", Role.CODE),
        ("README.md", Role.OTHER),
        ("LICENSE", Role.OTHER),
    ],
)
def test_a_file_has_the_role_that_its_name_says(name: str, role: Role) -> None:
    assert role_of(name) is role


def test_where_a_name_says_nothing_the_content_does() -> None:
    assert role_of("run", b"\x7fELF") is Role.CODE
    assert role_of("blob", b"", "gguf") is Role.WEIGHTS
    assert role_of("blob") is Role.OTHER
