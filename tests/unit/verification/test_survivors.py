"""Which lines of the engine did no test ask for? Each test here kills what survived of them: see docs/mutation.md."""

import dataclasses
import hashlib
import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Literal, cast

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest import Attestation, Trust, endorse
from glasswing_attest._wire import decode_base64, encode_base64, read_json
from glasswing_attest.bundle import Bundle
from glasswing_attest.errors import (
    CertificateUntrusted,
    FieldRefused,
    GlasswingError,
    KeyUntrusted,
    LimitError,
    NotLogged,
    NotPem,
    OutsideValidity,
    SignatureInvalid,
    SubjectMismatch,
    TimeUnproven,
    UnsupportedError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.testing.keys import sign
from glasswing_attest.trust.key import TrustedKey, Witness
from glasswing_attest.trust.private import private_root
from glasswing_attest.trust.sigstore import Authority, Profile, Root, Window
from glasswing_attest.verification import identity, signature, timestamps, transparency
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.procedure import prove, prove_message
from glasswing_attest.verification.sct import promising_logs
from glasswing_attest.verification.timestamps import CALLER, VerifiedTimes, WitnessedTime
from tests.chains import NOW, bare, honest, signer, trust_of
from tests.private_pki import Pki

ALICE = "alice@example.com"
PKI = Pki()
SIGSTORE = VirtualSigstore()
OTHER = VirtualSigstore("other", operator="other.example")
PAYLOAD = honest().run.envelope.payload


def refused(error: type[GlasswingError], ask: Callable[..., object], *of: Any, **by: Any) -> tuple[str, str]:
    """The code and the place of a refusal, of this very class."""
    with pytest.raises(error) as caught:
        ask(*of, **by)
    assert type(caught.value) is error
    return caught.value.code, caught.value.where


def message(artifact: bytes, *, digest: bool = True) -> Bundle:
    """A bundle that signs an artifact directly, with or without its digest beside it."""
    plain = json.loads(SIGSTORE.sign_artifact(artifact, identity=ALICE))
    if not digest:
        del plain["messageSignature"]["messageDigest"]
    return Bundle.parse(read_json(json.dumps(plain).encode()))


# --- signature -------------------------------------------------------------------------------------------------------


def test_what_signed_an_artifact_knows_the_digest_of_one_algorithm() -> None:
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    signed = signature.check_message(message(b"weights"), (), digest=digest, content=b"weights")
    assert signed.digest("sha256") == digest[1]
    assert signed.digest("sha512") is None
    (keyed,) = signature.check(honest().run, [signer("trainer").public_key])
    assert keyed.digest("sha512") == hashlib.sha512(honest().run.envelope.signed_bytes).digest()


def test_a_certificate_s_signature_names_no_key_and_a_key_s_brings_nothing() -> None:
    (by_certificate,) = signature.check(SIGSTORE.sign(honest().run.envelope.payload, identity=ALICE), ())
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
    payload = honest().run.envelope.payload
    made = Attestation.parse(nameless.seal(payload, "application/vnd.in-toto+json"))
    (own,) = signature.check(made, (), by_subject=True)
    assert signature.check_by(made, own.key).key == own.key
    stranger = signer("trainer").public_key
    at = ("verification.key-untrusted", "$.verificationMaterial")
    assert refused(KeyUntrusted, signature.check_by, made, stranger) == at


def test_what_is_no_signed_artifact_and_what_is_another() -> None:
    about = Bundle.parse(read_json(SIGSTORE.sign(honest().run.envelope.payload, identity=ALICE).bytes))
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    assert refused(UnsupportedError, signature.check_message, about, (), digest=digest) == ("unsupported", "$")
    # Without a digest in the bundle the caller's counts, and a weak one is none.
    bare = message(b"weights", digest=False)
    for name in ("sha1", "md5"):
        weak = (name, hashlib.new(name, b"weights").digest())
        found = refused(SubjectMismatch, signature.check_message, bare, (), digest=weak, content=b"weights")
        assert found == ("verification.subject", "content")
    signed = signature.check_message(bare, (), digest=digest, content=b"weights")
    assert (signed.artifact_digest, signed.brings_root, signed.named_as) == (digest, False, "")


def signed_by_key(key: ed25519.Ed25519PrivateKey, artifact: bytes) -> Bundle:
    """A bundle in which a key signed an artifact directly, and that hints at it."""
    plain = json.loads(SIGSTORE.sign_artifact(artifact, identity=ALICE))
    plain["verificationMaterial"] = {"publicKey": {"hint": "mine"}, "tlogEntries": []}
    plain["messageSignature"]["signature"] = encode_base64(key.sign(artifact))
    return Bundle.parse(read_json(json.dumps(plain).encode()))


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
    plain = json.loads(PKI.signer().seal(honest().run.envelope.payload, "application/vnd.in-toto+json"))
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


# --- identity --------------------------------------------------------------------------------------------------------


def identified(made: Attestation, root: Root, *, by_subject: bool = False) -> VerifiedSigner:
    """Who signed, as this root has it."""
    (signed,) = signature.check(made, (), by_subject=by_subject)
    logged = transparency.check(signed, root.logs, at_least=0)
    times = timestamps.check(logged, root.clocks, at_least=0)
    return identity.check_certificate(signed, times, root)


def test_only_a_private_authority_may_name_its_people_by_the_subject_alone() -> None:
    # The same certificate, under the same authority: once as one's own, and once as a public instance.
    nameless = PKI.signer(PKI.leaf(san=None)).seal(honest().run.envelope.payload, "application/vnd.in-toto+json")
    bundle = json.loads(nameless)
    stamp = SIGSTORE.clocks[0].stamp(decode_base64(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
    stamps = {"rfc3161Timestamps": [{"signedTimestamp": encode_base64(stamp)}]}
    bundle["verificationMaterial"]["timestampVerificationData"] = stamps
    made = Attestation.parse(json.dumps(bundle).encode())
    clocks = {"timestampAuthorities": json.loads(SIGSTORE.trusted_root())["timestampAuthorities"]}
    document = json.dumps(json.loads(private_root("acme", PKI.root_pem).raw) | clocks).encode()
    own = Root.parse(document, name="own", profile=Profile(scts=0, logs=0, times=1, private=True))
    public = Root.parse(document, name="public", profile=Profile(scts=0, logs=0, times=1))
    assert identified(made, own, by_subject=True).san == "subject:CN=release"
    at = ("verification.certificate", "certificate.subjectAltName")
    assert refused(CertificateUntrusted, identified, made, public, by_subject=True) == at
    assert [each.signer.root for each in prove(made, Trust(roots=(public, own)))] == ["own"]


def test_every_time_counts_whichever_comes_first() -> None:
    made = SIGSTORE.sign(honest().run.envelope.payload, identity=ALICE)
    (signed,) = signature.check(made, ())
    assert signed.leaf is not None
    start, end = signed.leaf.certificate.not_valid_before_utc, signed.leaf.certificate.not_valid_after_utc

    def at(*times: datetime) -> VerifiedSigner:
        each = tuple(WitnessedTime(time=time, witness="simulated") for time in times)
        proved = VerifiedTimes(times=each, needed=1, seal=timestamps._SEAL)
        return identity.check_certificate(signed, proved, SIGSTORE.root())

    assert at(start, end, start).not_before == start
    late, early = end + timedelta(seconds=1), start - timedelta(seconds=1)
    for times in product((start, late), (start, end, early), (end, late, early)):
        if set(times) & {late, early}:
            found = refused(OutsideValidity, at, *times)
            assert found == ("verification.outside-validity", "certificate")


def test_a_signer_is_called_by_who_vouches_for_him() -> None:
    payload = honest().run.envelope.payload
    claims = {"build_trigger": "push"}
    holder = Holder(san="https://ci.example/run", issuer="https://issuer.example", claims=claims)
    (verified,) = prove(SIGSTORE.sign(payload, identity=holder), SIGSTORE.trust())
    assert verified.signer.principal == "certificate:https://issuer.example https://ci.example/run"
    assert dict(verified.signer.claims) == claims
    own = Attestation.parse(PKI.signer().seal(payload, "application/vnd.in-toto+json"))
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    (verified,) = prove(own, trust, signed_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert verified.signer.principal == "certificate:acme release@acme.example"


def test_promises_are_counted_within_the_caller_s_limits() -> None:
    (signed,) = signature.check(SIGSTORE.sign(honest().run.envelope.payload, identity=ALICE), ())
    root = SIGSTORE.root()
    times = timestamps.check(transparency.check(signed, root.logs, at_least=1), root.clocks, at_least=1)
    at = ("limit", "certificate.scts")
    assert refused(LimitError, identity.check_certificate, signed, times, root, limits=Limits(log_entries=0)) == at


# --- procedure -------------------------------------------------------------------------------------------------------


def test_a_signer_who_is_refused_takes_nothing_from_another() -> None:
    two = Attestation.parse(bare(honest().run, endorse(honest().run, signer=signer("auditor"))))
    for late in ("trainer", "auditor"):
        keys = tuple(
            TrustedKey(
                name=n, key=signer(n).public_key, valid_until=datetime(2020, 1, 1, tzinfo=UTC) if n == late else None
            )
            for n in ("trainer", "auditor")
        )
        (verified,) = prove(two, Trust(keys=keys), claimed_at=NOW)
        assert verified.signer.names == {"trainer", "auditor"} - {late}
        alone = Trust(keys=tuple(key for key in keys if key.name == late))
        at = ("verification.outside-validity", f"keys.{late}")
        assert refused(OutsideValidity, prove, two, alone, claimed_at=NOW) == at


def test_the_procedure_hands_on_limits_and_budget() -> None:
    trust, at = trust_of("data-team", "trainer"), ("limit", "$.signatures")
    ask = {"claimed_at": NOW}
    assert prove(honest().run, trust, claimed_at=NOW, limits=Limits(signature_checks=1))
    assert refused(LimitError, prove, honest().run, trust, limits=Limits(signature_checks=0), **ask) == at
    none_left = Budget(Limits(signature_checks_in_all=0), "signature_checks_in_all")
    assert refused(LimitError, prove, honest().run, trust, budget=none_left, **ask) == at


def test_an_artifact_may_be_signed_by_a_key_at_a_claimed_time() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    trust = Trust.of(mine=PublicKey.of(key.public_key()))
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    asked = {"digest": digest, "content": b"weights"}
    bundle = signed_by_key(key, b"weights")
    proved = prove_message(bundle, trust, claimed_at=NOW, **asked)  # type: ignore[arg-type]
    assert (proved.algorithm, proved.digest, proved.signer.label, proved.times.times) == (*digest, "mine", ())
    at = ("verification.time-unproven", "$.verificationMaterial")
    assert refused(TimeUnproven, prove_message, bundle, trust, **asked) == at


def test_a_key_is_no_certificate() -> None:
    (signed,) = signature.check(honest().run, [signer("trainer").public_key])
    times = timestamps.check(transparency.check(signed, None, at_least=0), None, at_least=0)
    at = ("verification.certificate", "$.verificationMaterial")
    assert refused(CertificateUntrusted, identity.check_certificate, signed, times, SIGSTORE.root()) == at


def test_a_key_without_a_name_here_is_refused_at_the_signatures() -> None:
    (signed,) = signature.check(honest().run, [signer("trainer").public_key])
    times = timestamps.check(transparency.check(signed, None, at_least=0), None, at_least=0)
    at = ("verification.key-untrusted", "$.signatures")
    assert refused(KeyUntrusted, identity.check_key, signed, times, (), claimed_at=NOW) == at


def test_what_is_asked_of_other_keys_tells_nothing_of_this_one() -> None:
    asked = Witness(root="virtual", logs=1, times=0)
    other = TrustedKey(name="a", key=signer("auditor").public_key, witness=asked)
    late = TrustedKey(name="b", key=signer("trainer").public_key, valid_until=datetime(2020, 1, 1, tzinfo=UTC))
    trust = Trust(keys=(other, late), roots=(SIGSTORE.root(),))
    at = ("verification.outside-validity", "keys.b")
    assert refused(OutsideValidity, prove, honest().run, trust, claimed_at=NOW) == at


def test_of_two_demands_on_a_key_the_one_that_is_met_counts() -> None:
    key = signer("trainer").public_key
    logs = TrustedKey(name="a", key=key, witness=Witness(root="virtual", logs=1, times=0))
    plain = TrustedKey(name="b", key=key)
    (verified,) = prove(honest().run, Trust(keys=(logs, plain), roots=(SIGSTORE.root(),)), claimed_at=NOW)
    assert verified.signer.names == {"b"}
    at = ("verification.not-logged", "tlogEntries")
    assert refused(NotLogged, prove, honest().run, Trust(keys=(logs,), roots=(SIGSTORE.root(),)), claimed_at=NOW) == at


def test_without_a_root_nobody_says_who_a_certificate_is() -> None:
    made = SIGSTORE.sign(honest().run.envelope.payload, identity=ALICE)
    assert refused(CertificateUntrusted, prove, made, trust_of("trainer")) == ("verification.certificate", "trust")


def test_each_way_is_gone_within_the_caller_s_limits() -> None:
    few = Limits(json_values=5)
    made = SIGSTORE.sign(honest().run.envelope.payload, identity=ALICE)
    code, where = refused(LimitError, prove, made, SIGSTORE.trust(), limits=few)
    assert (code, where.partition(".")[0]) == ("limit", "canonicalizedBody")
    made = SIGSTORE.sign(honest().run.envelope.payload, identity=signer("trainer"))
    key = TrustedKey(name="a", key=signer("trainer").public_key, witness=Witness(root="virtual", logs=1, times=0))
    trust = Trust(keys=(key,), roots=(SIGSTORE.root(),))
    assert prove(made, trust, claimed_at=NOW)
    code, where = refused(LimitError, prove, made, trust, claimed_at=NOW, limits=few)
    assert (code, where.partition(".")[0]) == ("limit", "canonicalizedBody")
    promised = SIGSTORE.sign(honest().run.envelope.payload, identity=ALICE, log="v2")
    at = ("limit", "certificate.scts")
    assert refused(LimitError, prove, promised, SIGSTORE.trust(), limits=Limits(log_entries=0)) == at


# --- timestamps ------------------------------------------------------------------------------------------------------

DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("told", "needed", "by"),
    [
        ([], 1, None),
        ([("a", 2)], 1, 2),
        ([("a", 2)], 0, 2),
        ([("a", 3), ("b", 1)], 0, 1),
        ([("a", 3), ("b", 1)], 1, 1),
        ([("a", 3), ("b", 1)], 2, 3),
        ([("a", 3), ("a", 1), ("b", 2)], 1, 1),
        ([("a", 3), ("a", 1), ("b", 2)], 2, 2),  # each counts once, with its earliest time
        ([("a", 1), ("a", 3), ("b", 2)], 2, 2),
        ([(CALLER, 0)], 1, None),
        ([(CALLER, 0), ("a", 2)], 1, 2),
        ([("a", 2), (CALLER, 0), ("b", 1)], 2, 2),
    ],
)
def test_it_was_signed_when_as_many_as_were_asked_for_say_so(
    told: list[tuple[str, int]], needed: int, by: int | None
) -> None:
    each = tuple(WitnessedTime(time=DAYS[day], witness=name) for name, day in told)
    times = VerifiedTimes(times=each, needed=needed, seal=timestamps._SEAL)
    assert times.proved_by == (None if by is None else DAYS[by])
    assert times.signed_by == min((DAYS[day] for _, day in told), default=None)


def timed(made: Attestation, *clocks: Authority, **asked: Any) -> VerifiedTimes:
    """The times that stamps by these clocks give."""
    (signed,) = signature.check(made, [signer("trainer").public_key])
    return timestamps.check(transparency.check(signed, None, at_least=0), clocks, **asked)


def test_a_stamp_by_a_stranger_does_not_count_and_does_not_harm() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE, stamps=[*OTHER.clocks, *SIGSTORE.clocks])
    (ours,), (theirs,) = SIGSTORE.root().clocks, OTHER.root().clocks
    assert {t.witness for t in timed(made, ours, at_least=1, stamps=1).times} == {ours.operator}
    assert len(timed(made, ours, theirs, at_least=2, stamps=2).times) == 2
    stranger = VirtualSigstore("third").root().clocks[0]
    assert timed(made, stranger, at_least=0).times == ()
    at = ("verification.time-unproven", "rfc3161Timestamps")
    for clocks, asked in (((ours,), {"at_least": 2}), ((ours,), {"at_least": 1, "stamps": 2}), ((), {"at_least": 0})):
        assert refused(TimeUnproven, timed, made, *clocks, **asked) == at
    bare_one = Attestation.parse(bare(honest().run))
    assert timed(bare_one, ours, at_least=0).times == ()
    at = ("verification.time-unproven", "verificationMaterial")
    assert refused(TimeUnproven, timed, bare_one, ours, at_least=1) == at


def test_a_log_is_believed_at_every_time_that_counts() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE, log="v2")
    (signed,) = signature.check(made, ())
    (clock,) = SIGSTORE.root().clocks
    (log,) = (log for log in SIGSTORE.root().logs if log.log_id == made.bundle.log_entries[0].log_id)  # type: ignore[union-attr]
    (stamped,) = timed(made, clock, at_least=1).times
    tick = timedelta(seconds=1)

    def times(start: datetime, end: datetime | None) -> VerifiedTimes:
        believed = dataclasses.replace(log, window=Window(start=start, end=end))
        held = transparency.check(signed, [believed], at_least=1)
        return timestamps.check(held, [clock], at_least=1)

    assert times(stamped.time, stamped.time).times == (stamped,)
    at = ("verification.outside-validity", f"tlogs {log.name}")
    assert refused(OutsideValidity, times, stamped.time - tick, stamped.time - tick) == at
    assert refused(OutsideValidity, times, stamped.time + tick, None) == at


# --- the promises of certificate logs --------------------------------------------------------------------------------


def leaf_with(scts: bytes) -> x509.Certificate:
    """A leaf whose list of promises is this, whatever it is."""
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
    builder = x509.CertificateBuilder(
        issuer_name=PKI.intermediate.subject,
        subject_name=PKI.intermediate.subject,
        public_key=PKI.leaf_key.public_key(),
        serial_number=7,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2027, 1, 1, tzinfo=UTC),
    )
    return builder.add_extension(x509.UnrecognizedExtension(oid, encode_der(scts)), critical=False).sign(
        PKI.intermediate_key, hashes.SHA256()
    )


