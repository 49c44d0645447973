"""Does `verify` take every container as evidence, and say of what it cannot read what was tried?"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from glasswing_attest import Policy, Verifier
from glasswing_attest.errors import LimitError
from glasswing_attest.formats import provenance_object, to_pep740
from glasswing_attest.limits import Limits
from glasswing_attest.report.report import Verdict
from glasswing_attest.store import gather
from glasswing_attest.trust.sigstore import Profile
from tests.unit.formats.others import (
    ALICE,
    CERT,
    FILE,
    PUBLISH,
    SECOND,
    SIGNED,
    SIGSTORE,
    Layout,
    blob_bundle,
    chain_of,
    github,
    legacy,
    npm,
    tekton,
)

POLICY = Policy.parse(
    f"""
version: 1
identities: {{alice: {{issuer: https://issuer.example, san: {ALICE}}}}}
nodes: {{file: {{require: [{{predicate: "{PUBLISH}", signed_by: {{any_of: [alice]}}}}]}}}}
""".encode()
)


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(policy=POLICY, trust=SIGSTORE.trust(Profile(scts=1, logs=1, times=1)))


CONTAINERS: dict[str, Callable[[], bytes]] = {
    "api.json": lambda: github(SIGNED.bytes),
    "api.pretty.json": lambda: json.dumps(json.loads(github(SIGNED.bytes)), indent=2).encode(),
    "npm.json": lambda: npm(SIGNED.bytes),
    "iris.whl.publish.attestation": lambda: to_pep740(SIGNED),
    "iris.whl.provenance": lambda: provenance_object([SIGNED], {"kind": "Other"}),
    "cosign.bundle": lambda: json.dumps(blob_bundle(SIGNED.bytes)).encode(),
    "lines.jsonl": lambda: b'{"junk": 1}\n' + npm(SIGNED.bytes) + b"\nnothing\n",
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_is_evidence(verifier: Verifier, tmp_path: Path, name: str) -> None:
    data = CONTAINERS[name]()
    path = tmp_path / name
    path.write_bytes(data)
    for evidence in (data, path, tmp_path):
        assert verifier.assess(FILE, evidence).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("chain", ["", chain_of()])
def test_an_oci_layout_is_evidence(verifier: Verifier, tmp_path: Path, chain: str) -> None:
    Layout(tmp_path / "a").attest(SIGNED.bytes)
    Layout(tmp_path / "b").attest_as_before(SIGNED.bytes, chain=chain)
    for folder in ("a", "b"):
        assert verifier.assess(FILE, tmp_path / folder).verdict is Verdict.ACCEPTED


def test_a_tampered_part_proves_nothing(verifier: Verifier) -> None:
    document = json.loads(npm(SIGNED.bytes))
    envelope = document["attestations"][0]["bundle"]["dsseEnvelope"]
    envelope["payload"] = json.loads(SECOND.bytes)["dsseEnvelope"]["payload"]
    report = verifier.assess(FILE, json.dumps(document).encode())
    assert report.verdict is Verdict.REFUSED
    (refused,) = report.refused
    assert (refused.origin, refused.error.code) == (
        "evidence[1]: $.attestations[0].bundle",
        "verification.signature",
    )


def test_the_origin_says_container_and_place(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(npm(SIGNED.bytes, SECOND.bytes))
    assert [item.origin for item in gather(path)] == [f"{path}: $.attestations[{n}].bundle" for n in (0, 1)]
    path = tmp_path / "p.jsonl"
    path.write_bytes(SIGNED.bytes + b"\n" + npm(SECOND.bytes))
    assert [item.origin for item in gather(path)] == [f"{path}:1", f"{path}:2: $.attestations[0].bundle"]
    assert gather(npm(SIGNED.bytes))[0].origin == "evidence: $.attestations[0].bundle"


def test_a_line_of_a_container_is_a_piece_of_it_unless_it_is_an_attestation() -> None:
    listed = github(SIGNED.bytes, SECOND.bytes)
    assert listed.count(b"\n") == 3
    assert [item.data for item in gather(listed)] == [SIGNED.bytes, SECOND.bytes]
    # Whoever wraps lines into a container hides none of them.
    wrapped = b'{"attestations": [{"bundle": {}}], "x": [\n%b\n,\n%b\n]}' % (SIGNED.bytes, npm(SECOND.bytes))
    assert [item.data for item in gather(wrapped)] == [b"{}", SIGNED.bytes, SECOND.bytes]


def test_what_is_damaged_is_a_candidate_that_is_refused(verifier: Verifier) -> None:
    broken = {"version": 2, "attestation_bundles": []}
    other = {"bomFormat": "CycloneDX"}
    evidence = [json.dumps(each).encode() for each in (broken, other)]
    assert [item.data for item in gather(evidence)] == evidence
    assert verifier.assess(FILE, [*evidence, npm(SIGNED.bytes)]).verdict is Verdict.ACCEPTED
    report = verifier.assess(FILE, evidence)
    assert report.verdict is Verdict.REFUSED
    version, unknown = report.refused
    assert (version.origin, version.error.code) == ("evidence[1][0]", "unsupported.format")
    assert (version.error.where, version.error.found, version.error.wanted) == ("$.version", 2, 1)
    assert "PEP 740 provenance: no attestation_bundles; PEP 740 attestation: no" in str(unknown.error)
    assert "cosign signature: no critical.image" in report.to_json()


def test_a_container_counts_as_what_is_in_it() -> None:
    with pytest.raises(LimitError):
        gather(npm(SIGNED.bytes, SECOND.bytes), limits=Limits(evidence=1))


def test_a_run_of_tekton_with_a_certificate_needs_a_witness_of_its_time(verifier: Verifier) -> None:
    envelope, annotations = legacy(SIGNED.bytes)
    run = tekton("taskrun-1", envelope, certificate=annotations[CERT].encode(), chain=chain_of().encode())
    data = json.dumps(run).encode()
    (item,) = gather(data)
    assert b"x509CertificateChain" in item.data
    # Chains keeps a log entry's address there, and no proof of it.
    report = verifier.assess(FILE, data)
    assert report.verdict is Verdict.REFUSED
    assert [each.error.code for each in report.refused] == ["verification.not-logged"]
