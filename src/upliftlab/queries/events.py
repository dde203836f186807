"""One statement per table of events: its tallies, one row per customer who has any.

The bounds of each customer's windows are worked out once per customer and brought onto the
events' own clock, so that no event is ever converted.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from upliftlab.config.models import Source
from upliftlab.engines.base import ColumnType
from upliftlab.queries.clock import INSTANTS, Span, converted, in_hours, moved, time_literal
from upliftlab.queries.condition_kinds import ConditionTable
from upliftlab.queries.conditions import condition_sql
from upliftlab.queries.ids import TEXTS, IdColumn
from upliftlab.queries.meanings import Meaning
from upliftlab.queries.numbers import number_sql, plain_sql, time_sql
from upliftlab.queries.tallies import EventAggregate, Window
from upliftlab.util.sql import literal, quote

_CLOCKS_APART = timedelta(hours=36)
"""More than two clocks of this world ever differ."""


@dataclass(frozen=True, slots=True)
class EventTable:
    """A table of events as it was attached.

    Attributes:
        name: What the language calls it.
        table: The relation that holds its rows: a table's name, or a query in parentheses.
        columns: Its columns and their types.
        source: What is declared of it; `id` and `time` are known.
        zone: The time zone of its times, where they name none; the program's where they are days.
        called: What the experiment is called whose events count, where a column names it.
        ids: What its ids are.
        currency: The currency of amounts that declare none of their own.
        zoned: Whether its times are texts that name their offset to UTC.
        meanings: What texts mean of which a condition of the plan does not say it.
        plain: Columns of texts that are known to be nothing but plain numbers where they count.
        margin: The computed column that is the table under `money`.
    """

    name: str
    table: str
    columns: Mapping[str, ColumnType]
    source: Source
    zone: str
    called: Sequence[str] = ()
    ids: IdColumn = TEXTS
    currency: str | None = None
    zoned: bool = False
    meanings: Mapping[str, Meaning] = field(default_factory=dict[str, Meaning])
    plain: frozenset[str] = frozenset()
    margin: str | None = None

    @property
    def clock(self) -> str:
        """The zone of the clock that its times are read on."""
        instants = self.zoned or self.columns[self.source.time or ""] == "instant"
        return INSTANTS if instants else self.zone

    @property
    def id(self) -> str:
        """The column of the customer's id."""
        return self.source.id or ""

    @property
    def time(self) -> str:
        """When an event happened, as a time without zone."""
        return self.moment(self.source.time or "", zoned=self.zoned)

    def moment(self, column: str, *, zoned: bool) -> str:
        """A column of times, as times without zone."""
        return time_sql(column, self.columns, form=self.source.format, zoned=zoned)

    def number(self, column: str) -> str:
        """A column of numbers, as doubles."""
        if column in self.plain:
            return plain_sql(quote(column), self.source.format)
        return number_sql(quote(column), self.columns[column], self.source.format)

    @property
    def own(self) -> str | None:
        """The condition that an event is of this experiment, None where none is needed."""
        if self.source.experiment is None:
            return None
        named = f"CAST({quote(self.source.experiment)} AS VARCHAR)"
        if len(self.called) == 1:
            return f"{named} = {literal(self.called[0])}"
        return f"{named} IN ({', '.join(map(literal, self.called))})"

    @property
    def conditions(self) -> ConditionTable:
        """The table as conditions look at it."""
        own = f" WHERE {self.own}" if self.own else ""
        relation = f"{self.table}{own}"
        return ConditionTable(self.name, relation, self.columns, self.source.format, self.meanings)

    def condition(self, where: str) -> str:
        """A condition of the language over its columns."""
        return condition_sql(where, self.conditions)


@dataclass(frozen=True, slots=True)
class Starts:
    """Whose events are counted, and from when.

    Attributes:
        table: A table with `id`, `start` and `as_of`, times on the clock of `zone`.
        zone: The program's time zone.
        span: The first and the last start.
        ids: What the customers' ids are.
        known: The first moment as of which anything is known of a customer (`as_of`).
    """

    table: str
    zone: str
    span: Span
    ids: IdColumn
    known: datetime

    @property
    def wide(self) -> Span:
        """A span that holds every start and every `as_of`."""
        return Span(min(self.known, self.span.first), self.span.last)

    def customer(self, value: str, events: EventTable) -> str:
        """A customer's id as it is compared with those of events."""
        return self.ids.compared(value, events.ids)

    def customer_of(self, events: EventTable) -> str:
        """The id of an event's customer as it is compared with those of customers."""
        return events.ids.compared(quote(events.id), self.ids)