def promise(log_id: bytes, milliseconds: int) -> bytes:
    body = struct.pack("!B32sQH", 0, log_id, milliseconds, 0) + b"\x04\x03" + struct.pack("!H", 8) + bytes(8)
    return struct.pack("!H", len(body)) + body


def listed(*promises: bytes) -> bytes:
    return struct.pack("!H", sum(map(len, promises))) + b"".join(promises)


def test_each_promise_is_refused_for_its_own_reason() -> None:
    (log,) = SIGSTORE.root().ct_logs
    now = int(log.window.start.timestamp() * 1000)
    for milliseconds, error, where in (
        (2**64 - 1, FieldRefused, "certificate.scts"),
        (2**62, FieldRefused, "certificate.scts"),
        (now - 1, OutsideValidity, f"ctlogs {log.name}"),
    ):
        leaf = leaf_with(listed(promise(log.log_id, milliseconds)))
        operators, (why,) = promising_logs(leaf, PKI.intermediate, [log])
        assert (operators, type(why), why.where) == (frozenset(), error, where)
    operators, (why,) = promising_logs(leaf_with(listed(promise(log.log_id, now))), PKI.intermediate, [log])
    assert (operators, type(why)) == (frozenset(), SignatureInvalid)
    assert promising_logs(leaf_with(listed(promise(bytes(32), now))), PKI.intermediate, [log]) == (frozenset(), ())
    assert promising_logs(PKI.leaf(), PKI.intermediate, [log]) == (frozenset(), ())


