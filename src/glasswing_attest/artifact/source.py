"""What commit is a git checkout, and does its working tree say the same?

A checkout is hostile: its configuration can run programs (hooks, fsmonitor, filters, textconv) and can hide changes
(assume-unchanged, skip-worktree, replaced objects, private excludes). So nothing of it is believed. Git is asked for
one thing, the bytes of objects, from a private, empty repository that borrows the checkout's object store, so that it
never reads the checkout's configuration, index, references or hooks; and every object is hashed here again and must
have its id. The working tree is compared with the commit from its bytes, without index or filters. Because nothing of
the checkout runs, git's ``safe.directory`` is not needed: a checkout may belong to someone else.

Object formats are those of git's "hash-object" for SHA-1 and SHA-256 repositories: ``<type> SP <size> NUL <bytes>``.
"""

from __future__ import annotations

import hashlib
import os
import re
import select
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from glasswing_attest._files import StrPath, read_bounded
from glasswing_attest.artifact.digest import DigestSet, Form
from glasswing_attest.artifact.gitignore import Budget, IgnoreFile
from glasswing_attest.artifact.hashing import Meter, Progress, artifact_error, digest_of, open_file
from glasswing_attest.artifact.manifest import Facts, Manifest
from glasswing_attest.artifact.tree import display, open_directory
from glasswing_attest.artifact.urls import public_url
from glasswing_attest.errors import ArtifactUnstable, LimitError, SourceRefused, shown
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Source"]

_ID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
# Names of references as git-check-ref-format(1) has them, as far as it keeps them below refs/ and printable.
_REF = re.compile(r"refs/(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f-\x9f~^:?*\[\\\ufffd]+(?<![./])")
_PATIENCE_SECONDS = 60
_DIRTY_SHOWN = 20
_IGNORE_FILE_BYTES = 1 << 20
_SUBMODULE_DEPTH = 16
_SYMREF_DEPTH = 5
# A pointer as Git LFS writes it (its docs/spec.md): the commit names the content by SHA-256 and size.
_LFS = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n"
)
_LFS_BYTES = 1024
# A name that no pattern names but one that names every name.
_ANY_NAME = b"\x01"
_TREE, _LINK, _COMMIT, _FILE, _PROGRAM = 0o40000, 0o120000, 0o160000, 0o100644, 0o100755

_Parts = tuple[bytes, ...]


