"""Does a cache only save time?"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest.artifact import cache as caching
from glasswing_attest.artifact import hashing, pool
from glasswing_attest.artifact.cache import DigestCache
from glasswing_attest.artifact.hashing import ProgressEvent
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.model import Model
from glasswing_attest.errors import ArtifactUnstable, UnavailableError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "m"
    (path / "sub").mkdir(parents=True)
    (path / "a").write_bytes(b"a" * 1000)
    (path / "sub" / "b").write_bytes(b"b" * 100_000)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> DigestCache:
    return DigestCache(tmp_path / "digests.sqlite")


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file has been left alone for long."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 60_000_000_000)


def rows(cache: DigestCache) -> int:
    with sqlite3.connect(cache.path) as connection:
        (count,) = connection.execute("SELECT count(*) FROM digests").fetchone()
    connection.close()
    return int(count)


def read_bytes(folder: Path, cache: DigestCache, monkeypatch: pytest.MonkeyPatch) -> tuple[Manifest, int]:
    """Measure, and count the files that were read."""
    opened: list[bytes] = []
    original = hashing.open_file

    def counting(name: bytes, *, dir_fd: int, where: str) -> int:
        opened.append(name)
        return original(name, dir_fd=dir_fd, where=where)

    with monkeypatch.context() as patch:
        patch.setattr(pool, "open_file", counting)
        manifest = Model(folder).measure(cache=cache)
    return manifest, len(opened)


@pytest.mark.usefixtures("aged")
def test_what_did_not_change_is_not_read_again(
    folder: Path, cache: DigestCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Model(folder).measure()
    assert read_bytes(folder, cache, monkeypatch) == (plain, 2)
    assert read_bytes(folder, cache, monkeypatch) == (plain, 0)
    (folder / "a").write_bytes(b"c" * 1000)
    changed, read = read_bytes(folder, cache, monkeypatch)
    assert (changed, read) == (Model(folder).measure(), 1)
    assert changed != plain


@pytest.mark.usefixtures("aged")
def test_progress_comes_to_its_end(folder: Path, cache: DigestCache) -> None:
    for _ in range(2):
        events: list[ProgressEvent] = []
        Model(folder).measure(cache=cache, progress=events.append)
        assert events[-1].done_bytes == events[-1].total_bytes == 101_000


@pytest.mark.usefixtures("aged")
def test_further_digests_are_remembered_with_the_first(
    folder: Path, cache: DigestCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    Model(folder).measure(cache=cache)
    asked = Model(folder).measure(cache=cache, also=("sha512",))
    assert asked == Model(folder).measure(also=("sha512",))
    assert asked == Model(folder).measure(cache=cache, also=("sha512",))
    assert read_bytes(folder, cache, monkeypatch)[1] == 0
    assert rows(cache) == 4


def test_what_is_young_is_not_remembered(folder: Path, cache: DigestCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_GRAIN_NS", 60 * caching._GRAIN_NS)  # however slow this machine is
    Model(folder).measure(cache=cache)
    assert rows(cache) == 0


def test_a_time_in_the_future_is_not_remembered(
    folder: Path, cache: DigestCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(folder / "a", ns=(0, 4_000_000_000_000_000_000))
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 60_000_000_000)
    Model(folder).measure(cache=cache)
    assert rows(cache) == 1


@pytest.mark.usefixtures("aged")
def test_a_tree_that_changes_is_refused_and_nothing_of_it_remembered(folder: Path, cache: DigestCache) -> None:
    with pytest.raises(ArtifactUnstable) as raised:
        Model(folder).measure(cache=cache, progress=lambda _: _write(folder / "new", b"x"))
    assert raised.value.code == "artifact.unstable"
    assert rows(cache) == 0


# --- what is wrong with a cache --------------------------------------------------------------------------------------


def lie(cache: DigestCache) -> None:
    """Write other digests into it, as whoever can write it may."""
    with sqlite3.connect(cache.path) as connection:
        found = connection.execute("SELECT file, algorithm, stamp FROM digests").fetchall()
        for file, algorithm, stamp in found:
            value = bytes(32)
            row = (value, caching._proof(algorithm, stamp, value), file, algorithm)
            connection.execute("UPDATE digests SET value = ?, proof = ? WHERE file = ? AND algorithm = ?", row)
    connection.close()


@pytest.mark.usefixtures("aged")
def test_a_sample_that_differs_drops_everything(folder: Path, cache: DigestCache) -> None:
    plain = Model(folder).measure(cache=cache)
    lie(cache)
    assert Model(folder).measure(cache=cache) != plain  # so who can write it decides
    assert Model(folder).measure(cache=DigestCache(cache.path, sample=1.0)) == plain
    assert not cache.path.exists() or rows(cache) == 0
    assert Model(folder).measure(cache=cache) == plain
    assert rows(cache) == 2
    assert Model(folder).measure(cache=DigestCache(cache.path, sample=1.0)) == plain
    assert rows(cache) == 2


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize("column", ["value", "stamp", "proof"])
def test_a_row_that_is_damaged_is_as_none(
    folder: Path, cache: DigestCache, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Model(folder).measure(cache=cache)
    with sqlite3.connect(cache.path) as connection:
        connection.execute(f"UPDATE digests SET {column} = zeroblob(32)")
    connection.close()
    assert read_bytes(folder, cache, monkeypatch) == (plain, 2)
    assert read_bytes(folder, cache, monkeypatch) == (plain, 0)


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"no database at all" * 100,
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + b"\xff" * (len(data) - 100),
        lambda data: b"",
    ],
    ids=["other", "cut", "overwritten", "empty"],
)
def test_a_damaged_cache_is_as_none(folder: Path, cache: DigestCache, damage: Callable[[bytes], bytes]) -> None:
    plain = Model(folder).measure(cache=cache)
    cache.path.write_bytes(damage(cache.path.read_bytes()))
    assert Model(folder).measure(cache=cache) == plain
    cache.clear()
    assert Model(folder).measure(cache=cache) == plain
    assert rows(cache) == 2


def test_a_cache_that_others_may_write_is_refused(folder: Path, cache: DigestCache, tmp_path: Path) -> None:
    Model(folder).measure(cache=cache)
    assert cache.path.stat().st_mode & 0o777 == 0o600
    cache.path.chmod(0o620)
    with pytest.raises(UsageError) as raised:
        Model(folder).measure(cache=cache)
    assert (raised.value.code, raised.value.where) == ("usage", str(cache.path))
    (tmp_path / "link").symlink_to(cache.path)
    for path in (tmp_path, tmp_path / "absent" / "cache", tmp_path / "link"):
        with pytest.raises(UnavailableError) as unavailable:
            Model(folder).measure(cache=DigestCache(path))
        assert (unavailable.value.code, unavailable.value.where) == ("unavailable", str(path))


@pytest.mark.parametrize("sample", [-0.1, 1.1, float("nan")])
def test_a_sample_is_a_part(tmp_path: Path, sample: float) -> None:
    with pytest.raises(UsageError) as raised:
        DigestCache(tmp_path / "c", sample=sample)
    assert raised.value.where == "sample"


@pytest.mark.usefixtures("aged")
def test_threads_and_processes_use_it_at_the_same_time(folder: Path, cache: DigestCache) -> None:
    plain = Model(folder).measure()
    found: list[Manifest] = []
    threads = [
        threading.Thread(target=lambda: found.append(Model(folder).measure(cache=DigestCache(cache.path))))
        for _ in range(6)
    ]
    code = "import sys; from glasswing_attest import Model; from glasswing_attest.artifact.cache import DigestCache\n"
    code += "print(Model(sys.argv[1]).measure(cache=DigestCache(sys.argv[2])).digests)"
    other = subprocess.Popen([sys.executable, "-c", code, folder, cache.path], stdout=subprocess.PIPE, text=True)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [plain] * 6
    out, _ = other.communicate()
    assert out.strip() == str(plain.digests)


@pytest.mark.usefixtures("aged")
def test_a_cache_that_is_locked_is_as_none(folder: Path, cache: DigestCache, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Model(folder).measure(cache=cache)
    monkeypatch.setattr(caching, "_BUSY_SECONDS", 0.01)
    holder = sqlite3.connect(cache.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert Model(folder).measure(cache=cache) == plain
    finally:
        holder.close()


# --- laws ------------------------------------------------------------------------------------------------------------


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _exchange(path: Path, content: bytes) -> None:
    other = path.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def _rewrite_with_old_times(path: Path, content: bytes) -> None:
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _in_place(path: Path) -> None:
    with path.open("r+b") as f:
        f.write(b"#")


CHANGES: list[Callable[[Path], None]] = [
    lambda p: _write(p, b"z" * 64),
    lambda p: _write(p, b"longer" * 20),
    lambda p: _exchange(p, b"y" * 64),
    lambda p: _rewrite_with_old_times(p, b"w" * 64),
    _in_place,
]


@settings(max_examples=60, deadline=None)
@given(changes=st.lists(st.sampled_from(range(len(CHANGES))), min_size=1, max_size=6))
def test_a_change_is_seen_however_soon_it_comes(changes: list[int]) -> None:
    """The clock is the real one: changes come within its grain, so nothing may be remembered that could be wrong."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name, "m")
        root.mkdir()
        (root / "a").write_bytes(b"x" * 64)
        cache = DigestCache(Path(name, "cache"))
        for change in changes:
            assert Model(root).measure(cache=cache) == Model(root).measure()
            CHANGES[change](root / "a")
            assert Model(root).measure(cache=cache) == Model(root).measure()


