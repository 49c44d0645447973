"""IN WHICH CONTAINER? An image by its digest: the reference that a runtime or a pod was given.

A digest stands in the reference, and nobody here fetches the image: its manifest is a declared one. The tag is told and
never believed. Reference grammar: OCI distribution v1.1; the address is a package URL of the type oci.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.errors import UsageError

__all__ = ["ImageReference"]

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_{1,2}|-{1,8})[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<repository>(?:[a-z0-9][a-z0-9.-]*(?::[0-9]{{1,5}})?/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?@sha256:(?P<sha256>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """A container image by its digest.

    >>> image = ImageReference.parse("ghcr.io/acme/train:v1@sha256:" + "ab" * 32)
    >>> image.repository, image.tag
    ('ghcr.io/acme/train', 'v1')
    >>> image.manifest.is_declared
    True
    """

    repository: str
    sha256: str
    tag: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name[:tag]@sha256:hex``. Raises `UsageError` for anything else: a tag alone names no bytes."""
        found = _REFERENCE.fullmatch(text) if len(text) <= 1024 else None
        if found is None:
            raise UsageError(where="image", found=text, wanted="name@sha256:… with 64 lowercase hex digits")
        return cls(repository=found["repository"], tag=found["tag"] or "", sha256=found["sha256"])

    @property
    def manifest(self) -> Manifest:
        """The image as an artifact whose bytes nobody here read."""
        return Manifest.declared("image", DigestSet.of(sha256=self.sha256), self.repository)

    @property
    def purl(self) -> str:
        """Its package URL, as purl-spec writes it for the type oci."""
        name = self.repository.rpartition("/")[2]
        where = quote(self.repository, safe="/.-_~:")
        tag = f"&tag={quote(self.tag, safe='.-_~')}" if self.tag else ""
        return f"pkg:oci/{quote(name, safe='.-_~')}@sha256%3A{self.sha256}?repository_url={where}{tag}"
