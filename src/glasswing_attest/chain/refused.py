"""What of the evidence proved nothing?

It serves messages only, and decides nothing: whoever put it there chose what it says.
"""

from __future__ import annotations

from dataclasses import dataclass

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import GlasswingError
from glasswing_attest.limits import Limits
from glasswing_attest.statement.statement import Statement

__all__ = ["Refused"]

_TOLD_SUBJECTS = 64
"""So many subjects of a refused statement are remembered: enough for a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An item of the pile that proved nothing. What its unverified statement says serves messages only.

    A pile may consist of nothing else, so no more is kept than a message needs: neither the statement, nor the frames
    in which it was refused.
    """

    origin: str
    error: GlasswingError
    predicate_type: str = ""
    subjects: tuple[DigestSet, ...] = ()

    @classmethod
    def of(cls, origin: str, error: GlasswingError, said: Statement | None, *, limits: Limits) -> Refused:
        """Keep what a message needs of a refused item; `said` is its statement, where it has one."""
        _let_go(error)
        if said is None or len(said.predicate_type) > limits.name_bytes:
            return cls(origin=origin, error=error)
        subjects = tuple(s.digest for s in said.subjects[:_TOLD_SUBJECTS])
        return cls(origin=origin, error=error, predicate_type=said.predicate_type, subjects=subjects)


def _let_go(error: BaseException) -> None:
    """Drop the frames that an error and its causes hold, and with them everything that was parsed in them."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = None
            left += (each.__cause__, each.__context__)
