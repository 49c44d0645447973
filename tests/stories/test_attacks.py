"""What does an attacker try on a chain, and what stops it?  One story for each threat, on files and real keys.

Mallory may write whatever she likes: the model's folder, the pile of evidence, statements under a key of her own. In
some stories she is somebody who is trusted, but not for this. In each she asks for a yes and gets an error, whose class
and code are told.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import (
    Attestation,
    Build,
    CodeRecord,
    DataRecord,
    Dataset,
    File,
    GlasswingError,
    KeySigner,
    Model,
    ModelRecord,
    Policy,
    Report,
    Source,
    Trust,
    Verifier,
    attest,
    endorse,
)
from glasswing_attest._wire import read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.manifest import Artifact
from glasswing_attest.errors import (
    BuildIncomplete,
    CertificateUntrusted,
    InputsChanged,
    KeyUntrusted,
    LimitError,
    Mismatch,
    NoMatchingAttestation,
    NotAccepted,
    NotLogged,
    OutsideValidity,
    RevocationsUnavailable,
    Revoked,
    SignatureInvalid,
    SourceRefused,
    SubjectMismatch,
    TimeUnproven,
    TrustExpired,
)
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, Provenance
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.store import Evidence
from glasswing_attest.testing import Clock, LeafOptions, VirtualSigner, VirtualSigstore
from glasswing_attest.testing.sigstore import Identity
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import Window
from tests.chains import Said, bare, policy_of, readers_of, run_record, seal, signer, statement, trust_of, used

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

BUILDER = "https://ci.example/trainer"
BUILD_TYPE = "https://ci.example/train/v1"
MALLORY = "mallory"


@dataclass
class Site:
    """An honest place: data, code and a model on disk, three people with keys, and a verifier who knows them."""

    root: Path
    run: Attestation = field(init=False)
    record: Attestation = field(init=False)
    source: Attestation = field(init=False)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def code(self) -> Path:
        return self.root / "code"

    @property
    def model(self) -> Path:
        return self.root / "model"

    def build(self) -> None:
        """Make everything, honestly."""
        self.data.mkdir()
        (self.data / "train.csv").write_text("1,2\n3,4\n")
        self.code.mkdir()
        (self.code / "train.py").write_text("print('train')\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", "https://github.com/acme/train")
        self.git("add", "--all")
        self.git("-c", "user.name=d", "-c", "user.email=d@example.com", "commit", "--quiet", "-m", "one")
        self.record = attest(Dataset(self.data), DataRecord(name="iris"), signer=signer("data-team"))
        self.source = attest(Source(self.code), CodeRecord(name="train"), signer=signer("developer"))
        with Build(BUILDER, build_type=BUILD_TYPE) as run:
            run.use(Dataset(self.data), role="dataset")
            run.use(Source(self.code), role="code")
            self.model.mkdir()
            (self.model / "model.safetensors").write_bytes(b"weights")
            (self.model / "config.json").write_bytes(b"{}")
        self.run = attest(Model(self.model), run.provenance(), signer=signer("trainer"))

    def git(self, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "-C", self.code, *arguments], check=True, capture_output=True, env=environment)

    @property
    def evidence(self) -> list[Attestation]:
        return [self.run, self.record, self.source]

    @property
    def provenance(self) -> Provenance:
        """The honest run, for somebody else to say again."""
        return Provenance.from_predicate(read_json(self.run.envelope.payload).need("predicate"))

    def assess(
        self,
        evidence: "Evidence | None" = None,
        *,
        artifact: Artifact | None = None,
        policy: Policy | None = None,
        trust: Trust | None = None,
        **more: Any,
    ) -> Report:
        verifier = Verifier(
            policy=policy or policy_of(), trust=trust or trust_of("trainer", "data-team", "developer"), **more
        )
        return verifier.assess(artifact or Model(self.model), self.evidence if evidence is None else evidence)

    def refuses(
        self, error: type[GlasswingError], code: str, evidence: "Evidence | None" = None, **more: Any
    ) -> GlasswingError:
        """Ask for a yes, and give the error that came instead."""
        report = self.assess(evidence, **more)
        assert not report.accepted
        assert report.records(object) == ()
        with pytest.raises(error) as caught:
            report.require()
        assert type(caught.value) is error
        told = caught.value.because if error is NotAccepted else caught.value.code
        assert told == code
        return caught.value


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    found.build()
    return found


def test_the_honest_chain_is_accepted(site: Site) -> None:
    # Without this every refusal below would prove nothing.
    report = site.assess()
    assert report.accepted
    assert report.depth == "transitive"
    assert site.assess([endorse(a, signer=signer(MALLORY)) for a in site.evidence] + site.evidence).accepted


# --- the artifact ----------------------------------------------------------------------------------------------------


def test_artifact_substitution(site: Site) -> None:
    (site.model / "model.safetensors").write_bytes(b"weightz")
    site.refuses(SubjectMismatch, "verification.subject")


def test_artifact_added_to_or_taken_from(site: Site) -> None:
    (site.model / "modeling_evil.py").write_text("import os")
    site.refuses(SubjectMismatch, "verification.subject")
    (site.model / "modeling_evil.py").unlink()
    (site.model / "config.json").unlink()
    site.refuses(SubjectMismatch, "verification.subject")


def test_renaming_swaps_the_contents_of_two_files(site: Site) -> None:
    first, second = site.model / "config.json", site.model / "model.safetensors"
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    site.refuses(SubjectMismatch, "verification.subject")


def test_ignore_list_hides_a_file_from_the_signature(site: Site) -> None:
    # The signer left a path out. Whoever verifies the whole folder sees what lies there, and it is another folder.
    (site.model / "hook.py").write_text("import os")
    signed = attest(Model(site.model, exclude=["hook.py"]), site.provenance, signer=signer("trainer"))
    site.refuses(SubjectMismatch, "verification.subject", [signed, site.record, site.source])
    record = attest(Model(site.model, exclude=["hook.py"]), ModelRecord(name="m"), signer=signer("trainer"))
    assert record.statement_unverified.predicate["tree"]["excluded"] == ["hook.py"]  # type: ignore[index,call-overload]


def test_toctou_exchanges_a_file_after_the_verdict(site: Site) -> None:
    report = site.assess().require()
    (site.model / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(Mismatch) as caught, report.open("model.safetensors") as file:
        file.read()
    assert caught.value.code == "verification.mismatch"


def test_listing_as_file(site: Site) -> None:
    # A trusted team says "clean" of a text file that reads like the listing of a malicious folder.
    poison = site.root / "poison"
    poison.mkdir()
    (poison / "train.csv").write_text("6,6\n")
    listing = Blob(Dataset(poison).measure().listing, name="SHA256SUMS", kind="dataset")
    record = attest(listing, DataRecord(name="iris"), signer=signer("data-team"))
    run = run_record(
        Model(site.model), used(Dataset(poison).measure(), "dataset"), used(Source(site.code).measure(), "code")
    )
    site.refuses(NoMatchingAttestation, "verification.no-match", [run, record, site.source])
    site.refuses(NoMatchingAttestation, "verification.no-match", [record], artifact=Dataset(poison))


# --- digests ---------------------------------------------------------------------------------------------------------


def statement_about(digest: dict[str, str], by: str = "trainer", kind: str = PROVENANCE_V1) -> bytes:
    body = {"buildDefinition": {"buildType": BUILD_TYPE}, "runDetails": {"builder": {"id": BUILDER}}}
    return seal(statement([{"name": "model", "digest": digest}], kind, body), signer(by))


def anything_goes(**expect: str) -> Policy:
    """A policy for the model alone, so that only the attack at hand can fail."""
    rule = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["trainer"]}, "expect": {"builder": BUILDER, **expect}}
    return policy_of(lambda p: p.__setitem__("nodes", {"model": {"require": [rule]}}))


@pytest.mark.parametrize(
    "weak",
    [
        lambda h: {"sha256": h},
        lambda h: {"sha1": h[:40]},
        lambda h: {"gitCommit": h[:40]},
        lambda h: {"gitTree": h},
        lambda h: {"md5": h[:32]},
        lambda h: {"sha256-sharded-10": h},
        lambda h: {"SHA256": h, "DirHash": h},
        lambda h: {"omsRoot": h},
    ],
    ids=["sha256 of the listing", "sha1", "gitCommit", "gitTree", "md5", "sharded", "other case", "oms root"],
)
def test_subject_confusion_and_algorithm_agility(site: Site, weak: Callable[[str], dict[str, str]]) -> None:
    value = Model(site.model).measure().digests.get("dirHash")
    assert value is not None
    assert site.assess([statement_about({"dirHash": value})], policy=anything_goes()).accepted
    report = site.assess([statement_about(weak(value))], policy=anything_goes())
    with pytest.raises((NoMatchingAttestation, SubjectMismatch)) as caught:
        report.require()
    assert caught.value.code in ("verification.no-match", "verification.subject")


@pytest.mark.parametrize(
    "change", [str.upper, lambda h: h[:63], lambda h: f"{h}0", lambda h: f" {h}", lambda h: f"{h}\n"]
)
def test_algorithm_agility_spells_the_digest_in_another_way(site: Site, change: Callable[[str], str]) -> None:
    value = Model(site.model).measure().digests.get("dirHash")
    assert value is not None
    report = site.assess([statement_about({"dirHash": change(value)})], policy=anything_goes())
    assert not report.accepted
    assert report.refused[0].error.code == "malformed.digest"


def test_digest_downgrade_agrees_in_the_weak_and_differs_in_the_strong(tmp_path: Path) -> None:
    weights = tmp_path / "m.gguf"
    weights.write_bytes(b"GGUF")
    both = Model(weights).measure(also=("sha512",))
    own = both.digests.to_dict()
    told = {"md5": "0" * 32, "sha256": "0" * 64, "sha512": own["sha512"]}
    measured = replace(both, digests=DigestSet.of({**own, "md5": "0" * 32}))
    policy = anything_goes()
    verifier = Verifier(policy=policy, trust=trust_of("trainer", "data-team", "developer"))
    for attack in (told, {"md5": "0" * 32}, {"sha512": own["sha512"], "sha256": "0" * 64}):
        report = verifier.assess(measured, [statement_about(attack)])
        with pytest.raises((SubjectMismatch, NoMatchingAttestation)):
            report.require()
    assert verifier.assess(measured, [statement_about({"sha512": own["sha512"]})]).accepted


def test_node_kinds_are_not_exchanged(site: Site) -> None:
    # The dataset's evidence is no evidence for a model of the same bytes, nor the other way round.
    site.refuses(NoMatchingAttestation, "verification.no-match", [site.record], artifact=Model(site.data))
    site.refuses(NoMatchingAttestation, "verification.no-match", [site.run], artifact=Dataset(site.model))
    site.refuses(NotAccepted, "chain.no-rule", artifact=File(site.model / "config.json"))


# --- statements ------------------------------------------------------------------------------------------------------


def test_predicate_confusion_offers_another_statement_by_a_trusted_key(site: Site) -> None:
    for predicate in (
        ModelRecord(name="m"),
        Said(predicate_type="https://in-toto.io/attestation/test-result/v0.1", body={}),
    ):
        other = attest(Model(site.model), predicate, signer=signer("trainer"))
        site.refuses(NoMatchingAttestation, "verification.no-match", [other, site.record, site.source])


@pytest.mark.parametrize(
    ("payload_type", "kind"),
    [
        ("application/json", "https://in-toto.io/Statement/v1"),
        ("application/vnd.in-toto+json", "https://evil.example/v1"),
    ],
    ids=["payloadType", "_type"],
)
def test_predicate_confusion_swaps_the_outer_types(site: Site, payload_type: str, kind: str) -> None:
    payload = site.run.envelope.payload.replace(b"https://in-toto.io/Statement/v1", kind.encode())
    forged = seal(payload, signer("trainer"), payload_type)
    report = site.assess([forged, site.record, site.source])
    assert {r.error.code for r in report.refused} <= {"unsupported.payload-type", "unsupported.statement-type"}
    site.refuses(NoMatchingAttestation, "verification.no-match", [forged, site.record, site.source])


def test_unsigned_link_injection_drops_a_bare_statement(site: Site) -> None:
    poison = Blob(b"poison", name="poison")
    unsigned = attest(poison, DataRecord(name="iris"), signer=signer(MALLORY)).envelope.payload
    run = run_record(Model(site.model), used(poison.measure(), "dataset"), used(Source(site.code).measure(), "code"))
    for dropped in (
        unsigned,
        json.dumps(
            {"payload": base64.b64encode(unsigned).decode(), "payloadType": "application/vnd.in-toto+json"}
        ).encode(),
        json.dumps(
            {
                "payload": base64.b64encode(unsigned).decode(),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [],
            }
        ).encode(),
    ):
        site.refuses(NoMatchingAttestation, "verification.no-match", [run, site.record, site.source, dropped])


def test_link_rewriting_after_signing(site: Site) -> None:
    plain = json.loads(site.run.bytes)
    payload = base64.b64decode(plain["dsseEnvelope"]["payload"])
    other = Dataset(site.data).measure().digests.get("dirHash") or ""
    plain["dsseEnvelope"]["payload"] = base64.b64encode(payload.replace(other.encode(), b"0" * 64)).decode()
    site.refuses(SignatureInvalid, "verification.signature", [json.dumps(plain).encode(), site.record, site.source])


def test_first_match_steering_sorts_a_false_record_first(site: Site) -> None:
    poison = Blob(b"poison", name="aaa").measure()
    false = [
        run_record(Model(site.model), used(poison, "dataset"), invocation_id="urn:0"),
        run_record(Model(site.model), used(poison, "dataset"), by=MALLORY),
        attest(Dataset(site.data), DataRecord(name="aaa"), signer=signer(MALLORY)),
    ]
    assert site.assess([*false, *site.evidence]).accepted
    site.refuses(NotAccepted, "policy.inputs", [*false, site.record, site.source])


def test_json_differential(site: Site) -> None:
    # Two readers, two meanings: a second `subject`, seen by whoever takes the last one.
    payload = site.run.envelope.payload
    subjects = json.dumps([{"name": "m", "digest": {"sha256": "0" * 64}}]).encode()
    for twice, code in (
        (payload[:-1] + b',"subject":' + subjects + b"}", "malformed.duplicate-key"),
        (payload[:-1] + b',"predicate":{}}', "malformed.duplicate-key"),
        (payload.replace(b'"subject"', b'"\\u0073ubject":[],"subject"'), "malformed.duplicate-key"),
        (payload[:-1] + b',"n":NaN}', "malformed.number"),
        (payload + b"\n{}", "malformed.json"),
        (b"\xef\xbb\xbf" + payload, "malformed.json"),
    ):
        report = site.assess([seal(twice, signer("trainer")), site.record, site.source])
        assert not report.accepted
        assert [r.error.code for r in report.refused] == [code]


def test_unknown_enum_is_not_a_default(site: Site) -> None:
    # A result that this version does not know must not be read as one that it does.
    def judged(result: object) -> Report:
        body = {"verifier": {"id": "https://v.example"}, "resourceUri": "x:y", "verificationResult": result}
        vsa = attest(Source(site.code), Said(predicate_type=SUMMARY_V1, body=body), signer=signer("developer"))
        return site.assess([site.run, site.record, vsa], policy=source_policy("https://v.example", "x:y"))

    for result in ("PASSED_2", "VERIFICATION_RESULT_UNSPECIFIED", "", 1, None):
        report = judged(result)
        assert not report.accepted
        assert report.refused[0].error.where == "$.predicate.verificationResult"
    bad = attest(
        Dataset(site.data),
        Said(predicate_type=DataRecord.predicate_type, body={"name": "iris", "consent": "CONSENT_OBTAINED_2"}),
        signer=signer("data-team"),
    )
    report = site.assess([site.run, bad, site.source])
    assert not report.accepted
    assert report.refused[0].error.code == "malformed.field"


def source_policy(verifier: str, resource: str, name: str = "developer") -> Policy:
    """The honest policy, but code is vouched for by a source verifier."""
    rule = {
        "predicate": SUMMARY_V1,
        "signed_by": {"any_of": [name]},
        "expect": {"verifier": verifier, "resource": resource},
    }
    return policy_of(lambda p: p["nodes"]["code"].__setitem__("require", [rule]))


# --- signers ---------------------------------------------------------------------------------------------------------


def test_self_asserted_trust_brings_its_own_key(site: Site) -> None:
    forged = attest(Model(site.model), site.provenance, signer=signer(MALLORY))
    plain = json.loads(forged.bytes)
    key = base64.b64encode(signer(MALLORY).public_key.der).decode()
    plain["verificationMaterial"]["publicKey"] = {"hint": signer("trainer").public_key.hint, "rawBytes": key}
    with_key = json.dumps(plain).encode()
    site.refuses(SignatureInvalid, "verification.signature", [with_key, site.record, site.source])
    plain["verificationMaterial"] = {"certificate": {"rawBytes": key}}
    report = site.assess([json.dumps(plain).encode(), site.record, site.source])
    assert not report.accepted
    assert report.refused[0].error.code == "malformed.pem"
    certified = attest(Model(site.model), site.provenance, signer=VirtualSigstore().signer("trainer"))
    site.refuses(CertificateUntrusted, "verification.certificate", [certified, site.record, site.source])
    site.refuses(KeyUntrusted, "verification.key-untrusted", [forged, site.record, site.source])


def test_policy_beside_the_evidence_is_not_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = site.root / "evidence"
    folder.mkdir()
    attest(Model(site.model), site.provenance, signer=signer(MALLORY)).write(folder / "run.json")
    for each in (site.record, site.source):
        each.write(folder / f"{each.payload_digest}.json")
    own = Trust.of(trainer=signer(MALLORY).public_key)
    for name in ("policy.json", "policy.yaml", ".glasswing.json"):
        (folder / name).write_bytes(policy_of().to_json())
    for name in ("trust.json", "trust.yaml"):
        (folder / name).write_bytes(own.to_json())
    monkeypatch.chdir(folder)
    site.refuses(KeyUntrusted, "verification.key-untrusted", folder)
    assert site.assess([folder, site.run]).accepted


def test_verifier_self_attestation_and_other_roles_out_of_place(site: Site) -> None:
    # Each is trusted for one thing, and says another.
    by_data_team = attest(Model(site.model), site.provenance, signer=signer("data-team"))
    site.refuses(NotAccepted, "policy.signed-by", [by_data_team, site.record, site.source])
    by_trainer = attest(Dataset(site.data), DataRecord(name="iris"), signer=signer("trainer"))
    site.refuses(NotAccepted, "policy.signed-by", [site.run, by_trainer, site.source])


def test_self_certified_source(site: Site) -> None:
    body = {
        "verifier": {"id": "https://v.example"},
        "resourceUri": "git+https://github.com/acme/train",
        "verificationResult": "PASSED",
    }
    policy = source_policy("https://v.example", "git+https://github.com/acme/train")

    def by(name: str, **changes: object) -> list[Attestation]:
        said = Said(predicate_type=SUMMARY_V1, body={**body, **changes})
        return [site.run, site.record, attest(Source(site.code), said, signer=signer(name))]

    assert site.assess(by("developer"), policy=policy).accepted
    site.refuses(NotAccepted, "policy.signed-by", by("trainer"), policy=policy)
    site.refuses(NotAccepted, "policy.expect", by("developer", verifier={"id": "https://me.example"}), policy=policy)


def test_cross_tenant_replay(site: Site) -> None:
    # The same commit lives in a fork; a summary for the fork is valid, and says nothing of this repository.
    body = {
        "verifier": {"id": "https://v.example"},
        "resourceUri": "git+https://github.com/fork/train",
        "verificationResult": "PASSED",
    }
    vsa = attest(Source(site.code), Said(predicate_type=SUMMARY_V1, body=body), signer=signer("developer"))
    ours = source_policy("https://v.example", "git+https://github.com/acme/train")
    site.refuses(NotAccepted, "policy.expect", [site.run, site.record, vsa], policy=ours)
    theirs = source_policy("https://v.example", "git+https://github.com/fork/train")
    site.refuses(NotAccepted, "chain.scope", [site.run, site.record, vsa], policy=theirs)


def test_builder_impersonation(site: Site) -> None:
    # The trusted builder's name under another key, and the trusted key under another builder's name.
    run = site.provenance
    other_key = attest(Model(site.model), run, signer=signer("developer"))
    site.refuses(NotAccepted, "policy.signed-by", [other_key, site.record, site.source])
    for builder in ("https://ci.example/trainer/", "https://ci.example/trainer-dev", "HTTPS://ci.example/trainer"):
        other_name = attest(Model(site.model), replace(run, builder_id=builder), signer=signer("trainer"))
        site.refuses(NotAccepted, "policy.expect", [other_name, site.record, site.source])


def two_of_three(plain: dict[str, Any]) -> None:
    rule = {"threshold": 2, "of": ["trainer", "developer", "data-team"], "over": "same_statement"}
    plain["nodes"]["model"]["require"][0]["signed_by"] = rule


def test_key_compromise_does_not_reach_a_threshold(site: Site) -> None:
    policy = policy_of(two_of_three)
    stolen = [endorse(site.run, signer=signer("trainer")) for _ in range(3)]
    site.refuses(NotAccepted, "policy.threshold", [*stolen, *site.evidence], policy=policy)
    assert site.assess([endorse(site.run, signer=signer("developer")), *site.evidence], policy=policy).accepted


def test_two_keys_one_person(site: Site) -> None:
    # The trainer's key stands in the trust under the developer's name as well.
    key = signer("trainer").public_key
    trust = Trust.of({"trainer": key, "developer": key, "data-team": signer("data-team").public_key})

    def rules(plain: dict[str, Any]) -> None:
        two_of_three(plain)
        plain["nodes"]["code"]["require"][0]["signed_by"] = {"any_of": ["trainer"]}

    source = attest(Source(site.code), CodeRecord(name="train"), signer=signer("trainer"))
    evidence: list[Attestation | bytes] = [
        site.run,
        bare(site.run, site.run, keyids=("trainer", "developer")),
        site.record,
        source,
    ]
    site.refuses(NotAccepted, "policy.threshold", evidence, policy=policy_of(rules), trust=trust)


def test_dsse_multi_signature_games(site: Site) -> None:
    rest = [site.record, site.source]
    rogue = endorse(site.run, signer=signer(MALLORY))
    assert site.assess([bare(rogue, site.run), *rest]).accepted
    site.refuses(KeyUntrusted, "verification.key-untrusted", [bare(rogue, rogue, keyids=("trainer", "x")), *rest])
    policy = policy_of(two_of_three)
    twice = bare(site.run, site.run, rogue, keyids=("trainer", "developer", "data-team"))
    site.refuses(NotAccepted, "policy.threshold", [twice, *rest], policy=policy)


def test_expired_identity(site: Site) -> None:
    now = datetime.now(UTC)
    others = tuple(k for k in trust_of("data-team", "developer").keys)

    def windowed(*, valid_from: datetime | None = None, valid_until: datetime | None = None) -> Trust:
        key = signer("trainer").public_key
        return Trust(
            keys=(TrustedKey(name="trainer", key=key, valid_from=valid_from, valid_until=valid_until), *others)
        )

    assert site.assess(trust=windowed(valid_until=now + timedelta(days=1))).accepted
    site.refuses(OutsideValidity, "verification.outside-validity", trust=windowed(valid_until=now - timedelta(days=1)))
    site.refuses(OutsideValidity, "verification.outside-validity", trust=windowed(valid_from=now + timedelta(days=1)))


# --- the chain -------------------------------------------------------------------------------------------------------


def test_mix_and_match_of_two_honest_runs(site: Site) -> None:
    # The provenance of another model, the records of this one: nothing joins them but the attacker's wish.
    other = site.root / "other"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"other")
    run = attest(Model(other, name="model"), site.provenance, signer=signer("trainer"))
    site.refuses(SubjectMismatch, "verification.subject", [run, site.record, site.source])


def test_shared_invocation_id(site: Site) -> None:
    # Two jobs of one run: one used the data, the other the code. Together they would look complete.
    data, code = site.provenance.resolved_dependencies
    jobs = [
        attest(Model(site.model), replace(site.provenance, resolved_dependencies=(one,)), signer=signer("trainer"))
        for one in (data, code)
    ]
    assert len({json.dumps(j.statement_unverified.predicate["runDetails"]) for j in jobs}) == 1
    site.refuses(NotAccepted, "policy.inputs", [*jobs, site.record, site.source])


def test_incomplete_materials_leave_the_poison_out(site: Site) -> None:
    _, code = site.provenance.resolved_dependencies
    run = attest(Model(site.model), replace(site.provenance, resolved_dependencies=(code,)), signer=signer("trainer"))
    site.refuses(NotAccepted, "policy.inputs", [run, site.record, site.source])


def test_role_laundering(site: Site) -> None:
    poison = Blob(b"poison", name="poison").measure()
    honest = site.provenance.resolved_dependencies
    for role in ("tool", "dependency", "helper", None):
        named = replace(site.provenance, resolved_dependencies=(*honest, used(poison, role)))
        run = attest(Model(site.model), named, signer=signer("trainer"))
        site.refuses(NotAccepted, "chain.no-rule", [run, site.record, site.source])


def test_suppression_of_a_parents_evidence(site: Site) -> None:
    for missing in site.evidence:
        rest = [a for a in site.evidence if a is not missing]
        site.refuses(NoMatchingAttestation, "verification.no-match", rest)
    # Each claim is asked for; that something bad was not said is worth nothing.
    checked = {"predicate": "https://x.example/scan/v1", "signed_by": {"any_of": ["developer"]}}
    policy = policy_of(lambda p: p["nodes"]["dataset"]["require"].append(checked))
    site.refuses(NoMatchingAttestation, "verification.no-match", policy=policy, predicates=readers_of(policy))


def test_cycle(site: Site) -> None:
    run = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["trainer"]}, "expect": {"builder": BUILDER}}
    policy = policy_of(lambda p: p.__setitem__("nodes", {"dataset": {"require": [run]}, "model": {"require": [run]}}))
    a, b = Blob(b"a", name="a", kind="dataset").measure(), Blob(b"b", name="b", kind="dataset").measure()
    ring = [run_record(a, used(b, "dataset")), run_record(b, used(a, "dataset"))]
    model = run_record(Model(site.model), used(a, "dataset"))
    found = site.refuses(NotAccepted, "chain.cycle", [model, *ring], policy=policy)
    assert found.found == "a ← b ← a"


def test_resource_exhaustion(site: Site) -> None:
    bomb = json.loads(site.run.bytes)
    bomb["dsseEnvelope"]["signatures"] *= 40
    deep = b"[" * 100_000
    wide = b'{"mediaType":"x","a":[' + b"0," * 1_100_000 + b"0]}"
    for item in (json.dumps(bomb).encode(), deep, wide):
        assert site.assess([item, *site.evidence]).accepted
        assert site.assess([item, *site.evidence[1:]]).refused[0].error.code in ("limit", "malformed.field")
    report = site.assess(limits=Limits(nodes=2))
    assert report.verdict == "undecided"
    with pytest.raises(LimitError) as caught:
        report.require()
    assert caught.value.code == "limit"
    assert site.assess([b"%d" % n for n in range(10_001)]).verdict == "undecided"


# --- time ------------------------------------------------------------------------------------------------------------

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STARTED = (datetime.now(UTC) - 400 * DAY).replace(microsecond=0)
FINISHED = STARTED + HOUR
PEOPLE = ("trainer", "data-team", "developer")


@dataclass
class Watched:
    """The honest place, where a Sigstore witnesses when people sign: with keys of their own, or with certificates."""

    site: Site
    keyless: bool
    log: Literal["v1", "v2"] = "v2"
    sigstore: VirtualSigstore = field(default_factory=lambda: VirtualSigstore(clock=Clock(STARTED - 30 * DAY)))

    def who(self, name: str) -> Identity:
        return f"{name}@example.com" if self.keyless else signer(name)

    @property
    def policy(self) -> Policy:
        def change(plain: dict[str, Any]) -> None:
            del plain["times"]
            if self.keyless:
                issuer = "https://issuer.example"
                plain["identities"] = {n: {"issuer": issuer, "san": f"{n}@example.com"} for n in PEOPLE}

        return policy_of(change)

    def trust(self, *, until: datetime | None = None, listed: bool = False) -> Trust:
        """The Sigstore, and the keys with it as their witness; `until` ends the trainer's, `listed` asks for a list."""
        witness = Witness(root=self.sigstore.name, logs=1, times=1)
        keys = [
            TrustedKey(
                name=name,
                key=signer(name).public_key,
                witness=witness,
                valid_until=until if name == "trainer" else None,
            )
            for name in (() if self.keyless else PEOPLE)
        ]
        security = TrustedKey(name="security", key=signer("security").public_key)
        trust = self.sigstore.trust(keys=[*keys, security])
        return replace(trust, revocation_signers=("security",)) if listed else trust

    def signer(self, name: str, at: datetime, **how: Any) -> VirtualSigner:
        self.sigstore.clock.set(at)
        how.setdefault("log", self.log)
        return self.sigstore.signer(self.who(name), **how)

    def records(self, *, data: datetime = STARTED, code: datetime = STARTED) -> list[Attestation]:
        """The inputs' records, each signed at its time."""
        return [
            attest(Dataset(self.site.data), DataRecord(name="iris"), signer=self.signer("data-team", data)),
            attest(Source(self.site.code), CodeRecord(name="train"), signer=self.signer("developer", code)),
        ]

    def run(self, at: datetime = FINISHED, *, by: str = "trainer", **how: Any) -> Attestation:
        """The run, which started and finished at the honest times, signed at this one."""
        said = replace(self.site.provenance, started_on=STARTED, finished_on=FINISHED)
        return attest(Model(self.site.model), said, signer=self.signer(by, at, **how))

    def stamped_anew(self, attestation: Attestation, at: datetime) -> bytes:
        """The same signature under a new stamp: anybody can get one, without any key."""
        self.sigstore.clock.set(at)
        plain = json.loads(attestation.bytes)
        (signature,) = attestation.envelope.signatures
        stamp = base64.b64encode(self.sigstore.clocks[0].stamp(signature.sig)).decode()
        plain["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": stamp}]}
        return json.dumps(plain).encode()

    def assess(self, evidence: Evidence, **more: Any) -> Report:
        more.setdefault("trust", self.trust())
        return self.site.assess(evidence, policy=self.policy, **more)

    def refuses(self, error: type[GlasswingError], code: str, evidence: Evidence, **more: Any) -> GlasswingError:
        more.setdefault("trust", self.trust())
        return self.site.refuses(error, code, evidence, policy=self.policy, **more)


