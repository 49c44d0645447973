"""WHERE ARE ATTESTATIONS FOUND? Whatever a caller hands over as evidence, as one untrusted pile of items.

Evidence may be attestations, their bytes, files (a bundle, an envelope, JSON lines, an attestation set), directories
of such files, stores, or any sequence of these. Nothing is parsed here beyond finding where one item ends and the next
begins: a line, an item of a set, a part of what other tools keep attestations in (`formats`).
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from glasswing_attest._files import read_bounded
from glasswing_attest.attestation import Attestation
from glasswing_attest.attestation_set import MAGIC, AttestationSet
from glasswing_attest.errors import GlasswingError, LimitError, StoreUnavailable, UnavailableError, UsageError
from glasswing_attest.formats.lines import split
from glasswing_attest.formats.part import Part
from glasswing_attest.formats.reading import knows, parts
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.store.directory import DirectoryStore
from glasswing_attest.store.oci import is_layout, layout
from glasswing_attest.store.store import Item, Store, is_store, label_of

__all__ = ["Evidence", "EvidenceSource", "Pile", "frozen", "gather", "little_of"]

Evidence: TypeAlias = (
    "Attestation | AttestationSet | Item | Store | bytes | str | os.PathLike[str] | Iterable[Evidence]"
)
"""What can be handed over as evidence. A `str` is a path."""

_HANDED_OVER = "handed over"

_SUFFIXES = (
    ".json",
    ".jsonl",
    ".sigstore",
    ".dsse",
    ".bundle",
    ".att",
    ".sig",
    ".attestations",
    ".attestation",
    ".provenance",
    ".link",
)
_BUNDLE = re.compile(rb'[ \t\n\r]*\{[ \t\n\r]*"mediaType"[ \t\n\r]*:')
"""How a Sigstore bundle mostly begins. An object with this member is no container, and what is broken is none either:
so it need not be read to know that it is an item of its own."""

_TOLD_SKIPPED = 8
"""So many names of skipped files are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSource:
    """A place where evidence was looked for, and how many items it gave.

    Attributes:
        origin: a file, an empty directory, a store, or "handed over" for what is no place.
        items: how many distinct items it gave; other places may have given the same.
        asked: it is a store that was asked about single things, and may hold more.
        skipped: so much in a directory was not read, for its name does not end as those of evidence do.
        skipped_names: the first of these, in order.
    """

    origin: str
    items: int
    asked: bool = False
    skipped: int = 0
    skipped_names: tuple[str, ...] = ()


def frozen(evidence: Evidence) -> Evidence:
    """Give the same evidence in tuples: nobody can change it later, and it can be gone through more than once."""
    return _frozen(evidence, "evidence", 0)


def _frozen(evidence: Evidence, origin: str, depth: int) -> Evidence:
    if isinstance(evidence, str):
        _path(evidence, origin)
    if isinstance(evidence, Item | Attestation | AttestationSet | bytes | str | os.PathLike) or is_store(evidence):
        return evidence
    several = _several(evidence, origin, depth)
    return tuple(_frozen(each, f"{origin}[{number}]", depth + 1) for number, each in enumerate(several))


def _several(evidence: object, origin: str, depth: int, limits: Limits = DEFAULT) -> Iterator[Evidence]:
    """Go through a sequence of evidence. Raises `UsageError` for what is none."""
    wanted = "an attestation, its bytes, a path, a store, or a sequence of these"
    # Iterating over these would give something: numbers, or keys that would be taken for paths.
    if not isinstance(evidence, Iterable) or isinstance(evidence, bytearray | memoryview | Mapping):
        raise UsageError(where=origin, found=type(evidence).__name__, wanted=wanted)
    if depth >= limits.json_depth:
        found = f"sequences in sequences, {depth + 1} deep"
        raise UsageError(where=origin.partition("[")[0], found=found, wanted=wanted, because="does it contain itself?")
    return iter(evidence)


