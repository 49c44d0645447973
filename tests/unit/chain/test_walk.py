"""Where does it come from, and does every link hold?"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from glasswing_attest import Attestation, DataRecord, Manifest, Policy, Report, Trust, attest
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import LimitError, NoMatchingAttestation, NotAccepted
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.verification import timestamps
from glasswing_attest.verification.timestamps import VerifiedTimes, WitnessedTime
from glasswing_attest.verification.transparency import LoggedSignature
from tests.chains import (
    BUILDER,
    COMMIT,
    FINISHED,
    REPOSITORY,
    STARTED,
    Said,
    bare,
    checkout,
    code_record,
    data_record,
    honest,
    policy_of,
    run_record,
    seal,
    signer,
    statement,
    tree,
    used,
)

DATA: Mapping[str, Any] = {"predicate": DataRecord.predicate_type, "signed_by": {"any_of": ["data-team"]}}
RUN: Mapping[str, Any] = {
    "predicate": PROVENANCE_V1,
    "signed_by": {"any_of": ["trainer"]},
    "expect": {"builder": BUILDER},
}


def nodes(**rules: Any) -> Policy:
    """The honest policy with these rules instead: a dict is one requirement, a text is a trim's reason."""

    def change(plain: dict[str, Any]) -> None:
        plain["nodes"] = {
            kind: {"trim": {"reason": rule}} if isinstance(rule, str) else {"require": [dict(rule)]}
            for kind, rule in rules.items()
        }

    return policy_of(change)


def thing(name: str, kind: str = "dataset") -> Manifest:
    return Blob(name.encode(), name=name, kind=kind).measure()


def refused(report: Report, code: str, subject: str = "") -> None:
    assert report.verdict == "refused"
    assert report.cause is not None
    assert report.cause.code == code
    if subject:
        assert report.cause.subject == subject
    assert report.claims == ()
    error = NoMatchingAttestation if code == "chain.no-attestation" else NotAccepted
    with pytest.raises(error) as caught:
        report.require()
    assert caught.value.report is report
    if error is NotAccepted:
        assert (caught.value.code, caught.value.because) == ("not-accepted", code)


def states(report: Report) -> dict[str, str]:
    assert report.graph is not None
    return {node.name: node.state.value for node in report.graph.nodes}


# --- rules and trims -------------------------------------------------------------------------------------------------


def test_a_kind_without_a_rule_denies() -> None:
    chain = honest()
    policy = policy_of(lambda p: p["nodes"].pop("code"))
    report = chain.assess(policy=policy)
    refused(report, "chain.no-rule", "code code")
    assert states(report)["code"] == "missing"
    refused(chain.assess(artifact=replace(chain.model, kind="file")), "chain.no-rule")


def test_only_a_trim_cuts_and_it_shows() -> None:
    chain = honest()
    policy = policy_of(lambda p: p["nodes"].__setitem__("code", {"trim": {"reason": "reviewed elsewhere"}}))
    report = chain.assess([chain.run, chain.record], policy=policy)
    assert report.accepted
    assert report.depth == "builder"
    assert states(report)["code"] == "trimmed"
    assert chain.assess().depth == "transitive"


@pytest.mark.parametrize(("late", "good"), [(-1, True), (0, True), (1, False)])
def test_a_trim_ends(late: int, good: bool) -> None:
    chain = honest()
    end = datetime(2100, 1, 1, tzinfo=UTC)
    until = end.isoformat().replace("+00:00", "Z")
    policy = policy_of(lambda p: p["nodes"].__setitem__("code", {"trim": {"reason": "x", "until": until}}))
    report = chain.assess([chain.run, chain.record], policy=policy, at=end + timedelta(microseconds=late))
    if good:
        assert report.accepted
    else:
        refused(report, "chain.trim", "code code")


