"""Is evidence found in whatever it is handed over as, every item once, and nothing left out in silence?"""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact.file import Blob
from glasswing_attest.attestation import Attestation
from glasswing_attest.attestation_set import AttestationSet
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import LimitError, StoreUnavailable, UsageError
from glasswing_attest.limits import Limits
from glasswing_attest.store import Item, Pile, frozen, gather


def bundle(n: int) -> bytes:
    signature = EnvelopeSignature(sig=b"s")
    return Bundle.of_key(Envelope(payload=b"%d" % n, payload_type="text/plain", signatures=(signature,)), "h")


ONE, TWO, THREE = bundle(1), bundle(2), bundle(3)


def data_of(evidence: Any, limits: Limits | None = None) -> list[bytes]:
    return [item.data for item in gather(evidence, limits=limits or Limits())]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.json").write_bytes(TWO)
    (tmp_path / "a.jsonl").write_bytes(ONE + b"\n\n" + TWO + b"\n")
    (tmp_path / "c.sigstore").write_bytes(THREE)
    (tmp_path / "readme.txt").write_bytes(b"not evidence")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.json").write_bytes(bundle(4))
    return tmp_path


def set_of(*items: bytes) -> bytes:
    stream = io.BytesIO()
    AttestationSet(items=(*items, Blob(b"x").measure())).write(stream)
    return stream.getvalue()


