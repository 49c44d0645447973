"""Laws of Merkle trees: every proof checks, nothing else does, and extending is what it says.

Roots and proofs are compared with the RFC's own recursive definitions, written down below without a look at ours.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise, product
from typing import TypeVar

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from glasswing_attest.artifact.extension import extending, extends, parent_of
from glasswing_attest.artifact.files import FileEntry, dir_hash
from glasswing_attest.artifact.leaves import Directory, head_of, in_leaf_order, leaf, leaf_hashes
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.manifests import ManifestTree, merge, sum_up
from glasswing_attest.artifact.merkle import (
    HashTree,
    TreeHead,
    check_subtree,
    head_of_hashes,
    inclusion_root,
    is_subtree,
)
from glasswing_attest.artifact.proofs import ConsistencyProof, InclusionProof, MerkleTree, prove
from glasswing_attest.errors import FieldRefused, GlasswingError, NotExtended, PartUnproven

_T = TypeVar("_T")

# --- RFC 6962, section 2.1, as it stands there -----------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    if len(d) == 1:
        return sha256(b"\x00" + d[0])
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:]))


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if m == len(d):
        return [] if whole else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], whole=whole), mth(d[k:])]
    return [*subproof(m - k, d[k:], whole=False), mth(d[:k])]


LEAVES = [b"leaf %d" % i for i in range(70)]
HASHES = [sha256(b"\x00" + data) for data in LEAVES]
SIZES = st.integers(1, len(LEAVES))


@given(SIZES)
def test_the_root_is_that_of_the_definition(size: int) -> None:
    head = TreeHead(size=size, root=mth(LEAVES[:size]))
    assert head_of_hashes(HASHES[:size]) == head
    assert HashTree(HASHES[:size]).head == head


@given(SIZES, st.data())
def test_an_inclusion_path_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    assert list(HashTree(HASHES[:size]).inclusion(index)) == path(index, LEAVES[:size])


@given(SIZES, st.data())
def test_a_consistency_proof_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    hashes = HashTree(HASHES[:size]).consistency(0, old)
    assert list(hashes) == subproof(old, LEAVES[:size], whole=True)
    check_subtree(mth(LEAVES[:old]), head_of_hashes(HASHES[:size]), start=0, end=old, hashes=hashes)


@given(SIZES, st.data())
def test_every_part_with_a_root_of_its_own_is_proved_and_no_other_root(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    assume(is_subtree(start, end, size))
    tree = HashTree(HASHES[:size])
    hashes = tree.consistency(start, end)
    check_subtree(mth(LEAVES[start:end]), tree.head, start=start, end=end, hashes=hashes)
    with pytest.raises(NotExtended):
        check_subtree(sha256(b""), tree.head, start=start, end=end, hashes=hashes)


def test_no_sequence_of_known_hashes_proves_what_is_not_so() -> None:
    # Whoever forges a proof knows every node of every version of the tree, and no preimage beyond.
    trees = {size: HashTree(HASHES[:size]) for size in range(1, 6)}
    known = sorted({mth(LEAVES[a:b]) for a in range(5) for b in range(a + 1, 6) if is_subtree(a, b, 5)})
    forged = [hashes for count in range(4) for hashes in product(known, repeat=count)]
    included, extended = set(), set()
    for size, index, hashes in product(trees, range(6), forged):
        for leaf_ in known:
            try:
                found = inclusion_root(leaf_, index=index, size=size, hashes=hashes)
            except PartUnproven:
                break  # of its shape, whatever the leaf
            if found == trees[size].head.root:
                included.add((size, index, leaf_))
        if index:
            for root in (tree.head.root for tree in trees.values()):
                try:
                    check_subtree(root, trees[size].head, start=0, end=index, hashes=hashes)
                except NotExtended:
                    continue
                extended.add((size, index, root))
    assert included == {(size, i, HASHES[i]) for size in trees for i in range(size)}
    versions_ = [(size, old) for size in trees for old in range(1, size + 1)]
    short = [(size, old) for size, old in versions_ if len(trees[size].consistency(0, old)) < 4]
    assert set(versions_) - set(short) == {(5, 3)}
    assert extended == {(size, old, trees[old].head.root) for size, old in short}


# --- manifests -------------------------------------------------------------------------------------------------------

names = st.lists(
    st.text(st.sampled_from("ab-/é"), min_size=1, max_size=5).filter(lambda n: all(n.split("/"))),
    min_size=1,
    max_size=9,
)
contents = st.binary(max_size=3)


def entry(name: str, content: bytes) -> FileEntry:
    return FileEntry(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def is_tree(found: Sequence[str]) -> bool:
    """Whether no name is a directory too."""
    return not any(a != b and b.startswith(f"{a}/") for a in found for b in found)


@st.composite
def file_entries(draw: st.DrawFn, least: int = 1) -> list[FileEntry]:
    found = sorted(set(draw(names)), key=str.encode)
    assume(is_tree(found) and len(found) >= least)
    return [entry(name, draw(contents)) for name in found]


@given(file_entries(), st.data())
def test_every_proof_checks_in_every_form(files: list[FileEntry], data: st.DataObject) -> None:
    manifest = Manifest.of_tree("model", files)
    chosen = data.draw(st.sampled_from(files))
    proof = prove(manifest, chosen.name)
    assert head_of(manifest).root == mth([leaf(f) for f in files])
    assert proof.check(head_of(manifest)) == chosen
    assert InclusionProof.from_json(proof.to_json()) == proof
    assert InclusionProof.from_proto(proof.to_proto()) == proof


@given(file_entries(), st.data())
def test_any_changed_byte_of_a_proof_is_refused(files: list[FileEntry], data: st.DataObject) -> None:
    manifest = Manifest.of_tree("model", files)
    proof = prove(manifest, data.draw(st.sampled_from(files)).name)
    head = head_of(manifest)
    for written, read in ((proof.to_json(), InclusionProof.from_json), (proof.to_proto(), InclusionProof.from_proto)):
        place = data.draw(st.integers(0, len(written) - 1))
        byte = written[place] ^ data.draw(st.integers(1, 255))
        changed = written[:place] + bytes([byte]) + written[place + 1 :]
        try:
            found = read(changed).check(head)
        except GlasswingError:
            continue
        # What was changed said nothing: it proves the very same. (Base64 has two alphabets.)
        assert found == proof.entry
        assert read(changed) == proof


@given(file_entries(least=2), st.data())
def test_a_proof_holds_for_its_own_size_index_root_and_file_only(files: list[FileEntry], data: st.DataObject) -> None:
    manifest = Manifest.of_tree("model", files)
    head = head_of(manifest)
    proof = prove(manifest, data.draw(st.sampled_from(files)).name)
    other = data.draw(st.integers(1, 20).filter(lambda n: n != head.size))
    assert isinstance(proof.entry, FileEntry)
    wrong: list[tuple[InclusionProof, TreeHead]] = [
        (proof, TreeHead(size=other, root=head.root)),
        (proof, TreeHead(size=head.size, root=sha256(head.root))),
        (replace(proof, entry=replace(proof.entry, name=f"{proof.entry.name}x")), head),
        (replace(proof, entry=entry(proof.entry.name, b"other")), head),
        (replace(proof, hashes=(*proof.hashes, sha256(b""))), head),
        (replace(proof, hashes=proof.hashes[:-1]), head),
    ]
    wrong += [(replace(proof, index=i), head) for i in range(head.size) if i != proof.index]
    if other > proof.index:  # consistently of another size: what then decides is the shape, or the root
        moved = replace(proof, tree_size=other)
        try:
            moved.check(TreeHead(size=other, root=head.root))
        except PartUnproven:
            pass
        else:
            # Near the front a leaf's way is as long in a tree of another size. That is why size and root are one value.
            assert len(path(proof.index, LEAVES[:other])) == len(proof.hashes)
    for changed, of in wrong:
        with pytest.raises(PartUnproven) as refused:
            changed.check(of)
        assert refused.value.code == "verification.part"
        assert refused.value.where.startswith("proof")


# --- extending -------------------------------------------------------------------------------------------------------


@st.composite
def versions(draw: st.DrawFn) -> list[Manifest]:
    """A dataset in two to four versions, each extending the one before."""
    files = draw(file_entries(least=2))
    ages = draw(st.lists(st.integers(0, 3), min_size=len(files), max_size=len(files)))
    kept = sorted(set(ages))
    assume(len(kept) >= 2)
    made: list[Manifest] = []
    for age in kept:
        found = Manifest.of_tree("dataset", [f for f, a in zip(files, ages, strict=True) if a <= age])
        made.append(extending(found, made[-1]) if made else found)
    return made


def begins_with(new: Manifest, old: Manifest) -> bool:
    return list(in_leaf_order(new))[: len(old.files)] == list(in_leaf_order(old))


@given(versions())
def test_extending_is_transitive_and_tells_its_parent(made: list[Manifest]) -> None:
    for i, old in enumerate(made):
        for new in made[i:]:
            head = head_of(new)
            assert extends(old, new) == extends(head_of(old), new) == head
            proof = MerkleTree.of(new).consistency(len(old.files))
            proof.check(head_of(old), head)
            assert ConsistencyProof.from_json(proof.to_json()) == ConsistencyProof.from_proto(proof.to_proto()) == proof
            assert begins_with(new, old)
    for old, new in pairwise(made):
        parent = parent_of(new)
        assert parent is not None
        assert (parent.files, parent.digests, parent.generations) == (old.files, old.digests, old.generations)
    assert parent_of(made[0]) is None
    for manifest in made:
        read = Manifest.from_proto(manifest.to_proto())
        assert (read.generations, read.files) == (manifest.generations, manifest.files)


def every_manifest() -> Iterator[Manifest]:
    """Every manifest of some of three names, of two contents, in every order that generations can tell."""
    for chosen in product((None, b"", b"1"), repeat=3):
        files = [entry(n, c) for n, c in zip(("a", "a-", "b/x"), chosen, strict=True) if c is not None]
        if files:
            first = Manifest.of_tree("dataset", files)
            yield first
            for generations in product(range(len(files)), repeat=len(files)):
                with contextlib.suppress(FieldRefused):
                    yield replace(first, generations=generations)


def attempt(call: Callable[[], _T]) -> _T | None:
    try:
        return call()
    except NotExtended:
        return None


def test_extending_is_what_it_says_for_all_small_datasets() -> None:
    def order(manifest: Manifest) -> list[FileEntry]:
        ages = manifest.generations or (0,) * len(manifest.files)
        return [f for _, _, f in sorted((a, f.name.encode(), f) for a, f in zip(ages, manifest.files, strict=True))]

    every = [(manifest, order(manifest), head_of(manifest)) for manifest in every_manifest()]
    assert len(every) == 146
    for (old, before, old_head), (new, after, head) in product(every, repeat=2):
        wanted = head if after[: len(before)] == before else None
        assert attempt(partial(extends, old, new)) == attempt(partial(extends, old_head, new)) == wanted
        made = attempt(partial(extending, new, old))
        assert (made is not None) is (set(before) < set(after))
        if made is not None:
            assert order(made) == before + sorted(set(after) - set(before), key=lambda f: f.name.encode())


@given(versions(), st.data())
def test_what_was_replaced_renamed_or_removed_does_not_extend(made: list[Manifest], data: st.DataObject) -> None:
    old, new = made[0], made[-1]
    victim = data.draw(st.sampled_from(old.files))
    files = {f.name: f for f in new.files}
    change = data.draw(st.sampled_from(["replace", "rename", "remove"]))
    if change == "replace":
        files[victim.name] = entry(victim.name, b"other")
    else:
        del files[victim.name]
        if change == "rename":
            files["zz"] = replace(victim, name="zz")
    assume(files)
    bad = Manifest.of_tree("dataset", files.values())
    with pytest.raises(NotExtended) as refused:
        extending(bad, old)
    assert refused.value.where == victim.name
    for given_old in (old, head_of(old)):
        with pytest.raises(NotExtended) as refused:
            extends(given_old, bad)
        assert refused.value.code == "verification.extension"


@given(versions(), st.data())
def test_another_order_of_the_leaves_does_not_extend(made: list[Manifest], data: st.DataObject) -> None:
    old, new = made[0], made[-1]
    order = data.draw(st.permutations(new.generations))
    other = replace(new, generations=tuple(order))
    if begins_with(other, old):
        assert extends(old, other) == extends(head_of(old), other) == head_of(other)
        return
    for given_old in (old, head_of(old)):
        with pytest.raises(NotExtended):
            extends(given_old, other)
    with pytest.raises(NotExtended):
        MerkleTree.of(other).consistency(len(old.files)).check(head_of(old), head_of(other))


@given(versions(), st.data())
def test_any_changed_byte_of_a_consistency_proof_is_refused(made: list[Manifest], data: st.DataObject) -> None:
    old, new = head_of(made[0]), head_of(made[-1])
    proof = MerkleTree.of(made[-1]).consistency(old.size)
    for written, read in (
        (proof.to_json(), ConsistencyProof.from_json),
        (proof.to_proto(), ConsistencyProof.from_proto),
    ):
        place = data.draw(st.integers(0, len(written) - 1))
        byte = data.draw(st.integers(0, 255))
        changed = written[:place] + bytes([byte]) + written[place + 1 :]
        try:
            read(changed).check(old, new)
        except GlasswingError:
            assert changed != written
            continue
        assert read(changed) == proof


# --- trees of manifests -----------------------------------------------------------------------------------------------


@given(file_entries())
@example([entry("a-b/x", b""), entry("a/x", b"")])  # directories sort as their files do, not as their names
@example([entry("a", b""), entry("b/a", b""), entry("b-/a", b"")])
def test_a_tree_of_manifests_is_the_whole(files: list[FileEntry]) -> None:
    whole = Manifest.of_tree("dataset", files)
    parts: dict[str, list[FileEntry]] = {}
    for file in whole.files:
        directory, slash, rest = file.name.partition("/")
        if slash:
            parts.setdefault(directory, []).append(replace(file, name=rest))
    manifests = {name: Manifest.of_tree("dataset", part) for name, part in parts.items()}
    loose = tuple(f for f in whole.files if "/" not in f.name)
    tree = ManifestTree(directories=tuple(Directory.of(n, m) for n, m in manifests.items()), files=loose)
    found = list(tree.files_of(manifests.__getitem__))
    assert found == list(whole.files)
    totals = sum_up(found)
    assert totals.dir_hash == whole.digests.get("dirHash") == dir_hash(whole.files)
    assert (totals.head, totals.total_bytes) == (head_of(whole), whole.total_bytes)
    assert tree.head.root == mth([leaf(e) for e in tree.entries])
    for one in tree.entries:
        assert tree.proof(one.name).check(tree.head) == one
        assert InclusionProof.from_json(tree.proof(one.name).to_json()) == tree.proof(one.name)
        assert InclusionProof.from_proto(tree.proof(one.name).to_proto()) == tree.proof(one.name)
    assert ManifestTree.from_proto(tree.to_proto()) == tree


@given(file_entries(), st.data())
def test_merging_any_parts_gives_the_whole(files: list[FileEntry], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    workers = data.draw(st.lists(st.integers(0, count - 1), min_size=len(files), max_size=len(files)))
    parts = [[f for f, w in zip(files, workers, strict=True) if w == n] for n in range(count)]
    assert list(merge(parts)) == files


@given(st.binary(max_size=40))
def test_garbage_raises_only_our_errors(data: bytes) -> None:
    for read in (InclusionProof.from_json, InclusionProof.from_proto, ConsistencyProof.from_json):
        with pytest.raises(GlasswingError):
            read(data)


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=20))
def test_leaves_are_hashed_in_their_order(contents_: list[bytes]) -> None:
    files = [entry(f"f{i:02}", content) for i, content in enumerate(contents_)]
    assert list(leaf_hashes(files)) == [sha256(b"\x00" + leaf(f)) for f in files]
