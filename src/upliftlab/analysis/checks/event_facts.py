"""What tables of events are like: what the checks of them go by."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from upliftlab.analysis.checks.definition import (
    Fact,
    FactInputs,
)
from upliftlab.analysis.event_tables import EventReading, Repeats
from upliftlab.analysis.look import filled_until
from upliftlab.analysis.population import CUSTOMERS
from upliftlab.config.computed import built_of
from upliftlab.config.expressions import decided_by
from upliftlab.queries.clock import INSTANTS, Span, converted, last_passed, moved, time_literal
from upliftlab.queries.events import conditions_of, limits
from upliftlab.queries.spelling import NearMatches, near_matches
from upliftlab.queries.times import time_column
from upliftlab.util.personal import code_or_shape
from upliftlab.util.sql import quote


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What a table of events is like, beside its tallies.

    Attributes:
        rows: Events of this experiment in the time that matters.
        total: Rows of the table.
        unknown: Those of nobody in the customers' table.
        near: Those of nobody that nearly match somebody; None where there are none.
        repeats: Rows with the key of another.
        late: Events in their customer's window that became known after it; None where no
            column says when.
        foreign: Events in another currency by its code; None where no column names it, or no
            amount counts.
        alike: Of the last week's events without a key, the share that says what another says.
        first: The first event; None where there is none.
        last: The last event; None where there is none.
        reaches: How far back events are looked for; None where all are.
        closes: The end of the last customer's window, on the events' clock.
        filled: Up to when the table is declared complete, on the events' clock; None where it is
            not.
        recent: Events in the seven days up to the last one.
        hours: Events by hour of the day before the starts, and after; empty without times of day.
    """

    rows: int
    total: int
    unknown: int
    near: NearMatches | None
    repeats: Repeats
    late: int | None
    foreign: Mapping[str, int] | None
    first: datetime | None
    last: datetime | None
    reaches: datetime | None
    closes: datetime | None
    recent: int
    alike: float | None = None
    hours: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    filled: datetime | None = None

    @property
    def declared(self) -> bool:
        """Whether the table is declared complete up to the end of the last window."""
        if self.filled is None or self.closes is None:
            return False
        return self.closes <= self.filled


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
        total=_one(look, f"SELECT COUNT(*) AS n FROM {look.given.table}"),
        unknown=unknown,
        near=_near(look, where) if unknown else None,
        repeats=look.repeats,
        late=_late(look),
        foreign=_foreign(look, where),
        first=row["first"],
        last=row["last"],
        reaches=_reaches(look),
        closes=closes,
        recent=_recent(look, row["last"], where),
        alike=_alike(look, row["last"], where),
        hours=_hours(look),
        filled=filled_until(look.plan, look.events.name, look.events.clock),
    )


def _foreign(look: EventReading, where: str) -> Mapping[str, int] | None:
    """Events whose money counts, by a currency that is not the experiment's, else not most's."""
    column = look.events.source.currency
    money = [t for t in look.tallies if t.column and not _converted(look, t.column)]
    if column is None or not money:
        return None
    counts = {tally.where for tally in money}
    if None not in counts:
        kept = " OR ".join(f"({look.events.condition(each)})" for each in counts if each)
        where = f"{where} AND ({kept})" if where else f" WHERE {kept}"
    rows = look.engine.query(
        f"SELECT CAST({quote(column)} AS VARCHAR) AS name, COUNT(*) AS n"
        f" FROM {look.events.table}{where} GROUP BY 1"
    ).to_pylist()
    found = {row["name"]: row["n"] for row in rows}
    most = max(found, key=lambda name: found[name], default=None)
    expected = look.plan.currency or most
    return {code_or_shape(name): n for name, n in found.items() if name != expected}


def _converted(look: EventReading, column: str) -> bool:
    """Whether a column is computed by a table of rates by the currency."""
    source = look.events.source
    return source.currency is not None and source.currency in {
        decided_by(source.columns[name]) for name in built_of(column, source.columns)
    }


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
    return _one(
        look,
        f"SELECT COUNT(*) AS n FROM ({inner}) AS e WHERE EXISTS"
        f" (SELECT 1 FROM {CUSTOMERS} AS c WHERE {_customer(look)} = e.id)",
    )


def _near(look: EventReading, where: str) -> NearMatches | None:
    """Events of nobody that nearly match somebody: only texts are written in several ways."""
    theirs, own = look.events.ids, look.starts.ids
    if "text" not in (theirs.kind, own.kind):
        return None
    rows = f"SELECT {theirs.text(quote(look.events.id))} AS id FROM {look.events.table}{where}"
    key = own.text(quote(look.plan.customers.id or ""))
    return near_matches(look.engine, rows, f"SELECT {key} AS id FROM {CUSTOMERS}")


def _id(look: EventReading) -> str:
    return look.starts.customer_of(look.events)


def _customer(look: EventReading) -> str:
    return look.starts.customer(f"c.{quote(look.plan.customers.id or '')}", look.events)


def _outcome(look: EventReading) -> timedelta | None:
    """The end of the longest window after the start; None where all lie before it."""
    return max(_outcomes(look), default=None)


def _outcomes(look: EventReading) -> list[timedelta]:
    """The ends of the windows after the start."""
    ends = (tally.window.high for tally in look.tallies if tally.window.anchor == "start")
    return [end for end in ends if end is not None and end > timedelta(0)]


def _reaches(look: EventReading) -> datetime | None:
    """The beginning of the longest window before the start, the day it lies in counted whole."""
    lows = [tally.window.low for tally in look.tallies]
    known = [low for low in lows if low is not None]
    if len(known) < len(lows):
        return None
    return look.starts.span.first + min(*known, timedelta(0)) + timedelta(days=1)


def _closes(look: EventReading) -> datetime | None:
    zone, clock = look.starts.zone, look.events.clock
    last = last_passed(look.starts.span.last, _outcomes(look), zone)
    if last is None:
        return None
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
    key = look.starts.customer("id", events)
    own = f" WHERE {events.own}" if events.own else ""
    recorded = time_column(
        column, events.columns, events.source, look.engine, f"{events.table} AS c"
    )
    known, clock = recorded.sql, INSTANTS if recorded.instants else events.zone
    known = converted(known, clock, events.clock, wide)
    return _one(
        look,
        f"SELECT COUNT(*) AS n FROM (SELECT {key} AS id, {low} AS low, {high} AS high"
        f" FROM {look.starts.table}) AS u JOIN (SELECT {_id(look)} AS id, {events.time} AS t,"
        f" {known} AS known FROM {events.table}{own}) AS e ON e.id = u.id"
        " WHERE e.t >= u.low AND e.t < u.high AND e.known >= u.high",
    )


def _recent(look: EventReading, last: datetime | None, where: str) -> int:
    if last is None:
        return 0
    week = _last_week(look, last, where)
    return _one(look, f"SELECT COUNT(*) AS n FROM {look.events.table}{week}")


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


def _one(look: EventReading, sql: str) -> int:
    """The only number, called `n`, of a query."""
    return int(look.engine.query(sql).to_pylist()[0]["n"])


@Fact
def events(data: FactInputs) -> Mapping[str, EventFacts] | None:
    """What each table of events is like."""
    return {look.events.name: event_facts(look) for look in data.events}
