"""How can a decision be looked at again next year?

A case is a zip file with everything that decided and nothing else: ``case.json``, ``manifest.binpb``, ``policy.json``,
``trust.json`` and ``evidence/NNNNN``, and ``revocations`` and ``seen.json`` where there were any. Equal cases are
equal files: members are stored uncompressed, in order, without times.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path

from glasswing_attest._files import read_bounded, write_atomic
from glasswing_attest._wire import Node, format_time, read_json
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.chain.seen import Seen
from glasswing_attest.errors import FieldMissing, FormatUnsupported, StoreUnavailable
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.policy import Policy
from glasswing_attest.store import EvidenceSource
from glasswing_attest.trust.root import Trust

__all__ = ["Case", "pack", "unpack"]

_VERSION = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
_HEAD = ("case.json", "manifest.binpb", "policy.json", "trust.json")
_OPTIONAL = ("revocations", "seen.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a case file holds.

    Attributes:
        evidence: every item with its origin.
        sources: where evidence was looked for; nothing, in a case that an earlier version wrote.
        revocations: the revocation list, where there was one.
        manifest: what was asked about, declared or not as it was then.
        policy, trust: what decided.
        at, now: the times.
        predicates: the predicate types that were read beside the built-in ones, by their labels.
        limits: the bounds, as far as this version knows them.
        revocations_seen: the highest version of the revocation list that had been seen before.
        second_opinion: whether a second opinion was asked for.
        seen: what had been accepted before, or None where nobody asked for that.
        verdict, version: the answer, and the library's version, as the file says.
    """

    evidence: tuple[tuple[bytes, str], ...]
    sources: tuple[EvidenceSource, ...]
    revocations: bytes | None
    manifest: Manifest
    policy: Policy
    trust: Trust
    at: datetime
    now: datetime
    predicates: tuple[str, ...]
    limits: Mapping[str, int]
    revocations_seen: int
    second_opinion: bool
    seen: Seen | None
    verdict: str
    version: str


def pack(path: Path, case: Case, *, limits: Limits = DEFAULT) -> Path:
    """Write a case file, whole or not at all. Raises `LimitError` for one that could not be read again."""
    head = {
        "case": _VERSION,
        "at": format_time(case.at),
        "now": format_time(case.now),
        "verdict": case.verdict,
        "version": case.version,
        "declared": case.manifest.is_declared,
        "predicates": list(case.predicates),
        "limits": dict(case.limits),
        "revocationsSeen": case.revocations_seen,
        "secondOpinion": case.second_opinion,
        "evidence": [origin for _, origin in case.evidence],
        "sources": [
            {
                "origin": s.origin,
                "items": s.items,
                "asked": s.asked,
                "skipped": s.skipped,
                "skippedNames": list(s.skipped_names),
            }
            for s in case.sources
        ],
    }
    members = {
        "case.json": json.dumps(head, indent=2).encode(),
        "manifest.binpb": case.manifest.to_proto(),
        "policy.json": case.policy.to_json(),
        "trust.json": case.trust.to_json(),
        **({} if case.revocations is None else {"revocations": case.revocations}),
        **({} if case.seen is None else {"seen.json": case.seen.to_json()}),
        **{f"evidence/{number:05}": data for number, (data, _) in enumerate(case.evidence)},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    limits.check("case_bytes", buffer.tell(), where=str(path))
    write_atomic(path, buffer.getvalue())
    return path


def unpack(path: Path, *, limits: Limits = DEFAULT) -> Case:
    """Read a case file strictly.

    Raises:
        StoreUnavailable: the file cannot be read.
        FormatUnsupported: it is no case file of this version.
        MalformedError, LimitError: a member is not what it must be.
    """
    data = read_bounded(path, "case_bytes", limits, error=StoreUnavailable)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            if len({info.filename for info in listed}) != len(listed):
                raise FormatUnsupported(where=str(path), found="a member twice", wanted="a case file")
            for info in listed:
                # Only stored members are written, so a compressed one is no case of ours, and nothing can inflate.
                if info.compress_type != zipfile.ZIP_STORED:
                    where, found = f"{path}: {info.filename}", "a compressed member"
                    raise FormatUnsupported(where=where, found=found, wanted="a stored one")
            # Stored members cannot be larger together than the file, unless they overlap: few bytes would become many.
            if sum(info.file_size for info in listed) > len(data):
                raise FormatUnsupported(where=str(path), found="members that overlap", wanted="a case file")
            members = {info.filename: archive.read(info) for info in listed}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as e:
        raise FormatUnsupported(where=str(path), wanted="a case file", because=str(e)) from e
    for name in _HEAD:
        if name not in members:
            raise FieldMissing(where=f"{path}: {name}")
    # What a case may hold is bounded by the case: a manifest or a list of origins in it may be larger than elsewhere.
    within = replace(limits, record_bytes=limits.case_bytes, policy_bytes=limits.case_bytes)
    head = read_json(members["case.json"], where=f"{path}: case.json", limits=limits, bound="case_bytes")
    if head.need("case").uint64() != _VERSION:
        raise FormatUnsupported(where=f"{path}: case.json", found=head.need("case").value, wanted=f"case {_VERSION}")
    origins = [origin.text() for origin in head.need("evidence").array()]
    evidence = []
    for number, origin in enumerate(origins):
        name = f"evidence/{number:05}"
        if name not in members:
            raise FieldMissing(where=f"{path}: {name}")
        evidence.append((members[name], origin))
    if more := sorted(
        set(members) - {*_HEAD, *_OPTIONAL} - {f"evidence/{number:05}" for number in range(len(origins))}
    ):
        raise FormatUnsupported(where=f"{path}: {more[0]}", found="a member that is not listed", wanted="a case file")
    manifest = Manifest.from_proto(members["manifest.binpb"], where=f"{path}: manifest.binpb", limits=within)
    known = {field.name for field in fields(Limits)}
    return Case(
        evidence=tuple(evidence),
        sources=tuple(map(_source, head.get_array("sources"))),
        revocations=members.get("revocations"),
        # The case alone tells whether the bytes were read when it was made: a manifest that travels never is.
        manifest=replace(manifest, is_declared=head.need("declared").boolean()),
        policy=Policy.parse(members["policy.json"], suffix=".json", where=f"{path}: policy.json", limits=within),
        trust=Trust.parse(members["trust.json"], suffix=".json", where=f"{path}: trust.json", limits=within),
        at=head.need("at").time(),
        now=head.need("now").time(),
        predicates=tuple(uri.text() for uri in head.need("predicates").array()),
        limits={name: bound.uint64() for name, bound in head.need("limits").members() if name in known},
        revocations_seen=head.need("revocationsSeen").uint64(),
        second_opinion=head.need("secondOpinion").boolean(),
        seen=_seen(members.get("seen.json"), f"{path}: seen.json", within),
        verdict=head.need("verdict").text(),
        version=head.need("version").text(),
    )


def _seen(data: bytes | None, where: str, limits: Limits) -> Seen | None:
    return None if data is None else Seen.parse(data, where=where, limits=limits)


def _source(node: Node) -> EvidenceSource:
    skipped = node.get("skipped")
    return EvidenceSource(
        origin=node.need("origin").text(),
        items=node.need("items").uint64(),
        asked=node.need("asked").boolean(),
        skipped=0 if skipped is None else skipped.uint64(),  # an earlier version did not tell
        skipped_names=tuple(name.text() for name in node.get_array("skippedNames")),
    )
