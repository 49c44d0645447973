"""What was found on disk, as one value that everything else can hold?

A `Manifest` is what an artifact turns into when it is measured: its kind, its digests and, for files and trees, every
file with size and SHA-256. A tree's digest is in-toto's ``dirHash`` (Go's ``h1:``): SHA-256 over the listing that
``sha256sum`` prints for its files, sorted by the bytes of their names::

    <64 hex digits><space><space><name relative to the root, "/" between parts><LF>

`Manifest.listing` gives exactly these bytes, and ``sha256sum -c`` reads them. On the wire a manifest is the protobuf
message ``glasswing.attest.v1.Manifest``; what is read from there is checked as strictly as what is measured, and is a
declared manifest: whoever wrote it may have read the bytes, but nobody here did.
"""

from __future__ import annotations

import hashlib
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from glasswing_attest._files import StrPath, write_atomic
from glasswing_attest._wire import JsonObject, Node, decode_utf8, parse_proto
from glasswing_attest.artifact.digest import Digest, DigestSet, Form
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.errors import (
    ArtifactEmpty,
    DigestRefused,
    FieldRefused,
    LimitError,
    MalformedError,
    UsageError,
    counted,
    shown,
)
from glasswing_attest.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Artifact", "Facts", "FileEntry", "Manifest", "dir_hash", "measure", "name_problem"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
# Unicode's category Cc is exactly these; sha256sum escapes names with a backslash or a line end, so neither may occur.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Artifact(Protocol):
    """Anything that can be measured: `Model`, `Dataset`, `File`, `Source`, …, and a `Manifest` itself."""

    @property
    def kind(self) -> str:
        """What it is used as: ``model``, ``dataset``, ``code``, ``file`` and so on."""
        ...

    def measure(
        self, *, progress: Progress | None = None, limits: Limits = DEFAULT, executor: Executor | None = None
    ) -> Manifest:
        """Read it and give what was found."""
        ...


def measure(
    artifact: Artifact,
    *,
    where: str = "artifact",
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    executor: Executor | None = None,
) -> Manifest:
    """Measure what a caller handed over as an artifact. Raises `UsageError` for what is none, such as a path."""
    if isinstance(artifact, type) or not callable(getattr(artifact, "measure", None)):
        found = artifact.__name__ if isinstance(artifact, type) else type(artifact).__name__
        raise UsageError(where=where, found=found, wanted="an artifact, such as Model(path), File(path) or a Manifest")
    manifest = artifact.measure(progress=progress, limits=limits, executor=executor)
    if not isinstance(manifest, Manifest):
        raise UsageError(where=f"{where}.measure()", found=type(manifest).__name__, wanted="a Manifest")
    return manifest


