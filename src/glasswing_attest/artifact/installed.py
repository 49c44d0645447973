"""What does an installed package say of itself: what it is, where it came from, and which files are its own?

What installers leave in ``NAME-VERSION.dist-info`` (PyPA specifications: recording installed projects, direct URL data
structure, core metadata; PEPs 376, 427, 610 and 627)::

    METADATA          Name: demo ⏎ Version: 1.0
    RECORD            path,sha256=<base64url without padding>,size         one line a file
    WHEEL             Tag: py3-none-any                                    one line a tag
    INSTALLER         pip
    direct_url.json   {"url": …, "vcs_info" | "archive_info" | "dir_info": {…}}

All of it was written by whoever could write to the environment. It is read here from bytes, strictly, and proves
nothing by itself.
"""

from __future__ import annotations

import csv
import io
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from typing import Literal, TypeAlias
from urllib.parse import quote

from packaging.utils import InvalidName, canonicalize_name

from glasswing_attest._wire import Node, decode_base64, decode_utf8, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.manifest import name_problem
from glasswing_attest.artifact.urls import public_url
from glasswing_attest.errors import Base64Refused, DigestRefused, FieldMissing, FieldRefused
from glasswing_attest.limits import DEFAULT, Limits

__all__ = [
    "VARYING",
    "DigestOrigin",
    "Direct",
    "InstalledAs",
    "OwnedFile",
    "Package",
    "by_name",
    "is_bytecode",
    "parse_direct_url",
    "parse_installer",
    "parse_metadata",
    "parse_record",
    "parse_tags",
    "purl_of",
    "tells_sources",
]

InstalledAs: TypeAlias = Literal["index", "direct-url", "vcs", "editable", "directory", "unknown"]
"""How a package came into an environment: by its name, from a URL, from a commit, from a directory that stays in use,
from a directory that was copied; ``unknown`` where the installer is not one that would say."""

DigestOrigin: TypeAlias = Literal["artifact", "lock", "direct-url", "declared"]
"""Where a package's digest comes from: from the bytes of its wheel, compared with what is installed; from a lock file;
from what the installer wrote down; from somebody's word."""

VARYING = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"})
"""What an installer writes into ``.dist-info`` to tell how and where a package was installed."""

# Installers that write direct_url.json for whatever is not had by name (PEP 610): only of them its absence says so.
_TELLING = frozenset({"pip", "uv", "poetry", "pdm"})


