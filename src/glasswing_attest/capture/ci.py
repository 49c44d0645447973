"""ON WHICH PLATFORM DOES THIS RUN, and what does the platform say of the run?

Pure over a mapping of environment variables. Variables are read by name, each named in `READS`; whatever else the
environment holds is never looked at, so that no secret can get into provenance from here.

All of it is the word of the process that reads it: whoever can set a variable can say anything. A platform's own
`builder_id` is worth something only where the platform itself signs, out of the reach of what it runs. Build types:

* GitHub Actions: https://actions.github.io/buildtypes/workflow/v1, as GitHub's own attestations write it
* GitLab CI: gitlab-runner's PROVENANCE.md, at the revision of the runner
* Buildkite: https://buildkite.github.io/slsa-buildtypes/job/v1
* CircleCI and Kubernetes publish none; ours stand in docs/build-types.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from glasswing_attest._wire import JsonValue
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.capture.secrets import NO_SECRETS_ALLOWED, refuse_secrets
from glasswing_attest.errors import UsageError
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["MARKS", "OUR_BUILD_TYPES", "READS", "Platform"]

OUR_BUILD_TYPES = "https://glasswing-attest.readthedocs.io/build-types"

READS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "github": (
            "GITHUB_ACTIONS",
            "GITHUB_EVENT_NAME",
            "GITHUB_REF",
            "GITHUB_REPOSITORY",
            "GITHUB_REPOSITORY_ID",
            "GITHUB_REPOSITORY_OWNER_ID",
            "GITHUB_RUN_ATTEMPT",
            "GITHUB_RUN_ID",
            "GITHUB_SERVER_URL",
            "GITHUB_SHA",
            "GITHUB_WORKFLOW_REF",
            "RUNNER_ENVIRONMENT",
        ),
        "gitlab": (
            "CI_COMMIT_REF_NAME",
            "CI_COMMIT_SHA",
            "CI_COMMIT_TAG",
            "CI_JOB_ID",
            "CI_JOB_NAME",
            "CI_JOB_URL",
            "CI_MERGE_REQUEST_REF_PATH",
            "CI_PROJECT_URL",
            "CI_RUNNER_DESCRIPTION",
            "CI_RUNNER_EXECUTABLE_ARCH",
            "CI_RUNNER_ID",
            "CI_RUNNER_REVISION",
            "GITLAB_CI",
        ),
        "circleci": (
            "CIRCLECI",
            "CIRCLE_BRANCH",
            "CIRCLE_BUILD_NUM",
            "CIRCLE_BUILD_URL",
            "CIRCLE_JOB",
            "CIRCLE_ORGANIZATION_ID",
            "CIRCLE_PIPELINE_ID",
            "CIRCLE_PROJECT_ID",
            "CIRCLE_REPOSITORY_URL",
            "CIRCLE_SHA1",
            "CIRCLE_TAG",
            "CIRCLE_WORKFLOW_ID",
            "CIRCLE_WORKFLOW_JOB_ID",
        ),
        "buildkite": (
            "BUILDKITE",
            "BUILDKITE_BRANCH",
            "BUILDKITE_BUILD_ID",
            "BUILDKITE_BUILD_NUMBER",
            "BUILDKITE_BUILD_URL",
            "BUILDKITE_COMMAND",
            "BUILDKITE_COMMIT",
            "BUILDKITE_JOB_ID",
            "BUILDKITE_ORGANIZATION_ID",
            "BUILDKITE_ORGANIZATION_SLUG",
            "BUILDKITE_PIPELINE_ID",
            "BUILDKITE_PIPELINE_SLUG",
            "BUILDKITE_REPO",
            "BUILDKITE_STEP_ID",
            "BUILDKITE_STEP_KEY",
            "BUILDKITE_TAG",
        ),
        # The last five are what the downward API is asked to call them: see docs/capturing.md.
        "kubernetes": (
            "KUBERNETES_SERVICE_HOST",
            "POD_NAME",
            "POD_NAMESPACE",
            "POD_UID",
            "POD_SERVICE_ACCOUNT",
            "NODE_NAME",
        ),
    }
)
"""Every variable that is read, by platform."""

_NOTHING: Mapping[str, JsonValue] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What a platform says of the run in its environment.

    Attributes:
        name: ``github``, ``gitlab``, ``circleci``, ``buildkite`` or ``kubernetes``.
        builder_id: the platform's own ``builder.id``, or "" where it has none that could be known from within.
        build_type: the ``buildType`` whose parameters follow.
        external_parameters, internal_parameters: as that build type says.
        invocation_id: the run's address, or "" where the platform gives it none.
        source: the commit that the platform says it runs; nobody here looked at it.
        builder_version: what is known of the builder's version.

    >>> Platform.detect({"PATH": "/bin"}) is None
    True
    """

    name: str
    builder_id: str = ""
    build_type: str
    external_parameters: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)
    internal_parameters: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)
    invocation_id: str = ""
    source: ResourceDescriptor | None = None
    builder_version: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)

    @classmethod
    def detect(
        cls,
        environ: Mapping[str, str],
        *,
        namespace: str = "",
        secrets_allowed_unsafe: Collection[str] = NO_SECRETS_ALLOWED,
    ) -> Platform | None:
        """Recognise the platform from the environment; None on none of them.

        Args:
            environ: the environment. Only the variables in `READS` are looked at.
            namespace: of a Kubernetes pod, where no variable says it: the text of the service account's file
                ``namespace``.
            secrets_allowed_unsafe: the paths of values that look like secrets and that you know to be none, as the
                error tells them.

        Raises:
            UsageError: two platforms at once, or one that does not say what it always says.
            SecretRefused: what would be recorded looks like a secret, such as a repository's URL with a password.
        """
        found = [name for name, (mark, value, _) in _PLATFORMS.items() if environ.get(mark) == value]
        if len(found) > 1:
            raise UsageError(where="environ", found=" and ".join(found), wanted="the environment of one platform")
        if found:
            name = found[0]
            made = _PLATFORMS[name][2](_Variables(environ, READS[name]))
        elif environ.get("KUBERNETES_SERVICE_HOST"):
            # A job of another platform may well run in a pod; then the job is what runs.
            made = _kubernetes(_Variables(environ, READS["kubernetes"]), namespace)
        else:
            return None
        _look(made, secrets_allowed_unsafe)
        return made