def test_the_root_is_never_trimmed() -> None:
    chain = honest()
    report = chain.assess(policy=nodes(model="we believe it"))
    refused(report, "chain.trim", "model penguin-classifier")
    assert states(report) == {"penguin-classifier": "missing"}
    # Not even where it comes up again as its own parent.
    data = thing("loop")
    run = run_record(data, used(data, "dataset"))
    refused(chain.assess([run], artifact=data, policy=nodes(dataset="we believe it")), "chain.trim")


def test_a_surface_proof_says_so() -> None:
    report = honest().assess(artifact=honest().data)
    assert report.accepted
    assert report.depth == "surface"


# --- roles and kinds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [None, "", "Dataset", "dataset ", "model", "run", "builder", "file"])
def test_an_unknown_role_is_a_dependency(role: str | None) -> None:
    chain = honest()
    policy = nodes(model=RUN, dataset=DATA)
    run = run_record(chain.model, used(chain.data, role))
    report = chain.assess([run, chain.record], policy=policy)
    refused(report, "chain.no-rule", "dependency penguins")
    cut = chain.assess([run, chain.record], policy=nodes(model=RUN, dataset=DATA, dependency="lock file"))
    assert cut.accepted
    assert states(cut)["penguins"] == "trimmed"


@pytest.mark.parametrize("role", [1, True, None, ["dataset"], {"a": "dataset"}])
def test_a_role_that_is_no_text_is_a_dependency(role: object) -> None:
    chain = honest()
    plain = used(chain.data, None).to_dict()
    body = {
        "buildDefinition": {
            "buildType": "x:y",
            "resolvedDependencies": [{**plain, "annotations": {"role": role}}],
        },
        "runDetails": {"builder": {"id": BUILDER}},
    }
    run = attest(chain.model, Said(predicate_type=PROVENANCE_V1, body=body), signer=signer("trainer"))
    refused(chain.assess([run, chain.record], policy=nodes(model=RUN, dataset=DATA)), "chain.no-rule")


def test_role_laundering_poison_as_a_tool_beside_a_decoy() -> None:
    chain = honest()
    poison = tree("dataset", {"poison.csv": b"666"}, "poison")
    run = run_record(chain.model, used(chain.data, "dataset"), used(poison, "tool"), used(chain.code, "code"))
    refused(chain.assess([run, chain.record, chain.source]), "chain.no-rule", "tool poison")
    # A rule for tools asks for a tool's evidence: that it would do as a dataset is no help.
    strict = policy_of(
        lambda p: p["nodes"].update(tool={"require": [{**DATA, "signed_by": {"any_of": ["developer"]}}]})
    )
    report = chain.assess([run, chain.record, chain.source, data_record(poison)], policy=strict)
    refused(report, "policy.signed-by", "tool poison")


def test_a_digest_accepted_as_one_kind_is_not_accepted_as_another() -> None:
    chain = honest()
    both = run_record(chain.model, used(chain.data, "tool"), used(chain.data, "dataset"))
    as_tool = {**DATA, "signed_by": {"any_of": ["developer"]}}
    policy = nodes(model=RUN, dataset=DATA, tool=as_tool)
    refused(chain.assess([both, chain.record], policy=policy), "policy.signed-by", "tool penguins")
    refused(chain.assess([both, data_record(chain.data, by="developer")], policy=policy), "policy.signed-by")
    pair = [both, chain.record, data_record(chain.data, by="developer")]
    report = chain.assess(pair, policy=policy)
    assert report.accepted
    assert report.graph is not None
    assert {n.kind for n in report.graph.nodes if n.name == "penguins"} == {"tool", "dataset"}


@pytest.mark.parametrize("digest", [{"gitCommit": COMMIT}, {"gitTree": COMMIT}, {"gitCommit": "a" * 64}])
def test_a_git_id_identifies_code_alone(digest: dict[str, str]) -> None:
    # SHA-1 is no proof of which bytes a dataset has; for code it is what there is.
    chain = honest()
    body = {"name": "x"}
    payload = statement([{"name": "x", "digest": digest}], DataRecord.predicate_type, body)
    record = seal(payload, signer("data-team"))
    named = replace(used(chain.data, "dataset"), digest=DigestSet.of(digest))
    run = run_record(chain.model, named)
    refused(chain.assess([run, record], policy=nodes(model=RUN, dataset=DATA)), "chain.no-attestation")
    as_code = run_record(chain.model, replace(used(chain.data, "code"), digest=DigestSet.of(digest)))
    assert chain.assess([as_code, record], policy=nodes(model=RUN, code=DATA)).accepted


