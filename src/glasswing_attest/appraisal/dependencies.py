"""Is this environment the one that was recorded or locked, and does nothing in it run that nobody vouches for?

Two things are asked of each package. Are its files what its RECORD says? And is that RECORD the right one: does it
agree with the one that somebody recorded (a `DependencyRecord` of an environment), or with the bytes of a locked wheel?
The first alone proves little, for who changes a file can change RECORD as well; so a package is affirmed only where
both are answered with yes. What is nobody's, and what runs whenever the interpreter starts, is told besides.

Pure: what was read from disk comes as `Installed` and `Wheel`, and nothing here reads more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from packaging.utils import canonicalize_name

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.environment import Installed
from glasswing_attest.artifact.installed import VARYING, Package, by_name, is_bytecode
from glasswing_attest.artifact.lock import Lock, LockedPackage, choose, fits_python, holds, same_version
from glasswing_attest.artifact.wheel import Wheel
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.records.dependencies import DependencyRecord, PinnedPackage

__all__ = ["check"]

_STARTUP = ("sitecustomize", "usercustomize")
# Of the markers those that decide which code runs.
_DECISIVE = ("implementation_name", "python_full_version", "sys_platform", "platform_machine")
_NAMED = 3

Findings: TypeAlias = Iterator[Finding]


def check(
    installed: Installed,
    wanted: DependencyRecord | Lock,
    *,
    wheels: Iterable[Wheel] = (),
    also: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Hold an environment against a record of one, or against a lock file (or a record of that).

    A record and a lock are worth what is known of their origin: hand over one that was verified.

    Args:
        installed: the environment, as it was read.
        wanted: what should be installed.
        wheels: wheels whose bytes were read; what is installed from a locked wheel is proved by its bytes alone.
        also: packages that may be there besides, by name, such as ``pip``.

    Returns:
        What was found, in a stable order. A package that is proved is affirmed; where nothing was evaluated there is
        no finding, and so no affirmation.
    """
    left_out = frozenset(map(canonicalize_name, also))
    appraisal = _Appraisal(installed, wanted, tuple(wheels), left_out)
    return (*appraisal.packages(), *appraisal.files(), *appraisal.startup(), *appraisal.interpreter())


