"""Does a policy refuse what is empty or ambiguous when it is built, and say the same in every form?"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest import Policy, Trust, Verifier
from glasswing_attest.errors import (
    DuplicateKey,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    MalformedError,
    NotJson,
    NotYaml,
    PolicyExpired,
    PolicyRefused,
    UsageError,
)
from glasswing_attest.policy.policy import Cardinality, Expect, NodeRule, Requirement, SignedBy, Trim
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from tests.chains import NOW, honest, policy_of, trust_of

Change = Callable[[dict[str, Any]], object]


def requirement(plain: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plain["nodes"]["model"]["require"][0]
    return found


def signed_by(rule: object) -> Change:
    return lambda plain: requirement(plain).__setitem__("signed_by", rule)


def summary(expect: object) -> Change:
    rule = {"predicate": SUMMARY_V1, "signed_by": {"any_of": ["trainer"]}}
    more = {} if expect is None else {"expect": expect}
    return lambda plain: plain["nodes"]["code"].__setitem__("require", [{**rule, **more}])


def of(threshold: object, *names: str, over: object = "same_type") -> Change:
    return signed_by({"threshold": threshold, "of": list(names), "over": over})


def setting(path: str, value: object) -> Change:
    """Set a value deep within the policy, or remove it with `...`."""

    def change(plain: dict[str, Any]) -> None:
        *parts, last = path.split("/")
        target: Any = plain
        for part in parts:
            target = target[int(part) if part.isdigit() else part]
        if value is ...:
            del target[last]
        else:
            target[last] = value

    return change


RULE = "nodes/model/require/0"
REFUSED: dict[str, tuple[Change, str]] = {
    "no version": (setting("version", ...), "version"),
    "version 2": (setting("version", 2), "version"),
    "version true": (setting("version", True), "version"),
    "version text": (setting("version", "1"), "version"),
    "no identities": (setting("identities", ...), "identities"),
    "empty identities": (setting("identities", {}), "identities"),
    "no nodes": (setting("nodes", ...), "nodes"),
    "empty nodes": (setting("nodes", {}), "nodes"),
    "unknown field": (setting("node", {}), "node"),
    "unknown field within": (setting(f"{RULE}/signedby", {}), "nodes.model.require[0].signedby"),
    "unknown expectation": (setting(f"{RULE}/expect/builders", "x"), "nodes.model.require[0].expect.builders"),
    "unknown kind": (setting("nodes/models", {"trim": {"reason": "x"}}), "nodes.models"),
    "kind run": (setting("nodes/run", {"trim": {"reason": "x"}}), "nodes.run"),
    "times of neither kind": (setting("times", "any"), "times"),
    "declared of neither kind": (setting("declared", True), "declared"),
    "identity without key": (
        setting("identities/trainer", {}),
        "identities.trainer: wanted exactly one of key, issuer and authority",
    ),
    "identity with empty key": (setting("identities/trainer", {"key": ""}), "identities.trainer.key"),
    "identity of an issuer": (
        setting("identities/trainer", {"issuer": "x"}),
        "identities.trainer: whoever vouches, vouches for everybody",
    ),
    "rule of neither": (setting("nodes/model", {}), "nodes.model"),
    "rule of both": (setting("nodes/model/trim", {"reason": "x"}), "nodes.model"),
    "rule with no requirement": (setting("nodes/model/require", []), "nodes.model"),
    "rule null": (setting("nodes/model", None), "nodes.model"),
    "trim without a reason": (setting("nodes/tool", {"trim": {}}), "nodes.tool.trim.reason"),
    "trim with an empty reason": (setting("nodes/tool", {"trim": {"reason": ""}}), "nodes.tool.trim.reason"),
    "one label twice": (
        lambda p: p["nodes"]["model"]["require"].append(dict(requirement(p))),
        "nodes.model",
    ),
    "no predicate": (setting(f"{RULE}/predicate", ...), "nodes.model.require[0].predicate"),
    "empty predicate": (setting(f"{RULE}/predicate", ""), "nodes.model.require[0].predicate"),
    "no signed_by": (setting(f"{RULE}/signed_by", ...), "nodes.model.require[0].signed_by"),
    "signed_by null": (signed_by(None), "nodes.model.require[0].signed_by"),
    "signed_by nobody": (signed_by({}), "nodes.model.require[0].signed_by"),
    "signed_by any of none": (signed_by({"any_of": []}), "nodes.model.require[0].signed_by"),
    "signed_by a text": (signed_by({"any_of": "trainer"}), "nodes.model.require[0].signed_by.any_of"),
    "signed_by an empty name": (signed_by({"any_of": [""]}), "nodes.model.require[0].signed_by.any_of[0]"),
    "signed_by one twice": (signed_by({"any_of": ["trainer", "trainer"]}), "nodes.model.require[0].signed_by"),
    "signed_by a stranger": (
        signed_by({"any_of": ["mallory"]}),
        "nodes.model.require[0].signed_by.any_of[0]: there is no such identity",
    ),
    "signed_by both ways": (
        signed_by({"any_of": ["trainer"], "of": ["trainer"], "threshold": 1, "over": "same_type"}),
        "nodes.model.require[0].signed_by",
    ),
    "any_of with a threshold": (signed_by({"any_of": ["trainer"], "threshold": 1}), "nodes.model.require[0].signed_by"),
    "any_of with over": (signed_by({"any_of": ["trainer"], "over": "same_type"}), "nodes.model.require[0].signed_by"),
    "of without threshold": (of(None, "trainer"), "nodes.model.require[0].signed_by"),
    "of without over": (of(1, "trainer", over=None), "nodes.model.require[0].signed_by"),
    "over something else": (of(1, "trainer", over="any"), "nodes.model.require[0].signed_by.over"),
    "cve 2026 23992 threshold 0": (
        of(0, "trainer", "developer"),
        "nodes.model.require[0].signed_by.threshold: wanted 1 to 2",
    ),
    "threshold -1": (
        of(-1, "trainer", "developer"),
        "nodes.model.require[0].signed_by.threshold: wanted 1 to 2",
    ),
    "threshold 3 of 2": (
        of(3, "trainer", "developer"),
        "nodes.model.require[0].signed_by.threshold: wanted 1 to 2",
    ),
    "threshold true": (of(True, "trainer", "developer"), "nodes.model.require[0].signed_by.threshold"),
    "threshold text": (of("1", "trainer", "developer"), "nodes.model.require[0].signed_by.threshold"),
    "threshold fraction": (of(1.0, "trainer", "developer"), "nodes.model.require[0].signed_by.threshold"),
    "one name twice in of": (of(2, "trainer", "trainer"), "nodes.model.require[0].signed_by"),
    "provenance without expect": (setting(f"{RULE}/expect", ...), "expect.builder"),
    "provenance without builder": (setting(f"{RULE}/expect/builder", ...), "expect.builder"),
    "provenance with an empty builder": (setting(f"{RULE}/expect/builder", ""), "expect.builder"),
    "provenance with a resource": (setting(f"{RULE}/expect/resource", "x:y"), "expect.resource does not apply"),
    "expect nothing": (setting(f"{RULE}/expect", {}), "nodes.model.require[0].expect"),
    "summary without expect": (summary(None), "expect.verifier and expect.resource"),
    "summary without resource": (summary({"verifier": "x:y"}), "expect.verifier and expect.resource"),
    "summary without verifier": (summary({"resource": "x:y"}), "expect.verifier and expect.resource"),
    "summary with a builder": (
        summary({"verifier": "x:y", "resource": "x:y", "builder": "x"}),
        "expect.builder does not apply",
    ),
    "a record with a level": (setting("nodes/code/require/0/expect", {"level": "x"}), "expect.level does not apply"),
    "inputs of no provenance": (
        setting("nodes/code/require/0/inputs", {"code": {"min": 1}}),
        "inputs go with provenance",
    ),
    "inputs of no role": (
        setting(f"{RULE}/inputs/data", {"min": 1}),
        "nodes.model.require[0].inputs.data: there is no such role",
    ),
    "inputs of the root's kind": (
        setting(f"{RULE}/inputs/model", {"min": 1}),
        "nodes.model.require[0].inputs.model: there is no such role",
    ),
    "inputs saying nothing": (setting(f"{RULE}/inputs/code", {}), "nodes.model.require[0].inputs.code"),
    "inputs saying too much": (
        setting(f"{RULE}/inputs/code", {"exactly": 1, "min": 1}),
        "nodes.model.require[0].inputs.code",
    ),
    "inputs backwards": (setting(f"{RULE}/inputs/code", {"min": 2, "max": 1}), "nodes.model.require[0].inputs.code"),
    "inputs negative": (setting(f"{RULE}/inputs/code", {"min": -1}), "nodes.model.require[0].inputs.code.min"),
    "inputs a number": (setting(f"{RULE}/inputs/code", 1), "nodes.model.require[0].inputs.code"),
    "expires without a zone": (setting("expires", "2027-01-01T00:00:00"), "expires"),
    "expires a date": (setting("expires", "2027-01-01"), "expires"),
    "expires a number": (setting("expires", 1798761600), "expires"),
    "expires in week notation": (setting("expires", "2027-W01-1T00:00:00Z"), "expires"),
    "trim until a date": (setting("nodes/tool", {"trim": {"reason": "x", "until": "2027"}}), "nodes.tool.trim.until"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_does_not_construct(name: str) -> None:
    change, place = REFUSED[name]
    with pytest.raises(PolicyRefused) as caught:
        policy_of(change)
    assert isinstance(caught.value, MalformedError)
    error = caught.value
    assert (error.code, error.kind) == ("malformed.policy", "policy")
    assert re.match(r"policy(:1:[0-9]+)?(: |$)", error.where)
    assert place in f"{error.where}: {error.because or f'wanted {error.wanted}'}"
    assert "Value error" not in str(error)


def test_the_honest_policy_constructs() -> None:
    # Else every refusal above could have another cause.
    assert policy_of().nodes["model"].require[0].label == "run"


def test_several_complaints_are_told_at_once() -> None:
    def two(plain: dict[str, Any]) -> None:
        plain["times"] = "any"
        plain["version"] = 2

    with pytest.raises(PolicyRefused) as caught:
        policy_of(two)
    assert caught.value.where == "policy:1:13: version"
    assert caught.value.because == "see also times"


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda: Policy(version=1, identities={}, nodes={}), "Policy: identities"),
        (SignedBy, "SignedBy"),
        (lambda: SignedBy(threshold=0, of=("a",), over="same_type"), "SignedBy: threshold"),
        (Cardinality, "Cardinality"),
        (Expect, "Expect"),
        (NodeRule, "NodeRule"),
        (lambda: Trim(reason=""), "Trim: reason"),
        (lambda: Trim(reason="x", until=datetime(2027, 1, 1)), "Trim: until"),  # noqa: DTZ001
        (lambda: Requirement(predicate=PROVENANCE_V1, signed_by=SignedBy(any_of=("a",))), "Requirement: expect"),
    ],
)
def test_python_values_are_refused_in_the_same_words(build: Callable[[], object], where: str) -> None:
    with pytest.raises(PolicyRefused) as caught:
        build()
    assert (caught.value.code, caught.value.kind, caught.value.where) == ("malformed.policy", "policy", where)
    assert "Value error" not in str(caught.value)


# --- files -----------------------------------------------------------------------------------------------------------

YAML = b"""
# A comment, and text with or without quotes.
version: 1
times: claimed
expires: 2027-06-30T12:00:00+02:00
identities: {trainer: {key: trainer}, "team": {key: 'data-team'}}
nodes:
  model:
    require:
      - as: run
        predicate: https://slsa.dev/provenance/v1
        signed_by: {threshold: 1, of: [trainer, team], over: same_statement}
        expect: {builder: https://ci.example/trainer}
        inputs: {dataset: {min: 0}, code: {exactly: 0}}
  tool: {trim: {reason: lock file, until: 2027-06-30T00:00:00Z}}
"""
TOML = b"""
version = 1
times = "claimed"
expires = 2027-06-30T12:00:00+02:00
[identities.trainer]
key = "trainer"
[identities.team]
key = "data-team"
[[nodes.model.require]]
as = "run"
predicate = "https://slsa.dev/provenance/v1"
signed_by = {threshold = 1, of = ["trainer", "team"], over = "same_statement"}
expect = {builder = "https://ci.example/trainer"}
inputs = {dataset = {min = 0}, code = {exactly = 0}}
[nodes.tool.trim]
reason = "lock file"
until = "2027-06-30T00:00:00Z"
"""
JSON = json.dumps(
    {
        "version": 1,
        "times": "claimed",
        "expires": "2027-06-30T10:00:00Z",
        "identities": {"trainer": {"key": "trainer"}, "team": {"key": "data-team"}},
        "nodes": {
            "model": {
                "require": [
                    {
                        "as": "run",
                        "predicate": "https://slsa.dev/provenance/v1",
                        "signed_by": {"threshold": 1, "of": ["trainer", "team"], "over": "same_statement"},
                        "expect": {"builder": "https://ci.example/trainer"},
                        "inputs": {"dataset": {"min": 0}, "code": {"exactly": 0}},
                    }
                ]
            },
            "tool": {"trim": {"reason": "lock file", "until": "2027-06-30T00:00:00.000Z"}},
        },
    }
).encode()


def test_one_policy_in_three_languages(tmp_path: Path) -> None:
    policies = []
    for suffix, data in ((".yaml", YAML), (".yml", YAML), (".toml", TOML), (".json", JSON)):
        path = tmp_path / f"policy{suffix}"
        path.write_bytes(data)
        policies.append(Policy.load(path))
    assert all(policy == policies[0] for policy in policies)
    assert len({policy.digest for policy in policies}) == 1
    assert policies[0].expires == datetime(2027, 6, 30, 10, tzinfo=UTC)
    assert policies[0].nodes["model"].require[0].inputs["code"].most == 0


def test_the_digest_of_a_policy_never_changes() -> None:
    # It stands in reports that people keep: a new digest for an old policy would make them worthless.
    assert (
        Policy.parse(JSON, suffix=".json").to_json().startswith(b'{"declared":"deny","expires":"2027-06-30T10:00:00Z"')
    )
    assert Policy.parse(YAML).digest == "be6303d513c8c6d03acd7845eba6a630a594ebd9abf42d67fa49970ed11b6c14"


def test_what_is_written_reads_as_the_same_policy() -> None:
    for policy in (Policy.parse(YAML), policy_of(), honest().policy):
        again = Policy.parse(policy.to_json(), suffix=".json")
        assert again == policy
        assert again.to_json() == policy.to_json()
        assert again.digest == policy.digest


def test_every_part_counts_in_the_digest() -> None:
    changes: list[Change] = [
        setting("times", "verified"),
        setting("declared", "allow"),
        setting("name", "x"),
        setting("expires", "2027-01-01T00:00:00Z"),
        setting("identities/trainer/key", "other"),
        setting(f"{RULE}/as", "r"),
        setting(f"{RULE}/expect/build_type", ...),
        setting(f"{RULE}/inputs/code", {"exactly": 0}),
        setting(f"{RULE}/inputs/code", {"min": 1}),
        setting(f"{RULE}/inputs/code", {"max": 0}),
        setting(f"{RULE}/inputs/code", ...),
        of(1, "trainer"),
        of(1, "trainer", over="same_statement"),
        setting("nodes/tool", {"trim": {"reason": "x"}}),
        setting("nodes/tool", {"trim": {"reason": "x", "until": "2027-01-01T00:00:00Z"}}),
    ]
    digests = {policy_of(change).digest for change in changes} | {policy_of().digest}
    assert len(digests) == len(changes) + 1


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5)), timezone(timedelta(minutes=-90))])
# hypothesis takes naive bounds; zones must not lead out of the years that there are.
TIMES = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001


@settings(deadline=None)
@given(name=st.just("") | TEXT, key=TEXT, until=TIMES, bound=st.integers(0, 2**53 - 1), reason=TEXT)
def test_any_policy_survives_its_own_json(name: str, key: str, until: datetime, bound: int, reason: str) -> None:
    def change(plain: dict[str, Any]) -> None:
        plain["name"] = name
        plain["identities"]["trainer"]["key"] = key
        requirement(plain)["inputs"] = {"code": {"exactly": bound}}
        requirement(plain)["as"] = reason
        plain["nodes"]["tool"] = {"trim": {"reason": reason, "until": until.isoformat()}}

    policy = policy_of(change)
    assert Policy.parse(policy.to_json(), suffix=".json") == policy


@pytest.mark.parametrize(
    ("data", "suffix", "error", "code"),
    [
        (b"", ".yaml", PolicyRefused, "malformed.policy"),
        (b"[]", ".yaml", PolicyRefused, "malformed.policy"),
        (b"just text", ".yaml", PolicyRefused, "malformed.policy"),
        (b"null", ".json", PolicyRefused, "malformed.policy"),
        (b"", ".toml", PolicyRefused, "malformed.policy"),
        (b"version: 1\nversion: 1", ".yaml", DuplicateKey, "malformed.duplicate-key"),
        (b'{"version": 1, "version": 1}', ".json", DuplicateKey, "malformed.duplicate-key"),
        (b"version = 1\nversion = 1", ".toml", NotYaml, "malformed.yaml"),
        (b"{", ".json", NotJson, "malformed.json"),
        (b"a: [", ".yaml", NotYaml, "malformed.yaml"),
        (b"a: &x 1\nb: *x", ".yaml", NotYaml, "malformed.yaml"),
        (b"a: !!python/object:os.system x", ".yaml", NotYaml, "malformed.yaml"),
        (b"version: !!int '1'", ".yaml", NotYaml, "malformed.yaml"),
        (b"version: 1\n---\nversion: 1", ".yaml", NotYaml, "malformed.yaml"),
        (b"<<: {version: 1}", ".yaml", NotYaml, "malformed.yaml"),
        (b"version: 0x1", ".yaml", NotYaml, "malformed.yaml"),
        (b"version: 1.0", ".yaml", NotYaml, "malformed.yaml"),
        (b"1: 1", ".yaml", NotYaml, "malformed.yaml"),
        (b"times: no", ".yaml", NotYaml, "malformed.yaml"),
        (b"version: 1", ".xml", FormatUnsupported, "unsupported.format"),
        (b"\xff\xfe", ".yaml", MalformedError, "malformed.utf8"),
        (b"[" * 3000, ".yaml", LimitError, "limit"),
        (b"a: " * 3000, ".yaml", GlasswingError, "malformed.yaml"),
    ],
)
def test_a_file_that_is_no_policy(data: bytes, suffix: str, error: type[GlasswingError], code: str) -> None:
    with pytest.raises(error) as caught:
        Policy.parse(data, suffix=suffix)
    assert caught.value.code == code
    if isinstance(caught.value, MalformedError):
        assert caught.value.kind == "policy"


def test_a_file_that_cannot_be_read_names_its_path(tmp_path: Path) -> None:
    with pytest.raises(PolicyRefused) as caught:
        Policy.load(tmp_path / "absent.yaml")
    assert caught.value.where == str(tmp_path / "absent.yaml")
    path = tmp_path / "wrong.yaml"
    path.write_text("version: 7")
    with pytest.raises(PolicyRefused) as caught:
        Policy.load(path)
    assert caught.value.where == f"{path}:1:10: version"


# --- what a policy cannot do -----------------------------------------------------------------------------------------


def test_nobody_changes_a_policy() -> None:
    policy = policy_of()
    digest = policy.digest
    for attempt in (
        lambda: setattr(policy, "times", "verified"),
        lambda: policy.nodes.update(tool=1),  # type: ignore[attr-defined]
        lambda: policy.identities.pop("trainer"),  # type: ignore[attr-defined]
        lambda: policy.nodes["model"].require[0].inputs.pop("code"),  # type: ignore[attr-defined]
        lambda: setattr(policy.nodes["model"].require[0], "signed_by", None),
    ):
        with pytest.raises((AttributeError, TypeError, ValueError)):
            attempt()
    assert policy.digest == digest


def test_a_caller_s_dict_is_not_kept() -> None:
    plain: dict[str, Any] = json.loads(JSON)
    policy = Policy.model_validate(plain)
    before = policy.digest
    plain["identities"]["trainer"]["key"] = "mallory"
    plain["nodes"]["model"]["require"].clear()
    plain["nodes"].clear()
    assert policy.digest == before
    assert policy.identities["trainer"].key == "trainer"


def test_a_name_that_the_trust_lacks_fails_when_the_verifier_is_built() -> None:
    with pytest.raises(PolicyRefused) as caught:
        Verifier(policy=policy_of(), trust=trust_of("trainer", "data-team"))
    assert (caught.value.kind, caught.value.where) == ("policy", "identities.developer.key")
    assert caught.value.because == "the trust has no such key"
    assert caught.value.found == "developer"


def test_policy_and_trust_have_no_default() -> None:
    attempts: list[dict[str, Any]] = [{"policy": None}, {"trust": None}, {"policy": {}}, {"trust": "trust.yaml"}]
    for broken in attempts:
        values: dict[str, Any] = {
            "policy": policy_of(),
            "trust": trust_of("trainer", "data-team", "developer"),
            **broken,
        }
        with pytest.raises(UsageError) as caught:
            Verifier(**values)
        assert (caught.value.code, caught.value.where) == ("usage", next(iter(broken)))


def test_a_policy_expires_and_an_earlier_at_does_not_help() -> None:
    policy = policy_of(setting("expires", "2020-01-01T00:00:00Z"))
    for at in (NOW, datetime(2019, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)):
        with pytest.raises(PolicyExpired) as caught:
            honest().assess(policy=policy, at=at)
        assert caught.value.code == "unavailable.policy-expired"
    # A later `at` is held against the expiry too.
    with pytest.raises(PolicyExpired):
        honest().assess(
            policy=policy_of(setting("expires", "2999-01-01T00:00:00Z")), at=datetime(3000, 1, 1, tzinfo=UTC)
        )
    exactly = datetime(2999, 1, 1, tzinfo=UTC)
    assert honest().assess(policy=policy_of(setting("expires", "2999-01-01T00:00:00Z")), at=exactly).accepted


def test_no_configuration_is_found_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2023-32076: files and variables in the working directory change nothing."""
    for name in ("policy.yaml", ".glasswing.yaml", "glasswing.toml", "trust.yaml", ".glasswing-attest.json"):
        (tmp_path / name).write_text("version: 1\ntimes: claimed\n")
    monkeypatch.chdir(tmp_path)
    for name in ("GLASSWING_POLICY", "GLASSWING_TRUST", "GLASSWING_ATTEST_TIMES"):
        monkeypatch.setenv(name, str(tmp_path / "policy.yaml"))
    report = honest().assess()
    assert report.accepted
    assert report.to_dict()["inputs"]["policySha256"] == policy_of().digest
    assert re.fullmatch("[0-9a-f]{64}", report.to_dict()["inputs"]["trustSha256"])
    assert isinstance(report.trust, Trust)
