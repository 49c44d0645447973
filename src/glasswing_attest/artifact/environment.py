"""Which packages are installed in a Python environment, and which files does it hold?

An environment is a directory, the *prefix*, with ``lib/pythonX.Y/site-packages`` below it (a venv, a conda environment,
or where Python itself lies). It is read, never run. Its manifest is the tree of

    * every file of its ``site-packages`` (and ``dist-packages``) directories, and
    * every file elsewhere below the prefix that a package's RECORD names (programs, data, headers),

by names relative to the prefix, so that environments with the same content have the same digest wherever they lie. Left
out is ``__pycache__``, compiled code that the interpreter writes and rewrites; and, named in the manifest, what differs
between two of them:

    * ``RECORD``, ``INSTALLER``, ``REQUESTED``, ``direct_url.json`` and uv's notes in ``*.dist-info``, which tell how
      and where a package was installed;
    * scripts that name the prefix in their first lines.

What is left out is still held against RECORD by `appraisal.dependencies`, but for compiled code, of which RECORD says
nothing. The interpreter and its standard library are not looked at.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from packaging.markers import default_environment

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.hashing import Progress, open_file, sha256_of
from glasswing_attest.artifact.installed import (
    VARYING,
    OwnedFile,
    Package,
    is_bytecode,
    parse_direct_url,
    parse_installer,
    parse_metadata,
    parse_record,
    parse_tags,
    purl_of,
    tells_sources,
)
from glasswing_attest.artifact.launchers import launchers, parse_entry_points, program_of
from glasswing_attest.artifact.manifest import Facts, FileEntry, Manifest, dir_hash
from glasswing_attest.artifact.tree import OnDisk, open_directory
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactError,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    MalformedError,
)
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Environment", "Installed", "StartupFile"]

_SITES = ("site-packages", "dist-packages")
_PYTHON = re.compile(r"(?:python|pypy)(\d+)(?:\.(\d+))?t?")
# The kernel's name and build say nothing of what can be installed, and change with every host.
_NOT_MARKERS = frozenset({"platform_release", "platform_version", "extra"})
_SHEBANG_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupFile:
    """A ``.pth`` file: the interpreter reads it whenever it starts.

    Attributes:
        name: relative to the prefix.
        runs_code: a line of it is code, or it cannot be read.
        paths: the directories that it adds to ``sys.path``.
    """

    name: str
    runs_code: bool
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What was found in an environment, every byte of it read.

    Attributes:
        manifest: the environment as an artifact: what it holds wherever it lies.
        packages: what is installed, by name.
        files: every file that was read, those that the manifest leaves out as well, by name.
        sites: the directories that the interpreter imports from, relative to the prefix.
        bytecode: the ``__pycache__`` directories, of which nothing was read.
        startup: the ``.pth`` files.
        sees_system: packages outside of the prefix are importable as well (``include-system-site-packages``).
        markers: interpreter and platform, as the markers of PEP 508.
    """

    manifest: Manifest
    packages: tuple[Package, ...]
    files: tuple[FileEntry, ...] = field(repr=False)
    sites: tuple[str, ...]
    bytecode: tuple[str, ...] = field(default=(), repr=False)
    startup: tuple[StartupFile, ...] = ()
    sees_system: bool = False
    markers: Facts = field(default_factory=Facts)


class _Site(OnDisk):
    __slots__ = ()
    _kind: ClassVar[str] = "dependency"
    _left_out: ClassVar[frozenset[bytes]] = frozenset({b"__pycache__"})


