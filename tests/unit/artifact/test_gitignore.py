"""Are ignore patterns read as git reads them?  `git check-ignore` is the oracle."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest.artifact.gitignore import Budget, IgnoreFile
from glasswing_attest.errors import LimitError

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

PATHS = ["b.c", "a/b", "a/b.c", "d/a/b", "d/a/b.c/e", "foo", "d/foo/a", "#a", "!a", "a b", "a ", "[a]", "A", "a-b"]


def ours(rules: IgnoreFile, path: str) -> bool:
    """Decide as git does: a path below an ignored directory is ignored, whatever is said of it."""
    parts = os.fsencode(path).split(b"/")
    for depth in range(1, len(parts)):
        if rules.decide(parts[:depth], is_directory=True):
            return True
    return bool(rules.decide(parts, is_directory=False))


def gits(folder: Path, content: bytes, paths: list[str]) -> set[str]:
    (folder / ".gitignore").write_bytes(content)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=folder,
        env=environment,
        input="\0".join(paths).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {os.fsdecode(p) for p in done.stdout.split(b"\0") if p}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ignore")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    for path in PATHS:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_dir():
            file.write_text("x")
    return folder


WELL_KNOWN = [
    "*",
    "*\n!*/\n!*.c\n",
    "/*\n!/d\n",
    "a/\n",
    "foo/\n!foo/a\n",
    "d/**\n",
    "**/b.c\n",
    "d/**/e\n",
    "a/**/b\n",
    "**\n",
    "/**\n",
    "d/*/b\n",
    "\\#a\n\\!a\n",
    "#a\n!a\n",
    "a \n",
    "a\\ \n",
    "a b\r\n",
    "[a]\n",
    "\\[a\\]\n",
    "[!a]\n",
    "[^a]\n",
    "[a-c]\n",
    "[]a]\n",
    "[[:upper:]]\n",
    "[[:alpha:]]\n",
    "?\n",
    "b?c\n",
    "b.*\n",
    "*.c\n!b.c\n",
    "!b.c\n*.c\n",
    "\ufeffa\n",
    "a",
    "/",
    "//",
    "!",
    "",
    "\\",
    "a\\",
    "[",
    "[a",
    "d//a\n",
    "***\n",
    "d/***/e\n",
    "a**\n",
    "foo**\n",
    "**foo\n",
    "[a-]\n",
    "[-a]\n",
    "[c-a]\n",
    "[\\]]\n",
    "a-b\n",
]


@needs_git
@pytest.mark.parametrize("content", WELL_KNOWN)
def test_patterns_mean_what_they_mean_to_git(folder: Path, content: str) -> None:
    rules = IgnoreFile(content.encode())
    assert {p for p in PATHS if ours(rules, p)} == gits(folder, content.encode(), PATHS)


LETTERS = st.text(alphabet="ab.c/*?[]!-^\\#d ", min_size=0, max_size=8)


@needs_git
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines=st.lists(LETTERS, max_size=4))
def test_nothing_is_ignored_that_git_would_not_ignore(folder: Path, lines: list[str]) -> None:
    content = "\n".join(lines).encode()
    rules = IgnoreFile(content)
    found, wanted = {p for p in PATHS if ours(rules, p)}, gits(folder, content, PATHS)
    assert found <= wanted
    if all(p.components is not None for p in rules._patterns):
        assert found == wanted


def test_too_much_work_is_undecided() -> None:
    rules = IgnoreFile(b"*x*y\n" * 1000)
    budget = Budget(left=5000)
    assert rules.decide((b"xyxyxyxyxyx",), is_directory=False, budget=Budget()) is None
    with pytest.raises(LimitError):
        rules.decide((b"xyxyxyxyxyx",), is_directory=False, budget=budget)


def test_work_is_counted_where_it_is_done() -> None:
    for pattern in (b"*a" * 2000, b"**/" * 1300 + b"b", b"**/a/" * 800 + b"b", b"a" * 5000):
        budget = Budget()
        started = time.process_time()  # what other processes take does not count
        for _ in range(20):
            IgnoreFile(pattern).decide([b"a" * 250] * 100, is_directory=False, budget=budget)
        spent, took = Budget().left - budget.left, time.process_time() - started
        assert took < 3 + spent / 200_000


def test_what_is_not_understood_hides_nothing() -> None:
    rules = IgnoreFile(b"*\n!d/[a\n")
    assert rules.decide((b"x",), is_directory=False) is False
    assert IgnoreFile(b"d/[a\n").decide((b"d", b"a"), is_directory=False) is None
    # Git reads a slash within brackets as a letter of the class; here a slash always separates.
    assert IgnoreFile(b"d/[a/b]\n").decide((b"d", b"a"), is_directory=False) is None
