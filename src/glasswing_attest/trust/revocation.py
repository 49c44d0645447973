"""Who is no longer believed, for what, and since when?

A revocation list is a JSON document, signed in a DSSE envelope of its own payload type by a key that the trust names
for it::

    {"version": 7, "issued": "2026-01-01T00:00:00Z", "expires": "2026-02-01T00:00:00Z",
     "entries": [{"key": "<fingerprint>", "since": "2025-12-24T00:00:00Z", "reason": "leaked"},
                 {"issuer": "https://…", "san": "https://…", "since": "…", "predicateTypes": ["https://…"]}]}

An entry names a key by its fingerprint, or a certificate's holder exactly: by issuer and name, or by ``authority`` (the
trust's name of a private root) and name; without
``predicateTypes`` it is about all of them. Nothing here is verified; `verification.revocation` does that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from glasswing_attest._wire import Node, canonical_json, format_time, read_json
from glasswing_attest.errors import FieldRefused
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["REVOCATIONS_TYPE", "Revocation", "RevocationList"]

REVOCATIONS_TYPE = "application/vnd.glasswing-attest.revocations.v1+json"

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One signer that is not believed for what cannot be shown to be older than `since`."""

    since: datetime
    key: str = ""
    issuer: str = ""
    authority: str = ""
    san: str = ""
    predicate_types: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        ways = [bool(self.key), bool(self.issuer), bool(self.authority)]
        if sum(ways) != 1 or bool(self.key) == bool(self.san):
            wanted = "a key, or san with issuer or authority"
            raise FieldRefused(where="revocation", found="no signer, or several", wanted=wanted)
        if self.key and not _FINGERPRINT.fullmatch(self.key):
            raise FieldRefused(
                where="revocation.key", found=self.key, wanted="a key's fingerprint: 64 lowercase hex digits"
            )
        if self.since.tzinfo is None:
            raise FieldRefused(where="revocation.since", found=str(self.since), wanted="a time with a zone")

    def concerns(self, *, key: str, issuer: str, authority: str, san: str, predicate_type: str) -> bool:
        """Tell whether the entry is about this signer and predicate type. A key is meant however it signs."""
        if self.predicate_types and predicate_type not in self.predicate_types:
            return False
        if self.key:
            return self.key == key
        return (self.issuer, self.authority, self.san) == (issuer, authority, san)

    def to_dict(self) -> dict[str, object]:
        """Give the entry as the document's JSON object."""
        members: dict[str, object] = {
            "key": self.key,
            "issuer": self.issuer,
            "authority": self.authority,
            "san": self.san,
            "since": format_time(self.since),
            "predicateTypes": list(self.predicate_types),
            "reason": self.reason,
        }
        return {name: value for name, value in members.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A list of revocations: its version rises, and after `expires` it says nothing any more.

    >>> from datetime import UTC
    >>> day = datetime(2026, 1, 1, tzinfo=UTC)
    >>> RevocationList(version=1, issued=day, expires=day, entries=()).to_json()[:24]
    b'{"entries":[],"expires":'
    """

    version: int
    issued: datetime
    expires: datetime
    entries: tuple[Revocation, ...]

    def __post_init__(self) -> None:
        if self.version < 1:
            raise FieldRefused(where="version", found=self.version, wanted="a number from 1 on")
        if self.issued.tzinfo is None or self.expires.tzinfo is None or self.expires < self.issued:
            raise FieldRefused(where="expires", found=str(self.expires), wanted="a time with a zone, not before issued")

    @classmethod
    def of(cls, entries: Iterable[Revocation], *, version: int, issued: datetime, expires: datetime) -> RevocationList:
        """Make a list."""
        return cls(version=version, issued=issued, expires=expires, entries=tuple(entries))

    @classmethod
    def parse(cls, payload: bytes, *, where: str = "revocations", limits: Limits = DEFAULT) -> RevocationList:
        """Read the document strictly: an unknown member is refused, since it might narrow what an entry means."""
        node = read_json(payload, where=where, kind="trust", limits=limits)
        _only(node, {"version", "issued", "expires", "entries"})
        entries = node.need("entries").array()
        limits.check("dependencies", len(entries), where=f"{where}.entries")
        return cls(
            version=node.need("version").uint64(),
            issued=node.need("issued").time(),
            expires=node.need("expires").time(),
            entries=tuple(_entry(entry) for entry in entries),
        )

    def to_json(self) -> bytes:
        """Give the document in canonical JSON: what is to be signed with `REVOCATIONS_TYPE`."""
        return canonical_json(
            {
                "version": self.version,
                "issued": format_time(self.issued),
                "expires": format_time(self.expires),
                "entries": [entry.to_dict() for entry in self.entries],
            }
        )


def _only(node: Node, known: set[str]) -> None:
    for name, member in node.members():
        if name not in known:
            member.refuse(f"one of {', '.join(sorted(known))}", found=name)


def _entry(node: Node) -> Revocation:
    _only(node, {"key", "issuer", "authority", "san", "since", "predicateTypes", "reason"})
    types = node.get("predicateTypes")
    if types is not None and not types.array():
        types.refuse("at least one type, or no such member", found="none")
    return Revocation(
        since=node.need("since").time(),
        key=node.get_text("key"),
        issuer=node.get_text("issuer"),
        authority=node.get_text("authority"),
        san=node.get_text("san"),
        predicate_types=() if types is None else tuple(t.text() for t in types.array()),
        reason=node.get_text("reason"),
    )
