"""Which rows are in a file of a dataset?

    .csv              RFC 4180 with a header: every value is text. UTF-8, as many values in a line as there are names
    .jsonl  .ndjson   JSON Lines: one object a line, read strictly; an integer is one, any other number a decimal
    .parquet          columns of null, boolean, integer, float, decimal, text, binary, date, time, timestamp, duration,
                      dictionary, list, struct and map types; needs pyarrow

Each gives rows as encoded bytes, in the order of the file. The bytes that are read must be those of the manifest, which
is certain only when the last row was given.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from glasswing_attest._wire import decode_utf8, parse_json
from glasswing_attest.artifact.extras import needed
from glasswing_attest.artifact.hashing import Stamp, sha256_of
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.opened import VerifiedFile, entry_of, open_regular, open_verified, path_of
from glasswing_attest.artifact.rows.encoding import Quantity, encode, encode_text, join_list, join_map
from glasswing_attest.errors import (
    ArtifactUnstable,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    Mismatch,
    NotUtf8,
    RowsUnsupported,
)
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["rows_of"]

_CHUNK = 1 << 20
_BATCH = 1024


def rows_of(manifest: Manifest, name: str, *, limits: Limits = DEFAULT) -> Iterator[bytes]:
    """Give the encoded rows of one file.

    Raises:
        RowsUnsupported: no encoding is defined for files of this kind, or for a value.
        MalformedError: it is not what its name says; with line or column.
        Mismatch: these are not the bytes that were measured; after the last row at the latest.
        UnavailableError: pyarrow is needed, and is not installed.
    """
    suffix = name.rpartition(".")[2].lower()
    if suffix not in _TABLES:
        raise RowsUnsupported(where=name, found=f".{suffix}", wanted=f"one of .{', .'.join(_TABLES)}")
    return _TABLES[suffix](manifest, name, limits)


def _lines(file: VerifiedFile, where: str, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Give the lines of a file without their ends, and where each stands. None is longer than `row_bytes`."""
    rest = b""
    number = 0
    while chunk := file.read(_CHUNK):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        for line in (*lines, rest):
            limits.check("row_bytes", len(line), where=f"{where}:{number + 1}")
        for line in lines:
            number += 1
            yield f"{where}:{number}", line
    if rest:
        yield f"{where}:{number + 1}", rest


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv(manifest: Manifest, name: str, limits: Limits) -> Iterator[bytes]:
    with open_verified(manifest, name) as file:
        place = name
        pending = 0

        def texts() -> Iterator[str]:
            nonlocal place, pending
            for place, line in _lines(file, name, limits):
                # A quoted value goes on over many lines: the row is what is bounded.
                pending += len(line) + 1
                limits.check("row_bytes", pending - 1, where=place)
                yield decode_utf8(line, where=place) + "\n"

        reader = csv.reader(texts(), strict=True)
        names: list[bytes] = []
        order: list[int] = []
        head = b""
        try:
            for values in reader:
                pending = 0
                if not names:
                    names = [encode_text(value) for value in values]
                    _check_names(values, place)
                    if len(set(names)) != len(names):
                        raise DuplicateKey(where=place, found=next(v for v in values if values.count(v) > 1))
                    order = sorted(range(len(names)), key=lambda i: names[i][8:])
                    head = b"m" + len(names).to_bytes(8, "big")
                    continue
                if not values:
                    raise FieldRefused(where=place, found="an empty line", do='take it out, or write the value as ""')
                if len(values) != len(names):
                    found, wanted = f"{len(values)} values", f"{len(names)}, one for each name"
                    raise FieldRefused(where=place, found=found, wanted=wanted)
                yield head + b"".join(names[i] + b"s" + encode_text(values[i], place) for i in order)
        except csv.Error as e:
            if "field limit" in str(e):
                raise RowsUnsupported(where=place, because=str(e)) from e
            raise FieldRefused(where=place, because=str(e), wanted="a line of RFC 4180") from e
        if not names:
            raise FieldMissing(where=name, wanted="the names of the columns")


def _check_names(values: list[str], where: str) -> None:
    """Refuse what a program for tables writes that is not RFC 4180."""
    found = do = ""
    if not values:
        found, do = "an empty line", "take it out: the first line names the columns"
    elif values[0].startswith("\ufeff"):
        found, do = "a byte order mark", "write the file anew as UTF-8 without one"
    elif len(values) == 1 and re.search("[;\t]", values[0]):
        found, do = f"one column, called {values[0]}", "write the file anew, with commas between the values"
    if found:
        raise FieldRefused(where=where, found=found, wanted="the names of the columns", do=do)


# --- JSON Lines ------------------------------------------------------------------------------------------------------


