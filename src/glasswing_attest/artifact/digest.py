"""Which digest is it, and do two sets of digests name the same thing?

A digest is typed: ``gitCommit`` is not ``sha1``, a directory's ``dirHash`` is not a file's ``sha256``. The sets and
their names are those of in-toto's DigestSet (in-toto attestation v1, digest_set.md). Two sets match when every shared
acceptable algorithm agrees and at least one of them is strong; weak and unknown algorithms count for nothing, in either
direction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from glasswing_attest._wire import Node
from glasswing_attest.errors import DigestRefused, Kind
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Digest", "DigestSet", "Form", "digits_of"]


class Form(Enum):
    """What kind of bytes a set of digests stands for. Sets of different forms never match."""

    FILE = "file"
    TREE = "tree"
    GIT = "git"


# Hex digits of each algorithm that may carry an identity, by the form that it is a digest of.
_FILE = {
    "sha256": (64,),
    "sha384": (96,),
    "sha512": (128,),
    "sha512_256": (64,),
    "sha3_256": (64,),
    "sha3_384": (96,),
    "sha3_512": (128,),
    "blake2b": (128,),
    "blake3": (64,),
}
_TREE = {"dirHash": (64,)}
_GIT = {"gitCommit": (40, 64), "gitTree": (40, 64), "gitBlob": (40, 64), "gitTag": (40, 64)}
_LENGTHS = {**_FILE, **_TREE, **_GIT}
# in-toto's heading says dirHash, its example dirHash1: one algorithm. We write the first and read both.
_ALIASES = {"dirHash1": "dirHash"}
# gitBlob and gitTag are read but never identify what we digest.
_STRONG = {Form.FILE: frozenset(_FILE), Form.TREE: frozenset(_TREE), Form.GIT: frozenset({"gitCommit", "gitTree"})}
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """One digest: an algorithm's name as in-toto spells it, and its lowercase hex value.

    >>> Digest("sha256", "00" * 32).short
    'sha256:000000000000'
    >>> Digest("sha256", "zz")
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.DigestRefused: sha256: the digest is not one of its algorithm: found zz, wanted 64 ...
    """

    algorithm: str
    value: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "algorithm", _ALIASES.get(self.algorithm, self.algorithm))
        _check(self.algorithm, self.value, self.algorithm, "evidence")

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"

    @property
    def short(self) -> str:
        """The first twelve digits, for people. Never compare it."""
        return f"{self.algorithm}:{self.value[:12]}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``algorithm:hex`` of a known algorithm."""
        algorithm, colon, value = text.partition(":")
        if not colon or _ALIASES.get(algorithm, algorithm) not in _LENGTHS:
            raise DigestRefused(where="digest", found=text, wanted=f"algorithm:hex, one of {', '.join(_LENGTHS)}")
        return cls(algorithm, value)


def digits_of(algorithm: str) -> int | None:
    """Tell how many hex digits an algorithm over a file's bytes gives, or None where it is none that we know."""
    return next(iter(_FILE.get(algorithm, ())), None)


def _check(algorithm: str, value: str, where: str, kind: Kind) -> None:
    lengths = _LENGTHS.get(algorithm)
    if lengths is not None and (len(value) not in lengths or not _HEX.fullmatch(value)):
        wanted = f"{' or '.join(map(str, lengths))} lowercase hex digits"
        raise DigestRefused(kind=kind, where=where, found=value, wanted=wanted)


@dataclass(frozen=True, slots=True)
class DigestSet:
    """Digests of one thing, by algorithm. Unknown algorithms are kept and never compared.

    >>> file = DigestSet.of(sha256="00" * 32)
    >>> file.matches(DigestSet.of(sha256="00" * 32, md5="11" * 16))
    True
    >>> file.matches(DigestSet.of(md5="11" * 16))
    False
    """

    digests: tuple[Digest, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.digests))
        names = [d.algorithm for d in ordered]
        if len(set(names)) != len(names):
            raise DigestRefused(where="digest", found=", ".join(names), wanted="each algorithm once")
        object.__setattr__(self, "digests", ordered)

    @classmethod
    def of(cls, values: Mapping[str, str] | None = None, /, **more: str) -> DigestSet:
        """Build a set from algorithm names and hex values."""
        return cls(tuple(Digest(k, v) for k, v in {**(values or {}), **more}.items()))

    @classmethod
    def parse(cls, node: Node, *, limits: Limits = DEFAULT) -> DigestSet:
        """Read an in-toto DigestSet: an object of strings. A known algorithm must have a value of its shape."""
        members = list(node.members())
        limits.check("digests", len(members), where=node.path)
        digests = []
        for name, value in members:
            _check(_ALIASES.get(name, name), value.text(), value.path, node.kind)
            digests.append(Digest(name, value.text()))
        if len({d.algorithm for d in digests}) != len(digests):
            raise DigestRefused(kind=node.kind, where=node.path, found="dirHash and dirHash1", wanted="one of them")
        found = cls(tuple(digests))
        listing, tree = found.get("sha256"), found.get("dirHash")
        # A tree's sha256 is that of its listing, which is what dirHash is: two values would be two things.
        if listing and tree and listing != tree and found.form is Form.TREE:
            raise DigestRefused(kind=node.kind, where=node.path, found=f"sha256 {listing}", wanted=f"dirHash {tree}")
        return found

    def __iter__(self) -> Iterator[Digest]:
        return iter(self.digests)

    def __len__(self) -> int:
        return len(self.digests)

    def __str__(self) -> str:
        return " ".join(map(str, self.digests))

    def get(self, algorithm: str) -> str | None:
        """Give the value of an algorithm, or None."""
        return next((d.value for d in self.digests if d.algorithm == algorithm), None)

    def to_dict(self) -> dict[str, str]:
        """Give the set as in-toto's JSON object."""
        return {d.algorithm: d.value for d in self.digests}

    @property
    def form(self) -> Form:
        """What the set is a digest of: a git object, else a tree, else a file's bytes."""
        names = {d.algorithm for d in self.digests}
        if names & _STRONG[Form.GIT]:
            return Form.GIT
        return Form.TREE if names & _STRONG[Form.TREE] else Form.FILE

    @property
    def identity(self) -> tuple[Digest, ...]:
        """The digests that may identify: strong ones of the set's own form. May be empty."""
        strong = _STRONG[self.form]
        return tuple(d for d in self.digests if d.algorithm in strong)

    def matches(self, other: DigestSet) -> bool:
        """Tell whether both name the same thing: same form, every shared strong digest equal, at least one shared.

        Not transitive, so never used to merge sets.
        """
        if self.form is not other.form:
            return False
        mine = dict.fromkeys(self.identity)
        theirs = {d.algorithm: d for d in other.identity}
        shared = [(d, theirs[d.algorithm]) for d in mine if d.algorithm in theirs]
        return bool(shared) and all(a == b for a, b in shared)

    @property
    def label(self) -> str:
        """One short name for people: the first identifying digest, cut."""
        best: Iterable[Digest] = self.identity or self.digests
        return next((d.short for d in best), "no digest")
