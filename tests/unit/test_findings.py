"""Do findings say how bad it is, and never call nothing good?"""

import itertools

import pytest

from glasswing_attest.findings import Finding, Tier, worst


def finding(tier: Tier) -> Finding:
    return Finding(code="x", tier=tier, subject="s")


def test_the_worst_wins_in_any_order() -> None:
    for tiers in itertools.product(Tier, repeat=2):
        expected = max(tiers, key=lambda tier: tier.severity)
        assert worst(map(finding, tiers)) is expected
    assert worst(finding(t) for t in Tier) is Tier.CONTRAINDICATED


def test_nothing_evaluated_is_none_and_never_affirming() -> None:
    assert worst([]) is Tier.NONE
    assert worst([finding(Tier.NONE), finding(Tier.AFFIRMING)]) is Tier.AFFIRMING


def test_the_numbers_are_ar4si_s() -> None:
    assert [(t.value, t.severity) for t in Tier] == [
        ("none", 0),
        ("affirming", 2),
        ("warning", 32),
        ("contraindicated", 96),
    ]


def test_a_finding_reads_aloud() -> None:
    told = Finding(code="policy.expect", tier=Tier.WARNING, subject="model m", found="a", wanted="b", do="Ask.")
    assert str(told) == "model m: policy.expect (found a, wanted b). Ask."
    assert str(finding(Tier.NONE)) == "s: x"


def test_a_finding_is_a_value() -> None:
    assert finding(Tier.WARNING) == finding(Tier.WARNING)
    assert len({finding(Tier.WARNING), finding(Tier.WARNING)}) == 1
    with pytest.raises(AttributeError):
        finding(Tier.WARNING).code = "y"  # type: ignore[misc]
