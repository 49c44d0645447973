"""Did the registry have this package from its trusted publisher?"""

from __future__ import annotations

import json
from collections.abc import Sequence

from packaging.utils import InvalidName, canonicalize_name

from glasswing_attest.errors import PolicyRefused
from glasswing_attest.policies.parts import (
    GITHUB_ISSUER,
    GITHUB_RUNNER,
    Plain,
    Who,
    made,
    one_of,
    require_file,
    trimmed,
    who,
)
from glasswing_attest.policy.policy import Policy
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.publish import NPM_PUBLISH_V01, PYPI_PUBLISH_V1
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1

__all__ = ["npm_package", "pypi_package"]

# The builder, and the build type, of each version that the npm client has written.
_NPM_BUILDS = (
    (PROVENANCE_V1, GITHUB_RUNNER, "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"),
    (PROVENANCE_V02, "https://github.com/actions/runner", "https://github.com/npm/cli/gha/v2"),
)


def npm_package(
    *,
    repository: str,
    workflow: str,
    repository_id: int | str | None = None,
    owner_id: int | str | None = None,
    ref: str | None = None,
    trigger: str | None = None,
    package: str | None = None,
    version: str | None = None,
    registry: str | Sequence[str] = "npm",
) -> Policy:
    """Ask for both attestations of an npm package: the registry published it, and GitHub built it on its own runners.

    Args:
        repository: OWNER/NAME on GitHub, from which it must be built.
        workflow: the file below .github/workflows/ that publishes it.
        repository_id: the repository's number: a name can be taken over, a number cannot.
        owner_id: its owner's number.
        ref: the branch or tag, exactly or as a glob; by default any.
        trigger: the event that must have started the run, such as release; by default any.
        package: the package's name, as the registry must say it; needs the extra `cel`. Say it where the repository
            publishes several packages.
        version: its version, as the registry must say it; needs the extra `cel`.
        registry: the registry's keys, by their names in the trust: it changes them every few years.

    Raises:
        PolicyRefused: an argument that makes no policy.

    >>> policy = npm_package(repository="acme/left", workflow="release.yml", package="@acme/left")
    >>> policy.nodes["file"].any_of[0].require[0].where
    'predicate.name == "@acme/left"'
    """
    require_file("npm_package: workflow", workflow)
    said = {"name": package, "version": version}
    where = " && ".join(f"predicate.{name} == {_quoted(value)}" for name, value in said.items() if value is not None)
    keys = [registry] if isinstance(registry, str) else registry
    signers = {f"registry-{number}": who(key) for number, key in enumerate(keys, 1)}
    published = {"predicate": NPM_PUBLISH_V01, "signed_by": {"any_of": list(signers)}, "where": where or None}
    alternatives: list[Plain] = []
    for predicate, builder, build_type in _NPM_BUILDS:
        expect = {
            "builder": builder,
            "build_type": build_type,
            "source": f"https://github.com/{repository}",
            "ref": ref,
        }
        built = {"predicate": predicate, "signed_by": {"any_of": ["publisher"]}, "expect": expect}
        alternatives.append({"require": [published, built]})
    return made(
        "npm_package",
        {
            "name": f"npm packages of {repository}",
            "identities": {
                **signers,
                "publisher": _workflow(
                    repository, repository_id, owner_id, workflow, ref, trigger, runner="github-hosted"
                ),
            },
            "nodes": {"file": one_of(alternatives), **trimmed(ROLES)},
        },
    )


def pypi_package(
    *,
    repository: str | None = None,
    workflow: str | None = None,
    repository_id: int | str | None = None,
    owner_id: int | str | None = None,
    ref: str | None = None,
    trigger: str | None = None,
    publisher: Who | None = None,
    project: str | None = None,
) -> Policy:
    """Ask for PyPI's publish attestation (PEP 740): a trusted publisher uploaded this very file.

    Args:
        repository: OWNER/NAME on GitHub, if the publisher is there.
        workflow: the file below .github/workflows/ that publishes it.
        repository_id: the repository's number: a name can be taken over, a number cannot.
        owner_id: its owner's number.
        ref: the branch or tag, exactly or as a glob; by default any.
        trigger: the event that must have started the run, such as release; by default any.
        publisher: a publisher who is not on GitHub, as an identity.
        project: the project whose source distribution or wheel it must be, by the file's name as it was published;
            needs the extra `cel`. Say it where the publisher uploads files of several projects.

    Raises:
        PolicyRefused: an argument that makes no policy.

    >>> policy = pypi_package(repository="acme/train", workflow="release.yml", project="Acme.Train")
    >>> "acme_train-" in policy.nodes["file"].require[0].where
    True
    """
    on_github = {"repository": repository, "workflow": workflow}
    told = {**on_github, "repository_id": repository_id, "owner_id": owner_id, "ref": ref, "trigger": trigger}
    if (publisher is None) == (None in on_github.values()) or (publisher is not None and any(told.values())):
        found = ", ".join(n for n, value in {**told, "publisher": publisher}.items() if value is not None) or "nothing"
        wanted = "either repository and workflow, or publisher"
        raise PolicyRefused(where="pypi_package", found=found, wanted=wanted)
    identity = (
        who(publisher)
        if publisher is not None
        else _workflow(str(repository), repository_id, owner_id, str(workflow), ref, trigger)
    )
    require_file("pypi_package: workflow", workflow)
    where = None if project is None else f"size(subject) == 1 && subject[0].name.matches({_quoted(_files(project))})"
    published = {"predicate": PYPI_PUBLISH_V1, "signed_by": {"any_of": ["publisher"]}, "where": where}
    return made(
        "pypi_package",
        {
            "name": f"PyPI packages of {repository or 'a trusted publisher'}",
            "identities": {"publisher": identity},
            "nodes": {"file": {"require": [published]}},
        },
    )


def _files(project: str) -> str:
    """Give the pattern of a project's files: PEP 503's name with underscores, then the version (PEP 427, PEP 625).

    An older source distribution of ``acme-extra`` or ``acme-3d`` begins with ``acme-`` as well: a version has no dash.
    """
    try:
        stem = canonicalize_name(project, validate=True).replace("-", "_")
    except InvalidName as e:
        raise PolicyRefused(where="pypi_package: project", found=project, wanted="the name of a project") from e
    return f"^{stem}-[0-9][^-]*([.]tar[.]gz|[.]zip|(-[0-9][^-]*)?-[^-]+-[^-]+-[^-]+[.]whl)$"


def _workflow(
    repository: str,
    repository_id: int | str | None,
    owner_id: int | str | None,
    workflow: str,
    ref: str | None,
    trigger: str | None,
    runner: str | None = None,
) -> Plain:
    return {
        "issuer": GITHUB_ISSUER,
        "github": {
            "repository": repository,
            "repository_id": repository_id,
            "owner_id": owner_id,
            "workflow": workflow,
            "ref": ref,
            "trigger": trigger,
            "runner": runner,
        },
    }


def _quoted(text: str) -> str:
    """Write a text as CEL does: JSON's escapes are CEL's, but that those beyond U+FFFF stand as they are."""
    return json.dumps(text, ensure_ascii=False)
