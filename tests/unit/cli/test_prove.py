"""Does a shell prove a part, and verify it without the rest?"""

import hashlib
import json
import shutil

from jsonschema import Draft202012Validator

from glasswing_attest import Model
from glasswing_attest.artifact.leaves import head_of
from glasswing_attest.artifact.proofs import InclusionProof
from glasswing_attest.report.report import report_schema
from tests.unit.cli.stories import Run, Story


def asked(story: Story, part: str, proof: str, name: str = "weights.bin") -> tuple[str, ...]:
    policy = story.folder / "policy.yaml"
    if "declared" not in policy.read_text():
        policy.write_text(policy.read_text() + "declared: allow\n")
    digest = f"dirHash:{json.loads((story.folder / 'digest.json').read_text())}"
    evidence = ("--evidence", str(story.evidence), "--kind", "model", "--digest", digest)
    files = ("--part", name, "--proof", str(story.folder / proof), str(story.folder / part))
    return ("verify", *story.deciding, *evidence, *files)


def proved(run: Run, story: Story) -> None:
    ran = run("prove", "--json", "--out", story.folder / "p.json", story.model, "weights.bin")
    assert (ran.code, ran.json["treeSize"], len(ran.json["merkleRoot"])) == (0, 1, 64)
    written = {"name": "weights.bin", "index": 0, "written": str(story.folder / "p.json")}
    assert ran.json["proofs"] == [written]
    (story.folder / "digest.json").write_text(json.dumps(Model(story.model).measure().digests.get("dirHash")))
    shutil.move(story.model / "weights.bin", story.folder / "part")
    story.model.rmdir()


def test_a_part_is_accepted_without_the_rest(run: Run, story: Story) -> None:
    proved(run, story)
    ran = run(*asked(story, "part", "p.json"))
    assert ran.code == 0
    assert ran.out.startswith("ACCEPTED")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    found = f"sha256:{sha256} of 7 bytes, at {story.folder / 'part'}"
    assert ran.out.endswith(f"\n[ok] file weights.bin: artifact.part\n    found:  {found}\n")
    told = run("--json", *asked(story, "part", "p.json")).json
    assert told["verdict"] == "accepted"
    part = {"code": "artifact.part", "tier": "affirming", "subject": "file weights.bin", "found": found}
    assert told["findings"][-1] == part
    Draft202012Validator(report_schema()).validate(told)


def test_other_bytes_are_a_no_and_nothing_says_accepted(run: Run, story: Story) -> None:
    proved(run, story)
    (story.folder / "part").write_bytes(b"weightz")
    ran = run(*asked(story, "part", "p.json"))
    assert (ran.code, ran.out) == (1, "")
    assert "[verification.mismatch]" in ran.err


def test_another_file_of_the_same_directory_is_a_no(run: Run, story: Story) -> None:
    proved(run, story)
    ran = run(*asked(story, "part", "p.json", name="tokenizer.json"))
    assert (ran.code, ran.out) == (1, "")
    assert "[verification.part]" in ran.err


def test_a_part_of_what_is_not_accepted_is_a_no_and_is_not_read(run: Run, story: Story) -> None:
    proved(run, story)
    (story.folder / "digest.json").write_text(json.dumps("0" * 64))
    ran = run(*asked(story, "absent", "absent.json"))
    assert ran.code == 1
    assert ran.out.startswith("REFUSED")
    assert "artifact.part" not in ran.out


def test_a_proof_of_another_tree_is_a_no(run: Run, story: Story) -> None:
    proved(run, story)
    (story.folder / "other").mkdir()
    (story.folder / "other" / "weights.bin").write_bytes(b"evil")
    assert run("prove", "--quiet", "--out", story.folder / "q.json", story.folder / "other", "weights.bin").code == 0
    ran = run(*asked(story, "other/weights.bin", "q.json"))
    assert (ran.code, ran.out) == (1, "")
    assert "[verification.part]" in ran.err


def test_a_proof_that_cannot_be_read_is_a_no(run: Run, story: Story) -> None:
    proved(run, story)
    (story.folder / "p.json").write_text("{}")
    ran = run(*asked(story, "part", "p.json"))
    assert (ran.code, ran.out) == (1, "")
    assert "[malformed.field-missing]" in ran.err


def test_what_goes_together_is_asked_for_together(run: Run, story: Story) -> None:
    whole = ("--digest", "dirHash:" + "0" * 64, "--kind", "model")
    both = ("--part", "x", "--proof", "y")
    for words in (
        ("--part", "x", story.model),
        ("--proof", "x", story.model),
        (*both, story.model),
        (*both, *whole),
        ("--part", "x", *whole, story.model),
    ):
        ran = run("verify", *story.deciding, *words)
        assert ran.code == 2
        assert "--part and --proof together" in ran.err


def test_a_proof_is_not_written_into_the_directory_nor_for_what_is_not_there(run: Run, story: Story) -> None:
    ran = run("prove", "--out", story.model / "p.json", story.model, "weights.bin")
    assert (ran.code, "[usage]" in ran.err) == (2, True)
    ran = run("prove", "--out", story.folder / "p.json", story.model, "absent")
    assert (ran.code, "[usage]" in ran.err) == (2, True)
    assert not (story.folder / "p.json").exists()


def test_many_files_are_proved_with_one_look_at_the_directory(run: Run, story: Story) -> None:
    (story.model / "sub").mkdir()
    (story.model / "sub" / "vocab.txt").write_text("tok\n")
    proofs = story.folder / "proofs"
    ran = run("prove", "--out-dir", proofs, story.model)
    assert (ran.code, ran.out.count("proved: ")) == (0, 2)
    head = head_of(Model(story.model).measure())
    for name in ("weights.bin", "sub/vocab.txt"):
        assert InclusionProof.load(proofs / f"{name}.proof.json").check(head).name == name
    assert run("prove", "--out-dir", story.folder / "one", story.model, "weights.bin").code == 0
    assert [path.name for path in (story.folder / "one").iterdir()] == ["weights.bin.proof.json"]


def test_what_cannot_be_written_or_is_not_there_is_told_before_anything_is_written(run: Run, story: Story) -> None:
    ran = run("prove", "--out-dir", story.folder / "proofs", story.model, "weights.bin", "absent")
    assert (ran.code, "[usage]" in ran.err, (story.folder / "proofs").exists()) == (2, True, False)
    for names in ((), ("weights.bin", "weights.bin")):
        ran = run("prove", "--out", story.folder / "p.json", story.model, *names)
        assert (ran.code, "one NAME" in ran.err) == (2, True)
    assert run("prove", "--out-dir", story.model / "proofs", story.model).code == 2
    # A way round into the directory is one, too.
    (story.model / "sub").mkdir()
    (story.model / "sub" / "x").touch()
    (story.folder / "proofs").mkdir()
    (story.folder / "proofs" / "sub").symlink_to(story.model / "sub")
    assert run("prove", "--out-dir", story.folder / "proofs", story.model).code == 2
    assert sorted(path.name for path in story.model.rglob("*")) == ["sub", "weights.bin", "x"]
    (story.folder / "taken").touch()
    assert run("prove", "--out-dir", story.folder / "taken", story.model).code == 3
