"""Do the cases of `gh attestation verify` get their stated answers under our policies, for the stated reasons?

What proves their bundles is asked in test_sigstore_bundles. Here whoever may have signed, and for whom, is a policy's
identity ::

    --owner, --repo          claims: source_repository_owner_uri, source_repository_uri
    --cert-identity, -regex  san, exactly or as a glob
    --signer-workflow        san
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Manifest, Policy, Report, assess
from glasswing_attest.artifact.file import Blob
from glasswing_attest.policies.parts import GITHUB_ISSUER, GITHUB_RUNNER, trimmed
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.run import PROVENANCE_V1
from tests.bundles import Question, question
from tests.shared import Case, cases

GH = cases("sigstore-bundle", corpus="gh-cli")
ANYBODY = "https://github.com/*/*/.github/workflows/*"
SIGNERS = {
    "^https://github.com/sigstore/": "https://github.com/sigstore/*/.github/workflows/*",
    "^https://github.com/foo/bar/.github/workflows/attest.yml": "https://github.com/foo/bar/.github/workflows/attest.yml",
}

# For each stage: why nothing was proved, or why what was proved is not enough.
UNPROVEN = {"signature": "verification.signature", "parse": "malformed.field-missing"}
SIGNED_BY = ("extension-policy", "identity")
# A least version of bundles is that tool's own policy; what a version lacks, a profile asks for.
CONTESTED = "min-bundle-version"


def policy(case: Case) -> Policy:
    """The policy that a case asks for."""
    params = case.params
    exact = params.get("identity")
    workflow = SIGNERS.get(params.get("identity_regex", ""), ANYBODY)
    # A workflow is named at a branch or tag, or at a commit.
    names = [exact] if exact else [f"{workflow}@refs/*/*", f"{workflow}@*"]
    claims = {}
    if "owner" in params:
        claims["source_repository_owner_uri"] = f"https://github.com/{params['owner']}"
    if "repo" in params:
        claims["source_repository_uri"] = f"https://github.com/{params['repo']}"
    requirement = {
        "predicate": PROVENANCE_V1,
        "signed_by": {"any_of": names},
        "expect": {"builder": GITHUB_RUNNER, "level": 2},
    }
    plain: dict[str, Any] = {
        "version": 1,
        "declared": "allow",
        "identities": {name: {"issuer": GITHUB_ISSUER, "san": name, "claims": claims} for name in names},
        "builders": [{"id": GITHUB_RUNNER, "signed_by": names, "level": 2}],
        "nodes": {"file": {"require": [requirement]}, **trimmed(ROLES)},
    }
    return Policy(**plain)


def answer(case: Case, asking: Question) -> Report:
    """What we say to a case."""
    if asking.content is not None:
        thing = Blob(asking.content, name="artifact").measure()
    else:
        assert asking.digests is not None
        thing = Manifest.declared("file", asking.digests)
    return assess(thing, asking.bundle, policy=policy(case), trust=asking.trust)


@pytest.mark.parametrize("case", GH)
def test_a_case_gets_its_answer(case: Case, shared_data: Path) -> None:
    report = answer(case, question(case, shared_data))
    stage = case.raw["stage"]
    if case.expect == "accept" or stage == CONTESTED:
        assert report.accepted, report.to_text()
        return
    assert report.cause is not None
    if stage in UNPROVEN:
        assert {refused.error.code for refused in report.refused} == {UNPROVEN[stage]}
        assert len(report.refused) == len(report.evidence) == 1
    else:
        assert stage in SIGNED_BY
        assert (report.cause.code, report.cause.rule) == ("policy.signed-by", "nodes.file.signed_by")
        assert not report.refused


@pytest.mark.usefixtures("shared_data")
def test_no_case_is_left_out() -> None:
    stages = Counter(p.values[0].raw["stage"] for p in GH)
    assert stages == {None: 6} | dict.fromkeys((*UNPROVEN, *SIGNED_BY, CONTESTED), 1)
