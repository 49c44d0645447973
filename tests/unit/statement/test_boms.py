"""Are bills of materials kept whole, and read as far as they are typed?"""

import json
from decimal import Decimal
from typing import Any

import pytest

from glasswing_attest._api import attest
from glasswing_attest._wire import canonical_json, parse_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.claims import registry_of
from glasswing_attest.errors import DigestRefused, FieldMissing, FieldRefused, GlasswingError
from glasswing_attest.limits import DEFAULT
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.statement.predicates.cyclonedx import CYCLONEDX, CycloneDX
from glasswing_attest.statement.predicates.spdx import SPDX, SPDX_V3, Spdx2, Spdx3

HEX = "ab" * 32
CDX: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6"}
TWO: dict[str, Any] = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "documentNamespace": "https://n"}
CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
THREE: dict[str, Any] = {"@context": CONTEXT, "@graph": [{"type": "SpdxDocument", "spdxId": "https://n"}]}


def text(value: object) -> bytes:
    return json.dumps(value).encode()


def test_numbers_with_a_fraction_stay_what_they_are() -> None:
    data = (
        b'{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"ratings":[{"score":7.5},{"score":9.80}]}]}'
    )
    bom = CycloneDX.parse(data)
    made = attest(Blob(b"w", name="w"), bom, signer=KeySigner.generate()).statement_unverified
    assert made.predicate_type == CYCLONEDX
    found = registry_of()[CYCLONEDX].parse(made.predicate_node, DEFAULT)
    assert isinstance(found, CycloneDX)
    assert found == bom
    ratings = parse_json(canonical_json(found.to_predicate()))["vulnerabilities"][0]["ratings"]  # type: ignore[call-overload,index]
    assert ratings == [{"score": Decimal("7.5")}, {"score": Decimal("9.8")}]


@pytest.mark.parametrize("number", ["0.12345678901234567890", "1e400", "9007199254740993", "-9007199254740993.0"])
def test_a_number_that_a_double_loses_is_read_and_not_written(number: str) -> None:
    bom = CycloneDX.parse(b'{"bomFormat":"CycloneDX","specVersion":"1.6","x":{"y":[0,%s]}}' % number.encode())
    assert bom.document["x"] == {"y": [0, Decimal(number)]}
    with pytest.raises(FieldRefused) as refused:
        canonical_json(bom.to_predicate())
    assert refused.value.where == "$.x.y[1]"


def test_components_are_listed_with_those_within_them() -> None:
    inner = {"name": "b", "components": [{"name": "c"}]}
    bom = CycloneDX.parse(
        text({**CDX, "components": [{"name": "a", "components": [inner, {"name": "d"}]}, {"name": "e"}]})
    )
    assert [component.name for component in bom.components] == ["a", "b", "c", "d", "e"]


def test_digests_get_the_names_of_in_toto() -> None:
    hashes = [
        {"alg": "SHA-256", "content": HEX.upper()},
        {"alg": "SHA3-256", "content": HEX},
        {"alg": "SHA-256", "content": HEX},
        {"alg": "BLAKE2b-256", "content": "in-toto has no name for it"},
        {"alg": "gitCommit", "content": "no algorithm of CycloneDX"},
        {"alg": "dirHash", "content": "nor this"},
    ]
    bom = CycloneDX.parse(text({**CDX, "components": [{"name": "a", "hashes": hashes}]}))
    assert bom.components[0].digests == DigestSet.of(sha256=HEX, sha3_256=HEX)
    checksums = [{"algorithm": "SHA512", "checksumValue": HEX * 2}, {"algorithm": "MD2", "checksumValue": "x"}]
    two = Spdx2.parse(text({**TWO, "packages": [{"name": "a", "checksums": checksums}]}))
    assert two.components[0].digests == DigestSet.of(sha512=HEX * 2)


def test_package_urls_of_spdx() -> None:
    other, purl = {"referenceType": "cpe23Type", "referenceLocator": "c"}, "pkg:pypi/a@1"
    named = {"referenceType": "purl", "referenceLocator": purl}
    two = Spdx2.parse(text({**TWO, "packages": [{"externalRefs": [other, named]}, {"externalRefs": [other]}]}))
    assert [component.purl for component in two.components] == [purl, ""]
    graph = [
        {"type": "software_Package", "name": "a", "software_packageUrl": purl},
        {
            "type": "dataset_DatasetPackage",
            "externalIdentifier": [
                {"externalIdentifierType": "cve", "identifier": "C"},
                {"externalIdentifierType": "packageUrl", "identifier": purl},
            ],
        },
        {"type": "software_File", "name": "f"},
    ]
    three = Spdx3.parse(text({**THREE, "@graph": graph}))
    assert [component.purl for component in three.components] == [purl, purl]
    assert (three.namespace, three.created) == ("", None)


