"""Does a key that is held get a trusted time, and is what it signed proved by its witnesses?"""

import base64
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from glasswing_attest import Attestation, KeySigner, ModelRecord, Policy, Trust, assess, attest, verify
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import (
    KeyUnsupported,
    ServiceRefused,
    ServiceUnavailable,
    TrustRefused,
    UsageError,
    WitnessMissing,
)
from glasswing_attest.signing import CertificateSigner, WitnessedSigner
from glasswing_attest.signing.key import ALGORITHMS
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.private import private_root
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import Profile
from glasswing_attest.verification.procedure import prove
from tests.private_pki import Pki, pem
from tests.served import QUICK, Reply, Served

THING, SAID = Blob(b"weights", name="m.bin"), ModelRecord(name="m")
KEY = KeySigner.generate()
PKI = Pki()
SPIFFE = "spiffe://acme.example/trainer"


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as running:
        yield running


def witnessed(served: Served, signer: Any = KEY, version: Literal[1, 2] = 1, **options: Any) -> WitnessedSigner:
    return WitnessedSigner(signer, served.instance(version), patience=QUICK, **options)


def certified(leaf: Any = None) -> CertificateSigner:
    chain = pem(leaf or PKI.leaf(san=SPIFFE)) + pem(PKI.intermediate) + PKI.root_pem
    return CertificateSigner(KeySigner(PKI.leaf_key), chain)


def policy(identity: dict[str, str]) -> Policy:
    rule = {"predicate": SAID.predicate_type, "signed_by": {"any_of": ["signer"]}}
    said = {"version": 1, "identities": {"signer": identity}, "nodes": {"file": {"require": [rule]}}}
    return Policy.parse(json.dumps(said).encode(), suffix=".json")


def trust_in(served: Served, key: KeySigner = KEY, **window: Any) -> Trust:
    witness = Witness(root="served", logs=1, times=1)
    return served.sigstore.trust(keys=[TrustedKey(name="release", key=key.public_key, witness=witness, **window)])


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_believed_by_its_witnesses(served: Served, algorithm: str, version: Literal[1, 2]) -> None:
    key = KeySigner.generate(algorithm)
    signer = witnessed(served, key, version)
    if (algorithm, version) == ("ed25519", 2):  # such logs know only the prehashed one
        with pytest.raises(KeyUnsupported) as refused:
            attest(THING, SAID, signer=signer)
        assert (refused.value.code, refused.value.where) == ("unsupported.key", "signer")
        return
    made = attest(THING, SAID, signer=signer)
    assert made.bundle is not None
    (entry,) = made.bundle.log_entries
    body = json.loads(entry.canonicalized_body)
    if version == 1:
        assert (entry.kind, entry.version) == ("dsse", "0.0.1")
        verifier = base64.b64decode(body["spec"]["signatures"][0]["verifier"])
        assert verifier.decode() == key.public_key.pem
    else:
        assert (entry.kind, entry.version) == ("hashedrekord", "0.0.2")
        verifier = base64.b64decode(body["spec"]["hashedRekordV002"]["signature"]["verifier"]["publicKey"]["rawBytes"])
        assert verifier == key.public_key.der
    assert len(made.bundle.timestamps) == 1
    material = json.loads(made.bytes)["verificationMaterial"]
    assert set(material) == {"publicKey", "tlogEntries", "timestampVerificationData"}
    # No policy needs to say `times: claimed`: the time is proved.
    report = verify(THING, made, policy=policy({"key": "release"}), trust=trust_in(served, key))
    assert report.accepted


def test_without_its_witnesses_it_is_not_believed(served: Served) -> None:
    made = attest(THING, SAID, signer=witnessed(served))
    said = json.loads(made.bytes)
    for member, code in (
        ("tlogEntries", "verification.not-logged"),
        ("timestampVerificationData", None),  # the log of version 1 tells the time, too
    ):
        less = {**said["verificationMaterial"], member: [] if member == "tlogEntries" else {}}
        left = Attestation.parse(json.dumps({**said, "verificationMaterial": less}).encode())
        report = assess(THING, left, policy=policy({"key": "release"}), trust=trust_in(served))
        assert report.accepted is (code is None)
        assert code is None or report.refused[0].error.code == code


def test_the_window_of_a_key_is_about_the_time_of_signing(served: Served) -> None:
    made = attest(THING, SAID, signer=witnessed(served))
    now, day = datetime.now(UTC), timedelta(days=1)
    who = policy({"key": "release"})
    later = now + 3650 * day
    assert verify(THING, made, policy=who, trust=trust_in(served, valid_until=now + day), at=later).accepted
    report = assess(THING, made, policy=who, trust=trust_in(served, valid_until=now - day), at=now - day)
    assert report.refused[0].error.code == "verification.outside-validity"


def test_stamps_alone_do_where_no_log_is_asked_for(served: Served) -> None:
    config = {**served.signing_config(1), "rekorTlogUrls": []}
    del config["rekorTlogConfig"]
    signer = WitnessedSigner(KEY, served.instance(config=config), logs=0, patience=QUICK)
    made = attest(THING, SAID, signer=signer)
    assert made.bundle is not None
    assert (made.bundle.log_entries, len(made.bundle.timestamps)) == ((), 1)
    assert prove(made, signer.verified_by)[0].times.signed_by is not None


def test_a_clock_and_a_log_of_another_operator_are_two_times(served: Served) -> None:
    served.sigstore.add_clock(operator="clock.example")
    config = served.signing_config(1, clocks=2)
    signer = WitnessedSigner(KEY, served.instance(config=config), times=2, patience=QUICK)
    (proved,) = prove(attest(THING, SAID, signer=signer), signer.verified_by)
    assert {told.witness for told in proved.times.times} == {"sigstore.example", "clock.example"}


