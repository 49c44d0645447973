"""What does an accepted report tell those who rely on its verifier?

A SLSA verification summary (SLSA v1.2, verification_summary.md) about the very artifact that was verified: PASSED,
which levels the proof supports, on which attestations it rests, and how many dependencies reached which level. ::

    verifiedLevels     SLSA_BUILD_LEVEL_<n>: of the run that the artifact stands on, by the policy's `builders`.
                       Any other: of a verification summary that it stands on, where the policy asks for a level of that
                       track. No level of the track of its kind: SLSA_<TRACK>_LEVEL_UNEVALUATED.
    inputAttestations  every attestation that the chain rests on; the sha256 is that of its bytes, as `sha256sum` gives
                       it for the file of a bundle, or for one line of a .jsonl file without its end.
    dependencyLevels   the things below the artifact, each once for each track. None where there are none: a run that
                       names no dependency does not say that there are none at all, which {} would.
    subject            beside the digests, as annotations: "declared": true where nobody read the bytes here, and
                       "times": "claimed" where the policy asked for no witness and a signature has none.

What is below a summary that stands for a part of the chain was not looked at, and is not counted.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from glasswing_attest._wire import JsonValue
from glasswing_attest.artifact.digest import Digest, DigestSet
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.chain.graph import Evidence, Graph, Node
from glasswing_attest.claims import Claim
from glasswing_attest.errors import DigestRefused, FieldRefused, Mismatch, UsageError, shown
from glasswing_attest.limits import Budget
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.policy.rules import complaints, expect
from glasswing_attest.policy.rules.level import granted
from glasswing_attest.policy.rules.signed_by import enough
from glasswing_attest.statement.predicates.run import Run
from glasswing_attest.statement.predicates.summary import (
    FAILED,
    PASSED,
    VerificationSummary,
    number_of,
    track_of,
)
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.store import Item
from glasswing_attest.verification import subject

__all__ = ["ReportSummary", "require_sayable", "summarised"]

_SLSA = "1.2"
_BUILD, _SOURCE = "SLSA_BUILD", "SLSA_SOURCE"
# A URI as RFC 3986 spells one. What others call theirs is not held against them.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
# Whoever compares without case must not read a level of SLSA's, or a failure, either.
_NAME = re.compile(r"(?!(?i:SLSA_|FAILED$))[A-Za-z][!-~]*")
# One that leads to the same bytes for everybody: no user or query, which may be secrets, and nothing of this machine.
_PUBLIC = re.compile(r"(?!file:)[a-z][a-z0-9+.-]*://[^@?#\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSummary(VerificationSummary):
    """A verification summary of a report's artifact, and of no other: `attest` refuses it for anything else.

    Attributes:
        kind, digests: what was verified.
        refs: the references that the policy asked for, of a commit. They are written into the subject.
        declared: nobody here read the bytes. It is written into the subject.
        claimed: nobody but a signer vouches for some of the times. It is written into the subject.
    """

    kind: str
    digests: DigestSet
    refs: tuple[str, ...] = ()
    declared: bool = False
    claimed: bool = False

    def subject_annotations(self, manifest: Manifest) -> Mapping[str, JsonValue]:
        """Give what stands beside the subject's digest. Raises `Mismatch` for what was not verified."""
        if (manifest.kind, manifest.digests) != (self.kind, self.digests):
            raise Mismatch(
                where=f"{manifest.kind} {manifest.name}".strip(),
                because="the summary is of another artifact",
                found=str(manifest.digests),
                wanted=f"{self.kind} {self.digests}",
                do="attest what was verified: report.artifact",
            )
        told: dict[str, JsonValue] = {"sourceRefs": list(self.refs)} if self.refs else {}
        told |= {"declared": True} if self.declared else {}
        return told | ({"times": "claimed"} if self.claimed else {})


def summarised(
    artifact: Manifest,
    graph: Graph,
    claims: Sequence[Claim],
    consumed: Sequence[Item],
    circumstances: Circumstances,
    *,
    now: datetime,
    version: str,
    verifier: str,
    resource: str,
    policy_uri: str,
    properties: Iterable[str],
    revocations: bytes | None,
) -> ReportSummary:
    """Give the summary of an accepted chain. See `Report.summary`."""
    own = _several(properties)
    require_sayable(verifier=verifier, resource=resource, policy_uri=policy_uri, properties=own)
    policy = circumstances.policy
    proved, root = _Proved(graph, claims, circumstances), graph.node(graph.root)
    if artifact.is_declared:
        _require_told(artifact, proved.told(root))
    inputs = [(item.data, item.origin) for item in consumed] + ([] if revocations is None else [(revocations, "")])
    # All of them are told or none, and what no reader of ours would read is not written.
    circumstances.limits.check("dependencies", len(inputs), where="inputAttestations")
    levels = [*proved.levels(root), *own]
    return ReportSummary(
        verifier_id=verifier,
        verifier_version={"glasswing-attest": version},
        resource_uri=resource,
        policy=ResourceDescriptor(uri=policy_uri or _named(policy.digest), digest=DigestSet.of(sha256=policy.digest)),
        input_attestations=tuple(sorted((_input(*each) for each in inputs), key=lambda each: each.digest.digests)),
        result=PASSED,
        levels=tuple(dict.fromkeys(levels)),
        dependency_levels=proved.dependencies() or None,
        time_verified=now,
        slsa_version=_SLSA,
        kind=artifact.kind,
        digests=artifact.digests,
        refs=proved.refs(root),
        declared=artifact.is_declared,
        claimed=policy.times == "claimed" and any(claim.signed_by is None for claim in claims),
    )


