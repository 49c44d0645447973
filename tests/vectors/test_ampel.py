"""Do AMPEL's policies get their stated answers, said in ours?

A tenet is CEL over the predicate; here it is a requirement's `where`, or an expectation where there is one. Others keep
most of their statements unsigned, so a stand-in signs those as they are; the scans of grype and trivy are in bundles
that their author signed, and are asked as they stand.

What a field's absence would have to mean is not said in ours: where a report leaves out what it has nothing to say of,
that nothing was found is refused. tests/interop/test_expectations.py runs the other way round: AMPEL's own policies,
over what we write.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Manifest, Policy, Report, Trust, Verifier
from glasswing_attest.claims import opaque
from glasswing_attest.errors import DigestRefused, PolicyRefused
from glasswing_attest.policies.parts import one_of, trimmed
from glasswing_attest.policy.policy import Identity
from glasswing_attest.statement.predicates.openvex import OPENVEX_V02
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from tests.bundles import PRODUCTION
from tests.chains import seal, signer
from tests.shared import Case, cases

AMPEL = cases("ampel-policy")
GRYPE = "https://predicates.policylabs.dev/grype/v1"
TRIVY = "https://predicates.policylabs.dev/trivy/v1"
OSV = "https://ossf.github.io/osv-schema/results@v1"
AIIR = tuple(f"https://invariantsystems.io/predicates/aiir/commit_receipt/v{version}" for version in (1, 2))
OPAQUE = (GRYPE, TRIVY, OSV, *AIIR)

# The author of the scans, and whoever stands in for those who signed nothing.
SIGNERS = {
    "author": Identity(issuer="https://accounts.google.com", san="puerco@carabiner.dev"),
    "stand-in": Identity(key="stand-in"),
}

Context = Mapping[str, Any]
Rules = list[dict[str, Any]]
"""One alternative each: a predicate type, and what is asked of it."""

SEVERITIES = ("Critical", "High", "Medium", "Low", "Negligible", "Unknown")


def _severities(context: Context, spelt: Callable[[str], str]) -> str:
    return json.dumps([spelt(name) for name in SEVERITIES if context.get(f"allow{name}")])


def _aiir(where: str) -> Rules:
    return [{"predicate": uri, "where": where} for uri in AIIR]


def _osv(each: str) -> Rules:
    vulnerabilities = f"p.vulnerabilities.all(v, {each})"
    return [{"predicate": OSV, "where": f"predicate.results.all(r, r.packages.all(p, {vulnerabilities}))"}]


def _no_grype(_context: Context) -> Rules:
    return [{"predicate": GRYPE, "where": "size(predicate.matches) == 0"}]


def _no_trivy(_context: Context) -> Rules:
    return [{"predicate": TRIVY, "where": "predicate.Results.all(r, size(r.Vulnerabilities) == 0)"}]


def _build_point(context: Context) -> Rules:
    uri, _, ref = context["buildPoint"].removeprefix("git+").partition("@")
    commit = context.get("buildPointCommit", "").rpartition(":")[2]
    builder = "https://github.com/*/*/.github/workflows/*@refs/heads/*"
    v1: dict[str, Any] = {"predicate": PROVENANCE_V1, "expect": {"builder": builder, "source": uri}}
    if not context.get("buildPointAllowRepo", True):
        v1["expect"]["ref"] = ref
    if commit:
        # A commit is a commit here, and no sha1.
        source = f'd.uri.startsWith("git+{uri}@") && d.digest.gitCommit == "{commit}"'
        v1["where"] = f"predicate.buildDefinition.resolvedDependencies.exists(d, {source})"
    # No page of Tekton's says which material of a pipeline is its source, so that is looked up by hand.
    v02 = {
        "predicate": PROVENANCE_V02,
        "expect": {"builder": "https://tekton.dev/chains/v2"},
        "where": f'predicate.materials.exists(m, m.uri == "{context["buildPoint"]}")',
    }
    return [v1, v02]


OURS: Mapping[str, Callable[[Context], Rules]] = {
    "aiir/authorship-class-allowed.hjson": lambda c: _aiir(
        f"predicate.ai_attestation.authorship_class in {json.dumps(c['allowedAuthorshipClasses'].split('|'))}"
    ),
    "aiir/detection-method-allowed.hjson": lambda c: _aiir(
        f"predicate.ai_attestation.detection_method in {json.dumps(c['allowedDetectionMethods'].split('|'))}"
    ),
    "aiir/signal-detected.hjson": lambda c: _aiir(
        f"{json.dumps(c['requiredSignal'])} in predicate.ai_attestation.signals_detected"
    ),
    "groups/osps-baseline/osps-vm-04.hjson": lambda c: [{"predicate": OPENVEX_V02}, *_no_grype(c), *_no_trivy(c)],
    "grype/grype-no-vulns.hjson": _no_grype,
    "grype/grype-allow-severity.hjson": lambda c: [
        {
            "predicate": GRYPE,
            "where": f"predicate.matches.all(m, m.vulnerability.severity in {_severities(c, str)})",
        }
    ],
    "osv/osv-no-known-exploited.hjson": lambda _: _osv("v.database_specific.known_exploited == false"),
    "osv/osv-max-epss.hjson": lambda c: _osv(f"v.database_specific.epss < {c.get('epssThreshold', '0.5')}"),
    "slsa/slsa-build-point.json": _build_point,
    "trivy/trivy-no-vulns.hjson": _no_trivy,
    "trivy/trivy-allow-severity.hjson": lambda c: [
        {
            "predicate": TRIVY,
            "where": f"predicate.Results.all(r, r.Vulnerabilities.all(v, v.Severity in {_severities(c, str.upper)}))",
        }
    ],
}

# Where the answer is ours: what is not there is not nothing.
ABSENT = {
    "groups/osps-baseline/vm-04-passes-with-attested-trivy-no-vulns": "Vulnerabilities",
    "trivy/no-vulns-passes-when-report-has-no-vulnerabilities": "Vulnerabilities",
    "osv/no-known-exploited-passes-without-kev": "known_exploited",
}
# A score is computed from its vector by a function of AMPEL's; a signature over bytes is no statement about them.
SCORED = "osv/osv-no-critical.hjson"
UNSTATED = "sigstore/sigstore-dual-signatures.json"
UNREAD = {"sigstore/bundle": "unsupported.message-signature", "sigstore/detached": "malformed.json"}


def ours(case: Case) -> str:
    """Which of their policies it is."""
    name: str = case.files["policy"]
    return name.removeprefix("carabiner-policies/")


SAID = [p for p in AMPEL if p.values[0] is None or ours(p.values[0]) in OURS]


@cache
def trust(shared: Path) -> Trust:
    """Sigstore's public instance for the author, and a key for the stand-in."""
    root = Root.parse((shared / PRODUCTION).read_bytes(), name="root", profile=PUBLIC_GOOD)
    return Trust(keys=(TrustedKey(name="stand-in", key=signer("stand-in").public_key),), roots=(root,))


