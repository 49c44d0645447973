"""BY WHAT IS AN ATTESTATION FOUND? The digests that may identify its subjects, as its unverified statement says.

Whoever wrote it chose them. They say where to look, and nothing else: what is found is proved, and held against the
digests of its verified statement by `subject.match`. What that compares stands here, or it would not be found. So what
a built-in predicate type draws in place of the written subjects is found by what it draws; a type that only a
`Verifier` was told of is not known here, and what such a one draws is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from glasswing_attest.artifact.digest import Digest
from glasswing_attest.attestation import Attestation
from glasswing_attest.claims import about_unverified, registry_of
from glasswing_attest.errors import GlasswingError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.statement import Statement
from glasswing_attest.store.store import Item

__all__ = ["about", "subjects_of"]

_TYPES = registry_of()


def subjects_of(data: bytes, *, limits: Limits = DEFAULT) -> frozenset[Digest]:
    """Give every digest by which a verifier could match it. What is no attestation of a statement has none.

    >>> subjects_of(b"no attestation")
    frozenset()
    """
    try:
        payload = Attestation.parse(data, limits=limits).envelope.payload
        said = Statement.parse_unverified(payload, limits=limits)
    except GlasswingError:
        return frozenset()
    subjects = about_unverified(said, _TYPES, limits=limits)
    return frozenset(digest for subject in subjects for digest in subject.digest.identity)


def about(items: Iterable[Item], digests: Iterable[Digest], *, limits: Limits = DEFAULT) -> Iterator[Item]:
    """Give those of the items that are about a thing with one of the digests."""
    wanted = frozenset(digests)
    return (item for item in items if not wanted.isdisjoint(subjects_of(item.data, limits=limits)))
