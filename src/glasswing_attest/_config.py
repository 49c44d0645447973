"""How is a file that a person wrote read: policy and trust, in YAML, TOML or JSON?

One plain subset for all three: mappings with string keys named once, sequences, strings, integers, booleans, null.
YAML loses what makes readers differ: anchors, aliases, tags, several documents, duplicate keys, and the guessing of
dates.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import pydantic
import yaml

from glasswing_attest._complaints import Fault, Source, facts_of, suggestion
from glasswing_attest._files import read_bounded
from glasswing_attest._wire import JsonObject, decode_utf8, parse_json, parse_time
from glasswing_attest.errors import (
    DuplicateKey,
    FormatUnsupported,
    Kind,
    LimitError,
    MalformedError,
    NotJson,
    NotUtf8,
    NotYaml,
    NumberRefused,
    PolicyRefused,
    TrustRefused,
    UsageError,
)
from glasswing_attest.limits import DEFAULT, Limits

__all__ = [
    "ConfigModel",
    "ConfigTime",
    "ConfigVersion",
    "Frozen",
    "FrozenMap",
    "checked",
    "load_config",
    "parse_config",
    "refusal",
]

_Model = TypeVar("_Model", bound=pydantic.BaseModel)


class ConfigModel(pydantic.BaseModel):
    """The base of what people write: frozen, without unknown fields, nothing coerced."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        """Refuse an unknown key first: with a slip of the pen in a key, what else is missing says nothing."""
        if isinstance(value, Mapping):
            keys = [field.alias or name for name, field in cls.model_fields.items()]
            for key in value:
                if key not in keys and key not in cls.model_fields:
                    advice = suggestion(key, keys)
                    raise Fault("there is no such key", at=(key,), wanted=_one_of(keys), do=advice, of_key=True)
        return value


def _one_of(names: list[str]) -> str:
    return f"one of {', '.join(names)}" if len(names) > 1 else names[0]


def _as_dict(value: Mapping[str, Any], write: pydantic.SerializerFunctionWrapHandler) -> Any:
    return write(dict(value))


_Value = TypeVar("_Value")


class Frozen(Mapping[str, _Value]):
    """A mapping that nobody can change, in the order given; hashable and picklable."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, _Value]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> _Value:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


FrozenMap: TypeAlias = Annotated[
    Mapping[str, _Value], pydantic.AfterValidator(Frozen), pydantic.WrapSerializer(_as_dict)
]
"""A mapping that cannot be changed once it was validated: a frozen model alone would keep the caller's dict."""


_TIME = "a time with its zone, such as 2027-06-30T12:00:00Z"


def _as_time(value: object) -> object:
    if isinstance(value, str):
        try:
            return parse_time(value)
        except MalformedError as e:
            raise Fault(found=value, wanted=_TIME) from e
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise Fault("the time has no zone", found=value.isoformat(), wanted=_TIME)
        try:
            return value.astimezone(UTC)
        except OverflowError as e:
            raise Fault("the time is not one of the years 1 to 9999", found=value.isoformat()) from e
    if isinstance(value, date):  # TOML has dates of their own
        raise Fault(found=value.isoformat(), wanted=_TIME)
    return value


ConfigTime = Annotated[datetime, pydantic.BeforeValidator(_as_time)]
"""A time in a policy or trust file: RFC 3339 text, or an aware `datetime`."""


def _as_version(value: object) -> object:
    if type(value) is not int:  # pydantic takes true and 1.0 for the literal 1, even when it is strict
        raise Fault(
            found=f"{value} as a decimal" if isinstance(value, Decimal) else repr(value), wanted="the integer 1"
        )
    return value


ConfigVersion = Annotated[Literal[1], pydantic.BeforeValidator(_as_version)]
"""The version of a policy or trust file."""


