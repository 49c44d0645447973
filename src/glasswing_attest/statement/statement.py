"""What does the statement say, and about what?

in-toto Statement v1 (in-toto attestation, spec/v1/statement.md); v0.1 is read too. ::

    {"_type": "https://in-toto.io/Statement/v1",
     "subject": [<ResourceDescriptor with digest>, …],
     "predicateType": "<TypeURI>",
     "predicate": {…}}

A classic link, of which the ``_type`` is ``link``, says the same in other words, and is read as such a statement: see
`predicates.classic_link`.

The bytes are kept as they came: they are what was signed. A `Statement` is only a reading of them, and says nothing
about who signed; `verification.binding.VerifiedStatement` does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node, canonical_json, read_json
from glasswing_attest.errors import FieldMissing, FieldRefused, StatementTypeUnsupported, UsageError, counted, shown
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.classic_link import LINK_V1, artifacts
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["LINK", "PAYLOAD_TYPE", "STATEMENT_V1", "Statement"]

STATEMENT_V1 = "https://in-toto.io/Statement/v1"
STATEMENT_V01 = "https://in-toto.io/Statement/v0.1"
LINK = "link"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

_TYPE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read from `payload`, the very bytes that are or will be signed.

    `digest` is the sha256 of the payload, in hex: the statement's own name.
    """

    payload: bytes
    type: str
    subjects: tuple[ResourceDescriptor, ...]
    predicate_type: str
    predicate: Mapping[str, JsonValue] = field(hash=False)
    digest: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.payload).hexdigest())

    def __repr__(self) -> str:
        subjects = counted(len(self.subjects), "subject")
        return f"Statement({shown(self.predicate_type)}, {subjects}, sha256:{self.digest[:16]})"

    @classmethod
    def make(
        cls, subjects: Iterable[ResourceDescriptor], predicate_type: str, predicate: Mapping[str, object]
    ) -> Statement:
        """Write a statement v1 in canonical JSON (RFC 8785).

        Raises:
            UsageError: no subject.
            FieldRefused: a predicate type that is no URI, a subject without digest, or values JSON cannot say exactly.

        >>> from glasswing_attest.artifact.digest import DigestSet
        >>> subject = ResourceDescriptor(name="a", digest=DigestSet.of(sha256="00" * 32))
        >>> Statement.make([subject], "https://example.com/t/v1", {"ok": True}).payload[:22]
        b'{"_type":"https://in-t'
        """
        told = tuple(subjects)
        if not told:
            raise UsageError(where="subject", found="no subject", wanted="at least one")
        if not _TYPE_URI.fullmatch(predicate_type):
            raise FieldRefused(where="$.predicateType", found=predicate_type, wanted="a URI")
        body = {
            "_type": STATEMENT_V1,
            "subject": [s.to_dict() for s in told],
            "predicateType": predicate_type,
            "predicate": dict(predicate),
        }
        return cls.parse_unverified(canonical_json(body))

    @classmethod
    def parse_unverified(cls, payload: bytes, *, limits: Limits = DEFAULT, where: str = "$") -> Statement:
        """Read a statement strictly. Nothing about its signature is known.

        Raises:
            MalformedError, UnsupportedError, LimitError: with the path within the payload.
        """
        node = read_json(payload, where=where, limits=limits)
        kind = node.need("_type").text()
        if kind == LINK:
            return cls._of_link(payload, node, limits)
        if kind not in (STATEMENT_V1, STATEMENT_V01):
            raise StatementTypeUnsupported(where=f"{where}._type", found=kind, wanted=STATEMENT_V1)
        subjects = _subjects(node, limits)
        predicate_type = node.need("predicateType").text()
        if not predicate_type:
            raise FieldMissing(where=f"{where}.predicateType")
        predicate = node.get("predicate")  # optional; unset and empty mean the same
        body = {} if predicate is None else predicate.object()
        return cls(payload, kind, subjects, predicate_type, MappingProxyType(body))

    @classmethod
    def _of_link(cls, payload: bytes, node: Node, limits: Limits) -> Statement:
        subjects = artifacts(node, "products", limits, bound="subjects")
        if not subjects:
            raise FieldMissing(where=f"{node.path}.products", wanted="at least one product")
        rest = {name: value for name, value in node.object().items() if name not in ("_type", "products")}
        return cls(payload, LINK, subjects, LINK_V1, MappingProxyType(rest))

    @property
    def predicate_node(self) -> Node:
        """The predicate, to be read with its path."""
        return Node(dict(self.predicate), "$.predicate")


def _subjects(node: Node, limits: Limits) -> tuple[ResourceDescriptor, ...]:
    items = node.need("subject").array()
    node.within(limits, "subjects", len(items), step="subject")
    if not items:
        raise FieldMissing(where=f"{node.path}.subject", wanted="at least one subject")
    for item in items:
        if not item.need("digest").object():
            raise FieldMissing(where=f"{item.path}.digest", wanted="at least one digest")
    return tuple(ResourceDescriptor.parse(item, limits=limits) for item in items)
