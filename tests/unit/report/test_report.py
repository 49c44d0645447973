"""Is a report plain data that nobody can mistake for a yes?"""

import copy
import json
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from glasswing_attest import (
    CodeRecord,
    DataRecord,
    Dataset,
    Model,
    ModelRecord,
    Report,
    Verifier,
    assess,
    attest,
    verify,
)
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import (
    GlasswingError,
    LimitError,
    Mismatch,
    NoMatchingAttestation,
    NotAccepted,
    SignatureInvalid,
    StoreUnavailable,
    SubjectMismatch,
    UnavailableError,
    UsageError,
    VerificationError,
)
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import Limits
from glasswing_attest.report.report import report_schema
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.chains import (
    BUILDER,
    COMMIT,
    NOW,
    REPOSITORY,
    Chain,
    checkout,
    code_record,
    data_record,
    honest,
    policy_of,
    provenance,
    run_record,
    seal,
    signer,
    statement,
    tree,
    used,
)

ACCEPTED: Callable[[], Report] = lambda: honest().assess()  # noqa: E731


def broken_signature(chain: Chain) -> bytes:
    at = chain.run.bytes.index(b'"sig":"') + 10
    return chain.run.bytes[:at] + (b"A" if chain.run.bytes[at : at + 1] != b"A" else b"B") + chain.run.bytes[at + 1 :]


def reports() -> dict[str, Report]:
    """One report of each kind."""
    chain = honest()
    rest = [chain.record, chain.source]
    return {
        "accepted": chain.assess(),
        "accepted, trimmed": chain.assess(
            policy=policy_of(
                lambda p: p["nodes"].update(code={"trim": {"reason": "x", "until": "2030-01-01T00:00:00Z"}})
            )
        ),
        "nothing": chain.assess([]),
        "junk": chain.assess([b"junk", *chain.evidence]),
        "signature": chain.assess([broken_signature(chain), *rest]),
        "other bytes": chain.assess(artifact=tree("model", {"x": b"x"}, chain.model.name)),
        "policy": chain.assess([run_record(chain.model, builder_id="https://other.example"), *rest]),
        "declared": chain.assess(artifact=type(chain.model).declared("model", chain.model.digests, "m")),
        "limit": chain.assess(limits=Limits(nodes=1)),
        "unavailable": chain.assess([Path("/nonexistent/evidence.json")]),
    }


# --- no truth value, no pickle ---------------------------------------------------------------------------------------


def test_nobody_can_forget_to_look() -> None:
    for report in (ACCEPTED(), honest().assess([])):
        with pytest.raises(TypeError, match="no truth value"):
            bool(report)
        with pytest.raises(TypeError, match="no truth value"):
            any([report])
        with pytest.raises(TypeError, match="no truth value"):
            list(filter(None, [report]))


def test_a_report_is_not_pickled_nor_copied() -> None:
    for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            duplicate(ACCEPTED())


def test_only_one_of_three_answers_is_a_yes() -> None:
    found = {name: (report.verdict.value, report.accepted, report.tier.value) for name, report in reports().items()}
    assert found == {
        "accepted": ("accepted", True, "warning"),  # claimed times
        "accepted, trimmed": ("accepted", True, "warning"),
        "nothing": ("refused", False, "contraindicated"),
        "junk": ("accepted", True, "warning"),
        "signature": ("refused", False, "contraindicated"),
        "other bytes": ("refused", False, "contraindicated"),
        "policy": ("refused", False, "contraindicated"),
        "declared": ("refused", False, "contraindicated"),
        "limit": ("undecided", False, "contraindicated"),
        "unavailable": ("undecided", False, "contraindicated"),
    }


