"""Who signs, on the word of the command line? For every command that does.

A private key, from a file or where a URI says that it is, with certificates and witnesses if they are named; or an
identity of Sigstore. No option takes a secret: every process of a machine can read those.
"""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glasswing_attest._cli import passphrase
from glasswing_attest.errors import KeyUnreadable, PassphraseRefused, UsageError, shown
from glasswing_attest.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from glasswing_attest.attestation import Attestation
    from glasswing_attest.signing import IdentityTokens, Instance, KeySigner, Signer
    from glasswing_attest.trust.sigstore import Profile

__all__ = ["OPTIONS", "Told", "add_arguments", "hidden_variables", "key_signer", "signer_of", "told_of"]

_TOKENS = ("identity_token_file", "identity_token_env", "spiffe_jwt", "interactive")
_SIGSTORE = (*_TOKENS, "audience", "identity")
_KEY = ("certificate", "witness")
_INSTANCE = ("trusted_root", "signing_config", "profile")
_PROFILE = re.compile(r"(scts|logs|times|stamps)=([0-9]{1,4})")

OPTIONS = frozenset(
    {"key", "sigstore", "passphrase_env", "passphrase_file", "ask_passphrase", *_SIGSTORE, *_KEY, *_INSTANCE}
)
"""What `add_arguments` adds, by the names that the parsed arguments have."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the ways to say who signs."""
    who = parser.add_argument_group("who signs: --key or --sigstore")
    who.add_argument("--key", metavar="KEY", help="a private key: a PEM file, or a URI such as awskms:alias/release")
    who.add_argument(
        "--certificate",
        action="append",
        metavar="PEM",
        help="certify the key: the leaf, then who issued it; may be repeated",
    )
    who.add_argument(
        "--witness", action="store_true", help="have the key's signature logged and stamped, so that its time is proved"
    )
    who.add_argument(
        "--sigstore",
        action="store_true",
        help="sign without a key, as what this CI platform says that this job is; or as one of these says:",
    )
    token = who.add_mutually_exclusive_group()
    token.add_argument("--identity-token-file", metavar="F", help="… the identity token in this file")
    token.add_argument("--identity-token-env", metavar="VAR", help="… that in this environment variable")
    token.add_argument("--spiffe-jwt", metavar="F", help="… the JWT-SVID in this file")
    token.add_argument("--interactive", action="store_true", help="… somebody who logs in with a browser")
    who.add_argument("--audience", metavar="A", help="for whom the platform's token is to be; default: sigstore")
    who.add_argument("--identity", metavar="NAME", help="the name that the certificate must have; default: the token's")
    where = parser.add_argument_group("where it is certified, logged and stamped; default: Sigstore's public instance")
    where.add_argument("--trusted-root", metavar="F", help="by which it is verified, a TrustedRoot")
    where.add_argument("--signing-config", metavar="F", help="which services do it, a SigningConfig")
    where.add_argument(
        "--profile",
        metavar="P",
        help="how many witnesses it needs: public-good (the default), github, or such as scts=0,logs=1,times=1",
    )
    passphrase.add_arguments(parser)


def signer_of(args: argparse.Namespace, *, ahead: bool = False, limits: Limits = DEFAULT) -> Signer:
    """Give who signs. Nobody does by default.

    `ahead` says that long work comes first: a token, or an instance, that cannot be had is told before it.

    Raises:
        UsageError: nobody was named, or two, or options that do not go together.
        GlasswingError: a key or a document cannot be read, or be had.
    """
    if (args.key is None) is not args.sigstore:
        raise UsageError(where="--key", wanted="exactly one of --key and --sigstore")
    _refuse_without(args, _SIGSTORE, "--sigstore", is_there=args.sigstore)
    _refuse_without(args, _KEY, "--key", is_there=not args.sigstore)
    _refuse_without(args, _INSTANCE, "--sigstore or --witness", is_there=args.sigstore or args.witness)
    if (args.trusted_root is None) is not (args.signing_config is None):
        raise UsageError(where="--trusted-root", wanted="--trusted-root and --signing-config, which go together")
    _refuse_without(args, ("profile",), "--trusted-root", is_there=args.trusted_root is not None)
    if args.audience is not None and any(getattr(args, token) for token in _TOKENS):
        raise UsageError(where="--audience", because="only the platform is asked for a token for somebody")
    if args.sigstore:
        if passphrase.is_named(args):
            raise UsageError(where="--sigstore", because="there is no key with a passphrase")
        return _sigstore(args, limits, ahead=ahead)
    from glasswing_attest.signing import CertificateSigner, WitnessedSigner

    signer: Signer = key_signer(args.key, args)
    if args.certificate:
        signer = CertificateSigner.from_files(signer, *args.certificate)
    if not args.witness:
        return signer
    instance = _instance(args, limits)
    return WitnessedSigner(signer, instance, logs=1 if instance.config.logs else 0, limits=limits)


