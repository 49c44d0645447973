"""What a review of the chain found, each fault with the scenario that showed it."""

import gc
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glasswing_attest import (
    Attestation,
    CodeRecord,
    DataRecord,
    Manifest,
    ModelRecord,
    Policy,
    Report,
    Trust,
    attest,
    endorse,
)
from glasswing_attest import envelope as envelope_module
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.chain.edges import repository
from glasswing_attest.chain.refused import Refused
from glasswing_attest.claims import Dependency, PredicateType, opaque
from glasswing_attest.errors import FieldRefused, KeyUntrusted, LimitError, SignatureInvalid
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.records.base import Record, TreeSummary
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification import signature, timestamps
from glasswing_attest.verification.timestamps import VerifiedTimes, WitnessedTime
from glasswing_attest.verification.transparency import LoggedSignature
from tests.chains import (
    BUILDER,
    COMMIT,
    NOW,
    REPOSITORY,
    STARTED,
    Said,
    bare,
    checkout,
    data_record,
    honest,
    policy_of,
    run_record,
    seal,
    signer,
    statement,
    trust_of,
    used,
)

RUN: Mapping[str, Any] = {
    "predicate": PROVENANCE_V1,
    "signed_by": {"any_of": ["trainer"]},
    "expect": {"builder": BUILDER},
}
DATA: Mapping[str, Any] = {"predicate": DataRecord.predicate_type, "signed_by": {"any_of": ["data-team"]}}
CHECKED = "https://x.example/checked/v1"
HERE = "$.predicate"


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


def cause(report: Report) -> str:
    assert report.verdict == "refused"
    assert report.cause is not None
    return report.cause.code


# --- predicate types of others ---------------------------------------------------------------------------------------


def boom(*_: object) -> Any:
    raise KeyError("zz")


def too_deep(*_: object) -> Any:
    raise RecursionError("again and again")


def endless(_: object) -> Iterator[Dependency]:
    for number in itertools.count():
        yield Dependency(role="dataset", resource=ResourceDescriptor(name=str(number)))


CHECK: Mapping[str, Any] = {"predicate": CHECKED, "signed_by": {"any_of": ["data-team"]}}


def checked(about: Manifest, **body: Any) -> Attestation:
    return attest(about, Said(predicate_type=CHECKED, body=body), signer=signer("data-team"))


def read_by(kind: PredicateType, *, limits: Limits | None = None) -> Report:
    """Judge a dataset by its record and one statement of the type."""
    data = thing("d")
    policy = policy_of(lambda p: p["nodes"]["dataset"]["require"].append(dict(CHECK)))
    pile = [data_record(data), checked(data, ok=True)]
    return honest().assess(pile, artifact=data, policy=policy, predicates=(kind,), limits=limits or DEFAULT)


@pytest.mark.parametrize(
    "kind",
    [
        PredicateType(uri=CHECKED, parse=boom),
        PredicateType(uri=CHECKED, parse=too_deep),
        PredicateType(uri=CHECKED, parse=lambda node, _: node.value, dependencies=boom),
        PredicateType(uri=CHECKED, parse=lambda node, _: node.value, dependencies=lambda _: ["d"]),  # type: ignore[list-item]
        PredicateType(uri=CHECKED, parse=lambda node, _: node.value, scope=boom),
        PredicateType(uri=CHECKED, parse=lambda node, _: node.value, scope=lambda _: None),  # type: ignore[arg-type, return-value]
    ],
    ids=["parse", "recursion", "dependencies", "no dependency", "scope", "no scope"],
)
def test_a_reader_that_fails_refuses_its_statement_and_stops_nothing(kind: PredicateType) -> None:
    report = read_by(kind)
    assert cause(report) == FieldRefused.code
    (refused,) = report.refused
    assert type(refused.error) is FieldRefused
    assert (refused.error.where, CHECKED in refused.error.because) == (HERE, True)
    # What is judged without that statement is judged as ever.
    chain = honest()
    assert chain.assess([*chain.evidence, checked(chain.data)], predicates=(kind,)).accepted


