"""Does the command line write ready policies, and run the tests of one?"""

import json
from pathlib import Path

import pytest

from glasswing_attest import Attestation, KeySigner, Model, ModelRecord, Policy, attest
from glasswing_attest.policies import github_release, slsa_build
from glasswing_attest.policies.catalogue import READY
from tests.unit.cli.stories import Run, Story, in_a_process

# --- new -------------------------------------------------------------------------------------------------------------


def test_ready_policies_are_listed(run: Run) -> None:
    ran = run("policy", "new")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split()[0] for line in ran.out.splitlines()] == list(READY)
    assert run("policy", "new", "--json").json == {"policies": {name: ready.about for name, ready in READY.items()}}


def test_what_is_written_is_the_policy_that_the_words_make(run: Run, tmp_path: Path) -> None:
    ran = run("policy", "new", "github-release", "--repository", "acme/train", "--repository-id", "4711", "--level=3")
    assert (ran.code, ran.err) == (0, "")
    (tmp_path / "policy.yaml").write_text(ran.out)
    wanted = github_release(repository="acme/train", repository_id=4711, level=3)
    assert Policy.load(tmp_path / "policy.yaml") == wanted
    assert "# Made by: glasswing-attest policy new github-release --repository acme/train" in ran.out
    data = run(
        "policy", "new", "--json", "github-release", "--repository", "acme/train", "--repository-id", "4711"
    ).json
    assert data["sha256"] == github_release(repository="acme/train", repository_id=4711).digest
    assert Policy.parse(data["yaml"].encode()).digest == data["sha256"]
    assert Policy.parse(json.dumps(data["policy"]).encode(), suffix=".json").digest == data["sha256"]


def test_words_may_be_repeated_and_identities_are_written_as_in_a_policy(run: Run) -> None:
    person = "{issuer: 'https://i.example', san: b@example.com}"
    several = ("--builders", "{https://ci.example/a: ci}", "--builders", f"{{https://ci.example/b: {person}}}")
    ran = run("policy", "new", "slsa-build", *several)
    assert ran.code == 0, ran.err
    identity = Policy.parse(ran.out.encode()).identities["builder-2"]
    assert Policy.parse(ran.out.encode()) == slsa_build(
        builders={"https://ci.example/a": "ci", "https://ci.example/b": identity}
    )
    # A word with a line end stays one line of the comment: it cannot become a part of the policy.
    odd = run("policy", "new", "oms-model", "--signed-by", "a\nversion: 2", "--times", "claimed")
    assert odd.code == 0, odd.err
    assert Policy.parse(odd.out.encode()).identities["signer"].key == "a\nversion: 2"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["github-relase"], "usage", "Did you mean github-release?"),
        (["github-release"], "usage", "--repository"),
        (["github-release", "--repository", "a/b", "--repo", "c/d"], "usage", "--repo"),
        (["github-release", "--repository", "a/b", "--repository", "c/d"], "malformed.policy", "2 values"),
        (["github-release", "--repository", "a"], "malformed.policy", "repository"),
        (["github-release", "--repository", "a/b", "--level", "high"], "malformed.policy", "an integer"),
        (["slsa-build", "--builders", "{"], "malformed.yaml", "builders"),
        (["oms-model", "--signed-by", "{issuer: 1}"], "malformed.policy", "signed_by"),
    ],
)
def test_words_that_make_no_policy_are_misuse(run: Run, words: list[str], code: str, told: str) -> None:
    ran = run("policy", "new", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.rstrip().endswith(f"[{code}]")
    assert told in ran.err
    assert run("policy", "new", "--json", *words).json["exit"] == 2


@pytest.mark.parametrize("name", READY)
def test_every_ready_policy_tells_its_options(run: Run, name: str) -> None:
    ran = run("policy", "new", name, "--help")
    assert ran.code == 0
    for parameter in READY[name].parameters:
        assert f"--{parameter.name.replace('_', '-')} X" in ran.out


# --- test ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def suite(story: Story) -> Path:
    """A folder with a case that is accepted and one that is refused; policy and trust are handed over."""
    (line,) = story.evidence.read_bytes().splitlines()
    folder = story.folder / "cases"
    folder.mkdir()
    story.model.rename(folder / "model")
    Attestation.parse(line).write(folder / "good.json")
    attest(Model(folder / "model"), ModelRecord(name="m"), signer=KeySigner.generate()).write(folder / "bad.json")
    case = {
        "version": 1,
        "artifact": {"kind": "model", "path": "model"},
        "evidence": ["good.json"],
        "at": "2026-01-02T03:00:00Z",
        "expect": {"verdict": "accepted"},
    }
    (folder / "good.case.json").write_text(json.dumps(case))
    no = {"verdict": "refused", "code": "verification.key-untrusted", "rule": "nodes.model"}
    (folder / "bad.case.json").write_text(json.dumps({**case, "evidence": ["bad.json"], "expect": no}))
    return folder


def test_a_suite_that_passes_is_a_yes(run: Run, story: Story, suite: Path) -> None:
    ran = run("policy", "test", *story.deciding, suite)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "ok    bad.case.json   refused verification.key-untrusted",
        "ok    good.case.json  accepted",
        "2 cases, all as expected",
    ]
    data = run("policy", "test", "--json", *story.deciding, suite).json
    assert (data["passed"], data["exit"], data["findings"]) == (True, 0, [])
    assert run("policy", "test", "--quiet", *story.deciding, suite).out == ""