@dataclass(slots=True)
class _Parts:
    """What a statement is made of; equal parts are written once."""

    events: EventTable
    starts: Starts
    bounds: dict[str, str] = field(default_factory=dict[str, str])
    given: dict[str, str] = field(default_factory=dict[str, str])
    hits: dict[str, str] = field(default_factory=dict[str, str])

    def hit(self, tally: EventAggregate) -> str:
        """The column that says whether an event counts for a tally."""
        conditions = list(self._conditions(tally))
        return _named(self.hits, " AND ".join(conditions) or "TRUE", "c")

    def value(self, tally: EventAggregate) -> str:
        """The column that holds what is looked at."""
        column = tally.column or ""
        if not tally.how.numeric:
            return _named(self.given, quote(column), "v")
        return _named(self.given, self.events.number(column), "v")

    def _conditions(self, tally: EventAggregate) -> Iterator[str]:
        for edge, sign in ((tally.window.low, ">="), (tally.window.high, "<")):
            if edge is not None:
                yield f"e.t {sign} u.{self.bound(tally.window, edge)}"
        if tally.where is not None:
            yield f"e.{_named(self.given, f'({self.events.condition(tally.where)})', 'v')}"

    def bound(self, window: Window, edge: timedelta) -> str:
        """The column that holds an end of a window, on the events' clock."""
        span = self.starts.wide.widened(edge, edge)
        time = moved(window.anchor, edge, self.starts.zone, span)
        time = converted(time, self.starts.zone, self.events.clock, span)
        return _named(self.bounds, time, "b")


def _named(parts: dict[str, str], sql: str, letter: str) -> str:
    return parts.setdefault(sql, f"{letter}{len(parts)}")


def events_sql(events: EventTable, starts: Starts, tallies: Sequence[EventAggregate]) -> str:
    """The statement: `id`, and each tally as `t0`, `t1` … in their order.

    Args:
        events: The table of events.
        starts: Whose events are counted.
        tallies: What is counted, all of this table.
    """
    parts = _Parts(events, starts)
    columns, ranks = list[str](), list[str]()
    for number, tally in enumerate(tallies):
        hit = parts.hit(tally)
        if tally.how.only is not None:
            ranks.append(_rank(hit, parts.value(tally), tally.how.only, number))
            hit = f"{hit} AND r{number} = 1"
        columns.append(f"{_aggregate(tally, hit, parts)} AS t{number}")
    joined = _joined(parts, tallies, {"id": "u.id", "t": "e.t"})
    if ranks:
        joined = f"SELECT j.*, {', '.join(ranks)} FROM ({joined}) AS j"
    return f"SELECT id, {', '.join(columns)} FROM ({joined}) AS hits GROUP BY id"


@dataclass(frozen=True, slots=True)
class EventDays:
    """The days after their customers' starts on which events happen.

    Day 0 holds what happened before the start, day 1 the 24 hours from it on: on the program's
    clock, from one day's time of the start to the next one's. Where `step` days are counted
    together, 1 is the first of these times.

    Attributes:
        step: How many days are counted together.
        last: The number of the last of these times; what is later counts there.
        kept: SQL of what of the customers is carried along, each with its alias.
    """

    step: int
    last: int
    kept: Mapping[str, str]

    def number(self, events: EventTable, starts: Starts, span: Span) -> str:
        """The day of an event `e` of a customer `u`, in SQL."""
        time = converted("e.t", events.clock, starts.zone, span)
        day = "CAST(u.begun AS DATE)"
        from_midnight = f"(u.begun - CAST({day} AS TIMESTAMP))"
        days = f"DATE_DIFF('day', {day}, CAST({time} - {from_midnight} AS DATE))"
        if self.step > 1:
            days = f"FLOOR({days} / {float(self.step)!r})"
        number = f"CASE WHEN {time} < u.begun THEN 0 ELSE LEAST(1 + {days}, {self.last}) END"
        return f"CAST({number} AS INTEGER)"


def event_days_sql(
    events: EventTable, starts: Starts, tallies: Sequence[EventAggregate], days: EventDays
) -> str:
    """SQL for one row per event that counts: what it adds to each tally, as `t0`, `t1` ….

    Beside them stand the customer's own `id`, the day `d`, and what of customers is carried along.

    Args:
        events: The table of events.
        starts: Whose events are counted.
        tallies: What is counted, all of this table: counts and sums.
        days: On which days.
    """
    parts = _Parts(events, starts)
    columns, hits = list[str](), dict[str, None]()
    for number, tally in enumerate(tallies):
        hit = parts.hit(tally)
        hits[hit] = None
        added = "1" if tally.column is None else f"COALESCE({parts.value(tally)}, 0)"
        columns.append(f"CASE WHEN {hit} THEN {added} ELSE 0 END AS t{number}")
    first, last = limits(starts, tallies)
    span = Span(first or starts.wide.first, last or starts.wide.last)
    day = days.number(events, starts, span.widened(timedelta(0), timedelta(0)))
    keys = {"id": "u.own", "d": day, **{alias: f"u.{alias}" for alias in days.kept}}
    joined = _joined(parts, tallies, keys, {"own": "id", "begun": "start", **days.kept})
    return (
        f"SELECT {', '.join([*keys, *columns])} FROM ({joined}) AS hits WHERE {' OR '.join(hits)}"
    )


