"""Do the recipes make only what they should, and decide the same every time?"""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import (
    Attestation,
    CodeRecord,
    DataRecord,
    Dataset,
    KeySigner,
    Manifest,
    Model,
    ModelRecord,
    Policy,
    Trust,
    Verifier,
    assess,
    attest,
    attest_many,
    endorse,
    sign_statement,
    verify,
)
from glasswing_attest._wire import Node
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.manifest import Artifact
from glasswing_attest.claims import PredicateType
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactUnreadable,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    NotAccepted,
    NotJson,
    PayloadTypeUnsupported,
    SelfCheckFailed,
    SigningError,
    SourceRefused,
    StatementTypeUnsupported,
    TrustExpired,
    UsageError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import Limits
from glasswing_attest.signing.signer import Signer
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from tests.chains import (
    NOW,
    Said,
    checkout,
    data_record,
    honest,
    policy_of,
    proven,
    provenance,
    readers_of,
    run_record,
    seal,
    sha256,
    signer,
    tree,
    trust_of,
    used,
)

OWN = signer("trainer")

# --- attest ----------------------------------------------------------------------------------------------------------


def test_a_statement_names_its_subject_and_is_canonical() -> None:
    model = honest().model
    made = attest(model, ModelRecord(name="m"), signer=OWN)
    plain = json.loads(made.envelope.payload)
    assert plain["_type"] == "https://in-toto.io/Statement/v1"
    assert plain["subject"] == [{"name": model.name, "digest": model.digests.to_dict()}]
    assert made.envelope.payload == json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()
    assert made.envelope.payload_type == "application/vnd.in-toto+json"
    assert made == Attestation.parse(made.bytes)


def test_several_subjects_are_one_statement() -> None:
    things: list[Artifact] = [Blob(b"a", name="a"), honest().model, Blob(b"c", name="c")]
    made = attest(things, Said(predicate_type="https://x.example/v1", body={}), signer=OWN)
    assert [s.name for s in made.statement_unverified.subjects] == ["a", honest().model.name, "c"]


def test_nothing_is_not_attested() -> None:
    with pytest.raises(UsageError) as caught:
        attest([], ModelRecord(name="m"), signer=OWN)
    assert (caught.value.code, caught.value.where) == ("usage", "subject")


def test_a_dirty_checkout_is_not_attested_as_its_commit() -> None:
    dirty = checkout(dirty=True)
    for predicate in (CodeRecord(name="c"), CodeRecord(name="c", dirty=False), provenance()):
        with pytest.raises(SourceRefused) as caught:
            attest(dirty, predicate, signer=OWN)
        assert (caught.value.code, caught.value.where) == ("artifact.source.dirty", "code")
        assert "train.py" in str(caught.value)
    with pytest.raises(SourceRefused):
        attest([Blob(b"x"), dirty], Said(predicate_type="https://x.example/v1", body={}), signer=OWN)
    said = attest(dirty, CodeRecord(name="c", dirty=True), signer=OWN)
    assert said.statement_unverified.predicate["dirty"] is True


@pytest.mark.parametrize(
    ("record", "about", "where"),
    [
        (CodeRecord(name="c", commit="d" * 40), checkout(), "commit"),
        (CodeRecord(name="c", repository="git+https://github.com/evil/train"), checkout(), "repository"),
        (CodeRecord(name="c", dirty=True), checkout(), "dirty"),
        (
            DataRecord.model_validate({"name": "d", "tree": {"dir_hash": "0" * 64, "files": 1, "total_bytes": 1}}),
            tree("dataset", {"a": b"1"}),
            "dir_hash",
        ),
    ],
    ids=["commit", "repository", "dirty", "tree"],
)
def test_a_record_may_not_contradict_what_was_measured(record: Any, about: Manifest, where: str) -> None:
    with pytest.raises(FieldRefused) as caught:
        attest(about, record, signer=OWN)
    assert caught.value.code == "malformed.field"
    assert where in caught.value.where


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (float("nan"), "$.predicate.x"),
        (float("inf"), "$.predicate.x"),
        (2**53, "$.predicate.x"),
        (-(2**53), "$.predicate.x"),
        (b"bytes", "$.predicate.x"),
        (object(), "$.predicate.x"),
        ({1: 2}, "$.predicate.x"),
        ([{"y": {3}}], "$.predicate.x[0].y"),
        ("\ud800", "$.predicate.x"),
        (datetime(2026, 1, 1, tzinfo=UTC), "$.predicate.x"),
    ],
    ids=["nan", "inf", "2^53", "-2^53", "bytes", "object", "int key", "set", "surrogate", "time"],
)
def test_what_json_cannot_say_is_not_signed(value: object, where: str) -> None:
    with pytest.raises(GlasswingError) as caught:
        attest(Blob(b"x"), Said(predicate_type="https://x.example/v1", body={"x": value}), signer=OWN)
    assert caught.value.code in ("malformed.field", "malformed.utf8")
    assert caught.value.where == where


