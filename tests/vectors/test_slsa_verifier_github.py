"""Do the cases of slsa-verifier's GitHub builders get their stated answers under our policies, for the stated reasons?

Its options are said in our grammar by `tests.slsa_verifier`. Each case is asked twice: by the builder's word alone,
which must give the stated reason; and with GitHub's word for the source, where the certificate has it.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import Attestation, Manifest, Policy, Report, Trust, Verifier, sign_statement
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import KeyUntrusted, PolicyRefused
from glasswing_attest.policies.parts import one_of
from glasswing_attest.report.report import Verdict
from glasswing_attest.statement.predicates.run import PROVENANCE_V1
from glasswing_attest.store import Evidence
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from glasswing_attest.verification.procedure import prove
from tests.bundles import PRODUCTION
from tests.chains import signer, statement, trust_of
from tests.shared import Case, cases
from tests.slsa_verifier import github, stand_in, written

GITHUB_BUILDERS = cases("slsa-gha", "slsa-github-attestation")
OFFLINE = [p for p in GITHUB_BUILDERS if p.values[0] is None or not p.values[0].raw.get("needs_online")]
ONLINE = [p for p in GITHUB_BUILDERS if p.values[0] is None or p.values[0].raw.get("needs_online")]

# For each stage: the code of the cause, and the end of its rule.
REASONS: dict[str, set[tuple[str, str]]] = {
    "source": {("policy.expect", "expect.source")},
    "branch": {("policy.expect", "expect.ref")},
    "tag": {("policy.expect", "expect.ref")},
    "versioned-tag": {("policy.expect", "expect.ref")},
    "ref-type": {("policy.expect", "expect.ref")},
    "builder": {("policy.signed-by", "signed_by"), ("policy.expect", "expect.builder")},
    "workflow-inputs": {("policy.expect", "some_integer"), ("policy.expect", "missing_field")},
    "subject-digest": {("chain.no-attestation", "nodes.file")},
    "tlog": {("verification.not-logged", "nodes.file")},
}
# slsa-verifier wants a builder to be named here; a policy without one is refused when it is built.
NO_BUILDER = "github-attestation/module.bazel-no-builder-id"
# These bundles bring their root along (docs/adr/0011-contested-bundles.md).
EMBEDS_A_ROOT = "gha-container-based/v1.7.0/"
# What slsa-verifier refuses to take for a version, before it looks at any provenance.
NO_VERSIONS = ("vslsa1", "v1.2+123", "v1.2-alpha", "v1-alpha+123", "v1.2-alpha+123", "v1-alpha")
REPOSITORY = "https://github.com/acme/train"
WORKFLOW = "https://actions.github.io/buildtypes/workflow/v1"


@cache
def public_good(shared: Path, lenient: bool) -> Trust:
    """Sigstore's public instance. `lenient`: a root that a bundle brings along counts for nothing, and does no harm."""
    profile = replace(PUBLIC_GOOD, embedded_roots="ignore") if lenient else PUBLIC_GOOD
    return Trust(roots=(Root.parse((shared / PRODUCTION).read_bytes(), name="root", profile=profile),))


@cache
def sigstore() -> VirtualSigstore:
    """What stands in for the log that would have to be asked."""
    return VirtualSigstore()


@cache
def standing_in(path: Path, log: Literal["v1"] | None) -> Attestation:
    """The same statement of the same signer, in a log of ours or in none."""
    return stand_in(path.read_bytes(), sigstore(), log=log)


@cache
def stand_in_trust() -> Trust:
    """Whoever believes the stand-in."""
    return sigstore().trust()


def policy_of(*rules: Mapping[str, Any]) -> Policy:
    """A policy of these alternatives, signed by somebody with a key."""
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "identities": {"somebody": {"key": "somebody"}},
        "nodes": {"file": one_of([{"require": [rule]} for rule in rules])},
    }
    return Policy(**plain)


@cache
def verifier(params: str, trust: Trust, by_certificate: bool) -> Verifier:
    return Verifier(policy=github(json.loads(params), by_certificate=by_certificate), trust=trust)


def asked(case: Case, evidence: Evidence, trust: Trust, *, by_certificate: bool = False) -> list[Report]:
    """One report for each artifact that the case names."""
    params = json.dumps({n: v for n, v in case.params.items() if n != "artifact_sha256"})
    judge = verifier(params, trust, by_certificate)
    found = case.params["artifact_sha256"]
    return [judge.assess(Manifest.declared("file", {"sha256": digest}), evidence) for digest in found]


def reason(reports: list[Report]) -> tuple[str, str]:
    """Why the first one that is refused is: the code of the cause, and the last part of its rule."""
    cause = next(report.cause for report in reports if not report.accepted)
    assert cause is not None
    return cause.code, cause.rule


def check(case: Case, evidence: Evidence, trust: Trust, *, has_claims: bool = True) -> None:
    """Hold our answer against the stated one. `has_claims`: the certificate is new enough to say what was built."""
    reports = asked(case, evidence, trust)
    certified = asked(case, evidence, trust, by_certificate=True)
    if case.expect == "accept":
        assert all(report.accepted for report in reports), reports[0].to_text()
        assert all(report.accepted is has_claims for report in certified), certified[0].to_text()
        return
    code, rule = reason(reports)
    assert any((code, rule.endswith(end)) == (wanted, True) for wanted, end in REASONS[case.raw["stage"]]), (code, rule)
    assert not any(report.accepted for report in certified)


