"""Parquet files, a batch at a time."""
# pyarrow describes itself with types that are unknown in part; they are kept to this module.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.errors import DataError, Diagnostic

BATCH = 50_000
"""Rows that are in memory at a time."""


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


_FAMILIES: Final = {
    "numbers": _is_number,
    "texts": _is_text,
    "true and false": pa.types.is_boolean,
    "days": pa.types.is_date,
}


def parquet_files(path: Path) -> list[Path]:
    """A file, or the Parquet files in a folder."""
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [path]


def types_of(file: Path) -> dict[str, Any]:
    """A file's columns and their Arrow types.

    Raises:
        DataError: UL202, it is no Parquet file.
    """
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"{file.name} cannot be read: it is damaged, or no Parquet file"
        raise DataError(Diagnostic("UL202", message, "fetch or write the file again")) from error
    return dict(zip(schema.names, schema.types, strict=True))


def family_of(kind: pa.DataType) -> str | None:
    """What values of an Arrow type are, in words; None where there are none at all.

    >>> family_of(pa.int8()), family_of(pa.timestamp("ns")), family_of(pa.null())
    ('numbers', 'times without zone', None)
    """
    if pa.types.is_dictionary(kind):
        return family_of(kind.value_type)
    if pa.types.is_null(kind):
        return None
    if pa.types.is_timestamp(kind):
        return "times without zone" if kind.tz is None else "times with a zone"
    return next((name for name, is_one in _FAMILIES.items() if is_one(kind)), str(kind))


def rows_of(file: Path) -> Iterator[tuple[Any, ...]]:
    """A file's rows as Python values."""
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(BATCH):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def batch_of(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows of Python values as a batch."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [_array(values, kind) for values, kind in zip(columns, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array[Any]:
    """Values of one type; a server's `numeric` without a size arrives as decimals."""
    if pa.types.is_floating(kind):
        values = [None if value is None else float(value) for value in values]
    return pa.array(values, kind)


def join_files(parts: Sequence[Path], destination: Path) -> int:
    """Copy files of one schema into one file, batch by batch, and count the rows."""
    rows = 0
    schema = pq.read_schema(parts[0]).remove_metadata()
    with pq.ParquetWriter(
        destination, schema, compression="zstd", write_page_checksum=True
    ) as writer:
        for part in parts:
            with pq.ParquetFile(part) as file:
                for batch in file.iter_batches():
                    writer.write_batch(batch.cast(schema))
                    rows += batch.num_rows
    return rows


def sha256_of(file: Path) -> str:
    """The sha256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
