"""Does everything that a caller hands over, or gets back, keep to what it says?  The findings of a review, each held.

A value of the wrong type, an evil case, a manifest from a stranger, a file that was exchanged, two writers at once:
each is a story of its own, and each refusal is asserted by its class and code.
"""

import dataclasses
import io
import json
import multiprocessing
import os
import threading
import traceback
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from glasswing_attest import (
    Attestation,
    AttestationSet,
    Build,
    DataRecord,
    File,
    GlasswingError,
    KeySigner,
    Manifest,
    Model,
    ModelRecord,
    Policy,
    Report,
    Trust,
    Verifier,
    assess,
    attest,
    attest_many,
    endorse,
    replay,
    sign_statement,
    verify,
)
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.manifest import FileEntry
from glasswing_attest.artifact.opened import VerifiedFile
from glasswing_attest.claims import PredicateType, opaque
from glasswing_attest.errors import (
    ArtifactUnreadable,
    FieldMissing,
    FieldRefused,
    InputsChanged,
    LimitError,
    Mismatch,
    NotPem,
    NotYaml,
    PolicyRefused,
    SelfCheckFailed,
    SigningError,
    StoreUnavailable,
    TrustRefused,
    UsageError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import Limits
from glasswing_attest.report.report import report_schema
from glasswing_attest.store import gather
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.verification.opinion import SecondOpinion
from tests.chains import Said, honest, signer

ALICE = signer("border-alice")
TRUST = Trust.of(alice=ALICE.public_key)
THING = Blob(b"thing", name="thing", kind="model")
OWN = "https://example.com/own/v1"


def policy_for(predicate: str, **more: Any) -> Policy:
    """A model needs one statement of this type, by alice."""
    rule = {"predicate": predicate, "signed_by": {"any_of": ["alice"]}}
    content = {
        "version": 1,
        "times": "claimed",
        "identities": {"alice": {"key": "alice"}},
        "nodes": {"model": {"require": [rule]}},
        **more,
    }
    return Policy.parse(json.dumps(content).encode(), suffix=".json")


RECORDED = policy_for(ModelRecord.predicate_type)
GOOD = attest(THING, ModelRecord(name="thing"), signer=ALICE)


def refused(error: type[GlasswingError], code: str, call: Callable[[], object]) -> GlasswingError:
    """The error of a call that must be refused with this class, and none below it, and this code."""
    with pytest.raises(error) as caught:
        call()
    assert (type(caught.value), caught.value.code) == (error, code)
    return caught.value


def usage(call: Callable[[], object], found: str) -> GlasswingError:
    """The `UsageError` of a call, which names what was found."""
    error = refused(UsageError, "usage", call)
    assert str(error.found).startswith(found)
    return error


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def rewritten(case: Path, **changes: object) -> Path:
    """The case with other words in its head: what anybody can do to a file."""
    with zipfile.ZipFile(case) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    head = json.loads(members["case.json"])
    members["case.json"] = json.dumps({k: v for k, v in {**head, **changes}.items() if v is not None}).encode()
    target = case.with_name("rewritten.zip")
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


# --- predicate types of one's own ------------------------------------------------------------------------------------

LINEAR = opaque(OWN)


def test_a_policy_may_ask_only_for_what_is_read() -> None:
    policy = policy_for(OWN)
    error = refused(PolicyRefused, "malformed.policy", lambda: Verifier(policy=policy, trust=TRUST))
    assert (error.where, error.found) == ("nodes.model.require[0].predicate", OWN)
    said = attest(THING, Said(predicate_type=OWN, body={"n": 1}), signer=ALICE)
    report = Verifier(policy=policy, trust=TRUST, predicates=(LINEAR,)).verify(THING, [said])
    assert report.depth == "surface"


def test_a_replay_needs_the_predicate_types_of_then(tmp_path: Path) -> None:
    strict = PredicateType(uri=OWN, parse=lambda node, limits: node.need("fine").boolean())
    said = attest(THING, Said(predicate_type=OWN, body={"n": 1}), signer=ALICE)
    report = Verifier(policy=policy_for(OWN), trust=TRUST, predicates=(strict,)).assess(THING, [said])
    assert not report.accepted
    case = report.case(tmp_path / "case.zip")
    error = refused(UsageError, "usage", lambda: replay(case))
    assert (error.where, error.found, error.wanted) == ("predicates", "none", OWN)
    assert replay(case, predicates=[strict]).verdict == report.verdict
    more = opaque("https://example.com/more/v1")
    refused(UsageError, "usage", lambda: replay(case, predicates=[strict, more]))
    plain = assess(THING, [GOOD], policy=RECORDED, trust=TRUST).case(tmp_path / "plain.zip")
    refused(UsageError, "usage", lambda: replay(plain, predicates=[strict]))
    assert replay(plain).accepted


def test_a_replay_keeps_to_the_limits_of_then(tmp_path: Path) -> None:
    tight = Limits(evidence=1)
    undecided = Verifier(policy=RECORDED, trust=TRUST, limits=Limits(steps=0)).assess(THING, [GOOD])
    assert undecided.verdict == "undecided"
    assert replay(undecided.case(tmp_path / "case.zip")).verdict == "undecided"
    # A case may ask for less than the caller allows, and never for more.
    report = Verifier(policy=RECORDED, trust=TRUST).assess(THING, [GOOD, b"{}"])
    assert report.accepted
    case = report.case(tmp_path / "more.zip")
    assert replay(case, limits=tight).verdict == "undecided"
    limits = json.loads(zipfile.ZipFile(case).read("case.json"))["limits"]
    assert limits == dataclasses.asdict(Limits())
    assert replay(rewritten(case, limits={**limits, "evidence": 10**9, "of_tomorrow": 1}), limits=tight).limits == tight


class Contrary:
    """A second opinion that says no to everything."""

    def confirm(self, attestation: Attestation, verified: Any, trust: Trust) -> bool:
        raise SelfCheckFailed(found="whatever it is")


def test_a_replay_needs_the_second_opinion_of_then(tmp_path: Path) -> None:
    contrary: SecondOpinion = Contrary()
    report = Verifier(policy=RECORDED, trust=TRUST, second_opinion=contrary).assess(THING, [GOOD])
    assert report.verdict == "refused"
    case = report.case(tmp_path / "case.zip")
    assert refused(UsageError, "usage", lambda: replay(case)).where == "second_opinion"
    assert replay(case, second_opinion=contrary).verdict == "refused"


# --- manifests that travelled ----------------------------------------------------------------------------------------


def test_a_manifest_from_anywhere_is_declared() -> None:
    measured = THING.measure()
    assert not measured.is_declared
    read = Manifest.from_proto(measured.to_proto())
    assert read == dataclasses.replace(measured, is_declared=True)
    (held,) = AttestationSet.from_bytes(AttestationSet(items=(measured, GOOD.bytes)).to_bytes()).manifests
    assert held == read
    report = assess(held, [GOOD], policy=RECORDED, trust=TRUST)
    assert (report.verdict, codes(report)) == ("refused", ["policy.declared"])
    relaxed = policy_for(ModelRecord.predicate_type, declared="allow")
    assert verify(held, [GOOD], policy=relaxed, trust=TRUST).artifact.is_declared


def test_a_case_alone_restores_what_was_measured(tmp_path: Path) -> None:
    measured = replay(assess(THING, [GOOD], policy=RECORDED, trust=TRUST).case(tmp_path / "case.zip"))
    assert measured.accepted
    assert measured.artifact == THING.measure()
    told = Manifest.declared("model", THING.measure().digests, name="thing")
    case = assess(told, [GOOD], policy=RECORDED, trust=TRUST).case(tmp_path / "told.zip")
    assert codes(replay(case))[0] == "policy.declared"
    # Files that nobody measured are not there, whatever the head says.
    refused(FieldRefused, "malformed.field", lambda: replay(rewritten(case, declared=False)))
    refused(FieldMissing, "malformed.field-missing", lambda: replay(rewritten(case, declared=None)))


@pytest.mark.parametrize("role", ["dataset", "code", "checkpoint"])
def test_a_build_reads_what_it_says_it_used(role: str) -> None:
    declared = Manifest.from_proto(THING.measure().to_proto())
    with Build("https://b.example", build_type="https://t.example") as build:
        error = usage(lambda: build.use(declared, role=role), "a declared manifest")
        assert error.where == f"{role} thing"
    assert build.provenance().resolved_dependencies == ()


@pytest.mark.parametrize("role", ["baseModel", "dependency", "image", "tool"])
def test_what_is_known_by_digest_alone_says_so(role: str) -> None:
    with Build("https://b.example", build_type="https://t.example") as build:
        build.use(Manifest.declared("model", {"sha256": "ab" * 32}, name="far"), role=role)
        build.use(THING, role=role)
    far, here = build.provenance().resolved_dependencies
    assert dict(far.annotations) == {"role": role, "declared": True}
    assert dict(here.annotations) == {"role": role}


def test_a_measured_manifest_is_measured_again_in_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "models--org--name"
    (cache / "blobs").mkdir(parents=True)
    snapshot = cache / "snapshots" / "r"
    snapshot.mkdir(parents=True)
    (cache / "blobs" / "x").write_bytes(b"weights")
    (snapshot / "w.bin").symlink_to("../../blobs/x")
    monkeypatch.chdir(tmp_path)
    manifest = Model.from_hf_snapshot("models--org--name/snapshots/r").measure()
    plain = Model.from_hf_snapshot(snapshot, exclude=["later"]).measure()
    assert plain == manifest, "how it was measured is no part of what was found"
    assert plain.to_proto() == manifest.to_proto()
    with Build("https://b.example", build_type="https://t.example") as build:
        build.use(manifest, role="baseModel")
        monkeypatch.chdir("/")  # a run goes where it likes
    assert build.provenance().resolved_dependencies[0].digest == manifest.digests
    with Build("https://b.example", build_type="https://t.example") as build:
        build.use(plain, role="baseModel")
        (snapshot / "later").write_bytes(b"what was excluded appears during the run")
    assert build.provenance().resolved_dependencies[0].digest == manifest.digests
    (snapshot / "later").unlink()

    def changed() -> None:
        with Build("https://b.example", build_type="https://t.example") as build:
            build.use(manifest, role="baseModel")
            (cache / "blobs" / "x").write_bytes(b"WEIGHTS")

    refused(InputsChanged, "artifact.inputs-changed", changed)


def test_a_single_file_and_a_copy_by_pickle_are_measured_again(tmp_path: Path) -> None:
    import pickle

    path = tmp_path / "f"
    path.write_bytes(b"1")
    manifest = pickle.loads(pickle.dumps(File(path).measure()))

    def changed() -> None:
        with Build("https://b.example", build_type="https://t.example") as build:
            build.use(manifest, role="tool")
            path.write_bytes(b"2")

    refused(InputsChanged, "artifact.inputs-changed", changed)


# --- a case is its maker's word --------------------------------------------------------------------------------------


def test_a_replay_says_that_it_is_one(tmp_path: Path) -> None:
    report = assess(THING, [GOOD], policy=RECORDED, trust=TRUST)
    assert report.to_dict()["replayed"] is False
    assert "replayed" not in report.to_text()
    again = replay(report.case(tmp_path / "case.zip"))
    assert (again.accepted, again.replayed, again.tier) == (True, True, "warning")
    told = json.loads(again.to_json())
    jsonschema.validate(told, dict(report_schema()))
    assert told["replayed"] is True
    assert codes(again) == ["accepted", "policy.times-claimed", "report.replayed"]
    assert again.findings[-1].found == "from the case itself: policy, trust, times"
    assert ", replayed from a case\n" in again.to_text()
    known = replay(tmp_path / "case.zip", policy_sha256=RECORDED.digest, trust_sha256=TRUST.digest)
    assert known.findings[-1].found == "from the case itself: times"
    # A replay's own case is the same case.
    assert again.case(tmp_path / "again.zip").read_bytes() == (tmp_path / "case.zip").read_bytes()


def test_a_stranger_s_policy_and_trust_are_refused_by_digest(tmp_path: Path) -> None:
    evil = Trust.of(alice=signer("border-evil").public_key)
    forged = attest(THING, ModelRecord(name="thing"), signer=signer("border-evil"))
    case = assess(THING, [forged], policy=RECORDED, trust=evil).case(tmp_path / "case.zip")
    assert replay(case).accepted, "it is consistent in itself"
    error = refused(TrustRefused, "malformed.trust", lambda: replay(case, trust_sha256=TRUST.digest))
    assert (error.found, error.wanted) == (evil.digest, TRUST.digest)
    mine = policy_for(ModelRecord.predicate_type, declared="allow").digest
    error = refused(PolicyRefused, "malformed.policy", lambda: replay(case, policy_sha256=mine))
    assert (error.found, error.wanted) == (RECORDED.digest, mine)
    assert replay(case, policy_sha256=RECORDED.digest, trust_sha256=evil.digest).accepted


@pytest.mark.parametrize("change", [{"verdict": "refused"}, {"version": "0.0.0"}])
def test_another_answer_than_the_file_s_is_told(tmp_path: Path, change: dict[str, str]) -> None:
    case = assess(THING, [GOOD], policy=RECORDED, trust=TRUST).case(tmp_path / "case.zip")
    again = replay(rewritten(case, **change))
    assert again.accepted
    assert again.findings[-1].code == "report.differs"
    assert again.findings[-1].tier == "warning"
    assert next(iter(change.values())) in again.findings[-1].wanted
    jsonschema.validate(json.loads(again.to_json()), dict(report_schema()))


# --- cases that we write ourselves -----------------------------------------------------------------------------------


def test_a_case_with_long_and_odd_origins_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 200) / ("y" * 200) / ("z" * 200) / os.fsdecode(b"w" * 200 + b"\xff\n")
    folder.mkdir(parents=True)
    (folder / "e.jsonl").write_bytes(b"\n".join(b'{"a":%d}' % n for n in range(6000)))
    report = assess(THING, [folder], policy=RECORDED, trust=TRUST)
    case = report.case(tmp_path / "case.zip")
    assert zipfile.ZipFile(case).getinfo("case.json").file_size > Limits().statement_bytes
    again = replay(case)
    assert again.to_dict()["evidence"] == report.to_dict()["evidence"]
    assert again.evidence == report.evidence


