"""What are CEL's values here, and when is one equal to, or less than, another?

What JSON says, by type: booleans, integers, decimals, texts, lists, maps, null; and times and durations, which only
functions make. Integers and decimals are exact and finite: there is no NaN, no Infinity and no rounding. Two values of
different types are never compared: that is no value (`NoValue`), and not "different", so that nothing holds because a
field has another type than its author thought. Integers and decimals are both numbers. A member that is null is absent,
so a map that has one has no size, and no equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Any, TypeAlias

from glasswing_attest.errors import shown

__all__ = ["EXACT", "NoValue", "Spend", "Value", "equal", "exact", "kind", "less", "member", "whole"]

Value: TypeAlias = "bool | int | Decimal | str | list[Any] | Mapping[str, Any] | datetime | timedelta | None"
Spend: TypeAlias = Callable[[int], None]

EXACT = Context(prec=400, Emax=999, Emin=-999, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow, Subnormal])
"""Arithmetic that is exact, or refused."""

_INT64 = range(-(2**63), 2**63)
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "number"),
    (Decimal, "number"),
    (str, "string"),
    (Mapping, "map"),
    (list, "list"),
    (datetime, "timestamp"),
    (timedelta, "duration"),
)


class NoValue(Exception):  # an error is a value in CEL: what it says is that there is no other
    """The expression has no value there: CEL's error."""


def kind(value: Value) -> str:
    """Give the type of a value. Integers and decimals are both numbers."""
    return (
        "null" if value is None else next((n for cls, n in _KINDS if isinstance(value, cls)), "value of another type")
    )


def member(of: Value, name: Value) -> Value:
    """Give a member that is set. What is absent or null is no value."""
    if not isinstance(of, Mapping):
        raise NoValue(f"a {kind(of)} has no field {shown(name)}")
    if not isinstance(name, str):
        raise NoValue(f"a {kind(name)} names no field")
    found: Value = of.get(name)
    if found is None:
        raise NoValue(f"there is no field {shown(name)}")
    return found


def whole(of: Mapping[str, Any], spend: Spend) -> Mapping[str, Any]:
    """Give a map, all of whose members are set."""
    spend(len(of) // 64)
    if None in of.values():
        raise NoValue("a member of the map is null")
    return of


def equal(a: Value, b: Value, spend: Spend) -> bool:
    """Tell whether two values are equal. Values of different types are not compared."""
    spend(1)
    if kind(a) != kind(b):
        raise NoValue(f"a {kind(a)} is not compared with a {kind(b)}")
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and _all_equal(list(zip(a, b, strict=True)), spend)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        spend(len(a))
        names = whole(a, spend).keys()
        return names == whole(b, spend).keys() and _all_equal([(a[name], b[name]) for name in names], spend)
    if isinstance(a, str):
        spend(len(a) // 1024)
    return a == b


def _all_equal(pairs: list[tuple[Value, Value]], spend: Spend) -> bool:
    """As ``&&`` has it: one difference decides, whatever else cannot be compared."""
    error: NoValue | None = None
    for a, b in pairs:
        try:
            if not equal(a, b, spend):
                return False
        except NoValue as e:
            error = e
    if error is not None:
        raise error
    return True


def less(a: Value, b: Value, spend: Spend) -> bool:
    """Tell whether one value is less than another: numbers, texts, times and durations have an order."""
    of = kind(a)
    if of != kind(b) or of in ("bool", "list", "map", "null"):
        raise NoValue(f"a {of} has no order with a {kind(b)}")
    if isinstance(a, str):
        spend(len(a) // 1024)
    return a < b  # type: ignore[operator]  # of one kind, and of one that has an order


def exact(value: int) -> int:
    """Give an integer of 64 bits, or none."""
    if value not in _INT64:
        raise NoValue("the integer has more than 64 bits")
    return value
