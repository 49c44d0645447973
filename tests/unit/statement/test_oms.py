"""Is the predicate of an OMS signature read by OMS's rules, and written in its order?"""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest._wire import Node, canonical_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import DigestRefused, FieldMissing, FieldRefused, GlasswingError
from glasswing_attest.statement.predicates.oms import OLDER_TYPES, TYPES, ModelSignature, OmsResource
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.chains import tree

A, B = "aa" * 32, "bb" * 32
FILES: dict[str, Any] = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
SHARDS: dict[str, Any] = {**FILES, "method": "shards", "shard_size": 10}


def told(*resources: tuple[str, str], algorithm: str = "sha256", **serialization: Any) -> dict[str, Any]:
    listed = [{"name": name, "digest": digest, "algorithm": algorithm} for name, digest in resources]
    return {"resources": listed, "serialization": {**FILES, **serialization}}


def of_size(size: Any) -> dict[str, Any]:
    return {**SHARDS, "shard_size": size}


def read(value: object) -> ModelSignature:
    return ModelSignature.from_predicate(read_json(canonical_json(value), where="$.predicate"))


def test_the_worked_sample_of_the_reference_signer() -> None:
    # Made with model_signing 1.1.1 of three files; the root stands in its subject.
    found = read(
        told(
            ("config.json", "3977333fdd0bf0593fb4be7709079ecb9240716730e96478f9f585516f41ff54"),
            ("model.safetensors", "71b64a296f5be4f08f05c60dd05304fa1a7076801d3e5d3d6c180dcd5bc3a54e"),
            ("sub/vocab.txt", "75c76cabaf6d2660fc8ca59c054baba2b7884b02eac4d687ef2a6d855ea67146"),
            ignore_paths=[".github", ".gitattributes", ".gitignore", ".git"],
        )
    )
    assert found.root() == "3a9e6f53b77b844ca81ecc55a4c0064c1c414446833a54a9674ae38935cca672"
    assert found.ignore_paths == (".github", ".gitattributes", ".gitignore", ".git")


def test_the_root_is_of_the_given_order_and_what_is_written_in_that_of_oms() -> None:
    # The first signers sort by the parts of a path, OMS by code points.
    found = read(told(("model/x", A), ("model-x", B)))
    assert found.root() == hashlib.sha256(bytes.fromhex(A + B)).hexdigest()
    written = found.to_predicate()
    assert [resource["name"] for resource in written["resources"]] == ["model-x", "model/x"]  # type: ignore[attr-defined]
    assert read(written).root() == hashlib.sha256(bytes.fromhex(B + A)).hexdigest()


def test_the_root_commits_to_no_name() -> None:
    assert read(told(("a", A), ("b", B))).root() == read(told(("run.py", A), ("zz", B))).root()


@pytest.mark.parametrize("name", [".", "model.bin"])
def test_a_model_that_is_one_file(name: str) -> None:
    assert read(told((name, A))).resources == (OmsResource(name=name, digest=A),)


