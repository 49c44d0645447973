"""Which of a build's dependencies is its source, and where does that come from, as its buildType's page says?

Most producers write no ``annotations.role``, but some buildTypes document which dependency is what. Each one here is a
pure function over the parameters and one dependency, and stands beside the page that documents it. What a page does not
say is not guessed: such a dependency has no role, and so is kind ``dependency``.

A role only says what a thing was used as. It never changes a digest: a ``sha1`` of a commit stays a ``sha1``, which
identifies nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from glasswing_attest._wire import JsonValue
from glasswing_attest.statement.predicates.run import BuildSource
from glasswing_attest.statement.repository import revision
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["BUILD_TYPES", "SOURCES", "Parameters", "from_config_source", "role_of", "source_of"]

Parameters = Mapping[str, JsonValue]
_Role = Callable[[Parameters, Parameters, ResourceDescriptor], str]


def role_of(build_type: str, external: Parameters, internal: Parameters, resource: ResourceDescriptor) -> str:
    """Give the role that the buildType's documentation gives to a dependency; "" where it gives none.

    >>> workflow = {"workflow": {"repository": "https://github.com/acme/train", "ref": "refs/heads/main"}}
    >>> source = ResourceDescriptor(uri="git+https://github.com/acme/train@refs/heads/main")
    >>> role_of("https://actions.github.io/buildtypes/workflow/v1", workflow, {}, source)
    'code'
    """
    documented = BUILD_TYPES.get(build_type)
    return "" if documented is None else documented(external, internal, resource)


def _github_workflow(external: Parameters, _internal: Parameters, resource: ResourceDescriptor) -> str:
    """``resolvedDependencies`` holds the commit of the workflow: ``"git+" + workflow.repository + "@" + workflow.ref``.

    https://actions.github.io/buildtypes/workflow/v1, https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1
    """
    workflow = external.get("workflow")
    if not isinstance(workflow, dict):
        return ""
    return _code_at(workflow.get("repository"), workflow.get("ref"), resource)


def _delegator(_external: Parameters, internal: Parameters, resource: ResourceDescriptor) -> str:
    """The caller's repository and ref, which the platform sets as ``GITHUB_REPOSITORY`` and ``GITHUB_REF``.

    slsa-github-generator, README of its builders ("Provenance Example").
    """
    name = internal.get("GITHUB_REPOSITORY")
    repository = f"https://github.com/{name}" if isinstance(name, str) and name else None
    return _code_at(repository, internal.get("GITHUB_REF"), resource)


def _container_based(external: Parameters, _internal: Parameters, resource: ResourceDescriptor) -> str:
    """``source`` is the primary input and ``builderImage`` the image that it is built in: the same URI and digests.

    https://slsa.dev/container-based-build/v0.1?draft
    """
    digests = resource.digest.to_dict()
    for parameter, role in (("source", "code"), ("builderImage", "image")):
        named = external.get(parameter)
        # What has no digest is not told apart from another state of the same place.
        if digests and isinstance(named, dict) and (named.get("uri"), named.get("digest")) == (resource.uri, digests):
            return role
    return ""


def _tekton(_external: Parameters, _internal: Parameters, resource: ResourceDescriptor) -> str:
    """By name: input artifacts, "such as source code", are ``inputs/result``; step and sidecar images have no name.

    Tekton Chains, docs/predicate/slsa/v2.md, "Resolved Dependencies". An input may be anything; from a git repository
    it is code. The page says nothing of our roles for ``pipeline``, ``task`` and ``pipelineTask``, so they have none.
    """
    if resource.uri.startswith("git+"):
        return "code" if resource.name in _TEKTON_INPUTS else ""
    return "image" if resource.uri and not resource.name else ""


_TEKTON_INPUTS = ("inputs/result", "input/result", "input/results")  # the page spells it in all three ways


def _code_at(repository: JsonValue, ref: JsonValue, resource: ResourceDescriptor) -> str:
    is_said = isinstance(repository, str) and isinstance(ref, str) and repository and ref
    return "code" if is_said and resource.uri == f"git+{repository}@{ref}" else ""


BUILD_TYPES: Mapping[str, _Role] = MappingProxyType(
    {
        "https://actions.github.io/buildtypes/workflow/v1": _github_workflow,
        "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1": _github_workflow,
        "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0": _delegator,
        "https://slsa.dev/container-based-build/v0.1?draft": _container_based,
        "https://tekton.dev/chains/v2/slsa": _tekton,
        "https://tekton.dev/chains/v2/slsa-tekton": _tekton,
    }
)
"""The buildTypes whose documentation says which dependency is what."""


def source_of(build_type: str, external: Parameters, internal: Parameters) -> BuildSource | None:
    """Give what the buildType's documentation calls the source; None where it says nothing of one.

    >>> workflow = {"workflow": {"repository": "https://github.com/acme/train", "ref": "refs/heads/main"}}
    >>> source_of("https://actions.github.io/buildtypes/workflow/v1", workflow, {}).ref
    'refs/heads/main'
    """
    documented = SOURCES.get(build_type)
    return None if documented is None else documented(external, internal)


def _workflow_source(external: Parameters, _internal: Parameters) -> BuildSource:
    """``workflow.repository`` and ``workflow.ref``: the repository and the reference that the workflow ran from."""
    return _source(external.get("workflow"), "repository", "ref")


def _delegator_source(_external: Parameters, internal: Parameters) -> BuildSource:
    """``GITHUB_REPOSITORY`` and ``GITHUB_REF``, as for its role."""
    found = _source(internal, "GITHUB_REPOSITORY", "GITHUB_REF")
    return BuildSource(uri=f"https://github.com/{found.uri}", ref=found.ref) if found.uri else found


def _container_source(external: Parameters, _internal: Parameters) -> BuildSource:
    """``source``, the primary input of the build."""
    uri = _source(external.get("source"), "uri", "").uri
    return BuildSource(uri=uri, ref=revision(uri))


def _circleci_source(external: Parameters, _internal: Parameters) -> BuildSource:
    """``repository`` and ``ref``: docs/build-types.md."""
    return _source(external, "repository", "ref")


def _source(said: object, uri: str, ref: str) -> BuildSource:
    """Read both, each only where it is a text."""
    told = [said.get(name) for name in (uri, ref)] if isinstance(said, Mapping) else [None, None]
    repository, reference = (value if isinstance(value, str) else "" for value in told)
    return BuildSource(uri=repository, ref=reference)


def from_config_source(build_type: str, uri: str) -> BuildSource | None:
    """Give the source of a build of v0.2, where its ``invocation.configSource`` is what was built.

    SLSA v0.2 says that it is where the configuration comes from, which may be another repository than the code's. For
    these buildTypes it is the repository that the workflow ran in.
    """
    return BuildSource(uri=uri, ref=revision(uri)) if build_type in _CONFIGURED_IN_SOURCE else None


SOURCES: Mapping[str, Callable[[Parameters, Parameters], BuildSource]] = MappingProxyType(
    {
        "https://actions.github.io/buildtypes/workflow/v1": _workflow_source,
        "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1": _workflow_source,
        "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0": _delegator_source,
        "https://slsa.dev/container-based-build/v0.1?draft": _container_source,
        "https://glasswing-attest.readthedocs.io/build-types/circleci-job/v1": _circleci_source,
    }
)
"""The buildTypes whose documentation says where the source comes from."""

_CONFIGURED_IN_SOURCE = (
    "https://github.com/slsa-framework/slsa-github-generator/generic@v1",
    "https://github.com/slsa-framework/slsa-github-generator/go@v1",
    "https://github.com/slsa-framework/slsa-github-generator/container@v1",
    "https://github.com/npm/cli/gha/v1",
    "https://github.com/npm/cli/gha/v2",
)
