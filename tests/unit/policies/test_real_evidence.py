"""Do the ready policies accept what others really published, and refuse it as soon as one thing is not as asked?

The evidence was made by GitHub, npm and PyPI, and by others' implementations of OpenSSF Model Signing. Each deviation
is one changed word of the policy, or one other digest, and its cause is named.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Manifest, Model, Policy, Report, Trust, assess
from glasswing_attest._wire import parse_time
from glasswing_attest.keys import PublicKey
from glasswing_attest.policies import github_release, npm_package, oms_model, pypi_package, slsa_build
from glasswing_attest.policies.parts import GITHUB_RUNNER
from glasswing_attest.policy.policy import GitHub, Identity
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import GITHUB, PUBLIC_GOOD, Root
from tests.bundles import PRODUCTION
from tests.shared import Case, cases

SLSA_VERIFIER = "slsa-verifier/cli/slsa-verifier/testdata"
GH_CLI = "gh-cli/pkg/cmd/attestation/test/data"
ISSUER = "https://token.actions.githubusercontent.com"
OTHER = "0" * 64

Facts = tuple[str, str]  # the code of the cause, and its rule


def public_good(shared: Path, **changes: Any) -> Root:
    """Sigstore's public instance."""
    return Root.parse((shared / PRODUCTION).read_bytes(), name="public-good", profile=replace(PUBLIC_GOOD, **changes))


def asked(digests: Mapping[str, str], evidence: Path, policy: Policy, trust: Trust) -> Report:
    """What comes of it, as if the bytes had been read here: others keep the digests of what is large."""
    relaxed = policy.model_copy(update={"declared": "allow"})
    return assess(Manifest.declared("file", digests), evidence, policy=relaxed, trust=trust)


def cause(report: Report) -> Facts:
    """Why not."""
    assert not report.accepted
    assert report.cause is not None
    return report.cause.code, report.cause.rule


def accepts(parameters: list[Any]) -> list[Any]:
    """Those of the cases that must be accepted, or the one that skips."""
    return [p for p in parameters if p.values[0] is None or p.values[0].expect == "accept"]


# --- GitHub releases -------------------------------------------------------------------------------------------------


class Published:
    """One thing that somebody published, and the words of a policy that fit it."""

    def __init__(self, evidence: str, sha256: str, **words: Any) -> None:
        self.evidence, self.sha256, self.words = evidence, sha256, words


GO = Published(
    f"{SLSA_VERIFIER}/gha_go/v2.1.0/binary-linux-amd64-workflow_dispatch.intoto.jsonl",
    "f6ab7ad0c7549b5a4942c3b0690519d791c28c4c0f8b286208cb40da3322a066",
    repository="slsa-framework/example-package",
    repository_id=486325809,
    owner_id=80431187,
    ref="refs/heads/main",
    level=3,
)
REUSABLE = Published(
    f"{SLSA_VERIFIER}/bcr/MODULE.bazel.intoto.jsonl",
    "06ce330900a7d6403bc8d88e5dfad6aeeb8ae40179f66bb89e69c8bf6f6b1a0b",
    repository="aspect-build/rules_lint",
    repository_id=631710741,
    owner_id=60951090,
    ref="refs/heads/publish-to-bcr",
    reusable="bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml@refs/tags/v*",
    level=3,
)
OLDER_BUILDER_ID = Published(
    f"{GH_CLI}/reusable-workflow-attestation.sigstore.json",
    "49a3aa6075e0f49f82843e74b5baa614ad2a588e6675612bf108a0a008c5ac25",
    repository="malancas/attest-demo",
    repository_id=804070735,
    owner_id=16248153,
    ref="refs/heads/main",
    reusable="github/artifact-attestations-workflows/.github/workflows/attest.yml@*",
    level=3,
)
RELEASES = {"go": GO, "reusable": REUSABLE, "older-builder-id": OLDER_BUILDER_ID}


