"""A service that is there, and a network between it and its client that is not to be relied on.

A `Proxy` stands in front of a real service. `trouble` says for each request what goes wrong with it: a `Fault`, or None
for nothing. It works on the bytes of the connection, so that it can say what no server would.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import urllib3

__all__ = ["FAULTS", "Fault", "Proxy", "Raw", "redirect", "status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What the service answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def head(self, *changed: tuple[str, str]) -> bytes:
        """Write its head; what is `changed` stands there instead."""
        names = {name.lower() for name, _ in changed}
        kept = [(name, value) for name, value in self.headers if name.lower() not in names]
        lines = [f"HTTP/1.1 {self.status} So", *(f"{name}: {value}" for name, value in (*kept, *changed)), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    @property
    def whole(self) -> bytes:
        """Everything, as it came."""
        return self.head() + self.body


Says = Callable[[Raw], Iterator[bytes | float]]
"""What the client gets, in pieces; a number is for how many seconds nothing comes. Then the connection ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with a request.

    Attributes:
        says: what the client gets.
        reaches: whether the service got the request all the same.
        lasting: whether asking again would be of no use, so that nobody does.
    """

    says: Says
    reaches: bool = True
    lasting: bool = False


class Proxy:
    """Passes requests on to a service, and its answers back.

    Attributes:
        asked: how many requests came.
        reached: how many of them reached the service.
        trouble: what goes wrong: called with the request's number, from 1, and its path.
    """

    def __init__(self, service: str) -> None:
        """Stand before a service."""
        self.asked = 0
        self.reached = 0
        self.trouble: Callable[[int, str], Fault | None] = lambda _number, _path: None
        self._service = service.rstrip("/")
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._pool = urllib3.PoolManager(maxsize=64)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        self._pool.clear()

    @property
    def url(self) -> str:
        """Where the service seems to be."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            client.settimeout(60)
            with contextlib.suppress(OSError):  # the client has gone
                self._answer(client)

    def _answer(self, client: socket.socket) -> None:
        with client.makefile("rb") as stream:
            method, path, _ = stream.readline().decode("latin-1").split(" ", 2)
            headers = {}
            while line := stream.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get("content-length", 0)))
        with self._lock:
            self.asked += 1
            fault = self.trouble(self.asked, path)
        if fault is None:
            client.sendall(self._pass_on(method, path, headers, body).whole)
            return
        real = Raw(status=200, headers=(), body=b"")
        if fault.reaches:
            real = self._pass_on(method, path, headers, body)
        for each in fault.says(real):
            if isinstance(each, bytes):
                client.sendall(each)
            elif self._ends.wait(each):
                return

    def _pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Raw:
        with self._lock:
            self.reached += 1
        kept = {name: value for name, value in headers.items() if name not in ("host", "connection", "content-length")}
        told = self._pool.request(
            method, f"{self._service}{path}", body=body or None, headers=kept, retries=False, decode_content=False
        )
        dropped = ("connection", "transfer-encoding", "content-length")
        back = [(name, value) for name, value in told.headers.items() if name.lower() not in dropped]
        return Raw(
            status=told.status,
            headers=(*back, ("Content-Length", str(len(told.data))), ("Connection", "close")),
            body=told.data,
        )


def status(number: int, text: str = "", *, reaches: bool = False, headers: str = "", lasting: bool = False) -> Fault:
    """Another status, with a message."""
    body = f'{{"code": 1, "message": "{text}"}}'
    answer = f"HTTP/1.1 {number} So\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()
    return Fault(says=lambda _: iter([answer]), reaches=reaches, lasting=lasting)


def redirect(number: int, to: str) -> Fault:
    """Point to another host."""
    return status(number, headers=f"Location: {to}\r\n", lasting=True)


def _changed(name: str, value: str) -> Says:
    return lambda real: iter([real.head((name, value)), real.body])


def _dripping(data: bytes) -> Iterator[bytes | float]:
    for at in range(len(data)):
        yield data[at : at + 1]
        yield 0.05


def _endless(begin: bytes, piece: bytes) -> Iterator[bytes]:
    return itertools.chain([begin], itertools.repeat(piece))


def _chunked(real: Raw) -> bytes:
    kept = [(name, value) for name, value in real.headers if name.lower() != "content-length"]
    return Raw(status=200, headers=(*kept, ("Transfer-Encoding", "chunked")), body=b"").head()


def _page(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _packed(real: Raw, body: bytes) -> Iterator[bytes]:
    return iter([real.head(("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))), body])


_BOMB = gzip.compress(bytes(64 << 20))

FAULTS: dict[str, Fault] = {
    # --- no answer
    "dropped before it arrives": Fault(says=lambda _: iter([]), reaches=False),
    "dropped after it arrived": Fault(says=lambda _: iter([])),
    "silent": Fault(says=lambda _: iter([30.0]), reaches=False),
    "silent after it arrived": Fault(says=lambda _: iter([30.0])),
    # --- no
    "500": status(500, "out of order"),
    "502": status(502, "bad gateway"),
    "503 after it arrived": status(503, "overloaded", reaches=True),
    "429": status(429, "not so fast"),
    "418": status(418, "I am a teapot", lasting=True),
    "501": status(501, "not here", lasting=True),
    # --- something else
    "garbage": Fault(says=lambda _: iter([b"\x00\xff\x16\x03\x01" * 20])),
    "a page": Fault(says=lambda real: iter([_page(b"<html>please log in</html>")])),
    "nothing": Fault(says=lambda _: iter([_page(b"")])),
    "half a head": Fault(says=lambda real: iter([real.head()[:25]])),
    "half a body": Fault(says=lambda real: iter([real.head(), real.body[: len(real.body) // 2]])),
    "a length that is too short": Fault(says=lambda real: _changed("Content-Length", str(len(real.body) // 2))(real)),
    "a length that is too long": Fault(says=lambda real: _changed("Content-Length", str(len(real.body) * 2))(real)),
    "a length that is none": Fault(says=_changed("Content-Length", "-1, 12")),
    "a chunk that is none": Fault(says=lambda real: iter([_chunked(real), b"-5\r\nxxxxx\r\nzz\r\n"])),
    "packed": Fault(says=lambda real: _packed(real, gzip.compress(real.body))),
    # --- slow
    "a head that drips": Fault(says=lambda real: _dripping(real.head())),
    "a body that drips": Fault(says=lambda real: itertools.chain([real.head()], _dripping(real.body))),
    # --- much
    "a bomb": Fault(says=lambda real: _packed(real, _BOMB)),
    "a body without end": Fault(
        says=lambda real: _endless(real.head(("Content-Length", str(1 << 40))), b"[" * 65536), lasting=True
    ),
    "chunks without end": Fault(
        says=lambda real: _endless(_chunked(real), b"1000\r\n" + b"[" * 4096 + b"\r\n"), lasting=True
    ),
    "a head without end": Fault(says=lambda _: _endless(b"HTTP/1.1 200 OK\r\n", b"X-Y: " + b"z" * 1000 + b"\r\n")),
    "a line without end": Fault(says=lambda _: _endless(b"HTTP/1.1 200 OK\r\nX: ", b"z" * 65536)),
    "a wait without end": Fault(says=lambda _: _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    "a trailer without end": Fault(
        says=lambda real: _endless(_chunked(real) + b"2\r\n{}\r\n0\r\n", b"X-Y: z\r\n" * 500)
    ),
}
"""What may go wrong with any service, by what it is called."""
