"""How do several test processes use one stack, which ends when the last of them is gone?

    python -m tests.stack background FOLDER OWNER

returns when the stack is ready, or says why not and returns 1. The servers run on, under a process of their own that
ends them when the process OWNER is gone.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.stack.build import StackAbsent
from tests.stack.processes import StackFailed, ended_by_signals
from tests.stack.run import require, running
from tests.stack.stack import Stack

__all__ = ["main", "start", "stop"]

_ABSENT = 3


def start(folder: Path, *, owner: int) -> Stack:
    """Start a stack that outlives the caller, but not the process `owner`.

    Raises:
        StackAbsent: the servers are not built, or a program that they need is absent.
        StackFailed: one of them does not start.
    """
    require()
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.stack", "background", str(folder), str(owner)]
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path}
    )
    if done.returncode == _ABSENT:
        raise StackAbsent(done.stderr.strip())
    if done.returncode:
        raise StackFailed(done.stderr.strip())
    return Stack.read(folder / "stack")


def stop(folder: Path) -> None:
    """End the stack of this folder, and wait until it is gone."""
    file = folder / "pid"
    os.kill(int(file.read_text(encoding="ascii")), signal.SIGTERM)
    deadline = time.monotonic() + 20
    while file.exists():
        if time.monotonic() > deadline:
            raise StackFailed(f"the stack of {folder} did not end")
        time.sleep(0.02)


def main(folder: Path, owner: int) -> int:
    """What the process does that `start` calls."""
    heard, said = os.pipe()
    if os.fork():
        # The one who was called: wait until the other has said something, or is gone.
        os.close(said)
        with os.fdopen(heard) as pipe:
            text = pipe.read()
        sys.stderr.write(text.partition("\n")[2])
        return int(text.partition("\n")[0] or 1)
    os.close(heard)
    os.setsid()
    _turn_to_log(folder / "background.log")
    with os.fdopen(said, "w") as pipe:
        try:
            with ended_by_signals(), running(folder / "stack"):
                (folder / "pid").write_text(str(os.getpid()), encoding="ascii")
                pipe.write("0\n")
                pipe.close()
                _wait_for_end(owner)
        except StackAbsent as absent:
            pipe.write(f"{_ABSENT}\n{absent}")
        except StackFailed as failed:
            pipe.write(f"1\n{failed}")
        finally:
            (folder / "pid").unlink(missing_ok=True)
    return 0


def _turn_to_log(path: Path) -> None:
    """Let go of the caller's streams: who waits for their end need not wait for us."""
    with path.open("wb") as log, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def _wait_for_end(owner: int) -> None:
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(ProcessLookupError):
            watched = os.pidfd_open(owner)
            select.select([watched], [], [])
        return
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(owner, 0)
            time.sleep(0.5)
