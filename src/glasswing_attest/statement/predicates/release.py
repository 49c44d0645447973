"""Which artifacts make up a release, as its registry says?

in-toto release attestation v0.2 (in-toto attestation, spec/predicates/release.md), predicate type
``https://in-toto.io/attestation/release/v0.2``; v0.1 is read too. The subjects are the artifacts. ::

    {"purl": "pkg:<type>/…/<name>@<version>", "packageId"?: "<stable id of the package>"}

v0.1 called the second one ``releaseId``, but its examples write ``packageId`` under v0.1 as well: either is read there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from glasswing_attest._wire import Node
from glasswing_attest.errors import FieldRefused, Kind
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.fields import need_text, unless_empty
from glasswing_attest.statement.predicates.predicate_type import PredicateType

__all__ = ["RELEASE_V01", "RELEASE_V02", "TYPES", "Release"]

RELEASE_V01 = "https://in-toto.io/attestation/release/v0.1"
RELEASE_V02 = "https://in-toto.io/attestation/release/v0.2"

# A package URL up to its qualifiers (purl-spec): the version follows the last @, and writes any slash as %2F.
_PURL = re.compile(r"pkg:/*[A-Za-z][A-Za-z0-9.+-]*/[^?#\s]*[^?#\s/]@[^@/?#\s]+(?:\?[^#\s]*)?(?:#\S*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The word of a registry that the subjects are the artifacts of one release.

    Attributes:
        purl: the package URL of the release, with its version.
        package_id: what identifies the package whatever it is called: names are given again, this is not.

    Raises:
        FieldRefused: the purl is none, or has no version.

    >>> Release(purl="pkg:pypi/urllib3@2.1.0").to_predicate()
    {'purl': 'pkg:pypi/urllib3@2.1.0'}
    """

    purl: str
    package_id: str = ""

    def __post_init__(self) -> None:
        _require_version(self.purl, "purl", "evidence")

    @property
    def package(self) -> str:
        """The package URL without the version.

        >>> Release(purl="pkg:oci/train@sha256%3A00?arch=amd64").package
        'pkg:oci/train?arch=amd64'
        """
        before, _, after = self._parts
        return before + after

    @property
    def version(self) -> str:
        """The version that the package URL names."""
        return unquote(self._parts[1])

    @property
    def _parts(self) -> tuple[str, str, str]:
        """What stands before the version, the version, and the qualifiers and subpath behind it."""
        plain = re.match(r"[^?#]*", self.purl)
        place = "" if plain is None else plain[0]
        before, _, version = place.rpartition("@")
        return before, version, self.purl[len(place) :]

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/attestation/release/v0.2``."""
        return RELEASE_V02

    @classmethod
    def from_predicate(cls, node: Node) -> Release:
        """Read a predicate v0.2. Raises `MalformedError` with the path."""
        return cls(purl=_purl(node), package_id=node.get_text("packageId"))

    @classmethod
    def from_predicate_v01(cls, node: Node) -> Release:
        """Read a predicate v0.1. Raises `MalformedError` with the path."""
        package, release = node.get_text("packageId"), node.get_text("releaseId")
        if package and release and package != release:
            node.refuse("one id of the package", found=f"packageId {package} and releaseId {release}")
        return cls(purl=_purl(node), package_id=package or release)

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate v0.2 as in-toto's JSON object."""
        return unless_empty({"purl": self.purl, "packageId": self.package_id})


def _purl(node: Node) -> str:
    purl = need_text(node, "purl")
    _require_version(purl, f"{node.path}.purl", node.kind)
    return purl


def _require_version(purl: str, where: str, kind: Kind) -> None:
    if not _PURL.fullmatch(purl):
        wanted = "a package URL with a version, such as pkg:pypi/urllib3@2.1.0"
        raise FieldRefused(kind=kind, where=where, found=purl, wanted=wanted)


def _reader(read: Callable[[Node], Release]) -> Callable[[Node, Limits], object]:
    # It holds two strings: the statement's limits bound it.
    return lambda node, _limits: read(node)


TYPES = (
    PredicateType(uri=RELEASE_V02, parse=_reader(Release.from_predicate)),
    PredicateType(uri=RELEASE_V01, parse=_reader(Release.from_predicate_v01)),
)
