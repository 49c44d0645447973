"""How do files of ours get written whole, and files of others read with a bound?

`write_atomic` shows either the old file or the whole new one, never a part, whatever happens in between. `append_line`
adds one line to a file that several processes add to, and `locked` keeps them apart where more than a line changes.
`read_bounded` reads a regular file up to a limit, and never waits on a pipe that someone put in its place.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import BinaryIO

from glasswing_attest.errors import ArtifactUnreadable, GlasswingError, UnavailableError, UsageError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["StrPath", "append_line", "locked", "open_bounded", "read_bounded", "write_atomic"]

StrPath = str | os.PathLike[str]

_CHUNK = 1 << 20
# Filesystems without hard links say so in different words.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


def write_atomic(
    path: StrPath,
    data: bytes | Iterable[bytes],
    *,
    mode: int = 0o644,
    overwrite: bool = True,
    error: type[GlasswingError] = UnavailableError,
) -> None:
    """Write a file so that its name shows the old content or all of the new one, also after a crash.

    The bytes go to a new file in the same directory, which has its final mode from the start (a private key is never
    readable by others, not even for a moment), and are on disk before the name changes. A symlink at `path` is
    replaced, not followed.

    Args:
        path: the file to write.
        data: the bytes, whole or in pieces. If producing a piece raises, nothing is written.
        mode: permission bits, further narrowed by the process's umask.
        overwrite: False refuses a file that is there already.
        error: what to raise for the system's refusals.

    Raises:
        UsageError: the path names no file, or `overwrite` is False and something is there.
    """
    path = Path(path)
    try:
        name, whole = os.fsencode(path.name), os.fsencode(path)
    except UnicodeEncodeError as e:
        raise UsageError(where=str(path), because="the path names no file") from e
    if name in (b"", b"..") or b"\0" in whole:
        raise UsageError(where=str(path), because="the path names no file")
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as e:
        raise error(where=str(path), because=e.strerror or str(e)) from e
    try:
        _write_in(directory, name, data, mode=mode, overwrite=overwrite)
    except FileExistsError as e:
        raise UsageError(
            where=str(path), because="something is there already", do="choose another name, or remove it first"
        ) from e
    except OSError as e:
        raise error(where=str(path), because=e.strerror or str(e)) from e
    finally:
        os.close(directory)


def _write_in(directory: int, name: bytes, data: bytes | Iterable[bytes], *, mode: int, overwrite: bool) -> None:
    # The temporary name does not carry the final one: that may have the longest length a name can have.
    temporary = f".glasswing-{secrets.token_hex(12)}.tmp".encode()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, mode, dir_fd=directory)
    try:
        try:
            for piece in (data,) if isinstance(data, bytes) else data:
                view = memoryview(piece)
                while view:
                    view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        if overwrite:
            os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            _place_new(directory, temporary, name)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)
        raise
    # Without this the rename itself may be lost with the power. Some network filesystems cannot, and say EINVAL.
    try:
        os.fsync(directory)
    except OSError as e:
        if e.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise


def _place_new(directory: int, temporary: bytes, name: bytes) -> None:
    # A rename would replace what is there; a hard link never does.
    try:
        os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except OSError as e:
        if e.errno not in _NO_LINKS:
            raise
        # Reserve the name first; whoever else asks for a new file now finds it taken.
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory))
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    else:
        os.unlink(temporary, dir_fd=directory)


def append_line(
    path: StrPath,
    line: bytes,
    limit_name: str,
    limits: Limits = DEFAULT,
    *,
    mode: int = 0o644,
    error: type[GlasswingError] = UnavailableError,
) -> None:
    """Add one line, given without its end, to a file of lines. It is there whole when this returns.

    Whoever else adds lines in this way waits, so that no line is lost or torn. A last line without its end (a crash, or
    another program) gets one first: it stays a line of its own. A symlink is followed, as every append does.

    Raises:
        LimitError: the file would become larger than the limit called `limit_name`.
        GlasswingError: what `error` says, for anything that cannot be written.
    """
    where = os.fspath(path)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    try:
        fd = os.open(where, flags, mode)
    except (OSError, ValueError) as e:
        raise error(where=where, because=getattr(e, "strerror", None) or str(e)) from e
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise error(where=where, because="it is not a regular file")
        _lock(fd)
        size = os.fstat(fd).st_size
        ended = size == 0 or os.pread(fd, 1, size - 1) == b"\n"
        data = (b"" if ended else b"\n") + line + b"\n"
        limits.check(limit_name, size + len(data), where=where)
        try:
            view = memoryview(data)  # one write, unless the disk is full
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, size)
            raise
    except OSError as e:
        raise error(where=where, because=e.strerror or str(e)) from e
    finally:
        os.close(fd)


@contextlib.contextmanager
def locked(directory: StrPath, *, error: type[GlasswingError] = UnavailableError) -> Generator[None]:
    """Keep every other thread and process that asks for the same directory waiting. It leaves no file behind.

    Raises:
        GlasswingError: what `error` says, for a directory that cannot be opened.
    """
    where = os.fspath(directory)
    try:
        fd = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError) as e:
        raise error(where=where, because=getattr(e, "strerror", None) or str(e)) from e
    try:
        _lock(fd)
        yield
    finally:
        os.close(fd)


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError as e:
        # Some cluster filesystems have no locks; there the single write has to do.
        if e.errno not in (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise


def read_bounded(
    path: StrPath,
    limit_name: str,
    limits: Limits = DEFAULT,
    *,
    follow: bool = True,
    within: int | None = None,
    error: type[GlasswingError] = ArtifactUnreadable,
) -> bytes:
    """Read a regular file that is at most as large as the limit called `limit_name`.

    Symlinks are followed: the path comes from the caller, and mounted configuration is often made of links. Where it
    does not, `follow` is False: a link in the last place is refused. Where its directory is open already, as `within`,
    the name is looked up there and nowhere else. Pipes, devices and directories are refused without waiting for them.

    Raises:
        LimitError: the file is larger, as its size says or as reading shows.
        GlasswingError: what `error` says, for anything that cannot be read.
    """
    bound: int = getattr(limits, limit_name)
    where = os.fspath(path)
    with _opened_regular(path, limit_name, limits, follow=follow, within=within, error=error) as fd:
        pieces: list[bytes] = []
        total = 0
        # One byte more than allowed is asked for, so that a file that grows meanwhile is noticed and not cut.
        while piece := os.read(fd, min(_CHUNK, bound + 1 - total)):
            pieces.append(piece)
            total += len(piece)
            limits.check(limit_name, total, where=where)
        return b"".join(pieces)


@contextlib.contextmanager
def open_bounded(
    path: StrPath, limit_name: str, limits: Limits = DEFAULT, *, error: type[GlasswingError] = ArtifactUnreadable
) -> Generator[BinaryIO]:
    """Open a regular file for those who read it a piece at a time; otherwise as `read_bounded`."""
    with (
        _opened_regular(path, limit_name, limits, follow=True, within=None, error=error) as fd,
        open(fd, "rb", closefd=False, buffering=_CHUNK) as stream,
    ):
        yield stream


@contextlib.contextmanager
def _opened_regular(
    path: StrPath, limit_name: str, limits: Limits, *, follow: bool, within: int | None, error: type[GlasswingError]
) -> Generator[int]:
    where = os.fspath(path)
    try:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        name = where if within is None else Path(where).name
        fd = os.open(name, flags if follow else flags | os.O_NOFOLLOW, dir_fd=within)
    except (OSError, ValueError) as e:
        raise error(where=where, because=getattr(e, "strerror", None) or str(e)) from e
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise error(where=where, because="it is not a regular file")
        limits.check(limit_name, status.st_size, where=where)
        yield fd
    except OSError as e:
        raise error(where=where, because=e.strerror or str(e)) from e
    finally:
        os.close(fd)
