"""What does the policy ask for?

A policy is data, in YAML, TOML, JSON or Python. It refuses emptiness and ambiguity when it is built. ::

    version: 1
    times: claimed                      # accept times that nobody witnessed; the default, `verified`, does not
    contradictions: deny                # trusted signers must not contradict each other; the default, `warn`, tells
    identities:
      trainer: {key: trainer}           # a key's name in the trust
      release: {issuer: https://token.actions.githubusercontent.com,
                github: {repository: acme/train, repository_id: 4711, workflow: release.yml, ref: refs/tags/v*}}
    builders:                           # how far who is believed for which builder; a pair that is not here: level 1
      - {id: https://ci.example/trainer, signed_by: [trainer], level: 3}
    nodes:                              # by kind; a kind without a rule denies
      model:
        require:
          - as: run
            predicate: https://slsa.dev/provenance/v1
            signed_by: {any_of: [trainer]}
            expect: {builder: https://ci.example/trainer, build_type: https://…}
            inputs: {dataset: {min: 1}, code: {exactly: 1}}
          - {as: quality, predicate: …, signed_by: …}
      dataset: {require: [{predicate: …, signed_by: {any_of: [trainer]}}]}
      tool: {trim: {reason: "covered by the lock file", until: 2027-06-30T00:00:00Z}}
    same:                               # the same value in each, in `model` here
      - [run.predicate.buildDefinition.externalParameters.commit, quality.predicate.commit]
    limits: {nodes: 1000, depth: 16}    # never more than the caller's own

What a requirement says is in `requirement`, and who signs in `signers`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from glasswing_attest._complaints import Fault, Source, path_of
from glasswing_attest._config import ConfigTime, ConfigVersion, FrozenMap, checked, load_config, parse_config
from glasswing_attest._wire import canonical_json, format_time
from glasswing_attest.errors import PolicyExpired, PolicyUnavailable, shown
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.policy.cel.condition import is_read_here
from glasswing_attest.policy.grammar import LARGEST, Part, Text, as_tuple, unknown
from glasswing_attest.policy.paths import Path as Place
from glasswing_attest.policy.paths import parse_path
from glasswing_attest.policy.requirement import (
    Alternative,
    Cardinality,
    Expect,
    NodeRule,
    Parameters,
    Requirement,
    Trim,
)
from glasswing_attest.policy.signers import Builder, GitHub, Identity, SignedBy
from glasswing_attest.statement.predicates.predicate_type import ROLES

__all__ = [
    "Alternative",
    "Builder",
    "Cardinality",
    "Expect",
    "GitHub",
    "Identity",
    "NodeRule",
    "Parameters",
    "Policy",
    "PolicyLimits",
    "Requirement",
    "Same",
    "SignedBy",
    "Trim",
]

_TOLD = 8
"""So many names of each kind are shown."""
_KINDS = ("model", "file", *ROLES)
_WHERE_SAME = ("predicate", "subject")


class PolicyLimits(Part):
    """How large a chain may be. It lowers what the caller allows, and never raises it."""

    nodes: int | None = Field(default=None, ge=1, le=LARGEST)
    depth: int | None = Field(default=None, ge=1, le=LARGEST)
    candidates: int | None = Field(default=None, ge=1, le=LARGEST)
    steps: int | None = Field(default=None, ge=1, le=LARGEST)

    @model_validator(mode="after")
    def _unambiguous(self) -> PolicyLimits:
        if not self._said:
            raise Fault(wanted=f"at least one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def _said(self) -> dict[str, int]:
        return {n: bound for n in type(self).model_fields if (bound := getattr(self, n)) is not None}

    def lowered(self, limits: Limits) -> Limits:
        """Give the caller's limits, lowered to these."""
        return dataclasses.replace(limits, **{n: min(bound, getattr(limits, n)) for n, bound in self._said.items()})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """One group of values that must be the same, for each thing of the kind that is chosen by `alternative`.

    Attributes:
        kind: the kind of thing.
        alternative: the place of the alternative, in `NodeRule.alternatives`, that has all of the labels.
        items: the place of a requirement within the alternative, and a path into the statements selected for it.
        text: how the policy writes it.
    """

    kind: str
    alternative: int
    items: tuple[tuple[int, Place], ...]
    text: tuple[str, ...]