@pytest.mark.parametrize("kind", ["", "no uri", "relative/path", "https://x.example/a b"])
def test_a_predicate_type_is_a_uri(kind: str) -> None:
    with pytest.raises(FieldRefused) as caught:
        attest(Blob(b"x"), Said(predicate_type=kind, body={}), signer=OWN)
    assert (caught.value.code, caught.value.where) == ("malformed.field", "$.predicateType")


def test_an_artifact_that_cannot_be_digested_is_not_attested(tmp_path: Path) -> None:
    with pytest.raises(ArtifactUnreadable) as unreadable:
        attest(Model(tmp_path / "absent"), ModelRecord(name="m"), signer=OWN)
    assert unreadable.value.code == "artifact.unreadable"
    with pytest.raises(ArtifactEmpty):
        attest(Dataset(tmp_path), DataRecord(name="d"), signer=OWN)


def test_attest_many_keeps_the_order_and_is_all_or_nothing() -> None:
    requests: list[Any] = [(Blob(b"%d" % n, name=f"{n}"), ModelRecord(name=f"m{n}")) for n in range(5)]
    made = attest_many(requests, signer=OWN)
    assert [a.statement_unverified.subjects[0].name for a in made] == list("01234")
    with pytest.raises(UsageError):
        attest_many([*requests, ([], ModelRecord(name="m"))], signer=OWN)
    assert attest_many([], signer=OWN) == ()


# --- sign_statement and endorse --------------------------------------------------------------------------------------

WEIRD = (
    b'\n{ "predicate" : {"b":1,"a":2.50 , "\\u00e9":"\\/"},\r\n "predicateType":"https://x.example/v1",\t"subject":['
    b'{"digest":{"sha256":"' + sha256(b"x").encode() + b'"},"name":"x","zzz":null}],"_type":'
    b'"https://in-toto.io/Statement/v1","unknown":[] }\n\n'
)


def test_a_statement_is_signed_verbatim() -> None:
    made = sign_statement(WEIRD, signer=OWN)
    assert made.envelope.payload == WEIRD
    assert made.payload_digest == sha256(WEIRD)
    report = surface([made], "https://x.example/v1")
    assert report.accepted
    assert report.to_dict()["evidence"]["used"] == [sha256(WEIRD)]


def surface(evidence: Any, predicate: str) -> Any:
    """Judge the blob x by one attestation of this type from the trainer."""
    rule = {"predicate": predicate, "signed_by": {"any_of": ["trainer"]}}
    policy = policy_of(lambda p: p.__setitem__("nodes", {"file": {"require": [rule]}}))
    verifier = Verifier(policy=policy, trust=honest().trust, predicates=readers_of(policy))
    return verifier.assess(Blob(b"x", name="x"), evidence, at=NOW)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", NotJson),
        (b"hello", NotJson),
        (WEIRD + b"x", NotJson),
        (b"{}", FieldMissing),
        (WEIRD.replace(b"Statement/v1", b"Statement/v9"), StatementTypeUnsupported),
        (WEIRD.replace(b'"zzz"', b'"name"'), DuplicateKey),
        (WEIRD.replace(b'"sha256"', b'"sha512"'), GlasswingError),
    ],
)
def test_what_is_no_statement_is_not_signed(raw: bytes, error: type[GlasswingError]) -> None:
    with pytest.raises(error) as caught:
        sign_statement(raw, signer=OWN)
    assert caught.value.code.startswith(("malformed", "unsupported"))


