"""What is wrong with a file that a person wrote, and where does it stand?

Pydantic finds the faults of a policy or a trust file; here they are said in the words of `errors`: the place, what was
found, what was wanted, and what to do. A place reads one way only, as far as the format tells lines ::

    policy.yaml:9:15: nodes.model.require[0].signed_by.any_of[1]
    policy.toml: nodes.model.require[0].signed_by.any_of[1]
    Policy: nodes.model.require[0].signed_by.any_of[1]              # made in Python
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from glasswing_attest.errors import GlasswingError

if TYPE_CHECKING:
    import yaml
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["Fault", "Source", "facts_of", "path_of", "suggestion"]

Path: TypeAlias = tuple[str | int, ...]

_E = TypeVar("_E", bound=GlasswingError)

_PERSONAL = 1 << 18
"""A longer file was written by a program: its places are told without lines, which would take long to find."""

_TOLD = 64
"""So many faults are told at most."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_QUOTED = re.compile(r"\['(" + _PLAIN.pattern + r")'\]")


class Fault(ValueError):
    """What a validator complains about: facts, and the path below the value that it was given.

    `of_key` says that the name of the place is wrong, and not what it holds.
    """

    def __init__(
        self,
        because: str = "",
        *,
        at: Path = (),
        found: object = None,
        wanted: object = None,
        do: str = "",
        of_key: bool = False,
    ) -> None:
        super().__init__(because)
        self.because = because
        self.at = at
        self.found = found
        self.wanted = wanted
        self.do = do
        self.of_key = of_key


def suggestion(found: object, known: Iterable[str]) -> str:
    """Give the advice that a slip of the pen needs, or nothing.

    >>> suggestion("signd_by", ("predicate", "signed_by"))
    'did you mean signed_by?'
    """
    close = get_close_matches(str(found)[:64], list(known), 1)
    return f"did you mean {close[0]}?" if close else ""


def path_of(steps: Iterable[str | int]) -> str:
    """Write a path. A key that is no plain name is quoted.

    >>> path_of(("nodes", "model", "require", 0, "inputs", "a.b"))
    "nodes.model.require[0].inputs['a.b']"
    """
    return "".join(map(_step, steps)).removeprefix(".")


def _step(step: object) -> str:
    return f".{step}" if isinstance(step, str) and _PLAIN.fullmatch(step) else f"[{step!r}]"


# --- the place -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """What a person wrote: a file by its name, its bytes and its suffix, or a Python value by its class."""

    name: str
    data: bytes = b""
    suffix: str = ""

    def place(self, path: str = "", *, of_key: bool = False) -> str:
        """Give where a path stands. What is not there stands where the nearest thing around it does."""
        marks = _marks(self.data, self.suffix)
        around = max((p for p in marks if _leads(p, path)), key=len, default="")
        key, value = marks.get(around, (None, None))
        line = key if of_key or value is None else value
        position = "" if line is None else f":{line[0]}:{line[1]}"
        return f"{self.name}{position}: {path}" if path else f"{self.name}{position}"

    def placed(self, error: _E) -> _E:
        """Give the same error, its path told as a place of this source."""
        if error.where == self.name or error.where.startswith((f"{self.name}:", f"{self.name} ")):
            return error
        # JSON's own paths begin at `$`, and quote what is no identifier.
        path = _QUOTED.sub(r".\1", error.where.removeprefix("$").removeprefix("."))
        return error.moved(self.place(path.removeprefix(".")))


_Line: TypeAlias = tuple[int, int]
_Mark: TypeAlias = tuple[_Line, _Line | None]


