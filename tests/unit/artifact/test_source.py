"""Is a checkout seen as git sees it, and is nothing of a hostile one run or believed?

Git is the oracle: `git status`, `git rev-parse` and `git write-tree` say what a checkout is.
"""

import hashlib
import os
import shutil
import subprocess
import time
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from glasswing_attest.artifact import source
from glasswing_attest.artifact.digest import Form
from glasswing_attest.artifact.hashing import ProgressEvent
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.source import Source
from glasswing_attest.errors import ArtifactUnstable, GlasswingError, LimitError, SourceRefused
from glasswing_attest.limits import Limits

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Checkout:
    """A repository to make and to spoil."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *options)

    def git(self, *arguments: str | Path) -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example",
        }
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=self.path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n")

    def write(self, name: str, content: str = "x\n") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message=m")
        return self.git("rev-parse", "HEAD")

    def measure(self) -> Manifest:
        return Source(self.path).measure()

    def dirty(self) -> list[str]:
        facts = self.measure().facts
        assert facts["dirty"] == ("true" if "dirtyPaths" in facts else "false")
        return facts["dirtyPaths"].split("\n") if "dirtyPaths" in facts else []

    def status(self) -> list[str]:
        """What git thinks: paths that differ or are not tracked."""
        lines = self.git("status", "--porcelain", "-z", "--no-renames").split("\0")
        return sorted(line[3:] for line in lines if line)


@pytest.fixture
def repo(tmp_path: Path) -> Checkout:
    found = Checkout(tmp_path / "train")
    found.write("train.py", "print('hello')\n")
    found.write("lib/a.py")
    found.write("lib/deep/b.py")
    found.write("run.sh").chmod(0o755)
    (found.path / "link").symlink_to("lib/a.py")
    found.write(".gitignore", "*.pyc\n/build/\n")
    found.commit()
    return found


@contextmanager
def refused(error: type[GlasswingError], code: str, because: str | None = None) -> Generator[None]:
    with pytest.raises(error, match=because) as raised:
        yield
    assert type(raised.value) is error
    assert raised.value.code == code


# --- what git says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_commit_and_tree_are_those_of_git(tmp_path: Path, algorithm: str) -> None:
    repo = Checkout(tmp_path / "r", f"--object-format={algorithm}")
    repo.write("a/b")
    commit = repo.commit()
    manifest = repo.measure()
    assert manifest.digests.to_dict() == {"gitCommit": commit, "gitTree": repo.git("write-tree")}
    assert (manifest.kind, manifest.form, manifest.name, manifest.is_declared) == ("code", Form.GIT, "r", False)
    assert dict(manifest.facts) == {"dirty": "false", "ref": "refs/heads/main", "repository": ""}
    assert Manifest.from_proto(manifest.to_proto()) == replace(manifest, is_declared=True)


def test_any_directory_of_a_checkout_is_the_checkout(repo: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = repo.measure()
    assert Source(repo.path / "lib" / "deep").measure() == expected
    monkeypatch.chdir(repo.path / "lib")
    assert Source().measure() == expected
    assert Source().measure().location == repo.path


@pytest.mark.parametrize("how", ["packed", "detached", "tag", "worktree", "shallow", "alternates", "separate"])
def test_every_way_to_keep_a_repository(repo: Checkout, tmp_path: Path, how: str) -> None:
    tree = repo.git("write-tree")
    other = repo
    ref = "refs/heads/main"
    if how == "packed":
        repo.git("gc", "--quiet")
        repo.git("pack-refs", "--all")
    elif how == "detached":
        repo.git("checkout", "--quiet", "--detach")
        ref = ""
    elif how == "tag":
        repo.git("tag", "-a", "v1", "-m", "v1")
        repo.git("checkout", "--quiet", "v1")
        ref = ""
    else:
        other = object.__new__(Checkout)
        other.path = tmp_path / "other"
        if how == "worktree":
            repo.git("worktree", "add", "--quiet", "-b", "feature/x", other.path)
            ref = "refs/heads/feature/x"
        elif how == "separate":
            repo.git("clone", "--quiet", f"--separate-git-dir={tmp_path / 'elsewhere'}", repo.path, other.path)
        else:
            option = "--shared" if how == "alternates" else "--depth=1"
            repo.git("clone", "--quiet", option, f"file://{repo.path}" if how == "shallow" else repo.path, other.path)
    manifest = other.measure()
    assert manifest.digests.to_dict() == {"gitCommit": other.git("rev-parse", "HEAD"), "gitTree": tree}
    assert (manifest.facts["ref"], manifest.facts["dirty"]) == (ref, "false")


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://git.example/acme/train", "https://git.example/acme/train"),
        ("https://user:token@git.example:8443/acme/train.git", "https://git.example:8443/acme/train.git"),
        ("https://token@git.example/acme/train.git?private_token=1#x", "https://git.example/acme/train.git"),
        ("https://u:p@ss@git.example/x", "https://git.example/x"),
        ("https://u:p/w@git.example/x", ""),
        ("ssh://git@git.example/acme/train.git", "ssh://git.example/acme/train.git"),
        ("git@git.example:acme/train.git", "git.example:acme/train.git"),
        ("https://git.example/@scope/train", "https://git.example/@scope/train"),
        ("https://[::1/x", ""),
        ("https://git.example/\x1b[31m", ""),
        ("../other", "../other"),
    ],
)
def test_the_repository_is_told_without_secrets(repo: Checkout, url: str, public: str) -> None:
    repo.git("config", "remote.origin.url", url)
    repo.git("config", "--add", "remote.origin.url", "https://second.example/x")
    assert repo.measure().facts["repository"] == public


# --- dirt ------------------------------------------------------------------------------------------------------------


def modified(repo: Checkout) -> None:
    repo.write("lib/a.py", "y\n")


def staged(repo: Checkout) -> None:
    repo.write("lib/a.py", "y\n")
    repo.git("add", "lib/a.py")


def deleted(repo: Checkout) -> None:
    (repo.path / "lib/deep/b.py").unlink()


def deleted_directory(repo: Checkout) -> None:
    shutil.rmtree(repo.path / "lib" / "deep")


def renamed(repo: Checkout) -> None:
    repo.git("mv", "train.py", "trained.py")


def made_executable(repo: Checkout) -> None:
    (repo.path / "train.py").chmod(0o755)


def made_plain(repo: Checkout) -> None:
    (repo.path / "run.sh").chmod(0o644)


def link_to_another(repo: Checkout) -> None:
    (repo.path / "link").unlink()
    (repo.path / "link").symlink_to("lib/deep/b.py")


def link_to_file(repo: Checkout) -> None:
    (repo.path / "link").unlink()
    repo.write("link", "lib/a.py")


def file_to_link(repo: Checkout) -> None:
    (repo.path / "train.py").unlink()
    (repo.path / "train.py").symlink_to("lib/a.py")


def directory_to_link(repo: Checkout) -> None:
    shutil.move(repo.path / "lib" / "deep", repo.path / "build")
    (repo.path / "lib" / "deep").symlink_to("../build")


def untracked(repo: Checkout) -> None:
    repo.write("new.py")


def untracked_directory(repo: Checkout) -> None:
    repo.write("new/deep/a.py")
    repo.write("new/b.pyc")


def untracked_link(repo: Checkout) -> None:
    (repo.path / "build").symlink_to("lib")


def ignored(repo: Checkout) -> None:
    repo.write("build/x")
    repo.write("lib/a.pyc")
    repo.write("caches/a.pyc")
    (repo.path / "empty").mkdir()


DIRT: list[Callable[[Checkout], None]] = [
    modified,
    staged,
    deleted,
    deleted_directory,
    renamed,
    made_executable,
    made_plain,
    link_to_another,
    link_to_file,
    file_to_link,
    directory_to_link,
    untracked,
    untracked_directory,
    untracked_link,
    ignored,
]


@pytest.mark.parametrize("spoil", DIRT)
def test_dirt_is_what_git_calls_dirt(repo: Checkout, spoil: Callable[[Checkout], None]) -> None:
    spoil(repo)
    status = repo.status()
    assert bool(repo.dirty()) is bool(status)
    tops = {p.rstrip("/").split("/")[0] for p in repo.dirty()}
    assert tops == {p.rstrip("/").split("/")[0] for p in status}


def test_a_directory_that_is_not_tracked_is_named_once(repo: Checkout) -> None:
    untracked_directory(repo)
    assert repo.dirty() == ["new/"]


def test_only_twenty_paths_are_named(repo: Checkout) -> None:
    for i in range(30):
        repo.write(f"new{i:02}")
    assert repo.dirty() == [f"new{i:02}" for i in range(20)]


def test_names_that_are_no_text_are_named_all_the_same(repo: Checkout) -> None:
    (repo.path / os.fsdecode(b"\xff\n\x1b[0m")).write_text("x")
    (found,) = repo.dirty()
    assert found.isprintable()
    assert Manifest.from_proto(repo.measure().to_proto()) == replace(repo.measure(), is_declared=True)


def test_a_dirty_checkout_has_the_digests_of_its_commit(repo: Checkout) -> None:
    clean = repo.measure()
    modified(repo)
    assert repo.measure().digests == clean.digests
    assert repo.measure() != clean


def test_only_committed_ignore_files_count(repo: Checkout, tmp_path: Path) -> None:
    (repo.path / ".git" / "info" / "exclude").write_text("secret.py\n")
    (tmp_path / "excludes").write_text("secret.py\n")
    repo.git("config", "core.excludesFile", str(tmp_path / "excludes"))
    repo.write("secret.py")
    repo.write("lib/new/.gitignore", "*\n")
    assert repo.status() == []
    assert repo.dirty() == ["lib/new/", "secret.py"]


def test_a_changed_ignore_file_hides_nothing(repo: Checkout) -> None:
    repo.write(".gitignore", "*\n")
    repo.write("secret.py")
    assert repo.dirty() == [".gitignore", "secret.py"]


def test_an_ignored_directory_with_tracked_files(repo: Checkout) -> None:
    repo.write("build/kept.py")
    repo.git("add", "--force", "build/kept.py")
    repo.commit()
    repo.write("build/output.o")
    assert (repo.dirty(), repo.status()) == ([], [])
    repo.write("build/kept.py", "y\n")
    assert repo.dirty() == ["build/kept.py"]


def test_a_repository_within_that_is_not_tracked(repo: Checkout) -> None:
    Checkout(repo.path / "vendor" / "other").write("a")
    assert repo.dirty() == ["vendor/"]
    shutil.rmtree(repo.path / "vendor")
    Checkout(repo.path / "lib")  # a .git below a tracked directory
    assert repo.dirty() == ["lib/.git/"]


# --- dirt that git can be told not to see ----------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_flags_of_the_index_hide_nothing(repo: Checkout, flag: str) -> None:
    repo.git("update-index", flag, "lib/a.py")
    modified(repo)
    assert repo.status() == []
    assert repo.dirty() == ["lib/a.py"]


def test_the_executable_bit_counts_whatever_the_configuration_says(repo: Checkout) -> None:
    repo.git("config", "core.fileMode", "false")
    made_executable(repo)
    assert repo.status() == []
    assert repo.dirty() == ["train.py"]


def test_a_sparse_checkout_is_dirty(repo: Checkout) -> None:
    repo.git("sparse-checkout", "set", "--no-cone", "/train.py")
    assert repo.status() == []
    assert "lib" in repo.dirty()


def test_a_filter_that_cleans_hides_nothing(repo: Checkout) -> None:
    repo.git("config", "filter.hide.clean", "echo x")
    (repo.path / ".git" / "info" / "attributes").write_text("lib/a.py filter=hide\n")
    repo.write("lib/a.py", "y\n")
    assert repo.status() == []
    assert repo.dirty() == ["lib/a.py"]


def test_line_ends_are_bytes(repo: Checkout) -> None:
    repo.git("config", "core.autocrlf", "true")
    repo.write("lib/a.py", "x\r\n")
    assert repo.dirty() == ["lib/a.py"]


def test_replaced_objects_are_not_believed(repo: Checkout) -> None:
    commit, tree = repo.git("rev-parse", "HEAD"), repo.git("write-tree")
    repo.write("lib/a.py", "evil\n")
    evil = repo.commit()
    repo.git("reset", "--quiet", "--soft", commit)
    repo.git("replace", commit, evil)
    assert repo.status() == []
    manifest = repo.measure()
    assert manifest.digests.to_dict() == {"gitCommit": commit, "gitTree": tree}
    assert manifest.facts["dirtyPaths"] == "lib/a.py"


def test_a_worktree_elsewhere_is_not_believed(repo: Checkout, tmp_path: Path) -> None:
    shutil.copytree(repo.path, tmp_path / "clean", symlinks=True)
    repo.git("config", "core.worktree", str(tmp_path / "clean"))
    repo.write("lib/a.py", "evil\n")
    assert repo.status() == []
    assert repo.dirty() == ["lib/a.py"]
    assert repo.measure().location == repo.path


def test_an_object_that_is_not_what_its_id_says_is_refused(repo: Checkout) -> None:
    blob = b"tree 0\0"
    tree = repo.git("write-tree")
    path = repo.path / ".git" / "objects" / tree[:2] / tree[2:]
    path.chmod(0o644)
    path.write_bytes(__import__("zlib").compress(blob))
    with refused(SourceRefused, "artifact.source", "not what its id says|ended early|missing"):
        repo.measure()


def test_environment_variables_of_git_are_dropped(
    repo: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Checkout(tmp_path / "other")
    other.write("a")
    other.commit()
    expected = repo.measure()
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git" / "objects"))
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "remote.origin.url")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://evil.example/")
    assert repo.measure() == expected
    assert not (tmp_path / "trace").exists()


# --- code that a hostile checkout would like to run ------------------------------------------------------------------


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


def arm(repo: Checkout, canary: Path) -> None:
    """Put a program everywhere that git is known to run one."""
    program = repo.path.parent / "program"
    program.write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n")
    program.chmod(0o755)
    hooks = repo.path / ".git" / "hooks"
    shutil.rmtree(hooks, ignore_errors=True)
    hooks.mkdir()
    for hook in ("pre-commit", "post-checkout", "post-index-change", "fsmonitor-watchman", "reference-transaction"):
        shutil.copy(program, hooks / hook)
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "attributes").write_text("* filter=evil diff=evil merge=evil\n")
    lines = f"""