@pytest.mark.parametrize("digest", [{}, {"md5": "0" * 32}, {"sha1": "0" * 40}, {"future": "1"}, {"gitBlob": "0" * 40}])
def test_an_input_that_nothing_identifies_is_missing(digest: dict[str, str]) -> None:
    chain = honest()
    named = replace(used(chain.data, "dataset"), digest=DigestSet.of(digest), uri="https://data.example/x")
    record = seal(
        statement([{"name": "x", "digest": digest or {"x": "1"}}], DataRecord.predicate_type, {"name": "x"}),
        signer("data-team"),
    )
    report = chain.assess([run_record(chain.model, named), record, chain.record], policy=nodes(model=RUN, dataset=DATA))
    refused(report, "chain.no-attestation", "dataset penguins")


def test_a_listing_is_not_the_directory() -> None:
    # The record of a file that reads like the directory's listing has the very sha256 that the directory carries.
    chain = honest()
    listing = Blob(chain.data.listing, name="SHA256SUMS", kind="dataset")
    assert listing.measure().digests.get("sha256") == chain.data.digests.get("sha256")
    record = data_record(listing)
    refused(chain.assess([chain.run, chain.source, record]), "chain.no-attestation", "dataset penguins")
    by_copy = replace(used(chain.data, "dataset"), digest=DigestSet.of(sha256=chain.data.digests.get("sha256") or ""))
    run = run_record(chain.model, by_copy)
    refused(chain.assess([run, chain.record], policy=nodes(model=RUN, dataset=DATA)), "chain.no-attestation")


# --- cycles ----------------------------------------------------------------------------------------------------------


def test_a_thing_made_from_itself() -> None:
    data = thing("a")
    report = honest().assess([run_record(data, used(data, "dataset"))], artifact=data, policy=nodes(dataset=RUN))
    refused(report, "chain.cycle", "dataset a")
    assert report.cause is not None
    assert report.cause.found == "a ← a"


@pytest.mark.parametrize("length", [2, 3, 7])
def test_things_made_from_each_other(length: int) -> None:
    ring = [thing(f"d{n}") for n in range(length)]
    runs = [run_record(child, used(parent, "dataset")) for child, parent in zip(ring, ring[1:] + ring[:1], strict=True)]
    chain = honest()
    report = chain.assess(runs, artifact=ring[0], policy=nodes(dataset=RUN))
    refused(report, "chain.cycle")
    assert report.cause is not None
    assert report.cause.found == " ← ".join(t.name for t in (*ring, ring[0]))
    model = run_record(chain.model, used(ring[1], "dataset"))
    refused(chain.assess([*runs, model], policy=nodes(model=RUN, dataset=RUN)), "chain.cycle")


def test_a_cycle_beside_a_way_out_is_no_obstacle() -> None:
    a, b = thing("a"), thing("b")
    looped = [run_record(a, used(b, "dataset")), run_record(b, used(a, "dataset"))]
    policy = nodes(dataset=RUN)
    assert honest().assess([*looped, run_record(b)], artifact=a, policy=policy).accepted
    refused(honest().assess(looped, artifact=a, policy=policy), "chain.cycle")