@dataclass(frozen=True, slots=True, init=False)
class Source:
    """A git checkout: its commit, its tree, and whether the files on disk are those of the commit.

    ``Source(".").measure()`` gives a `Manifest` with the digests ``gitCommit`` and ``gitTree`` and these facts:

    * ``repository``: the URL of the remote called origin, without user name, password and query; "" without one;
    * ``ref``: what HEAD names, such as ``refs/heads/main``; "" where it is detached;
    * ``dirty``: ``true`` or ``false``;
    * ``dirtyPaths``: the first twenty paths that differ, one a line, only where it is dirty;
    * ``submodulesMissing``: submodules that are not checked out, one a line, only where there are any.

    A dirty checkout is measured and flagged; whether that is acceptable is for others to decide.

    Attributes:
        path: the checkout, or a directory in it. The nearest directory above with a ``.git`` is the root.
        name: what to call it; by default the name of the root.
    """

    path: Path
    name: str

    def __init__(self, path: StrPath = ".", name: str | None = None) -> None:
        object.__setattr__(self, "path", Path(path))
        object.__setattr__(self, "name", name or "")

    @property
    def kind(self) -> str:
        """What it is used as: ``code``."""
        return "code"

    def measure(
        self, *, progress: Progress | None = None, limits: Limits = DEFAULT, executor: Executor | None = None
    ) -> Manifest:
        """Read the commit, and compare every file with it.

        Args:
            progress: is called as files are read. Its total is 0, because it is not known beforehand.
            limits: ``source_bytes`` bounds all that is read, ``tree_files`` and ``tree_depth`` what is walked.
            executor: not used: a checkout is read by one thread.

        Raises:
            SourceRefused: there is no git, no checkout, no commit yet, or an object is missing or not what its id says.
            ArtifactError: a file cannot be read, or changes meanwhile.
            LimitError: it is too large.
        """
        root = _root_of(self.path)
        state = _State(limits=limits, meter=Meter(progress, 0))
        found = _examine(root, state, depth=0)
        config = _config(found.common, limits)
        facts = {
            "repository": public_url(config.get("remote.origin.url", "")),
            "ref": found.ref,
            "dirty": "true" if state.dirty else "false",
        }
        if state.dirty:
            facts["dirtyPaths"] = "\n".join(shown(os.fsdecode(p)) for p in sorted(state.dirty)[:_DIRTY_SHOWN])
        if state.missing:
            facts["submodulesMissing"] = "\n".join(shown(os.fsdecode(p)) for p in sorted(state.missing))
        return Manifest(
            kind=self.kind,
            form=Form.GIT,
            name=self.name or shown(root.name),
            digests=DigestSet.of(gitCommit=found.commit, gitTree=found.tree),
            facts=Facts(facts),
            location=root,
            measured_by=Source(root, self.name or None),
        )

    def stays_clean_with(self, path: StrPath) -> bool:
        """Tell whether the checkout would still be clean if something new lay at this path.

        It would where the path leads out of the checkout, or the commit's .gitignore files name it, or a directory
        above it. Of a directory nobody knows yet what will lie in it: it counts as named if whatever lies in it is.

        Raises:
            SourceRefused, ArtifactError, LimitError: as `measure` does.
        """
        root = _root_of(self.path)
        # The folder is resolved, because links may lead into the checkout; the last part is what is laid there.
        place = Path(os.path.realpath(Path(path).parent)) / Path(path).name
        if root not in place.parents:
            return True
        parts = tuple(os.fsencode(part) for part in place.relative_to(root).parts)
        return _is_ignored_below(root, parts, _State(limits=DEFAULT, meter=Meter(None, 0)))


# --- where is the repository? ----------------------------------------------------------------------------------------


def _root_of(path: Path) -> Path:
    where = os.fspath(path)
    try:
        start = path.resolve(strict=True)
    except (OSError, ValueError) as e:
        raise SourceRefused(where=where, because=getattr(e, "strerror", None) or str(e)) from e
    if not start.is_dir():
        raise SourceRefused(where=where, found="a file", wanted="a directory")
    for directory in (start, *start.parents):
        if os.path.lexists(directory / ".git"):
            return directory
    raise SourceRefused(where=where, because="neither it nor a directory above it holds .git", do="give a git checkout")


def _directories(root: Path, limits: Limits) -> tuple[Path, Path]:
    """Give the checkout's own git directory and the one it shares with others (gitrepository-layout(5))."""
    git = root / ".git"
    if git.is_file():
        text = _one_line(git, limits)
        if not text.startswith(b"gitdir: "):
            raise SourceRefused(where=str(git), found=text, wanted="gitdir: <path>")
        git = root / os.fsdecode(text.removeprefix(b"gitdir: "))
    if not git.is_dir():
        raise SourceRefused(where=str(git), because="it is not a git directory")
    common = git / "commondir"
    return git, git / os.fsdecode(_one_line(common, limits)) if os.path.lexists(common) else git


def _one_line(path: Path, limits: Limits) -> bytes:
    text = read_bounded(path, "name_bytes", limits, error=SourceRefused).rstrip(b"\r\n")
    if b"\0" in text or b"\n" in text:
        raise SourceRefused(where=str(path), found=text, wanted="one line")
    return text


def _head(git: Path, common: Path, limits: Limits) -> tuple[str, str]:
    """Resolve HEAD: the commit's id, and the reference it names or ""."""
    text = _one_line(git / "HEAD", limits)
    ref = ""
    for _ in range(_SYMREF_DEPTH):
        if _ID.fullmatch(text):
            return text.decode("ascii"), ref
        target = text.removeprefix(b"ref:").strip().decode("utf-8", "replace")
        if not text.startswith(b"ref:") or not _REF.fullmatch(target):
            raise SourceRefused(where=str(git / "HEAD"), found=text, wanted="an object id or a reference below refs/")
        ref = ref or target
        text = _reference(target, git, common, limits)
    raise SourceRefused(where=str(git / "HEAD"), because="its references go in circles")