@cache
def signed(path: Path) -> bytes:
    """What its author signed; else the same statement, signed by the stand-in."""
    data = path.read_bytes()
    return data if b"dsseEnvelope" in data else seal(data, signer("stand-in"))


def policy(kind: str, rules: Rules) -> Policy:
    """A policy of these alternatives."""
    by = {"signed_by": {"any_of": list(SIGNERS)}}
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "declared": "allow",
        "identities": SIGNERS,
        "nodes": {**trimmed(ROLES), kind: one_of([{"require": [{**by, **rule}]} for rule in rules])},
    }
    return Policy(**plain)


def answer(case: Case, shared: Path, context: Context) -> Report:
    """What we say to a case."""
    algorithm, _, value = case.params["subject"].partition(":")
    # A commit is called sha1 there. Its statement gives it by both names; by the right one it is a commit.
    kind, algorithm = ("code", "gitCommit") if algorithm == "sha1" else ("file", algorithm)
    asked = policy(kind, OURS[ours(case)](context))
    judge = Verifier(policy=asked, trust=trust(shared), predicates=tuple(map(opaque, OPAQUE)))
    evidence = [signed(shared / name) for name in case.files["attestations"]]
    return judge.assess(Manifest.declared(kind, {algorithm: value}), evidence)


@pytest.mark.parametrize("case", SAID)
def test_a_policy_gets_its_answer(case: Case, shared_data: Path) -> None:
    report = answer(case, shared_data, case.params["context"])
    assert not report.refused
    if case.expect == "accept" and case.case not in ABSENT:
        assert report.accepted, report.to_text()
        return
    assert case.raw["stage"] == ("policy" if case.expect == "reject" else None)
    assert report.cause is not None
    code, rule = report.cause.code, report.cause.rule.partition(".")[2].partition(".")[2]
    if case.case == "slsa/v1-wrong-repo-fails":
        assert (code, rule) == ("policy.expect", "expect.source")
    else:
        assert (code, rule) == ("policy.where", "where")
        assert ("no value" in report.cause.found) is (case.case in ABSENT), report.cause.found
        assert ABSENT.get(case.case, "") in report.cause.found


