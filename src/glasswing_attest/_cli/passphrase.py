"""Where does a passphrase come from? Never from the arguments, which every process of the machine can read."""

from __future__ import annotations

import argparse
import getpass
import os
import warnings

from glasswing_attest._files import read_bounded
from glasswing_attest.errors import PassphraseRefused, UsageError

__all__ = ["add_arguments", "is_named", "passphrase_of"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the three ways to give a passphrase."""
    group = parser.add_argument_group("passphrase, or PIN, of the private key").add_mutually_exclusive_group()
    group.add_argument("--passphrase-env", metavar="VAR", help="it stands in this environment variable")
    group.add_argument("--passphrase-file", metavar="F", help="it is the first and only line of this file")
    group.add_argument("--ask-passphrase", action="store_true", help="ask for it on the terminal")


def is_named(args: argparse.Namespace) -> bool:
    """Tell whether one of the three ways was said."""
    return args.passphrase_env is not None or args.passphrase_file is not None or bool(args.ask_passphrase)


def passphrase_of(args: argparse.Namespace, *, twice: bool = False) -> bytes | None:
    """Give the passphrase, or None where none was spoken of. `twice` asks a person a second time.

    Raises:
        PassphraseRefused: it is empty, or the two differ.
        UsageError: there is nowhere to get it from.
    """
    if args.passphrase_env is not None:
        where = f"--passphrase-env {args.passphrase_env}"
        name = os.fsencode(args.passphrase_env)
        if name not in os.environb:
            raise UsageError(where=where, because="there is no such environment variable")
        secret = os.environb[name]
    elif args.passphrase_file is not None:
        where = f"--passphrase-file {args.passphrase_file}"
        line = read_bounded(args.passphrase_file, "name_bytes", error=PassphraseRefused)
        secret = line.removesuffix(b"\n").removesuffix(b"\r")
        if b"\n" in secret or b"\0" in secret:
            raise PassphraseRefused(where=where, wanted="one line")
    elif args.ask_passphrase:
        where = "--ask-passphrase"
        secret = _ask("Passphrase: ")
        if twice and secret != _ask("The same again: "):
            raise PassphraseRefused(where=where, because="the two differ")
    else:
        return None
    if not secret:
        raise PassphraseRefused(where=where, found="an empty passphrase", wanted="a passphrase")
    return secret


def _ask(prompt: str) -> bytes:
    try:
        with warnings.catch_warnings():
            # Without a terminal getpass warns, and then would echo what is typed.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(prompt).encode("utf-8", "surrogateescape")
    except (getpass.GetPassWarning, EOFError, OSError) as e:
        raise UsageError(
            where="--ask-passphrase", because="there is no terminal to ask on", do="use --passphrase-file"
        ) from e
