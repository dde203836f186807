"""One campaign's two tables, written down in every way that people have them.

The tables are small and made here, so that what must be found is known: worked out below without
upliftlab. A case says how the files are written; it is then read right, to the last digit of the
canonical file's findings, or refused with the code that is expected.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]
"""A row of a table by column; values of Python, None where there is none."""
START = datetime(2026, 3, 2)  # noqa: DTZ001 - a time without zone, as files have them
DAYS = 14
LEAST = 5
"""Customers with a higher score take part."""


def _customers() -> list[Row]:
    rows = list[Row]()
    for i in range(120):
        rows.append(
            {
                "id": 1001 + 7 * i,
                "arm": "mail" if i % 2 else "none",
                "spent": Decimal((i * 7919) % 250_000) / 100 if i % 3 else Decimal(0),
                "score": (i * 37) % 101,
                "voted": (i * 13) % 5 < 2 + i % 2,
                "joined": date(2025, 1, 1) + timedelta(days=(i * 17) % 300),
                "region": ("010", "020", "030")[(i // 2) % 3],
            }
        )
    return rows


def _orders() -> list[Row]:
    rows = list[Row]()
    for i, customer in enumerate(_customers()):
        for j in range((i * 5) % 4):
            number = len(rows)
            rows.append(
                {
                    "number": 5000 + number,
                    "customer": customer["id"],
                    "at": START + timedelta(hours=(i * 11 + j * 97) % 500, minutes=i % 60),
                    "paid": Decimal(499 + (number * 6101) % 230_000) / 100,
                    "refunded": Decimal(900) / 100 if number % 4 == 0 else Decimal(0),
                    "note": ("Größe 40, blau", 'sehr "gut"', "", "plain")[number % 4] or None,
                }
            )
    return rows


CUSTOMERS, ORDERS = _customers(), _orders()
TABLES: Mapping[str, list[Row]] = {"customers": CUSTOMERS, "orders": ORDERS}
EXPERIMENT: Mapping[str, Any] = {
    "schema": 1,
    "experiment": "corpus",
    "customers": "customers",
    "assignment": {"observed": "arm"},
    "eligible": f"score > {LEAST} and joined < date '2026-02-01'",
    "waves": [{"start": START.date().isoformat(), "share": "100%"}],
    "outcome_window": f"{DAYS} days",
    "arms": {"none": {"control": True}, "mail": {}},
    "metrics": {"primary": "revenue", "secondary": ["spent", "voted"]},
    "segments": ["region"],
}
METRICS: Mapping[str, Any] = {
    "revenue": {"from": "orders", "sum": "paid", "where": "paid > refunded"},
    "voted": {"column": "voted", "unit": "share"},
}
SOURCES: Mapping[str, Mapping[str, Any]] = {
    "customers": {"file": "customers.parquet", "id": "id"},
    "orders": {"file": "orders.parquet", "id": "customer", "time": "at"},
}


def truth() -> dict[tuple[str, str | None], tuple[int, int, float]]:
    """By metric and region: customers without and with mail, and the difference of their means."""
    revenue = dict.fromkeys((row["id"] for row in CUSTOMERS), 0.0)
    end = START + timedelta(days=DAYS)
    for row in ORDERS:
        if START <= row["at"] < end and row["paid"] > row["refunded"]:
            revenue[row["customer"]] += float(row["paid"])
    found = dict[tuple[str, str | None], tuple[int, int, float]]()
    chosen = [row for row in CUSTOMERS if row["score"] > LEAST]
    for region in (None, *sorted({row["region"] for row in CUSTOMERS})):
        here = [row for row in chosen if region in (None, row["region"])]
        for metric in ("revenue", "spent", "voted"):
            arms = [
                [
                    revenue[row["id"]] if metric == "revenue" else float(row[metric])
                    for row in here
                    if row["arm"] == arm
                ]
                for arm in ("none", "mail")
            ]
            means = [sum(values) / len(values) for values in arms]
            found[metric, region] = len(arms[0]), len(arms[1]), means[1] - means[0]
    return found


@dataclass(frozen=True)
class Case:
    """Files as somebody wrote them, and what must come of them.

    Attributes:
        family: The kind of file, as people would call it.
        name: What is particular about it.
        write: Writes files into a folder; returns what configs/sources.yaml says of the tables
            that are not the canonical ones.
        code: The refusal that is expected; None where the findings must be the canonical ones.
        check: The check that must fail, where the analysis is done and is not to be trusted.
        experiment: Keys of the experiment that are others.
        metrics: Metrics that are others.
    """

    family: str
    name: str
    write: Callable[[Path], Mapping[str, Mapping[str, Any]]]
    code: str | None = None
    check: str | None = None
    experiment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


Words = Callable[[Any], str]
"""How a value is written as a text."""


def plain(value: Any) -> str:
    """As most programs write it: a point, ISO days and times, true and false, nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def words(
    number: Words = plain, day: Words = plain, time: Words = plain, flag: Words = plain
) -> Words:
    """Values of each kind in other words."""

    def said(value: Any) -> str:
        if isinstance(value, bool):
            return flag(value)
        if isinstance(value, Decimal):
            return number(value)
        if isinstance(value, datetime):
            return time(value)
        return day(value) if isinstance(value, date) else plain(value)

    return said


