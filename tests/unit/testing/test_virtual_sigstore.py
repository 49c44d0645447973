"""Is each property of the virtual Sigstore what it says, and is each that is broken refused for its own reason?"""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from glasswing_attest import Attestation, DataRecord, KeySigner, attest
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.bundle import Bundle
from glasswing_attest.errors import (
    CertificateUntrusted,
    FieldRefused,
    GlasswingError,
    KeyUnsupported,
    KeyUntrusted,
    NotLogged,
    OutsideValidity,
    TimeUnproven,
    UsageError,
)
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.testing import (
    CertificateAuthority,
    CertificateLog,
    Clock,
    Holder,
    LeafOptions,
    TimestampAuthority,
    TransparencyLog,
    VirtualSigstore,
)
from glasswing_attest.testing.log import inclusion_proof, tree_root
from glasswing_attest.testing.sigstore import Logs
from glasswing_attest.trust.root import Trust, TrustedKey, Witness
from glasswing_attest.trust.sigstore import GITHUB
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.certificate import FULCIO_CLAIMS
from glasswing_attest.verification.merkle import inclusion_root, leaf_hash
from glasswing_attest.verification.note import Note
from glasswing_attest.verification.procedure import prove, prove_message
from glasswing_attest.verification.signature import check_by

STATEMENT = Statement.make(
    [ResourceDescriptor(name="m.bin", digest=DigestSet.of(sha256="a" * 64))], "https://example.com/says/v1", {}
)
ALICE = "alice@example.com"
EC_KEYS = ["p256", "p384", "p521"]


def proved(made: Attestation, trust: Trust) -> VerifiedStatement:
    (verified,) = prove(made, trust)
    assert verified.statement == STATEMENT
    return verified


def refused(made: Attestation, trust: Trust) -> GlasswingError:
    with pytest.raises(GlasswingError) as caught:
        prove(made, trust)
    return caught.value


# --- what is honest is proved ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [*EC_KEYS, "rsa"])
@pytest.mark.parametrize(("log", "kind"), [("v1", "dsse"), ("v1", "intoto"), ("v2", "dsse")])
def test_a_statement_is_proved(log: Logs, kind: Any, key: str) -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(STATEMENT, identity=ALICE, log=log, kind=kind, leaf=LeafOptions(key=key))
    verified = proved(made, sigstore.trust())
    assert (verified.signer.san, verified.signer.issuer) == (ALICE, "https://issuer.example")
    assert verified.times.signed_by == sigstore.clock.now
    assert len(verified.times.times) == (2 if log == "v1" else 1)
    assert [e.kind for e in _bundle(made).log_entries] == [kind if log == "v1" else "hashedrekord"]


@pytest.mark.parametrize("key", [*EC_KEYS, "rsa"])
@pytest.mark.parametrize("log", ["v1", "v2"])
def test_an_artifact_is_proved(log: Logs, key: str) -> None:
    sigstore = VirtualSigstore()
    bundle = Bundle.from_json(sigstore.sign_artifact(b"weights", identity=ALICE, log=log, leaf=LeafOptions(key=key)))
    name = {"p384": "sha384", "p521": "sha512"}.get(key, "sha256")
    digest = (name, hashlib.new(name, b"weights").digest())
    assert prove_message(bundle, sigstore.trust(), digest=digest).signer.san == ALICE


def test_a_profile_without_logs() -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(STATEMENT, identity=ALICE, log=None, leaf=LeafOptions(ct_logs=()))
    assert proved(made, sigstore.trust("github")).logs == ()
    assert proved(made, sigstore.trust(GITHUB)).signer.san == ALICE
    assert isinstance(refused(made, sigstore.trust()), NotLogged)