[core]
\tfsmonitor = {program}
\tsshCommand = {program}
\tpager = {program}
\teditor = {program}
\taskPass = {program}
\talternateRefsCommand = {program}
\tgitProxy = {program}
\thooksPath = {hooks}
[pager]
\tconfig = {program}
\tcat-file = {program}
[filter "evil"]
\tclean = {program}
\tsmudge = {program}
\tprocess = {program}
\trequired = true
[diff "evil"]
\ttextconv = {program}
\tcommand = {program}
[diff]
\texternal = {program}
[credential]
\thelper = !{program}
[gpg]
\tprogram = {program}
[log]
\tshowSignature = true
[alias]
\trev-parse = !{program}
\tcat-file = !{program}
\tconfig = !{program}
[protocol]
\tallow = always
[protocol "ext"]
\tallow = always
[protocol "file"]
\tallow = always
[remote "origin"]
\turl = ext::{program}
\tuploadpack = {program}
\tpromisor = true
\tpartialclonefilter = blob:none
[extensions]
\tpartialClone = origin
[include]
\tpath = {repo.path.parent / "included"}
"""
    (repo.path.parent / "included").write_text('[remote "origin"]\n\turl = https://included.example/\n')
    with (repo.path / ".git" / "config").open("a") as config:
        config.write(lines.replace("repositoryformatversion = 0", "repositoryformatversion = 1"))
    repo.git("config", "core.repositoryFormatVersion", "1")


def test_the_trap_works(repo: Checkout, canary: Path) -> None:
    """Without precautions git runs these programs; else the next tests would show nothing."""
    arm(repo, canary)
    subprocess.run(["git", "status"], cwd=repo.path, capture_output=True, check=False)
    assert canary.exists()


def test_nothing_of_a_hostile_checkout_is_run(repo: Checkout, canary: Path) -> None:
    expected = repo.measure().digests
    arm(repo, canary)
    modified(repo)
    manifest = repo.measure()
    assert not canary.exists()
    assert manifest.digests == expected
    assert manifest.facts["dirtyPaths"] == "lib/a.py"
    assert "included" not in manifest.facts["repository"]


def test_a_missing_object_is_not_fetched(repo: Checkout, canary: Path) -> None:
    tree = repo.git("rev-parse", "HEAD:lib")
    arm(repo, canary)
    (repo.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    subprocess.run(["git", "cat-file", "-p", tree], cwd=repo.path, capture_output=True, check=False)
    assert canary.exists()  # the trap works
    canary.unlink()
    with refused(SourceRefused, "artifact.source", "missing"):
        repo.measure()
    assert not canary.exists()


def test_a_program_called_git_in_the_checkout_is_not_run(
    repo: Checkout, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("git", f"#!/bin/sh\ntouch {canary}\n").chmod(0o755)
    monkeypatch.chdir(repo.path)
    monkeypatch.setenv("PATH", f".::{os.environ['PATH']}")
    assert Source(".").measure().facts["dirtyPaths"] == "git"
    assert not canary.exists()
    monkeypatch.setenv("PATH", ".:")
    with refused(SourceRefused, "artifact.source", "no git"):
        Source(".").measure()
    assert not canary.exists()


def test_pipes_in_the_repository_do_not_block(repo: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_PATIENCE_SECONDS", 1)
    tree = repo.git("write-tree")
    for name in (f"objects/{tree[:2]}/{tree[2:]}", "HEAD", "config", "commondir"):
        path = repo.path / ".git" / name
        kept = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        started = time.monotonic()
        if name != "config":  # a configuration that is no file is as good as none
            with refused(SourceRefused, "artifact.source"):
                repo.measure()
        else:
            repo.measure()
        assert time.monotonic() - started < 10
        path.unlink()
        if kept is not None:
            path.write_bytes(kept)
    assert repo.measure().digests.get("gitTree") == tree


def test_a_huge_ignore_file_ignores_nothing(repo: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_IGNORE_FILE_BYTES", 10)
    ignored(repo)
    assert repo.dirty() == ["build/", "caches/", "lib/a.pyc"]


def test_a_large_blob_is_not_kept_in_memory(repo: Checkout) -> None:
    repo.write("data", "x" * 5_000_000)
    repo.commit()
    repo.write("data", "y" * 5_000_000)
    tracemalloc.start()
    assert repo.dirty() == ["data"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_500_000


def test_patterns_of_a_hostile_checkout_take_no_time(repo: Checkout) -> None:
    repo.write(".gitignore", "*a" * 2000 + "\n" + "**/" * 2000 + "b\n")
    repo.commit()
    repo.write("a" * 100 + "c")
    started = time.monotonic()
    assert repo.dirty() == ["a" * 100 + "c"]
    assert time.monotonic() - started < 5


# --- submodules ------------------------------------------------------------------------------------------------------


@pytest.fixture
def family(repo: Checkout, tmp_path: Path) -> tuple[Checkout, Checkout]:
    """A checkout with a submodule `sub`, and the submodule's own checkout."""
    library = Checkout(tmp_path / "library")
    library.write("lib.py")
    library.commit()
    repo.git("submodule", "--quiet", "add", library.path, "sub")
    repo.commit()
    inner = object.__new__(Checkout)
    inner.path = repo.path / "sub"
    return repo, inner


