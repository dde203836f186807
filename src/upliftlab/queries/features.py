"""Features: columns of the customers' table as a model takes them, doubles or texts.

A column's type says what it is. A CSV file has texts only: there, a column of which every value is
a number is one, unless some are written with leading zeros, as postcodes are.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from upliftlab.config.models import FeatureKind, Source
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.engines.kinds import is_text
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.numbers import number_sql, usable_sql
from upliftlab.queries.population import missing_column
from upliftlab.util.personal import shape
from upliftlab.util.sql import quote

_NUMBERS: tuple[ColumnType, ...] = ("number", "boolean")


@dataclass(frozen=True, slots=True)
class Features:
    """The features of one table of customers.

    Attributes:
        kinds: What each is taken for, in order.
        types: The types of the table's columns.
    """

    kinds: Mapping[str, FeatureKind]
    types: Mapping[str, ColumnType]

    def sql(self, prefix: str = "") -> dict[str, str]:
        """SQL of each by its alias `f0`, `f1` …; `prefix` names the table, as in `c.`.

        Numbers are doubles, NULL where they are missing, NaN or infinite.
        """
        return {
            f"f{at}": self._value(name, f"{prefix}{quote(name)}")
            for at, name in enumerate(self.kinds)
        }

    def _value(self, name: str, value: str) -> str:
        if self.kinds[name] == "categorical":
            return f"CAST({value} AS VARCHAR)"
        number = number_sql(value, self.types[name])
        return f"CASE WHEN {usable_sql(number)} THEN {number} END"


def features_of(names: Iterable[str], table: str, source: Source, engine: Engine) -> Features:
    """What the features of an attached table are.

    Args:
        names: Their columns.
        table: What the table is attached as.
        source: Where it lies.
        engine: The engine that holds it.

    Raises:
        DataError: UL205 a column is not there, UL206 it holds neither numbers nor texts.
    """
    types, asked = engine.columns(table), tuple(names)
    for name in asked:
        if name not in types:
            raise missing_column(name, "feature", types)
        if types[name] not in (*_NUMBERS, "text"):
            message = f"column '{name}' holds neither numbers nor texts (feature)"
            remedy = "make it a number in a view, such as the days since a date"
            raise DataError(Diagnostic("UL206", message, remedy))
    texts = [name for name in asked if types[name] == "text"]
    words = _words(texts, table, engine) if is_csv(source) else set(texts)
    return Features({n: "categorical" if n in words else "numeric" for n in asked}, types)


def is_csv(source: Source) -> bool:
    """Whether a source is a CSV file, which has texts only.

    >>> is_csv(Source(file="a.tsv.gz")), is_csv(Source(table="customers"))
    (True, False)
    """
    return source.file is not None and is_text(source.file)


def _words(texts: Collection[str], table: str, engine: Engine) -> set[str]:
    """The columns of text in which not every value is a number."""
    if not texts:
        return set()
    counts = ", ".join(
        f"SUM(CASE WHEN {_no_number(quote(name))} THEN 1 ELSE 0 END) AS n{at}"
        for at, name in enumerate(texts)
    )
    (row,) = engine.query(f"SELECT {counts} FROM {quote(table)}").to_pylist()
    return {name for at, name in enumerate(texts) if row[f"n{at}"]}


def _no_number(value: str) -> str:
    leading = f"({value} LIKE '0%' AND {value} <> '0' AND {value} NOT LIKE '0.%')"
    return f"{value} IS NOT NULL AND ({number_sql(value, 'text')} IS NULL OR {leading})"


def learned_features(
    kinds: Mapping[str, FeatureKind], table: str, source: Source, engine: Engine
) -> Features:
    """The features of a table as a model has learned them from another.

    Args:
        kinds: What the model takes each feature for.
        table: What the table is attached as.
        source: Where it lies.
        engine: The engine that holds it.

    Raises:
        DataError: UL205 a column is not there, UL615 it is not what the model has learned.
    """
    types = engine.columns(table)
    for name in kinds:
        if name not in types:
            raise missing_column(name, "feature", types)
    if faults := [*_unlike(kinds, types, is_csv(source))]:
        raise DataError(faults)
    csv = [name for name, kind in kinds.items() if kind == "numeric" and types[name] == "text"]
    if faults := [*_unreadable(csv, table, engine)]:
        raise DataError(faults)
    return Features(dict(kinds), types)


def _unlike(
    kinds: Mapping[str, FeatureKind], types: Mapping[str, ColumnType], csv: bool
) -> Iterator[Diagnostic]:
    for name, kind in kinds.items():
        words = types[name] == "text"
        if (words and (kind == "categorical" or csv)) or (
            kind == "numeric" and types[name] in _NUMBERS
        ):
            continue
        wanted = "texts" if kind == "categorical" else "numbers"
        message = f"the feature '{name}' is of the type {types[name]}; the model learned {wanted}"
        yield Diagnostic("UL615", message, "give it the type it had, or learn again")


def _unreadable(names: Collection[str], table: str, engine: Engine) -> Iterator[Diagnostic]:
    """Texts in the place of numbers."""
    if not names:
        return
    columns = list[str]()
    for at, name in enumerate(names):
        value = quote(name)
        bad = f"{value} IS NOT NULL AND {number_sql(value, 'text')} IS NULL"
        columns.append(f"SUM(CASE WHEN {bad} THEN 1 ELSE 0 END) AS n{at}")
        columns.append(f"MIN(CASE WHEN {bad} THEN {value} END) AS v{at}")
    (row,) = engine.query(f"SELECT {', '.join(columns)} FROM {quote(table)}").to_pylist()
    for at, name in enumerate(names):
        if row[f"n{at}"]:
            message = f"the feature '{name}' holds text such as '{shape(str(row[f'v{at}']))}'"
            message += f" in {row[f'n{at}']:,} rows; the model learned numbers"
            yield Diagnostic("UL615", message, "write plain numbers, or learn again")
