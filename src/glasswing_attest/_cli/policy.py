"""``policy``: is this policy sound, and what may one say?"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from glasswing_attest._cli import policy_new, policy_test
from glasswing_attest._cli.exits import NO, YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest.errors import counted, shown

if TYPE_CHECKING:
    from glasswing_attest.policy.policy import Policy

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

_WHOLE = 1 << 10  # characters: a place and a condition may be long

HELP = "check a policy, and tell an editor what one may say"
DESCRIPTION = """\
new NAME     write a ready policy, with comments; without NAME, list them
check FILE   read the policy, as verify would, and warn of what it says that may not be meant. Nothing is verified.
test DIR     ask every case of a folder, and hold the answers against those that are expected
schema       print the JSON Schema of policies, for editors
"""
EPILOG = """\
examples:
  glasswing-attest policy new github-release --repository acme/train >policy.yaml
  glasswing-attest policy check --trust trust.yaml policy.yaml
  glasswing-attest policy test --policy policy.yaml --trust trust.yaml tests/
  glasswing-attest policy schema >policy.schema.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(title="actions", metavar="new|check|test|schema", required=True)
    policy_new.add_arguments(_added(actions, "new", policy_new.run, policy_new.HELP))
    check = _added(actions, "check", _check, "read a policy, and warn of what may not be meant")
    check.add_argument("--trust", metavar="T", help="does this trust have every name that the policy says?")
    check.add_argument("--strict", action="store_true", help="a warning is a no")
    check.add_argument("file", metavar="FILE", help="a policy in YAML, TOML or JSON")
    policy_test.add_arguments(_added(actions, "test", policy_test.run, policy_test.HELP))
    _added(actions, "schema", _schema, "print the JSON Schema of policies, for editors")


def _added(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    act: Callable[[argparse.Namespace, Output], int],
    words: str,
) -> argparse.ArgumentParser:
    found = actions.add_parser(name, help=words, description=words, allow_abbrev=False)
    for shared in ("--json", "--quiet", "--debug"):  # read by whoever writes, wherever they stand
        found.add_argument(shared, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    found.set_defaults(act=act)
    return found


def run(args: argparse.Namespace, output: Output) -> int:
    """Do what was asked."""
    act: Callable[[argparse.Namespace, Output], int] = args.act
    return act(args, output)


def _check(args: argparse.Namespace, output: Output) -> int:
    from glasswing_attest.policy.lint import lint
    from glasswing_attest.policy.policy import Policy

    with callers_to_mend():
        policy = Policy.load(args.file)
        policy.require_readable()
        if args.trust is not None:
            _require_named(policy, args.trust)
    findings = lint(policy, at=datetime.now(UTC))
    told = [f"{shown(str(f.rule), _WHOLE)}: {f.found}. {f.do[:1].upper()}{f.do[1:]}" for f in findings]
    data = {
        "policy": {"sha256": policy.digest},
        "findings": [{**dataclasses.asdict(f), "tier": str(f.tier)} for f in findings],
    }
    summary = f"{shown(args.file, _WHOLE)}: a policy, with {counted(len(findings), 'warning')}"
    output.result("".join(f"{line}\n" for line in (*told, summary)), data)
    return NO if findings and args.strict else YES


def _require_named(policy: Policy, trust: str) -> None:
    """Refuse a policy that names what the trust lacks, as a verifier does. Predicate types of others are no matter."""
    from glasswing_attest._api import Verifier
    from glasswing_attest.claims import BUILT_IN, opaque
    from glasswing_attest.trust.root import Trust

    known = {kind.uri for kind in BUILT_IN}
    others = {requirement.predicate for _, requirement in policy.requirements} - known
    Verifier(policy=policy, trust=Trust.load(trust), predicates=tuple(map(opaque, sorted(others))))


def _schema(_args: argparse.Namespace, output: Output) -> int:
    from glasswing_attest.policy.schema import shipped

    text = shipped()
    output.result(text, json.loads(text))
    return YES
