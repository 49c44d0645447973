"""``keygen``: how does somebody get a key to sign with?"""

from __future__ import annotations

import argparse
from pathlib import Path

from glasswing_attest._cli import passphrase
from glasswing_attest._cli.exits import YES
from glasswing_attest._cli.output import Output
from glasswing_attest.errors import UsageError

__all__ = ["ALGORITHMS", "DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

HELP = "make a key pair"
DESCRIPTION = """\
Make a private key and its public key. OUT is the private one (PKCS#8, PEM, readable by its owner only), OUT.pub the
public one. Neither is ever written over. Without a passphrase the private key is not encrypted.
"""
EPILOG = """\
examples:
  glasswing-attest keygen trainer.key
  glasswing-attest keygen --algorithm ed25519 --ask-passphrase release.key
"""

# Those of `KeySigner.generate`, named here so that --help does not load cryptography; a test compares them.
ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-3072", "rsa-4096")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--algorithm", choices=ALGORITHMS, default=ALGORITHMS[0], help="default: %(default)s")
    passphrase.add_arguments(parser)
    parser.add_argument("out", metavar="OUT", help="where to write the private key")


def run(args: argparse.Namespace, output: Output) -> int:
    """Write both keys, or neither."""
    from glasswing_attest._files import write_atomic
    from glasswing_attest.signing.key import KeySigner

    private, public = Path(args.out), Path(f"{args.out}.pub")
    if not private.parent.is_dir():
        raise UsageError(where=args.out, because=f"there is no directory {private.parent}")
    secret = passphrase.passphrase_of(args, twice=True)
    signer = KeySigner.generate(args.algorithm)
    # The public key first: if the private one cannot be written, what is left behind to remove is no secret.
    write_atomic(public, signer.public_key.pem.encode("ascii"), overwrite=False)
    try:
        signer.write(private, passphrase=secret)
    except BaseException:
        public.unlink(missing_ok=True)
        raise
    protection = "not encrypted" if secret is None else "encrypted"
    told = {
        "algorithm": args.algorithm,
        "scheme": signer.public_key.schemes[0],
        "privateKey": str(private),
        "publicKey": str(public),
        "encrypted": secret is not None,
        "fingerprint": signer.public_key.fingerprint,
    }
    text = (
        f"private key: {private} ({args.algorithm}, {protection})\n"
        f"public key:  {public}\n"
        f"fingerprint: {signer.public_key.fingerprint}\n"
    )
    output.result("" if output.quiet else text, told)
    return YES
