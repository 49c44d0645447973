"""Are digests that others state taken as stated, and only those that identify?"""

import hashlib
import json
from typing import Any

import pytest

from glasswing_attest.artifact.croissant import Croissant, read_croissant
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.hub import read_hub, read_lfs_pointer
from glasswing_attest.artifact.manifest import FileEntry
from glasswing_attest.artifact.oci import read_oci
from glasswing_attest.artifact.stated import StatedFiles
from glasswing_attest.errors import (
    ArtifactEmpty,
    DigestRefused,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotJson,
    UsageError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.records.data import DataRecord

AB, CD = "ab" * 32, "cd" * 32
SMALL = FileEntry(name="config.json", size=2, sha256=hashlib.sha256(b"{}").hexdigest())


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


# --- hubs ------------------------------------------------------------------------------------------------------------

TREE = [
    {"type": "directory", "path": "onnx", "oid": "0" * 40, "size": 0},
    {"type": "file", "path": "config.json", "oid": "1" * 40, "size": 2},
    {
        "type": "file",
        "path": "onnx/m.onnx",
        "oid": "2" * 40,
        "size": 9,
        "lfs": {"oid": AB, "size": 9, "pointerSize": 130},
    },
    {"type": "file", "path": "a.bin", "oid": "3" * 40, "size": 7, "lfs": {"oid": CD, "size": 7}, "xetHash": "ef" * 32},
]
MODEL = {
    "id": "acme/tiny",
    "sha": "4" * 40,
    "siblings": [
        {"rfilename": "config.json", "size": 2, "blobId": "1" * 40},
        {"rfilename": "onnx/m.onnx", "size": 9, "lfs": {"sha256": AB, "size": 9, "pointerSize": 130}},
        {"rfilename": "a.bin", "size": 7, "lfs": {"sha256": CD, "size": 7}},
    ],
}


@pytest.mark.parametrize("answer", [TREE, MODEL])
def test_a_hub_tells_the_digests_of_large_files_only(answer: object) -> None:
    found = read_hub(raw(answer), name="acme/tiny")
    assert [(f.name, f.size, f.sha256) for f in found.files] == [("a.bin", 7, CD), ("onnx/m.onnx", 9, AB)]
    assert [u.name for u in found.unusable] == ["config.json"]
    with pytest.raises(DigestRefused) as refused:
        found.manifest("model")
    assert (refused.value.code, refused.value.found) == ("malformed.digest", "config.json")
    assert [(m.name, m.is_declared) for m in found.each("model")] == [("a.bin", True), ("onnx/m.onnx", True)]


def test_what_a_hub_does_not_tell_can_be_read() -> None:
    found = read_hub(raw(MODEL)).manifest("model", also=[SMALL])
    assert (found.name, found.is_declared, len(found.files)) == ("acme/tiny", True, 3)
    assert found.file("config.json").sha256 == SMALL.sha256


def test_what_was_read_must_be_what_was_stated() -> None:
    other = FileEntry(name="a.bin", size=7, sha256=AB)
    with pytest.raises(FieldRefused) as refused:
        read_hub(raw(MODEL)).manifest("model", also=[SMALL, other])
    assert (refused.value.where, refused.value.wanted) == ("a.bin", CD)


def test_nothing_is_added_that_the_hub_does_not_name() -> None:
    extra = FileEntry(name="modeling_evil.py", size=1, sha256=AB)
    with pytest.raises(FieldRefused) as refused:
        read_hub(raw(MODEL)).manifest("model", also=[SMALL, extra])
    assert (refused.value.where, refused.value.because) == ("modeling_evil.py", "hub names no such file")


@pytest.mark.parametrize(
    ("answer", "error", "where"),
    [
        (b"[", NotJson, "hub"),
        (raw([{"type": "symlink", "path": "a"}]), FieldRefused, "hub[0].type"),
        (
            raw([{"type": "file", "path": "a", "lfs": {"oid": AB}}, {"type": "file", "path": "a"}]),
            FieldRefused,
            "hub[1]",
        ),
        (raw({}), FieldMissing, "hub.siblings"),
        (raw([{"path": "a"}]), FieldMissing, "hub[0].type"),
        (raw([{"type": "file"}]), FieldMissing, "hub[0].path"),
        (raw([{"type": "file", "path": "a", "lfs": {}}]), FieldMissing, "hub[0].lfs.oid"),
        (raw([{"type": "file", "path": "a", "lfs": {"oid": AB.upper()}}]), DigestRefused, "hub[0].lfs.oid"),
        (raw([{"type": "file", "path": "a", "lfs": {"oid": "12" * 20}}]), DigestRefused, "hub[0].lfs.oid"),
        (raw([{"type": "file", "path": "a", "lfs": {"oid": AB, "size": -1}}]), FieldRefused, "hub[0].lfs.size"),
        (raw([{"type": "file", "path": "../a", "lfs": {"oid": AB}}]), FieldRefused, "hub"),
        (raw([{"type": "file", "path": "a", "lfs": {"oid": AB}}] * 2), FieldRefused, "hub"),
        (b'{"siblings": [], "siblings": []}', DuplicateKey, "hub.siblings"),
    ],
)
def test_a_wrong_answer_is_refused(answer: bytes, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        read_hub(answer)
    assert (type(refused.value), refused.value.where) == (error, where)


def test_an_empty_repository_is_nothing() -> None:
    with pytest.raises(ArtifactEmpty) as refused:
        read_hub(raw({"id": "acme/none", "siblings": []})).manifest("model")
    assert refused.value.where == "acme/none"


def test_answers_are_bounded() -> None:
    with pytest.raises(LimitError):
        read_hub(raw(MODEL), limits=Limits(header_bytes=10))
    with pytest.raises(LimitError):
        read_hub(raw(MODEL), limits=Limits(tree_files=2))


def test_a_pointer_stands_for_its_file() -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{AB}\nsize 9\n".encode()
    assert read_lfs_pointer(pointer, "a.bin") == FileEntry(name="a.bin", size=9, sha256=AB)
    for wrong in (
        b"",
        pointer[:-1],
        pointer.replace(b"v1", b"v2"),
        pointer.replace(b"sha256", b"md5"),
        pointer + b"x\n",
    ):
        with pytest.raises(FieldRefused) as refused:
            read_lfs_pointer(wrong, "a.bin", where="a.bin")
        assert refused.value.where == "a.bin"


# --- OCI -------------------------------------------------------------------------------------------------------------


def layer(title: str | None = "a.bin", kind: str = "application/vnd.acme.raw", **more: Any) -> dict[str, Any]:
    annotations = {} if title is None else {"org.opencontainers.image.title": title}
    return {"mediaType": kind, "digest": f"sha256:{AB}", "size": 9, "annotations": annotations, **more}


def test_a_layer_that_is_a_file_has_its_digest() -> None:
    filepath = {"org.cncf.model.filepath": "sub/b.bin"}
    found = read_oci(raw({"layers": [layer(), layer(annotations=filepath, digest=f"sha256:{CD}")]}), name="acme/tiny")
    assert [(f.name, f.size, f.sha256) for f in found.files] == [("a.bin", 9, AB), ("sub/b.bin", 9, CD)]
    assert found.manifest("model").is_declared


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        (layer(None), "no annotation names a file"),
        (layer(kind="application/vnd.cncf.model.weight.v1.tar"), "the digest is that of an archive"),
        (layer(kind="application/vnd.oci.image.layer.v1.tar+gzip"), "the digest is that of an archive"),
        (layer(kind="application/octet-stream+zstd"), "the digest is that of an archive"),
        (
            layer(annotations={"org.opencontainers.image.title": "d", "io.deis.oras.content.unpack": "true"}),
            "the digest is that of an archive",
        ),
        (layer(digest="sha512:" + "ab" * 64), "the digest is not a SHA-256"),
        (
            layer(annotations={"org.opencontainers.image.title": "a", "org.cncf.model.filepath": "b/a"}),
            "another annotation names it b/a",
        ),
    ],
)
def test_a_layer_that_is_no_file_is_told(wrong: dict[str, Any], because: str) -> None:
    found = read_oci(raw({"layers": [layer("good"), wrong]}))
    assert [u.because for u in found.unusable] == [because]
    with pytest.raises(DigestRefused) as refused:
        found.manifest("model")
    assert refused.value.where == "oci.layers[1]"


