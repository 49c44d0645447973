"""Is a rollback refused from the command line?"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from glasswing_attest import KeySigner, ModelRecord, attest
from glasswing_attest._cli import main
from glasswing_attest.artifact.model import Model
from glasswing_attest.chain.seen import Seen
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, Provenance
from tests.chains import BUILD_TYPE, BUILDER

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two versions of a model, each with its run, and who may make it."""
    signer = KeySigner.generate("ed25519")
    for version in (1, 2):
        model = tmp_path / f"v{version}" / "m.bin"
        model.parent.mkdir()
        model.write_bytes(b"%d" % version)
        run = Provenance(build_type=BUILD_TYPE, builder_id=BUILDER, finished_on=START + timedelta(days=version))
        attest(Model(model), run, signer=signer).write(tmp_path / f"v{version}.json")
    (tmp_path / "ci.pub").write_text(signer.public_key.pem)
    (tmp_path / "trust.yaml").write_text("version: 1\nkeys: {ci: {file: ci.pub}}\n")
    (tmp_path / "policy.yaml").write_text(
        "version: 1\ntimes: claimed\nidentities: {ci: {key: ci}}\n"
        f"nodes: {{model: {{require: [{{predicate: '{PROVENANCE_V1}', signed_by: {{any_of: [ci]}}, "
        f"expect: {{builder: {BUILDER}}}}}]}}}}"
    )
    return tmp_path


def verify(folder: Path, version: int, *more: str) -> int:
    files = {"--policy": "policy.yaml", "--trust": "trust.yaml", "--evidence": f"v{version}.json"}
    paths = [part for option, name in files.items() for part in (option, str(folder / name))]
    return main(["verify", *paths, *more, str(folder / f"v{version}" / "m.bin")])


def test_what_was_accepted_is_kept_and_nothing_older_accepted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = ("--seen", str(folder / "seen.json"))
    assert verify(folder, 1, *seen) == 0
    assert verify(folder, 2, *seen) == 0
    kept = (folder / "seen.json").read_bytes()
    assert Seen.parse(kept).sightings[0].not_before == START + timedelta(days=2)
    assert verify(folder, 2, *seen) == 0
    capsys.readouterr()
    assert verify(folder, 1, *seen) == 1
    assert "policy.rollback" in capsys.readouterr().out
    assert (folder / "seen.json").read_bytes() == kept
    assert verify(folder, 1) == 0


def test_a_state_that_cannot_be_read_is_not_taken_for_none(folder: Path) -> None:
    for content in (b"", b"{}", b"not json"):
        (folder / "seen.json").write_bytes(content)
        assert verify(folder, 2, "--seen", str(folder / "seen.json")) == 2
        assert (folder / "seen.json").read_bytes() == content
    (folder / "seen.json").unlink()
    (folder / "seen.json").symlink_to(folder / "gone.json")
    assert verify(folder, 2, "--seen", str(folder / "seen.json")) == 3


def test_it_never_lies_inside_the_artifact(folder: Path) -> None:
    files = ["--policy", str(folder / "policy.yaml"), "--trust", str(folder / "trust.yaml")]
    inside = folder / "v2" / "seen.json"
    assert (
        main(["verify", *files, "--seen", str(inside), "--evidence", str(folder / "v2.json"), str(folder / "v2")]) == 2
    )
    assert not inside.exists()


def test_evidence_that_tells_no_time_is_told_to_leave_nothing_to_compare(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = (folder / "policy.yaml").read_text().replace(PROVENANCE_V1, "model")
    (folder / "policy.yaml").write_text(policy.replace(f", expect: {{builder: {BUILDER}}}", ""))
    signer = KeySigner.generate("ed25519")
    (folder / "ci.pub").write_text(signer.public_key.pem)
    for version in (1, 2):
        model = Model(folder / f"v{version}" / "m.bin")
        (folder / f"v{version}.json").unlink()
        attest(model, ModelRecord(name="m"), signer=signer).write(folder / f"v{version}.json")
    for version in (1, 2, 1):
        assert verify(folder, version, "--seen", str(folder / "seen.json")) == 0
        told = capsys.readouterr()
        assert ("chain.untold" in told.out, told.err) == (True, "")
        assert verify(folder, version, "--seen", str(folder / "seen.json"), "--json") == 0
        codes = [finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]]
        assert "chain.untold" in codes
    assert verify(folder, 1) == 0  # without --seen nobody asked
    assert "chain.untold" not in capsys.readouterr().out
    assert Seen.load(folder / "seen.json") == Seen()


def test_another_name_than_before_is_told_to_be_compared_with_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = ("--seen", str(folder / "seen.json"))
    assert verify(folder, 2, *seen) == 0
    assert capsys.readouterr().err == ""  # the first of all has nothing to be compared with, and everybody knows
    renamed = folder / "v1" / "m-1.bin"
    (folder / "v1" / "m.bin").rename(renamed)
    files = {"--policy": "policy.yaml", "--trust": "trust.yaml", "--evidence": "v1.json"}
    paths = [part for option, name in files.items() for part in (option, str(folder / name))]
    assert main(["verify", *paths, *seen, str(renamed)]) == 0
    told = capsys.readouterr().err
    assert told.startswith("--seen: model m-1.bin is the first of its name, and was compared with nothing: ")
    assert told.endswith("seen.json knows model m.bin. If it is one of these, call it so: --name NAME\n")
    assert main(["verify", *paths, *seen, str(renamed)]) == 0
    assert capsys.readouterr().err == ""


def test_a_name_says_what_it_is_wherever_it_lies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = ("--seen", str(folder / "seen.json"))
    for version in (1, 2):
        (folder / f"v{version}" / "m.bin").rename(folder / f"v{version}" / f"m-{version}.bin")

    def fetched(version: int) -> int:
        files = {"--policy": "policy.yaml", "--trust": "trust.yaml", "--evidence": f"v{version}.json"}
        paths = [part for option, name in files.items() for part in (option, str(folder / name))]
        path = folder / f"v{version}" / f"m-{version}.bin"
        return main(["verify", *paths, *seen, "--name", "m", str(path)])

    assert fetched(2) == 0
    assert {each.name for each in Seen.load(folder / "seen.json").sightings} == {"m"}
    capsys.readouterr()
    assert fetched(1) == 1
    assert "model m: policy.rollback" in capsys.readouterr().out


def test_a_digest_needs_a_name_to_be_seen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = folder / "policy.yaml"
    policy.write_text("declared: allow\n" + policy.read_text())
    digest = str(Model(folder / "v2" / "m.bin").measure().digests).partition(",")[0]
    asked = ["verify", "--policy", str(policy), "--trust", str(folder / "trust.yaml"), "--kind", "model"]
    asked += ["--evidence", str(folder / "v2.json"), "--seen", str(folder / "seen.json"), "--digest", digest]
    assert main(asked) == 2
    assert "--name NAME" in capsys.readouterr().err
    assert not (folder / "seen.json").exists()
    assert main([*asked, "--name", "m"]) == 0
    assert {each.name for each in Seen.load(folder / "seen.json").sightings} == {"m"}
