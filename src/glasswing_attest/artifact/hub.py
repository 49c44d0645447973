r"""Which files does a hub say that a repository holds, and with which digests?

What a hub's API answers is handed over as data; nothing is fetched here. Two answers of Hugging Face are read, and a
Git LFS pointer, which is what a clone holds in place of a large file::

    [{"type": "file", "path": "a.safetensors", "size": 9, "oid": "<git blob>", "lfs": {"oid": "<sha256>", "size": 9}}]
    {"id": "acme/tiny", "sha": "<commit>", "siblings": [{"rfilename": "a.safetensors", "lfs": {"sha256": "<sha256>"}}]}
    version https://git-lfs.github.com/spec/v1\noid sha256:<sha256>\nsize 9\n

Only files kept in LFS have a SHA-256 there. The others have the id of a git blob, which is SHA-1 and not of the bytes
alone; they are told as unusable, and can be read: `StatedFiles.manifest(also=…)`.
"""

from __future__ import annotations

import re

from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.manifest import FileEntry
from glasswing_attest.artifact.source import _LFS
from glasswing_attest.artifact.stated import StatedFiles, Unusable
from glasswing_attest.errors import DigestRefused, FieldRefused, UsageError
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["read_hub", "read_lfs_pointer"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_SHA256 = "the hub tells no SHA-256 of files outside of LFS"


def read_hub(data: bytes, *, name: str = "", where: str = "hub", limits: Limits = DEFAULT) -> StatedFiles:
    """Read what the hub answers for a repository: of ``…/tree/<revision>?recursive=true``, or with ``?blobs=true``.

    The first comes in pages: hand over all of them as one array. What a page leaves out nobody can notice here, and the
    digest of the whole would be another.

    Raises:
        MalformedError: it is neither; with the path.
        LimitError: it is too large.

    >>> answer = b'[{"type": "file", "path": "a.bin", "size": 1, "lfs": {"oid": "' + b"ab" * 32 + b'"}}]'
    >>> read_hub(answer, name="acme/tiny").manifest("model").is_declared
    True
    """
    node = read_json(data, where=where, limits=limits, bound="header_bytes")
    if isinstance(node.value, list):
        kinds = {"file": True, "directory": False}
        items = [item for item in node.array() if item.need("type").one_of(kinds)]
        path, digest = "path", "oid"
    else:
        name = name or node.get_text("id")
        items = node.need("siblings").array()
        path, digest = "rfilename", "sha256"
    limits.check("tree_files", len(items), where=where)
    files = []
    unusable = []
    for item in items:
        lfs = item.get("lfs")
        called = item.need(path).text()
        if lfs is None:
            size = item.get("size")
            told = None if size is None else size.uint64()
            unusable.append(Unusable(name=called, where=item.path, because=_NO_SHA256, size=told))
        else:
            files.append(_entry(called, lfs.need(digest), lfs.get("size") or item.get("size")))
    return StatedFiles(
        name=name,
        files=tuple(sorted(files, key=lambda f: f.name.encode("utf-8", "surrogatepass"))),
        unusable=tuple(unusable),
        source=where,
    )


def _entry(name: str, digest: Node, size: Node | None) -> FileEntry:
    if not _SHA256.fullmatch(digest.text()):
        raise DigestRefused(where=digest.path, found=digest.text(), wanted="64 lowercase hex digits")
    return FileEntry(name=name, size=None if size is None else size.uint64(), sha256=digest.text())


def read_lfs_pointer(data: bytes, name: str, *, where: str = "pointer") -> FileEntry:
    r"""Read a Git LFS pointer: the file that it stands for.

    Raises:
        FieldRefused: it is none.
        UsageError: not bytes.

    >>> pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 9\n" % ("ab" * 32)
    >>> read_lfs_pointer(pointer.encode(), "model.safetensors").size
    9
    """
    if not isinstance(data, bytes):
        raise UsageError(where="data", found=type(data).__name__, wanted="bytes, as they came")
    found = _LFS.fullmatch(data[:2048])
    if found is None:
        raise FieldRefused(where=where, found=data[:40], wanted="a Git LFS pointer, version 1, with a sha256")
    return FileEntry(name=name, size=int(found[2]), sha256=found[1].decode("ascii"))
