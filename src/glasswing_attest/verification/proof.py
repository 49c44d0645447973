"""How is "verified" a type and not a flag?

Each check gives a value that only its own module can construct: it alone holds the seal. A proof cannot be copied with
other contents, pickled or loaded from a file; whoever holds one knows that the check was made, in this process.
"""

from __future__ import annotations

from typing import NoReturn

__all__ = ["Proof", "require_seal"]


class Proof:
    """The base of every result type of a check."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        # A subclass could leave the seal unasked for, and would pass wherever the proof is asked for.
        if cls.__mro__[1] is not Proof:
            raise TypeError(f"{cls.__mro__[1].__name__} is a proof: nothing else may pass for one")

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is a proof: it is made by its check and never pickled or copied")


def require_seal(given: object, seal: object, proof: Proof) -> None:
    """Refuse construction by anybody who does not hold the module's seal."""
    if given is not seal:
        raise TypeError(f"{type(proof).__name__} is made by its check only")
