"""Does this leaf stand in the tree of that root?

RFC 6962, section 2.1: leaves are hashed as ``H(0x00 ‖ leaf)``, nodes as ``H(0x01 ‖ left ‖ right)``, H is SHA-256. The
proof is checked as RFC 9162, section 2.1.3.2, has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from glasswing_attest.errors import NotLogged

__all__ = ["inclusion_root", "leaf_hash"]

_SIZE = hashlib.sha256().digest_size


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def inclusion_root(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Give the root that the proof leads to from a leaf's hash at `index` of a tree of `size` leaves.

    The caller compares it with a root that a log has signed. Raises `NotLogged` for a proof that fits no such tree.

    >>> inclusion_root(leaf_hash(b"only"), index=0, size=1, proof=[]) == leaf_hash(b"only")
    True
    """
    if not 0 <= index < size:
        raise NotLogged(where="inclusionProof.logIndex", found=index, wanted=f"an index below the tree size {size}")
    if any(len(node) != _SIZE for node in proof) or len(leaf) != _SIZE:
        raise NotLogged(where="inclusionProof.hashes", because="a hash is not 32 bytes long")
    at, last, found = index, size - 1, leaf
    for node in proof:
        if last == 0:
            raise NotLogged(where="inclusionProof.hashes", because="the proof is too long for its tree")
        if at & 1 or at == last:
            found = _node_hash(node, found)
            # A right-most node without a sibling moves up until it has one.
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            found = _node_hash(found, node)
        at >>= 1
        last >>= 1
    if last:
        raise NotLogged(where="inclusionProof.hashes", because="the proof is too short for its tree")
    return found
