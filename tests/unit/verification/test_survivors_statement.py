"""Which lines about statements and revocations did no test ask for? See docs/mutation.md."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from glasswing_attest import Attestation, Trust, endorse
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import (
    GlasswingError,
    LimitError,
    MessageSignatureUnsupported,
    RevocationsUnavailable,
    Revoked,
    SubjectMismatch,
)
from glasswing_attest.limits import Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.key import TrustedKey
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from glasswing_attest.verification import binding, revocation, subject
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.procedure import prove
from tests.chains import NOW, bare, honest, seal, sha256, signer, statement, trust_of

DAY = timedelta(days=1)
A, B = sha256(b"a"), sha256(b"b")


def refused(error: type[GlasswingError], ask: Any, *of: Any, **by: Any) -> tuple[str, str]:
    with pytest.raises(error) as caught:
        ask(*of, **by)
    assert type(caught.value) is error
    return caught.value.code, caught.value.where


# --- the revocation list ---------------------------------------------------------------------------------------------


def listed(
    *entries: Revocation,
    by: str = "auditor",
    version: int = 3,
    issued: datetime = NOW - DAY,
    expires: datetime = NOW + DAY,
    payload_type: str = REVOCATIONS_TYPE,
) -> bytes:
    document = RevocationList.of(entries, version=version, issued=issued, expires=expires)
    return seal(document.to_json(), signer(by), payload_type)


def trusting(**window: datetime) -> Trust:
    keys = (
        TrustedKey(name="security", key=signer("auditor").public_key, **window),  # type: ignore[arg-type]
        TrustedKey(name="trainer", key=signer("trainer").public_key),
    )
    return Trust(keys=keys, revocation_signers=("security",))


UNAVAILABLE = (RevocationsUnavailable.code, "revocations")


def test_a_list_counts_from_its_first_moment_to_its_last_and_so_does_its_signer() -> None:
    for window in ({}, {"valid_from": NOW}, {"valid_until": NOW}):
        for times in ({}, {"issued": NOW}, {"expires": NOW}):
            proved = revocation.check(listed(**times), trusting(**window), now=NOW, seen=3)  # type: ignore[arg-type]
            assert proved is not None
            assert proved.document.version == 3
    ask = {"now": NOW}
    late, early = {"valid_until": NOW - DAY}, {"valid_from": NOW + DAY}
    for window in (late, early):
        assert refused(RevocationsUnavailable, revocation.check, listed(), trusting(**window), **ask) == UNAVAILABLE


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (None, 0),
        (b"", 0),
        (b"{}", 0),
        (listed(by="trainer"), 0),
        (listed(by="developer"), 0),
        (listed(payload_type="application/vnd.in-toto+json"), 0),
        (listed(issued=NOW + DAY, expires=NOW + 2 * DAY), 0),
        (listed(issued=NOW - 2 * DAY, expires=NOW - DAY), 0),
        (listed(), 4),
        (VirtualSigstore().sign(b"{}", identity="a@example.com").bytes, 0),
    ],
)
def test_silence_and_whatever_is_no_list_of_now_is_unavailable(data: bytes | None, seen: int) -> None:
    assert refused(RevocationsUnavailable, revocation.check, data, trusting(), now=NOW, seen=seen) == UNAVAILABLE


def test_who_trusts_nobody_for_it_asks_for_no_list() -> None:
    assert revocation.check(None, trust_of("trainer"), now=NOW) is None
    assert revocation.check(b"anything", trust_of("trainer"), now=NOW) is None


def test_a_list_is_bounded() -> None:
    entry = Revocation(key="0" * 64, since=NOW)
    data = listed(entry, entry)
    assert revocation.check(data, trusting(), now=NOW, limits=Limits(dependencies=2))
    for limits in (Limits(dependencies=1), Limits(bundle_bytes=10)):
        assert (
            refused(RevocationsUnavailable, revocation.check, data, trusting(), now=NOW, limits=limits) == UNAVAILABLE
        )


def test_who_is_revoked_is_told_and_takes_nothing_from_others() -> None:
    ours = Revocation(key=signer("trainer").public_key.fingerprint, since=NOW, reason="left")
    proved = revocation.check(listed(ours), trusting(), now=NOW)
    both = Attestation.parse(bare(honest().run, endorse(honest().run, signer=signer("auditor"))))
    two = prove(both, trust_of("trainer", "auditor"), claimed_at=NOW)
    assert len(two) == 2
    (left,) = revocation.standing(two, proved)
    assert left.signer.names == {"auditor"}
    alone = [each for each in two if each is not left]
    assert refused(Revoked, revocation.standing, alone, proved) == (Revoked.code, "trainer")
    assert revocation.standing(alone, None) == tuple(alone)
    assert revocation.standing((), proved) == ()


# --- the statement ---------------------------------------------------------------------------------------------------


def about(*subjects: tuple[str, dict[str, str]]) -> VerifiedStatement:
    told = [{"name": name, "digest": digest} for name, digest in subjects]
    payload = statement(told, "https://example.com/t/v1", {})
    (verified,) = prove(Attestation.parse(seal(payload, signer("trainer"))), trust_of("trainer"), claimed_at=NOW)
    return verified


def test_a_statement_is_read_again_within_the_caller_s_limits() -> None:
    verified = about(("a", {"sha256": A}), ("b", {"sha256": B}))
    again = binding.read_again(verified, limits=Limits(subjects=2))
    assert (again.statement, again.signer, again.times) == (verified.statement, verified.signer, verified.times)
    assert refused(LimitError, binding.read_again, verified, limits=Limits(subjects=1)) == ("limit", "$.subject")


def test_where_it_is_logged_is_told_once_for_each_place() -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(honest().run.envelope.payload, identity="a@example.com", log=sigstore.logs)
    (verified,) = prove(made, sigstore.trust())
    assert len(verified.logs) == 2
    assert list(verified.logs) == sorted(verified.logs)


def test_what_signs_an_artifact_is_refused_where_it_stands() -> None:
    import hashlib

    from glasswing_attest._wire import read_json
    from glasswing_attest.bundle import Bundle
    from glasswing_attest.verification import signature

    bundle = Bundle.parse(read_json(VirtualSigstore().sign_artifact(b"weights", identity="a@example.com")))
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    signed = signature.check_message(bundle, (), digest=digest, content=b"weights")
    at = (MessageSignatureUnsupported.code, "$.messageSignature")
    assert refused(MessageSignatureUnsupported, binding.require_in_toto, signed) == at


def test_only_the_subjects_that_an_index_knows_are_looked_at() -> None:
    verified = about(("a", {"sha256": A}), ("b", {"sha256": B}))
    found = subject.match(verified, DigestSet.of(sha256=B), positions=[1])
    assert (found.subject.name, found.verified) == ("b", verified)
    at = ("verification.subject", "$.subject")
    for positions in ([], [1]):
        assert refused(SubjectMismatch, subject.match, verified, DigestSet.of(sha256=A), positions=positions) == at
    among = (found.subject,)
    assert subject.match(verified, DigestSet.of(sha256=B), among=among).subject is found.subject
    assert refused(SubjectMismatch, subject.match, verified, DigestSet.of(sha256=A), among=among) == at
    assert refused(SubjectMismatch, subject.match, verified, DigestSet.of(sha256=A), among=()) == at


TREE = ("e", {"dirHash": B, "sha256": B})  # a directory by its listing, which is no file of that digest


def test_every_file_of_a_list_must_be_named_with_its_digest() -> None:
    verified = about(("a", {"sha256": A}), ("b", {"sha256": B}), ("c", {"dirHash": A}), ("d", {"sha512": A * 2}), TREE)
    found = subject.match_all(verified, {"b": B})
    assert (found.subject.name, found.verified) == ("b", verified)
    assert subject.match_all(verified, {"a": A, "b": B}).subject.name == "a"
    assert subject.match_all(verified, {"b": B, "a": A}).subject.name == "b"
    at = ("verification.subject", "$.subject")
    for files in ({}, {"a": B}, {"b": A}, {"a": A, "b": A}, {"a": A, "x": B}, {"c": A}, {"d": A}, {"a": ""}, {"e": B}):
        assert refused(SubjectMismatch, subject.match_all, verified, files) == at
