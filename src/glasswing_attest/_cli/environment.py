"""``environment``: what is installed, from what could it be installed again, and is it what it should be?"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from glasswing_attest._cli.artifacts import summary
from glasswing_attest._cli.exits import NO, YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.progress import progress
from glasswing_attest.errors import UsageError, shown

if TYPE_CHECKING:
    from glasswing_attest.artifact.lock import Lock
    from glasswing_attest.artifact.wheel import Wheel
    from glasswing_attest.findings import Finding
    from glasswing_attest.records.dependencies import DependencyRecord

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "record, lock or check an installed Python environment"
DESCRIPTION = """\
record  say which packages are installed, as the JSON of a record that `attest` signs; with --of-lock, say what a lock
        file says
lock    write the lock file (pylock.toml) from which exactly this environment, or a recorded one, is installed again
check   hold the environment against a lock file or a record: 0 where nothing speaks against it (--strict: where all
        is proved)
The environment is read, never run.
"""
EPILOG = """\
examples:
  glasswing-attest environment record --prefix .venv --lock pylock.toml --out env.json
  glasswing-attest attest --key ci.key --kind dependency --predicate env.json \\
      --predicate-type https://glasswing-attest.readthedocs.io/predicates/dependencies/v1 .venv
  glasswing-attest environment lock --record env.json --out pylock.exact.toml
  glasswing-attest environment check --prefix .venv --lock pylock.toml --wheels wheelhouse/ --also pip
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=tuple(_ACTIONS))
    parser.add_argument("--prefix", metavar="DIR", help="the environment; default: the one that runs this")
    parser.add_argument("--lock", metavar="FILE", help="a lock file (pylock.toml), which knows the digests")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME", help="an extra that was installed")
    parser.add_argument("--group", action="append", metavar="NAME", help="a dependency group that was installed")
    parser.add_argument("--wheels", metavar="DIR", help="a directory of wheels, to compare what is installed with")
    parser.add_argument("--of-lock", metavar="FILE", help="record: what this lock file says, and no environment")
    parser.add_argument("--record", metavar="FILE", help="lock, check: a record as JSON, whose origin you know")
    parser.add_argument("--name", help="record: what to call the environment")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="lock: leave a package out")
    parser.add_argument("--requirements", action="store_true", help="lock: write requirements with hashes instead")
    parser.add_argument(
        "--also", action="append", default=[], metavar="NAME", help="check: a package that may be there besides"
    )
    parser.add_argument("--strict", action="store_true", help="check: a warning is a no")
    parser.add_argument("--out", metavar="FILE", help="record, lock: write to a new file instead of stdout")


_ONLY = {
    "of_lock": ("record",),
    "name": ("record",),
    "record": ("lock", "check"),
    "without": ("lock",),
    "requirements": ("lock",),
    "also": ("check",),
    "strict": ("check",),
    "out": ("record", "lock"),
}


def run(args: argparse.Namespace, output: Output) -> int:
    """Do one of the three."""
    for option, actions in _ONLY.items():
        if getattr(args, option) and args.action not in actions:
            raise UsageError(where=f"--{option.replace('_', '-')}", wanted=f"it with {' or '.join(actions)} only")
    return _ACTIONS[args.action](args, output)


def _record(args: argparse.Namespace, output: Output) -> int:
    from glasswing_attest.artifact.lock import Lock
    from glasswing_attest.records.dependencies import DependencyRecord

    if args.of_lock is not None:
        for other in ("prefix", "lock", "wheels"):
            if getattr(args, other) is not None:
                raise UsageError(where=f"--{other}", because="--of-lock is about the lock file alone")
        with callers_to_mend():
            record = DependencyRecord.from_lock(Lock.load(args.of_lock), name=args.name)
    else:
        record = _recorded(args, output)
    text = json.dumps(record.to_predicate(), indent=2, ensure_ascii=False) + "\n"
    _written(args, output, text, {"record": record.to_predicate()})
    return YES


def _lock(args: argparse.Namespace, output: Output) -> int:
    record = _recorded(args, output) if args.record is None else _read(args)
    text = record.to_requirements(without=args.without) if args.requirements else record.to_pylock(without=args.without)
    _written(args, output, text, {"requirements" if args.requirements else "pylock": text})
    return YES


