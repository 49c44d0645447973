"""``run``: which command made this, from what?"""

from __future__ import annotations

import argparse
import glob
import json
import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from glasswing_attest._cli import signers
from glasswing_attest._cli.artifacts import KINDS, artifact_of, refuse_to_spoil, refuse_within, sidecar, summary
from glasswing_attest._cli.exits import YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.progress import progress
from glasswing_attest.errors import ArtifactUnreadable, BuildIncomplete, UsageError, shown

if TYPE_CHECKING:
    from glasswing_attest.artifact.environment import Environment
    from glasswing_attest.artifact.hashing import Progress
    from glasswing_attest.artifact.lock import Lock
    from glasswing_attest.artifact.manifest import Artifact
    from glasswing_attest.attestation import Attestation
    from glasswing_attest.capture.build import Build

__all__ = ["COMMAND_BUILD_TYPE", "DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "run a command, and sign the provenance of what it makes"
DESCRIPTION = """\
Digest what goes in, run COMMAND, digest what goes in once more and then what came out, and sign SLSA provenance about
it: added as one line to <OUTPUT>.attestations.jsonl beside each output. The command is run as it stands, without a
shell. The git checkout of this directory is recorded as code; it must be clean.
If it fails, nothing is attested, and its exit code is this one's. An output must not be there before.
"""
EPILOG = """\
examples:
  glasswing-attest run --key trainer.key --builder https://ci.example/trainer --use dataset=data/ \\
      --output model=model/ -- python train.py --epochs 3
  glasswing-attest run --key ci.key --from-environment --image ghcr.io/acme/train@sha256:... \\
      --output file=app.whl -- python -m build --wheel
"""

COMMAND_BUILD_TYPE = "https://glasswing-attest.readthedocs.io/build-types/command/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    signers.add_arguments(parser)
    who = parser.add_argument_group("who runs it, and how")
    who.add_argument("--builder", default="", metavar="URI", help="the builder.id")
    who.add_argument("--build-type", default="", metavar="URI", help=f"default: {COMMAND_BUILD_TYPE}")
    who.add_argument(
        "--from-environment", action="store_true", help="take builder.id, invocation and source from the CI platform"
    )
    who.add_argument(
        "--param", action="append", default=[], metavar="K=V", help="an external parameter; V is JSON, or else text"
    )
    what = parser.add_argument_group("what goes in")
    what.add_argument(
        "--use",
        action="append",
        default=[],
        metavar="ROLE=PATH",
        help="an input: code, dataset, baseModel, checkpoint, dependency or tool",
    )
    what.add_argument("--no-code", action="store_true", help="do not record the git checkout of this directory as code")
    what.add_argument("--image", metavar="NAME@sha256:HEX", help="the container image in which this runs")
    what.add_argument(
        "--packages", action="store_true", help="the packages of the Python environment that COMMAND's program lies in"
    )
    what.add_argument("--prefix", metavar="PATH", help="that environment, where it cannot be told from the program")
    what.add_argument("--lock", metavar="FILE", help="its lock file (pylock.toml), which knows the packages' digests")
    what.add_argument("--host", action="store_true", help="kernel, drivers and the like, as internal parameters")
    what.add_argument(
        "--variable", action="append", default=[], metavar="NAME", help="an environment variable, as internal parameter"
    )
    what.add_argument(
        "--allow-secret-unsafe", action="append", default=[], metavar="PATH", help="record this, whatever it looks like"
    )
    out = parser.add_argument_group("what comes out")
    out.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="KIND=PATH",
        help=f"KIND: {', '.join(KINDS)}; a * in PATH stands for what the command makes",
    )
    out.add_argument("--byproduct", action="append", default=[], metavar="PATH", help="a file such as a log")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="what is run, after --")


def run(args: argparse.Namespace, output: Output) -> int:
    """Run the command, and write its provenance beside each output. Gives the command's own exit code if it fails."""
    from glasswing_attest import _api

    made = [_pair(word, "--output", KINDS) for word in args.output]
    if not made:
        raise UsageError(where="--output", found="nothing", wanted="at least one thing that the command makes")
    for i, (_, path) in enumerate(made):
        if path in [other for _, other in made[:i]]:
            raise UsageError(where=f"--output {path}", because="it is said twice")
        if "*" not in path:
            _refuse_there_already(Path(path))
    there = {path: frozenset(_matching(path)) for _, path in made if "*" in path}
    targets = tuple(dict.fromkeys(sidecar(path) for _, path in made if path not in there))
    # A directory that is not there yet may be what the command makes.
    _refuse_targets([target for target in targets if target.parent.is_dir()], made)
    with callers_to_mend():
        signer = signers.signer_of(args, ahead=True)
        build = _build(args)
        try:
            with build:
                with progress(output) as told:
                    _record(args, build, told)
                # The result is one JSON value and nothing else: what the command prints goes to stderr then.
                _run(args.command, stdout=_STDERR if output.as_json else None, hidden=signers.hidden_variables(args))
                made = _really_made(made, there)
                for kind, path in made:
                    build.output(artifact_of(path, kind))
        except _Failed as e:
            error = BuildIncomplete(where=args.command[0], because=f"it ended with {e.code}, so nothing is attested")
            return output.failed(error.to_dict(), f"glasswing-attest: {error}", e.code)
        targets = tuple(dict.fromkeys(sidecar(path) for _, path in made))
        _refuse_targets(targets, made)  # the command may have written there
        attested = _api.attest(build.outputs, build.provenance(), signer=signer)
    by = signers.told_of(signer, attested)
    for target in targets:
        attested.write(target)
    notes = _notes(args, build)
    for note in notes:
        output.note(f"glasswing-attest: warning: {note}")
    data = {**_data(build, attested, targets), **by.data, "notes": notes}
    output.result("" if output.quiet else _text(build, targets), data)
    return YES


