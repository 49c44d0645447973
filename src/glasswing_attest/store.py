"""WHERE ARE ATTESTATIONS FOUND? Whatever a caller hands over as evidence, as one untrusted pile of items.

Evidence may be attestations, their bytes, files (a bundle, an envelope, JSON lines, an attestation set), directories
of such files, or any sequence of these. Nothing is parsed here beyond finding where one item ends and the next begins.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from glasswing_attest._files import read_bounded
from glasswing_attest._wire import parse_json
from glasswing_attest.attestation import Attestation
from glasswing_attest.attestation_set import MAGIC, AttestationSet
from glasswing_attest.errors import GlasswingError, LimitError, NotJson, StoreUnavailable, UsageError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Evidence", "Item", "frozen", "gather"]

Evidence: TypeAlias = "Attestation | AttestationSet | Item | bytes | str | os.PathLike[str] | Iterable[Evidence]"
"""What can be handed over as evidence. A `str` is a path."""

_SUFFIXES = (".json", ".jsonl", ".sigstore", ".dsse", ".bundle", ".att", ".sig", ".attestations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the pile: its bytes, and where they came from, for messages."""

    data: bytes
    origin: str


def frozen(evidence: Evidence) -> Evidence:
    """Give the same evidence in tuples: nobody can change it later, and it can be gone through more than once."""
    if isinstance(evidence, Item | Attestation | AttestationSet | bytes | str | os.PathLike):
        return evidence
    try:
        return tuple(map(frozen, evidence))
    except TypeError as e:
        wanted = "an attestation, its bytes, a path, or a sequence of these"
        raise UsageError(where="evidence", found=type(evidence).__name__, wanted=wanted) from e


def gather(evidence: Evidence, *, limits: Limits = DEFAULT) -> tuple[Item, ...]:
    """Give every item of the pile, each distinct one once.

    Raises:
        StoreUnavailable: a path that cannot be read.
        LimitError: too many items or bytes; a part of a pile decides nothing.
        UsageError: something that is no evidence at all.
    """
    found: dict[bytes, Item] = {}
    size = 0
    for item in _items(evidence, "evidence", limits):
        if item.data in found:
            continue
        found[item.data] = item
        size += len(item.data)
        limits.check("evidence", len(found), where=item.origin)
        limits.check("evidence_bytes", size, where=item.origin)
    return tuple(found.values())


def _items(evidence: Evidence, origin: str, limits: Limits) -> Iterator[Item]:
    if isinstance(evidence, Item):
        yield evidence
    elif isinstance(evidence, Attestation):
        yield Item(data=evidence.bytes, origin=origin)
    elif isinstance(evidence, bytes):
        yield from _split(evidence, origin)
    elif isinstance(evidence, AttestationSet):
        for number, data in enumerate(evidence.attestations, start=1):
            yield Item(data=data, origin=f"{origin}, attestation {number} of a set")
    elif isinstance(evidence, str | os.PathLike):
        yield from _files(Path(evidence), limits)
    else:
        try:
            several = iter(evidence)
        except TypeError as e:
            wanted = "an attestation, its bytes, a path, or a sequence of these"
            raise UsageError(where=origin, found=type(evidence).__name__, wanted=wanted) from e
        for number, each in enumerate(several):
            yield from _items(each, f"{origin}[{number}]", limits)


def _files(path: Path, limits: Limits) -> Iterator[Item]:
    try:
        paths = sorted(p for p in path.iterdir() if p.name.endswith(_SUFFIXES)) if path.is_dir() else [path]
    except OSError as e:
        raise StoreUnavailable(where=str(path), because=e.strerror or "") from e
    for each in paths:
        data = read_bounded(each, "evidence_bytes", limits, error=StoreUnavailable)
        if data.startswith(MAGIC):
            yield from _set(data, str(each), limits)
        else:
            yield from _split(data, str(each), lines=each.suffix == ".jsonl")


def _set(data: bytes, origin: str, limits: Limits) -> Iterator[Item]:
    try:
        found = AttestationSet.read(io.BytesIO(data), limits=limits)
    except LimitError:
        raise
    except GlasswingError:
        # A damaged set is one bad item of the pile, as a damaged bundle would be: it is refused by name later.
        yield Item(data=data, origin=origin)
    else:
        yield from _items(found, origin, limits)


def _split(data: bytes, origin: str, *, lines: bool = False) -> Iterator[Item]:
    """Yield the lines of JSON lines, or the whole. Lines that are no JSON stay items: they will be refused by name."""
    if not lines and data.count(b"\n") and data.lstrip()[:1] == b"{":
        try:
            parse_json(data.split(b"\n", 1)[0], bound="evidence_bytes")
            lines = True
        except (NotJson, LimitError):
            lines = False
        except GlasswingError:
            lines = True
    if not lines:
        yield Item(data=data, origin=origin)
        return
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield Item(data=line.strip(), origin=f"{origin}:{number}")
