"""What is a model as an artifact?"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING, ClassVar

from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.tree import OnDisk
from glasswing_attest.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from glasswing_attest.artifact.description import Description

__all__ = ["Model"]


class Model(OnDisk):
    """A model: a directory, or a single file. See `OnDisk` for what can be said about it.

    ``Model("model/").measure()`` gives its `Manifest`: every file with its SHA-256, and the directory's ``dirHash``.
    """

    __slots__ = ()
    _kind: ClassVar[str] = "model"

    def describe(
        self, *, progress: Progress | None = None, limits: Limits = DEFAULT, executor: Executor | None = None
    ) -> Description:
        """Measure it, and say what is inside: formats, tensors, roles of files. See `artifact.description.describe`."""
        from glasswing_attest.artifact.description import describe

        return describe(self, progress=progress, limits=limits, executor=executor)
