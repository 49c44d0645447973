"""Can the command verify a predicate type that nobody but you knows, and does it say that it does so?"""

import json
from pathlib import Path

import jsonschema
import pytest

from glasswing_attest import KeySigner, Model, Policy, Trust, Verifier, attest, replay
from glasswing_attest.errors import UsageError
from glasswing_attest.report.report import report_schema
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType, opaque
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from tests.chains import Said
from tests.unit.cli.stories import POLICY, Run, Story

OURS = "https://example.com/checked/v1"
OTHER = "https://example.com/other/v1"
SAYS = f"{OURS}: known, read as it is, draws no edges"


@pytest.fixture
def checked(story: Story) -> Story:
    """The story, with a policy that asks for a predicate type of its own, and an attestation of that type."""
    signer = KeySigner.from_file(story.folder / "trainer.key")
    made = attest(Model(story.model), Said(predicate_type=OURS, body={"ok": True}), signer=signer)
    made.write(story.evidence)
    policy = story.folder / "policy.yaml"
    policy.write_text(
        "\n".join(f"      - predicate: {OURS}" if "predicate:" in line else line for line in POLICY.splitlines())
    )
    return story


def test_without_it_the_policy_is_refused_with_what_to_do(run: Run, checked: Story) -> None:
    ran = run("verify", "--json", *checked.deciding, checked.model)
    error = ran.json["error"]
    assert (ran.code, error["code"], error["where"]) == (2, "malformed.policy", "nodes.model.require[0].predicate")
    assert "--opaque URI" in error["do"]


def test_with_it_the_model_is_accepted_and_the_report_says_so(run: Run, checked: Story) -> None:
    ran = run("verify", *checked.deciding, "--opaque", OURS, checked.model)
    assert (ran.code, ran.err) == (0, f"{SAYS}\n")
    assert f"\n  further predicate types: opaque {OURS}\n" in ran.out
    report = run("verify", "--json", *checked.deciding, "--opaque", OURS, "--opaque", OTHER, checked.model).json
    jsonschema.Draft202012Validator(report_schema()).validate(report)
    assert (report["verdict"], report["inputs"]["predicates"]) == ("accepted", [f"opaque {OURS}", f"opaque {OTHER}"])
    plain = run("verify", "--json", *checked.deciding, "--opaque", OURS, "--opaque", OURS, checked.model).json
    assert plain["inputs"]["predicates"] == [f"opaque {OURS}"]


def test_it_lets_nothing_in(run: Run, checked: Story) -> None:
    stranger = attest(Model(checked.model), Said(predicate_type=OURS, body={}), signer=KeySigner.generate())
    checked.evidence.write_bytes(stranger.bytes)
    ran = run("verify", "--json", *checked.deciding, "--opaque", OURS, checked.model)
    assert (ran.code, ran.json["verdict"]) == (1, "refused")
    assert ran.json["findings"][0]["code"] == "verification.key-untrusted"


def test_replay_asks_for_the_same(run: Run, checked: Story) -> None:
    case = checked.folder / "case.zip"
    assert run("verify", *checked.deciding, "--opaque", OURS, "--case", case, checked.model).code == 0
    for words in ((), ("--opaque", OURS, "--opaque", OTHER), ("--opaque", OTHER)):
        ran = run("replay", "--json", *words, case)
        assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", "predicates")
        assert ran.json["error"]["wanted"] == f"opaque {OURS}"
        assert "--opaque URI" in ran.json["error"]["do"]
    again = run("replay", "--opaque", OURS, case)
    assert (again.code, again.err.splitlines()[0]) == (0, SAYS)
    assert f"further predicate types: opaque {OURS}" in again.out


def test_what_drew_edges_then_is_not_replayed_as_it_is(checked: Story) -> None:
    def nothing(_: object) -> tuple[Dependency, ...]:
        return ()

    typed = PredicateType(uri=OURS, parse=lambda node, _: node.object(), dependencies=nothing)
    policy, trust = Policy.load(checked.folder / "policy.yaml"), Trust.load(checked.folder / "trust.yaml")
    verifier = Verifier(policy=policy, trust=trust, predicates=(typed,))
    case = verifier.assess(Model(checked.model), checked.evidence).case(checked.folder / "typed.zip")
    assert replay(case, predicates=(typed,)).accepted
    with pytest.raises(UsageError) as refused:
        replay(case, predicates=(opaque(OURS),))
    assert (refused.value.where, refused.value.found, refused.value.wanted) == ("predicates", f"opaque {OURS}", OURS)


@pytest.mark.parametrize("command", ["verify", "replay"])
@pytest.mark.parametrize(("uri", "because"), [(PROVENANCE_V1, "this type is read here"), ("checked", "")])
def test_what_is_read_here_or_is_no_uri_is_refused(
    run: Run, checked: Story, command: str, uri: str, because: str, tmp_path: Path
) -> None:
    words = ("--opaque", uri, *((*checked.deciding, checked.model) if command == "verify" else (tmp_path / "x.zip",)))
    ran = run(command, "--json", *words)
    error = ran.json["error"]
    assert (ran.code, error["code"], error["where"], error["found"]) == (2, "usage", "--opaque", uri)
    assert because in error.get("because", "")


def test_a_report_names_no_type_where_none_was_handed_over(run: Run, story: Story) -> None:
    assert run("verify", "--json", *story.deciding, story.model).json["inputs"]["predicates"] == []
    assert "further predicate types" not in run("verify", *story.deciding, story.model).out
    assert json.loads(story.evidence.read_bytes())  # one attestation, or the test above would mean nothing