def require_sayable(*, verifier: str, resource: str, policy_uri: str, properties: Iterable[object]) -> None:
    """Refuse what a caller may not say in a summary. What SLSA defines follows from the proof alone.

    Raises:
        FieldRefused: what is no URI, or a property that is not the caller's own.
    """
    uris: dict[str, object] = {"verifier.id": verifier, "resourceUri": resource, "policy.uri": policy_uri or "ni:///"}
    for where, uri in uris.items():
        if not isinstance(uri, str) or not _URI.fullmatch(uri):
            raise FieldRefused(where=where, found=uri, wanted="a URI, such as https://example.com/verifier")
    for number, name in enumerate(properties):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            wanted = f"a name of your own, such as ACME_REVIEWED: not {FAILED}, and nothing that begins with SLSA_"
            raise FieldRefused(where=f"properties[{number}]", found=name, wanted=wanted)


def _require_told(artifact: Manifest, told: Collection[Digest]) -> None:
    """Refuse a digest that somebody put beside an attested one: a summary of it would speak for other bytes.

    Those that were read here are of the same bytes. Of those that were told, one is enough to be accepted.
    """
    for digest in artifact.digests:
        if digest not in told:
            raise UsageError(
                where="summary",
                found=str(digest),
                because="it was told, and no attestation that the artifact stands on says it",
                do="leave the digest out, or verify the artifact itself",
            )


def _several(properties: object) -> tuple[str, ...]:
    # A str is a sequence, too: of letters.
    if isinstance(properties, str) or not isinstance(properties, Iterable):
        raise UsageError(where="properties", found=shown(properties), wanted="a sequence of names")
    return tuple(properties)


def _named(sha256: str) -> str:
    """Name bytes by their digest (RFC 6920, section 3).

    >>> _named("53269057e12fe2b74ba07c892560a2d753877eb62ff44d5a19002530ed97ffe4")  # the standard's own example
    'ni:///sha-256;UyaQV-Ev4rdLoHyJJWCi11OHfrYv9E1aGQAlMO2X_-Q'
    """
    return f"ni:///sha-256;{base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode('ascii').rstrip('=')}"


def _input(data: bytes, origin: str) -> ResourceDescriptor:
    """Describe an attestation by its bytes, as they came, and by nothing else: in-toto's own readers know no more."""
    return ResourceDescriptor(
        # A path would tell of this machine, and lead nobody anywhere.
        uri=origin if _PUBLIC.fullmatch(origin) else "",
        digest=DigestSet.of(sha256=hashlib.sha256(data).hexdigest()),
    )


def _highest(levels: Iterable[str]) -> tuple[str, ...]:
    """Give the highest level of each track. What is no level of a track stands by itself."""
    best: dict[str, str] = {}
    for level in levels:
        track = track_of(level) or level
        best[track] = max(best.get(track, level), level, key=number_of)
    return tuple(best.values())


