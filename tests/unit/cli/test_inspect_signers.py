"""Does `inspect` say whom a bundle names, where it was logged and when it was stamped, and that nobody proved it?"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Model, ModelRecord, attest
from glasswing_attest._cli.inspect import BANNER
from glasswing_attest.policy.identities import glob_matches
from glasswing_attest.testing import Holder, VirtualSigstore
from tests.bundles import GLOBS
from tests.shared import Case, cases
from tests.unit.cli.stories import Run, Story

HOLDER = Holder.github("acme/train", repository_id="4711", ref="refs/tags/v1.0")


def changed(bundle: Path, change: Any) -> Path:
    """A bundle with its JSON changed in place."""
    document = json.loads(bundle.read_bytes())
    change(document["verificationMaterial"])
    bundle.write_text(json.dumps(document))
    return bundle


@pytest.fixture
def bundle(story: Story) -> Path:
    """A bundle of a workflow, logged in Rekor v1 and stamped."""
    signer = VirtualSigstore().signer(HOLDER)
    return attest(Model(story.model), ModelRecord(name="m"), signer=signer).write(story.folder / "b.json")


def test_a_certificate_s_signer_is_told_and_nobody_is_believed(run: Run, bundle: Path) -> None:
    ran = run("inspect", bundle)
    assert ran.code == 0
    assert ran.out.startswith(BANNER)
    lines = [line.strip() for line in ran.out.splitlines()]
    assert any(line.startswith("signer (unverified): a certificate, sha256:") for line in lines)
    assert f"san: {HOLDER.san}" in lines
    assert f"issuer: {HOLDER.issuer}" in lines
    assert "source_repository_identifier: 4711" in lines
    assert "valid: from 2026-01-01T12:00:00Z until 2026-01-01T12:10:00Z" in lines
    assert any(line.startswith("log entry (unverified): dsse 0.0.1 1005 of log ") for line in lines)
    assert "stamp (unverified): 2026-01-01T12:00:00Z" in lines


def test_the_same_as_json(run: Run, bundle: Path) -> None:
    told = run("inspect", "--json", bundle).json
    assert told["verified"] is False
    (item,) = told["files"][0]["items"]
    signer = item["signer"]
    assert (signer["verified"], signer["san"], signer["issuer"]) == (False, HOLDER.san, HOLDER.issuer)
    assert signer["claims"] == dict(HOLDER.claims)
    assert (signer["notBefore"], signer["notAfter"]) == ("2026-01-01T12:00:00Z", "2026-01-01T12:10:00Z")
    (entry,) = item["logEntries"]
    raw = json.loads(bundle.read_bytes())["verificationMaterial"]["tlogEntries"][0]
    assert entry == {
        "verified": False,
        "logId": base64.b64decode(raw["logId"]["keyId"]).hex(),
        "logIndex": raw["logIndex"],
        "kind": "dsse 0.0.1",
        "integratedTime": "2026-01-01T12:00:00Z",
    }
    assert item["timestamps"] == [{"verified": False, "time": "2026-01-01T12:00:00Z"}]


def test_a_key_is_told_by_its_hint(run: Run, story: Story) -> None:
    (item,) = run("inspect", "--json", story.evidence).json["files"][0]["items"]
    hint = json.loads(story.evidence.read_bytes())["verificationMaterial"]["publicKey"]["hint"]
    assert item["signer"] == {"verified": False, "keyHint": hint}
    assert (item["logEntries"], item["timestamps"]) == ([], [])
    assert f"signer (unverified): a key; hint: {hint}\n" in run("inspect", story.evidence).out


def test_what_cannot_be_read_of_the_material_is_told_and_the_rest_is_shown(run: Run, bundle: Path) -> None:
    def spoil(material: dict[str, Any]) -> None:
        material["certificate"]["rawBytes"] = base64.b64encode(b"no certificate").decode()
        material["timestampVerificationData"]["rfc3161Timestamps"] = [{"signedTimestamp": "AAAA"}]
        material["tlogEntries"][0]["integratedTime"] = str(2**63)
        material["tlogEntries"][0]["logIndex"] = str(2**63)

    (item,) = run("inspect", "--json", changed(bundle, spoil)).json["files"][0]["items"]
    assert item["signer"]["error"]["code"] == "malformed.pem"
    assert item["timestamps"][0]["error"]["code"] == "malformed.field"
    assert item["logEntries"][0]["logIndex"] == str(2**63)  # exact, though no double holds it
    assert item["logEntries"][0]["integratedTime"] == f"{2**63} seconds since 1970"
    assert item["predicateType"] == ModelRecord.predicate_type
    assert "stamp (unverified): rfc3161Timestamps: " in run("inspect", bundle).out


@pytest.mark.parametrize("case", cases("sigstore-bundle"))
def test_the_signers_of_bundles_made_by_others(case: Case, shared_data: Path, run: Run, tmp_path: Path) -> None:
    data = (shared_data / case.files["bundle"]).read_bytes()
    if "jsonl_line" in case.params:
        data = [line for line in data.split(b"\n") if line.strip()][case.params["jsonl_line"]]
    (tmp_path / "b.json").write_bytes(data)
    ran = run("inspect", "--json", tmp_path / "b.json")
    assert ran.code in (0, 1)
    file = ran.json["files"][0]
    if case.expect != "accept" or file["format"] == "unreadable" or "signer" not in file["items"][0]:
        assert case.expect != "accept" or b"messageSignature" in data, ran.out
        return
    (item,) = file["items"]
    signer = item["signer"]
    assert signer["verified"] is False
    material = json.loads(data)["verificationMaterial"]
    assert len(item["logEntries"]) == len(material.get("tlogEntries") or ())
    stamps = (material.get("timestampVerificationData") or {}).get("rfc3161Timestamps") or ()
    assert [set(stamp) for stamp in item["timestamps"]] == [{"verified", "time"}] * len(stamps)
    if "keyHint" in signer:
        return
    # Whom the case says that it was signed by is whom we show.
    if "issuer" in case.params:
        assert signer["issuer"] == case.params["issuer"]
    if wanted := case.params.get("identity") or GLOBS.get(case.params.get("identity_regex", "")):
        assert glob_matches(wanted, signer["san"])
    assert signer["notBefore"] < signer["notAfter"]
