"""In which order is it proved, and which of several refusals is told?"""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from glasswing_attest import Attestation, Trust, endorse
from glasswing_attest.errors import (
    CertificateUntrusted,
    LimitError,
    NotLogged,
    OutsideValidity,
    TimeUnproven,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.key import TrustedKey, Witness
from glasswing_attest.trust.sigstore import Window
from glasswing_attest.verification.procedure import prove, prove_message
from tests.chains import NOW, bare, honest, signer, trust_of
from tests.unit.verification.asking import ALICE, PAYLOAD, refused, signed_by_key

SIGSTORE = VirtualSigstore()


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


@pytest.mark.parametrize(
    ("window", "good"),
    [
        (Window(start=NOW, end=NOW), True),
        (Window(start=NOW - timedelta(days=9), end=NOW - timedelta(seconds=1)), False),
        (Window(start=NOW + timedelta(seconds=1)), False),
    ],
    ids=["then", "before", "after"],
)
def test_a_log_without_a_time_must_be_good_when_the_key_must(window: Window, good: bool) -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(PAYLOAD, identity=signer("trainer"), log="v2", stamps=0)
    sigstore.log("v2").window = window
    asked = Witness(root="virtual", logs=1, times=0)
    key = TrustedKey(name="a", key=signer("trainer").public_key, witness=asked)
    trust = Trust(keys=(key,), roots=(sigstore.root(),))
    if good:
        assert prove(made, trust, claimed_at=NOW)[0].times.times == ()
    else:
        at = ("verification.outside-validity", f"tlogs {sigstore.root().logs[1].name}")
        assert refused(OutsideValidity, prove, made, trust, claimed_at=NOW) == at
    at = ("verification.time-unproven", "$.verificationMaterial")
    assert refused(TimeUnproven, prove, made, trust) == at


def test_without_a_root_nobody_says_who_a_certificate_is() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE)
    assert refused(CertificateUntrusted, prove, made, trust_of("trainer")) == ("verification.certificate", "trust")


def test_each_way_is_gone_within_the_caller_s_limits() -> None:
    few = Limits(json_values=5)
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE)
    code, where = refused(LimitError, prove, made, SIGSTORE.trust(), limits=few)
    assert (code, where.partition(".")[0]) == ("limit", "canonicalizedBody")
    made = SIGSTORE.sign(PAYLOAD, identity=signer("trainer"))
    key = TrustedKey(name="a", key=signer("trainer").public_key, witness=Witness(root="virtual", logs=1, times=0))
    trust = Trust(keys=(key,), roots=(SIGSTORE.root(),))
    assert prove(made, trust, claimed_at=NOW)
    code, where = refused(LimitError, prove, made, trust, claimed_at=NOW, limits=few)
    assert (code, where.partition(".")[0]) == ("limit", "canonicalizedBody")
    promised = SIGSTORE.sign(PAYLOAD, identity=ALICE, log="v2")
    at = ("limit", "certificate.scts")
    assert refused(LimitError, prove, promised, SIGSTORE.trust(), limits=Limits(log_entries=0)) == at