@dataclass(frozen=True, slots=True, init=False)
class Environment:
    """An installed Python environment, by its prefix; the one that runs this, unless another is named.

    >>> names = [package.name for package in Environment().packages()]
    >>> "glasswing-attest" in names
    True

    Attributes:
        prefix: its directory (``sys.prefix``), absolute.
        name: what to call it; by default the directory's name.
    """

    prefix: Path
    name: str

    def __init__(self, prefix: StrPath | None = None, name: str | None = None) -> None:
        object.__setattr__(self, "prefix", Path(sys.prefix if prefix is None else prefix).absolute())
        object.__setattr__(self, "name", name or self.prefix.name)

    @property
    def kind(self) -> str:
        """What it is used as: ``dependency``."""
        return "dependency"

    @property
    def markers(self) -> Facts:
        """Interpreter and platform, as the environment markers of PEP 508; what cannot be told is not in it."""
        return _markers(self.prefix, _sites(self._root))

    @property
    def _root(self) -> Path:
        return Path(os.path.realpath(self.prefix))

    def packages(self, *, limits: Limits = DEFAULT) -> tuple[Package, ...]:
        """Read what is installed, by name, from what installers wrote down. The packages' files are not read.

        Raises:
            ArtifactError: there is no environment, or what installers wrote cannot be read.
            MalformedError: what they wrote is not what it should be, with its path.
            LimitError: too many packages, or too large a file.
        """
        root = self._root
        found = [package for site in _sites(root) for package, _ in _packages(root, site, limits)]
        return _sorted(found, limits, self.prefix)

    def measure(
        self, *, progress: Progress | None = None, limits: Limits = DEFAULT, executor: Executor | None = None
    ) -> Manifest:
        """Read every file, and give the environment's manifest. See `read` for what is raised."""
        return self.read(progress=progress, limits=limits, executor=executor).manifest

    def read(
        self, *, progress: Progress | None = None, limits: Limits = DEFAULT, executor: Executor | None = None
    ) -> Installed:
        """Read every file, and give what was found.

        Raises:
            ArtifactError: there is no environment, it is empty, holds links or names that are refused, or changes.
            MalformedError: what installers wrote is not what it should be, with its path.
            LimitError: it is too large.
        """
        root = self._root
        sites = _sites(root)
        files: dict[str, FileEntry] = {}
        bytecode: list[str] = []
        for site in sites:
            try:
                seen = _Site(root / site).measure(progress=progress, limits=limits, executor=executor)
            except ArtifactEmpty:
                continue
            files |= {f"{site}/{f.name}": dataclasses.replace(f, name=f"{site}/{f.name}") for f in seen.files}
            bytecode += [f"{site}/{name}" for name in seen.excluded]
        packages: list[Package] = []
        for site in sites:
            for package, parsed in _packages(root, site, limits):
                _require_same(root, files, parsed)
                packages.append(package)
        scripts = _read_outside(root, self.prefix, sites, packages, files)
        varying = {n for n in files if _varies(n, sites)} | scripts
        manifest = Manifest.of_tree(
            self.kind,
            [entry for name, entry in files.items() if name not in varying],
            name=self.name,
            excluded=varying,
            location=self.prefix,
            measured_by=self,
        )
        owned = [
            dataclasses.replace(
                p, dir_hash=_dir_hash(p, varying), generated=_generated(root, self.prefix, sites, p, files, limits)
            )
            for p in packages
        ]
        return Installed(
            manifest=manifest,
            packages=_sorted(owned, limits, self.prefix),
            files=tuple(sorted(files.values(), key=lambda f: f.name.encode("utf-8"))),
            sites=sites,
            bytecode=tuple(sorted(bytecode)),
            startup=tuple(_startup(root, sites, files, limits)),
            sees_system=_sees_system(root),
            markers=_markers(self.prefix, sites),
        )


# --- where packages lie ----------------------------------------------------------------------------------------------


def _sites(root: Path) -> tuple[str, ...]:
    """The directories that packages are installed into, relative to the prefix.

    An interpreter imports through links as well. So one is passed over only if it leads to a directory that is read
    anyway, as ``lib64`` leads to ``lib`` in a venv.
    """
    found: list[str] = []
    links: list[str] = []
    for library in ("lib", "lib64"):
        for python in filter(_PYTHON.fullmatch, _directories(root / library, links=True)):
            for name in _SITES:
                site = f"{library}/{python}/{name}"
                if (root / site).is_dir():
                    (found if os.path.realpath(root / site) == str(root / site) else links).append(site)
    for site in links:
        target = os.path.realpath(root / site)
        if target not in {str(root / name) for name in found}:
            raise ArtifactIrregular(where=str(root / site), found=f"a link to {target}", wanted="a directory")
    if not found:
        raise ArtifactUnreadable(
            where=str(root),
            because="there is no Python environment",
            wanted="a prefix, with lib/pythonX.Y/site-packages below it",
        )
    return tuple(sorted(found))


def _directories(path: Path, *, links: bool = False) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=links)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as e:
        raise ArtifactUnreadable(where=str(path), because=e.strerror or str(e)) from e


def _sorted(packages: Iterable[Package], limits: Limits, where: Path) -> tuple[Package, ...]:
    found = sorted(packages, key=lambda p: (p.name, p.version, p.metadata))
    limits.check("dependencies", len(found), where=str(where))
    return tuple(found)


# --- one package -----------------------------------------------------------------------------------------------------


def _packages(root: Path, site: str, limits: Limits) -> Iterator[tuple[Package, dict[str, bytes]]]:
    """Read every package of a site, each with the bytes that were read for it, by name."""
    for directory in sorted(_directories(root / site)):
        if directory.endswith((".dist-info", ".egg-info")):
            yield _package(root, site, directory, limits)