@pytest.mark.parametrize(
    "holder",
    [
        Holder.of("https://ci.example/job/1"),
        Holder.of("alice@example.com"),
        Holder(san="builder:seven", kind="other"),
        Holder(san="spiffe://example.org/trainer"),
        Holder.github("acme/train", ref="refs/tags/v1", repository_id="7"),
    ],
    ids=lambda h: h.san,
)
def test_names_and_claims_come_back(holder: Holder) -> None:
    sigstore = VirtualSigstore()
    signer = proved(sigstore.sign(STATEMENT, identity=holder), sigstore.trust()).signer
    assert (signer.san, signer.issuer, dict(signer.claims)) == (holder.san, holder.issuer, dict(holder.claims))


def test_a_workflow_has_every_claim() -> None:
    assert set(Holder.github("acme/train").claims) == set(FULCIO_CLAIMS.values())


@pytest.mark.parametrize("versions", [(1,), (2,), (1, 2)])
def test_either_issuer_extension(versions: Any) -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(STATEMENT, identity=ALICE, leaf=LeafOptions(issuer_extensions=versions))
    assert proved(made, sigstore.trust()).signer.issuer == "https://issuer.example"


def test_a_private_authority_names_no_issuer() -> None:
    sigstore = VirtualSigstore("corp")
    made = sigstore.sign(STATEMENT, identity=Holder(san="trainer.corp.example", kind="other", issuer=""))
    signer = proved(made, sigstore.trust()).signer
    assert (signer.root, signer.issuer, signer.san) == ("corp", "", "trainer.corp.example")


@pytest.mark.parametrize("log", ["v1", "v2"])
@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-3072"])
def test_a_key_with_a_witness(log: Logs, algorithm: str) -> None:
    sigstore, key = VirtualSigstore(), KeySigner.generate(algorithm)
    witness = Witness(root="virtual", logs=1, times=1)
    trust = sigstore.trust(keys=[TrustedKey(name="trainer", key=key.public_key, witness=witness)])
    verified = proved(sigstore.sign(STATEMENT, identity=key, log=log), trust)
    assert verified.signer.names == frozenset({"trainer"})
    assert verified.times.signed_by == sigstore.clock.now
    bare = Attestation.parse(key.seal(STATEMENT.payload, PAYLOAD_TYPE))
    assert isinstance(refused(bare, trust), NotLogged)


# --- what is broken is refused, for its reason -----------------------------------------------------------------------

