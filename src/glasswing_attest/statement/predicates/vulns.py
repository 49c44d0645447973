"""Which vulnerabilities did a scanner find?

in-toto vulnerabilities (in-toto attestation, spec/predicates/vulns_02.md), predicate types
``https://in-toto.io/attestation/vulns/v0.2``, and ``/v0.1``, which is read. ::

    scanner:  {uri, version?, db?: {uri?, version?, lastUpdate},
               result: [{id, severity?: [{method, score}, …], annotations?: [{…}, …]}, …]}
    metadata: {scanStartedOn, scanFinishedOn}

Version 0.1 may wrap each result as ``{"vulnerability": {…}}``. "No findings" is said, not omitted: an empty ``result``
means that nothing was found, an absent one that nothing is said of it.

cosign's older predicate, ``https://cosign.sigstore.dev/attestation/vuln/v1`` (COSIGN_VULN_ATTESTATION_SPEC.md), is
read; its ``result`` is the scanner's own report, of any shape. ::

    {invocation?, scanner: {uri, version?, db?: {uri?, version?}, result}, metadata?: {scanStartedOn?, scanFinishedOn?}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node, format_time
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import (
    empty_object,
    get_time,
    need_text,
    require_said,
    require_zone,
    unless_empty,
)
from glasswing_attest.statement.predicates.predicate_type import PredicateType

__all__ = ["COSIGN_VULN_V1", "TYPES", "VULNS_V01", "VULNS_V02", "CosignScan", "Severity", "VulnScan", "Vulnerability"]

VULNS_V02 = "https://in-toto.io/attestation/vulns/v0.2"
VULNS_V01 = "https://in-toto.io/attestation/vulns/v0.1"
COSIGN_VULN_V1 = "https://cosign.sigstore.dev/attestation/vuln/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """How severe one method says that it is. The score is a text: a number, a word or a vector."""

    method: str
    score: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerability:
    """One vulnerability that was found, by its identifier."""

    identifier: str
    severity: tuple[Severity, ...] = ()
    annotations: tuple[Mapping[str, JsonValue], ...] = field(default=(), hash=False)

    def __post_init__(self) -> None:
        require_said(self.identifier, "id")

    @classmethod
    def parse(cls, node: Node) -> Vulnerability:
        """Read one result. Raises `MalformedError` with the path."""
        return cls(
            identifier=need_text(node, "id"),
            severity=tuple(
                Severity(method=need_text(item, "method"), score=need_text(item, "score"))
                for item in node.get_array("severity")
            ),
            annotations=tuple(MappingProxyType(item.object()) for item in node.get_array("annotations")),
        )

    def to_dict(self) -> dict[str, object]:
        """Give the result as in-toto's JSON object. ``severity`` is always written, since it is required."""
        return {
            "id": self.identifier,
            "severity": [{"method": item.method, "score": item.score} for item in self.severity],
            **unless_empty({"annotations": [dict(item) for item in self.annotations]}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VulnScan:
    """What one run of a scanner found, and with which state of its database.

    `result` is empty where nothing was found, and None where the predicate does not say; such a one can be read, and
    not written.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    >>> scan = VulnScan(
    ...     scanner_uri="pkg:pypi/pip-audit", result=(), scan_started_on=at, scan_finished_on=at, db_last_update=at
    ... )
    >>> scan.to_predicate()["scanner"]
    {'uri': 'pkg:pypi/pip-audit', 'db': {'lastUpdate': '2026-01-31T12:00:00Z'}, 'result': []}
    """

    scanner_uri: str
    result: tuple[Vulnerability, ...] | None
    scan_started_on: datetime
    scan_finished_on: datetime
    scanner_version: str = ""
    db_uri: str = ""
    db_version: str = ""
    db_last_update: datetime | None = None

    def __post_init__(self) -> None:
        require_said(self.scanner_uri, "scanner.uri")
        require_zone(self.db_last_update, "scanner.db.lastUpdate")
        require_zone(self.scan_started_on, "metadata.scanStartedOn")
        require_zone(self.scan_finished_on, "metadata.scanFinishedOn")

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/attestation/vulns/v0.2``: what is written."""
        return VULNS_V02

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> VulnScan:
        """Read a predicate of version 0.2. Raises `MalformedError` with the path."""
        return _read(node, wrapped=False)

    @classmethod
    def from_predicate_v01(cls, node: Node, *, limits: Limits = DEFAULT) -> VulnScan:
        """Read a predicate of version 0.1. Raises `MalformedError` with the path."""
        return _read(node, wrapped=True)

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as in-toto's JSON object of version 0.2.

        Raises:
            FieldMissing: what was found, or when the database was updated, is not said. Both are required.
        """
        if self.result is None:
            raise FieldMissing(where="scanner.result", do="say () where nothing was found")
        if self.db_last_update is None:
            raise FieldMissing(where="scanner.db.lastUpdate")
        database = {"uri": self.db_uri, "version": self.db_version, "lastUpdate": format_time(self.db_last_update)}
        return {
            "scanner": {
                "uri": self.scanner_uri,
                **unless_empty({"version": self.scanner_version, "db": unless_empty(database)}),
                "result": [item.to_dict() for item in self.result],
            },
            "metadata": {
                "scanStartedOn": format_time(self.scan_started_on),
                "scanFinishedOn": format_time(self.scan_finished_on),
            },
        }


def _read(node: Node, *, wrapped: bool) -> VulnScan:
    scanner, metadata = node.need("scanner"), node.need("metadata")
    database = empty_object(scanner, "db")
    result = scanner.get("result")
    items = None if result is None else result.array()
    if items is not None and wrapped:
        items = [item.get("vulnerability") or item for item in items]
    return VulnScan(
        scanner_uri=need_text(scanner, "uri"),
        result=None if items is None else tuple(Vulnerability.parse(item) for item in items),
        scan_started_on=metadata.need("scanStartedOn").time(),
        scan_finished_on=metadata.need("scanFinishedOn").time(),
        scanner_version=scanner.get_text("version"),
        db_uri=database.get_text("uri"),
        db_version=database.get_text("version"),
        db_last_update=get_time(database, "lastUpdate"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignScan:
    """A scan as cosign's own predicate has it. It is read only.

    `result` is the scanner's own report as it stands there, of any shape; None says nothing of what was found.
    """

    scanner_uri: str
    result: JsonValue = field(hash=False)
    scanner_version: str = ""
    db_uri: str = ""
    db_version: str = ""
    scan_started_on: datetime | None = None
    scan_finished_on: datetime | None = None

    @property
    def predicate_type(self) -> str:
        """``https://cosign.sigstore.dev/attestation/vuln/v1``."""
        return COSIGN_VULN_V1

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> CosignScan:
        """Read a predicate. Raises `MalformedError` with the path."""
        scanner, metadata = node.need("scanner"), empty_object(node, "metadata")
        database, result = empty_object(scanner, "db"), scanner.get("result")
        return cls(
            scanner_uri=scanner.get_text("uri"),
            result=None if result is None else result.value,
            scanner_version=scanner.get_text("version"),
            db_uri=database.get_text("uri"),
            db_version=database.get_text("version"),
            scan_started_on=get_time(metadata, "scanStartedOn"),
            scan_finished_on=get_time(metadata, "scanFinishedOn"),
        )


TYPES = (
    PredicateType(
        uri=VULNS_V02,
        parse=lambda node, limits: VulnScan.from_predicate(node, limits=limits),
        told_at=attrgetter("scan_finished_on"),
    ),
    PredicateType(
        uri=VULNS_V01,
        parse=lambda node, limits: VulnScan.from_predicate_v01(node, limits=limits),
        told_at=attrgetter("scan_finished_on"),
    ),
    PredicateType(
        uri=COSIGN_VULN_V1,
        parse=lambda node, limits: CosignScan.from_predicate(node, limits=limits),
        told_at=attrgetter("scan_finished_on"),
    ),
)
