"""Do the selected statements say the same where the policy asks for it?  docs: policy, `same`."""

import itertools
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest import Policy, Report, Trust, Verifier
from glasswing_attest.chain.same import Table, joined
from glasswing_attest.claims import opaque
from glasswing_attest.errors import LimitError
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.statement.predicates.run import PROVENANCE_V1
from tests.chains import BUILD_TYPE, BUILDER, honest, seal, signer, statement

CHECKED, SCANNED = "https://example.com/checked/v1", "https://example.com/scanned/v1"
COMMIT = "run.predicate.buildDefinition.externalParameters.commit"
MODEL = honest().model
QA = ("qa-a", "qa-b", "qa-c")
TRUST = Trust.of({name: signer(name).public_key for name in ("trainer", "scanner", *QA)})
TYPES = (opaque(CHECKED), opaque(SCANNED))


def policy(*same: Sequence[str], threshold: int = 1) -> Policy:
    """A model needs a run, as many checks, and a scan."""
    return Policy.model_validate(
        {
            "version": 1,
            "times": "claimed",
            "identities": {name: {"key": name} for name in ("trainer", "scanner", *QA)},
            "nodes": {
                "model": {
                    "require": [
                        {
                            "as": "run",
                            "predicate": PROVENANCE_V1,
                            "signed_by": {"any_of": ["trainer"]},
                            "expect": {"builder": BUILDER},
                        },
                        {
                            "as": "quality",
                            "predicate": CHECKED,
                            "signed_by": {"threshold": threshold, "of": list(QA), "over": "same_type"},
                        },
                        {"as": "scan", "predicate": SCANNED, "signed_by": {"any_of": ["scanner"]}},
                    ]
                }
            },
            "same": [list(group) for group in same],
        }
    )


def about(predicate_type: str, by: str, body: dict[str, Any], name: str = "penguin-classifier") -> bytes:
    subject = {"name": name, "digest": MODEL.digests.to_dict(), "annotations": {"tag": body.get("tag")}}
    return seal(statement([subject], predicate_type, body), signer(by))


def run(number: int = 0, **parameters: Any) -> bytes:
    definition = {"buildType": BUILD_TYPE, "externalParameters": parameters}
    details = {"builder": {"id": BUILDER}, "metadata": {"invocationId": str(number)}}
    return about(PROVENANCE_V1, "trainer", {"buildDefinition": definition, "runDetails": details})


def check(by: str = "qa-a", **body: Any) -> bytes:
    return about(CHECKED, by, body)


def scan(**body: Any) -> bytes:
    return about(SCANNED, "scanner", body)


def assess(rule: Policy, *evidence: bytes, limits: Limits = DEFAULT) -> Report:
    return Verifier(policy=rule, trust=TRUST, predicates=TYPES, limits=limits).assess(MODEL, evidence)


def refused(report: Report, **facts: str) -> None:
    assert report.verdict == "refused"
    assert report.cause is not None
    assert report.cause.code == "policy.same"
    assert report.cause.rule == "nodes.model.same"
    for name, value in facts.items():
        assert value in getattr(report.cause, name)


TWO = policy((COMMIT, "quality.predicate.commit"))


def test_one_value_for_all() -> None:
    assert assess(TWO, run(commit="a"), check(commit="a"), scan()).accepted
    refused(
        assess(TWO, run(commit="a"), check(commit="b"), scan()),
        wanted=f"one value for {COMMIT}, quality.predicate.commit",
    )
    # Several of each: one pair that agrees is enough, wherever it stands.
    pile = [run(1, commit="a"), run(2, commit="b"), check(commit="c"), check(commit="b"), scan()]
    for order in itertools.permutations(pile):
        assert assess(TWO, *order).accepted
    refused(assess(TWO, *pile[:3], *pile[4:]))


def test_what_is_selected_is_told_and_no_other() -> None:
    report = assess(TWO, run(1, commit="a"), run(2, commit="b"), check(commit="b"), check(commit="c"), scan())
    assert report.graph is not None
    (node,) = [n for n in report.graph.nodes if n.kind == "run"]
    assert node.name == "2"
    assert report.to_dict()["evidence"]["used"] == sorted({c.statement.digest for c in report.claims})
    assert len(report.claims) == 3


