"""Are reference and release attestations written and read as in-toto has them?"""

import json
from typing import Any

import pytest

from glasswing_attest import KeySigner, attest
from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.claims import registry_of
from glasswing_attest.errors import FieldMissing, FieldRefused, GlasswingError, LimitError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.reference import REFERENCE_V01, Reference
from glasswing_attest.statement.predicates.release import RELEASE_V01, RELEASE_V02, Release
from glasswing_attest.statement.resource import ResourceDescriptor

HEX = "ab" * 32
SBOM: dict[str, Any] = {
    "downloadLocation": "https://sboms.example/model.spdx.json",
    "digest": {"sha256": HEX},
    "mediaType": "application/spdx+json",
}
SAID: dict[str, Any] = {"attester": {"id": "https://builder.example/v1"}, "references": [SBOM]}


def node(value: object) -> Node:
    return read_json(json.dumps(value).encode(), where="$.predicate")


# --- reference -------------------------------------------------------------------------------------------------------


def test_a_reference_is_read_and_written_and_draws_no_edge() -> None:
    kind = registry_of()[REFERENCE_V01]
    found = kind.parse(node({**SAID, "new": 1}), DEFAULT)
    assert found == Reference(
        attester_id="https://builder.example/v1",
        references=(
            ResourceDescriptor(
                digest=DigestSet.of(sha256=HEX),
                download_location="https://sboms.example/model.spdx.json",
                media_type="application/spdx+json",
            ),
        ),
    )
    assert isinstance(found, Reference)
    assert found.to_predicate() == SAID
    assert kind.dependencies is None


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"attester": None}, FieldMissing, "attester"),
        ({"attester": "x"}, FieldRefused, "attester"),
        ({"attester": {}}, FieldMissing, "attester.id"),
        ({"attester": {"id": ""}}, FieldMissing, "attester.id"),
        ({"references": None}, FieldMissing, "references"),
        ({"references": []}, FieldMissing, "references"),
        ({"references": SBOM}, FieldRefused, "references"),
        ({"references": [SBOM, {**SBOM, "mediaType": ""}]}, FieldMissing, "references[1].mediaType"),
        ({"references": [{**SBOM, "downloadLocation": None}]}, FieldMissing, "references[0].downloadLocation"),
        # in-toto wants a resource to be identified; where it lies does not do that.
        ({"references": [{**SBOM, "digest": {}}]}, FieldMissing, "references[0]"),
    ],
)
def test_a_reference_of_the_wrong_shape_is_refused(
    changes: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(GlasswingError) as refused:
        Reference.from_predicate(node({**SAID, **changes}))
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate.{where}"


def test_a_reference_that_could_not_be_read_is_not_made() -> None:
    sbom = ResourceDescriptor(uri="x:y", download_location="https://x", media_type="a/b")
    for attester, references, where in (
        ("", (sbom,), "attester.id"),
        ("x:y", (), "references"),
        ("x:y", (ResourceDescriptor(uri="x:y", media_type="a/b"),), "references[0].downloadLocation"),
        ("x:y", (sbom, ResourceDescriptor(uri="x:y", download_location="https://x")), "references[1].mediaType"),
    ):
        with pytest.raises(FieldMissing) as refused:
            Reference(attester_id=attester, references=references)
        assert refused.value.where == where


def test_references_are_bounded() -> None:
    with pytest.raises(LimitError) as refused:
        Reference.from_predicate(node({**SAID, "references": [SBOM] * 2}), limits=Limits(dependencies=1))
    assert refused.value.where == "$.predicate.references"


# --- release ---------------------------------------------------------------------------------------------------------

PURL = "pkg:npm/@angular/http@7.2.16"


def test_a_release_is_read_and_written() -> None:
    made = Release(purl=PURL, package_id="1234567890")
    assert made.to_predicate() == {"purl": PURL, "packageId": "1234567890"}
    kind = registry_of()[RELEASE_V02]
    assert kind.parse(node({**made.to_predicate(), "new": 1}), DEFAULT) == made
    assert kind.parse(node({"purl": PURL, "packageId": None}), DEFAULT) == Release(purl=PURL)
    assert kind.dependencies is None
    signed = attest(Blob(b"x", name="http-7.2.16.tgz"), made, signer=KeySigner.generate()).statement_unverified
    assert signed.predicate_type == RELEASE_V02


def test_the_first_version_calls_the_id_by_either_name() -> None:
    kind = registry_of()[RELEASE_V01]
    for said in ({"releaseId": "1"}, {"packageId": "1"}, {"releaseId": "1", "packageId": "1"}):
        assert kind.parse(node({"purl": PURL, **said}), DEFAULT) == Release(purl=PURL, package_id="1")
    with pytest.raises(FieldRefused) as refused:
        kind.parse(node({"purl": PURL, "releaseId": "1", "packageId": "2"}), DEFAULT)
    assert refused.value.where == "$.predicate"
    assert refused.value.found == "packageId 2 and releaseId 1"
    # The second version renamed it.
    second = registry_of()[RELEASE_V02]
    assert second.parse(node({"purl": PURL, "releaseId": "1"}), DEFAULT) == Release(purl=PURL)


@pytest.mark.parametrize(
    "purl",
    [
        PURL,
        "pkg:pypi/urllib3@2.1.0",
        "pkg:oci/my-image@sha256%3Afedcba09?repository_url=registry.example.com/my-project/my-image&tag=v1.2.3",
        "pkg:golang/google.golang.org/genproto@v0.0.0#googleapis/api",
        "pkg:deb/debian/curl@7.50.3-1?arch=i386",
    ],
)
def test_a_package_url_with_a_version_names_a_release(purl: str) -> None:
    assert Release.from_predicate(node({"purl": purl})).purl == purl


@pytest.mark.parametrize(
    "purl",
    [
        "pkg:npm/@angular/http",
        "pkg:npm/@angular",
        "pkg:pypi/urllib3",
        "pkg:pypi/urllib3@",
        "pkg:pypi/@2.1.0",
        "pkg:pypi/urllib3?tag=a@1",
        "pkg:pypi/urllib3#a@1",
        "pkg:urllib3@2.1.0",
        "pypi/urllib3@2.1.0",
        "pkg:pypi/url lib3@2.1.0",
        "https://pypi.org/project/urllib3/2.1.0",
    ],
)
def test_anything_else_names_none(purl: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        Release.from_predicate(node({"purl": purl}))
    assert refused.value.code == "malformed.field"
    assert refused.value.where == "$.predicate.purl"
    with pytest.raises(FieldRefused) as made:
        Release(purl=purl)
    assert made.value.where == "purl"


@pytest.mark.parametrize(
    ("said", "error", "where"),
    [
        ({}, FieldMissing, "purl"),
        ({"purl": ""}, FieldMissing, "purl"),
        ({"purl": 1}, FieldRefused, "purl"),
        ({"purl": PURL, "packageId": 1}, FieldRefused, "packageId"),
    ],
)
def test_a_release_of_the_wrong_shape_is_refused(said: dict[str, Any], error: type[GlasswingError], where: str) -> None:
    for read in (Release.from_predicate, Release.from_predicate_v01):
        with pytest.raises(GlasswingError) as refused:
            read(node(said))
        assert type(refused.value) is error
        assert refused.value.where == f"$.predicate.{where}"
