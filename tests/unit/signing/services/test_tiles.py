"""Do a log's tiles give the inclusion proof that the whole tree gives?"""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest.errors import FieldRefused
from glasswing_attest.signing.services.tiles import proof_from_tiles, tile_path
from glasswing_attest.testing.log import inclusion_proof, tree_root


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % n).digest() for n in range(count)]


def tiles_of(hashes: list[bytes], asked: list[str] | None = None) -> dict[str, bytes]:
    """Every tile of a tree, as C2SP tlog-tiles lays them out."""
    found = {}
    level = 0
    row = hashes
    while row:
        for number in range(0, len(row), 256):
            part = row[number : number + 256]
            found[tile_path(level, number // 256, len(part))] = b"".join(part)
        row = [tree_root(row[at : at + 256]) for at in range(0, len(row) - 255, 256)]
        level += 1
    return found


LARGE = leaves(66_000)
LARGE_TILES = tiles_of(LARGE)


@given(st.integers(1, 600).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_the_proof_is_that_of_the_tree(place: tuple[int, int]) -> None:
    size, index = place
    hashes = LARGE[:size]
    tiles = tiles_of(hashes)
    assert list(proof_from_tiles(index, size, tiles.__getitem__)) == inclusion_proof(hashes, index)


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, 65_999])
def test_a_tree_of_three_levels(index: int) -> None:
    assert list(proof_from_tiles(index, len(LARGE), LARGE_TILES.__getitem__)) == inclusion_proof(LARGE, index)


def test_each_tile_is_read_once() -> None:
    asked: list[str] = []

    def fetch(path: str) -> bytes:
        asked.append(path)
        return LARGE_TILES[path]

    proof_from_tiles(65_999, len(LARGE), fetch)
    assert len(asked) == len(set(asked)) <= 6


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ((0, 0), "tile/0/000"),
        ((3, 999), "tile/3/999"),
        ((0, 1000), "tile/0/x001/000"),
        ((2, 1234067), "tile/2/x001/x234/067"),
        ((0, 5, 17), "tile/0/005.p/17"),
        ((1, 1005, 1), "tile/1/x001/005.p/1"),
    ],
)
def test_where_a_tile_lies(place: tuple[int, ...], path: str) -> None:
    assert tile_path(*place) == path


@pytest.mark.parametrize(("index", "size"), [(5, 5), (6, 5), (-1, 5), (0, 0)])
def test_no_such_leaf(index: int, size: int) -> None:
    with pytest.raises(FieldRefused) as refused:
        proof_from_tiles(index, size, lambda _: b"")
    assert (refused.value.code, refused.value.where, refused.value.found) == ("malformed.field", "index", index)


@pytest.mark.parametrize("tile", [b"", b"x" * 31, b"x" * (32 * 5 + 1), b"x" * 32 * 6])
def test_a_tile_of_another_size(tile: bytes) -> None:
    with pytest.raises(FieldRefused) as refused:
        proof_from_tiles(2, 5, lambda _: tile)
    assert (refused.value.code, refused.value.where) == ("malformed.field", "tile/0/000.p/5")