def test_a_case_with_a_large_manifest_is_read_again(tmp_path: Path) -> None:
    small = Limits(record_bytes=1000, policy_bytes=1000)
    files = [FileEntry(name=f"{n:05}", size=1, sha256="ab" * 32) for n in range(100)]
    manifest = Manifest.of_tree("model", files)
    case = assess(manifest, [], policy=RECORDED, trust=TRUST, limits=small).case(tmp_path / "case.zip")
    assert replay(case, limits=small).artifact == manifest


def test_a_case_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    report = assess(THING, [GOOD], policy=RECORDED, trust=TRUST)
    size = report.case(tmp_path / "case.zip").stat().st_size
    tight = dataclasses.replace(report, limits=Limits(case_bytes=size - 100))
    error = refused(LimitError, "limit", lambda: tight.case(tmp_path / "tight.zip"))
    assert "(case_bytes)" in str(error.wanted)
    assert not (tmp_path / "tight.zip").exists()
    refused(LimitError, "limit", lambda: replay(tmp_path / "case.zip", limits=Limits(case_bytes=size - 1)))
    assert replay(tmp_path / "case.zip", limits=Limits(case_bytes=size)).accepted


# --- types at the border ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thing", ["model/", Path("model/"), b"model", None, 1, Model])
def test_a_path_is_no_artifact(thing: Any) -> None:
    name = "Model" if thing is Model else type(thing).__name__
    given: Any = thing
    record = ModelRecord(name="m")
    assert usage(lambda: attest(given, record, signer=ALICE), name).where == "subject"
    assert usage(lambda: attest([THING, given], record, signer=ALICE), name).where == "subject"
    assert usage(lambda: verify(given, [GOOD], policy=RECORDED, trust=TRUST), name).where == "artifact"
    assert usage(lambda: assess(given, [GOOD], policy=RECORDED, trust=TRUST), name).where == "artifact"
    with Build("https://b.example", build_type="https://t.example") as build:
        usage(lambda: build.use(given, role="tool"), name)


