"""When was it signed, and is it still good? The words of a command line that proves without a policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["add_proof", "time_or_now"]


def add_proof(add_argument: Callable[..., object]) -> None:
    """Add what a proof may be told beside the trust, by the method of a parser or of a group in it."""
    add_argument(
        "--signed-at", metavar="TIME", help="when it was signed, on your word: a time, or now; where no witness says"
    )
    add_argument("--revocations", metavar="FILE", help="the signed revocation list")
    add_argument("--revocations-seen", type=int, default=0, metavar="N", help="refuse a lower version")


def time_or_now(text: str | None, where: str) -> datetime | None:
    """Give the time, or ``now``; None where none was said. Raises `MalformedError`."""
    from glasswing_attest._wire import parse_time

    if text is None:
        return None
    return datetime.now(UTC) if text == "now" else parse_time(text, where=where)
