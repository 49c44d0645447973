"""Which lines about a trust did no test ask for? Each test here kills what survived: see docs/mutation.md."""

import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from glasswing_attest import KeySigner, Trust
from glasswing_attest.errors import LimitError, TrustExpired, TrustRefused, UsageError
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.key import TrustedKey, Witness
from glasswing_attest.trust.sigstore import GITHUB, Root

KEY, OTHER = (KeySigner.generate("ed25519").public_key for _ in "ab")
A, B = TrustedKey(name="a", key=KEY), TrustedKey(name="b", key=OTHER)
ROOT = VirtualSigstore("r").root()
SECOND = replace(ROOT, name="another")
TIME = datetime(2027, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("members", "place", "found"),
    [
        ({"keys": "keys"}, "keys", "str"),
        ({"keys": b"keys"}, "keys", "bytes"),
        ({"keys": {"a": A}}, "keys", "dict"),
        ({"keys": {}, "roots": (ROOT,)}, "keys", "dict"),
        ({"keys": "", "roots": (ROOT,)}, "keys", "str"),
        ({"keys": A}, "keys", "TrustedKey"),
        ({"keys": None}, "keys", "NoneType"),
        ({"keys": (KEY,)}, "keys[0]", "PublicKey"),
        ({"keys": (A, KEY)}, "keys[1]", "PublicKey"),
        ({"keys": (ROOT,)}, "keys[0]", "Root"),
        ({"roots": "roots"}, "roots", "str"),
        ({"roots": b"", "keys": (A,)}, "roots", "bytes"),
        ({"roots": {"r": ROOT}}, "roots", "dict"),
        ({"roots": ROOT}, "roots", "Root"),
        ({"roots": (ROOT, A)}, "roots[1]", "TrustedKey"),
    ],
)
def test_a_trust_is_made_of_keys_and_roots(members: dict[str, Any], place: str, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        Trust(**members)
    assert (refused.value.code, refused.value.where, refused.value.found) == (UsageError.code, place, found)


def test_keys_and_roots_are_kept_sorted_in_tuples() -> None:
    trust = Trust(keys=[B, A], roots=iter([ROOT, SECOND]))  # type: ignore[arg-type]
    assert (trust.keys, trust.roots, trust.names) == ((A, B), (SECOND, ROOT), ("a", "b"))
    assert (trust.root("r"), trust.root("another")) == (ROOT, SECOND)
    assert (trust.revocation_signers, trust.expires) == ((), None)


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({}, "trust"),
        ({"keys": (A, TrustedKey(name="a", key=OTHER))}, "keys"),
        ({"keys": (A, A)}, "keys"),
        ({"roots": (ROOT, ROOT)}, "roots"),
        ({"keys": (A,), "roots": (ROOT, SECOND, ROOT)}, "roots"),
        ({"keys": (A,), "revocation_signers": ("b",)}, "revocations.signed_by"),
        ({"keys": (A,), "revocation_signers": ("a", "b")}, "revocations.signed_by"),
        ({"roots": (ROOT,), "revocation_signers": ("r",)}, "revocations.signed_by"),
        ({"keys": (A,), "expires": TIME.replace(tzinfo=None)}, "expires"),
        ({"keys": (replace(A, witness=Witness(root="r", logs=1, times=0)),)}, "keys.a.witness.root"),
        (
            {"keys": (B, replace(A, witness=Witness(root="a", logs=1, times=0))), "roots": (ROOT,)},
            "keys.a.witness.root",
        ),
        (
            {"keys": (replace(A, name="a.b", witness=Witness(root="x", logs=1, times=0)),), "roots": (ROOT,)},
            "keys['a.b'].witness.root",
        ),
    ],
)
def test_a_trust_that_means_nothing_is_refused(members: dict[str, Any], place: str) -> None:
    with pytest.raises(TrustRefused) as refused:
        Trust(**members)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", place)


def test_a_name_may_stand_for_a_key_and_a_root() -> None:
    witnessed = replace(A, name="r", witness=Witness(root="r", logs=0, times=1))
    trust = Trust(keys=(witnessed, B), roots=(ROOT,), revocation_signers=("r", "b"))
    assert (trust.keys, trust.revocation_signers) == ((B, witnessed), ("r", "b"))


def test_a_few_names_are_shown() -> None:
    for number, more in ((8, ""), (9, " …")):
        trust = Trust.of({f"k{n}": KEY for n in range(number)})
        assert repr(trust) == f"Trust(keys {', '.join(f'k{n}' for n in range(8))}{more})"


def test_as_many_keys_as_the_limit_says() -> None:
    most = DEFAULT.trusted_keys
    assert len(Trust.of({f"k{n}": KEY for n in range(most)}).keys) == most
    with pytest.raises(LimitError) as refused:
        Trust(keys=tuple(TrustedKey(name=f"k{n}", key=KEY) for n in range(most + 1)))
    assert (refused.value.code, refused.value.where, refused.value.found) == ("limit", "keys", most + 1)


