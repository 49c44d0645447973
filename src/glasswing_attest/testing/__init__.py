"""HOW DO I TEST MY POLICY? A Sigstore that lives in memory, a clock to move, and a tamperer.

    from glasswing_attest.testing import Clock, Holder, VirtualSigstore, tamper

Nothing here is for production: the keys exist for as long as the process does, nobody is asked who they are, and the
clock says what it is told. What comes out is real: bundles, certificates, log entries and stamps as the public services
make them, which any Sigstore client verifies under `VirtualSigstore.trusted_root`.
"""

from __future__ import annotations

from glasswing_attest.testing import tamper
from glasswing_attest.testing.certificates import CertificateAuthority, Holder, LeafOptions
from glasswing_attest.testing.clock import Clock
from glasswing_attest.testing.ct import CertificateLog
from glasswing_attest.testing.log import TransparencyLog
from glasswing_attest.testing.sigstore import VirtualSigner, VirtualSigstore
from glasswing_attest.testing.tsa import TimestampAuthority

__all__ = [
    "VirtualSigstore",
    "Clock",
    "Holder",
    "LeafOptions",
    "VirtualSigner",
    "CertificateAuthority",
    "CertificateLog",
    "TransparencyLog",
    "TimestampAuthority",
    "tamper",
]
