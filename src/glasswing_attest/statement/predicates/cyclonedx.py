"""What is in it, as CycloneDX lists it?

A CycloneDX bill of materials in JSON (ECMA-424) as an in-toto predicate (in-toto attestation,
spec/predicates/cyclonedx.md), predicate type ``https://cyclonedx.org/bom``; some tools append the version, as in
``https://cyclonedx.org/bom/v1.4``, which is read where it is the document's own. ::

    {bomFormat: "CycloneDX", specVersion: "1.<minor>", serialNumber?: "urn:uuid:…", version?,
     metadata?: {timestamp?, …},
     components?: [{name, version?, purl?, hashes?: [{alg, content}, …], components?: […], …}, …], …}

The document is kept whole, and written as it was read. Only what is typed here is checked: validating a document
against CycloneDX's schema is not a wrapper's job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node, read_json
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.component import Component, read_digests
from glasswing_attest.statement.predicates.fields import empty_object, get_time
from glasswing_attest.statement.predicates.predicate_type import PredicateType

__all__ = ["CYCLONEDX", "TYPES", "CycloneDX"]

CYCLONEDX = "https://cyclonedx.org/bom"

_VERSIONED = ("1.4", "1.5", "1.6", "1.7")
_VERSION = re.compile(r"1\.[0-9]{1,3}", re.ASCII)
_SERIAL = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ALGORITHMS = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA3-256": "sha3_256",
    "SHA3-384": "sha3_384",
    "SHA3-512": "sha3_512",
    "BLAKE2b-512": "blake2b",
    "BLAKE3": "blake3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CycloneDX:
    """A CycloneDX document, whole, and what it lists. `parse` and `from_predicate` make it.

    Nested components follow the one that holds them.

    >>> bom = CycloneDX.parse(b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "a"}]}')
    >>> bom.spec_version, bom.components[0].name
    ('1.6', 'a')
    """

    document: Mapping[str, JsonValue] = field(hash=False, repr=False)
    spec_version: str
    serial_number: str = ""
    created: datetime | None = None
    components: tuple[Component, ...] = field(default=(), repr=False)

    @property
    def predicate_type(self) -> str:
        """``https://cyclonedx.org/bom``."""
        return CYCLONEDX

    @classmethod
    def parse(cls, data: bytes, *, limits: Limits = DEFAULT) -> CycloneDX:
        """Read a document as a tool wrote it. Raises `MalformedError` with the path, or `LimitError`."""
        return cls.from_predicate(read_json(data, limits=limits), limits=limits)

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT, version: str = "") -> CycloneDX:
        """Read a document, of this `version` where one is named. Raises `MalformedError` with the path."""
        node.need("bomFormat").one_of({"CycloneDX": None})
        stated = node.need("specVersion")
        if not _VERSION.fullmatch(stated.text()) or (version and stated.text() != version):
            stated.refuse(version or "a version such as 1.6", found=stated.text())
        serial = node.get("serialNumber")
        if serial is not None and not _SERIAL.fullmatch(serial.text()):
            serial.refuse("urn:uuid: and a UUID in lower case", found=serial.text())
        return cls(
            document=MappingProxyType(node.object()),
            spec_version=stated.text(),
            serial_number="" if serial is None else serial.text(),
            created=get_time(empty_object(node, "metadata"), "timestamp"),
            components=tuple(_component(item) for item in _listed(node)),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the document as it was read."""
        return dict(self.document)


def _listed(node: Node) -> Iterator[Node]:
    """Yield every component in the document's order, each before those within it; a stack, whatever the depth."""
    pending = node.get_array("components")[::-1]
    while pending:
        component = pending.pop()
        yield component
        pending.extend(component.get_array("components")[::-1])


def _component(node: Node) -> Component:
    hashes = ((item.need("alg"), item.need("content")) for item in node.get_array("hashes"))
    return Component(
        name=node.need("name").text(),
        version=node.get_text("version"),
        purl=node.get_text("purl"),
        digests=read_digests(hashes, _ALGORITHMS),
    )


def _of_version(version: str) -> PredicateType:
    return PredicateType(
        uri=f"{CYCLONEDX}/v{version}",
        parse=lambda node, limits: CycloneDX.from_predicate(node, limits=limits, version=version),
        told_at=attrgetter("created"),
    )


TYPES = (
    PredicateType(
        uri=CYCLONEDX,
        parse=lambda node, limits: CycloneDX.from_predicate(node, limits=limits),
        told_at=attrgetter("created"),
    ),
    *map(_of_version, _VERSIONED),
)