class Strange:
    """Measures itself, and gives something else."""

    kind = "model"

    def measure(self, **options: object) -> str:
        return "sha256:00"


def test_what_measures_gives_a_manifest() -> None:
    strange: Any = Strange()
    assert usage(lambda: assess(strange, [], policy=RECORDED, trust=TRUST), "str").where == "artifact.measure()"


def test_bytes_are_bytes() -> None:
    text: Any = GOOD.bytes.decode()
    for given in (text, bytearray(GOOD.bytes), None):
        usage(lambda given=given: Attestation.parse(given), type(given).__name__)  # type: ignore[misc]
        usage(lambda given=given: sign_statement(given, signer=ALICE), type(given).__name__)  # type: ignore[misc]
        usage(lambda given=given: endorse(given, signer=ALICE), type(given).__name__)  # type: ignore[misc]
    written: Any = "version: 1"
    assert usage(lambda: Policy.parse(written), "str").where == "policy"
    assert usage(lambda: Trust.parse(written), "str").where == "trust"


def test_trust_is_made_of_trusted_keys() -> None:
    mess: Any
    for mess, where, found in (
        ([1], "keys[0]", "int"),
        ("abc", "keys", "str"),
        (1, "keys", "int"),
        ({}, "keys", "dict"),
    ):
        assert usage(lambda mess=mess: Trust(keys=mess), found).where == where  # type: ignore[misc]
    assert usage(lambda: Trust(roots=("r",)), "str").where == "roots[0]"  # type: ignore[arg-type]
    error = usage(lambda: TrustedKey(name="k", key=ALICE), "KeySigner")  # type: ignore[arg-type]
    assert error.where == "keys.k.key"
    listed: Any = [TrustedKey(name="alice", key=ALICE.public_key)]
    trust = Trust(keys=listed)
    listed.clear()
    assert trust == TRUST


