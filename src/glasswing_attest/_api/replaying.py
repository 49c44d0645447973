"""Does the same follow from a case file? The verdict is computed anew, at the case's own time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from glasswing_attest._api.verifying import Verifier, types_of
from glasswing_attest.claims import PredicateType
from glasswing_attest.errors import PolicyRefused, TrustRefused, UsageError
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.report.case import unpack
from glasswing_attest.report.report import Report
from glasswing_attest.store import Item
from glasswing_attest.verification.opinion import SecondOpinion

__all__ = ["replay"]


def replay(
    path: str | Path,
    *,
    predicates: Iterable[PredicateType] = (),
    second_opinion: SecondOpinion | None = None,
    policy_sha256: str | None = None,
    trust_sha256: str | None = None,
    limits: Limits = DEFAULT,
) -> Report:
    """Verify a case file again, at its own time, from what it holds. The verdict is computed anew, never read.

    Whoever wrote the file chose its policy, its trust and its times: the report says so with the finding
    ``report.replayed``, and with ``report.differs`` where the answer or the library's version is not the file's. Give
    the digests of your own policy and trust to have no others believed.

    Args:
        path: what `Report.case` wrote.
        predicates: the further predicate types that were read then, and no others.
        second_opinion: whoever must agree, where somebody was asked then.
        policy_sha256: the `Policy.digest` that the case's policy must have.
        trust_sha256: the `Trust.digest` that the case's trust must have.
        limits: the bounds on the file and on the verification; where the case's own were tighter, those.

    Raises:
        StoreUnavailable, FormatUnsupported, MalformedError, LimitError: the file is not a readable case.
        PolicyRefused, TrustRefused: the policy or the trust is not the one that was asked for.
        UsageError: other predicate types than then, or no second opinion where there was one.
    """
    case = unpack(Path(path), limits=limits)
    for kind, wanted, found in (
        (PolicyRefused, policy_sha256, case.policy.digest),
        (TrustRefused, trust_sha256, case.trust.digest),
    ):
        if wanted is not None and found != wanted:
            raise kind(where=str(path), found=found, wanted=wanted)
    types = types_of(predicates)
    # One that drew edges then and is opaque now would leave out what the case asked for.
    if sorted(kind.label for kind in types) != sorted(case.predicates):
        raise UsageError(
            where="predicates",
            found=", ".join(sorted(kind.label for kind in types)) or "none",
            wanted=", ".join(sorted(case.predicates)) or "none",
            because="the case was decided with other predicate types",
            do="hand over the same; on the command line, --opaque URI for each that was read as it is",
        )
    if case.second_opinion is not (second_opinion is not None):
        told = {True: "a second opinion", False: "none"}
        raise UsageError(
            where="second_opinion",
            found=told[second_opinion is not None],
            wanted=f"{told[case.second_opinion]}, as then",
        )
    verifier = Verifier(
        policy=case.policy,
        trust=case.trust,
        predicates=types,
        revocations=case.revocations,
        revocations_seen=case.revocations_seen,
        second_opinion=second_opinion,
        limits=dataclasses.replace(limits, **{n: min(b, getattr(limits, n)) for n, b in case.limits.items()}),
    )
    items = tuple(Item(data=data, origin=origin) for data, origin in case.evidence)
    report = verifier._assess(case.manifest, items, at=case.at, now=case.now, seen=case.seen, sources=case.sources)
    findings = [*report.findings, _replayed(policy_sha256 is not None, trust_sha256 is not None)]
    if (case.verdict, case.version) != (report.verdict, report.version):
        findings.append(
            Finding(
                code="report.differs",
                tier=Tier.WARNING,
                subject="case",
                found=f"{report.verdict} by version {report.version}",
                wanted=f"{case.verdict} by version {case.version}, as the case says",
                do="find out what changed since, or who changed the case",
            )
        )
    return dataclasses.replace(report, findings=tuple(findings), replayed=True)


def _replayed(knows_policy: bool, knows_trust: bool) -> Finding:
    told = [*(() if knows_policy else ("policy",)), *(() if knows_trust else ("trust",)), "times"]
    return Finding(
        code="report.replayed",
        tier=Tier.WARNING,
        subject="case",
        found=f"from the case itself: {', '.join(told)}",
        wanted="a case that you made, or digests that you know",
        do="hand over policy_sha256 and trust_sha256; the times are only as good as whoever made the case",
    )
