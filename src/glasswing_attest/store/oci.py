"""WHAT LIES IN AN OCI LAYOUT? A directory with ``oci-layout``, ``index.json`` and ``blobs/``, as cosign saves it.

Nothing outside of the directory is read: a blob's name is its digest, checked before it is opened, and no link below
the directory is followed. What is damaged or missing makes the layout one that cannot be read, since what it would have
told decides as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from glasswing_attest._files import read_bounded
from glasswing_attest._wire import read_json
from glasswing_attest.errors import MalformedError, StoreUnavailable
from glasswing_attest.formats import oci
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.store.store import Item

__all__ = ["is_layout", "layout"]

_MARKER = "oci-layout"
_VERSION = "1.0.0"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def is_layout(path: Path) -> bool:
    """Tell whether a directory is an OCI layout, or says that it is one."""
    return (path / _MARKER).is_file()


def layout(path: Path, *, limits: Limits = DEFAULT) -> Iterator[Item]:
    """Yield the attestations in an OCI layout, and what stands in the place of one.

    Raises:
        StoreUnavailable: a file that cannot be read, or is not what the layout says.
        LimitError: too many or too large.
    """
    try:
        with ExitStack() as opened:
            top = _folder(path, opened)
            marker = read_json(_file(path / _MARKER, top, limits), where=_MARKER, limits=limits)
            version = marker.need("imageLayoutVersion")
            if version.text() != _VERSION:
                version.refuse(_VERSION, found=version.value)
            index = _file(path / "index.json", top, limits)
            blobs = _folder(path / "blobs", opened, within=top)
            algorithms: dict[str, int] = {}

            def blob(algorithm: str, value: str) -> bytes:
                place = path / "blobs" / algorithm
                if algorithm not in algorithms:
                    algorithms[algorithm] = _folder(place, opened, within=blobs)
                return _file(place / value, algorithms[algorithm], limits)

            for part in oci.attestations(index, blob, limits=limits):
                yield Item(data=part.data, origin=f"{path}: {part.label}")
    except OSError as e:
        raise StoreUnavailable(where=str(e.filename or path), because=e.strerror or str(e)) from e
    except MalformedError as e:
        where = f"{path}: {e.where}"
        raise StoreUnavailable(where=where, because=e.says, found=e.found, wanted=e.wanted) from e


def _folder(path: Path, opened: ExitStack, *, within: int | None = None) -> int:
    """Open a directory: the layout's own, which the caller names and may be a link, or one within another."""
    follow = 0 if within is None else os.O_NOFOLLOW
    fd = os.open(path if within is None else path.name, _DIRECTORY | follow, dir_fd=within)
    opened.callback(os.close, fd)
    return fd


def _file(path: Path, within: int, limits: Limits) -> bytes:
    return read_bounded(path, "bundle_bytes", limits, follow=False, within=within, error=StoreUnavailable)
