r"""What files are in a directory, and what are their digests?

The root is held open, every directory is opened from the one above it and every file from its directory, and no link is
followed on the way, so that nobody can lead the walk elsewhere by exchanging a directory for a link. Refused are links
and everything else that is not a regular file or directory, names that a listing cannot carry, an empty tree, and a
tree that changes: each file's stamp is taken as it is opened, and after the last byte was hashed all names and stamps
are taken a second time and compared. So at the moment between, the tree was what the digest says. The digest is
in-toto's ``dirHash``, and a person can redo it::

    find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0r sha256sum -- | sha256sum

Nothing is excluded by default. Who excludes says so by exact path, and what was left out stands in the manifest.

The walk comes in the order of the listing: in each directory by name, where a directory counts as its name with a "/".
Small files are read as they are met, in one call each; larger ones are left to threads, or all to the executor that was
given. What is kept of a file is its name and a hundred bytes: a million files are no million objects.
"""

from __future__ import annotations

import copy
import os
import stat
from collections.abc import Generator, Iterable
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.files import name_problem
from glasswing_attest.artifact.hashing import Progress, artifact_error, further
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.reading import find
from glasswing_attest.artifact.walk import DIRECTORY_FLAGS, Looker, display, file_name, open_directory, real_parts
from glasswing_attest.errors import ArtifactIrregular, ArtifactUnreadable, UsageError
from glasswing_attest.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from glasswing_attest.artifact.cache import DigestCache

__all__ = ["OnDisk", "display", "file_name", "open_directory"]

_S = TypeVar("_S", bound="OnDisk")


