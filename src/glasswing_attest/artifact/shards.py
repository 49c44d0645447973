"""What are the digests of the parts of large files?

SHA-256 is sequential: one file keeps one core busy, however many there are. Shards are parts of a fixed size, hashed
each by itself and so side by side; the last one is as long as what is left, and an empty file has none::

    [0, shard_size)  [shard_size, 2 * shard_size)  …  [n * shard_size, size)

They are named by OMS v1.0 (section 6.3.2), whose default is 10^9 bytes. The digest of the file does not follow from
theirs. What is refused of a tree, and that it must not change meanwhile, is as in `artifact.tree`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.reading import hash_spans
from glasswing_attest.artifact.tree import OnDisk
from glasswing_attest.errors import UsageError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["SHARD_SIZE", "FileShards", "hash_shards", "spans_of"]

SHARD_SIZE = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileShards:
    """One file in shards, each with its digest in hex: SHA-256, unless `algorithm` says otherwise.

    >>> FileShards(name="w", size=5, shard_size=4, digests=("ab" * 32, "cd" * 32)).spans
    ((0, 4), (4, 5))
    """

    name: str
    size: int
    shard_size: int
    digests: tuple[str, ...]
    algorithm: str = "sha256"

    def __post_init__(self) -> None:
        if self.shard_size < 1 or len(self.digests) != -(-self.size // self.shard_size):
            found, wanted = f"{len(self.digests)} shards", "one for each part of the file"
            raise UsageError(where=self.name, found=found, wanted=wanted)

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The first byte of each shard, and the one after its last."""
        return tuple(spans_of(self.size, self.shard_size))


def hash_shards(
    artifact: OnDisk,
    *,
    shard_size: int = SHARD_SIZE,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    executor: Executor | None = None,
) -> tuple[FileShards, ...]:
    """Hash the shards of every file of a directory, or of a single file, sorted by the bytes of their names.

    Raises:
        ArtifactError: as `OnDisk.measure`.
        LimitError: it is too large or too deep.
        UsageError: the size of a shard is not positive.
    """
    if shard_size < 1:
        raise UsageError(where="shard_size", found=str(shard_size), wanted="at least 1")
    with artifact.looking(limits) as looker:
        found, _ = hash_spans(looker, lambda size: spans_of(size, shard_size), progress, executor)
    return tuple(
        FileShards(name=name, size=size, shard_size=shard_size, digests=digests) for name, size, digests in found
    )


def spans_of(size: int, shard_size: int) -> Iterator[tuple[int, int]]:
    """Give the first byte of each shard of a file of this size, and the one after its last."""
    for start in range(0, size, shard_size):
        yield start, min(start + shard_size, size)
