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
from typing import Any

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
    OutsideValidity,
    SignatureInvalid,
    SourceRefused,
    SubjectMismatch,
    TimeUnproven,
)
from glasswing_attest.limits import Limits
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, Provenance
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.store import Evidence
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.verification import timestamps
from glasswing_attest.verification.timestamps import VerifiedTimes, WitnessedTime
from glasswing_attest.verification.transparency import LoggedSignature
from tests.chains import Said, bare, policy_of, run_record, seal, signer, statement, trust_of, used

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
    digest = Model(weights).measure().digests
    both = Model(weights).measure()
    told = {"md5": "0" * 32, "sha256": "0" * 64, "sha512": "1" * 128}
    declared = replace(both, digests=DigestSet.of({**digest.to_dict(), "md5": "0" * 32, "sha512": "1" * 128}))
    policy = anything_goes()
    verifier = Verifier(policy=policy, trust=trust_of("trainer", "data-team", "developer"))
    for attack in (told, {"md5": "0" * 32}, {"sha512": "1" * 128, "sha256": "0" * 64}):
        report = verifier.assess(declared, [statement_about(attack)])
        with pytest.raises((SubjectMismatch, NoMatchingAttestation)):
            report.require()
    assert verifier.assess(declared, [statement_about({"sha512": "1" * 128})]).accepted


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
    site.refuses(NoMatchingAttestation, "verification.no-match", policy=policy)


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


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, datetime]:
    """Simulates a trusted witness, of which this release has none, through its own module's seal."""
    times: dict[bytes, datetime] = {}

    def simulated(logged: LoggedSignature) -> VerifiedTimes:
        found = times.get(logged.signed.envelope.payload)
        each = () if found is None else (WitnessedTime(time=found, witness="simulated"),)
        return VerifiedTimes(times=each, seal=timestamps._SEAL)

    monkeypatch.setattr(timestamps, "check", simulated)
    return times


def test_post_hoc_provenance(site: Site, witness: dict[bytes, datetime]) -> None:
    # The dataset was attested only after it had been used, to complete the chain.
    started, finished = site.provenance.started_on, site.provenance.finished_on
    assert started is not None
    assert finished is not None
    policy = policy_of(lambda p: p.pop("times"))
    site.refuses(TimeUnproven, "verification.time-unproven", policy=policy)
    witness.update({a.envelope.payload: started for a in (site.record, site.source)})
    witness[site.run.envelope.payload] = finished
    assert site.assess(policy=policy).accepted
    witness[site.record.envelope.payload] = started + timedelta(seconds=1)
    site.refuses(NotAccepted, "chain.causality", policy=policy)


def test_re_stamped_run(site: Site, witness: dict[bytes, datetime]) -> None:
    # The run is stamped again, later than the dataset's record. What counts is when the run says it started.
    started, _ = site.provenance.started_on, site.provenance.finished_on
    assert started is not None
    policy = policy_of(lambda p: p.pop("times"))
    witness[site.record.envelope.payload] = started + timedelta(days=1)
    witness[site.source.envelope.payload] = started
    for later in (timedelta(days=2), timedelta(days=365)):
        witness[site.run.envelope.payload] = started + later
        site.refuses(NotAccepted, "chain.causality", policy=policy)


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
    assert caught.value.code == "artifact.source"
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
