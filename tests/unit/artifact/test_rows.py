"""Do row digests depend on the rows, on their order only where they say so, and on nothing else?"""

import datetime
import decimal
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest._api.attesting import attest
from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.merkle import leaf_hash, node_hash
from glasswing_attest.artifact.rows.digests import digest_rows, digest_splits
from glasswing_attest.artifact.rows.encoding import ENCODING, Quantity, encode
from glasswing_attest.errors import (
    ArtifactEmpty,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    Mismatch,
    NotJson,
    NotUtf8,
    NumberRefused,
    RowsUnsupported,
    UnavailableError,
    UsageError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.records.data import DataRecord, Split
from glasswing_attest.signing.key import KeySigner

Tree = Callable[[dict[str, str | bytes]], Path]

# --- the encoding ----------------------------------------------------------------------------------------------------


def size(number: int) -> bytes:
    return number.to_bytes(8, "big")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, b"n"),
        (True, b"t"),
        (False, b"f"),
        (0, b"i" + size(1) + b"0"),
        (-17, b"i" + size(3) + b"-17"),
        (1, b"i" + size(1) + b"1"),
        (1.0, b"r" + bytes.fromhex("3ff0000000000000")),
        (-0.0, b"r" + bytes.fromhex("8000000000000000")),
        (float("nan"), b"r" + bytes.fromhex("7ff8000000000000")),
        (-float("nan"), b"r" + bytes.fromhex("7ff8000000000000")),
        (Decimal("1.50"), b"d" + size(5) + b"15e-1"),
        (Decimal("-1500"), b"d" + size(5) + b"-15e2"),
        (Decimal("1.0"), b"d" + size(3) + b"1e0"),
        (Decimal("-0.00"), b"d" + size(3) + b"0e0"),
        ("ü", b"s" + size(2) + b"\xc3\xbc"),
        (b"\xff", b"b" + size(1) + b"\xff"),
        (Quantity("date32[day]", 3), b"q" + size(11) + b"date32[day]" + size(1) + b"3"),
        ([], b"l" + size(0)),
        ([None, []], b"l" + size(2) + b"n" + b"l" + size(0)),
        ({}, b"m" + size(0)),
        ({"b": None, "a": True}, b"m" + size(2) + size(1) + b"a" + b"t" + size(1) + b"b" + b"n"),
    ],
    ids=repr,
)
def test_the_bytes_of_a_value(value: object, wanted: bytes) -> None:
    assert encode(value) == wanted


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def plain(value: Any) -> object:
    """What a value is, in a form in which other types are never equal."""
    if isinstance(value, list):
        return ("l", tuple(map(plain, value)))
    if isinstance(value, dict):
        return ("m", tuple(sorted((k.encode(), plain(v)) for k, v in value.items())))
    if isinstance(value, Decimal):
        return ("d", value.normalize(decimal.Context(prec=10_000)) if value else Decimal(0))
    return (type(value).__name__, value)


@given(VALUES, VALUES)
def test_two_values_have_the_same_bytes_exactly_where_they_are_the_same(one: object, other: object) -> None:
    def told(value: object) -> str:
        return repr(plain(value))

    assert (encode(one) == encode(other)) == (told(one) == told(other))


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (object(), RowsUnsupported),
        ({1: 2}, RowsUnsupported),
        (Decimal("NaN"), RowsUnsupported),
        (10**5000, RowsUnsupported),
        ("\ud800", NotUtf8),
    ],
    ids=["object", "names", "nan", "long", "surrogate"],
)
def test_what_has_no_bytes_is_refused(value: object, error: type[GlasswingError]) -> None:
    with pytest.raises(error) as refused:
        encode(value)
    assert refused.value.where == "row"


def test_values_that_are_nested_without_end_are_refused() -> None:
    deep: list[object] = []
    deep.append(deep)
    with pytest.raises(FieldRefused) as refused:
        encode(deep)
    assert refused.value.where.startswith("row[0][0]")


# --- roots -----------------------------------------------------------------------------------------------------------


