"""Is each platform recognised, is it said as the platform itself says it, and is nothing else read?"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest._wire import canonical_json
from glasswing_attest.capture import Build, Platform
from glasswing_attest.capture.ci import READS
from glasswing_attest.errors import SecretRefused, UsageError

COMMIT = "2b4ba8fe79386d40ce27dc5f6cc4161a0f598cc2"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REPOSITORY": "acme/train",
    "GITHUB_REPOSITORY_ID": "4711",
    "GITHUB_REPOSITORY_OWNER_ID": "42",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_RUN_ID": "987654321",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": COMMIT,
    "GITHUB_WORKFLOW_REF": "acme/train/.github/workflows/train.yml@refs/heads/main",
    "RUNNER_ENVIRONMENT": "github-hosted",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_SHA": COMMIT,
    "CI_JOB_ID": "10340684631",
    "CI_JOB_NAME": "build-job",
    "CI_JOB_URL": "https://gitlab.com/acme/train/-/jobs/10340684631",
    "CI_PROJECT_URL": "https://gitlab.com/acme/train",
    "CI_RUNNER_DESCRIPTION": "green-4.saas-linux-small-amd64.runners-manager.gitlab.com/default",
    "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64",
    "CI_RUNNER_ID": "12270857",
    "CI_RUNNER_REVISION": "2147fb44",
}
CIRCLECI = {
    "CIRCLECI": "true",
    "CIRCLE_BRANCH": "main",
    "CIRCLE_BUILD_NUM": "12",
    "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/train/12",
    "CIRCLE_JOB": "train",
    "CIRCLE_ORGANIZATION_ID": "1169df8b-0b59-400f-82d2-c9d8e98bdb62",
    "CIRCLE_PIPELINE_ID": "70b80fd1-b928-4fbf-817d-75ab416ccc87",
    "CIRCLE_PROJECT_ID": "ab70c257-7c86-45e2-b988-86003f49734d",
    "CIRCLE_REPOSITORY_URL": "https://github.com/acme/train",
    "CIRCLE_SHA1": COMMIT,
    "CIRCLE_WORKFLOW_ID": "ac95cb65-7589-41fa-9142-9cfb27f65249",
    "CIRCLE_WORKFLOW_JOB_ID": "2792d082-f400-4346-993c-72c4947c82b6",
}
BUILDKITE = {
    "BUILDKITE": "true",
    "BUILDKITE_BRANCH": "main",
    "BUILDKITE_BUILD_ID": "d3ce1ab5-df3c-4197-901d-a2339201046d",
    "BUILDKITE_BUILD_NUMBER": "49387",
    "BUILDKITE_BUILD_URL": "https://buildkite.com/acme/train/builds/49387",
    "BUILDKITE_COMMAND": "make data\nmake train",
    "BUILDKITE_COMMIT": COMMIT,
    "BUILDKITE_JOB_ID": "2792d082-f400-4346-993c-72c4947c82b6",
    "BUILDKITE_ORGANIZATION_ID": "19299724-43b4-4812-b823-9ea5a62b388e",
    "BUILDKITE_ORGANIZATION_SLUG": "acme",
    "BUILDKITE_PIPELINE_ID": "ac95cb65-7589-41fa-9142-9cfb27f65249",
    "BUILDKITE_PIPELINE_SLUG": "train",
    "BUILDKITE_REPO": "https://github.com/acme/train.git",
    "BUILDKITE_STEP_ID": "3f9c0598-5b82-4b62-8f5d-6d2d08f78733",
    "BUILDKITE_STEP_KEY": "train",
    "BUILDKITE_TAG": "v1.6.0",
}
KUBERNETES = {
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "POD_NAME": "train-0",
    "POD_NAMESPACE": "ml",
    "POD_UID": "4d7b7c3e-5a05-4f3e-8a0b-0a6c5a0a2c3d",
    "POD_SERVICE_ACCOUNT": "trainer",
    "NODE_NAME": "node-7.example",
}
ALL: dict[str, dict[str, str]] = {
    "github": GITHUB,
    "gitlab": GITLAB,
    "circleci": CIRCLECI,
    "buildkite": BUILDKITE,
    "kubernetes": KUBERNETES,
}


def detected(environ: Mapping[str, str], **more: Any) -> Platform:
    """The platform, which must be one."""
    found = Platform.detect(environ, **more)
    assert found is not None
    return found


def source(platform: Platform) -> tuple[str, dict[str, str]]:
    """The commit that the platform says."""
    assert platform.source is not None
    return platform.source.uri, dict(platform.source.digest.to_dict())


# --- GitHub, against what GitHub signed ------------------------------------------------------------------------------


def signed_by_github(shared_data: Path) -> Iterator[dict[str, Any]]:
    """The provenances of GitHub workflows among the third-party bundles."""
    seen = set()
    for folder in ("gh-cli", "sigstore-java", "carabiner-policies"):
        for path in sorted((shared_data / folder).rglob("*")):
            if path.is_file() and path.suffix in {".json", ".sigstore", ".jsonl"}:
                for payload in re.findall(rb'"payload"\s*:\s*"([A-Za-z0-9+/=]{100,})"', path.read_bytes()):
                    statement = base64.b64decode(payload)
                    if b"buildtypes/workflow/v1" in statement and statement not in seen:
                        seen.add(statement)
                        predicate: dict[str, Any] = json.loads(statement)["predicate"]
                        yield predicate


def test_github_is_said_as_github_says_it(shared_data: Path) -> None:
    found = list(signed_by_github(shared_data))
    assert len(found) >= 5
    runners = set()
    for predicate in found:
        definition, details = predicate["buildDefinition"], predicate["runDetails"]
        workflow, github = definition["externalParameters"]["workflow"], definition["internalParameters"]["github"]
        commit = definition["resolvedDependencies"][0]
        name = workflow["repository"].removeprefix("https://github.com/")
        run = re.fullmatch(r".*/runs/([0-9]+)/attempts/([0-9]+)", details["metadata"]["invocationId"])
        assert run is not None
        environ = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": name,
            "GITHUB_REPOSITORY_ID": github["repository_id"],
            "GITHUB_REPOSITORY_OWNER_ID": github["repository_owner_id"],
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_WORKFLOW_REF": f"{name}/{workflow['path']}@{workflow['ref']}",
            "GITHUB_REF": commit["uri"].rpartition("@")[2],
            "GITHUB_SHA": commit["digest"]["gitCommit"],
            "GITHUB_RUN_ID": run[1],
            "GITHUB_RUN_ATTEMPT": run[2],
            "RUNNER_ENVIRONMENT": github.get("runner_environment", ""),
        }
        platform = detected(environ)
        assert platform.external_parameters == definition["externalParameters"]
        assert platform.internal_parameters == definition["internalParameters"]
        assert source(platform) == (commit["uri"], commit["digest"])
        assert platform.invocation_id == details["metadata"]["invocationId"]
        runners.add(details["builder"]["id"])
    # What npm's and GitHub's own early attestations call the builder; later ones name the workflow that signed.
    assert detected(GITHUB).builder_id in runners


def test_github_says_which_runner_or_no_builder() -> None:
    assert detected(GITHUB).builder_id == "https://github.com/actions/runner/github-hosted"
    hosted = {**GITHUB, "RUNNER_ENVIRONMENT": "self-hosted"}
    assert detected(hosted).builder_id == "https://github.com/actions/runner/self-hosted"
    unknown = {k: v for k, v in GITHUB.items() if k != "RUNNER_ENVIRONMENT"}
    assert detected(unknown).builder_id == ""
    with pytest.raises(UsageError) as caught:
        Build.from_environment(unknown)
    assert (caught.value.code, caught.value.where) == ("usage", "builder")
    elsewhere = {**GITHUB, "GITHUB_SERVER_URL": "https://git.corp.example"}
    assert detected(elsewhere).builder_id == "https://git.corp.example/actions/runner/github-hosted"


# --- the others, against what they publish ---------------------------------------------------------------------------


def test_gitlab_is_said_as_its_runner_says_it() -> None:
    platform = detected(GITLAB)
    assert platform.build_type == "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/2147fb44/PROVENANCE.md"
    assert platform.builder_id == "https://gitlab.com/acme/train/-/runners/12270857"
    assert platform.builder_version == {"gitlab-runner": "2147fb44"}
    assert platform.external_parameters == {"source": "https://gitlab.com/acme/train", "entryPoint": "build-job"}
    assert platform.internal_parameters == {
        "name": GITLAB["CI_RUNNER_DESCRIPTION"],
        "architecture": "linux/amd64",
        "job": "10340684631",
    }
    assert platform.invocation_id == GITLAB["CI_JOB_URL"]
    assert source(platform) == ("git+https://gitlab.com/acme/train@refs/heads/main", {"gitCommit": COMMIT})
    tag = detected({**GITLAB, "CI_COMMIT_TAG": "v1"})
    assert source(tag)[0] == "git+https://gitlab.com/acme/train@refs/tags/v1"
    merge = detected({**GITLAB, "CI_MERGE_REQUEST_REF_PATH": "refs/merge-requests/1/head"})
    assert source(merge)[0] == "git+https://gitlab.com/acme/train@refs/merge-requests/1/head"


def test_buildkite_is_said_as_its_plugin_says_it() -> None:
    platform = detected(BUILDKITE)
    assert platform.build_type == "https://buildkite.github.io/slsa-buildtypes/job/v1"
    assert platform.builder_id == "https://buildkite.com/acme/train"
    assert platform.external_parameters == {
        "pipeline": "https://buildkite.com/acme/train",
        "repository": "https://github.com/acme/train.git",
        "build": {"branch": "main", "commit": COMMIT, "tag": "v1.6.0"},
        "step": {"id": BUILDKITE["BUILDKITE_STEP_ID"], "command": "make data\nmake train", "key": "train"},
        "job": {"id": BUILDKITE["BUILDKITE_JOB_ID"]},
    }
    assert platform.internal_parameters == {
        "buildkite": {
            "organization_id": BUILDKITE["BUILDKITE_ORGANIZATION_ID"],
            "pipeline_id": BUILDKITE["BUILDKITE_PIPELINE_ID"],
            "build_id": BUILDKITE["BUILDKITE_BUILD_ID"],
            "build_number": "49387",
        }
    }
    job = f"{BUILDKITE['BUILDKITE_BUILD_URL']}#{BUILDKITE['BUILDKITE_JOB_ID']}"
    assert platform.invocation_id == job
    assert source(platform) == ("git+https://github.com/acme/train@refs/tags/v1.6.0", {"gitCommit": COMMIT})
    assert detected({**BUILDKITE, "BUILDKITE_COMMIT": "HEAD"}).source is None


def test_circleci_is_said_as_our_page_says_it() -> None:
    platform = detected(CIRCLECI)
    assert platform.build_type == "https://glasswing-attest.readthedocs.io/build-types/circleci-job/v1"
    assert platform.builder_id == f"https://circleci.com/api/v2/projects/{CIRCLECI['CIRCLE_PROJECT_ID']}"
    repository = "https://github.com/acme/train"
    assert platform.external_parameters == {"job": "train", "repository": repository, "ref": "refs/heads/main"}
    assert platform.invocation_id == CIRCLECI["CIRCLE_BUILD_URL"]
    assert source(platform) == (f"git+{repository}@refs/heads/main", {"gitCommit": COMMIT})
    ssh = detected({**CIRCLECI, "CIRCLE_REPOSITORY_URL": "git@github.com:acme/train.git"})
    assert ssh.source is None  # no URI; the checkout itself is to be used


def test_a_pod_is_said_as_our_page_says_it() -> None:
    platform = detected(KUBERNETES)
    assert platform.build_type == "https://glasswing-attest.readthedocs.io/build-types/kubernetes-pod/v1"
    assert platform.builder_id == ""
    pod = {"namespace": "ml", "name": "train-0", "serviceAccount": "trainer"}
    assert platform.external_parameters == {"pod": pod}
    assert platform.internal_parameters == {"kubernetes": {"pod_uid": KUBERNETES["POD_UID"], "node": "node-7.example"}}
    from_file = detected({k: v for k, v in KUBERNETES.items() if k != "POD_NAMESPACE"}, namespace="other\n")
    assert from_file.external_parameters == {"pod": {**pod, "namespace": "other"}}
    with pytest.raises(UsageError) as caught:
        Build.from_environment(KUBERNETES)
    assert (caught.value.code, caught.value.where) == ("usage", "builder")
    with Build.from_environment(KUBERNETES, builder="https://ml.example/cluster") as build:
        pass
    assert build.provenance().builder_id == "https://ml.example/cluster"
    assert build.provenance().invocation_id.startswith("urn:uuid:")


@pytest.mark.parametrize("name", ["github", "gitlab", "circleci", "buildkite"])
def test_a_job_in_a_pod_is_the_job(name: str) -> None:
    assert detected({**ALL[name], **KUBERNETES}).name == name


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environ", [{}, {"CI": "true"}, {"GITHUB_ACTIONS": "false"}, {"GITLAB_CI": ""}])
def test_nowhere_is_nowhere(environ: dict[str, str]) -> None:
    assert Platform.detect(environ) is None
    with pytest.raises(UsageError) as caught:
        Build.from_environment(environ)
    assert (caught.value.code, caught.value.where) == ("usage", "environ")


def test_two_platforms_at_once_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        Platform.detect({**GITHUB, **CIRCLECI})
    assert (caught.value.code, caught.value.found) == ("usage", "github and circleci")


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        *(("github", f"GITHUB_{n}") for n in ("REPOSITORY", "RUN_ID", "RUN_ATTEMPT", "SERVER_URL", "SHA", "REF")),
        ("github", "GITHUB_WORKFLOW_REF"),
        *(("gitlab", n) for n in ("CI_PROJECT_URL", "CI_RUNNER_ID", "CI_RUNNER_REVISION", "CI_JOB_NAME", "CI_JOB_URL")),
        *(("circleci", n) for n in ("CIRCLE_PROJECT_ID", "CIRCLE_JOB", "CIRCLE_BUILD_URL")),
        *(("buildkite", f"BUILDKITE_{n}") for n in ("ORGANIZATION_SLUG", "REPO", "JOB_ID", "BUILD_URL")),
        ("kubernetes", "POD_NAME"),
        ("kubernetes", "POD_NAMESPACE"),
    ],
)
def test_a_platform_that_leaves_out_what_it_always_says_is_refused(name: str, variable: str) -> None:
    with pytest.raises(UsageError) as caught:
        Platform.detect({k: v for k, v in ALL[name].items() if k != variable})
    assert (caught.value.code, caught.value.where) == ("usage", f"environ.{variable}")


@pytest.mark.parametrize(
    ("name", "variable", "value"),
    [
        ("github", "GITHUB_REPOSITORY", "acme/train/../other"),
        ("github", "GITHUB_SERVER_URL", "http://github.com"),
        ("github", "GITHUB_SERVER_URL", "https://github.com@evil.example"),
        ("github", "GITHUB_RUN_ID", "1/attempts/1#"),
        ("github", "GITHUB_SHA", "main"),
        ("github", "RUNNER_ENVIRONMENT", "github-hosted/x"),
        ("github", "GITHUB_WORKFLOW_REF", "a\nb"),
        ("gitlab", "CI_RUNNER_ID", "1/2"),
        ("gitlab", "CI_PROJECT_URL", "https://u:p@gitlab.com/acme"),
        ("gitlab", "CI_RUNNER_REVISION", "../x"),
        ("circleci", "CIRCLE_PROJECT_ID", "a/b"),
        ("buildkite", "BUILDKITE_ORGANIZATION_SLUG", "acme/other"),
        ("kubernetes", "POD_NAME", "Train_0"),
    ],
)
def test_a_variable_of_another_form_is_refused_and_not_told(name: str, variable: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        Platform.detect({**ALL[name], variable: value})
    assert (caught.value.code, caught.value.where) == ("usage", f"environ.{variable}")
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "variable", "value", "where"),
    [
        ("buildkite", "BUILDKITE_REPO", "https://u:pw@git.example/x.git", "parameters.repository"),
        (
            "buildkite",
            "BUILDKITE_COMMAND",
            "train glpat" + "-a1B2c3D4e5F6g7H8i9J0",
            "parameters.step.command",
        ),
        ("circleci", "CIRCLE_REPOSITORY_URL", "https://t0ken@git.example/x", "parameters.repository"),
    ],
)
def test_a_secret_in_what_is_read_is_refused(name: str, variable: str, value: str, where: str) -> None:
    with pytest.raises(SecretRefused) as caught:
        Platform.detect({**ALL[name], variable: value})
    assert (caught.value.code, caught.value.where) == ("usage.secret", where)


# --- nothing else is read --------------------------------------------------------------------------------------------


class Watched(dict[str, str]):
    """An environment that remembers what was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("the environment was listed")

    items = keys = values = __iter__  # type: ignore[assignment]


