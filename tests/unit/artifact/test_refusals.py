"""Is what cannot be digested refused, with the right word and the right place?"""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glasswing_attest.artifact import hashing, reading, walk
from glasswing_attest.artifact.cache import DigestCache
from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.file import File
from glasswing_attest.artifact.hashing import ProgressEvent, Stamp
from glasswing_attest.artifact.model import Model
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    GlasswingError,
    LimitError,
    NameRefused,
)
from glasswing_attest.limits import Limits

Tree = Callable[[dict[str, str | bytes]], Path]


@contextmanager
def refused(error: type[GlasswingError], code: str, where: str = "") -> Generator[None]:
    with pytest.raises(error) as raised:
        yield
    assert type(raised.value) is error
    assert raised.value.code == code
    assert raised.value.where.endswith(where)
    assert str(raised.value).isprintable()


# --- what is not a regular file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["a", ".", "nowhere", "/etc/passwd", "b"], ids=["file", "dir", "dangling", "out", "self"]
)
def test_a_link_is_never_followed(write_tree: Tree, target: str) -> None:
    root = write_tree({"a": "x"})
    (root / "b").symlink_to(target)
    with refused(ArtifactIrregular, "artifact.irregular", "/b"):
        Model(root).measure()


def test_a_root_that_is_a_link_is_not_followed(write_tree: Tree) -> None:
    root = write_tree({"m/a": "x"})
    (root / "link").symlink_to("m")
    (root / "file").symlink_to("m/a")
    with refused(ArtifactIrregular, "artifact.irregular", "/link"):
        Model(root / "link").measure()
    with refused(ArtifactIrregular, "artifact.irregular", "/file"):
        File(root / "file").measure()


def test_what_is_above_the_root_may_be_reached_by_links(write_tree: Tree) -> None:
    root = write_tree({"real/m/a": "x"})
    (root / "link").symlink_to("real")
    assert Model(root / "link" / "m").measure() == Model(root / "real" / "m").measure()
    assert File(root / "link" / "m" / "a").measure() == File(root / "real" / "m" / "a").measure()


def test_a_pipe_does_not_block(write_tree: Tree) -> None:
    root = write_tree({"a": "x"})
    os.mkfifo(root / "pipe")
    with refused(ArtifactIrregular, "artifact.irregular", "/pipe"):
        Model(root).measure()
    with refused(ArtifactIrregular, "artifact.irregular", "/pipe"):
        File(root / "pipe").measure()


def test_a_socket_and_a_device_are_refused(write_tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_tree({"a": "x"})
    monkeypatch.chdir(root)  # the address of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with refused(ArtifactIrregular, "artifact.irregular", "/s"):
            Model(root).measure()
        with refused(ArtifactIrregular, "artifact.irregular", "s"):
            File("s").measure()
    with refused(ArtifactIrregular, "artifact.irregular", "/dev/null"):
        File("/dev/null").measure()


def test_a_directory_is_not_a_file(write_tree: Tree) -> None:
    with refused(ArtifactIrregular, "artifact.irregular"):
        File(write_tree({"a": "x"})).measure()


# --- what is not there ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["absent", "a/b", "nul\0"])
def test_what_is_missing_is_unreadable(write_tree: Tree, path: str) -> None:
    root = write_tree({"a": "x"})
    with refused(ArtifactUnreadable, "artifact.unreadable", path):
        Model(root / path).measure()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_unreadable(write_tree: Tree) -> None:
    root = write_tree({"a": "x"})
    (root / "a").chmod(0)
    with refused(ArtifactUnreadable, "artifact.unreadable", "/a"):
        Model(root).measure()


@pytest.mark.parametrize("files", [{}, {"d/.keep": "x"}], ids=["no file", "all excluded"])
def test_an_empty_tree_has_no_digest(write_tree: Tree, files: dict[str, str | bytes]) -> None:
    root = write_tree(files)
    (root / "empty" / "deep").mkdir(parents=True)
    with refused(ArtifactEmpty, "artifact.empty"):
        Model(root, exclude=("d",)).measure()


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        b"a\nb",
        b"a\rb",
        b"a\tb",
        b"\x01",
        b"\x7f",
        "\u0085".encode(),
        "\u009f".encode(),
        b"a\\b",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
    ],
)
@pytest.mark.parametrize("place", ["file", "directory", "alone"])
def test_a_name_that_a_listing_cannot_carry_is_refused(tmp_path: Path, name: bytes, place: str) -> None:
    path = tmp_path / os.fsdecode(name)
    if place == "directory":
        path.mkdir()
        path /= "a"
    path.write_bytes(b"")
    with refused(NameRefused, "artifact.name"):
        (File(path) if place == "alone" else Model(tmp_path)).measure()