def test_the_same_digests_elsewhere_in_the_ring_are_the_same_thing() -> None:
    # Naming a thing by part of its digests makes another reference, not another thing: the cycle is a cycle still.
    both = DigestSet.of(sha256="a" * 64, sha512="b" * 128)
    data = Manifest.declared("dataset", both, name="a")
    run = attest(
        data,
        Said(
            predicate_type=PROVENANCE_V1,
            body={
                "buildDefinition": {
                    "buildType": "x:y",
                    "resolvedDependencies": [{"digest": {"sha256": "a" * 64}, "annotations": {"role": "dataset"}}],
                },
                "runDetails": {"builder": {"id": BUILDER}},
            },
        ),
        signer=signer("trainer"),
    )
    allow = nodes(dataset=RUN).model_copy(update={"declared": "allow"})
    refused(honest().assess([run], artifact=data, policy=allow), "chain.cycle")


# --- one payload, one run --------------------------------------------------------------------------------------------


def test_mix_and_match_inputs_of_two_runs_are_never_united() -> None:
    chain = honest()
    only_data = run_record(chain.model, used(chain.data, "dataset"))
    only_code = run_record(chain.model, used(chain.code, "code", f"{REPOSITORY}@{COMMIT}"))
    same_run = only_data.statement_unverified.predicate, only_code.statement_unverified.predicate
    assert same_run[0]["runDetails"] == same_run[1]["runDetails"]  # the same invocationId, too
    refused(chain.assess([only_data, only_code, chain.record, chain.source]), "policy.inputs")


def test_a_poisoned_run_is_not_healed_by_its_twin() -> None:
    chain = honest()
    poison = tree("dataset", {"poison.csv": b"666"}, "poison")
    twin = run_record(chain.model, used(poison, "dataset"), used(chain.code, "code"))
    other = tree("model", {"model.safetensors": b"other"}, "other")
    report = chain.assess([chain.run, twin, chain.record, chain.source], artifact=other)
    assert report.verdict == "refused"
    # The honest run supports the honest model, whatever else somebody with the key has said of it.
    assert chain.assess([chain.run, twin, chain.record, chain.source]).accepted
    refused(chain.assess([twin, chain.record, chain.source]), "chain.no-attestation", "dataset poison")


def test_a_run_of_another_model_does_not_count() -> None:
    chain = honest()
    other = tree("model", {"model.safetensors": b"other"}, chain.model.name)
    report = chain.assess(artifact=other)
    assert report.verdict == "refused"
    assert report.cause is not None
    assert report.cause.code == "verification.subject"


def test_contradictions_among_trusted_runs_are_told_and_do_not_decide() -> None:
    chain = honest()
    policy = policy_of(lambda p: p["nodes"]["model"]["require"][0]["expect"].pop("build_type"))
    inputs = (used(chain.data, "dataset"), used(chain.code, "code"))
    other = run_record(chain.model, *inputs, build_type="https://ci.example/other/v1")
    report = chain.assess([*chain.evidence, other], policy=policy)
    assert report.accepted
    assert [f.code for f in report.findings if f.tier == "warning"] == ["chain.contradiction", "policy.times-claimed"]
    assert not any(f.code == "chain.contradiction" for f in chain.assess(policy=policy).findings)
    # What a stranger says contradicts nothing.
    stranger = run_record(chain.model, *inputs, build_type="https://ci.example/other/v1", by="mallory")
    found = chain.assess([*chain.evidence, stranger], policy=policy).findings
    assert not any(f.code == "chain.contradiction" for f in found)


def test_all_candidates_are_evaluated_not_the_first() -> None:
    chain = honest()
    poison = tree("dataset", {"poison.csv": b"666"}, "poison")
    bad = [
        run_record(chain.model, used(poison, "dataset"), used(chain.code, "code"), invocation_id=f"urn:{n}")
        for n in range(9)
    ]
    for evidence in ([*bad, *chain.evidence], [*chain.evidence, *bad]):
        assert chain.assess(evidence).accepted