def test_an_opaque_type_is_read_as_it_is() -> None:
    report = read_by(opaque(CHECKED))
    assert report.accepted
    assert [dict(said) for said in report.records(Mapping)] == [{"ok": True}]  # type: ignore[type-abstract]
    assert report.depth == "surface"


def test_edges_that_never_end_are_bounded() -> None:
    kind = PredicateType(uri=CHECKED, parse=lambda node, _: node.value, dependencies=endless)
    report = read_by(kind, limits=Limits(dependencies=5))
    assert cause(report) == LimitError.code
    assert report.refused[0].error.wanted == "at most 5 (dependencies)"


@pytest.mark.parametrize(("bound", "good"), [(1, False), (2, True)])
def test_limits_are_kept_inside_predicates(bound: int, good: bool) -> None:
    chain = honest()
    report = chain.assess(limits=Limits(dependencies=bound))
    assert report.accepted == good
    if not good:
        assert cause(report) == LimitError.code
        assert report.refused[0].error.wanted == "at most 1 (dependencies)"


def test_a_reader_is_told_the_limits() -> None:
    told: list[Limits] = []
    limits = Limits(dependencies=7)
    kind = PredicateType(uri=CHECKED, parse=lambda _, limits: told.append(limits))
    assert read_by(kind, limits=limits).accepted
    assert told == [limits]


# --- a record contradicts its subject --------------------------------------------------------------------------------

FILE, TREE, OTHER = {"sha256": "a" * 64}, {"dirHash": "b" * 64}, "c" * 64
GIT = {"gitCommit": COMMIT, "gitTree": "d" * 40}
TREE_RULE: Mapping[str, Any] = {"signed_by": {"any_of": ["data-team"]}}


@pytest.mark.parametrize(
    ("kind", "digest", "record", "good"),
    [
        ("code", GIT, CodeRecord(name="x", commit=COMMIT, tree="d" * 40, dirty=False), True),
        ("code", GIT, CodeRecord(name="x"), True),
        ("code", {"gitTree": "d" * 40}, CodeRecord(name="x", commit="f" * 40), True),  # the tree is what it is about
        ("code", GIT, CodeRecord(name="x", source_tree=TreeSummary(dir_hash=OTHER)), True),  # nor are its files
        ("code", GIT, CodeRecord(name="x", commit="f" * 40), False),
        ("code", GIT, CodeRecord(name="x", commit=COMMIT, tree="f" * 40), False),
        ("code", GIT, CodeRecord(name="x", commit=COMMIT, dirty=True), False),
        ("code", TREE, CodeRecord(name="x", dirty=True), True),
        ("code", TREE, CodeRecord(name="x", source_tree=TreeSummary(dir_hash="b" * 64)), True),
        ("code", TREE, CodeRecord(name="x", source_tree=TreeSummary(dir_hash=OTHER)), False),
        ("dataset", TREE, DataRecord(name="x", tree=TreeSummary(dir_hash="b" * 64, files=3)), True),
        ("dataset", TREE, DataRecord(name="x", tree=TreeSummary(dir_hash=OTHER)), False),
        ("dataset", FILE, DataRecord(name="x"), True),
        ("dataset", FILE, DataRecord(name="x", tree=TreeSummary(dir_hash="a" * 64)), False),
        ("model", TREE, ModelRecord(name="x", tree=TreeSummary(dir_hash="b" * 64)), True),
        ("model", TREE, ModelRecord(name="x", tree=TreeSummary(dir_hash=OTHER)), False),
        ("model", FILE, DataRecord(name="x", tree=TreeSummary(dir_hash=OTHER)), False),
    ],
)
def test_a_record_agrees_with_its_subject(kind: str, digest: dict[str, str], record: Record, good: bool) -> None:
    payload = statement([{"name": "x", "digest": digest}], record.predicate_type, record.to_predicate())
    policy = nodes(**{kind: {**TREE_RULE, "predicate": record.predicate_type}})
    policy = policy.model_copy(update={"declared": "allow"})
    root = Manifest.declared(kind, DigestSet.of(digest), name="x")
    report = honest().assess([seal(payload, signer("data-team"))], artifact=root, policy=policy)
    if good:
        assert report.accepted
        assert report.records(type(record)) == (record,)
        return
    assert cause(report) == "policy.contradicts-subject"
    assert report.cause is not None
    assert report.cause.found.startswith(type(record).__name__)
    assert report.cause.rule == f"nodes.{kind}"
    # Within a chain, too: the input is refused, and not only the root.
    chain = honest()
    run = run_record(chain.model, replace(used(root, kind), annotations={"role": kind if kind != "model" else "tool"}))
    inner = nodes(
        model=RUN, **{("tool" if kind == "model" else kind): {**TREE_RULE, "predicate": record.predicate_type}}
    )
    assert cause(chain.assess([run, seal(payload, signer("data-team"))], policy=inner)) == "policy.contradicts-subject"