def test_a_list_of_promises_that_is_none_is_refused() -> None:
    for broken in (b"", b"\x00", b"\x00\x05\x00", listed(promise(bytes(32), 1))[:-1]):
        at = ("malformed.field", "certificate.scts")
        assert refused(FieldRefused, promising_logs, leaf_with(broken), PKI.intermediate, ()) == at
    one = leaf_with(listed(promise(bytes(32), 1)))
    assert promising_logs(one, PKI.intermediate, (), limits=Limits(log_entries=1)) == (frozenset(), ())
    at = ("limit", "certificate.scts")
    assert refused(LimitError, promising_logs, one, PKI.intermediate, (), limits=Limits(log_entries=0)) == at


# --- transparency ----------------------------------------------------------------------------------------------------

NOT_LOGGED = ("verification.not-logged", "tlogEntries")


def logged(made: Attestation, *roots: Root, at_least: int = 0) -> transparency.LoggedSignature:
    """What the logs of these roots hold of it."""
    (signed,) = signature.check(made, [signer("trainer").public_key])
    return transparency.check(signed, [log for root in roots for log in root.logs], at_least=at_least)


def test_one_entry_may_stand_in_two_logs_and_two_entries_in_one() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE, log=[SIGSTORE.log("v1"), OTHER.log("v1")])
    assert len({e.canonicalized_body for e in made.bundle.log_entries}) == 1  # type: ignore[union-attr]
    assert len(logged(made, SIGSTORE.root(), OTHER.root(), at_least=2).entries) == 2

    plain = json.loads(SIGSTORE.sign(PAYLOAD, identity=ALICE).bytes)
    (entry,) = plain["verificationMaterial"]["tlogEntries"]
    body = json.dumps(json.loads(decode_base64(entry["canonicalizedBody"])), indent=1).encode()
    again = SIGSTORE.log("v1").add(
        body, kind=entry["kindVersion"]["kind"], kind_version=entry["kindVersion"]["version"]
    )
    plain["verificationMaterial"]["tlogEntries"].append(again)
    made = Attestation.parse(json.dumps(plain).encode())
    assert len(logged(made, SIGSTORE.root(), at_least=1).entries) == 2
    assert refused(NotLogged, logged, made, SIGSTORE.root(), at_least=2) == NOT_LOGGED  # by one operator


