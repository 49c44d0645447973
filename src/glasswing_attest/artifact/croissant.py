"""What does a Croissant document say of a dataset, and which of it can be held against bytes?

MLCommons Croissant 1.0 and 1.1 (and the drafts before), JSON-LD in the compact form in which it is written::

    {"@context": {…}, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0", "name": "…",
     "distribution": [
       {"@type": "cr:FileObject", "@id": "a.csv", "contentUrl": "data/a.csv", "sha256": "<64 hex digits>"},
       {"@type": "cr:FileSet", "@id": "images", "containedIn": {"@id": "a.zip"}, "includes": "*.jpg"}],
     "recordSet": [{"@type": "cr:RecordSet", "field": [{"@type": "cr:Field", "name": "…", "dataType": "sc:Text"}]}]}

No context is fetched and no address followed. A context that stands elsewhere is known by its address (schema.org's,
and MLCommons' for Croissant), or refused. So is a document without one, a context that gives one of the words read here
another meaning, and one that stands further within. A digest is a SHA-256 of 64 hex digits; MD5, placeholders and files
without a digest are told as unusable, by name. Files within an archive or a repository (`containedIn`) are covered by
its digest, and by nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.manifest import FileEntry, name_problem
from glasswing_attest.artifact.stated import StatedFiles, Unusable
from glasswing_attest.errors import FieldRefused
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Croissant", "CroissantField", "CroissantFile", "read_croissant", "spdx_of"]

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_SCHEMA = ("https://schema.org/", "http://schema.org/")
_CROISSANT = ("http://mlcommons.org/croissant/", "https://mlcommons.org/croissant/", "http://mlcommons.org/schema/")
# The words that are read, and the vocabulary of each.
_WORDS = {
    **dict.fromkeys(
        ("sha256", "name", "version", "license", "url", "distribution", "contentUrl", "description"), _SCHEMA
    ),
    **dict.fromkeys(("containedIn",), (*_SCHEMA, *_CROISSANT)),
    **dict.fromkeys(("md5", "recordSet", "field", "dataType", "isLiveDataset"), _CROISSANT),
    "conformsTo": ("http://purl.org/dc/terms/",),
}
# Contexts that documents name by address.
_REMOTE = re.compile(r"https?://(schema\.org(/|/docs/jsonldcontext\.json(ld)?)?|mlcommons\.org/croissant(/1\.[01])?/?)")
_SPDX = (
    (re.compile(r"https?://creativecommons\.org/licenses/(by(?:-nc)?(?:-sa|-nd)?)/([1-4]\.0|2\.5)/?"), "CC-{}-{}"),
    (re.compile(r"https?://creativecommons\.org/publicdomain/zero/(1\.0)/?"), "CC0-{}"),
    (re.compile(r"https?://(?:www\.)?apache\.org/licenses/LICENSE-(2\.0)(?:\.txt|\.html)?"), "Apache-{}"),
    (re.compile(r"https?://(?:www\.)?opensource\.org/licenses?/mit/?", re.IGNORECASE), "MIT"),
    (re.compile(r"https?://spdx\.org/licenses/([A-Za-z0-9][A-Za-z0-9.+-]*?)(?:\.html|\.json)?/?"), "{}"),
)
_PREFIXES = {"@vocab": _SCHEMA, "sc": _SCHEMA, "cr": _CROISSANT, "ml": _CROISSANT}


@dataclass(frozen=True, slots=True, kw_only=True)
class CroissantFile:
    """A FileObject that stands by itself: what it is called, where it is, and its digest where it has a usable one."""

    name: str
    url: str = ""
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CroissantField:
    """A field of a record set."""

    name: str
    dtype: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Croissant:
    """What a Croissant document says.

    Attributes:
        name, version, license, url: of the dataset; "" where nothing is said.
        conforms_to: the versions of Croissant that it claims.
        is_live: the dataset changes: its digests, if any, are of a moment.
        objects: its files that stand by themselves.
        contained: the names of files and file sets within others. No digest of theirs is believed.
        fields: of its records.
        stated: its files as a manifest has them.
    """

    name: str
    version: str = ""
    license: str = ""
    url: str = ""
    conforms_to: tuple[str, ...] = ()
    is_live: bool = False
    objects: tuple[CroissantFile, ...] = ()
    contained: tuple[str, ...] = ()
    fields: tuple[CroissantField, ...] = ()
    stated: StatedFiles


def read_croissant(data: bytes, *, where: str = "croissant", limits: Limits = DEFAULT) -> Croissant:
    """Read a Croissant document.

    ``read_croissant(data).stated.manifest("dataset")`` gives the declared manifest. There a file is called by its
    `contentUrl` where that is a relative path, else by its `name`, else by its `@id`.

    Raises:
        MalformedError: it is not one; with the path.
        LimitError: it is too large.
    """
    node = read_json(data, where=where, limits=limits, bound="header_bytes")
    _check_context(node)
    if _kind(node) != "Dataset":
        node.need("@type").refuse("sc:Dataset", found=str(node.need("@type").value))
    name = _text(node.need("name"))
    objects: list[CroissantFile] = []
    unusable: list[Unusable] = []
    contained: list[str] = []
    for item in _several(node.get("distribution")):
        _refuse_context(item)
        kind = _kind(item)
        called = _called(item)
        if kind not in ("FileObject", "FileSet"):
            item.need("@type").refuse("cr:FileObject or cr:FileSet", found=kind)
        if item.get("containedIn") is not None:
            contained.append(called)
        elif kind == "FileSet":
            unusable.append(Unusable(name=called, where=item.path, because="a file set names no digests"))
        else:
            sha256, problem = _digest(item)
            if name_problem(called):
                sha256, problem = None, name_problem(called) or ""
            objects.append(CroissantFile(name=called, url=item.get_text("contentUrl"), sha256=sha256))
            if problem:
                unusable.append(Unusable(name=called, where=item.path, because=problem))
    limits.check("tree_files", len(objects), where=where)
    entries = [FileEntry(name=f.name, size=None, sha256=f.sha256) for f in objects if f.sha256]
    live = node.get("isLiveDataset")
    return Croissant(
        name=name,
        version=_said(node, "version"),
        license=_said(node, "license"),
        url=_said(node, "url"),
        conforms_to=tuple(_conforms(node)),
        is_live=live is not None and live.boolean(),
        objects=tuple(objects),
        contained=tuple(contained),
        fields=tuple(_fields(node)),
        stated=StatedFiles(
            name=name,
            files=tuple(sorted(entries, key=lambda f: f.name.encode("utf-8", "surrogatepass"))),
            unusable=tuple(unusable),
            source=where,
        ),
    )


def spdx_of(license_: str) -> str:
    """Give a licence as an SPDX expression: what is no address as it is, the address of a well-known one as its name.

    >>> spdx_of("https://creativecommons.org/licenses/by-sa/4.0/"), spdx_of("MIT"), spdx_of("https://x.example/terms")
    ('CC-BY-SA-4.0', 'MIT', '')
    """
    for address, template in _SPDX:
        found = address.fullmatch(license_)
        if found is not None:
            name = template.format(*found.groups())
            return name.upper() if name.startswith("CC") else name
    return "" if ":" in license_ else license_


def _check_context(node: Node) -> None:
    """Refuse a context in which a word that is read here means something else, or nothing."""
    context = node.need("@context")
    is_known = False
    for part in _several(context):
        if isinstance(part.value, str):
            if not _REMOTE.fullmatch(part.value):
                wanted = "that of schema.org or mlcommons.org/croissant, or one that stands in the document"
                part.refuse(wanted, found=part.value)
            is_known = True
            continue
        if "@import" in part.object():
            part.refuse("a context without @import", found="@import")
        if "@vocab" in part.object():
            is_known = part.get("@vocab") is not None
        prefixes = {name: member.value for name, member in part.members() if isinstance(member.value, str)}
        for word, known in _PREFIXES.items():
            prefix_node = part.get(word)
            if prefix_node is not None and prefix_node.value not in known:
                prefix_node.refuse(f"one of {', '.join(known)}", found=str(prefix_node.value))
        for word, meaning in part.members():
            if isinstance(meaning.value, dict):
                _refuse_context(meaning)
            if word not in _WORDS:
                continue
            inner = meaning.get("@id") if isinstance(meaning.value, dict) else meaning
            if inner is None:
                continue
            prefix, colon, rest = inner.text().partition(":")
            base = prefixes.get(prefix) if colon else ""
            full = f"{base}{rest}" if isinstance(base, str) and base else inner.text()
            if full not in {f"{vocabulary}{word}" for vocabulary in _WORDS[word]}:
                inner.refuse(f"the {word} of Croissant", found=inner.text())
    if not is_known:
        context.refuse("a context with @vocab, that of schema.org", found="words without a meaning")


def _refuse_context(node: Node) -> None:
    """Refuse a context of its own: below it, words may mean something else."""
    context = node.get("@context")
    if context is not None:
        context.refuse("one context, that of the document")


def _kind(node: Node) -> str:
    """Give the type without its prefix; of several the first that is one of ours."""
    names = [re.split(r"[:/#]", item.text())[-1] for item in _several(node.need("@type"))]
    ours = ("Dataset", "FileObject", "FileSet", "RecordSet", "Field")
    return next((name for name in names if name in ours), names[0] if names else "")


def _several(node: Node | None) -> list[Node]:
    """Give the items: in JSON-LD one thing may stand without its array."""
    if node is None:
        return []
    return node.array() if isinstance(node.value, list) else [node]


def _text(node: Node) -> str:
    """Give a text; of a text in several languages the first by the language's tag."""
    if isinstance(node.value, dict):
        tagged = {key: member for key, member in node.members() if not key.startswith("@")}
        value = node.get("@value")
        if value is not None:
            return value.text()
        if not tagged:
            node.refuse("a text")
        return _text(tagged[min(tagged)])
    if isinstance(node.value, list) and node.value:
        return _text(node.array()[0])
    return node.text()