def test_what_a_verifier_holds_is_looked_at() -> None:
    odd: Any
    for name, odd in (("predicates", 1), ("predicates", [OWN]), ("revocations", "list.json"), ("evidence", 1)):
        error = refused(
            UsageError,
            "usage",
            lambda name=name, odd=odd: Verifier(policy=RECORDED, trust=TRUST, **{name: odd}),  # type: ignore[misc]
        )
        assert error.where.startswith(name)


class Nowhere(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        return None

    def dst(self, when: datetime | None) -> timedelta | None:
        return None

    def tzname(self, when: datetime | None) -> str | None:
        return None


WEST, EAST = timezone(timedelta(hours=-5)), timezone(timedelta(hours=5))


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("2026-01-01T00:00:00Z", "str"),
        (1767225600, "int"),
        (datetime(2026, 1, 1), "2026-01-01"),  # noqa: DTZ001  # without a zone on purpose
        (datetime(2026, 1, 1, tzinfo=Nowhere()), "2026-01-01"),
        (datetime.max.replace(tzinfo=WEST), "9999-12-31"),
        (datetime.min.replace(tzinfo=EAST), "0001-01-01"),
    ],
)
def test_a_time_is_one_moment(at: Any, found: str) -> None:
    assert usage(lambda: assess(THING, [GOOD], policy=RECORDED, trust=TRUST, at=at), found).where == "at"