@pytest.mark.shared
@pytest.mark.parametrize("name", RELEASES)
def test_a_release_on_github_is_accepted(name: str, shared_data: Path) -> None:
    published = RELEASES[name]
    trust = Trust(roots=(public_good(shared_data),))
    policy = github_release(**published.words)
    report = asked({"sha256": published.sha256}, shared_data / published.evidence, policy, trust)
    assert report.accepted, report.to_text()
    assert report.depth == "builder"


DEVIATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "repository": ({"repository": "slsa-framework/other-package"}, "signed_by"),
    "repository-id": ({"repository_id": 486325808}, "signed_by"),
    "owner-id": ({"owner_id": 80431186}, "signed_by"),
    "ref": ({"ref": "refs/tags/v*"}, "signed_by"),
    "branch": ({"ref": "refs/heads/mai"}, "signed_by"),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", RELEASES)
@pytest.mark.parametrize("deviation", DEVIATIONS)
def test_a_release_is_refused_for_each_single_deviation(name: str, deviation: str, shared_data: Path) -> None:
    published, (changed, rule) = RELEASES[name], DEVIATIONS[deviation]
    trust = Trust(roots=(public_good(shared_data),))
    policy = github_release(**{**published.words, **changed})
    report = asked({"sha256": published.sha256}, shared_data / published.evidence, policy, trust)
    assert cause(report) == ("policy.signed-by", f"nodes.file.{rule}")


@pytest.mark.shared
@pytest.mark.parametrize("name", RELEASES)
def test_a_release_of_other_bytes_is_refused(name: str, shared_data: Path) -> None:
    published = RELEASES[name]
    trust = Trust(roots=(public_good(shared_data),))
    report = asked({"sha256": OTHER}, shared_data / published.evidence, github_release(**published.words), trust)
    assert cause(report) == ("chain.no-attestation", "nodes.file")


@pytest.mark.shared
def test_a_reusable_workflow_counts_only_where_it_is_named(shared_data: Path) -> None:
    trust = Trust(roots=(public_good(shared_data),))
    for reusable in (
        None,
        "bazel-contrib/publish-to-bcr/.github/workflows/other.yaml@refs/tags/v*",
        "bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml@refs/heads/*",
    ):
        words: dict[str, Any] = {**REUSABLE.words, "reusable": reusable, "level": 2}
        policy = github_release(**words)
        report = asked({"sha256": REUSABLE.sha256}, shared_data / REUSABLE.evidence, policy, trust)
        assert cause(report) == ("policy.signed-by", "nodes.file.signed_by")


def ours(shared: Path) -> tuple[Trust, Path]:
    """GitHub's own instance, and a wheel that a workflow attested with it."""
    document = (shared / "sigstore-java/derived/github.trusted_root.json").read_bytes()
    trust = Trust(roots=(Root.parse(document, name="github", profile=GITHUB),))
    return trust, shared / f"{GH_CLI}/github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl"


DEMO: Mapping[str, Any] = {
    "repository": "actions/attest-demo",
    "repository_id": 763287532,
    "owner_id": 44036562,
    "ref": "refs/heads/main",
    "workflow": "build-python.yml",
}
DEMO_SHA256 = "ae57936def59bc4c75edd3a837d89bcefc6d3a5e31d55a6fa7a71624f92c3c3b"


@pytest.mark.shared
def test_what_a_repositorys_own_workflow_attested_is_accepted_at_level_2_and_no_higher(shared_data: Path) -> None:
    trust, evidence = ours(shared_data)
    assert asked({"sha256": DEMO_SHA256}, evidence, github_release(**DEMO), trust).accepted
    third = asked({"sha256": DEMO_SHA256}, evidence, github_release(**DEMO, level=3), trust)
    assert cause(third) == ("policy.signed-by", "nodes.file.signed_by")
    words: dict[str, Any] = {**DEMO, "workflow": "test.yml"}
    other = asked({"sha256": DEMO_SHA256}, evidence, github_release(**words), trust)
    assert cause(other) == ("policy.signed-by", "nodes.file.signed_by")


