"""Is what slsa-verifier calls the source, the branch and the tag of a run what a policy's rules call so too?

Only what provenance says is asked here, of statements whose signatures are another test's business: the rules see the
predicate alone.
"""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from glasswing_attest import Policy
from glasswing_attest.claims import Claim, registry_of
from glasswing_attest.errors import GlasswingError
from glasswing_attest.formats import parse, unpack
from glasswing_attest.limits import DEFAULT
from glasswing_attest.policy.circumstances import Circumstances
from glasswing_attest.policy.rules import parameters, source
from glasswing_attest.statement.predicates.run import PROVENANCES, Run
from glasswing_attest.statement.statement import Statement
from tests.chains import NOW
from tests.shared import Case, cases

pytestmark = pytest.mark.shared

TYPES = registry_of()
KINDS = ("slsa-gha", "slsa-npm", "slsa-github-attestation")
FILES = ("provenance", "attestations", "bundle", "attestation")

# Rejected for what is no matter of the source: it may be anything.
ELSEWHERE = {"builder", "signature", "subject-digest", "tlog", "package-name", "package-version", "format"}
# Rejected only after the source was found right.
AFTERWARDS = {None, "branch", "tag", "versioned-tag", "ref-type", "workflow-inputs"}


def runs(case: Case, shared_data: Path) -> Iterator[tuple[str, Run]]:
    """The provenance that a case is about, and its predicate type."""
    (name,) = [case.files[key] for key in FILES if key in case.files]
    data = (shared_data / name).read_bytes()
    pieces = [data]
    if "jsonl_line" in case.params:
        pieces = [data.splitlines()[case.params["jsonl_line"]]]
    for piece in pieces:
        for part in unpack(piece):
            try:
                statement = Statement.parse_unverified(parse(part.data).envelope.payload)
            except GlasswingError:
                continue
            if statement.predicate_type in PROVENANCES:
                found = TYPES[statement.predicate_type].parse(statement.predicate_node, DEFAULT)
                assert isinstance(found, Run)
                yield statement.predicate_type, found


def complaints(predicate_type: str, run: Run, **expect: Any) -> list[str]:
    """The expectations that a run does not meet."""
    plain: dict[str, Any] = {
        "predicate": predicate_type,
        "signed_by": {"any_of": ["a"]},
        "expect": {"builder": run.builder_id, **expect},
    }
    policy = Policy(version=1, identities={"a": {"key": "a"}}, nodes={"file": {"require": [plain]}})  # type: ignore[dict-item]
    claim = cast(Claim, SimpleNamespace(predicate=run))
    circumstances = Circumstances(policy=policy, at=NOW, latest=NOW)
    (requirement,) = policy.nodes["file"].require
    found = [
        *source.complaints(claim, requirement, circumstances),
        *parameters.complaints(claim, requirement, circumstances),
    ]
    return [finding.rule for finding in found]


@pytest.mark.parametrize("case", cases(*KINDS, corpus="slsa-verifier"))
def test_source_branch_and_tag(case: Case, shared_data: Path) -> None:
    stage = case.raw["stage"]
    assert stage in {"source", *ELSEWHERE, *AFTERWARDS}
    about = list(runs(case, shared_data))
    assert about or stage in ELSEWHERE
    for predicate_type, run in about:
        wanted = {"source": f"https://{case.params['source_uri']}"}
        told = complaints(predicate_type, run, **wanted)
        if stage not in ELSEWHERE:
            assert told == (["expect.source"] if stage == "source" else [])
        for kind, folder in (("branch", "heads"), ("tag", "tags")):
            if kind in case.params and stage in (None, kind, "ref-type"):
                told = complaints(predicate_type, run, ref=f"refs/{folder}/{case.params[kind]}")
                assert told == ([] if stage is None else ["expect.ref"])


@pytest.mark.parametrize(
    "case", [c for c in cases(*KINDS, corpus="slsa-verifier") if c.values[0] and "inputs" in c.values[0].case]
)
def test_workflow_inputs(case: Case, shared_data: Path) -> None:
    ((predicate_type, run),) = runs(case, shared_data)
    place = "environment.github_event_payload.inputs"
    equal = {f"{place}.{name}": value for name, value in case.params["workflow_inputs"].items()}
    told = complaints(
        predicate_type, run, parameters={"equal": equal, "allow": ["configSource", "parameters", "environment"]}
    )
    assert bool(told) is (case.expect == "reject")
    assert all(rule.startswith(f"expect.parameters.{place}.") for rule in told)
    # And with nothing else allowed, whatever else was decided is refused.
    assert complaints(predicate_type, run, parameters={"equal": equal})
