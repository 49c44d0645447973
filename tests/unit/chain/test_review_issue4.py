"""What a fresh review found of issue 4: may a stranger's link leave a layout undecided, or a mistaken call crash?"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from glasswing_attest.chain.layout.check import Sublayout, VerifiedLayout, verify_layout
from glasswing_attest.errors import KeyUntrusted, LimitError, StepUnproven, UsageError
from glasswing_attest.limits import Limits
from tests.layouts import envelope, layout, link, metablock, public, step, things

AT = datetime(2026, 1, 1, tzinfo=UTC)
OWNER, ALICE, MALLORY = (CryptoSigner.generate_ed25519() for _ in range(3))
WROTE = link("write", products=things(foo__py="a"))
MADE = metablock(WROTE, ALICE)
DOCUMENT = metablock(layout(step("write", ALICE), signers=(ALICE,)), OWNER)


def followed(*links: bytes, document: bytes = DOCUMENT, at: Any = AT, **more: Any) -> VerifiedLayout:
    return verify_layout(document, links, keys=[public(OWNER)], at=at, **more)


def with_signatures(data: bytes, count: int) -> bytes:
    plain = json.loads(data)
    return json.dumps({**plain, "signatures": plain["signatures"] * count}).encode()


def with_payload(data: bytes, payload: bytes) -> bytes:
    return json.dumps({**json.loads(data), "payload": base64.b64encode(payload).decode()}).encode()


SMALL = Limits(bundle_bytes=20_000, statement_bytes=4_000, json_values=1_000)
TOO_MUCH: Mapping[str, bytes] = {
    "signatures": with_signatures(metablock(WROTE, MALLORY), 33),
    "depth": b"[" * 100 + b"]" * 100,
    "values": b"[" + b"1," * 1_001 + b"1]",
    "bytes": b" " * 20_001,
    "link": metablock({**WROTE, "more": "x" * 4_000}, MALLORY),
    "payload": with_payload(envelope(WROTE, MALLORY), b" " * 4_001),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_a_stranger_makes_too_large_is_left_aside(name: str) -> None:
    junk = TOO_MUCH[name]
    for links in ((MADE, junk), (junk, MADE)):
        assert followed(*links, limits=SMALL).steps == followed(MADE).steps
    below = Sublayout(layout=junk, links=())
    assert followed(MADE, sublayouts={"write": [below]}, limits=SMALL).steps == followed(MADE).steps
    # It makes no no into a yes, and of nothing but it nothing follows.
    with pytest.raises(StepUnproven) as refused:
        followed(sublayouts={"write": [below]}, limits=SMALL)
    assert refused.value.where == "steps.write"
    assert isinstance(refused.value.__cause__, KeyUntrusted)
    assert isinstance(refused.value.__cause__.__cause__, LimitError)


def test_what_exceeds_the_limits_of_the_whole_leaves_it_undecided() -> None:
    strange = metablock(WROTE, MALLORY)
    with pytest.raises(LimitError) as refused:
        followed(*[strange] * 10, MADE, limits=Limits(signature_checks_in_all=10))
    assert (refused.value.code, refused.value.where) == ("limit", "$.signatures")


INSPECTED = metablock(
    layout(step("write", ALICE), signers=(ALICE,), inspect=[{"name": "look", "run": ["ls"]}]),
    OWNER,
)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"threshold": "1"}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": 1.0}, "threshold"),
        ({"at": "2026-01-01T00:00:00Z"}, "at"),
        ({"substitution": {"V": 1}}, "substitution['V']"),
        ({"sublayouts": {"write": [MADE]}}, "sublayouts['write'][0]"),
        ({"document": INSPECTED, "inspections": {"look": {}}}, "inspections['look']"),
    ],
)
def test_a_call_with_values_of_another_type_is_refused(more: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError) as refused:
        followed(MADE, **more)
    assert (refused.value.code, refused.value.where) == ("usage", where)
