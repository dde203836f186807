"""What the texts of a column mean: numbers, times, true and false, or nothing but texts.

A CSV file holds texts only. Mostly the use of a column says what they mean; where it does not,
as in `paid > refunded`, the values do, and the engine is asked.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.queries.numbers import (
    flag_sql,
    number_sql,
    plain_sql,
    readable_time_sql,
    time_sql,
    usable_sql,
)
from upliftlab.util.sql import literal, quote

Kind = Literal["number", "text", "boolean", "time"]
"""What the parts of a condition are."""

KINDS: Final[Mapping[ColumnType, Kind | None]] = {
    "number": "number",
    "text": "text",
    "boolean": "boolean",
    "date": "time",
    "time": "time",
    "instant": "time",
    "other": None,
}
"""What a column of each type is."""

_WHOLE: Final = "^ *[-+]?(0|[1-9][0-9]{0,17}) *$"
"""Whole numbers that 64 bits hold."""
_CODE: Final = "^ *[-+]?0[0-9]"
"""Digits that no number begins with, as those of postcodes and article numbers."""
_COMMA: Final = FileFormat(decimal=",")
_TIME: Final = "^ *[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
"""How a time begins: some engines take a lone year for one."""
_TRUE: Final = ("true", "t", "yes", "y", "1", "1.0")
_FALSE: Final = ("false", "f", "no", "n", "0", "0.0")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the values of a column of text mean.

    Attributes:
        kind: Numbers, times or true and false, where all that are not missing are; else texts.
            None where all are missing.
        whole: Whether all are whole numbers that 64 bits hold.
        known: How many are not missing.
        numbers: How many of them are numbers.
        commas: How many would be, if a comma stood before decimals.
    """

    kind: Kind | None
    whole: bool
    known: int
    numbers: int
    commas: int = 0


def text_sql(column: str, kind: Kind, form: FileFormat | None = None, table: str = "") -> str:
    """A column of text as what it means, NULL where it is none of that.

    Args:
        column: Its name.
        kind: What it means.
        form: How values are written in the file.
        table: The table that it is looked for in, as `c.`.
    """
    value = f"{table}{quote(column)}"
    if kind == "boolean":
        return _boolean_sql(value, form)
    if kind == "number":
        return number_sql(value, "text", form)
    return _time_sql(column, table, form) if kind == "time" else value


def _time_sql(column: str, table: str, form: FileFormat | None) -> str:
    """A text as a time: a moment that names its offset in UTC, as instants of other tables are."""
    kinds: dict[str, ColumnType] = {column: "text"}
    clock = time_sql(column, kinds, table, form)
    if form is not None and form.datetime:
        return clock
    value = f"{table}{quote(column)}"
    moment = time_sql(column, kinds, table, form, zoned=True)
    return f"CASE WHEN {readable_time_sql(value, form, zoned=True)} THEN {moment} ELSE {clock} END"


def _boolean_sql(value: str, form: FileFormat | None) -> str:
    word = f"LOWER(TRIM(CAST({value} AS VARCHAR)))"
    true, false = words(form)
    said = (f"{word} IN ({', '.join(map(literal, each))})" for each in (true, false))
    return f"CASE WHEN {next(said)} THEN TRUE WHEN {next(said)} THEN FALSE END"


def words(form: FileFormat | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words for true and for false, in small letters."""
    own = ((), ()) if form is None else (form.true, form.false)
    true, false = (tuple(word.strip().lower() for word in given) for given in own)
    return (*_TRUE, *true), (*_FALSE, *false)


def unreadable_sql(column: str, kind: Kind, form: FileFormat | None = None) -> str:
    """The condition that a column holds a text, and it is not what it is taken for."""
    return f"({quote(column)} IS NOT NULL AND NOT {_readable(column, kind, form)})"


def code_sql(value: str) -> str:
    """The condition that a text has leading zeros, as a postcode: it is no number to compute with.

    >>> code_sql("zip")
    "REGEXP_MATCHES(CAST(zip AS VARCHAR), '^ *[-+]?0[0-9]')"
    """
    return _matches(value, _CODE)


def _readable(column: str, kind: Kind, form: FileFormat | None) -> str:
    read = text_sql(column, kind, form)
    if kind == "number":
        return f"COALESCE({usable_sql(read)}, FALSE)"
    if kind == "time" and (form is None or not (form.date or form.datetime)):
        return f"({read} IS NOT NULL AND {_matches(quote(column), _TIME)})"
    return f"({read} IS NOT NULL)"


def _matches(value: str, pattern: str) -> str:
    return f"REGEXP_MATCHES(CAST({value} AS VARCHAR), {literal(pattern)})"


def meanings_of(
    names: Collection[str], relation: str, form: FileFormat | None, engine: Engine
) -> dict[str, Meaning]:
    """What columns of text mean by their values, in one query.

    Args:
        names: The columns.
        relation: The table they are in, with the condition on its rows.
        form: How values are written in the file.
        engine: Where it lies.
    """
    if not names:
        return {}
    counts = ", ".join(
        f"{sql} AS {letter}{at}"
        for at, name in enumerate(names)
        for letter, sql in _counts(name, form)
    )
    (row,) = engine.query(f"SELECT {counts} FROM {relation}").to_pylist()
    return {
        name: _meaning({letter: int(row[f"{letter}{at}"]) for letter in "kwntbc"})
        for at, name in enumerate(names)
    }


def _counts(column: str, form: FileFormat | None) -> Iterator[tuple[str, str]]:
    value = quote(column)
    yield "k", f"COUNT({value})"
    yield "w", _count(_matches(value, _WHOLE))
    number = f"{_readable(column, 'number', form)} AND {flag_sql(value, form)} IS NULL"
    yield "n", _count(f"{number} AND NOT {code_sql(value)}")
    yield "t", _count(_readable(column, "time", form))
    yield "b", _count(_readable(column, "boolean", form))
    yield "c", f"COUNT({plain_sql(value, _COMMA)})"


def _count(condition: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


def _meaning(counts: Mapping[str, int]) -> Meaning:
    known = counts["k"]
    kinds: dict[Kind, int] = {"number": counts["n"], "time": counts["t"], "boolean": counts["b"]}
    found: list[Kind] = [kind for kind, count in kinds.items() if count == known]
    kind: Kind = found[0] if found else "text"
    whole = 0 < known == counts["w"]
    return Meaning(kind if known else None, whole, known, counts["n"], counts["c"])
