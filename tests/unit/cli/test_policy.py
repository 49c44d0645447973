"""Does the command say whether a policy is sound, and what one may say?"""

import json

import pytest

from glasswing_attest import Policy
from glasswing_attest.policy.cel import condition
from glasswing_attest.policy.schema import shipped
from tests.unit.cli.stories import POLICY, Run, Story


def test_a_policy_with_a_doubtful_word(run: Run, story: Story) -> None:
    path = story.folder / "policy.yaml"
    ran = run("policy", "check", path)
    assert (ran.code, ran.err) == (0, "")
    first, last = ran.out.splitlines()
    assert first.startswith("times: nobody but the signer vouches")
    assert last == f"{path}: a policy, with 1 warning"
    assert run("policy", "check", "--strict", path).code == 1


def test_a_sound_policy(run: Run, story: Story) -> None:
    path = story.folder / "sound.yaml"
    path.write_text(POLICY.replace("times: claimed\n", ""))
    ran = run("policy", "check", "--strict", "--trust", story.folder / "trust.yaml", path)
    assert (ran.code, ran.out, ran.err) == (0, f"{path}: a policy, with 0 warnings\n", "")


def test_as_json(run: Run, story: Story) -> None:
    path = story.folder / "policy.yaml"
    for words in (("--json", "policy", "check", path), ("policy", "check", path, "--json")):
        told = run(*words).json
        assert told["policy"] == {"sha256": Policy.load(path).digest}
        (finding,) = told["findings"]
        assert (finding["code"], finding["tier"], finding["rule"]) == ("policy.doubtful", "warning", "times")


def test_a_policy_that_cannot_be_used(run: Run, story: Story) -> None:
    path = story.folder / "bad.yaml"
    path.write_text(POLICY.replace("any_of: [trainer]", "any_of: [trainr]"))
    ran = run("policy", "check", path)
    assert (ran.code, ran.out) == (2, "")
    assert f"{path}:8:" in ran.err
    assert "did you mean trainer?" in ran.err.lower()
    assert run("policy", "check", story.folder / "none.yaml").code != 0


def test_a_policy_and_a_trust_that_do_not_fit(run: Run, story: Story) -> None:
    path = story.folder / "other.yaml"
    path.write_text(POLICY.replace("{key: trainer}", "{key: somebody}"))
    ran = run("policy", "check", path)
    assert ran.code == 0
    ran = run("policy", "check", "--trust", story.folder / "trust.yaml", path)
    assert (ran.code, ran.out) == (2, "")
    assert "identities.trainer.key" in ran.err


def test_a_type_of_others_is_no_matter_of_the_trust(run: Run, story: Story) -> None:
    path = story.folder / "other.yaml"
    path.write_text(POLICY.replace("predicate: ", "predicate: https://example.com/"))
    assert run("policy", "check", "--trust", story.folder / "trust.yaml", path).code == 0


def test_a_condition_without_what_reads_it(run: Run, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    path = story.folder / "where.yaml"
    path.write_text(POLICY + "        where: predicate.name == 'iris'\n")
    assert run("policy", "check", path).code == 0
    monkeypatch.setattr(condition, "find_spec", lambda _name: None)
    ran = run("policy", "check", path)
    assert (ran.code, ran.out) == (3, "")
    assert "glasswing-attest[cel]" in ran.err
    assert run("verify", "--policy", path, "--trust", story.folder / "trust.yaml", story.model).code == 3


def test_the_schema(run: Run) -> None:
    assert run("policy", "schema").out == shipped()
    assert run("policy", "schema", "--json").json == json.loads(shipped())


@pytest.mark.parametrize("words", [(), ("check",), ("schema", "x"), ("judge",), ("check", "--bogus", "x")])
def test_misuse(run: Run, words: tuple[str, ...]) -> None:
    ran = run("policy", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "glasswing-attest: policy" in ran.err


def test_what_has_expired_is_told(run: Run, story: Story) -> None:
    path = story.folder / "old.yaml"
    path.write_text(POLICY.replace("times: claimed\n", "expires: 2020-01-01T00:00:00Z\n"))
    ran = run("policy", "check", path)
    first, last = ran.out.splitlines()
    assert (ran.code, last) == (0, f"{path}: a policy, with 1 warning")
    assert first.startswith("expires: the policy has expired")