@pytest.mark.shared
def test_what_the_provenance_says_counts_beside_who_signed(shared_data: Path) -> None:
    """The signer is right each time; the builder, the repository, the ref and the parameters are not."""
    trust, evidence = ours(shared_data)

    def changed(change: Callable[[dict[str, Any]], object]) -> Facts:
        plain = json.loads(github_release(**DEMO).to_json())
        (older,) = (
            a for a in plain["nodes"]["file"]["any_of"] if a["require"][0]["expect"]["builder"] == GITHUB_RUNNER
        )
        change(older["require"][0]["expect"])
        plain["nodes"]["file"] = older
        policy = Policy.parse(json.dumps(plain).encode(), suffix=".json")
        report = asked({"sha256": DEMO_SHA256}, evidence, policy, trust)
        return ("", "") if report.accepted else cause(report)

    def expect(name: str) -> Facts:
        return "policy.expect", f"nodes.file.expect.{name}"

    assert changed(lambda e: e.update(level=1)) == ("", "")
    assert changed(lambda e: e.update(level=3)) == expect("level")
    assert changed(lambda e: e.update(builder="https://ci.example/*")) == expect("builder")
    assert changed(lambda e: e.update(source="https://github.com/actions/other")) == expect("source")
    assert changed(lambda e: e.update(ref="refs/tags/v*")) == expect("ref")
    other = {"workflow.path": ".github/workflows/x.yml"}
    assert changed(lambda e: e["parameters"]["equal"].update(other)) == expect("parameters.workflow.path")
    assert changed(lambda e: e["parameters"].pop("allow")) == expect("parameters.workflow.ref")


# What the generator wrote in another way than a bundle holds no proof that it was logged.
_UNLOGGED = "a bare envelope, without certificate and log entry"
_OTHERS = "the builder is one of somebody else's, whom the ready policy does not know"
_ODD = "a predicate that is not as its specification says"
NOT_HERE = {
    "gha_generic": (_UNLOGGED, "chain.no-attestation"),
    "top": (_UNLOGGED, "chain.no-attestation"),
    "gha_delegator": (_OTHERS, "policy.expect"),
    "v1.7.0": (_ODD, "malformed.field"),
}


@pytest.mark.parametrize(
    "case", [p for p in cases("slsa-gha") if p.values[0] is None or p.values[0].expect == "accept"]
)
def test_what_the_generator_built_is_a_release(case: Case, shared_data: Path) -> None:
    params = case.params
    policy = github_release(repository=params["source_uri"].removeprefix("github.com/"), ref="refs/*/*", level=3)
    trust = Trust(roots=(public_good(shared_data),))
    evidence = shared_data / case.files["provenance"]
    report = asked({"sha256": params["artifact_sha256"][0]}, evidence, policy, trust)
    family = case.case.split("/")[1]
    if family in NOT_HERE:
        assert cause(report)[0] == NOT_HERE[family][1]
    else:
        assert report.accepted, report.to_text()


@pytest.mark.shared
def test_named_builders_have_the_level_that_the_policy_gives_them(shared_data: Path) -> None:
    trust = Trust(roots=(public_good(shared_data),))
    builder = (
        "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml@refs/tags/*"
    )
    signer = Identity(issuer=ISSUER, san=builder)
    digest = {"sha256": GO.sha256}
    source = "https://github.com/slsa-framework/example-package"
    policy = slsa_build(builders={builder: signer}, level=3, source=source, ref="refs/heads/main")
    assert asked(digest, shared_data / GO.evidence, policy, trust).accepted
    for words, facts in (
        ({"builders": {builder.replace("builder_go", "builder_node"): signer}}, ("policy.expect", "builder")),
        ({"builders": {builder: Identity(issuer=ISSUER, san=f"{builder}x")}}, ("policy.signed-by", "")),
        ({"source": "https://github.com/slsa-framework/other"}, ("policy.expect", "source")),
        ({"ref": "refs/tags/v*"}, ("policy.expect", "ref")),
    ):
        told: dict[str, Any] = {
            "builders": {builder: signer},
            "level": 3,
            "source": source,
            "ref": "refs/heads/main",
            **words,
        }
        code, rule = facts
        wanted = f"nodes.file.expect.{rule}" if rule else "nodes.file.signed_by"
        assert cause(asked(digest, shared_data / GO.evidence, slsa_build(**told), trust)) == (code, wanted)