# --- certificates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("logs", [0, 1])
def test_a_workloads_certificate_is_believed_long_after_its_hour(
    served: Served, version: Literal[1, 2], logs: int
) -> None:
    now = datetime.now(UTC)
    leaf = PKI.leaf(san=SPIFFE, start=now - timedelta(minutes=5), end=now + timedelta(minutes=55))
    made = attest(THING, SAID, signer=witnessed(served, certified(leaf), version, logs=logs))
    assert set(json.loads(made.bytes)["verificationMaterial"]) == {
        "x509CertificateChain", "tlogEntries", "timestampVerificationData",
    }  # fmt: skip
    profile = Profile(scts=0, logs=logs, times=1, private=True)
    authority = private_root("acme", PKI.root_pem, profile=profile, witnesses=served.sigstore.root())
    trust, later = Trust(roots=(authority,)), now + timedelta(days=3650)
    who = policy({"authority": "acme", "san": "spiffe://acme.example/*"})
    assert verify(THING, made, policy=who, trust=trust, at=later).accepted
    other = policy({"authority": "acme", "san": "spiffe://acme.example/other"})
    cause = assess(THING, made, policy=other, trust=trust).cause
    assert cause is not None
    assert cause.code == "policy.signed-by"
    bare = Trust(roots=(private_root("acme", PKI.root_pem),))
    assert assess(THING, made, policy=who, trust=bare).refused[0].error.code == "verification.time-unproven"


def test_a_certificate_whose_authority_is_not_at_hand_is_not_witnessed(served: Served) -> None:
    with pytest.raises(UsageError) as refused:
        witnessed(served, PKI.signer())
    assert (refused.value.where, refused.value.found) == ("certificates", "no root")
    assert not served.asked


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "where"),
    [({"times": 0}, "times"), ({"logs": -1}, "logs"), ({"times": True}, "times"), ({"logs": "1"}, "logs")],
)
def test_numbers_that_prove_nothing(served: Served, options: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError) as refused:
        witnessed(served, **options)
    assert refused.value.where == where


def test_what_is_no_signer_of_a_key_or_no_instance(served: Served) -> None:
    with pytest.raises(UsageError) as refused:
        WitnessedSigner(KEY, served.sigstore.root())  # type: ignore[arg-type]
    assert refused.value.where == "instance"

    class Rooted:
        verified_by = served.sigstore.trust()
        seal = KEY.seal

    with pytest.raises(UsageError) as refused:
        witnessed(served, Rooted())
    assert refused.value.where == "signer"


def test_more_witnesses_than_the_signing_config_names(served: Served) -> None:
    served.sigstore.add_log("v1")
    with pytest.raises(WitnessMissing) as refused:
        attest(THING, SAID, signer=witnessed(served, logs=2))
    assert (refused.value.code, refused.value.where) == ("signing.witness", "signing config: rekorTlogUrls")
    assert not served.asked, "nothing was published"


def test_more_witnesses_than_the_root_names(served: Served) -> None:
    with pytest.raises(TrustRefused) as refused:
        witnessed(served, certified(), logs=2)
    assert refused.value.where == "roots.authority.profile.logs"


@pytest.mark.parametrize("service", ["rekor1", "tsa0"])
def test_a_service_that_fails_leaves_nothing(served: Served, service: str) -> None:
    served.trouble = lambda name, _count: Reply(status=503) if name == service else None
    with pytest.raises(ServiceUnavailable) as refused:
        attest(THING, SAID, signer=witnessed(served))
    assert refused.value.code == "unavailable.service"
    served.trouble = lambda name, _count: Reply(status=400, body=b'{"message": "no"}') if name == service else None
    with pytest.raises(ServiceRefused) as said_no:
        attest(THING, SAID, signer=witnessed(served))
    assert said_no.value.code == "signing.refused"
    served.trouble = lambda _name, _count: None
    assert attest(THING, SAID, signer=witnessed(served)).bundle is not None


def test_a_log_that_knows_one_hash_alone_says_so(served: Served) -> None:
    served.trouble = lambda name, _count: Reply(status=400, body=b'{"message": "no"}') if name == "rekor1" else None
    with pytest.raises(ServiceRefused) as refused:
        attest(THING, SAID, signer=witnessed(served, KeySigner.generate("ecdsa-p384")))
    assert (refused.value.code, refused.value.because) == ("signing.refused", "no")
    assert "a log of version 2" in refused.value.do
    with pytest.raises(ServiceRefused) as plain:
        attest(THING, SAID, signer=witnessed(served))
    assert not plain.value.do


def test_witnesses_of_another_instance_than_the_root_are_noticed(served: Served) -> None:
    other = VirtualSigstore("served", clock=served.sigstore.clock)
    instance = replace(served.instance(1), root=other.root())
    with pytest.raises(WitnessMissing) as refused:
        attest(THING, SAID, signer=WitnessedSigner(KEY, instance, patience=QUICK))
    assert (refused.value.code, refused.value.where) == ("signing.witness", f"{served.url}/tsa0/api/v1/timestamp")


def test_a_large_statement_is_read_back(served: Served) -> None:
    signer = witnessed(served, certified())
    sealed = signer.seal(b"x" * (5 << 20), "application/octet-stream")
    assert json.loads(sealed)["verificationMaterial"]["tlogEntries"]


def test_it_shows_no_secret_and_is_not_pickled(served: Served) -> None:
    signer = witnessed(served)
    assert repr(signer).startswith("WitnessedSigner(KeySigner(")
    assert signer.signer is KEY
    with pytest.raises(TypeError):
        pickle.dumps(signer)
