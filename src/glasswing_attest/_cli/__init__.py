"""WHAT DOES A SHELL SEE? The command ``glasswing-attest``: arguments in, words or JSON out, and one exit code.

The only place that prints. Nothing is configured by files or variables that nobody named: what decides stands on the
command line. Whatever happens, the exit code is 0 only where a command did what it was asked, and for ``verify`` and
``replay`` only where the verdict is a yes.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from glasswing_attest._cli import (
    attest,
    convert,
    describe,
    digest,
    endorse,
    environment,
    inspect,
    keygen,
    oms,
    policy,
    prove,
    replay,
    run,
    store,
    verify,
)
from glasswing_attest._cli.exits import INTERRUPTED, MISUSE, NO, YES, Misused, exit_code
from glasswing_attest._cli.output import NotWritten, Output
from glasswing_attest._version import __version__
from glasswing_attest.errors import GlasswingError, UsageError

__all__ = ["main"]

PROGRAM = "glasswing-attest"

_EPILOG = """\
exit codes:
  0  yes: accepted, or done
  1  no: refused, malformed evidence, a limit exceeded, or something unforeseen
  2  misuse: wrong arguments, an unusable policy, trust, key or artifact
  3  unavailable: something that is needed could not be had, or has expired

examples:
  glasswing-attest keygen trainer.key
  glasswing-attest attest --key trainer.key --record model --name iris --license MIT model/
  glasswing-attest verify --policy policy.yaml --trust trust.yaml model/
"""


_OPTION = re.compile(r"--[a-z][a-z-]+")
_CHOICE = re.compile(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", re.S)


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print before it leaves, so that a wrong call is told like every other failure."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Keep the words, for what is told of a wrong one."""
        self._words = tuple(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        from glasswing_attest._complaints import suggestion

        command, advice = self.prog.removeprefix(PROGRAM).strip(), f"see `{self.prog} --help`"
        # With a slip of the pen in an option, what else is missing says nothing.
        if message.startswith("the following arguments are required") and (strange := self._strange(self._words)):
            message = f"unrecognized arguments: {strange}"
        strange = self._strange(message.split()) if message.startswith("unrecognized") else ""
        # The dashes, which all have in common, make nothing alike.
        if strange and (meant := suggestion(strange[2:], [option[2:] for option in self._option_string_actions])):
            advice = f"{meant.replace('mean ', 'mean --')} See{advice.removeprefix('see')}"
        if choice := _CHOICE.fullmatch(message):
            what, found, known = choice[1], choice[2], re.findall(r"[\w./-]+", choice[3])
            where = " ".join(filter(None, (command, what if what.startswith("-") else "")))
            if meant := suggestion(found, known):
                advice = f"{meant} See{advice.removeprefix('see')}"
            raise Misused(UsageError(where=where, found=found, wanted=f"one of {', '.join(known)}", do=advice))
        raise Misused(UsageError(where=command, because=message, do=advice))

    def _strange(self, words: Iterable[str]) -> str:
        """Give the first option among the words that there is not; "" where all are known."""
        # What stands after -- is another program's.
        options = (word.partition("=")[0] for word in itertools.takewhile(lambda w: w != "--", words))
        return next((o for o in options if _OPTION.fullmatch(o) and o not in self._option_string_actions), "")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code. Never raises, and never leaves the process."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Known before the arguments are: a wrong call is told in the form that was asked for.
    # What stands after -- is another program's.
    ours = words[: words.index("--")] if "--" in words else words
    output = Output(as_json="--json" in ours, quiet="--quiet" in ours, debug="--debug" in ours)
    code = NO
    try:
        with output.logging():
            code = _answer(words, output)
        output.flush()
    except NotWritten as e:
        output.abandon()
        # Who stopped reading knows it.
        if not isinstance(e.__cause__, BrokenPipeError):
            output.complain(f"{PROGRAM}: the result cannot be written ({e.__cause__})")
        # A no stays a no; a yes that nobody could be told is none.
        code = code or NO
    return code


def _answer(words: Sequence[str], output: Output) -> int:
    try:
        args, unknown = _parser().parse_known_args(words)
        if unknown:  # told by the command, whose own help says what it takes
            args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        run: Callable[[argparse.Namespace, Output], int] = args.run
        return run(args, output)
    except SystemExit as e:  # argparse leaves after --help and --version
        return YES if e.code in (None, 0) else MISUSE
    except Misused as e:
        return _failed(output, e.error, MISUSE)
    except GlasswingError as e:
        return _failed(output, e, exit_code(e))
    except KeyboardInterrupt:
        output.complain(f"{PROGRAM}: interrupted")
        return INTERRUPTED
    except NotWritten:
        raise
    except Exception as e:  # noqa: BLE001  # the last resort: whatever happens, it is no yes and no traceback
        output.trace(e)
        text = f"something unforeseen happened ({type(e).__name__}: {e})"
        advice = "run it again with --debug, and report it"
        data = {"code": "internal", "step": "cli", "message": text, "do": advice}
        return output.failed(data, f"{PROGRAM}: {text}. {advice.capitalize()} [internal]", NO)


def _failed(output: Output, error: GlasswingError, code: int) -> int:
    output.trace(error)
    return output.failed(error.to_dict(), f"{PROGRAM}: {error}", code)


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False, allow_abbrev=False)
    shared = common.add_argument_group("output")
    # SUPPRESS, so that the default of a command does not undo what stands before it.
    shared.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON value on stdout, errors included"
    )
    shared.add_argument(
        "--quiet", action="store_true", default=argparse.SUPPRESS, help="no progress, no notes, no report in words"
    )
    shared.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="log, and show tracebacks, on stderr"
    )
    parser = _Parser(
        prog=PROGRAM,
        description="Attest and verify the supply chain of AI software.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (
        keygen,
        digest,
        describe,
        attest,
        endorse,
        run,
        verify,
        prove,
        replay,
        policy,
        inspect,
        convert,
        environment,
        store,
        oms,
    ):
        name = command.__name__.rpartition(".")[2]
        added = commands.add_parser(
            name,
            help=command.HELP,
            description=command.DESCRIPTION,
            epilog=command.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            parents=[common],
        )
        command.add_arguments(added)
        added.set_defaults(run=command.run, parser=added)
    return parser