def test_an_endorsement_is_the_same_payload() -> None:
    first = sign_statement(WEIRD, signer=OWN)
    second = endorse(first, signer=signer("auditor"))
    assert second.envelope.payload == WEIRD
    assert second.payload_digest == first.payload_digest
    assert second.bytes != first.bytes
    assert endorse(second, signer=OWN).envelope.payload == WEIRD


def test_only_statements_are_endorsed() -> None:
    other = Attestation.parse(seal(WEIRD, OWN, "application/vnd.in-toto.x+json"))
    with pytest.raises(PayloadTypeUnsupported) as caught:
        endorse(other, signer=signer("auditor"))
    assert (caught.value.code, caught.value.where) == ("unsupported.payload-type", "$.payloadType")
    with pytest.raises(NotJson):
        endorse(Attestation.parse(seal(b"text", OWN)), signer=signer("auditor"))


# --- a signer that misbehaves ----------------------------------------------------------------------------------------


class Misbehaving:
    """Declares one key and seals in some other way."""

    def __init__(self, seal_: Callable[[bytes, str], bytes]) -> None:
        self._seal = seal_

    @property
    def verified_by(self) -> PublicKey:
        return OWN.public_key

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        return self._seal(payload, payload_type)


def as_certificate(payload: bytes, kind: str) -> bytes:
    plain = json.loads(OWN.seal(payload, kind))
    plain["verificationMaterial"] = {"certificate": {"rawBytes": "AAAA"}}
    return json.dumps(plain).encode()


@pytest.mark.parametrize(
    "seal_",
    [
        lambda p, t: signer("mallory").seal(p, t),
        lambda p, t: OWN.seal(p + b" ", t),
        lambda p, t: OWN.seal(p, "application/vnd.in-toto.x+json"),
        lambda p, t: b"",
        lambda p, t: b"{}",
        as_certificate,
    ],
    ids=["another key", "another payload", "another type", "nothing", "no bundle", "certificate"],
)
def test_what_does_not_verify_is_not_returned(seal_: Callable[[bytes, str], bytes]) -> None:
    first = sign_statement(WEIRD, signer=OWN)
    calls: list[Callable[[Signer], object]] = [
        lambda s: attest(Blob(b"x"), ModelRecord(name="m"), signer=s),
        lambda s: sign_statement(WEIRD, signer=s),
        lambda s: endorse(first, signer=s),
    ]
    for call in calls:
        with pytest.raises(SelfCheckFailed) as caught:
            call(Misbehaving(seal_))
        assert isinstance(caught.value, SigningError)
        assert caught.value.code == "signing.self-check"


# --- declared manifests ----------------------------------------------------------------------------------------------


def test_digests_that_nobody_read_are_denied_unless_the_policy_says_otherwise() -> None:
    chain = honest()
    declared = Manifest.declared("model", chain.model.digests, chain.model.name)
    report = chain.assess(artifact=declared)
    assert report.verdict == "refused"
    with pytest.raises(NotAccepted) as caught:
        report.require()
    assert caught.value.because == "policy.declared"
    allow = policy_of(lambda p: p.__setitem__("declared", "allow"))
    assert chain.assess(artifact=declared, policy=allow).accepted
    listing = Manifest.from_listing(chain.model.listing, kind="model", name=chain.model.name)
    assert chain.assess(artifact=listing).verdict == "refused"
    assert chain.assess(artifact=listing, policy=allow).accepted


# --- at --------------------------------------------------------------------------------------------------------------


def test_a_naive_time_is_no_time() -> None:
    with pytest.raises(UsageError) as caught:
        honest().assess(at=datetime(2026, 2, 1))  # noqa: DTZ001
    assert (caught.value.code, caught.value.where) == ("usage", "at")


