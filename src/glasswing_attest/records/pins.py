"""How are packages written down so that an installer gets exactly them: as a lock file, or as requirements?

``pylock.toml`` is PEP 751; requirements are those of pip, in hash-checking mode. Whatever is not pinned by a digest is
refused: what is written here installs these bytes, or nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from packaging.markers import InvalidMarker, Marker
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from glasswing_attest.artifact.lock import Lock, LockedFile, LockedPackage
from glasswing_attest.errors import FieldRefused, GlasswingError, PackagesUnpinned

__all__ = ["to_pylock", "to_requirements"]

# What stands bare in a line of requirements: neither white space nor anything that pip gives a meaning.
_PLAIN = re.compile(r"[A-Za-z0-9._~:/%+!@=&,()-]+")
# A commit that is the digest of what it names. A branch, or a revision that is counted, names something else tomorrow.
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ADDRESS = re.compile(r"(?:https?|file)://[^\s#]+")
_REPOSITORY = re.compile(r"(?:https?|ssh|git|file)://[^\s#]+")
# Algorithms that an installer finds in hashlib under these names.
_CHECKED = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})


def to_pylock(lock: Lock) -> str:
    """Give the text of a ``pylock.toml``. Raises `PackagesUnpinned`, with the names of what is not pinned."""
    _require(lock.packages, _missing_for_pylock)
    lines = ['lock-version = "1.0"', 'created-by = "glasswing-attest"']
    if lock.environments:
        lines.append(f"environments = {_list(lock.environments)}")
    if lock.requires_python:
        lines.append(f"requires-python = {_text(lock.requires_python)}")
    if lock.default_groups:
        groups = _list(lock.default_groups)
        lines += [f"dependency-groups = {groups}", f"default-groups = {groups}"]
    for package in _sorted(lock.packages):
        lines += ["", "[[packages]]", *_pylock_package(package)]
    text = "\n".join(lines) + "\n"
    try:
        Lock.parse(text.encode("utf-8", "surrogatepass"))
    except GlasswingError as e:
        raise FieldRefused(where="pylock.toml", because=str(e), wanted="packages that a lock file can say") from e
    return text


def to_requirements(packages: Sequence[LockedPackage]) -> str:
    """Give lines of requirements with hashes. Raises `PackagesUnpinned`, with the names of what is not pinned."""
    _require(packages, _missing_for_requirements)
    return "".join(_requirement(package) for package in _sorted(packages))


def _sorted(packages: Sequence[LockedPackage]) -> list[LockedPackage]:
    return sorted(packages, key=lambda p: (p.name, p.version, p.marker))


# --- what is not pinned ----------------------------------------------------------------------------------------------


def _require(packages: Sequence[LockedPackage], missing: Callable[[LockedPackage], str]) -> None:
    unpinned = {f"{p.name}=={p.version}" if p.version else p.name: missing(p) for p in _sorted(packages)}
    unpinned = {label: why for label, why in unpinned.items() if why}
    if unpinned:
        found = "; ".join(sorted(set(unpinned.values())))
        raise PackagesUnpinned(where=", ".join(unpinned), found=found, wanted="a digest of what each is installed from")


def _missing_for_pylock(package: LockedPackage) -> str:
    if package.installed_as == "vcs":
        if package.vcs not in ("git", "hg") or not _COMMIT.fullmatch(package.commit):
            return "a repository without the id of its commit"
        return "" if _REPOSITORY.fullmatch(package.url) else "a repository without its URL"
    if missing := _missing_digests(package):
        return missing
    if package.installed_as == "index" and not all(_is_distribution(file.name) for file in package.files):
        return "a digest of a file whose name is not known"
    return ""


def _missing_for_requirements(package: LockedPackage) -> str:
    if package.installed_as == "vcs":
        return "a commit, which these requirements cannot pin"
    if not package.version:
        return "no version"
    return _missing_digests(package) or ("" if all(f.digests.get("sha256") for f in package.files) else "no sha256")


def _missing_digests(package: LockedPackage) -> str:
    if package.installed_as not in ("index", "direct-url"):
        return "a directory of somebody's machine" if package.installed_as != "unknown" else "an unknown source"
    if not package.files or not all(_hashes(file) for file in package.files):
        return "no digest"
    if package.installed_as == "direct-url" and not _ADDRESS.fullmatch(package.url):
        return "no URL"
    return ""


def _hashes(file: LockedFile) -> dict[str, object]:
    return {d.algorithm: d.value for d in file.digests.identity if d.algorithm in _CHECKED}


def _is_distribution(name: str) -> bool:
    try:
        if name.endswith(".whl"):
            parse_wheel_filename(name)
        else:
            parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return True


# --- pylock.toml -----------------------------------------------------------------------------------------------------


def _pylock_package(package: LockedPackage) -> Iterator[str]:
    said = {
        "name": package.name,
        "version": package.version,
        "marker": package.marker,
        "requires-python": package.requires_python,
    }
    yield from (f"{key} = {_text(value)}" for key, value in said.items() if value)
    below = {"subdirectory": _below(package.subdirectory)} if package.subdirectory else {}
    if package.installed_as == "vcs":
        yield f"vcs = {_table({'type': package.vcs, 'url': package.url, 'commit-id': package.commit, **below})}"
    elif package.installed_as == "direct-url":
        (file,) = package.files
        yield f"archive = {_table({'url': package.url, **_figures(file), **below})}"
    else:
        wheels = [file for file in package.files if file.name.endswith(".whl")]
        if wheels:
            yield "wheels = ["
            yield from (f"  {_distribution(file)}," for file in wheels)
            yield "]"
        yield from (f"sdist = {_distribution(file)}" for file in package.files if file not in wheels)


def _distribution(file: LockedFile) -> str:
    # Without a URL, the file is looked for beside the lock.
    return _table({"name": file.name, **({"url": file.url} if file.url else {"path": file.name}), **_figures(file)})


def _figures(file: LockedFile) -> dict[str, object]:
    return {**({} if file.size is None else {"size": file.size}), "hashes": _hashes(file)}


def _table(values: Mapping[str, object]) -> str:
    return f"{{{', '.join(f'{key} = {_value(value)}' for key, value in values.items())}}}"


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return _table(value)
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(value: str) -> str:
    # A JSON string is a basic string of TOML, but for one control character that JSON may write bare.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# --- requirements ----------------------------------------------------------------------------------------------------


def _requirement(package: LockedPackage) -> str:
    if package.installed_as == "direct-url":
        below = f"#subdirectory={_below(package.subdirectory)}" if package.subdirectory else ""
        pinned = f"{_plain(package.name)} @ {_plain(package.url)}{below}"
    else:
        pinned = f"{_plain(package.name)}=={_version(package.version)}"
    if package.marker:
        pinned += f" ; {_marker(package.marker)}"
    hashes = sorted({f"--hash=sha256:{file.digests.get('sha256')}" for file in package.files})
    return " \\\n    ".join([pinned, *hashes]) + "\n"


def _plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise FieldRefused(where="requirements", found=text, wanted="text without white space, quotes and comments")
    return text


def _version(text: str) -> str:
    try:
        return _plain(str(Version(text)))
    except InvalidVersion as e:
        raise FieldRefused(where="requirements", found=text, wanted="a version (PEP 440)") from e


def _below(text: str) -> str:
    """Give a directory within what is unpacked: what lies elsewhere has no digest here."""
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+", text) or text.startswith("/") or ".." in text.split("/"):
        raise FieldRefused(where="subdirectory", found=text, wanted="a directory within, of letters, digits and ._~+-/")
    return text


def _marker(text: str) -> str:
    # A line end, a comment, an option or an environment variable would say something else to pip.
    if not text.isprintable() or re.search(r"[#\\$]|--| -", text):
        raise FieldRefused(where="requirements", found=text, wanted="a marker of one line")
    try:
        return str(Marker(text))
    except InvalidMarker as e:
        raise FieldRefused(where="requirements", found=text, because=str(e), wanted="a marker (PEP 508)") from e