BROKEN: dict[str, tuple[LeafOptions, type[GlasswingError], str]] = {
    "expired": (LeafOptions(starts=-timedelta(hours=1)), OutsideValidity, "certificate"),
    "not yet": (LeafOptions(starts=timedelta(seconds=1)), OutsideValidity, "certificate"),
    "no code signing": (LeafOptions(usages=()), CertificateUntrusted, "certificate"),
    "for servers": (LeafOptions(usages=(ExtendedKeyUsageOID.SERVER_AUTH,)), CertificateUntrusted, "certificate"),
    "no signatures": (LeafOptions(digital_signature=False), CertificateUntrusted, "certificate"),
    "an authority": (LeafOptions(ca=True), CertificateUntrusted, "certificate"),
    "two names": (
        LeafOptions(further_names=("https://x.example",)),
        FieldRefused,
        "$.verificationMaterial.certificate.subjectAltName",
    ),
    "no promise": (LeafOptions(ct_logs=()), CertificateUntrusted, "certificate.scts"),
    "a promise by a stranger": (
        LeafOptions(ct_logs=(CertificateLog(Clock()),)),
        CertificateUntrusted,
        "certificate.scts",
    ),
    "a promise before the log began": (
        LeafOptions(promised_at=datetime(2020, 1, 1, tzinfo=UTC)),
        CertificateUntrusted,
        "certificate.scts",
    ),
    "an unknown critical extension": (LeafOptions(unknown_critical=True), CertificateUntrusted, "certificate"),
    "Ed25519": (LeafOptions(key="ed25519"), KeyUnsupported, "certificate"),
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("log", ["v1", "v2"])
def test_a_broken_certificate_is_refused(log: Logs, how: str) -> None:
    options, kind, where = BROKEN[how]
    sigstore = VirtualSigstore()
    error = refused(sigstore.sign(STATEMENT, identity=ALICE, log=log, leaf=options), sigstore.trust())
    assert (type(error), error.where) == (kind, where), error


def test_a_path_that_is_too_long() -> None:
    sigstore = VirtualSigstore()
    for path_length, intermediates in ((0, 1), (1, 2)):
        sigstore.authorities = [
            CertificateAuthority(sigstore.clock, intermediates=intermediates, path_length=path_length)
        ]
        error = refused(sigstore.sign(STATEMENT, identity=ALICE), sigstore.trust())
        assert (type(error), error.where) == (CertificateUntrusted, "certificate")
        sigstore.authorities = [CertificateAuthority(sigstore.clock, intermediates=intermediates)]
        proved(sigstore.sign(STATEMENT, identity=ALICE), sigstore.trust())


@pytest.mark.parametrize("intermediates", [0, 1, 2])
@pytest.mark.parametrize("key", [*EC_KEYS, "rsa"])
def test_authorities_of_all_kinds(key: str, intermediates: int) -> None:
    sigstore = VirtualSigstore()
    sigstore.authorities = [CertificateAuthority(sigstore.clock, key=key, intermediates=intermediates)]
    proved(sigstore.sign(STATEMENT, identity=ALICE), sigstore.trust())


def test_another_sigstore_of_the_same_names() -> None:
    mine, theirs = VirtualSigstore(), VirtualSigstore()
    assert isinstance(refused(theirs.sign(STATEMENT, identity=ALICE), mine.trust()), NotLogged)
    made = theirs.sign(STATEMENT, identity=ALICE, log=mine.log("v1"), stamps=mine.clocks)
    assert isinstance(refused(made, mine.trust()), CertificateUntrusted)


@pytest.mark.parametrize("edge", ["start", "end"])
def test_windows_are_closed(edge: str) -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(STATEMENT, identity=ALICE, log="v2")
    second = timedelta(seconds=1) if edge == "start" else -timedelta(seconds=1)
    at = sigstore.clock.now
    services: Sequence[Any] = (sigstore.authorities[0], sigstore.ct_logs[0], sigstore.log("v2"), sigstore.clocks[0])
    for service in services:
        before = service.window
        service.window = replace(before, **{edge: at})
        proved(made, sigstore.trust())
        service.window = replace(before, **{edge: at + second})
        error = refused(made, sigstore.trust())
        told = CertificateUntrusted if isinstance(service, CertificateLog) else OutsideValidity
        assert type(error) is told, (service, error)
        service.window = before


def test_a_stamp_by_what_is_no_clock() -> None:
    sigstore = VirtualSigstore()
    sigstore.clocks = [TimestampAuthority(sigstore.clock, usages=(ExtendedKeyUsageOID.CODE_SIGNING,))]
    error = refused(sigstore.sign(STATEMENT, identity=ALICE, log="v2"), sigstore.trust())
    assert (type(error), error.where) == (TimeUnproven, "rfc3161Timestamps")


@pytest.mark.parametrize("key", EC_KEYS)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("certificates", [True, False])
def test_stamps_of_all_kinds(key: str, digest: str, certificates: bool) -> None:
    sigstore = VirtualSigstore()
    clock = TimestampAuthority(sigstore.clock, key=key)
    sigstore.clocks = [clock]
    made = sigstore.sign(STATEMENT, identity=ALICE, log="v2", stamps=0)
    bundle = json.loads(made.bytes)
    later = sigstore.clock.advance(minutes=1)
    stamp = clock.stamp(made.envelope.signatures[0].sig, digest=digest, certificates=certificates)
    material = bundle["verificationMaterial"]
    material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": _b64(stamp)}]}
    stamped = Attestation.parse(json.dumps(bundle).encode())
    assert proved(stamped, sigstore.trust()).times.signed_by == later
    assert isinstance(refused(made, sigstore.trust()), TimeUnproven)


def _bundle(made: Attestation) -> Bundle:
    assert made.bundle is not None
    return made.bundle


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- the parts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [*range(1, 18), 64, 65])
def test_every_leaf_of_every_tree_is_proved(size: int) -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(size)]
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(leaves, index)
        assert inclusion_root(leaf, index=index, size=size, proof=proof) == tree_root(leaves)


