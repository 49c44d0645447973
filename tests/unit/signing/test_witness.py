"""Which services are asked, and how many of them?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from glasswing_attest.errors import WitnessMissing
from glasswing_attest.signing.witness import Witnesses, usable
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.signing_config import Selection, Service, SigningConfig
from glasswing_attest.trust.sigstore import Window

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT = VirtualSigstore().root()


def service(
    url: str, version: int = 1, operator: str = "", start: timedelta = -DAY, end: timedelta | None = None
) -> Service:
    window = Window(start=NOW + start, end=None if end is None else NOW + end)
    return Service(url=url, version=version, window=window, operator=operator)


def urls(services: Sequence[Service]) -> list[str]:
    return [each.url for each in services]


@pytest.mark.parametrize(
    ("services", "chosen"),
    [
        ([], []),
        ([service("a"), service("b")], ["a", "b"]),
        ([service("a", 1, "x"), service("b", 2, "x"), service("c", 1, "y")], ["b", "c"]),
        ([service("a", 2, "x"), service("b", 1, "x")], ["a"]),
        ([service("a", 3, "x"), service("b", 1, "x")], ["b"]),
        ([service("a", start=DAY), service("b", end=-DAY / 2), service("c", end=timedelta(0))], ["c"]),
        ([service("a", 1, "x"), service("b", 1, "x", start=-DAY / 2)], ["b"]),
        ([service("a", 2, "x", end=-DAY / 2), service("b", 1, "x")], ["b"]),
    ],
)
def test_of_each_operator_the_highest_version_that_is_spoken_and_to_be_used_now(
    services: list[Service], chosen: list[str]
) -> None:
    assert urls(usable(services, {1, 2}, NOW)) == chosen


def config(logs: list[Service], clocks: list[Service], /, **selections: Any) -> SigningConfig:
    any_of = Selection(selector="any")
    return SigningConfig(
        authorities=(),
        identity_providers=(),
        logs=tuple(logs),
        log_selection=selections.get("logs", any_of),
        clocks=tuple(clocks),
        clock_selection=selections.get("clocks", any_of),
    )


def select(selector: Literal["any", "all", "exact"], count: int = 0) -> Selection:
    return Selection(selector=selector, count=count)


V1, V2 = [service("v1", 1, "a")], [service("v2", 2, "a")]
TWO_LOGS = [service("v1", 1, "a"), service("v2", 2, "b")]
CLOCKS = [service("t1", 1, "a"), service("t2", 1, "b"), service("t3", 1, "c")]


@pytest.mark.parametrize(
    ("made", "needs", "counts"),
    [
        (config(V1, CLOCKS), {}, (1, 1)),
        (config(V1, []), {"logs": 1, "times": 1}, (1, 0)),
        (config(V2, CLOCKS), {"logs": 1, "times": 1}, (1, 1)),
        (config(TWO_LOGS, CLOCKS, logs=select("all"), clocks=select("all")), {}, (2, 3)),
        (config(TWO_LOGS, CLOCKS, clocks=select("exact", 2)), {}, (1, 2)),
        (config(TWO_LOGS, CLOCKS), {"logs": 2}, (2, 1)),
        (config(V1, CLOCKS), {"stamps": 2}, (1, 2)),
        # The log tells a time as well, and its operator is the first clock's: another clock is asked.
        (config(V1, CLOCKS), {"times": 2}, (1, 2)),
        (config(V2, CLOCKS), {"times": 3}, (1, 3)),
        (config([service("v1", 1, "z")], CLOCKS), {"times": 2}, (1, 1)),
        (config([], CLOCKS), {"times": 1}, (0, 1)),
    ],
)
def test_as_many_as_the_config_says_and_as_the_trust_asks_for(
    made: SigningConfig, needs: dict[str, Any], counts: tuple[int, int]
) -> None:
    witnesses = Witnesses.chosen(made, ROOT, now=NOW, **needs)
    assert (witnesses.log_count, witnesses.clock_count) == counts


@pytest.mark.parametrize(
    ("made", "needs", "where"),
    [
        (config([], CLOCKS), {"logs": 1}, "signing config: rekorTlogUrls"),
        (config(V1, CLOCKS), {"logs": 2}, "signing config: rekorTlogUrls"),
        (config([service("v3", 3)], CLOCKS), {"logs": 1}, "signing config: rekorTlogUrls"),
        (config(V2, []), {"times": 1}, "signing config: tsaUrls"),
        (config(V1, []), {"stamps": 1}, "signing config: tsaUrls"),
        (config(V1, CLOCKS[:1]), {"times": 2}, "signing config: tsaUrls"),
        (config(V1, CLOCKS), {"times": 4}, "signing config: tsaUrls"),
        (config(TWO_LOGS, [], logs=select("exact", 3)), {}, "signing config: rekorTlogUrls"),
    ],
)
def test_too_few_are_an_error(made: SigningConfig, needs: dict[str, Any], where: str) -> None:
    with pytest.raises(WitnessMissing) as refused:
        Witnesses.chosen(made, ROOT, now=NOW, **needs)
    assert (refused.value.code, refused.value.where) == ("signing.witness", where)