# --- scope -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        (f"{REPOSITORY}@{COMMIT}", True),
        (f"{REPOSITORY}@refs/heads/main", True),
        (f"{REPOSITORY}@refs/tags/v1", True),
        (f"{REPOSITORY}.git@{COMMIT}", True),
        (f"{REPOSITORY}#subdirectory=x", True),
        (f"{REPOSITORY}/", True),
        ("https://github.com/acme/train", True),
        ("", True),  # naming no repository is not held against it
        (f"git+https://github.com/evil/train@{COMMIT}", False),
        (f"git+https://github.com/acme/train-evil@{COMMIT}", False),
        (f"git+https://github.com/acme@{COMMIT}", False),
        (f"git+https://evil.example/acme/train@{COMMIT}", False),
        (f"git+https://github.com/ACME/train@{COMMIT}", False),
        ("git+ssh://git@github.com/acme/train", True),
        ("git@github.com:acme/train.git", True),
        ("git@github.com:evil/train.git", False),
        ("pkg:github/acme/train", True),  # a package is not called by the place of its source: no contradiction
        (f"https://github.com@evil.example/acme/train@{COMMIT}", False),
        (f"https://evil.example/@https://github.com/acme/train@{COMMIT}", False),
    ],
)
def test_the_same_commit_of_another_repository_is_another_thing(uri: str, good: bool) -> None:
    chain = honest()
    run = run_record(chain.model, used(chain.data, "dataset"), used(chain.code, "code", uri))
    report = chain.assess([run, chain.record, chain.source])
    if good:
        assert report.accepted
    else:
        refused(report, "chain.scope", "code code")


def test_a_summary_for_another_repository_does_not_speak_for_this_one() -> None:
    chain = honest()
    fork = "git+https://github.com/fork/train"
    body = {"verifier": {"id": "https://v.example"}, "resourceUri": fork, "verificationResult": "PASSED"}
    vsa = attest(chain.code, Said(predicate_type=SUMMARY_V1, body=body), signer=signer("developer"))
    rule = {
        "predicate": SUMMARY_V1,
        "signed_by": {"any_of": ["developer"]},
        "expect": {"verifier": "https://v.example", "resource": fork},
    }
    policy = policy_of(lambda p: p["nodes"]["code"].__setitem__("require", [rule]))
    refused(chain.assess([chain.run, chain.record, vsa], policy=policy), "chain.scope", "code code")
    run = run_record(chain.model, used(chain.data, "dataset"), used(chain.code, "code", f"{fork}@{COMMIT}"))
    assert chain.assess([run, chain.record, vsa], policy=policy).accepted


def test_one_commit_in_two_repositories_is_two_references() -> None:
    chain = honest()
    run = run_record(
        chain.model,
        used(chain.data, "dataset"),
        used(chain.code, "code", f"{REPOSITORY}@{COMMIT}"),
        used(chain.code, "code", f"git+https://github.com/evil/train@{COMMIT}"),
    )
    policy = policy_of(lambda p: p["nodes"]["model"]["require"][0]["inputs"].pop("code"))
    refused(chain.assess([run, chain.record, chain.source], policy=policy), "chain.scope")
    evil = code_record(checkout(repository="git+https://github.com/evil/train"))
    assert chain.assess([run, chain.record, chain.source, evil], policy=policy).accepted


# --- causality -------------------------------------------------------------------------------------------------------


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Callable[[Attestation, datetime], Attestation]:
    """Simulates a trusted witness, through the seal of the module that would prove one."""
    times: dict[bytes, datetime] = {}

    def simulated(logged: LoggedSignature, *_: object, **__: object) -> VerifiedTimes:
        assert logged.signed.envelope is not None
        found = times.get(logged.signed.envelope.payload)
        each = () if found is None else (WitnessedTime(time=found, witness="simulated"),)
        return VerifiedTimes(times=each, needed=1, seal=timestamps._SEAL)

    def add(attestation: Attestation, time_: datetime) -> Attestation:
        times[attestation.envelope.payload] = time_
        return attestation

    monkeypatch.setattr(timestamps, "check", simulated)
    return add


TICK = timedelta(microseconds=1)
VERIFIED = policy_of(lambda p: p.pop("times"))


