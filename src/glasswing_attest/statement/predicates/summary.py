"""What did somebody's verification conclude?

SLSA verification summary (VSA) v1 (SLSA v1.2, verification_summary.md), predicate type
``https://slsa.dev/verification_summary/v1``. ::

    {"verifier": {"id": "<URI>", "version"?: {"<component>": "<version>", …}},
     "timeVerified"?: <Timestamp>,
     "resourceUri": "<URI>",
     "policy": <ResourceDescriptor with uri>,
     "inputAttestations"?: [<ResourceDescriptor with digest>, …],
     "verificationResult": "PASSED" | "FAILED",
     "verifiedLevels": ["<SlsaResult>", …],
     "dependencyLevels"?: {"<SlsaResult>": <count>, …},
     "slsaVersion"?: "<major>.<minor>"}

Whoever makes one must keep all of SLSA's rules. One that others made is read as far as a verifier needs it, and the
rest as it stands: what is missing there is no claim, and no claim is never a yes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType

from glasswing_attest._wire import Node
from glasswing_attest.errors import FieldMissing, FieldRefused
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import (
    NOTHING,
    get_descriptors,
    get_text_map,
    get_time,
    need_text,
    require_said,
    require_texts,
    require_zone,
    unless_empty,
    when,
)
from glasswing_attest.statement.predicates.predicate_type import PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["FAILED", "OLD_SUMMARIES", "PASSED", "SUMMARY_V1", "TYPES", "VerificationSummary", "number_of", "track_of"]

SUMMARY_V1 = "https://slsa.dev/verification_summary/v1"
OLD_SUMMARIES = tuple(SUMMARY_V1.replace("/v1", f"/{version}") for version in ("v0.1", "v0.2", "v1-rc1", "v1-rc2"))
"""Versions that tell a policy's level, and not the artifact's. They are not read."""

PASSED, FAILED = "PASSED", "FAILED"

_LEVEL = re.compile(r"(SLSA_[A-Z][A-Z0-9_]*?)_LEVEL_(?:[0-9]+|UNEVALUATED)")
_NUMBERED = re.compile(r"_LEVEL_[0-9]\Z")
# The only values of SLSA's own besides levels (SLSA v1.2, verified-properties.md).
_PROPERTIES = frozenset({"SLSA_SOURCE_TWO_PARTY_REVIEWED", "SLSA_BUILD_REPRODUCED"})
_VERSION = re.compile(r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)")
_UINT64 = 2**64


def track_of(level: str) -> str:
    """Give the track of a SLSA level; "" for anything else.

    >>> track_of("SLSA_SOURCE_LEVEL_3"), track_of("ORG_SOURCE_REVIEWED")
    ('SLSA_SOURCE', '')
    """
    found = _LEVEL.fullmatch(level)
    return found[1] if found else ""


def number_of(level: str) -> int:
    """Give the number of a SLSA level, a single digit; -1 for anything else, which no level is lower than.

    >>> number_of("SLSA_BUILD_LEVEL_3"), number_of("SLSA_BUILD_LEVEL_UNEVALUATED"), number_of("SLSA_BUILD_LEVEL_03")
    (3, -1, -1)
    """
    return int(level[-1]) if track_of(level) and _NUMBERED.search(level) else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSummary:
    """The conclusion of a verification.

    Attributes:
        verifier_id: who verified.
        resource_uri: what was verified, by the URI from which it is fetched.
        result: ``PASSED`` or ``FAILED``.
        levels: what was reached, the highest level of each track; ``FAILED`` alone where it failed.
        time_verified: when.
        verifier_version: the versions of the verifier's parts.
        policy: against which policy; its URI must be said, its digest should.
        input_attestations: the attestations that were used: none, or all of them, each with its digest.
        dependency_levels: how many of the transitive dependencies reached which level. None makes no claim; an empty
            mapping says that there are no dependencies at all.
        slsa_version: the version of SLSA that was verified against, such as ``1.2``.

    Raises:
        FieldMissing: a field that SLSA requires is empty.
        FieldRefused: a field says what SLSA forbids.

    >>> VerificationSummary(
    ...     verifier_id="https://verifier.example",
    ...     resource_uri="pkg:pypi/train@1.0",
    ...     result="PASSED",
    ...     levels=("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_2"),
    ...     policy=ResourceDescriptor(uri="https://verifier.example/policy"),
    ... )
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.FieldRefused: verifiedLevels[1]: ... wanted one level of each track ...
    """

    verifier_id: str
    resource_uri: str
    result: str
    levels: tuple[str, ...]
    time_verified: datetime | None = None
    verifier_version: Mapping[str, str] = field(default_factory=lambda: NOTHING, hash=False)
    policy: ResourceDescriptor | None = None
    input_attestations: tuple[ResourceDescriptor, ...] = ()
    dependency_levels: Mapping[str, int] | None = field(default=None, hash=False)
    slsa_version: str = ""
    made_by_others: InitVar[bool] = False

    def __post_init__(self, made_by_others: bool) -> None:
        if not made_by_others:
            self._require_sound()

    @property
    def predicate_type(self) -> str:
        """``https://slsa.dev/verification_summary/v1``."""
        return SUMMARY_V1

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> VerificationSummary:
        """Read a predicate, one that others made. Raises `MalformedError` with the path, or `LimitError`."""
        verifier, policy = node.need("verifier"), node.get("policy")
        levels = node.get_array("verifiedLevels")
        limits.check("dependencies", len(levels), where=f"{node.path}.verifiedLevels")
        return cls(
            verifier_id=need_text(verifier, "id"),
            resource_uri=need_text(node, "resourceUri"),
            result=node.need("verificationResult").one_of({PASSED: PASSED, FAILED: FAILED}),
            levels=tuple(level.text() for level in levels),
            time_verified=get_time(node, "timeVerified"),
            verifier_version=get_text_map(verifier, "version"),
            policy=None if policy is None else ResourceDescriptor.parse(policy, limits=limits, must_identify=False),
            input_attestations=get_descriptors(node, "inputAttestations", limits),
            dependency_levels=_counts(node, limits),
            slsa_version=node.get_text("slsaVersion"),
            made_by_others=True,
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as SLSA's JSON object. Raises `MalformedError` where it was read and breaks SLSA's rules.

        Counts are written as integers, as SLSA has them: beyond 2^53−1 they are refused when the statement is made.
        """
        self._require_sound()
        counts = self.dependency_levels
        return {
            "verifier": unless_empty({"id": self.verifier_id, "version": dict(self.verifier_version)}),
            "resourceUri": self.resource_uri,
            "policy": {} if self.policy is None else self.policy.to_dict(),
            "verificationResult": self.result,
            "verifiedLevels": list(self.levels),
            **unless_empty(
                {
                    "timeVerified": when(self.time_verified),
                    "inputAttestations": [a.to_dict() for a in self.input_attestations],
                    "slsaVersion": self.slsa_version,
                }
            ),
            # Said although it is empty: that there are no dependencies is a claim.
            **({} if counts is None else {"dependencyLevels": dict(counts)}),
        }

    def _require_sound(self) -> None:
        """Refuse what SLSA forbids to whoever makes a summary."""
        require_said(self.verifier_id, "verifier.id")
        require_said(self.resource_uri, "resourceUri")
        require_texts(self.verifier_version, "verifier.version")
        require_zone(self.time_verified, "timeVerified")
        if self.policy is None or not self.policy.uri:
            raise FieldMissing(where="policy.uri")
        for number, attestation in enumerate(self.input_attestations):
            if not attestation.digest:
                raise FieldMissing(where=f"inputAttestations[{number}].digest")
        if self.result not in (PASSED, FAILED):
            raise FieldRefused(where="verificationResult", found=self.result, wanted=f"{PASSED} or {FAILED}")
        _require_levels(self.levels, self.result)
        for level, count in (self.dependency_levels or {}).items():
            _require_result(level, "dependencyLevels")
            if type(count) is not int or not 0 <= count < _UINT64:
                where = f"dependencyLevels.{level}"
                raise FieldRefused(where=where, found=count, wanted="an unsigned 64-bit integer")
        if self.slsa_version and not _VERSION.fullmatch(self.slsa_version):
            raise FieldRefused(where="slsaVersion", found=self.slsa_version, wanted="<major>.<minor>, such as 1.2")


def _require_levels(levels: tuple[str, ...], result: str) -> None:
    if not levels:
        raise FieldMissing(where="verifiedLevels")
    if (result == FAILED or FAILED in levels) and (result, levels) != (FAILED, (FAILED,)):
        wanted = f"{FAILED} alone, and only with the result {FAILED}"
        raise FieldRefused(where="verifiedLevels", found=", ".join(levels), wanted=wanted)
    tracks: dict[str, str] = {}
    for number, level in enumerate(levels):
        where = f"verifiedLevels[{number}]"
        _require_result(level, where)
        # What is no level of a track is its own.
        known = tracks.setdefault(track_of(level) or level, level)
        if level in levels[:number] or known != level:
            raise FieldRefused(where=where, found=f"{known} and {level}", wanted="one level of each track")


def _require_result(level: str, where: str) -> None:
    if not level:
        raise FieldMissing(where=where)
    if level.startswith("SLSA_") and not track_of(level) and level not in _PROPERTIES:
        wanted = "SLSA_<TRACK>_LEVEL_<n>, or a value of your own that does not begin with SLSA_"
        raise FieldRefused(where=where, found=level, wanted=wanted)


def _counts(node: Node, limits: Limits) -> Mapping[str, int] | None:
    """Read the counts exactly: bare integers, or strings as proto3 JSON writes them."""
    found = node.get("dependencyLevels")
    if found is None:
        return None
    limits.check("dependencies", len(found.object()), where=found.path)
    return MappingProxyType({level: count.uint64() for level, count in found.members()})


def _scope(predicate: object) -> str:
    return predicate.resource_uri if isinstance(predicate, VerificationSummary) else ""


TYPES = (
    PredicateType(
        uri=SUMMARY_V1,
        parse=lambda node, limits: VerificationSummary.from_predicate(node, limits=limits),
        scope=_scope,
        told_at=attrgetter("time_verified"),
    ),
)
