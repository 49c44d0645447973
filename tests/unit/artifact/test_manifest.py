"""Can a manifest be wrong about itself?"""

import dataclasses
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest._proto.manifest_pb2 import Manifest as Message
from glasswing_attest.artifact.digest import Digest, DigestSet, Form
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.manifest import Artifact, Facts, FileEntry, Manifest, dir_hash, name_problem
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.source import Source
from glasswing_attest.errors import (
    ArtifactEmpty,
    DigestRefused,
    FieldRefused,
    GlasswingError,
    LimitError,
    MalformedError,
    NotProtobuf,
    NotUtf8,
    UnavailableError,
    UsageError,
)
from glasswing_attest.limits import Limits

Tree = Callable[[dict[str, str | bytes]], Path]
ZERO = "00" * 32


def entry(name: str, data: bytes = b"x") -> FileEntry:
    return FileEntry(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())


TREE = Manifest.of_tree("model", [entry("b"), entry("a", b""), entry("c/d")], name="m", excluded=("z", "y"))
FILE = Blob(b"x", name="a").measure()
GIT = Manifest(
    kind="code",
    form=Form.GIT,
    digests=DigestSet.of(gitCommit="0" * 40, gitTree="1" * 40),
    facts={"ref": "r", "dirty": "x"},
)
DECLARED = Manifest.declared("dataset", {"sha256": ZERO, "md5": "11" * 16}, "d")
LISTED = Manifest.from_listing(TREE.listing, kind="dataset")
ALL = [TREE, FILE, GIT, DECLARED, LISTED]


@pytest.mark.parametrize("manifest", ALL)
def test_it_travels_without_loss(manifest: Manifest) -> None:
    read = Manifest.from_proto(manifest.to_proto())
    # Only that somebody read the bytes cannot travel.
    assert read == dataclasses.replace(manifest, is_declared=True)
    assert read == Manifest.from_proto(read.to_proto())
    assert read.to_proto() == Manifest.from_proto(read.to_proto()).to_proto()
    assert pickle.loads(pickle.dumps(manifest)) == manifest
    assert hash(read) == hash(Manifest.from_proto(manifest.to_proto()))


def test_it_does_not_say_where_it_was_read(write_tree: Tree) -> None:
    root = write_tree({"a": "x"})
    manifest = Model(root, "m").measure()
    assert manifest.location == root
    assert os.fsencode(root) not in manifest.to_proto()
    assert str(root) not in repr(manifest)
    assert dataclasses.replace(manifest, location=None) == manifest


def test_everything_here_is_an_artifact() -> None:
    artifacts: list[Artifact] = [TREE, Model("m"), Blob(b""), Source(".")]
    assert [a.kind for a in artifacts] == ["model", "model", "file", "code"]
    assert TREE.measure(progress=None, executor=None) is TREE


def test_the_order_of_files_is_that_of_bytes() -> None:
    names = ["a/b", "a.b", "a-b", "B", "é", "\uffff", "\U0001f600"]
    manifest = Manifest.of_tree("model", [entry(n) for n in reversed(names)])
    assert [f.name for f in manifest.files] == sorted(names, key=str.encode)
    assert all(manifest.file(n).name == n for n in names)
    assert TREE.excluded == ("y", "z")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_files_digests_are_those_of_the_file(algorithm: str) -> None:
    more = {"sha512": hashlib.sha512(b"x").hexdigest()}
    single = FileEntry(name="f", size=1, sha256=hashlib.sha256(b"x").hexdigest(), more=DigestSet.of(more))
    right = {**more, "sha256": single.sha256}
    assert Manifest.of_file("file", single).digests.to_dict() == right
    wrong = {**right, algorithm: right[algorithm][::-1]}
    for digests, files in ((wrong, (single,)), (right, (dataclasses.replace(single, more=DigestSet(())),))):
        if digests is right and algorithm == "sha256":
            continue
        with pytest.raises(DigestRefused) as raised:
            Manifest(kind="file", form=Form.FILE, name="f", digests=DigestSet.of(digests), files=files)
        assert (raised.value.code, raised.value.where) == ("malformed.digest", f"manifest.digest.{algorithm}")


