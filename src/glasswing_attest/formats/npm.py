"""What does the npm registry answer when it is asked for a package's attestations?

npm registry, ``/-/npm/v1/attestations/NAME@VERSION``; some tools keep the bare array. ::

    {"attestations": [{"predicateType": …, "bundle": <Sigstore bundle>}, …]}

Two bundles belong to a version: the registry's own, signed with its key, and the publisher's provenance, signed with a
certificate. The outer ``predicateType`` is signed by nobody, so it is not read: what a bundle says stands within it.
"""

from __future__ import annotations

from collections.abc import Iterator

from glasswing_attest._wire import Node
from glasswing_attest.formats.exact import Exact
from glasswing_attest.formats.part import Format, Part
from glasswing_attest.limits import Limits

__all__ = ["NPM"]


def _lacks(node: Node) -> str:
    items = node.value.get("attestations") if isinstance(node.value, dict) else node.value
    if not isinstance(items, list):
        return "no attestations"
    if not items or not all(isinstance(item, dict) and "predicateType" in item and "bundle" in item for item in items):
        return "not every attestation has a predicateType and a bundle"
    return ""


def _unpack(whole: Exact, _limits: Limits) -> Iterator[Part]:
    items = whole.need("attestations") if isinstance(whole.node.value, dict) else whole
    for item in items.array():
        bundle = item.need("bundle")
        bundle.node.object()
        yield Part(data=bundle.data, label=bundle.path)


NPM = Format(name="npm attestations", lacks=_lacks, unpack=_unpack)
