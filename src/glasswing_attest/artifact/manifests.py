"""How do many manifests, made by many workers, become one tree?

Each worker measures a directory of the whole, and keeps its manifest. A `ManifestTree` holds them in a few figures
each, as `Directory`, beside the files that lie in none of them. Its head is what a record can attest, and proofs lead
from a file to its directory and from there to the whole, without any other manifest.

Where every manifest is at hand, `ManifestTree.files_of` gives all files in the order of the whole's listing, one
manifest in memory at a time, and `sum_up` gives what measuring the whole at once would have given: `dirHash`, Merkle
head and size. `merge` does it for workers that took files, not directories.

Nothing is counted twice: no directory lies within another, and no name occurs twice.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from glasswing_attest._proto import proof_pb2
from glasswing_attest._wire import parse_proto
from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.artifact.leaves import Directory, Entry, check_file, leaf_hashes, place
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.merkle import TreeHead, head_of_hashes
from glasswing_attest.artifact.proofs import InclusionProof, MerkleTree, directory_message, directory_of
from glasswing_attest.errors import ArtifactEmpty, FieldRefused, Mismatch
from glasswing_attest.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from typing import Self

__all__ = ["ManifestTree", "Totals", "merge", "sum_up"]

_E = TypeVar("_E", bound=Entry)
_SLASH = ord("/")


@dataclass(frozen=True, kw_only=True)
class ManifestTree:
    """A manifest of manifests: what the directories of a tree are.

    Attributes:
        directories: sorted by the UTF-8 bytes of their names and ``/``, in whatever order they are given.
        files: those that lie in none of them, such as a README at the top.
    """

    directories: tuple[Directory, ...] = ()
    files: tuple[FileEntry, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "directories", tuple(sorted(self.directories, key=place)))
        object.__setattr__(self, "files", tuple(sorted(self.files, key=place)))
        if not self.entries:
            raise ArtifactEmpty(where="manifestTree")
        for i, entry in enumerate(self.files):
            check_file(entry, f"manifestTree.files[{i}]")
        for _ in _in_order(self.entries, "manifestTree"):
            pass

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Directories and files, in the order of the leaves."""
        return tuple(sorted((*self.directories, *self.files), key=place))

    @cached_property
    def _tree(self) -> MerkleTree:
        return MerkleTree(self.entries)

    @property
    def head(self) -> TreeHead:
        """How many entries there are, and their Merkle root."""
        return self._tree.head

    def proof(self, name: str) -> InclusionProof:
        """Prove that a directory, or a file that lies in none, belongs. Raises `UsageError` where there is none."""
        return self._tree.proof(name)

    def files_of(self, load: Callable[[str], Manifest]) -> Iterator[FileEntry]:
        """Give every file of the whole, by its name in the whole, in the order of its listing.

        `load` gives the manifest of a directory by its name. It is called for one after the other.

        Raises:
            Mismatch: what it gives is not the manifest of that directory.
        """
        for entry in self.entries:
            if isinstance(entry, FileEntry):
                yield entry
                continue
            manifest = load(entry.name)
            found = Directory.of(entry.name, manifest)
            if found != entry:
                raise Mismatch(where=entry.name, found=f"dirHash {found.dir_hash}", wanted=f"dirHash {entry.dir_hash}")
            for file in manifest.files:
                yield FileEntry(name=f"{entry.name}/{file.name}", size=file.size, sha256=file.sha256)

    def to_proto(self) -> bytes:
        """Encode as ``glasswing.attest.v1.ManifestTree``, deterministically."""
        message = proof_pb2.ManifestTree(directories=[directory_message(d) for d in self.directories])
        for entry in self.files:
            message.files.add(name=entry.name, size=entry.size or 0, sha256=entry.sha256)
        return message.SerializeToString(deterministic=True)

    @classmethod
    def from_proto(cls, data: bytes, *, limits: Limits = DEFAULT) -> Self:
        """Decode and check: names, order, figures, and that nothing overlaps. Whoever wrote it may have invented it.

        Raises:
            MalformedError: `NotProtobuf`, `FieldRefused` or `DigestRefused`.
            ArtifactEmpty: it holds nothing.
            LimitError: too large, or too many entries.
        """
        message = parse_proto(proof_pb2.ManifestTree, data, where="manifestTree", limits=limits)
        limits.check("tree_files", len(message.directories) + len(message.files), where="manifestTree")
        directories = tuple(
            directory_of(m, f"manifestTree.directories[{i}]", limits) for i, m in enumerate(message.directories)
        )
        files = tuple(FileEntry(name=m.name, size=m.size, sha256=m.sha256) for m in message.files)
        for i, file in enumerate(files):
            limits.check("name_bytes", len(file.name.encode("utf-8")), where=f"manifestTree.files[{i}].name")
        found = cls(directories=directories, files=files)
        if directories != found.directories or files != found.files:
            raise FieldRefused(where="manifestTree", because="the names are not sorted by their UTF-8 bytes")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a tree is in all: its ``dirHash``, its Merkle head over all files, and the sum of their sizes."""

    dir_hash: str
    head: TreeHead
    total_bytes: int


def sum_up(files: Iterable[FileEntry]) -> Totals:
    """Sum up files in the order of the listing, in one pass and without keeping them.

    Raises:
        FieldRefused: they are not in that order, a name occurs twice, or a file is a directory too.
        ArtifactEmpty: there are none.
        UsageError: a size is not known.
    """
    listing = hashlib.sha256()
    total = 0

    def told() -> Iterator[FileEntry]:
        nonlocal total
        for i, entry in enumerate(_in_order(files, "files")):
            check_file(entry, f"files[{i}]")
            listing.update(entry.line.encode("utf-8"))
            total += entry.size or 0
            yield entry

    entries = told()
    first = next(entries, None)
    if first is None:
        raise ArtifactEmpty(where="files")
    head = head_of_hashes(leaf_hashes(chain((first,), entries)))
    return Totals(dir_hash=listing.hexdigest(), head=head, total_bytes=total)


def merge(parts: Iterable[Iterable[FileEntry]]) -> Iterator[FileEntry]:
    """Merge files that several workers measured, each part in the order of a listing, into the order of the whole's.

    Names are relative to the root of the whole. Only one file of each part is held at a time.

    Raises:
        FieldRefused: a part is not in order, two parts hold the same name, or a file is a directory too.
    """
    ordered = (_in_order(part, f"parts[{i}]") for i, part in enumerate(parts))
    return _in_order(heapq.merge(*ordered, key=place), "parts")


def _in_order(entries: Iterable[_E], where: str) -> Iterator[_E]:
    """Give the entries as they are, and refuse disorder, a name that occurs twice, and one that lies within another."""
    last: bytes | None = None
    # The names that this one begins with. All that begin with one name stand together, but ``a`` and ``a/b`` may have
    # others between them, such as ``a-b``.
    shorter: list[bytes] = []
    for entry in entries:
        here = place(entry)
        if last is not None and here <= last:
            because = "it occurs twice" if here == last else "the names are not sorted by their UTF-8 bytes"
            raise FieldRefused(where=where, found=entry.name, because=because)
        while shorter and not here.startswith(shorter[-1]):
            shorter.pop()
        for name in shorter:
            if here[len(name)] == _SLASH:
                because = f"it lies within {name.decode('utf-8', 'surrogatepass')}, which is listed too"
                raise FieldRefused(where=where, found=entry.name, because=because)
        shorter.append(entry.name.encode("utf-8", "surrogatepass"))
        last = here
        yield entry
