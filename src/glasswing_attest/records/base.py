"""How is a record written and read, so that nothing is lost and nothing is guessed?

A record is a frozen value with two written forms. Its **JSON form** is what gets signed: canonical ProtoJSON of its
message, as the predicate of an in-toto statement. Its **binary form** is its protobuf message. Both are walked along
the message's descriptor, so that names, types and enumerations cannot drift from ``proto/glasswing/attest/v1``.

Foreign JSON never meets protobuf's own ``json_format``, which fails open: it takes ``"1e3"`` for an integer, and
snake_case names, and (when told to ignore what it does not know) an unknown enumeration value for none. Here names are
camelCase, scalars canonical, enumerations closed, null is absent, and fields that this version does not know are kept
and ignored. They are written again in the form in which they came. The other form has no place for them, and that is
safe: a version gains only fields that may be ignored.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias, TypeVar, cast

import pydantic
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet

from glasswing_attest._proto import common_pb2
from glasswing_attest._wire import JsonObject, JsonValue, Node, canonical_json, parse_proto, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.leaves import head_of
from glasswing_attest.artifact.manifest import Facts, Manifest
from glasswing_attest.artifact.merkle import TreeHead
from glasswing_attest.errors import FieldMissing, FieldRefused, Kind, MalformedError
from glasswing_attest.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "PREDICATE_BASE",
    "Bool",
    "DecimalText",
    "DigestMap",
    "GitName",
    "Name",
    "Part",
    "Record",
    "ResourceReference",
    "Sha256",
    "Text",
    "TextMap",
    "Time",
    "TreeSummary",
    "Tuple",
    "UInt64",
    "completed",
    "described_tree",
    "measured_tree",
]

PREDICATE_BASE = "https://glasswing-attest.readthedocs.io/predicates"
"""What every predicate type of ours begins with: ``<base>/<name>/v<version>``."""

_T = TypeVar("_T")
_P = TypeVar("_P", bound="Part")
_R = TypeVar("_R", bound="Record")


# --- the types of fields ---------------------------------------------------------------------------------------------
#
# To a type checker these are str, int, Sequence and Mapping, so that a literal list or dict may be given; what is kept
# is frozen.


def _text(value: str) -> str:
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("a lone surrogate is not text")
    return value


def _utc(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError("a time needs a time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError as e:
        raise ValueError("the time is outside of the years 1 to 9999") from e


def _decimal(value: str) -> str:
    # Written out in full: an exponent would let a few bytes stand for a number that fills the memory.
    if len(value) > 64 or not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", value, re.ASCII):
        raise ValueError("not a finite decimal such as 0.93, of at most 64 characters and without an exponent")
    if value.startswith("-") and not value.strip("-0."):
        raise ValueError("zero has no sign")
    return value


def _digest(value: Mapping[str, str]) -> Mapping[str, str]:
    return Facts(DigestSet.parse(Node(dict(value), "digest")).to_dict())


def _digest_object(value: object) -> object:
    return value.to_dict() if isinstance(value, DigestSet) else value


_STRICT = pydantic.Strict()

Text: TypeAlias = Annotated[str, _STRICT, pydantic.AfterValidator(_text)]
"""Unicode text, possibly empty."""

Name: TypeAlias = Annotated[str, _STRICT, pydantic.Field(min_length=1), pydantic.AfterValidator(_text)]
"""Text that is not empty. Required wherever it stands."""

Sha256: TypeAlias = Annotated[str, _STRICT, pydantic.Field(pattern=r"^[0-9a-f]{64}$")]
"""64 lowercase hex digits."""

GitName: TypeAlias = Annotated[str, _STRICT, pydantic.Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
"""The name of a git object: 40 or 64 lowercase hex digits."""

DecimalText: TypeAlias = Annotated[str, _STRICT, pydantic.AfterValidator(_decimal)]
"""A finite decimal, written out exactly."""

Bool: TypeAlias = Annotated[bool, _STRICT]
"""True or false, and nothing that only looks like it."""

UInt64: TypeAlias = Annotated[int, _STRICT, pydantic.Field(ge=0, lt=2**64)]
"""An exact integer from 0 to 2^64−1."""

Time: TypeAlias = Annotated[datetime, _STRICT, pydantic.AfterValidator(_utc)]
"""A point in time, kept in UTC. One without a time zone is refused."""

Tuple: TypeAlias = Annotated[Sequence[_T], pydantic.AfterValidator(tuple)]
"""A list of values, kept as a tuple."""

TextMap: TypeAlias = Annotated[Mapping[Text, Text], pydantic.AfterValidator(Facts)]
"""Words by words, kept frozen and ordered by key."""

DigestMap: TypeAlias = Annotated[
    Mapping[Text, Text], pydantic.BeforeValidator(_digest_object), pydantic.AfterValidator(_digest)
]
"""An in-toto DigestSet as an object; a `DigestSet` may be given. Known algorithms have values of their shape."""


# --- values ----------------------------------------------------------------------------------------------------------


class Part(pydantic.BaseModel):
    """A frozen value that mirrors one protobuf message, field by field and name by name.

    Construction refuses what the message could not say, with `FieldMissing`, `FieldRefused` or `DigestRefused`.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    message: ClassVar[type[Message]]
    """The protobuf message."""

    # Fields that this version does not know, in the form in which they came.
    _unknown_json: JsonObject = pydantic.PrivateAttr(default_factory=dict)
    _unknown_proto: bytes = pydantic.PrivateAttr(default=b"")

    def __init__(self, /, **fields: Any) -> None:
        self._fill(fields, type(self).__name__)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "message" in cls.__dict__:
            _PARTS[cls.message.DESCRIPTOR.full_name] = cls

    @property
    def unknown_fields(self) -> JsonObject:
        """The JSON fields that came with it and that this version does not know. A copy: the record stays as it is."""
        return copy.deepcopy(self._unknown_json)

    def _fill(
        self, fields: dict[str, Any], where: str, names: Mapping[str, str] | None = None, kind: Kind = "evidence"
    ) -> None:
        """Validate `fields` into this new value. `names` turns a field's name into the one that the reader used."""
        try:
            super().__init__(**fields)
        except pydantic.ValidationError as e:
            raise _refusal(e, where, names or {}, kind) from e
        except MalformedError as e:
            raise type(e)(
                kind=kind, where=f"{where}.{e.where}", found=e.found, wanted=e.wanted, because=e.because, do=e.do
            ) from e

    # --- the JSON form ---

    @classmethod
    def _read(cls, node: Node) -> Self:
        values: dict[str, Any] = {}
        names: dict[str, str] = {}
        for field in _fields(cls.message):
            names[field.name] = field.json_name
            member = node.get(field.json_name)
            if member is not None and not _is_zero(field, member):
                values[field.name] = _read_field(field, member)
        self = cls.__new__(cls)
        self._fill(values, node.path, names, node.kind)
        known = set(names.values())
        unknown = {k: v for k, v in node.object().items() if k not in known}
        if unknown:
            self._unknown_json = copy.deepcopy(unknown)
        return self

    def _write(self) -> dict[str, object]:
        written: dict[str, object] = {k: _writable(v) for k, v in self._unknown_json.items()}
        for field in _fields(self.message):
            value = getattr(self, field.name)
            if value is None or (field.is_repeated and not value):
                continue
            if _is_map(field):
                written[field.json_name] = dict(value)
            elif field.is_repeated:
                written[field.json_name] = [_write_single(field, item) for item in value]
            else:
                written[field.json_name] = _write_single(field, value)
        return written

    # --- the binary form ---

    @classmethod
    def _decode(cls, message: Message, where: str) -> Self:
        values: dict[str, Any] = {}
        for field, value in _said(message):
            path = f"{where}.{field.name}"
            if _is_map(field):
                values[field.name] = dict(value)
            elif field.is_repeated:
                values[field.name] = [_decode_single(field, item, f"{path}[{i}]") for i, item in enumerate(value)]
            else:
                values[field.name] = _decode_single(field, value, path)
        self = cls.__new__(cls)
        self._fill(values, where)
        if len(UnknownFieldSet(message)):
            self._unknown_proto = _only_unknown(message)
        return self

    def _encode(self) -> Message:
        message: Any = self.message()
        for field in _fields(self.message):
            value = getattr(self, field.name)
            if value is None:
                continue
            if _is_map(field):
                getattr(message, field.name).update(value)
            elif field.is_repeated:
                getattr(message, field.name).extend(_encode_single(field, item) for item in value)
            elif field.message_type is not None:
                child = getattr(message, field.name)
                child.SetInParent()  # an empty message that is there was said
                child.CopyFrom(_encode_single(field, value))
            else:
                setattr(message, field.name, _encode_single(field, value))
        message.MergeFromString(self._unknown_proto)
        return message  # type: ignore[no-any-return]  # generated classes are built at run time


