"""Which file of a model holds which tensor?

The index that Hugging Face's libraries write beside weights in several files, ``model.safetensors.index.json``::

    {"metadata": {"total_size": 16}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", …}}

A loader follows the index: so every tensor that it names must be in the file that it names, and every tensor of such a
file must stand in the index. No loader goes by the total, and some writers count it in another way: it is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from glasswing_attest._wire import read_json
from glasswing_attest.artifact.formats.tensor import Contents
from glasswing_attest.artifact.manifest import Facts, name_problem
from glasswing_attest.errors import FieldMissing, FieldRefused
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["ShardIndex", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardIndex:
    """An index of shards: the file of each tensor."""

    where: str
    weight_map: Facts

    @property
    def files(self) -> tuple[str, ...]:
        """The shards, sorted."""
        return tuple(sorted(set(self.weight_map.values())))

    def check(self, shards: Mapping[str, Contents]) -> None:
        """Compare with the shards, by their names.

        Raises:
            FieldMissing: a shard that the index names is not there.
            FieldRefused: a tensor is not in its shard, or not in the index.
        """
        for name in self.files:
            if name not in shards:
                raise FieldMissing(where=f"{self.where}.weight_map", wanted=name, because="the model has no such file")
            for tensor in shards[name].tensors:
                if self.weight_map.get(tensor.name) != name:
                    found = self.weight_map.get(tensor.name, "no file")
                    where = f"{self.where}.weight_map[{tensor.name!r}]"
                    raise FieldRefused(where=where, found=found, wanted=name, because="another file holds this tensor")
        held = {tensor.name for name in self.files for tensor in shards[name].tensors}
        for name, file in self.weight_map.items():
            if name not in held:
                where = f"{self.where}.weight_map[{name!r}]"
                raise FieldRefused(where=where, found=file, because="the file does not hold this tensor")


def read(data: bytes, *, where: str = "index", limits: Limits = DEFAULT) -> ShardIndex:
    """Read an index of shards.

    Raises:
        MalformedError: it is not one; with the path.
        LimitError: it is too large.

    >>> read(b'{"weight_map": {"a": "model-00001-of-00001.safetensors"}}').files
    ('model-00001-of-00001.safetensors',)
    """
    node = read_json(data, where=where, limits=limits, bound="header_bytes")
    weights = node.need("weight_map")
    files: dict[str, str] = {}
    for name, member in weights.members():
        files[name] = member.text()
        problem = name_problem(member.text())
        if problem:
            member.refuse("a file beside the index, or below it", found=member.text(), because=problem)
    if not files:
        raise FieldMissing(where=weights.path, wanted="at least one tensor")
    return ShardIndex(where=where, weight_map=Facts(files))