def test_roots_by_hand(write_tree: Tree) -> None:
    root = write_tree({"data/a.csv": "x\n1\n2\n1\n"}) / "data"
    leaves = [leaf_hash(encode({"x": text})) for text in ("1", "2", "1")]
    found = digest_rows(Dataset(root))
    assert (found.encoding, found.count) == (ENCODING, 3)
    assert found.ordered == node_hash(node_hash(leaves[0], leaves[1]), leaves[2]).hex()
    first, second, third = sorted(leaves)
    assert found.unordered == node_hash(node_hash(first, second), third).hex()


def test_order_matters_where_it_says_so_and_how_files_are_cut_does_not(write_tree: Tree) -> None:
    rows: list[dict[str, object]] = [{"a": i, "b": [str(i), None]} for i in range(600)]

    def lines(chosen: list[dict[str, object]]) -> str:
        return "".join(json.dumps(row) + "\n" for row in chosen)

    plain = digest_rows(Dataset(write_tree({"one/a.jsonl": lines(rows)}) / "one"))
    parts: dict[str, str | bytes] = {"two/a.jsonl": lines(rows[:100]), "two/b.jsonl": lines(rows[100:])}
    cut = digest_rows(Dataset(write_tree(parts) / "two"))
    turned = digest_rows(Dataset(write_tree({"three/a.jsonl": lines(rows[::-1])}) / "three"))
    assert cut == plain
    assert turned.unordered == plain.unordered
    assert turned.ordered != plain.ordered
    again = digest_rows(Dataset(write_tree({"four/a.jsonl": lines([*rows, rows[0]])}) / "four"))
    assert again.unordered != plain.unordered


def test_columns_have_no_order_and_lines_either_end(write_tree: Tree) -> None:
    one = digest_rows(Dataset(write_tree({"one.csv": 'a,b\n1,"x\ny"\n'}) / "one.csv"))
    other = digest_rows(Dataset(write_tree({"two.csv": 'b,a\r\n"x\ny",1'}) / "two.csv"))
    assert one == other


def test_a_number_is_no_text(write_tree: Tree) -> None:
    root = write_tree(
        {"a.csv": "x\n1\n", "b.jsonl": '{"x": 1}\n', "c.jsonl": '{"x": 1.0}\n', "d.jsonl": '{"x": "1"}\n'}
    )
    found = {name: digest_rows(Dataset(root), [name]).ordered for name in ("a.csv", "b.jsonl", "c.jsonl", "d.jsonl")}
    assert len({found["b.jsonl"], found["c.jsonl"], found["d.jsonl"]}) == 3
    assert found["a.csv"] == found["d.jsonl"]


