"""What does a source control system say of a revision?

Two things (SLSA v1.2, source-requirements.md, "Communicating source levels"). A *Source VSA* is a verification summary
about a commit; the references that point at it stand beside its digest in the subject. ::

    subject:   [{"digest": {"gitCommit": …, "gitTree"?: …}, "annotations": {"sourceRefs": ["refs/heads/main", …]}}]
    predicate: a verification summary with resourceUri "git+https://…" and one SLSA_SOURCE_LEVEL_<n>

*Source provenance* says how the revision came to be; SLSA leaves its format to the system. Read and written is that of
SLSA's own source-tool (proto/sourcetool/v1/predicate.proto), predicate type
``https://github.com/slsa-framework/source-tool/source-provenance/v1``, and read also under the name of its draft. ::

    {"prevCommit"?, "repoUri", "activityType"?, "actor"?, "branch"?, "createdOn"?: <Timestamp>,
     "controls"?: [{"name", "since"?: <Timestamp>}, …]}

Its members come in the camel case of proto3 JSON, and from the first releases as ``prev_commit`` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from glasswing_attest._wire import JsonValue, Node
from glasswing_attest.artifact.digest import Form
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.errors import FieldMissing, FieldRefused
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import (
    get_time,
    need_text,
    require_said,
    require_zone,
    unless_empty,
    when,
)
from glasswing_attest.statement.predicates.predicate_type import PredicateType
from glasswing_attest.statement.predicates.summary import PASSED, VerificationSummary, track_of
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = [
    "SOURCE_PROVENANCE_DRAFT",
    "SOURCE_PROVENANCE_V1",
    "TYPES",
    "Control",
    "SourceProvenance",
    "SourceSummary",
    "source_refs",
]

SOURCE_PROVENANCE_V1 = "https://github.com/slsa-framework/source-tool/source-provenance/v1"
SOURCE_PROVENANCE_DRAFT = "https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft"

_TRACK = "SLSA_SOURCE"
_LEVELS = tuple(f"{_TRACK}_LEVEL_{n}" for n in (1, 2, 3, 4))
# Without a user: that may be a secret. Without a revision: the subject is the revision.
_REPOSITORY = re.compile(r"git\+[a-z]+://[^/@?#\s]+/[^@?#\s]+")
_REF = re.compile(r"refs/\S+")


# --- Source VSA ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSummary(VerificationSummary):
    """A verification summary about a git commit, to be signed: the commit is the subject.

    Attributes:
        refs: the references that point at the commit, fully qualified. They are written into the subject.

    Raises:
        FieldMissing: a field that SLSA requires is empty.
        FieldRefused: a field says what SLSA forbids, or is about something else than a git repository.

    >>> SourceSummary.of(
    ...     "git+https://github.com/acme/train",
    ...     level=3,
    ...     refs=("refs/heads/main",),
    ...     verifier_id="https://scs.example/verifier",
    ...     policy=ResourceDescriptor(uri="https://scs.example/policy"),
    ... ).levels
    ('SLSA_SOURCE_LEVEL_3',)
    """

    refs: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, repository: str, *, level: int, refs: Iterable[str], properties: Iterable[str] = (), **more: Any
    ) -> SourceSummary:
        """Say that a commit of the repository passed, at one level of the source track.

        Args:
            repository: its URI, such as ``git+https://github.com/acme/train``.
            level: the highest level that was met, 1 to 4.
            refs: the references that point at the commit, such as ``refs/heads/main``.
            properties: what else was verified. Those of the organization begin with ``ORG_SOURCE_``.
            more: the other fields of a `VerificationSummary`; `verifier_id` and `policy` must be said.
        """
        levels = (f"{_TRACK}_LEVEL_{level}", *properties)
        return cls(resource_uri=repository, result=PASSED, levels=levels, refs=tuple(refs), **more)

    def subject_annotations(self, manifest: Manifest) -> Mapping[str, JsonValue]:
        """Give what stands beside the commit in the subject. Raises `FieldRefused` where it is no commit."""
        if manifest.form is not Form.GIT:
            raise FieldRefused(where="subject", found=manifest.digests.label, wanted="a git commit")
        return {"sourceRefs": list(self.refs)} if self.refs else {}

    def _require_sound(self) -> None:
        VerificationSummary._require_sound(self)  # a slotted dataclass has no super() without arguments
        if not _REPOSITORY.fullmatch(self.resource_uri):
            wanted = "git+https://host/path, without user and revision"
            raise FieldRefused(where="resourceUri", found=self.resource_uri, wanted=wanted)
        reached = [level for level in self.levels if track_of(level) == _TRACK]
        if self.result == PASSED and (not reached or reached[0] not in _LEVELS):
            raise FieldRefused(
                where="verifiedLevels", found=", ".join(self.levels), wanted=f"one of {', '.join(_LEVELS)}"
            )
        for number, ref in enumerate(self.refs):
            if not _REF.fullmatch(ref):
                where = f"subject.annotations.sourceRefs[{number}]"
                raise FieldRefused(where=where, found=ref, wanted="a full reference, such as refs/heads/main")


def source_refs(subject: ResourceDescriptor) -> tuple[str, ...]:
    """Give the references that a subject's annotations name. Whatever is no list of strings names none."""
    found = subject.annotations.get("sourceRefs")
    if not isinstance(found, list) or not all(isinstance(ref, str) for ref in found):
        return ()
    return tuple(ref for ref in found if isinstance(ref, str))


