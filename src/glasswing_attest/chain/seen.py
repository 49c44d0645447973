"""What was accepted before, so that nothing older is accepted now?

A validly signed statement stays valid: whoever serves evidence can serve last year's artifact with last year's
evidence. Against that rollback the caller keeps a little state, by what was asked about and the type of what was
accepted for it: the latest time and the furthest place in each log. ::

    {"seen": 1,
     "artifacts": [{"kind": "model", "name": "penguins", "predicateType": "https://slsa.dev/provenance/v1",
                    "statements": ["<sha256>", …], "notBefore"?: "2026-01-02T03:00:00Z",
                    "logs"?: [{"log": "<hex>", "tree": "<origin>", "index": "4711"}, …]},
                   {"kind": "model", "name": "penguins", "predicateType": "*", "statements": [],
                    "notBefore"?: "2026-01-02T03:00:00Z", "digests": {"dirHash": "<hex>"}}, …]}

A witness's time is no help, since an old signature can be stamped and logged again today: what counts is the time
before which it cannot have been signed. Where two have the same one, or tell none, their places in one log do. What was
accepted last time is accepted again.

A policy may accept one artifact for one type of statement, and the next for another. So beside the types, under ``*``,
stands which artifact was accepted last, and how old the oldest statement was for which it was: no statement about
another artifact may be older than that, of whatever type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from glasswing_attest._files import StrPath, read_bounded, write_atomic
from glasswing_attest._wire import Node, canonical_json, format_time, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.claims import Claim
from glasswing_attest.errors import FieldRefused, FormatUnsupported, UnavailableError
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.verification.transparency import LogPosition

__all__ = ["Seen", "Sighting"]

_VERSION = 1

_ANY = "*"
"""No predicate type: what is known of them all."""

_NOTHING = DigestSet(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What was accepted of one predicate type for one artifact.

    Attributes:
        kind, name: what was asked about, as the caller calls it.
        predicate_type: the type of the statements; ``*`` for what is known of all types together.
        statements: the sha256 of each that was accepted last, in hex.
        not_before: the latest time before which one of all that were accepted cannot have been signed, if any tells;
            of all types together, the earliest one of any type for which the artifact was accepted.
        logs: the furthest place of any of them, for each tree of a log.
        digests: of all types together, the artifact that was accepted last.
    """

    kind: str
    name: str
    predicate_type: str
    statements: tuple[str, ...]
    not_before: datetime | None = None
    logs: tuple[LogPosition, ...] = ()
    digests: DigestSet = _NOTHING

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is kept by."""
        return self.kind, self.name, self.predicate_type

    def complaints(self, claim: Claim) -> list[Finding]:
        """Complain about a claim that is older than what was accepted, or that does not show that it is not."""
        if claim.statement.digest in self.statements:
            return []
        begins = claim.not_before
        if self.not_before is not None:
            if begins is None:
                return [_complaint(claim, "no time before which it cannot have been signed", self._told)]
            if begins != self.not_before:
                told = f"signed no earlier than {format_time(begins)}"
                return [] if begins > self.not_before else [_complaint(claim, told, self._told)]
        known = {(place.log, place.tree): place.index for place in self.logs}
        for place in claim.verified.logs:
            index = known.get((place.log, place.tree))
            if index is not None and place.index < index:
                return [_complaint(claim, f"entry {place.index} of {place.tree}", f"entry {index} or later")]
        return []

    @property
    def _told(self) -> str:
        return "" if self.not_before is None else f"signed no earlier than {format_time(self.not_before)}, as seen"

    def after(self, claims: Iterable[Claim], latest: datetime) -> Sighting:
        """Give the sighting after these were accepted. What is known never sinks.

        A time that is still to come, after `latest`, is not kept: what is honest would be older than that. Nor is
        another place of a statement that is known: whoever logs it again would move what is honest behind it.
        """
        accepted = tuple(claims)
        told = (claim.not_before for claim in accepted)
        times = [time for time in told if time is not None and time <= latest]
        new = (claim for claim in accepted if claim.statement.digest not in self.statements)
        places = (*self.logs, *(place for claim in new for place in claim.verified.logs))
        return replace(
            self,
            statements=tuple(sorted({claim.statement.digest for claim in accepted})),
            not_before=_latest((self.not_before, *times)),
            logs=tuple(sorted({(place.log, place.tree): place for place in sorted(places, key=_index)}.values())),
        )


def _latest(times: Iterable[datetime | None]) -> datetime | None:
    return max((time for time in times if time is not None), default=None)


def _index(place: LogPosition) -> int:
    return place.index


def _complaint(claim: Claim, found: str, wanted: str) -> Finding:
    return Finding(
        code="policy.rollback",
        tier=Tier.CONTRAINDICATED,
        subject=claim.statement.predicate_type,
        rule="seen",
        found=found,
        wanted=wanted,
        do="get the current evidence; where going back is meant, verify without what was seen, once",
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What a caller has accepted so far: hand over the last report's `seen`, and keep the next one's.

    >>> Seen().to_json()
    b'{"artifacts":[],"seen":1}'
    """

    sightings: tuple[Sighting, ...] = ()
    _known: Mapping[tuple[str, str, str], Sighting] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.sightings, key=lambda sighting: sighting.key))
        known = {sighting.key: sighting for sighting in ordered}
        if len(known) != len(ordered):
            raise FieldRefused(kind="trust", where="artifacts", found="one twice", wanted="each artifact and type once")
        object.__setattr__(self, "sightings", ordered)
        object.__setattr__(self, "_known", known)

    def complaints(
        self, kind: str, name: str, digests: DigestSet, claim: Claim, beside: Iterable[str] = ()
    ) -> list[Finding]:
        """Complain about a claim about an artifact that is older than what was accepted for it before.

        `kind` and `name` are how the caller calls it, `digests` its own; `beside` are the types of what the policy asks
        for together with the claim.
        """
        own = self._of(kind, name, claim.statement.predicate_type)
        last = self._known.get((kind, name, _ANY))
        if last is None or last.digests.matches(digests):
            return own.complaints(claim)
        since = _latest((own.not_before, last.not_before))
        if own.not_before is None and claim.not_before is None:
            # Its type has never told a time. It stands for nothing by itself: what goes with it is compared.
            others = (self._of(kind, name, each) for each in beside)
            since = None if any(other.not_before is not None for other in others) else since
        return replace(own, statements=(), not_before=since).complaints(claim)

    def after(self, kind: str, name: str, digests: DigestSet, claims: Iterable[Claim], latest: datetime) -> Seen:
        """Give what was seen once these were accepted for an artifact, at the time of `latest`."""
        by_type: dict[str, list[Claim]] = {}
        for claim in claims:
            by_type.setdefault(claim.statement.predicate_type, []).append(claim)
        now = [self._of(kind, name, each).after(accepted, latest) for each, accepted in by_type.items()]
        if all(each.not_before is None and not each.logs for each in now):
            return self  # nothing is told by which to compare
        last = self._of(kind, name, _ANY)
        oldest = min((each.not_before for each in now if each.not_before is not None), default=None)
        since = _latest((last.not_before, oldest))
        # What tells no time, and was accepted for another artifact alone, is compared with all types from now on.
        forgets = since is not None and not last.digests.matches(digests)
        kept = {
            key: each
            for key, each in self._known.items()
            if not (forgets and key[:2] == (kind, name) and each.not_before is None)
        }
        kept |= {each.key: each for each in (*now, replace(last, digests=digests, not_before=since))}
        return Seen(tuple(kept.values()))

    def is_blind(self, kind: str, name: str, digests: DigestSet, claims: Iterable[Claim], latest: datetime) -> bool:
        """Tell whether these, accepted for an artifact, tell nothing by which a rollback would be seen.

        Nothing is kept of them, so that an older artifact would be accepted after them; or another artifact was
        accepted before, and they have nothing in common with what is known of it, so that they may be the older ones.
        """
        accepted = tuple(claims)
        last = self._known.get((kind, name, _ANY))
        if last is None:
            return self.after(kind, name, digests, accepted, latest) is self
        if last.not_before is not None or last.digests.matches(digests):
            return False
        # All that is known are places in logs, each of its own type.
        return not any(
            (known.log, known.tree) == (place.log, place.tree)
            for claim in accepted
            for known in self._of(kind, name, claim.statement.predicate_type).logs
            for place in claim.verified.logs
        )

    def _of(self, kind: str, name: str, predicate_type: str) -> Sighting:
        first = Sighting(kind=kind, name=name, predicate_type=predicate_type, statements=())
        return self._known.get(first.key, first)

    @classmethod
    def parse(cls, data: bytes, *, where: str = "seen", limits: Limits = DEFAULT) -> Seen:
        """Read what `to_json` wrote.

        Raises:
            MalformedError, FormatUnsupported, LimitError: it is nothing of the kind, with the path. Nothing is then
                known of what was seen: there is no default.
        """
        node = read_json(data, where=where, kind="trust", limits=limits, bound="policy_bytes")
        version = node.need("seen")
        if version.uint64() != _VERSION:
            raise FormatUnsupported(where=version.path, found=version.value, wanted=str(_VERSION))
        return cls(tuple(map(_sighting, node.need("artifacts").array())))

    @classmethod
    def load(cls, path: StrPath, *, limits: Limits = DEFAULT) -> Seen:
        """Read it from a file. Raises `UnavailableError` where there is none; the first time, begin with `Seen()`."""
        data = read_bounded(Path(path), "policy_bytes", limits, error=UnavailableError)
        return cls.parse(data, where=str(path), limits=limits)

    def write(self, path: StrPath) -> Path:
        """Write it to a file, whole or not at all."""
        write_atomic(path, self.to_json() + b"\n")
        return Path(path)

    def to_json(self) -> bytes:
        """Give it in canonical JSON."""
        return canonical_json({"seen": _VERSION, "artifacts": [_plain(each) for each in self.sightings]})


def _plain(sighting: Sighting) -> dict[str, object]:
    plain: dict[str, object] = {
        "kind": sighting.kind,
        "name": sighting.name,
        "predicateType": sighting.predicate_type,
        "statements": list(sighting.statements),
    }
    if sighting.not_before is not None:
        plain["notBefore"] = format_time(sighting.not_before)
    if sighting.logs:
        plain["logs"] = [{"log": p.log, "tree": p.tree, "index": str(p.index)} for p in sighting.logs]
    if sighting.digests:
        plain["digests"] = sighting.digests.to_dict()
    return plain


def _sighting(node: Node) -> Sighting:
    begins, digests = node.get("notBefore"), node.get("digests")
    return Sighting(
        kind=node.need("kind").text(),
        name=node.get_text("name"),
        predicate_type=node.need("predicateType").text(),
        statements=tuple(digest.text() for digest in node.get_array("statements")),
        not_before=None if begins is None else begins.time(),
        logs=tuple(
            LogPosition(
                log=place.need("log").text(), tree=place.need("tree").text(), index=place.need("index").uint64()
            )
            for place in node.get_array("logs")
        ),
        digests=_NOTHING if digests is None else DigestSet.parse(digests),
    )
