"""``oms``: is a model signed as OpenSSF Model Signing has it, and how is it signed so?"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from glasswing_attest._cli import signers
from glasswing_attest._cli.exits import YES, callers_to_mend
from glasswing_attest._cli.output import Output
from glasswing_attest._cli.progress import progress
from glasswing_attest._cli.times import add_proof, time_or_now
from glasswing_attest.errors import UsageError, counted, shown

if TYPE_CHECKING:
    from glasswing_attest.artifact.manifest import FileEntry
    from glasswing_attest.artifact.shards import FileShards
    from glasswing_attest.policy.policy import Identity

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "sign and verify models with OpenSSF Model Signing (OMS)"
DESCRIPTION = """\
sign    sign every file of MODEL, and write the signature: MODEL.sig beside it, unless --signature says where
verify  prove that exactly the files of MODEL were signed, by the signer whom you name; links are refused
roots   print MODEL's OMS root, in both orders that are in the field, for whoever looks signatures up by it
"""
EPILOG = """\
examples:
  glasswing-attest oms sign --key release.key model/
  glasswing-attest oms sign --sigstore model/
  glasswing-attest oms verify --trust trust.yaml --signer release --signed-at now model/
  glasswing-attest oms verify --trust trust.yaml --issuer https://accounts.example --san me@example.com model/
