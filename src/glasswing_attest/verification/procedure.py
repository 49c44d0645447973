"""In which order is it proved?

Each step takes what the step before proved, so no step can be left out or swapped. The order is that of DESIGN ("The
river") and of Sigstore's client specification. A statement becomes readable only at the end. What a root believes is
never mixed with another's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import TypeAlias

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle
from glasswing_attest.errors import CertificateUntrusted, FieldRefused, GlasswingError
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.trust.root import Trust, TrustedKey
from glasswing_attest.trust.sigstore import Root
from glasswing_attest.verification import binding, identity, signature, timestamps, transparency
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.signature import SignedPayload
from glasswing_attest.verification.timestamps import VerifiedTimes
from glasswing_attest.verification.transparency import LoggedSignature

__all__ = ["VerifiedMessage", "prove", "prove_message"]

_SEAL = object()

_Proved: TypeAlias = tuple[LoggedSignature, VerifiedTimes, VerifiedSigner]


def prove(
    attestation: Attestation,
    trust: Trust,
    *,
    claimed_at: datetime | None = None,
    signed_at: datetime | None = None,
    limits: Limits = DEFAULT,
    budget: Budget | None = None,
) -> tuple[VerifiedStatement, ...]:
    """Prove an attestation: a verified statement for each trusted signer of it and root that says so, never none.

    `claimed_at` says that claimed times are good enough for keys, and at which time windows apply then; None means
    they are not. `signed_at` is when it was signed on the caller's own word: it stands for certificates of a private
    authority alone, and only where no witness tells the time. `budget` counts the signature checks of several calls.

    Raises:
        VerificationError, UnsupportedError, MalformedError, LimitError: why no signature of it proves anything.
    """
    proved: list[VerifiedStatement] = []
    refused: list[GlasswingError] = []
    by_subject = any(root.profile.private for root in trust.roots)
    keys = (k.key for k in trust.keys)
    for signed in signature.check(attestation, keys, by_subject=by_subject, limits=limits, budget=budget):
        try:
            for logged, times, signer in _who_and_when(signed, trust, claimed_at, limits, signed_at):
                verified = binding.check(logged, times, signer)
                proved.append(binding.read(verified, limits=limits))
        except GlasswingError as e:
            refused.append(e)
    if not proved:
        raise refused[0]
    return tuple(proved)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMessage(Proof):
    """An artifact's digest that a verified signer signed directly, without a statement."""

    algorithm: str
    digest: bytes
    signer: VerifiedSigner
    times: VerifiedTimes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


def prove_message(
    bundle: Bundle,
    trust: Trust,
    *,
    digest: tuple[str, bytes],
    content: bytes | None = None,
    claimed_at: datetime | None = None,
    limits: Limits = DEFAULT,
) -> VerifiedMessage:
    """Prove a bundle that signs an artifact directly. `digest` is the artifact's algorithm and digest.

    Raises:
        GlasswingError: as `prove` does; `SubjectMismatch` when the bundle is about another digest.
    """
    signed = signature.check_message(bundle, (k.key for k in trust.keys), digest=digest, content=content)
    _, times, signer = _who_and_when(signed, trust, claimed_at, limits)[0]
    return VerifiedMessage(algorithm=digest[0], digest=digest[1], signer=signer, times=times, seal=_SEAL)


def _who_and_when(
    signed: SignedPayload, trust: Trust, claimed_at: datetime | None, limits: Limits, signed_at: datetime | None = None
) -> list[_Proved]:
    """Try each root, or each witness that the key's names ask for, by itself, and give all that prove it: at least one.

    A policy may name one root in particular, so the first that proves it is not enough.
    """
    ways = list(_ways(signed, trust, claimed_at, limits, signed_at))
    proved = [way for way in ways if not isinstance(way, GlasswingError)]
    if not proved:
        none = CertificateUntrusted(where="trust", found="no trusted root", wanted="one that can say who this is")
        raise next((way for way in ways if isinstance(way, GlasswingError)), none)
    return proved


def _ways(
    signed: SignedPayload, trust: Trust, claimed_at: datetime | None, limits: Limits, signed_at: datetime | None
) -> Iterator[_Proved | GlasswingError]:
    if signed.leaf is not None:
        for root in trust.roots:
            try:
                yield _by_certificate(signed, root, limits, signed_at if root.profile.private else None)
            except GlasswingError as e:
                yield e
        return
    # Keys with the same demands are one way; more names may follow from it.
    for witness in dict.fromkeys(k.witness for k in trust.keys if k.key.der == signed.key.der):
        keys = [k for k in trust.keys if k.witness == witness]
        try:
            yield _by_key(signed, keys, trust, claimed_at, limits)
        except GlasswingError as e:
            yield e


def _by_certificate(signed: SignedPayload, root: Root, limits: Limits, signed_at: datetime | None) -> _Proved:
    if signed.brings_root and root.profile.embedded_roots != "ignore":
        place = "$.verificationMaterial.x509CertificateChain"
        do = "if you know this instance to make such bundles, let its profile say embedded_roots: ignore"
        raise FieldRefused(where=place, found="a self-issued certificate", wanted="no root", do=do)
    logged = transparency.check(signed, root.logs, at_least=root.profile.logs, limits=limits)
    times = timestamps.check(
        logged, root.clocks, at_least=root.profile.times, stamps=root.profile.stamps, signed_at=signed_at
    )
    return logged, times, identity.check_certificate(signed, times, root, limits=limits)


def _by_key(
    signed: SignedPayload, keys: list[TrustedKey], trust: Trust, claimed_at: datetime | None, limits: Limits
) -> _Proved:
    witness = keys[0].witness
    root = None if witness is None else trust.root(witness.root)
    at_least = (0, 0) if witness is None else (witness.logs, witness.times)
    logged = transparency.check(signed, None if root is None else root.logs, at_least=at_least[0], limits=limits)
    clocks = None if root is None else root.clocks
    times = timestamps.check(logged, clocks, at_least=at_least[1], claimed_at=claimed_at)
    return logged, times, identity.check_key(signed, times, keys, claimed_at=claimed_at)
