"""What was decided, why, and on what evidence?

A report is data: verdict, graph, findings, and the digests of everything that went in. `accepted` must be looked at by
name: a report has no truth value. The claims that an accepted chain rests on are reachable through `records`, and only
then.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from glasswing_attest._files import StrPath
from glasswing_attest._wire import format_time
from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.artifact.leaves import Entry
from glasswing_attest.artifact.loading import VerifiedTree
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.merkle import TreeHead
from glasswing_attest.artifact.opened import VerifiedFile, open_verified
from glasswing_attest.artifact.proofs import InclusionProof
from glasswing_attest.chain.graph import Graph, Node
from glasswing_attest.chain.refused import Refused
from glasswing_attest.chain.seen import Seen
from glasswing_attest.claims import Claim
from glasswing_attest.errors import (
    GlasswingError,
    LimitError,
    NoMatchingAttestation,
    NotAccepted,
    PartUnproven,
    UnavailableError,
    UsageError,
    VerificationError,
    counted,
    error_types,
    shown,
)
from glasswing_attest.findings import Finding, Tier, worst
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.policy import Policy
from glasswing_attest.records.base import TreeSummary
from glasswing_attest.report import dot, html, svg, text
from glasswing_attest.report.case import Case, pack
from glasswing_attest.report.plain import chain_of, plain
from glasswing_attest.report.vsa import ReportSummary, summarised
from glasswing_attest.store import EvidenceSource, Item
from glasswing_attest.trust.root import Trust

__all__ = ["REPORT_SCHEMA", "Report", "Verdict", "report_schema"]

REPORT_SCHEMA = "https://glasswing-attest.readthedocs.io/schemas/report/v2"

_P = TypeVar("_P")


class Verdict(StrEnum):
    """The three answers. Only `ACCEPTED` is a yes."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """The outcome of one verification.

    Attributes:
        verdict: accepted, refused, or undecided (something could not be had, or a limit was exceeded).
        artifact: what was asked about, as it was measured.
        at: the time that claimed times, key windows and trims were held against.
        now: the time of the verification itself.
        graph: the chain, or None when the walk did not get that far.
        findings: the cause of a refusal first, then what a reader should know.
        depth: how far the proof reaches: ``surface``, ``builder``, ``transitive``, or "" where there is none.
        refused: the items of the evidence that proved nothing.
        policy, trust, revocations: what decided.
        evidence: the pile: what was handed over, and what the stores gave.
        consumed: the items of it that the accepted chain rests on.
        sources: where evidence was looked for, and how much was there.
        predicates: the predicate types that were read beside the built-in ones: their URIs, with ``opaque`` before
            those that were read as they are.
        limits: the bounds on untrusted input.
        revocations_seen: the highest version of the revocation list that had been seen before.
        second_opinion: whether somebody else was asked as well.
        seen: what has been accepted now, to be handed over the next time; where this was not, what had been before.
        seen_before: what had been accepted before, or None where nobody asked for that.
        replayed: policy, trust and times come from a case file.
        version: the library's version.
    """

    verdict: Verdict
    artifact: Manifest
    at: datetime
    now: datetime
    graph: Graph | None
    findings: tuple[Finding, ...]
    depth: str
    refused: tuple[Refused, ...]
    claims: tuple[Claim, ...]
    policy: Policy
    trust: Trust
    evidence: tuple[Item, ...]
    consumed: tuple[Item, ...] = ()
    sources: tuple[EvidenceSource, ...] = ()
    revocations: bytes | None = None
    predicates: tuple[str, ...] = ()
    limits: Limits = DEFAULT
    revocations_seen: int = 0
    second_opinion: bool = False
    seen: Seen = field(default_factory=Seen)
    seen_before: Seen | None = None
    replayed: bool = False
    version: str
    error: GlasswingError | None = None

    def __repr__(self) -> str:
        found = [counted(len(self.findings), "finding"), f"{counted(len(self.evidence), 'item')} of evidence"]
        what = f"{self.artifact.kind} {shown(self.artifact.name)}".strip()
        return f"Report({self.verdict.value}: {what} {self.artifact.digests.label}, {', '.join(found)})"

    def __str__(self) -> str:
        return self.to_text()

    def __bool__(self) -> NoReturn:
        raise TypeError("a report has no truth value: look at report.accepted, or call verify(), which raises")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a report holds proofs and is not pickled: keep report.to_json() or report.case()")

    @property
    def accepted(self) -> bool:
        """Whether the verdict is `Verdict.ACCEPTED`."""
        return self.verdict is Verdict.ACCEPTED

    @property
    def tier(self) -> Tier:
        """The worst tier of the findings; `Tier.NONE` where nothing was evaluated."""
        return worst(self.findings)

    @property
    def cause(self) -> Finding | None:
        """Why it is not accepted, or None where it is."""
        return None if self.accepted else next(iter(self.findings), None)

    def require(self) -> Report:
        """Give the report when it is accepted; otherwise raise what `verify` raises, with this report on it.

        Raises:
            VerificationError: the evidence does not prove it.
            NotAccepted: it is proved, but the policy does not accept it.
            UnavailableError, LimitError: undecided.
        """
        if self.accepted:
            return self
        error = self._refusal()
        error.report = self
        if self.error is not None and self.error is not error:
            raise error from self.error
        raise error

    def _refusal(self) -> GlasswingError:
        if isinstance(self.error, UnavailableError | LimitError):
            return copy.copy(self.error)  # a new one for each caller: they carry the report and the caller's traceback
        cause = self.cause
        if cause is None:  # pragma: no cover  # every refusal is built with its cause
            return NoMatchingAttestation(where=self.artifact.name)
        facts: dict[str, Any] = {
            "where": cause.subject,
            "found": cause.found or None,
            "wanted": cause.wanted or None,
            "do": cause.do,
        }
        if cause.code == "chain.no-attestation":
            return NoMatchingAttestation(**facts)
        for kind in error_types(VerificationError):
            if kind.code == cause.code:
                return kind(**facts)
        if cause.code in {kind.code for kind in error_types()}:
            # The attestation that was wanted is there, and was refused before it proved anything.
            return NoMatchingAttestation(because=cause.code, **facts)
        return NotAccepted(rule=cause.rule, because=cause.code, **facts)

    def records(self, kind: type[_P], *, about: Node | str | None = None) -> tuple[_P, ...]:
        """Give the verified predicates of one type that the accepted chain rests on. Empty unless accepted.

        Args:
            kind: a record's or predicate's class: ``report.records(DataRecord)``.
            about: a node of the graph, or its identity: only what is about that thing, or what that run says.

        Raises:
            UsageError: the graph has no such node.
        """
        found = [claim for claim in self.claims if self.accepted and isinstance(claim.predicate, kind)]
        if about is not None and self.accepted and self.graph is not None:
            node = self.graph.node(about.identity if isinstance(about, Node) else about)
            made_by = [parent for role, parent in self.graph.parents(node.identity) if role == "run"]
            told = {(e.payload_sha256, e.principal) for each in (node, *made_by) for e in each.evidence}
            found = [claim for claim in found if claim.key[:2] in told]
        return tuple(cast("_P", claim.predicate) for claim in found)

    def open(self, name: str | None = None) -> VerifiedFile:
        """Open a file of the accepted artifact; its bytes are checked as they are read. A single file needs no `name`.

        Raises:
            GlasswingError: what `require` raises, when the artifact is not accepted.
            Mismatch: on reading, when the bytes are no longer those that were verified.
            UsageError: no such file, or an artifact that is no file or tree on disk.
        """
        return open_verified(self.require().artifact, name)

    def open_all(self) -> VerifiedTree:
        """Give all files of the artifact: each is verified as it is loaded, into memory or mapped.

        Raises:
            NotAccepted, VerificationError, …: as `require`; nothing of what was not accepted is loaded.
            UsageError: an artifact that is no file or tree on disk.
        """
        return VerifiedTree(self.require().artifact)

    def check_part(self, proof: InclusionProof, *, directory: InclusionProof | None = None) -> Entry:
        """Give the file of the accepted artifact that a proof is about, with its name in it, size and SHA-256.

        The proof is held against the tree that the records say of it on which this very artifact was accepted. Look at
        the name: a proof of another file of the same artifact is as true. A directory is given where the proof is
        about one.

        Args:
            proof: of a file of the artifact, of a directory in its tree of manifests, or of a file of `directory`.
            directory: the proof of the directory that `proof` is within.

        Raises:
            GlasswingError: what `require` raises, when the artifact is not accepted.
            PartUnproven: it is not proved to belong to the artifact.
            UsageError: what is no proof, such as the path of one.
        """
        head = self._head_for(proof, directory)
        return proof.check(head, directory=directory)

    def open_part(
        self, name: str, path: StrPath, proof: InclusionProof, *, directory: InclusionProof | None = None
    ) -> VerifiedFile:
        """Open the file `name` of the accepted artifact, which lies at `path`, and of which nothing else need be here.

        Its bytes are checked as they are read. The path decides nothing, and a proof of another file of the artifact is
        refused. For the proofs see `check_part`.

        Raises:
            GlasswingError: what `require` raises, when the artifact is not accepted.
            PartUnproven: the file is not proved to belong to the artifact, or another one is.
            UsageError: what is no proof, such as the path of one.
            ArtifactError: it cannot be opened.
            Mismatch: on reading, when these are not the bytes that belong.
        """
        head = self._head_for(proof, directory)
        return proof.open(head, name, path, directory=directory)

    def _head_for(self, proof: InclusionProof, directory: InclusionProof | None) -> TreeHead:
        """Give the head that a proof leads to, of those that the records say on which the artifact itself rests."""
        accepted = self.require()
        proofs: dict[str, object] = {"proof": proof, "directory": proof if directory is None else directory}
        for name, given in proofs.items():
            if not isinstance(given, InclusionProof):
                wanted = "an InclusionProof, as InclusionProof.load(path) gives it"
                raise UsageError(where=name, found=type(given).__name__, wanted=wanted)
        error = PartUnproven(where=self.artifact.name, because="no accepted record of it tells such a Merkle root")
        for head in accepted._heads(is_of_files=directory is None and isinstance(proof.entry, FileEntry)):
            try:
                proof.check(head, directory=directory)
            except PartUnproven as e:
                error = e
            else:
                return head
        raise error

    def _heads(self, *, is_of_files: bool) -> Iterator[TreeHead]:
        """Give the heads that are told of the artifact's tree. What lies in no directory stands in both trees."""
        if self.graph is None:  # pragma: no cover  # what is accepted has one
            return
        # What else the chain rests on was said by others, of other things: they do not speak for this one.
        for said in self.records(object, about=self.graph.root):
            tree = getattr(said, "tree", None)
            if not isinstance(tree, TreeSummary) or tree.dir_hash != self.artifact.digests.get("dirHash"):
                continue
            if is_of_files and tree.merkle_root is not None:
                yield tree.head
            if tree.manifest_tree_root is not None:
                yield tree.manifest_tree_head

    def to_dict(self) -> dict[str, Any]:
        """Give the report as plain data, as ``report.schema.json`` describes it."""
        return {
            "schema": REPORT_SCHEMA,
            "verdict": self.verdict.value,
            "tier": self.tier.value,
            "depth": self.depth,
            "artifact": {
                "kind": self.artifact.kind,
                "name": self.artifact.name,
                "digest": self.artifact.digests.to_dict(),
                "declared": self.artifact.is_declared,
            },
            "at": format_time(self.at),
            "now": format_time(self.now),
            "times": self.policy.times,
            "replayed": self.replayed,
            "inputs": {
                "policySha256": self.policy.digest,
                "trustSha256": self.trust.digest,
                "predicates": list(self.predicates),
                "version": self.version,
            },
            "findings": [plain(asdict(f)) for f in self.findings],
            "graph": None if self.graph is None else chain_of(self.graph, self.policy, self.cause),
            "evidence": {
                "items": len(self.evidence),
                "sources": [_source(s) for s in self.sources],
                "used": sorted({c.statement.digest for c in self.claims}),
                "refused": [
                    {"origin": shown(r.origin), "code": r.error.code, "message": str(r.error)} for r in self.refused
                ],
            },
        }

    def to_json(self) -> str:
        """Give the report as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to_text(self, *, nodes: int | None = 200) -> str:
        """Give the report as text for people: the verdict, the chain as a tree, and what to do.

        So many `nodes` of the chain at most have a line of their own, what is broken first; the rest is folded, and
        counted by kind and state. None folds nothing.
        """
        return text.render(self.to_dict(), nodes=nodes)

    def to_html(self, *, picture: bool = True) -> str:
        """Give the report as one page that needs nothing else: no script, and nothing from anywhere.

        The picture of `to_svg` is in it where it can be made. Say ``picture=False`` where no other program shall run.
        """
        drawing = ""
        if picture:
            with contextlib.suppress(UnavailableError):
                drawing = self.to_svg()
        return html.render(self.to_dict(), picture=drawing)

    def to_dot(self) -> str:
        """Give the chain as a picture's source in Graphviz's DOT language; the verdict alone where none was walked.

        Equal chains give equal text. What a large chain folds is counted in the picture.
        """
        return dot.render(self.to_dict()["graph"], title=f"{self.verdict.value.upper()}: {self._called}")

    def to_svg(self) -> str:
        """Give the chain as a picture, laid out by Graphviz in a process of its own and in bounded time.

        Raises:
            UnavailableError: neither the extra ``picture`` nor Graphviz's ``dot`` is here, or it failed.
        """
        return svg.render(self.to_dot(), title=f"{self.verdict.value}: the chain of {self._called}")

    @property
    def _called(self) -> str:
        return f"{self.artifact.kind} {self.artifact.name}".strip()

    def summary(
        self, *, verifier: str, resource: str, policy_uri: str = "", properties: Iterable[str] = ()
    ) -> ReportSummary:
        """Give a SLSA verification summary of the accepted artifact: ``attest(report.artifact, summary, signer=…)``.

        It says PASSED, at the levels that the proof supports and no higher, and names every attestation that the chain
        rests on by the sha256 of its bytes. A no is never said: what is missing today may be there tomorrow.

        Args:
            verifier: who verified, as a URI: whoever relies on the summary pairs it with the signer.
            resource: the URI from which the artifact is fetched; the summary holds for nothing else.
            policy_uri: where the policy lies; by default a name that follows from its digest (RFC 6920).
            properties: what else was verified, in words of your own; none begins with ``SLSA_``.

        Raises:
            GlasswingError: what `require` raises, when the artifact is not accepted.
            UsageError: the report is a replay, whose policy and trust are a file's, or holds for another time than now;
                or the artifact was told, with a digest that no attestation says.
            FieldRefused: an argument is no URI, or a property is not your own.
            LimitError: the chain rests on more attestations than a reader with the same limits would read.
        """
        self.require()
        if self.replayed:
            because = "the policy and the trust of a replay are those of a case file"
            raise UsageError(where="summary", because=because, do="verify again, with your own")
        if self.at != self.now:
            found, because = format_time(self.at), "a summary tells what holds when it is verified"
            raise UsageError(where="summary", found=found, because=because, do="verify again, without `at`")
        return summarised(
            self.artifact,
            cast("Graph", self.graph),
            self.claims,
            self.consumed,
            Circumstances(policy=self.policy, at=self.at, latest=self.now, limits=self.limits),
            now=self.now,
            version=self.version,
            verifier=verifier,
            resource=resource,
            policy_uri=policy_uri,
            properties=properties,
            # Without the list there would have been no verdict.
            revocations=self.revocations if self.trust.revocation_signers else None,
        )

    def case(self, path: str | Path) -> Path:
        """Write everything that decided into one zip file, which `replay` verifies again with the same outcome.

        The file holds evidence, manifest, policy, trust, limits, times and versions; not the artifact's bytes, and of
        predicate types of your own only which they were.

        Raises:
            LimitError: the case would be larger than its bound, ``case_bytes``.
            UnavailableError: the file cannot be written.
        """
        case = Case(
            evidence=tuple((item.data, item.origin) for item in self.evidence),
            sources=self.sources,
            revocations=self.revocations,
            manifest=self.artifact,
            policy=self.policy,
            trust=self.trust,
            at=self.at,
            now=self.now,
            predicates=self.predicates,
            limits=asdict(self.limits),
            revocations_seen=self.revocations_seen,
            second_opinion=self.second_opinion,
            seen=self.seen_before,
            verdict=self.verdict.value,
            version=self.version,
        )
        return pack(Path(path), case, limits=self.limits)


def report_schema() -> Mapping[str, Any]:
    """Give the JSON Schema of `Report.to_dict`."""
    schema = resources.files("glasswing_attest.report").joinpath("report.schema.json").read_text("utf-8")
    found: Mapping[str, Any] = json.loads(schema)
    return found


def _source(source: EvidenceSource) -> dict[str, Any]:
    told: dict[str, Any] = {"origin": shown(source.origin), "items": source.items, "asked": source.asked}
    if source.skipped:
        told |= {"skipped": source.skipped, "skippedNames": [shown(name) for name in source.skipped_names]}
    return told
