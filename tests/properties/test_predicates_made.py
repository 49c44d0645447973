"""Laws of the predicates that we make: what is written is read back as it was, and garbage raises only our errors."""

import re
from datetime import UTC
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glasswing_attest._wire import Node, canonical_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.claims import registry_of
from glasswing_attest.errors import GlasswingError
from glasswing_attest.limits import DEFAULT
from glasswing_attest.statement.predicates.link import LINK_V03, Link
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.predicates.reference import REFERENCE_V01, Reference
from glasswing_attest.statement.predicates.release import RELEASE_V01, RELEASE_V02, Release
from glasswing_attest.statement.predicates.run import (
    IN_TOTO_PROVENANCE_V01,
    PROVENANCE_V01,
    PROVENANCE_V02,
    PROVENANCE_V1,
)
from glasswing_attest.statement.predicates.source import SOURCE_PROVENANCE_V1, Control, SourceProvenance
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor

WORDS = st.text(max_size=12)
SAID = st.text(min_size=1, max_size=12)
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
DIGESTS = st.fixed_dictionaries({"sha256": HEX}, optional={"blake3": HEX, "x-new": SAID}).map(DigestSet.of)
EXACT = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(WORDS, EXACT, max_size=3)
TEXT_MAPS = st.dictionaries(WORDS, WORDS, max_size=3)


def resources(**always: st.SearchStrategy[Any]) -> st.SearchStrategy[ResourceDescriptor]:
    """Descriptors that a digest identifies; `always` gives fields that must be said."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "name": WORDS,
        "uri": WORDS,
        "digest": DIGESTS,
        "content": st.none() | st.binary(max_size=8),
        "download_location": WORDS,
        "media_type": WORDS,
        "annotations": OBJECTS,
    }
    return st.builds(ResourceDescriptor, **{**fields, **always})


def several(items: st.SearchStrategy[Any], *, least: int = 0, **more: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=least, max_size=3, **more).map(tuple)


LEVELS = st.lists(
    st.sampled_from(
        ["SLSA_BUILD_LEVEL_{}", "SLSA_SOURCE_LEVEL_{}", "SLSA_NEW_TRACK_LEVEL_{}", "ORG_SOURCE_REVIEWED", "x"]
    ),
    min_size=1,
    max_size=4,
    unique=True,
).flatmap(lambda names: st.sampled_from([0, 3, "UNEVALUATED"]).map(lambda n: tuple(x.format(n) for x in names)))

MADE: dict[str, st.SearchStrategy[Any]] = {
    "provenance": st.builds(
        Provenance,
        build_type=SAID,
        builder_id=SAID,
        invocation_id=WORDS,
        started_on=TIMES,
        finished_on=TIMES,
        external_parameters=OBJECTS,
        internal_parameters=OBJECTS,
        resolved_dependencies=several(resources()),
        builder_version=TEXT_MAPS,
        builder_dependencies=several(resources()),
        byproducts=several(resources()),
    ),
    "summary": st.builds(
        VerificationSummary,
        verifier_id=SAID,
        resource_uri=SAID,
        result=st.just("PASSED"),
        levels=LEVELS,
        time_verified=TIMES,
        verifier_version=TEXT_MAPS,
        policy=resources(uri=SAID),
        input_attestations=several(resources()),
        dependency_levels=st.none()
        | st.dictionaries(st.sampled_from(["SLSA_BUILD_LEVEL_1", "x"]), st.integers(0, 2**53 - 1)),
        slsa_version=st.sampled_from(["", "1.2", "10.0"]),
    ),
    "failed summary": st.builds(
        VerificationSummary,
        verifier_id=SAID,
        resource_uri=SAID,
        result=st.just("FAILED"),
        levels=st.just(("FAILED",)),
        policy=resources(uri=SAID),
    ),
    "source provenance": st.builds(
        SourceProvenance,
        repo_uri=SAID,
        branch=WORDS,
        prev_commit=WORDS,
        activity_type=WORDS,
        actor=WORDS,
        created_on=TIMES,
        controls=several(st.builds(Control, name=SAID, since=TIMES)),
    ),
    "link": st.builds(
        Link,
        name=SAID,
        command=several(WORDS),
        materials=several(resources(name=SAID), unique_by=lambda m: m.name),
        byproducts=OBJECTS,
        environment=OBJECTS,
    ),
    "reference": st.builds(
        Reference,
        attester_id=SAID,
        references=several(resources(download_location=SAID, media_type=SAID), least=1),
    ),
    "release": st.builds(
        Release,
        purl=st.builds("pkg:pypi/{}@{}".format, st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers(0)),
        package_id=WORDS,
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_is_read_back(name: str) -> None:
    @given(MADE[name])
    def law(made: Any) -> None:
        written = canonical_json(made.to_predicate())
        again = type(made).from_predicate(read_json(written))
        assert again == made
        assert canonical_json(again.to_predicate()) == written
        assert type(made).from_predicate(Node(made.to_predicate())) == made

    law()


MEMBERS = re.findall(
    r"\w+",
    """builder id buildType recipe type definedInMaterial invocation configSource uri digest entryPoint parameters
    environment buildConfig metadata buildInvocationId buildStartedOn completeness reproducible materials verifier
    version resourceUri policy verificationResult verifiedLevels dependencyLevels inputAttestations timeVerified
    slsaVersion repoUri repo_uri controls name since attester references downloadLocation mediaType purl packageId
    releaseId command byproducts buildDefinition runDetails resolvedDependencies annotations role""",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**64) | st.sampled_from(["", "x", "1", "-1", "PASSED", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=6),
    max_leaves=20,
)
READ = (
    PROVENANCE_V1,
    PROVENANCE_V02,
    PROVENANCE_V01,
    IN_TOTO_PROVENANCE_V01,
    SUMMARY_V1,
    SOURCE_PROVENANCE_V1,
    LINK_V03,
    REFERENCE_V01,
    RELEASE_V01,
    RELEASE_V02,
)


@pytest.mark.parametrize("uri", READ)
def test_garbage_raises_only_our_errors(uri: str) -> None:
    kind = registry_of()[uri]

    @given(st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=8))
    @example(
        {"builder": {"id": "x"}, "recipe": {"type": "x", "definedInMaterial": 2**64 - 1}, "materials": [{"uri": "x"}]}
    )
    def law(said: dict[str, Any]) -> None:
        where = "$.predicate"
        try:
            predicate = kind.parse(Node(said, where), DEFAULT)
            drawn = tuple(kind.dependencies(predicate)) if kind.dependencies else ()
        except GlasswingError as refused:
            where, drawn = refused.where, ()
        assert where.startswith("$.predicate")
        assert all(d.resource.uri or d.resource.digest or d.resource.content is not None for d in drawn)

    law()