def _json_lines(manifest: Manifest, name: str, limits: Limits) -> Iterator[bytes]:
    with open_verified(manifest, name) as file:
        for place, line in _lines(file, name, limits):
            value = parse_json(line, where=place, limits=limits, bound="row_bytes")
            if not isinstance(value, dict):
                raise FieldRefused(where=place, found=type(value).__name__, wanted="an object")
            yield encode(value, place)


# --- Parquet ---------------------------------------------------------------------------------------------------------

_Encoder = Callable[[Any], bytes]


def _parquet(manifest: Manifest, name: str, limits: Limits) -> Iterator[bytes]:
    pa = needed("pyarrow", "parquet")
    parquet = needed("pyarrow.parquet", "parquet")
    entry = entry_of(manifest, name)
    path = path_of(manifest, entry)
    fd = open_regular(path)
    try:
        # Its reader jumps to and fro: so the whole is checked first, and must then stay as it is.
        digest, before = sha256_of(fd, where=str(path))
        if digest != entry.sha256:
            raise Mismatch(where=str(path), found=f"sha256:{digest[:12]}", wanted=f"sha256:{entry.sha256[:12]}")
        with open(fd, "rb", closefd=False) as file:
            try:
                table = parquet.ParquetFile(file)
                schema = table.schema_arrow
                names = [encode_text(column, name)[8:] for column in schema.names]
                if len(set(names)) != len(names):
                    raise DuplicateKey(where=name, found="a name of two columns")
                encoders = [_encoder(pa, field.type, f"{name}.{field.name}") for field in schema]
                for batch in table.iter_batches(batch_size=_BATCH):
                    columns = [_values(pa, column) for column in batch.columns]
                    for values in zip(*columns, strict=True):
                        row = join_map({n: e(v) for n, e, v in zip(names, encoders, values, strict=True)})
                        limits.check("row_bytes", len(row), where=name)
                        yield row
            except UnicodeDecodeError as e:
                raise NotUtf8(where=name, found=f"byte 0x{e.object[e.start]:02x} at offset {e.start} of a text") from e
            except (pa.ArrowException, OSError) as e:
                raise FieldRefused(where=name, because=str(e), wanted="a Parquet file") from e
        if Stamp.of(os.fstat(fd)) != before:
            raise ArtifactUnstable(where=str(path))
    finally:
        os.close(fd)


def _values(pa: Any, column: Any) -> list[Any]:
    """Give a column as Python's values; what is counted in units as integers."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_counted(pa, column.type):
        column = column.view(pa.int32() if column.type.bit_width == 32 else pa.int64())
    found: list[Any] = column.to_pylist()
    return found


def _is_counted(pa: Any, kind: Any) -> bool:
    types = pa.types
    return bool(types.is_date(kind) or types.is_time(kind) or types.is_timestamp(kind) or types.is_duration(kind))


def _encoder(pa: Any, kind: Any, where: str, *, inside: bool = False) -> _Encoder:
    """Give what encodes a value of an Arrow type; a type that is not listed is refused."""
    types = pa.types
    if types.is_dictionary(kind):
        return _encoder(pa, kind.value_type, where, inside=inside)
    if _is_counted(pa, kind) and not inside:
        unit = str(kind)
        return lambda value: encode(None if value is None else Quantity(unit, value), where)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        item = _encoder(pa, kind.value_type, f"{where}[]", inside=True)
        return lambda value: b"n" if value is None else join_list(map(item, value))
    if types.is_struct(kind):
        fields = [
            (f.name, encode_text(f.name)[8:], _encoder(pa, f.type, f"{where}.{f.name}", inside=True)) for f in kind
        ]
        if len({name for name, _, _ in fields}) != len(fields):
            raise DuplicateKey(where=where, found="a name of two members")
        return lambda value: b"n" if value is None else join_map({raw: e(value[name]) for name, raw, e in fields})
    if types.is_map(kind):
        key = _encoder(pa, kind.key_type, f"{where}.key", inside=True)
        item = _encoder(pa, kind.item_type, f"{where}.value", inside=True)
        return lambda value: b"n" if value is None else join_list(join_list((key(k), item(v))) for k, v in value)
    plain = (
        *(types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_decimal),
        *(types.is_string, types.is_large_string, types.is_binary, types.is_large_binary, types.is_fixed_size_binary),
    )
    if not any(test(kind) for test in plain) or str(kind) == "halffloat":
        raise RowsUnsupported(where=where, found=str(kind))
    return lambda value: encode(value, where)


_TABLES: dict[str, Callable[[Manifest, str, Limits], Iterator[bytes]]] = {
    "csv": _csv,
    "jsonl": _json_lines,
    "ndjson": _json_lines,
    "parquet": _parquet,
}
