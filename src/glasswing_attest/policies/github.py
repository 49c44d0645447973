"""Is it a release of this repository on GitHub?

Three ways in which GitHub Actions make provenance, told apart by whose workflow has the certificate:

- one of the repository's own workflows, with actions/attest-build-provenance: SLSA build level 2.
- slsa-framework/slsa-github-generator, whose builders are reusable workflows: level 3, in provenance v1 or v0.2.
- a reusable workflow that you name, with actions/attest-build-provenance: level 3.

That action's `builder.id` is the workflow; in its first versions it was GitHub's runner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from glasswing_attest.errors import PolicyRefused
from glasswing_attest.policies.parts import (
    GITHUB_ISSUER,
    GITHUB_RUNNER,
    Plain,
    both,
    made,
    of_workflow,
    one_of,
    require_file,
    trimmed,
)
from glasswing_attest.policy.policy import Policy
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1

__all__ = ["github_release"]

_GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/*@refs/tags/v*"
_REUSABLE = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+/\.github/workflows/[^/@*\s]+@\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Whose workflow has the certificate, how far it is believed, for which builders, and what they write."""

    workflow: str
    level: int
    builders: tuple[str, ...]
    versions: tuple[str, ...] = (PROVENANCE_V1,)
    parameters: Plain | None = None


def github_release(
    *,
    repository: str,
    repository_id: int | str | None = None,
    owner_id: int | str | None = None,
    ref: str = "refs/tags/v*",
    workflow: str | None = None,
    reusable: str | None = None,
    level: int = 2,
    kind: str = "file",
    trigger: str | None = None,
    max_age: str | None = None,
) -> Policy:
    """Ask for GitHub's provenance: built from this repository, at such a tag, on GitHub's own runners.

    What actions/attest-build-provenance and slsa-framework/slsa-github-generator write is accepted, each as far as it
    has the `level`. Who signed must be a workflow run of this repository, and the provenance must say the same.

    Args:
        repository: OWNER/NAME.
        repository_id: its number: a name can be taken over, a number cannot. `gh api repos/OWNER/NAME --jq .id`
        owner_id: its owner's number. `gh api repos/OWNER/NAME --jq .owner.id`
        ref: the tag or branch, exactly or as a glob in which * never crosses a slash.
        workflow: the file below .github/workflows/ that attests; by default any of this repository.
        reusable: a reusable workflow that may build it as well: OWNER/NAME/.github/workflows/FILE@REF, where REF may
            be a glob.
        level: the SLSA build level: 2 for everything, 3 for reusable workflows alone.
        kind: what is asked about: file, model, image, …
        trigger: the event that must have started the run, such as push; by default any.
        max_age: how old the provenance may be, such as 365d.

    Raises:
        PolicyRefused: an argument that makes no policy.

    >>> policy = github_release(repository="acme/train", repository_id=4711, owner_id=42)
    >>> sorted(policy.identities), policy.identities["release"].github.repository_id
    (['generator', 'release'], '4711')
    """
    if reusable is not None and not _REUSABLE.fullmatch(reusable):
        wanted = "OWNER/NAME/.github/workflows/FILE@REF"
        raise PolicyRefused(where="github_release: reusable", found=reusable, wanted=wanted)
    require_file("github_release: workflow", workflow, glob=True)
    if level not in (1, 2, 3):
        raise PolicyRefused(where="github_release: level", found=level, wanted="1, 2 or 3")
    home = f"https://github.com/{repository}"
    own = f"{home}/.github/workflows/{workflow or '*'}@{ref}"
    run = {
        "repository": repository,
        "repository_id": repository_id,
        "owner_id": owner_id,
        "ref": ref,
        "trigger": trigger,
        "runner": "github-hosted",
    }
    generator = _Way(workflow=_GENERATOR, level=3, builders=(_GENERATOR,), versions=(PROVENANCE_V1, PROVENANCE_V02))
    ways = {"generator": generator}
    if reusable is not None:
        shared = f"https://github.com/{reusable}"
        asked = of_workflow(repository)
        ways = {"reusable": _Way(workflow=shared, level=3, builders=(shared, GITHUB_RUNNER), parameters=asked), **ways}
    if level <= 2:
        asked = of_workflow(repository, workflow)
        ways = {"release": _Way(workflow=own, level=2, builders=(own, GITHUB_RUNNER), parameters=asked), **ways}
    alternatives: list[Plain] = []
    for name, way in ways.items():
        for builder in way.builders:
            expect = {"builder": builder, "level": level, "source": home, "ref": ref, "parameters": way.parameters}
            alternatives += both({"signed_by": {"any_of": [name]}, "expect": expect, "max_age": max_age}, way.versions)
    return made(
        "github_release",
        {
            "name": f"releases of {repository}",
            "identities": {
                name: {"issuer": GITHUB_ISSUER, "san": way.workflow, "github": run} for name, way in ways.items()
            },
            "builders": [
                {"id": builder, "signed_by": [name], "level": way.level}
                for name, way in ways.items()
                for builder in way.builders
            ],
            "nodes": {
                kind: one_of(alternatives),
                **trimmed([role for role in ROLES if role != kind]),
            },
        },
    )
