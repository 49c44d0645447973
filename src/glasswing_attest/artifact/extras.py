"""Is a library here that only some callers need?"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from glasswing_attest.errors import UnavailableError

__all__ = ["needed"]


def needed(module: str, extra: str) -> Any:
    """Import a library of an extra, or raise `UnavailableError` that says what to install.

    >>> needed("a_library_that_nobody_has", "parquet")
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.UnavailableError: a_library_that_nobody_has: ... pip install 'glasswing-attest[parquet]' ...
    """
    try:
        return import_module(module)
    except ImportError as e:
        is_absent = isinstance(e, ModuleNotFoundError) and e.name is not None and f"{module}.".startswith(f"{e.name}.")
        because = "it is not installed, and only an extra needs it" if is_absent else f"it cannot be imported: {e}"
        do = f"install the extra: pip install 'glasswing-attest[{extra}]'"
        raise UnavailableError(where=module, because=because, do=do) from e
