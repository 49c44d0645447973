"""Which third-party cases are there, and is every one of them asked somewhere?

A corpus that turns up empty must fail, not pass by testing nothing; and one that gains a kind of case, or a case, must
fail until somebody runs it.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.shared import ROOT, cases

# How many cases there are of each kind, which some test asks for by name.
_RUN = {
    "ampel-policy": 37,
    "bundle-to-pep740": 2,
    "cert-profile": 13,
    "certificate-authority-parse": 1,
    "checkpoint-parse": 6,
    "cyclonedx": 141,
    "dist-filename": 36,
    "document": 54,
    "dsse-key": 6,
    "intoto-artifact-rules": 17,
    "intoto-layout": 9,
    "intoto-match-rule": 7,
    "intoto-threshold": 3,
    "ite10-layout": 7,
    "jcs": 6,
    "jcs-number": 26,
    "merkle-consistency": 56,
    "merkle-inclusion": 61,
    "merkle-inclusion-jsonl": 61,
    "merkle-subtreeconsistency": 66,
    "merkle-subtreeinclusion": 160,
    "oms": 89,
    "oms-roundtrip": 19,
    "oms-schema": 8,
    "openvex": 6,
    "osv-advisory": 67,
    "pep740-attestation": 10,
    "pep740-provenance": 3,
    "publisher-vs-cert": 3,
    "rfc3161-response": 5,
    "signed-note": 6,
    "sigstore-bundle": 174,
    "slsa-gcb": 50,
    "slsa-gha": 290,
    "slsa-gha-image": 27,
    "slsa-github-attestation": 3,
    "slsa-npm": 33,
    "slsa-versioned-tag": 34,
    "slsa-vsa": 3,
    "slsa-vsa-level-parse": 4,
    "slsa-vsa-levels": 5,
    "spdx3": 5,
    "trust-config-parse": 2,
    "trusted-root-parse": 1,
    "witness-policy": 3,
    "x509-path": 208,
}
_HARDWARE = "evidence of hardware is not read yet"
_TUF = "a trusted root is had by python-tuf: what TUF's client must refuse is its own to prove"
# How many are not asked, and why.
_NOT_RUN = {
    "nvidia-cert-chain": (3, _HARDWARE),
    "nvidia-gpu-report": (4, _HARDWARE),
    "osv-lint": (12, "advisories are not read yet"),
    "sev-snp": (8, _HARDWARE),
    "tdx-quote": (10, _HARDWARE),
    "tuf-partial-update": (3, _TUF),
    "tuf-update": (18, _TUF),
}
# Folders in which every document stands in a case; the cases could lose one, and nobody would notice.
_WHOLE = ("merkle/testdata", "jcs/testdata", "sigstore-ruby", "x509-limbo", "c2sp-dsse")
_NO_DOCUMENT = ("LICENSE", "SOURCE", "cases.json")


def test_every_kind_is_run_or_left_out_with_a_reason(shared_data: Path) -> None:
    found = Counter(p.values[0].kind for p in cases())
    assert found == {**_RUN, **{kind: count for kind, (count, _) in _NOT_RUN.items()}}


def test_whoever_says_that_a_kind_is_run_is_right() -> None:
    """A kind that is run is named in a test that asks for cases; one that is not run is named in none."""
    named: set[str] = set()
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path != Path(__file__) and "cases(" in text:
            named |= {node.value for node in ast.walk(ast.parse(text)) if _is_text(node)}  # type: ignore[attr-defined]
    assert set(_RUN) <= named
    assert not set(_NOT_RUN) & named


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize("folder", _WHOLE)
def test_every_document_stands_in_a_case(folder: str, shared_data: Path) -> None:
    named = {name for p in cases() for name in p.values[0].files.values() if isinstance(name, str)}
    found = {
        path.relative_to(shared_data).as_posix()
        for path in (shared_data / folder).rglob("*")
        if path.is_file() and path.name not in _NO_DOCUMENT
    }
    assert found
    assert found <= named


def test_no_model_signed_with_a_key_is_lost(shared_data: Path) -> None:
    by_key = [p.values[0].corpus for p in cases("oms") if p.values[0].params["method"] == "key"]
    assert (by_key.count("model-transparency"), by_key.count("oms-conformance")) == (19, 19)


def test_every_folder_is_one_of_cases_or_known(shared_data: Path) -> None:
    """Folders without cases are documents for whoever names them, or nobody's; a new one has to be looked at."""
    found = {path.name for path in shared_data.iterdir() if path.is_dir() and not (path / "cases.json").is_file()}
    assert found == {
        "_trust",
        "carabiner-ampel",
        "carabiner-examples",
        "coco-trustee",
        "cyclonedx-bom-examples",
        "gitsign",
        "go-sev-guest",
        "go-tdx-guest",
        "go-witness",
        "in-toto-python",
        "intel-dcap-qvl",
        "nvidia-nvtrust",
        "openvex-spec",
        "osv-dev",
        "wycheproof",
    }
