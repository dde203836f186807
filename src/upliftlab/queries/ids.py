"""Columns that identify: what two of them are compared as, whatever types they have.

Ids of one family are compared as they are, others as texts. Ids that a table holds as floating
numbers, as pandas makes them of whole numbers with a gap, are the whole numbers they stand for:
17.0 is 17. Beyond 2^53 several ids are one float, so such a column is refused.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.util.sql import quote

_EXACT = {"halffloat": 2**11, "float": 2**24, "double": 2**53}
"""Below so much, by Arrow's name of the type, every whole number is a floating number."""


@dataclass(frozen=True, slots=True)
class IdColumn:
    """A column of ids.

    Attributes:
        kind: Its family of types.
        decimals: Whether its type can hold decimals, of which no id has any.
    """

    kind: ColumnType
    decimals: bool = False

    def text(self, value: str) -> str:
        """A value as the text that it is compared as.

        >>> IdColumn("number").text("id"), IdColumn("number", decimals=True).text("id")
        ('CAST(id AS VARCHAR)', 'CAST(CAST(id AS DECIMAL(38, 0)) AS VARCHAR)')
        """
        whole = f"CAST({value} AS DECIMAL(38, 0))" if self.decimals else value
        return f"CAST({whole} AS VARCHAR)"

    def compared(self, value: str, other: IdColumn) -> str:
        """A value as it is compared with ids of another column."""
        return value if self.kind == other.kind else self.text(value)


TEXTS = IdColumn("text")
"""Ids that are texts."""


def id_column(
    engine: Engine, table: str, column: str, role: str, only: str | None = None
) -> IdColumn:
    """What a column of ids is, once it was seen that each of its numbers is one whole number.

    Args:
        engine: Where it lies.
        table: The relation that holds it.
        column: Its name, which the table has.
        role: What it identifies, for the message.
        only: A condition on the rows that matter.

    Raises:
        DataError: UL273, floating numbers that may each be several ids, or are none.
    """
    kind = engine.columns(table)[column]
    if kind != "number":
        return IdColumn(kind)
    held = _type_of(engine, table, column)
    exact = _EXACT.get(str(held))
    if exact is None and not (pa.types.is_decimal(held) and held.scale > 0):
        return IdColumn(kind)
    good = f"{quote(column)} = FLOOR({quote(column)})"
    if exact is not None:
        good = f"ABS({quote(column)}) < {exact} AND {good}"
    if count := _others(engine, (table, only), quote(column), good):
        raise DataError(_inexact((column, role), count, exact))
    return IdColumn(kind, decimals=True)


def refuse_rounded(
    engine: Engine, table: str, column: str, role: str, only: str | None = None
) -> None:
    """Refuse a part of a key of which several values may be one floating number.

    Unlike an id it may have decimals, as a price has: it is compared with none of other tables.

    Args:
        engine: Where it lies.
        table: The relation that holds it.
        column: Its name, which the table has.
        role: What it identifies, for the message.
        only: A condition on the rows that matter.

    Raises:
        DataError: UL273, with how many there are.
    """
    if engine.columns(table)[column] != "number":
        return
    exact = _EXACT.get(str(_type_of(engine, table, column)))
    good = f"ABS({quote(column)}) < {exact}"
    if exact is not None and (count := _others(engine, (table, only), quote(column), good)):
        raise DataError(_inexact((column, role), count, exact))


def _type_of(engine: Engine, table: str, column: str) -> pa.DataType:
    return engine.query(f"SELECT {quote(column)} FROM {table} LIMIT 0").schema.types[0]


def _others(engine: Engine, rows: tuple[str, str | None], value: str, good: str) -> int:
    """How many values of some rows are not as they are to be."""
    table, only = rows
    where = f" WHERE {only}" if only else ""
    bad = f"SUM(CASE WHEN {value} IS NULL OR ({good}) THEN 0 ELSE 1 END)"
    query = f"SELECT COALESCE({bad}, 0) AS n FROM {table}{where}"
    return int(engine.query(query).to_pylist()[0]["n"])


def _inexact(said: tuple[str, str], count: int, exact: int | None) -> Diagnostic:
    column, role = said
    message = f"in {count:,} rows '{column}' ({role}) is no whole number"
    if exact is not None:
        message += f" below {exact:,}, up to which a floating number is one id and no other"
    remedy = "write ids as text or as whole numbers from the start: pandas makes floats of whole"
    remedy += " numbers with a gap, unless read with dtype='string' or 'Int64'"
    return Diagnostic("UL273", message, remedy)