def _package(root: Path, site: str, directory: str, limits: Limits) -> tuple[Package, dict[str, bytes]]:
    base = f"{site}/{directory}"
    parsed: dict[str, bytes] = {}

    def content(name: str) -> bytes | None:
        data = _content(root, f"{base}/{name}", limits)
        if data is not None:
            parsed[f"{base}/{name}"] = data
        return data

    def place(name: str) -> str:
        return str(root / base / name)

    metadata = "METADATA" if directory.endswith(".dist-info") else "PKG-INFO"
    data = content(metadata)
    if data is None:
        raise ArtifactUnreadable(where=place(metadata), because="a package without it cannot be named")
    name, version = parse_metadata(data, where=place(metadata))
    record, wheel, installer, direct = (content(n) for n in ("RECORD", "WHEEL", "INSTALLER", "direct_url.json"))
    by = "" if installer is None else parse_installer(installer, where=place("INSTALLER"))
    tags = () if wheel is None else parse_tags(wheel, where=place("WHEEL"))
    files: tuple[OwnedFile, ...] = ()
    if record is not None:
        files = parse_record(record, site=site, prefix=str(root), where=place("RECORD"), limits=limits)
    package = Package(
        name=name,
        version=version,
        purl="",
        installed_as="index" if tells_sources(by) else "unknown",
        record_sha256="" if record is None else hashlib.sha256(record).hexdigest(),
        installer=by,
        tags=tags,
        metadata=base,
        files=files,
    )
    if direct is not None:
        said = parse_direct_url(direct, where=place("direct_url.json"), limits=limits)
        package = dataclasses.replace(
            package,
            installed_as=said.installed_as,
            url=said.url,
            vcs=said.vcs,
            commit=said.commit,
            subdirectory=said.subdirectory,
            digests=said.digests,
            digest_from="direct-url" if said.digests else "",
            filename=said.url.rpartition("/")[2] if said.installed_as == "direct-url" else "",
        )
    purl = purl_of(name, version, package.installed_as, package.url, package.vcs, package.commit)
    return dataclasses.replace(package, purl=purl), parsed


def _content(root: Path, name: str, limits: Limits) -> bytes | None:
    """Read a file below the prefix whole, following no link; None where there is none."""
    where = str(root / name)
    *above, last = (os.fsencode(part) for part in name.split("/"))
    with open_directory(os.fsencode(root), tuple(above), where, seen=False) as directory:
        try:
            os.stat(last, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return None
        fd = open_file(last, dir_fd=directory, where=where, seen=False)
    with os.fdopen(fd, "rb") as file:
        data = file.read(limits.record_bytes + 1)
    limits.check("record_bytes", len(data), where=where)
    return data


def _require_same(root: Path, files: dict[str, FileEntry], parsed: dict[str, bytes]) -> None:
    """Refuse where what was parsed is not what was measured: somebody wrote in between."""
    for name, data in parsed.items():
        if name not in files or files[name].sha256 != hashlib.sha256(data).hexdigest():
            raise ArtifactUnstable(where=str(root / name), because="it was written while the environment was read")


# --- files -----------------------------------------------------------------------------------------------------------


def _varies(name: str, sites: tuple[str, ...]) -> bool:
    """Tell whether a file is one of those that tell how a package was installed."""
    directory, _, last = name.rpartition("/")
    return last in VARYING and directory.endswith(".dist-info") and directory.rpartition("/")[0] in sites


def _read_outside(
    root: Path, prefix: Path, sites: tuple[str, ...], packages: Iterable[Package], files: dict[str, FileEntry]
) -> set[str]:
    """Add what packages own outside of the sites to `files`, and give the names of the scripts that name the prefix."""
    scripts: set[str] = set()
    places = {os.fsencode(root), os.fsencode(prefix)}
    for name in sorted({f.name for p in packages for f in p.files if not f.is_outside}):
        if name in files or is_bytecode(name) or name.startswith(tuple(f"{site}/" for site in sites)):
            continue
        where = str(root / name)
        *above, last = (os.fsencode(part) for part in name.split("/"))
        try:
            with open_directory(os.fsencode(root), tuple(above), where, seen=False) as directory:
                fd = open_file(last, dir_fd=directory, where=where, seen=False)
        except ArtifactUnstable:
            raise
        except ArtifactError:
            continue  # not there, or no regular file: that its owner misses it is found out by whoever appraises
        try:
            head = os.pread(fd, _SHEBANG_BYTES, 0)
            sha256, stamp = sha256_of(fd, where=where)
        finally:
            os.close(fd)
        files[name] = FileEntry(name=name, size=stamp.size, sha256=sha256)
        if head.startswith(b"#!") and any(place in b"\n".join(head.split(b"\n")[:2]) for place in places):
            scripts.add(name)
    return scripts


def _generated(
    root: Path, prefix: Path, sites: tuple[str, ...], package: Package, files: dict[str, FileEntry], limits: Limits
) -> tuple[str, ...]:
    """Name the package's programs whose bytes are what an installer writes for its entry points, and nothing else."""
    points = f"{package.metadata}/entry_points.txt"
    data = _content(root, points, limits) if points in files else None
    if data is None:
        return ()
    _require_same(root, files, {points: data})
    try:
        programs = parse_entry_points(data, where=str(root / points))
    except MalformedError:
        return ()  # then nothing is known to be generated for them
    names = {"python", "python3", *(site.split("/")[1] for site in sites)}
    interpreters = {f"{place}/bin/{name}" for place in (root, prefix) for name in names}
    found: list[str] = []
    for name in {f.name for f in package.files} & files.keys():
        called = program_of(name, programs)
        if called is not None and files[name].sha256 in launchers(called, interpreters):
            found.append(name)
    return tuple(sorted(found))


def _dir_hash(package: Package, varying: set[str]) -> str:
    """The ``dirHash`` of the package's files that stand in the manifest, by what RECORD says of them."""
    kept = [f for f in package.files if not (f.is_outside or is_bytecode(f.name) or f.name in varying)]
    if not kept or not all(f.sha256 for f in kept):
        return ""
    entries = [FileEntry(name=f.name, size=None, sha256=f.sha256) for f in kept]
    return dir_hash(sorted(entries, key=lambda e: e.name.encode("utf-8")))


def _startup(root: Path, sites: tuple[str, ...], files: dict[str, FileEntry], limits: Limits) -> Iterator[StartupFile]:
    """Read the ``.pth`` files that lie directly in a site, as the interpreter's ``site`` module does."""
    for name in sorted(files):
        if name.rpartition("/")[0] not in sites or not name.endswith(".pth"):
            continue
        data = _content(root, name, limits)
        _require_same(root, files, {name: b"" if data is None else data})
        try:
            text = (data or b"").decode("utf-8-sig")
        except UnicodeDecodeError:
            yield StartupFile(name=name, runs_code=True)
            continue
        # Only a "#" in the first column begins a comment; white space before it makes it a path.
        said = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip() and not line.startswith("#")]
        code = [line for line in said if line.startswith(("import ", "import\t"))]
        paths = tuple(line.strip() for line in said if line not in code)
        yield StartupFile(name=name, runs_code=bool(code), paths=paths)


