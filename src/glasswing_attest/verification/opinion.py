"""Does another implementation agree?

An opt-in second opinion: sigstore-python's own `Verifier` must verify the same bundle, under the same root, for the
same identity, to the same payload. It can turn a yes into a no, never a no into a yes. Only this module loads
sigstore, and only when asked.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import SecondOpinionDiffers
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification.binding import VerifiedStatement

__all__ = ["SecondOpinion", "SigstoreOpinion"]


class SecondOpinion(Protocol):
    """Whoever is asked after we said yes."""

    def confirm(self, attestation: Attestation, verified: VerifiedStatement, trust: Trust) -> bool:
        """Say True for agreement and False where it cannot say; raise `SecondOpinionDiffers` for a no."""
        ...


class SigstoreOpinion:
    """The opinion of sigstore-python (4.5 or later) on certificate bundles with a log entry that it reads."""

    _KINDS = frozenset({("dsse", "0.0.1"), ("hashedrekord", "0.0.2")})

    def confirm(self, attestation: Attestation, verified: VerifiedStatement, trust: Trust) -> bool:
        """Ask sigstore-python. False for key bundles, and for log entries of kinds that it does not read."""
        bundle, signer = attestation.bundle, verified.signer
        if bundle is None or not signer.root or not signer.issuer or len(bundle.log_entries) != 1:
            return False
        if (bundle.log_entries[0].kind, bundle.log_entries[0].version) not in self._KINDS:
            return False
        from sigstore.models import Bundle, TrustedRoot
        from sigstore.verify import Verifier, policy

        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "trusted_root.json"
                path.write_bytes(trust.root(signer.root).raw)
                root = TrustedRoot.from_file(str(path))
            kind, payload = Verifier(trusted_root=root).verify_dsse(
                Bundle.from_json(attestation.bytes), policy.Identity(identity=signer.san, issuer=signer.issuer)
            )
        except Exception as e:  # whatever it raises is no yes
            raise SecondOpinionDiffers(where=signer.san, because=f"{type(e).__name__}: {e}") from e
        if payload != attestation.envelope.payload or kind != attestation.envelope.payload_type:
            raise SecondOpinionDiffers(where=signer.san, because="it read another payload")
        return True