def key_signer(text: str, args: argparse.Namespace) -> KeySigner:
    """Give the signer of a key file, or of a key's URI. A file that is called like a URI is ``./hsm:x``."""
    from glasswing_attest.signing import KeySigner
    from glasswing_attest.signing.backends.registered import is_registered
    from glasswing_attest.signing.backends.registry import KINDS
    from glasswing_attest.signing.services.http import without_tokens

    if text.count(".") == 2 and text != without_tokens(text) and not os.path.lexists(text):  # no message repeats it
        do = "sign with --sigstore, and put the token into a file or an environment variable"
        raise UsageError(where="--key", found="a token", wanted="a private key: its file or its URI", do=do)
    scheme, colon, _ = text.partition(":")
    if not colon or not (scheme in KINDS or is_registered(scheme)):
        try:
            return KeySigner.from_file(text, passphrase=passphrase.passphrase_of(args))
        except KeyUnreadable as e:
            if colon and not os.path.lexists(text):
                e.do = f"if this is no file, begin the URI with one of {', '.join(f'{kind}:' for kind in KINDS)}"
            raise
    if not passphrase.is_named(args):
        return KeySigner.from_uri(text)

    def secret(_name: str) -> str:
        found = passphrase.passphrase_of(args) or b""
        try:
            return found.decode("utf-8")
        except UnicodeDecodeError:
            pass
        raise PassphraseRefused(where="--key", wanted="UTF-8")

    return KeySigner.from_uri(text, secrets=secret)


def hidden_variables(args: argparse.Namespace) -> frozenset[str]:
    """Give the environment variables with secrets of the signer's, which are nobody else's business."""
    named = {args.passphrase_env, args.identity_token_env} - {None}
    return frozenset(named | {f"GLASSWING_ATTEST_{name}" for name in ("PASSPHRASE", "PIN", "AUTH", "TOKEN")})


def _refuse_without(args: argparse.Namespace, options: tuple[str, ...], wanted: str, *, is_there: bool) -> None:
    for option in () if is_there else options:
        if getattr(args, option):
            raise UsageError(where=f"--{option.replace('_', '-')}", wanted=f"{wanted} beside it")


def _sigstore(args: argparse.Namespace, limits: Limits, *, ahead: bool) -> Signer:
    from datetime import UTC, datetime

    from glasswing_attest.signing import SigstoreSigner

    # The public instance is fetched when it is needed; who logs in must be told by whom.
    instance = _instance(args, limits) if args.trusted_root is not None or args.interactive else None
    tokens = _tokens(args, instance)
    signer = SigstoreSigner(tokens, instance=instance, identity=args.identity or "", limits=limits)
    if ahead:
        _ = signer.verified_by
        if not args.interactive:  # a person is asked once, and when it is time
            tokens.get().require_fresh(datetime.now(UTC))
    return signer


def _tokens(args: argparse.Namespace, instance: Instance | None) -> IdentityTokens:
    from datetime import UTC, datetime

    from glasswing_attest.signing import IdentityTokens
    from glasswing_attest.signing.tokens import AUDIENCE
    from glasswing_attest.signing.witness import usable

    _refuse_missing(args)
    if args.identity_token_file is not None:
        return IdentityTokens.from_file(args.identity_token_file)
    if args.identity_token_env is not None:
        return IdentityTokens.from_environment(args.identity_token_env)
    if args.spiffe_jwt is not None:
        return IdentityTokens.spiffe(args.spiffe_jwt)
    if not args.interactive or instance is None:
        return IdentityTokens.ambient(audience=AUDIENCE if args.audience is None else args.audience)
    providers = usable(instance.config.identity_providers, {1}, datetime.now(UTC))
    if not providers:
        wanted = "a signing config that names an identity provider to be asked now"
        raise UsageError(where="--interactive", found="none", wanted=wanted)
    return IdentityTokens.interactive(providers[0].url)


