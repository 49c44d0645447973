"""Is a trusted root read strictly, and does each of its witnesses count once?"""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from glasswing_attest.errors import (
    Base64Refused,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotPem,
    TrustRefused,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.sigstore import GITHUB, PROFILES, PUBLIC_GOOD, Log, Profile, Root, Window
from tests.private_pki import Pki

START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ROOT = VirtualSigstore("r").root()
NOBODY = Profile(scts=0, logs=0, times=0, private=True)
PKI = Pki()
Change = Callable[[Any], object]


# --- windows and logs ------------------------------------------------------------------------------------------------


def test_a_window_is_closed_at_both_ends() -> None:
    moment = Window(start=START, end=START)
    assert [moment.contains(time) for time in (START - TICK, START, START + TICK)] == [False, True, False]
    onwards = Window(start=START)
    assert [onwards.contains(time) for time in (START - TICK, START, START + TICK)] == [False, True, True]


def test_a_log_is_named_by_four_bytes_of_its_key_or_of_its_id() -> None:
    log = dataclasses.replace(ROOT.logs[0], log_id=bytes(range(32)))
    assert log.key_hashes == {hashlib.sha256(log.key.der).digest()[:4], b"\x00\x01\x02\x03"}


# --- profiles --------------------------------------------------------------------------------------------------------


def test_the_profiles_ask_for_what_they_say() -> None:
    usual = {"stamps": 0, "embedded_roots": "refuse", "private": False}
    assert dataclasses.asdict(PUBLIC_GOOD) == {"scts": 1, "logs": 1, "times": 1, **usual}
    assert dataclasses.asdict(GITHUB) == {"scts": 0, "logs": 0, "times": 1, **usual}
    assert PROFILES == {"public-good": PUBLIC_GOOD, "github": GITHUB}


@pytest.mark.parametrize("name", ["scts", "logs", "times", "stamps"])
@pytest.mark.parametrize("value", [-1, True, "1", 1.0, None])
@pytest.mark.parametrize("private", [True, False])
def test_a_profile_counts_in_whole_numbers(name: str, value: Any, private: bool) -> None:
    members: dict[str, Any] = {"scts": 1, "logs": 1, "times": 1, "private": private, name: value}
    with pytest.raises(TrustRefused) as refused:
        Profile(**members)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", f"profile.{name}")
    assert refused.value.found is value


def test_only_a_private_authority_may_do_without_a_time() -> None:
    assert Profile(scts=0, logs=0, times=0, stamps=0, private=True).times == 0
    assert Profile(scts=0, logs=0, times=1).times == 1
    with pytest.raises(TrustRefused) as refused:
        Profile(scts=0, logs=0, times=0)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", "profile.times")


@pytest.mark.parametrize("value", [1, "true", None])
def test_private_is_yes_or_no(value: Any) -> None:
    with pytest.raises(TrustRefused) as refused:
        Profile(scts=0, logs=0, times=0, private=value)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", "profile.private")


def test_embedded_roots_are_refused_or_ignored() -> None:
    assert Profile(scts=0, logs=0, times=1, embedded_roots="ignore").embedded_roots == "ignore"
    with pytest.raises(TrustRefused) as refused:
        Profile(scts=0, logs=0, times=1, embedded_roots="believe")  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.where) == ("malformed.trust", "profile.embedded_roots")


# --- roots -----------------------------------------------------------------------------------------------------------


def root_of(*parts: str, profile: Profile = NOBODY) -> Root:
    """A root with these parts of an honest one."""
    every: dict[str, tuple[Any, ...]] = {"authorities": (), "logs": (), "ct_logs": (), "clocks": ()}
    every.update({part: getattr(ROOT, part) for part in parts})
    return Root(name="r", profile=profile, raw=b"", **every)


@pytest.mark.parametrize("part", ["authorities", "logs", "clocks"])
def test_one_witness_or_authority_makes_a_root(part: str) -> None:
    assert getattr(root_of(part), part) == getattr(ROOT, part)


@pytest.mark.parametrize("parts", [(), ("ct_logs",)])
def test_a_root_of_nobody_is_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(TrustRefused) as refused:
        root_of(*parts)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", "roots.r")


