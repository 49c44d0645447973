"""Who is the signer, and was the key good at the times that count?

For keys: every name that the trust gives the key whose closed window contains all those times. For certificates: a
path to a trusted authority at each of them, and promises of enough certificate logs; the signer is the issuer with the
certificate's one name. Where nobody witnessed a time, only a caller who accepts claimed times goes on, and a key's
window applies at `claimed_at`. A certificate lives for minutes, so it always needs a witness.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from datetime import datetime

from cryptography.x509 import Certificate

from glasswing_attest._wire import format_time
from glasswing_attest.errors import CertificateUntrusted, KeyUntrusted, OutsideValidity, TimeUnproven
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.trust.sigstore import Root
from glasswing_attest.verification.certificate import path_stands, validate_path
from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.sct import promising_logs
from glasswing_attest.verification.signature import SignedPayload
from glasswing_attest.verification.timestamps import VerifiedTimes

__all__ = ["VerifiedSigner", "check_certificate", "check_key", "require_promises"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSigner(Proof):
    """The signer: one principal, and what is known of it.

    Attributes:
        principal: what makes two signers distinct: a key's fingerprint, or issuer and name (for a private authority,
            which names no issuer, the root's name and the name; a threshold counts the name alone there).
        names: the names that the trust gives a key; empty for a certificate.
        root: the name of the trusted root that the certificate leads to, or "".
        issuer, san: the OIDC issuer and the one name of the certificate, or "".
        claims: what else the certificate says, by the names of `certificate.FULCIO_CLAIMS`.
        fingerprint: the SHA-256 of the public key, in hex, whether a certificate named it or the trust.
        not_before: the start of the certificate's life, before which it cannot have been signed, or None.
    """

    principal: str
    names: frozenset[str]
    root: str = ""
    issuer: str = ""
    san: str = ""
    claims: tuple[tuple[str, str], ...] = ()
    not_before: datetime | None = None
    fingerprint: str
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)

    @property
    def label(self) -> str:
        """Who it is, for people."""
        return ", ".join(sorted(self.names)) or self.san

    @property
    def described(self) -> str:
        """Who it is and who says so, for refusals: a name alone hides whose word it is."""
        if self.names:
            return f"{self.label} (key {self.fingerprint[:16]})"
        voucher = f"issuer {self.issuer}, root {self.root}" if self.issuer else f"authority {self.root}"
        return f"{self.san} ({voucher})"


def check_key(
    signed: SignedPayload, times: VerifiedTimes, keys: Iterable[TrustedKey], *, claimed_at: datetime | None
) -> VerifiedSigner:
    """Give the signer by a key.

    Raises:
        TimeUnproven: no witness, and `claimed_at` is None because the caller does not accept claimed times.
        OutsideValidity: the key is known, but not at the times that count.
        KeyUntrusted: the key has no name here.
    """
    counting = tuple(t.time for t in times.times)
    if not counting:
        if claimed_at is None:
            raise TimeUnproven(where="$.verificationMaterial")
        counting = (claimed_at,)
    known = [k for k in keys if k.key.der == signed.key.der and signed.scheme in k.key.schemes]
    known = [k for k in known if k.keyids is None or signed.named_as in k.keyids]
    if not known:
        raise KeyUntrusted(where="$.signatures", found=f"key {signed.key.fingerprint[:16]} named {signed.named_as!r}")
    valid = [k for k in known if all(k.covers(time) for time in counting)]
    if not valid:
        found = ", ".join(format_time(time) for time in counting)
        raise OutsideValidity(where=f"keys.{known[0].name}", found=found, wanted=known[0].window)
    names = frozenset(k.name for k in valid)
    fingerprint = signed.key.fingerprint
    return VerifiedSigner(principal=f"key:{fingerprint}", names=names, fingerprint=fingerprint, seal=_SEAL)


def check_certificate(
    signed: SignedPayload, times: VerifiedTimes, root: Root, *, limits: Limits = DEFAULT
) -> VerifiedSigner:
    """Give the signer by a certificate of one root.

    Raises:
        TimeUnproven: no witness.
        CertificateUntrusted: no path to an authority, or too few promises of certificate logs; or a private authority's
            certificate that names an issuer.
        OutsideValidity: the leaf, or every authority, was not valid at one of the times.
    """
    leaf = signed.leaf
    if leaf is None:
        raise CertificateUntrusted(where="$.verificationMaterial", found="a key", wanted="a certificate")
    if leaf.by_subject and not root.profile.private:
        raise CertificateUntrusted(where="certificate.subjectAltName", found="0 names", wanted="exactly one name")
    if leaf.issuer and root.profile.private:
        # Otherwise whoever is believed about his own people would be believed about everybody's.
        wanted = "no issuer: a private authority vouches by itself alone"
        raise CertificateUntrusted(where="certificate.issuer", found=leaf.issuer, wanted=wanted)
    if not times.times:
        do = "have it time-stamped or logged by witnesses that the trust knows: `times: claimed` is about keys alone"
        raise TimeUnproven(where="$.verificationMaterial", do=do)
    path: tuple[Certificate, ...] = ()
    for told in times.times:
        if path_stands(path, root.authorities, told.time):
            continue
        path = validate_path(leaf, signed.embedded, root.authorities, told.time, private=root.profile.private)
        require_promises(path, root, limits)
    return VerifiedSigner(
        principal=f"certificate:{leaf.issuer or root.name} {leaf.san}",
        names=frozenset(),
        root=root.name,
        issuer=leaf.issuer,
        san=leaf.san,
        claims=leaf.claims,
        not_before=leaf.certificate.not_valid_before_utc,
        fingerprint=leaf.key.fingerprint,
        seal=_SEAL,
    )


def require_promises(path: tuple[Certificate, ...], root: Root, limits: Limits) -> None:
    """Raise `CertificateUntrusted` unless so many certificate logs as the root asks for promised the path's leaf."""
    if not root.profile.scts:
        return
    leaf, issuer = path[:2]
    operators, refused = promising_logs(leaf, issuer, root.ct_logs, limits=limits)
    if len(operators) < root.profile.scts:
        because = refused[0].says if refused else "too few certificate logs promised to publish it"
        found, wanted = f"{len(operators)} logs", f"at least {root.profile.scts} distinct ones"
        raise CertificateUntrusted(where="certificate.scts", because=because, found=found, wanted=wanted)