# --- the errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error", "code", "because"),
    [
        ("nothing", NoMatchingAttestation, "verification.no-match", ""),
        ("signature", SignatureInvalid, "verification.signature", ""),
        ("other bytes", SubjectMismatch, "verification.subject", ""),
        ("policy", NotAccepted, "not-accepted", "policy.expect"),
        ("declared", NotAccepted, "not-accepted", "policy.declared"),
        ("limit", LimitError, "limit", ""),
        ("unavailable", StoreUnavailable, "unavailable.store", "No such file or directory"),
    ],
)
def test_each_refusal_is_its_error(name: str, error: type[GlasswingError], code: str, because: str) -> None:
    report = reports()[name]
    with pytest.raises(error) as caught:
        report.require()
    assert type(caught.value) is error
    assert (caught.value.code, caught.value.because, caught.value.report) == (code, because, report)
    assert report.cause is not None
    if error not in (LimitError, StoreUnavailable):
        assert caught.value.where == report.cause.subject
        assert caught.value.do == report.cause.do
    with pytest.raises(error):
        report.open("config.json")


def test_a_yes_is_itself() -> None:
    report = ACCEPTED()
    assert report.require() is report
    assert report.cause is None


@pytest.mark.parametrize(
    ("spoil", "because"),
    [
        (lambda c: seal(c.run.envelope.payload, signer("trainer"), "application/json"), "unsupported.payload-type"),
        (lambda c: seal(b'{"_type":"x",' + c.run.envelope.payload[1:], signer("trainer")), "chain.no-attestation"),
    ],
)
def test_what_proved_nothing_is_not_said_to_be_proved(spoil: Callable[[Chain], bytes], because: str) -> None:
    # NotAccepted means proved, but not wanted. An attestation that was refused before it proved anything is none.
    chain = honest()
    with pytest.raises(NoMatchingAttestation) as caught:
        chain.assess([spoil(chain), chain.record, chain.source]).require()
    assert isinstance(caught.value, VerificationError)
    report = caught.value.report
    assert report.cause.code == because


def test_verify_raises_what_assess_reports() -> None:
    chain = honest()
    values: dict[str, Any] = {"policy": chain.policy, "trust": chain.trust, "at": NOW}
    assert verify(chain.model, chain.evidence, **values).accepted
    with pytest.raises(NoMatchingAttestation) as caught:
        verify(chain.model, chain.evidence[:1], **values)
    assert caught.value.report.verdict == "refused"
    assert assess(chain.model, chain.evidence[:1], **values).verdict == "refused"


def test_an_unreachable_store_is_undecided_whatever_else_there_is(tmp_path: Path) -> None:
    chain = honest()
    report = chain.assess([*chain.evidence, tmp_path / "absent.jsonl"])
    assert report.verdict == "undecided"
    with pytest.raises(UnavailableError) as caught:
        report.require()
    assert caught.value.where == str(tmp_path / "absent.jsonl")


# --- records ---------------------------------------------------------------------------------------------------------


def test_records_are_those_the_chain_rests_on() -> None:
    chain = honest()
    other = data_record(tree("dataset", {"other": b"1"}, "other"), name="unrelated")
    report = chain.assess([*chain.evidence, other])
    assert [r.name for r in report.records(DataRecord)] == ["penguins"]
    assert [r.commit for r in report.records(CodeRecord)] == [chain.code.digests.get("gitCommit")]
    assert [p.builder_id for p in report.records(Provenance)] == [BUILDER]
    assert report.records(ModelRecord) == ()
    assert len(report.records(object)) == 3


@pytest.mark.parametrize("name", ["nothing", "signature", "policy", "declared", "limit", "unavailable", "other bytes"])
def test_there_are_no_records_without_a_yes(name: str) -> None:
    report = reports()[name]
    assert report.records(object) == ()
    assert report.claims == ()
    assert report.to_dict()["evidence"]["used"] == []


# --- json ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(reports()))
def test_the_json_is_what_its_schema_says(name: str) -> None:
    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    plain = json.loads(reports()[name].to_json())
    checker.validate(plain)
    for time in (plain["at"], plain["now"]):
        assert datetime.fromisoformat(time).tzinfo is not None
    assert plain["schema"] == schema["properties"]["schema"]["const"]


def test_the_schema_refuses_what_is_no_report() -> None:
    validator = jsonschema.Draft202012Validator(report_schema())
    plain = json.loads(ACCEPTED().to_json())
    for broken in ({**plain, "more": 1}, {**plain, "verdict": "yes"}, {k: v for k, v in plain.items() if k != "graph"}):
        assert not validator.is_valid(broken)