_NO_DIGEST = DigestSet(())


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedFile:
    """A line of a package's RECORD: a file that it calls its own.

    Attributes:
        name: relative to the prefix; as it stands in RECORD where that leads out of the prefix.
        sha256: as RECORD says; "" where it says none, or one of another algorithm.
        is_outside: it lies outside of the prefix, and is never read.
    """

    name: str
    sha256: str = ""
    is_outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """What ``direct_url.json`` says: where a package came from that was not had by its name."""

    installed_as: InstalledAs
    url: str
    commit: str = ""
    vcs: str = ""
    subdirectory: str = ""
    digests: DigestSet = _NO_DIGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package, by its own words.

    Attributes:
        name: normalised (PEP 503).
        version: as its METADATA says.
        purl: the package URL; ``pkg:generic/…`` for what no index has under that name.
        installed_as: how it came here.
        url: where it was had from, without anything secret; "" where nobody said.
        vcs, commit: the commit that it was built from.
        subdirectory: where in the archive, repository or directory it lies.
        digests: of the artifact that it was installed from (a wheel, sdist or archive), or of the commit.
        digest_from: who says so; "" without digests.
        filename: the artifact's file name, where it is known.
        record_sha256: of the bytes of RECORD. It depends on where the environment lies, if scripts name that.
        dir_hash: the ``dirHash`` of its files, as far as they stand in the environment's manifest, by RECORD's words:
            the same wherever the package is installed. "" where not every file has a sha256, or nothing was measured.
        generated: its programs whose bytes are just what an installer writes for its entry points; none where nothing
            was measured.
        installer: what INSTALLER says.
        tags: those of its wheel.
        metadata: its ``.dist-info`` directory, relative to the prefix.
        files: the lines of RECORD.
        has_record: there is a RECORD, so that its files can be told from others.
    """

    name: str
    version: str
    purl: str
    installed_as: InstalledAs
    url: str = ""
    vcs: str = ""
    commit: str = ""
    subdirectory: str = ""
    digests: DigestSet = _NO_DIGEST
    digest_from: DigestOrigin | Literal[""] = ""
    filename: str = ""
    record_sha256: str = ""
    dir_hash: str = ""
    generated: tuple[str, ...] = ()
    installer: str = ""
    tags: tuple[str, ...] = ()
    metadata: str = ""
    files: tuple[OwnedFile, ...] = field(default=(), repr=False)

    @property
    def has_record(self) -> bool:
        """Whether it has a RECORD: without one nobody can tell its files from others."""
        return bool(self.record_sha256)

    @property
    def label(self) -> str:
        """One short name for people: ``name==version``."""
        return f"{self.name}=={self.version}"


def is_bytecode(name: str) -> bool:
    """Tell whether a file is compiled code beside its source, which the interpreter writes and rewrites.

    >>> is_bytecode("demo/__pycache__/a.cpython-311.pyc"), is_bytecode("demo/a.pyc")
    (True, False)
    """
    # One outside of __pycache__ has no source that would be preferred to it, and is a file like any other.
    return "__pycache__" in name.split("/")[:-1]


def purl_of(name: str, version: str, installed_as: InstalledAs, url: str = "", vcs: str = "", commit: str = "") -> str:
    """Give the package URL (purl). What no index has under that name is ``generic``.

    >>> purl_of("torch", "2.5.1+cu121", "index")
    'pkg:pypi/torch@2.5.1%2Bcu121'
    >>> purl_of("demo", "1.0", "vcs", "https://git.example/demo", "git", "ab" * 20)[:60]
    'pkg:pypi/demo@1.0?vcs_url=git%2Bhttps://git.example/demo%40a'
    >>> purl_of("demo", "1.0", "editable")
    'pkg:generic/demo@1.0'
    """
    kind = "generic" if installed_as in ("editable", "directory", "unknown") else "pypi"
    purl = f"pkg:{kind}/{quote(name, safe='')}" + (f"@{quote(version, safe='')}" if version else "")
    if installed_as == "vcs" and url:
        return f"{purl}?vcs_url={quote(f'{vcs}+{url}@{commit}', safe=':/')}"
    if installed_as == "direct-url" and url:
        return f"{purl}?download_url={quote(url, safe=':/')}"
    return purl


# --- reading ---------------------------------------------------------------------------------------------------------


def parse_metadata(data: bytes, *, where: str) -> tuple[str, str]:
    """Read METADATA (or PKG-INFO): the normalised name, and the version as it stands there.

    Raises:
        MalformedError: not UTF-8, without name or version, or with a name that is none.
    """
    headers = _headers(data, where)
    values = []
    for key in ("Name", "Version"):
        found = headers.get_all(key, [])
        if len(found) != 1:
            if not found:
                raise FieldMissing(where=f"{where}:{key}")
            raise FieldRefused(where=f"{where}:{key}", found=f"{len(found)} times", wanted="it once")
        values.append(str(found[0]).strip())
    name, version = values
    try:
        normalised = canonicalize_name(name, validate=True)
    except InvalidName as e:
        raise FieldRefused(where=f"{where}:Name", found=name, wanted="a package's name") from e
    if not version or not version.isprintable() or " " in version:
        raise FieldRefused(where=f"{where}:Version", found=version, wanted="a version")
    return normalised, version


def parse_tags(data: bytes, *, where: str) -> tuple[str, ...]:
    """Read the tags that WHEEL names, sorted."""
    return tuple(sorted({str(tag).strip() for tag in _headers(data, where).get_all("Tag", [])}))


def _headers(data: bytes, where: str) -> Message:
    return HeaderParser().parsestr(decode_utf8(data, where=where), headersonly=True)


def parse_installer(data: bytes, *, where: str) -> str:
    """Read INSTALLER: one word or few, in lower case; "" where it is empty."""
    text = decode_utf8(data, where=where).strip()
    if not text.isprintable():
        raise FieldRefused(where=where, found=text, wanted="a name")
    return text.lower()


def tells_sources(installer: str) -> bool:
    """Tell whether this installer says so when a package was not had by its name."""
    return installer.partition(" ")[0] in _TELLING


def parse_direct_url(data: bytes, *, where: str, limits: Limits = DEFAULT) -> Direct:
    """Read ``direct_url.json`` (PEP 610). User, password, query and fragment of the URL are not kept.

    Raises:
        MalformedError: not strict JSON, or not of exactly one of the three kinds.
    """
    node = read_json(data, where=where, limits=limits)
    url = public_url(node.need("url").text())
    subdirectory = node.get_text("subdirectory")
    infos = {name: info for name in ("vcs_info", "archive_info", "dir_info") if (info := node.get(name)) is not None}
    if len(infos) != 1:
        found = ", ".join(infos) or "none"
        raise FieldRefused(where=where, found=found, wanted="one of vcs_info, archive_info, dir_info")
    ((kind, info),) = infos.items()
    info.object()
    if kind == "vcs_info":
        vcs, commit = info.need("vcs").text(), info.need("commit_id").text()
        digests = _NO_DIGEST
        if vcs == "git":
            digests = DigestSet.parse(Node({"gitCommit": commit}, info.path))
        return Direct(installed_as="vcs", url=url, vcs=vcs, commit=commit, subdirectory=subdirectory, digests=digests)
    if kind == "dir_info":
        editable = info.get("editable")
        installed_as: InstalledAs = "editable" if editable is not None and editable.boolean() else "directory"
        return Direct(installed_as=installed_as, url=url, subdirectory=subdirectory)
    return Direct(installed_as="direct-url", url=url, subdirectory=subdirectory, digests=_archive(info, limits))


def _archive(info: Node, limits: Limits) -> DigestSet:
    hashes = info.get("hashes")
    found = _NO_DIGEST if hashes is None else DigestSet.parse(hashes, limits=limits)
    # The older form: one hash, as "algorithm=value".
    old = info.get_text("hash")
    if old:
        algorithm, _, value = old.partition("=")
        place = f"{info.path}.hash"
        alone = DigestSet.parse(Node({algorithm: value}, place))
        if not found:
            return alone
        if found.get(algorithm) not in (None, value):
            raise DigestRefused(where=place, found=old, wanted=f"{algorithm}={found.get(algorithm)}, as in hashes")
    return found


def parse_record(data: bytes, *, site: str, prefix: str, where: str, limits: Limits = DEFAULT) -> tuple[OwnedFile, ...]:
    """Read RECORD: the files that a package calls its own, in the order of the file.

    Args:
        data: the bytes.
        site: the directory that holds ``.dist-info``, relative to the prefix: paths are relative to it.
        prefix: the prefix's absolute path: a path may be absolute, too.
        where: what to call the file.
        limits: bounds on the number of lines and on the length of names.

    Raises:
        MalformedError: not UTF-8, not three columns, a file twice, a hash that is none.
        LimitError: too many lines.
    """
    limits.check("record_bytes", len(data), where=where)
    limits.check("tree_files", data.count(b"\n"), where=where)
    # Not splitlines(): that would also end a line at characters that may stand in a name.
    lines = io.StringIO(decode_utf8(data, where=where), newline="")
    files: list[OwnedFile] = []
    seen: set[str] = set()
    rows = csv.reader(lines, strict=True)
    while True:
        place = f"{where}:{rows.line_num + 1}"
        try:
            row = next(rows, None)
        except csv.Error as e:
            raise FieldRefused(where=place, because=str(e), wanted="path,hash,size") from e
        if row is None:
            return tuple(files)
        if not row:
            continue
        if len(row) != 3 or not row[0]:
            raise FieldRefused(where=place, found=",".join(row), wanted="path,hash,size")
        limits.check("name_bytes", len(row[0].encode("utf-8", "replace")), where=place)
        file = _owned(row[0], row[1], site, prefix, place)
        if file.name in seen:
            raise FieldRefused(where=place, found=file.name, because="it occurs twice")
        seen.add(file.name)
        files.append(file)


def _owned(path: str, digest: str, site: str, prefix: str, where: str) -> OwnedFile:
    name = posixpath.normpath(path if path.startswith("/") else posixpath.join(prefix, site, path))
    inside = name.startswith(f"{prefix.rstrip('/')}/")
    name = name[len(prefix.rstrip("/")) + 1 :] if inside else path
    if inside and (problem := name_problem(name)):
        raise FieldRefused(where=where, found=path, because=problem)
    algorithm, equals, value = digest.partition("=")
    if digest and not equals:
        raise FieldRefused(where=where, found=digest, wanted="algorithm=value")
    sha256 = ""
    if algorithm == "sha256":
        try:
            raw = decode_base64(value, where=where)
        except Base64Refused as e:
            raise DigestRefused(where=where, found=digest, wanted="sha256= and 43 characters of base64") from e
        if len(raw) != 32:
            raise DigestRefused(where=where, found=digest, wanted="sha256= and 43 characters of base64")
        sha256 = raw.hex()
    return OwnedFile(name=name, sha256=sha256, is_outside=not inside)


def by_name(packages: Iterable[Package]) -> dict[str, tuple[Package, ...]]:
    """Give the packages of each name; more than one is a fault of the environment."""
    found: dict[str, tuple[Package, ...]] = {}
    for package in packages:
        found[package.name] = (*found.get(package.name, ()), package)
    return found
