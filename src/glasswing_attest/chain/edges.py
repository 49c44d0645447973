"""What does a claim lead to?

A dependency of a verified statement becomes an edge child —role→ parent. Its digests are those that stand in the
child's signed bytes; its kind is the role that the producer claims, and an absent or unknown role is kind
``dependency``.

Code is also named by its repository: the same commit lies in every fork, and a fork's word is not the repository's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.claims import Claim
from glasswing_attest.statement.repository import repository
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["Reference", "in_scope", "measured", "references", "repository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A thing as a statement refers to it: the key under which the walk remembers what it found.

    A digest accepted as one kind is not thereby accepted as another, nor in another scope. What no digest identifies
    has its `called` instead, so that several such things stay several.
    """

    kind: str
    digests: DigestSet
    scope: str = ""
    called: str = ""

    @property
    def identity(self) -> str:
        """A stable text that names the reference."""
        return " ".join(part for part in (self.kind, str(self.digests), self.scope, self.called) if part)


def measured(manifest: Manifest) -> Reference:
    """Give the reference to what was measured: the root of a walk."""
    scope = repository(manifest.facts.get("repository", "")) if manifest.kind == "code" else ""
    return Reference(kind=manifest.kind, digests=manifest.digests, scope=scope)


def references(claim: Claim) -> tuple[tuple[Reference, str], ...]:
    """Give every thing that the claim's subject was made from, with the name the statement gives it."""
    return tuple((_reference(d.kind, d.resource), _name(d.resource)) for d in claim.dependencies)


def _reference(kind: str, resource: ResourceDescriptor) -> Reference:
    return Reference(
        kind=kind,
        digests=resource.digest,
        scope=repository(resource.uri) if kind == "code" else "",
        called="" if resource.digest.identity else _without_user(resource.uri) or _name(resource),
    )


def _name(resource: ResourceDescriptor) -> str:
    return resource.name or _without_user(resource.uri or resource.download_location) or resource.digest.label


def in_scope(claim: Claim, reference: Reference) -> bool:
    """Tell whether a claim speaks for the repository that the child named.

    Naming none is not held against it, nor is naming it in another scheme: a package and a git repository have no
    names in common that could contradict each other.
    """
    if not claim.scope:
        return True
    theirs = repository(claim.scope)
    return theirs == reference.scope or _scheme(theirs) != _scheme(reference.scope)


def _scheme(place: str) -> str:
    return place.partition(":")[0]


_USER = re.compile(r"([a-z][a-z0-9+.-]*://)[^/?#]*@", re.I)


def _without_user(uri: str) -> str:
    """Give the URI without user and password, which are nobody's business in a report."""
    return found[1] + uri[found.end() :] if (found := _USER.match(uri)) else uri