def test_the_inputs_of_the_decision_stand_in_it() -> None:
    chain = honest()
    plain = chain.assess().to_dict()
    assert plain["inputs"]["policySha256"] == chain.policy.digest
    assert plain["inputs"]["trustSha256"] == chain.trust.digest
    assert plain["evidence"]["used"] == sorted(a.payload_digest for a in chain.evidence)
    assert plain["evidence"]["items"] == 3
    assert plain["at"] == "2026-02-01T00:00:00Z"


# --- text ------------------------------------------------------------------------------------------------------------

HOSTILE = "x\x1b[2J\x07\r\n\x9b31m\u202e\u2066\u200b\ud7ff"


def hostile() -> list[Report]:
    """Reports on evidence that was made to do something to a terminal."""
    chain = honest()
    data = tree("dataset", {"a": b"1"}, "d")
    named = {"name": HOSTILE, "digest": data.digests.to_dict()}
    dependency = {**named, "annotations": {"role": "dataset"}}
    body = {
        "buildDefinition": {"buildType": HOSTILE, "resolvedDependencies": [dependency]},
        "runDetails": {"builder": {"id": BUILDER}, "metadata": {"invocationId": HOSTILE}},
    }
    kind = provenance().predicate_type
    subject = {"name": HOSTILE, "digest": chain.model.digests.to_dict()}
    run = seal(statement([subject], kind, body), signer("trainer"))
    other = {**body, "runDetails": {"builder": {"id": HOSTILE}}}
    wrong = seal(statement([subject], kind, other), signer("trainer"))
    record = seal(statement([named], DataRecord.predicate_type, {"name": HOSTILE}), signer("data-team"))
    loose = policy_of(lambda p: p["nodes"]["model"]["require"][0].update(expect={"builder": BUILDER}, inputs={}))
    junk = [HOSTILE.encode(), json.dumps({HOSTILE: 1}).encode(), json.dumps({"mediaType": HOSTILE}).encode()]
    return [
        chain.assess([run, record, *junk], policy=loose),
        chain.assess([run, *junk], policy=loose),
        chain.assess([wrong, record], policy=loose),
        chain.assess([run, record], artifact=tree("model", {"z": b"z"}), policy=loose),
    ]


def test_text_never_emits_control_characters() -> None:
    found = hostile()
    assert found[0].accepted
    for report in found:
        text = report.to_text()
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "\\x1b" in text or report is found[3]
        if not report.accepted:
            with pytest.raises(GlasswingError) as caught:
                report.require()
            assert str(caught.value).isprintable()
            assert all(value.isprintable() for value in caught.value.to_dict().values())


def test_hostile_reports_are_valid_json_too() -> None:
    for report in hostile():
        plain = json.loads(report.to_json())
        jsonschema.Draft202012Validator(report_schema()).validate(plain)


def test_the_text_of_an_accepted_chain() -> None:
    text = re.sub(r":[0-9a-f]{12}", ":…", ACCEPTED().to_text())
    assert text.startswith(
        """ACCEPTED: model penguin-classifier  dirHash:…
  proved to depth: transitive
  at 2026-02-01T00:00:00Z, times claimed

✓ model penguin-classifier  dirHash:…
└─ ✓ run urn:uuid:00000000-0000-4000-8000-000000000001  signed by trainer (run: provenance)
   ├─ ✓ dataset penguins  dirHash:…  signed by data-team (data)
   ├─ ✓ code code  gitCommit:…  signed by developer (code)
   └─ ✓ builder https://ci.example/trainer (signed by trainer)

[ok] model penguin-classifier: accepted
"""
    )


