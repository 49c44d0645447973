"""Does a directory keep what was added, whatever happens to the one who adds, and to the directory?"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest._files import read_bounded, write_atomic
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import LimitError, StoreUnavailable, UsageError
from glasswing_attest.limits import Limits
from glasswing_attest.store import DirectoryStore, directory
from tests.unit.store.stories import about, data_of, digest, pretty

ONE, TWO = about("one"), about("two")
MARKER = "glasswing-attest-store.json"


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


def files(store: DirectoryStore) -> set[str]:
    return {str(path.relative_to(store.path)) for path in store.path.rglob("*") if path.is_file()}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_layout(store: DirectoryStore) -> None:
    item = store.add(ONE)
    name = sha256(ONE.bytes)
    key = sha256(str(digest("one")).encode())
    assert files(store) == {
        MARKER,
        "subjects/complete",
        f"subjects/{key[:2]}/{key}-{name}",
        f"attestations/{name[:2]}/{name}.json",
    }
    assert item.origin == str(store.path / "attestations" / name[:2] / f"{name}.json")
    assert json.loads((store.path / MARKER).read_bytes()) == {"format": 1}
    assert Path(item.origin).read_bytes() == ONE.bytes
    assert DirectoryStore.is_one(store.path)
    assert not DirectoryStore.is_one(store.path.parent)


def test_only_what_is_asked_for_is_read(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        store.add(about(f"thing-{number}"))
    read: list[str] = []

    def counted(path: Path, *args: Any, **more: Any) -> bytes:
        read.append(path.name)
        return read_bounded(path, *args, **more)

    monkeypatch.setattr(directory, "read_bounded", counted)
    assert len(list(store.find([digest("thing-7")]))) == 1
    assert len(read) == 2, "the marker and one attestation"
    assert MARKER in read


@pytest.mark.parametrize("there", ["readme.txt", "model.safetensors"])
def test_a_directory_of_something_else_is_left_alone(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_bytes(b"mine")
    with pytest.raises(UsageError) as refused:
        DirectoryStore(tmp_path).add(ONE)
    assert (refused.value.code, refused.value.where) == ("usage", str(tmp_path))
    assert there in refused.value.because
    assert [path.name for path in tmp_path.iterdir()] == [there]


def test_an_empty_directory_becomes_a_store(tmp_path: Path) -> None:
    DirectoryStore(tmp_path).add(ONE)
    assert data_of(DirectoryStore(tmp_path).list()) == [ONE.bytes]


def test_its_own_path_may_be_a_link(store: DirectoryStore, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    store.path.symlink_to("real")
    store.add(ONE)
    assert data_of(store.find([digest("one")])) == [ONE.bytes]


@pytest.mark.parametrize("content", [b"", b'{"format": 2}\n', b"{", b" " * 100])
def test_a_store_of_another_format_is_unavailable(store: DirectoryStore, content: bytes) -> None:
    store.add(ONE)
    (store.path / MARKER).write_bytes(content)
    for call in (store.list, lambda: store.find([]), lambda: store.add(TWO), store.reindex):
        with pytest.raises(StoreUnavailable) as refused:
            call()
        assert (refused.value.code, refused.value.where) == ("unavailable.store", str(store.path / MARKER))


# --- a crash ---------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from glasswing_attest.attestation import Attestation
from glasswing_attest.store import DirectoryStore
what, path, file = sys.argv[1:]
module, name = what.rsplit(".", 1)
target = {"os": os, "directory": sys.modules["glasswing_attest.store.directory"]}[module]
really = getattr(target, name)
skip = 1 if what == "os.replace" and not DirectoryStore.is_one(path) else 0
def killed(*args, **kwargs):
    global skip
    if skip:
        skip -= 1
        return really(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(target, name, killed)
DirectoryStore(path).add(Attestation.parse(Path(file).read_bytes()))
"""


