"""What is inside of a model: which formats, tensors, roles; and what is different in another one?

A description is made of a measured model: every file is read once more, from its start to its end, and must have the
SHA-256 that was measured. In the same reading each tensor is hashed, so that a difference of two models names the
tensors, and not only files of gigabytes. Nothing is loaded or run.

What a description says of itself follows from the bytes. What it does not follow from (how many parameters there are,
where the same weights lie in two formats) is not said.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.digest import Form
from glasswing_attest.artifact.formats import gguf, shard_index
from glasswing_attest.artifact.formats.detect import READERS, detect
from glasswing_attest.artifact.formats.reading import OpenFile, Reader
from glasswing_attest.artifact.formats.tensor import Contents, Tensor
from glasswing_attest.artifact.hashing import Meter, Progress, Stamp
from glasswing_attest.artifact.manifest import Artifact, Facts, FileEntry, Manifest, dir_hash, measure
from glasswing_attest.artifact.opened import entry_of, open_regular, open_verified, path_of
from glasswing_attest.artifact.roles import Role, role_of
from glasswing_attest.artifact.spread import spread
from glasswing_attest.errors import ArtifactUnstable, FieldMissing, FieldRefused, Mismatch, UsageError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Change", "DescribedFile", "Description", "ModelDiff", "TensorChange", "WeightSet", "describe", "diff"]

_BUFFER = 1 << 20
_INDEX = ".safetensors.index.json"
_SPLIT = re.compile(r"(.*)-([0-9]{5})-of-([0-9]{5})(\.gguf|\.safetensors)")
# Where transformers looks for code that comes with a model.
_CONFIGURATIONS = ("config.json", *(f"{kind}_config.json" for kind in ("tokenizer", "processor", "preprocessor")))


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedFile:
    """One file of a model.

    Attributes:
        name: relative to the model's root.
        role: what it is for.
        format: how weights lie in it, in the words of `ModelRecord.formats`; "" where none do.
        metadata: what it says of itself in words.
        tensors: its tensors, by name; none in formats that are not read.
    """

    name: str
    role: Role
    format: str = ""
    metadata: Facts = field(default_factory=Facts)
    tensors: tuple[Tensor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSet:
    """Weights that belong together: one file, or the shards that an index or their names put together.

    Attributes:
        name: of the file; of shards, what it would be called as one file.
        format: of its files.
        files: their names.
        tensors: of all of them, by name.
    """

    name: str
    format: str
    files: tuple[str, ...]
    tensors: tuple[Tensor, ...]

    @property
    def parameter_count(self) -> int:
        """How many numbers its weights are."""
        return sum(t.elements for t in self.tensors if t.is_weight)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The types of its weights, sorted."""
        return tuple(sorted({t.dtype for t in self.tensors if t.is_weight}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is inside of a model.

    Attributes:
        manifest: the model.
        files: each of its files, by name.
        weights: its tensors, in sets that belong together, by name.
        architecture: in the words of its library, from ``config.json`` or a GGUF file; None where they do not tell one.
        auto_map: the code that its configuration (of model, tokenizer, processors) wants to have loaded and run.
    """

    manifest: Manifest
    files: tuple[DescribedFile, ...]
    weights: tuple[WeightSet, ...] = ()
    architecture: str | None = None
    auto_map: tuple[str, ...] = ()

    @property
    def formats(self) -> tuple[str, ...]:
        """Every format in which weights lie in the model, sorted: a pickle beside other weights is a pickle."""
        found = {f.format for f in self.files if f.format}
        unread = any(f.role in (Role.WEIGHTS, Role.ADAPTER) and not f.format for f in self.files if _may_hold(f))
        return tuple(sorted(found | ({"other"} if unread else set())))

    @property
    def parameter_count(self) -> int | None:
        """How many parameters there are: of the one set of weights. None where there are several, or none."""
        return self.weights[0].parameter_count if len(self.weights) == 1 else None

    @property
    def dtype(self) -> str | None:
        """The type of the weights, where one set of them has one.

        A quantised GGUF file mixes types, and calls the mixture by a name, such as Q4_K_M: this name is given where its
        first part, Q4_K, is among the types that were found.
        """
        if len(self.weights) != 1:
            return None
        only = self.weights[0]
        told = {f.metadata.get("general.file_type", "") for f in self.files if f.name in only.files}
        if only.format == "gguf":
            for word in (name for number, name in gguf.FILE_TYPES.items() if str(number) in told):
                if any(f"{word}_".startswith(f"{dtype}_") for dtype in only.dtypes):
                    return word
        return only.dtypes[0] if len(only.dtypes) == 1 else None

    @property
    def tokenizer(self) -> tuple[FileEntry, ...]:
        """The files of the tokenizer, by name."""
        return tuple(self.manifest.file(f.name) for f in self.files if f.role is Role.TOKENIZER)

    @property
    def tokenizer_digest(self) -> dict[str, str]:
        """Their digest: of one file its sha256, of several the dirHash of their listing; {} of none."""
        entries = self.tokenizer
        if len(entries) == 1:
            return {"sha256": entries[0].sha256}
        return {"dirHash": dir_hash(entries)} if entries else {}

    def role(self, role: Role | str) -> tuple[DescribedFile, ...]:
        """Give the files of one role."""
        return tuple(f for f in self.files if f.role == role)

    def diff(self, newer: Description) -> ModelDiff:
        """Say which files and which tensors are different in a newer description. See `diff`."""
        return diff(self, newer)


def _may_hold(file: DescribedFile) -> bool:
    # An adapter's configuration holds no weights; nor does an index.
    return not file.name.endswith((".json", ".md", ".txt"))


# --- reading ---------------------------------------------------------------------------------------------------------


def describe(
    artifact: Artifact,
    *,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    executor: Executor | None = None,
) -> Description:
    """Say what is inside of a model. Measures it first, where that has not been done.

    Args:
        artifact: a `Model`, or its measured `Manifest`.
        progress: is called as files are done.
        limits: bounds on headers, tensors and values.
        executor: where to read: threads by default; any whose workers see the same paths.

    Raises:
        Mismatch: the bytes are not those that were measured.
        MalformedError: a file of weights, an index or a configuration is not what it must be; with the place.
        ModelFormatUnsupported: a file of weights of a kind that is not read.
        ArtifactError, LimitError: as in measuring it.
    """
    manifest = measure(artifact, progress=None, limits=limits, executor=executor)
    entries = [entry_of(manifest, entry.name) for entry in manifest.files]
    if not entries:
        raise UsageError(where=manifest.name, found=manifest.digests.label, wanted="a model whose files were read")
    meter = Meter(progress, manifest.total_bytes)
    jobs = [(str(path_of(manifest, entry)), entry, limits) for entry in entries]
    files: dict[str, DescribedFile] = {}
    for found in spread(_describe_file, jobs, executor, _is_described):
        files[found.name] = found
        meter.advance(found.name, manifest.file(found.name).size or 0)
    _read_elsewhere(manifest, files, executor)
    weights = tuple(_weight_sets(manifest, files, limits))
    architecture, auto_map = _configuration(manifest, files, weights, limits)
    return Description(
        manifest=manifest,
        files=tuple(files.values()),
        weights=weights,
        architecture=architecture,
        auto_map=auto_map,
    )


def _is_described(found: object, _path: str, entry: FileEntry, _limits: Limits) -> bool:
    return isinstance(found, DescribedFile) and found.name == entry.name


def _describe_file(path: str, entry: FileEntry, limits: Limits) -> DescribedFile:
    """Read one file. Stands at the top of the module, with plain arguments, so that any executor can run it."""
    fd = open_regular(Path(path))
    try:
        before = Stamp.of(os.fstat(fd))
        reader = OpenFile(fd, before.size, path)
        kind = detect(reader, entry.name, limits=limits)
        contents = Contents(format=kind, metadata=Facts())
        if kind in READERS:
            contents = READERS[kind](reader, limits=limits)
        own = [t for t in contents.tensors if not t.file]
        digests = _digests(reader, entry, {(t.begin, t.end) for t in own})
        head = reader.read_at(0, 32)
        if Stamp.of(os.fstat(fd)) != before:
            raise ArtifactUnstable(where=path)
    finally:
        os.close(fd)
    tensors = tuple(t if t.file else replace(t, sha256=digests[t.begin, t.end]) for t in contents.tensors)
    role = role_of(entry.name, head, "" if kind == "other" else kind)
    if contents.metadata.get("general.type") == "adapter":
        role = Role.ADAPTER
    return DescribedFile(name=entry.name, role=role, format=kind, metadata=contents.metadata, tensors=tensors)


def _digests(reader: Reader, entry: FileEntry, spans: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Hash parts of a file in one reading of the whole, which must have the measured digest."""
    found: dict[tuple[int, int], str] = {}
    whole = hashlib.sha256()
    at = 0
    for begin, end in sorted(spans):
        if begin < at or end > reader.size:
            because = "the bytes of two tensors overlap" if begin < at else "the bytes lie beyond the end"
            raise FieldRefused(where=reader.where, found=f"{begin} to {end} of {reader.size}", because=because)
        _feed(reader, at, begin, whole)
        part = hashlib.sha256()
        _feed(reader, begin, end, whole, part)
        found[begin, end] = part.hexdigest()
        at = end
    _feed(reader, at, reader.size, whole)
    if whole.hexdigest() != entry.sha256:
        found_digest, wanted = f"sha256:{whole.hexdigest()[:12]}", f"sha256:{entry.sha256[:12]}"
        raise Mismatch(where=reader.where, found=found_digest, wanted=wanted)
    return found


def _feed(reader: Reader, begin: int, end: int, *digests: hashlib._Hash) -> None:
    while begin < end:
        chunk = reader.read_at(begin, min(_BUFFER, end - begin))
        if not chunk:
            raise ArtifactUnstable(where=reader.where, because="it became shorter")
        for digest in digests:
            digest.update(chunk)
        begin += len(chunk)


def _are_hashed(found: object, _path: str, _entry: FileEntry, spans: set[tuple[int, int]]) -> bool:
    return isinstance(found, dict) and found.keys() == spans and all(isinstance(v, str) for v in found.values())


def _hash_spans(path: str, entry: FileEntry, spans: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Hash what another file's tensors have in this one."""
    fd = open_regular(Path(path))
    try:
        return _digests(OpenFile(fd, os.fstat(fd).st_size, path), entry, spans)
    finally:
        os.close(fd)


def _read_elsewhere(manifest: Manifest, files: dict[str, DescribedFile], executor: Executor | None) -> None:
    """Hash the tensors whose bytes lie in another file: one of the model, as every other path would lead out of it."""
    spans: dict[str, set[tuple[int, int]]] = {}
    for file in files.values():
        for tensor in file.tensors:
            if tensor.file:
                spans.setdefault(_beside(file.name, tensor.file), set()).add((tensor.begin, tensor.end))
    for name in spans:
        if name not in files:
            raise FieldMissing(where=name, because="tensors lie in this file, and the model does not hold it")
    entries = [manifest.file(name) for name in spans]
    jobs = [(str(path_of(manifest, e)), e, s) for e, s in zip(entries, spans.values(), strict=True)]
    digests = dict(zip(spans, spread(_hash_spans, jobs, executor, _are_hashed), strict=True))
    for name in spans:
        # What a file is found to be it stays, whoever points into it: a pickle, code.
        told = files[name]
        role = Role.WEIGHTS if told.role is Role.OTHER else told.role
        files[name] = replace(told, role=role, format=told.format or "onnx")
    for file in list(files.values()):
        if any(t.file for t in file.tensors):
            tensors = tuple(
                replace(t, sha256=digests[_beside(file.name, t.file)][t.begin, t.end]) if t.file else t
                for t in file.tensors
            )
            files[file.name] = replace(file, tensors=tensors)


def _beside(name: str, other: str) -> str:
    folder, slash, _ = name.rpartition("/")
    return f"{folder}{slash}{other}"


# --- what belongs together -------------------------------------------------------------------------------------------


def _weight_sets(manifest: Manifest, files: Mapping[str, DescribedFile], limits: Limits) -> Iterator[WeightSet]:
    """Put shards together, each index checked against its files, then parts by their names; the others stand alone."""
    sets: dict[str, list[DescribedFile]] = {}
    taken: set[str] = set()
    for name in sorted(files):
        if name.endswith(_INDEX):
            where = str(path_of(manifest, manifest.file(name)))
            index = shard_index.read(_small(manifest, name, limits), where=where, limits=limits)
            beside = {shard: files.get(_beside(name, shard)) for shard in index.files}
            index.check({k: _contents(f) for k, f in beside.items() if f is not None and f.format == "safetensors"})
            members = [f for f in beside.values() if f is not None]
            for file in members:
                if file.name in taken:
                    raise FieldRefused(where=where, found=file.name, because="another index names this shard too")
                taken.add(file.name)
            whole = name.removesuffix(".index.json")
            sets[name if whole in files else whole] = members
    sets |= _parts(manifest, {name: file for name, file in files.items() if name not in taken})
    taken |= {file.name for members in sets.values() for file in members}
    sets |= {name: [file] for name, file in files.items() if file.tensors and name not in taken}
    for name, members in sorted(sets.items()):
        tensors = sorted((t for f in members for t in f.tensors), key=lambda t: t.name)
        for i in range(1, len(tensors)):
            if tensors[i].name == tensors[i - 1].name:
                raise FieldRefused(where=name, found=tensors[i].name, because="two parts hold this tensor")
        if any(f.role is not Role.ADAPTER for f in members):
            yield WeightSet(
                name=name,
                format=members[0].format,
                files=tuple(f.name for f in members),
                tensors=tuple(tensors),
            )


def _parts(manifest: Manifest, files: Mapping[str, DescribedFile]) -> dict[str, list[DescribedFile]]:
    """Put together what its name calls a part of so many. A part may hold words alone."""
    parts: dict[tuple[str, int, str], dict[int, DescribedFile]] = {}
    for name, file in sorted(files.items()):
        split = _SPLIT.fullmatch(name)
        if split and f".{file.format}" == split[4] and manifest.form is Form.TREE:
            parts.setdefault((split[1], int(split[3]), split[4]), {})[int(split[2])] = file
    found: dict[str, list[DescribedFile]] = {}
    for (base, count, suffix), members in parts.items():
        missing = next((n for n in range(1, count + 1) if n not in members), None)
        if missing is not None or len(members) != count:
            because = "parts of the model are not there"
            raise FieldMissing(where=f"{base}{suffix}", found=f"{len(members)} of {count} parts", because=because)
        whole = f"{base}{suffix}"
        found[members[1].name if whole in files or whole in found else whole] = list(members.values())
    return found


def _contents(file: DescribedFile) -> Contents:
    return Contents(format=file.format, metadata=file.metadata, tensors=file.tensors)


def _small(manifest: Manifest, name: str, limits: Limits) -> bytes:
    """Read a file of configuration, and make sure that it is the measured one."""
    limits.check("header_bytes", manifest.file(name).size or 0, where=name)
    with open_verified(manifest, name) as file:
        return file.read()


def _configuration(
    manifest: Manifest, files: Mapping[str, DescribedFile], weights: Iterable[WeightSet], limits: Limits
) -> tuple[str | None, tuple[str, ...]]:
    """Read the architecture, and what code a loader is told to run."""
    architectures: set[str] = set()
    code: set[str] = set()
    for name in _CONFIGURATIONS:
        if name in files:
            where = str(path_of(manifest, manifest.file(name)))
            node = read_json(_small(manifest, name, limits), where=where, limits=limits, bound="header_bytes")
            if name == "config.json":
                architectures |= {item.text() for item in node.get_array("architectures")}
            code |= set(_auto_map(node.get("auto_map")))
    if not architectures:
        told = {files[name].metadata.get("general.architecture") for s in weights for name in s.files}
        architectures = {word for word in told if word}
    return next(iter(architectures)) if len(architectures) == 1 else None, tuple(sorted(code))


def _auto_map(node: Node | None) -> Iterator[str]:
    if node is None:
        return
    # A string, a list (a tokenizer has a slow and a fast one, either of which may be null), or an object of these.
    if isinstance(node.value, str):
        yield node.text()
    elif isinstance(node.value, list):
        yield from (item.text() for item in node.array() if item.value is not None)
    else:
        for _, member in node.members():
            if isinstance(member.value, dict):
                member.refuse("a string or an array of strings")
            yield from _auto_map(member if member.value is not None else None)


# --- comparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file that came (``added``), went (``removed``) or is another (``changed``), with its role."""

    name: str
    role: Role
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorChange:
    """A tensor that came, went or is another: ``added``, ``removed``, or ``changed``, then with what about it."""

    name: str
    weights: str
    what: str
    how: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDiff:
    """What is different in the second of two models. Nothing, exactly where their digests are equal."""

    files: tuple[Change, ...]
    tensors: tuple[TensorChange, ...]

    def __bool__(self) -> bool:
        return bool(self.files or self.tensors)


def diff(old: Description, new: Description) -> ModelDiff:
    """Say which files and which tensors are different.

    Tensors are compared by name, within sets of weights of the same name, so that weights which were only put into
    other shards show no tensor that changed. Where each model has one set, and both are of one format, their names do
    not matter. What is equal in type, shape and bytes is the same tensor.
    """
    files = []
    for name, before, after in _pairs({f.name: f for f in old.files}, {f.name: f for f in new.files}):
        if before and after and old.manifest.file(name).sha256 == new.manifest.file(name).sha256:
            continue
        role = next(f.role for f in (after, before) if f)
        files.append(Change(name=name, role=role, what=_what(before, after)))
    first, second = {s.name: s for s in old.weights}, {s.name: s for s in new.weights}
    if len(first) == len(second) == 1 and old.weights[0].format == new.weights[0].format:
        first = {new.weights[0].name: old.weights[0]}
    tensors = []
    for weights, left, right in _pairs(first, second):
        mine = {t.name: t for t in left.tensors} if left else {}
        yours = {t.name: t for t in right.tensors} if right else {}
        for name, was, now in _pairs(mine, yours):
            how: tuple[str, ...] = ()
            if was and now:
                how = tuple(k for k in ("dtype", "shape", "sha256") if getattr(was, k) != getattr(now, k))
                if not how:
                    continue
            tensors.append(TensorChange(name=name, weights=weights, what=_what(was, now), how=how))
    return ModelDiff(files=tuple(files), tensors=tuple(tensors))


_T = TypeVar("_T")


def _pairs(old: Mapping[str, _T], new: Mapping[str, _T]) -> Iterator[tuple[str, _T | None, _T | None]]:
    """Give every name with what it stands for in both, by name."""
    for name in sorted(old.keys() | new.keys()):
        yield name, old.get(name), new.get(name)


def _what(before: object, after: object) -> str:
    return "added" if before is None else "removed" if after is None else "changed"