def test_a_root_carries_its_document_and_does_not_show_it() -> None:
    assert ROOT.raw.startswith(b"{")
    assert repr(ROOT) == "Root(r: 1 authority, 2 logs, 1 certificate log, 1 clock)"
    with pytest.raises(TypeError, match="raw"):
        Root(name="r", profile=NOBODY, authorities=ROOT.authorities, logs=(), ct_logs=(), clocks=())  # type: ignore[call-arg]


AVAILABLE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "scts": (("ct_logs", "authorities"), ("logs", "clocks", "authorities")),
    "logs": (("logs",), ("ct_logs", "clocks", "authorities")),
    "stamps": (("clocks",), ("logs", "ct_logs", "authorities")),
}


@pytest.mark.parametrize("what", AVAILABLE)
def test_each_demand_is_met_by_witnesses_of_its_kind(what: str) -> None:
    enough, others = AVAILABLE[what]
    asks = dataclasses.replace(NOBODY, **{what: 1})  # type: ignore[arg-type]
    assert root_of(*enough, profile=asks).profile == asks
    # Two logs of one operator stand there, but they are one witness.
    for parts, number in ((enough, 2), (others, 1)):
        with pytest.raises(TrustRefused) as refused:
            root_of(*parts, profile=dataclasses.replace(NOBODY, **{what: number}))  # type: ignore[arg-type]
        assert (refused.value.code, refused.value.where) == ("malformed.trust", f"roots.r.profile.{what}")
        assert refused.value.found == number


def test_times_come_from_clocks_and_from_logs() -> None:
    asks = dataclasses.replace(NOBODY, times=1)
    assert root_of("clocks", profile=asks).profile == root_of("logs", profile=asks).profile == asks
    # A clock and a log of one operator are one witness of the time, too.
    for parts, number in ((("clocks", "logs"), 2), (("ct_logs", "authorities"), 1)):
        with pytest.raises(TrustRefused) as refused:
            root_of(*parts, profile=dataclasses.replace(NOBODY, times=number))
        assert (refused.value.code, refused.value.where) == ("malformed.trust", "roots.r.profile.times")
    clock = dataclasses.replace(ROOT.clocks[0], operator="other.example")
    twice = dataclasses.replace(NOBODY, times=2)
    assert Root(name="r", profile=twice, raw=b"", authorities=(), logs=ROOT.logs, ct_logs=(), clocks=(clock,)).logs


@pytest.mark.parametrize(("part", "place"), [("logs", "roots.r.logs"), ("ct_logs", "roots.r.ctlogs")])
@pytest.mark.parametrize(
    "change",
    [
        {"log_id": b"another"},
        {"operator": "other.example"},
        {"name": "another"},
        {"key": ROOT.ct_logs[0].key, "name": "another"},
        {"key": ROOT.logs[1].key, "operator": "other.example"},
    ],
    ids=["a second id", "a second operator", "a second name", "one id", "one id and another operator"],
)
def test_one_key_is_one_log_and_one_id(part: str, place: str, change: dict[str, Any]) -> None:
    first: Log = ROOT.logs[0]
    logs = {"logs": (), "ct_logs": (), part: (first, dataclasses.replace(first, **change))}
    with pytest.raises(TrustRefused) as refused:
        Root(name="r", profile=NOBODY, authorities=ROOT.authorities, clocks=(), raw=b"", **logs)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", place)


# --- documents -------------------------------------------------------------------------------------------------------


def document() -> Any:
    return json.loads(ROOT.raw)


def parse(changed: Any, **how: Any) -> Root:
    how = {"profile": NOBODY, "where": "doc", **how}
    return Root.parse(json.dumps(changed).encode(), name="r", **how)


def refusal(changed: Any, **how: Any) -> GlasswingError:
    with pytest.raises(GlasswingError) as refused:
        parse(changed, **how)
    assert getattr(refused.value, "kind", "trust") == "trust"
    return refused.value


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    ],
)
def test_three_media_types_mean_a_trusted_root(media_type: str) -> None:
    found = parse({**document(), "mediaType": media_type})
    assert (found.name, found.logs, found.clocks) == ("r", ROOT.logs, ROOT.clocks)