# --- npm -------------------------------------------------------------------------------------------------------------


def of_npm(shared: Path) -> Trust:
    """The registry's keys, each with its window and a log for a witness; old bundles bring a root along."""
    listed = json.loads((shared / "_trust/npm.keys.json").read_bytes())["keys"]
    keys: list[TrustedKey] = []
    for key in (key for key in listed if key["keyUsage"] == "npm:attestations"):
        window = key["publicKey"]["validFor"]
        keys.append(
            TrustedKey(
                name=f"npm-{len(keys) + 1}",
                key=PublicKey.from_pem(base64.b64decode(key["publicKey"]["rawBytes"])),
                valid_from=parse_time(window["start"]),
                valid_until=parse_time(window["end"]) if "end" in window else None,
                witness=Witness(root="public-good", logs=1, times=1),
            )
        )
    return Trust(keys=tuple(keys), roots=(public_good(shared, embedded_roots="ignore"),))


WORKFLOWS = {"trishankatdatadog/supreme-goggles": "npm-publish.yml"}
SIGNATURES = {"chain.no-attestation", "verification.signature", "verification.key-untrusted"}
REFUSED = {
    "source": ("policy.signed-by", "nodes.file.signed_by"),
    "package-name": ("policy.where", "nodes.file.where"),
    "package-version": ("policy.where", "nodes.file.where"),
}


def of_package(case: Case, shared: Path, **changes: Any) -> Report:
    """What comes of an npm case."""
    repository = case.params["source_uri"].removeprefix("github.com/")
    said = {"package": "package_name", "version": "package_version"}
    words: dict[str, Any] = {
        "repository": repository,
        "workflow": WORKFLOWS.get(repository, "release.yml"),
        "registry": ("npm-1", "npm-2"),
        **{name: case.params[param] for name, param in said.items() if param in case.params},
        **changes,
    }
    digest = {"sha512": case.params["artifact_sha512"]}
    return asked(digest, shared / case.files["attestations"], npm_package(**words), of_npm(shared))


@pytest.mark.parametrize("case", cases("slsa-npm"))
def test_npm_packages_get_their_answers(case: Case, shared_data: Path) -> None:
    report = of_package(case, shared_data)
    # The ready policy names npm's builders itself, so nobody can ask it for another one.
    if case.expect == "accept" or case.raw["stage"] == "builder":
        assert report.accepted, report.to_text()
    elif case.raw["stage"] == "signature":
        assert cause(report)[0] in SIGNATURES
    else:
        assert cause(report) == REFUSED[case.raw["stage"]]


@pytest.mark.parametrize(
    "case", [p for p in cases("slsa-npm") if p.values[0] is None or p.values[0].expect == "accept"]
)
def test_an_npm_package_is_refused_for_each_single_deviation(case: Case, shared_data: Path) -> None:
    signed_by = ("policy.signed-by", "nodes.file.signed_by")
    assert cause(of_package(case, shared_data, workflow="test.yml")) == signed_by
    assert cause(of_package(case, shared_data, ref="refs/heads/other")) == signed_by
    assert cause(of_package(case, shared_data, repository_id=1)) == signed_by
    assert cause(of_package(case, shared_data, registry="npm-2")) == signed_by
    other = replace(case, params={**case.params, "artifact_sha512": "0" * 128})
    assert cause(of_package(other, shared_data)) == ("chain.no-attestation", "nodes.file")


# --- PyPI ------------------------------------------------------------------------------------------------------------

ASSETS = "pypi-attestations/assets"
WHEEL: Mapping[str, Any] = {
    "repository": "trailofbits/pypi-attestations",
    "repository_id": 772247423,
    "owner_id": 2314423,
    "workflow": "release.yml",
    "ref": "refs/tags/v*",
    "project": "pypi-attestations",
}


