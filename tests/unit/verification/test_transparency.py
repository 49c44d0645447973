"""Which entries prove that a signature stands in a log?"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, cast

import pytest

from glasswing_attest import Attestation
from glasswing_attest._wire import decode_base64, encode_base64
from glasswing_attest.errors import (
    FieldRefused,
    LimitError,
    NotLogged,
    SignatureInvalid,
)
from glasswing_attest.limits import Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.testing.keys import sign
from glasswing_attest.testing.log import TransparencyLog
from glasswing_attest.trust.sigstore import Root
from glasswing_attest.verification import signature, transparency
from tests.chains import bare, honest, signer
from tests.unit.verification.asking import ALICE, PAYLOAD, refused

SIGSTORE = VirtualSigstore()
OTHER = VirtualSigstore("other", operator="other.example")


NOT_LOGGED = ("verification.not-logged", "tlogEntries")


def logged(made: Attestation, *roots: Root, at_least: int = 0) -> transparency.LoggedSignature:
    """What the logs of these roots hold of it."""
    (signed,) = signature.check(made, [signer("trainer").public_key])
    return transparency.check(signed, [log for root in roots for log in root.logs], at_least=at_least)


def test_one_entry_may_stand_in_two_logs() -> None:
    made = SIGSTORE.sign(PAYLOAD, identity=ALICE, log=[SIGSTORE.log("v1"), OTHER.log("v1")])
    assert len({e.canonicalized_body for e in made.bundle.log_entries}) == 1  # type: ignore[union-attr]
    assert len(logged(made, SIGSTORE.root(), OTHER.root(), at_least=2).entries) == 2


def test_two_entries_in_one_log_are_one_witness() -> None:
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


def test_whoever_is_refused_hears_which_log_is_unknown_or_how_many_are_missing() -> None:
    third, fourth = VirtualSigstore("third").log("v1"), VirtualSigstore("fourth").log("v1")

    def told(*others: TransparencyLog, at_least: int = 1) -> tuple[object, object]:
        made = SIGSTORE.sign(PAYLOAD, identity=ALICE, log=list(others))
        with pytest.raises(NotLogged) as caught:
            logged(made, SIGSTORE.root(), at_least=at_least)
        return caught.value.found, caught.value.wanted

    assert told(third) == (f"log {third.log_id.hex()[:16]}", "a trusted log")
    assert told(third, fourth) == (f"log {third.log_id.hex()[:16]}", "a trusted log")
    assert told(third, SIGSTORE.log("v1"), at_least=2) == ("1 logs", "at least 2 distinct ones")


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


def test_what_the_log_signed_must_tell_of_a_tree() -> None:
    note = SIGSTORE.log("v1").checkpoint(7, b"a root of another length")
    made = entered(lambda entry: entry["inclusionProof"]["checkpoint"].update(envelope=note))
    at = ("malformed.field", "inclusionProof.checkpoint")
    assert refused(FieldRefused, logged, made, SIGSTORE.root(), at_least=1) == at


def test_a_proof_may_leave_its_root_to_the_checkpoint() -> None:
    made = entered(lambda entry: entry["inclusionProof"].pop("rootHash"))
    (entry,) = logged(made, SIGSTORE.root(), at_least=1).entries
    assert entry.position is not None
