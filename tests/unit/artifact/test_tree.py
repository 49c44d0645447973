"""Is a tree digested as in-toto's dirHash says, and as a shell would?"""

import concurrent.futures
import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from glasswing_attest.artifact import pool, reading, tree
from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.digest import Form
from glasswing_attest.artifact.file import Blob, File
from glasswing_attest.artifact.hashing import ProgressEvent
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.model import Model
from glasswing_attest.errors import UsageError

Tree = Callable[[dict[str, str | bytes]], Path]

RECIPE = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0r sha256sum -- | sha256sum"
TINY: dict[str, str | bytes] = {
    "config.json": '{"hidden_size": 4}\n',
    "model.safetensors": b"\x00\x01\x02\x03weights",
    "sub/vocab.txt": "tok\n",
}
# Made with model_signing 1.1.1 and coreutils, not with this library.
TINY_HASH = "135c8c5e48a33fcf49d15a6f22088c7ccdc4699a81f1a05626967b373a4c5759"
# Names that sort differently by code point, by locale, by path component and by byte.
AWKWARD: dict[str, str | bytes] = {
    "a/b": "1",
    "a.b": "2",
    "a-b": "3",
    "a b": "4",
    "B": "5",
    "é": "6",
    "e\u0301": "7",
    "\uffff": "8",
    "\U0001f600": "9",
    "-rf": "10",
    "*": "11",
    "a/.hidden": "12",
    "quote'\"": "13",
    "deep/" * 40 + "file": "14",
    "empty": b"",
}


def shell(path: Path) -> str:
    if shutil.which("sha256sum") is None or shutil.which("find") is None:
        pytest.skip("coreutils and findutils are not here")
    done = subprocess.run(["sh", "-c", RECIPE], cwd=path, capture_output=True, check=True, text=True)
    return done.stdout.split()[0]


def test_the_known_tree(write_tree: Tree) -> None:
    manifest = Model(write_tree(TINY)).measure()
    assert manifest.digests.to_dict() == {"dirHash": TINY_HASH, "sha256": TINY_HASH}
    assert manifest.form is Form.TREE
    assert [f.name for f in manifest.files] == ["config.json", "model.safetensors", "sub/vocab.txt"]
    assert [f.size for f in manifest.files] == [19, 11, 4]
    assert manifest.total_bytes == 34
    assert not manifest.is_declared


@pytest.mark.parametrize("files", [TINY, AWKWARD], ids=["tiny", "awkward"])
def test_a_person_can_redo_it_with_a_shell(write_tree: Tree, files: dict[str, str | bytes]) -> None:
    root = write_tree(files)
    assert Dataset(root).measure().digests.get("dirHash") == shell(root)