class Policy(Part):
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
    contradictions: Literal["warn", "deny"] = "warn"
    builders: Annotated[tuple[Builder, ...], BeforeValidator(as_tuple), Field(max_length=1024)] = ()
    nodes: Annotated[
        FrozenMap[NodeRule], Field(min_length=1, json_schema_extra={"propertyNames": {"enum": list(_KINDS)}})
    ]
    same: Annotated[tuple[Annotated[tuple[Text, ...], BeforeValidator(as_tuple)], ...], BeforeValidator(as_tuple)] = ()
    limits: PolicyLimits | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        for kind, rule in self.nodes.items():
            if kind not in _KINDS:
                raise unknown("kind", kind, _KINDS, at=("nodes", kind), of_key=True)
            for place, requirement in rule.requirements:
                by = requirement.signed_by
                field = "any_of" if by.any_of is not None else "of"
                self._require_known(by.names, ("nodes", kind, *place, "signed_by", field))
        for number, builder in enumerate(self.builders):
            self._require_known(builder.signed_by, ("builders", number, "signed_by"))
        for number, items in enumerate(self.same):
            self._same(number, items)
        return self

    def _require_known(self, names: tuple[str, ...], at: Place) -> None:
        for place, name in enumerate(names):
            if name not in self.identities:
                raise unknown("identity", name, list(self.identities), at=(*at, place))

    @property
    def requirements(self) -> Iterator[tuple[Place, Requirement]]:
        """Every requirement of every kind, with its place in the policy."""
        for kind, rule in self.nodes.items():
            for place, requirement in rule.requirements:
                yield ("nodes", kind, *place), requirement

    @property
    def groups(self) -> tuple[Same, ...]:
        """What `same` asks for."""
        return tuple(self._same(number, items) for number, items in enumerate(self.same))

    def _same(self, number: int, items: tuple[str, ...]) -> Same:
        """Read one group of `same`. All of its labels stand in one alternative of one kind's rule."""
        found: list[tuple[str, Place]] = []
        for place, text in enumerate(items):
            try:
                label, *path = parse_path(text)
            except ValueError as e:
                raise Fault(at=("same", number, place), found=text, wanted=str(e)) from e
            if not isinstance(label, str) or len(path) < 2 or path[0] not in _WHERE_SAME:
                wanted = "a requirement's `as`, then .predicate or .subject, and a path below it"
                raise Fault(at=("same", number, place), found=text, wanted=wanted)
            found.append((label, tuple(path)))
        labels = {label for label, _ in found}
        groups = [
            Same(
                kind=kind,
                alternative=index,
                items=tuple((next(i for i, r in enumerate(each) if r.label == label), path) for label, path in found),
                text=items,
            )
            for kind, rule in self.nodes.items()
            for index, each in enumerate(rule.alternatives)
            if labels and labels <= {r.label for r in each}
        ]
        if len(groups) != 1:
            because = "the labels stand in several kinds" if groups else "no one kind has requirements of these labels"
            raise Fault(
                because,
                at=("same", number),
                found=", ".join(sorted(labels)) or "nothing",
                wanted="labels (`as`) that stand together in the rule of one kind, and in one alternative of it",
            )
        (group,) = groups
        several = {self.nodes[group.kind].alternatives[group.alternative][i].signed_by.count for i, _ in group.items}
        if len(set(found)) != len(found) or (len(found) == 1 and several == {1}):
            raise Fault("it compares a value with itself", at=("same", number), found=", ".join(items))
        return group

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
        plain = _plain(self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=False))
        if self.contradictions == "warn":
            del plain["contradictions"]  # came later than the first policies, whose digests stand in reports
        return canonical_json(plain)

    @property
    def digest(self) -> str:
        """The sha256 of `to_json`, in hex: stands in every report."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def require_readable(self) -> None:
        """Raise `PolicyUnavailable` for a policy with a `where`, while what reads it is not installed."""
        for place, requirement in self.requirements:
            if requirement.where is not None and not is_read_here():
                raise PolicyUnavailable(where=path_of((*place, "where")), wanted="cel-python and google-re2")

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