# The Python class of each message, by the message's full name.
_PARTS: dict[str, type[Part]] = {}


class Record(Part):
    """A record about an artifact: what `attest` signs as a predicate.

    The subclasses are `CodeRecord`, `DataRecord`, `ModelRecord`, `DependencyRecord` and `EvaluationRecord`.
    """

    predicate_type: ClassVar[str]
    """The predicate type URI that a statement carries with it."""

    # The digests of the single file in which `holding` found what the record says; a tree's stand in `tree`.
    _holds_for: DigestSet | None = pydantic.PrivateAttr(default=None)

    def to_predicate(self) -> dict[str, object]:
        """Give the JSON object that stands in a statement: canonical ProtoJSON. What was not said is not in it."""
        return self._write()

    def to_json(self) -> bytes:
        """Give the predicate as canonical JSON bytes (RFC 8785).

        Raises:
            FieldRefused: a field that this version does not know holds a number that JSON cannot carry exactly.
        """
        return canonical_json(self.to_predicate())

    def to_proto(self) -> bytes:
        """Give the binary form. The same record gives the same bytes with the same protobuf library."""
        return self._encode().SerializeToString(deterministic=True)

    @classmethod
    def from_predicate(cls, predicate: Node | Mapping[str, JsonValue]) -> Self:
        """Read the JSON object strictly, as it was parsed by `parse_json` or stands in a verified statement.

        Raises:
            MalformedError: `FieldMissing`, `FieldRefused` or `DigestRefused`, with the JSON path.
        """
        return cls._read(predicate if isinstance(predicate, Node) else Node(dict(predicate)))

    @classmethod
    def from_json(cls, data: bytes, *, limits: Limits = DEFAULT) -> Self:
        """Read the JSON bytes strictly.

        Raises:
            MalformedError: the bytes are not strict JSON, or not this record.
            LimitError: too large or too deep.
        """
        return cls._read(read_json(data, limits=limits, bound="record_bytes"))

    @classmethod
    def from_proto(cls, data: bytes, *, limits: Limits = DEFAULT) -> Self:
        """Read the binary form; the rules for values are those of the JSON form.

        Raises:
            MalformedError: `NotProtobuf`, or a field that does not hold what it must.
            LimitError: too large.
        """
        return cls._decode(parse_proto(cls.message, data, where=cls.__name__, limits=limits), cls.__name__)

    def described_by(self, manifest: Manifest) -> Self:
        """Give this record, completed by what was measured. A record that says nothing measurable stays as it is.

        Raises:
            FieldRefused: the record says something else than the manifest.
        """
        return self