def test_the_creation_of_an_spdx_3_document_is_within_it_or_named() -> None:
    at = "2026-01-31T12:00:00Z"
    within = {"type": "SpdxDocument", "creationInfo": {"type": "CreationInfo", "created": at}}
    named = {"type": "SpdxDocument", "creationInfo": "_:b"}
    infos = [
        {"type": "CreationInfo", "@id": "_:a", "created": "2020-01-01T00:00:00Z"},
        {"type": "CreationInfo", "@id": "_:b", "created": at},
    ]
    for graph in ([within], [*infos, named]):
        found = Spdx3.parse(text({**THREE, "@graph": graph})).created
        assert found is not None
        assert found.year == 2026
    assert Spdx3.parse(text({**THREE, "@graph": [named]})).created is None


@pytest.mark.parametrize(
    ("reader", "value", "error", "where"),
    [
        (CycloneDX, {**CDX, "bomFormat": "cyclonedx"}, FieldRefused, "$.bomFormat"),
        (CycloneDX, {"bomFormat": "CycloneDX"}, FieldMissing, "$.specVersion"),
        (CycloneDX, {**CDX, "specVersion": 1.6}, FieldRefused, "$.specVersion"),
        (CycloneDX, {**CDX, "specVersion": "1"}, FieldRefused, "$.specVersion"),
        (CycloneDX, {**CDX, "specVersion": "1.6\n"}, FieldRefused, "$.specVersion"),
        (CycloneDX, {**CDX, "serialNumber": "3e671687-395b-41f5-a30f-a58921a69b79"}, FieldRefused, "$.serialNumber"),
        (CycloneDX, {**CDX, "metadata": {"timestamp": "today"}}, FieldRefused, "$.metadata.timestamp"),
        (CycloneDX, {**CDX, "components": [{}]}, FieldMissing, "$.components[0].name"),
        (CycloneDX, {**CDX, "components": {}}, FieldRefused, "$.components"),
        (
            CycloneDX,
            {**CDX, "components": [{"name": "a", "components": [{"name": 1}]}]},
            FieldRefused,
            "$.components[0].components[0].name",
        ),
        (
            CycloneDX,
            {
                **CDX,
                "components": [
                    {"name": "a", "hashes": [{"alg": "MD5", "content": "0" * 32}, {"alg": "MD5", "content": "1" * 32}]}
                ],
            },
            DigestRefused,
            "$.components[0].hashes[1].content",
        ),
        (Spdx2, {**TWO, "spdxVersion": "SPDX-3.0"}, FieldRefused, "$.spdxVersion"),
        (Spdx2, {**TWO, "spdxVersion": "2.3"}, FieldRefused, "$.spdxVersion"),
        (Spdx2, {**TWO, "SPDXID": "SPDXRef-Other"}, FieldRefused, "$.SPDXID"),
        (Spdx2, {**TWO, "documentNamespace": ""}, FieldMissing, "$.documentNamespace"),
        (
            Spdx2,
            {**TWO, "packages": [{"checksums": [{"algorithm": "SHA256", "checksumValue": "g" * 64}]}]},
            DigestRefused,
            "$.packages[0].checksums[0].checksumValue",
        ),
        (Spdx3, {**THREE, "@context": [CONTEXT]}, FieldRefused, "$['@context']"),
        (Spdx3, {**THREE, "@context": CONTEXT.replace("3.0.1", "4.0")}, FieldRefused, "$['@context']"),
        (Spdx3, {"@context": CONTEXT}, FieldMissing, "$['@graph']"),
        (Spdx3, {**THREE, "@graph": []}, FieldMissing, "$['@graph']"),
        (Spdx3, {**THREE, "@graph": [{"name": "a"}]}, FieldMissing, "$['@graph'][0].type"),
        (Spdx3, {**THREE, "@graph": THREE["@graph"] * 2}, FieldRefused, "$['@graph'][1]"),
    ],
)
def test_what_is_refused(reader: Any, value: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        reader.parse(text(value))
    assert type(refused.value) is error
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("uri", "value", "where"),
    [
        (f"{CYCLONEDX}/v1.4", CDX, "$.specVersion"),
        (f"{SPDX}/v2.2", TWO, "$.spdxVersion"),
        (SPDX, THREE, "$.spdxVersion"),
        (SPDX_V3, TWO, "$['@context']"),
        (CYCLONEDX, TWO, "$.bomFormat"),
    ],
)
def test_a_type_reads_documents_of_its_version_only(uri: str, value: object, where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        registry_of()[uri].parse(read_json(text(value)), DEFAULT)
    assert refused.value.code in {"malformed.field", "malformed.field-missing"}
    assert refused.value.where == where


def test_the_type_that_is_written() -> None:
    assert CycloneDX.parse(text(CDX)).predicate_type == "https://cyclonedx.org/bom"
    assert Spdx2.parse(text(TWO)).predicate_type == "https://spdx.dev/Document/v2.3"
    assert Spdx2.parse(text({**TWO, "spdxVersion": "SPDX-2.2"})).predicate_type == "https://spdx.dev/Document/v2.2"
    assert Spdx3.parse(text(THREE)).predicate_type == "https://spdx.dev/Document/v3"
