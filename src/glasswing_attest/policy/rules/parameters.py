"""Are the external parameters of the run the expected ones, and no others?

SLSA v1.2, verifying-artifacts.md, step 2: whoever asks for a build decides its external parameters, so each must have
an expected value, or be said to be harmless whatever it is; one that nobody expected fails. What is null or empty is
unset.
"""

from __future__ import annotations

from glasswing_attest._wire import JsonValue
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.findings import told, unexpected
from glasswing_attest.policy.paths import Path, leaves, same_value, value_at, write_path
from glasswing_attest.policy.policy import Requirement
from glasswing_attest.statement.predicates.run import Run

__all__ = ["complaints"]

_TOLD = 16
"""So many unexpected parameters are told."""


def complaints(claim: Claim, requirement: Requirement, _circumstances: Circumstances) -> list[Finding]:
    """Complain about each parameter with another value, and about each that nobody expected."""
    run, expect = claim.predicate, requirement.expect
    if not isinstance(run, Run) or expect is None or expect.parameters is None:
        return []
    external: JsonValue = dict(run.external)
    wanted, known = expect.parameters.wanted, {*expect.parameters.wanted, *expect.parameters.allowed}
    found = [
        _complaint(requirement, path, told(there), wanted=told(value), do=_EQUAL)
        for path, value in wanted.items()
        if not same_value(there := value_at(external, path), value)
    ]
    starts = {len(path) for path in known}
    for path, value in leaves(external):
        if any(path[:length] in known for length in starts):
            continue
        if len(found) >= _TOLD:
            break
        found.append(_complaint(requirement, path, told(value), wanted="nothing", do=_ALLOW))
    return found


_EQUAL = "ask for a run with that parameter, or change what the policy expects"
_ALLOW = "add it to parameters.equal with the value that it may have, or to parameters.allow if every value is harmless"


def _complaint(requirement: Requirement, path: Path, found: str, *, wanted: str, do: str) -> Finding:
    return unexpected(requirement, write_path(("parameters", *path)), wanted=wanted, found=found, do=do)
