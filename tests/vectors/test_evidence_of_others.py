"""Does the page on other verifiers' cases count them as the tests answer them?

Each row of its table is counted here from the cases and from what the test of those cases says of them. What makes the
counts true are those tests.
"""

import re
from collections.abc import Callable

import pytest

from tests.shared import ROOT, Case, cases
from tests.vectors import (
    test_ampel,
    test_gh_cli,
    test_in_toto,
    test_sigstore_bundles,
    test_slsa_verifier_cloud_build,
    test_slsa_verifier_github,
)

pytestmark = pytest.mark.usefixtures("shared_data")

Row = tuple[int, ...]
"""How many there are: accepted, refused, with a stand-in, decided otherwise, not asked; and in all, first."""

ACCEPTED, REFUSED, STAND_IN, OTHERWISE, NOT_ASKED = range(5)


def counted(found: list[Case], answered: Callable[[Case], int | None]) -> Row:
    """Count cases; None is as stated, on the evidence as it is."""
    row = [0] * 5
    for case in found:
        told = answered(case)
        row[(REFUSED if case.expect == "reject" else ACCEPTED) if told is None else told] += 1
    return (len(found), *row)


def of(*kinds: str, corpus: str | None = None) -> list[Case]:
    """The cases of some kinds."""
    return [p.values[0] for p in cases(*kinds, corpus=corpus)]


def github(case: Case) -> int | None:
    return STAND_IN if case.raw.get("needs_online") else None


def tags(case: Case) -> int | None:
    is_version = case.params["requested_versioned_tag"] not in test_slsa_verifier_github.NO_VERSIONS
    return STAND_IN if is_version else NOT_ASKED


def cloud_build(case: Case) -> int | None:
    if case.raw["stage"] == "mutable-ref":
        return NOT_ASKED
    if test_slsa_verifier_cloud_build.is_contested(case):
        return OTHERWISE
    return None if "github-tag" in case.files["provenance"] else STAND_IN


def summaries(case: Case) -> int | None:
    if case.kind == "slsa-vsa-levels":
        return STAND_IN
    return OTHERWISE if case.expect == "accept" else None


def bundles(case: Case) -> int | None:
    # Of the three that are decided otherwise and were accepted, one is accepted where embedded roots are ignored.
    decided = test_sigstore_bundles.DECIDED.get(case.id)
    return OTHERWISE if decided is not None and case.expect == "accept" and "gha_container" not in case.case else None


def gh_cli(case: Case) -> int | None:
    return OTHERWISE if case.raw["stage"] == test_gh_cli.CONTESTED else None


def witness(case: Case) -> int | None:
    return OTHERWISE if case.kind == "witness-policy" and case.expect == "accept" else None


def classic(case: Case) -> int | None:
    if case.kind == "intoto-threshold":
        return STAND_IN
    if case.id in test_in_toto._TYPES:
        return NOT_ASKED
    is_nothing = case.kind == "intoto-match-rule" and not case.params["rule"]
    return OTHERWISE if "contested" in case.raw or is_nothing else None


def ite10(case: Case) -> int | None:
    return OTHERWISE if case.expect == "accept" else None


def ampel(case: Case) -> int | None:
    if test_ampel.ours(case) not in test_ampel.OURS:
        return NOT_ASKED
    if case.case in test_ampel.ABSENT:
        return OTHERWISE
    is_signed = any(f"/{scan}/" in name for scan in ("grype", "trivy") for name in case.files["attestations"])
    return None if is_signed else STAND_IN


@pytest.fixture
def rows() -> dict[str, Row]:
    """What the tests make of the cases."""
    slsa = "slsa-verifier"
    return {
        f"{slsa}: GitHub's builders": counted(of("slsa-gha", "slsa-github-attestation"), github),
        f"{slsa}: images": counted(of("slsa-gha-image"), lambda _: NOT_ASKED),
        f"{slsa}: versions of tags": counted(of("slsa-versioned-tag"), tags),
        f"{slsa}: npm packages": counted(of("slsa-npm"), lambda _: None),
        f"{slsa}: Google Cloud Build": counted(of("slsa-gcb"), cloud_build),
        f"{slsa}: verification summaries": counted(
            of("slsa-vsa", "slsa-vsa-levels", "slsa-vsa-level-parse"), summaries
        ),
        f"{slsa}: bundles": counted(of("sigstore-bundle", corpus=slsa), bundles),
        "GitHub CLI": counted(of(corpus="gh-cli"), gh_cli),
        "witness": counted(of(corpus="witness"), witness),
        "in-toto: classic layouts": counted(of(corpus="in-toto-golang"), classic),
        "in-toto: layouts over statements": counted(of(corpus="in-toto-attestation-verifier"), ite10),
        "AMPEL": counted(of(corpus="carabiner-policies"), ampel),
    }


def test_the_page_counts_the_cases_as_they_are_answered(rows: dict[str, Row]) -> None:
    page = (ROOT / "docs" / "evidence-of-others.md").read_text()
    table = page.partition("| whose cases |")[2].partition("\n\n")[0]
    told = {
        name.strip(): tuple(int(number) for number in numbers.split("|"))
        for name, numbers in re.findall(r"^\| ([^|\n-][^|\n]*)\|((?: \d+ \|){5} \d+) \|$", table, re.M)
    }
    assert told == rows
    assert all(sum(row[1:]) == row[0] for row in told.values())


def test_no_case_of_these_verifiers_is_missing(rows: dict[str, Row]) -> None:
    corpora = (
        "slsa-verifier",
        "gh-cli",
        "witness",
        "in-toto-golang",
        "in-toto-attestation-verifier",
        "carabiner-policies",
    )
    assert sum(row[0] for row in rows.values()) == sum(len(of(corpus=corpus)) for corpus in corpora) == 574
