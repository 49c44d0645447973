"""What does a bill of materials list?

What CycloneDX's components and SPDX's packages have in common: a name, a version, a package URL and digests. Digests
stand there under names of the format's own; those that in-toto knows get its names, and any other is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import Digest, DigestSet
from glasswing_attest.errors import DigestRefused

__all__ = ["Component", "read_digests"]

# in-toto's names, and how many hex digits each has.
_DIGITS = {
    "md5": 32,
    "sha1": 40,
    "sha256": 64,
    "sha384": 96,
    "sha512": 128,
    "sha3_256": 64,
    "sha3_384": 96,
    "sha3_512": 128,
    "blake2b": 128,
    "blake3": 64,
}
_NO_DIGEST = DigestSet(())
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component or package. What the document does not say is empty."""

    name: str
    version: str = ""
    purl: str = ""
    digests: DigestSet = _NO_DIGEST


def read_digests(items: Iterable[tuple[Node, Node]], names: Mapping[str, str]) -> DigestSet:
    """Read (algorithm, hex value) pairs of one component; `names` maps the format's names to in-toto's.

    Hex may be written in capitals, as both formats allow.

    Raises:
        DigestRefused: a value is no digest of its algorithm, or two of one algorithm differ.
    """
    found: dict[str, str] = {}
    for algorithm, value in items:
        name = names.get(algorithm.text())
        if name is None:
            continue
        text = value.text().lower()
        if len(text) != _DIGITS[name] or not _HEX.issuperset(text):
            wanted = f"{_DIGITS[name]} hex digits"
            raise DigestRefused(kind=value.kind, where=value.path, found=value.value, wanted=wanted)
        if found.setdefault(name, text) != text:
            raise DigestRefused(kind=value.kind, where=value.path, found=value.value, wanted=f"one {name}")
    return DigestSet(tuple(Digest(name, text) for name, text in found.items()))
