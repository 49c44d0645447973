"""Which predicate type does a short name stand for?

The names are those that cosign takes as ``--type`` (cosign, cmd/cosign/cli/options/predicate.go), and mean exactly
what they mean there: ``slsaprovenance`` is version 0.2, ``link`` is the classic link, ``spdx``, ``cyclonedx`` and
``openvex`` are the types without a version. gh takes URIs only. A name is resolved where it is read; what is kept,
shown and hashed is the URI.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from glasswing_attest._complaints import Fault, suggestion
from glasswing_attest.statement.predicates.classic_link import LINK_V1
from glasswing_attest.statement.predicates.cyclonedx import CYCLONEDX
from glasswing_attest.statement.predicates.openvex import OPENVEX
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1
from glasswing_attest.statement.predicates.spdx import SPDX
from glasswing_attest.statement.predicates.vulns import COSIGN_VULN_V1

__all__ = ["SHORT_NAMES", "predicate_uri"]

SHORT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "cyclonedx": CYCLONEDX,
        "link": LINK_V1,
        "openvex": OPENVEX,
        "slsaprovenance": PROVENANCE_V02,
        "slsaprovenance02": PROVENANCE_V02,
        "slsaprovenance1": PROVENANCE_V1,
        "spdx": SPDX,
        "spdxjson": SPDX,
        "vuln": COSIGN_VULN_V1,
    }
)
"""The short names, and the predicate types that they stand for."""


def predicate_uri(text: str) -> str:
    """Give the predicate type that a short name stands for; a URI is given back as it is.

    Raises:
        Fault: it is neither; says which names there are, and which one may have been meant.

    >>> predicate_uri("slsaprovenance1")
    'https://slsa.dev/provenance/v1'
    >>> predicate_uri("https://example.com/checked/v1")
    'https://example.com/checked/v1'
    """
    if ":" in text:
        return text
    if text not in SHORT_NAMES:
        wanted, advice = f"a URI, or one of {', '.join(SHORT_NAMES)}", suggestion(text, SHORT_NAMES)
        raise Fault("there is no such predicate type", found=text, wanted=wanted, do=advice)
    return SHORT_NAMES[text]