def _check(args: argparse.Namespace, output: Output) -> int:
    from glasswing_attest.appraisal.dependencies import check
    from glasswing_attest.artifact.environment import Environment
    from glasswing_attest.findings import Tier, worst

    if (args.lock is None) == (args.record is None):
        raise UsageError(where="check", wanted="either --lock or --record")
    wanted = _read(args) if args.lock is None else _the_lock(args)
    wheels = _wheels(args)
    with progress(output) as told:
        installed = Environment(args.prefix).read(progress=told)
    findings = check(installed, wanted, wheels=wheels, also=args.also)
    tier = worst(findings)
    answer = YES if tier is Tier.AFFIRMING or (tier is Tier.WARNING and not args.strict) else NO
    data = {
        "environment": summary(installed.manifest),
        "tier": tier.value,
        "findings": [_finding_data(finding) for finding in findings],
    }
    output.result("" if output.quiet else "".join(_told(findings, tier)), data)
    return answer


_ACTIONS = {"record": _record, "lock": _lock, "check": _check}


def _recorded(args: argparse.Namespace, output: Output) -> DependencyRecord:
    from glasswing_attest.artifact.environment import Environment
    from glasswing_attest.records.dependencies import DependencyRecord

    if args.wheels is not None and args.lock is None:
        raise UsageError(where="--wheels", wanted="--lock beside it")
    lock = None if args.lock is None else _the_lock(args)
    wheels = _wheels(args)
    with progress(output) as told:
        installed = Environment(args.prefix).read(progress=told)
    name = getattr(args, "name", None)
    return DependencyRecord.from_environment(installed, name=name, lock=lock, wheels=wheels)


def _the_lock(args: argparse.Namespace) -> Lock:
    from glasswing_attest.artifact.lock import Lock

    with callers_to_mend():
        return Lock.load(args.lock).choosing(args.extra, args.group)


def _wheels(args: argparse.Namespace) -> tuple[Wheel, ...]:
    from glasswing_attest.artifact.wheel import wheels_in

    return () if args.wheels is None else wheels_in(args.wheels)


def _read(args: argparse.Namespace) -> DependencyRecord:
    from glasswing_attest._files import read_bounded
    from glasswing_attest._wire import read_json
    from glasswing_attest.records.dependencies import DependencyRecord

    data = read_bounded(args.record, "record_bytes", error=UsageError)
    with callers_to_mend():
        return DependencyRecord.from_predicate(read_json(data, where=args.record, bound="record_bytes"))


def _written(args: argparse.Namespace, output: Output, text: str, data: dict[str, object]) -> None:
    from glasswing_attest._files import write_atomic

    if args.out is None:
        output.result(text, data)
        return
    write_atomic(Path(args.out), text.encode("utf-8"), overwrite=False)
    output.result("" if output.quiet else f"written: {shown(args.out)}\n", {**data, "path": args.out})


def _finding_data(finding: Finding) -> dict[str, str]:
    fields = ("code", "subject", "found", "wanted", "do")
    return {"tier": finding.tier.value} | {name: getattr(finding, name) for name in fields if getattr(finding, name)}


def _told(findings: tuple[Finding, ...], tier: str) -> list[str]:
    """Say the worst first; what is affirmed is counted, and so is a warning that is given again and again."""
    counts = Counter(finding.tier.value for finding in findings)
    ordered = sorted(findings, key=lambda f: (-f.tier.severity, f.code, f.wanted, f.do, f.subject))
    lines: list[str] = []
    for (tier_of, code, wanted, do), group in groupby(ordered, key=lambda f: (f.tier.value, f.code, f.wanted, f.do)):
        same = list(group)
        if tier_of == "warning" and len(same) > _NAMED:
            names = ", ".join(finding.subject for finding in same[:_NAMED])
            more = f"{names}, and {len(same) - _NAMED} more"
            lines.append(f"{tier_of}: {code}, {len(same)} times: {more} (wanted {wanted}). {do}\n")
        elif tier_of != "affirming":
            lines += [f"{tier_of}: {finding}\n" for finding in same]
    proved = counts.pop("affirming", 0)
    others = "".join(f", {count} {name}" for name, count in sorted(counts.items()))
    return [*lines, f"{tier}: {proved} packages proved{others}\n"]


_NAMED = 3
