"""What has a builder made, and what has a verifier passed, in the terms of SLSA v1.2?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glasswing_attest.policies.parts import Plain, Times, Who, both, made, one_of, trimmed, who
from glasswing_attest.policy.policy import Policy
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1

__all__ = ["slsa_build", "verification_summary"]


def slsa_build(
    *,
    builders: Mapping[str, Who],
    level: int = 1,
    kind: str = "file",
    source: str | None = None,
    ref: str | None = None,
    build_type: str | None = None,
    max_age: str | None = None,
    times: Times = "verified",
) -> Policy:
    """Ask for SLSA provenance, v1 or v0.2, of a build level, by builders whom you name.

    A level is your word: it follows from the pair of signer and builder, never from what provenance says of itself.

    Args:
        builders: who signs for which `builder.id`; an id may be a glob.
        level: the SLSA build level that you believe these builders to have, and that is asked for.
        kind: what is asked about: file, model, image, …
        source: the repository that it must be built from.
        ref: the branch or tag, exactly or as a glob.
        build_type: the `buildType` that it must have.
        max_age: how old the provenance may be, such as 90d.
        times: `claimed` where builders sign with keys and without a witness.

    Raises:
        PolicyRefused: an argument that makes no policy.

    >>> policy = slsa_build(builders={"https://ci.example/builder": "ci"}, level=3)
    >>> policy.builders[0].level, policy.nodes["file"].any_of[0].require[0].expect.builder
    (3, 'https://ci.example/builder')
    """
    identities = {f"builder-{number}": who(signer) for number, signer in enumerate(builders.values(), 1)}
    alternatives: list[Plain] = []
    for builder, name in zip(builders, identities, strict=True):
        expect = {"builder": builder, "build_type": build_type, "level": level, "source": source, "ref": ref}
        requirement = {"signed_by": {"any_of": [name]}, "expect": expect, "max_age": max_age}
        alternatives += both(requirement, (PROVENANCE_V1, PROVENANCE_V02))
    return made(
        "slsa_build",
        {
            "name": f"SLSA build level {level}",
            "times": times,
            "identities": identities,
            "builders": [
                {"id": builder, "signed_by": [name], "level": level}
                for builder, name in zip(builders, identities, strict=True)
            ],
            "nodes": {
                **({kind: one_of(alternatives)} if alternatives else {}),
                **trimmed([role for role in ROLES if role != kind]),
            },
        },
    )


def verification_summary(
    *,
    verifier: str,
    resource: str,
    level: str | Sequence[str],
    signed_by: Who,
    kind: str = "file",
    policy: str | None = None,
    policy_digest: str | None = None,
    max_age: str | None = None,
    times: Times = "verified",
) -> Policy:
    """Ask for a verification summary (VSA): somebody else has verified it, and you believe them.

    Args:
        verifier: `verifier.id`, exactly.
        resource: `resourceUri`, exactly: what the summary is about, as you call it.
        level: the level that it must tell, or several of different tracks; a higher one of the same track does.
        signed_by: who signs for this verifier.
        kind: what is asked about: file, model, image, …
        policy: the URI of the policy that it must have been verified by.
        policy_digest: that policy's digest, as sha256:HEX.
        max_age: how old the summary may be, such as 30d: what is known of a vulnerability is never in an old one.
        times: `claimed` where the verifier signs with a key and without a witness.

    Raises:
        PolicyRefused: an argument that makes no policy.

    >>> policy = verification_summary(
    ...     verifier="https://verifier.example", resource="pkg:generic/penguins@1.0", level="SLSA_BUILD_LEVEL_3",
    ...     signed_by="verifier",
    ... )
    >>> policy.nodes["file"].require[0].expect.level
    'SLSA_BUILD_LEVEL_3'
    """
    expect = {
        "verifier": verifier,
        "resource": resource,
        "level": level if isinstance(level, str) else list(level),
        "policy": policy,
        "policy_digest": policy_digest,
    }
    requirement = {"predicate": SUMMARY_V1, "signed_by": {"any_of": ["verifier"]}, "expect": expect, "max_age": max_age}
    return made(
        "verification_summary",
        {
            "name": f"passed by {verifier}",
            "times": times,
            "identities": {"verifier": who(signed_by)},
            "nodes": {kind: {"require": [requirement]}},
        },
    )
