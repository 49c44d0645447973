"""What do we say of data: a dataset, what it was made from and how, and under which conditions it was collected?

The predicate ``data/v1``, message ``glasswing.attest.v1.DataRecord``; see ``docs/spec/data-record.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import pydantic

from glasswing_attest._proto import data_pb2
from glasswing_attest.artifact.croissant import spdx_of
from glasswing_attest.artifact.extension import parent_of
from glasswing_attest.artifact.leaves import head_of
from glasswing_attest.artifact.manifest import Facts, Manifest
from glasswing_attest.artifact.rows.digests import RowDigests, Splits
from glasswing_attest.artifact.urls import public_url
from glasswing_attest.errors import FieldRefused, UsageError, counted
from glasswing_attest.records.base import (
    PREDICATE_BASE,
    DigestMap,
    Name,
    Part,
    Record,
    ResourceReference,
    Sha256,
    Text,
    TextMap,
    Time,
    TreeSummary,
    Tuple,
    UInt64,
    completed,
    described_tree,
    holding_for,
)

if TYPE_CHECKING:
    from typing import Self

    from glasswing_attest.artifact.croissant import Croissant

__all__ = [
    "Consent",
    "DataRecord",
    "DataSource",
    "ExtendedDataset",
    "Period",
    "RowDigest",
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


class RowDigest(Part):
    """Which rows a dataset or a part of it holds, however its files are cut: see ``docs/spec/row-digest.md``.

    Attributes:
        encoding: how a row becomes bytes.
        count: how many rows there are; neither root means anything without it.
        ordered: the RFC 6962 root over the rows in their order.
        unordered: the RFC 6962 root over the rows sorted by their leaf hashes.
    """

    message = data_pb2.RowDigest

    encoding: Name
    count: UInt64 | None = None
    ordered: Sha256
    unordered: Sha256

    @pydantic.model_validator(mode="after")
    def _roots_have_their_size(self) -> Self:
        if not self.count:
            raise ValueError("roots of rows mean nothing without count, from 1")
        return self


class Split(Part):
    """A named part of the dataset.

    Attributes:
        name: such as ``train``.
        files: how many files it holds.
        records: how many records it holds.
        paths: what it consists of, relative to the dataset's root.
        rows: its rows.
    """

    message = data_pb2.Split

    name: Name
    files: UInt64 | None = None
    records: UInt64 | None = None
    paths: Tuple[Text] = ()
    rows: RowDigest | None = None


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

    Of what `extending` gave, `attest` fills in `digest`, `files` and `merkle_root`: every file was compared. Without a
    `merkle_root` nothing was shown to `attest`, and all of it is the signer's word.

    Attributes:
        name: what it is called.
        version: its version.
        uri: where it is.
        digest: its digests, as in-toto's DigestSet; for a tree ``dirHash``.
        files: how many regular files it holds.
        merkle_root: its RFC 6962 root; means something only together with `files`.
    """

    message = data_pb2.ExtendedDataset

    name: Name
    version: Text | None = None
    uri: Text | None = None
    digest: DigestMap = Facts()
    files: UInt64 | None = None
    merkle_root: Sha256 | None = None

    @pydantic.model_validator(mode="after")
    def _root_has_its_size(self) -> Self:
        if self.merkle_root is not None and self.files is None:
            raise ValueError("a Merkle root means nothing without the number of files")
        return self


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
        rows: the rows of all of its files.
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
    rows: RowDigest | None = None

    def described_by(self, manifest: Manifest) -> Self:
        """Give this record, its `tree` and what it extends completed by a measured dataset.

        Raises:
            FieldRefused: the record says something else than the manifest.
        """
        record = described_tree(self, manifest, self.tree)
        return completed(record, {"extends": _extended(self.extends, manifest)}, type(self).__name__)

    def holding(self, found: RowDigests | Splits) -> Self:
        """Give this record with the rows that were digested: of the whole (`digest_rows`), or of splits by their names.

        From then on the record is about the files that were read: `attest` refuses it for others.

        Raises:
            FieldRefused: the record says something else than what was found, or these are the rows of some files only.
            UsageError: it is neither.
        """
        where = type(self).__name__
        if isinstance(found, RowDigests):
            dataset = found.dataset
            if len(found.files) != len(dataset.files):
                told = f"the rows of {len(found.files)} of {counted(len(dataset.files), 'file')}"
                do = "name them as a split: digest_splits(dataset, {name: paths})"
                raise FieldRefused(where=f"{where}.rows", found=told, wanted="the rows of all files", do=do)
            return holding_for(completed(self, {"rows": _rows(found)}, where), dataset)
        given: object = found
        if not isinstance(given, Splits):
            wanted = "what digest_rows or digest_splits gives"
            raise UsageError(where="found", found=type(given).__name__, wanted=wanted)
        said = {split.name: split for split in self.splits}
        splits = {
            part.name: {
                "files": len(part.files),
                "records": part.rows.count,
                "paths": part.files,
                "rows": _rows(part.rows),
            }
            for part in found.splits
        }
        if said and said.keys() != splits.keys():
            because = "the record names other splits than those that were digested"
            told, wanted = ", ".join(said), ", ".join(splits)
            raise FieldRefused(where=f"{where}.splits", found=told, wanted=wanted, because=because)
        # In the order of the record, where it has one.
        each = (
            completed(said.get(name, Split(name=name)), splits[name], f"{where}.splits[{i}]")
            for i, name in enumerate(said or splits)
        )
        told_all = self.model_copy(update={"splits": tuple(each)})
        return holding_for(told_all, found.splits[0].rows.dataset)

    @classmethod
    def from_croissant(cls, croissant: Croissant) -> Self:
        """Make a record of what a Croissant document says: name, version, licence, sources and fields.

        The licence is taken over where it is no address, or a well-known one (Creative Commons, Apache, MIT, SPDX): a
        record has an SPDX expression. Any other stays in ``croissant.license``. Sources are the files that stand by
        themselves, with their digests where they have usable ones; an address is told without what may be secret.
        """
        return cls(
            name=croissant.name,
            version=croissant.version or None,
            license=spdx_of(croissant.license) or None,
            sources=tuple(
                DataSource(
                    name=file.name,
                    uri=public_url(file.url) or None,
                    digest={"sha256": file.sha256} if file.sha256 else {},
                )
                for file in croissant.objects
            ),
            schema_fields=tuple(
                SchemaField(name=field.name, dtype=field.dtype or None, description=field.description or None)
                for field in croissant.fields
            ),
        )


