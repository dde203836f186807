"""Columns as numbers and times in SQL, whatever type they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from upliftlab.engines.base import ColumnType
from upliftlab.util.sql import quote

LARGEST: Final = "1e30"
"""No campaign earns more of anything."""


def number_sql(value: str, kind: ColumnType) -> str:
    """A value as a double, NULL where it is none.

    >>> number_sql('"paid"', "boolean")
    'CASE WHEN "paid" THEN 1.0 WHEN NOT "paid" THEN 0.0 END'
    """
    if kind == "boolean":
        return f"CASE WHEN {value} THEN 1.0 WHEN NOT {value} THEN 0.0 END"
    return f"{'TRY_CAST' if kind == 'text' else 'CAST'}({value} AS DOUBLE)"


def missing_sql(value: str, kind: ColumnType) -> str:
    """Whether there is no value: NULL, an empty text, or NaN, which pandas writes for it.

    >>> missing_sql('"paid"', "boolean")
    '("paid" IS NULL)'
    """
    if kind == "text":
        return f"({value} IS NULL OR LOWER(TRIM({value})) IN ('', 'nan'))"
    if kind == "number":
        return f"({value} IS NULL OR {nan_sql(f'CAST({value} AS DOUBLE)')})"
    return f"({value} IS NULL)"


def nan_sql(value: str) -> str:
    """Whether a double is NaN.

    It is not said by ISNAN: DuckDB trusts the limits that Parquet files give for a column, which
    leave out NaN, and answers no without looking.
    """
    return f"(NOT ISFINITE({value}) AND ABS({value}) <> CAST('Infinity' AS DOUBLE))"


def usable_sql(value: str) -> str:
    """Whether a double is a number that can be reckoned with; NULL where there is none.

    Beyond `LARGEST` the products that moments and their errors are made of leave what a double
    can hold, and would be taken for groups without any variation.
    """
    return f"(ISFINITE({value}) AND ABS({value}) <= {LARGEST})"


def time_sql(column: str, columns: Mapping[str, ColumnType], table: str = "") -> str:
    """A column's time without zone, an instant's in UTC; NULL where a text is no time."""
    cast = "TRY_CAST" if columns[column] == "text" else "CAST"
    return f"{cast}({table}{quote(column)} AS TIMESTAMP)"
