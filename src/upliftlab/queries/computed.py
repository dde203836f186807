"""Tables as they are attached: with the columns that are computed from their others.

A computed column is one of the table for whoever asks: a view is laid around what was read.
"""
# ruff: noqa: S608 - every name passes through quote(), values through the allow-list

from __future__ import annotations

from dataclasses import dataclass, field

from upliftlab.config.computed import layers_of
from upliftlab.config.expressions import parse_value
from upliftlab.config.models import Source
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.condition_kinds import ConditionTable
from upliftlab.queries.conditions import ValueSql, refuse_unreadable, value_sql
from upliftlab.queries.meanings import Kind
from upliftlab.queries.population import missing_column
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
            kind that it cannot be computed from, UL214 from texts that are not what it asks for.
    """
    if not source.columns:
        engine.attach(name, source)
        return engine.columns(name)
    given = f"{name}_given"
    engine.attach(given, source)
    view = _View(engine, source, engine.columns(given), quote(given))
    view.add(whole=whole)
    if view.faults:
        raise DataError(view.faults)
    refuse_unreadable(view.read, view.table, engine)
    engine.define(name, view.sql)
    return engine.columns(name)


def said(name: str) -> str:
    """What messages call a computed column."""
    return f"computed column '{name}'"


@dataclass(slots=True)
class _View:
    """A query around a table, with columns that are added to it.

    Attributes:
        engine: Where the table lies.
        source: What is declared of it.
        columns: The columns, those that were added among them.
        relation: The table, and then the query around it.
        read: Who takes which columns of text for what.
        faults: Why columns cannot be added.
    """

    engine: Engine
    source: Source
    columns: dict[str, ColumnType]
    relation: str
    read: list[tuple[str, str, Kind]] = field(default_factory=list[tuple[str, str, Kind]])
    faults: list[Diagnostic] = field(default_factory=list[Diagnostic])

    @property
    def sql(self) -> str:
        """The query."""
        return f"SELECT t.* FROM {self.relation} AS t"

    @property
    def table(self) -> ConditionTable:
        """What it gives, as values look at it."""
        relation = f"{self.relation} AS t"
        return ConditionTable("the table", relation, self.columns, self.source.format)

    def add(self, *, whole: bool) -> None:
        """Compute columns, each after those that it is made of."""
        computed, known = self.source.columns, {column.casefold() for column in self.columns}
        self.faults += [_is_there(name) for name in computed if name.casefold() in known]
        for layer in () if self.faults else layers_of(computed):
            made = {name: self._made(name, whole=whole) for name in layer}
            added = {name: value for name, value in made.items() if value is not None}
            if added:
                listed = ", ".join(f"{each.sql} AS {quote(name)}" for name, each in added.items())
                self.relation = f"(SELECT t.*, {listed} FROM {self.relation} AS t)"
            self.columns |= {name: each.kind for name, each in added.items()}

    def _made(self, name: str, *, whole: bool) -> ValueSql | None:
        """A column as SQL; None where it cannot be computed."""
        text = self.source.columns[name]
        absent = sorted(parse_value(text).columns - self.columns.keys())
        for part in absent:
            if whole and part not in self.source.columns:
                self.faults += missing_column(part, said(name), self.columns).faults
        if absent:
            return None
        try:
            found = value_sql(text, self.table, self.engine)
        except DataError as error:
            self.faults += [_unfit(name, fault) for fault in error.faults]
            return None
        self.read += [(said(name), *each) for each in found.read]
        return found


def _is_there(name: str) -> Diagnostic:
    message = f"{said(name)}: the table has a column of that name"
    return Diagnostic("UL285", message, "give the computed one another name")


def _unfit(name: str, fault: Diagnostic) -> Diagnostic:
    """What cannot be computed, in words that name the column."""
    _, _, why = fault.message.rpartition("does not compare: ")
    why = why.replace("the condition asks", "it asks")
    return Diagnostic("UL286", f"{said(name)}: {why}", fault.remedy)
