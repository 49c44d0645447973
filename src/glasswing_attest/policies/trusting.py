"""Which trust file does a policy want beside it?"""

from __future__ import annotations

from collections.abc import Iterator

from glasswing_attest.policies.writing import scalar
from glasswing_attest.policy.policy import Policy

__all__ = ["trust_advice"]

_ROOT = "public-good"


def trust_advice(policy: Policy) -> str:
    """Sketch the trust file that goes with a policy: every name that the policy says, to be filled in.

    Keys whose times must be verified are given a witness. Which root is meant, only you know: the sketch takes
    Sigstore's public instance.

    >>> from glasswing_attest.policies import oms_model
    >>> print(trust_advice(oms_model(signed_by="release", times="claimed")))
    version: 1
    keys:
      release: {file: release.pub}
    """
    return "\n".join(_lines(policy))


def _lines(policy: Policy) -> Iterator[str]:
    identities = policy.identities.values()
    keys = sorted({identity.key for identity in identities if identity.key is not None})
    named = sorted(
        {root for identity in identities for root in (identity.root, identity.authority) if root is not None}
    )
    verified = policy.times == "verified"
    anybody = any(identity.issuer is not None and identity.root is None for identity in identities)
    yield "version: 1"
    if named or anybody or (keys and verified):
        yield "roots:"
        for name in named:
            private = any(identity.authority == name for identity in identities)
            profile = "{scts: 0, logs: 0, times: 1, private: true}" if private else _ROOT
            yield f"  {scalar(name)}: {{file: {scalar(f'{name}.json')}, profile: {profile}}}"
        if _ROOT not in named and (anybody or (keys and verified)):
            yield f"  {_ROOT}: {{file: trusted_root.json, profile: {_ROOT}}}"
        if any(identity.github is not None for identity in identities):
            yield "  # GitHub's own instance, for private repositories: {file: github.json, profile: github}"
    if keys:
        yield "keys:"
        witness = f", witness: {{root: {_ROOT}, logs: 1, times: 1}}" if verified else ""
        for key in keys:
            yield f"  {scalar(key)}: {{file: {scalar(f'{key}.pub')}{witness}}}"
