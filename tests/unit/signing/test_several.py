"""Several signers of one statement, several statements by one signer: are they as many as they look, and no more?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import (
    Attestation,
    EvaluationRecord,
    KeySigner,
    Model,
    ModelRecord,
    Policy,
    Trust,
    assess,
    attest,
    attest_many,
    endorse,
    sign_statement,
)
from glasswing_attest.errors import NotJson, PayloadTypeUnsupported
from glasswing_attest.records import Metric, ResourceReference
from glasswing_attest.signing import IdentityTokens, SigstoreSigner, WitnessedSigner
from glasswing_attest.trust.root import TrustedKey, Witness
from tests.private_pki import Pki
from tests.served import QUICK, Served

SAID = ModelRecord(name="m")
SCORE = EvaluationRecord(metrics=[Metric(name="accuracy", value="0.97")], dataset=ResourceReference(name="iris"))
KEY, OTHER_KEY = KeySigner.generate(), KeySigner.generate("ed25519")


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as running:
        yield running


@pytest.fixture
def model(tmp_path: Path) -> Model:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"weights")
    return Model(tmp_path / "model")


def person(served: Served, name: str = "alice@example.com") -> SigstoreSigner:
    return SigstoreSigner(IdentityTokens.of(served.token(name)), instance=served.instance(1), patience=QUICK)


def everybody(served: Served) -> list[Any]:
    return [person(served), WitnessedSigner(KEY, served.instance(2), patience=QUICK), OTHER_KEY, Pki().signer()]


def accepted(model: Model, evidence: list[Attestation], served: Served, threshold: int = 3) -> bool:
    witness = Witness(root="served", logs=1, times=1)
    keys = [
        TrustedKey(name="release", key=KEY.public_key, witness=witness),
        TrustedKey(name="backup", key=OTHER_KEY.public_key),
    ]
    identities: dict[str, Any] = {
        "alice": {"issuer": "https://issuer.example", "san": "alice@example.com"},
        "release": {"key": "release"},
        "backup": {"key": "backup"},
    }
    signed_by = {"threshold": threshold, "of": [*identities], "over": "same_statement"}
    rule = {"predicate": SAID.predicate_type, "signed_by": signed_by}
    said = {"version": 1, "times": "claimed", "identities": identities, "nodes": {"model": {"require": [rule]}}}
    policy = Policy.parse(json.dumps(said).encode(), suffix=".json")
    trust: Trust = served.sigstore.trust(keys=keys)
    return assess(model, evidence, policy=policy, trust=trust).accepted


def test_one_statement_and_a_bundle_of_each_signer(model: Model, served: Served) -> None:
    first, *others = everybody(served)
    made = [attest(model, SAID, signer=first)]
    made += [endorse(made[0], signer=each) for each in others]
    assert len({each.envelope.payload for each in made}) == 1
    assert len({each.bytes for each in made}) == len({str(each.material) for each in made}) == 4
    assert all(len(each.envelope.signatures) == 1 for each in made)
    assert accepted(model, made, served)
    for left_out in range(3):
        assert not accepted(model, made[:left_out] + made[left_out + 1 :], served)


def test_who_signs_twice_is_one(model: Model, served: Served) -> None:
    alice = person(served)
    made = attest(model, SAID, signer=alice)
    again = [made, endorse(made, signer=alice), endorse(made, signer=person(served)), endorse(made, signer=KEY)]
    # The key without its witnesses proves nothing, and alice is alice under whatever certificate.
    assert not accepted(model, again, served, threshold=2)
    assert accepted(model, [*again, endorse(made, signer=OTHER_KEY)], served, threshold=2)


def test_a_raw_statement_is_kept_byte_for_byte(model: Model, served: Served) -> None:
    raw = attest(model, SAID, signer=KEY).envelope.payload.replace(b'":', b'" :\n')
    for signer in everybody(served):
        assert sign_statement(raw, signer=signer).envelope.payload == raw
    before = served.asked.copy()
    with pytest.raises(NotJson) as refused:
        sign_statement(b"no statement", signer=person(served))
    assert refused.value.code == "malformed.json"
    assert served.asked == before, "nothing was certified or logged"


def test_what_is_no_statement_is_not_endorsed(served: Served) -> None:
    other = Attestation.parse(KEY.seal(b"{}", "text/plain"))
    with pytest.raises(PayloadTypeUnsupported) as refused:
        endorse(other, signer=person(served))
    assert (refused.value.code, refused.value.where) == ("unsupported.payload-type", "$.payloadType")
    assert not served.asked


def test_several_predicates_one_certificate_and_one_reading(model: Model, served: Served) -> None:
    whole: list[int] = []
    same = Model(model.path)
    made = attest_many(
        [(model, SAID), (same, SCORE), ([model, same.measure()], SCORE)],
        signer=person(served),
        progress=lambda event: whole.append(event.done_bytes),
    )
    assert [each.statement_unverified.predicate_type for each in made] == [
        SAID.predicate_type, SCORE.predicate_type, SCORE.predicate_type,
    ]  # fmt: skip
    assert served.asked["fulcio"] == 1
    assert len({str(each.material) for each in made}) == 1
    assert whole.count(len(b"weights")) == 1, "it was read again"
    assert accepted(model, [made[0], endorse(made[0], signer=OTHER_KEY)], served, threshold=2)
