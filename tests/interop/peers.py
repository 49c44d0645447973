"""Where are other people's clients that are not Go's?

sigstore-js with its Node.js, and sigstore-python with model-signing, each at the versions that a lock file here pins
(js/package-lock.json, python/requirements.txt), in a folder of the cache that tests/stack/build.py uses, one for each
content of the lock file. Those in Go are built there.

    python -m tests.interop build          # both; seconds, with the package indexes once
"""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from tests.stack.build import SOURCES, StackAbsent

__all__ = ["VERSIONS", "build", "found", "node", "python"]

HERE = Path(__file__).resolve().parent

_T = TypeVar("_T")


def found(look: Callable[[], _T]) -> _T:
    """What a function finds here. Where it is absent the test skips; where everything must be here, it fails."""
    try:
        return look()
    except StackAbsent as absent:
        if os.environ.get("GLASSWING_ATTEST_REQUIRE_STACK"):
            pytest.fail(str(absent), pytrace=False)
        pytest.skip(str(absent))


def node() -> tuple[Path, Path]:
    """The Node.js that runs sigstore-js, and the folder with its packages. Raises `StackAbsent`."""
    modules = _installed("js") / "node_modules"
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    # Where no Node.js is packaged for the machine, its own must do.
    pinned = modules / f"node-{sys.platform}-{machine}" / "bin" / "node"
    program = pinned if pinned.is_file() else Path(shutil.which("node") or pinned)
    return program, modules


def python() -> Path:
    """The Python that has sigstore-python and model-signing. Raises `StackAbsent`."""
    return _installed("python") / "bin" / "python"


def build(*names: str) -> None:
    """Install what is missing, all or those named "js" or "python". Raises `StackAbsent` where that fails."""
    for name in names or _INSTALLERS:
        folder = _folder(name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Two at once install it once: the second waits.
        with Path(f"{folder}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "complete").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                _INSTALLERS[name](folder)
                (folder / "complete").touch()


def _install_js(folder: Path) -> None:
    for file in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / "js" / file, folder / file)
    # Each package by its digest in the lock file, and no program of theirs runs while they are installed.
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)


def _install_python(folder: Path) -> None:
    _run(sys.executable, "-m", "venv", str(folder), cwd=HERE)
    pip = (
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "install",
        "--no-deps",
    )
    _run(*pip, "-r", "python/requirements.txt", cwd=HERE)


_INSTALLERS: Mapping[str, Callable[[Path], None]] = {"js": _install_js, "python": _install_python}


def _run(*command: str, cwd: Path) -> None:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
    except FileNotFoundError:
        raise StackAbsent(f"{command[0]} is absent: it installs what the tests of interoperability need") from None
    if done.returncode:
        raise StackAbsent(f"`{Path(command[0]).name} …` failed:\n" + "\n".join(done.stderr.splitlines()[-10:]))


def _installed(name: str) -> Path:
    folder = _folder(name)
    if not (folder / "complete").exists():
        raise StackAbsent(f"the clients in {name} are not installed: run `make stack-build` (needs the network once)")
    return folder


def _folder(name: str) -> Path:
    named = os.environ.get("GLASSWING_ATTEST_STACK_CACHE")
    base = Path(named) if named else Path.home() / ".cache" / "glasswing-attest" / "stack"
    lock = HERE / {"js": "js/package-lock.json", "python": "python/requirements.txt"}[name]
    parts = (sys.platform, platform.machine(), sys.version if name == "python" else "", lock.read_text("utf-8"))
    return base / f"{name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


def _in_go(module: str) -> str:
    pinned = re.search(rf"^\s+{re.escape(module)} v(\S+)", (SOURCES / "go.mod").read_text("utf-8"), re.MULTILINE)
    assert pinned is not None, module
    return pinned[1]


def _in_python(package: str) -> str:
    pins = (HERE / "python" / "requirements.txt").read_text("utf-8").split()
    return dict(pin.split("==") for pin in pins)[package]


VERSIONS: Mapping[str, str] = {
    "cosign": _in_go("github.com/sigstore/cosign/v3"),
    "sigstore-go": _in_go("github.com/sigstore/sigstore-go"),
    "sigstore-js": json.loads((HERE / "js" / "package.json").read_bytes())["dependencies"]["sigstore"],
    "sigstore-python": _in_python("sigstore"),
    "model-signing": _in_python("model-signing"),
}
"""Which clients these are."""
