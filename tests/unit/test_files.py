"""Are our files written whole, and the files of others read with a bound?"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasswing_attest._files import read_bounded, write_atomic
from glasswing_attest.errors import ArtifactUnreadable, LimitError, StoreUnavailable, UnavailableError, UsageError
from glasswing_attest.limits import Limits


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("data", [b"whole", [b"who", b"", b"le"], iter([b"whole"])], ids=["bytes", "list", "iterator"])
def test_the_file_holds_all_the_pieces_and_nothing_else_is_left(
    tmp_path: Path, data: bytes | list[bytes], umask: None
) -> None:
    write_atomic(tmp_path / "a", data)
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert names_in(tmp_path) == ["a"]
    assert mode_of(tmp_path / "a") == 0o644


def test_a_private_key_is_never_readable_by_others(
    tmp_path: Path, umask: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []

    def pieces() -> Iterator[bytes]:
        modes.extend(mode_of(p) for p in tmp_path.iterdir())
        yield b"secret"

    os.umask(0)
    write_atomic(tmp_path / "key.pem", pieces(), mode=0o600)
    assert modes == [0o600]
    assert mode_of(tmp_path / "key.pem") == 0o600


def test_when_producing_the_bytes_fails_the_old_file_stays(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("no more")

    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="no more"):
        write_atomic(path, pieces())
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_when_the_disk_fails_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError, match="No space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "a").symlink_to("precious")
    write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_new_file_never_replaces_what_is_there(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch, umask: None
) -> None:
    if not links:

        def unsupported(*_: object, **__: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", unsupported)
    path = tmp_path / "key.pem"
    write_atomic(path, b"first", mode=0o600, overwrite=False)
    assert mode_of(path) == 0o600
    with pytest.raises(UsageError, match="already") as raised:
        write_atomic(path, b"second", overwrite=False)
    assert raised.value.code == "usage"
    assert path.read_bytes() == b"first"
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(UsageError):
        write_atomic(tmp_path / "dangling", b"second", overwrite=False)
    assert names_in(tmp_path) == ["dangling", "key.pem"]


def test_a_name_of_the_longest_length_can_be_written(tmp_path: Path) -> None:
    write_atomic(tmp_path / ("n" * 255), b"x")
    assert (tmp_path / ("n" * 255)).read_bytes() == b"x"


@pytest.mark.parametrize("path", ["/", ".", "..", "a\0b", "\ud800", "\ud800/a"])
def test_a_path_that_names_no_file_is_a_mistake_of_the_caller(path: str) -> None:
    with pytest.raises(UsageError) as raised:
        write_atomic(path, b"x")
    assert (raised.value.code, str(raised.value).isprintable()) == ("usage", True)


def test_the_caller_chooses_the_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        write_atomic(tmp_path / "absent" / "a", b"x", error=StoreUnavailable)
    assert isinstance(raised.value.__cause__, FileNotFoundError)
    with pytest.raises(StoreUnavailable) as raised:
        read_bounded(tmp_path / "absent", "policy_bytes", error=StoreUnavailable)
    assert raised.value.where == str(tmp_path / "absent")
    with pytest.raises(ArtifactUnreadable):
        read_bounded(tmp_path / "nul\0", "policy_bytes")


def test_reading_stops_at_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bounded(path, "policy_bytes", Limits(policy_bytes=5)) == b"12345"
    with pytest.raises(LimitError, match="policy_bytes"):
        read_bounded(path, "policy_bytes", Limits(policy_bytes=4))


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    real = os.fstat

    def small(fd: int) -> os.stat_result:
        values = list(real(fd))
        values[stat.ST_SIZE] = 1
        return os.stat_result(values)

    monkeypatch.setattr(os, "fstat", small)
    with pytest.raises(LimitError):
        read_bounded(path, "policy_bytes", Limits(policy_bytes=4))


def test_links_are_followed_but_pipes_and_directories_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    assert read_bounded(tmp_path / "link", "policy_bytes") == b"x"
    for name in ("pipe", "."):
        with pytest.raises(ArtifactUnreadable, match="not a regular file"):
            read_bounded(tmp_path / name, "policy_bytes")
    with pytest.raises(ArtifactUnreadable):
        read_bounded("/dev/zero", "policy_bytes")


def test_a_name_is_looked_up_in_the_directory_that_is_open(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"inside")
    fd = os.open(tmp_path / "a", os.O_RDONLY | os.O_DIRECTORY)
    try:
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "file").write_bytes(b"another directory of that name")
        assert read_bounded(tmp_path / "a" / "file", "policy_bytes", within=fd) == b"inside"
        with pytest.raises(ArtifactUnreadable) as refused:
            read_bounded(tmp_path / "a" / "other", "policy_bytes", within=fd)
        assert refused.value.where == str(tmp_path / "a" / "other")
    finally:
        os.close(fd)
