"""``verify``: does it hold?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from glasswing_attest._cli.artifacts import KINDS, add_exclude, artifact_of, refuse_within, sidecar
from glasswing_attest._cli.exits import NO, YES, callers_to_mend, exit_code, told_expiry
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.pages import add_pages, require_pages, write_pages
from glasswing_attest._cli.progress import progress
from glasswing_attest._cli.summaries import add_summary, summary_signer, write_summary
from glasswing_attest.errors import UsageError, shown

if TYPE_CHECKING:
    from glasswing_attest.artifact.manifest import Manifest
    from glasswing_attest.chain.seen import Seen
    from glasswing_attest.claims import PredicateType
    from glasswing_attest.report.report import Report

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "add_opaque", "opaque_types", "run", "tell"]

_TOLD = 3
"""So many names are told."""

HELP = "prove an artifact's chain by a policy"
DESCRIPTION = """\
Digest ARTIFACT and prove by the evidence what the policy asks for. Policy and trust are read from where you say, and
nowhere else. Evidence is untrusted, wherever it lies: without --evidence it is <ARTIFACT>.attestations.jsonl.
"""
EPILOG = """\
examples:
  glasswing-attest verify --policy policy.yaml --trust trust.yaml model/
  glasswing-attest verify --policy policy.yaml --trust trust.yaml --evidence evidence/ --case decision.zip model/
  glasswing-attest verify --policy policy.yaml --trust trust.yaml --html report.html model/
  glasswing-attest verify --policy policy.yaml --trust trust.yaml --summary summary.json --signer verifier.key \\
      --verifier https://verifier.example --resource https://models.example/iris model/
  glasswing-attest verify --policy policy.yaml --trust trust.yaml --evidence run.json --kind model --digest sha256:…
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--policy", required=True, metavar="P", help="who may say what: YAML, TOML or JSON")
    parser.add_argument("--trust", required=True, metavar="T", help="which keys are believed: YAML, TOML or JSON")
    parser.add_argument(
        "--evidence",
        action="append",
        metavar="PATH",
        help="a bundle, an envelope, JSON lines, a set, or a directory of these; may be repeated",
    )
    # Not guessed from what lies there: the kind chooses the policy's rules, and whoever made the artifact chose what
    # lies there.
    parser.add_argument("--kind", metavar="K", help=f"{', '.join(KINDS)}, …; default: model, whatever lies there")
    add_exclude(parser)
    parser.add_argument("--at", metavar="TIME", help="hold claimed times and windows against this time, not now")
    parser.add_argument(
        "--revocations", metavar="FILE", help="the signed revocation list, once the trust says who signs one"
    )
    parser.add_argument(
        "--revocations-seen", metavar="N", type=int, default=0, help="refuse a list of a lower version than this"
    )
    parser.add_argument(
        "--second-opinion", action="store_true", help="sigstore-python must agree too, where it can say"
    )
    parser.add_argument(
        "--seen",
        metavar="FILE",
        help="refuse what is older than was accepted before, as FILE says; a yes is added to it",
    )
    parser.add_argument(
        "--name", metavar="NAME", help="what to call it, wherever it lies; --seen keeps it by that name"
    )
    add_opaque(parser)
    parser.add_argument("--case", metavar="FILE", help="keep everything that decided in a zip file, for replay")
    add_pages(parser)
    add_summary(parser)
    parser.add_argument(
        "--digest",
        action="append",
        metavar="ALGO:HEX",
        help="instead of ARTIFACT: bytes that nobody reads here; needs --kind, and a policy that allows it",
    )
    parser.add_argument(
        "--part", metavar="NAME", help="ARTIFACT is this one file of the directory that has --digest; needs --proof"
    )
    parser.add_argument("--proof", metavar="P", help="what `prove` wrote for the file of --part")
    parser.add_argument("artifact", metavar="ARTIFACT", nargs="?", help="a directory, a file or a git checkout")


def run(args: argparse.Namespace, output: Output) -> int:
    """Assess, tell the report, and give 0 for a yes and for nothing else."""
    from glasswing_attest._api import Verifier
    from glasswing_attest.chain.seen import Seen
    from glasswing_attest.policy.policy import Policy
    from glasswing_attest.trust.root import Trust
    from glasswing_attest.verification.opinion import SigstoreOpinion

    if args.part is None and (args.artifact is None) == (args.digest is None):
        raise UsageError(where="verify", wanted="either ARTIFACT or --digest")
    if (args.part is None) != (args.proof is None) or (args.part is not None and None in (args.artifact, args.digest)):
        raise UsageError(where="verify", wanted="--part and --proof together, the file, and --digest of the whole")
    for option, path in (("--case", args.case), ("--seen", args.seen)):
        if path is not None:
            refuse_within(Path(path), args.artifact or os.devnull, option)
    require_pages(args, args.artifact, beside=("case", "seen", "summary"))
    signer = summary_signer(args, args.artifact)
    with callers_to_mend():
        verifier = Verifier(
            policy=Policy.load(args.policy),
            trust=Trust.load(args.trust),
            revocations=None if args.revocations is None else _revocations(Path(args.revocations)),
            revocations_seen=args.revocations_seen,
            second_opinion=SigstoreOpinion() if args.second_opinion else None,
            predicates=opaque_types(args.opaque, output),
        )
        at = _at(args.at)
        # The first time there is no file; one that is there and cannot be read is never taken for none.
        seen = None if args.seen is None else Seen.load(args.seen) if os.path.lexists(args.seen) else Seen()
        declared = None if args.digest is None else _declared(args)
    evidence = _evidence(args, output)
    expiry = told_expiry(policy=args.policy, trust=args.trust)
    if declared is not None:
        with expiry:
            report = verifier.assess(declared, evidence, at=at, seen=seen)
    else:
        kind = args.kind or "model"
        if kind not in KINDS:
            because = "only these can be digested"
            raise UsageError(where="--kind", found=kind, wanted=f"one of {', '.join(KINDS)}", because=because)
        artifact = artifact_of(args.artifact, kind, args.exclude, args.name)
        with progress(output) as told, expiry:
            report = verifier.assess(artifact, evidence, at=at, seen=seen, progress=told)
    if args.case is not None:
        report.case(args.case)
    shown_report = report
    if args.part is not None and report.accepted:
        shown_report = _with_part(report, args.part, args.artifact, args.proof)
    write_pages(shown_report, args)
    if args.seen is not None and report.accepted:
        _tell_seen(report.seen_before or Seen(), report, args.seen, output)
        report.seen.write(args.seen)
    write_summary(report, signer, args, output)
    return tell(shown_report, output)