@pytest.mark.parametrize(("packages", "lines"), [(5, 5), (6, 1), (200, 1)])
def test_many_things_that_the_policy_cuts_away_are_one_line(packages: int, lines: int) -> None:
    chain = honest()
    names = [f"package-{number:03}==1.0" for number in range(packages)]
    cut = [ResourceDescriptor(name=n, uri=f"pkg:pypi/{n}", annotations={"role": "dependency"}) for n in names]
    run = run_record(chain.model, *cut, used(chain.data, "dataset"), used(chain.code, "code", f"{REPOSITORY}@{COMMIT}"))
    policy = policy_of(lambda p: p["nodes"].update(dependency={"trim": {"reason": "x"}}))
    report = chain.assess([run, chain.record, chain.source], policy=policy)
    assert report.accepted
    told = [line for line in report.to_text().splitlines() if "✂" in line]
    assert len(told) == lines
    if lines == 1:
        assert told == [
            f"   ├─ ✂ {packages} of kind dependency, each cut away by the policy (x): {', '.join(names[:3])}, …",
        ]
    # Nothing is cut silently: the data has every one of them, and what is not trimmed keeps its line.
    assert report.graph is not None
    assert sum(node.kind == "dependency" for node in report.graph.nodes) == packages
    assert "✓ dataset penguins" in report.to_text()


def test_many_things_without_a_rule_are_one_line_that_says_so() -> None:
    chain = honest()
    names = [f"package-{number:03}==1.0" for number in range(47)]
    ends = [ResourceDescriptor(name=n, uri=f"pkg:pypi/{n}", annotations={"role": "dependency"}) for n in names]
    tool = ResourceDescriptor(name="make", uri="pkg:deb/make", annotations={"role": "tool"})
    run = run_record(chain.model, *ends, tool, used(chain.data, "dataset"), used(chain.code, "code"))
    report = chain.assess([run, chain.record])
    told = [line.strip(" │├└─") for line in report.to_text().splitlines() if "?" in line]
    assert told == [
        f"? 47 of kind dependency, each the policy has no rule for it: {', '.join(names[:3])}, …",
        "? tool make  [the policy has no rule for it]",
        f"? code code  gitCommit:{COMMIT[:12]}  [not attested]",
    ]
    # All kinds without a rule are told at once.
    assert report.cause is not None
    assert (report.cause.code, report.cause.found) == ("chain.no-rule", "no rule for kind dependency, tool")
    assert report.cause.do == "add nodes.dependency, nodes.tool to the policy"


def test_each_requirement_is_told_with_who_met_it() -> None:
    chain = honest()
    described = attest(chain.model, ModelRecord(name="m"), signer=signer("trainer"))
    again = attest(chain.model, ModelRecord(name="m"), signer=signer("data-team"))
    uri = ModelRecord.predicate_type
    both = {"threshold": 2, "of": ["trainer", "data-team"], "over": "same_type"}
    rule = {"as": "description", "predicate": "model", "signed_by": both}
    policy = policy_of(lambda p: p["nodes"]["model"]["require"].append(rule))
    report = chain.assess([*chain.evidence, described, again], policy=policy)
    assert "penguin-classifier" in report.to_text()
    line = next(line for line in report.to_text().splitlines() if line.startswith("✓ model"))
    assert line.endswith("  signed by data-team, trainer (description: model)")
    assert report.graph is not None
    told = {(e.predicate_type, e.requirement, e.names) for e in report.graph.node(report.graph.root).evidence}
    assert told == {(uri, "description", ("trainer",)), (uri, "description", ("data-team",))}
    jsonschema.Draft202012Validator(report_schema()).validate(json.loads(report.to_json()))


@pytest.mark.parametrize("name", ["nothing", "signature", "policy", "declared", "limit", "unavailable", "other bytes"])
def test_the_text_of_a_no_says_no_and_what_to_do(name: str) -> None:
    report = reports()[name]
    text = report.to_text()
    assert text.startswith(("REFUSED: ", "UNDECIDED: "))
    assert "ACCEPTED" not in text
    assert "proved to depth" not in text
    assert report.cause is not None
    assert report.cause.code in text


