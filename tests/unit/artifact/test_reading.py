"""Is a tree read once, for all that is asked of it, and does nothing stay behind when the reading is stopped?"""

import concurrent.futures
import errno
import hashlib
import os
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact import hashing, reading, walk
from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.file import File
from glasswing_attest.artifact.hashing import ALGORITHMS, ProgressEvent
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.shards import FileShards, hash_shards
from glasswing_attest.errors import ArtifactEmpty, ArtifactUnstable, LimitError, UnavailableError, UsageError
from glasswing_attest.limits import Limits

Tree = Callable[[dict[str, str | bytes]], Path]
FILES: dict[str, str | bytes] = {
    "a": b"x" * 100_000,
    "a.b": b"",
    "a-b/c": b"y",
    "d/e/f": b"z" * 60_000,
    "d/e/g": b"z" * 10,
    "d.e": b"w",
    "z": b"v" * 200_000,
}


@pytest.fixture
def folder(write_tree: Tree) -> Path:
    return write_tree({f"m/{name}": content for name, content in FILES.items()}) / "m"


def descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    except FileNotFoundError:
        pytest.skip("no /proc/self/fd here")


# --- the same whatever the way ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [1, 2, 4096])
@pytest.mark.parametrize("below", [0, 50, 1 << 30])
def test_the_manifest_does_not_depend_on_how_it_is_read(
    folder: Path, run: int, below: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Dataset(folder).measure()
    assert [f.name for f in expected.files] == sorted(FILES, key=str.encode)
    assert all(f.sha256 == hashlib.sha256(bytes(FILES[f.name])).hexdigest() for f in expected.files)  # type: ignore[arg-type]
    monkeypatch.setattr(walk, "_RUN", run)
    monkeypatch.setattr(reading, "_POOL_FROM_BYTES", below)
    assert Dataset(folder).measure() == expected
    assert Dataset(folder).measure(progress=lambda _: None) == expected


def test_a_short_read_is_no_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Dataset(folder).measure()
    read = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: read(fd, min(size, 7)))
    assert Dataset(folder).measure() == expected


def test_many_levels_need_no_more_than_a_descriptor_each(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 200)
    deep.mkdir(parents=True)
    (deep / "a").write_text("x")
    before = descriptors()
    assert Dataset(tmp_path).measure().files[0].name.count("/") == 200
    assert descriptors() == before


