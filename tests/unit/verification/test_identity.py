"""Who signed, under which names, and was the key good then?"""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Literal

import pytest

from glasswing_attest import Attestation, Trust
from glasswing_attest._wire import decode_base64, encode_base64
from glasswing_attest.errors import (
    CertificateUntrusted,
    FieldRefused,
    KeyUntrusted,
    LimitError,
    OutsideValidity,
    TimeUnproven,
    TrustRefused,
)
from glasswing_attest.limits import Limits
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.trust.private import private_root
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import Profile, Root
from glasswing_attest.verification import identity, signature, timestamps, transparency
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.procedure import prove
from glasswing_attest.verification.signature import SignedPayload
from glasswing_attest.verification.timestamps import VerifiedTimes, WitnessedTime
from tests.chains import NOW, bare, honest, policy_of, signer
from tests.private_pki import Pki
from tests.unit.verification.asking import ALICE, PAYLOAD, refused

PKI = Pki()
SIGSTORE = VirtualSigstore()
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 12, 31, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def keyed(name: str = "trainer", **window: object) -> TrustedKey:
    return TrustedKey(name=name, key=signer("trainer").public_key, **window)  # type: ignore[arg-type]


def witnessed(*times: datetime) -> VerifiedTimes:
    """Simulates trusted witnesses through the module's own seal: real ones know no microseconds."""
    each = tuple(WitnessedTime(time=time, witness="simulated") for time in times)
    return VerifiedTimes(times=each, needed=1, seal=timestamps._SEAL)


def unwitnessed(signed: SignedPayload) -> VerifiedTimes:
    """The times of a signature by a key of which no witness is asked."""
    return timestamps.check(transparency.check(signed, None, at_least=0), None, at_least=0)


def identified(
    *keys: TrustedKey, at: datetime | None = NOW, times: VerifiedTimes | None = None, data: bytes | None = None
) -> VerifiedSigner:
    attestation = honest().run if data is None else Attestation.parse(data)
    (signed,) = signature.check(attestation, [signer("trainer").public_key])
    proved = unwitnessed(signed) if times is None else times
    return identity.check_key(signed, proved, keys, claimed_at=at)


@pytest.mark.parametrize("witness", [False, True], ids=["claimed", "witnessed"])
@pytest.mark.parametrize(
    ("time", "good"), [(START - TICK, False), (START, True), (NOW, True), (END, True), (END + TICK, False)]
)
def test_cve_2026_54787_a_window_is_closed_at_both_ends(time: datetime, good: bool, witness: bool) -> None:
    key = keyed(valid_from=START, valid_until=END)
    # What counts is the witnessed time where there is one; `at` then does not matter.
    at, times = (NOW, witnessed(time)) if witness else (time, None)
    if good:
        assert identified(key, at=at, times=times).names == {"trainer"}
        return
    with pytest.raises(OutsideValidity) as caught:
        identified(key, at=at, times=times)
    assert (caught.value.code, caught.value.where) == ("verification.outside-validity", "keys.trainer")


def test_every_witnessed_time_counts() -> None:
    key = keyed(valid_from=START, valid_until=END)
    assert identified(key, times=witnessed(START, END)).names == {"trainer"}
    for outside in ((START, END + TICK), (START - TICK, END)):
        with pytest.raises(OutsideValidity):
            identified(key, times=witnessed(*outside))


def test_a_witness_does_not_open_a_window_that_is_closed_at() -> None:
    # The signature was made while the key was good; `at` is later, and that is what a witness is for.
    key = keyed(valid_until=START)
    assert identified(key, at=END, times=witnessed(START)).names == {"trainer"}
    with pytest.raises(OutsideValidity):
        identified(key, at=END)


def test_without_a_witness_a_policy_that_asks_for_one_goes_no_further() -> None:
    with pytest.raises(TimeUnproven) as caught:
        identified(keyed(), at=None)
    assert (caught.value.code, caught.value.where) == ("verification.time-unproven", "$.verificationMaterial")


def test_times_verified_refuses_the_honest_chain_for_the_time_alone() -> None:
    chain = honest()
    report = chain.assess(policy=policy_of(lambda plain: plain.pop("times")))
    assert report.verdict == "refused"
    assert {item.error.code for item in report.refused} == {"verification.time-unproven"}
    with pytest.raises(TimeUnproven):
        report.require()


def test_a_log_entry_or_stamp_in_the_bundle_is_no_witness() -> None:
    chain = honest()
    data = chain.run.bytes.replace(
        b'"tlogEntries":[]',
        b'"tlogEntries":[{"logIndex":"1","integratedTime":"1767225600","canonicalizedBody":"AAAA"}],'
        b'"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"AAAA"}]}',
    )
    assert data != chain.run.bytes
    with pytest.raises(TimeUnproven):
        prove(Attestation.parse(data), chain.trust)


def test_one_key_under_two_names_has_both_and_is_one_principal() -> None:
    signed = identified(keyed("one"), keyed("two"), keyed("closed", valid_until=START))
    assert signed.names == {"one", "two"}
    assert signed.principal == f"key:{signer('trainer').public_key.fingerprint}"
    assert signed.label == "one, two"