def test_shards_as_the_standard_and_as_the_first_signers_write_them() -> None:
    shards = (("a:0:10", A), ("a:10:13", B), ("b:c:0:10", A))
    found = read(told(*shards, **SHARDS))
    assert found.shard_size == 10
    # Marked with their size, which itself is a double.
    marked = told(*shards, algorithm="sha256-sharded-10", **of_size(10.0))
    assert read(marked) == found
    assert found.to_predicate()["resources"][0]["algorithm"] == "sha256"  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "error", "where"),
    [
        ({"resources": []}, FieldMissing, "serialization"),
        (told(), FieldMissing, "resources"),
        (told(("a", A), method="tree"), FieldRefused, "serialization.method"),
        (told(("a", A), method=None), FieldMissing, "serialization.method"),
        (told(("a", A), hash_type="md5"), FieldRefused, "serialization.hash_type"),
        (told(("a", A), allow_symlinks=None), FieldMissing, "serialization.allow_symlinks"),
        (told(("a", A), allow_symlinks="false"), FieldRefused, "serialization.allow_symlinks"),
        (told(("a", A), shard_size=10), FieldRefused, "serialization.shard_size"),
        (told(("a:0:10", A), method="shards"), FieldRefused, "serialization.shard_size"),
        (told(("a:0:10", A), **of_size(0)), FieldRefused, "serialization.shard_size"),
        (told(("a:0:10", A), **of_size(9.5)), FieldRefused, "serialization.shard_size"),
        (told(("a:0:10", A), **of_size(True)), FieldRefused, "serialization.shard_size"),
        (told(("a:0:10", A), **of_size("10")), FieldRefused, "serialization.shard_size"),
        (told(("a", A), ignore_paths=["."]), FieldRefused, "serialization.ignore_paths[0]"),
        (told(("a", A), ignore_paths=[".git", ""]), FieldRefused, "serialization.ignore_paths[1]"),
        (told(("a", A), ignore_paths=["../x"]), FieldRefused, "serialization.ignore_paths[0]"),
        (told(("a", A), ignore_paths=["/x"]), FieldRefused, "serialization.ignore_paths[0]"),
        (told(("a", A), ignore_paths="x"), FieldRefused, "serialization.ignore_paths"),
        *(
            (told(("ok", A), (name, B)), FieldRefused, "resources[1].name")
            for name in ("", ".", "..", "/a", "a/", "a//b", "./a", "a/./b", "a/../b", "a\0b", "ok")
        ),
        (told(("a:0:10", A), (".", B), **SHARDS), FieldRefused, "resources[1].name"),
        (told((".", A), **SHARDS), FieldRefused, "resources[0].name"),
        (told(("a", A), algorithm="sha512"), FieldRefused, "resources[0].algorithm"),
        (told(("a", A), algorithm="sha256-sharded-10"), FieldRefused, "resources[0].algorithm"),
        (told(("a", A[:-1])), DigestRefused, "resources[0].digest"),
        (told(("a", A.upper())), DigestRefused, "resources[0].digest"),
        (told(("a", A), hash_type="blake2b", algorithm="blake2b"), DigestRefused, "resources[0].digest"),
        ({**told(("a", A)), "resources": [{"name": "a", "digest": A}]}, FieldMissing, "resources[0].algorithm"),
        # Shards that leave something out, overlap, or are not of the one size.
        *(
            (told(*((name, A) for name in names), **SHARDS), FieldRefused, where)
            for names, where in (
                (["a"], "resources[0].name"),
                (["a:0"], "resources[0].name"),
                (["a:00:10"], "resources[0].name"),
                (["a:0:0"], "resources[0].name"),
                (["a:10:5"], "resources[0].name"),
                (["a:10:20"], "resources[0].name"),
                (["a:0:10", "a:20:30"], "resources[1].name"),
                (["a:0:10", "a:5:15"], "resources[1].name"),
                (["a:0:5", "a:5:15"], "resources[0].name"),
                (["a:0:11"], "resources[0].name"),
                (["b:0:10", "a:3:5"], "resources[1].name"),
            )
        ),
    ],
)
def test_what_is_refused(value: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        read(value)
    assert type(refused.value) is error
    assert refused.value.where == f"$.predicate.{where}"


def test_what_is_made_in_python_keeps_the_same_rules() -> None:
    with pytest.raises(FieldMissing) as missing:
        ModelSignature(resources=())
    assert missing.value.where == "resources"
    with pytest.raises(FieldRefused) as refused:
        ModelSignature(resources=(OmsResource(name="../a", digest=A),))
    assert refused.value.where == "resources[0].name"
    with pytest.raises(FieldRefused) as refused:
        ModelSignature(resources=(OmsResource(name="a", digest=A),), method="tree")
    assert refused.value.where == "serialization.method"


NAMES = st.lists(
    st.text(min_size=1, max_size=6).filter(lambda part: part not in (".", "..") and not set(part) & {"/", "\0"}),
    min_size=1,
    max_size=3,
)


@given(
    st.dictionaries(NAMES.map("/".join), st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=4),
    st.lists(NAMES.map("/".join), max_size=2),
    st.booleans(),
)
def test_what_is_written_is_read_back(files: dict[str, str], ignored: list[str], follow: bool) -> None:
    resources = tuple(OmsResource(name=name, digest=files[name]) for name in sorted(files))
    made = ModelSignature(resources=resources, allow_symlinks=follow, ignore_paths=tuple(ignored))
    found = ModelSignature.from_predicate(read_json(canonical_json(made.to_predicate())))
    assert found == made
    assert found.root() == made.root()


def about(*files: tuple[str, bytes], root: str | None = None, **more: Any) -> tuple[DigestSet, ...]:
    """What a statement with these files is about."""
    resources = tuple(OmsResource(name=name, digest=hashlib.sha256(data).hexdigest()) for name, data in files)
    told = ModelSignature(resources=resources, **more)
    written = (ResourceDescriptor(name="m", digest=DigestSet.of(sha256=root or told.root())),)
    (kind,) = TYPES
    assert kind.subjects is not None
    return tuple(subject.digest for subject in kind.subjects(written, told))


def test_it_is_about_the_tree_that_its_list_makes_and_never_about_the_root() -> None:
    files = {"a.bin": b"a", "sub/b.bin": b"", "z": b"z"}
    assert about(*files.items()) == (tree("model", files).digests,)


def test_one_file_is_a_tree_and_itself() -> None:
    whole = DigestSet.of(sha256=hashlib.sha256(b"a").hexdigest())
    assert about(("a.bin", b"a")) == (whole, tree("model", {"a.bin": b"a"}).digests)
    assert about((".", b"a")) == (whole,)


@pytest.mark.parametrize(
    "more",
    [
        {"method": "shards", "shard_size": 4},
        {"hash_type": "blake3"},
    ],
)
def test_other_lists_are_about_nothing_that_is_known(more: dict[str, Any]) -> None:
    name = "a:0:1" if more.get("method") else "a"
    assert about((name, b"a"), **more) == ()


@pytest.mark.parametrize("names", [("a\\b", "c"), ("a\nb", "c"), ("a", "a/b")])
def test_names_that_no_tree_has_are_about_nothing(names: tuple[str, ...]) -> None:
    assert about(*((name, b"a") for name in names)) == ()


def test_a_list_that_contradicts_its_root_is_refused() -> None:
    with pytest.raises(FieldRefused) as refused:
        about(("a", b"a"), root="0" * 64)
    assert refused.value.where == "$.subject[0].digest.sha256"
    with pytest.raises(FieldRefused) as refused:
        about(("b", b"a"), ("a", b"a"))
    assert refused.value.where == "$.predicate.resources"
    with pytest.raises(FieldRefused) as refused:
        ModelSignature(resources=(OmsResource(name="a", digest=A),)).require_root(())
    assert refused.value.where == "$.subject"


def test_the_format_before_it_says_nothing_of_its_own() -> None:
    (before,) = OLDER_TYPES
    assert before.parse(Node({"unused": "x"}), None) == {"unused": "x"}  # type: ignore[arg-type]
    assert before.dependencies is None
