r"""Does this one file belong to a tree of which only size and root are known?

An `InclusionProof` answers for a file of a tree, or a directory of a tree of manifests; a `ConsistencyProof` for two
trees, of which one holds all the leaves of the other, in front of its own. Neither holds a root: what it leads to is
compared with a `TreeHead`. A proof is not signed, need not be trusted, and says nothing by itself; all that is proved
rests on that head. `Report.open_part` takes it from the records that an accepted chain rests on.

As JSON, written canonically and read strictly (``docs/spec/merkle-tree.md``)::

    {"file": {"name": "a.bin", "sha256": "…", "size": "8"}, "format": "glasswing-attest inclusion proof 1",
     "hashes": ["<base64 of 32 bytes>", …], "index": "5", "treeSize": "200"}

    {"format": "glasswing-attest consistency proof 1", "hashes": […], "newSize": "9", "oldSize": "7"}

and as the protobuf messages of ``proto/glasswing/attest/v1/proof.proto``.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from glasswing_attest._files import StrPath, read_bounded, write_atomic
from glasswing_attest._proto import proof_pb2
from glasswing_attest._proto.manifest_pb2 import FileEntry as FileMessage
from glasswing_attest._wire import Node, canonical_json, encode_base64, parse_proto, read_json
from glasswing_attest.artifact.digest import DigestSet, Form
from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.artifact.leaves import Directory, Entry, check_file, leaf, leaf_hashes, leaf_order, place
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.merkle import HASH_SIZE, HashTree, TreeHead, check_subtree, inclusion_root, leaf_hash
from glasswing_attest.artifact.opened import VerifiedFile, open_verified
from glasswing_attest.errors import (
    DigestRefused,
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    NotExtended,
    PartUnproven,
    UsageError,
)
from glasswing_attest.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from typing import Self

__all__ = ["ConsistencyProof", "InclusionProof", "MerkleTree", "prove"]

_INCLUSION = "glasswing-attest inclusion proof 1"
_CONSISTENCY = "glasswing-attest consistency proof 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That one file, or one directory, belongs to a tree. Proves nothing until it is checked against a head.

    Attributes:
        entry: what belongs: a file with name, size and SHA-256, or a directory of a tree of manifests.
        index: the place of its leaf, counted from 0.
        tree_size: how many leaves the tree has.
        hashes: the siblings on the way to the root.
    """

    entry: Entry
    index: int
    tree_size: int
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashes", tuple(self.hashes))
        if isinstance(self.entry, FileEntry):
            check_file(self.entry, "proof.file")
            # Only what the leaf commits to: whatever else was known of the file is not proved.
            kept = FileEntry(name=self.entry.name, size=self.entry.size, sha256=self.entry.sha256)
            object.__setattr__(self, "entry", kept)
        _check_count(self.tree_size, "proof.treeSize", least=1)
        _check_count(self.index, "proof.index", least=0)
        if self.index >= self.tree_size:
            raise FieldRefused(
                where="proof.index", found=self.index, wanted=f"less than {self.tree_size}, the tree size"
            )
        _check_hashes(self.hashes)

    def check(self, head: TreeHead, *, directory: InclusionProof | None = None) -> Entry:
        """Give the entry, now that it is proved to belong to the tree of this size and root.

        Which file it is stands in what is given: its name, from the root of the whole, is proved as its bytes are. A
        proof for another file of the same tree is as true.

        Args:
            head: what is believed of the tree.
            directory: where `head` is of a tree of manifests, and this proof of a file within one of its directories:
                the proof of that directory.

        Raises:
            PartUnproven: it is not proved to.
        """
        if directory is None:
            return self._check(head)
        try:
            within = directory._check(head)
        except PartUnproven as e:
            raise e.moved(e.where.replace("proof", "directory", 1)) from e
        if not isinstance(within, Directory):
            raise PartUnproven(where="directory.file", found=within.name, wanted="a proof of a directory")
        entry = self._check(within.head)
        if not isinstance(entry, FileEntry):
            raise PartUnproven(where="proof.directory", found=entry.name, wanted="a proof of a file of the directory")
        return replace(entry, name=f"{within.name}/{entry.name}")

    def _check(self, head: TreeHead) -> Entry:
        if not isinstance(head, TreeHead):
            raise UsageError(where="head", found=type(head).__name__, wanted="a TreeHead: the size and the root")
        if self.tree_size != head.size:
            raise PartUnproven(where="proof.treeSize", found=self.tree_size, wanted=head.size)
        try:
            found = inclusion_root(leaf_hash(leaf(self.entry)), index=self.index, size=head.size, hashes=self.hashes)
        except PartUnproven as e:
            raise e.moved(f"proof.{e.where}") from e
        if found != head.root:
            because = f"{self.entry.name} is not what the tree holds there"
            raise PartUnproven(where="proof", because=because, found=found.hex(), wanted=head.root.hex())
        return self.entry

    def open(
        self, head: TreeHead, name: str, path: StrPath, *, directory: InclusionProof | None = None
    ) -> VerifiedFile:
        """Open the file `name` of the tree, which lies at `path` here. Its bytes are checked as they are read.

        The path decides nothing. The name does: a proof of another file of the same tree is as true, and refused.

        Raises:
            PartUnproven: it is not proved to belong, as `check` says, or another file is, or a directory.
            ArtifactError: it cannot be opened.
            Mismatch: on reading, when these are not the bytes that belong.
        """
        entry = self.check(head, directory=directory)
        if isinstance(entry, Directory):
            raise PartUnproven(where="proof.directory", found=entry.name, wanted="a proof of a file")
        if entry.name != name:
            raise PartUnproven(where="proof.file.name", found=entry.name, wanted=name)
        digests = DigestSet.of(sha256=entry.sha256)
        found = Manifest(
            kind="file", form=Form.FILE, digests=digests, files=(entry,), is_declared=True, location=Path(path)
        )
        return open_verified(found)

    # --- the written forms --------------------------------------------------------------------------------------------

    def to_json(self) -> bytes:
        """Give the proof as canonical JSON."""
        entry = self.entry
        written: dict[str, object]
        if isinstance(entry, Directory):
            written = {"directory": _written_directory(entry)}
        else:
            written = {"file": {"name": entry.name, "size": str(entry.size), "sha256": entry.sha256}}
        numbers = {"index": str(self.index), "treeSize": str(self.tree_size)}
        return canonical_json({"format": _INCLUSION, **written, **numbers, "hashes": _encoded(self.hashes)})

    @classmethod
    def from_json(cls, data: bytes, *, limits: Limits = DEFAULT) -> Self:
        """Read the proof strictly.

        Raises:
            MalformedError: the bytes are not strict JSON, or not an inclusion proof.
            FormatUnsupported: they are something else, or a later version.
            LimitError: too large, or too many hashes.
        """
        node = _read(data, _INCLUSION, limits)
        file, directory = node.get("file"), node.get("directory")
        entry: Entry
        if file is not None and directory is None:
            size, sha256 = file.need("size").uint64(), file.need("sha256").text()
            entry = FileEntry(name=_name(file, limits), size=size, sha256=sha256)
        elif directory is not None and file is None:
            entry = _read_directory(directory, limits)
        else:
            found = "neither" if file is None else "both"
            raise FieldRefused(where="proof", found=found, wanted="either a file or a directory")
        return cls(
            entry=entry,
            index=node.need("index").uint64(),
            tree_size=node.need("treeSize").uint64(),
            hashes=_hashes(node, limits),
        )

    def to_proto(self) -> bytes:
        """Encode as ``glasswing.attest.v1.InclusionProof``, deterministically."""
        message = proof_pb2.InclusionProof(index=self.index, tree_size=self.tree_size, hashes=self.hashes)
        if isinstance(self.entry, Directory):
            message.directory.CopyFrom(directory_message(self.entry))
        else:
            message.file.CopyFrom(
                FileMessage(name=self.entry.name, size=self.entry.size or 0, sha256=self.entry.sha256)
            )
        return message.SerializeToString(deterministic=True)

    @classmethod
    def from_proto(cls, data: bytes, *, limits: Limits = DEFAULT) -> Self:
        """Decode and check, by the rules of the JSON form.

        Raises:
            MalformedError: `NotProtobuf`, or a field that does not hold what it must.
            LimitError: too large, or too many hashes.
        """
        limits.check("proof_bytes", len(data), where="proof")
        message = parse_proto(proof_pb2.InclusionProof, data, where="proof", limits=limits)
        held = message.WhichOneof("entry")
        if held is None:
            raise FieldMissing(where="proof.file")
        entry: Entry
        if held == "file":
            limits.check("name_bytes", len(message.file.name.encode("utf-8")), where="proof.file.name")
            entry = FileEntry(name=message.file.name, size=message.file.size, sha256=message.file.sha256)
        else:
            entry = directory_of(message.directory, "proof.directory", limits)
        limits.check("proof_hashes", len(message.hashes), where="proof.hashes")
        return cls(entry=entry, index=message.index, tree_size=message.tree_size, hashes=tuple(message.hashes))

    def write(self, path: StrPath) -> None:
        """Write the JSON form to a file, whole or not at all. Raises `UnavailableError` where that fails."""
        write_atomic(path, self.to_json() + b"\n")

    @classmethod
    def load(cls, path: StrPath, *, limits: Limits = DEFAULT) -> Self:
        """Read the JSON form from a file. Raises `ArtifactUnreadable`, or what `from_json` raises."""
        return cls.from_json(read_bounded(path, "proof_bytes", limits), limits=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyProof:
    """That a tree holds all leaves of another one, unchanged and in front of its own.

    It speaks of leaves, not of names: a further leaf may say otherwise of a file that is there already. Only
    `extension.extends`, which has the manifest, tells that none does.

    Attributes:
        old_size: how many leaves the other has.
        new_size: how many leaves the tree has.
        hashes: the nodes that lead to both roots.
    """

    old_size: int
    new_size: int
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashes", tuple(self.hashes))
        _check_count(self.old_size, "proof.oldSize", least=1)
        _check_count(self.new_size, "proof.newSize", least=1)
        if self.old_size > self.new_size:
            raise FieldRefused(where="proof.oldSize", found=self.old_size, wanted=f"at most {self.new_size}")
        _check_hashes(self.hashes)

    def check(self, old: TreeHead, new: TreeHead) -> None:
        """Check that the leaves of `old` are the first ones of `new`.

        Raises:
            NotExtended: they are not, or the proof is about other trees.
        """
        for where, found, wanted in (("oldSize", self.old_size, old.size), ("newSize", self.new_size, new.size)):
            if found != wanted:
                raise NotExtended(where=f"proof.{where}", found=found, wanted=wanted)
        try:
            check_subtree(old.root, new, start=0, end=old.size, hashes=self.hashes)
        except NotExtended as e:
            raise e.moved(f"proof.{e.where}") from e

    def to_json(self) -> bytes:
        """Give the proof as canonical JSON."""
        numbers = {"oldSize": str(self.old_size), "newSize": str(self.new_size)}
        return canonical_json({"format": _CONSISTENCY, **numbers, "hashes": _encoded(self.hashes)})

    @classmethod
    def from_json(cls, data: bytes, *, limits: Limits = DEFAULT) -> Self:
        """Read the proof strictly. Raises what `InclusionProof.from_json` raises."""
        node = _read(data, _CONSISTENCY, limits)
        sizes = {"old_size": node.need("oldSize").uint64(), "new_size": node.need("newSize").uint64()}
        return cls(**sizes, hashes=_hashes(node, limits))

    def to_proto(self) -> bytes:
        """Encode as ``glasswing.attest.v1.ConsistencyProof``, deterministically."""
        message = proof_pb2.ConsistencyProof(old_size=self.old_size, new_size=self.new_size, hashes=self.hashes)
        return message.SerializeToString(deterministic=True)

    @classmethod
    def from_proto(cls, data: bytes, *, limits: Limits = DEFAULT) -> Self:
        """Decode and check, by the rules of the JSON form. Raises what `InclusionProof.from_proto` raises."""
        limits.check("proof_bytes", len(data), where="proof")
        message = parse_proto(proof_pb2.ConsistencyProof, data, where="proof", limits=limits)
        limits.check("proof_hashes", len(message.hashes), where="proof.hashes")
        return cls(old_size=message.old_size, new_size=message.new_size, hashes=tuple(message.hashes))


class MerkleTree:
    """The tree over sorted entries, kept so that each further proof costs next to nothing. See `MerkleTree.of`.

    Attributes:
        head: size and root.
    """

    __slots__ = ("_entries", "_leaves", "_places", "head")

    def __init__(self, entries: Sequence[Entry], order: Sequence[int] | None = None) -> None:
        self._entries = entries
        # For each entry the place of its leaf; None where leaves stand in the order of the entries.
        self._places: array[int] | None = None
        if order is not None:
            self._places = array("Q", bytes(8 * len(order)))
            for place_, number in enumerate(order):
                self._places[number] = place_
        self._leaves = HashTree(leaf_hashes(entries if order is None else (entries[i] for i in order)))
        self.head = self._leaves.head

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Make the tree of a measured directory. Raises what `head_of` raises."""
        order = leaf_order(manifest)
        return cls(manifest.files, order if manifest.generations else None)

    def proof(self, name: str) -> InclusionProof:
        """Prove that the file, or directory, of this name belongs.

        Raises:
            UsageError: there is none of this name.
        """
        number = self._number(name)
        index = number if self._places is None else self._places[number]
        hashes = self._leaves.inclusion(index)
        return InclusionProof(entry=self._entries[number], index=index, tree_size=self.head.size, hashes=hashes)

    def _number(self, name: str) -> int:
        if not isinstance(name, str):
            raise UsageError(where="name", found=type(name).__name__, wanted="the name of a file, from the root")
        key = name.encode("utf-8", "surrogatepass")
        for wanted in (key, key + b"/"):  # a file's place, and a directory's
            at = bisect_left(self._entries, wanted, key=place)
            if at < len(self._entries) and self._entries[at].name == name:
                return at
        raise UsageError(where=name, because="the tree holds nothing of this name")

    def consistency(self, old_size: int) -> ConsistencyProof:
        """Prove that the first `old_size` leaves are a tree of their own. Raises `FieldRefused` for what is no size."""
        hashes = self._leaves.consistency(0, old_size)
        return ConsistencyProof(old_size=old_size, new_size=self.head.size, hashes=hashes)


def prove(manifest: Manifest, name: str) -> InclusionProof:
    """Prove that one file belongs to a measured tree. For many proofs of one tree, keep a `MerkleTree`.

    Raises:
        UsageError: the manifest is of no tree, does not know its sizes, or holds no such file.
    """
    return MerkleTree.of(manifest).proof(name)


# --- what the forms have in common -----------------------------------------------------------------------------------


def directory_message(directory: Directory) -> proof_pb2.Directory:
    """Give a directory as its message."""
    return proof_pb2.Directory(
        name=directory.name,
        files=directory.files,
        total_bytes=directory.total_bytes,
        dir_hash=directory.dir_hash,
        merkle_root=directory.merkle_root,
    )


def directory_of(message: proof_pb2.Directory, where: str, limits: Limits) -> Directory:
    """Read a directory from its message."""
    limits.check("name_bytes", len(message.name.encode("utf-8")), where=f"{where}.name")
    with _at(where):
        return Directory(
            name=message.name,
            files=message.files,
            total_bytes=message.total_bytes,
            dir_hash=message.dir_hash,
            merkle_root=message.merkle_root,
        )


def _written_directory(directory: Directory) -> dict[str, object]:
    numbers = {"files": str(directory.files), "totalBytes": str(directory.total_bytes)}
    digests = {"dirHash": directory.dir_hash, "merkleRoot": directory.merkle_root}
    return {"name": directory.name, **numbers, **digests}


def _read_directory(node: Node, limits: Limits) -> Directory:
    name = _name(node, limits)
    files, total_bytes = node.need("files").uint64(), node.need("totalBytes").uint64()
    dir_hash, merkle_root = node.need("dirHash").text(), node.need("merkleRoot").text()
    with _at(node.path):
        return Directory(name=name, files=files, total_bytes=total_bytes, dir_hash=dir_hash, merkle_root=merkle_root)


@contextmanager
def _at(where: str) -> Generator[None]:
    """Tell what a directory refuses by its place in what is read."""
    try:
        yield
    except (FieldRefused, DigestRefused) as e:
        raise e.moved(e.where.replace("directory", where, 1)) from e


def _name(node: Node, limits: Limits) -> str:
    name = node.need("name")
    text = name.text()
    limits.check("name_bytes", len(text.encode("utf-8")), where=name.path)
    return text


def _read(data: bytes, wanted: str, limits: Limits) -> Node:
    node = read_json(data, where="proof", limits=limits, bound="proof_bytes")
    found = node.need("format").text()
    if found != wanted:
        raise FormatUnsupported(where="proof.format", found=found, wanted=wanted)
    return node


def _hashes(node: Node, limits: Limits) -> tuple[bytes, ...]:
    hashes = node.get_array("hashes")
    limits.check("proof_hashes", len(hashes), where="proof.hashes")
    return tuple(item.bytes() for item in hashes)


def _encoded(hashes: Sequence[bytes]) -> list[str]:
    return [encode_base64(node) for node in hashes]


def _check_count(count: int, where: str, *, least: int) -> None:
    if not least <= count < 2**63:
        raise FieldRefused(where=where, found=count, wanted=f"a number from {least}, below 2^63")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    for i, node in enumerate(hashes):
        if len(node) != HASH_SIZE:
            raise FieldRefused(where=f"proof.hashes[{i}]", found=f"{len(node)} bytes", wanted=f"{HASH_SIZE} bytes")