@pytest.fixture(params=["keys, Rekor v1", "keys, Rekor v2", "certificates, Rekor v1", "certificates, Rekor v2"])
def watched(site: Site, request: pytest.FixtureRequest) -> Watched:
    how = str(request.param)
    return Watched(site, keyless=how.startswith("certificates"), log="v1" if how.endswith("v1") else "v2")


def test_post_hoc_provenance(watched: Watched) -> None:
    # The dataset was attested only after it had been used, to complete the chain.
    run = watched.run()
    assert watched.assess([run, *watched.records()]).accepted
    for late in (timedelta(seconds=1), 365 * DAY):
        for when in ({"data": STARTED + late}, {"code": STARTED + late}):
            watched.refuses(NotAccepted, "chain.causality", [run, *watched.records(**when)])
    # Whoever leaves the witnesses out has no time at all, and one who has none is not believed.
    code = watched.records()[1]
    for how, error, told in (
        ({"log": None}, NotLogged, "verification.not-logged"),
        ({"log": "v2", "stamps": 0}, TimeUnproven, "verification.time-unproven"),
    ):
        late_one = watched.signer("data-team", FINISHED + DAY, **how)
        data = attest(Dataset(watched.site.data), DataRecord(name="iris"), signer=late_one)
        watched.refuses(error, told, [run, data, code])