@settings(max_examples=40, deadline=None)
@given(changes=st.lists(st.sampled_from(range(len(CHANGES))), min_size=1, max_size=4))
def test_a_change_that_changes_the_stamp_is_seen_of_a_file_that_was_remembered(changes: list[int]) -> None:
    """Here everything is remembered at once; what is changed then has another stamp, and is read again."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(caching, "_GRAIN_NS", -(10**18))
        root = Path(name, "m")
        root.mkdir()
        path = root / "a"
        path.write_bytes(b"x" * 64)
        cache = DigestCache(Path(name, "cache"))
        for change in changes:
            Model(root).measure(cache=cache)
            assert rows(cache) >= 1
            before = path.stat()
            while path.stat().st_ctime_ns == before.st_ctime_ns:
                CHANGES[change](path)
            assert Model(root).measure(cache=cache) == Model(root).measure()


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize("value", [b"", b"\0" * 31, "text", 7])
def test_a_row_without_a_checksum_is_as_none(folder: Path, cache: DigestCache, value: object) -> None:
    plain = Model(folder).measure(cache=cache)
    with sqlite3.connect(cache.path) as connection:
        connection.execute("UPDATE digests SET value = ?, proof = x''", (value,))
    connection.close()
    assert Model(folder).measure(cache=cache) == plain


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770])
def test_a_cache_where_others_may_write_beside_it_is_refused(folder: Path, tmp_path: Path, mode: int) -> None:
    # A journal that they put there would be taken into the database.
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(mode)
    cache = DigestCache(shared / "digests.sqlite")
    for use in (lambda: Model(folder).measure(cache=cache), cache.clear):
        with pytest.raises(UsageError) as raised:
            use()
        assert (raised.value.code, raised.value.where) == ("usage", str(cache.path))
    assert list(shared.iterdir()) == []
    shared.chmod(0o755)
    assert Model(folder).measure(cache=cache) == Model(folder).measure()


def test_a_cache_without_a_directory_is_unavailable(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as raised:
        Model(folder).measure(cache=DigestCache(tmp_path / "none" / "digests.sqlite"))
    assert raised.value.code == "unavailable"