@pytest.mark.parametrize("moment", ["os.replace", "os.fsync", "directory._touch", "directory.write_atomic", "os.mkdir"])
@pytest.mark.parametrize("first", [True, False])
def test_who_is_killed_leaves_a_store_that_can_be_read(
    store: DirectoryStore, tmp_path: Path, moment: str, first: bool
) -> None:
    if not first:
        store.add(ONE)
    (tmp_path / "two.json").write_bytes(TWO.bytes)
    ran = subprocess.run([sys.executable, "-c", KILLED, moment, store.path, tmp_path / "two.json"], timeout=60)
    assert ran.returncode == -9
    before = [] if first else [ONE.bytes]
    if not first or DirectoryStore.is_one(store.path):
        assert data_of(store.list()) == before
        assert data_of(store.find([digest("two")])) == []
        assert data_of(store.find([digest("one")])) == before
    # Whoever comes next goes on as if nothing had happened.
    store.add(TWO)
    assert data_of(store.list()) == sorted([*before, TWO.bytes])
    assert data_of(store.find([digest("two")])) == [TWO.bytes]
    assert data_of(store.find([digest("one"), digest("two")])) == sorted([*before, TWO.bytes])


def test_an_attestation_is_entered_before_it_is_there(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    # In this order whatever can be listed can be found, at every moment.
    order = []
    touch = directory._touch

    def touched(path: Path) -> None:
        order.append(path.parent.parent.name)
        touch(path)

    def written(path: Path, *args: Any, **more: Any) -> None:
        order.append(path.parent.parent.name)
        write_atomic(path, *args, **more)

    store.add(ONE)
    monkeypatch.setattr(directory, "_touch", touched)
    monkeypatch.setattr(directory, "write_atomic", written)
    store.add(about("two", "three"))
    assert order == ["subjects", "subjects", "attestations"]


# --- several processes -----------------------------------------------------------------------------------------------


def add_all(path: Path, attestations: list[bytes]) -> None:
    store = DirectoryStore(path)
    for data in attestations:
        store.add(Attestation.parse(data))


def test_processes_share_it(store: DirectoryStore) -> None:
    attestations = [about(f"thing-{n}", "every").bytes for n in range(12)]
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(add_all, [store.path] * 3, [attestations[:8], attestations[4:], attestations[::2]]))
    assert data_of(store.list()) == sorted(attestations)
    assert data_of(store.find([digest("every")])) == sorted(attestations)
    assert not list(store.path.rglob(".*")), "nothing is left behind"


# --- what others did to it -------------------------------------------------------------------------------------------


def place(store: DirectoryStore, attestation: Attestation) -> Path:
    name = sha256(attestation.bytes)
    return store.path / "attestations" / name[:2] / f"{name}.json"


def test_what_was_put_there_by_other_means_is_listed_and_found_after_reindex(store: DirectoryStore) -> None:
    store.add(ONE)
    by_hand = place(store, TWO)
    by_hand.parent.mkdir(exist_ok=True)
    by_hand.write_bytes(TWO.bytes)
    assert data_of(store.list()) == sorted([ONE.bytes, TWO.bytes])
    assert data_of(store.find([digest("two")])) == []
    assert store.reindex() == 2
    assert data_of(store.find([digest("two")])) == [TWO.bytes]


@pytest.mark.parametrize("lost", ["subjects", "subjects/complete"])
def test_without_its_entries_everything_is_read(store: DirectoryStore, lost: str) -> None:
    store.add(ONE)
    store.add(TWO)
    path = store.path / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert data_of(store.find([digest("one")])) == [ONE.bytes]
    store.add(about("three"))
    assert data_of(store.find([digest("one")])) == [ONE.bytes], "one that is entered hides none that is not"
    assert store.reindex() == 3
    assert (store.path / "subjects/complete").exists()
    assert data_of(store.find([digest("one")])) == [ONE.bytes]


def test_entries_that_lead_nowhere_or_astray_change_nothing(store: DirectoryStore) -> None:
    store.add(ONE)
    store.add(TWO)
    key = sha256(str(digest("one")).encode())
    shard = store.path / "subjects" / key[:2]
    (shard / f"{key}-{'0' * 64}").touch()
    (shard / f"{key}-../../../{MARKER}".replace("/", "_")).touch()
    (shard / "noise").touch()
    assert data_of(store.find([digest("one")])) == [ONE.bytes]
    # An entry is a hint: what it leads to may be about something else, and will be held against the digests.
    (shard / f"{key}-{sha256(TWO.bytes)}").touch()
    assert data_of(store.find([digest("one")])) == sorted([ONE.bytes, TWO.bytes])