def test_post_hoc_provenance_without_any_witness(site: Site) -> None:
    site.refuses(TimeUnproven, "verification.time-unproven", policy=policy_of(lambda p: p.pop("times")))


def test_re_stamped_run(watched: Watched) -> None:
    # The run is signed again, later than the dataset's record. What counts is when the run says it started.
    late = watched.records(data=STARTED + DAY)
    runs: list[Attestation | bytes] = [watched.run(), watched.run(STARTED + 2 * DAY), watched.run(STARTED + 365 * DAY)]
    for run in runs:
        watched.refuses(NotAccepted, "chain.causality", [run, *late])
    watched.refuses(NotAccepted, "chain.causality", [*runs, *late])
    assert watched.assess([*runs, *late, *watched.records()]).accepted


def test_re_stamped_run_by_somebody_without_a_key(watched: Watched) -> None:
    # Nobody can be kept from stamping a signature again. A key may be old by then; a certificate has long expired.
    run, late = watched.run(), watched.records(data=STARTED + DAY)
    again = watched.stamped_anew(run, STARTED + 2 * DAY)
    if watched.keyless:
        watched.refuses(OutsideValidity, "verification.outside-validity", [again, *watched.records()])
        watched.refuses(OutsideValidity, "verification.outside-validity", [again, *late])
    else:
        assert watched.assess([again, *watched.records()]).accepted
        watched.refuses(NotAccepted, "chain.causality", [again, *late])
    watched.refuses(NotAccepted, "chain.causality", [run, again, *late])


