"""What does the policy ask for?

A policy is data, in YAML, TOML, JSON or Python. It refuses emptiness and ambiguity when it is built. ::

    version: 1
    times: claimed                      # accept times that nobody witnessed; the default, `verified`, does not
    identities:
      trainer: {key: trainer}           # a key's name in the trust
      release: {issuer: https://token.actions.githubusercontent.com,
                github: {repository: acme/train, repository_id: 4711, workflow: release.yml, ref: refs/tags/v*}}
    nodes:                              # by kind; a kind without a rule denies
      model:
        require:
          - as: run
            predicate: https://slsa.dev/provenance/v1
            signed_by: {any_of: [trainer]}
            expect: {builder: https://ci.example/trainer, build_type: https://…}
            inputs: {dataset: {min: 1}, code: {exactly: 1}}
      dataset: {require: [{predicate: …, signed_by: {any_of: [trainer]}}]}
      tool: {trim: {reason: "covered by the lock file", until: 2027-06-30T00:00:00Z}}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from glasswing_attest._complaints import Fault, Source, suggestion
from glasswing_attest._config import (
    ConfigModel,
    ConfigTime,
    ConfigVersion,
    Frozen,
    FrozenMap,
    checked,
    load_config,
    parse_config,
    refusal,
)
from glasswing_attest._wire import canonical_json, format_time
from glasswing_attest.errors import PolicyExpired, shown
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.names import predicate_uri
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.release import RELEASE_V01, RELEASE_V02
from glasswing_attest.statement.predicates.run import PROVENANCES
from glasswing_attest.statement.predicates.source import SOURCE_PROVENANCE_DRAFT, SOURCE_PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.statement.predicates.svr import SVR_V01, SVR_V02
from glasswing_attest.verification.certificate import FULCIO_CLAIMS

__all__ = ["Cardinality", "Expect", "GitHub", "Identity", "NodeRule", "Policy", "Requirement", "SignedBy", "Trim"]


def _as_text(value: object) -> object:
    """Ids are numbers that are compared as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _unknown(what: str, found: str, known: Sequence[str], *, at: tuple[str | int, ...], of_key: bool = False) -> Fault:
    wanted, advice = f"one of {', '.join(known)}", suggestion(found, known)
    return Fault(f"there is no such {what}", at=at, found=found, wanted=wanted, do=advice, of_key=of_key)


_Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_tuple), Field(max_length=256)]
_Text = Annotated[str, Field(min_length=1)]
_CLAIMS = frozenset(FULCIO_CLAIMS.values())
_TOLD = 8
"""So many names of each kind are shown."""
_KINDS = ("model", "file", *ROLES)
# What may be expected of types that speak of one resource.
_RESOURCES = {
    SOURCE_PROVENANCE_V1: {"resource", "ref"},
    SOURCE_PROVENANCE_DRAFT: {"resource", "ref"},
    RELEASE_V02: {"resource"},
    RELEASE_V01: {"resource"},
}


if TYPE_CHECKING:

    class _Part(ConfigModel):
        """One part of a policy. An alias would do, but type checkers would lose the fields of what derives from it."""

else:

    class _Refusing(type(BaseModel)):
        """Gives Python callers `PolicyRefused` where pydantic would raise its own; nested validation is untouched.

        A metaclass, because an `__init__` of our own would also run for nested values and hide where they stand.
        """

        def __call__(cls, *args: Any, **values: Any) -> Any:
            try:
                return super().__call__(*args, **values)
            except ValidationError as e:
                raise refusal(e, values, kind="policy", source=Source(cls.__name__)) from e

    class _Part(ConfigModel, metaclass=_Refusing):
        """One part of a policy."""


class GitHub(_Part):
    """A GitHub Actions workflow, by the claims of its certificate.

    Names can be taken over when a repository or owner is renamed or deleted; the numeric ids cannot.
    """

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    repository_id: Annotated[str | None, BeforeValidator(_as_text)] = None
    owner_id: Annotated[str | None, BeforeValidator(_as_text)] = None
    workflow: _Text | None = None
    ref: _Text | None = None
    trigger: _Text | None = None
    runner: _Text | None = None