def test_at_is_now_unless_told() -> None:
    chain = honest()
    before = datetime.now(UTC)
    report = Verifier(policy=chain.policy, trust=chain.trust).assess(chain.model, chain.evidence)
    assert before <= report.at == report.now <= datetime.now(UTC)
    assert report.to_dict()["at"] == report.to_dict()["now"]


def test_zones_do_not_matter() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert honest().assess(at=there).to_dict()["at"] == honest().assess(at=NOW).to_dict()["at"]


def test_expired_trust_stays_expired_whatever_at_says() -> None:
    chain = honest()
    expired = Trust(keys=chain.trust.keys, expires=datetime(2020, 1, 1, tzinfo=UTC))
    for at in (datetime(2019, 1, 1, tzinfo=UTC), NOW, None):
        verifier = Verifier(policy=chain.policy, trust=expired)
        with pytest.raises(TrustExpired) as caught:
            verifier.assess(chain.model, chain.evidence, at=at)
        assert caught.value.code == "unavailable.trust-expired"
    later = Trust(keys=chain.trust.keys, expires=datetime(2999, 1, 1, tzinfo=UTC))
    assert chain.assess(trust=later).accepted
    with pytest.raises(TrustExpired):
        chain.assess(trust=later, at=datetime(2999, 1, 1, 0, 0, 1, tzinfo=UTC))


# --- a verifier keeps nothing ----------------------------------------------------------------------------------------


def test_model_transparency_650_one_verification_leaves_nothing_for_the_next() -> None:
    chain = honest()
    verifier = Verifier(policy=chain.policy, trust=chain.trust)
    other = tree("model", {"other.bin": b"o"}, "other")
    alone = proven(Verifier(policy=chain.policy, trust=chain.trust).assess(other, [chain.record], at=NOW))
    assert verifier.assess(chain.model, chain.evidence, at=NOW).accepted
    assert proven(verifier.assess(other, [chain.record], at=NOW)) == alone
    assert alone["verdict"] == "refused"
    assert verifier.assess(chain.model, [], at=NOW).verdict == "refused"
    assert verifier.assess(chain.model, chain.evidence, at=NOW).accepted


def test_a_verifier_is_frozen_with_all_it_holds() -> None:
    chain = honest()
    pile: list[Any] = [chain.run, [chain.record]]
    predicates: list[PredicateType] = []
    verifier = Verifier(policy=chain.policy, trust=chain.trust, evidence=pile, predicates=predicates)  # type: ignore[arg-type]
    for name in ("policy", "trust", "evidence", "limits"):
        with pytest.raises(AttributeError):
            setattr(verifier, name, None)
    assert verifier.assess(chain.model, [chain.source], at=NOW).accepted
    pile[1].clear()
    pile.clear()
    predicates.append(PredicateType(uri="https://x.example/v1", parse=lambda node, _: node.value))
    assert verifier.assess(chain.model, [chain.source], at=NOW).accepted


def test_evidence_that_runs_out_does_not() -> None:
    chain = honest()
    verifier = Verifier(policy=chain.policy, trust=chain.trust, evidence=(a for a in chain.evidence))
    for _ in range(2):
        assert verifier.assess(chain.model, at=NOW).accepted


def test_a_verifier_s_own_evidence_counts_beside_the_call_s() -> None:
    chain = honest()
    verifier = Verifier(policy=chain.policy, trust=chain.trust, evidence=[chain.record.bytes, chain.source])
    assert verifier.verify(chain.model, chain.run, at=NOW).accepted
    assert verifier.assess(chain.model, at=NOW).verdict == "refused"


@pytest.mark.parametrize("evidence", [None, 1, object(), [None], [[1]], True])
def test_what_is_no_evidence_is_misuse(evidence: Any) -> None:
    chain = honest()
    with pytest.raises(UsageError) as caught:
        Verifier(policy=chain.policy, trust=chain.trust, evidence=evidence)
    assert caught.value.code == "usage"
    with pytest.raises(UsageError):
        Verifier(policy=chain.policy, trust=chain.trust).assess(chain.model, evidence, at=NOW)


