"""Does one case get the answer that is expected?

What cannot be used is an answer as well, since a policy is also tested for what it refuses to be: whatever could not be
had or is too large leaves it undecided, and any other error refuses. The clock is the case's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glasswing_attest._api import Verifier
from glasswing_attest._files import read_bounded
from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.environment import Environment
from glasswing_attest.artifact.file import File
from glasswing_attest.artifact.manifest import Artifact, Manifest
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.source import Source
from glasswing_attest.chain.seen import Seen
from glasswing_attest.claims import opaque
from glasswing_attest.errors import CaseRefused, GlasswingError, LimitError, RevocationsUnavailable, UnavailableError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.policy import Policy
from glasswing_attest.policy_tests.case import Document, PolicyCase
from glasswing_attest.report.report import Report, Verdict
from glasswing_attest.trust.root import Trust

__all__ = ["Answer", "CaseResult", "Difference", "answer", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a case got.

    Attributes:
        verdict: accepted, refused or undecided.
        code, rule, subject: of the cause; "" of a yes, and where there is none.
        findings: every code that was told, by a finding or of a piece of evidence that proved nothing, sorted.
        message: the cause in words.
        policy: the digest of the policy that decided; "" where it could not be used.
    """

    verdict: str
    code: str = ""
    rule: str = ""
    subject: str = ""
    findings: tuple[str, ...] = ()
    message: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it is expected."""

    what: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, got {self.got or 'nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A case, the answer that it got, and what of that is not as expected."""

    case: PolicyCase
    answer: Answer
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether it is all as expected."""
        return not self.differences


def judge(
    case: PolicyCase, *, policy: Policy | None = None, trust: Trust | None = None, limits: Limits = DEFAULT
) -> CaseResult:
    """Ask what a case asks, and hold the answer against what it expects.

    Raises:
        CaseRefused: it names no policy or no trust, and none was handed over.
    """
    found, wanted = answer(case, policy=policy, trust=trust, limits=limits), case.expect
    facts: list[tuple[str, str | None, str]] = [
        ("verdict", wanted.verdict, found.verdict),
        ("code", wanted.code, found.code),
        ("rule", wanted.rule, found.rule),
        ("subject", wanted.subject, found.subject),
    ]
    differences = [Difference(what=w, expected=e, got=g) for w, e, g in facts if e is not None and e != g]
    told = ", ".join(found.findings)
    differences += [
        Difference(what="findings", expected=code, got=told) for code in wanted.findings if code not in found.findings
    ]
    return CaseResult(case=case, answer=found, differences=tuple(differences))


def answer(
    case: PolicyCase, *, policy: Policy | None = None, trust: Trust | None = None, limits: Limits = DEFAULT
) -> Answer:
    """Ask what a case asks; with its own policy and trust, or with these where it names none. Otherwise as `judge`."""
    its_policy = policy if case.policy is None else case.policy
    its_trust = trust if case.trust is None else case.trust
    if its_policy is None or its_trust is None:
        name = "policy" if its_policy is None else "trust"
        raise CaseRefused(where=f"{case.file}: {name}", found="nothing", wanted=f"a {name}, or one for every case")
    digest = ""
    try:
        decides = _policy(its_policy, f"{case.file}: policy", limits)
        digest = decides.digest
        report = _report(case, decides, _trust(its_trust, f"{case.file}: trust", limits), limits)
    except GlasswingError as e:
        undecided = isinstance(e, UnavailableError | LimitError)
        verdict = Verdict.UNDECIDED if undecided else Verdict.REFUSED
        return Answer(verdict=verdict.value, code=e.code, findings=(e.code,), message=str(e), policy=digest)
    told = {f.code for f in report.findings} | {item.error.code for item in report.refused}
    cause = report.cause
    return Answer(
        verdict=report.verdict.value,
        code="" if cause is None else cause.code,
        rule="" if cause is None else cause.rule,
        subject="" if cause is None else cause.subject,
        findings=tuple(sorted(told)),
        message="" if cause is None else str(cause),
        policy=digest,
    )


def _policy(said: Document | Policy, where: str, limits: Limits) -> Policy:
    if isinstance(said, bytes):
        return Policy.parse(said, suffix=".json", where=where, limits=limits)
    return Policy.load(said, limits=limits) if isinstance(said, Path) else said


def _trust(said: Document | Trust, where: str, limits: Limits) -> Trust:
    if isinstance(said, bytes):
        return Trust.parse(said, suffix=".json", where=where, limits=limits)
    return Trust.load(said, limits=limits) if isinstance(said, Path) else said


def _report(case: PolicyCase, policy: Policy, trust: Trust, limits: Limits) -> Report:
    if case.artifact.digests and not case.artifact.declared:
        # The bytes are not here, and what is tested is what the policy says of bytes that are.
        policy = policy.model_copy(update={"declared": "allow"})
    verifier = Verifier(
        policy=policy,
        trust=trust,
        predicates=tuple(map(opaque, case.opaque)),
        revocations=_revocations(case.revocations, limits),
        revocations_seen=case.revocations_seen,
        limits=limits,
    )
    seen = _seen(case.seen, f"{case.file}: seen", limits)
    return verifier._assess(_artifact(case), case.evidence, at=case.at, now=case.now, seen=seen)


def _artifact(case: PolicyCase) -> Artifact:
    asked, path = case.artifact, case.path
    if path is None:
        return Manifest.declared(asked.kind, asked.digests or {}, name=asked.name)
    if asked.kind == "model":
        return Model(path, exclude=asked.exclude)
    if asked.kind == "dataset":
        return Dataset(path, exclude=asked.exclude)
    if asked.kind == "code":
        return Source(path)
    return Environment(path) if asked.kind == "dependency" else File(path)


def _revocations(document: Document | None, limits: Limits) -> bytes | None:
    if not isinstance(document, Path):
        return document
    return read_bounded(document, "bundle_bytes", limits, error=RevocationsUnavailable)


def _seen(document: Document | None, where: str, limits: Limits) -> Seen | None:
    if document is None:
        return None
    return Seen.load(document, limits=limits) if isinstance(document, Path) else Seen.parse(document, where=where)