def test_an_empty_tree_has_no_root() -> None:
    with pytest.raises(UsageError):
        tree_root([])


@pytest.mark.parametrize("version", [1, 2])
def test_witnesses_cosign(version: Any) -> None:
    clock = Clock()
    log = TransparencyLog(clock, version=version)
    key = log.add_witness("witness.example/w1")
    note = Note.parse(log.checkpoint(1, bytes(32)))
    own, cosigned = note.signatures
    assert own.key_hash == log.log_id[:4]
    time = int.from_bytes(cosigned.signature[:8])
    assert (cosigned.name, time) == ("witness.example/w1", int(clock.now.timestamp()))
    key.verify(cosigned.signature[8:], f"cosignature/v1\ntime {time}\n{note.text}".encode())


def test_a_rotated_log_ends_when_the_next_begins() -> None:
    sigstore = VirtualSigstore()
    old = sigstore.log("v1")
    new = sigstore.rotate("v1")
    assert sigstore.log("v1") is new is not old
    assert (old.operator, old.window.end) == (new.operator, new.window.start - timedelta(seconds=1))
    assert old.log_id != new.log_id


def test_a_clock_moves_when_it_is_told_to() -> None:
    clock = Clock(datetime(2026, 5, 1, microsecond=7, tzinfo=UTC))
    assert clock() == clock.now == datetime(2026, 5, 1, tzinfo=UTC)
    assert clock.advance(hours=1, seconds=-1) == datetime(2026, 5, 1, 0, 59, 59, tzinfo=UTC)
    with pytest.raises(UsageError):
        clock.set(datetime(2026, 5, 1))  # noqa: DTZ001


def test_attest_takes_a_virtual_signer() -> None:
    sigstore = VirtualSigstore()
    signer = sigstore.signer(ALICE, log="v2")
    first = attest(Blob(b"data", name="d.csv"), DataRecord(name="d"), signer=signer)
    sigstore.clock.advance(days=1)  # a new certificate for each signature
    second = attest(Blob(b"data", name="d.csv"), DataRecord(name="d"), signer=signer)
    times = [prove(made, sigstore.trust())[0].times.signed_by for made in (first, second)]
    assert times == [sigstore.clock.now - timedelta(days=1), sigstore.clock.now]


def test_the_self_check_of_a_certificate_is_under_the_signers_key() -> None:
    sigstore = VirtualSigstore()
    signer = sigstore.signer(ALICE)
    made = Attestation.parse(signer.seal(STATEMENT.payload))
    assert check_by(made, signer.verified_by).key.der == signer.verified_by.der
    with pytest.raises(KeyUntrusted):
        check_by(made, sigstore.signer(ALICE).verified_by)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s: s.sign(STATEMENT, identity=ALICE, leaf=LeafOptions(key="dsa")),
        lambda s: s.trust("nobody"),
        lambda s: Holder(san="x", claims={"favourite_colour": "red"}),
        lambda s: s.sign_artifact(b"x", identity=KeySigner.generate()),
        lambda s: TimestampAuthority(s.clock, key="ed25519"),
        lambda s: s.clocks[0].stamp(b"x", digest="md5"),
        lambda s: s.log("v3"),
    ],
)
def test_wrong_use_is_told(wrong: Callable[[VirtualSigstore], object]) -> None:
    with pytest.raises(UsageError):
        wrong(VirtualSigstore())
