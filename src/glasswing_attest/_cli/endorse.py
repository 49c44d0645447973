"""``endorse``: who else says the very same?"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glasswing_attest._cli import signers
from glasswing_attest._cli.artifacts import refuse_to_spoil
from glasswing_attest._cli.attest import type_uri
from glasswing_attest._cli.exits import YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.times import add_proof, time_or_now
from glasswing_attest.errors import FieldMissing, GlasswingError, UsageError, shown
from glasswing_attest.limits import DEFAULT, Budget

if TYPE_CHECKING:
    from glasswing_attest.attestation import Attestation
    from glasswing_attest.trust.root import Trust
    from glasswing_attest.verification.revocation import VerifiedRevocations

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "sign what others have signed once more"
DESCRIPTION = """\
Prove the attestations in EVIDENCE, and sign the very same statements with one more signer: where several must sign, or
where a key follows another. A statement that nobody trusted has signed is refused, and then nothing is signed.
No policy is asked: read what you sign, with `inspect`.
"""
EPILOG = """\
examples:
  glasswing-attest endorse --key second.key --trust trust.yaml model.attestations.jsonl
  glasswing-attest endorse --sigstore --trust trust.yaml --predicate-type provenance model.attestations.jsonl
  glasswing-attest endorse --key next.key --trust trust.yaml --signed-at now --out renewed.jsonl evidence/
"""

_SUBJECTS = 4
"""So many subjects are named."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    signers.add_arguments(parser)
    proof = parser.add_argument_group("who must have signed before")
    believed = proof.add_mutually_exclusive_group(required=True)
    believed.add_argument("--trust", metavar="T", help="somebody who is believed by this: YAML, TOML or JSON")
    believed.add_argument(
        "--unverified-unsafe", action="store_true", help="anybody: sign what was verified by other means"
    )
    add_proof(proof.add_argument)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--statement",
        action="append",
        default=[],
        metavar="SHA256",
        help="only the statement with this digest, as `inspect` shows it; may be repeated",
    )
    which.add_argument("--predicate-type", metavar="TYPE", help="only statements of this type: a URI, or a short name")
    parser.add_argument("--out", metavar="FILE", help="default: the .jsonl file that it came from, which gains a line")
    parser.add_argument(
        "evidence",
        metavar="EVIDENCE",
        nargs="+",
        help="a bundle, an envelope, JSON lines, a set, or a directory of these",
    )


def run(args: argparse.Namespace, output: Output) -> int:
    """Prove all, sign all, and write all: what is refused leaves nothing signed."""
    from glasswing_attest import _api

    with callers_to_mend():
        digests, predicate_type = _which(args)
        judge = _judge(args)
        signer = signers.signer_of(args)
    chosen = _chosen(_read(args), digests, predicate_type)
    proved_by = {digest: judge.signers_of(found) for digest, found in chosen.items()} if judge else {}
    places = {digest: _places(args, found, count=len(chosen)) for digest, found in chosen.items()}
    if not proved_by:
        output.note("NOT VERIFIED: nobody here knows who signed this before")

    made = {digest: _api.endorse(found[0].attestation, signer=signer) for digest, found in chosen.items()}
    signed = {digest: signers.told_of(signer, each) for digest, each in made.items()}
    for digest, each in made.items():
        for place in places[digest]:
            each.write(place)
    told = [
        {
            "statementSha256": digest,
            "predicateType": said.predicate_type,
            "subjects": [{"name": s.name, "digest": s.digest.to_dict()} for s in said.subjects],
            "provedBy": proved_by.get(digest, []),
            **signed[digest].data,
            "paths": [str(place) for place in places[digest]],
        }
        for digest, said in ((digest, each.statement_unverified) for digest, each in made.items())
    ]
    words = [_words(each, signed[digest].text) for digest, each in zip(made, told, strict=True)]
    output.result("" if output.quiet else "\n".join(words), {"verified": judge is not None, "endorsed": told})
    return YES


def _words(told: Mapping[str, Any], by: str) -> str:
    lines = [f"endorsed:  {shown(told['predicateType'])}  sha256:{told['statementSha256']}"]
    lines += [f"of:        {shown(s['name']) or 'a thing without a name'}" for s in told["subjects"][:_SUBJECTS]]
    lines += [f"proved:    signed by {shown(who)}" for who in told["provedBy"]]
    written = [f"written:   {shown(path)}" for path in told["paths"]]
    return "\n".join([*lines, by.rstrip("\n"), *written, ""])


# --- what is endorsed ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """An attestation of the evidence, where it stands, and which of the arguments led there."""

    attestation: Attestation
    origin: str
    path: Path


def _which(args: argparse.Namespace) -> tuple[tuple[str, ...], str]:
    """Give the statements that are meant: their digests, or their type; all, where there is neither."""
    digests = tuple(text.removeprefix("sha256:") for text in args.statement)
    for digest in digests:
        if not _SHA256.fullmatch(digest):
            raise UsageError(where="--statement", found=digest, wanted="64 hex digits in lower case")
    return digests, "" if args.predicate_type is None else type_uri(args.predicate_type)