@pytest.mark.parametrize(
    ("document", "error", "where"),
    [
        ({}, FieldMissing, "oci.layers"),
        ({"layers": [layer(digest="sha256:12")]}, DigestRefused, "oci.layers[0].digest"),
        ({"layers": [layer(size="x")]}, FieldRefused, "oci.layers[0].size"),
        ({"layers": [layer(), layer()]}, FieldRefused, "oci"),
        ({"layers": [layer("/etc/passwd")]}, FieldRefused, "oci"),
    ],
)
def test_a_wrong_document_is_refused(document: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        read_oci(raw(document))
    assert (type(refused.value), refused.value.where) == (error, where)


# --- Croissant -------------------------------------------------------------------------------------------------------

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "field": "cr:field",
    "isLiveDataset": "cr:isLiveDataset",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "recordSet": "cr:recordSet",
    "sc": "https://schema.org/",
}


def file(**more: Any) -> dict[str, Any]:
    """A FileObject; None takes a member away."""
    told = {"@type": "cr:FileObject", "@id": "a", "name": "a.csv", "contentUrl": "data/a.csv", "sha256": AB, **more}
    return {key: value for key, value in told.items() if value is not None}


def document(*files: dict[str, Any], **more: Any) -> bytes:
    told = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": "tiny",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "distribution": list(files),
        **more,
    }
    return raw({key: value for key, value in told.items() if value is not None})


