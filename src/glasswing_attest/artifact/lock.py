"""What does a lock file allow, and which of its files is the one that is installed?

``pylock.toml`` (PEP 751, PyPA specification "pylock.toml", version 1)::

    lock-version = "1.0"
    created-by = "…"
    [[packages]]
    name = "demo"
    version = "1.0"
    marker = "python_version >= '3.11'"
    wheels = [{name = "demo-1.0-py3-none-any.whl", url = "https://…", size = 1024, hashes = {sha256 = "…"}}]
    sdist = {…}        # or one of: archive = {…}, vcs = {…}, directory = {…}

It is validated by `packaging.pylock`, and read from there into values that hold nothing secret. Which of several wheels
is installed follows from the tags that the installed package names, or from the wheels themselves where they are at
hand. Where more than one fits, none is named.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from packaging.markers import Environment as MarkerEnvironment
from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import Package as PylockPackage
from packaging.pylock import (
    PackageArchive,
    PackageSdist,
    PackageWheel,
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import InvalidVersion, Version

from glasswing_attest._files import StrPath, read_bounded
from glasswing_attest._wire import Node, decode_utf8
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.installed import InstalledAs, Package, purl_of
from glasswing_attest.artifact.urls import public_url
from glasswing_attest.artifact.wheel import Wheel
from glasswing_attest.errors import FieldRefused, FormatUnsupported, NotYaml
from glasswing_attest.limits import DEFAULT, Limits

__all__ = [
    "Choice",
    "Lock",
    "LockedFile",
    "LockedPackage",
    "choose",
    "enriched",
    "fits_python",
    "holds",
    "same_version",
]

_NAMES = re.compile(r"'[^']*'|\"[^\"]*\"|([a-z_]+)")
_VARIABLES = frozenset(MarkerEnvironment.__annotations__) - {"extra"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """A file that a package can be installed from. `tags` are those of a wheel's name; an sdist or archive has none."""

    name: str
    url: str = ""
    digests: DigestSet
    size: int | None = None

    @property
    def tags(self) -> frozenset[str]:
        """The tags of a wheel, as its name says; of another file, none."""
        return frozenset(map(str, parse_wheel_filename(self.name)[3])) if self.name.endswith(".whl") else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """A package of a lock.

    Attributes:
        name: normalised.
        version: "" where the lock leaves it out, as it may for what is built from a repository or directory.
        installed_as: how it is to be installed.
        url: of the archive, repository or directory, without anything secret; "" for what is had by name.
        vcs, commit: the commit to build it from.
        subdirectory: where in it the package lies.
        marker: for which environments it is meant; "" for all.
        requires_python: the versions of Python that it is meant for; "" for all.
        files: what it can be installed from.
    """

    name: str
    version: str = ""
    installed_as: InstalledAs = "index"
    url: str = ""
    vcs: str = ""
    commit: str = ""
    subdirectory: str = ""
    marker: str = ""
    requires_python: str = ""
    files: tuple[LockedFile, ...] = ()

    @property
    def purl(self) -> str:
        """Its package URL."""
        return purl_of(self.name, self.version, self.installed_as, self.url, self.vcs, self.commit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock file.

    >>> lock = Lock.parse(b'''
    ... lock-version = "1.0"
    ... created-by = "me"
    ... [[packages]]
    ... name = "demo"
    ... version = "1.0"
    ... [[packages.wheels]]
    ... name = "demo-1.0-py3-none-any.whl"
    ... url = "https://user:secret@files.example/demo-1.0-py3-none-any.whl"
    ... hashes = {sha256 = "0000000000000000000000000000000000000000000000000000000000000000"}
    ... ''')
    >>> lock.packages[0].files[0].url
    'https://files.example/demo-1.0-py3-none-any.whl'

    Attributes:
        name: its file name.
        digests: the ``sha256`` of its bytes.
        created_by: the program that wrote it.
        requires_python: the versions of Python that it is meant for; "" for all.
        environments: the markers of which one must hold; none for all environments.
        packages: what it names, in its order.
        extras: the extras of the locked project to install; none unless said.
        default_groups: the dependency groups that are installed unless others are asked for.
        groups: the dependency groups to install.
    """

    name: str
    digests: DigestSet
    created_by: str
    requires_python: str = ""
    environments: tuple[str, ...] = ()
    packages: tuple[LockedPackage, ...]
    extras: frozenset[str] = frozenset()
    default_groups: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: StrPath, *, limits: Limits = DEFAULT) -> Lock:
        """Read a lock file. Raises what `parse` does, and `ArtifactUnreadable`."""
        data = read_bounded(path, "lock_bytes", limits)
        return cls.parse(data, name=os.path.basename(os.fspath(path)), where=os.fspath(path), limits=limits)  # noqa: PTH119

    @classmethod
    def parse(
        cls, data: bytes, *, name: str = "pylock.toml", where: str = "pylock.toml", limits: Limits = DEFAULT
    ) -> Lock:
        """Read the bytes of a lock file.

        Raises:
            MalformedError: not UTF-8, not TOML, or not what PEP 751 says, with the place within it.
            FormatUnsupported: of another version of the format.
            LimitError: too large, or too many packages or files.
        """
        limits.check("lock_bytes", len(data), where=where)
        text = decode_utf8(data, where=where)
        try:
            raw = tomllib.loads(text)
        except (ValueError, RecursionError) as e:  # a number too long to read is a plain ValueError
            raise NotYaml(where=where, because=str(e), wanted="TOML 1.0") from e
        try:
            lock = Pylock.from_dict(raw)
        except PylockUnsupportedVersionError as e:
            raise FormatUnsupported(where=where, because=e.message, wanted="lock-version 1.0") from e
        except PylockValidationError as e:
            place = f"{where}:{e.context}" if e.context else where
            raise FieldRefused(where=place, because=e.message, wanted="a lock file as PEP 751 says") from e
        limits.check("dependencies", len(lock.packages), where=f"{where}:packages")
        return cls(
            name=name,
            digests=DigestSet.of(sha256=hashlib.sha256(data).hexdigest()),
            created_by=lock.created_by,
            requires_python=str(lock.requires_python or ""),
            environments=tuple(str(marker) for marker in lock.environments or ()),
            packages=tuple(_package(p, f"{where}:packages[{i}]", limits) for i, p in enumerate(lock.packages)),
            default_groups=tuple(lock.default_groups or ()),
            groups=frozenset(lock.default_groups or ()),
        )

    def choosing(self, extras: Iterable[str] = (), groups: Iterable[str] | None = None) -> Lock:
        """Give the same lock for an installation with these extras and dependency groups."""
        chosen = frozenset(self.default_groups if groups is None else groups)
        return dataclasses.replace(self, extras=frozenset(extras), groups=chosen)


# --- reading ---------------------------------------------------------------------------------------------------------


def _package(package: PylockPackage, where: str, limits: Limits) -> LockedPackage:
    locked = LockedPackage(
        name=package.name,
        version="" if package.version is None else str(package.version),
        marker="" if package.marker is None else str(package.marker),
        requires_python="" if package.requires_python is None else str(package.requires_python),
    )
    if package.vcs is not None:
        return dataclasses.replace(
            locked,
            installed_as="vcs",
            url=public_url(package.vcs.url or package.vcs.path or ""),
            vcs=package.vcs.type,
            commit=package.vcs.commit_id,
            subdirectory=package.vcs.subdirectory or "",
        )
    if package.directory is not None:
        return dataclasses.replace(
            locked,
            installed_as="editable" if package.directory.editable else "directory",
            url=package.directory.path,
            subdirectory=package.directory.subdirectory or "",
        )
    if package.archive is not None:
        file = _file(package.archive, f"{where}.archive", limits)
        return dataclasses.replace(
            locked,
            installed_as="direct-url",
            url=public_url(package.archive.url or package.archive.path or ""),
            subdirectory=package.archive.subdirectory or "",
            files=(file,),
        )
    wheels = package.wheels or ()
    limits.check("locked_files", len(wheels), where=f"{where}.wheels")
    files = [_file(wheel, f"{where}.wheels[{i}]", limits) for i, wheel in enumerate(wheels)]
    if package.sdist is not None:
        files.append(_file(package.sdist, f"{where}.sdist", limits))
    if len({file.name for file in files}) != len(files):
        raise FieldRefused(where=where, because="it names a file twice")
    return dataclasses.replace(locked, files=tuple(files))


def _file(found: PackageWheel | PackageSdist | PackageArchive, where: str, limits: Limits) -> LockedFile:
    place = f"{where}.hashes"
    digests = DigestSet.parse(Node(dict(found.hashes), place), limits=limits)
    if not digests.identity:
        raise FieldRefused(where=place, found=", ".join(found.hashes), wanted="a strong hash, such as sha256")
    if found.size is not None and not 0 <= found.size < 2**64:
        raise FieldRefused(where=f"{where}.size", found=found.size, wanted="a size")
    name = PurePosixPath(found.url or found.path or "").name if isinstance(found, PackageArchive) else found.filename
    return LockedFile(
        name=name.partition("?")[0].partition("#")[0],
        url=public_url(found.url or ""),
        digests=digests,
        size=found.size,
    )


# --- choosing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which file an installed package was installed from.

    Attributes:
        file: the file; None where that cannot be told.
        because: why it cannot be told; "" where it can.
        is_foreign: it was installed from none of them.
        differs: the file by which what is installed differs from the wheels that are at hand; "" where it does not.
        is_proved: the wheel's bytes were read, and what RECORD says is what lies in it.
        unproved: the programs of which that cannot be said, since the installer wrote them.
    """

    file: LockedFile | None = None
    because: str = ""
    is_foreign: bool = False
    differs: str = ""
    is_proved: bool = False
    unproved: tuple[str, ...] = ()


def choose(package: Package, files: tuple[LockedFile, ...], wheels: Iterable[Wheel] = ()) -> Choice:
    """Tell which of the files the package was installed from.

    The digest that the installer noted (PEP 610) decides first, then wheels that are at hand, then the tags of the
    wheel. If several files fit, none is chosen.
    """
    if not files:
        return Choice(because="no file to install it from is named")
    if package.installed_as == "direct-url" and package.digests:
        noted = tuple(file for file in files if file.digests.matches(package.digests))
        if len(noted) != 1:
            return Choice(is_foreign=True)
        files = noted
    # The tags that the package tells of itself do not matter here: who changed its files may have changed them as well.
    read = [(file, w) for file in files for w in wheels if w.name == package.name and w.digests.matches(file.digests)]
    same = {file.name: (file, wheel) for file, wheel in read if not wheel.difference(package)}
    if len(same) == 1:
        ((file, wheel),) = same.values()
        return Choice(file=file, is_proved=True, unproved=wheel.unproved(package))
    if read and not same:
        return Choice(differs=read[0][1].difference(package))
    fitting = [file for file in files if file.tags and file.tags == frozenset(package.tags)]
    if len(files) == 1 and package.digests:
        fitting = list(files)
    if len(fitting) == 1:
        return Choice(file=fitting[0])
    if fitting:
        names = ", ".join(file.name for file in fitting)
        return Choice(because=f"several of the locked wheels fit: {names}")
    return Choice(because="none of the locked wheels has its tags; perhaps it was built from its source")


def enriched(
    packages: Iterable[Package], lock: Lock, markers: Mapping[str, str], wheels: Iterable[Wheel] = ()
) -> tuple[Package, ...]:
    """Give the packages with digest, file name and URL from the lock, where it is clear which file is meant.

    A package that the lock does not name, names in another version, or for which several files fit, stays as it is.
    """
    wheels = tuple(wheels)
    return tuple(_enriched(package, lock, markers, wheels) for package in packages)


def _enriched(package: Package, lock: Lock, markers: Mapping[str, str], wheels: tuple[Wheel, ...]) -> Package:
    named = [
        locked
        for locked in lock.packages
        if locked.name == package.name
        and (not locked.version or same_version(locked.version, package.version))
        and holds(locked.marker, markers, lock.extras, lock.groups) is not False
    ]
    if len(named) != 1 or named[0].installed_as != package.installed_as:
        return package
    choice = choose(package, named[0].files, wheels)
    if choice.file is None:
        return package
    return dataclasses.replace(
        package,
        digests=choice.file.digests,
        digest_from="artifact" if choice.is_proved else package.digest_from or "lock",
        filename=choice.file.name,
        url=package.url or choice.file.url,
    )


def same_version(one: str, other: str) -> bool:
    """Tell whether two versions are the same (PEP 440); what is no version must be spelled the same.

    >>> same_version("1.0", "1.0.0"), same_version("1.0+cu121", "1.0")
    (True, False)
    """
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def holds(
    marker: str, markers: Mapping[str, str], extras: Iterable[str] = (), groups: Iterable[str] = ()
) -> bool | None:
    """Tell whether a marker holds in an environment; None where it asks for what is not known of that.

    >>> holds("python_version >= '3.11'", {"python_version": "3.12"})
    True
    >>> holds("platform_release == '6.1'", {"python_version": "3.12"}) is None
    True
    """
    if not marker:
        return True
    asked = {word for word in _NAMES.findall(marker) if word in _VARIABLES}
    if not asked <= markers.keys():
        return None
    environment: dict[str, Any] = {**markers, "extras": frozenset(extras), "dependency_groups": frozenset(groups)}
    try:
        return Marker(marker).evaluate(environment, context="lock_file")
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError):
        return None


def fits_python(requires: str, markers: Mapping[str, str]) -> bool | None:
    """Tell whether the environment's Python is one of those that are asked for; None where that is not known."""
    if not requires:
        return True
    version = markers.get("python_full_version", "")
    try:
        return SpecifierSet(requires).contains(version, prereleases=True) if version else None
    except InvalidSpecifier:
        return None