def of_sdist(shared: Path, name: str = "pypi_attestations-0.0.19.tar.gz", **changes: Any) -> Report:
    """What comes of a file that its trusted publisher attested; the file itself is here."""
    policy = pypi_package(**{**WHEEL, **changes})
    evidence = shared / f"{ASSETS}/pypi_attestations-0.0.19.tar.gz.publish.attestation"
    manifest = Manifest.declared("file", {"sha256": _sha256(shared / ASSETS / name)})
    relaxed = policy.model_copy(update={"declared": "allow"})
    return assess(manifest, evidence, policy=relaxed, trust=Trust(roots=(public_good(shared),)))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.shared
def test_a_file_of_a_trusted_publisher_is_accepted_and_each_single_deviation_refused(shared_data: Path) -> None:
    assert of_sdist(shared_data).accepted
    signed_by = ("policy.signed-by", "nodes.file.signed_by")
    deviations: list[dict[str, Any]] = [
        {"repository": "trailofbits/other"},
        {"repository_id": 772247424},
        {"owner_id": 1},
        {"workflow": "test.yml"},
        {"ref": "refs/heads/*"},
    ]
    for changed in deviations:
        assert cause(of_sdist(shared_data, **changed)) == signed_by
    assert cause(of_sdist(shared_data, project="pypi")) == ("policy.where", "nodes.file.where")
    other = of_sdist(shared_data, "pypi_attestation_models-0.0.4a2.tar.gz")
    assert cause(other) == ("chain.no-attestation", "nodes.file")


@pytest.mark.shared
def test_a_publisher_may_be_elsewhere(shared_data: Path) -> None:
    google = Identity(issuer="https://accounts.google.com", san="919436158236-compute@developer.gserviceaccount.com")
    file = shared_data / f"{ASSETS}/gcb_attestation_test-0.0.0.tar.gz"
    evidence, trust = Path(f"{file}.provenance"), Trust(roots=(public_good(shared_data),))
    policy = pypi_package(publisher=google, project="gcb-attestation-test")
    assert asked({"sha256": _sha256(file)}, evidence, policy, trust).accepted
    policy = pypi_package(publisher=Identity(issuer=ISSUER, github=GitHub(repository="a/b")))
    assert cause(asked({"sha256": _sha256(file)}, evidence, policy, trust))[0] == "policy.signed-by"


# --- OpenSSF Model Signing -------------------------------------------------------------------------------------------

# By whole files and with a key; what stands in none of these is verified by `oms.verify_model`, which reads more.
# What proves nothing is told by its own code; the cause is that nothing of the wanted type is left.
SIGNED: dict[str, set[str] | None] = {
    "v1.0.1-elliptic-key": None,
    "v1.1.0-elliptic-key": None,
    "resigned.unchanged": None,
    "v1.1.0-elliptic-key.modified-file": set(),
    "v1.1.0-elliptic-key.extra-file": set(),
    "v1.1.0-elliptic-key.missing-file.ignore-unsigned": set(),
    "v1.1.0-elliptic-key.payloadtype-edited": {"verification.signature"},
    "v1.1.0-elliptic-key.wrong-key-curve": {"verification.key-untrusted"},
    "resigned.wrong-predicate-type": set(),
    "resigned.resource-dropped": {"malformed.field"},
}

MODELS = cases("oms", corpus="model-transparency")


@pytest.mark.parametrize("case", [p for p in MODELS if p.values[0] is None or p.values[0].case in SIGNED])
def test_models_that_others_signed_get_their_answers(case: Case, shared_data: Path) -> None:
    signature = shared_data / case.files["signature"]
    model = shared_data / case.files["model"]
    ignored = [str(Path(path).relative_to(case.files["model"])) for path in case.params["ignore_paths"]]
    key = PublicKey.from_pem((shared_data / case.files["public_key"]).read_bytes())
    inside = [signature.relative_to(model).as_posix()] if signature.is_relative_to(model) else []
    report = assess(
        Model(model, exclude=(*ignored, *inside)),
        signature.read_bytes(),
        policy=oms_model(signed_by="publisher", times="claimed"),
        trust=Trust.of(publisher=key),
    )
    refused = SIGNED[case.case]
    assert (case.expect == "accept") == (refused is None)
    if refused is None:
        assert report.accepted, report.to_text()
    else:
        assert cause(report) == ("chain.no-attestation", "nodes.model")
        assert {item.error.code for item in report.refused} == refused
