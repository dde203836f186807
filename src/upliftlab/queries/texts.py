"""Texts in the place of numbers: in which way they can be read, or that they can be in several.

What is usual costs a few counts in a scan that is made anyway. Only a column that they make
suspicious is looked at more closely.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from upliftlab.config.models import FileFormat
from upliftlab.engines.base import Engine
from upliftlab.errors import Diagnostic
from upliftlab.queries.numbers import (
    SYMBOLS,
    currency_sql,
    flag_sql,
    has_currency_sql,
    number_sql,
    plain_sql,
)
from upliftlab.queries.text_forms import NUMBERS, TextForm
from upliftlab.util.personal import shape

_FIRST: Final = 2_000


@dataclass(frozen=True, slots=True)
class TextNumbers:
    """A column of texts that is read as numbers.

    Attributes:
        column: Its name.
        value: It in SQL.
        named: What it is called in a message.
        form: How the file writes texts, where that is declared.
        currency: The currency that its amounts are in, where that is declared.
        among: A condition on the rows that count; None where all do.
        flags: Whether words for yes and no are read as 1 and 0.
        pointed: Whether it is known what a point in it stands for.
        assumed: Whether it is taken for plain numbers until one is found to be missing.
    """

    column: str
    value: str
    named: str
    form: FileFormat | None = None
    currency: str | None = None
    among: str | None = None
    flags: bool = True
    pointed: bool = False
    assumed: bool = False

    @property
    def counts(self) -> tuple[str, ...]:
        """What is counted of it.

        Texts that are no plain numbers; and where nothing says what a point stands for, points
        before three last digits, and others.
        """
        odd = "0" if self.assumed else self.count(self.odd)
        if self.pointed or (self.form is not None and self.form.numbers_declared):
            return (odd,)
        three = f"CASE WHEN {self.value} LIKE '%.___' THEN 1 END"
        return odd, self.count(three), self.count(self.decimal)

    @property
    def odd(self) -> str:
        """Not NULL of a text that is no plain number."""
        return f"CASE WHEN {plain_sql(self.value, self.form)} IS NULL THEN {self.value} END"

    @property
    def decimal(self) -> str:
        """Not NULL of a text whose point cannot stand between thousands."""
        return f"CASE WHEN {self.value} LIKE '%.%' AND NOT {self.value} LIKE '%.___' THEN 1 END"

    @property
    def marked(self) -> str:
        """It, where a point or a comma stands in it: without one there is one way to read it."""
        has = f"{self.value} LIKE '%.%' OR {self.value} LIKE '%,%'"
        return f"CASE WHEN {has} THEN {self.value} END"

    def count(self, sql: str) -> str:
        """How many rows that count have a value of something."""
        return f"COUNT({self.within(sql)})"

    def within(self, sql: str) -> str:
        """Something of the rows that count, NULL of others."""
        return sql if self.among is None else f"CASE WHEN {self.among} THEN {sql} END"


def pointed(columns: Sequence[TextNumbers], relation: str, engine: Engine) -> list[TextNumbers]:
    """The columns, of which the first rows may show already how they are written.

    What a point stands for; and that not all are plain numbers, so that this is not assumed.
    """
    if not columns:
        return []
    shown = {f"p{at}": column.decimal for at, column in enumerate(columns)}
    shown |= {f"o{at}": column.odd for at, column in enumerate(columns) if column.assumed}
    listed = ", ".join(f"{sql} AS {name}" for name, sql in shown.items())
    first = f"SELECT {listed} FROM {relation} LIMIT {_FIRST}"
    counts = ", ".join(f"COUNT({name}) AS {name}" for name in shown)
    row = engine.query(f"SELECT {counts} FROM ({first}) AS first").to_pylist()[0]
    return [
        replace(column, pointed=row[f"p{at}"] > 0, assumed=column.assumed and not row[f"o{at}"])
        for at, column in enumerate(columns)
    ]


def counted(columns: Sequence[TextNumbers]) -> list[str]:
    """The counts of several columns as columns of one query."""
    return [
        f"{sql} AS q{at}_{number}"
        for at, column in enumerate(columns)
        for number, sql in enumerate(column.counts)
    ]


def plain(columns: Sequence[TextNumbers], row: Mapping[str, Any]) -> frozenset[str]:
    """The columns in which all texts that count are plain numbers, by what `counted` gives."""
    odd = {column.column for at, column in enumerate(columns) if row[f"q{at}_0"]}
    return frozenset(column.column for column in columns) - odd


def doubtful(columns: Sequence[TextNumbers], row: Mapping[str, Any]) -> list[TextNumbers]:
    """The columns that must be looked at more closely, by what `counted` gives."""
    found = list[TextNumbers]()
    for at, column in enumerate(columns):
        odd, three, rest = (int(row.get(f"q{at}_{number}") or 0) for number in range(3))
        if odd or (three and not rest):
            found.append(column)
    return found


def faults_of(
    columns: Sequence[TextNumbers], relation: str, engine: Engine
) -> Iterator[tuple[TextNumbers, Diagnostic]]:
    """What is wrong with doubtful columns, beside values that cannot be read in any way.

    Args:
        columns: As `doubtful` gives them.
        relation: The FROM clause with its WHERE.
        engine: Where the data lie.
    """
    for column in columns:
        row = engine.query(f"SELECT {', '.join(_asked(column))} FROM {relation}").to_pylist()[0]
        if fault := _mixed(column, row) or _currencies(column, row) or _forms(column, row):
            yield column, fault


def _asked(column: TextNumbers) -> list[str]:
    value, form = column.value, column.form
    flag, code = flag_sql(value, form), has_currency_sql(value, form)
    plain = plain_sql(value, form)
    named = f"CASE WHEN {code} THEN {currency_sql(value)} END"
    bare = f"CASE WHEN {plain} <> 0 THEN 1 END"
    asked = {
        "n": column.count(value),
        "flags": column.count(flag) if column.flags else "0",
        "numbers": column.count(plain),
        "bare": column.count(bare),
        "codes": column.count(named),
        "first": f"MIN({column.within(named)})",
        "last": f"MAX({column.within(named)})",
        "example": f"MIN({column.within(column.marked)})",
        "read": column.count(number_sql(value, "text", form)),
    }
    for at, number in enumerate(number_sql(value, "text", each.form) for each in NUMBERS):
        asked |= {f"way{at}": column.count(number)}
        asked |= {f"sum{at}": f"SUM(ABS({column.within(number)}))"}
    return [f"{sql} AS {name}" for name, sql in asked.items()]


def _mixed(column: TextNumbers, row: Mapping[str, Any]) -> Diagnostic | None:
    if not row["flags"] or not row["numbers"]:
        return None
    message = f"{column.named} mixes {row['flags']:,} words for yes and no with"
    message += f" {row['numbers']:,} numbers"
    return Diagnostic("UL256", message, "write either everywhere, such as 1 and 0")


def _currencies(column: TextNumbers, row: Mapping[str, Any]) -> Diagnostic | None:
    if not row["codes"]:
        return None
    found = {SYMBOLS.get(sign, sign) for sign in (str(row["first"]), str(row["last"]))}
    said = " and ".join(sorted(found))
    if len(found) > 1:
        message = f"{column.named} has amounts in several currencies, such as {said}"
        return Diagnostic("UL223", message, "convert them to one currency")
    if column.currency is not None and found != {column.currency}:
        message = f"{column.named} has amounts in {said}, and is declared to be {column.currency}"
        remedy = f"convert them, or write 'currency: {said}' in the experiment"
        return Diagnostic("UL223", message, remedy)
    if column.currency is None and row["bare"]:
        message = f"{column.named} has {row['codes']:,} amounts in {said}, and {row['bare']:,}"
        message += " that name no currency"
        return Diagnostic("UL223", message, f"write {said} beside all, or 'currency: {said}'")
    return None


def _forms(column: TextNumbers, row: Mapping[str, Any]) -> Diagnostic | None:
    """Where the numbers of a column can be read, but in another way than the one that holds."""
    if (column.form is not None and column.form.numbers_declared) or row["example"] is None:
        return None
    # Forms that come to the same sum are the same to this column: the first says what it needs.
    meanings = dict[float | None, TextForm]()
    for at, each in enumerate(NUMBERS):
        if row[f"way{at}"] == row["n"]:
            meanings.setdefault(row[f"sum{at}"], each)
    ways = [*meanings.values()]
    if not ways or (len(ways) == 1 and row["read"] == row["n"]):
        return None
    form = shape(str(row["example"]))
    if len(ways) == 1:
        message = f"{column.named} holds numbers that are no plain ones, such as '{form}'"
        return Diagnostic("UL206", message, f"write under its source: '{ways[0].choice.write}'")
    message = f"the numbers of {column.named} can be read in two ways, such as '{form}'"
    said = [f"'{way.choice.write}' where {way.meaning}" for way in ways]
    return Diagnostic("UL255", message, f"write under its source: {', or '.join(said)}")