class _Proved:
    """Which level of which track is proved of each thing of an accepted chain?"""

    def __init__(self, graph: Graph, claims: Iterable[Claim], circumstances: Circumstances) -> None:
        self._graph = graph
        self._claims = {claim.key[:2]: claim for claim in claims}
        self._circumstances = circumstances

    def levels(self, node: Node) -> tuple[str, ...]:
        """Give the highest level of each track, that of the thing's own track first, also where there is none."""
        own = _SOURCE if node.kind == "code" else _BUILD
        return _highest((f"{own}_LEVEL_UNEVALUATED", *self._of_runs(node), *self._of_summaries(node)))

    def told(self, node: Node) -> frozenset[Digest]:
        """Give the digests that what a thing stands on says of it."""
        digests = _digests(node)
        claims = (*self._made(node.evidence), *self._runs(node))
        subjects = (each.digest for claim in claims for each in claim.subjects)
        found = {digest for said in subjects if said.matches(digests) for digest in said}
        # A tree's sha256 is that of its listing, which is what dirHash is.
        return frozenset(found | {Digest("sha256", each.value) for each in found if each.algorithm == "dirHash"})

    def dependencies(self) -> Mapping[str, int]:
        """Count the things below the root at the highest level of each track. One thing has many names and kinds."""
        counts: Counter[str] = Counter()
        for group in _groups(node for node in self._graph.nodes if node.kind not in ("run", "builder")):
            if all(node.identity != self._graph.root for node in group):
                counts.update(_highest(level for node in group for level in self.levels(node)))
        return dict(sorted(counts.items()))

    def refs(self, node: Node) -> tuple[str, ...]:
        """Give the references that the policy asks for in a commit's summaries."""
        asked = (r.expect.ref for _, r in self._summaries(node) if r.expect is not None)
        return tuple(dict.fromkeys(ref for ref in asked if ref is not None))

    def _of_runs(self, node: Node) -> Iterator[str]:
        for claim in self._runs(node):
            yield f"{_BUILD}_LEVEL_{granted(claim, self._circumstances.policy)}"

    def _of_summaries(self, node: Node) -> Iterator[str]:
        """Give what the policy has a verifier say. What else he says of it nobody here asked, or believes him."""
        for summary, requirement in self._summaries(node):
            wanted = () if requirement.expect is None else requirement.expect.levels
            tracks = {track_of(level) for level in wanted} - {""}
            yield from (level for level in summary.levels if level in wanted or track_of(level) in tracks)

    def _summaries(self, node: Node) -> Iterator[tuple[VerificationSummary, Requirement]]:
        """Give the verification summaries that a thing stands on, each with every requirement that it meets.

        What one alternative of the policy asks for beside a summary is asked for: only those count that are met.
        """
        policy = self._circumstances.policy
        mine = self._made(node.evidence)
        rule = policy.nodes.get(node.kind)
        if rule is None or not any(isinstance(claim.predicate, VerificationSummary) for claim in mine):
            return
        mine += self._runs(node)
        digests, compared = _digests(node), {(group.kind, group.alternative) for group in policy.groups}
        steps = Budget(self._circumstances.limits, "steps")
        found: dict[int, list[tuple[Claim, Requirement]]] = {}
        for number, alternative in enumerate(rule.alternatives):
            met = [[c for c in mine if self._meets(c, digests, requirement)] for requirement in alternative]
            if all(enough(claims, r.signed_by, policy, steps) for claims, r in zip(met, alternative, strict=True)):
                found[number] = [(c, r) for claims, r in zip(met, alternative, strict=True) for c in claims]
        for number, pairs in found.items():
            # Whether the values agree that `same` compares, is known of the one that was selected.
            if len(found) == 1 or (node.kind, number) not in compared:
                yield from ((c.predicate, r) for c, r in pairs if isinstance(c.predicate, VerificationSummary))

    def _meets(self, claim: Claim, digests: DigestSet, requirement: Requirement) -> bool:
        if claim.statement.predicate_type != requirement.predicate:
            return False
        if complaints(claim, requirement, self._circumstances):
            return False
        if not isinstance(claim.predicate, VerificationSummary):
            return True  # a run may be about a model by naming its files, and not by a digest
        matched = subject.match(claim.verified, digests, among=claim.subjects)
        return not expect.complaints_about(claim, matched, requirement)

    def _runs(self, node: Node) -> list[Claim]:
        """Give the runs that a thing stands on."""
        parents = (parent for role, parent in self._graph.parents(node.identity) if role == "run")
        made = (claim for parent in parents for claim in self._made(parent.evidence))
        found = [claim for claim in made if isinstance(claim.predicate, Run)]
        rule = self._circumstances.policy.nodes.get(node.kind)
        if len(found) < 2 or rule is None:
            return found
        # Whoever signed the same payload, and is believed for things of another kind alone, did not speak for this one.
        wanted, digests = [r for alternative in rule.alternatives for r in alternative], _digests(node)
        return [claim for claim in found if any(self._meets(claim, digests, requirement) for requirement in wanted)]

    def _made(self, evidence: Iterable[Evidence]) -> list[Claim]:
        found = (self._claims.get((e.payload_sha256, e.principal)) for e in evidence)
        return [claim for claim in found if claim is not None]


def _digests(node: Node) -> DigestSet:
    """Give the digests of a node that are known here: others neither identify nor match."""
    found = []
    for text in node.digests:
        with contextlib.suppress(DigestRefused):
            found.append(Digest.parse(text))
    return DigestSet(tuple(found))


def _groups(nodes: Iterable[Node]) -> Iterable[list[Node]]:
    """Put together the nodes that are one thing: those with a digest in common, whatever they are called and used as.

    Two that share none may be one thing by a third (union-find): counted are things, and nothing is accepted by it.
    """
    parent: dict[str, str] = {}

    def top(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    named = []
    for node in nodes:
        # What no digest identifies is called by its identity.
        first, *others = [*map(str, _digests(node).identity)] or [node.identity]
        for other in others:
            parent[top(other)] = top(first)
        named.append((first, node))
    groups: dict[str, list[Node]] = {}
    for first, node in named:
        groups.setdefault(top(first), []).append(node)
    return groups.values()