def gather(evidence: Evidence, *, limits: Limits = DEFAULT) -> tuple[Item, ...]:
    """Give every item of the pile, each distinct one once. Of a store that is everything.

    Raises:
        StoreUnavailable: a path or a store that cannot be read.
        LimitError: too many items or bytes; a part of a pile decides nothing.
        UsageError: something that is no evidence at all.
    """
    pile = Pile(limits)
    pile.read(evidence)
    for store in pile.stores:
        pile.take(store, store.list)
    return pile.items


class Pile:
    """Distinct items while they are gathered, within their bounds, and where each was found.

    Attributes:
        stores: the stores among the evidence, which are asked and not read.
    """

    def __init__(self, limits: Limits) -> None:
        self.stores: list[Store] = []
        self._limits = limits
        self._items: dict[bytes, Item] = {}
        self._size = 0
        self._given: dict[str, set[bytes]] = {}
        self._skipped: dict[str, tuple[str, ...]] = {}
        self._asked: set[str] = set()

    @property
    def items(self) -> tuple[Item, ...]:
        """Every distinct item, in the order in which they came."""
        return tuple(self._items.values())

    @property
    def sources(self) -> tuple[EvidenceSource, ...]:
        """Where was looked, in an order that does not depend on that of the evidence."""
        return tuple(
            EvidenceSource(
                origin=origin,
                items=len(given),
                asked=origin in self._asked,
                skipped=len(self._skipped.get(origin, ())),
                skipped_names=self._skipped.get(origin, ())[:_TOLD_SKIPPED],
            )
            for origin, given in sorted(self._given.items())
        )

    def read(self, evidence: Evidence) -> None:
        """Put everything on the pile that is no store."""
        for part in _parts(evidence, "evidence", self._limits):
            if isinstance(part, _Place):
                self._put(part.items, part.origin)
                if part.skipped:
                    self._skipped[_told(part.origin)] = tuple(map(_told, part.skipped))
            elif not any(part is store for store in self.stores):
                self.stores.append(part)

    def take(self, store: Store, ask: Callable[[], Iterable[Item]], *, asked: bool = False) -> tuple[Item, ...]:
        """Put what a store answers on the pile, and give what is new of it. `asked` says that it may hold more."""
        label = label_of(store)
        if asked:
            self._asked.add(label)
        else:
            self._asked.discard(label)
        return self._put(self._counted(_answered(ask, label)), label)

    def _counted(self, items: Iterable[Item]) -> Iterator[Item]:
        """Count what a store gives, also what it gave before: it may give one item for ever."""
        for count, item in enumerate(items, start=1):
            self._limits.check("evidence", count, where=item.origin)
            yield item

    def _put(self, items: Iterable[Item], origin: str) -> tuple[Item, ...]:
        given = self._given.setdefault(_told(origin), set())
        new = []
        for item in items:
            given.add(item.data)
            if item.data not in self._items:
                self._items[item.data] = item
                self._size += len(item.data)
                self._limits.check("evidence", len(self._items), where=item.origin)
                self._limits.check("evidence_bytes", self._size, where=item.origin)
                new.append(item)
        return tuple(new)


def little_of(store: Store, most: int) -> tuple[Item, ...] | None:
    """Give everything that a store holds, or None where that is more than `most`. Raises what `Pile.take` raises."""
    found = tuple(islice(_answered(store.list, label_of(store)), most + 1))
    return found if len(found) <= most else None


def _told(origin: str) -> str:
    return Item(data=b"", origin=origin).origin


