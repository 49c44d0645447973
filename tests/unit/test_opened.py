"""Are the bytes that are loaded the bytes that were measured?"""

import hashlib
import io
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest import File, Manifest, Model
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.opened import Part, VerifiedFile, open_verified
from glasswing_attest.errors import ArtifactIrregular, ArtifactUnreadable, Mismatch, UsageError, VerificationError

CONTENT = bytes(range(256)) * 5000  # more than one chunk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "m"
    (path / "sub").mkdir(parents=True)
    (path / "weights.bin").write_bytes(CONTENT)
    (path / "sub" / "empty").write_bytes(b"")
    return path


def opened(folder: Path, name: str = "weights.bin") -> VerifiedFile:
    return open_verified(Model(folder).measure(), name)


def swap(folder: Path, content: bytes) -> None:
    """Put another file under the name, as an attacker would who must not disturb those who read."""
    other = folder.parent / "other"
    other.write_bytes(content)
    other.replace(folder / "weights.bin")


def _by_readinto(file: VerifiedFile) -> bytes:
    found, buffer = bytearray(), bytearray(10_000)
    while size := file.readinto(buffer):
        found += buffer[:size]
    return bytes(found)


def _copied(file: VerifiedFile) -> bytes:
    target = io.BytesIO()
    shutil.copyfileobj(file, target)
    return target.getvalue()


READERS: dict[str, Callable[[VerifiedFile], bytes]] = {
    "read": lambda f: f.read(),
    "read none": lambda f: f.read(None),
    "small reads": lambda f: b"".join(iter(lambda: f.read(65_537), b"")),
    "read1": lambda f: b"".join(iter(f.read1, b"")),
    "readinto": _by_readinto,
    "buffered": lambda f: io.BufferedReader(f).read(),
    "copyfileobj": _copied,
    "lines": lambda f: b"".join(f.readlines()),
}


@pytest.mark.parametrize("way", [way for way in READERS if way not in ("buffered", "lines")])
def test_every_way_of_reading_gives_the_bytes(folder: Path, way: str) -> None:
    with opened(folder) as file:
        assert READERS[way](file) == CONTENT


@pytest.mark.parametrize("way", [way for way in READERS if way != "lines"])
@pytest.mark.parametrize(
    "content",
    [CONTENT[:-1] + b"x", CONTENT[:-1], CONTENT + b"x", b"", b"x" + CONTENT[1:], CONTENT * 2],
    ids=["last byte", "shorter", "longer", "empty", "first byte", "twice"],
)
def test_other_bytes_are_refused_in_every_way(folder: Path, way: str, content: bytes) -> None:
    manifest = Model(folder).measure()
    swap(folder, content)
    with pytest.raises(Mismatch) as caught, open_verified(manifest, "weights.bin") as file:
        READERS[way](file)
    assert isinstance(caught.value, VerificationError)
    assert (caught.value.code, caught.value.where) == ("verification.mismatch", str(folder / "weights.bin"))


def test_more_than_was_measured_is_refused_at_once(folder: Path) -> None:
    manifest = Model(folder).measure()
    swap(folder, CONTENT + b"x" * 10_000_000)
    pieces: list[bytes] = []
    with pytest.raises(Mismatch), open_verified(manifest, "weights.bin") as file:
        pieces.extend(iter(lambda: file.read(100_000), b""))
    assert sum(map(len, pieces)) <= len(CONTENT)


def test_a_part_is_read_and_the_rest_is_checked_on_closing(folder: Path) -> None:
    with opened(folder) as file:
        assert file.read(10) == CONTENT[:10]
    manifest = Model(folder).measure()
    swap(folder, CONTENT[:-1] + b"x")
    file = open_verified(manifest, "weights.bin")
    assert file.read(10) == CONTENT[:10]
    with pytest.raises(Mismatch):
        file.close()
    assert file.closed
    file.close()


def test_nothing_read_is_checked_too(folder: Path) -> None:
    manifest = Model(folder).measure()
    swap(folder, b"other")
    with pytest.raises(Mismatch), open_verified(manifest, "weights.bin"):
        pass


def test_a_caller_s_exception_passes_unchanged(folder: Path) -> None:
    manifest = Model(folder).measure()
    swap(folder, b"other")
    with pytest.raises(ZeroDivisionError), open_verified(manifest, "weights.bin") as file:
        raise ZeroDivisionError
    assert file.closed


def test_who_goes_on_after_a_mismatch_is_told_again(folder: Path) -> None:
    manifest = Model(folder).measure()
    swap(folder, CONTENT[:-1] + b"x")
    file = open_verified(manifest, "weights.bin")
    for _ in range(3):
        with pytest.raises(Mismatch):
            file.read()
    file.close()


def test_a_file_that_grows_after_its_end_is_noticed(folder: Path) -> None:
    with opened(folder) as file:
        assert file.read() == CONTENT
        with (folder / "weights.bin").open("ab") as more:
            more.write(b"more")
        with pytest.raises(Mismatch):
            file.read()


