"""Is a model described as it lies there, and does a difference name the tensors?"""

import concurrent.futures
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact import description
from glasswing_attest.artifact.description import describe, diff
from glasswing_attest.artifact.manifest import FileEntry, Manifest, dir_hash
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.roles import Role
from glasswing_attest.errors import (
    DigestRefused,
    FieldMissing,
    FieldRefused,
    LimitError,
    Mismatch,
    NotJson,
    UnavailableError,
    UsageError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.records.base import ResourceReference
from glasswing_attest.records.model import ModelRecord
from tests.weights import STRING, UINT32, external, gguf, onnx, onnx_tensor, safetensors, string, value

Tree = Callable[[dict[str, str | bytes]], Path]

A = ("BF16", (2, 2), b"aaaaaaaa")
B = ("BF16", (3,), b"bbbbbb")
C = ("BF16", (1,), b"cc")


def index(files: dict[str, str], total: float | None = None) -> str:
    metadata = {} if total is None else {"metadata": {"total_size": total}}
    return json.dumps({**metadata, "weight_map": files})


SHARDED: dict[str, str | bytes] = {
    "config.json": '{"architectures": ["LlamaForCausalLM"], "auto_map": {"AutoModel": "modeling_x.X"}}',
    "tokenizer_config.json": '{"auto_map": {"AutoTokenizer": ["acme/other--tok.T", null]}}',
    "tokenizer.json": "{}",
    "modeling_x.py": "class X: ...\n",
    "model-1.safetensors": safetensors({"a": A, "b": B}, {"format": "pt"}),
    "model-2.safetensors": safetensors({"c": C}),
    "model.safetensors.index.json": index(
        {"a": "model-1.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}, 16
    ),
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_model_in_shards(write_tree: Tree) -> None:
    found = Model(write_tree(SHARDED)).describe()
    assert (found.formats, found.architecture, found.dtype) == (("safetensors",), "LlamaForCausalLM", "BF16")
    assert found.parameter_count == 8
    assert found.auto_map == ("acme/other--tok.T", "modeling_x.X")
    (weights,) = found.weights
    assert (weights.name, weights.files) == ("model.safetensors", ("model-1.safetensors", "model-2.safetensors"))
    assert {t.name: t.sha256 for t in weights.tensors} == {
        k: sha256(t[2]) for k, t in zip("abc", (A, B, C), strict=True)
    }
    assert [f.name for f in found.role("code")] == ["modeling_x.py"]
    assert [e.name for e in found.tokenizer] == ["tokenizer.json", "tokenizer_config.json"]
    assert found.tokenizer_digest == {"dirHash": dir_hash(found.tokenizer)}
    assert found.role(Role.WEIGHTS)[0].metadata["format"] == "pt"


def test_any_executor_gives_the_same(write_tree: Tree) -> None:
    model = Model(write_tree(SHARDED))
    context = __import__("multiprocessing").get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert model.describe(executor=pool) == model.describe()


def test_progress_ends_at_the_total(write_tree: Tree) -> None:
    events: list[int] = []
    found = Model(write_tree(SHARDED)).describe(progress=lambda event: events.append(event.done_bytes))
    assert events == sorted(events)
    assert events[-1] == found.manifest.total_bytes


def test_a_single_file_is_a_model(write_tree: Tree) -> None:
    path = write_tree({"m.safetensors": safetensors({"a": A})}) / "m.safetensors"
    found = describe(Model(path))
    assert (found.parameter_count, found.weights[0].name) == (4, "m.safetensors")


def test_what_was_measured_is_what_is_described(write_tree: Tree) -> None:
    root = write_tree({"m.safetensors": safetensors({"a": A}), "config.json": "{}"})
    manifest = Model(root).measure()
    assert describe(manifest).manifest is manifest
    (root / "m.safetensors").write_bytes(safetensors({"a": ("BF16", (2, 2), b"zzzzzzzz")}))
    with pytest.raises(Mismatch) as refused:
        describe(manifest)
    assert (refused.value.code, refused.value.where) == ("verification.mismatch", str(root / "m.safetensors"))


@pytest.mark.parametrize(
    "manifest", [Manifest.declared("model", {"sha256": "00" * 32}), Manifest.declared("code", {"gitCommit": "0" * 40})]
)
def test_what_nobody_read_is_not_described(manifest: Manifest) -> None:
    with pytest.raises(UsageError) as refused:
        describe(manifest)
    assert refused.value.code == "usage"


def test_a_listed_model_is_nowhere() -> None:
    entry = FileEntry(name="a", size=1, sha256=sha256(b"a"))
    with pytest.raises(UsageError) as refused:
        describe(Manifest.of_tree("model", [entry], is_declared=True))
    assert refused.value.where == "a"


ONE, TWO, INDEX = "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"
BROKEN: dict[str, tuple[dict[str, str | bytes], type[Exception], str]] = {
    "a tensor that no shard holds": (
        {INDEX: index({"a": ONE, "b": ONE, "c": TWO, "d": TWO})},
        FieldRefused,
        f"{INDEX}.weight_map['d']",
    ),
    "a tensor that the index does not name": (
        {INDEX: index({"a": ONE, "c": TWO})},
        FieldRefused,
        f"{INDEX}.weight_map['b']",
    ),
    "a tensor in another shard": (
        {INDEX: index({"a": TWO, "b": ONE, "c": TWO})},
        FieldRefused,
        f"{INDEX}.weight_map['a']",
    ),
    "a shard that is not there": ({INDEX: index({"a": "model-3.safetensors"})}, FieldMissing, f"{INDEX}.weight_map"),
    "a shard above": ({INDEX: index({"a": f"../{ONE}"})}, FieldRefused, f"{INDEX}.weight_map.a"),
    "a shard of another format": ({TWO: b"\x89HDF\r\n\x1a\n"}, FieldMissing, f"{INDEX}.weight_map"),
    "an empty index": ({INDEX: '{"weight_map": {}}'}, FieldMissing, f"{INDEX}.weight_map"),
    "two indexes of one shard": ({"copy.safetensors.index.json": index({"c": TWO})}, FieldRefused, INDEX),
    "a configuration that is none": ({"config.json": "{"}, NotJson, "config.json"),
    "code in a way that is none": (
        {"config.json": '{"auto_map": {"A": {"b": "c"}}}'},
        FieldRefused,
        "config.json.auto_map.A",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_model_that_contradicts_itself_is_refused(write_tree: Tree, case: str) -> None:
    files, error, where = BROKEN[case]
    root = write_tree({**SHARDED, **files})
    with pytest.raises(error) as refused:
        Model(root).describe()
    assert type(refused.value) is error
    assert getattr(refused.value, "where", "") == str(root / where)


@pytest.mark.parametrize("total", [17, 16.0])
def test_the_total_of_an_index_is_nobodys_business(write_tree: Tree, total: float) -> None:
    files = {INDEX: index({"a": ONE, "b": ONE, "c": TWO}, total)}
    assert Model(write_tree({**SHARDED, **files})).describe().parameter_count == 8


def test_a_whole_file_beside_its_shards_is_a_set_of_its_own(write_tree: Tree) -> None:
    found = Model(write_tree({**SHARDED, "model.safetensors": safetensors({"a": A, "b": B, "c": C})})).describe()
    assert [(w.name, len(w.files)) for w in found.weights] == [("model.safetensors", 1), (INDEX, 2)]
    assert found.parameter_count is None


def test_code_of_every_processor_is_told(write_tree: Tree) -> None:
    told = '{"auto_map": {"AutoProcessor": "%s.P"}}'
    files: dict[str, str | bytes] = {f"{k}_config.json": told % k for k in ("processor", "preprocessor", "scheduler")}
    assert Model(write_tree(files)).describe().auto_map == ("preprocessor.P", "processor.P")


def test_a_header_is_bounded(write_tree: Tree) -> None:
    root = write_tree({"config.json": '{"a": "%s"}' % ("x" * 100)})
    with pytest.raises(LimitError) as refused:
        Model(root).describe(limits=Limits(header_bytes=50))
    assert refused.value.where == "config.json"


def test_the_same_weights_twice_are_counted_for_no_one(write_tree: Tree) -> None:
    words = [("general.architecture", value(STRING, string("llama")))]
    root = write_tree({"m.safetensors": safetensors({"a": A}), "m.gguf": gguf(words, [("a", (2,), 0, bytes(8))])})
    found = Model(root).describe()
    assert (found.formats, found.parameter_count, found.dtype) == (("gguf", "safetensors"), None, None)
    assert [w.parameter_count for w in found.weights] == [2, 4]
    assert found.architecture == "llama"


def test_a_pickle_beside_is_told(write_tree: Tree) -> None:
    found = Model(write_tree({"m.safetensors": safetensors({"a": A}), "notes.txt": b"\x80\x04N."})).describe()
    assert found.formats == ("pickle", "safetensors")
    assert Model(write_tree({"weights.bin": b"who knows"})).describe().formats == ("other", "pickle", "safetensors")


@pytest.mark.parametrize(
    ("file_type", "dtype"), [(15, "Q4_K_M"), (7, None), (0, None), (999, None)]
)  # of Q4_K and F32 tensors
def test_a_mixture_has_the_name_that_fits_what_was_found(write_tree: Tree, file_type: int, dtype: str | None) -> None:
    words = [("general.file_type", value(UINT32, file_type.to_bytes(4, "little")))]
    root = write_tree({"m.gguf": gguf(words, [("q", (256,), 12, bytes(144)), ("f", (2,), 0, bytes(8))])})
    found = Model(root).describe()
    assert found.dtype == (dtype if file_type != 0 else "F32")


def weights_of(suffix: str, *names: str) -> bytes:
    """A file of tensors of two numbers each."""
    if suffix == "gguf":
        return gguf([("general.name", value(STRING, string("x")))], [(n, (2,), 0, bytes(8)) for n in names])
    return safetensors({n: ("F32", (2,), bytes(8)) for n in names})


@pytest.mark.parametrize("suffix", ["gguf", "safetensors"])
def test_parts_of_a_split_file_belong_together(write_tree: Tree, suffix: str) -> None:
    parts: dict[str, str | bytes] = {f"d/m-0000{i}-of-00002.{suffix}": weights_of(suffix, f"t{i}") for i in (1, 2)}
    root = write_tree(parts)
    found = Model(root).describe()
    assert [(w.name, len(w.files), w.parameter_count) for w in found.weights] == [(f"d/m.{suffix}", 2, 4)]
    for gone in parts:
        kept = (root / gone).read_bytes()
        (root / gone).unlink()
        with pytest.raises(FieldMissing) as refused:
            Model(root).describe()
        assert (refused.value.where, refused.value.found) == (f"d/m.{suffix}", "1 of 2 parts")
        (root / gone).write_bytes(kept)
    # A part that was handed over alone is all there is.
    first = root / f"d/m-00001-of-00002.{suffix}"
    assert Model(first).describe().parameter_count == 2
    (root / f"d/m-00000-of-00002.{suffix}").write_bytes(first.read_bytes())
    with pytest.raises(FieldMissing) as many:
        Model(root).describe()
    assert many.value.found == "3 of 2 parts"


def test_the_first_part_may_hold_words_alone(write_tree: Tree) -> None:
    root = write_tree({"m-00001-of-00002.gguf": weights_of("gguf"), "m-00002-of-00002.gguf": weights_of("gguf", "t")})
    assert [(w.name, w.parameter_count) for w in Model(root).describe().weights] == [("m.gguf", 2)]


def test_parts_of_two_splits_and_a_whole_do_not_mix(write_tree: Tree) -> None:
    names = ("m-00001-of-00001", "m-00001-of-00002", "m-00002-of-00002", "m")
    root = write_tree({f"{name}.gguf": weights_of("gguf", name) for name in names})
    found = [(w.name, len(w.files)) for w in Model(root).describe().weights]
    assert found == [("m-00001-of-00001.gguf", 1), ("m-00001-of-00002.gguf", 2), ("m.gguf", 1)]


@pytest.mark.parametrize("word", ["²", "9" * 5000, "-1", "15.0"])
def test_a_mixture_of_no_number_has_no_name(write_tree: Tree, word: str) -> None:
    words = [("general.file_type", value(STRING, string(word)))]
    root = write_tree({"m.gguf": gguf(words, [("q", (256,), 12, bytes(144)), ("f", (2,), 0, bytes(8))])})
    assert Model(root).describe().dtype is None


def test_an_adapter_is_not_counted_as_the_model(write_tree: Tree) -> None:
    kind = ("general.type", value(STRING, string("adapter")))
    root = write_tree(
        {"adapter_model.safetensors": safetensors({"lora": A}), "x.gguf": gguf([kind], [("l", (2,), 0, bytes(8))])}
    )
    found = Model(root).describe()
    assert (found.parameter_count, found.weights) == (None, ())
    assert [f.name for f in found.role(Role.ADAPTER)] == ["adapter_model.safetensors", "x.gguf"]


def test_data_in_another_file_is_hashed_there(write_tree: Tree) -> None:
    tensors = [onnx_tensor(n, [2], more=external("data/w.bin", o, 8)) for n, o in (("a", 0), ("b", 8), ("tied", 8))]
    root = write_tree({"onnx/m.onnx": onnx(*tensors), "onnx/data/w.bin": b"aaaaaaaabbbbbbbb"})
    found = Model(root).describe()
    assert {t.name: t.sha256 for t in found.weights[0].tensors} == {
        "a": sha256(b"a" * 8),
        "b": sha256(b"b" * 8),
        "tied": sha256(b"b" * 8),
    }
    assert (found.formats, found.parameter_count) == (("onnx",), 6)


@pytest.mark.parametrize(
    ("offset", "where"), [(9, "onnx/w.bin"), (2**62, "onnx/w.bin"), (4, "onnx/w.bin")], ids=["beyond", "far", "overlap"]
)
def test_data_in_another_file_must_be_there(write_tree: Tree, offset: int, where: str) -> None:
    tensors = [onnx_tensor(n, [2], more=external("w.bin", o, 8)) for n, o in (("a", 0), ("b", offset))]
    root = write_tree({"onnx/m.onnx": onnx(*tensors), "onnx/w.bin": bytes(16)})
    with pytest.raises(FieldRefused) as refused:
        Model(root).describe()
    assert refused.value.where == str(root / where)


@pytest.mark.parametrize(
    ("name", "data", "role", "kind"),
    [
        ("w.bin", b"\x80\x04......", Role.WEIGHTS, "pickle"),
        ("w.py", b"import w", Role.CODE, "onnx"),
        ("w", b"12345678", Role.WEIGHTS, "onnx"),
    ],
)
def test_who_points_into_a_file_does_not_change_what_it_is(
    write_tree: Tree, name: str, data: bytes, role: Role, kind: str
) -> None:
    root = write_tree({"m.onnx": onnx(onnx_tensor("a", [2], more=external(name, 0, 8))), name: data})
    found = Model(root).describe()
    assert [(f.role, f.format) for f in found.files if f.name == name] == [(role, kind)]
    assert found.formats == tuple(sorted({"onnx", kind}))


def test_data_outside_of_the_model_is_not_looked_for(write_tree: Tree, tmp_path: Path) -> None:
    root = write_tree({"m/m.onnx": onnx(onnx_tensor("a", [2], more=external("w.bin")))}) / "m"
    with pytest.raises(FieldMissing) as refused:
        Model(root).describe()
    assert refused.value.where == "w.bin"


def test_many_tensors_of_one_place_are_hashed_once(write_tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = [onnx_tensor(str(i), [2], more=external("w.bin", 0, 8)) for i in range(500)]
    root = write_tree({"m.onnx": onnx(*tensors), "w.bin": bytes(8)})
    read: list[int] = []
    plain = description._feed

    def counted(reader: object, begin: int, end: int, *digests: object) -> None:
        read.append(end - begin)
        plain(reader, begin, end, *digests)  # type: ignore[arg-type]

    monkeypatch.setattr(description, "_feed", counted)
    found = Model(root).describe()
    assert len(found.weights[0].tensors) == 500
    assert sum(read) < 3 * found.manifest.total_bytes


# --- two models ------------------------------------------------------------------------------------------------------


def test_a_difference_names_tensors(write_tree: Tree) -> None:
    root = write_tree(SHARDED)
    old = Model(root).describe()
    assert not old.diff(old)
    (root / "model-2.safetensors").write_bytes(safetensors({"c": ("BF16", (1,), b"zz")}))
    (root / "tokenizer.json").write_text('{"a": 1}')
    (root / "extra.py").write_text("")
    (root / "modeling_x.py").unlink()
    found = diff(old, Model(root).describe())
    assert [(f.name, f.role, f.what) for f in found.files] == [
        ("extra.py", Role.CODE, "added"),
        ("model-2.safetensors", Role.WEIGHTS, "changed"),
        ("modeling_x.py", Role.CODE, "removed"),
        ("tokenizer.json", Role.TOKENIZER, "changed"),
    ]
    assert [(t.name, t.weights, t.what, t.how) for t in found.tensors] == [
        ("c", "model.safetensors", "changed", ("sha256",))
    ]


def test_other_shards_are_no_other_tensors(write_tree: Tree) -> None:
    old = Model(write_tree({f"old/{k}": v for k, v in SHARDED.items()}) / "old").describe()
    new = Model(write_tree({"new/model.safetensors": safetensors({"a": A, "b": B, "c": C})}) / "new").describe()
    found = diff(old, new)
    assert found.tensors == ()
    assert found.files


def test_tensors_come_go_and_change(write_tree: Tree) -> None:
    old = Model(write_tree({"old.safetensors": safetensors({"a": A, "b": B})}) / "old.safetensors").describe()
    changed = {"a": ("F16", (4,), A[2]), "c": C}
    new = Model(write_tree({"new.safetensors": safetensors(changed)}) / "new.safetensors").describe()
    assert [(t.name, t.what, t.how) for t in diff(old, new).tensors] == [
        ("a", "changed", ("dtype", "shape")),
        ("b", "removed", ()),
        ("c", "added", ()),
    ]


# --- workers that give something else ---------------------------------------------------------------------------------


class Lying(concurrent.futures.Executor):
    """Gives what it likes in place of what was asked for, where `when` says so of the function's name."""

    def __init__(self, when: str, answer: Callable[[], object]) -> None:
        self.when = when
        self.answer = answer

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            function = args[1] if len(args) > 1 and callable(args[1]) else fn
            future.set_result(self.answer() if function.__name__ == self.when else fn(*args, **kwargs))
        except Exception as e:  # noqa: BLE001  # as an executor does
            future.set_exception(e)
        return future


def failing() -> object:
    raise KeyError("no such thing there")


@pytest.mark.parametrize("when", ["_describe_file", "_hash_spans"])
@pytest.mark.parametrize("answer", [lambda: None, dict, list, lambda: "x", failing])
def test_a_worker_that_gives_something_else_is_unavailable(
    write_tree: Tree, when: str, answer: Callable[[], object]
) -> None:
    root = write_tree({"m.onnx": onnx(onnx_tensor("a", [2], more=external("w", 0, 8))), "w": bytes(8)})
    manifest = Model(root).measure()
    with pytest.raises(UnavailableError) as refused:
        describe(manifest, executor=Lying(when, answer))
    assert (refused.value.code, refused.value.where) == ("unavailable", "executor")
    assert describe(manifest, executor=Lying("nothing", failing)) == describe(manifest)


# --- the record ------------------------------------------------------------------------------------------------------


def test_a_record_is_completed_by_what_was_found(write_tree: Tree) -> None:
    found = Model(write_tree(SHARDED)).describe()
    record = ModelRecord(name="m", license="MIT").holding(found)
    assert (record.name, record.license, record.version) == ("m", "MIT", None)
    assert (record.formats, record.architecture) == (("safetensors",), "LlamaForCausalLM")
    assert (record.parameter_count, record.dtype) == (8, "BF16")
    assert record.tokenizer is not None
    assert (record.tokenizer.name, dict(record.tokenizer.digest)) == ("tokenizer", found.tokenizer_digest)
    assert record.tree is not None
    assert record.tree.dir_hash == found.manifest.digests.get("dirHash")
    assert record.holding(found) == record
    assert ModelRecord.from_json(record.to_json()) == record


def test_a_record_of_a_single_file_is_signed_of_it_alone(write_tree: Tree) -> None:
    path = write_tree({"m.safetensors": safetensors({"a": A})}) / "m.safetensors"
    record = ModelRecord(name="m").holding(Model(path).describe())
    assert record.described_by(Model(path).measure()) == ModelRecord.from_json(record.to_json())
    path.write_bytes(safetensors({"b": A}))
    with pytest.raises(FieldRefused) as refused:
        record.described_by(Model(path).measure())
    assert (refused.value.code, refused.value.where) == ("malformed.field", "ModelRecord")


def test_what_does_not_follow_is_not_said(write_tree: Tree) -> None:
    record = ModelRecord(name="m", parameter_count=7).holding(Model(write_tree({"README.md": "x"})).describe())
    assert (record.formats, record.dtype, record.tokenizer, record.parameter_count) == ((), None, None, 7)


def test_formats_may_be_said_in_any_order_and_a_tokenizer_by_name(write_tree: Tree) -> None:
    root = write_tree({"m.safetensors": safetensors({"a": A}), "x.pkl": b"\x80\x04N.", "tokenizer.json": "{}"})
    said = ModelRecord(name="m", formats=["safetensors", "pickle"], tokenizer=ResourceReference(uri="hf://acme/tok"))
    record = said.holding(Model(root).describe())
    assert record.formats == ("safetensors", "pickle")
    assert record.tokenizer == ResourceReference(uri="hf://acme/tok", digest={"sha256": sha256(b"{}")})


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"formats": ["gguf"]}, "formats"),
        ({"architecture": "Other"}, "architecture"),
        ({"parameter_count": 9}, "parameter_count"),
        ({"dtype": "bfloat16"}, "dtype"),
        ({"tokenizer": ResourceReference(digest={"sha256": "00" * 32})}, "tokenizer.digest"),
    ],
)
def test_a_record_that_says_something_else_is_refused(write_tree: Tree, said: dict[str, Any], where: str) -> None:
    found = Model(write_tree(SHARDED)).describe()
    with pytest.raises(FieldRefused) as refused:
        ModelRecord(name="m", **said).holding(found)
    assert (refused.value.code, refused.value.where) == ("malformed.field", f"ModelRecord.{where}")


def test_a_record_of_another_tree_is_refused(write_tree: Tree) -> None:
    found = Model(write_tree(SHARDED)).describe()
    other = Model(write_tree({"x/a": "x"}) / "x").describe()
    with pytest.raises((FieldRefused, DigestRefused)) as refused:
        ModelRecord(name="m").holding(found).holding(other)
    assert refused.value.where == "ModelRecord.tree.dir_hash"