def test_names_are_not_normalised(write_tree: Tree) -> None:
    composed = Model(write_tree({"é": "x"})).measure()
    assert [f.name for f in composed.files] == ["é"]


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bound", [{"tree_files": 3}, {"tree_depth": 2}, {"name_bytes": 4}], ids=lambda b: next(iter(b))
)
def test_beyond_a_limit_nothing_is_decided(write_tree: Tree, bound: dict[str, int]) -> None:
    root = write_tree({"a/b/c": "x", "d": "x"})
    name, value = next(iter(bound.items()))
    assert Model(root).measure(limits=Limits(**{name: value + 1})).files
    with refused(LimitError, "limit"):
        Model(root).measure(limits=Limits(**bound))


def test_directories_count_as_well(tmp_path: Path) -> None:
    for i in range(10):
        (tmp_path / f"d{i}").mkdir()
    with refused(LimitError, "limit"):
        Model(tmp_path).measure(limits=Limits(tree_files=5))


# --- what changes meanwhile ------------------------------------------------------------------------------------------


def appear(root: Path) -> None:
    (root / "new").write_text("x")


def disappear(root: Path) -> None:
    (root / "z").unlink()


def grow(root: Path) -> None:
    with (root / "a").open("a") as f:
        f.write("more")


def shrink(root: Path) -> None:
    os.truncate(root / "a", 1)


def exchange(root: Path) -> None:
    (root / "other").write_bytes((root / "a").read_bytes())
    (root / "other").replace(root / "a")


def exchange_by_link(root: Path) -> None:
    (root / "z").unlink()
    (root / "z").symlink_to("/etc/passwd")


def exchange_directory_by_link(root: Path) -> None:
    (root / "sub").rename(root.parent / "elsewhere")
    (root / "sub").symlink_to(root.parent / "elsewhere")


def exchange_by_pipe(root: Path) -> None:
    (root / "z").unlink()
    os.mkfifo(root / "z")


def exchange_file_by_directory(root: Path) -> None:
    (root / "z").unlink()
    (root / "z").mkdir()


def rewrite_with_old_times(root: Path) -> None:
    path = root / "a"
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def excluded_appears(root: Path) -> None:
    (root / "left-out").mkdir()


MEDDLING = [
    appear,
    disappear,
    grow,
    shrink,
    exchange,
    exchange_by_link,
    exchange_directory_by_link,
    exchange_by_pipe,
    exchange_file_by_directory,
    rewrite_with_old_times,
    excluded_appears,
]