def test_a_dataset_of_files_with_digests() -> None:
    files = (
        file(),
        file(**{"@id": "b.csv"}, name=None, contentUrl="https://data.example/x?token=secret", sha256=CD.upper()),
    )
    records = {
        "@type": "cr:RecordSet",
        "@id": "rows",
        "name": "rows",
        "field": [
            {
                "@type": "cr:Field",
                "@id": "rows/x",
                "name": "x",
                "dataType": ["sc:Text", "sc:name"],
                "description": "what",
            },
            {"@type": "cr:Field", "name": {"en": "y", "de": "z"}},
        ],
    }
    found = read_croissant(
        document(*files, recordSet=[records], license="CC0-1.0", version="1.0.0", url="https://x.example")
    )
    assert (found.name, found.version, found.license, found.url) == ("tiny", "1.0.0", "CC0-1.0", "https://x.example")
    assert found.conforms_to == ("http://mlcommons.org/croissant/1.0",)
    assert [(f.name, f.sha256) for f in found.stated.files] == [("b.csv", CD), ("data/a.csv", AB)]
    assert [(f.name, f.dtype, f.description) for f in found.fields] == [
        ("rows/x", "sc:Text, sc:name", "what"),
        ("rows/z", "", ""),
    ]
    manifest = found.stated.manifest("dataset")
    assert (manifest.is_declared, manifest.kind, manifest.name) == (True, "dataset", "tiny")
    record = DataRecord.from_croissant(found)
    assert (record.name, record.version, record.license) == ("tiny", "1.0.0", "CC0-1.0")
    assert [(s.name, s.uri, dict(s.digest)) for s in record.sources] == [
        ("data/a.csv", "data/a.csv", {"sha256": AB}),
        ("b.csv", "https://data.example/x", {"sha256": CD}),
    ]
    assert [(f.name, f.dtype) for f in record.schema_fields] == [("rows/x", "sc:Text, sc:name"), ("rows/z", None)]


