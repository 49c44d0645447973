"""Does `verify` say yes for a yes, and for nothing else?"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from glasswing_attest import AttestationSet, KeySigner, Model, ModelRecord, attest
from glasswing_attest._cli import exits
from glasswing_attest.errors import (
    ArtifactEmpty,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotAccepted,
    PolicyRefused,
    SignatureInvalid,
    StoreUnavailable,
    TrustExpired,
    TrustRefused,
    UnavailableError,
    error_types,
)
from glasswing_attest.report.report import report_schema
from tests.unit.cli.stories import POLICY, Run, Story


def valid(report: Any) -> Any:
    """The report, which is as its schema says."""
    jsonschema.Draft202012Validator(report_schema()).validate(report)
    return report


def codes(report: Any) -> list[str]:
    return [finding["code"] for finding in report["findings"]]


def test_a_model_with_its_attestation_beside_it_is_accepted(run: Run, story: Story) -> None:
    ran = run("verify", *story.deciding, story.model)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("ACCEPTED: model model  dirHash:")


def test_the_report_as_json(run: Run, story: Story) -> None:
    ran = run("verify", "--json", *story.deciding, story.model)
    report = valid(ran.json)
    assert (ran.code, ran.err, report["verdict"]) == (0, "", "accepted")


def test_global_options_stand_before_or_after_the_command(run: Run, story: Story) -> None:
    before, after = (run(*w, *story.deciding, story.model) for w in (("--json", "verify"), ("verify", "--json")))
    assert before.json["verdict"] == after.json["verdict"] == "accepted"


def test_a_changed_model_is_refused(run: Run, story: Story) -> None:
    (story.model / "weights.bin").write_bytes(b"other")
    ran = run("verify", "--json", *story.deciding, story.model)
    assert (ran.code, valid(ran.json)["verdict"]) == (1, "refused")
    assert codes(ran.json) == ["verification.subject"]
    words = run("verify", *story.deciding, story.model)
    assert words.code == 1
    assert words.out.startswith("REFUSED")


def test_another_signer_is_refused(run: Run, story: Story) -> None:
    story.evidence.unlink()
    attest(Model(story.model), ModelRecord(name="m"), signer=KeySigner.generate()).write(story.evidence)
    ran = run("verify", "--json", *story.deciding, story.model)
    assert (ran.code, valid(ran.json)["verdict"]) == (1, "refused")
    assert [r["code"] for r in ran.json["evidence"]["refused"]] == ["verification.key-untrusted"]


# --- nothing is no yes -----------------------------------------------------------------------------------------------


def nothing(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def blank_lines(path: Path) -> None:
    path.write_bytes(b"\n\n  \n")


def empty_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def foreign_files(path: Path) -> None:
    empty_directory(path)
    (path / "README").write_bytes(b"hello")


def empty_set(path: Path) -> None:
    AttestationSet().write(path)


def empty_object(path: Path) -> None:
    path.write_bytes(b"{}\n")


def empty_array(path: Path) -> None:
    path.write_bytes(b"[]\n")


NOTHING = [nothing, empty, blank_lines, empty_directory, foreign_files, empty_set, empty_object, empty_array]


@pytest.mark.parametrize("spoil", NOTHING, ids=lambda spoil: spoil.__name__)
def test_cve_2025_25204_zero_attestations_are_no_yes(run: Run, story: Story, spoil: Callable[[Path], None]) -> None:
    spoil(story.evidence)
    ran = run("verify", "--json", *story.deciding, story.model)
    assert ran.code == 1
    assert valid(ran.json)["verdict"] == "refused"
    assert codes(ran.json) == ["chain.no-attestation"]
    assert run("verify", "--quiet", *story.deciding, story.model).code == 1


@pytest.mark.parametrize("spoil", NOTHING, ids=lambda spoil: spoil.__name__)
def test_cve_2025_25204_zero_attestations_of_named_evidence_are_no_yes(
    run: Run, story: Story, spoil: Callable[[Path], None]
) -> None:
    spoil(story.evidence)
    ran = run("verify", "--json", *story.deciding, "--evidence", story.evidence, story.model)
    # What was named and is not there could not be had; all else is a plain no.
    wanted = (3, "undecided") if spoil is nothing else (1, "refused")
    assert (ran.code, valid(ran.json)["verdict"]) == wanted
    assert codes(ran.json) == [StoreUnavailable.code if spoil is nothing else "chain.no-attestation"]


def test_named_evidence_is_used_instead_of_what_lies_beside(run: Run, story: Story) -> None:
    (story.folder / "none").mkdir()
    assert run("verify", *story.deciding, "--evidence", story.folder / "none", story.model).code == 1
    moved = story.evidence.rename(story.folder / "moved.jsonl")
    assert (
        run("verify", *story.deciding, "--evidence", story.folder / "none", "--evidence", moved, story.model).code == 0
    )


def test_policy_and_trust_beside_the_artifact_are_not_found_by_themselves(
    run: Run, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(story.folder)
    for option in ("--policy", "--trust"):
        words = list(story.deciding)
        at = words.index(option)
        ran = run("verify", "--json", *words[:at], *words[at + 2 :], story.model)
        assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
        assert option in ran.json["error"]["because"]


def test_the_kind_is_not_guessed_from_what_lies_there(run: Run, story: Story) -> None:
    # Whoever made the artifact chose whether it is a file. The rules for files are laxer here.
    (story.folder / "policy.yaml").write_text(POLICY + "  file: {trim: {reason: whatever}}\n")
    single = story.folder / "single.bin"
    single.write_bytes(b"x")
    assert run("verify", *story.deciding, single).code == 1
    assert run("verify", *story.deciding, "--evidence", story.evidence, single).code == 1


def test_a_single_file_is_a_model_too(run: Run, story: Story) -> None:
    single = story.folder / "model.gguf"
    single.write_bytes(b"x")
    signer = KeySigner.from_file(story.folder / "trainer.key")
    attest(Model(single), ModelRecord(name="m"), signer=signer).write(f"{single}.attestations.jsonl")
    assert run("verify", *story.deciding, single).code == 0


def test_excluded_names(run: Run, story: Story) -> None:
    (story.model / "notes.txt").write_text("later")
    assert run("verify", *story.deciding, story.model).code == 1
    assert run("verify", *story.deciding, "--exclude", "notes.txt", story.model).code == 0


@pytest.mark.parametrize("kind", ["file", "code"])
def test_nothing_is_excluded_from_a_file_or_a_checkout(run: Run, story: Story, kind: str) -> None:
    ran = run("verify", "--json", *story.deciding, "--kind", kind, "--exclude", "x", story.model)
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", "--exclude")


# --- declared digests ------------------------------------------------------------------------------------------------


def declared(story: Story) -> str:
    return f"dirHash:{Model(story.model).measure().digests.get('dirHash')}"


def test_a_declared_digest_needs_a_policy_that_allows_it(run: Run, story: Story) -> None:
    words = (*story.deciding, "--evidence", story.evidence, "--kind", "model", "--digest", declared(story))
    ran = run("verify", "--json", *words)
    assert (ran.code, codes(valid(ran.json))) == (1, ["policy.declared"])
    (story.folder / "policy.yaml").write_text(POLICY + "declared: allow\n")
    assert run("verify", *words).code == 0


@pytest.mark.parametrize(
    ("words", "code", "where"),
    [
        (("--digest", "dirHash:" + "0" * 64), "usage", "--digest"),
        (("--kind", "model", "--digest", "sha1:" + "0" * 40), "malformed.digest", "digest"),
        (("--kind", "model", "--digest", "sha256:00"), "malformed.digest", "sha256"),
        (("--kind", "../x", "--digest", "sha256:" + "0" * 64), "malformed.field", "manifest.kind"),
        (("--kind", "model", "--digest", "sha256:" + "0" * 64, "--exclude", "x"), "usage", "--exclude"),
        ((), "usage", "verify"),
    ],
)
def test_declared_digests_that_make_no_sense(
    run: Run, story: Story, words: tuple[str, ...], code: str, where: str
) -> None:
    ran = run("verify", "--json", *story.deciding, *words)
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, code, where)


def test_an_artifact_and_a_digest_are_one_too_many(run: Run, story: Story) -> None:
    ran = run("verify", "--json", *story.deciding, "--kind", "model", "--digest", declared(story), story.model)
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")


# --- exit codes ------------------------------------------------------------------------------------------------------


def refusal(run: Run, story: Story, *more: str | Path, artifact: Path | None = None) -> tuple[int, str]:
    ran = run("verify", "--json", *story.deciding, *more, artifact or story.model)
    return ran.code, ran.json["error"]["code"]


def test_unusable_policy_and_trust_are_misuse(run: Run, story: Story) -> None:
    policy, trust = story.folder / "policy.yaml", story.folder / "trust.yaml"
    good = {path: path.read_bytes() for path in (policy, trust)}
    for path, refused in ((policy, PolicyRefused.code), (trust, TrustRefused.code)):
        for text, code in (
            (b"", refused),
            (b"version: 2\n", refused),
            (b"a: [", "malformed.yaml"),
            (b"\xff", "malformed.utf8"),
        ):
            path.write_bytes(text)
            assert refusal(run, story) == (2, code)
        path.unlink()
        assert refusal(run, story) == (2, refused)
        path.write_bytes(good[path])
    # A key of a kind that is not used, and a file whose suffix says nothing, are the caller's to mend as well.
    (story.folder / "trainer.pub").write_bytes(b"-----BEGIN PUBLIC KEY-----\n")
    assert refusal(run, story) == (2, "malformed.pem")
    shutil.copy(policy, story.folder / "policy.txt")
    assert refusal(run, story, "--policy", story.folder / "policy.txt") == (2, "unsupported.format")


def test_a_policy_that_names_a_key_that_the_trust_lacks_is_misuse(run: Run, story: Story) -> None:
    (story.folder / "trust.yaml").write_text("version: 1\nkeys: {other: {file: trainer.pub}}\n")
    assert refusal(run, story) == (2, PolicyRefused.code)


def test_expired_trust_is_unavailable_whatever_at_says(run: Run, story: Story) -> None:
    old = "version: 1\nexpires: 2020-01-01T00:00:00Z\nkeys: {trainer: {file: trainer.pub}}\n"
    (story.folder / "trust.yaml").write_text(old)
    assert refusal(run, story) == (3, TrustExpired.code)
    assert refusal(run, story, "--at", "2019-01-01T00:00:00Z") == (3, TrustExpired.code)


def test_artifacts_that_cannot_be_digested_are_misuse(run: Run, story: Story) -> None:
    assert refusal(run, story, artifact=story.folder / "nowhere") == (2, "artifact.unreadable")
    (story.folder / "empty").mkdir()
    assert refusal(run, story, artifact=story.folder / "empty") == (2, ArtifactEmpty.code)
    (story.model / "link").symlink_to("weights.bin")
    assert refusal(run, story) == (2, "artifact.irregular")


def test_a_time_that_is_none_is_misuse(run: Run, story: Story) -> None:
    for text in ("yesterday", "2026-01-01", "2026-01-01T00:00:00"):
        assert refusal(run, story, "--at", text) == (2, FieldRefused.code)


def test_at_is_the_time_of_the_verdict(run: Run, story: Story) -> None:
    at = "2030-01-01T00:00:00Z"
    assert run("verify", "--json", *story.deciding, "--at", at, story.model).json["at"] == at


def test_too_much_evidence_is_a_no_and_undecided(run: Run, story: Story) -> None:
    with story.evidence.open("ab") as file:
        file.truncate(257 << 20)  # a hole: nothing is read, the size alone is too large
    ran = run("verify", "--json", *story.deciding, story.model)
    assert (ran.code, valid(ran.json)["verdict"], codes(ran.json)) == (1, "undecided", [LimitError.code])


def test_malformed_evidence_is_a_no_that_names_it(run: Run, story: Story) -> None:
    story.evidence.write_bytes(b'{"mediaType":1,"mediaType":2}\n')
    ran = run("verify", "--json", *story.deciding, story.model)
    assert ran.code == 1
    assert [r["code"] for r in valid(ran.json)["evidence"]["refused"]] == ["malformed.duplicate-key"]


def test_no_failure_leaves_with_0() -> None:
    kinds = list(error_types())
    assert len(kinds) > 30
    assert {exits.exit_code(kind()) for kind in kinds} == {1, 2, 3}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GlasswingError(), 1),
        (SignatureInvalid(), 1),
        (NotAccepted(), 1),
        (LimitError(), 1),
        (FieldRefused(), 1),
        (FieldRefused(kind="policy"), 2),
        (FieldRefused(kind="trust"), 2),
        (ArtifactEmpty(), 2),
        (UnavailableError(), 3),
        (TrustExpired(), 3),
    ],
)
def test_the_table_of_exit_codes(error: GlasswingError, code: int) -> None:
    assert exits.exit_code(error) == code


# --- quiet, notes, cases ---------------------------------------------------------------------------------------------


def test_quiet_leaves_the_exit_code_and_one_line_for_a_no(run: Run, story: Story) -> None:
    ran = run("verify", "--quiet", *story.deciding, story.model)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    story.evidence.unlink()
    ran = run("verify", "--quiet", *story.deciding, story.model)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("refused: model model: chain.no-attestation")
    assert ran.err.count("\n") == 1


def test_absent_evidence_is_noted(run: Run, story: Story) -> None:
    story.evidence.unlink()
    assert f"there is no {story.evidence}" in run("verify", *story.deciding, story.model).err


def test_a_case_is_kept_and_replayed(run: Run, story: Story) -> None:
    case = story.folder / "case.zip"
    first = run("verify", "--json", *story.deciding, "--case", case, story.model)
    shutil.rmtree(story.model)
    again = run("replay", "--json", case)
    assert (first.code, again.code) == (0, 0)
    told = valid(again.json)
    assert told["findings"].pop()["code"] == "report.replayed"
    assert told == {**first.json, "replayed": True}
    words = run("replay", case)
    assert words.out.startswith("ACCEPTED")
    assert f"policy sha256:{first.json['inputs']['policySha256']}" in words.err


def test_a_no_is_replayed_as_a_no(run: Run, story: Story) -> None:
    case = story.folder / "case.zip"
    story.evidence.unlink()
    assert run("verify", *story.deciding, "--case", case, story.model).code == 1
    again = run("replay", "--json", case)
    assert (again.code, codes(again.json)) == (1, ["chain.no-attestation", "report.replayed"])


def test_what_is_no_case_is_no_yes(run: Run, story: Story) -> None:
    for path, wanted in (
        (story.folder / "nowhere.zip", (3, "unavailable.store")),
        (story.evidence, (1, "unsupported.format")),
        (story.folder, (3, "unavailable.store")),
    ):
        ran = run("replay", "--json", path)
        assert (ran.code, ran.json["error"]["code"]) == wanted


def test_a_case_is_not_written_into_the_artifact(run: Run, story: Story) -> None:
    (story.folder / "link").symlink_to(story.model)
    for path in (story.model / "case.zip", story.folder / "link" / "case.zip", story.folder / "nowhere" / "case.zip"):
        ran = run("verify", "--json", *story.deciding, "--case", path, story.model)
        assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
        assert not path.exists()
    assert [p.name for p in story.model.iterdir()] == ["weights.bin"]


def test_hostile_evidence_reaches_no_terminal(run: Run, story: Story) -> None:
    hostile = story.folder / "e\x1b[2J\x9b31m.json"
    hostile.write_bytes(b"\x1b]0;owned\x07")
    ran = run("verify", *story.deciding, "--evidence", hostile, story.model)
    assert ran.code == 1
    assert "e\\x1b[2J\\x9b31m.json" in ran.out
    as_json = run("verify", "--json", *story.deciding, "--evidence", hostile, story.model)
    for text in (ran.out, ran.err, as_json.out, as_json.err):
        assert all(c == "\n" or c.isprintable() for c in text)


def test_an_expired_policy_is_named(run: Run, story: Story) -> None:
    policy = story.folder / "old.yaml"
    policy.write_text("expires: 2020-01-01T00:00:00Z\n" + (story.folder / "policy.yaml").read_text())
    error = run("verify", "--json", "--policy", policy, "--trust", story.folder / "trust.yaml", story.model).json[
        "error"
    ]
    assert (error["code"], error["where"]) == ("unavailable.policy-expired", f"{policy}: expires")


def test_policy_and_trust_in_each_others_place(run: Run, story: Story) -> None:
    ran = run(
        "verify",
        "--json",
        "--policy",
        story.folder / "trust.yaml",
        "--trust",
        story.folder / "policy.yaml",
        story.model,
    )
    error = ran.json["error"]
    assert (ran.code, error["code"], error["where"]) == (2, "malformed.policy", str(story.folder / "trust.yaml"))
    assert error["because"] == "this looks like a trust file"
    ran = run(
        "verify",
        "--json",
        "--policy",
        story.folder / "policy.yaml",
        "--trust",
        story.folder / "policy.yaml",
        story.model,
    )
    assert (ran.code, ran.json["error"]["because"]) == (2, "this looks like a policy")


def test_a_policy_that_is_no_policy_is_not_called_evidence(run: Run, story: Story) -> None:
    policy = story.folder / "run.jsonl"
    policy.write_text("{}\n")
    ran = run("verify", "--policy", policy, "--trust", story.folder / "trust.yaml", story.model)
    assert ran.code == 2
    assert "evidence" not in ran.err
    assert "found .jsonl, wanted .yaml, .yml, .toml or .json" in ran.err


def test_a_path_without_evidence_is_to_be_checked(run: Run, story: Story) -> None:
    ran = run("verify", "--json", *story.deciding, "--evidence", story.folder / "nope", story.model)
    assert ran.code == 3
    (finding,) = ran.json["findings"]
    assert (finding["code"], finding["do"][:36]) == ("unavailable.store", "check the path that was given; if it")