@pytest.mark.parametrize("case", OFFLINE)
def test_a_case_gets_its_answer(case: Case, shared_data: Path) -> None:
    if case.case == NO_BUILDER:
        rule = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["somebody"]}, "expect": {"build_type": "any"}}
        with pytest.raises(PolicyRefused) as refused:
            policy_of(rule)
        assert refused.value.where == "Policy: nodes.file.require[0].expect"
        return
    lenient = EMBEDS_A_ROOT in case.case
    check(case, (shared_data / case.files["provenance"]).read_bytes(), public_good(shared_data, lenient))


def test_a_bundle_with_a_root_in_it_is_refused_unless_the_trust_says_otherwise(shared_data: Path) -> None:
    embedding = [p.values[0] for p in OFFLINE if EMBEDS_A_ROOT in p.values[0].case]
    assert Counter(case.expect for case in embedding) == {"accept": 2, "reject": 7}
    for case in embedding:
        (report,) = asked(case, (shared_data / case.files["provenance"]).read_bytes(), public_good(shared_data, False))
        (refused,) = report.refused
        assert (refused.error.code, refused.error.where) == (
            "malformed.field",
            "$.verificationMaterial.x509CertificateChain",
        )


# --- what only the log could tell ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ONLINE)
def test_an_envelope_without_its_log_entry_proves_nothing_and_with_one_gets_its_answer(
    case: Case, shared_data: Path
) -> None:
    path = shared_data / case.files["provenance"]
    with pytest.raises(KeyUntrusted) as refused:
        prove(Attestation.parse(path.read_bytes()), public_good(shared_data, False))
    assert refused.value.where == "$.signatures"
    is_logged = case.raw["stage"] != "tlog"
    check(case, standing_in(path, "v1" if is_logged else None), stand_in_trust(), has_claims="gha_generic" in case.case)
    if not is_logged:
        # With an entry it would be refused for its builder: nothing else than the entry is what is missing first.
        assert reason(asked(case, standing_in(path, "v1"), stand_in_trust())) == (
            "policy.signed-by",
            "nodes.file.signed_by",
        )


# --- images ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("slsa-gha-image"))
def test_of_an_image_the_corpus_keeps_the_index_alone(case: Case, shared_data: Path, tmp_path: Path) -> None:
    # Its blobs are too large for the corpus, the attestations among them: that is no answer, and never a yes.
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (tmp_path / "index.json").write_bytes((shared_data / case.files["oci_layout_index"]).read_bytes())
    judge = Verifier(policy=github(case.params, kind="image"), trust=public_good(shared_data, False))
    report = judge.assess(Manifest.declared("image", {"sha256": case.params["image_sha256"]}), tmp_path)
    assert report.verdict is Verdict.UNDECIDED
    assert report.cause is not None
    assert report.cause.code == "unavailable.store"


# --- versions of tags ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("slsa-versioned-tag"))
def test_a_versioned_tag_is_a_reference_written_in_one_of_several_ways(case: Case) -> None:
    wanted, ref = case.params["requested_versioned_tag"], case.params["provenance_ref"]
    if wanted in NO_VERSIONS:
        assert case.raw["stage"] == "ErrorInvalidSemver"
        with pytest.raises(ValueError, match=re.escape(wanted)):
            written(wanted)
        return
    thing = Blob(b"made", name="made").measure()
    workflow = {"workflow": {"repository": REPOSITORY, "ref": ref, "path": ".github/workflows/release.yml"}}
    body = {
        "buildDefinition": {"buildType": WORKFLOW, "externalParameters": workflow},
        "runDetails": {"builder": {"id": "https://ci.example"}},
    }
    made = sign_statement(
        statement([{"digest": thing.digests.to_dict()}], PROVENANCE_V1, body), signer=signer("somebody")
    )
    rules = [
        {
            "predicate": PROVENANCE_V1,
            "signed_by": {"any_of": ["somebody"]},
            "expect": {"builder": "https://ci.example", "source": REPOSITORY, "ref": f"refs/tags/{tag}"},
        }
        for tag in written(wanted)
    ]
    report = Verifier(policy=policy_of(*rules), trust=trust_of("somebody")).assess(thing, made)
    assert report.accepted == (case.expect == "accept"), report.to_text()
    if not report.accepted:
        assert reason([report]) == ("policy.expect", "nodes.file.expect.ref")


# --- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shared_data")
def test_no_case_is_left_out() -> None:
    answers = Counter(p.values[0].expect for p in OFFLINE)
    # slsa-verifier refuses to be asked without a builder: so do we, when the policy is built.
    assert answers == {"accept": 71, "reject": 168}
    assert Counter(p.values[0].expect for p in ONLINE) == {"accept": 19, "reject": 35}
    assert {p.values[0].raw["stage"] for p in GITHUB_BUILDERS} == {None, *REASONS}
    assert Counter(p.values[0].expect for p in cases("slsa-gha-image")) == {"accept": 6, "reject": 21}
    tags = [p.values[0] for p in cases("slsa-versioned-tag")]
    assert Counter(case.expect for case in tags) == {"accept": 12, "reject": 22}
    assert sum(case.params["requested_versioned_tag"] in NO_VERSIONS for case in tags) == 6