def test_the_subject_that_matched_is_the_one_that_counts() -> None:
    record = DataRecord(name="x", tree=TreeSummary(dir_hash="b" * 64))
    subjects = [{"name": "x", "digest": TREE}, {"name": "y", "digest": {"dirHash": OTHER}}]
    sealed = seal(statement(subjects, record.predicate_type, record.to_predicate()), signer("data-team"))
    policy = nodes(dataset=DATA).model_copy(update={"declared": "allow"})
    first, second = (Manifest.declared("dataset", DigestSet.of(s["digest"])) for s in subjects)  # type: ignore[arg-type]
    assert honest().assess([sealed], artifact=first, policy=policy).accepted
    assert cause(honest().assess([sealed], artifact=second, policy=policy)) == "policy.contradicts-subject"


@pytest.mark.parametrize(
    ("measured", "said", "good"),
    [
        (REPOSITORY, REPOSITORY, True),
        (REPOSITORY, "git@github.com:acme/train.git", True),
        (REPOSITORY, "", True),
        ("", "https://github.com/evil/fork", True),  # nothing was measured that it could contradict
        ("/srv/train", "https://github.com/evil/fork", True),
        (REPOSITORY, "https://github.com/evil/fork", False),
        ("git@github.com:acme/train.git", "https://github.com/evil/fork", False),
    ],
)
def test_the_root_s_repository_is_held_too(measured: str, said: str, good: bool) -> None:
    record = CodeRecord(name="x", repository=said or None)
    payload = statement([{"digest": {"gitCommit": COMMIT}}], record.predicate_type, record.to_predicate())
    report = honest().assess([seal(payload, signer("developer"))], artifact=checkout(repository=measured))
    if good:
        assert report.accepted
    else:
        assert cause(report) == "chain.scope"


# --- verification summaries ------------------------------------------------------------------------------------------


def summary(levels: list[str], level: str | None, **more: Any) -> Report:
    data = thing("d")
    body = {
        "verifier": {"id": "https://v.example"},
        "resourceUri": "x",
        "verificationResult": "PASSED",
        "verifiedLevels": levels,
        **more,
    }
    made = attest(data, Said(predicate_type=SUMMARY_V1, body=body), signer=signer("data-team"))
    expect = {"verifier": "https://v.example", "resource": "x", **({} if level is None else {"level": level})}
    rule = {"predicate": SUMMARY_V1, "signed_by": {"any_of": ["data-team"]}, "expect": expect}
    return honest().assess([made], artifact=data, policy=nodes(dataset=rule))


