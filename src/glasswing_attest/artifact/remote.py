"""What files are below a URL, and what are their digests?

An object store, a web server, a hub: whatever `fsspec` opens. Every byte is read here, so what it gives is measured,
not declared, and it is the same manifest that the same files on a disk have. As a store has no open directories and no
inode, what was listed is compared with a second listing at the end: sizes, and whatever the store tells of a version
(ETag, generation, checksum, time). A store that tells none of these could exchange a file by one of the same size
between listing and reading unnoticed; the digests are of the bytes that were read in any case.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from glasswing_attest.artifact.extras import needed
from glasswing_attest.artifact.hashing import Meter, Progress
from glasswing_attest.artifact.manifest import FileEntry, Manifest, name_problem
from glasswing_attest.artifact.spread import spread
from glasswing_attest.artifact.urls import public_url
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    GlasswingError,
    NameRefused,
    UnavailableError,
    UsageError,
)
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Remote"]

_BUFFER = 4 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_IPV6 = re.compile(r"\[[0-9a-fA-F:.]*\]")
_URL = re.compile(r"[A-Za-z][\w+.-]*:/\S+")
_WORD = re.compile(r"\w+")
# A word of a sentence, or the number of a status. Keys and tokens mix letters with digits, or are longer.
_PLAIN = re.compile(
    r"[A-Z]?[a-z]{0,15}|[A-Z]{2,8}|[A-Z]?[a-z]{1,10}([-'][a-z]{1,10}){1,2}|([A-Z][a-z]{2,12}){2,4}|[0-9]{1,3}"
)
# What stores call a version of a file's content. Names differ; those that are there must stay the same.
_STAMPS = (
    *("ETag", "etag", "generation", "metageneration", "version_id", "VersionId", "md5Hash", "crc32c", "content_md5"),
    *(
        "checksum",
        "hash",
        "oid",
        "blob_id",
        "sha",
        "LastModified",
        "Last-Modified",
        "last_modified",
        "updated",
        "modified",
        "mtime",
    ),
    *("created", "ino"),
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A directory or a single file at a URL: ``Remote("s3://bucket/model", kind="model")``. Needs the extra ``fsspec``.

    Attributes:
        url: where it is, for `fsspec`: ``s3://``, ``gs://``, ``hf://``, ``https://``, ``memory://``.
        kind: what it is used as: ``model``, ``dataset``, ``file``.
        name: what to call it; by default the last part of the URL.
        exclude: exact paths relative to the directory that are left out with all that is below them.
        options: what the filesystem is opened with, such as credentials. Never written, told or compared.
    """

    url: str
    kind: str = "model"
    name: str = ""
    exclude: Iterable[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.exclude, str):
            raise UsageError(where="exclude", found=self.exclude, wanted='a tuple of paths, such as (".git",)')
        object.__setattr__(self, "exclude", tuple(self.exclude))
        for path in self.exclude:
            problem = name_problem(path)
            if problem:
                raise UsageError(where="exclude", found=path, wanted="an exact path", because=problem)

    def __repr__(self) -> str:
        return f"Remote({self.where!r}, kind={self.kind!r})"

    @property
    def where(self) -> str:
        """The URL, without what may be secret."""
        return _public(self.url)

    def measure(
        self, *, progress: Progress | None = None, limits: Limits = DEFAULT, executor: Executor | None = None
    ) -> Manifest:
        """Read and hash every file, and give what was found.

        Args:
            progress: is called as files are done.
            limits: bounds on the number of files, the depth and the length of names.
            executor: where to read: threads by default; any whose workers can open the same URL.

        Raises:
            ArtifactError: it cannot be read, is empty or irregular, has a name that is refused, or changes meanwhile.
            LimitError: it is too large or too deep.
            UnavailableError: `fsspec`, or what it needs for this kind of URL, is not installed.
        """
        fs, root = _opened(self.url, self.options)
        before, is_tree, excluded = _look(fs, root, self, limits)
        if not before:
            raise ArtifactEmpty(where=self.where, because="everything in it is excluded" if excluded else "")
        names = sorted(before, key=lambda name: name.encode("utf-8"))
        meter = Meter(progress, sum(size for _, size, _ in before.values()))
        # Threads share the filesystem; elsewhere it is opened again.
        shared = fs if executor is None or isinstance(executor, ThreadPoolExecutor) else None
        jobs = (
            (shared, self.url, dict(self.options), before[name][0], before[name][1], self._at(name, is_tree))
            for name in names
        )
        entries = []
        for name, digest in zip(names, spread(_hash, jobs, executor, _is_hex), strict=True):
            entries.append(FileEntry(name=name, size=before[name][1], sha256=digest))
            meter.advance(name, before[name][1])
        after, still_tree, still_excluded = _look(fs, root, self, limits)
        if (still_tree, still_excluded) != (is_tree, excluded) or after != before:
            changed = next((n for n in sorted(before.keys() | after.keys()) if before.get(n) != after.get(n)), "")
            raise ArtifactUnstable(where=self._at(changed, is_tree), because="the second listing differs")
        called = self.name or _last(root)
        if is_tree:
            return Manifest.of_tree(self.kind, entries, name=called, excluded=excluded, measured_by=self)
        return Manifest.of_file(self.kind, entries[0], name=called, measured_by=self)

    def _at(self, name: str, is_tree: bool) -> str:
        return f"{self.where.rstrip('/')}/{name}" if is_tree and name else self.where


