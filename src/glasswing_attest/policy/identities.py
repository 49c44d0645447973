"""Is this signer who the policy means?

A key is named by the trust. A certificate's signer is the OIDC issuer with the certificate's one name; both are
required, since a name means nothing without who vouches for it. Names match exactly or by a whole-string glob in which
``*`` never crosses ``/``.
"""

from __future__ import annotations

from glasswing_attest.policy.policy import GitHub, Identity
from glasswing_attest.verification.identity import VerifiedSigner

__all__ = ["glob_matches", "is_signer"]


def glob_matches(pattern: str, text: str) -> bool:
    """Tell whether the whole text matches; ``*`` stands for any run of characters but ``/``.

    >>> glob_matches("refs/tags/v*", "refs/tags/v1.2"), glob_matches("refs/tags/v*", "refs/tags/v1/../x")
    (True, False)
    """
    wanted, found = pattern.split("/"), text.split("/")
    return len(wanted) == len(found) and all(map(_matches_part, wanted, found))


def _matches_part(pattern: str, text: str) -> bool:
    # No regular expression: names are long where an attacker writes them, and many stars would backtrack for ever.
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for fixed in middle:
        at = text.find(fixed, at, end)
        if at < 0:
            return False
        at += len(fixed)
    return True


def is_signer(identity: Identity, signer: VerifiedSigner) -> bool:
    """Tell whether a verified signer is this identity."""
    if identity.key is not None:
        return identity.key in signer.names
    if not signer.san or (identity.root is not None and identity.root != signer.root):
        return False
    if identity.authority is not None:
        # A private authority vouches by itself: its certificates name no OIDC issuer.
        if signer.root != identity.authority or signer.issuer:
            return False
    elif not signer.issuer or signer.issuer != identity.issuer:
        return False
    if identity.san is not None and not glob_matches(identity.san, signer.san):
        return False
    claims = dict(signer.claims)
    if any(claims.get(name) != value for name, value in identity.claims.items()):
        return False
    return identity.github is None or _is_workflow(identity.github, signer.san, claims)


def _is_workflow(github: GitHub, san: str, claims: dict[str, str]) -> bool:
    """Hold a GitHub Actions certificate against its repository, numeric ids, workflow and ref."""
    repository = f"https://github.com/{github.repository}"
    wanted: dict[str, str | None] = {
        "source_repository_uri": repository,
        "source_repository_identifier": github.repository_id,
        "source_repository_owner_identifier": github.owner_id,
        "build_trigger": github.trigger,
        "runner_environment": github.runner,
    }
    if any(value is not None and claims.get(name) != value for name, value in wanted.items()):
        return False
    if github.ref is not None and not glob_matches(github.ref, claims.get("source_repository_ref", "")):
        return False
    workflow, _, ref = san.partition("@")
    if github.workflow is not None and workflow != f"{repository}/.github/workflows/{github.workflow}":
        return False
    # The workflow's own ref stands in the name: what ran is the file as it was there.
    return github.workflow is None or github.ref is None or glob_matches(github.ref, ref)