@pytest.mark.parametrize(
    ("levels", "level", "good"),
    [
        (["SLSA_BUILD_LEVEL_2"], "SLSA_BUILD_LEVEL_2", True),
        (["SLSA_BUILD_LEVEL_3"], "SLSA_BUILD_LEVEL_2", True),
        (["ACME_CHECKED", "SLSA_BUILD_LEVEL_3"], "ACME_CHECKED", True),
        (["anything"], None, True),
        ([], "SLSA_BUILD_LEVEL_0", False),
        (["SLSA_BUILD_LEVEL_1"], "SLSA_BUILD_LEVEL_2", False),
        (["SLSA_SOURCE_LEVEL_3"], "SLSA_BUILD_LEVEL_2", False),
        (["SLSA_BUILD_LEVEL_٣"], "SLSA_BUILD_LEVEL_2", False),
        (["SLSA_BUILD_LEVEL_30"], "SLSA_BUILD_LEVEL_2", False),
        # A level is an item of the list, and nothing that the list reads like.
        ([], "no level", False),
        (["A", "B"], "A, B", False),
        (["A, B"], "A", False),
        (["FAILED", "SLSA_BUILD_LEVEL_3"], "SLSA_BUILD_LEVEL_3", False),
    ],
)
def test_a_level_is_reached_or_not(levels: list[str], level: str | None, good: bool) -> None:
    report = summary(levels, level)
    if good:
        assert report.accepted
        return
    assert cause(report) == "policy.expect"
    assert report.cause is not None
    wanted_rule = "result" if "FAILED" in levels else "level"
    assert report.cause.rule == f"nodes.dataset.expect.{wanted_rule}"
    assert report.cause.found == (", ".join(levels) or "no level")


@pytest.mark.parametrize(("late", "good"), [(-1, True), (0, True), (1, False)])
def test_nobody_signs_what_was_concluded_later(late: int, good: bool) -> None:
    when = (NOW + timedelta(seconds=late)).isoformat().replace("+00:00", "Z")
    report = summary(["SLSA_BUILD_LEVEL_3"], None, timeVerified=when)
    if good:
        assert report.accepted
    else:
        assert cause(report) == "policy.times"


# --- trims, and an earlier time --------------------------------------------------------------------------------------


def test_an_earlier_time_revives_no_trim() -> None:
    chain = honest()
    trim = {"trim": {"reason": "x", "until": "2020-01-01T00:00:00Z"}}
    policy = policy_of(lambda p: p["nodes"].__setitem__("code", trim))
    run = run_record(
        chain.model, used(chain.data, "dataset"), used(chain.code, "code"), started_on=None, finished_on=None
    )
    for at in (NOW, datetime(2019, 1, 1, tzinfo=UTC)):
        assert cause(chain.assess([run, chain.record], policy=policy, at=at)) == "chain.trim"
    longer = policy_of(lambda p: p["nodes"].__setitem__("code", {"trim": {"reason": "x"}}))
    assert chain.assess([run, chain.record], policy=longer, at=datetime(2019, 1, 1, tzinfo=UTC)).accepted


# --- junk ------------------------------------------------------------------------------------------------------------


def datasets(count: int) -> list[ResourceDescriptor]:
    return [
        ResourceDescriptor(name=f"d{n}", digest=DigestSet.of(sha256=f"{n:064x}"), annotations={"role": "dataset"})
        for n in range(count)
    ]


