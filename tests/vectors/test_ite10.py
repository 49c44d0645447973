"""Do layouts over statements (ITE-10) get their stated answers, said in our policies?

Such a layout names steps, and for each the predicates that somebody must have signed, with CEL rules about them; its
artifact rules say which step's products another step took. A step is a requirement here, its rules are `where` and
`expect`, its functionary is `signed_by`, and what it takes from another step is an edge that the policy asks for. ::

    clone  ->  foo  ->  build  ->  bin/foo          foo: nodes.dependency, by its link and its test result
               foo  ->  test                        bin/foo: nodes.file, by its provenance

The format is a draft, and its rules are not what CEL gives here (an absent field, a warning that refuses nothing), so
these two are translated by hand and not by a program.
"""

import base64
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from glasswing_attest import Manifest, Policy, Report, Trust, assess
from glasswing_attest.attestation import Attestation
from glasswing_attest.keys import PublicKey
from glasswing_attest.policies.parts import trimmed
from glasswing_attest.statement.predicates.link import LINK_V03
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.publish import NPM_PUBLISH_V01
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1
from glasswing_attest.statement.predicates.test_result import TEST_RESULT_V01
from glasswing_attest.verification.signature import check_by
from tests.chains import bare, seal, signer
from tests.shared import Case, cases

ITE10 = cases("ite10-layout")
FOLDER = "in-toto-attestation-verifier"
GO_BUILDER = (
    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml@refs/tags/v1.7.0"
)
GITHUB_WORKFLOW = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"
BIN_FOO = {"sha256": "58eaf5a78d580f5dbd49d31a5b733094169b31bfdf49055b74bcac2877d8f58c"}
SIGSTORE_JS = {
    "sha512": "16bf7e5b59e40522190a425047b8c39ffcc8d145cdb15a69fbb9834240a764e2"
    "311bda7ac8d5c1c7dc67b47b1f532607139e570e4915577fab61bae4cc079eb0"
}


def requirement(predicate: str, where: list[str], **expect: str) -> dict[str, Any]:
    """One predicate of one step."""
    asked: dict[str, Any] = {"predicate": predicate, "signed_by": {"any_of": ["functionary"]}}
    return {**asked, **({"where": " && ".join(where)} if where else {}), **({"expect": expect} if expect else {})}


# layouts/layout.yml. That a build takes foo and nothing else is its inputs; that the clone makes it, its link.
DEFAULT = {
    "file": {
        "require": [
            {
                **requirement(
                    PROVENANCE_V1,
                    ['subject.all(s, s.name == "bin/foo")', "size(subject) == 1"],
                    build_type=GITHUB_WORKFLOW,
                    builder=GO_BUILDER,
                ),
                "inputs": {"dependency": {"exactly": 1}},
            }
        ]
    },
    "dependency": {
        "require": [
            # The command is told and refuses nothing: the layout says warn.
            requirement(LINK_V03, ['predicate.name == "clone"', 'subject.all(s, s.name == "foo")']),
            requirement(
                TEST_RESULT_V01,
                ["size(predicate.failedTests) == 0", 'predicate.result == "PASSED"', "size(subject) != 0"],
            ),
        ]
    },
}


def npm(parameters: Mapping[str, str]) -> dict[str, Any]:
    """layouts/layout-npm.yml, with its parameters, some of which are made of others."""

    def said(name: str) -> str:
        value = parameters[name]
        for other in parameters:
            value = value.replace(f"{{{other}}}", parameters[other])
        return value

    environment = {
        f"GITHUB_{name}": said(f"github_{name.lower()}")
        for name in ("REF", "REPOSITORY", "REPOSITORY_ID", "REPOSITORY_OWNER_ID", "WORKFLOW_REF")
    }
    package = f"pkg:npm/{said('package_name')}@{said('package_version')}"
    built = [
        f'predicate.invocation.configSource.uri == "{said("config_source")}"',
        f'predicate.invocation.configSource.entryPoint == "{said("entry_point")}"',
        *(f'predicate.invocation.environment.{name} == "{value}"' for name, value in environment.items()),
        f'predicate.materials.all(m, m.uri == "{said("config_source")}")',
        f'subject.all(s, s.name == "{package}")',
    ]
    published = [
        f'predicate.name == "{said("package_name")}"',
        f'predicate.version == "{said("package_version")}"',
        'predicate.registry == "https://registry.npmjs.org"',
    ]
    build = requirement(
        PROVENANCE_V02,
        built,
        build_type="https://github.com/npm/cli/gha/v2",
        builder="https://github.com/actions/runner",
    )
    # Both are about the same package: what one step made, the other took.
    return {"file": {"require": [build, requirement(NPM_PUBLISH_V01, published)]}}


def answer(
    case: Case, shared: Path, trust: Trust, evidence: list[bytes], change: Mapping[str, Any] | None = None
) -> Report:
    """What we say of what the layout's last step made."""
    is_npm = "npm" in case.files["layout"]
    rules = npm(json.loads((shared / case.files["parameters"]).read_bytes())) if is_npm else DEFAULT
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "declared": "allow",
        "expires": yaml.safe_load((shared / case.files["layout"]).read_text())["expires"],
        "identities": {"functionary": {"key": "functionary"}},
        "nodes": {**trimmed(ROLES), **rules, **(change or {})},
    }
    thing = Manifest.declared("file", SIGSTORE_JS if is_npm else BIN_FOO)
    return assess(thing, evidence, policy=Policy(**plain), trust=trust)


def functionary(case: Case, shared: Path) -> Trust:
    """Whom the layout names."""
    layout = yaml.safe_load((shared / case.files["layout"]).read_text())
    (key,) = layout["functionaries"].values()
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["keyVal"]["public"]))
    return Trust.of(functionary=PublicKey.of(public))


