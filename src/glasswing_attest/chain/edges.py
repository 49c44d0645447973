"""What does a claim lead to?

A dependency of a verified statement becomes an edge child —role→ parent. Its digests are those that stand in the
child's signed bytes; its kind is the role that the producer claims, and an absent or unknown role is kind
``dependency``.
"""

from __future__ import annotations

from dataclasses import dataclass

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.claims import Claim

__all__ = ["Reference", "in_scope", "references"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A thing as a statement refers to it: the key under which the walk remembers what it found.

    A digest accepted as one kind is not thereby accepted as another, nor in another scope.
    """

    kind: str
    digests: DigestSet
    scope: str = ""

    @property
    def identity(self) -> str:
        """A stable text that names the reference."""
        where = f" {self.scope}" if self.scope else ""
        return f"{self.kind} {self.digests}{where}"


def references(claim: Claim) -> tuple[tuple[Reference, str], ...]:
    """Give every thing that the claim's subject was made from, with the name the statement gives it."""
    return tuple(
        (
            Reference(
                kind=dependency.kind,
                digests=dependency.resource.digest,
                scope=_repository(dependency.resource.uri) if dependency.kind == "code" else "",
            ),
            dependency.resource.label,
        )
        for dependency in claim.dependencies
    )


def in_scope(claim: Claim, reference: Reference) -> bool:
    """Tell whether a claim speaks for the repository that the child named. Naming none is not held against it."""
    theirs = _repository(claim.scope)
    return not reference.scope or not theirs or theirs == reference.scope


def _repository(uri: str) -> str:
    """Give a repository's URI without transport prefix, revision and ``.git``, for comparison only."""
    plain = uri.removeprefix("git+")
    head, at, revision = plain.rpartition("@")
    is_revision = revision.startswith("refs/") or "/" not in revision.split(":")[0]
    if at and is_revision and "://" in head and "/" in head.split("://", 1)[1]:
        plain = head
    return plain.split("#", 1)[0].removesuffix("/").removesuffix(".git")