UNUSABLE = {
    "md5": (file(sha256=None, md5="12" * 16), "MD5 identifies nothing"),
    "none": (file(sha256=None), "it has no digest"),
    "md5 as sha256": (file(sha256="12" * 16), "its sha256 is not 64 hex digits"),
    "a placeholder": (file(sha256="https://tracker.example/issues/80"), "its sha256 is not 64 hex digits"),
    "a name above": (file(contentUrl="https://x.example/", name="../a"), "a part of the name is empty, '.' or '..'"),
    "a file set": ({"@type": "cr:FileSet", "@id": "s", "includes": "*.jpg"}, "a file set names no digests"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_file_without_a_usable_digest_is_told_by_name(case: str) -> None:
    wrong, because = UNUSABLE[case]
    found = read_croissant(document(file(contentUrl="good.csv"), wrong))
    assert [u.because for u in found.stated.unusable] == [because]
    with pytest.raises(DigestRefused) as refused:
        found.stated.manifest("dataset")
    assert (refused.value.code, refused.value.where) == ("malformed.digest", "croissant.distribution[1]")
    assert [m.digests.get("sha256") for m in found.stated.each("dataset")] == [AB]
    assert all(dict(source.digest) in ({}, {"sha256": AB}) for source in DataRecord.from_croissant(found).sources)


def test_what_lies_in_an_archive_is_covered_by_the_archive_alone() -> None:
    inner = file(**{"@id": "in", "containedIn": {"@id": "a"}}, name="in.csv", sha256=CD)
    images = {"@type": "cr:FileSet", "@id": "images", "containedIn": {"@id": "a"}, "includes": "*.jpg"}
    found = read_croissant(document(file(contentUrl="a.zip"), inner, images))
    assert found.contained == ("data/a.csv", "images")
    assert [f.name for f in found.stated.manifest("dataset").files] == ["a.zip"]


def read(**more: Any) -> Croissant:
    return read_croissant(document(file(), **more))


def test_fields_within_fields_are_told() -> None:
    inner = {"@id": "rows/box/x", "dataType": "sc:Float"}
    fields = [{"@id": "rows/box", "subField": [inner, {"name": "y"}], "name": "box"}]
    found = read(recordSet={"@id": "rows", "name": "rows", "field": fields}).fields
    assert [(f.name, f.dtype) for f in found] == [("rows/box", ""), ("rows/box/x", "sc:Float"), ("rows/box/y", "")]


def test_forms_that_json_ld_allows() -> None:
    several = read(conformsTo=["http://mlcommons.org/croissant/1.1", {"@id": "http://x.example/spec"}])
    assert several.conforms_to == ("http://mlcommons.org/croissant/1.1", "http://x.example/spec")
    assert read(conformsTo=None, **{"dct:conformsTo": "http://mlcommons.org/croissant/1.0"}).conforms_to
    assert read(**{"@type": "https://schema.org/Dataset"}).name == "tiny"
    assert read(name={"en": "b", "de": "a"}).name == "a"
    assert read(name=[{"@language": "en", "@value": "c"}]).name == "c"
    assert read(license={"@type": "CreativeWork", "url": "x"}).license == ""
    assert DataRecord.from_croissant(read(license="https://x.example/by/4.0/")).license is None
    assert read(isLiveDataset=True).is_live
    assert read(distribution=file()).stated.files
    older = {**CONTEXT, "ml": "http://mlcommons.org/schema/", "recordSet": "ml:recordSet", "field": "ml:field"}
    assert read(**{"@context": older}, distribution=[file(**{"@type": "sc:FileObject"})]).stated.files
    assert read(**{"@context": "https://schema.org/"}).stated.files
    assert read(**{"@context": ["https://schema.org/", CONTEXT]}).stated.files


REFUSED: dict[str, tuple[bytes, type[GlasswingError], str]] = {
    "no JSON": (b"<html>", NotJson, "croissant"),
    "no type": (document(**{"@type": None}), FieldMissing, "croissant['@type']"),
    "another type": (document(**{"@type": "sc:Person"}), FieldRefused, "croissant['@type']"),
    "no name": (document(name=None), FieldMissing, "croissant.name"),
    "a name that is none": (document(name={"@language": "en"}), FieldRefused, "croissant.name"),
    "a file of another type": (
        document(file(**{"@type": "sc:Person"})),
        FieldRefused,
        "croissant.distribution[0]['@type']",
    ),
    "a file without a name": (
        document(file(**{"@id": None}, name=None, contentUrl=None)),
        FieldRefused,
        "croissant.distribution[0]",
    ),
    "a digest that is no text": (document(file(sha256=1)), FieldRefused, "croissant.distribution[0].sha256"),
    "a file twice": (document(file(), file(sha256=CD)), FieldRefused, "croissant"),
    "md5 called sha256": (
        document(file(), **{"@context": {**CONTEXT, "sha256": "cr:md5"}}),
        FieldRefused,
        "croissant['@context'].sha256",
    ),
    "sha256 in another vocabulary": (
        document(file(), **{"@context": {**CONTEXT, "sha256": {"@id": "https://evil.example/sha256"}}}),
        FieldRefused,
        "croissant['@context'].sha256['@id']",
    ),
    "another vocabulary": (
        document(file(), **{"@context": {**CONTEXT, "@vocab": "https://evil.example/"}}),
        FieldRefused,
        "croissant['@context']['@vocab']",
    ),
    "md5 called sha256 within a file": (
        document(file(**{"@context": {"sha256": "cr:md5"}})),
        FieldRefused,
        "croissant.distribution[0]['@context']",
    ),
    "md5 called sha256 below a word": (
        document(file(), **{"@context": {**CONTEXT, "distribution": {"@context": {"sha256": "cr:md5"}}}}),
        FieldRefused,
        "croissant['@context'].distribution['@context']",
    ),
    "a context within records": (
        document(file(), recordSet={"@context": {}, "field": []}),
        FieldRefused,
        "croissant.recordSet['@context']",
    ),
    "a file twice, once with MD5": (
        document(file(), file(sha256=None, md5="12" * 16)),
        FieldRefused,
        "croissant.distribution[1]",
    ),
    "another prefix": (
        document(file(), **{"@context": [{**CONTEXT, "cr": "https://evil.example/"}]}),
        FieldRefused,
        "croissant['@context'][0].cr",
    ),
}


for _name, _context, _where in (
    ("no context", None, ""),
    ("an empty context", {}, ""),
    ("an empty list of contexts", [], ""),
    ("a context without a vocabulary", {"sc": "https://schema.org/"}, ""),
    ("a vocabulary that is taken back", [CONTEXT, {"@vocab": None}], ""),
    ("a context elsewhere", "https://evil.example/ctx", ""),
    ("a context beside schema.org", "https://schema.org.evil.example/", ""),
    ("a context elsewhere in a list", [CONTEXT, "https://evil.example/ctx"], "[1]"),
    ("a context that is taken back", [CONTEXT, None], "[1]"),
    ("a context that imports", {**CONTEXT, "@import": "https://evil.example/ctx"}, ""),
):
    REFUSED[_name] = (
        document(file(), **{"@context": _context}),
        FieldMissing if _context is None else FieldRefused,
        f"croissant['@context']{_where}",
    )


@pytest.mark.parametrize(
    "context",
    [
        "https://schema.org/",
        "http://schema.org",
        "https://schema.org/docs/jsonldcontext.jsonld",
        "http://mlcommons.org/croissant/",
        "https://mlcommons.org/croissant/1.1",
        ["http://mlcommons.org/croissant/1.0", {"data": "cr:data"}],
    ],
    ids=str,
)
def test_contexts_that_are_known_by_their_address(context: object) -> None:
    assert read(**{"@context": context}).stated.files


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by-nc-sa/2.5", "CC-BY-NC-SA-2.5"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
        ("https://opensource.org/license/mit/", "MIT"),
        ("https://spdx.org/licenses/BSD-3-Clause.html", "BSD-3-Clause"),
        ("https://creativecommons.org/licenses/by/9.0/", None),
        ("https://creativecommons.org.evil.example/licenses/by/4.0/", None),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
    ],
)
def test_addresses_of_licences_become_their_names(told: str, wanted: str | None) -> None:
    found = read(license=told)
    assert (found.license, DataRecord.from_croissant(found).license) == (told, wanted)


