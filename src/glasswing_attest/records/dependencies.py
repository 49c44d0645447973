"""What do we say of dependencies: the packages of an environment or of a lock file, and where each came from?

The predicate ``dependencies/v1``, message ``glasswing.attest.v1.DependencyRecord``; see
``docs/spec/dependency-record.md``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

import pydantic
from packaging.utils import canonicalize_name, is_normalized_name

from glasswing_attest._proto import dependencies_pb2
from glasswing_attest.artifact.digest import DigestSet, Form
from glasswing_attest.artifact.environment import Environment, Installed
from glasswing_attest.artifact.installed import DigestOrigin, InstalledAs, Package
from glasswing_attest.artifact.lock import Lock, LockedFile, LockedPackage, enriched
from glasswing_attest.artifact.manifest import Facts, Manifest
from glasswing_attest.artifact.wheel import Wheel
from glasswing_attest.errors import FieldRefused, PackagesUnpinned
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.records import pins
from glasswing_attest.records.base import (
    PREDICATE_BASE,
    DigestMap,
    Name,
    Part,
    Record,
    ResourceReference,
    Sha256,
    Text,
    TextMap,
    TreeSummary,
    Tuple,
    UInt64,
    completed,
    described_tree,
)

if TYPE_CHECKING:
    from typing import Self

__all__ = ["DependencyRecord", "PackageArtifact", "PinnedPackage"]


class PackageArtifact(Part):
    """A file that a package can be installed from: a wheel, an sdist or another archive.

    Attributes:
        name: its file name.
        url: where it can be had.
        digest: its digests, as in-toto's DigestSet.
        size: its size in bytes.
    """

    message = dependencies_pb2.PackageArtifact

    name: Name
    url: Text | None = None
    digest: DigestMap = Facts()
    size: UInt64 | None = None


class PinnedPackage(Part):
    """One package.

    Attributes:
        name: its name, normalised.
        version: its exact version; None where a lock file leaves it out.
        purl: its package URL.
        installed_as: how it comes into the environment.
        url: where it is had from: archive, repository or directory.
        vcs: the version control system, such as ``git``.
        commit: the commit that it is built from.
        subdirectory: where in the archive, repository or directory it lies.
        artifacts: the files that it can be installed from; of an environment, the one that it was installed from.
        digest_origin: where the digests of the artifacts come from.
        marker: for which environments it is meant (PEP 508).
        requires_python: the versions of Python that it is meant for.
        tags: those of the installed wheel.
        installer: the program that installed it.
        record_sha256: of the bytes of its RECORD.
        dir_hash: the ``dirHash`` of its files, as RECORD lists them.
    """

    message = dependencies_pb2.PinnedPackage

    name: Name
    version: Text | None = None
    purl: Text | None = None
    installed_as: InstalledAs | None = None
    url: Text | None = None
    vcs: Text | None = None
    commit: Text | None = None
    subdirectory: Text | None = None
    artifacts: Tuple[PackageArtifact] = ()
    digest_origin: DigestOrigin | None = None
    marker: Text | None = None
    requires_python: Text | None = None
    tags: Tuple[Text] = ()
    installer: Text | None = None
    record_sha256: Sha256 | None = None
    dir_hash: Sha256 | None = None

    @pydantic.field_validator("name")
    @classmethod
    def _is_normalised(cls, name: str) -> str:
        if not is_normalized_name(name):
            raise ValueError("a package's name is written normalised (PEP 503)")
        return name

    @property
    def locked(self) -> LockedPackage:
        """The package as a lock says it."""
        return LockedPackage(
            name=self.name,
            version=self.version or "",
            installed_as=self.installed_as or "unknown",
            url=self.url or "",
            vcs=self.vcs or "",
            commit=self.commit or "",
            subdirectory=self.subdirectory or "",
            marker=self.marker or "",
            requires_python=self.requires_python or "",
            files=tuple(
                LockedFile(name=a.name, url=a.url or "", digests=DigestSet.of(a.digest), size=a.size)
                for a in self.artifacts
            ),
        )


class _Resource(Protocol):
    """What provenance says of a dependency: a `ResourceDescriptor`, or anything that has its words."""

    @property
    def name(self) -> str: ...
    @property
    def uri(self) -> str: ...
    @property
    def digest(self) -> DigestSet: ...
    @property
    def download_location(self) -> str: ...
    @property
    def annotations(self) -> Mapping[str, object]: ...


class DependencyRecord(Record):
    """What is said of the packages of an environment, or of those that a lock file names.

    >>> record = DependencyRecord(packages=[PinnedPackage(name="demo", version="1.0", installed_as="index")])
    >>> record.to_json().decode()
    '{"packages":[{"installedAs":"INSTALLED_AS_INDEX","name":"demo","version":"1.0"}]}'

    Attributes:
        name: what the environment or lock file is called.
        packages: the packages, each name and marker once.
        tree: the environment's files; None where the record is about a lock file.
        markers: interpreter and platform of the environment, as markers (PEP 508).
        requires_python: the versions of Python that the lock file is meant for.
        lock: the lock file that the record is about, or that the packages' digests come from.
        environments: the environments that the lock file is meant for, as markers of which one must hold.
        default_groups: the dependency groups that the lock file installs unless others are asked for.
    """

    predicate_type = f"{PREDICATE_BASE}/dependencies/v1"
    message = dependencies_pb2.DependencyRecord

    name: Text | None = None
    packages: Tuple[PinnedPackage] = ()
    tree: TreeSummary | None = None
    markers: TextMap = Facts()
    requires_python: Text | None = None
    lock: ResourceReference | None = None
    environments: Tuple[Text] = ()
    default_groups: Tuple[Text] = ()

    @pydantic.model_validator(mode="after")
    def _names_each_package_once(self) -> Self:
        named = [(package.name, package.marker or "") for package in self.packages]
        if len(set(named)) != len(named):
            twice = next(name for i, name in enumerate(named) if name in named[:i])[0]
            raise ValueError(f"the package {twice} is said twice")
        return self

    # --- making one ---------------------------------------------------------------------------------------------------

    @classmethod
    def from_environment(
        cls,
        environment: Environment | Installed,
        *,
        name: str | None = None,
        lock: Lock | None = None,
        wheels: Iterable[Wheel] = (),
        limits: Limits = DEFAULT,
    ) -> Self:
        """Say what is installed, and what is known of where it came from.

        Digests that the installer did not note come from the lock, where it is clear which file of it is installed.

        Raises:
            ArtifactError, MalformedError, LimitError: as `Environment.read`.
            FieldRefused: a package is installed twice.
        """
        found = environment if isinstance(environment, Installed) else environment.read(limits=limits)
        packages = found.packages if lock is None else enriched(found.packages, lock, found.markers, wheels)
        record = cls(
            name=name or found.manifest.name or None,
            packages=[_installed(package) for package in packages],
            markers=found.markers,
            lock=None if lock is None else _reference(lock),
        )
        return record.described_by(found.manifest)

    @classmethod
    def from_lock(cls, lock: Lock, *, name: str | None = None) -> Self:
        """Say what a lock file says. The record is about that very file: attest it with ``File("pylock.toml")``.

        Raises:
            FieldRefused: the lock names a package twice for the same marker.
        """
        return cls(
            name=name or lock.name or None,
            packages=[_locked(package) for package in lock.packages],
            requires_python=lock.requires_python or None,
            lock=_reference(lock),
            environments=lock.environments,
            default_groups=lock.default_groups,
        )

    @classmethod
    def from_dependencies(cls, dependencies: Iterable[_Resource]) -> Self:
        """Say what provenance says of Python packages, as a run of ours records them.

        They are the dependencies whose ``uri`` is a purl of PyPI's kind, and those that `Build.use_environment` says to
        have been installed otherwise (the annotation ``installedAs``). ``uri`` gives name and version, ``digest`` that
        of the artifact, ``downloadLocation`` where it is. What else a run depends on is passed over.

        Raises:
            FieldRefused: a purl that cannot be read, or a package twice.
        """
        return cls(packages=[_from_purl(found) for found in dependencies if _is_package(found)])

    def described_by(self, manifest: Manifest) -> Self:
        """Give this record, its `tree` completed by a measured environment; about a file, the file must be its lock.

        Raises:
            FieldRefused: the record says something else than the manifest.
        """
        if manifest.form is not Form.FILE:
            return described_tree(self, manifest, self.tree)
        if self.tree is not None:
            return described_tree(self, manifest, self.tree)  # which refuses: a file has no tree
        if self.lock is None:
            return self
        return completed(self, {"lock": {"digest": _merged(self.lock.digest, manifest)}}, type(self).__name__)

    # --- rebuilding ---------------------------------------------------------------------------------------------------

    def to_lock(self) -> Lock:
        """Give the record as a lock, without the bytes of one."""
        return Lock(
            name=self.name or "",
            digests=DigestSet.of(self.lock.digest) if self.lock is not None else DigestSet(()),
            created_by="",
            requires_python=self.requires_python or "",
            environments=tuple(self.environments),
            packages=tuple(package.locked for package in self.packages),
            default_groups=tuple(self.default_groups),
            groups=frozenset(self.default_groups),
        )

    def to_pylock(self, *, without: Collection[str] = ()) -> str:
        """Give a ``pylock.toml`` (PEP 751) from which exactly these packages can be installed.

        Args:
            without: packages to leave out, by name.

        Raises:
            PackagesUnpinned: packages have no digest; the error names them.
        """
        return pins.to_pylock(self._kept(without))

    def to_requirements(self, *, without: Collection[str] = ()) -> str:
        """Give requirements with exact versions and hashes, for ``pip install --no-deps --require-hashes -r``.

        Args:
            without: packages to leave out, by name.

        Raises:
            PackagesUnpinned: packages have no sha256 (what is built from a repository or directory never has); the
                error names them.
        """
        return pins.to_requirements(self._kept(without).packages)

    def _kept(self, without: Collection[str]) -> Lock:
        left_out = {canonicalize_name(name) for name in without}
        lock = self.to_lock()
        kept = tuple(package for package in lock.packages if package.name not in left_out)
        if not kept:
            raise PackagesUnpinned(where=self.name or "", found="no package", wanted="at least one")
        return dataclasses.replace(lock, packages=kept)


def _reference(lock: Lock) -> ResourceReference:
    return ResourceReference(name=lock.name or None, digest=lock.digests.to_dict())


def _merged(given: Mapping[str, str], manifest: Manifest) -> Mapping[str, str]:
    # Only what both say is compared: a lock may be named by more digests than were measured now.
    measured = manifest.digests
    if measured.matches(DigestSet.of(given)):
        return given
    return Facts(measured.to_dict())


def _installed(package: Package) -> PinnedPackage:
    artifacts = []
    if package.digests and package.digests.form is Form.FILE:
        name = package.filename or f"{package.name}-{package.version}"
        url = package.url or None
        artifacts = [PackageArtifact(name=name, url=url, digest=package.digests.to_dict())]
    return PinnedPackage(
        name=package.name,
        version=package.version,
        purl=package.purl,
        installed_as=package.installed_as,
        url=(package.url or None) if package.installed_as != "index" else None,
        vcs=package.vcs or None,
        commit=package.commit or None,
        subdirectory=package.subdirectory or None,
        artifacts=artifacts,
        digest_origin=(package.digest_from or None) if artifacts else None,
        tags=package.tags,
        installer=package.installer or None,
        record_sha256=package.record_sha256 or None,
        dir_hash=package.dir_hash or None,
    )


def _locked(package: LockedPackage) -> PinnedPackage:
    return PinnedPackage(
        name=package.name,
        version=package.version or None,
        purl=package.purl,
        installed_as=package.installed_as,
        url=package.url or None,
        vcs=package.vcs or None,
        commit=package.commit or None,
        subdirectory=package.subdirectory or None,
        artifacts=[
            PackageArtifact(name=f.name, url=f.url or None, digest=f.digests.to_dict(), size=f.size)
            for f in package.files
        ],
        digest_origin="lock" if package.files else None,
        marker=package.marker or None,
        requires_python=package.requires_python or None,
    )


def _is_package(found: _Resource) -> bool:
    kind = found.uri.partition("/")[0].lower()  # a purl's scheme and type may be written in capitals
    return kind == "pkg:pypi" or (kind == "pkg:generic" and "installedAs" in found.annotations)


def _from_purl(found: _Resource) -> PinnedPackage:
    kind, _, rest = found.uri.partition("/")
    path, _, qualifiers = rest.partition("#")[0].partition("?")
    name, at, version = path.rpartition("@")
    said = {key: value for key, _, value in (pair.partition("=") for pair in qualifiers.split("&") if pair)}
    name, version = unquote(name), unquote(version)
    if not at or not is_normalized_name(name):
        raise FieldRefused(where="uri", found=found.uri, wanted="pkg:pypi/name@version, the name normalised")
    is_file = bool(found.digest.identity) and found.digest.form is Form.FILE
    url = found.download_location or unquote(said.get("download_url", ""))
    installed_as: InstalledAs = (
        "unknown" if kind.lower() == "pkg:generic" else "direct-url" if "download_url" in said else "index"
    )
    vcs = commit = ""
    if "vcs_url" in said:
        installed_as = "vcs"
        where, _, commit = unquote(said["vcs_url"]).rpartition("@")
        vcs, _, url = where.partition("+")
    filename = url.rpartition("/")[2] if is_file and url else f"{name}-{version}"
    return PinnedPackage(
        name=name,
        version=version,
        purl=found.uri,
        installed_as=installed_as,
        url=url if installed_as in ("vcs", "direct-url") and url else None,
        vcs=vcs or None,
        commit=commit or None,
        artifacts=[PackageArtifact(name=filename, url=url or None, digest=found.digest.to_dict())] if is_file else [],
        digest_origin="declared" if is_file else None,
    )