def test_a_time_is_told_in_utc() -> None:
    at = datetime(2026, 8, 1, 12, tzinfo=EAST)
    report = assess(THING, [GOOD], policy=RECORDED, trust=TRUST, at=at)
    assert (report.at, report.at.tzinfo) == (at, UTC)
    for extreme in (datetime.max.replace(tzinfo=EAST), datetime.min.replace(tzinfo=WEST)):
        told = assess(THING, [GOOD], policy=RECORDED, trust=TRUST, at=extreme)
        assert told.to_text()


@pytest.mark.parametrize("time", [datetime(2026, 1, 1, tzinfo=Nowhere()), datetime.max.replace(tzinfo=WEST), "2026"])
def test_the_times_of_trust_and_policy_are_moments_too(time: Any) -> None:
    for call in (
        lambda: TrustedKey(name="k", key=ALICE.public_key, valid_from=time),
        lambda: Trust(keys=TRUST.keys, expires=time),
    ):
        refused(TrustRefused, "malformed.trust", call)
    if isinstance(time, datetime):
        members: dict[str, Any] = {**json.loads(RECORDED.to_json()), "expires": time}
        refused(PolicyRefused, "malformed.policy", lambda: Policy(**members))


def test_evidence_does_not_contain_itself() -> None:
    ring: list[Any] = []
    ring.append(ring)
    error = usage(lambda: assess(THING, ring, policy=RECORDED, trust=TRUST), "sequences in sequences")
    assert error.where == "evidence"
    usage(lambda: Verifier(policy=RECORDED, trust=TRUST, evidence=ring), "sequences in sequences")
    nested: Any = GOOD
    for _ in range(20):
        nested = [nested]
    assert assess(THING, nested, policy=RECORDED, trust=TRUST).accepted


@pytest.mark.parametrize(
    ("evidence", "found"),
    [
        (GOOD.bytes.decode(), '{"mediaType"'),
        ("  [1]", "  [1]"),
        ("", "an empty str"),
        ({"a.json": 1}, "dict"),
        (bytearray(GOOD.bytes), "bytearray"),
        (memoryview(GOOD.bytes), "memoryview"),
    ],
)
def test_evidence_is_not_guessed_at(evidence: Any, found: str) -> None:
    error = usage(lambda: assess(THING, evidence, policy=RECORDED, trust=TRUST), found)
    assert error.where == "evidence[1]", "the second part: the first is the verifier's own"
    usage(lambda: Verifier(policy=RECORDED, trust=TRUST, evidence=evidence), found)


@pytest.mark.parametrize("text", ['"\\UFFFFFFFF"', '"\\U00110000"', '"\\xZZ"'])
def test_an_escape_that_names_no_character(text: str) -> None:
    for parse in (Policy.parse, Trust.parse):
        error = refused(NotYaml, "malformed.yaml", lambda parse=parse: parse(f"name: {text}".encode()))  # type: ignore[misc]
        assert error.where


def test_one_name_has_one_key() -> None:
    both = ALICE.public_key.pem + signer("border-bob").public_key.pem
    document = json.dumps({"version": 1, "keys": {"alice": {"public_key": both}}}).encode()
    error = refused(NotPem, "malformed.pem", lambda: Trust.parse(document, suffix=".json"))
    assert (error.where, error.found) == ("trust:1:49: keys.alice.public_key", "2 PEM blocks")
    assert PublicKey.from_pem("a comment may stand above\n" + ALICE.public_key.pem) == ALICE.public_key
    usage(lambda: PublicKey.from_pem(None), "NoneType")  # type: ignore[arg-type]


