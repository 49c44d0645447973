"""Is what was signed a statement, and what does it say?

The payload type stands inside the signed bytes and must be in-toto's (in-toto attestation, spec/v1/envelope.md). Only
here do signed bytes become readable, once: what is parsed is exactly what was signed.
"""

from __future__ import annotations

import re
from dataclasses import InitVar, dataclass

from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import MessageSignatureUnsupported, PayloadTypeUnsupported
from glasswing_attest.limits import Limits
from glasswing_attest.metablock import Metablock
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.signature import SignedPayload
from glasswing_attest.verification.timestamps import VerifiedTimes
from glasswing_attest.verification.transparency import LoggedSignature, LogPosition

__all__ = ["VerifiedPayload", "VerifiedStatement", "check", "read", "read_again", "require_in_toto"]

_SEAL = object()
_IN_TOTO = re.compile(r"application/vnd\.in-toto(\.[A-Za-z0-9._-]+)?\+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPayload(Proof):
    """A payload of an in-toto type, with its signer and times."""

    payload: bytes
    signer: VerifiedSigner
    times: VerifiedTimes
    logs: tuple[LogPosition, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedStatement(Proof):
    """A statement that was read from verified bytes, and from nothing else."""

    statement: Statement
    signer: VerifiedSigner
    times: VerifiedTimes
    logs: tuple[LogPosition, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


def require_in_toto(signed: SignedPayload) -> Envelope | Metablock:
    """Give the envelope where its payload is of an in-toto type.

    Raises:
        PayloadTypeUnsupported: it is of another.
        MessageSignatureUnsupported: there is no envelope.
    """
    envelope = signed.envelope
    if envelope is None:
        raise MessageSignatureUnsupported(where="$.messageSignature")
    if not _IN_TOTO.fullmatch(envelope.payload_type):
        raise PayloadTypeUnsupported(where="$.payloadType", found=envelope.payload_type, wanted=PAYLOAD_TYPE)
    return envelope


def check(logged: LoggedSignature, times: VerifiedTimes, signer: VerifiedSigner) -> VerifiedPayload:
    """Bind payload, signer and times. Raises as `require_in_toto` does."""
    return VerifiedPayload(
        payload=require_in_toto(logged.signed).payload,
        signer=signer,
        times=times,
        logs=tuple(sorted({e.position for e in logged.entries if e.position is not None})),
        seal=_SEAL,
    )


def read(verified: VerifiedPayload, *, limits: Limits) -> VerifiedStatement:
    """Parse the verified bytes, once and strictly. Raises as `Statement.parse_unverified` does."""
    statement = Statement.parse_unverified(verified.payload, limits=limits)
    return VerifiedStatement(
        statement=statement, signer=verified.signer, times=verified.times, logs=verified.logs, seal=_SEAL
    )


def read_again(verified: VerifiedStatement, *, limits: Limits) -> VerifiedStatement:
    """Parse the same verified bytes anew: what was read from them before may have been changed by whoever got it."""
    statement = Statement.parse_unverified(verified.statement.payload, limits=limits)
    return VerifiedStatement(
        statement=statement, signer=verified.signer, times=verified.times, logs=verified.logs, seal=_SEAL
    )
