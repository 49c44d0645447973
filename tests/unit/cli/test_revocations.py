"""A trust that names who signs the revocation list, from the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from glasswing_attest import KeySigner, ModelRecord, attest
from glasswing_attest._cli import main
from glasswing_attest.artifact.model import Model
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def verify(tmp_path: Path) -> list[str]:
    """A model that is accepted but for the list: the arguments that verify it."""
    signer, security = KeySigner.generate("ed25519"), KeySigner.generate("ed25519")
    (tmp_path / "model.bin").write_bytes(b"weights")
    attest(Model(tmp_path / "model.bin"), ModelRecord(name="m"), signer=signer).write(tmp_path / "e.json")
    (tmp_path / "trainer.pub").write_text(signer.public_key.pem)
    (tmp_path / "security.pub").write_text(security.public_key.pem)
    (tmp_path / "trust.yaml").write_text(
        "version: 1\nrevocations: {signed_by: [security]}\n"
        "keys: {trainer: {file: trainer.pub}, security: {file: security.pub}}\n"
    )
    (tmp_path / "policy.yaml").write_text(
        "version: 1\ntimes: claimed\nidentities: {trainer: {key: trainer}}\n"
        f"nodes: {{model: {{require: [{{predicate: '{ModelRecord.predicate_type}', "
        "signed_by: {any_of: [trainer]}}]}}"
    )
    lists = {
        "none.json": (),
        "ours.json": (Revocation(key=signer.public_key.fingerprint, since=NOW - DAY),),
    }
    for name, entries in lists.items():
        document = RevocationList.of(entries, version=2, issued=NOW - DAY, expires=NOW + DAY)
        (tmp_path / name).write_bytes(security.seal(document.to_json(), REVOCATIONS_TYPE))
    paths = {"--policy": "policy.yaml", "--trust": "trust.yaml", "--evidence": "e.json"}
    return ["verify", *(x for k, v in paths.items() for x in (k, str(tmp_path / v))), str(tmp_path / "model.bin")]


def code(arguments: list[str], *more: str) -> int:
    return main([arguments[0], *more, *arguments[1:]])


def test_a_fresh_list_is_asked_for(verify: list[str], tmp_path: Path) -> None:
    fresh = ("--revocations", str(tmp_path / "none.json"))
    assert code(verify) == 3
    assert code(verify, "--revocations", str(tmp_path / "absent.json")) == 3
    assert code(verify, *fresh) == 0
    assert code(verify, *fresh, "--revocations-seen", "2") == 0
    assert code(verify, *fresh, "--revocations-seen", "3") == 3


def test_a_revoked_signer_is_a_no(verify: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code(verify, "--revocations", str(tmp_path / "ours.json")) == 1
    assert "verification.revoked" in capsys.readouterr().out


def test_a_second_opinion_has_nothing_to_say_of_keys(verify: list[str], tmp_path: Path) -> None:
    assert code(verify, "--second-opinion", "--revocations", str(tmp_path / "none.json")) == 0
