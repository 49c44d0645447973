"""What do we say of an evaluation: what one run of a harness measured of a model, on one dataset?

The predicate ``evaluation/v1``, message ``glasswing.attest.v1.EvaluationRecord``; see
``docs/spec/evaluation-record.md``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pydantic

from glasswing_attest._proto import evaluation_pb2
from glasswing_attest.artifact.manifest import Facts
from glasswing_attest.records.base import (
    PREDICATE_BASE,
    DecimalText,
    DigestMap,
    Name,
    Part,
    Record,
    ResourceReference,
    Text,
    TextMap,
    Time,
    Tuple,
    UInt64,
)

if TYPE_CHECKING:
    from typing import Self

__all__ = ["EvaluationRecord", "Harness", "Metric"]


class Harness(Part):
    """The tool that measured.

    Attributes:
        name: what it is called.
        version: its version.
        uri: where it is.
        digest: its digests, as in-toto's DigestSet.
    """

    message = evaluation_pb2.Harness

    name: Name
    version: Text | None = None
    uri: Text | None = None
    digest: DigestMap = Facts()


class Metric(Part):
    """One figure that was measured.

    >>> Metric(name="accuracy", value="0.9300").decimal
    Decimal('0.9300')

    Attributes:
        name: what was measured.
        value: the value, written out as an exact decimal.
        unit: its unit, as a UCUM code.
        standard_error: how far it may be off, as an exact decimal.
        part: the part of the samples that it is about; all of them, if None.
    """

    message = evaluation_pb2.Metric

    name: Name
    value: DecimalText
    unit: Text | None = None
    standard_error: DecimalText | None = None
    part: Text | None = None

    @property
    def decimal(self) -> Decimal:
        """The value as an exact, finite number."""
        return Decimal(self.value)

    @pydantic.model_validator(mode="after")
    def _error_is_a_distance(self) -> Self:
        if self.standard_error is not None and self.standard_error.startswith("-"):
            raise ValueError("a standard error is not negative")
        return self


class EvaluationRecord(Record):
    """What one run of a harness measured of a model, on one dataset. Its subject is the model.

    >>> record = EvaluationRecord(
    ...     metrics=[Metric(name="accuracy", value="0.93")],
    ...     dataset=ResourceReference(name="iris", digest={"dirHash": "00" * 32}),
    ...     split="test",
    ... )
    >>> record.value("accuracy")
    Decimal('0.93')

    Attributes:
        name: what the evaluation is called.
        metrics: what was measured: at least one figure, each name once for a part.
        dataset: what it was measured on. It must be said.
        split: which part of the dataset.
        sample_count: how many samples were measured.
        harness: the tool that measured.
        code: what was run beside the harness: tasks, prompts, configuration.
        parameters: the run's parameters, each written as text.
        seed: the seed of the run's random numbers.
        finished: when the run ended.
    """

    predicate_type = f"{PREDICATE_BASE}/evaluation/v1"
    message = evaluation_pb2.EvaluationRecord

    name: Text | None = None
    metrics: Tuple[Metric] = ()
    dataset: ResourceReference | None = None
    split: Text | None = None
    sample_count: UInt64 | None = None
    harness: Harness | None = None
    code: Tuple[ResourceReference] = ()
    parameters: TextMap = Facts()
    seed: UInt64 | None = None
    finished: Time | None = None

    def value(self, name: str, part: str | None = None) -> Decimal | None:
        """Give the exact value of a metric, for all samples or for a part of them; None where it was not measured."""
        return next((m.decimal for m in self.metrics if m.name == name and (m.part or None) == part), None)

    @pydantic.model_validator(mode="after")
    def _says_what_was_measured_on_what(self) -> Self:
        if not self.metrics:
            raise ValueError("an evaluation measured at least one metric")
        if self.dataset is None:
            raise ValueError("an evaluation names its dataset")
        named = [(metric.name, metric.part or None) for metric in self.metrics]
        if len(set(named)) != len(named):
            raise ValueError("a metric is said twice")
        return self
