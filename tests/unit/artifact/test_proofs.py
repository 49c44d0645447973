"""Is one file proved to belong, strictly read, and is nothing proved that only looks like it?"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.extension import extends
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.artifact.leaves import Directory, head_of, leaf
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.manifests import ManifestTree, merge, sum_up
from glasswing_attest.artifact.merkle import HashTree, TreeHead, head_of_hashes, leaf_hash
from glasswing_attest.artifact.proofs import ConsistencyProof, InclusionProof, MerkleTree, prove
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactUnreadable,
    DigestRefused,
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    Mismatch,
    NotExtended,
    NotProtobuf,
    PartUnproven,
    UsageError,
)
from glasswing_attest.limits import Limits


def entry(name: str, content: bytes = b"") -> FileEntry:
    return FileEntry(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


CONTENTS = {f"model-{i:05}": b"weights %d" % i for i in range(5)}
FILES = [entry(name, content) for name, content in CONTENTS.items()]
MANIFEST = Manifest.of_tree("model", FILES)
HEAD = head_of(MANIFEST)
PROOF = prove(MANIFEST, "model-00003")


# --- opening ---------------------------------------------------------------------------------------------------------


def test_the_file_that_belongs_is_read_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "downloaded").write_bytes(CONTENTS["model-00003"])
    with PROOF.open(HEAD, "model-00003", tmp_path / "downloaded") as file:
        assert file.read() == b"weights 3"


def test_a_proof_of_another_file_of_the_tree_is_refused(tmp_path: Path) -> None:
    # The attack: file 3, with its own true proof, lies where file 4 is asked for.
    (tmp_path / "model-00004").write_bytes(CONTENTS["model-00003"])
    with pytest.raises(PartUnproven) as refused:
        PROOF.open(HEAD, "model-00004", tmp_path / "model-00004")
    assert (refused.value.where, refused.value.found, refused.value.wanted) == (
        "proof.file.name",
        "model-00003",
        "model-00004",
    )


def test_other_bytes_are_not_given(tmp_path: Path) -> None:
    path = tmp_path / "model-00003"
    path.write_bytes(b"weights 9")
    with pytest.raises(Mismatch) as refused, PROOF.open(HEAD, "model-00003", path) as file:
        file.read()
    assert (refused.value.code, refused.value.where) == ("verification.mismatch", str(path))


def test_nothing_is_opened_before_it_is_proved(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    with pytest.raises(PartUnproven) as refused:
        PROOF.open(TreeHead(size=5, root=bytes(32)), "model-00003", absent)
    assert (refused.value.code, refused.value.where) == ("verification.part", "proof")
    with pytest.raises(ArtifactUnreadable):
        PROOF.open(HEAD, "model-00003", absent)


def test_a_path_that_none_can_be_is_refused_like_one_that_is_absent() -> None:
    with pytest.raises(ArtifactUnreadable) as refused:
        PROOF.open(HEAD, "model-00003", "a\0b")
    assert refused.value.where == "a\0b"


def test_only_what_the_leaf_commits_to_comes_with_a_proof() -> None:
    more = DigestSet.of(sha512=hashlib.sha512(b"weights 0").hexdigest())
    told = [replace(f, more=DigestSet.of(sha512="0" * 128), mode=0o111) for f in FILES]
    proved = prove(Manifest.of_tree("model", told), "model-00000").check(HEAD)
    assert more != DigestSet(())
    assert proved == FILES[0]
    assert isinstance(proved, FileEntry)
    assert (proved.more, proved.mode) == (DigestSet(()), 0)


def test_what_has_no_leaves_has_no_proof() -> None:
    for manifest in (
        Blob(b"one file", name="a").measure(),
        Manifest.declared("model", MANIFEST.digests),
        Manifest.from_listing(MANIFEST.listing, kind="model"),
    ):
        with pytest.raises(UsageError) as refused:
            prove(manifest, "a")
        assert refused.value.code == "usage"
    with pytest.raises(UsageError) as refused:
        prove(MANIFEST, "model-00009")
    assert refused.value.where == "model-00009"
    with pytest.raises(UsageError):
        MerkleTree.of(MANIFEST).proof("\udcff")


# --- what a root is not ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: MerkleTree.of("model"), "manifest"),  # type: ignore[arg-type]
        (lambda: head_of(Path("model")), "manifest"),  # type: ignore[arg-type]
        (lambda: prove(None, "a"), "manifest"),  # type: ignore[arg-type]
        (lambda: MerkleTree.of(MANIFEST).proof(3), "name"),  # type: ignore[arg-type]
        (lambda: PROOF.check("head"), "head"),  # type: ignore[arg-type]
        (lambda: extends("v1.json", MANIFEST), "old"),  # type: ignore[arg-type]
        (lambda: extends(MANIFEST, "v2.json"), "manifest"),  # type: ignore[arg-type]
        (lambda: InclusionProof.from_json("{}"), "proof"),  # type: ignore[arg-type]
    ],
)
def test_what_is_of_another_type_is_a_usage_error(call: Callable[[], object], where: str) -> None:
    with pytest.raises(UsageError) as refused:
        call()
    assert (refused.value.code, refused.value.where) == ("usage", where)


def test_a_root_identifies_nothing() -> None:
    root = HEAD.root.hex()
    for name in ("merkleRoot", "merkle_root", "merkleRootV1"):
        digests = DigestSet.of({name: root})
        assert digests.identity == ()
        assert not digests.matches(digests)
        with pytest.raises(DigestRefused) as refused:
            Manifest.declared("model", digests)
        assert refused.value.where == "manifest.digest"


def test_a_file_whose_sha256_is_the_root_is_not_the_tree() -> None:
    # The two hashes below the root, with the byte in front, are a file. Its digest is the root.
    tree = HashTree(leaf_hash(leaf(f)) for f in FILES)
    forged = Blob(b"\x01" + tree.node(0, 4) + tree.node(4, 5), name="model", kind="model").measure()
    assert forged.digests.get("sha256") == HEAD.root.hex()
    assert not forged.digests.matches(MANIFEST.digests)
    assert forged.digests.form is not MANIFEST.digests.form
    # Nor is the file that has a leaf's bytes the file that the leaf is about.
    assert entry("x", b"\x00" + leaf(FILES[0])).sha256 == leaf_hash(leaf(FILES[0])).hex() != FILES[0].sha256


def test_names_are_committed_to() -> None:
    swapped = [replace(FILES[0], name=FILES[1].name), replace(FILES[1], name=FILES[0].name), *FILES[2:]]
    assert head_of(Manifest.of_tree("model", swapped)) != HEAD


def test_a_node_is_no_leaf_and_a_directory_is_no_file() -> None:
    # The two leaves of the whole's left half, given as if they were one: the first byte of a hash keeps them apart.
    tree = HashTree(leaf_hash(leaf(f)) for f in FILES)
    node = tree.node(0, 1) + tree.node(1, 2)
    assert head_of_hashes([leaf_hash(node)]).root != tree.node(0, 2)
    directory = Directory.of("a", MANIFEST)
    assert leaf(directory).splitlines()[0] != leaf(FILES[0]).splitlines()[0]


@pytest.mark.parametrize(
    ("size", "root"), [(0, bytes(32)), (-1, bytes(32)), (2**63, bytes(32)), (1, b""), (1, bytes(31))]
)
def test_a_head_has_a_size_and_a_whole_root(size: int, root: bytes) -> None:
    with pytest.raises((FieldRefused, DigestRefused)) as refused:
        TreeHead(size=size, root=root)
    assert refused.value.where == ("head.root" if size == 1 else "head.size")
    with pytest.raises(FieldRefused):
        head_of_hashes([])


# --- reading ---------------------------------------------------------------------------------------------------------


def changed(**members: object) -> bytes:
    found: dict[str, Any] = json.loads(PROOF.to_json())
    for name, value in members.items():
        if value is None:
            del found[name]
        else:
            found[name] = value
    return json.dumps(found).encode()


FILE = {"name": "a", "size": "1", "sha256": "ab" * 32}
DIRECTORY = {"name": "a", "files": "1", "totalBytes": "1", "dirHash": "ab" * 32, "merkleRoot": "ab" * 32}
REFUSED: list[tuple[bytes, type[GlasswingError], str]] = [
    (changed(format="glasswing-attest inclusion proof 2"), FormatUnsupported, "proof.format"),
    (changed(format=None), FieldMissing, "proof.format"),
    (changed(index=None), FieldMissing, "proof.index"),
    (changed(treeSize=None), FieldMissing, "proof.treeSize"),
    (changed(index="05"), FieldRefused, "proof.index"),
    (changed(index=-1), FieldRefused, "proof.index"),
    (changed(index="5"), FieldRefused, "proof.index"),
    (changed(treeSize="0"), FieldRefused, "proof.treeSize"),
    (changed(treeSize="9223372036854775808"), FieldRefused, "proof.treeSize"),
    (changed(hashes="x"), FieldRefused, "proof.hashes"),
    (changed(hashes=["AA=="]), FieldRefused, "proof.hashes[0]"),
    (changed(hashes=["A" * 43 + "="] * 65), LimitError, "proof.hashes"),
    (changed(file=None), FieldRefused, "proof"),
    (changed(directory=DIRECTORY), FieldRefused, "proof"),
    (changed(file={**FILE, "name": "../a"}), FieldRefused, "proof.file.name"),
    (changed(file={**FILE, "name": "a\nb"}), FieldRefused, "proof.file.name"),
    (changed(file={**FILE, "name": "a" * 4097}), LimitError, "proof.file.name"),
    (changed(file={**FILE, "sha256": "AB" * 32}), DigestRefused, "proof.file.sha256"),
    (changed(file={**FILE, "size": "0"}), FieldRefused, "proof.file.size"),
    (changed(file={**FILE, "size": None}), FieldMissing, "proof.file.size"),
    (changed(file=None, directory={**DIRECTORY, "files": "0"}), FieldRefused, "proof.directory.files"),
    (changed(file=None, directory={**DIRECTORY, "dirHash": "x"}), DigestRefused, "proof.directory.dirHash"),
    (changed(file=None, directory={**DIRECTORY, "name": ""}), FieldRefused, "proof.directory.name"),
    (b" " * 70_000, LimitError, "proof"),
]


@pytest.mark.parametrize(("data", "error", "where"), REFUSED)
def test_a_malformed_proof_is_refused_with_its_place(data: bytes, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        InclusionProof.from_json(data)
    assert type(refused.value) is error
    assert refused.value.where == where


def test_unknown_fields_are_ignored() -> None:
    assert InclusionProof.from_json(changed(rootHash="nobody believes it")) == PROOF


def test_the_binary_form_is_as_strict() -> None:
    message = PROOF.to_proto()
    with pytest.raises(NotProtobuf):
        InclusionProof.from_proto(message[:-1])
    with pytest.raises(FieldMissing) as missing:
        InclusionProof.from_proto(b"")
    assert missing.value.where == "proof.file"
    with pytest.raises(FieldRefused) as refused:
        InclusionProof.from_proto(message.replace(b"\x20\x05", b"\x20\x02"))
    assert refused.value.where == "proof.index"
    for bound, where in (("proof_bytes", "proof"), ("proof_hashes", "proof.hashes"), ("name_bytes", "proof.file.name")):
        with pytest.raises(LimitError) as limited:
            InclusionProof.from_proto(message, limits=Limits(**{bound: 1}))
        assert limited.value.where == where
    with pytest.raises(FieldRefused) as refused:
        ConsistencyProof.from_proto(b"\x08\x03\x10\x02")
    assert refused.value.where == "proof.oldSize"


def test_a_proof_in_a_file(tmp_path: Path) -> None:
    PROOF.write(tmp_path / "p.json")
    assert InclusionProof.load(tmp_path / "p.json") == PROOF
    with pytest.raises(ArtifactUnreadable):
        InclusionProof.load(tmp_path / "absent.json")


# --- extending -------------------------------------------------------------------------------------------------------


def test_a_second_leaf_for_a_name_is_consistent_and_does_not_extend() -> None:
    # The attack: another a.csv is added behind, and a reader takes the last one. The leaves alone do not show it.
    v1 = Manifest.of_tree("dataset", [entry("a.csv", b"good"), entry("b.csv", b"good")])
    leaves = [leaf_hash(leaf(f)) for f in (*v1.files, entry("a.csv", b"evil"))]
    tree = HashTree(leaves)
    proof = ConsistencyProof(old_size=2, new_size=3, hashes=tree.consistency(0, 2))
    proof.check(head_of(v1), tree.head)
    # But there is no manifest that holds a name twice, in whatever order, and so nothing that could be asked.
    with pytest.raises(FieldRefused) as refused:
        Manifest.of_tree("dataset", [*v1.files, entry("a.csv", b"evil")])
    assert refused.value.because == "it occurs twice"
    v2 = Manifest.of_tree("dataset", [entry("a.csv", b"evil"), entry("b.csv", b"good")])
    with pytest.raises(NotExtended) as not_extended:
        extends(head_of(v1), v2)
    assert not_extended.value.code == "verification.extension"
    with pytest.raises(NotExtended) as not_extended:
        extends(v1, v2)
    assert not_extended.value.where == "a.csv"


@pytest.mark.parametrize(
    ("generations", "found"),
    [
        ((0, 0, 0, 0, 0), "0 to 0"),
        ((1, 1, 1, 1, 1), "1 to 1"),
        ((0, 0, 2, 0, 0), "0 to 2"),
        ((0, 0, 0, 0, 2**32 - 1), f"0 to {2**32 - 1}"),
        ((0, 1), "2 numbers"),
    ],
)
def test_generations_have_one_spelling(generations: tuple[int, ...], found: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        replace(MANIFEST, generations=generations)
    assert (refused.value.where, refused.value.found) == ("manifest.generations", found)


def test_consistency_of_other_sizes_is_refused() -> None:
    tree = MerkleTree.of(MANIFEST)
    proof = tree.consistency(3)
    old = head_of_hashes(leaf_hash(leaf(f)) for f in FILES[:3])
    proof.check(old, HEAD)
    for wrong_old, wrong_new, where in (
        (replace(old, size=2), HEAD, "proof.oldSize"),
        (old, replace(HEAD, size=6), "proof.newSize"),
        (replace(old, root=bytes(32)), HEAD, "proof.old.root"),
        (old, replace(HEAD, root=bytes(32)), "proof.new.root"),
    ):
        with pytest.raises(NotExtended) as refused:
            proof.check(wrong_old, wrong_new)
        assert refused.value.where == where
    for size in (0, 6):
        with pytest.raises(FieldRefused) as malformed:
            tree.consistency(size)
        assert malformed.value.where == "subtree"


def test_every_proof_of_a_later_version_is_found_without_a_search() -> None:
    files = [entry(f"{i:03}", b"%d" % i) for i in range(40)]
    later = replace(Manifest.of_tree("dataset", files), generations=tuple((i * 7) % 3 for i in range(40)))
    tree = MerkleTree.of(later)
    places = sorted(range(40), key=lambda i: later.generations[i])
    assert [tree.proof(files[i].name).index for i in places] == list(range(40))
    assert [tree.proof(f.name).check(head_of(later)) for f in files] == files


# --- trees of manifests ----------------------------------------------------------------------------------------------

PARTS = {name: Manifest.of_tree("dataset", [entry("x", name.encode()), entry("y")]) for name in ("a", "a-b", "c/d")}
DIRECTORIES = tuple(Directory.of(name, part) for name, part in PARTS.items())
LAKE = ManifestTree(directories=DIRECTORIES, files=(entry("README", b"read me"),))


def test_two_proofs_lead_from_a_file_to_the_whole(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"c/d")
    of_directory, of_file = LAKE.proof("c/d"), prove(PARTS["c/d"], "x")
    assert of_directory.check(LAKE.head) == DIRECTORIES[2]
    assert LAKE.proof("README").check(LAKE.head).name == "README"
    # What is proved has its name in the whole.
    assert of_file.check(LAKE.head, directory=of_directory) == entry("c/d/x", b"c/d")
    with of_file.open(LAKE.head, "c/d/x", tmp_path / "x", directory=of_directory) as file:
        assert file.read() == b"c/d"


@pytest.mark.parametrize(
    ("of_file", "of_directory", "where"),
    [
        # The directory's proof of another one; of none; of the file itself; a directory within a directory.
        (prove(PARTS["c/d"], "x"), LAKE.proof("a"), "proof"),
        (prove(PARTS["c/d"], "x"), LAKE.proof("README"), "directory.file"),
        (prove(PARTS["c/d"], "x"), prove(PARTS["c/d"], "x"), "directory.treeSize"),
        (LAKE.proof("c/d"), LAKE.proof("c/d"), "proof.treeSize"),
        (LAKE.proof("README"), LAKE.proof("a"), "proof.treeSize"),
        # A file that is proved within a directory is not thereby proved within the whole.
        (prove(PARTS["c/d"], "x"), None, "proof.treeSize"),
    ],
)
def test_proofs_that_do_not_go_together_prove_nothing(
    of_file: InclusionProof, of_directory: InclusionProof | None, where: str, tmp_path: Path
) -> None:
    with pytest.raises(PartUnproven) as refused:
        of_file.check(LAKE.head, directory=of_directory)
    assert refused.value.where == where
    with pytest.raises(PartUnproven) as refused:
        of_file.open(LAKE.head, "c/d/x", tmp_path / "absent", directory=of_directory)
    assert refused.value.where == where


def test_a_directory_is_no_file_and_lies_in_no_other(tmp_path: Path) -> None:
    with pytest.raises(PartUnproven) as refused:
        LAKE.proof("a").open(LAKE.head, "a", tmp_path)
    assert (refused.value.where, refused.value.found) == ("proof.directory", "a")
    # Nobody makes such a tree here. Were one signed, what lies in it would have two names for one place.
    nested = ManifestTree(directories=(Directory.of("inner", MANIFEST),))
    outer = replace(DIRECTORIES[0], name="outer", files=1, merkle_root=nested.head.root.hex())
    tree = ManifestTree(directories=(outer,))
    with pytest.raises(PartUnproven) as refused:
        nested.proof("inner").check(tree.head, directory=tree.proof("outer"))
    assert (refused.value.where, refused.value.found) == ("proof.directory", "inner")


def test_a_name_within_a_directory_is_asked_for_in_whole(tmp_path: Path) -> None:
    for name in ("x", "a/x", "d/x", "c/d/y"):
        with pytest.raises(PartUnproven) as refused:
            prove(PARTS["c/d"], "x").open(LAKE.head, name, tmp_path, directory=LAKE.proof("c/d"))
        assert (refused.value.where, refused.value.found) == ("proof.file.name", "c/d/x")


@pytest.mark.parametrize(
    ("names", "files", "because"),
    [
        (("a", "a"), (), "it occurs twice"),
        (("a", "a/b"), (), "it lies within a, which is listed too"),
        (("a", "a-b", "a/b"), (), "it lies within a, which is listed too"),
        (("a/b",), ("a",), "it lies within a, which is listed too"),
        (("a",), ("a",), "it lies within a, which is listed too"),
        (("a",), ("a/x",), "it lies within a, which is listed too"),
        ((), ("a", "a"), "it occurs twice"),
        ((), ("a", "a-b", "a/b"), "it lies within a, which is listed too"),
    ],
)
def test_overlaps_are_refused(names: tuple[str, ...], files: tuple[str, ...], because: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        ManifestTree(directories=tuple(Directory.of(n, MANIFEST) for n in names), files=tuple(entry(n) for n in files))
    assert (refused.value.code, refused.value.because) == ("malformed.field", because)
    assert refused.value.where == "manifestTree"


def test_a_manifest_that_is_not_the_directorys_is_refused() -> None:
    with pytest.raises(Mismatch) as refused:
        list(LAKE.files_of(lambda _: PARTS["a"]))
    assert refused.value.where == "a-b"
    # The same listing, and other sizes: dirHash does not tell, the Merkle root does.
    lying = Manifest.of_tree("dataset", [replace(PARTS["a"].files[0], size=9), PARTS["a"].files[1]])
    assert lying.digests == PARTS["a"].digests
    with pytest.raises(Mismatch):
        list(LAKE.files_of({**PARTS, "a": lying}.__getitem__))


def names_of(parts: list[list[str]]) -> list[list[FileEntry]]:
    return [[entry(name) for name in part] for part in parts]


@pytest.mark.parametrize(
    ("parts", "where", "because"),
    [
        ([["a"], ["a"]], "parts", "it occurs twice"),
        ([["b", "a"]], "parts[0]", "the names are not sorted by their UTF-8 bytes"),
        ([["a", "b"], ["a-b"], ["a/b"]], "parts", "it lies within a, which is listed too"),
    ],
)
def test_parts_that_do_not_go_together_are_not_merged(parts: list[list[str]], where: str, because: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        list(merge(names_of(parts)))
    assert (refused.value.where, refused.value.because) == (where, because)


def test_a_name_that_is_no_text_is_refused_like_any_other() -> None:
    bad = FileEntry(name="\udcff", size=1, sha256="ab" * 32)
    for refuse in (lambda: ManifestTree(files=(bad,)), lambda: sum_up([bad])):
        with pytest.raises(FieldRefused) as refused:
            refuse()
        assert refused.value.because == "the name is not UTF-8"
    with pytest.raises(FieldRefused) as refused:
        list(merge([[bad], [bad]]))
    assert refused.value.because == "it occurs twice"


def test_there_is_no_sum_of_nothing_and_none_without_sizes() -> None:
    with pytest.raises(ArtifactEmpty):
        sum_up([])
    with pytest.raises(ArtifactEmpty):
        ManifestTree()
    with pytest.raises(ArtifactEmpty):
        ManifestTree.from_proto(b"")
    with pytest.raises(FieldRefused) as refused:
        sum_up([FileEntry(name="a", size=None, sha256="ab" * 32)])
    assert refused.value.where == "files[0].size"


def edited(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new, 1)


@pytest.mark.parametrize(
    ("change", "error", "where"),
    [
        (edited(b"\x0a\x03a-b", b"\x0a\x03d-b"), FieldRefused, "manifestTree"),
        (edited(b"\x0a\x01a", b"\x0a\x01/"), FieldRefused, "manifestTree.directories[1].name"),  # behind a-b
        (edited(b"\x0a\x06README", b"\x0a\x06REA/ME"), None, ""),
        (edited(b"\x0a\x06README", b"\x0a\x06REA\x00ME"), FieldRefused, "manifestTree.files[0].name"),
        (lambda data: data[:-1], NotProtobuf, "manifestTree"),
    ],
)
def test_a_tree_from_elsewhere_is_read_strictly(
    change: Callable[[bytes], bytes], error: type[GlasswingError] | None, where: str
) -> None:
    assert change(LAKE.to_proto()) != LAKE.to_proto()
    if error is None:
        assert ManifestTree.from_proto(change(LAKE.to_proto())).head != LAKE.head
        return
    with pytest.raises(error) as refused:
        ManifestTree.from_proto(change(LAKE.to_proto()))
    assert refused.value.where == where


def test_a_tree_has_a_bound() -> None:
    with pytest.raises(LimitError) as refused:
        ManifestTree.from_proto(LAKE.to_proto(), limits=Limits(tree_files=3))
    assert refused.value.where == "manifestTree"
