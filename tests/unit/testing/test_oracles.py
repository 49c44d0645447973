"""Do clients that are not ours believe the virtual Sigstore?  sigstore-python's own Verifier; for stamps OpenSSL."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sigstore.errors import VerificationError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.testing.sigstore import Logs

ALICE = Holder.of("alice@example.com")
ARTIFACT = b"weights"
STATEMENT = Statement.make(
    [ResourceDescriptor(name="m.bin", digest=DigestSet.of(sha256=hashlib.sha256(ARTIFACT).hexdigest()))],
    "https://example.com/says/v1",
    {"so": "it is"},
)
LOGS = pytest.mark.parametrize("log", ["v1", "v2"])


@pytest.fixture
def sigstore() -> VirtualSigstore:
    made = VirtualSigstore()
    made.log("v2").add_witness("witness.example/w1")
    return made


@pytest.fixture
def reference(sigstore: VirtualSigstore, tmp_path: Path) -> Verifier:
    """sigstore-python's verifier, with the same trusted root."""
    document = tmp_path / "trusted_root.json"
    document.write_bytes(sigstore.trusted_root())
    return Verifier(trusted_root=TrustedRoot.from_file(str(document)))


def as_policy(holder: Holder) -> Identity:
    return Identity(identity=holder.san, issuer=holder.issuer)


@LOGS
@pytest.mark.parametrize("stamps", [1, 2])
@pytest.mark.parametrize("holder", [ALICE, Holder.github("acme/train")], ids=["email", "workflow"])
def test_the_reference_verifies_a_statement(
    sigstore: VirtualSigstore, reference: Verifier, log: Logs, stamps: int, holder: Holder
) -> None:
    clocks = [sigstore.clocks[0], sigstore.clocks[0]][:stamps]
    made = sigstore.sign(STATEMENT, identity=holder, log=log, stamps=clocks)
    found = reference.verify_dsse(Bundle.from_json(made.bytes), as_policy(holder))
    assert found == (PAYLOAD_TYPE, STATEMENT.payload)


def test_the_reference_verifies_by_the_promise_alone(sigstore: VirtualSigstore, reference: Verifier) -> None:
    made = sigstore.sign(STATEMENT, identity=ALICE, log="v1", stamps=0)
    assert reference.verify_dsse(Bundle.from_json(made.bytes), as_policy(ALICE))[1] == STATEMENT.payload


@LOGS
def test_the_reference_verifies_an_artifact(sigstore: VirtualSigstore, reference: Verifier, log: Logs) -> None:
    bundle = Bundle.from_json(sigstore.sign_artifact(ARTIFACT, identity=ALICE, log=log))
    reference.verify_artifact(ARTIFACT, bundle, as_policy(ALICE))
    with pytest.raises(VerificationError, match="digest mismatch"):
        reference.verify_artifact(b"other", bundle, as_policy(ALICE))


@LOGS
def test_the_reference_refuses_what_another_virtual_sigstore_signed(reference: Verifier, log: Logs) -> None:
    made = VirtualSigstore().sign(STATEMENT, identity=ALICE, log=log)
    with pytest.raises(VerificationError):
        reference.verify_dsse(Bundle.from_json(made.bytes), as_policy(ALICE))


@LOGS
def test_the_reference_refuses_another_name(sigstore: VirtualSigstore, reference: Verifier, log: Logs) -> None:
    made = sigstore.sign(STATEMENT, identity="mallory@example.com", log=log)
    with pytest.raises(VerificationError, match="SANs do not match"):
        reference.verify_dsse(Bundle.from_json(made.bytes), as_policy(ALICE))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("certificates", [True, False])
def test_openssl_verifies_a_stamp(sigstore: VirtualSigstore, tmp_path: Path, digest: str, certificates: bool) -> None:
    clock = sigstore.clocks[0]
    (tmp_path / "message").write_bytes(b"signature")
    (tmp_path / "stamp.tsr").write_bytes(clock.stamp(b"signature", digest=digest, certificates=certificates))
    *below, root = [c.public_bytes(Encoding.PEM) for c in clock.chain]
    (tmp_path / "root.pem").write_bytes(root)
    (tmp_path / "below.pem").write_bytes(b"".join(below))

    def verify(message: str) -> subprocess.CompletedProcess[str]:
        command = ["openssl", "ts", "-verify", "-in", "stamp.tsr", "-data", message]
        command += [
            "-CAfile",
            "root.pem",
            "-untrusted",
            "below.pem",
            "-attime",
            str(int(sigstore.clock.now.timestamp())),
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    finished = verify("message")
    assert finished.returncode == 0, finished.stderr
    (tmp_path / "other").write_bytes(b"another signature")
    assert verify("other").returncode != 0
