"""Does sigstore-python say what we say, wherever it can say anything?

It is the oracle: another engine, by other people. Where it can answer, there is no difference; what it cannot do stands
below. Nothing but this test loads it.
"""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.bundle import Bundle, Certificates
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import GlasswingError
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification.certificate import Leaf
from tests.bundles import HASHES, Question, question, since_1970
from tests.shared import Case, cases

# Its own warnings are its own affair.
pytestmark = pytest.mark.filterwarnings("ignore")

# What it does not do at all, so that its no says nothing.
CANNOT = {
    "key": "bundles that a bare key signed",
    "intoto": "log entries of intoto 0.0.2",
    "promise": "bundles v0.1 with the log's promise and no inclusion proof",
    "thresholds": "other thresholds than one log and one time, and roots without a certificate log",
    "algorithm": "other signatures than ECDSA with P-256 and SHA-256",
}


def theirs(asking: Question, params: Any, folder: Path) -> bool:
    """Whether sigstore-python's verifier accepts; whatever it raises is a no."""
    from sigstore.errors import Error
    from sigstore.hashes import Hashed
    from sigstore.models import Bundle as TheirBundle
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity, UnsafeNoOp
    from sigstore_models.common.v1 import HashAlgorithm

    path = folder / "trusted_root.json"
    path.write_bytes(asking.root or b"")
    try:
        verifier = Verifier(trusted_root=TrustedRoot.from_file(str(path)))
        bundle = TheirBundle.from_json(asking.bundle)
        policy: Any = UnsafeNoOp()
        if "identity" in params:
            policy = Identity(identity=params["identity"], issuer=params.get("issuer"))
        if bundle._dsse_envelope is not None:
            _, payload = verifier.verify_dsse(bundle, policy)
            statement = Statement.parse_unverified(payload)
            wanted = asking.digests
            return wanted is None or any(s.digest.matches(wanted) for s in statement.subjects)
        digest = asking.digest or ("sha256", hashlib.sha256(asking.content or b"").digest())
        algorithm = {"sha256": HashAlgorithm.SHA2_256, "sha384": HashAlgorithm.SHA2_384}[digest[0]]
        verifier.verify_artifact(Hashed(algorithm=algorithm, digest=digest[1]), bundle, policy)
    except (Error, GlasswingError, ValueError, TypeError, KeyError):
        return False
    return True


def ours(asking: Question) -> bool:
    try:
        asking.ask()
    except GlasswingError:
        return False
    return True


def cannot(case: Case, asking: Question) -> str:
    """Which of the things that it does not do the case needs, or ""."""
    if case.params.get("options") or "owner" in case.params or "identity_regex" in case.params:
        return "thresholds"
    try:
        bundle = Bundle.from_json(asking.bundle)
    except GlasswingError:
        return ""
    if asking.pem is not None or not isinstance(bundle.material, Certificates):
        return "key"
    if any(entry.kind == "intoto" for entry in bundle.log_entries):
        return "intoto"
    if bundle.version == "0.1" and any(entry.inclusion_proof is None for entry in bundle.log_entries):
        return "promise"
    if Leaf.parse(bundle.material.chain[0]).key.schemes[0] != "ecdsa-sha2-nistp256":
        return "algorithm"
    if not json.loads(asking.root or b"{}").get("ctlogs"):
        return "thresholds"
    return ""


ALL = cases("sigstore-bundle")


@pytest.mark.parametrize("case", ALL)
def test_the_oracle_agrees(case: Case, shared_data: Path, tmp_path: Path) -> None:
    asking = question(case, shared_data)
    if case.corpus == "sigstore-js":
        asking = asking.in_root(since_1970)
    we, they = ours(asking), theirs(asking, case.params, tmp_path)
    reason = cannot(case, asking)
    if reason:
        # It may refuse what it cannot do. What it accepts all the same must be true.
        assert we or not they or reason == "thresholds"
    else:
        assert we == they


def test_the_oracle_can_answer_most_cases(shared_data: Path) -> None:
    found = Counter(cannot(p.values[0], question(p.values[0], shared_data)) for p in ALL)
    assert found == {"": 88, "intoto": 34, "thresholds": 28, "algorithm": 12, "key": 7, "promise": 5}
    assert set(found) - {""} == set(CANNOT)


@pytest.mark.parametrize(
    "name", ["py-artifact", "pyv1-artifact", "py-dsse", "pyv1-dsse", "cosign-dsse", "js5-artifact"]
)
def test_the_oracle_agrees_about_the_recorded_stack(recorded_stack: Path, tmp_path: Path, name: str) -> None:
    asking = Question(
        bundle=(recorded_stack / f"{name}.sigstore.json").read_bytes(),
        root=(recorded_stack / "trusted_root.json").read_bytes(),
        content=(recorded_stack / "artifact.bin").read_bytes(),
    )
    assert ours(asking)
    assert theirs(asking, {}, tmp_path) is True
    content = Bundle.from_json(asking.bundle).content
    if not isinstance(content, Envelope):
        assert re.fullmatch("SHA2_.*", content.algorithm)
        assert content.algorithm in HASHES