@pytest.mark.parametrize(("late", "good"), [(-TICK, True), (timedelta(0), True), (TICK, False)])
def test_what_went_in_was_attested_before_the_run_started(
    witness: Callable[[Attestation, datetime], Attestation], late: timedelta, good: bool
) -> None:
    chain = honest()
    witness(chain.record, STARTED + late)
    witness(chain.source, STARTED)
    witness(chain.run, FINISHED)
    report = chain.assess(policy=VERIFIED)
    if good:
        assert report.accepted
        assert not any(f.code == "policy.times-claimed" for f in report.findings)
    else:
        refused(report, "chain.causality", "dataset penguins")


@pytest.mark.parametrize(("late", "good"), [(timedelta(0), True), (-TICK, False)])
def test_a_run_is_not_witnessed_before_it_finished(
    witness: Callable[[Attestation, datetime], Attestation], late: timedelta, good: bool
) -> None:
    chain = honest()
    witness(chain.record, STARTED)
    witness(chain.source, STARTED)
    witness(chain.run, FINISHED + late)
    report = chain.assess(policy=VERIFIED)
    if good:
        assert report.accepted
    else:
        refused(report, "policy.times")


def test_a_run_without_a_start_is_after_nothing(witness: Callable[[Attestation, datetime], Attestation]) -> None:
    chain = honest()
    inputs = (used(chain.data, "dataset"), used(chain.code, "code"))
    run = run_record(chain.model, *inputs, started_on=None)
    for item in (chain.record, chain.source, run):
        witness(item, FINISHED)
    report = chain.assess([run, chain.record, chain.source], policy=VERIFIED)
    refused(report, "chain.causality", "model penguin-classifier")
    assert report.cause is not None
    assert report.cause.found.startswith("no startedOn, ")
    assert "trim nodes.code, nodes.dataset in the policy" in report.cause.do
    # No evidence about the inputs would help, so none is asked for.
    assert chain.assess([run], policy=VERIFIED).cause == report.cause


def test_a_run_without_a_start_needs_none_where_nothing_is_compared(
    witness: Callable[[Attestation, datetime], Attestation],
) -> None:
    # As GitHub's and npm's provenance is: no startedOn, and the source as the only input.
    chain = honest()
    run = witness(run_record(chain.model, used(chain.code, "code"), started_on=None, finished_on=None), FINISHED)
    cut = {"trim": {"reason": "x", "until": "2100-01-01T00:00:00Z"}}
    ended = {"trim": {"reason": "x", "until": "2020-06-01T00:00:00Z"}}
    for code, accepted in ((cut, True), (ended, False), (None, False)):

        def change(plain: dict[str, Any], code: dict[str, Any] | None = code) -> None:
            plain.pop("times")
            del plain["nodes"]["model"]["require"][0]["inputs"]
            if code is not None:
                plain["nodes"]["code"] = code

        report = chain.assess([run, witness(chain.source, STARTED)], policy=policy_of(change))
        assert report.accepted == accepted
    # What it made is held against the runs that use it all the same.
    late = witness(run_record(chain.data, started_on=None, finished_on=None, invocation_id="urn:d"), STARTED + TICK)
    used_it = witness(run_record(chain.model, used(chain.data, "dataset")), FINISHED)
    policy = nodes(model=RUN, dataset=RUN).model_copy(update={"times": "verified"})
    refused(chain.assess([used_it, late], policy=policy), "chain.causality", "dataset penguins")
    witness(late, STARTED)
    assert chain.assess([used_it, late], policy=policy).accepted


def test_the_earliest_evidence_counts(witness: Callable[[Attestation, datetime], Attestation]) -> None:
    # A later record of the same dataset does not undo the earlier one, nor does it help where there is none.
    chain = honest()
    later = witness(data_record(chain.data, name="again"), FINISHED)
    witness(chain.record, STARTED)
    witness(chain.source, STARTED)
    witness(chain.run, FINISHED)
    assert chain.assess([*chain.evidence, later], policy=VERIFIED).accepted
    refused(chain.assess([chain.run, chain.source, later], policy=VERIFIED), "chain.causality")


