"""WHO SIGNS? Signers: each turns a payload into a bundle that says how to verify it.

The names below are loaded when they are first used: whoever signs with a key loads no network client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glasswing_attest.signing.certificate import CertificateSigner
    from glasswing_attest.signing.instance import Instance
    from glasswing_attest.signing.key import KeySigner
    from glasswing_attest.signing.keyless import SigstoreSigner
    from glasswing_attest.signing.services.http import Patience
    from glasswing_attest.signing.signer import Signer
    from glasswing_attest.signing.tokens import IdentityTokens
    from glasswing_attest.signing.witness import Witnesses
    from glasswing_attest.signing.witnessed import WitnessedSigner

__all__ = [
    "CertificateSigner",
    "IdentityTokens",
    "Instance",
    "KeySigner",
    "Patience",
    "Signer",
    "SigstoreSigner",
    "WitnessedSigner",
    "Witnesses",
]

_HOMES = {
    "CertificateSigner": "certificate",
    "IdentityTokens": "tokens",
    "Instance": "instance",
    "KeySigner": "key",
    "Patience": "services.http",
    "Signer": "signer",
    "SigstoreSigner": "keyless",
    "WitnessedSigner": "witnessed",
    "Witnesses": "witness",
}


if not TYPE_CHECKING:  # a type checker knows every name from above, and shall refuse any other

    def __getattr__(name: str) -> object:
        # PEP 562: as the package's own names are loaded.
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
