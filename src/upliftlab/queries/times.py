"""Columns of times: that every value is one, and whose clock texts were read from."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from upliftlab.config.models import Source
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.clock import INSTANTS, time_literal
from upliftlab.queries.numbers import OFFSET, readable_time_sql, time_sql
from upliftlab.queries.text_forms import forms_of, times
from upliftlab.util.personal import shape
from upliftlab.util.sql import literal, quote

_OFFSET = re.compile(rf"[0-9]{OFFSET}$")
_FIRST, _LAST = (time_literal(datetime(year, 1, 1)) for year in (1, 9999))  # noqa: DTZ001 - without zone
"""Times of databases that lie outside are no times of this world, such as infinity."""
NO_TIMES = (
    "name another column; if its numbers count seconds since 1970, or the days of a spreadsheet, "
    "write them as 2026-03-02T14:30:00Z"
)
"""What to do about a column of numbers that should be one of times."""
TIMES = ("text", "date", "time", "instant")
"""Types of columns that may hold times."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column of times of one table.

    Attributes:
        name: Its name.
        columns: The types of the table's columns.
        source: What is declared of the table.
        zoned: Whether it is texts that name their offset to UTC.
        table: What stands before its name, as in `c.`.
    """

    name: str
    columns: Mapping[str, ColumnType]
    source: Source
    zoned: bool = False
    table: str = ""

    @property
    def value(self) -> str:
        """The column in SQL."""
        return f"{self.table}{quote(self.name)}"

    @property
    def sql(self) -> str:
        """The time without zone, an instant's in UTC."""
        return time_sql(self.name, self.columns, self.table, self.source.format, zoned=self.zoned)

    @property
    def instants(self) -> bool:
        """Whether its times are moments, whatever the clock on the wall."""
        return self.zoned or self.columns[self.name] == "instant"

    @property
    def unreadable(self) -> str:
        """The condition that it holds no time that every engine reads alike."""
        if self.columns[self.name] != "text":
            finite = f"{self.value} >= {_FIRST} AND {self.value} < {_LAST}"
            infinite = f" OR NOT ({finite})" if self.endless else ""
            return f"({self.value} IS NULL{infinite})"
        readable = readable_time_sql(self.value, self.source.format, zoned=self.zoned)
        return f"(NOT {readable} OR {self.sql} IS NULL)"

    @property
    def endless(self) -> bool:
        """Whether its type can hold infinity, as in databases; of files none can."""
        return self.columns[self.name] != "text" and self.source.table is not None

    def clock(self, zone: str) -> str:
        """The zone of the clock that its times are read on; `zone` where nothing else is said."""
        return INSTANTS if self.instants else self.source.zone or zone


def time_column(
    name: str, columns: Mapping[str, ColumnType], source: Source, engine: Engine, relation: str
) -> TimeColumn:
    """A column of times of an attached table; of texts, the first says whether they have offsets.

    Args:
        name: Its name.
        columns: The types of the table's columns.
        source: What is declared of the table.
        engine: Where it lies.
        relation: The table as `c`, with its WHERE if it has one.
    """
    if columns[name] != "text":
        return TimeColumn(name, columns, source)
    value = f"c.{quote(name)}"
    first = f"SELECT {value} AS v FROM {relation}"
    found = engine.query(f"SELECT v FROM ({first}) AS t WHERE v IS NOT NULL LIMIT 1").to_pylist()
    return TimeColumn(name, columns, source, zoned=bool(found) and _names_offset(found[0]["v"]))


def time_fault(
    column: TimeColumn, count: int, subject: str, engine: Engine, relation: str
) -> Diagnostic:
    """Why times cannot be read: the form of one, or that only some of them name an offset.

    Args:
        column: The column.
        count: How many rows have no time in it.
        subject: What they are called.
        engine: Where they lie.
        relation: The FROM clause with its WHERE.
    """
    text = f"CAST({column.value} AS VARCHAR)"
    other = f"REGEXP_MATCHES({text}, {literal(f'[0-9]{OFFSET}$')})"
    mixed = f"NOT {other}" if column.zoned else other
    dated = f"{text} LIKE '%:%'"
    row = engine.query(
        f"SELECT MIN(CASE WHEN {column.unreadable} THEN {text} END) AS example,"
        f" COUNT(CASE WHEN {mixed} AND {dated} AND {column.unreadable} THEN 1 END) AS mixed"
        f" FROM {relation}"
    ).to_pylist()[0]
    such = "" if row["example"] is None else f", such as '{shape(str(row['example']))}'"
    if row["mixed"] and column.columns[column.name] == "text":
        message = f"'{column.name}' mixes times with an offset and times without:"
        message += f" {row['mixed']:,} {subject} are unlike the first"
        remedy = "write all with their offset, or all without it and their zone under 'zone'"
        return Diagnostic("UL257", message, remedy)
    message = f"{count:,} {subject} have no time in '{column.name}'{such}"
    if row["example"] is None:
        return Diagnostic("UL218", message, "delete rows that are none, such as totals")
    return Diagnostic("UL218", message, _remedy(column, engine, relation))


def refuse_unreadable_times(
    column: TimeColumn, subject: str, engine: Engine, relation: str
) -> None:
    """Refuse times that are none, or that engines would read differently; some may be missing.

    Args:
        column: The column.
        subject: What has these times, such as customers (start).
        engine: Where they lie.
        relation: The FROM clause with its WHERE.

    Raises:
        DataError: UL218 they are no times, UL257 only some name an offset to UTC.
    """
    refuse_untimed(column.name, column.columns, subject)
    if column.columns[column.name] != "text":
        return
    bad = f"{column.value} IS NOT NULL AND {column.unreadable}"
    count = f"SELECT COUNT(CASE WHEN {bad} THEN 1 END) AS n FROM {relation}"
    if number := engine.query(count).to_pylist()[0]["n"]:
        raise DataError(time_fault(column, number, subject, engine, relation))


def refuse_untimed(column: str, columns: Mapping[str, ColumnType], subject: str) -> None:
    """Refuse a column that cannot hold times, whatever its values are.

    Raises:
        DataError: UL218.
    """
    if columns[column] not in TIMES:
        message = f"'{column}' of {subject} holds no times"
        raise DataError(Diagnostic("UL218", message, NO_TIMES))


def _names_offset(text: str) -> bool:
    return ":" in text and _OFFSET.search(text) is not None


def _remedy(column: TimeColumn, engine: Engine, relation: str) -> str:
    written = column.source.format
    if column.columns[column.name] != "text":
        return "write times that have an end, from year 1 to 9999, and nothing where there is none"
    if written is not None and (written.date or written.datetime):
        return "mend them, or the pattern under 'format'"
    if engine.dialect == "postgres":
        return "make a time of it in a view"
    lines = [f"'{form.choice.write}' where {form.meaning}"
             for form in forms_of(column.name, relation, engine, times())]  # fmt: skip
    if lines:
        return f"write under its source: {', or '.join(lines)}"
    return (
        "write times as 2026-03-02 14:30:00, or say under its source how all of them are written: "
        "'format: {datetime: DD.MM.YYYY HH:mm}'; `upliftlab inspect FILE` shows what it holds"
    )
