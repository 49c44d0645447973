"""How do servers start together, and end together whatever happens?

Each is a child in a process group of its own and with a log file of its own. On Linux the kernel ends it when its
parent dies, however that dies; in any case the context manager does.
"""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

__all__ = ["Processes", "StackFailed", "ports"]

_ROOT = Path(__file__).resolve().parents[2]

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class StackFailed(Exception):
    """A server did not start; the text has the end of its log."""


def ports(count: int) -> list[int]:
    """Free ports on the loopback, below those that outgoing connections take.

    All are held until the last one is found, so that none is given twice.
    """
    with contextlib.ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            port = random.randrange(20000, 32000)
            try:
                listener = socket.socket()
                held.enter_context(listener)
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
        return found


class Processes:
    """The servers that were started here. `with` ends them all.

    The thread that starts them must live as long as they: Linux watches that thread.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._gentle: dict[str, signal.Signals] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *exception: object) -> None:
        for name, process in self._running.items():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, self._gentle[name])
        deadline = time.monotonic() + 0.5
        for process in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0))
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        folder: Path,
        user: str | None = None,
        gentle: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Start a server, as another user if there is need. On the signal `gentle` it ends at once, in order."""
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "LC_ALL": "C", "PYTHONPATH": path}
        self._gentle[name] = gentle
        with (self._logs / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                list(map(str, command)),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                preexec_fn=_end_with_parent,  # noqa: PLW1509  the one thread there is calls it
            )

    def wait(self, name: str, ready: Callable[[], bool], *, seconds: float = 180) -> None:
        """Wait until a server is ready. Raises `StackFailed` when it ends, or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            code = self._running[name].poll()
            if code is not None or time.monotonic() > deadline:
                ended = f"ended with {code}" if code is not None else f"was not ready after {seconds:.0f} s"
                raise StackFailed(f"{name} {ended}; its log ends:\n{self._tail(name)}")
            time.sleep(0.05)

    def check(self) -> None:
        """Check that all run: somebody else's server may have answered in the place of one. Raises `StackFailed`."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise StackFailed(f"{name} ended with {process.returncode}; its log ends:\n{self._tail(name)}")

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each."""
        return {name: process.pid for name, process in self._running.items()}

    def _tail(self, name: str) -> str:
        lines = (self._logs / f"{name}.log").read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-40:])


def answers(url: str) -> Callable[[], bool]:
    """Whether a GET of this URL is answered with 200."""

    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return ready


def listens(port: int) -> Callable[[], bool]:
    """Whether a connection to this port is accepted."""

    def ready() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return True
        except OSError:
            return False

    return ready


@contextlib.contextmanager
def ended_by_signals() -> Generator[None]:
    """Turn SIGTERM and SIGHUP into an orderly exit, so that what is open is closed."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