def test_a_commit_by_the_name_of_another_digest_is_none(shared_data: Path) -> None:
    # AMPEL asks for sha1:4444…, which the statement has too. Nobody can tell what such a digest is of.
    for case in (p.values[0] for p in SAID if ours(p.values[0]).startswith("aiir/")):
        value = case.params["subject"].partition(":")[2]
        with pytest.raises(DigestRefused) as refused:
            Manifest.declared("code", {"sha1": value})
        assert (refused.value.code, refused.value.where) == ("malformed.digest", "manifest.digest")


@pytest.mark.parametrize("case", [p for p in AMPEL if p.values[0] is None or ours(p.values[0]) == SCORED])
def test_a_function_that_is_not_read_here_is_refused_when_the_policy_is_built(case: Case) -> None:
    threshold = case.params["context"].get("cvssThreshold", 9)
    for where in (f"osv.vulns(predicate).all(v, osv.cvss(v) < {threshold}.0)", f"osv.cvss(predicate) < {threshold}.0"):
        with pytest.raises(PolicyRefused) as refused:
            policy("file", [{"predicate": OSV, "where": where}])
        assert refused.value.where == "Policy: nodes.file.require[0].where"


@pytest.mark.parametrize("case", [p for p in AMPEL if p.values[0] is None or ours(p.values[0]) == UNSTATED])
def test_a_signature_over_bytes_states_nothing_about_them(case: Case, shared_data: Path) -> None:
    digest = case.params["subject"].partition(":")[2]
    rule = {"predicate": PROVENANCE_V1, "expect": {"builder": "https://github.com/*"}}
    judge = Verifier(policy=policy("file", [rule]), trust=trust(shared_data))
    evidence = [(shared_data / name).read_bytes() for name in case.files["attestations"]]
    report = judge.assess(Manifest.declared("file", {"sha256": digest}), evidence)
    assert report.cause is not None
    assert report.cause.code == "chain.no-attestation"
    unread = {refused.error.code for refused in report.refused}
    assert unread == {UNREAD[case.case.partition("-")[0]]}
    assert len(report.refused) == len(evidence)


def test_no_case_is_left_out(shared_data: Path) -> None:
    found = [p.values[0] for p in AMPEL]
    assert Counter(case.expect for case in found) == {"accept": 20, "reject": 17}
    assert Counter(ours(case) in OURS for case in found) == {True: 31, False: 6}
    assert Counter((ours(c), c.expect) for c in found if ours(c) not in OURS) == {
        (SCORED, "accept"): 2,
        (UNSTATED, "accept"): 1,
        (UNSTATED, "reject"): 3,
    }
    scans = {name for p in SAID for name in p.values[0].files["attestations"] if "/grype/" in name or "/trivy/" in name}
    assert len(scans) == 4
    assert all(signed(shared_data / name) == (shared_data / name).read_bytes() for name in scans)
