"""Does a revocation name one signer, and is a list of them read strictly?"""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from glasswing_attest import KeySigner, Trust
from glasswing_attest.errors import (
    FieldMissing,
    FieldRefused,
    LimitError,
    MalformedError,
    NotJson,
    RevocationsUnavailable,
)
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.verification.revocation import check

TIME = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NAIVE = TIME.replace(tzinfo=None)
KEY = "0123456789abcdef" * 4
WHERE = "a list"


# --- one entry -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members", [{"key": KEY}, {"issuer": "i", "san": "s"}, {"authority": "a", "san": "s"}], ids=str
)
def test_an_entry_names_one_signer(members: dict[str, Any]) -> None:
    entry = Revocation(since=TIME, **members)
    wanted = {"key": "", "issuer": "", "authority": "", "san": "", **members}
    assert {name: getattr(entry, name) for name in wanted} == wanted
    assert (entry.since, entry.predicate_types, entry.reason) == (TIME, (), "")


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("san",),
        ("issuer",),
        ("authority",),
        ("key", "san"),
        ("key", "issuer"),
        ("key", "authority"),
        ("key", "issuer", "san"),
        ("key", "authority", "san"),
        ("issuer", "authority"),
        ("issuer", "authority", "san"),
        ("key", "issuer", "authority"),
        ("key", "issuer", "authority", "san"),
    ],
)
def test_an_entry_about_nobody_or_several_is_refused(names: tuple[str, ...]) -> None:
    members: dict[str, Any] = {name: KEY if name == "key" else name for name in names}
    with pytest.raises(FieldRefused) as refused:
        Revocation(since=TIME, **members)
    assert (refused.value.code, refused.value.where) == ("malformed.field", "revocation")


@pytest.mark.parametrize("key", [KEY.upper(), KEY[1:], f"{KEY}0", f"{KEY}\n", f" {KEY}", f"g{KEY[1:]}", "leaked"])
def test_a_key_is_named_by_its_whole_fingerprint(key: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        Revocation(since=TIME, key=key)
    assert (refused.value.code, refused.value.where) == ("malformed.field", "revocation.key")
    assert refused.value.found == key


def test_since_has_a_zone() -> None:
    with pytest.raises(FieldRefused) as refused:
        Revocation(since=NAIVE, key=KEY)
    assert (refused.value.code, refused.value.where) == ("malformed.field", "revocation.since")


SIGNER = {"key": KEY, "issuer": "i", "authority": "", "san": "s", "predicate_type": "t"}
PRIVATE = {**SIGNER, "issuer": "", "authority": "a"}


@pytest.mark.parametrize(
    ("members", "signer", "concerned"),
    [
        ({"key": KEY}, SIGNER, True),
        ({"key": KEY}, {**SIGNER, "issuer": "", "san": ""}, True),
        ({"key": KEY}, {**SIGNER, "key": KEY[::-1]}, False),
        ({"issuer": "i", "san": "s"}, SIGNER, True),
        ({"issuer": "i", "san": "s"}, {**SIGNER, "key": ""}, True),
        ({"issuer": "i", "san": "s"}, {**SIGNER, "issuer": "j"}, False),
        ({"issuer": "i", "san": "s"}, {**SIGNER, "san": "r"}, False),
        ({"issuer": "i", "san": "s"}, {**SIGNER, "authority": "a"}, False),
        ({"issuer": "i", "san": "s"}, PRIVATE, False),
        ({"authority": "a", "san": "s"}, PRIVATE, True),
        ({"authority": "a", "san": "s"}, {**PRIVATE, "san": "r"}, False),
        ({"authority": "a", "san": "s"}, {**PRIVATE, "authority": "b"}, False),
        ({"authority": "a", "san": "s"}, SIGNER, False),
        ({"key": KEY, "predicate_types": ("t", "u")}, SIGNER, True),
        ({"key": KEY, "predicate_types": ("u",)}, SIGNER, False),
        ({"issuer": "i", "san": "s", "predicate_types": ("u", "t")}, SIGNER, True),
        ({"issuer": "i", "san": "s", "predicate_types": ("u",)}, SIGNER, False),
        ({"issuer": "j", "san": "s", "predicate_types": ("t",)}, SIGNER, False),
    ],
)
def test_an_entry_concerns_whom_it_names(members: dict[str, Any], signer: dict[str, str], concerned: bool) -> None:
    assert Revocation(since=TIME, **members).concerns(**signer) is concerned


# --- a list ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"version": 0}, "version"),
        ({"version": -1}, "version"),
        ({"issued": NAIVE}, "expires"),
        ({"expires": NAIVE}, "expires"),
        ({"issued": NAIVE, "expires": NAIVE}, "expires"),
        ({"issued": TIME + TICK}, "expires"),
    ],
)
def test_a_list_that_says_nothing_is_refused(members: dict[str, Any], place: str) -> None:
    said: dict[str, Any] = {"version": 1, "issued": TIME, "expires": TIME, "entries": (), **members}
    with pytest.raises(FieldRefused) as refused:
        RevocationList(**said)
    assert (refused.value.code, refused.value.where) == ("malformed.field", place)


ENTRIES = (
    Revocation(key=KEY, since=TIME, reason="leaked", predicate_types=("t", "u")),
    Revocation(issuer="i", san="s", since=TIME),
    Revocation(authority="a", san="s", since=TIME.astimezone(timezone(timedelta(hours=3)))),
)
LIST = RevocationList.of(ENTRIES, version=1, issued=TIME, expires=TIME)
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "issued": "2026-01-01T00:00:00Z",
    "expires": "2026-01-01T00:00:00Z",
    "entries": [
        {"key": KEY, "since": "2026-01-01T00:00:00Z", "reason": "leaked", "predicateTypes": ["t", "u"]},
        {"issuer": "i", "san": "s", "since": "2026-01-01T00:00:00Z"},
        {"authority": "a", "san": "s", "since": "2026-01-01T00:00:00Z"},
    ],
}


