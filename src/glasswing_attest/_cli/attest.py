"""``attest``: who says what of this?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from glasswing_attest._cli import signers
from glasswing_attest._cli.artifacts import (
    KINDS,
    add_exclude,
    artifact_of,
    refuse_to_spoil,
    refuse_within,
    sidecar,
    summary,
)
from glasswing_attest._cli.exits import YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.progress import progress
from glasswing_attest.errors import UsageError, shown

if TYPE_CHECKING:
    from glasswing_attest._api import Predicate
    from glasswing_attest._wire import JsonObject
    from glasswing_attest.artifact.manifest import Manifest
    from glasswing_attest.records import Record

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run", "type_uri"]

HELP = "sign a statement about an artifact"
DESCRIPTION = """\
Digest SUBJECT, say something of it, and sign that: one in-toto statement in a Sigstore bundle, added as one line to
<SUBJECT>.attestations.jsonl beside it.
What is said is a record (--record, completed by what is measured), or any predicate (--predicate-type, --predicate).
"""
EPILOG = """\
examples:
  glasswing-attest attest --key data.key --record data --name iris --version 2026.1 --license CC0-1.0 data/
  glasswing-attest attest --key trainer.key --record model --name iris --field formats=onnx --field dtype=float32 model/
  glasswing-attest attest --key trainer.key --record model --name iris --describe model/
  glasswing-attest attest --key trainer.key --record model --predicate record.json model/
  glasswing-attest attest --sigstore --record model --name iris model/
  glasswing-attest attest --key ci.key --predicate-type https://slsa.dev/provenance/v1 --predicate run.json model/
"""

_KIND_OF_RECORD = {"model": "model", "data": "dataset", "code": "code"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    signers.add_arguments(parser)
    what = parser.add_argument_group("what is said")
    types = what.add_mutually_exclusive_group(required=True)
    types.add_argument("--record", choices=tuple(_KIND_OF_RECORD))
    types.add_argument("--predicate-type", metavar="TYPE", help="the predicate's type: a URI, or a short name")
    what.add_argument("--predicate", metavar="FILE.json", help="the predicate, or the whole record, as JSON")
    for name in ("name", "version", "license"):
        what.add_argument(f"--{name}", help=f"the record's {name}")
    what.add_argument(
        "--field",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another field of the record; a list takes one value each time",
    )
    what.add_argument(
        "--describe", action="store_true", help="complete a model's record by what is inside: see `describe`"
    )
    parser.add_argument("--kind", choices=KINDS, help="default: what the record is about; model for other predicates")
    add_exclude(parser)
    parser.add_argument("--out", metavar="FILE", help="default: SUBJECT.attestations.jsonl, which gains a line")
    parser.add_argument("subject", metavar="SUBJECT", help="a directory, a file or a git checkout")


def run(args: argparse.Namespace, output: Output) -> int:
    """Sign, and write the bundle beside the subject."""
    from glasswing_attest import _api

    target = sidecar(args.subject) if args.out is None else Path(args.out)
    refuse_within(target, args.subject, "--out")
    refuse_to_spoil(target, "--out")
    kind = args.kind or _KIND_OF_RECORD.get(args.record, "model")
    # Nothing here is evidence: whatever is malformed was written by the caller.
    with callers_to_mend():
        signer = signers.signer_of(args)
        said = _said(args)
        with progress(output) as told:
            manifest = artifact_of(args.subject, kind, args.exclude).measure(progress=told)
        if manifest.location is not None:
            refuse_within(target, manifest.location, "--out")  # a checkout may begin above the path that was given
        if args.describe:
            said = _described(said, manifest)
        made = _api.attest(manifest, said, signer=signer)
    by = signers.told_of(signer, made)
    made.write(target)
    output.result(
        ""
        if output.quiet
        else f"attested:  {manifest.kind} {shown(manifest.name)}  {manifest.digests.identity[0]}\n"
        f"predicate: {shown(said.predicate_type)}\n"
        f"{by.text}"
        f"written:   {shown(str(target))}\n",
        {
            "subject": summary(manifest),
            "predicateType": said.predicate_type,
            "statementSha256": made.payload_digest,
            **by.data,
            "path": str(target),
        },
    )
    return YES


# --- what is said ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """A predicate of any type, as it stands in a file."""

    predicate_type: str
    predicate: Mapping[str, object]

    def to_predicate(self) -> dict[str, object]:
        return dict(self.predicate)


def _said(args: argparse.Namespace) -> Predicate:
    from glasswing_attest.claims import registry_of
    from glasswing_attest.records import CodeRecord, DataRecord, ModelRecord, registry

    given = [n for n in ("name", "version", "license", "field") if getattr(args, n)]
    predicate_type = "" if args.predicate_type is None else type_uri(args.predicate_type)
    records: dict[str, type[Record]] = {"model": ModelRecord, "data": DataRecord, "code": CodeRecord}
    record = records.get(args.record) or next((r for r in registry if r.predicate_type == predicate_type), None)
    if args.predicate is None:
        if args.record is None or record is None:
            raise UsageError(where="--predicate-type", wanted="--predicate FILE.json beside it")
        fields = {n: getattr(args, n) for n in ("name", "version", "license") if getattr(args, n) is not None}
        return cast("Predicate", record(**_fields(record, args.field, fields)))
    if given:
        raise UsageError(where=f"--{given[0]}", because="--predicate says everything that is said")
    from glasswing_attest._wire import Node
    from glasswing_attest.limits import DEFAULT

    body = _read(args.predicate)
    if record is not None:
        return cast("Predicate", record.from_predicate(Node(body, args.predicate)))
    known = registry_of().get(predicate_type)
    if known is not None:
        known.parse(Node(body, args.predicate), DEFAULT)  # what no verifier could read is not worth a signature
    return _Plain(predicate_type=predicate_type, predicate=body)


def _described(said: Predicate, manifest: Manifest) -> Predicate:
    """Complete a model's record by what is inside of the model."""
    from glasswing_attest.artifact.description import describe
    from glasswing_attest.records import ModelRecord

    if not isinstance(said, ModelRecord):
        raise UsageError(where="--describe", found=said.predicate_type, wanted="the record of a model")
    return said.holding(describe(manifest))


