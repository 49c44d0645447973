"""``prove``: does this one file belong to that directory?"""

from __future__ import annotations

import argparse
from pathlib import Path

from glasswing_attest._cli.artifacts import add_exclude, artifact_of, refuse_within
from glasswing_attest._cli.exits import YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.progress import progress
from glasswing_attest.errors import UnavailableError, UsageError, shown

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "prove that a file belongs to a directory"
DESCRIPTION = """\
Digest DIRECTORY once and write the proof that its file NAME belongs to it, or with --out-dir a proof for each of many
files. Who has the file and the proof, and believes a record of the directory, needs none of the other files: see
`verify --part`.
"""
EPILOG = """\
examples:
  glasswing-attest prove --out weights-7.proof.json model/ model-00007-of-00200.safetensors
  glasswing-attest prove --out-dir proofs/ model/
  glasswing-attest verify --policy policy.yaml --trust trust.yaml --evidence model.attestations.jsonl --kind model \\
    --digest dirHash:… --part model-00007-of-00200.safetensors --proof weights-7.proof.json here/model-00007.safetensors
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    places = parser.add_mutually_exclusive_group(required=True)
    places.add_argument("--out", metavar="FILE", help="where to write the one proof; outside of DIRECTORY")
    places.add_argument(
        "--out-dir", metavar="DIR", help="write DIR/NAME.proof.json for each NAME; without any, for every file"
    )
    add_exclude(parser)
    parser.add_argument("directory", metavar="DIRECTORY")
    parser.add_argument("names", metavar="NAME", nargs="*", help="a file's name relative to DIRECTORY")


def run(args: argparse.Namespace, output: Output) -> int:
    """Measure the directory once, and write the proofs."""
    from glasswing_attest.artifact.proofs import MerkleTree

    if args.out is not None and len(args.names) != 1:
        raise UsageError(where="--out", found=f"{len(args.names)} names", wanted="one NAME, or --out-dir for many")
    place = Path(args.out if args.out is not None else args.out_dir)
    refuse_within(place, args.directory, "--out" if args.out is not None else "--out-dir")
    with callers_to_mend(), progress(output) as told:
        manifest = artifact_of(args.directory, "dataset", args.exclude).measure(progress=told)
        tree = MerkleTree.of(manifest)
    # Those that are asked for by name are all there before anything is written.
    names = [manifest.file(name).name for name in args.names] or [file.name for file in manifest.files]
    lines = []
    written = []
    for name in names:
        proof = tree.proof(name)
        path = place if args.out is not None else _beneath(place, name, args.directory)
        proof.write(path)
        lines.append(f"proved:  {shown(name)}, leaf {proof.index} of {tree.head.size}\nwritten: {path}\n")
        written.append({"name": name, "index": proof.index, "written": str(path)})
    root = tree.head.root.hex()
    output.result(
        "" if output.quiet else f"root:    {root}\n" + "".join(lines),
        {"merkleRoot": root, "treeSize": tree.head.size, "proofs": written},
    )
    return YES


def _beneath(directory: Path, name: str, artifact: str) -> Path:
    """Give the place of a proof below `directory`, which lies where the file lies in the artifact."""
    path = directory / f"{name}.proof.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UnavailableError(where=str(path.parent), because=e.strerror or str(e)) from e
    refuse_within(path, artifact, "--out-dir")
    return path
