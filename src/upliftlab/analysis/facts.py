"""What the integrity checks look at: counts of the data beside those that estimates are made of."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from upliftlab.engines.base import Engine
from upliftlab.experiment import Plan
from upliftlab.queries.clock import Span, converted, later, moved, time_literal
from upliftlab.queries.events import EventTable, Starts, limits
from upliftlab.queries.frame import Frame
from upliftlab.queries.numbers import time_sql
from upliftlab.queries.tallies import Tally
from upliftlab.sql import literal, quote

Counts = Mapping[str, Mapping[str, int]]
"""Units by group and arm."""


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What a table of events is like, beside its tallies.

    Attributes:
        rows: Events of this experiment in the time that matters.
        unknown: Those of nobody in the customers' table.
        untrimmed: Those of nobody, but of somebody if spaces around the id are removed.
        repeated: Rows that say again what another says; left out.
        contradicting: Rows with the key of another that say something else.
        late: Events in their customer's window that became known after it; None where no
            column says when.
        foreign: Events in another currency; None where no column names it.
        first: The first event; None where there is none.
        last: The last event; None where there is none.
        reaches: How far back events are looked for; None where all are.
        closes: The end of the last customer's window, on the events' clock.
        recent: Events in the seven days up to the last one.
        hours: Events by hour of the day before the starts, and after; empty without times of day.
    """

    rows: int
    unknown: int
    untrimmed: int
    repeated: int
    contradicting: int
    late: int | None
    foreign: int | None
    first: datetime | None
    last: datetime | None
    reaches: datetime | None
    closes: datetime | None
    recent: int
    hours: tuple[tuple[int, ...], tuple[int, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the data beside the estimates; None where it cannot be known.

    Attributes:
        strata: Units by stratum and arm.
        waves: Units by wave and arm.
        contacts: Contacts by wave and arm, where they are counted.
        absent: Assigned customers by arm, and those of them who are not in the data.
        misdelivered: Customers of whom the data name another arm than the ledger.
        crossing: Households with customers in several arms.
        dated: Customers whose attributes are of the day of assignment or later.
        events: By table of events.
    """

    strata: Counts = field(default_factory=dict[str, Mapping[str, int]])
    waves: Counts = field(default_factory=dict[str, Mapping[str, int]])
    contacts: Mapping[tuple[str, str], float] | None = None
    absent: Mapping[str, tuple[int, int]] | None = None
    misdelivered: int | None = None
    crossing: int | None = None
    dated: int | None = None
    events: Mapping[str, EventFacts] = field(default_factory=dict[str, EventFacts])


def counts(engine: Engine, units: str, column: str) -> dict[str, dict[str, int]]:
    """Units of the unit table by the levels of one of its columns, and by arm."""
    found: dict[str, dict[str, int]] = {}
    result = engine.query(
        f"SELECT CAST({column} AS VARCHAR) AS level, CAST(arm AS VARCHAR) AS arm,"
        f" COUNT(*) AS n FROM {units} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    for row in result.to_pylist():
        if row["level"] is not None and row["arm"] is not None:
            found.setdefault(row["level"], {})[row["arm"]] = row["n"]
    return found


def contacts_by_wave(engine: Engine, units: str, column: int) -> dict[tuple[str, str], float]:
    """Contacts by wave and arm, out of the unit table's column of contacts."""
    result = engine.query(
        f"SELECT CAST(wave AS VARCHAR) AS wave, CAST(arm AS VARCHAR) AS arm,"
        f" SUM(x{column}) AS n FROM {units} GROUP BY 1, 2"
    )
    return {
        (row["wave"], row["arm"]): float(row["n"] or 0)
        for row in result.to_pylist()
        if row["wave"] is not None and row["arm"] is not None
    }


def absent(engine: Engine, frame: Frame, assigned: str) -> dict[str, tuple[int, int]]:
    """By arm, how many were assigned, and how many of them are not in the data."""
    everybody = engine.query(f"SELECT arm, COUNT(*) AS n FROM {assigned} GROUP BY arm")
    here = engine.query(f"SELECT a.arm AS arm, COUNT(*) AS n FROM {frame.relation} GROUP BY a.arm")
    found = {row["arm"]: row["n"] for row in here.to_pylist()}
    return {
        row["arm"]: (row["n"], row["n"] - found.get(row["arm"], 0)) for row in everybody.to_pylist()
    }


def misdelivered(engine: Engine, frame: Frame, column: str) -> int:
    """How many customers were given another arm than the ledger's, as a column of the data says."""
    delivered = f"CAST(c.{quote(column)} AS VARCHAR)"
    wrong = f"CASE WHEN {delivered} = CAST(a.arm AS VARCHAR) THEN 0 ELSE 1 END"
    return _one(engine, f"SELECT COALESCE(SUM({wrong}), 0) AS n FROM {frame.relation}")


def crossing(engine: Engine, frame: Frame) -> int:
    """How many households have customers in several arms."""
    house, arm = frame.own["house"], frame.own["arm"]
    inner = (
        f"SELECT {house} AS house FROM {frame.relation} GROUP BY {house}"
        f" HAVING COUNT(DISTINCT {arm}) > 1"
    )
    return _one(engine, f"SELECT COUNT(*) AS n FROM ({inner}) AS mixed")


def dated(engine: Engine, plan: Plan, frame: Frame) -> int:
    """How many customers' attributes are of the day of assignment or later."""
    column = plan.customers.as_of or ""
    sign = ">=" if frame.columns[column] == "date" else ">"
    when = f"{time_sql(column, frame.columns, 'c.')} {sign} {frame.own['as_of']}"
    late = f"CASE WHEN {when} THEN 1 ELSE 0 END"
    return _one(engine, f"SELECT COALESCE(SUM({late}), 0) AS n FROM {frame.relation}")


@dataclass(frozen=True, slots=True)
class Look:
    """What a table of events is looked at with."""

    plan: Plan
    engine: Engine
    events: EventTable
    starts: Starts
    tallies: Sequence[Tally]
    repeats: tuple[int, int]


def event_facts(look: Look) -> EventFacts:
    """What a table of events is like."""
    events, first_last = look.events, limits(look.starts, look.tallies)
    conditions = [*_within(events, *first_last), *([events.own] if events.own else [])]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    row = look.engine.query(
        f"SELECT COUNT(*) AS n, MIN({events.time}) AS first, MAX({events.time}) AS last,"
        f" {_foreign(look)} AS foreign_rows"
        f" FROM {events.table}{where}"
    ).to_pylist()[0]
    unknown = row["n"] - _known(look, where)
    closes = _closes(look)
    return EventFacts(
        rows=row["n"],
        unknown=unknown,
        untrimmed=_untrimmed(look, where) if unknown else 0,
        repeated=look.repeats[0],
        contradicting=look.repeats[1],
        late=_late(look),
        foreign=None if events.source.currency is None else int(row["foreign_rows"] or 0),
        first=row["first"],
        last=row["last"],
        reaches=_reaches(look),
        closes=closes,
        recent=_recent(look, row["last"], where),
        hours=_hours(look),
    )


def _within(events: EventTable, first: datetime | None, last: datetime | None) -> Iterator[str]:
    if first is not None:
        yield f"{events.time} >= {time_literal(first)}"
    if last is not None:
        yield f"{events.time} < {time_literal(last)}"


def _foreign(look: Look) -> str:
    column, currency = look.events.source.currency, look.plan.currency
    if column is None:
        return "0"
    named = f"CAST({quote(column)} AS VARCHAR)"
    if currency is None:
        return f"COUNT(DISTINCT {named}) - 1"
    return f"SUM(CASE WHEN {named} = {literal(currency)} THEN 0 ELSE 1 END)"


def _known(look: Look, where: str) -> int:
    """Events of somebody in the customers' table."""
    inner = f"SELECT {_id(look)} AS id FROM {look.events.table}{where}"
    return _one(
        look.engine,
        f"SELECT COUNT(*) AS n FROM ({inner}) AS e WHERE e.id IN (SELECT {_customer(look)}"
        f" FROM customers)",
    )


def _untrimmed(look: Look, where: str) -> int:
    if look.events.columns[look.events.id] != "text":
        return 0
    key = quote(look.plan.customers.id or "")
    trimmed = f"TRIM(CAST({quote(look.events.id)} AS VARCHAR))"
    inner = f"SELECT {_id(look)} AS id, {trimmed} AS trimmed FROM {look.events.table}{where}"
    return _one(
        look.engine,
        f"SELECT COUNT(*) AS n FROM ({inner}) AS e WHERE e.id NOT IN"
        f" (SELECT {_customer(look)} FROM customers)"
        f" AND e.trimmed IN (SELECT CAST({key} AS VARCHAR) FROM customers)",
    )


def _id(look: Look) -> str:
    key = quote(look.events.id)
    return f"CAST({key} AS VARCHAR)" if look.starts.text_ids else key


def _customer(look: Look) -> str:
    key = quote(look.plan.customers.id or "")
    return f"CAST({key} AS VARCHAR)" if look.starts.text_ids else key


def _outcome(look: Look) -> timedelta | None:
    """The end of the longest window after the start; None where all lie before it."""
    ends = [
        tally.window.high
        for tally in look.tallies
        if tally.window.anchor == "start" and tally.window.high is not None
    ]
    longest = max(ends, default=timedelta(0))
    return longest if longest > timedelta(0) else None


def _reaches(look: Look) -> datetime | None:
    """The beginning of the longest window before the start, the day it lies in counted whole."""
    lows = [tally.window.low for tally in look.tallies]
    known = [low for low in lows if low is not None]
    if len(known) < len(lows):
        return None
    return look.starts.span.first + min(*known, timedelta(0)) + timedelta(days=1)


def _closes(look: Look) -> datetime | None:
    end = _outcome(look)
    if end is None:
        return None
    zone, span = look.starts.zone, look.starts.span
    wide = span.widened(timedelta(0), end)
    last = moved(time_literal(span.last), end, zone, wide)
    sql = converted(last, zone, look.events.clock, wide)
    return look.engine.query(f"SELECT {sql} AS t").to_pylist()[0]["t"]


def _late(look: Look) -> int | None:
    """Events in their customer's outcome window that became known after it had closed."""
    column, end = look.events.source.recorded, _outcome(look)
    if column is None or end is None:
        return None
    events, zone = look.events, look.starts.zone
    wide = look.starts.span.widened(timedelta(0), end)
    low = converted("start", zone, events.clock, wide)
    high = converted(moved("start", end, zone, wide), zone, events.clock, wide)
    key = "CAST(id AS VARCHAR)" if look.starts.text_ids else "id"
    own = f" WHERE {events.own}" if events.own else ""
    known = time_sql(column, events.columns)
    return _one(
        look.engine,
        f"SELECT COUNT(*) AS n FROM (SELECT {key} AS id, {low} AS low, {high} AS high"
        f" FROM {look.starts.table}) AS u JOIN (SELECT {_id(look)} AS id, {events.time} AS t,"
        f" {known} AS known FROM {events.table}{own}) AS e ON e.id = u.id"
        " WHERE e.t >= u.low AND e.t < u.high AND e.known >= u.high",
    )


def _recent(look: Look, last: datetime | None, where: str) -> int:
    if last is None:
        return 0
    week = f"{look.events.time} > {later(time_literal(last), -timedelta(days=7))}"
    joined = f"{where} AND {week}" if where else f" WHERE {week}"
    return _one(look.engine, f"SELECT COUNT(*) AS n FROM {look.events.table}{joined}")


def _hours(look: Look) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Events by hour of the day, before the first start and after it."""
    events, span, end = look.events, look.starts.span, _outcome(look)
    if end is None or events.columns[events.source.time or ""] == "date":
        return None
    wide = Span(span.first - end, span.last + end).widened(timedelta(0), timedelta(0))
    shown = converted("t", events.clock, look.starts.zone, wide)
    conditions = [*_within(events, wide.first, wide.last), *([events.own] if events.own else [])]
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


def _one(engine: Engine, sql: str) -> int:
    return int(engine.query(sql).to_pylist()[0]["n"])
