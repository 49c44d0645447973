"""What does Google Cloud Build tell of an image?

``gcloud artifacts docker images describe IMAGE --show-provenance --format json``. ::

    {"image_summary": …,
     "provenance_summary": {"provenance": [{"build": …, "envelope": <DSSE envelope>, "kind": "BUILD", …}, …]}}

Beside each envelope stands its statement as plain JSON. Nobody signed that, so it is not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from glasswing_attest._wire import Node
from glasswing_attest.formats.exact import Exact
from glasswing_attest.formats.part import Format, Part
from glasswing_attest.limits import Limits

__all__ = ["CLOUD_BUILD"]


def _lacks(node: Node) -> str:
    return "" if isinstance(node.value, dict) and "provenance_summary" in node.value else "no provenance_summary"


def _unpack(whole: Exact, _limits: Limits) -> Iterator[Part]:
    for item in whole.need("provenance_summary").need_array("provenance"):
        envelope = item.need("envelope")
        envelope.node.object()
        yield Part(data=envelope.data, label=envelope.path)


CLOUD_BUILD = Format(name="Google Cloud Build provenance", lacks=_lacks, unpack=_unpack)
