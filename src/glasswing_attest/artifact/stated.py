"""Which digests did somebody else state, and are they enough for a manifest?

Hubs, registries and documents tell the SHA-256 of files that nobody here has read. Each reader of one (`croissant`,
`hub`, `oci`) gives `StatedFiles`: those with a usable digest, and those without one, each with the reason. Only where
every file has one does a manifest of the whole follow, and it is a *declared* one: a policy must opt in to accept it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from glasswing_attest.artifact.manifest import FileEntry, Manifest, name_problem
from glasswing_attest.errors import ArtifactEmpty, DigestRefused, FieldRefused

__all__ = ["StatedFiles", "Unusable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A file that was named without a digest which could identify it; its size, where that is told."""

    name: str
    where: str
    because: str
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFiles:
    """Files whose digests somebody states.

    Attributes:
        name: what the whole is called.
        files: those with a SHA-256, by name.
        unusable: those without. Nothing is left out silently.
        source: who states it, for people.
    """

    name: str
    files: tuple[FileEntry, ...]
    unusable: tuple[Unusable, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for entry in self.files:
            problem = name_problem(entry.name)
            if problem or entry.name in seen:
                raise FieldRefused(where=self.source, found=entry.name, because=problem or "it is named twice")
            seen.add(entry.name)
        for lacking in self.unusable:
            if lacking.name in seen:
                raise FieldRefused(where=lacking.where, found=lacking.name, because="it is named twice")

    def manifest(self, kind: str, *, also: Iterable[FileEntry] = ()) -> Manifest:
        """Give the declared manifest of the whole.

        Args:
            kind: what it is used as: ``model``, ``dataset``, ….
            also: files that were read here, such as small ones for which a hub tells no SHA-256; they take the place of
                those in `unusable`, by name.

        Raises:
            DigestRefused: a file has no digest that could identify it, neither stated nor read.
            FieldRefused: a file that was read is not the one that was stated, or not stated at all.
            ArtifactEmpty: there is no file.
        """
        stated = {entry.name: entry for entry in self.files}
        sizes = {lacking.name: lacking.size for lacking in self.unusable}
        sizes |= {entry.name: entry.size for entry in self.files}
        for entry in also:
            known = stated.get(entry.name)
            if entry.name not in sizes:
                raise FieldRefused(where=entry.name, because=f"{self.source or 'the document'} names no such file")
            if known is not None and known.sha256 != entry.sha256:
                because = "the file that was read is not the one that was stated"
                raise FieldRefused(where=entry.name, found=entry.sha256, wanted=known.sha256, because=because)
            size = sizes[entry.name]
            if None not in (size, entry.size) and size != entry.size:
                because = "the file that was read is not the one that was stated"
                raise FieldRefused(
                    where=entry.name, found=f"{entry.size} bytes", wanted=f"{size} bytes", because=because
                )
            stated[entry.name] = entry
        for lacking in self.unusable:
            if lacking.name not in stated:
                raise DigestRefused(
                    where=lacking.where, found=lacking.name, wanted="a SHA-256", because=lacking.because
                )
        if not stated:
            raise ArtifactEmpty(where=self.name)
        return Manifest.of_tree(kind, stated.values(), name=self.name, is_declared=True)

    def each(self, kind: str) -> tuple[Manifest, ...]:
        """Give a declared manifest for each file by itself, whatever the others lack."""
        return tuple(Manifest.declared(kind, {"sha256": entry.sha256}, entry.name) for entry in self.files)
