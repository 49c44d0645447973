"""Is a proof that is remembered worth as much as one that is found out anew, and never more?"""

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glasswing_attest import Attestation, Report, Trust, Verifier
from glasswing_attest._api import proving
from glasswing_attest.errors import OutsideValidity
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.store import Item
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.key import Witness
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.trust.sigstore import Window
from glasswing_attest.verification.procedure import prove
from tests.chains import NOW, data_record, honest, policy_of, signer

DAY = timedelta(days=1)


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What had to be proved."""
    seen: list[bytes] = []

    def counted(attestation: Attestation, *args: Any, **more: Any) -> Any:
        seen.append(attestation.bytes)
        return prove(attestation, *args, **more)

    monkeypatch.setattr(proving, "prove", counted)
    return seen


def verifier(**changes: Any) -> Verifier:
    chain = honest()
    made: dict[str, Any] = {"policy": chain.policy, "trust": chain.trust, "evidence": chain.evidence, **changes}
    return Verifier(**made)


def facts(report: Report) -> dict[str, Any]:
    told = report.to_dict()
    del told["now"]
    return told


def test_an_item_is_proved_once(proved: list[bytes]) -> None:
    chain, asked = honest(), verifier()
    first = asked.assess(chain.model, at=NOW)
    assert first.accepted
    assert sorted(proved) == sorted(a.bytes for a in chain.evidence)
    for artifact in (chain.model, chain.data, chain.model):
        assert asked.assess(artifact, at=NOW).accepted
    assert len(proved) == 3
    assert facts(asked.assess(chain.model, at=NOW)) == facts(first)
    # Whatever brings the same bytes, and at any other time at which the same keys are good.
    assert asked.assess(chain.model, chain.run.bytes).accepted
    assert len(proved) == 3


def test_what_proves_nothing_is_tried_again(proved: list[bytes]) -> None:
    chain = honest()
    stranger = data_record(chain.data, by="mallory")
    asked = verifier(evidence=stranger)
    for _ in range(2):
        assert len(asked.assess(chain.model, at=NOW).refused) == 1
    assert proved == [stranger.bytes] * 2


def windowed(*, until: datetime) -> Trust:
    trust = honest().trust
    keys = tuple(replace(key, valid_until=until) if key.name == "trainer" else key for key in trust.keys)
    return Trust(keys=keys)


def test_the_window_of_a_key_is_looked_at_each_time() -> None:
    asked = verifier(trust=windowed(until=NOW))
    model = honest().model
    outcomes = [asked.assess(model, at=at).accepted for at in (NOW, NOW + DAY, NOW - DAY, NOW + DAY, NOW)]
    assert outcomes == [True, False, True, False, True]
    fresh = [verifier(trust=windowed(until=NOW)).assess(model, at=at) for at in (NOW, NOW + DAY)]
    again = [asked.assess(model, at=at) for at in (NOW, NOW + DAY)]
    assert list(map(facts, again)) == list(map(facts, fresh))


def test_times_that_must_be_proved_are_not_those_that_may_be_claimed() -> None:
    # Two verifiers, since a policy is part of one: neither knows what the other proved.
    strict = policy_of(lambda plain: plain.__setitem__("times", "verified"))
    lax = verifier()
    assert lax.assess(honest().model, at=NOW).accepted
    assert not replace(lax, policy=strict).assess(honest().model, at=NOW).accepted


def test_another_trust_or_other_limits_start_anew(proved: list[bytes]) -> None:
    asked = verifier()
    model = honest().model
    assert asked.assess(model, at=NOW).accepted
    keys = [replace(k, key=signer("mallory").public_key) if k.name == "trainer" else k for k in asked.trust.keys]
    assert not replace(asked, trust=Trust(keys=tuple(keys))).assess(model, at=NOW).accepted
    assert replace(asked, limits=Limits(depth=63)).assess(model, at=NOW).accepted
    assert len(proved) == 3 * 3


def test_a_revocation_is_held_against_every_proof() -> None:
    chain = honest()
    keys = (*chain.trust.keys, TrustedKey(name="security", key=signer("security").public_key))
    trust = Trust(keys=keys, revocation_signers=("security",))
    now = datetime.now(UTC)

    def revoking(*entries: Revocation) -> bytes:
        listed = RevocationList.of(entries, version=1, issued=now - DAY, expires=now + DAY)
        return signer("security").seal(listed.to_json(), REVOCATIONS_TYPE)

    entry = Revocation(key=signer("trainer").public_key.fingerprint, since=now - DAY)
    asked = verifier(trust=trust, revocations=revoking())
    assert asked.assess(chain.model).accepted
    revoked = replace(asked, revocations=revoking(entry))
    assert [r.error.code for r in revoked.assess(chain.model).refused] == ["verification.revoked"]
    assert asked.assess(chain.model).accepted
    # A list that runs out leaves all undecided, however much is remembered.
    assert asked._assess(chain.model, (), at=now, now=now + 2 * DAY).verdict == "undecided"


class Dissenter:
    """Agrees until told otherwise."""

    def __init__(self) -> None:
        self.asked = 0

    def confirm(self, attestation: Attestation, statement: Any, trust: Trust) -> None:
        from glasswing_attest.errors import SecondOpinionDiffers

        self.asked += 1
        if self.asked > 3:
            raise SecondOpinionDiffers(where="dissenter")


def test_a_second_opinion_is_asked_each_time() -> None:
    opinion: Any = Dissenter()
    asked = verifier(second_opinion=opinion)
    assert asked.assess(honest().model, at=NOW).accepted
    assert not asked.assess(honest().model, at=NOW).accepted
    assert opinion.asked == 6


def test_no_limit_moves_with_what_is_remembered() -> None:
    chain = honest()
    enough = fewest_checks()
    for limit, verdict in ((enough, "accepted"), (enough - 1, "undecided")):
        asked = verifier(evidence=(), limits=Limits(signature_checks_in_all=limit))
        for attestation in chain.evidence:
            asked.assess(chain.data, attestation, at=NOW)  # whether they were proved before or not
        assert [asked.assess(chain.model, chain.evidence, at=NOW).verdict for _ in range(3)] == [verdict] * 3


def fewest_checks() -> int:
    """So many signature checks the honest chain takes: its keys are tried until one fits."""
    for limit in range(1, 50):
        if verifier(limits=Limits(signature_checks_in_all=limit)).assess(honest().model, at=NOW).accepted:
            return limit
    raise AssertionError("it takes more")


@pytest.mark.parametrize("bound", [Limits(evidence=3), Limits(evidence_bytes=6000)])
def test_no_more_is_remembered_than_a_pile_may_hold(bound: Limits) -> None:
    asked = verifier(evidence=(), limits=bound)
    chain = honest()
    for number in range(8):
        asked.assess(chain.model, Item(data=chain.run.bytes + b" " * number, origin="here"), at=NOW)
    known = asked._prover._known
    assert 1 <= len(known) <= bound.evidence
    assert asked._prover._size == sum(len(data) for data, _ in known) <= bound.evidence_bytes
    assert next(reversed(known))[0].endswith(b" " * 7), "the oldest goes first"


def test_threads_share_what_is_remembered(proved: list[bytes]) -> None:
    asked, model = verifier(), honest().model
    with ThreadPoolExecutor(4) as pool:
        assert all(report.accepted for report in pool.map(lambda _: asked.assess(model, at=NOW), range(24)))
    assert len(proved) <= 3 * 4


def test_a_deep_copy_knows_no_proofs(proved: list[bytes]) -> None:
    # Proofs are never copied: whoever has a copy of the verifier finds out anew.
    asked, chain = verifier(), honest()
    for each in (asked, copy.deepcopy(asked)):
        assert each.assess(chain.model, at=NOW).accepted
    assert len(proved) == 3 * 2


def test_it_is_no_part_of_a_verifier_s_value() -> None:
    one, other = verifier(), verifier()
    one.assess(honest().model, at=NOW)
    assert one == other
    assert repr(one) == repr(other)
    assert "_prover" not in repr(one)


def test_a_proof_is_remembered_for_the_logs_that_were_good_then(proved: list[bytes]) -> None:
    sigstore, chain = VirtualSigstore(), honest()
    made = sigstore.sign(chain.run.envelope.payload, identity=signer("trainer"), log="v2", stamps=0)
    sigstore.log("v2").window = Window(start=NOW - DAY, end=NOW + DAY)
    asked = Witness(root="virtual", logs=1, times=0)
    key = TrustedKey(name="trainer", key=signer("trainer").public_key, witness=asked)
    prover = proving.Prover(Trust(keys=(key,), roots=(sigstore.root(),)), DEFAULT)

    def at(time: datetime) -> object:
        return prover.prove(made, claimed_at=time, budget=Budget(DEFAULT, "signature_checks"))

    assert at(NOW)
    assert at(NOW + DAY)
    assert len(proved) == 1
    with pytest.raises(OutsideValidity) as refused:
        at(NOW + 2 * DAY)
    assert (refused.value.code, len(proved)) == ("verification.outside-validity", 2)