class Facts(Mapping[str, str]):
    """A small frozen, hashable mapping of words that describe an artifact; ordered by key."""

    __slots__ = ("_pairs",)

    def __init__(self, values: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._pairs: dict[str, str] = dict(sorted(dict(values).items()))

    def __getitem__(self, key: str) -> str:
        return self._pairs[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __hash__(self) -> int:
        return hash(tuple(self._pairs.items()))

    def __repr__(self) -> str:
        return f"Facts({self._pairs!r})"


def name_problem(name: str) -> str | None:
    """Say why `name` cannot stand in a listing, or None where it can.

    >>> name_problem("sub/vocab.txt")
    >>> name_problem("../escape")
    "a part of the name is empty, '.' or '..'"
    """
    if _CONTROL.search(name):
        return "a control character in the name"
    if "\\" in name:
        return "a backslash in the name"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "a part of the name is empty, '.' or '..'"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    return None


def _name_bytes(entry: FileEntry) -> bytes:
    return entry.name.encode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file of a manifest. `size` is None only where a bare listing did not tell it."""

    name: str
    size: int | None
    sha256: str

    @property
    def line(self) -> str:
        """The file's line in the listing, with its line end."""
        return f"{self.sha256}  {self.name}\n"


def dir_hash(files: Iterable[FileEntry]) -> str:
    """Give in-toto's ``dirHash`` of files in the order given, which must be that of their names' bytes.

    >>> entry = FileEntry(name="a", size=0, sha256=hashlib.sha256(b"").hexdigest())
    >>> dir_hash([entry]) == hashlib.sha256(entry.line.encode()).hexdigest()
    True
    """
    digest = hashlib.sha256()
    for entry in files:
        digest.update(entry.line.encode("utf-8"))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was found: kind, digests, and every file. Accepted wherever an artifact is, so that bytes are hashed once.

    A manifest cannot be wrong about itself: names are safe, unique and sorted by their UTF-8 bytes, and the digests
    follow from the files. Where nobody here read the bytes, `is_declared` says so.

    Attributes:
        kind: what it is used as: ``file``, ``model``, ``dataset``, ``code``, ``dependency``, …
        form: what its digests are digests of: a file's bytes, a tree, a git object.
        name: what people call it. Not part of any digest.
        digests: what identifies it.
        files: every file, sorted by the UTF-8 bytes of its name. Empty for git objects and bare digests.
        excluded: the paths that were left out and are really there, sorted.
        facts: further words about it, such as a checkout's ``repository``, ``ref`` and ``dirty``.
        is_declared: nobody here read the bytes; a policy must opt in to accept it.
        location: where it was read. Not part of equality, never written.
        measured_by: what measured it, and can measure it again in the same way. Not part of equality, never written.
    """

    kind: str
    form: Form
    name: str = ""
    digests: DigestSet
    files: tuple[FileEntry, ...] = ()
    excluded: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=Facts)
    is_declared: bool = False
    location: Path | None = field(default=None, compare=False, repr=False)
    measured_by: Artifact | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        what = f"{self.kind} {shown(self.name)}".strip()
        told = [f"{what} {self.digests.label}", *([counted(len(self.files), "file")] if self.files else [])]
        return f"Manifest({', '.join([*told, *(['declared'] if self.is_declared else [])])})"

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", Facts(self.facts))
        if not _KIND.fullmatch(self.kind):
            raise FieldRefused(where="manifest.kind", found=self.kind, wanted="a word such as model, dataset, code")
        for where, text in (("name", self.name), *((f"facts.{k}", v) for k, v in self.facts.items())):
            _check_text(text, f"manifest.{where}", lines=where.startswith("facts"))
        self._check_digests()
        self._check_files()
        for i, path in enumerate(self.excluded):
            _check_name(path, f"manifest.excluded[{i}]")
        _check_order([p.encode("utf-8") for p in self.excluded], "manifest.excluded")

    def _check_digests(self) -> None:
        if not self.digests.identity:
            raise DigestRefused(where="manifest.digest", found=str(self.digests), wanted="a strong digest")
        if self.digests.form is not self.form:
            raise DigestRefused(where="manifest.digest", found=self.digests.form.value, wanted=self.form.value)
        listing, tree = self.digests.get("sha256"), self.digests.get("dirHash")
        if self.form is Form.TREE and listing not in (None, tree):
            raise DigestRefused(where="manifest.digest", found=f"sha256 {listing}", wanted=f"dirHash {tree}")

    def _check_files(self) -> None:
        if not self.files:
            if self.form is not Form.GIT and not self.is_declared:
                raise FieldRefused(where="manifest.files", found="none", wanted="the files that were read")
            return
        directories: set[str] = set()
        for i, entry in enumerate(self.files):
            where = f"manifest.files[{i}]"
            _check_name(entry.name, f"{where}.name")
            if not _SHA256.fullmatch(entry.sha256):
                raise DigestRefused(where=f"{where}.sha256", found=entry.sha256, wanted="64 lowercase hex digits")
            if entry.size is None:
                if not self.is_declared:
                    raise FieldRefused(where=f"{where}.size", found="none", wanted="the file's size")
            elif not 0 <= entry.size < 2**64 or (entry.size == 0) is not (entry.sha256 == _EMPTY_SHA256):
                raise FieldRefused(where=f"{where}.size", found=entry.size, wanted="the size of what has this sha256")
            parent = entry.name.rpartition("/")[0]
            while parent and parent not in directories:
                directories.add(parent)
                parent = parent.rpartition("/")[0]
        _check_order([_name_bytes(f) for f in self.files], "manifest.files")
        for i, entry in enumerate(self.files):
            if entry.name in directories:
                raise FieldRefused(where=f"manifest.files[{i}].name", found=entry.name, because="it is a directory too")
        if self.form is Form.TREE:
            algorithm, follows = "dirHash", dir_hash(self.files)
        elif self.form is Form.FILE and len(self.files) == 1:
            algorithm, follows = "sha256", self.files[0].sha256
        else:
            wanted = "one file" if self.form is Form.FILE else "no files beside git digests"
            raise FieldRefused(where="manifest.files", found=f"{len(self.files)} files", wanted=wanted)
        if self.digests.get(algorithm) != follows:
            found = self.digests.get(algorithm)
            raise DigestRefused(where=f"manifest.digest.{algorithm}", found=found, wanted=f"{follows}, from the files")

    # --- making one ---------------------------------------------------------------------------------------------------

    @classmethod
    def of_tree(
        cls,
        kind: str,
        files: Iterable[FileEntry],
        *,
        name: str = "",
        excluded: Iterable[str] = (),
        is_declared: bool = False,
        location: Path | None = None,
        measured_by: Artifact | None = None,
    ) -> Manifest:
        """Make the manifest of a tree from its files, in any order.

        >>> entry = FileEntry(name="a", size=0, sha256=hashlib.sha256(b"").hexdigest())
        >>> Manifest.of_tree("dataset", [entry]).digests.label
        'dirHash:fba1930570cf'
        """
        ordered = tuple(sorted(files, key=_name_bytes))
        if not ordered:
            raise ArtifactEmpty(where=name)
        value = dir_hash(ordered)
        return cls(
            kind=kind,
            form=Form.TREE,
            name=name,
            digests=DigestSet.of(dirHash=value, sha256=value),
            files=ordered,
            excluded=tuple(sorted(excluded, key=lambda p: p.encode("utf-8"))),
            is_declared=is_declared,
            location=location,
            measured_by=measured_by,
        )

    @classmethod
    def of_file(
        cls,
        kind: str,
        entry: FileEntry,
        *,
        name: str = "",
        location: Path | None = None,
        measured_by: Artifact | None = None,
    ) -> Manifest:
        """Make the manifest of a single file."""
        return cls(
            kind=kind,
            form=Form.FILE,
            name=name or entry.name,
            digests=DigestSet.of(sha256=entry.sha256),
            files=(entry,),
            location=location,
            measured_by=measured_by,
        )

    @classmethod
    def declared(cls, kind: str, digests: DigestSet | Mapping[str, str] | Digest, name: str = "") -> Manifest:
        """Name something by digests that nobody here read. A policy must opt in to accept it.

        >>> Manifest.declared("model", Digest.parse("sha256:" + "00" * 32)).is_declared
        True
        """
        if isinstance(digests, Digest):
            digests = DigestSet((digests,))
        elif not isinstance(digests, DigestSet):
            digests = DigestSet.of(digests)
        return cls(kind=kind, form=digests.form, name=name, digests=digests, is_declared=True)

    @classmethod
    def from_listing(
        cls, data: bytes, *, kind: str = "file", name: str = "", where: str = "SHA256SUMS", limits: Limits = DEFAULT
    ) -> Manifest:
        """Read a listing as `listing` writes it. A listing alone was not measured, so the manifest is a declared one.

        Raises:
            FieldRefused: a line is not two spaces between 64 hex digits and a safe name, or the names are not in order.
            ArtifactEmpty: there is no line.
        """
        limits.check("record_bytes", len(data), where=where)
        limits.check("tree_files", data.count(b"\n"), where=where)
        text = decode_utf8(data, where=where)
        if text and not text.endswith("\n"):
            raise FieldRefused(where=where, found="a last line without its end", wanted="a line end after every line")
        files = []
        names = []
        for i, line in enumerate(text.split("\n")[:-1], start=1):
            sha256, gap, path = line[:64], line[64:66], line[66:]
            if not _SHA256.fullmatch(sha256) or gap != "  ":
                raise FieldRefused(where=f"{where}:{i}", found=line, wanted="64 hex digits, two spaces, a name")
            _check_name(path, f"{where}:{i}")
            limits.check("name_bytes", len(path.encode("utf-8")), where=f"{where}:{i}")
            files.append(FileEntry(name=path, size=0 if sha256 == _EMPTY_SHA256 else None, sha256=sha256))
            names.append(path.encode("utf-8"))
        _check_order(names, where)
        return cls.of_tree(kind, files, name=name, is_declared=True)

    # --- using it -----------------------------------------------------------------------------------------------------

    def measure(
        self,
        progress: Progress | None = None,
        limits: Limits = DEFAULT,
        executor: Executor | None = None,
    ) -> Self:
        """Give itself: it is measured already."""
        return self

    def file(self, name: str) -> FileEntry:
        """Give the file called `name`, or raise `UsageError`."""
        key = name.encode("utf-8", "surrogatepass")
        at = bisect_left(self.files, key, key=_name_bytes)
        if at == len(self.files) or self.files[at].name != name:
            raise UsageError(where=name, because=f"{self.name or self.kind} holds no such file")
        return self.files[at]

    @property
    def total_bytes(self) -> int:
        """The sizes of all files, as far as they are known."""
        return sum(f.size or 0 for f in self.files)

    @property
    def listing(self) -> bytes:
        """The listing: what ``sha256sum`` prints for the files. Its SHA-256 is a tree's ``dirHash``."""
        return "".join(f.line for f in self.files).encode("utf-8")

    def to_listing_file(self, path: StrPath) -> None:
        """Write the listing (``SHA256SUMS``) beside the tree, never inside: there it would change the tree.

        Raises:
            UsageError: there is no listing, or the path lies within the tree.
        """
        if not self.files:
            raise UsageError(where=os.fspath(path), because="this manifest lists no files")
        if self.location is not None and self.form is Form.TREE:
            tree = Path(os.path.realpath(self.location))
            # The parent is resolved, because a link may lead into the tree; the last part is replaced, not followed.
            target = Path(os.path.realpath(Path(path).parent)) / Path(path).name
            if target == tree or tree in target.parents:
                raise UsageError(
                    where=os.fspath(path),
                    because="a listing inside the tree would change the tree",
                    do="write it beside it",
                )
        write_atomic(path, self.listing)

    def to_proto(self) -> bytes:
        """Encode as the protobuf message ``glasswing.attest.v1.Manifest``, deterministically."""
        from glasswing_attest._proto.manifest_pb2 import Manifest as Message

        message = Message(
            kind=self.kind,
            form=self.form.value,
            name=self.name,
            digest=self.digests.to_dict(),
            excluded=self.excluded,
            declared=self.is_declared,
            facts=dict(self.facts),
        )
        for entry in self.files:
            # An unknown size is written as 0: only the empty file has that size, and its SHA-256 tells it.
            message.files.add(name=entry.name, size=entry.size or 0, sha256=entry.sha256)
        return message.SerializeToString(deterministic=True)

    @classmethod
    def from_proto(cls, data: bytes, *, where: str = "manifest", limits: Limits = DEFAULT) -> Manifest:
        """Decode and check: names, order, sizes, and that the digests follow from the files.

        What is read is a declared manifest, whatever it says of itself: anybody can write one. A policy must opt in to
        accept it.

        Raises:
            MalformedError: `NotProtobuf`, `FieldRefused` or `DigestRefused`, with the path.
            LimitError: too large, too many files, or too long a name.
        """
        from glasswing_attest._proto.manifest_pb2 import Manifest as Message

        message = parse_proto(Message, data, where=where, limits=limits)
        limits.check("tree_files", len(message.files), where=f"{where}.files")
        limits.check("tree_files", len(message.excluded), where=f"{where}.excluded")
        forms = {form.value: form for form in Form}
        if message.form not in forms:
            raise FieldRefused(where=f"{where}.form", found=message.form, wanted=f"one of {', '.join(forms)}")
        files = []
        for i, f in enumerate(message.files):
            limits.check("name_bytes", len(f.name.encode("utf-8")), where=f"{where}.files[{i}].name")
            unknown = message.declared and f.size == 0 and f.sha256 != _EMPTY_SHA256
            files.append(FileEntry(name=f.name, size=None if unknown else f.size, sha256=f.sha256))
        form = forms[message.form]
        if not (message.declared or files or form is Form.GIT):
            raise FieldRefused(where=f"{where}.files", found="none", wanted="the files that were read")
        digest: JsonObject = dict(message.digest)
        try:
            return cls(
                kind=message.kind,
                form=form,
                name=message.name,
                digests=DigestSet.parse(Node(digest, "manifest.digest"), limits=limits),
                files=tuple(files),
                excluded=tuple(message.excluded),
                facts=dict(message.facts),
                is_declared=True,
            )
        except (MalformedError, LimitError) as e:
            e.where = f"{where}{e.where.removeprefix('manifest')}"
            raise


def _check_name(name: str, where: str) -> None:
    problem = name_problem(name)
    if problem:
        raise FieldRefused(where=where, found=name, because=problem)


def _check_text(text: str, where: str, *, lines: bool = False) -> None:
    if _CONTROL.search(text.replace("\n", "") if lines else text):
        raise FieldRefused(where=where, found=text, because="a control character")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise FieldRefused(where=where, found=text, because="a lone surrogate")


def _check_order(names: list[bytes], where: str) -> None:
    for before, name in pairwise(names):
        if before >= name:
            found = name.decode("utf-8")
            because = "it occurs twice" if before == name else "the names are not sorted by their UTF-8 bytes"
            raise FieldRefused(where=where, found=found, because=because)
