"""Does a model that was signed with OMS alone take its place in a chain, and nothing else with it?

The statement's subject is the root, which is no thing's digest. What the statement is about follows from its list.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Attestation, Manifest, Model, Policy, Report, Trust, Verifier, attest
from glasswing_attest.artifact.digest import DigestSet, Form
from glasswing_attest.artifact.file import Blob
from glasswing_attest.claims import PredicateType
from glasswing_attest.oms import roots, sign_model
from glasswing_attest.statement.predicates.oms import OMS_V1
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from glasswing_attest.store.directory import DirectoryStore
from glasswing_attest.store.memory import MemoryStore
from glasswing_attest.store.subjects import subjects_of
from tests.chains import BUILD_TYPE, BUILDER, Said, provenance, seal, signer, statement, tree, used

FILES = {"config.json": b"{}", "weights/0.bin": b"zero", "weights/1.bin": b"one"}
RELEASE, TRAINER = signer("release", "ecdsa-p256"), signer("trainer")
TRUST = Trust.of(release=RELEASE.public_key, trainer=TRAINER.public_key)
SIGNED = {"predicate": OMS_V1, "signed_by": {"any_of": ["release"]}}


RULES: Mapping[str, Any] = {"model": {"require": [SIGNED]}, "file": {"require": [SIGNED]}}


def verifier(nodes: Mapping[str, Any], predicates: tuple[PredicateType, ...] = (), **more: Any) -> Verifier:
    said = {
        "version": 1,
        "times": "claimed",
        "declared": "allow",
        "identities": {"release": {"key": "release"}, "trainer": {"key": "trainer"}},
        "nodes": nodes,
    }
    return Verifier(policy=Policy.model_validate(said), trust=TRUST, predicates=predicates, **more)


def assess(artifact: Any, *evidence: Any, nodes: Mapping[str, Any] = RULES) -> Report:
    return verifier(nodes).assess(artifact, evidence)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / "m" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "m" / name).write_bytes(content)
    return tmp_path / "m"


def test_a_signed_model_is_accepted_by_a_policy(model: Path) -> None:
    made = sign_model(model, signer=RELEASE)
    assert assess(Model(model), made).accepted
    (model / "config.json").write_bytes(b"[]")
    report = assess(Model(model), made)
    assert not report.accepted
    assert report.cause is not None
    assert report.cause.code == "verification.subject"


def test_what_the_signature_leaves_out_the_verifier_excludes_as_well(model: Path) -> None:
    made = sign_model(model, signer=RELEASE, signature=model / "model.sig", ignore=("README.md",))
    (model / "README.md").write_bytes(b"read me")
    assert not assess(Model(model), made).accepted
    assert assess(Model(model, exclude=("README.md", "model.sig")), made).accepted


def test_a_signed_base_model_carries_a_run(model: Path) -> None:
    base = Model(model).measure()
    tuned = tree("model", {"tuned.bin": b"tuned"})
    run = attest(tuned, provenance(used(base, "baseModel")), signer=TRAINER)
    rules: Mapping[str, Any] = {
        "model": {
            "require": [
                {
                    "predicate": PROVENANCE_V1,
                    "signed_by": {"any_of": ["trainer"]},
                    "expect": {"builder": BUILDER, "build_type": BUILD_TYPE},
                    "inputs": {"baseModel": {"exactly": 1}},
                }
            ]
        },
        "baseModel": {"require": [SIGNED]},
    }
    made = sign_model(model, signer=RELEASE)
    assert assess(tuned, run, made, nodes=rules).accepted
    assert not assess(tuned, run, nodes=rules).accepted
    # Swapped contents have the same digests in another order of names: another tree.
    (model / "weights/0.bin").write_bytes(b"one")
    (model / "weights/1.bin").write_bytes(b"zero")
    assert not assess(tuned, run, sign_model(model, signer=RELEASE), nodes=rules).accepted


def impostors(listed: Mapping[str, bytes]) -> list[Manifest]:
    """What has the root as its SHA-256, or says so."""
    root = roots(tree("model", listed))["spec"]
    raw = b"".join(hashlib.sha256(listed[name]).digest() for name in sorted(listed))
    return [
        Blob(raw, name="m").measure(),
        Manifest.declared("file", DigestSet.of(sha256=root)),
        Manifest.declared("model", DigestSet.of(sha256=root)),
        Manifest.declared("model", DigestSet.of(dirHash=root)),
    ]


@pytest.mark.parametrize("number", range(4))
def test_nothing_is_matched_by_the_root(number: int, model: Path) -> None:
    made = sign_model(model, signer=RELEASE)
    impostor = impostors(FILES)[number]
    report = assess(impostor, made)
    assert not report.accepted
    assert report.cause is not None
    assert report.cause.code == "chain.no-attestation"


def test_nothing_follows_from_shards_although_the_files_are_the_same(model: Path) -> None:
    assert not assess(Model(model), sign_model(model, signer=RELEASE, shard_size=2)).accepted


def test_a_single_file_chains_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"weights")
    made = sign_model(tmp_path / "m.gguf", signer=RELEASE)
    assert assess(Model(tmp_path / "m.gguf"), made).accepted
    (tmp_path / "m.gguf").write_bytes(b"weighty")
    assert not assess(Model(tmp_path / "m.gguf"), made).accepted


def test_a_list_that_contradicts_its_root_proves_nothing() -> None:
    # Signed by who may, and about no model: the root does not follow from the list.
    resources = [
        {"name": name, "digest": hashlib.sha256(data).hexdigest(), "algorithm": "sha256"}
        for name, data in FILES.items()
    ]
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
    subject = {"name": "m", "digest": {"sha256": "0" * 64}}
    payload = statement([subject], OMS_V1, {"resources": resources, "serialization": serialization})
    report = assess(tree("model", FILES), seal(payload, RELEASE))
    assert not report.accepted
    assert [(refused.error.code, refused.error.where) for refused in report.refused] == [
        ("malformed.field", "$.subject[0].digest.sha256")
    ]


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_store_finds_it_by_the_tree(kind: str, model: Path, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store") if kind == "directory" else MemoryStore()
    made = sign_model(model, signer=RELEASE)
    store.add(made)
    manifest = Model(model).measure()
    assert [item.data for item in store.find(manifest.digests.identity)] == [made.bytes]
    assert list(store.find(DigestSet.of(sha256=roots(manifest)["spec"]).identity)) == []
    assert verifier(RULES, evidence=store).assess(manifest).accepted


def test_what_a_reader_refuses_is_found_by_nobody() -> None:
    payload = statement([{"name": "m", "digest": {"sha256": "0" * 64}}], OMS_V1, {"resources": []})
    assert subjects_of(seal(payload, RELEASE)) == frozenset()


# --- the hook itself -------------------------------------------------------------------------------------------------

NOTE = "https://example.com/note/v1"


def note(subjects: Callable[..., Any]) -> PredicateType:
    return PredicateType(uri=NOTE, parse=lambda node, _limits: node.object(), subjects=subjects)


def noted(thing: Manifest, kind: PredicateType) -> Report:
    made: Attestation = attest(thing, Said(predicate_type=NOTE, body={"a": 1}), signer=TRAINER)
    rule = {"require": [{"predicate": NOTE, "signed_by": {"any_of": ["trainer"]}}]}
    return verifier({"model": rule}, (kind,)).assess(thing, made)


def test_a_type_of_ones_own_may_say_what_its_statements_are_about() -> None:
    thing = tree("model", FILES)
    assert noted(thing, note(lambda written, _predicate: written)).accepted
    assert not noted(thing, note(lambda _written, _predicate: ())).accepted
    other = ResourceDescriptor(name="o", digest=tree("model", {"o": b"o"}).digests)
    assert not noted(thing, note(lambda _written, _predicate: (other,))).accepted


@pytest.mark.parametrize(
    ("subjects", "because"),
    [
        (lambda _w, _p: ("x",), "TypeError: subjects gave str, not a ResourceDescriptor"),
        (lambda _w, _p: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_reader_that_fails_refuses_its_statement_alone(subjects: Callable[..., Any], because: str) -> None:
    report = noted(tree("model", FILES), note(subjects))
    assert not report.accepted
    (refused,) = report.refused
    assert refused.error.code == "malformed.field"
    assert because in refused.error.because


def test_what_never_ends_is_undecided() -> None:
    def endless(written: tuple[ResourceDescriptor, ...], _predicate: object) -> Any:
        while True:
            yield from written

    report = noted(tree("model", FILES), note(endless))
    assert not report.accepted
    (refused,) = report.refused
    assert refused.error.code == "limit"


def test_the_written_subject_stays_what_was_signed(model: Path) -> None:
    made = sign_model(model, signer=RELEASE)
    (written,) = made.statement_unverified.subjects
    assert isinstance(made.statement_unverified, Statement)
    assert (written.digest.form, written.digest.get("sha256")) == (Form.FILE, roots(Model(model).measure())["spec"])
