"""What is in it, as SPDX lists it?

An SPDX document in JSON as an in-toto predicate. The document is kept whole, and written as it was read. Only what is
typed here is checked: validating a document against SPDX's schemas is not a wrapper's job.

SPDX 2 (in-toto attestation, spec/predicates/spdx2.md), predicate types ``https://spdx.dev/Document/v2.3`` and
``/v2.2``, and ``https://spdx.dev/Document`` for any version 2. ::

    {spdxVersion: "SPDX-2.<minor>", SPDXID: "SPDXRef-DOCUMENT", documentNamespace, creationInfo?: {created?, …},
     packages?: [{name, versionInfo?, checksums?: [{algorithm, checksumValue}, …],
                  externalRefs?: [{referenceType: "purl", referenceLocator}, …], …}, …], …}

SPDX 3 (spec/predicates/spdx3.md), predicate type ``https://spdx.dev/Document/v3``. ::

    {"@context": "https://spdx.org/rdf/3.<minor>/spdx-context.jsonld",
     "@graph": [{type: "SpdxDocument", spdxId, creationInfo, …}, {type: "CreationInfo", "@id", created, …},
                {type: "software_Package", name, software_packageVersion?, software_packageUrl?,
                 verifiedUsing?: [{type: "Hash", algorithm, hashValue}, …], …}, …]}

An AI model and a dataset are packages as well (``ai_AIPackage``, ``dataset_DatasetPackage``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node, read_json
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.component import Component, read_digests
from glasswing_attest.statement.predicates.fields import empty_object, get_time, need_text
from glasswing_attest.statement.predicates.predicate_type import PredicateType

__all__ = ["SPDX", "SPDX_V3", "TYPES", "Spdx2", "Spdx3"]

SPDX = "https://spdx.dev/Document"
_VERSIONED = ("2.2", "2.3")
SPDX_V3 = f"{SPDX}/v3"

_VERSION_2 = re.compile(r"SPDX-2\.[0-9]{1,3}", re.ASCII)
_CONTEXT_3 = re.compile(r"https://spdx\.org/rdf/(3(?:\.[0-9]{1,3}){1,2})/spdx-context\.jsonld", re.ASCII)
_PACKAGES_3 = frozenset({"software_Package", "ai_AIPackage", "dataset_DatasetPackage"})
_ALGORITHMS_2 = {
    "MD5": "md5",
    "SHA1": "sha1",
    "SHA256": "sha256",
    "SHA384": "sha384",
    "SHA512": "sha512",
    "SHA3-256": "sha3_256",
    "SHA3-384": "sha3_384",
    "SHA3-512": "sha3_512",
    "BLAKE2b-512": "blake2b",
    "BLAKE3": "blake3",
}
_ALGORITHMS_3 = {
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "sha3_256": "sha3_256",
    "sha3_384": "sha3_384",
    "sha3_512": "sha3_512",
    "blake2b512": "blake2b",
    "blake3": "blake3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spdx2:
    """An SPDX 2 document, whole, and what it lists. `parse` and `from_predicate` make it.

    >>> bom = Spdx2.parse(
    ...     b'{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "documentNamespace": "https://example.com/a",'
    ...     b' "packages": [{"name": "a", "versionInfo": "1"}]}'
    ... )
    >>> bom.predicate_type, bom.components[0].version
    ('https://spdx.dev/Document/v2.3', '1')
    """

    document: Mapping[str, JsonValue] = field(hash=False, repr=False)
    spec_version: str
    namespace: str
    created: datetime | None = None
    components: tuple[Component, ...] = field(default=(), repr=False)

    @property
    def predicate_type(self) -> str:
        """``https://spdx.dev/Document/v`` and the document's version, such as ``2.3``."""
        return f"{SPDX}/v{self.spec_version}"

    @classmethod
    def parse(cls, data: bytes, *, limits: Limits = DEFAULT) -> Spdx2:
        """Read a document as a tool wrote it. Raises `MalformedError` with the path, or `LimitError`."""
        return cls.from_predicate(read_json(data, limits=limits), limits=limits)

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT, version: str = "") -> Spdx2:
        """Read a document, of this `version` where one is named. Raises `MalformedError` with the path."""
        stated = node.need("spdxVersion")
        if not _VERSION_2.fullmatch(stated.text()) or (version and stated.text() != f"SPDX-{version}"):
            stated.refuse(f"SPDX-{version or '2.3'}", found=stated.text())
        node.need("SPDXID").one_of({"SPDXRef-DOCUMENT": None})
        return cls(
            document=MappingProxyType(node.object()),
            spec_version=stated.text().removeprefix("SPDX-"),
            namespace=need_text(node, "documentNamespace"),
            created=get_time(empty_object(node, "creationInfo"), "created"),
            components=tuple(_package_2(item) for item in node.get_array("packages")),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the document as it was read."""
        return dict(self.document)


def _package_2(node: Node) -> Component:
    references = (item for item in node.get_array("externalRefs") if item.get_text("referenceType") == "purl")
    checksums = ((item.need("algorithm"), item.need("checksumValue")) for item in node.get_array("checksums"))
    return Component(
        name=node.get_text("name"),
        version=node.get_text("versionInfo"),
        purl=next((item.need("referenceLocator").text() for item in references), ""),
        digests=read_digests(checksums, _ALGORITHMS_2),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spdx3:
    """An SPDX 3 document, whole, and what it lists. `parse` and `from_predicate` make it.

    >>> bom = Spdx3.parse(
    ...     b'{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",'
    ...     b' "@graph": [{"type": "ai_AIPackage", "name": "model", "software_packageVersion": "2"}]}'
    ... )
    >>> bom.spec_version, bom.components[0].name
    ('3.0.1', 'model')
    """

    document: Mapping[str, JsonValue] = field(hash=False, repr=False)
    spec_version: str
    namespace: str = ""
    created: datetime | None = None
    components: tuple[Component, ...] = field(default=(), repr=False)

    @property
    def predicate_type(self) -> str:
        """``https://spdx.dev/Document/v3``."""
        return SPDX_V3

    @classmethod
    def parse(cls, data: bytes, *, limits: Limits = DEFAULT) -> Spdx3:
        """Read a document as a tool wrote it. Raises `MalformedError` with the path, or `LimitError`."""
        return cls.from_predicate(read_json(data, limits=limits), limits=limits)

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> Spdx3:
        """Read a document. Raises `MalformedError` with the path."""
        context = node.need("@context")
        version = _CONTEXT_3.fullmatch(context.text())
        if version is None:
            wanted = "SPDX 3's context, such as https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
            context.refuse(wanted, found=context.value)
        graph = node.need("@graph")
        elements = [(need_text(element, "type"), element) for element in graph.array()]
        if not elements:
            raise FieldMissing(kind=node.kind, where=graph.path, wanted="at least one element")
        documents = [element for kind, element in elements if kind == "SpdxDocument"]
        if len(documents) > 1:
            documents[1].refuse("one SpdxDocument", found="a second one")
        return cls(
            document=MappingProxyType(node.object()),
            spec_version=version[1],
            namespace=documents[0].get_text("spdxId") if documents else "",
            created=_created(documents[0], elements) if documents else None,
            components=tuple(_package_3(element) for kind, element in elements if kind in _PACKAGES_3),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the document as it was read."""
        return dict(self.document)


def _created(document: Node, elements: list[tuple[str, Node]]) -> datetime | None:
    """When the document was created: its creationInfo stands within it, or is named by an id in the graph."""
    info = document.get("creationInfo")
    if info is None:
        return None
    if isinstance(info.value, str):
        named = (element for kind, element in elements if kind == "CreationInfo")
        info = next((element for element in named if element.get_text("@id") == info.value), None)
    return None if info is None else get_time(info, "created")


def _package_3(node: Node) -> Component:
    hashes = (item for item in node.get_array("verifiedUsing") if item.get_text("type") == "Hash")
    return Component(
        name=node.get_text("name"),
        version=node.get_text("software_packageVersion"),
        purl=node.get_text("software_packageUrl") or _purl_3(node),
        digests=read_digests(((item.need("algorithm"), item.need("hashValue")) for item in hashes), _ALGORITHMS_3),
    )


def _purl_3(node: Node) -> str:
    for item in node.get_array("externalIdentifier"):
        if item.get_text("externalIdentifierType") == "packageUrl":
            return item.need("identifier").text()
    return ""


def _of_version(version: str) -> PredicateType:
    return PredicateType(
        uri=f"{SPDX}/v{version}",
        parse=lambda node, limits: Spdx2.from_predicate(node, limits=limits, version=version),
        told_at=attrgetter("created"),
    )


TYPES = (
    PredicateType(
        uri=SPDX, parse=lambda node, limits: Spdx2.from_predicate(node, limits=limits), told_at=attrgetter("created")
    ),
    *map(_of_version, _VERSIONED),
    PredicateType(
        uri=SPDX_V3, parse=lambda node, limits: Spdx3.from_predicate(node, limits=limits), told_at=attrgetter("created")
    ),
)