def test_where_a_document_stands_is_said_as_the_caller_says_it() -> None:
    found = refusal({**document(), "mediaType": "x"})
    assert (type(found), found.code, found.where) == (FieldRefused, "malformed.field", "doc.mediaType")
    assert (found.found, found.wanted) == ("x", "application/vnd.dev.sigstore.trustedroot+json;version=0.1")
    missing = refusal({}, where="trusted root")
    assert (type(missing), missing.where) == (FieldMissing, "trusted root.mediaType")
    with pytest.raises(FieldMissing) as refused:
        Root.parse(b"{}", name="r", profile=NOBODY)
    assert refused.value.where == "trusted root.mediaType"


def delete(*path: str | int) -> Change:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return change


def put(*path: Any) -> Change:
    """A change of a member: its path, and what stands there then."""

    def change(value: Any) -> None:
        for step in path[:-2]:
            value = value[step]
        value[path[-2]] = path[-1]

    return change


LOG, CLOCK = ("tlogs", 0), ("timestampAuthorities", 0)
REFUSED: dict[str, tuple[Change, type[GlasswingError], str]] = {
    "no key": (delete(*LOG, "publicKey"), FieldMissing, "doc.tlogs[0].publicKey"),
    "no bytes": (delete(*LOG, "publicKey", "rawBytes"), FieldMissing, "doc.tlogs[0].publicKey.rawBytes"),
    "no base64": (put(*LOG, "publicKey", "rawBytes", "é"), Base64Refused, "doc.tlogs[0].publicKey.rawBytes"),
    "junk for a key": (put(*LOG, "publicKey", "rawBytes", "AAAA"), NotPem, "doc.tlogs[0].publicKey.rawBytes"),
    "a key on a curve that says it is one of RSA": (
        put(*LOG, "publicKey", "keyDetails", "PKCS1_RSA_PKCS1V5"),
        NotPem,
        "doc.tlogs[0].publicKey.rawBytes",
    ),
    "details that are no text": (
        put(*LOG, "publicKey", "keyDetails", 5),
        FieldRefused,
        "doc.tlogs[0].publicKey.keyDetails",
    ),
    "no window of a log": (
        delete(*LOG, "publicKey", "validFor"),
        FieldMissing,
        "doc.tlogs[0].publicKey.validFor.start",
    ),
    "an empty window": (put(*LOG, "publicKey", "validFor", {}), FieldMissing, "doc.tlogs[0].publicKey.validFor.start"),
    "an end alone": (
        put(*LOG, "publicKey", "validFor", {"end": "2030-01-01T00:00:00Z"}),
        FieldMissing,
        "doc.tlogs[0].publicKey.validFor.start",
    ),
    "an end before the start": (
        put(*LOG, "publicKey", "validFor", {"start": "2026-01-01T00:00:00Z", "end": "2025-12-31T23:59:59Z"}),
        FieldRefused,
        "doc.tlogs[0].publicKey.validFor",
    ),
    "an end that is no time": (
        put(*LOG, "publicKey", "validFor", "end", "never"),
        FieldRefused,
        "doc.tlogs[0].publicKey.validFor.end",
    ),
    "an id without its bytes": (put(*LOG, "logId", {}), FieldMissing, "doc.tlogs[0].logId.keyId"),
    "an id of no bytes": (put(*LOG, "logId", "keyId", ""), FieldRefused, "doc.tlogs[0].logId"),
    "an id of three bytes": (put(*LOG, "logId", "keyId", "AAAA"), FieldRefused, "doc.tlogs[0].logId"),
    "an operator that is no text": (put(*LOG, "operator", 5), FieldRefused, "doc.tlogs[0].operator"),
    "a url that is no text": (put(*LOG, "baseUrl", 5), FieldRefused, "doc.tlogs[0].baseUrl"),
    "no chain": (delete(*CLOCK, "certChain"), FieldMissing, "doc.timestampAuthorities[0].certChain"),
    "no certificates": (
        delete(*CLOCK, "certChain", "certificates"),
        FieldMissing,
        "doc.timestampAuthorities[0].certChain.certificates",
    ),
    "none of them": (
        put(*CLOCK, "certChain", "certificates", []),
        FieldMissing,
        "doc.timestampAuthorities[0].certChain.certificates",
    ),
    "one without bytes": (
        put(*CLOCK, "certChain", "certificates", 0, {}),
        FieldMissing,
        "doc.timestampAuthorities[0].certChain.certificates[0].rawBytes",
    ),
    "no window of a clock": (delete(*CLOCK, "validFor"), FieldMissing, "doc.timestampAuthorities[0].validFor.start"),
    "an operator of a clock that is no text": (
        put(*CLOCK, "operator", 5),
        FieldRefused,
        "doc.timestampAuthorities[0].operator",
    ),
}


