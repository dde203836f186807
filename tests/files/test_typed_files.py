"""Files whose values have types: Parquet, Excel, JSON, Arrow, databases; each by its writers."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus import ORDERS, TABLES, Case, Row, as_arrow
from corpus_runs import hold
from pyarrow import feather


def parquet(table: str, **types: pa.DataType) -> Callable[[Path], Mapping[str, Any]]:
    """One table as Parquet, some of its columns of other types."""

    def write(folder: Path) -> Mapping[str, Any]:
        pq.write_table(as_arrow(table, **types), folder / f"{table}.parquet")
        return {}

    return write


def each(file: Callable[[str, Path], str], **more: Any) -> Callable[[Path], Mapping[str, Any]]:
    """Both tables, each written by `file`, which returns the file's name."""

    def write(folder: Path) -> Mapping[str, Any]:
        return {name: {"file": file(name, folder), **more} for name in TABLES}

    return write


def simple(value: Any) -> Any:
    """A value as JSON and SQLite hold it."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def json_lines(rows: list[Row]) -> bytes:
    lines = (json.dumps({name: simple(value) for name, value in row.items()}) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def as_lines(suffix: str, pack: Callable[[bytes], bytes] = bytes):
    def write(name: str, folder: Path) -> str:
        (folder / f"{name}.{suffix}").write_bytes(pack(json_lines(TABLES[name])))
        return f"{name}.{suffix}"

    return write


def without_nulls(name: str, folder: Path) -> str:
    """Keys without a value are left out, as document stores write them."""
    rows = [{k: v for k, v in row.items() if v is not None} for row in TABLES[name]]
    (folder / f"{name}.jsonl").write_bytes(json_lines(rows))
    return f"{name}.jsonl"


def by_pandas(suffix: str):
    def write(name: str, folder: Path) -> str:
        frame = as_arrow(name).to_pandas()
        file = folder / f"{name}.{suffix}"
        if suffix == "csv":
            frame.to_csv(file)
        elif suffix == "xlsx":
            frame.to_excel(file, index=False)
        elif suffix == "jsonl":
            frame.to_json(file, orient="records", lines=True, date_format="iso")
        elif suffix == "feather":
            frame.to_feather(file)
        else:
            frame.to_parquet(file)
        return file.name

    return write


def by_polars(suffix: str):
    def write(name: str, folder: Path) -> str:
        frame = pl.from_arrow(as_arrow(name))
        assert isinstance(frame, pl.DataFrame)
        file = folder / f"{name}.{suffix}"
        writers: dict[str, Callable[[Path], object]] = {
            "csv": frame.write_csv,
            "parquet": frame.write_parquet,
            "jsonl": frame.write_ndjson,
            "arrow": frame.write_ipc,
            "xlsx": frame.write_excel,
        }
        writers[suffix](file)
        return file.name

    return write


def by_duckdb(suffix: str, options: str):
    def write(name: str, folder: Path) -> str:
        table = as_arrow(name)
        with duckdb.connect() as connection:
            connection.register("given", table)
            connection.execute(f"COPY given TO '{folder}/{name}.{suffix}' ({options})")
        return f"{name}.{suffix}"

    return write


def in_duckdb(folder: Path) -> Mapping[str, Any]:
    with duckdb.connect(folder / "shop.duckdb") as connection:
        for name in TABLES:
            connection.register("given", as_arrow(name))
            connection.execute(f"CREATE TABLE {name} AS FROM given")
            connection.unregister("given")
    return {name: {"file": "shop.duckdb", "table": name} for name in TABLES}


def in_sqlite(folder: Path) -> Mapping[str, Any]:
    with sqlite3.connect(folder / "shop.sqlite") as connection:
        for name, rows in TABLES.items():
            columns = list(rows[0])
            connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            values = [tuple(simple(row[column]) for column in columns) for row in rows]
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", values)
    connection.close()
    return {name: {"file": "shop.sqlite", "table": name} for name in TABLES}


def book(names: Mapping[str, str], edit: Callable[[str, list[list[Any]]], None] | None = None):
    """Both tables as sheets of one workbook."""

    def write(folder: Path) -> Mapping[str, Any]:
        workbook = openpyxl.Workbook()
        assert workbook.active is not None
        workbook.remove(workbook.active)
        for name, rows in TABLES.items():
            sheet = workbook.create_sheet(names[name])
            cells = [list(rows[0]), *([*row.values()] for row in rows)]
            if edit:
                edit(name, cells)
            for row in cells:
                sheet.append(row)
        workbook.save(folder / "shop.xlsx")
        return {name: {"file": "shop.xlsx", "sheet": names[name]} for name in TABLES}

    return write


SHEETS = {"customers": "Kunden", "orders": "Bestellungen 2026"}


def unnamed(folder: Path) -> Mapping[str, Any]:
    return {name: {"file": "shop.xlsx"} for name in book(SHEETS)(folder)}


def titled(_: str, cells: list[list[Any]]) -> None:
    cells[:0] = [[], []]


def texts(name: str, cells: list[list[Any]]) -> None:
    at = cells[0].index("spent" if name == "customers" else "paid")
    for row in cells[1:]:
        row[at] = str(row[at])


def error_cell(name: str, cells: list[list[Any]]) -> None:
    if name == "customers":
        cells[4][cells[0].index("spent")] = "#DIV/0!"


def in_parts(change: Callable[[int, pa.Table], pa.Table]):
    """The orders in two files of one source."""

    def write(folder: Path) -> Mapping[str, Any]:
        (folder / "parts").mkdir()
        table, half = as_arrow("orders"), len(ORDERS) // 2
        for number, part in enumerate((table.slice(0, half), table.slice(half))):
            pq.write_table(change(number, part), folder / f"parts/{number}.parquet")
        return {"orders": {"file": "parts/*.parquet"}}

    return write


def with_zone(number: int, part: pa.Table) -> pa.Table:
    if number == 0:
        return part
    at = part.column_names.index("at")
    zoned = part.column("at").cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    return part.set_column(at, "at", zoned)


def beyond(folder: Path) -> Mapping[str, Any]:
    """Ids beyond what a double tells apart, as pandas makes of whole numbers with a gap."""
    for name, key in (("customers", "id"), ("orders", "customer")):
        table = as_arrow(name)
        ids = [2.0**53 + 2 * value.as_py() for value in table.column(key)]
        at = table.column_names.index(key)
        pq.write_table(
            table.set_column(at, key, pa.array(ids, pa.float64())), folder / f"{name}.parquet"
        )
    return {}


def spent(value: float) -> Callable[[Path], Mapping[str, Any]]:
    def write(folder: Path) -> Mapping[str, Any]:
        table = as_arrow("customers")
        values = [each.as_py() for each in table.column("spent")]
        values[31] = value
        at = table.column_names.index("spent")
        pq.write_table(
            table.set_column(at, "spent", pa.array(values, pa.float64())),
            folder / "customers.parquet",
        )
        return {}

    return write


MONEY = pa.decimal128(9, 2)
PARQUET = [
    Case("Parquet types", "decimals", parquet("orders", paid=MONEY, refunded=MONEY)),
    Case("Parquet types", "32-bit ids", parquet("customers", id=pa.int32())),
    Case("Parquet types", "16-bit unsigned ids", parquet("customers", id=pa.uint16())),
    Case("Parquet types", "8-bit scores", parquet("customers", score=pa.uint8())),
    Case("Parquet types", "ids as floats in one", parquet("orders", customer=pa.float64())),
    Case(
        "Parquet types",
        "categories",
        parquet("customers", region=pa.dictionary(pa.int8(), pa.string())),
    ),
    *(
        Case("Parquet types", f"times in {unit}", parquet("orders", at=pa.timestamp(unit)))
        for unit in ("s", "ms", "us", "ns")
    ),
    Case("Parquet types", "times with a zone", parquet("orders", at=pa.timestamp("us", "UTC"))),
    Case("Parquet types", "ids beyond a double", beyond, code="UL273"),
    *(
        Case("extreme numbers", f"{value} in Parquet", spent(value), code="UL206")
        for value in (1.797e308, 1e100, float("inf"), float("nan"))
    ),
]
PARTS = [
    Case("several files", "alike", in_parts(lambda _, part: part)),
    Case("several files", "one with a zone", in_parts(with_zone), code="UL258"),
    Case(
        "several files",
        "one without a column",
        in_parts(lambda number, part: part.drop_columns(["note"]) if number else part),
        code="UL202",
    ),
    Case(
        "several files",
        "columns in another order",
        in_parts(lambda number, part: part.select(part.column_names[:: -1 if number else 1])),
    ),
]
BOOKS = [
    Case("Excel", "two sheets by name", book(SHEETS)),
    Case("Excel", "two sheets, none named", unnamed, code="UL267"),
    Case("Excel", "empty rows above", book(SHEETS, titled)),
    Case("Excel", "numbers as texts", book(SHEETS, texts)),
    Case("Excel", "an error cell", book(SHEETS, error_cell), code="UL268"),
]
LINES = [
    Case("JSON lines", ".jsonl", each(as_lines("jsonl"))),
    Case("JSON lines", ".ndjson", each(as_lines("ndjson"))),
    Case("JSON lines", ".jsonl.gz", each(as_lines("jsonl.gz", gzip.compress))),
    Case("JSON lines", "keys left out", each(without_nulls)),
]
DATABASES = [
    Case("databases", "DuckDB", in_duckdb),
    Case("databases", "SQLite", in_sqlite),
]
WRITERS = [
    *(
        Case("pandas", f".{kind}", each(by_pandas(kind)))
        for kind in ("csv", "parquet", "xlsx", "jsonl", "feather")
    ),
    *(
        Case("polars", f".{kind}", each(by_polars(kind)))
        for kind in ("csv", "parquet", "xlsx", "jsonl", "arrow")
    ),
    *(
        Case("DuckDB", f".{kind}", each(by_duckdb(kind, options)))
        for kind, options in (
            ("csv", "FORMAT csv, HEADER"),
            ("csv.gz", "FORMAT csv, HEADER, COMPRESSION gzip"),
            ("parquet", "FORMAT parquet"),
            ("jsonl", "FORMAT json"),
        )
    ),
    Case(
        "Arrow",
        "Feather without compression",
        each(
            lambda name, folder: (
                feather.write_feather(
                    as_arrow(name), folder / f"{name}.feather", compression="uncompressed"
                ),
                f"{name}.feather",
            )[1]
        ),
    ),
]
ALL = [*PARQUET, *PARTS, *BOOKS, *LINES, *DATABASES, *WRITERS]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_read_right_or_refused(case: Case, tmp_path: Path):
    hold(case, tmp_path)
