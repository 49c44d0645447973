"""What follows from a proven statement?"""

import itertools
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from glasswing_attest import Attestation, CodeRecord, DataRecord, ModelRecord, attest
from glasswing_attest.claims import BUILT_IN, Claim, Dependency, PredicateType, read, registry_of
from glasswing_attest.errors import FieldMissing, FieldRefused, GlasswingError, LimitError, MalformedError, UsageError
from glasswing_attest.records import registry
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, Provenance
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.verification.procedure import prove
from tests.chains import BUILDER, NOW, REPOSITORY, Said, bare, honest, signer, used

TYPES = registry_of()


def claim_of(made: Attestation) -> Claim:
    (verified,) = prove(made, honest().trust, claimed_at=NOW)
    return read(verified, TYPES)


def said(kind: str, body: dict[str, Any]) -> Claim:
    return claim_of(attest(honest().model, Said(predicate_type=kind, body=body), signer=signer("trainer")))


def test_provenance_summaries_and_the_records_are_built_in_each_type_once() -> None:
    uris = [kind.uri for kind in BUILT_IN]
    assert {PROVENANCE_V1, SUMMARY_V1, *(r.predicate_type for r in registry)} < set(uris)
    assert len(set(uris)) == len(uris)
    assert {CodeRecord, DataRecord, ModelRecord} <= set(registry)


def test_each_honest_attestation_is_its_type() -> None:
    chain = honest()
    run, record, source = map(claim_of, chain.evidence)
    assert isinstance(run.predicate, Provenance)
    assert isinstance(record.predicate, DataRecord)
    assert isinstance(source.predicate, CodeRecord)
    assert [(d.role, d.kind, d.resource.name) for d in run.dependencies] == [
        ("dataset", "dataset", "penguins"),
        ("code", "code", "code"),
    ]
    assert (record.dependencies, source.dependencies) == ((), ())
    assert (run.scope, record.scope, source.scope) == ("", "", REPOSITORY)


@pytest.mark.parametrize("role", [*ROLES, None, "", "Code", "model"])
def test_an_absent_or_unknown_role_is_kind_dependency(role: str | None) -> None:
    dependency = {
        "buildDefinition": {"buildType": "x:y", "resolvedDependencies": [used(honest().data, role).to_dict()]}
    }
    claim = said(PROVENANCE_V1, {**dependency, "runDetails": {"builder": {"id": BUILDER}}})
    (found,) = claim.dependencies
    assert found.role == (role or "")
    assert found.kind == (role if role in ROLES else "dependency")


def test_only_resolved_dependencies_are_edges() -> None:
    # externalParameters, builderDependencies and byproducts may name things; they are no claim of what went in.
    thing = used(honest().data, "dataset").to_dict()
    body = {
        "buildDefinition": {"buildType": "x:y", "externalParameters": {"d": thing}, "internalParameters": {"d": thing}},
        "runDetails": {"builder": {"id": BUILDER, "builderDependencies": [thing]}, "byproducts": [thing]},
    }
    assert said(PROVENANCE_V1, body).dependencies == ()


def test_an_unknown_type_is_kept_and_draws_no_edges() -> None:
    thing = used(honest().data, "dataset").to_dict()
    claim = said("https://x.example/v1", {"buildDefinition": {"resolvedDependencies": [thing]}, "n": 1.5})
    assert claim.dependencies == ()
    assert isinstance(claim.predicate, dict) is False
    assert str(claim.predicate["n"]) == "1.5"  # type: ignore[index]


def test_a_summary_speaks_for_its_resource() -> None:
    body = {"verifier": {"id": "x:y"}, "resourceUri": "pkg:x/y", "verificationResult": "FAILED"}
    claim = said(SUMMARY_V1, body)
    assert isinstance(claim.predicate, VerificationSummary)
    assert (claim.scope, claim.predicate.levels, claim.dependencies) == ("pkg:x/y", (), ())


RUN: dict[str, Any] = {"buildDefinition": {"buildType": "x:y"}, "runDetails": {"builder": {"id": BUILDER}}}


