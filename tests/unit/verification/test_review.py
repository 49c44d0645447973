"""What a fresh pair of eyes found in the engine, one story each, so that it stays away."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from glasswing_attest import KeySigner, Policy, Trust
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, MessageSignature
from glasswing_attest.claims import read, registry_of
from glasswing_attest.errors import CertificateUntrusted, NotPem, Revoked, SubjectMismatch, TrustRefused
from glasswing_attest.limits import DEFAULT, Budget
from glasswing_attest.policy.policy import SignedBy
from glasswing_attest.policy.rules.signed_by import enough
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.testing.certificates import CertificateAuthority, usage
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import GITHUB, Log, Profile, Root, Window
from glasswing_attest.verification import revocation
from glasswing_attest.verification.procedure import prove, prove_message

STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "aa" * 32}}],
        "predicateType": "https://example.com/x/v1",
        "predicate": {},
    }
).encode()
DAY = timedelta(days=1)


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def authority(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - DAY).not_valid_after(now + 3650 * DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.add_extension(usage(cert_sign=True), critical=True).sign(signer, hashes.SHA256())


class Chained(CertificateAuthority):
    """An authority with a chain and a window of the test's choice."""

    def __init__(
        self,
        like: CertificateAuthority,
        chain: tuple[x509.Certificate, ...],
        key: ec.EllipticCurvePrivateKey,
        window: Window,
    ) -> None:
        self.__dict__.update(like.__dict__)
        self.chain, self._key, self.window = chain, key, window


def test_a_bundle_does_not_bring_back_an_authority_whose_window_is_closed() -> None:
    sigstore = VirtualSigstore()
    now = sigstore.clock.now
    root_key, closed_key, open_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = authority("root", "root", root_key, root_key, now)
    closed = authority("closed", "root", closed_key, root_key, now)
    crossed = authority("closed", "root", closed_key, root_key, now)  # the same key, another certificate
    current = authority("open", "root", open_key, root_key, now)
    before = sigstore.authorities[0]
    old = Chained(before, (closed, root), closed_key, Window(start=now - 2 * DAY, end=now - DAY))
    new = Chained(before, (current, root), open_key, Window(start=now - DAY))
    sigstore.authorities[:] = [old, new]
    trust = sigstore.trust()
    sigstore.authorities[:] = [new]
    assert prove(sigstore.sign(STATEMENT, identity="ceo@example.com"), trust)[0].signer.san == "ceo@example.com"
    sigstore.authorities[:] = [old]  # somebody has the old authority's key, and issues with it today
    forged = sigstore.sign(STATEMENT, identity="ceo@example.com")
    for brought in ((), (closed,), (crossed,)):
        bundle = json.loads(forged.bytes)
        material = bundle["verificationMaterial"]
        ders = [c.public_bytes(Encoding.DER) for c in brought]
        chain = [material.pop("certificate"), *({"rawBytes": base64.b64encode(der).decode()} for der in ders)]
        material["x509CertificateChain"] = {"certificates": chain}
        with pytest.raises(CertificateUntrusted) as caught:
            prove(Attestation.parse(json.dumps(bundle).encode()), trust)
        assert (caught.value.code, caught.value.where) == ("verification.certificate", "certificate")


def unreadable(oid: str, value: str) -> Callable[[x509.CertificateBuilder], x509.CertificateBuilder]:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), bytes.fromhex(value))
    return lambda builder: builder.add_extension(extension, critical=False)