@dataclass(frozen=True, slots=True)
class _Appraisal:
    installed: Installed
    wanted: DependencyRecord | Lock
    wheels: tuple[Wheel, ...]
    also: frozenset[str]

    @property
    def lock(self) -> Lock:
        return self.wanted if isinstance(self.wanted, Lock) else self.wanted.to_lock()

    @property
    def pins(self) -> Mapping[tuple[str, str], PinnedPackage]:
        """What a record says of each package beyond a lock, by name and marker."""
        packages = () if isinstance(self.wanted, Lock) else self.wanted.packages
        return {(package.name, package.marker or ""): package for package in packages}

    @property
    def is_recorded_tree(self) -> bool:
        """Every file of the environment is the one that was recorded, whoever owns it."""
        tree = None if isinstance(self.wanted, Lock) else self.wanted.tree
        return tree is not None and tree.dir_hash == self.installed.manifest.digests.get("dirHash")

    # --- packages -----------------------------------------------------------------------------------------------------

    def packages(self) -> Findings:
        """Tell of each package that is installed, or should be."""
        wanted: dict[str, list[LockedPackage]] = {}
        undecided: set[str] = set()
        lock, markers = self.lock, self.installed.markers
        for locked in lock.packages:
            is_meant = holds(locked.marker, markers, lock.extras, lock.groups)
            if is_meant is not False:
                wanted.setdefault(locked.name, []).append(locked)
            if is_meant is None:
                undecided.add(locked.name)
        found = by_name(self.installed.packages)
        pins = self.pins
        files = {file.name: file.sha256 for file in self.installed.files}
        for name in sorted(wanted.keys() | found.keys()):
            if name not in found:
                yield from _absent(wanted[name], is_undecided=name in undecided)
                continue
            if len(found[name]) > 1:
                yield _bad_finding(
                    "deps.duplicate",
                    name,
                    found=", ".join(f"{p.version} in {p.metadata}" for p in found[name]),
                    wanted="it once",
                    do="install it anew into a new environment",
                )
            for package in found[name]:
                faults = list(_faults(package, files))
                yield from faults
                proofs = list(self._proof(package, wanted.get(name, []), pins))
                # What was changed since is not affirmed, wherever it came from.
                yield from (proof for proof in proofs if not (faults and proof.tier is Tier.AFFIRMING))

    def _proof(
        self, package: Package, named: Sequence[LockedPackage], pins: Mapping[tuple[str, str], PinnedPackage]
    ) -> Findings:
        """Tell whether an installed package is the wanted one."""
        if not named:
            if package.name in self.also:
                because = "it is not among the wanted packages, and was allowed by name alone"
                yield _unproved_finding("deps.digest-unproved", package, because)
            else:
                do = "uninstall it, or name it among those that may be there besides"
                yield _bad_finding("deps.extra-package", package.label, found=package.version, wanted="nothing", do=do)
            return
        fitting = [p for p in named if not p.version or same_version(p.version, package.version)]
        if not fitting:
            versions = " or ".join(p.version for p in named)
            yield _bad_finding(
                "deps.version", package.name, found=package.version, wanted=versions, do="install the wanted version"
            )
            return
        if len(fitting) > 1:
            yield _warning_finding(
                "deps.undecided",
                package.label,
                found="several entries with this name and version",
                wanted="one that is meant for this environment",
                do="lock for this environment alone",
            )
            return
        (locked,) = fitting
        pinned = pins.get((locked.name, locked.marker))
        is_same_source = locked.installed_as == package.installed_as and locked.commit == package.commit
        # A wheel that was at hand and is a locked one has the locked bytes, wherever it was had from.
        is_locked_file = bool(locked.files) and (locked.installed_as, package.installed_as) == ("index", "direct-url")
        if not (is_same_source or is_locked_file):
            yield _bad_finding(
                "deps.source",
                package.label,
                found=_source(package.installed_as, package.commit, package.url),
                wanted=_source(locked.installed_as, locked.commit, locked.url),
                do="install it from the wanted source",
            )
        elif pinned is not None and pinned.dir_hash is not None:
            yield from self._recorded(package, pinned)
        elif package.installed_as in ("editable", "directory"):
            yield _editable_finding("deps.editable", package)
        elif package.installed_as == "vcs":
            because = "it was built here, and only its commit is known"
            yield _unproved_finding("deps.digest-unproved", package, because)
        else:
            yield from self._locked(package, locked)

    def _recorded(self, package: Package, pinned: PinnedPackage) -> Findings:
        """Tell whether the package's RECORD is the recorded one."""
        noted = package.digests if package.installed_as == "direct-url" else DigestSet(())
        said = [DigestSet.of(artifact.digest) for artifact in pinned.artifacts]
        if pinned.dir_hash != package.dir_hash:
            yield _bad_finding(
                "deps.record-changed",
                package.label,
                found=package.dir_hash and f"dirHash {package.dir_hash}",
                wanted=f"dirHash {pinned.dir_hash}",
                do="install it anew from the recorded artifact",
            )
            return
        if noted and said and not any(digests.matches(noted) for digests in said):
            yield _digest_finding("deps.digest", package, " or ".join(digests.label for digests in said))
            return
        if pinned.record_sha256 != package.record_sha256:
            yield from _scripts(package, self._scripts(package))
        yield (
            _editable_finding("deps.editable", package)
            if package.installed_as == "editable"
            else _intact_finding("deps.intact", package, f"dirHash {package.dir_hash}")
        )

    def _locked(self, package: Package, locked: LockedPackage) -> Findings:
        """Tell whether the package's RECORD is that of a locked file."""
        choice = choose(package, locked.files, self.wheels)
        if choice.is_foreign:
            yield _digest_finding("deps.digest", package, " or ".join(f.digests.label for f in locked.files))
        elif choice.differs:
            yield _bad_finding(
                "deps.record-changed",
                package.label,
                found=f"RECORD differs in {choice.differs}",
                wanted="what lies in the locked wheel",
                do="install it anew from the locked wheel",
            )
        elif choice.file is None:
            yield _unproved_finding("deps.digest-unproved", package, choice.because)
        elif not choice.is_proved:
            because = f"the bytes of {choice.file.name} were not at hand"
            yield _unproved_finding("deps.digest-unproved", package, because)
        else:
            yield from _scripts(package, choice.unproved)
            yield _intact_finding("deps.intact", package, choice.file.digests.label)

    def _scripts(self, package: Package) -> tuple[str, ...]:
        """The programs of the package that hold the environment's place, and so do not count in its `dir_hash`."""
        notes = {f"{package.metadata}/{note}" for note in VARYING}
        excluded = frozenset(self.installed.manifest.excluded)
        return tuple(sorted(f.name for f in package.files if f.name in excluded and f.name not in notes))

    # --- files --------------------------------------------------------------------------------------------------------

    def files(self) -> Findings:
        """Tell which files are nobody's."""
        owned = {file.name for package in self.installed.packages for file in package.files}
        startup = {file.name for file in self.installed.startup}
        groups: dict[str, list[str]] = {}
        for file in self.installed.files:
            name = file.name
            if name in owned or name in startup or self._startup_module(name):
                continue
            site = next((site for site in self.installed.sites if name.startswith(f"{site}/")), "")
            groups.setdefault(f"{site}/{name.removeprefix(f'{site}/').partition('/')[0]}", []).append(name)
        for place, names in sorted(groups.items()):
            yield self._unowned(place, _listed(names))

    def _unowned(self, place: str, found: str) -> Finding:
        wanted = "files that a package owns"
        if self.is_recorded_tree:
            return _warning_finding(
                "deps.unowned-recorded",
                place,
                found=found,
                wanted=wanted,
                do="nothing: it was there when it was recorded",
            )
        do = "find out who wrote it, and remove it, or build the environment anew"
        return _bad_finding("deps.unowned", place, found=found, wanted=wanted, do=do)

    def _startup_module(self, name: str) -> bool:
        site, _, module = name.rpartition("/")
        while site and site not in self.installed.sites:
            site, _, module = site.rpartition("/")
        return bool(site) and module.partition(".")[0] in _STARTUP

    # --- what runs by itself ------------------------------------------------------------------------------------------

    def startup(self) -> Findings:
        """Tell what the interpreter runs, or imports from, without being asked to."""
        owned = {file.name for package in self.installed.packages for file in package.files}
        for file in self.installed.startup:
            if file.name not in owned and not self.is_recorded_tree:
                found = "code" if file.runs_code else _listed(file.paths) or "nothing"
                do = "find out who wrote it, and remove it"
                yield _bad_finding("deps.pth", file.name, found=found, wanted="a .pth file that a package owns", do=do)
                continue
            if file.runs_code:
                yield _startup_finding("deps.startup-code", file.name)
            for path in file.paths:
                yield _warning_finding(
                    "deps.path",
                    file.name,
                    found=path,
                    wanted="code that lies in the environment",
                    do="install the package that lies there, instead of pointing to it",
                )
        for name in sorted(file.name for file in self.installed.files if self._startup_module(file.name)):
            if name not in owned and not self.is_recorded_tree:
                wanted = "none, or one that a package owns"
                do = "find out who wrote it, and remove it"
                yield _bad_finding("deps.sitecustomize", name, found="a module", wanted=wanted, do=do)
            else:
                yield _startup_finding("deps.startup-code", name)
        if self.installed.bytecode:
            yield _warning_finding(
                "deps.bytecode",
                self.installed.manifest.name,
                found=f"{len(self.installed.bytecode)} directories of compiled code",
                wanted="none, for no digest covers it, and it may run in place of its source",
                do="remove every __pycache__, and run with PYTHONDONTWRITEBYTECODE or -X pycache_prefix",
            )
        if self.installed.sees_system:
            yield _warning_finding(
                "deps.system-packages",
                self.installed.manifest.name,
                found="packages outside of the environment are importable",
                wanted="an environment by itself",
                do="make it without --system-site-packages",
            )

    def interpreter(self) -> Findings:
        """Tell whether interpreter and platform are those that the packages were recorded or locked for."""
        markers, lock = self.installed.markers, self.lock
        recorded = {} if isinstance(self.wanted, Lock) else self.wanted.markers
        for name in _DECISIVE:
            if name in recorded and recorded[name] != markers.get(name):
                yield _interpreter_finding("deps.interpreter", name, markers.get(name, "not known"), recorded[name])
        requires = [lock.requires_python]
        names = {package.name for package in self.installed.packages}
        requires += [p.requires_python for p in lock.packages if p.name in names and holds(p.marker, markers)]
        for wanted in sorted(set(filter(None, requires))):
            if fits_python(wanted, markers) is not True:
                found = markers.get("python_full_version", "not known")
                yield _interpreter_finding("deps.interpreter", "requires-python", found, wanted)
        if lock.environments and not any(holds(marker, markers) for marker in lock.environments):
            wanted = " or ".join(lock.environments)
            yield _interpreter_finding("deps.interpreter", "environments", "none of them", wanted)


