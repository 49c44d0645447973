"""How are many leaves one hash, and how is a part proved without the rest?

RFC 6962, section 2.1: leaves are hashed as ``H(0x00 ‖ leaf)``, nodes as ``H(0x01 ‖ left ‖ right)``, H is SHA-256; a
tree of n leaves splits at the largest power of two below n. Size and root are one value, a `TreeHead`: the root alone
does not tell how many leaves it stands for, and no proof can be checked without knowing it.

Inclusion proofs are those of RFC 9162, section 2.1.3. Consistency proofs are those of section 2.1.4, for a subtree that
need not begin at the first leaf (draft-ietf-plants-merkle-tree-certs, "Subtrees"); one that does is RFC 9162's.

Here are hashes only. What a leaf holds is decided by who makes the tree (`leaves`, or a log).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from glasswing_attest.errors import DigestRefused, FieldRefused, GlasswingError, NotExtended, PartUnproven

__all__ = [
    "HashTree",
    "TreeHead",
    "check_subtree",
    "head_of_hashes",
    "inclusion_root",
    "is_subtree",
    "leaf_hash",
    "node_hash",
]

HASH_SIZE = hashlib.sha256().digest_size
_SIZES = 2**63


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes into the one above them (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """How many leaves a tree has, and its root. Neither means anything alone, and neither is a digest of bytes.

    >>> TreeHead(size=0, root=leaf_hash(b""))
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.FieldRefused: head.size: the field does not hold what it must: found 0, wanted 1 or more ...
    """

    size: int
    root: bytes

    def __post_init__(self) -> None:
        # The tree of no leaves has a root too (of no bytes), and everybody's nothing would have the same one.
        if not 1 <= self.size < _SIZES:
            raise FieldRefused(where="head.size", found=self.size, wanted="1 or more leaves, fewer than 2^63")
        if len(self.root) != HASH_SIZE:
            raise DigestRefused(where="head.root", found=self.root, wanted=f"{HASH_SIZE} bytes")

    def __repr__(self) -> str:
        return f"TreeHead(size={self.size}, root={self.root.hex()[:12]}…)"


# --- making ----------------------------------------------------------------------------------------------------------


def head_of_hashes(hashes: Iterable[bytes]) -> TreeHead:
    """Give the head of the tree over these leaf hashes, in one pass that keeps one hash for each level.

    >>> head_of_hashes([leaf_hash(b"only")]).root == leaf_hash(b"only")
    True
    """
    peaks: list[bytes] = []
    size = 0
    for leaf in hashes:
        size += 1
        # As many full subtrees end at this leaf as its number, counted from one, has zero bits at its end.
        top, ending = leaf, size
        while not ending & 1:
            top = node_hash(peaks.pop(), top)
            ending >>= 1
        peaks.append(top)
    root = peaks.pop() if peaks else b""
    while peaks:
        root = node_hash(peaks.pop(), root)
    return TreeHead(size=size, root=root)


class HashTree:
    """Every node of a tree, so that a proof costs no hashing: 64 bytes a leaf.

    Attributes:
        head: size and root.
    """

    __slots__ = ("_levels", "head")

    def __init__(self, hashes: Iterable[bytes]) -> None:
        level = b"".join(hashes)
        self._levels = [level]
        pair = 2 * HASH_SIZE
        while len(level) > HASH_SIZE:
            whole = len(level) - len(level) % pair
            above = [hashlib.sha256(b"\x01" + level[at : at + pair]).digest() for at in range(0, whole, pair)]
            level = b"".join((*above, level[whole:]))  # a last node without a sibling moves up as it is
            self._levels.append(level)
        self.head = TreeHead(size=len(self._levels[0]) // HASH_SIZE, root=level)

    def node(self, start: int, end: int) -> bytes:
        """Give the root of the subtree over the leaves from `start` up to, not including, `end`."""
        height = (end - start - 1).bit_length()
        return self._at(height, start >> height)

    def _at(self, height: int, number: int) -> bytes:
        return self._levels[height][HASH_SIZE * number : HASH_SIZE * (number + 1)]

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """Give the siblings on the way from a leaf to the root (RFC 6962, section 2.1.1)."""
        path = []
        for height in range(len(self._levels) - 1):
            sibling = self._at(height, index >> height ^ 1)
            if sibling:
                path.append(sibling)
        return tuple(path)

    def consistency(self, start: int, end: int) -> tuple[bytes, ...]:
        """Give the proof that the subtree from `start` to `end` is one of this tree; from 0: RFC 6962, section 2.1.2.

        Raises:
            FieldRefused: there is no such subtree.
        """
        low, high = 0, self.head.size
        if not is_subtree(start, end, high):
            raise FieldRefused(where="subtree", found=f"{start} to {end} of {high} leaves", wanted="a subtree")
        path = []
        whole = True
        while (low, high) != (start, end):
            middle = low + (1 << (high - low - 1).bit_length() - 1)
            if end <= middle:
                path.append(self.node(middle, high))
                high = middle
            elif start >= middle:
                path.append(self.node(low, middle))
                low = middle
            else:
                # It goes on beyond the middle, and so began at `low`: what is left of it is told by its own root.
                path.append(self.node(low, middle))
                low = start = middle
                whole = False
        if not whole:
            path.append(self.node(low, high))
        return tuple(reversed(path))


# --- checking --------------------------------------------------------------------------------------------------------


def inclusion_root(leaf: bytes, *, index: int, size: int, hashes: Sequence[bytes]) -> bytes:
    """Give the root that the proof leads to from a leaf's hash at `index` of a tree of `size` leaves.

    The caller compares it with the root of a head that it believes, whose size it gave.

    Raises:
        PartUnproven: the proof fits no such tree.
    """
    if not 0 <= index < size:
        raise PartUnproven(where="index", found=index, wanted=f"an index below the tree size {size}")
    _check_sizes((leaf, *hashes), PartUnproven)
    at, last, found = index, size - 1, leaf
    for node in hashes:
        if last == 0:
            raise PartUnproven(where="hashes", because="the proof is too long for its tree")
        if at & 1 or at == last:
            found = node_hash(node, found)
            # A right-most node without a sibling moves up until it has one.
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            found = node_hash(found, node)
        at >>= 1
        last >>= 1
    if last:
        raise PartUnproven(where="hashes", because="the proof is too short for its tree")
    return found


def check_subtree(root: bytes, head: TreeHead, *, start: int, end: int, hashes: Sequence[bytes]) -> None:
    """Check that `root` is of the leaves from `start` up to, not including, `end` of the tree that `head` tells.

    With ``start=0`` this is the consistency of two trees, the first of them of `end` leaves.

    Raises:
        NotExtended: it is not, or the proof fits no such trees.
    """
    size = head.size
    if not is_subtree(start, end, size):
        raise NotExtended(where="size", found=f"leaves {start} to {end} of {size}", wanted="a part that has one root")
    _check_sizes((root, *hashes), NotExtended)
    first, last, final = start, end - 1, size - 1
    rest = list(hashes)
    # Up to where the part's own root can be seen from the larger tree; the proof tells what lies above.
    while first != last and (last == final or last & 1):
        first, last, final = first >> 1, last >> 1, final >> 1
    if first == last:
        of_part = of_whole = root
    else:
        if not rest:
            raise NotExtended(where="hashes", because="the proof is too short for its trees")
        of_part = of_whole = rest.pop(0)
    for node in rest:
        if final == 0:
            raise NotExtended(where="hashes", because="the proof is too long for its trees")
        if last & 1 or last == final:
            if first < last:
                of_part = node_hash(node, of_part)
            of_whole = node_hash(node, of_whole)
            while not last & 1:
                first, last, final = first >> 1, last >> 1, final >> 1
        else:
            of_whole = node_hash(of_whole, node)
        first, last, final = first >> 1, last >> 1, final >> 1
    if final:
        raise NotExtended(where="hashes", because="the proof is too short for its trees")
    for where, found, wanted in (("old.root", of_part, root), ("new.root", of_whole, head.root)):
        if found != wanted:
            raise NotExtended(where=where, because="the proof leads to another root", found=found.hex())


def is_subtree(start: int, end: int, size: int) -> bool:
    """Tell whether these leaves have a root of their own in the tree: they begin where one of their number can."""
    return 0 <= start < end <= size and start % (1 << (end - start - 1).bit_length()) == 0


def _check_sizes(hashes: Iterable[bytes], error: type[GlasswingError]) -> None:
    if any(len(node) != HASH_SIZE for node in hashes):
        raise error(where="hashes", because=f"a hash is not {HASH_SIZE} bytes long")
