"""Which predicate type does a short name stand for?

The names that cosign takes as ``--type`` (cosign, cmd/cosign/cli/options/predicate.go) mean exactly what they mean
there: ``slsaprovenance`` is version 0.2, ``link`` is the classic link, ``spdx``, ``cyclonedx`` and ``openvex`` are the
types without a version. Our own stand beside them: a type of SLSA's or in-toto's by its own name is its newest version
that is read here, and so are our records. gh takes URIs only. A name is resolved where it is read; what is kept, shown
and hashed is the URI.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from glasswing_attest._complaints import Fault
from glasswing_attest.records import PREDICATE_BASE, registry
from glasswing_attest.statement.predicates.classic_link import LINK_V1
from glasswing_attest.statement.predicates.cyclonedx import CYCLONEDX
from glasswing_attest.statement.predicates.oms import OMS_V1
from glasswing_attest.statement.predicates.openvex import OPENVEX
from glasswing_attest.statement.predicates.reference import REFERENCE_V01
from glasswing_attest.statement.predicates.release import RELEASE_V02
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1
from glasswing_attest.statement.predicates.runtime_trace import RUNTIME_TRACE_V01
from glasswing_attest.statement.predicates.scai import SCAI_V03
from glasswing_attest.statement.predicates.source import SOURCE_PROVENANCE_V1
from glasswing_attest.statement.predicates.spdx import SPDX
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.statement.predicates.svr import SVR_V02
from glasswing_attest.statement.predicates.test_result import TEST_RESULT_V01
from glasswing_attest.statement.predicates.vulns import COSIGN_VULN_V1, VULNS_V02

__all__ = ["SHORT_NAMES", "name_of", "predicate_uri"]

_OURS = {
    "oms": OMS_V1,
    "provenance": PROVENANCE_V1,
    "reference": REFERENCE_V01,
    "release": RELEASE_V02,
    "runtime-trace": RUNTIME_TRACE_V01,
    "scai": SCAI_V03,
    "source-provenance": SOURCE_PROVENANCE_V1,
    "svr": SVR_V02,
    "test-result": TEST_RESULT_V01,
    "vsa": SUMMARY_V1,
    "vulns": VULNS_V02,
    **{r.predicate_type.removeprefix(f"{PREDICATE_BASE}/").partition("/")[0]: r.predicate_type for r in registry},
}
_COSIGNS = {
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

SHORT_NAMES: Mapping[str, str] = MappingProxyType(dict(sorted({**_OURS, **_COSIGNS}.items())))
"""The short names, and the predicate types that they stand for."""

_NAMES = {uri: name for name, uri in reversed((*_OURS.items(), *_COSIGNS.items()))}


def predicate_uri(text: str) -> str:
    """Give the predicate type that a short name stands for; a URI is given back as it is.

    Raises:
        Fault: it is neither; says which names there are, and which may have been meant, each with what it stands for.

    >>> predicate_uri("provenance")
    'https://slsa.dev/provenance/v1'
    >>> predicate_uri("https://example.com/checked/v1")
    'https://example.com/checked/v1'
    """
    if ":" in text:
        return text
    if text not in SHORT_NAMES:
        # Names that look alike may be of versions that exclude each other: the reader chooses by the URI.
        close = " or ".join(f"{name} ({SHORT_NAMES[name]})" for name in get_close_matches(text[:64], SHORT_NAMES, 3))
        wanted, advice = f"a URI, or one of {', '.join(SHORT_NAMES)}", f"did you mean {close}?" if close else ""
        raise Fault("there is no such predicate type", found=text, wanted=wanted, do=advice)
    return SHORT_NAMES[text]


def name_of(uri: str) -> str:
    """Give the short name of a predicate type, or its URI where it has none.

    >>> name_of("https://slsa.dev/provenance/v1"), name_of("https://example.com/checked/v1")
    ('provenance', 'https://example.com/checked/v1')
    """
    return _NAMES.get(uri, uri)