@pytest.mark.parametrize("name", ALL)
def test_only_documented_variables_are_read(name: str, root: Path) -> None:
    environ = Watched(ALL[name])
    detected(environ)
    marks = {"GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "KUBERNETES_SERVICE_HOST"}
    assert environ.asked - marks <= set(READS[name])
    assert set(READS[name]) - marks <= environ.asked, "one is documented that is never read"
    page = (root / "docs" / "capturing.md").read_text("utf-8")
    assert [variable for variable in READS[name] if f"`{variable}`" not in page] == []


names = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1, max_size=20)
hidden = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=40).map(lambda t: f"hidden-{t}")


@given(st.sampled_from(sorted(ALL)), st.dictionaries(names, hidden, max_size=8), st.booleans())
def test_no_value_of_a_denied_variable_is_recorded(name: str, more: dict[str, str], own: bool) -> None:
    known = {variable for reads in READS.values() for variable in reads}
    denied = {k: v for k, v in more.items() if k not in known}
    environ = {
        **ALL[name],
        **denied,
        "CI_JOB_TOKEN": "hidden-job",
        "GITHUB_TOKEN": "hidden-gh",
        "HF_TOKEN": "hidden-hf",
    }
    build_type = "https://example.com/train/v1" if own else ""
    with Build.from_environment(environ, builder="https://ci.example/b", build_type=build_type) as build:
        build.use_variables(*ALL[name], environ=environ)
    written = canonical_json(build.provenance().to_predicate())
    assert COMMIT.encode() in written or name == "kubernetes"
    assert b"hidden-" not in written
    without = {k: v for k, v in environ.items() if k in known}
    assert Platform.detect(environ) == Platform.detect(without)
