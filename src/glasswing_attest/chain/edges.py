"""What does a claim lead to?

A dependency of a verified statement becomes an edge child —role→ parent. Its digests are those that stand in the
child's signed bytes; its kind is the role that the producer claims, and an absent or unknown role is kind
``dependency``.

Code is also named by its repository: the same commit lies in every fork, and a fork's word is not the repository's.
Repositories are named by URIs (SPDX 2.3, clause 7.7: ``git+https://host/path@revision#subpath``; package-url), which
are compared for contradiction alone: two that differ are two repositories, where they can be compared at all. A
transport is no part of the name, but a package is not called by the place of its source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.claims import Claim
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
    theirs = repository(claim.scope)
    return theirs == reference.scope or _scheme(theirs) != _scheme(reference.scope)


_ABSOLUTE = re.compile(r"(?P<git>git\+)?(?P<scheme>[a-z][a-z0-9+.-]+)://(?P<authority>[^/?]*)(?P<path>.*)", re.I | re.S)
_SCP = re.compile(r"[^@/:\s]+@(?P<host>[^@/:\s]+):(?!//)/?(?P<path>\S+)")
_TRANSPORTS = ("https", "http", "ssh", "git")
# What git allows in the name of a ref or a commit (git-check-ref-format), as far as it matters to tell it from a path.
_REVISION = re.compile(r"(?!/)(?!.*(?:\.\.|//|@\{))[^\s~^:?*\[\\\x00-\x20\x7f]+(?<![/.])", re.S)
_USER = re.compile(r"([a-z][a-z0-9+.-]*://)[^/?#]*@", re.I)


def repository(uri: str) -> str:
    """Give a repository's URI as it is compared and shown; "" for what is no URI of a place that others could name.

    User and password are dropped, and so are revision, fragment, ``.git``, and which transport leads there.

    >>> repository("git+https://user:token@github.com/acme/train.git@refs/heads/main#sub")
    'https://github.com/acme/train'
    >>> repository("git@github.com:acme/train.git"), repository("/srv/train")
    ('https://github.com/acme/train', '')
    """
    plain = uri.split("#", 1)[0]
    if plain[:4].lower() == "pkg:":
        return f"pkg:{_without_revision(plain[4:].split('?', 1)[0], slashed=False).rstrip('/')}"
    if found := _SCP.fullmatch(plain):
        return _place("ssh", found["host"], _without_revision(f"/{found['path']}", slashed=False))
    found = _ABSOLUTE.fullmatch(plain)
    if found is None or found["scheme"].lower() == "file":
        return ""
    host = found["authority"].rpartition("@")[2]
    return _place(found["scheme"], host, _without_revision(found["path"], slashed=found["git"] is not None))


def _place(scheme: str, host: str, path: str) -> str:
    scheme, host = scheme.lower(), host.lower()
    if scheme in _TRANSPORTS:
        # A port of ssh says nothing of where the others listen.
        scheme, host = "https", host.partition(":")[0] if scheme == "ssh" and host[:1] != "[" else host
    return f"{scheme}://{host}{path.rstrip('/').removesuffix('.git').rstrip('/')}"


def _without_revision(path: str, *, slashed: bool) -> str:
    """Drop ``@revision``. One with slashes is told from a path by ``refs/``, or by the ``git+`` in front of it all."""
    before, at, revision = path.rpartition("@")
    if not at or not before.strip("/") or before.endswith("/") or not _REVISION.fullmatch(revision):
        return path
    return before if slashed or "/" not in revision or revision.startswith("refs/") else path


def _scheme(place: str) -> str:
    return place.partition(":")[0]


def _without_user(uri: str) -> str:
    """Give the URI without user and password, which are nobody's business in a report."""
    return found[1] + uri[found.end() :] if (found := _USER.match(uri)) else uri
