"""Do slsa-verifier's npm cases get their stated answers under our policies, for the stated reasons?

A package has two attestations: the registry's own, signed with its key, and the provenance, signed with a certificate.
Both are required of it. Its options are said so ::

    --source-uri        expect.source, and the certificate's source_repository_uri
    --builder-id        expect.builder; that the runner was GitHub's is the certificate's to say in provenance v0.2
    --package-name      where: the name in the registry's attestation, and the package URL that provenance is about
    --package-version   where: the version in both
"""

import base64
import json
import urllib.parse
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import Manifest, Policy, Report, Trust, assess
from glasswing_attest.errors import PolicyRefused
from glasswing_attest.keys import PublicKey
from glasswing_attest.policies.parts import GITHUB_ISSUER, one_of, trimmed
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.publish import NPM_PUBLISH_V01
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from tests.bundles import PRODUCTION
from tests.shared import Case, cases

NPM = cases("slsa-npm")
RUNNER = "https://github.com/actions/runner"
HOSTED = f"{RUNNER}/github-hosted"
Embedded = Literal["refuse", "ignore"]
WITNESS = Witness(root="root", logs=1, times=1)

# For each stage: why.
REASONS = {
    "builder": ("policy.expect", "expect.builder"),
    "source": ("policy.expect", "expect.source"),
    "package-name": ("policy.where", "where"),
    "package-version": ("policy.where", "where"),
}


@cache
def trust(shared: Path, embedded: Embedded) -> Trust:
    """Sigstore's public instance, and the registry's keys, under the ids that it gives them."""
    profile = replace(PUBLIC_GOOD, embedded_roots=embedded)
    root = Root.parse((shared / PRODUCTION).read_bytes(), name="root", profile=profile)
    keys = []
    listing = json.loads((shared / "_trust" / "npm.keys.json").read_bytes())["keys"]
    for listed in (each for each in listing if each["keyUsage"] == "npm:attestations"):
        key = PublicKey.from_pem(base64.b64decode(listed["publicKey"]["rawBytes"]))
        keys.append(TrustedKey(name=listed["keyId"], key=key, keyids=(listed["keyId"],), witness=WITNESS))
    return Trust(keys=tuple(keys), roots=(root,))


def policy(params: Mapping[str, Any], keys: tuple[str, ...], *, by_certificate: bool) -> Policy:
    """The policy that a case asks for."""
    source, builder = f"https://{params['source_uri']}", params.get("builder_id")
    claims = {"source_repository_uri": source} if by_certificate else {}
    hosted = {"runner_environment": "github-hosted"} if builder == HOSTED else {}
    workflow = {"issuer": GITHUB_ISSUER, "san": "https://github.com/*/*/.github/workflows/*@refs/*/*"}
    identities: dict[str, Any] = {f"registry-{number}": {"key": key} for number, key in enumerate(keys)}
    registry = {"predicate": NPM_PUBLISH_V01, "signed_by": {"any_of": list(identities)}, "where": said(params)}
    identities["workflow"] = {**workflow, "claims": {**claims, **hosted}}
    # Provenance v0.2 names the runner, and leaves it to the certificate to say whose it is.
    written = ((PROVENANCE_V1, builder), (PROVENANCE_V02, RUNNER if builder == HOSTED else builder))
    alternatives = []
    for predicate, named in written:
        expect = {"source": source, **({"builder": named} if named is not None else {})}
        built = {
            "predicate": predicate,
            "signed_by": {"any_of": ["workflow"]},
            "expect": expect,
            "where": about(params),
        }
        alternatives.append({"require": [built, registry]})
    plain: dict[str, Any] = {
        "version": 1,
        "declared": "allow",
        "identities": identities,
        "nodes": {"file": one_of(alternatives), **trimmed(ROLES)},
    }
    return Policy(**plain)


def said(params: Mapping[str, Any]) -> str:
    """What the registry must say of the package."""
    told = {"name": params.get("package_name"), "version": params.get("package_version")}
    asked = [f"predicate.{name} == {json.dumps(value)}" for name, value in told.items() if value is not None]
    return " && ".join([*asked, "size(subject) == 1"])


def about(params: Mapping[str, Any]) -> str:
    """What package the provenance must be about."""
    name = urllib.parse.quote(params.get("package_name", ""), safe="/")
    asked = ["size(subject) == 1", 'subject[0].name.startsWith("pkg:npm/")']
    if "package_name" in params:
        asked.append(f'subject[0].name.startsWith("pkg:npm/{name}@")')
    if "package_version" in params:
        asked.append(f'subject[0].name.endsWith("@{params["package_version"]}")')
    return " && ".join(asked)


def answer(case: Case, shared: Path, *, embedded: Embedded = "ignore", by_certificate: bool = True) -> Report:
    """What we say to a case, of the tarball itself."""
    believed = trust(shared, embedded)
    asked = policy(case.params, tuple(key.name for key in believed.keys), by_certificate=by_certificate)
    package = Manifest.declared("file", {"sha512": case.params["artifact_sha512"]})
    return assess(package, shared / case.files["attestations"], policy=asked, trust=believed)


@pytest.mark.parametrize("case", NPM)
def test_a_package_gets_its_answer(case: Case, shared_data: Path) -> None:
    if "builder_id" not in case.params:
        # slsa-verifier wants it as well: here such a policy is refused when it is built.
        assert case.raw["stage"] == "builder"
        with pytest.raises(PolicyRefused) as refused:
            answer(case, shared_data)
        assert refused.value.where == "Policy: nodes.file.any_of[0].require[0].expect"
        return
    report = answer(case, shared_data)
    if case.expect == "accept":
        assert report.accepted, report.to_text()
        return
    assert not report.accepted
    if case.raw["stage"] == "signature":
        (proved,) = report.refused
        changed = "[1].bundle" if "invalidsigprov" in case.files["attestations"] else "[0].bundle"
        assert proved.origin.endswith(changed)
        assert proved.error.code in ("verification.signature", "verification.key-untrusted")
        return
    alone = answer(case, shared_data, by_certificate=False)
    assert alone.cause is not None
    code, rule = REASONS[case.raw["stage"]]
    assert (alone.cause.code, alone.cause.rule.endswith(rule)) == (code, True), alone.cause


def test_provenance_that_brings_a_root_along_is_refused_unless_the_trust_says_otherwise(shared_data: Path) -> None:
    answers: Counter[bool] = Counter()
    for case in (p.values[0] for p in NPM if p.values[0].expect == "accept"):
        report = answer(case, shared_data, embedded="refuse")
        embedded = b"x509CertificateChain" in (shared_data / case.files["attestations"]).read_bytes()
        answers[report.accepted] += 1
        if not report.accepted:
            assert embedded
            (refused,) = report.refused
            assert refused.error.code == "malformed.field"
            assert refused.error.where == "$.verificationMaterial.x509CertificateChain"
    assert answers == {True: 3, False: 8}


@pytest.mark.usefixtures("shared_data")
def test_no_case_is_left_out() -> None:
    found = [p.values[0] for p in NPM]
    assert Counter(case.expect for case in found) == {"accept": 11, "reject": 22}
    assert {case.raw["stage"] for case in found} == {None, "signature", *REASONS}
    assert sum("builder_id" not in case.params for case in found) == 3