@pytest.mark.parametrize(
    ("change", "dates"),
    [
        (unreadable("2.5.29.17", "3004a3020500"), None),
        (unreadable("2.5.29.17", "3004a5020500"), None),
        (unreadable("2.5.29.18", "3004a5020500"), None),
        (unreadable("2.5.29.30", "3006a0043002a500"), None),
        (unreadable("2.5.29.35", "3004a102a500"), None),
        (lambda builder: builder, (b"20550101000000Z", b"00000101000000Z")),
    ],
    ids=["san-x400", "san-edi", "issuer-edi", "constraints-edi", "authority-edi", "year-0"],
)
def test_an_unreadable_certificate_is_one_refused_item(
    change: Callable[[x509.CertificateBuilder], x509.CertificateBuilder], dates: tuple[bytes, bytes] | None
) -> None:
    sigstore = VirtualSigstore()
    trust = sigstore.trust(GITHUB)
    key = ec.generate_private_key(ec.SECP256R1())
    start = datetime(2055, 1, 1) if dates else sigstore.clock.now  # noqa: DTZ001  # written as it stands

    class Careless:
        def issue(self, public: ec.EllipticCurvePublicKey, *_: object, **__: object) -> x509.Certificate:
            builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(named("q")).public_key(public)
            builder = builder.serial_number(5).not_valid_before(start).not_valid_after(start + DAY)
            made = change(builder).sign(key, hashes.SHA256())
            der = made.public_bytes(Encoding.DER)
            return x509.load_der_x509_certificate(der.replace(*dates) if dates else der)

    sigstore.authorities = [Careless()]  # type: ignore[list-item]  # pyright: ignore[reportAttributeAccessIssue]
    forged = sigstore.sign(STATEMENT, identity="a@b.c", log=None)
    with pytest.raises(NotPem) as caught:
        prove(forged, trust)
    assert (caught.value.code, caught.value.kind) == ("malformed.pem", "evidence")


def revoking(entry: Revocation, trust: Trust, security: KeySigner, now: datetime) -> revocation.VerifiedRevocations:
    document = RevocationList.of([entry], version=1, issued=now - DAY, expires=now + DAY)
    found = revocation.check(security.seal(document.to_json(), REVOCATIONS_TYPE), trust, now=now)
    assert found is not None
    return found


def test_a_revoked_key_is_revoked_behind_a_certificate_too() -> None:
    sigstore, security = VirtualSigstore(), KeySigner.generate()
    now = sigstore.clock.now
    trust = replace(
        sigstore.trust(keys=[TrustedKey(name="security", key=security.public_key)]), revocation_signers=("security",)
    )
    signer = sigstore.signer("a@b.c")
    proved = prove(Attestation.parse(signer.seal(STATEMENT, "application/vnd.in-toto+json")), trust)
    fingerprint = signer.public_key.fingerprint
    late = revoking(Revocation(key=fingerprint, since=now + DAY), trust, security, now)
    assert revocation.standing(proved, late) == proved
    with pytest.raises(Revoked) as caught:
        revocation.standing(proved, revoking(Revocation(key=fingerprint, since=now - DAY), trust, security, now))
    assert caught.value.code == "verification.revoked"


def test_the_holder_of_a_private_authority_can_be_revoked() -> None:
    entry = Revocation(authority="corp", san="https://ci.corp/x", since=datetime.fromisoformat("2026-01-01T00:00:00Z"))
    about = {"key": "", "issuer": "", "predicate_type": "x:y"}
    assert entry.concerns(authority="corp", san="https://ci.corp/x", **about)
    assert not entry.concerns(authority="other", san="https://ci.corp/x", **about)
    assert not entry.concerns(authority="corp", san="https://ci.corp/y", **about)
    document = RevocationList.of([entry], version=1, issued=entry.since, expires=entry.since)
    assert RevocationList.parse(document.to_json()).entries == (entry,)


