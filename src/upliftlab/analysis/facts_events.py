"""What a table of events is like: the counts its checks look at."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from upliftlab.analysis.facts import CUSTOMERS, EventFacts, one
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.queries.clock import INSTANTS, Span, converted, moved, passed, time_literal
from upliftlab.queries.events import EventTable, Starts, conditions_of, limits
from upliftlab.queries.numbers import time_sql
from upliftlab.queries.tallies import EventAggregate
from upliftlab.util.sql import quote


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


def event_facts(look: EventReading) -> EventFacts:
    """What a table of events is like."""
    events = look.events
    conditions = conditions_of(events, *limits(look.starts, look.tallies))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    row = look.engine.query(
        f"SELECT COUNT(*) AS n, MIN({events.time}) AS first, MAX({events.time}) AS last,"
        f" COUNT({events.time}) AS timed FROM {events.table}{where}"
    ).to_pylist()[0]
    unknown = row["n"] - _known(look, where)
    closes = _closes(look)
    return EventFacts(
        rows=row["n"],
        total=one(look.engine, f"SELECT COUNT(*) AS n FROM {look.given.table}"),
        unknown=unknown,
        untrimmed=_untrimmed(look, where) if unknown else 0,
        repeated=look.repeats[0],
        contradicting=look.repeats[1],
        late=_late(look),
        foreign=_foreign(look, where),
        first=row["first"],
        last=row["last"],
        reaches=_reaches(look),
        closes=closes,
        recent=_recent(look, row["last"], where),
        alike=_alike(look, row["last"], where),
        hours=_hours(look),
    )


def _foreign(look: EventReading, where: str) -> int | None:
    """Events in another currency than the experiment's, else than that of most."""
    column = look.events.source.currency
    if column is None or not any(tally.column for tally in look.tallies):
        return None
    rows = look.engine.query(
        f"SELECT CAST({quote(column)} AS VARCHAR) AS name, COUNT(*) AS n"
        f" FROM {look.events.table}{where} GROUP BY 1"
    ).to_pylist()
    found = {row["name"]: row["n"] for row in rows}
    expected = look.plan.currency or max(found, key=lambda name: found[name], default=None)
    return sum(found.values()) - found.get(expected, 0)


def _alike(look: EventReading, last: datetime | None, where: str) -> float | None:
    """Of the last week's events without a key, the share that says what another says already."""
    if last is None or look.events.source.key is not None:
        return None
    used = dict.fromkeys([look.events.id, look.events.source.time or ""])
    used |= dict.fromkeys(t.column for t in look.tallies if t.column is not None)
    listed = ", ".join(map(quote, used))
    rows = f"SELECT {listed} FROM {look.events.table}{_last_week(look, last, where)}"
    row = look.engine.query(
        f"SELECT (SELECT COUNT(*) FROM ({rows}) AS a) AS n,"
        f" (SELECT COUNT(*) FROM (SELECT DISTINCT {listed} FROM ({rows}) AS b) AS c) AS different"
    ).to_pylist()[0]
    return 1 - row["different"] / row["n"] if row["n"] else 0.0


def _known(look: EventReading, where: str) -> int:
    """Events of somebody in the customers' table."""
    inner = f"SELECT {_id(look)} AS id FROM {look.events.table}{where}"
    return one(
        look.engine,
        f"SELECT COUNT(*) AS n FROM ({inner}) AS e WHERE EXISTS"
        f" (SELECT 1 FROM {CUSTOMERS} AS c WHERE {_customer(look)} = e.id)",
    )


def _untrimmed(look: EventReading, where: str) -> int:
    if "text" not in (look.events.columns[look.events.id], look.starts.ids):
        return 0
    key = f"CAST(c.{quote(look.plan.customers.id or '')} AS VARCHAR)"
    plain = f"CAST({quote(look.events.id)} AS VARCHAR)"
    inner = f"SELECT {plain} AS id FROM {look.events.table}{where}"
    return one(
        look.engine,
        f"SELECT COUNT(*) AS n FROM ({inner}) AS e"
        f" WHERE NOT EXISTS (SELECT 1 FROM {CUSTOMERS} AS c WHERE {key} = e.id)"
        f" AND EXISTS (SELECT 1 FROM {CUSTOMERS} AS c WHERE TRIM({key}) = TRIM(e.id))",
    )