def test_keys_by_name() -> None:
    trust = Trust.of({"b": OTHER}, a=KEY)
    assert trust.keys == (A, B)
    assert Trust.of({"a": OTHER}, a=KEY).keys == (A,)
    for given, named in (({"x": "pem"}, {}), ({"a": KEY}, {"x": b"pem"})):
        with pytest.raises(UsageError) as refused:
            Trust.of(given, **named)  # type: ignore[arg-type]
        assert (refused.value.code, refused.value.where) == (UsageError.code, "Trust.of(x)")


# --- files -----------------------------------------------------------------------------------------------------------


def test_files_and_bytes_are_bounded(tmp_path: Path) -> None:
    data = Trust(keys=(A,)).to_json()
    path = tmp_path / "trust.json"
    path.write_bytes(data)
    enough, less = Limits(policy_bytes=len(data)), Limits(policy_bytes=len(data) - 1)
    assert Trust.load(path, limits=enough) == Trust.parse(data, limits=enough) == Trust(keys=(A,))
    with pytest.raises(LimitError) as loaded:
        Trust.load(str(path), limits=less)
    with pytest.raises(LimitError) as parsed:
        Trust.parse(data, suffix=".json", limits=less)
    assert (loaded.value.code, loaded.value.where) == ("limit", str(path))
    assert (parsed.value.code, parsed.value.where) == ("limit", "trust")


def test_bytes_are_yaml_and_stand_where_the_caller_says() -> None:
    with pytest.raises(TrustRefused) as refused:
        Trust.parse(b"version: 1")
    assert refused.value.where == "trust"
    with pytest.raises(TrustRefused) as refused:
        Trust.parse(b"version: 1", where="their trust")
    assert refused.value.where == "their trust"


# --- what is written -------------------------------------------------------------------------------------------------


def test_what_is_written_is_all_that_decides() -> None:
    key = TrustedKey(
        name="a",
        key=KEY,
        valid_from=TIME,
        valid_until=TIME + timedelta(days=1),
        keyids=("one",),
        witness=Witness(root="r", logs=1, times=2),
    )
    pss = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    narrow, wide = PublicKey.of(pss, scheme="rsassa-pss-sha256"), PublicKey.of(pss)
    github = Root.parse(ROOT.raw, name="r", profile=GITHUB)
    trust = Trust(
        keys=(key, TrustedKey(name="narrow", key=narrow), TrustedKey(name="wide", key=wide)),
        roots=(github,),
        revocation_signers=("wide",),
        expires=TIME.astimezone(timezone(timedelta(hours=5))),
    )
    assert json.loads(trust.to_json()) == {
        "version": 1,
        "expires": "2027-01-01T00:00:00Z",
        "keys": {
            "a": {
                "public_key": KEY.pem,
                "valid_from": "2027-01-01T00:00:00Z",
                "valid_until": "2027-01-02T00:00:00Z",
                "scheme": "ed25519",
                "keyids": ["one"],
                "witness": {"root": "r", "logs": 1, "times": 2},
            },
            "narrow": {"public_key": narrow.pem, "scheme": "rsassa-pss-sha256"},
            "wide": {"public_key": wide.pem},
        },
        "roots": {"r": {"document": ROOT.raw.decode(), "profile": asdict(GITHUB)}},
        "revocations": {"signed_by": ["wide"]},
    }
    assert trust.digest == hashlib.sha256(trust.to_json()).hexdigest()
    assert json.loads(Trust(keys=(A,)).to_json()) == {
        "version": 1,
        "keys": {"a": {"public_key": KEY.pem, "scheme": "ed25519"}},
    }
    assert json.loads(Trust(roots=(github,)).to_json())["keys"] == {}


def test_a_root_that_is_not_there() -> None:
    for trust, wanted in ((Trust(keys=(A,)), "a root"), (Trust(roots=(ROOT, SECOND)), "another, r")):
        with pytest.raises(UsageError) as refused:
            trust.root("x")
        assert (refused.value.code, refused.value.where, refused.value.found) == (UsageError.code, "trust", "x")
        assert refused.value.wanted == wanted


def test_trust_is_fresh_until_its_last_moment() -> None:
    trust = Trust(keys=(A,), expires=TIME)
    for now in (TIME - TICK, TIME):
        trust.require_fresh(now)
    with pytest.raises(TrustExpired) as refused:
        trust.require_fresh(TIME + TICK)
    assert (refused.value.code, refused.value.where) == ("unavailable.trust-expired", "trust")
    Trust(keys=(A,)).require_fresh(TIME)
