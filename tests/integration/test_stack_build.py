"""Are the servers built once, whole, and by whoever needs them; and is their absence said, and by all in one way?"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack import StackAbsent, binary, build
from tests.stack.run import require

ROOT = Path(__file__).resolve().parents[2]

GO = """#!/bin/sh
echo "$@" >> {folder}/calls
case $1 in
  list) echo {folder}/module ;;
  build) sleep 0.3; shift; while [ $# -gt 0 ]; do [ "$1" = -o ] && echo built > "$2"; shift; done ;;
esac
"""

BROKEN = """#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo half > "$2"
echo 'go: downloading x' >&2
echo 'x.go:1: no' >&2
exit 1
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GLASSWING_ATTEST_STACK_CACHE", str(folder))
    return folder


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in the compiler's place, and upstream's files where it says that they are."""

    def install(script: str) -> None:
        for _, path in build.DATA.values():
            (tmp_path / "module" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "module" / path).write_text("data\n")
        program = tmp_path / "bin" / "go"
        program.parent.mkdir()
        program.write_text(script.replace("{folder}", str(tmp_path)))
        program.chmod(0o700)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")

    return install


def calls(tmp_path: Path) -> list[str]:
    """What the compiler was asked for, in order."""
    return [line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()]


def test_each_is_built_once_though_two_ask(cache: Path, tmp_path: Path, go: Callable[[str], None]) -> None:
    go(GO)
    command = [sys.executable, "-m", "tests.stack", "build", "fulcio", "cosign"]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    for process in both:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert f"in {cache}" in said
    assert calls(tmp_path) == ["build", "build", "list", "list"]
    assert binary("fulcio").read_text() == "built\n"
    assert build.data("trillian.sql").read_text() == "data\n"
    assert not build.built()
    assert build.built(["fulcio", "cosign"])
    assert build.build(["fulcio"]) == {}
    build.build(build.SERVERS)
    assert build.built()


def test_nothing_is_left_of_a_build_that_fails(cache: Path, tmp_path: Path, go: Callable[[str], None]) -> None:
    go(BROKEN)
    with pytest.raises(StackAbsent, match=r"^`go build … github.com/sigstore/fulcio` failed:\nx.go:1: no$"):
        build.build(["fulcio"])
    (folder,) = (path for path in cache.iterdir() if path.is_dir())
    assert list(folder.iterdir()) == []


def test_without_go_it_is_said_so(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackAbsent, match=r"^Go is absent: "):
        build.build(["fulcio"])
    assert build.main(["fulcio"]) == 1


def test_what_is_not_built_is_said_so(cache: Path) -> None:
    with pytest.raises(StackAbsent, match=r"^cosign is not built: run `make stack-build`"):
        binary("cosign")
    with pytest.raises(StackAbsent, match=r"^the real Sigstore is not built here: run `make stack-build`"):
        require()
    with pytest.raises(LookupError, match=r"^rekor is none of "):
        binary("rekor")
    assert build.main(["rekor"]) == 2


@pytest.mark.parametrize(("required", "outcome"), [("", "skipped"), ("1", "errors")])
def test_where_they_are_absent_tests_skip_or_fail_with_one_reason(cache: Path, required: str, outcome: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            "tests/integration/test_stack_servers.py",
        ],
        cwd=ROOT,
        env={**os.environ, "GLASSWING_ATTEST_REQUIRE_STACK": required},
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == (not required)
    # All of them: nothing else stands in the last line.
    assert re.fullmatch(rf"=+ \d+ {outcome} in .*", done.stdout.splitlines()[-1])
    reasons = {found[1] for found in re.finditer(r"(the real Sigstore is not built here.*)", done.stdout)}
    assert reasons == {"the real Sigstore is not built here: run `make stack-build` (needs Go and the network once)"}
