"""Is the signer still believed for what was signed then?

Once the trust names who signs the revocation list, a fresh one must be at hand: missing, expired, or older than one
seen before is unavailable, never "not revoked". Against a revoked signer only a witness's time counts, strictly before
the revocation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from datetime import datetime

from glasswing_attest._wire import format_time
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import GlasswingError, KeyUntrusted, RevocationsUnavailable, Revoked
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, RevocationList
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification import signature
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.proof import Proof, require_seal

__all__ = ["VerifiedRevocations", "check", "require_unrevoked", "standing"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRevocations(Proof):
    """A revocation list that the trust's own key signed, fresh at the time it was asked for."""

    document: RevocationList
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


def check(
    data: bytes | None, trust: Trust, *, now: datetime, seen: int = 0, limits: Limits = DEFAULT
) -> VerifiedRevocations | None:
    """Prove the list. None only where the trust names nobody who signs one, so that there is none to ask for.

    `seen` is the highest version that the caller has seen before.

    Raises:
        RevocationsUnavailable: missing, not signed by who should, expired, not yet issued, or older than `seen`.
    """
    names = trust.revocation_signers
    if not names:
        return None
    if data is None:
        raise RevocationsUnavailable(where="revocations", found="none", wanted=f"a list signed by {', '.join(names)}")
    try:
        document = _authentic(data, trust, names, now, limits)
    except GlasswingError as e:
        raise RevocationsUnavailable(where="revocations", because=str(e)) from e
    if not document.issued <= now <= document.expires:
        wanted = f"a list issued before {format_time(now)} that is still good then"
        found = f"issued {format_time(document.issued)}, expires {format_time(document.expires)}"
        raise RevocationsUnavailable(where="revocations", found=found, wanted=wanted)
    if document.version < seen:
        raise RevocationsUnavailable(
            where="revocations", found=f"version {document.version}", wanted=f"version {seen} or later"
        )
    return VerifiedRevocations(document=document, seal=_SEAL)


def _authentic(data: bytes, trust: Trust, names: tuple[str, ...], now: datetime, limits: Limits) -> RevocationList:
    attestation = Attestation.parse(data, limits=limits)
    if attestation.envelope.payload_type != REVOCATIONS_TYPE:
        found = attestation.envelope.payload_type
        raise RevocationsUnavailable(where="revocations", found=found, wanted=REVOCATIONS_TYPE)
    keys = [k for k in trust.keys if k.name in names and k.covers(now)]
    signed = signature.check(attestation, (k.key for k in keys))
    if signed[0].leaf is not None:  # a certificate brings a key of its own, which nobody named for this
        raise KeyUntrusted(where="$.verificationMaterial", found="a certificate", wanted=f"a key of {', '.join(names)}")
    return RevocationList.parse(attestation.envelope.payload, limits=limits)


def standing(
    proved: Iterable[VerifiedStatement], revocations: VerifiedRevocations | None
) -> tuple[VerifiedStatement, ...]:
    """Give the statements that stand: an envelope's other signers are still believed when one is revoked.

    Raises:
        Revoked: none stands.
    """
    found: list[VerifiedStatement] = []
    refused: list[Revoked] = []
    for verified in proved:
        try:
            require_unrevoked(verified, revocations)
        except Revoked as e:
            refused.append(e)
        else:
            found.append(verified)
    if refused and not found:
        raise refused[0]
    return tuple(found)


def require_unrevoked(verified: VerifiedStatement, revocations: VerifiedRevocations | None) -> None:
    """Raise `Revoked` for a statement by a revoked signer that no witness shows to be older than the revocation."""
    if revocations is None:
        return
    signer, signed_by = verified.signer, verified.times.proved_by
    for entry in revocations.document.entries:
        if entry.concerns(
            key=signer.fingerprint,
            issuer=signer.issuer,
            authority="" if signer.issuer else signer.root,
            san=signer.san,
            predicate_type=verified.statement.predicate_type,
        ) and (signed_by is None or signed_by >= entry.since):
            found = "no witnessed time" if signed_by is None else f"signed by {format_time(signed_by)}"
            wanted = f"a witnessed time before {format_time(entry.since)}"
            raise Revoked(where=signer.label, because=entry.reason, found=found, wanted=wanted)
