"""Which tensor is it, and where do its bytes lie?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from glasswing_attest.artifact.manifest import Facts

__all__ = ["Contents", "Tensor", "elements_of"]

_MOST = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor of a file: its name, type and shape, and where its bytes lie.

    Attributes:
        name: as the file calls it.
        dtype: the type of its numbers, in the words of the format: ``BF16``, ``Q4_K``, ``FLOAT16``.
        shape: its dimensions, in the order of the file.
        begin, end: its bytes in the file: from `begin` up to, not including, `end`.
        file: the name of the file that holds the bytes, where it is another one (ONNX external data).
        is_weight: False for a constant of a graph, which nobody counts as a parameter.
        sha256: of these bytes; "" as long as nobody read them.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int
    file: str = ""
    is_weight: bool = True
    sha256: str = ""

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a file of weights says of itself: its format, what it tells in words, and its tensors."""

    format: str
    metadata: Facts
    tensors: tuple[Tensor, ...] = ()


def elements_of(shape: Iterable[int]) -> int | None:
    """Multiply dimensions; None beyond 64 bits, before a hostile shape makes numbers of megabytes."""
    product = 1
    for dimension in shape:
        product *= dimension
        if product >= _MOST:
            return None
    return product
