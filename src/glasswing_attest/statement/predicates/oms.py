"""Which files make up the model, and how were they digested?

OpenSSF Model Signing v1.0 (OMS, sections 5 to 7), predicate type ``https://model_signing/signature/v1.0``. ::

    resources:     [{name, digest: "<hex>", algorithm}, …]     at least one, each name once
    serialization: {method: "files" | "shards", hash_type: "sha256" | "blake2b" | "blake3",
                    allow_symlinks: <boolean>, shard_size?: <integer, for shards only>, ignore_paths?: [<path>, …]}

A name is a path below the model: with ``/``, relative, and without ``.``, ``..`` or empty parts. The one resource of a
model that is a single file is called as the file, or ``.`` by older signers. A shard is called ``path:start:end``.

The one subject carries the root: the SHA-256 of the raw digests in the order in which the resources stand. It commits
to no name, and is not the digest of any file although it is written as ``sha256``. So nothing is ever matched with it:
what the statement is about follows from the signed list, as `subjects` draws it.

``https://model_signing/Digests/v0.1``, the format before it, names each file as a subject and says nothing more. It is
not among the types that are read without being asked for: a policy would take each of its files for the whole model.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NoReturn, TypeAlias

from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.manifest import FileEntry, Manifest
from glasswing_attest.errors import DigestRefused, FieldMissing, FieldRefused, Kind, MalformedError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import texts, unless_empty
from glasswing_attest.statement.predicates.predicate_type import PredicateType, Subjects, opaque
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["OLDER_TYPES", "OMS_DIGESTS_V01", "OMS_V1", "TYPES", "Compat", "ModelSignature", "OmsResource", "Order"]

Order: TypeAlias = Literal["spec", "parts", "other"]
"""How resources are sorted: by the code points of their names, as OMS has it; by the parts of their paths, as others
do; or in no order that anybody has defined."""

Compat: TypeAlias = Literal["spec", "model-signing"]
"""For whom a signature is written: as OMS has it, or as model-signing 1.1 reads it where that is something else."""

OMS_V1 = "https://model_signing/signature/v1.0"
OMS_DIGESTS_V01 = "https://model_signing/Digests/v0.1"

_METHODS = ("files", "shards")
_DIGITS = {"sha256": 64, "blake2b": 128, "blake3": 64}
_HEX = re.compile(r"[0-9a-f]+")
_SHARD = re.compile(r"(.+):(0|[1-9][0-9]{0,18}):([1-9][0-9]{0,18})", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class OmsResource:
    """One file or shard: its name, and its digest in hex under the model's one algorithm."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSignature:
    """What an OMS signature says: the files of a model, and how they were digested.

    Raises:
        FieldMissing, FieldRefused, DigestRefused: it would break one of OMS's rules.

    >>> signature = ModelSignature(resources=(OmsResource(name="config.json", digest="00" * 32),))
    >>> signature.root()[:12]
    '66687aadf862'
    """

    resources: tuple[OmsResource, ...]
    method: str = "files"
    hash_type: str = "sha256"
    allow_symlinks: bool = False
    shard_size: int | None = None
    ignore_paths: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _Rules("", "evidence").check(self)

    @property
    def predicate_type(self) -> str:
        """``https://model_signing/signature/v1.0``."""
        return OMS_V1

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> ModelSignature:
        """Read a predicate. Raises `MalformedError` with the path."""
        told, ignored = node.need("serialization"), node.need("serialization").get("ignore_paths")
        method = told.need("method").one_of({name: name for name in _METHODS})
        hash_type = told.need("hash_type").one_of({name: name for name in _DIGITS})
        shard_size = _shard_size(told.get("shard_size"))
        # OMS wants the plain hash_type; the first signers marked shards with their size as well.
        algorithms = (hash_type, f"{hash_type}-sharded-{shard_size}")
        resources = []
        for item in node.need("resources").array():
            algorithm = item.need("algorithm")
            if algorithm.text() not in algorithms:
                algorithm.refuse(f"{hash_type}, as hash_type says", found=algorithm.value)
            resources.append(OmsResource(name=item.need("name").text(), digest=item.need("digest").text()))
        # Made without its own check, whose complaints would not say where in the statement they are.
        found = object.__new__(cls)
        for name, value in {
            "resources": tuple(resources),
            "method": method,
            "hash_type": hash_type,
            "allow_symlinks": told.need("allow_symlinks").boolean(),
            "shard_size": shard_size,
            "ignore_paths": () if ignored is None else texts(ignored),
        }.items():
            object.__setattr__(found, name, value)
        _Rules(f"{node.path}.", node.kind).check(found)
        return found

    def root(self) -> str:
        """Give the root in hex: the SHA-256 of the raw digests, in the order in which the resources stand here.

        It commits to no name: two models whose files are called otherwise may have one root.
        """
        return hashlib.sha256(b"".join(bytes.fromhex(resource.digest) for resource in self.resources)).hexdigest()

    @property
    def order(self) -> Order:
        """How the resources are sorted: where both orders are one, as OMS has it.

        >>> names = ("a/b", "a b")
        >>> ModelSignature(resources=tuple(OmsResource(name=name, digest="00" * 32) for name in names)).order
        'parts'
        """
        names = [resource.name for resource in self.resources]
        if names == sorted(names):
            return "spec"
        keys = [_by_parts(piece) for piece in self.pieces()]
        return "parts" if keys == sorted(keys) else "other"

    def pieces(self) -> Iterator[tuple[str, int, int | None]]:
        """Give for each resource which file it is of, from where, and to where: to None for a whole file."""
        for resource in self.resources:
            shard = _SHARD.fullmatch(resource.name) if self.method == "shards" else None
            yield (resource.name, 0, None) if shard is None else (shard[1], int(shard[2]), int(shard[3]))

    def require_root(self, written: Subjects) -> Literal["spec", "parts"]:
        """Hold the subjects that stand in the statement against the resources, and give the order of the root.

        Raises:
            FieldRefused: not exactly one subject, a root that does not follow from the resources in the order given, or
                resources in no known order.
        """
        if len(written) != 1:
            raise FieldRefused(where="$.subject", found=f"{len(written)} subjects", wanted="exactly one")
        said, order = written[0].digest.get("sha256"), self.order
        if said != self.root():
            wanted = f"{self.root()}, which follows from the resources"
            raise FieldRefused(where="$.subject[0].digest.sha256", found=said, wanted=wanted)
        if order == "other":
            because = "they are sorted neither by their names nor by the parts of their paths"
            raise FieldRefused(where="$.predicate.resources", because=because)
        return order

    def subjects(self, written: Subjects) -> Subjects:
        """Give what the statement is about: the tree with these files, and where there is one only, that file.

        Only a list of whole files with their SHA-256 tells that; of any other nothing follows, and so nothing is given.

        Raises:
            FieldRefused: as `require_root` does.
        """
        self.require_root(written)
        if self.method != "files" or self.hash_type != "sha256":
            return ()
        name = written[0].name
        found = []
        if len(self.resources) == 1:
            found.append(ResourceDescriptor(name=name, digest=DigestSet.of(sha256=self.resources[0].digest)))
        if self.resources[0].name != ".":
            try:
                files = [FileEntry(name=each.name, size=None, sha256=each.digest) for each in self.resources]
                tree = Manifest.of_tree("model", _sized(files), is_declared=True)
            except MalformedError:
                return tuple(found)  # a name that no listing carries, so that no tree which is measured here has it
            found.append(ResourceDescriptor(name=name, digest=tree.digests))
        return tuple(found)

    def to_predicate(self, *, compat: Compat = "spec") -> dict[str, object]:
        """Give the predicate as OMS's JSON object, the resources sorted by the code points of their names.

        For model-signing 1.1, which cannot read it otherwise, the algorithm of a shard says its size as well.
        """
        is_marked = compat == "model-signing" and self.method == "shards"
        algorithm = f"{self.hash_type}-sharded-{self.shard_size}" if is_marked else self.hash_type
        serialization = {
            "method": self.method,
            "hash_type": self.hash_type,
            "allow_symlinks": self.allow_symlinks,
            "shard_size": self.shard_size,
            "ignore_paths": list(self.ignore_paths),
        }
        return {
            "resources": [
                {"name": resource.name, "digest": resource.digest, "algorithm": algorithm}
                for resource in sorted(self.resources, key=lambda resource: resource.name)
            ],
            "serialization": unless_empty(serialization),
        }


