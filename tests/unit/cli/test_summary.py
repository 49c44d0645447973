"""Does ``verify --summary`` sign what was concluded, and only of a yes?"""

from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Attestation, KeySigner
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from tests.unit.cli.stories import Ran, Run, Story

VERIFIER, RESOURCE = "https://verifier.example", "https://models.example/m"
RELYING = f"""\
version: 1
times: claimed
identities: {{verifier: {{key: verifier}}}}
nodes:
  model:
    require:
      - predicate: vsa
        signed_by: {{any_of: [verifier]}}
        expect: {{verifier: "{VERIFIER}", resource: "{RESOURCE}", level: ACME_REVIEWED}}
"""


@pytest.fixture
def said(story: Story) -> tuple[str, ...]:
    """What a summary needs, with the verifier's key in the story's folder."""
    signer = KeySigner.generate()
    signer.write(story.folder / "verifier.key")
    (story.folder / "verifier.pub").write_text(signer.public_key.pem)
    (story.folder / "relying.yaml").write_text(RELYING)
    (story.folder / "relied.yaml").write_text("version: 1\nkeys: {verifier: {file: verifier.pub}}\n")
    key = str(story.folder / "verifier.key")
    return ("--signer", key, "--verifier", VERIFIER, "--resource", RESOURCE)


def verified(run: Run, story: Story, *more: Any) -> Ran:
    return run("verify", *story.deciding, *more, story.model)


def policy_uri(attestation: Attestation) -> str:
    return attestation.statement_unverified.predicate_node.need("policy").need("uri").text()


def test_a_yes_is_signed_and_others_rely_on_it(run: Run, story: Story, said: tuple[str, ...]) -> None:
    out = story.folder / "summary.json"
    done = verified(run, story, "--summary", out, *said, "--property", "ACME_REVIEWED")
    assert done.code == 0
    assert "summary: SLSA_BUILD_LEVEL_UNEVALUATED, ACME_REVIEWED; written: " in done.err
    assert Attestation.load(out).statement_unverified.predicate_type == SUMMARY_V1
    assert policy_uri(Attestation.load(out)).startswith("ni:///sha-256;")
    deciding = ("--policy", story.folder / "relying.yaml", "--trust", story.folder / "relied.yaml")
    assert run("verify", *deciding, "--evidence", out, story.model).code == 0


def test_the_place_of_the_policy_is_said_where_it_is_given(run: Run, story: Story, said: tuple[str, ...]) -> None:
    out = story.folder / "summary.jsonl"
    for _ in range(2):  # one line more each time
        done = verified(run, story, "--json", "--summary", out, *said, "--policy-uri", "https://verifier.example/p")
        assert (done.code, done.json["verdict"]) == (0, "accepted")
    lines = [Attestation.parse(line) for line in out.read_bytes().splitlines()]
    assert list(map(policy_uri, lines)) == ["https://verifier.example/p"] * 2


def test_a_no_is_not_signed(run: Run, story: Story, said: tuple[str, ...]) -> None:
    (story.model / "weights.bin").write_bytes(b"other")
    out = story.folder / "summary.json"
    done = verified(run, story, "--summary", out, *said)
    assert done.code == 1
    assert "no summary" in done.err
    assert not out.exists()


@pytest.mark.parametrize("missing", ["--signer", "--verifier", "--resource"])
def test_what_a_summary_needs_is_asked_for_first(run: Run, story: Story, said: tuple[str, ...], missing: str) -> None:
    rest = [word for pair in zip(said[::2], said[1::2], strict=True) if pair[0] != missing for word in pair]
    done = verified(run, story, "--json", "--summary", story.folder / "s.json", *rest)
    assert done.code == 2
    assert (done.json["error"]["code"], done.json["error"]["where"]) == ("usage", "--summary")
    assert missing in done.json["error"]["wanted"]


@pytest.mark.parametrize("option", ["--signer", "--verifier", "--resource", "--policy-uri", "--property"])
def test_nothing_goes_without_a_summary(run: Run, story: Story, option: str) -> None:
    done = verified(run, story, "--json", option, "https://x.example")
    assert done.code == 2
    assert (done.json["error"]["code"], done.json["error"]["where"]) == ("usage", option)


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        (("--verifier", "acme"), "malformed.field", "verifier.id"),
        (("--resource", "models/m"), "malformed.field", "resourceUri"),
        (("--policy-uri", "policy.yaml"), "malformed.field", "policy.uri"),
        (("--property", "SLSA_BUILD_LEVEL_3"), "malformed.field", "properties[0]"),
        (("--at", "2026-01-01T00:00:00Z"), "usage", "--summary"),
    ],
)
def test_what_cannot_be_said_is_refused_before_anything_is_verified(
    run: Run, story: Story, said: tuple[str, ...], changed: tuple[str, str], code: str, where: str
) -> None:
    # A policy that is not there would be complained of, were it looked for.
    words = ("--policy", "nowhere.yaml", "--trust", "nowhere.yaml", "--summary", story.folder / "s.json")
    done = run("verify", "--json", *words, *said, *changed, story.model)
    assert (done.code, done.json["error"]["code"], done.json["error"]["where"]) == (2, code, where)


def test_a_summary_is_written_over_nothing(run: Run, story: Story, said: tuple[str, ...]) -> None:
    inside = story.model / "summary.json"
    assert verified(run, story, "--summary", inside, *said).code == 2
    assert not inside.exists()
    taken = Path(story.folder / "policy.yaml")
    before = taken.read_bytes()
    assert verified(run, story, "--summary", taken, *said).code == 2
    assert taken.read_bytes() == before


def test_a_key_with_a_passphrase(run: Run, story: Story, said: tuple[str, ...]) -> None:
    KeySigner.generate().write(story.folder / "locked.key", passphrase=b"secret")
    said = ("--signer", str(story.folder / "locked.key"), *said[2:])
    (story.folder / "phrase").write_text("secret\n")
    out = story.folder / "s.json"
    assert verified(run, story, "--summary", out, *said).code == 2
    assert verified(run, story, "--summary", out, *said, "--passphrase-file", story.folder / "phrase").code == 0
    assert out.exists()
