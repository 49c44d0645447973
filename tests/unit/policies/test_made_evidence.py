"""Do ready policies for GitHub, npm and PyPI accept only what their words say? With certificates made on the spot."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from glasswing_attest import Attestation, KeySigner, Policy, Report, Trust, assess, attest
from glasswing_attest._wire import JsonValue
from glasswing_attest.artifact.file import Blob
from glasswing_attest.policies import github_release, npm_package, pypi_package
from glasswing_attest.policies.parts import GITHUB_RUNNER
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.predicates.publish import NpmPublish, PypiPublish
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.trust.root import TrustedKey
from tests.shared import Case, cases

FILE = Blob(b"a wheel", name="train.whl")
BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1"
NPM_BUILD_TYPE = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"
DELEGATOR = "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0"
GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_nodejs_slsa3.yml"
ODD_BRANCH = "https://github.com/acme/train/.github/workflows/release.yml@refs/heads/a@refs/tags/v1"


@cache
def sigstore() -> VirtualSigstore:
    """One for a test process."""
    return VirtualSigstore("public-good")


def holder(repository: str = "acme/train", *, san: str = "", ref: str = "refs/tags/v1.2", **told: str) -> Holder:
    """A run of a workflow: honest, but for what is told."""
    ids = {"repository_id": "4711", "owner_id": "42", "workflow": "release.yml", **told}
    found = Holder.github(repository, ref=ref, **ids)
    return replace(found, san=san) if san else found


def released(who: Holder, ref: str = "refs/tags/v1.2", **changes: Any) -> Attestation:
    """A release as actions/attest-build-provenance attests it, but for what is changed."""
    workflow: dict[str, JsonValue] = {
        "repository": "https://github.com/acme/train",
        "ref": ref,
        "path": ".github/workflows/release.yml",
    }
    honest = Provenance(build_type=BUILD_TYPE, builder_id=who.san, external_parameters={"workflow": workflow})
    return attest(FILE, replace(honest, **changes), signer=sigstore().signer(who))


def answer(evidence: Attestation, policy: Policy) -> str:
    report = assess(FILE, evidence, policy=policy, trust=sigstore().trust())
    return "" if report.cause is None else f"{report.cause.code} {report.cause.rule}"


SIGNED_BY = "policy.signed-by nodes.file.signed_by"
EXPECT = "policy.expect nodes.file.expect"
WORDS: Mapping[str, Any] = {"repository": "acme/train", "repository_id": 4711, "owner_id": 42}
OTHERS = "https://github.com/other/builders/.github/workflows/build.yml@refs/tags/v1"
Make = Callable[[], Attestation]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: released(holder()), ""),
        # Somebody else, by name or by number.
        (lambda: released(holder("acme/other")), SIGNED_BY),
        (lambda: released(holder("acme2/train")), SIGNED_BY),
        (lambda: released(holder(repository_id="4712")), SIGNED_BY),
        (lambda: released(holder(owner_id="43")), SIGNED_BY),
        # Another workflow, another place.
        (lambda: released(holder(san=OTHERS)), SIGNED_BY),
        (lambda: released(holder(runner="self-hosted")), SIGNED_BY),
        (lambda: released(holder(issuer="https://token.actions.githubusercontent.com/acme")), SIGNED_BY),
        # Another ref: in the certificate, in the name, in the provenance.
        (lambda: released(holder(ref="refs/heads/main", trigger="workflow_dispatch")), SIGNED_BY),
        (lambda: released(holder(ref="refs/pull/7/merge", trigger="pull_request")), SIGNED_BY),
        (lambda: released(holder(ref="refs/tags/v1/x")), SIGNED_BY),
        (lambda: released(holder(ref="refs/heads/refs/tags/v1")), SIGNED_BY),
        (lambda: released(holder(san=ODD_BRANCH)), SIGNED_BY),
        (lambda: released(holder(), ref="refs/heads/main"), f"{EXPECT}.ref"),
        # The provenance says something else than GitHub's action does.
        (lambda: released(holder(), builder_id=OTHERS), f"{EXPECT}.builder"),
        (lambda: released(holder(), build_type="https://example.com/build/v1"), f"{EXPECT}.source"),
        (
            lambda: released(
                holder(),
                external_parameters={
                    "workflow": {
                        "repository": "https://github.com/acme/train",
                        "ref": "refs/tags/v1",
                        "path": ".github/workflows/release.yml",
                    },
                    "inputs": {"debug": "yes"},
                },
            ),
            f"{EXPECT}.parameters.inputs.debug",
        ),
    ],
)
def test_a_release_is_what_the_words_say(make: Make, told: str) -> None:
    assert answer(make(), github_release(**WORDS)) == told


def test_what_strangers_cause_on_a_branch_is_told_by_its_trigger() -> None:
    main = "refs/heads/main"
    pushed = released(holder(ref=main, trigger="push"), ref=main)
    caused = released(holder(ref=main, trigger="pull_request_target"), ref=main)
    anything, push = github_release(**WORDS, ref=main), github_release(**WORDS, ref=main, trigger="push")
    assert [answer(each, anything) for each in (pushed, caused)] == ["", ""]
    assert [answer(each, push) for each in (pushed, caused)] == ["", SIGNED_BY]


def test_the_generator_is_believed_for_this_repository_alone() -> None:
    def built(repository: str = "acme/train", **changes: Any) -> Attestation:
        said: dict[str, Any] = {
            "builder_id": f"{GENERATOR}@refs/tags/v2.0.0",
            "build_type": DELEGATOR,
            "external_parameters": {"inputs": {"node-version": "20"}},
            "internal_parameters": {"GITHUB_REPOSITORY": "acme/train", "GITHUB_REF": "refs/tags/v1.2"},
        }
        return released(holder(repository, san=f"{GENERATOR}@refs/tags/v2.0.0"), **{**said, **changes})

    policy = github_release(**WORDS, level=3)
    assert answer(built(), policy) == ""
    assert answer(built("acme/other"), policy) == SIGNED_BY
    other = {"GITHUB_REPOSITORY": "acme/other", "GITHUB_REF": "refs/tags/v1.2"}
    assert answer(built(internal_parameters=other), policy) == f"{EXPECT}.source"
    assert answer(built(builder_id=OTHERS), policy) == f"{EXPECT}.builder"


# --- npm -------------------------------------------------------------------------------------------------------------


@cache
def registry() -> KeySigner:
    return KeySigner.generate()


def package(policy: Policy, who: Holder, name: str = "@acme/left", **changes: Any) -> str:
    """What comes of a package that the registry published, and the publisher built."""
    workflow: dict[str, JsonValue] = {
        "repository": "https://github.com/acme/train",
        "ref": "refs/tags/v1.2",
        "path": "x",
    }
    honest = Provenance(build_type=NPM_BUILD_TYPE, builder_id=GITHUB_RUNNER, external_parameters={"workflow": workflow})
    published = NpmPublish(name=name, version="1.0.0", registry="https://registry.example")
    evidence = [
        attest(FILE, published, signer=registry()),
        attest(FILE, replace(honest, **changes), signer=sigstore().signer(who)),
    ]
    # What is asked here is not whether somebody witnessed the registry's times.
    plain = {**json.loads(policy.to_json()), "times": "claimed"}
    relaxed = Policy.parse(json.dumps(plain).encode(), suffix=".json")
    trust: Trust = sigstore().trust(keys=[TrustedKey(name="npm", key=registry().public_key)])
    report: Report = assess(FILE, evidence, policy=relaxed, trust=trust)
    return "" if report.cause is None else f"{report.cause.code} {report.cause.rule}"


def test_a_package_is_what_the_words_say() -> None:
    words: dict[str, Any] = {"repository": "acme/train", "workflow": "release.yml"}
    some, one = npm_package(**words), npm_package(**words, package="@acme/left", trigger="push")
    assert package(some, holder()) == package(one, holder()) == ""
    # Another package of the same repository, with provenance as good.
    assert package(some, holder(), name="@acme/right") == ""
    assert package(one, holder(), name="@acme/right") == "policy.where nodes.file.where"
    assert package(one, holder(trigger="pull_request_target")) == SIGNED_BY
    assert package(some, holder(runner="self-hosted")) == SIGNED_BY
    assert package(some, holder("acme/other")) == SIGNED_BY
    assert package(some, holder(san=OTHERS)) == SIGNED_BY
    assert package(some, holder(), builder_id="https://github.com/actions/runner/self-hosted") == f"{EXPECT}.builder"
    # What the action for releases writes is no package's provenance.
    assert package(some, holder(), build_type=BUILD_TYPE) == f"{EXPECT}.build_type"


# --- PyPI ------------------------------------------------------------------------------------------------------------


def uploaded(name: str, project: str = "acme", who: Holder | None = None, **words: Any) -> str:
    policy = pypi_package(repository="acme/train", workflow="release.yml", project=project, **words)
    return answer(attest(Blob(b"a wheel", name=name), PypiPublish(), signer=sigstore().signer(who or holder())), policy)


@pytest.mark.parametrize(
    "name",
    ["acme-1.0.tar.gz", "acme-1.0.zip", "acme-1.0-py3-none-any.whl", "acme-1!2.0.dev1+x-1build-cp311-abi3-any.whl"],
)
def test_a_file_of_the_project_is_accepted(name: str) -> None:
    assert uploaded(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "acme_extra-1.0.tar.gz",
        "acme_extra-1.0-py3-none-any.whl",
        "acme-extra-1.0.tar.gz",  # as it was named before PEP 625
        "acme-3d-1.0.tar.gz",
        "acme-3-1.0.zip",
        "acmetwo-1.0.tar.gz",
        "Acme-1.0.tar.gz",
        "acme-",
        "acme-1.0",
        "acme-1.0.tar.gz.exe",
        "x/acme-1.0.tar.gz",
    ],
)
def test_a_file_of_another_project_is_refused(name: str) -> None:
    assert uploaded(name) == "policy.where nodes.file.where"


def test_a_file_by_another_event_is_refused_where_one_is_named() -> None:
    caused = holder(trigger="pull_request_target")
    assert uploaded("acme-1.0.tar.gz", who=caused) == ""
    assert uploaded("acme-1.0.tar.gz", who=caused, trigger="release") == SIGNED_BY
    assert uploaded("acme-1.0.tar.gz", who=holder(trigger="release"), trigger="release") == ""


NORMALIZED = [p for p in cases("dist-filename") if p.values[0] is None or p.values[0].expect == "accept"]


@pytest.mark.parametrize("case", NORMALIZED)
def test_what_others_read_as_a_file_of_the_project_is_one(case: Case) -> None:
    """Under the name that is normalised: so files are called since there are attestations of them."""
    name = case.params["normalized"]
    assert uploaded(name, name.partition("-")[0].replace("_", "-")) == ""
