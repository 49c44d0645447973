"""Does the very first entry of a log verify, whose index is zero and whose proof is empty?

proto3 JSON may leave both out. Tried with the logs that run here, and with what a stack kept that ran once, in
tests/stack/recorded/.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import Trust
from glasswing_attest.bundle import Bundle
from glasswing_attest.errors import NotLogged
from glasswing_attest.keys import PublicKey
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from glasswing_attest.verification.procedure import prove_message
from tests.stack import Stack
from tests.stack.first_entry import CONTENT, FIRST_ENTRY, first_bundle

RECORDED = Path(__file__).resolve().parents[1] / "stack" / "recorded"

Versions = Literal["v1", "v2"]


@pytest.fixture(params=["recorded", "here"])
def folder(request: pytest.FixtureRequest) -> Path:
    """Where a trusted root and a first entry are."""
    if request.param == "recorded":
        return RECORDED
    stack: Stack = request.getfixturevalue("stack")
    return stack.folder


def proven(folder: Path, bundle: Any) -> frozenset[str]:
    """Under which names the bundle proves `CONTENT`, by a key that needs the witness of a log."""
    root = Root.parse((folder / "trusted_root.json").read_bytes(), name="stack", profile=PUBLIC_GOOD)
    pem = json.loads((folder / FIRST_ENTRY).read_bytes())["publicKey"]
    key = PublicKey.from_pem(pem.encode(), where="first", kind="trust")
    witness = Witness(root="stack", logs=1, times=0)
    trust = Trust(roots=(root,), keys=(TrustedKey(name="first", key=key, witness=witness),))
    digest = ("sha256", hashlib.sha256(CONTENT).digest())
    read = Bundle.from_json(json.dumps(bundle).encode())
    return prove_message(read, trust, digest=digest, content=CONTENT, claimed_at=datetime.now(UTC)).signer.names


@pytest.mark.parametrize("zeros", [True, False], ids=["zeros written", "zeros left out"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_first_entry_of_a_log_verifies(folder: Path, version: Versions, zeros: bool) -> None:
    bundle = first_bundle(json.loads((folder / FIRST_ENTRY).read_bytes()), version, zeros=zeros)
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    assert ("logIndex" in entry) == zeros
    assert proven(folder, bundle) == {"first"}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_it_is_no_other_entry(folder: Path, version: Versions) -> None:
    bundle = first_bundle(json.loads((folder / FIRST_ENTRY).read_bytes()), version, zeros=True)
    bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["logIndex"] = "1"
    with pytest.raises(NotLogged) as caught:
        proven(folder, bundle)
    assert (caught.value.code, caught.value.where) == ("verification.not-logged", "inclusionProof.logIndex")
