"""What may explain that nothing is there?

For the messages of a no alone; nothing here decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from glasswing_attest.artifact.digest import Digest, DigestSet, Form
from glasswing_attest.chain.refused import Refused
from glasswing_attest.claims import Claim
from glasswing_attest.statement.predicates.predicate_type import ROLES

__all__ = ["Clues"]

_LOOKED_AT = 32
"""So much of what speaks of one digest is looked at: it explains in a line, and a pile may hold any number."""


_Filed: TypeAlias = dict[Digest, dict[tuple[str, DigestSet], None]]


class Clues:
    """What speaks of a thing in other words than were asked for. Built once, since junk times gaps is much work."""

    def __init__(self, claims: Iterable[Claim], refused: Sequence[Refused]) -> None:
        self._refused: dict[tuple[str, Form, Digest], list[tuple[Refused, DigestSet]]] = {}
        for item in refused:
            for digests in item.subjects:
                for digest in digests.identity:
                    several = self._refused.setdefault((item.predicate_type, digests.form, digest), [])
                    if len(several) < _LOOKED_AT:
                        several.append((item, digests))
        self._named: dict[tuple[str, Form, str], DigestSet] = {}
        self._aimless: set[str] = set()
        self._types: _Filed = {}
        self._roles: _Filed = {}
        self._unknown: _Filed = {}
        for claim in claims:
            if not claim.subjects:
                self._aimless.add(claim.statement.predicate_type)
            for described in claim.subjects:
                key_ = (claim.statement.predicate_type, described.digest.form, described.name)
                self._named.setdefault(key_, described.digest)
                _file(self._types, claim.statement.predicate_type, described.digest)
            for dependency in claim.dependencies:
                _file(self._roles, dependency.kind, dependency.resource.digest)
                if dependency.role not in ("", *ROLES):
                    _file(self._unknown, dependency.role, dependency.resource.digest)
        for item in refused:
            for digests in item.subjects:
                _file(self._types, item.predicate_type, digests)

    def refused(self, digests: DigestSet, predicate_type: str) -> Refused | None:
        """Give a refused item of this type that speaks of the thing: of several, one that no order chooses."""
        found = [
            item
            for digest in digests.identity
            for item, said in self._refused.get((predicate_type, digests.form, digest), ())
            if said.matches(digests)
        ]
        return min(found, key=lambda item: (item.error.code, item.origin), default=None)

    def types(self, digests: DigestSet) -> set[str]:
        """Give the predicate types of everything that speaks of the thing, proved or not."""
        return _filed(self._types, digests)

    def versions(self, digests: DigestSet, predicate_type: str) -> set[str]:
        """Give the other versions of a predicate type in which something speaks of the thing, proved or not."""
        name = _unversioned(predicate_type)
        return {found for found in self.types(digests) - {predicate_type} if _unversioned(found) == name}

    def roles(self, digests: DigestSet) -> set[str]:
        """Give the kinds as which verified statements name the thing as what something was made from."""
        return _filed(self._roles, digests)

    def unknown_roles(self, digests: DigestSet) -> set[str]:
        """Give the roles of the thing that are none that is known, and so made a dependency of it."""
        return _filed(self._unknown, digests)

    def namesake(self, name: str, form: Form, predicate_type: str) -> DigestSet | None:
        """Give what a verified statement of this type says of other bytes under the same name."""
        return self._named.get((predicate_type, form, name)) if name else None

    def others(self, form: Form, predicate_type: str) -> list[tuple[str, DigestSet]]:
        """Give the names and digests of what verified statements of this type and form are about, if digests tell."""
        return sorted(
            (
                (name, digests)
                for (type_, f, name), digests in self._named.items()
                if (type_, f) == (predicate_type, form) and digests.identity
            ),
            key=lambda found: found[0],
        )

    def is_aimless(self, predicate_type: str) -> bool:
        """Tell whether a verified statement of this type is about nothing that has a digest here: OMS by shards."""
        return predicate_type in self._aimless


# Whoever writes a type chooses the text of it: what is told of one is a version, and nothing else.
_VERSION = re.compile(r"/v?[0-9][0-9A-Za-z._+-]{0,31}\Z")


def _unversioned(predicate_type: str) -> str:
    return _VERSION.sub("", predicate_type)


def _file(index: _Filed, what: str, digests: DigestSet) -> None:
    for digest in digests.identity:
        several = index.setdefault(digest, {})
        if len(several) < _LOOKED_AT:
            several[what, digests] = None


def _filed(index: _Filed, digests: DigestSet) -> set[str]:
    found = (entry for digest in digests.identity for entry in index.get(digest, ()))
    return {what for what, said in found if said.matches(digests)}