def test_a_run_is_not_stamped_before_it_ended(watched: Watched) -> None:
    # Made up beforehand: it tells of an end that nobody could know yet.
    for early in (FINISHED - timedelta(seconds=1), STARTED - DAY):
        watched.refuses(NotAccepted, "policy.times", [watched.run(early), *watched.records(data=STARTED - 2 * DAY)])


def test_expired_certificate(site: Site) -> None:
    watched = Watched(site, keyless=True)
    rest = watched.records()
    life = timedelta(minutes=10)
    gone = LeafOptions(starts=-life - timedelta(seconds=1), lifetime=life)
    edge = LeafOptions(starts=-life, lifetime=life)
    unborn = LeafOptions(starts=timedelta(seconds=1), lifetime=life)
    assert watched.assess([watched.run(leaf=edge), *rest]).accepted
    for leaf in (gone, unborn):
        watched.refuses(OutsideValidity, "verification.outside-validity", [watched.run(leaf=leaf), *rest])
    # Years later it is still good for what was signed in its life: `at` does not matter, and does not help either.
    for at in (FINISHED, FINISHED + 300 * DAY):
        verifier = Verifier(policy=watched.policy, trust=watched.trust())
        assert verifier.assess(Model(site.model), [watched.run(), *rest], at=at).accepted
        report = verifier.assess(Model(site.model), [watched.run(leaf=gone), *rest], at=at)
        assert [r.error.code for r in report.refused] == ["verification.outside-validity"]
        assert report.verdict == "refused"


