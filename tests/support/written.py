"""The same table written as every kind of file, by the program that people write it with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather, ipc

Writer = Callable[[pa.Table, Path], None]


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return table.to_pylist()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}


def _json_lines(table: pa.Table, path: Path) -> None:
    """Keys without a value are left out."""
    lines = (json.dumps(_plain(row), default=str, ensure_ascii=False) for row in _rows(table))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _json_list(table: pa.Table, path: Path) -> None:
    path.write_text(json.dumps(_rows(table), default=str, indent=1), encoding="utf-8")


def _by_duckdb(options: str) -> Writer:
    def write(table: pa.Table, path: Path) -> None:
        with closing(duckdb.connect()) as connection:
            connection.register("written", table)
            connection.execute(f"COPY written TO '{path}' ({options})")

    return write


def _sqlite(table: pa.Table, path: Path) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        table.to_pandas(types_mapper=pd.ArrowDtype).to_sql("shop", connection, index=False)
        connection.commit()


def _duckdb(table: pa.Table, path: Path) -> None:
    path.unlink(missing_ok=True)
    with closing(duckdb.connect(str(path))) as connection:
        connection.register("written", table)
        connection.execute("CREATE TABLE shop AS FROM written")


def _stream(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file, ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def _pandas(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def _polars(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))


WRITERS: dict[str, tuple[str, Writer]] = {
    "pyarrow parquet": (".parquet", pq.write_table),
    "pandas csv": (".csv", lambda t, p: _pandas(t).to_csv(p, index=False)),
    "polars csv": (".csv", lambda t, p: _polars(t).write_csv(p)),
    "duckdb csv.gz": (".csv.gz", _by_duckdb("FORMAT csv, HEADER, COMPRESSION gzip")),
    "pandas xlsx": (".xlsx", lambda t, p: _pandas(t).to_excel(p, index=False)),
    "polars xlsx": (".xlsx", lambda t, p: _polars(t).write_excel(p)),
    "json lines": (".jsonl", _json_lines),
    "json list": (".json", _json_list),
    "polars ndjson": (".ndjson", lambda t, p: _polars(t).write_ndjson(p)),
    "duckdb ndjson.gz": (".ndjson.gz", _by_duckdb("FORMAT json, COMPRESSION gzip")),
    "pandas feather": (".feather", lambda t, p: _pandas(t).to_feather(p)),
    "pyarrow feather": (".feather", feather.write_feather),
    "polars ipc": (".ipc", lambda t, p: _polars(t).write_ipc(p)),
    "arrow stream": (".arrow", _stream),
    "sqlite": (".sqlite", _sqlite),
    "sqlite as db": (".db", _sqlite),
    "duckdb as db": (".db", _duckdb),
}
"""The suffix of a file and what writes it, by the names of program and kind."""
DATABASES = (".sqlite", ".db", ".duckdb")