def _reference(name: str, git: Path, common: Path, limits: Limits) -> bytes:
    for directory in (git, common):
        loose = directory / name
        if loose.is_file():
            return _one_line(loose, limits)
    packed = common / "packed-refs"
    if packed.is_file():
        wanted = name.encode("utf-8")
        for line in read_bounded(packed, "record_bytes", limits, error=SourceRefused).split(b"\n"):
            value, _, found = line.partition(b" ")
            if found == wanted and _ID.fullmatch(value):
                return value
    if (common / "reftable").is_dir():
        raise SourceRefused(where=str(common), because="references in the reftable format are not read here")
    raise SourceRefused(where=str(git / "HEAD"), because=f"{name} has no commit yet")


def _config(common: Path, limits: Limits) -> dict[str, str]:
    """Read the configuration as data: git parses the bytes, from its standard input, and follows no include."""
    path = common / "config"
    if not path.is_file():
        return {}
    data = read_bounded(path, "policy_bytes", limits, error=SourceRefused)
    with _private_repository() as (command, environment, directory):
        try:
            done = subprocess.run(
                [*command, "config", "--file", "-", "--null", "--no-includes", "--list"],
                input=data,
                capture_output=True,
                check=False,
                timeout=_PATIENCE_SECONDS,
                env=environment,
                cwd=directory,
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            raise SourceRefused(where=str(path), because=str(e)) from e
    if done.returncode:
        raise SourceRefused(where=str(path), because=done.stderr.decode("utf-8", "replace"))
    found: dict[str, str] = {}
    for item in done.stdout.split(b"\0"):
        key, _, value = item.partition(b"\n")
        # The last value of a key is the one that counts, but of several URLs a remote fetches from the first.
        name = key.decode("utf-8", "replace")
        if not (name.endswith(".url") and name in found):
            found[name] = value.decode("utf-8", "replace")
    return found


# --- asking git for objects ------------------------------------------------------------------------------------------


def _git() -> str:
    # Only absolute entries of PATH count: a relative one would find a program of the checkout.
    places = [p for p in os.environ.get("PATH", os.defpath).split(os.pathsep) if p.startswith(os.sep)]
    found = shutil.which("git", path=os.pathsep.join(places)) if places else None
    if found is None:
        raise SourceRefused(because="there is no git on PATH", do="install git")
    return found


@contextmanager
def _private_repository(
    objects: Path | None = None, *, sha256: bool = False
) -> Generator[tuple[list[str], dict[str, str], str]]:
    """Make an empty repository of our own in which to run git, with an environment that names no other."""
    git = _git()
    with ExitStack() as stack:
        try:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="glasswing-git-"))
            private = Path(directory)
            for name in ("objects", "refs"):
                (private / name).mkdir()
            (private / "HEAD").write_text("ref: refs/heads/none\n")
            version, extension = ("1", "[extensions]\n\tobjectformat = sha256\n") if sha256 else ("0", "")
            core = f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n"
            (private / "config").write_text(core + extension)
        except OSError as e:
            raise SourceRefused(because=f"no temporary directory: {e.strerror}") from e
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
            "GIT_DIR": directory,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            # Git before 2.32 does not know the line above, and looks here.
            "HOME": directory,
            "XDG_CONFIG_HOME": directory,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "LC_ALL": "C",
        }
        if objects is not None:
            environment["GIT_OBJECT_DIRECTORY"] = os.fspath(objects)
        # The checkout's configuration is not read at all. These say it once more, should a git ever find some.
        settings = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "protocol.allow=never")
        command = [git, "--no-pager", "--no-replace-objects"]
        for setting in settings:
            command += ["-c", setting]
        yield command, environment, directory


