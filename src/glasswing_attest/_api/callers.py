"""Is it what the call takes? What comes from a caller is not always what the types say."""

from __future__ import annotations

from datetime import UTC, datetime
from types import UnionType

from glasswing_attest.errors import UsageError

__all__ = ["require_a", "utc"]


def require_a(value: object, kind: type | UnionType, where: str, wanted: str) -> None:
    """Raise `UsageError` for a value of another type."""
    if not isinstance(value, kind):
        raise UsageError(where=where, found=type(value).__name__, wanted=wanted)


def utc(at: object, where: str = "at") -> datetime:
    """Give the same time in UTC: it is compared, and written, in many places."""
    if not isinstance(at, datetime) or at.utcoffset() is None:
        found = str(at) if isinstance(at, datetime) else type(at).__name__
        raise UsageError(where=where, found=found, wanted="a datetime with a zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as e:
        raise UsageError(where=where, found=str(at), wanted="a time of the years 1 to 9999 in UTC") from e