def test_an_empty_file_is_empty(folder: Path) -> None:
    with opened(folder, "sub/empty") as file:
        assert file.read() == b""
    manifest = Model(folder).measure()
    (folder / "sub" / "empty").write_bytes(b"x")
    with pytest.raises(Mismatch), open_verified(manifest, "sub/empty") as file:
        file.read()


def test_it_is_read_once_from_start_to_end(folder: Path) -> None:
    with opened(folder) as file:
        assert file.readable()
        assert not file.seekable()
        assert not file.writable()
        for call in (file.tell, file.fileno, file.truncate, file.detach):
            with pytest.raises(io.UnsupportedOperation):
                call()
        with pytest.raises(io.UnsupportedOperation):
            file.seek(0)
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"x")
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_what_is_put_in_its_place_is_not_waited_for(folder: Path) -> None:
    manifest = Model(folder).measure()
    (folder / "weights.bin").unlink()
    with pytest.raises(ArtifactUnreadable) as absent:
        open_verified(manifest, "weights.bin")
    assert absent.value.code == "artifact.unreadable"
    os.mkfifo(folder / "weights.bin")
    with pytest.raises(ArtifactIrregular) as caught:
        open_verified(manifest, "weights.bin")
    assert caught.value.code == "artifact.irregular"


def test_a_link_leads_nowhere_but_to_the_same_bytes(folder: Path) -> None:
    manifest = Model(folder).measure()
    (folder / "weights.bin").rename(folder.parent / "moved")
    (folder / "weights.bin").symlink_to(folder.parent / "moved")
    with open_verified(manifest, "weights.bin") as file:
        assert file.read() == CONTENT
    (folder.parent / "moved").write_bytes(b"other")
    with pytest.raises(Mismatch), open_verified(manifest, "weights.bin") as file:
        file.read()


@pytest.mark.parametrize("name", ["absent", "", "sub", "./weights.bin", "sub/../weights.bin", "\ud800"])
def test_a_name_that_was_not_measured(folder: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(folder, name)
    assert caught.value.code == "usage"


def test_what_has_no_place_is_not_opened(folder: Path) -> None:
    manifest = Model(folder).measure()
    for placeless in (
        Blob(b"x").measure(),
        Manifest.declared("model", manifest.digests),
        Manifest.from_proto(manifest.to_proto()),
        Manifest.declared("code", DigestSet.of(gitCommit="a" * 40)),
    ):
        with pytest.raises(UsageError):
            open_verified(placeless, "weights.bin")


def test_a_single_file_is_its_own_name(folder: Path) -> None:
    manifest = File(folder / "weights.bin", name="renamed").measure()
    with open_verified(manifest) as file:
        assert file.read() == CONTENT


def test_a_forgotten_file_is_closed_quietly(folder: Path) -> None:
    manifest = Model(folder).measure()
    swap(folder, b"other")
    file = open_verified(manifest, "weights.bin")
    del file


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 3_000), max_size=6), content=st.binary(max_size=4_000), place=st.integers(0, 3_999)
)
def test_no_pattern_of_reads_gives_other_bytes_in_the_end(
    tmp_path: Path, sizes: list[int], content: bytes, place: int
) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    manifest = File(path).measure()
    if place < len(content):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(Mismatch), open_verified(manifest) as file:
            _ = [file.read(size) for size in sizes]
    else:
        with open_verified(manifest) as file:
            got = b"".join([file.read(size) for size in sizes])
        assert content.startswith(got)


# --- a file whose parts are known ------------------------------------------------------------------------------------


def _in_parts(path: Path, content: bytes, size: int) -> VerifiedFile:
    parts = [
        Part(min(start + size, len(content)), hashlib.new(name, content[start : start + size]).hexdigest(), name)
        for start, name in zip(range(0, len(content), size), itertools.cycle(("sha256", "blake2b")), strict=False)
    ]
    return VerifiedFile(os.open(path, os.O_RDONLY), parts, str(path))


@given(st.binary(min_size=1, max_size=40), st.integers(1, 12), st.integers(1, 15), st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_part_is_given_completely_unless_it_is_the_right_one(
    tmp_path: Path, content: bytes, size: int, step: int, data: st.DataObject
) -> None:
    path = tmp_path / "w"
    path.write_bytes(content)
    with _in_parts(path, content, size) as file:
        assert b"".join(iter(lambda: file.read(step), b"")) == content
    other = data.draw(st.binary(max_size=45).filter(lambda drawn: drawn != content))
    path.write_bytes(other)
    # Up to the first part that differs, or ends elsewhere, all is right; nothing of what comes behind it is given.
    right = next(
        start
        for start in range(0, max(len(content), len(other)) + size, size)
        if content[start : start + size] != other[start : start + size]
        or (start + size >= len(content) and len(other) > len(content))
    )
    got: list[bytes] = []
    file = _in_parts(path, content, size)
    with pytest.raises(Mismatch) as caught:
        got.extend(iter(lambda: file.read(step), b""))
    assert caught.value.where == str(path)
    assert len(b"".join(got)) < min(right + size, len(content))
    for count in (None, 1):
        with pytest.raises(Mismatch):
            file.read(count)
    file.close()
