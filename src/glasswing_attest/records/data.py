"""What do we say of data: a dataset, what it was made from and how, and under which conditions it was collected?

The predicate ``data/v1``, message ``glasswing.attest.v1.DataRecord``; see ``docs/spec/data-record.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import pydantic

from glasswing_attest._proto import data_pb2
from glasswing_attest.artifact.manifest import Facts, Manifest
from glasswing_attest.records.base import (
    PREDICATE_BASE,
    DigestMap,
    Name,
    Part,
    Record,
    ResourceReference,
    Text,
    TextMap,
    Time,
    TreeSummary,
    Tuple,
    UInt64,
    described_tree,
)

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "Consent",
    "DataRecord",
    "DataSource",
    "ExtendedDataset",
    "Period",
    "SchemaField",
    "Sensitivity",
    "Split",
    "Transformation",
]

Consent: TypeAlias = Literal["obtained", "partial", "not-obtained", "not-required"]
"""Whether the people whom the data is about, or who made it, agreed to its use."""

Sensitivity: TypeAlias = Literal["public", "internal", "confidential", "personal", "special-category"]
"""The most sensitive class of data in a dataset, in rising order."""


class DataSource(Part):
    """Something that the dataset was made from.

    Attributes:
        name: what it is called.
        uri: where it was had from.
        digest: its digests, as in-toto's DigestSet.
        license: its SPDX licence expression.
    """

    message = data_pb2.DataSource

    name: Name
    uri: Text | None = None
    digest: DigestMap = Facts()
    license: Text | None = None


class Transformation(Part):
    """One step from the sources to the dataset.

    Attributes:
        name: what the step is called.
        description: what it does.
        code: the code that did it.
        parameters: its parameters, each written as text.
    """

    message = data_pb2.Transformation

    name: Name
    description: Text | None = None
    code: ResourceReference | None = None
    parameters: TextMap = Facts()


class Split(Part):
    """A named part of the dataset.

    Attributes:
        name: such as ``train``.
        files: how many files it holds.
        records: how many records it holds.
        paths: what it consists of, relative to the dataset's root.
    """

    message = data_pb2.Split

    name: Name
    files: UInt64 | None = None
    records: UInt64 | None = None
    paths: Tuple[Text] = ()


class SchemaField(Part):
    """One field (column, feature) of a record of the dataset.

    Attributes:
        name: the field's name.
        dtype: the type of its values, in the words of the data's own format.
        description: what it means.
        unit: the unit of its values, as a UCUM code.
    """

    message = data_pb2.SchemaField

    name: Name
    dtype: Text | None = None
    description: Text | None = None
    unit: Text | None = None


class Period(Part):
    """A span of time, from `start` (inclusive) to `end` (exclusive). Either may be open."""

    message = data_pb2.Period

    start: Time | None = None
    end: Time | None = None

    @pydantic.model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("the period ends before it starts")
        return self


class ExtendedDataset(Part):
    """The version of a dataset that this one extends: all of its files, unchanged, and others.

    Attributes:
        name: what it is called.
        version: its version.
        uri: where it is.
        digest: its digests, as in-toto's DigestSet; for a tree ``dirHash``.
    """

    message = data_pb2.ExtendedDataset

    name: Name
    version: Text | None = None
    uri: Text | None = None
    digest: DigestMap = Facts()


class DataRecord(Record):
    """What is said of a dataset.

    >>> DataRecord(name="iris", version="2026.1", license="CC0-1.0", sensitivity="public").to_json().decode()
    '{"license":"CC0-1.0","name":"iris","sensitivity":"SENSITIVITY_PUBLIC","version":"2026.1"}'

    Attributes:
        name: what the dataset is called.
        version: its version; not compared by order.
        license: an SPDX licence expression.
        tree: its files; None where it is a single file.
        sources: what it was made from.
        transformations: how it was made, in the order in which the steps were applied.
        splits: the parts that it is divided into.
        schema_fields: the fields of its records.
        collection_period: when the data was collected.
        consent: whether those whom it concerns agreed.
        consent_basis: what `consent` rests on.
        sensitivity: the most sensitive class of data in it.
        extends: the version that it extends.
    """

    predicate_type = f"{PREDICATE_BASE}/data/v1"
    message = data_pb2.DataRecord

    name: Name
    version: Text | None = None
    license: Text | None = None
    tree: TreeSummary | None = None
    sources: Tuple[DataSource] = ()
    transformations: Tuple[Transformation] = ()
    splits: Tuple[Split] = ()
    schema_fields: Tuple[SchemaField] = ()
    collection_period: Period | None = None
    consent: Consent | None = None
    consent_basis: Text | None = None
    sensitivity: Sensitivity | None = None
    extends: ExtendedDataset | None = None

    def described_by(self, manifest: Manifest) -> Self:
        """Give this record, its `tree` completed by a measured dataset.

        Raises:
            FieldRefused: the record says something else than the manifest.
        """
        return described_tree(self, manifest, self.tree)
