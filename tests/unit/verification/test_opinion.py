"""A second opinion turns a yes into a no, never a no into a yes."""

import subprocess
import sys
from dataclasses import replace

import pytest

from glasswing_attest import ModelRecord, Policy, Verifier, attest
from glasswing_attest.artifact.file import Blob
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import SecondOpinionDiffers
from glasswing_attest.testing import Holder, LeafOptions, VirtualSigstore
from glasswing_attest.trust.key import TrustedKey
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.opinion import SigstoreOpinion
from glasswing_attest.verification.procedure import prove
from tests.chains import NOW, bare, signer
from tests.unit.verification.asking import PAYLOAD

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


OPINION = SigstoreOpinion()
SIGSTORE = VirtualSigstore()
TRUST = SIGSTORE.trust()
MADE = SIGSTORE.sign(PAYLOAD, identity=WHO)
(PROVED,) = prove(MADE, TRUST)


def differs(attestation: Attestation, trust: Trust = TRUST) -> None:
    """The statement of one attestation is held against another, or against another trust."""
    with pytest.raises(SecondOpinionDiffers) as caught:
        OPINION.confirm(attestation, PROVED, trust)
    assert type(caught.value) is SecondOpinionDiffers
    assert (caught.value.code, caught.value.where) == ("verification.second-opinion", WHO.san)


def test_sigstore_agrees_with_an_entry_of_either_version_of_rekor() -> None:
    for log in ("v1", "v2"):
        made = SIGSTORE.sign(PAYLOAD, identity=WHO, log=log)
        (proved,) = prove(made, TRUST)
        assert OPINION.confirm(made, proved, TRUST) is True


def test_another_root_makes_sigstore_differ() -> None:
    other = VirtualSigstore().trust()
    assert [r.name for r in other.roots] == [PROVED.signer.root], "the same name, another root"
    differs(MADE, other)


@pytest.mark.parametrize(
    "who", [Holder(san=WHO.san, issuer="https://other.example"), Holder(san="https://ci.example/x", issuer=WHO.issuer)]
)
def test_another_identity_makes_sigstore_differ(who: Holder) -> None:
    differs(SIGSTORE.sign(PAYLOAD, identity=who))


def test_what_sigstore_cannot_read_it_does_not_say_yes_to() -> None:
    more = MADE.bytes.replace(b"{", b'{"more":1,', 1)  # we leave it unread
    assert prove(Attestation.parse(more), TRUST)
    differs(Attestation.parse(more))


@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_what_sigstore_stumbles_over_it_does_not_say_yes_to(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sigstore import verify

    def stumbles(*_: object) -> tuple[str, bytes]:
        raise error("it was not prepared for this")

    monkeypatch.setattr(verify.Verifier, "verify_dsse", stumbles)
    differs(MADE)


@pytest.mark.parametrize(("kind", "payload"), [("", b"other"), ("text/plain", b""), ("text/plain", b"other")])
def test_what_sigstore_reads_otherwise_is_a_no(kind: str, payload: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from sigstore import verify

    read = (kind or MADE.envelope.payload_type, payload or MADE.envelope.payload)
    monkeypatch.setattr(verify.Verifier, "verify_dsse", lambda *_: read)
    differs(MADE)


def test_sigstore_is_not_asked_about_what_it_does_not_read() -> None:
    keyed = SIGSTORE.sign(PAYLOAD, identity=signer("trainer", "ecdsa-p256"))
    nameless = SIGSTORE.sign(PAYLOAD, identity=WHO, leaf=LeafOptions(issuer_extensions=()))
    for unread in (
        SIGSTORE.sign(PAYLOAD, identity=WHO, kind="intoto"),
        SIGSTORE.sign(PAYLOAD, identity=WHO, log=SIGSTORE.logs),
        nameless,
    ):
        (proved,) = prove(unread, TRUST)
        assert OPINION.confirm(unread, proved, TRUST) is False
    key = TrustedKey(name="trainer", key=signer("trainer", "ecdsa-p256").public_key)
    (by_key,) = prove(keyed, replace(TRUST, keys=(key,)), claimed_at=NOW)
    assert OPINION.confirm(keyed, by_key, TRUST) is False
    for without in (SIGSTORE.sign(PAYLOAD, identity=WHO, log=()), Attestation.parse(bare(MADE))):
        assert OPINION.confirm(without, PROVED, TRUST) is False


def test_where_sigstore_says_nothing_our_yes_stands(
    sigstore: VirtualSigstore, honest: tuple[Attestation, Verifier]
) -> None:
    unread = attest(MODEL, ModelRecord(name="m"), signer=sigstore.signer(WHO, kind="intoto"))
    assert replace(honest[1], second_opinion=OPINION).assess(MODEL, unread).accepted


def test_without_it_sigstore_is_not_loaded() -> None:
    code = "import glasswing_attest.verification.opinion, sys; assert 'sigstore' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
