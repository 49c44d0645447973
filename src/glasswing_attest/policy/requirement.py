"""What must be said of a thing of one kind, and what by?

::

    require:                            # every one of these …
      - as: run
        predicate: https://slsa.dev/provenance/v1
        signed_by: {any_of: [trainer]}
        expect: {builder: https://ci.example/trainer, level: 2, source: https://github.com/acme/train,
                 parameters: {equal: {config: base.yaml}, allow: [seed]}}
        inputs: {dataset: {min: 1}, code: {exactly: 1}}
        where: predicate.buildDefinition.externalParameters.epochs <= 10
        max_age: 30d
    any_of: [{require: [...]}, {require: [...]}]        # … or every one of one of these
    trim: {reason: "covered by the lock file", until: 2027-06-30T00:00:00Z}         # … or nothing
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from glasswing_attest._complaints import Fault, path_of, suggestion
from glasswing_attest._config import ConfigTime, Frozen, FrozenMap
from glasswing_attest._wire import JsonValue, canonical_json
from glasswing_attest.errors import MalformedError
from glasswing_attest.policy.cel.condition import is_read_here, read
from glasswing_attest.policy.cel.tree import NotRead
from glasswing_attest.policy.durations import PATTERN, duration
from glasswing_attest.policy.grammar import LARGEST, Names, Part, Pattern, Ref, Text, as_tuple, unknown
from glasswing_attest.policy.paths import Path, parse_path
from glasswing_attest.policy.signers import SignedBy
from glasswing_attest.records import CodeRecord, DataRecord, EvaluationRecord, ModelRecord
from glasswing_attest.statement.predicates.names import SHORT_NAMES, predicate_uri
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.release import RELEASE_V01, RELEASE_V02
from glasswing_attest.statement.predicates.run import PROVENANCES
from glasswing_attest.statement.predicates.source import SOURCE_PROVENANCE_DRAFT, SOURCE_PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import OLD_SUMMARIES, SUMMARY_V1
from glasswing_attest.statement.predicates.svr import SVR_V01, SVR_V02
from glasswing_attest.statement.repository import repository, revision

__all__ = ["Alternative", "Cardinality", "Expect", "NodeRule", "Parameters", "Requirement", "Trim"]

EVALUATION = EvaluationRecord.predicate_type
_RELEASES = (RELEASE_V02, RELEASE_V01)
_SOURCES = (SOURCE_PROVENANCE_V1, SOURCE_PROVENANCE_DRAFT)
_VERSIONED = (CodeRecord.predicate_type, DataRecord.predicate_type, ModelRecord.predicate_type)
# What may be expected of which predicate type. One that is not here has no expectations.
_EXPECTED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(PROVENANCES, frozenset({"builder", "build_type", "level", "source", "ref", "parameters"})),
    SUMMARY_V1: frozenset({"verifier", "resource", "level", "ref", "policy", "policy_digest"}),
    **dict.fromkeys((SVR_V01, SVR_V02), frozenset({"verifier", "properties"})),
    **dict.fromkeys(_SOURCES, frozenset({"resource", "ref"})),
    **dict.fromkeys(_RELEASES, frozenset({"resource", "version_at_least"})),
    EVALUATION: frozenset({"metric", "at_least", "at_most"}),
    **dict.fromkeys(_VERSIONED, frozenset({"version_at_least"})),
}

_MAX_DEPTH = 32
_BUILD_LEVEL = re.compile(r"SLSA_BUILD_LEVEL_([1-3])")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,100})?")


def _duration(text: object) -> object:
    if isinstance(text, int) and not isinstance(text, bool):
        raise Fault(
            "it has no unit", found=text, wanted=f"a positive integer and one of s, m, h, d, w, such as {text}d"
        )
    try:
        return duration(text) and text if isinstance(text, str) else text
    except ValueError as e:
        raise Fault(found=text, wanted=str(e)) from e


def _condition(text: str) -> str:
    if is_read_here():  # where it is not, whoever verifies refuses the policy
        try:
            read(text)
        except NotRead as e:
            place = "" if e.line is None else f", at line {e.line}, column {e.column} of the condition"
            raise Fault(f"{e.because}{place}", found=text, wanted="a condition in CEL") from e
    return text


def _decimal(text: object) -> object:
    """Numbers are exact: a file's integers are, and everything else is written as text."""
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if isinstance(text, str) and not _DECIMAL.fullmatch(text):
        raise Fault(found=text, wanted='a decimal number as text, such as "0.95"')
    return text


