r"""What does a leaf of an artifact's Merkle tree commit to?

To everything that is known of a file: name, size and SHA-256. It is text, so that a person can redo it. A file::

    glasswing-attest leaf 1\n
    <size, in decimal>\n
    <64 hex digits><space><space><name>\n                                    its line in the listing

A directory, in a tree of manifests::

    glasswing-attest directory 1\n
    <files> <total bytes> <64 hex digits of its Merkle root>\n
    <64 hex digits of its dirHash><space><space><name>\n

A name holds no line end, and every other part has one spelling: so a leaf has one reading. The first line keeps files
and directories apart, and both from the leaves of any other tree. The hash over them is `merkle.leaf_hash`; see
``docs/spec/merkle-tree.md``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from glasswing_attest.artifact.files import FileEntry, name_problem
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.merkle import TreeHead, head_of_hashes, leaf_hash
from glasswing_attest.errors import DigestRefused, FieldRefused, UsageError

__all__ = ["Directory", "Entry", "check_file", "head_of", "in_leaf_order", "leaf", "leaf_hashes", "leaf_order", "place"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The manifest of one directory of a larger tree, in a few figures.

    Attributes:
        name: relative to the root of the whole.
        files: how many files it holds.
        total_bytes: the sum of their sizes.
        dir_hash: its ``dirHash``; names are relative to the directory.
        merkle_root: its Merkle root, over `files` leaves.
    """

    name: str
    files: int
    total_bytes: int
    dir_hash: str
    merkle_root: str

    def __post_init__(self) -> None:
        problem = name_problem(self.name)
        if problem:
            raise FieldRefused(where="directory.name", found=self.name, because=problem)
        for name, value in (("dirHash", self.dir_hash), ("merkleRoot", self.merkle_root)):
            if not _SHA256.fullmatch(value):
                raise DigestRefused(where=f"directory.{name}", found=value, wanted="64 lowercase hex digits")
        for name, count, least in (("files", self.files, 1), ("totalBytes", self.total_bytes, 0)):
            if not least <= count < 2**63:
                raise FieldRefused(where=f"directory.{name}", found=count, wanted=f"a number from {least}, below 2^63")

    @property
    def head(self) -> TreeHead:
        """What proofs of its own files are checked against."""
        return TreeHead(size=self.files, root=bytes.fromhex(self.merkle_root))

    @classmethod
    def of(cls, name: str, manifest: Manifest) -> Directory:
        """Sum up the manifest of the directory `name`.

        Raises:
            UsageError: it is of no tree, or does not know its sizes.
        """
        head = head_of(manifest)
        return cls(
            name=name,
            files=head.size,
            total_bytes=manifest.total_bytes,
            dir_hash=manifest.digests.get("dirHash") or "",
            merkle_root=head.root.hex(),
        )


Entry: TypeAlias = FileEntry | Directory
"""What a leaf is about."""


def leaf(entry: Entry) -> bytes:
    r"""Give the bytes of an entry's leaf.

    >>> leaf(FileEntry(name="a", size=4, sha256="ab" * 32)).splitlines()[:2]
    [b'glasswing-attest leaf 1', b'4']
    """
    if isinstance(entry, Directory):
        figures = f"{entry.files} {entry.total_bytes} {entry.merkle_root}"
        return f"glasswing-attest directory 1\n{figures}\n{entry.dir_hash}  {entry.name}\n".encode()
    if entry.size is None:
        because = "its size is not known, so it has no leaf"
        raise UsageError(where=entry.name, because=because, do="measure the files: a bare listing tells no sizes")
    return f"glasswing-attest leaf 1\n{entry.size}\n{entry.line}".encode()


def leaf_hashes(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Give the hash of each entry's leaf.

    One after the other: leaves are short, and for short inputs hashlib keeps the interpreter's lock.
    """
    return (leaf_hash(leaf(entry)) for entry in entries)


def leaf_order(manifest: Manifest) -> Sequence[int]:
    """Give the numbers of a tree's files in the order of its leaves: that of the versions that brought them.

    Raises:
        UsageError: the manifest lists no files of a tree.
    """
    if not isinstance(manifest, Manifest):
        raise UsageError(where="manifest", found=type(manifest).__name__, wanted="a Manifest, as measure() gives it")
    if manifest.digests.get("dirHash") is None or not manifest.files:
        raise UsageError(where=manifest.name or manifest.kind, because="this manifest lists no files of a directory")
    numbers = range(len(manifest.files))
    # Sorting is stable: within a generation the manifest's own order stays.
    return sorted(numbers, key=manifest.generations.__getitem__) if manifest.generations else numbers


def in_leaf_order(manifest: Manifest) -> Iterator[FileEntry]:
    """Give a tree's files in the order of its leaves, one after the other. Raises what `leaf_order` raises."""
    order = leaf_order(manifest)
    return (manifest.files[i] for i in order) if manifest.generations else iter(manifest.files)


def head_of(manifest: Manifest) -> TreeHead:
    """Give size and Merkle root of a measured tree.

    Raises:
        UsageError: it is of no tree, lists no files, or does not know their sizes.
    """
    return head_of_hashes(leaf_hashes(in_leaf_order(manifest)))


def place(entry: Entry) -> bytes:
    """By what entries are sorted: the bytes of the name; a directory stands where its files would."""
    name = entry.name.encode("utf-8", "surrogatepass")  # whatever is no name is refused in its turn, and not here
    return name + b"/" if isinstance(entry, Directory) else name


def check_file(entry: FileEntry, where: str) -> None:
    """Refuse a file whose name is not safe, whose digest is none, or whose size is not known or cannot be.

    Raises:
        FieldRefused: the name or the size.
        DigestRefused: the digest.
    """
    problem = name_problem(entry.name)
    if problem:
        raise FieldRefused(where=f"{where}.name", found=entry.name, because=problem)
    if not _SHA256.fullmatch(entry.sha256):
        raise DigestRefused(where=f"{where}.sha256", found=entry.sha256, wanted="64 lowercase hex digits")
    if entry.size is None or not 0 <= entry.size < 2**64 or (entry.size == 0) is not (entry.sha256 == _EMPTY):
        raise FieldRefused(where=f"{where}.size", found=entry.size, wanted="the size of what has this sha256")