class ResourceReference(Part):
    """Names something outside the record: a file, dataset, model, repository or tool. At least one field is said.

    Attributes:
        name: for people, such as a path.
        uri: where it is, or what it is called globally.
        digest: its digests, as in-toto's DigestSet.
    """

    message = common_pb2.ResourceReference

    name: Text | None = None
    uri: Text | None = None
    digest: DigestMap = Facts()

    @pydantic.model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.name or self.uri or self.digest):
            raise ValueError("a reference needs a name, a uri or a digest")
        return self


class TreeSummary(Part):
    """A tree of files in a few figures.

    Attributes:
        dir_hash: in-toto's ``dirHash``.
        files: how many regular files it holds.
        total_bytes: the sum of their sizes.
        merkle_root: the RFC 6962 root over named, sized leaves; means something only together with `files`.
        excluded: names that were left out, relative to the root.
        manifest_tree_size: how many directories, and files that lie in none, its tree of manifests holds.
        manifest_tree_root: the RFC 6962 root over these; means something only together with `manifest_tree_size`.
    """

    message = common_pb2.TreeSummary

    dir_hash: Sha256
    files: UInt64 | None = None
    total_bytes: UInt64 | None = None
    merkle_root: Sha256 | None = None
    excluded: Tuple[Text] = ()
    manifest_tree_size: UInt64 | None = None
    manifest_tree_root: Sha256 | None = None

    @pydantic.model_validator(mode="after")
    def _root_has_its_size(self) -> Self:
        for root, size in (("merkle_root", "files"), ("manifest_tree_root", "manifest_tree_size")):
            if getattr(self, root) is not None and not 1 <= (getattr(self, size) or 0) < 2**63:
                raise ValueError(f"{root} means nothing without {size}, from 1 and below 2^63")
        return self

    @property
    def head(self) -> TreeHead:
        """Size and Merkle root of the tree. Raises `FieldMissing` where the record does not say them.

        A proof that leads to it is worth what the record is worth: take that from ``report.records(…)``, which gives
        verified records only. `Report.open_part` does so by itself.
        """
        return _head(self.files, self.merkle_root, "tree.merkleRoot")

    @property
    def manifest_tree_head(self) -> TreeHead:
        """Size and root of the tree of manifests. Raises `FieldMissing` where the record does not say them."""
        return _head(self.manifest_tree_size, self.manifest_tree_root, "tree.manifestTreeRoot")


