"""Does an RFC 3161 response prove its time to us as it does to sigstore-java?"""

from pathlib import Path

import pytest

from glasswing_attest import errors
from glasswing_attest.errors import FieldRefused, GlasswingError, OutsideValidity, TimeUnproven
from glasswing_attest.trust.sigstore import Root
from glasswing_attest.verification.clock import check_stamp
from tests.bundles import FOR_ANYBODY
from tests.shared import Case, cases

REFUSED: dict[str, tuple[type[GlasswingError], str]] = {
    # Its SET OF is not sorted, so it is no DER and is not read: whose stamp it is is asked in a test of its own below.
    "rfc3161/untrusted-freetsa": (errors.FieldRefused, "rfc3161Timestamps"),
    "rfc3161/outdated-tsa": (errors.OutsideValidity, "clock"),
}


@pytest.mark.parametrize("case", cases("rfc3161-response"))
def test_a_response_gets_its_answer(case: Case, shared_data: Path) -> None:
    stamp = (shared_data / case.files["response"]).read_bytes()
    root = Root.parse((shared_data / case.files["trusted_root"]).read_bytes(), name="root", profile=FOR_ANYBODY)
    message = case.params["message_utf8"].encode()
    if case.expect == "accept":
        time, clock = check_stamp(stamp, message, root.clocks)
        assert clock in root.clocks
        assert clock.window.contains(time)
        with pytest.raises(TimeUnproven) as other:
            check_stamp(stamp, message + b"x", root.clocks)
        assert other.value.where == "rfc3161Timestamps"
        return
    with pytest.raises(GlasswingError) as refused:
        check_stamp(stamp, message, root.clocks)
    error, where = REFUSED[case.case]
    assert type(refused.value) is error
    assert refused.value.where.split()[0] == where


def test_no_response_is_left_out(shared_data: Path) -> None:
    found = [p.values[0] for p in cases("rfc3161-response")]
    assert {case.case for case in found if case.expect == "reject"} == set(REFUSED)
    assert len(found) == 5


def test_a_well_formed_stamp_of_a_stranger_is_not_believed(shared_data: Path) -> None:
    by_name = {p.values[0].case: p.values[0] for p in cases("rfc3161-response")}
    ours, other = by_name["rfc3161/embedded.one"], by_name["rfc3161/noembedded.multi"]
    stamp = (shared_data / ours.files["response"]).read_bytes()
    message = ours.params["message_utf8"].encode()
    production = Root.parse(
        (shared_data / "_trust/prod.trusted_root.json").read_bytes(), name="production", profile=FOR_ANYBODY
    )
    for clocks in (production.clocks, ()):
        with pytest.raises(TimeUnproven) as refused:
            check_stamp(stamp, message, clocks)
        assert refused.value.because == "no trusted clock made this stamp"
    assert other.expect == "accept"


def test_a_response_may_not_be_changed_at_any_byte(shared_data: Path) -> None:
    (case,) = [p.values[0] for p in cases("rfc3161-response") if p.values[0].case == "rfc3161/noembedded.one"]
    stamp = (shared_data / case.files["response"]).read_bytes()
    root = Root.parse((shared_data / case.files["trusted_root"]).read_bytes(), name="root", profile=FOR_ANYBODY)
    message = case.params["message_utf8"].encode()
    time, _ = check_stamp(stamp, message, root.clocks)
    for at in range(0, len(stamp), 3):
        changed = stamp[:at] + bytes((stamp[at] ^ 0x01,)) + stamp[at + 1 :]
        try:
            found, _ = check_stamp(changed, message, root.clocks)
        except (FieldRefused, TimeUnproven, OutsideValidity):
            continue
        # What neither the clock signed nor anybody reads: it proves the same time over the same message.
        assert found == time


@pytest.mark.parametrize(
    "garbage", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", b"\x00" * 64, b"\x30\x80" + b"\x00" * 9]
)
def test_what_is_no_response_is_refused(garbage: bytes) -> None:
    with pytest.raises(FieldRefused) as refused:
        check_stamp(garbage, b"message", ())
    assert refused.value.where == "rfc3161Timestamps"