@pytest.mark.parametrize("given", ["text", None, 7])
def test_what_is_no_bytes_is_refused(given: Any) -> None:
    for reader, where in ((read_croissant, "croissant"), (read_hub, "hub"), (read_oci, "oci")):
        with pytest.raises(UsageError) as refused:
            reader(given)
        assert (refused.value.where, refused.value.found) == (where, type(given).__name__)
    with pytest.raises(UsageError) as pointer:
        read_lfs_pointer(given, "a")
    assert pointer.value.where == "data"


@pytest.mark.parametrize("answer", [TREE, MODEL])
def test_a_file_that_was_read_has_the_size_that_the_hub_tells(answer: object) -> None:
    found = read_hub(raw(answer), name="acme/tiny")
    for wrong in (
        FileEntry(name="config.json", size=3, sha256=SMALL.sha256),
        FileEntry(name="a.bin", size=8, sha256=CD),
    ):
        with pytest.raises(FieldRefused) as refused:
            found.manifest("model", also=[SMALL, wrong])
        assert (refused.value.code, refused.value.where) == ("malformed.field", wrong.name)
        assert refused.value.found == f"{wrong.size} bytes"


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_croissant_is_refused(case: str) -> None:
    data, error, where = REFUSED[case]
    with pytest.raises(error) as refused:
        read_croissant(data)
    assert (type(refused.value), refused.value.where) == (error, where)


