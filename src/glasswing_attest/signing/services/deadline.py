"""How long may one question take, however slowly it is answered?

urllib3 bounds for how long a socket may stand still, and nothing bounds how often it moves: a head that comes byte by
byte may take hours. Connections that are made here have one moment until which everything is sent and received: each
reading and each writing waits no longer than what is left.

Before there is a connection, a name is looked up and its addresses are tried one after the other: each of these has the
whole time to connect.
"""

from __future__ import annotations

import http.client
import io
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

__all__ = ["keep_deadlines", "until"]

_PIECE = 1 << 16
_END: ContextVar[float] = ContextVar("_END", default=math.inf)


@contextmanager
def until(end: float) -> Generator[None]:
    """Until then, by `time.monotonic`, everything of this thread must be sent and received: later is a timeout."""
    before = _END.set(end)
    try:
        yield
    finally:
        _END.reset(before)


def keep_deadlines(pools: PoolManager) -> PoolManager:
    """Have a manager make connections that keep to the end which `until` says."""
    kinds: dict[str, Any] = {"http": Connections, "https": SecureConnections}
    pools.pool_classes_by_scheme = kinds
    return pools


def _wait_at_most(sock: Any, seconds: float | None) -> None:
    """Let a socket stand still for so long, and never beyond the end. Raises `TimeoutError` where that has come."""
    left = _END.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    waits = min(left, math.inf if seconds is None else seconds)
    sock.settimeout(None if waits == math.inf else waits)


class _Incoming(io.RawIOBase):
    """What comes from a socket."""

    def __init__(self, sock: Any, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._silence: float | None = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any) -> int | None:
        _wait_at_most(self._sock, self._silence)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Incoming(sock, self.fp.detach()))

    def begin(self) -> None:
        super().begin()
        # urllib3 would log what it cannot read of a head, which may be what was sent, and go on.
        if self.msg.defects or self.msg.get_payload():
            raise http.client.HTTPException("its head cannot be read")


class _Connection(HTTPConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        for piece in _pieces(self, data):
            super().send(piece)


class _SecureConnection(HTTPSConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        for piece in _pieces(self, data):
            super().send(piece)


def _pieces(connection: HTTPConnection, data: Any) -> Iterator[Any]:
    """Give what is to be sent in pieces; each has the time that is left by then."""
    for at in range(0, len(data), _PIECE):
        if connection.sock is not None:  # otherwise it connects first, and has its own time for that
            _wait_at_most(connection.sock, connection.timeout)
        yield data[at : at + _PIECE]


class Connections(HTTPConnectionPool):
    ConnectionCls: Any = _Connection


class SecureConnections(HTTPSConnectionPool):
    ConnectionCls: Any = _SecureConnection