def test_an_entry_of_a_stranger_counts_for_nothing_and_hides_nothing() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE, log=[OTHER.log("v1"), SIGSTORE.log("v1")])
    (entry,) = logged(made, SIGSTORE.root(), at_least=1).entries
    assert entry.log.operator == "sigstore.example"
    assert refused(NotLogged, logged, made, SIGSTORE.root(), at_least=2) == NOT_LOGGED
    assert refused(NotLogged, logged, made, VirtualSigstore("third").root(), at_least=1) == NOT_LOGGED
    assert logged(made, VirtualSigstore("third").root()).entries == ()


def test_what_came_without_a_bundle_stands_in_no_log() -> None:
    made = Attestation.parse(bare(honest().run))
    assert logged(made, SIGSTORE.root()).entries == ()
    assert refused(NotLogged, logged, made, SIGSTORE.root(), at_least=1) == NOT_LOGGED


def entered(
    change: Callable[[dict[str, Any]], object], *, log: Literal["v1", "v2"] = "v1", version: str = "0.3"
) -> Any:
    """A bundle of some version whose one entry is changed, as its log sees it."""
    plain = json.loads(SIGSTORE.sign(PAYLOAD, identity=ALICE, log=log).bytes)
    plain["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    material = plain["verificationMaterial"]
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    if version == "0.3":
        material["certificate"] = material.pop("x509CertificateChain")["certificates"][0]
    change(material["tlogEntries"][0])
    return Attestation.parse(json.dumps(plain).encode())


def without(*members: str) -> Callable[[dict[str, Any]], None]:
    def change(entry: dict[str, Any]) -> None:
        for member in members:
            del entry[member]

    return change


def promised_too(entry: dict[str, Any]) -> None:
    del entry["inclusionProof"]
    entry["inclusionPromise"] = {"signedEntryTimestamp": "AAAA"}


@pytest.mark.parametrize(
    ("made", "where"),
    [
        (entered(without("inclusionProof")), "tlogEntries.inclusionProof"),
        (entered(without("inclusionProof"), version="0.2"), "tlogEntries.inclusionProof"),
        (entered(without("inclusionProof", "inclusionPromise"), version="0.1"), "tlogEntries.inclusionProof"),
        (entered(promised_too, log="v2", version="0.1"), "tlogEntries.inclusionProof"),
        (entered(without("inclusionPromise"), version="0.1"), "tlogEntries.inclusionPromise"),
        (entered(without("inclusionPromise"), version="0.2"), "tlogEntries.integratedTime"),
        (entered(lambda e: e["inclusionProof"].pop("checkpoint")), "inclusionProof.checkpoint"),
        (entered(lambda e: e["inclusionProof"].update(treeSize="2")), "inclusionProof"),
        (entered(lambda e: e["inclusionProof"].update(rootHash=encode_base64(bytes(32)))), "inclusionProof"),
    ],
)
def test_each_version_asks_for_its_own_proofs(made: Attestation, where: str) -> None:
    assert refused(NotLogged, logged, made, SIGSTORE.root(), at_least=1) == ("verification.not-logged", where)


def test_a_bundle_v01_may_bring_the_promise_alone() -> None:
    for change, stands in ((without(), True), (without("inclusionProof"), False)):
        (entry,) = logged(entered(change, version="0.1"), SIGSTORE.root(), at_least=1).entries
        assert entry.integrated is not None
        assert (entry.position is not None) is stands


@pytest.mark.parametrize(
    ("limits", "where"),
    [
        (Limits(json_values=5), "canonicalizedBody"),
        (Limits(statement_bytes=20), "inclusionProof.checkpoint"),
        (Limits(signatures=0), "inclusionProof.checkpoint"),
    ],
)
def test_an_entry_is_read_within_the_caller_s_limits(limits: Limits, where: str) -> None:
    (signed,) = signature.check(SIGSTORE.sign(PAYLOAD, identity=ALICE), ())
    code, place = refused(LimitError, transparency.check, signed, SIGSTORE.root().logs, at_least=1, limits=limits)
    assert (code, place.partition("[")[0].partition(".spec")[0]) == ("limit", where)


SAFE = 2**53 - 1


def promised(*, time: int | None = None, index: int = 0) -> Attestation:
    """A bundle whose entry has another time or index of the log's, both promised by the log itself."""

    def change(entry: dict[str, Any]) -> None:
        told = int(entry["integratedTime"]) if time is None else time
        log = SIGSTORE.log("v1")
        body, log_id = entry["canonicalizedBody"], log.log_id.hex()
        text = f'{{"body":"{body}","integratedTime":{told},"logID":"{log_id}","logIndex":{index}}}'
        promise = sign(log._key, text.encode())
        entry["inclusionPromise"] = {"signedEntryTimestamp": encode_base64(promise)}
        entry.update(integratedTime=str(told), logIndex=str(index))

    return cast("Attestation", entered(change))


def test_no_integer_is_promised_that_a_double_would_lose() -> None:
    (entry,) = logged(promised(index=SAFE), SIGSTORE.root(), at_least=1).entries
    assert entry.integrated is not None
    at = ("malformed.field", "tlogEntries.integratedTime")
    for made in (promised(index=SAFE + 1), promised(time=SAFE + 1), promised(time=SAFE), promised(time=253402300800)):
        assert refused(FieldRefused, logged, made, SIGSTORE.root(), at_least=1) == at
    (entry,) = logged(promised(time=253402300799), SIGSTORE.root(), at_least=1).entries
    assert entry.integrated == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_promise_is_about_each_of_its_four_members() -> None:
    for member, value in (("integratedTime", "1"), ("logIndex", "77")):
        made = entered(lambda entry, m=member, v=value: entry.update({m: v}))  # type: ignore[misc]
        at = ("verification.signature", "tlogEntries.inclusionPromise")
        assert refused(SignatureInvalid, logged, made, SIGSTORE.root(), at_least=1) == at
    at = ("verification.not-logged", "tlogEntries.integratedTime")
    assert refused(NotLogged, logged, entered(without("inclusionPromise")), SIGSTORE.root(), at_least=1) == at
    (entry,) = logged(entered(without("inclusionPromise", "integratedTime")), SIGSTORE.root(), at_least=1).entries
    assert entry.integrated is None


def test_rekor_v2_gives_no_time_and_no_promise() -> None:
    for change in ({"integratedTime": "1"}, {"inclusionPromise": {"signedEntryTimestamp": "AAAA"}}):
        made = entered(lambda entry, c=change: entry.update(c), log="v2")  # type: ignore[misc]
        at = ("verification.not-logged", "tlogEntries.integratedTime")
        assert refused(NotLogged, logged, made, SIGSTORE.root(), at_least=1) == at


def test_where_an_entry_stands_is_told_as_the_log_says_it() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE, log="v2")
    (entry,) = logged(made, SIGSTORE.root(), at_least=1).entries
    told = json.loads(made.bytes)["verificationMaterial"]["tlogEntries"][0]
    assert entry.position is not None
    assert entry.position.log == decode_base64(told["logId"]["keyId"]).hex()
    assert entry.position.tree == told["inclusionProof"]["checkpoint"]["envelope"].partition("\n")[0]
    assert entry.position.index == int(told["inclusionProof"]["logIndex"])


def said_anew(entry: dict[str, Any]) -> None:
    checkpoint = entry["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] = checkpoint["envelope"].replace("\n\n", "\nmore\n\n")


def test_a_checkpoint_is_signed_by_the_log_and_by_no_other() -> None:
    def sealed_by_another(entry: dict[str, Any]) -> None:
        note = entry["inclusionProof"]["checkpoint"]["envelope"]
        name = SIGSTORE.log("v1")._name
        theirs = OTHER.sign(PAYLOAD, identity=ALICE, log="v1")
        others = json.loads(theirs.bytes)["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]
        line = others["envelope"].rstrip("\n").rpartition(" ")[2]
        text = note.partition("\n\n")[0]
        entry["inclusionProof"]["checkpoint"]["envelope"] = f"{text}\n\n\u2014 {name} {line}\n"

    at = ("verification.not-logged", "checkpoint")
    assert refused(NotLogged, logged, entered(sealed_by_another), SIGSTORE.root(), at_least=1) == at
    at = ("verification.signature", "checkpoint")
    assert refused(SignatureInvalid, logged, entered(said_anew), SIGSTORE.root(), at_least=1) == at
