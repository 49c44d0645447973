"""What is a model as an artifact?"""

from __future__ import annotations

from typing import ClassVar

from glasswing_attest.artifact.tree import OnDisk

__all__ = ["Model"]


class Model(OnDisk):
    """A model: a directory, or a single file. See `OnDisk` for what can be said about it.

    ``Model("model/").measure()`` gives its `Manifest`: every file with its SHA-256, and the directory's ``dirHash``.
    """

    __slots__ = ()
    _kind: ClassVar[str] = "model"
