"""Does the tamperer leave nothing out, and is each of its mutations one change?"""

import base64
import json
import re
from collections import Counter
from itertools import islice

import pytest

from glasswing_attest.errors import UsageError
from glasswing_attest.testing import VirtualSigstore, tamper
from glasswing_attest.testing.tamper import KINDS, Mutation, mutations

SMALL = b'{"a": {"b": ["x", 1, true, null]}, "c": "eyJkIjoiZSJ9"}'  # c is {"d":"e"}


def of_kind(kind: str, found: list[Mutation]) -> list[str]:
    return [m.path for m in found if m.kind == kind]


def test_a_small_document_in_full() -> None:
    found = list(mutations(SMALL))
    flips = of_kind("flip", found)
    assert flips[: len(SMALL)] == [f"$#{at}" for at in range(len(SMALL))]
    inner = [f"$.c~#{at}" for at in range(len(b'{"d":"e"}'))]
    assert flips[len(SMALL) :] == ["$.a.b[0]#0", "$.a.b[1]", "$.a.b[2]", *inner, "$.c~.d#0"]
    parts = ["$.a", "$.a.b", "$.a.b[0]", "$.a.b[1]", "$.a.b[2]", "$.a.b[3]", "$.c", "$.c~.d"]
    assert [p for p in of_kind("drop", found) if "#" not in p] == parts
    assert of_kind("duplicate", found) == parts
    assert set(of_kind("junk", found)) >= {"$", "$.a", "$.a.b", "$.c", "$.c~", "$.c~.d"}
    assert all(m.data != SMALL for m in found)


def test_a_duplicate_stands_twice_in_the_text() -> None:
    found = {str(m): m.data for m in mutations(SMALL)}
    assert found["duplicate $.a.b[0]"] == b'{"a":{"b":["x","x",1,true,null]},"c":"eyJkIjoiZSJ9"}'
    assert found["duplicate $.a"].count(b'"a":') == 2
    inner = json.loads(found["duplicate $.c~.d"])["c"]
    assert base64.b64decode(inner) == b'{"d":"e","d":"e"}'


def test_der_is_taken_apart() -> None:
    der = bytes.fromhex("300c 020105 0407 3005 0c036a6f65")  # SEQUENCE {5, OCTET STRING {SEQUENCE {"joe"}}}
    document = json.dumps({"cert": base64.b64encode(der).decode()}).encode()
    found = {m.path: m for m in mutations(document) if m.kind == "drop" and "/" in m.path}
    assert list(found) == ["$.cert~/0", "$.cert~/0/0", "$.cert~/0/1", "$.cert~/0/1/0", "$.cert~/0/1/0/0"]
    dropped = base64.b64decode(json.loads(found["$.cert~/0/1/0/0"].data)["cert"])
    assert dropped == bytes.fromhex("3007 020105 0402 3000")  # every length around it is right


def test_every_byte_and_field_of_a_bundle_is_met() -> None:
    sigstore = VirtualSigstore()
    bundle = sigstore.sign(b"{}", identity="alice@example.com").bytes
    found = list(mutations(bundle))
    paths = {m.path for m in found}
    assert {f"$#{at}" for at in range(len(bundle))} <= paths
    entry = "$.verificationMaterial.tlogEntries[0]"
    for place, members in (
        (entry, json.loads(bundle)["verificationMaterial"]["tlogEntries"][0]),
        ("$.dsseEnvelope", json.loads(bundle)["dsseEnvelope"]),
    ):
        assert {f"{place}.{name}" for name in members} <= paths
    assert f"{entry}.canonicalizedBody~.spec.signatures[0].verifier~#0" in paths
    assert f"{entry}.inclusionProof.checkpoint.envelope#line0" in paths
    stamp = "$.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0].signedTimestamp"
    certificate = "$.verificationMaterial.certificate.rawBytes"
    for blob in (stamp, certificate):
        assert sum(p.startswith(f"{blob}~/") for p in paths) > 30
        assert sum(p.startswith(f"{blob}~#") for p in paths) > 400
    assert set(Counter(m.kind for m in found)) == set(KINDS) - {"swap"}
    assert all(m.data != bundle for m in found)


def test_parts_are_swapped_between_bundles() -> None:
    sigstore = VirtualSigstore()
    one, two = (sigstore.sign(payload, identity="alice@example.com").bytes for payload in (b'{"a":1}', b'{"a":2}'))
    swaps = {m.path: json.loads(m.data) for m in mutations(one, other=two) if m.kind == "swap"}
    mine, theirs = json.loads(one), json.loads(two)
    body = "$.verificationMaterial.tlogEntries[0].canonicalizedBody~"
    for path in (
        "$.verificationMaterial.certificate",
        "$.verificationMaterial.tlogEntries",
        "$.verificationMaterial.timestampVerificationData",
        "$.dsseEnvelope.payload",
        "$.dsseEnvelope.signatures",
        "$.dsseEnvelope",
        f"{body}.spec.payloadHash.value",
        f"{body}.spec.signatures",
    ):
        assert path in swaps
    swapped = swaps["$.dsseEnvelope"]
    assert swapped["dsseEnvelope"] == theirs["dsseEnvelope"]
    assert swapped["verificationMaterial"] == mine["verificationMaterial"]
    assert not [m for m in mutations(one, other=one) if m.kind == "swap"]


def test_flips_can_be_sampled_and_nothing_else_is() -> None:
    every = list(mutations(SMALL))
    tenths = [list(mutations(SMALL, every=10, first=first)) for first in range(10)]
    assert sorted(p for found in tenths for p in of_kind("flip", found)) == sorted(of_kind("flip", every))
    for found in tenths:
        assert [str(m) for m in found if m.kind != "flip"] == [str(m) for m in every if m.kind != "flip"]


def test_it_is_lazy() -> None:
    large = json.dumps({"blob": base64.b64encode(bytes(1 << 20)).decode()}).encode()
    assert len(list(islice(mutations(large), 3))) == 3


@pytest.mark.parametrize("wrong", [b"", b"junk", b"\xff"])
def test_what_is_no_json_is_refused(wrong: bytes) -> None:
    with pytest.raises(UsageError, match="JSON"):
        list(mutations(wrong))


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        next(mutations(SMALL, every=0))


def test_the_module_is_what_users_import() -> None:
    assert tamper.mutations is mutations
    assert re.fullmatch(r"flip \$#0", str(next(mutations(SMALL))))