# --- interpreter and platform ----------------------------------------------------------------------------------------


def _sees_system(root: Path) -> bool:
    """Tell whether the interpreter imports from outside of the prefix, as its ``site`` module decides it.

    The file beside the interpreter comes first. One that does not say reads as one that says yes.
    """
    for name in ("bin/pyvenv.cfg", "pyvenv.cfg"):
        config = _config(root, name)
        if config is not None:
            return config.get("include-system-site-packages", "true").lower() == "true"
    return False


def _config(root: Path, name: str = "pyvenv.cfg") -> dict[str, str] | None:
    """Read ``pyvenv.cfg``; None where there is none."""
    if not os.path.lexists(root / name):
        return None
    data = _content(root, name, DEFAULT)
    pairs = (line.partition("=") for line in (data or b"").decode("utf-8", "replace").splitlines())
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def _markers(prefix: Path, sites: tuple[str, ...]) -> Facts:
    """This platform's markers, with the interpreter's version as the prefix tells it."""
    markers = {k: str(v) for k, v in default_environment().items() if k not in _NOT_MARKERS}
    if os.path.realpath(prefix) == os.path.realpath(sys.prefix):
        return Facts(markers)
    # Another interpreter of this machine. What it would say of itself can be told by its files alone, or not at all.
    for name in ("python_version", "python_full_version", "implementation_version"):
        del markers[name]
    pythons = {site.split("/")[1] for site in sites}
    found = {match[0]: match for python in pythons if (match := _PYTHON.fullmatch(python))}
    if len(found) == 1 and all(m[2] for m in found.values()):
        ((name, match),) = found.items()
        markers["python_version"] = f"{match[1]}.{match[2]}"
        is_pypy = name.startswith("pypy")
        markers["implementation_name"] = "pypy" if is_pypy else "cpython"
        markers["platform_python_implementation"] = "PyPy" if is_pypy else "CPython"
    else:
        del markers["implementation_name"], markers["platform_python_implementation"]
    config = _config(Path(os.path.realpath(prefix))) or {}
    full = config.get("version_info") or config.get("version", "")
    full = re.sub(r"(\d+\.\d+\.\d+)\.final\.0", r"\1", full)
    if re.fullmatch(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?", full) and full.startswith(
        f"{markers.get('python_version', '')}."
    ):
        markers["python_full_version"] = full
    return Facts(markers)
