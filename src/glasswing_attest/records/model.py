"""What do we say of a model: what it is, what it was made from, and how it was measured?

The predicate ``model/v1``, message ``glasswing.attest.v1.ModelRecord``; see ``docs/spec/model-record.md``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from glasswing_attest._proto import model_pb2
from glasswing_attest.artifact.manifest import Facts, Manifest
from glasswing_attest.errors import FieldRefused
from glasswing_attest.records.base import (
    PREDICATE_BASE,
    DecimalText,
    DigestMap,
    Name,
    Part,
    Record,
    ResourceReference,
    Text,
    TreeSummary,
    Tuple,
    UInt64,
    completed,
    described_tree,
    holding_for,
)

if TYPE_CHECKING:
    from typing import Self

    from glasswing_attest.artifact.description import Description

__all__ = ["BaseModel", "Evaluation", "ModelFormat", "ModelRecord", "Relation"]

Relation: TypeAlias = Literal["fine-tune", "adapter", "merge", "quantise", "distil"]
"""How a model was made from another model."""

ModelFormat: TypeAlias = Literal[
    "safetensors",
    "gguf",
    "onnx",
    "pickle",
    "pytorch",
    "torchscript",
    "saved-model",
    "keras",
    "tflite",
    "numpy",
    "tree-ensemble",
    "other",
]
"""How weights are serialised. Loading a ``pickle`` or ``pytorch`` one can run code."""


class BaseModel(Part):
    """A model that this one was made from.

    Attributes:
        name: what it is called.
        uri: where it is.
        digest: its digests, as in-toto's DigestSet; for a directory ``dirHash``.
        relation: how this model was made from it.
    """

    message = model_pb2.BaseModel

    name: Name
    uri: Text | None = None
    digest: DigestMap = Facts()
    relation: Relation


class Evaluation(Part):
    """One measurement of the model.

    Attributes:
        metric: what was measured.
        value: the value, written out as an exact decimal.
        dataset: what it was measured on.
        split: which part of the dataset.
        harness: the tool that measured it.
    """

    message = model_pb2.Evaluation

    metric: Name
    value: DecimalText
    dataset: ResourceReference | None = None
    split: Text | None = None
    harness: ResourceReference | None = None

    @property
    def decimal(self) -> Decimal:
        """The value as an exact, finite number."""
        return Decimal(self.value)


class ModelRecord(Record):
    """What is said of a model: a directory, or a single file.

    >>> base = BaseModel(name="acme/base", relation="fine-tune")
    >>> ModelRecord(name="m", parameter_count=2**53 + 1, base_models=[base]).to_json().decode()
    '{"baseModels":[{"name":"acme/base","relation":"RELATION_FINE_TUNE"}],"name":"m","parameterCount":"9007199254740993"}'

    Attributes:
        name: what the model is called.
        version: its version; not compared by order.
        license: an SPDX licence expression.
        tree: its files; None where it is a single file.
        formats: every format in which weights lie in it.
        architecture: in the words of its library, such as ``LlamaForCausalLM``.
        parameter_count: how many parameters it has.
        dtype: the type of its weights.
        tokenizer: its tokenizer.
        base_models: the models that it was made from.
        datasets: the datasets that it was trained on.
        code: the code that made it, and that is needed to load it.
        evaluations: how it was measured.
        model_card: its model card.
    """

    predicate_type = f"{PREDICATE_BASE}/model/v1"
    message = model_pb2.ModelRecord

    name: Name
    version: Text | None = None
    license: Text | None = None
    tree: TreeSummary | None = None
    formats: Tuple[ModelFormat] = ()
    architecture: Text | None = None
    parameter_count: UInt64 | None = None
    dtype: Text | None = None
    tokenizer: ResourceReference | None = None
    base_models: Tuple[BaseModel] = ()
    datasets: Tuple[ResourceReference] = ()
    code: Tuple[ResourceReference] = ()
    evaluations: Tuple[Evaluation] = ()
    model_card: ResourceReference | None = None

    def described_by(self, manifest: Manifest) -> Self:
        """Give this record, its `tree` completed by a measured model.

        Raises:
            FieldRefused: the record says something else than the manifest.
        """
        return described_tree(self, manifest, self.tree)

    def holding(self, description: Description) -> Self:
        """Give this record, completed by what was found inside of the model: `Model.describe`.

        Completed are `tree`, `formats`, `architecture`, `parameter_count`, `dtype` and `tokenizer`, where they follow
        from the bytes.

        Raises:
            FieldRefused: the record says something else than what was found.
        """
        where = type(self).__name__
        found = {
            # A record may name formats in any order.
            "formats": self.formats if set(self.formats) == set(description.formats) else description.formats or None,
            "architecture": description.architecture,
            "parameter_count": description.parameter_count,
            "dtype": description.dtype,
        }
        manifest = description.manifest
        record = completed(holding_for(self.described_by(manifest), manifest), found, where)
        digest = description.tokenizer_digest
        if not digest:
            return record
        names = [entry.name for entry in description.tokenizer]
        said = self.tokenizer or ResourceReference(name=names[0] if len(names) == 1 else "tokenizer")
        if said.digest and dict(said.digest) != digest:
            because = "the record says something else than what was measured"
            raise FieldRefused(where=f"{where}.tokenizer.digest", found=said.digest, wanted=digest, because=because)
        return record.model_copy(update={"tokenizer": said.model_copy(update={"digest": Facts(digest)})})