@pytest.mark.parametrize(
    ("one", "other", "good"),
    [
        (1, 1, True),
        ({"a": [1, True]}, {"a": [1, True]}, True),
        ({"a": 1, "b": None}, {"a": 1, "c": ""}, True),  # what is unset is as if it were not there
        ([1, 2], [2, 1], False),
        (True, 1, False),
        (False, 0, False),
        (1, "1", False),
        (1, 1.0, False),
        (1.0, 1.5, False),
        (1.50, 1.5, True),
        ("é", "e\u0301", False),
        ([None], [""], False),
    ],
)
def test_values_are_compared_by_type(one: Any, other: Any, good: bool) -> None:
    report = assess(TWO, run(commit=one), check(commit=other), scan())
    assert report.accepted if good else report.cause is not None and report.cause.code == "policy.same"


@pytest.mark.parametrize("nothing", [{}, {"commit": None}, {"commit": ""}, {"commit": []}, {"commit": {}}])
def test_what_is_not_there_equals_nothing(nothing: dict[str, Any]) -> None:
    refused(assess(TWO, run(**nothing), check(**nothing), scan()), found=f"nothing at {COMMIT}", wanted="a value")
    refused(assess(TWO, run(commit="a"), check(**nothing), scan()), found="nothing at quality.predicate.commit")
    # Also where a path leads through something else than an object.
    refused(assess(policy((f"{COMMIT}.id", "quality.predicate.commit")), run(commit="a"), check(commit="a"), scan()))


def test_every_statement_of_a_threshold_counts() -> None:
    rule = policy((COMMIT, "quality.predicate.commit"), threshold=2)
    enough = [run(commit="a"), check("qa-a", commit="a"), check("qa-b", commit="a"), scan()]
    assert assess(rule, *enough).accepted
    # Two distinct signers are there, but not with one value.
    refused(assess(rule, run(commit="a"), check("qa-a", commit="a"), check("qa-b", commit="b"), scan()))
    # One signer who says both does not make two of them.
    pile = [run(commit="a"), check("qa-a", commit="a"), check("qa-a", commit="a", n=2), check("qa-b", commit="b")]
    refused(assess(rule, *pile, scan()))
    assert assess(rule, *pile, check("qa-c", commit="a"), scan()).accepted


def test_a_threshold_alone_may_be_asked_to_agree() -> None:
    rule = policy(("quality.predicate.dataset",), threshold=2)
    assert assess(rule, run(), check("qa-a", dataset="x"), check("qa-b", dataset="x"), scan()).accepted
    refused(assess(rule, run(), check("qa-a", dataset="x"), check("qa-b", dataset="y"), scan()))


def test_several_groups_hang_together() -> None:
    # run and quality agree on the commit, quality and scan on the day: the check in the middle must be one and same.
    rule = policy((COMMIT, "quality.predicate.commit"), ("quality.predicate.day", "scan.predicate.day"))
    pile = [run(commit="a"), check(commit="a", day=1), check(commit="b", day=2), scan(day=2)]
    refused(assess(rule, *pile))
    assert assess(rule, *pile, scan(day=1)).accepted
    assert assess(rule, *pile, run(1, commit="b")).accepted


def test_two_values_of_one_statement() -> None:
    rule = policy(("quality.predicate.before", "quality.predicate.after"))
    assert assess(rule, run(), check(before=1, after=1), scan()).accepted
    refused(
        assess(rule, run(), check(before=1, after=2), scan()),
        found="another value at quality.predicate.after",
        wanted="the same as at quality.predicate.before",
    )


def test_the_subject_is_the_one_about_the_thing() -> None:
    rule = policy(("quality.subject.annotations.tag", "scan.subject.annotations.tag"))
    assert assess(rule, run(), check(tag="v1"), scan(tag="v1")).accepted
    refused(assess(rule, run(), check(tag="v1"), scan(tag="v2")))
    # Another subject that says what is wanted is not what the statement says of this thing.
    own = {"name": "m", "digest": MODEL.digests.to_dict(), "annotations": {"tag": "v2"}}
    other = {"name": "n", "digest": {"sha256": "00" * 32}, "annotations": {"tag": "v1"}}
    both = seal(statement([other, own], SCANNED, {}), signer("scanner"))
    refused(assess(rule, run(), check(tag="v1"), both))


def test_an_untrusted_statement_that_agrees_is_none() -> None:
    stranger = about(CHECKED, "scanner", {"commit": "a"})
    refused(assess(TWO, run(commit="a"), check(commit="b"), stranger, scan()))


# --- how long it may take --------------------------------------------------------------------------------------------


