"""Of which parts are ready policies made?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from glasswing_attest._complaints import Source
from glasswing_attest._config import checked
from glasswing_attest.errors import PolicyRefused
from glasswing_attest.policy.policy import Policy
from glasswing_attest.policy.signers import Identity

__all__ = [
    "GITHUB_ISSUER",
    "GITHUB_RUNNER",
    "Plain",
    "Times",
    "Who",
    "both",
    "made",
    "of_workflow",
    "one_of",
    "require_file",
    "trimmed",
    "who",
]

Plain: TypeAlias = dict[str, Any]
Who: TypeAlias = Identity | str
"""Who signs: the name of a key in the trust, or an `Identity`."""
Times: TypeAlias = Literal["verified", "claimed"]

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
GITHUB_RUNNER = "https://github.com/actions/runner/github-hosted"


def who(signer: Who) -> Identity:
    """Give an identity: a text is the name of a key."""
    return Identity(key=signer) if isinstance(signer, str) else signer


def one_of(alternatives: Sequence[Plain]) -> Plain:
    """Give the rule of a kind that stands on any one of these."""
    return dict(alternatives[0]) if len(alternatives) == 1 else {"any_of": list(alternatives)}


def both(requirement: Plain, versions: Iterable[str]) -> list[Plain]:
    """Give the same requirement once for each version of a predicate type, as alternatives."""
    return [{"require": [{"predicate": version, **requirement}]} for version in versions]


def of_workflow(repository: str, workflow: str | None = None) -> Plain:
    """Give what GitHub's provenance v1 has for external parameters: the workflow, and nothing else."""
    path = {} if workflow is None or "*" in workflow else {"workflow.path": f".github/workflows/{workflow}"}
    allowed = ["workflow.ref", *([] if path else ["workflow.path"])]
    return {"equal": {"workflow.repository": f"https://github.com/{repository}", **path}, "allow": allowed}


def require_file(name: str, found: str | None, *, glob: bool = False) -> None:
    """Refuse what is no file below .github/workflows/: a path, a reference, or a pattern where none is read."""
    if found is not None and (set(found) & set("/@" if glob else "/@*") or not found.strip("*")):
        raise PolicyRefused(where=name, found=found, wanted="the name of a file below .github/workflows/")


def trimmed(kinds: Iterable[str], reason: str = "only the build itself is judged") -> Plain:
    """Give rules that ask for no evidence of these kinds, and say why."""
    return {kind: {"trim": {"reason": reason}} for kind in kinds}


def made(name: str, plain: Mapping[str, Any]) -> Policy:
    """Build the policy, without what is None. Raises `PolicyRefused`."""
    return checked(Policy, _without_none({"version": 1, **plain}), kind="policy", source=Source(name))


def _without_none(value: Any) -> Any:
    """Leave out what nobody said. What was said to be empty stays, and is refused: it would be no demand at all."""
    if isinstance(value, Mapping) and value:
        kept = {name: _without_none(member) for name, member in value.items()}
        return {name: member for name, member in kept.items() if member is not None} or None
    return [_without_none(item) for item in value] if isinstance(value, list | tuple) else value