def _version(text: str) -> str:
    try:
        Version(text)
    except InvalidVersion as e:
        raise Fault(found=text, wanted="a version as PEP 440 orders them, such as 2.1.0") from e
    return text


def _path(text: str) -> str:
    try:
        parse_path(text)
    except ValueError as e:
        raise Fault(found=text, wanted=str(e)) from e
    return text


def _level(value: object) -> object:
    if isinstance(value, list | tuple):
        levels = tuple(value)
        if not levels or len(set(map(str, levels))) != len(levels):
            raise Fault(
                found=", ".join(map(str, levels)) or "an empty list", wanted="each level once, and at least one"
            )
        return levels
    return value


def _frozen(value: object, at: Path = ()) -> Any:
    """Freeze a JSON value that a parameter must be equal to. What is unset equals nothing, so it is refused."""
    if len(at) > _MAX_DEPTH:
        raise Fault("it is nested too deeply", at=at[:1])
    if isinstance(value, Mapping) and value and all(isinstance(name, str) and _is_exact(name) for name in value):
        return Frozen({name: _frozen(member, (*at, name)) for name, member in value.items()})
    if isinstance(value, list | tuple) and value:
        return tuple(_frozen(item, (*at, index)) for index, item in enumerate(value))
    within_list = bool(at) and isinstance(at[-1], int)
    if isinstance(value, bool | int) or (isinstance(value, str) and (value or within_list)):
        if _is_exact(value):
            return value
        do = "allow the parameter, and ask for its value with where"
        raise Fault(at=at, found=value, wanted="what every reader of JSON reads alike", do=do)
    found = type(value).__name__ if value or value == 0 else "nothing"
    raise Fault(at=at, found=found, wanted="a text, an integer, true, false, or a list or mapping of them")


def _is_exact(value: bool | int | str) -> bool:
    """Tell whether the policy can be written with it, which is what its digest is of."""
    try:
        canonical_json(value)
    except MalformedError:
        return False
    return True


def _frozen_members(value: object) -> object:
    return {name: _frozen(item, (name,)) for name, item in value.items()} if isinstance(value, Mapping) else value


_Path = Annotated[Text, AfterValidator(_path)]
_Json: TypeAlias = Any
_Decimal = Annotated[
    str,
    BeforeValidator(_decimal),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": f"^{_DECIMAL.pattern}$"}, {"type": "integer"}]}),
]


class Cardinality(Part):
    """How many distinct inputs of a role there must be."""

    min: int | None = Field(default=None, ge=0, le=LARGEST)
    max: int | None = Field(default=None, ge=0, le=LARGEST)
    exactly: int | None = Field(default=None, ge=0, le=LARGEST)

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


class Parameters(Part):
    """Which external parameters a run may have: `equal` to these values, or any value where `allow` says so.

    Whatever else a run's parameters say is refused, since who runs a build decides them.
    """

    equal: Annotated[FrozenMap[_Json], BeforeValidator(_frozen_members)] = Frozen({})
    allow: Annotated[tuple[_Path, ...], BeforeValidator(as_tuple)] = ()

    @model_validator(mode="after")
    def _unambiguous(self) -> Parameters:
        for name in self.equal:
            try:
                parse_path(name)
            except ValueError as e:
                raise Fault(at=("equal", name), found=name, wanted=str(e), of_key=True) from e
        wanted = self.wanted
        paths = [*wanted, *self.allowed]
        if len(set(paths)) != len(paths):
            twice = next(p for p in paths if paths.count(p) > 1)
            raise Fault(found=path_of(twice), wanted="each parameter once")
        for path in paths:
            above = next((path[:length] for length in range(1, len(path)) if path[:length] in wanted), None)
            if above is not None:
                because = f"{path_of(above)} must be equal to a value, which is whole"
                raise Fault(because, found=path_of(path), wanted="nothing below it")
        return self

    @property
    def wanted(self) -> Mapping[Path, JsonValue]:
        """What must stand at which path."""
        return {parse_path(name): _thawed(value) for name, value in self.equal.items()}

    @property
    def allowed(self) -> tuple[Path, ...]:
        """At and below which paths anything may stand."""
        return tuple(map(parse_path, self.allow))


def _thawed(value: Any) -> JsonValue:
    if isinstance(value, Mapping):
        return {name: _thawed(member) for name, member in value.items()}
    return [_thawed(item) for item in value] if isinstance(value, tuple) else value