class _Loader(yaml.SafeLoader):
    """SafeLoader without timestamps; aliases, tags and duplicate keys are refused while composing."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_config(path: Path, *, kind: Kind, limits: Limits = DEFAULT) -> tuple[JsonObject, Source]:
    """Read a file by its suffix (``.yaml``, ``.yml``, ``.toml``, ``.json``). Gives the object and where it stands."""
    refused = PolicyRefused if kind == "policy" else TrustRefused
    data = read_bounded(path, "policy_bytes", limits, error=refused)
    source = Source(str(path), data, path.suffix)
    return parse_config(data, suffix=path.suffix, kind=kind, where=source.name, limits=limits), source


def parse_config(
    data: bytes, *, suffix: str = ".yaml", kind: Kind, where: str = "$", limits: Limits = DEFAULT
) -> JsonObject:
    """Parse the bytes of a policy or trust file to an object."""
    if not isinstance(data, bytes):
        raise UsageError(where=where, found=type(data).__name__, wanted="the file's bytes")
    limits.check("policy_bytes", len(data), where=where)
    if suffix == ".json":
        value = _parse_json(data, where, kind, limits)
    elif suffix == ".toml":
        value = _parse_toml(decode_utf8(data, where=where, kind=kind), where, kind)
    elif suffix in (".yaml", ".yml"):
        value = _parse_yaml(decode_utf8(data, where=where, kind=kind), where, kind, limits)
    else:
        raise FormatUnsupported(where=where, found=suffix or "no suffix", wanted=".yaml, .yml, .toml or .json")
    if not isinstance(value, dict):
        refused = PolicyRefused if kind == "policy" else TrustRefused
        raise refused(where=where, found="nothing" if value is None else type(value).__name__, wanted="a mapping")
    return value


def _parse_json(data: bytes, where: str, kind: Kind, limits: Limits) -> Any:
    try:
        return parse_json(data, where="$", kind=kind, limits=limits, bound="policy_bytes")
    except (MalformedError, LimitError) as e:
        cause = e.__cause__
        if isinstance(cause, json.JSONDecodeError):
            place = f"{where}:{cause.lineno}:{cause.colno}"
            raise NotJson(kind=kind, where=place, because=cause.msg, found=e.found) from e
        raise Source(where, data, ".json").placed(e) from e


_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def _parse_toml(text: str, where: str, kind: Kind) -> Any:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as e:  # a number too long to read is a plain ValueError
        said = str(e)
        place = _TOML_PLACE.search(said)
        if place is not None:
            where, said = f"{where}:{place[1]}:{place[2]}", said[: place.start()]
        raise NotYaml(kind=kind, where=where, because=said, wanted="TOML 1.0") from e


def _parse_yaml(text: str, where: str, kind: Kind, limits: Limits) -> Any:
    try:
        root = yaml.compose(text, Loader=_plain_loader(where, kind, limits))
        return None if root is None else _value(root, where, kind, limits, 1)
    except yaml.reader.ReaderError as e:  # a control character, which YAML does not have
        before = text[: e.position]
        place = f"{where}:{before.count(chr(10)) + 1}:{e.position - before.rfind(chr(10))}"
        raise NotYaml(kind=kind, where=place, because="YAML has no such character", found=text[e.position]) from e
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        place = _at(where, mark) if mark else where
        raise NotYaml(kind=kind, where=place, because=getattr(e, "problem", None) or "not YAML") from e
    except RecursionError as e:
        raise LimitError(where=where, found="more", wanted=f"at most {limits.json_depth} (json_depth)") from e
    except (ValueError, OverflowError) as e:  # an escape such as \UFFFFFFFF, which no character has
        raise NotYaml(kind=kind, where=where, because=str(e)) from e


def _at(where: str, mark: yaml.Mark) -> str:
    return f"{where}:{mark.line + 1}:{mark.column + 1}"


def _plain_loader(where: str, kind: Kind, limits: Limits) -> type[yaml.SafeLoader]:
    class Plain(_Loader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            place = _at(where, event.start_mark)
            if getattr(event, "anchor", None):  # on an alias too
                raise NotYaml(kind=kind, where=place, found="an anchor or alias")
            if tag := getattr(event, "tag", None):
                raise NotYaml(kind=kind, where=place, found=f"the tag {tag}")
            return super().compose_node(parent, index)

    return Plain


def _value(node: yaml.Node, where: str, kind: Kind, limits: Limits, depth: int) -> Any:
    limits.check("json_depth", depth, where=where)
    place = _at(where, node.start_mark)
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _value(key_node, where, kind, limits, depth + 1)
            here = _at(where, key_node.start_mark)
            if not isinstance(key, str):
                raise NotYaml(kind=kind, where=here, found=f"the key {key!r}", wanted="a string key (quote it)")
            if key in found:
                raise DuplicateKey(kind=kind, where=here, found=key)
            found[key] = _value(value_node, where, kind, limits, depth + 1)
        return found
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [_value(item, where, kind, limits, depth + 1) for item in node.value]
    if isinstance(node, yaml.ScalarNode):
        short = node.tag.removeprefix("tag:yaml.org,2002:")
        if short == "str":
            # An escape in a quoted scalar can name half a character, which no UTF-8 can carry.
            if any("\ud800" <= c <= "\udfff" for c in node.value):
                raise NotUtf8(kind=kind, where=place, found="a lone surrogate")
            return node.value
        if short == "null":
            return None
        # YAML 1.1 reads `no` and `on` as booleans and `0o17`, `1:30` as numbers: only the plain spellings are read.
        if short == "bool" and node.value in ("true", "false"):
            return node.value == "true"
        if (
            short == "int"
            and node.value.lstrip("-").isdecimal()
            and (node.value == "0" or node.value.lstrip("-")[0] != "0")
        ):
            if len(node.value) > limits.number_digits:
                raise NumberRefused(kind=kind, where=place, found=node.value)
            return int(node.value)
        raise NotYaml(
            kind=kind, where=place, found=node.value, wanted="a string (quote it), an integer, true, false or null"
        )
    raise NotYaml(kind=kind, where=place, found=f"the tag {node.tag}", wanted="plain YAML")


def checked(model: type[_Model], value: object, *, kind: Kind, source: Source) -> _Model:
    """Build a pydantic model, its complaints in one `PolicyRefused` or `TrustRefused` that names every place."""
    _require_not_swapped(value, kind, source)
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as e:
        raise refusal(e, value, kind=kind, source=source) from e


_ONLY_IN: Mapping[Kind, frozenset[str]] = {
    "policy": frozenset({"identities", "nodes"}),
    "trust": frozenset({"keys", "roots"}),
}


def _require_not_swapped(value: object, kind: Kind, source: Source) -> None:
    """Refuse the other of the two by what it is: each complaint about one of its keys would be beside the point."""
    other: Kind = "trust" if kind == "policy" else "policy"
    if isinstance(value, Mapping) and not _ONLY_IN[kind] & value.keys() and _ONLY_IN[other] & value.keys():
        refused, called = (PolicyRefused, "a trust file") if kind == "policy" else (TrustRefused, "a policy")
        because, do = f"this looks like {called}", "hand over each as what it is: did policy and trust change places?"
        raise refused(where=source.name, because=because, do=do)


def refusal(
    error: pydantic.ValidationError, value: object, *, kind: Kind, source: Source
) -> PolicyRefused | TrustRefused:
    """Give pydantic's complaints about a value as one error of ours."""
    refused = PolicyRefused if kind == "policy" else TrustRefused
    return refused(**facts_of(error, value, source))