def test_every_piece_of_the_evidence_counts(witness: Callable[[Attestation, datetime], Attestation]) -> None:
    chain = honest()
    checked = attest(chain.data, Said(predicate_type="https://x.example/v1", body={}), signer=signer("data-team"))
    extra = {"predicate": "https://x.example/v1", "signed_by": {"any_of": ["data-team"]}}

    def change(plain: dict[str, Any]) -> None:
        plain.pop("times")
        plain["nodes"]["dataset"]["require"].append(extra)

    for item in (chain.record, chain.source):
        witness(item, STARTED)
    witness(chain.run, FINISHED)
    witness(checked, STARTED + TICK)
    refused(chain.assess([*chain.evidence, checked], policy=policy_of(change)), "chain.causality")
    witness(checked, STARTED)
    assert chain.assess([*chain.evidence, checked], policy=policy_of(change)).accepted


def test_post_hoc_a_chain_is_not_completed_afterwards(witness: Callable[[Attestation, datetime], Attestation]) -> None:
    # Grandparents too: each link is held against the run that used it.
    chain = honest()
    raw = tree("dataset", {"raw.csv": b"0"}, "raw")
    cleaned = run_record(chain.data, used(raw, "dataset"), started_on=STARTED - 2 * TICK, finished_on=STARTED - TICK)
    policy = nodes(model=RUN, dataset=RUN).model_copy(update={"times": "verified"})
    source = run_record(raw, started_on=None, invocation_id="urn:raw")
    told = run_record(raw, started_on=STARTED - 4 * TICK, finished_on=None, invocation_id="urn:told")
    run = run_record(chain.model, used(chain.data, "dataset"))
    witness(run, FINISHED)
    witness(cleaned, STARTED)
    witness(source, STARTED - 3 * TICK)
    witness(told, STARTED - TICK)
    refused(chain.assess([run, cleaned, source], policy=policy), "policy.times")
    refused(chain.assess([run, cleaned, told], policy=policy), "chain.causality", "dataset raw")
    witness(told, STARTED - 3 * TICK)
    assert chain.assess([run, cleaned, told], policy=policy).accepted


# --- limits ----------------------------------------------------------------------------------------------------------


