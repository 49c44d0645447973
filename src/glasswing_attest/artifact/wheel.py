"""Is what is installed what lies in this wheel?

A wheel (PyPA specification: binary distribution format, PEP 427) is a zip whose ``RECORD`` lists its files with their
hashes. An installer copies them: what stands at the top goes to ``site-packages``, what stands below
``NAME-VERSION.data/SCHEME`` to the place of that scheme. So the wheel's RECORD and the installed one must say the same
of every file, but for what an installer writes itself.
"""

from __future__ import annotations

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import File
from glasswing_attest.artifact.installed import VARYING, Package, is_bytecode, parse_record
from glasswing_attest.artifact.launchers import parse_entry_points, program_of
from glasswing_attest.errors import ArtifactUnreadable, ArtifactUnstable, FieldRefused
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Wheel", "wheels_in"]

_ROOT = "wheel"
# What the standard library raises for an archive that is none, or in a way that it does not know.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
# Signatures of RECORD, which RECORD itself cannot list.
_SIGNATURES = frozenset({"RECORD.jws", "RECORD.p7s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel file whose bytes were read.

    Attributes:
        filename: its file name.
        name, version: as the file name says; the name is normalised.
        digests: of its bytes.
        metadata: its ``.dist-info`` directory.
        files: what its RECORD lists, by name within the wheel, each with its sha256 ("" where RECORD says none).
        scripts: those of them that an installer rewrites, since they begin with ``#!python``.
        programs: the programs that an installer generates for its entry points: what each calls, by its name.
    """

    filename: str
    name: str
    version: str
    digests: DigestSet
    metadata: str
    files: Mapping[str, str] = field(repr=False)
    scripts: frozenset[str] = frozenset()
    programs: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, path: StrPath, *, limits: Limits = DEFAULT) -> Wheel:
        """Hash a wheel, and read its RECORD.

        Raises:
            ArtifactError: it cannot be read, or is written meanwhile.
            MalformedError: it is no wheel, or its RECORD is none.
            LimitError: its RECORD is too large.
        """
        path = Path(path)
        before = File(path).measure(limits=limits).digests
        try:
            name, version, *_ = parse_wheel_filename(path.name)
        except InvalidWheelFilename as e:
            raise FieldRefused(where=str(path), because=str(e), wanted="the file name of a wheel") from e
        try:
            with zipfile.ZipFile(path) as archive:
                metadata, files, scripts, programs = _contents(archive, str(path), limits)
        except _UNREADABLE as e:
            raise FieldRefused(where=str(path), because=str(e), wanted="a wheel") from e
        except OSError as e:
            raise ArtifactUnreadable(where=str(path), because=e.strerror or str(e)) from e
        if File(path).measure(limits=limits).digests != before:
            raise ArtifactUnstable(where=str(path))
        return cls(
            filename=path.name,
            name=name,
            version=str(version),
            digests=before,
            metadata=metadata,
            files=files,
            scripts=scripts,
            programs=programs,
        )

    def difference(self, package: Package) -> str:
        """Say in which file the installed package is not this wheel; "" where its RECORD agrees with the wheel's.

        What an installer writes itself is not compared: programs that it generates, its notes, compiled code.
        """
        site, _, metadata = package.metadata.rpartition("/")
        if metadata != self.metadata:
            return metadata
        installed = {f.name: f.sha256 for f in package.files}
        placed: set[str] = set()
        for name, sha256 in sorted(self.files.items()):
            if name.rpartition("/")[2] in _SIGNATURES | {"RECORD"} and name.startswith(f"{metadata}/"):
                continue
            target = self._target(name, site, installed, sha256)
            placed.add(target)
            if target not in installed or not sha256 or (installed[target] != sha256 and name not in self.scripts):
                return target
        for name in sorted(installed.keys() - placed):
            directory, _, last = name.rpartition("/")
            notes = directory == package.metadata and last in VARYING
            if not (notes or is_bytecode(name) or program_of(name, self.programs) is not None):
                return name
        return ""

    def unproved(self, package: Package) -> tuple[str, ...]:
        """Name the programs of the installed package whose bytes an installer wrote, so that the wheel lacks them."""
        rewritten = {f"bin/{name.removeprefix(_scripts_of(self.metadata))}" for name in self.scripts}
        written = (
            f.name for f in package.files if f.name in rewritten or program_of(f.name, self.programs) is not None
        )
        return tuple(sorted(written))

    def _target(self, name: str, site: str, installed: Mapping[str, str], sha256: str) -> str:
        data = f"{self.metadata.removesuffix('.dist-info')}.data/"
        if not name.startswith(data):
            return f"{site}/{name}"
        scheme, _, rest = name.removeprefix(data).partition("/")
        if scheme == "headers":
            # Installers differ on the place of headers: any below include/ will do, with these bytes.
            places = [n for n in installed if n.startswith("include/") and n.endswith(f"/{rest}")]
            return next((n for n in places if installed[n] == sha256), f"include/{rest}")
        return {"purelib": f"{site}/{rest}", "platlib": f"{site}/{rest}", "scripts": f"bin/{rest}"}.get(scheme, rest)


def _scripts_of(metadata: str) -> str:
    """The directory within a wheel whose files an installer puts among the programs."""
    return f"{metadata.removesuffix('.dist-info')}.data/scripts/"


def _contents(
    archive: zipfile.ZipFile, where: str, limits: Limits
) -> tuple[str, dict[str, str], frozenset[str], dict[str, str]]:
    names = archive.namelist()
    limits.check("tree_files", len(names), where=where)
    if len(set(names)) != len(names):
        raise FieldRefused(where=where, because="it holds a file twice")
    records = [n for n in names if n.endswith(".dist-info/RECORD") and n.count("/") == 1]
    if len(records) != 1:
        raise FieldRefused(where=where, found=f"{len(records)} RECORD files", wanted="one")
    place = f"{where}:{records[0]}"
    with archive.open(records[0]) as file:
        data = file.read(limits.record_bytes + 1)
    owned = parse_record(data, site=_ROOT, prefix="/", where=place, limits=limits)
    files: dict[str, str] = {}
    for file_ in owned:
        if file_.is_outside or not file_.name.startswith(f"{_ROOT}/"):
            raise FieldRefused(where=place, found=file_.name, wanted="a name within the wheel")
        files[file_.name.removeprefix(f"{_ROOT}/")] = file_.sha256
    metadata = records[0].partition("/")[0]
    scripts = set()
    for name in names:
        if name.startswith(_scripts_of(metadata)) and not name.endswith("/"):
            with archive.open(name) as script:
                if script.read(8) == b"#!python":
                    scripts.add(name)
    return metadata, files, frozenset(scripts), _programs(archive, f"{metadata}/entry_points.txt", where, limits)


def _programs(archive: zipfile.ZipFile, name: str, where: str, limits: Limits) -> dict[str, str]:
    if name not in archive.namelist():
        return {}
    with archive.open(name) as file:
        data = file.read(limits.record_bytes + 1)
    limits.check("record_bytes", len(data), where=f"{where}:{name}")
    return parse_entry_points(data, where=f"{where}:{name}")


def wheels_in(directory: StrPath, *, limits: Limits = DEFAULT) -> tuple[Wheel, ...]:
    """Read every wheel that lies in a directory, by file name.

    Raises:
        ArtifactError: the directory cannot be read; for a wheel in it see `Wheel.read`.
    """
    try:
        paths = sorted(path for path in Path(directory).iterdir() if path.suffix == ".whl")
    except OSError as e:
        raise ArtifactUnreadable(where=os.fspath(directory), because=e.strerror or str(e)) from e
    limits.check("dependencies", len(paths), where=os.fspath(directory))
    return tuple(Wheel.read(path, limits=limits) for path in paths)