def test_a_document_is_bounded() -> None:
    with pytest.raises(LimitError):
        read_croissant(document(file()), limits=Limits(header_bytes=100))
    with pytest.raises(LimitError):
        read_croissant(document(file(), file(contentUrl="b")), limits=Limits(tree_files=1))


def test_what_is_stated_matches_what_is_measured_and_stays_declared() -> None:
    data = b"x,y\n"
    stated = read_croissant(document(file(sha256=hashlib.sha256(data).hexdigest()))).stated
    (declared,) = stated.each("dataset")
    assert declared.digests.matches(Blob(data).measure().digests)
    assert declared.is_declared


def test_names_are_safe_wherever_they_come_from() -> None:
    with pytest.raises(FieldRefused) as refused:
        StatedFiles(name="x", files=(FileEntry(name="a\\b", size=1, sha256=AB),), source="somewhere")
    assert refused.value.where == "somewhere"


def test_what_mlcroissant_writes_is_read() -> None:
    package: Any = pytest.importorskip("mlcroissant", reason="the package mlcroissant is not installed")
    one = package.FileObject(id="a", name="a", content_url="data/a.csv", encoding_formats=["text/csv"], sha256=AB)
    other = package.FileObject(
        id="b", name="b.zip", content_url="https://x.example/b.zip", encoding_formats=["application/zip"], md5="12" * 16
    )
    images = package.FileSet(id="images", contained_in=["b"], includes="*.jpg", encoding_formats=["image/jpeg"])
    source = package.Source(file_object="a", extract=package.Extract(column="x"))
    inner = package.Field(id="rows/box/x", data_types=package.DataType.FLOAT, source=source)
    fields = [
        package.Field(id="rows/x", data_types=package.DataType.TEXT, source=source),
        package.Field(id="rows/box", sub_fields=[inner]),
    ]
    made = package.Metadata(
        name="tiny",
        description="d",
        url="https://x.example",
        license=["CC0-1.0"],
        version="1.0.0",
        distribution=[one, other, images],
        record_sets=[package.RecordSet(id="rows", fields=fields)],
    )
    found = read_croissant(json.dumps(made.to_json(), default=str).encode())
    assert (found.name, found.version, found.license, found.contained) == ("tiny", "1.0.0", "CC0-1.0", ("images",))
    assert [(f.name, f.sha256) for f in found.stated.files] == [("data/a.csv", AB)]
    assert [(u.name, u.because) for u in found.stated.unusable] == [("b.zip", "MD5 identifies nothing")]
    assert [(f.name, f.dtype) for f in found.fields] == [
        ("rows/x", "sc:Text"),
        ("rows/box", ""),
        ("rows/box/x", "sc:Float"),
    ]
