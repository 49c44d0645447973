"""How far has hashing come? Shown to people only: on a terminal, and when it takes long."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from glasswing_attest._cli.output import Output
from glasswing_attest.artifact.hashing import Progress, ProgressEvent
from glasswing_attest.errors import shown

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

__all__ = ["PATIENCE_SECONDS", "progress"]

PATIENCE_SECONDS = 0.7
"""What is over sooner needs no bar."""


@contextmanager
def progress(output: Output) -> Generator[Progress | None]:
    """Give what hashing reports to, or None where nobody looks."""
    if output.quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    meter = _Meter()
    try:
        yield meter
    finally:
        meter.stop()


class _Meter:
    """Becomes a bar when hashing takes longer than a moment; only then is rich imported."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __call__(self, event: ProgressEvent) -> None:
        if self._bar is None:
            if time.monotonic() - self._since < PATIENCE_SECONDS:
                return
            self._bar = _bar()
            self._bar.start()
        if self._task is None:
            self._task = self._bar.add_task("hashing", total=None)
        # A checkout does not know its size beforehand, and says 0.
        total = event.total_bytes or None
        self._bar.update(self._task, completed=event.done_bytes, total=total, description=shown(event.name))

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Made

    return Made(
        # Without markup: a file's name may look like it.
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