def _absent(named: Sequence[LockedPackage], *, is_undecided: bool) -> Findings:
    package = named[0]
    versions = " or ".join(p.version for p in named if p.version) or "it"
    if is_undecided:
        found = f"it is not installed, and {package.marker} cannot be decided from here"
        yield _warning_finding(
            "deps.undecided", package.name, found=found, wanted=versions, do="lock for this environment alone"
        )
    else:
        yield _bad_finding(
            "deps.package-missing", package.name, found="nothing", wanted=versions, do="install the wanted version"
        )


def _faults(package: Package, files: Mapping[str, str]) -> Findings:
    """Tell where the package's files are not what its RECORD says."""
    if not package.has_record:
        wanted = "RECORD, which tells its files from others"
        do = "install it anew, as a wheel"
        yield _bad_finding("deps.no-record", package.label, found="no RECORD", wanted=wanted, do=do)
        return
    outside = [f.name for f in package.files if f.is_outside]
    inside = [f for f in package.files if not f.is_outside and not is_bytecode(f.name)]
    unhashable = {f"{package.metadata}/{name}" for name in ("RECORD", "RECORD.jws", "RECORD.p7s")}
    unhashed = [f.name for f in inside if not f.sha256 and f.name not in unhashable]
    missing = [f.name for f in inside if f.name not in files]
    modified = [f.name for f in inside if f.sha256 and f.name in files and files[f.name] != f.sha256]
    anew = "install it anew, and find out who changed it"
    if modified:
        wanted = "the bytes that RECORD names"
        yield _bad_finding("deps.modified", package.label, found=_listed(modified), wanted=wanted, do=anew)
    if missing:
        found = _listed(missing)
        yield _bad_finding("deps.file-missing", package.label, found=found, wanted="files that are there", do=anew)
    if unhashed:
        wanted = "a sha256 of each file in RECORD"
        yield _bad_finding("deps.unhashed", package.label, found=_listed(unhashed), wanted=wanted, do=anew)
    if outside:
        wanted = "files within the environment"
        yield _bad_finding("deps.outside", package.label, found=_listed(outside), wanted=wanted, do=anew)