def test_a_key_says_nothing_that_a_certificate_would() -> None:
    told = identified(keyed())
    assert (told.root, told.issuer, told.san, told.claims, told.not_before) == ("", "", "", (), None)
    assert told.fingerprint == signer("trainer").public_key.fingerprint


@pytest.mark.parametrize(("asked", "given"), list(product([("k1",), ("k1", "k2")], ["k1", "k2", "", "K1", "k1 "])))
def test_keyids_are_one_more_demand(asked: tuple[str, ...], given: str) -> None:
    data = bare(honest().run, keyids=[given])
    if given in asked:
        assert identified(keyed(keyids=asked), data=data).names == {"trainer"}
        return
    with pytest.raises(KeyUntrusted) as caught:
        identified(keyed(keyids=asked), data=data)
    assert caught.value.code == "verification.key-untrusted"


def test_a_keyid_lets_nobody_in() -> None:
    other = TrustedKey(name="other", key=signer("data-team").public_key, keyids=("k1",))
    with pytest.raises(KeyUntrusted):
        identified(other, data=bare(honest().run, keyids=["k1"]))


def test_a_key_without_a_name_here_is_refused_at_the_signatures() -> None:
    assert refused(KeyUntrusted, identified) == ("verification.key-untrusted", "$.signatures")


@pytest.mark.parametrize(
    "window",
    [
        {"valid_from": END, "valid_until": START},
        {"valid_from": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"keyids": ()},
    ],
    ids=["backwards", "without a zone", "no keyid"],
)
def test_a_window_that_makes_no_sense_does_not_construct(window: dict[str, object]) -> None:
    with pytest.raises(TrustRefused) as caught:
        keyed(**window)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.kind) == ("malformed.trust", "trust")
    assert caught.value.where.startswith("keys.trainer")


def test_an_empty_or_doubled_trust_does_not_construct() -> None:
    root = VirtualSigstore("one").root()
    for keys, roots, where in (
        ((), (), "trust"),
        ((keyed("a"), keyed("a")), (), "keys"),
        ((), (root, root), "roots"),
    ):
        with pytest.raises(TrustRefused) as caught:
            Trust(keys=keys, roots=roots)
        assert (caught.value.code, caught.value.where) == ("malformed.trust", where)


# --- by witnesses and certificates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shift", "good"),
    [(-1, False), (0, True), (3600, True), (7200, True), (7201, False)],
    ids=["before", "start", "within", "end", "after"],
)
def test_cve_2026_54787_a_real_witness_decides_about_a_keys_window(shift: int, good: bool) -> None:
    sigstore = VirtualSigstore()
    start = sigstore.clock.now
    sigstore.clock.advance(seconds=shift)
    stamped = sigstore.sign(honest().run.envelope.payload, identity=signer("trainer"), log=None)
    witness = Witness(root=sigstore.name, logs=0, times=1)
    trust = sigstore.trust(keys=[keyed(witness=witness, valid_from=start, valid_until=start + timedelta(hours=2))])
    # The claimed time is within the window throughout: where a witness is asked for, it does not count.
    claimed = start + timedelta(hours=1)
    if good:
        (proved,) = prove(stamped, trust, claimed_at=claimed)
        assert proved.signer.names == {"trainer"}
        assert proved.times.signed_by == sigstore.clock.now
        return
    with pytest.raises(OutsideValidity) as caught:
        prove(stamped, trust, claimed_at=claimed)
    assert (caught.value.code, caught.value.where) == ("verification.outside-validity", "keys.trainer")


def test_a_certificates_signer_is_issuer_and_name_and_has_no_key_name() -> None:
    sigstore = VirtualSigstore()
    key = sigstore.signer("alice@example.com")
    signed = Attestation.parse(key.seal(honest().run.envelope.payload))
    # The very key of the certificate stands in the trust too: a certificate is judged by its root alone.
    trust = sigstore.trust(keys=[TrustedKey(name="trainer", key=key.verified_by)])
    (proved,) = prove(signed, trust, claimed_at=NOW)
    told = proved.signer
    assert (told.issuer, told.san, told.root) == ("https://issuer.example", "alice@example.com", "virtual")
    assert told.principal == "certificate:https://issuer.example alice@example.com"
    assert told.names == frozenset()
    assert told.not_before == sigstore.clock.now
    with pytest.raises(CertificateUntrusted):
        prove(signed, Trust.of(trainer=key.verified_by), claimed_at=NOW)


def test_a_certificate_always_needs_a_witness() -> None:
    sigstore = VirtualSigstore()
    attestation = sigstore.sign(honest().run.envelope.payload, identity="alice@example.com")
    (signed,) = signature.check(attestation, ())
    root = sigstore.root()
    with pytest.raises(TimeUnproven) as caught:
        identity.check_certificate(signed, unwitnessed(signed), root)
    assert caught.value.code == "verification.time-unproven"
    assert "`times: claimed` is about keys alone" in caught.value.do, "no policy lets it pass"
    assert identity.check_certificate(signed, witnessed(sigstore.clock.now), root).san == "alice@example.com"