@pytest.mark.parametrize("which", REFUSED)
def test_a_faulty_root_is_refused_where_the_fault_is(which: str) -> None:
    change, error, where = REFUSED[which]
    changed = document()
    change(changed)
    found = refusal(changed)
    assert (type(found), found.where) == (error, where)


@pytest.mark.parametrize("part", ["certificateAuthorities", "tlogs", "ctlogs", "timestampAuthorities"])
def test_each_part_may_be_absent_and_is_bounded(part: str) -> None:
    less = document()
    del less[part]
    names = {"certificateAuthorities": "authorities", "ctlogs": "ct_logs", "tlogs": "logs"}
    wanted = {"authorities": ROOT.authorities, "logs": ROOT.logs, "ct_logs": ROOT.ct_logs, "clocks": ROOT.clocks}
    wanted[names.get(part, "clocks")] = ()
    found = parse(less)
    assert {name: getattr(found, name) for name in wanted} == wanted
    # Held against the bound before any of it is read.
    more = {**less, part: [{}, {}, {}]}
    refused = refusal(more, limits=Limits(trusted_keys=2))
    assert (type(refused), refused.where) == (LimitError, f"doc.{part}")
    assert type(refusal(more, limits=Limits(trusted_keys=3))) is FieldMissing


@pytest.mark.parametrize("part", ["certificateAuthorities", "timestampAuthorities"])
def test_a_chain_is_bounded(part: str) -> None:
    changed = document()
    chain = changed[part][0]["certChain"]
    chain["certificates"] = chain["certificates"][:1] * 3
    refused = refusal(changed, limits=Limits(certificates=2))
    assert (type(refused), refused.where) == (LimitError, f"doc.{part}[0].certChain")
    assert parse(changed, limits=Limits(certificates=3)).name == "r"


def test_a_root_is_bounded_by_what_a_policy_may_have() -> None:
    data = json.dumps(document()).encode()
    assert parse(document(), limits=Limits(policy_bytes=len(data))).raw == data
    refused = refusal(document(), limits=Limits(policy_bytes=len(data) - 1))
    assert (type(refused), refused.where) == (LimitError, "doc")
    # Whatever is read by default is bounded, too.
    with pytest.raises(LimitError) as default:
        Root.parse(b" " * (DEFAULT.policy_bytes + 1), name="r", profile=NOBODY)
    assert default.value.where == "trusted root"


@pytest.mark.parametrize("chain", [(PKI.root,), (PKI.intermediate, PKI.root), (PKI.root, PKI.intermediate, PKI.root)])
def test_what_is_not_said_is_taken_from_key_and_anchor(chain: tuple[x509.Certificate, ...]) -> None:
    changed = document()
    for log in changed["tlogs"]:
        for name in ("operator", "baseUrl", "logId"):
            log.pop(name, None)
    authority = changed["certificateAuthorities"][0]
    authority["certChain"]["certificates"] = [
        {"rawBytes": base64.b64encode(each.public_bytes(Encoding.DER)).decode()} for each in chain
    ]
    for name in ("operator", "uri"):
        authority.pop(name, None)
    found = parse(changed)
    for log, was in zip(found.logs, ROOT.logs, strict=True):
        digest = hashlib.sha256(was.key.der).digest()
        assert (log.key, log.log_id, log.window) == (was.key, digest, was.window)
        assert (log.operator, log.name) == (f"key:{digest.hex()}", digest.hex()[:16])
    anchor = hashlib.sha256(PKI.root.public_bytes(Encoding.DER)).hexdigest()
    (made,) = found.authorities
    assert (made.operator, made.name) == (f"anchor:{anchor}", anchor[:16])
    assert made.chain == chain


