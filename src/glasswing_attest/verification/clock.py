"""Did a trusted clock stamp this signature, and when?

RFC 3161 time-stamp responses over the signature's bytes. The CMS signature, the message imprint and the time-stamping
usage are checked by `rfc3161-client`; the authority's closed window, and that each of its certificates was valid then,
are checked here. Where `stamp` proves all of this directly, that is enough, once `rfc3161-client` has said yes to a
stamp of the same authority: what it demands of the chain, beside the time, it demands each time alike.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import rfc3161_client
from cryptography.x509 import Certificate, Name

from glasswing_attest._wire import format_time
from glasswing_attest.errors import FieldRefused, GlasswingError, OutsideValidity, TimeUnproven
from glasswing_attest.trust.certificates import UNREADABLE
from glasswing_attest.trust.sigstore import Authority
from glasswing_attest.verification.stamp import Stamp

__all__ = ["check_stamp", "time_unverified"]


def check_stamp(stamp: bytes, signature: bytes, clocks: Iterable[Authority]) -> tuple[datetime, Authority]:
    """Give the time of a stamp over `signature` and the clock that made it.

    Raises:
        FieldRefused: not an RFC 3161 response.
        TimeUnproven: no trusted clock made it, or it is over something else.
        OutsideValidity: a trusted clock made it at a time when it was not to be believed.
    """
    clocks = tuple(clocks)
    direct = Stamp.read(stamp)
    if direct is not None and (known := _made_by(direct, signature, clocks)) is not None:
        return direct.time, known
    response, time, signers = _read(stamp)
    if len(signers) != 1:
        raise FieldRefused(where="rfc3161Timestamps", found=f"{len(signers)} signers", wanted="one signer")
    (signer,) = signers
    reason: GlasswingError = TimeUnproven(where="rfc3161Timestamps", because="no trusted clock made this stamp")
    for clock in clocks:
        if signer != (clock.chain[0].issuer, clock.chain[0].serial_number):
            continue  # `rfc3161-client` does not compare it where a stamp brings no certificate along
        try:
            _require_valid(clock, time)
            _judge(clock.chain).verifier.verify_message(response, signature)
        except OutsideValidity as e:
            reason = e
        except (rfc3161_client.VerificationError, *UNREADABLE) as e:
            reason = TimeUnproven(where="rfc3161Timestamps", because=str(e))
        else:
            if direct is not None and direct.stands(signature, clock.chain):
                _judge(clock.chain).agreed = True
            return time, clock
    raise reason


def time_unverified(stamp: bytes) -> datetime:
    """Give the time that a stamp tells, whoever made it, and whatever it is over. Raises `FieldRefused`."""
    return _read(stamp)[1]


def _read(stamp: bytes) -> tuple[rfc3161_client.TimeStampResponse, datetime, list[tuple[Name, int]]]:
    try:
        response = rfc3161_client.decode_timestamp_response(stamp)
        signers = [(info.issuer, info.serial_number) for info in response.signed_data.signer_infos]
        return response, response.tst_info.gen_time, signers
    except UNREADABLE as e:
        raise FieldRefused(where="rfc3161Timestamps", because=str(e), wanted="an RFC 3161 response") from e


def _made_by(stamp: Stamp, signature: bytes, clocks: Iterable[Authority]) -> Authority | None:
    """Give the first clock that can have made a stamp, if it did, or None where only `rfc3161-client` can tell."""
    for clock in clocks:
        if stamp.serial == clock.chain[0].serial_number and clock.window.contains(stamp.time):
            return clock if _judge(clock.chain).agreed and stamp.stands(signature, clock.chain) else None
    return None


@dataclass(slots=True, kw_only=True)
class _Judge:
    """The verifier for an authority's chain, and whether it has ever agreed with `stamp` that this chain signed one.

    The verifier holds no state of any stamp. It knows certificates alone, so that what it once found of them stays.
    """

    verifier: rfc3161_client.Verifier
    agreed: bool = False


@functools.lru_cache(maxsize=64)
def _judge(chain: tuple[Certificate, ...]) -> _Judge:
    """Build the verifier for a chain: leaf first, anchor last."""
    builder = rfc3161_client.VerifierBuilder(
        tsa_certificate=chain[0], intermediates=list(chain[1:-1]), roots=[chain[-1]]
    )
    return _Judge(verifier=builder.build())


def _require_valid(clock: Authority, time: datetime) -> None:
    if not clock.window.contains(time):
        raise OutsideValidity(where=f"clock {clock.name}", found=format_time(time), wanted=str(clock.window))
    for certificate in clock.chain:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not start <= time <= end:
            wanted = f"from {format_time(start)} until {format_time(end)}"
            raise OutsideValidity(where=f"clock {clock.name}", found=format_time(time), wanted=wanted)