class Identity(_Part):
    """Who a signer is: a key by its name in the trust, or the holder of a certificate.

    A certificate's holder is named by the OIDC `issuer`, or by the private `authority` (a root of the trust), and by
    `san` (exact, or a whole-string glob), by the `claims` of the certificate, or as a `github` workflow.
    """

    key: _Text | None = None
    issuer: _Text | None = None
    authority: _Text | None = None
    root: _Text | None = None
    san: _Text | None = None
    claims: FrozenMap[str] = Field(default_factory=lambda: Frozen({}))
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
        if self.san is not None and not self.san.strip("*"):
            raise Fault("a pattern of stars names nobody", at=("san",), found=self.san)
        if unknown := sorted(set(self.claims) - _CLAIMS):
            raise _unknown("claim", unknown[0], sorted(_CLAIMS), at=("claims", unknown[0]), of_key=True)
        if self.github is not None and self.issuer is None:
            raise Fault("github needs an issuer", at=("github",))
        return self


class SignedBy(_Part):
    """Who must have signed: any one of the named identities, or `threshold` distinct ones `of` them.

    `over` says what they must agree on: the same statement, or statements of the same type about the same thing.
    """

    any_of: _Names | None = None
    threshold: int | None = None
    of: _Names | None = None
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


class Cardinality(_Part):
    """How many distinct inputs of a role there must be."""

    min: int | None = Field(default=None, ge=0)
    max: int | None = Field(default=None, ge=0)
    exactly: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _unambiguous(self) -> Cardinality:
        if self.exactly is not None and (self.min is not None or self.max is not None):
            raise Fault("exactly stands alone")
        if self.exactly is None and self.min is None and self.max is None:
            raise Fault(wanted="min, max or exactly")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise Fault("min is greater than max", found=f"{self.min} and {self.max}")
        return self

    @property
    def least(self) -> int:
        """The smallest number allowed."""
        return self.exactly if self.exactly is not None else self.min or 0

    @property
    def most(self) -> int | None:
        """The greatest number allowed, or None."""
        return self.exactly if self.exactly is not None else self.max