# --- source provenance -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control that was enforced when the revision was made, and since when without a gap."""

    name: str
    since: datetime | None = None

    def __post_init__(self) -> None:
        require_said(self.name, "controls.name")
        require_zone(self.since, "controls.since")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProvenance:
    """How a revision came to be on its branch, as the source control system says.

    Attributes:
        repo_uri: the repository.
        branch: the branch that was updated, fully qualified.
        prev_commit: the commit that the branch was at before.
        activity_type: what updated it, in the system's words, such as ``pr_merge``.
        actor: who did.
        created_on: when.
        controls: the controls that were enforced then.

    >>> made = SourceProvenance(repo_uri="https://github.com/acme/train", branch="refs/heads/main", actor="alice")
    >>> made.to_predicate()
    {'repoUri': 'https://github.com/acme/train', 'branch': 'refs/heads/main', 'actor': 'alice'}
    """

    repo_uri: str
    branch: str = ""
    prev_commit: str = ""
    activity_type: str = ""
    actor: str = ""
    created_on: datetime | None = None
    controls: tuple[Control, ...] = ()

    def __post_init__(self) -> None:
        require_said(self.repo_uri, "repoUri")
        require_zone(self.created_on, "createdOn")

    @property
    def predicate_type(self) -> str:
        """``https://github.com/slsa-framework/source-tool/source-provenance/v1``."""
        return SOURCE_PROVENANCE_V1

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> SourceProvenance:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        controls = node.get_array("controls")
        limits.check("dependencies", len(controls), where=f"{node.path}.controls")
        repository = _spelled(node, "repoUri")
        if repository is None or not repository.text():
            raise FieldMissing(kind=node.kind, where=f"{node.path}.repoUri")
        created = _spelled(node, "createdOn")
        return cls(
            repo_uri=repository.text(),
            branch=node.get_text("branch"),
            prev_commit=_text(node, "prevCommit"),
            activity_type=_text(node, "activityType"),
            actor=node.get_text("actor"),
            created_on=None if created is None else created.time(),
            controls=tuple(Control(name=need_text(c, "name"), since=get_time(c, "since")) for c in controls),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as source-tool's JSON object."""
        return unless_empty(
            {
                "repoUri": self.repo_uri,
                "branch": self.branch,
                "prevCommit": self.prev_commit,
                "activityType": self.activity_type,
                "actor": self.actor,
                "createdOn": when(self.created_on),
                "controls": [unless_empty({"name": c.name, "since": when(c.since)}) for c in self.controls],
            }
        )


def _spelled(node: Node, name: str) -> Node | None:
    """Give a member by its name in camel case or in snake case. Both at once could say two things."""
    snake = re.sub(r"([A-Z])", r"_\1", name).lower()
    camel, older = node.get(name), node.get(snake)
    if camel is not None and older is not None:
        older.refuse(f"either {name} or {snake}", found="both")
    return older if camel is None else camel


def _text(node: Node, name: str) -> str:
    found = _spelled(node, name)
    return "" if found is None else found.text()


def _scope(predicate: object) -> str:
    return predicate.repo_uri if isinstance(predicate, SourceProvenance) else ""


TYPES = tuple(
    PredicateType(
        uri=uri,
        parse=lambda node, limits: SourceProvenance.from_predicate(node, limits=limits),
        scope=_scope,
        told_at=attrgetter("created_on"),
    )
    for uri in (SOURCE_PROVENANCE_V1, SOURCE_PROVENANCE_DRAFT)
)
