"""Do proofs about trees prove what they should, for every vector of two other implementations?

Inclusion, consistency, and both for a part of a tree that need not begin at the first leaf.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact import merkle
from glasswing_attest.artifact.merkle import TreeHead, check_subtree
from glasswing_attest.errors import DigestRefused, FieldRefused, NotExtended, NotLogged, PartUnproven
from glasswing_attest.verification.merkle import inclusion_root
from tests.shared import Case, cases

# The proof would be of one tree with itself, which is true of any two equal roots; but these are 12 bytes long.
STRICTER = {"merkle:consistency/additional/sizes-are-equal-one-and-proof-is-empty"}


def hashes(vector: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(node) for node in vector["proof"] or []]


def proves(vector: dict[str, Any], *, leaf: str, index: str, size: str) -> bool:
    """Whether the proof leads to the vector's root; raises NotLogged for one that fits no such tree."""
    leaf_hash = base64.b64decode(vector[leaf])
    found = inclusion_root(leaf_hash, index=vector[index], size=vector[size], proof=hashes(vector))
    return found == base64.b64decode(vector["root"])


def check(vector: dict[str, Any], *, stands: bool, **names: str) -> None:
    if stands:
        assert proves(vector, **names)
        return
    try:
        assert not proves(vector, **names)
    except NotLogged as e:
        assert e.code == "verification.not-logged"  # noqa: PT017  a proof that fits no such tree is refused, too
        assert e.where.startswith("inclusionProof.")  # noqa: PT017


def settle(case: Case, prove: Callable[[], None]) -> None:
    """Run what raises nothing for a proof that holds."""
    if case.expect == "accept" and case.id not in STRICTER:
        prove()
        return
    with pytest.raises((PartUnproven, NotExtended, DigestRefused, FieldRefused)) as refused:
        prove()
    if isinstance(refused.value, DigestRefused | FieldRefused):  # there is no such tree
        assert refused.value.where in ("head.size", "head.root")
    else:
        assert refused.value.code in ("verification.part", "verification.extension")
        assert refused.value.where in ("index", "size", "hashes", "old.root", "new.root", "root")
        assert not (refused.value.where == "root" and case.kind != "merkle-subtreeinclusion")


@pytest.mark.parametrize("case", cases("merkle-inclusion"))
def test_an_inclusion_proof_of_the_merkle_library(case: Case, shared_data: Path) -> None:
    vector = json.loads((shared_data / case.files["vector"]).read_bytes())
    check(vector, stands=case.expect == "accept", leaf="leafHash", index="leafIdx", size="treeSize")


@pytest.mark.parametrize("case", cases("merkle-inclusion-jsonl"))
def test_an_inclusion_proof_of_sigstore_ruby(case: Case, shared_data: Path) -> None:
    lines = (shared_data / case.files["vectors"]).read_text().splitlines()
    vector = json.loads(lines[case.params["line"]])
    assert vector["desc"] == case.params["desc"]
    assert (vector["expected_error"] is None) is (case.expect == "accept")
    check(vector, stands=case.expect == "accept", leaf="leaf_hash", index="index", size="size")


def test_every_inclusion_proof_of_sigstore_ruby_gets_the_answer_that_it_states(shared_data: Path) -> None:
    # The file has lines that no case points to.
    names = {p.values[0].files["vectors"] for p in cases("merkle-inclusion-jsonl")}
    vectors = [json.loads(line) for name in names for line in (shared_data / name).read_text().splitlines()]
    stand = [vector["expected_error"] is None for vector in vectors]
    for vector, stands in zip(vectors, stand, strict=True):
        check(vector, stands=stands, leaf="leaf_hash", index="index", size="size")
    assert (stand.count(True), stand.count(False)) == (5, 89)


@pytest.mark.parametrize("case", cases("merkle-consistency", "merkle-subtreeconsistency"))
def test_a_consistency_proof(case: Case, shared_data: Path) -> None:
    vector = json.loads((shared_data / case.files["vector"]).read_bytes())
    whole = case.kind == "merkle-consistency"
    start, end = (0, vector["size1"]) if whole else (vector["start"], vector["end"])

    def prove() -> None:
        head = TreeHead(size=vector["size2" if whole else "size"], root=base64.b64decode(vector["root2"]))
        check_subtree(base64.b64decode(vector["root1"]), head, start=start, end=end, hashes=hashes(vector))

    settle(case, prove)


@pytest.mark.parametrize("case", cases("merkle-subtreeinclusion"))
def test_an_inclusion_proof_within_a_part(case: Case, shared_data: Path) -> None:
    vector = json.loads((shared_data / case.files["vector"]).read_bytes())
    start, end = vector["start"], vector["end"]

    def prove() -> None:
        # A part that has a root of its own is a tree, whose leaves are counted from its start.
        if not merkle.is_subtree(start, end, end):
            raise PartUnproven(where="size")
        leaf = base64.b64decode(vector["leafHash"])
        found = merkle.inclusion_root(leaf, index=vector["leafIdx"] - start, size=end - start, hashes=hashes(vector))
        if found != base64.b64decode(vector["root"]):
            raise PartUnproven(where="root")

    settle(case, prove)


def test_no_vector_is_left_out(shared_data: Path) -> None:
    for kind, accepted, refused in (
        ("merkle-inclusion", 3, 58),
        ("merkle-inclusion-jsonl", 4, 57),
        ("merkle-consistency", 4, 52),
        ("merkle-subtreeconsistency", 4, 62),
        ("merkle-subtreeinclusion", 10, 150),
    ):
        found = [p.values[0].expect for p in cases(kind)]
        assert (found.count("accept"), found.count("reject")) == (accepted, refused)


def test_an_index_beyond_the_tree_and_an_empty_leaf_are_refused() -> None:
    # Both are accepted by checks that only fold hashes.
    with pytest.raises(NotLogged) as refused:
        inclusion_root(b"\0" * 32, index=5, size=4, proof=[b"\1" * 32] * 2)
    assert refused.value.where == "inclusionProof.logIndex"
    with pytest.raises(NotLogged) as refused:
        inclusion_root(b"", index=0, size=1, proof=[])
    assert refused.value.where == "inclusionProof.hashes"