def cause(report: Report) -> tuple[str, str]:
    """Why not, and what of the policy says so."""
    assert report.cause is not None
    return report.cause.code, report.cause.rule


def read(case: Case, shared: Path) -> dict[str, bytes]:
    """The attestations of a case, by the step that they are of."""
    return {
        Path(name).name.removeprefix("default.").removeprefix("npm.").partition(".")[0]: (shared / name).read_bytes()
        for name in case.files["attestations"]
    }


# --- as they stand ---------------------------------------------------------------------------------------------------


# Contested: the clone says `type` where in-toto says `_type`, and the test names a file by a sha256 of six digits.
# Neither is read here, whoever signed it, and so nothing says where foo comes from.
UNREAD = {"clone": "malformed.field-missing", "test": "malformed.digest"}


@pytest.mark.parametrize("case", ITE10)
def test_a_layout_gets_its_answer(case: Case, shared_data: Path) -> None:
    evidence = read(case, shared_data)
    report = answer(case, shared_data, functionary(case, shared_data), list(evidence.values()))
    assert not report.accepted
    refused = Counter(refused.error.code for refused in report.refused)
    unread = Counter(code for step, code in UNREAD.items() if step in evidence)
    if case.raw.get("stage") == "signature":
        changed = case.case.partition(".tampered-")[2]
        unread[UNREAD.get(changed, "")] -= 1
        unread["verification.key-untrusted"] += 1
    assert refused == +unread
    if case.expect == "accept" or case.case == "default.missing-clone":
        assert cause(report) in {(code, "nodes.dependency") for code in ("chain.no-attestation", *UNREAD.values())}
    if case.case.endswith("missing-build"):
        assert cause(report) == ("chain.no-attestation", "nodes.file")


# --- with a clone and a test that are statements ----------------------------------------------------------------------


def standing_in(case: Case, shared: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The good attestations and the case's own, as a stand-in signs them where their functionary did.

    What is not read is mended. What its functionary did not sign, the stand-in does not sign either.
    """
    key = functionary(case, shared).keys[0].key
    folder = shared / FOLDER / ("test-data-npm" if "npm" in case.files["layout"] else "test-data")
    good = {path.name.partition(".")[0]: path.read_bytes() for path in sorted(folder.iterdir())}
    made: dict[str, bytes] = {}
    for step, data in good.items():
        attestation = Attestation.parse(data)
        check_by(attestation, key)
        statement = json.loads(attestation.envelope.payload)
        statement["_type"] = statement.get("_type") or statement.pop("type")
        for configuration in statement["predicate"].get("configuration", ()):
            configuration["digest"]["sha256"] = configuration["digest"]["sha256"].zfill(64)
        made[step] = bare(seal(json.dumps(statement).encode(), signer("functionary")))
    theirs: dict[str, bytes] = {}
    for step, data in read(case, shared).items():
        document = json.loads(made[step])
        if data != good[step]:
            document["payload"] = base64.b64encode(base64.b64decode(document["payload"]) + b" ").decode()
        theirs[step] = json.dumps(document).encode()
    return made, theirs


@pytest.mark.parametrize("case", ITE10)
def test_with_statements_alone_it_gets_the_stated_answer(case: Case, shared_data: Path) -> None:
    trust = Trust.of(functionary=signer("functionary").public_key)
    good, theirs = standing_in(case, shared_data)
    assert answer(case, shared_data, trust, list(good.values())).accepted
    if "npm" in case.files["layout"]:
        # These two are statements as they stand, and their functionary signed them.
        folder = shared_data / FOLDER / "test-data-npm"
        signed = [path.read_bytes() for path in folder.iterdir()]
        assert answer(case, shared_data, functionary(case, shared_data), signed).accepted
    report = answer(case, shared_data, trust, list(theirs.values()))
    assert report.accepted == (case.expect == "accept"), report.to_text()
    if report.accepted:
        return
    step = case.case.partition("-")[2]
    place = {"build": "nodes.file", "publish": "nodes.file", "clone": "nodes.dependency"}[step]
    if case.raw["stage"] == "claim-missing":
        assert cause(report) == ("chain.no-attestation", place)
        assert not report.refused
    else:
        assert cause(report) == ("verification.key-untrusted", place)
        assert {refused.error.code for refused in report.refused} == {"verification.key-untrusted"}


def test_each_rule_of_a_layout_refuses_by_itself(shared_data: Path) -> None:
    trust = Trust.of(functionary=signer("functionary").public_key)
    (case,) = [p.values[0] for p in ITE10 if p.values[0].case == "default"]
    good, _ = standing_in(case, shared_data)
    for predicate, where in (
        (LINK_V03, 'predicate.command == ["git", "clone", "https://example.com/bar.git"]'),
        (TEST_RESULT_V01, "size(predicate.failedTests) == 1"),
    ):
        change = {"dependency": {"require": [requirement(predicate, [where])]}}
        report = answer(case, shared_data, trust, list(good.values()), change)
        assert cause(report) == ("policy.where", "nodes.dependency.where")
    for name in ("build_type", "builder"):
        expect = {"build_type": GITHUB_WORKFLOW, "builder": GO_BUILDER, name: "https://example.com/other"}
        change = {"file": {"require": [requirement(PROVENANCE_V1, [], **expect)]}}
        report = answer(case, shared_data, trust, list(good.values()), change)
        assert cause(report) == ("policy.expect", f"nodes.file.expect.{name}")


@pytest.mark.usefixtures("shared_data")
def test_no_case_is_left_out() -> None:
    assert Counter((p.values[0].expect, p.values[0].raw.get("stage")) for p in ITE10) == {
        ("accept", None): 1,
        ("reject", "claim-missing"): 3,
        ("reject", "signature"): 3,
    }