def _by_parts(piece: tuple[str, int, int | None]) -> tuple[list[str], int, int]:
    path, start, end = piece
    return path.split("/"), start, end or 0


def _sized(files: Iterable[FileEntry]) -> Iterator[FileEntry]:
    """Say the size of the empty files, which their digest tells; that of no other is known."""
    empty = hashlib.sha256().hexdigest()
    return (FileEntry(name=f.name, size=0, sha256=f.sha256) if f.sha256 == empty else f for f in files)


def _shard_size(node: Node | None) -> int | None:
    """Read a size in bytes. A signer whose numbers all are doubles writes 10.0 for 10."""
    if node is None:
        return None
    value = node.value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        node.refuse("an integer")
    return value


@dataclass(frozen=True, slots=True)
class _Rules:
    """OMS's rules on what a signature may say; `path` is where it stands, in front of the names of fields."""

    path: str
    kind: Kind

    def check(self, told: ModelSignature) -> None:
        self._among(told.method, _METHODS, "serialization.method")
        self._among(told.hash_type, _DIGITS, "serialization.hash_type")
        size = told.shard_size
        if (told.method == "shards") != (size is not None) or (size is not None and size < 1):
            self._refuse("serialization.shard_size", size, "a size of at least 1 for shards, and for them only")
        for number, path in enumerate(told.ignore_paths):
            self._require_canonical(path, f"serialization.ignore_paths[{number}]")
        if not told.resources:
            raise FieldMissing(kind=self.kind, where=f"{self.path}resources", wanted="at least one resource")
        seen: set[str] = set()
        for number, resource in enumerate(told.resources):
            where = f"resources[{number}]"
            # The names of shards are looked at with their paths.
            if told.method == "files" and (resource.name != "." or len(told.resources) > 1):
                self._require_canonical(resource.name, f"{where}.name")
            if resource.name in seen:
                self._refuse(f"{where}.name", resource.name, "each name once")
            seen.add(resource.name)
            if len(resource.digest) != _DIGITS[told.hash_type] or not _HEX.fullmatch(resource.digest):
                wanted = f"{_DIGITS[told.hash_type]} lowercase hex digits"
                where = f"{self.path}{where}.digest"
                raise DigestRefused(kind=self.kind, where=where, found=resource.digest, wanted=wanted)
        if size is not None:
            self._require_whole(told.resources, size)

    def _require_whole(self, resources: Iterable[OmsResource], size: int) -> None:
        """The shards of each file must lie one behind the other from its start, each but the last of full size."""
        shards: dict[str, list[tuple[int, int, int]]] = {}
        for number, resource in enumerate(resources):
            found = _SHARD.fullmatch(resource.name)  # greedy: the last two colons count
            if found is None:
                self._refuse(f"resources[{number}].name", resource.name, "path:start:end")
            shards.setdefault(found[1], []).append((int(found[2]), int(found[3]), number))
        for path, parts in shards.items():
            if path != "." or len(shards) > 1:
                self._require_canonical(path, f"resources[{parts[0][2]}].name")
        for parts in shards.values():
            parts.sort()
            for position, (start, end, number) in enumerate(parts):
                full = end - start == size or (position == len(parts) - 1 and 0 < end - start < size)
                if start != position * size or not full:
                    wanted = f"a shard that starts at {position * size}, of {size} bytes unless it is the last"
                    self._refuse(f"resources[{number}].name", f"{start}:{end}", wanted)

    def _require_canonical(self, name: str, where: str) -> None:
        if "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
            self._refuse(where, name, "a relative path without empty, . and .. parts")

    def _among(self, text: str, choices: Iterable[str], where: str) -> None:
        if text not in choices:
            self._refuse(where, text, f"one of {', '.join(choices)}")

    def _refuse(self, where: str, found: object, wanted: str) -> NoReturn:
        raise FieldRefused(kind=self.kind, where=f"{self.path}{where}", found=found, wanted=wanted)


def _subjects(written: Subjects, predicate: object) -> Subjects:
    assert isinstance(predicate, ModelSignature)  # noqa: S101  # only its own parse feeds it
    return predicate.subjects(written)


TYPES = (
    PredicateType(
        uri=OMS_V1,
        parse=lambda node, limits: ModelSignature.from_predicate(node, limits=limits),
        subjects=_subjects,
    ),
)
OLDER_TYPES = (opaque(OMS_DIGESTS_V01),)
"""What is read only when asked for."""
