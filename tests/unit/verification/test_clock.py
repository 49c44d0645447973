"""Whose time stamp is it, where it is not read directly?"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from glasswing_attest.errors import FieldRefused, OutsideValidity, TimeUnproven
from glasswing_attest.testing import VirtualSigstore, der
from glasswing_attest.trust.sigstore import Window
from glasswing_attest.verification.clock import check_stamp, time_unverified
from tests.unit.verification.asking import refused

DAY = timedelta(days=1)
SIGNATURE = b"a signature"
SIGSTORE = VirtualSigstore()
(CLOCK,) = SIGSTORE.clocks
BELIEVED = SIGSTORE.root().clocks


def signed_so_often(times: int, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A stamp whose one signer stands there so often."""

    real = der.set_of

    def set_of(parts: Iterable[bytes], *, tag: int = 0x31) -> bytes:
        told = list(parts)
        is_signer = len(told) == 1 and der.integer(1) in told[0][:8]  # its version is its first member
        return real(told * times if is_signer else told, tag=tag)

    with monkeypatch.context() as patch:
        patch.setattr(der, "set_of", set_of)
        return CLOCK.stamp(SIGNATURE)


@pytest.mark.parametrize("times", [0, 2])
def test_a_stamp_is_signed_by_one(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_stamp(signed_so_often(1, monkeypatch), SIGNATURE, BELIEVED) == (SIGSTORE.clock.now, BELIEVED[0])
    stamp = signed_so_often(times, monkeypatch)
    assert refused(FieldRefused, check_stamp, stamp, SIGNATURE, BELIEVED) == ("malformed.field", "rfc3161Timestamps")


def test_a_time_is_told_whoever_stamped_and_whatever() -> None:
    assert time_unverified(CLOCK.stamp(b"anything")) == SIGSTORE.clock.now
    assert time_unverified(VirtualSigstore().clocks[0].stamp(b"")) == SIGSTORE.clock.now
    for garbage in (b"", b"garbage", CLOCK.stamp(SIGNATURE)[:-1]):
        assert refused(FieldRefused, time_unverified, garbage) == ("malformed.field", "rfc3161Timestamps")


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_clock_is_believed_while_it_and_all_of_its_chain_are_valid(seconds: int) -> None:
    sigstore = VirtualSigstore()  # whose clock nobody has believed before
    (clock,), (believed,) = sigstore.clocks, sigstore.root().clocks
    start, end = clock.chain[0].not_valid_before_utc, clock.chain[0].not_valid_after_utc
    away = timedelta(seconds=seconds)
    wide, narrow = Window(start=start - DAY), Window(start=start + DAY, end=end - DAY)
    # In OpenSSL a certificate ends before its last second.
    late = {-1: None, 0: TimeUnproven, 1: OutsideValidity}[seconds]
    for window, time, error in (
        (wide, start + away, OutsideValidity if seconds < 0 else None),
        (wide, end + away, late),
        (narrow, start + DAY + away, OutsideValidity if seconds < 0 else None),
        (narrow, end - DAY + away, OutsideValidity if seconds > 0 else None),
    ):
        among = [replace(believed, window=window)]
        stamp = clock.stamp(SIGNATURE, at=time)
        if error is None:
            assert check_stamp(stamp, SIGNATURE, among) == (time, among[0])
        else:
            where = f"clock {believed.name}" if error is OutsideValidity else "rfc3161Timestamps"
            assert refused(error, check_stamp, stamp, SIGNATURE, among) == (error.code, where)