@lru_cache(maxsize=2)
def _marks(data: bytes, suffix: str) -> Mapping[str, _Mark]:
    """Find where each path stands: the line and column of its key, and of its value where that is one line."""
    if suffix not in (".yaml", ".yml", ".json") or len(data) > _PERSONAL:
        return {}  # the standard library's reader of TOML tells no lines
    import yaml

    try:
        # JSON is YAML, but for its tabs, which stand between tokens only.
        root = yaml.compose(data.decode("utf-8").replace("\t", " "), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return {}
    found: dict[str, _Mark] = {}
    left: list[tuple[str, yaml.Node | None]] = [("", root)]
    seen: set[int] = set()
    while left:
        path, node = left.pop()
        if id(node) in seen:  # what was refused may have aliases, which make a small text endless
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = f"{path}{_step(key.value)}" if path else path_of((key.value,))
                found[here] = (_line(key), _line(value) if isinstance(value, yaml.ScalarNode) else None)
                left.append((here, value))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                found[f"{path}[{number}]"] = (_line(value), None)
                left.append((f"{path}[{number}]", value))
    return found


def _line(node: yaml.Node) -> _Line:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _leads(prefix: str, path: str) -> bool:
    return path == prefix or path.startswith((f"{prefix}.", f"{prefix}["))


# --- the facts -------------------------------------------------------------------------------------------------------


def facts_of(error: ValidationError, value: object, source: Source) -> dict[str, Any]:
    """Give pydantic's complaints about a value as the facts of one error: the first, and where the others are."""
    faults = _of_choices([_fault(p, value) for p in error.errors(include_url=False)[:_TOLD]])
    placed = [(source.place(path_of(f.at), of_key=f.of_key), f) for f in faults]
    placed.sort(key=lambda pair: _in_file(pair[0], source.name))
    (where, first), *others = placed
    more = ", ".join(dict.fromkeys(path_of(f.at) or "the whole" for _, f in others))
    told = [first.because, f"see also {more}" if more else ""]
    return {
        "where": where,
        "because": "; ".join(filter(None, told)),
        "found": first.found,
        "wanted": first.wanted,
        "do": first.do,
    }


def _in_file(place: str, name: str) -> tuple[float, int]:
    """Order places as they are read: what stands nowhere comes last."""
    found = re.match(r":(\d+):(\d+)", place[len(name) :])
    return (int(found[1]), int(found[2])) if found else (math.inf, 0)


def _fault(problem: ErrorDetails, value: object) -> Fault:
    """Say one complaint of pydantic's in our own words."""
    kind, given, facts = problem["type"], problem["input"], problem.get("ctx", {})
    path, choice = _real(problem["loc"], value, missing=kind == "missing")
    if kind == "value_error":
        ours = facts["error"]
        if not isinstance(ours, Fault):
            return Fault(str(ours), at=path)
        return Fault(
            ours.because, at=(*path, *ours.at), found=ours.found, wanted=ours.wanted, do=ours.do, of_key=ours.of_key
        )
    if kind == "missing":
        return Fault("it is missing", at=path)
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", facts["expected"])
        wanted = " or ".join(known) or facts["expected"]
        return _Choice(at=path, found=_told(given), wanted=wanted, do=suggestion(given, known), of=given, choice=choice)
    say = _WANTED.get(kind)
    if say is None:
        return Fault(problem["msg"], at=path, found=_told(given))
    # A number in quotes is a text, and looks like a number where it is told.
    found = f"the text {given!r}" if isinstance(given, str) and kind.startswith(("int", "bool")) else _told(given)
    return _Choice(at=path, found=found, wanted=say(facts), of=given, choice=choice)


class _Choice(Fault):
    """A fault of one among several forms that a value may have."""

    def __init__(self, *, of: object, choice: bool, **facts: Any) -> None:
        super().__init__(**facts)
        self.of = of
        self.choice = choice


def _of_choices(faults: Sequence[Fault]) -> list[Fault]:
    """Tell the forms that a value may have as one complaint, and only of the form that it has where it has one."""
    told: dict[Path, Fault] = {}
    for fault in faults:
        if not isinstance(fault, _Choice) or not fault.choice:
            told.setdefault(fault.at, fault)
            continue
        if isinstance(fault.of, Mapping) and any(_below(other.at, fault.at) for other in faults):
            continue
        known = told.get(fault.at)
        if known is None:
            told[fault.at] = fault
        else:
            known.wanted = f"{known.wanted}, or {fault.wanted}"
    return list(told.values())


def _below(path: Path, other: Path) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _real(loc: Sequence[str | int], value: Any, *, missing: bool) -> tuple[Path, bool]:
    """Give the path as the file has it: pydantic also names the forms that a value may have. Tell if it ends there."""
    path: list[str | int] = []
    is_form = False
    for number, step in enumerate(loc):
        is_form = False
        if _holds(value, step):
            value = value[step]
        elif not (missing and number == len(loc) - 1):
            is_form = True
            continue
        path.append(step)
    return tuple(path), is_form


def _holds(value: object, step: str | int) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list | tuple) and isinstance(step, int) and step < len(value)


def _told(value: object) -> object:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):  # as the file has it
        return "true" if value else "false"
    return value if value != "" else "an empty text"


def _always(words: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _facts: words


# What a person who writes a policy need not read as a regular expression.
_FORMS: Mapping[str, str] = {
    r"^refs/\S+$": "refs/…, such as refs/heads/main",
    r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$": "OWNER/NAME",
    r"^sha256:[0-9a-f]{64}$": "sha256: and 64 lower-case hex digits",
}

_WANTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    **dict.fromkeys(("string_type", "string_sub_type"), _always("a text")),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _always("an integer")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _always("true or false")),
    **dict.fromkeys(("list_type", "tuple_type"), _always("a list")),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), _always("a mapping")),
    **dict.fromkeys(("datetime_type", "datetime_parsing"), _always("a time with its zone, as RFC 3339 writes it")),
    "string_too_short": lambda facts: _at_least(facts["min_length"], "a text that is not empty", "characters"),
    "too_short": lambda facts: _at_least(facts["min_length"], "at least one", "entries"),
    "too_long": lambda facts: f"at most {facts['max_length']} entries",
    "greater_than_equal": lambda facts: f"at least {facts['ge']}",
    "less_than_equal": lambda facts: f"at most {facts['le']}",
    "string_pattern_mismatch": lambda facts: f"a text of the form {_FORMS.get(facts['pattern'], facts['pattern'])}",
}


def _at_least(number: int, one: str, what: str) -> str:
    return one if number == 1 else f"at least {number} {what}"
