"""Which predicate types are read without being asked for?

Each predicate module says so itself, in its `TYPES`; a type of our own is a record. There is one reader a type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from glasswing_attest._wire import Node
from glasswing_attest.errors import UsageError
from glasswing_attest.limits import Limits
from glasswing_attest.records import CodeRecord, EvaluationRecord, registry
from glasswing_attest.records.base import Record
from glasswing_attest.statement.predicates import (
    classic_link,
    cyclonedx,
    link,
    oms,
    openvex,
    provenance,
    provenance_v02,
    publish,
    reference,
    release,
    runtime_trace,
    scai,
    source,
    spdx,
    summary,
    svr,
    test_result,
    vulns,
)
from glasswing_attest.statement.predicates.predicate_type import PredicateType

__all__ = ["BUILT_IN", "registry_of"]


def _reader(record: type[Record]) -> Callable[[Node, Limits], object]:
    # A record counts nothing by itself: the statement's limits on bytes, depth and values bound it.
    return lambda node, _limits: record.from_predicate(node)


def _code_scope(predicate: object) -> str:
    return predicate.repository or "" if isinstance(predicate, CodeRecord) else ""


def _finished(predicate: object) -> datetime | None:
    return predicate.finished if isinstance(predicate, EvaluationRecord) else None


BUILT_IN: tuple[PredicateType, ...] = (
    *provenance.TYPES,
    *provenance_v02.TYPES,
    *classic_link.TYPES,
    *summary.TYPES,
    *source.TYPES,
    *link.TYPES,
    *reference.TYPES,
    *release.TYPES,
    *scai.TYPES,
    *test_result.TYPES,
    *runtime_trace.TYPES,
    *svr.TYPES,
    *vulns.TYPES,
    *cyclonedx.TYPES,
    *spdx.TYPES,
    *openvex.TYPES,
    *publish.TYPES,
    *oms.TYPES,
    *(
        PredicateType(
            uri=record.predicate_type,
            parse=_reader(record),
            scope=_code_scope if record is CodeRecord else None,
            told_at=_finished if record is EvaluationRecord else None,
        )
        for record in registry
    ),
)
"""The predicate types that are read without being asked for."""


def registry_of(more: Iterable[PredicateType] = ()) -> Mapping[str, PredicateType]:
    """Give the built-in types and `more`, by URI. A type is never read in two ways: raises `UsageError`."""
    types: dict[str, PredicateType] = {}
    for found in (*BUILT_IN, *more):
        if found.uri in types:
            raise UsageError(where="predicates", found=found.uri, wanted="each predicate type once")
        types[found.uri] = found
    return types