def _id(look: EventReading) -> str:
    key = quote(look.events.id)
    return f"CAST({key} AS VARCHAR)" if look.starts.as_text(look.events) else key


def _customer(look: EventReading) -> str:
    key = f"c.{quote(look.plan.customers.id or '')}"
    return f"CAST({key} AS VARCHAR)" if look.starts.as_text(look.events) else key


def _outcome(look: EventReading) -> timedelta | None:
    """The end of the longest window after the start; None where all lie before it."""
    ends = [
        tally.window.high
        for tally in look.tallies
        if tally.window.anchor == "start" and tally.window.high is not None
    ]
    longest = max(ends, default=timedelta(0))
    return longest if longest > timedelta(0) else None


def _reaches(look: EventReading) -> datetime | None:
    """The beginning of the longest window before the start, the day it lies in counted whole."""
    lows = [tally.window.low for tally in look.tallies]
    known = [low for low in lows if low is not None]
    if len(known) < len(lows):
        return None
    return look.starts.span.first + min(*known, timedelta(0)) + timedelta(days=1)


def _closes(look: EventReading) -> datetime | None:
    end = _outcome(look)
    if end is None:
        return None
    zone, clock = look.starts.zone, look.events.clock
    last = passed(look.starts.span.last, end, zone)
    instant = last.replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo(clock))
    return instant.replace(tzinfo=None)


def _late(look: EventReading) -> int | None:
    """Events in their customer's outcome window that became known after it had closed."""
    column, end = look.events.source.recorded, _outcome(look)
    if column is None or end is None:
        return None
    events, zone = look.given, look.starts.zone
    wide = look.starts.span.widened(timedelta(0), end)
    low = converted("start", zone, events.clock, wide)
    high = converted(moved("start", end, zone, wide), zone, events.clock, wide)
    key = "CAST(id AS VARCHAR)" if look.starts.as_text(events) else "id"
    own = f" WHERE {events.own}" if events.own else ""
    known = time_sql(column, events.columns)
    clock = INSTANTS if events.columns[column] == "instant" else events.zone
    known = converted(known, clock, events.clock, wide)
    return one(
        look.engine,
        f"SELECT COUNT(*) AS n FROM (SELECT {key} AS id, {low} AS low, {high} AS high"
        f" FROM {look.starts.table}) AS u JOIN (SELECT {_id(look)} AS id, {events.time} AS t,"
        f" {known} AS known FROM {events.table}{own}) AS e ON e.id = u.id"
        " WHERE e.t >= u.low AND e.t < u.high AND e.known >= u.high",
    )


def _recent(look: EventReading, last: datetime | None, where: str) -> int:
    if last is None:
        return 0
    week = _last_week(look, last, where)
    return one(look.engine, f"SELECT COUNT(*) AS n FROM {look.events.table}{week}")


def _last_week(look: EventReading, last: datetime, where: str) -> str:
    week = f"{look.events.time} > {time_literal(last - timedelta(days=7))}"
    return f"{where} AND {week}" if where else f" WHERE {week}"


def _hours(look: EventReading) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Events by hour of the day, before the first start and after it."""
    events, span, end = look.events, look.starts.span, _outcome(look)
    if end is None or events.columns[events.source.time or ""] == "date":
        return None
    wide = Span(span.first - end, span.last + end).widened(timedelta(0), timedelta(0))
    shown = converted("t", events.clock, look.starts.zone, wide)
    conditions = conditions_of(events, wide.first, wide.last)
    inner = f"SELECT {events.time} AS t FROM {events.table} WHERE {' AND '.join(conditions)}"
    rows = look.engine.query(
        f"SELECT CAST(EXTRACT(hour FROM h) AS INTEGER) AS hour, CASE WHEN h <"
        f" {time_literal(span.first)} THEN 0 ELSE 1 END AS half, COUNT(*) AS n"
        f" FROM (SELECT {shown} AS h FROM ({inner}) AS e) AS shown GROUP BY 1, 2"
    ).to_pylist()
    found = [[0] * 24, [0] * 24]
    for row in rows:
        found[row["half"]][row["hour"]] = row["n"]
    return tuple(found[0]), tuple(found[1])
