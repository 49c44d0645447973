"""``convert``: how is it told to another tool?"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from glasswing_attest._cli.exits import YES
from glasswing_attest._cli.output import Output
from glasswing_attest.errors import FormatUnsupported, UsageError, shown

if TYPE_CHECKING:
    from glasswing_attest.attestation import Attestation

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "write evidence in another format"
DESCRIPTION = """\
Read every attestation in IN, whatever keeps it, and write them to OUT:

  bundle   one Sigstore bundle
  pep740   one attestation object, as PyPI takes and gives them
  jsonl    a line for each
  set      an attestation set, each byte for byte

IN is a file of a format that is read, or a directory: of such files, a store, or an OCI layout. Nothing is verified,
and what was signed stays as it is. Something that cannot be read is told, and then nothing is written.
"""
EPILOG = """\
examples:
  glasswing-attest convert iris-1.0-py3-none-any.whl.provenance --to bundle -o iris.sigstore.json
  glasswing-attest convert image/ --to jsonl -o image.attestations.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("source", metavar="IN", help="a file, or a directory")
    parser.add_argument("--to", required=True, choices=tuple(_WRITERS), help="the format to write")
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help="a new file")


def run(args: argparse.Namespace, output: Output) -> int:
    """Read all, and write all or nothing."""
    from glasswing_attest._files import write_atomic
    from glasswing_attest.errors import StoreUnavailable

    found = _read(Path(args.source))
    data = _WRITERS[args.to](found)
    write_atomic(args.out, data, overwrite=False, error=StoreUnavailable)
    output.result(
        "" if output.quiet else f"written: {shown(args.out)} ({args.to}, attestations: {len(found)})\n",
        {
            "verified": False,
            "path": args.out,
            "format": args.to,
            "attestations": [{"container": each.container, "payloadSha256": each.payload_digest} for each in found],
        },
    )
    return YES


def _read(source: Path) -> tuple[Attestation, ...]:
    from glasswing_attest import formats
    from glasswing_attest._files import read_bounded
    from glasswing_attest.errors import FieldMissing, GlasswingError, StoreUnavailable
    from glasswing_attest.store import gather

    if not source.is_dir():
        data = read_bounded(source, "evidence_bytes", error=StoreUnavailable)
        try:
            return formats.read(data)
        except GlasswingError as e:
            e.where = f"{source}: {e.where}"
            raise
    found = []
    for item in gather(source):
        try:
            found.append(formats.parse(item.data))
        except GlasswingError as e:
            e.where = f"{item.origin}: {e.where}"
            raise
    if not found:
        raise FieldMissing(where=str(source), wanted="at least one attestation")
    return tuple(found)


# --- formats ---------------------------------------------------------------------------------------------------------


def _only(attestations: Sequence[Attestation], name: str) -> Attestation:
    if len(attestations) != 1:
        do = "write them as jsonl or set"
        raise UsageError(where=f"--to {name}", found=f"{len(attestations)} attestations", wanted="one", do=do)
    return attestations[0]


def _bundle(attestations: Sequence[Attestation]) -> bytes:
    from glasswing_attest.bundle import Bundle
    from glasswing_attest.envelope import Envelope

    one = _only(attestations, "bundle")
    if one.bundle is not None:
        return one.bytes
    if not isinstance(one.envelope, Envelope):
        raise FormatUnsupported(where="$", found=one.container, wanted="a Sigstore bundle or a DSSE envelope")
    # A bare envelope was signed with a key that its reader must know; its key id may say which.
    return Bundle.of_key(one.envelope, one.envelope.signatures[0].keyid)


def _pep740(attestations: Sequence[Attestation]) -> bytes:
    from glasswing_attest import formats

    return formats.to_pep740(_only(attestations, "pep740"))


def _lines(attestations: Sequence[Attestation]) -> bytes:
    return b"".join(each.as_line + b"\n" for each in attestations)


def _set(attestations: Sequence[Attestation]) -> bytes:
    from glasswing_attest.attestation_set import AttestationSet

    return AttestationSet(items=tuple(each.bytes for each in attestations)).to_bytes()


_WRITERS: Mapping[str, Callable[[Sequence[Attestation]], bytes]] = {
    "bundle": _bundle,
    "pep740": _pep740,
    "jsonl": _lines,
    "set": _set,
}
