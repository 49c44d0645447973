"""Which thing does a path on the command line mean, and what lies beside it?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.environment import Environment
from glasswing_attest.artifact.file import File
from glasswing_attest.artifact.manifest import Artifact, Manifest
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.source import Source
from glasswing_attest.errors import GlasswingError, UsageError

__all__ = ["KINDS", "add_exclude", "artifact_of", "refuse_to_spoil", "refuse_within", "sidecar", "summary"]

KINDS = ("model", "dataset", "file", "code", "dependency")


def add_exclude(parser: argparse.ArgumentParser) -> None:
    """Add ``--exclude``."""
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="P",
        help="leave out this exact path below the directory (.git, .cache/huggingface); may be repeated",
    )


def artifact_of(path: str, kind: str, exclude: Sequence[str] = (), name: str | None = None) -> Artifact:
    """Give the artifact at `path`, not yet read; called by the last part of it, unless there is a `name`."""
    named: dict[str, Callable[[str, str | None], Artifact]] = {"file": File, "code": Source, "dependency": Environment}
    if kind in named:
        if exclude:
            raise UsageError(where="--exclude", found=exclude[0], because=f"of a {kind} nothing can be left out")
        return named[kind](path, name)
    return (Model if kind == "model" else Dataset)(path, name, exclude=exclude)


def sidecar(path: str) -> Path:
    """Give the file beside an artifact that holds its attestations: ``model/`` has ``model.attestations.jsonl``."""
    from glasswing_attest.store.sidecar import beside

    return beside(path)


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


def refuse_to_spoil(target: Path, option: str) -> None:
    """Attestations are added to a .jsonl file of attestations. Nothing else is written over."""
    if not target.exists():
        return
    from glasswing_attest.attestation import Attestation
    from glasswing_attest.store import gather

    because = "something is there already"
    if target.suffix == ".jsonl":
        try:
            for item in gather(target)[:1]:
                Attestation.parse(item.data)
        except GlasswingError as e:
            because = f"what is there is no file of attestations: {e}"
        else:
            return
    raise UsageError(where=f"{option} {target}", because=because, do="choose another name, or remove it first")


def summary(manifest: Manifest) -> dict[str, object]:
    """Give what was measured, as the report's JSON has it."""
    return {"kind": manifest.kind, "name": manifest.name, "digest": manifest.digests.to_dict()}