# --- further digests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", [0, 1 << 30])
def test_further_digests_come_from_the_same_reading(folder: Path, below: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_POOL_FROM_BYTES", below)
    manifest = Dataset(folder).measure(also=("sha512", "blake2b"))
    assert manifest.digests == Dataset(folder).measure().digests
    for f in manifest.files:
        content = bytes(FILES[f.name])  # type: ignore[arg-type]
        expected = {name: hashlib.new(name, content).hexdigest() for name in ("blake2b", "sha512")}
        assert f.more.to_dict() == expected


def test_a_single_file_has_them_among_its_digests(folder: Path) -> None:
    for size in ("d/e/g", "z"):
        content = bytes(FILES[size])  # type: ignore[arg-type]
        manifest = File(folder / size).measure(also=[name for name in ALGORITHMS if name != "blake3"])
        assert manifest.digests.get("sha256") == hashlib.sha256(content).hexdigest()
        assert manifest.digests.get("sha3_384") == hashlib.sha3_384(content).hexdigest()
        assert {d.algorithm for d in manifest.digests} == {"sha256", *ALGORITHMS} - {"blake3"}


def test_blake3_where_it_is_installed(folder: Path) -> None:
    if find_spec("blake3") is None:
        with pytest.raises(UnavailableError) as raised:
            File(folder / "z").measure(also=("blake3",))
        assert (raised.value.code, raised.value.where) == ("unavailable", "blake3")
    else:
        manifest = File(folder / "z").measure(also=("blake3",))
        assert len(manifest.digests.get("blake3") or "") == 64
        assert manifest.digests.get("sha256")


@pytest.mark.parametrize("also", [("md5",), ("sha256",), ("",), "sha512"])
def test_other_algorithms_are_refused(folder: Path, also: Any) -> None:
    with pytest.raises(UsageError) as raised:
        Model(folder).measure(also=also)
    assert (raised.value.code, raised.value.where) == ("usage", "also")


# --- modes -----------------------------------------------------------------------------------------------------------


def test_modes_that_matter_are_reported(folder: Path) -> None:
    plain = Dataset(folder).measure()
    (folder / "a").chmod(0o755)
    (folder / "z").chmod(0o4700)
    (folder / "d/e/f").chmod(0o666)
    odd = Dataset(folder).measure()
    assert odd == plain
    assert [f.name for f in odd.files if f.is_executable] == ["a", "z"]
    assert [f.name for f in odd.files if f.is_setuid] == ["z"]
    assert [f.name for f in odd.files if f.is_world_writable] == ["d/e/f"]


# --- stopping --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, RuntimeError])
@pytest.mark.parametrize("at", [1, 2, 5])
@pytest.mark.parametrize("pooled", [False, True])
def test_a_progress_that_raises_stops_at_once_and_leaves_nothing(
    folder: Path, error: type[BaseException], at: int, pooled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pooled:
        monkeypatch.setattr(reading, "_POOL_FROM_BYTES", 0)
    monkeypatch.setattr(hashing, "_BUFFER", 1000)
    before, threads = descriptors(), threading.active_count()
    events: list[ProgressEvent] = []
    mine = error("enough")

    def stop(event: ProgressEvent) -> None:
        events.append(event)
        if len(events) >= at:
            raise mine

    with pytest.raises(error) as raised:
        Dataset(folder).measure(progress=stop)
    assert raised.value is mine
    assert len(events) == at
    assert (descriptors(), threading.active_count()) == (before, threads)


def test_an_executor_of_the_callers_goes_on_working_afterwards(folder: Path) -> None:
    def stop(event: ProgressEvent) -> None:
        raise ZeroDivisionError

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with pytest.raises(ZeroDivisionError):
            Dataset(folder).measure(progress=stop, executor=pool)
        assert Dataset(folder).measure(executor=pool) == Dataset(folder).measure()


def test_an_executor_that_is_broken_says_so(folder: Path) -> None:
    context = __import__("multiprocessing").get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        with pytest.raises(concurrent.futures.BrokenExecutor):
            pool.submit(os._exit, 1).result()
        with pytest.raises(UnavailableError) as raised:
            Dataset(folder).measure(executor=pool)
        assert (raised.value.code, raised.value.where) == ("unavailable", "executor")


def test_what_was_promised_at_the_start_is_what_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Written between the sizes that the progress was told and the reading: consistent, but not what was said.
    total = walk.Looker.total

    def grow_then(looker: walk.Looker) -> int:
        found = total(looker)
        (folder / "z").write_bytes(b"longer" * 100)
        return found

    monkeypatch.setattr(walk.Looker, "total", grow_then)
    with pytest.raises(ArtifactUnstable) as raised:
        Dataset(folder).measure(progress=lambda _: None)
    assert (raised.value.code, raised.value.where) == ("artifact.unstable", str(folder))


# --- shards ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shard_size", [1, 7, 100, 99_999, 100_000, 100_001, 10**9])
def test_shards_are_the_parts(write_tree: Tree, shard_size: int) -> None:
    content = bytes(range(256)) * 391 if shard_size > 50 else bytes(range(100))
    root = write_tree({"m/w": content, "m/empty": b"", "m/s/x": b"x"}) / "m"
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = hash_shards(Model(root), shard_size=shard_size, executor=pool)
    assert hash_shards(Model(root), shard_size=shard_size) == found
    assert [f.name for f in found] == ["empty", "s/x", "w"]
    assert (found[0].spans, found[0].digests) == ((), ())
    parts = [content[i : i + shard_size] for i in range(0, len(content), shard_size)]
    assert found[2].digests == tuple(hashlib.sha256(part).hexdigest() for part in parts)
    assert [end - start for start, end in found[2].spans] == [len(part) for part in parts]
    (alone,) = hash_shards(File(root / "w"), shard_size=shard_size)
    assert (alone.name, alone.size, alone.digests) == ("w", len(content), found[2].digests)


def test_shards_of_what_changes_are_refused(folder: Path) -> None:
    def grow(event: ProgressEvent) -> None:
        with (folder / "z").open("ab") as f:
            f.write(b"more")

    with pytest.raises(ArtifactUnstable) as raised:
        hash_shards(Model(folder), shard_size=10_000, progress=grow)
    assert raised.value.code == "artifact.unstable"


def test_shards_are_refused_where_a_tree_is(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        hash_shards(Model(folder), shard_size=0)
    assert (raised.value.code, raised.value.where) == ("usage", "shard_size")
    with pytest.raises(LimitError):
        hash_shards(Model(folder), limits=Limits(tree_files=2))
    (tmp_path / "none").mkdir()
    with pytest.raises(ArtifactEmpty) as empty:
        hash_shards(Model(tmp_path / "none"))
    assert empty.value.code == "artifact.empty"
    with pytest.raises(UsageError) as wrong:
        FileShards(name="w", size=3, shard_size=2, digests=("ab" * 32,))
    assert wrong.value.where == "w"


# --- executors that are no good --------------------------------------------------------------------------------------


class Odd(concurrent.futures.Executor):
    """Fails in words of its own, as a cluster does."""

    def __init__(self, error: Exception, *, at_once: bool) -> None:
        self._error = error
        self._at_once = at_once

    def submit(self, *_: Any, **__: Any) -> concurrent.futures.Future[Any]:
        if self._at_once:
            raise self._error
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        future.set_exception(self._error)
        return future


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("error", [ConnectionError("lost"), TypeError("lost"), TimeoutError("lost")])
def test_what_an_executor_says_is_told_as_unavailable(folder: Path, error: Exception, at_once: bool) -> None:
    before = descriptors()
    with pytest.raises(UnavailableError) as raised:
        Dataset(folder).measure(executor=Odd(error, at_once=at_once))
    assert (raised.value.code, raised.value.where) == ("unavailable", "executor")
    assert "lost" in str(raised.value)
    assert raised.value.__cause__ is error
    assert descriptors() == before


def test_what_another_process_refuses_is_told_as_it_is(folder: Path) -> None:
    error = ArtifactUnstable(where="m/a", because="it was exchanged")
    with pytest.raises(ArtifactUnstable) as raised:
        Dataset(folder).measure(executor=Odd(error, at_once=False))
    assert raised.value is error


def test_a_filesystem_that_takes_no_advice_is_read_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Dataset(folder).measure()

    def refuse(*_: int) -> None:
        raise OSError(errno.EINVAL, "no advice")

    monkeypatch.setattr(os, "posix_fadvise", refuse, raising=False)
    monkeypatch.setattr(hashing, "_ADVISED_BYTES", 0)
    monkeypatch.setattr(reading, "_POOL_FROM_BYTES", 0)
    assert Dataset(folder).measure() == expected
