"""What happened on the system while it was made?

in-toto runtime trace (in-toto attestation, spec/predicates/runtime-trace.md), predicate type
``https://in-toto.io/attestation/runtime-trace/v0.1``. ::

    monitor:          {type, configSource?: <ResourceDescriptor>, tracePolicy?: {…}}
    monitoredProcess: {hostID, type, event}
    monitorLog:       {process?: [{…}, …], network?: [{…}, …], fileAccess?: [<ResourceDescriptor>, …]}    one at least
    metadata?:        {buildStartedOn?, buildFinishedOn?}

The entries of ``process`` and ``network`` are the monitor's own, and kept as they are. A log that is absent was not
kept; one that is empty saw nothing. That is not the same, so None and () are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import (
    NOTHING,
    empty_object,
    get_descriptor,
    get_descriptors,
    get_object,
    get_time,
    need_text,
    require_said,
    require_zone,
    unless_empty,
    when,
)
from glasswing_attest.statement.predicates.predicate_type import PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["RUNTIME_TRACE_V01", "TYPES", "RuntimeTrace"]

RUNTIME_TRACE_V01 = "https://in-toto.io/attestation/runtime-trace/v0.1"

_Events = tuple[Mapping[str, JsonValue], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeTrace:
    """What a monitor saw of one process: None where it kept no such log, empty where it saw nothing.

    >>> trace = RuntimeTrace(
    ...     monitor_type="https://example.com/monitor/v1",
    ...     host_id="https://ci.example",
    ...     process_type="https://example.com/train/v1",
    ...     event="run-1",
    ...     network=(),
    ... )
    >>> trace.to_predicate()["monitorLog"]
    {'network': []}
    """

    monitor_type: str
    host_id: str
    process_type: str
    event: str
    config_source: ResourceDescriptor | None = None
    trace_policy: Mapping[str, JsonValue] = field(default_factory=lambda: NOTHING, hash=False)
    process: _Events | None = field(default=None, hash=False)
    network: _Events | None = field(default=None, hash=False)
    file_access: tuple[ResourceDescriptor, ...] | None = None
    started_on: datetime | None = None
    finished_on: datetime | None = None

    def __post_init__(self) -> None:
        if self.process is None and self.network is None and self.file_access is None:
            raise FieldMissing(where="monitorLog", wanted=_LOGS)
        require_said(self.monitor_type, "monitor.type")
        require_said(self.host_id, "monitoredProcess.hostID")
        require_said(self.process_type, "monitoredProcess.type")
        require_said(self.event, "monitoredProcess.event")
        require_zone(self.started_on, "metadata.buildStartedOn")
        require_zone(self.finished_on, "metadata.buildFinishedOn")

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/attestation/runtime-trace/v0.1``."""
        return RUNTIME_TRACE_V01

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> RuntimeTrace:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        monitor, process, log = node.need("monitor"), node.need("monitoredProcess"), node.need("monitorLog")
        if all(log.get(name) is None for name in ("process", "network", "fileAccess")):
            raise FieldMissing(kind=node.kind, where=log.path, wanted=_LOGS)
        metadata = empty_object(node, "metadata")
        return cls(
            monitor_type=need_text(monitor, "type"),
            host_id=need_text(process, "hostID"),
            process_type=need_text(process, "type"),
            event=need_text(process, "event"),
            config_source=get_descriptor(monitor, "configSource", limits),
            trace_policy=get_object(monitor, "tracePolicy"),
            process=_events(log, "process"),
            network=_events(log, "network"),
            file_access=None if log.get("fileAccess") is None else get_descriptors(log, "fileAccess", limits),
            started_on=get_time(metadata, "buildStartedOn"),
            finished_on=get_time(metadata, "buildFinishedOn"),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as in-toto's JSON object. A log that is empty is written, one that is None is not."""
        logs: dict[str, list[dict[str, object]] | None] = {
            "process": None if self.process is None else [dict(event) for event in self.process],
            "network": None if self.network is None else [dict(event) for event in self.network],
            "fileAccess": None if self.file_access is None else [file.to_dict() for file in self.file_access],
        }
        monitor = {
            "type": self.monitor_type,
            "configSource": self.config_source and self.config_source.to_dict(),
            "tracePolicy": dict(self.trace_policy),
        }
        metadata = {
            "buildStartedOn": when(self.started_on),
            "buildFinishedOn": when(self.finished_on),
        }
        return {
            "monitor": unless_empty(monitor),
            "monitoredProcess": {"hostID": self.host_id, "type": self.process_type, "event": self.event},
            "monitorLog": {name: log for name, log in logs.items() if log is not None},
            **unless_empty({"metadata": unless_empty(metadata)}),
        }


_LOGS = "process, network or fileAccess"


def _events(log: Node, name: str) -> _Events | None:
    found = log.get(name)
    return None if found is None else tuple(MappingProxyType(event.object()) for event in found.array())


TYPES = (
    PredicateType(
        uri=RUNTIME_TRACE_V01,
        parse=lambda node, limits: RuntimeTrace.from_predicate(node, limits=limits),
        told_at=attrgetter("finished_on"),
    ),
)
