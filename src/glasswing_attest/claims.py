"""WHAT FOLLOWS? Proven evidence as typed facts.

A `Claim` is a verified statement whose predicate was read by the reader of its type. A `PredicateType` says how one
type is read and which edges it draws; what decides is passed to the `Verifier` explicitly, never found by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from glasswing_attest._wire import Node
from glasswing_attest.errors import UsageError
from glasswing_attest.records import CodeRecord, registry
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, ROLES, Provenance
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner

__all__ = ["BUILT_IN", "Claim", "Dependency", "PredicateType", "read", "registry_of"]


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
        parse: reads the predicate from verified bytes; raises `MalformedError`.
        dependencies: draws the edges from what `parse` gave; pure. A type without it draws none.
        scope: the repository or resource that the predicate claims to speak for, or "".
    """

    uri: str
    parse: Callable[[Node], object]
    dependencies: Callable[[object], Iterable[Dependency]] | None = None
    scope: Callable[[object], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A verified statement with its typed predicate. `read` makes it, and asks for the proof."""

    verified: VerifiedStatement
    predicate: object
    dependencies: tuple[Dependency, ...]
    scope: str

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

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two claims the same: the payload, the signer, and all that is proved of the signer and the time.

        One payload may come wrapped twice, and be proved under other names or times: neither may hide the other.
        """
        proved = (sorted(self.signer.names), self.signed_by)
        return (self.statement.digest, self.signer.principal, repr(proved))


def _provenance_dependencies(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, Provenance)  # noqa: S101  # only its own parse feeds it
    for resource in predicate.resolved_dependencies:
        role = resource.annotations.get("role")
        yield Dependency(role=role if isinstance(role, str) else "", resource=resource)


def _code_scope(predicate: object) -> str:
    return predicate.repository or "" if isinstance(predicate, CodeRecord) else ""


def _summary_scope(predicate: object) -> str:
    return predicate.resource_uri if isinstance(predicate, VerificationSummary) else ""


BUILT_IN: tuple[PredicateType, ...] = (
    PredicateType(
        uri=PROVENANCE_V1,
        parse=Provenance.from_predicate,
        dependencies=_provenance_dependencies,
    ),
    PredicateType(uri=SUMMARY_V1, parse=VerificationSummary.from_predicate, scope=_summary_scope),
    *(
        PredicateType(
            uri=record.predicate_type,
            parse=record.from_predicate,
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


def read(verified: VerifiedStatement, types: Mapping[str, PredicateType]) -> Claim:
    """Read the predicate of a verified statement. One of unknown type is kept as it is and draws no edges.

    Raises:
        MalformedError: the predicate is not what its type says.
    """
    kind = types.get(verified.statement.predicate_type)
    if kind is None:
        return Claim(verified=verified, predicate=verified.statement.predicate, dependencies=(), scope="")
    predicate = kind.parse(verified.statement.predicate_node)
    return Claim(
        verified=verified,
        predicate=predicate,
        dependencies=() if kind.dependencies is None else tuple(kind.dependencies(predicate)),
        scope="" if kind.scope is None else kind.scope(predicate),
    )
