"""Does this leaf stand in the tree that a log signed?

RFC 6962, section 2.1, and RFC 9162, section 2.1.3.2, as `artifact.merkle` has them. What is refused is told in the
words of a bundle's inclusion proof.
"""

from __future__ import annotations

from collections.abc import Sequence

from glasswing_attest.artifact import merkle
from glasswing_attest.artifact.merkle import leaf_hash
from glasswing_attest.errors import NotLogged, PartUnproven

__all__ = ["inclusion_root", "leaf_hash"]

_NAMES = {"index": "inclusionProof.logIndex", "hashes": "inclusionProof.hashes"}


def inclusion_root(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Give the root that the proof leads to from a leaf's hash at `index` of a tree of `size` leaves.

    The caller compares it with a root that a log has signed. Raises `NotLogged` for a proof that fits no such tree.

    >>> inclusion_root(leaf_hash(b"only"), index=0, size=1, proof=[]) == leaf_hash(b"only")
    True
    """
    try:
        return merkle.inclusion_root(leaf, index=index, size=size, hashes=proof)
    except PartUnproven as e:
        raise NotLogged(where=_NAMES[e.where], found=e.found, wanted=e.wanted, because=e.because) from e
