"""What is one piece of material, and what does every place where it is changed need?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.torture.law import Outcome
from tests.torture.mutators import Mutator

__all__ = ["Target", "around", "sign_p256"]

_MARK = "\u0001here\u0001"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One piece of material.

    Attributes:
        name: where it stands: the bundle's name, and the place in it.
        part, other: the material, and what another valid document has there.
        mutator: how it is changed.
        judge: asks the engine about the changed material. It raises what the engine raises.
    """

    name: str
    part: bytes
    other: bytes
    mutator: Mutator
    judge: Callable[[bytes], Outcome]


def around(document: dict[str, Any], holder: Any, at: str | int) -> tuple[bytes, bytes]:
    """Give what stands before and after a value of a document."""
    was, holder[at] = holder[at], _MARK
    before, after = (half.encode() for half in json.dumps(document, separators=(",", ":")).split(json.dumps(_MARK)))
    holder[at] = was
    return before, after


def sign_p256(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Sign without chance (RFC 6979), so that a change comes again with all of its bytes."""
    return key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
