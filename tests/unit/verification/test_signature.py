"""Which signatures count, and for whom?"""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest import Attestation, KeySigner, Trust, attest, endorse
from glasswing_attest._wire import encode_base64, read_json
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import pae
from glasswing_attest.errors import (
    CertificateUntrusted,
    FieldRefused,
    GlasswingError,
    KeyUntrusted,
    LimitError,
    NotPem,
    SignatureInvalid,
    SubjectMismatch,
    UnsupportedError,
    VerificationError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.verification import signature
from glasswing_attest.verification.procedure import prove
from tests.chains import NOW, bare, honest, policy_of, signer, trust_of
from tests.private_pki import Pki
from tests.unit.verification.asking import ALICE, PAYLOAD, refused, signed_by_key

PKI = Pki()
SIGSTORE = VirtualSigstore()


def envelope_of(data: bytes | Attestation) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(data.bytes if isinstance(data, Attestation) else data)
    inner: dict[str, Any] = plain.get("dsseEnvelope", plain)
    return inner


def spoiled(data: bytes, number: int) -> bytes:
    """The bare envelope with one of its signatures made wrong."""
    plain = json.loads(data)
    sig = bytearray(base64.b64decode(plain["signatures"][number]["sig"]))
    sig[3] ^= 1
    plain["signatures"][number]["sig"] = base64.b64encode(sig).decode()
    return json.dumps(plain).encode()


def keys_of(*names: str) -> list[PublicKey]:
    return [signer(name).public_key for name in names]


def signers_of(data: bytes, *names: str) -> set[str]:
    """The fingerprints of those whom a bare envelope proves to have signed."""
    return {p.key.fingerprint for p in signature.check(Attestation.parse(data), keys_of(*names))}


def fingerprints(*names: str) -> set[str]:
    return {key.fingerprint for key in keys_of(*names)}


def test_two_signatures_in_a_bare_envelope_are_two_proofs() -> None:
    run = honest().run
    both = bare(run, endorse(run, signer=signer("auditor")))
    assert signers_of(both, "trainer", "auditor") == fingerprints("trainer", "auditor")
    assert {v.signer.principal for v in prove(Attestation.parse(both), trust_of("trainer", "auditor"), claimed_at=NOW)}


def test_a_rogue_second_signature_is_ignored() -> None:
    run = honest().run
    for rogue_first in (True, False):
        pair = (endorse(run, signer=signer("mallory")), run)
        data = bare(*(pair if rogue_first else pair[::-1]))
        assert signers_of(data, "trainer") == fingerprints("trainer")


@pytest.mark.parametrize("bad", [0, 1])
def test_one_bad_signature_does_not_spoil_a_good_one(bad: int) -> None:
    run = honest().run
    data = spoiled(bare(run, endorse(run, signer=signer("auditor"))), bad)
    expected = ("auditor",) if bad == 0 else ("trainer",)
    assert signers_of(data, "trainer", "auditor") == fingerprints(*expected)


def test_two_bad_signatures_prove_nothing() -> None:
    run = honest().run
    data = spoiled(spoiled(bare(run, endorse(run, signer=signer("auditor"))), 0), 1)
    with pytest.raises(KeyUntrusted) as caught:
        signature.check(Attestation.parse(data), keys_of("trainer", "auditor"))
    assert caught.value.code == "verification.key-untrusted"
    assert caught.value.do.endswith("if it is there, what it signed was changed")


def test_ghsa_3633_5h82_39pq_one_key_under_two_keyids_counts_once() -> None:
    chain = honest()
    twice = bare(chain.run, chain.run, keyids=("first", "second"))

    def two_of_two(plain: dict[str, Any]) -> None:
        rule = plain["nodes"]["model"]["require"][0]
        rule["signed_by"] = {"threshold": 2, "of": ["trainer", "developer"], "over": "same_statement"}

    report = chain.assess([twice, chain.record, chain.source], policy=policy_of(two_of_two))
    assert report.verdict == "refused"
    assert report.cause is not None
    assert report.cause.code == "policy.threshold"
    endorsed = bare(chain.run, endorse(chain.run, signer=signer("developer")))
    assert chain.assess([endorsed, chain.record, chain.source], policy=policy_of(two_of_two)).accepted


def test_a_hint_that_lies_decides_nothing() -> None:
    chain = honest()
    theirs = signer("data-team").public_key
    for hint in (theirs.hint, theirs.fingerprint, "", "nonsense"):
        plain = json.loads(chain.run.bytes)
        plain["verificationMaterial"]["publicKey"]["hint"] = hint
        (proof,) = signature.check(Attestation.parse(json.dumps(plain).encode()), keys_of("data-team", "trainer"))
        assert proof.key == signer("trainer").public_key
        assert proof.named_as == hint


def test_a_hint_at_a_key_that_did_not_sign_is_a_false_signature() -> None:
    plain = json.loads(honest().run.bytes)
    plain["verificationMaterial"]["publicKey"]["hint"] = signer("data-team").public_key.hint
    with pytest.raises(SignatureInvalid) as caught:
        signature.check(Attestation.parse(json.dumps(plain).encode()), keys_of("data-team"))
    assert (caught.value.code, caught.value.where) == ("verification.signature", "$.signatures")


def test_a_key_in_the_bundle_itself_is_not_believed() -> None:
    made = endorse(honest().run, signer=signer("mallory"))
    plain = json.loads(made.bytes)
    plain["verificationMaterial"]["publicKey"]["rawBytes"] = base64.b64encode(signer("mallory").public_key.der).decode()
    with pytest.raises(KeyUntrusted) as caught:
        signature.check(Attestation.parse(json.dumps(plain).encode()), keys_of("trainer"))
    assert caught.value.code == "verification.key-untrusted"


def test_a_certificate_is_not_a_key() -> None:
    made = VirtualSigstore().sign(honest().run.envelope.payload, identity="mallory@example.com")
    with pytest.raises(CertificateUntrusted) as caught:
        prove(made, trust_of("trainer"), claimed_at=NOW)
    assert caught.value.code == "verification.certificate"
    with pytest.raises(KeyUntrusted) as other:  # the certificate's key made it, and not the one that was asked about
        signature.check_by(made, signer("trainer").public_key)
    assert other.value.code == "verification.key-untrusted"


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-3072"])
def test_each_algorithm_signs_and_no_bit_of_it_may_change(algorithm: str) -> None:
    own = signer(f"alg-{algorithm}", algorithm)
    made = endorse(honest().run, signer=own)
    (proof,) = signature.check(made, [own.public_key])
    assert proof.scheme in own.public_key.schemes
    sig = made.envelope.signatures[0].sig
    for position in range(0, len(sig), 5):
        wrong = bytearray(sig)
        wrong[position] ^= 1
        plain = json.loads(made.bytes)
        plain["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(wrong).decode()
        with pytest.raises(SignatureInvalid):
            signature.check(Attestation.parse(json.dumps(plain).encode()), [own.public_key])


def test_ecdsa_may_be_raw_as_in_dsse_s_own_example_and_nothing_else() -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    own = signer("raw", "ecdsa-p256")
    made = endorse(honest().run, signer=own)
    r, s = decode_dss_signature(made.envelope.signatures[0].sig)
    message = made.envelope.signed_bytes
    assert own.public_key.check(r.to_bytes(32) + s.to_bytes(32), message) == "ecdsa-sha2-nistp256"
    for wrong in (s.to_bytes(32) + r.to_bytes(32), r.to_bytes(33) + s.to_bytes(33), b"", bytes(64), b"\0" * 70):
        with pytest.raises(SignatureInvalid) as caught:
            own.public_key.check(wrong, message)
        assert caught.value.code == "verification.signature"


def test_pae_counts_bytes_not_characters() -> None:
    assert pae("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"


def test_the_payload_type_is_signed() -> None:
    plain = envelope_of(honest().run)
    plain["payloadType"] = "application/vnd.in-toto.other+json"
    with pytest.raises(KeyUntrusted):
        signature.check(Attestation.parse(json.dumps(plain).encode()), keys_of("trainer"))


def test_the_33rd_signature_is_too_many() -> None:
    run = honest().run
    plain = envelope_of(run)
    plain["signatures"] = plain["signatures"] * 32
    (proof,) = signature.check(Attestation.parse(json.dumps(plain).encode()), keys_of("trainer"))
    assert proof.key == signer("trainer").public_key
    plain["signatures"].append(plain["signatures"][0])
    with pytest.raises(LimitError) as caught:
        Attestation.parse(json.dumps(plain).encode())
    assert (caught.value.code, caught.value.where) == ("limit", "$.signatures")


def test_a_bundle_has_exactly_one_signature() -> None:
    run = honest().run
    plain = json.loads(run.bytes)
    plain["dsseEnvelope"]["signatures"] *= 2
    with pytest.raises(GlasswingError) as caught:
        Attestation.parse(json.dumps(plain).encode())
    assert caught.value.code == "malformed.field"


def test_a_scheme_that_the_trust_excludes_is_not_used() -> None:
    own = signer("rsa", "rsa-3072")  # signs PKCS#1 v1.5
    pss_only = PublicKey.from_pem(own.public_key.pem, scheme="rsassa-pss-sha256")
    made = endorse(honest().run, signer=own)
    with pytest.raises(VerificationError) as caught:
        prove(made, Trust.of(own=pss_only), claimed_at=NOW)
    assert caught.value.code == "verification.signature"
    # The same key under two names, each with its scheme: the name whose scheme was not used is not proved.
    both = Trust(keys=(TrustedKey(name="pss", key=pss_only), TrustedKey(name="plain", key=own.public_key)))
    (verified,) = prove(made, both, claimed_at=NOW)
    assert verified.signer.names == {"plain"}


def test_an_attestation_of_a_stranger_names_no_key() -> None:
    made = attest(honest().model, _Says(), signer=KeySigner.generate("ed25519"))
    with pytest.raises(KeyUntrusted) as caught:
        prove(made, trust_of("trainer"), claimed_at=NOW)
    assert caught.value.code == "verification.key-untrusted"


class _Says:
    predicate_type = "https://example.com/said/v1"

    def to_predicate(self) -> dict[str, object]:
        return {}


# --- what a proof tells, and where a refusal points ------------------------------------------------------------------


def message(artifact: bytes, *, digest: bool = True) -> Bundle:
    """A bundle that signs an artifact directly, with or without its digest beside it."""
    plain = json.loads(SIGSTORE.sign_artifact(artifact, identity=ALICE))
    if not digest:
        del plain["messageSignature"]["messageDigest"]
    return Bundle.parse(read_json(json.dumps(plain).encode()))


def test_what_signed_an_artifact_knows_the_digest_of_one_algorithm() -> None:
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    signed = signature.check_message(message(b"weights"), (), digest=digest, content=b"weights")
    assert signed.digest("sha256") == digest[1]
    assert signed.digest("sha512") is None
    (keyed,) = signature.check(honest().run, [signer("trainer").public_key])
    assert keyed.digest("sha512") == hashlib.sha512(honest().run.envelope.signed_bytes).digest()


def test_a_certificate_s_signature_names_no_key_and_a_key_s_brings_nothing() -> None:
    (by_certificate,) = signature.check(SIGSTORE.sign(PAYLOAD, identity=ALICE), ())
    assert (by_certificate.named_as, by_certificate.scheme) == ("", "ecdsa-sha2-nistp256")
    (by_key,) = signature.check(honest().run, [signer("trainer").public_key])
    assert (by_key.leaf, by_key.embedded, by_key.brings_root, by_key.scheme) == (None, (), False, "ed25519")


def test_the_key_that_is_named_is_tried_first_and_each_try_is_counted() -> None:
    keys = [signer(name).public_key for name in ("data-team", "auditor", "trainer")]
    assert signature.check(honest().run, keys, limits=Limits(signature_checks=1))

    def unnamed(plain: dict[str, dict[str, dict[str, str]]]) -> Attestation:
        plain["verificationMaterial"]["publicKey"]["hint"] = ""
        return Attestation.parse(json.dumps(plain).encode())

    made = unnamed(json.loads(honest().run.bytes))
    assert signature.check(made, keys, limits=Limits(signature_checks=3))
    all_of_them = Budget(Limits(signature_checks_in_all=2), "signature_checks_in_all")
    at = ("limit", "$.signatures")
    assert refused(LimitError, signature.check, made, keys, limits=Limits(signature_checks=2)) == at
    assert refused(LimitError, signature.check, made, keys, budget=all_of_them) == at


def test_a_key_that_one_signature_names_is_a_false_signature_whatever_the_others_name() -> None:
    by_stranger = endorse(honest().run, signer=signer("mallory"))
    hint, at = signer("trainer").public_key.hint, ("verification.signature", "$.signatures")
    for names in ((hint, ""), ("", hint)):
        made = Attestation.parse(bare(by_stranger, by_stranger, keyids=names))
        assert refused(SignatureInvalid, signature.check, made, [signer("trainer").public_key]) == at


def test_one_key_is_asked_for_whatever_its_certificate_calls_it() -> None:
    nameless = PKI.signer(PKI.leaf(san=None))
    payload = PAYLOAD
    made = Attestation.parse(nameless.seal(payload, "application/vnd.in-toto+json"))
    (own,) = signature.check(made, (), by_subject=True)
    assert signature.check_by(made, own.key).key == own.key
    stranger = signer("trainer").public_key
    at = ("verification.key-untrusted", "$.verificationMaterial")
    assert refused(KeyUntrusted, signature.check_by, made, stranger) == at


def test_a_certificate_without_a_name_is_read_only_where_its_subject_may_name_it() -> None:
    made = Attestation.parse(PKI.signer(PKI.leaf(san=None)).seal(PAYLOAD, "application/vnd.in-toto+json"))
    at = ("malformed.field", "$.verificationMaterial.certificate.subjectAltName")
    assert refused(FieldRefused, signature.check, made, ()) == at
    (signed,) = signature.check(made, (), by_subject=True)
    assert signed.leaf is not None
    assert signed.leaf.san == "subject:CN=release"


def test_what_is_no_signed_artifact_and_what_is_another() -> None:
    about = Bundle.parse(read_json(SIGSTORE.sign(PAYLOAD, identity=ALICE).bytes))
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    assert refused(UnsupportedError, signature.check_message, about, (), digest=digest) == ("unsupported", "$")
    # Without a digest in the bundle the caller's counts, and a weak one is none.
    undigested = message(b"weights", digest=False)
    for name in ("sha1", "md5"):
        weak = (name, hashlib.new(name, b"weights").digest())
        found = refused(SubjectMismatch, signature.check_message, undigested, (), digest=weak, content=b"weights")
        assert found == ("verification.subject", "content")
    signed = signature.check_message(undigested, (), digest=digest, content=b"weights")
    assert (signed.artifact_digest, signed.brings_root, signed.named_as) == (digest, False, "")


def test_every_key_is_tried_over_an_artifact_and_one_that_signs_bytes_is_given_them() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    own, stranger = PublicKey.of(key.public_key()), signer("trainer").public_key
    bundle, digest = signed_by_key(key, b"weights"), ("sha256", hashlib.sha256(b"weights").digest())
    signed = signature.check_message(bundle, [stranger, own], digest=digest, content=b"weights")
    assert (signed.key, signed.named_as, signed.leaf) == (own, "mine", None)
    assert (signed.embedded, signed.brings_root) == ((), False)
    at = ("verification.key-untrusted", "$.messageSignature")
    asked = {"digest": digest, "content": b"weights"}
    assert refused(KeyUntrusted, signature.check_message, bundle, [stranger], **asked) == at
    assert refused(KeyUntrusted, signature.check_message, bundle, (), **asked) == at


def test_what_a_bundle_brings_along_is_told_without_its_roots() -> None:
    plain = json.loads(PKI.signer().seal(PAYLOAD, "application/vnd.in-toto+json"))
    chain = plain["verificationMaterial"]["x509CertificateChain"]["certificates"]
    between, root = (each.public_bytes(Encoding.DER) for each in (PKI.intermediate, PKI.root))

    def checked(*more: bytes) -> tuple[tuple[bytes, ...], bool]:
        chain[1:] = [{"rawBytes": encode_base64(each)} for each in more]
        (signed,) = signature.check(Attestation.parse(json.dumps(plain).encode()), ())
        return signed.embedded, signed.brings_root

    assert checked() == ((), False)
    assert checked(between) == ((between,), False)
    assert checked(root, between) == ((between,), True)
    at = ("malformed.pem", "$.verificationMaterial.x509CertificateChain")
    assert refused(NotPem, checked, between, b"0") == at
