"""Which value does an expression have?

It is CEL with less: wherever it has a value, CEL has that value too, but for decimals, which are exact here. Where CEL
would go on with what is absent, rounded or only partly the case, there is no value here; and that satisfies nothing:

* `has` is true or no value, never false, and so is `in` over a map: nothing holds because a field is absent.
* A null member is absent. A map that has one has no size and no equal, and a macro has no value for that one.
* Values of different types are not compared: `x != "bad"` does not hold because `x` is a number.
* `matches` is true where the whole text matches, and false where no part does; in between it is no value.
* Decimals and integers are exact and finite: no text becomes NaN, and nothing is rounded.

So `!`, `!=` and `? :` turn no absence into a yes. What CEL has is kept: `||` and `&&` decide by either side, whatever
the other is; and `all` over an empty list is true. Why the evaluator is ours: ``docs/adr/0013``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any, TypeVar

from glasswing_attest._wire import parse_time
from glasswing_attest.errors import GlasswingError
from glasswing_attest.policy.cel.tree import (
    Both,
    Call,
    Choice,
    Either,
    Expression,
    Has,
    Index,
    List,
    Literal,
    Macro,
    Map,
    Member,
    Method,
    Name,
    Operation,
    Unary,
)
from glasswing_attest.policy.cel.values import EXACT, NoValue, Spend, Value, equal, exact, kind, less, member, whole

__all__ = ["Matches", "evaluate"]

_T = TypeVar("_T")

Matches = Callable[[str, str], bool | None]
"""Tells whether a whole text matches a pattern; None where only a part of it does."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,100})?(?:[eE][+-]?[0-9]{1,2})?")
_DURATION_PART = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?(h|ms|m|s)")
_DURATION = re.compile(rf"-?(?:{_DURATION_PART.pattern}){{1,8}}")
_MICROSECONDS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
_FINER = re.compile(r"\.[0-9]{6}0*[1-9]")


def evaluate(expression: Expression, variables: Mapping[str, Value], *, matches: Matches, spend: Spend) -> Value:
    """Give the value. Every step is counted by `spend`, which raises when there are too many.

    Raises:
        NoValue: there is none.
    """
    return _Evaluation(matches, spend).value(expression, dict(variables))


