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
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

from glasswing_attest._files import StrPath, open_bounded, write_atomic
from glasswing_attest._wire import JsonObject, Node, decode_utf8
from glasswing_attest.artifact.digest import Digest, DigestSet, Form
from glasswing_attest.artifact.files import FileEntry, Files, FilesBuilder, dir_hash, name_problem
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


@runtime_checkable
class _Single(Artifact, Protocol):
    """An artifact that may be a single file, of which further digests can be had from the same reading."""

    @property
    def is_single(self) -> bool: ...

    def measure(
        self,
        *,
        progress: Progress | None = None,
        limits: Limits = DEFAULT,
        executor: Executor | None = None,
        also: Iterable[str] = (),
    ) -> Manifest: ...


def measure(
    artifact: Artifact,
    *,
    where: str = "artifact",
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    executor: Executor | None = None,
    also: Iterable[str] = (),
) -> Manifest:
    """Measure what a caller handed over as an artifact. Raises `UsageError` for what is none, such as a path.

    `also` are further digests that are wanted of a single file: nothing else is identified by them.
    """
    if isinstance(artifact, type) or not callable(getattr(artifact, "measure", None)):
        found = artifact.__name__ if isinstance(artifact, type) else type(artifact).__name__
        raise UsageError(where=where, found=found, wanted="an artifact, such as Model(path), File(path) or a Manifest")
    manifest = (
        artifact.measure(progress=progress, limits=limits, executor=executor, also=also)
        if isinstance(artifact, _Single) and artifact.is_single
        else artifact.measure(progress=progress, limits=limits, executor=executor)
    )
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