def _read(args: argparse.Namespace) -> list[_Found]:
    """Read every attestation. What is none, or holds no statement, is told before anything is signed."""
    from glasswing_attest import formats
    from glasswing_attest.store import gather

    found = []
    for path in args.evidence:
        items = gather(path)
        if not items:
            raise FieldMissing(where=path, wanted="at least one attestation")
        for item in items:
            try:
                attestation = formats.parse(item.data)
                _require_statement(attestation)
            except GlasswingError as e:
                raise _told_at(e, item.origin) from e.__cause__
            found.append(_Found(attestation=attestation, origin=item.origin, path=Path(path)))
    return found


def _require_statement(attestation: Attestation) -> None:
    from glasswing_attest.errors import PayloadTypeUnsupported
    from glasswing_attest.statement.statement import PAYLOAD_TYPE

    if attestation.envelope.payload_type != PAYLOAD_TYPE:
        found = attestation.envelope.payload_type
        raise PayloadTypeUnsupported(where="$.payloadType", found=found, wanted=PAYLOAD_TYPE)
    _ = attestation.statement_unverified


def _told_at(error: GlasswingError, origin: str) -> GlasswingError:
    error.where = f"{origin}: {error.where}".removesuffix(": ")
    return error


def _chosen(found: Sequence[_Found], digests: tuple[str, ...], predicate_type: str) -> dict[str, list[_Found]]:
    """Give each statement that is meant, by its digest, with the attestations of it."""
    chosen: dict[str, list[_Found]] = {}
    for each in found:
        statement = each.attestation.payload_digest
        if digests and statement not in digests:
            continue
        if predicate_type and each.attestation.statement_unverified.predicate_type != predicate_type:
            continue
        chosen.setdefault(statement, []).append(each)
    for digest in digests:
        if digest not in chosen:
            raise UsageError(where="--statement", found=digest, wanted="a statement of the evidence")
    if not chosen:
        raise UsageError(where="--predicate-type", found=predicate_type, wanted="the type of a statement there")
    return chosen


# --- who signed it before --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What the caller believes, and counts the work of all proofs together."""

    trust: Trust
    revocations: VerifiedRevocations | None
    signed_at: datetime | None
    budget: Budget

    def signers_of(self, found: Iterable[_Found]) -> list[str]:
        """Give who is proved to have signed a statement. Of several attestations of it, one is enough.

        Raises:
            GlasswingError: why the first of them proves nothing, where none does.
        """
        proved: dict[str, None] = {}
        refused = []
        for each in found:
            try:
                proved |= dict.fromkeys(self._signers(each.attestation))
            except GlasswingError as e:
                if self.budget.is_exceeded:
                    raise
                refused.append(_told_at(e, each.origin))
        if not proved:
            raise refused[0]
        return list(proved)

    def _signers(self, attestation: Attestation) -> list[str]:
        from glasswing_attest.bundle import KeyHint
        from glasswing_attest.errors import TimeUnproven
        from glasswing_attest.verification import revocation
        from glasswing_attest.verification.procedure import prove

        at = self.signed_at
        try:
            proved = prove(attestation, self.trust, claimed_at=at, signed_at=at, budget=self.budget)
        except TimeUnproven as e:  # there is no policy here that could say so
            by_key = isinstance(attestation.material, KeyHint)
            word_counts = by_key or any(root.profile.private for root in self.trust.roots)
            e.do = f"have it time-stamped or logged{', or say when it was: --signed-at' if word_counts else ''}"
            raise
        return [each.signer.described for each in revocation.standing(proved, self.revocations)]


def _judge(args: argparse.Namespace) -> _Judge | None:
    """Give who judges; None where the caller wants nothing verified, in so many words."""
    from glasswing_attest._files import read_bounded
    from glasswing_attest.errors import RevocationsUnavailable
    from glasswing_attest.trust.root import Trust
    from glasswing_attest.verification import revocation

    if args.unverified_unsafe:
        for option in ("signed_at", "revocations", "revocations_seen"):
            if getattr(args, option):
                raise UsageError(where=f"--{option.replace('_', '-')}", wanted="--trust beside it")
        return None
    trust, now = Trust.load(args.trust), datetime.now(UTC)
    trust.require_fresh(now)
    path = args.revocations
    data = None if path is None else read_bounded(path, "bundle_bytes", error=RevocationsUnavailable)
    return _Judge(
        trust=trust,
        revocations=revocation.check(data, trust, now=now, seen=args.revocations_seen),
        signed_at=time_or_now(args.signed_at, "--signed-at"),
        budget=Budget(DEFAULT, "signature_checks_in_all"),
    )


# --- where it goes ---------------------------------------------------------------------------------------------------


def _places(args: argparse.Namespace, found: Iterable[_Found], *, count: int) -> list[Path]:
    """Give the files that gain the endorsement of one statement, of so many. All can be written, as far as is seen."""
    places = list(dict.fromkeys(each.path for each in found)) if args.out is None else [Path(args.out)]
    for place in places:
        if place.suffix != ".jsonl" and args.out is None:
            because = "only a .jsonl file gains lines"
            raise UsageError(where=str(place), because=because, do="say with --out where the endorsement goes")
        if place.suffix != ".jsonl" and count > 1:
            raise UsageError(where=f"--out {place}", found=f"{count} statements", wanted="a .jsonl file for them")
        if not place.parent.is_dir():
            raise UsageError(where=f"--out {place}", because=f"there is no directory {place.parent}")
        refuse_to_spoil(place, "--out")
    return places
