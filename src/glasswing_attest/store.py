"""WHERE ARE ATTESTATIONS FOUND? Whatever a caller hands over as evidence, as one untrusted pile of items.

Evidence may be attestations, their bytes, files (a bundle, an envelope, JSON lines, an attestation set), directories
of such files, or any sequence of these. Nothing is parsed here beyond finding where one item ends and the next begins.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from glasswing_attest._files import read_bounded
from glasswing_attest._wire import parse_json
from glasswing_attest.attestation import Attestation
from glasswing_attest.attestation_set import MAGIC, AttestationSet
from glasswing_attest.errors import GlasswingError, LimitError, StoreUnavailable, UsageError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Evidence", "Item", "frozen", "gather"]

Evidence: TypeAlias = "Attestation | AttestationSet | Item | bytes | str | os.PathLike[str] | Iterable[Evidence]"
"""What can be handed over as evidence. A `str` is a path."""

_SUFFIXES = (".json", ".jsonl", ".sigstore", ".dsse", ".bundle", ".att", ".sig", ".attestations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the pile: its bytes, and where they came from, for messages.

    The origin is text that UTF-8 can carry: what a path holds beside that is written as an escape.
    """

    data: bytes
    origin: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", self.origin.encode("utf-8", "backslashreplace").decode("utf-8"))


def frozen(evidence: Evidence) -> Evidence:
    """Give the same evidence in tuples: nobody can change it later, and it can be gone through more than once."""
    return _frozen(evidence, "evidence", 0)


def _frozen(evidence: Evidence, origin: str, depth: int) -> Evidence:
    if isinstance(evidence, str):
        _path(evidence, origin)
    if isinstance(evidence, Item | Attestation | AttestationSet | bytes | str | os.PathLike):
        return evidence
    several = _several(evidence, origin, depth)
    return tuple(_frozen(each, f"{origin}[{number}]", depth + 1) for number, each in enumerate(several))


def _several(evidence: object, origin: str, depth: int, limits: Limits = DEFAULT) -> Iterator[Evidence]:
    """Go through a sequence of evidence. Raises `UsageError` for what is none."""
    wanted = "an attestation, its bytes, a path, or a sequence of these"
    # Iterating over these would give something: numbers, or keys that would be taken for paths.
    if not isinstance(evidence, Iterable) or isinstance(evidence, bytearray | memoryview | Mapping):
        raise UsageError(where=origin, found=type(evidence).__name__, wanted=wanted)
    if depth >= limits.json_depth:
        found = f"sequences in sequences, {depth + 1} deep"
        raise UsageError(where=origin.partition("[")[0], found=found, wanted=wanted, because="does it contain itself?")
    return iter(evidence)


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


def _items(evidence: Evidence, origin: str, limits: Limits, depth: int = 0) -> Iterator[Item]:
    if isinstance(evidence, Item):
        yield evidence
    elif isinstance(evidence, Attestation):
        yield Item(data=evidence.bytes, origin=origin)
    elif isinstance(evidence, bytes):
        yield from _read(evidence, origin, limits)
    elif isinstance(evidence, AttestationSet):
        for number, data in enumerate(evidence.attestations, start=1):
            yield Item(data=data, origin=f"{origin}, attestation {number} of a set")
    elif isinstance(evidence, str | os.PathLike):
        yield from _files(_path(evidence, origin), limits)
    else:
        for number, each in enumerate(_several(evidence, origin, depth, limits)):
            yield from _items(each, f"{origin}[{number}]", limits, depth + 1)


def _path(evidence: str | os.PathLike[str], origin: str) -> Path:
    if isinstance(evidence, str) and (not evidence or evidence.lstrip()[:1] in ("{", "[")):
        raise UsageError(
            where=origin,
            found=evidence or "an empty str",
            wanted="a path, since a str is one",
            do="hand over JSON text as bytes, and a path that begins like it as a Path",
        )
    return Path(evidence)


def _files(path: Path, limits: Limits) -> Iterator[Item]:
    try:
        paths = sorted(p for p in path.iterdir() if p.name.endswith(_SUFFIXES)) if path.is_dir() else [path]
    except OSError as e:
        raise StoreUnavailable(where=str(path), because=e.strerror or "") from e
    for each in paths:
        data = read_bounded(each, "evidence_bytes", limits, error=StoreUnavailable)
        yield from _read(data, str(each), limits, lines=each.suffix == ".jsonl")


def _read(data: bytes, origin: str, limits: Limits, *, lines: bool = False) -> Iterator[Item]:
    return _set(data, origin, limits) if data.startswith(MAGIC) else _split(data, origin, limits, lines=lines)


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


def _split(data: bytes, origin: str, limits: Limits, *, lines: bool) -> Iterator[Item]:
    """Yield the whole where it is one JSON value, and otherwise every line that is not blank.

    No line hides another. One that is no JSON is an item as well, which will be refused by name; and what looks like an
    object is yielded also where the lines around it make one value of all. A file called ``.jsonl`` always holds lines.
    """
    told = [(number, line.strip()) for number, line in enumerate(data.split(b"\n"), start=1) if line.strip()]
    if not lines and len(told) < 2:
        yield Item(data=told[0][1] if told else data, origin=origin)
        return
    if not lines and _is_json(data, limits):
        yield Item(data=data, origin=origin)
        told = [(number, line) for number, line in told if line[:1] == b"{" and line[-1:] == b"}"]
    for number, line in told:
        yield Item(data=line, origin=f"{origin}:{number}")


def _is_json(data: bytes, limits: Limits) -> bool:
    try:
        parse_json(data, limits=limits, bound="evidence_bytes")
    except GlasswingError:
        return False
    return True