@pytest.mark.parametrize(
    ("retired", "error", "code"),
    [
        ("authorities", OutsideValidity, "verification.outside-validity"),
        ("ct_logs", CertificateUntrusted, "verification.certificate"),
        ("logs", OutsideValidity, "verification.outside-validity"),
        ("clocks", OutsideValidity, "verification.outside-validity"),
    ],
)
def test_expired_service(site: Site, retired: str, error: type[GlasswingError], code: str) -> None:
    # A service of the Sigstore was retired just before the run was signed; what it held before is still good.
    watched = Watched(site, keyless=True)
    evidence = [watched.run(), *watched.records(data=STARTED - DAY, code=STARTED - DAY)]
    for end, good in ((FINISHED, True), (FINISHED - timedelta(seconds=1), False)):
        for service in getattr(watched.sigstore, retired):
            service.window = Window(start=STARTED - 60 * DAY, end=end)
        if good:
            assert watched.assess(evidence).accepted
            continue
        watched.refuses(error, code, evidence)
        assert len(watched.assess(evidence).refused) == 1


def test_key_compromise_signs_in_the_past(site: Site) -> None:
    # The key was stolen and its window closed. The thief writes any time she likes into the run; the witness does not.
    watched = Watched(site, keyless=False)
    rest, trust = watched.records(), watched.trust(until=FINISHED)
    assert watched.assess([watched.run(FINISHED), *rest], trust=trust).accepted
    for late in (FINISHED + timedelta(seconds=1), FINISHED + 300 * DAY):
        run = watched.run(late)
        watched.refuses(OutsideValidity, "verification.outside-validity", [run, *rest], trust=trust)
        verifier = Verifier(policy=watched.policy, trust=trust)
        assert not verifier.assess(Model(site.model), [run, *rest], at=FINISHED).accepted
    watched.refuses(NotLogged, "verification.not-logged", [watched.run(log=None), *rest], trust=trust)


