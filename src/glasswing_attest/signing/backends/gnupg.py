"""Why does GnuPG not sign attestations?

An OpenPGP signature (RFC 9580, section 5.2.4) is over the message and a trailer of the packet's own: other bytes than
the pre-authentication encoding that DSSE signs. No verifier of attestations could check it with the bare public key.
GnuPG stays good for commits and tags, and a card that it uses is a PKCS#11 token as well.
"""

from __future__ import annotations

from typing import NoReturn

from glasswing_attest.errors import SignatureUnsupported
from glasswing_attest.signing.backends.secrets import Secrets
from glasswing_attest.signing.backends.uri import KeyUri

__all__ = ["opened"]


def opened(uri: KeyUri, secrets: Secrets) -> NoReturn:
    """Refuse. Raises `SignatureUnsupported`."""
    del secrets
    raise SignatureUnsupported(
        where=uri.text,
        because="OpenPGP signs other bytes than an attestation's verifiers look at",
        do="use a key of another kind; an OpenPGP card signs through its PKCS#11 library, as hsm:",
    )