@pytest.mark.parametrize("meddle", MEDDLING)
@pytest.mark.parametrize("pooled", [False, True], ids=["inline", "pool"])
def test_a_tree_that_changes_while_it_is_hashed_is_refused(
    tmp_path: Path, meddle: Callable[[Path], None], pooled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pooled:
        monkeypatch.setattr(reading, "_POOL_FROM_BYTES", 0)
    root = tmp_path / "m"
    (root / "sub").mkdir(parents=True)
    for name in ("a", "sub/b", "z"):
        (root / name).write_bytes(b"x" * 5000)
    done = threading.Lock()

    def once(event: ProgressEvent) -> None:
        if done.acquire(blocking=False):
            meddle(root)

    # The system's clock for times is coarse: a change right after the file was made would have the same time.
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    _wait_for_the_clock(root)
    with refused(ArtifactUnstable, "artifact.unstable"):
        Dataset(root, exclude=("left-out",)).measure(progress=once)


def _wait_for_the_clock(folder: Path) -> None:
    """Wait until a file made now has another time than one made before."""
    probe = folder.parent / "probe"
    probe.write_text("")
    before = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before:
        probe.chmod(0o600)


@pytest.mark.parametrize("meddle", [grow, shrink, exchange])
def test_a_single_file_that_changes_is_refused(tmp_path: Path, meddle: Callable[[Path], None]) -> None:
    (tmp_path / "a").write_bytes(b"x" * 5000)
    _wait_for_the_clock(tmp_path / "a")

    with refused(ArtifactUnstable, "artifact.unstable", "/a"):
        File(tmp_path / "a").measure(progress=lambda _: meddle(tmp_path))


def test_what_is_moved_there_and_back_again_is_refused(write_tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    # At each look both names lead to the same directory, one after the other: a tree that never was, in which no file
    # was written, nor any name.
    root = write_tree({"m/x/f": "one", "m/y/f": "two"}) / "m"
    time.sleep(0.02)

    def swap() -> None:
        (root / "x").rename(root / "z")
        (root / "y").rename(root / "x")
        (root / "z").rename(root / "y")

    read, stamps, again = reading._Reader.read, reading._stamps, reading._look_again
    runs: list[str] = []

    def reading_(reader: reading._Reader, run: walk.Run) -> None:
        read(reader, run)
        runs.append("read")
        if len(runs) == 1:
            swap()

    def looking(looker: walk.Looker, run: walk.Run) -> bytes:
        found = stamps(looker, run)
        runs.append("look")
        if len(runs) == 3:
            swap()
        return found

    def beginning(looker: walk.Looker, found: reading.Found) -> None:
        swap()
        again(looker, found)

    monkeypatch.setattr(reading._Reader, "read", reading_)
    monkeypatch.setattr(reading, "_stamps", looking)
    monkeypatch.setattr(reading, "_look_again", beginning)
    with refused(ArtifactUnstable, "artifact.unstable", "/m"):
        Model(root).measure()
    assert runs == ["read", "read", "look", "look"]


@pytest.mark.parametrize("place", ["m", "m/0"])
def test_what_comes_and_goes_is_refused(write_tree: Tree, place: str) -> None:
    root = write_tree({"m/a": "x", "m/b": "y"})
    (root / "m/0").mkdir()
    time.sleep(0.02)

    def come_and_go(_: ProgressEvent) -> None:
        (root / place / "new").write_text("z")
        (root / place / "new").unlink()

    with refused(ArtifactUnstable, "artifact.unstable", f"/{place}"):
        Model(root / "m").measure(progress=come_and_go)


def test_what_is_left_out_may_come_and_go(write_tree: Tree) -> None:
    root = write_tree({"m/a": "x", "m/log": "1"}) / "m"
    time.sleep(0.02)

    def rotate(_: ProgressEvent) -> None:
        (root / "new").write_text("z")
        (root / "new").replace(root / "log")

    assert Model(root, exclude=("log",)).measure(progress=rotate).excluded == ("log",)


@pytest.mark.parametrize("seconds", [10**11, -(10**11)])
def test_a_time_beyond_all_reason_is_a_time(write_tree: Tree, tmp_path: Path, seconds: int) -> None:
    root = write_tree({"m/a": "x", "m/b": "y" * 100_000}) / "m"
    expected = Model(root).measure()
    for name in ("a", "b"):
        os.utime(root / name, (seconds, seconds))
    cache = DigestCache(tmp_path / "digests.sqlite")
    assert Model(root).measure() == Model(root).measure(cache=cache) == expected
    assert File(root / "b").measure().digests.get("sha256") == expected.file("b").sha256


def test_a_path_that_is_none_is_unreadable(write_tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_tree({"m/a": "x", "gone/a": "x"})
    for artifact in (
        Model("\ud800"),
        Model("a\0b"),
        Model(root / "m", links_within="\ud800"),
        Model(root / "m", links_within="a\0b"),
    ):
        with refused(ArtifactUnreadable, "artifact.unreadable"):
            artifact.measure()
    monkeypatch.chdir(root / "gone")
    shutil.rmtree(root / "gone")
    with refused(ArtifactUnreadable, "artifact.unreadable", "."):
        Model(".").measure()
    with refused(ArtifactUnreadable, "artifact.unreadable"):
        Model(root / "m", links_within="a").measure()


def test_a_file_whose_size_lies_is_refused(tmp_path: Path) -> None:
    proc = Path("/proc/self/status")
    if not proc.is_file():
        pytest.skip("no /proc here")
    # Files of /proc say they are empty and are not.
    with refused(ArtifactUnstable, "artifact.unstable"):
        File(proc).measure()


def test_reading_stops_when_a_file_grows_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 10_000)
    monkeypatch.setattr(hashing, "_BUFFER", 16)
    fd = os.open(path, os.O_RDONLY)
    before = Stamp.of(os.fstat(fd))
    monkeypatch.setattr(hashing.Stamp, "of", lambda _: before._replace(size=20))
    with refused(ArtifactUnstable, "artifact.unstable"):
        hashing.sha256_of(fd, where="a")
    assert os.lseek(fd, 0, os.SEEK_CUR) <= 64
    os.close(fd)


def test_what_the_progress_raises_comes_through(write_tree: Tree) -> None:
    def stop(event: ProgressEvent) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Model(write_tree({"a": "x"})).measure(progress=stop)


# --- links within ----------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A tree `m` beside `blobs` and `secret`, and a file in each."""
    for name in ("m", "blobs", "blobs/inner", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    return tmp_path


def test_a_link_to_a_file_within_is_followed_once(store: Path) -> None:
    (store / "m" / "a").symlink_to("../blobs/inner/file")
    manifest = Model(store / "m", links_within=store / "blobs").measure()
    assert manifest.file("a").size == len("blobs/inner")


@pytest.mark.parametrize(
    "target",
    [
        "../secret/file",
        "/etc/passwd",
        "../blobs/../secret/file",
        "../blobs",
        "../blobs/",
        "../blobs/inner",
        "../blobs/inner/",
        "../blobs/file/",
        "../blobs/out",
        "../blobs/outdir/file",
        "../blobs/chain",
        "../blobs/pipe",
        "../blobs/inner/../file",
        "../blobsy/file",
        ".",
        "file",
        "../../../../../../../../../../../../blobs/file",
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(store: Path, target: str) -> None:
    (store / "blobs" / "out").symlink_to("../secret/file")
    (store / "blobs" / "outdir").symlink_to("../secret")
    (store / "blobs" / "chain").symlink_to("file")
    (store / "blobsy").mkdir()
    (store / "blobsy" / "file").write_text("x")
    os.mkfifo(store / "blobs" / "pipe")
    (store / "m" / "a").symlink_to(target)
    with refused(ArtifactIrregular, "artifact.irregular", "/a"):
        Model(store / "m", links_within=store / "blobs").measure()


def test_a_link_to_nothing_is_unreadable(store: Path) -> None:
    (store / "m" / "a").symlink_to("../blobs/absent")
    with refused(ArtifactUnreadable, "artifact.unreadable", "/a"):
        Model(store / "m", links_within=store / "blobs").measure()


def retarget(store: Path) -> None:
    (store / "m" / "a").unlink()
    (store / "m" / "a").symlink_to("../blobs/inner/file")


def rewrite_blob(store: Path) -> None:
    (store / "blobs" / "file").write_text("other")


def link_blob_away(store: Path) -> None:
    (store / "blobs" / "file").unlink()
    (store / "blobs" / "file").symlink_to("../secret/file")


@pytest.mark.parametrize("meddle", [retarget, rewrite_blob, link_blob_away])
def test_a_link_that_changes_is_refused(store: Path, meddle: Callable[[Path], None]) -> None:
    (store / "m" / "a").symlink_to("../blobs/file")
    _wait_for_the_clock(store)
    done: list[bool] = []

    def once(event: ProgressEvent) -> None:
        if not done:
            done.append(True)
            meddle(store)

    with refused(ArtifactUnstable, "artifact.unstable"):
        Model(store / "m", links_within=store / "blobs").measure(progress=once)


def test_links_within_must_exist(store: Path) -> None:
    with refused(ArtifactUnreadable, "artifact.unreadable"):
        Model(store / "m", links_within=store / "absent").measure()
