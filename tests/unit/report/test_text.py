"""Is a chain of any size read, and nothing of it lost without a word?"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings

from glasswing_attest import DataRecord
from glasswing_attest.report import html
from glasswing_attest.report.outline import Fold, outline
from glasswing_attest.report.text import problems, render
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.chains import code_record, data_record, honest, policy_of, run_record, tree, used
from tests.unit.report.graphs import HOSTILE, chain, filled, full, graphs, node, report

QUICK = settings(deadline=None, max_examples=60)


def tree_of(graph: Mapping[str, Any], **more: Any) -> list[str]:
    """The lines of the tree alone."""
    text = render(report(graph), **more)
    return text.split("\n\n")[1].splitlines()


# --- what is folded is counted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 7, 1000, None])
@QUICK
@given(graph=graphs())
def test_every_node_is_shown_or_counted_by_state_and_kind(most: int | None, graph: dict[str, Any]) -> None:
    drawn = outline(graph, most=most)
    shown = set(drawn.branches)
    folds = [branch for branches in drawn.branches.values() for branch in branches if isinstance(branch, Fold)]
    members = {identity for fold in folds for identity in fold.members}
    counted = Counter({(state, kind): 0 for fold in folds for state, kind, _ in fold.below})
    for fold in folds:
        counted.update({(state, kind): count for state, kind, count in fold.below})
    rest = [each for each in graph["nodes"] if each["identity"] not in shown | members]
    assert not shown & members
    assert counted == Counter((each["state"], each["kind"]) for each in rest)
    assert len(shown) <= (most or len(graph["nodes"]))
    if most is None:
        assert not folds
        assert drawn.hidden == 0


@QUICK
@given(graph=graphs())
def test_a_fold_says_how_each_of_it_is(graph: dict[str, Any]) -> None:
    drawn = outline(graph, most=5)
    states = {(edge["child"], edge["parent"]): edge["state"] for edge in graph["edges"]}
    for child, branches in drawn.branches.items():
        for fold in (branch for branch in branches if isinstance(branch, Fold)):
            assert {states[child, identity] for identity in fold.members} == {fold.state}
            assert {drawn.nodes[identity]["kind"] for identity in fold.members} == {fold.kind}
            assert str(fold).startswith(f"{len(fold.members)} of kind {fold.kind}, each ")


@QUICK
@given(graph=graphs())
def test_each_node_is_told_once_and_then_pointed_to(graph: dict[str, Any]) -> None:
    lines = tree_of(graph, nodes=None)
    full_lines = [line for line in lines if not line.endswith("(shown above)")]
    inputs = {edge["child"] for edge in graph["edges"]}
    for each in graph["nodes"]:
        told = [line for line in full_lines if re.search(rf" {each['identity']}(  |$)", line)]
        assert len(told) == 1 if each["identity"] in inputs else len(told) >= 1


def test_what_is_broken_is_shown_before_what_stands() -> None:
    nodes = [node("a", kind="model", state="failed"), *(node(f"v{number}") for number in range(5))]
    nodes += [node(f"b{number}", state="missing", kind="code") for number in range(3)]
    edges = [("a", each["identity"]) for each in nodes[1:]]
    lines = tree_of(chain(nodes, edges), nodes=4)
    assert [line.strip("├└─ ") for line in lines] == [
        "✗ model a  [not accepted: see below]",
        "✓ 5 of kind dataset, each verified: v0, v1, v2, …",
        "? code b0  [not attested]",
        "? code b1  [not attested]",
        "? code b2  [not attested]",
    ]


def test_of_many_that_are_not_accepted_some_are_shown_with_what_breaks_them() -> None:
    nodes = [node("a", kind="model", state="failed")]
    edges = []
    for number in range(20):
        nodes += [node(f"f{number}", state="failed"), node(f"m{number}", kind="code", state="missing")]
        edges += [("a", f"f{number}"), (f"f{number}", f"m{number}")]
    lines = tree_of(chain(nodes, edges, trace=["a", "f9", "m9"]))
    assert sum("✗ dataset f" in line for line in lines) == 3
    assert "✗ dataset f9  [not accepted: see below]" in "\n".join(lines)
    assert "? code m9  [not attested]" in "\n".join(lines)
    folded = "├─ ✗ 17 of kind dataset, each not accepted: see below: f2, f3, f4, …; below them: 17 code missing"
    assert folded in lines


def wide(breadth: int, depth: int, broken: bool) -> dict[str, Any]:
    """A tree of so many siblings, so deep; the last one of it may be missing."""
    nodes, edges, level = [node("a", kind="model", state="failed" if broken else "verified")], [], ["a"]
    for _ in range(depth):
        following = []
        for child in level:
            for _ in range(breadth):
                identity = f"n{len(nodes)}"
                nodes.append(node(identity))
                edges.append((child, identity))
                following.append(identity)
        level = following
    if broken:
        gone = nodes[-1]["identity"]
        nodes[-1] = node(gone, state="missing")
        way, parents = [gone], {parent: child for child, parent in edges}
        while way[-1] in parents:
            way.append(parents[way[-1]])
        above = set(way[1:])
        for number, each in enumerate(nodes):
            if each["identity"] in above:
                nodes[number] = node(each["identity"], kind=each["kind"], state="failed")
        return chain(nodes, edges, breaks=[gone], trace=way[::-1])
    return chain(nodes, edges)


@pytest.mark.parametrize(("breadth", "depth"), [(10_000, 1), (100, 2), (21, 3), (2, 12), (1, 10_000)])
@pytest.mark.parametrize("broken", [False, True])
def test_ten_thousand_nodes_are_told_in_what_a_person_reads(breadth: int, depth: int, broken: bool) -> None:
    graph = wide(breadth, depth, broken)
    assert len(graph["nodes"]) > 8_000
    lines = tree_of(graph)
    assert len(lines) <= 420
    assert max(map(len, lines)) < 300
    hidden = sum(int(number) for number in re.findall(r"(\d+) (?:of kind )?dataset\b", "\n".join(lines)))
    shown = sum(bool(re.search(r"[✓✗?] (dataset|model) ", line)) for line in lines)
    assert hidden + shown == len(graph["nodes"])
    if broken and depth < 100:
        assert f"? dataset {graph['breaks'][0]}  [not attested]" in "\n".join(lines)
    assert len(tree_of(graph, nodes=None)) == len(graph["nodes"])


def test_where_it_breaks_is_told_of_a_chain_too_deep_to_be_shown() -> None:
    graph = wide(1, 1_000, True)
    told = "    where:  model a ← dataset n1 ← dataset n2 ← dataset n3 ← … 993 more … ← dataset n997 ← dataset n998 ← "
    assert f"{told}dataset n999 ← dataset n1000\n" in render(report(graph))
    assert "where:" not in render(report(graph), nodes=None)
    assert "where:" not in render(report(wide(1, 10, True)))


# --- what else is wrong ----------------------------------------------------------------------------------------------


def test_all_that_breaks_is_told_at_once() -> None:
    told = honest()
    second = tree("dataset", {"b": b"2"}, "second")
    run = run_record(told.model, used(told.data, "dataset"), used(second, "dataset"), used(told.code, "code"))
    text = told.assess([run]).to_text()
    assert re.findall(r"^\[problem\] (.*)$", text, re.MULTILINE) == [
        "dataset penguins: chain.no-attestation",
        "code code: chain.no-attestation",
    ]
    assert "    also:   1 alike: dataset second\n" in text
    # A cause is no problem twice.
    assert told.assess([run, data_record(second), code_record(told.code)]).to_text().count("[problem]") == 1


def test_two_things_of_one_name_are_two_problems() -> None:
    told = honest()
    same = tree("dataset", {"b": b"2"}, told.data.name)
    run = run_record(told.model, used(told.data, "dataset"), used(same, "dataset"), used(told.code, "code"))
    report_ = told.assess([run, told.source])
    (group, *_) = problems(report_.to_dict())
    assert [each["subject"] for each in group] == ["dataset penguins"] * 2
    assert group[0]["found"] != group[1]["found"]


def test_many_problems_have_an_end() -> None:
    nodes = [node("a", kind="model", state="failed")]
    nodes += [node(f"n{number}", state="missing") for number in range(100)]
    for number, each in enumerate(nodes[1:]):
        each["findings"][0] |= {"wanted": f"number {number}"}
    text = render(report(chain(nodes, [("a", each["identity"]) for each in nodes[1:]])))
    assert text.count("\n[problem]") == 20
    assert "\n81 further findings: 81 chain.no-attestation\n" in text


def test_many_items_that_prove_nothing_have_an_end() -> None:
    junk = [f"junk {number}".encode() for number in range(60)]
    text = honest().assess([*honest().evidence, *junk]).to_text()
    told = text.partition("\n60 of 63 items of the evidence prove nothing:\n")[2].splitlines()
    assert len(told) == 21
    assert told[-1] == "  and 40 more: 40 malformed.json"


def test_a_cut_says_why() -> None:
    told = honest()
    until = {"reason": "reviewed elsewhere", "until": "2099-01-01T00:00:00Z"}
    report_ = told.assess(policy=policy_of(lambda p: p["nodes"].update(code={"trim": until})))
    line = next(line for line in report_.to_text().splitlines() if "✂" in line)
    assert line.endswith("  [cut away by the policy (reviewed elsewhere, until 2099-01-01T00:00:00Z)]")


# --- hostile names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_evidence_reaches_a_terminal_as_it_is(text: str) -> None:
    told = render(filled(full(), text))
    assert all(c.isprintable() or c == "\n" for c in told)
    assert max(map(len, told.splitlines())) < 3_000
    told.encode()


def test_an_unknown_digest_algorithm_is_text_too() -> None:
    told = honest()
    evil = ResourceDescriptor(name="d", digest=told.data.digests, annotations={"role": "dataset"})
    digests = type(told.data.digests).of({**evil.digest.to_dict(), "\x1b[2J": "x"})
    run = run_record(
        told.model, used(told.code, "code"), ResourceDescriptor(name="d", digest=digests, annotations=evil.annotations)
    )
    report_ = told.assess([run, told.source, told.record])
    assert report_.accepted
    assert report_.records(DataRecord)
    assert all(c.isprintable() or c == "\n" for c in report_.to_text())
    assert "\\x1b[2J:x" in report_.to_text()


def test_what_only_looks_like_what_is_wanted_is_told_apart() -> None:
    finding = {
        "code": "policy.expect",
        "tier": "contraindicated",
        "subject": "model m",
        "found": "https://ci.ex\N{CYRILLIC SMALL LETTER A}mple",
        "wanted": "https://ci.example",
    }
    told = report(None, findings=[finding])
    assert "found:  'https://ci.ex\\u0430mple'\n" in render(told)
    assert "&#x27;https://ci.ex\\u0430mple&#x27;" in html.render(told)