# --- revocation ------------------------------------------------------------------------------------------------------


def revoking(
    *entries: Revocation, by: str = "security", version: int = 7, age: timedelta = HOUR, life: timedelta = DAY
) -> bytes:
    """A list that was issued so long ago, for so long."""
    issued = datetime.now(UTC).replace(microsecond=0) - age
    document = RevocationList.of(entries, version=version, issued=issued, expires=issued + life)
    return signer(by).seal(document.to_json(), REVOCATIONS_TYPE)


def the_trainer(watched: Watched, since: datetime, *types: str) -> Revocation:
    entry = Revocation(since=since, predicate_types=types, reason="left", key=signer("trainer").public_key.fingerprint)
    issuer = "https://issuer.example"
    return replace(entry, key="", issuer=issuer, san="trainer@example.com") if watched.keyless else entry


def test_revoked_identity_or_key(watched: Watched) -> None:
    rest, run = watched.records(), watched.run()
    listed = watched.trust(listed=True)

    def told(since: datetime, *types: str) -> dict[str, Any]:
        return {"trust": listed, "revocations": revoking(the_trainer(watched, since, *types))}

    # What a witness saw before the revocation stands; what was signed at that time or later falls.
    assert watched.assess([run, *rest], **told(FINISHED + timedelta(seconds=1))).accepted
    for since in (FINISHED, FINISHED - timedelta(seconds=1), STARTED - 365 * DAY):
        watched.refuses(Revoked, "verification.revoked", [run, *rest], **told(since))
        report = watched.assess([run, *rest], **told(since))
        assert [(r.error.code, r.error.because) for r in report.refused] == [("verification.revoked", "left")]
    # Who left signs once more, and says that it was long ago; the honest signature beside it is not harmed.
    later = watched.run(FINISHED + DAY)
    watched.refuses(Revoked, "verification.revoked", [later, *rest], **told(FINISHED + HOUR))
    assert watched.assess([later, run, *rest], **told(FINISHED + HOUR)).accepted
    # A revocation can be for some types alone.
    watched.refuses(Revoked, "verification.revoked", [run, *rest], **told(FINISHED, PROVENANCE_V1))
    assert watched.assess([run, *rest], **told(FINISHED, SUMMARY_V1)).accepted