@pytest.mark.parametrize("name", ["", "absent", "b/", "\udcff", "zz"])
def test_a_file_that_is_not_there_is_a_mistake_of_the_caller(name: str) -> None:
    with pytest.raises(UsageError):
        TREE.file(name)


def test_declared_is_said_and_can_be_seen() -> None:
    assert DECLARED.is_declared
    assert DECLARED.form is Form.FILE
    assert Manifest.declared("model", Digest("dirHash1", ZERO)).form is Form.TREE
    assert Manifest.declared("code", DigestSet.of(gitCommit="0" * 40)).form is Form.GIT
    assert dataclasses.replace(DECLARED, kind="model") != DECLARED
    with pytest.raises(DigestRefused):
        Manifest.declared("model", {"sha1": "00" * 20})
    with pytest.raises(DigestRefused):
        Manifest.declared("model", {})


def test_facts_are_a_mapping_and_a_value() -> None:
    facts = Facts({"b": "2", "a": "1"})
    assert dict(facts) == {"a": "1", "b": "2"}
    assert facts == {"b": "2", "a": "1"}
    assert hash(facts) == hash(Facts([("a", "1"), ("b", "2")]))
    assert GIT.facts["ref"] == "r"
    assert GIT.facts.get("absent", "") == ""


# --- what cannot be built --------------------------------------------------------------------------------------------

A, EMPTY = entry("a"), entry("a", b"")
SIZE, HASH = "manifest.files[0].size", "manifest.files[0].sha256"
OTHER = DigestSet.of(dirHash=dir_hash(TREE.files), sha256=ZERO)
BROKEN: list[tuple[str, dict[str, Any], type[GlasswingError], str]] = [
    ("kind", {"kind": ""}, FieldRefused, "manifest.kind"),
    ("kind with a line end", {"kind": "model\n"}, FieldRefused, "manifest.kind"),
    ("name with a control character", {"name": "a\x1b[0m"}, FieldRefused, "manifest.name"),
    ("name with a surrogate", {"name": "\ud800"}, FieldRefused, "manifest.name"),
    ("fact", {"facts": {"ref": "\x00"}}, FieldRefused, "manifest.facts.ref"),
    ("another form", {"form": Form.FILE}, DigestRefused, "manifest.digest"),
    ("no files", {"files": ()}, FieldRefused, "manifest.files"),
    ("not sorted", {"files": TREE.files[::-1]}, FieldRefused, "manifest.files"),
    ("twice", {"files": (TREE.files[0], *TREE.files)}, FieldRefused, "manifest.files"),
    ("one less", {"files": TREE.files[:-1]}, DigestRefused, "manifest.digest.dirHash"),
    ("one more", {"files": (*TREE.files, entry("e"))}, DigestRefused, "manifest.digest.dirHash"),
    ("a parent", {"files": (A, entry("a/b"))}, FieldRefused, "manifest.files[0].name"),
    ("unknown size", {"files": (dataclasses.replace(A, size=None),)}, FieldRefused, SIZE),
    ("size that cannot be", {"files": (dataclasses.replace(A, size=0),)}, FieldRefused, SIZE),
    ("empty that is not", {"files": (dataclasses.replace(EMPTY, size=1),)}, FieldRefused, SIZE),
    ("huge", {"files": (dataclasses.replace(A, size=2**64),)}, FieldRefused, SIZE),
    ("upper case", {"files": (dataclasses.replace(A, sha256="AB" * 32),)}, DigestRefused, HASH),
    ("excluded not sorted", {"excluded": ("z", "y")}, FieldRefused, "manifest.excluded"),
    ("excluded twice", {"excluded": ("y", "y")}, FieldRefused, "manifest.excluded"),
    ("excluded everything", {"excluded": (".",)}, FieldRefused, "manifest.excluded[0]"),
    ("sha256 of something else", {"digests": OTHER}, DigestRefused, "manifest.digest"),
]


