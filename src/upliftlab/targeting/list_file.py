"""The list as a file: whole or not at all, private, and with nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.engines.parquet import sha256_of
from upliftlab.errors import DataError, Diagnostic
from upliftlab.util.durable import aside_of, create_private, entered, publish, sweep
from upliftlab.util.files import unwritten
from upliftlab.util.spreadsheet import row

_DECIMALS = 6
"""Of an amount in CSV: no fewer than expectations are known to."""
_SUFFIXES: Mapping[str, Literal["csv", "parquet"]] = {".csv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is in its place."""

    path: Path
    sha256: str
    rows: int


def kind_of(path: Path) -> Literal["csv", "parquet"]:
    """What a list's name asks for.

    Raises:
        DataError: UL640, the name ends in neither.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise DataError(
            Diagnostic("UL640", f"{path.name} is neither .csv nor .parquet", "mend --output")
        )
    return _SUFFIXES[path.suffix.lower()]


def write_list(
    path: Path, schema: pa.Schema, tables: Iterable[pa.Table], about: Mapping[str, bytes]
) -> Written:
    """Write a list aside and rename it into place; the old one stays until then.

    Args:
        path: Where it goes, by its suffix as Parquet or CSV.
        schema: Its columns.
        tables: Its rows, part by part.
        about: What a Parquet file says of itself.

    Raises:
        DataError: UL640, the name ends in neither .csv nor .parquet.
        OutputError: UL601, it cannot be written.
    """
    kind = kind_of(path)
    metadata: dict[bytes | str, bytes | str] = {**about}
    full = pa.schema(list(schema), metadata=metadata)

    def fill(file: IO[bytes]) -> int:
        return _csv(file, full, tables) if kind == "csv" else _parquet(file, full, tables)

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with entered(path.parent, path.parent) as folder:
            sweep(folder, [path.name])
        aside = path.with_name(aside_of(path.name))
        try:
            rows = _filled(aside, fill)
            digest = sha256_of(aside)
            publish(aside, path, path.parent)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise unwritten(error, path) from error
    return Written(path, digest, rows)


def _filled(aside: Path, fill: Callable[[IO[bytes]], int]) -> int:
    """Write a private file and sync it; a lock says that its writer lives."""
    with os.fdopen(create_private(aside), "wb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        rows = fill(file)
        file.flush()
        os.fsync(file.fileno())
    return rows


def _parquet(file: IO[bytes], schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    rows = 0
    with pq.ParquetWriter(
        file, schema, compression="zstd", compression_level=1, write_page_checksum=True
    ) as writer:
        for table in tables:
            writer.write_table(table.cast(schema))
            rows += table.num_rows
    return rows


def _csv(file: IO[bytes], schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    rows = 0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(row(schema.names))
    for table in tables:
        columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
        writer.writerows(map(row, zip(*columns, strict=True)))
        rows += table.num_rows
    text.detach()
    return rows


def _cell(value: object) -> object:
    return round(value, _DECIMALS) if isinstance(value, float) else value
