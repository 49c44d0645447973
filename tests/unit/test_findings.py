"""Do findings say how bad it is, and never call nothing good?"""

import itertools

import pytest

from glasswing_attest.findings import Finding, Tier, told_apart, worst


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


def test_a_line_of_text_is_one_whatever_evidence_says() -> None:
    evil = "x\r\n\x1b[2K\N{RIGHT-TO-LEFT OVERRIDE}accepted"
    told = str(Finding(code="c", tier=Tier.WARNING, subject=evil, found=evil, wanted=evil, do=evil))
    assert told.isprintable()
    assert told.count("accepted") == 4
    assert len(str(Finding(code="c", tier=Tier.WARNING, subject="s", found="x" * 100_000))) < 2000


@pytest.mark.parametrize(
    ("found", "wanted", "told"),
    [
        ("https://ci.ex\N{CYRILLIC SMALL LETTER A}mple", "https://ci.example", "'https://ci.ex\\u0430mple'"),
        ("SLSA_BUILD_LEVEL_3 ", "SLSA_BUILD_LEVEL_3", "'SLSA_BUILD_LEVEL_3 '"),
        ("\nmain", "main", "'\\nmain'"),
        ("main", "main", "main"),
        ("mein", "main", "mein"),
        ("Main ", "main", "Main "),
        ("Müller", "", "Müller"),
        ("Müller", "Jonas", "Müller"),
        ("", "main", ""),
    ],
)
def test_what_only_looks_like_what_is_wanted_is_told_apart(found: str, wanted: str, told: str) -> None:
    assert told_apart(found, wanted) == told
    line = str(Finding(code="c", tier=Tier.WARNING, subject="s", found=found, wanted=wanted))
    assert not found or f"found {told}" in line


def test_what_to_do_is_a_sentence_of_its_own() -> None:
    found = Finding(code="policy.expect", tier=Tier.WARNING, subject="m", found="1", wanted="2", do="add it. Or not")
    assert str(found) == "m: policy.expect (found 1, wanted 2). Add it. Or not"
