"""Once the trust names who signs the revocation list, silence is never "not revoked"."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from glasswing_attest import KeySigner, Policy, Trust, Verifier, attest, endorse, replay
from glasswing_attest.artifact.file import Blob
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import (
    FieldRefused,
    KeyUntrusted,
    MalformedError,
    RevocationsUnavailable,
    Revoked,
    TrustRefused,
)
from glasswing_attest.limits import Limits
from glasswing_attest.records import ModelRecord
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.verification import revocation
from glasswing_attest.verification.procedure import prove
from tests.chains import bare
from tests.unit.verification.asking import ALICE, refused

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
MODEL = Blob(b"weights", name="model.bin", kind="model")
TRAINER, SECURITY, STRANGER = (KeySigner.generate("ed25519") for _ in range(3))
TRUST = Trust(
    keys=(
        TrustedKey(name="trainer", key=TRAINER.public_key),
        TrustedKey(name="security", key=SECURITY.public_key),
    ),
    revocation_signers=("security",),
)
POLICY = Policy.parse(
    f"""
version: 1
times: claimed
identities: {{trainer: {{key: trainer}}}}
nodes: {{model: {{require: [{{predicate: "{ModelRecord.predicate_type}", signed_by: {{any_of: [trainer]}}}}]}}}}
""".encode()
)
EVIDENCE = attest(MODEL, ModelRecord(name="m"), signer=TRAINER)


def signed(
    *entries: Revocation,
    signer: KeySigner = SECURITY,
    version: int = 3,
    issued: datetime = NOW - DAY,
    expires: datetime = NOW + DAY,
    payload_type: str = REVOCATIONS_TYPE,
) -> bytes:
    document = RevocationList.of(entries, version=version, issued=issued, expires=expires)
    return signer.seal(document.to_json(), payload_type)


def verify(revocations: bytes | None, *, seen: int = 0) -> None:
    Verifier(policy=POLICY, trust=TRUST, revocations=revocations, revocations_seen=seen).verify(MODEL, EVIDENCE)


UNAVAILABLE = ("unavailable.revocations", "revocations")
OTHER = Revocation(key=STRANGER.public_key.fingerprint, since=NOW - DAY)
OURS = Revocation(key=TRAINER.public_key.fingerprint, since=NOW + DAY, reason="left")


def test_a_list_about_others_changes_nothing() -> None:
    verify(signed(OTHER))
    verify(signed())
    verify(signed(), seen=3)


@pytest.mark.parametrize(
    ("revocations", "seen", "found"),
    [
        (None, 0, "none"),
        (signed(issued=NOW - 3 * DAY, expires=NOW - DAY), 0, "issued"),
        (signed(issued=NOW + DAY, expires=NOW + 2 * DAY), 0, "issued"),
        (signed(version=3), 4, "version 3"),
        (signed(signer=STRANGER), 0, None),
        (signed(signer=TRAINER), 0, None),
        (signed(payload_type="application/vnd.in-toto+json"), 0, None),
        (b"{}", 0, None),
        (b"", 0, None),
        (VirtualSigstore().sign(b"{}", identity=ALICE).bytes, 0, None),
    ],
    ids=[
        "withheld",
        "expired",
        "not-yet",
        "rolled-back",
        "stranger",
        "wrong-role",
        "wrong-type",
        "no-list",
        "empty",
        "certificate",
    ],
)
def test_no_fresh_list_is_unavailable(revocations: bytes | None, seen: int, found: str | None) -> None:
    with pytest.raises(RevocationsUnavailable) as caught:
        verify(revocations, seen=seen)
    assert (caught.value.code, caught.value.where) == UNAVAILABLE
    assert refused(RevocationsUnavailable, revocation.check, revocations, TRUST, now=NOW, seen=seen) == UNAVAILABLE
    assert found is None or str(caught.value.found).startswith(found)


def test_a_certificate_signs_no_list_whoever_issued_it() -> None:
    document = RevocationList.of((), version=3, issued=NOW - DAY, expires=NOW + DAY).to_json()
    forged = VirtualSigstore().sign(document, identity="mallory@example.com", payload_type=REVOCATIONS_TYPE)
    with pytest.raises(RevocationsUnavailable) as caught:
        verify(forged.bytes)
    assert caught.value.code == "unavailable.revocations"
    assert KeyUntrusted.code in caught.value.because


def trusting(**window: datetime) -> Trust:
    """The trust, with a window for whoever signs the list."""
    keys = tuple(replace(key, **window) if key.name == "security" else key for key in TRUST.keys)  # type: ignore[arg-type]
    return replace(TRUST, keys=keys)


def test_a_list_counts_from_its_first_moment_to_its_last_and_so_does_its_signer() -> None:
    for window in ({}, {"valid_from": NOW}, {"valid_until": NOW}):
        for times in ({}, {"issued": NOW}, {"expires": NOW}):
            proved = revocation.check(signed(**times), trusting(**window), now=NOW, seen=3)  # type: ignore[arg-type]
            assert proved is not None
            assert proved.document.version == 3
    for window in ({"valid_until": NOW - DAY}, {"valid_from": NOW + DAY}):
        asked = (signed(), trusting(**window))
        assert refused(RevocationsUnavailable, revocation.check, *asked, now=NOW) == UNAVAILABLE


def test_a_list_is_bounded() -> None:
    data = signed(OTHER, OTHER)
    assert revocation.check(data, TRUST, now=NOW, limits=Limits(dependencies=2))
    for limits in (Limits(dependencies=1), Limits(bundle_bytes=10)):
        asked = {"now": NOW, "limits": limits}
        assert refused(RevocationsUnavailable, revocation.check, data, TRUST, **asked) == UNAVAILABLE


def test_an_earlier_at_does_not_freshen_an_expired_list() -> None:
    verifier = Verifier(policy=POLICY, trust=TRUST, revocations=signed(issued=NOW - 3 * DAY, expires=NOW - DAY))
    report = verifier.assess(MODEL, EVIDENCE, at=NOW - 2 * DAY)
    assert report.verdict == "undecided"
    assert report.findings[0].code == "unavailable.revocations"


def test_a_revoked_key_without_witnessed_time_is_refused_whenever_it_was_revoked() -> None:
    with pytest.raises(Revoked) as caught:
        verify(signed(OURS))
    assert caught.value.code == "verification.revoked"
    report = Verifier(policy=POLICY, trust=TRUST, revocations=signed(OURS)).assess(MODEL, EVIDENCE)
    assert [r.error.found for r in report.refused] == ["no witnessed time"]
    assert report.refused[0].error.because == "left"


def test_an_entry_for_other_predicate_types_does_not_concern() -> None:
    verify(signed(Revocation(key=OURS.key, since=NOW - DAY, predicate_types=("https://example.com/other/v1",))))
    with pytest.raises(Revoked):
        verify(signed(Revocation(key=OURS.key, since=NOW - DAY, predicate_types=(ModelRecord.predicate_type,))))


def test_a_trust_without_a_role_asks_for_no_list() -> None:
    trust = Trust(keys=TRUST.keys)
    Verifier(policy=POLICY, trust=trust).verify(MODEL, EVIDENCE)
    assert revocation.check(None, trust, now=NOW) is None
    assert revocation.check(b"anything", trust, now=NOW) is None


def test_the_role_must_be_a_trusted_key_and_survives_the_trust_file() -> None:
    with pytest.raises(TrustRefused) as caught:
        Trust(keys=TRUST.keys, revocation_signers=("nobody",))
    assert caught.value.where == "revocations.signed_by"
    assert Trust.parse(TRUST.to_json(), suffix=".json") == TRUST


def test_a_case_carries_the_list(tmp_path) -> None:  # type: ignore[no-untyped-def]
    report = Verifier(policy=POLICY, trust=TRUST, revocations=Attestation.parse(signed(OURS))).assess(MODEL, EVIDENCE)
    again = replay(report.case(tmp_path / "case.zip"))
    assert (again.verdict, again.findings[0].code) == (report.verdict, report.findings[0].code)
    assert again.findings[0].code == "verification.revoked"


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        (b'{"version":1,"issued":"2026-01-01T00:00:00Z","expires":"2026-01-02T00:00:00Z","entries":[],"x":1}', ".x"),
        (b'{"version":1,"issued":"2026-01-01T00:00:00Z","expires":"2026-01-02T00:00:00Z"}', ".entries"),
        (b'{"version":0,"issued":"2026-01-01T00:00:00Z","expires":"2026-01-02T00:00:00Z","entries":[]}', "version"),
        (b'{"version":1,"issued":"2026-01-03T00:00:00Z","expires":"2026-01-02T00:00:00Z","entries":[]}', "expires"),
        (
            b'{"version":1,"issued":"2026-01-01T00:00:00Z","expires":"2026-01-02T00:00:00Z",'
            b'"entries":[{"key":"ab","since":"2026-01-01T00:00:00Z"}]}',
            "revocation.key",
        ),
        (
            b'{"version":1,"issued":"2026-01-01T00:00:00Z","expires":"2026-01-02T00:00:00Z",'
            b'"entries":[{"san":"a","since":"2026-01-01T00:00:00Z"}]}',
            "revocation",
        ),
        (
            b'{"version":1,"issued":"2026-01-01T00:00:00Z","expires":"2026-01-02T00:00:00Z",'
            b'"entries":[{"issuer":"i","san":"a","since":"2026-01-01T00:00:00Z","predicateTypes":[]}]}',
            ".predicateTypes",
        ),
    ],
)
def test_a_list_that_could_be_misread_is_refused(payload: bytes, where: str) -> None:
    with pytest.raises(MalformedError) as caught:
        RevocationList.parse(payload)
    assert caught.value.where.endswith(where)


def test_round_trip() -> None:
    entries = (OTHER, Revocation(issuer="https://i", san="https://s", since=NOW.replace(microsecond=0)))
    made = RevocationList.of(entries, version=9, issued=NOW, expires=NOW + DAY)
    assert RevocationList.parse(made.to_json()) == made


def test_an_entry_names_one_signer() -> None:
    for key, issuer, san in (("0" * 64, "b", "a"), ("", "b", ""), ("", "", "")):
        with pytest.raises(FieldRefused) as caught:
            Revocation(since=NOW, key=key, issuer=issuer, san=san)
        assert caught.value.code == "malformed.field"


def test_an_envelopes_other_signer_stands_when_one_is_revoked() -> None:
    from glasswing_attest.envelope import Envelope

    other = KeySigner.generate("ed25519")
    trust = Trust(keys=(*TRUST.keys, TrustedKey(name="second", key=other.public_key)), revocation_signers=("security",))
    policy = Policy.parse(POLICY.to_json().replace(b'{"key":"trainer"}', b'{"key":"second"}'), suffix=".json")
    envelopes = [
        Attestation.parse(signer.seal(EVIDENCE.envelope.payload, EVIDENCE.envelope.payload_type)).envelope
        for signer in (TRAINER, other)
    ]
    both = Envelope(
        payload=EVIDENCE.envelope.payload,
        payload_type=EVIDENCE.envelope.payload_type,
        signatures=tuple(s for e in envelopes for s in e.signatures),
    )
    evidence = json.dumps(both.to_dict()).encode()
    assert Verifier(policy=policy, trust=trust, revocations=signed(OURS)).assess(MODEL, evidence).accepted
    revoked = Verifier(policy=POLICY, trust=trust, revocations=signed(OURS)).assess(MODEL, evidence)
    assert revoked.cause is not None
    assert revoked.cause.code == "policy.signed-by"


def test_who_is_revoked_is_told_and_takes_nothing_from_others() -> None:
    proved = revocation.check(signed(OURS), TRUST, now=NOW)
    both = Attestation.parse(bare(EVIDENCE, endorse(EVIDENCE, signer=STRANGER)))
    keys = (*TRUST.keys, TrustedKey(name="second", key=STRANGER.public_key))
    two = prove(both, Trust(keys=keys), claimed_at=NOW)
    assert len(two) == 2
    (left,) = revocation.standing(two, proved)
    assert left.signer.names == {"second"}
    alone = [each for each in two if each is not left]
    assert refused(Revoked, revocation.standing, alone, proved) == ("verification.revoked", "trainer")
    assert revocation.standing(alone, None) == tuple(alone)
    assert revocation.standing((), proved) == ()