def _answered(ask: Callable[[], Iterable[Item]], label: str) -> Iterator[Item]:
    """Go through a store's answer. Whatever a store of the caller's raises, it did not answer."""
    try:
        for item in ask():
            if not isinstance(item, Item):
                raise UsageError(where=label, found=type(item).__name__, wanted="an Item from a store")
            yield item
    except (UnavailableError, LimitError, UsageError):
        raise
    except Exception as e:
        raise StoreUnavailable(where=label, because=f"{type(e).__name__}: {e}") from e


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where items lie, these, and what else lies there."""

    origin: str
    items: Iterable[Item]
    skipped: tuple[str, ...] = ()


def _parts(evidence: Evidence, origin: str, limits: Limits, depth: int = 0) -> Iterator[_Place | Store]:
    if isinstance(evidence, str | os.PathLike):
        yield from _files(_path(evidence, origin), limits)
    elif isinstance(evidence, Item | Attestation | AttestationSet | bytes):
        yield _Place(origin=_HANDED_OVER, items=_held(evidence, origin, limits))
    elif is_store(evidence):
        yield evidence
    else:
        for number, each in enumerate(_several(evidence, origin, depth, limits)):
            yield from _parts(each, f"{origin}[{number}]", limits, depth + 1)


def _held(evidence: Item | Attestation | AttestationSet | bytes, origin: str, limits: Limits) -> Iterator[Item]:
    if isinstance(evidence, Item):
        yield evidence
    elif isinstance(evidence, Attestation):
        yield Item(data=evidence.bytes, origin=origin)
    elif isinstance(evidence, bytes):
        yield from _read(evidence, origin, limits)
    else:
        for number, data in enumerate(evidence.attestations, start=1):
            yield Item(data=data, origin=f"{origin}, attestation {number} of a set")


def _path(evidence: str | os.PathLike[str], origin: str) -> Path:
    if isinstance(evidence, str) and (not evidence or evidence.lstrip()[:1] in ("{", "[")):
        raise UsageError(
            where=origin,
            found=evidence or "an empty str",
            wanted="a path, since a str is one",
            do="hand over JSON text as bytes, and a path that begins like it as a Path",
        )
    return Path(evidence)


def _files(path: Path, limits: Limits) -> Iterator[_Place | Store]:
    try:
        if DirectoryStore.is_one(path):
            yield DirectoryStore(path, limits=limits)
            return
        if is_layout(path):
            yield _Place(origin=str(path), items=layout(path, limits=limits))
            return
        listed = sorted(path.iterdir()) if path.is_dir() else None
    except OSError as e:
        raise StoreUnavailable(where=str(path), because=e.strerror or "") from e
    paths = [path] if listed is None else [p for p in listed if p.name.endswith(_SUFFIXES)]
    skipped = () if listed is None else tuple(p.name for p in listed if not p.name.endswith(_SUFFIXES))
    if skipped or not paths:
        yield _Place(origin=str(path), items=(), skipped=skipped)
    for each in paths:
        data = read_bounded(each, "evidence_bytes", limits, error=StoreUnavailable)
        yield _Place(origin=str(each), items=_read(data, str(each), limits, lines=each.suffix == ".jsonl"))


def _read(data: bytes, origin: str, limits: Limits, *, lines: bool = False) -> Iterator[Item]:
    if data.startswith(MAGIC):
        yield from _set(data, origin, limits)
        return
    is_container = False
    for number, text in split(data, always=lines, limits=limits):
        items = list(_opened(text, origin if number is None else f"{origin}:{number}", limits))
        if number is None:
            is_container = [item.data for item in items] != [text]
        elif is_container and not knows(text, limits=limits):
            continue  # a line of a container is a piece of it, unless it is an attestation by itself
        yield from items


def _opened(data: bytes, origin: str, limits: Limits) -> Iterator[Item]:
    """Yield the parts of a container of another tool's; what is none, or a damaged one, is an item of its own."""
    if _BUNDLE.match(data):
        yield Item(data=data, origin=origin)
        return
    try:
        found = list(parts(data, limits=limits))
    except GlasswingError:
        found = [Part(data=data)]
    for part in found:
        yield Item(data=part.data, origin=f"{origin}: {part.label}" if part.label else origin)


def _set(data: bytes, origin: str, limits: Limits) -> Iterator[Item]:
    try:
        found = AttestationSet.read(io.BytesIO(data), limits=limits)
    except LimitError:
        raise
    except GlasswingError:
        # A damaged set is one bad item of the pile, as a damaged bundle would be: it is refused by name later.
        yield Item(data=data, origin=origin)
    else:
        yield from _held(found, origin, limits)
