"""Does a set carry every byte, and is a damaged one noticed?"""

import hashlib
import io
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest._proto.attestation_set_pb2 import AttestationSetEnd, AttestationSetHeader, AttestationSetItem
from glasswing_attest.artifact.manifest import FileEntry, Manifest
from glasswing_attest.attestation_set import MAGIC, AttestationSet, Item, write_items
from glasswing_attest.errors import (
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    MalformedError,
    NotProtobuf,
    StoreUnavailable,
    UsageError,
)
from glasswing_attest.limits import Limits

MANIFEST = Manifest.of_tree(
    "dataset",
    [FileEntry(name=n, size=1, sha256=hashlib.sha256(n.encode()).hexdigest()) for n in "ab"],
    name="é",
    is_declared=True,  # as every manifest is that was read
)
BUNDLE = b'{"mediaType":  "x"}\r\n\xff'  # not even JSON: whatever it is, it is carried
SET = AttestationSet(
    items=(BUNDLE, MANIFEST, b"{}" * 100), created=datetime(2026, 1, 2, tzinfo=UTC), producer="glasswing-attest 0.1.0"
)


def framed(*items: AttestationSetItem) -> bytes:
    """A file of items that are shorter than 128 bytes, written without the code under test."""
    encoded = [item.SerializeToString() for item in items]
    assert all(len(data) < 128 for data in encoded)
    return b"glasswing-attest set 1\n" + b"".join(bytes([len(data)]) + data for data in encoded)


HEADER = AttestationSetItem(header=AttestationSetHeader(format_version=1))
ONE = AttestationSetItem(attestation=b"x")


def end(items: int) -> AttestationSetItem:
    return AttestationSetItem(end=AttestationSetEnd(items=items))


def test_the_format_is_what_the_page_says() -> None:
    assert AttestationSet(items=(b"x",)).to_bytes() == framed(HEADER, ONE, end(1))
    assert AttestationSet().to_bytes() == framed(HEADER, end(0)) == MAGIC + b"\x04\x0a\x02\x08\x01" + b"\x02\x22\x00"


def test_everything_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "all.set"
    SET.write(path)
    assert path.read_bytes() == SET.to_bytes()
    assert AttestationSet.read(path) == AttestationSet.read(str(path)) == SET
    assert AttestationSet.from_bytes(SET.to_bytes()) == SET
    assert SET.attestations == (BUNDLE, b"{}" * 100)
    assert SET.manifests == (MANIFEST,)
    assert tuple(AttestationSet.stream(path)) == SET.items


def test_a_stream_is_written_and_read_as_it_flows() -> None:
    left, right = socket.socketpair()
    with left, right, left.makefile("wb") as out, right.makefile("rb") as into:
        SET.write(out)
        out.flush()
        left.shutdown(socket.SHUT_WR)
        assert AttestationSet.read(into) == SET


class Trickle(io.RawIOBase):
    """A raw stream that gives and takes three bytes at a time."""

    def __init__(self, data: bytes = b"") -> None:
        self.inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self.inner.read(min(size, 3))

    def write(self, data: Any) -> int:
        return self.inner.write(bytes(data[:3]))


def test_short_reads_and_writes_lose_nothing() -> None:
    sink: Any = Trickle()
    SET.write(sink)
    assert sink.inner.getvalue() == SET.to_bytes()
    source: Any = Trickle(SET.to_bytes())
    assert AttestationSet.read(source) == SET


def test_items_are_taken_only_when_their_turn_comes(tmp_path: Path) -> None:
    def items() -> Iterator[Item]:
        yield b"one"
        raise LimitError(found="stop")

    path = tmp_path / "x"
    with pytest.raises(LimitError):
        write_items(path, items())
    assert list(tmp_path.iterdir()) == [], "whole or not at all"


def test_reading_stops_where_the_caller_stops() -> None:
    broken = SET.to_bytes()[:-1]
    assert next(AttestationSet.stream(io.BytesIO(broken))) == BUNDLE
    with pytest.raises(NotProtobuf):
        list(AttestationSet.stream(io.BytesIO(broken)))


@pytest.mark.parametrize("size", range(len(SET.to_bytes())))
def test_a_set_that_was_cut_is_never_a_set(size: int) -> None:
    with pytest.raises((NotProtobuf, FormatUnsupported)) as refused:
        AttestationSet.from_bytes(SET.to_bytes()[:size])
    assert type(refused.value) is (FormatUnsupported if size < len(MAGIC) else NotProtobuf)


