"""How does somebody try things on a Sigstore of their own?"""

import argparse
import signal
import sys
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from tests.stack.build import StackAbsent
from tests.stack.processes import StackFailed, ended_by_signals
from tests.stack.run import running
from tests.stack.stack import Stack

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Start a stack, say where it is, and end it at Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack", description=__doc__)
    parser.add_argument(
        "--keep", metavar="FOLDER", type=Path, help="a new folder for its files, which stays afterwards"
    )
    keep: Path | None = parser.parse_args(arguments).keep
    with tempfile.TemporaryDirectory(prefix="glasswing-attest-stack-") as scratch:
        folder = keep.resolve() if keep else Path(scratch, "stack")
        if folder.exists():
            parser.error(f"{folder} is there already")
        try:
            with suppress(KeyboardInterrupt), ended_by_signals(), running(folder) as stack:
                print(_described(stack), flush=True)
                while True:
                    signal.pause()
        except (StackAbsent, StackFailed) as e:
            print(f"error: {e}", file=sys.stderr)
            return 1
    return 0


def _described(stack: Stack) -> str:
    token = stack.folder / "token"
    token.write_text(stack.token(expires=timedelta(days=1)), encoding="ascii")
    trust = stack.folder / "trust.yaml"
    trust.write_text(
        f"version: 1\nroots: {{stack: {{file: {stack.trusted_root.name}, profile: public-good}}}}\n", "utf-8"
    )
    where = f"--trusted-root {stack.trusted_root} --signing-config {stack.signing_config}"
    who = f"--issuer {stack.issuer_of('email')} --san {stack.san_of('email')}"
    sigstore = f"sigstore --trust-config {stack.client_trust_config}"
    alice = f"--cert-identity {stack.san_of('email')} --cert-oidc-issuer {stack.issuer_of('email')}"
    rows = [
        ("Fulcio", stack.fulcio),
        ("CT log", stack.ct_log),
        ("Rekor v2", stack.rekor_v2),
        ("Rekor v1", stack.rekor_v1),
        ("clock", stack.tsa),
        ("another clock", stack.other_tsa),
        ("issuers", f"{stack.issuer}/email, …/github, …"),
        ("trusted root", stack.trusted_root),
        ("signing config", stack.signing_config),
        ("  with Rekor v1", stack.signing_config_v1),
        ("  with all of it", stack.signing_config_all),
        ("a token", f"{token} ({stack.san_of('email')}, for a day)"),
        ("logs", stack.logs),
    ]
    told = [f"{name:18}{value}" for name, value in rows]
    return "\n".join(
        [
            *told,
            "",
            "Sign and verify a file there, with sigstore-python:",
            f'  {sigstore} sign --identity-token "$(cat {token})" FILE',
            f"  {sigstore} verify identity {alice} FILE",
            "",
            "A model, with our own command; `attest` takes the same options:",
            f"  glasswing-attest oms sign --sigstore --identity-token-file {token} {where} MODEL",
            f"  glasswing-attest oms verify --trust {trust} {who} MODEL",
            "",
            "Ctrl-C ends it.",
        ]
    )
