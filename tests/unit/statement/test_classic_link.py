"""Is a classic link read as the statement that it is?"""

import json
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from glasswing_attest._wire import Node, read_json
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import DigestRefused, FieldMissing, FieldRefused, GlasswingError, LimitError
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.classic_link import LINK_V1, ClassicLink
from glasswing_attest.statement.statement import Statement
from tests.layouts import digest, envelope, link, things

MADE = link("pack", command=["tar", "c"], materials=things(b="b", a="a"), products=things(out="o"))


def parsed(**members: Any) -> Statement:
    return Statement.parse_unverified(json.dumps({**MADE, **members}).encode())


def test_products_are_the_subject_and_the_rest_is_the_predicate() -> None:
    statement = parsed(vendor={"x": 1})
    assert (statement.type, statement.predicate_type) == ("link", LINK_V1)
    assert [(s.name, s.digest.to_dict()) for s in statement.subjects] == [("out", digest("o"))]
    assert set(statement.predicate) == {"name", "command", "materials", "byproducts", "environment", "vendor"}
    told = ClassicLink.from_predicate(statement.predicate_node)
    assert (told.name, told.command) == ("pack", ("tar", "c"))
    assert [m.name for m in told.materials] == ["a", "b"]  # in order, whatever order they came in


def test_a_statement_of_that_type_is_read_by_the_same_reader() -> None:
    predicate = {name: value for name, value in MADE.items() if name not in ("_type", "products")}
    body = {"_type": "https://in-toto.io/Statement/v0.1", "subject": [{"name": "out", "digest": digest("o")}]}
    data = json.dumps({**body, "predicateType": LINK_V1, "predicate": predicate}).encode()
    statement = Statement.parse_unverified(data)
    told = ClassicLink.from_predicate(statement.predicate_node)
    assert told == ClassicLink.from_predicate(parsed().predicate_node)
    assert statement.subjects == parsed().subjects


def test_what_is_written_reads_the_same() -> None:
    told = ClassicLink.from_predicate(read_json(json.dumps(MADE).encode()))
    again = ClassicLink.from_predicate(Node(json.loads(json.dumps(told.to_predicate()))))
    assert again == told
    assert told.predicate_type == LINK_V1


def test_null_and_absent_are_empty() -> None:
    nothing = {"command": None, "materials": None, "byproducts": None, "environment": None}
    told = ClassicLink.from_predicate(parsed(**nothing).predicate_node)
    assert told == ClassicLink(name="pack")
    assert ClassicLink.from_predicate(Node({})) == ClassicLink()


@pytest.mark.parametrize(
    ("members", "error", "where"),
    [
        ({"products": {}}, FieldMissing, "$.products"),
        ({"products": None}, FieldMissing, "$.products"),
        ({"products": {"a b": {}}}, FieldMissing, "$.products['a b']"),
        ({"products": []}, FieldRefused, "$.products"),
        ({"products": {"a": "sha256:00"}}, FieldRefused, "$.products.a"),
        ({"products": {"a": {"sha256": "00"}}}, DigestRefused, "$.products.a.sha256"),
        ({"products": {"a": {"sha256": 0}}}, FieldRefused, "$.products.a.sha256"),
    ],
)
def test_a_link_without_a_named_product_is_no_statement(
    members: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(error) as refused:
        parsed(**members)
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("members", "error", "where"),
    [
        ({"materials": {"a": {}}}, FieldMissing, "$.predicate.materials.a"),
        ({"materials": {"a": {"sha256": "zz"}}}, DigestRefused, "$.predicate.materials.a.sha256"),
        ({"materials": [1]}, FieldRefused, "$.predicate.materials"),
        ({"command": "tar c"}, FieldRefused, "$.predicate.command"),
        ({"command": [1]}, FieldRefused, "$.predicate.command[0]"),
        ({"name": 1}, FieldRefused, "$.predicate.name"),
        ({"environment": []}, FieldRefused, "$.predicate.environment"),
    ],
)
def test_a_predicate_of_another_shape_is_refused(
    members: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(error) as refused:
        ClassicLink.from_predicate(parsed(**members).predicate_node)
    assert refused.value.where == where


def test_products_and_materials_are_bounded() -> None:
    two = json.dumps({**MADE, "products": things(a="a", b="b")}).encode()
    with pytest.raises(LimitError) as refused:
        Statement.parse_unverified(two, limits=Limits(subjects=1))
    assert refused.value.where == "$.products"
    with pytest.raises(LimitError) as bounded:
        ClassicLink.from_predicate(parsed().predicate_node, limits=Limits(dependencies=1))
    assert bounded.value.where == "$.predicate.materials"


def test_a_link_in_an_envelope_needs_no_metablock() -> None:
    told = json.loads(envelope(MADE, CryptoSigner.generate_ed25519()))
    # witness writes more into a signature than DSSE knows of. Nothing of it is read.
    more = {"certificate": "AAAA", "intermediates": ["AAAA"], "timestamps": [{"type": "tsp", "data": "AAAA"}]}
    told["signatures"] = [{**signature, **more} for signature in told["signatures"]]
    attestation = Attestation.parse(json.dumps(told).encode())
    assert (attestation.container, len(attestation.envelope.signatures)) == ("DSSE envelope", 1)
    assert attestation.statement_unverified.predicate_type == LINK_V1
