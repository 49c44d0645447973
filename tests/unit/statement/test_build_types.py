"""Does a dependency have the role that its buildType's documentation gives it, and no other?"""

from pathlib import Path
from typing import Any

import pytest

from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.claims import Dependency, registry_of
from glasswing_attest.limits import DEFAULT
from glasswing_attest.statement.predicates.build_types import BUILD_TYPES
from glasswing_attest.statement.predicates.run import PROVENANCE_V1

HEX = "ab" * 32
COMMIT = {"gitCommit": "cd" * 20}
SHA1 = {"sha1": "cd" * 20}
REPOSITORY, REF = "https://github.com/acme/train", "refs/heads/main"
SOURCE = f"git+{REPOSITORY}@{REF}"

GITHUB = "https://actions.github.io/buildtypes/workflow/v1"
COMMUNITY = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"
DELEGATOR = "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0"
CONTAINER = "https://slsa.dev/container-based-build/v0.1?draft"
TEKTON = ("https://tekton.dev/chains/v2/slsa", "https://tekton.dev/chains/v2/slsa-tekton")
WORKFLOW = {"workflow": {"repository": REPOSITORY, "ref": REF, "path": ".github/workflows/train.yml"}}


def edge(
    build_type: str,
    resource: dict[str, Any],
    external: dict[str, Any] | None = None,
    internal: dict[str, Any] | None = None,
) -> Dependency:
    """The edge that v1 provenance of this buildType draws to one dependency."""
    definition = {
        "buildType": build_type,
        "externalParameters": external,
        "internalParameters": internal,
        "resolvedDependencies": [resource],
    }
    kind = registry_of()[PROVENANCE_V1]
    said: Any = {"buildDefinition": definition, "runDetails": {"builder": {"id": "b"}}}
    assert kind.dependencies is not None
    (found,) = kind.dependencies(kind.parse(Node(said), DEFAULT))
    return found


def test_the_table_is_this_and_is_described(root: Path) -> None:
    assert set(BUILD_TYPES) == {GITHUB, COMMUNITY, DELEGATOR, CONTAINER, *TEKTON}
    roles = (root / "docs" / "spec" / "provenance.md").read_text("utf-8").split("\n## Roles\n")[1].split("\n## ")[0]
    assert [uri for uri in BUILD_TYPES if f"`{uri}`" not in roles] == []


@pytest.mark.parametrize("build_type", [GITHUB, COMMUNITY])
def test_the_commit_of_a_workflow_is_code(build_type: str) -> None:
    found = edge(build_type, {"uri": SOURCE, "digest": COMMIT}, WORKFLOW)
    assert (found.role, found.kind) == ("code", "code")
    assert found.resource.digest == DigestSet.of(COMMIT)


@pytest.mark.parametrize(
    ("uri", "external"),
    [
        (f"git+{REPOSITORY}@refs/heads/other", WORKFLOW),
        (f"git+{REPOSITORY}", WORKFLOW),
        (f"{REPOSITORY}@{REF}", WORKFLOW),
        (f"git+{REPOSITORY}.git@{REF}", WORKFLOW),
        ("git+https://github.com/evil/train@refs/heads/main", WORKFLOW),
        (SOURCE, {}),
        (SOURCE, {"workflow": "x"}),
        (SOURCE, {"workflow": {"repository": REPOSITORY}}),
        (SOURCE, {"workflow": {"repository": [REPOSITORY], "ref": REF}}),
        ("git+@", {"workflow": {"repository": "", "ref": ""}}),
    ],
)
def test_nothing_else_of_a_workflow_is(uri: str, external: dict[str, Any]) -> None:
    assert edge(GITHUB, {"uri": uri, "digest": COMMIT}, external).role == ""


def test_an_undocumented_build_type_gives_no_role() -> None:
    for build_type in (
        "https://example.com/train/v1",
        f"{GITHUB}/",
        "https://actions.github.io/buildtypes/workflow/v2",
    ):
        assert edge(build_type, {"uri": SOURCE, "digest": COMMIT}, WORKFLOW).role == ""


