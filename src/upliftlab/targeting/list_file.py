"""The list as a file: whole or not at all, private, and with nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.durable import create_private, publish
from upliftlab.engines.parquet import sha256_of
from upliftlab.errors import DataError, Fault, OutputError, Place
from upliftlab.exports import neutralised

_ASIDE = ".aside"
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
            Fault("UL640", f"{path.name} is neither .csv nor .parquet", "mend --output")
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
        _clean(path)
        aside = path.with_name(f".{path.name[:80]}.{secrets.token_hex(8)}{_ASIDE}")
        try:
            rows = _filled(aside, fill)
            digest = sha256_of(aside)
            publish(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            Fault(
                "UL601",
                f"cannot be written: {error.strerror or error}",
                "choose a folder you may write to, with space left",
                Place(str(path)),
            )
        ) from error
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
    writer.writerow(map(neutralised, schema.names))
    for table in tables:
        columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
        writer.writerows(zip(*columns, strict=True))
        rows += table.num_rows
    text.detach()
    return rows


def _cell(value: object) -> object:
    """A text that no spreadsheet runs as a formula; numbers stay numbers."""
    if isinstance(value, str):
        return neutralised(value)
    if isinstance(value, float):
        return round(value, _DECIMALS)
    return "" if value is None else value


def _clean(path: Path) -> None:
    """Remove what writers of this list left behind who are no longer alive."""
    for left in path.parent.glob(f".{glob_escaped(path.name[:80])}.*{_ASIDE}"):
        try:
            descriptor = os.open(left, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink(missing_ok=True)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


def glob_escaped(name: str) -> str:
    """A name as a pattern that matches only itself.

    >>> glob_escaped("a[1]*.csv")
    'a[[]1][*].csv'
    """
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
