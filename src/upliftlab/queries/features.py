"""Features: columns of the customers' table as a model takes them, doubles or texts.

A column's type says what it is. In CSV and in workbooks a text may be a number: there, a column of
which every value is a number is one, unless some are written with leading zeros, as postcodes are.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from upliftlab.config.models import FeatureKind, FileFormat, Source
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.engines.kinds import is_loose
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.numbers import number_sql, plain_sql, usable_sql
from upliftlab.queries.population import missing_column
from upliftlab.queries.texts import TextNumbers, counted, doubtful, faults_of
from upliftlab.util.personal import shape
from upliftlab.util.sql import quote

_NUMBERS: tuple[ColumnType, ...] = ("number", "boolean")


@dataclass(frozen=True, slots=True)
class Features:
    """The features of one table of customers.

    Attributes:
        kinds: What each is taken for, in order.
        types: The types of the table's columns.
        form: How the file writes texts, where that is declared.
    """

    kinds: Mapping[str, FeatureKind]
    types: Mapping[str, ColumnType]
    form: FileFormat | None = None

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
        if self.types[name] == "text":
            number = plain_sql(value, self.form)
        else:
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
        DataError: UL205 a column is not there, UL206 it holds neither numbers nor texts, UL255 its
            numbers can be read in two ways.
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
    words = _words(texts, table, source, engine) if _is_loose(source) else set(texts)
    kinds: dict[str, FeatureKind] = {
        name: "categorical" if name in words else "numeric" for name in asked
    }
    return Features(kinds, types, source.format)


def _is_loose(source: Source) -> bool:
    """Whether a source's texts may be numbers: nobody said what its columns are.

    >>> _is_loose(Source(file="a.csv.gz")), _is_loose(Source(table="customers"))
    (True, False)
    """
    return source.file is not None and is_loose(source.file)


def _words(texts: Collection[str], table: str, source: Source, engine: Engine) -> set[str]:
    """The columns of text in which not every value is a number."""
    if not texts:
        return set()
    form = source.format
    read = [TextNumbers(n, quote(n), f"the feature '{n}'", form, flags=False) for n in texts]
    counts = [
        f"SUM(CASE WHEN {_no_number(quote(name), form)} THEN 1 ELSE 0 END) AS n{at}"
        for at, name in enumerate(texts)
    ]
    listed = ", ".join([*counts, *counted(read)])
    (row,) = engine.query(f"SELECT {listed} FROM {quote(table)}").to_pylist()
    words = {name for at, name in enumerate(texts) if row[f"n{at}"]}
    told = faults_of(doubtful(read, row), quote(table), engine)
    if faults := [fault for _, fault in told if fault.code == "UL255"]:
        raise DataError(faults)
    return words


def _no_number(value: str, form: FileFormat | None) -> str:
    leading = f"({value} LIKE '0%' AND {value} <> '0' AND NOT REGEXP_MATCHES({value}, '^0[.,]'))"
    return f"{value} IS NOT NULL AND ({plain_sql(value, form)} IS NULL OR {leading})"


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
    if faults := [*_unlike(kinds, types, _is_loose(source))]:
        raise DataError(faults)
    texts = [name for name, kind in kinds.items() if kind == "numeric" and types[name] == "text"]
    if faults := [*_unreadable(texts, table, source.format, engine)]:
        raise DataError(faults)
    return Features(dict(kinds), types, source.format)


def _unlike(
    kinds: Mapping[str, FeatureKind], types: Mapping[str, ColumnType], loose: bool
) -> Iterator[Diagnostic]:
    for name, kind in kinds.items():
        words = types[name] == "text"
        if (words and (kind == "categorical" or loose)) or (
            kind == "numeric" and types[name] in _NUMBERS
        ):
            continue
        wanted = "texts" if kind == "categorical" else "numbers"
        message = f"the feature '{name}' is of the type {types[name]}; the model learned {wanted}"
        yield Diagnostic("UL615", message, "give it the type it had, or learn again")


def _unreadable(
    names: Collection[str], table: str, form: FileFormat | None, engine: Engine
) -> Iterator[Diagnostic]:
    """Texts in the place of numbers."""
    if not names:
        return
    columns = list[str]()
    for at, name in enumerate(names):
        value = quote(name)
        bad = f"{value} IS NOT NULL AND {plain_sql(value, form)} IS NULL"
        columns.append(f"SUM(CASE WHEN {bad} THEN 1 ELSE 0 END) AS n{at}")
        columns.append(f"MIN(CASE WHEN {bad} THEN {value} END) AS v{at}")
    (row,) = engine.query(f"SELECT {', '.join(columns)} FROM {quote(table)}").to_pylist()
    for at, name in enumerate(names):
        if row[f"n{at}"]:
            message = f"the feature '{name}' holds text such as '{shape(str(row[f'v{at}']))}'"
            message += f" in {row[f'n{at}']:,} rows; the model learned numbers"
            yield Diagnostic("UL615", message, "write plain numbers, or learn again")