def _look(made: Platform, allowed: Collection[str]) -> None:
    # The paths are those by which `Build` calls them, where this platform's own build type is what is recorded.
    refuse_secrets(dict(made.external_parameters), "parameters", allowed)
    refuse_secrets(dict(made.internal_parameters), "internal_parameters", allowed)
    uris = {"builderId": made.builder_id, "invocationId": made.invocation_id}
    refuse_secrets({**uris, "source": made.source.uri if made.source else ""}, made.name, allowed)


class _Variables:
    """An environment of which only some names can be read."""

    __slots__ = ("_environ", "_names")

    def __init__(self, environ: Mapping[str, str], names: tuple[str, ...]) -> None:
        self._environ = environ
        self._names = frozenset(names)

    def get(self, name: str, pattern: str = r"[^\x00-\x1f\x7f]*") -> str:
        """Give a variable's value, or "" where it is unset. Raises `UsageError` where it is not of its form."""
        if name not in self._names:
            raise KeyError(name)
        value = self._environ.get(name, "")
        if value and not re.fullmatch(pattern, value):
            # The value is not shown: what stands in the wrong variable may be anything.
            raise UsageError(where=f"environ.{name}", because="it is not of the form that the platform gives it")
        return value

    def need(self, name: str, pattern: str = r"[^\x00-\x1f\x7f]+") -> str:
        """Give a variable's value. Raises `UsageError` where it is unset or empty."""
        value = self.get(name, pattern)
        if not value:
            raise UsageError(where=f"environ.{name}", found="nothing", wanted="what the platform always sets")
        return value


_URL = r"https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[^\x00-\x20\x7f?#@]*)?"
_SLUG = r"[A-Za-z0-9_.-]+"
_NUMBER = r"[0-9]+"
_COMMIT = r"[0-9a-f]{40}|[0-9a-f]{64}"
_ID = r"[A-Za-z0-9-]+"


