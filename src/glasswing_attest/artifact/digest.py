"""Which digest is it, and do two sets of digests name the same thing?

A digest is typed: ``gitCommit`` is not ``sha1``, a directory's ``dirHash`` is not a file's ``sha256``. The sets and
their names are those of in-toto's DigestSet (in-toto attestation v1, digest_set.md). Two sets match when every shared
acceptable algorithm agrees and at least one of them is strong; weak and unknown algorithms count for nothing, in either
direction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
# What is no other form is a file's. gitBlob and gitTag are read but never identify what we digest.
_STRONG = (
    (Form.GIT, frozenset({"gitCommit", "gitTree"})),
    (Form.TREE, frozenset(_TREE)),
    (Form.FILE, frozenset(_FILE)),
)
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
        if self.algorithm in _ALIASES:
            object.__setattr__(self, "algorithm", _ALIASES[self.algorithm])
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

    Attributes:
        digests: the digests, by the names of their algorithms.
        form: what they are digests of: a git object, else a tree, else a file's bytes.
        identity: those that may identify: strong ones of the set's own form. May be empty.
    """

    digests: tuple[Digest, ...]
    form: Form = field(init=False, repr=False, compare=False)
    identity: tuple[Digest, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(self.digests)
        if len(ordered) > 1:
            ordered = tuple(sorted(ordered))
        names = {d.algorithm for d in ordered}
        if len(names) != len(ordered):
            found = ", ".join(d.algorithm for d in ordered)
            raise DigestRefused(where="digest", found=found, wanted="each algorithm once")
        form, strong = next((each for each in _STRONG if not names.isdisjoint(each[1])), _STRONG[-1])
        object.__setattr__(self, "digests", ordered)
        object.__setattr__(self, "form", form)
        # Asked for again and again, and a pile holds many of them: most are all strong.
        identity = ordered if names <= strong else tuple(d for d in ordered if d.algorithm in strong)
        object.__setattr__(self, "identity", identity)

    @classmethod
    def of(cls, values: Mapping[str, str] | None = None, /, **more: str) -> DigestSet:
        """Build a set from algorithm names and hex values."""
        return cls(tuple(Digest(k, v) for k, v in {**(values or {}), **more}.items()))

    @classmethod
    def parse(cls, node: Node, *, limits: Limits = DEFAULT) -> DigestSet:
        """Read an in-toto DigestSet: an object of strings. A known algorithm must have a value of its shape."""
        node.within(limits, "digests", len(node.object()))
        digests = []
        for name, value in node.texts():
            try:
                digests.append(Digest(name, value))
            except DigestRefused:
                _check(_ALIASES.get(name, name), value, dict(node.members())[name].path, node.kind)
                raise
        if len(digests) > 1 and len({d.algorithm for d in digests}) != len(digests):
            raise DigestRefused(kind=node.kind, where=node.path, found="dirHash and dirHash1", wanted="one of them")
        found = cls(tuple(digests))
        if found.form is Form.TREE:
            listing, tree = found.get("sha256"), found.get("dirHash")
            # A tree's sha256 is that of its listing, which is what dirHash is: two values would be two things.
            if listing and tree and listing != tree:
                told = f"sha256 {listing}"
                raise DigestRefused(kind=node.kind, where=node.path, found=told, wanted=f"dirHash {tree}")
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

    def matches(self, other: DigestSet) -> bool:
        """Tell whether both name the same thing: same form, every shared strong digest equal, at least one shared.

        Not transitive, so never used to merge sets.
        """
        if self.form is not other.form:
            return False
        theirs = {d.algorithm: d.value for d in other.identity}
        shared = [theirs[d.algorithm] == d.value for d in self.identity if d.algorithm in theirs]
        return bool(shared) and all(shared)

    @property
    def label(self) -> str:
        """One short name for people: the first identifying digest, cut."""
        best: Iterable[Digest] = self.identity or self.digests
        return next((d.short for d in best), "no digest")