# Path to open, size, and what the store tells of the version.
_Listed = dict[str, tuple[str, int, tuple[tuple[str, str], ...]]]


def _opened(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """Open the filesystem of a URL, and give the path in it."""
    core = needed("fsspec.core", "fsspec")
    where = _public(url)
    try:
        fs, root = core.url_to_fs(url, **options)
    except ImportError as e:
        do = "install what fsspec names for this kind of URL, such as s3fs, gcsfs or huggingface_hub"
        raise UnavailableError(where=where, because=str(e), do=do) from e
    except Exception as e:  # noqa: BLE001  # each filesystem has errors of its own
        raise _refused(e, where, url, options) from None
    return fs, str(root)


def _public(url: str) -> str:
    # Of a chain, such as zip://a::https://…, each link may have secrets of its own.
    return "" if "::" in _IPV6.sub("", url) else public_url(url)


def _refused(e: Exception, where: str, url: str, options: Mapping[str, Any]) -> GlasswingError:
    """Turn what a filesystem raises into ours: each has errors of its own, so any is taken.

    Its text may hold a URL with a password or a signature: only its plain words are told. Its traceback holds the text
    as well, so it is raised ``from None``. Whoever needs it calls the filesystem by hand.
    """
    if isinstance(e, OSError) and isinstance(e.errno, int):
        reason = os.strerror(e.errno)
    else:
        try:
            reason = _plain(str(e), {*_texts(options), *_secrets(url)})
        except Exception:  # noqa: BLE001  # nor is its text more than what it says
            reason = ""
    return ArtifactUnreadable(where=where, because=f"{type(e).__name__}: {reason}" if reason else type(e).__name__)


def _texts(value: object) -> Iterator[str]:
    """Give every text in options, however deep, and bytes as text."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value
        elif isinstance(value, str | bytes):
            yield value if isinstance(value, str) else value.decode("utf-8", "replace")


def _secrets(url: str) -> Iterator[str]:
    """Give what of a URL is not told, in pieces, as it stands and decoded."""
    told = set(_WORD.findall(_public(url)))
    for text in (url, unquote(url)):
        yield from (word for word in _WORD.findall(text) if word not in told)


def _plain(text: str, secrets: Iterable[str]) -> str:
    """Give the plain words of a text: no URL, no number of more than three digits, nothing that is in a secret."""
    hidden = {word for secret in secrets for word in _WORD.findall(secret)}
    words = []
    for word in _URL.sub("…", text[:1000]).split():
        inner = word.strip(".,:;!?()[]{}<>'\"")
        is_plain = _PLAIN.fullmatch(inner) is not None and hidden.isdisjoint(_WORD.findall(inner))
        words.append(word if is_plain else "…")
    told = " ".join(word for word, before in zip(words, ["", *words], strict=False) if (word, before) != ("…", "…"))
    return "" if told == "…" else f"{told[:200]}…" if len(told) > 200 else told


def _look(fs: Any, root: str, remote: Remote, limits: Limits) -> tuple[_Listed, bool, tuple[str, ...]]:
    """List everything below the root: name, path, size, stamps; whether it is a tree; what was left out."""
    where = remote.where
    try:
        fs.invalidate_cache()
        top = fs.info(root)
        if top.get("type") == "file":
            if root.endswith("/") or str(top.get("url", "")).endswith("/"):
                # A web server's page of links is no directory: nobody says that it is complete.
                wanted = "a file, or the directory of a store that lists directories"
                raise ArtifactIrregular(where=where, found="a web page", wanted=wanted)
            name = _last(root)
            return {_checked(name, where, limits): (root, *_stamp(top, where))}, False, ()
        listed: _Listed = {}
        left_out: list[str] = []
        waiting = [(root, 0)]
        seen: set[str] = set()
        count = 0
        base = root.rstrip("/")
        while waiting:
            folder, depth = waiting.pop()
            for info in fs.ls(folder, detail=True):
                path = str(info["name"])
                bare = path.rstrip("/")
                if bare == folder.rstrip("/"):
                    continue  # a marker that the store keeps for the directory itself
                count += 1
                limits.check("tree_files", count, where=where)
                name = _relative(base, bare, where)
                if name in remote.exclude:
                    left_out.append(name)
                    continue
                limits.check("tree_depth", depth + 1, where=where)
                if info.get("islink") or info.get("type") not in ("file", "directory"):
                    found = "a symlink" if info.get("islink") else str(info.get("type"))
                    at = f"{where.rstrip('/')}/{name}"
                    raise ArtifactIrregular(where=at, found=found, wanted="a file or directory")
                if _checked(name, where, limits) in seen:
                    raise ArtifactUnstable(where=where, found=name, because="the store lists it twice")
                seen.add(name)
                if info["type"] == "directory":
                    waiting.append((path, depth + 1))
                else:
                    listed[name] = (path, *_stamp(info, f"{where.rstrip('/')}/{name}"))
    except GlasswingError:
        raise
    except Exception as e:  # noqa: BLE001  # each filesystem has errors of its own
        raise _refused(e, where, remote.url, remote.options) from None
    return listed, True, tuple(sorted(left_out, key=lambda name: name.encode("utf-8")))


def _relative(base: str, path: str, where: str) -> str:
    # What lies elsewhere (a link on a web page) is not below the root, whatever the listing says.
    if base and not path.startswith(f"{base}/"):
        raise ArtifactIrregular(where=where, found=path, wanted="a file below it")
    return path[len(base) :].lstrip("/") if base else path.lstrip("/")


def _checked(name: str, where: str, limits: Limits) -> str:
    problem = name_problem(name)
    if problem:
        raise NameRefused(where=where, found=name, because=problem)
    limits.check("name_bytes", len(name.encode("utf-8")), where=where)
    return name


def _stamp(info: Mapping[str, Any], where: str) -> tuple[int, tuple[tuple[str, str], ...]]:
    size = info.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ArtifactUnreadable(where=where, because="the store does not tell its size")
    return size, tuple((key, str(info[key])) for key in _STAMPS if info.get(key) is not None)


def _streaming(fs: Any) -> dict[str, int]:
    # A web server need not have ranges, and nothing here jumps about.
    protocols = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
    return {"block_size": 0} if {"http", "https"}.intersection(protocols) else {}


def _is_hex(found: object, *_arguments: object) -> bool:
    return isinstance(found, str) and _SHA256.fullmatch(found) is not None


def _hash(fs: Any, url: str, options: dict[str, Any], path: str, size: int, where: str) -> str:
    """Hash one file. Stands at the top of the module, with plain arguments, so that any executor can run it."""
    if fs is None:
        fs, _ = _opened(url, options)
    digest = hashlib.sha256()
    done = 0
    try:
        with fs.open(path, "rb", **_streaming(fs)) as file:
            while chunk := file.read(_BUFFER):
                done += len(chunk)
                if done > size:
                    break
                digest.update(chunk)
    except FileNotFoundError:
        raise ArtifactUnstable(where=where, because="it disappeared") from None
    except Exception as e:  # noqa: BLE001  # each filesystem has errors of its own
        raise _refused(e, where, url, options) from None
    if done != size:
        raise ArtifactUnstable(where=where, found=f"{done} bytes", wanted=f"{size} bytes")
    return digest.hexdigest()


def _last(root: str) -> str:
    # Where the path is the URL itself (over HTTP), nothing that may be secret becomes a name.
    path = public_url(root) if "://" in root else root
    return path.rstrip("/").rpartition("/")[2].partition("?")[0]
