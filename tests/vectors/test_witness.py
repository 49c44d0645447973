"""Do witness's own policies get their stated answers, said in ours?

A witness policy names the functionaries of each step, and the attestations that its collection must have. A step is a
requirement here: the collection's type, who signs it, and `where` for its name and the types within it. Rego modules
have no counterpart but `where`; these policies have none.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Manifest, Policy, Report, Trust, Verifier
from glasswing_attest.attestation import Attestation
from glasswing_attest.keys import PublicKey
from glasswing_attest.policies.parts import trimmed
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.witness import TYPES, WITNESS_TESTIFYSEC_V01
from glasswing_attest.trust.root import TrustedKey
from tests.shared import Case, cases

WITNESS = cases("witness-policy")
# What the collections are about, as witness writes it: a file that the step made, beside the name of an image.
SBOM = {
    "cdx-att.json": "23b078b208f617fbf117bcedcae3a2b6a454085f8c8c3b73cc74fe9750f34bd3",
    "spdx-att.json": "35b97f352c102b21ed6678172bcc102ab69aad034af3ff42064856f11ef2f106",
}
ALPINE = "54c5b3dd459d5ef778bb2fa1e23a5fb0e1b62ae66970bcb436e8f81a1a1a8e41"


def policy(theirs: dict[str, Any]) -> Policy:
    """Their policy in our words. It has one step, so what it makes is what is asked about."""
    ((name, step),) = theirs["steps"].items()
    types = [each["type"] for each in step["attestations"]]
    assert not any(each["regopolicies"] for each in step["attestations"])
    asked = [f'predicate.name == "{name}"']
    asked += [f'predicate.attestations.exists(a, a.type == "{uri}")' for uri in types]
    signers = [each["publickeyid"] for each in step["functionaries"]]
    requirement = {
        "as": name,
        "predicate": WITNESS_TESTIFYSEC_V01,
        "signed_by": {"any_of": signers},
        "where": " && ".join(asked),
    }
    plain: dict[str, Any] = {
        "version": 1,
        "times": "claimed",
        "declared": "allow",
        "expires": theirs["expires"],
        "identities": {keyid: {"key": keyid} for keyid in signers},
        "nodes": {"file": {"require": [requirement]}, **trimmed(ROLES)},
    }
    return Policy(**plain)


def answer(case: Case, shared: Path, sha256: str, **changes: Any) -> Report:
    """What we say of a digest; `changes` go into their policy's one step."""
    theirs = json.loads((shared / case.files["policy_unsigned"]).read_bytes())
    (step,) = theirs["steps"].values()
    step.update(changes)
    key = PublicKey.from_pem((shared / case.files["key"]).read_bytes())
    names = [each["publickeyid"] for each in step["functionaries"]]
    trust = Trust(keys=tuple(TrustedKey(name=name, key=key, keyids=(name,)) for name in names))
    judge = Verifier(policy=policy(theirs), trust=trust, predicates=TYPES)
    return judge.assess(Manifest.declared("file", {"sha256": sha256}), shared / case.files["attestation"])


@pytest.mark.parametrize("case", WITNESS)
def test_a_policy_gets_its_answer(case: Case, shared_data: Path) -> None:
    report = answer(case, shared_data, case.params["subject_sha256"])
    # Of the subjects that are stated to match, one is the digest of the name "alpine" and of no file: nobody can read
    # bytes that have it, so a collection is about its products alone. That answer is ours, the others are theirs.
    assert (case.expect == "accept") is (case.params["subject_sha256"] == ALPINE)
    assert hashlib.sha256(b"alpine").hexdigest() == ALPINE
    assert report.cause is not None
    assert (report.cause.code, report.cause.rule) == ("chain.no-attestation", "nodes.file")


@pytest.mark.parametrize("case", WITNESS)
def test_of_the_file_that_the_step_made_it_is_accepted(case: Case, shared_data: Path) -> None:
    made = SBOM[Path(case.files["attestation"]).name]
    said = Attestation.parse((shared_data / case.files["attestation"]).read_bytes()).statement_unverified
    assert made in {subject.digest.get("sha256") for subject in said.subjects}
    report = answer(case, shared_data, made)
    assert report.accepted, report.to_text()

    # Every part of the policy is a reason of its own.
    other = [{"type": "https://witness.dev/attestations/git/v0.1", "regopolicies": []}]
    refused = answer(case, shared_data, made, attestations=other)
    assert refused.cause is not None
    assert (refused.cause.code, refused.cause.rule) == ("policy.where", "nodes.file.where")
    refused = answer(case, shared_data, made, functionaries=[{"type": "publickey", "publickeyid": "somebody-else"}])
    (unproven,) = refused.refused
    assert unproven.error.code == "verification.key-untrusted"


@pytest.mark.usefixtures("shared_data")
def test_no_case_is_left_out() -> None:
    assert Counter(p.values[0].expect for p in WITNESS) == {"accept": 1, "reject": 2}