def test_a_key_has_no_certificate() -> None:
    (signed,) = signature.check(honest().run, [signer("trainer").public_key])
    for times in (witnessed(NOW), unwitnessed(signed)):
        with pytest.raises(CertificateUntrusted) as caught:
            identity.check_certificate(signed, times, SIGSTORE.root())
        assert (caught.value.code, caught.value.found) == ("verification.certificate", "a key")
        assert caught.value.where == "$.verificationMaterial"


@pytest.mark.parametrize("kind", ["uri", "other"])
def test_a_certificate_that_names_nobody_proves_nothing(kind: Literal["uri", "other"]) -> None:
    sigstore = VirtualSigstore()
    signed = sigstore.sign(honest().run.envelope.payload, identity=Holder(san="", kind=kind))
    with pytest.raises(FieldRefused) as caught:
        prove(signed, sigstore.trust())
    assert (caught.value.code, caught.value.found) == ("malformed.field", "an empty name")
    assert caught.value.where == "$.verificationMaterial.certificate.subjectAltName"


def by_root(made: Attestation, root: Root, *, by_subject: bool = False) -> VerifiedSigner:
    """Who signed, as this root has it."""
    (signed,) = signature.check(made, (), by_subject=by_subject)
    logged = transparency.check(signed, root.logs, at_least=0)
    times = timestamps.check(logged, root.clocks, at_least=0)
    return identity.check_certificate(signed, times, root)


def test_only_a_private_authority_may_name_its_people_by_the_subject_alone() -> None:
    # The same certificate, under the same authority: once as one's own, and once as a public instance.
    nameless = PKI.signer(PKI.leaf(san=None)).seal(PAYLOAD, "application/vnd.in-toto+json")
    bundle = json.loads(nameless)
    stamp = SIGSTORE.clocks[0].stamp(decode_base64(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
    stamps = {"rfc3161Timestamps": [{"signedTimestamp": encode_base64(stamp)}]}
    bundle["verificationMaterial"]["timestampVerificationData"] = stamps
    made = Attestation.parse(json.dumps(bundle).encode())
    clocks = {"timestampAuthorities": json.loads(SIGSTORE.trusted_root())["timestampAuthorities"]}
    document = json.dumps(json.loads(private_root("acme", PKI.root_pem).raw) | clocks).encode()
    own = Root.parse(document, name="own", profile=Profile(scts=0, logs=0, times=1, private=True))
    public = Root.parse(document, name="public", profile=Profile(scts=0, logs=0, times=1))
    assert by_root(made, own, by_subject=True).san == "subject:CN=release"
    at = ("verification.certificate", "certificate.subjectAltName")
    assert refused(CertificateUntrusted, by_root, made, public, by_subject=True) == at
    assert [each.signer.root for each in prove(made, Trust(roots=(public, own)))] == ["own"]


def test_every_time_counts_whichever_comes_first() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE)
    (signed,) = signature.check(made, ())
    assert signed.leaf is not None
    start, end = signed.leaf.certificate.not_valid_before_utc, signed.leaf.certificate.not_valid_after_utc

    def at(*times: datetime) -> VerifiedSigner:
        return identity.check_certificate(signed, witnessed(*times), SIGSTORE.root())

    assert at(start, end, start).not_before == start
    late, early = end + timedelta(seconds=1), start - timedelta(seconds=1)
    for times in product((start, late), (start, end, early), (end, late, early)):
        if set(times) & {late, early}:
            found = refused(OutsideValidity, at, *times)
            assert found == ("verification.outside-validity", "certificate")


def test_a_signer_is_called_by_who_vouches_for_him() -> None:
    claims = {"build_trigger": "push"}
    holder = Holder(san="https://ci.example/run", issuer="https://issuer.example", claims=claims)
    (verified,) = prove(SIGSTORE.sign(PAYLOAD, identity=holder), SIGSTORE.trust())
    assert verified.signer.principal == "certificate:https://issuer.example https://ci.example/run"
    assert dict(verified.signer.claims) == claims
    own = Attestation.parse(PKI.signer().seal(PAYLOAD, "application/vnd.in-toto+json"))
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    (verified,) = prove(own, trust, signed_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert verified.signer.principal == "certificate:acme release@acme.example"


def test_promises_are_counted_within_the_caller_s_limits() -> None:
    (signed,) = signature.check(SIGSTORE.sign(PAYLOAD, identity=ALICE), ())
    root = SIGSTORE.root()
    times = timestamps.check(transparency.check(signed, root.logs, at_least=1), root.clocks, at_least=1)
    at = ("limit", "certificate.scts")
    assert refused(LimitError, identity.check_certificate, signed, times, root, limits=Limits(log_entries=0)) == at
    # Where none is asked for, none is read.
    unasked = SIGSTORE.root(Profile(scts=0, logs=1, times=1))
    assert identity.check_certificate(signed, times, unasked, limits=Limits(log_entries=0)).san == ALICE