def test_a_submodule_is_clean_only_at_its_commit(family: tuple[Checkout, Checkout]) -> None:
    repo, inner = family
    assert repo.dirty() == []
    inner.write("lib.py", "y\n")
    assert repo.dirty() == ["sub/lib.py"]
    inner.commit()
    assert repo.dirty() == ["sub"]
    repo.commit()
    assert repo.dirty() == []
    inner.write("new.py")
    assert repo.dirty() == ["sub/new.py"]


def test_a_submodule_that_is_not_checked_out_is_told(family: tuple[Checkout, Checkout]) -> None:
    repo, inner = family
    repo.git("submodule", "--quiet", "deinit", "--force", "sub")
    facts = repo.measure().facts
    assert (facts["dirty"], facts["submodulesMissing"]) == ("false", "sub")
    inner.path.rmdir()
    assert repo.measure().facts["submodulesMissing"] == "sub"
    inner.write("lib.py")
    assert repo.dirty() == ["sub"]
    shutil.rmtree(inner.path)
    repo.write("sub")
    assert repo.dirty() == ["sub"]


def test_a_submodule_without_a_commit_is_dirty(family: tuple[Checkout, Checkout]) -> None:
    repo, inner = family
    shutil.rmtree(inner.path)
    Checkout(inner.path)
    assert repo.dirty() == ["sub"]


