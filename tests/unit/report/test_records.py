"""Which records does an accepted chain rest on, and what are they about?  docs: report, `records`."""

import pytest

from glasswing_attest import CodeRecord, DataRecord, attest
from glasswing_attest.errors import UsageError
from glasswing_attest.statement.predicates.provenance import Provenance
from tests.chains import code_record, data_record, honest, run_record, signer, tree, used

CHAIN = honest()
OTHER = tree("dataset", {"others.csv": b"4,5\n"}, "others")
REPORT = CHAIN.assess(
    [
        run_record(CHAIN.model, used(CHAIN.data, "dataset"), used(OTHER, "dataset"), used(CHAIN.code, "code")),
        data_record(CHAIN.data),
        data_record(OTHER, name="others"),
        code_record(CHAIN.code),
    ]
)


def identity(name: str) -> str:
    assert REPORT.graph is not None
    (found,) = [node.identity for node in REPORT.graph.nodes if node.name == name]
    return found


def test_all_of_a_kind_and_those_about_one_thing() -> None:
    assert REPORT.accepted
    assert {record.name for record in REPORT.records(DataRecord)} == {"penguins", "others"}
    for name in ("penguins", "others"):
        (record,) = REPORT.records(DataRecord, about=identity(name))
        assert record.name == name
    assert REPORT.records(CodeRecord, about=identity("penguins")) == ()


def test_a_node_says_what_it_is_about() -> None:
    graph = REPORT.graph
    assert graph is not None
    (run,) = [node for node in graph.nodes if node.kind == "run"]
    (builder,) = [node for node in graph.nodes if node.kind == "builder"]
    model = graph.node(graph.root)
    # What made a thing is about the thing; a builder is its signer's word, and has none of its own.
    assert REPORT.records(Provenance, about=run) == REPORT.records(Provenance, about=model) != ()
    assert REPORT.records(DataRecord, about=model) == ()
    assert REPORT.records(object, about=builder) == ()


def test_one_statement_about_two_things_is_about_both() -> None:
    both = attest([CHAIN.data, OTHER], DataRecord(name="both"), signer=signer("data-team"))
    run = run_record(CHAIN.model, used(CHAIN.data, "dataset"), used(OTHER, "dataset"), used(CHAIN.code, "code"))
    report = CHAIN.assess([run, both, CHAIN.source])
    assert report.graph is not None
    datasets = [node for node in report.graph.nodes if node.kind == "dataset"]
    assert [report.records(DataRecord, about=node)[0].name for node in datasets] == ["both", "both"]
    assert len(report.records(DataRecord)) == 1


def test_of_what_is_not_accepted_there_is_nothing() -> None:
    refused = CHAIN.assess([CHAIN.run, CHAIN.record])
    assert refused.graph is not None
    for node in refused.graph.nodes:
        assert refused.records(object, about=node) == ()


def test_there_must_be_such_a_node() -> None:
    with pytest.raises(UsageError) as caught:
        REPORT.records(DataRecord, about="dataset sha256:00")
    assert (caught.value.code, caught.value.where, caught.value.found) == ("usage", "graph", "dataset sha256:00")
