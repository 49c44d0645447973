"""How is one predicate type read, what is it about, and which edges does it draw?

A `PredicateType` is a URI with five pure functions. What is built in stands in `registry`; what else decides is passed
to the `Verifier` explicitly, and never found by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from glasswing_attest._wire import Node
from glasswing_attest.limits import Limits
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["ROLES", "Dependency", "PredicateType", "Subjects", "opaque"]

Subjects: TypeAlias = tuple[ResourceDescriptor, ...]

ROLES = ("code", "dataset", "baseModel", "checkpoint", "dependency", "image", "tool")
"""The roles that a dependency may play in a build; any other counts as ``dependency``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A resource that a statement names as what its subject was made from, in the role that the producer claims."""

    role: str
    resource: ResourceDescriptor

    @property
    def kind(self) -> str:
        """The kind of thing that the role makes of it: an absent or unknown role is kind ``dependency``."""
        return self.role if self.role in ROLES else "dependency"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredicateType:
    """How one predicate type is read.

    Attributes:
        uri: the predicate type.
        parse: reads the predicate from verified bytes, within the limits; raises `MalformedError`.
        dependencies: draws the edges from what `parse` gave; pure. A type without it draws none.
        scope: the repository or resource that the predicate claims to speak for, or "".
        subjects: draws from the subjects that stand in the statement, and from what `parse` gave, what it is about in
            their place; pure. For a type that writes as a subject what is no thing's digest.
        told_at: gives when the signer found out what the predicate says, by his own word, or None. Where only a key
            signed, nothing else tells how old the statement is.

    Whatever else one of these five raises counts as a malformed predicate: the statement proves nothing.
    """

    uri: str
    parse: Callable[[Node, Limits], object]
    dependencies: Callable[[object], Iterable[Dependency]] | None = None
    scope: Callable[[object], str] | None = None
    subjects: Callable[[Subjects, object], Iterable[ResourceDescriptor]] | None = None
    told_at: Callable[[object], datetime | None] | None = None

    @property
    def label(self) -> str:
        """What it is called where it must be told how it was read: the URI, and ``opaque`` before it."""
        return f"opaque {self.uri}" if self.parse is _as_it_is else self.uri


def opaque(uri: str) -> PredicateType:
    """Say that a predicate type is known and read as it is: a JSON object that draws no edges.

    >>> opaque("https://example.com/checked/v1").dependencies is None
    True
    """
    return PredicateType(uri=uri, parse=_as_it_is)


def _as_it_is(node: Node, _limits: Limits) -> object:
    return MappingProxyType(node.object())