@pytest.mark.parametrize(
    ("annotations", "role"),
    [
        ({"role": "dependency"}, "dependency"),
        ({"role": "tool"}, "tool"),
        ({"role": "no-role-of-ours"}, "no-role-of-ours"),
        ({"role": 7}, ""),
        ({"role": ["code"]}, ""),
        ({"role": ""}, "code"),
        ({"role": None}, "code"),
        ({}, "code"),
        (None, "code"),
    ],
)
def test_a_role_of_its_own_wins_where_it_is_there(annotations: dict[str, Any] | None, role: str) -> None:
    found = edge(GITHUB, {"uri": SOURCE, "digest": COMMIT, "annotations": annotations}, WORKFLOW)
    assert found.role == role
    assert found.kind == (role if role in ("code", "tool") else "dependency")


def test_the_caller_of_a_delegating_workflow_is_code() -> None:
    internal = {"GITHUB_REPOSITORY": "acme/train", "GITHUB_REF": REF}
    assert edge(DELEGATOR, {"uri": SOURCE, "digest": COMMIT}, None, internal).role == "code"
    # What the caller says does not count: the platform sets these.
    assert edge(DELEGATOR, {"uri": SOURCE, "digest": COMMIT}, internal).role == ""
    for other in ({}, {"GITHUB_REPOSITORY": "acme/train"}, {"GITHUB_REPOSITORY": 1, "GITHUB_REF": REF}):
        assert edge(DELEGATOR, {"uri": SOURCE, "digest": COMMIT}, None, other).role == ""


def test_source_and_image_of_a_container_based_build_are_known_by_uri_and_digest() -> None:
    image = {"uri": f"bash@sha256:{HEX}", "digest": {"sha256": HEX}}
    external = {"source": {"uri": SOURCE, "digest": SHA1}, "builderImage": image}
    source = edge(CONTAINER, {"uri": SOURCE, "digest": SHA1}, external)
    assert source.role == "code"
    assert source.resource.digest.identity == ()  # a sha1 stays a sha1
    assert edge(CONTAINER, image, external).role == "image"
    for other in ({"uri": SOURCE, "digest": COMMIT}, {"uri": SOURCE}, {"uri": REPOSITORY, "digest": SHA1}):
        assert edge(CONTAINER, other, external).role == ""
    assert edge(CONTAINER, {"uri": SOURCE}, {"source": {"uri": SOURCE, "digest": {}}}).role == ""
    assert edge(CONTAINER, {"uri": SOURCE, "digest": SHA1}, {"source": SOURCE}).role == ""


@pytest.mark.parametrize("build_type", TEKTON)
@pytest.mark.parametrize(
    ("resource", "role"),
    [
        ({"name": "inputs/result", "uri": "git+https://x/y.git", "digest": SHA1}, "code"),
        ({"name": "input/result", "uri": "git+https://x/y.git", "digest": SHA1}, "code"),
        ({"name": "inputs/result", "uri": "oci://x/y", "digest": {"sha256": HEX}}, ""),
        ({"name": "pipeline", "uri": "git+https://x/y", "digest": SHA1}, ""),
        ({"name": "pipelineTask", "uri": "git+https://x/y", "digest": SHA1}, ""),
        ({"name": "task", "uri": "oci://x/y", "digest": {"sha256": HEX}}, ""),
        ({"uri": "gcr.io/x/git-init", "digest": {"sha256": HEX}}, "image"),
        ({"uri": "git+https://x/y", "digest": SHA1}, ""),
        ({"digest": {"sha256": HEX}}, ""),
    ],
)
def test_the_names_of_tekton_tell_the_role(build_type: str, resource: dict[str, Any], role: str) -> None:
    assert edge(build_type, resource).role == role
