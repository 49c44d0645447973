"""``policy test``: does the policy say what was meant?"""

from __future__ import annotations

import argparse

from glasswing_attest._cli.exits import NO, YES, callers_to_mend
from glasswing_attest._cli.output import Output

__all__ = ["HELP", "add_arguments", "run"]

HELP = "ask every case of a folder, and hold the answers against those that are expected"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the action's arguments."""
    parser.add_argument("--policy", metavar="P", help="for the cases that name no policy")
    parser.add_argument("--trust", metavar="T", help="for the cases that name no trust")
    parser.add_argument("--strict", action="store_true", help="a warning is a no")
    parser.add_argument("directory", metavar="DIR", help="where the cases are: NAME.case.json, case.yaml, …")


def run(args: argparse.Namespace, output: Output) -> int:
    """Run the cases, tell the table, and give 0 only where each got the answer that it expects."""
    from glasswing_attest.policy.policy import Policy
    from glasswing_attest.policy_tests import run_policy_tests
    from glasswing_attest.trust.root import Trust

    with callers_to_mend():
        tests = run_policy_tests(
            args.directory,
            policy=None if args.policy is None else Policy.load(args.policy),
            trust=None if args.trust is None else Trust.load(args.trust),
        )
    passed = tests.passed and not (args.strict and tests.findings)
    output.result("" if output.quiet else tests.to_text(), {**tests.to_dict(), "exit": YES if passed else NO})
    if output.quiet and not output.as_json:
        for result in tests.failed:
            output.complain(f"{result.case.file}: {'; '.join(map(str, result.differences))}")
        for finding in tests.findings if args.strict else tests.problems:
            output.complain(f"{finding.subject}: {finding.found}")
    return YES if passed else NO
