"""Does a loader get what was verified, and nothing else?"""

import json
import mmap
import os
import struct
from pathlib import Path

import pytest

from glasswing_attest import Manifest, Model
from glasswing_attest.artifact.file import Blob, File
from glasswing_attest.artifact.loading import SealedFile, VerifiedTree
from glasswing_attest.errors import ArtifactUnreadable, Mismatch, UsageError

CONTENT = bytes(range(256)) * 5000
needs_sealing = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no sealed memory")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "m"
    (path / "sub").mkdir(parents=True)
    (path / "weights.bin").write_bytes(CONTENT)
    (path / "sub" / "empty").write_bytes(b"")
    return path


def test_a_tree_is_a_map_of_digests(folder: Path) -> None:
    manifest = Model(folder).measure()
    tree = VerifiedTree(manifest)
    assert dict(tree) == {f.name: f.sha256 for f in manifest.files}
    assert (len(tree), "weights.bin" in tree, "absent" in tree) == (2, True, False)
    with pytest.raises(KeyError):
        tree["absent"]
    assert tree.read("weights.bin") == CONTENT
    assert tree.read("sub/empty") == b""
    with tree.open("weights.bin") as file:
        assert file.read() == CONTENT


def test_a_single_file_is_a_tree_of_one(folder: Path) -> None:
    tree = VerifiedTree(File(folder / "weights.bin").measure())
    assert tree.read("weights.bin") == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT[:-1], CONTENT + b"x", b""])
def test_other_bytes_are_not_given(folder: Path, content: bytes) -> None:
    tree = VerifiedTree(Model(folder).measure())
    (folder / "weights.bin").write_bytes(content)
    with pytest.raises(Mismatch) as raised:
        tree.read("weights.bin")
    assert (raised.value.code, raised.value.where) == ("verification.mismatch", str(folder / "weights.bin"))
    if hasattr(os, "memfd_create"):
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        with pytest.raises(Mismatch):
            tree.sealed("weights.bin")
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@needs_sealing
def test_a_sealed_copy_is_what_was_verified_whatever_happens_to_the_file(folder: Path) -> None:
    tree = VerifiedTree(Model(folder).measure())
    with tree.sealed("weights.bin") as sealed, tree.sealed("sub/empty") as empty:
        (folder / "weights.bin").write_bytes(b"other")
        assert Path(sealed.path).read_bytes() == CONTENT
        assert Path(empty.path).read_bytes() == b""
        with mmap.mmap(sealed.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert mapped[:] == CONTENT
        for change in (lambda: os.write(sealed.fileno(), b"x"), lambda: os.truncate(sealed.fileno(), 0)):
            with pytest.raises(PermissionError):
                change()
        with pytest.raises(PermissionError):
            mmap.mmap(sealed.fileno(), 0, access=mmap.ACCESS_WRITE)
    with pytest.raises(UsageError) as raised:
        sealed.fileno()
    assert (raised.value.code, raised.value.where) == ("usage", "weights.bin")
    sealed.close()


@needs_sealing
def test_closing_twice_closes_nobody_elses_file(folder: Path) -> None:
    sealed = VerifiedTree(Model(folder).measure()).sealed("weights.bin")
    number = sealed.fileno()
    sealed.close()
    with (folder / "weights.bin").open("rb") as other:
        if other.fileno() != number:
            pytest.skip("the system gave another number")
        sealed.close()
        assert other.read(1) == b"\0"


def test_a_forgotten_copy_is_closed() -> None:
    fd = os.open(os.devnull, os.O_RDONLY)
    sealed = SealedFile("x", fd)
    del sealed
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)


def test_a_system_without_sealed_memory_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with pytest.raises(UsageError) as raised:
        VerifiedTree(Model(folder).measure()).sealed("weights.bin")
    assert (raised.value.code, raised.value.where) == ("usage", "weights.bin")


def test_what_is_gone_is_unreadable(folder: Path) -> None:
    tree = VerifiedTree(Model(folder).measure())
    (folder / "weights.bin").unlink()
    with pytest.raises(ArtifactUnreadable) as raised:
        tree.read("weights.bin")
    assert raised.value.code == "artifact.unreadable"


def test_what_is_nowhere_on_disk_is_no_tree(folder: Path) -> None:
    for manifest in (
        Blob(b"x").measure(),
        Manifest.from_proto(Model(folder).measure().to_proto()),
        Manifest.declared("model", {"sha256": "00" * 32}),
    ):
        with pytest.raises(UsageError) as raised:
            VerifiedTree(manifest)
        assert raised.value.code == "usage"


def test_safetensors_loads_from_either(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors", reason="safetensors is not installed")
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "m").mkdir()
    path = tmp_path / "m" / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", 1.5))
    tree = VerifiedTree(Model(tmp_path / "m").measure())
    ((name, tensor),) = safetensors.deserialize(tree.read("model.safetensors"))
    assert (name, bytes(tensor["data"])) == ("w", struct.pack("<f", 1.5))