REFUSED: dict[str, tuple[str, str | bytes, type[GlasswingError], str]] = {
    "no names": ("a.csv", "", FieldMissing, "a.csv"),
    "an empty line for names": ("a.csv", "\nx\n", FieldRefused, "a.csv:1"),
    "a byte order mark": ("a.csv", "\ufeffa\n1\n", FieldRefused, "a.csv:1"),
    "semicolons": ("a.csv", "a;b\n1;2\n", FieldRefused, "a.csv:1"),
    "tabs": ("a.csv", "a\tb\n1\t2\n", FieldRefused, "a.csv:1"),
    "a name twice": ("a.csv", "a,a\n1,2\n", DuplicateKey, "a.csv:1"),
    "too few values": ("a.csv", "a,b\n1,2\n1\n", FieldRefused, "a.csv:3"),
    "too many values": ("a.csv", "a\n1,2\n", FieldRefused, "a.csv:2"),
    "an empty line": ("a.csv", "a\n1\n\n2\n", FieldRefused, "a.csv:3"),
    "an open quote": ("a.csv", 'a\n"1\n', FieldRefused, "a.csv:2"),
    "a quote within": ("a.csv", 'a\n"1"2\n', FieldRefused, "a.csv:2"),
    "no UTF-8": ("a.csv", b"a\n\xff\n", NotUtf8, "a.csv:2"),
    "a very long value": ("a.csv", "a\n" + "x" * 200_000 + "\n", RowsUnsupported, "a.csv:2"),
    "no JSON": ("a.jsonl", '{"a": 1}\n{a}\n', NotJson, "a.jsonl:2"),
    "no object": ("a.jsonl", "[1]\n", FieldRefused, "a.jsonl:1"),
    "an empty line of JSON": ("a.jsonl", '{"a": 1}\n\n{"a": 2}\n', NotJson, "a.jsonl:2"),
    "a key twice": ("a.jsonl", '{"a": 1, "a": 1}\n', DuplicateKey, "a.jsonl:1.a"),
    "no number": ("a.ndjson", '{"a": NaN}\n', NumberRefused, "a.ndjson:1.a"),
    "another file": ("README.md", "# x\n", RowsUnsupported, "README.md"),
    "rows of none": ("a.csv", "a\n", ArtifactEmpty, "a.csv"),
    "nothing": ("a.jsonl", "", ArtifactEmpty, "a.jsonl"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(write_tree: Tree, case: str) -> None:
    name, text, error, where = REFUSED[case]
    root = write_tree({name: text})
    with pytest.raises(error) as refused:
        digest_rows(Dataset(root))
    assert (type(refused.value), refused.value.where) == (error, where)


@pytest.mark.parametrize("text", ["\ufeffa\n1\n", "\nx\n", "a\n\n", "a;b\n1;2\n"])
def test_what_programs_for_tables_write_is_refused_with_advice(write_tree: Tree, text: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        digest_rows(Dataset(write_tree({"a.csv": text})))
    assert refused.value.do.startswith(("write the file anew", "take it out"))


def test_rows_are_bounded(write_tree: Tree) -> None:
    root = write_tree({"a.jsonl": '{"a": 1}\n' * 3})
    with pytest.raises(LimitError) as many:
        digest_rows(Dataset(root), limits=Limits(rows=2))
    assert many.value.wanted == "at most 2 (rows)"
    with pytest.raises(LimitError) as long:
        digest_rows(Dataset(root), limits=Limits(row_bytes=7))
    assert (long.value.where, long.value.wanted) == ("a.jsonl:1", "at most 7 (row_bytes)")
    lines = write_tree({"c/a.csv": 'a\n"' + "x\n" * 50 + '"\n'}) / "c"
    assert digest_rows(Dataset(lines), limits=Limits(row_bytes=103)).count == 1
    with pytest.raises(LimitError) as quoted:
        digest_rows(Dataset(lines), limits=Limits(row_bytes=90))
    assert (quoted.value.where, quoted.value.wanted) == ("a.csv:47", "at most 90 (row_bytes)")
    endless = write_tree({"b/b.jsonl": b"x" * (3 << 20)}) / "b"
    with pytest.raises(LimitError) as line:
        digest_rows(Dataset(endless), limits=Limits(row_bytes=1 << 20))
    assert line.value.where == "b.jsonl:1"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_other_bytes_than_were_measured_give_no_digest(write_tree: Tree, name: str) -> None:
    root = write_tree({"a.csv": "x\n1\n", "a.jsonl": '{"x": "1"}\n'})
    manifest = Dataset(root).measure()
    (root / name).write_text((root / name).read_text().replace("1", "2"))
    with pytest.raises(Mismatch) as refused:
        digest_rows(manifest, [name])
    assert refused.value.code == "verification.mismatch"


@pytest.mark.parametrize("paths", [["absent"], ["trai"], [], "train"])
def test_a_path_that_leads_nowhere_is_refused(write_tree: Tree, paths: Any) -> None:
    root = write_tree({"train/a.csv": "x\n1\n"})
    with pytest.raises(UsageError) as refused:
        digest_rows(Dataset(root), paths)
    assert refused.value.where == "paths"


def test_what_nobody_read_has_no_rows() -> None:
    with pytest.raises(UsageError) as refused:
        digest_rows(Manifest.declared("dataset", {"sha256": hashlib.sha256(b"").hexdigest()}, "x"))
    assert refused.value.where == "x"


# --- splits ----------------------------------------------------------------------------------------------------------


def test_splits_that_share_rows_are_told(write_tree: Tree) -> None:
    files: dict[str, str | bytes] = {
        "train/a.csv": "x\n1\n2\n2\n",
        "train/b.csv": "x\n3\n",
        "test.csv": "x\n2\n9\n",
        "dev.jsonl": '{"x": 7}\n',
    }
    root = write_tree(files)
    found = digest_splits(Dataset(root), {"train": ["train"], "test": ["test.csv"], "dev": ["dev.jsonl"]})
    assert [(s.name, s.files, s.rows.count) for s in found.splits] == [
        ("train", ("train/a.csv", "train/b.csv"), 4),
        ("test", ("test.csv",), 2),
        ("dev", ("dev.jsonl",), 1),
    ]
    assert [(o.first, o.second, o.rows) for o in found.overlaps] == [("train", "test", 1)]
    assert found.splits[0].rows == digest_rows(Dataset(root), ["train"])
    record = DataRecord(name="d").holding(found)
    assert [(s.name, s.files, s.records, s.paths) for s in record.splits] == [
        ("train", 2, 4, ("train/a.csv", "train/b.csv")),
        ("test", 1, 2, ("test.csv",)),
        ("dev", 1, 1, ("dev.jsonl",)),
    ]
    assert record.holding(found) == record
    assert [(s.rows.count, s.rows.unordered) for s in record.splits if s.rows] == [
        (s.rows.count, s.rows.unordered) for s in found.splits
    ]
    with pytest.raises(FieldRefused) as refused:
        record.holding(digest_splits(Dataset(root), {"train": ["train"]}))
    assert (refused.value.where, refused.value.wanted) == ("DataRecord.splits", "train")


def test_splits_that_a_record_names_are_completed_in_its_order(write_tree: Tree) -> None:
    root = write_tree({"train.csv": "x\n1\n", "test.csv": "x\n2\n"})
    found = digest_splits(Dataset(root), {"train": ["train.csv"], "test": ["test.csv"]})
    record = DataRecord(name="d", splits=[Split(name="test"), Split(name="train", records=1)]).holding(found)
    assert [(s.name, s.records, s.paths) for s in record.splits] == [
        ("test", 1, ("test.csv",)),
        ("train", 1, ("train.csv",)),
    ]
    with pytest.raises(FieldRefused) as refused:
        DataRecord(name="d", splits=[Split(name="test", records=2), Split(name="train")]).holding(found)
    assert refused.value.where == "DataRecord.splits[0].records"


def test_rows_stand_in_the_record(write_tree: Tree) -> None:
    root = write_tree({"a.csv": "x\n1\n2\n"})
    rows = digest_rows(Dataset(root))
    record = DataRecord(name="d").holding(rows)
    assert record.to_predicate()["rows"] == {
        "encoding": "rows/v1",
        "count": "2",
        "ordered": rows.ordered,
        "unordered": rows.unordered,
    }
    assert DataRecord.from_json(record.to_json()).holding(rows) == record
    (root / "a.csv").write_text("x\n2\n1\n")
    with pytest.raises(FieldRefused) as refused:
        record.holding(digest_rows(Dataset(root)))
    assert refused.value.where == "DataRecord.rows"


def test_rows_are_signed_of_the_files_that_they_were_read_from(write_tree: Tree) -> None:
    root = write_tree({"d/a.csv": "x\n1\n", "d/b.csv": "x\n2\n"}) / "d"
    signer = KeySigner.generate()
    rows = DataRecord(name="d").holding(digest_rows(Dataset(root)))
    splits = DataRecord(name="d").holding(digest_splits(Dataset(root), {"train": ["a.csv"]}))
    for record in (rows, splits, DataRecord.from_json(rows.to_json())):
        assert attest(Dataset(root), record, signer=signer).statement_unverified.subjects
    (root / "a.csv").write_text("x\n3\n")
    for record in (rows, splits, DataRecord.from_json(rows.to_json())):
        with pytest.raises(FieldRefused) as refused:
            attest(Dataset(root), record, signer=signer)
        assert (refused.value.code, refused.value.where) == ("malformed.field", "DataRecord.tree.dir_hash")
        with pytest.raises(FieldRefused) as single:
            attest(Dataset(root / "b.csv"), record, signer=signer)
        assert single.value.where == "DataRecord.tree"


def test_rows_of_a_single_file_are_signed_of_it_alone(write_tree: Tree) -> None:
    root = write_tree({"a.csv": "x\n1\n"})
    record = DataRecord(name="d").holding(digest_rows(Dataset(root / "a.csv")))
    described = record.described_by(Dataset(root / "a.csv").measure(also=("sha512",)))
    assert described == DataRecord.from_json(record.to_json())
    (root / "a.csv").write_text("x\n2\n")
    for artifact in (Dataset(root / "a.csv"), Dataset(root)):
        with pytest.raises(FieldRefused) as refused:
            attest(artifact, record, signer=KeySigner.generate())
        assert (refused.value.where, refused.value.because) == (
            "DataRecord",
            "what the record says was found in another file",
        )
    with pytest.raises(FieldRefused) as later:
        record.model_copy(update={"rows": None}).holding(digest_rows(Dataset(root)))
    assert later.value.where == "DataRecord"


def test_rows_of_some_files_are_a_split(write_tree: Tree) -> None:
    root = write_tree({"a.csv": "x\n1\n", "b.csv": "x\n2\n"})
    with pytest.raises(FieldRefused) as refused:
        DataRecord(name="d").holding(digest_rows(Dataset(root), ["a.csv"]))
    assert (refused.value.where, refused.value.found) == ("DataRecord.rows", "the rows of 1 of 2 files")
    assert DataRecord(name="d").holding(digest_rows(Dataset(root), ["a.csv", "b.csv"])).rows


@pytest.mark.parametrize("found", ["text", None, {"a": 1}])
def test_what_is_no_row_digest_is_refused(found: Any) -> None:
    with pytest.raises(UsageError) as refused:
        DataRecord(name="d").holding(found)
    assert refused.value.where == "found"


ROOT = "ab" * 32


@pytest.mark.parametrize("count", ["null", '"0"'])
def test_roots_without_a_count_mean_nothing(count: str) -> None:
    rows = f'{{"encoding": "rows/v1", "count": {count}, "ordered": "{ROOT}", "unordered": "{ROOT}"}}'
    with pytest.raises(FieldRefused) as refused:
        DataRecord.from_json(f'{{"name": "d", "rows": {rows}}}'.encode())
    assert refused.value.where == "$.rows"


def test_disjoint_splits_share_nothing(write_tree: Tree) -> None:
    root = write_tree({"train.csv": "x\n1\n", "test.csv": "x\n2\n"})
    assert digest_splits(Dataset(root), {"train": ["train.csv"], "test": ["test.csv"]}).overlaps == ()


@pytest.mark.parametrize(
    ("splits", "error", "where"),
    [
        ({}, UsageError, "splits"),
        ("train", UsageError, "splits"),
        ({"train": ["train"], "test": ["train/a.csv"]}, UsageError, "splits.test"),
        ({"train": ["nowhere"]}, UsageError, "paths"),
        ({"train": ["train"], "empty": ["empty.csv"]}, ArtifactEmpty, "empty.csv"),
    ],
)
def test_a_wrong_split_is_refused(write_tree: Tree, splits: Any, error: type[GlasswingError], where: str) -> None:
    root = write_tree({"train/a.csv": "x\n1\n", "empty.csv": "x\n"})
    with pytest.raises(error) as refused:
        digest_splits(Dataset(root), splits)
    assert refused.value.where == where


# --- Parquet ---------------------------------------------------------------------------------------------------------


def arrow() -> Any:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pyarrow  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import pyarrow.parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return pyarrow


def test_rows_of_parquet_are_those_of_json_lines(tmp_path: Path, write_tree: Tree) -> None:
    pa = arrow()
    rows = [{"a": i, "b": f"x{i}", "c": i % 2 == 0, "d": [i], "e": {"k": None}} for i in range(3000)]
    pa.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    write_tree({"a.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    assert digest_rows(Dataset(tmp_path), ["a.parquet"]) == digest_rows(Dataset(tmp_path), ["a.jsonl"])


def test_every_type_has_its_value(tmp_path: Path) -> None:
    pa = arrow()
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC)
    columns = {
        "stamp": (
            pa.array([moment, None], pa.timestamp("us", "UTC")),
            Quantity("timestamp[us, tz=UTC]", 1767323045000006),
        ),
        "date": (pa.array([moment.date(), None]), Quantity("date32[day]", 20455)),
        "time": (pa.array([moment.time(), None], pa.time64("us")), Quantity("time64[us]", 11045000006)),
        "span": (pa.array([datetime.timedelta(seconds=1), None]), Quantity("duration[us]", 1_000_000)),
        "money": (pa.array([Decimal("1.50"), None]), Decimal("1.5")),
        "single": (pa.array([0.1, None], pa.float32()), 0.10000000149011612),
        "large": (pa.array([2**64 - 1, None], pa.uint64()), 2**64 - 1),
        "raw": (pa.array([b"\xff", None], pa.large_binary()), b"\xff"),
        "word": (pa.array(["a", None]).dictionary_encode(), "a"),
        "pairs": (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int8())), [["k", 1]]),
        "nothing": (pa.nulls(2), None),
    }
    table = pa.table({name: column for name, (column, _) in columns.items()})
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    rows = [encode({name: value for name, (_, value) in columns.items()}), encode(dict.fromkeys(columns))]
    assert digest_rows(Dataset(tmp_path)).ordered == node_hash(*map(leaf_hash, rows)).hex()


def test_parquet_that_is_none_or_holds_other_types_is_refused(tmp_path: Path) -> None:
    pa = arrow()
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more PAR1")
    with pytest.raises(FieldRefused) as broken:
        digest_rows(Dataset(tmp_path))
    assert broken.value.where == "a.parquet"
    nested = pa.table({"x": [[datetime.date(2026, 1, 1)]]})
    pa.parquet.write_table(nested, tmp_path / "a.parquet")
    with pytest.raises(RowsUnsupported) as inside:
        digest_rows(Dataset(tmp_path))
    assert (inside.value.code, inside.value.where) == ("unsupported.rows", "a.parquet.x[]")
    manifest = Dataset(tmp_path).measure()
    pa.parquet.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    with pytest.raises(Mismatch):
        digest_rows(manifest)


@pytest.mark.parametrize("form", ["plain", "dictionary", "list"])
def test_text_in_parquet_that_is_not_utf8_is_refused(tmp_path: Path, form: str) -> None:
    pa = arrow()
    text = pa.array([b"a\xff"], pa.binary()).view(pa.string())
    columns = {"plain": text, "dictionary": text.dictionary_encode(), "list": pa.ListArray.from_arrays([0, 1], text)}
    pa.parquet.write_table(pa.table({"x": columns[form]}), tmp_path / "a.parquet")
    with pytest.raises(NotUtf8) as refused:
        digest_rows(Dataset(tmp_path))
    assert (refused.value.code, refused.value.where) == ("malformed.utf8", "a.parquet")


def test_how_parquet_is_stored_does_not_matter(tmp_path: Path) -> None:
    pa = arrow()
    start = datetime.datetime(2026, 1, 1)  # noqa: DTZ001  # a time without a zone is a type of its own
    moments = pa.array(
        [start + datetime.timedelta(seconds=i) for i in range(3000)], pa.timestamp("us", "Europe/Berlin")
    )
    table = pa.table({"n": range(3000), "s": [f"v{i % 7}" for i in range(3000)], "t": moments})
    found = set()
    for size, dictionary, compression in ((3000, True, "snappy"), (17, False, "none"), (1023, ["s"], "zstd")):
        pa.parquet.write_table(
            table.select(["t", "s", "n"]) if dictionary else table,
            tmp_path / "a.parquet",
            row_group_size=size,
            use_dictionary=dictionary,
            compression=compression,
        )
        found.add(digest_rows(Dataset(tmp_path)))
    assert len(found) == 1


def test_without_pyarrow_it_says_what_to_install(write_tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UnavailableError) as refused:
        digest_rows(Dataset(write_tree({"a.parquet": b"PAR1"})))
    assert (refused.value.where, refused.value.do) == (
        "pyarrow",
        "install the extra: pip install 'glasswing-attest[parquet]'",
    )
