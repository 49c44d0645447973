"""Is it affected by what was found in it?

An OpenVEX document (OpenVEX specification v0.2.0; ATTESTING.md) as an in-toto predicate, predicate types
``https://openvex.dev/ns/v0.2.0``, and ``https://openvex.dev/ns`` for any version. ::

    {"@context": "https://openvex.dev/ns[/v<version>]", author, timestamp?, version?,
     statements: [{status: "not_affected" | "affected" | "fixed" | "under_investigation", …}, …], …}

The document is kept whole, and written as it was read; its statements are kept as they are. Version 0.2.0 requires
``timestamp``, older documents may leave it to their statements, and write ``version`` as a string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node, read_json
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import get_time, need_text
from glasswing_attest.statement.predicates.predicate_type import PredicateType

__all__ = ["OPENVEX", "OPENVEX_V02", "TYPES", "OpenVex"]

OPENVEX = "https://openvex.dev/ns"
OPENVEX_V02 = f"{OPENVEX}/v0.2.0"

_CONTEXT = re.compile(re.escape(OPENVEX) + r"(?:/v[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})?", re.ASCII)
_STATUSES: dict[str, None] = dict.fromkeys(("not_affected", "affected", "fixed", "under_investigation"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVex:
    """An OpenVEX document, whole. `parse` and `from_predicate` make it.

    >>> vex = OpenVex.parse(
    ...     b'{"@context": "https://openvex.dev/ns/v0.2.0", "author": "me", "timestamp": "2026-01-31T12:00:00Z",'
    ...     b' "version": 1, "statements": [{"vulnerability": {"name": "CVE-2026-1"}, "status": "fixed"}]}'
    ... )
    >>> vex.author, vex.statements[0]["status"]
    ('me', 'fixed')
    """

    document: Mapping[str, JsonValue] = field(hash=False, repr=False)
    context: str
    author: str
    timestamp: datetime | None = None
    version: int | None = None
    statements: tuple[Mapping[str, JsonValue], ...] = field(default=(), hash=False, repr=False)

    @property
    def predicate_type(self) -> str:
        """The document's own context: ``https://openvex.dev/ns/v0.2.0`` for one of that version."""
        return self.context if self.context == OPENVEX_V02 else OPENVEX

    @classmethod
    def parse(cls, data: bytes, *, limits: Limits = DEFAULT) -> OpenVex:
        """Read a document as a tool wrote it. Raises `MalformedError` with the path, or `LimitError`."""
        return cls.from_predicate(read_json(data, limits=limits), limits=limits)

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT, context: str = "") -> OpenVex:
        """Read a document, of this `context` where one is named. Raises `MalformedError` with the path."""
        stated = node.need("@context")
        if not _CONTEXT.fullmatch(stated.text()) or (context and stated.text() != context):
            stated.refuse(context or f"OpenVEX's context, such as {OPENVEX_V02}", found=stated.text())
        statements = node.need("statements").array()
        for statement in statements:
            statement.need("status").one_of(_STATUSES)
        return cls(
            document=MappingProxyType(node.object()),
            context=stated.text(),
            author=need_text(node, "author"),
            timestamp=node.need("timestamp").time() if stated.text() == OPENVEX_V02 else get_time(node, "timestamp"),
            version=_version(node.get("version")),
            statements=tuple(MappingProxyType(statement.object()) for statement in statements),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the document as it was read."""
        return dict(self.document)


def _version(node: Node | None) -> int | None:
    return None if node is None else node.uint64()


TYPES = (
    PredicateType(
        uri=OPENVEX,
        parse=lambda node, limits: OpenVex.from_predicate(node, limits=limits),
        told_at=attrgetter("timestamp"),
    ),
    PredicateType(
        uri=OPENVEX_V02,
        parse=lambda node, limits: OpenVex.from_predicate(node, limits=limits, context=OPENVEX_V02),
        told_at=attrgetter("timestamp"),
    ),
)