def test_junk_times_gaps_is_not_their_product(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = honest()
    run = run_record(chain.model, *datasets(100))
    subjects = [{"name": f"d{n}", "digest": {"sha256": f"{n + 10**6:064x}"}} for n in range(200)]
    junk = [seal(statement(subjects, DataRecord.predicate_type, {"n": n}), signer("mallory")) for n in range(10)]
    calls = itertools.count()
    matches = DigestSet.matches

    def counted(mine: DigestSet, other: DigestSet) -> bool:
        next(calls)
        return matches(mine, other)

    monkeypatch.setattr(DigestSet, "matches", counted)
    report = chain.assess([run, *junk], policy=nodes(model=RUN, dataset=DATA))
    assert cause(report) == "chain.no-attestation"
    assert next(calls) < 1000  # 100 gaps times 2,000 subjects would be 200,000


def test_what_was_refused_explains_a_gap_still() -> None:
    chain = honest()
    stranger = data_record(chain.data, by="mallory")
    report = chain.assess([chain.run, chain.source, stranger])
    assert cause(report) == "verification.key-untrusted"
    assert report.cause is not None
    assert "evidence" in report.cause.found


def test_nothing_that_was_refused_is_kept() -> None:
    chain = honest()
    subjects = [{"name": f"d{n}", "digest": {"sha256": f"{n:064x}"}} for n in range(200)]
    payload = statement(subjects, DataRecord.predicate_type, {"x": [{}] * 100})
    report = chain.assess([*chain.evidence, seal(payload, signer("mallory"))])
    (refused,) = report.refused
    assert refused.error.__traceback__ is None
    assert refused.predicate_type == DataRecord.predicate_type
    assert 0 < len(refused.subjects) < 200
    gc.collect()
    assert not [s for s in gc.get_objects() if isinstance(s, Statement) and s.payload == payload]


def test_an_endless_type_is_not_kept_either() -> None:
    said = Statement.parse_unverified(statement([{"digest": {"sha256": "a" * 64}}], "x" * 5000, {}))
    assert Refused.of("x", FieldRefused(), said, limits=Limits()).predicate_type == ""


# --- the work of signatures ------------------------------------------------------------------------------------------


def crowd(count: int) -> Trust:
    return trust_of("trainer", "data-team", "developer", *(f"w{n}" for n in range(count)))


def test_the_signed_bytes_are_put_together_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = honest()
    sealed = bare(chain.run, *(endorse(chain.run, signer=signer(f"w{n}")) for n in range(8)))
    calls = itertools.count()
    pae = envelope_module.pae

    def counted(payload_type: str, payload: bytes) -> bytes:
        next(calls)
        return pae(payload_type, payload)

    monkeypatch.setattr(envelope_module, "pae", counted)
    proofs = signature.check(Attestation.parse(sealed), [key.key for key in crowd(8).keys])
    assert len(proofs) == 9
    assert next(calls) == 1


def test_hints_are_worked_out_once() -> None:
    key = signer("trainer").public_key
    assert key.hints is key.hints


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "ed25519"])
def test_a_remembered_hash_changes_no_answer(algorithm: str) -> None:
    made = signer("hashed", algorithm)
    envelope = Attestation.parse(seal(b"{}", made)).envelope
    hashed: dict[str, bytes] = {}
    for _ in range(2):
        assert made.public_key.check(envelope.signatures[0].sig, envelope.signed_bytes, hashed=hashed)
    assert len(hashed) == (algorithm != "ed25519")
    with pytest.raises(SignatureInvalid):
        made.public_key.check(envelope.signatures[0].sig, envelope.signed_bytes + b"x", hashed={})


def test_signatures_times_keys_is_bounded() -> None:
    chain = honest()
    keys = [key.key for key in crowd(8).keys]
    unhinted = Attestation.parse(bare(*(endorse(chain.run, signer=signer(f"s{n}")) for n in range(3))))
    with pytest.raises(KeyUntrusted):
        signature.check(unhinted, keys, limits=Limits(signature_checks=33))
    with pytest.raises(LimitError) as caught:
        signature.check(unhinted, keys, limits=Limits(signature_checks=32))
    assert (caught.value.where, caught.value.wanted) == ("$.signatures", "at most 32 (signature_checks)")


def test_the_work_of_a_whole_call_is_bounded() -> None:
    chain = honest()
    junk = [data_record(chain.data, by=f"s{n}") for n in range(4)]
    assert chain.assess([*chain.evidence, *junk], limits=Limits(signature_checks_in_all=15)).accepted
    for pile in ([*chain.evidence, *junk], [*junk, *chain.evidence]):
        report = chain.assess(pile, limits=Limits(signature_checks_in_all=14))
        assert report.verdict == "undecided"
        assert report.cause is not None
        assert report.cause.code == LimitError.code
    budget = Budget(Limits(signature_checks_in_all=1), "signature_checks_in_all")
    budget.spend()
    assert not budget.is_exceeded
    with pytest.raises(LimitError):
        budget.spend()
    assert budget.is_exceeded


# --- deep chains -----------------------------------------------------------------------------------------------------

DEEP = 600


