"""Are the real servers here, and how are they built?

Upstream's servers, unmodified, at the versions that servers/go.mod pins and with the checksums of servers/go.sum: one
Go module for all of them, so that what they share is compiled once. They are built into a folder outside of the
checkout, one for each content of servers/: `GLASSWING_ATTEST_STACK_CACHE`, or ~/.cache/glasswing-attest/stack.

    python -m tests.stack build            # all that are missing; minutes the first time, seconds afterwards
    python -m tests.stack build cosign     # one of them
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["BINARIES", "CLIENTS", "DATA", "SERVERS", "StackAbsent", "binary", "build", "built", "data", "main"]

SOURCES = Path(__file__).resolve().parent / "servers"

SERVERS: Mapping[str, str] = {
    "fulcio": "github.com/sigstore/fulcio",
    "rekor-v2": "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix",
    "rekor-v1": "github.com/sigstore/rekor/cmd/rekor-server",
    "tsa": "./tsa",
    "ct": "github.com/google/certificate-transparency-go/trillian/ctfe/ct_server",
    "trillian-server": "github.com/google/trillian/cmd/trillian_log_server",
    "trillian-signer": "github.com/google/trillian/cmd/trillian_log_signer",
    "trillian-tree": "github.com/google/trillian/cmd/createtree",
}
"""What a stack needs."""

CLIENTS: Mapping[str, str] = {
    "cosign": "github.com/sigstore/cosign/v3/cmd/cosign",
    "sigstore-go-sign": "github.com/sigstore/sigstore-go/examples/sigstore-go-signing",
    "sigstore-go-verify": "github.com/sigstore/sigstore-go/examples/sigstore-go-verification",
}
"""Other people's tools that sign and verify there."""

BINARIES: Mapping[str, str] = {**SERVERS, **CLIENTS}

DATA: Mapping[str, tuple[str, str]] = {
    "fulcio.yaml": ("github.com/sigstore/fulcio", "config/identity/config.yaml"),
    "trillian.sql": ("github.com/google/trillian", "storage/postgresql/schema/storage.sql"),
}
"""Files of theirs that a stack needs: the module, and the path in it."""

# The tag leaves out the databases that nobody here starts, and with them half of what there is to compile.
_FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath", "-tags=postgresql", "-ldflags=-s -w")


class StackAbsent(Exception):
    """The servers are not here; the text says what to do about it."""


def binary(name: str) -> Path:
    """The path of one of `BINARIES`. Raises `StackAbsent` where it is not built."""
    found = _folder() / name
    if name not in BINARIES:
        raise LookupError(f"{name} is none of {', '.join(BINARIES)}")
    if not found.is_file():
        raise StackAbsent(f"{name} is not built: run `make stack-build` (needs Go and the network once)")
    return found


def data(name: str) -> Path:
    """The path of one of `DATA`. Raises `StackAbsent` where it is not there."""
    found = _folder() / name
    if not found.is_file():
        raise StackAbsent(f"{name} is not there: run `make stack-build` (needs Go and the network once)")
    return found


def built(names: Iterable[str] = SERVERS) -> bool:
    """Tell whether these, and the files that they need, are here."""
    return all((_folder() / name).is_file() for name in (*names, *DATA))


def build(names: Iterable[str] = BINARIES) -> dict[str, float]:
    """Build what is missing; gives the seconds that each took. Two at once build it once.

    Raises:
        StackAbsent: Go or the network is absent, or it does not compile.
    """
    took: dict[str, float] = {}
    with _alone(_folder()) as folder:
        for name in names:
            if not (folder / name).is_file():
                start = time.monotonic()
                with _fresh(folder / name) as target:
                    _go("build", *_FLAGS, "-o", str(target), BINARIES[name])
                took[name] = time.monotonic() - start
                print(f"{name}: {took[name]:.0f} s", flush=True)
        for name, (module, path) in DATA.items():
            if not (folder / name).is_file():
                where = _go("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module).strip()
                with _fresh(folder / name) as target:
                    shutil.copyfile(Path(where, path), target)
    return took


def _folder() -> Path:
    named = os.environ.get("GLASSWING_ATTEST_STACK_CACHE")
    base = Path(named) if named else Path.home() / ".cache" / "glasswing-attest" / "stack"
    digest = hashlib.sha256("\0".join([sys.platform, platform.machine(), *_FLAGS]).encode())
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file():
            digest.update(b"\0%b\0%b" % (path.relative_to(SOURCES).as_posix().encode(), path.read_bytes()))
    return base / digest.hexdigest()[:16]


@contextmanager
def _alone(folder: Path) -> Generator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@contextmanager
def _fresh(target: Path) -> Generator[Path]:
    """A place beside `target`, which becomes it when all went well: what is there is always whole."""
    with tempfile.TemporaryDirectory(prefix=".building-", dir=target.parent) as scratch:
        made = Path(scratch, target.name)
        yield made
        made.replace(target)


def _go(*arguments: str) -> str:
    environment = {**os.environ, "GOWORK": "off", "CGO_ENABLED": "0", "GOFLAGS": ""}
    try:
        done = subprocess.run(
            ["go", *arguments], cwd=SOURCES, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise StackAbsent("Go is absent: the servers are built with `go`, 1.26 or later, found on PATH") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if not line.startswith("go: downloading")]
        raise StackAbsent(f"`go {arguments[0]} … {arguments[-1]}` failed:\n" + "\n".join(said[-10:]))
    return done.stdout


def main(names: list[str]) -> int:
    """Build what is named, or everything."""
    if unknown := sorted(set(names) - set(BINARIES)):
        print(f"error: {unknown[0]} is none of {', '.join(BINARIES)}", file=sys.stderr)
        return 2
    try:
        build(names or BINARIES)
    except StackAbsent as absent:
        print(f"error: {absent}", file=sys.stderr)
        return 1
    print(f"in {_folder()}")
    return 0