def type_uri(text: str) -> str:
    """Give the predicate type of a URI, or of one of cosign's short names. Raises `UsageError`."""
    from glasswing_attest._complaints import Fault
    from glasswing_attest.statement.predicates.names import predicate_uri

    try:
        return predicate_uri(text)
    except Fault as e:
        where = "--predicate-type"
        raise UsageError(where=where, because=e.because, found=e.found, wanted=e.wanted, do=e.do) from e


def _read(path: str) -> JsonObject:
    from glasswing_attest._files import read_bounded
    from glasswing_attest._wire import read_json

    data = read_bounded(path, "record_bytes", error=UsageError)
    return read_json(data, where=path, bound="record_bytes").object()


def _fields(record: type[Record], words: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    """Read ``key=value``, as the record's message types the key. A list gains one value each time."""
    from glasswing_attest._complaints import suggestion

    known = {f.name: f for f in record.message.DESCRIPTOR.fields}
    names = {**{f.json_name: n for n, f in known.items()}, **{n: n for n in known}}
    for word in words:
        key, equals, text = word.partition("=")
        where = f"--field {key}"
        name = names.get(key, "")
        if not equals or not name:
            advice = "" if name else suggestion(key, names)
            raise UsageError(where=where, wanted=f"KEY=VALUE, KEY one of {', '.join(known)}", do=advice)
        field = known[name]
        if field.message_type is not None:
            because = "its value has fields of its own"
            raise UsageError(where=where, because=because, do="write the record as JSON, and give it as --predicate")
        value = _scalar(text, field, where)
        if field.is_repeated:
            fields.setdefault(name, []).append(value)
        elif name in fields:
            raise UsageError(where=where, because="it is said twice")
        else:
            fields[name] = value
    return fields


def _scalar(text: str, field: Any, where: str) -> str | int | bool:
    if field.type == field.TYPE_BOOL:
        if text not in ("true", "false"):
            raise UsageError(where=where, found=text, wanted="true or false")
        return text == "true"
    if field.type == field.TYPE_UINT64:
        if not (text.isascii() and text.isdecimal() and len(text) <= 20):
            raise UsageError(where=where, found=text, wanted="a whole number")
        return int(text)
    return text
