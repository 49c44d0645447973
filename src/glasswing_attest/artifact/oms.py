"""Which files does an OMS signature cover, and how are they cut into the pieces that it lists?

OpenSSF Model Signing v1.0 (OMS), sections 6.1 to 6.3. A model is a directory or a single file. What git keeps for
itself at its top is never covered, nor is the signature where it lies within. A file is one piece, called as its path,
or so many shards::

    <path>:<start>:<end>       the bytes from start up to and without end, each but the last shard of the full size

Links are never followed, whatever a signature says of them. A model is measured with all that `OnDisk` refuses, and
each byte is read once: whole files give a `Manifest`, shards what `artifact.shards` gives, from which no digest of a
file follows. So that nobody waits for a no, `look` tells names and sizes before anything is read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from glasswing_attest.artifact.digest import Form
from glasswing_attest.artifact.hashing import Progress, artifact_error
from glasswing_attest.artifact.manifest import FileEntry, Manifest, name_problem
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.opened import Part, VerifiedFile, open_regular
from glasswing_attest.artifact.reading import hash_spans
from glasswing_attest.artifact.shards import SHARD_SIZE, FileShards, spans_of
from glasswing_attest.artifact.tree import display, open_directory
from glasswing_attest.errors import ArtifactUnstable, UsageError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = [
    "IGNORED",
    "SHARD_SIZE",
    "Listed",
    "Piece",
    "ShardedModel",
    "Uncovered",
    "ignorable",
    "look",
    "measure_model",
    "pieces",
    "uncovered",
    "within",
]

IGNORED = (".git", ".gitattributes", ".github", ".gitignore")
"""What is never covered at the top of a model (section 6.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file, or one shard of it, with its digest in hex. `end` is None for a whole file."""

    path: str
    start: int = 0
    end: int | None = None
    digest: str

    @property
    def name(self) -> str:
        """What the signature calls it.

        >>> Piece(path="a.bin", start=0, end=10, digest="").name
        'a.bin:0:10'
        """
        return self.path if self.end is None else f"{self.path}:{self.start}:{self.end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The files of a model before they are read, in the order of a listing: their names and sizes."""

    form: Form
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardedModel:
    """A model of which shards were hashed. What a `Manifest` tells, as far as it follows from them.

    Attributes:
        form: whether it is a tree or a single file.
        name: what people call it.
        files: each file with its size and the digests of its shards, sorted by the bytes of their names.
        excluded: the paths that were left out and are really there, sorted.
        location: where it was read.
    """

    form: Form
    name: str
    files: tuple[FileShards, ...]
    excluded: tuple[str, ...]
    location: Path

    def open(self, name: str | None = None) -> VerifiedFile:
        """Open a file; each shard is checked before its last byte is given. A single file needs no `name`.

        Raises:
            UsageError: there is no such file.
            ArtifactError: it cannot be opened, or is no regular file.
            Mismatch: on reading, when the bytes are not those that were hashed.
        """
        found = [file for file in self.files if name in (None, file.name)]
        if len(found) != 1:
            raise UsageError(where=name or self.name, found=name or "no name", wanted="one of its files")
        (file,) = found
        path = self.location / file.name if self.form is Form.TREE else self.location
        ends = (end for _, end in file.spans)
        parts = [Part(end, digest, file.algorithm) for end, digest in zip(ends, file.digests, strict=True)]
        return VerifiedFile(open_regular(path), parts or [Part(0, hashlib.sha256().hexdigest())], str(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """Something that is there and that no signature covers. `may_run`: it is executable, or a link to whatever."""

    path: str
    may_run: bool


def ignorable(paths: Iterable[str], where: str = "ignore") -> tuple[str, ...]:
    """Give the paths that a caller wants ignored, sorted.

    Raises:
        UsageError: one is not an exact path below the model, or has a character that others take for a pattern.
    """
    asked: object = paths
    several = tuple(asked) if isinstance(asked, Iterable) and not isinstance(asked, str) else (None,)
    texts = [path for path in several if isinstance(path, str)]
    if len(texts) != len(several):
        raise UsageError(where=where, found=paths, wanted='a tuple of paths, such as ("README.md",)')
    found = tuple(sorted(set(texts)))
    for path in found:
        problem = name_problem(path) or ("it looks like a pattern" if set(path) & set("*?[") else "")
        if problem:
            raise UsageError(where=where, found=path, wanted="an exact path below the model", because=problem)
    return found


def within(model: Path, file: Path) -> str | None:
    """Give the path of `file` below the directory `model`, where it lies there; whether it is there does not matter."""
    try:
        root = Path(os.path.realpath(model))
        place = Path(os.path.realpath(file.parent)) / file.name
    except ValueError:  # no system has such a path: whoever opens it says so
        return None
    return place.relative_to(root).as_posix() if root in place.parents else None


# --- reading ---------------------------------------------------------------------------------------------------------


def look(model: Path, *, ignore: Iterable[str], limits: Limits = DEFAULT) -> Listed:
    """List the model without the ignored paths, and read nothing. Raises as `OnDisk.measure` does of names."""
    sizes: dict[str, int] = {}
    with Model(model, exclude=ignore).looking(limits) as looker, closing(looker.runs([])) as runs:
        for run in runs:
            for name in run.names:
                sizes[(run.folder.prefix + name).decode("utf-8")] = looker.status(run, name).st_size
        return Listed(form=Form.TREE if looker.single is None else Form.FILE, sizes=sizes)


def measure_model(
    model: Path,
    *,
    ignore: Iterable[str],
    hash_type: str = "sha256",
    shard_size: int | None = None,
    most: int | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    executor: Executor | None = None,
) -> Manifest | ShardedModel:
    """Digest the model without the ignored paths, whole files or their shards. Raises as `OnDisk.measure` does.

    `most` is how many shards there may be: what is on disk must not decide how many small parts are remembered.
    """
    artifact = Model(model, exclude=ignore)
    if shard_size is None:
        also = () if hash_type == "sha256" else (hash_type,)
        return artifact.measure(progress=progress, limits=limits, executor=executor, also=also)
    size_of_shard, left = shard_size, most

    def spans(size: int) -> Iterator[tuple[int, int]]:
        nonlocal left
        if left is not None and (left := left - -(-size // size_of_shard)) < 0:
            raise ArtifactUnstable(where=str(model), because="there is more to read than there was at the first look")
        return spans_of(size, size_of_shard)

    with artifact.looking(limits) as looker:
        found, excluded = hash_spans(looker, spans, progress, executor, hash_type)
    return ShardedModel(
        form=Form.TREE if looker.single is None else Form.FILE,
        name=looker.own_name,
        files=tuple(
            FileShards(name=name, size=size, shard_size=shard_size, digests=digests, algorithm=hash_type)
            for name, size, digests in found
        ),
        excluded=tuple(excluded),
        location=model.absolute(),
    )


def pieces(files: Iterable[FileEntry | FileShards], hash_type: str = "sha256") -> Iterator[Piece]:
    """Give the pieces of measured files, in their order. Empty files have no shards."""
    for file in files:
        if isinstance(file, FileEntry):
            digest = file.sha256 if hash_type == "sha256" else file.more.get(hash_type)
            yield Piece(path=file.name, digest=digest or "")
        else:
            for (start, end), digest in zip(file.spans, file.digests, strict=True):
                yield Piece(path=file.name, start=start, end=end, digest=digest)


# --- what is left out ------------------------------------------------------------------------------------------------


def uncovered(model: Path, paths: Iterable[str], *, limits: Limits = DEFAULT) -> tuple[Uncovered, ...]:
    """Give every file, link and whatever else is no directory at or below these paths, sorted. Nothing is followed."""
    root = os.fsencode(model)
    found: list[Uncovered] = []
    waiting = [tuple(path.encode("utf-8").split(b"/")) for path in paths]
    while waiting:
        parts = waiting.pop()
        where = display(root, parts)
        limits.check("tree_files", len(found) + len(waiting), where=where)
        limits.check("tree_depth", len(parts), where=where)
        with open_directory(root, parts[:-1], where) as above:
            try:
                mode = os.stat(parts[-1], dir_fd=above, follow_symlinks=False).st_mode
            except OSError as e:
                raise artifact_error(e, where, seen=True) from e
        if stat.S_ISDIR(mode):
            with open_directory(root, parts, where) as fd:
                names = os.listdir(fd)  # noqa: PTH208  # of a directory that is held open, not of a path
            waiting += [(*parts, os.fsencode(name)) for name in names]
        else:
            may_run = stat.S_ISLNK(mode) or bool(mode & 0o111)
            found.append(Uncovered(path=b"/".join(parts).decode("utf-8", "backslashreplace"), may_run=may_run))
    return tuple(sorted(found, key=lambda each: each.path))