# --- signing ---------------------------------------------------------------------------------------------------------


class Broken:
    """A signer whose device is away; it counts how often it was asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0
        self.verified_by = ALICE.public_key

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        self.asked += 1
        raise self.error


@pytest.mark.parametrize("error", [OSError("no device"), KeyError("slot"), RecursionError()])
def test_whatever_a_signer_raises_is_one_thing(error: Exception) -> None:
    raised = refused(SigningError, "signing", lambda: attest(THING, ModelRecord(name="m"), signer=Broken(error)))
    assert raised.__cause__ is error
    assert type(error).__name__ in str(raised)
    ours = SelfCheckFailed(found="mine")
    assert refused(SelfCheckFailed, "signing.self-check", lambda: endorse(GOOD, signer=Broken(ours))) is ours


@pytest.mark.parametrize("nobody", [None, "key.pem", KeySigner, ALICE.public_key])
def test_a_signer_signs(nobody: Any) -> None:
    record = ModelRecord(name="m")
    for call in (
        lambda: attest(THING, record, signer=nobody),
        lambda: attest_many([(THING, record)], signer=nobody),
        lambda: sign_statement(GOOD.envelope.payload, signer=nobody),
    ):
        assert refused(UsageError, "usage", call).where == "signer"


@pytest.mark.parametrize("predicate", [None, {"a": 1}, ModelRecord])
def test_a_predicate_is_one(predicate: Any) -> None:
    assert refused(UsageError, "usage", lambda: attest(THING, predicate, signer=ALICE)).where == "predicate"


def test_a_refused_request_leaves_nothing_signed(tmp_path: Path) -> None:
    asked = Broken(OSError("asked"))
    record = ModelRecord(name="m")
    absent = Model(tmp_path / "absent")
    refused(
        ArtifactUnreadable,
        "artifact.unreadable",
        lambda: attest_many([(THING, record), (absent, record)], signer=asked),
    )
    bad: Any = Said(predicate_type=OWN, body={"n": float("nan")})
    refused(FieldRefused, "malformed.field", lambda: attest_many([(THING, record), (THING, bad)], signer=asked))
    half: Any = [(THING, record), THING]
    assert usage(lambda: attest_many(half, signer=asked), "Blob").where == "requests[1]"
    assert asked.asked == 0
    made = attest_many(iter([(THING, record), (THING, DataRecord(name="d"))]), signer=ALICE)
    assert [m.statement_unverified.predicate_type for m in made] == [
        ModelRecord.predicate_type,
        DataRecord.predicate_type,
    ]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("mine")
    error = refused(UsageError, "usage", lambda: ALICE.write(path))
    assert "keys are never overwritten" in str(error)
    assert error.do
    assert path.read_text() == "mine"
    refused(UsageError, "usage", lambda: ALICE.write(tmp_path / ".."))


# --- loading what was verified ---------------------------------------------------------------------------------------


def opened_over(path: Path, expected: bytes) -> VerifiedFile:
    entry = Blob(expected, name=path.name).measure().files[0]
    return VerifiedFile(os.open(path, os.O_RDONLY), entry, str(path))


@pytest.fixture
def short_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The system gives three bytes at a time, as it may. Holds the sizes that were asked for."""
    asked: list[int] = []
    real = os.read

    def few(fd: int, size: int) -> bytes:
        asked.append(size)
        return real(fd, min(size, 3))

    monkeypatch.setattr(os, "read", few)
    return asked


def test_reading_gives_as_many_bytes_as_were_asked_for(tmp_path: Path, short_reads: list[int]) -> None:
    path = tmp_path / "w"
    path.write_bytes(b"0123456789")
    with opened_over(path, b"0123456789") as file:
        assert (file.read(4), file.read(0), file.read(5), file.read(5), file.read(1)) == (
            b"0123",
            b"",
            b"45678",
            b"9",
            b"",
        )
    with opened_over(path, b"0123456789") as file:
        assert file.read(10) == b"0123456789"
    with opened_over(path, b"0123456789") as file:
        assert file.read() == b"0123456789"
    with opened_over(path, b"0123456789") as file:
        buffer = bytearray(8)
        assert (file.readinto(buffer), bytes(buffer)) == (8, b"01234567")
        assert (file.readinto(buffer), bytes(buffer[:2])) == (2, b"89")
    with opened_over(path, b"0123456789") as file:
        assert file.read1(5) == b"012"
    assert short_reads
    # No single call asks the system for more than it can give in one (2 GiB less a page on Linux).
    assert max(short_reads) <= 1 << 20