def test_revoked_key_whose_signatures_nobody_witnessed(site: Site) -> None:
    # A time that is only claimed is no time against a revocation, however late that is.
    trust = replace(trust_of(*PEOPLE, "security"), revocation_signers=("security",))
    someday = Revocation(since=datetime.now(UTC) + 365 * DAY, key=signer("trainer").public_key.fingerprint)
    site.refuses(Revoked, "verification.revoked", trust=trust, revocations=revoking(someday))
    assert site.assess(trust=trust, revocations=revoking()).accepted


def test_revocation_is_not_escaped_by_another_wrapping(site: Site) -> None:
    # The same signature in a bare envelope, or under a second name of the same key.
    key = signer("trainer").public_key
    trust = replace(
        Trust.of({"trainer": key, "deputy": key, **{n: signer(n).public_key for n in (*PEOPLE[1:], "security")}}),
        revocation_signers=("security",),
    )
    revocations = revoking(Revocation(since=FINISHED, key=key.fingerprint))
    for wrapped in (bare(site.run), bare(site.run, keyids=["deputy"]), endorse(site.run, signer=signer("trainer"))):
        evidence: list[Attestation | bytes] = [wrapped, site.record, site.source]
        assert site.assess(evidence, trust=trust, revocations=revoking()).accepted
        site.refuses(Revoked, "verification.revoked", evidence, trust=trust, revocations=revocations)


def test_revocation_withheld_or_rolled_back(watched: Watched) -> None:
    evidence = [watched.run(), *watched.records()]
    trust = watched.trust(listed=True)
    entry = the_trainer(watched, FINISHED)
    old, new = revoking(version=6), revoking(entry, version=7)
    assert watched.assess(evidence, trust=trust, revocations=old).accepted  # the one that she would like to be shown
    watched.refuses(Revoked, "verification.revoked", evidence, trust=trust, revocations=new, revocations_seen=6)
    stripped = json.loads(old)
    stripped["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    for served, seen in (
        (None, 0),  # withheld
        (b"", 0),
        (b"{}", 0),
        (old, 7),  # rolled back
        (revoking(version=8, age=2 * DAY), 7),  # expired
        (revoking(version=8, age=-HOUR), 7),  # not yet issued
        (revoking(version=8, by=MALLORY), 7),  # her own
        (revoking(version=8, by="trainer"), 7),  # of somebody who is trusted, but not for this
        (json.dumps(stripped).encode(), 0),
        (evidence[0], 0),  # something else that is signed
    ):
        more = {"trust": trust, "revocations": served, "revocations_seen": seen}
        watched.refuses(RevocationsUnavailable, "unavailable.revocations", evidence, **more)
        assert watched.assess(evidence, **more).verdict == "undecided"