@pytest.mark.parametrize(("changes", "error", "where"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_what_contradicts_itself_cannot_be_built(
    changes: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    with pytest.raises(error) as raised:
        dataclasses.replace(TREE, **changes)
    assert raised.value.where == where


def test_a_file_is_one_file_and_git_has_none() -> None:
    with pytest.raises(FieldRefused, match="one file"):
        dataclasses.replace(FILE, files=TREE.files)
    with pytest.raises(FieldRefused, match="no files"):
        dataclasses.replace(GIT, files=FILE.files)
    with pytest.raises(DigestRefused):
        dataclasses.replace(FILE, files=(entry("a", b"y"),))


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\\b", "a\n", "a\x85", "a\udcff"]
)
def test_names_that_are_not_names(name: str) -> None:
    assert name_problem(name)
    with pytest.raises(FieldRefused):
        Manifest.of_tree("model", [FileEntry(name="placeholder", size=1, sha256=ZERO), _unsafe(name)])


def _unsafe(name: str) -> FileEntry:
    return FileEntry(name=name.replace("\udcff", "\x7f"), size=1, sha256=ZERO)


# --- bytes of others -------------------------------------------------------------------------------------------------


def message(**changes: Any) -> Message:
    found = Message.FromString(TREE.to_proto())
    for key, value in changes.items():
        setattr(found, key, value)
    return found


def swap(m: Message) -> None:
    one, two = m.files[0], m.files[1]
    one.name, two.name = two.name, one.name


def rename(m: Message) -> None:
    m.files[0].name = "../a"


def wrong_hash(m: Message) -> None:
    m.files[1].sha256 = ZERO


def wrong_digest(m: Message) -> None:
    m.digest["dirHash"] = ZERO
    m.digest["sha256"] = ZERO


def no_digest(m: Message) -> None:
    m.digest.clear()


def both_names(m: Message) -> None:
    m.digest["dirHash1"] = m.digest["dirHash"]


def drop(m: Message) -> None:
    del m.files[0]


def unknown_form(m: Message) -> None:
    m.form = "image"


def undeclared_size(m: Message) -> None:
    m.files[1].size = 0


def all_gone(m: Message) -> None:
    del m.files[:]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (swap, FieldRefused),
        (rename, FieldRefused),
        (wrong_hash, DigestRefused),
        (wrong_digest, DigestRefused),
        (no_digest, DigestRefused),
        (both_names, DigestRefused),
        (drop, DigestRefused),
        (unknown_form, FieldRefused),
        (undeclared_size, FieldRefused),
        (all_gone, FieldRefused),
    ],
)
def test_a_message_is_checked_as_strictly(change: Callable[[Message], None], error: type[MalformedError]) -> None:
    found = message()
    change(found)
    with pytest.raises(error) as raised:
        Manifest.from_proto(found.SerializeToString())
    assert raised.value.kind == "evidence"
    assert raised.value.where.startswith("manifest")


def test_the_caller_says_where_it_stands() -> None:
    found = message()
    rename(found)
    with pytest.raises(FieldRefused) as raised:
        Manifest.from_proto(found.SerializeToString(), where="set[3]")
    assert raised.value.where == "set[3].files[0].name"
    assert str(raised.value).startswith("set[3].files[0].name: ")


def test_a_listing_said_to_be_declared_may_lack_sizes() -> None:
    found = message(declared=True)
    undeclared_size(found)
    assert Manifest.from_proto(found.SerializeToString()).file("b").size is None


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x05abc", b"\x0a\x01\xff"])
def test_bytes_that_are_no_message(data: bytes) -> None:
    with pytest.raises(NotProtobuf):
        Manifest.from_proto(data)


def test_an_empty_message_is_no_manifest() -> None:
    with pytest.raises(MalformedError):
        Manifest.from_proto(b"")