EXCHANGED = [b"X123456789", b"012345678X", b"0123456789X", b"012345678", b""]


@pytest.mark.parametrize("now", EXCHANGED)
@pytest.mark.parametrize("size", [1, 3, 9, 10, 11, None])
def test_other_bytes_are_never_given_completely(tmp_path: Path, now: bytes, size: int | None) -> None:
    path = tmp_path / "w"
    path.write_bytes(now)
    got: list[bytes] = []
    file = opened_over(path, b"0123456789")
    refused(Mismatch, "verification.mismatch", lambda: got.extend(iter(lambda: file.read(size), b"")))
    assert sum(map(len, got)) < 10
    for again in (file.read, lambda: file.read(1), lambda: file.read1(1), lambda: file.readinto(bytearray(1))):
        refused(Mismatch, "verification.mismatch", again)
    file.close()


@pytest.mark.parametrize("now", EXCHANGED)
def test_no_way_of_reading_gives_other_bytes(tmp_path: Path, short_reads: list[int], now: bytes) -> None:
    path = tmp_path / "w"
    path.write_bytes(now)
    ways: list[Callable[[VerifiedFile], object]] = [
        lambda file: file.read(10),
        lambda file: file.readinto(bytearray(10)),
        lambda file: [file.read1(2) for _ in range(6)],
        lambda file: io.BufferedReader(file).read(10),
        lambda file: io.TextIOWrapper(file).read(),  # type: ignore[type-var]
        lambda file: file.close(),
    ]
    for way in ways:
        file = opened_over(path, b"0123456789")
        refused(Mismatch, "verification.mismatch", lambda way=way, file=file: way(file))  # type: ignore[misc]
        file.close()


def test_the_empty_file_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_bytes(b"")
    with opened_over(path, b"") as file:
        assert file.read() == b""
    path.write_bytes(b"x")
    refused(Mismatch, "verification.mismatch", opened_over(path, b"").read)


def test_a_descriptor_that_fails_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(b"weights")
    folder = os.open(tmp_path, os.O_RDONLY)  # reading it fails: it is a directory
    entry = Blob(b"weights", name="w").measure().files[0]
    reading, closing = (VerifiedFile(os.dup(folder), entry, str(path)) for _ in range(2))
    for use in (reading.read, closing.close):
        assert refused(ArtifactUnreadable, "artifact.unreadable", use).where == str(path)
    os.close(folder)
    gone = VerifiedFile(os.open(path, os.O_RDONLY), entry, str(path))
    assert gone.read() == b"weights"
    os.close(gone._fd)
    refused(ArtifactUnreadable, "artifact.unreadable", gone.close)
    assert gone.closed


# --- one file, many writers ------------------------------------------------------------------------------------------


def _write_many(path: Path, made: list[bytes]) -> None:
    for data in made:
        Attestation.parse(data).write(path)


def test_no_line_is_lost_between_writers(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    made = [attest(Blob(b"%d" % n, name="b"), ModelRecord(name=f"m{n}"), signer=ALICE).bytes for n in range(48)]
    threads = [threading.Thread(target=_write_many, args=(path, made[n::8])) for n in range(6)]
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(path, made[n::8])) for n in (6, 7)]
    workers: list[Any] = [*threads, *processes]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(path.read_bytes().splitlines()) == sorted(made)
    assert path.read_bytes().endswith(b"\n")