def _name_bytes(entry: FileEntry) -> bytes:
    return entry.name.encode("utf-8")


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
        generations: for each file, which version of a dataset brought it, counted from 0; see `artifact.extension`.
            Empty where all came at once. It orders the leaves of the Merkle tree, and is part of no digest.
        is_declared: nobody here read the bytes; a policy must opt in to accept it.
        location: where it was read. Not part of equality, never written.
        measured_by: what measured it, and can measure it again in the same way. Not part of equality, never written.
    """

    kind: str
    form: Form
    name: str = ""
    digests: DigestSet
    files: Sequence[FileEntry] = ()
    excluded: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=Facts)
    generations: tuple[int, ...] = ()
    is_declared: bool = False
    location: Path | None = field(default=None, compare=False, repr=False)
    measured_by: Artifact | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        what = f"{self.kind} {shown(self.name)}".strip()
        told = [f"{what} {self.digests.label}", *([counted(len(self.files), "file")] if self.files else [])]
        return f"Manifest({', '.join([*told, *(['declared'] if self.is_declared else [])])})"

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", Facts(self.facts))
        if not isinstance(self.files, Files):
            object.__setattr__(self, "files", Files.of(self.files))
        if not _KIND.fullmatch(self.kind):
            raise FieldRefused(where="manifest.kind", found=self.kind, wanted="a word such as model, dataset, code")
        for where, text in (("name", self.name), *((f"facts.{k}", v) for k, v in self.facts.items())):
            _check_text(text, f"manifest.{where}", lines=where.startswith("facts"))
        self._check_digests()
        self._check_files()
        self._check_generations()
        for i, path in enumerate(self.excluded):
            _check_name(path, f"manifest.excluded[{i}]")
        _check_order([p.encode("utf-8") for p in self.excluded], "manifest.excluded")

    @property
    def _files(self) -> Files:
        # Whatever was handed over, it was made into this.
        return self.files if isinstance(self.files, Files) else Files.of(self.files)

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
        unknown = None if self.is_declared else self._files.first_unknown
        if unknown is not None:
            raise FieldRefused(where=f"manifest.files[{unknown}].size", found="none", wanted="the file's size")
        if self.form is Form.TREE:
            own = {"dirHash": dir_hash(self.files)}
        elif self.form is Form.FILE and len(self.files) == 1:
            own = {**self.files[0].more.to_dict(), "sha256": self.files[0].sha256}
        else:
            wanted = "one file" if self.form is Form.FILE else "no files beside git digests"
            raise FieldRefused(where="manifest.files", found=f"{len(self.files)} files", wanted=wanted)
        told = {digest.algorithm: digest.value for digest in self.digests.identity}
        for algorithm in sorted(own.keys() | told):
            found, follows = told.get(algorithm), own.get(algorithm)
            if found != follows:
                wanted = f"{follows or 'none'}, from the files"
                raise DigestRefused(where=f"manifest.digest.{algorithm}", found=found or "none", wanted=wanted)

    def _check_generations(self) -> None:
        if not self.generations:
            return
        latest = max(self.generations)
        # Each version brought something, and one version alone is not told: there is one way to say which brought what.
        if self.form is not Form.TREE or len(self.generations) != len(self.files):
            found, wanted = (
                counted(len(self.generations), "number"),
                f"one for each of {len(self.files)} files of a tree",
            )
            raise FieldRefused(where="manifest.generations", found=found, wanted=wanted)
        if not 0 < latest < len(self.files) or set(self.generations) != set(range(latest + 1)):
            wanted = "every number from 0 to the latest, which is not 0"
            raise FieldRefused(
                where="manifest.generations", found=f"{min(self.generations)} to {latest}", wanted=wanted
            )

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
        ordered = files if isinstance(files, Files) else Files.of(sorted(files, key=_name_bytes))
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
            digests=DigestSet.of({**entry.more.to_dict(), "sha256": entry.sha256}),
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
        limits.check("manifest_bytes", len(data), where=where)
        limits.check("tree_files", data.count(b"\n"), where=where)
        if data and not data.endswith(b"\n"):
            raise FieldRefused(where=where, found="a last line without its end", wanted="a line end after every line")
        files = FilesBuilder()
        last = b""
        for i, raw in enumerate(io.BytesIO(data), start=1):
            here = f"{where}:{i}"
            line = decode_utf8(raw, where=here)[:-1]
            sha256, gap, path = line[:64], line[64:66], line[66:]
            if not _SHA256.fullmatch(sha256) or gap != "  ":
                raise FieldRefused(where=here, found=line, wanted="64 hex digits, two spaces, a name")
            _check_name(path, here)
            limits.check("name_bytes", len(raw) - 67, where=here)
            _check_order([last, raw[66:-1]], here)
            last = raw[66:-1]
            files.add(FileEntry(name=path, size=0 if sha256 == _EMPTY_SHA256 else None, sha256=sha256))
        return cls.of_tree(kind, files.build(), name=name, is_declared=True)

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
        entry = self._files.find(name)
        if entry is None:
            raise UsageError(where=name, because=f"{self.name or self.kind} holds no such file")
        return entry

    @property
    def total_bytes(self) -> int:
        """The sizes of all files, as far as they are known."""
        return self._files.total_bytes

    @property
    def listing(self) -> bytes:
        """The listing: what ``sha256sum`` prints for the files. Its SHA-256 is a tree's ``dirHash``."""
        return b"".join(self._files.lines())

    def to_listing_file(self, path: StrPath) -> None:
        """Write the listing (``SHA256SUMS``) beside the tree, never inside: there it would change the tree.

        Raises:
            UsageError: there is no listing, or the path lies within the tree.
        """
        if not self.files:
            raise UsageError(where=os.fspath(path), because="this manifest lists no files")
        self._require_beside(path, "a listing")
        write_atomic(path, self._files.lines())

    def _require_beside(self, path: StrPath, what: str) -> None:
        if self.location is not None and self.form is Form.TREE:
            tree = Path(os.path.realpath(self.location))
            # The parent is resolved, because a link may lead into the tree; the last part is replaced, not followed.
            target = Path(os.path.realpath(Path(path).parent)) / Path(path).name
            if target == tree or tree in target.parents:
                raise UsageError(
                    where=os.fspath(path),
                    because=f"{what} inside the tree would change the tree",
                    do="write it beside it",
                )

    def to_proto(self) -> bytes:
        """Encode as the protobuf message ``glasswing.attest.v1.Manifest``, deterministically."""
        return b"".join(self._pieces())

    def to_proto_file(self, path: StrPath) -> None:
        """Write the message, whole or not at all, and without holding it in memory.

        Raises:
            UsageError: the path names no file, or lies within the tree.
        """
        self._require_beside(path, "a manifest")
        write_atomic(path, self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        from glasswing_attest._proto.manifest_pb2 import Manifest as Message
        from glasswing_attest.artifact.pieces import encode_files

        digest = self.digests.to_dict()
        yield Message(kind=self.kind, name=self.name, digest=digest).SerializeToString(deterministic=True)
        yield from encode_files(self.files)
        rest = Message(
            form=self.form.value,
            excluded=self.excluded,
            declared=self.is_declared,
            facts=dict(self.facts),
            generations=self.generations,
        )
        yield rest.SerializeToString(deterministic=True)

    @classmethod
    def from_proto(cls, data: bytes, *, where: str = "manifest", limits: Limits = DEFAULT) -> Manifest:
        """Decode and check: names, order, sizes, and that the digests follow from the files.

        What is read is a declared manifest, whatever it says of itself: anybody can write one. A policy must opt in to
        accept it.

        Raises:
            MalformedError: `NotProtobuf`, `FieldRefused` or `DigestRefused`, with the path.
            LimitError: too large, too many files, or too long a name.
        """
        limits.check("record_bytes", len(data), where=where)
        return cls._from_stream(io.BytesIO(data), where, limits)

    @classmethod
    def from_proto_file(cls, path: StrPath, *, limits: Limits = DEFAULT) -> Manifest:
        """Read what `to_proto_file` wrote, as `from_proto`, and without holding it in memory.

        Raises:
            MalformedError: `NotProtobuf`, `FieldRefused` or `DigestRefused`, with the path.
            LimitError: too large, too many files, or too long a name.
            ArtifactUnreadable: it cannot be read, or is no regular file.
        """
        where = os.fspath(path)
        with open_bounded(path, "manifest_bytes", limits) as stream:
            return cls._from_stream(stream, where, limits)

    @classmethod
    def _from_stream(cls, stream: BinaryIO, where: str, limits: Limits) -> Manifest:
        from glasswing_attest.artifact.pieces import read_message

        try:
            message, files = read_message(stream, where="manifest", limits=limits)
            limits.check("tree_files", len(message.excluded), where="manifest.excluded")
            limits.check("tree_files", len(message.generations), where="manifest.generations")
            forms = {form.value: form for form in Form}
            if message.form not in forms:
                raise FieldRefused(where="manifest.form", found=message.form, wanted=f"one of {', '.join(forms)}")
            form = forms[message.form]
            found = files.build()
            if not (message.declared or found or form is Form.GIT):
                raise FieldRefused(where="manifest.files", found="none", wanted="the files that were read")
            if not message.declared and found.first_unknown is not None:
                unknown = f"manifest.files[{found.first_unknown}].size"
                raise FieldRefused(where=unknown, found=0, wanted="the size of what has this sha256")
            digest: JsonObject = dict(message.digest)
            return cls(
                kind=message.kind,
                form=form,
                name=message.name,
                digests=DigestSet.parse(Node(digest, "manifest.digest"), limits=limits),
                files=found,
                excluded=tuple(message.excluded),
                facts=dict(message.facts),
                generations=tuple(message.generations),
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
