"""What does GitHub's API answer when it is asked for attestations?

GitHub REST API, "List attestations". ::

    {"attestations": [{"bundle": <Sigstore bundle>, "bundle_url": …, "repository_id": …}, …]}

Nothing but the bundles is signed, and nothing else is read. What ``gh attestation download`` writes are JSON lines of
the same bundles.
"""

from __future__ import annotations

from collections.abc import Iterator

from glasswing_attest._wire import Node
from glasswing_attest.errors import FieldMissing
from glasswing_attest.formats.exact import Exact
from glasswing_attest.formats.part import Format, Part
from glasswing_attest.limits import Limits

__all__ = ["GITHUB"]


def _lacks(node: Node) -> str:
    if not isinstance(node.value, dict) or "attestations" not in node.value:
        return "no attestations"
    return ""


def _unpack(whole: Exact, _limits: Limits) -> Iterator[Part]:
    for item in whole.need_array("attestations"):
        bundle = item.get("bundle")
        if bundle is None:
            # A large list comes without the bundles. Nothing here uses a network.
            raise FieldMissing(
                where=f"{item.path}.bundle", wanted="a Sigstore bundle", do="fetch the bundle that bundle_url names"
            )
        bundle.node.object()
        yield Part(data=bundle.data, label=bundle.path)


GITHUB = Format(name="GitHub attestations", lacks=_lacks, unpack=_unpack)
