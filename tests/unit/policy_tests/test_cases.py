"""Do a policy's tests ask what they say, and fail where the answer is another?"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from glasswing_attest import Attestation, KeySigner, Model, ModelRecord, Policy, Trust, attest
from glasswing_attest.chain.seen import Seen
from glasswing_attest.errors import CaseRefused, GlasswingError, MalformedError
from glasswing_attest.policy_tests import CaseResult, find_cases, judge, load_case, run_policy_tests
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList

TRAINER, OTHER, SECURITY = (KeySigner.generate("ed25519") for _ in range(3))
POLICY: dict[str, Any] = {
    "version": 1,
    "times": "claimed",
    "expires": "2027-01-01T00:00:00Z",
    "identities": {"trainer": {"key": "trainer"}},
    "nodes": {"model": {"require": [{"predicate": ModelRecord.predicate_type, "signed_by": {"any_of": ["trainer"]}}]}},
}
TRUST = Trust.of(trainer=TRAINER.public_key, other=OTHER.public_key)
AT = "2026-01-02T03:00:00Z"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A folder with a model, its evidence, a policy and a trust; writes cases into it."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights.bin").write_bytes(b"weights")
    record = ModelRecord(name="m", version="1.0")
    attest(Model(tmp_path / "model"), record, signer=TRAINER).write(tmp_path / "good.json")
    attest(Model(tmp_path / "model"), record, signer=OTHER).write(tmp_path / "other.json")
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    (tmp_path / "trust.json").write_bytes(TRUST.to_json())

    def case(file: str = "it.case.json", /, **changes: Any) -> Path:
        said: dict[str, Any] = {
            "version": 1,
            "artifact": {"kind": "model", "path": "model"},
            "policy": "policy.json",
            "trust": "trust.json",
            "evidence": ["good.json"],
            "at": AT,
            "expect": {"verdict": "accepted"},
            **changes,
        }
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {name: value for name, value in said.items() if value is not ...}
        path.write_text(json.dumps(said) if path.suffix == ".json" else yaml.safe_dump(said))
        return path

    return case


def refused(code: str, **more: Any) -> dict[str, Any]:
    """What a case expects of a no."""
    return {"verdict": "refused", "code": code, **more}


def result(path: Path, **more: Any) -> CaseResult:
    """What came of one case."""
    return judge(load_case(path.parent, path.name), **more)


DIGESTS = {"sha256": "0" * 64}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"expect": {"verdict": "accepted", "findings": ["policy.times-claimed"]}},
        {"evidence": ["other.json"], "expect": refused("policy.signed-by")},
        {
            "evidence": ["other.json"],
            "expect": refused("policy.signed-by", rule="nodes.model.signed_by", subject="model model"),
        },
        {"evidence": [], "expect": refused("chain.no-attestation", rule="nodes.model")},
        {"evidence": ["other.json", "good.json"]},
        {"artifact": {"kind": "file", "path": "model/weights.bin"}, "expect": refused("chain.no-rule")},
        {"artifact": {"kind": "model", "digests": DIGESTS}, "expect": refused("chain.no-attestation")},
        {"policy": {**POLICY, "nodes": {}}, "expect": refused("malformed.policy")},
        {"policy": {**POLICY, "odd": 1}, "expect": refused("malformed.policy", findings=["malformed.policy"])},
        {"trust": {"version": 1}, "expect": refused("malformed.trust")},
        {
            "trust": {"version": 1, "keys": {"other": {"public_key": OTHER.public_key.pem}}},
            "expect": refused("malformed.policy"),
        },
        # The clock is the case's: the policy has expired by the one, and not by the other.
        {"at": "2026-12-31T00:00:00Z"},
        {"at": "2027-01-02T00:00:00Z", "expect": {"verdict": "undecided", "code": "unavailable.policy-expired"}},
        {"now": "2027-01-02T00:00:00Z", "expect": {"verdict": "undecided", "code": "unavailable.policy-expired"}},
        {
            "trust": {
                "version": 1,
                "keys": {
                    "trainer": {"public_key": TRAINER.public_key.pem},
                    "security": {"public_key": SECURITY.public_key.pem},
                },
                "revocations": {"signed_by": ["security"]},
            },
            "expect": {"verdict": "undecided", "code": "unavailable.revocations"},
        },
        {"opaque": ["https://example.com/checked/v1"]},
        {"opaque": [ModelRecord.predicate_type], "expect": refused("usage")},
        {"seen": {"seen": 1, "artifacts": []}},
        {"seen": {"seen": 2}, "expect": refused("unsupported.format")},
    ],
)
def test_a_case_that_gets_its_answer_passes(write: Write, changes: dict[str, Any]) -> None:
    found = result(write(**changes))
    assert found.passed, found
    assert found.differences == ()


@pytest.mark.parametrize(
    ("expect", "place", "do"),
    [
        (refused("policy.signed_by"), "expect.code", "did you mean policy.signed-by?"),
        (refused("nonsense"), "expect.code", "every code stands in docs/errors.md"),
        ({"verdict": "accepted", "findings": ["accepted", "chain.untolt"]}, "expect.findings[1]", "chain.untold?"),
    ],
)
def test_a_code_that_there_is_not_is_refused(write: Write, expect: dict[str, Any], place: str, do: str) -> None:
    path = write(expect=expect)
    with pytest.raises(CaseRefused) as caught:
        load_case(path.parent, path.name)
    assert (caught.value.code, caught.value.because) == ("malformed.case", "there is no such code")
    assert caught.value.where.endswith(f": {place}")
    assert caught.value.do.endswith(do)


@pytest.mark.parametrize(
    ("changes", "differences"),
    [
        (
            {"evidence": ["other.json"]},
            ["verdict: expected accepted, got refused"],
        ),
        (
            {"expect": refused("policy.signed-by", rule="nodes.model.signed_by")},
            [
                "verdict: expected refused, got accepted",
                "code: expected policy.signed-by, got nothing",
                "rule: expected nodes.model.signed_by, got nothing",
            ],
        ),
        (
            {
                "evidence": ["other.json"],
                "expect": refused("policy.expect", rule="nodes.model.expect", subject="model"),
            },
            [
                "code: expected policy.expect, got policy.signed-by",
                "rule: expected nodes.model.expect, got nodes.model.signed_by",
                "subject: expected model, got model model",
            ],
        ),
        (
            {"expect": {"verdict": "undecided", "code": "limit"}},
            ["verdict: expected undecided, got accepted", "code: expected limit, got nothing"],
        ),
        (
            {"expect": {"verdict": "accepted", "findings": ["policy.contradiction"]}},
            ["findings: expected policy.contradiction, got accepted, policy.times-claimed"],
        ),
    ],
)
def test_a_case_that_gets_another_answer_fails_and_says_which(
    write: Write, changes: dict[str, Any], differences: list[str]
) -> None:
    found = result(write(**changes))
    assert not found.passed
    assert [str(each) for each in found.differences] == differences


def test_evidence_may_stand_in_the_case_and_what_proves_nothing_is_told(write: Write, tmp_path: Path) -> None:
    good = Attestation.load(tmp_path / "good.json").bytes
    inline = {"base64": base64.b64encode(good).decode()}
    assert result(write(evidence=[inline])).passed
    changed = json.loads(good)
    signature = changed["dsseEnvelope"]["signatures"][0]
    signature["sig"] = base64.b64encode(bytes([base64.b64decode(signature["sig"])[0] ^ 1, *b"x" * 63])).decode()
    broken = {"base64": base64.b64encode(json.dumps(changed).encode()).decode()}
    assert result(write(evidence=[broken], expect=refused("verification.signature"))).passed
    told = refused("policy.signed-by", findings=["verification.signature"])
    assert result(write(evidence=["other.json", broken], expect=told)).passed


def test_a_folder_of_evidence_revocations_and_what_was_seen_are_files_too(write: Write, tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "good.json").rename(tmp_path / "evidence/good.json")
    Seen().write(tmp_path / "seen.json")
    assert result(write(evidence=["evidence"], seen="seen.json")).passed
    trust = {
        "version": 1,
        "keys": {
            "trainer": {"public_key": TRAINER.public_key.pem},
            "security": {"public_key": SECURITY.public_key.pem},
        },
        "revocations": {"signed_by": ["security"]},
    }
    (tmp_path / "list.json").write_bytes(_revoked())
    expect = refused("verification.revoked", findings=["verification.revoked"])
    found = result(write(evidence=["evidence"], trust=trust, revocations="list.json", expect=expect))
    assert found.passed, found
    inline = {"base64": base64.b64encode(_revoked()).decode()}
    assert result(write(evidence=["evidence"], trust=trust, revocations=inline, expect=expect)).passed
    older = {"verdict": "undecided", "code": "unavailable.revocations"}
    assert result(
        write(evidence=["evidence"], trust=trust, revocations=inline, revocations_seen=2, expect=older)
    ).passed


def _revoked() -> bytes:
    """A list that takes the trainer away."""
    entry = Revocation(key=TRAINER.public_key.fingerprint, since=datetime(2025, 1, 1, tzinfo=UTC), reason="lost")
    issued, expires = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    listed = RevocationList.of([entry], version=1, issued=issued, expires=expires)
    return SECURITY.seal(listed.to_json(), REVOCATIONS_TYPE)


def test_digests_are_as_good_as_bytes_unless_they_are_declared(write: Write, tmp_path: Path) -> None:
    digests = Model(tmp_path / "model").measure().digests.to_dict()
    assert result(write(artifact={"kind": "model", "digests": digests})).passed
    declared = {"kind": "model", "digests": digests, "name": "m", "declared": True}
    assert result(write(artifact=declared, expect=refused("policy.declared", rule="declared"))).passed
    allowed = {**POLICY, "declared": "allow"}
    assert result(write(artifact=declared, policy=allowed)).passed
    # The digest of the policy is the policy's own, whatever was done to ask.
    assert (
        result(write(artifact={"kind": "model", "digests": digests})).answer.policy
        == Policy.parse(json.dumps(POLICY).encode(), suffix=".json").digest
    )


# --- files -----------------------------------------------------------------------------------------------------------


def test_cases_are_found_by_their_names_in_order(write: Write, tmp_path: Path) -> None:
    up = {"policy": "../policy.json", "trust": "../trust.json", "evidence": ["../good.json"]}
    artifact = {"kind": "model", "path": "../model"}
    write("b/case.yaml", artifact=artifact, **up)
    write("a/case.json", artifact=artifact, **up, name="called")
    write("x.case.yml")
    write("x.case.json")
    write("not-a-case.json")
    write("case.txt")
    write(".hidden/case.json", artifact=artifact, **up)
    write(".x.case.json")
    found = find_cases(tmp_path)
    assert [(c.file, c.name) for c in found] == [
        ("a/case.json", "called"),
        ("b/case.yaml", "b"),
        ("x.case.json", "x"),
        ("x.case.yml", "x"),
    ]
    assert all(judge(each).passed for each in found)


def test_a_folder_without_a_case_passes_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CaseRefused) as no:
            find_cases(folder)
        assert (no.value.code, no.value.where) == ("malformed.case", str(folder))


@pytest.mark.parametrize(
    ("changes", "place", "told"),
    [
        ({"artefact": {}}, "artefact", "Did you mean artifact?"),
        ({"version": 2}, "version", "wanted 1"),
        ({"at": ...}, "at", "it is missing"),
        ({"at": "2026-01-02T03:00:00"}, "at", "a time with its zone"),
        ({"expect": ...}, "expect", "it is missing"),
        ({"evidence": ...}, "evidence", "it is missing"),
        ({"evidence": "good.json"}, "evidence", "a list"),
        ({"evidence": ["nowhere.json"]}, "evidence[0]", "No such file"),
        ({"evidence": ["good.json", {"base64": "a="}]}, "evidence[1].base64", "base64"),
        ({"evidence": [{"base64": "YQ==", "more": 1}]}, "evidence[0].more", "there is no such key"),
        ({"evidence": ["/etc/hostname"]}, "evidence[0]", "below the folder of the tests"),
        ({"evidence": ["../outside.json"]}, "evidence[0]", "below the folder of the tests"),
        ({"evidence": ["link.json"]}, "evidence[0]", "below the folder of the tests"),
        ({"evidence": ["a\x00b"]}, "evidence[0]", "null"),
        ({"policy": "nowhere.yaml"}, "policy", "No such file"),
        ({"policy": 7}, "policy", "a text"),
        ({"policy": {"version": 1.5}}, "policy", "a number with a fraction"),
        ({"trust": "../outside.json"}, "trust", "below the folder of the tests"),
        ({"seen": "nowhere"}, "seen", "No such file"),
        ({"revocations": {"base64": "%"}}, "revocations.base64", "base64"),
        ({"revocations_seen": -1}, "revocations_seen", "at least 0"),
        ({"opaque": [""]}, "opaque[0]", "not empty"),
        ({"artifact": {"kind": "model"}}, "artifact", "exactly one of path and digests"),
        ({"artifact": {"kind": "model", "digests": {}}}, "artifact", "exactly one of path and digests"),
        (
            {"artifact": {"kind": "model", "path": "model", "digests": DIGESTS}},
            "artifact",
            "exactly one of path and digests",
        ),
        ({"artifact": {"kind": "image", "path": "model"}}, "artifact.kind", "what can be measured"),
        ({"artifact": {"kind": "file", "path": "model", "exclude": ["a"]}}, "artifact.exclude", "nothing can be left"),
        ({"artifact": {"kind": "model", "digests": DIGESTS, "exclude": ["a"]}}, "artifact.exclude", "path"),
        ({"artifact": {"kind": "model", "path": "model", "declared": True}}, "artifact.declared", "digests"),
        ({"artifact": {"kind": "model", "path": "model", "name": "m"}}, "artifact.name", "digests"),
        ({"artifact": {"kind": "model", "path": "nowhere"}}, "artifact.path", "No such file"),
        ({"expect": {"verdict": "yes"}}, "expect.verdict", "accepted or refused or undecided"),
        ({"expect": {"verdict": "refused"}}, "expect", "a code beside it"),
        ({"expect": {"verdict": "undecided"}}, "expect", "a code beside it"),
        ({"expect": {"verdict": "accepted", "code": "accepted"}}, "expect.code", "a yes has no cause"),
        ({"expect": {"verdict": "accepted", "rule": "nodes.model"}}, "expect.rule", "a yes has no cause"),
    ],
)
def test_a_case_that_cannot_be_used_is_refused_with_its_place(
    write: Write, tmp_path: Path, changes: dict[str, Any], place: str, told: str
) -> None:
    (tmp_path.parent / "outside.json").write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path.parent / "outside.json")
    write("a.case.json", **changes)
    with pytest.raises(CaseRefused) as no:
        find_cases(tmp_path)
    assert (no.value.code, no.value.kind) == ("malformed.case", "policy")
    assert no.value.where.startswith(f"{tmp_path}/a.case.json")
    assert no.value.where.endswith(f": {place}")
    assert told in str(no.value)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed.json"),
        (b"[]", "malformed.case"),
        (b'{"version": 1, "version": 1}', "malformed.duplicate-key"),
        (b"\xff", "malformed.utf8"),
        (b'{"a": ' * 5000, "malformed.case"),
        (b" " * (5 << 20), "malformed.case"),
    ],
)
def test_bytes_that_are_no_case_are_refused(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "a.case.json").write_bytes(data)
    with pytest.raises(MalformedError) as no:
        find_cases(tmp_path)
    assert (no.value.code, no.value.kind) == (code, "policy")
    assert no.value.where.startswith(f"{tmp_path}/a.case.json")


# --- suites ----------------------------------------------------------------------------------------------------------


def test_a_policy_from_outside_decides_where_a_case_has_none(write: Write, tmp_path: Path) -> None:
    path = write(policy=..., trust=...)
    policy = Policy.parse(json.dumps(POLICY).encode(), suffix=".json")
    assert result(path, policy=policy, trust=TRUST).passed
    with pytest.raises(CaseRefused) as no:
        run_policy_tests(tmp_path, trust=TRUST)
    assert no.value.where == "it.case.json: policy"
    with pytest.raises(CaseRefused) as no:
        run_policy_tests(tmp_path, policy=policy)
    assert no.value.where == "it.case.json: trust"


def test_tests_that_cannot_fail_are_told(write: Write, tmp_path: Path) -> None:
    def told() -> list[str]:
        return [f.code for f in run_policy_tests(tmp_path).findings]

    write("yes.case.json")
    assert told() == ["tests.no-refusal"]
    write("no.case.json", evidence=[], expect=refused("chain.no-attestation"))
    assert told() == []
    # What is undecided is no refusal: a policy that refuses nothing leaves it undecided as well.
    expired = {"verdict": "undecided", "code": "unavailable.policy-expired"}
    write("no.case.json", now="2027-01-02T00:00:00Z", expect=expired)
    assert told() == ["tests.no-refusal"]
    write("no.case.json", evidence=[], expect=refused("chain.no-attestation"))
    (tmp_path / "yes.case.json").unlink()
    assert told() == ["tests.no-yes"]
    # Each policy by itself, told apart by what it says and not by its file; one that does not load decides nothing.
    (tmp_path / "same.json").write_text(json.dumps(POLICY, indent=1))
    write("yes.case.json", policy="same.json")
    write("broken.case.json", policy={"version": 1}, expect=refused("malformed.policy"))
    assert told() == []
    write("another.case.json", policy={**POLICY, "name": "another"})
    assert told() == ["tests.no-refusal"]


def test_a_policy_that_no_case_is_about_has_not_passed(write: Write, tmp_path: Path) -> None:
    """Each of no case at all got its answer."""
    write("yes.case.json")
    write("no.case.json", evidence=[], expect=refused("chain.no-attestation"))
    handed_over = Policy.parse(json.dumps({**POLICY, "name": "x"}).encode())
    unused = run_policy_tests(tmp_path, policy=handed_over)
    assert [(f.code, f.tier.value) for f in unused.problems] == [("tests.unused-policy", "contraindicated")]
    assert (unused.passed, unused.failed, unused.to_dict()["passed"]) == (False, (), False)
    assert "problem: the policy that was handed over: every case names another" in str(unused)
    write("about-it.case.json", policy=...)
    assert run_policy_tests(tmp_path, policy=handed_over).passed


def outside_of(tmp_path: Path) -> Path:
    """A folder beside that of the tests, with a case that would fail."""
    folder = tmp_path.parent / f"outside-{tmp_path.name}"
    folder.mkdir(exist_ok=True)
    (folder / "fails.case.json").write_text("{}")
    return folder


def test_a_case_that_would_not_be_asked_is_refused(write: Write, tmp_path: Path) -> None:
    write("yes.case.json")
    (tmp_path / "within").symlink_to(tmp_path / "model")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert run_policy_tests(tmp_path).passed  # what lies within is found there
    links = {"cases": outside_of(tmp_path), "x.case.json": outside_of(tmp_path) / "fails.case.json"}
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
        with pytest.raises(CaseRefused) as no:
            find_cases(tmp_path)
        assert (no.value.code, no.value.where, no.value.found) == ("malformed.case", f"{tmp_path}/{name}", str(target))
        (tmp_path / name).unlink()
    for name in ("x.case.toml", "case.JSON", "x.case.Yaml"):
        (tmp_path / name).write_text("")
        with pytest.raises(CaseRefused) as no:
            find_cases(tmp_path)
        assert (no.value.code, no.value.where) == ("malformed.case", f"{tmp_path}/{name}")
        (tmp_path / name).unlink()


def test_nothing_outside_is_evidence_or_a_checkout(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "evidence" / "more"
    folder.mkdir(parents=True)
    (folder / "good.json").symlink_to(tmp_path / "good.json")
    write(evidence=["evidence"], expect=refused("chain.no-attestation"))
    assert find_cases(tmp_path)
    (folder / "x.json").symlink_to(outside_of(tmp_path) / "fails.case.json")
    with pytest.raises(CaseRefused) as no:
        find_cases(tmp_path)
    assert no.value.where.endswith(": evidence[0]")
    assert (no.value.code, no.value.because) == ("malformed.case", "a link leads out")

    (tmp_path / "tests" / "src" / ".git").mkdir(parents=True)
    (tmp_path / "tests" / "other").mkdir()
    (tmp_path / "model" / "sub").mkdir(exist_ok=True)
    up: dict[str, Any] = {"policy": POLICY, "trust": ..., "evidence": []}
    write("tests/case.json", artifact={"kind": "code", "path": "src"}, **up)
    assert find_cases(tmp_path / "tests")
    (tmp_path / ".git").mkdir()
    write("tests/case.json", artifact={"kind": "code", "path": "other"}, **up)
    with pytest.raises(CaseRefused) as no:
        find_cases(tmp_path / "tests")
    assert no.value.where.endswith(": artifact.path")
    assert (no.value.code, no.value.because) == ("malformed.case", f"it lies in the checkout {tmp_path}")


def test_a_suite_is_told_as_a_table_and_as_data(write: Write, tmp_path: Path) -> None:
    write("a.case.json", name="the honest one", threat="none")
    write("b.case.json", name="by \x1bsomebody", evidence=["other.json"], expect=refused("policy.expect"))
    tests = run_policy_tests(tmp_path)
    assert not tests.passed
    assert [each.case.file for each in tests.failed] == ["b.case.json"]
    lines = str(tests).splitlines()
    assert lines[:3] == [
        "ok    a.case.json  accepted: the honest one",
        "FAIL  b.case.json  refused policy.signed-by: by \\x1bsomebody",
        "      code: expected policy.expect, got policy.signed-by",
    ]
    assert lines[3].startswith("      told: model model: policy.signed-by (found signed by other (key ")
    assert lines[-1] == "2 cases, 1 not as expected"
    data: Any = tests.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["passed"] is False
    assert data["cases"][0]["expected"] == {"verdict": "accepted"}
    assert data["cases"][1]["differences"] == [{"what": "code", "expected": "policy.expect", "got": "policy.signed-by"}]
    with pytest.raises(TypeError, match="no truth value"):
        bool(tests)


HOSTILE: tuple[Any, ...] = (
    *(None, True, 0, -1, "", "x", [], [[]], {}, {"": None}, ["\x00"], 10**30, {"a": {"b": []}}, {"base64": {}}),
    *({"kind": "model", "path": "."}, {"kind": "model", "digests": {"sha256": "x"}}, {"verdict": []}),
)


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_nothing_but_our_errors_comes_out_of_a_hostile_case(write: Write, tmp_path: Path, value: Any) -> None:
    for field in ("artifact", "policy", "trust", "evidence", "expect", "seen", "revocations", "at", "opaque"):
        write(**{field: value})
        try:
            tests = run_policy_tests(tmp_path)
        except GlasswingError as refusal:
            assert refusal.code == "malformed.case", refusal  # noqa: PT017
        else:
            assert len(tests.results) == 1