def _with_part(report: Report, name: str, path: str, proof: str) -> Report:
    """Read one file of what was accepted to its end, and have the report say so. Raises where it does not belong."""
    from glasswing_attest.artifact.proofs import InclusionProof
    from glasswing_attest.findings import Finding, Tier

    proved = InclusionProof.load(proof)
    size = 0
    with report.open_part(name, path, proved) as part:
        while chunk := part.read(1 << 20):
            size += len(chunk)
    # It was read to its end, so that it has the digest that the proof tells.
    digest = getattr(proved.entry, "sha256", "")
    found = f"sha256:{digest} of {size} bytes, at {shown(path)}"
    finding = Finding(code="artifact.part", tier=Tier.AFFIRMING, subject=f"file {name}", found=found)
    return replace(report, findings=(*report.findings, finding))


def _tell_seen(before: Seen, report: Report, path: str, output: Output) -> None:
    """Say where ``--seen`` was asked under another name than before: nothing older would have been refused."""
    asked = (report.artifact.kind, report.artifact.name)
    known = {(each.kind, each.name) for each in before.sightings}
    this, *others = (shown(" ".join(each)) for each in (asked, *sorted(known)))
    if known and asked not in known:
        more = ", …" if len(others) > _TOLD else ""
        told = f"{', '.join(others[:_TOLD])}{more}"
        output.note(
            f"--seen: {this} is the first of its name, and was compared with nothing: {shown(path)} knows {told}. "
            "If it is one of these, call it so: --name NAME"
        )


def add_opaque(parser: argparse.ArgumentParser) -> None:
    """Add ``--opaque``."""
    parser.add_argument(
        "--opaque",
        action="append",
        default=[],
        metavar="URI",
        help="this predicate type of your own is known, read as it is, and draws no edges; may be repeated",
    )


def opaque_types(uris: Sequence[str], output: Output) -> tuple[PredicateType, ...]:
    """Give the predicate types that are read as they are, and say so.

    Raises:
        UsageError: no URI, or a type that is read here: its edges would be lost.
    """
    from glasswing_attest.claims import BUILT_IN, opaque

    known = {kind.uri for kind in BUILT_IN}
    for uri in uris:
        if ":" not in uri:
            raise UsageError(where="--opaque", found=uri, wanted="a predicate type's URI")
        if uri in known:
            raise UsageError(where="--opaque", found=uri, because="this type is read here, and not as it is")
        output.note(f"{uri}: known, read as it is, draws no edges")
    return tuple(opaque(uri) for uri in dict.fromkeys(uris))


def tell(report: Report, output: Output) -> int:
    """Write a report, and give its exit code."""
    words = "" if output.quiet or output.as_json else report.to_text()
    output.result(words, report.to_dict())
    if report.accepted:
        return YES
    if output.quiet and not output.as_json:
        output.complain(f"{report.verdict.value}: {report.cause}")
    # What could not be had is 3; a limit that was exceeded is undecided too, but trying again does not help.
    return NO if report.error is None else exit_code(report.error)


def _revocations(path: Path) -> bytes:
    from glasswing_attest._files import read_bounded
    from glasswing_attest.errors import RevocationsUnavailable

    return read_bounded(path, "bundle_bytes", error=RevocationsUnavailable)


def _at(text: str | None) -> datetime | None:
    if text is None:
        return None
    from glasswing_attest._wire import parse_time

    return parse_time(text, where="--at")


def _declared(args: argparse.Namespace) -> Manifest:
    from glasswing_attest.artifact.digest import Digest, DigestSet
    from glasswing_attest.artifact.manifest import Manifest

    if not args.kind:
        raise UsageError(where="--digest", wanted="--kind beside it: a digest does not say what it is a digest of")
    if args.exclude:
        raise UsageError(where="--exclude", because="nothing is digested")
    return Manifest.declared(args.kind, DigestSet(tuple(map(Digest.parse, args.digest))), args.name or "")


def _evidence(args: argparse.Namespace, output: Output) -> tuple[str | Path, ...]:
    if args.evidence:
        return tuple(args.evidence)
    if args.artifact is None:
        output.note("no evidence: name it with --evidence")
        return ()
    beside = sidecar(args.artifact)
    if os.path.lexists(beside):
        return (beside,)
    output.note(f"no evidence: there is no {beside}, and no --evidence")
    return ()
