"""``inspect``: what does it say, whoever says it?"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glasswing_attest._cli.artifacts import summary
from glasswing_attest._cli.exits import NO, YES
from glasswing_attest._cli.output import Output
from glasswing_attest.errors import FieldMissing, GlasswingError, UnavailableError, shown

if TYPE_CHECKING:
    from glasswing_attest.attestation import Attestation
    from glasswing_attest.bundle import Certificates, KeyHint, LogEntry
    from glasswing_attest.store import Item

__all__ = ["BANNER", "DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "show what evidence says, without verifying it"
DESCRIPTION = """\
Show what a bundle, an envelope, JSON lines, an attestation set, what other tools keep these in, a directory, or a case
says. Nothing is verified: no signature is checked, and anybody may have written it. The exit code says only whether it
could be read.
"""
EPILOG = """\
examples:
  glasswing-attest inspect model.attestations.jsonl
  glasswing-attest inspect --json decision.zip
"""

BANNER = "UNVERIFIED: no signature was checked, and anybody may have written this."
_ROWS = 40
_NAME = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+")


def run(args: argparse.Namespace, output: Output) -> int:
    """Show every file. What cannot be read is told, and makes the answer a no."""
    files = [_file(path) for path in args.files]
    lines = [BANNER]
    for file in files:
        lines += ["", *_lines(file)]
    output.result("\n".join(lines) + "\n", {"verified": False, "files": files})
    unreadable = [thing for file in files for thing in (file, *file["items"]) if "error" in thing]
    return NO if unreadable else YES


# --- reading ---------------------------------------------------------------------------------------------------------


def _file(path: str) -> dict[str, Any]:
    """Give what one file holds. A file that cannot be had is `UnavailableError`; one that says nothing has an error."""
    from glasswing_attest.attestation_set import MAGIC

    try:
        start = b"" if Path(path).is_dir() else _start(path)
        if start.startswith(b"PK\x03\x04"):
            found = _case(path)
        elif start.startswith(MAGIC):
            found = _set(path)
        else:
            found = _pile(path)
        if not found["items"]:
            raise FieldMissing(where=path, wanted="at least one attestation")
    except UnavailableError:
        raise
    except GlasswingError as e:
        found = {"format": "unreadable", "items": [], "error": e.to_dict()}
    return {"path": path, **found}


def _start(path: str) -> bytes:
    from glasswing_attest._files import read_bounded
    from glasswing_attest.errors import StoreUnavailable

    return read_bounded(path, "evidence_bytes", error=StoreUnavailable)[:64]


def _pile(path: str) -> dict[str, Any]:
    from glasswing_attest.store import gather

    return {"format": "attestations", "items": _items(gather(path))}


def _set(path: str) -> dict[str, Any]:
    from glasswing_attest._wire import format_time
    from glasswing_attest.attestation_set import AttestationSet
    from glasswing_attest.store import gather

    found = AttestationSet.read(path)
    return {
        "format": "attestation set",
        "created": None if found.created is None else format_time(found.created),
        "producer": found.producer,
        "manifests": [summary(m) for m in found.manifests],
        "items": _items(gather(found)),
    }


def _case(path: str) -> dict[str, Any]:
    from glasswing_attest._wire import format_time
    from glasswing_attest.report.case import unpack
    from glasswing_attest.store import Item

    case = unpack(Path(path))
    return {
        "format": "case",
        "verdict": case.verdict,
        "at": format_time(case.at),
        "version": case.version,
        "artifact": summary(case.manifest),
        "policySha256": case.policy.digest,
        "trustSha256": case.trust.digest,
        "items": _items(Item(data=data, origin=origin) for data, origin in case.evidence),
    }


def _items(items: Iterable[Item]) -> list[dict[str, Any]]:
    return [_item(item) for item in items]


def _item(item: Item) -> dict[str, Any]:
    from glasswing_attest import formats

    try:
        return {"origin": item.origin, **_attestation(formats.parse(item.data))}
    except GlasswingError as e:
        return {"origin": item.origin, "error": e.to_dict()}


def _attestation(attestation: Attestation) -> dict[str, Any]:
    bundle = attestation.bundle
    told: dict[str, Any] = {
        "format": attestation.container,
        "signer": _signer(attestation.material),
        "keyids": [s.keyid for s in attestation.envelope.signatures],
        "logEntries": [] if bundle is None else [_log_entry(entry) for entry in bundle.log_entries],
        "timestamps": [] if bundle is None else [_stamp(stamp) for stamp in bundle.timestamps],
        "payloadType": attestation.envelope.payload_type,
        "payloadSha256": attestation.payload_digest,
    }
    try:
        statement = attestation.statement_unverified
    except GlasswingError as e:
        return {**told, "error": e.to_dict()}
    subjects = [{"name": s.name, "uri": s.uri, "digest": s.digest.to_dict()} for s in statement.subjects]
    return {
        **told,
        "predicateType": statement.predicate_type,
        "subjects": subjects,
        "predicate": _plain(dict(statement.predicate)),
    }


def _signer(material: KeyHint | Certificates) -> dict[str, Any]:
    """Give whom the container names. Anybody can write a certificate that names anybody."""
    from glasswing_attest._wire import format_time
    from glasswing_attest.bundle import KeyHint
    from glasswing_attest.verification.certificate import Leaf

    if isinstance(material, KeyHint):
        return {"verified": False, "keyHint": material.hint}
    told: dict[str, Any] = {"verified": False, "certificateSha256": hashlib.sha256(material.chain[0]).hexdigest()}
    try:
        leaf = Leaf.parse(material.chain[0])
    except GlasswingError as e:
        return {**told, "error": e.to_dict()}
    return {
        **told,
        "san": leaf.san,
        "issuer": leaf.issuer,
        "notBefore": format_time(leaf.certificate.not_valid_before_utc),
        "notAfter": format_time(leaf.certificate.not_valid_after_utc),
        "claims": dict(leaf.claims),
    }


def _log_entry(entry: LogEntry) -> dict[str, Any]:
    from glasswing_attest._wire import format_time

    try:
        # A log of Rekor v2 tells no time.
        time = format_time(datetime.fromtimestamp(entry.integrated_time, UTC)) if entry.integrated_time else None
    except (OverflowError, ValueError, OSError):
        time = f"{entry.integrated_time} seconds since 1970"
    return {
        "verified": False,
        "logId": entry.log_id.hex(),
        "logIndex": str(entry.log_index),  # as ProtoJSON writes it: no double holds every one of them
        "kind": f"{entry.kind} {entry.version}".strip(),
        "integratedTime": time,
    }


def _stamp(stamp: bytes) -> dict[str, Any]:
    from glasswing_attest._wire import format_time
    from glasswing_attest.verification.clock import time_unverified

    try:
        return {"verified": False, "time": format_time(time_unverified(stamp))}
    except GlasswingError as e:
        return {"verified": False, "error": e.to_dict()}


def _plain(value: Any) -> Any:
    """Give parsed JSON as the json module can write it; a number that no double is, as text."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    return value


