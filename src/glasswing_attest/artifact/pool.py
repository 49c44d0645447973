"""Where are the bytes of many files hashed, side by side?

In batches, by threads of our own (`hashlib` lets other threads run while it works), or by any executor whose workers
see the same paths: another process, a cluster. Threads share our open directories and our meter; the others open the
path themselves. The result does not depend on it, and neither does which error is told.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from functools import cache
from typing import NamedTuple, TypeAlias

from glasswing_attest.artifact.hashing import Meter, Stamp, digests_of, hasher, open_file, span_of
from glasswing_attest.artifact.spread import result_of
from glasswing_attest.artifact.walk import Looker, Parts, Root, display, enter
from glasswing_attest.errors import ArtifactUnstable, UnavailableError

__all__ = ["Pool", "Task", "hash_batch"]

# One task reads up to so many files or bytes, and so many tasks wait at most: ten million files are not ten million
# tasks at once.
_BATCH_FILES = 64
_BATCH_BYTES = 16 << 20
_WAITING = 128

Values: TypeAlias = tuple[bytes, ...]


class Task(NamedTuple):
    """A file or a span of it: number, name and stamp, and where its bytes lie (below the tree or `links_within`).

    A span says from where it reaches, to where, and by which algorithm it is hashed.
    """

    number: int
    name: bytes
    parts: Parts
    is_linked: bool
    stamp: bytes
    size: int
    span: tuple[int, int, str] | None = None


def hash_batch(
    base: Root,
    links: Root | None,
    where: bytes,
    batch: tuple[Task, ...],
    also: tuple[str, ...],
    meter: Meter | None,
    _token: str = "",
) -> list[Values]:
    """Hash some files. Stands at the top of the module, with plain arguments, so that any executor can run it.

    A cluster's executor may give again what a function gave for equal arguments, without running it: the token makes
    no two calls equal, so that what is read is read now.
    """
    found: list[Values] = []
    values: Values
    here: tuple[bool, Parts] | None = None
    directory = -1
    try:
        for task in batch:
            shown = display(where, (task.name,))
            # Files that follow each other mostly lie in one directory: it is opened once.
            if here != (task.is_linked, task.parts[:-1]):
                if directory >= 0:
                    here, closing_fd, directory = None, directory, -1
                    os.close(closing_fd)
                root = links if task.is_linked and links is not None else base
                directory = enter(root, task.parts[:-1], shown)
                here = (task.is_linked, task.parts[:-1])
            fd = open_file(task.parts[-1], dir_fd=directory, where=shown)
            try:
                name = task.name.decode("utf-8")
                if task.span is None:
                    values, stamp = digests_of(fd, also, where=shown, name=name, meter=meter)
                else:
                    value, stamp = span_of(fd, *task.span, where=shown, name=name, meter=meter)
                    values = (value,)
            finally:
                os.close(fd)
            if not stamp.same_file_as(Stamp.unpack(task.stamp)):
                raise ArtifactUnstable(where=shown, because="it is not the file that was listed")
            found.append(values)
    finally:
        if directory >= 0:
            os.close(directory)
    return found


class Pool:
    """Hashes tasks elsewhere, in batches: in threads of our own that are made when there is one, or in an executor."""

    def __init__(
        self,
        looker: Looker,
        done: Callable[[int, Values], None],
        meter: Meter,
        executor: Executor | None,
        also: tuple[str, ...] = (),
    ) -> None:
        self._looker = looker
        self._done = done
        self._meter = meter
        self._executor = executor
        self._also = also
        self._own: ThreadPoolExecutor | None = None
        self._batch: list[Task] = []
        self._bytes = 0
        self._waiting: deque[tuple[tuple[Task, ...], Future[list[Values]]]] = deque()

    @property
    def _threads(self) -> bool:
        return self._executor is None or isinstance(self._executor, ThreadPoolExecutor)

    def add(self, task: Task) -> None:
        """Take a file. What was found of it is told later, by its number."""
        self._batch.append(task)
        self._bytes += task.size
        if len(self._batch) >= _BATCH_FILES or self._bytes >= _BATCH_BYTES:
            self._submit()

    def _submit(self) -> None:
        batch, self._batch, self._bytes = tuple(self._batch), [], 0
        if len(self._waiting) >= _WAITING:
            self._collect()
        if self._executor is None:
            self._executor = self._own = ThreadPoolExecutor()
        # Threads share our open directories and our meter. Another process, or another machine, opens the path itself.
        looker, links = self._looker, None
        base: Root = looker.base_fd if self._threads else b"/" + b"/".join(looker.real_base)
        if looker.links is not None:
            links = looker.links_fd if self._threads else os.path.realpath(looker.links)
        meter = self._meter if self._threads else None
        try:
            future = self._executor.submit(
                hash_batch, base, links, looker.base, batch, self._also, meter, secrets.token_hex(16)
            )
        except Exception as e:
            # It is shut down, or broken; a cluster's says so in words of its own.
            raise UnavailableError(where="executor", because=str(e) or type(e).__name__) from e
        self._waiting.append((batch, future))

    def _collect(self) -> None:
        # In the order of names: the outcome, and which error is told, do not depend on timing. It goes on waiting until
        # it is here: who is interrupted must find it among those that still run.
        batch, future = self._waiting[0]
        values = result_of(future, lambda found: self._are_digests(found, batch), is_elsewhere=not self._threads)
        self._waiting.popleft()
        self._tell(batch, values)
        if not self._threads:
            for task in batch:
                self._meter.advance(task.name.decode("utf-8"), task.size)

    def _are_digests(self, found: object, batch: tuple[Task, ...]) -> bool:
        if not isinstance(found, list) or len(found) != len(batch):
            return False
        for task, values in zip(batch, found, strict=True):
            algorithms = ("sha256", *self._also) if task.span is None else (task.span[2],)
            if not isinstance(values, tuple) or len(values) != len(algorithms):
                return False
            for algorithm, value in zip(algorithms, values, strict=True):
                if not isinstance(value, bytes) or len(value) != _size_of(algorithm):
                    return False
        return True

    def _tell(self, batch: tuple[Task, ...], values: list[Values]) -> None:
        for task, each in zip(batch, values, strict=True):
            self._done(task.number, each)

    def finish(self) -> None:
        """Wait for everything that was added."""
        if self._executor is None and len(self._batch) == 1:
            # One file alone needs no thread.
            looker, batch, self._batch = self._looker, tuple(self._batch), []
            self._tell(batch, hash_batch(looker.base_fd, looker.links_fd, looker.base, batch, self._also, self._meter))
        if self._batch:
            self._submit()
        while self._waiting:
            self._collect()

    def close(self) -> None:
        """Let nothing run on: what waits is cancelled, what runs stops at its next buffer, and is waited for."""
        self._meter.stop()
        for _, future in self._waiting:
            future.cancel()
        # Running threads use our descriptors, which are closed next. Other processes opened their own.
        if self._threads:
            for _, future in self._waiting:
                with contextlib.suppress(CancelledError):
                    future.exception()
        if self._own is not None:
            self._own.shutdown()


@cache
def _size_of(algorithm: str) -> int:
    return 32 if algorithm == "sha256" else hasher(algorithm).digest_size