class _Evaluation:
    def __init__(self, matches: Matches, spend: Spend) -> None:
        self._matches = matches
        self._spend = spend

    def value(self, of: Expression, names: dict[str, Value]) -> Value:
        self._spend(1)
        match of:
            case Literal():
                return of.value
            case Name():
                return names[of.name]
            case Member() | Has():
                found = member(self.value(of.of, names), of.name)
                return True if isinstance(of, Has) else found
            case Index():
                return self._item(self.value(of.of, names), self.value(of.at, names))
            case Both():
                return self._decide(of.of, lambda each: self.value(each, names), by=False)
            case Either():
                return self._decide(of.of, lambda each: self.value(each, names), by=True)
            case Choice():
                return self.value(of.yes if _truth(self.value(of.condition, names)) else of.no, names)
            case Unary():
                return _unary(of.sign, self.value(of.of, names))
            case Operation():
                return self._operation(of.sign, self.value(of.left, names), self.value(of.right, names))
            case Call():
                return self._called(of.function, self.value(of.of, names))
            case Method():
                argument = None if of.argument is None else self.value(of.argument, names)
                return self._method(of.name, self.value(of.of, names), argument)
            case Macro():
                return self._macro(of, names)
            case List():
                return [self.value(each, names) for each in of.of]
            case Map():
                return self._map([(self.value(key, names), self.value(value, names)) for key, value in of.of])

    # --- logic -------------------------------------------------------------------------------------------------------

    def _decide(self, each: Iterable[_T], ask: Callable[[_T], Value], *, by: bool) -> bool:
        """Give `by` if any is that, whatever the others are; no value if any is none; else the opposite."""
        error: NoValue | None = None
        for one in each:
            try:
                if _truth(ask(one)) is by:
                    return by
            except NoValue as e:
                error = e
        if error is not None:
            raise error
        return not by

    def _macro(self, of: Macro, names: dict[str, Value]) -> Value:
        over = self.value(of.of, names)
        if not isinstance(over, list | Mapping):
            raise NoValue(f"{of.name} over a {kind(over)}")
        items: Iterable[Value] = over

        def body(item: Value, expression: Expression = of.body) -> Value:
            if isinstance(over, Mapping):
                member(over, item)  # what is null is no member
            return self.value(expression, {**names, of.variable: item})

        match of.name:
            case "all" | "exists":
                return self._decide(items, body, by=of.name == "exists")
            case "exists_one":
                return sum([_truth(body(item)) for item in items]) == 1
            case "filter":
                return [item for item in items if _truth(body(item))]
            case _:
                return [body(item) for item in items if of.only is None or _truth(body(item, of.only))]

    # --- operators ---------------------------------------------------------------------------------------------------

    def _operation(self, sign: str, a: Value, b: Value) -> Value:
        match sign:
            case "==":
                return equal(a, b, self._spend)
            case "!=":
                return not equal(a, b, self._spend)
            case "<":
                return less(a, b, self._spend)
            case ">":
                return less(b, a, self._spend)
            case "<=":
                return not less(b, a, self._spend)
            case ">=":
                return not less(a, b, self._spend)
            case "in":
                return self._is_in(a, b)
            case _:
                return self._sum(sign, a, b)

    def _is_in(self, item: Value, among: Value) -> bool:
        if isinstance(among, Mapping):
            member(among, item)
            return True
        if not isinstance(among, list):
            raise NoValue(f"nothing is in a {kind(among)}")
        return self._decide(among, lambda other: equal(item, other, self._spend), by=True)

    def _sum(self, sign: str, a: Value, b: Value) -> Value:
        if isinstance(a, bool) or isinstance(b, bool):
            raise NoValue("a bool is no number")
        if isinstance(a, int) and isinstance(b, int):
            return _of_integers(sign, a, b)
        if isinstance(a, Decimal) and isinstance(b, Decimal):
            return _of_decimals(sign, a, b)
        if sign == "+" and (
            (isinstance(a, str) and isinstance(b, str)) or (isinstance(a, list) and isinstance(b, list))
        ):
            self._spend((len(a) + len(b)) // (64 if isinstance(a, str) else 1))
            return a + b  # type: ignore[operator]  # both are texts, or both are lists
        try:
            return _of_times(sign, a, b)
        except OverflowError as e:
            raise NoValue("the time is not one of the years 1 to 9999") from e

    def _item(self, of: Value, at: Value) -> Value:
        if not isinstance(of, list):
            return member(of, at)
        if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < len(of):
            raise NoValue("there is no such item")
        found: Value = of[at]
        if found is None:
            raise NoValue("the item is null")
        return found

    def _map(self, pairs: list[tuple[Value, Value]]) -> Mapping[str, Value]:
        found: dict[str, Value] = {}
        for key, value in pairs:
            if not isinstance(key, str) or key in found:
                raise NoValue("the keys of a map are distinct texts")
            found[key] = value
        return found

    def _method(self, name: str, of: Value, argument: Value) -> Value:
        if name == "size":
            return self._called("size", of)
        if not isinstance(of, str) or not isinstance(argument, str):
            raise NoValue(f"{name} of a {kind(of)}")
        # A pattern may be of the kind that takes longer; how long the text is, whoever signed it chose.
        self._spend(len(of) // (32 if name == "matches" else 256))
        if name == "matches":
            found = self._matches(argument, of)
            if found is None:
                raise NoValue("only a part of the text matches")
            return found
        return {"startsWith": of.startswith, "endsWith": of.endswith, "contains": of.__contains__}[name](argument)

    def _called(self, function: str, value: Value) -> Value:
        if isinstance(value, Mapping) and function == "size":
            whole(value, self._spend)
        found = _FUNCTIONS[function](value)
        if found is None:
            raise NoValue(f"{function} of {'this' if isinstance(value, str | int | Decimal) else 'a'} {kind(value)}")
        return found


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise NoValue(f"a {kind(value)} is neither true nor false")
    return value


def _unary(sign: str, value: Value) -> Value:
    if sign == "!":
        return not _truth(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NoValue(f"a {kind(value)} has no negative")
    return exact(-value) if isinstance(value, int) else value.copy_negate()


def _of_integers(sign: str, a: int, b: int) -> int:
    if sign in "/%" and b == 0:
        raise NoValue("a division by zero")
    match sign:
        case "+":
            return exact(a + b)
        case "-":
            return exact(a - b)
        case "*":
            return exact(a * b)
        case _:
            pass
    # CEL's division goes towards zero.
    whole = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return exact(whole) if sign == "/" else exact(a - whole * b)


def _of_decimals(sign: str, a: Decimal, b: Decimal) -> Decimal:
    operations = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply, "/": EXACT.divide}
    if sign not in operations:
        raise NoValue("decimals have no remainder")
    try:
        return operations[sign](a, b)
    except (DecimalException, ZeroDivisionError) as e:
        raise NoValue("the result is not exact") from e


def _of_times(sign: str, a: Value, b: Value) -> Value:
    match a, b:
        case datetime(), datetime() if sign == "-":
            return a - b
        case ((datetime() | timedelta()), timedelta()) if sign in "+-":
            return a + b if sign == "+" else a - b
        case timedelta(), datetime() if sign == "+":
            return b + a
        case _:
            raise NoValue(f"a {kind(a)} {sign} a {kind(b)}")


# --- functions -------------------------------------------------------------------------------------------------------


def _size(value: Value) -> Value:
    return len(value) if isinstance(value, str | list | Mapping) else None


def _int(value: Value) -> Value:
    if isinstance(value, str):
        return exact(int(value)) if _INTEGER.fullmatch(value) else None
    if isinstance(value, Decimal):
        return exact(int(value)) if value == value.to_integral_value() else None
    return None if isinstance(value, bool) or not isinstance(value, int) else exact(value)


def _double(value: Value) -> Value:
    if isinstance(value, str):
        return Decimal(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, Decimal):
        return value
    return None if isinstance(value, bool) or not isinstance(value, int) else Decimal(value)


def _string(value: Value) -> Value:
    # How a decimal is written out, CEL leaves to whoever does it.
    if isinstance(value, str):
        return value
    return None if isinstance(value, bool) or not isinstance(value, int) else str(exact(value))


def _timestamp(value: Value) -> Value:
    if not isinstance(value, str):
        return value if isinstance(value, datetime) else None
    try:
        found = parse_time(value)
    except GlasswingError:
        return None
    # Times are exact to the microsecond: two that differ by less must not become one.
    return None if _FINER.search(value) else found


def _duration(value: Value) -> Value:
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        return value if isinstance(value, timedelta) else None
    microseconds = 0
    for number, fraction, unit in _DURATION_PART.findall(value):
        count, finer = divmod(int(number + fraction) * _MICROSECONDS[unit], 10 ** len(fraction))
        if finer:
            return None
        microseconds += count
    return timedelta(microseconds=-microseconds if value.startswith("-") else microseconds)


_FUNCTIONS: Mapping[str, Callable[[Any], Value]] = {
    "size": _size,
    "int": _int,
    "double": _double,
    "string": _string,
    "timestamp": _timestamp,
    "duration": _duration,
}
