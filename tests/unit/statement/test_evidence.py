"""Are scans, tests, traces, attributes and verification results read as in-toto has them, and refused where not?"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest._wire import Node, canonical_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import DigestRefused, FieldMissing, FieldRefused, GlasswingError, LimitError
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.openvex import OPENVEX, OPENVEX_V02, TYPES, OpenVex
from glasswing_attest.statement.predicates.publish import NpmPublish, PypiPublish
from glasswing_attest.statement.predicates.runtime_trace import RuntimeTrace
from glasswing_attest.statement.predicates.scai import SCAI_V03, AttributeAssertion, AttributeReport
from glasswing_attest.statement.predicates.svr import SVR_V02, SimpleVerificationResult
from glasswing_attest.statement.predicates.test_result import SuiteResult
from glasswing_attest.statement.predicates.vulns import VULNS_V02, CosignScan, Severity, Vulnerability, VulnScan
from glasswing_attest.statement.resource import ResourceDescriptor

HEX = "ab" * 32
AT = datetime(2026, 1, 31, 12, 0, 0, 250_000, UTC)
RESOURCE = ResourceDescriptor(uri="https://example.com/r", digest=DigestSet.of(sha256=HEX))


def node(value: Any) -> Node:
    return Node(value, "$.predicate")


def again(made: Any) -> Any:
    return type(made).from_predicate(read_json(canonical_json(made.to_predicate())))


# --- what is written is read back ------------------------------------------------------------------------------------

WORDS = st.text(max_size=12)
SAID = st.text(min_size=1, max_size=12)
TIMES = st.datetimes(timezones=st.just(UTC))
MAYBE = st.none() | TIMES
EXACT = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(WORDS, EXACT, max_size=2)
RESOURCES = st.builds(
    ResourceDescriptor,
    name=WORDS,
    uri=SAID,
    digest=st.just(DigestSet.of(sha256=HEX)) | st.just(DigestSet(())),
    annotations=OBJECTS,
)


def some(items: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=least, max_size=2).map(tuple)


def traces() -> st.SearchStrategy[RuntimeTrace]:
    fields: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(("monitor_type", "host_id", "process_type", "event"), SAID),
        "config_source": st.none() | RESOURCES,
        "trace_policy": OBJECTS,
        "process": st.none() | some(OBJECTS),
        "network": some(OBJECTS),  # one log must be there
        "file_access": st.none() | some(RESOURCES),
        "started_on": MAYBE,
        "finished_on": MAYBE,
    }
    return st.builds(RuntimeTrace, **fields)


ATTRIBUTES = st.builds(
    AttributeAssertion,
    attribute=SAID,
    target=st.none() | RESOURCES,
    conditions=OBJECTS,
    evidence=st.none() | RESOURCES,
)
FOUND = st.builds(
    Vulnerability,
    identifier=SAID,
    severity=some(st.builds(Severity, method=SAID, score=SAID)),
    annotations=some(OBJECTS),
)
MADE = st.one_of(
    st.builds(AttributeReport, attributes=some(ATTRIBUTES, 1), producer=st.none() | RESOURCES),
    st.builds(
        SuiteResult,
        result=st.sampled_from(["PASSED", "WARNED", "FAILED"]),
        configuration=some(RESOURCES),
        url=WORDS,
        passed=some(WORDS),
        warned=some(WORDS),
        failed=some(WORDS),
    ),
    traces(),
    st.builds(
        SimpleVerificationResult,
        verifier_id=SAID,
        time_created=TIMES,
        properties=some(WORDS),
        policies=some(RESOURCES),
    ),
    st.builds(
        VulnScan,
        scanner_uri=SAID,
        result=some(FOUND),
        scan_started_on=TIMES,
        scan_finished_on=TIMES,
        scanner_version=WORDS,
        db_uri=WORDS,
        db_version=WORDS,
        db_last_update=TIMES,
    ),
    st.builds(NpmPublish, name=SAID, version=SAID, registry=SAID),
    st.builds(PypiPublish),
)


@given(MADE)
def test_what_is_written_is_read_back(made: Any) -> None:
    assert again(made) == made
    hash(made)


# --- what is refused -------------------------------------------------------------------------------------------------

SCAI = {"attributes": [{"attribute": "A"}]}
SUITE: dict[str, Any] = {"result": "PASSED", "configuration": []}
TRACE: dict[str, Any] = {
    "monitor": {"type": "m"},
    "monitoredProcess": {"hostID": "h", "type": "t", "event": "e"},
    "monitorLog": {"network": []},
}
SVR: dict[str, Any] = {"verifier": {"id": "v", "policies": []}, "timeCreated": "2026-01-31T12:00:00Z", "properties": []}
SCAN: dict[str, Any] = {
    "scanner": {"uri": "s", "result": []},
    "metadata": {"scanStartedOn": "2026-01-31T12:00:00Z", "scanFinishedOn": "2026-01-31T12:00:00Z"},
}
VEX: dict[str, Any] = {
    "@context": OPENVEX_V02,
    "author": "me",
    "timestamp": "2026-01-31T12:00:00Z",
    "version": 1,
    "statements": [{"status": "fixed"}],
}
NPM = {"name": "a", "version": "1", "registry": "r"}
NO_IDENTITY = {"name": "only a name"}


@pytest.mark.parametrize(
    ("read", "value", "error", "where"),
    [
        (AttributeReport.from_predicate, {}, FieldMissing, "attributes"),
        (AttributeReport.from_predicate, {"attributes": []}, FieldMissing, "attributes"),
        (AttributeReport.from_predicate, {"attributes": [{}]}, FieldMissing, "attributes[0].attribute"),
        (AttributeReport.from_predicate, {"attributes": [{"attribute": ""}]}, FieldMissing, "attributes[0].attribute"),
        (AttributeReport.from_predicate, {"attributes": [{"attribute": 1}]}, FieldRefused, "attributes[0].attribute"),
        (AttributeReport.from_predicate, {**SCAI, "producer": NO_IDENTITY}, FieldMissing, "producer"),
        (
            AttributeReport.from_predicate,
            {"attributes": [{"attribute": "A", "evidence": {"digest": {"sha256": "zz"}}}]},
            DigestRefused,
            "attributes[0].evidence.digest.sha256",
        ),
        (
            AttributeReport.from_predicate,
            {"attributes": [{"attribute": "A", "conditions": []}]},
            FieldRefused,
            "attributes[0].conditions",
        ),
        (SuiteResult.from_predicate, {"result": "PASSED"}, FieldMissing, "configuration"),
        (SuiteResult.from_predicate, {"configuration": []}, FieldMissing, "result"),
        (SuiteResult.from_predicate, {**SUITE, "result": "passed"}, FieldRefused, "result"),
        (SuiteResult.from_predicate, {**SUITE, "failedTests": ["a", 1]}, FieldRefused, "failedTests[1]"),
        (RuntimeTrace.from_predicate, {**TRACE, "monitorLog": {}}, FieldMissing, "monitorLog"),
        (RuntimeTrace.from_predicate, {**TRACE, "monitorLog": {"network": None}}, FieldMissing, "monitorLog"),
        (RuntimeTrace.from_predicate, {**TRACE, "monitorLog": {"process": [1]}}, FieldRefused, "monitorLog.process[0]"),
        (RuntimeTrace.from_predicate, {**TRACE, "monitor": {}}, FieldMissing, "monitor.type"),
        (
            RuntimeTrace.from_predicate,
            {**TRACE, "metadata": {"buildStartedOn": "now"}},
            FieldRefused,
            "metadata.buildStartedOn",
        ),
        (
            RuntimeTrace.from_predicate,
            {**TRACE, "monitorLog": {"fileAccess": [NO_IDENTITY]}},
            FieldMissing,
            "monitorLog.fileAccess[0]",
        ),
        (SimpleVerificationResult.from_predicate, {**SVR, "verifier": {}}, FieldMissing, "verifier.id"),
        (SimpleVerificationResult.from_predicate, {**SVR, "timeCreated": None}, FieldMissing, "timeCreated"),
        (SimpleVerificationResult.from_predicate, {**SVR, "timeCreated": "2026-01-31"}, FieldRefused, "timeCreated"),
        (SimpleVerificationResult.from_predicate, {**SVR, "properties": None}, FieldMissing, "properties"),
        (SimpleVerificationResult.from_predicate, {**SVR, "properties": "P"}, FieldRefused, "properties"),
        (
            SimpleVerificationResult.from_predicate,
            {**SVR, "verifier": {"id": "v", "policies": [NO_IDENTITY]}},
            FieldMissing,
            "verifier.policies[0]",
        ),
        (VulnScan.from_predicate, {"metadata": {}}, FieldMissing, "scanner"),
        (VulnScan.from_predicate, {**SCAN, "scanner": {"result": []}}, FieldMissing, "scanner.uri"),
        (VulnScan.from_predicate, {**SCAN, "metadata": {}}, FieldMissing, "metadata.scanStartedOn"),
        (VulnScan.from_predicate, {**SCAN, "scanner": {"uri": "s", "result": {}}}, FieldRefused, "scanner.result"),
        (
            VulnScan.from_predicate,
            {**SCAN, "scanner": {"uri": "s", "result": [{}]}},
            FieldMissing,
            "scanner.result[0].id",
        ),
        (
            VulnScan.from_predicate,
            {**SCAN, "scanner": {"uri": "s", "result": [{"id": "C", "severity": [{"method": "cvss", "score": 7}]}]}},
            FieldRefused,
            "scanner.result[0].severity[0].score",
        ),
        # Version 0.2 does not wrap what was found; a wrapped one has no id.
        (
            VulnScan.from_predicate,
            {**SCAN, "scanner": {"uri": "s", "result": [{"vulnerability": {"id": "C"}}]}},
            FieldMissing,
            "scanner.result[0].id",
        ),
        (CosignScan.from_predicate, {"scanners": [{}]}, FieldMissing, "scanner"),
        (NpmPublish.from_predicate, {**NPM, "registry": ""}, FieldMissing, "registry"),
        (NpmPublish.from_predicate, {**NPM, "version": 1}, FieldRefused, "version"),
        (OpenVex.from_predicate, {**VEX, "@context": "https://openvex.dev/nsx"}, FieldRefused, "['@context']"),
        (OpenVex.from_predicate, {**VEX, "@context": "https://openvex.dev/ns/v0.2.0\n"}, FieldRefused, "['@context']"),
        (OpenVex.from_predicate, {**VEX, "author": None}, FieldMissing, "author"),
        (OpenVex.from_predicate, {**VEX, "timestamp": None}, FieldMissing, "timestamp"),
        (OpenVex.from_predicate, {**VEX, "version": -1}, FieldRefused, "version"),
        (OpenVex.from_predicate, {**VEX, "statements": None}, FieldMissing, "statements"),
        (OpenVex.from_predicate, {**VEX, "statements": [{"status": "ok"}]}, FieldRefused, "statements[0].status"),
    ],
)
def test_what_is_refused(
    read: Callable[[Node], object], value: object, error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(error) as refused:
        read(node(value))
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate{'' if where.startswith('[') else '.'}{where}"


@pytest.mark.parametrize(
    ("make", "error", "where"),
    [
        (lambda: AttributeReport(attributes=()), FieldMissing, "attributes"),
        (lambda: AttributeAssertion(attribute=""), FieldMissing, "attribute"),
        (lambda: SuiteResult(result="passed"), FieldRefused, "result"),  # type: ignore[arg-type]
        (
            lambda: RuntimeTrace(monitor_type="m", host_id="h", process_type="t", event="e"),
            FieldMissing,
            "monitorLog",
        ),
        (
            lambda: RuntimeTrace(monitor_type="m", host_id="h", process_type="t", event="", network=()),
            FieldMissing,
            "monitoredProcess.event",
        ),
        (
            lambda: SimpleVerificationResult(verifier_id="", time_created=AT, properties=()),
            FieldMissing,
            "verifier.id",
        ),
        (
            lambda: SimpleVerificationResult(
                verifier_id="v",
                time_created=AT.replace(tzinfo=None),
                properties=(),
            ),
            FieldRefused,
            "timeCreated",
        ),
        (lambda: Vulnerability(identifier=""), FieldMissing, "id"),
        (lambda: NpmPublish(name="a", version="", registry="r"), FieldMissing, "version"),
    ],
)
def test_what_cannot_be_made(make: Callable[[], object], error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        make()
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("read", "value", "where"),
    [
        (AttributeReport.from_predicate, {"attributes": [{"attribute": "A"}] * 3}, "$.predicate.attributes"),
        (SuiteResult.from_predicate, {**SUITE, "configuration": [{"uri": "u"}] * 3}, "$.predicate.configuration"),
    ],
)
def test_lists_are_bounded(read: Callable[..., object], value: object, where: str) -> None:
    with pytest.raises(LimitError) as refused:
        read(node(value), limits=Limits(dependencies=2))
    assert refused.value.where == where


# --- what each has of its own ----------------------------------------------------------------------------------------


def test_no_findings_is_said_and_not_omitted() -> None:
    clean = VulnScan.from_predicate(node(SCAN))
    silent = VulnScan.from_predicate(node({**SCAN, "scanner": {"uri": "s"}}))
    assert (clean.result, silent.result) == ((), None)
    # Null is absent, not empty.
    assert VulnScan.from_predicate(node({**SCAN, "scanner": {"uri": "s", "result": None}})) == silent
    written = replace(clean, db_last_update=AT).to_predicate()
    assert written["scanner"] == {"uri": "s", "db": {"lastUpdate": "2026-01-31T12:00:00.250000Z"}, "result": []}
    with pytest.raises(FieldMissing) as refused:
        replace(silent, db_last_update=AT).to_predicate()
    assert refused.value.where == "scanner.result"
    with pytest.raises(FieldMissing) as refused:
        clean.to_predicate()
    assert refused.value.where == "scanner.db.lastUpdate"


def test_version_one_of_a_scan_wraps_what_was_found_or_not() -> None:
    flat = {**SCAN, "scanner": {"uri": "s", "result": [{"id": "C"}]}}
    wrapped = {**SCAN, "scanner": {"uri": "s", "result": [{"vulnerability": {"id": "C"}}]}}
    assert VulnScan.from_predicate_v01(node(flat)) == VulnScan.from_predicate_v01(node(wrapped))
    assert VulnScan.from_predicate_v01(node(flat)).predicate_type == VULNS_V02


def test_a_scan_of_cosign_keeps_the_report_as_it_is() -> None:
    scan = CosignScan.from_predicate(node({"scanner": {"uri": "s", "result": [{"a": 1}]}}))
    assert scan.result == [{"a": 1}]
    assert CosignScan.from_predicate(node({"scanner": {}})).result is None
    assert not hasattr(scan, "to_predicate")


def test_a_log_that_is_empty_is_not_one_that_was_not_kept() -> None:
    seen = RuntimeTrace.from_predicate(node(TRACE))
    assert (seen.network, seen.process, seen.file_access) == ((), None, None)
    assert seen.to_predicate()["monitorLog"] == {"network": []}
    # The specification's own example has an empty configSource.
    assert RuntimeTrace.from_predicate(node({**TRACE, "monitor": {"type": "m", "configSource": {}}})) == seen


def test_the_first_version_of_a_verification_result_has_one_policy_as_an_extension() -> None:
    for policy, found in (
        ({"uri": "https://p"}, (ResourceDescriptor(uri="https://p"),)),
        ({"name": "identifies nothing"}, ()),
        ("a text", ()),
        (None, ()),
    ):
        told = {**SVR, "verifier": {"id": "v", "policy": policy}}
        assert SimpleVerificationResult.from_predicate_v01(node(told)).policies == found
        # Version 0.2 knows no such field.
        assert SimpleVerificationResult.from_predicate(node(told)).policies == ()
    assert SimpleVerificationResult.from_predicate(node(SVR)).predicate_type == SVR_V02


def test_both_versions_of_scai_have_one_shape() -> None:
    report = AttributeReport.from_predicate(node({**SCAI, "producer": {}}))
    assert report.producer is None
    assert report.predicate_type == SCAI_V03
    assert again(replace(report, producer=RESOURCE)).producer == RESOURCE


def test_the_type_of_a_vex_document_is_its_context() -> None:
    assert OpenVex.from_predicate(node(VEX)).predicate_type == OPENVEX_V02
    older = OpenVex.from_predicate(node({"@context": OPENVEX, "author": "me", "version": "1", "statements": []}))
    assert (older.predicate_type, older.version, older.timestamp) == (OPENVEX, 1, None)
    # Under the type of a version, a document of another one is refused.
    versioned = next(kind for kind in TYPES if kind.uri == OPENVEX_V02)
    with pytest.raises(FieldRefused) as refused:
        versioned.parse(node({**VEX, "@context": OPENVEX}), Limits())
    assert refused.value.where == "$.predicate['@context']"
