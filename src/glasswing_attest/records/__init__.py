"""WHAT DO WE SAY OF IT? Attestation records for code, data, models, dependencies and evaluations.

Each is a frozen value with a predicate type, and mirrors one message of ``proto/glasswing/attest/v1``.
"""

from __future__ import annotations

from typing import Final

from glasswing_attest.records.base import PREDICATE_BASE, Part, Record, ResourceReference, TreeSummary
from glasswing_attest.records.code import CodeRecord, Review, ReviewOutcome
from glasswing_attest.records.data import (
    Consent,
    DataRecord,
    DataSource,
    ExtendedDataset,
    Period,
    RowDigest,
    SchemaField,
    Sensitivity,
    Split,
    Transformation,
)
from glasswing_attest.records.dependencies import DependencyRecord, PackageArtifact, PinnedPackage
from glasswing_attest.records.evaluation import EvaluationRecord, Harness, Metric
from glasswing_attest.records.model import BaseModel, Evaluation, ModelFormat, ModelRecord, Relation

__all__ = [
    "CodeRecord",
    "DataRecord",
    "DependencyRecord",
    "EvaluationRecord",
    "ModelRecord",
    "BaseModel",
    "Consent",
    "DataSource",
    "Evaluation",
    "ExtendedDataset",
    "Harness",
    "Metric",
    "ModelFormat",
    "PREDICATE_BASE",
    "PackageArtifact",
    "Part",
    "Period",
    "PinnedPackage",
    "Record",
    "Relation",
    "ResourceReference",
    "Review",
    "ReviewOutcome",
    "RowDigest",
    "SchemaField",
    "Sensitivity",
    "Split",
    "Transformation",
    "TreeSummary",
    "registry",
]

registry: Final[tuple[type[Record], ...]] = (
    CodeRecord,
    DataRecord,
    ModelRecord,
    DependencyRecord,
    EvaluationRecord,
)
"""Every record, each with its own ``predicate_type``."""
