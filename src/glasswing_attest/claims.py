"""WHAT FOLLOWS? Proven evidence as typed facts.

A `Claim` is a verified statement whose predicate was read by the reader of its type, which also drew its edges. How a
type is read stands in ``statement/predicates/``; what else decides is passed to the `Verifier` explicitly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from glasswing_attest.errors import FieldRefused, GlasswingError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType, opaque
from glasswing_attest.statement.predicates.registry import BUILT_IN, registry_of
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner

__all__ = ["BUILT_IN", "Claim", "Dependency", "PredicateType", "about_unverified", "opaque", "read", "registry_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A verified statement with its typed predicate. `read` makes it, and asks for the proof.

    Attributes:
        verified: the proof.
        predicate: the predicate, as its type's reader gave it.
        dependencies: what the subject was made from.
        scope: the repository or resource that the predicate claims to speak for, or "".
        subjects: what the statement is about: the subjects that stand there, or what its type draws in their place.
        key: what makes two claims the same: the payload's sha256, the signer, and all that is proved of the signer and
            the time. One payload may come wrapped twice, and be proved under other names or times, or by certificates
            that say other things of the same holder: neither may hide the other.
        told_at: when the signer found out what the predicate says, by his own word; None where it does not say.
    """

    verified: VerifiedStatement
    predicate: object
    dependencies: tuple[Dependency, ...]
    scope: str
    subjects: tuple[ResourceDescriptor, ...]
    told_at: datetime | None = None
    key: tuple[str, str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Hashes the payload, so once; the walk compares keys over and over.
        signer = self.signer
        whose = (sorted(signer.names), signer.root, signer.fingerprint, signer.claims, signer.not_before)
        proved = (*whose, self.signed_by, self.proved_by, self.verified.logs)
        object.__setattr__(self, "key", (self.statement.digest, signer.principal, repr(proved)))

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
    def proved_by(self) -> datetime | None:
        """By when it was signed, as so many witnesses say as the trust asks for: one of several alone may lie."""
        return self.verified.times.proved_by

    @property
    def not_before(self) -> datetime | None:
        """The time before which it was not said: a witness's time is none, since anybody can stamp what is old.

        The start of the certificate's life, or what the signer himself says, where that is earlier or there is no
        certificate. None where nothing tells.
        """
        return min((time for time in (self.signer.not_before, self.told_at) if time is not None), default=None)


def read(verified: VerifiedStatement, types: Mapping[str, PredicateType], *, limits: Limits = DEFAULT) -> Claim:
    """Read the predicate of a verified statement. One of unknown type is kept as it is and draws no edges.

    Raises:
        MalformedError: the predicate is not what its type says, or its reader failed on it.
        LimitError: it names more than `limits` allow.
    """
    statement = verified.statement
    kind = types.get(statement.predicate_type)
    if kind is None:
        return Claim(
            verified=verified,
            predicate=statement.predicate,
            dependencies=(),
            scope="",
            subjects=statement.subjects,
        )
    try:
        predicate = kind.parse(statement.predicate_node, limits)
        subjects = _about(statement, kind, predicate, limits)
        dependencies = () if kind.dependencies is None else _drawn(kind.dependencies(predicate), limits)
        scope = "" if kind.scope is None else kind.scope(predicate)
        if not isinstance(scope, str):
            raise TypeError(f"scope gave {type(scope).__name__}, not a text")
        told_at = None if kind.told_at is None else kind.told_at(predicate)
        if told_at is not None:
            if told_at.utcoffset() is None:
                raise TypeError(f"told_at gave {told_at!r}, not a time with its zone")
            told_at = told_at.astimezone(UTC)
    except GlasswingError:
        raise
    except Exception as e:
        # A reader that somebody registered meets whatever a trusted signer signed: its faults refuse that statement,
        # and must not stop the verification of everything else.
        because = f"the reader of {kind.uri} failed: {type(e).__name__}: {e}"
        raise FieldRefused(where="$.predicate", because=because) from e
    return Claim(
        verified=verified,
        predicate=predicate,
        dependencies=dependencies,
        scope=scope,
        subjects=subjects,
        told_at=told_at,
    )


def about_unverified(
    statement: Statement, types: Mapping[str, PredicateType], *, limits: Limits = DEFAULT
) -> tuple[ResourceDescriptor, ...]:
    """Give what a statement says that it is about, as `read` would: nothing where its type's reader refuses it.

    It says where to look, and nothing else: whoever wrote it chose it.
    """
    kind = types.get(statement.predicate_type)
    if kind is None or kind.subjects is None:
        return statement.subjects
    try:
        return _about(statement, kind, kind.parse(statement.predicate_node, limits), limits)
    except Exception:  # noqa: BLE001  # a reader that somebody registered; what it fails on is found by nobody
        return ()


def _about(
    statement: Statement, kind: PredicateType, predicate: object, limits: Limits
) -> tuple[ResourceDescriptor, ...]:
    """Give the subjects as the type draws them, counted while they come."""
    if kind.subjects is None:
        return statement.subjects
    found: list[ResourceDescriptor] = []
    for subject in kind.subjects(statement.subjects, predicate):
        limits.check("subjects", len(found) + 1, where="$.predicate")
        if not isinstance(subject, ResourceDescriptor):
            raise TypeError(f"subjects gave {type(subject).__name__}, not a ResourceDescriptor")
        found.append(subject)
    return tuple(found)


def _drawn(dependencies: Iterable[Dependency], limits: Limits) -> tuple[Dependency, ...]:
    """Give the edges that a reader drew, counted while they come: what draws them may never end."""
    found: list[Dependency] = []
    for dependency in dependencies:
        limits.check("dependencies", len(found) + 1, where="$.predicate")
        if not isinstance(dependency, Dependency):
            raise TypeError(f"dependencies gave {type(dependency).__name__}, not a Dependency")
        found.append(dependency)
    return tuple(found)
