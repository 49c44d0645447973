"""Do the Python records say what the protobuf messages say, field by field?"""

import keyword
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor

from glasswing_attest._proto import (
    attestation_set_pb2,
    code_pb2,
    common_pb2,
    data_pb2,
    dependencies_pb2,
    evaluation_pb2,
    manifest_pb2,
    model_pb2,
    proof_pb2,
)
from glasswing_attest.records import PREDICATE_BASE, Part, Record, registry
from glasswing_attest.records.base import _PARTS
from tests.unit.records.samples import RECORDS
from tools.generate_proto import BUILTINS

# The messages of these files are mirrored; manifests, sets and proofs have classes of their own.
FILES = (common_pb2, code_pb2, data_pb2, model_pb2, dependencies_pb2, evaluation_pb2)
EVERY_FILE = (*FILES, manifest_pb2, attestation_set_pb2, proof_pb2)


def messages(file: Any) -> Iterator[Descriptor]:
    descriptor: FileDescriptor = file.DESCRIPTOR
    yield from descriptor.message_types_by_name.values()


def fields(*files: Any) -> list[tuple[Descriptor, FieldDescriptor]]:
    return [(m, f) for file in files for m in messages(file) for f in m.fields]


MIRRORED = fields(*FILES)


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def bare(annotation: Any) -> Any:
    """The annotation without what Annotated adds, at its top."""
    return bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def python_shape(model: type[Part], name: str) -> tuple[str, Any, bool]:
    """(cardinality, type, may be None) of a field in Python."""
    annotation, optional = bare(model.model_fields[name].annotation), False
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (bare(a) for a in get_args(annotation) if a is not type(None))
        optional = True
    if get_origin(annotation) is Sequence:
        return "repeated", element(get_args(annotation)[0]), optional
    if get_origin(annotation) is Mapping:
        assert [bare(a) for a in get_args(annotation)] == [str, str]
        return "map", str, optional
    return "single", element(annotation), optional


def element(annotation: Any) -> Any:
    annotation = bare(annotation)
    return frozenset(get_args(annotation)) if get_origin(annotation) is Literal else annotation


SCALARS = {FieldDescriptor.TYPE_STRING: str, FieldDescriptor.TYPE_UINT64: int, FieldDescriptor.TYPE_BOOL: bool}


def proto_shape(field: FieldDescriptor) -> tuple[str, Any]:
    """(cardinality, type) of a field in the schema, in Python's terms."""
    if is_map(field):
        assert field.message_type is not None
        assert all(f.type == FieldDescriptor.TYPE_STRING for f in field.message_type.fields)
        return "map", str
    kind: Any
    if field.enum_type is not None:
        prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field.enum_type.name).upper() + "_"
        names = [v.name for v in field.enum_type.values]
        assert names[0] == f"{prefix}UNSPECIFIED"
        assert all(name.startswith(prefix) for name in names)
        kind = frozenset(name.removeprefix(prefix).lower().replace("_", "-") for name in names[1:])
    elif field.message_type is not None:
        stamp = field.message_type.full_name == "google.protobuf.Timestamp"
        kind = datetime if stamp else _PARTS[field.message_type.full_name]
    else:
        kind = SCALARS[field.type]
    return "repeated" if field.is_repeated else "single", kind


def test_every_message_has_its_class_and_every_class_its_message() -> None:
    wanted = {m.full_name: m.name for file in FILES for m in messages(file)}
    assert {name: part.__name__ for name, part in _PARTS.items()} == wanted
    assert len(wanted) >= 12


@pytest.mark.parametrize("part", _PARTS.values(), ids=lambda p: p.__name__)
def test_the_fields_are_the_same_in_the_same_order(part: type[Part]) -> None:
    assert list(part.model_fields) == [f.name for f in part.message.DESCRIPTOR.fields]


@pytest.mark.parametrize(("message", "field"), MIRRORED, ids=lambda d: d.full_name.removeprefix("glasswing.attest.v1."))
def test_a_field_has_the_same_type_cardinality_and_presence(message: Descriptor, field: FieldDescriptor) -> None:
    part = _PARTS[message.full_name]
    info = part.model_fields[field.name]
    cardinality, kind, optional = python_shape(part, field.name)
    assert (cardinality, kind) == proto_shape(field)
    if cardinality != "single":
        assert not optional
        assert not info.is_required()
        assert len(info.default) == 0
    elif field.has_presence:
        assert optional
        assert info.default is None
    else:
        # Plain fields are the required ones. An enumeration that may be unspecified is plain, too: its zero is absence.
        assert field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_ENUM)
        assert info.is_required() is not optional
        assert optional <= (field.enum_type is not None)


def said_to_be_required(message: Any) -> set[str]:
    """The fields whose comment in the .proto file begins with "Required."."""
    source = Path(__file__).parents[3] / "proto" / message.file.name
    body = source.read_text(encoding="utf-8").split(f"\nmessage {message.name} {{\n")[1].split("\n}\n")[0]
    comments = re.findall(r"((?:^  //.*\n)+)  (.*) = \d+;$", body + "\n", re.MULTILINE)
    assert len(comments) == len(message.fields), f"a field of {message.name} has no comment"
    return {declared.split()[-1] for comment, declared in comments if comment.startswith("  // Required. ")}


@pytest.mark.parametrize("part", _PARTS.values(), ids=lambda p: p.__name__)
def test_the_schema_says_what_is_required(part: type[Part]) -> None:
    required = {name for name, info in part.model_fields.items() if info.is_required()}
    assert required == said_to_be_required(part.message.DESCRIPTOR)


@pytest.mark.parametrize(("message", "field"), fields(*EVERY_FILE), ids=lambda d: d.full_name)
def test_a_field_shadows_nothing(message: Descriptor, field: FieldDescriptor) -> None:
    # `license` comes from the site module, not from the language, and is the word that everybody uses.
    assert field.name not in BUILTINS
    assert not keyword.iskeyword(field.name)
    assert not hasattr(pydantic.BaseModel, field.name)
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*", field.name), "camelCase and back must be the same name"


@pytest.mark.parametrize(("message", "field"), fields(*EVERY_FILE), ids=lambda d: d.full_name)
def test_no_field_holds_a_struct_or_a_float(message: Descriptor, field: FieldDescriptor) -> None:
    assert field.type not in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)
    if field.message_type is not None:
        allowed = field.message_type.full_name
        assert allowed == "google.protobuf.Timestamp" or allowed.startswith("glasswing.attest.v1.")


def test_the_predicate_types_share_one_base() -> None:
    names = ("code", "data", "model", "dependencies", "evaluation")
    assert [r.predicate_type for r in registry] == [f"{PREDICATE_BASE}/{name}/v1" for name in names]
    assert {r for r in _PARTS.values() if issubclass(r, Record)} == set(registry)


def leaves(part: Part) -> Iterator[str]:
    """The fields of a value that say something, with those of the values within it."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        if value is None or value == () or value == {}:
            continue
        yield f"{type(part).__name__}.{name}"
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Part):
                yield from leaves(item)


def test_the_samples_say_something_in_every_field() -> None:
    wanted = {f"{message.name}.{field.name}" for message, field in MIRRORED}
    assert {leaf for record in RECORDS for leaf in leaves(record)} == wanted
