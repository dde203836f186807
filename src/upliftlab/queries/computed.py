"""Tables as they are attached: with the columns that are computed from their others.

A computed column is one of the table for whoever asks: a view is laid around what was read.
"""
# ruff: noqa: S608 - every name passes through quote(), values through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from upliftlab.config.computed import layers_of
from upliftlab.config.expressions import ExpressionError, parse_value
from upliftlab.config.models import FileFormat, Source
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.engines.dialect import converts_texts
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.condition_kinds import ConditionTable
from upliftlab.queries.conditions import sound_condition
from upliftlab.queries.numbers import number_sql
from upliftlab.queries.population import missing_column
from upliftlab.queries.values import KindError, ValueSql
from upliftlab.util.personal import shape
from upliftlab.util.sql import quote


def attach_table(
    name: str, source: Source, engine: Engine, *, whole: bool = True
) -> dict[str, ColumnType]:
    """Attach a table with its computed columns, and say what columns it has.

    Args:
        name: What it is attached as.
        source: Where it lies, and what is computed from it.
        engine: What reads it.
        whole: Refuse a column that cannot be computed because one that it is made of is not
            there; else it is left out, as where outcomes are still to come.

    Raises:
        DataError: UL2xx, it cannot be read; UL205 a column that another is computed from is not
            there, UL285 a computed one is there already, UL286 it is computed from values of a
            kind that it cannot be computed from, UL287 from texts that are no numbers.
    """
    if not source.columns:
        engine.attach(name, source)
        return engine.columns(name)
    given = f"{name}_given"
    engine.attach(given, source)
    view = _View(given, engine.columns(given), source.format, engine)
    view.add(source.columns, whole=whole)
    if view.faults:
        raise DataError(view.faults)
    if faults := [*_unreadable(view, engine)]:
        raise DataError(faults)
    engine.define(name, view.sql)
    return engine.columns(name)


def said(name: str) -> str:
    """What messages call a computed column."""
    return f"computed column '{name}'"


@dataclass(slots=True)
class _View:
    """A query around a table, with columns that are added to it.

    Attributes:
        table: The table as it was read.
        columns: The columns, those that were added among them.
        form: How the file writes texts, where that is declared.
        engine: The engine that holds it.
        read: By text column that is read as numbers, the first computed column that does.
        faults: Why columns cannot be added.
    """

    table: str
    columns: dict[str, ColumnType]
    form: FileFormat | None
    engine: Engine
    relation: str = ""
    read: dict[str, str] = field(default_factory=dict[str, str])
    faults: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def __post_init__(self) -> None:
        self.relation = quote(self.table)

    @property
    def sql(self) -> str:
        """The query."""
        return f"SELECT t.* FROM {self.relation} AS t"

    def add(self, computed: Mapping[str, str], *, whole: bool) -> None:
        """Compute columns, each after those that it is made of."""
        known = {column.casefold() for column in self.columns}
        self.faults += [_is_there(name) for name in computed if name.casefold() in known]
        for layer in () if self.faults else layers_of(computed):
            made = {name: self._made(name, computed, whole=whole) for name in layer}
            added = {name: pair for name, pair in made.items() if pair is not None}
            if added:
                listed = ", ".join(f"{sql} AS {quote(name)}" for name, (sql, _) in added.items())
                self.relation = f"(SELECT t.*, {listed} FROM {self.relation} AS t)"
            self.columns |= {name: kind for name, (_, kind) in added.items()}

    def _condition(self, text: str) -> str:
        """A condition within a value."""
        rows = f"{self.relation} AS t"
        table = ConditionTable("the table", rows, self.columns, self.form)
        return sound_condition("computed column", text, table, self.engine)

    def _made(
        self, name: str, computed: Mapping[str, str], *, whole: bool
    ) -> tuple[str, ColumnType] | None:
        """A column's SQL and type; None where it cannot be computed."""
        value = parse_value(computed[name])
        absent = sorted(value.columns - self.columns.keys())
        for part in absent:
            if whole and part not in computed:
                self.faults += missing_column(part, said(name), self.columns).faults
        if absent:
            return None
        making = ValueSql(self.columns, self._condition, self.form)
        try:
            found = making.of(value)
        except (KindError, ExpressionError) as error:
            message, _, remedy = str(error).partition("; ")
            self.faults.append(Diagnostic("UL286", f"{said(name)}: {message}", remedy))
            return None
        for column in making.read:
            self.read.setdefault(column, name)
        return found.sql, found.kind


def _is_there(name: str) -> Diagnostic:
    message = f"{said(name)}: the table has a column of that name"
    return Diagnostic("UL285", message, "give the computed one another name")


def _unreadable(view: _View, engine: Engine) -> Iterator[Diagnostic]:
    """Texts that are no numbers where numbers are asked for: NULL would hide them.

    Of an engine that cannot tell them, every text.
    """
    if not view.read:
        return
    if not converts_texts(engine.dialect):
        for column, name in view.read.items():
            message = f"{said(name)}: '{column}' holds texts where numbers are needed"
            yield Diagnostic("UL286", message, "cast it to a number in a view")
        return
    listed = list[str]()
    for at, column in enumerate(view.read):
        value = quote(column)
        bad = (
            f"CASE WHEN {value} IS NOT NULL AND {number_sql(value, 'text', view.form)} IS NULL THEN"
        )
        listed += [f"COUNT({bad} 1 END) AS n{at}", f"MIN({bad} {value} END) AS v{at}"]
    query = f"SELECT {', '.join(listed)} FROM {view.relation} AS t"
    row = engine.query(query).to_pylist()[0]
    for at, (column, name) in enumerate(view.read.items()):
        if row[f"n{at}"]:
            message = f"{said(name)}: '{column}' holds no number in {row[f'n{at}']:,} rows, such as"
            message += f" '{shape(str(row[f'v{at}']))}'"
            yield Diagnostic("UL287", message, "write plain numbers, and nothing where none is")
