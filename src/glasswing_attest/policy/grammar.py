"""How is a part of a policy built, and refused?

Every part is a frozen pydantic model without unknown fields. In Python it raises `PolicyRefused` itself; within a file
the complaint tells the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, WithJsonSchema

from glasswing_attest._complaints import Fault, Source, suggestion
from glasswing_attest._config import ConfigModel, refusal
from glasswing_attest._wire import SAFE_INTEGER

__all__ = ["LARGEST", "Id", "Names", "Part", "Pattern", "Ref", "Text", "as_tuple", "unknown"]

LARGEST = SAFE_INTEGER
"""The greatest number that every reader of JSON reads exactly: a policy is written as JSON, and digested so."""


def _as_text(value: object) -> object:
    """Ids are numbers that are compared as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_tuple(value: object) -> object:
    """A file's lists are frozen."""
    return tuple(value) if isinstance(value, list) else value


def unknown(what: str, found: str, known: Sequence[str], *, at: tuple[str | int, ...], of_key: bool = False) -> Fault:
    """Complain about a name that nothing has."""
    wanted, advice = f"one of {', '.join(known)}", suggestion(found, known)
    return Fault(f"there is no such {what}", at=at, found=found, wanted=wanted, do=advice, of_key=of_key)


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def _says_something(pattern: str) -> str:
    # How a name is made up says nothing of whose it is: `https://*/*` is everybody, and so is `*@*`.
    if not _SCHEME.sub("", pattern, count=1).strip("*/:@."):
        raise Fault("a pattern of stars names nobody", found=pattern)
    return pattern


Text = Annotated[str, Field(min_length=1)]
Id = Annotated[
    Text,
    BeforeValidator(_as_text),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}),
]
Names = Annotated[tuple[Text, ...], BeforeValidator(as_tuple), Field(max_length=256)]
Pattern = Annotated[Text, AfterValidator(_says_something)]
"""A text that is matched exactly, or as a whole-string glob in which ``*`` never crosses ``/``."""
Ref = Annotated[str, Field(pattern=r"^refs/\S+$")]
"""A branch or tag, as git writes it in full. One without ``refs/`` would fit nothing that a platform says."""


if TYPE_CHECKING:

    class Part(ConfigModel):
        """One part of a policy. An alias would do, but type checkers would lose the fields of what derives from it."""

else:

    class _Refusing(type(BaseModel)):
        """Gives Python callers `PolicyRefused` where pydantic would raise its own; nested validation is untouched.

        A metaclass, because an `__init__` of our own would also run for nested values and hide where they stand.
        """

        def __call__(cls, *args: Any, **values: Any) -> Any:
            try:
                return super().__call__(*args, **values)
            except ValidationError as e:
                raise refusal(e, values, kind="policy", source=Source(cls.__name__)) from e

    class Part(ConfigModel, metaclass=_Refusing):
        """One part of a policy."""
