"""What does a container hold? Its parts, and how a format is known and taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from glasswing_attest._wire import Node
from glasswing_attest.formats.exact import Exact
from glasswing_attest.limits import Limits

__all__ = ["Format", "Part"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a container: data that `Attestation.parse` reads, or refuses by name.

    Attributes:
        data: the part's bytes.
        label: where in the container it stood, for messages; "" where it is the whole.
    """

    data: bytes
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A container of others.

    Attributes:
        name: what people call it.
        lacks: says of a JSON value why it is none of these, in a clause; "" where it is one.
        unpack: gives the parts. Raises `MalformedError` with the path, `UnsupportedError` or `LimitError`.
    """

    name: str
    lacks: Callable[[Node], str]
    unpack: Callable[[Exact, Limits], Iterator[Part]]
