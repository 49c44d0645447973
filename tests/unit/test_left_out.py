"""Is a reader told what was left out of an accepted artifact, unless whoever signed it left the same out?"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from glasswing_attest import (
    Attestation,
    KeySigner,
    Manifest,
    Model,
    ModelRecord,
    Policy,
    Report,
    Trust,
    assess,
    attest,
    replay,
)
from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.oms import sign_model
from glasswing_attest.report.report import report_schema
from glasswing_attest.statement.predicates.oms import OMS_V1

SIGNER = KeySigner.generate()
TRUST = Trust.of(trainer=SIGNER.public_key)


def policy(predicate: str = ModelRecord.predicate_type) -> Policy:
    required = [{"predicate": predicate, "signed_by": {"any_of": ["trainer"]}}]
    identities = {"trainer": {"key": "trainer"}}
    whole = {"version": 1, "times": "claimed", "identities": identities, "nodes": {"model": {"require": required}}}
    return Policy.parse(json.dumps(whole | {"declared": "allow"}).encode())


def assessed(model: Path, *evidence: Attestation, exclude: Iterable[str]) -> Report:
    report = assess(Model(model, exclude=exclude), evidence, policy=policy(), trust=TRUST)
    assert report.accepted
    return report


def told(report: Report) -> Finding | None:
    return next((f for f in report.findings if f.code == "artifact.excluded"), None)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with something in it that was not there when it was signed."""
    path = tmp_path / "model"
    (path / ".git").mkdir(parents=True)
    (path / ".git" / "config").write_text("[core]\n")
    (path / "weights.bin").write_text("weights")
    return path


def test_nothing_is_told_where_nothing_was_left_out(model: Path) -> None:
    signed = attest(Model(model), ModelRecord(name="m"), signer=SIGNER)
    assert told(assessed(model, signed, exclude=("absent.py",))) is None


def test_what_the_signer_did_not_leave_out_is_a_warning_everywhere(model: Path, tmp_path: Path) -> None:
    signed = attest(Model(model), ModelRecord(name="m"), signer=SIGNER)
    (model / "evil.py").write_text("import os\n")
    report = assessed(model, signed, exclude=("evil.py",))
    finding = told(report)
    assert finding is not None
    assert (finding.tier, finding.subject) == (Tier.WARNING, "model model")
    assert (finding.found, finding.wanted) == ("1 path left out, and there: evil.py", "nothing left out")
    assert "[warning] model model: artifact.excluded\n" in report.to_text()
    Draft202012Validator(report_schema()).validate(json.loads(report.to_json()))
    assert finding.code in [f["code"] for f in report.to_dict()["findings"]]
    assert told(replay(report.case(tmp_path / "case.zip"))) == finding


def test_what_the_signer_left_out_too_is_told_and_is_no_warning(model: Path, tmp_path: Path) -> None:
    signed = attest(Model(model, exclude=(".git", "cache")), ModelRecord(name="m"), signer=SIGNER)
    report = assessed(model, signed, exclude=(".git",))
    finding = told(report)
    assert finding is not None
    assert (finding.tier, finding.found) == (Tier.NONE, "1 path left out, and there: .git")
    assert "nothing here proves what was left out" in finding.do
    assert told(replay(report.case(tmp_path / "case.zip"))) == finding


def test_what_is_left_out_besides_is_named(model: Path) -> None:
    signed = attest(Model(model, exclude=(".git",)), ModelRecord(name="m"), signer=SIGNER)
    (model / "evil.py").write_text("import os\n")
    finding = told(assessed(model, signed, exclude=(".git", "evil.py")))
    assert finding is not None
    assert (finding.tier, finding.found) == (Tier.WARNING, "1 path left out, and there: evil.py")
    assert finding.wanted == "no more left out than its signer did: .git"


def test_a_record_that_is_not_asked_for_agrees_to_nothing(model: Path) -> None:
    signed = attest(Model(model, exclude=(".git",)), ModelRecord(name="m"), signer=SIGNER)
    other = attest(Model(model, exclude=(".git",)), ModelRecord(name="m"), signer=KeySigner.generate())
    (model / "evil.py").write_text("import os\n")
    agreed = attest(Model(model, exclude=(".git", "evil.py")), ModelRecord(name="m"), signer=KeySigner.generate())
    finding = told(assessed(model, signed, other, agreed, exclude=(".git", "evil.py")))
    assert finding is not None
    assert finding.tier is Tier.WARNING


def test_an_oms_signature_says_what_its_signer_left_out(model: Path) -> None:
    (model / "README.md").write_text("hello\n")
    signed = sign_model(model, signer=SIGNER, ignore=("README.md",))
    for exclude, tier in (((".git", "README.md"), Tier.NONE), ((".git", "README.md", "x"), Tier.WARNING)):
        if "x" in exclude:
            (model / "x").touch()
        report = assess(Model(model, exclude=exclude), signed, policy=policy(OMS_V1), trust=TRUST)
        finding = told(report)
        assert finding is not None
        assert (report.accepted, finding.tier) == (True, tier)


def test_many_and_strange_names_are_bounded_and_shown_safely() -> None:
    entry = FileEntry(name="a", size=1, sha256="0" * 64)
    names = [f"{number}\u202e{'x' * 300}" for number in range(100)]
    manifest = Manifest.of_tree("model", [entry], excluded=names)
    by_whom = attest(manifest, ModelRecord(name="m"), signer=KeySigner.generate())
    # What is not accepted needs no warning.
    assert told(assess(manifest, by_whom, policy=policy(), trust=TRUST)) is None
    signed = attest(Manifest.of_tree("model", [entry]), ModelRecord(name="m"), signer=SIGNER)
    finding = told(assess(manifest, signed, policy=policy(), trust=TRUST))
    assert finding is not None
    assert finding.found.startswith("100 paths left out")
    assert len(finding.found) < 400
    assert finding.found.isprintable()