@dataclass(frozen=True, slots=True, init=False)
class OnDisk:
    """A directory or a single file, at a path. What `Model`, `Dataset` and `File` have in common.

    Attributes:
        path: where it is. Must not itself be a symlink.
        name: what to call it; by default the last part of the path.
        exclude: exact paths relative to the directory (``.git``, ``.cache/huggingface``) that are left out with all
            that is below them. No patterns. What was left out stands in the manifest.
        links_within: follow one link from a name in the tree to a regular file below this directory.
    """

    _kind: ClassVar[str] = "file"
    _trees: ClassVar[bool] = True
    # Names that are left out wherever they stand: only for kinds of trees whose definition says so.
    _left_out: ClassVar[frozenset[bytes]] = frozenset()

    path: Path
    name: str
    exclude: tuple[str, ...]
    links_within: Path | None

    def __init__(
        self,
        path: StrPath,
        name: str | None = None,
        *,
        exclude: Iterable[str] = (),
        links_within: StrPath | None = None,
    ) -> None:
        if isinstance(exclude, str):
            raise UsageError(where="exclude", found=exclude, wanted='a tuple of paths, such as (".git",)')
        exclude = tuple(exclude)
        for excluded in exclude:
            problem = name_problem(excluded)
            if problem:
                wanted = "an exact path relative to the directory, without a trailing slash"
                raise UsageError(where="exclude", found=excluded, wanted=wanted, because=problem)
        object.__setattr__(self, "path", Path(path))
        object.__setattr__(self, "name", name or "")
        object.__setattr__(self, "exclude", exclude)
        object.__setattr__(self, "links_within", None if links_within is None else Path(links_within))

    @property
    def kind(self) -> str:
        """What it is used as: ``model``, ``dataset`` or ``file``."""
        return self._kind

    @property
    def is_single(self) -> bool:
        """Whether a single file lies there, as far as one can tell before it is opened."""
        return not self.path.is_dir()

    def measure(
        self,
        *,
        progress: Progress | None = None,
        limits: Limits = DEFAULT,
        executor: Executor | None = None,
        also: Iterable[str] = (),
        cache: DigestCache | None = None,
    ) -> Manifest:
        """Hash every file, and give what was found.

        Args:
            progress: is called with a `ProgressEvent` as bytes are read, by one thread at a time. What it raises stops
                the reading at the next buffer, and comes out here; nothing stays open or running.
            limits: bounds on the number of files, the depth and the length of names.
            executor: where to hash: threads by default, else any `concurrent.futures.Executor` whose workers see the
                same path.
            also: further digests of every file, from the same reading: ``("sha512", "blake3")``. They stand beside
                the SHA-256, and never identify a tree.
            cache: digests of files that did not change since. Whoever can write it decides what is found.

        Raises:
            ArtifactError: it cannot be read, is empty or irregular, has a name that is refused, or changes meanwhile.
            LimitError: it is too large or too deep.
            UsageError: a further digest is none that is known.
            UnavailableError: its package is not installed.
        """
        wanted = further(also)
        with self.looking(limits) as looker:
            found = None
            if cache is not None:
                with cache.session(wanted) as session:
                    found = find(looker, wanted, progress, executor, session)
                    if not session.keep(found.stamps, found.values):
                        found = None
            # Without a cache, or where its answers turned out to be wrong.
            if found is None:
                found = find(looker, wanted, progress, executor, None)
        files, again, is_tree = found.files.build(), self._settled(), looker.single is None
        name = self.name or looker.own_name
        if is_tree:
            return Manifest.of_tree(
                self.kind, files, name=name, excluded=found.excluded, location=again.path, measured_by=again
            )
        return Manifest.of_file(self.kind, files[0], name=name, location=again.path, measured_by=again)

    @contextmanager
    def looking(self, limits: Limits = DEFAULT) -> Generator[Looker]:
        """Open what is walked: for those who read the same files in another way, such as `artifact.shards`."""
        where = os.fspath(self.path)
        try:
            path, links = os.fsencode(self.path), self._links()
            status, real = os.lstat(path), os.path.realpath(path)
        except (OSError, ValueError) as e:
            raise ArtifactUnreadable(where=where, because=getattr(e, "strerror", None) or str(e)) from e
        is_tree = stat.S_ISDIR(status.st_mode)
        if is_tree and not self._trees:
            raise ArtifactIrregular(
                where=where, found="a directory", wanted="a regular file", do="use Model or Dataset for a directory"
            )
        if stat.S_ISLNK(status.st_mode) and self.links_within is None:
            raise ArtifactIrregular(where=where, found="a symlink", do="give the path that the link points to")
        # A single file is a name in its directory, and is looked at and hashed like any other.
        base = path if is_tree else os.fsencode(self.path.parent)
        own_name = real.rpartition(b"/")[2] if is_tree else os.fsencode(self.path.name)
        # A tree's root may not be exchanged for a link; what is above a single file may be reached through links.
        flags = DIRECTORY_FLAGS if is_tree else DIRECTORY_FLAGS & ~os.O_NOFOLLOW
        with _opened(base, flags) as base_fd, _opened(links, DIRECTORY_FLAGS) as links_fd:
            yield Looker(
                base=base,
                base_fd=base_fd,
                single=None if is_tree else own_name,
                own_name="" if self.name or not own_name else file_name(own_name, where),
                excluded=frozenset(e.encode("utf-8") for e in self.exclude),
                left_out=self._left_out,
                links=links,
                links_fd=links_fd,
                limits=limits,
                real_base=real_parts(base),
            )

    def _links(self) -> bytes | None:
        return None if self.links_within is None else os.path.realpath(os.fsencode(self.links_within))

    def _settled(self: _S) -> _S:
        """Give the same artifact with absolute paths: it stays the same wherever the process goes."""
        settled = copy.copy(self)
        object.__setattr__(settled, "path", self.path.absolute())
        if self.links_within is not None:
            object.__setattr__(settled, "links_within", self.links_within.absolute())
        return settled

    @classmethod
    def from_hf_snapshot(cls: type[_S], path: StrPath, name: str | None = None, *, exclude: Iterable[str] = ()) -> _S:
        """Name a snapshot in a Hugging Face cache: ``…/models--org--name/snapshots/<revision>``.

        Its files are links into ``blobs/`` beside ``snapshots/``; these links, and no others, are followed. The name is
        ``org/name`` unless another is given.
        """
        snapshot = Path(path).absolute()
        repository = snapshot.parent.parent
        prefix, *parts = repository.name.split("--")
        if snapshot.parent.name != "snapshots" or prefix not in ("models", "datasets", "spaces") or not parts:
            wanted = "a directory such as …/models--org--name/snapshots/<revision>"
            raise UsageError(where=os.fspath(path), wanted=wanted)
        return cls(snapshot, name or "/".join(parts), exclude=exclude, links_within=repository / "blobs")


@contextmanager
def _opened(path: bytes | None, flags: int) -> Generator[int]:
    """Hold a directory open; of None, give -1."""
    if path is None:
        yield -1
        return
    try:
        fd = os.open(path, flags)
    except OSError as e:
        raise artifact_error(e, os.fsdecode(path)) from e
    try:
        yield fd
    finally:
        os.close(fd)
