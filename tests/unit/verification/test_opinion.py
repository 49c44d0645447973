"""A second opinion turns a yes into a no, never a no into a yes."""

import subprocess
import sys
from dataclasses import replace

import pytest

from glasswing_attest import ModelRecord, Policy, Verifier, attest
from glasswing_attest.artifact.file import Blob
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import SecondOpinionDiffers
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.opinion import SigstoreOpinion

WHO = Holder(san="https://ci.example/trainer", issuer="https://issuer.example")
MODEL = Blob(b"weights", name="model.bin", kind="model")


class Contrary:
    """Says no to everything, and counts."""

    def __init__(self) -> None:
        self.asked = 0

    def confirm(self, attestation: Attestation, verified: VerifiedStatement, trust: Trust) -> bool:
        self.asked += 1
        raise SecondOpinionDiffers(where=verified.signer.san)


def policy(issuer: str, san: str) -> Policy:
    return Policy.parse(
        f"""
version: 1
identities: {{someone: {{issuer: "{issuer}", san: "{san}"}}}}
nodes: {{model: {{require: [{{predicate: "{ModelRecord.predicate_type}", signed_by: {{any_of: [someone]}}}}]}}}}
""".encode()
    )


@pytest.fixture(scope="module")
def sigstore() -> VirtualSigstore:
    return VirtualSigstore()


@pytest.fixture(scope="module")
def honest(sigstore: VirtualSigstore) -> tuple[Attestation, Verifier]:
    attestation = attest(MODEL, ModelRecord(name="m"), signer=sigstore.signer(WHO))
    return attestation, Verifier(policy=policy(WHO.issuer, WHO.san), trust=sigstore.trust())


def test_sigstore_agrees_with_an_honest_bundle(honest: tuple[Attestation, Verifier]) -> None:
    attestation, verifier = honest
    assert replace(verifier, second_opinion=SigstoreOpinion()).assess(MODEL, attestation).accepted


def test_a_no_of_the_other_is_a_no(honest: tuple[Attestation, Verifier]) -> None:
    attestation, verifier = honest
    assert verifier.assess(MODEL, attestation).accepted
    contrary = Contrary()
    with pytest.raises(SecondOpinionDiffers) as caught:
        replace(verifier, second_opinion=contrary).verify(MODEL, attestation)
    assert (caught.value.code, contrary.asked) == ("verification.second-opinion", 1)


def test_nobody_is_asked_about_what_we_refuse(honest: tuple[Attestation, Verifier]) -> None:
    attestation, verifier = honest
    contrary = Contrary()
    broken = attestation.bytes.replace(b'"sig":"', b'"sig":"AAAA', 1)
    assert broken != attestation.bytes
    assert not replace(verifier, second_opinion=contrary).assess(MODEL, broken).accepted
    assert contrary.asked == 0


def test_another_root_makes_sigstore_differ(honest: tuple[Attestation, Verifier]) -> None:
    attestation, verifier = honest
    from glasswing_attest.verification.procedure import prove

    (statement,) = prove(attestation, verifier.trust)
    other = VirtualSigstore().trust()
    assert [r.name for r in other.roots] == [statement.signer.root], "the same name, another root"
    with pytest.raises(SecondOpinionDiffers):
        SigstoreOpinion().confirm(attestation, statement, other)


def test_without_it_sigstore_is_not_loaded() -> None:
    code = "import glasswing_attest.verification.opinion, sys; assert 'sigstore' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
