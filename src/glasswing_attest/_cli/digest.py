"""``digest``: what is it, in digits?"""

from __future__ import annotations

import argparse
from pathlib import Path

from glasswing_attest._cli.artifacts import KINDS, add_exclude, artifact_of, refuse_within, summary
from glasswing_attest._cli.exits import YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.progress import progress
from glasswing_attest.artifact.hashing import ALGORITHMS
from glasswing_attest.artifact.manifest import measure
from glasswing_attest.artifact.tree import OnDisk
from glasswing_attest.errors import UsageError, shown

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "print the digests of files, directories and checkouts"
DESCRIPTION = """\
Print typed digests: a directory has a dirHash, a file a sha256, a git checkout (--kind code) a gitCommit and a gitTree.
"""
EPILOG = """\
examples:
  glasswing-attest digest model/
  glasswing-attest digest --listing model.SHA256SUMS model/ && (cd model && sha256sum -c ../model.SHA256SUMS)
  glasswing-attest digest --also sha512 dist/package-1.0.tgz
  glasswing-attest digest --kind code .
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--kind", choices=KINDS, help="default: model for a directory, file for a file")
    add_exclude(parser)
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        choices=ALGORITHMS,
        metavar="ALGO",
        help=f"a further digest of a single file: {', '.join(ALGORITHMS)}; may be repeated",
    )
    parser.add_argument("--listing", metavar="FILE", help="write the listing (SHA256SUMS) of the one PATH to FILE")
    parser.add_argument("paths", metavar="PATH", nargs="+")


def run(args: argparse.Namespace, output: Output) -> int:
    """Measure every path, and tell what was found."""
    if args.listing is not None:
        if len(args.paths) != 1:
            raise UsageError(where="--listing", found=f"{len(args.paths)} paths", wanted="one path")
        refuse_within(Path(args.listing), args.paths[0], "--listing")
    found = []
    lines = []
    for path in args.paths:
        kind = args.kind or ("model" if Path(path).is_dir() else "file")
        artifact = artifact_of(path, kind, args.exclude)
        if args.also and not (isinstance(artifact, OnDisk) and artifact.is_single):
            raise UsageError(where="--also", found=path, wanted="a single file: nothing else has further digests")
        with callers_to_mend(), progress(output) as told:
            manifest = measure(artifact, progress=told, also=args.also)
        if args.listing is not None:
            manifest.to_listing_file(args.listing)
        lines += [f"{digest}  {shown(path)}\n" for digest in manifest.digests.identity]
        found.append(
            {
                "path": path,
                **summary(manifest),
                "files": len(manifest.files),
                "bytes": manifest.total_bytes,
                "excluded": list(manifest.excluded),
                "facts": dict(manifest.facts),
            }
        )
    output.result("".join(lines), {"artifacts": found})
    return YES