def test_submodules_that_contain_themselves_end(repo: Checkout) -> None:
    commit = repo.git("rev-parse", "HEAD")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    repo.git("commit", "--quiet", "-m", "m")
    repo.write("sub/.git", "gitdir: ../.git\n")
    assert "sub" in repo.dirty()
    path = repo.path
    for _ in range(20):
        path = path / "sub"
        path.mkdir(exist_ok=True)
        (path / ".git").write_text(f"gitdir: {repo.path}/.git\n")
    with refused(LimitError, "limit"):
        repo.measure()


# --- large files -----------------------------------------------------------------------------------------------------


def test_a_large_file_is_clean_if_its_pointer_names_its_bytes(repo: Checkout) -> None:
    data = b"weights" * 1000
    oid = hashlib.sha256(data).hexdigest()
    repo.write("m.bin", f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n")
    repo.commit()
    assert repo.dirty() == []
    path = repo.path / "m.bin"
    path.write_bytes(data)
    assert repo.dirty() == []
    for other in (data + b"x", data[:-1] + b"x", b""):
        path.write_bytes(other)
        assert repo.dirty() == ["m.bin"]


# --- refusals --------------------------------------------------------------------------------------------------------


def test_without_a_commit_there_is_nothing_to_name(tmp_path: Path) -> None:
    repo = Checkout(tmp_path / "r")
    with refused(SourceRefused, "artifact.source", "no commit yet"):
        repo.measure()


def test_what_is_not_a_checkout(tmp_path: Path, repo: Checkout) -> None:
    for path in (tmp_path, tmp_path / "absent", repo.path / "train.py", Path("nul\0")):
        with refused(SourceRefused, "artifact.source"):
            Source(path).measure()
    with refused(SourceRefused, "artifact.source"):
        Checkout(tmp_path / "bare", "--bare").measure()


@pytest.mark.parametrize(
    "head",
    [
        "",
        "ref: ../../etc/passwd",
        "ref: refs/../../x",
        "ref: HEAD",
        "ref: refs/heads/\x1b",
        "ref: refs/heads/.hidden",
        "ref: refs/heads/x.lock",
        "0123",
        "0" * 41,
        "A" * 40,
        "0" * 40,
        "0" * 64,
        "ref: refs/heads/loop",
    ],
)
def test_a_head_that_names_no_commit_is_refused(repo: Checkout, head: str) -> None:
    repo.write(".git/refs/heads/loop", "ref: refs/heads/loop\n")
    repo.write(".git/HEAD", head + "\n")
    with refused(SourceRefused, "artifact.source"):
        repo.measure()


def test_a_head_that_names_another_object_is_refused(repo: Checkout) -> None:
    repo.write(".git/HEAD", repo.git("write-tree") + "\n")
    with refused(SourceRefused, "artifact.source"):
        repo.measure()


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "."])
def test_a_tree_with_forbidden_names_is_refused(repo: Checkout, name: str) -> None:
    blob = repo.git("rev-parse", "HEAD:train.py")
    raw = f"100644 {name}\0".encode() + bytes.fromhex(blob)
    (repo.path.parent / "tree").write_bytes(raw)
    tree = repo.git("hash-object", "-t", "tree", "-w", "--literally", repo.path.parent / "tree")
    repo.write(".git/HEAD", repo.git("commit-tree", tree, "-m", "m") + "\n")
    with refused(SourceRefused, "artifact.source", "forbidden name"):
        repo.measure()


