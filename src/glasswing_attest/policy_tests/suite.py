"""Does a policy say what was meant? Every case of a folder, and whether they could fail at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from glasswing_attest._files import StrPath
from glasswing_attest.errors import counted, shown
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.policy import Policy
from glasswing_attest.policy_tests.answer import CaseResult, judge
from glasswing_attest.policy_tests.case import find_cases
from glasswing_attest.trust.root import Trust

__all__ = ["PolicyTests", "run_policy_tests"]

_WHOLE = 1 << 10  # characters: a cause is worth reading to its end
_TIERS = {Tier.WARNING: "warning", Tier.CONTRAINDICATED: "problem"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolicyTests:
    """What came of the tests of a folder.

    Attributes:
        results: every case, in the order of their files.
        findings: why these tests say less than they seem to, or nothing of the policy that was handed over.
    """

    results: tuple[CaseResult, ...]
    findings: tuple[Finding, ...]

    def __bool__(self) -> NoReturn:
        raise TypeError("tests have no truth value: look at .passed")

    def __str__(self) -> str:
        return self.to_text()

    @property
    def passed(self) -> bool:
        """Whether there was a case, also for a policy that was handed over, and each got the answer that it expects."""
        return bool(self.results) and not self.failed and not self.problems

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that got another answer."""
        return tuple(result for result in self.results if not result.passed)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that are more than a warning."""
        return tuple(finding for finding in self.findings if finding.tier is Tier.CONTRAINDICATED)

    def to_text(self) -> str:
        """Give a table: each case with its verdict, and below one that fails what was expected and what it got."""
        wide = max((len(result.case.file) for result in self.results), default=0)
        lines = [line for result in self.results for line in _lines(result, wide)]
        wrong = f", {len(self.failed)} not as expected" if self.failed else ", all as expected"
        lines += [
            f"{_TIERS[f.tier]}: {shown(f.subject)}: {f.found}. {f.do[:1].upper()}{f.do[1:]}" for f in self.findings
        ]
        return "".join(f"{line}\n" for line in (*lines, f"{counted(len(self.results), 'case')}{wrong}"))

    def to_dict(self) -> dict[str, object]:
        """Give it as plain values, for JSON."""
        return {
            "passed": self.passed,
            "cases": [_plain(result) for result in self.results],
            "findings": [{**dataclasses.asdict(f), "tier": f.tier.value} for f in self.findings],
        }


def run_policy_tests(
    folder: StrPath, *, policy: Policy | None = None, trust: Trust | None = None, limits: Limits = DEFAULT
) -> PolicyTests:
    """Run every case of a folder: ``case.json``, ``NAME.case.json``, or ``.yaml``, at any depth.

    Args:
        folder: where the cases are. What they name lies below it.
        policy, trust: for the cases that name none of their own.
        limits: the bounds on untrusted input.

    Raises:
        CaseRefused: there is no case; or one cannot be used, and then nothing is run.
        MalformedError: a case cannot be read.
    """
    results = tuple(judge(c, policy=policy, trust=trust, limits=limits) for c in find_cases(folder, limits=limits))
    return PolicyTests(results=results, findings=tuple(_findings(results, policy)))


def _findings(results: Iterable[CaseResult], given: Policy | None) -> Iterator[Finding]:
    """Tell of each policy whether its tests could fail. One that could not be used was not tested, but refused."""
    by_policy: dict[str, list[CaseResult]] = {}
    for result in results:
        if result.answer.policy:
            by_policy.setdefault(result.answer.policy, []).append(result)
    for tested in by_policy.values():
        subject = f"the policy of {tested[0].case.file}"
        said = {result.case.expect.verdict for result in tested}
        if "refused" not in said:
            yield Finding(
                code="tests.no-refusal",
                tier=Tier.WARNING,
                subject=subject,
                found="no case expects a no, so a policy that refuses nothing would pass as well",
                wanted="a case that is refused",
                do="add what must be refused: another signer, another source, a step left out",
            )
        if "accepted" not in said:
            yield Finding(
                code="tests.no-yes",
                tier=Tier.WARNING,
                subject=subject,
                found="no case expects a yes, so a policy that refuses everything would pass as well",
                wanted="a case that is accepted",
                do="add what must be accepted, of which the others differ in one thing",
            )
    if given is not None and given.digest not in by_policy:
        yield Finding(
            code="tests.unused-policy",
            tier=Tier.CONTRAINDICATED,  # of no case at all, each was as expected
            subject="the policy that was handed over",
            found="every case names another",
            wanted="a case without a policy of its own",
            do="leave `policy` out of the cases that are about this one",
        )


def _lines(result: CaseResult, wide: int) -> Iterator[str]:
    case, answer = result.case, result.answer
    state = "ok  " if result.passed else "FAIL"
    name = "" if case.file.startswith(f"{case.name}/case.") or case.file.startswith(f"{case.name}.case.") else case.name
    told = f"{answer.verdict} {answer.code}".rstrip()
    yield f"{state}  {shown(case.file, _WHOLE):{wide}}  {told}{f': {shown(name)}' if name else ''}"
    if not result.passed:
        for difference in result.differences:
            yield f"      {shown(str(difference), _WHOLE)}"
        if answer.message:
            yield f"      told: {shown(answer.message, _WHOLE)}"


def _plain(result: CaseResult) -> dict[str, object]:
    case, answer = result.case, result.answer
    return {
        "file": case.file,
        "name": case.name,
        "about": case.about,
        "threat": case.threat,
        "passed": result.passed,
        "expected": case.expect.model_dump(exclude_defaults=True),
        "got": {
            "verdict": answer.verdict,
            "code": answer.code,
            "rule": answer.rule,
            "subject": answer.subject,
            "findings": list(answer.findings),
            "message": answer.message,
        },
        "policySha256": answer.policy,
        "differences": [dataclasses.asdict(difference) for difference in result.differences],
    }