@pytest.mark.parametrize(
    ("kind", "body", "error", "where"),
    [
        (PROVENANCE_V1, {}, FieldMissing, "$.predicate.buildDefinition"),
        (PROVENANCE_V1, {**RUN, "runDetails": {}}, FieldMissing, "$.predicate.runDetails.builder"),
        (
            PROVENANCE_V1,
            {**RUN, "runDetails": {"builder": {"id": ""}}},
            FieldMissing,
            "$.predicate.runDetails.builder.id",
        ),
        (
            PROVENANCE_V1,
            {**RUN, "runDetails": {"builder": {"id": 1}}},
            FieldRefused,
            "$.predicate.runDetails.builder.id",
        ),
        (
            PROVENANCE_V1,
            {**RUN, "buildDefinition": {"buildType": "x:y", "resolvedDependencies": {}}},
            FieldRefused,
            "$.predicate.buildDefinition.resolvedDependencies",
        ),
        (
            PROVENANCE_V1,
            {**RUN, "buildDefinition": {"buildType": "x:y", "resolvedDependencies": [{"name": "x"}]}},
            FieldMissing,
            "$.predicate.buildDefinition.resolvedDependencies[0]",
        ),
        (
            PROVENANCE_V1,
            {**RUN, "runDetails": {"builder": {"id": "x"}, "metadata": {"startedOn": "2026-01-01"}}},
            FieldRefused,
            "$.predicate.runDetails.metadata.startedOn",
        ),
        (SUMMARY_V1, {}, FieldMissing, "$.predicate.verifier"),
        (DataRecord.predicate_type, {}, GlasswingError, "$.predicate"),
        (DataRecord.predicate_type, {"name": 1}, GlasswingError, "$.predicate"),
    ],
)
def test_a_predicate_that_is_not_its_type(
    kind: str, body: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(error) as caught:
        said(kind, body)
    assert isinstance(caught.value, MalformedError)
    assert caught.value.where.startswith(where)


def test_a_claim_is_known_by_all_that_is_proved() -> None:
    chain = honest()
    claim = claim_of(chain.run)
    again = claim_of(Attestation.parse(bare(chain.run)))
    assert again.key == claim.key
    assert claim.key[:2] == (chain.run.payload_digest, claim.signer.principal)
    assert claim_of(chain.record).key != claim.key


def test_a_claim_needs_a_proof() -> None:
    with pytest.raises((AttributeError, TypeError)):
        read(json.loads(honest().run.envelope.payload), TYPES)
    claim = claim_of(honest().run)
    assert replace(claim).verified is claim.verified


def fails(*_: object) -> Any:
    raise ZeroDivisionError("by nothing")


EARLIEST = datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("reader", "because"),
    [
        ({"parse": fails}, "ZeroDivisionError: by nothing"),
        ({"dependencies": fails}, "ZeroDivisionError: by nothing"),
        ({"dependencies": lambda _: ["a"]}, "TypeError: dependencies gave str, not a Dependency"),
        ({"subjects": lambda *_: [None]}, "TypeError: subjects gave NoneType, not a ResourceDescriptor"),
        ({"scope": lambda _: b"a"}, "TypeError: scope gave bytes, not a text"),
        ({"told_at": lambda _: NOW.replace(tzinfo=None)}, "TypeError: told_at gave datetime.datetime("),
        ({"told_at": lambda _: "today"}, "AttributeError: 'str' object has no attribute 'utcoffset'"),
        ({"told_at": lambda _: EARLIEST}, "OverflowError: date value out of range"),  # of no year in UTC
    ],
)
def test_what_a_reader_fails_on_proves_nothing(reader: dict[str, Any], because: str) -> None:
    parts: dict[str, Any] = {"uri": "https://x.example/v1", "parse": lambda node, _: node.object(), **reader}
    kind = PredicateType(**parts)
    made = attest(honest().model, Said(predicate_type=kind.uri, body={"n": 1}), signer=signer("trainer"))
    (verified,) = prove(made, honest().trust, claimed_at=NOW)
    with pytest.raises(FieldRefused) as caught:
        read(verified, registry_of([kind]))
    assert (caught.value.code, caught.value.where) == ("malformed.field", "$.predicate")
    assert f"the reader of https://x.example/v1 failed: {because}" in caught.value.because


def test_what_a_reader_draws_without_end_is_counted() -> None:
    one = Dependency(role="code", resource=used(honest().data, "code"))
    made = attest(honest().model, Said(predicate_type="https://x.example/v1", body={"n": 1}), signer=signer("trainer"))
    (verified,) = prove(made, honest().trust, claimed_at=NOW)
    for name, drawn in (("dependencies", one), ("subjects", one.resource)):
        reader: dict[str, Any] = {name: lambda *_, drawn=drawn: itertools.repeat(drawn)}
        kind = PredicateType(uri="https://x.example/v1", parse=lambda node, _: node.object(), **reader)
        with pytest.raises(LimitError) as caught:
            read(verified, registry_of([kind]))
        assert (caught.value.code, caught.value.where) == ("limit", "$.predicate")


def test_types_are_unique() -> None:
    more = PredicateType(uri="https://x.example/v1", parse=lambda node, _: None)
    assert registry_of([more])["https://x.example/v1"] is more
    for twice in ([more, more], [BUILT_IN[0]]):
        with pytest.raises(UsageError) as caught:
            registry_of(twice)
        assert (caught.value.code, caught.value.where) == ("usage", "predicates")
