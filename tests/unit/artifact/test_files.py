"""Are files in columns the same as one by one, in memory and on the wire?"""

import dataclasses
import hashlib
import io
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest._proto.manifest_pb2 import Manifest as Message
from glasswing_attest.artifact import files as columns
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.files import FileEntry, Files, dir_hash
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.errors import (
    ArtifactUnreadable,
    DigestRefused,
    FieldRefused,
    GlasswingError,
    LimitError,
    MalformedError,
    NotProtobuf,
    UsageError,
)
from glasswing_attest.limits import Limits

ZERO = "00" * 32


def entry(name: str, data: bytes = b"x", **more: Any) -> FileEntry:
    return FileEntry(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest(), **more)


PARTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\"), min_size=1)
NAMES = st.lists(PARTS.filter(lambda p: p not in (".", "..")), min_size=1, max_size=3).map("/".join)
ENTRIES = (
    st.dictionaries(NAMES, st.tuples(st.binary(max_size=3), st.sampled_from([0, 0o111, 0o4000, 0o002])), max_size=12)
    .filter(lambda found: not any(o.startswith(f"{n}/") for n in found for o in found))
    .map(lambda found: [entry(n, found[n][0], mode=found[n][1]) for n in sorted(found, key=str.encode)])
)


def with_more(entries: list[FileEntry]) -> list[FileEntry]:
    digest = hashlib.sha512(b"y").hexdigest()
    return [dataclasses.replace(e, more=DigestSet.of(sha512=digest, blake2b=digest)) for e in entries]


@settings(deadline=None)
@given(entries=ENTRIES, chunk=st.integers(1, 5), is_more=st.booleans())
def test_columns_are_the_entries(entries: list[FileEntry], chunk: int, is_more: bool) -> None:
    entries = with_more(entries) if is_more else entries
    before, columns._CHUNK = columns._CHUNK, chunk
    try:
        files = Files.of(entries)
        assert list(files) == entries
        assert [f.mode for f in files] == [e.mode for e in entries]
        assert [files[i] for i in range(len(files))] == entries
        assert files[1:3] == tuple(entries[1:3])
        assert files[::-1] == tuple(entries[::-1])
        assert b"".join(files.lines()) == "".join(e.line for e in entries).encode()
        assert dir_hash(files) == dir_hash(iter(entries))
        assert all(files.find(e.name) == e for e in entries)
        assert [f.name for f in files.noteworthy()] == [e.name for e in entries if e.mode]
        assert (files.total_bytes, len(files)) == (sum(e.size or 0 for e in entries), len(entries))
        again = pickle.loads(pickle.dumps(files))
        assert (again, hash(again), [f.mode for f in again]) == (files, hash(files), [e.mode for e in entries])
    finally:
        columns._CHUNK = before


@settings(deadline=None)
@given(
    names=st.lists(
        st.sampled_from(["a", "a-", "a-/b", "a.b", "a/b", "ab", "b", "b/c", "b/c.d", "b/c/d"]), unique=True
    ).flatmap(lambda names: st.sampled_from([names, sorted(names)])),
    chunk=st.integers(1, 3),
)
def test_order_and_directories_are_checked_whatever_is_looked_at_together(names: list[str], chunk: int) -> None:
    before, columns._CHUNK = columns._CHUNK, chunk
    is_right = names == sorted(names) and not any(o.startswith(f"{n}/") for n in names for o in names)
    try:
        if is_right:
            assert [f.name for f in Files.of([entry(n) for n in names])] == names
        else:
            with pytest.raises(FieldRefused) as raised:
                Files.of([entry(n) for n in names])
            assert raised.value.where.startswith("manifest.files")
    finally:
        columns._CHUNK = before


def test_deep_names_need_no_more_memory_than_they_are_long() -> None:
    # A directory for every second byte of each name, and none that two names share.
    entries = [entry(f"{i:04d}/" + "d/" * 2000 + "f") for i in range(100)]
    tracemalloc.start()
    try:
        Files.of(entries)
        assert tracemalloc.get_traced_memory()[1] < 20 * sum(len(e.name) for e in entries)
    finally:
        tracemalloc.stop()


def test_there_is_no_other_way_to_make_them() -> None:
    with pytest.raises(TypeError):
        Files()
    with pytest.raises(IndexError):
        Files.of([entry("a")])[1]
    assert Files.of([entry("a")]) != Files.of([entry("b")])
    assert Files.of([entry("a")]) != (entry("a"),)


def test_the_mode_is_reported_and_is_no_part_of_what_it_is() -> None:
    plain, odd = entry("a"), entry("a", mode=0o4113)
    assert plain == odd
    assert Files.of([plain]) == Files.of([odd])
    assert (odd.is_executable, odd.is_setuid, odd.is_world_writable) == (True, True, True)
    assert (plain.is_executable, plain.is_setuid, plain.is_world_writable) == (False, False, False)
    one, two = Manifest.of_tree("model", [plain]), Manifest.of_tree("model", [odd])
    assert one == two
    assert Manifest.from_proto(two.to_proto()).files[0].mode == 0o4113


SHA512 = DigestSet.of(sha512="ab" * 64)


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ([entry("a"), entry("b", more=SHA512)], "manifest.files[1].digest"),
        ([entry("a", more=SHA512), entry("b")], "manifest.files[1].digest"),
        ([entry("a", more=DigestSet.of(sha256=ZERO))], "manifest.files"),
        ([entry("a", more=DigestSet.of(gitBlob="00" * 20))], "manifest.files"),
    ],
)
def test_further_digests_are_those_of_every_file(entries: list[FileEntry], where: str) -> None:
    with pytest.raises(DigestRefused) as raised:
        Files.of(entries)
    assert (raised.value.code, raised.value.where) == ("malformed.digest", where)