@pytest.mark.parametrize("exists", [False, True])
def test_a_head_that_moves_meanwhile_is_unstable(repo: Checkout, exists: bool) -> None:
    if exists:
        repo.git("branch", "other")

    def move(_: ProgressEvent) -> None:
        repo.write(".git/HEAD", "ref: refs/heads/other\n")

    with refused(ArtifactUnstable, "artifact.unstable"):
        Source(repo.path).measure(progress=move)


@pytest.mark.parametrize("bound", [{"source_bytes": 100}, {"tree_files": 3}, {"tree_depth": 2}])
def test_a_checkout_is_bounded(repo: Checkout, bound: dict[str, int]) -> None:
    with refused(LimitError, "limit"):
        Source(repo.path).measure(limits=Limits(**bound))


def test_deep_directories_end_in_a_limit_not_in_a_crash(repo: Checkout) -> None:
    path = repo.path
    for _ in range(300):
        path = path / "d"
        path.mkdir()
    (path / "file").write_text("x")
    with refused(LimitError, "limit"):
        repo.measure()


def test_no_process_and_no_descriptor_is_left(repo: Checkout) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("no /proc/self/fd here")
    before = len(list(folder.iterdir()))
    repo.measure()
    with refused(LimitError, "limit"):
        Source(repo.path).measure(limits=Limits(tree_files=3))
    assert len(list(folder.iterdir())) == before


