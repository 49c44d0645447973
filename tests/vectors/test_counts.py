"""How many third-party cases are there? A corpus that turns up empty must fail, not pass by testing nothing."""

from pathlib import Path

import pytest

from tests.shared import cases

_COUNTS = {
    "dsse-key": 6,
    "witness-policy": 3,
    "ite10-layout": 7,
    "slsa-vsa": 3,
    "slsa-vsa-levels": 5,
    "slsa-vsa-level-parse": 4,
    "slsa-gcb": 50,
    "slsa-npm": 33,
    "oms": 89,
    "oms-schema": 8,
    "sigstore-bundle": 174,
    "jcs": 6,
    "jcs-number": 26,
}


@pytest.mark.parametrize("kind", _COUNTS)
def test_no_case_is_lost(kind: str, shared_data: Path) -> None:
    assert len(cases(kind)) == _COUNTS[kind]


def test_no_model_signed_with_a_key_is_lost(shared_data: Path) -> None:
    by_key = [p.values[0].corpus for p in cases("oms") if p.values[0].params["method"] == "key"]
    assert (by_key.count("model-transparency"), by_key.count("oms-conformance")) == (19, 19)