@pytest.mark.parametrize("flat", [True, False], ids=["all named by the model", "one after the other"])
def test_a_deep_chain_is_told_and_drawn(flat: bool) -> None:
    chain = honest()
    line = [thing(f"line-{n}") for n in range(DEEP)]
    gone = thing("gone")
    named = line if flat else line[:1]
    run = run_record(chain.model, *(used(each, "dataset") for each in named))
    links = [run_record(a, used(b, "dataset")) for a, b in zip(line, [*line[1:], gone], strict=True)]
    policy = nodes(model=RUN, dataset=RUN)
    limits = Limits(depth=DEEP + 2)
    report = chain.assess([run, *links], policy=policy, limits=limits)
    assert cause(report) == "chain.no-attestation"
    assert report.cause is not None
    assert report.cause.subject == "dataset gone"
    assert report.graph is not None
    broken = [n for n in report.graph.nodes if n.kind == "dataset"]
    assert len(broken) == DEEP + 1
    assert {f.subject for n in broken for f in n.findings} == {"dataset gone"}
    text = report.to_text(nodes=None)
    assert text.count("line-") == text.count("✗ dataset") >= DEEP
    whole = chain.assess([run, *links, run_record(gone)], policy=policy, limits=limits)
    assert whole.accepted
    assert whole.to_text(nodes=None).count("✓ dataset line-") >= DEEP
    assert max(map(len, whole.to_text(nodes=None).splitlines())) < 400
    # Unless somebody asks for all of it, nobody is given more than can be read.
    assert len(whole.to_text().splitlines()) < 450