"""

_SIGN = {*signers.OPTIONS, "shard_size", "compat"}
_VERIFY = {
    "trust",
    "signer",
    "issuer",
    "authority",
    "san",
    "signed_at",
    "revocations",
    "revocations_seen",
    "unsigned_files_unsafe",
    "empty_files_unsafe",
    "ignored_executables_unsafe",
}
_ONLY = {
    **dict.fromkeys(_SIGN, ("sign",)),
    **dict.fromkeys(_VERIFY, ("verify",)),
    "signature": ("sign", "verify"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=tuple(_ACTIONS))
    parser.add_argument("--signature", metavar="FILE", help="the signature; default: MODEL.sig beside the model")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="P", help="leave out this exact path below the model"
    )
    sign = parser.add_argument_group("sign")
    sign.add_argument("--shard-size", type=int, metavar="N", help="sign shards of N bytes, not whole files")
    sign.add_argument("--compat", choices=("spec", "model-signing"), help="whose reader decides; default: spec")
    signers.add_arguments(parser)
    verify = parser.add_argument_group("verify")
    verify.add_argument("--trust", metavar="T", help="whose keys and which authorities are believed")
    verify.add_argument("--signer", metavar="NAME", help="who must have signed: a key, by its name in the trust")
    verify.add_argument("--issuer", metavar="URL", help="… or somebody for whom this issuer stands, with --san")
    verify.add_argument("--authority", metavar="NAME", help="… or somebody whom this root of the trust certified")
    verify.add_argument("--san", metavar="NAME", help="the name in the certificate, exactly or a glob")
    add_proof(verify.add_argument)
    verify.add_argument("--unsigned-files-unsafe", action="store_true", help="let files pass that were not signed")
    verify.add_argument(
        "--empty-files-unsafe", action="store_true", help="let empty files pass, of which shards cannot speak"
    )
    verify.add_argument(
        "--ignored-executables-unsafe", action="store_true", help="let executables pass among what is left out"
    )
    parser.add_argument("model", metavar="MODEL", help="a directory or a single file")


def run(args: argparse.Namespace, output: Output) -> int:
    """Do one of the three."""
    for option, actions in _ONLY.items():
        if getattr(args, option) and args.action not in actions:
            raise UsageError(where=f"--{option.replace('_', '-')}", wanted=f"it with {' or '.join(actions)} only")
    return _ACTIONS[args.action](args, output)


def _signature(args: argparse.Namespace) -> Path:
    if args.signature:
        return Path(args.signature)
    model = Path(args.model)
    place = model if model.name not in ("", "..") else model.resolve()
    if not place.name:
        raise UsageError(where=args.model, because="nothing lies beside it", wanted="--signature")
    return place.with_name(f"{place.name}.sig")


def _needed(args: argparse.Namespace, option: str) -> str:
    value = getattr(args, option)
    if value is None:
        raise UsageError(where=f"oms {args.action}", wanted=f"--{option}")
    return str(value)


def _sign(args: argparse.Namespace, output: Output) -> int:
    from glasswing_attest.oms import LIMITS, sign_model
    from glasswing_attest.statement.statement import Statement

    with callers_to_mend():
        signer = signers.signer_of(args, limits=LIMITS)
    target = _signature(args)
    with progress(output) as told:
        made = sign_model(
            args.model,
            signer=signer,
            signature=target,
            ignore=args.ignore,
            shard_size=args.shard_size,
            compat=args.compat or "spec",
            progress=told,
        )
    (subject,) = Statement.parse_unverified(made.envelope.payload, limits=LIMITS).subjects
    by = signers.told_of(signer, made, limits=LIMITS)
    data = {"signature": str(target), "name": subject.name, "root": subject.digest.get("sha256"), **by.data}
    text = f"signed:    {shown(subject.name)}\nroot:      {data['root']}\n{by.text}written:   {shown(str(target))}\n"
    output.result("" if output.quiet else text, data)
    return YES


def _verify(args: argparse.Namespace, output: Output) -> int:
    from glasswing_attest._files import read_bounded
    from glasswing_attest._wire import format_time
    from glasswing_attest.errors import RevocationsUnavailable
    from glasswing_attest.oms import verify_model
    from glasswing_attest.trust.root import Trust

    revocations = args.revocations
    with callers_to_mend():
        trust = Trust.load(_needed(args, "trust"))
        signer = _who(args)
        signed_at = time_or_now(args.signed_at, "--signed-at")
    with progress(output) as told:
        found = verify_model(
            args.model,
            _signature(args),
            trust=trust,
            signer=signer,
            signed_at=signed_at,
            ignore=args.ignore,
            revocations=revocations and read_bounded(revocations, "bundle_bytes", error=RevocationsUnavailable),
            revocations_seen=args.revocations_seen,
            unsigned_files_unsafe=args.unsigned_files_unsafe,
            empty_files_unsafe=args.empty_files_unsafe,
            ignored_executables_unsafe=args.ignored_executables_unsafe,
            progress=told,
        )
    by = None if found.signed_by is None else format_time(found.signed_by)
    lines = [f"verified: {counted(len(found.files), 'file')}, signed by {shown(found.signer.described)}"]
    lines += [f"by:       {by}, says {shown(', '.join(sorted({t.witness for t in found.times.times})))}"] if by else []
    lines += [f"left out: {shown(path)}" for path in found.ignored]
    lines += [f"unsigned: {shown(path)}" for path in found.unsigned]
    data = {
        "signer": found.signer.described,
        "signedBy": by,
        "order": found.order,
        "files": [_file(entry) for entry in found.files],
        "ignored": list(found.ignored),
        "unsigned": list(found.unsigned),
    }
    output.result("" if output.quiet else "".join(f"{line}\n" for line in lines), data)
    return YES


def _file(entry: FileEntry | FileShards) -> dict[str, object]:
    told: dict[str, object] = {"name": entry.name, "size": entry.size}
    # From shards, no digest of a file follows.
    sha256 = getattr(entry, "sha256", None)
    return told if sha256 is None else {**told, "sha256": sha256}


def _who(args: argparse.Namespace) -> Identity | str:
    """Give whom the caller means. Nobody is meant by default."""
    from glasswing_attest.policy.policy import Identity

    if sum(value is not None for value in (args.signer, args.issuer, args.authority)) != 1:
        raise UsageError(where="oms verify", wanted="exactly one of --signer, --issuer and --authority")
    if (args.san is None) is not (args.signer is None):
        return (
            str(args.signer)
            if args.san is None
            else Identity(issuer=args.issuer, authority=args.authority, san=args.san)
        )
    raise UsageError(where="--san", wanted="it with --issuer or --authority, and with these only")


def _roots(args: argparse.Namespace, output: Output) -> int:
    from glasswing_attest.artifact.model import Model
    from glasswing_attest.artifact.oms import IGNORED, ignorable
    from glasswing_attest.oms import roots

    with progress(output) as told:
        manifest = Model(args.model, exclude={*IGNORED, *ignorable(args.ignore, "--ignore")}).measure(progress=told)
    found = roots(manifest)
    text = "".join(f"{root}  {order}\n" for order, root in found.items())
    output.result(text, {"roots": found, "digest": manifest.digests.to_dict()})
    return YES


_ACTIONS: Mapping[str, Callable[[argparse.Namespace, Output], int]] = {
    "sign": _sign,
    "verify": _verify,
    "roots": _roots,
}
