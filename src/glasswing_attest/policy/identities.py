"""Is this signer who the policy means?

A key is named by the trust. A certificate's signer is the OIDC issuer with the certificate's one name; both are
required, since a name means nothing without who vouches for it. Names match exactly or by a whole-string glob in which
``*`` never crosses ``/``; the subject of a certificate, where it stands for a name, only exactly.
"""

from __future__ import annotations

from collections.abc import Iterator

from glasswing_attest.policy.policy import GitHub, Identity
from glasswing_attest.verification.certificate import BY_SUBJECT
from glasswing_attest.verification.identity import VerifiedSigner

__all__ = ["asked", "glob_matches", "is_signer", "mismatches"]


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


def _is_called(wanted: str, name: str) -> bool:
    # Whoever holds a certificate may have chosen one part of its subject: a star there would let it look like others.
    if name.startswith(BY_SUBJECT):
        return wanted == name
    # Nor does a star make a URI of what was meant for other names: `*@acme.example` is no `x:y@acme.example`.
    scheme = name[: name.find(":") + 1]
    return wanted.startswith(scheme) and glob_matches(wanted, name)


def is_signer(identity: Identity, signer: VerifiedSigner) -> bool:
    """Tell whether a verified signer is this identity."""
    return next(mismatches(identity, signer), None) is None


def asked(name: str, identity: Identity) -> str:
    """Say whom a policy's identity asks for, for refusals.

    >>> asked("release", Identity(issuer="https://issuer.example", san="*@example.com"))
    'release (issuer https://issuer.example, san *@example.com)'
    """
    if identity.key is not None:
        return name if identity.key == name else f"{name} (key {identity.key})"
    told = {n: getattr(identity, n) for n in ("issuer", "authority", "root", "san")}
    told |= identity.claims
    if identity.github is not None:
        told |= {n: getattr(identity.github, n) for n in GitHub.model_fields}
    return f"{name} ({', '.join(f'{n} {value}' for n, value in told.items() if value is not None)})"


def mismatches(identity: Identity, signer: VerifiedSigner) -> Iterator[tuple[str, str]]:
    """Give every part of the identity that the signer does not have, with what the signer has there, if anything."""
    if identity.key is not None:
        if identity.key not in signer.names:
            yield "key", ", ".join(sorted(signer.names))
        return
    if not signer.san:
        yield "san", ""
        return
    if identity.root is not None and identity.root != signer.root:
        yield "root", signer.root
    if identity.authority is not None:
        # A private authority vouches by itself: its certificates name no OIDC issuer.
        if signer.root != identity.authority or signer.issuer:
            yield "authority", signer.issuer or signer.root
    elif not signer.issuer or signer.issuer != identity.issuer:
        yield "issuer", signer.issuer
    if identity.san is not None and not _is_called(identity.san, signer.san):
        yield "san", signer.san
    claims = dict(signer.claims)
    for name, value in identity.claims.items():
        if claims.get(name) != value:
            yield name, claims.get(name, "")
    if identity.github is not None:
        yield from _of_workflow(identity.github, signer.san, claims)


def _of_workflow(github: GitHub, san: str, claims: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Hold a GitHub Actions certificate against its repository, numeric ids, workflow and ref."""
    repository = f"https://github.com/{github.repository}"
    wanted: dict[str, str | None] = {
        "source_repository_uri": repository,
        "source_repository_identifier": github.repository_id,
        "source_repository_owner_identifier": github.owner_id,
        "build_trigger": github.trigger,
        "runner_environment": github.runner,
    }
    for name, value in wanted.items():
        if value is not None and claims.get(name) != value:
            yield name, claims.get(name, "")
    ref = claims.get("source_repository_ref", "")
    if github.ref is not None and not glob_matches(github.ref, ref):
        yield "source_repository_ref", ref
    workflow, _, its_ref = san.partition("@")
    if github.workflow is not None:
        is_file = workflow == f"{repository}/.github/workflows/{github.workflow}"
        # The workflow's own ref stands in the name: what ran is the file as it was there.
        if not is_file or (github.ref is not None and not glob_matches(github.ref, its_ref)):
            yield "san", san