def _git(repository: str, ref: str, commit: str) -> ResourceDescriptor | None:
    if not re.fullmatch(_COMMIT, commit) or "://" not in repository:
        return None
    uri = f"git+{repository}@{ref}" if ref else f"git+{repository}"
    return ResourceDescriptor(uri=uri, digest=DigestSet.of(gitCommit=commit))


def _set(**values: str) -> dict[str, JsonValue]:
    return {k: v for k, v in values.items() if v}


def _github(env: _Variables) -> Platform:
    server = env.need("GITHUB_SERVER_URL", _URL)
    repository = env.need("GITHUB_REPOSITORY", f"{_SLUG}/{_SLUG}")
    workflow, _, workflow_ref = env.need("GITHUB_WORKFLOW_REF", rf"{_SLUG}/{_SLUG}/[^@]+@.+").partition("@")
    # A workflow that an organisation requires lies in another repository than the one that it runs for.
    owner, home, path = workflow.split("/", 2)
    runner = env.get("RUNNER_ENVIRONMENT", "github-hosted|self-hosted")
    run = f"{env.need('GITHUB_RUN_ID', _NUMBER)}/attempts/{env.need('GITHUB_RUN_ATTEMPT', _NUMBER)}"
    return Platform(
        name="github",
        # The two are trusted differently; where the runner does not say which it is, neither may be claimed.
        builder_id=f"{server}/actions/runner/{runner}" if runner else "",
        build_type="https://actions.github.io/buildtypes/workflow/v1",
        external_parameters={
            "workflow": {"ref": workflow_ref, "repository": f"{server}/{owner}/{home}", "path": path},
        },
        internal_parameters={
            "github": _set(
                event_name=env.get("GITHUB_EVENT_NAME"),
                repository_id=env.get("GITHUB_REPOSITORY_ID", _NUMBER),
                repository_owner_id=env.get("GITHUB_REPOSITORY_OWNER_ID", _NUMBER),
                runner_environment=runner,
            )
        },
        invocation_id=f"{server}/{repository}/actions/runs/{run}",
        source=_git(f"{server}/{repository}", env.need("GITHUB_REF"), env.need("GITHUB_SHA", _COMMIT)),
    )


def _gitlab(env: _Variables) -> Platform:
    project = env.need("CI_PROJECT_URL", _URL)
    revision = env.need("CI_RUNNER_REVISION", r"[A-Za-z0-9._+~-]+")
    tag, merge, branch = (env.get(n) for n in ("CI_COMMIT_TAG", "CI_MERGE_REQUEST_REF_PATH", "CI_COMMIT_REF_NAME"))
    ref = f"refs/tags/{tag}" if tag else merge or (f"refs/heads/{branch}" if branch else "")
    return Platform(
        name="gitlab",
        builder_id=f"{project}/-/runners/{env.need('CI_RUNNER_ID', _NUMBER)}",
        build_type=f"https://gitlab.com/gitlab-org/gitlab-runner/-/blob/{revision}/PROVENANCE.md",
        external_parameters={"source": project, "entryPoint": env.need("CI_JOB_NAME")},
        internal_parameters=_set(
            name=env.get("CI_RUNNER_DESCRIPTION"),
            architecture=env.get("CI_RUNNER_EXECUTABLE_ARCH"),
            job=env.need("CI_JOB_ID", _NUMBER),
        ),
        invocation_id=env.need("CI_JOB_URL", _URL),
        # The runner writes the commit as sha256; it is a git object, and said to be one here.
        source=_git(project, ref, env.need("CI_COMMIT_SHA", _COMMIT)),
        builder_version={"gitlab-runner": revision},
    )