def _head(size: int | None, root: str | None, where: str) -> TreeHead:
    if size is None or root is None:
        raise FieldMissing(where=where)
    return TreeHead(size=size, root=bytes.fromhex(root))


def measured_tree(manifest: Manifest) -> dict[str, object] | None:
    """Give the figures of a measured tree, by the names of `TreeSummary`; None where the manifest is of no tree."""
    dir_hash = manifest.digests.get("dirHash")
    if dir_hash is None:
        return None
    sizes = [entry.size for entry in manifest.files]
    figures = {
        "dir_hash": dir_hash,
        "files": len(sizes) or None,
        # A bare listing does not tell sizes, and a sum of some of them would be a wrong figure.
        "total_bytes": manifest.total_bytes if sizes and None not in sizes else None,
        "merkle_root": head_of(manifest).root.hex() if sizes and None not in sizes else None,
        "excluded": None if manifest.is_declared else manifest.excluded,
    }
    return {name: figure for name, figure in figures.items() if figure is not None}


def described_tree(record: _R, manifest: Manifest, given: TreeSummary | None) -> _R:
    """Give a record with a field `tree`, which is `given`, completed by what was measured.

    Raises:
        FieldRefused: the two differ, a tree was given for what is none, or the record holds for another file.
    """
    figures = measured_tree(manifest)
    where = type(record).__name__
    if figures is None and given is not None:
        wanted = f"no tree, for this is {manifest.digests.label}"
        raise FieldRefused(where=f"{where}.tree", found=f"dirHash {given.dir_hash}", wanted=wanted)
    _check_holds(record, manifest)
    described = completed(record, {"tree": figures}, where)
    described._holds_for = None  # it was held against the artifact, and is now what a reader gets
    return described


def holding_for(record: _R, manifest: Manifest) -> _R:
    """Give a record that is about this artifact and no other, because something that it says was found there.

    Raises:
        FieldRefused: it is about another one.
    """
    _check_holds(record, manifest)
    dir_hash = manifest.digests.get("dirHash")
    # The other figures of a tree are filled in when it is attested.
    held = completed(record, {"tree": {"dir_hash": dir_hash}} if dir_hash else {}, type(record).__name__)
    held._holds_for = None if dir_hash else manifest.digests
    return held


def _check_holds(record: Record, manifest: Manifest) -> None:
    wanted = record._holds_for
    if wanted is not None and not wanted.matches(manifest.digests):
        because = "what the record says was found in another file"
        where = type(record).__name__
        raise FieldRefused(where=where, found=manifest.digests.label, wanted=wanted.label, because=because)


def completed(part: _P, measured: Mapping[str, object], where: str) -> _P:
    """Give the value with its unsaid fields filled from what was measured; None was not.

    Raises:
        FieldRefused: a field says something else than what was measured.
    """
    fields = {name: getattr(part, name) for name in type(part).model_fields}
    for name, value in measured.items():
        given = fields[name]
        if value is None:
            continue
        if isinstance(given, Part) and isinstance(value, dict):
            fields[name] = completed(given, value, f"{where}.{name}")
        elif given in (None, (), {}):
            fields[name] = value
        elif given != value:
            because = "the record says something else than what was measured"
            raise FieldRefused(where=f"{where}.{name}", found=given, wanted=value, because=because)
    made = type(part)(**fields)
    made._unknown_json = part._unknown_json
    made._unknown_proto = part._unknown_proto
    if isinstance(part, Record) and isinstance(made, Record):
        made._holds_for = part._holds_for
    return made


def _refusal(error: pydantic.ValidationError, where: str, names: Mapping[str, str], kind: Kind) -> MalformedError:
    """Turn pydantic's first complaint into ours."""
    first = error.errors(include_url=False, include_context=False)[0]
    path = where
    for i, step in enumerate(first["loc"]):
        path += f"[{step}]" if isinstance(step, int) else f".{names.get(step, step) if i == 0 else step}"
    found = first["input"]
    if first["type"] == "missing" or (first["type"] == "string_too_short" and found == ""):
        return FieldMissing(kind=kind, where=path)
    says = first["msg"].removeprefix("Value error, ")
    plain = found if isinstance(found, str | int | float | datetime | None) and first["loc"] else None
    return FieldRefused(kind=kind, where=path, found=plain, because=says)