class Expect(Part):
    """What the predicate must say.

    `builder`, `build_type`, `source` and `parameters` are provenance's; `verifier`, `resource`, `policy` and
    `policy_digest` a verification summary's; `level` and `ref` both. `resource` and `ref` are also source
    provenance's, and `resource` a release's; `verifier` and `properties` a simple verification result's. `metric` with
    `at_least` or `at_most` is an evaluation's. `version_at_least` is a release's, and that of records with a version.
    """

    builder: Pattern | None = None
    build_type: Text | None = None
    source: Text | None = None
    parameters: Parameters | None = None
    verifier: Text | None = None
    resource: Text | None = None
    level: Annotated[int | Text | tuple[Text, ...] | None, BeforeValidator(_level)] = None
    ref: Ref | None = None
    policy: Text | None = None
    policy_digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    properties: Annotated[Names, Field(min_length=1)] | None = None
    metric: Text | None = None
    at_least: _Decimal | None = None
    at_most: _Decimal | None = None
    version_at_least: Annotated[Text, AfterValidator(_version)] | None = None

    @model_validator(mode="after")
    def _unambiguous(self) -> Expect:
        if not self.said:
            raise Fault("it says nothing")
        bounds = [b for b in (self.at_least, self.at_most) if b is not None]
        if (self.metric is None) is not (not bounds):
            raise Fault("metric goes with at_least or at_most")
        if self.at_least is not None and self.at_most is not None and Decimal(self.at_least) > Decimal(self.at_most):
            raise Fault("at_least is greater than at_most", found=f"{self.at_least} and {self.at_most}")
        return self

    @property
    def said(self) -> set[str]:
        """The names of the expectations that are there."""
        return {name for name in type(self).model_fields if getattr(self, name) is not None}

    @property
    def build_level(self) -> int:
        """The SLSA build level that a run must have; 0 where none is asked for."""
        if isinstance(self.level, int):
            return self.level
        found = _BUILD_LEVEL.fullmatch(self.level) if isinstance(self.level, str) else None
        return 0 if found is None else int(found[1])

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that a verification summary must tell."""
        if isinstance(self.level, tuple):
            return self.level
        return (self.level,) if isinstance(self.level, str) else ()


class Requirement(Part):
    """One attestation that must be there: of which type, signed by whom, saying what, from which inputs."""

    label: Text | None = Field(default=None, alias="as")
    predicate: Annotated[
        Text,
        AfterValidator(predicate_uri),
        WithJsonSchema({"anyOf": [{"enum": list(SHORT_NAMES)}, {"type": "string", "pattern": ":"}]}),
    ]
    signed_by: SignedBy
    expect: Expect | None = None
    inputs: Annotated[FrozenMap[Cardinality], Field(json_schema_extra={"propertyNames": {"enum": list(ROLES)}})] = (
        Frozen({})
    )
    where: Annotated[str, Field(min_length=1, max_length=8192), AfterValidator(_condition)] | None = None
    max_age: Annotated[str, BeforeValidator(_duration), Field(json_schema_extra={"pattern": f"^{PATTERN}$"})] | None = (
        None
    )

    @property
    def oldest(self) -> timedelta | None:
        """How old it may be at most; None for any age."""
        return None if self.max_age is None else duration(self.max_age)

    @model_validator(mode="after")
    def _complete(self) -> Requirement:
        said = set() if self.expect is None else self.expect.said
        is_run = self.predicate in PROVENANCES
        if is_run and "builder" not in said:
            # SLSA v1.2, verifying-artifacts.md, step 1: only specific pairs of signer and builder.id are accepted.
            raise Fault("a provenance rule needs expect.builder", at=("expect",))
        if self.inputs and not is_run:
            advice = suggestion(self.predicate, PROVENANCES)
            raise Fault("inputs go with provenance only", at=("inputs",), of_key=True, found=self.predicate, do=advice)
        if self.predicate in OLD_SUMMARIES:
            because = "a summary older than v1 does not say which levels were verified, and is not read"
            raise Fault(because, at=("predicate",), found=self.predicate, wanted=SUMMARY_V1)
        if self.predicate == SUMMARY_V1 and not {"verifier", "resource"} <= said:
            raise Fault("a verification summary rule needs expect.verifier and expect.resource", at=("expect",))
        if self.predicate in (SVR_V01, SVR_V02) and said != {"verifier", "properties"}:
            # A result lists whatever its verifier found: another property of another verifier is not what is asked.
            because = "a rule for a simple verification result needs expect.verifier and expect.properties"
            raise Fault(because, at=("expect",))
        if self.predicate in (*_SOURCES, *_RELEASES) and "resource" not in said:
            # Whoever signs these speaks for many repositories and packages.
            raise Fault("a rule for this type needs expect.resource", at=("expect",))
        allowed = _EXPECTED.get(self.predicate, frozenset())
        if vain := min(said - allowed, default=""):
            because = f"expect.{vain} does not apply to {self.predicate}"
            raise Fault(because, at=("expect", vain), of_key=True, wanted=", ".join(sorted(allowed)) or "no expect")
        if self.expect is not None:
            self._consistent(self.expect, is_run=is_run)
        for role in self.inputs:
            if role not in ROLES:
                raise unknown("role", role, ROLES, at=("inputs", role), of_key=True)
        return self

    def _consistent(self, expect: Expect, *, is_run: bool) -> None:
        """Refuse an expectation that its predicate type could not meet, or not as its author thought."""
        level, ref, resource = expect.level, expect.ref, expect.resource
        if level is not None and is_run and expect.build_level not in (1, 2, 3):
            raise Fault(at=("expect", "level"), found=str(level), wanted="1, 2 or 3")
        if not is_run and isinstance(level, int):
            wanted = "the level as the summary writes it, such as SLSA_BUILD_LEVEL_3"
            raise Fault(at=("expect", "level"), found=str(level), wanted=wanted)
        if expect.source is not None and "*" in expect.source:
            raise Fault(
                "there are no patterns here", at=("expect", "source"), found=expect.source, wanted="one repository"
            )
        if expect.source is not None and not repository(expect.source):
            wanted = "the URI of a repository, such as https://github.com/acme/train"
            raise Fault(at=("expect", "source"), found=expect.source, wanted=wanted)
        if expect.source is not None and (revision(expect.source) or "#" in expect.source):
            because, wanted = "it names more than a repository", repository(expect.source)
            do = "say the branch or tag in ref"
            raise Fault(because, at=("expect", "source"), found=expect.source, wanted=wanted, do=do)
        if not is_run and ref is not None and "*" in ref:
            raise Fault("there are no patterns here", at=("expect", "ref"), found=ref, wanted="one reference, exactly")
        if resource is not None and expect.version_at_least is not None and "@" in resource.rpartition("/")[2]:
            because = "with version_at_least the package is named without its version"
            raise Fault(because, at=("expect", "resource"), found=resource)


class Trim(Part):
    """Cut the chain here, in so many words. After `until` the cut no longer holds."""

    reason: Text
    until: ConfigTime | None = None


_Requirements = Annotated[tuple[Requirement, ...], BeforeValidator(as_tuple)]


class Alternative(Part):
    """One of several ways to stand: every requirement of it."""

    require: Annotated[_Requirements, Field(min_length=1)]


class NodeRule(Part):
    """What a node of one kind needs: every requirement, every requirement of one alternative, or to be trimmed."""

    require: _Requirements = ()
    any_of: Annotated[tuple[Alternative, ...], BeforeValidator(as_tuple)] = ()
    trim: Trim | None = None

    @property
    def alternatives(self) -> tuple[tuple[Requirement, ...], ...]:
        """What a thing may stand on: all requirements of any one of these. Nothing where the kind is trimmed."""
        if self.any_of:
            return tuple(each.require for each in self.any_of)
        return (self.require,) if self.require else ()

    @property
    def requirements(self) -> tuple[tuple[Path, Requirement], ...]:
        """Every requirement of every alternative, with its place in the rule."""
        if self.any_of:
            return tuple(
                (("any_of", one, "require", number), requirement)
                for one, each in enumerate(self.any_of)
                for number, requirement in enumerate(each.require)
            )
        return tuple((("require", number), requirement) for number, requirement in enumerate(self.require))

    @model_validator(mode="after")
    def _unambiguous(self) -> NodeRule:
        # An empty list beside the one would be taken for nothing, and may have been meant for something.
        told = [field for field in ("require", "any_of", "trim") if field in self.model_fields_set]
        told = [field for field in told if getattr(self, field) is not None]
        if len(told) != 1 or not getattr(self, told[0]):
            raise Fault(wanted="exactly one of require (not empty), any_of and trim")
        if len(self.any_of) == 1:
            raise Fault("one alternative is none", at=("any_of",), wanted="at least two, or require")
        labels = [r.label for _, r in self.requirements if r.label is not None]
        if len(set(labels)) != len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise Fault("each `as` stands once in the rule of a kind", found=twice)
        return self
