"""What did Tekton Chains write to a TaskRun or PipelineRun?

Tekton Chains, storage backend ``tekton``: annotations of the run, as ``kubectl get taskrun NAME -o json`` shows it. ::

    {"apiVersion": "tekton.dev/v1", "kind": "TaskRun" | "PipelineRun",
     "metadata": {"annotations": {"chains.tekton.dev/signature-taskrun-<uid>": <base64 of a DSSE envelope>,
                                  "chains.tekton.dev/payload-taskrun-<uid>":   <base64 of its payload>,
                                  "chains.tekton.dev/cert-taskrun-<uid>":      <base64 PEM, or empty>,
                                  "chains.tekton.dev/chain-taskrun-<uid>":     <base64 PEM, or empty>}}}

The payload is read from the envelope, where it is signed. An image's signature ("simple signing") stands there in the
same way, as a bare signature; it is no statement, and is passed over where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator

from glasswing_attest._wire import Node
from glasswing_attest.errors import FieldMissing, MessageSignatureUnsupported
from glasswing_attest.formats.assembled import assembled, certificates_of
from glasswing_attest.formats.exact import Exact
from glasswing_attest.formats.part import Format, Part
from glasswing_attest.limits import Limits

__all__ = ["TEKTON"]

_CHAINS = "chains.tekton.dev/"
_SIGNATURE = f"{_CHAINS}signature-"


def _is_run(value: object) -> bool:
    return isinstance(value, dict) and str(value.get("apiVersion", "")).startswith("tekton.dev/")


def _lacks(node: Node) -> str:
    value = node.value
    items = value.get("items") if isinstance(value, dict) and value.get("kind") == "List" else [value]
    return "" if isinstance(items, list) and any(map(_is_run, items)) else "no apiVersion of tekton.dev"


def _unpack(whole: Exact, limits: Limits) -> Iterator[Part]:
    runs = [whole.node] if _is_run(whole.node.value) else whole.node.need("items").array()
    bare = None
    found = False
    for run in runs:
        annotations = run.need("metadata").get("annotations") or Node({}, f"{run.path}.metadata.annotations")
        for name, node in annotations.members():
            if not name.startswith(_SIGNATURE) or node.value is None:
                continue
            signed = node.bytes()
            if not (signed.startswith(b"{") and signed.rstrip().endswith(b"}")):
                bare = node
                continue
            found = True
            certificates = _certificates(annotations, name.removeprefix(_SIGNATURE), limits)
            if certificates:
                envelope = Exact.read(signed, where=node.path, limits=limits, bound="bundle_bytes")
                envelope.node.object()
                signed = assembled(envelope.data, certificates=certificates)
            yield Part(data=signed, label=node.path)
    if not found:
        if bare is not None:
            raise MessageSignatureUnsupported(where=bare.path, found="a bare signature", wanted="a DSSE envelope")
        where = f"{runs[0].path}.metadata.annotations"
        raise FieldMissing(where=where, wanted=f"{_SIGNATURE}…: Chains has not signed, or stores elsewhere")


def _certificates(annotations: Node, key: str, limits: Limits) -> list[bytes]:
    """Give the certificate that goes with a signature, and its issuers; none for what a key signed."""
    found: list[bytes] = []
    for name in ("cert", "chain"):
        node = annotations.get(f"{_CHAINS}{name}-{key}")
        if node is not None and node.text():
            found += certificates_of(node.bytes(), where=node.path, limits=limits)
    return found


TEKTON = Format(name="Tekton Chains run", lacks=_lacks, unpack=_unpack)
