"""How do words reach a terminal, and no control character with them?

Results go to stdout, everything else to stderr. Whatever is written passes `printable`, whoever made the text: evidence
and file names are written by strangers, and a terminal obeys what it is sent.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import sys
import traceback
from collections.abc import Generator, Mapping
from typing import TextIO

__all__ = ["NotWritten", "Output", "printable"]

_LOGGER = logging.getLogger("glasswing_attest")


def printable(text: str) -> str:
    r"""Give the text with everything escaped that is not printable, but for line ends.

    >>> printable("a\x1b[2Jb\n")
    'a\\x1b[2Jb\n'
    """
    return "".join(c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class NotWritten(Exception):
    """The result could not be written, `from` the system's reason. A closed pipe (`head`) is a reason like another."""


class Output:
    """Where the words of one command go."""

    __slots__ = ("as_json", "debug", "quiet")

    def __init__(self, *, as_json: bool, quiet: bool, debug: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.debug = debug

    def result(self, text: str, data: Mapping[str, object]) -> None:
        """Write what was asked for: words, or one JSON value. An empty text writes nothing."""
        if self.as_json:
            # ASCII only: JSON's own escapes keep control characters and unusual letters off the terminal.
            text = json.dumps(data, indent=2, ensure_ascii=True) + "\n"
        with _noticed():
            if sys.stdout is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            _write(sys.stdout, text)

    def note(self, text: str) -> None:
        """Tell something beside the result, on stderr."""
        if not (self.quiet or self.as_json):
            self.complain(text)

    def complain(self, text: str) -> None:
        """Write a line to stderr. Nobody there to read it is no reason to fail."""
        if sys.stderr is not None:
            with contextlib.suppress(OSError):
                _write(sys.stderr, f"{text}\n")
                sys.stderr.flush()

    def failed(self, data: Mapping[str, str], text: str, code: int) -> int:
        """Tell a failure, as a line on stderr or as JSON on stdout, and give its exit code."""
        if self.as_json:
            self.result("", {"error": data, "exit": code})
        else:
            self.complain(text)
        return code

    def trace(self, error: BaseException) -> None:
        """Show where an error came from, for those who asked with --debug."""
        if self.debug:
            self.complain("".join(traceback.format_exception(error)).rstrip())

    def flush(self) -> None:
        """Have everything written, so that a failure to write is noticed while it can still be told."""
        with _noticed():
            if sys.stdout is not None:
                sys.stdout.flush()

    def abandon(self) -> None:
        """Point stdout to nowhere: the interpreter would try, and fail, to flush it once more when it ends."""
        stream = sys.__stdout__
        if stream is None or sys.stdout is not stream:
            return
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)

    @contextlib.contextmanager
    def logging(self) -> Generator[None]:
        """Show the library's log on stderr while a command runs, for those who asked with --debug."""
        if not self.debug:
            yield
            return
        handler = _Handler(self)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        before = _LOGGER.level
        _LOGGER.addHandler(handler)
        _LOGGER.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            _LOGGER.removeHandler(handler)
            _LOGGER.setLevel(before)


@contextlib.contextmanager
def _noticed() -> Generator[None]:
    try:
        yield
    except (OSError, ValueError) as e:  # a stream that Python closed is a ValueError
        raise NotWritten from e


class _Handler(logging.Handler):
    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        self._output.complain(self.format(record))


def _write(stream: TextIO, text: str) -> None:
    # A terminal that knows ASCII only shall not turn a verdict into an encoding error.
    encoding = stream.encoding or "utf-8"
    stream.write(printable(text).encode(encoding, "backslashreplace").decode(encoding))
