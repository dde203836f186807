"""The tables of events: attached, and held against what the plan says of them."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from upliftlab.config.expressions import parse
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.engines.dialect import converts_texts
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.computed import attach_table
from upliftlab.queries.conditions import NOUNS, REMEDY, informed, read_columns
from upliftlab.queries.events import EventTable, Starts, conditions_of, limits
from upliftlab.queries.meanings import unreadable_sql
from upliftlab.queries.numbers import number_sql, usable_sql
from upliftlab.queries.population import missing_column
from upliftlab.queries.tallies import EventAggregate
from upliftlab.util.personal import shape
from upliftlab.util.sql import literal, quote

_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?$"
"""How a text must look to be taken for a time: engines read other forms each in its own way."""
TIMES = ("text", "date", "time", "instant")
"""Types of columns that may hold times."""


@dataclass(frozen=True, slots=True)
class EventReading:
    """What a table of events is looked at with.

    Attributes:
        plan: What was asked.
        engine: Where it lies.
        events: The table with each event once.
        given: The table as it was given.
        starts: Whose events are counted.
        tallies: What is counted.
        repeats: How many rows were repeats, and how many contradict another.
    """

    plan: Plan
    engine: Engine
    events: EventTable
    given: EventTable
    starts: Starts
    tallies: Sequence[EventAggregate]
    repeats: tuple[int, int]


def attach_events(
    plan: Plan, name: str, tallies: Sequence[EventAggregate], engine: Engine
) -> EventTable:
    """Attach a table of events.

    Args:
        plan: What was asked.
        name: What the plan calls the table.
        tallies: What is counted of it.
        engine: Where it lies.

    Raises:
        DataError: UL2xx, it cannot be read or lacks a column.
    """
    source, table = plan.sources[name], f"events_{list(plan.sources).index(name)}"
    columns = attach_table(table, source, engine)
    day = columns.get(source.time or "") == "date"
    events = EventTable(
        name=name,
        table=table,
        columns=columns,
        source=source.model_copy(update={"id": source.id or plan.customers.id}),
        zone=plan.program.time_zone if day else source.zone or plan.program.time_zone,
        experiment=plan.experiment.experiment,
    )
    named = {
        "id": events.source.id,
        "time": source.time,
        "key": source.key,
        "recorded": source.recorded,
        "experiment": source.experiment,
        "currency": source.currency,
    }
    for role, column in (*named.items(), *(("amounts", column) for column in source.amounts)):
        if column is not None and column not in columns:
            raise missing_column(column, f"{role} of {name}", columns)
    conditions = [*dict.fromkeys(tally.where for tally in tallies if tally.where is not None)]
    for column in dict.fromkeys(column for text in conditions for column in parse(text).columns):
        if column not in columns:
            raise missing_column(column, f"condition on {name}", columns)
    return replace(events, meanings=informed(events.conditions, conditions, engine).meanings)


def refuse_unreadable(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> None:
    """Refuse events whose times or amounts cannot be read: leaving them out would be a choice.

    Raises:
        DataError: UL205 a column is not there, UL206 it holds no numbers, UL214 not what a
            condition takes it for, UL218 no times, UL251 a condition compares what does not
            compare.
    """
    faults, suspects = _kinds(events, tallies, engine), [*_suspects(events, tallies, engine)]
    if faults := [*faults, *_unreadable(events, suspects, engine)]:
        raise DataError(faults)


@dataclass(frozen=True, slots=True)
class _Suspect:
    """What may be wrong with a column's values, and what is said then.

    A value is counted in `good`, which is NULL where it cannot be read; `where` says of which.
    """

    code: str
    column: str
    good: str
    said: str
    remedy: str
    where: str | None = None

    @property
    def missed(self) -> str:
        """How many are bad. Plain counts of a column are known to a file without reading it."""
        if self.where is None:
            return f"COUNT(*) - COUNT({self.good})"
        among = f"CASE WHEN {self.where} THEN"
        return f"COUNT({among} 1 END) - COUNT({among} {self.good} END)"

    @property
    def example(self) -> str:
        """The least of the bad ones as text."""
        bad = f"({self.good}) IS NULL" + (f" AND {self.where}" if self.where else "")
        return f"MIN(CASE WHEN {bad} THEN CAST({quote(self.column)} AS VARCHAR) END)"


def _kinds(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> list[Diagnostic]:
    """Columns that cannot hold what is looked for, whatever their values are."""
    found = list[Diagnostic]()
    time = events.source.time or ""
    if events.columns[time] not in TIMES:
        message = f"'{time}' of {events.name} holds no times"
        found.append(Diagnostic("UL218", message, "name another column"))
    for column in dict.fromkeys(tally.column for tally in tallies):
        if column is not None and column not in events.columns:
            raise missing_column(column, f"column of {events.name}", events.columns)
    for column in dict.fromkeys(t.column for t in tallies if t.column and t.how.numeric):
        if not _numeric(events.columns[column], engine):
            message = f"'{column}' of {events.name} holds no numbers"
            found.append(
                Diagnostic("UL206", message, "name another, or cast it to a number in a view")
            )
    return found


def _numeric(kind: ColumnType, engine: Engine) -> bool:
    return kind in ("number", "boolean") or (kind == "text" and converts_texts(engine.dialect))


def _suspects(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> Iterator[_Suspect]:
    time = events.source.time or ""
    if (kind := events.columns[time]) in TIMES:
        remedy = "write times as 2026-03-02 14:30:00; for times with an offset, take it away and"
        remedy += " name their zone under 'zone'"
        bad = unreadable_time(quote(time), kind)
        good = quote(time) if kind != "text" else f"CASE WHEN {bad} THEN NULL ELSE 1 END"
        yield _Suspect("UL218", time, good, "have no time", remedy)
    for column, where, how in dict.fromkeys((t.column, t.where, t.how) for t in tallies):
        if column is None or not how.numeric or not _numeric(events.columns[column], engine):
            continue
        usable = usable_sql(number_sql(quote(column), events.columns[column]))
        good = f"CASE WHEN {usable} THEN 1 END"
        among = None if where is None else f"({events.condition(where)})"
        remedy = "write a plain number, 0 where there is nothing"
        yield _Suspect("UL206", column, good, "have no number", remedy, among)
    yield from _conditions(events, tallies)


def _conditions(events: EventTable, tallies: Sequence[EventAggregate]) -> Iterator[_Suspect]:
    """Columns of text that conditions take for something else: a text that is none is no answer."""
    table = events.conditions
    texts = dict.fromkeys(tally.where for tally in tallies if tally.where is not None)
    for column, kind in dict.fromkeys(use for text in texts for use in read_columns(text, table)):
        good = f"CASE WHEN NOT {unreadable_sql(column, kind, table.form)} THEN 1 END"
        said = f"are not a {NOUNS[kind]} for a condition"
        yield _Suspect("UL214", column, good, said, REMEDY)


def _unreadable(
    events: EventTable, suspects: Sequence[_Suspect], engine: Engine
) -> Iterator[Diagnostic]:
    """What is wrong with values, all columns in one scan; the form of one where there is one."""
    if not suspects:
        return
    # As columns, not as a WHERE: DuckDB would trust a Parquet file's limits, which leave out NaN.
    own = f" WHERE {events.own}" if events.own else ""
    counts = (f"{suspect.missed} AS n{number}" for number, suspect in enumerate(suspects))
    row = engine.query(f"SELECT {', '.join(counts)} FROM {events.table}{own}").to_pylist()[0]
    for number, suspect in enumerate(suspects):
        if count := int(row[f"n{number}"]):
            query = f"SELECT {suspect.example} AS example FROM {events.table}{own}"
            value = engine.query(query).to_pylist()[0]["example"]
            such = "" if value is None else f", such as '{shape(value)}'"
            said = f"{events.name} {suspect.said} in '{suspect.column}'{such}"
            yield Diagnostic(suspect.code, f"{count:,} events of {said}", suspect.remedy)


def unreadable_time(value: str, kind: ColumnType) -> str:
    """The condition that a column holds no time that every engine reads alike."""
    if kind == "text":
        return f"NOT COALESCE(REGEXP_MATCHES({value}, {literal(_TIME)}), FALSE)"
    return f"{value} IS NULL"


def without_repeats(
    events: EventTable, starts: Starts, tallies: Sequence[EventAggregate], engine: Engine
) -> tuple[EventTable, int, int]:
    """The table with each event once, how many rows were repeats, and how many contradict another.

    Only events of the time that matters are looked at. Rows of one key that are alike in all
    that is looked at are one event. Rows without a key are events of their own.
    """
    key = events.source.key
    if key is None:
        return events, 0, 0
    conditions = conditions_of(events, *limits(starts, tallies))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    row = engine.query(
        f"SELECT COUNT({quote(key)}) AS n, COUNT(DISTINCT {quote(key)}) AS keys"
        f" FROM {events.table}{where}"
    ).to_pylist()[0]
    if row["n"] == row["keys"]:
        return events, 0, 0
    used = dict.fromkeys(_used(events, tallies))
    listed = ", ".join(map(quote, used))
    kept_rows = "".join(f" AND {condition}" for condition in conditions)
    once = f"SELECT DISTINCT {listed} FROM {events.table} WHERE {quote(key)} IS NOT NULL{kept_rows}"
    rest = f"SELECT {listed} FROM {events.table} WHERE {quote(key)} IS NULL{kept_rows}"
    kept = f"{events.table}_once"
    engine.keep(kept, f"{once} UNION ALL {rest}")
    different = engine.query(f"SELECT COUNT({quote(key)}) AS n FROM {kept}").to_pylist()[0]["n"]
    columns = {name: events.columns[name] for name in used}
    cleaned = replace(events, table=kept, columns=columns)
    return cleaned, row["n"] - row["keys"], different - row["keys"]


def _used(events: EventTable, tallies: Sequence[EventAggregate]) -> Iterator[str]:
    """The columns that anything looks at."""
    source = events.source
    for name in (source.key, source.id, source.time, source.experiment):
        if name is not None:
            yield name
    for tally in tallies:
        if tally.column is not None:
            yield tally.column
        if tally.where is not None:
            yield from sorted(parse(tally.where).columns)
    if source.currency is not None:
        yield source.currency