def test_sha256sum_checks_the_listing(write_tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = write_tree(AWKWARD)
    beside = tmp_path_factory.mktemp("beside") / "SHA256SUMS"
    Model(root).measure().to_listing_file(beside)
    done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", beside], cwd=root, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("make", [Model, Dataset])
def test_the_path_may_be_text_and_relative(
    write_tree: Tree, make: type[tree.OnDisk], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_tree({"m/" + k: v for k, v in TINY.items()})
    monkeypatch.chdir(root)
    expected = make(root / "m").measure()
    assert expected.name == "m"
    for path in ("m", "m/", "./m", "m/sub/.."):
        assert make(path).measure() == expected
    monkeypatch.chdir(root / "m")
    assert make(".").measure() == expected


def test_the_kind_is_part_of_what_it_is(write_tree: Tree) -> None:
    root = write_tree(TINY)
    model, dataset = Model(root, "x").measure(), Dataset(root, "x").measure()
    assert (model.kind, dataset.kind) == ("model", "dataset")
    assert model != dataset
    assert model.digests == dataset.digests


def test_a_single_file_is_digested_as_a_file(write_tree: Tree) -> None:
    path = write_tree(TINY) / "model.safetensors"
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    for artifact in (Model(path), Dataset(path), File(path)):
        manifest = artifact.measure()
        assert manifest.form is Form.FILE
        assert manifest.digests.to_dict() == {"sha256": expected}
        assert (manifest.name, manifest.files[0].name) == ("model.safetensors", "model.safetensors")
    assert Blob(path.read_bytes(), name="model.safetensors").measure() == File(path).measure()


def test_a_file_and_the_listing_of_a_tree_never_match(write_tree: Tree) -> None:
    measured = Model(write_tree(TINY)).measure()
    listing = Blob(measured.listing, name="SHA256SUMS").measure()
    assert listing.digests.get("sha256") == measured.digests.get("sha256")
    assert not listing.digests.matches(measured.digests)


def test_a_manifest_is_an_artifact_and_is_not_read_again(write_tree: Tree) -> None:
    root = write_tree(TINY)
    measured = Model(root).measure()
    shutil.rmtree(root)
    assert measured.measure() is measured


# --- what is left out ------------------------------------------------------------------------------------------------


def test_nothing_is_left_out_by_default(write_tree: Tree) -> None:
    names = [".git/config", ".gitignore", ".cache/huggingface/x", ".DS_Store", "__pycache__/a.pyc"]
    manifest = Model(write_tree(dict.fromkeys(names, "x"))).measure()
    assert sorted(f.name for f in manifest.files) == sorted(names)
    assert manifest.excluded == ()


def test_what_is_left_out_is_named_exactly_and_recorded_if_it_is_there(write_tree: Tree) -> None:
    root = write_tree(
        {".git/config": "x", ".github/ci": "x", "sub/.git/config": "x", ".cache/huggingface/a/b": "x", "a": "x"}
    )
    manifest = Model(root, exclude=(".git", ".cache/huggingface", "absent")).measure()
    assert [f.name for f in manifest.files] == [".github/ci", "a", "sub/.git/config"]
    assert manifest.excluded == (".cache/huggingface", ".git")


def test_leaving_something_out_is_the_same_as_its_absence(write_tree: Tree) -> None:
    root = write_tree({**TINY, ".git/config": "x"})
    (root / ".git" / "link").symlink_to("nowhere")
    assert Model(root, exclude=(".git",)).measure().digests.get("dirHash") == TINY_HASH


@pytest.mark.parametrize("path", ["", ".", "..", "./a", "a/", "/a", "a//b", "a/../b", "a\\b", "a\nb", "\udcff"])
def test_what_is_left_out_must_be_an_exact_relative_path(path: str) -> None:
    with pytest.raises(UsageError) as raised:
        Model("x", exclude=(path,))
    assert raised.value.where == "exclude"


def test_one_path_is_not_many_letters() -> None:
    with pytest.raises(UsageError):
        Model("x", exclude=".git")


def test_there_are_no_patterns(write_tree: Tree) -> None:
    manifest = Model(write_tree({"a.pyc": "x", "*.pyc": "x"}), exclude=("*.pyc",)).measure()
    assert [f.name for f in manifest.files] == ["a.pyc"]


# --- executors and progress ------------------------------------------------------------------------------------------


@pytest.fixture
def many(write_tree: Tree) -> Path:
    return write_tree({f"d{i % 7}/f{i}": bytes([i % 256]) * (i * 97) for i in range(300)})


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_give_the_same_manifest(many: Path, workers: int) -> None:
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        assert Dataset(many).measure(executor=pool) == Dataset(many).measure()
    assert Dataset(many).measure().digests.get("dirHash") == shell(many)


def test_threads_of_our_own_give_the_same_manifest(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Dataset(many).measure()
    before = threading.active_count()  # other libraries may keep threads of their own
    monkeypatch.setattr(reading, "_POOL_FROM_BYTES", 0)
    monkeypatch.setattr(pool, "_WAITING", 2)
    assert Dataset(many).measure() == expected
    assert threading.active_count() == before


def test_other_processes_give_the_same_manifest(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(many.parent)
    events: list[ProgressEvent] = []
    context = __import__("multiprocessing").get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert Dataset(many.name).measure(executor=pool, progress=events.append) == Dataset(many).measure()
    assert events[-1].done_bytes == events[-1].total_bytes


@pytest.mark.parametrize("pooled", [False, True])
def test_progress_only_grows_and_ends_at_the_total(many: Path, pooled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if pooled:
        monkeypatch.setattr(reading, "_POOL_FROM_BYTES", 0)
    events: list[ProgressEvent] = []
    manifest = Dataset(many).measure(progress=events.append)
    done = [e.done_bytes for e in events]
    assert done == sorted(done)
    assert {e.total_bytes for e in events} == {manifest.total_bytes}
    assert done[-1] == manifest.total_bytes


def test_no_descriptor_is_left_open(many: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("no /proc/self/fd here")
    before = len(list(folder.iterdir()))
    Dataset(many).measure()
    (many / "pipe").unlink(missing_ok=True)
    os.mkfifo(many / "pipe")
    with pytest.raises(Exception, match="pipe"):
        Dataset(many).measure()
    assert len(list(folder.iterdir())) == before


# --- a Hugging Face cache --------------------------------------------------------------------------------------------


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    repository = tmp_path / "hub" / "models--acme--tiny"
    snapshot = repository / "snapshots" / "0123abcd"
    (repository / "blobs").mkdir(parents=True)
    for name, content in TINY.items():
        data = content.encode() if isinstance(content, str) else content
        blob = repository / "blobs" / hashlib.sha256(data).hexdigest()
        blob.write_bytes(data)
        link = snapshot / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return snapshot


def test_a_snapshot_is_digested_as_the_files_it_stands_for(snapshot: Path) -> None:
    manifest = Model.from_hf_snapshot(snapshot).measure()
    assert manifest.digests.get("dirHash") == TINY_HASH
    assert manifest.name == "acme/tiny"
    assert manifest.kind == "model"
    assert Model.from_hf_snapshot(snapshot, "mine").measure().name == "mine"


def test_a_snapshot_may_be_the_working_directory(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(snapshot)
    assert Model.from_hf_snapshot(".").measure().digests.get("dirHash") == TINY_HASH


def test_a_snapshot_may_be_hashed_elsewhere(snapshot: Path) -> None:
    context = __import__("multiprocessing").get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert Model.from_hf_snapshot(snapshot).measure(executor=pool).digests.get("dirHash") == TINY_HASH


def test_one_file_of_a_snapshot_is_a_file(snapshot: Path) -> None:
    blobs = snapshot.parent.parent / "blobs"
    manifest = File(snapshot / "config.json", links_within=blobs).measure()
    assert manifest.name == "config.json"
    assert manifest.files[0].size == 19


def test_an_absolute_link_may_lead_within(snapshot: Path) -> None:
    link = snapshot / "config.json"
    target = link.resolve()
    link.unlink()
    link.symlink_to(target)
    assert Model.from_hf_snapshot(snapshot).measure().digests.get("dirHash") == TINY_HASH


@pytest.mark.parametrize(
    "path", ["m", "snapshots/x", "models--a--b/snap/x", "other--a--b/snapshots/x", "models--/snapshots"]
)
def test_only_a_snapshot_is_a_snapshot(path: str) -> None:
    with pytest.raises(UsageError):
        Model.from_hf_snapshot(path)


def test_values_are_values(write_tree: Tree) -> None:
    assert Model("a", exclude=["x"]) == Model("a", exclude=("x",))
    assert len({Model("a"), Dataset("a")}) == 2
    assert "Model(path=" in repr(Model("a"))
    assert hash(Model("a")) == hash(Model("a"))
    root = write_tree(TINY)
    assert hash(Model(root).measure()) == hash(Model(root).measure())
    assert isinstance(Model(root).measure(), Manifest)
