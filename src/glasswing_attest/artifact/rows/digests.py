"""Which rows does a dataset hold: one value for many, in their order and without it?

The leaves are rows, as `encoding` has them, in an RFC 6962 tree. The **ordered** root has them in the order of the
files' names, and within a file in its own. The **unordered** root has them sorted by their leaf hashes, each as often
as it occurs. That makes it independent of the order, and as hard to collide as SHA-256: sums or exclusive-ors of hashes
are not. A root means something only with its count and its encoding; neither root is an identity of the dataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from glasswing_attest.artifact.manifest import Artifact, Manifest, measure
from glasswing_attest.artifact.merkle import HASH_SIZE, head_of_hashes, leaf_hash
from glasswing_attest.artifact.rows.encoding import ENCODING
from glasswing_attest.artifact.rows.tables import rows_of
from glasswing_attest.errors import ArtifactEmpty, UsageError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Overlap", "RowDigests", "SplitRows", "Splits", "digest_rows", "digest_splits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDigests:
    """The rows of a dataset, or of a part of it.

    Attributes:
        encoding: how a row becomes bytes.
        count: how many rows there are.
        ordered: the root over them in their order, in hex.
        unordered: the root over them sorted by their hashes, in hex.
        files: the names of the files that they were read from. Not part of equality.
        dataset: the manifest of the dataset that these files are of. Not part of equality.
    """

    encoding: str
    count: int
    ordered: str
    unordered: str
    files: tuple[str, ...] = field(compare=False, repr=False)
    dataset: Manifest = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRows:
    """A named part of a dataset, and its rows."""

    name: str
    rows: RowDigests

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its files."""
        return self.rows.files


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """So many different rows are in both of two splits."""

    first: str
    second: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """The splits of a dataset, and which of them share rows. They are disjoint where `overlaps` is empty."""

    splits: tuple[SplitRows, ...]
    overlaps: tuple[Overlap, ...]


class _Hashes:
    """The leaf hashes of many rows: 32 bytes a row, in 256 parts by their first byte."""

    __slots__ = ("_limits", "_parts", "count")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parts = [bytearray() for _ in range(256)]
        self.count = 0

    def take(self, manifest: Manifest, names: Iterable[str]) -> Iterator[bytes]:
        """Hash the rows of these files, keep the hashes, and pass them on."""
        for name in names:
            for row in rows_of(manifest, name, limits=self._limits):
                self.count += 1
                self._limits.check("rows", self.count, where=name)
                found = leaf_hash(row)
                self._parts[found[0]] += found
                yield found

    def part(self, number: int) -> list[bytes]:
        held = bytes(self._parts[number])
        return [held[i : i + HASH_SIZE] for i in range(0, len(held), HASH_SIZE)]

    def ordered(self) -> Iterator[bytes]:
        """Give them sorted, each as often as it occurs."""
        for number in range(256):
            yield from sorted(self.part(number))

    def shared(self, other: _Hashes) -> int:
        """Count the different ones that both hold."""
        return sum(len(set(self.part(n)).intersection(other.part(n))) for n in range(256))


def digest_rows(dataset: Artifact, paths: Iterable[str] | None = None, *, limits: Limits = DEFAULT) -> RowDigests:
    """Digest the rows of a dataset: of all of its files, or of those at `paths`, exact names or directories.

    Raises:
        RowsUnsupported: a file or value for which no encoding is defined. Nothing is left out silently.
        ArtifactEmpty: there is no row.
        MalformedError, Mismatch, LimitError: as in reading each file.
        UsageError: a path leads to no file.
    """
    manifest = measure(dataset, limits=limits)
    return _digest(manifest, _chosen(manifest, paths), _Hashes(limits))


def digest_splits(dataset: Artifact, splits: Mapping[str, Iterable[str]], *, limits: Limits = DEFAULT) -> Splits:
    """Digest the rows of each split, and count the rows that two of them share.

    Args:
        dataset: a `Dataset`, or its measured `Manifest`.
        splits: for each name, such as ``train``, the exact names of its files, or of directories.
        limits: bounds on rows.

    Raises:
        UsageError: no split, a path that leads to no file, a file in two splits.
        ArtifactEmpty: a split without a row.
        GlasswingError: as `digest_rows`.
    """
    given: object = splits
    if not isinstance(given, Mapping) or not given:
        found = "none" if isinstance(given, Mapping) else type(given).__name__
        raise UsageError(where="splits", found=found, wanted='at least one, such as {"train": ["train.csv"]}')
    manifest = measure(dataset, limits=limits)
    owners: dict[str, str] = {}
    parts: list[SplitRows] = []
    hashes: dict[str, _Hashes] = {}
    chosen = {name: _chosen(manifest, paths) for name, paths in splits.items()}
    for name, files in chosen.items():
        for file in files:
            if owners.setdefault(file, name) != name:
                raise UsageError(where=f"splits.{name}", found=file, because=f"the file is in {owners[file]} too")
    for name, files in chosen.items():
        hashes[name] = _Hashes(limits)
        parts.append(SplitRows(name=name, rows=_digest(manifest, files, hashes[name])))
    pairs = ((a, b, hashes[a].shared(hashes[b])) for a, b in combinations(hashes, 2))
    overlaps = tuple(Overlap(first=a, second=b, rows=count) for a, b, count in pairs if count)
    return Splits(splits=tuple(parts), overlaps=overlaps)


def _digest(manifest: Manifest, names: tuple[str, ...], hashes: _Hashes) -> RowDigests:
    first = next(taken := hashes.take(manifest, names), None)
    if first is None:
        raise ArtifactEmpty(where=", ".join(names), because="no row is in it")

    def all_of_them() -> Iterator[bytes]:
        yield first
        yield from taken

    ordered = head_of_hashes(all_of_them())
    unordered = head_of_hashes(hashes.ordered())
    return RowDigests(
        encoding=ENCODING,
        count=ordered.size,
        ordered=ordered.root.hex(),
        unordered=unordered.root.hex(),
        files=names,
        dataset=manifest,
    )


def _chosen(manifest: Manifest, paths: Iterable[str] | None) -> tuple[str, ...]:
    """Give the names of the files at these paths, in the order of the manifest."""
    names = [entry.name for entry in manifest.files]
    if not names or manifest.location is None:
        raise UsageError(where=manifest.name, found=manifest.digests.label, wanted="a dataset whose files were read")
    if paths is None:
        return tuple(names)
    if isinstance(paths, str):
        raise UsageError(where="paths", found=paths, wanted='a tuple of paths, such as ("train",)')
    wanted = list(paths)
    for path in wanted:
        if not any(name == path or name.startswith(f"{path}/") for name in names):
            raise UsageError(where="paths", found=path, because="there is no such file or directory in the dataset")
    if not wanted:
        raise UsageError(where="paths", found="none", wanted="at least one")
    return tuple(n for n in names if any(n == path or n.startswith(f"{path}/") for path in wanted))