class Expect(_Part):
    """What the predicate must say.

    `builder` and `build_type` are provenance's; `verifier`, `resource`, `level` and `ref` a verification summary's;
    `resource` and `ref` also source provenance's, and `resource` a release's; `verifier` and `properties` a simple
    verification result's.
    """

    builder: _Text | None = None
    build_type: _Text | None = None
    verifier: _Text | None = None
    resource: _Text | None = None
    level: _Text | None = None
    ref: Annotated[str, Field(pattern=r"^refs/\S+$")] | None = None
    properties: Annotated[_Names, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _unambiguous(self) -> Expect:
        if not self.said:
            raise Fault("it says nothing")
        return self

    @property
    def said(self) -> set[str]:
        """The names of the expectations that are there."""
        return {name for name in type(self).model_fields if getattr(self, name) is not None}


class Requirement(_Part):
    """One attestation that must be there: of which type, signed by whom, saying what, from which inputs."""

    label: _Text | None = Field(default=None, alias="as")
    predicate: Annotated[_Text, AfterValidator(predicate_uri)]
    signed_by: SignedBy
    expect: Expect | None = None
    inputs: FrozenMap[Cardinality] = Frozen({})

    @model_validator(mode="after")
    def _complete(self) -> Requirement:
        said = set() if self.expect is None else self.expect.said
        allowed: set[str] = set()
        if self.predicate in PROVENANCES:
            allowed = {"builder", "build_type"}
            if "builder" not in said:
                # SLSA v1.2, verifying-artifacts.md, step 1: only specific pairs of signer and builder.id are accepted.
                raise Fault("a provenance rule needs expect.builder", at=("expect",))
        elif self.inputs:
            raise Fault("inputs go with provenance only", at=("inputs",), of_key=True)
        if self.predicate == SUMMARY_V1:
            allowed = {"verifier", "resource", "level", "ref"}
            if not {"verifier", "resource"} <= said:
                because = "a verification summary rule needs expect.verifier and expect.resource"
                raise Fault(because, at=("expect",))
        if self.predicate in (SVR_V01, SVR_V02):
            allowed = {"verifier", "properties"}
            if said != allowed:
                # A result lists whatever its verifier found: another property of another verifier is not what is asked.
                because = "a rule for a simple verification result needs expect.verifier and expect.properties"
                raise Fault(because, at=("expect",))
        if self.predicate in _RESOURCES:
            allowed = _RESOURCES[self.predicate]
            if "resource" not in said:
                # Whoever signs these speaks for many repositories and packages.
                raise Fault("a rule for this type needs expect.resource", at=("expect",))
        if said - allowed:
            vain = min(said - allowed)
            because = f"expect.{vain} does not apply to {self.predicate}"
            raise Fault(because, at=("expect", vain), of_key=True, wanted=", ".join(sorted(allowed)) or "no expect")
        for role in self.inputs:
            if role not in ROLES:
                raise _unknown("role", role, ROLES, at=("inputs", role), of_key=True)
        return self


class Trim(_Part):
    """Cut the chain here, in so many words. After `until` the cut no longer holds."""

    reason: _Text
    until: ConfigTime | None = None


class NodeRule(_Part):
    """What a node of one kind needs: every requirement, or to be trimmed."""

    require: Annotated[tuple[Requirement, ...], BeforeValidator(_as_tuple)] = ()
    trim: Trim | None = None

    @model_validator(mode="after")
    def _unambiguous(self) -> NodeRule:
        if bool(self.require) == (self.trim is not None):
            raise Fault(wanted="exactly one of require (not empty) and trim")
        labels = [r.label for r in self.require if r.label is not None]
        if len(set(labels)) != len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise Fault("each `as` stands once in the rule of a kind", found=twice)
        return self


class Policy(_Part):
    """Who may say what about which kind of node, and what must be said.

    Construct it from Python values, or with `load` and `parse`. Raises `PolicyRefused` when it is empty or ambiguous.

    >>> Policy(version=1, identities={}, nodes={})
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.PolicyRefused: Policy: identities: the policy cannot be used...
    """

    version: ConfigVersion
    name: str = ""
    expires: ConfigTime | None = None
    times: Literal["verified", "claimed"] = "verified"
    declared: Literal["deny", "allow"] = "deny"
    identities: Annotated[FrozenMap[Identity], Field(min_length=1)]
    nodes: Annotated[FrozenMap[NodeRule], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        for kind, rule in self.nodes.items():
            if kind not in _KINDS:
                raise _unknown("kind", kind, _KINDS, at=("nodes", kind), of_key=True)
            for number, requirement in enumerate(rule.require):
                by = requirement.signed_by
                for place, name in enumerate(by.names):
                    if name not in self.identities:
                        field = "any_of" if by.any_of is not None else "of"
                        at = ("nodes", kind, "require", number, "signed_by", field, place)
                        raise _unknown("identity", name, list(self.identities), at=at)
        return self

    def __repr__(self) -> str:
        several = (("", [self.name] if self.name else []), ("nodes ", self.nodes), ("identities ", self.identities))
        told = (
            f"{what}{', '.join(map(shown, list(names)[:_TOLD]))}" + (" …" if len(names) > _TOLD else "")
            for what, names in several
            if names
        )
        return f"Policy({'; '.join(told)})"

    __str__ = __repr__

    @classmethod
    def load(cls, path: str | Path, *, limits: Limits = DEFAULT) -> Policy:
        """Read a policy from a file. Raises `MalformedError` with `kind` "policy"."""
        config, source = load_config(Path(path), kind="policy", limits=limits)
        return checked(cls, config, kind="policy", source=source)

    @classmethod
    def parse(cls, data: bytes, *, suffix: str = ".yaml", where: str = "policy", limits: Limits = DEFAULT) -> Policy:
        """Read a policy from bytes."""
        config = parse_config(data, suffix=suffix, kind="policy", where=where, limits=limits)
        return checked(cls, config, kind="policy", source=Source(where, data, suffix))

    def to_json(self) -> bytes:
        """Give the policy in canonical JSON, without what is unset."""
        return canonical_json(_plain(self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=False)))

    @property
    def digest(self) -> str:
        """The sha256 of `to_json`, in hex: stands in every report."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def require_fresh(self, now: datetime) -> None:
        """Raise `PolicyExpired` after `expires`."""
        if self.expires is not None and now > self.expires:
            raise PolicyExpired(
                where="policy", found=format_time(self.expires), wanted=f"a time after {format_time(now)}"
            )


def _plain(value: Any) -> Any:
    """Give dumped models as what a policy file would hold: empty parts left out, times as text."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if v not in ({}, (), "")}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return format_time(value) if isinstance(value, datetime) else value
