"""Features: columns of the customers' table as a model takes them, doubles or texts.

A column's type says what it is. In CSV and in workbooks a text may be a number: there, a column of
which every value is a number is one, unless some are written with leading zeros, as postcodes are.
One of which nearly every value is a number is neither: a single `-` would make categories of
thousands of numbers.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from upliftlab.config.models import FeatureKind, FileFormat, Source, Uplift
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.engines.kinds import is_loose
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.meanings import code_sql
from upliftlab.queries.numbers import number_sql, plain_sql, usable_sql
from upliftlab.queries.population import missing_column
from upliftlab.queries.texts import TextNumbers, counted, doubtful, faults_of
from upliftlab.util.personal import shape
from upliftlab.util.sql import literal, quote

_NUMBERS: tuple[ColumnType, ...] = ("number", "boolean")
_COMMA: Final = "^ *[-+]?[0-9][0-9.]*,[0-9]+ *$"
"""A number with a comma before its decimals."""
_FEW: Final = 0.1
"""At most this part of the values that are no numbers is taken for an oversight."""
_FORMS: Final = 10
"""More forms of texts than this are no oversight, but texts."""
_LOOKED_AT: Final = 1000
"""So many different texts are looked at."""


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


def features_of(asked: Uplift, table: str, source: Source, engine: Engine) -> Features:
    """What the features of an attached table are.

    Args:
        asked: Their columns, and those that are categories whatever they look like.
        table: What the table is attached as.
        source: Where it lies.
        engine: The engine that holds it.

    Raises:
        DataError: UL205 a column is not there, UL206 it holds neither numbers nor texts, UL252 it
            holds numbers and a few texts, UL255 its numbers can be read in two ways.
    """
    types = engine.columns(table)
    for name in asked.features:
        if name not in types:
            raise missing_column(name, "feature", types)
        if fault := _no_feature(name, types[name], asked):
            raise DataError(fault)
    texts = [name for name in asked.features if types[name] == "text"]
    words = set(texts)
    if _is_loose(source):
        unsaid = [name for name in texts if name not in asked.categorical]
        words -= set(_numbers(unsaid, table, source, engine))
    kinds: dict[str, FeatureKind] = {
        name: "categorical" if name in words else "numeric" for name in asked.features
    }
    return Features(kinds, types, source.format)


def _no_feature(name: str, kind: ColumnType, asked: Uplift) -> Diagnostic | None:
    if kind not in (*_NUMBERS, "text"):
        message = f"column '{name}' holds neither numbers nor texts (feature)"
        remedy = "make it a number in a view, such as the days since a date"
        return Diagnostic("UL206", message, remedy)
    if name in asked.categorical and kind != "text":
        message = f"column '{name}' holds no texts (feature under 'categorical')"
        return Diagnostic("UL206", message, "make it a text in a view")
    return None


def _is_loose(source: Source) -> bool:
    """Whether a source's texts may be numbers: nobody said what its columns are.

    >>> _is_loose(Source(file="a.csv.gz")), _is_loose(Source(table="customers"))
    (True, False)
    """
    return source.file is not None and is_loose(source.file)


def _numbers(texts: Sequence[str], table: str, source: Source, engine: Engine) -> Iterator[str]:
    """The columns of text that hold numbers.

    Raises:
        DataError: UL252 some hold numbers and a few texts, UL255 some can be read in two ways.
    """
    if not texts:
        return
    form = source.format
    read = _text_numbers(texts, form)
    counts = [
        f"COUNT(CASE WHEN {sql} THEN 1 END) AS {letter}{at}"
        for at, name in enumerate(texts)
        for letter, sql in _looked_for(quote(name), form)
    ]
    listed = ", ".join([*counts, *_counted(read)])
    (row,) = engine.query(f"SELECT {listed} FROM {quote(table)}").to_pylist()
    faults = _two_ways(read, row, table, engine)
    for at, name in enumerate(texts):
        known, odd, codes, commas = (int(row[f"{letter}{at}"]) for letter in "kocd")
        if not odd and not codes:
            yield name
        elif not codes and odd - commas <= _FEW * known:
            faults += _stray(name, known, table, source, engine)
    if faults:
        raise DataError(faults)


def _text_numbers(names: Iterable[str], form: FileFormat | None) -> list[TextNumbers]:
    return [TextNumbers(n, quote(n), f"the feature '{n}'", form, flags=False) for n in names]


def _counted(read: Sequence[TextNumbers]) -> list[str]:
    """What `_two_ways` needs of columns, as columns of one query."""
    marked = (f"{column.count(column.marked)} AS m{at}" for at, column in enumerate(read))
    return [*counted(read), *marked]


def _two_ways(
    read: Sequence[TextNumbers], row: Mapping[str, Any], table: str, engine: Engine
) -> list[Diagnostic]:
    """The faults of numbers that can be read in two ways, by what `_counted` gives of them.

    Words are no plain numbers either; they are not read in every way to find that out.
    """
    marked = {column.column for at, column in enumerate(read) if row[f"m{at}"]}
    asked = [column for column in doubtful(read, row) if column.column in marked]
    told = faults_of(asked, quote(table), engine)
    return [fault for _, fault in told if fault.code == "UL255"]


def _odd(value: str, form: FileFormat | None) -> str:
    """The condition that there is a text, and it is no number; words for yes and no are texts."""
    return f"({value} IS NOT NULL AND {plain_sql(value, form)} IS NULL)"


def _looked_for(value: str, form: FileFormat | None) -> Iterator[tuple[str, str]]:
    """Values, those that are no numbers, codes with leading zeros, and numbers with a comma."""
    odd = _odd(value, form)
    yield "k", f"{value} IS NOT NULL"
    yield "o", odd
    yield "c", code_sql(value)
    yield "d", f"{odd} AND REGEXP_MATCHES({value}, {literal(_COMMA)})"


def _stray(
    name: str, known: int, table: str, source: Source, engine: Engine
) -> Iterator[Diagnostic]:
    """The fault of numbers with a few texts among them; none where the texts are many a kind."""
    odd = _odd(quote(name), source.format)
    rows = engine.query(
        f"SELECT {quote(name)} AS value, COUNT(*) AS n FROM {quote(table)} WHERE {odd}"
        f" GROUP BY {quote(name)} ORDER BY n DESC, value LIMIT {_LOOKED_AT}"
    ).to_pylist()
    forms = list(dict.fromkeys(shape(str(row["value"])) for row in rows))
    commas = all(re.fullmatch(_COMMA, str(row["value"])) for row in rows)
    if len(forms) > _FORMS and not commas:
        return
    count = sum(int(row["n"]) for row in rows)
    more = " or more" if len(rows) == _LOOKED_AT else ""
    message = f"{source.file}: the feature '{name}' holds numbers, but in {count:,}{more} of"
    message += f" {known:,} rows texts such as '{forms[0]}'"
    said = 'decimal: ","' if commas else 'missing: ["…"]'
    if not commas and forms[0] == str(rows[0]["value"]):  # a word for no value, not a customer's
        said = f'missing: ["{forms[0]}"]'
    remedy = f"add 'format: {{{said}}}' to the source, if that is what they mean; if they name"
    remedy += f" categories, 'categorical: [{name}]' under 'uplift'"
    yield Diagnostic("UL252", message, remedy)


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
        DataError: UL205 a column is not there, UL255 its numbers can be read in two ways, UL615 it
            is not what the model has learned.
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
    """Texts in the place of numbers, and numbers that can be read in two ways."""
    if not names:
        return
    read = _text_numbers(names, form)
    columns = _counted(read)
    for at, name in enumerate(names):
        bad = _odd(quote(name), form)
        columns.append(f"COUNT(CASE WHEN {bad} THEN 1 END) AS n{at}")
        columns.append(f"MIN(CASE WHEN {bad} THEN {quote(name)} END) AS v{at}")
    (row,) = engine.query(f"SELECT {', '.join(columns)} FROM {quote(table)}").to_pylist()
    yield from _two_ways(read, row, table, engine)
    for at, name in enumerate(names):
        if row[f"n{at}"]:
            message = f"the feature '{name}' holds text such as '{shape(str(row[f'v{at}']))}'"
            message += f" in {row[f'n{at}']:,} rows; the model learned numbers"
            remedy = "write plain numbers, name what stands for no value as"
            remedy += " 'format: {missing: [\"…\"]}' under the source, or learn again"
            yield Diagnostic("UL615", message, remedy)
