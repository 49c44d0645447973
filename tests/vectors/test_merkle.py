"""Does an inclusion proof prove that a leaf stands in a tree, for every vector of two other implementations?

Not here: consistency of two trees, and proofs about parts of a tree (merkle-consistency, merkle-subtreeconsistency,
merkle-subtreeinclusion). They are the business of who watches a log; a bundle carries none of them.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.errors import NotLogged
from glasswing_attest.verification.merkle import inclusion_root
from tests.shared import Case, cases


def proves(vector: dict[str, Any], *, leaf: str, index: str, size: str) -> bool:
    """Whether the proof leads to the vector's root; raises NotLogged for one that fits no such tree."""
    proof = [base64.b64decode(node) for node in vector["proof"] or []]
    found = inclusion_root(base64.b64decode(vector[leaf]), index=vector[index], size=vector[size], proof=proof)
    return found == base64.b64decode(vector["root"])


def check(case: Case, vector: dict[str, Any], **names: str) -> None:
    if case.expect == "accept":
        assert proves(vector, **names)
        return
    try:
        assert not proves(vector, **names)
    except NotLogged as e:
        assert e.code == "verification.not-logged"  # noqa: PT017  a proof that fits no such tree is refused, too
        assert e.where.startswith("inclusionProof.")  # noqa: PT017


@pytest.mark.parametrize("case", cases("merkle-inclusion"))
def test_an_inclusion_proof_of_the_merkle_library(case: Case, shared_data: Path) -> None:
    vector = json.loads((shared_data / case.files["vector"]).read_bytes())
    check(case, vector, leaf="leafHash", index="leafIdx", size="treeSize")


@pytest.mark.parametrize("case", cases("merkle-inclusion-jsonl"))
def test_an_inclusion_proof_of_sigstore_ruby(case: Case, shared_data: Path) -> None:
    lines = (shared_data / case.files["vectors"]).read_text().splitlines()
    vector = json.loads(lines[case.params["line"]])
    assert vector["desc"] == case.params["desc"]
    check(case, vector, leaf="leaf_hash", index="index", size="size")


def test_no_vector_is_left_out(shared_data: Path) -> None:
    for kind, accepted, refused in (("merkle-inclusion", 3, 58), ("merkle-inclusion-jsonl", 4, 57)):
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
