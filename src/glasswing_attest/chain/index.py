"""Which claims are about a thing?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from glasswing_attest.artifact.digest import Digest, DigestSet
from glasswing_attest.claims import Claim
from glasswing_attest.errors import SubjectMismatch
from glasswing_attest.verification import subject
from glasswing_attest.verification.subject import MatchedSubject

__all__ = ["Index"]


class Index:
    """Claims by the digests of their subjects, each claim once, in the order of their keys."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self.claims = sorted({c.key: c for c in claims}.values(), key=lambda c: c.key)
        # By type and digest: which claim, by its place in the list, and which of its subjects.
        self._places: dict[tuple[str, Digest], list[tuple[int, int]]] = {}
        for number, claim in enumerate(self.claims):
            for position, described in enumerate(claim.subjects):
                for digest in described.digest.identity:
                    self._places.setdefault((claim.statement.predicate_type, digest), []).append((number, position))

    def about(self, digests: DigestSet, predicate_type: str) -> list[tuple[Claim, MatchedSubject]]:
        """Give the claims of this type about the thing, in the order of their keys."""
        found: dict[int, list[int]] = {}
        for digest in digests.identity:
            for number, position in self._places.get((predicate_type, digest), ()):
                found.setdefault(number, []).append(position)
        return [
            (self.claims[number], matched)
            for number, positions in sorted(found.items())
            if (matched := _match(self.claims[number], digests, sorted(positions))) is not None
        ]

    def naming(self, files: Mapping[str, str], predicate_type: str) -> list[tuple[Claim, MatchedSubject]]:
        """Give the claims of this type that name every one of these files, by name and SHA-256."""
        # Files such as a licence stand in many models: whoever names them all also names the rarest.
        named = (self._places.get((predicate_type, Digest("sha256", sha256)), ()) for sha256 in files.values())
        found = []
        for number in sorted({number for number, _ in min(named, key=len, default=())}):
            with suppress(SubjectMismatch):
                found.append((self.claims[number], subject.match_all(self.claims[number].verified, files)))
        return found


def _match(claim: Claim, digests: DigestSet, positions: Iterable[int]) -> MatchedSubject | None:
    try:
        return subject.match(claim.verified, digests, among=claim.subjects, positions=positions)
    except SubjectMismatch:
        return None
