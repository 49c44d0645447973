"""Do the protobuf definitions of in-toto read what we write?

The `in-toto-attestation` package carries the messages that the in-toto project generates from its own definitions.
Their JSON reader refuses names that it does not know and values of another type, so it is a second opinion on our
spelling. It rounds numbers (its predicates are `Struct`), so what it read is not compared in numbers.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from glasswing_attest import Verifier
from glasswing_attest._wire import canonical_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.statement.predicates.link import Link
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.predicates.scai import AttributeAssertion, AttributeReport
from glasswing_attest.statement.predicates.summary import VerificationSummary
from glasswing_attest.statement.predicates.test_result import SuiteResult
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from tests.chains import honest

THING = ResourceDescriptor(
    name="data",
    uri="https://example.com/data.csv",
    digest=DigestSet.of(sha256="ab" * 32),
    content=b"a few bytes",
    download_location="https://mirror.example/data.csv",
    media_type="text/csv",
    annotations={"role": "dataset", "weight": "3"},
)
THEN = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)


def message(module: str, name: str) -> Message:
    """A message of the package, by the module that holds it."""
    found: Message = getattr(import_module(f"in_toto_attestation.{module}"), name)()
    return found


def everything() -> Iterator[Any]:
    yield pytest.param(
        "predicates.provenance.v1.provenance_pb2",
        "Provenance",
        Provenance(
            build_type="https://example.com/train/v1",
            builder_id="https://ci.example/trainer",
            external_parameters={"seed": "9007199254740993", "nested": {"list": [1, True, None]}},
            internal_parameters={"host": "é"},
            resolved_dependencies=(THING,),
            builder_version={"trainer": "1.2"},
            builder_dependencies=(THING,),
            invocation_id="urn:uuid:1",
            started_on=THEN,
            finished_on=THEN,
            byproducts=(THING,),
        ),
        id="provenance",
    )
    yield pytest.param(
        "predicates.vsa.v1.vsa_pb2",
        "VerificationSummary",
        VerificationSummary(
            verifier_id="https://verifier.example",
            resource_uri="git+https://example.com/r",
            result="PASSED",
            levels=("SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_2"),
            time_verified=THEN,
            policy=ResourceDescriptor(uri="https://verifier.example/policy", digest=DigestSet.of(sha256="cd" * 32)),
            input_attestations=(ResourceDescriptor(uri=THING.uri, digest=THING.digest),),
            dependency_levels={"SLSA_BUILD_LEVEL_1": 3},
            slsa_version="1.2",
        ),
        id="verification summary",
    )
    yield pytest.param(
        "predicates.link.v0.link_pb2",
        "Link",
        Link(
            name="train",
            command=("python", "train.py"),
            materials=(THING,),
            byproducts={"return-value": "0"},
            environment={"é": "x"},
        ),
        id="link",
    )
    yield pytest.param(
        "predicates.scai.v0.scai_pb2",
        "AttributeReport",
        AttributeReport(
            attributes=(AttributeAssertion(attribute="A", target=THING, conditions={"x": "y"}, evidence=THING),),
            producer=THING,
        ),
        id="scai",
    )
    yield pytest.param(
        "predicates.test_result.v0.test_result_pb2",
        "TestResult",
        SuiteResult(
            result="WARNED",
            configuration=(THING,),
            url="https://ci.example/1",
            passed=("a",),
            warned=("b",),
        ),
        id="test result",
    )


@pytest.mark.parametrize(("module", "name", "predicate"), list(everything()))
def test_the_definitions_of_in_toto_read_our_predicate(module: str, name: str, predicate: Any) -> None:
    told = predicate.to_predicate()
    if name == "VerificationSummary":
        # Their message of this release holds a single level, where the specification has a list.
        assert told.pop("verifiedLevels") == list(predicate.levels)
    written = canonical_json(told)
    read = json_format.Parse(written, message(module, name))
    # Nothing of it fell away, and what we read of their JSON is what we said.
    again = json_format.MessageToJson(read).encode()
    assert read_json(again).object().keys() == read_json(written).object().keys()
    assert type(predicate).from_predicate(read_json(canonical_json(predicate.to_predicate()))) == predicate


def test_the_definitions_of_in_toto_read_the_summary_of_a_report() -> None:
    chain = honest()
    report = Verifier(policy=chain.policy, trust=chain.trust).assess(chain.model, chain.evidence)
    made = report.summary(verifier="https://verifier.example", resource="https://models.example/m")
    told: dict[str, Any] = made.to_predicate()
    # Their message of this release holds a single level, and knows no versions of a verifier.
    assert told.pop("verifiedLevels") == ["SLSA_BUILD_LEVEL_1"]
    assert told["verifier"].pop("version") == {"glasswing-attest": report.version}
    read = json_format.Parse(canonical_json(told), message("predicates.vsa.v1.vsa_pb2", "VerificationSummary"))
    back = json_format.MessageToDict(read)
    counts = back.pop("dependencyLevels")
    assert {level: int(count) for level, count in counts.items()} == told.pop("dependencyLevels")
    assert back == told


def test_the_definitions_of_in_toto_read_our_statement() -> None:
    made = Statement.make([THING], "https://example.com/t/v1", {"ok": True})
    read = json_format.Parse(made.payload, message("v1.statement_pb2", "Statement"))
    assert json_format.MessageToDict(read)["subject"][0]["digest"] == {"sha256": "ab" * 32}
    assert json_format.MessageToDict(read)["_type"] == "https://in-toto.io/Statement/v1"


def test_a_name_that_in_toto_does_not_know_is_noticed() -> None:
    # That the check can fail.
    told = Provenance(build_type="https://example.com/train/v1", builder_id="https://b.example").to_predicate()
    told["runDetail"] = {}
    with pytest.raises(json_format.ParseError, match="runDetail"):
        json_format.Parse(canonical_json(told), message("predicates.provenance.v1.provenance_pb2", "Provenance"))
