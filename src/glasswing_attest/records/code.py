"""What do we say of code: a repository at a commit, or a tree of source files?

The predicate ``code/v1``, message ``glasswing.attest.v1.CodeRecord``; see ``docs/spec/code-record.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from glasswing_attest._proto import code_pb2
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.records.base import (
    PREDICATE_BASE,
    Bool,
    GitName,
    Name,
    Part,
    Record,
    ResourceReference,
    Text,
    Time,
    TreeSummary,
    Tuple,
    completed,
    measured_tree,
)

if TYPE_CHECKING:
    from typing import Self

__all__ = ["CodeRecord", "Review", "ReviewOutcome"]

ReviewOutcome: TypeAlias = Literal["approved", "changes-requested", "commented", "dismissed"]
"""How a review ended."""


class Review(Part):
    """One person's or tool's review of the code at this commit.

    Attributes:
        reviewer: a stable identity, such as ``https://github.com/alice``.
        outcome: how it ended.
        time: when it was given.
    """

    message = code_pb2.Review

    reviewer: Name
    outcome: ReviewOutcome
    time: Time | None = None


class CodeRecord(Record):
    """What is said of a repository at a commit, or of a source tree.

    >>> CodeRecord(name="acme/train", commit="ab" * 20, dirty=False).to_json().decode()
    '{"commit":"abababababababababababababababababababab","dirty":false,"name":"acme/train"}'

    Attributes:
        name: what the code is called.
        version: its version; not compared by order.
        license: an SPDX licence expression.
        repository: where it is, such as ``git+https://github.com/acme/train``.
        commit: the git commit's object name.
        tree: the object name of the commit's git tree.
        ref: the ref that was checked out, in full.
        dirty: whether the working tree differed from the commit; None says nothing.
        reviews: reviews of this commit.
        lock_files: the lock files within the source.
        dependencies: what the lock files pin.
        source_tree: the files themselves, where they are described without git or beside it.
    """

    predicate_type = f"{PREDICATE_BASE}/code/v1"
    message = code_pb2.CodeRecord

    name: Name
    version: Text | None = None
    license: Text | None = None
    repository: Text | None = None
    commit: GitName | None = None
    tree: GitName | None = None
    ref: Text | None = None
    dirty: Bool | None = None
    reviews: Tuple[Review] = ()
    lock_files: Tuple[ResourceReference] = ()
    dependencies: Tuple[ResourceReference] = ()
    source_tree: TreeSummary | None = None

    def described_by(self, manifest: Manifest) -> Self:
        """Give this record, completed by a measured checkout or source tree.

        From a checkout come `commit`, `tree`, `repository`, `ref` and `dirty`; from a tree of files `source_tree`.

        Raises:
            FieldRefused: the record says something else than the manifest.
        """
        facts = manifest.facts
        measured = {
            "commit": manifest.digests.get("gitCommit"),
            "tree": manifest.digests.get("gitTree"),
            "repository": facts.get("repository") or None,
            "ref": facts.get("ref") or None,
            "dirty": {"true": True, "false": False}.get(facts.get("dirty", "")),
            "source_tree": measured_tree(manifest),
        }
        return completed(self, measured, "CodeRecord")
