"""By when was it signed, and whose word counts for it?"""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glasswing_attest import Attestation
from glasswing_attest.errors import (
    OutsideValidity,
    TimeUnproven,
)
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.sigstore import Authority, Window
from glasswing_attest.verification import signature, timestamps, transparency
from glasswing_attest.verification.timestamps import CALLER, VerifiedTimes, WitnessedTime
from tests.chains import bare, honest, signer
from tests.unit.verification.asking import ALICE, PAYLOAD, refused

SIGSTORE = VirtualSigstore()
OTHER = VirtualSigstore("other", operator="other.example")
DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("told", "needed", "by"),
    [
        ([], 1, None),
        ([("a", 2)], 1, 2),
        ([("a", 2)], 0, 2),
        ([("a", 3), ("b", 1)], 0, 1),
        ([("a", 3), ("b", 1)], 1, 1),
        ([("a", 3), ("b", 1)], 2, 3),
        ([("a", 3), ("a", 1), ("b", 2)], 1, 1),
        ([("a", 3), ("a", 1), ("b", 2)], 2, 2),  # each counts once, with its earliest time
        ([("a", 1), ("a", 3), ("b", 2)], 2, 2),
        ([(CALLER, 0)], 1, None),
        ([(CALLER, 0), ("a", 2)], 1, 2),
        ([("a", 2), (CALLER, 0), ("b", 1)], 2, 2),
    ],
)
def test_it_was_signed_when_as_many_as_were_asked_for_say_so(
    told: list[tuple[str, int]], needed: int, by: int | None
) -> None:
    each = tuple(
        WitnessedTime(time=DAYS[day], witness=name, told="word" if name == CALLER else "promise") for name, day in told
    )
    times = VerifiedTimes(times=each, needed=needed, seal=timestamps._SEAL)
    assert times.proved_by == (None if by is None else DAYS[by])
    assert times.signed_by == min((DAYS[day] for _, day in told), default=None)


@pytest.mark.parametrize(
    ("told", "needed", "stamps", "by"),
    [
        ([("log", 1, False), ("clock", 3, True)], 1, 1, 3),  # the log alone may lie
        ([("log", 3, False), ("clock", 1, True)], 1, 1, 1),
        ([("log", 1, False), ("a", 2, True), ("b", 3, True)], 1, 1, 2),
        ([("log", 1, False), ("a", 2, True), ("b", 3, True)], 1, 2, 3),
        ([("log", 1, False), ("a", 3, True), ("a", 2, True)], 2, 1, 2),
        ([("one", 1, False), ("two", 3, False), ("a", 2, True)], 3, 1, 3),
        ([("log", 1, False), ("clock", 3, True)], 1, 0, 1),  # where nobody asked for clocks
    ],
)
def test_and_when_as_many_clocks_as_were_asked_for_say_so(
    told: list[tuple[str, int, bool]], needed: int, stamps: int, by: int
) -> None:
    each = tuple(
        WitnessedTime(time=DAYS[day], witness=name, told="stamp" if stamped else "promise")
        for name, day, stamped in told
    )
    times = VerifiedTimes(times=each, needed=needed, stamps=stamps, seal=timestamps._SEAL)
    assert times.proved_by == DAYS[by]


def test_what_was_asked_for_stays_with_the_times() -> None:
    (clock,) = SIGSTORE.root().clocks
    found = timed(SIGSTORE.sign(PAYLOAD, identity=ALICE), clock, at_least=1, stamps=1)
    assert (found.needed, found.stamps, [each.told for each in found.times]) == (1, 1, ["stamp"])
    (signed,) = signature.check(SIGSTORE.sign(PAYLOAD, identity=ALICE), ())
    logged = transparency.check(signed, SIGSTORE.root().logs, at_least=1)
    assert [each.told for each in timestamps.check(logged, None, at_least=1).times] == ["promise"]


def test_a_clock_may_be_called_what_the_caller_is() -> None:
    each = (WitnessedTime(time=DAYS[1], witness=CALLER, told="stamp"),)
    assert VerifiedTimes(times=each, needed=1, stamps=1, seal=timestamps._SEAL).proved_by == DAYS[1]


def timed(made: Attestation, *clocks: Authority, **asked: Any) -> VerifiedTimes:
    """The times that stamps by these clocks give."""
    (signed,) = signature.check(made, [signer("trainer").public_key])
    return timestamps.check(transparency.check(signed, None, at_least=0), clocks, **asked)


