"""In which format is a file, by what it begins with?

A format with a mark of its own is recognised by it, whatever the file is called; one without (safetensors, ONNX, a
TensorFlow graph) by its name. The words are those of `ModelRecord.formats`. Where it is not certain that nothing runs
when a file is loaded, that is told: an array of objects is a pickle; a file that is called as pickles are, and is
nothing else, is one; what an archive holds that cannot be looked into is ``other``. So is what may be a pickle, and
cannot be told from as much as is looked at; where it is called as weights are, it is a pickle.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from glasswing_attest.artifact.formats import archives, arrays, gguf, onnx, safetensors
from glasswing_attest.artifact.formats.pickles import TORCH_MAGIC, is_pickle
from glasswing_attest.artifact.formats.reading import Reader
from glasswing_attest.artifact.formats.tensor import Contents
from glasswing_attest.artifact.roles import Role, role_of
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["READERS", "detect"]

READERS: dict[str, Callable[..., Contents]] = {
    "safetensors": safetensors.read,
    "gguf": gguf.read,
    "onnx": onnx.read,
}
"""The formats that are read beyond their mark."""

_MARKS = (
    (0, gguf.MAGIC, "gguf"),
    (0, b"\x89HDF\r\n\x1a\n", "keras"),
    (4, b"TFL3", "tflite"),
    (0, TORCH_MAGIC, "pytorch"),
)
_SUFFIXES = {".safetensors": "safetensors", ".onnx": "onnx", "/saved_model.pb": "saved-model"}
# What loaders unpickle, whatever it begins with.
_UNPICKLED = {".pt": "pytorch", ".pth": "pytorch"} | dict.fromkeys((".pkl", ".pickle", ".joblib", ".dill"), "pickle")
_RUN = {"pickle", "pytorch", "torchscript"}
# So many members of an archive are looked into.
_MEMBERS = 1000


def detect(reader: Reader, name: str, *, limits: Limits = DEFAULT) -> str:
    r"""Name the format of a file; "" for what is none of weights.

    Raises:
        LimitError: it is an archive with too long a list of members.

    >>> from glasswing_attest.artifact.formats.reading import Bytes
    >>> detect(Bytes(b"\x80\x04N."), "README.md")
    'pickle'
    """
    return _detect(reader, name, lambda: _archive(reader, limits))


def _detect(reader: Reader, name: str, archive: Callable[[], str]) -> str:
    path = f"/{name.lower()}"
    head = reader.read_at(0, 512)
    kind = archive() if head.startswith(archives.ZIP) else _marked(reader, head)
    if kind in ("", "other"):
        # Before anything is taken for a pickle: the size with which a safetensors file begins may look like one.
        kind = _ending(path, _SUFFIXES) or kind
    if not kind:
        is_one = is_pickle(reader)
        kind = "pickle" if is_one else _below(reader, head)
        if not kind and is_one is None:
            kind = "pickle" if role_of(name) in (Role.WEIGHTS, Role.ADAPTER) else "other"
    return _ending(path, _UNPICKLED) or kind if kind in ("", "other") else kind


def _ending(path: str, suffixes: dict[str, str]) -> str:
    return next((kind for suffix, kind in suffixes.items() if path.endswith(suffix)), "")


def _marked(reader: Reader, head: bytes) -> str:
    if head.startswith(arrays.MAGIC):
        return "numpy" if arrays.holds_numbers(reader) else "pickle"
    return next((kind for offset, mark, kind in _MARKS if head[offset : offset + len(mark)] == mark), "")


def _below(reader: Reader, head: bytes) -> str:
    """Name the format of what is compressed: pickles are loaded so, and of other weights nobody knows."""
    if archives.is_closed(head):
        return "other"
    below = archives.unpacked(reader)
    if below is None:
        return "other" if archives.is_compressed(head) else ""
    # One step, and no more: compressed bytes may come out as themselves.
    inner = below.read_at(0, 512)
    kind = _marked(below, inner)
    is_one = is_pickle(below)
    if kind in _RUN or is_one:
        return "pickle"
    is_more = inner.startswith(archives.ZIP) or archives.is_closed(inner) or archives.is_compressed(inner)
    is_more |= is_one is None
    return "other" if kind or is_more else ""


def _archive(reader: Reader, limits: Limits) -> str:
    """Name the format of a zip archive: by its names where they tell, else by what its members are."""
    found = archives.members(reader, limits=limits)
    if found is None:
        return "other"
    names, members = found
    # Without regard to case, as PyTorch's reader finds its members.
    parts = [name.lower().split("/") for name in names]
    if any(part[-1].endswith(".pkl") for part in parts):
        is_script = any(part[-1] == "constants.pkl" or "code" in part[:-1] for part in parts)
        return "torchscript" if is_script else "pytorch"
    # An archive within the archive is not looked into: one may hold itself.
    kinds = {
        "other" if member.head is None else _detect(member.head, member.name, lambda: "other")
        for member in islice(members, _MEMBERS)
    }
    if kinds & _RUN:
        return "pickle"
    if any(part[-1] == "model.weights.h5" for part in parts):
        return "keras"
    if len(names) > _MEMBERS or kinds - {"", "numpy"}:
        return "other"
    return "numpy" if "numpy" in kinds else ""
