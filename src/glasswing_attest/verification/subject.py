"""Is the statement about this thing?

in-toto Statement v1: a subject is matched by its digests alone. Ours are typed: a tree is matched on dirHash only, a
git commit on its ids, a file on the digests of its bytes; weak and unknown algorithms count for nothing.

Where somebody trusted has signed the list of a model's files (OpenSSF Model Signing), a statement that names every one
of them, by name and SHA-256, is about that model as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass

from glasswing_attest.artifact.digest import DigestSet, Form
from glasswing_attest.errors import SubjectMismatch
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.proof import Proof, require_seal

__all__ = ["MatchedSubject", "match", "match_all"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedSubject(Proof):
    """The subject of a verified statement that names the thing."""

    verified: VerifiedStatement
    subject: ResourceDescriptor
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


def match(
    verified: VerifiedStatement,
    digests: DigestSet,
    *,
    among: Sequence[ResourceDescriptor] | None = None,
    positions: Iterable[int] | None = None,
) -> MatchedSubject:
    """Give the first subject that has these digests.

    `among` are the subjects that the predicate type draws from the statement in place of those that stand there.
    `positions` are those to look at, where an index knows them.

    Raises:
        SubjectMismatch: none of them has.
    """
    subjects = verified.statement.subjects if among is None else among
    for subject in subjects if positions is None else (subjects[p] for p in positions):
        if subject.digest.matches(digests):
            return MatchedSubject(verified=verified, subject=subject, seal=_SEAL)
    found = ", ".join(s.digest.label for s in subjects[:4]) + (" …" if len(subjects) > 4 else "") or "nothing"
    raise SubjectMismatch(where="$.subject", found=found, wanted=digests.label)


def match_all(verified: VerifiedStatement, files: Mapping[str, str]) -> MatchedSubject:
    """Give the subject that names the first of the files, where every one of them is a subject. Others may be there.

    Raises:
        SubjectMismatch: one of them is not named, or with another SHA-256; or there are none.
    """
    named = {(s.name, s.digest.get("sha256")): s for s in verified.statement.subjects if s.digest.form is Form.FILE}
    missing = next((name for name, sha256 in files.items() if (name, sha256) not in named), None)
    if missing is not None or not files:
        raise SubjectMismatch(where="$.subject", found=f"{len(named)} files", wanted=missing or "a file")
    return MatchedSubject(verified=verified, subject=named[next(iter(files.items()))], seal=_SEAL)
