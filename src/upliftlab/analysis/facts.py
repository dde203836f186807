"""What the integrity checks look at: counts of the data beside those that estimates are made of."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from upliftlab.engines.base import Engine
from upliftlab.experiment import Plan
from upliftlab.queries.clock import INSTANTS, Span, converted, moved, passed, time_literal
from upliftlab.queries.events import EventTable, Starts, conditions_of, limits
from upliftlab.queries.frame import Frame
from upliftlab.queries.numbers import time_sql
from upliftlab.queries.tallies import Tally
from upliftlab.sql import quote

CUSTOMERS = "customers"
"""What the customers' table is attached as."""
_NOTHING = timedelta(0)
Counts = Mapping[str, Mapping[str, int]]
"""Units by group and arm."""


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What a table of events is like, beside its tallies.

    Attributes:
        rows: Events of this experiment in the time that matters.
        total: Rows of the table.
        unknown: Those of nobody in the customers' table.
        untrimmed: Those of nobody, but of somebody if spaces around the id are removed.
        repeated: Rows that say again what another says; left out.
        contradicting: Rows with the key of another that say something else.
        late: Events in their customer's window that became known after it; None where no
            column says when.
        foreign: Events in another currency; None where no column names it, or no amount counts.
        alike: Of the last week's events without a key, the share that says what another says.
        first: The first event; None where there is none.
        last: The last event; None where there is none.
        reaches: How far back events are looked for; None where all are.
        closes: The end of the last customer's window, on the events' clock.
        recent: Events in the seven days up to the last one.
        hours: Events by hour of the day before the starts, and after; empty without times of day.
    """

    rows: int
    total: int
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
    alike: float | None = None
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
        dated: Customers whose attributes are of the day of assignment or later, or of no time.
        closes: When the last customer's window closes, on the program's clock.
        customers: Rows of the customers' table.
        events: By table of events.
    """

    strata: Counts = field(default_factory=dict[str, Mapping[str, int]])
    waves: Counts = field(default_factory=dict[str, Mapping[str, int]])
    contacts: Mapping[tuple[str, str], float] | None = None
    absent: Mapping[str, tuple[int, int]] | None = None
    misdelivered: int | None = None
    crossing: int | None = None
    dated: int | None = None
    closes: datetime | None = None
    customers: int | None = None
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
    column, zone = plan.customers.as_of or "", plan.program.time_zone
    kind = frame.columns[column]
    clock = INSTANTS if kind == "instant" else plan.customers.zone or zone
    day = frame.own["as_of"]
    span = _bounds(engine, day, frame).widened(_NOTHING, _NOTHING)
    until = day if kind in ("date", "text") else converted(day, zone, clock, span)
    # A day is known at its end, a moment at once.
    sign = "<" if kind in ("date", "text") else "<="
    known = f"CASE WHEN {time_sql(column, frame.columns, 'c.')} {sign} {until} THEN 0 ELSE 1 END"
    return _one(engine, f"SELECT COALESCE(SUM({known}), 0) AS n FROM {frame.relation}")


def _bounds(engine: Engine, time: str, frame: Frame) -> Span:
    row = engine.query(
        f"SELECT MIN(t) AS first, MAX(t) AS last FROM (SELECT {time} AS t FROM {frame.relation})"
        " AS times"
    ).to_pylist()[0]
    return Span(row["first"], row["last"])


@dataclass(frozen=True, slots=True)
class Look:
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
    tallies: Sequence[Tally]
    repeats: tuple[int, int]


def event_facts(look: Look) -> EventFacts:
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
        total=_one(look.engine, f"SELECT COUNT(*) AS n FROM {look.given.table}"),
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


def _foreign(look: Look, where: str) -> int | None:
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


def _alike(look: Look, last: datetime | None, where: str) -> float | None:
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


def _known(look: Look, where: str) -> int:
    """Events of somebody in the customers' table."""
    inner = f"SELECT {_id(look)} AS id FROM {look.events.table}{where}"
    return _one(
        look.engine,
        f"SELECT COUNT(*) AS n FROM ({inner}) AS e WHERE EXISTS"
        f" (SELECT 1 FROM {CUSTOMERS} AS c WHERE {_customer(look)} = e.id)",
    )


def _untrimmed(look: Look, where: str) -> int:
    if "text" not in (look.events.columns[look.events.id], look.starts.ids):
        return 0
    key = f"CAST(c.{quote(look.plan.customers.id or '')} AS VARCHAR)"
    plain = f"CAST({quote(look.events.id)} AS VARCHAR)"
    inner = f"SELECT {plain} AS id FROM {look.events.table}{where}"
    return _one(
        look.engine,
        f"SELECT COUNT(*) AS n FROM ({inner}) AS e"
        f" WHERE NOT EXISTS (SELECT 1 FROM {CUSTOMERS} AS c WHERE {key} = e.id)"
        f" AND EXISTS (SELECT 1 FROM {CUSTOMERS} AS c WHERE TRIM({key}) = TRIM(e.id))",
    )


def _id(look: Look) -> str:
    key = quote(look.events.id)
    return f"CAST({key} AS VARCHAR)" if look.starts.as_text(look.events) else key


def _customer(look: Look) -> str:
    key = f"c.{quote(look.plan.customers.id or '')}"
    return f"CAST({key} AS VARCHAR)" if look.starts.as_text(look.events) else key


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
    zone, clock = look.starts.zone, look.events.clock
    last = passed(look.starts.span.last, end, zone)
    instant = last.replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo(clock))
    return instant.replace(tzinfo=None)


def _late(look: Look) -> int | None:
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
    week = _last_week(look, last, where)
    return _one(look.engine, f"SELECT COUNT(*) AS n FROM {look.events.table}{week}")


def _last_week(look: Look, last: datetime, where: str) -> str:
    week = f"{look.events.time} > {time_literal(last - timedelta(days=7))}"
    return f"{where} AND {week}" if where else f" WHERE {week}"


def _hours(look: Look) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
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


def _one(engine: Engine, sql: str) -> int:
    return int(engine.query(sql).to_pylist()[0]["n"])