def test_honest_evidence_is_quick_however_much_there_is() -> None:
    # A nightly build that gives the same bytes, checked every night: each says its own commit. Only one pair agrees.
    rows = 4000
    tables = [
        Table(columns=(0, 1), rows={(n, n % 7): n for n in range(rows)}),
        Table(columns=(1, 2), rows={(n % 7, n): n for n in range(rows)}),
        Table(columns=(2, 0), rows={(n + rows - 1, n + rows - 1): n for n in range(rows)}),
    ]
    start = time.process_time()
    assert joined(tables, Budget(Limits(), "steps")) == [rows - 1, rows - 1, 0]
    assert time.process_time() - start < 2


def test_a_chain_of_groups_is_never_gone_through_twice() -> None:
    # Every value leads on to every other, but for the last step: found out before anything is tried.
    every: dict[tuple[Hashable, ...], int] = dict.fromkeys(itertools.product(range(12), repeat=2), 0)
    tables = [Table(columns=(n, n + 1), rows=every) for n in range(8)]
    last: Table[int] = Table(columns=(8, 9), rows={(n, n): 0 for n in range(12, 24)})
    budget = Budget(Limits(), "steps")
    assert joined([*tables, last], budget) is None
    assert joined([*tables, Table(columns=(8,), rows={(3,): 0})], budget) is not None
    assert budget.spent < 60 * len(tables) * len(every)


def test_many_tables_need_no_stack() -> None:
    tables = [Table(columns=(n, n + 1), rows={(0, 0): n}) for n in range(2000)]
    assert joined(tables, Budget(Limits(), "steps")) == [*range(2000)]


def test_a_choice_that_leads_nowhere_is_taken_back() -> None:
    tables: list[Table[str]] = [
        Table(columns=(0, 1), rows={(0, 0): "r0", (1, 1): "r1"}),
        Table(columns=(1, 2), rows={(0, 1): "s0", (1, 1): "s1", (1, 2): "s2"}),
        Table(columns=(2, 0), rows={(1, 1): "t0", (2, 0): "t1"}),
    ]
    assert joined(tables, Budget(Limits(), "steps")) == ["r1", "s1", "t0"]


def triangles(size: int) -> list[Table[int]]:
    """Every two tables agree in every row, and all three never do, until everything was tried."""
    pairs = list(itertools.product(range(size), repeat=2))
    odd: dict[tuple[Hashable, ...], int] = {(a, b): 0 for a, b in pairs if (a + b) % 2}
    return [Table(columns=(0, 1), rows=odd), Table(columns=(1, 2), rows=odd), Table(columns=(2, 0), rows=odd)]


def test_a_hostile_pile_ends_in_a_limit() -> None:
    assert joined(triangles(6), Budget(Limits(), "steps")) is None
    with pytest.raises(LimitError) as caught:
        joined(triangles(60), Budget(Limits(steps=20_000), "steps"))
    assert (caught.value.code, caught.value.wanted) == ("limit", "at most 20000 (steps)")
    assert caught.value.where == "same"


def test_a_limit_is_undecided_and_no_yes() -> None:
    pile = [run(n, commit=n) for n in range(20)] + [check(commit=n + 19, n=n) for n in range(20)]
    assert assess(TWO, *pile, scan()).accepted
    report = assess(TWO, *pile, scan(), limits=Limits(steps=60))
    assert report.verdict == "undecided"
    assert report.findings[0].code == "limit"


# --- the join itself, against trying everything ----------------------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> list[Table[int]]:
    found = []
    for _ in range(draw(st.integers(1, 4))):
        columns = tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)))
        values = st.tuples(*(st.integers(0, 2) for _ in columns))
        rows = draw(st.lists(values, max_size=6, unique=True))
        found.append(Table(columns=columns, rows={row: number for number, row in enumerate(rows)}))
    return found


def agreeing(chosen: Sequence[tuple[Table[int], tuple[Any, ...]]]) -> bool:
    values: dict[int, Any] = {}
    return all(
        values.setdefault(column, value) == value
        for table, row in chosen
        for column, value in zip(table.columns, row, strict=True)
    )


def brute(several: Sequence[Table[int]], suits: Callable[..., bool]) -> bool:
    rows = [[(table, row) for row in table.rows] for table in several]
    return any(suits(chosen) for chosen in itertools.product(*rows))


@settings(max_examples=400, deadline=None)
@given(several=tables())
def test_the_join_agrees_with_trying_everything(several: list[Table[int]]) -> None:
    before = [(table.columns, dict(table.rows)) for table in several]
    found = joined(several, Budget(Limits(), "steps"))
    assert (found is not None) is brute(several, agreeing)
    if found is not None:
        by_number = [{number: row for row, number in table.rows.items()} for table in several]
        assert agreeing([(t, rows[n]) for t, rows, n in zip(several, by_number, found, strict=True)])
    assert [(table.columns, table.rows) for table in several] == before