class _Failed(Exception):
    """The command failed, with this exit code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


def _refuse_there_already(path: Path) -> None:
    """Refuse an output that lies there before: nobody could tell afterwards whether the command made it."""
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        raise UsageError(where=f"--output {path}", because="it is there before the command ran", do="remove it first")


def _matching(pattern: str) -> list[str]:
    """Give what is there by a name in which only ``*`` stands for something else."""
    return sorted(glob.glob(glob.escape(pattern).replace("[*]", "*")))  # noqa: PTH207  # paths as they were said


def _really_made(made: Sequence[tuple[str, str]], there: Mapping[str, Collection[str]]) -> list[tuple[str, str]]:
    """Give what the command made: of a pattern, what was not there before.

    Raises:
        ArtifactUnreadable: it did not make one of them.
    """
    found: dict[str, str] = {}
    for kind, path in made:
        paths = [path] if path not in there else [name for name in _matching(path) if name not in there[path]]
        for name in paths:
            found.setdefault(name, kind)
        if not paths or not all(map(os.path.lexists, paths)):
            raise ArtifactUnreadable(
                where=f"--output {path}", because="the command did not make it", found=_listed(Path(path).parent)
            )
    return [(kind, path) for path, kind in found.items()]


def _listed(folder: Path) -> str:
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return f"no directory {folder}"
    more = len(names) - _NAMED
    return f"in {folder}: " + (", ".join(names[:_NAMED]) or "nothing") + (f", and {more} more" if more > 0 else "")


_NAMED = 5


def _refuse_targets(targets: Sequence[Path], made: Sequence[tuple[str, str]]) -> None:
    for target in targets:
        for _, path in made:
            refuse_within(target, path, "--output")
        if target.is_symlink():
            # The command may have laid it there, to have something written elsewhere.
            raise UsageError(where=f"--output {target}", because="a link is there already", do="remove it first")
        refuse_to_spoil(target, "--output")


def _pair(word: str, option: str, known: Sequence[str]) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (equals and value) or name not in known:
        raise UsageError(where=f"{option} {word}", wanted=f"{', '.join(known)}, and = and a path")
    return name, value


# --- what is recorded ------------------------------------------------------------------------------------------------


def _build(args: argparse.Namespace) -> Build:
    from glasswing_attest.capture.build import Build
    from glasswing_attest.capture.secrets import refuse_secrets_in_command

    allowed = args.allow_secret_unsafe
    parameters = _parameters(args.param)
    internal: dict[str, object] = {}
    build_type = args.build_type or ("" if args.from_environment else COMMAND_BUILD_TYPE)
    if build_type == COMMAND_BUILD_TYPE:
        where = "parameters.command"
        parameters = {"command": args.command, **({"parameters": parameters} if parameters else {})}
    else:
        # The parameters of another build type are its own; but which command ran shall not be lost.
        where = "internal_parameters.command"
        internal = {"command": args.command}
    refuse_secrets_in_command(args.command, where, allowed)
    if args.from_environment:
        return Build.from_environment(
            builder=args.builder,
            build_type=build_type,
            parameters=parameters,
            internal_parameters=internal,
            secrets_allowed_unsafe=allowed,
        )
    if not args.builder:
        raise UsageError(where="--builder", found="nothing", wanted="the URI of whoever runs this")
    return Build(
        args.builder,
        build_type=build_type,
        parameters=parameters,
        internal_parameters=internal,
        secrets_allowed_unsafe=allowed,
    )


def _parameters(words: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not (name and equals):
            raise UsageError(where="--param", wanted="K=V")  # the word is not shown: it may be a misplaced secret
        if name in found:
            raise UsageError(where=f"--param {name}", because="it is said twice")
        try:
            found[name] = json.loads(text, parse_constant=_no_number)
        except ValueError:
            found[name] = text
    return found


def _no_number(text: str) -> object:
    raise ValueError(text)


def _record(args: argparse.Namespace, build: Build, told: Progress | None) -> None:
    environment = _environment(args)
    used = [_pair(word, "--use", _USABLE) for word in args.use]
    for role, path in used:
        if not Path(path).exists():
            raise UsageError(where=f"--use {role}={path}", because="there is no such file or directory")
    if not args.no_code and not any(role == "code" for role, _ in used) and _is_checkout(Path.cwd()):
        used.insert(0, ("code", "."))
    _refuse_to_dirty([path for role, path in used if role == "code"], args)
    if environment is not None:
        build.use_environment(environment, lock=_lock(args))  # read sooner than the data, which may take long
    for role, path in used:
        build.use(_input(role, path), role=role, progress=told)
    if args.image is not None:
        build.use_image(args.image)
    if args.host:
        build.use_host()
    if args.variable:
        build.use_variables(*args.variable)
    for path in args.byproduct:
        build.byproduct(artifact_of(path, "file"))


def _environment(args: argparse.Namespace) -> Environment | None:
    """Give the environment whose packages are recorded: the command's own, and no other."""
    from glasswing_attest.artifact.environment import Environment
    from glasswing_attest.capture.program import environment_of

    if not args.packages:
        for option in ("prefix", "lock"):
            if getattr(args, option) is not None:
                raise UsageError(where=f"--{option}", wanted="--packages beside it")
        return None
    return environment_of(args.command[0]) if args.prefix is None else Environment(args.prefix)