def _circleci(env: _Variables) -> Platform:
    repository, commit = env.get("CIRCLE_REPOSITORY_URL"), env.get("CIRCLE_SHA1", _COMMIT)
    tag, branch = env.get("CIRCLE_TAG"), env.get("CIRCLE_BRANCH")
    ref = f"refs/tags/{tag}" if tag else f"refs/heads/{branch}" if branch else ""
    return Platform(
        name="circleci",
        builder_id=f"https://circleci.com/api/v2/projects/{env.need('CIRCLE_PROJECT_ID', _ID)}",
        build_type=f"{OUR_BUILD_TYPES}/circleci-job/v1",
        external_parameters={
            "job": env.need("CIRCLE_JOB"),
            **_set(repository=repository, ref=ref),
        },
        internal_parameters={
            "circleci": _set(
                organization_id=env.get("CIRCLE_ORGANIZATION_ID", _ID),
                project_id=env.get("CIRCLE_PROJECT_ID", _ID),
                pipeline_id=env.get("CIRCLE_PIPELINE_ID", _ID),
                workflow_id=env.get("CIRCLE_WORKFLOW_ID", _ID),
                job_id=env.get("CIRCLE_WORKFLOW_JOB_ID", _ID),
                build_num=env.get("CIRCLE_BUILD_NUM", _NUMBER),
            )
        },
        invocation_id=env.need("CIRCLE_BUILD_URL", _URL),
        source=_git(repository, ref, commit),
    )


def _buildkite(env: _Variables) -> Platform:
    home = "https://buildkite.com"
    pipeline = f"{home}/{env.need('BUILDKITE_ORGANIZATION_SLUG', _SLUG)}/{env.need('BUILDKITE_PIPELINE_SLUG', _SLUG)}"
    repository, job = env.need("BUILDKITE_REPO"), env.need("BUILDKITE_JOB_ID", _ID)
    tag, branch, commit = (env.get(f"BUILDKITE_{n}") for n in ("TAG", "BRANCH", "COMMIT"))
    ref = f"refs/tags/{tag}" if tag else f"refs/heads/{branch}" if branch else ""
    return Platform(
        name="buildkite",
        builder_id=pipeline,
        build_type="https://buildkite.github.io/slsa-buildtypes/job/v1",
        external_parameters={
            "pipeline": pipeline,
            "repository": repository,
            "build": _set(branch=branch, commit=commit, tag=tag),
            "step": _set(
                id=env.get("BUILDKITE_STEP_ID", _ID),
                # A command may take several lines.
                command=env.get("BUILDKITE_COMMAND", r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*"),
                key=env.get("BUILDKITE_STEP_KEY"),
            ),
            "job": {"id": job},
        },
        internal_parameters={
            "buildkite": _set(
                organization_id=env.get("BUILDKITE_ORGANIZATION_ID", _ID),
                pipeline_id=env.get("BUILDKITE_PIPELINE_ID", _ID),
                build_id=env.get("BUILDKITE_BUILD_ID", _ID),
                build_number=env.get("BUILDKITE_BUILD_NUMBER", _NUMBER),
            )
        },
        invocation_id=f"{env.need('BUILDKITE_BUILD_URL', _URL)}#{job}",
        # The agent may say HEAD instead of a commit: that names nothing.
        source=_git(repository.removesuffix(".git"), ref, commit),
    )


def _kubernetes(env: _Variables, namespace: str) -> Platform:
    name = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
    namespace = env.get("POD_NAMESPACE", name) or namespace.strip()
    if not re.fullmatch(name, namespace):
        raise UsageError(where="environ.POD_NAMESPACE", found=namespace or "nothing", wanted="the pod's namespace")
    return Platform(
        name="kubernetes",
        # A cluster does not know what it is called from outside: whoever runs it gives the builder's id.
        build_type=f"{OUR_BUILD_TYPES}/kubernetes-pod/v1",
        external_parameters={
            "pod": {
                "namespace": namespace,
                "name": env.need("POD_NAME", name),
                **_set(serviceAccount=env.get("POD_SERVICE_ACCOUNT", name)),
            }
        },
        internal_parameters={
            "kubernetes": _set(pod_uid=env.get("POD_UID", _ID), node=env.get("NODE_NAME", name)),
        },
    )


_PLATFORMS: Mapping[str, tuple[str, str, Callable[[_Variables], Platform]]] = MappingProxyType(
    {
        "github": ("GITHUB_ACTIONS", "true", _github),
        "gitlab": ("GITLAB_CI", "true", _gitlab),
        "circleci": ("CIRCLECI", "true", _circleci),
        "buildkite": ("BUILDKITE", "true", _buildkite),
    }
)
"""The variable that a platform always sets, its value, and how the rest is read."""

MARKS = tuple(f"{mark}={value}" for mark, value, _ in _PLATFORMS.values())
"""By what a platform is recognised; a pod by its own variable, where it is none of them."""