def said(table: str, say: Words = plain, **columns: Words) -> list[list[str]]:
    """A table as texts, its header first; `columns` are written in words of their own."""
    rows = TABLES[table]
    names = list(rows[0])
    return [names, *([columns.get(n, say)(row[n]) for n in names] for row in rows)]


def as_csv(rows: Sequence[Sequence[str]], encoding: str = "utf-8", **dialect: Any) -> bytes:
    """Texts as Python's own csv writes them."""
    out = io.StringIO(newline="")
    csv.writer(out, **{"lineterminator": "\n", **dialect}).writerows(rows)
    return out.getvalue().encode(encoding)


def as_arrow(table: str, **types: pa.DataType) -> pa.Table:
    """A table with types, those of `types` in place of the usual ones."""
    rows = TABLES[table]
    usual = {"spent": pa.float64(), "paid": pa.float64(), "refunded": pa.float64()}
    kinds = {**usual, **types}
    columns = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if pa.types.is_floating(kinds.get(name, pa.null())):
            values = [float(value) for value in values]
        columns[name] = pa.array(values, kinds.get(name))
    return pa.table(columns)


def canonical(folder: Path) -> None:
    """The tables as Parquet files."""
    for name in TABLES:
        pq.write_table(as_arrow(name), folder / f"{name}.parquet")


def both(say: Words = plain, suffix: str = "csv", **dialect: Any) -> Callable[[Path], Any]:
    """Both tables as CSV files, in these words and this dialect; `form` is what `format` says."""
    form = dialect.pop("form", None)
    prepare: Callable[[bytes], bytes] = dialect.pop("prepare", bytes)

    def write(folder: Path) -> Mapping[str, Mapping[str, Any]]:
        for name in TABLES:
            content = prepare(as_csv(said(name, say), **dialect))
            (folder / f"{name}.{suffix}").write_bytes(content)
        more = {} if form is None else {"format": form}
        return {name: {"file": f"{name}.{suffix}", **more} for name in TABLES}

    return write


def one(
    table: str, file: str, content: bytes, form: Mapping[str, Any] | None = None, **more: Any
) -> Callable[[Path], Any]:
    """One table as a file of these bytes."""

    def write(folder: Path) -> Mapping[str, Mapping[str, Any]]:
        (folder / file).write_bytes(content)
        said = more if form is None else {"format": form, **more}
        return {table: {"file": file, **said}}

    return write


def edited(table: str, edit: Callable[[list[list[str]]], Any], say: Words = plain) -> bytes:
    """A table as CSV after its texts were changed in place."""
    rows = said(table, say)
    edit(rows)
    return as_csv(rows)


def column(rows: list[list[str]], name: str) -> int:
    """Where a column stands."""
    return rows[0].index(name)


def rewritten(table: str, name: str, change: Callable[[int, str], str]) -> bytes:
    """A table as CSV in which a column's texts were changed, by their number and the text."""

    def edit(rows: list[list[str]]) -> None:
        at = column(rows, name)
        for number, row in enumerate(rows[1:]):
            row[at] = change(number, row[at])

    return edited(table, edit)


def families(cases: Sequence[Case]) -> Iterator[str]:
    """The families of cases, each once."""
    yield from dict.fromkeys(case.family for case in cases)