def _lock(args: argparse.Namespace) -> Lock | None:
    from glasswing_attest.artifact.lock import Lock

    return None if args.lock is None else Lock.load(args.lock)


def _refuse_to_dirty(checkouts: Sequence[str], args: argparse.Namespace) -> None:
    """Refuse what would lie in a checkout as a change that is in no commit, before hours were spent on making it."""
    from glasswing_attest.artifact.source import Source

    outputs = [(f"--output {path}", path) for _, path in (_pair(w, "--output", KINDS) for w in args.output)]
    for where, path in (*outputs, *((f"--byproduct {path}", path) for path in args.byproduct)):
        # What is there already is looked at with the rest of the checkout.
        is_new = where.startswith("--output") or not os.path.lexists(path)
        if is_new and not all(Source(checkout).stays_clean_with(path) for checkout in checkouts):
            raise UsageError(
                where=where,
                because="it would lie in the checkout that is recorded, as a change that is not committed",
                do="add it to .gitignore, or write it elsewhere",
            )


_USABLE = ("code", "dataset", "baseModel", "checkpoint", "dependency", "tool")
_KIND_OF_ROLE = {"code": "code", "dataset": "dataset", "baseModel": "model", "checkpoint": "model"}


def _input(role: str, path: str) -> Artifact:
    # A tool or dependency is a file, or else a tree like any other.
    return artifact_of(path, _KIND_OF_ROLE.get(role) or ("dataset" if Path(path).is_dir() else "file"))


def _is_checkout(path: Path) -> bool:
    # As `Source` finds it. A .git that leads nowhere is refused there, and not passed over here.
    return any(os.path.lexists(folder / ".git") for folder in (path, *path.parents))


# --- the command -----------------------------------------------------------------------------------------------------


_STDERR = 2


def _run(command: Sequence[str], *, stdout: int | None, hidden: Collection[str]) -> None:
    # The passphrase of the key is no business of the command's.
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    try:
        code = subprocess.run(command, stdout=stdout, env=environ, check=False).returncode
    except (OSError, ValueError) as e:
        because = getattr(e, "strerror", None) or str(e)
        raise UsageError(where=command[0], because=because, do="name a program that can be run, after --") from e
    if code:
        # What a shell gives for a program that a signal ended.
        raise _Failed(code if code > 0 else 128 - code)


# --- what is told ----------------------------------------------------------------------------------------------------


def _notes(args: argparse.Namespace, build: Build) -> list[str]:
    """Say what a reader of this provenance will stumble over."""
    if not args.from_environment:
        return []
    notes: list[str] = []
    found = build.provenance()
    code = [d for d in found.resolved_dependencies if d.annotations.get("role") == "code"]
    declared = [d for d in code if d.annotations.get("declared")]
    measured = [d.digest.get("gitCommit") for d in code if d not in declared]
    if declared and any(measured):
        said = declared[0].digest.get("gitCommit")
        there = ", ".join(shown(commit) for commit in measured if commit)
        notes.append(f"the platform says commit {said}, the checkout is at {there}: the provenance names both as code")
    if not args.builder:
        notes.append(
            f"builder.id {shown(found.builder_id)} is the platform's own, and your key signs it: verifiers should"
            " accept it from the platform's own signer only. Give your builder an id of its own with --builder"
        )
    return notes


def _text(build: Build, targets: Sequence[Path]) -> str:
    made = "".join(f"made:     {m.kind} {shown(m.name)}  {m.digests.identity[0]}\n" for m in build.outputs)
    inputs = build.provenance().resolved_dependencies
    counted = f"inputs:   {len(inputs)}\n"
    return made + counted + "".join(f"written:  {shown(str(target))}\n" for target in targets)


def _data(build: Build, attested: Attestation, targets: Sequence[Path]) -> dict[str, object]:
    return {
        "subjects": [summary(manifest) for manifest in build.outputs],
        "predicateType": attested.statement_unverified.predicate_type,
        "statementSha256": attested.payload_digest,
        "invocationId": build.provenance().invocation_id,
        "paths": [str(target) for target in targets],
    }