def test_a_long_cycle_is_told_in_few_words() -> None:
    ring = [thing(f"ring-{n}") for n in range(100)]
    runs = [run_record(a, used(b, "dataset")) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
    report = honest().assess(runs, artifact=ring[0], policy=nodes(dataset=RUN), limits=Limits(depth=200))
    assert cause(report) == "chain.cycle"
    assert report.cause is not None
    assert report.cause.found.startswith("ring-0 ← ring-1 ← ")
    assert report.cause.found.endswith(" ← ring-99 ← ring-0")
    assert len(report.cause.found) < 300


# --- what the graph shows --------------------------------------------------------------------------------------------

MERGE = "https://x.example/merge/v1"


def merged(node: Any, _: Limits) -> list[str]:
    return [each.text() for each in node.need("from").array()]


def merged_from(said: Any) -> Iterator[Dependency]:
    for value in said:
        yield Dependency(role="dataset", resource=ResourceDescriptor(digest=DigestSet.of(sha256=value)))


MERGES = PredicateType(uri=MERGE, parse=merged, dependencies=merged_from)


def merge(about: Manifest, *parents: Manifest) -> Attestation:
    body = {"from": [parent.digests.get("sha256") for parent in parents], "of": about.name}
    return attest(about, Said(predicate_type=MERGE, body=body), signer=signer("data-team"))


def test_edges_of_what_is_no_run_are_drawn() -> None:
    x, y = thing("x"), thing("y")
    rule = {"predicate": MERGE, "signed_by": {"any_of": ["data-team"]}}
    report = honest().assess([merge(x, y), merge(y)], artifact=x, policy=nodes(dataset=rule), predicates=(MERGES,))
    assert report.accepted
    assert report.graph is not None
    (edge,) = report.graph.edges
    assert (edge.child, edge.role) == (report.graph.root, "dataset")
    assert report.graph.node(edge.parent).digests == tuple(map(str, y.digests))
    assert "└─ ✓ dataset" in report.to_text()


def test_several_inputs_without_digest_stay_several() -> None:
    chain = honest()
    uris = ["pkg:pypi/a@1", "pkg:pypi/b@1", "https://me:token@h.example/c"]
    inputs = [ResourceDescriptor(uri=uri) for uri in uris]
    named = [ResourceDescriptor(name=name, content=b"x") for name in ("e", "f")]
    report = chain.assess([run_record(chain.model, *inputs, *named)], policy=nodes(model=RUN, dependency="lock file"))
    assert report.accepted
    assert report.graph is not None
    shown = [node.name for node in report.graph.nodes if node.kind == "dependency"]
    assert shown == [*uris[:2], "https://h.example/c", "e", "f"]
    assert "token" not in report.to_json()


def test_every_signer_of_a_run_is_shown() -> None:
    chain = honest()
    both = {"threshold": 2, "of": ["trainer", "developer"], "over": "same_statement"}
    run = run_record(chain.model)
    evidence = [run, endorse(run, signer=signer("developer"))]
    report = chain.assess(evidence, policy=nodes(model={**RUN, "signed_by": both}))
    assert report.accepted
    assert report.graph is not None
    (shown,) = [node for node in report.graph.nodes if node.kind == "run"]
    assert {e.names for e in shown.evidence} == {("trainer",), ("developer",)}
    assert len([node for node in report.graph.nodes if node.kind == "builder"]) == 2


def test_a_run_without_inputs_proves_its_builder_and_no_more() -> None:
    chain = honest()
    report = chain.assess([run_record(chain.model)], policy=nodes(model=RUN))
    assert report.accepted
    assert report.depth == "builder"
    assert chain.assess().depth == "transitive"


def test_in_a_refused_chain_only_what_stands_is_verified() -> None:
    chain = honest()
    report = chain.assess([chain.run, chain.record])
    assert cause(report) == "chain.no-attestation"
    assert report.graph is not None
    states = {node.kind: node.state.value for node in report.graph.nodes}
    assert states == {
        "model": "failed",
        "run": "failed",
        "builder": "verified",
        "dataset": "verified",
        "code": "missing",
    }


def test_a_run_that_made_two_things_stands_where_one_of_them_does() -> None:
    chain = honest()
    one, two = thing("one"), thing("two")
    both = run_record([one, two])
    top = run_record(chain.model, used(one, "dataset"), used(two, "tool"))
    policy = nodes(model=RUN, dataset=RUN, tool={**RUN, "signed_by": {"any_of": ["developer"]}})
    report = chain.assess([top, both], policy=policy)
    assert cause(report) == "policy.signed-by"
    assert report.graph is not None
    assert report.graph.node(f"run {both.payload_digest}").state == "verified"
    assert report.graph.node(f"run {top.payload_digest}").state == "failed"


# --- repositories ----------------------------------------------------------------------------------------------------

TRAIN = "https://github.com/acme/train"


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        (TRAIN, TRAIN),
        (f"git+{TRAIN}@refs/heads/main", TRAIN),
        (f"git+{TRAIN}@refs/tags/v1.0", TRAIN),
        (f"git+{TRAIN}@feature/x", TRAIN),
        (f"git+{TRAIN}.git@abc", TRAIN),
        (f"{TRAIN}@main", TRAIN),
        (f"{TRAIN}@refs/heads/feature/x#sub/dir", TRAIN),
        (f"{TRAIN}.git/", TRAIN),
        ("http://GitHub.com/acme/train", TRAIN),
        ("git+ssh://git@github.com/acme/train.git", TRAIN),
        ("ssh://git@github.com:22/acme/train", TRAIN),
        ("git@github.com:acme/train.git", TRAIN),
        ("https://user:token@github.com/acme/train", TRAIN),
        ("https://user:to@ken@github.com/acme/train", TRAIN),
        ("https://github.com/ACME/train", "https://github.com/ACME/train"),
        ("https://github.com:8443/acme/train", "https://github.com:8443/acme/train"),
        ("https://hf.co/acme@evil", "https://hf.co/acme"),
        # A path is no revision.
        ("https://host/x/@evil", "https://host/x/@evil"),
        ("git+https://host/@evil/x", "https://host/@evil/x"),
        ("https://h/x@y/evil", "https://h/x@y/evil"),
        ("https://h/x@y:8080/evil/repo", "https://h/x@y:8080/evil/repo"),
        ("git+https://h/x@y:8080/evil/repo", "https://h/x@y:8080/evil/repo"),
        ("https://h/x@refs/../../evil", "https://h/x@refs/../../evil"),
        ("https://github.com@evil.example/acme/train", "https://evil.example/acme/train"),
        ("https://evil.example?@github.com/acme/train", "https://evil.example?@github.com/acme/train"),
        # Packages have names of their own.
        ("pkg:github/acme/train@abc", "pkg:github/acme/train"),
        ("PKG:npm/@acme/train@1?x=y#z", "pkg:npm/@acme/train"),
        ("pkg:npm/@acme/train", "pkg:npm/@acme/train"),
        ("oci://r.example/train", "oci://r.example/train"),
        # What names no place that others could mean.
        ("", ""),
        ("/srv/train", ""),
        ("file:///srv/train", ""),
        ("C:\\train", ""),
        ("urn:uuid:1", ""),
        ("acme/train", ""),
    ],
)
def test_repositories_are_compared_without_what_does_not_name_them(uri: str, wanted: str) -> None:
    assert repository(uri) == wanted
    assert repository(wanted) == wanted


