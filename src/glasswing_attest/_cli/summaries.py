"""Who signs what a verification concluded, and where is it written?"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glasswing_attest._cli import passphrase
from glasswing_attest._cli.artifacts import refuse_to_spoil, refuse_within
from glasswing_attest._cli.exits import callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.signers import key_signer
from glasswing_attest.errors import UsageError, shown

if TYPE_CHECKING:
    from glasswing_attest.report.report import Report
    from glasswing_attest.signing.key import KeySigner

__all__ = ["add_summary", "summary_signer", "write_summary"]

_NEEDED = ("signer", "verifier", "resource")


def add_summary(parser: argparse.ArgumentParser) -> None:
    """Add ``--summary`` and what goes with it."""
    group = parser.add_argument_group("verification summary")
    group.add_argument(
        "--summary", metavar="OUT", help="sign what was concluded; needs --signer, --verifier and --resource"
    )
    group.add_argument("--signer", metavar="KEY", help="the verifier's private key: a PEM file, or a URI")
    group.add_argument("--verifier", metavar="URI", help="who verifies")
    group.add_argument("--resource", metavar="URI", help="from where the artifact is fetched")
    group.add_argument("--policy-uri", metavar="URI", help="where the policy lies; default: a name by its digest")
    group.add_argument(
        "--property", action="append", metavar="NAME", help="what else was verified, in your own words; may be repeated"
    )
    passphrase.add_arguments(parser)


def summary_signer(args: argparse.Namespace, artifact: str | None) -> KeySigner | None:
    """Give who will sign, before anything is verified; None where no summary is asked for.

    Raises:
        UsageError: something is missing, or `artifact` or evidence would be written over.
        SigningError: there is no usable key.
    """
    given = {name for name in (*_NEEDED, "policy_uri", "property") if getattr(args, name) is not None}
    if args.summary is None:
        if given:
            raise UsageError(where=f"--{min(given).replace('_', '-')}", wanted="--summary OUT beside it")
        return None
    if missing := [name for name in _NEEDED if name not in given]:
        raise UsageError(where="--summary", wanted=f"{' and '.join(f'--{name}' for name in missing)} beside it")
    if args.at is not None:
        because = "a summary tells what holds when it is verified"
        raise UsageError(where="--summary", because=because, do="verify again, without --at")
    target = Path(args.summary)
    refuse_within(target, artifact or os.devnull, "--summary")
    refuse_to_spoil(target, "--summary")
    from glasswing_attest.report.vsa import require_sayable

    with callers_to_mend():
        require_sayable(**_said(args))
        return key_signer(args.signer, args)


def write_summary(report: Report, signer: KeySigner | None, args: argparse.Namespace, output: Output) -> None:
    """Sign the summary of an accepted report, and write it. Of a no there is none."""
    if signer is None:
        return
    if not report.accepted:
        output.note("no summary: there is none of a no")
        return
    from glasswing_attest import _api

    target = Path(args.summary)
    if report.artifact.location is not None:
        refuse_within(target, report.artifact.location, "--summary")  # a checkout may begin above the path given
    with callers_to_mend():
        summary = report.summary(**_said(args))
        made = _api.attest(report.artifact, summary, signer=signer)
    made.write(target)
    output.note(f"summary: {', '.join(summary.levels)}; written: {shown(str(target))}")


def _said(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "verifier": args.verifier,
        "resource": args.resource,
        "policy_uri": args.policy_uri or "",
        "properties": args.property or (),
    }
