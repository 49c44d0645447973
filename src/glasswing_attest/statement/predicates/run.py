"""What does every version of provenance say of a run?

SLSA provenance v1, v0.2 and v0.1 spell it differently, and mean the same: a builder carried out a build of some type,
at some time. What is asked of a run is asked in these words, whichever version said it. ::

    here           v1                                  v0.2                        v0.1
    builder_id     runDetails.builder.id               builder.id                  builder.id
    build_type     buildDefinition.buildType           buildType                   recipe.type
    invocation_id  runDetails.metadata.invocationId    metadata.buildInvocationId  metadata.buildInvocationId
    started_on     runDetails.metadata.startedOn       metadata.buildStartedOn     metadata.buildStartedOn
    finished_on    runDetails.metadata.finishedOn      metadata.buildFinishedOn    metadata.buildFinishedOn
    external       buildDefinition.externalParameters  of invocation: parameters,  of recipe: arguments,
                                                       environment, and of its     environment, entryPoint,
                                                       configSource: uri,          and the URI of its
                                                       entryPoint                  definedInMaterial
    source         what the documentation of the build type calls the source; else the one repository of its code
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from glasswing_attest._wire import JsonValue
from glasswing_attest.statement.predicates.fields import NOTHING

__all__ = [
    "IN_TOTO_PROVENANCE_V01",
    "NO_SOURCE",
    "PROVENANCES",
    "PROVENANCE_V01",
    "PROVENANCE_V02",
    "PROVENANCE_V1",
    "BuildSource",
    "Run",
    "told_at",
]

PROVENANCE_V1 = "https://slsa.dev/provenance/v1"
PROVENANCE_V02 = "https://slsa.dev/provenance/v0.2"
PROVENANCE_V01 = "https://slsa.dev/provenance/v0.1"
IN_TOTO_PROVENANCE_V01 = "https://in-toto.io/Provenance/v0.1"

PROVENANCES = (PROVENANCE_V1, PROVENANCE_V02, PROVENANCE_V01, IN_TOTO_PROVENANCE_V01)
"""The predicate types that are read as a `Run`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSource:
    """What was built, as provenance says it.

    Attributes:
        uri: the repository, as it stands there; "" where nothing says it.
        ref: the branch or tag, fully qualified; "" where nothing says it.
    """

    uri: str = ""
    ref: str = ""


NO_SOURCE = BuildSource()
"""Nothing says what was built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run: the signed (`builder_id`, `build_type`, `invocation_id`), and when it was. Each version derives from it.

    A base class and not a protocol, so that nothing is taken for a run because its fields happen to be called so.

    Attributes:
        build_type: how to read the parameters; "" only in v0.1, where a recipe may be left out.
        builder_id: who is responsible for the run.
        invocation_id: which run, for this builder; "" where it is not said.
        started_on: when it began, as the builder says.
        finished_on: when it ended, as the builder says.
    """

    build_type: str
    builder_id: str
    invocation_id: str = ""
    started_on: datetime | None = None
    finished_on: datetime | None = None

    @property
    def external(self) -> Mapping[str, JsonValue]:
        """What whoever asked for the run decided."""
        return NOTHING

    @property
    def source(self) -> BuildSource:
        """What was built."""
        return NO_SOURCE


def told_at(run: object) -> datetime | None:
    """Give when a run was over, as its builder says; where that is not said, when it began."""
    return (run.finished_on or run.started_on) if isinstance(run, Run) else None