REFUSED: list[tuple[str, bytes, type[GlasswingError]]] = [
    ("a file of JSON lines", b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}\n', FormatUnsupported),
    ("the next version", b"glasswing-attest set 2\n" + framed(HEADER, end(0))[len(MAGIC) :], FormatUnsupported),
    ("no header", framed(ONE, end(1)), FieldMissing),
    ("no version", framed(AttestationSetItem(header=AttestationSetHeader()), end(0)), FormatUnsupported),
    ("version 2", framed(AttestationSetItem(header=AttestationSetHeader(format_version=2)), end(0)), FormatUnsupported),
    ("two headers", framed(HEADER, HEADER, end(1)), FieldRefused),
    ("no end", framed(HEADER, ONE), NotProtobuf),
    ("an item was taken out", framed(HEADER, end(1)), FieldRefused),
    ("an item was put in", framed(HEADER, ONE, end(0)), FieldRefused),
    ("something after the end", framed(HEADER, end(0)) + b"\x00", FieldRefused),
    ("two ends", framed(HEADER, end(0), end(0)), FieldRefused),
    ("an item of nothing", framed(HEADER, AttestationSetItem(), end(1)), FieldMissing),
    ("an empty attestation", framed(HEADER, AttestationSetItem(attestation=b""), end(1)), FieldMissing),
    ("an item that is no message", framed(HEADER) + b"\x01\xff", NotProtobuf),
    ("a length in too many bytes", MAGIC + b"\x84\x00" + framed(HEADER, end(0))[len(MAGIC) + 1 :], NotProtobuf),
    ("a length without end", MAGIC + b"\xff" * 20, NotProtobuf),
    ("a length beyond all bounds", MAGIC + b"\xff\xff\xff\xff\x0f", LimitError),
    ("a manifest that is none", MAGIC + framed(HEADER)[len(MAGIC) :] + b"\x02\x1a\x00" + b"\x00", MalformedError),
]


@pytest.mark.parametrize(("story", "data", "error"), REFUSED, ids=[r[0] for r in REFUSED])
def test_a_damaged_set_is_refused(story: str, data: bytes, error: type[GlasswingError]) -> None:
    with pytest.raises(error):
        AttestationSet.from_bytes(data)


def test_a_kind_of_item_that_is_not_known_is_ignored() -> None:
    later = AttestationSetItem.FromString(b"\xfa\x07\x01x")  # field 127, bytes
    assert AttestationSet.from_bytes(framed(HEADER, later, ONE, end(2))).items == (b"x",)


def test_every_bound_holds() -> None:
    data = SET.to_bytes()
    for limits in (
        Limits(evidence=2),
        Limits(evidence_bytes=len(data) - 1),
        Limits(bundle_bytes=199),
        Limits(record_bytes=201),
        Limits(tree_files=1),
    ):
        with pytest.raises(LimitError):
            AttestationSet.from_bytes(data, limits=limits)
    enough = Limits(evidence=3, evidence_bytes=len(data) + 1, bundle_bytes=200)
    assert AttestationSet.from_bytes(data, limits=enough) == SET


def test_files_that_cannot_be_had_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        AttestationSet.read(tmp_path / "none")
    with pytest.raises(StoreUnavailable):
        SET.write(tmp_path / "none" / "x")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreUnavailable):
        AttestationSet.read(tmp_path / "pipe")


def test_streams_that_are_no_use_are_refused() -> None:
    closed = io.BytesIO(SET.to_bytes())
    closed.close()
    with pytest.raises(StoreUnavailable):
        AttestationSet.read(closed)
    with pytest.raises(StoreUnavailable):
        SET.write(closed)
    words: Any = io.StringIO("glasswing-attest set 1\n")
    with pytest.raises(UsageError):
        AttestationSet.read(words)
    with pytest.raises(UsageError):
        SET.write(words)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"items": ("text",)}, FieldRefused),
        ({"items": (bytearray(b"x"),)}, FieldRefused),
        ({"items": (b"",)}, FieldMissing),
        ({"created": datetime(2026, 1, 1)}, FieldRefused),  # noqa: DTZ001
        ({"created": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, FieldRefused),
        ({"producer": "\ud800"}, FieldRefused),
        ({"producer": 1}, FieldRefused),
    ],
)
def test_what_cannot_travel_is_refused(fields: dict[str, Any], error: type[GlasswingError]) -> None:
    with pytest.raises(error):
        AttestationSet(**fields)


def test_an_impossible_time_is_refused() -> None:
    header = AttestationSetHeader(format_version=1)
    header.created.seconds = 2**40
    with pytest.raises(FieldRefused):
        AttestationSet.from_bytes(framed(AttestationSetItem(header=header), end(0)))


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=5))
def test_any_bytes_travel(items: list[bytes]) -> None:
    carried = AttestationSet(items=tuple(items))
    assert AttestationSet.from_bytes(carried.to_bytes()) == carried


@given(st.integers(0, len(SET.to_bytes()) - 1), st.integers(1, 255))
def test_a_flipped_byte_raises_only_our_errors(at: int, flip: int) -> None:
    data = bytearray(SET.to_bytes())
    data[at] ^= flip
    try:
        found = AttestationSet.from_bytes(bytes(data))
    except GlasswingError:
        return
    assert found != SET or found.to_bytes() == SET.to_bytes()


@given(st.binary(max_size=100))
def test_garbage_raises_only_our_errors(data: bytes) -> None:
    for start in (b"", MAGIC, MAGIC + b"\x04\x0a\x02\x08\x01"):
        source: BinaryIO = io.BytesIO(start + data)
        try:
            AttestationSet.read(source)
        except GlasswingError:
            continue