class _Objects:
    """The objects of one repository, read through ``git cat-file --batch``. What comes back has the id asked for."""

    def __init__(self, process: subprocess.Popen[bytes], new: Callable[[], hashlib._Hash], state: _State) -> None:
        self._process = process
        self.new = new
        self._state = state
        self._buffer = bytearray()

    def get(self, object_id: str, kind: str) -> bytes:
        """Give an object's bytes, or refuse."""
        found, size = self._ask(object_id)
        self._state.limits.check("record_bytes", size, where=object_id)
        # Taken before anything is refused, so that the next answer starts where it should.
        data = self._take(size + 1, object_id)[:-1]
        return self._checked(object_id, kind, found, data)

    def small_blob(self, object_id: str, most: int) -> bytes | None:
        """Give a blob's bytes, or None where it has more than `most`."""
        found, size = self._ask(object_id)
        if size <= most:
            return self._checked(object_id, "blob", found, self._take(size + 1, object_id)[:-1])
        left = size + 1
        while left:
            left -= len(self._take(min(left, 1 << 20), object_id))
        return None

    def _checked(self, object_id: str, kind: str, found: bytes, data: bytes) -> bytes:
        if found != kind.encode("ascii"):
            raise SourceRefused(where=object_id, found=found.decode("ascii", "replace"), wanted=kind)
        digest = self.new()
        digest.update(b"%s %d\0" % (found, len(data)))
        digest.update(data)
        if digest.hexdigest() != object_id:
            raise SourceRefused(where=object_id, found=digest.hexdigest(), because="the object is not what its id says")
        return data

    def _ask(self, object_id: str) -> tuple[bytes, int]:
        stdin = self._process.stdin
        if stdin is None:  # it is a pipe: see `_objects_of`
            raise SourceRefused(because="git was started without a pipe")
        try:
            stdin.write(object_id.encode("ascii") + b"\n")
            stdin.flush()
        except OSError as e:
            raise SourceRefused(where=object_id, because="git ended early") from e
        answer = self._until_line_end(object_id).split(b" ")
        if len(answer) != 3:
            raise SourceRefused(where=object_id, because="the object is missing", do="fetch it, then try again")
        self._state.count(int(answer[2]), object_id)
        return answer[1], int(answer[2])

    def _until_line_end(self, where: str) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._fill(where)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _take(self, count: int, where: str) -> bytes:
        while len(self._buffer) < count:
            self._fill(where)
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _fill(self, where: str) -> None:
        stdout = self._process.stdout
        if stdout is None:
            raise SourceRefused(because="git was started without a pipe")
        # An object store can hold a pipe where git expects a file, and git would wait for ever.
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        if not poll.poll(_PATIENCE_SECONDS * 1000):
            raise SourceRefused(where=where, because=f"git gave no answer for {_PATIENCE_SECONDS} seconds")
        data = os.read(stdout.fileno(), 1 << 20)
        if not data:
            raise SourceRefused(where=where, because="git ended early")
        self._buffer += data

    def __enter__(self) -> _Objects:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def _objects_of(common: Path, commit: str, state: _State) -> Generator[_Objects]:
    # The length of HEAD's id tells the repository's object format; every object must then have an id of that kind.
    sha256 = len(commit) == 64
    with _private_repository((common / "objects").resolve(), sha256=sha256) as (command, environment, directory):
        try:
            process = subprocess.Popen(
                [*command, "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd=directory,
            )
        except OSError as e:
            raise SourceRefused(because=e.strerror or str(e)) from e
        with _Objects(process, hashlib.sha256 if sha256 else _sha1, state) as objects:
            yield objects


def _sha1() -> hashlib._Hash:
    # Git's own identity of objects; whoever wants more demands 64 hex digits by policy.
    return hashlib.sha1(usedforsecurity=False)


# --- comparing the working tree --------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _State:
    """What one measurement has read and found so far, over all submodules."""

    limits: Limits
    meter: Meter
    dirty: set[bytes] = field(default_factory=set)
    missing: set[bytes] = field(default_factory=set)
    budget: Budget = field(default_factory=Budget)
    read: int = 0
    entries: int = 0

    def count(self, size: int, where: str) -> None:
        """Count bytes to be read, before they are."""
        self.read += size
        self.limits.check("source_bytes", self.read, where=where)

    def enter(self, parts: _Parts, where: str) -> None:
        """Count one more entry, and refuse what is too deep, submodules included."""
        self.entries += 1
        self.limits.check("tree_files", self.entries, where=where)
        self.limits.check("tree_depth", len(parts), where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    commit: str
    tree: str
    ref: str
    common: Path


def _examine(root: Path, state: _State, *, depth: int, prefix: _Parts = ()) -> _Found:
    """Read HEAD's commit and compare the working tree at `root` with it."""
    if depth > _SUBMODULE_DEPTH:
        raise LimitError(where=str(root), found="more", wanted=f"at most {_SUBMODULE_DEPTH} submodules in each other")
    git, common = _directories(root, state.limits)
    head = _head(git, common, state.limits)
    commit, ref = head
    with _objects_of(common, commit, state) as objects:
        first_line = objects.get(commit, "commit").partition(b"\n")[0]
        tree = first_line.removeprefix(b"tree ")
        if first_line == tree or not _ID.fullmatch(tree) or len(tree) != len(commit):
            raise SourceRefused(where=commit, found=first_line, wanted="a commit that names its tree")
        comparison = _Comparison(root=os.fsencode(root), prefix=prefix, objects=objects, state=state, depth=depth)
        with open_directory(os.fsencode(root), (), str(root)) as fd:
            comparison.directory(fd, (), tree.decode("ascii"), (), ignored=False)
    try:
        head_after = _head(git, common, state.limits)
    except SourceRefused as e:
        raise ArtifactUnstable(where=e.where, because=e.because) from e
    if head_after != head:
        raise ArtifactUnstable(where=str(git / "HEAD"), found=" ".join(head_after), wanted=" ".join(head))
    return _Found(commit=commit, tree=tree.decode("ascii"), ref=ref, common=common)


def _is_ignored_below(root: Path, parts: _Parts, state: _State) -> bool:
    """Tell whether the .gitignore files of the commit that is checked out at `root` name a path that is not in it."""
    git, common = _directories(root, state.limits)
    commit, _ = _head(git, common, state.limits)
    with _objects_of(common, commit, state) as objects:
        first_line = objects.get(commit, "commit").partition(b"\n")[0]
        tree = first_line.removeprefix(b"tree ").decode("ascii", "replace")
        comparison = _Comparison(root=os.fsencode(root), prefix=(), objects=objects, state=state, depth=0)
        return comparison.ignores(parts, tree)


@dataclass(slots=True, kw_only=True)
class _Comparison:
    """Compares one working tree with one commit. Every difference is a dirty path; nothing is excused by an index."""

    root: bytes
    prefix: _Parts
    objects: _Objects
    state: _State
    depth: int

    def directory(
        self, fd: int, above: _Parts, tree: str, rules: tuple[tuple[int, IgnoreFile], ...], *, ignored: bool
    ) -> None:
        """Compare the directory `fd` with the tree object. `rules` are the .gitignore files above, outermost first."""
        tracked = self._entries(tree)
        rules = (*rules, *self._rules(tracked, above))
        present = self._names(fd, above)
        for name, (mode, object_id) in sorted(tracked.items()):
            parts = (*above, name)
            self.state.enter((*self.prefix, *parts), self.where(parts))
            status = self._status(fd, parts) if name in present else None
            if mode == _TREE and status is not None and stat.S_ISDIR(status.st_mode):
                inside = ignored or self._is_ignored(parts, rules, is_directory=True)
                with open_directory(fd, (name,), self.where(parts)) as child:
                    self.directory(child, parts, object_id, rules, ignored=inside)
            elif mode == _COMMIT:
                self._submodule(fd, parts, object_id, status)
            elif mode == _TREE or status is None or not self._is_same(fd, parts, mode, object_id, status):
                self._dirty(parts)
        for name in sorted(present - tracked.keys()):
            parts = (*above, name)
            if parts != (b".git",) and not ignored:
                untracked = self._untracked(fd, parts, rules)
                if untracked is not None:
                    self._dirty(untracked)

    def _rules(self, tracked: dict[bytes, tuple[int, str]], above: _Parts) -> tuple[tuple[int, IgnoreFile], ...]:
        """Read the .gitignore file that the commit has in the directory `above`."""
        own = tracked.get(b".gitignore")
        if own is None or own[0] not in (_FILE, _PROGRAM):
            return ()
        # A larger one ignores nothing, so that it hides nothing and costs nothing.
        data = self.objects.small_blob(own[1], _IGNORE_FILE_BYTES)
        return ((len(above), IgnoreFile(data or b"")),)

    def where(self, parts: _Parts) -> str:
        return display(self.root, parts)

    def _dirty(self, parts: _Parts) -> None:
        self.state.dirty.add(b"/".join((*self.prefix, *parts)))

    def _entries(self, tree: str) -> dict[bytes, tuple[int, str]]:
        """Read a tree object: ``<octal mode> SP <name> NUL <raw id>`` for each entry."""
        data = self.objects.get(tree, "tree")
        size = len(tree) // 2
        found: dict[bytes, tuple[int, str]] = {}
        at = 0
        while at < len(data):
            end = data.find(b"\0", at)
            mode, space, name = data[at:end].partition(b" ")
            raw = data[end + 1 : end + 1 + size]
            if end < 0 or not space or len(raw) != size or not re.fullmatch(rb"[0-7]{5,6}", mode):
                raise SourceRefused(where=tree, because="the tree object is malformed")
            # What git itself never checks out, because it would leave the tree or enter the repository.
            if name in (b"", b".", b"..") or b"/" in name or name.lower() == b".git" or name in found:
                raise SourceRefused(where=tree, found=name, because="the tree object has a forbidden name")
            kind = int(mode, 8)
            if stat.S_ISREG(kind):
                kind = _PROGRAM if kind & 0o100 else _FILE  # very old commits have 100664
            if kind not in (_TREE, _LINK, _COMMIT, _FILE, _PROGRAM):
                raise SourceRefused(where=tree, found=mode.decode(), because="the tree object has an unknown mode")
            found[name] = (kind, raw.hex())
            at = end + 1 + size
        return found

    def _names(self, fd: int, above: _Parts) -> set[bytes]:
        try:
            with os.scandir(fd) as entries:
                return {os.fsencode(entry.name) for entry in entries}
        except OSError as e:
            raise artifact_error(e, self.where(above), seen=True) from e

    def _status(self, fd: int, parts: _Parts) -> os.stat_result:
        try:
            return os.stat(parts[-1], dir_fd=fd, follow_symlinks=False)
        except OSError as e:
            raise artifact_error(e, self.where(parts), seen=True) from e

    def _is_same(self, fd: int, parts: _Parts, mode: int, object_id: str, status: os.stat_result) -> bool:
        """Tell whether a file or link on disk is the blob, by hashing its bytes as git does."""
        where = self.where(parts)
        if mode == _LINK:
            if not stat.S_ISLNK(status.st_mode):
                return False
            try:
                target = os.readlink(parts[-1], dir_fd=fd)
            except OSError as e:
                raise artifact_error(e, where, seen=True) from e
            digest = self.objects.new()
            digest.update(b"blob %d\0" % len(target) + target)
            return digest.hexdigest() == object_id
        if not stat.S_ISREG(status.st_mode) or (mode == _PROGRAM) is not bool(status.st_mode & 0o100):
            return False
        file = open_file(parts[-1], dir_fd=fd, where=where)
        try:
            size = os.fstat(file).st_size
            self.state.count(size, where)
            digest = self.objects.new()
            digest.update(b"blob %d\0" % size)
            name = os.fsdecode(b"/".join((*self.prefix, *parts)))
            value, _ = digest_of(file, digest, where=where, name=name, meter=self.state.meter)
            return value == object_id or self._is_lfs_content(file, size, object_id, where)
        finally:
            os.close(file)

    def _is_lfs_content(self, file: int, size: int, object_id: str, where: str) -> bool:
        """Tell whether the blob is a Git LFS pointer to just these bytes: then the commit names them by SHA-256."""
        try:
            pointer = _LFS.fullmatch(self.objects.small_blob(object_id, _LFS_BYTES) or b"")
        except SourceRefused:
            return False  # not there, in a partial clone: then it is not known to be the same
        if pointer is None or int(pointer[2]) != size:
            return False
        self.state.count(size, where)
        value, _ = digest_of(file, hashlib.sha256(), where=where)
        return value == pointer[1].decode("ascii")

    def _submodule(self, fd: int, parts: _Parts, commit: str, status: os.stat_result | None) -> None:
        where = self.where(parts)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            self._dirty(parts)
            return
        names: set[bytes] = set()
        if status is not None:
            with open_directory(fd, (parts[-1],), where) as child:
                names = self._names(child, parts)
        if not names:
            self.state.missing.add(b"/".join((*self.prefix, *parts)))
        elif b".git" not in names:
            self._dirty(parts)
        else:
            root = Path(os.fsdecode(self.root), *map(os.fsdecode, parts))
            try:
                found = _examine(root, self.state, depth=self.depth + 1, prefix=(*self.prefix, *parts))
            except SourceRefused:
                self._dirty(parts)  # a submodule without a readable commit is not at the commit that is wanted
            else:
                if found.commit != commit:
                    self._dirty(parts)

    # --- what is there, but not in the commit -------------------------------------------------------------------------

    def _is_ignored(self, parts: _Parts, rules: tuple[tuple[int, IgnoreFile], ...], *, is_directory: bool) -> bool:
        for depth, rule in reversed(rules):
            decision = rule.decide(parts[depth:], is_directory=is_directory, budget=self.state.budget)
            if decision is not None:
                return decision
        return False

    def ignores(self, parts: _Parts, tree: str) -> bool:
        """Tell whether a path that is not in the commit is ignored, or all that would lie in it."""
        rules: tuple[tuple[int, IgnoreFile], ...] = ()
        tracked = self._entries(tree)
        for depth in range(len(parts)):
            rules = (*rules, *self._rules(tracked, parts[:depth]))
            mode, object_id = tracked.get(parts[depth], (0, ""))
            if mode == _COMMIT:
                root = Path(os.fsdecode(self.root), *map(os.fsdecode, parts[: depth + 1]))
                return _is_ignored_below(root, parts[depth + 1 :], self.state)
            last = depth == len(parts) - 1
            # What is a directory in the end, nobody knows yet: a pattern for directories counts as well.
            if self._is_ignored(parts[: depth + 1], rules, is_directory=True):
                return True
            tracked = self._entries(object_id) if mode == _TREE and not last else {}
        inside = (*parts, _ANY_NAME)
        return self._is_ignored(parts, rules, is_directory=False) or self._is_ignored(inside, rules, is_directory=False)

    def _untracked(self, fd: int, parts: _Parts, rules: tuple[tuple[int, IgnoreFile], ...]) -> _Parts | None:
        """Give the path if anything there is not ignored; of a directory, ``name/`` once, whatever is in it.

        Directories that are ignored are not entered, as git does. Empty ones are nothing to git.
        """
        self.state.enter((*self.prefix, *parts), self.where(parts))
        is_directory = stat.S_ISDIR(self._status(fd, parts).st_mode)
        if self._is_ignored(parts, rules, is_directory=is_directory):
            return None
        if not is_directory:
            return parts
        with open_directory(fd, (parts[-1],), self.where(parts)) as child:
            names = sorted(self._names(child, parts))
            found = any(self._untracked(child, (*parts, name), rules) is not None for name in names)
        return (*parts[:-1], parts[-1] + b"/") if found else None
