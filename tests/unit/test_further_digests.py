"""Is a file verified by whatever digest a trusted statement names it by, and by no other, and is it read once?"""

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import File, KeySigner, Model, Policy, Trust, Verifier, replay, sign_statement
from glasswing_attest.artifact import hashing, pool
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.manifest import Artifact
from glasswing_attest.claims import opaque

DATA = b"weights" * 20_000
TYPE = "https://x.example/published/v1"
SIGNER, STRANGER = KeySigner.generate(), KeySigner.generate()
POLICY = Policy.parse(
    f"""
version: 1
times: claimed
identities: {{registry: {{key: registry}}}}
nodes:
  file: {{require: [{{predicate: {TYPE}, signed_by: {{any_of: [registry]}}}}]}}
  model: {{require: [{{predicate: {TYPE}, signed_by: {{any_of: [registry]}}}}]}}
""".encode()
)
VERIFIER = Verifier(policy=POLICY, trust=Trust.of(registry=SIGNER.public_key), predicates=(opaque(TYPE),))


def of(algorithm: str, data: bytes = DATA) -> dict[str, str]:
    return {algorithm: hashlib.new(algorithm, data).hexdigest()}


def said(*subjects: dict[str, str], by: KeySigner = SIGNER) -> Any:
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": digest} for digest in subjects],
        "predicateType": TYPE,
        "predicate": {},
    }
    return sign_statement(json.dumps(body).encode(), signer=by)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "package.tgz").write_bytes(DATA)
    return tmp_path / "package.tgz"


@pytest.mark.parametrize("algorithm", ["sha512", "sha384", "sha3_256", "blake2b"])
def test_a_file_is_found_by_the_digest_that_is_stated(path: Path, algorithm: str) -> None:
    artifacts: list[Artifact] = [File(path), Model(path), Blob(DATA)]
    for artifact in artifacts:
        report = VERIFIER.assess(artifact, [said(of(algorithm))])
        assert report.accepted
        assert report.artifact.digests.to_dict() == {**of("sha256"), **of(algorithm)}
        refused = VERIFIER.assess(artifact, [said(of(algorithm, b"other"))])
        assert refused.cause is not None
        assert (refused.accepted, refused.cause.code) == (False, "chain.no-attestation")


def test_the_bytes_are_read_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bytes] = []
    original = hashing.open_file

    def counting(name: bytes, *, dir_fd: int, where: str) -> int:
        opened.append(name)
        return original(name, dir_fd=dir_fd, where=where)

    monkeypatch.setattr(pool, "open_file", counting)
    assert VERIFIER.assess(File(path), [said(of("sha512")), said(of("sha384"))]).accepted
    assert opened == [b"package.tgz"]


def test_what_a_stranger_says_costs_nothing_and_changes_nothing(path: Path) -> None:
    junk = [said(of(name), by=STRANGER) for name in ("sha512", "sha384", "sha3_512")]
    report = VERIFIER.assess(File(path), [said(of("sha256")), *junk])
    assert report.accepted
    assert report.artifact.digests.to_dict() == of("sha256")
    assert not VERIFIER.assess(File(path), junk).accepted


def test_nothing_more_is_computed_where_sha256_is_stated(path: Path) -> None:
    report = VERIFIER.assess(File(path), [said({**of("sha256"), **of("sha512")})])
    assert report.accepted
    assert report.artifact.digests.to_dict() == of("sha256")


def test_digests_that_contradict_each_other_prove_nothing(path: Path) -> None:
    for wrong in ({**of("sha512"), **of("sha384", b"other")}, {**of("sha512", b"other"), **of("sha384")}):
        report = VERIFIER.assess(File(path), [said(wrong)])
        assert report.cause is not None
        assert (report.accepted, report.cause.code) == (False, "chain.no-attestation")


def test_a_weak_or_unknown_digest_proves_nothing(path: Path) -> None:
    for weak in (of("md5"), of("sha1"), {"unknown": "00"}, of("sha1") | of("md5")):
        report = VERIFIER.assess(File(path), [said(weak)])
        assert not report.accepted
        assert report.artifact.digests.to_dict() == of("sha256")


def test_what_cannot_be_computed_here_is_no_error(path: Path) -> None:
    if find_spec("blake3") is not None:
        pytest.skip("blake3 is installed")
    assert not VERIFIER.assess(File(path), [said({"blake3": "00" * 32})]).accepted


def test_a_directory_is_identified_by_its_dir_hash_alone(path: Path) -> None:
    report = VERIFIER.assess(Model(path.parent), [said(of("sha512"))])
    assert not report.accepted
    assert report.artifact.files[0].more.to_dict() == {}
    one = VERIFIER.assess(Model(path.parent), [said(of("sha512"), Model(path.parent).measure().digests.to_dict())])
    assert one.accepted


def test_what_was_measured_before_is_taken_as_it_is(path: Path) -> None:
    evidence = [said(of("sha512"))]
    assert not VERIFIER.assess(File(path).measure(), evidence).accepted
    assert VERIFIER.assess(File(path).measure(also=("sha512",)), evidence).accepted


def test_a_case_is_decided_the_same_again(path: Path, tmp_path: Path) -> None:
    report = VERIFIER.assess(File(path), [said(of("sha512"))])
    report.case(tmp_path / "case.zip")
    path.unlink()
    again = replay(tmp_path / "case.zip", predicates=(opaque(TYPE),))
    assert again.accepted
    assert again.artifact.digests == report.artifact.digests