def test_one_verifier_serves_many_threads() -> None:
    chain = honest()
    verifier = Verifier(policy=chain.policy, trust=chain.trust)
    start = threading.Barrier(8)

    def work(number: int) -> tuple[int, str]:
        start.wait(timeout=30)
        evidence = chain.evidence if number % 2 else chain.evidence[:2]
        return number, verifier.assess(chain.model, evidence, at=NOW).verdict.value

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    assert found == [(n, "accepted" if n % 2 else "refused") for n in range(8)]


def test_async_callers_use_a_thread() -> None:
    chain = honest()

    async def main() -> list[Any]:
        return await asyncio.gather(*(asyncio.to_thread(chain.assess) for _ in range(4)))

    assert all(report.accepted for report in asyncio.run(main()))


# --- further predicate types -----------------------------------------------------------------------------------------

SIGNED_OFF = "https://x.example/signed-off/v1"


def _ok(node: Node, _limits: Limits) -> object:
    return node.need("ok").boolean()


def test_a_further_type_is_read_by_its_reader() -> None:
    made = attest(Blob(b"x", name="x"), Said(predicate_type=SIGNED_OFF, body={"ok": True}), signer=OWN)
    wrong = attest(Blob(b"x", name="x"), Said(predicate_type=SIGNED_OFF, body={"ok": "yes"}), signer=OWN)
    rule = {"predicate": SIGNED_OFF, "signed_by": {"any_of": ["trainer"]}}
    policy = policy_of(lambda p: p.__setitem__("nodes", {"file": {"require": [rule]}}))
    verifier = Verifier(policy=policy, trust=honest().trust, predicates=(PredicateType(uri=SIGNED_OFF, parse=_ok),))
    report = verifier.verify(Blob(b"x", name="x"), [made], at=NOW)
    assert report.records(bool) == (True,)
    refused = verifier.assess(Blob(b"x", name="x"), [wrong], at=NOW)
    assert refused.verdict == "refused"
    assert refused.refused[0].error.where == "$.predicate.ok"


@pytest.mark.parametrize("uri", [PROVENANCE_V1, DataRecord.predicate_type])
def test_no_type_is_read_in_two_ways(uri: str) -> None:
    chain = honest()
    with pytest.raises(UsageError) as caught:
        Verifier(policy=chain.policy, trust=chain.trust, predicates=(PredicateType(uri=uri, parse=_ok),))
    assert (caught.value.code, caught.value.found) == ("usage", uri)


# --- the shortcuts ---------------------------------------------------------------------------------------------------


def test_verify_and_assess_are_a_verifier() -> None:
    chain = honest()
    values: Mapping[str, Any] = {"policy": chain.policy, "trust": chain.trust, "at": NOW}
    whole = proven(Verifier(policy=chain.policy, trust=chain.trust).assess(chain.model, chain.evidence, at=NOW))
    assert proven(verify(chain.model, chain.evidence, **values)) == whole
    assert proven(assess(chain.model, chain.evidence, **values)) == whole
    for call in (verify, assess):
        with pytest.raises(TypeError):
            call(chain.model, chain.evidence)  # type: ignore[call-arg]


def test_a_bundle_says_nothing_of_a_key_it_is_checked_with() -> None:
    # Trust on first use would be no trust: the same bytes under a stranger's trust prove nothing.
    chain = honest()
    stranger = Trust.of({name: KeySigner.generate("ed25519").public_key for name in chain.trust.names})
    report = chain.assess(trust=stranger)
    assert report.verdict == "refused"
    assert {r.error.code for r in report.refused} == {"verification.key-untrusted"}
    assert isinstance(chain.policy, Policy)
    assert trust_of("trainer").digest != stranger.digest


def test_the_subject_of_other_records_is_no_evidence_for_this_model() -> None:
    chain = honest()
    both = attest(
        [chain.model, chain.data], provenance(used(chain.data, "dataset"), used(chain.code, "code")), signer=OWN
    )
    report = chain.assess([both, chain.source])
    assert report.verdict == "refused"
    assert chain.assess([both, chain.record, chain.source]).accepted
    assert data_record(chain.data).payload_digest == chain.record.payload_digest
    assert run_record(chain.model).payload_digest != chain.run.payload_digest
