"""How do tests come by a stack? By the fixture `stack`, of which tests/conftest.py knows.

One stack for a whole run: of several test processes the first to ask starts it, the others wait and use it. It ends
with the run, however that ends. Where the servers are not built the tests skip, all with the same reason; with
`GLASSWING_ATTEST_REQUIRE_STACK` set they fail instead, so that nobody mistakes their absence for success.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import background
from tests.stack.build import StackAbsent
from tests.stack.processes import StackFailed
from tests.stack.run import require
from tests.stack.stack import Stack

__all__ = ["stack"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real Sigstore on the loopback."""
    try:
        require()
    except StackAbsent as absent:
        if os.environ.get("GLASSWING_ATTEST_REQUIRE_STACK"):
            pytest.fail(str(absent), pytrace=False)
        pytest.skip(str(absent))
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = base / "sigstore"
        found = background.start(folder, owner=os.getpid())
        yield found
        background.stop(folder)
    else:
        # Workers have folders beside each other, and the process that started them is there until the end.
        yield _shared(base.parent / "sigstore", owner=os.getppid())


def _shared(folder: Path, *, owner: int) -> Stack:
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failed = Path(f"{folder}.failed")
        if failed.exists():
            raise StackFailed(failed.read_text(encoding="utf-8"))
        if folder.exists():
            return Stack.read(folder / "stack")
        try:
            return background.start(folder, owner=owner)
        except StackFailed as e:
            failed.write_text(str(e), encoding="utf-8")
            raise