def test_a_suite_that_fails_is_a_no(run: Run, story: Story, suite: Path) -> None:
    text = (suite / "bad.case.json").read_text().replace("verification.key-untrusted", "policy.expect")
    (suite / "bad.case.json").write_text(text)
    ran = run("policy", "test", *story.deciding, suite)
    assert (ran.code, ran.err) == (1, "")
    assert "      code: expected policy.expect, got verification.key-untrusted" in ran.out.splitlines()
    assert ran.out.splitlines()[-1] == "2 cases, 1 not as expected"
    data = run("policy", "test", "--json", *story.deciding, suite).json
    assert (data["passed"], data["exit"]) == (False, 1)
    quiet = run("policy", "test", "--quiet", *story.deciding, suite)
    assert (quiet.code, quiet.out) == (1, "")
    assert quiet.err == "bad.case.json: code: expected policy.expect, got verification.key-untrusted\n"


def test_a_warning_is_a_no_where_it_is_asked_to_be(run: Run, story: Story, suite: Path) -> None:
    (suite / "bad.case.json").unlink()
    ran = run("policy", "test", *story.deciding, suite)
    assert ran.code == 0
    assert ran.out.splitlines()[1].startswith("warning: the policy of good.case.json: no case expects a no")
    assert run("policy", "test", "--strict", *story.deciding, suite).code == 1
    assert run("policy", "test", "--strict", "--json", *story.deciding, suite).json["exit"] == 1


def test_a_case_that_cannot_be_used_is_misuse_and_nothing_is_run(run: Run, story: Story, suite: Path) -> None:
    assert run("policy", "test", suite).code == 2  # no policy
    (suite / "x.case.json").write_text('{"version": 1}')
    ran = run("policy", "test", *story.deciding, suite)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.rstrip().endswith("[malformed.case]")
    empty = story.folder / "empty"
    empty.mkdir()
    assert run("policy", "test", *story.deciding, empty).code == 2
    assert run("policy", "test", "--policy", "nowhere.yaml", suite).code == 2


def test_the_same_from_a_process_of_its_own(story: Story, suite: Path) -> None:
    ran = in_a_process("policy", "test", *story.deciding, suite, options=("-W", "error", "-OO"))
    assert (ran.code, ran.err) == (0, "")
    new = in_a_process("policy", "new", "oms-model", "--signed-by", "me", options=("-W", "error", "-OO"))
    assert (new.code, new.err) == (0, "")
    assert Policy.parse(new.out.encode()).identities["signer"].key == "me"


def test_who_signs_for_a_builder_is_told_as_the_file_has_it(run: Run) -> None:
    error = run("--json", "policy", "new", "slsa-build", "--builders", "{https://ci.example}").json["error"]
    assert (error["code"], error["where"], error["found"]) == ("malformed.policy", "builders", "nothing")


def test_a_text_where_a_mapping_is_wanted_is_told_the_form(run: Run) -> None:
    error = run("policy", "new", "slsa-build", "--builders", "x=ci", "--json").json["error"]
    assert (error["code"], error["where"], error["found"]) == ("malformed.policy", "builders", "x=ci")
    assert error["wanted"] == "a mapping, such as '{https://ci.example/builder: ci}'"
