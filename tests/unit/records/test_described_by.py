"""Does a record learn what was measured, and refuse to contradict it?"""

import hashlib
from typing import Any

import pytest

from glasswing_attest.artifact.digest import DigestSet, Form
from glasswing_attest.artifact.extension import extending
from glasswing_attest.artifact.leaves import head_of
from glasswing_attest.artifact.manifest import FileEntry, Manifest
from glasswing_attest.errors import FieldMissing, FieldRefused
from glasswing_attest.records import CodeRecord, DataRecord, ExtendedDataset, ModelRecord, TreeSummary

FILES = [
    FileEntry(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    for name, content in (("a.csv", b"1,2\n"), ("b.csv", b""))
]
TREE = Manifest.of_tree("dataset", FILES, excluded=["tmp"])
DIR_HASH = TREE.digests.get("dirHash") or ""
ROOT = head_of(TREE).root.hex()
FILE = Manifest.of_file("model", FILES[0])
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def checkout(**facts: str) -> Manifest:
    digests = DigestSet.of(gitCommit=COMMIT, gitTree="c" * 40)
    return Manifest(kind="code", form=Form.GIT, digests=digests, facts=facts)


def test_a_tree_is_summarised() -> None:
    summary = TreeSummary(dir_hash=DIR_HASH, files=2, total_bytes=4, merkle_root=ROOT, excluded=["tmp"])
    assert DataRecord(name="d", license="MIT").described_by(TREE) == DataRecord(name="d", license="MIT", tree=summary)
    assert ModelRecord(name="m").described_by(TREE).tree == summary
    assert CodeRecord(name="c").described_by(TREE) == CodeRecord(name="c", source_tree=summary)


@pytest.mark.parametrize("size", [None, 0, 2**63])
@pytest.mark.parametrize(("root", "of"), [("merkle_root", "files"), ("manifest_tree_root", "manifest_tree_size")])
def test_a_root_is_said_with_the_size_of_a_tree(root: str, of: str, size: int | None) -> None:
    told: dict[str, Any] = {of: size, root: ROOT}
    with pytest.raises(FieldRefused) as refused:
        TreeSummary(dir_hash=DIR_HASH, **told)
    assert refused.value.because == f"{root} means nothing without {of}, from 1 and below 2^63"
    # Of a tree of no files, and of one without a root, everything else may be said.
    del told[root]
    assert TreeSummary(dir_hash=DIR_HASH, **told).dir_hash == DIR_HASH


def test_what_no_record_says_is_missing() -> None:
    said = TreeSummary(dir_hash=DIR_HASH, files=2)
    for head, where in (("head", "tree.merkleRoot"), ("manifest_tree_head", "tree.manifestTreeRoot")):
        with pytest.raises(FieldMissing) as missing:
            getattr(said, head)
        assert missing.value.where == where


def test_what_was_said_and_is_true_stays() -> None:
    said = TreeSummary(dir_hash=DIR_HASH, files=2, merkle_root=ROOT, manifest_tree_size=1, manifest_tree_root="a" * 64)
    tree = DataRecord(name="d", tree=said).described_by(TREE).tree
    assert tree is not None
    assert (tree.total_bytes, tree.merkle_root, tree.manifest_tree_root, tree.excluded) == (4, ROOT, "a" * 64, ("tmp",))


@pytest.mark.parametrize(
    ("said", "where"),
    [
        (TreeSummary(dir_hash="a" * 64), "dir_hash"),
        (TreeSummary(dir_hash=DIR_HASH, files=3), "files"),
        (TreeSummary(dir_hash=DIR_HASH, total_bytes=0), "total_bytes"),
        (TreeSummary(dir_hash=DIR_HASH, files=2, merkle_root="a" * 64), "merkle_root"),
        (TreeSummary(dir_hash=DIR_HASH, excluded=[".git"]), "excluded"),
    ],
)
def test_a_contradiction_is_refused(said: TreeSummary, where: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        DataRecord(name="d", tree=said).described_by(TREE)
    assert refused.value.where == f"DataRecord.tree.{where}"
    with pytest.raises(FieldRefused) as refused:
        CodeRecord(name="c", source_tree=said).described_by(TREE)
    assert refused.value.where == f"CodeRecord.source_tree.{where}"


def test_said_to_exclude_what_was_not_excluded_is_a_contradiction() -> None:
    said = TreeSummary(dir_hash=DIR_HASH, excluded=["tmp"])
    with pytest.raises(FieldRefused):
        ModelRecord(name="m", tree=said).described_by(Manifest.of_tree("model", FILES))


def test_a_single_file_has_no_tree() -> None:
    assert ModelRecord(name="m").described_by(FILE) == ModelRecord(name="m")
    with pytest.raises(FieldRefused) as refused:
        ModelRecord(name="m", tree=TreeSummary(dir_hash=DIR_HASH)).described_by(FILE)
    assert refused.value.where == "ModelRecord.tree"


def test_a_listing_without_sizes_gives_no_sum() -> None:
    tree = DataRecord(name="d").described_by(Manifest.from_listing(TREE.listing)).tree
    assert tree == TreeSummary(dir_hash=DIR_HASH, files=2)


def test_a_declared_digest_gives_no_figures() -> None:
    declared = Manifest.declared("model", {"dirHash": DIR_HASH})
    assert ModelRecord(name="m").described_by(declared).tree == TreeSummary(dir_hash=DIR_HASH)
    whole = TreeSummary(dir_hash=DIR_HASH, files=2, total_bytes=4, excluded=["tmp"])
    assert ModelRecord(name="m", tree=whole).described_by(declared).tree == whole


def test_a_checkout_says_its_commit() -> None:
    measured = checkout(repository="git+https://github.com/acme/train", ref="refs/heads/main", dirty="false")
    assert CodeRecord(name="c").described_by(measured) == CodeRecord(
        name="c",
        repository="git+https://github.com/acme/train",
        commit=COMMIT,
        tree="c" * 40,
        ref="refs/heads/main",
        dirty=False,
    )
    assert CodeRecord(name="c").described_by(checkout(dirty="true")).dirty is True
    bare = CodeRecord(name="c").described_by(checkout())
    assert (bare.dirty, bare.ref, bare.repository) == (None, None, None)


@pytest.mark.parametrize(
    ("record", "where"),
    [
        (CodeRecord(name="c", commit="a" * 40), "commit"),
        (CodeRecord(name="c", tree="a" * 40), "tree"),
        (CodeRecord(name="c", ref="refs/heads/other"), "ref"),
        (CodeRecord(name="c", dirty=False), "dirty"),
        (CodeRecord(name="c", repository="git+https://github.com/evil/train"), "repository"),
    ],
)
def test_a_checkout_contradicts(record: CodeRecord, where: str) -> None:
    measured = checkout(repository="git+https://github.com/acme/train", ref="refs/heads/main", dirty="true")
    with pytest.raises(FieldRefused) as refused:
        record.described_by(measured)
    assert refused.value.where == f"CodeRecord.{where}"


def test_unknown_fields_stay() -> None:
    record = DataRecord.from_json(b'{"name": "d", "extra": 1}').described_by(TREE)
    assert record.unknown_fields == {"extra": 1}
    assert record.tree is not None


# --- the version that a dataset extends ------------------------------------------------------------------------------

NEW = FileEntry(name="Z.csv", size=4, sha256=hashlib.sha256(b"3,4\n").hexdigest())
LARGER = extending(Manifest.of_tree("dataset", [*FILES, NEW]), TREE)
PARENT = ExtendedDataset(name="d", version="1", digest={"dirHash": DIR_HASH}, files=2, merkle_root=ROOT)


def test_what_is_extended_is_told_by_the_manifest() -> None:
    record = DataRecord(name="d", extends=ExtendedDataset(name="d", version="1")).described_by(LARGER)
    assert record.extends == PARENT
    assert record.tree is not None
    assert record.tree.head == head_of(LARGER)
    assert record.described_by(LARGER) == record


@pytest.mark.parametrize(
    ("said", "where"),
    [
        (ExtendedDataset(name="d", digest={"dirHash": "a" * 64}), "digest.dirHash"),
        (ExtendedDataset(name="d", files=3), "files"),
        (ExtendedDataset(name="d", files=2, merkle_root="a" * 64), "merkle_root"),
    ],
)
def test_another_parent_is_a_contradiction(said: ExtendedDataset, where: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        DataRecord(name="d", extends=said).described_by(LARGER)
    assert refused.value.code == "malformed.field"
    assert refused.value.where == f"DataRecord.extends.{where}"


def test_other_digests_of_the_parent_stay() -> None:
    said = ExtendedDataset(name="d", version="1", digest={"sha512": "0" * 128})
    extends = DataRecord(name="d", extends=said).described_by(LARGER).extends
    assert extends is not None
    assert (dict(extends.digest), extends.merkle_root) == ({"sha512": "0" * 128}, ROOT)


def test_the_record_must_say_what_the_manifest_extends() -> None:
    with pytest.raises(FieldRefused) as refused:
        DataRecord(name="d").described_by(LARGER)
    assert refused.value.where == "DataRecord.extends"
    assert DIR_HASH in str(refused.value)


def test_a_root_that_the_manifest_does_not_begin_with_cannot_be_said() -> None:
    plain = Manifest.of_tree("dataset", [*FILES, NEW])
    with pytest.raises(FieldRefused) as refused:
        DataRecord(name="d", extends=PARENT).described_by(plain)
    assert refused.value.where == "DataRecord.extends"
    assert "extending(" in refused.value.do
    # Without the root nothing is claimed that the leaves could show; and what has no files says nothing either way.
    named = ExtendedDataset(name="d", digest={"dirHash": DIR_HASH})
    assert DataRecord(name="d", extends=named).described_by(plain).extends == named
    declared = Manifest.declared("dataset", plain.digests)
    assert DataRecord(name="d", extends=PARENT).described_by(declared).extends == PARENT