def _refuse_missing(args: argparse.Namespace) -> None:
    """Refuse a place where no token is: whoever named it must mend that. For a program, it may come to be there."""
    from glasswing_attest._files import open_bounded
    from glasswing_attest.signing.services.http import without_tokens

    # A token in the place of its name is refused without its text, when it is asked for.
    for option in ("identity_token_file", "spiffe_jwt"):
        path = getattr(args, option)
        if path is not None and path == without_tokens(path):
            try:
                with open_bounded(path, "token_bytes", error=UsageError):
                    pass
            except UsageError as e:
                raise e.moved(f"--{option.replace('_', '-')} {path}") from e
    name = args.identity_token_env
    if name is not None and name == without_tokens(name) and not os.environ.get(name, "").strip():
        wanted = "a token in this environment variable"
        raise UsageError(where=f"--identity-token-env {name}", found="nothing", wanted=wanted)


def _instance(args: argparse.Namespace, limits: Limits) -> Instance:
    from glasswing_attest.signing import Instance
    from glasswing_attest.trust.sigstore import PUBLIC_GOOD

    if args.trusted_root is None:
        return Instance.public_good()
    return Instance.load(
        trusted_root=args.trusted_root,
        signing_config=args.signing_config,
        profile=PUBLIC_GOOD if args.profile is None else _profile(args.profile),
        limits=limits,
    )


def _profile(text: str) -> Profile:
    """Read a profile: its name, or its numbers as a trust file has them."""
    from glasswing_attest.trust.sigstore import PROFILES, Profile

    if text in PROFILES:
        return PROFILES[text]
    pairs = [found.groups() for each in text.split(",") if (found := _PROFILE.fullmatch(each))]
    told = {name: int(number) for name, number in pairs}
    if len(told) < text.count(",") + 1 or not {"scts", "logs", "times"} <= told.keys():
        wanted = f"{', '.join(PROFILES)}, or scts=N,logs=N,times=N and, if need be, stamps=N"
        raise UsageError(where="--profile", found=text, wanted=wanted)
    return Profile(scts=told["scts"], logs=told["logs"], times=told["times"], stamps=told.get("stamps", 0))


# --- what is told ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who signed, where it was logged, and when: in words, a line each, and as JSON."""

    text: str
    data: dict[str, object]


def told_of(signer: Signer, made: Attestation, *, limits: Limits = DEFAULT) -> Told:
    """Say who signed, as a verifier who trusts what the signer was made for finds it."""
    from glasswing_attest._wire import format_time
    from glasswing_attest.bundle import Certificates
    from glasswing_attest.keys import PublicKey
    from glasswing_attest.verification.certificate import Leaf
    from glasswing_attest.verification.procedure import prove

    believed = signer.verified_by
    who: dict[str, object] = {"kind": "key"}
    times: list[dict[str, str]] = []
    if isinstance(believed, PublicKey):
        who["fingerprint"] = believed.fingerprint
    else:
        proved = prove(made, believed, limits=limits)[0]
        who["fingerprint"] = proved.signer.fingerprint
        times = [{"time": format_time(told.time), "witness": told.witness} for told in proved.times.times]
    words = f"key {who['fingerprint']}"
    if isinstance(made.material, Certificates):
        leaf = Leaf.parse(made.material.chain[0], by_subject=True)
        who |= {"kind": "sigstore" if leaf.issuer else "certificate", "identity": leaf.san}
        words = shown(leaf.san)
        if leaf.issuer:
            who["issuer"] = leaf.issuer
            words += f" (issuer {shown(leaf.issuer)})"
    entries = () if made.bundle is None else made.bundle.log_entries
    lines = [f"signed by: {words}"]
    lines += [f"logged:    entry {entry.log_index} of log {entry.log_id.hex()[:16]}" for entry in entries]
    lines += [f"time:      {told['time']}, says {shown(told['witness'])}" for told in times]
    logs = [{"id": entry.log_id.hex(), "index": entry.log_index} for entry in entries]
    return Told(text="".join(f"{line}\n" for line in lines), data={"signer": who, "logs": logs, "times": times})
