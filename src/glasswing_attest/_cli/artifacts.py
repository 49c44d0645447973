"""Which thing does a path on the command line mean, and what lies beside it?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.file import File
from glasswing_attest.artifact.manifest import Artifact, Manifest
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.source import Source
from glasswing_attest.errors import UsageError

__all__ = ["KINDS", "add_exclude", "artifact_of", "refuse_within", "sidecar", "summary"]

KINDS = ("model", "dataset", "file", "code")

SUFFIX = ".attestations.jsonl"


def add_exclude(parser: argparse.ArgumentParser) -> None:
    """Add ``--exclude``."""
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="P",
        help="leave out this exact path below the directory (.git, .cache/huggingface); may be repeated",
    )


def artifact_of(path: str, kind: str, exclude: Sequence[str] = ()) -> Artifact:
    """Give the artifact at `path`, not yet read."""
    if kind in ("file", "code"):
        if exclude:
            raise UsageError(where="--exclude", found=exclude[0], because=f"a {kind} is not digested name by name")
        return File(path) if kind == "file" else Source(path)
    return (Model if kind == "model" else Dataset)(path, exclude=exclude)


def sidecar(path: str) -> Path:
    """Give the file beside an artifact that holds its attestations: ``model/`` has ``model.attestations.jsonl``."""
    artifact = Path(path)
    if artifact.name in ("", ".."):
        artifact = artifact.resolve()
    if not artifact.name:
        raise UsageError(where=path, because="nothing can lie beside it", do="name the file of attestations")
    return artifact.with_name(artifact.name + SUFFIX)


def refuse_within(target: Path, artifact: str | Path, option: str) -> None:
    """Refuse to write over an artifact or into it: that would change what was digested.

    Raises:
        UsageError: `target` is the artifact, lies within it, or has no directory to be written to.
    """
    where = f"{option} {target}"
    if not target.parent.is_dir():
        raise UsageError(where=where, because=f"there is no directory {target.parent}")
    tree = Path(os.path.realpath(artifact))
    # The parent is resolved, because a link may lead into the tree; the last part is replaced, not followed.
    place = Path(os.path.realpath(target.parent)) / target.name
    if place == tree or tree in place.parents:
        raise UsageError(
            where=where, because="what is written inside the artifact changes the artifact", do="write it beside it"
        )


def summary(manifest: Manifest) -> dict[str, object]:
    """Give what was measured, as the report's JSON has it."""
    return {"kind": manifest.kind, "name": manifest.name, "digest": manifest.digests.to_dict()}