def test_a_password_is_never_shown() -> None:
    chain = honest()
    uri = f"git+https://me:token@github.com/evil/train@{COMMIT}"
    code = ResourceDescriptor(uri=uri, digest=chain.code.digests, annotations={"role": "code"})
    run = run_record(chain.model, used(chain.data, "dataset"), code)
    record = attest(
        chain.code, Said(predicate_type=CodeRecord.predicate_type, body=code_body()), signer=signer("developer")
    )
    report = chain.assess([run, chain.record, record])
    assert cause(report) == "chain.scope"
    assert report.cause is not None
    assert (report.cause.found, report.cause.wanted) == (TRAIN, "https://github.com/evil/train")
    assert "token" not in report.to_json() + report.to_text()


def code_body() -> dict[str, Any]:
    return {"name": "x", "repository": "https://you:token@github.com/acme/train"}


# --- a cycle supports no earlier time --------------------------------------------------------------------------------


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Callable[[Attestation, datetime], Attestation]:
    """Simulates a trusted witness: gives attestations a proved time."""
    times: dict[bytes, datetime] = {}

    def simulated(logged: LoggedSignature, *_: object, **__: object) -> VerifiedTimes:
        envelope = logged.signed.envelope
        found = None if envelope is None else times.get(envelope.payload)
        each = () if found is None else (WitnessedTime(time=found, witness="simulated"),)
        return VerifiedTimes(times=each, needed=1, seal=timestamps._SEAL)

    monkeypatch.setattr(timestamps, "check", simulated)

    def add(attestation: Attestation, time: datetime) -> Attestation:
        times[attestation.envelope.payload] = time
        return attestation

    return add


def test_a_cycle_makes_nothing_older(witness: Callable[[Attestation, datetime], Attestation]) -> None:
    # X is proved late. An early claim derives it from Y, and Y is derived from X: those two prove nothing by
    # themselves, and once X is accepted they must not make it older than its proof.
    x, y, model = thing("x"), thing("y"), honest().model
    day = timedelta(days=1)
    base = witness(merge(x), STARTED + 90 * day)
    early = witness(merge(x, y), STARTED - 60 * day)
    looped = witness(merge(y, x), STARTED - 59 * day)
    run = witness(run_record(model, used(x, "dataset")), STARTED + 30 * day)
    rule = {"predicate": MERGE, "signed_by": {"any_of": ["data-team"]}}
    policy = nodes(model=RUN, dataset=rule).model_copy(update={"times": "verified"})

    def judged(*evidence: Attestation) -> Report:
        return honest().assess(evidence, policy=policy, predicates=(MERGES,), at=STARTED + 365 * day)

    assert cause(judged(run, base)) == "chain.causality"
    assert cause(judged(run, early, looped)) == "chain.cycle"
    for pile in itertools.permutations([run, base, early, looped]):
        assert cause(judged(*pile)) == "chain.causality"
    # With an honest start of the line the early claims do count.
    assert judged(run, early, witness(merge(y), STARTED - 61 * day)).accepted
