"""``replay``: how was it decided then?"""

from __future__ import annotations

import argparse

from glasswing_attest._cli.output import Output
from glasswing_attest._cli.pages import add_pages, require_pages, write_pages
from glasswing_attest._cli.verify import add_opaque, opaque_types, tell

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "verify a kept case again, at its own time"
DESCRIPTION = """\
Verify again what `verify --case` kept, with the policy, the trust and the time that the case holds. The verdict is
computed anew. A case made by a stranger holds the stranger's policy and trust: compare their digests with yours.
"""
EPILOG = """\
examples:
  glasswing-attest replay decision.zip
  glasswing-attest replay --html report.html decision.zip
  glasswing-attest replay --opaque https://example.com/checked/v1 decision.zip
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_opaque(parser)
    add_pages(parser)
    parser.add_argument("case", metavar="CASE", help="what `verify --case` wrote")


def run(args: argparse.Namespace, output: Output) -> int:
    """Replay the case, tell the report, and give 0 for a yes and for nothing else."""
    from glasswing_attest import _api

    require_pages(args, args.case)
    report = _api.replay(args.case, predicates=opaque_types(args.opaque, output))
    output.note("replayed with what the case itself holds:")
    output.note(f"  policy sha256:{report.policy.digest}")
    output.note(f"  trust  sha256:{report.trust.digest}")
    write_pages(report, args)
    return tell(report, output)
