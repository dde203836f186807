"""The tables of events: attached, and held against what the plan says of them."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from upliftlab.config.expressions import parse
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Fault
from upliftlab.experiment import Plan
from upliftlab.queries.events import EventTable
from upliftlab.queries.frame import missing_column
from upliftlab.queries.numbers import number_sql, usable_sql
from upliftlab.queries.tallies import Tally
from upliftlab.sql import quote

_OFFSETS = ("%Z", "%z", "%+__:__", "%-__:__", "%+____")
"""Texts of times that end with a zone's offset."""


def attach_events(plan: Plan, name: str, engine: Engine) -> EventTable:
    """Attach a table of events.

    Raises:
        DataError: UL2xx, it cannot be read or lacks a column.
    """
    source, table = plan.sources[name], f"events_{list(plan.sources).index(name)}"
    engine.attach(table, source)
    columns = engine.columns(table)
    events = EventTable(
        name=name,
        table=table,
        columns=columns,
        source=source.model_copy(update={"id": source.id or plan.customers.id}),
        zone=source.zone or plan.program.time_zone,
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
    for role, column in named.items():
        if column is not None and column not in columns:
            raise missing_column(column, f"{role} of {name}", columns)
    return events


def refuse_unreadable(events: EventTable, tallies: Sequence[Tally], engine: Engine) -> None:
    """Refuse events whose times or amounts cannot be read: leaving them out would be a choice.

    Raises:
        DataError: UL205 a column is not there, UL206 it holds no numbers, UL218 no times.
    """
    for column in dict.fromkeys(c for t in tallies if t.where for c in parse(t.where).columns):
        if column not in events.columns:
            raise missing_column(column, f"condition on {events.name}", events.columns)
    if faults := [*_times(events, engine), *_amounts(events, tallies, engine)]:
        raise DataError(faults)


def _times(events: EventTable, engine: Engine) -> Iterator[Fault]:
    column = events.source.time or ""
    kind = events.columns[column]
    if kind not in ("text", "date", "time", "instant"):
        yield Fault("UL218", f"'{column}' of {events.name} holds no times", "name another column")
        return
    checked = {"unread": f"CASE WHEN {events.time} IS NULL THEN 1 ELSE 0 END"}
    if kind == "text":
        ends = " OR ".join(f"{quote(column)} LIKE '{end}'" for end in _OFFSETS)
        checked["zoned"] = f"CASE WHEN {ends} THEN 1 ELSE 0 END"
    row = _sums(events, checked, engine)
    if row["unread"]:
        message = f"{row['unread']:,} events of {events.name} have no time in '{column}'"
        yield Fault("UL218", message, "write times as 2026-03-02 14:30:00")
    if row.get("zoned"):
        message = f"{row['zoned']:,} times of {events.name} name an offset, such as +02:00 or Z"
        remedy = "store them as timestamps with time zone (Parquet), or without offsets"
        yield Fault("UL218", message, remedy)


def _amounts(events: EventTable, tallies: Sequence[Tally], engine: Engine) -> Iterator[Fault]:
    looked_at = dict.fromkeys((tally.column, tally.where, tally.how) for tally in tallies)
    for column, where, how in looked_at:
        if column is None:
            continue
        if column not in events.columns:
            raise missing_column(column, f"column of {events.name}", events.columns)
        if how == "distinct":
            continue
        kind = events.columns[column]
        if kind not in ("number", "text", "boolean"):
            yield Fault("UL206", f"'{column}' of {events.name} holds no numbers", "name another")
            continue
        yield from _numbers(events, column, where, engine)


def _numbers(events: EventTable, column: str, where: str | None, engine: Engine) -> Iterator[Fault]:
    usable = usable_sql(number_sql(quote(column), events.columns[column]))
    bad = f"CASE WHEN {usable} THEN 0 ELSE 1 END"
    if where is not None:
        bad = f"CASE WHEN {events.condition(where)} THEN {bad} ELSE 0 END"
    if count := _sums(events, {"bad": bad}, engine)["bad"]:
        message = f"{count:,} events of {events.name} have no number in '{column}'"
        yield Fault("UL206", message, "write a plain number, 0 where there is nothing")


def _sums(events: EventTable, cases: dict[str, str], engine: Engine) -> dict[str, int]:
    asked = ", ".join(
        f"CAST(COALESCE(SUM({sql}), 0) AS BIGINT) AS {name}" for name, sql in cases.items()
    )
    where = f" WHERE {events.own}" if events.own else ""
    return engine.query(f"SELECT {asked} FROM {events.table}{where}").to_pylist()[0]


def without_repeats(
    events: EventTable, tallies: Sequence[Tally], engine: Engine
) -> tuple[EventTable, int, int]:
    """The table with each event once, how many rows were repeats, and how many contradict another.

    Rows of one key that are alike in all that is looked at are one event. Rows without a key
    are events of their own.
    """
    key = events.source.key
    if key is None:
        return events, 0, 0
    where = f" WHERE {events.own}" if events.own else ""
    row = engine.query(
        f"SELECT COUNT({quote(key)}) AS n, COUNT(DISTINCT {quote(key)}) AS keys"
        f" FROM {events.table}{where}"
    ).to_pylist()[0]
    if row["n"] == row["keys"]:
        return events, 0, 0
    used = dict.fromkeys(_used(events, tallies))
    listed = ", ".join(map(quote, used))
    known = f"{quote(key)} IS NOT NULL" + (f" AND {events.own}" if events.own else "")
    once = f"SELECT DISTINCT {listed} FROM {events.table} WHERE {known}"
    rest = f"SELECT {listed} FROM {events.table} WHERE {quote(key)} IS NULL"
    kept = f"{events.table}_once"
    engine.keep(kept, f"{once} UNION ALL {rest}")
    different = engine.query(f"SELECT COUNT({quote(key)}) AS n FROM {kept}").to_pylist()[0]["n"]
    columns = {name: events.columns[name] for name in used}
    cleaned = replace(events, table=kept, columns=columns)
    return cleaned, row["n"] - row["keys"], different - row["keys"]


def _used(events: EventTable, tallies: Sequence[Tally]) -> Iterator[str]:
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
    for name in (source.currency, source.recorded):
        if name is not None:
            yield name