# --- on the wire -----------------------------------------------------------------------------------------------------

TREE = Manifest.of_tree(
    "model", with_more([entry("a", b""), entry("b", mode=0o111), entry("c/é", b"y" * 300)]), name="m", excluded=("y",)
)


def by_protobuf(manifest: Manifest) -> bytes:
    message = Message(
        kind=manifest.kind,
        form=manifest.form.value,
        name=manifest.name,
        digest=manifest.digests.to_dict(),
        excluded=manifest.excluded,
        declared=manifest.is_declared,
        facts=dict(manifest.facts),
        generations=manifest.generations,
    )
    for f in manifest.files:
        message.files.add(name=f.name, size=f.size or 0, sha256=f.sha256, digest=f.more.to_dict(), mode=f.mode)
    return message.SerializeToString(deterministic=True)


@settings(deadline=None)
@given(entries=ENTRIES.filter(len), is_more=st.booleans())
def test_what_is_written_in_pieces_is_what_protobuf_writes(entries: list[FileEntry], is_more: bool) -> None:
    manifest = Manifest.of_tree("dataset", with_more(entries) if is_more else entries, excluded=("x",))
    assert manifest.to_proto() == by_protobuf(manifest)
    read = Manifest.from_proto(manifest.to_proto())
    assert read.files == manifest.files
    assert [f.mode for f in read.files] == [f.mode for f in manifest.files]


def test_a_file_is_written_and_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "manifest.binpb"
    TREE.to_proto_file(path)
    assert path.read_bytes() == TREE.to_proto()
    assert Manifest.from_proto_file(path) == dataclasses.replace(TREE, is_declared=True)
    with pytest.raises(LimitError) as large:
        Manifest.from_proto_file(path, limits=Limits(manifest_bytes=10))
    assert large.value.where == str(path)
    path.write_bytes(TREE.to_proto().replace(b"c/", b"c\\"))
    with pytest.raises(FieldRefused) as raised:
        Manifest.from_proto_file(path)
    assert raised.value.where == f"{path}.files[2].name"
    for absent in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ArtifactUnreadable) as unread:
            Manifest.from_proto_file(absent)
        assert (unread.value.code, unread.value.where) == ("artifact.unreadable", str(absent))


def test_it_is_never_written_into_the_tree(tmp_path: Path) -> None:
    measured = dataclasses.replace(TREE, location=tmp_path)
    with pytest.raises(UsageError) as raised:
        measured.to_proto_file(tmp_path / "manifest")
    assert (raised.value.code, raised.value.where) == ("usage", str(tmp_path / "manifest"))


def test_a_message_that_is_cut_anywhere_is_refused() -> None:
    whole = TREE.to_proto()
    for cut in range(len(whole)):
        with pytest.raises(MalformedError) as raised:
            Manifest.from_proto(whole[:cut], where="here")
        assert raised.value.where.startswith("here")


@pytest.mark.parametrize(
    "more",
    [b"\xf8\x07\x01", b"\xfa\x07\x03abc", b"\xf9\x07" + bytes(8), b"\xfd\x07" + bytes(4), b"\x20\x01"],
    ids=["varint", "bytes", "fixed64", "fixed32", "field 4 as a number"],
)
def test_unknown_fields_are_ignored(more: bytes) -> None:
    assert Manifest.from_proto(TREE.to_proto() + more) == Manifest.from_proto(TREE.to_proto())


@pytest.mark.parametrize(
    "more",
    [
        *(b"\x1b\x1c", b"\x22", b"\x22\x05a", b"\xf8\x07", b"\xf8" * 11, b"\x0f", b"\xf9\x07abc", b"\x00\x01"),
        b"\xf8\x87\x80\x80\x80\x00\x01",
    ],
    ids=["group", "no length", "short", "no value", "endless varint", "no such kind", "short fixed", "field 0", "tag"],
)
def test_what_is_no_message_is_refused(more: bytes) -> None:
    with pytest.raises(NotProtobuf) as raised:
        Manifest.from_proto(TREE.to_proto() + more, where="here")
    assert (raised.value.code, raised.value.where) == ("malformed.protobuf", "here")


def test_an_algorithm_that_is_not_known_is_left_aside_and_a_second_sha256_is_refused() -> None:
    message = Message.FromString(Manifest.of_tree("model", [entry("a")]).to_proto())
    message.files[0].digest["quantum"] = "00"
    assert len(Manifest.from_proto(message.SerializeToString()).files[0].more) == 0
    message.files[0].digest["sha256"] = ZERO
    with pytest.raises(DigestRefused) as raised:
        Manifest.from_proto(message.SerializeToString(), where="here")
    assert raised.value.where == "here.files[0].digest"
    del message.files[0].digest["sha256"]
    message.files[0].digest["sha512"] = "00"
    with pytest.raises(DigestRefused) as short:
        Manifest.from_proto(message.SerializeToString(), where="here")
    assert short.value.where == "here.files[0].digest.sha512"


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=100), at=st.integers(0, 200))
def test_garbage_in_between_raises_only_our_errors(data: bytes, at: int) -> None:
    message = TREE.to_proto()
    try:
        found = Manifest.from_proto(message[:at] + data + message[at:])
    except GlasswingError:
        return
    assert found.is_declared


def test_a_listing_without_sizes_stays_without() -> None:
    listed = Manifest.from_listing(TREE.listing)
    assert [f.size for f in listed.files] == [0, None, None]
    assert listed.files.first_unknown == 1 if isinstance(listed.files, Files) else False
    read = Manifest._from_stream(io.BytesIO(listed.to_proto()), "x", Limits())
    assert [f.size for f in read.files] == [0, None, None]
