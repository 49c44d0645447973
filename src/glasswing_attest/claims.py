"""WHAT FOLLOWS? Proven evidence as typed facts.

A `Claim` is a verified statement whose predicate was read by the reader of its type. A `PredicateType` says how one
type is read and which edges it draws; what decides is passed to the `Verifier` explicitly, never found by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from glasswing_attest._wire import Node
from glasswing_attest.errors import FieldRefused, GlasswingError, UsageError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.records import CodeRecord, registry
from glasswing_attest.records.base import Record
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, ROLES, Provenance
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner

__all__ = ["BUILT_IN", "Claim", "Dependency", "PredicateType", "opaque", "read", "registry_of"]


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

    Whatever else one of these three raises counts as a malformed predicate: the statement proves nothing.
    """

    uri: str
    parse: Callable[[Node, Limits], object]
    dependencies: Callable[[object], Iterable[Dependency]] | None = None
    scope: Callable[[object], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A verified statement with its typed predicate. `read` makes it, and asks for the proof.

    Attributes:
        verified: the proof.
        predicate: the predicate, as its type's reader gave it.
        dependencies: what the subject was made from.
        scope: the repository or resource that the predicate claims to speak for, or "".
        key: what makes two claims the same: the payload's sha256, the signer, and all that is proved of the signer and
            the time. One payload may come wrapped twice, and be proved under other names or times: neither may hide
            the other.
    """

    verified: VerifiedStatement
    predicate: object
    dependencies: tuple[Dependency, ...]
    scope: str
    key: tuple[str, str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Hashes the payload, so once; the walk compares keys over and over.
        proved = (sorted(self.signer.names), self.signer.root, self.signed_by, self.verified.logs)
        object.__setattr__(self, "key", (self.statement.digest, self.signer.principal, repr(proved)))

    @property
    def statement(self) -> Statement:
        """The statement."""
        return self.verified.statement

    @property
    def signer(self) -> VerifiedSigner:
        """Who signed it."""
        return self.verified.signer

    @property
    def signed_by(self) -> datetime | None:
        """By when it was signed, as a trusted witness says; None where there is none."""
        return self.verified.times.signed_by


def _provenance_dependencies(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, Provenance)  # noqa: S101  # only its own parse feeds it
    for resource in predicate.resolved_dependencies:
        role = resource.annotations.get("role")
        yield Dependency(role=role if isinstance(role, str) else "", resource=resource)


def _reader(record: type[Record]) -> Callable[[Node, Limits], object]:
    # A record counts nothing by itself: the statement's limits on bytes, depth and values bound it.
    return lambda node, _limits: record.from_predicate(node)


def _code_scope(predicate: object) -> str:
    return predicate.repository or "" if isinstance(predicate, CodeRecord) else ""


def _summary_scope(predicate: object) -> str:
    return predicate.resource_uri if isinstance(predicate, VerificationSummary) else ""


def _as_it_is(node: Node, _limits: Limits) -> object:
    return MappingProxyType(node.object())


def opaque(uri: str) -> PredicateType:
    """Say that a predicate type is known and read as it is: a JSON object that draws no edges.

    >>> opaque("https://example.com/checked/v1").dependencies is None
    True
    """
    return PredicateType(uri=uri, parse=_as_it_is)


BUILT_IN: tuple[PredicateType, ...] = (
    PredicateType(
        uri=PROVENANCE_V1,
        parse=lambda node, limits: Provenance.from_predicate(node, limits=limits),
        dependencies=_provenance_dependencies,
    ),
    PredicateType(
        uri=SUMMARY_V1,
        parse=lambda node, limits: VerificationSummary.from_predicate(node, limits=limits),
        scope=_summary_scope,
    ),
    *(
        PredicateType(
            uri=record.predicate_type,
            parse=_reader(record),
            scope=_code_scope if record is CodeRecord else None,
        )
        for record in registry
    ),
)
"""The predicate types that are read without being asked for."""


def registry_of(more: Iterable[PredicateType] = ()) -> Mapping[str, PredicateType]:
    """Give the built-in types and `more`, by URI. A type is never read in two ways: raises `UsageError`."""
    types: dict[str, PredicateType] = {}
    for found in (*BUILT_IN, *more):
        if found.uri in types:
            raise UsageError(where="predicates", found=found.uri, wanted="each predicate type once")
        types[found.uri] = found
    return types


def read(verified: VerifiedStatement, types: Mapping[str, PredicateType], *, limits: Limits = DEFAULT) -> Claim:
    """Read the predicate of a verified statement. One of unknown type is kept as it is and draws no edges.

    Raises:
        MalformedError: the predicate is not what its type says, or its reader failed on it.
        LimitError: it names more than `limits` allow.
    """
    kind = types.get(verified.statement.predicate_type)
    if kind is None:
        return Claim(verified=verified, predicate=verified.statement.predicate, dependencies=(), scope="")
    try:
        predicate = kind.parse(verified.statement.predicate_node, limits)
        dependencies = () if kind.dependencies is None else _drawn(kind.dependencies(predicate), limits)
        scope = "" if kind.scope is None else kind.scope(predicate)
        if not isinstance(scope, str):
            raise TypeError(f"scope gave {type(scope).__name__}, not a text")
    except GlasswingError:
        raise
    except Exception as e:
        # A reader that somebody registered meets whatever a trusted signer signed: its faults refuse that statement,
        # and must not stop the verification of everything else.
        because = f"the reader of {kind.uri} failed: {type(e).__name__}: {e}"
        raise FieldRefused(where="$.predicate", because=because) from e
    return Claim(verified=verified, predicate=predicate, dependencies=dependencies, scope=scope)


def _drawn(dependencies: Iterable[Dependency], limits: Limits) -> tuple[Dependency, ...]:
    """Give the edges that a reader drew, counted while they come: what draws them may never end."""
    found: list[Dependency] = []
    for dependency in dependencies:
        limits.check("dependencies", len(found) + 1, where="$.predicate")
        if not isinstance(dependency, Dependency):
            raise TypeError(f"dependencies gave {type(dependency).__name__}, not a Dependency")
        found.append(dependency)
    return tuple(found)