def _joined(
    parts: _Parts,
    tallies: Sequence[EventAggregate],
    keys: Mapping[str, str],
    kept: Mapping[str, str] | None = None,
) -> str:
    """Events beside their customers: the keys, what is looked at, and for which tallies it counts.

    Args:
        parts: What the statement is made of; every tally has been asked of it.
        tallies: What is counted.
        keys: SQL over the customers `u` and events `e`, by alias.
        kept: SQL over the customers' table that is brought along, by alias.
    """
    hull = _hull(parts, tallies)
    columns = [f"{sql} AS {name}" for name, sql in keys.items()]
    columns += [f"e.{name} AS {name}" for name in parts.given.values()]
    columns += [f"{sql} AS {name}" for sql, name in parts.hits.items()]
    return (
        f"SELECT {', '.join(columns)} FROM ({_windows(parts, kept or {})}) AS u"
        f" JOIN ({_events(parts, tallies)}) AS e ON e.id = u.id{hull}"
    )


def _rank(hit: str, value: str, how: str, number: int) -> str:
    """An event's place among those that count, by time and then by value."""
    order = "t, {0}" if how == "first" else "t DESC, {0} DESC"
    partition = f"PARTITION BY id, COALESCE({hit}, FALSE)"
    return f"ROW_NUMBER() OVER ({partition} ORDER BY {order.format(value)}) AS r{number}"


def _aggregate(tally: EventAggregate, hit: str, parts: _Parts) -> str:
    """A tally over the events that count. `FILTER` touches only the customers whose they are."""
    value = "" if tally.column is None else parts.value(tally)
    made = tally.how.sql.format(value=value, time="t")
    return f"{made} FILTER (WHERE {hit})"


def _hull(parts: _Parts, tallies: Sequence[EventAggregate]) -> str:
    """The condition that an event lies between the first and the last bound of its customer."""
    edges = list[str]()
    for sign, side, outermost in ((">=", "low", min), ("<", "high", max)):
        ends = [(tally.window, getattr(tally.window, side)) for tally in tallies]
        if any(end is None for _, end in ends):
            continue
        kinds = dict.fromkeys((window.anchor, in_hours(end)) for window, end in ends)
        farthest = [
            outermost(
                (e for e in ends if (e[0].anchor, in_hours(e[1])) == kind), key=lambda e: e[1]
            )
            for kind in kinds
        ]
        bounds = [f"e.t {sign} u.{parts.bound(window, end)}" for window, end in farthest]
        edges.append(f"({' OR '.join(bounds)})")
    return f" WHERE {' AND '.join(edges)}" if edges else ""


def _windows(parts: _Parts, kept: Mapping[str, str]) -> str:
    key = parts.starts.customer("id", parts.events)
    columns = {**{name: sql for sql, name in parts.bounds.items()}, **kept}
    listed = ", ".join([f"{key} AS id", *(f"{sql} AS {name}" for name, sql in columns.items())])
    return f"SELECT {listed} FROM {parts.starts.table}"


def _events(parts: _Parts, tallies: Sequence[EventAggregate]) -> str:
    """The events that can matter, with what is looked at."""
    events = parts.events
    key = parts.starts.customer_of(events)
    given = [f"{sql} AS {name}" for sql, name in parts.given.items()]
    conditions = conditions_of(events, *limits(parts.starts, tallies))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    columns = ", ".join([f"{key} AS id", f"{events.time} AS t", *given])
    return f"SELECT {columns} FROM {events.table}{where}"


def conditions_of(events: EventTable, first: datetime | None, last: datetime | None) -> list[str]:
    """That an event is of this experiment, and not outside of constant limits.

    Outside of them no event matters: whole files are then never read.
    """
    found = [f"{events.time} >= {time_literal(first)}"] if first is not None else []
    found += [f"{events.time} < {time_literal(last)}"] if last is not None else []
    return [*found, *([events.own] if events.own else [])]


def limits(
    starts: Starts, tallies: Sequence[EventAggregate]
) -> tuple[datetime | None, datetime | None]:
    """Before and from when on no event matters, on any clock; None where all do."""
    lows = [tally.window.low for tally in tallies]
    highs = [tally.window.high for tally in tallies]
    first = last = None
    if None not in lows:
        earliest = min(low for low in lows if low is not None)
        first = starts.wide.first + min(earliest, timedelta(0)) - _CLOCKS_APART - timedelta(days=1)
    if None not in highs:
        latest = max(high for high in highs if high is not None)
        last = starts.span.last + max(latest, timedelta(0)) + _CLOCKS_APART
    return first, last