def test_every_form_of_evidence_is_taken(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(ONE)
    assert data_of(()) == []
    assert data_of(ONE) == [ONE]
    assert data_of(Attestation.parse(ONE)) == [ONE]
    assert data_of(Item(data=ONE, origin="here")) == [ONE]
    assert data_of(path) == data_of(str(path)) == [ONE]
    assert data_of(AttestationSet(items=(ONE, Blob(b"x").measure(), TWO))) == [ONE, TWO]
    assert data_of([ONE, (TWO, [Attestation.parse(THREE)])]) == [ONE, TWO, THREE]
    assert data_of(iter([ONE, TWO])) == [ONE, TWO]


def test_a_set_file_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    path.write_bytes(set_of(ONE, TWO))
    items = gather(path)
    assert [item.data for item in items] == [ONE, TWO]
    assert items[1].origin.endswith("attestation 2 of a set")


def test_a_directory_gives_its_files_of_known_names_in_order(folder: Path) -> None:
    # Not what lies below, and each distinct item once: b.json repeats a line of a.jsonl.
    items = gather(folder)
    assert [item.data for item in items] == [ONE, TWO, THREE]
    assert [item.origin for item in items] == [f"{folder}/a.jsonl:1", f"{folder}/a.jsonl:3", f"{folder}/c.sigstore"]


@pytest.mark.parametrize(
    "name",
    [
        "a.json",
        "a.jsonl",
        "a.sigstore",
        "a.dsse",
        "a.bundle",
        "a.att",
        "a.sig",
        "a.attestations",
        "m.sigstore.json",
        "step.776a00e2.link",
    ],
)
def test_these_names_are_evidence(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(ONE)
    assert data_of(tmp_path) == [ONE]


def test_cve_2025_25204_an_empty_pile_is_empty(tmp_path: Path) -> None:
    # Nothing found is nothing: what asks for evidence must refuse it (tests/stories).
    (tmp_path / "a.jsonl").write_bytes(b"\n  \n")
    assert gather(tmp_path) == ()
    assert gather([[], ()]) == ()


def test_json_lines_are_told_from_indented_json(tmp_path: Path) -> None:
    pretty = json.dumps(json.loads(ONE), indent=2).encode()
    assert data_of(pretty) == [pretty]
    assert data_of(ONE + b"\n") == [ONE]
    assert data_of(ONE + b"\n" + TWO) == [ONE, TWO]
    assert data_of(ONE + b"\r\n" + TWO + b"\r\n") == [ONE, TWO]
    # A file that says it holds lines holds lines.
    path = tmp_path / "a.jsonl"
    path.write_bytes(pretty)
    lines = dict.fromkeys(line.strip() for line in pretty.split(b"\n"))
    assert data_of(path) == list(lines)


JUNK = [b"", b"\x00\xff", b"{", b'{"a": 1, "a": 2}', b"[1]", b"hello world"]


@pytest.mark.parametrize("junk", JUNK)
def test_junk_stays_an_item_and_hides_nothing(junk: bytes, tmp_path: Path) -> None:
    # It will be refused by name; what stands beside it is found all the same.
    (tmp_path / "0.json").write_bytes(junk)
    (tmp_path / "1.json").write_bytes(ONE)
    assert data_of(tmp_path) == [junk, ONE]
    assert data_of([junk, ONE]) == [junk, ONE]
    lines = tmp_path / "2.jsonl"
    lines.write_bytes(junk.replace(b"\n", b" ") + b"\n" + TWO)
    assert data_of(lines)[-1] == TWO


def test_a_first_line_that_no_reader_agrees_on_is_a_line() -> None:
    assert data_of(b'{"a": 1, "a": 2}\n' + ONE) == [b'{"a": 1, "a": 2}', ONE]
    assert data_of(b'{"a": 1e999}\n' + ONE) == [b'{"a": 1e999}', ONE]


@pytest.mark.parametrize("cut", [24, 60, -1])
def test_a_damaged_set_is_one_bad_item(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "a.attestations"
    path.write_bytes(set_of(ONE, TWO)[:cut])
    assert data_of([path, THREE]) == [path.read_bytes(), THREE]


def test_what_cannot_be_read_is_unavailable_and_never_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop.jsonl").symlink_to("loop.jsonl")
    for path in ("absent.json", "pipe", "loop.jsonl", "a\0b", "a" * 300):
        with pytest.raises(StoreUnavailable) as refused:
            gather([ONE, tmp_path / path])
        assert refused.value.code == "unavailable.store"
    with pytest.raises(StoreUnavailable):
        gather(tmp_path)  # one of its files is a directory: it is not passed over


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    # The path is the caller's own, and mounted configuration is made of links.
    (tmp_path / "real").write_bytes(ONE)
    (tmp_path / "link.json").symlink_to("real")
    assert data_of(tmp_path) == [ONE]


@pytest.mark.parametrize("evidence", [1, None, [ONE, 1], [None], 1.5, bytearray(ONE), memoryview(ONE), object()])
def test_what_is_no_evidence_is_a_mistake_of_the_caller(evidence: Any) -> None:
    for take in (gather, frozen):
        with pytest.raises(UsageError) as refused:
            take(evidence)
        assert refused.value.where.startswith("evidence")


def test_the_pile_is_bounded(tmp_path: Path) -> None:
    assert data_of([ONE, TWO], Limits(evidence=2)) == [ONE, TWO]
    assert data_of([ONE, ONE, ONE], Limits(evidence=1)) == [ONE], "a copy is no further item"
    with pytest.raises(LimitError) as refused:
        gather([ONE, TWO, THREE], limits=Limits(evidence=2))
    assert "(evidence)" in str(refused.value.wanted)
    size = len(ONE) + len(TWO)
    assert data_of([ONE, TWO], Limits(evidence_bytes=size)) == [ONE, TWO]
    with pytest.raises(LimitError) as refused:
        gather([ONE, TWO], limits=Limits(evidence_bytes=size - 1))
    assert "(evidence_bytes)" in str(refused.value.wanted)
    path = tmp_path / "big.json"
    path.write_bytes(b" " * 101)
    with pytest.raises(LimitError) as refused:
        gather(path, limits=Limits(evidence_bytes=100))
    assert refused.value.where == str(path)
    path.write_bytes(set_of(ONE, TWO))
    with pytest.raises(LimitError):
        gather(path, limits=Limits(evidence=1))


def test_frozen_evidence_can_be_gone_through_twice(tmp_path: Path) -> None:
    def several() -> Iterator[bytes]:
        yield ONE
        yield TWO

    mutable = [THREE]
    kept = frozen([several(), mutable, tmp_path, "path", Attestation.parse(ONE)])
    mutable.append(TWO)
    assert kept == ((ONE, TWO), (THREE,), tmp_path, "path", Attestation.parse(ONE))


def test_what_a_directory_holds_beside_evidence_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "root.layout").write_bytes(ONE)
    pile = Pile(Limits())
    pile.read(folder)
    place = pile.sources[0]
    assert (place.origin, place.items) == (str(folder), 0)
    assert (place.skipped, place.skipped_names) == (3, ("readme.txt", "root.layout", "sub"))
    for number in range(20):
        (folder / f"x{number:02}.txt").write_bytes(b"")
    pile = Pile(Limits())
    pile.read(folder)
    assert (pile.sources[0].skipped, len(pile.sources[0].skipped_names)) == (23, 8)