# --- open ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path: Path) -> tuple[Path, Report]:
    """A model on disk with an accepted report about it."""
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"w" * 3_000_000)
    (folder / "sub" / "config.json").write_bytes(b"{}")
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_bytes(b"1\n")
    inputs = (used(Dataset(data).measure(), "dataset"), used(honest().code, "code"))
    run = attest(Model(folder), provenance(*inputs), signer=signer("trainer"))
    chain = honest()
    evidence = [run, data_record(Dataset(data)), chain.source]
    report = Verifier(policy=chain.policy, trust=chain.trust).verify(Model(folder), evidence, at=NOW)
    return folder, report


def test_what_is_opened_is_what_was_verified(on_disk: tuple[Path, Report]) -> None:
    _, report = on_disk
    with report.open("weights.bin") as file:
        assert file.read() == b"w" * 3_000_000
    with report.open("sub/config.json") as file:
        assert file.read(1) == b"{"


def test_toctou_a_file_that_was_exchanged_is_refused_when_it_is_read(on_disk: tuple[Path, Report]) -> None:
    """CVE-2023-33959, CVE-2022-47633: what was verified and what is used must be one thing."""
    folder, report = on_disk
    (folder / "weights.bin").write_bytes(b"w" * 2_999_999 + b"x")
    with pytest.raises(Mismatch) as caught, report.open("weights.bin") as file:
        file.read()
    assert (caught.value.code, caught.value.where) == ("verification.mismatch", str(folder / "weights.bin"))


@pytest.mark.parametrize(
    "name", ["", "absent", "../model/weights.bin", "sub", "sub/../weights.bin", "/etc/passwd", "a\0"]
)
def test_only_files_of_the_manifest_are_opened(on_disk: tuple[Path, Report], name: str) -> None:
    with pytest.raises(UsageError) as caught:
        on_disk[1].open(name)
    assert caught.value.code == "usage"


def test_a_tree_needs_a_name_and_memory_has_no_place(on_disk: tuple[Path, Report]) -> None:
    with pytest.raises(UsageError) as caught:
        on_disk[1].open()
    assert caught.value.wanted == "one of its files"
    with pytest.raises(UsageError):
        ACCEPTED().open("config.json")
    code = honest().assess(artifact=checkout())
    assert code.accepted
    with pytest.raises(UsageError):
        code.open("train.py")


# --- small things ----------------------------------------------------------------------------------------------------


def test_a_single_file_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF")
    rule = {"predicate": ModelRecord.predicate_type, "signed_by": {"any_of": ["trainer"]}}
    policy = policy_of(lambda p: p["nodes"]["model"].__setitem__("require", [rule]))
    made = attest(Model(path), ModelRecord(name="m"), signer=signer("trainer"))
    report = Verifier(policy=policy, trust=honest().trust).verify(Model(path), [made], at=NOW)
    with report.open() as file:
        assert file.read() == b"GGUF"


def test_a_declared_digest_needs_the_policy_s_word() -> None:
    chain = honest()
    declared = type(chain.model).declared("model", chain.model.digests, "m")
    allow = policy_of(lambda p: p.__setitem__("declared", "allow"))
    report = chain.assess(artifact=declared, policy=allow)
    assert report.accepted
    assert report.to_dict()["artifact"]["declared"] is True
    # A wrong digest is refused whatever the policy says of declared ones.
    wrong = type(chain.model).declared("model", DigestSet.of(dirHash="0" * 64), "m")
    assert chain.assess(artifact=wrong, policy=allow).verdict == "refused"


def test_a_dirty_checkout_is_not_its_commit() -> None:
    chain = honest()
    assert chain.assess(artifact=chain.code).accepted
    report = chain.assess(artifact=checkout(dirty=True))
    assert report.verdict == "refused"
    with pytest.raises(NotAccepted) as caught:
        report.require()
    assert caught.value.because == "policy.dirty"
    assert code_record(chain.code).payload_digest == chain.source.payload_digest


def test_findings_of_a_report_are_findings() -> None:
    report = ACCEPTED()
    assert report.findings[0] == Finding(code="accepted", tier=Tier.AFFIRMING, subject="model penguin-classifier")
    assert Blob(b"x").measure().name == "blob"
    assert report.at == NOW
    assert report.now <= datetime.now(UTC)