@pytest.mark.parametrize("bound", [{"record_bytes": 10}, {"tree_files": 2}, {"name_bytes": 2}, {"digests": 1}])
def test_messages_are_bounded(bound: dict[str, int]) -> None:
    with pytest.raises(LimitError):
        Manifest.from_proto(TREE.to_proto(), limits=Limits(**bound))


# --- listings --------------------------------------------------------------------------------------------------------


def test_a_listing_is_read_back_as_declared(write_tree: Tree) -> None:
    measured = Model(write_tree({"a": "", "b/c": "x"})).measure()
    listed = Manifest.from_listing(measured.listing, kind="model", name=measured.name)
    assert listed.is_declared
    assert listed.digests == measured.digests
    assert [f.sha256 for f in listed.files] == [f.sha256 for f in measured.files]
    assert [f.size for f in listed.files] == [0, None]
    assert listed != measured
    assert listed.listing == measured.listing


LINE = f"{ZERO}  a\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ArtifactEmpty),
        (LINE.rstrip(), FieldRefused),
        (LINE + "\n", FieldRefused),
        (LINE + LINE, FieldRefused),
        (f"{ZERO}  b\n{LINE}", FieldRefused),
        (f"{ZERO} *a\n", FieldRefused),
        (f"{ZERO} a\n", FieldRefused),
        (f"\\{ZERO}  a\\nb\n", FieldRefused),
        (f"{ZERO}  a\r\n", FieldRefused),
        (f"{ZERO}  ./a\n", FieldRefused),
        (f"{ZERO}  ../a\n", FieldRefused),
        (f"{ZERO}  /a\n", FieldRefused),
        (f"{ZERO}  \n", FieldRefused),
        (f"{'AB' * 32}  a\n", FieldRefused),
        (f"{ZERO}  a\u2028b\n{ZERO}  a\u2028b\n", FieldRefused),
        (f"{ZERO}  a\n{ZERO}  a/b\n", FieldRefused),
    ],
)
def test_a_listing_is_read_strictly(text: str, error: type[GlasswingError]) -> None:
    with pytest.raises(error):
        Manifest.from_listing(text.encode())


def test_a_listing_says_in_which_line_it_is_wrong() -> None:
    for wrong in (LINE.encode(), b"x\n", LINE.encode().replace(b"a\n", b"\xff\n")):
        with pytest.raises(MalformedError) as raised:
            Manifest.from_listing(LINE.encode() + wrong, where="sums")
        assert raised.value.where == "sums:2"


def test_a_listing_is_text_and_bounded() -> None:
    with pytest.raises(NotUtf8):
        Manifest.from_listing(LINE.encode().replace(b"a\n", b"\xff\n"))
    for bound in ({"manifest_bytes": 10}, {"tree_files": 0}, {"name_bytes": 0}):
        with pytest.raises(LimitError):
            Manifest.from_listing(LINE.encode(), limits=Limits(**bound))


def test_unusual_line_separators_do_not_split_a_listing() -> None:
    manifest = Manifest.from_listing(f"{ZERO}  a\u2028b\n".encode())
    assert manifest.files[0].name == "a\u2028b"


def test_the_listing_is_written_beside_the_tree_never_inside(write_tree: Tree) -> None:
    root = write_tree({"m/a": "x", "m/sub/b": "x"})
    (root / "back").symlink_to("m/sub")
    manifest = Model(root / "m").measure()
    for path in ("m/SHA256SUMS", "m/sub/SHA256SUMS", "back/SHA256SUMS", "m/sub/../SHA256SUMS", "m/a"):
        with pytest.raises(UsageError, match="beside"):
            manifest.to_listing_file(root / path)
    manifest.to_listing_file(root / "SHA256SUMS")
    assert (root / "SHA256SUMS").read_bytes() == manifest.listing
    assert Model(root / "m").measure() == manifest
    with pytest.raises(UsageError):
        DECLARED.to_listing_file(root / "other")
    with pytest.raises(UnavailableError):
        manifest.to_listing_file(root / "absent" / "SHA256SUMS")
