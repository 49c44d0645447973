"""Is one file of an accepted artifact opened, by what the records about this very artifact say?"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import (
    DataRecord,
    KeySigner,
    Manifest,
    ModelRecord,
    Policy,
    Trust,
    Verifier,
    attest,
    sign_statement,
)
from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.artifact.leaves import Directory, head_of
from glasswing_attest.artifact.manifests import ManifestTree
from glasswing_attest.artifact.proofs import prove
from glasswing_attest.errors import FieldRefused, NoMatchingAttestation, NotAccepted, PartUnproven, UsageError
from glasswing_attest.records import TreeSummary
from glasswing_attest.report.report import Report

FILES = [
    FileEntry(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    for name, data in (("a", b"one"), ("b", b"two"))
]
MODEL = Manifest.of_tree("model", FILES)
EVIL = Manifest.of_tree("model", [FILES[0], FileEntry(name="b", size=4, sha256=hashlib.sha256(b"evil").hexdigest())])
DECLARED = Manifest.declared("model", MODEL.digests)
SIGNER = KeySigner.generate()
POLICY_TEXT = json.dumps(
    {
        "version": 1,
        "times": "claimed",
        "declared": "allow",
        "identities": {"trainer": {"key": "trainer"}},
        "nodes": {
            "model": {"require": [{"predicate": ModelRecord.predicate_type, "signed_by": {"any_of": ["trainer"]}}]}
        },
    }
)
POLICY = Policy.parse(POLICY_TEXT.encode())
TRUST = Trust.parse(json.dumps({"version": 1, "keys": {"trainer": {"public_key": SIGNER.public_key.pem}}}).encode())


def report(*records: ModelRecord | DataRecord, about: Manifest = MODEL) -> Report:
    evidence = [attest(about, record, signer=SIGNER) for record in records]
    return Verifier(policy=POLICY, trust=TRUST).assess(DECLARED, evidence)


def test_the_part_is_opened(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"two")
    with report(ModelRecord(name="m")).open_part("b", tmp_path / "b", prove(MODEL, "b")) as file:
        assert file.read() == b"two"


def test_a_part_of_something_else_is_not(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"evil")
    with pytest.raises(PartUnproven) as refused:
        report(ModelRecord(name="m")).open_part("b", tmp_path / "b", prove(EVIL, "b"))
    assert refused.value.code == "verification.part"


def test_another_file_of_the_same_artifact_is_not_the_one_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"one")
    found = report(ModelRecord(name="m"))
    with pytest.raises(PartUnproven) as refused:
        found.open_part("b", tmp_path / "b", prove(MODEL, "a"))
    assert (refused.value.where, refused.value.found) == ("proof.file.name", "a")
    assert found.check_part(prove(MODEL, "a")) == FILES[0]  # whoever asks without a name is told which it is


def test_nothing_is_opened_of_what_is_not_accepted(tmp_path: Path) -> None:
    with pytest.raises(NoMatchingAttestation):
        report(ModelRecord(name="m"), about=EVIL).open_part("b", tmp_path / "b", prove(EVIL, "b"))
    with pytest.raises(NoMatchingAttestation):
        report(ModelRecord(name="m"), about=EVIL).check_part(prove(EVIL, "b"))


def test_a_proof_is_one_and_no_path_to_it(tmp_path: Path) -> None:
    found = report(ModelRecord(name="m"))
    given: Any = str(tmp_path / "b.proof.json")
    nothing: Any = ""
    proof = prove(MODEL, "b")
    for ask, where in (
        (lambda: found.check_part(given), "proof"),
        (lambda: found.check_part(proof, directory=given), "directory"),
        (lambda: found.check_part(proof, directory=nothing), "directory"),
        (lambda: found.open_part("b", tmp_path / "b", given), "proof"),
    ):
        with pytest.raises(UsageError) as refused:
            ask()
        assert (refused.value.code, refused.value.where) == ("usage", where)
        assert "InclusionProof.load" in str(refused.value.wanted)


def test_a_record_without_a_root_opens_nothing(tmp_path: Path) -> None:
    whole = TreeSummary(dir_hash=MODEL.digests.get("dirHash") or "")
    bare = attest(DECLARED, ModelRecord(name="m", tree=whole), signer=SIGNER)
    found = Verifier(policy=POLICY, trust=TRUST).assess(DECLARED, [bare])
    assert found.accepted
    with pytest.raises(PartUnproven) as refused:
        found.open_part("b", tmp_path / "b", prove(MODEL, "b"))
    assert "no accepted record" in str(refused.value)


def test_a_tree_of_another_dirhash_does_not_speak_for_this_one(tmp_path: Path) -> None:
    # `attest` refuses a record that sums up another tree than its subject's.
    head = head_of(EVIL)
    other = TreeSummary(dir_hash=EVIL.digests.get("dirHash") or "", files=head.size, merkle_root=head.root.hex())
    subject = Manifest.declared("model", {"dirHash": MODEL.digests.get("dirHash") or ""})
    with pytest.raises(FieldRefused) as contradicted:
        attest(subject, ModelRecord(name="m", tree=other), signer=SIGNER)
    assert contradicted.value.where == "ModelRecord.tree.dir_hash"
    (tmp_path / "b").write_bytes(b"evil")
    # Said in spite of that, it contradicts what it is about, and nothing rests on it.
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": MODEL.digests.to_dict()}],
        "predicateType": ModelRecord.predicate_type,
        "predicate": ModelRecord(name="m", tree=other).to_predicate(),
    }
    lying = sign_statement(json.dumps(statement).encode(), signer=SIGNER)
    found = Verifier(policy=POLICY, trust=TRUST).assess(DECLARED, [lying])
    assert found.cause is not None
    assert found.cause.code == "policy.contradicts-subject"
    with pytest.raises(NotAccepted):
        found.open_part("b", tmp_path / "b", prove(EVIL, "b"))


def test_only_those_who_may_speak_for_the_artifact_tell_its_tree(tmp_path: Path) -> None:
    # The collector may speak for datasets. Of one with the model's very files it tells the dirHash, and a false root.
    # The model is made from it: so the chain rests on that record, but what the model is does not.
    collector = KeySigner.generate()
    policy = json.loads(POLICY_TEXT)
    policy["identities"]["collector"] = {"key": "collector"}
    of_model = policy["nodes"]["model"]["require"]
    builder = {"builder": "https://example.com/b", "build_type": "https://example.com/t"}
    of_model.append({**of_model[0], "predicate": "https://slsa.dev/provenance/v1", "expect": builder})
    policy["nodes"]["dataset"] = {
        "require": [{"predicate": DataRecord.predicate_type, "signed_by": {"any_of": ["collector"]}}]
    }
    keys = {name: {"public_key": by.public_key.pem} for name, by in (("trainer", SIGNER), ("collector", collector))}
    trust = Trust.parse(json.dumps({"version": 1, "keys": keys}).encode())
    dir_hash = MODEL.digests.get("dirHash") or ""
    used = {"name": "d", "digest": {"dirHash": dir_hash}, "annotations": {"role": "dataset"}}
    provenance = {
        "buildDefinition": {
            "buildType": "https://example.com/t",
            "externalParameters": {},
            "resolvedDependencies": [used],
        },
        "runDetails": {"builder": {"id": "https://example.com/b"}},
    }
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": MODEL.digests.to_dict()}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": provenance,
    }
    false = TreeSummary(dir_hash=dir_hash, files=2, merkle_root=head_of(EVIL).root.hex())
    evidence = [
        attest(DECLARED, ModelRecord(name="m"), signer=SIGNER),
        sign_statement(json.dumps(statement).encode(), signer=SIGNER),
        attest(Manifest.declared("dataset", MODEL.digests), DataRecord(name="d", tree=false), signer=collector),
    ]
    found = Verifier(policy=Policy.parse(json.dumps(policy).encode()), trust=trust).assess(DECLARED, evidence)
    found.require()
    assert [record.tree for record in found.records(DataRecord)] == [false]
    with pytest.raises(PartUnproven) as refused:
        found.open_part("b", tmp_path / "b", prove(EVIL, "b"))
    assert "no accepted record" in str(refused.value)


def lake() -> tuple[ManifestTree, Manifest, Manifest]:
    part = Manifest.of_tree("model", [FILES[1]])
    tree = ManifestTree(directories=(Directory.of("part", part),), files=(FILES[0],))
    return tree, part, Manifest.of_tree("model", tree.files_of({"part": part}.__getitem__))


@pytest.mark.parametrize("is_whole_told", [True, False])
def test_a_file_is_opened_through_its_directory(tmp_path: Path, is_whole_told: bool) -> None:
    tree, part, whole = lake()
    (tmp_path / "b").write_bytes(b"two")
    said = TreeSummary(
        dir_hash=whole.digests.get("dirHash") or "",
        manifest_tree_size=tree.head.size,
        manifest_tree_root=tree.head.root.hex(),
    )
    declared = Manifest.declared("model", whole.digests)
    record = ModelRecord(name="m", tree=said)
    signed = attest(whole if is_whole_told else declared, record, signer=SIGNER)
    found = Verifier(policy=POLICY, trust=TRUST).assess(declared, [signed])
    of_directory, of_file = tree.proof("part"), prove(part, "b")
    with found.open_part("part/b", tmp_path / "b", of_file, directory=of_directory) as file:
        assert file.read() == b"two"
    assert found.check_part(of_directory) == Directory.of("part", part)
    # Here both trees have two leaves. A file that lies in no directory is proved in either.
    for proof in (tree.proof("a"), *([prove(whole, "a")] if is_whole_told else [])):
        assert found.check_part(proof) == FILES[0]
    for name, proof, directory in (
        ("part/b", of_file, None),
        ("b", of_file, of_directory),
        ("part", of_directory, None),
        ("part/b", of_file, tree.proof("a")),
    ):
        with pytest.raises(PartUnproven) as refused:
            found.open_part(name, tmp_path / "b", proof, directory=directory)
        assert refused.value.code == "verification.part"


def test_a_root_in_the_place_of_a_digest_matches_nothing() -> None:
    # Neither alone, nor as what another tool might take it for: the digest of a file.
    root = head_of(MODEL).root.hex()
    for digest in ({"merkleRoot": root}, {"merkleRoot": root, "sha256": root}, {"sha256": root}):
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "model", "digest": digest}],
            "predicateType": ModelRecord.predicate_type,
            "predicate": ModelRecord(name="m").to_predicate(),
        }
        signed = sign_statement(json.dumps(statement).encode(), signer=SIGNER)
        found = Verifier(policy=POLICY, trust=TRUST).assess(DECLARED, [signed])
        assert not found.accepted
        assert found.cause is not None
        assert found.cause.code == "chain.no-attestation"
