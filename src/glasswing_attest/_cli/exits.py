"""Which number does a failure leave with? Who must act decides, as in `errors`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from glasswing_attest.errors import (
    ArtifactError,
    GlasswingError,
    KeyUnreadable,
    MalformedError,
    PassphraseRefused,
    PolicyExpired,
    TrustExpired,
    UnavailableError,
    UnsupportedError,
    UsageError,
)

__all__ = [
    "INTERRUPTED",
    "MISUSE",
    "NO",
    "UNAVAILABLE",
    "YES",
    "Misused",
    "callers_to_mend",
    "exit_code",
    "told_expiry",
]

YES = 0
NO = 1
MISUSE = 2
UNAVAILABLE = 3
INTERRUPTED = 130
"""What a shell gives for a program that Ctrl-C ended."""


class Misused(Exception):
    """Something that the caller handed over, and that the caller must mend."""

    def __init__(self, error: GlasswingError) -> None:
        self.error = error
        super().__init__(error)


@contextmanager
def callers_to_mend() -> Generator[None]:
    """Read what the caller wrote: bytes that are malformed or not supported here are the caller's, not evidence."""
    try:
        yield
    except (MalformedError, UnsupportedError) as e:
        raise Misused(e) from e


@contextmanager
def told_expiry(*, policy: str, trust: str) -> Generator[None]:
    """Say which file it is that has expired: the one in the caller's hands may be a copy of many."""
    try:
        yield
    except PolicyExpired as e:
        raise e.moved(f"{policy}: expires") from e
    except TrustExpired as e:
        raise e.moved(f"{trust}: expires") from e


def exit_code(error: GlasswingError) -> int:
    """Give the exit code of a failure; never 0."""
    if isinstance(error, UnavailableError):
        return UNAVAILABLE
    if isinstance(error, UsageError | ArtifactError | KeyUnreadable | PassphraseRefused):
        return MISUSE
    if isinstance(error, MalformedError) and error.kind != "evidence":
        return MISUSE
    return NO