# --- roots -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certificate", "promise", "log", "clock", "error", "code"),
    [
        ("one", "one", "two", "two", NotLogged, "verification.not-logged"),
        ("one", "one", "two", "one", NotLogged, "verification.not-logged"),
        ("one", "one", "one", "two", TimeUnproven, "verification.time-unproven"),
        ("one", "two", "one", "one", CertificateUntrusted, "verification.certificate"),
        ("two", "one", "one", "one", CertificateUntrusted, "verification.certificate"),
        ("two", "two", "one", "one", CertificateUntrusted, "verification.certificate"),
        ("two", "two", "two", "two", NotAccepted, "policy.signed-by"),
    ],
)
def test_trust_root_mixing(
    site: Site, certificate: str, promise: str, log: str, clock: str, error: type[GlasswingError], code: str
) -> None:
    # Two roots are trusted, the second for something else, and Mallory owns it. A proof takes all from one root.
    roots = {name: VirtualSigstore(name, clock=Clock(STARTED - 30 * DAY)) for name in ("one", "two")}
    watched = Watched(site, keyless=True, sigstore=roots["one"])
    evidence = [watched.run(), *watched.records()]
    trust = Trust(roots=tuple(sigstore.root() for sigstore in roots.values()))

    def pinned(plain: dict[str, Any]) -> None:
        del plain["times"]
        plain["identities"] = {
            n: {"issuer": "https://issuer.example", "san": f"{n}@example.com", "root": "one"} for n in PEOPLE
        }

    policy = policy_of(pinned)
    assert site.assess(evidence, policy=policy, trust=trust).accepted
    for sigstore in roots.values():
        sigstore.clock.set(FINISHED)
    mixed = roots[certificate].signer(
        "trainer@example.com",
        log=roots[log].log("v2"),
        stamps=roots[clock].clocks,
        leaf=LeafOptions(ct_logs=roots[promise].ct_logs),
    )
    said = replace(site.provenance, started_on=STARTED, finished_on=FINISHED)
    forged = attest(Model(site.model), said, signer=mixed)
    site.refuses(error, code, [forged, *evidence[1:]], policy=policy, trust=trust)
    assert site.assess([forged, *evidence], policy=policy, trust=trust).accepted


@pytest.mark.parametrize(
    ("log", "clock", "error", "code"),
    [
        ("two", "two", NotLogged, "verification.not-logged"),
        ("two", "one", NotLogged, "verification.not-logged"),
        ("one", "two", TimeUnproven, "verification.time-unproven"),
    ],
)
def test_trust_root_mixing_of_a_keys_witnesses(
    site: Site, log: str, clock: str, error: type[GlasswingError], code: str
) -> None:
    # The key's witnesses are to come from one root; the other's, whose clock says what Mallory likes, are none.
    roots = {name: VirtualSigstore(name, clock=Clock(STARTED - 30 * DAY)) for name in ("one", "two")}
    watched = Watched(site, keyless=False, sigstore=roots["one"])
    evidence = [watched.run(), *watched.records()]
    trust = watched.trust(until=FINISHED)
    trust = replace(trust, roots=(*trust.roots, roots["two"].root()))
    assert watched.assess(evidence, trust=trust).accepted
    roots["one"].clock.set(FINISHED + DAY)  # the key was stolen since; the second clock is set back
    roots["two"].clock.set(FINISHED)
    mixed = roots["one"].signer(signer("trainer"), log=roots[log].log("v2"), stamps=roots[clock].clocks)
    said = replace(site.provenance, started_on=STARTED, finished_on=FINISHED)
    forged = attest(Model(site.model), said, signer=mixed)
    watched.refuses(error, code, [forged, *evidence[1:]], trust=trust)


def test_trust_root_rollback(site: Site) -> None:
    # An old trust file still knows a key that has been taken out since. It ends on a day, whatever `at` says.
    old = replace(trust_of(*PEOPLE), expires=datetime.now(UTC) - HOUR)
    verifier = Verifier(policy=policy_of(), trust=old)
    for at in (None, datetime.now(UTC) - DAY):
        with pytest.raises(TrustExpired) as caught:
            verifier.assess(Model(site.model), site.evidence, at=at)
        assert caught.value.code == "unavailable.trust-expired"
    assert site.assess(trust=replace(old, expires=datetime.now(UTC) + HOUR)).accepted


# --- capture ---------------------------------------------------------------------------------------------------------


def test_inputs_changed_during_the_run(site: Site) -> None:
    run = Build(BUILDER, build_type=BUILD_TYPE)

    def swapped() -> None:
        with run:
            run.use(Dataset(site.data), role="dataset")
            (site.data / "train.csv").write_text("6,6\n")

    with pytest.raises(InputsChanged) as caught:
        swapped()
    assert caught.value.code == "artifact.inputs-changed"
    with pytest.raises(BuildIncomplete):
        run.provenance()


def test_code_changed_during_the_run(site: Site) -> None:
    # The commit stays what it was; the code that ran does not.
    run = Build(BUILDER, build_type=BUILD_TYPE)

    def edited() -> None:
        with run:
            run.use(Source(site.code), role="code")
            (site.code / "train.py").write_text("evil()\n")

    with pytest.raises(InputsChanged) as caught:
        edited()
    assert caught.value.code == "artifact.inputs-changed"


def test_hostile_checkout_runs_nothing_and_hides_nothing(site: Site) -> None:
    trap = site.root / "trap"
    command = f"touch {trap}; cat"
    for setting in ("core.fsmonitor", "filter.x.clean", "filter.x.smudge", "core.sshCommand", "diff.external"):
        site.git("config", setting, command)
    site.git("config", "core.hooksPath", str(site.root / "hooks"))
    (site.code / ".git" / "info" / "attributes").write_text("* filter=x\n")
    site.git("update-index", "--assume-unchanged", "train.py")
    trap.unlink(missing_ok=True)  # git itself falls for it, which is why it is not asked
    (site.code / "train.py").write_text("evil()\n")
    with pytest.raises(SourceRefused) as caught:
        attest(Source(site.code), CodeRecord(name="train"), signer=signer("developer"))
    assert caught.value.code == "artifact.source.dirty"
    site.refuses(NotAccepted, "policy.dirty", artifact=Source(site.code))
    assert not trap.exists()


def test_a_stranger_with_everything_but_a_key(site: Site) -> None:
    # All at once: a whole chain of her own, perfect but for who signed it.
    mallory = KeySigner.generate("ed25519")
    (site.model / "model.safetensors").write_bytes(b"evil")
    evidence = [
        attest(Dataset(site.data), DataRecord(name="iris"), signer=mallory),
        attest(Source(site.code), CodeRecord(name="train"), signer=mallory),
        attest(Model(site.model), site.provenance, signer=mallory),
    ]
    site.refuses(KeyUntrusted, "verification.key-untrusted", [*evidence, *site.evidence])
