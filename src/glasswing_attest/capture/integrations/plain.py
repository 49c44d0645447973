"""HOW IS A FRAMEWORK'S VALUE SAID IN JSON? Exactly, or by name; never by an address in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath

from glasswing_attest._wire import SAFE_INTEGER

__all__ = ["plain"]


def plain(value: object) -> object:
    """Give a value as JSON can say it.

    Large integers become text, as do numbers that are not finite; an enumeration is its value, a path its text; of
    anything else only the type is told.

    >>> plain({"lr": 0.5, "seed": 2**60, "layers": (1, 2), "loss": float("nan"), "hook": object()})
    {'lr': 0.5, 'seed': '1152921504606846976', 'layers': [1, 2], 'loss': 'nan', 'hook': 'builtins.object'}
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value) if abs(value) <= SAFE_INTEGER else str(int(value))
    if isinstance(value, float):
        # numpy's double is a float as well, and JSON shall not depend on which of them it was.
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    number = getattr(value, "item", None)
    if callable(number) and getattr(value, "ndim", None) == 0:
        return plain(number())  # a tensor or array of one number
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