def line(length: int) -> tuple[list[Attestation], Manifest, Policy]:
    """A chain of so many datasets, each made from the next."""
    things = [thing(f"line-{n}") for n in range(length)]
    runs = [run_record(a, used(b, "dataset")) for a, b in pairwise(things)]
    return [*runs, run_record(things[-1])], things[0], nodes(dataset=RUN)


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(nodes=4), "nodes"),
        (Limits(depth=3), "depth"),
        (Limits(candidates=4), "candidates"),
        (Limits(steps=14), "steps"),
        (Limits(evidence=4), "evidence"),
        (Limits(evidence_bytes=4000), "evidence_bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_too_many_is_undecided(limits: Limits, name: str) -> None:
    evidence, root, policy = line(5)
    enough = replace(limits, **{name: getattr(limits, name) + (20_000 if name == "evidence_bytes" else 1)})
    assert honest().assess(evidence, artifact=root, policy=policy, limits=enough).accepted
    report = honest().assess(evidence, artifact=root, policy=policy, limits=limits)
    assert report.verdict == "undecided"
    assert not report.accepted
    assert (report.graph, report.claims, report.depth) == (None, (), "")
    assert report.cause is not None
    assert report.cause.code == "limit"
    with pytest.raises(LimitError) as caught:
        report.require()
    assert (caught.value.code, caught.value.report) == ("limit", report)
    assert caught.value.wanted == f"at most {getattr(limits, name)} ({name})"


def test_depth_64_holds_and_65_is_undecided() -> None:
    evidence, root, policy = line(65)
    report = honest().assess(evidence, artifact=root, policy=policy)
    assert report.accepted
    evidence, root, policy = line(66)
    assert honest().assess(evidence, artifact=root, policy=policy).verdict == "undecided"


def many(count: int) -> list[ResourceDescriptor]:
    return [
        ResourceDescriptor(name=f"d{n}", digest=DigestSet.of(sha256=f"{n:064x}"), annotations={"role": "dataset"})
        for n in range(count)
    ]


def test_two_thousand_dependencies_take_no_time() -> None:
    chain = honest()
    inputs = many(2000)
    run = run_record(chain.model, *inputs)
    # One statement may have 1024 subjects.
    record = [
        seal(
            statement([r.to_dict() for r in inputs[start : start + 1000]], DataRecord.predicate_type, {"name": "x"}),
            signer("data-team"),
        )
        for start in (0, 1000)
    ]
    policy = nodes(model=RUN, dataset=DATA)
    began = time.process_time()
    report = chain.assess([run, *record], policy=policy)
    took = time.process_time() - began
    assert report.accepted
    assert report.graph is not None
    assert len(report.graph.nodes) == 2003
    assert took < 30
    refused(chain.assess([run, record[0]], policy=policy), "chain.no-attestation", "dataset d1000")


def test_junk_does_not_make_a_refusal_slow() -> None:
    """CVE-2023-46737, CVE-2024-45395: endless subjects, times endless inputs, must not multiply."""
    chain = honest()
    run = run_record(chain.model, *many(2000))
    subjects = [{"name": f"d{n}", "digest": {"sha256": f"{n + 10**6:064x}"}} for n in range(1024)]
    junk = [seal(statement(subjects, DataRecord.predicate_type, {"n": n}), signer("mallory")) for n in range(20)]
    trusted = [
        seal(statement(subjects, DataRecord.predicate_type, {"name": f"{n}"}), signer("data-team")) for n in range(20)
    ]
    began = time.process_time()  # our own work, whoever else keeps the machine busy
    report = chain.assess([run, *junk, *trusted], policy=nodes(model=RUN, dataset=DATA))
    took = time.process_time() - began
    assert report.verdict == "refused"
    assert took < 30


def test_the_graph_has_each_thing_once_and_says_who_signed() -> None:
    chain = honest()
    report = chain.assess()
    assert report.graph is not None
    identities = [node.identity for node in report.graph.nodes]
    assert len(set(identities)) == len(identities)
    assert report.graph.nodes[0].identity == report.graph.root
    run = next(node for node in report.graph.nodes if node.kind == "run")
    assert run.identity == f"run {chain.run.payload_digest}"
    assert [e.names for e in run.evidence] == [("trainer",)]
    assert Statement.parse_unverified(chain.run.envelope.payload).digest == chain.run.payload_digest
    roles = {(edge.role, report.graph.node(edge.parent).kind) for edge in report.graph.edges}
    assert roles == {("run", "run"), ("dataset", "dataset"), ("code", "code"), ("builder", "builder")}


def test_one_wrapping_never_hides_another() -> None:
    # One payload, one key, two names that the trust tells apart by keyid. Whoever wraps it again must not take the
    # first name away from it; the order in the pile must not matter.
    chain = honest()
    key = signer("trainer").public_key
    others = tuple(k for k in chain.trust.keys if k.name != "trainer")
    trust = Trust(
        keys=(
            TrustedKey(name="trainer", key=key, keyids=("release",)),
            TrustedKey(name="nightly", key=key, keyids=("nightly",)),
            *others,
        )
    )
    wrapped = [bare(chain.run, keyids=[keyid]) for keyid in ("release", "nightly", "")]
    rest = [chain.record, chain.source]
    assert chain.assess([wrapped[0], *rest], trust=trust).accepted
    assert chain.assess([*wrapped, *rest], trust=trust).accepted
    assert chain.assess([*reversed(wrapped), *rest], trust=trust).accepted
    refused(chain.assess([*wrapped[1:], *rest], trust=trust), "policy.signed-by")
