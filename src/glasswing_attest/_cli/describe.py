"""``describe``: what is inside of a model, and what is different in another one?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from glasswing_attest._cli.artifacts import add_exclude, artifact_of, summary
from glasswing_attest._cli.exits import YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.progress import progress
from glasswing_attest.errors import counted, shown

if TYPE_CHECKING:
    from glasswing_attest.artifact.description import Description, ModelDiff
    from glasswing_attest.artifact.manifest import FileEntry

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "say what is inside of a model, or what is different in another one"
DESCRIPTION = """\
Say what is inside of a model: formats, architecture, parameters, the role of each file; with --json also each tensor
with its SHA-256. With --older, say which files and tensors are others than there. Nothing is loaded or run.
"""
EPILOG = """\
examples:
  glasswing-attest describe model/
  glasswing-attest describe --older model-v1/ model-v2/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--older", metavar="MODEL", help="the model to compare with; a directory or a file")
    add_exclude(parser)
    parser.add_argument("model", metavar="MODEL", help="a directory or a file")


def run(args: argparse.Namespace, output: Output) -> int:
    """Describe the model, or both, and tell what was found."""
    newer = _described(args.model, args, output)
    if args.older is None:
        output.result(_words(newer), {"path": args.model, **summary(newer.manifest), **_data(newer)})
        return YES
    older = _described(args.older, args, output)
    found = older.diff(newer)
    both = {"older": summary(older.manifest), "newer": summary(newer.manifest)}
    output.result(_different(found), {**both, **_differences(found)})
    return YES


def _described(path: str, args: argparse.Namespace, output: Output) -> Description:
    from glasswing_attest.artifact.description import describe

    with callers_to_mend():
        with progress(output) as told:
            manifest = artifact_of(path, "model", args.exclude).measure(progress=told)
        with progress(output) as told:
            return describe(manifest, progress=told)


def _words(found: Description) -> str:
    from glasswing_attest.artifact.roles import Role

    lines = [
        ("formats", ", ".join(found.formats)),
        ("architecture", shown(found.architecture or "")),
        ("parameters", "" if found.parameter_count is None else f"{found.parameter_count:,}"),
        ("dtype", found.dtype or ""),
        ("wants to run", ", ".join(map(shown, found.auto_map))),
    ]
    told = [f"{f'{name}:':14}{value}\n" for name, value in lines if value]
    for weights in found.weights:
        counts = (counted(len(weights.tensors), "tensor"), *weights.dtypes, counted(len(weights.files), "file"))
        told.append(f"{'tensors:':14}{shown(weights.name)} ({', '.join(counts)})\n")
    told += [
        f"{f'{file.role}:':14}{shown(file.name)}{f' ({file.format})' if file.format else ''}\n"
        for role in Role
        for file in found.role(role)
    ]
    return "".join(told)


def _data(found: Description) -> dict[str, object]:
    return {
        "formats": list(found.formats),
        "architecture": found.architecture,
        "parameterCount": found.parameter_count,
        "dtype": found.dtype,
        "autoMap": list(found.auto_map),
        "files": [
            {"name": f.name, "role": f.role, "format": f.format, **_permissions(found.manifest.file(f.name))}
            for f in found.files
        ],
        "weights": [
            {
                "name": weights.name,
                "format": weights.format,
                "files": list(weights.files),
                "parameterCount": weights.parameter_count,
                "tensors": [
                    {"name": t.name, "dtype": t.dtype, "shape": list(t.shape), "sha256": t.sha256}
                    for t in weights.tensors
                ],
            }
            for weights in found.weights
        ],
    }


def _permissions(file: FileEntry) -> dict[str, bool]:
    """Give what a reader should know of them, where it is so."""
    told = {"executable": file.is_executable, "setuid": file.is_setuid, "worldWritable": file.is_world_writable}
    return {name: is_so for name, is_so in told.items() if is_so}


def _different(found: ModelDiff) -> str:
    if not found:
        return "no difference\n"
    lines = [f"{file.what:9}{file.role:11}{shown(file.name)}" for file in found.files]
    for tensor in found.tensors:
        how = f" ({', '.join(tensor.how)})" if tensor.how else ""
        lines.append(f"{tensor.what:9}{'tensor':11}{shown(tensor.name)}{how} in {shown(tensor.weights)}")
    return "".join(f"{line}\n" for line in lines)


def _differences(found: ModelDiff) -> dict[str, object]:
    return {
        "files": [{"name": f.name, "role": f.role, "what": f.what} for f in found.files],
        "tensors": [{"name": t.name, "weights": t.weights, "what": t.what, "how": list(t.how)} for t in found.tensors],
    }