def test_a_damaged_file_is_mended_by_adding_again(store: DirectoryStore) -> None:
    store.add(ONE)
    place(store, ONE).write_bytes(ONE.bytes[:-20])
    assert data_of(store.list()) == [ONE.bytes[:-20]]
    store.add(ONE)
    assert data_of(store.list()) == [ONE.bytes]


def test_names_that_are_not_its_own_are_passed_over(store: DirectoryStore) -> None:
    store.add(ONE)
    shard = place(store, ONE).parent
    for name in (".glasswing-0123.tmp", "x.json", "A" * 64 + ".json", "0" * 64, "0" * 64 + ".json.bak"):
        (shard / name).write_bytes(TWO.bytes)
    (store.path / "attestations" / "zz").mkdir()
    (store.path / "attestations" / "README").write_bytes(b"x")
    assert data_of(store.list()) == [ONE.bytes]
    assert store.reindex() == 1


def test_pitfall_37_links_lead_nowhere(store: DirectoryStore, tmp_path: Path) -> None:
    store.add(ONE)
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    name = "ab" + "0" * 62
    shard = store.path / "attestations" / "ab"
    shard.mkdir(exist_ok=True)
    (shard / f"{name}.json").symlink_to(secret)
    with pytest.raises(StoreUnavailable) as refused:
        list(store.list())
    assert (refused.value.code, refused.value.where) == ("unavailable.store", str(shard / f"{name}.json"))
    (shard / f"{name}.json").unlink()

    # Nor does a directory: neither to read from, nor to write to.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / f"{'cd' + '0' * 62}.json").write_bytes(b"secret")
    for folder, reads in (("attestations/cd", True), (f"subjects/{sha256(str(digest('two')).encode())[:2]}", False)):
        link = store.path / folder
        if link.exists():
            os.rename(link, tmp_path / "aside")  # noqa: PTH104
        link.symlink_to(elsewhere)
        with pytest.raises(StoreUnavailable) as refused:
            list(store.list()) if reads else store.add(TWO)
        assert (refused.value.code, refused.value.where) == ("unavailable.store", str(link))
        assert [path.name for path in elsewhere.iterdir()] == ["cd" + "0" * 62 + ".json"]
        link.unlink()


@pytest.mark.parametrize("spoil", ["marker", "attestations", "file", "fifo"])
def test_what_cannot_be_read_is_unavailable_and_never_nothing(store: DirectoryStore, spoil: str) -> None:
    store.add(ONE)
    if spoil == "marker":
        (store.path / MARKER).unlink()
    elif spoil == "attestations":
        shutil.rmtree(store.path / "attestations")
    else:
        place(store, ONE).unlink()
        place(store, ONE).mkdir() if spoil == "file" else os.mkfifo(place(store, ONE))
    with pytest.raises(StoreUnavailable) as refused:
        list(store.list())
    assert refused.value.code == "unavailable.store"
    assert refused.value.where.startswith(str(store.path))


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "file/below"])
def test_a_path_that_nobody_can_open(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = DirectoryStore(tmp_path / path)
    for call in (lambda: store.add(ONE), lambda: list(store.list()), lambda: list(store.find([])), store.reindex):
        with pytest.raises(StoreUnavailable) as refused:
            call()
        assert refused.value.code == "unavailable.store"


def test_a_file_of_it_is_bounded(store: DirectoryStore) -> None:
    store.add(pretty(ONE))
    with pytest.raises(LimitError) as refused:
        list(DirectoryStore(store.path, limits=Limits(evidence_bytes=100)).list())
    assert refused.value.where == str(place(store, pretty(ONE)))
    assert "(evidence_bytes)" in str(refused.value.wanted)


def test_a_store_that_lost_its_marker_and_entries_hides_nothing(store: DirectoryStore) -> None:
    store.add(ONE)
    (store.path / MARKER).unlink()
    shutil.rmtree(store.path / "subjects")
    store.add(TWO)  # makes it a store again, and does not say that everything was entered
    assert data_of(store.find([digest("one")])) == [ONE.bytes]
