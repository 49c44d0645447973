"""Where in a log of tiles does an entry stand that is there already?

C2SP tlog-tiles: the tree's hashes lie in tiles of 256, ``tile/<level>/<index>``, the last of a level in part
(``.p/<width>``); the index is written in groups of three digits, all but the last with an ``x``: ``x001/x234/067``.
From them and the checkpoint follows the inclusion proof of any entry (RFC 6962, section 2.1.1).
"""

from __future__ import annotations

from collections.abc import Callable

from glasswing_attest.artifact.merkle import node_hash
from glasswing_attest.errors import FieldRefused

__all__ = ["proof_from_tiles", "tile_path"]

_HEIGHT = 8
_WIDTH = 1 << _HEIGHT
_HASH = 32


def tile_path(level: int, index: int, width: int = _WIDTH) -> str:
    """Give where a tile of hashes is read.

    >>> tile_path(0, 1234067), tile_path(1, 5, 7)
    ('tile/0/x001/x234/067', 'tile/1/005.p/7')
    """
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}" + ("" if width == _WIDTH else f".p/{width}")


def proof_from_tiles(index: int, size: int, fetch: Callable[[str], bytes]) -> tuple[bytes, ...]:
    """Give the audit path of the leaf at `index` in a tree of `size` leaves. `fetch` reads a tile by its path.

    Raises:
        FieldRefused: no such leaf, or a tile without the hashes that it must hold.
    """
    if not 0 <= index < size:
        raise FieldRefused(where="index", found=index, wanted=f"one below the tree's size, {size}")
    tiles: dict[str, bytes] = {}

    def stored(level: int, number: int) -> bytes:
        """The hash of the perfect subtree of 2^level leaves with this number."""
        tile_level, within = divmod(level, _HEIGHT)
        if within:
            return node_hash(stored(level - 1, 2 * number), stored(level - 1, 2 * number + 1))
        tile, at = divmod(number, _WIDTH)
        width = min((size >> (tile_level * _HEIGHT)) - tile * _WIDTH, _WIDTH)
        path = tile_path(tile_level, tile, width)
        if path not in tiles:
            tiles[path] = fetch(path)
            if len(tiles[path]) != width * _HASH:
                raise FieldRefused(where=path, found=f"{len(tiles[path])} bytes", wanted=f"{width * _HASH}")
        return tiles[path][at * _HASH : (at + 1) * _HASH]

    def root(start: int, end: int) -> bytes:
        """The hash over the leaves from `start` up to `end`, where `start` is where a subtree begins."""
        count = end - start
        if count & (count - 1) == 0:
            return stored(count.bit_length() - 1, start // count)
        at = start + (1 << (count - 1).bit_length() - 1)
        return node_hash(root(start, at), root(at, end))

    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        at = start + (1 << (end - start - 1).bit_length() - 1)
        if index < at:
            path.append(root(at, end))
            end = at
        else:
            path.append(root(start, at))
            start = at
    return tuple(reversed(path))