# --- telling ---------------------------------------------------------------------------------------------------------


def _lines(file: Mapping[str, Any]) -> Iterator[str]:
    yield f"{shown(file['path'])}: {file['format']}"
    if "error" in file:
        yield f"  error: {file['error']['message']}"
    for name in ("verdict", "at", "version", "policySha256", "trustSha256", "created", "producer"):
        if file.get(name):
            yield f"  {name}: {shown(file[name])}"
    if "artifact" in file:
        yield f"  artifact: {_thing(file['artifact'])}"
    for manifest in file.get("manifests", ()):
        yield f"  manifest: {_thing(manifest)}"
    for item in file["items"]:
        yield from _item_lines(item)


def _item_lines(item: Mapping[str, Any]) -> Iterator[str]:
    yield f"  - {shown(item['origin'])}"
    if "format" in item:
        yield f"    format: {item['format']}"
        yield from _signer_lines(item["signer"])
        for entry in item["logEntries"]:
            at = "" if entry["integratedTime"] is None else f", at {entry['integratedTime']}"
            log = f"log {entry['logId'] or 'of no id'}"
            yield f"    log entry (unverified): {shown(entry['kind'])} {entry['logIndex']} of {log}{at}"
        for stamp in item["timestamps"]:
            yield f"    stamp (unverified): {stamp['time'] if 'time' in stamp else stamp['error']['message']}"
        yield f"    payload: {shown(item['payloadType'])}  sha256:{item['payloadSha256']}"
    if "error" in item:
        yield f"    error: {item['error']['message']}"
        return
    for subject in item["subjects"]:
        yield f"    subject: {_thing(subject)}"
    yield f"    says: {shown(item['predicateType'])}"
    rows = list(_rows(item["predicate"], ""))
    yield from (f"      {row}" for row in rows[:_ROWS])
    if len(rows) > _ROWS:
        yield f"      … and {len(rows) - _ROWS} more; --json shows them"


def _signer_lines(signer: Mapping[str, Any]) -> Iterator[str]:
    if "keyHint" in signer:
        yield f"    signer (unverified): a key; hint: {shown(signer['keyHint']) or 'none'}"
        return
    yield f"    signer (unverified): a certificate, sha256:{signer['certificateSha256']}"
    if "error" in signer:
        yield f"      error: {signer['error']['message']}"
        return
    told = {"san": signer["san"], "issuer": signer["issuer"] or "none", **signer["claims"]}
    yield from (f"      {name}: {shown(value, _NAME)}" for name, value in told.items())
    yield f"      valid: from {signer['notBefore']} until {signer['notAfter']}"


def _thing(thing: Mapping[str, Any]) -> str:
    label = f"{thing.get('kind', '')} {shown(thing['name'] or thing.get('uri', ''))}".strip()
    return "  ".join([label, *(f"{shown(a)}:{shown(v)}" for a, v in thing["digest"].items())])


def _rows(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _rows(member, f"{path}.{shown(key)}" if path else shown(key))
    elif isinstance(value, list) and value:
        for number, member in enumerate(value):
            yield from _rows(member, f"{path}[{number}]")
    elif path:
        yield f"{path}: {shown(value)}"
