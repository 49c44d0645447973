"""What is told of a decision? The verdict, why, and what a reader should know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.chain.graph import Graph, State
from glasswing_attest.chain.refused import Refused
from glasswing_attest.chain.seen import Seen
from glasswing_attest.chain.walk import Chain
from glasswing_attest.errors import GlasswingError, counted, shown
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.policy import Policy
from glasswing_attest.records.base import TreeSummary
from glasswing_attest.report.report import Verdict
from glasswing_attest.statement.predicates.oms import ModelSignature
from glasswing_attest.store import EvidenceSource

__all__ = ["decided", "undecided"]

_TOLD_SOURCES = 6
"""So many places of the evidence are told in words."""
_TOLD_PATHS, _PATH_CHARS = 6, 48
"""So many of the paths that were left out, and so much of each."""


def decided(
    chain: Chain,
    manifest: Manifest,
    policy: Policy,
    refused: Sequence[Refused],
    sources: Sequence[EvidenceSource],
    before: Seen | None,
    latest: datetime,
) -> dict[str, Any]:
    """Give what a report says of a walk that came to its end.

    `refused` is what proves nothing of the evidence, which was found in `sources`. `before` is what was accepted
    before, where the caller keeps that.
    """
    cause = chain.cause
    if cause is not None and cause.code == "chain.no-attestation":
        cause = replace(cause, found=f"{cause.found}; evidence: {_told(sources)}")
    if chain.accepted and manifest.is_declared and policy.declared == "deny":
        cause = _declared(manifest)
    if chain.accepted and manifest.facts.get("dirty") == "true":
        cause = _dirty(manifest)
    accepted, seen = chain.accepted and cause is None, before or Seen()
    findings = list(chain.warnings)
    if accepted:
        findings.insert(0, Finding(code="accepted", tier=Tier.AFFIRMING, subject=_called(manifest)))
        if manifest.excluded:
            findings.append(_left_out(manifest, chain))
        if policy.times == "claimed" and any(c.signed_by is None for c in chain.claims):
            findings.append(_CLAIMED)
        if before is not None and before.is_blind(*_seen_as(manifest), chain.root_claims, latest):
            findings.append(_untold(manifest))
    elif cause is not None:
        findings.insert(0, cause)
    return {
        "verdict": Verdict.ACCEPTED if accepted else Verdict.REFUSED,
        "graph": chain.graph,
        "findings": tuple(findings),
        "depth": _depth(chain.graph) if accepted else "",
        "claims": chain.claims if accepted else (),
        "refused": tuple(refused),
        "seen": seen.after(*_seen_as(manifest), chain.root_claims, latest) if accepted else seen,
    }


def undecided(manifest: Manifest, error: GlasswingError, before: Seen | None) -> dict[str, Any]:
    """Give what a report says where something could not be had, or a limit was exceeded."""
    finding = Finding(
        code=error.code,
        tier=Tier.CONTRAINDICATED,
        subject=_called(manifest),
        found=str(error),
        wanted="a decision",
        do=error.do,
    )
    return {
        "verdict": Verdict.UNDECIDED,
        "graph": None,
        "findings": (finding,),
        "depth": "",
        "claims": (),
        "refused": (),
        "seen": before or Seen(),
        "error": error,
    }


def _seen_as(manifest: Manifest) -> tuple[str, str, DigestSet]:
    return manifest.kind, manifest.name, manifest.digests


def _called(manifest: Manifest) -> str:
    return f"{manifest.kind} {manifest.name}".strip()


def _told(sources: Sequence[EvidenceSource]) -> str:
    """Say where was looked, and how much was there: an empty or a wrong place is seen at once."""
    if not sources:
        return "none"
    told = [f"{s.origin} ({_held(s)})" for s in sources[:_TOLD_SOURCES]]
    more = ", …" if len(sources) > _TOLD_SOURCES else ""
    # The sum stands in front: what is shown of a finding has an end.
    total = f"{_items(sum(s.items for s in sources))} of {len(sources)} places: " if len(sources) > 1 else ""
    return f"{total}{', '.join(told)}{more}"


def _held(source: EvidenceSource) -> str:
    skipped = ", ".join((*source.skipped_names, *(["…"] if source.skipped > len(source.skipped_names) else [])))
    more = f"; {source.skipped} not read: {skipped}" if source.skipped else ""
    return f"{'asked: ' if source.asked else ''}{_items(source.items)}{more}"


def _items(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"


_CLAIMED = Finding(
    code="policy.times-claimed",
    tier=Tier.WARNING,
    subject="times",
    rule="times",
    found="signatures whose time nobody but the signer vouches for",
    wanted="a time-stamp or a log entry",
    do="fine for a start; say `times: verified` once your signers have witnesses",
)


def _untold(manifest: Manifest) -> Finding:
    return Finding(
        code="chain.untold",
        tier=Tier.WARNING,
        subject=_called(manifest),
        rule="seen",
        found="evidence that tells no time and no place in a log to compare: an older one is accepted as well",
        wanted="evidence that tells how old it is at the least",
        do="have it signed with a certificate or logged, ask for a type that tells a time, or for version_at_least",
    )


def _left_out(manifest: Manifest, chain: Chain) -> Finding:
    """Say what of the artifact is not proved. Where whoever signed it left the same out, that is as it was meant."""
    paths = frozenset(manifest.excluded)
    # What else the chain rests on was said by others, of other things.
    rests_on = {(found.payload_sha256, found.principal) for found in chain.graph.node(chain.graph.root).evidence}
    claims = [c for c in chain.claims if (c.statement.digest, c.signer.principal) in rests_on]
    # The record that leaves the least unsaid speaks for the others.
    more = min((paths.difference(_signed_without(claim.predicate)) for claim in claims), key=len, default=paths)
    agreed = paths - more
    return Finding(
        code="artifact.excluded",
        tier=Tier.WARNING if more else Tier.NONE,
        subject=_called(manifest),
        found=f"{counted(len(more or paths), 'path')} left out, and there: {_some(more or paths)}",
        wanted=f"no more left out than its signer did: {_some(agreed)}" if agreed else "nothing left out",
        do="nothing here proves what was left out: do not rely on it",
    )


def _signed_without(predicate: object) -> Sequence[str]:
    """Give what a signer left out: a record tells it of its tree, an OMS signature of the model."""
    if isinstance(predicate, ModelSignature):
        return predicate.ignore_paths
    tree = getattr(predicate, "tree", None)
    return tree.excluded if isinstance(tree, TreeSummary) else ()


def _some(paths: Collection[str]) -> str:
    told = sorted(paths)[:_TOLD_PATHS]
    return ", ".join(shown(path, _PATH_CHARS) for path in told) + (", …" if len(paths) > len(told) else "")


def _declared(manifest: Manifest) -> Finding:
    return Finding(
        code="policy.declared",
        tier=Tier.CONTRAINDICATED,
        subject=_called(manifest),
        rule="declared",
        found="a digest that was told, of bytes that nobody here read",
        wanted="the artifact itself",
        do="hand over the artifact, or let the policy say `declared: allow`",
    )


def _dirty(manifest: Manifest) -> Finding:
    return Finding(
        code="policy.dirty",
        tier=Tier.CONTRAINDICATED,
        subject=_called(manifest),
        found=f"uncommitted changes: {manifest.facts.get('dirtyPaths', '')}",
        wanted="the commit that was attested, and nothing else",
        do="check out the commit anew",
    )


def _depth(graph: Graph) -> str:
    """How far an accepted proof reaches: the statement itself, its builder, or every ancestor without a cut."""
    if not any(node.kind == "builder" for node in graph.nodes):
        return "surface"
    has_inputs = any(edge.role not in ("run", "builder") for edge in graph.edges)
    cut = any(node.state is State.TRIMMED or graph.is_summarised(node.identity) for node in graph.nodes)
    return "transitive" if has_inputs and not cut else "builder"
