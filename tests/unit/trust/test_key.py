"""Is a key believed under its name, within its window, and refused where it means nothing?"""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from glasswing_attest import KeySigner
from glasswing_attest.errors import TrustRefused, UsageError
from glasswing_attest.trust.key import TrustedKey, Witness, in_utc

KEY = KeySigner.generate("ed25519").public_key
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  # without a zone on purpose


class Nowhere(tzinfo):
    """A zone that does not know how far it is from UTC."""

    def utcoffset(self, _: datetime | None) -> None:
        return None

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> None:
        return None


@pytest.mark.parametrize(("logs", "times"), [(1, 0), (0, 1), (1, 1), (2, 3)])
def test_a_witness_is_a_log_or_a_time(logs: int, times: int) -> None:
    made = Witness(root="r", logs=logs, times=times)
    assert (made.root, made.logs, made.times) == ("r", logs, times)


@pytest.mark.parametrize(("logs", "times"), [(0, 0), (-1, 2), (2, -1), (-1, 1), (1, -1), (-1, -1)])
def test_no_witness_is_none(logs: int, times: int) -> None:
    with pytest.raises(TrustRefused) as refused:
        Witness(root="r", logs=logs, times=times)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", "witness")


@pytest.mark.parametrize("key", ["a key", KEY.pem, None, KEY.der], ids=["text", "PEM", "None", "DER"])
def test_a_key_is_a_key(key: Any) -> None:
    with pytest.raises(UsageError) as refused:
        TrustedKey(name="a", key=key)
    assert (refused.value.code, refused.value.where) == (UsageError.code, "keys.a.key")
    assert refused.value.found == type(key).__name__


@pytest.mark.parametrize("label", ["valid_from", "valid_until"])
@pytest.mark.parametrize("time", [NAIVE, NAIVE.replace(tzinfo=Nowhere()), "2026-01-01T00:00:00Z", 0, START.date()])
def test_a_time_has_its_zone(label: str, time: Any) -> None:
    with pytest.raises(TrustRefused) as refused:
        TrustedKey(name="a", key=KEY, **{label: time})
    assert (refused.value.code, refused.value.where) == ("malformed.trust", f"keys.a.{label}")
    assert refused.value.found == str(time)


@pytest.mark.parametrize(("year", "hours"), [(1, 14), (9999, -14)])
@pytest.mark.parametrize("label", ["valid_from", "valid_until"])
def test_a_time_lies_in_the_years_that_can_be_written(year: int, hours: int, label: str) -> None:
    month, day = (1, 1) if hours > 0 else (12, 31)
    zoned = datetime(year, month, day, 13 * (hours < 0), tzinfo=timezone(timedelta(hours=hours)))
    with pytest.raises(TrustRefused) as refused:
        TrustedKey(name="a", key=KEY, **{label: zoned})  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.where) == ("malformed.trust", f"keys.a.{label}")
    assert refused.value.found == str(zoned)


def test_times_are_kept_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    key = TrustedKey(name="a", key=KEY, valid_from=START.astimezone(zone), valid_until=END.astimezone(zone))
    assert key.valid_from is not None
    assert key.valid_until is not None
    # Not in the zone where this machine stands, though it may be the same.
    assert key.valid_from.tzinfo is key.valid_until.tzinfo is UTC
    assert key == TrustedKey(name="a", key=KEY, valid_from=START, valid_until=END)
    assert key.window == "from 2026-01-01T00:00:00Z until 2027-01-01T00:00:00Z"
    assert in_utc(None, "x") is None


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"name": ""}, "keys['']"),
        ({"keyids": ()}, "keys.a"),
        ({"name": "", "keyids": ()}, "keys['']"),
        ({"valid_from": END, "valid_until": END - TICK}, "keys.a"),
        ({"name": "a.b", "keyids": ()}, "keys['a.b']"),
    ],
)
def test_a_key_that_means_nothing_is_refused_where_it_stands(members: dict[str, Any], place: str) -> None:
    named: dict[str, Any] = {"name": "a", "key": KEY, **members}
    with pytest.raises(TrustRefused) as refused:
        TrustedKey(**named)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", place)


def test_what_is_not_said_of_a_key_asks_for_nothing() -> None:
    key = TrustedKey(name="a", key=KEY)
    assert (key.valid_from, key.valid_until, key.keyids, key.witness) == (None, None, None, None)
    assert key.window == "from any time until any time"
    assert TrustedKey(name="a", key=KEY, keyids=("",)).keyids == ("",)


@pytest.mark.parametrize(
    ("members", "covered"),
    [
        ({"valid_from": START}, [False, True, True, True, True, True]),
        ({"valid_until": END}, [True, True, True, True, True, False]),
        ({"valid_from": START, "valid_until": END}, [False, True, True, True, True, False]),
        ({"valid_from": START, "valid_until": START}, [False, True, False, False, False, False]),
        ({}, [True] * 6),
    ],
)
def test_a_window_is_closed_at_the_ends_that_it_has(members: dict[str, Any], covered: list[bool]) -> None:
    key = TrustedKey(name="a", key=KEY, **members)
    times = (START - TICK, START, START + TICK, END - TICK, END, END + TICK)
    assert [key.covers(time) for time in times] == covered
