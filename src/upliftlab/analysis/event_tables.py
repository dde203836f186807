"""The tables of events: attached, and held against what the plan says of them."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from upliftlab.analysis.values_tables import outside
from upliftlab.config.expressions import decided_by, parse
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.values_by import is_raised
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.engines.dialect import converts_texts
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.computed import attach_table
from upliftlab.queries.conditions import (
    NOUNS,
    declaring,
    informed,
    read_columns,
    unreadable,
)
from upliftlab.queries.events import EventTable, Starts, conditions_of, limits
from upliftlab.queries.ids import id_column, refuse_rounded
from upliftlab.queries.meanings import Kind, unreadable_sql
from upliftlab.queries.numbers import usable_sql
from upliftlab.queries.population import missing_column
from upliftlab.queries.tallies import EventAggregate
from upliftlab.queries.texts import TextNumbers, counted, doubtful, faults_of, plain, pointed
from upliftlab.queries.times import NO_TIMES, TIMES, TimeColumn, time_column, time_fault
from upliftlab.queries.words import line_of, words_of
from upliftlab.util.personal import shape
from upliftlab.util.sql import quote


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows that have the key of another.

    Attributes:
        rows: How many.
        contradicting: Those that differ from it in something that is looked at.
        lines: Those that differ from it in anything; None where that was not asked.
    """

    rows: int = 0
    contradicting: int = 0
    lines: int | None = None


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
        repeats: Rows of one key.
    """

    plan: Plan
    engine: Engine
    events: EventTable
    given: EventTable
    starts: Starts
    tallies: Sequence[EventAggregate]
    repeats: Repeats


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
        DataError: UL2xx, it cannot be read, lacks a column, or has ids that are not exact.
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
        called=plan.experiment.names,
        currency=plan.currency,
        margin=plan.experiment.money.earned if plan.experiment.money else None,
    )
    named = {
        "id": events.source.id,
        "time": source.time,
        "recorded": source.recorded,
        "experiment": source.experiment,
        "currency": source.currency,
    }
    listed = [("key", column) for column in source.key or ()]
    listed += [("amounts", column) for column in source.amounts]
    for role, column in (*named.items(), *listed):
        if column is not None and column not in columns:
            raise missing_column(column, f"{role} of {name}", columns)
    for column in source.amounts:
        if columns[column] not in ("number", "boolean", "text"):
            message = f"column '{column}' holds no numbers (amounts of {name})"
            raise DataError(Diagnostic("UL206", message, "name another column"))
    for column in source.key or ():
        refuse_rounded(engine, table, column, f"key of {name}", events.own)
    ids = id_column(engine, table, events.id, f"id of {name}", events.own)
    time = time_column(source.time or "", columns, source, engine, f"{table} AS c")
    conditions = [*dict.fromkeys(tally.where for tally in tallies if tally.where is not None)]
    for column in dict.fromkeys(column for text in conditions for column in parse(text).columns):
        if column not in columns:
            raise missing_column(column, f"condition on {name}", columns)
    meanings = informed(events.conditions, conditions, engine).meanings
    return replace(events, ids=ids, zoned=time.zoned, meanings=meanings)


def refuse_unreadable(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> EventTable:
    """Refuse events whose times or amounts cannot be read: leaving them out would be a choice.

    Returns:
        The events, with what is known now of their texts.

    Raises:
        DataError: UL205 a column is not there, UL206 it holds no numbers, UL214 not what a
            condition takes it for, UL218 no times, UL251 a condition compares what does not
            compare, UL257 times of two kinds, UL255 numbers that can be read in two ways, UL256
            flags and numbers, UL223 amounts in another currency.
    """
    kinds = _kinds(events, tallies, engine)
    known, faults = _read(events, tallies, engine)
    if faults := [*kinds, *faults]:
        raise DataError(faults)
    return known


@dataclass(frozen=True, slots=True)
class _Amount:
    """A column of numbers, and which of its rows count.

    Attributes:
        column: Its name.
        good: SQL that is NULL where there is no number that can be reckoned with.
        where: The condition on the rows; None where all count.
    """

    column: str
    good: str
    where: str | None

    @property
    def missed(self) -> str:
        """How many are bad."""
        if self.where is None:
            return f"COUNT(*) - COUNT({self.good})"
        among = f"CASE WHEN {self.where} THEN"
        return f"COUNT({among} 1 END) - COUNT({among} {self.good} END)"

    @property
    def example(self) -> str:
        """The least of the bad ones as text."""
        return f"MIN(CASE WHEN {self.bad} THEN CAST({quote(self.column)} AS VARCHAR) END)"

    @property
    def bad(self) -> str:
        """The condition that there is none."""
        return f"(({self.good}) IS NULL" + (f" AND {self.where})" if self.where else ")")


@dataclass(frozen=True, slots=True)
class _Use:
    """A column of texts that a condition takes for something else.

    Attributes:
        column: Its name.
        kind: What it is taken for.
        bad: The condition that a text is none of it: that is no answer.
    """

    column: str
    kind: Kind
    bad: str

    @property
    def missed(self) -> str:
        """How many are bad."""
        return f"COUNT(CASE WHEN {self.bad} THEN 1 END)"


def _kinds(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> list[Diagnostic]:
    """Columns that cannot hold what is looked for, whatever their values are."""
    found = list[Diagnostic]()
    time = events.source.time or ""
    if events.columns[time] not in TIMES:
        message = f"'{time}' of {events.name} holds no times"
        found.append(Diagnostic("UL218", message, NO_TIMES))
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


def _read(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> tuple[EventTable, list[Diagnostic]]:
    """What is wrong with values: all columns in one scan, and those that have faults once more."""
    # As columns, not as a WHERE: DuckDB would trust a Parquet file's limits, which leave out NaN.
    relation = events.table + (f" WHERE {events.own}" if events.own else "")
    texts = pointed([*_texts(events, tallies, engine)], relation, engine)
    optimistic = replace(events, plain=frozenset(text.column for text in texts))
    times, amounts = [*_times(events, engine)], [*_amounts(optimistic, tallies, engine)]
    uses = [*_uses(events, tallies)]
    counts = [f"{_timeless(events, time)} AS t{at}" for at, time in enumerate(times)]
    counts += [f"{amount.missed} AS n{at}" for at, amount in enumerate(amounts)]
    counts += [f"{use.missed} AS u{at}" for at, use in enumerate(uses)]
    counts += counted(texts)
    if not counts:
        return events, []
    row = engine.query(f"SELECT {', '.join(counts)} FROM {relation}").to_pylist()[0]
    events = replace(events, plain=plain(texts, row))
    faults = [
        time_fault(time, count, f"events of {events.name}", engine, relation)
        for at, time in enumerate(times)
        if (count := int(row[f"t{at}"]))
    ]
    faults += [
        _no_use(events, use, count, engine, relation)
        for at, use in enumerate(uses)
        if (count := int(row[f"u{at}"]))
    ]
    told = dict(faults_of(doubtful(texts, row), relation, engine))
    faults += dict.fromkeys(told.values())
    known = {(text.column, text.among) for text in told}
    missed = {(a.column, a.where) for at, a in enumerate(amounts) if row[f"n{at}"]} - known
    for amount in _amounts(events, tallies, engine):
        if (amount.column, amount.where) in missed and not is_raised(amount.column):
            faults += _no_number(events, amount, engine, relation)
    return events, faults


def _no_number(
    events: EventTable, amount: _Amount, engine: Engine, relation: str
) -> Iterator[Diagnostic]:
    query = f"SELECT {amount.missed} AS n, {amount.example} AS v FROM {relation}"
    row = engine.query(query).to_pylist()[0]
    formula = events.source.columns.get(amount.column)
    by = None if formula is None else decided_by(formula)
    if row["n"] and by is not None:
        odd = f"CASE WHEN {amount.bad} THEN CAST({quote(by)} AS VARCHAR) END"
        found = engine.query(f"SELECT MIN({odd}) AS v FROM {relation}").to_pylist()[0]
        rows = f"{row['n']:,} events of {events.name}"
        yield outside(rows, amount.column, (by, found["v"]), events.margin)
    elif row["n"]:
        such = "" if row["v"] is None else f", such as '{shape(row['v'])}'"
        message = f"{row['n']:,} events of {events.name} have no number in '{amount.column}'{such}"
        remedy = "write a plain number, 0 where there is nothing"
        value = quote(amount.column)
        text = row["v"] is not None and events.columns[amount.column] == "text"
        if text and (words := words_of(value, amount.bad, relation, engine)):
            remedy += f"; or say under its source what the words mean: {line_of(words)}"
        yield Diagnostic("UL206", message, remedy)


def _no_use(events: EventTable, use: _Use, count: int, engine: Engine, relation: str) -> Diagnostic:
    query = f"SELECT MIN(CASE WHEN {use.bad} THEN {quote(use.column)} END) AS v FROM {relation}"
    value = str(engine.query(query).to_pylist()[0]["v"])
    line = declaring(use.column, use.kind, events.conditions, engine)
    fault = unreadable(use.column, use.kind, count, value, line)
    message = f"{count:,} events of {events.name} are not a {NOUNS[use.kind]} for a condition in"
    return replace(fault, message=f"{message} '{use.column}', such as '{shape(value)}'")


def _uses(events: EventTable, tallies: Sequence[EventAggregate]) -> Iterator[_Use]:
    """Columns of text that conditions take for something else."""
    table = events.conditions
    texts = dict.fromkeys(tally.where for tally in tallies if tally.where is not None)
    for column, kind in dict.fromkeys(use for text in texts for use in read_columns(text, table)):
        yield _Use(column, kind, unreadable_sql(column, kind, table.form))


def _times(events: EventTable, engine: Engine) -> Iterator[TimeColumn]:
    """The columns of times that are looked at: every event has one, and may say when it came."""
    source = events.source
    if events.columns[source.time or ""] in TIMES:
        yield TimeColumn(source.time or "", events.columns, source, zoned=events.zoned)
    if source.recorded and events.columns[source.recorded] == "text":
        yield time_column(source.recorded, events.columns, source, engine, f"{events.table} AS c")


def _timeless(events: EventTable, time: TimeColumn) -> str:
    """How many events have no time. Plain counts of a column are known without reading it."""
    if time.columns[time.name] != "text" and not time.endless:
        return f"COUNT(*) - COUNT({time.value})"
    given = "" if time.name == events.source.time else f"{time.value} IS NOT NULL AND "
    return f"COUNT(CASE WHEN {given}{time.unreadable} THEN 1 END)"


def _numbers(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> Iterator[tuple[str, str | None]]:
    """Columns that are read as numbers, each with the condition on its rows."""
    for column, where in dict.fromkeys((t.column, t.where) for t in tallies if t.how.numeric):
        if column is not None and _numeric(events.columns[column], engine):
            yield column, None if where is None else f"({events.condition(where)})"


def _amounts(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> Iterator[_Amount]:
    for column, among in _numbers(events, tallies, engine):
        yield _Amount(column, f"CASE WHEN {usable_sql(events.number(column))} THEN 1 END", among)


def _texts(
    events: EventTable, tallies: Sequence[EventAggregate], engine: Engine
) -> Iterator[TextNumbers]:
    for column, among in _numbers(events, tallies, engine):
        if events.columns[column] == "text":
            named = f"'{column}' of {events.name}"
            form, currency = events.source.format, events.source.amounts.get(column)
            currency = currency or events.currency
            yield TextNumbers(column, quote(column), named, form, currency, among)


def without_repeats(
    events: EventTable, starts: Starts, tallies: Sequence[EventAggregate], engine: Engine
) -> tuple[EventTable, Repeats]:
    """The table with each event once, and the rows that have the key of another.

    Only events of the time that matters are looked at. Rows of one key that are alike in all
    that is looked at are one event, unless it is declared that each counts. Rows without a whole
    key are events of their own.
    """
    key = events.source.key
    if key is None or events.source.repeats == "each":
        return events, Repeats()
    conditions = conditions_of(events, *limits(starts, tallies))
    keyed = [f"{quote(column)} IS NOT NULL" for column in key]
    where = f" WHERE {' AND '.join([*conditions, *keyed])}"
    n, keys = _counted(engine, f"FROM {events.table}{where}", key)
    if n == keys:
        return events, Repeats()
    used = dict.fromkeys(_used(events, tallies))
    listed = ", ".join(map(quote, used))
    once = f"SELECT DISTINCT {listed} FROM {events.table}{where}"
    without = " AND ".join([*conditions, f"NOT ({' AND '.join(keyed)})"])
    kept = f"{events.table}_once"
    rest = f"SELECT {listed} FROM {events.table} WHERE {without}"
    engine.keep(kept, f"{once} UNION ALL {rest}")
    different = _rows(engine, f"SELECT 1 AS one FROM {kept} WHERE {' AND '.join(keyed)}")
    lines = None
    if events.source.repeats is None:
        whole = [quote(name) for name, kind in events.columns.items() if kind != "other"]
        every = f"SELECT DISTINCT {', '.join(whole)} FROM {events.table}{where}"
        lines = _rows(engine, every) - keys
    columns = {name: events.columns[name] for name in used}
    cleaned = replace(events, table=kept, columns=columns)
    return cleaned, Repeats(n - keys, different - keys, lines)


def _rows(engine: Engine, query: str) -> int:
    """How many rows a query gives."""
    return int(engine.query(f"SELECT COUNT(*) AS n FROM ({query}) AS r").to_pylist()[0]["n"])


def _counted(engine: Engine, relation: str, key: Sequence[str]) -> tuple[int, int]:
    """How many rows a relation has, and how many keys."""
    inner = f"SELECT COUNT(*) AS n {relation} GROUP BY {', '.join(map(quote, key))}"
    row = engine.query(
        f"SELECT COALESCE(SUM(n), 0) AS n, COUNT(*) AS keys FROM ({inner}) AS grouped"
    ).to_pylist()[0]
    return int(row["n"]), int(row["keys"])


def _used(events: EventTable, tallies: Sequence[EventAggregate]) -> Iterator[str]:
    """The columns that anything looks at."""
    source = events.source
    for name in (*(source.key or ()), source.id, source.time, source.experiment):
        if name is not None:
            yield name
    for tally in tallies:
        if tally.column is not None:
            yield tally.column
        if tally.where is not None:
            yield from sorted(parse(tally.where).columns)
    if source.currency is not None:
        yield source.currency
