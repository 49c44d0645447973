"""How is a condition read, and what is its value?

The grammar is `cel-python`'s, and patterns are `google-re2`'s; the extra ``cel`` installs both.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from glasswing_attest.errors import PolicyUnavailable
from glasswing_attest.limits import Budget
from glasswing_attest.policy.cel.evaluate import evaluate
from glasswing_attest.policy.cel.tree import Expression, Literal, Method, NotRead, build, within
from glasswing_attest.policy.cel.values import Value

__all__ = ["holds", "is_read_here", "read"]

_LOCK = threading.Lock()


def is_read_here() -> bool:
    """Tell whether what reads CEL is installed."""
    return find_spec("celpy") is not None and find_spec("re2") is not None


@lru_cache(maxsize=1024)
def read(text: str) -> Expression:
    """Read a condition, once.

    Raises:
        NotRead: it is no CEL, or says what is not read here.
        PolicyUnavailable: what reads it is not installed.
    """
    parser: Any = _needed("celpy.celparser")
    with _LOCK:  # it has one parser for all
        try:
            parsed = parser.CELParser().parse(text)
        except parser.CELParseError as e:
            raise NotRead("it is no CEL", line=e.line, column=e.column) from e
    found = build(parsed)
    for each in within(found):
        if isinstance(each, Method) and each.name == "matches" and isinstance(each.argument, Literal):
            _pattern(str(each.argument.value))
    return found


def holds(expression: Expression, about: Mapping[str, Value], *, budget: Budget) -> Value:
    """Give the value of a condition; the caller asks whether it is exactly true.

    Raises:
        NoValue: there is none.
        LimitError: it takes more steps than the `budget` has.
    """
    return evaluate(expression, about, matches=_matches, spend=budget.spend)


def _needed(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as e:
        raise PolicyUnavailable(where="where", found=f"no {module.partition('.')[0]}") from e


@lru_cache(maxsize=1024)
def _pattern(text: str) -> Any:
    """Compile a pattern of RE2, which takes time linear in what it searches."""
    re2: Any = _needed("re2")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options=options)
    except re2.error as e:
        raise NotRead(f"{text} is no pattern") from e


def _matches(pattern: str, text: str) -> bool | None:
    compiled = _pattern(pattern)
    if compiled.fullmatch(text) is not None:
        return True
    return None if compiled.search(text) is not None else False