# --- one field -------------------------------------------------------------------------------------------------------


def _fields(message: type[Message]) -> tuple[FieldDescriptor, ...]:
    return cast("tuple[FieldDescriptor, ...]", tuple(message.DESCRIPTOR.fields))


def _said(message: Message) -> list[tuple[FieldDescriptor, Any]]:
    return cast("list[tuple[FieldDescriptor, Any]]", message.ListFields())


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _is_time(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == Timestamp.DESCRIPTOR.full_name


@cache
def _words(enum: EnumDescriptor) -> dict[str, str]:
    """The closed set of an enumeration: the name on the wire to the word in Python. Zero says nothing and is not in it.

    ``RELATION_FINE_TUNE`` is ``fine-tune``.
    """
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {v.name: v.name.removeprefix(prefix).lower().replace("_", "-") for v in enum.values if v.number != 0}


@cache
def _wire_names(enum: EnumDescriptor) -> dict[str, str]:
    return {word: name for name, word in _words(enum).items()}


def _is_zero(field: FieldDescriptor, node: Node) -> bool:
    # An enumeration's zero says nothing, and writers that print every default name it. In a list it is refused.
    return (
        field.enum_type is not None and not field.is_repeated and node.value == field.enum_type.values_by_number[0].name
    )


def _read_field(field: FieldDescriptor, node: Node) -> Any:
    if _is_map(field):
        return {key: member.text() for key, member in node.members()}
    if field.is_repeated:
        return [_read_single(field, item) for item in node.array()]
    return _read_single(field, node)


_SCALARS: dict[int, Callable[[Node], object]] = {
    FieldDescriptor.TYPE_STRING: Node.text,
    FieldDescriptor.TYPE_UINT64: Node.uint64,
    FieldDescriptor.TYPE_BOOL: Node.boolean,
}


def _read_single(field: FieldDescriptor, node: Node) -> object:
    if _is_time(field):
        return node.time()
    if field.message_type is not None:
        return _PARTS[field.message_type.full_name]._read(node)
    if field.enum_type is not None:
        return node.one_of(_words(field.enum_type))
    return _SCALARS[field.type](node)


def _write_single(field: FieldDescriptor, value: Any) -> object:
    if _is_time(field):
        return _rfc3339(value)
    if field.message_type is not None:
        return value._write()
    if field.enum_type is not None:
        return _wire_names(field.enum_type)[value]
    return str(value) if field.type == FieldDescriptor.TYPE_UINT64 else value


def _rfc3339(time: datetime) -> str:
    # ProtoJSON writes no fraction, or one of 3, 6 or 9 digits.
    digits = "microseconds" if time.microsecond % 1000 else "milliseconds" if time.microsecond else "seconds"
    return time.isoformat(timespec=digits).replace("+00:00", "Z")


def _writable(value: JsonValue) -> object:
    """Give a value that came as JSON as our writer takes it: a `Decimal` as a double, where that is the same number."""
    if isinstance(value, dict):
        return {k: _writable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_writable(v) for v in value]
    # An integer beyond 2^53−1 stays what it is in either spelling, and so is refused by the writer.
    if (
        isinstance(value, Decimal)
        and Decimal(repr(float(value))) == value
        and not (value == value.to_integral_value() and value.copy_abs() >= 2**53)
    ):
        return float(value)
    return value


def _decode_single(field: FieldDescriptor, value: Any, where: str) -> object:
    if _is_time(field):
        try:
            return value.ToDatetime(UTC)
        except (ValueError, OverflowError) as e:
            raise FieldRefused(
                where=where, found=f"{value.seconds} seconds", wanted="a time of the years 1 to 9999"
            ) from e
    if field.message_type is not None:
        return _PARTS[field.message_type.full_name]._decode(value, where)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        words = _words(field.enum_type)
        if known is None or known.name not in words:
            raise FieldRefused(where=where, found=value, wanted=f"the number of one of {', '.join(words)}")
        return words[known.name]
    return value


def _encode_single(field: FieldDescriptor, value: Any) -> Any:
    if _is_time(field):
        stamp = Timestamp()
        stamp.FromDatetime(value)
        return stamp
    if field.message_type is not None:
        return value._encode()
    if field.enum_type is not None:
        return field.enum_type.values_by_name[_wire_names(field.enum_type)[value]].number
    return value


def _only_unknown(message: Message) -> bytes:
    rest = type(message)()
    rest.CopyFrom(message)
    for field, _ in message.ListFields():
        rest.ClearField(field.name)
    return rest.SerializeToString(deterministic=True)