def _rows(found: RowDigests) -> RowDigest:
    return RowDigest(encoding=found.encoding, count=found.count, ordered=found.ordered, unordered=found.unordered)


def _extended(given: ExtendedDataset | None, manifest: Manifest) -> dict[str, object] | None:
    """Give the figures of the version that a measured dataset extends; None where it does not tell any.

    Raises:
        FieldRefused: the record names another version than the one that the manifest begins with.
    """
    where = "DataRecord.extends"
    parent = parent_of(manifest)
    if parent is not None:
        dir_hash = parent.digests.get("dirHash")
        if given is None:
            raise FieldRefused(where=where, found="nothing", wanted=f"the version of dirHash {dir_hash}")
        if given.digest.get("dirHash", dir_hash) != dir_hash:
            found, wanted = given.digest.get("dirHash"), f"{dir_hash}, which is what the manifest extends"
            raise FieldRefused(where=f"{where}.digest.dirHash", found=found, wanted=wanted)
        head = head_of(parent)
        figures: dict[str, object] = {"files": head.size, "merkle_root": head.root.hex()}
        return figures if given.digest else {**figures, "digest": {"dirHash": dir_hash}}
    if given is not None and given.merkle_root is not None and manifest.files:
        because = "the manifest does not tell what it adds to another version"
        do = "attest the manifest that extending(manifest, parent) gives"
        raise FieldRefused(where=where, found=f"merkleRoot {given.merkle_root}", because=because, do=do)
    return None