def test_a_list_is_written_and_read_whole() -> None:
    assert REVOCATIONS_TYPE == "application/vnd.glasswing-attest.revocations.v1+json"
    assert json.loads(LIST.to_json()) == DOCUMENT
    assert RevocationList.parse(json.dumps(DOCUMENT).encode()) == RevocationList.parse(LIST.to_json()) == LIST


def test_a_list_is_believed_under_its_own_type_of_payload() -> None:
    signer = KeySigner.generate("ed25519")
    trust = Trust(keys=(TrustedKey(name="security", key=signer.public_key),), revocation_signers=("security",))
    sealed = signer.seal(LIST.to_json(), "application/vnd.glasswing-attest.revocations.v1+json")
    believed = check(sealed, trust, now=TIME)
    assert believed is not None
    assert believed.document == LIST
    other = signer.seal(LIST.to_json(), "application/vnd.in-toto+json")
    with pytest.raises(RevocationsUnavailable) as refused:
        check(other, trust, now=TIME)
    assert (refused.value.code, refused.value.where) == ("unavailable.revocations", "revocations")


def test_a_list_is_made_of_what_is_given() -> None:
    end = TIME + timedelta(days=1)
    made = RevocationList.of(iter(ENTRIES), version=7, issued=TIME, expires=end)
    assert made == RevocationList(version=7, issued=TIME, expires=end, entries=ENTRIES)


def with_entry(**members: Any) -> dict[str, Any]:
    entry = {"key": KEY, "since": "2026-01-01T00:00:00Z", **members}
    return {**DOCUMENT, "entries": [entry]}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in DOCUMENT.items() if key != name}


REFUSED: dict[str, tuple[dict[str, Any], type[MalformedError], str]] = {
    "another member": ({**DOCUMENT, "scope": "all"}, FieldRefused, f"{WHERE}.scope"),
    "no version": (without("version"), FieldMissing, f"{WHERE}.version"),
    "no issue": (without("issued"), FieldMissing, f"{WHERE}.issued"),
    "no end": (without("expires"), FieldMissing, f"{WHERE}.expires"),
    "no entries": (without("entries"), FieldMissing, f"{WHERE}.entries"),
    "one entry alone": ({**DOCUMENT, "entries": {}}, FieldRefused, f"{WHERE}.entries"),
    "a version in words": ({**DOCUMENT, "version": "one"}, FieldRefused, f"{WHERE}.version"),
    "a date": ({**DOCUMENT, "issued": "2026-01-01"}, FieldRefused, f"{WHERE}.issued"),
    "another member of an entry": (with_entry(scope="x"), FieldRefused, f"{WHERE}.entries[0].scope"),
    "an entry of no time": (with_entry(since=None), FieldMissing, f"{WHERE}.entries[0].since"),
    "an entry without types": (with_entry(predicateTypes=[]), FieldRefused, f"{WHERE}.entries[0].predicateTypes"),
    "one type alone": (with_entry(predicateTypes="t"), FieldRefused, f"{WHERE}.entries[0].predicateTypes"),
    "a type that is no text": (with_entry(predicateTypes=[1]), FieldRefused, f"{WHERE}.entries[0].predicateTypes[0]"),
    "a key that is no text": (with_entry(key=1), FieldRefused, f"{WHERE}.entries[0].key"),
    "an issuer that is no text": (with_entry(issuer=1), FieldRefused, f"{WHERE}.entries[0].issuer"),
    "an authority that is no text": (with_entry(authority=1), FieldRefused, f"{WHERE}.entries[0].authority"),
    "a name that is no text": (with_entry(san=1), FieldRefused, f"{WHERE}.entries[0].san"),
    "a reason that is no text": (with_entry(reason=1), FieldRefused, f"{WHERE}.entries[0].reason"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_a_faulty_list_is_refused_where_the_fault_is(which: str) -> None:
    document, error, where = REFUSED[which]
    with pytest.raises(MalformedError) as refused:
        RevocationList.parse(json.dumps(document).encode(), where=WHERE)
    assert (type(refused.value), refused.value.kind, refused.value.where) == (error, "trust", where)


def test_what_is_no_list_is_refused_as_trust() -> None:
    with pytest.raises(NotJson) as refused:
        RevocationList.parse(b"[")
    assert (refused.value.code, refused.value.kind) == ("malformed.json", "trust")
    assert refused.value.where == "revocations"
    with pytest.raises(NotJson) as refused:
        RevocationList.parse(b"[", where=WHERE)
    assert (refused.value.code, refused.value.kind) == ("malformed.json", "trust")
    assert refused.value.where == WHERE


def test_a_list_is_bounded() -> None:
    data = LIST.to_json()
    assert RevocationList.parse(data, limits=Limits(dependencies=3)) == LIST
    with pytest.raises(LimitError) as refused:
        RevocationList.parse(data, where=WHERE, limits=Limits(dependencies=2))
    assert (refused.value.code, refused.value.where, refused.value.found) == ("limit", f"{WHERE}.entries", 3)
    with pytest.raises(LimitError) as refused:
        RevocationList.parse(data, where=WHERE, limits=Limits(json_depth=2))
    assert refused.value.where.startswith(WHERE)
    assert DEFAULT.dependencies > 3
