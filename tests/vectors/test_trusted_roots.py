"""Are trusted roots, and what clients keep beside them, read as sigstore-python reads them?"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.errors import FieldMissing, FieldRefused, GlasswingError, NotPem
from glasswing_attest.trust.signing_config import Selection, Service, SigningConfig, read_client_trust_config
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root, Window
from tests.bundles import FOR_ANYBODY, PRODUCTION, STAGING
from tests.shared import Case, cases


@pytest.mark.parametrize("case", cases("trusted-root-parse"))
def test_a_trusted_root_is_read(case: Case, shared_data: Path) -> None:
    assert case.expect == "accept"
    root = Root.parse((shared_data / case.files["trusted_root"]).read_bytes(), name="local", profile=FOR_ANYBODY)
    (log,) = [log for log in root.logs if log.key.schemes == ("ed25519",)]
    assert log.name == "http://localhost:3003"
    assert log.window == Window(start=datetime(1970, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("case", cases("trust-config-parse"))
def test_a_client_trust_config_gets_its_answer(case: Case, shared_data: Path) -> None:
    data = (shared_data / case.files["trust_config"]).read_bytes()
    if case.expect == "accept":
        root, config = read_client_trust_config(data, name="example", profile=PUBLIC_GOOD)
        assert [log.name for log in root.logs] == ["https://rekor.sigstore.dev"]
        assert [service.url for service in config.logs] == ["https://rekor.example.com", "https://rekor-v2.example.com"]
        assert [service.version for service in config.logs] == [1, 2]
        assert config.authorities[1].window.end == datetime(2023, 4, 14, 21, 38, 40, tzinfo=UTC)
        assert config.log_selection == config.clock_selection == Selection(selector="any")
        return
    assert case.raw["stage"] == "media-type"
    with pytest.raises(FieldRefused) as refused:
        read_client_trust_config(data, name="example", profile=PUBLIC_GOOD)
    assert (refused.value.kind, refused.value.where) == ("trust", "client trust config.mediaType")


@pytest.mark.parametrize("case", cases("certificate-authority-parse"))
def test_an_authority_without_a_certificate_is_refused(case: Case, shared_data: Path) -> None:
    assert (case.expect, case.raw["stage"]) == ("reject", "empty-chain")
    document = json.loads((shared_data / PRODUCTION).read_bytes())
    document["certificateAuthorities"].append(json.loads((shared_data / case.files["ca"]).read_bytes()))
    with pytest.raises(FieldMissing) as refused:
        Root.parse(json.dumps(document).encode(), name="root", profile=PUBLIC_GOOD)
    assert refused.value.kind == "trust"
    assert refused.value.where == "trusted root.certificateAuthorities[2].certChain.certificates"


def test_no_case_is_left_out(shared_data: Path) -> None:
    kinds = {"trusted-root-parse": 1, "trust-config-parse": 2, "certificate-authority-parse": 1}
    assert {kind: len(cases(kind)) for kind in kinds} == kinds


# --- the roots of the public instances -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "counts"), [(PRODUCTION, (2, 2, 2, 1)), (STAGING, (1, 4, 4, 1))], ids=["production", "staging"]
)
def test_the_public_roots_are_read_whole(shared_data: Path, path: str, counts: tuple[int, int, int, int]) -> None:
    root = Root.parse((shared_data / path).read_bytes(), name="public", profile=PUBLIC_GOOD)
    found = tuple(len(part) for part in (root.authorities, root.logs, root.ct_logs, root.clocks))
    assert found == counts
    # An id is the hash of the key, or, for Rekor v2, of the log's name with it: the document's and ours agree.
    for log in (*root.logs, *root.ct_logs):
        assert len(log.log_id) == 32


@pytest.mark.parametrize("media_type", ["", "application/json", "application/vnd.dev.sigstore.trustedroot+json"])
def test_another_media_type_is_refused(shared_data: Path, media_type: str) -> None:
    found = refusal(shared_data, lambda document: document.update(mediaType=media_type))
    assert type(found) is FieldRefused
    assert found.where == "trusted root.mediaType"


def refusal(shared_data: Path, change: Callable[[dict[str, Any]], object]) -> GlasswingError:
    document = json.loads((shared_data / PRODUCTION).read_bytes())
    change(document)
    with pytest.raises(GlasswingError) as refused:
        Root.parse(json.dumps(document).encode(), name="root", profile=PUBLIC_GOOD)
    assert getattr(refused.value, "kind", "") == "trust"
    return refused.value


def test_what_is_not_bounded_in_time_or_no_key_is_refused(shared_data: Path) -> None:
    def no_start(document: dict[str, Any]) -> None:
        del document["tlogs"][0]["publicKey"]["validFor"]["start"]

    def turned(document: dict[str, Any]) -> None:
        document["certificateAuthorities"][0]["validFor"]["end"] = "2000-01-01T00:00:00Z"

    def no_certificate(document: dict[str, Any]) -> None:
        document["timestampAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = "AAAA"

    def no_key(document: dict[str, Any]) -> None:
        document["ctlogs"][0]["publicKey"]["rawBytes"] = "AAAA"

    def short_id(document: dict[str, Any]) -> None:
        document["tlogs"][0]["logId"]["keyId"] = "AAA="

    expected: list[tuple[Callable[[dict[str, Any]], None], type[GlasswingError], str]] = [
        (no_start, FieldMissing, "trusted root.tlogs[0].publicKey.validFor.start"),
        (turned, FieldRefused, "trusted root.certificateAuthorities[0].validFor"),
        (no_certificate, NotPem, "trusted root.timestampAuthorities[0].certChain.certificates[0].rawBytes"),
        (no_key, NotPem, "trusted root.ctlogs[0].publicKey.rawBytes"),
        (short_id, FieldRefused, "trusted root.tlogs[0].logId"),
    ]
    for change, error, where in expected:
        found = refusal(shared_data, change)
        assert (type(found), found.where) == (error, where)


# --- signing configs -------------------------------------------------------------------------------------------------


def test_the_signing_configs_of_the_public_instances_are_read(shared_data: Path) -> None:
    for instance, logs in (("prod", 1), ("staging", 4)):
        data = (shared_data / f"_trust/{instance}.signing_config.v0.2.json").read_bytes()
        config = SigningConfig.parse(data)
        assert len(config.logs) == logs
        assert {service.operator for service in config.logs} == {"sigstore.dev"}
        _, same = read_client_trust_config(
            (shared_data / f"_trust/{instance}.client_trust_config.json").read_bytes(), name="x", profile=PUBLIC_GOOD
        )
        assert same == config


BARE: dict[str, Any] = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "rekorTlogUrls": [
        {"url": "https://log.example", "majorApiVersion": 2, "validFor": {"start": "2025-01-01T00:00:00Z"}}
    ],
    "rekorTlogConfig": {"selector": "EXACT", "count": 1},
}


def test_a_signing_config_is_read_strictly() -> None:
    config = SigningConfig.parse(json.dumps(BARE).encode())
    window = Window(start=datetime(2025, 1, 1, tzinfo=UTC))
    assert config.logs == (Service(url="https://log.example", version=2, window=window, operator=""),)
    assert config.log_selection == Selection(selector="exact", count=1)
    service = BARE["rekorTlogUrls"][0]
    changes: list[tuple[dict[str, Any], type[GlasswingError], str]] = [
        ({"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.1+json"}, FieldRefused, ".mediaType"),
        ({"rekorTlogConfig": None}, FieldMissing, ".rekorTlogConfig"),
        ({"rekorTlogConfig": {"selector": "SOME"}}, FieldRefused, ".rekorTlogConfig.selector"),
        ({"rekorTlogConfig": {"selector": "EXACT"}}, FieldRefused, ".rekorTlogConfig"),
        ({"rekorTlogConfig": {"selector": "ALL", "count": 1}}, FieldRefused, ".rekorTlogConfig"),
        ({"rekorTlogConfig": {"selector": "EXACT", "count": 2}}, FieldRefused, ".rekorTlogConfig"),
        ({"rekorTlogUrls": [{**service, "url": "file:///etc/passwd"}]}, FieldRefused, ".rekorTlogUrls[0].url"),
        ({"rekorTlogUrls": [{**service, "majorApiVersion": 0}]}, FieldRefused, ".rekorTlogUrls[0].majorApiVersion"),
        ({"rekorTlogUrls": [{**service, "validFor": None}]}, FieldMissing, ".rekorTlogUrls[0].validFor.start"),
    ]
    for change, error, where in changes:
        with pytest.raises(error) as refused:
            SigningConfig.parse(json.dumps({**BARE, **change}).encode())
        assert type(refused.value) is error
        assert refused.value.where == f"signing config{where}"