def _said(node: Node, name: str) -> str:
    """Give what is said of the dataset in one text; "" where it is said in another way (a licence as an object)."""
    member = node.get(name)
    value = None if member is None else member.value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else ""


def _conforms(node: Node) -> Iterator[str]:
    for item in _several(node.get("conformsTo") or node.get("dct:conformsTo")):
        yield item.need("@id").text() if isinstance(item.value, dict) else item.text()


def _called(item: Node) -> str:
    url = item.get_text("contentUrl")
    if url and ":" not in url and not name_problem(url):
        return url
    name = item.get("name")
    called = _text(name) if name is not None else ""
    called = called or item.get_text("@id")
    if not called:
        raise FieldRefused(where=item.path, because="it has no name", wanted="a name or an @id")
    return called


def _digest(item: Node) -> tuple[str | None, str]:
    """Give a usable digest, or why there is none."""
    sha256 = item.get("sha256")
    if sha256 is None:
        return None, "MD5 identifies nothing" if item.get("md5") is not None else "it has no digest"
    if not _SHA256.fullmatch(sha256.text()):
        return None, "its sha256 is not 64 hex digits"
    return sha256.text().lower(), ""


def _fields(node: Node) -> Iterator[CroissantField]:
    for records in _several(node.get("recordSet")):
        _refuse_context(records)
        for field in _several(records.get("field")):
            above = (records, field)
            yield _field(field, above)
            for inner in _several(field.get("subField")):
                yield _field(inner, (*above, inner))


def _field(field: Node, above: tuple[Node, ...]) -> CroissantField:
    _refuse_context(field)
    name = field.get_text("@id") or "/".join(_text(part.need("name")) for part in above)
    dtypes = [item.text() for item in _several(field.get("dataType"))]
    description = field.get("description")
    told = "" if description is None else _text(description)
    return CroissantField(name=name, dtype=", ".join(dtypes), description=told)
