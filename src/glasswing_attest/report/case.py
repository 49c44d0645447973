"""How can a decision be looked at again next year?

A case is a zip file with everything that decided and nothing else: ``case.json``, ``manifest.binpb``, ``policy.json``,
``trust.json`` and ``evidence/NNNNN``. Equal cases are equal files: members are stored uncompressed, in order, without
times.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from glasswing_attest._files import read_bounded, write_atomic
from glasswing_attest._wire import read_json
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.errors import FieldMissing, FormatUnsupported, StoreUnavailable
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.policy import Policy
from glasswing_attest.trust.root import Trust

__all__ = ["Case", "pack", "unpack"]

_VERSION = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
_HEAD = ("case.json", "manifest.binpb", "policy.json", "trust.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a case file holds."""

    evidence: tuple[tuple[bytes, str], ...]
    revocations: bytes | None
    manifest: Manifest
    policy: Policy
    trust: Trust
    at: datetime
    now: datetime
    verdict: str
    version: str


def pack(
    path: Path,
    *,
    evidence: Sequence[tuple[bytes, str]],
    revocations: bytes | None,
    manifest: Manifest,
    policy: Policy,
    trust: Trust,
    facts: Mapping[str, str],
) -> Path:
    """Write a case file, whole or not at all."""
    origins = [origin for _, origin in evidence]
    head = {"case": _VERSION, **facts, "evidence": origins}
    members = {
        "case.json": json.dumps(head, indent=2).encode(),
        "manifest.binpb": manifest.to_proto(),
        "policy.json": policy.to_json(),
        "trust.json": trust.to_json(),
        **({} if revocations is None else {"revocations": revocations}),
        **{f"evidence/{number:05}": data for number, (data, _) in enumerate(evidence)},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    write_atomic(path, buffer.getvalue())
    return path


def unpack(path: Path, *, limits: Limits = DEFAULT) -> Case:
    """Read a case file strictly.

    Raises:
        StoreUnavailable: the file cannot be read.
        FormatUnsupported: it is no case file of this version.
        MalformedError, LimitError: a member is not what it must be.
    """
    data = read_bounded(path, "evidence_bytes", limits, error=StoreUnavailable)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            if len({info.filename for info in listed}) != len(listed):
                raise FormatUnsupported(where=str(path), found="a member twice", wanted="a case file")
            # Stored members cannot be larger together than the file, unless they overlap.
            limits.check("evidence_bytes", sum(info.file_size for info in listed), where=str(path))
            members = {info.filename: _member(archive, info, path, limits) for info in listed}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as e:
        raise FormatUnsupported(where=str(path), wanted="a case file", because=str(e)) from e
    for name in _HEAD:
        if name not in members:
            raise FieldMissing(where=f"{path}: {name}")
    head = read_json(members["case.json"], where=f"{path}: case.json")
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
        set(members) - {*_HEAD, "revocations"} - {f"evidence/{number:05}" for number in range(len(origins))}
    ):
        raise FormatUnsupported(where=f"{path}: {more[0]}", found="a member that is not listed", wanted="a case file")
    return Case(
        evidence=tuple(evidence),
        revocations=members.get("revocations"),
        manifest=Manifest.from_proto(members["manifest.binpb"], where=f"{path}: manifest.binpb", limits=limits),
        policy=Policy.parse(members["policy.json"], suffix=".json", where=f"{path}: policy.json", limits=limits),
        trust=Trust.parse(members["trust.json"], suffix=".json", where=f"{path}: trust.json", limits=limits),
        at=head.need("at").time(),
        now=head.need("now").time(),
        verdict=head.need("verdict").text(),
        version=head.need("version").text(),
    )


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, limits: Limits) -> bytes:
    # Only stored members are written, so a compressed one is no case of ours, and nothing can inflate.
    if info.compress_type != zipfile.ZIP_STORED:
        raise FormatUnsupported(where=f"{path}: {info.filename}", found="a compressed member", wanted="a stored one")
    limits.check("evidence_bytes", info.file_size, where=f"{path}: {info.filename}")
    return archive.read(info)