def test_what_is_said_is_taken() -> None:
    changed = document()
    changed["tlogs"] = changed["tlogs"][:1]
    changed["tlogs"][0].update(operator="o", baseUrl="https://l.example", logId={"keyId": "AAECAw=="})
    changed["tlogs"][0]["publicKey"]["validFor"] = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
    changed["certificateAuthorities"][0].update(operator="a", uri="https://a.example")
    found = parse(changed)
    (log,), (authority,) = found.logs, found.authorities
    assert (log.operator, log.name, log.log_id) == ("o", "https://l.example", b"\x00\x01\x02\x03")
    assert log.window == Window(start=START, end=START)
    assert (authority.operator, authority.name) == ("a", "https://a.example")


def test_an_old_root_has_rsa_keys_of_pkcs1() -> None:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    for details, form in (
        ("PKCS1_RSA_PKCS1V5", PublicFormat.PKCS1),
        ("PKIX_RSA_PKCS1V15_2048_SHA256", PublicFormat.SubjectPublicKeyInfo),
    ):
        changed = document()
        raw = base64.b64encode(public.public_bytes(Encoding.DER, form)).decode()
        changed["tlogs"][0]["publicKey"].update(rawBytes=raw, keyDetails=details)
        assert parse(changed).logs[0].key == PublicKey.of(public)


# --- certificates that cannot be read --------------------------------------------------------------------------------


def altered(old: bytes, new: bytes, *, which: int = 1) -> bytes:
    """The root certificate with other bytes of the same length, at one of the places where they stand."""
    parts = PKI.root.public_bytes(Encoding.DER).split(old)
    assert len(parts) > which
    assert len(old) == len(new)
    return old.join(parts[:which]) + new + old.join(parts[which:])


def tlv(tag: int, body: bytes) -> bytes:
    """One value of DER, of at most 65535 bytes."""
    size = len(body)
    length = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + body


def dated(start: bytes, end: bytes) -> bytes:
    """The root certificate with other times, which may be of any year."""
    said = PKI.root.tbs_certificate_bytes
    whole = PKI.root.public_bytes(Encoding.DER)
    times = tlv(0x30, tlv(0x17, b"250101000000Z") + tlv(0x17, b"341231235959Z"))
    inner = said[{0x81: 3, 0x82: 4}[said[1]] :]
    assert inner.count(times) == 1
    changed = tlv(0x30, inner.replace(times, tlv(0x30, tlv(0x18, start) + tlv(0x18, end))))
    return tlv(0x30, changed + whole.partition(said)[2])


VERSION = b"\xa0\x03\x02\x01\x02"
SERIAL = VERSION + PKI.root.public_bytes(Encoding.DER).partition(VERSION)[2][:3]
UNREADABLE = {
    "no certificate": b"junk",
    "an unknown version": altered(VERSION, b"\xa0\x03\x02\x01\x07"),
    "a serial number below zero": altered(SERIAL, SERIAL[:-1] + b"\x80"),
    "a start in a year that there is not": dated(b"00000101000000Z", b"20350101000000Z"),
    "an end in a year that there is not": dated(b"20250101000000Z", b"00000101000000Z"),
    "an issuer that is no text": altered(b"acme root", b"acme\xffroot", which=1),
    "a holder that is no text": altered(b"acme root", b"acme\xffroot", which=2),
}


@pytest.mark.parametrize("which", UNREADABLE)
def test_a_certificate_that_cannot_be_read_is_refused_where_it_stands(which: str) -> None:
    changed = document()
    raw = base64.b64encode(UNREADABLE[which]).decode()
    changed["certificateAuthorities"][0]["certChain"]["certificates"] = [{"rawBytes": raw}]
    found = refusal(changed)
    place = "doc.certificateAuthorities[0].certChain.certificates[0].rawBytes"
    assert (type(found), found.code, found.where) == (NotPem, "malformed.pem", place)
