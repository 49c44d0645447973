"""Are the services that sign read from their members, and a fault refused where it is?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from glasswing_attest.errors import (
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    MalformedError,
    NotJson,
    TrustRefused,
)
from glasswing_attest.limits import Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.signing_config import Selection, Service, SigningConfig, read_client_trust_config
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile, Window

SIGSTORE = VirtualSigstore("r")
WINDOW = Window(start=datetime(2025, 1, 1, tzinfo=UTC))
URLS = {
    "caUrls": "authorities",
    "oidcUrls": "identity_providers",
    "rekorTlogUrls": "logs",
    "tsaUrls": "clocks",
}


def service(url: str, operator: str = "", version: object = 1) -> dict[str, Any]:
    named = {"operator": operator} if operator else {}
    return {"url": url, "majorApiVersion": version, "validFor": {"start": "2025-01-01T00:00:00Z"}, **named}


CONFIG: dict[str, Any] = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    **{name: [service(f"https://{name}.example")] for name in URLS},
    "rekorTlogConfig": {"selector": "ALL"},
    "tsaConfig": {"selector": "ANY"},
}
BOTH: dict[str, Any] = {
    "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
    "trustedRoot": json.loads(SIGSTORE.trusted_root()),
    "signingConfig": CONFIG,
}


def parse(document: Any, **how: Any) -> SigningConfig:
    return SigningConfig.parse(json.dumps(document).encode(), **how)


def read(document: Any, **how: Any) -> Any:
    how = {"name": "r", "profile": PUBLIC_GOOD, **how}
    return read_client_trust_config(json.dumps(document).encode(), **how)


def test_each_kind_of_service_is_read_from_its_member() -> None:
    config = parse(CONFIG)
    for name, attribute in URLS.items():
        made = Service(url=f"https://{name}.example", version=1, window=WINDOW, operator="")
        assert getattr(config, attribute) == (made,)
    assert (config.log_selection, config.clock_selection) == (Selection(selector="all"), Selection(selector="any"))
    assert Selection(selector="any").count == 0
    nothing = parse({"mediaType": CONFIG["mediaType"]})
    assert {getattr(nothing, attribute) for attribute in URLS.values()} == {()}
    assert nothing.log_selection == nothing.clock_selection == Selection(selector="any")


def test_what_is_no_config_is_refused_as_trust() -> None:
    with pytest.raises(NotJson) as refused:
        SigningConfig.parse(b"[")
    assert (refused.value.code, refused.value.kind) == ("malformed.json", "trust")
    assert refused.value.where.startswith("signing config")
    with pytest.raises(NotJson) as refused:
        read_client_trust_config(b"[", name="r", profile=PUBLIC_GOOD)
    assert (refused.value.code, refused.value.kind) == ("malformed.json", "trust")
    assert refused.value.where.startswith("client trust config")


@pytest.mark.parametrize("name", URLS)
def test_services_are_bounded(name: str) -> None:
    more = {**CONFIG, name: CONFIG[name] * 3}
    assert len(getattr(parse(more, limits=Limits(trusted_keys=3)), URLS[name])) == 3
    with pytest.raises(LimitError) as refused:
        parse(more, limits=Limits(trusted_keys=2))
    assert (refused.value.code, refused.value.where, refused.value.found) == ("limit", f"signing config.{name}", 3)
    # The root stands before it, and is held to the same.
    document = {**BOTH, "signingConfig": {**CONFIG, name: CONFIG[name] * 9}}
    with pytest.raises(LimitError) as both:
        read(document, limits=Limits(trusted_keys=8))
    assert both.value.where == f"client trust config.signingConfig.{name}"


def test_documents_are_bounded_by_what_a_policy_may_have() -> None:
    for document, reader, where in ((CONFIG, parse, "signing config"), (BOTH, read, "client trust config")):
        size = len(json.dumps(document).encode())
        assert reader(document, limits=Limits(policy_bytes=size))
        with pytest.raises(LimitError) as refused:
            reader(document, limits=Limits(policy_bytes=size - 1))
        assert (refused.value.code, refused.value.where) == ("limit", where)


def test_a_root_within_is_read_under_its_name_and_refused_in_its_place() -> None:
    root, config = read(BOTH)
    assert (root.name, root.profile, root.logs) == ("r", PUBLIC_GOOD, SIGSTORE.root().logs)
    assert config == parse(CONFIG)
    for media_type in (None, CONFIG["mediaType"], BOTH["trustedRoot"]["mediaType"]):
        with pytest.raises(MalformedError) as other:
            read({**BOTH, "mediaType": media_type})
        assert type(other.value) is (FieldRefused if media_type else FieldMissing)
        assert (other.value.kind, other.value.where) == ("trust", "client trust config.mediaType")
    faulty = {**BOTH, "trustedRoot": {**BOTH["trustedRoot"], "mediaType": "x"}}
    with pytest.raises(FieldRefused) as refused:
        read(faulty)
    assert (refused.value.kind, refused.value.where) == ("trust", "client trust config.trustedRoot.mediaType")
    with pytest.raises(LimitError) as bounded:
        read(BOTH, limits=Limits(trusted_keys=1))
    assert bounded.value.where == "client trust config.trustedRoot.tlogs"
    with pytest.raises(TrustRefused) as demanding:
        read(BOTH, profile=Profile(scts=0, logs=9, times=1))
    assert demanding.value.where == "roots.r.profile.logs"


def test_the_config_has_two_names_and_is_needed() -> None:
    other = {name: value for name, value in BOTH.items() if name != "signingConfig"}
    assert read({**other, "signing_config": CONFIG})[1] == parse(CONFIG)
    for document, where in ((other, "signingConfig"), ({**BOTH, "trustedRoot": None}, "trustedRoot")):
        with pytest.raises(FieldMissing) as refused:
            read(document)
        assert (refused.value.kind, refused.value.where) == ("trust", f"client trust config.{where}")


TWO = [service("https://a.example", "one"), service("https://b.example", "two")]
REFUSED: dict[str, tuple[dict[str, Any], type[GlasswingError], str]] = {
    "no choice of logs": ({"rekorTlogConfig": None}, FieldMissing, "rekorTlogConfig"),
    "no choice of clocks": ({"tsaConfig": None}, FieldMissing, "tsaConfig"),
    "no selector": ({"tsaConfig": {}}, FieldMissing, "tsaConfig.selector"),
    "exactly none": ({"tsaConfig": {"selector": "EXACT", "count": 0}}, FieldRefused, "tsaConfig"),
    "any one": ({"tsaConfig": {"selector": "ANY", "count": 1}}, FieldRefused, "tsaConfig"),
    "three of two": ({"tsaUrls": TWO, "tsaConfig": {"selector": "EXACT", "count": 3}}, FieldRefused, "tsaConfig"),
    "two of one operator": (
        {
            "tsaUrls": [service("https://a.example", "one"), service("https://b.example", "one")],
            "tsaConfig": {"selector": "EXACT", "count": 2},
        },
        FieldRefused,
        "tsaConfig",
    ),
    "two at one place": (
        {"tsaUrls": [service("https://a.example")] * 2, "tsaConfig": {"selector": "EXACT", "count": 2}},
        FieldRefused,
        "tsaConfig",
    ),
    "no url": ({"caUrls": [{**service(""), "url": None}]}, FieldMissing, "caUrls[0].url"),
    "a url of no scheme": ({"caUrls": [service("ca.example")]}, FieldRefused, "caUrls[0].url"),
    "no window": ({"caUrls": [{**service("https://a"), "validFor": None}]}, FieldMissing, "caUrls[0].validFor.start"),
    "no version": ({"caUrls": [service("https://a", version=None)]}, FieldMissing, "caUrls[0].majorApiVersion"),
    "version zero": ({"caUrls": [service("https://a", version=0)]}, FieldRefused, "caUrls[0].majorApiVersion"),
    "another media type": ({"mediaType": BOTH["mediaType"]}, FieldRefused, "mediaType"),
    "no media type": ({"mediaType": None}, FieldMissing, "mediaType"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_a_faulty_config_is_refused_where_the_fault_is(which: str) -> None:
    change, error, where = REFUSED[which]
    with pytest.raises(GlasswingError) as refused:
        parse({**CONFIG, **change})
    assert (type(refused.value), getattr(refused.value, "kind", "")) == (error, "trust")
    assert refused.value.where == f"signing config.{where}"


@pytest.mark.parametrize("named", [TWO, [service("https://a.example"), service("https://b.example")]])
def test_exactly_as_many_as_there_are_operators(named: list[dict[str, Any]]) -> None:
    for count in (1, 2):
        config = parse({**CONFIG, "tsaUrls": named, "tsaConfig": {"selector": "EXACT", "count": count}})
        assert config.clock_selection == Selection(selector="exact", count=count)


def test_http_is_a_scheme_and_an_end_a_bound() -> None:
    entry = {**service("http://a.example", "o", 2), "validFor": {"start": "2025-01-01T00:00:00Z"}}
    entry["validFor"]["end"] = "2026-01-01T00:00:00Z"
    window = Window(start=WINDOW.start, end=datetime(2026, 1, 1, tzinfo=UTC))
    made = Service(url="http://a.example", version=2, window=window, operator="o")
    assert parse({**CONFIG, "caUrls": [entry]}).authorities == (made,)