def test_a_stamp_by_a_stranger_does_not_count_and_does_not_harm() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE, stamps=[*OTHER.clocks, *SIGSTORE.clocks])
    (ours,), (theirs,) = SIGSTORE.root().clocks, OTHER.root().clocks
    assert {t.witness for t in timed(made, ours, at_least=1, stamps=1).times} == {ours.operator}
    assert len(timed(made, ours, theirs, at_least=2, stamps=2).times) == 2
    stranger = VirtualSigstore("third").root().clocks[0]
    assert timed(made, stranger, at_least=0).times == ()
    at = ("verification.time-unproven", "rfc3161Timestamps")
    for clocks, asked in (((ours,), {"at_least": 2}), ((ours,), {"at_least": 1, "stamps": 2}), ((), {"at_least": 0})):
        assert refused(TimeUnproven, timed, made, *clocks, **asked) == at


def test_what_came_without_a_bundle_brings_no_stamp() -> None:
    (clock,) = SIGSTORE.root().clocks
    made = Attestation.parse(bare(honest().run))
    assert timed(made, clock, at_least=0).times == ()
    at = ("verification.time-unproven", "verificationMaterial")
    assert refused(TimeUnproven, timed, made, clock, at_least=1) == at


def test_whoever_is_refused_hears_how_many_witnesses_are_missing() -> None:
    (clock,) = SIGSTORE.root().clocks
    made = Attestation.parse(bare(honest().run))
    for asked, found, wanted in (
        ({"at_least": 2}, "0 witnesses", "at least 2"),
        ({"at_least": 2, "stamps": 1}, "0 witnesses, 0 of them clocks", "at least 2, 1 of them clocks"),
    ):
        with pytest.raises(TimeUnproven) as caught:
            timed(made, clock, **asked)
        assert (caught.value.found, caught.value.wanted) == (found, wanted)


def test_a_log_s_promise_is_no_stamp() -> None:
    (signed,) = signature.check(SIGSTORE.sign(PAYLOAD, identity=ALICE, stamps=0), ())
    root = SIGSTORE.root()
    held = transparency.check(signed, root.logs, at_least=1)
    assert len(timestamps.check(held, root.clocks, at_least=1).times) == 1
    with pytest.raises(TimeUnproven) as caught:
        timestamps.check(held, root.clocks, at_least=1, stamps=1)
    assert (caught.value.code, caught.value.where) == ("verification.time-unproven", "verificationMaterial")
    assert caught.value.found == "1 witnesses, 0 of them clocks"


def test_the_caller_s_word_stands_only_where_no_witness_tells_the_time() -> None:
    (clock,) = SIGSTORE.root().clocks
    stamped, made = SIGSTORE.sign(PAYLOAD, identity=ALICE), Attestation.parse(bare(honest().run))
    assert [told.witness for told in timed(stamped, clock, at_least=1, signed_at=DAYS[0]).times] == [clock.operator]
    assert timed(made, clock, at_least=0, signed_at=DAYS[0]).times == (
        WitnessedTime(time=DAYS[0], witness=CALLER, told="word"),
    )
    at = ("verification.time-unproven", "verificationMaterial")
    assert refused(TimeUnproven, timed, made, clock, at_least=1, signed_at=DAYS[0]) == at


def test_a_log_that_promised_a_time_is_its_operator_s_word() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE)
    (signed,) = signature.check(made, ())
    root = SIGSTORE.root()
    held = transparency.check(signed, root.logs, at_least=1)
    (told,) = timestamps.check(held, None, at_least=1).times
    assert (told.time, told.witness) == (SIGSTORE.clock.now, SIGSTORE.operator)
    # With the stamp of a clock of the same operator it is one witness still.
    assert len(timestamps.check(held, root.clocks, at_least=1, stamps=1).times) == 2
    at = ("verification.time-unproven", "verificationMaterial")
    assert refused(TimeUnproven, timestamps.check, held, root.clocks, at_least=2) == at


def test_a_log_is_believed_at_every_time_that_counts() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE, log="v2")
    (signed,) = signature.check(made, ())
    (clock,) = SIGSTORE.root().clocks
    (log,) = (log for log in SIGSTORE.root().logs if log.log_id == made.bundle.log_entries[0].log_id)  # type: ignore[union-attr]
    (stamped,) = timed(made, clock, at_least=1).times
    tick = timedelta(seconds=1)

    def times(start: datetime, end: datetime | None) -> VerifiedTimes:
        believed = dataclasses.replace(log, window=Window(start=start, end=end))
        held = transparency.check(signed, [believed], at_least=1)
        return timestamps.check(held, [clock], at_least=1)

    assert times(stamped.time, stamped.time).times == (stamped,)
    at = ("verification.outside-validity", f"tlogs {log.name}")
    assert refused(OutsideValidity, times, stamped.time - tick, stamped.time - tick) == at
    assert refused(OutsideValidity, times, stamped.time + tick, None) == at
