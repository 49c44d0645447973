"""Is a chain easy to walk, and told where it breaks?"""

import copy
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from glasswing_attest import Report
from glasswing_attest.chain.graph import Edge, Graph, Node, State
from glasswing_attest.errors import UsageError
from glasswing_attest.findings import Finding, Tier
from tests.chains import honest, policy_of, run_record, tree, used


def node(identity: str, *findings: Finding, kind: str = "dataset") -> Node:
    state = State.FAILED if findings else State.VERIFIED
    return Node(identity=identity, kind=kind, name=identity, digests=(), state=state, findings=findings)


def graph(*nodes: Node, edges: str) -> Graph:
    """`edges` is "a-b b-c": b went into a, c into b."""
    pairs = [pair.split("-") for pair in edges.split()]
    return Graph(
        root=nodes[0].identity, nodes=nodes, edges=tuple(Edge(child=c, parent=p, role="dataset") for c, p in pairs)
    )


def finding(subject: str) -> Finding:
    return Finding(code="chain.no-attestation", tier=Tier.CONTRAINDICATED, subject=subject, wanted="one")


def names(nodes: tuple[Node, ...]) -> list[str]:
    return [each.identity for each in nodes]


def test_a_graph_is_walked_in_both_directions() -> None:
    found = graph(node("a"), node("b"), node("c"), node("d"), edges="a-b a-c b-d c-d")
    assert [(role, each.identity) for role, each in found.parents("a")] == [("dataset", "b"), ("dataset", "c")]
    assert [(role, each.identity) for role, each in found.children("d")] == [("dataset", "b"), ("dataset", "c")]
    assert [edge.parent for edge in found.inputs("b")] == ["d"]
    assert [edge.child for edge in found.uses("b")] == ["a"]
    assert (found.parents("d"), found.children("a")) == ((), ())
    assert found.node("c").identity == "c"
    assert names(found.path("d")) == ["a", "b", "d"]
    assert names(found.path("a")) == ["a"]


def test_to_have_asked_changes_nothing_of_a_graph() -> None:
    found, same = (graph(node("a"), node("b"), edges="a-b") for _ in range(2))
    before = repr(found), hash(found)
    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(lambda _: (found.inputs("a"), found.uses("b")), range(64)))
    assert set(answers) == {(found.edges, found.edges)}
    assert found == same
    assert (repr(found), hash(found)) == before
    for copied in (pickle.loads(pickle.dumps(found)), replace(found), copy.deepcopy(found)):
        assert copied == found
        assert copied.inputs("a") == found.edges
    other = replace(found, edges=())
    assert other.inputs("a") == ()


def test_what_is_not_there_is_said_to_be_not_there() -> None:
    found = graph(node("a"), node("b"), node("lonely"), edges="a-b")
    for call, told in ((found.node, "x"), (found.path, "x"), (found.path, "lonely")):
        with pytest.raises(UsageError) as caught:
            call(told)
        assert (caught.value.code, caught.value.where, caught.value.found) == ("usage", "graph", told)


def test_it_breaks_where_the_finding_was_made_and_not_above() -> None:
    gone, other = finding("c"), finding("d")
    found = graph(
        node("a", gone),
        node("r", kind="run"),
        node("b", gone),
        node("c", gone),
        node("d", other),
        edges="a-r r-b b-c b-d",
    )
    assert names(found.breaks()) == ["c", "d"]
    assert names(found.trace(gone)) == ["a", "r", "b", "c"]
    assert names(found.trace(other)) == ["a", "r", "b", "d"]
    assert found.trace(finding("nobody")) == ()


def test_around_a_cycle_it_breaks_where_the_root_meets_it() -> None:
    around = finding("b")
    found = graph(node("a", around), node("b", around), edges="a-b b-a")
    assert names(found.breaks()) == ["a"]
    assert names(found.trace(around)) == ["a"]


def test_questions_about_ten_thousand_nodes_are_answered_at_once() -> None:
    gone = finding("n9999")
    nodes = [node(f"n{number}", gone) for number in range(10_000)]
    long = graph(*nodes, edges=" ".join(f"n{number}-n{number + 1}" for number in range(9_999)))
    started = time.perf_counter()
    assert len(long.trace(gone)) == 10_000
    assert all(len(long.parents(each.identity)) <= 1 for each in long.nodes)
    assert all(long.node(each.identity) is each for each in long.nodes)
    # Most of it in the world's slowest second: what is quadratic takes minutes.
    assert time.perf_counter() - started < 5


# --- edges of real chains --------------------------------------------------------------------------------------------


def edges_of(report: Report) -> dict[tuple[str, str], tuple[str, tuple[str, ...]]]:
    assert report.graph is not None
    kinds = {each.identity: each.kind for each in report.graph.nodes}
    return {
        (kinds[edge.child], kinds[edge.parent]): (edge.state.value, tuple(f.code for f in edge.findings))
        for edge in report.graph.edges
    }


def test_an_edge_has_the_state_of_what_went_in() -> None:
    chain = honest()
    assert {state for state, _ in edges_of(chain.assess()).values()} == {"verified"}
    cut = policy_of(lambda p: p["nodes"].update(code={"trim": {"reason": "x"}}))
    told = edges_of(chain.assess([chain.run], policy=cut))
    assert told == {
        ("model", "run"): ("failed", ()),
        ("run", "dataset"): ("missing", ()),
        ("run", "code"): ("trimmed", ()),
        ("run", "builder"): ("verified", ()),
    }


def test_the_way_to_the_cause_leads_through_the_run() -> None:
    chain = honest()
    report = chain.assess([chain.run, chain.source])
    assert report.graph is not None
    assert report.cause is not None
    assert [each.kind for each in report.graph.trace(report.cause)] == ["model", "run", "dataset"]
    assert [each.kind for each in report.graph.breaks()] == ["dataset"]


def test_each_of_several_breaks_is_told() -> None:
    chain = honest()
    second = tree("dataset", {"b": b"2"}, "second")
    run = run_record(chain.model, used(chain.data, "dataset"), used(second, "dataset"), used(chain.code, "code"))
    report = chain.assess([run])
    assert report.graph is not None
    assert [each.name for each in report.graph.breaks()] == ["penguins", "second", "code"]