def test_one_of_two_clocks_does_not_decide_whether_it_was_before_the_revocation() -> None:
    sigstore, signer, security = VirtualSigstore(name="v"), KeySigner.generate(), KeySigner.generate()
    now = sigstore.clock.now
    honest, other = sigstore.clocks[0], sigstore.add_clock(operator="other.example")

    class Backdating:
        def stamp(self, signature: bytes) -> bytes:
            clock = other._clock
            other._clock = type(clock)(now - timedelta(hours=10))
            try:
                return other.stamp(signature)
            finally:
                other._clock = clock

    root = sigstore.root(Profile(scts=0, logs=0, times=2, stamps=2))
    since = replace(root.clocks[0].window, start=now - 5 * DAY)
    root = replace(root, clocks=tuple(replace(clock, window=since) for clock in root.clocks))
    trust = Trust(
        roots=(root,),
        keys=(
            TrustedKey(name="t", key=signer.public_key, witness=Witness(root="v", logs=0, times=2)),
            TrustedKey(name="security", key=security.public_key),
        ),
        revocation_signers=("security",),
    )
    stamps = [honest, Backdating()]
    proved = prove(sigstore.sign(STATEMENT, identity=signer, log=None, stamps=stamps), trust)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    times = proved[0].times
    assert (times.signed_by, times.proved_by) == (now - timedelta(hours=10), now)
    entry = Revocation(key=signer.public_key.fingerprint, since=now - timedelta(hours=1))
    with pytest.raises(Revoked):
        revocation.standing(proved, revoking(entry, trust, security, now))


def test_a_message_is_what_its_digest_says() -> None:
    signer, sigstore = KeySigner.generate("ed25519"), VirtualSigstore()
    bundle = Bundle.from_json(sigstore.sign_artifact(b"real", identity="a@b.c"))
    real, evil = (("sha256", hashlib.sha256(data).digest()) for data in (b"real", b"evil"))
    trust = sigstore.trust(keys=[TrustedKey(name="k", key=signer.public_key)])
    assert prove_message(bundle, trust, digest=real, content=b"real").digest == real[1]
    assert isinstance(bundle.content, MessageSignature)
    message = replace(bundle, content=replace(bundle.content, algorithm="", digest=b""))
    for digest, content in ((evil, b"real"), (real, b"evil"), (("md5", real[1]), b"real")):
        with pytest.raises(SubjectMismatch) as caught:
            prove_message(message, trust, digest=digest, content=content)
        assert (caught.value.code, caught.value.where) == ("verification.subject", "content")


@pytest.mark.parametrize(
    "change",
    [{"operator": "other"}, {"log_id": b"another id"}],
    ids=["one-key-two-operators", "one-key-two-ids"],
)
def test_one_key_is_one_log(change: dict[str, object]) -> None:
    root = VirtualSigstore().root(GITHUB)
    again: Log = replace(root.logs[0], **change)  # type: ignore[arg-type]
    with pytest.raises(TrustRefused) as caught:
        replace(root, logs=(*root.logs, again))
    assert caught.value.where == f"roots.{root.name}.logs"
    assert isinstance(replace(root, logs=(*root.logs,)), Root)


def test_one_key_is_one_signer_by_itself_and_through_a_certificate() -> None:
    sigstore = VirtualSigstore()
    signer, other = sigstore.signer("a@b.c"), KeySigner.generate()
    wrapped = Attestation.parse(signer.seal(STATEMENT, "application/vnd.in-toto+json"))
    plain = json.loads(wrapped.bytes)
    plain["verificationMaterial"] = {"publicKey": {"hint": ""}, "tlogEntries": []}
    bare = Attestation.parse(json.dumps(plain).encode())
    third = Attestation.parse(other.seal(STATEMENT, "application/vnd.in-toto+json"))
    trust = sigstore.trust(
        keys=[TrustedKey(name="k", key=signer.public_key), TrustedKey(name="o", key=other.public_key)]
    )
    policy = Policy.parse(
        b"""
version: 1
identities: {c: {issuer: "https://issuer.example", san: a@b.c}, k: {key: k}, o: {key: o}}
nodes: {model: {trim: {reason: none is asked about}}}
"""
    )
    now = sigstore.clock.now
    two = SignedBy(threshold=2, of=("c", "k", "o"), over="same_statement")

    def claims(*attestations: Attestation) -> list[object]:
        proved = [p for a in attestations for p in prove(a, trust, claimed_at=now)]
        found = enough([read(p, registry_of()) for p in proved], two, policy, Budget(DEFAULT, "steps"))
        return [c.signer.fingerprint for c in found]

    assert claims(wrapped, bare) == []
    assert len(set(claims(wrapped, bare, third))) == 2
    assert len(set(claims(wrapped, third))) == 2