def _scripts(package: Package, names: Collection[str]) -> Findings:
    """Tell which programs are as RECORD says, and RECORD alone; those that say nothing of their own are proved."""
    names = set(names) - set(package.generated)
    if names:
        yield _warning_finding(
            "deps.scripts",
            package.label,
            found=_listed(names),
            wanted="programs whose bytes do not depend on where and by what they were installed",
            do="read them, or run their modules with python -m",
        )


# --- sentences -------------------------------------------------------------------------------------------------------


def _bad_finding(code: str, subject: str, *, found: str, wanted: str, do: str) -> Finding:
    return Finding(code=code, tier=Tier.CONTRAINDICATED, subject=subject, found=found, wanted=wanted, do=do)


def _warning_finding(code: str, subject: str, *, found: str, wanted: str, do: str) -> Finding:
    return Finding(code=code, tier=Tier.WARNING, subject=subject, found=found, wanted=wanted, do=do)


def _intact_finding(code: str, package: Package, found: str) -> Finding:
    return Finding(code=code, tier=Tier.AFFIRMING, subject=package.label, found=found, wanted=found)


def _unproved_finding(code: str, package: Package, because: str) -> Finding:
    wanted = "a RECORD that agrees with the wheel, or with a record of the environment"
    do = "hand over the wheels, or a record that was made where the environment was built"
    return _warning_finding(code, package.label, found=because, wanted=wanted, do=do)


def _editable_finding(code: str, package: Package) -> Finding:
    found = _source(package.installed_as, "", package.url)
    do = "build a wheel of it, and install that"
    return _warning_finding(code, package.label, found=found, wanted="an artifact with a digest", do=do)


def _digest_finding(code: str, package: Package, wanted: str) -> Finding:
    do = "install it anew from the wanted artifact"
    return _bad_finding(code, package.label, found=package.digests.label, wanted=wanted, do=do)


def _startup_finding(code: str, name: str) -> Finding:
    do = "read it: it runs whenever the interpreter starts"
    return _warning_finding(code, name, found="code", wanted="nothing that runs by itself", do=do)


def _interpreter_finding(code: str, subject: str, found: str, wanted: str) -> Finding:
    return _warning_finding(code, subject, found=found, wanted=wanted, do="use the interpreter that was meant")


def _source(installed_as: str, commit: str, url: str) -> str:
    return " ".join(filter(None, (installed_as, url, commit and f"at {commit}")))


def _listed(names: Collection[str]) -> str:
    """Give a few names, and how many more there are."""
    ordered = sorted(names)
    more = len(ordered) - _NAMED
    return ", ".join(ordered[:_NAMED]) + (f", and {more} more" if more > 0 else "")