# --- what is to be written -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("model", False),
        ("dist", True),
        ("dist/a.whl", True),
        ("src/out/model", True),
        ("src/model", False),
        ("src/a.bin", True),
        ("keep/a.bin", False),
        ("runs", True),  # whatever lies in it is ignored
        ("link/model", False),
        ("../model", True),
        ("src/../dist/a.whl", True),
    ],
)
def test_what_would_make_it_dirty_is_told_before_it_is_there(path: str, clean: bool, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "repo")
    checkout.write(".gitignore", "/dist/\n*.bin\n/runs/*\n/link\n")
    checkout.write("src/.gitignore", "out/\n")
    checkout.write("keep/.gitignore", "!*.bin\n")
    checkout.commit()
    (checkout.path / "link").symlink_to("src")
    assert Source(checkout.path).stays_clean_with(checkout.path / path) is clean
    # Git and `measure` are asked once it is there.
    place = Path(os.path.realpath(checkout.path / path))
    folder = place.name in ("model", "runs", "dist")
    place.parent.mkdir(parents=True, exist_ok=True)
    (place / "weights" if folder else place).parent.mkdir(exist_ok=True)
    (place / "weights" if folder else place).write_text("x")
    assert (checkout.git("status", "--porcelain") == "") is clean
    assert (Source(checkout.path).measure().facts["dirty"] == "false") is clean


def test_a_submodule_has_patterns_of_its_own(tmp_path: Path) -> None:
    inner = Checkout(tmp_path / "inner")
    inner.write(".gitignore", "out\n")
    inner.commit()
    outer = Checkout(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", inner.path, "inner")
    outer.commit()
    assert Source(outer.path).stays_clean_with(outer.path / "inner" / "out")
    assert not Source(outer.path).stays_clean_with(outer.path / "inner" / "other")
