"""Does every bound hold at its figure, and say which one it was?"""

import dataclasses

import pytest

from glasswing_attest.errors import LimitError
from glasswing_attest.limits import DEFAULT, Limits

_NAMES = [field.name for field in dataclasses.fields(Limits)]


@pytest.mark.parametrize("name", _NAMES)
def test_a_bound_is_the_last_value_that_passes(name: str) -> None:
    bound: int = getattr(DEFAULT, name)
    assert bound > 0
    DEFAULT.check(name, bound)
    with pytest.raises(LimitError) as refused:
        DEFAULT.check(name, bound + 1, where="here")
    assert refused.value.code == "limit"
    assert (refused.value.where, refused.value.found) == ("here", bound + 1)
    assert refused.value.wanted == f"at most {bound} ({name})"
    assert "(Limits)" in refused.value.do


def test_the_figures_of_sigstore_go() -> None:
    # CVE-2023-46737, CVE-2024-45395: 32 signatures, 32 log entries, 1024 subjects, 32 digests.
    assert (DEFAULT.signatures, DEFAULT.log_entries, DEFAULT.subjects, DEFAULT.digests) == (32, 32, 1024, 32)
    # CVE-2024-29902, CVE-2024-29903: sizes are bounded before anything is read.
    assert (DEFAULT.bundle_bytes, DEFAULT.statement_bytes) == (16 << 20, 4 << 20)


def test_limits_are_frozen_and_named() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DEFAULT.signatures = 64  # type: ignore[misc]
    with pytest.raises(TypeError):
        Limits(signature=1)  # type: ignore[call-arg]
    assert Limits(signatures=1) != DEFAULT