def test_a_line_that_was_cut_short_hurts_no_other(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_bytes(GOOD.bytes + b"\n" + GOOD.bytes[:100])  # a crash in the middle of a line
    GOOD.write(path)
    assert path.read_bytes().split(b"\n") == [GOOD.bytes, GOOD.bytes[:100], GOOD.bytes, b""]
    assert assess(THING, path, policy=RECORDED, trust=TRUST).accepted
    path.write_bytes(GOOD.bytes)  # a line without its end
    GOOD.write(path)
    assert path.read_bytes() == (GOOD.bytes + b"\n") * 2


def test_a_full_disk_leaves_the_lines_that_were_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "all.jsonl"
    GOOD.write(path)
    before = path.read_bytes()
    real = os.write
    calls = iter([10])

    def full(fd: int, data: Any) -> int:
        for some in calls:
            return real(fd, bytes(data)[:some])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    error = refused(StoreUnavailable, "unavailable.store", lambda: GOOD.write(path))
    assert error.where == str(path)
    assert path.read_bytes() == before


def test_lines_go_to_regular_files_and_within_bounds(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    for name in ("pipe.jsonl", "absent/a.jsonl", "a\0.jsonl"):
        refused(StoreUnavailable, "unavailable.store", lambda name=name: GOOD.write(tmp_path / name))  # type: ignore[misc]
    (tmp_path / "real.jsonl").write_bytes(b"")
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    GOOD.write(tmp_path / "link.jsonl")
    assert (tmp_path / "real.jsonl").read_bytes() == GOOD.bytes + b"\n"
    with (tmp_path / "big.jsonl").open("wb") as file:
        file.truncate(Limits().evidence_bytes)
    refused(LimitError, "limit", lambda: GOOD.write(tmp_path / "big.jsonl"))
    assert (tmp_path / "big.jsonl").stat().st_size == Limits().evidence_bytes


# --- junk hides nothing ----------------------------------------------------------------------------------------------

JUNK = [b"{", b"}", b"[", b"]", b"hello", b"\xff\xfe", b'{"a": 1, "a": 2}', b'{"a":', b"[[[[", b'"\\ud800"', b"1e999"]


@pytest.mark.parametrize("junk", JUNK)
def test_a_junk_line_changes_no_verdict(tmp_path: Path, junk: bytes) -> None:
    good, other = GOOD.bytes, attest(THING, ModelRecord(name="again"), signer=ALICE).bytes
    piles = [
        junk + b"\n" + good,
        good + b"\n" + junk,
        junk + b"\r\n\n" + good + b"\n" + junk + b"\n" + other + b"\n" + junk,
    ]
    for number, pile in enumerate(piles):
        assert assess(THING, pile, policy=RECORDED, trust=TRUST).accepted
        for suffix in (".json", ".jsonl", ".dsse"):
            path = tmp_path / f"{number}{suffix}"
            path.write_bytes(pile)
            assert assess(THING, path, policy=RECORDED, trust=TRUST).accepted


@pytest.mark.parametrize(("before", "after"), [(b"[", b"]"), (b'{"a":', b"}"), (b"[1,", b",{}]"), (b'[{"b":', b"}]")])
def test_junk_around_a_line_does_not_swallow_it(before: bytes, after: bytes) -> None:
    whole = before + b"\n" + GOOD.bytes + b"\n" + after
    json.loads(whole)
    assert assess(THING, whole, policy=RECORDED, trust=TRUST).accepted


def test_one_value_on_many_lines_is_one_item() -> None:
    pretty = json.dumps(json.loads(GOOD.bytes), indent=2).encode()
    assert [item.data for item in gather(pretty)] == [pretty]
    assert assess(THING, pretty, policy=RECORDED, trust=TRUST).accepted
    assert [item.data for item in gather(b"\n" + GOOD.bytes + b"\n")] == [GOOD.bytes]
    assert [item.origin for item in gather(b"\n" + GOOD.bytes + b"\nx")] == ["evidence:2", "evidence:3"]


def test_a_set_is_known_by_its_first_bytes_wherever_it_comes_from() -> None:
    held = AttestationSet(items=(THING.measure(), GOOD.bytes)).to_bytes()
    assert assess(THING, held, policy=RECORDED, trust=TRUST).accepted
    cut = assess(THING, held[:-1], policy=RECORDED, trust=TRUST)
    assert (cut.verdict, len(cut.refused)) == ("refused", 1)


# --- errors belong to their caller -----------------------------------------------------------------------------------


def test_each_caller_gets_an_error_of_its_own() -> None:
    report = assess(THING, ["/nowhere/at/all"], policy=RECORDED, trust=TRUST)
    first = refused(StoreUnavailable, "unavailable.store", report.require)
    second = refused(StoreUnavailable, "unavailable.store", report.require)
    assert first is not second
    assert first is not report.error
    assert str(first) == str(second) == str(report.error)
    assert first.report is second.report is report
    assert report.error is not None
    assert report.error.report is None
    assert first.__cause__ is report.error
    assert len(traceback.extract_tb(second.__traceback__)) <= len(traceback.extract_tb(first.__traceback__))


def test_two_reports_do_not_share_an_error() -> None:
    verifier = Verifier(policy=RECORDED, trust=TRUST)
    reports = [verifier.assess(THING, ["/nowhere"]), verifier.assess(THING, ["/nowhere"])]
    errors = [refused(StoreUnavailable, "unavailable.store", report.require) for report in reports]
    assert [error.report for error in errors] == reports


def test_a_whole_chain_still_holds(tmp_path: Path) -> None:
    chain = honest()
    report = chain.assess()
    assert report.accepted
    assert replay(report.case(tmp_path / "case.zip"), policy_sha256=report.policy.digest).depth == report.depth
