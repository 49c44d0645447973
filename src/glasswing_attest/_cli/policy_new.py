"""``policy new``: what would a policy for this look like?"""

from __future__ import annotations

import argparse
import json
import shlex

from glasswing_attest._cli.exits import YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest.errors import UsageError

__all__ = ["HELP", "add_arguments", "run"]

HELP = "write a ready policy, with comments; without a name, list them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the action's arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="which one; NAME --help tells its options")
    # Its options are not known before it is: looking them up would slow down every other command.
    parser.add_argument("options", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(args: argparse.Namespace, output: Output) -> int:
    """Write the policy to stdout."""
    from glasswing_attest._complaints import suggestion
    from glasswing_attest.policies.catalogue import READY

    if args.name is None:
        wide = max(map(len, READY))
        listed = "".join(f"{name:{wide}}  {ready.about}\n" for name, ready in READY.items())
        output.result(listed, {"policies": {name: ready.about for name, ready in READY.items()}})
        return YES
    ready = READY.get(args.name)
    if ready is None:
        wanted, advice = f"one of {', '.join(READY)}", suggestion(args.name, READY)
        raise UsageError(where="policy new", found=args.name, wanted=wanted, do=advice)
    command = f"glasswing-attest policy new {ready.name}"
    parser = type(args.parser)(prog=command, description=ready.about, allow_abbrev=False)
    for shared in ("--json", "--quiet", "--debug"):  # read by whoever writes, wherever they stand
        parser.add_argument(shared, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    for parameter in ready.parameters:
        parser.add_argument(
            f"--{parameter.name.replace('_', '-')}",
            action="append",
            default=[],
            required=parameter.required,
            metavar="X",
            help=f"{parameter.about}{' May be repeated.' if parameter.repeatable else ''}".replace("%", "%%"),
        )
    words = {name: texts for name, texts in vars(parser.parse_args(args.options)).items() if isinstance(texts, list)}
    with callers_to_mend():
        policy = ready.made(words)
    told = [f"--{name.replace('_', '-')} {shlex.quote(text)}" for name, texts in words.items() for text in texts]
    text = ready.written(policy, command=" ".join([command, *told]))
    output.result(text, {"policy": json.loads(policy.to_json()), "sha256": policy.digest, "yaml": text})
    return YES
