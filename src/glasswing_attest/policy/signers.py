"""Who signs, in the policy's names?

A key is named by the trust. The holder of a certificate is named by whoever vouches for the name, and by the name. A
threshold counts distinct ones; a builder is believed up to a level, for those who sign for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from glasswing_attest._complaints import Fault
from glasswing_attest._config import Frozen, FrozenMap
from glasswing_attest.policy.grammar import Id, Names, Part, Pattern, Ref, Text, unknown
from glasswing_attest.verification.certificate import BY_SUBJECT, FULCIO_CLAIMS

__all__ = ["Builder", "GitHub", "Identity", "SignedBy"]

_CLAIMS = frozenset(FULCIO_CLAIMS.values())


class GitHub(Part):
    """A GitHub Actions workflow, by the claims of its certificate.

    Names can be taken over when a repository or owner is renamed or deleted; the numeric ids cannot.
    """

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    repository_id: Id | None = None
    owner_id: Id | None = None
    workflow: Text | None = None
    ref: Ref | None = None
    trigger: Text | None = None
    runner: Text | None = None


class Identity(Part):
    """Who a signer is: a key by its name in the trust, or the holder of a certificate.

    A certificate's holder is named by the OIDC `issuer`, or by the private `authority` (a root of the trust), and by
    `san` (exact, or a whole-string glob; a subject only exactly), by the `claims` of the certificate, or as a `github`
    workflow.
    """

    key: Text | None = None
    issuer: Text | None = None
    authority: Text | None = None
    root: Text | None = None
    san: Pattern | None = None
    claims: FrozenMap[Text] = Field(
        default_factory=lambda: Frozen({}), json_schema_extra={"propertyNames": {"enum": [*sorted(_CLAIMS)]}}
    )
    github: GitHub | None = None

    @model_validator(mode="after")
    def _unambiguous(self) -> Identity:
        if sum(x is not None for x in (self.key, self.issuer, self.authority)) != 1:
            raise Fault(wanted="exactly one of key, issuer and authority")
        told = self.san is not None or self.claims or self.github is not None
        if self.key is not None:
            if told or self.root is not None:
                raise Fault("a key stands alone", do="put what a certificate must say into an identity of its own")
        elif not told:
            raise Fault("whoever vouches, vouches for everybody", wanted="san, claims or github beside it")
        if odd := sorted(set(self.claims) - _CLAIMS):
            raise unknown("claim", odd[0], sorted(_CLAIMS), at=("claims", odd[0]), of_key=True)
        for name, value in self.claims.items():
            if "*" in value:
                raise Fault("there are no patterns here", at=("claims", name), found=value, wanted="the claim, exactly")
        if self.san is not None and self.san.startswith(BY_SUBJECT) and "*" in self.san:
            raise Fault("a subject is compared exactly", at=("san",), found=self.san, wanted="it without a star")
        if self.github is not None and self.issuer is None:
            raise Fault("github needs an issuer", at=("github",))
        return self


class SignedBy(Part):
    """Who must have signed: any one of the named identities, or `threshold` distinct ones `of` them.

    `over` says what they must agree on: the same statement, or statements of the same type about the same thing.
    """

    any_of: Names | None = None
    threshold: int | None = None
    of: Names | None = None
    over: Literal["same_statement", "same_type"] | None = None

    @model_validator(mode="after")
    def _unambiguous(self) -> SignedBy:
        if (self.any_of is None) == (self.of is None):
            raise Fault(wanted="exactly one of any_of, and threshold with of and over")
        if self.any_of is not None and (self.threshold is not None or self.over is not None):
            raise Fault("threshold and over go with of, not with any_of")
        if self.of is not None and (self.threshold is None or self.over is None):
            raise Fault("of needs a threshold, and over: same_statement or same_type")
        if not self.names:
            raise Fault(found="nobody", wanted="at least one identity")
        if len(set(self.names)) != len(self.names):
            raise Fault(found=", ".join(self.names), wanted="each identity once")
        if not 1 <= self.count <= len(self.names):
            wanted = f"1 to {len(self.names)}, the number of identities"
            raise Fault(at=("threshold",), found=self.threshold, wanted=wanted)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The identities that count."""
        return self.any_of if self.any_of is not None else self.of or ()

    @property
    def count(self) -> int:
        """How many distinct ones must have signed."""
        return 1 if self.threshold is None else self.threshold


class Builder(Part):
    """Up to which SLSA build level a builder is believed, for the word of these signers (SLSA v1.2).

    `id` is the builder's, exactly or as a whole-string glob. A pair of signer and builder that stands nowhere has level
    1; one that stands twice has the greater.
    """

    id: Pattern
    signed_by: Annotated[Names, Field(min_length=1)]
    level: Annotated[int, Field(ge=1, le=3)]

    @model_validator(mode="after")
    def _unambiguous(self) -> Builder:
        if len(set(self.signed_by)) != len(self.signed_by):
            raise Fault(at=("signed_by",), found=", ".join(self.signed_by), wanted="each identity once")
        return self
